//! The record layer of one side (RFC 8446, 5.1; RFC 5246, 6.2.1): bytes in, pieces of records out.
//!
//! It keeps at most the five bytes of a header. Bodies are handed on as they come and never copied, so that bulk costs
//! little; whoever does not need a body drops it.

/// TLSPlaintext.length and TLSCiphertext.length stay below this: 2^14 and the expansion that RFC 5246, 6.2.3 allows.
pub(super) const MAX_BODY: u32 = (1 << 14) + 2048;

/// After so many complaints a side is lost for good, and no further one would tell anything new.
const MAX_TROUBLES: u8 = 4;

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// ContentType.
    pub(super) kind: u8,
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
    head: [u8; 5],
    have: usize,
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
    /// In the body of an SSL 2.0 record, which nobody reads.
    Skip(u32),
    /// Looking for something that may be a header.
    Lost,
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
                State::Skip(0) => self.state = State::Header,
                State::Skip(left) => self.state = State::Skip(left - self.take(data, left)?.len() as u32),
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
            State::First | State::Header | State::Body(..) | State::Skip(_) | State::Lost => {
                self.have = 0;
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
            State::Body(..) | State::First | State::Header | State::Skip(_) | State::Lost => None,
        }
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
            (None, State::First) if is_ssl2(&self.head) => Some(self.ssl2()),
            (None, State::Lost) => {
                self.shift();
                None
            }
            (None, State::First | State::Header | State::Body(..) | State::Skip(_)) => self.lose(),
        }
    }

    /// Searching moves on by one byte, so the answer does not depend on how the bytes were cut.
    fn shift(&mut self) {
        self.head.rotate_left(1);
        self.have = self.head.len() - 1;
    }

    fn lose(&mut self) -> Option<Piece<'static>> {
        let says = format!("expected a record header, found {}", shown(&self.head));
        let at = self.offset - self.head.len() as u64;
        self.state = State::Lost;
        self.shift();
        self.troubles = self.troubles.saturating_add(1);
        (self.troubles <= MAX_TROUBLES).then_some(Piece::Trouble { at, says })
    }

    /// An SSL 2.0 CLIENT-HELLO (RFC 5246, E.2), which no server of today answers. It is stepped over by its length.
    fn ssl2(&mut self) -> Piece<'static> {
        let [high, low, _, major, minor] = self.head;
        let len = u32::from(high & 0x7f) << 8 | u32::from(low);
        self.have = 0;
        self.state = State::Skip(len.saturating_sub(3));
        Piece::Trouble {
            at: 0,
            says: format!(
                "expected a TLS record, found an SSL 2.0 ClientHello that offers {}",
                crate::codes::tls::version(u16::from_be_bytes([major, minor]))
            ),
        }
    }
}

/// The five bytes as a header, if they can be one: heartbeat (RFC 6520) is the last ContentType that has a number here.
fn header(bytes: &[u8; 5]) -> Option<Header> {
    let [kind, major, minor, high, low] = *bytes;
    let len = u32::from(high) << 8 | u32::from(low);
    let plausible = (20..=24).contains(&kind) && major == 3 && minor <= 4 && len <= MAX_BODY;
    plausible.then_some(Header { kind, len })
}

/// Two bytes of length with the top bit set, CLIENT-HELLO, and a version that ever existed.
fn is_ssl2(bytes: &[u8; 5]) -> bool {
    let [high, _, message, major, minor] = *bytes;
    high & 0x80 != 0 && message == 1 && matches!((major, minor), (0, 2) | (3, 0..=3))
}

/// Bytes as hex, and as text where they are text: `48 54 54 50 2f ("HTTP/")`.
fn shown(bytes: &[u8; 5]) -> String {
    let hex = bytes.map(|b| format!("{b:02x}")).join(" ");
    let too_long = (20..=24).contains(&bytes[0]) && bytes[1] == 3 && bytes[2] <= 4;
    let text = bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    match (text, too_long) {
        (true, _) => format!("{hex} (\"{}\")", bytes.map(char::from).iter().collect::<String>()),
        (false, true) => {
            format!("{hex} (a length of {}, more than {MAX_BODY})", u16::from_be_bytes([bytes[3], bytes[4]]))
        }
        (false, false) => hex,
    }
}
