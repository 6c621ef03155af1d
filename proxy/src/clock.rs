//! The only clock: nanoseconds since the Unix epoch that never go backwards.
//!
//! The wall clock is read once, when the clock is made. From then on the monotonic clock counts, so that a step of the
//! wall clock (a first NTP answer, an administrator) cannot turn a phase's length negative. The cost: after such a step
//! a long-running proxy stamps by the wall clock of its start.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use analyzer::time::Timestamp;

/// A monotonic clock set by the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Instant,
    epoch: Duration,
}

impl Clock {
    /// A clock set by the wall clock as it stands now.
    #[allow(clippy::new_without_default)] // A default that reads the time would be a surprise.
    pub fn new() -> Clock {
        let before = Instant::now();
        // A wall clock before 1970 is a machine without one: its recordings begin at the epoch.
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let anchor = before + before.elapsed() / 2;
        Clock { anchor, epoch }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let since = self.epoch + self.anchor.elapsed();
        Timestamp(since.as_nanos().min(u64::MAX.into()) as u64)
    }
}

/// The time now, by the clock of this process.
pub fn now() -> Timestamp {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    CLOCK.get_or_init(Clock::new).now()
}

/// A wall clock that is adjusted by more than this from one question to the next was stepped, or nobody asked for long.
const STEP: Duration = Duration::from_millis(1);

/// When it was so late by the wall clock, a moment of the recent past, by the clock of this process. `None` where the wall
/// clock was stepped since this was last asked: then the two cannot be compared.
pub fn of_wall(then: Duration) -> Option<Timestamp> {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let (wall, now) = (SystemTime::now().duration_since(UNIX_EPOCH).ok()?, now());
    let ahead = (wall.as_nanos() as u64).wrapping_sub(now.0) as i64;
    let before = AHEAD.swap(ahead, Ordering::Relaxed);
    let age = wall.checked_sub(then).filter(|_| u128::from(ahead.abs_diff(before)) <= STEP.as_nanos())?;
    Some(Timestamp(now.0.saturating_sub(age.as_nanos() as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_the_wall_clock_is_found_again() {
        let before = now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let _first = of_wall(wall);
        let found = of_wall(wall).expect("no step");
        assert!(found >= before.max(Timestamp(1)) && found <= now(), "{before:?} {found:?}");
        assert_eq!(of_wall(wall + Duration::from_secs(3600)), None, "the future is none");
    }

    #[test]
    fn never_goes_backwards_and_is_set_by_the_wall_clock() {
        let clock = Clock::new();
        let times: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        assert!(times[0].seconds().abs_diff(wall) < 60);
    }
}
