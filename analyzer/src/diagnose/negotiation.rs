//! Rules of the X.224 negotiation, \[MS-RDPBCGR\] 2.2.1.1 and 2.2.1.2.

use std::time::Duration;

use super::stage::{self, Stage, length};
use super::unsealed::coded;
use super::{Confidence, Finding, Party, Severity, headers, https, reach, tls};
use crate::count::counted;
use crate::event::{Foreign, McsPdu, Protocols};
use crate::observation::{Ending, Side, Sign};
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// A client that leaves earlier than this has not waited for an answer.
const WAITED: Duration = Duration::from_secs(2);
/// A server, or what stands for it, that hangs up later than this has not dropped the client: it had nothing to say.
const SILENT: Duration = Duration::from_secs(10);
/// Nor has it waited at all that leaves so soon.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Cookies of scanners: of Nmap's scripts rdp-enum-encryption and rdp-ntlm-info.
const SCANNERS: [&str; 1] = ["nmap"];
/// The layers of request and confirm.
const LAYERS: [&str; 2] = ["tpkt", "x224"];

pub fn not_rdp(timeline: &Timeline) -> Option<Finding> {
    let Sighting { what: (side, looks), mark } = timeline.facts.not_rdp.as_ref()?;
    if https::tls_at_relay(timeline).is_some() || !timeline.is_whole_before(*side, *mark) {
        return None;
    }
    // Who has agreed speaks RDP, whatever it says then.
    if *side == Side::Server && is_answered(timeline) {
        return None;
    }
    let is_web = matches!((side, looks), (Side::Server, Foreign::Http));
    let looks = looks.name();
    let says = format!("the {side} does not speak RDP but {looks}");
    // Of a client it says nothing about the server: a monitor, a scanner or a browser came by.
    let (id, by, severity) = match side {
        Side::Client => ("PRX-PROBE", Party::Client, Severity::Note),
        Side::Server => ("TCP-NOTRDP", Party::Server, Severity::Failure),
    };
    let finding = Finding::at_end(timeline, id, Confidence::Certain, says)?.severity(severity);
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(by);
    let finding = finding.with(*mark, format!("first bytes of the {side}: {looks}"));
    Some(if is_web { finding.with(*mark, https::HINT) } else { finding })
}

/// Whether nobody asked for RDP: the client left without a request, or spoke something else. Then nothing failed.
pub fn nothing_asked(timeline: &Timeline) -> bool {
    let foreign = timeline.facts.not_rdp.as_ref().is_some_and(|seen| seen.what.0 == Side::Client);
    // Whoever was refused has asked, also where that is not here.
    foreign || timeline.facts.failure.is_none() && probe(timeline).is_some()
}

/// RDP_NEG_FAILURE, \[MS-RDPBCGR\] 2.2.1.2.2.
pub fn failure(timeline: &Timeline) -> Option<Finding> {
    let Sighting { what: code, mark } = timeline.facts.failure.as_ref()?;
    let (id, name) = match code {
        1 => ("X224-SSLREQ", "SSL_REQUIRED_BY_SERVER"),
        2 => ("X224-SSLNO", "SSL_NOT_ALLOWED_BY_SERVER"),
        3 => ("X224-NOCERT", "SSL_CERT_NOT_ON_SERVER"),
        4 => ("X224-INCONS", "INCONSISTENT_FLAGS"),
        5 => ("X224-HYBRID", "HYBRID_REQUIRED_BY_SERVER"),
        6 => ("X224-INCONS", "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER"),
        _ => ("X224-INCONS", "a code that is not known here"),
    };
    let confidence = if (1..=6).contains(code) { Confidence::Certain } else { Confidence::Possible };
    let offered = timeline.facts.request.as_ref().and_then(|request| request.what.requested).unwrap_or_default();
    let is_offered = match code {
        1 => offered.intersects(Protocols::SSL),
        5 => offered.intersects(Protocols::CREDSSP),
        _ => false,
    };
    if is_offered {
        return refused_what_is_offered(timeline, *mark, name);
    }
    let says = format!("the server refuses the negotiation: {name} ({code})");
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Server);
    Some(with_request(finding, timeline).with(*mark, format!("RDP_NEG_FAILURE, failureCode {code} {name}")))
}

