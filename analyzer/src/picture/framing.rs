//! The PDUs in what a side says: TPKT (T.123, 8) and fast-path (\[MS-RDPBCGR\] 2.2.8.1.2, 2.2.9.1.2). Where something is
//! missing, or something else was said before, it finds its way back at the first piece that begins with a PDU.

use crate::observation::Side;

/// A PDU with its header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pdu {
    Tpkt(Vec<u8>),
    FastPath(Vec<u8>),
}

/// Finds them.
#[derive(Debug, Default)]
pub(super) struct Framing {
    buffer: Vec<u8>,
    /// Whether the buffer begins with a PDU.
    is_found: bool,
}

impl Framing {
    /// More bytes of its side, in order.
    pub(super) fn push(&mut self, from: Side, bytes: &[u8]) {
        self.is_found = self.is_found || begins(from, bytes);
        if self.is_found {
            self.buffer.extend(bytes);
        }
    }

    /// Bytes are missing here.
    pub(super) fn tear(&mut self) {
        *self = Framing::default();
    }

    /// The next PDU that is whole.
    pub(super) fn next(&mut self) -> Option<Pdu> {
        let len = match length(&self.buffer) {
            Length::Known(len) => len,
            Length::Unknown => return None,
            Length::Wrong => {
                self.tear();
                return None;
            }
        };
        if self.buffer.len() < len {
            return None;
        }
        let rest = self.buffer.split_off(len);
        let pdu = std::mem::replace(&mut self.buffer, rest);
        Some(if pdu[0] == 3 { Pdu::Tpkt(pdu) } else { Pdu::FastPath(pdu) })
    }
}

enum Length {
    Known(usize),
    /// There are too few bytes to tell.
    Unknown,
    /// No PDU begins so.
    Wrong,
}

fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [3, _, high, low, ..] if usize::from(high) << 8 | usize::from(low) >= 7 => {
            Length::Known(usize::from(high) << 8 | usize::from(low))
        }
        [3, _, _, _, ..] => Length::Wrong,
        [3, ..] | [] | [_] => Length::Unknown,
        [first, ..] if first & 3 != 0 => Length::Wrong,
        [_, high, low, ..] if high & 0x80 != 0 => match usize::from(high & 0x7f) << 8 | usize::from(low) {
            0..=3 => Length::Wrong,
            len => Length::Known(len),
        },
        [_, high, ..] if high & 0x80 != 0 => Length::Unknown,
        [_, 0..=2, ..] => Length::Wrong,
        [_, len, ..] => Length::Known(len.into()),
    }
}

/// Whether these bytes are PDUs from their beginning on; the last may go on beyond them. What stands between the action and the
/// flags of a fast-path PDU counts a client's events, and is zero of a server's.
fn begins(from: Side, mut bytes: &[u8]) -> bool {
    let reserved = if from == Side::Server { 0x3c } else { 0 };
    let mut is_any = false;
    while !bytes.is_empty() {
        match length(bytes) {
            Length::Known(_) if bytes[0] == 3 && bytes.len() >= 7 && bytes[4..7] != [2, 0xf0, 0x80] => return false,
            Length::Known(_) if bytes[0] != 3 && bytes[0] & reserved != 0 => return false,
            Length::Known(len) => bytes = bytes.get(len..).unwrap_or_default(),
            Length::Unknown => return is_any,
            Length::Wrong => return false,
        }
        is_any = true;
    }
    is_any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pdus_are_found_again_behind_a_hole() {
        let (tpkt, fast) = ([3, 0, 0, 8, 2, 0xf0, 0x80, 1], [0, 4, 7, 7]);
        let mut framing = Framing::default();
        // CredSSP comes first, and is none of them.
        framing.push(Side::Server, &[0x30, 0x82, 1, 2, 3]);
        assert_eq!(framing.next(), None);
        framing.push(Side::Server, &[&tpkt[..], &fast[..2]].concat());
        assert_eq!(framing.next(), Some(Pdu::Tpkt(tpkt.to_vec())));
        assert_eq!(framing.next(), None);
        framing.push(Side::Server, &fast[2..]);
        assert_eq!(framing.next(), Some(Pdu::FastPath(fast.to_vec())));
        framing.push(Side::Server, &[0, 0x90, 0]);
        framing.tear();
        framing.push(Side::Server, &[9, 9, 9]);
        assert_eq!(framing.next(), None, "the rest of what was torn");
        framing.push(Side::Server, &fast);
        assert_eq!(framing.next(), Some(Pdu::FastPath(fast.to_vec())));
    }
}
