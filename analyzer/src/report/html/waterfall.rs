//! When each phase began and ended, and who was waited for in it: a bar for each, divided by whose time it was.

use std::time::Duration;

use super::page::Page;
use super::svg::{self, Scale};
use crate::attribution::stalls;
use crate::diagnose::stage::length;
use crate::event::Basis;
use crate::observation::Leg;
use crate::report::NO_TIMES;
use crate::report::text::path::{arithmetic, stall, wire};
use crate::time::Timestamp;
use crate::timeline::phase::{Outcome, Phase, PhaseName};
use crate::timeline::{Sureness, Timeline};

/// Where a bar lies in its row, pixels from its top, and how high it is.
const BAR: [&str; 2] = ["4", "14"];
const ROW: u32 = 22;

/// The phases, as a table with a bar in each row, and the arithmetic behind it.
pub fn waterfall(page: &mut Page, timeline: &Timeline) {
    if timeline.is_untimed() {
        return untimed(page, timeline);
    }
    let scale = scale(timeline);
    page.within("table", &[("class", "waterfall")], |page| {
        page.element("caption", &[], &caption(timeline));
        page.within("thead", &[], |page| page.within("tr", &[], |page| head(page, &scale, timeline.is_impaired())));
        page.within("tbody", &[], |page| {
            for phase in &timeline.phases {
                page.within("tr", &[], |page| row(page, timeline, phase, &scale));
            }
            if let Some(until) = silence(timeline) {
                page.within("tr", &[], |page| silent_row(page, until, &scale, columns(timeline)));
            }
        });
    });
    legend(page, timeline);
    notes(page, timeline);
}

/// The phases, where nobody knows when they were.
fn untimed(page: &mut Page, timeline: &Timeline) {
    let told = timeline.phases.iter().map(|phase| format!("{}{} {}", phase.name, mark(phase), phase.outcome.name()));
    let told = told.collect::<Vec<_>>().join(", ");
    page.element("p", &[("class", "note")], &format!("{NO_TIMES}: how long anything took cannot be told. {told}."));
}

/// The session itself may last for hours: the scale is that of the way to it.
fn scale(timeline: &Timeline) -> Scale {
    let began = timeline.began.unwrap_or_default();
    let ended = timeline.last.after(began);
    let active = timeline.phase(PhaseName::Active).map(|phase| phase.began.after(began));
    let shown = active.filter(|active| !active.is_zero() && ended > *active * 5 / 4);
    Scale { began, length: shown.map_or(ended, |active| active * 5 / 4) }
}

/// What no phase explains: from the end of the last one to the end of a session that never was active.
fn silence(timeline: &Timeline) -> Option<[Timestamp; 2]> {
    let ended = timeline.phases.iter().map(|phase| phase.ended).max()?;
    let is_long = timeline.last.after(ended) * 100 > timeline.last.after(timeline.began?);
    (is_long && timeline.phase(PhaseName::Active).is_none()).then_some([ended, timeline.last])
}

fn silent_row(page: &mut Page, [from, to]: [Timestamp; 2], scale: &Scale, columns: usize) {
    page.element("th", &[("scope", "row"), ("class", "soft")], "until the end");
    page.within("td", &[("class", "bar")], |page| {
        let title = format!("no phase: {} until the end", length(to.after(from)));
        svg::image(page, &title, ROW, |page| {
            grid(page, scale);
            svg::bar(page, "nobody", scale.place(from), scale.place(to), BAR);
        });
    });
    page.element("td", &[("class", "n")], &length(to.after(from)));
    for _ in 0..columns {
        page.element("td", &[("class", "n wide")], "");
    }
}

fn grid(page: &mut Page, scale: &Scale) {
    for (at, _) in scale.ticks() {
        svg::upright(page, "grid", at);
    }
}

fn caption(timeline: &Timeline) -> String {
    let began = timeline.began.unwrap_or_default();
    match timeline.phase(PhaseName::Active) {
        Some(active) => format!(
            "The way to an active session took {}; the session then lasted {}. Bars say when; their colours say whose time \
             it was, not in which order.",
            length(active.began.after(began)),
            length(active.duration())
        ),
        None => format!(
            "It took {} in all. Bars say when; their colours say whose time it was, not in which order.",
            length(timeline.last.after(began))
        ),
    }
}

fn head(page: &mut Page, scale: &Scale, is_impaired: bool) {
    page.element("th", &[("scope", "col")], "Phase");
    page.within("th", &[("scope", "col"), ("class", "bar")], |page| {
        page.element("span", &[], "When");
        svg::ornament(page, ["100%", "16"], |page| {
            for (at, says) in scale.ticks() {
                page.element("text", &[("x", &svg::percent(at)), ("y", "13"), ("text-anchor", "middle")], &says);
            }
        });
    });
    page.element("th", &[("scope", "col"), ("class", "n")], "Took");
    let impaired = is_impaired.then_some("Impaired");
    for name in ["Network", "Retrans.", "Client", "Server"].into_iter().chain(impaired) {
        page.element("th", &[("scope", "col"), ("class", "n wide")], name);
    }
}

