//! Round trips, repetitions and bytes of each leg over time.

use std::time::Duration;

use super::page::Page;
use super::svg::{self, Scale};
use crate::count::counted;
use crate::diagnose::stage::length;
use crate::report::text::leg_line;
use crate::timeline::Timeline;
use crate::timeline::leg::Leg;
use crate::timeline::phase::PhaseName;
use crate::timeline::series::{Series, Step};

/// Of fewer steps there is nothing to see.
const STEPS: usize = 8;
/// Nor of fewer samples.
const SAMPLES: usize = 3;

/// Every leg: its line, and its pictures where there is something to see.
pub fn charts(page: &mut Page, timeline: &Timeline) {
    for leg in &timeline.legs {
        page.within("div", &[("class", "chart")], |page| {
            page.within("p", &[], |page| {
                page.element("strong", &[], &super::capital(super::session::leg(leg.name)));
                page.text(&format!(": {}", leg_line(leg)));
            });
            if leg.series.steps().len() >= STEPS && !timeline.is_untimed() {
                pictures(page, timeline, leg);
            }
        });
    }
}

fn pictures(page: &mut Page, timeline: &Timeline, leg: &Leg) {
    let series = &leg.series;
    let scale = Scale { began: series.began.unwrap_or_default(), length: series.length() };
    let active = timeline.phase(PhaseName::Active).map(|phase| scale.place(phase.began));
    let active = active.filter(|at| *at > 0.0 && *at < 1.0);
    let samples = series.steps().iter().filter(|step| step.rtt.is_some()).count();
    if let Some(most) = most_rtt(series).filter(|_| samples >= SAMPLES) {
        let label = format!("RTT, to {}", length(most));
        picture(page, &label, &says_rtt(series, most), 54, |page| {
            frame(page, active);
            each(series, |from, to, step| rtt(page, (from + to) / 2.0, step, most));
        });
    }
    if series.steps().iter().any(|step| step.again > 0) {
        picture(page, "sent again", &says_again(timeline, series), 16, |page| {
            frame(page, active);
            each(series, |from, to, step| {
                if step.again > 0 {
                    svg::bar(page, "again", from, to, ["2", "12"]);
                }
            });
        });
    }
    bytes(page, series, active);
    axis(page, timeline, &scale, active);
    numbers(page, timeline, series);
}

/// A picture in a row, its label before it.
fn picture(page: &mut Page, label: &str, says: &str, height: u32, draw: impl FnOnce(&mut Page)) {
    page.within("div", &[("class", "row")], |page| {
        page.element("span", &[], label);
        svg::image(page, says, height, draw);
    });
    page.within("div", &[("class", "row")], |page| {
        page.element("span", &[], "");
        page.element("p", &[("class", "note")], says);
    });
}

/// Where it begins and ends, and where the session became active.
fn frame(page: &mut Page, active: Option<f64>) {
    page.empty("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", "100%"), ("y2", "100%")]);
    if let Some(at) = active {
        svg::upright(page, "axis", at);
    }
}

fn each(series: &Series, mut draw: impl FnMut(f64, f64, &Step)) {
    let count = series.steps().len() as f64;
    for (place, step) in series.steps().iter().enumerate() {
        draw(place as f64 / count, (place as f64 + 1.0) / count, step);
    }
}

fn most_rtt(series: &Series) -> Option<Duration> {
    series.steps().iter().filter_map(|step| step.rtt).map(|(_, high)| high).max()
}

fn says_rtt(series: &Series, most: Duration) -> String {
    let least = series.steps().iter().filter_map(|step| step.rtt).map(|(low, _)| low).min().unwrap_or_default();
    let sampled = series.steps().iter().filter(|step| step.rtt.is_some()).count();
    format!(
        "Round-trip time as sampled, smoothed by the sender: {} to {}, in {} of {}.",
        length(least),
        length(most),
        counted(sampled, "step"),
        length(series.step())
    )
}

/// From the least to the greatest round trip of a step.
fn rtt(page: &mut Page, at: f64, step: &Step, most: Duration) {
    let Some((low, high)) = step.rtt else { return };
    let height = |rtt: Duration| svg::percent(1.0 - 0.94 * rtt.as_secs_f64() / most.as_secs_f64().max(1e-9));
    let x = svg::percent(at);
    page.empty("line", &[("class", "rtt"), ("x1", &x), ("x2", &x), ("y1", &height(low)), ("y2", &height(high))]);
}

