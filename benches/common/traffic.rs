//! Made-up captures: connections of TLS records, of RDP or not, in packets of one size. The same each time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use proxy::lab::wire;

/// What is in a file.
pub struct Traffic {
    /// Bytes of payload in a packet of the server.
    pub payload: usize,
    /// Connections that take turns.
    pub connections: u32,
    /// How many of them are RDP.
    pub rdp: u32,
}

impl Traffic {
    /// Writes a pcap file of about this length, and tells how many packets are in it.
    pub fn write(&self, path: &Path, len: usize) -> std::io::Result<u64> {
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
