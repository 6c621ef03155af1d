//! The handshake protocol of one side (RFC 8446, 4; RFC 5246, 7.4): messages put together across records.

use super::wire::Trouble;
use crate::codes::tls as names;

/// A message longer than this is not one: the longest real ones are certificate chains of some ten thousand bytes.
const MAX_MESSAGE: u32 = 1 << 20;

const HEADER: usize = 4;

/// A message that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// HandshakeType.
    pub(super) kind: u8,
    /// The body; empty where nobody reads it (see [`is_read`]).
    pub(super) body: Vec<u8>,
    /// Bytes, with the header.
    pub(super) len: u32,
    /// Offset of the body in this side's handshake bytes.
    pub(super) offset: u64,
}

/// What some bytes brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// They completed a message.
    Message(Message),
    /// They are none.
    Trouble(Trouble),
}

/// The messages of one side.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    head: [u8; HEADER],
    /// Bytes of the message that are here, with the header.
    have: u32,
    body: Vec<u8>,
    offset: u64,
    framing: Framing,
    complained: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Framing {
    #[default]
    Kept,
    /// Something is amiss with this record's content. The next one may begin with a message, as most do.
    Lost,
    /// A record began after a loss; whether a message does is not certain.
    Hoped,
}

impl Handshake {
    /// A record begins. Messages usually do so too, which is what a hole is mended by.
    pub(super) fn start_record(&mut self) {
        if self.framing == Framing::Lost {
            self.framing = Framing::Hoped;
        }
    }

    /// Some bytes of a record's body are not here.
    pub(super) fn hole(&mut self) {
        self.forget();
        self.framing = Framing::Lost;
    }

    /// The next message that `data` completes, or the one trouble; `data` is cut by what was used.
    pub(super) fn next(&mut self, data: &mut &[u8]) -> Option<Step> {
        if self.framing != Framing::Lost {
            self.fill_head(data)?;
            if self.is_plausible() {
                return self.fill_body(data).then(|| Step::Message(self.finish()));
            }
            if let Some(trouble) = self.lose() {
                return Some(Step::Trouble(trouble));
            }
        }
        self.offset += data.len() as u64;
        *data = &[];
        None
    }

    /// The message that is begun and not complete: its name, the bytes it has and those it needs, header included.
    pub(super) fn partial(&self) -> Option<(&'static str, u32, u32)> {
        let known = self.have as usize >= HEADER;
        known.then(|| (names::handshake(self.head[0]).unwrap_or("unknown"), self.have, self.need()))
    }

    fn need(&self) -> u32 {
        let [_, high, middle, low] = self.head;
        u32::from_be_bytes([0, high, middle, low]) + HEADER as u32
    }

    fn is_plausible(&self) -> bool {
        names::handshake(self.head[0]).is_some() && self.need() <= MAX_MESSAGE
    }

    fn fill_head(&mut self, data: &mut &[u8]) -> Option<()> {
        while (self.have as usize) < HEADER {
            let (first, rest) = data.split_first()?;
            self.head[self.have as usize] = *first;
            self.advance(1);
            *data = rest;
        }
        Some(())
    }

    /// Whether the body is complete now.
    fn fill_body(&mut self, data: &mut &[u8]) -> bool {
        let left = self.need() - self.have;
        let (taken, rest) = data.split_at(data.len().min(left as usize));
        if is_read(self.head[0]) {
            self.body.extend_from_slice(taken);
        }
        self.advance(taken.len());
        *data = rest;
        self.have == self.need()
    }

    fn advance(&mut self, len: usize) {
        self.have += len as u32;
        self.offset += len as u64;
    }

    fn finish(&mut self) -> Message {
        let body_len = u64::from(self.need()) - HEADER as u64;
        let message = Message {
            kind: self.head[0],
            len: self.need(),
            offset: self.offset - body_len,
            body: std::mem::take(&mut self.body),
        };
        self.have = 0;
        self.framing = Framing::Kept;
        message
    }

    fn forget(&mut self) {
        self.have = 0;
        self.body = Vec::new();
    }

    /// After a hole the guess that a message begins here was just wrong, which is nobody's fault. One complaint a side.
    fn lose(&mut self) -> Option<Trouble> {
        let silent = self.framing == Framing::Hoped || self.complained;
        let says = format!(
            "expected a handshake message of at most {MAX_MESSAGE} bytes, found type {} of {} bytes",
            self.head[0],
            self.need()
        );
        self.hole();
        (!silent).then(|| {
            self.complained = true;
            Trouble { at: (self.offset as usize).saturating_sub(HEADER), says }
        })
    }
}

/// Whether somebody reads the body: ClientHello, ServerHello, EncryptedExtensions, Certificate. All others are only counted.
fn is_read(kind: u8) -> bool {
    matches!(kind, 1 | 2 | 8 | 11)
}
