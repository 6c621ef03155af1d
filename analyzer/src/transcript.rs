//! What both sides of an RDP connection said, in clear: for whoever plays a session again. Payload fits into no Event, and
//! passwords stand in this: it is wiped when it is dropped, and cannot be printed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::observation::{Flow, Leg, Side};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Some bytes of one side, in order, as soon as they could be read. On a relay's recording each side's are those that it
/// sent itself: the client's of the front leg, the server's of the back leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When the last of them came.
    pub at: Timestamp,
    /// On which flow they came.
    pub flow: Flow,
    /// In which packet the last of them stands.
    pub frame: u64,
    /// Who said it.
    pub from: Side,
    /// Where they stood.
    pub place: Place,
    /// The bytes.
    pub said: Said,
}

/// Where bytes stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In clear: the negotiation, and all that follows where no TLS does.
    Clear,
    /// In TLS: CredSSP and the like first, then RDP.
    Tls,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Bytes; never empty.
    Bytes(Secret),
    /// About so many bytes that are not here, or that no secret opens.
    Missing(u64),
}

/// Writes down what one flow's layers read. Several layers have a hand on it; the session takes what is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pen(Arc<Mutex<Vec<(Side, Place, Said)>>>);

impl Pen {
    pub(crate) fn bytes(&self, from: Side, place: Place, data: &[u8]) {
        if !data.is_empty() {
            self.write(from, place, Said::Bytes(Secret::new(data.to_vec())));
        }
    }

    pub(crate) fn missing(&self, from: Side, place: Place, len: u64) {
        self.write(from, place, Said::Missing(len));
    }

    fn write(&self, from: Side, place: Place, said: Said) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((from, place, said));
    }

    /// What was written by an observation.
    pub(crate) fn take(&self, at: Timestamp, flow: Flow, frame: u64) -> Vec<Line> {
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let is_own =
            |from| matches!((flow.leg, from), (Leg::Only, _) | (Leg::Front, Side::Client) | (Leg::Back, Side::Server));
        let own = written.into_iter().filter(|(from, _, _)| is_own(*from));
        own.map(|(from, place, said)| Line { at, flow, frame, from, place, said }).collect()
    }
}
