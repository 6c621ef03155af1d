//! MCS in clear (\[MS-RDPBCGR\] 2.2.1.3 to 2.2.1.9; ITU-T T.125), as standard RDP security carries it: which PDU passed.
//!
//! Only the first bytes of a PDU are kept, and only until it is complete; payload is skipped by counting.

use super::tpkt::{self, Header};
use crate::event::{McsPdu, What};
use crate::observation::Side;

/// Enough for every field that is read: the security header of a Send Data Request ends at byte 19, the result of a
/// Connect-Response stands before byte 20.
const HEAD: usize = 32;

/// MCS on one flow.
#[derive(Debug, Default)]
pub struct Mcs {
    client: Half,
    server: Half,
    security: Security,
}

/// Whether Send Data still begins with a basic security header.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Not known yet: only the PDU itself tells.
    #[default]
    Open,
    /// A Security Exchange PDU passed (2.2.1.10): from there on each has one.
    Always,
    /// Share control PDUs pass without one: encryption level none, 5.3.1.
    Ended,
}

/// One side.
#[derive(Debug, Default)]
struct Half {
    /// The beginning of the PDU that is being read.
    head: Vec<u8>,
    /// Bytes of it that have passed; more than `head` holds, if it is long.
    have: usize,
    /// How long it is, once that is known.
    len: Option<usize>,
    /// Where the next byte stands in this side's stream.
    offset: u64,
    /// Whether a PDU was understood before: fast-path cannot come first.
    spoke: bool,
    is_lost: bool,
    complained: bool,
}

/// A PDU that is complete.
struct Pdu {
    head: Vec<u8>,
    len: usize,
    offset: u64,
}

impl Mcs {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// More bytes of one side, in order.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let mut data = data;
        while let Some(pdu) = self.half(from).next(from, &mut data, out) {
            self.pdu(from, &pdu, out);
        }
    }

    /// `len` bytes of one side that are not here. Within a PDU they are counted; otherwise the framing is lost.
    pub fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.half(from).missing(from, len, out);
        self.push(from, &[], out);
    }

    fn half(&mut self, from: Side) -> &mut Half {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn pdu(&mut self, from: Side, pdu: &Pdu, out: &mut Vec<What>) {
        let read = match *pdu.head {
            // X.224 Data (13.7): length indicator 2, code f0, end of TSDU.
            [tpkt::VERSION, _, _, _, 0x02, 0xf0, _, ref mcs @ ..] => self.mcs(from, mcs, pdu.len),
            [tpkt::VERSION, ..] => None,
            _ => Some(McsPdu::FastPath),
        };
        match read {
            Some(pdu) => out.push(What::Mcs { from, pdu }),
            // The bytes that would tell are in a hole, which is reported already.
            None if pdu.head.len() < pdu.len.min(HEAD) => {}
            None => {
                let found = hex(pdu.head.get(tpkt::HEADER..).unwrap_or_default());
                let says = format!("expected an MCS PDU in X.224 Data, found {found}");
                out.push(What::Malformed { from, layer: "mcs", offset: pdu.offset, says });
            }
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
                15 => McsPdu::ChannelJoinConfirm,
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
            (Security::Open, _) | (Security::Ended, _) => 0,
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
            Security::Open | Security::Always | Security::Ended => self,
        }
    }
}

impl Half {
    /// The next PDU that `data` completes; `data` is cut by what was used.
    fn next(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> Option<Pdu> {
        loop {
            match self.len {
                None => self.begin(from, data, out)?,
                Some(len) if self.have < len => self.go_on(len, data)?,
                Some(len) => return Some(self.finish(len)),
            }
        }
    }

    /// Reads a header byte by byte, until it tells a length.
    fn begin(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> Option<()> {
        let (first, rest) = data.split_first()?;
        self.head.push(*first);
        self.pass(1, rest, data);
        if self.is_lost {
            self.search();
            return Some(());
        }
        match frame(&self.head, self.spoke) {
            Header::Short => {}
            Header::Length(len) => self.len = Some(len),
            Header::Bad(says) => self.lose(from, says, out),
        }
        Some(())
    }

    fn go_on(&mut self, len: usize, data: &mut &[u8]) -> Option<()> {
        let (taken, rest) = data.split_at(data.len().min(len - self.have));
        let kept = taken.len().min(HEAD.saturating_sub(self.head.len()));
        // A hole ends what is kept: bytes behind it are not where they seem to be.
        if self.head.len() == self.have {
            self.head.extend_from_slice(&taken[..kept]);
        }
        self.pass(taken.len(), rest, data);
        (!taken.is_empty()).then_some(())
    }

    fn pass<'a>(&mut self, len: usize, rest: &'a [u8], data: &mut &'a [u8]) {
        self.have += len;
        self.offset = self.offset.saturating_add(len as u64);
        *data = rest;
    }

    fn finish(&mut self, len: usize) -> Pdu {
        self.spoke = true;
        self.restart();
        Pdu { head: std::mem::take(&mut self.head), len, offset: self.offset.saturating_sub(len as u64) }
    }

    fn restart(&mut self) {
        self.have = 0;
        self.len = None;
    }

    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        let left = self.len.map_or(0, |whole| (whole - self.have) as u64);
        if len <= left {
            self.offset = self.offset.saturating_add(len);
            self.have += len as usize;
            return;
        }
        let says = format!("expected PDUs, found a hole of {len} bytes that hides where the next begins");
        self.lose(from, says, out);
        self.head.clear();
        self.offset = self.offset.saturating_add(len);
    }

    fn lose(&mut self, from: Side, says: String, out: &mut Vec<What>) {
        let offset = self.offset.saturating_sub(self.have as u64);
        self.restart();
        self.is_lost = true;
        if !self.complained {
            out.push(What::Malformed { from, layer: "tpkt", offset, says });
        }
        self.complained = true;
    }

    /// Looks, byte by byte, for TPKT with X.224 Data in it.
    fn search(&mut self) {
        match *self.head {
            [tpkt::VERSION, 0, high, low, 0x02, 0xf0, 0x80] if [high, low] > [0, 7] => {
                self.is_lost = false;
                self.have = self.head.len();
                self.len = Some(u16::from_be_bytes([high, low]).into());
            }
            [_, _, _, _, _, _, _, ..] => _ = self.head.remove(0),
            _ => {}
        }
    }
}

/// How long a PDU is: TPKT, or fast-path (2.2.9.1.2), whose first two bits are 0 and whose length has one byte or two.
fn frame(head: &[u8], may_be_fast: bool) -> Header {
    let len = match *head {
        [first, ..] if first & 3 != 0 || !may_be_fast => return tpkt::read(head),
        [_, short] if short & 0x80 == 0 => usize::from(short),
        [_, high, low] => usize::from(u16::from_be_bytes([high & 0x7f, low])),
        _ => return Header::Short,
    };
    match len {
        _ if len > head.len() => Header::Length(len),
        _ => Header::Bad(format!("expected a fast-path length above {}, found {len}", head.len())),
    }
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
fn past_length(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 { Some(rest) } else { rest.get(1..) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}
