//! The ladder in rows and words: every message of the connection sequence, who sent it to whom, when, and in which frames,
//! for whoever draws it.

use std::time::Duration;

use super::count;
use super::text::inner::keyed;
use super::text::protocols;
use crate::codes::{Table, tls as names};
use crate::count::counted;
use crate::diagnose::stage::length;
use crate::diagnose::{Evidence, Finding};
use crate::observation::{Ending, Leg, Side};
use crate::timeline::Timeline;
use crate::timeline::ladder::{Message, Rung};
use crate::timeline::phase::{Phase, PhaseName};

/// How far a relay may be behind with passing on, rungs.
const BEHIND: usize = 48;
/// Offered versions and suites are told in the facts: here no more than these characters of a name.
const NAME: usize = 80;

/// The rungs as rows: what a relay passed on stands in one row with what it got.
pub struct Rows<'a> {
    /// In the order in which they were seen.
    pub rows: Vec<Row<'a>>,
    /// Messages that are not kept one by one.
    pub more: u64,
    /// Whether a relay stands between client and server.
    pub is_relayed: bool,
}

/// One row.
pub struct Row<'a> {
    /// The message, where it was seen first.
    pub rung: &'a Rung,
    /// The same message on the other leg.
    pub passed: Option<&'a Rung>,
    /// The phase that it is of.
    pub phase: Option<&'a Phase>,
    /// The places of the primary finding's evidence that rests on it.
    pub evidence: Vec<usize>,
}

impl Row<'_> {
    fn is(&self, evidence: &Evidence) -> bool {
        let is = |rung: &Rung| (rung.mark.frame, rung.mark.at) == (evidence.frame, evidence.at);
        is(self.rung) || self.passed.is_some_and(is)
    }
}

