//! What the user did once: a click, and the sessions it caused.
//!
//! Clients connect again by themselves: after a prompt, with another protocol, after a failure. Sessions of one client
//! to one server that follow each other within seconds are one attempt, and a session that got further withdraws what
//! was said of those before it. A session that became active ends the attempt: what the client does afterwards it does
//! anew, unless it was sent elsewhere or reconnects by itself.

mod legs;
mod scan;
mod served;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::count::counted;
use crate::diagnose::stage::{end_in_words, length, without_times};
use crate::diagnose::{Confidence, Evidence, Finding, Outcome, Party, Severity, diagnose};
use crate::event::{Foreign, Protocols, Redirection, Transport};
use crate::observation::{Ending, Leg, Side};
use crate::time::Timestamp;
use crate::timeline::Timeline;
use crate::timeline::facts::Sighting;
use crate::timeline::leg::Leg as TimelineLeg;
use crate::timeline::phase::PhaseName;

/// A client that connects again later than this was told to by its user.
const RETRY: Duration = Duration::from_secs(10);
/// A client that comes again this soon after its session broke does so by itself, \[MS-RDPBCGR\] 5.5.
const AT_ONCE: Duration = Duration::from_secs(2);
/// A client that left of its own accord may have asked its user first: about a certificate, for a password.
const PROMPT: Duration = Duration::from_secs(120);

/// Sessions of an attempt that a further one is held against: a client that comes again has just left.
const RECENT: usize = 16;
/// Attempts of one client that may go on at the same time.
const OPEN: usize = 64;

/// Clocks of a relay and of a capture on another host differ by less, if anybody cares for them.
const CLOCKS: Duration = Duration::from_secs(5);

/// A packet capture of one of a relay's legs: it saw the wire, the relay only its sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The capture's file; frames count in it.
    pub file: Option<String>,
    /// Which of the relay's legs.
    pub leg: Leg,
    /// What the packets say.
    pub timeline: Timeline,
}

impl Witness {
    /// The path and the end of its leg, in a sentence.
    pub fn says(&self) -> String {
        let file = self.file.as_deref().unwrap_or("a capture");
        let leg = self.timeline.leg(Leg::Only);
        let rtt = leg.and_then(|leg| leg.rtt()).map_or("unknown".into(), length);
        let again = leg.map_or(0, |leg| leg.retransmits());
        let end = self.timeline.end.as_ref().map_or("it stands".into(), end_in_words);
        let says =
            format!("{} leg on the wire, in {file}: RTT {rtt}, {}, {end}", self.leg, counted(again, "retransmit"));
        if self.timeline.is_untimed() { without_times(&says) } else { says }
    }
}

/// What ties a connection to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The client tries the same again.
    Retry,
    /// The client tries with other protocols.
    Fallback,
    /// The client had left of its own accord: its user was asked for something.
    Prompt,
    /// The client goes to another server: a broker sent it there.
    Redirect,
    /// The client reconnects by itself: it brings an auto-reconnect cookie, or comes again at once after a break.
    Reconnect,
    /// It is one of many connections with different offers, of which none goes on to a session.
    Scan,
    /// It is one of many connections that leave at the same place as soon as the server has answered.
    HealthCheck,
    /// It is one of many logons of one user that are tried at the same time.
    Guess,
}

impl Link {
    /// Whether nobody opened the connection to work. Such ones are no attempt, and decide none.
    pub fn is_scan(self) -> bool {
        match self {
            Link::Scan | Link::HealthCheck | Link::Guess => true,
            Link::Retry | Link::Fallback | Link::Prompt | Link::Redirect | Link::Reconnect => false,
        }
    }

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Link::Retry => "retry",
            Link::Fallback => "fallback",
            Link::Prompt => "prompt",
            Link::Redirect => "redirect",
            Link::Reconnect => "reconnect",
            Link::Scan => "scan",
            Link::HealthCheck => "health-check",
            Link::Guess => "guess",
        }
    }
}

/// How long a session may still be seen ending while its client connects again.
const OVERLAP: Duration = Duration::from_secs(1);

