//! What a code means, for people: good in 80 columns, without colour.

use super::columns::Columns;
use super::text::para;
use super::verdict;
use crate::causes::{Cause, Tool};
use crate::codes::phrases::Phrase;
use crate::codes::{Entry, Table};
use crate::explain::{Answer, Decision, Reading, WALK};
use crate::time::Timestamp;

/// Rows of a table that nobody reads are cut here; with one cause or two there is room for all that is known of them.
const FEW: usize = 3;

/// What was found in a line, and what was not read; empty where codes were asked for one by one.
pub fn reading(reading: &Reading) -> String {
    let mut text = String::new();
    for found in &reading.found {
        para(&mut text, "found:    ", found);
    }
    for unread in &reading.unread {
        para(&mut text, "not read: ", unread);
    }
    text
}

/// One answer.
pub fn answer(answer: &Answer) -> String {
    let mut text = String::new();
    para(&mut text, "", &headline(answer));
    if let Some(phrase) = answer.phrase {
        self::phrase(&mut text, phrase);
    }
    for entry in &answer.entries {
        self::entry(&mut text, entry);
    }
    if let Some((class, index)) = answer.class {
        para(&mut text, "  class:   ", &format!("{class}; number {index} in it"));
    }
    if !answer.is_known() {
        unknown(&mut text, answer);
    }
    if answer.socket_closed {
        let late = answer.entries.iter().any(|(table, code)| table.key == "extended" && code.number == 0);
        socket_closed(&mut text, answer.denied, late);
    } else {
        causes(&mut text, &answer.causes);
    }
    others(&mut text, &answer.others);
    text
}

/// The same without the causes: for those who have a recording that decides.
pub fn brief(answer: &Answer) -> String {
    let mut text = String::new();
    para(&mut text, "", &headline(answer));
    if let Some(phrase) = answer.phrase {
        self::phrase(&mut text, phrase);
    }
    for entry in &answer.entries {
        self::entry(&mut text, entry);
    }
    if answer.socket_closed {
        para(&mut text, "  in short: ", "the socket closed under mstsc; the code does not say who closed it, nor why");
    }
    text
}

fn headline(answer: &Answer) -> String {
    match (&answer.entries[..], &answer.causes[..]) {
        _ if answer.phrase.is_some() => format!("{}: a known text", answer.asked),
        ([], [cause]) => format!("{}: {}", cause.id, cause.name),
        ([], _) => format!("{}: in no table", answer.asked),
        ([(table, _)], _) => format!("{}: {}", answer.asked, table.title),
        ([(table, _), ..], _) => format!("{}: {} and what stands behind it", answer.asked, table.title),
    }
}

fn entry(text: &mut String, (table, code): &Entry) {
    let name = if code.name.is_empty() { "without a published name" } else { code.name };
    para(text, "  name:    ", &format!("{name}, {}", table.written(code.number)));
    if !code.meaning.is_empty() {
        para(text, "  means:   ", code.meaning);
    }
    para(text, "  table:   ", &format!("{}: {}", table.title, table.note));
    para(text, "  source:  ", table.source(code));
}

fn phrase(text: &mut String, phrase: &Phrase) {
    para(text, "  shown by: ", phrase.shown_by);
    if !phrase.means.is_empty() {
        para(text, "  means:   ", phrase.means);
    }
    para(text, "  source:  ", phrase.source);
}

fn unknown(text: &mut String, answer: &Answer) {
    let known = match answer.class {
        Some(_) => {
            "The class follows from the pattern of the published numbers. The number itself is in no table here."
        }
        None => "Nothing is known of it. Was it copied completely? Which program showed it, and under which label?",
    };
    para(text, "  ", known);
}

/// What 0x904 says, what it does not, and where to look, phase by phase.
fn socket_closed(text: &mut String, denied: bool, late: bool) {
    text.push_str("\nWhat it says\n");
    para(
        text,
        "  ",
        "0x904 says only: the socket closed. The other side of the TCP connection went away, by FIN or by RST, while \
         mstsc was using it. It does not say who closed it, nor why.",
    );
    if denied {
        para(
            text,
            "  ",
            "0x7 is a verdict of the server only where a Set Error Info PDU carried it, and none can come before MCS \
             Connect Initial. Without that PDU it says no more than that the socket died before the session was up: \
             mstsc fills it in by itself (inferred: it shows 0x7 also where the socket died during X.224, and 0x0 \
             where it died later).",
        );
    }
    if late {
        para(
            text,
            "  ",
            "0x0 adds nothing. Beside 0x904 it is seen where the session was up, or nearly: look at the end of the \
             table first.",
        );
    }
    text.push_str("\nWhat it is not\n");
    let nots = [
        "Win32 error 7, or any Win32 error: these are mstsc's own numbers",
        "a licence code: those are extended codes 0x100 to 0x10b, and reason 0x808",
        "a timeout: those are reasons 0x108 and 0x704",
        "latency: 18 round trips of 250 ms with 5 % loss still take about 7 s",
        "an expired certificate: by itself that makes a client warn or leave, and no server reset",
    ];
    for not in nots {
        para(text, "  - ", not);
    }
    text.push_str("\nWhere it broke decides: what was seen last, who closed, how soon\n\n");
    walk(text);
    text.push_str("\nWhat settles it\n");
    commands(text, &[Tool::Proxy, Tool::Probe, Tool::Packets]);
    para(
        text,
        "  decide:    ",
        "rdpscope explain 0x904 0x7 --capture FILE says which of these causes a recording shows, and which it excludes",
    );
    para(
        text,
        "  no fault:  ",
        "a first connection that mstsc itself drops around a prompt for a certificate or a password is normal; what \
         counts is whether a later one gets further",
    );
}

