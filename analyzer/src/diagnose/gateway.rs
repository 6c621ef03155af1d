//! Rules of the way through an RD Gateway: up to the channel to the target, and of the tunnel's own end.
//!
//! TLS with the gateway is judged by the rules of any TLS handshake. What stands in it, HTTP and \[MS-TSGU\], says in codes why
//! it refuses; where it cannot be read, how far the two got is told from turns alone, and no more is claimed.

use super::stage::{self, length};
use super::{Confidence, Finding, Party, path, proxied, tls};
use crate::codes::{Code, Table};
use crate::count::counted;
use crate::event::{AuthMessage, HttpAuth, HttpResponse, NtlmKind, Transport, TunnelMessage};
use crate::observation::{Ending, Leg, Means, Side};
use crate::timeline::facts::{Mark, Record, Sighting};
use crate::timeline::gateway::{Exchange, GRACEFUL, Gateway, Sealed};
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// Causes of a certificate: of a gateway's all are one, since its clients let nobody click past it.
const OF_CERTIFICATES: &[&str] =
    &["TLS-EXPIRED", "TLS-NOTYET", "TLS-NAME", "TLS-UNTRUST", "TLS-WEAK", "TLS-CRL", "TLS-INSPECT", "TLS-BADCERT"];
/// Rules of a TLS handshake that did not come about, as they stand in the one list.
const OF_TLS: &[fn(&Timeline) -> Option<Finding>] = &[
    tls::unreadable,
    tls::server_alert,
    tls::client_alert,
    tls::not_tls,
    tls::closed_after_hello,
    tls::unanswered_hello,
    tls::half,
    tls::unfinished,
    tls::client_left,
];
/// A gateway answers sooner than this.
const ANSWERED: std::time::Duration = std::time::Duration::from_millis(300);
/// A gateway that waits so long before it says that the target cannot be reached had no answer from it.
const DROPPED: std::time::Duration = std::time::Duration::from_secs(5);
/// A running tunnel that was quiet for so long ends by a timer: another rule's.
const QUIET: std::time::Duration = std::time::Duration::from_secs(3);
/// Low 16 bits of E_PROXY_CAPABILITYMISMATCH, \[MS-TSGU\] 2.2.6: one of the two is too old, or what stands between changes it.
const CAPABILITY_MISMATCH: u32 = 0x59e9;
/// Those of E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD.
const UNSUPPORTED_METHOD: u32 = 0x59f9;

/// TCP to the gateway did not come about.
pub fn unreachable(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|end| end.how != Ending::Cut)?;
    let is_open = timeline.server_leg().is_some_and(|leg| leg.opened.is_some());
    if is_open || stage::hasty(timeline).is_some() {
        return None;
    }
    let (other, confidence) = match end.how {
        Ending::Unresolved => ("DNS-NX", Confidence::Certain),
        Ending::Refused => ("TCP-REFUSED", Confidence::Certain),
        Ending::Unreachable => ("TCP-ICMP", Confidence::Certain),
        Ending::Fin | Ending::Reset if end.phase == PhaseName::NameResolution => ("DNS-SLOW", Confidence::Likely),
        Ending::Fin | Ending::Reset | Ending::TimedOut => ("TCP-DROP", Confidence::Likely),
        Ending::Cut => return None,
    };
    let name = timeline.target.as_ref().map_or(String::new(), |(name, port)| format!(" {name}:{port}"));
    let says = format!("the gateway{name} cannot be reached: {}", stage::end_in_words(end));
    let finding = Finding::at_end(timeline, "RDG-REACH", confidence, says)?.with_end(timeline);
    let finding = if end.how == Ending::Refused { finding.by(Party::Server) } else { finding.by(Party::Nobody) };
    Some(finding.on(stage::server_leg(timeline), end.phase).or(other, confidence))
}

