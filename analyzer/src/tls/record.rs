//! The record layer of one side (RFC 8446, 5.1; RFC 5246, 6.2.1): bytes in, pieces of records out.
//!
//! It keeps at most the five bytes of a header. Bodies are handed on as they come and never copied, so that bulk costs
//! little; whoever does not need a body drops it. Two things beside records are kept whole, since they are short: a ClientHello
//! in the format of SSL 2.0, and the PDU in clear with which an RDP server gives TLS up.

use super::ultimatum;
use crate::event::Foreign;

/// TLSPlaintext.length and TLSCiphertext.length stay below this: 2^14 and the expansion that RFC 5246, 6.2.3 allows.
pub(super) const MAX_BODY: u32 = (1 << 14) + 2048;

/// After so many complaints a side is lost for good, and no further one would tell anything new.
const MAX_TROUBLES: u8 = 4;

/// Bytes of a header.
const HEADER: usize = 5;

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// ContentType.
    pub(super) kind: u8,
    /// ProtocolVersion: up to TLS 1.2 the one that was agreed on, once there is one.
    pub(super) version: u16,
    /// Bytes of the body.
    pub(super) len: u32,
}

/// What a side's bytes are, piece by piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A record begins.
    Start(Header),
    /// Some of its body.
    Body(Header, &'a [u8]),
    /// It is complete.
    End(Header),
    /// A CLIENT-HELLO in the format of SSL 2.0 (RFC 5246, E.2), from its message type on.
    Ssl2Hello(Vec<u8>),
    /// No record, but a Disconnect Provider Ultimatum in clear, with this reason.
    Ultimatum(u8),
    /// The very first bytes of this side are no record.
    Foreign {
        /// What they look like.
        looks: Foreign,
        /// What was expected and what was found.
        says: String,
    },
    /// The bytes are not a record. Resynchronises by itself.
    Trouble {
        /// Offset in this side's bytes.
        at: u64,
        /// What was expected and what was found.
        says: String,
    },
}

/// What a hole did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// It lay within the body of this record; what follows is understood.
    Within(Header),
    /// It swallowed at least one header. Carries the offset where it began.
    Beyond(u64),
}

/// The record layer of one side.
#[derive(Debug, Default)]
pub(super) struct Records {
    head: [u8; HEADER],
    have: usize,
    /// What is not a record and is kept whole, as far as it has come.
    kept: Vec<u8>,
    state: State,
    offset: u64,
    troubles: u8,
    /// The version of the last header, its low byte: what is looked for has the same.
    minor: Option<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// The very first header: the one place where SSL 2.0 framing may stand.
    #[default]
    First,
    /// In or before a header.
    Header,
    /// In a body, with so much of it to come.
    Body(Header, u32),
    /// In something of this length that is not a record.
    Kept(Kept, usize),
    /// Looking for something that may be a header.
    Lost,
}

/// What may stand in the place of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// An SSL 2.0 CLIENT-HELLO.
    Ssl2Hello,
    /// A TPKT; whether it is this side's very first word.
    Tpkt { is_first: bool },
}

