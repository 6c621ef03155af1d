//! Rules of the TLS handshake, and of the certificate in it.
//!
//! Who closes first, and after which message, decides: a server that closes right after ClientHello cannot or will
//! not serve; a client that closes right after the certificate does not like it.

use std::time::Duration;

use super::sealed::STALLED;
use super::stage::{self, Stage, length};
use super::unsealed::party;
use super::{Confidence, Finding, Party, Severity, negotiation};
use crate::codes::tls as names;
use crate::event::{Certificate, ClientHello};
use crate::observation::{Ending, Leg, Side};
use crate::time::day;
use crate::timeline::facts::{Mark, Sighting, Tls};
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// The layers of the handshake.
const LAYERS: [&str; 4] = ["tls record", "tls handshake", "tls extension", "certificate"];
/// In the place of a layer: a ClientHello of which not all came.
const CUT: &str = "cut";
/// Alerts that speak of what stands in a certificate: certificate_revoked, certificate_expired, unknown_ca, access_denied.
const READ: [u8; 4] = [44, 45, 48, 49];
/// Alerts that speak of what cannot be read: unexpected_message, illegal_parameter, decode_error, missing_extension,
/// unsupported_extension.
const UNREAD: [u8; 5] = [10, 47, 50, 109, 110];
/// A sealed flight of TLS 1.3 with a certificate has at least so many bytes.
const SEALED_FLIGHT: u32 = 300;
/// Nobody waits for what is missing for less than this.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Clients wait so long for revocation lists and more.
const LOOKUP: Duration = Duration::from_secs(5);
/// What stands in the issuer of certificates that a security product makes on its way, in lower case.
const INSPECTORS: &[(&str, &str)] = &[
    ("fortinet", "Fortinet"),
    ("fortigate", "Fortinet"),
    ("palo alto", "Palo Alto Networks"),
    ("zscaler", "Zscaler"),
    ("netskope", "Netskope"),
    ("blue coat", "Blue Coat"),
    ("bluecoat", "Blue Coat"),
    ("sophos", "Sophos"),
    ("kaspersky", "Kaspersky"),
    ("eset ssl filter", "ESET"),
    ("bitdefender", "Bitdefender"),
    ("avast", "Avast"),
    ("check point", "Check Point"),
    ("cisco umbrella", "Cisco Umbrella"),
    ("watchguard", "WatchGuard"),
    ("barracuda", "Barracuda"),
    ("forcepoint", "Forcepoint"),
    ("sonicwall", "SonicWall"),
    ("untangle", "Untangle"),
    ("trend micro", "Trend Micro"),
    ("mcafee", "McAfee"),
    ("mitmproxy", "mitmproxy"),
    ("portswigger", "Burp"),
];
/// Keys and signatures that current clients refuse: RSA below this, bits.
const WEAK_RSA: u32 = 2048;
/// Groups of hybrid key exchange with ML-KEM, whose shares alone take more than 1,000 bytes: draft-ietf-tls-ecdhe-mlkem.
const HYBRID: &[(u16, &str)] =
    &[(0x11eb, "SecP256r1MLKEM768"), (0x11ec, "X25519MLKEM768"), (0x11ed, "SecP384r1MLKEM1024")];
/// A handshake message of so many bytes fits into one segment of Ethernet, record header and TCP options included.
const ONE_SEGMENT: u32 = 1400;
/// Signature schemes of ML-DSA: draft-ietf-tls-mldsa.
const ML_DSA: std::ops::RangeInclusive<u16> = 0x0904..=0x0906;
/// The oldest version that current systems speak.
const TLS_1_2: u16 = 0x0303;
const TLS_1_1: u16 = 0x0302;

