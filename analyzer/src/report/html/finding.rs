//! What a session's end means: what happened, on what that rests, what else it could be, what to do next.

use super::Numbered;
use super::page::Page;
use crate::diagnose::stage::length;
use crate::diagnose::{Evidence, Finding, Severity, direct_equivalent};
use crate::report::ladder::Rows;
use crate::report::verdict;

/// Every finding of a session, the primary one first.
pub fn findings(page: &mut Page, numbered: &Numbered<'_>, rows: &Rows<'_>) {
    for (place, finding) in numbered.session.findings.iter().enumerate() {
        let id = numbered.id(&format!("-why{place}"));
        page.within("section", &[("class", "finding"), ("aria-labelledby", &id)], |page| {
            page.element("h3", &[("id", &id)], &heading(finding));
            self::finding(page, numbered, finding, rows);
        });
    }
    if let Some(code) = direct_equivalent(&numbered.session.timeline) {
        let says =
            format!("Without the proxy mstsc would have shown {code}, not 0x904: the proxy answers the SYN itself.");
        page.element("p", &[("class", "note")], &says);
    }
}

fn heading(finding: &Finding) -> String {
    match finding.severity {
        Severity::Failure => "What happened".into(),
        Severity::Warning => format!("Warning: {} ({})", verdict::headline(finding), finding.cause.id),
        Severity::Note => format!("Note: {} ({})", verdict::headline(finding), finding.cause.id),
    }
}

fn finding(page: &mut Page, numbered: &Numbered<'_>, finding: &Finding, rows: &Rows<'_>) {
    page.element("p", &[("class", "lead")], &super::capital(&finding.says));
    if !finding.evidence.is_empty() {
        page.element("h4", &[], "Evidence");
        page.within("ol", &[], |page| {
            for evidence in &finding.evidence {
                page.within("li", &[], |page| self::evidence(page, numbered, evidence, rows));
            }
        });
    }
    page.within("div", &[("class", "cards")], |page| {
        card(page, "Next check", finding.cause.check);
        card(page, "Fix", finding.cause.fix);
    });
    page.within("div", &[("class", "columns")], |page| {
        let others: Vec<String> = finding
            .alternatives
            .iter()
            .map(|(cause, sure)| format!("{}: {} ({})", cause.id, cause.name, sure.name()))
            .collect();
        list(page, "It could also be", &others);
        let hidden: Vec<String> = finding.cannot_tell().map(str::to_owned).collect();
        list(page, "What the wire cannot show", &hidden);
    });
}

/// What stands there, and where: a link to the message, if the ladder has it.
fn evidence(page: &mut Page, numbered: &Numbered<'_>, evidence: &Evidence, rows: &Rows<'_>) {
    page.text(&format!("{} ", evidence.says));
    let after = length(evidence.at.after(numbered.session.began()));
    // What was not recorded has no number.
    let place = if evidence.frame > 0 { format!("frame {}, +{after}", evidence.frame) } else { format!("+{after}") };
    page.within("span", &[("class", "soft")], |page| match rows.of_evidence(evidence) {
        Some(row) => page.element("a", &[("href", &format!("#{}", numbered.id(&format!("-m{row}"))))], &place),
        None => page.text(&format!("({place})")),
    });
}

fn card(page: &mut Page, heading: &str, says: &str) {
    if says.is_empty() {
        return;
    }
    page.within("div", &[("class", "card")], |page| {
        page.element("h4", &[], heading);
        page.element("p", &[], &super::capital(says));
    });
}

fn list(page: &mut Page, heading: &str, says: &[String]) {
    if says.is_empty() {
        return;
    }
    page.within("div", &[], |page| {
        page.element("h4", &[], heading);
        page.within("ul", &[], |page| says.iter().for_each(|says| page.element("li", &[], says)));
    });
}
