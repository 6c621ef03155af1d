//! The analysis for people: good in 80 columns, without colour.

pub mod compare;
mod gateway;
pub(super) mod inner;
mod ladder;
pub(super) mod path;
pub mod probe;

use std::fmt::Write as _;
use std::time::Duration;

use super::{NO_TIMES, altered_by_proxy, json, verdict};
use crate::attempt::{Attempt, Diagnosed};
use crate::codes::tls as names;
use crate::count::counted;
use crate::diagnose::{Finding, Severity, direct_equivalent};
use crate::event::{Basis, Protocols};
use crate::observation::{Impairment, Lapse, Leg as LegName, Step};
use crate::proxy_protocol::Header;
use crate::shown;
use crate::survey::{SCAN, survey};
use crate::time::{Timestamp, day};
use crate::timeline::facts::{Decrypted, Sighting, Tls};
use crate::timeline::headers::Headers;
use crate::timeline::leg::Leg;
use crate::timeline::outstanding::{self, Outstanding};
use crate::timeline::phase::{Outcome, Phase};
use crate::timeline::{Edge, Sureness, Timeline};

pub use crate::diagnose::stage::length;
pub use ladder::ladder;

/// Columns of a line.
const WIDTH: usize = 80;
/// How wide a column of times is,
const WIDE: usize = 7;
/// and where there is one more.
const NARROW: usize = 6;

/// Every attempt, one after the other.
pub fn attempts(attempts: &[Attempt]) -> String {
    let mut text = String::new();
    for (place, attempt) in attempts.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        // Of a scan's connections each is as little as the other: one line says it.
        for session in attempt.sessions.iter().filter(|_| !attempt.is_scan()) {
            text.push_str(&self::session(session));
        }
        if attempt.is_scan() {
            para(&mut text, "", &verdict::of_attempt(attempt));
        } else if attempt.sessions.len() > 1 {
            para(&mut text, "attempt: ", &verdict::of_attempt(attempt));
        }
    }
    let patterns = patterns(attempts);
    if !patterns.is_empty() {
        text.push('\n');
        text.push_str(&patterns);
    }
    text
}

/// What several sessions show side by side; empty where they show nothing.
pub fn patterns(attempts: &[Attempt]) -> String {
    let mut text = String::new();
    // A scan's own line says all of it.
    for pattern in survey(attempts).into_iter().filter(|pattern| pattern.rule != SCAN) {
        let cause = pattern.cause.map(|cause| format!("{}: ", cause.id)).unwrap_or_default();
        let says = format!("{cause}{} ({})", pattern.says, pattern.confidence.name());
        para(&mut text, "together:      ", &says);
        for evidence in &pattern.evidence {
            para(&mut text, "  evidence:    ", evidence);
        }
        if let Some(cause) = pattern.cause {
            para(&mut text, "  next check:  ", cause.check);
            para(&mut text, "  fix:         ", cause.fix);
        }
    }
    text
}

/// One session: verdict, evidence, what the wire cannot tell, next check, fix, phases, what the proxy changed.
pub fn session(session: &Diagnosed) -> String {
    let mut text = String::new();
    let timeline = &session.timeline;
    para(&mut text, "", &verdict::of_session(session));
    text.push_str(&findings(session));
    facts(&mut text, timeline);
    phases(&mut text, timeline);
    legs(&mut text, timeline);
    path::path(&mut text, timeline);
    if let Some(says) = probed(session) {
        para(&mut text, "  probe:       ", &says);
    }
    for witness in &session.witnesses {
        para(&mut text, "  capture: ", &witness.says());
    }
    altered(&mut text, timeline);
    if let Some(file) = &session.file {
        let _infallible = writeln!(text, "recording: {}", shown::line(file));
        if let Some(why) = &session.incomplete {
            para(&mut text, "INCOMPLETE: ", why);
        }
    }
    text
}

/// What a probe learned right after it.
pub(super) fn probed(session: &Diagnosed) -> Option<String> {
    let (after, says) = session.probe.as_deref().and_then(json::probe::told)?;
    let after = length(Duration::from_secs_f64((after / 1e3).clamp(0.0, 1e9)));
    Some(format!("{after} later, a separate observation: {says}"))
}

/// What a session's end means: evidence, what the wire cannot tell, next check, fix.
pub fn findings(session: &Diagnosed) -> String {
    let mut text = String::new();
    for finding in &session.findings {
        self::finding(&mut text, finding, |at| super::since(&session.timeline, at));
    }
    if let Some(code) = direct_equivalent(&session.timeline) {
        let says =
            format!("without the proxy mstsc would have shown {code}, not 0x904: the proxy answers the SYN itself");
        para(&mut text, "  direct:      ", &says);
    }
    text
}

