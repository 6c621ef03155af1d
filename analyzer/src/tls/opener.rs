//! What TLS has besides where there are secrets: the keys, and the layer that reads what they open.

use std::fmt;
use std::sync::Arc;

use super::content;
use super::decrypt::{Decrypter, Opened};
use super::keys::{Keyring, Secret};
use super::record::{Header, Hole};
use crate::event::What;
use crate::observation::Side;

/// The layer behind TLS: it reads the plaintext.
pub trait Behind: Send {
    /// More bytes of one side, in order.
    fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>);
    /// About `len` bytes of one side that could not be opened.
    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>);
}

/// Nobody reads it.
impl Behind for () {
    fn push(&mut self, _: Side, _: &[u8], _: &mut Vec<What>) {}

    fn missing(&mut self, _: Side, _: u64, _: &mut Vec<What>) {}
}

/// A connection's keys and what stands behind it.
pub(super) struct Opener {
    pub(super) keys: Decrypter,
    behind: Box<dyn Behind>,
}

/// A record that is open.
pub(super) struct Plain {
    pub(super) kind: u8,
    pub(super) text: Secret,
    pub(super) is_early: bool,
}

impl Opener {
    pub(super) fn new(keys: Arc<Keyring>, behind: Box<dyn Behind>) -> Opener {
        Opener { keys: Decrypter::new(keys), behind }
    }

    pub(super) fn start(&mut self, from: Side) {
        self.keys.start(from);
    }

    pub(super) fn body(&mut self, from: Side, bytes: &[u8]) {
        self.keys.body(from, bytes);
    }

    /// So many bytes are not here. Once the handshake is over (`is_data`), they are of the layer behind.
    pub(super) fn missing(&mut self, from: Side, len: u64, hole: &Hole, is_data: bool, out: &mut Vec<What>) {
        match hole {
            // INVARIANT: a hole within a record is not longer than a record.
            Hole::Within(_) => self.keys.hole_within(from, usize::try_from(len).unwrap_or(0)),
            Hole::Beyond(_) => {
                self.keys.hole_beyond(from, len);
                if is_data && self.keys.is_ready(from) {
                    self.behind.missing(from, len, out);
                }
            }
        }
    }

    /// Opens the record that is complete now, and counts it.
    pub(super) fn open(&mut self, from: Side, header: Header, is_data: bool, out: &mut Vec<What>) -> Option<Plain> {
        match self.keys.open(from, header.kind) {
            Opened::Plain { kind, text, is_early } => {
                out.push(What::Decrypted { from, kind, len: text.len() as u32 });
                Some(Plain { kind, text, is_early })
            }
            Opened::Sealed { why, len } => {
                out.push(What::Undecrypted { from, why });
                if is_data && header.kind == content::APPLICATION_DATA && self.keys.is_ready(from) {
                    self.behind.missing(from, len.into(), out);
                }
                None
            }
        }
    }

    /// The buffer of a record that was read.
    pub(super) fn done(&mut self, from: Side, text: Secret) {
        self.keys.done(from, text);
    }

    pub(super) fn hand_on(&mut self, from: Side, text: &[u8], out: &mut Vec<What>) {
        self.behind.push(from, text, out);
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