/// One session with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Where it stands: the file's name, or nothing for a live session that is not recorded.
    pub file: Option<String>,
    /// The number by which it was told while it went on: "3", or "3.2" where several are recorded together. Nothing where
    /// it was read from a file.
    pub number: Option<String>,
    /// What happened.
    pub timeline: Timeline,
    /// How it went.
    pub outcome: Outcome,
    /// What it means, the primary finding first.
    pub findings: Vec<Finding>,
    /// Whether a later session of the same attempt got further, so that its failure was none.
    pub withdrawn: bool,
    /// What ties it to the session before it in its attempt.
    pub link: Option<Link>,
    /// Packet captures of a relay's legs that were given with its recording.
    pub witnesses: Vec<Witness>,
    /// What a probe learned right after this session failed, as the JSON document that was written then: a separate
    /// observation, on which no verdict rests.
    pub probe: Option<String>,
    /// Why the recording is not whole, where it is not.
    pub incomplete: Option<String>,
    /// Causes that other connections rule out for it, and why.
    pub excluded: Vec<(&'static str, &'static str)>,
}

impl Diagnosed {
    /// Judges a finished timeline.
    pub fn new(file: Option<String>, timeline: Timeline) -> Diagnosed {
        let mut findings = diagnose(&timeline);
        if timeline.is_untimed() {
            findings = findings.into_iter().map(Finding::without_times).collect();
        }
        let outcome = Outcome::judged(&timeline, &findings);
        Diagnosed {
            file,
            number: None,
            timeline,
            outcome,
            findings,
            withdrawn: false,
            link: None,
            incomplete: None,
            witnesses: Vec::new(),
            probe: None,
            excluded: Vec::new(),
        }
    }

    /// Whether this was an attempt to use RDP at all: a relay's session was meant for it; elsewhere somebody asked, or
    /// came to RDP's port and got no word out.
    pub fn is_rdp(&self) -> bool {
        let facts = &self.timeline.facts;
        let answered_otherwise = facts.not_rdp.as_ref().is_some_and(|seen| seen.what.0 == Side::Server);
        // Whoever answers so is a server of RDP, also where what it was asked is not here, or cannot be read.
        let answered = facts.confirm.is_some() || facts.failure.is_some() || facts.ultimatum().is_some();
        let answered = answered || facts.refusal.is_some();
        // Where a part of the request is here, and the rest was cut off, its headers tell more than an attempt that cannot be read.
        let is_cut = |leg: &TimelineLeg| leg.missing[0] > 0 && leg.bytes[0] > leg.missing[0];
        let answered = answered && !self.timeline.leg(Leg::Only).is_some_and(is_cut);
        let is_unknown = facts.not_rdp.as_ref().is_some_and(|seen| seen.what == (Side::Client, Foreign::Unknown));
        let answered_unknown = is_unknown && self.timeline.leg(Leg::Only).is_some_and(|leg| leg.bytes[1] > 0);
        let by_gateway = facts.gateway.as_ref().is_some_and(|gateway| gateway.is_rdp() || self.timeline.is_meant);
        self.timeline.is_relayed()
            || by_gateway
            || facts.request.is_some()
            || answered
            || answered_unknown
            || answered_otherwise
            || self.timeline.is_knock()
            || self.timeline.is_malformed_request()
    }

    /// When its first packet was seen.
    pub fn began(&self) -> Timestamp {
        self.timeline.began.unwrap_or_default()
    }

    /// Whether `later`, a session of the same attempt, shows that this failure was none: it got further.
    pub fn is_withdrawn_by(&self, later: &Timeline) -> bool {
        let further = later.is_active() || later.last_phase() > self.timeline.last_phase();
        // The work that was lost in a session that broke does not come back with the next one.
        self.outcome != Outcome::Broken && further && self.link(later).is_some()
    }

    /// Takes back what was said of it: it stays visible, as a note.
    pub fn withdraw(&mut self) {
        self.withdrawn = true;
        for finding in &mut self.findings {
            finding.severity = Severity::Note;
        }
    }

    /// The leg of this relayed session that `packets` is a capture of: the same ends at the same time.
    fn leg_in(&self, packets: &Diagnosed) -> Option<Leg> {
        let wire = packets.timeline.leg(Leg::Only)?;
        let is_meanwhile =
            packets.began() <= self.timeline.last + CLOCKS && self.began() <= packets.timeline.last + CLOCKS;
        let same = self.timeline.legs.iter().find(|leg| (leg.client, leg.server) == (wire.client, wire.server));
        same.filter(|_| is_meanwhile && wire.client.is_some()).map(|leg| leg.name)
    }