/// A web proxy on the way to the gateway refuses.
pub fn web_proxy(timeline: &Timeline) -> Option<Finding> {
    let end = before_channel(timeline)?;
    let refused = |exchange: &&Exchange| {
        let is_proxy = exchange.request.what.transport == Transport::Connect;
        let status = exchange.response.as_ref().map_or(0, |response| response.what.status);
        status == 407 || is_proxy && status / 100 != 2 && status != 0
    };
    let exchange = gateway(timeline)?.exchanges.iter().rev().find(refused)?;
    let response = exchange.response.as_ref()?;
    let asked = &exchange.request.what;
    let says = format!("a web proxy answers {} with {}", asked.method, status(&response.what));
    let finding = Finding::at_end(timeline, "RDG-PROXYAUTH", Confidence::Certain, says)?;
    let finding = finding.on(stage::server_leg(timeline), end.phase).by(Party::Middlebox);
    let mut finding = with_exchange(finding, exchange).with_end(timeline);
    // It lets the client through, and gets no further itself (RFC 9110 15.6.3, 15.6.5).
    if matches!(response.what.status, 502..=504) {
        finding.may_be("RDG-REACH");
        (finding.confidence, finding.alternatives[0].1) = (Confidence::Likely, Confidence::Possible);
    }
    Some(finding)
}

/// TLS with the gateway did not come about: judged as any handshake, the certificate apart.
pub fn handshake(timeline: &Timeline) -> Option<Finding> {
    before_channel(timeline)?;
    let gateway = gateway(timeline)?;
    let asks = timeline.last_phase() > PhaseName::GatewayTls && !says_nothing(gateway);
    if gateway.is_read() || asks {
        return None;
    }
    let mut view = timeline.outer();
    view.end = view.end.map(|end| departure(gateway, &view, end).unwrap_or(end));
    let finding = silent(gateway, &view).or_else(|| OF_TLS.iter().find_map(|check| check(&view)))?;
    let is_told = view.facts.fatal_alert().is_some();
    Some(of_gateway(finding, is_told))
}

/// A finding of any TLS handshake as one of the gateway's, told by an alert or not.
fn of_gateway(mut finding: Finding, is_told: bool) -> Finding {
    finding.phase = PhaseName::GatewayTls;
    let (before, confidence) = (finding.cause.id, finding.confidence);
    if OF_CERTIFICATES.contains(&before) {
        finding.may_be("RDG-CERT");
        finding.confidence = confidence;
        finding.alternatives.retain(|(cause, _)| cause.id == before || !OF_CERTIFICATES.contains(&cause.id));
    }
    // A gateway stands behind other boxes more often than not: who hangs up without a word may be one of those.
    if before == "TLS-NOKEY" && !is_told {
        finding.may_be("RDG-TRANSPORT");
        finding.alternatives[0].1 = Confidence::Possible;
    }
    finding
}

/// Whether the client, once TLS stood, sent nothing but what takes leave of it. In TLS 1.3 its Finished looks like data.
fn says_nothing(gateway: &Gateway) -> bool {
    const APPLICATION_DATA: u8 = 23;
    let is_13 = gateway.first(|tls| tls.server_hello.as_ref()).is_some_and(|hello| hello.what.version == 0x0304);
    let records = gateway.tls().first().map_or(&[][..], |tls| &tls.first_records);
    let said = records.iter().filter(|one| one.from == Side::Client && one.kind == APPLICATION_DATA && !one.is_alert());
    said.count() <= usize::from(is_13)
}

/// The client's own end, where it took its leave in TLS before this one: a gateway that closes behind that only answers it.
fn departure(gateway: &Gateway, view: &Timeline, end: End) -> Option<End> {
    let records = gateway.tls().first().map_or(&[][..], |tls| &tls.first_records);
    let last = records.iter().rfind(|one| one.from == Side::Client && one.at <= end.mark.at);
    let has_left = end.how == Ending::Fin && says_nothing(gateway) && last.is_some_and(Record::is_alert);
    let closes = view.client_leg().filter(|_| has_left)?.closes.iter();
    let own = closes.into_iter().find(|close| close.what == (Some(Side::Client), Ending::Fin))?;
    Some(End { from: Some(Side::Client), mark: own.mark, ..end })
}