/// Whom the client names, where somebody asked for names: a line, or nothing.
pub fn users(session: &Diagnosed) -> String {
    let mut text = String::new();
    if let Some(says) = inner::users(&session.timeline.facts.inner) {
        para(&mut text, "  user:        ", &says);
    }
    text
}

/// One phase edge, as it happens.
pub fn edge(edge: &Edge, session: impl std::fmt::Display) -> String {
    let took = length(edge.took);
    let basis = if edge.basis == Basis::Inferred { ", inferred" } else { "" };
    let what = match edge.outcome {
        Outcome::Open => "begins".to_owned(),
        Outcome::Done => format!("done in {took}"),
        Outcome::Failed => format!("FAILED after {took}"),
    };
    let (at, leg) = (clock_time(edge.mark.at), edge.mark.leg);
    format!("{at} #{session:<3} {leg:<5} {:<21} {what}{basis}", edge.phase)
}

/// That something has been outstanding for so long, as it happens: "waiting for the server's X.224 confirm, 5 s".
pub fn waiting(owed: &Outstanding, lasted: Duration, at: Timestamp, session: impl std::fmt::Display) -> String {
    let (at, leg) = (clock_time(at), owed.leg);
    format!("{at} #{session:<3} {leg:<5} {:<21} waiting for {owed}, {} s", owed.phase, lasted.as_secs())
}

/// What a session that goes on waits for now, where that has taken long: "waiting for the server's X.224 confirm, 5 s".
pub fn waits_for(timeline: &Timeline, now: Timestamp) -> Option<String> {
    let owed = timeline.outstanding()?;
    let lasted = owed.lasted(timeline.moment(now));
    (lasted >= outstanding::LONG).then(|| format!("waiting for {owed}, {} s", lasted.as_secs()))
}

/// An impairment that takes effect or is over, as it happens.
pub fn impaired(session: u32, (leg, at): (LegName, crate::time::Timestamp), impairment: &Impairment) -> String {
    let step = match impairment.step {
        Step::Begins => "takes effect",
        Step::Over => "is over",
    };
    format!("{} #{session:<3} {leg:<5} {:<21} '{}' {step}", clock_time(at), "IMPAIRED", impairment.asked)
}

/// That this program itself was stopped, or its clock set, as it is noticed.
pub fn lapsed(session: Option<u32>, at: Timestamp, lapse: Lapse) -> String {
    let session = session.map(|session| format!("#{session:<3} ")).unwrap_or_default();
    format!("{} {session}THE PROXY ITSELF {lapse}", clock_time(at))
}

/// The comment for the packet on which a phase begins or ends.
pub fn comment(edge: &Edge) -> String {
    let basis = if edge.basis == Basis::Inferred { " (inferred)" } else { "" };
    match edge.outcome {
        Outcome::Open => format!("{} begins{basis}", edge.phase),
        Outcome::Done => format!("{} done after {}{basis}", edge.phase, length(edge.took)),
        Outcome::Failed => format!("{} failed after {}{basis}", edge.phase, length(edge.took)),
    }
}

/// hh:mm:ss.mmmZ of a time: UTC, and says so.
pub fn clock_time(at: crate::time::Timestamp) -> String {
    at.to_string().split_once('T').map(|(_, time)| time.to_owned()).unwrap_or_default()
}

fn finding(text: &mut String, finding: &Finding, since: impl Fn(Timestamp) -> Option<String>) {
    let lead = format!("  {}:", finding.severity.name());
    para(text, &format!("{lead:<15}"), &finding.says);
    for evidence in &finding.evidence {
        // What was not recorded has no number.
        let frame = (evidence.frame > 0).then(|| format!("frame {}", evidence.frame));
        let place: Vec<String> = frame.into_iter().chain(since(evidence.at)).collect();
        let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
        para(text, "  evidence:    ", &format!("{}{place}", evidence.says));
    }
    let others: Vec<String> = finding
        .alternatives
        .iter()
        .map(|(cause, sure)| format!("{}: {} ({})", cause.id, cause.name, sure.name()))
        .collect();
    for other in others {
        para(text, "  or else:     ", &other);
    }
    for unknown in finding.cannot_tell() {
        para(text, "  cannot tell: ", unknown);
    }
    para(text, "  next check:  ", finding.cause.check);
    para(text, "  fix:         ", finding.cause.fix);
    // Of what harmed nobody no client shows a code.
    if !finding.cause.mstsc.is_empty() && finding.severity != Severity::Note {
        para(text, "  mstsc shows: ", &finding.cause.mstsc.join(", "));
    }
}

fn facts(text: &mut String, timeline: &Timeline) {
    for (label, says) in told(timeline) {
        para(text, &format!("{:<15}", format!("  {label}:")), &says);
    }
}

