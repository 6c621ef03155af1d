//! One session: its verdict first, then what it rests on.

use super::page::Page;
use super::{Numbered, capital, certificates, chart, finding, ladder, name, waterfall};
use crate::attempt::Diagnosed;
use crate::diagnose::{Finding, Outcome, Party, Severity, stage::length};
use crate::observation::Leg;
use crate::report::NO_TIMES;
use crate::report::ladder::Rows;
use crate::report::text::{probed, told};
use crate::report::{altered_by_proxy, verdict};

/// The whole of it.
pub fn session(page: &mut Page, numbered: &Numbered<'_>, is_one_of_many: bool) {
    let (id, title) = (numbered.id(""), numbered.id("-title"));
    let rows = Rows::of(&numbered.session.timeline, primary(numbered.session));
    page.within("article", &[("class", "session"), ("id", &id), ("aria-labelledby", &title)], |page| {
        verdict(page, numbered, &title, is_one_of_many);
        finding::findings(page, numbered, &rows);
        section(page, numbered, "time", "Where the time went", |page| {
            waterfall::waterfall(page, &numbered.session.timeline)
        });
        if !rows.is_empty() {
            section(page, numbered, "messages", "The messages", |page| ladder::ladder(page, numbered, &rows));
        }
        section(page, numbered, "path", "The path", |page| chart::charts(page, &numbered.session.timeline));
        certificates::section(page, numbered);
        said(page, numbered);
        besides(page, numbered);
    });
}

/// A part of a session, with a heading of its own.
pub fn section(page: &mut Page, numbered: &Numbered<'_>, place: &str, heading: &str, inside: impl FnOnce(&mut Page)) {
    let id = numbered.id(&format!("-{place}"));
    page.within("section", &[("aria-labelledby", &id)], |page| {
        page.element("h3", &[("id", &id)], heading);
        inside(page);
    });
}

/// The finding that says why it failed.
fn primary(session: &Diagnosed) -> Option<&Finding> {
    session.findings.first()
}

fn verdict(page: &mut Page, numbered: &Numbered<'_>, title: &str, is_one_of_many: bool) {
    let session = numbered.session;
    let outcome = session.outcome.name();
    page.within("header", &[("class", &format!("verdict is-{outcome}"))], |page| {
        page.within("p", &[("class", "eyebrow")], |page| {
            page.element("span", &[("class", &format!("badge {outcome}"))], outcome);
            if session.withdrawn {
                page.element("span", &[("class", "badge")], "withdrawn");
            }
            if is_one_of_many {
                page.text(&format!(" session {} ", numbered.number));
            }
            let began = || session.began().to_string().replace('T', " ");
            let began = if session.timeline.is_untimed() { NO_TIMES.to_owned() } else { began() };
            page.element("span", &[], &began);
            if let Some(file) = &session.file {
                page.element("code", &[], name(file));
            }
        });
        let says = capital(&verdict::of_session(session));
        let headline = primary(session).filter(|finding| names_the_end(session, finding));
        page.element(
            "h2",
            &[("id", title)],
            &headline.map_or(says.clone(), |finding| capital(&verdict::headline(finding))),
        );
        if headline.is_some() {
            page.element("p", &[("class", "lead")], &says);
        }
        facts(page, session);
    });
    if let Some(why) = &session.incomplete {
        page.element("p", &[("class", "wrong")], &format!("The recording is incomplete: {why}"));
    }
}

/// Whether the finding is what became of the session, not something beside it.
fn names_the_end(session: &Diagnosed, finding: &Finding) -> bool {
    let is_bad = matches!(session.outcome, Outcome::Failed | Outcome::Broken);
    is_bad && (finding.severity == Severity::Failure || session.withdrawn)
}

/// The parts of the verdict, one by one.
fn facts(page: &mut Page, session: &Diagnosed) {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(finding) = primary(session).filter(|finding| names_the_end(session, finding)) {
        facts.push(("Cause", finding.cause.id.into()));
        facts.push(("Confidence", finding.confidence.name().into()));
        facts.push(("Phase", finding.phase.to_string()));
        facts.push(("Leg", leg(finding.leg).into()));
        let by = if finding.by == Party::Nobody { "nobody: a timer" } else { finding.by.name() };
        facts.push(("By", by.into()));
    }
    let timeline = &session.timeline;
    let gateway = timeline.facts.gateway.as_ref();
    let far = if gateway.is_some() { "Gateway" } else { "Server" };
    let ends = [
        ("Client", timeline.client_leg().and_then(|leg| leg.client)),
        (far, timeline.server_leg().and_then(|leg| leg.server)),
    ];
    for (name, end) in ends {
        if let Some(end) = end {
            facts.push((name, end.to_string()));
        }
    }
    if let Some((name, _)) = &timeline.target {
        facts.push(("Asked for", name.clone()));
    }
    if let Some((name, port)) = gateway.and_then(|gateway| gateway.target()) {
        facts.push(("Target", format!("{name}:{port}")));
    }
    if !timeline.is_untimed() {
        facts.push(("Lasted", length(timeline.last.after(session.began()))));
    }
    let shown = primary(session)
        .filter(|finding| names_the_end(session, finding))
        .map(|finding| finding.cause.mstsc.join(", "));
    facts.extend(shown.filter(|shown| !shown.is_empty()).map(|shown| ("mstsc shows", shown)));
    page.within("dl", &[("class", "facts")], |page| facts.iter().for_each(|(name, says)| fact(page, name, says)));
}

fn fact(page: &mut Page, name: &str, says: &str) {
    page.within("div", &[], |page| {
        page.element("dt", &[], name);
        page.element("dd", &[], says);
    });
}

/// Which way a leg leads.
pub fn leg(leg: Leg) -> &'static str {
    match leg {
        Leg::Front => "front (client to proxy)",
        Leg::Back => "back (proxy to server)",
        Leg::Only => "client to server",
    }
}

fn said(page: &mut Page, numbered: &Numbered<'_>) {
    let told = told(&numbered.session.timeline);
    if told.is_empty() {
        return;
    }
    section(page, numbered, "said", "What the two sides said", |page| {
        page.within("dl", &[("class", "pairs")], |page| {
            for (name, says) in &told {
                page.element("dt", &[], name);
                page.element("dd", &[], says);
            }
        });
    });
}

/// What else is to be known of it: further observations, malformed messages, the proxy's own part, the recording.
fn besides(page: &mut Page, numbered: &Numbered<'_>) {
    let session = numbered.session;
    let mut says: Vec<String> = session.witnesses.iter().map(|witness| capital(&witness.says())).collect();
    says.extend(probed(session).map(|says| format!("Probe, {says}")));
    let facts = &session.timeline.facts;
    says.extend(facts.malformed.iter().map(|seen| {
        let (from, layer, says) = &seen.what;
        format!("Malformed {layer} of the {}, frame {}: {says}", from.name(), seen.mark.frame)
    }));
    if facts.more_malformed > 0 {
        says.push(format!("{} further malformed messages", facts.more_malformed));
    }
    let altered = altered_by_proxy(&session.timeline);
    if says.is_empty() && altered.is_empty() {
        return;
    }
    section(page, numbered, "besides", "Besides", |page| {
        list(page, &says);
        if !altered.is_empty() {
            page.within("details", &[], |page| {
                page.element("summary", &[], "How the proxy itself changed this session");
                list(page, &altered);
            });
        }
    });
}

fn list(page: &mut Page, says: &[String]) {
    if !says.is_empty() {
        page.within("ul", &[], |page| says.iter().for_each(|says| page.element("li", &[], says)));
    }
}
