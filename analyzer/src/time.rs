//! Points in time. Lengths of time are [`std::time::Duration`]. There is no clock here: time arrives with the bytes.

use std::fmt;
use std::time::Duration;

/// A point in time, in nanoseconds since the Unix epoch (UTC), and for how long nobody had watched by then: a relay that was
/// stopped, or whose machine slept, has not seen what went on meanwhile. A length of time never holds such a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64, u64);

impl Timestamp {
    /// So many nanoseconds after the Unix epoch.
    pub const fn at(nanos: u64) -> Timestamp {
        Timestamp(nanos, 0)
    }

    /// The same point in time, by which nobody had watched for so many nanoseconds.
    pub(crate) const fn unwatched(self, nanos: u64) -> Timestamp {
        Timestamp(self.0, nanos)
    }

    /// The length of time since `earlier` in which was watched; zero where `earlier` is in fact later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let (after, unwatched) = (self.0.saturating_sub(earlier.0), self.1.saturating_sub(earlier.1));
        Duration::from_nanos(after.saturating_sub(unwatched))
    }

    /// How much of the time since `earlier` nobody watched.
    pub fn unwatched_since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.1.saturating_sub(earlier.1))
    }

    /// How much later than `earlier` it is by the clock on the wall; zero where `earlier` is in fact later.
    pub fn after(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// So long before; the epoch where that would be before it.
    pub fn before(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(nanos(length)), self.1)
    }

    /// A date as certificates give it, in seconds since the Unix epoch; one before 1970 is told as the epoch.
    pub fn of_seconds(seconds: i64) -> Timestamp {
        Timestamp::at(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000))
    }

    /// Whole seconds since the Unix epoch.
    pub fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// The UTC date as (year, month 1-12, day 1-31).
    pub fn date(self) -> (i64, u32, u32) {
        civil_from_days((self.seconds() / 86_400) as i64)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(nanos(length)), self.1)
    }
}

fn nanos(length: Duration) -> u64 {
    length.as_nanos().min(u64::MAX.into()) as u64
}

/// The length of time from 1970 to a FILETIME, which counts 100 ns from 1601 on (\[MS-DTYP\] 2.3.3); one before 1970 is none.
pub fn of_filetime(filetime: u64) -> Option<Duration> {
    const EPOCH: u64 = 116_444_736_000_000_000;
    const SECOND: u64 = 10_000_000;
    let ticks = filetime.checked_sub(EPOCH)?;
    Some(Duration::from_secs(ticks / SECOND) + Duration::from_nanos(ticks % SECOND * 100))
}

/// The day of a date as certificates give it, UTC: 2026-11-22.
pub fn day(seconds: i64) -> String {
    let (year, month, day) = Timestamp::of_seconds(seconds).date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// RFC 3339, UTC, milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let of_day = self.seconds() % 86_400;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let milli = self.0 / 1_000_000 % 1000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar (H. Hinnant's `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds: u64| Timestamp::at(seconds * 1_000_000_000).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_795_385_402), "2026-11-22T22:10:02.000Z");
    }

    #[test]
    fn a_length_of_time_is_without_what_nobody_watched() {
        let (began, ended) = (Timestamp::at(1_000), Timestamp::at(9_000).unwatched(5_000));
        assert_eq!(ended.since(began), Duration::from_nanos(3_000));
        assert_eq!(ended.unwatched_since(began), Duration::from_nanos(5_000));
        assert_eq!(ended.after(began), Duration::from_nanos(8_000));
        assert_eq!(began.since(ended), Duration::ZERO);
        assert_eq!((ended + Duration::from_nanos(7)).since(began), Duration::from_nanos(3_007));
    }
}
