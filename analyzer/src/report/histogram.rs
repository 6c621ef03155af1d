//! Histograms for people and for other tools: tables and bars in 80 columns, comparison of two sets, CSV.

use std::fmt::Write as _;
use std::time::Duration;

use super::NO_TIMES;
use super::text::para;
use crate::count::counted;
use crate::latency::{Histogram, Key, Set, Stats};

/// Columns of a row's label.
const LABEL: usize = 24;
/// Columns of a bar.
const BAR: usize = 55;
/// From few to many.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The columns behind the count.
const HEADINGS: [&str; 7] = ["min", "p50", "p90", "p99", "p99.9", "max", "mean"];

/// A set: how many sessions, a table, and bars under it.
pub fn text(set: &Set) -> String {
    let mut text = sessions(set);
    if set.sessions() == 0 {
        return text;
    }
    each_group(set, &mut |group, rows| {
        heading(&mut text, group);
        let _infallible = write!(text, "{:<LABEL$}{:>7}", "", "count");
        for name in HEADINGS {
            let _infallible = write!(text, "{name:>7}");
        }
        text.push('\n');
        for (key, histogram) in rows {
            row(&mut text, &key.label(), &histogram.stats());
        }
    });
    bars(&mut text, set);
    text
}

/// "1000 sessions: 700 connected, 300 failed".
fn sessions(set: &Set) -> String {
    let names = ["connected", "broken", "failed", "unfinished"];
    let counts = set.outcomes.iter().zip(names).filter(|(count, _)| **count > 0);
    let counts: Vec<String> = counts.map(|(count, name)| format!("{count} {name}")).collect();
    match set.sessions() {
        0 if set.untimed > 0 => untimed(set),
        0 => "no sessions\n".into(),
        sessions => format!("{}: {}\n{}", counted(sessions, "session"), counts.join(", "), untimed(set)),
    }
}

/// What is not measured; nothing where all is.
fn untimed(set: &Set) -> String {
    match set.untimed {
        0 => String::new(),
        count => format!("{} not measured: {NO_TIMES}\n", counted(count, "session")),
    }
}

type Rows<'a> = Vec<(&'a Key, &'a Histogram)>;

/// Groups stand together: they come first in the key.
fn each_group<'a>(set: &'a Set, show: &mut dyn FnMut(&str, Rows<'a>)) {
    let rows: Rows = set.series().collect();
    for rows in rows.chunk_by(|a, b| a.0.group == b.0.group) {
        show(rows.first().map_or("", |(key, _)| key.group.as_str()), rows.to_vec());
    }
}

fn heading(text: &mut String, group: &str) {
    text.push('\n');
    if !group.is_empty() {
        para(text, "", group);
    }
}

fn label(text: &mut String, label: &str) {
    if label.chars().count() < LABEL {
        let _infallible = write!(text, "{label:<LABEL$}");
    } else {
        let _infallible = write!(text, "{label}\n{:<LABEL$}", "");
    }
}

fn row(text: &mut String, name: &str, stats: &Stats) {
    label(text, name);
    let _infallible = write!(text, "{:>7}", stats.count);
    for length in [stats.min, stats.p50, stats.p90, stats.p99, stats.p999, stats.max, stats.mean] {
        let _infallible = write!(text, "{:>7}", brief(length));
    }
    text.push('\n');
}

