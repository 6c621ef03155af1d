//! Connections that nobody opened to work: scans, health checks, guesses of a password.
//!
//! One such connection looks like a failure: it ends before a session began. Many of them side by side do not. A client
//! that works asks for the same each time, and asks for less only after it was refused; it does not ask three times at
//! once. Whoever does is a program that looks at the server, and its connections say nothing of anybody's attempts.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use super::{Attempt, Diagnosed, Link, client};
use crate::causes;
use crate::count::counted;
use crate::diagnose::stage::length;
use crate::diagnose::{Confidence, Evidence, Finding, Outcome, Party, Severity};
use crate::event::ClientHello;
use crate::observation::{Ending, Leg, Side};
use crate::time::Timestamp;
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

/// Connections of a scan begin no later than this after the one before them has ended.
const PACE: Duration = Duration::from_secs(10);
/// Connections of which some are a scan.
const SCAN: usize = 4;
/// Offers that no client makes that works: NLA, TLS and standard RDP security are three, one after each refusal.
const OFFERS: usize = 3;
/// Connections that a scanner left although the server had agreed. One may be a client that changed its mind.
const LEFT: usize = 2;
/// A client that gets a session after fewer attempts than this has tried its offers until one was taken.
const TRIED: usize = 10;
/// Connections that leave at the same place: a health check.
const CHECKS: usize = 3;
/// A machine leaves so soon after it has its answer. Where a person is asked, it takes longer.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Logons of one user within seconds,
const GUESSES: usize = 6;
/// and so many of them at the same time.
const TOGETHER: usize = 3;

/// Whose connections to which server, as which user. One who works beside a scanner names himself.
#[derive(PartialEq, Eq, Hash)]
struct Whose {
    client: IpAddr,
    server: (String, u16),
    cookie: Option<String>,
}

/// What a connection asks for.
#[derive(PartialEq, Eq, Hash)]
struct Offer<'a> {
    /// `requestedProtocols`; 0 where the request has none, nothing without a request.
    requested: Option<u32>,
    hello: Option<[&'a [u16]; 4]>,
    /// Bytes of the client, where its ClientHello cannot be read: another length is another offer.
    unread: u64,
}

/// How one connection looks, taken alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It became a session.
    Session,
    /// It fails for a reason of its own: a certificate that the client refused, a logon that was denied.
    Failure,
    /// The client left by itself although the server had agreed, or before it asked for anything.
    Left,
    /// It ended otherwise.
    Other,
}

/// Takes the connections out that nobody opened to work: what is left, in its order, and each group of the others. The
/// cost is linear in the connections.
pub(super) fn sort_out(sessions: Vec<Diagnosed>) -> (Vec<Diagnosed>, Vec<Vec<Diagnosed>>) {
    let mut whose: HashMap<Whose, Vec<usize>> = HashMap::new();
    for (place, session) in sessions.iter().enumerate() {
        if let Some(key) = Whose::of(&session.timeline) {
            whose.entry(key).or_default().push(place);
        }
    }
    let mut groups: Vec<(Link, Vec<usize>)> = whose.values().flat_map(|places| groups(&sessions, places)).collect();
    groups.sort_by_key(|(_, places)| places.first().copied());
    let mut sessions: Vec<Option<Diagnosed>> = sessions.into_iter().map(Some).collect();
    let mut take = |(link, places): (Link, Vec<usize>)| -> Vec<Diagnosed> {
        let taken: Vec<Diagnosed> = places.into_iter().filter_map(|place| sessions.get_mut(place)?.take()).collect();
        taken.into_iter().map(|session| session.one_of(link)).collect()
    };
    let scans = groups.into_iter().map(&mut take).filter(|taken| !taken.is_empty()).collect();
    (sessions.into_iter().flatten().collect(), scans)
}

impl Whose {
    fn of(timeline: &Timeline) -> Option<Whose> {
        // Connections to a gateway are parts of sessions through it.
        if timeline.facts.gateway.is_some() {
            return None;
        }
        // A scan is told by its pace.
        if timeline.is_untimed() {
            return None;
        }
        let address = || timeline.server_leg()?.server.map(|server| (server.ip().to_string(), server.port()));
        let server = timeline.target.clone().or_else(address)?;
        let cookie = timeline.facts.request.as_ref().and_then(|request| request.what.cookie.clone());
        Some(Whose { client: client(timeline)?, server, cookie })
    }
}

