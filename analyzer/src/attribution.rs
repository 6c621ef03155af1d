//! Whose time it was: every long wait gets an owner, with the arithmetic that shows it.
//!
//! A wait for a side begins with the other side's last byte. One round trip of it is the path's, and so are the
//! retransmission timeouts; whatever remains belongs to the side that was waited for, because its kernel acknowledged
//! what it was sent. Where it did not acknowledge, all of it is the network's.

use std::time::Duration;

use crate::observation::{Leg as LegName, Side};
use crate::prediction::Prediction;
use crate::time::Timestamp;
use crate::timeline::Timeline;
use crate::timeline::leg::Leg;
use crate::timeline::phase::{Phase, PhaseName};
use crate::timeline::wait::Wait;

/// What takes less explains nothing.
const LONG: Duration = Duration::from_secs(1);

/// Whom time belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The resolver, or the way to it.
    NameResolution,
    /// This program, which was asked to impair the session.
    Impairment,
    /// The path of this leg.
    Network(LegName),
    /// The client, or its user.
    Client,
    /// The server, or what it waits for.
    Server,
}

impl Owner {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Owner::NameResolution => "name resolution",
            Owner::Impairment => "impairment",
            Owner::Network(LegName::Front) => "network front",
            Owner::Network(LegName::Back) => "network back",
            Owner::Network(LegName::Only) => "network",
            Owner::Client => "client",
            Owner::Server => "server",
        }
    }
}

/// A time in which nothing went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// Whose it was.
    pub owner: Owner,
    /// In which phase.
    pub phase: PhaseName,
    /// Since when.
    pub since: Timestamp,
    /// The packet that ended it.
    pub frame: u64,
    /// How long.
    pub lasted: Duration,
    /// One round trip of the leg in question.
    pub round_trip: Duration,
    /// What retransmission timeouts cost of it.
    pub retransmission: Duration,
    /// What was held here on purpose of it.
    pub held: Duration,
    /// How long this program itself was stopped meanwhile: that is charged to nobody, and no part of how long it took.
    pub unwatched: Duration,
    /// Segments sent again meanwhile.
    pub again: u64,
    /// Whether what was sent last was acknowledged.
    pub was_acknowledged: bool,
    /// Whether the side that was waited for spoke at last.
    pub was_answered: bool,
}

impl Stall {
    /// What is left for the owner that is no path.
    pub fn remainder(&self) -> Duration {
        self.lasted.saturating_sub(self.held + self.round_trip + self.retransmission)
    }
}

/// Every stall of a session, in order.
pub fn stalls(timeline: &Timeline) -> Vec<Stall> {
    let before = timeline.phases.iter().filter_map(|phase| before_opening(timeline, phase));
    let waits = timeline.waits.iter().map(|wait| of_wait(timeline, wait));
    before.chain(waits).collect()
}

/// The way to the server: the resolver and the SYN.
fn before_opening(timeline: &Timeline, phase: &Phase) -> Option<Stall> {
    let owner = match phase.name {
        PhaseName::NameResolution => Owner::NameResolution,
        PhaseName::Tcp => Owner::Network(phase.leg),
        _ => return None,
    };
    let leg = timeline.leg(phase.leg);
    let round_trip = leg.and_then(Leg::rtt).unwrap_or_default().min(phase.duration());
    let retransmission = phase.waited.retransmission;
    let was_answered = phase.outcome == crate::timeline::phase::Outcome::Done;
    (phase.duration() >= LONG).then(|| Stall {
        owner,
        phase: phase.name,
        since: phase.began,
        frame: 0,
        lasted: phase.duration(),
        round_trip: if phase.name == PhaseName::Tcp { round_trip } else { Duration::ZERO },
        retransmission,
        held: Duration::ZERO,
        unwatched: phase.unwatched(),
        again: leg.map_or(0, Leg::retransmits),
        was_acknowledged: was_answered,
        was_answered,
    })
}

fn of_wait(timeline: &Timeline, wait: &Wait) -> Stall {
    let leg = timeline.leg(wait.leg);
    let lasted = wait.lasted();
    let travelling = lasted.saturating_sub(wait.held);
    let round_trip = leg.and_then(Leg::rtt).unwrap_or_default().min(travelling);
    let is_waiting = |leg: &Leg| leg.unacknowledged().is_some_and(|waits| waits.timeouts > 0);
    let was_acknowledged = wait.was_answered || !leg.is_some_and(is_waiting);
    let is_lost = !wait.was_answered && leg.is_some_and(Leg::is_losing);
    let rest = travelling - round_trip;
    let retransmission = if is_lost { rest } else { wait.resent.min(rest) };
    let is_path = is_lost || (round_trip + retransmission) * 2 >= lasted;
    let owner = match wait.side {
        _ if wait.held * 2 >= lasted => Owner::Impairment,
        _ if is_path => Owner::Network(wait.leg),
        Side::Client => Owner::Client,
        Side::Server => Owner::Server,
    };
    let Wait { phase, since, frame, again, held, was_answered, .. } = *wait;
    Stall {
        owner,
        phase,
        since,
        frame,
        lasted,
        round_trip,
        retransmission,
        held,
        unwatched: wait.unwatched(),
        again,
        was_acknowledged,
        was_answered,
    }
}

/// Whether the path explains how long a connection took until it failed, or was given up, as far as it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// What the path should have cost.
    pub predicted: Prediction,
    /// How long it took.
    pub took: Duration,
    /// What the path did cost of it: one round trip for each turn,
    pub travelled: Duration,
    /// and what was sent again.
    pub retransmission: Duration,
    /// What was held here on purpose.
    pub held: Duration,
}

impl Balance {
    /// Of the way to an active session, or as far as it came.
    pub fn of(timeline: &Timeline) -> Option<Balance> {
        let predicted = Prediction::of(timeline)?;
        let connect = || timeline.phases.iter().filter(|phase| phase.name != PhaseName::Active);
        let took = connect().map(|phase| phase.ended).max()?.since(timeline.began?);
        let retransmission = connect().map(|phase| phase.waited.retransmission).sum();
        let held = connect().map(|phase| phase.waited.impairment).sum();
        let path: Duration =
            connect().filter(|phase| phase.name != PhaseName::NameResolution).map(|phase| phase.waited.network).sum();
        Some(Balance { predicted, took, travelled: path, retransmission, held })
    }

    /// What the path cost in all.
    pub fn path(&self) -> Duration {
        (self.travelled + self.retransmission).min(self.took)
    }
}
