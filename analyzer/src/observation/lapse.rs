//! What befell the program that watches, not the session: it did not run for a while, or the clock on the wall was set.

use std::fmt;
use std::time::Duration;

/// The program that watches was not itself for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lapse {
    /// Until now it did not run, and so neither passed anything on nor saw when it came.
    Stopped {
        /// For so long at most: since it was last seen to run.
        lasted: Duration,
        /// So much of that the whole machine slept, where the system tells.
        asleep: Option<Duration>,
    },
    /// The clock on the wall was set while it ran. Times go on by the clock as it was.
    Stepped {
        /// By so much.
        by: Duration,
        /// Whether to a later time.
        forward: bool,
    },
}

impl Lapse {
    /// As it stands in recordings and reports.
    pub fn name(self) -> &'static str {
        match self {
            Lapse::Stopped { .. } => "stopped",
            Lapse::Stepped { .. } => "stepped",
        }
    }

    /// What it holds, by name, for recordings.
    pub fn fields(self) -> Vec<(&'static str, String)> {
        let nanos = |length: Duration| length.as_nanos().to_string();
        match self {
            Lapse::Stopped { lasted, asleep } => {
                let asleep = asleep.map(|asleep| ("asleep_ns", nanos(asleep)));
                std::iter::once(("lasted_ns", nanos(lasted))).chain(asleep).collect()
            }
            Lapse::Stepped { by, forward } => vec![("by_ns", nanos(by)), ("forward", forward.to_string())],
        }
    }

    /// Reads it back.
    pub fn read(name: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<Lapse> {
        let time = |name: &str| Some(Duration::from_nanos(field(name)?.parse().ok()?));
        Some(match name {
            "stopped" => Lapse::Stopped { lasted: time("lasted_ns")?, asleep: time("asleep_ns") },
            "stepped" => Lapse::Stepped { by: time("by_ns")?, forward: field("forward")?.parse().ok()? },
            _ => return None,
        })
    }
}

/// As it is told to people, of the program that watches: "was stopped for 6.0 s (the machine slept)".
impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Lapse::Stopped { lasted, asleep } => {
                let why = match asleep {
                    Some(asleep) if asleep * 2 >= lasted => " (the machine slept)",
                    Some(_) | None => "",
                };
                write!(f, "was stopped for {}{why}", seconds(lasted))
            }
            Lapse::Stepped { by, forward } => {
                let way = if forward { "forward" } else { "back" };
                write!(f, "saw the clock of its machine set {way} by {}", seconds(by))
            }
        }
    }
}

/// Tenths of a second tell enough.
fn seconds(length: Duration) -> String {
    format!("{:.1} s", length.as_secs_f64())
}