/// It accepts TCP, or TLS, and hangs up before it is asked for anything.
fn silent(gateway: &Gateway, view: &Timeline) -> Option<Finding> {
    let end = stage::failed(view).filter(|end| stage::by_server(end))?;
    let stands = match (gateway.first(|tls| tls.hello.as_ref()), gateway.first(|tls| tls.established.as_ref())) {
        (None, _) => "the connection, and before a ClientHello",
        (Some(_), Some(_)) => "TLS, and before it is asked for anything",
        (Some(_), None) => return None,
    };
    let says = format!("the gateway accepts {stands} {}", stage::end_in_words(end));
    let finding = Finding::at_end(view, "RDG-TRANSPORT", Confidence::Possible, says)?.with_end(view);
    Some(finding.or("TCP-RST-AFTER", Confidence::Possible).or("RDG-503", Confidence::Possible))
}

/// The gateway does not take what the client authenticates with.
pub fn unauthorized(timeline: &Timeline) -> Option<Finding> {
    let end = before_channel(timeline)?;
    let last = last_answer(timeline)?;
    let response = last.response.as_ref().filter(|response| response.what.status == 401)?;
    // It never answered what the client said to that, or did not wait for it: that is no refusal.
    let gateway = gateway(timeline)?;
    let has_gone_on = gateway.tunnels().last().is_some_and(|one| one.response.is_none());
    let is_challenge = response.what.offers.iter().any(is_challenge_of);
    if has_gone_on || is_challenge && stage::by_server(end) && !proxied::is_broken(gateway, last) {
        return None;
    }
    let rounds = gateway.tunnels().filter(|one| answered_with(one, 401)).count();
    let (why, confidence) = refusal(last, &response.what);
    let more = if rounds == 1 { "" } else { "s" };
    let says = format!("{why} ({rounds} answer{more} of 401)");
    let finding = Finding::at_end(timeline, "RDG-401", confidence, says)?;
    let finding = with_exchange(finding.on(stage::server_leg(timeline), PhaseName::GatewayAuth), last);
    let finding = with_reason(finding, response).with_end(timeline);
    // Who leaves at a demand to authenticate refuses by himself.
    let leaves = confidence == Confidence::Possible && stage::by_client(end);
    let finding = finding.by(if leaves { Party::Client } else { Party::Server });
    Some(with_our_part(proxied::weighed(finding, gateway, last), timeline, &response.what))
}

/// What a 401 says, by what the client had sent: proof that was not taken is more than a demand for it.
fn refusal(exchange: &Exchange, response: &HttpResponse) -> (String, Confidence) {
    let sent = exchange.request.what.authorization.as_ref();
    let offers: Vec<&str> = response.offers.iter().map(|offer| offer.scheme.as_str()).collect();
    let is_challenge = response.offers.iter().any(is_challenge_of);
    match sent {
        Some(sent) if is_proof(sent) => {
            (format!("the gateway does not take the client's {} credentials", sent.scheme), Confidence::Certain)
        }
        Some(_) if is_challenge => ("the client does not answer the gateway's challenge".into(), Confidence::Possible),
        _ if offers.is_empty() => ("the gateway answers 401 and offers no scheme".into(), Confidence::Likely),
        _ if !offers.iter().any(|offer| is_taken(offer)) => (
            format!("the gateway offers {}, which no client of Remote Desktop takes", offers.join(", ")),
            Confidence::Likely,
        ),
        Some(sent) if !offers.iter().any(|offer| offer.eq_ignore_ascii_case(&sent.scheme)) => (
            format!("the client comes with {}, the gateway offers {}", sent.scheme, offers.join(", ")),
            Confidence::Likely,
        ),
        _ => (format!("the gateway offers {}, and the client leaves", offers.join(", ")), Confidence::Possible),
    }
}

/// Whether it is a step of an authentication that clients of Remote Desktop take, and not an offer alone.
fn is_challenge_of(offer: &HttpAuth) -> bool {
    offer.has_token && is_taken(&offer.scheme)
}

/// Whether clients of Remote Desktop authenticate by this scheme (RFC 4559).
fn is_taken(scheme: &str) -> bool {
    ["ntlm", "negotiate", "kerberos"].contains(&scheme.to_ascii_lowercase().as_str())
}

