//! The messages of the connection sequence that stand behind a security header (\[MS-RDPBCGR\] 2.2.8.1.1.2), whose flags
//! say which they are: Client Info, licensing, auto-detection, multitransport, heartbeat.

use super::decoded::{self, Refused};
use super::redirection;
use super::wire::{Cursor, at, latin, utf16};
use crate::count::counted;
use crate::event::{Account, Naming, RdpPdu};
use crate::observation::Side;

// Flags of the security header, 2.2.8.1.1.2.1.
const EXCHANGE_PKT: u16 = 0x0001;
const TRANSPORT_REQ: u16 = 0x0002;
const TRANSPORT_RSP: u16 = 0x0004;
const INFO_PKT: u16 = 0x0040;
const LICENSE_PKT: u16 = 0x0080;
const REDIRECTION_PKT: u16 = 0x0400;
const AUTODETECT_REQ: u16 = 0x1000;
const AUTODETECT_RSP: u16 = 0x2000;
const HEARTBEAT: u16 = 0x4000;

/// INFO_UNICODE of a Client Info PDU's flags, 2.2.1.11.1.1.
const UNICODE: u32 = 0x10;
/// Time zone, session id and performance flags of its extended part, bytes.
const BEFORE_COOKIE: usize = 172 + 4 + 4;
/// A licensing error alert, \[MS-RDPELE\] 2.2.2.7.1.
const ERROR_ALERT: u8 = 0xff;

/// Reads what stands behind a header with these flags; `None` where they name nothing that is known.
pub(super) fn read(from: Side, flags: u16, body: &[u8]) -> Result<Option<RdpPdu>, Refused> {
    let cursor = at(body, 0);
    let (read, what) = match from {
        _ if flags & LICENSE_PKT != 0 => (license(cursor), "a licensing message"),
        Side::Client if flags & INFO_PKT != 0 => (client_info(cursor), "a Client Info"),
        Side::Client if flags & EXCHANGE_PKT != 0 => return Ok(Some(RdpPdu::SecurityExchange)),
        Side::Client if flags & TRANSPORT_RSP != 0 => (transport_response(cursor), "a multitransport response"),
        Side::Server if flags & TRANSPORT_REQ != 0 => (transport_request(cursor), "a multitransport request"),
        Side::Server if flags & HEARTBEAT != 0 => (heartbeat(cursor), "a heartbeat"),
        Side::Server if flags & REDIRECTION_PKT != 0 => {
            return redirection::read(body).map(|to| Some(RdpPdu::Redirection(Box::new(to))));
        }
        _ if flags & (AUTODETECT_REQ | AUTODETECT_RSP) != 0 => {
            return decoded::auto_detect(from, body).map(|pdu| Some(RdpPdu::AutoDetect(pdu)));
        }
        Side::Client | Side::Server => return Ok(None),
    };
    let short = || Refused { at: 0, says: format!("expected {what}, found {}", counted(body.len(), "byte")) };
    read.map(Some).ok_or_else(short)
}

/// \[MS-RDPELE\] 2.2.2: a preamble of type, version and length, then the message.
fn license(mut body: Cursor<'_>) -> Option<RdpPdu> {
    let message = body.u8()?;
    let (_, _) = (body.u8()?, body.u16()?);
    let error = if message == ERROR_ALERT { Some((body.u32()?, body.u32()?)) } else { None };
    Some(RdpPdu::License { message, error })
}

/// 2.2.1.11.1: code page, flags, five lengths, five texts, and the extended part, which old clients leave out.
fn client_info(mut body: Cursor<'_>) -> Option<RdpPdu> {
    let (_, flags) = (body.u32()?, body.u32()?);
    let lengths = [body.u16()?, body.u16()?, body.u16()?, body.u16()?, body.u16()?];
    let end = if flags & UNICODE == 0 { 1 } else { 2 };
    let skipped = lengths.iter().all(|len| body.take(usize::from(*len) + end).is_some());
    let has_cookie = skipped && has_cookie(body).unwrap_or(false);
    let [domain, user, password, ..] = lengths;
    Some(RdpPdu::ClientInfo { flags, lengths: [domain, user, password], has_cookie })
}

/// Whom a Client Info names: the first two of its texts.
pub(super) fn account(body: &[u8]) -> Option<Account> {
    let mut body = at(body, 0);
    let (_, flags) = (body.u32()?, body.u32()?);
    let [domain, user, ..] = [body.u16()?, body.u16()?, body.u16()?, body.u16()?, body.u16()?].map(usize::from);
    let is_wide = flags & UNICODE != 0;
    let mut text = |len: usize| {
        let text = body.take(len)?;
        body.take(if is_wide { 2 } else { 1 })?;
        Some(if is_wide { utf16(text) } else { latin(text) }.unwrap_or_default())
    };
    Some(Account { by: Naming::ClientInfo, domain: text(domain)?, user: text(user)? })
}

/// 2.2.1.11.1.1.1: address family, address, client directory, then the fixed part, then the cookie's length.
fn has_cookie(mut body: Cursor<'_>) -> Option<bool> {
    body.u16()?;
    for _ in ["clientAddress", "clientDir"] {
        let len = body.u16()?;
        body.take(len.into())?;
    }
    body.take(BEFORE_COOKIE)?;
    Some(body.u16()? != 0)
}

/// 2.2.15.1, without its security cookie.
fn transport_request(mut body: Cursor<'_>) -> Option<RdpPdu> {
    let (_, protocol) = (body.u32()?, body.u16()?);
    Some(RdpPdu::MultitransportRequest { protocol })
}

/// 2.2.15.2.
fn transport_response(mut body: Cursor<'_>) -> Option<RdpPdu> {
    let (_, result) = (body.u32()?, body.u32()?);
    Some(RdpPdu::MultitransportResponse { result })
}

/// 2.2.16.1.
fn heartbeat(mut body: Cursor<'_>) -> Option<RdpPdu> {
    let (_, period, warn, reconnect) = (body.u8()?, body.u8()?, body.u8()?, body.u8()?);
    Some(RdpPdu::Heartbeat { period, warn, reconnect })
}