impl<'a> Offer<'a> {
    fn of(timeline: &'a Timeline) -> Offer<'a> {
        let request = timeline.facts.request.as_ref().map(|request| &request.what);
        let requested = request.map(|request| request.requested.map_or(0, |protocols| protocols.0));
        let hello = timeline.facts.first(|tls| tls.hello.as_ref());
        let lists = |hello: &'a ClientHello| [&hello.versions, &hello.ciphers, &hello.groups, &hello.signatures];
        let is_unread = hello.is_none() && timeline.facts.confirm.is_some();
        let said =
            || timeline.client_leg().map(|leg| leg.bytes[Side::Client as usize] + leg.missing[Side::Client as usize]);
        let unread = if is_unread { said().unwrap_or(0) } else { 0 };
        Offer { requested, hello: hello.map(|hello| lists(&hello.what).map(Vec::as_slice)), unread }
    }
}

/// The groups among the connections of one client with one server.
fn groups(sessions: &[Diagnosed], places: &[usize]) -> Vec<(Link, Vec<usize>)> {
    if places.len() < CHECKS {
        return Vec::new();
    }
    let mut groups: Vec<(Link, Vec<usize>)> = Vec::new();
    for (burst, is_served) in bursts(sessions, places) {
        if is_scan(sessions, &burst) && (!is_served || burst.len() >= TRIED) {
            let members = burst.into_iter().filter(|place| look(&sessions[*place]) != Look::Failure);
            groups.push((Link::Scan, members.collect()));
        } else if !is_served && are_guesses(sessions, &burst) {
            groups.push((Link::Guess, burst));
        }
    }
    let known: HashSet<usize> = groups.iter().flat_map(|(_, places)| places.iter().copied()).collect();
    let rest: Vec<usize> = places.iter().copied().filter(|place| !known.contains(place)).collect();
    groups.extend(checks(sessions, &rest).into_iter().map(|places| (Link::HealthCheck, places)));
    groups
}

/// Connections that follow each other within seconds, without those that became a session; and whether one of these
/// came right behind them.
fn bursts(sessions: &[Diagnosed], places: &[usize]) -> Vec<(Vec<usize>, bool)> {
    let mut bursts = Vec::new();
    let mut burst: Vec<usize> = Vec::new();
    let mut until = Timestamp::default();
    for place in places {
        let session = &sessions[*place];
        let goes_on = session.began().since(until) <= PACE;
        let is_session = look(session) == Look::Session;
        if !burst.is_empty() && (is_session || !goes_on) {
            bursts.push((std::mem::take(&mut burst), is_session && goes_on));
        }
        if !is_session {
            until = if burst.is_empty() { session.timeline.last } else { until.max(session.timeline.last) };
            burst.push(*place);
        }
    }
    if !burst.is_empty() {
        bursts.push((burst, false));
    }
    bursts
}

/// Many connections with different offers, some of them left although the server had agreed.
fn is_scan(sessions: &[Diagnosed], burst: &[usize]) -> bool {
    let looks = || burst.iter().map(|place| (&sessions[*place], look(&sessions[*place])));
    let probing: Vec<&Diagnosed> =
        looks().filter(|(_, look)| matches!(look, Look::Left | Look::Other)).map(|(session, _)| session).collect();
    let offers: HashSet<Offer<'_>> = probing.iter().map(|session| Offer::of(&session.timeline)).collect();
    let left = looks().filter(|(_, look)| *look == Look::Left).count();
    probing.len() >= SCAN && offers.len() >= OFFERS && left >= LEFT
}

/// Logons of one user, several at the same time: no client does that, and no person.
fn are_guesses(sessions: &[Diagnosed], burst: &[usize]) -> bool {
    let is_logon = |session: &&Diagnosed| session.timeline.last_phase() > PhaseName::Tls;
    let is_named = |session: &Diagnosed| {
        session.timeline.facts.request.as_ref().is_some_and(|request| request.what.cookie.is_some())
    };
    let logons: Vec<&Diagnosed> = burst.iter().map(|place| &sessions[*place]).filter(is_logon).collect();
    if logons.len() < GUESSES || logons.len() < burst.len() || !logons.iter().all(|session| is_named(session)) {
        return false;
    }
    let mut edges: Vec<(Timestamp, bool)> = Vec::new();
    for session in &logons {
        edges.extend([(session.began(), true), (session.timeline.last, false)]);
    }
    // Where one ends as another begins they do not overlap.
    edges.sort_unstable();
    let mut open = 0_usize;
    edges.into_iter().any(|(_, begins)| {
        open = if begins { open + 1 } else { open.saturating_sub(1) };
        open >= TOGETHER
    })
}

/// Connections that ask for the same, if for anything, and leave as soon as they are answered, and never become a
/// session.
fn checks(sessions: &[Diagnosed], places: &[usize]) -> Vec<Vec<usize>> {
    if places.iter().any(|place| look(&sessions[*place]) == Look::Session) {
        return Vec::new();
    }
    let mut alike: HashMap<Offer<'_>, Vec<usize>> = HashMap::new();
    for place in places.iter().filter(|place| is_check(&sessions[**place])) {
        alike.entry(Offer::of(&sessions[*place].timeline)).or_default().push(*place);
    }
    alike.into_values().filter(|places| places.len() >= CHECKS).collect()
}

/// Whether a connection does no more than to see whether the server answers: it is told as a probe, or reset as soon as the
/// confirm is there. A client that names its user and gets a confirm is somebody's.
fn is_check(session: &Diagnosed) -> bool {
    let facts = &session.timeline.facts;
    let is_probe = session
        .findings
        .first()
        .is_some_and(|finding| finding.cause.id == "PRX-PROBE" && finding.severity == Severity::Note);
    let named = facts.request.as_ref().is_some_and(|request| request.what.cookie.is_some());
    let confirmed = facts.confirm.as_ref().map(|confirm| confirm.mark.at);
    let spoke = facts.first(|tls| tls.hello.as_ref()).is_some() || !facts.mcs.is_empty();
    let reset = session.timeline.end.filter(|end| end.how == Ending::Reset && Party::of(end) == Party::Client);
    let at_once = reset.zip(confirmed).is_some_and(|(end, confirmed)| end.mark.at.since(confirmed) <= AT_ONCE);
    let is_somebodys = named && confirmed.is_some();
    !is_somebodys && (is_probe || at_once && !spoke)
}

fn look(session: &Diagnosed) -> Look {
    let timeline = &session.timeline;
    let facts = &timeline.facts;
    if timeline.is_active() {
        return Look::Session;
    }
    // What stands behind the end is an answer to it.
    let in_time = |at: Timestamp| timeline.end.is_none_or(|end| at <= end.mark.at);
    let alerts = facts.tls.iter().flat_map(|tls| &tls.alerts).filter(|alert| in_time(alert.mark.at));
    let mut alerts = alerts.map(|alert| alert.what);
    let refused = alerts.clone().any(|(from, _, description)| from == Side::Client && names_certificate(description));
    let primary = session.findings.first().filter(|finding| finding.severity == Severity::Failure);
    let denied = primary.is_some_and(|finding| finding.by == Party::Server && finding.phase > PhaseName::Tls);
    if refused || denied {
        return Look::Failure;
    }
    let by_client = timeline.end.is_some_and(|end| Party::of(&end) == Party::Client);
    let by_alert = alerts.any(|(from, _, description)| from == Side::Server && description != 0);
    let asked = facts.request.is_some() && facts.not_rdp.is_none();
    let agreed = facts.confirm.is_some() && facts.failure.is_none() && !by_alert;
    match by_client && (agreed || !asked) {
        true => Look::Left,
        false => Look::Other,
    }
}

/// Alerts by which a client refuses a certificate, RFC 8446 6.2: `bad_certificate` (42) to `certificate_unknown` (46),
/// `unknown_ca` (48).
fn names_certificate(description: u8) -> bool {
    matches!(description, 42..=46 | 48)
}

impl Diagnosed {
    /// As one of many that nobody opened to work: nothing failed, and what it showed is a note.
    fn one_of(mut self, link: Link) -> Diagnosed {
        (self.outcome, self.link) = (Outcome::Unfinished, Some(link));
        let end = self.timeline.end;
        let evidence = end.map(|end| Evidence { frame: end.mark.frame, at: end.mark.at, says: ended(&self.timeline) });
        let leg = end.map_or_else(|| self.timeline.client_leg().map_or(Leg::Only, |leg| leg.name), |end| end.mark.leg);
        // INVARIANT: the catalogue has this cause; a test names it.
        let note = causes::cause("PRX-PROBE").map(|cause| Finding {
            cause,
            severity: Severity::Note,
            confidence: Confidence::Likely,
            leg,
            phase: end.map_or(self.timeline.last_phase(), |end| end.phase),
            by: Party::Client,
            says: format!("one connection of {}", what(link)),
            evidence: evidence.into_iter().collect(),
            alternatives: Vec::new(),
            is_read: false,
        });
        self.findings = note.into_iter().collect();
        self
    }
}

fn ended(timeline: &Timeline) -> String {
    timeline.end.as_ref().map_or("it stands".into(), crate::diagnose::stage::end_in_words)
}

fn what(link: Link) -> &'static str {
    match link {
        Link::HealthCheck => "a health check",
        Link::Guess => "a program that guesses a password",
        Link::Scan | Link::Retry | Link::Fallback | Link::Prompt | Link::Redirect | Link::Reconnect => "a scan",
    }
}