/// Whether it proves who the client is: the last NTLM message, a Kerberos ticket, a password, a token.
fn is_proof(auth: &HttpAuth) -> bool {
    let message = auth.token.as_ref().and_then(|token| token.message.as_ref());
    match message {
        Some(AuthMessage::Ntlm(ntlm)) => ntlm.kind == NtlmKind::Authenticate,
        Some(AuthMessage::Kerberos(_)) => true,
        Some(AuthMessage::NegoEx) => false,
        None => {
            auth.has_token && ["basic", "bearer", "digest", "paa"].contains(&auth.scheme.to_ascii_lowercase().as_str())
        }
    }
}

/// A certificate of another key breaks what binds the authentication to TLS (RFC 5929): then the refusal may be ours.
fn with_our_part(finding: Finding, timeline: &Timeline, response: &HttpResponse) -> Finding {
    let is_ours = timeline.facts.means() == Some(Means::Authority) && timeline.facts.is_intercepted();
    let binds = response
        .offers
        .iter()
        .any(|offer| ["ntlm", "negotiate", "kerberos"].contains(&offer.scheme.to_ascii_lowercase().as_str()));
    let step = timeline.facts.interception.iter().find(|_| is_ours && binds);
    match step {
        Some(step) => {
            let says = "rdpscope shows the client another certificate than the gateway's: channel binding fails by that, \
                        and the refusal may be its own doing; repeat it without --intercept ca";
            let mut finding = finding.with(step.mark, says).or("NLA-CBT", Confidence::Possible);
            finding.confidence = Confidence::Possible;
            finding
        }
        None => finding,
    }
}

/// The gateway, or what stands in front of it, answers with an error of HTTP.
pub fn http_refused(timeline: &Timeline) -> Option<Finding> {
    let end = before_channel(timeline)?;
    let last = last_answer(timeline)?;
    let response = last.response.as_ref()?;
    let asked = &last.request.what;
    let found = &response.what;
    let (id, confidence) = match found.status {
        101 | 401 | 407 => return None,
        500 | 502..=504 => ("RDG-503", Confidence::Likely),
        403 => ("RDG-TRANSPORT", Confidence::Possible),
        300..=399 => ("RDG-TRANSPORT", Confidence::Likely),
        status if status / 100 != 2 => ("RDG-TRANSPORT", Confidence::Likely),
        // It asked for a WebSocket and is given a channel: fine, if it goes on.
        _ if asked.upgrade && !found.upgrade && gateway(timeline)?.messages.is_empty() => {
            ("RDG-TRANSPORT", Confidence::Likely)
        }
        _ => return None,
    };
    let stripped =
        if asked.upgrade && found.status / 100 == 2 { ", without the WebSocket that was asked for" } else { "" };
    let says = format!("{} for {} is answered with {}{stripped}", asked.method, asked.path, status(found));
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    let finding = finding.on(stage::server_leg(timeline), end.phase.max(PhaseName::GatewayHttp)).by(Party::Server);
    let finding = with_exchange(finding, last);
    let finding = with_box(finding, response).with_end(timeline);
    Some(match (id, found.status) {
        (_, 403) => finding.or("RDG-CAP", Confidence::Possible).or("RDG-401", Confidence::Possible),
        ("RDG-503", _) => finding.or("RDG-TRANSPORT", Confidence::Possible),
        _ => finding.or("RDG-503", Confidence::Possible),
    })
}

/// A step of the tunnel is refused, by its code.
pub fn tunnel_refused(timeline: &Timeline) -> Option<Finding> {
    before_channel(timeline)?;
    let gateway = gateway(timeline)?;
    let (refused, phase, code) = gateway.messages.iter().rev().find_map(|seen| {
        let (phase, code) = refusing(&seen.what.1, timeline.last_phase())?;
        (seen.what.0 == Side::Server).then_some((seen, phase, code))
    })?;
    let known = coded(code);
    let id = of_code(code, phase, gateway);
    let name = named(code, known);
    let what = match (phase, gateway.target()) {
        (PhaseName::GatewayChannel, Some((name, port))) => format!("the channel to {name}:{port}"),
        (PhaseName::GatewayChannel, None) => "the channel".into(),
        (PhaseName::GatewayAuthorization, _) => "to authorize the tunnel".into(),
        _ => "the tunnel".into(),
    };
    let says = format!("the gateway refuses {what}: {name}");
    // Of a code that stands for no cause no more is known than what it refuses.
    let is_told = known.is_some_and(|known| !known.causes.is_empty());
    let confidence = if is_told { Confidence::Certain } else { Confidence::Possible };
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    let finding = finding.on(stage::server_leg(timeline), phase).by(Party::Server);
    let finding = finding.with(refused.mark, format!("{} with {name}", refused.what.1.name()));
    Some(with_delay(finding, gateway, id, refused.mark).with_end(timeline))
}

