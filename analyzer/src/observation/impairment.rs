//! What this program did to a session on purpose (`--impair`): what, to which direction, from when on and until when.

use std::fmt;
use std::time::Duration;

use super::Side;

/// One impairment takes effect, or is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impairment {
    /// As it was asked for, in the words of the command line.
    pub asked: String,
    /// Whether it takes effect now, or is over.
    pub step: Step,
    /// What it does.
    pub deed: Deed,
    /// Whose bytes it is done to; both sides' where nothing is said. Of an end: nothing.
    pub from: Option<Side>,
    /// What its jitter is made of: the same number makes the same delays again.
    pub seed: Option<u64>,
}

/// An impairment's beginning or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It takes effect.
    Begins,
    /// It is over.
    Over,
}

/// What is done to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Everything is passed on so much later.
    Latency {
        /// One way.
        delay: Duration,
        /// More or less by up to this; never more than the delay.
        jitter: Duration,
    },
    /// No more than this is passed on.
    Bandwidth {
        /// Payload bytes in a second; never 0.
        bytes_per_second: u64,
    },
    /// Nothing is passed on.
    Stall,
    /// One direction is ended by FIN, as if this side had closed.
    Close {
        /// In whose name.
        by: Side,
    },
    /// Both legs are ended by RST, as if this side had sent it.
    Reset {
        /// In whose name.
        by: Side,
    },
}

impl Step {
    /// As it stands in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Step::Begins => "begins",
            Step::Over => "over",
        }
    }
}

impl Deed {
    /// As it stands in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Deed::Latency { .. } => "latency",
            Deed::Bandwidth { .. } => "bandwidth",
            Deed::Stall => "stall",
            Deed::Close { .. } => "close",
            Deed::Reset { .. } => "reset",
        }
    }

    /// Whether it ends the session, instead of making it slower.
    pub fn is_end(self) -> bool {
        match self {
            Deed::Close { .. } | Deed::Reset { .. } => true,
            Deed::Latency { .. } | Deed::Bandwidth { .. } | Deed::Stall => false,
        }
    }

    fn fields(self) -> Vec<(&'static str, String)> {
        match self {
            Deed::Latency { delay, jitter } => {
                vec![("delay_ns", delay.as_nanos().to_string()), ("jitter_ns", jitter.as_nanos().to_string())]
            }
            Deed::Bandwidth { bytes_per_second } => vec![("bytes_per_second", bytes_per_second.to_string())],
            Deed::Stall => Vec::new(),
            Deed::Close { by } | Deed::Reset { by } => vec![("by", by.name().to_owned())],
        }
    }

    fn read(name: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<Deed> {
        let time = |name| Some(Duration::from_nanos(field(name)?.parse().ok()?));
        let by = || side(&field("by")?);
        Some(match name {
            "latency" => Deed::Latency { delay: time("delay_ns")?, jitter: time("jitter_ns")? },
            "bandwidth" => Deed::Bandwidth { bytes_per_second: field("bytes_per_second")?.parse().ok()? },
            "stall" => Deed::Stall,
            "close" => Deed::Close { by: by()? },
            "reset" => Deed::Reset { by: by()? },
            _ => return None,
        })
    }
}

impl Impairment {
    /// What it holds, by name, for recordings.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let Impairment { asked, step, deed, from, seed } = self;
        let mut fields = vec![("step", step.name().to_owned()), ("what", deed.name().to_owned())];
        fields.extend(deed.fields());
        fields.extend(from.map(|from| ("from", from.name().to_owned())));
        fields.extend(seed.map(|seed| ("seed", seed.to_string())));
        fields.push(("asked", asked.clone()));
        fields
    }

    /// Reads it back.
    pub fn read(field: &dyn Fn(&str) -> Option<String>) -> Option<Impairment> {
        let named = field("step")?;
        let from = field("from").map(|name| side(&name).ok_or(())).transpose().ok()?;
        Some(Impairment {
            asked: field("asked")?,
            step: [Step::Begins, Step::Over].into_iter().find(|step| step.name() == named)?,
            deed: Deed::read(&field("what")?, field)?,
            from,
            seed: field("seed").and_then(|seed| seed.parse().ok()),
        })
    }
}

fn side(name: &str) -> Option<Side> {
    [Side::Client, Side::Server].into_iter().find(|side| side.name() == name)
}

/// As it is written on the command line.
impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deed::Latency { delay, jitter } if jitter.is_zero() => write!(f, "latency {delay:?}"),
            Deed::Latency { delay, jitter } => write!(f, "latency {delay:?} jitter {jitter:?}"),
            Deed::Bandwidth { bytes_per_second } => match bytes_per_second.saturating_mul(8) {
                bits if bits % 1_000_000 == 0 => write!(f, "bandwidth {}mbit/s", bits / 1_000_000),
                bits if bits % 1000 == 0 => write!(f, "bandwidth {}kbit/s", bits / 1000),
                bits => write!(f, "bandwidth {bits}bit/s"),
            },
            Deed::Stall => f.write_str("stall"),
            Deed::Close { by } => write!(f, "close by {by}"),
            Deed::Reset { by } => write!(f, "reset by {by}"),
        }
    }
}