impl Attempt {
    /// What its connections are together, where nobody opened them to work: "a scan: 110 connections of 10.0.0.1 to
    /// 10.0.0.2:3389 in 3.2 s, 31 different offers, none goes on to a session".
    pub fn scan(&self) -> Option<String> {
        let link = self.sessions.first()?.link.filter(|link| link.is_scan())?;
        let began = self.sessions.iter().map(Diagnosed::began).min()?;
        let ended = self.sessions.iter().map(|session| session.timeline.last).max()?;
        let (count, within) = (self.sessions.len(), length(ended.since(began)));
        let Whose { client: from, server: (server, port), .. } = Whose::of(&self.sessions.first()?.timeline)?;
        let offers: HashSet<Offer<'_>> = self.sessions.iter().map(|session| Offer::of(&session.timeline)).collect();
        let how = match link {
            Link::HealthCheck => "each leaves as soon as it is answered, none goes on to a session".into(),
            Link::Guess => "logons of one user, several at the same time, none goes on to a session".into(),
            Link::Scan | Link::Retry | Link::Fallback | Link::Prompt | Link::Redirect | Link::Reconnect => {
                format!("{}, none goes on to a session", counted(offers.len(), "different offer"))
            }
        };
        Some(format!(
            "{}: {} of {from} to {server}:{port} in {within}, {how}",
            what(link),
            counted(count, "connection")
        ))
    }
}
