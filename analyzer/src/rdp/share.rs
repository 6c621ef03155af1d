//! What MCS carries in clear: behind a security header (\[MS-RDPBCGR\] 2.2.8.1.1.2) the messages of the connection
//! sequence, behind a share control header (2.2.8.1.1.1.1) what is said in a share, on other channels only traffic.

use super::connect;
use super::decoded::{self, Refused};
use super::marks::Dynamic;
use super::redirection;
use super::wire::{Cursor, at};
use crate::count::counted;
use crate::event::{Capabilities, ClientSettings, Finalization, FrameStep, RdpPdu, ServerSettings, Traffic, What};
use crate::observation::Side;

/// Share PDUs that are read of one Send Data: servers send several at once.
const MAX_SHARED: usize = 64;
/// Capability sets that are read of one PDU: there are 30 types.
const MAX_SETS: usize = 64;
/// Flow PDUs say this instead of a length (T.128, 8.5).
const FLOW: u16 = 0x8000;
/// The static channel that carries the dynamic ones, \[MS-RDPEDYC\] 2.1.
const DYNAMIC: &str = "drdynvc";
/// PACKET_COMPRESSED of `compressedType`, 3.1.8.2.1.
const COMPRESSED: u8 = 0x20;

/// What is known of the channels.
#[derive(Debug, Default)]
pub(super) struct Share {
    io: Option<u16>,
    message: Option<u16>,
    /// Where among the static channels the one is that carries the dynamic ones, and its id.
    place: Option<usize>,
    carrier: Option<u16>,
    dynamic: Dynamic,
    /// Whether user names are to be told.
    pub(super) names: bool,
}

/// One piece of user data, and where it stands in its side's stream.
struct Piece<'a> {
    from: Side,
    at: u64,
    names: bool,
    out: &'a mut Vec<What>,
}

impl Share {
    /// Learns the channels that the client asks for.
    pub(super) fn asked(&mut self, settings: &ClientSettings) {
        self.place = settings.channels.iter().position(|name| name.eq_ignore_ascii_case(DYNAMIC));
    }

    /// Learns the channels.
    pub(super) fn know(&mut self, settings: &ServerSettings) {
        (self.io, self.message) = (settings.io_channel, settings.message_channel);
        self.carrier = self.place.and_then(|place| settings.channels.get(place)).copied();
    }

    /// User data that begins with a security header only where it must have one.
    pub(super) fn bare(&mut self, from: Side, channel: u16, user: &[u8], at: u64, out: &mut Vec<What>) {
        let mut piece = Piece { from, at, names: self.names, out };
        match self.io {
            _ if self.message == Some(channel) => piece.headed(user),
            Some(io) if io != channel => {
                piece.traffic(Traffic::Channel(channel), user.len());
                if self.carrier == Some(channel) {
                    self.dynamic.push(from, user, &mut |pdu| piece.tell(pdu));
                }
            }
            _ if is_share_control(user) => piece.shared(user),
            // Where the channels are not known, `flagsHi` must be what it mostly is.
            None if !matches!(user, [_, _, 0, 0, ..]) => piece.traffic(Traffic::Closed, user.len()),
            Some(_) | None => piece.headed(user),
        }
    }

    /// User data that always begins with a security header.
    pub(super) fn headed(&mut self, from: Side, channel: u16, user: &[u8], at: u64, out: &mut Vec<What>) {
        let mut piece = Piece { from, at, names: self.names, out };
        match (user.get(4..), self.io) {
            (Some(rest), Some(io)) if io != channel && self.message != Some(channel) => {
                piece.traffic(Traffic::Channel(channel), rest.len());
            }
            (Some(rest), _) if is_share_control(rest) => {
                piece.at += 4;
                piece.shared(rest);
            }
            _ => piece.headed(user),
        }
    }
}

