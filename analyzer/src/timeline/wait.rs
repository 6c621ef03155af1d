//! Long waits: when, for whom, and what was sent again meanwhile; and to whom each phase's time is charged.
//!
//! Until a session is active every silence is somebody's. In an active session only what was outstanding is.

use std::time::Duration;

use super::leg::Leg;
use super::outstanding::Outstanding;
use super::phase::{Outcome, Phase, PhaseName};
use super::transit::Frozen;
use super::{IDLE, LegName, Mark, Timeline, Unanswered, first_hand};
use crate::observation::{PathSample, Side, Sign};
use crate::time::Timestamp;

/// A shorter wait explains nothing.
const LONG: Duration = Duration::from_secs(1);
/// Waits that are kept.
const KEPT: usize = 64;
/// What is said so soon behind something else was said with it.
const TOGETHER: Duration = Duration::from_millis(100);

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

    /// For how long the program that watches was stopped meanwhile: that is no part of it.
    pub fn unwatched(&self) -> Duration {
        self.until.unwatched_since(self.since)
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
    fn waited(&mut self, spoke: &Spoke, now: Mark, side: Side, was_answered: bool) {
        if now.at.since(spoke.at) < LONG || self.waits.len() >= KEPT {
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

    /// Charges the time since the last payload to whoever was waited for.
    pub(super) fn spoken(&mut self, mark: Mark, from: Side) {
        if !first_hand(mark.leg, from) {
            return;
        }
        let now = self.spoke_now(from, mark.at);
        let before = self.spoke.replace(now);
        let idle = before.map(|spoke| mark.at.since(spoke.at)).filter(|gap| *gap >= IDLE && self.is_active());
        self.idle = idle.map(|gap| (gap, mark.at)).or(self.idle);
        let Some(spoke) = before else { return };
        if self.is_active() {
            return self.gone_on(&spoke, mark, from);
        }
        let rtt = self.leg(mark.leg).and_then(Leg::rtt).unwrap_or_default();
        self.waited(&spoke, mark, from, true);
        let Spoke { from: speaker, at, .. } = spoke;
        let Some(since) = self.open_phase().map(|phase| at.max(phase.began)) else { return };
        let held = if speaker == from { Duration::ZERO } else { self.held(speaker, since, mark.at) };
        let Some(phase) = self.phases.last_mut() else { return };
        let gap = mark.at.since(since) - held;
        // The same side going on speaking costs no round trip: the first byte did.
        let network = if speaker == from { Duration::ZERO } else { gap.min(rtt) };
        phase.turns += u32::from((speaker, from) == (Side::Client, Side::Server));
        let resent = spoke.resent_for(from).min(gap - network);
        self.mended += u32::from(!resent.is_zero());
        phase.waited.impairment += held;
        phase.waited.network += network;
        phase.waited.retransmission += resent;
        *phase.waited.side_mut(from) += gap - network - resent;
    }

    /// In an active session nobody has to speak: who does was waited for only as long as what he answers was held here on
    /// purpose.
    fn gone_on(&mut self, spoke: &Spoke, mark: Mark, from: Side) {
        self.unanswered = (from == Side::Client).then(|| match self.unanswered {
            None => Unanswered { since: mark, until: mark.at, times: 1 },
            Some(before) if mark.at.since(before.until) < TOGETHER => before,
            Some(before) => Unanswered { until: mark.at, times: before.times + 1, ..before },
        });
        let is_turn = (spoke.from, from) == (Side::Client, Side::Server);
        let since = self.since_active(spoke.at);
        let held = if spoke.from == from { Duration::ZERO } else { self.held(spoke.from, since, mark.at) };
        let room = self.room(mark.at);
        if let Some(phase) = self.phases.last_mut() {
            phase.turns += u32::from(is_turn);
            phase.waited.impairment += held.min(room);
        }
        self.kept(from, mark, since, held, Cost { held, ..Cost::default() }, true);
    }

    fn open_phase(&self) -> Option<&Phase> {
        self.phases.last().filter(|phase| phase.outcome == Outcome::Open)
    }

    /// Segments sent again since the last sample explain part of the wait for the leg's far side.
    pub(super) fn path(&mut self, mark: Mark, sample: &PathSample) {
        let before = self.leg(mark.leg).map(Leg::resent_by_server).unwrap_or_default();
        let (again, path) = self.leg_mut(mark.leg).sampled(mark, sample);
        let acknowledged = self.leg_mut(mark.leg).acknowledges(mark, &path);
        if let (true, Some((frozen, until))) = (self.is_active(), acknowledged) {
            self.frozen(mark, &frozen, until, true);
        }
        if again == 0 || self.is_active() {
            return;
        }
        let far = self.far_side(mark.leg, before);
        let Some(phase) = self.phases.last_mut() else { return };
        let stalled = stalled(sample, again);
        // What is sent again after the handshake did not delay it.
        if phase.name == PhaseName::Tcp && phase.outcome == Outcome::Open {
            phase.waited.retransmission += stalled;
            return;
        }
        // It explains the wait that is over, or the one that goes on.
        let waited = phase.waited.side_mut(far);
        let moved = stalled.min(*waited);
        *waited -= moved;
        if let Some(wait) = self.waits.last_mut().filter(|wait| (wait.side, wait.until) == (far, mark.at)) {
            wait.again += again;
            wait.resent += moved;
        }
        let was_answered = self.end.is_none() && self.spoke.is_some_and(|spoke| spoke.from == far);
        self.mended += u32::from(was_answered && !moved.is_zero());
        phase.waited.retransmission += moved;
        if let Some(spoke) = &mut self.spoke {
            spoke.resend(far, stalled - moved);
        }
    }

    /// Whom segments that were sent again on this leg kept waiting: its far end, in a capture the peer of who sent them.
    fn far_side(&self, leg: LegName, resent_by_server: u64) -> Side {
        match leg {
            LegName::Front => Side::Client,
            LegName::Back => Side::Server,
            LegName::Only if self.leg(leg).map(Leg::resent_by_server).unwrap_or_default() > resent_by_server => {
                Side::Client
            }
            LegName::Only => Side::Server,
        }
    }

    /// Whoever should have spoken next was waited for until the end.
    pub(super) fn charge_silence(&mut self, mark: Mark) {
        if self.is_active() {
            return self.charge_outstanding(mark);
        }
        let Some(spoke) = self.spoke else { return };
        // Who broke off in the middle of a message is waited for, whoever spoke last.
        let owes = self.facts.partial.last().map_or(spoke.from.other(), |partial| partial.what.0);
        self.waited(&spoke, mark, owes, false);
        let leg = self.first_hand_leg(owes).and_then(|leg| self.leg(leg));
        let is_lost = leg.is_some_and(Leg::is_losing);
        let Some(since) = self.open_phase().map(|phase| spoke.at.max(phase.began)) else { return };
        let held = if owes == spoke.from { Duration::ZERO } else { self.held(spoke.from, since, mark.at) };
        let Some(phase) = self.phases.last_mut() else { return };
        let gap = mark.at.since(since) - held;
        phase.waited.impairment += held;
        // What is lost for good is lost on the way, not by the side that is waited for.
        let resent = if is_lost { gap } else { spoke.resent_for(owes).min(gap) };
        phase.waited.retransmission += resent;
        *phase.waited.side_mut(owes) += gap - resent;
    }

    /// At the end of an active session: what was outstanding, and what was held here on purpose.
    pub(super) fn charge_outstanding(&mut self, mark: Mark) {
        for leg in 0..self.legs.len() {
            if let Some(frozen) = self.legs[leg].frozen.take() {
                let mark = Mark { leg: self.legs[leg].name, ..mark };
                self.frozen(mark, &frozen, mark.at, false);
            }
        }
        if let Some(owed) = self.unanswered_request() {
            self.owed_by_side(&owed, mark, false);
        }
        let Some(spoke) = self.spoke else { return };
        let since = self.since_active(spoke.at);
        let (held, room) = (self.held(spoke.from, since, mark.at), self.room(mark.at));
        if let Some(phase) = self.phases.last_mut() {
            phase.waited.impairment += held.min(room);
        }
        self.kept(spoke.from.other(), mark, since, held, Cost { held, ..Cost::default() }, false);
    }

    /// What packets show of a stretch in which nothing was acknowledged, or nothing could be sent.
    pub(super) fn shown(&mut self, mark: Mark, sign: &Sign) {
        self.leg_mut(mark.leg).shown(mark, sign);
        let is_running = self.is_active() && self.end.is_none();
        if let (true, Sign::Unacknowledged { from, lasted, again, still_waits }) = (is_running, sign) {
            let leg = self.leg_mut(mark.leg);
            (leg.frozen, leg.is_told) = (None, *still_waits);
            self.unacknowledged_for(*from, mark, mark.at.before(*lasted), (*again).into(), !still_waits);
        }
        if let (true, Sign::ZeroWindow { from, lasted, still_shut, .. }) = (is_running, sign) {
            let since = self.since_active(mark.at.before(*lasted));
            let shut = mark.at.since(since).min(self.room(mark.at));
            if let Some(phase) = self.phases.last_mut() {
                *phase.waited.side_mut(*from) += shut;
            }
            self.kept(*from, mark, since, mark.at.since(since), Cost::default(), !still_shut);
        }
    }

    fn frozen(&mut self, mark: Mark, frozen: &Frozen, until: Timestamp, was_answered: bool) {
        let again = self.leg(mark.leg).map_or(0, |leg| leg.again_since(frozen));
        self.unacknowledged_for(frozen.from, Mark { at: until, ..mark }, frozen.since, again, was_answered);
    }

    /// All of a stretch in which what a side had sent was sent again and not acknowledged is the path's.
    fn unacknowledged_for(&mut self, from: Side, mark: Mark, since: Timestamp, again: u64, was_answered: bool) {
        let since = self.since_active(since);
        let (resent, room) = (mark.at.since(since), self.room(mark.at));
        if let Some(phase) = self.phases.last_mut() {
            phase.waited.retransmission += resent.min(room);
        }
        self.kept(from.other(), mark, since, resent, Cost { again, resent, held: Duration::ZERO }, was_answered);
    }

    /// A request of an active session is answered late, or never.
    pub(super) fn owed_by_side(&mut self, owed: &Outstanding, mark: Mark, was_answered: bool) {
        let Some(debtor) = owed.debtor() else { return };
        let since = self.since_active(owed.since);
        // What the path took of it is told beside it.
        let is_path = self.waits.iter().any(|wait| wait.until > since && !wait.resent.is_zero());
        let lasted = mark.at.since(since);
        if is_path || lasted < LONG {
            return;
        }
        let room = self.room(mark.at).min(lasted);
        let rtt = self.leg(owed.leg).and_then(Leg::rtt).unwrap_or_default().min(room);
        if let Some(phase) = self.phases.last_mut() {
            phase.waited.network += rtt;
            *phase.waited.side_mut(debtor) += room - rtt;
        }
        self.kept(debtor, Mark { leg: owed.leg, ..mark }, since, lasted, Cost::default(), was_answered);
    }

    /// Time of the phase that is charged to nobody yet: what is outstanding on both legs at once takes its time once.
    fn room(&self, now: Timestamp) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |phase| now.since(phase.began).saturating_sub(phase.waited.total()))
    }

    fn since_active(&self, since: Timestamp) -> Timestamp {
        self.phases.last().map_or(since, |phase| since.max(phase.began))
    }

    /// Keeps a wait of an active session, if it was long.
    fn kept(&mut self, side: Side, mark: Mark, since: Timestamp, lasted: Duration, cost: Cost, was_answered: bool) {
        if lasted < LONG || self.waits.len() >= KEPT {
            return;
        }
        let Cost { again, resent, held } = cost;
        let (phase, until) = (self.last_phase(), since + lasted);
        let Mark { leg, frame, .. } = mark;
        self.waits.push(Wait { side, leg, phase, since, until, frame, again, resent, held, was_answered });
    }
}

/// What of a wait is explained.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// Segments that were sent again.
    again: u64,
    /// What that took.
    resent: Duration,
    /// How long it was held here on purpose.
    held: Duration,
}

/// How long the last `again` retransmission timeouts took. Each is twice the one before (RFC 6298 5.5); `rto_us` is the
/// next one, already doubled once for each timeout that is still without an answer.
fn stalled(sample: &PathSample, again: u64) -> Duration {
    let backoff = sample.backoff.unwrap_or(0).min(16);
    let first = Duration::from_micros(sample.rto_us.unwrap_or(0) >> backoff);
    let (to, again) = (backoff.max(again).min(16), again.min(16));
    first.saturating_mul((1 << to) - (1 << (to - again.min(to))))
}
