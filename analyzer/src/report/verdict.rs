//! The verdict: one line. Phase, leg, who acted first, how, after what silence, the cause and how sure it is.

use crate::attempt::{Attempt, Diagnosed, Link};
use crate::diagnose::impaired::asked;
use crate::diagnose::stage::unseen;
use crate::diagnose::stage::without_times;
use crate::diagnose::{Confidence, Finding, Outcome, Party, Severity};
use crate::observation::{Ending, Interception, Leg as LegName, Side};
use crate::report::text::length;
use crate::timeline::leg::Leg;
use crate::timeline::outstanding::LONG;
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// The verdict of an attempt: its deciding session's.
pub fn of_attempt(attempt: &Attempt) -> String {
    let Some(deciding) = attempt.deciding() else { return String::new() };
    if let Some(scan) = attempt.scan() {
        return format!("{}: {scan}; PRX-PROBE (likely)", attempt.outcome().name());
    }
    let before = attempt.sessions.len() - 1;
    let line = of_session(deciding);
    match before {
        0 => line,
        _ => format!("{line} [{} connections: {}]", before + 1, links(attempt)),
    }
}

/// The verdicts of an attempt's sessions that are another one than its own, each with its place in the attempt. What many
/// connections are that nobody opened to work is said of all of them together.
pub fn others(attempt: &Attempt) -> Vec<(usize, String)> {
    if attempt.is_scan() {
        return Vec::new();
    }
    let own = attempt.deciding().map(of_session);
    let verdicts = attempt.sessions.iter().map(of_session).enumerate();
    verdicts.filter(|(_, verdict)| Some(verdict) != own.as_ref()).collect()
}

/// The cause of a finding as a headline that is no louder than it is sure.
pub fn headline(finding: &Finding) -> String {
    let name = finding.cause.name;
    match finding.confidence {
        Confidence::Certain => name.to_owned(),
        Confidence::Likely => format!("probably: {name}"),
        Confidence::Possible => format!("perhaps: {name}"),
    }
}

/// How they follow from each other, each word once.
fn links(attempt: &Attempt) -> String {
    let mut links: Vec<&str> = attempt.sessions.iter().filter_map(|session| session.link).map(Link::name).collect();
    links.dedup();
    links.join(", ")
}

/// The verdict of one session.
pub fn of_session(session: &Diagnosed) -> String {
    let timeline = &session.timeline;
    let verdict = match session.outcome {
        Outcome::Connected => connected(timeline),
        Outcome::Unfinished => unfinished(session),
        Outcome::Broken | Outcome::Failed => format!("{}{}", ended(session), cause(session)),
    };
    let verdict = if timeline.is_untimed() { without_times(&verdict) } else { verdict };
    verdict + &impaired(session)
}

/// What was done to it on purpose, where that is not what ended it.
fn impaired(session: &Diagnosed) -> String {
    let is_said = session.timeline.ended_on_purpose().is_some() && session.outcome != Outcome::Connected;
    match session.timeline.is_impaired() && !is_said {
        true => format!("; impaired by --impair {}", asked(&session.timeline)),
        false => String::new(),
    }
}

fn connected(timeline: &Timeline) -> String {
    let began = timeline.began.unwrap_or_default();
    let Some(active) = timeline.phase(PhaseName::Active) else { return "connected".into() };
    let setup = length(active.began.since(began));
    let lasted = length(active.duration());
    match timeline.end {
        Some(End { how: Ending::Cut, .. }) | None => format!("connected: active after {setup}, still open"),
        Some(end) => {
            let goodbye = if said_goodbye(timeline) { ", after the client's goodbye (TLS alert)," } else { "" };
            format!(
                "connected: active after {setup}, ended{goodbye} by the {} ({}) after {lasted}",
                Party::of(&end).name(),
                end.how.name()
            )
        }
    }
}

/// Whether the client said close_notify, as far as can be told, before the server closed.
fn said_goodbye(timeline: &Timeline) -> bool {
    let alert = timeline.facts.first(|tls| tls.sealed_alert.as_ref());
    let closed = timeline.end.filter(|end| Party::of(end) == Party::Server).map(|end| end.mark.at);
    alert.zip(closed).is_some_and(|(alert, closed)| alert.what.0 == Side::Client && alert.mark.at <= closed)
}

/// With what was waited for when it was stopped, and what that may mean.
fn unfinished(session: &Diagnosed) -> String {
    let timeline = &session.timeline;
    let line = format!("unfinished in {}: {}", timeline.last_phase(), stopped(session));
    let end = timeline.end.map(|end| end.mark.at).unwrap_or_default();
    let Some(owed) = timeline.left_outstanding().filter(|owed| owed.lasted(end) >= LONG) else { return line };
    let is_of_it =
        |finding: &&Finding| finding.severity == Severity::Warning && finding.confidence == Confidence::Possible;
    let finding = session.findings.iter().find(is_of_it);
    let cause = finding.map(|finding| named(session, finding)).unwrap_or_default();
    format!("{line} after {} of waiting for {owed}{cause}", length(owed.lasted(end)))
}

