//! The stretches in which nobody watched a recording's sessions, and how much of them is over at a moment.
//!
//! A relay that was stopped finds out when it runs again. What the kernel has stamped meanwhile is known all the same: the
//! first of it was what was waited for, so that a stretch begins there. What comes later in it waited for the relay itself.

use std::time::Duration;

use crate::time::Timestamp;

/// Stretches that are kept. By what comes so late that its own is not, all of them are over.
const KEPT: usize = 256;

/// The stretches so far.
#[derive(Debug, Default)]
pub(super) struct Stops {
    all: Vec<Stop>,
    /// The latest moment of which anything was seen.
    seen: u64,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    from: u64,
    until: u64,
    /// How long those before it were.
    before: u64,
}

impl Stops {
    /// The same moment, with what nobody had watched by then.
    pub fn stamp(&mut self, at: Timestamp) -> Timestamp {
        self.seen = self.seen.max(at.0);
        let last = self.all.iter().rev().find(|stop| at.0 > stop.from);
        last.map_or(at, |stop| at.unwatched(stop.before + (at.0.min(stop.until) - stop.from)))
    }

    /// Nobody has watched for so long, but for what was seen of it.
    pub fn push(&mut self, until: Timestamp, lasted: Duration) {
        let from = until.before(lasted).0.max(self.seen);
        let before = self.all.last().map_or(0, |last| last.before + (last.until - last.from));
        if from < until.0 {
            if self.all.len() == KEPT {
                self.all.remove(0);
            }
            self.all.push(Stop { from, until: until.0, before });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What nobody had watched by these moments, one after the other.
    fn unwatched(stops: &mut Stops, moments: &[u64]) -> Vec<u64> {
        let began = Timestamp::at(0);
        moments.iter().map(|at| stops.stamp(Timestamp::at(*at)).unwatched_since(began).as_nanos() as u64).collect()
    }

    #[test]
    fn a_stop_begins_behind_what_was_seen_of_it() {
        let mut stops = Stops::default();
        assert_eq!(unwatched(&mut stops, &[100, 1300]), [0, 0]);
        stops.push(Timestamp::at(6300), Duration::from_nanos(6000));
        assert_eq!(unwatched(&mut stops, &[1300, 2000, 6300, 6301, 9000]), [0, 700, 5000, 5000, 5000]);
        stops.push(Timestamp::at(9500), Duration::from_nanos(300));
        assert_eq!(unwatched(&mut stops, &[9400, 9900, 6301, 1000]), [5200, 5300, 5000, 0]);
    }

    #[test]
    fn of_one_stop_that_is_told_twice_nothing_counts_twice() {
        let mut stops = Stops::default();
        stops.push(Timestamp::at(500), Duration::from_nanos(300));
        stops.stamp(Timestamp::at(500));
        stops.push(Timestamp::at(500), Duration::from_nanos(300));
        assert_eq!(unwatched(&mut stops, &[600]), [300]);
    }

    #[test]
    fn any_number_of_stops_adds_up() {
        let mut stops = Stops::default();
        (1..=2000).for_each(|at| stops.push(Timestamp::at(at * 10), Duration::from_nanos(4)));
        assert_eq!(unwatched(&mut stops, &[20_000]), [8000]);
        assert_eq!(stops.all.len(), KEPT);
    }
}
