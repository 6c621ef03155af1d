//! The words of `--impair`: `WHERE: WHAT`.
//!
//! ```text
//! WHERE   in any order, none of it needed, the colon neither then:
//!           front | back                 the leg it is told of; back unless said
//!           from client | from server    whose bytes (also `to server`, `to client`); both sides' unless said
//!           at TIME | PHASE              since the session began, or when a phase begins; at once unless said
//!           for TIME                     how long; until the end unless said
//! WHAT      latency TIME [jitter TIME]   each way
//!           bandwidth RATE               1mbit/s, 500kbit/s, 64kB/s, 2MB/s
//!           stall [for TIME]             nothing passes
//!           close by client|server       FIN, as if that side had closed
//!           reset by client|server       RST on both legs, as if that side had sent it
//! ```
//!
//! An end has a moment alone: it is of the whole session.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use analyzer::observation::{Deed, Leg, Side};
use analyzer::timeline::phase::PhaseName;

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(3600);
/// The most that can be asked for, bytes in a second.
const WIDEST: f64 = 1e10;

/// One impairment that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The leg it is told of.
    pub leg: Leg,
    /// Whose bytes; both sides' where nothing is said.
    pub from: Option<Side>,
    /// When it takes effect.
    pub moment: Moment,
    /// How long; until the end of the session where nothing is said.
    pub lasts: Option<Duration>,
    /// What is done.
    pub deed: Deed,
}

/// When an impairment takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As soon as both legs stand.
    Start,
    /// So long after the session began.
    At(Duration),
    /// When this phase begins.
    Phase(PhaseName),
}

/// What was expected, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError(String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Spec, SpecError> {
        let (place, what) = text.split_once(':').unwrap_or(("", text));
        let mut words = what.split_whitespace();
        let (deed, stalls_for) = deed(&mut words)?;
        if let Some(more) = words.next() {
            return Err(expected("nothing more behind what is to be done", Some(more)));
        }
        let mut asked = Place::read(place)?;
        once(&mut asked.lasts, stalls_for, "one `for TIME`", "for")?;
        asked.of(deed)
    }
}

/// What stands before the colon.
#[derive(Default)]
struct Place {
    leg: Option<Leg>,
    from: Option<Side>,
    moment: Option<Moment>,
    lasts: Option<Duration>,
}

impl Place {
    fn read(text: &str) -> Result<Place, SpecError> {
        let mut place = Place::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "front" => once(&mut place.leg, Some(Leg::Front), "one leg", word)?,
                "back" => once(&mut place.leg, Some(Leg::Back), "one leg", word)?,
                "from" => once(&mut place.from, Some(side(words.next())?), "one direction", word)?,
                "to" => once(&mut place.from, Some(side(words.next())?.other()), "one direction", word)?,
                "for" => once(&mut place.lasts, Some(time(words.next())?), "one `for TIME`", word)?,
                "at" => {
                    let moment = Moment::At(time(words.next())?);
                    once(&mut place.moment, Some(moment), "one moment (at TIME, or a phase)", word)?;
                }
                word => once(&mut place.moment, Some(phase(word)?), "one moment (at TIME, or a phase)", word)?,
            }
        }
        Ok(place)
    }

    fn of(self, deed: Deed) -> Result<Spec, SpecError> {
        let Place { leg, from, moment, lasts } = self;
        let moment = moment.unwrap_or(Moment::Start);
        let leg = match deed {
            Deed::Close { by } | Deed::Reset { by } => {
                let extra = leg.map(Leg::name).or(from.map(|_| "a direction")).or(lasts.map(|_| "for"));
                if let Some(extra) = extra {
                    let only = format!("a moment alone before `{deed}`, which is of the whole session");
                    return Err(expected(&only, Some(extra)));
                }
                if by == Side::Client { Leg::Front } else { Leg::Back }
            }
            Deed::Latency { .. } | Deed::Bandwidth { .. } | Deed::Stall => leg.unwrap_or(Leg::Back),
        };
        Ok(Spec { leg, from, moment, lasts, deed })
    }
}

fn deed(words: &mut SplitWhitespace<'_>) -> Result<(Deed, Option<Duration>), SpecError> {
    let deed = match words.next() {
        Some("latency") => Deed::Latency { delay: time(words.next())?, jitter: jitter(words)? },
        Some("bandwidth") => Deed::Bandwidth { bytes_per_second: rate(words.next())? },
        Some("stall") => return Ok((Deed::Stall, stalls_for(words)?)),
        Some("close") => Deed::Close { by: by(words)? },
        Some("reset") => Deed::Reset { by: by(words)? },
        other => return Err(expected("latency, bandwidth, stall, close or reset", other)),
    };
    match deed {
        Deed::Latency { delay, jitter } if jitter > delay => {
            Err(expected("a jitter of at most the latency", Some(&format!("{jitter:?}"))))
        }
        deed => Ok((deed, None)),
    }
}

