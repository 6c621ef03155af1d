//! TCP options of one segment, RFC 9293 3.2, RFC 7323, RFC 2018.

/// What the options of a segment say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Largest segment that the sender takes, bytes; only with a SYN.
    pub mss: Option<u16>,
    /// Window scale as sent, also an illegal one; only with a SYN.
    pub scale: Option<u8>,
    /// Whether there is a timestamp.
    pub timestamp: bool,
    /// The first two blocks of a selective acknowledgement: where they begin and end. A D-SACK stands first.
    pub sack: [Option<(u32, u32)>; 2],
}

impl Options {
    /// Reads options; what is cut or malformed ends them.
    pub fn read(mut options: &[u8]) -> Options {
        let mut read = Options::default();
        while let [kind, tail @ ..] = options {
            options = match (*kind, tail) {
                (0, _) => break,
                (1, _) => tail,
                (_, [len, ..]) => {
                    let len = usize::from(*len).max(2);
                    let Some(value) = options.get(2..len) else { break };
                    read.option(*kind, value);
                    &options[len..]
                }
                (_, []) => break,
            };
        }
        read
    }

    /// Whether there may be more here than the timestamp that most segments carry.
    pub fn may_have_sack(options: &[u8]) -> bool {
        options.len() >= 10 && !(options.len() == 12 && options.starts_with(&[1, 1, 8, 10]))
    }

    fn option(&mut self, kind: u8, value: &[u8]) {
        match (kind, value) {
            (2, [high, low]) => self.mss = Some(u16::from_be_bytes([*high, *low])),
            (3, [shift]) => self.scale = Some(*shift),
            (5, blocks) => {
                for (block, bytes) in self.sack.iter_mut().zip(blocks.chunks_exact(8)) {
                    *block = edges(bytes);
                }
            }
            (8, [_, _, _, _, _, _, _, _]) => self.timestamp = true,
            _ => {}
        }
    }
}

fn edges(block: &[u8]) -> Option<(u32, u32)> {
    let (left, right) = (block.first_chunk()?, block.last_chunk()?);
    Some((u32::from_be_bytes(*left), u32::from_be_bytes(*right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_syn_and_of_an_acknowledgement() {
        let syn = [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0];
        let read = Options::read(&syn);
        assert_eq!((read.mss, read.scale, read.timestamp), (Some(1460), Some(7), true));
        let sack = [1, 1, 5, 18, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 2, 0];
        assert_eq!(Options::read(&sack).sack, [Some((5, 9)), Some((256, 512))]);
        assert!(Options::may_have_sack(&sack) && !Options::may_have_sack(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]));
    }

    #[test]
    fn cut_and_malformed_options_end_the_reading() {
        assert_eq!(Options::read(&[2, 4, 5]), Options::default());
        assert_eq!(Options::read(&[2, 0, 2, 0]), Options::default());
        assert_eq!(Options::read(&[3, 3, 255]).scale, Some(255));
    }
}