fn says_again(timeline: &Timeline, series: &Series) -> String {
    let again: u64 = series.steps().iter().map(|step| step.again).sum();
    let places: Vec<usize> =
        series.steps().iter().enumerate().filter(|(_, step)| step.again > 0).map(|(place, _)| place).collect();
    let at = |place: usize| {
        let since = series.began.unwrap_or_default() + series.step() * place as u32;
        length(since.after(timeline.began.unwrap_or_default()))
    };
    let (first, last) = (places.first().copied().unwrap_or(0), places.last().copied().unwrap_or(0));
    format!("{} sent again, between +{} and +{}.", counted(again, "segment"), at(first), at(last + 1))
}

/// What the client sent above, what the server sent below.
fn bytes(page: &mut Page, series: &Series, active: Option<f64>) {
    let most = series.steps().iter().flat_map(|step| step.bytes).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let total = |side: usize| super::bytes(series.steps().iter().map(|step| step.bytes[side]).sum());
    let says = format!(
        "Payload per {}: in all {} of the client (above the line), {} of the server (below); at most {} in one step.",
        length(series.step()),
        total(0),
        total(1),
        super::bytes(most)
    );
    picture(page, "bytes", &says, 64, |page| {
        if let Some(at) = active {
            svg::upright(page, "axis", at);
        }
        each(series, |from, to, step| {
            let height = |side: usize| {
                if step.bytes[side] == 0 { 0.0 } else { (0.5 * step.bytes[side] as f64 / most as f64).max(0.02) }
            };
            let [client, server] = [height(0), height(1)];
            if client > 0.0 {
                svg::bar(page, "client", from, to, [&svg::percent(0.5 - client), &svg::percent(client)]);
            }
            if server > 0.0 {
                svg::bar(page, "server", from, to, ["50%", &svg::percent(server)]);
            }
        });
        page.empty("line", &[("class", "axis"), ("x1", "0"), ("x2", "100%"), ("y1", "50%"), ("y2", "50%")]);
    });
}

fn axis(page: &mut Page, timeline: &Timeline, scale: &Scale, active: Option<f64>) {
    let offset = scale.began.after(timeline.began.unwrap_or_default());
    page.within("div", &[("class", "row")], |page| {
        page.element("span", &[], "time");
        svg::ornament(page, ["100%", "30"], |page| {
            let ends = [("0", "start", offset), ("100%", "end", offset + scale.length)];
            for (x, anchor, at) in ends {
                page.element("text", &[("x", x), ("y", "12"), ("text-anchor", anchor)], &format!("+{}", length(at)));
            }
            if let Some(at) = active {
                let anchor = if at < 0.5 { "start" } else { "end" };
                page.element("text", &[("x", &svg::percent(at)), ("y", "27"), ("text-anchor", anchor)], "active");
            }
        });
    });
}

/// The same as numbers.
fn numbers(page: &mut Page, timeline: &Timeline, series: &Series) {
    page.within("details", &[], |page| {
        page.element("summary", &[], "The same as numbers");
        page.within("table", &[("class", "numbers")], |page| {
            page.within("thead", &[], |page| {
                page.within("tr", &[], |page| {
                    for name in ["From", "RTT", "Sent again", "Client", "Server"] {
                        page.element("th", &[("scope", "col"), ("class", "n")], name);
                    }
                });
            });
            page.within("tbody", &[], |page| {
                let told = series.steps().into_iter().enumerate().filter(|(_, step)| *step != Step::default());
                told.for_each(|(place, step)| {
                    page.within("tr", &[], |page| number(page, timeline, series, place, &step))
                });
            });
        });
    });
}

fn number(page: &mut Page, timeline: &Timeline, series: &Series, place: usize, step: &Step) {
    let at = series.began.unwrap_or_default() + series.step() * place as u32;
    let rtt = match step.rtt {
        Some((low, high)) if low == high => length(low),
        Some((low, high)) => format!("{} to {}", length(low), length(high)),
        None => "\u{2013}".into(),
    };
    page.element(
        "th",
        &[("scope", "row"), ("class", "n")],
        &format!("+{}", length(at.after(timeline.began.unwrap_or_default()))),
    );
    for says in [rtt, step.again.to_string(), super::bytes(step.bytes[0]), super::bytes(step.bytes[1])] {
        page.element("td", &[("class", "n")], &says);
    }
}
