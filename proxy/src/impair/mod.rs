//! Impairment: what is to be done to a session on purpose, and the lines in which its bytes wait for it.
//!
//! ```text
//!  --impair ──> Spec ─┐
//!                     ▼
//!  bytes, FIN ──> Impair ── a Line for each direction ──> bytes, FIN, when they are due
//!                     └──> what took effect, to be noted
//! ```
//!
//! Nothing in here knows a socket or a clock: bytes come in with the time, and go out when they are due. Whoever carries them
//! asks [`Impair::due`] when to come again. A line is bounded: where it is full, [`Impair::room`] says so, and whoever reads
//! has to stop, which holds the sender back as a narrow path would. Bytes of one side never overtake each other, and its FIN
//! never overtakes its bytes.
//!
//! Several impairments of one direction add up: delays are added, the narrowest bandwidth counts, and one stall is enough.

mod line;
mod phases;
mod spec;

#[cfg(test)]
mod tests;

use std::time::Duration;

use analyzer::observation::{Deed, Impairment, Leg, Side, Step};
use analyzer::time::Timestamp;
use analyzer::timeline::phase::PhaseName;
use bytes::Bytes;

pub use line::Item;
use line::Line;
pub(crate) use phases::Phases;
pub use spec::{Moment, Spec, SpecError};

/// Waits in a line besides what is under way: a small router's queue, bytes.
const QUEUE: usize = 16 << 10;
/// Waits in a line at most, bytes.
const MOST: usize = 4 << 20;

/// What is asked for, of every session alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The impairments.
    pub specs: Vec<Spec>,
    /// What their jitter is made of.
    pub seed: u64,
}

/// One session's impairments. With each piece of payload `T` is kept, and given back with it.
#[derive(Debug)]
pub struct Impair<T> {
    began: Timestamp,
    seed: u64,
    parts: Vec<Part>,
    /// What the client says, what the server says.
    lines: [Line<T>; 2],
    random: Random,
    /// Who has ended.
    ended: [bool; 2],
    /// Whose direction was closed on purpose: what he says further is given up.
    shut: [bool; 2],
    /// Payload that was given up so, bytes.
    lost: [u64; 2],
}

/// One impairment.
#[derive(Debug, Clone)]
struct Part {
    spec: Spec,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// In effect, until then if it has an end.
    On(Option<Timestamp>),
    Over,
}

impl<T: Clone> Impair<T> {
    /// Those of a session that began then. Its number makes its jitter another than that of the one before.
    pub fn new(asked: &Asked, session: u32, began: Timestamp) -> Impair<T> {
        let parts = asked.specs.iter().map(|spec| Part { spec: spec.clone(), state: State::Waiting }).collect();
        Impair {
            began,
            seed: asked.seed,
            parts,
            lines: [Line::default(), Line::default()],
            random: Random(asked.seed ^ u64::from(session).rotate_left(32)),
            ended: [false; 2],
            shut: [false; 2],
            lost: [0; 2],
        }
    }

    /// Whether a phase is still waited for.
    pub fn awaits_phase(&self) -> bool {
        let awaits = |part: &Part| part.state == State::Waiting && matches!(part.spec.moment, Moment::Phase(_));
        self.parts.iter().any(awaits)
    }

    /// It is so late, and these phases have begun: what takes effect by that, and what is over, with the leg it is of.
    pub fn advance(&mut self, now: Timestamp, phases: &[PhaseName]) -> Vec<(Leg, Impairment)> {
        let mut told = Vec::new();
        for place in 0..self.parts.len() {
            if self.is_due(&self.parts[place].spec, now, phases) && self.parts[place].state == State::Waiting {
                told.push(self.tell(place, Step::Begins));
                self.begin(place, now);
            }
            if let State::On(Some(until)) = self.parts[place].state
                && until <= now
            {
                told.push(self.tell(place, Step::Over));
                self.parts[place].state = State::Over;
                self.lines.iter_mut().for_each(|line| line.resume(until));
            }
        }
        told
    }

    fn is_due(&self, spec: &Spec, now: Timestamp, phases: &[PhaseName]) -> bool {
        match spec.moment {
            Moment::Start => true,
            Moment::At(after) => self.began + after <= now,
            Moment::Phase(name) => phases.contains(&name),
        }
    }

    fn begin(&mut self, place: usize, now: Timestamp) {
        let spec = &self.parts[place].spec;
        let (deed, until) = (spec.deed, spec.lasts.map(|lasts| now + lasts));
        self.parts[place].state = State::On(until);
        match deed {
            Deed::Bandwidth { .. } => self.lines.iter_mut().for_each(|line| line.resume(now)),
            Deed::Close { by } => {
                self.end(by, now);
                self.shut[by as usize] = true;
            }
            Deed::Latency { .. } | Deed::Stall | Deed::Reset { .. } => {}
        }
    }

    fn tell(&self, place: usize, step: Step) -> (Leg, Impairment) {
        let spec = &self.parts[place].spec;
        let has_jitter = matches!(spec.deed, Deed::Latency { jitter, .. } if !jitter.is_zero());
        let seed = has_jitter.then_some(self.seed);
        let impairment = Impairment { asked: spec.to_string(), step, deed: spec.deed, from: spec.from, seed };
        (spec.leg, impairment)
    }

