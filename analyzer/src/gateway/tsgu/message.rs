//! What stands in a packet of the tunnel, \[MS-TSGU\] 2.2.10: fixed fields, then those that `fieldsPresent` names, in order.

use crate::event::TunnelMessage;
use crate::rdp::spnego;
use crate::rdp::wire::{Cursor, at, utf16};

/// Names of targets that are kept: 2.2.10.2 counts them in a byte each.
const MAX_TARGETS: usize = 16;

/// Reads what follows the header of a packet; `None` where it is too short for what it should hold.
pub(super) fn read(kind: u16, len: u32, body: &[u8]) -> Option<TunnelMessage> {
    let mut cursor = at(body, 0);
    let cursor = &mut cursor;
    match kind {
        0x1 => handshake_request(cursor),
        0x2 => handshake_response(cursor),
        0x3 => extended_auth(cursor),
        0x4 => tunnel_create(cursor),
        0x5 => tunnel_response(cursor),
        0x6 => tunnel_authorize(cursor),
        0x7 => tunnel_authorize_response(cursor),
        0x8 => channel_create(cursor),
        0x9 => channel_response(cursor),
        // 2.2.10.22: its text has its length in front.
        0xb => cursor.u16().map(|len| TunnelMessage::ServiceMessage { len: len.into() }),
        0xc => Some(TunnelMessage::Reauthenticate),
        0xd => Some(TunnelMessage::KeepAlive),
        0x10 => cursor.u32().map(|status| TunnelMessage::Close { status }),
        0x11 => cursor.u32().map(|status| TunnelMessage::CloseResponse { status }),
        _ => Some(TunnelMessage::Unknown { kind, len }),
    }
}

/// Bytes with a length of two bytes in front: HTTP_BYTE_BLOB 2.2.10.1, HTTP_UNICODE_STRING 2.2.10.22.
fn blob<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = cursor.u16()?;
    cursor.take(len.into())
}

/// 2.2.10.10
fn handshake_request(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let version = (cursor.u8()?, cursor.u8()?);
    let _client_version = cursor.u16()?;
    Some(TunnelMessage::HandshakeRequest { version, extended_auth: cursor.u16()? })
}

/// 2.2.10.11
fn handshake_response(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (error, version) = (cursor.u32()?, (cursor.u8()?, cursor.u8()?));
    let _server_version = cursor.u16()?;
    Some(TunnelMessage::HandshakeResponse { error, version, extended_auth: cursor.u16()? })
}

/// 2.2.10.7
fn extended_auth(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let error = cursor.u32()?;
    Some(TunnelMessage::ExtendedAuth { error, token: blob(cursor).and_then(spnego::read) })
}

/// 2.2.10.18, 2.2.10.19: 1 PAA cookie, 2 reauthentication.
fn tunnel_create(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (capabilities, fields) = (cursor.u32()?, cursor.u16()?);
    Some(TunnelMessage::TunnelCreate {
        capabilities,
        has_cookie: fields & 1 != 0,
        is_reauthentication: fields & 2 != 0,
    })
}

/// 2.2.10.20, 2.2.10.21: 1 tunnel id, 2 capabilities, 4 statement of health, 0x10 consent message.
fn tunnel_response(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let _server_version = cursor.u16()?;
    let (status, fields, _reserved) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
    let mut optional = |bit: u16| if fields & bit == 0 { None } else { cursor.u32() };
    let (tunnel, capabilities) = (optional(1), optional(2));
    let asks_health = fields & 4 != 0;
    let consent = if fields & 0x10 == 0 { 0 } else { consent(cursor, asks_health) };
    Some(TunnelMessage::TunnelResponse { status, tunnel, capabilities, asks_health, consent })
}

/// Bytes of the consent message. Before it the nonce and the certificate may stand; the nonce is a GUID, of which some make
/// twenty bytes: whichever ends where the packet does.
fn consent(cursor: &Cursor<'_>, asks_health: bool) -> u32 {
    let behind = |nonce: usize| {
        let mut cursor = *cursor;
        if asks_health {
            cursor.take(nonce)?;
            blob(&mut cursor)?;
        }
        let text = blob(&mut cursor)?;
        Some((text.len() as u32, cursor.rest.is_empty()))
    };
    let exact = [16, 20].into_iter().find_map(|nonce| behind(nonce).filter(|(_, is_whole)| *is_whole));
    exact.or_else(|| behind(16)).map_or(0, |(len, _)| len)
}

/// 2.2.10.14, 2.2.10.15. The name of the client in it is passed over.
fn tunnel_authorize(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    Some(TunnelMessage::TunnelAuthorize { has_health: cursor.u16()? & 1 != 0 })
}

/// 2.2.10.16, 2.2.10.17: 1 redirection flags, 2 idle timeout, 4 statement of health.
fn tunnel_authorize_response(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (error, fields, _reserved) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
    let mut optional = |bit: u16| if fields & bit == 0 { None } else { cursor.u32() };
    Some(TunnelMessage::TunnelAuthorizeResponse { error, redirection: optional(1), idle_timeout: optional(2) })
}

/// 2.2.10.2, 2.2.10.3
fn channel_create(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (names, alternates) = (cursor.u8()?, cursor.u8()?);
    let (port, protocol) = (cursor.u16()?, cursor.u16()?);
    let count = usize::from(names) + usize::from(alternates);
    let targets = std::iter::from_fn(|| blob(cursor)).take(count.min(MAX_TARGETS));
    Some(TunnelMessage::ChannelCreate { targets: targets.filter_map(utf16).collect(), port, protocol })
}

/// 2.2.10.4, 2.2.10.5: 1 channel id, 2 cookie of the UDP side channel, 4 its port, which stands before it.
fn channel_response(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (error, fields, _reserved) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
    let channel = if fields & 1 == 0 { None } else { cursor.u32() };
    let udp_port = if fields & 4 == 0 { None } else { cursor.u16() };
    Some(TunnelMessage::ChannelResponse { error, channel, udp_port })
}
