//! What the user did once: a click, and the sessions it caused.
//!
//! Clients connect again by themselves: after a prompt, with another protocol, after a failure. Sessions of one client
//! to one server that follow each other within seconds are one attempt, and a session that got further withdraws what
//! was said of those before it.

use std::net::IpAddr;
use std::time::Duration;

use crate::diagnose::{Finding, Outcome, Party, Severity, diagnose};
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// A client that connects again later than this was told to by its user.
const RETRY: Duration = Duration::from_secs(10);
/// A client that left of its own accord may have asked its user first: about a certificate, for a password.
const PROMPT: Duration = Duration::from_secs(120);

/// One session with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Where it stands: the file's name, or nothing for a live session that is not recorded.
    pub file: Option<String>,
    /// What happened.
    pub timeline: Timeline,
    /// How it went.
    pub outcome: Outcome,
    /// What it means, the primary finding first.
    pub findings: Vec<Finding>,
    /// Whether a later session of the same attempt got further, so that its failure was none.
    pub withdrawn: bool,
}

impl Diagnosed {
    /// Judges a finished timeline.
    pub fn new(file: Option<String>, timeline: Timeline) -> Diagnosed {
        let (outcome, findings) = (Outcome::of(&timeline), diagnose(&timeline));
        Diagnosed { file, timeline, outcome, findings, withdrawn: false }
    }

    /// Whether this was an attempt to use RDP at all: a relay's session was meant for it; elsewhere somebody asked, or
    /// came to RDP's port and got no word out.
    pub fn is_rdp(&self) -> bool {
        self.timeline.is_relayed() || self.timeline.facts.request.is_some() || self.timeline.is_knock()
    }

    /// When its first packet was seen.
    pub fn began(&self) -> Timestamp {
        self.timeline.began.unwrap_or_default()
    }

    /// Whether `later`, a session of the same attempt, shows that this failure was none: it got further.
    pub fn is_withdrawn_by(&self, later: &Timeline) -> bool {
        let further = later.is_active() || later.last_phase() > self.timeline.last_phase();
        self.is_continued_by(later) && further
    }

    /// Takes back what was said of it: it stays visible, as a note.
    pub fn withdraw(&mut self) {
        self.withdrawn = true;
        for finding in &mut self.findings {
            finding.severity = Severity::Note;
        }
    }

    /// Whether `later` belongs to the same attempt: the same client and server, soon after this failed.
    fn is_continued_by(&self, later: &Timeline) -> bool {
        let began = later.began.unwrap_or_default();
        let asked = self.findings.first().is_some_and(|finding| finding.by == Party::Client);
        let patience = if asked { PROMPT } else { RETRY };
        let follows = began >= self.began() && began.since(self.timeline.last) <= patience;
        self.outcome == Outcome::Failed && follows && ends(&self.timeline) == ends(later)
    }
}

/// Who talks to whom, as far as that stays the same over several connections.
fn ends(timeline: &Timeline) -> (Option<IpAddr>, Option<(String, u16)>) {
    let client = timeline.client_leg().and_then(|leg| leg.client).map(|client| client.ip());
    let server = timeline.server_leg().and_then(|leg| leg.server);
    (client, timeline.target.clone().or(server.map(|server| (server.ip().to_string(), server.port()))))
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its sessions, in order. Never empty.
    pub sessions: Vec<Diagnosed>,
}

impl Attempt {
    /// The session that decides how the attempt went: the best one, the last of equals.
    pub fn deciding(&self) -> Option<&Diagnosed> {
        self.sessions.iter().min_by_key(|session| (session.outcome, std::cmp::Reverse(session.began())))
    }

    /// How it went.
    pub fn outcome(&self) -> Outcome {
        self.deciding().map_or(Outcome::Unfinished, |session| session.outcome)
    }

    /// Takes a session that belongs to it, and withdraws what it makes void.
    fn push(&mut self, session: Diagnosed) {
        for earlier in self.sessions.iter_mut().filter(|earlier| earlier.is_withdrawn_by(&session.timeline)) {
            earlier.withdraw();
        }
        self.sessions.push(session);
    }

    fn continues_with(&self, next: &Diagnosed) -> bool {
        self.sessions.last().is_some_and(|last| last.is_continued_by(&next.timeline))
    }
}

/// Groups sessions into attempts, by the time at which they began.
pub fn group(mut sessions: Vec<Diagnosed>) -> Vec<Attempt> {
    sessions.sort_by_key(Diagnosed::began);
    let mut attempts: Vec<Attempt> = Vec::new();
    for session in sessions {
        match attempts.iter_mut().rev().find(|attempt| attempt.continues_with(&session)) {
            Some(attempt) => attempt.push(session),
            None => attempts.push(Attempt { sessions: vec![session] }),
        }
    }
    attempts
}
