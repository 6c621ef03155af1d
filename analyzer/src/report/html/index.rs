//! What a set of sessions shows, before each of them is told: how they went, why they failed, which were slow, what they
//! show side by side, how long things took, and every attempt with its sessions.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::page::Page;
use super::{FULL, Numbered, capital, count, histogram, name, svg};
use crate::attempt::{Attempt, Diagnosed, Link};
use crate::causes::Cause;
use crate::count::noun;
use crate::diagnose::stage::length;
use crate::diagnose::{Confidence, Outcome, Severity};
use crate::latency::{By, Set};
use crate::report::NO_TIMES;
use crate::report::verdict;
use crate::survey::survey;

/// The slowest that are named.
const SLOWEST: usize = 10;
/// Of fewer sessions no times are spread.
const SPREAD: usize = 3;
/// Sessions that have a row.
const ROWS: usize = 5_000;

/// The whole of it.
pub fn index(page: &mut Page, attempts: &[Attempt], numbered: &[Vec<Numbered<'_>>], ranked: &[Numbered<'_>]) {
    page.within("section", &[("class", "set"), ("aria-labelledby", "set")], |page| {
        page.element("h2", &[("id", "set")], &headline(attempts, ranked.len()));
        outcomes(page, attempts);
        let timed = || ranked.iter().filter(|numbered| !numbered.session.timeline.is_untimed());
        let is_good = |numbered: &&Numbered<'_>| !is_bad(numbered.session.outcome) && !is_scan(numbered);
        let good: Vec<&Numbered<'_>> = timed().filter(is_good).take(SLOWEST).collect();
        let has_times = timed().count() >= SPREAD;
        contents(page, !good.is_empty(), has_times);
        mix(page, attempts, numbered);
        together(page, attempts);
        slowest(page, &good);
        if has_times {
            let mut set = Set::by(By::Phase);
            ranked.iter().for_each(|numbered| set.push(numbered.session));
            part(page, "times", "How long it took", |page| histogram::histograms(page, &set));
        }
        all(page, numbered);
        if ranked.len() > FULL {
            let says = format!(
                "The first {FULL} sessions are told in full below, failing ones first, then the slowest; the other {} stand in \
                 the table above alone.",
                count((ranked.len() - FULL) as u64)
            );
            page.element("p", &[], &says);
        }
    });
}

fn headline(attempts: &[Attempt], sessions: usize) -> String {
    let failed = attempts.iter().filter(|attempt| is_bad(attempt.outcome())).count() as u64;
    let sessions = format!("in {} {}", count(sessions as u64), noun(sessions, "connection"));
    match (failed, attempts.len() as u64) {
        (0, 1) => format!("One attempt, {sessions}: it did not fail"),
        (_, 1) => format!("One attempt, {sessions}: it failed"),
        (0, all) => format!("{} attempts, {sessions}: none failed", count(all)),
        (failed, all) => format!("{} of {} attempts failed, {sessions}", count(failed), count(all)),
    }
}

/// Whether nobody opened it to work.
fn is_scan(numbered: &Numbered<'_>) -> bool {
    numbered.session.link.is_some_and(Link::is_scan)
}

fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Broken)
}

/// A part of the index, with a heading of its own.
fn part(page: &mut Page, id: &'static str, heading: &str, inside: impl FnOnce(&mut Page)) {
    page.within("section", &[("aria-labelledby", id)], |page| {
        page.element("h3", &[("id", id)], heading);
        inside(page);
    });
}

fn contents(page: &mut Page, has_slow: bool, has_times: bool) {
    page.within("nav", &[("class", "toc"), ("aria-label", "On this page")], |page| {
        let places = [
            ("#mix", "Why they failed", true),
            ("#slowest", "The slowest", has_slow),
            ("#times", "How long it took", has_times),
            ("#all", "All attempts", true),
        ];
        for (href, says, _) in places.into_iter().filter(|(_, _, is_there)| *is_there) {
            page.element("a", &[("href", href)], says);
        }
    });
}

/// How the attempts went, as one bar and in words.
fn outcomes(page: &mut Page, attempts: &[Attempt]) {
    let all = [Outcome::Failed, Outcome::Broken, Outcome::Unfinished, Outcome::Connected];
    let counts = all.map(|outcome| attempts.iter().filter(|attempt| attempt.outcome() == outcome).count());
    let told = all.iter().zip(counts).filter(|(_, count)| *count > 0);
    let says: Vec<String> =
        told.map(|(outcome, count)| format!("{} {}", super::count(count as u64), outcome.name())).collect();
    let says = says.join(", ");
    page.within("div", &[("class", "tally")], |page| {
        svg::image(page, &format!("Outcomes: {says}"), 14, |page| {
            let mut from = 0.0;
            for (outcome, count) in all.iter().zip(counts).filter(|(_, count)| *count > 0) {
                let to = from + count as f64 / attempts.len() as f64;
                svg::bar(page, &format!("fill-{}", outcome.name()), from, to, ["0", "14"]);
                from = to;
            }
        });
    });
    page.element("p", &[("class", "lead")], &capital(&format!("{says}.")));
}