/// What a code in this phase means: by the table, but for those that mean more than one thing.
fn of_code(code: u32, phase: PhaseName, gateway: &Gateway) -> &'static str {
    let known = coded(code).and_then(|known| known.causes.first().copied());
    match (code & 0xffff, known) {
        (CAPABILITY_MISMATCH, _) => "RDG-TRANSPORT",
        (UNSUPPORTED_METHOD, _) if shows_token(gateway) => "RDG-COOKIE",
        (_, Some("RDG-RAP")) if phase < PhaseName::GatewayChannel => "RDG-CAP",
        (_, known) => known.unwrap_or(of_phase(phase)),
    }
}

/// Whether the client comes with a token of its own, or says that it will (HTTP_EXTENDED_AUTH_PAA).
fn shows_token(gateway: &Gateway) -> bool {
    let shown = gateway.message(|message| match message {
        TunnelMessage::TunnelCreate { has_cookie: true, .. } => Some(()),
        TunnelMessage::HandshakeRequest { extended_auth, .. } if extended_auth & 2 != 0 => Some(()),
        _ => None,
    });
    shown.is_some()
}

/// A target that refuses and one that does not answer differ in how long the gateway takes to say so.
fn with_delay(finding: Finding, gateway: &Gateway, id: &str, answered: Mark) -> Finding {
    let asked = gateway.message(|message| matches!(message, TunnelMessage::ChannelCreate { .. }).then_some(()));
    let Some(asked) = asked.filter(|_| id == "RDG-TARGET") else { return finding };
    let took = answered.at.since(asked.mark.at);
    let means = if took >= DROPPED {
        "nobody answered it there"
    } else {
        "it was refused there, or its name is not known there"
    };
    finding.with(asked.mark, format!("channel create, answered after {}: {means}", length(took)))
}

/// What refuses: in which phase, with which HRESULT. A close refuses whatever was about to come.
fn refusing(message: &TunnelMessage, last: PhaseName) -> Option<(PhaseName, u32)> {
    let (phase, code) = match message {
        TunnelMessage::HandshakeResponse { error, .. } | TunnelMessage::ExtendedAuth { error, .. } => {
            (PhaseName::GatewayTunnel, *error)
        }
        TunnelMessage::TunnelResponse { status, .. } => (PhaseName::GatewayTunnel, *status),
        TunnelMessage::TunnelAuthorizeResponse { error, .. } => (PhaseName::GatewayAuthorization, *error),
        TunnelMessage::ChannelResponse { error, .. } => (PhaseName::GatewayChannel, *error),
        TunnelMessage::Close { status } => (last, Some(*status).filter(|code| *code != GRACEFUL)?),
        TunnelMessage::HandshakeRequest { .. }
        | TunnelMessage::TunnelCreate { .. }
        | TunnelMessage::TunnelAuthorize { .. }
        | TunnelMessage::ChannelCreate { .. }
        | TunnelMessage::ServiceMessage { .. }
        | TunnelMessage::Reauthenticate
        | TunnelMessage::KeepAlive
        | TunnelMessage::CloseResponse { .. }
        | TunnelMessage::Unknown { .. } => return None,
    };
    (code != 0).then_some((phase, code))
}

