//! The only clock: nanoseconds since the Unix epoch that never go backwards.
//!
//! The wall clock is read once, when the clock is made. From then on the monotonic clock counts, so that a step of the
//! wall clock (a first NTP answer, an administrator) cannot turn a phase's length negative. The cost: after such a step
//! a long-running proxy stamps by the wall clock of its start.

use std::sync::OnceLock;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_backwards_and_is_set_by_the_wall_clock() {
        let clock = Clock::new();
        let times: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        assert!(times[0].seconds().abs_diff(wall) < 60);
    }
}
