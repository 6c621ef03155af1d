//! A cursor over the presentation language of TLS (RFC 8446, 3): big-endian numbers and vectors with a length in front.
//!
//! Every read gives `None` where the bytes do not suffice, and then leaves the cursor where the trouble is.

use crate::count::counted;

/// What stands at some offset and should not, or does not and should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Offset in the bytes the first cursor was made of.
    pub(super) at: usize,
    /// What was expected and what was found.
    pub(super) says: String,
}

/// A place in some bytes, all of which are still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning of `bytes`, which lie `at` bytes behind the point that offsets are counted from.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Cursor { rest: bytes, at }
    }

    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The trouble at this place: what of the named thing was expected here.
    pub(super) fn trouble(&self, expected: &str) -> Trouble {
        Trouble { at: self.at, says: format!("expected {expected}, found {}", counted(self.rest.len(), "byte")) }
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.at += len;
        Some(taken)
    }

    fn number(&mut self, len: usize) -> Option<usize> {
        Some(self.take(len)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// A vector whose length field has `len_bytes` bytes. Where it does not fit, nothing is read.
    pub(super) fn vector(&mut self, len_bytes: usize) -> Option<Cursor<'a>> {
        let before = *self;
        let inner = self.number(len_bytes).and_then(|len| {
            let at = self.at;
            Some(Cursor::new(self.take(len)?, at))
        });
        if inner.is_none() {
            *self = before;
        }
        inner
    }

    /// All that is left as numbers of two bytes; an odd byte at the end is dropped.
    pub(super) fn u16s(self) -> impl Iterator<Item = u16> {
        self.rest.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_that_does_not_fit_leaves_the_cursor_at_its_length() {
        let mut cursor = Cursor::new(&[0xaa, 0x00, 0x03, 0x01, 0x02], 10);
        assert_eq!(cursor.u8(), Some(0xaa));
        assert!(cursor.vector(2).is_none());
        assert_eq!(cursor.at(), 11);
        assert_eq!(cursor.trouble("a vector").says, "expected a vector, found 4 bytes");
        assert_eq!(cursor.u16(), Some(3));
        assert_eq!(cursor.rest(), [1, 2]);
    }

    #[test]
    fn offsets_of_inner_vectors_count_from_the_outside() {
        let mut cursor = Cursor::new(&[0x00, 0x00, 0x04, 0x01, 0x07, 0x00, 0x09], 0);
        let mut inner = cursor.vector(3).unwrap();
        assert_eq!((inner.at(), cursor.is_empty()), (3, true));
        assert_eq!(inner.vector(1).unwrap().rest(), [7]);
        assert_eq!(inner.u16s().collect::<Vec<_>>(), [9]);
    }
}