/// The way through the gateway ends, and nobody says why: a box on the way, or the gateway itself. What was asked last tells
/// what else it can be.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let end = before_channel(timeline)?;
    let gateway = gateway(timeline).filter(|gateway| gateway.is_read() && !is_reauthentication(gateway))?;
    let phase = timeline.last_phase();
    let (from, word, mark) = last_word(gateway)?;
    let (waited, owes) = (end.mark.at.since(mark.at), from == Side::Client || timeline.facts.request.is_some());
    let waits = stage::by_client(end) || stage::by_timeout(end);
    if waits && waited < DROPPED && !owes {
        return None;
    }
    // A client that gives up may say so before it closes: what counts is how long it had no answer.
    let says = match (waits, owes) {
        (true, true) => {
            let gives_up = if end.stopped.is_some() { stage::gives_up(end) } else { "it gives up" };
            format!("the gateway does not answer the client's {word}: {gives_up} after {}", length(waited))
        }
        _ => format!("in {phase}, behind the {}'s {word}: {}", party(from), stage::end_in_words(end)),
    };
    let finding = Finding::at_end(timeline, "RDG-TRANSPORT", Confidence::Possible, says)?;
    let finding = finding.on(stage::server_leg(timeline), phase).with(mark, format!("{word} of the {}", party(from)));
    // Who owes an answer longer than any round trip is waited for.
    let is_awaited = waited >= if owes { ANSWERED } else { DROPPED };
    let finding = if waits && is_awaited { finding.by(Party::Server) } else { finding };
    let finding = if gateway.messages.is_empty() { with_halves(finding, timeline, gateway) } else { finding };
    let finding = finding.with_end(timeline).or("RDG-503", Confidence::Possible);
    Some(match phase {
        PhaseName::GatewayAuth => finding.or("RDG-401", Confidence::Possible),
        PhaseName::GatewayAuthorization => finding.or("RDG-CAP", Confidence::Possible),
        PhaseName::GatewayChannel => finding.or("RDG-TARGET", Confidence::Possible).or("RDG-RAP", Confidence::Possible),
        PhaseName::Negotiation => finding.or("X224-NOCC", Confidence::Possible),
        _ => finding.or("PATH-DEAD", Confidence::Possible),
    })
}

/// The halves of a tunnel that met different certificates, or addresses, met different gateways, of which the second knows
/// nothing of the first: a balancer without affinity.
fn with_halves(mut finding: Finding, timeline: &Timeline, gateway: &Gateway) -> Finding {
    let halves = gateway.connections.iter().filter(|one| one.carries_half()).count();
    let answered = gateway.tunnels().filter_map(|one| one.response.as_ref()).map(|seen| seen.mark).last();
    let (Some(mark), true) = (answered, halves > 1) else { return finding };
    let met = gateway.certificates();
    let other = met.iter().find(|other| other.sha256 != met[0].sha256);
    let certificates = other.map(|other| format!("certificates, SHA-1 {} and {}", met[0].sha1, other.sha1));
    let Some(differ) = certificates.or_else(|| addresses(timeline, gateway)) else { return finding };
    finding.confidence = Confidence::Likely;
    finding.with(mark, format!("the two connections of the tunnel met different gateways: {differ}"))
}

/// Two addresses by which the connections of a tunnel reached the gateway.
fn addresses(timeline: &Timeline, gateway: &Gateway) -> Option<String> {
    let first = timeline.server_leg()?.server?.ip();
    let legs = gateway.connections.iter().filter(|one| one.carries_half()).flat_map(|one| &one.legs);
    let mut met = legs.filter(|leg| leg.name != Leg::Front).filter_map(|leg| Some(leg.server?.ip()));
    met.find(|other| *other != first).map(|other| format!("addresses, {first} and {other}"))
}

/// What was said last on the way through the gateway: a packet of the tunnel, or HTTP.
fn last_word(gateway: &Gateway) -> Option<(Side, String, Mark)> {
    let packet = gateway.messages.last().map(|last| (last.what.0, last.what.1.name().to_owned(), last.mark));
    packet.or_else(|| {
        let last = gateway.exchanges.last()?;
        Some(match &last.response {
            Some(response) => (Side::Server, status(&response.what), response.mark),
            None => (Side::Client, last.request.what.method.clone(), last.request.mark),
        })
    })
}

fn party(from: Side) -> &'static str {
    match from {
        Side::Client => "client",
        Side::Server => "gateway",
    }
}