/// A cause, and how sure it is.
type Sure = (&'static Cause, Confidence);

/// The causes of the attempts that failed, the most frequent first.
fn mix(page: &mut Page, attempts: &[Attempt], numbered: &[Vec<Numbered<'_>>]) {
    let mut causes: BTreeMap<Option<&'static str>, (Option<Sure>, usize, usize)> = BTreeMap::new();
    for (attempt, sessions) in attempts.iter().zip(numbered).filter(|(attempt, _)| is_bad(attempt.outcome())) {
        let Some(deciding) = attempt.deciding() else { continue };
        let primary = deciding.findings.first().filter(|finding| finding.severity == Severity::Failure);
        let cause = primary.map(|finding| (finding.cause, finding.confidence));
        let number =
            sessions.iter().find(|numbered| numbered.session == deciding).map_or(1, |numbered| numbered.number);
        let row = causes.entry(cause.map(|(cause, _)| cause.id)).or_insert((cause, 0, number));
        // As sure as it is where it is surest.
        row.0 = row.0.zip(cause).map(|((cause, sure), (_, other))| (cause, sure.min(other)));
        row.1 += 1;
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by_key(|(_, count, first)| (Reverse(*count), *first));
    let most = causes.iter().map(|(_, count, _)| *count).max().unwrap_or(1);
    part(page, "mix", "Why they failed", |page| {
        if causes.is_empty() {
            page.element("p", &[], "No attempt failed.");
            return;
        }
        page.within("table", &[], |page| {
            heads(page, &[("Attempts", "n"), ("", "share wide"), ("Cause", ""), ("The first", "tight")]);
            page.within("tbody", &[], |page| {
                for (cause, count, first) in causes {
                    page.within("tr", &[], |page| cause_row(page, cause, count, first, most));
                }
            });
        });
    });
}

fn cause_row(page: &mut Page, cause: Option<Sure>, count: usize, first: usize, most: usize) {
    page.element("td", &[("class", "n")], &super::count(count as u64));
    page.within("td", &[("class", "share wide")], |page| {
        svg::ornament(page, ["100%", "12"], |page| {
            svg::bar(page, "fill-failed", 0.0, count as f64 / most as f64, ["0", "12"])
        });
    });
    page.within("th", &[("scope", "row")], |page| match cause {
        Some((cause, sure)) => {
            page.element("strong", &[], cause.id);
            page.text(&format!(" {} ({})", cause.name, sure.name()));
        }
        None => page.text("cannot tell why"),
    });
    page.within("td", &[("class", "tight")], |page| {
        page.element("a", &[("href", &format!("#s{first}"))], &format!("session {first}"))
    });
}

fn heads(page: &mut Page, heads: &[(&str, &str)]) {
    page.within("thead", &[], |page| {
        page.within("tr", &[], |page| {
            for (says, class) in heads {
                let name = if says.is_empty() { "td" } else { "th" };
                let scope: &[(&'static str, &str)] = &[("class", class), ("scope", "col")];
                page.element(name, if says.is_empty() { &scope[..1] } else { scope }, says);
            }
        });
    });
}

/// What the sessions show side by side.
fn together(page: &mut Page, attempts: &[Attempt]) {
    let patterns = survey(attempts);
    if patterns.is_empty() {
        return;
    }
    part(page, "together", "Side by side", |page| {
        for pattern in &patterns {
            let cause = pattern.cause.map(|cause| format!("{}: ", cause.id)).unwrap_or_default();
            page.within("div", &[("class", "finding")], |page| {
                page.element(
                    "p",
                    &[("class", "lead")],
                    &format!("{cause}{} ({})", pattern.says, pattern.confidence.name()),
                );
                page.within("ul", &[], |page| pattern.evidence.iter().for_each(|says| page.element("li", &[], says)));
                if let Some(cause) = pattern.cause {
                    page.element("p", &[], &format!("Next check: {}", cause.check));
                    page.element("p", &[], &format!("Fix: {}", cause.fix));
                }
            });
        }
    });
}

/// Those that took longest to become active, failing ones aside.
fn slowest(page: &mut Page, slowest: &[&Numbered<'_>]) {
    if slowest.is_empty() {
        return;
    }
    part(page, "slowest", "The slowest of the others", |page| {
        page.within("table", &[("class", "stack")], |page| {
            heads(page, &[("Set up in", "n"), ("Longest phase", ""), ("Verdict", "grow"), ("", "tight")]);
            page.within("tbody", &[], |page| {
                slowest.iter().for_each(|numbered| page.within("tr", &[], |page| slow_row(page, numbered)))
            });
        });
    });
}

fn slow_row(page: &mut Page, numbered: &Numbered<'_>) {
    use crate::timeline::phase::PhaseName::Active;
    let longest = numbered
        .session
        .timeline
        .phases
        .iter()
        .filter(|phase| phase.name != Active)
        .max_by_key(|phase| phase.duration());
    let longest = longest.map(|phase| format!("{}, {}", phase.name, length(phase.duration()))).unwrap_or_default();
    page.element("td", &[("class", "n"), ("data-label", "Set up in")], &length(numbered.setup()));
    page.element("td", &[("data-label", "Longest phase")], &longest);
    page.element("td", &[], &verdict::of_session(numbered.session));
    page.within("td", &[("class", "tight")], |page| link(page, numbered));
}

fn link(page: &mut Page, numbered: &Numbered<'_>) {
    page.element("a", &[("href", &format!("#{}", numbered.id("")))], &format!("session {}", numbered.number));
}

/// Every attempt in the order of time, its sessions under it.
fn all(page: &mut Page, numbered: &[Vec<Numbered<'_>>]) {
    let told: usize = numbered.iter().map(Vec::len).sum::<usize>().min(FULL);
    let mut full: Vec<Numbered<'_>> = numbered.iter().flatten().copied().collect();
    full.sort_by_key(Numbered::rank);
    let full: std::collections::HashSet<usize> = full.iter().take(told).map(|numbered| numbered.number).collect();
    part(page, "all", "All attempts", |page| {
        page.element(
            "p",
            &[("class", "note")],
            "In the order of time. Connections that follow from each other are one attempt.",
        );
        page.within("table", &[("class", "stack")], |page| {
            let names = [
                ("Session", ""),
                ("Began", "tight"),
                ("Client, server", "ends"),
                ("Set up in", "n"),
                ("Verdict", "grow"),
            ];
            heads(page, &names);
            for sessions in numbered.iter().filter(|sessions| sessions.iter().any(has_row)) {
                page.within("tbody", &[], |page| {
                    for numbered in sessions.iter().filter(|numbered| has_row(numbered)) {
                        page.within("tr", &[], |page| session_row(page, numbered, full.contains(&numbered.number)));
                    }
                });
            }
        });
        let more = numbered.iter().flatten().filter(|numbered| !has_row(numbered)).count();
        if more > 0 {
            let says = format!("and {} further {} without a row here", count(more as u64), noun(more, "session"));
            page.element("p", &[], &says);
        }
    });
}

/// "2026-11-22 23:53:52".
fn moment(session: &Diagnosed) -> String {
    if session.timeline.is_untimed() {
        return NO_TIMES.to_owned();
    }
    session.began().to_string().replace('T', " ").chars().take(19).collect()
}

fn has_row(numbered: &Numbered<'_>) -> bool {
    numbered.number <= ROWS
}

fn session_row(page: &mut Page, numbered: &Numbered<'_>, is_told: bool) {
    let session = numbered.session;
    let timeline = &session.timeline;
    page.within("th", &[("scope", "row")], |page| {
        let linked = session.link.map(|link| format!("\u{2514} {} ", Link::name(link))).unwrap_or_default();
        page.element("span", &[("class", "soft")], &linked);
        match is_told {
            true => link(page, numbered),
            false => page.text(&format!("session {}", numbered.number)),
        }
        if let Some(file) = &session.file {
            page.element("span", &[("class", "soft note file")], name(file));
        }
    });
    page.element("td", &[("class", "tight"), ("data-label", "Began")], &moment(session));
    let client = timeline.client_leg().and_then(|leg| leg.client).map_or("?".into(), |client| client.ip().to_string());
    let address = || timeline.server_leg().and_then(|leg| leg.server).map_or("?".into(), |server| server.to_string());
    let server = timeline.target.as_ref().map_or_else(address, |(name, port)| format!("{name}:{port}"));
    page.within("td", &[("data-label", "Client, server")], |page| {
        page.text(&client);
        page.element("span", &[("class", "file")], &server);
    });
    page.element("td", &[("class", "n"), ("data-label", "Set up in")], &setup(numbered));
    page.within("td", &[], |page| {
        let outcome = session.outcome.name();
        page.element("span", &[("class", outcome)], outcome);
        let says = verdict::of_session(session);
        page.text(says.strip_prefix(outcome).unwrap_or(&says));
    });
}

fn setup(numbered: &Numbered<'_>) -> String {
    let took: Duration = numbered.setup();
    let timeline = &numbered.session.timeline;
    if timeline.is_active() && !timeline.is_untimed() { length(took) } else { "\u{2013}".into() }
}
