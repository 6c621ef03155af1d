//! What an input decides, byte by byte.

/// An input, taken as decisions; where it is over, all of them are 0.
pub struct Decisions<'a>(pub &'a [u8]);

impl<'a> Decisions<'a> {
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// So many bytes as a first one says.
    pub fn some(&mut self) -> &'a [u8] {
        let len = self.byte();
        self.take(len.into())
    }

    /// The same with two bytes for the length; no more than fits into a packet.
    pub fn many(&mut self) -> &'a [u8] {
        let len = u16::from_le_bytes([self.byte(), self.byte()]) & 0x3fff;
        self.take(len.into())
    }
}