/// What fails in a phase of which nothing else is known.
fn of_phase(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::GatewayAuth => "RDG-401",
        PhaseName::GatewayAuthorization => "RDG-CAP",
        PhaseName::GatewayChannel => "RDG-TARGET",
        _ => "RDG-503",
    }
}

/// TLS with the gateway stands, and what is in it cannot be read: a tunnel that carries a session takes more turns than this.
pub fn sealed(timeline: &Timeline) -> Option<Finding> {
    let end = before_channel(timeline)?;
    let gateway = gateway(timeline).filter(|gateway| !gateway.is_read())?;
    let established = gateway.first(|tls| tls.established.as_ref())?;
    if timeline.last_phase() < PhaseName::GatewayHttp || timeline.is_active() {
        return None;
    }
    let Sealed { turns, bytes, .. } = gateway.sealed;
    let says = format!(
        "{}, behind TLS with the gateway and {} there ({} B of the client, {} B of the gateway): what was said is sealed",
        stage::end_in_words(end),
        counted(turns, "turn"),
        bytes[0],
        bytes[1]
    );
    let finding = Finding::at_end(timeline, "RDG-401", Confidence::Possible, says)?;
    let finding = finding.on(stage::server_leg(timeline), PhaseName::GatewayHttp).by(Party::of(end));
    let finding = finding.with(established.mark, "TLS with the gateway stands").with_end(timeline);
    let others = ["RDG-TRANSPORT", "RDG-503", "RDG-CAP", "RDG-RAP", "RDG-TARGET", "RDG-COOKIE", "RDG-LIMIT"];
    Some(others.into_iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible)))
}

/// The gateway ends a tunnel in use, and says why.
pub fn limited(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref()?;
    if let Some(finding) = cut(timeline, end) {
        return Some(finding);
    }
    if !timeline.is_cut_off() {
        return None;
    }
    let gateway = gateway(timeline)?;
    let (closed, told) = (gateway.closed(), gateway.warned(end.mark));
    let known = closed.as_ref().and_then(|closed| coded(closed.what)).filter(|known| !known.causes.is_empty());
    let (id, confidence) = match known {
        Some(known) => (known.causes.first().copied()?, Confidence::Certain),
        None => ("RDG-LIMIT", Confidence::Likely),
    };
    let says = match (&closed, told) {
        (Some(closed), _) if closed.what != 0 => format!("the gateway ends the tunnel: {}", named(closed.what, known)),
        (_, Some(_)) => "the gateway ends the tunnel, after a message to the user".into(),
        (_, None) => return None,
    };
    let finding = Finding::at_end(timeline, id, confidence, says)?.by(Party::Server);
    let finding = finding.on(stage::server_leg(timeline), end.phase);
    let finding = match &closed {
        Some(closed) => finding.with(closed.mark, format!("close with {}", named(closed.what, known))),
        None => finding,
    };
    let finding = match told {
        Some(told) => finding.with(told, "service message of the gateway"),
        None => finding,
    };
    Some(finding.with_end(timeline))
}

