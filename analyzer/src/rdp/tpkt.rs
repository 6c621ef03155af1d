//! TPKT (RFC 1006, 6; ITU-T T.123, 8): how long the next PDU is.

/// Bytes of a TPKT header.
pub const HEADER: usize = 4;

/// The version, and the first byte of everything that is not fast-path.
pub const VERSION: u8 = 0x03;

/// RFC 1006, 6: the shortest TPKT holds a TPDU of three bytes.
const SHORTEST: usize = 7;

/// What the first bytes of a PDU say of its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// Not enough of them yet.
    Short,
    /// The PDU has so many bytes, header included; at least one more than the header.
    Length(usize),
    /// They are no header. What was expected and what was found.
    Bad(String),
}

/// Reads the header at the beginning of `bytes`.
pub fn read(bytes: &[u8]) -> Header {
    match *bytes {
        [] => Header::Short,
        [VERSION] | [VERSION, _] | [VERSION, _, _] => Header::Short,
        [VERSION, _, high, low, ..] => length(u16::from_be_bytes([high, low]).into()),
        [other, ..] => Header::Bad(format!("expected TPKT version 03, found {other:02x}")),
    }
}

fn length(length: usize) -> Header {
    match length {
        SHORTEST.. => Header::Length(length),
        _ => Header::Bad(format!("expected a TPKT length of {SHORTEST} or more, found {length}")),
    }
}
