//! MCS (\[MS-RDPBCGR\] 2.2.1.3 to 2.2.1.9; ITU-T T.125): which PDU passed, and what it carries where that is not sealed.
//!
//! The same layer reads standard RDP security, where MCS stands in clear and its content is sealed after a Security
//! Exchange, and what stands behind TLS, once that is decrypted.

use super::frames::{Frame, Frames, HEAD};
use super::gcc;
use super::marks;
use super::share::Share;
use super::tpkt;
use crate::event::{McsPdu, RdpPdu, Traffic, What};
use crate::observation::Side;

/// A TPKT says its length in two bytes.
const MAX_PDU: usize = 0xffff;
/// The content is encrypted, 2.2.8.1.1.2.1.
const SEC_ENCRYPT: u16 = 0x0008;

/// MCS on one flow.
#[derive(Debug)]
pub struct Mcs {
    /// Client, server.
    sides: [Frames; 2],
    security: Security,
    share: Share,
}

/// Whether Send Data still begins with a basic security header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Not known yet: only the PDU itself tells.
    Open,
    /// A Security Exchange PDU passed (2.2.1.10): from there on each has one.
    Always,
    /// Share control PDUs pass without one: encryption level none, 5.3.1.
    Ended,
    /// TLS protects: a few PDUs have one, for its flags, 5.4.5.
    Tls,
}

impl Mcs {
    /// Standard RDP security, nothing said yet.
    pub fn in_clear() -> Mcs {
        Mcs::with(Security::Open)
    }

    /// The plaintext of TLS, nothing said yet.
    pub(super) fn behind_tls() -> Mcs {
        Mcs::with(Security::Tls)
    }

    /// The same, and tells the names in a Client Info, if they are to be shown.
    pub fn naming(mut self, names: bool) -> Mcs {
        self.share.names = names;
        self
    }

    fn with(security: Security) -> Mcs {
        Mcs { sides: [(); 2].map(|()| Frames::keeping(MAX_PDU)), security, share: Share::default() }
    }

    /// More bytes of one side, in order.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let mut data = data;
        while let Some(frame) = self.sides[from as usize].next(from, &mut data, out) {
            self.frame(from, &frame, out);
        }
    }

    /// `len` bytes of one side that are not here. Within a PDU they are counted; otherwise the framing is lost.
    pub fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.sides[from as usize].missing(from, len, out);
        self.push(from, &[], out);
    }

    /// This side says something else first, which is passed over.
    pub(super) fn lost(&mut self, from: Side) {
        self.sides[from as usize].lost();
    }

    fn frame(&mut self, from: Side, frame: &Frame, out: &mut Vec<What>) {
        match self.pdu(from, frame) {
            Some(pdu) => self.tell(from, pdu, frame, out),
            // The bytes that would tell are in a hole, which is reported already.
            None if frame.head.len() < frame.len.min(HEAD) => {}
            None => {
                let found = hex(frame.head.get(tpkt::HEADER..).unwrap_or_default());
                let says = format!("expected an MCS PDU in X.224 Data, found {found}");
                out.push(What::Malformed { from, layer: "mcs", offset: frame.offset, says });
            }
        }
    }

    fn pdu(&mut self, from: Side, frame: &Frame) -> Option<McsPdu> {
        match *frame.head {
            [tpkt::VERSION, ..] => self.mcs(from, mcs_of(frame)?, frame.len),
            _ => Some(McsPdu::FastPath),
        }
    }

    /// Tells which PDU passed. Behind TLS, where all can be read, what Send Data carries is told instead of itself.
    fn tell(&mut self, from: Side, pdu: McsPdu, frame: &Frame, out: &mut Vec<What>) {
        let is_behind_tls = self.security == Security::Tls;
        let traffic = |kind| What::Rdp { from, pdu: RdpPdu::Traffic { kind, len: frame.len as u32 } };
        match pdu {
            McsPdu::FastPath if is_behind_tls => {
                out.push(traffic(Traffic::FastPath));
                if from == Side::Server {
                    marks::fast_path(&frame.head, &mut |pdu| out.push(What::Rdp { from, pdu }));
                }
            }
            McsPdu::SendData { security_flags } => {
                if !is_behind_tls {
                    out.push(What::Mcs { from, pdu });
                }
                match user_data(frame).filter(|_| frame.is_whole()) {
                    Some((channel, user)) => self.content(from, (channel, security_flags), user, frame, out),
                    None if is_behind_tls => out.push(traffic(Traffic::Closed)),
                    None => {}
                }
            }
            McsPdu::ConnectInitial | McsPdu::ConnectResponse { .. } => {
                out.push(What::Mcs { from, pdu });
                if frame.is_whole() {
                    self.settings(from, frame, out);
                }
            }
            McsPdu::ErectDomainRequest
            | McsPdu::AttachUserRequest
            | McsPdu::AttachUserConfirm
            | McsPdu::ChannelJoinRequest
            | McsPdu::ChannelJoinConfirm { .. }
            | McsPdu::DisconnectProviderUltimatum { .. }
            | McsPdu::FastPath => out.push(What::Mcs { from, pdu }),
        }
    }

    fn settings(&mut self, from: Side, frame: &Frame, out: &mut Vec<What>) {
        let (settings, troubles) = match from {
            Side::Client => {
                let (settings, troubles) = gcc::client(&frame.head);
                self.share.asked(&settings);
                (What::ClientSettings(Box::new(settings)), troubles)
            }
            Side::Server => {
                let (settings, troubles) = gcc::server(&frame.head);
                self.share.know(&settings);
                (What::ServerSettings(Box::new(settings)), troubles)
            }
        };
        out.push(settings);
        out.extend(troubles.into_iter().map(|(at, says)| {
            let offset = frame.offset + at as u64;
            What::Malformed { from, layer: "gcc", offset, says }
        }));
    }

    /// What Send Data carries, where that is in clear.
    fn content(&mut self, from: Side, (channel, flags): (u16, u16), user: &[u8], frame: &Frame, out: &mut Vec<What>) {
        let at = frame.offset + (frame.head.len() - user.len()) as u64;
        match self.security {
            Security::Always if flags & SEC_ENCRYPT != 0 => {}
            Security::Always => self.share.headed(from, channel, user, at, out),
            Security::Open | Security::Ended | Security::Tls => self.share.bare(from, channel, user, at, out),
        }
    }

    /// BER for the two connect PDUs (T.125, 7, part 1), PER for the rest (part 2), where six bits choose.
    fn mcs(&mut self, from: Side, mcs: &[u8], len: usize) -> Option<McsPdu> {
        let (first, rest) = mcs.split_first()?;
        Some(match (first, rest) {
            (0x7f, [0x65, ..]) => McsPdu::ConnectInitial,
            (0x7f, [0x66, rest @ ..]) => McsPdu::ConnectResponse { result: connect_result(rest)? },
            (first, _) => match first >> 2 {
                1 => McsPdu::ErectDomainRequest,
                8 => McsPdu::DisconnectProviderUltimatum { reason: (first & 3) << 1 | rest.first()? >> 7 },
                10 => McsPdu::AttachUserRequest,
                11 => McsPdu::AttachUserConfirm,
                14 => McsPdu::ChannelJoinRequest,
                // An option of one bit, then `result` in four.
                15 => McsPdu::ChannelJoinConfirm { result: (first & 1) << 3 | rest.first()? >> 5 },
                25 | 26 => McsPdu::SendData { security_flags: self.security_flags(from, rest, len) },
                _ => return None,
            },
        })
    }

    /// Initiator and channel of two bytes each, priority and segmentation, a PER length, then the user data.
    fn security_flags(&mut self, from: Side, mcs: &[u8], len: usize) -> u16 {
        let Some(user) = mcs.get(5..).and_then(past_length) else { return 0 };
        let [low, high, next, above, ..] = *user else { return 0 };
        let flags = u16::from_le_bytes([low, high]);
        let second = u16::from_le_bytes([next, above]);
        // TPKT and X.224 take 7 bytes and the choice one more; `mcs` begins behind them.
        let user_len = len.saturating_sub(8 + mcs.len() - user.len());
        self.security = self.security.after(from, flags, second, user_len);
        match (self.security, second) {
            (Security::Always, _) | (Security::Open, 0) => flags,
            (Security::Open | Security::Ended | Security::Tls, _) => 0,
        }
    }
}

