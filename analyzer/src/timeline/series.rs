//! Bytes, round trips and repetitions of a leg over time, thinned: a session of a second and one of a week take the same
//! room. The steps become twice as long, and two become one, whenever there are too many of them.

use std::time::Duration;

use crate::observation::Side;
use crate::time::Timestamp;

/// Steps that are kept.
const STEPS: usize = 96;
/// How long a step is at first.
const SHORTEST: Duration = Duration::from_millis(1);

/// What passed over a leg, and what its path was like, step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series {
    /// When the first step begins.
    pub began: Option<Timestamp>,
    /// Every step is 1 ms, twice so often.
    doubled: u32,
    /// How many steps there are, up to the last in which anything was seen.
    count: usize,
    /// Those in which anything was, by their place: a session that is silent keeps few.
    seen: Vec<(usize, Step)>,
}

/// One step of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Payload of client and server, bytes.
    pub bytes: [u64; 2],
    /// The least and the greatest round trip that was sampled.
    pub rtt: Option<(Duration, Duration)>,
    /// Segments that were sent again.
    pub again: u64,
}

impl Step {
    fn and(self, later: Step) -> Step {
        let rtt = match (self.rtt, later.rtt) {
            (Some((low, high)), Some((other_low, other_high))) => Some((low.min(other_low), high.max(other_high))),
            (one, other) => one.or(other),
        };
        let bytes = [self.bytes[0] + later.bytes[0], self.bytes[1] + later.bytes[1]];
        Step { bytes, rtt, again: self.again + later.again }
    }
}

impl Series {
    /// How long a step is.
    pub fn step(&self) -> Duration {
        SHORTEST * (1 << self.doubled)
    }

    /// How long all of them are together.
    pub fn length(&self) -> Duration {
        self.step().saturating_mul(u32::try_from(self.count).unwrap_or(u32::MAX))
    }

    /// The steps, up to the last in which anything was seen.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = vec![Step::default(); self.count];
        for (place, step) in &self.seen {
            steps[*place] = *step;
        }
        steps
    }

    pub(super) fn passed(&mut self, at: Timestamp, from: Side, len: u64) {
        self.at(at).bytes[from as usize] += len;
    }

    pub(super) fn sampled(&mut self, at: Timestamp, rtt: Option<Duration>, again: u64) {
        let rtt = rtt.filter(|rtt| !rtt.is_zero()).map(|rtt| (rtt, rtt));
        if rtt.is_some() || again > 0 {
            let step = self.at(at);
            *step = step.and(Step { rtt, again, ..Step::default() });
        }
    }

    /// The step of this moment. What comes late counts where the series begins.
    fn at(&mut self, at: Timestamp) -> &mut Step {
        let since = at.since(*self.began.get_or_insert(at)).as_nanos();
        // 1 ms, doubled so often, is longer than time itself.
        while since / self.step().as_nanos() >= STEPS as u128 && self.doubled < 31 {
            self.double();
        }
        let place = ((since / self.step().as_nanos()) as usize).min(STEPS - 1);
        self.count = self.count.max(place + 1);
        // What comes is mostly the latest.
        let at = match self.seen.last() {
            Some((last, _)) if *last == place => self.seen.len() - 1,
            _ => self.seen.partition_point(|(other, _)| *other < place),
        };
        if self.seen.get(at).is_none_or(|(other, _)| *other != place) {
            self.seen.insert(at, (place, Step::default()));
        }
        &mut self.seen[at].1
    }

    /// Two steps become one.
    fn double(&mut self) {
        let mut seen: Vec<(usize, Step)> = Vec::new();
        for (place, step) in self.seen.drain(..) {
            match seen.last_mut() {
                Some((last, before)) if *last == place / 2 => *before = before.and(step),
                _ => seen.push((place / 2, step)),
            }
        }
        (self.seen, self.count, self.doubled) = (seen, self.count.div_ceil(2), self.doubled + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::at(ms * 1_000_000)
    }

    #[test]
    fn a_week_takes_no_more_room_than_a_second_and_no_byte_is_lost() {
        let mut series = Series::default();
        for second in 0..7 * 24 * 3600 {
            series.passed(at(second * 1000), Side::Server, 100);
            series.sampled(at(second * 1000), Some(Duration::from_millis(second % 50)), u64::from(second % 1000 == 0));
        }
        assert!(series.steps().len() <= STEPS && series.steps().len() > STEPS / 2, "{}", series.steps().len());
        assert_eq!(series.steps().iter().map(|step| step.bytes[1]).sum::<u64>(), 7 * 24 * 3600 * 100);
        assert_eq!(series.steps().iter().map(|step| step.again).sum::<u64>(), 605);
        assert!(
            series.steps().iter().all(|step| step.rtt == Some((Duration::from_millis(1), Duration::from_millis(49))))
        );
    }

    #[test]
    fn a_moment_far_away_and_one_before_the_first_are_taken() {
        let mut series = Series::default();
        series.passed(at(500), Side::Client, 1);
        series.passed(at(100), Side::Client, 2);
        assert_eq!((series.steps().len(), series.steps()[0].bytes[0]), (1, 3));
        series.passed(Timestamp::at(u64::MAX), Side::Client, 4);
        assert!(series.steps().len() <= STEPS && series.step() > Duration::from_secs(3600));
        assert_eq!(series.steps().iter().map(|step| step.bytes[0]).sum::<u64>(), 7);
    }
}