impl Records {
    /// The next piece of `data`, which is cut by what was used. `None` when it is used up.
    pub(super) fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            match self.state {
                State::Body(header, 0) => {
                    self.state = State::Header;
                    return Some(Piece::End(header));
                }
                State::Body(header, left) => {
                    let body = self.take(data, left)?;
                    self.state = State::Body(header, left - body.len() as u32);
                    return Some(Piece::Body(header, body));
                }
                State::Kept(kept, len) if self.kept.len() < len => {
                    let more = self.take(data, (len - self.kept.len()) as u32)?;
                    self.kept.extend_from_slice(more);
                    self.state = State::Kept(kept, len);
                }
                State::Kept(kept, _) => {
                    self.state = State::Header;
                    return Some(self.whole(kept));
                }
                State::First | State::Header | State::Lost => {
                    self.fill(data)?;
                    if let Some(piece) = self.judge() {
                        return Some(piece);
                    }
                }
            }
        }
    }

    /// `len` bytes that are not here. In a body they are skipped by counting; anything else loses the framing.
    pub(super) fn missing(&mut self, len: u64) -> Hole {
        let began = self.offset;
        self.offset = self.offset.saturating_add(len);
        match self.state {
            State::Body(header, left) if len <= u64::from(left) => {
                self.state = State::Body(header, left - len as u32);
                Hole::Within(header)
            }
            State::First | State::Header | State::Body(..) | State::Kept(..) | State::Lost => {
                self.have = 0;
                self.kept.clear();
                self.state = State::Lost;
                Hole::Beyond(began)
            }
        }
    }

    /// How many bytes have passed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The record that is not complete: what it has of its body and what it needs.
    pub(super) fn partial(&self) -> Option<(Header, u32)> {
        match self.state {
            State::Body(header, left) if left > 0 => Some((header, header.len - left)),
            State::Body(..) | State::First | State::Header | State::Kept(..) | State::Lost => None,
        }
    }

    /// What this side's very first bytes are that are too few for a header and cannot become one. For the end of a flow.
    pub(super) fn begun(&self) -> Option<Foreign> {
        let bytes = match self.state {
            State::First => &self.head[..self.have],
            State::Kept(Kept::Tpkt { is_first: true }, _) => &self.kept[..],
            State::Header | State::Body(..) | State::Kept(..) | State::Lost => return None,
        };
        let is_record = matches!(bytes, [] | [20..=24] | [20..=24, 3, ..]);
        let is_hello =
            matches!(bytes, [first, rest @ ..] if first & 0x80 != 0 && matches!(rest, [] | [_] | [_, 1, ..]));
        // A goodbye of which the rest is not here tells of what was before it, and not of another protocol.
        let is_goodbye = ultimatum::begins(bytes);
        (!is_record && !is_hello && !is_goodbye).then(|| looks(bytes))
    }

    fn take<'a>(&mut self, data: &mut &'a [u8], most: u32) -> Option<&'a [u8]> {
        let (taken, rest) = data.split_at(data.len().min(most as usize));
        *data = rest;
        self.offset = self.offset.saturating_add(taken.len() as u64);
        (!taken.is_empty()).then_some(taken)
    }

    /// Completes the five bytes of a header.
    fn fill(&mut self, data: &mut &[u8]) -> Option<()> {
        while self.have < self.head.len() {
            self.head[self.have] = self.take(data, 1)?[0];
            self.have += 1;
        }
        Some(())
    }

    /// Decides what five bytes are.
    fn judge(&mut self) -> Option<Piece<'static>> {
        let is_lost = matches!(self.state, State::Lost);
        let known = header(&self.head).filter(|_| !is_lost || self.minor.is_none_or(|minor| minor == self.head[2]));
        match (known, self.state) {
            (Some(header), _) => {
                self.minor = Some(self.head[2]);
                self.have = 0;
                self.state = State::Body(header, header.len);
                Some(Piece::Start(header))
            }
            (None, State::First) if is_ssl2(&self.head) => {
                let [high, low, ..] = self.head;
                let len = usize::from(u16::from_be_bytes([high & 0x7f, low]));
                self.keep(Kept::Ssl2Hello, 2, len)
            }
            (None, State::First | State::Header) if ultimatum::is_tpkt(&self.head) => {
                let [_, _, high, low, _] = self.head;
                let is_first = matches!(self.state, State::First);
                self.keep(Kept::Tpkt { is_first }, 0, usize::from(u16::from_be_bytes([high, low])))
            }
            (None, State::Lost) => {
                self.shift();
                None
            }
            // A header with a length that none has: TLS, as it seems, and broken.
            (None, State::First) if is_framed(&self.head) => self.lose(),
            (None, State::First) => {
                let (looks, says) = (looks(&self.head), not_a_header(&self.head));
                _ = self.lose();
                Some(Piece::Foreign { looks, says })
            }
            (None, State::Header | State::Body(..) | State::Kept(..)) => self.lose(),
        }
    }

    /// Keeps `len` bytes, of which those of the head behind the first `from` are here.
    fn keep(&mut self, kept: Kept, from: usize, len: usize) -> Option<Piece<'static>> {
        self.have = 0;
        self.kept = self.head[from..].to_vec();
        self.state = State::Kept(kept, len);
        None
    }

    /// What was kept, and is complete.
    fn whole(&mut self, kept: Kept) -> Piece<'static> {
        let bytes = std::mem::take(&mut self.kept);
        let at = self.offset - bytes.len() as u64;
        match (kept, ultimatum::read(&bytes)) {
            (Kept::Ssl2Hello, _) => Piece::Ssl2Hello(bytes),
            (Kept::Tpkt { .. }, Some(reason)) => Piece::Ultimatum(reason),
            (Kept::Tpkt { is_first }, None) => {
                let says = format!("expected a record header, found a TPKT of {} bytes", bytes.len());
                if is_first { Piece::Foreign { looks: Foreign::Tpkt, says } } else { Piece::Trouble { at, says } }
            }
        }
    }

    /// Searching moves on by one byte, so the answer does not depend on how the bytes were cut.
    fn shift(&mut self) {
        self.head.rotate_left(1);
        self.have = self.head.len() - 1;
    }

    fn lose(&mut self) -> Option<Piece<'static>> {
        let says = not_a_header(&self.head);
        let at = self.offset - self.head.len() as u64;
        self.state = State::Lost;
        self.shift();
        self.troubles = self.troubles.saturating_add(1);
        (self.troubles <= MAX_TROUBLES).then_some(Piece::Trouble { at, says })
    }
}

