//! What the first bytes of a side are that are not TPKT.

use crate::event::Foreign;

/// How other protocols begin. No entry may begin another one.
const BEGINNINGS: &[(&[u8], Foreign)] = &[
    (b"SSH-", Foreign::Ssh),
    // RFC 9110, 9.3, and the methods of RD Gateway, [MS-TSGU] 3.3.5.1 and [MS-RPCH] 2.1.2.1.
    (b"HTTP/", Foreign::Http),
    (b"GET ", Foreign::Http),
    (b"HEAD ", Foreign::Http),
    (b"POST ", Foreign::Http),
    (b"PUT ", Foreign::Http),
    (b"DELETE ", Foreign::Http),
    (b"CONNECT ", Foreign::Http),
    (b"OPTIONS ", Foreign::Http),
    (b"TRACE ", Foreign::Http),
    (b"PATCH ", Foreign::Http),
    (b"PRI * ", Foreign::Http),
    (b"RDG_IN_DATA ", Foreign::Http),
    (b"RDG_OUT_DATA ", Foreign::Http),
    (b"RPC_IN_DATA ", Foreign::Http),
    (b"RPC_OUT_DATA ", Foreign::Http),
    // A TLS record: alert or handshake (RFC 8446, 5.1).
    (&[0x15, 0x03], Foreign::TlsFirst),
    (&[0x16, 0x03], Foreign::TlsFirst),
];

/// What these bytes are the beginning of; `None` while they are too few to tell. More bytes never change an answer.
pub(super) fn looks(bytes: &[u8]) -> Option<Foreign> {
    let known = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning));
    match known {
        Some((_, looks)) => Some(*looks),
        None if BEGINNINGS.iter().any(|(beginning, _)| beginning.starts_with(bytes)) => None,
        None => Some(Foreign::Unknown),
    }
}

/// Whether the variable part of a Connection Request or Confirm that begins so has the parameters of ISO on TCP (X.224,
/// 13.3.4: TPDU size, TSAPs and the rest): S7, MMS. RDP has text there, or structures that begin with 1, 2, 3 or 6.
pub(super) fn is_iso(first: u8) -> bool {
    matches!(first, 0xc0..=0xc7 | 0x85..=0x8b | 0xf0)
}