/// A fatal alert of the server in clear.
pub fn server_alert(timeline: &Timeline) -> Option<Finding> {
    let Sighting { what: (_, _, description), mark } =
        timeline.facts.fatal_alert().filter(|alert| alert.what.0 == Side::Server)?;
    let (id, confidence) = match description {
        70 | 86 => ("TLS-VER", Confidence::Certain),
        // What it has chosen by then its own policy does not let it speak, or no suite of the client's fits. Nobody puts an
        // alert into a record of TLS 1.1 who has not chosen that; TLS 1.0 is what some begin with.
        80 if chosen(timeline).is_some() || is_old(timeline) => ("TLS-VER", Confidence::Likely),
        40 if chosen(timeline) == Some(TLS_1_1) => ("TLS-VER", Confidence::Likely),
        40 | 47 | 71 | 109 | 120 => ("TLS-CIPHER", Confidence::Likely),
        80 => ("TLS-NOKEY", Confidence::Likely),
        // They speak of a certificate, and only the client's can be meant.
        42..=46 | 48 | 49 | 116 => ("X224-INCONS", Confidence::Possible),
        112 => ("TLS-NAME", Confidence::Likely),
        // bad_record_mac, decryption_failed, decrypt_error: what arrived is not what was sent.
        20 | 21 | 51 => ("SES-CRYPT", Confidence::Likely),
        _ => ("TLS-CIPHER", Confidence::Possible),
    };
    let alert = format!("{} ({description})", names::alert(*description));
    let finding =
        Finding::at_end(timeline, id, confidence, format!("the server ends the TLS handshake: alert {alert}"))?;
    let finding = finding.on(mark.leg, PhaseName::Tls).by(Party::Server);
    let finding =
        with_hello(finding, timeline).with(*mark, format!("alert {alert} of the server{}", in_record(timeline)));
    let finding = with_ultimatum(finding, timeline);
    // Schannel says handshake_failure for a version, a suite and a key alike.
    let finding = match description {
        40 => finding.or("TLS-VER", Confidence::Possible).or("TLS-CIPHER", Confidence::Possible),
        _ => finding,
    };
    Some(if matches!(description, 40 | 80) { finding.or("TLS-NOKEY", Confidence::Possible) } else { finding })
}

/// A fatal alert of the client in clear.
pub fn client_alert(timeline: &Timeline) -> Option<Finding> {
    let of_client = timeline.facts.fatal_alert().filter(|alert| alert.what.0 == Side::Client);
    // What it says to something that is no TLS is what its library calls that.
    let Sighting { what: (_, _, description), mark } =
        of_client.filter(|alert| !is_answered_in_clear(timeline, alert.mark))?;
    let alert = format!("{} ({description})", names::alert(*description));
    let says = format!("the client ends the TLS handshake: alert {alert}");
    let place = |finding: Finding| finding.on(mark.leg, PhaseName::Tls).by(Party::Client);
    let evidence = format!("alert {alert} of the client");
    let named = match description {
        45 => Some(("TLS-EXPIRED", Confidence::Likely)),
        48 => Some(("TLS-UNTRUST", Confidence::Certain)),
        43 => Some(("TLS-WEAK", Confidence::Likely)),
        70 => Some(("TLS-VER", Confidence::Certain)),
        42 | 44 | 46 | 49 => None,
        // The server's signature does not fit its certificate's key (RFC 5246, 7.2.2).
        51 => Some(("TLS-NOKEY", Confidence::Likely)),
        20 | 21 => Some(("SES-CRYPT", Confidence::Likely)),
        40 | 47 | 71 | 109 => Some(("TLS-CIPHER", Confidence::Likely)),
        _ => Some(("TLS-CIPHER", Confidence::Possible)),
    };
    let (id, confidence) = match (named, faults(timeline).first()) {
        (Some(("TLS-EXPIRED", _)), Some(("TLS-EXPIRED" | "TLS-NOTYET", _))) => {
            (faults(timeline)[0].0, Confidence::Certain)
        }
        (Some(named), _) => named,
        (None, Some((id, _))) => (*id, Confidence::Likely),
        (None, None) => ("TLS-UNTRUST", Confidence::Possible),
    };
    let finding = place(Finding::at_end(timeline, id, confidence, says)?);
    let finding = with_certificate(finding, timeline).with(*mark, evidence);
    Some(if *description == 51 { finding.or("SES-CRYPT", Confidence::Possible) } else { finding })
}

/// Whether the server had said something by then that is no TLS: its leave in clear, or another protocol.
fn is_answered_in_clear(timeline: &Timeline, mark: Mark) -> bool {
    let foreign = timeline.facts.not_tls().filter(|seen| seen.what.0 == Side::Server).map(|seen| seen.mark);
    let leave = timeline.facts.ultimatum().map(|seen| seen.mark);
    [foreign, leave].into_iter().flatten().any(|seen| (seen.at, seen.frame) <= (mark.at, mark.frame))
}

/// The version of the record in which the server's alert came, where it is lower than what the client offers: the server had
/// chosen it by then.
fn chosen(timeline: &Timeline) -> Option<u16> {
    let version = timeline.facts.tls.iter().find_map(|tls| tls.alert_version)?;
    let offered = hello(timeline)?.what.versions.first()?;
    (version < *offered && version < TLS_1_2).then_some(version)
}

fn in_record(timeline: &Timeline) -> String {
    chosen(timeline).map(|version| format!(", in a record of {}", versions(&[version]))).unwrap_or_default()
}