    /// A broker may have sent the client here: a server that cannot be reached has another reason then. Where the
    /// redirection was read, it is known where to.
    fn redirected(&mut self, sent: Option<&Sighting<Redirection>>) {
        let unreachable = self.timeline.server_leg().is_some_and(|leg| leg.opened.is_none());
        let Some(finding) = self.findings.first_mut() else { return };
        if unreachable {
            finding.may_be("RED-UNREACH");
        } else if finding.phase == PhaseName::Tls && finding.by == Party::Client {
            finding.may_be("RED-CERT");
        } else {
            return;
        }
        if let Some(sent) = sent {
            finding.confidence = Confidence::Likely;
            let says = format!("Server Redirection to {}, in the session before", sent.what.target().unwrap_or("here"));
            finding.evidence.push(Evidence { frame: sent.mark.frame, at: sent.mark.at, says });
        }
    }

    /// Where the server sent the client, where that was read.
    fn redirection(&self) -> Option<&Sighting<Redirection>> {
        let inner = &self.timeline.facts.inner;
        inner.redirection.as_ref().filter(|_| inner.is_redirected())
    }

    /// Takes a capture of one of its legs as further evidence. What it says of itself stays.
    fn witnessed(&mut self, leg: Leg, packets: Diagnosed) {
        let witness = Witness { file: packets.file, leg, timeline: packets.timeline };
        if let (Some(finding), Some(end)) = (self.findings.first_mut(), &witness.timeline.end) {
            finding.evidence.push(Evidence { frame: end.mark.frame, at: end.mark.at, says: witness.says() });
        }
        self.witnesses.push(witness);
    }

    /// What makes `later` belong to the same attempt: the same client and user, soon after this one failed, at the
    /// same server or where a broker may have sent it. A session that became active had what it asked for.
    fn link(&self, later: &Timeline) -> Option<Link> {
        let began = later.began.unwrap_or_default();
        // The last packets of a session may cross the first of the next.
        let follows = began + OVERLAP >= self.spoken_until() && began > self.began();
        if !follows || client(&self.timeline) != client(later) {
            return None;
        }
        let after = began.since(self.spoken_until());
        if self.redirection().is_some() && after <= RETRY {
            return Some(Link::Redirect);
        }
        if self.timeline.is_active() {
            return self.reconnects(later, after).then_some(Link::Reconnect);
        }
        if !(self.outcome == Outcome::Failed || self.is_left()) || !self.same_user(later) {
            return None;
        }
        let asked = self.findings.first().is_some_and(|finding| finding.by == Party::Client);
        let same_server = same_server(&self.timeline, later);
        // Who comes back after a prompt asks again: of a connection that asked for nothing nobody knows whether it is that.
        let patience = if asked && same_server && later.facts.request.is_some() { PROMPT } else { RETRY };
        if after > patience {
            return None;
        }
        if !same_server {
            return self.may_redirect(later).then_some(Link::Redirect);
        }
        Some(match asked {
            // Of a session that asked for nothing yet nobody knows what it would have asked for.
            _ if requested(&self.timeline).zip(requested(later)).is_some_and(|(one, other)| one != other) => {
                Link::Fallback
            }
            _ if transport(&self.timeline) != transport(later) => Link::Fallback,
            true => Link::Prompt,
            false => Link::Retry,
        })
    }

    /// When it was over: of one whose end is not in the capture, when something was last said.
    fn spoken_until(&self) -> Timestamp {
        let last = self.timeline.last;
        let is_cut = self.timeline.end.is_some_and(|end| end.how == Ending::Cut);
        let spoke = self.timeline.legs.iter().flat_map(|leg| leg.spoke).flatten().map(|mark| mark.at).max();
        spoke.filter(|_| is_cut).unwrap_or(last)
    }

    /// Whether its client had asked for something and left of its own accord.
    fn is_left(&self) -> bool {
        let is_probe = self.findings.first().is_some_and(|finding| finding.cause.id == "PRX-PROBE");
        self.outcome == Outcome::Unfinished && is_probe && self.timeline.facts.request.is_some()
    }

