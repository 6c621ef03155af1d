//! Long waits: when, for whom, and what was sent again meanwhile.

use std::time::Duration;

use super::phase::PhaseName;
use super::{LegName, Mark, Timeline, first_hand};
use crate::observation::Side;
use crate::time::Timestamp;

/// A shorter wait explains nothing.
const LONG: Duration = Duration::from_secs(1);
/// Waits that are kept.
const KEPT: usize = 64;

/// A time for which one side was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Who was waited for: the side that spoke next, or that should have.
    pub side: Side,
    /// The leg on which that side is seen first-hand.
    pub leg: LegName,
    /// The last phase that had begun.
    pub phase: PhaseName,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The packet that ended it.
    pub frame: u64,
    /// Segments that were sent again on that leg meanwhile.
    pub again: u64,
    /// What retransmission timeouts cost of it.
    pub resent: Duration,
    /// How long what it waited for was held here on purpose.
    pub held: Duration,
    /// Whether that side spoke at last. Otherwise the session ended.
    pub was_answered: bool,
}

impl Wait {
    /// How long it took.
    pub fn lasted(&self) -> Duration {
        self.until.since(self.since)
    }
}

/// Who spoke last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spoke {
    pub from: Side,
    pub at: Timestamp,
    /// Segments sent again by then on the legs of client and server.
    again: [u64; 2],
    /// What retransmission timeouts since then cost, on the legs of client and server.
    resent: [Duration; 2],
}

impl Spoke {
    /// What was sent again to this side explains so much of the wait for it.
    pub fn resend(&mut self, side: Side, cost: Duration) {
        self.resent[side as usize] += cost;
    }

    /// What sending again cost of the wait for this side.
    pub fn resent_for(&self, side: Side) -> Duration {
        self.resent[side as usize]
    }
}

impl Timeline {
    pub(super) fn spoke_now(&self, from: Side, at: Timestamp) -> Spoke {
        let again = [Side::Client, Side::Server].map(|side| self.resent(side));
        Spoke { from, at, again, resent: [Duration::ZERO; 2] }
    }

    /// Notes that `side` was waited for since `spoke`, if that was long.
    pub(super) fn waited(&mut self, spoke: &Spoke, now: Mark, side: Side, was_answered: bool) {
        let is_running = self.is_active() && was_answered;
        if now.at.since(spoke.at) < LONG || is_running || self.waits.len() >= KEPT {
            return;
        }
        let leg = self.first_hand_leg(side).unwrap_or(now.leg);
        let again = self.resent(side).saturating_sub(spoke.again[side as usize]);
        // Between two phases the next one is waited for.
        let phase = self.next.map_or_else(|| self.last_phase(), |(next, ..)| next);
        let (since, until, frame) = (spoke.at, now.at, now.frame);
        let resent = spoke.resent_for(side);
        let held = if side == spoke.from { Duration::ZERO } else { self.held(spoke.from, since, until) };
        self.waits.push(Wait { side, leg, phase, since, until, frame, again, resent, held, was_answered });
    }

    pub(super) fn first_hand_leg(&self, side: Side) -> Option<LegName> {
        self.legs.iter().map(|leg| leg.name).find(|leg| first_hand(*leg, side))
    }

    fn resent(&self, side: Side) -> u64 {
        let leg = self.first_hand_leg(side).and_then(|leg| self.leg(leg));
        leg.map_or(0, |leg| leg.retransmits())
    }
}