/// "TLS 1.0, 1.1": as people write them.
fn versions(numbers: &[u16]) -> String {
    let all: Vec<_> = numbers.iter().map(|number| names::version(*number)).collect();
    let has_name = all.first().is_some_and(|first| first.starts_with(|c: char| c.is_ascii_alphabetic()));
    format!("{}{}", if has_name { "" } else { "TLS " }, all.join(", "))
}

/// A message of the handshake cannot be read, and the other side does not go on behind it.
pub fn unreadable(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline).filter(|_| timeline.last_phase() <= PhaseName::Tls)?;
    let (side, layer, trouble, mark) = trouble(timeline)?;
    // What is no TLS from its first byte on has a rule of its own.
    let is_foreign = timeline.facts.not_tls().is_some_and(|seen| seen.what.0 == side && seen.mark.at <= mark.at);
    if is_foreign || !timeline.is_whole_before(side, mark) {
        return None;
    }
    let alerts = timeline.facts.tls.iter().flat_map(|tls| &tls.alerts);
    let alert = alerts.filter(|alert| alert.what.0 != side && alert.mark.at >= mark.at).min_by_key(|seen| seen.mark.at);
    let (id, what, sure, other) = match layer {
        // The message was read, here and there: whoever finds fault with an extension says so.
        "tls extension" if !alert.is_some_and(|alert| UNREAD.contains(&alert.what.2)) => return None,
        "certificate" if is_read(timeline, alert) => return None,
        "certificate" => ("TLS-BADCERT", "certificate", Confidence::Likely, "TLS-UNTRUST"),
        "tls record" => ("TLS-BADMSG", "TLS record", Confidence::Likely, "SES-CRYPT"),
        // What is missing of it may be lost.
        CUT => ("TLS-BADMSG", "ClientHello", Confidence::Possible, "PATH-PMTU"),
        _ => ("TLS-BADMSG", "TLS handshake message", Confidence::Likely, "SES-CRYPT"),
    };
    let finding = Finding::at_end(timeline, id, sure, format!("the {side}'s {what} cannot be read ({trouble})"))?;
    let finding = finding.on(mark.leg, PhaseName::Tls).by(party(side)).with(mark, trouble);
    let finding = match alert {
        Some(Sighting { what: (from, _, number), mark }) => {
            finding.with(*mark, format!("alert {} ({number}) of the {from}", names::alert(*number)))
        }
        None => finding,
    };
    Some(finding.with_end(timeline).or(other, Confidence::Possible).or("TLS-INSPECT", Confidence::Possible))
}

/// What of the handshake cannot be read, and the other side made no sense of: whose it is, its layer, what is wrong, where.
fn trouble(timeline: &Timeline) -> Option<(Side, &'static str, String, Mark)> {
    let facts = &timeline.facts;
    let is_here = |side: Side, mark: Mark| stage::in_time(timeline, mark) && !is_taken(timeline, side, mark);
    let malformed = facts.malformed_in(&LAYERS).find(|seen| is_here(seen.what.0, seen.mark));
    if let Some(Sighting { what: (side, layer, trouble), mark }) = malformed {
        return Some((*side, layer, trouble.clone(), *mark));
    }
    // A ClientHello that has begun was said, however little of it came.
    let cut = facts.partial.iter().find(|seen| seen.what.0 == Side::Client && seen.what.1 == "ClientHello")?;
    let (_, _, have, need) = cut.what;
    let leg = timeline.client_leg()?;
    let mark = leg.spoke[Side::Client as usize].filter(|_| hello(timeline).is_none())?;
    Some((Side::Client, CUT, format!("{have} of its {need} bytes"), mark))
}

/// Whether the client made sense of the certificate: it finds fault with what stands in it, and its leaf can be read here, too.
fn is_read(timeline: &Timeline, alert: Option<&Sighting<(Side, u8, u8)>>) -> bool {
    let has_leaf = certificate(timeline).is_some_and(|seen| !seen.what.is_empty());
    has_leaf || alert.is_some_and(|alert| READ.contains(&alert.what.2))
}

/// Whether the other side went on behind what this one said here: it made sense of it.
fn is_taken(timeline: &Timeline, from: Side, mark: Mark) -> bool {
    let answer = match from {
        Side::Client => timeline.facts.first(|tls| tls.server_hello.as_ref()).map(|seen| seen.mark),
        Side::Server => timeline.facts.first_mark(|tls| tls.key_exchange),
    };
    answer.is_some_and(|answer| answer.at >= mark.at)
}

