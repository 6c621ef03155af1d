//! Notices that this process did not run for a while, and that the wall clock was set.
//!
//! A beat every 250 ms reads the clocks. One that comes late tells that nobody here ran meanwhile: the process was stopped,
//! its machine slept, or was starved. Whoever notes what was seen looks first whether the beat is late, so that a stop is
//! told before anything that was seen after it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use analyzer::observation::Lapse;
use analyzer::time::Timestamp;

use crate::clock::{self, Reading};

/// How often the clocks are read.
pub(crate) const BEAT: Duration = Duration::from_millis(250);
/// A beat that is so late was stopped. What is charged to anybody is a second at least: with less than half of that
/// unnoticed, most of it is somebody's own. A machine that is only busy wakes who is to be woken some ten ms late.
const LATE: Duration = Duration::from_millis(500);
/// A wall clock that moves against the others by more than this from one beat to the next was set: clocks that are only
/// drawn to the right time (adjtime: 0.5 ms in a second, chrony: 83 ms in a second at most) move by 21 ms.
const STEP: Duration = Duration::from_millis(50);

/// The last beat.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// When it was, by the clock of this process; 0 where there is none.
    last: AtomicU64,
    reading: Mutex<Option<Reading>>,
}

impl Pulse {
    /// Whether the next beat is late at this moment.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let last = self.last.load(Ordering::Acquire);
        last != 0 && now.0.saturating_sub(last) > (BEAT + LATE).as_nanos() as u64
    }

    /// Reads the clocks, and tells what befell this process since they were last read. Whoever finds the beat in time again
    /// finds that told.
    pub fn beat(&self, tell: impl FnMut(Timestamp, Lapse)) {
        self.beat_by(clock::read, tell);
    }

    fn beat_by(&self, read: impl FnOnce() -> Reading, mut tell: impl FnMut(Timestamp, Lapse)) {
        let mut before = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let now = read();
        if let Some(before) = *before {
            between(&before, &now).into_iter().flatten().for_each(|lapse| tell(now.at, lapse));
        }
        *before = Some(now);
        self.last.store(now.at.0, Ordering::Release);
    }

    /// Nobody beats any more.
    pub fn rest(&self) {
        let mut before = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *before = None;
        self.last.store(0, Ordering::Release);
    }
}

/// What befell this process between two beats.
fn between(before: &Reading, now: &Reading) -> [Option<Lapse>; 2] {
    let lasted = now.at.since(before.at);
    let awake = now.awake.zip(before.awake).map(|(now, before)| now.saturating_sub(before));
    let asleep = awake.map(|awake| lasted.saturating_sub(awake)).filter(|asleep| *asleep > STEP);
    let stopped = (lasted > BEAT + LATE).then_some(Lapse::Stopped { lasted, asleep });
    let by = Duration::from_nanos(now.ahead.abs_diff(before.ahead));
    let stepped = (by > STEP).then_some(Lapse::Stepped { by, forward: now.ahead > before.ahead });
    [stopped, stepped]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// What is told of a beat `ms` after the one before, of which the machine was awake for `awake` ms and by which the wall
    /// clock was set by `set` ms.
    fn told(ms: u64, awake: u64, set: i64) -> Vec<Lapse> {
        let pulse = Pulse::default();
        let first = Reading { at: Timestamp::at(5000 * MS), awake: Some(Duration::from_secs(7)), ahead: 3 };
        let second = Reading {
            at: Timestamp::at((5000 + ms) * MS),
            awake: Some(Duration::from_millis(7000 + awake)),
            ahead: 3 + set * MS as i64,
        };
        let mut told = Vec::new();
        pulse.beat_by(|| first, |_, lapse| told.push(lapse));
        assert_eq!(told, [], "nothing is known of before the first beat");
        assert_eq!(pulse.is_late(second.at), ms > 750);
        pulse.beat_by(|| second, |_, lapse| told.push(lapse));
        assert!(!pulse.is_late(second.at));
        told
    }

    #[test]
    fn a_beat_that_is_late_was_stopped_and_a_busy_machine_is_none() {
        let ms = Duration::from_millis;
        assert_eq!(told(250, 250, 0), []);
        assert_eq!(told(700, 700, 20), []);
        assert_eq!(told(6250, 6250, 0), [Lapse::Stopped { lasted: ms(6250), asleep: None }]);
        assert_eq!(told(60_000, 100, 0), [Lapse::Stopped { lasted: ms(60_000), asleep: Some(ms(59_900)) }]);
        assert_eq!(told(250, 250, 3_600_000), [Lapse::Stepped { by: ms(3_600_000), forward: true }]);
        assert_eq!(told(250, 250, -60), [Lapse::Stepped { by: ms(60), forward: false }]);
        assert_eq!(told(1000, 1000, -60).len(), 2);
    }

    #[test]
    fn where_nobody_beats_nothing_is_late() {
        let pulse = Pulse::default();
        assert!(!pulse.is_late(Timestamp::at(u64::MAX)));
        pulse.beat(|_, _| {});
        assert!(pulse.is_late(Timestamp::at(u64::MAX)));
        pulse.rest();
        assert!(!pulse.is_late(Timestamp::at(u64::MAX)));
    }
}
