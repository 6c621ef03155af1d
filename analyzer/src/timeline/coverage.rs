//! How much of a connection the input holds: whether what was not seen would have been seen.
//!
//! "The server never answered" may be said only where an answer would be here. Every rule that concludes from what is
//! not there asks [`Timeline::unseen_since`] or [`Timeline::unseen_last_words`], through [`crate::diagnose::Rests`].

use std::fmt;

use super::Timeline;
use super::facts::Mark;
use super::leg::Leg;
use super::phase::{Outcome, PhaseName};
use crate::count::{counted, either};
use crate::event::{Basis, What};
use crate::observation::{Absence, Leg as LegName, Side};
use crate::time::Timestamp;

/// With more payload than this behind a gap, what a side says before it leaves is not in the gap: Set Error Info,
/// Disconnect Provider Ultimatum and close_notify, sealed one by one, bytes.
const LAST_WORDS: u64 = 256;

/// What of one direction of a leg the input holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Direction {
    first: Option<Gap>,
    last: Option<Gap>,
    /// Bytes in all gaps.
    bytes: u64,
    /// Bytes of payload that came behind the last gap.
    behind: u64,
    /// Bytes that stand on the other leg of the recording.
    mirrored: u64,
}

/// A stretch of payload that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where: the packet that showed it.
    pub mark: Mark,
    /// Why it is not here.
    pub why: Absence,
}

impl Direction {
    /// Payload came.
    pub(super) fn passed(&mut self, len: u64) {
        self.behind += len;
    }

    /// Payload came by that is not here.
    pub(super) fn missing(&mut self, mark: Mark, len: u64, why: Absence) {
        match why {
            // It passed nowhere.
            Absence::Discarded => {}
            Absence::Mirrored => self.mirrored += len,
            Absence::Dropped | Absence::Snapped | Absence::Lost => {
                let gap = Gap { mark, why };
                self.first = self.first.or(Some(gap));
                self.last = Some(gap);
                self.bytes += len;
                self.behind = 0;
            }
        }
    }
}

/// What keeps the input from showing what a side said, or that it said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// The input begins in the middle of the connection.
    Beginning,
    /// No packet of this side is here.
    Direction(Side),
    /// Payload of this side is not here.
    Payload {
        /// Whose.
        from: Side,
        /// Bytes, all gaps together.
        bytes: u64,
        /// Why the first of it is not here.
        why: Absence,
        /// The packet that shows the first gap; 0 where it has no number.
        frame: u64,
    },
    /// Payload of this side never came by, and nobody acknowledged it: lost on the way, or by the capture.
    Hole {
        /// Whose.
        from: Side,
        /// Bytes.
        bytes: u64,
    },
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unseen::Beginning => f.write_str("the capture begins in the middle of the connection"),
            Unseen::Direction(side) => {
                write!(f, "only the {}'s direction is in the capture", side.other())
            }
            Unseen::Payload { from, bytes, why, frame } => {
                let why = match why {
                    Absence::Lost => "not captured",
                    Absence::Snapped => "cut off by the snap length",
                    Absence::Dropped => "given up by the recorder",
                    Absence::Mirrored => "stored on the other leg, which is not in the file",
                    Absence::Discarded => "discarded",
                };
                let frame = if *frame > 0 { format!(", first before frame {frame}") } else { String::new() };
                write!(
                    f,
                    "{} of the {from} {} missing ({why}{frame})",
                    counted(*bytes, "byte"),
                    either(*bytes, "is", "are")
                )
            }
            Unseen::Hole { from, bytes } => {
                let are = either(*bytes, "is", "are");
                write!(f, "{} of the {from} {are} missing, and nobody acknowledged that", counted(*bytes, "byte"))
            }
        }
    }
}

impl Timeline {
    /// What keeps the input from showing all that both sides said from `since` to the end; `None` where it holds all of it.
    pub fn unseen_since(&self, since: Timestamp) -> Option<Unseen> {
        self.legs.iter().find_map(|leg| self.unseen_on(leg, |direction| direction.is_open_since(since), since))
    }