impl<'a> Rows<'a> {
    /// The rows of a session, with what a finding rests on marked.
    pub fn of(timeline: &'a Timeline, finding: Option<&Finding>) -> Rows<'a> {
        let active = timeline.phase(PhaseName::Active).map(|phase| phase.began);
        // Where active is told late, records of the session itself have been taken for messages.
        let is_session =
            |rung: &Rung| rung.message == Message::Sealed && active.is_some_and(|active| rung.mark.at > active);
        let rungs: Vec<&Rung> = timeline.ladder.rungs.iter().filter(|rung| !is_session(rung)).collect();
        let mut rows =
            Rows { rows: joined(timeline, &rungs), more: timeline.ladder.more, is_relayed: timeline.is_relayed() };
        for (place, evidence) in finding.iter().flat_map(|finding| finding.evidence.iter().enumerate()) {
            if let Some(row) = rows.of_evidence(evidence) {
                rows.rows[row].evidence.push(place);
            }
        }
        rows
    }

    /// The row on which a piece of evidence rests. Of several in its packet the one that it speaks of.
    pub fn of_evidence(&self, evidence: &Evidence) -> Option<usize> {
        let mut found = self.rows.iter().enumerate().filter(|(_, row)| row.is(evidence)).map(|(place, _)| place);
        let first = found.clone().next();
        let says = evidence.says.to_lowercase();
        let is_named = |place: &usize| says.contains(&called(self.rows[*place].rung.message).to_lowercase());
        found.find(is_named).or(first)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Where a relay stands inside TLS its two ends say things of their own: nothing is passed on.
fn joined<'a>(timeline: &'a Timeline, rungs: &[&'a Rung]) -> Vec<Row<'a>> {
    let passes = timeline.is_relayed() && !timeline.facts.is_intercepted();
    let mut taken = vec![false; rungs.len()];
    let mut rows = Vec::new();
    let mut phases = timeline.phases.iter().peekable();
    for (place, rung) in rungs.iter().enumerate() {
        if taken[place] {
            continue;
        }
        let behind = (place + 1..rungs.len().min(place + BEHIND))
            .find(|later| passes && !taken[*later] && is_passed(rung, rungs[*later]));
        let passed = behind.map(|later| {
            taken[later] = true;
            rungs[later]
        });
        while phases.peek().is_some_and(|phase| is_behind(timeline, phase, rung)) {
            phases.next();
        }
        rows.push(Row { rung, passed, phase: phases.peek().copied(), evidence: Vec::new() });
    }
    rows
}

/// Whether a message is of a later phase. One that ends a phase may also be the first of the next.
fn is_behind(timeline: &Timeline, phase: &Phase, rung: &Rung) -> bool {
    let is_over = phase.ended < rung.mark.at || phase.ended == rung.mark.at && opens(rung.message) > Some(phase.name);
    is_over && timeline.phases.last() != Some(phase)
}

/// The phase that begins with this message.
fn opens(message: Message) -> Option<PhaseName> {
    match message {
        Message::Named("Erect Domain Request" | "Attach User Request") => Some(PhaseName::ChannelConnection),
        Message::Named("Security Exchange") => Some(PhaseName::SecurityCommencement),
        Message::Named("Client Info") => Some(PhaseName::SecureSettings),
        Message::Named("RTT Measure Request" | "bandwidth measurement") => Some(PhaseName::AutoDetection),
        Message::Named("licensing message" | "licence") | Message::Coded("licensing message", ..) => {
            Some(PhaseName::Licensing)
        }
        Message::Named("Initiate Multitransport Request") => Some(PhaseName::Multitransport),
        Message::Named("Demand Active") => Some(PhaseName::Capabilities),
        Message::Lookup
        | Message::Addresses(_)
        | Message::Connect
        | Message::Connected
        | Message::Named(_)
        | Message::Coded(..)
        | Message::Alert(_)
        | Message::SealedAlert
        | Message::Sealed
        | Message::SealedHandshake
        | Message::Partial(..)
        | Message::Malformed(_)
        | Message::Closed(_) => None,
    }
}

/// Whether `later` is what became of `rung` on the other leg.
fn is_passed(rung: &Rung, later: &Rung) -> bool {
    let first_hand = match rung.from {
        Some(Side::Client) => rung.mark.leg == Leg::Front,
        Some(Side::Server) => rung.mark.leg == Leg::Back,
        None => false,
    };
    let is_message = !matches!(rung.message, Message::Connect | Message::Connected);
    let same = |rung: &Rung| (rung.from, rung.message, rung.times, rung.bytes, rung.is_outer);
    first_hand && is_message && later.mark.leg != rung.mark.leg && same(rung) == same(later)
}

/// Whether two rows are of one phase.
pub fn same_phase(one: &Row<'_>, other: &Row<'_>) -> bool {
    let of = |row: &Row<'_>| row.phase.map(|phase| (phase.name, phase.leg, phase.began));
    of(one) == of(other)
}

/// The phase of these rows.
pub fn group_name(group: &[Row<'_>]) -> String {
    let Some(phase) = group.first().and_then(|row| row.phase) else { return "before any phase".into() };
    let leg = if phase.name == PhaseName::Tcp && phase.leg != Leg::Only {
        format!(", {} leg", phase.leg)
    } else {
        String::new()
    };
    format!("{}{leg}", phase.name)
}

/// Finer than elsewhere: messages follow each other closely, also behind a long wait.
pub fn moment(after: Duration) -> String {
    match after.as_micros() {
        micros @ 0..1_000 => format!("+{micros} \u{b5}s"),
        1_000..1_000_000 => format!("+{:.2} ms", after.as_secs_f64() * 1e3),
        _ => format!("+{:.4} s", after.as_secs_f64()),
    }
}

/// The number of its frame, and of the one that passed it on.
pub fn frames(row: &Row<'_>) -> String {
    let number = |rung: &Rung| if rung.mark.frame > 0 { rung.mark.frame.to_string() } else { "\u{2013}".into() };
    match row.passed {
        Some(passed) if passed.mark.frame != row.rung.mark.frame => {
            format!("{} \u{2192} {}", number(row.rung), number(passed))
        }
        Some(_) | None => number(row.rung),
    }
}

/// How long a relay took to pass it on.
pub fn passed_after(row: &Row<'_>) -> String {
    row.passed.map(|passed| length(passed.mark.at.since(row.rung.mark.at))).unwrap_or_default()
}

/// "client to server", and as far as it came: the arrow in words.
pub fn who(row: &Row<'_>) -> &'static str {
    match (row.rung.from, row.rung.mark.leg, row.passed) {
        (None, _, _) => "",
        (Some(Side::Client), Leg::Front, None) => "(client to proxy)",
        (Some(Side::Client), Leg::Back, None) => "(proxy to server)",
        (Some(Side::Server), Leg::Front, None) => "(proxy to client)",
        (Some(Side::Server), Leg::Back, None) => "(server to proxy)",
        (Some(Side::Client), _, _) => "(client)",
        (Some(Side::Server), _, _) => "(server)",
    }
}

/// Whether it ends something otherwise than in order.
pub fn is_bad(message: Message) -> bool {
    match message {
        Message::Closed(Ending::Fin | Ending::Cut) => false,
        Message::Coded("RDP Negotiation Failure", ..)
        | Message::Closed(_)
        | Message::Partial(..)
        | Message::Malformed(_) => true,
        Message::Alert(description) => description != 0,
        Message::Lookup
        | Message::Addresses(_)
        | Message::Connect
        | Message::Connected
        | Message::Named(_)
        | Message::Coded(..)
        | Message::SealedAlert
        | Message::Sealed
        | Message::SealedHandshake => false,
    }
}

/// What evidence calls it.
fn called(message: Message) -> &'static str {
    match message {
        Message::Lookup | Message::Addresses(_) => "resolver",
        Message::Connect => "syn",
        Message::Connected => "connected",
        Message::Named("X.224 Connection Request") => "request",
        Message::Named("X.224 Connection Confirm") => "confirm",
        Message::Named(name) | Message::Coded(name, ..) | Message::Partial(name, ..) | Message::Malformed(name) => name,
        Message::Alert(_) | Message::SealedAlert => "alert",
        Message::Sealed | Message::SealedHandshake => "sealed",
        Message::Closed(Ending::Reset) => "RST",
        Message::Closed(Ending::Fin) => "FIN",
        Message::Closed(how) => how.name(),
    }
}

/// Which message it is, or which messages.
pub fn says(rung: &Rung) -> String {
    let times = |name: &str| if rung.times > 1 { format!("{name}, {} times", rung.times) } else { name.to_owned() };
    match rung.message {
        Message::Lookup => "name lookup".into(),
        Message::Addresses(0) => "no address".into(),
        Message::Addresses(1) => "one address".into(),
        Message::Addresses(count) => format!("{count} addresses"),
        Message::Connect => "SYN".into(),
        Message::Connected => "TCP connection stands".into(),
        Message::Named(name) => times(name),
        // A status of HTTP is known by its decimal number.
        Message::Coded(name, "http", code) => {
            let known = Table::keyed("http").and_then(|table| table.code(code)).map_or("", |known| known.name);
            times(format!("{name} {code} {known}").trim_end())
        }
        Message::Coded(name, table, code) => times(&format!("{name} {}", keyed(table, code))),
        Message::Alert(description) => format!("TLS alert {} ({description})", names::alert(description)),
        Message::SealedAlert => "TLS alert, sealed".into(),
        Message::Sealed => sealed(rung, "sealed record"),
        Message::SealedHandshake => sealed(rung, "sealed handshake record (Finished)"),
        Message::Partial(name, have, need) => format!("{name} cut short: {have} of {}", counted(need, "byte")),
        Message::Malformed(layer) => times(&format!("malformed {layer}")),
        Message::Closed(how) => ending(how).into(),
    }
}

fn sealed(rung: &Rung, name: &str) -> String {
    let lasted = rung.until.since(rung.mark.at);
    match rung.times {
        1 => format!("{name}, {} B", count(rung.bytes)),
        // At once, or nobody knows.
        times if lasted.is_zero() => format!("{times} {name}s, {} B", count(rung.bytes)),
        times => format!("{times} {name}s, {} B, within {}", count(rung.bytes), length(lasted)),
    }
}

fn ending(how: Ending) -> &'static str {
    match how {
        Ending::Fin => "FIN",
        Ending::Reset => "RST",
        Ending::Refused => "RST: refused",
        Ending::Unreachable => "unreachable",
        Ending::TimedOut => "no answer: given up",
        Ending::Unresolved => "the name has no address",
        Ending::Cut => "the recording ends",
    }
}

/// What the facts know of this very message.
pub fn detail(timeline: &Timeline, rung: &Rung) -> Option<String> {
    let Message::Named(name) = rung.message else { return None };
    let facts = &timeline.facts;
    let tls = facts.tls.iter().find(|tls| tls.leg == rung.mark.leg).filter(|_| !rung.is_outer);
    match name {
        "PROXY header" => {
            facts.headers.seen.iter().find(|seen| seen.mark == rung.mark).map(|seen| seen.what.to_string())
        }
        "X.224 Connection Request" => {
            let request = &facts.request.as_ref()?.what;
            Some(format!("offers {}", protocols(request.requested.unwrap_or_default())))
        }
        "X.224 Connection Confirm" => Some(format!("selects {}", protocols(facts.selected()?))),
        "ClientHello" => {
            let hello = &tls?.hello.as_ref()?.what;
            let versions: Vec<_> = hello.versions.iter().map(|version| names::version(*version)).collect();
            Some(format!("{}, {}", versions.join(", "), counted(hello.ciphers.len(), "suite")))
        }
        "ServerHello" => {
            let hello = &tls?.server_hello.as_ref()?.what;
            Some(format!("{}, {}", names::version(hello.version), names::cipher(hello.cipher)))
        }
        "Certificate" if rung.from == Some(Side::Server) => {
            Some(tls?.certificates.as_ref()?.what.first()?.subject.chars().take(NAME).collect())
        }
        _ => None,
    }
}