fn row(page: &mut Page, timeline: &Timeline, phase: &Phase, scale: &Scale) {
    page.within("th", &[("scope", "row")], |page| {
        page.text(phase.name.name());
        if phase.leg != Leg::Only {
            page.element("span", &[("class", "leg")], &format!(" {}", phase.leg.name()));
        }
        page.element("span", &[("class", "soft")], mark(phase));
        if phase.outcome == Outcome::Failed {
            page.element("span", &[("class", "failed")], " failed");
        }
        page.element("span", &[("class", "narrow")], &whose(phase));
    });
    page.within("td", &[("class", "bar")], |page| {
        let title = described(timeline, phase);
        svg::image(page, &title, ROW, |page| bar(page, phase, scale));
    });
    page.element("td", &[("class", "n")], &length(phase.duration()));
    for (_, _, time) in parts(phase).into_iter().take(columns(timeline)) {
        let says = if time.is_zero() { "\u{2013}".into() } else { length(time) };
        page.element("td", &[("class", "n wide")], &says);
    }
}

/// As the text marks it.
fn mark(phase: &Phase) -> &'static str {
    match (phase.basis, phase.sureness) {
        (Basis::Seen, _) => "",
        (Basis::Inferred, Some(Sureness::Likely) | None) => " ~",
        (Basis::Inferred, Some(Sureness::Possible)) => " ?",
    }
}

/// How many of the columns there are: the last is of impaired sessions alone.
fn columns(timeline: &Timeline) -> usize {
    if timeline.is_impaired() { 5 } else { 4 }
}

/// The columns of the table.
fn parts(phase: &Phase) -> [(&'static str, &'static str, Duration); 5] {
    let waited = phase.waited;
    [
        ("network", "network", waited.network),
        ("retrans", "retransmission", waited.retransmission),
        ("client", "client", waited.client),
        ("server", "server", waited.server),
        ("impaired", "impairment", waited.impairment),
    ]
}

/// "network 2 ms, server 27 ms".
fn whose(phase: &Phase) -> String {
    let told = parts(phase).into_iter().filter(|(_, _, time)| !time.is_zero());
    told.map(|(_, name, time)| format!("{name} {}", length(time))).collect::<Vec<_>>().join(", ")
}

fn described(timeline: &Timeline, phase: &Phase) -> String {
    let began = timeline.began.unwrap_or_default();
    let whose = whose(phase);
    let whose = if whose.is_empty() { whose } else { format!(", waited for: {whose}") };
    let (from, to) = (length(phase.began.after(began)), length(phase.ended.after(began)));
    let inferred = if phase.basis == Basis::Inferred { ", inferred" } else { "" };
    let stopped = match phase.unwatched() {
        stopped if stopped.is_zero() => String::new(),
        stopped => format!(", the proxy itself stopped for {}", length(stopped)),
    };
    format!("{}, from +{from} to +{to}, {}{inferred}{whose}{stopped}", phase.name, phase.outcome.name())
}

fn bar(page: &mut Page, phase: &Phase, scale: &Scale) {
    grid(page, scale);
    let (from, to) = (scale.place(phase.began), scale.place(phase.ended));
    svg::bar(page, "nobody", from, to, BAR);
    let mut at = from;
    for (class, _, time) in parts(phase).into_iter() {
        let next = (at + scale.share(time)).min(to);
        if next > at {
            svg::bar(page, class, at, next, BAR);
        }
        at = next;
    }
    if phase.basis == Basis::Inferred {
        // The fill is an attribute: a pattern cannot be named in a style sheet without an address of its own.
        let (x, width) = (svg::percent(from), svg::percent(to - from));
        page.empty("rect", &[("fill", "url(#hatch)"), ("x", &x), ("width", &width), ("y", BAR[0]), ("height", BAR[1])]);
    }
    if phase.outcome == Outcome::Failed {
        svg::upright(page, "edge", to);
    }
}

fn legend(page: &mut Page, timeline: &Timeline) {
    let is_inferred = timeline.phases.iter().any(|phase| phase.basis == Basis::Inferred);
    page.within("ul", &[("class", "legend"), ("aria-label", "Whose time it was")], |page| {
        let names = [
            ("network", "network: round trips, the resolver"),
            ("retrans", "retransmissions"),
            ("client", "client"),
            ("server", "server"),
            ("nobody", "nobody was waited for"),
        ];
        for (class, says) in names {
            item(page, says, |page| svg::bar(page, class, 0.0, 1.0, ["0", "12"]));
        }
        if timeline.is_impaired() {
            item(page, "held here on purpose (--impair)", |page| svg::bar(page, "impaired", 0.0, 1.0, ["0", "12"]));
        }
        if is_inferred {
            item(page, "inferred from sizes and order, not read (~; ? possible only)", |page| {
                svg::bar(page, "nobody", 0.0, 1.0, ["0", "12"]);
                page.empty("rect", &[("fill", "url(#hatch)"), ("width", "100%"), ("height", "12")]);
            });
        }
    });
}

fn item(page: &mut Page, says: &str, draw: impl FnOnce(&mut Page)) {
    page.within("li", &[], |page| {
        svg::ornament(page, ["16", "12"], draw);
        page.text(says);
    });
}

/// Prediction and stalls, with their arithmetic, and what only packets show.
fn notes(page: &mut Page, timeline: &Timeline) {
    let mut says: Vec<(&str, String)> = arithmetic(timeline).map(|says| ("path", says)).into_iter().collect();
    says.extend(timeline.legs.iter().filter_map(|leg| Some(("wire", wire(leg)?))));
    says.extend(stalls(timeline).iter().map(|one| ("stall", stall(one, timeline))));
    if timeline.is_unsure() {
        says.push(("inferred", "sizes and order stop to tell which phase it is: the last may be over".into()));
    }
    if !says.is_empty() {
        page.within("dl", &[("class", "pairs")], |page| {
            for (name, says) in &says {
                page.element("dt", &[], name);
                page.element("dd", &[], says);
            }
        });
    }
}
