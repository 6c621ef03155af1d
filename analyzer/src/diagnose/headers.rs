//! Rules of the PROXY protocol: a header before the request that the server does not read.

use std::time::Duration;

use super::stage::{self, Stage};
use super::{Confidence, Finding, Party};
use crate::event::Foreign;
use crate::observation::{Ending, Side};
use crate::timeline::facts::Mark;
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// A server that cannot read what it got closes at once.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

/// The cause, as the catalogue calls it.
pub(super) const ID: &str = "PRX-HEADER";

/// A header of the PROXY protocol stands before the request, and the server ends the connection, or answers with what is no
/// confirm.
pub fn refused(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let facts = &timeline.facts;
    let header = facts.headers.to_server()?;
    // Whoever answers in RDP has read the request behind it.
    if facts.confirm.is_some() || facts.failure.is_some() {
        return None;
    }
    let (what, mark) = answer(timeline, end).or_else(|| ended(timeline, end))?;
    let says =
        format!("a PROXY header stands before the {}, and the server {what}: it does not read one", first(timeline));
    let leg = stage::server_leg(timeline);
    let phase = if timeline.facts.gateway.is_some() { PhaseName::GatewayTls } else { PhaseName::Negotiation };
    let finding = Finding::at_end(timeline, ID, Confidence::Likely, says)?.on(leg, phase).by(Party::Server);
    let finding = finding.with(header.mark, format!("PROXY header, {}", header.what));
    let finding = match &facts.request {
        Some(request) => finding.with(request.mark, "connection request"),
        None => finding,
    };
    let finding = match mark {
        Some(mark) => finding.with(mark, "answer").or("TCP-NOTRDP", Confidence::Possible),
        None => finding.or("TCP-RST-AFTER", Confidence::Possible),
    };
    Some(finding.with_end(timeline))
}

/// What the client says first.
fn first(timeline: &Timeline) -> &'static str {
    match &timeline.facts.gateway {
        Some(_) => "ClientHello",
        None => "request",
    }
}

/// What comes back, which is neither a confirm nor anything else that a server says who has read the request.
fn answer(timeline: &Timeline, end: &End) -> Option<(&'static str, Option<Mark>)> {
    let facts = &timeline.facts;
    if facts.gateway.is_some() {
        return None;
    }
    let is_x224 = |layer: &str| matches!(layer, "tpkt" | "x224");
    let malformed = facts.malformed.iter().find(|seen| seen.what.0 == Side::Server && is_x224(seen.what.1));
    // A protocol that is known is what the port belongs to, whatever stands before the request.
    let foreign = facts.not_rdp.as_ref().filter(|seen| seen.what == (Side::Server, Foreign::Unknown));
    // A server of RDP takes its leave of it.
    let left = facts.ultimatum().map(|seen| seen.mark);
    let mark = malformed.map(|seen| seen.mark).or(foreign.map(|seen| seen.mark)).or(left)?;
    // What the server says behind the end is no answer that anybody had.
    (mark.at <= end.mark.at).then_some(("answers with what is no X.224 confirm", Some(mark)))
}

/// How the server ends the connection with nothing said.
fn ended(timeline: &Timeline, end: &End) -> Option<(&'static str, Option<Mark>)> {
    let is_unread = match &timeline.facts.gateway {
        Some(gateway) => gateway.first(|tls| tls.server_hello.as_ref()).is_none() && !gateway.is_read(),
        None if timeline.facts.not_rdp.is_some() => false,
        // A header alone may be a check of the balancer's, and whoever ends that after a while has a timer.
        None => match stage::stage(timeline).0 {
            Stage::Request => true,
            Stage::Opened => end.silence < AT_ONCE,
            Stage::Closed
            | Stage::Confirm
            | Stage::Plain
            | Stage::ClientHello
            | Stage::ServerHello
            | Stage::ServerFlight
            | Stage::Established => false,
        },
    };
    let how = if end.how == Ending::Reset { "resets the connection" } else { "closes the connection" };
    (is_unread && stage::by_server(end)).then_some((how, None))
}
