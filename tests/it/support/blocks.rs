//! Capture files as their blocks, so that packets can be taken out of them: pcap and pcapng, of either byte order.

/// `Section Header Block`, pcapng 4.1.
const SECTION: u32 = 0x0a0d_0d0a;
/// Interface Statistics Block, pcapng 4.6.
const STATISTICS: u32 = 5;
/// Enhanced, simple and obsolete packets, pcapng 4.3, 4.4, A.
const PACKETS: [u32; 3] = [6, 3, 2];

/// A file in pieces.
#[derive(Debug, Clone)]
pub struct Blocks {
    blocks: Vec<(bool, Vec<u8>)>,
}

impl Blocks {
    /// Cuts a file into its header, its packets and whatever stands between them.
    pub fn of(file: &[u8]) -> Blocks {
        match file.first_chunk().map(|magic| u32::from_ne_bytes(*magic)) {
            Some(SECTION) => Blocks { blocks: pcapng(file) },
            _ => Blocks { blocks: pcap(file) },
        }
    }

    /// How many packets there are.
    pub fn packets(&self) -> usize {
        self.blocks.iter().filter(|(is_packet, _)| *is_packet).count()
    }

    /// The file with the packets that `keep` wants, by their place from 0.
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut place = 0;
        let mut file = Vec::new();
        for (is_packet, block) in &self.blocks {
            if !is_packet || keep(place) {
                file.extend_from_slice(block);
            }
            place += usize::from(*is_packet);
        }
        file
    }

    /// A recording as anybody's capture: its section says nothing of who made it, and its statistics are gone.
    pub fn anonymous(mut self) -> Blocks {
        let is_little = self.blocks.first().is_some_and(|(_, section)| section[8] == 0x4d);
        let word = |number: u32| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
        self.blocks.retain(|(is_packet, block)| *is_packet || block[..4] != word(STATISTICS));
        for (_, block) in &mut self.blocks {
            if block[..4] == word(SECTION) {
                block.truncate(24);
                block.extend_from_slice(&word(28));
                block[4..8].copy_from_slice(&word(28));
            }
        }
        self
    }
}

fn pcapng(file: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut blocks = Vec::new();
    let mut rest = file;
    let mut is_little = true;
    while rest.len() >= 12 {
        let word = |at: usize, little: bool| {
            let bytes = [rest[at], rest[at + 1], rest[at + 2], rest[at + 3]];
            if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        };
        if word(0, true) == SECTION {
            is_little = word(8, true) == 0x1a2b_3c4d;
        }
        let len = word(4, is_little) as usize;
        assert!((12..=rest.len()).contains(&len), "a whole block");
        let (block, behind) = rest.split_at(len);
        blocks.push((PACKETS.contains(&word(0, is_little)), block.to_vec()));
        rest = behind;
    }
    blocks
}

fn pcap(file: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let is_little = matches!(file[0], 0xd4 | 0x4d);
    let (head, mut rest) = file.split_at(24);
    let mut blocks = vec![(false, head.to_vec())];
    while rest.len() >= 16 {
        let bytes = [rest[8], rest[9], rest[10], rest[11]];
        let len = if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) } as usize;
        let (packet, behind) = rest.split_at((16 + len).min(rest.len()));
        blocks.push((true, packet.to_vec()));
        rest = behind;
    }
    blocks
}
