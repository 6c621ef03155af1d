//! How long things took over many sessions: histograms for each phase and for the whole connect.
//!
//! Timelines go in, a [`Set`] of histograms comes out. Sets are merged exactly: a set of two folders is the same as
//! the sum of their sets. What failed is counted apart and never mixed with what succeeded. The only module that
//! names hdrhistogram.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::attempt::{Attempt, Diagnosed};
use crate::diagnose::Outcome as SessionOutcome;
use crate::observation::Leg;
use crate::shown;
use crate::time::Timestamp;
use crate::timeline::Timeline;
use crate::timeline::phase::{Outcome, Phase, PhaseName, Waited};

/// The shortest time that is told apart, nanoseconds: what is shorter counts as this.
const LEAST: u64 = 1_000;
/// The longest, nanoseconds: what is longer counts as this.
const MOST: u64 = 3_600_000_000_000;
/// Significant digits of every value.
const DIGITS: u8 = 3;
/// Steps for each halving of what lies above a percentile, in the percentile text format.
const TICKS: u32 = 5;

/// Times, from 1 µs to 1 h, with three significant digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

/// What is said of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// How many values.
    pub count: u64,
    /// The least.
    pub min: Duration,
    /// Half of them took no longer.
    pub p50: Duration,
    /// Nine of ten.
    pub p90: Duration,
    /// 99 of 100.
    pub p99: Duration,
    /// 999 of 1000.
    pub p999: Duration,
    /// The greatest.
    pub max: Duration,
    /// The mean.
    pub mean: Duration,
}

impl Histogram {
    /// An empty one. Always there: the library accepts these bounds.
    pub fn new() -> Option<Histogram> {
        // From 1 ns, so that the least value has three digits, too.
        let mut histogram = hdrhistogram::Histogram::new_with_bounds(1, 2 * LEAST, DIGITS).ok()?;
        // It grows with its values: most series are short.
        histogram.auto(true);
        Some(Histogram(histogram))
    }

    /// Counts one value.
    pub fn record(&mut self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(MOST);
        let _in_bounds = self.0.record(nanos.clamp(LEAST, MOST));
    }

    /// Adds every value of another.
    pub fn merge(&mut self, other: &Histogram) {
        let _grows_as_needed = self.0.add(&other.0);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What is said of it.
    pub fn stats(&self) -> Stats {
        let at = |quantile| Duration::from_nanos(self.0.value_at_quantile(quantile));
        Stats {
            count: self.count(),
            min: Duration::from_nanos(self.0.min()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: Duration::from_nanos(self.0.max()),
            mean: Duration::from_nanos(self.0.mean() as u64),
        }
    }

    /// How many values fall into each of `columns` steps of equal ratio between `low` and `high`.
    pub fn spread(&self, low: Duration, high: Duration, columns: usize) -> Vec<u64> {
        let mut spread = vec![0; columns];
        let (low, high) = (low.as_nanos().max(1) as f64, high.as_nanos().max(2) as f64);
        for step in self.0.iter_recorded() {
            let place = (step.value_iterated_to() as f64 / low).ln() / (high / low).ln() * columns as f64;
            let place = (place.max(0.0) as usize).min(columns.saturating_sub(1));
            if let Some(count) = spread.get_mut(place) {
                *count += step.count_since_last_iteration();
            }
        }
        spread
    }

    /// The percentile text format of HdrHistogram (`.hgrm`), in milliseconds.
    pub fn hgrm(&self) -> String {
        let mut text =
            format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
        let mut total = 0;
        for step in self.0.iter_quantiles(TICKS) {
            total += step.count_since_last_iteration();
            let (value, quantile) = (millis(step.value_iterated_to() as f64), step.quantile_iterated_to());
            let _infallible = write!(text, "{value:12.3} {quantile:2.12} {total:10}");
            let _infallible = match quantile < 1.0 {
                true => writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile)),
                false => writeln!(text),
            };
        }
        let (mean, deviation, max) = (millis(self.0.mean()), millis(self.0.stdev()), millis(self.0.max() as f64));
        let _infallible = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
        let _infallible = writeln!(text, "#[Max     = {max:12.3}, Total count    = {:12}]", self.count());
        let (buckets, each) = (self.0.buckets(), self.0.distinct_values() / (usize::from(self.0.buckets()) + 1) * 2);
        let _infallible = writeln!(text, "#[Buckets = {buckets:12}, SubBuckets     = {each:12}]");
        text
    }