/// The server asks for what the request offers: between here and there it was changed, or the server contradicts itself.
fn refused_what_is_offered(timeline: &Timeline, mark: Mark, name: &str) -> Option<Finding> {
    let says = format!("the server refuses the negotiation with {name}, which the client offers");
    let finding = Finding::at_end(timeline, "X224-INCONS", Confidence::Likely, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Server);
    Some(with_request(finding, timeline).with(mark, format!("RDP_NEG_FAILURE, {name}")))
}

/// The server must select one of the protocols that were offered, \[MS-RDPBCGR\] 2.2.1.2.1.
pub fn downgraded(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let request = timeline.facts.request.as_ref()?;
    let confirm = timeline.facts.confirm.as_ref()?;
    let (offered, selected) = (request.what.requested.unwrap_or_default(), confirm.what.selected?);
    if offered.contains(selected) {
        return None;
    }
    let names = |protocols: Protocols| if protocols.0 == 0 { "RDP".into() } else { protocols.names().join(", ") };
    let says = format!("the client offers {}, the server selects {}", names(offered), names(selected));
    let finding = Finding::at_end(timeline, "X224-DOWNGR", Confidence::Certain, says)?;
    let finding = finding.on(confirm.mark.leg, PhaseName::Negotiation).by(Party::Server);
    Some(with_request(finding, timeline).with(confirm.mark, format!("confirm selects {}", names(selected))))
}

/// A port check: nothing was asked, so nothing failed.
pub fn probe(timeline: &Timeline) -> Option<Finding> {
    let owed = stage::client_owed(timeline);
    let end = stage::failed(timeline).filter(|end| stage::by_client(end) || owed.is_some())?;
    // A server that speaks first has something to say of the failure.
    if stage::stage(timeline).0 != Stage::Opened || timeline.facts.not_rdp.is_some() || unreadable(timeline).is_some() {
        return None;
    }
    let says = match owed {
        Some(_) => format!("the client connects and asks for nothing: {}", stage::end_in_words(end)),
        None => format!("the client connects and leaves after {} without a request", length(end.silence)),
    };
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Likely, says)?.by(Party::Client);
    Some(finding.severity(Severity::Note).with_end(timeline))
}

/// A SYN scan, or what is left of one: the server agrees again and again, and the client never says a word.
pub fn half_open(timeline: &Timeline) -> Option<Finding> {
    let is_cut = |end: &&End| end.how == Ending::Cut || end.how == Ending::TimedOut || stage::by_server(end);
    timeline.end.as_ref().filter(is_cut)?;
    let leg = timeline.server_leg().filter(|leg| leg.bytes == [0; 2])?;
    let again = |sign: &&Sighting<Sign>| matches!(sign.what, Sign::SynAckAgain { acknowledged: false, .. });
    let repeated = leg.signs.iter().filter(again).count();
    // Who asks again has not got the answer.
    let asks_again = leg.signs.iter().any(|sign| matches!(sign.what, Sign::SynAgain { .. }));
    if repeated == 0 || asks_again || stage::stage(timeline).0 != Stage::Opened {
        return None;
    }
    let says =
        format!("the client asks for a connection and leaves it half open: {repeated} more SYN-ACKs get no answer");
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Possible, says)?.severity(Severity::Note);
    let first = leg.signs.iter().find(again).map(|sign| sign.mark);
    let finding =
        first.into_iter().fold(finding.by(Party::Client), |finding, mark| finding.with(mark, "SYN-ACK again"));
    Some(finding.or("PATH-ASYM", Confidence::Possible))
}

