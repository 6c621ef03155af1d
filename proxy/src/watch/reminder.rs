//! When it is told that somebody is waited for: after 2, 5 and 10 seconds, then each time twice as late, and at least every
//! ten minutes. Told by the times of what was seen alone, live as when a recording is told again.

use std::time::Duration;

use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;
use analyzer::timeline::outstanding::Outstanding;

/// The first times.
const FIRST: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// No longer between two.
const APART: Duration = Duration::from_secs(600);

/// What one session waits for, and how often that was told.
#[derive(Debug, Default)]
pub(super) struct Reminder {
    since: Timestamp,
    told: usize,
}

/// That something has been outstanding for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub owed: Outstanding,
    pub after: Duration,
    /// When it is to be told: so much later, and by as much as nobody watched meanwhile.
    pub at: Timestamp,
}

impl Reminder {
    /// What is to be told next, if nothing happens until then.
    pub fn next(&self, timeline: &Timeline) -> Option<Due> {
        let owed = timeline.outstanding()?;
        let told = if owed.since == self.since { self.told } else { 0 };
        let after = after(told);
        let at = owed.since + after + timeline.last.unwatched_since(owed.since);
        Some(Due { owed, after, at })
    }

    /// It is told.
    pub fn tell(&mut self, due: &Due) {
        let told = if due.owed.since == self.since { self.told } else { 0 };
        (self.since, self.told) = (due.owed.since, told + 1);
    }
}

/// After how long it is told when it was told so often.
fn after(told: usize) -> Duration {
    if let Some(first) = FIRST.get(told) {
        return *first;
    }
    let (mut after, mut step) = (FIRST[FIRST.len() - 1], FIRST[FIRST.len() - 1]);
    for _ in FIRST.len()..=told {
        after += step.min(APART);
        step = (step * 2).min(APART);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_less_and_less_often_and_never_stops() {
        let seconds: Vec<u64> = (0..12).map(|told| after(told).as_secs()).collect();
        assert_eq!(seconds, [2, 5, 10, 20, 40, 80, 160, 320, 640, 1240, 1840, 2440]);
    }
}
