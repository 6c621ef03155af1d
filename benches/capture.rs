//! What reading anybody's capture costs: `cargo bench --bench capture`. One thread, from the file's bytes to findings.
//!
//! Files are made in the folder of temporary files, with 200 and with 1,400 bytes a packet: RDP sessions, or one of them and other
//! traffic, or one that is as long as the file, or ten thousand. `RDPSCOPE_BENCH_MB` says how large, 200 by default; with `RDPSCOPE_KEEP` they stay
//! there, to hold other programs against them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use analyzer::reading;
use proxy::lab::wire;

const ROUNDS: usize = 3;

fn main() -> std::io::Result<()> {
    let megabytes: usize = std::env::var("RDPSCOPE_BENCH_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(200);
    println!("{megabytes} MB, one thread; peak memory of this process so far in the last column");
    for (name, payload, connections, rdp) in [
        ("200 B, 64 sessions", 130, 64, 64),
        ("1400 B, 64 sessions", 1330, 64, 64),
        ("200 B, 1 of 64 RDP", 130, 64, 1),
        ("1400 B, 1 of 64 RDP", 1330, 64, 1),
        ("1400 B, one session", 1330, 1, 1),
        ("1400 B, 10,000 sessions", 1330, 10_000, 10_000),
    ] {
        let path = std::env::temp_dir().join(format!("rdpscope-bench-{payload}-{rdp}of{connections}.pcap"));
        let packets = Traffic { payload, connections, rdp }.write(&path, megabytes << 20)?;
        measure(name, &path, packets)?;
        if std::env::var_os("RDPSCOPE_KEEP").is_none() {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The best of some rounds: what the code costs, not what else the machine does.
fn measure(name: &str, path: &PathBuf, packets: u64) -> std::io::Result<()> {
    let len = fs::metadata(path)?.len();
    let (mut best, mut sessions) = (f64::MAX, 0);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        sessions = 0;
        reading::read(File::open(path)?, None, &mut |_| sessions += 1).map_err(std::io::Error::other)?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let (speed, rate) = (len as f64 / 1e6 / best, packets as f64 / 1e6 / best);
    println!("{name:>24}: {speed:>6.0} MB/s {rate:>6.2} Mpackets/s {sessions:>5} sessions {:>6} kB", peak());
    Ok(())
}

/// Peak resident memory, kB; 0 where the system does not say.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What is in a file.
struct Traffic {
    /// Bytes of payload in a packet of the server.
    payload: usize,
    /// Connections that take turns.
    connections: u32,
    /// How many of them are RDP.
    rdp: u32,
}

impl Traffic {
    fn write(&self, path: &Path, len: usize) -> std::io::Result<u64> {
        let mut file = Capture { out: BufWriter::with_capacity(1 << 20, File::create(path)?), packets: 0, len: 24 };
        file.out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
        let mut sequences = vec![[1_u32; 2]; self.connections as usize];
        for (connection, next) in (0..).zip(&mut sequences) {
            self.open(&mut file, connection, next)?;
        }
        // Where the records of the server begin.
        let begin: Vec<u32> = sequences.iter().map(|next| next[1]).collect();
        let mut record = vec![0x17, 0x03, 0x03, 0x40, 0x00];
        record.resize(5 + 0x4000, 7);
        let stream = record.repeat(2);
        while file.len < len {
            for (connection, next) in (0..).zip(&mut sequences) {
                let at = next[1].wrapping_sub(begin[connection as usize]) as usize % record.len();
                let data =
                    if connection < self.rdp { &stream[at..at + self.payload] } else { &stream[9..9 + self.payload] };
                file.segment(connection, true, 0x10, next, data)?;
                if file.packets.is_multiple_of(8) {
                    file.segment(connection, false, 0x10, next, b"")?;
                }
            }
        }
        file.out.flush()?;
        Ok(file.packets)
    }

    fn open(&self, file: &mut Capture, connection: u32, next: &mut [u32; 2]) -> std::io::Result<()> {
        file.segment(connection, false, 0x02, next, b"")?;
        file.segment(connection, true, 0x12, next, b"")?;
        *next = [2, 2];
        file.segment(connection, false, 0x10, next, b"")?;
        if connection < self.rdp {
            file.segment(connection, false, 0x18, next, &wire::connection_request("bench", Some(1)))?;
            file.segment(connection, true, 0x18, next, &wire::connection_confirm(Some(1)))?;
        }
        Ok(())
    }
}

struct Capture {
    out: BufWriter<File>,
    packets: u64,
    len: usize,
}

impl Capture {
    fn segment(
        &mut self,
        connection: u32,
        from_server: bool,
        flags: u8,
        next: &mut [u32; 2],
        data: &[u8],
    ) -> std::io::Result<()> {
        let (mine, theirs) = (usize::from(from_server), usize::from(!from_server));
        let len = 54 + data.len();
        let ends = [([10, 0, 0, 1], 40_000 + connection as u16), ([10, 0, 1, 1], 3389)];
        let micros = 1_700_000_000_000_000 + self.packets * 10;
        self.out.write_all(&((micros / 1_000_000) as u32).to_le_bytes())?;
        self.out.write_all(&((micros % 1_000_000) as u32).to_le_bytes())?;
        self.out.write_all(&[(len as u32).to_le_bytes(), (len as u32).to_le_bytes()].concat())?;
        self.out.write_all(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0])?;
        self.out.write_all(&((len - 14) as u16).to_be_bytes())?;
        self.out.write_all(&(self.packets as u16).to_be_bytes())?;
        self.out.write_all(&[0x40, 0, 64, 6, 0, 0])?;
        self.out.write_all(&ends[mine].0)?;
        self.out.write_all(&ends[theirs].0)?;
        self.out.write_all(&ends[mine].1.to_be_bytes())?;
        self.out.write_all(&ends[theirs].1.to_be_bytes())?;
        self.out.write_all(&next[mine].to_be_bytes())?;
        self.out.write_all(&next[theirs].to_be_bytes())?;
        self.out.write_all(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0])?;
        self.out.write_all(data)?;
        next[mine] = next[mine].wrapping_add(data.len() as u32);
        (self.packets, self.len) = (self.packets + 1, self.len + 16 + len);
        Ok(())
    }
}
