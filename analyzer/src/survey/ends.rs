//! Patterns in how sessions end: after equal silences, at equal ages, all together, again and again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::servers::was_cut;
use super::{Pattern, Set, client, pattern, server};
use crate::attempt::{Attempt, Diagnosed, Link};
use crate::diagnose::stage::{length, without_times};
use crate::diagnose::{Confidence, Outcome};
use crate::observation::Leg as LegName;
use crate::time::Timestamp;
use crate::timeline::phase::PhaseName;

/// Witnesses that are no chance.
const ENOUGH: usize = 3;
/// People are less exact than this; timers are not.
const EXACT: Duration = Duration::from_millis(500);
/// A shorter silence is none.
const SILENCE: Duration = Duration::from_secs(5);
/// Boxes on the way forget a connection after this at the earliest; relays close theirs sooner.
const BOX: Duration = Duration::from_secs(200);
/// A session of less age has no limit.
const AGE: Duration = Duration::from_secs(60);
/// Sessions that end within this end together.
const TOGETHER: Duration = Duration::from_secs(3);
/// Redirects within this are a circle.
const CIRCLE: Duration = Duration::from_secs(10);
/// Connections that come again so often are not a person's.
const AGAIN: usize = 5;
/// What a relay takes to pass an end on.
const ECHO: Duration = Duration::from_millis(100);
/// A session of less is short.
const SHORT: Duration = Duration::from_secs(30);

/// Sessions that something else than their client ended after the same silence: a timer.
pub fn equal_silences(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(|server, of| {
        let silent = |session: &&Diagnosed| was_cut(session) && silence(session) >= Some(SILENCE);
        let cut: Vec<&Diagnosed> = of.sessions.iter().copied().filter(silent).collect();
        let (cluster, after) = cluster(&cut, silence)?;
        let id = if after >= BOX { "PATH-IDLE" } else { "PATH-PROXYIDLE" };
        let (count, after) = (cluster.len(), length(after));
        let says = format!("{count} sessions with {server} end after {after} of silence, to half a second: a timer");
        Some(pattern("equal silences", Some(id), Confidence::Likely, says, &cluster))
    })
}

/// Sessions that something else than their client ended at the same age, whatever was going on: a limit.
pub fn equal_ages(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(|server, of| {
        let old =
            |session: &&Diagnosed| was_cut(session) && age(session) >= Some(AGE) && silence(session) < Some(SILENCE);
        let cut: Vec<&Diagnosed> = of.sessions.iter().copied().filter(old).collect();
        let (cluster, age) = cluster(&cut, age)?;
        // Those that began together end together: that is another story.
        let began = || cluster.iter().map(|session| session.began());
        let spread = began().max()?.after(began().min()?);
        let (count, age) = (cluster.len(), length(age));
        let says = format!("{count} sessions with {server} end at the age of {age}, to half a second: a limit");
        (spread > TOGETHER).then(|| pattern("equal ages", Some("SES-LIMIT"), Confidence::Likely, says, &cluster))
    })
}

/// Running sessions that end in the same moment: the server, or a box that they share.
pub fn together(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(|server, of| {
        let is_one = |session: &&&Diagnosed| session.timeline.is_active() && was_cut(session);
        let ended = of.sessions.iter().filter(is_one).filter(|session| !session.timeline.is_untimed());
        let mut ended: Vec<(Timestamp, &Diagnosed)> =
            ended.filter_map(|session| Some((session.timeline.end?.mark.at, *session))).collect();
        ended.sort_by_key(|(at, _)| *at);
        let is_group = |group: &&[(Timestamp, &Diagnosed)]| group[ENOUGH - 1].0.after(group[0].0) <= TOGETHER;
        let first = ended.windows(ENOUGH).find(is_group)?[0].0;
        let in_it = |(at, _): &&(Timestamp, &Diagnosed)| *at >= first && at.after(first) <= TOGETHER;
        let group: Vec<&Diagnosed> = ended.iter().filter(in_it).map(|(_, session)| *session).collect();
        let says = format!("{} running sessions with {server} end within {}", group.len(), length(TOGETHER));
        Some(pattern("ended together", Some("SES-SHUTDOWN"), Confidence::Likely, says, &group))
    })
}

/// A client that is sent from server to server and never gets a session.
pub fn circles(set: &Set<'_>) -> Vec<Pattern> {
    let circle = |attempt: &Attempt| {
        let sent = attempt.sessions.iter().filter(|session| session.link == Some(Link::Redirect)).count();
        let (first, last) = (attempt.sessions.first()?, attempt.sessions.last()?);
        let names: Vec<Option<String>> = attempt.sessions.iter().map(|session| server(&session.timeline)).collect();
        let returns = names.iter().enumerate().any(|(place, name)| names[..place].contains(name));
        if sent < 2 || !returns || attempt.outcome() == Outcome::Connected || last.began().after(first.began()) > CIRCLE
        {
            return None;
        }
        let sessions: Vec<&Diagnosed> = attempt.sessions.iter().collect();
        let within = length(last.began().after(first.began()));
        let says = format!("the client is sent on {sent} times in {within} and comes back to where it was");
        let says = if first.timeline.is_untimed() { without_times(&says) } else { says };
        Some(pattern("sent round in circles", Some("RED-LOOP"), Confidence::Likely, says, &sessions))
    };
    set.attempts.iter().filter_map(circle).collect()
}

