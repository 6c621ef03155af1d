//! Histograms for scripts: lengths in nanoseconds.

use super::{Notice, SCHEMA, Value, json};
use crate::latency::{Histogram, Key, Set};

/// One document for one set, or for several with a name each.
pub fn histograms(version: &str, sets: &[(&str, &Set)], notices: &[Notice]) -> String {
    let sets: Vec<Value> = sets.iter().map(|(name, set)| self::set(name, set)).collect();
    let notices = super::notices(notices);
    let document = json!({ "rdpscope": version, "schema": SCHEMA, "sets": sets, "notices": notices });
    super::pretty(&document)
}

fn set(name: &str, set: &Set) -> Value {
    let [connected, broken, failed, unfinished] = set.outcomes;
    json!({
        "name": name,
        "sessions": set.sessions(),
        "outcomes": { "connected": connected, "broken": broken, "failed": failed, "unfinished": unfinished },
        "histograms": set.series().map(|(key, histogram)| series(key, histogram)).collect::<Vec<_>>(),
    })
}

fn series(key: &Key, histogram: &Histogram) -> Value {
    let stats = histogram.stats();
    json!({
        "group": key.group,
        "measure": key.measure.name(),
        "fate": key.fate.name(),
        "count": stats.count,
        "min_ns": stats.min.as_nanos() as u64,
        "p50_ns": stats.p50.as_nanos() as u64,
        "p90_ns": stats.p90.as_nanos() as u64,
        "p99_ns": stats.p99.as_nanos() as u64,
        "p999_ns": stats.p999.as_nanos() as u64,
        "max_ns": stats.max.as_nanos() as u64,
        "mean_ns": stats.mean.as_nanos() as u64,
    })
}
