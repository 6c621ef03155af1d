//! The X.224 Connection Request and what it is wrapped in, \[MS-RDPBCGR\] 2.2.1.1.

/// A TPKT packet (T.123 8).
pub(crate) fn tpkt(payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u16 + 4;
    [&[3, 0], &len.to_be_bytes()[..], payload].concat()
}

/// 2.2.1.1 Client X.224 Connection Request PDU. `asks` is `None` where the client sends no RDP_NEG_REQ.
pub fn connection_request(user: &str, asks: Option<u32>) -> Vec<u8> {
    let negotiation = asks.map(|protocols| negotiation(0x01, 0, protocols)).unwrap_or_default();
    x224(0xe0, [0, 0], &[format!("Cookie: mstshash={user}\r\n").as_bytes(), &negotiation].concat())
}

/// RDP_NEG_REQ, RDP_NEG_RSP and RDP_NEG_FAILURE have one layout.
pub(crate) fn negotiation(kind: u8, flags: u8, value: u32) -> Vec<u8> {
    [&[kind, flags, 8, 0], &value.to_le_bytes()[..]].concat()
}

/// A TPDU without data (X.224 13.3 and 13.4).
pub(crate) fn x224(code: u8, source: [u8; 2], variable: &[u8]) -> Vec<u8> {
    let indicator = variable.len() as u8 + 6;
    tpkt(&[&[indicator, code, 0, 0, source[0], source[1], 0], variable].concat())
}