/// Three digits and the unit, at most six columns: "1.23ms", "245µs". Nothing is told apart below 1 µs.
pub(super) fn brief(length: Duration) -> String {
    if length.as_nanos() <= 1_000 {
        return "≤1µs".into();
    }
    let nanos = length.as_nanos() as f64;
    let units = [(1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    // 999.6 µs would be rounded to 1000 µs.
    let (one, unit) = units.into_iter().rev().find(|(one, _)| nanos >= one * 0.9995).unwrap_or((1e3, "µs"));
    let number = nanos / one;
    let decimals = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.decimals$}{unit}")
}

fn bars(text: &mut String, set: &Set) {
    let stats: Vec<Stats> = set.series().map(|(_, histogram)| histogram.stats()).collect();
    let low = decade(stats.iter().map(|stats| stats.min).min().unwrap_or_default(), f64::floor);
    let high = decade(stats.iter().map(|stats| stats.max).max().unwrap_or_default(), f64::ceil).max(low * 10);
    each_group(set, &mut |group, rows| {
        heading(text, group);
        let _infallible = writeln!(text, "{:<LABEL$} {}", "log scale", axis(low, high));
        for (key, histogram) in rows {
            label(text, &key.label());
            let _infallible = writeln!(text, " {}", bar(&histogram.spread(low, high, BAR)).trim_end());
        }
    });
}

/// The power of ten microseconds next to a time, at least one.
pub(super) fn decade(length: Duration, round: fn(f64) -> f64) -> Duration {
    let exponent = round((length.as_nanos().max(1000) as f64 / 1000.0).log10());
    Duration::from_micros(10_u64.pow(exponent.clamp(0.0, 10.0) as u32))
}

/// The powers of ten, each at its column, as far as there is room.
fn axis(low: Duration, high: Duration) -> String {
    let decades = (high.as_nanos() as f64 / low.as_nanos() as f64).log10().round() as usize;
    let mut axis = String::new();
    for step in 0..decades {
        let column = step * BAR / decades.max(1);
        let used = axis.chars().count();
        if used == 0 || used < column {
            axis.extend(std::iter::repeat_n(' ', column - used));
            axis += &power(low * 10_u32.pow(step as u32));
        }
    }
    axis
}

pub(super) fn power(length: Duration) -> String {
    match length.as_micros() {
        micros @ 0..1_000 => format!("{micros}µs"),
        micros @ 1_000..1_000_000 => format!("{}ms", micros / 1_000),
        micros => format!("{}s", micros / 1_000_000),
    }
}

/// One column each, as high as its share of the fullest.
fn bar(spread: &[u64]) -> String {
    let most = spread.iter().copied().max().unwrap_or(0).max(1);
    let column = |count: &u64| match (count * 8).div_ceil(most) {
        0 => ' ',
        height => BLOCKS[(height as usize - 1).min(7)],
    };
    spread.iter().map(column).collect()
}

/// Two sets side by side: how many, p50, p90, p99 and how many times longer the second took.
pub fn versus(left: &Set, right: &Set, names: [&str; 2]) -> String {
    let mut text = String::new();
    for (letter, name, set) in [("A", names[0], left), ("B", names[1], right)] {
        para(&mut text, &format!("{letter}: "), &format!("{name}, {}", sessions(set)));
    }
    let mut keys: Vec<&Key> = left.series().chain(right.series()).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    for keys in keys.chunk_by(|a, b| a.group == b.group) {
        heading(&mut text, keys.first().map_or("", |key| key.group.as_str()));
        let _infallible = writeln!(text, "{:20}{:>20}{:>20}{:>20}", "", "p50", "p90", "p99");
        let _infallible = writeln!(text, "{:20}{}", "", format!("{:>7}{:>7}{:>6}", "A", "B", "B/A").repeat(3));
        for key in keys {
            pair(&mut text, key, [left.get(key), right.get(key)].map(|found| found.map(Histogram::stats)));
        }
    }
    text
}

fn pair(text: &mut String, key: &Key, stats: [Option<Stats>; 2]) {
    let [left, right] = stats.map(|stats| stats.map_or(0, |stats| stats.count));
    let name = format!("{} {left}, {right}", key.label());
    if name.chars().count() < 20 {
        let _infallible = write!(text, "{name:<20}");
    } else {
        let _infallible = write!(text, "{name}\n{:20}", "");
    }
    for part in [|stats: Stats| stats.p50, |stats: Stats| stats.p90, |stats: Stats| stats.p99] {
        let [left, right] = stats.map(|stats| stats.map_or("-".into(), |stats| brief(part(stats))));
        let _infallible = write!(text, "{left:>7}{right:>7}{:>6}", ratio(stats, part));
    }
    text.push('\n');
}

fn ratio(stats: [Option<Stats>; 2], part: fn(Stats) -> Duration) -> String {
    match stats {
        [Some(left), Some(right)] => {
            format!("{:.2}", part(right).as_nanos() as f64 / part(left).as_nanos().max(1) as f64)
        }
        [None, _] | [_, None] => "-".into(),
    }
}

/// One line for each histogram, lengths in nanoseconds.
pub fn csv(set: &Set) -> String {
    let mut text = "group,measure,fate,count,min_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,mean_ns\n".to_owned();
    for (key, histogram) in set.series() {
        let Stats { count, min, p50, p90, p99, p999, max, mean } = histogram.stats();
        let group = key.group.replace('"', "\"\"");
        let _infallible = write!(text, "\"{group}\",{},{},{count}", key.measure.name(), key.fate.name());
        for length in [min, p50, p90, p99, p999, max, mean] {
            let _infallible = write!(text, ",{}", length.as_nanos());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_three_digits_in_six_columns() {
        let check = |nanos, expected: &str| assert_eq!(brief(Duration::from_nanos(nanos)), expected);
        check(0, "≤1µs");
        check(1_234, "1.23µs");
        check(245_400, "245µs");
        check(999_700, "1.00ms");
        check(12_345_678, "12.3ms");
        check(9_999_999, "10.0ms");
        check(3_600_000_000_000, "3600s");
    }

    #[test]
    fn a_bar_shows_even_the_least() {
        assert_eq!(bar(&[0, 1, 500, 1000]), " ▁▄█");
        assert_eq!(bar(&[0, 0]), "  ");
    }

    #[test]
    fn an_axis_names_the_powers_that_fit() {
        let axis = axis(Duration::from_micros(1), Duration::from_secs(10));
        assert!(axis.starts_with("1µs") && axis.ends_with("1s"), "{axis}");
        assert!(axis.chars().count() <= BAR, "{axis}");
    }
}
