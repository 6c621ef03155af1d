//! Numbers and texts as RDP writes them: little-endian, UTF-16.

use crate::shown;

/// A place in some bytes, all of which are still to be read. Every read gives `None` where the bytes do not suffice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes with a length of four bytes in front.
    pub(crate) fn long(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(usize::try_from(len).ok()?)
    }
}

/// The cursor at this offset; at the end where there are fewer bytes.
pub(crate) fn at(bytes: &[u8], offset: usize) -> Cursor<'_> {
    Cursor { rest: bytes.get(offset..).unwrap_or_default() }
}

/// Texts are cut to so many characters.
const MAX_TEXT: usize = 128;

/// UTF-16 up to its first zero; what could drive a terminal is escaped. `None` where nothing remains.
pub(crate) fn utf16(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).take_while(|unit| *unit != 0);
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(shown::most(text, MAX_TEXT)).filter(|text| !text.is_empty())
}

/// One-byte text up to its first zero.
pub(crate) fn latin(bytes: &[u8]) -> Option<String> {
    let text = bytes.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte));
    Some(shown::most(text, MAX_TEXT)).filter(|text| !text.is_empty())
}