    /// Reads one that is encoded as HdrHistogram V2, deflated or not.
    pub fn read(mut bytes: &[u8]) -> Option<Histogram> {
        Deserializer::new().deserialize(&mut bytes).ok().map(Histogram)
    }
}

fn millis(nanos: f64) -> f64 {
    nanos / 1e6
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// From the first thing seen to active; of failed sessions to their end.
    Connect,
    /// One phase.
    Phase(PhaseName),
    /// The round-trip time of a leg.
    Rtt(Leg),
    /// From a frame of graphics to the client's acknowledgement.
    Frames,
    /// Of the connect, the time that round trips and the resolver took.
    Network,
    /// That segments sent again took.
    Retransmission,
    /// That the client was waited for.
    Client,
    /// That the server was waited for.
    Server,
}

impl Measure {
    /// As it stands in reports, and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Connect => "connect",
            Measure::Phase(phase) => phase.name(),
            Measure::Rtt(Leg::Front) => "rtt-front",
            Measure::Rtt(Leg::Back) => "rtt-back",
            Measure::Rtt(Leg::Only) => "rtt",
            Measure::Frames => "frame-acknowledge",
            Measure::Network => "waited-network",
            Measure::Retransmission => "waited-retrans",
            Measure::Client => "waited-client",
            Measure::Server => "waited-server",
        }
    }
}

/// How what was measured ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// As it should.
    Done,
    /// Otherwise.
    Failed,
    /// Not before the recording did.
    Open,
}

impl Fate {
    fn of_phase(phase: &Phase) -> Fate {
        match phase.outcome {
            Outcome::Done => Fate::Done,
            Outcome::Failed => Fate::Failed,
            Outcome::Open => Fate::Open,
        }
    }

    /// Of the connect, not of the session: one that broke had connected.
    fn of_connect(outcome: SessionOutcome) -> Fate {
        match outcome {
            SessionOutcome::Connected | SessionOutcome::Broken => Fate::Done,
            SessionOutcome::Failed => Fate::Failed,
            SessionOutcome::Unfinished => Fate::Open,
        }
    }

    /// As it stands in documents.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Done => "done",
            Fate::Failed => "failed",
            Fate::Open => "open",
        }
    }
}

/// What sessions are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// By nothing but the phase.
    #[default]
    Phase,
    /// The leg on which the phase ended.
    Leg,
    /// The server's name, or its address.
    Server,
    /// The client's address.
    Client,
    /// How the session went.
    Outcome,
}

/// Which histogram.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The group; empty where sessions are not told apart.
    pub group: String,
    /// What was measured.
    pub measure: Measure,
    /// How it ended.
    pub fate: Fate,
}

impl Key {
    /// "tls", "tls (failed)".
    pub fn label(&self) -> String {
        match self.fate {
            Fate::Done => self.measure.name().into(),
            Fate::Failed | Fate::Open => format!("{} ({})", self.measure.name(), self.fate.name()),
        }
    }

    /// The label in one word, the group before it: for file names and tags.
    pub fn slug(&self) -> String {
        let parts =
            [self.group.as_str(), self.measure.name(), if self.fate == Fate::Done { "" } else { self.fate.name() }];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("-").replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-")
    }
}

/// The histograms of many sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    by: By,
    /// How many sessions were connected, broken, failed, unfinished.
    pub outcomes: [u64; 4],
    /// Sessions whose packets have no times: nothing of them is measured.
    pub untimed: u64,
    /// When the first began and the last ended.
    pub span: Option<(Timestamp, Timestamp)>,
    series: BTreeMap<Key, Histogram>,
}

impl Set {
    /// An empty one.
    pub fn by(by: By) -> Set {
        Set { by, ..Set::default() }
    }

    /// Of every session of these attempts, as they are told there.
    pub fn of(attempts: &[Attempt]) -> Set {
        let mut set = Set::default();
        set.push_all(attempts);
        set
    }

    /// Counts every session of these attempts.
    pub fn push_all(&mut self, attempts: &[Attempt]) {
        attempts.iter().flat_map(|attempt| &attempt.sessions).for_each(|session| self.push(session));
    }