/// A client that did not give the server the time to answer: nobody else failed.
pub fn hasty(timeline: &Timeline) -> Option<Finding> {
    let waited = length(stage::hasty(timeline)?);
    let (stage, mark) = stage::stage(timeline);
    let asked = match stage {
        Stage::Request => "its request",
        Stage::ClientHello => "its ClientHello",
        Stage::Closed | Stage::Opened => "it asked for a connection",
        Stage::Confirm | Stage::Plain | Stage::ServerHello | Stage::ServerFlight | Stage::Established => {
            "its last message"
        }
    };
    let says = format!("the client leaves {waited} after {asked}, before an answer could be complete");
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Possible, says)?.severity(Severity::Note);
    let is_asked = |_: &Mark| matches!(stage, Stage::Request | Stage::ClientHello);
    let mark = mark.filter(is_asked);
    let finding = mark.into_iter().fold(finding, |finding, mark| finding.with(mark, format!("the client: {asked}")));
    Some(finding.with_end(timeline))
}

/// The server, or what stands for it, hangs up before it has confirmed anything.
pub fn closed(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_server(end))?;
    let (stage, _) = stage::stage(timeline);
    let after = match stage {
        // Whatever hangs up on a client that does not speak RDP is right.
        _ if timeline.facts.not_rdp.is_some() => return None,
        _ if stage::client_owed(timeline).is_some() => return None,
        Stage::Opened => "the TCP handshake, before any request",
        Stage::Request => "the connection request",
        _ => return None,
    };
    let how = if end.how == Ending::Reset { "resets" } else { "closes" };
    if stage == Stage::Request && end.silence >= SILENT {
        let says = format!("the server takes the request, says nothing for {} and {how} it", length(end.silence));
        let finding = Finding::at_end(timeline, "X224-NOCC", Confidence::Likely, says)?;
        let finding = with_request(finding.on(end.mark.leg, PhaseName::Negotiation), timeline).with_end(timeline);
        return Some(finding.or("TCP-RST-AFTER", Confidence::Possible));
    }
    let says = format!("the server {how} the connection after {after}");
    let finding = Finding::at_end(timeline, "TCP-RST-AFTER", Confidence::Likely, says)?;
    let finding = with_request(finding, timeline).with_end(timeline);
    let finding = if stage == Stage::Request { finding.or("X224-TOKEN", Confidence::Possible) } else { finding };
    // One that waits for a PROXY header and gets something else closes at once.
    let wants_header = stage == Stage::Request && end.silence < headers::AT_ONCE;
    let finding = if wants_header { finding.or(headers::ID, Confidence::Possible) } else { finding };
    Some(if end.how == Ending::Reset { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

/// What the client asks with cannot be read: whatever the server makes of it, it is not the server's fault.
pub fn unreadable(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let (mark, trouble) = request_trouble(timeline)?;
    let refused = stage::goodbye(timeline);
    // Who leaves at once asked for nothing in earnest: a scanner.
    if is_answered(timeline) || stage::by_client(end) && end.silence < AT_ONCE && refused.is_none() {
        return None;
    }
    let then = match refused {
        Some(_) => "the server answers with a Disconnect Provider Ultimatum".to_owned(),
        None if stage::by_server(end) => format!("the {}", stage::end_in_words(end)),
        None => format!("the server says nothing for {}", length(end.silence)),
    };
    let says = format!("the client's connection request cannot be read ({trouble}): {then}");
    let finding = Finding::at_end(timeline, "X224-BADREQ", Confidence::Likely, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Client).with(mark, trouble);
    let finding = match refused {
        Some(mark) => finding.with(mark, ultimatum(timeline)).or("X224-REFUSED", Confidence::Possible),
        None => finding,
    };
    Some(finding.with_end(timeline))
}

/// What is wrong with the client's request. A hole in it is not the client's.
fn request_trouble(timeline: &Timeline) -> Option<(Mark, String)> {
    let facts = &timeline.facts;
    let has_holes = timeline.legs.iter().any(|leg| leg.missing[Side::Client as usize] > 0);
    // A server of RDP that takes its leave of the client's first words was not asked for another protocol on purpose.
    if let Some(Sighting { what: (Side::Client, Foreign::Unknown), mark }) =
        facts.not_rdp.as_ref().filter(|_| !has_holes)
    {
        let is_rdp = facts.ultimatum().is_some();
        return is_rdp.then(|| (*mark, "its first bytes are no X.224 Connection Request".to_owned()));
    }
    if has_holes || facts.not_rdp.is_some() {
        return None;
    }
    let malformed = facts.malformed.iter().find(|seen| seen.what.0 == Side::Client && LAYERS.contains(&seen.what.1));
    let malformed = malformed.map(|seen| (seen.mark, seen.what.2.clone()));
    let cut = facts.partial.iter().find(|seen| seen.what.0 == Side::Client);
    malformed.or_else(|| {
        cut.map(|Sighting { what: (_, _, have, need), mark }| (*mark, format!("{have} of its {need} bytes")))
    })
}

/// Whether the server answered the request with a confirm, of whatever kind.
fn is_answered(timeline: &Timeline) -> bool {
    timeline.facts.confirm.is_some() || timeline.facts.failure.is_some()
}

/// An RDP server answers the request, and takes its leave.
pub fn refused(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let refusal = timeline.facts.refusal.as_ref().filter(|seen| stage::in_time(timeline, seen.mark));
    let (mark, answer) = match (stage::goodbye(timeline), refusal) {
        (Some(mark), _) => (mark, ultimatum(timeline)),
        (None, Some(seen)) => (seen.mark, refusal_in_words(seen.what)),
        (None, None) => return None,
    };
    let request = timeline.facts.request.as_ref().filter(|_| !is_answered(timeline))?;
    let new = request.what.requested.unwrap_or_default().intersects(Protocols::RDSAAD);
    let why = if new { ", which offers a protocol that older servers do not know" } else { "" };
    // Servers of other protocols on ISO refuse with a TPDU, too.
    let (who, confidence) = match refusal {
        None => ("RDP server", Confidence::Certain),
        Some(_) => ("server", Confidence::Likely),
    };
    let says = format!("the {who} refuses the connection request itself{why}: {answer}");
    let finding = Finding::at_end(timeline, "X224-REFUSED", confidence, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Server);
    let finding = with_request(finding, timeline).with(mark, answer).with_end(timeline);
    let finding = finding.or("X224-BADREQ", Confidence::Possible);
    Some(if refusal.is_some() { finding.or("TCP-NOTRDP", Confidence::Possible) } else { finding })
}

/// X.224, 13.5 and 13.12: which TPDU it is.
fn refusal_in_words((code, reason): (u8, u8)) -> String {
    match code {
        0x80 => format!("X.224 Disconnect Request, reason {reason}"),
        _ => format!("X.224 Error, cause {reason}"),
    }
}

/// The server's Disconnect Provider Ultimatum that is not sealed, with its reason.
pub fn ultimatum(timeline: &Timeline) -> String {
    let reason = timeline.facts.ultimatum().and_then(|seen| match seen.what.1 {
        McsPdu::DisconnectProviderUltimatum { reason } => coded(&["mcs-reason"], reason.into()),
        _ => None,
    });
    let reason = reason.map(|code| format!(" ({})", code.name)).unwrap_or_default();
    format!("MCS Disconnect Provider Ultimatum{reason} in clear")
}

/// What came back is no confirm, or not all of one.
pub fn no_confirm(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let facts = &timeline.facts;
    let has_holes = timeline.legs.iter().any(|leg| leg.missing[Side::Server as usize] > 0);
    if is_answered(timeline) || has_holes || facts.refusal.is_some() {
        return None;
    }
    let malformed = facts.malformed.iter().find(|seen| seen.what.0 == Side::Server && LAYERS.contains(&seen.what.1));
    let cut = tls::cut(timeline);
    // What is not complete is told at the end; it was said before.
    let said = timeline.server_leg().and_then(|leg| leg.spoke[Side::Server as usize]);
    let (mark, id, says, other) = match malformed.filter(|seen| stage::in_time(timeline, seen.mark)) {
        Some(seen) => {
            let len = cut.map(|cut| format!(" ({} of {} bytes)", cut.what.2, cut.what.3)).unwrap_or_default();
            let says = format!("the server's answer to the request{len} is no X.224 confirm: {}", seen.what.2);
            (said.filter(|_| cut.is_some()).unwrap_or(seen.mark), "TCP-NOTRDP", says, "X224-DOWNGR")
        }
        None => {
            let end = stage::end_in_words(end);
            let (mark, len) = match (cut, said) {
                (Some(cut), _) => (said.unwrap_or(cut.mark), format!("{} of {} bytes", cut.what.2, cut.what.3)),
                // The connection stands: nobody knows yet how much was to come.
                (None, Some(said)) if has_answered(timeline) && stage::stage(timeline).0 == Stage::Request => {
                    let bytes = timeline.server_leg().map_or(0, |leg| leg.bytes[Side::Server as usize]);
                    (said, counted(bytes, "byte"))
                }
                (None, _) => return None,
            };
            let says = format!("the server's answer to the request breaks off after {len}: {end}");
            (mark, "X224-HALF", says, "TCP-NOTRDP")
        }
    };
    let finding = Finding::at_end(timeline, id, Confidence::Likely, says)?;
    let finding = finding.on(mark.leg, PhaseName::Negotiation).by(Party::Server);
    let finding = with_request(finding, timeline).with(mark, "answer");
    let finding = if id == "X224-HALF" { finding.with_end(timeline) } else { finding };
    let finding = finding.or(other, Confidence::Possible);
    let is_cut = id == "X224-HALF" && end.how == Ending::Reset && stage::by_server(end);
    Some(if is_cut { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

/// Whether the server said anything at all. What a gateway says around the tunnel is none of it.
fn has_answered(timeline: &Timeline) -> bool {
    timeline.facts.gateway.is_none() && timeline.server_leg().is_some_and(|leg| leg.bytes[Side::Server as usize] > 0)
}

/// The request was sent and nothing came back.
pub fn unanswered(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_client(end) || stage::by_timeout(end))?;
    let (stage, mark) = stage::stage(timeline);
    let mark = mark.filter(|_| stage == Stage::Request)?;
    // What was answered was answered, however little that is.
    if has_answered(timeline) {
        return None;
    }
    let waited = end.mark.at.since(mark.at);
    let leg = stage::server_leg(timeline);
    let confidence = if waited >= WAITED { Confidence::Likely } else { Confidence::Possible };
    let says = format!("the server does not answer the request: {} after {}", stage::gives_up(end), length(waited));
    let finding = Finding::at_end(timeline, "X224-NOCC", confidence, says)?;
    let finding = with_request(finding.on(leg, PhaseName::Negotiation).by(Party::Server), timeline);
    let finding = reach::with_syn_proxy(finding, timeline).with_end(timeline);
    // A server may wait for the rest of what it takes for a longer message.
    let has_header = timeline.facts.headers.to_server().is_some();
    let finding = if has_header { finding.or(headers::ID, Confidence::Possible) } else { finding };
    Some(finding.or("PATH-ASYM", Confidence::Possible))
}

/// The client does not go on with what was selected: it wants NLA or TLS.
pub fn client_left(timeline: &Timeline) -> Option<Finding> {
    let owed = stage::client_owed(timeline);
    stage::failed(timeline).filter(|end| stage::by_client(end) || owed.is_some())?;
    let confirm = timeline.facts.confirm.as_ref()?;
    let (stage, _) = stage::stage(timeline);
    let spoke = timeline.facts.mcs.iter().any(|seen| seen.what.0 == Side::Client);
    if !matches!(stage, Stage::Confirm | Stage::Plain) || spoke {
        return None;
    }
    let offered = timeline.facts.request.as_ref()?.what.requested.unwrap_or_default();
    let selected = confirm.what.selected.unwrap_or_default();
    // A server that gives TLS up before it began leaves the client nothing to go on with.
    if stage::goodbye(timeline).is_some() && selected.0 != 0 {
        return None;
    }
    let wants_nla = offered.intersects(Protocols::CREDSSP) && !selected.intersects(Protocols::CREDSSP);
    let (id, confidence, wants) = if selected.0 == 0 && offered.0 != 0 {
        (
            "X224-SSLNO",
            Confidence::Likely,
            "the server selects standard RDP security and the client, which offered more,",
        )
    } else if wants_nla && !is_machine(timeline, confirm.mark) {
        ("X224-NLAONLY", Confidence::Possible, "the server selects less than NLA and the client")
    } else {
        ("PRX-PROBE", Confidence::Possible, "the server confirms and the client")
    };
    let says = match owed {
        Some(end) => format!("{wants} does not go on: {}", stage::end_in_words(end)),
        None => format!("{wants} leaves without going on"),
    };
    let severity = if id == "PRX-PROBE" { Severity::Note } else { Severity::Failure };
    let finding = with_request(Finding::at_end(timeline, id, confidence, says)?, timeline).severity(severity);
    let finding = finding.by(Party::Client).with(confirm.mark, "confirm").with_end(timeline);
    let finding = match id {
        "X224-NLAONLY" => finding.or("PRX-PROBE", Confidence::Possible),
        _ if wants_nla && !is_machine(timeline, confirm.mark) => finding.or("X224-NLAONLY", Confidence::Possible),
        _ => finding,
    };
    Some(if id == "X224-SSLNO" { finding.or("TLS-NOKEY", Confidence::Possible) } else { finding })
}

/// Whether a machine came to look: nobody who wants to work resets a connection at once behind its confirm, or calls himself as
/// scanners do.
fn is_machine(timeline: &Timeline, confirm: Mark) -> bool {
    let cookie = timeline.facts.request.as_ref().and_then(|request| request.what.cookie.as_deref());
    if cookie.is_some_and(|cookie| SCANNERS.contains(&cookie)) {
        return true;
    }
    timeline.end.is_some_and(|end| end.how == Ending::Reset && end.mark.at.since(confirm.at) < WAITED)
}

/// A server that wants TLS may confirm a request without RDP_NEG_REQ and refuse the first MCS PDU.
pub fn legacy_refused(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let legacy = timeline.facts.request.as_ref()?.what.requested.unwrap_or_default().0 == 0;
    let asked = timeline.facts.mcs.iter().any(|seen| seen.what == (Side::Client, McsPdu::ConnectInitial));
    let answered = timeline.facts.mcs.iter().any(|seen| matches!(seen.what, (_, McsPdu::ConnectResponse { .. })));
    let refused = timeline
        .facts
        .mcs
        .iter()
        .find(|seen| matches!(seen.what, (Side::Server, McsPdu::DisconnectProviderUltimatum { .. })))?;
    if !legacy || !asked || answered {
        return None;
    }
    let says = "the server refuses a client without TLS at its first MCS PDU".to_owned();
    let finding = Finding::at_end(timeline, "X224-SSLREQ", Confidence::Likely, says)?;
    let finding = finding.on(refused.mark.leg, PhaseName::BasicSettings).by(Party::Server);
    Some(
        with_request(finding, timeline)
            .with(refused.mark, "Disconnect Provider Ultimatum")
            .or("MCS-REJECT", Confidence::Possible),
    )
}

fn with_request(finding: Finding, timeline: &Timeline) -> Finding {
    let Some(Sighting { what: request, mark }) = &timeline.facts.request else { return finding };
    let offered = match request.requested {
        None => "no RDP_NEG_REQ".into(),
        Some(Protocols(0)) => "RDP".into(),
        Some(protocols) => protocols.names().join(", "),
    };
    finding.with(*mark, format!("connection request offers {offered}"))
}
