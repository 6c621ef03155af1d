//! The packets of the tunnel, \[MS-TSGU\] 2.2.10: made by hand, and read as far as a gateway and its client must.

use crate::lab::wire::utf16;

/// HTTP_PACKET_TYPE (2.2.5.3.3).
pub(super) mod kind {
    pub const HANDSHAKE_REQUEST: u16 = 0x1;
    pub const HANDSHAKE_RESPONSE: u16 = 0x2;
    pub const TUNNEL_CREATE: u16 = 0x4;
    pub const TUNNEL_RESPONSE: u16 = 0x5;
    pub const TUNNEL_AUTHORIZE: u16 = 0x6;
    pub const TUNNEL_AUTHORIZE_RESPONSE: u16 = 0x7;
    pub const CHANNEL_CREATE: u16 = 0x8;
    pub const CHANNEL_RESPONSE: u16 = 0x9;
    pub const DATA: u16 = 0xa;
    pub const SERVICE_MESSAGE: u16 = 0xb;
    pub const KEEP_ALIVE: u16 = 0xd;
    pub const CLOSE: u16 = 0x10;
    pub const CLOSE_RESPONSE: u16 = 0x11;
}

/// Bytes of HTTP_PACKET_HEADER.
pub(super) const HEADER: usize = 8;

/// HTTP_EXTENDED_AUTH_PAA (2.2.5.3.2).
const PAA: u16 = 0x2;

/// HTTP_CAPABILITY_TYPE (2.2.5.3.8): quarantine, idle timeout, consent and service messages, reauthentication, UDP.
const CAPABILITIES: u32 = 0x3f;

/// How long the packet is that begins so: its `packetLength`.
pub(super) fn len(bytes: &[u8]) -> Option<usize> {
    let len = bytes.get(4..HEADER)?;
    Some(u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize)
}

/// Its `packetType`; 0, which is none, where it is too short for one.
pub(super) fn kind_of(packet: &[u8]) -> u16 {
    packet.first_chunk().map_or(0, |kind| u16::from_le_bytes(*kind))
}

/// The bytes that an HTTP_DATA_PACKET carries (2.2.10.6): no more than are there, whatever its `cbDataLen` says.
pub(super) fn data(packet: &[u8]) -> &[u8] {
    let Some((len, data)) = packet.get(HEADER..).and_then(<[u8]>::split_first_chunk) else { return &[] };
    &data[..data.len().min(usize::from(u16::from_le_bytes(*len)))]
}

/// The HRESULT of a response, and of a close.
pub(super) fn error(packet: &[u8]) -> Option<u32> {
    let at = match kind_of(packet) {
        // serverVersion
        kind::TUNNEL_RESPONSE => HEADER + 2,
        kind::HANDSHAKE_RESPONSE
        | kind::TUNNEL_AUTHORIZE_RESPONSE
        | kind::CHANNEL_RESPONSE
        | kind::CLOSE
        | kind::CLOSE_RESPONSE => HEADER,
        _ => return None,
    };
    packet.get(at..)?.first_chunk().map(|code| u32::from_le_bytes(*code))
}

/// A packet of any kind.
pub(super) fn raw(kind: u16, body: &[u8]) -> Vec<u8> {
    let len = (body.len() + HEADER) as u32;
    [&kind.to_le_bytes()[..], &[0; 2], &len.to_le_bytes(), body].concat()
}

/// 2.2.10.10 HTTP_HANDSHAKE_REQUEST_PACKET
pub(super) fn handshake_request(has_cookie: bool) -> Vec<u8> {
    let authentication = if has_cookie { PAA } else { 0 };
    let [low, high] = authentication.to_le_bytes();
    raw(kind::HANDSHAKE_REQUEST, &[1, 0, 0, 0, low, high])
}

/// 2.2.10.11 HTTP_HANDSHAKE_RESPONSE_PACKET
pub(super) fn handshake_response(error: u32) -> Vec<u8> {
    let [low, high] = PAA.to_le_bytes();
    raw(kind::HANDSHAKE_RESPONSE, &[&error.to_le_bytes()[..], &[1, 0, 0, 0, low, high]].concat())
}

