//! What reading anybody's capture costs: `cargo bench --bench capture`. One thread, from the file's bytes to findings.
//!
//! Files are made in the folder of temporary files, with 200 and with 1,400 bytes a packet: RDP sessions, or one of them and other
//! traffic, or one that is as long as the file, or ten thousand. `RDPSCOPE_BENCH_MB` says how large, 200 by default; with `RDPSCOPE_KEEP` they stay
//! there, to hold other programs against them. `RDPSCOPE_BENCH_ONLY` takes only cases whose names contain it.

#[path = "common/traffic.rs"]
mod traffic;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Instant;

use analyzer::reading;
use traffic::Traffic;

const ROUNDS: usize = 3;

fn main() -> std::io::Result<()> {
    let megabytes: usize = std::env::var("RDPSCOPE_BENCH_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(200);
    let only = std::env::var("RDPSCOPE_BENCH_ONLY").unwrap_or_default();
    println!("{megabytes} MB, one thread; peak memory of this process so far in the last column");
    for (name, payload, connections, rdp) in [
        ("200 B, 64 sessions", 130, 64, 64),
        ("1400 B, 64 sessions", 1330, 64, 64),
        ("200 B, 1 of 64 RDP", 130, 64, 1),
        ("1400 B, 1 of 64 RDP", 1330, 64, 1),
        ("1400 B, one session", 1330, 1, 1),
        ("1400 B, 1,000 sessions", 1330, 1000, 1000),
        ("1400 B, 10,000 sessions", 1330, 10_000, 10_000),
    ] {
        if !name.contains(&only) {
            continue;
        }
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