fn jitter(words: &mut SplitWhitespace<'_>) -> Result<Duration, SpecError> {
    match words.next() {
        None => Ok(Duration::ZERO),
        Some("jitter") => time(words.next()),
        other => Err(expected("jitter TIME, or nothing more, behind the latency", other)),
    }
}

fn stalls_for(words: &mut SplitWhitespace<'_>) -> Result<Option<Duration>, SpecError> {
    match words.next() {
        None => Ok(None),
        Some("for") => time(words.next()).map(Some),
        other => Err(expected("for TIME, or nothing more, behind stall", other)),
    }
}

fn by(words: &mut SplitWhitespace<'_>) -> Result<Side, SpecError> {
    match words.next() {
        Some("by") => side(words.next()),
        other => Err(expected("by client or by server", other)),
    }
}

fn side(word: Option<&str>) -> Result<Side, SpecError> {
    match word {
        Some("client") => Ok(Side::Client),
        Some("server") => Ok(Side::Server),
        other => Err(expected("client or server", other)),
    }
}

/// A phase in which both legs stand.
fn phase(word: &str) -> Result<Moment, SpecError> {
    let can_be = |name: &PhaseName| !matches!(name, PhaseName::NameResolution | PhaseName::Tcp);
    let found = PhaseName::ALL.into_iter().find(|name| name.name() == word);
    match found {
        Some(name) if can_be(&name) => Ok(Moment::Phase(name)),
        Some(_) => Err(expected("a phase that begins when both legs stand", Some(word))),
        None => {
            let names: Vec<&str> = PhaseName::ALL.iter().filter(|name| can_be(name)).map(|name| name.name()).collect();
            let all = format!(
                "front, back, from client, from server, at TIME, for TIME or a phase ({}) before the colon",
                names.join(", ")
            );
            Err(expected(&all, Some(word)))
        }
    }
}

fn time(word: Option<&str>) -> Result<Duration, SpecError> {
    let units = [("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let seconds = word.and_then(|word| number(word, |unit| units.iter().find(|known| known.0 == unit).map(|u| u.1)));
    let time = seconds.filter(|seconds| *seconds <= LONGEST.as_secs_f64()).map(Duration::from_secs_f64);
    let time = time.filter(|time| !time.is_zero());
    time.ok_or_else(|| expected("a time of up to an hour, such as 150ms, 1.5s or 2m", word))
}

/// Bits are told by `bit`, in any case; bytes by a capital B.
fn rate(word: Option<&str>) -> Result<u64, SpecError> {
    let thousands = |prefix: &str| match prefix {
        "" => Some(1.0),
        "k" | "K" => Some(1e3),
        "m" | "M" => Some(1e6),
        "g" | "G" => Some(1e9),
        _ => None,
    };
    let unit = |unit: &str| {
        let unit = unit.strip_suffix("/s")?;
        let small = unit.to_ascii_lowercase();
        match (small.strip_suffix("bit"), unit.strip_suffix('B')) {
            (Some(prefix), _) => Some(thousands(prefix)? / 8.0),
            (None, Some(prefix)) => thousands(prefix),
            (None, None) => None,
        }
    };
    let rate = word.and_then(|word| number(word, unit)).map(f64::round).filter(|rate| (1.0..=WIDEST).contains(rate));
    rate.map(|rate| rate as u64).ok_or_else(|| expected("a rate such as 1mbit/s, 500kbit/s, 64kB/s or 2MB/s", word))
}

/// A decimal number with a unit behind it, times what the unit stands for.
fn number(word: &str, unit: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, name) = word.split_at(end);
    Some(number.parse::<f64>().ok()? * unit(name)?)
}

fn once<T>(place: &mut Option<T>, found: Option<T>, one: &str, word: &str) -> Result<(), SpecError> {
    match (&place, &found) {
        (Some(_), Some(_)) => Err(expected(one, Some(&format!("a second: {word}")))),
        (Some(_), None) => Ok(()),
        (None, _) => {
            *place = found;
            Ok(())
        }
    }
}

fn expected(what: &str, found: Option<&str>) -> SpecError {
    SpecError(format!("expected {what}, found {}", found.unwrap_or("nothing")))
}

/// In an order of its own: what is printed is read back as the same.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        if !self.deed.is_end() {
            words.push(self.leg.name().to_owned());
        }
        words.extend(self.from.map(|from| format!("from {from}")));
        match self.moment {
            Moment::Start => {}
            Moment::At(after) => words.push(format!("at {after:?}")),
            Moment::Phase(name) => words.push(name.name().to_owned()),
        }
        words.extend(self.lasts.map(|lasts| format!("for {lasts:?}")));
        match words.is_empty() {
            true => write!(f, "{}", self.deed),
            false => write!(f, "{}: {}", words.join(" "), self.deed),
        }
    }
}