/// The connection to the gateway breaks while the session runs, and neither it nor the server behind it has said a word.
fn cut(timeline: &Timeline, end: &End) -> Option<Finding> {
    let gateway = gateway(timeline)?;
    let says_why = gateway.messages.iter().any(|seen| matches!(seen.what, (Side::Server, TunnelMessage::Close { .. })));
    let is_sudden = end.silence < QUIET && !timeline.is_frozen() && timeline.idle.is_none();
    let is_told = says_why || timeline.facts.inner.is_announced() || timeline.facts.inner.is_expelled();
    let is_cut = matches!(end.how, Ending::Fin | Ending::Reset) && stage::by_server(end) && is_sudden && !is_told;
    if !is_cut || !timeline.is_active() || !timeline.ended_badly() || path::forged_reset(timeline).is_some() {
        return None;
    }
    let says = format!("the connection to the gateway breaks while the session runs: {}", stage::end_in_words(end));
    let finding = Finding::at_end(timeline, "RDG-TRANSPORT", Confidence::Possible, says)?.with_end(timeline);
    let finding = finding.or("RDG-LIMIT", Confidence::Possible).or("RDG-503", Confidence::Possible);
    Some(if end.how == Ending::Reset { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

/// Whether nobody asked the gateway for a tunnel: a port check, or an exchange with its KDC proxy alone.
pub fn nothing_asked(timeline: &Timeline) -> bool {
    let Some(gateway) = gateway(timeline) else { return false };
    let is_open = timeline.server_leg().is_some_and(|leg| leg.opened.is_some());
    let is_silent = gateway.first(|tls| tls.hello.as_ref()).is_none() && gateway.exchanges.is_empty();
    if is_reauthentication(gateway) && tunnel_refused(timeline).is_none() {
        return true;
    }
    let left = timeline.end.as_ref().is_some_and(stage::by_client);
    is_open && (gateway.is_kdc_only() || is_silent && left)
}

/// Whether it is there to authenticate a tunnel that runs already, \[MS-TSGU\] 2.2.10.18: it opens no channel.
fn is_reauthentication(gateway: &Gateway) -> bool {
    let asks = |message: &TunnelMessage| match message {
        TunnelMessage::TunnelCreate { is_reauthentication: true, .. } => Some(()),
        _ => None,
    };
    gateway.message(asks).is_some()
}

/// Where the client goes to a gateway: what is known of that.
fn gateway(timeline: &Timeline) -> Option<&Gateway> {
    timeline.facts.gateway.as_deref()
}

/// The end of a session that ended before the RDP connection in the tunnel began.
fn before_channel(timeline: &Timeline) -> Option<&End> {
    let is_open = timeline.server_leg().is_some_and(|leg| leg.opened.is_some());
    stage::failed(timeline).filter(|_| is_open && timeline.is_before_channel())
}

/// The last request for a channel that was answered, unless the client asked again by the same connection.
fn last_answer(timeline: &Timeline) -> Option<&Exchange> {
    let gateway = gateway(timeline)?;
    let last = gateway.tunnels().filter(|one| one.response.is_some()).last()?;
    let asks_again =
        gateway.tunnels().skip_while(|one| *one != last).skip(1).any(|one| one.connection == last.connection);
    Some(last).filter(|_| !asks_again)
}

fn answered_with(exchange: &Exchange, status: u16) -> bool {
    exchange.response.as_ref().is_some_and(|response| response.what.status == status)
}

fn with_exchange(finding: Finding, exchange: &Exchange) -> Finding {
    let asked = &exchange.request.what;
    let auth = asked.authorization.as_ref().map_or(String::new(), |auth| format!(", authorization {}", auth.scheme));
    let finding = finding.with(exchange.request.mark, format!("{} {}{auth}", asked.method, asked.path));
    match &exchange.response {
        Some(response) => {
            let offers: Vec<&str> = response.what.offers.iter().map(|offer| offer.scheme.as_str()).collect();
            let offers = if offers.is_empty() { String::new() } else { format!(", offers {}", offers.join(", ")) };
            finding.with(response.mark, format!("{}{offers}", status(&response.what)))
        }
        None => finding,
    }
}

/// IIS says in its reason phrase what the status alone does not.
fn with_reason(finding: Finding, response: &Sighting<HttpResponse>) -> Finding {
    let usual = ["", "Unauthorized"];
    if usual.contains(&response.what.reason.as_str()) {
        return finding;
    }
    finding.with(response.mark, format!("reason phrase: {}", response.what.reason))
}

/// What says that a box in front of the gateway answered.
fn with_box(finding: Finding, response: &Sighting<HttpResponse>) -> Finding {
    let HttpResponse { server, via, location, .. } = &response.what;
    let named = [("Server", server), ("Via", via), ("Location", location)];
    named
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .fold(finding, |finding, (name, value)| finding.with(response.mark, format!("{name}: {value}")))
}

fn status(response: &HttpResponse) -> String {
    format!("{} {}", response.status, response.reason).trim_end().to_owned()
}

fn coded(code: u32) -> Option<&'static Code> {
    Table::keyed("gateway")?.code(code)
}

fn named(code: u32, known: Option<&Code>) -> String {
    known.map_or_else(|| format!("{code:#010x}"), |known| format!("{} ({code:#x})", known.name))
}