    /// What keeps the input from showing what both sides said last before the end.
    pub fn unseen_last_words(&self) -> Option<Unseen> {
        let is_open = |direction: &Direction| direction.last.is_some() && direction.behind < LAST_WORDS;
        self.legs.iter().find_map(|leg| self.unseen_on(leg, is_open, self.last))
    }

    /// Whether the input holds all that this side said up to `mark`, on its leg.
    pub fn is_whole_before(&self, from: Side, mark: Mark) -> bool {
        let gap = |leg: &Leg| leg.coverage[from as usize].first.map(|gap| gap.mark.at);
        self.leg(mark.leg).is_none_or(|leg| leg.joined.is_none() && gap(leg).is_none_or(|gap| gap > mark.at))
    }

    /// Whether this tells of first bytes on a leg of which the first are not in the input, nor who its client is.
    pub(super) fn is_misplaced(&self, mark: Mark, what: &What) -> bool {
        matches!(what, What::NotRdp { .. }) && self.leg(mark.leg).is_some_and(|leg| leg.joined.is_some())
    }

    /// The confirm is not in the input, and the client goes on as if it had agreed on TLS.
    pub(super) fn confirmed_unseen(&mut self, mark: Mark) {
        let asked = self.facts.request.as_ref().filter(|_| self.facts.confirm.is_none()).map(|seen| seen.mark.at);
        let is_unseen = asked.is_some_and(|asked| self.unseen_since(asked).is_some());
        if is_unseen && self.end_phase(PhaseName::Negotiation, mark, Outcome::Done, Basis::Inferred) {
            self.next = Some((PhaseName::Tls, mark, Basis::Inferred));
        }
    }

    fn unseen_on(&self, leg: &Leg, is_open: impl Fn(&Direction) -> bool, since: Timestamp) -> Option<Unseen> {
        let joined = leg.joined.filter(|joined| *joined >= since).map(|_| Unseen::Beginning);
        let is_alone = self.legs.len() == 1;
        let by_side =
            || [Side::Client, Side::Server].into_iter().find_map(|side| leg.unseen_of(side, is_alone, &is_open));
        joined.or_else(by_side)
    }
}

impl Direction {
    fn is_open_since(&self, since: Timestamp) -> bool {
        self.last.is_some_and(|last| last.mark.at >= since)
    }
}

impl Leg {
    fn unseen_of(&self, from: Side, is_alone: bool, is_open: &impl Fn(&Direction) -> bool) -> Option<Unseen> {
        let direction = &self.coverage[from as usize];
        if self.is_uncaptured(from) {
            return Some(Unseen::Direction(from));
        }
        if let Some(Gap { mark, why }) = direction.first.filter(|_| is_open(direction)) {
            return Some(Unseen::Payload { from, bytes: direction.bytes, why, frame: mark.frame });
        }
        if direction.mirrored > 0 && is_alone {
            let (bytes, why) = (direction.mirrored, Absence::Mirrored);
            return Some(Unseen::Payload { from, bytes, why, frame: 0 });
        }
        let hole = self.hole().filter(|(of, _)| self.name == LegName::Only && *of == from);
        hole.map(|(_, bytes)| Unseen::Hole { from, bytes })
    }

    /// Whether a capture holds no packet of this side at all: then it does not tell what this side has acknowledged either.
    pub fn is_uncaptured(&self, side: Side) -> bool {
        // Samples are packed: whoever was heard needs none.
        let is_asked = self.name == LegName::Only && self.opened.is_some() && self.bytes[side as usize] == 0;
        let Some(path) = is_asked.then(|| self.path()).flatten() else { return false };
        let unacknowledged = [path.what.client_unacked_bytes, path.what.server_unacked_bytes];
        let says_nothing = unacknowledged[side.other() as usize].is_none() && unacknowledged[side as usize].is_some();
        says_nothing && !self.is_captured(side)
    }
}