/// One client's sessions that are short and come again at once: it reconnects by itself.
pub fn again_and_again(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(|server, of| {
        let is_timed = |session: &&Diagnosed| !session.timeline.is_untimed();
        let is_short = |session: &&Diagnosed| was_cut(session) && age(session).is_some_and(|age| age < SHORT);
        let mut short: Vec<&Diagnosed> = of.sessions.iter().copied().filter(is_timed).filter(is_short).collect();
        let who = client(short.first()?)?;
        short.retain(|session| client(session) == Some(who));
        short.sort_by_key(|session| session.began());
        let at_once = short.windows(2).all(|two| two[1].began().after(two[0].timeline.last) < SHORT);
        if short.len() < AGAIN || !at_once {
            return None;
        }
        let (count, within) = (short.len(), length(SHORT));
        let says = format!("{who} reconnects to {server} {count} times, each session is cut within {within}");
        Some(pattern("connects again and again", Some("SES-ARC"), Confidence::Possible, says, &short))
    })
}

/// A relay closes its client's connection because its own to the server has ended: the cause is there.
pub fn passed_on(set: &Set<'_>) -> Vec<Pattern> {
    let mut onward: HashMap<IpAddr, Vec<(Timestamp, &Diagnosed)>> = HashMap::new();
    for session in set.servers.values().flat_map(|of| of.sessions.iter().copied()) {
        let is_one = !session.timeline.is_relayed() && !session.timeline.is_untimed();
        let from = client(session).filter(|from| !from.is_loopback() && is_one);
        if let (Some(from), Some(end)) = (from, session.timeline.end) {
            onward.entry(from).or_default().push((end.mark.at, session));
        }
    }
    onward.values_mut().for_each(|ended| ended.sort_by_key(|(at, _)| *at));
    set.each_server(|server, of| {
        let cut = || of.sessions.iter().filter(|session| was_cut(session));
        cut()
            .find_map(|session| passed_to(server, session, &onward))
            .or_else(|| cut().find_map(|session| seen_on_both_legs(server, session)))
    })
}

/// A session whose onward leg is in the capture, too: it ended first, and the client's connection is the echo of it.
fn seen_on_both_legs(server: &str, session: &Diagnosed) -> Option<Pattern> {
    let ended = session.timeline.end.filter(|_| !session.timeline.is_relayed() && !session.timeline.is_untimed());
    let ended = ended?.mark.at;
    let onward = session.witnesses.iter().find(|witness| witness.leg == LegName::Back)?;
    let before = onward.ended().filter(|at| *at <= ended && ended.after(*at) <= ECHO)?;
    let mut pattern = echo(server, ended.after(before), &[session]);
    pattern.evidence.insert(0, onward.says());
    Some(pattern)
}

fn echo(server: &str, after: Duration, of: &[&Diagnosed]) -> Pattern {
    let says = format!(
        "{server} is a relay: it closes its client's connection {} after its own to the server has ended, and the cause is there",
        length(after)
    );
    pattern("a relay passes an end on", Some("PRX-CLOSE"), Confidence::Likely, says, of)
}

/// The session of the relay whose end this session's end is the echo of.
fn passed_to(
    server: &str,
    session: &Diagnosed,
    onward: &HashMap<IpAddr, Vec<(Timestamp, &Diagnosed)>>,
) -> Option<Pattern> {
    let ended = session.timeline.end?.mark.at;
    let relay = session.timeline.leg(LegName::Only)?.server?.ip();
    let others = onward.get(&relay)?;
    let before = others.partition_point(|(at, _)| *at <= ended);
    let (at, other) = others[..before].last()?;
    if ended.after(*at) > ECHO || other.began() + ECHO < session.began() {
        return None;
    }
    Some(echo(server, ended.after(*at), &[other, session]))
}

/// The silence before the end of a session that had become active.
fn silence(session: &Diagnosed) -> Option<Duration> {
    session.timeline.end.filter(|_| session.timeline.is_active()).map(|end| end.silence)
}

/// How long it was active.
fn age(session: &Diagnosed) -> Option<Duration> {
    session.timeline.phase(PhaseName::Active).map(|phase| phase.duration())
}

/// The largest group of sessions whose measure is the same but for half a second, and the least of it.
fn cluster<'a>(
    sessions: &[&'a Diagnosed],
    measure: fn(&Diagnosed) -> Option<Duration>,
) -> Option<(Vec<&'a Diagnosed>, Duration)> {
    let measured = sessions.iter().filter_map(|session| Some((measure(session)?, *session)));
    let mut measured: Vec<(Duration, &Diagnosed)> = measured.collect();
    measured.sort_by_key(|(length, _)| *length);
    let mut last = 0;
    let groups = measured.iter().enumerate().map(|(first, (least, _))| {
        while measured.get(last).is_some_and(|(length, _)| *length - *least <= EXACT) {
            last += 1;
        }
        first..last
    });
    let largest = groups.max_by_key(|group| group.len())?;
    let group = measured.get(largest)?;
    let least = group.first()?.0;
    (group.len() >= ENOUGH).then(|| (group.iter().map(|(_, session)| *session).collect(), least))
}
