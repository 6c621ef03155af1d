//! HTTPS where RDP is looked for, and the other way round: an RD Gateway takes TLS from the first byte on, and no X.224 request.

use super::stage::{self, Stage};
use super::{Confidence, Finding, Party, Severity};
use crate::event::Foreign;
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::phase::PhaseName;

/// The port of HTTPS, and so of RD Gateways.
const PORT: u16 = 443;

/// What helps.
pub const HINT: &str = "for an RD Gateway there is --gateway, and for captures --gateway-port";

/// A server that is asked for RDP, and is none: it answers as HTTPS does, or listens on its port and hangs up.
pub fn asked_for_rdp(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let request = timeline.facts.request.as_ref().filter(|_| timeline.facts.gateway.is_none())?;
    let at_port = is_at_port(timeline);
    let (how, confidence, mark) = match answer(timeline) {
        Some((Foreign::TlsFirst, mark)) => ("answers the X.224 request with TLS", Confidence::Certain, Some(mark)),
        Some((Foreign::Http, mark)) if at_port => {
            ("answers the X.224 request with HTTP", Confidence::Certain, Some(mark))
        }
        Some(_) => return None,
        None if !at_port || stage::stage(timeline).0 != Stage::Request => return None,
        // Whatever was said is another rule's.
        None if timeline.server_leg()?.bytes[Side::Server as usize] > 0 => return None,
        None if stage::by_server(end) => ("hangs up on the X.224 request", Confidence::Likely, None),
        None if stage::hasty(timeline).is_none() => ("does not answer the X.224 request", Confidence::Possible, None),
        None => return None,
    };
    let what = match mark {
        Some(_) => "it is there for HTTPS, or is an RD Gateway",
        None => "port 443 is that of HTTPS and of RD Gateways, which take no such request",
    };
    let says = format!("the server {how}: {what}; {HINT}");
    let finding = Finding::at_end(timeline, "TCP-NOTRDP", confidence, says)?;
    let finding = finding.on(stage::server_leg(timeline), PhaseName::Negotiation).by(Party::Server);
    let finding = finding.with(request.mark, "X.224 connection request, in clear");
    let finding = mark.into_iter().fold(finding, |finding, mark| finding.with(mark, "first bytes of the server"));
    let finding = finding.with_end(timeline);
    Some(match confidence {
        Confidence::Certain => finding,
        Confidence::Likely => finding.or("TCP-RST-AFTER", Confidence::Possible),
        Confidence::Possible => finding.or("X224-NOCC", Confidence::Possible),
    })
}

/// A client that speaks TLS first to a relay that expects RDP.
pub fn tls_at_relay(timeline: &Timeline) -> Option<Finding> {
    let Sighting { what: (Side::Client, Foreign::TlsFirst), mark } = timeline.facts.not_rdp.as_ref()? else {
        return None;
    };
    if !timeline.is_relayed() {
        return None;
    }
    let says =
        "the client speaks TLS first: that is for an RD Gateway, or for HTTPS; for a gateway start with --gateway";
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Certain, says.into())?.severity(Severity::Note);
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Client);
    Some(finding.with(*mark, "first bytes of the client: TLS without X.224"))
}

/// What the server says instead of a confirm.
fn answer(timeline: &Timeline) -> Option<(Foreign, Mark)> {
    let seen = timeline.facts.not_rdp.as_ref().filter(|seen| seen.what.0 == Side::Server)?;
    Some((seen.what.1, seen.mark))
}

/// Whether it is the port of HTTPS, by its address or by what the user named.
fn is_at_port(timeline: &Timeline) -> bool {
    let address = timeline.server_leg().and_then(|leg| leg.server).map(|server| server.port());
    let named = timeline.target.as_ref().map(|(_, port)| *port);
    [address, named].contains(&Some(PORT))
}

/// A server that answers a ClientHello without a request before it: what a probe asks where there is no confirm.
pub fn speaks_tls_first(timeline: &Timeline) -> Option<Finding> {
    let hello = timeline.facts.first(|tls| tls.server_hello.as_ref()).map(|seen| seen.mark);
    let mark = hello.or(timeline.facts.fatal_alert().map(|alert| alert.mark))?;
    let says = format!("the server speaks TLS first, as HTTPS and RD Gateways do, and takes no X.224 request; {HINT}");
    let finding = Finding::at_end(timeline, "TCP-NOTRDP", Confidence::Certain, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Server);
    Some(finding.with(mark, "answer to a ClientHello before which nothing was asked"))
}