    /// How many sessions it holds.
    pub fn sessions(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// The histograms, in the order of their keys.
    pub fn series(&self) -> impl Iterator<Item = (&Key, &Histogram)> {
        self.series.iter()
    }

    /// One of them.
    pub fn get(&self, key: &Key) -> Option<&Histogram> {
        self.series.get(key)
    }

    /// Counts one session.
    pub fn push(&mut self, session: &Diagnosed) {
        let timeline = &session.timeline;
        let Some(began) = timeline.began else { return };
        if timeline.is_untimed() {
            self.untimed += 1;
            return;
        }
        self.outcomes[session.outcome as usize] += 1;
        self.stretch((began, timeline.last));
        let fate = Fate::of_connect(session.outcome);
        let active = timeline.phase(PhaseName::Active).map(|phase| phase.began);
        let connect = active.unwrap_or(timeline.last).since(began);
        self.record(session, None, Measure::Connect, fate, connect);
        for phase in &timeline.phases {
            self.phase(session, phase);
        }
        for leg in &timeline.legs {
            if let Some(rtt) = leg.rtt() {
                self.record(session, Some(leg.name), Measure::Rtt(leg.name), Fate::Done, rtt);
            }
        }
        for took in &timeline.facts.inner.frames.times {
            self.record(session, None, Measure::Frames, Fate::Done, *took);
        }
        self.waited(session, fate);
    }

    /// A relay's front leg is only seen when it stands: how long its handshake took nobody knows.
    fn phase(&mut self, session: &Diagnosed, phase: &Phase) {
        let length = phase.duration();
        if phase.name == PhaseName::Tcp && phase.leg == Leg::Front && length.is_zero() {
            return;
        }
        self.record(session, Some(phase.leg), Measure::Phase(phase.name), Fate::of_phase(phase), length);
    }

    fn waited(&mut self, session: &Diagnosed, fate: Fate) {
        let waited = waited(&session.timeline);
        let parts = [
            (Measure::Network, waited.network),
            (Measure::Retransmission, waited.retransmission),
            (Measure::Client, waited.client),
            (Measure::Server, waited.server),
        ];
        for (measure, length) in parts {
            self.record(session, None, measure, fate, length);
        }
    }

    fn record(&mut self, session: &Diagnosed, leg: Option<Leg>, measure: Measure, fate: Fate, length: Duration) {
        let key = Key { group: self.group(session, leg), measure, fate };
        match self.series.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().record(length),
            Entry::Vacant(place) => {
                if let Some(new) = Histogram::new() {
                    place.insert(new).record(length);
                }
            }
        }
    }

    fn group(&self, session: &Diagnosed, leg: Option<Leg>) -> String {
        let timeline = &session.timeline;
        match self.by {
            By::Phase => String::new(),
            By::Leg => leg.map_or("whole session", |leg| leg.name()).into(),
            By::Server => server(timeline).map_or("?".into(), |name| shown::line(&name).into_owned()),
            By::Client => timeline.client_leg().and_then(|leg| leg.client).map_or("?".into(), |at| at.ip().to_string()),
            By::Outcome => session.outcome.name().into(),
        }
    }

    /// Adds every value of another set, which tells sessions apart by the same thing.
    pub fn merge(&mut self, other: &Set) {
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += theirs;
        }
        if let Some(span) = other.span {
            self.stretch(span);
        }
        for (key, histogram) in &other.series {
            match self.series.entry(key.clone()) {
                Entry::Occupied(mut known) => known.get_mut().merge(histogram),
                Entry::Vacant(place) => drop(place.insert(histogram.clone())),
            }
        }
    }

    fn stretch(&mut self, (began, ended): (Timestamp, Timestamp)) {
        let (first, last) = self.span.unwrap_or((began, ended));
        self.span = Some((first.min(began), last.max(ended)));
    }

    /// The histograms of one measure alone.
    pub fn only(&self, measure: &str) -> Set {
        let keep = |(key, _): &(&Key, &Histogram)| key.measure.name() == measure;
        let series = self.series.iter().filter(keep).map(|(key, histogram)| (key.clone(), histogram.clone())).collect();
        Set { series, ..self.clone() }
    }

    /// An HdrHistogram V2 interval log, one tagged line for each histogram. Values are nanoseconds, maxima milliseconds.
    pub fn v2(&self) -> String {
        let mut log = Vec::new();
        // INVARIANT: writing to memory does not fail, and a V2 serializer takes every histogram of these bounds.
        let _infallible = self.write_v2(&mut log);
        String::from_utf8(log).unwrap_or_default()
    }

    fn write_v2(&self, log: &mut Vec<u8>) -> Option<()> {
        let (first, last) = self.span.unwrap_or_default();
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment("rdpscope; values in nanoseconds, Interval_Max in milliseconds")
            .with_max_value_divisor(1e6);
        let mut writer = builder.begin_log_with(log, &mut serializer).ok()?;
        let start = Duration::from_nanos(first.0);
        for (key, histogram) in &self.series {
            let slug = key.slug();
            writer.write_histogram(&histogram.0, start, last.after(first), Tag::new(&slug)).ok()?;
        }
        Some(())
    }
}