fn stopped(session: &Diagnosed) -> String {
    let timeline = &session.timeline;
    match &timeline.end {
        Some(end) if Party::of(end) == Party::Proxy => {
            let why = session.incomplete.as_ref().map(|why| format!("cannot tell from this recording: {why}"));
            ended_inside(timeline).or(why).unwrap_or_else(|| "the proxy was stopped".into())
        }
        Some(End { how: Ending::Cut, .. }) | None => match timeline.legs.iter().find_map(Leg::only_direction) {
            Some(side) => format!("only the {side}'s direction is in the capture, which ends"),
            None => "the recording ends".into(),
        },
        Some(end) => cannot_tell(timeline).unwrap_or_else(|| left(session, end)),
    }
}

/// Who left where nothing failed by that.
fn left(session: &Diagnosed, end: &End) -> String {
    let (who, silence) = (Party::of(end), length(end.silence));
    match (end.how, who) {
        (Ending::Fin, Party::Client | Party::Server) => format!("the {} closed after {silence} of silence", who.name()),
        (Ending::Reset, Party::Client | Party::Server) => {
            format!("the {} reset after {silence} of silence", who.name())
        }
        _ => act(session, end),
    }
}

/// Why nothing can be said of how a connection went that was seen to end.
fn cannot_tell(timeline: &Timeline) -> Option<String> {
    let unseen = unseen(timeline).filter(|_| timeline.end.is_some_and(|end| end.how != Ending::Cut))?;
    Some(format!("cannot tell from this capture: {unseen}"))
}

/// By what a proxy that stands inside TLS ended the session itself.
fn ended_inside(timeline: &Timeline) -> Option<String> {
    let step = timeline.facts.ended_inside()?;
    match &step.what {
        Interception::Broke { why } => {
            let peer = if step.mark.leg == LegName::Front { Side::Client } else { Side::Server };
            Some(format!("TLS with the {peer} broke at the proxy ({} leg): {why}", step.mark.leg))
        }
        Interception::Stuck { why } => Some(format!("the proxy could not go on: {why}")),
        Interception::Asked(_)
        | Interception::Stands
        | Interception::Passed { .. }
        | Interception::Redialed { .. }
        | Interception::Upstream { .. }
        | Interception::OtherKey
        | Interception::Unbound => None,
    }
}

fn ended(session: &Diagnosed) -> String {
    let Some(end) = &session.timeline.end else { return session.outcome.name().into() };
    // The phase that failed stands in the finding; who closed the socket, and where, stands in the end.
    let primary = session.findings.first().filter(|finding| finding.severity == Severity::Failure);
    let phase = primary.map_or(end.phase, |finding| finding.phase);
    let inside = ended_inside(&session.timeline).filter(|_| Party::of(end) == Party::Proxy);
    let on_purpose = session.timeline.ended_on_purpose().map(|deed| format!("ended by --impair '{}'", deed.what.asked));
    format!("{} in {phase}: {}", session.outcome.name(), on_purpose.or(inside).unwrap_or_else(|| act(session, end)))
}

fn act(session: &Diagnosed, end: &End) -> String {
    let by = session.ended_by().unwrap_or_else(|| Party::of(end));
    let who = if by == Party::Middlebox { "a box on the way" } else { by.name() };
    let silence = length(end.silence);
    let leg = match end.mark.leg {
        LegName::Only => String::new(),
        leg @ (LegName::Front | LegName::Back) => format!(" on the {leg} leg"),
    };
    match end.how {
        Ending::Fin if end.unseen => format!("{who} closes (FIN, not in the capture){leg}"),
        Ending::Fin => format!("{who} closes (FIN){leg} after {silence} of silence"),
        Ending::Reset => format!("{who} resets (RST){leg} after {silence} of silence"),
        Ending::Refused => format!("{who} refuses (RST to SYN){leg}"),
        Ending::Unreachable if end.local => format!("this machine has no route{leg}"),
        Ending::Unreachable => format!("the network reports the server unreachable{leg}"),
        Ending::TimedOut => format!("{who} does not answer{leg} for {silence}"),
        Ending::Unresolved => "the name has no address".into(),
        Ending::Cut => "the recording ends".into(),
    }
}

fn cause(session: &Diagnosed) -> String {
    session.findings.first().map_or_else(|| "; cannot tell why".into(), |finding| named(session, finding))
}

fn named(session: &Diagnosed, finding: &Finding) -> String {
    let withdrawn = if session.withdrawn { ", withdrawn: a later connection got further" } else { "" };
    let (id, name, sure) = (finding.cause.id, finding.cause.name, finding.confidence.name());
    // Who closed the socket need not be who gave the verdict: a silent server, a client's alert.
    let acted = session.ended_by();
    let by = match finding.by {
        Party::Nobody => String::new(),
        by if Some(by) == acted => String::new(),
        by => format!(", by the {}", by.name()),
    };
    let perhaps = if finding.confidence == Confidence::Possible { "perhaps " } else { "" };
    format!("; {perhaps}{id}{by}: {name} ({sure}{withdrawn})")
}