/// One side speaks something else where TLS was agreed on.
pub fn not_tls(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let Sighting { what: (side, looks), mark } =
        timeline.facts.not_tls().filter(|seen| stage::in_time(timeline, seen.mark))?;
    if !timeline.is_whole_before(*side, *mark) {
        return None;
    }
    let looks = looks.name();
    let is_asked = hello(timeline).is_some_and(|hello| hello.mark.at <= mark.at);
    // First words too short to be judged are told at the end, on whatever leg that is.
    let leg = if *side == Side::Server { stage::server_leg(timeline) } else { stage::client_leg(timeline) };
    let (by, says) = match side {
        Side::Server if is_asked => {
            (Party::Server, format!("the server answers ClientHello with {looks}, not with TLS"))
        }
        Side::Server => (Party::Server, format!("the server speaks {looks} where TLS has to stand")),
        Side::Client => (Party::Client, format!("the client speaks {looks} where TLS has to stand")),
    };
    let finding = Finding::at_end(timeline, "TLS-NOTTLS", Confidence::Certain, says)?;
    let finding = finding.on(leg, PhaseName::Tls).by(by);
    Some(with_hello(finding, timeline).with(*mark, format!("first bytes of the {side}: {looks}")).with_end(timeline))
}

/// The server takes its leave in clear, in the middle of the handshake and without an alert: xrdp, when TLS fails on its side.
pub fn given_up(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    timeline.facts.selected().filter(|selected| selected.0 != 0)?;
    let mark = stage::goodbye(timeline)?;
    let answered = timeline.facts.first_mark(|tls| tls.key_exchange);
    // A client that said goodbye, or that something is wrong, ended it.
    let has_left = timeline.facts.first(|tls| tls.sealed_alert.as_ref()).is_some_and(|alert| alert.mark.at <= mark.at);
    let (id, sure, after) = match stage::stage(timeline).0 {
        _ if has_left => return None,
        Stage::Confirm => ("TLS-NOKEY", Confidence::Likely, "its own confirm"),
        Stage::ClientHello if is_old(timeline) => ("TLS-VER", Confidence::Likely, "ClientHello"),
        Stage::ClientHello => ("TLS-NOKEY", Confidence::Likely, "ClientHello"),
        Stage::ServerHello | Stage::ServerFlight if answered.is_some() => {
            ("TLS-NOKEY", Confidence::Possible, "the client's key exchange")
        }
        Stage::ServerHello | Stage::ServerFlight => ("TLS-HALF", Confidence::Possible, "its own flight"),
        Stage::Closed | Stage::Opened | Stage::Request | Stage::Plain | Stage::Established => return None,
    };
    let says = format!("after {after} the server gives TLS up, with an {}", negotiation::ultimatum(timeline));
    let finding = Finding::at_end(timeline, id, sure, says)?.on(mark.leg, PhaseName::Tls).by(Party::Server);
    let finding = with_ultimatum(with_hello(finding, timeline), timeline).with_end(timeline);
    let others = ["TLS-NOKEY", "TLS-VER", "TLS-CIPHER"];
    Some(others.into_iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible)))
}

/// With the server's leave in clear as evidence.
fn with_ultimatum(finding: Finding, timeline: &Timeline) -> Finding {
    match timeline.facts.ultimatum() {
        Some(seen) => finding.with(seen.mark, negotiation::ultimatum(timeline)),
        None => finding,
    }
}

/// Whether the client offers only versions that current servers do not speak (RFC 8996).
fn is_old(timeline: &Timeline) -> bool {
    hello(timeline).and_then(|hello| hello.what.versions.first()).is_some_and(|highest| *highest < TLS_1_2)
}