/// Whom the connect waited for, all phases before active.
fn waited(timeline: &Timeline) -> Waited {
    let mut sum = Waited::default();
    for phase in timeline.phases.iter().filter(|phase| phase.name != PhaseName::Active) {
        sum.network += phase.waited.network;
        sum.retransmission += phase.waited.retransmission;
        sum.client += phase.waited.client;
        sum.server += phase.waited.server;
    }
    sum
}

fn server(timeline: &Timeline) -> Option<String> {
    let asked = timeline.target.as_ref().map(|(name, port)| format!("{name}:{port}"));
    asked.or_else(|| Some(timeline.server_leg()?.server?.to_string()))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD as STANDARD;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new().expect("bounds");
        micros.into_iter().for_each(|micros| histogram.record(Duration::from_micros(micros)));
        histogram
    }

    /// Numbers that look random and are the same each time (Numerical Recipes' generator).
    fn noise(seed: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(seed), |n| {
            Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        })
        .map(|n| (1 << (n >> 59).min(30)) | ((n >> 33) % 4096))
    }

    #[test]
    fn the_sum_of_histograms_is_the_histogram_of_the_sum() {
        for seed in 1..40 {
            let all: Vec<u64> = noise(seed).take(seed as usize * 37).collect();
            let (left, right) = all.split_at(all.len() / (1 + seed as usize % 5));
            let mut merged = of(left.iter().copied());
            merged.merge(&of(right.iter().copied()));
            assert_eq!(merged, of(all), "seed {seed}");
        }
    }

    #[test]
    fn values_keep_three_digits_and_stay_in_bounds() {
        let stats = of([1, 10, 12_345, 3_600_000_000]).stats();
        assert_eq!(stats.count, 4);
        assert!(stats.max.as_secs() >= 3598 && stats.max.as_secs() <= 3604, "{stats:?}");
        let mut bounded = Histogram::new().expect("bounds");
        bounded.record(Duration::ZERO);
        bounded.record(Duration::from_secs(100_000));
        let Stats { count, min, max, .. } = bounded.stats();
        assert_eq!(count, 2);
        assert!(min.as_nanos() == 1_000 && max.as_secs() < 3604, "{min:?} {max:?}");
    }

    #[test]
    fn every_value_falls_into_one_column() {
        let spread = of([1, 10, 100, 1000, 1000]).spread(Duration::from_micros(1), Duration::from_millis(1), 3);
        assert_eq!(spread, [1, 1, 3]);
        let outside = of([5, 5000]).spread(Duration::from_micros(10), Duration::from_micros(100), 2);
        assert_eq!(outside, [1, 1]);
    }

    #[test]
    fn the_percentile_text_is_the_classic_one() {
        let text = of([1000, 2000, 3000, 4000]).hgrm();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[2], "       1.000 0.000000000000          1           1.00");
        assert!(lines.iter().any(|line| line.ends_with("1.000000000000          4")), "{text}");
        assert!(text.contains("Total count    =            4]"), "{text}");
    }

    #[test]
    fn the_log_reads_back_the_same() {
        let mut set = Set::default();
        let key = |measure, fate| Key { group: String::new(), measure, fate };
        set.series.insert(key(Measure::Connect, Fate::Done), of(noise(7).take(1000)));
        set.series.insert(key(Measure::Phase(PhaseName::Tls), Fate::Failed), of([300]));
        let log = set.v2();
        let read: Vec<(String, Histogram)> = IntervalLogIterator::new(log.as_bytes())
            .filter_map(|entry| match entry {
                Ok(LogEntry::Interval(interval)) => {
                    let bytes = STANDARD.decode(interval.encoded_histogram()).expect("base64");
                    Some((interval.tag()?.as_str().to_owned(), Histogram::read(&bytes)?))
                }
                Ok(_) | Err(_) => None,
            })
            .collect();
        assert_eq!(read.iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>(), ["connect", "tls-failed"]);
        assert!(read.iter().zip(set.series()).all(|(read, kept)| read.1 == *kept.1));
    }
}
