//! What several sessions show side by side: rules over a set.
//!
//! One session tells how it ended; many tell whose fault it is: the server's, if all clients fail alike, a box's timer,
//! if all end after the same silence. A rule needs at least three witnesses, or two of each kind, and says which.

mod ends;
mod scans;
mod servers;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::attempt::{Attempt, Diagnosed};
use crate::causes::{self, Cause};
use crate::diagnose::Confidence;
use crate::shown;
use crate::timeline::Timeline;

/// What a set of sessions shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The rule that found it.
    pub rule: &'static str,
    /// The cause, where the pattern has one of its own.
    pub cause: Option<&'static Cause>,
    /// How sure.
    pub confidence: Confidence,
    /// What it is, in a sentence.
    pub says: String,
    /// The sessions it rests on, each in a line.
    pub evidence: Vec<String>,
}

/// One rule over a set.
pub struct Rule {
    /// What it looks for, in a few words; its name in tests.
    pub name: &'static str,
    /// Names what it finds.
    pub check: fn(&Set<'_>) -> Vec<Pattern>,
}

/// The rule that tells what is the verdict of an attempt already, where there is one for each.
pub const SCAN: &str = "a scan";

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule { name: "all clients fail alike", check: servers::all_alike },
    Rule { name: "one client fails", check: servers::one_client },
    Rule { name: "one address of several is dead", check: servers::dead_address },
    Rule { name: "refused now and then", check: servers::intermittent },
    Rule { name: "only large flights fail", check: servers::large_flights },
    Rule { name: "another certificate", check: servers::other_certificate },
    Rule { name: "equal silences", check: ends::equal_silences },
    Rule { name: "equal ages", check: ends::equal_ages },
    Rule { name: "ended together", check: ends::together },
    Rule { name: "sent round in circles", check: ends::circles },
    Rule { name: "connects again and again", check: ends::again_and_again },
    Rule { name: "a relay passes an end on", check: ends::passed_on },
    Rule { name: SCAN, check: scans::scans },
];

/// The attempts, and their sessions by server.
pub struct Set<'a> {
    /// All attempts.
    pub attempts: &'a [Attempt],
    /// The servers that were asked for, by the name and port that the user or the packets give them.
    pub servers: BTreeMap<String, Server<'a>>,
}

/// The sessions of one server.
#[derive(Default)]
pub struct Server<'a> {
    /// All of them.
    pub sessions: Vec<&'a Diagnosed>,
    /// Those that decided an attempt.
    pub deciding: Vec<&'a Diagnosed>,
}

/// What the sessions of these attempts show side by side.
pub fn survey(attempts: &[Attempt]) -> Vec<Pattern> {
    let set = Set::of(attempts);
    RULES.iter().flat_map(|rule| (rule.check)(&set)).collect()
}

impl<'a> Set<'a> {
    fn of(attempts: &'a [Attempt]) -> Set<'a> {
        let mut servers: BTreeMap<String, Server<'a>> = BTreeMap::new();
        // What a scanner does says nothing of what befalls clients.
        let working = || attempts.iter().filter(|attempt| !attempt.is_scan());
        for session in working().flat_map(|attempt| &attempt.sessions) {
            if let Some(server) = server(&session.timeline) {
                servers.entry(server).or_default().sessions.push(session);
            }
        }
        for session in working().filter_map(Attempt::deciding) {
            if let Some(server) = server(&session.timeline).and_then(|server| servers.get_mut(&server)) {
                server.deciding.push(session);
            }
        }
        Set { attempts, servers }
    }

    /// What a check finds, server by server.
    fn each_server(&self, check: impl Fn(&str, &Server<'a>) -> Option<Pattern>) -> Vec<Pattern> {
        self.servers.iter().filter_map(|(name, server)| check(name, server)).collect()
    }
}

/// The server's name and port as it was asked for, or its address.
fn server(timeline: &Timeline) -> Option<String> {
    let named = timeline.target.as_ref().map(|(name, port)| format!("{name}:{port}"));
    named.or_else(|| timeline.server_leg().and_then(|leg| leg.server).map(|server| server.to_string()))
}

/// The client's address.
fn client(session: &Diagnosed) -> Option<IpAddr> {
    session.timeline.client_leg().and_then(|leg| leg.client).map(|client| client.ip())
}

/// How many there are of each client.
fn clients(sessions: &[&Diagnosed]) -> Vec<IpAddr> {
    let mut clients: Vec<IpAddr> = sessions.iter().filter_map(|session| client(session)).collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// One session in a line.
fn line(session: &Diagnosed) -> String {
    let client = client(session).map_or("?".into(), |client| client.to_string());
    let cause = session.findings.first().map(|finding| format!(", {}", finding.cause.id)).unwrap_or_default();
    let file = session.file.as_deref().map(|file| format!(" in {}", shown::line(file))).unwrap_or_default();
    let began = if session.timeline.is_untimed() { String::new() } else { format!("{}, ", session.began()) };
    format!("{began}{client}: {}{cause}{file}", session.outcome.name())
}

/// Lines of so many sessions at most.
const LINES: usize = 5;

fn pattern(rule: &'static str, id: Option<&str>, sure: Confidence, says: String, of: &[&Diagnosed]) -> Pattern {
    let mut evidence: Vec<String> = of.iter().take(LINES).map(|session| line(session)).collect();
    if of.len() > LINES {
        evidence.push(format!("and {} more", of.len() - LINES));
    }
    Pattern { rule, cause: id.and_then(causes::cause), confidence: sure, says, evidence }
}
