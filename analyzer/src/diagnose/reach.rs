//! Rules of the way to the server: name resolution and TCP.

use std::time::Duration;

use super::stage::{self, length};
use super::{Confidence, Finding, Party, Severity};
use crate::observation::{Ending, Leg, Sign};
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// A resolver slower than this is worth a word: the usual client asks again after one and two seconds.
const SLOW_RESOLVER: Duration = Duration::from_secs(3);
/// Who is told so soon that there is no answer was not waiting for one: no resolver is there at all.
const ASKED_IN_VAIN: Duration = Duration::from_secs(1);

pub fn unresolved(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|end| end.how == Ending::Unresolved)?;
    let resolution = timeline.resolution.as_ref()?;
    let name = timeline.target.as_ref().map_or("the name", |(name, _)| name);
    let error = resolution.error.as_deref().unwrap_or("no address");
    let took = length(end.mark.at.since(resolution.began.at));
    let says = format!("{name} does not resolve: {error}, after {took}");
    // EAI_AGAIN (RFC 3493, 6.1), WSATRY_AGAIN: no resolver answered, so nobody has said that there is no such name.
    let lowered = error.to_ascii_lowercase();
    let is_silence = ["temporary", "try again", "timed out"].iter().any(|word| lowered.contains(word));
    let was_long = end.mark.at.since(resolution.began.at) >= ASKED_IN_VAIN;
    let (id, confidence) = match (is_silence, was_long) {
        (true, true) => ("DNS-SLOW", Confidence::Likely),
        (true, false) => ("DNS-NX", Confidence::Likely),
        (false, _) => ("DNS-NX", Confidence::Certain),
    };
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    let finding = if is_silence { finding.or("DNS-NX", Confidence::Possible) } else { finding };
    Some(
        finding
            .on(end.mark.leg, PhaseName::NameResolution)
            .with(resolution.began, format!("lookup of {name} begins"))
            .with_end(timeline),
    )
}

/// The client gives up while the name is still being looked up.
pub fn resolver_silent(timeline: &Timeline) -> Option<Finding> {
    let end = never_opened(timeline).filter(|end| stage::by_client(end) && end.phase == PhaseName::NameResolution)?;
    let resolution = timeline.resolution.as_ref().filter(|resolution| resolution.ended.is_none())?;
    let waited = end.mark.at.since(resolution.began.at);
    if waited < SLOW_RESOLVER {
        return None;
    }
    let says = format!("the name's lookup is not answered: {} after {}", stage::gives_up(end), length(waited));
    let finding = Finding::at_end(timeline, "DNS-SLOW", Confidence::Likely, says)?;
    let finding = finding.on(resolution.began.leg, PhaseName::NameResolution).by(Party::Nobody);
    Some(finding.with(resolution.began, "lookup begins").with_end(timeline).or("DNS-NX", Confidence::Possible))
}

pub fn refused(timeline: &Timeline) -> Option<Finding> {
    let end = never_opened(timeline).filter(|end| end.how == Ending::Refused)?;
    let says = format!("{} refuses the connection: its SYN is answered with RST", whom(timeline, end.mark.leg));
    Some(dials(Finding::at_end(timeline, "TCP-REFUSED", Confidence::Certain, says)?, timeline).by(Party::Server))
}

pub fn unreachable(timeline: &Timeline) -> Option<Finding> {
    let end = never_opened(timeline).filter(|end| end.how == Ending::Unreachable)?;
    let whom = whom(timeline, end.mark.leg);
    let icmp = timeline
        .server_leg()
        .and_then(|leg| leg.signs.iter().find(|sign| matches!(sign.what, Sign::Icmp { mtu: None, kind: 1 | 3, .. })));
    let told = icmp.and_then(|icmp| match icmp.what {
        Sign::Icmp { by, kind, code, .. } => Some((icmp.mark, by, format!("ICMP type {kind} code {code} of {by}"))),
        _ => None,
    });
    let says = match &told {
        _ if end.local => format!("this machine has no route to {whom}: nothing was sent"),
        Some((_, by, _)) => format!("{whom} cannot be reached: {by} says so"),
        None => format!("{whom} cannot be reached: the network says so"),
    };
    let finding = dials(Finding::at_end(timeline, "TCP-ICMP", Confidence::Likely, says)?, timeline);
    Some(told.into_iter().fold(finding, |finding, (mark, _, says)| finding.with(mark, says)))
}