/// A line of what was learned: its label, and what it says.
pub(super) type Told = (&'static str, String);

/// What the two sides said of themselves and agreed on.
pub(super) fn told(timeline: &Timeline) -> Vec<Told> {
    let facts = &timeline.facts;
    let mut told: Vec<Told> = headers(&facts.headers).map(|says| ("PROXY", says)).collect();
    told.extend(gateway::told(facts));
    if let Some(request) = &facts.request {
        let offered = protocols(request.what.requested.unwrap_or_default());
        let selected = facts.selected().map_or("nothing".into(), protocols);
        let cookie = request.what.cookie.as_ref().map(|cookie| format!(", cookie {cookie}")).unwrap_or_default();
        told.push(("X.224", format!("offered {offered}, selected {selected}{cookie}")));
    }
    if facts.is_intercepted() {
        for tls in &facts.tls {
            told.push(("leg", tls.leg.name().to_owned()));
            self::tls(&mut told, tls);
        }
    } else if let Some(tls) = facts.tls.iter().max_by_key(|tls| tls.server_hello.is_some()) {
        self::tls(&mut told, tls);
    }
    told.extend(inner::facts(&facts.inner));
    told.extend(inner::domain_controller(&facts.kdc));
    told
}

/// Each header of the PROXY protocol, and on which legs of a relay it stands.
fn headers(headers: &Headers) -> impl Iterator<Item = String> {
    let passed = |seen: &Sighting<Header>| headers.on(LegName::Back).any(|other| other.what == seen.what);
    headers.seen.iter().filter_map(move |seen| match seen.mark.leg {
        LegName::Only => Some(seen.what.to_string()),
        LegName::Front if passed(seen) => Some(format!("{}; on both legs", seen.what)),
        LegName::Front => Some(format!("{}; on the front leg alone", seen.what)),
        LegName::Back if headers.on(LegName::Front).any(|other| other.what == seen.what) => None,
        LegName::Back => Some(format!("{}; on the back leg alone", seen.what)),
    })
}

pub(super) fn protocols(protocols: Protocols) -> String {
    if protocols.0 == 0 { "RDP".into() } else { protocols.names().join("+") }
}

fn tls(told: &mut Vec<Told>, tls: &Tls) {
    if let Some(hello) = &tls.server_hello {
        let (version, cipher) = (names::version(hello.what.version), names::cipher(hello.what.cipher));
        let resumed = if hello.what.resumed { ", resumed" } else { "" };
        told.push(("TLS", format!("{version}, {cipher}{resumed}")));
    }
    if let Some(leaf) = tls.certificates.as_ref().and_then(|chain| chain.what.first()) {
        let own = if leaf.self_issued { ", self-signed" } else { "" };
        let (before, after) = (day(leaf.not_before), day(leaf.not_after));
        let says = format!(
            "{}, {} {} bits, {}, {before} to {after}{own}, SHA-1 {}",
            leaf.subject, leaf.key, leaf.key_bits, leaf.signature, leaf.sha1
        );
        told.push(("certificate", says));
    }
    if let Some(decrypted) = &tls.decrypted {
        told.push(("key log", opened(decrypted)));
    }
}

/// "opens 12 sealed records of the client (3101 bytes) and 9 of the server (8000 bytes); not 1 of the server: …"
fn opened(decrypted: &Decrypted) -> String {
    let Decrypted { records, bytes, sealed } = decrypted;
    let mut says = format!(
        "opens {} of the client ({} of data) and {} of the server ({})",
        counted(records[0], "sealed record"),
        counted(bytes[0], "byte"),
        records[1],
        counted(bytes[1], "byte")
    );
    for (why, [client, server]) in sealed {
        let _infallible = write!(says, "; not {client} of the client and {server} of the server: {}", why.name());
    }
    says
}

/// How a session stands that goes on: its phases by now, and what passed over its legs.
pub fn so_far(timeline: &Timeline, now: Timestamp) -> String {
    let mut text = String::new();
    let now = timeline.moment(now);
    let mut timeline = timeline.clone();
    for open in timeline.phases.iter_mut().filter(|phase| phase.outcome == Outcome::Open) {
        open.ended = open.ended.max(now);
    }
    facts(&mut text, &timeline);
    phases(&mut text, &timeline);
    legs(&mut text, &timeline);
    text
}

fn phases(text: &mut String, timeline: &Timeline) {
    if timeline.phases.is_empty() {
        return;
    }
    let (impaired, wide) = if timeline.is_impaired() { (" impair", NARROW) } else { ("", WIDE) };
    let _infallible = writeln!(
        text,
        "\n  {:<21} {:<5} {:>wide$} {:<6} {:>7} {:>7}{impaired} {:>wide$} {:>wide$}",
        "phase", "leg", "took", "", "network", "retrans", "client", "server"
    );
    for phase in &timeline.phases {
        phase_row(text, phase, timeline);
    }
    if timeline.is_untimed() {
        let _infallible = writeln!(text, "  {NO_TIMES}: how long anything took cannot be told");
    }
    if timeline.phases.iter().any(|phase| phase.basis == Basis::Inferred) {
        text.push_str("  ~ inferred from sizes and order, not read\n");
    }
    if timeline.phases.iter().any(|phase| phase.sureness == Some(Sureness::Possible)) {
        text.push_str("  ? inferred, and possible only: not all of it fits, or to the byte\n");
    }
    if timeline.is_unsure() {
        text.push_str("  sizes and order stop to tell which phase it is: the last may be over\n");
    }
}

fn phase_row(text: &mut String, phase: &Phase, timeline: &Timeline) {
    let mark = match (phase.basis, phase.sureness) {
        (Basis::Seen, _) => " ",
        (Basis::Inferred, Some(Sureness::Likely) | None) => "~",
        (Basis::Inferred, Some(Sureness::Possible)) => "?",
    };
    let waited = phase.waited;
    let took = if timeline.is_untimed() { "-".into() } else { length(phase.duration()) };
    let (impaired, wide) = match timeline.is_impaired() {
        true => (format!(" {:>NARROW$}", brief(waited.impairment)), NARROW),
        false => (String::new(), WIDE),
    };
    let _infallible = writeln!(
        text,
        " {mark}{:<21} {:<5} {:>wide$} {:<6} {:>7} {:>7}{impaired} {:>wide$} {:>wide$}",
        phase.name,
        phase.leg,
        took,
        phase.outcome.name(),
        brief(waited.network),
        brief(waited.retransmission),
        brief(waited.client),
        brief(waited.server)
    );
    if !phase.unwatched().is_zero() {
        let stopped = length(phase.unwatched());
        let _infallible =
            writeln!(text, "    besides, the proxy itself was stopped for {stopped}: that is in none of these");
    }
}

fn brief(time: Duration) -> String {
    if time.is_zero() { "-".into() } else { length(time) }
}

fn legs(text: &mut String, timeline: &Timeline) {
    text.push('\n');
    for leg in &timeline.legs {
        para(text, &format!("  {:<6} ", leg.name), &leg_line(leg));
    }
}

/// Its ends, its round trip, what passed over it.
pub(super) fn leg_line(leg: &Leg) -> String {
    let address = |end: Option<std::net::SocketAddr>| end.map_or("?".into(), |end| end.to_string());
    let mut line = format!("{} -> {}", address(leg.client), address(leg.server));
    if let Some(rtt) = leg.rtt() {
        let _infallible = write!(line, ", RTT {}", length(rtt));
    }
    let _infallible = write!(
        line,
        ", {}, {} B from client, {} B from server",
        counted(leg.retransmits(), "retransmit"),
        leg.bytes[0],
        leg.bytes[1]
    );
    let snapped: u64 = leg.snapped.iter().sum();
    if snapped > 0 {
        let _infallible = write!(line, ", {snapped} B of which only the length was recorded");
    }
    line += &missing(leg);
    let discarded: u64 = leg.discarded.iter().sum();
    if discarded > 0 {
        let _infallible = write!(line, ", {discarded} B discarded when it was reset");
    }
    line
}

/// Payload that is nowhere in the recording, and why.
fn missing(leg: &Leg) -> String {
    let missing = leg.missing.iter().sum::<u64>() - leg.snapped.iter().sum::<u64>();
    match (leg.only_direction(), leg.name) {
        (Some(side), _) => format!(", only the {side}'s direction is in the capture"),
        (None, _) if missing == 0 => String::new(),
        (None, LegName::Only) => format!(", MISSING {missing} B that the capture does not hold"),
        (None, LegName::Front | LegName::Back) => format!(", MISSING {missing} B that the recording could not keep"),
    }
}

fn altered(text: &mut String, timeline: &Timeline) {
    let altered = altered_by_proxy(timeline);
    if altered.is_empty() {
        return;
    }
    text.push_str("\n  how the proxy itself changed this session:\n");
    for change in altered {
        para(text, "  - ", &change);
    }
}

/// Writes `says` behind `lead`, broken between words at 80 columns, further lines indented under the first.
pub fn para(text: &mut String, lead: &str, says: &str) {
    let indent = " ".repeat(lead.chars().count());
    let mut line = lead.to_owned();
    let mut bare = true;
    // What a peer wrote must not drive the terminal.
    let says = shown::lines(says);
    for word in says.split_whitespace() {
        let wide = line.chars().count() + usize::from(!bare) + word.chars().count();
        if wide > WIDTH && !bare {
            let _infallible = writeln!(text, "{}", line.trim_end());
            line = indent.clone();
            bare = true;
        }
        if !bare {
            line.push(' ');
        }
        line.push_str(word);
        bare = false;
    }
    let _infallible = writeln!(text, "{}", line.trim_end());
}