    /// Who ended it: as its end says, or a box on the way where a finding says so.
    pub fn ended_by(&self) -> Option<Party> {
        let end = self.timeline.end.as_ref()?;
        let forged = self.findings.first().is_some_and(|finding| finding.is_forged_end(end));
        Some(if forged { Party::Middlebox } else { Party::of(end) })
    }

    /// Whether `later` is this session's own client that connects again without being told to.
    fn reconnects(&self, later: &Timeline, after: Duration) -> bool {
        let client_info = later.facts.inner.client_info.as_ref();
        let has_cookie = client_info.is_some_and(|seen| seen.what.2);
        let at_once = self.outcome == Outcome::Broken && after <= AT_ONCE;
        same_server(&self.timeline, later) && self.same_user(later) && (has_cookie && after <= PROMPT || at_once)
    }

    /// Whether this session ended as one does whose server, a broker, has sent the client elsewhere: it had come as far
    /// as Client Info, the client left, and goes to another server at once.
    fn may_redirect(&self, later: &Timeline) -> bool {
        let left = self.timeline.end.is_some_and(|end| Party::of(&end) == Party::Client);
        let progress = self.timeline.sealed_progress();
        let said_enough = self.timeline.last_phase() > PhaseName::Tls && progress.answered >= 2;
        let both = [&self.timeline, later].map(|timeline| timeline.facts.request.is_some());
        let knocks = later.server_leg().is_some_and(|leg| leg.opened.is_none());
        left && said_enough && (both == [true, true] || knocks)
    }

    /// Two users behind one address are two attempts. A client that does not name its user may be anybody.
    fn same_user(&self, later: &Timeline) -> bool {
        let user = |timeline: &Timeline| timeline.facts.request.as_ref().and_then(|seen| seen.what.cookie.clone());
        match (user(&self.timeline), user(later)) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        }
    }
}

/// By what it goes through a gateway.
fn transport(timeline: &Timeline) -> Option<Transport> {
    let gateway = timeline.facts.gateway.as_ref()?;
    gateway.tunnels().next().map(|exchange| exchange.request.what.transport)
}

/// What the client offers in its request; `None` without one. A request without RDP_NEG_REQ offers nothing.
fn requested(timeline: &Timeline) -> Option<Protocols> {
    timeline.facts.request.as_ref().map(|seen| seen.what.requested.unwrap_or_default())
}

/// Whose session it is, as far as that stays the same over several connections.
fn client(timeline: &Timeline) -> Option<IpAddr> {
    timeline.client_leg().and_then(|leg| leg.client).map(|client| client.ip())
}