/// A SYN that nobody answers, until a timer here or the client's patience runs out.
pub fn unanswered(timeline: &Timeline) -> Option<Finding> {
    let end = never_opened(timeline)?;
    let gave_up = stage::by_client(end) || end.how == Ending::TimedOut;
    let leg = timeline.server_leg().filter(|leg| gave_up && !leg.dials.is_empty())?;
    let dial = leg.dials.last()?;
    if stage::hasty(timeline).is_some() {
        return None;
    }
    let waited = end.mark.at.since(dial.began.at);
    let says = format!("{} does not answer: {} after {}", dial.server, stage::gives_up(end), length(waited));
    let finding = Finding::at_end(timeline, "TCP-DROP", Confidence::Likely, says)?;
    Some(dials(finding, timeline).on(leg.name, PhaseName::Tcp).by(Party::Nobody).with_end(timeline))
}

/// A relay whose target is itself: each session makes another one.
pub fn loops(timeline: &Timeline) -> Option<Finding> {
    let (front, back) = (timeline.leg(Leg::Front)?, timeline.leg(Leg::Back)?);
    let dial = back.dials.iter().find(|dial| Some(dial.server) == front.server)?;
    let says = format!("the relay is to connect to {}, where it listens itself", dial.server);
    let finding = Finding::at_end(timeline, "PRX-LOOP", Confidence::Certain, says)?;
    Some(finding.on(Leg::Back, PhaseName::Tcp).by(Party::Proxy).with(dial.began, format!("connect to {}", dial.server)))
}

/// Several addresses, and the first did not answer: every connection pays for it.
pub fn dead_address(timeline: &Timeline) -> Option<Finding> {
    let leg = timeline.server_leg().filter(|leg| leg.opened.is_some())?;
    let dead = leg.dials.iter().find(|dial| matches!(dial.result, Some((_, Some(Ending::TimedOut)))))?;
    let cost = dead.result.map(|(at, _)| at.since(dead.began.at)).unwrap_or_default();
    let says = format!("{} does not answer, a later address does: {} lost", dead.server.ip(), length(cost));
    Some(
        warning(timeline, "DNS-AAAA", Confidence::Likely, says, leg.name, PhaseName::Tcp)?
            .with(dead.began, format!("connect to {}", dead.server)),
    )
}

pub fn slow_resolver(timeline: &Timeline) -> Option<Finding> {
    let resolution = timeline.resolution.as_ref().filter(|resolution| !resolution.addresses.is_empty())?;
    let took = resolution.ended?.since(resolution.began.at);
    if took < SLOW_RESOLVER {
        return None;
    }
    let says = format!("the lookup took {}", length(took));
    let leg = resolution.began.leg;
    Some(
        warning(timeline, "DNS-SLOW", Confidence::Certain, says, leg, PhaseName::NameResolution)?
            .with(resolution.began, "lookup begins"),
    )
}

fn warning(
    timeline: &Timeline,
    id: &'static str,
    confidence: Confidence,
    says: String,
    leg: Leg,
    phase: PhaseName,
) -> Option<Finding> {
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    Some(finding.on(leg, phase).by(Party::Nobody).severity(Severity::Warning))
}

/// The end of a session whose server was never reached.
fn never_opened(timeline: &Timeline) -> Option<&End> {
    let opened = timeline.server_leg().is_some_and(|leg| leg.opened.is_some());
    timeline.end.as_ref().filter(|_| !opened)
}

fn whom(timeline: &Timeline, leg: Leg) -> String {
    let server = timeline.leg(leg).and_then(|leg| leg.server);
    server.map_or_else(|| "the server".into(), |server| server.to_string())
}

/// Every attempt with its result as evidence.
fn dials(mut finding: Finding, timeline: &Timeline) -> Finding {
    for dial in timeline.server_leg().into_iter().flat_map(|leg| &leg.dials) {
        let result = match dial.result {
            None => "not answered".into(),
            Some((at, None)) => format!("answered after {}", length(at.since(dial.began.at))),
            Some((at, Some(how))) => format!("{} after {}", how.name(), length(at.since(dial.began.at))),
        };
        finding = finding.with(dial.began, format!("SYN to {}: {result}", dial.server));
    }
    finding
}

/// With what tells that a box on the way answered the SYN in the server's place: the port is open, the server need not
/// be there.
pub fn with_syn_proxy(finding: Finding, timeline: &Timeline) -> Finding {
    let signs = timeline.server_leg().into_iter().flat_map(|leg| &leg.signs);
    let found = signs.filter(|sign| matches!(sign.what, Sign::SynProxy { .. }));
    found.fold(finding, |finding, sign| {
        finding
            .with(sign.mark, "the SYN-ACK differs from the server's later segments: a box on the way answered the SYN")
    })
}