    /// In whose name both legs are to be reset now.
    pub fn reset(&self) -> Option<Side> {
        self.parts.iter().find_map(|part| match (part.spec.deed, part.state) {
            (Deed::Reset { by }, State::On(_)) => Some(by),
            _ => None,
        })
    }

    /// How much more of this side may be taken, bytes.
    pub fn room(&self, from: Side) -> usize {
        let Effect { delay, jitter, rate, .. } = self.effect(from);
        let longest = delay + jitter;
        let under_way = match rate {
            _ if longest.is_zero() => 0,
            Some(rate) => (rate as f64 * longest.as_secs_f64()) as usize,
            None => MOST,
        };
        under_way.saturating_add(QUEUE).min(MOST).saturating_sub(self.lines[from as usize].cost())
    }

    /// This side said this.
    pub fn push(&mut self, from: Side, data: Bytes, with: T, now: Timestamp) {
        if self.shut[from as usize] {
            self.lost[from as usize] += data.len() as u64;
            return;
        }
        let ready = now + self.delay(from);
        self.lines[from as usize].push(Item::Bytes(data, with), ready);
    }

    /// This side says nothing more: its FIN, or its RST, is to come behind what it said.
    pub fn end(&mut self, from: Side, now: Timestamp) {
        if std::mem::replace(&mut self.ended[from as usize], true) {
            return;
        }
        let ready = now + self.delay(from);
        self.lines[from as usize].push(Item::End, ready);
        if self.ended == [true; 2] {
            self.let_go(now);
        }
    }

    /// Nobody is left to whom it would matter that nothing passes: a stall without an end has one.
    fn let_go(&mut self, now: Timestamp) {
        for part in self.parts.iter_mut().filter(|part| part.spec.deed == Deed::Stall) {
            if part.state == State::On(None) {
                part.state = State::On(Some(now));
            }
        }
    }

    /// What this side said and is to be passed on by now; call it until there is nothing more.
    pub fn take(&mut self, from: Side, now: Timestamp) -> Option<Item<T>> {
        let Effect { stalls, rate, .. } = self.effect(from);
        if stalls { None } else { self.lines[from as usize].take(now, rate) }
    }

    /// When this side's line has something to pass on next, as far as that is known.
    pub fn due_from(&self, from: Side) -> Option<Timestamp> {
        let Effect { stalls, rate, .. } = self.effect(from);
        let due = self.lines[from as usize].due(rate)?;
        if stalls { self.stalls_until(from) } else { Some(due) }
    }

    /// When nothing stalls this side any more, if that will ever be.
    fn stalls_until(&self, from: Side) -> Option<Timestamp> {
        let stalls = |part: &&Part| part.spec.deed == Deed::Stall && part.spec.from.is_none_or(|side| side == from);
        let ends = self.parts.iter().filter(stalls).filter_map(|part| match part.state {
            State::On(until) => Some(until),
            State::Waiting | State::Over => None,
        });
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// When something is to be done at the latest: to pass on what waits, or because an impairment begins or is over.
    pub fn due(&self) -> Option<Timestamp> {
        let lines = [Side::Client, Side::Server].into_iter().filter_map(|from| self.due_from(from));
        lines.chain(self.moment()).min()
    }

    /// When an impairment begins or is over next.
    pub fn moment(&self) -> Option<Timestamp> {
        let moments = self.parts.iter().filter_map(|part| match (part.state, part.spec.moment) {
            (State::On(until), _) => until,
            (State::Waiting, Moment::At(after)) => Some(self.began + after),
            (State::Waiting, Moment::Start) => Some(self.began),
            (State::Waiting, Moment::Phase(_)) | (State::Over, _) => None,
        });
        moments.min()
    }

    /// Whether nothing of this side waits.
    pub fn is_empty(&self, from: Side) -> bool {
        self.lines[from as usize].is_empty()
    }

    /// Gives up what waits of this side, and tells how much of it was or had been given up, bytes.
    pub fn give_up(&mut self, from: Side) -> u64 {
        self.ended[from as usize] = false;
        self.lines[from as usize].clear() + std::mem::take(&mut self.lost[from as usize])
    }

    fn delay(&mut self, from: Side) -> Duration {
        let Effect { delay, jitter, .. } = self.effect(from);
        if jitter.is_zero() {
            return delay;
        }
        // Evenly from delay - jitter to delay + jitter.
        delay - jitter + (jitter * 2).mul_f64(self.random.share())
    }

    /// What is in effect for what this side says.
    fn effect(&self, from: Side) -> Effect {
        let mut effect = Effect::default();
        let is_on = |part: &&Part| matches!(part.state, State::On(_)) && part.spec.from.is_none_or(|side| side == from);
        for part in self.parts.iter().filter(is_on) {
            match part.spec.deed {
                Deed::Latency { delay, jitter } => {
                    effect.delay += delay;
                    effect.jitter += jitter;
                }
                Deed::Bandwidth { bytes_per_second: rate } => {
                    effect.rate = Some(effect.rate.map_or(rate, |known| known.min(rate)));
                }
                Deed::Stall => effect.stalls = true,
                Deed::Close { .. } | Deed::Reset { .. } => {}
            }
        }
        effect
    }
}

/// All that is in effect for one direction, taken together.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    delay: Duration,
    jitter: Duration,
    /// Bytes in a second.
    rate: Option<u64>,
    stalls: bool,
}

/// Numbers that look random: SplitMix64 (Steele, Lea, Flood 2014). The same from the same seed, on every machine.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