/// The server confirms TLS and hangs up before its ServerHello.
pub fn closed_after_hello(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_server(end))?;
    let after = match stage::stage(timeline).0 {
        Stage::Confirm if stage::client_owed(timeline).is_some() => return None,
        Stage::Confirm => "its own confirm, before any ClientHello",
        // A ServerHello that has begun was cut: that is another story.
        Stage::ClientHello if cut(timeline).is_none() => "ClientHello",
        _ => return None,
    };
    let how = if end.how == Ending::Reset { "resets" } else { "closes" };
    let says = format!("the server {how} the connection {} after {after}, without a ServerHello", length(end.silence));
    if let Some(mark) = answered_otherwise(timeline) {
        return no_server_hello(timeline, mark, &format!("{how} the connection"));
    }
    let (id, sure) = match stage::stage(timeline).0 {
        // Nothing of TLS was said: what it cannot serve is not seen.
        Stage::Confirm => ("TLS-NOKEY", Confidence::Possible),
        _ if is_old(timeline) => ("TLS-VER", Confidence::Likely),
        _ => ("TLS-NOKEY", Confidence::Likely),
    };
    let finding = Finding::at_end(timeline, id, sure, says)?.on(end.mark.leg, PhaseName::Tls);
    let finding = with_hello(finding, timeline).with_end(timeline);
    let others = ["TLS-NOKEY", "TLS-VER", "TLS-CIPHER"];
    let finding = others.into_iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible));
    Some(if end.how == Ending::Reset { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

/// The server's answer is neither a ServerHello nor anything else that belongs there.
fn no_server_hello(timeline: &Timeline, mark: Mark, then: &str) -> Option<Finding> {
    let says = format!("the server answers ClientHello with what is no ServerHello, and {then}");
    let finding = Finding::at_end(timeline, "TLS-NOTTLS", Confidence::Possible, says)?.on(mark.leg, PhaseName::Tls);
    let finding = with_hello(finding.by(Party::Server), timeline).with(mark, "answer").with_end(timeline);
    Some(finding.or("TLS-NOKEY", Confidence::Possible))
}

/// What the server said behind ClientHello, where it was neither a ServerHello nor an alert nor its goodbye.
fn answered_otherwise(timeline: &Timeline) -> Option<Mark> {
    let asked = hello(timeline)?.mark.at;
    let leg = timeline.server_leg()?;
    let spoke = leg.spoke[Side::Server as usize].filter(|spoke| spoke.at > asked && stage::in_time(timeline, *spoke));
    let is_alert = timeline.facts.tls.iter().any(|tls| tls.alerts.iter().any(|alert| alert.what.0 == Side::Server));
    spoke.filter(|_| timeline.facts.ultimatum().is_none() && !is_alert)
}

/// The server never answers a ClientHello that TCP has to bring in two segments, as hybrid key exchange makes it. What lost or
/// misread it is not told from here; that a short one may pass is.
pub fn long_hello(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_client(end) || stage::by_timeout(end))?;
    let (stage, mark) = stage::stage(timeline);
    let mark = mark.filter(|_| stage == Stage::ClientHello && answered_otherwise(timeline).is_none())?;
    let hello = &hello(timeline)?.what;
    let group = hello.groups.iter().find_map(|group| HYBRID.iter().find(|(number, _)| number == group))?;
    if hello.len <= ONE_SEGMENT || is_old(timeline) {
        return None;
    }
    let (len, name) = (hello.len, group.1);
    let waited = length(end.mark.at.since(mark.at));
    let says = format!(
        "a ClientHello of {len} bytes, which needs two segments, is not answered: {} after {waited}",
        stage::gives_up(end)
    );
    let finding = Finding::at_end(timeline, "PATH-HELLO", Confidence::Possible, says)?;
    let finding = finding.on(stage::server_leg(timeline), PhaseName::Tls).by(Party::Nobody);
    let finding = with_hello(finding, timeline).with(mark, format!("it offers {name}")).with_end(timeline);
    let others = ["TLS-NOKEY", "PATH-PMTU", "PATH-WINZERO"];
    Some(others.into_iter().fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
}

/// The server confirms TLS and never answers ClientHello.
pub fn unanswered_hello(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_client(end) || stage::by_timeout(end))?;
    let (stage, mark) = stage::stage(timeline);
    let mark = mark.filter(|_| stage == Stage::ClientHello)?;
    if let Some(mark) = answered_otherwise(timeline) {
        return no_server_hello(timeline, mark, "the client goes");
    }
    let waited = length(end.mark.at.since(mark.at));
    let leg = stage::server_leg(timeline);
    let says = format!("the server does not answer ClientHello: {} after {waited}", stage::gives_up(end));
    let (id, sure) = match is_old(timeline) {
        true => ("TLS-VER", Confidence::Likely),
        false => ("TLS-NOKEY", Confidence::Possible),
    };
    let finding = Finding::at_end(timeline, id, sure, says)?.on(leg, PhaseName::Tls).by(Party::Server);
    let finding = with_hello(finding, timeline).with_end(timeline).or("TLS-NOKEY", Confidence::Possible);
    Some(finding.or("PATH-WINZERO", Confidence::Possible).or("PATH-PMTU", Confidence::Possible))
}

/// ServerHello came, the rest of the server's flight did not.
pub fn half(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let (stage, mark) = stage::stage(timeline);
    let cut = cut(timeline);
    let begun = mark.filter(|_| stage == Stage::ServerHello);
    let partial_only = cut.filter(|_| stage == Stage::ClientHello).map(|cut| cut.mark);
    let mark = begun.or(partial_only)?;
    if stage::by_client(end) && cut.is_none() && had_it_all(timeline, end.silence) {
        return None;
    }
    let what = match cut {
        Some(Sighting { what: (_, message, have, need), .. }) => format!("in {message}, {have} of {need} bytes"),
        None => "after ServerHello".into(),
    };
    let says = match end.from {
        Some(Side::Server) => format!("the server's flight breaks off {what}: {}", stage::end_in_words(end)),
        Some(Side::Client) | None => {
            format!("the server's flight breaks off {what}, and nothing follows for {}", length(end.silence))
        }
    };
    let finding = Finding::at_end(timeline, "TLS-HALF", Confidence::Likely, says)?;
    // Its silence is the server's, even where it is the client that gives up.
    let finding = finding.on(stage::server_leg(timeline), PhaseName::Tls).by(Party::Server);
    let finding =
        with_hello(finding, timeline).with(mark, format!("the server's flight breaks off {what}")).with_end(timeline);
    let finding = finding.or("PATH-PMTU", Confidence::Possible);
    Some(if end.how == Ending::Reset { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

/// Whether a client that leaves may have had the server's whole flight, though its end cannot be seen: TLS 1.3 seals
/// it, in several records or in one large one. A client that leaves at once has rejected what it got.
fn had_it_all(timeline: &Timeline, silence: Duration) -> bool {
    let sealed =
        |tls: &&Tls| tls.first_records.iter().filter(|record| record.from == Side::Server).map(|r| r.len).sum::<u32>();
    let flight = timeline.facts.tls.iter().max_by_key(|tls| tls.records[1]).as_ref().map_or(0, sealed);
    if is_tls13(timeline) { flight >= SEALED_FLIGHT } else { silence < AT_ONCE }
}

/// The server's flight is complete, and the handshake is not: the server leaves, or owes its Finished.
pub fn unfinished(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let mark = stage::stage(timeline).1.filter(|_| stage::stage(timeline).0 == Stage::ServerFlight)?;
    let answered = timeline.facts.first_mark(|tls| tls.key_exchange);
    let by_server = stage::by_server(end);
    if !by_server && answered.is_none() {
        return None;
    }
    let (id, after) = match answered {
        Some(_) => ("TLS-NOKEY", "the client's key exchange"),
        None if end.silence >= STALLED => return waited_for_client(timeline, end, mark),
        None => ("TLS-HALF", "its own flight"),
    };
    let what = if by_server { stage::end_in_words(end) } else { format!("nothing for {}", length(end.silence)) };
    let says = format!("after {after}, instead of the server's Finished: {what}");
    let finding = Finding::at_end(timeline, id, Confidence::Possible, says)?;
    let finding = finding.on(stage::server_leg(timeline), PhaseName::Tls).by(Party::Server);
    let finding = finding.with(answered.unwrap_or(mark), after).with_end(timeline).or("TLS-HALF", Confidence::Possible);
    Some(match end.how {
        Ending::Reset if by_server => finding.or("PATH-RSTINJ", Confidence::Possible),
        _ if by_server => finding,
        _ => finding.or("PATH-DEAD", Confidence::Possible),
    })
}

/// The server's flight is complete, and the client, whose turn it is, says nothing until the server gives up.
fn waited_for_client(timeline: &Timeline, end: &End, flight: Mark) -> Option<Finding> {
    let says = format!(
        "the client does not go on for {} after the server's flight, and the {}",
        length(end.silence),
        stage::end_in_words(end)
    );
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Possible, says)?;
    let finding = finding.on(stage::client_leg(timeline), PhaseName::Tls).by(Party::Client).severity(Severity::Note);
    let finding = with_certificate(finding, timeline).with(flight, "the server's flight is complete");
    let finding = finding.with_end(timeline).or("TLS-UNTRUST", Confidence::Possible);
    Some(finding.or("PATH-PMTU", Confidence::Possible))
}

/// The client had the certificate and left, without an alert in clear and without any application data.
pub fn client_left(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::client_acted(timeline, end))?;
    let (stage, mark) = stage::stage(timeline);
    let mark = mark.filter(|_| stage >= Stage::ServerHello)?;
    // A client that went on to the key exchange has taken the certificate; one that got half of it has not seen it.
    let went_on = timeline.facts.first_mark(|tls| tls.key_exchange).is_some() || cut(timeline).is_some();
    if timeline.last_phase() > PhaseName::Tls || stage < Stage::Established && went_on {
        return None;
    }
    let what = if certificate(timeline).is_some() { "the certificate" } else { "the server's flight" };
    let after = length(end.mark.at.since(mark.at));
    let says = format!("the client leaves {after} after {what}: it is the client that ends this, not the server");
    let faults = faults(timeline);
    let (id, confidence) = match (inspected(timeline), faults.first()) {
        (Some(_), _) => ("TLS-INSPECT", Confidence::Likely),
        (None, Some((id, _))) => (*id, Confidence::Likely),
        // Nothing is wrong with it, and a machine took its time: it looked for revocation lists.
        (None, None) if certificate(timeline).is_some() && end.mark.at.since(mark.at) >= LOOKUP => {
            ("TLS-CRL", Confidence::Possible)
        }
        (None, None) => ("TLS-UNTRUST", Confidence::Possible),
    };
    let leg = timeline.client_leg().map_or(end.mark.leg, |leg| leg.name);
    let finding = Finding::at_end(timeline, id, confidence, says)?.on(leg, PhaseName::Tls).by(Party::Client);
    let finding = with_certificate(finding, timeline);
    let alert = timeline.facts.first(|tls| tls.sealed_alert.as_ref()).filter(|alert| alert.what.0 == Side::Client);
    let finding = match alert {
        Some(alert) => finding.with(alert.mark, alert_in_words(timeline, alert.mark)),
        None => finding,
    };
    let mut finding = finding.with_end(timeline);
    for (other, _) in faults.iter().skip(1) {
        finding = finding.or(other, Confidence::Possible);
    }
    if id == "TLS-NAME" {
        finding = finding.or("DNS-WRONG", Confidence::Possible);
    }
    // A machine that asks for revocation lists pauses like a person.
    if end.mark.at.since(mark.at) >= LOOKUP {
        finding = finding.or("TLS-CRL", Confidence::Possible);
    }
    if certificate(timeline).is_none() {
        finding = finding.or("TLS-EXPIRED", Confidence::Possible).or("TLS-NAME", Confidence::Possible);
    }
    Some(finding.or("PRX-PROBE", Confidence::Possible))
}

/// A client's alert, of which a key log may say more.
fn alert_in_words(timeline: &Timeline, mark: Mark) -> String {
    let opened = timeline.facts.first(|tls| tls.alerts.iter().find(|alert| alert.mark == mark));
    match opened {
        Some(alert) => format!("the client sends the alert {} ({})", names::alert(alert.what.2), alert.what.2),
        None => "the client sends an alert, its content is sealed".into(),
    }
}

/// What is wrong with the visible certificate, worst first, and how that reads.
pub fn faults(timeline: &Timeline) -> Vec<(&'static str, String)> {
    let Some(Sighting { what: chain, mark }) = certificate(timeline) else { return Vec::new() };
    let Some(leaf) = chain.first() else { return Vec::new() };
    let now = mark.at.seconds() as i64;
    let mut faults = Vec::new();
    if leaf.not_after < now {
        faults.push(("TLS-EXPIRED", format!("expired on {}", day(leaf.not_after))));
    }
    if leaf.not_before > now {
        faults.push(("TLS-NOTYET", format!("not valid before {}", day(leaf.not_before))));
    }
    let offers = |schemes: &std::ops::RangeInclusive<u16>| {
        hello(timeline).is_some_and(|hello| hello.what.signatures.iter().any(|scheme| schemes.contains(scheme)))
    };
    let algorithm = [&leaf.key, &leaf.signature].into_iter().find(|name| name.starts_with("ML-DSA-"));
    if let Some(algorithm) = algorithm.filter(|_| !offers(&ML_DSA)) {
        faults.push(("TLS-MLDSA", format!("{algorithm}, which the client does not offer")));
    }
    if let Some(weakness) = weakness(leaf) {
        faults.push(("TLS-WEAK", weakness));
    }
    if let Some(name) = asked(timeline).filter(|name| !matches(leaf, name)) {
        faults.push(("TLS-NAME", format!("asked for {name}, certificate for {}", all_names(leaf))));
    }
    if leaf.self_issued {
        faults.push(("TLS-UNTRUST", "self-signed".into()));
    }
    faults
}

fn weakness(leaf: &Certificate) -> Option<String> {
    let signature = leaf.signature.to_ascii_lowercase();
    if leaf.key == "RSA" && leaf.key_bits > 0 && leaf.key_bits < WEAK_RSA {
        return Some(format!("RSA key of {} bits", leaf.key_bits));
    }
    (signature.contains("md5") || signature.contains("sha1")).then(|| format!("signed with {}", leaf.signature))
}

/// The vendor of the product that made the certificate, where its issuer says so: it is not the server's own.
pub fn inspected(timeline: &Timeline) -> Option<&'static str> {
    let issuer = certificate(timeline)?.what.first()?.issuer.to_ascii_lowercase();
    INSPECTORS.iter().find(|(name, _)| issuer.contains(name)).map(|(_, vendor)| *vendor)
}

/// What the issuer of such a certificate is told by, in lower case.
pub(crate) fn inspectors() -> impl Iterator<Item = &'static str> {
    INSPECTORS.iter().map(|(name, _)| *name)
}