impl Security {
    const EXCHANGE_PKT: u16 = 0x0001;

    /// A share control header (2.2.8.1.1.1.1) begins with the length of the whole, and its `pduType` has version 1 in
    /// bits 4 to 7. In a basic security header (2.2.8.1.1.2.1) flags and `flagsHi`, mostly zero, stand there.
    fn after(self, from: Side, flags: u16, second: u16, user_len: usize) -> Self {
        let is_share_control = usize::from(flags) == user_len && second & 0x00f0 == 0x0010;
        match self {
            Security::Open if is_share_control => Security::Ended,
            Security::Open if from == Side::Client && flags & Self::EXCHANGE_PKT != 0 => Security::Always,
            Security::Open | Security::Always | Security::Ended | Security::Tls => self,
        }
    }
}

/// What X.224 Data (13.7) carries: length indicator 2, code f0, end of TSDU.
fn mcs_of(frame: &Frame) -> Option<&[u8]> {
    match *frame.head {
        [tpkt::VERSION, _, _, _, 0x02, 0xf0, _, ref mcs @ ..] => Some(mcs),
        _ => None,
    }
}

/// Channel and user data of a Send Data Request or Indication: choice, initiator, channel, priority and segmentation,
/// a PER length, then the data.
fn user_data(frame: &Frame) -> Option<(u16, &[u8])> {
    let [_, _, _, high, low, _, ref rest @ ..] = *mcs_of(frame)? else { return None };
    Some((u16::from_be_bytes([high, low]), past_length(rest)?))
}

/// Connect-Response: BER length, then `result` as an ENUMERATED of one byte.
fn connect_result(bytes: &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    let more = if first & 0x80 == 0 { 0 } else { usize::from(first & 0x7f) };
    match *rest.get(more..)? {
        [0x0a, 0x01, result, ..] => Some(result),
        _ => None,
    }
}

/// A PER length determinant: one byte below 128, otherwise two (X.691, 11.9).
pub(super) fn past_length(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 { Some(rest) } else { rest.get(1..) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}