/// 2.2.10.18 HTTP_TUNNEL_PACKET
pub(super) fn tunnel_create(cookie: Option<&str>) -> Vec<u8> {
    // HTTP_TUNNEL_PACKET_FIELD_PAA_COOKIE
    let fields = u16::from(cookie.is_some());
    let cookie = cookie.map(blob).unwrap_or_default();
    raw(kind::TUNNEL_CREATE, &[&CAPABILITIES.to_le_bytes()[..], &fields.to_le_bytes(), &[0; 2], &cookie].concat())
}

/// 2.2.10.20 HTTP_TUNNEL_RESPONSE
pub(super) fn tunnel_response(error: u32) -> Vec<u8> {
    let fields: u16 = if error == 0 { 0x3 } else { 0 }; // tunnelId, capsFlags
    let optional = [7u32.to_le_bytes(), CAPABILITIES.to_le_bytes()].concat();
    let optional = if error == 0 { optional } else { Vec::new() };
    let body = [&[1, 0][..], &error.to_le_bytes(), &fields.to_le_bytes(), &[0; 2], &optional].concat();
    raw(kind::TUNNEL_RESPONSE, &body)
}

/// 2.2.10.14 HTTP_TUNNEL_AUTH_PACKET
pub(super) fn tunnel_authorize() -> Vec<u8> {
    raw(kind::TUNNEL_AUTHORIZE, &[&[0; 2][..], &blob("LAB-CLIENT")].concat())
}

/// 2.2.10.16 HTTP_TUNNEL_AUTH_RESPONSE
pub(super) fn tunnel_authorize_response(error: u32, idle_minutes: u32) -> Vec<u8> {
    let fields: u16 = if error == 0 { 0x3 } else { 0 }; // redirFlags, idleTimeout
    // HTTP_TUNNEL_REDIR_ENABLE_ALL
    let optional = [0x8000_0000u32.to_le_bytes(), idle_minutes.to_le_bytes()].concat();
    let optional = if error == 0 { optional } else { Vec::new() };
    raw(
        kind::TUNNEL_AUTHORIZE_RESPONSE,
        &[&error.to_le_bytes()[..], &fields.to_le_bytes(), &[0; 2], &optional].concat(),
    )
}

/// 2.2.10.2 HTTP_CHANNEL_PACKET
pub(super) fn channel_create(target: &str, port: u16) -> Vec<u8> {
    // One resource, no alternative one; protocol 3.
    raw(kind::CHANNEL_CREATE, &[&[1, 0][..], &port.to_le_bytes(), &3u16.to_le_bytes(), &blob(target)].concat())
}

/// 2.2.10.4 HTTP_CHANNEL_RESPONSE
pub(super) fn channel_response(error: u32) -> Vec<u8> {
    let fields: u16 = u16::from(error == 0); // channelId
    let optional = if error == 0 { 1u32.to_le_bytes().to_vec() } else { Vec::new() };
    raw(kind::CHANNEL_RESPONSE, &[&error.to_le_bytes()[..], &fields.to_le_bytes(), &[0; 2], &optional].concat())
}

/// 2.2.10.6 HTTP_DATA_PACKET
pub(super) fn data_packet(data: &[u8]) -> Vec<u8> {
    raw(kind::DATA, &[&(data.len() as u16).to_le_bytes()[..], data].concat())
}

/// 2.2.10.13 HTTP_SERVICE_MESSAGE
pub(super) fn service_message(text: &str) -> Vec<u8> {
    raw(kind::SERVICE_MESSAGE, &blob(text))
}

/// 2.2.10.9 HTTP_KEEPALIVE_PACKET
pub(super) fn keep_alive() -> Vec<u8> {
    raw(kind::KEEP_ALIVE, &[])
}

/// 2.2.10.5 HTTP_CLOSE_PACKET
pub(super) fn close(status: u32) -> Vec<u8> {
    raw(kind::CLOSE, &status.to_le_bytes())
}

/// HTTP_CLOSE_PACKET_RESPONSE
pub(super) fn close_response() -> Vec<u8> {
    raw(kind::CLOSE_RESPONSE, &[0; 4])
}

/// 2.2.10.7 HTTP_UNICODE_STRING, with its NUL.
fn blob(text: &str) -> Vec<u8> {
    let text = utf16(text);
    [&(text.len() as u16).to_le_bytes()[..], &text].concat()
}