/// The five bytes as a header, if they can be one: heartbeat (RFC 6520) is the last ContentType that has a number here.
fn header(bytes: &[u8; HEADER]) -> Option<Header> {
    let [kind, major, minor, high, low] = *bytes;
    let len = u32::from(high) << 8 | u32::from(low);
    let plausible = is_framed(bytes) && len <= MAX_BODY;
    plausible.then_some(Header { kind, version: u16::from_be_bytes([major, minor]), len })
}

/// Whether these are the type and the version of a record.
fn is_framed(bytes: &[u8; HEADER]) -> bool {
    (20..=24).contains(&bytes[0]) && bytes[1] == 3 && bytes[2] <= 4
}

/// Two bytes of length with the top bit set, CLIENT-HELLO, and a version that ever existed.
fn is_ssl2(bytes: &[u8; HEADER]) -> bool {
    let [high, _, message, major, minor] = *bytes;
    high & 0x80 != 0 && message == 1 && matches!((major, minor), (0, 2) | (3, 0..=3))
}

/// What bytes look like that stand where TLS should begin.
fn looks(bytes: &[u8]) -> Foreign {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    match bytes {
        [b'H', b'T', b'T', b'P', ..] => Foreign::Http,
        [b'S', b'S', b'H', b'-', ..] => Foreign::Ssh,
        [3, 0, ..] | [3] => Foreign::Tpkt,
        _ if bytes.iter().all(is_text) => Foreign::Text,
        _ => Foreign::Unknown,
    }
}

fn not_a_header(head: &[u8; HEADER]) -> String {
    format!("expected a record header, found {}", shown(head))
}

/// Bytes as hex, and as text where they are text: `48 54 54 50 2f ("HTTP/")`.
fn shown(bytes: &[u8; HEADER]) -> String {
    let hex = bytes.map(|b| format!("{b:02x}")).join(" ");
    let too_long = is_framed(bytes);
    let text = bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    match (text, too_long) {
        (true, _) => format!("{hex} (\"{}\")", bytes.map(char::from).iter().collect::<String>()),
        (false, true) => {
            format!("{hex} (a length of {}, more than {MAX_BODY})", u16::from_be_bytes([bytes[3], bytes[4]]))
        }
        (false, false) => hex,
    }
}
