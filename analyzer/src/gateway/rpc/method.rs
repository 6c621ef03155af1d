//! The methods of TsProxyRpcInterface (\[MS-TSGU\] 3.2.6) in NDR, as far as their stubs are in clear. Context handles, names of
//! clients, cookies and certificates are passed over.

use crate::event::TunnelMessage;
use crate::rdp::wire::{Cursor, at, utf16};

/// A context handle, \[MS-TSGU\] 2.2.3.
const HANDLE: usize = 20;

// Packets, 2.2.5.3.
const VERSION_CAPS: u32 = 0x5643;
const QUARANTINE_REQUEST: u32 = 0x5152;
const RESPONSE: u32 = 0x5052;
const QUARANTINE_RESPONSE: u32 = 0x4552;
const CAPS_RESPONSE: u32 = 0x4350;
const MESSAGE: u32 = 0x4750;
const AUTH: u32 = 0x4054;
const REAUTH: u32 = 0x5250;
/// How a TSG_PACKET_VERSIONCAPS begins, 2.2.9.2.1.2: TS_GATEWAY_TRANSPORT, VERSION_CAPS.
const CAPS_HEADER: [u8; 4] = [0x52, 0x54, 0x43, 0x56];
/// Where its one capability stands: behind the pointer, two numbers, and the array's own length, type and switch.
const CAPABILITY: usize = 32;

/// What the data of TsProxySendToServer are, 2.2.9.3: a handle, and big-endian the length of all, the number of buffers and
/// the length of each.
pub(super) fn sent(stub: &[u8]) -> Option<&[u8]> {
    let mut cursor = at(stub, HANDLE);
    let mut number = || cursor.u32().map(u32::swap_bytes);
    let (_total, count) = (number()?, number()?);
    let lengths: Option<u64> = (0..count.min(3)).map(|_| number().map(u64::from)).sum();
    cursor.take(usize::try_from(lengths?).ok()?)
}

/// A request with this `opnum`.
pub(super) fn request(opnum: u16, stub: &[u8]) -> Option<TunnelMessage> {
    match opnum {
        1 => {
            let kind = at(stub, 0).u32()?;
            matches!(kind, VERSION_CAPS | AUTH | REAUTH).then(|| TunnelMessage::TunnelCreate {
                capabilities: capabilities(stub).unwrap_or_default(),
                has_cookie: kind == AUTH,
                is_reauthentication: kind == REAUTH,
            })
        }
        // A TSG_PACKET_QUARREQUEST, 2.2.9.2.1.4: flags, name and its length, health and its length.
        2 => (at(stub, HANDLE).u32()? == QUARANTINE_REQUEST).then(|| TunnelMessage::TunnelAuthorize {
            has_health: at(stub, HANDLE + 28).u32().is_some_and(|len| len > 0),
        }),
        4 => channel_create(&mut at(stub, HANDLE)),
        // What it ends with is told by the response.
        6 | 7 => Some(TunnelMessage::Close { status: 0 }),
        _ => None,
    }
}

/// TSENDPOINTINFO, 2.2.9.1.
fn channel_create(cursor: &mut Cursor<'_>) -> Option<TunnelMessage> {
    let (_names, count) = (cursor.u32()?, cursor.u32()?);
    let (_alternates, alternates) = (cursor.u32()?, cursor.u32()? as u16);
    let (protocol, port) = (cursor.u16()?, cursor.u16()?);
    let mut targets = names(cursor, count)?;
    targets.extend(names(cursor, alternates.into()).unwrap_or_default());
    Some(TunnelMessage::ChannelCreate { targets, port, protocol })
}

/// An array of pointers to texts, and the texts: each with its maximum, its offset and its length.
fn names(cursor: &mut Cursor<'_>, count: u32) -> Option<Vec<String>> {
    // 2.2.9.1 allows 50, and three alternate ones.
    let count = usize::try_from(count.min(50)).ok()?;
    if count == 0 {
        return Some(Vec::new());
    }
    cursor.take(4 + 4 * count)?;
    let mut all = Vec::new();
    for _ in 0..count {
        let (_max, _offset, len) = (cursor.u32()?, cursor.u32()?, usize::try_from(cursor.u32()?).ok()?);
        let text = cursor.take(len.checked_mul(2)?)?;
        all.extend(utf16(text));
        cursor.take((4 - len * 2 % 4) % 4);
    }
    Some(all)
}

/// A response, whose method is told by what it returns.
pub(super) fn response(stub: &[u8]) -> Option<TunnelMessage> {
    let result = stub.last_chunk().map(|four| u32::from_le_bytes(*four))?;
    let packet = at(stub, 4).u32().filter(|kind| at(stub, 8).u32() == Some(*kind));
    match (packet, stub.len()) {
        (Some(CAPS_RESPONSE | QUARANTINE_RESPONSE), len) => {
            Some(tunnel_response(stub, at(stub, len.checked_sub(8)?).u32(), result))
        }
        (Some(RESPONSE), _) => Some(authorized(stub, result)),
        // TSG_PACKET_MSG_RESPONSE, 2.2.9.2.1.9: number, type (3 asks to authenticate again), and a text.
        (Some(MESSAGE), _) => Some(match at(stub, 20).u32()? {
            3 => TunnelMessage::Reauthenticate,
            _ => TunnelMessage::ServiceMessage { len: at(stub, 40).u32().unwrap_or_default().saturating_mul(2) },
        }),
        // No packet, a handle, the tunnel's number, the result: TsProxyCreateTunnel, refused.
        (_, 32) if at(stub, 0).u32() == Some(0) => Some(tunnel_response(stub, None, result)),
        // No packet, the result: TsProxyAuthorizeTunnel, refused.
        (_, 8) if at(stub, 0).u32() == Some(0) => {
            Some(TunnelMessage::TunnelAuthorizeResponse { error: result, redirection: None, idle_timeout: None })
        }
        // A handle, the channel's number, the result.
        (_, 28) => {
            let channel = at(stub, HANDLE).u32().filter(|_| result == 0);
            Some(TunnelMessage::ChannelResponse { error: result, channel, udp_port: None })
        }
        // A handle, the result.
        (_, 24) => Some(TunnelMessage::CloseResponse { status: result }),
        _ => None,
    }
}

fn tunnel_response(stub: &[u8], tunnel: Option<u32>, status: u32) -> TunnelMessage {
    TunnelMessage::TunnelResponse { status, tunnel, capabilities: capabilities(stub), asks_health: false, consent: 0 }
}

/// TSG_PACKET_RESPONSE, 2.2.9.2.1.5, behind the two pointers: flags, reserved, data and its length, eight switches, and the
/// data, which are the idle timeout where they are four bytes.
fn authorized(stub: &[u8], error: u32) -> TunnelMessage {
    let mut cursor = at(stub, 28);
    let len = cursor.u32();
    let bits = [0x8000_0000, 0x4000_0000, 1, 2, 4, 0, 8, 0x10];
    let redirection = bits.into_iter().try_fold(0, |flags, bit| Some(flags | if cursor.u32()? != 0 { bit } else { 0 }));
    let idle_timeout = if len == Some(4) { at(cursor.rest, 4).u32() } else { None };
    TunnelMessage::TunnelAuthorizeResponse { error, redirection, idle_timeout }
}

/// The flags of the one capability that there is.
fn capabilities(stub: &[u8]) -> Option<u32> {
    let place = (0..stub.len()).step_by(4).find(|place| stub[*place..].starts_with(&CAPS_HEADER))?;
    at(stub, place + CAPABILITY).u32()
}