/// The name that the certificate must be for: what the client says in SNI, else what the relay, or the gateway, was told to
/// reach.
pub fn asked(timeline: &Timeline) -> Option<String> {
    let sni = hello(timeline).and_then(|hello| hello.what.sni.clone());
    let target = || match &timeline.facts.gateway {
        Some(gateway) => gateway.target(),
        None => timeline.target.clone(),
    };
    sni.or_else(|| target().map(|(name, _)| name))
}

/// RFC 6125 6.4: names of subjectAltName, or else the common name; a wildcard stands for one label.
fn matches(leaf: &Certificate, name: &str) -> bool {
    let common = leaf.common_name.iter().filter(|_| leaf.names.is_empty());
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    leaf.names.iter().chain(common).any(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix("*.") {
            Some(suffix) => name.split_once('.').is_some_and(|(_, rest)| rest == suffix),
            None => pattern == name,
        }
    })
}

fn all_names(leaf: &Certificate) -> String {
    let names = if leaf.names.is_empty() { leaf.common_name.iter().cloned().collect() } else { leaf.names.clone() };
    if names.is_empty() { leaf.subject.clone() } else { names.join(", ") }
}

/// The server's message that was cut by the end.
pub fn cut(timeline: &Timeline) -> Option<&Sighting<(Side, &'static str, u32, u32)>> {
    timeline.facts.partial.iter().find(|partial| partial.what.0 == Side::Server)
}

