//! That the program that watches was stopped, or its clock set. Lengths of time are without a stop already
//! ([`crate::time::Timestamp::since`]): here is what is to be told of it.

use std::time::Duration;

use super::Timeline;
use super::facts::{Facts, Mark, Sighting};
use crate::observation::Lapse;
use crate::time::Timestamp;

/// Lapses that are kept one by one: a machine that is starved for long has many.
const KEPT: usize = 64;

/// What befell the program that watches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lapses {
    /// The first ones.
    pub first: Vec<Sighting<Lapse>>,
    /// The last one.
    pub last: Option<Sighting<Lapse>>,
    /// How many there were.
    pub count: u64,
    /// For how long it was stopped in all.
    pub stopped: Duration,
}

impl Lapses {
    /// Whether the clock on the wall was set.
    pub fn is_stepped(&self) -> bool {
        self.first.iter().chain(&self.last).any(|seen| matches!(seen.what, Lapse::Stepped { .. }))
    }
}

impl Facts {
    pub(super) fn lapsed(&mut self, mark: Mark, lapse: Lapse) {
        let lapses = &mut self.lapses;
        // Each connection of a session tells of it.
        if lapses.last.is_some_and(|last| last.what == lapse && last.mark.at.0 == mark.at.0) {
            return;
        }
        let seen = Sighting { what: lapse, mark };
        if lapses.first.len() < KEPT {
            lapses.first.push(seen);
        }
        (lapses.last, lapses.count) = (Some(seen), lapses.count + 1);
        if let Lapse::Stopped { lasted, .. } = lapse {
            lapses.stopped += lasted;
        }
    }
}

impl Timeline {
    /// A moment of the clock on the wall at which the session goes on: with what nobody had watched by then, as far as that is
    /// known.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        self.last + now.after(self.last)
    }

    /// The last time that the program that watches was stopped.
    pub fn last_stop(&self) -> Option<(Mark, Duration)> {
        let lapses = &self.facts.lapses;
        lapses.last.iter().chain(lapses.first.iter().rev()).find_map(|seen| match seen.what {
            Lapse::Stopped { lasted, .. } => Some((seen.mark, lasted)),
            Lapse::Stepped { .. } => None,
        })
    }
}