/// `totalLength` fits, and `pduType` has version 1 and a type that exists. In a security header flags and `flagsHi`
/// stand there, the second mostly zero.
fn is_share_control(user: &[u8]) -> bool {
    let mut cursor = at(user, 0);
    let (Some(len), Some(kind)) = (cursor.u16(), cursor.u16()) else { return false };
    let fits = len == FLOW || (4..=user.len()).contains(&len.into());
    fits && kind & 0xfff0 == 0x0010 && matches!(kind & 0xf, 1 | 3 | 6 | 7 | 10)
}

impl Piece<'_> {
    fn tell(&mut self, pdu: RdpPdu) {
        self.out.push(What::Rdp { from: self.from, pdu });
    }

    fn traffic(&mut self, kind: Traffic, len: usize) {
        self.tell(RdpPdu::Traffic { kind, len: u32::try_from(len).unwrap_or(u32::MAX) });
    }

    fn trouble(&mut self, at: usize, says: String) {
        let offset = self.at + at as u64;
        self.out.push(What::Malformed { from: self.from, layer: "rdp", offset, says });
    }

    fn headed(&mut self, user: &[u8]) {
        let mut cursor = at(user, 0);
        let (Some(flags), Some(_)) = (cursor.u16(), cursor.u16()) else {
            return self.trouble(0, format!("expected a security header, found {}", counted(user.len(), "byte")));
        };
        match connect::read(self.from, flags, cursor.rest) {
            Ok(Some(pdu)) => {
                let is_account = self.names && matches!(pdu, RdpPdu::ClientInfo { .. });
                self.tell(pdu);
                let account = is_account.then(|| connect::account(cursor.rest)).flatten();
                self.out.extend(account.map(What::Account));
            }
            Ok(None) => self.traffic(Traffic::Closed, user.len()),
            Err(Refused { at, says }) => self.trouble(4 + at, says),
        }
    }

    /// Share control PDUs, one behind the other.
    fn shared(&mut self, user: &[u8]) {
        let mut rest = user;
        for _ in 0..MAX_SHARED {
            let place = user.len() - rest.len();
            let mut cursor = at(rest, 0);
            let (Some(len), Some(kind)) = (cursor.u16(), cursor.u16()) else { return };
            let len = if len == FLOW { rest.len() } else { usize::from(len) };
            let Some((pdu, behind)) = rest.split_at_checked(len).filter(|_| len >= 4) else {
                let says = format!("expected a share control PDU of {len} bytes, found {}", rest.len());
                return self.trouble(place, says);
            };
            self.control(place, kind, pdu);
            rest = behind;
        }
    }

    /// 2.2.8.1.1.1.1: total length, type, source, then what the type says. Some leave the source of a Deactivate All out.
    fn control(&mut self, place: usize, kind: u16, pdu: &[u8]) {
        match kind & 0xf {
            1 => {
                let sets = self.capabilities(place, pdu, 10);
                self.tell(RdpPdu::DemandActive(sets));
            }
            3 => {
                let sets = self.capabilities(place, pdu, 12);
                self.tell(RdpPdu::ConfirmActive(sets));
            }
            6 => self.tell(RdpPdu::DeactivateAll),
            7 => self.data(place, pdu),
            // 2.2.13.3.1: two bytes of padding stand before the packet.
            10 => match redirection::read(pdu.get(8..).unwrap_or_default()) {
                Ok(redirection) => self.tell(RdpPdu::Redirection(Box::new(redirection))),
                Err(Refused { at, says }) => self.trouble(place + 8 + at, says),
            },
            _ => self.traffic(Traffic::Closed, pdu.len()),
        }
    }

    /// Counts the capability sets of 2.2.1.13.1.1 and 2.2.1.13.2.1. `lengths` is where the lengths of source descriptor
    /// and capabilities stand.
    fn capabilities(&mut self, place: usize, pdu: &[u8], lengths: usize) -> Capabilities {
        let mut found = Capabilities::default();
        let mut cursor = at(pdu, lengths);
        let descriptor = cursor.u16().zip(cursor.u16()).map_or(0, |(descriptor, _)| usize::from(descriptor));
        let mut cursor = at(pdu, lengths + 4 + descriptor);
        found.announced = cursor.u16().unwrap_or(0);
        _ = cursor.u16();
        for _ in 0..usize::from(found.announced).min(MAX_SETS) {
            let offset = place + pdu.len() - cursor.rest.len();
            let Some(set) = next_set(&mut cursor) else {
                let says = format!("expected {}, found {}", counted(found.announced, "capability set"), found.found);
                self.trouble(offset, says);
                break;
            };
            found.found += 1;
            match decoded::capability_set(set) {
                Ok(is_known) => found.unread += u16::from(!is_known),
                Err(Refused { at, says }) => {
                    found.unread += 1;
                    self.trouble(offset + at, says);
                }
            }
        }
        found
    }

    /// 2.2.8.1.1.1.2: behind the share control header (6) share id (4), padding, stream, length, then type, compression
    /// and compressed length.
    fn data(&mut self, place: usize, pdu: &[u8]) {
        let mut cursor = at(pdu, 14);
        let (Some(kind), Some(compression), Some(_)) = (cursor.u8(), cursor.u8(), cursor.u16()) else {
            return self.trouble(place, format!("expected a share data header, found {}", counted(pdu.len(), "byte")));
        };
        if compression & COMPRESSED != 0 {
            return self.traffic(Traffic::ShareData(kind), pdu.len());
        }
        let read = data_pdu(kind, cursor);
        match read {
            Some(Some(pdu)) => self.tell(pdu),
            Some(None) => self.traffic(Traffic::ShareData(kind), pdu.len()),
            None => {
                let says =
                    format!("expected share data of type {kind:#04x}, found {}", counted(cursor.rest.len(), "byte"));
                self.trouble(place + 18, says);
            }
        }
    }
}