/// Whether two sessions are with the same server: what a relay was asked to reach, or the address that was connected to.
fn same_server(one: &Timeline, other: &Timeline) -> bool {
    let address = |timeline: &Timeline| timeline.server_leg().and_then(|leg| leg.server);
    let is = |target: &(String, u16), server: Option<SocketAddr>| {
        server.is_some_and(|server| target.1 == server.port() && target.0 == server.ip().to_string())
    };
    match (&one.target, &other.target) {
        (None, None) => address(one) == address(other),
        (one, other @ Some(_)) if one.is_some() => one == other,
        (Some(target), _) => is(target, address(other)),
        (None, Some(target)) => is(target, address(one)),
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its sessions, in order. Never empty.
    pub sessions: Vec<Diagnosed>,
}

impl Attempt {
    /// The session that decides how the attempt went. A failure is never hidden by what stood before it, and a session
    /// that broke is not made whole by one that follows: of what came after the last session that became active the
    /// failed one that got furthest, else the last that broke, else what came after it and got furthest, else that
    /// session itself; the last of equals. What a later one withdrew decides nothing.
    pub fn deciding(&self) -> Option<&Diagnosed> {
        let served = self.sessions.iter().rposition(|session| session.timeline.is_active());
        let after = self.sessions.iter().skip(served.map_or(0, |place| place + 1));
        let after: Vec<&Diagnosed> = after.filter(|session| !session.withdrawn).collect();
        let progress = |session: &&Diagnosed| (session.timeline.last_phase(), session.began());
        let failed = after.iter().copied().filter(|session| session.outcome == Outcome::Failed).max_by_key(progress);
        let broken = || self.sessions.iter().rfind(|session| session.outcome == Outcome::Broken);
        let further = || after.iter().copied().max_by_key(progress);
        failed.or_else(broken).or_else(further).or_else(|| self.sessions.get(served?)).or(self.sessions.last())
    }

    /// How it went.
    pub fn outcome(&self) -> Outcome {
        self.deciding().map_or(Outcome::Unfinished, |session| session.outcome)
    }

    /// Whether nobody opened its connections to work: a scan, a health check, guesses of a password.
    pub fn is_scan(&self) -> bool {
        self.sessions.first().and_then(|session| session.link).is_some_and(Link::is_scan)
    }

    /// Takes a session that belongs to it, and withdraws what it makes void.
    fn push(&mut self, mut session: Diagnosed) {
        let linked = self.linked(&session).map(|(place, link)| (link, &mut self.sessions[place]));
        session.link = linked.as_ref().map(|(link, _)| *link);
        if let Some((Link::Redirect, earlier)) = linked {
            session.redirected(earlier.redirection());
            // It is seen what became of it there.
            earlier.findings.retain(|finding| finding.cause.id != "RED-UNREACH");
        }
        for earlier in
            self.sessions.iter_mut().rev().take(RECENT).filter(|earlier| earlier.is_withdrawn_by(&session.timeline))
        {
            earlier.withdraw();
        }
        self.sessions.push(session);
    }

    /// Which of its last sessions `next` follows from, and how. Nothing reaches back past one that became active.
    fn linked(&self, next: &Diagnosed) -> Option<(usize, Link)> {
        for (place, earlier) in self.sessions.iter().enumerate().rev().take(RECENT) {
            if let Some(link) = earlier.link(&next.timeline) {
                return Some((place, link));
            }
            if earlier.timeline.is_active() {
                return None;
            }
        }
        None
    }

    fn continues_with(&self, next: &Diagnosed) -> bool {
        self.linked(next).is_some()
    }
}

/// Makes one of a relay's recording and the captures of its legs.
fn merge(sessions: Vec<Diagnosed>) -> Vec<Diagnosed> {
    let (mut merged, packets): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|session| session.timeline.is_relayed());
    let relayed = merged.len();
    for session in packets {
        let found = merged.iter().take(relayed).enumerate();
        let found = found.filter_map(|(place, relay)| Some((place, relay.leg_in(&session)?))).next();
        match found {
            Some((place, leg)) => merged[place].witnessed(leg, session),
            None => merged.push(session),
        }
    }
    merged
}

/// Groups sessions into attempts, by the time at which they began. Each is held against its own client's attempts that
/// are not over for long: the cost is linear in the sessions.
pub fn group(sessions: Vec<Diagnosed>) -> Vec<Attempt> {
    let mut sessions = legs::join(merge(sessions));
    sessions.sort_by_key(Diagnosed::began);
    served::settle(&mut sessions);
    let (sessions, scans) = scan::sort_out(sessions);
    let mut attempts = attempts_of(sessions);
    if !scans.is_empty() {
        attempts.extend(scans.into_iter().map(|sessions| Attempt { sessions }));
        attempts.sort_by_key(|attempt| attempt.sessions.first().map(Diagnosed::began));
    }
    attempts
}

/// Of sessions in the order of time.
fn attempts_of(sessions: Vec<Diagnosed>) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut open: HashMap<Option<IpAddr>, VecDeque<usize>> = HashMap::new();
    for session in sessions {
        let of_client = open.entry(client(&session.timeline)).or_default();
        let is_over = |attempt: &Attempt| {
            attempt.sessions.last().is_none_or(|last| session.began().since(last.timeline.last) > PROMPT)
        };
        of_client.retain(|place| !is_over(&attempts[*place]));
        // A connection that names no user goes on with the latest attempt or with none.
        let is_named = session.timeline.facts.request.is_some();
        let latest = if is_named { of_client.len() } else { 1 };
        match of_client.iter().rev().take(latest).find(|place| attempts[**place].continues_with(&session)) {
            Some(place) => attempts[*place].push(session),
            None => {
                if of_client.len() >= OPEN {
                    of_client.pop_front();
                }
                of_client.push_back(attempts.len());
                attempts.push(Attempt { sessions: vec![session] });
            }
        }
    }
    attempts
}