fn walk(text: &mut String) {
    let table = Columns(&[15, 19, 15, 14, 9]);
    table.row(text, &["phase", "seen last", "who closes", "think of", "settle by"]);
    for step in WALK {
        let tools: Vec<&str> = step.tools.iter().map(|tool| tool.name()).collect();
        let cells = [step.phase, step.seen, step.closer, &step.causes.join(" "), &tools.join(", ")];
        table.row(text, &cells);
    }
}

/// Few causes in full, many in a table.
fn causes(text: &mut String, causes: &[&'static Cause]) {
    if causes.is_empty() {
        return;
    }
    text.push_str("\nWhat can be behind it\n");
    if causes.len() <= FEW {
        causes.iter().for_each(|cause| self::cause(text, cause));
    } else {
        let table = Columns(&[14, 29, 29]);
        table.row(text, &["", "what it is", "what tells it apart"]);
        for cause in causes {
            table.row(text, &[cause.id, cause.name, cause.sign]);
        }
        para(text, "  ", "rdpscope explain and one of these names says more of it.");
    }
    text.push_str("\nWhat settles it\n");
    let mut tools: Vec<Tool> = causes.iter().flat_map(|cause| cause.tools).copied().collect();
    tools.sort_unstable();
    tools.dedup();
    commands(text, &tools);
}

fn cause(text: &mut String, cause: &Cause) {
    para(text, &format!("  {} ", cause.id), cause.name);
    para(text, "    tell by:     ", cause.sign);
    for unknown in cause.cannot_tell {
        para(text, "    cannot tell: ", unknown);
    }
    para(text, "    check:       ", cause.check);
    para(text, "    fix:         ", cause.fix);
}

fn commands(text: &mut String, tools: &[Tool]) {
    for tool in tools {
        para(text, &format!("  {:<11}", format!("{}:", tool.name())), tool.command());
    }
}

fn others(text: &mut String, others: &[Entry]) {
    if others.is_empty() {
        return;
    }
    text.push_str("\nThe same in other tables\n");
    for (table, code) in others {
        let meaning = if code.meaning.is_empty() { "" } else { ": " };
        let says = format!("{}{meaning}{}", code.name, code.meaning);
        para(text, &format!("  {} {} ", table.key, plain(table, code.number)), &says);
    }
}

fn plain(table: &Table, number: u32) -> String {
    table.written(number).split(' ').next().unwrap_or_default().to_owned()
}

/// What sessions say of the causes: one after the other.
pub fn decisions(decisions: &[Decision<'_>]) -> String {
    let mut text = String::new();
    for decision in decisions {
        text.push('\n');
        self::decision(&mut text, decision);
    }
    text
}

fn decision(text: &mut String, decision: &Decision<'_>) {
    let file = decision.session.file.as_deref().unwrap_or("this session");
    para(text, "What the recording decides: ", file);
    para(text, "  verdict:     ", &verdict::of_session(decision.session));
    let Some(finding) = decision.shown else {
        let says = match decision.session.outcome {
            crate::diagnose::Outcome::Connected => "this session is healthy: it does not show the failure asked about",
            _ => "no cause can be named: see rdpscope analyze for what was seen",
        };
        return para(text, "  shown:       ", says);
    };
    let fit = match finding.cause.mstsc {
        _ if decision.fits => String::new(),
        [] => "; it is not among the causes known for this code".into(),
        codes => format!("; for this mstsc shows {}, not the code asked about", codes.join(" or ")),
    };
    let says = format!("{}: {} ({}){fit}", finding.cause.id, finding.cause.name, finding.confidence.name());
    para(text, "  shown:       ", &says);
    evidence(text, decision, finding);
    if let Some(code) = decision.direct {
        let says = format!("without the proxy mstsc would have shown {code}: the proxy answers the SYN itself");
        para(text, "  direct:      ", &says);
    }
    ruled(text, decision);
    para(text, "  next check:  ", finding.cause.check);
    para(text, "  fix:         ", finding.cause.fix);
}

fn evidence(text: &mut String, decision: &Decision<'_>, finding: &crate::diagnose::Finding) {
    let began: Timestamp = decision.session.timeline.began.unwrap_or_default();
    for evidence in &finding.evidence {
        let after = super::text::length(evidence.at.after(began));
        para(text, "  evidence:    ", &format!("{} (frame {}, +{after})", evidence.says, evidence.frame));
    }
}

fn ruled(text: &mut String, decision: &Decision<'_>) {
    let ids = |causes: &[&Cause]| causes.iter().map(|cause| cause.id).collect::<Vec<_>>().join(", ");
    for (reason, causes) in &decision.excluded {
        para(text, "  excluded:    ", &format!("{}: {reason}", ids(causes)));
    }
    if !decision.possible.is_empty() {
        para(text, "  still open:  ", &ids(&decision.possible));
    }
}