fn hello(timeline: &Timeline) -> Option<&Sighting<ClientHello>> {
    timeline.facts.first(|tls| tls.hello.as_ref())
}

/// The server's chain where it was first seen; where a relay stands inside TLS, the one that the client was shown and judges.
pub fn certificate(timeline: &Timeline) -> Option<&Sighting<Vec<Certificate>>> {
    let front = timeline.facts.tls.iter().find(|tls| tls.leg == Leg::Front && timeline.facts.is_intercepted());
    let shown = front.and_then(|tls| tls.certificates.as_ref());
    shown.or_else(|| timeline.facts.first(|tls| tls.certificates.as_ref()))
}

fn is_tls13(timeline: &Timeline) -> bool {
    timeline.facts.first(|tls| tls.server_hello.as_ref()).is_some_and(|hello| hello.what.version == 0x0304)
}

fn with_hello(finding: Finding, timeline: &Timeline) -> Finding {
    let Some(Sighting { what: hello, mark }) = hello(timeline) else { return finding };
    let format = if hello.is_ssl2 { " in the format of SSL 2.0" } else { "" };
    let (versions, suites) = (versions(&hello.versions), hello.ciphers.len());
    let says = format!("ClientHello{format} offers {versions} and {suites} cipher suites");
    finding.with(*mark, says)
}

pub fn with_certificate(finding: Finding, timeline: &Timeline) -> Finding {
    let Some(Sighting { what: chain, mark }) = certificate(timeline) else {
        return with_hidden(finding, timeline);
    };
    let Some(leaf) = chain.first() else { return finding };
    let faults: Vec<String> = faults(timeline).into_iter().map(|(_, says)| says).collect();
    let faults = if faults.is_empty() { "nothing wrong with it".into() } else { faults.join("; ") };
    let says = format!(
        "certificate of {}, issued by {}, valid {} to {}: {faults}",
        leaf.subject,
        leaf.issuer,
        day(leaf.not_before),
        day(leaf.not_after)
    );
    finding.with(*mark, says)
}

/// TLS 1.3 seals the certificate: what is not seen is said to be not seen.
fn with_hidden(finding: Finding, timeline: &Timeline) -> Finding {
    let hello = timeline.facts.first(|tls| tls.server_hello.as_ref()).filter(|_| is_tls13(timeline));
    match hello.map(|hello| hello.mark) {
        Some(mark) => finding.with(mark, "TLS 1.3: the certificate is sealed and cannot be seen here"),
        None => finding,
    }
}
