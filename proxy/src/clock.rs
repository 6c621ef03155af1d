//! The only clock: nanoseconds since the Unix epoch that never go backwards, and go on while the machine sleeps.
//!
//! The wall clock is read once, when the clock is made. From then on a clock counts that nobody sets, so that a step of the
//! wall clock (a first NTP answer, an administrator) cannot turn a phase's length negative. [`ahead`] tells how far the two
//! are apart by now: each recording begins by the wall clock as it stands then.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use analyzer::time::Timestamp;

/// A clock that is set once, by the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Duration,
    epoch: Duration,
}

impl Clock {
    /// A clock set by the wall clock as it stands now.
    #[allow(clippy::new_without_default)] // A default that reads the time would be a surprise.
    pub fn new() -> Clock {
        let before = os::elapsed();
        let epoch = wall();
        let anchor = before + os::elapsed().saturating_sub(before) / 2;
        Clock { anchor, epoch }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let since = self.epoch + os::elapsed().saturating_sub(self.anchor);
        Timestamp::at(since.as_nanos().min(u64::MAX.into()) as u64)
    }
}

/// The time now, by the clock of this process.
pub fn now() -> Timestamp {
    clock().now()
}

fn clock() -> &'static Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    CLOCK.get_or_init(Clock::new)
}

/// What the clocks of this machine say, at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The clock of this process.
    pub at: Timestamp,
    /// A clock that stands while the machine sleeps; `None` where there is none.
    pub awake: Option<Duration>,
    /// By how many nanoseconds the wall clock is ahead of the clock of this process.
    pub ahead: i64,
}

/// Readings that a moment's stop tore apart are taken again, so often at most.
const TRIES: usize = 5;
/// What clocks take to be read one behind the other, with room.
const TOGETHER: Duration = Duration::from_micros(200);

/// Reads all of them.
pub(crate) fn read() -> Reading {
    let (at, (awake, wall)) = together(|| (os::awake(), wall()));
    Reading { at, awake, ahead: (wall.as_nanos() as u64).wrapping_sub(at.0) as i64 }
}

/// What another clock says, and the time by this one, as one moment.
fn together<T>(read: impl Fn() -> T) -> (Timestamp, T) {
    let mut tries = TRIES;
    loop {
        let before = now();
        let other = read();
        let at = now();
        tries -= 1;
        if at.since(before) <= TOGETHER || tries == 0 {
            return (at, other);
        }
    }
}

/// What the wall clock may be off without having been set: what two readings one behind the other differ by.
const SLACK: u64 = 1_000_000;

/// By how many nanoseconds the wall clock is ahead of the clock of this process now: 0 unless it was set since the start.
pub fn ahead() -> i64 {
    let ahead = read().ahead;
    if ahead.unsigned_abs() <= SLACK { 0 } else { ahead }
}

/// The same moment by a clock that is so many nanoseconds ahead.
pub fn shifted(at: Timestamp, ahead: i64) -> Timestamp {
    Timestamp::at(at.0.saturating_add_signed(ahead))
}

/// A wall clock before 1970 is a machine without one: its recordings begin at the epoch.
fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A wall clock that is adjusted by more than this from one question to the next was stepped, or nobody asked for long.
const STEP: Duration = Duration::from_millis(1);

/// When it was so late by the wall clock, a moment of the recent past, by the clock of this process. `None` where the wall
/// clock was stepped since then, or since this was last asked: then the two cannot be compared.
pub fn of_wall(then: Duration) -> Option<Timestamp> {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    static STEPPED: AtomicU64 = AtomicU64::new(0);
    let (now, wall) = together(wall);
    let ahead = (wall.as_nanos() as u64).wrapping_sub(now.0) as i64;
    let before = AHEAD.swap(ahead, Ordering::Relaxed);
    if u128::from(ahead.abs_diff(before)) > STEP.as_nanos() {
        STEPPED.store(now.0, Ordering::Relaxed);
        return None;
    }
    let found = now.before(wall.checked_sub(then)?);
    // What is stamped by the clock as it was before is not found by the clock as it is.
    let known = Duration::from_nanos(STEPPED.load(Ordering::Relaxed)).max(clock().epoch);
    (Duration::from_nanos(found.0) >= known).then_some(found)
}

/// `CLOCK_BOOTTIME` goes on while the machine sleeps, and `CLOCK_MONOTONIC` does not; on Apple's systems it is
/// `CLOCK_MONOTONIC` that goes on, and [`Instant`] that does not.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod os {
    use rustix::time::{ClockId, clock_gettime};

    use super::{Duration, Instant, OnceLock};

    #[cfg(not(target_vendor = "apple"))]
    const GOES_ON: ClockId = ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const GOES_ON: ClockId = ClockId::Monotonic;

    pub(super) fn elapsed() -> Duration {
        let time = clock_gettime(GOES_ON);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    pub(super) fn awake() -> Option<Duration> {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        Some(FIRST.get_or_init(Instant::now).elapsed())
    }
}

/// On Windows the performance counter goes on while the machine sleeps. Of other systems nothing is known.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod os {
    use super::{Duration, Instant, OnceLock};

    pub(super) fn elapsed() -> Duration {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        FIRST.get_or_init(Instant::now).elapsed()
    }

    #[cfg(windows)]
    pub(super) fn awake() -> Option<Duration> {
        crate::tcp_info::awake()
    }

    #[cfg(not(windows))]
    pub(super) fn awake() -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_the_wall_clock_is_found_again() {
        let _first = of_wall(wall());
        let before = now();
        let wall = wall();
        let found = of_wall(wall).expect("no step");
        assert!(found >= before.max(Timestamp::at(1)) && found <= now(), "{before:?} {found:?}");
        assert_eq!(of_wall(wall + Duration::from_secs(3600)), None, "the future is none");
        assert_eq!(of_wall(wall - Duration::from_secs(36_000)), None, "nobody can tell of before the start");
    }

    #[test]
    fn never_goes_backwards_and_is_set_by_the_wall_clock() {
        let clock = Clock::new();
        let times: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
        assert!(times[0].seconds().abs_diff(wall().as_secs()) < 60);
    }

    #[test]
    fn where_nobody_sets_it_the_wall_clock_is_not_ahead() {
        now();
        assert_eq!(ahead(), 0);
        let (one, other) = (read(), read());
        assert!(other.at >= one.at && other.awake >= one.awake, "{one:?} {other:?}");
    }
}