/// The next capability set, with its type and length.
fn next_set<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut header = *cursor;
    let (_, len) = (header.u16()?, header.u16()?);
    cursor.take(usize::from(len)).filter(|set| set.len() >= 4)
}

/// A share data PDU by its `pduType2`: `None` where it is too short, `Some(None)` where it is only traffic.
fn data_pdu(kind: u8, mut body: Cursor<'_>) -> Option<Option<RdpPdu>> {
    Some(Some(match kind {
        0x14 => RdpPdu::Finalization(Finalization::Control(body.u16()?)),
        0x1f => RdpPdu::Finalization(Finalization::Synchronize),
        0x24 => RdpPdu::ShutdownRequest,
        0x25 => RdpPdu::ShutdownDenied,
        0x26 => save_session_info(body)?,
        0x27 => RdpPdu::Finalization(Finalization::FontList),
        0x28 => RdpPdu::Finalization(Finalization::FontMap),
        0x2b => RdpPdu::Finalization(Finalization::PersistentKeyList),
        0x2f => RdpPdu::SetErrorInfo { code: body.u32()? },
        0x32 => RdpPdu::AutoReconnectStatus,
        0x38 => RdpPdu::Frame { step: FrameStep::Acknowledged, id: body.u32()? },
        0x36 => RdpPdu::StatusInfo { code: body.u32()? },
        _ => return Some(None),
    }))
}

/// 2.2.10.1.1. Names, cookies and session ids are passed over.
fn save_session_info(mut body: Cursor<'_>) -> Option<RdpPdu> {
    const EXTENDED: u32 = 3;
    const COOKIE: u32 = 1;
    const LOGON_ERRORS: u32 = 2;
    let kind = body.u32()?;
    if kind != EXTENDED {
        return Some(RdpPdu::SaveSessionInfo { kind, has_cookie: false, logon_error: None });
    }
    let (_, fields) = (body.u16()?, body.u32()?);
    let has_cookie = fields & COOKIE != 0;
    if has_cookie {
        body.long()?;
    }
    let logon_error = if fields & LOGON_ERRORS != 0 {
        let mut errors = at(body.long()?, 0);
        Some((errors.u32()?, errors.u32()?))
    } else {
        None
    };
    Some(RdpPdu::SaveSessionInfo { kind, has_cookie, logon_error })
}
