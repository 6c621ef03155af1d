//! Where and when bytes came that are held back until it is known what they are: what is read of them happened there, not
//! where the last byte, or the end, made it clear.

use std::ops::Range;

use crate::event::What;
use crate::observation::{Seen, Side};
use crate::time::Timestamp;

/// When, and in which packet.
pub(super) type Origin = (Timestamp, u64);

/// Pieces of one side that are told apart. Further ones are of the last.
const MAX_PIECES: usize = 256;

/// Of one flow.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// What happens now.
    now: Origin,
    /// Whose bytes came now.
    speaks: Option<Side>,
    /// The last bytes of client and server.
    last: [Option<Origin>; 2],
    /// Bytes of client and server that are held back, in pieces.
    held: [Vec<(usize, Origin)>; 2],
    told: Told,
}

/// Where what happened by one observation has its origin, where that is elsewhere.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Events by their places, in order.
    made: Vec<(Range<usize>, Origin)>,
    /// Whose bytes came now, and the last of client and server.
    speaks: Option<Side>,
    last: [Option<Origin>; 2],
}

impl Origins {
    /// An observation comes.
    pub(super) fn comes(&mut self, seen: &Seen, now: Origin) {
        self.now = now;
        self.speaks = None;
        if let Seen::Bytes { from, .. } = seen {
            self.speaks = Some(*from);
            self.last[*from as usize] = Some(now);
        }
    }

    /// So many bytes of this side, of those that came now, may be held back.
    pub(super) fn held(&mut self, from: Side, len: usize) {
        let now = self.last[from as usize].unwrap_or(self.now);
        let held = &mut self.held[from as usize];
        let is_full = held.len() >= MAX_PIECES;
        match held.last_mut() {
            Some((more, origin)) if is_full || *origin == now => *more += len,
            _ => held.push((len, now)),
        }
    }

    /// The pieces that the last bytes of this side are of, so many: none is held back any more.
    pub(super) fn release(&mut self, from: Side, len: usize) -> Vec<(usize, Origin)> {
        let held = std::mem::take(&mut self.held[from as usize]);
        let (mut left, mut pieces) = (len, Vec::new());
        for (more, origin) in held.into_iter().rev() {
            let taken = more.min(left);
            left -= taken;
            if taken > 0 {
                pieces.push((taken, origin));
            }
        }
        if left > 0 {
            pieces.push((left, pieces.last().map_or(self.now, |(_, origin)| *origin)));
        }
        pieces.reverse();
        pieces
    }

    /// These events were made by bytes of this origin.
    pub(super) fn made(&mut self, events: Range<usize>, origin: Origin) {
        if !events.is_empty() && origin != self.now {
            self.told.made.push((events, origin));
        }
    }

    /// The places of events are others by now.
    pub(super) fn forget(&mut self) {
        self.told.made.clear();
    }

    /// What is known of this observation's events.
    pub(super) fn take(&mut self) -> Told {
        Told { speaks: self.speaks, last: self.last, ..std::mem::take(&mut self.told) }
    }
}

impl Told {
    /// Where the event at this place has its origin, if that is not what came now.
    pub(super) fn of(&self, place: usize, what: &What) -> Option<Origin> {
        let made = self.made.iter().find(|(events, _)| events.contains(&place));
        let by_side =
            || about(what).filter(|side| self.speaks != Some(*side)).and_then(|side| self.last[side as usize]);
        made.map(|(_, origin)| *origin).or_else(by_side)
    }
}

/// Whose bytes are judged, where that may come long after them.
fn about(what: &What) -> Option<Side> {
    match what {
        What::NotRdp { from, .. }
        | What::NotTls { from, .. }
        | What::Partial { from, .. }
        | What::Malformed { from, .. } => Some(*from),
        _ => None,
    }
}
