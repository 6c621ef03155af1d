//! Two sessions side by side, one that went well and one that did not, or the two legs of a relayed one: where they part,
//! which facts differ, and which phases took longer. It says what is different, not why.

mod portrait;

use std::time::Duration;

use crate::attempt::Diagnosed;
use crate::observation::Leg;
use crate::timeline::phase::{Outcome, PhaseName};
use portrait::{Fact, Measure, Portrait, Step, Stop};

/// A phase stands out where it took so many times as long, and so much longer.
const TIMES: f64 = 3.0;
const LONGER: Duration = Duration::from_millis(100);

/// What was compared, and what differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What each is called.
    pub names: [String; 2],
    /// The first phase in which they differ, if any does.
    pub parting: Option<Parting>,
    /// Facts that differ, in the order of the phases.
    pub facts: Vec<Difference>,
    /// Every phase of either.
    pub phases: Vec<PhasePair>,
    /// Numbers of the path and of the bytes, beside each other.
    pub measures: Vec<MeasurePair>,
}

/// Where two sessions part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    /// In which phase.
    pub phase: PhaseName,
    /// What differs there first.
    pub says: String,
}

/// A fact that is not the same, or is known of one alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The phase that it belongs to; nothing where it is the session's as a whole.
    pub phase: Option<PhaseName>,
    /// What it is.
    pub name: &'static str,
    /// What it is for each.
    pub says: [Option<String>; 2],
    /// Whether it can change how a session goes. What names a session, a cookie say, cannot.
    pub matters: bool,
}

/// A phase of both.
#[derive(Debug, Clone, PartialEq)]
pub struct PhasePair {
    /// Which.
    pub phase: PhaseName,
    /// How long it took, where packets have times, and how it went; nothing where it was not reached.
    pub took: [Option<(Option<Duration>, Outcome)>; 2],
    /// The second's time by the first's.
    pub ratio: Option<f64>,
    /// Whether one took far longer.
    pub stands_out: bool,
}

/// A number of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurePair {
    /// What it is, with its unit.
    pub name: &'static str,
    /// How much for each.
    pub numbers: [Option<u64>; 2],
}

impl Comparison {
    /// Two sessions.
    pub fn of_sessions(good: &Diagnosed, bad: &Diagnosed) -> Comparison {
        compare(&Portrait::of_session(good), &Portrait::of_session(bad))
    }

    /// The legs of a relayed session: what the client said and saw, and what the server did. `None` where it has not both.
    pub fn of_legs(session: &Diagnosed) -> Option<Comparison> {
        Some(compare(&Portrait::of_leg(session, Leg::Front)?, &Portrait::of_leg(session, Leg::Back)?))
    }

    /// Whether something differs that matters.
    pub fn differs(&self) -> bool {
        self.facts.iter().any(|fact| fact.matters)
            || self.phases.iter().any(|pair| pair.stands_out || pair.went_otherwise())
    }
}

impl PhasePair {
    /// Whether one went through it and the other did not.
    pub fn went_otherwise(&self) -> bool {
        let how = |of: usize| self.took[of].map(|(_, outcome)| outcome == Outcome::Failed);
        how(0) != how(1)
    }
}

fn compare(left: &Portrait, right: &Portrait) -> Comparison {
    let facts = facts(&left.facts, &right.facts);
    let phases = phases(&left.steps, &right.steps);
    let parting = match parted(left.stopped, right.stopped) {
        Some(phase) => Some(Parting { phase, says: what_differs_in(phase, &facts) }),
        None => parting(&facts, &phases),
    };
    let measures = left.measures.iter().zip(&right.measures).map(|(left, right): (&Measure, &Measure)| MeasurePair {
        name: left.name,
        numbers: [left.number, right.number],
    });
    let measures = measures.filter(|pair| pair.numbers != [None, None]).collect();
    Comparison { names: [left.name.clone(), right.name.clone()], parting, facts, phases, measures }
}

/// Facts of the same phase and name belong together.
fn facts(left: &[Fact], right: &[Fact]) -> Vec<Difference> {
    let same = |one: &Fact, other: &Fact| (one.phase, one.name) == (other.phase, other.name);
    let says = |all: &[Fact], fact: &Fact| all.iter().find(|one| same(one, fact)).map(|one| one.says.clone());
    let only_right = right.iter().filter(|fact| !left.iter().any(|one| same(one, fact)));
    let all = left.iter().chain(only_right);
    let pairs = all.map(|fact| Difference {
        phase: fact.phase,
        name: fact.name,
        says: [says(left, fact), says(right, fact)],
        matters: fact.matters,
    });
    let mut differences: Vec<Difference> = pairs.filter(|pair| pair.says[0] != pair.says[1]).collect();
    differences.sort_by_key(|difference| (difference.phase.is_none(), difference.phase));
    differences
}

fn phases(left: &[Step], right: &[Step]) -> Vec<PhasePair> {
    let mut names: Vec<PhaseName> = left.iter().chain(right).map(|step| step.phase).collect();
    names.sort_unstable();
    names.dedup();
    let find = |all: &[Step], phase| all.iter().find(|step| step.phase == phase).map(|step| (step.took, step.outcome));
    names.into_iter().map(|phase| pair(phase, [find(left, phase), find(right, phase)])).collect()
}

fn pair(phase: PhaseName, took: [Option<(Option<Duration>, Outcome)>; 2]) -> PhasePair {
    let times = took[0].zip(took[1]).and_then(|((left, _), (right, _))| left.zip(right));
    let ratio = times.filter(|(left, _)| !left.is_zero()).map(|(left, right)| right.as_secs_f64() / left.as_secs_f64());
    // How long somebody worked is no difference.
    let stands_out = phase != PhaseName::Active && times.is_some_and(|(left, right)| is_longer(left, right));
    PhasePair { phase, took, ratio, stands_out }
}

fn is_longer(left: Duration, right: Duration) -> bool {
    let (short, long) = (left.min(right), left.max(right));
    long.saturating_sub(short) >= LONGER && long.as_secs_f64() >= TIMES * short.as_secs_f64()
}

/// Where one stopped and the other went on: there they part, whatever differed before without stopping either. `None` where
/// both stopped at the same place, or neither did.
fn parted(left: Option<Stop>, right: Option<Stop>) -> Option<PhaseName> {
    match (left, right) {
        (Some(one), Some(other)) if one == other => None,
        (Some(one), Some(other)) => Some(one.phase.min(other.phase)),
        (one, other) => one.or(other).map(|stop| stop.phase),
    }
}

/// What both said there, and said otherwise; else it is how it went.
fn what_differs_in(phase: PhaseName, facts: &[Difference]) -> String {
    let told = |fact: &&Difference| fact.matters && fact.phase == Some(phase) && fact.says.iter().all(Option::is_some);
    facts.iter().find(told).map_or("how it went", |fact| fact.name).to_owned()
}

fn parting(facts: &[Difference], phases: &[PhasePair]) -> Option<Parting> {
    let find = |both: bool| {
        let mut facts = facts.iter().filter(|fact| fact.matters && fact.says.iter().all(Option::is_some) == both);
        facts.find_map(|fact| Some(Parting { phase: fact.phase?, says: fact.name.to_owned() }))
    };
    let phase = phases.iter().find(|pair| pair.went_otherwise() || pair.stands_out).map(|pair| Parting {
        phase: pair.phase,
        says: if pair.stands_out { "the time it took" } else { "how it went" }.to_owned(),
    });
    // Of one phase it tells most what both said, and said otherwise; least, that one said nothing.
    [find(true), phase, find(false)].into_iter().flatten().min_by_key(|parting| parting.phase)
}
