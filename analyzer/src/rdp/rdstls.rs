//! RDSTLS (\[MS-RDPBCGR\] 2.2.17): where its PDUs end, and how the server answers. Credentials are passed over.

use super::wire::{Cursor, at};

/// How long a PDU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Too few bytes to tell.
    Short,
    /// So many bytes.
    Known(usize),
    /// This is none.
    Bad,
}

/// `pduType`: capabilities, authentication request, authentication response.
const CAPABILITIES: u16 = 1;
const REQUEST: u16 = 2;
const RESPONSE: u16 = 4;
/// Texts and secrets of a request with a password: GUID, user, domain, password, 2.2.17.2.
const TEXTS: usize = 4;

/// Reads version, type and data type, and what else tells the length.
pub(super) fn length(bytes: &[u8]) -> Length {
    let mut cursor = at(bytes, 0);
    let Some(version) = cursor.u16() else { return Length::Short };
    let Some((kind, data)) = cursor.u16().zip(cursor.u16()) else { return Length::Short };
    match (version, kind, data) {
        (1 | 2, CAPABILITIES, _) => Length::Known(8),
        (1 | 2, RESPONSE, _) => Length::Known(10),
        (1 | 2, REQUEST, 1) => request(bytes, cursor, TEXTS).map_or(Length::Short, Length::Known),
        // 2.2.17.3: session id and auto-reconnect cookie.
        (1 | 2, REQUEST, 2) => match cursor.u32() {
            Some(_) => request(bytes, cursor, 1).map_or(Length::Short, Length::Known),
            None => Length::Short,
        },
        _ => Length::Bad,
    }
}

/// `count` fields of two bytes of length each. A text whose end is not here yet counts already.
fn request(bytes: &[u8], mut cursor: Cursor<'_>, count: usize) -> Option<usize> {
    let mut missing = 0;
    for field in 0..count {
        let len = usize::from(cursor.u16()?);
        missing = len.saturating_sub(cursor.rest.len());
        if missing > 0 && field + 1 < count {
            return None;
        }
        cursor.take(len.min(cursor.rest.len()))?;
    }
    Some(bytes.len() - cursor.rest.len() + missing)
}

/// `ResultCode` of a response.
pub(super) fn result(pdu: &[u8]) -> Option<u32> {
    let mut cursor = at(pdu, 2);
    (cursor.u16()? == RESPONSE).then_some(())?;
    at(pdu, 6).u32()
}
