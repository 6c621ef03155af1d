//! How long things took over all sessions: percentiles, and how the values are spread.

use std::time::Duration;

use super::page::Page;
use super::svg;
use crate::count::counted;
use crate::latency::{Histogram, Key, Set};
use crate::report::histogram::{brief, decade, power};

/// Steps of a spread.
const COLUMNS: usize = 80;

/// The table, with a picture in each row.
pub fn histograms(page: &mut Page, set: &Set) {
    let rows: Vec<(&Key, &Histogram)> = set.series().collect();
    let low = decade(rows.iter().map(|(_, h)| h.stats().min).min().unwrap_or_default(), f64::floor);
    let high = decade(rows.iter().map(|(_, h)| h.stats().max).max().unwrap_or_default(), f64::ceil).max(low * 10);
    page.within("table", &[("class", "histogram")], |page| {
        page.element("caption", &[], "Half of the values are no longer than p50, nine of ten than p90. The scale of the pictures is logarithmic.");
        page.within("thead", &[], |page| page.within("tr", &[], |page| head(page, low, high)));
        page.within("tbody", &[], |page| {
            for (key, histogram) in rows {
                page.within("tr", &[], |page| row(page, key, histogram, [low, high]));
            }
        });
    });
}

fn head(page: &mut Page, low: Duration, high: Duration) {
    page.element("th", &[("scope", "col")], "What");
    page.within("th", &[("scope", "col"), ("class", "spread")], |page| {
        page.element("span", &[], "Spread");
        svg::ornament(page, ["100%", "16"], |page| {
            let decades = (high.as_secs_f64() / low.as_secs_f64()).log10().round().max(1.0) as u32;
            // A label for every decade would not fit.
            for step in (0..decades).filter(|step| decades <= 4 || step % 2 == 0) {
                let x = svg::percent(f64::from(step) / f64::from(decades));
                page.element("text", &[("x", &x), ("y", "13")], &power(low * 10_u32.pow(step)));
            }
        });
    });
    for (name, class) in [("Count", "n"), ("p50", "n"), ("p90", "n wide"), ("p99", "n wide"), ("Max", "n")] {
        page.element("th", &[("scope", "col"), ("class", class)], name);
    }
}

fn row(page: &mut Page, key: &Key, histogram: &Histogram, [low, high]: [Duration; 2]) {
    let stats = histogram.stats();
    page.element("th", &[("scope", "row")], &key.label());
    page.within("td", &[("class", "spread")], |page| {
        let title = format!(
            "{}: {} from {} to {}, half within {}, nine of ten within {}",
            key.label(),
            counted(stats.count, "value"),
            brief(stats.min),
            brief(stats.max),
            brief(stats.p50),
            brief(stats.p90)
        );
        svg::image(page, &title, 20, |page| spread(page, &histogram.spread(low, high, COLUMNS)));
    });
    let numbers = [
        (super::count(stats.count), "n"),
        (brief(stats.p50), "n"),
        (brief(stats.p90), "n wide"),
        (brief(stats.p99), "n wide"),
        (brief(stats.max), "n"),
    ];
    for (says, class) in numbers {
        page.element("td", &[("class", class)], &says);
    }
}

fn spread(page: &mut Page, counts: &[u64]) {
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    page.empty("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", "100%"), ("y2", "100%")]);
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let [from, to] = [place, place + 1].map(|place| place as f64 / counts.len() as f64);
        let height = (*count as f64 / most).max(0.12);
        svg::bar(page, "network", from, to, [&svg::percent(1.0 - height), &svg::percent(height)]);
    }
}
