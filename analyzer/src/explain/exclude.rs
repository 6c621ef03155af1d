//! What a failed session rules out, and by what.

use std::time::Duration;

use crate::diagnose::stage::{Stage, length, stage};
use crate::event::Protocols;
use crate::observation::Ending;
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, Timeline};

/// Round trips of a connection sequence, TLS 1.2 and NLA and four static channels.
const ROUND_TRIPS: u32 = 18;
/// No timer of a client that connects is shorter.
const LEAST_TIMER: Duration = Duration::from_secs(5);
/// A silence shorter than this is no timer, and no program that hangs.
const PROMPT: Duration = Duration::from_millis(500);
/// No box forgets a connection sooner.
const LEAST_IDLE: Duration = Duration::from_secs(10);

/// Why this session cannot have this cause; nothing where it can.
pub fn because(id: &str, timeline: &Timeline) -> Option<String> {
    let own = match id {
        "TCP-NOTRDP" | "TCP-RST-AFTER" | "TCP-BACKLOG" | "X224-TOKEN" | "PRX-HEADER" => spoke_rdp(timeline),
        "X224-NOCC" => spoke_rdp(timeline).or_else(|| prompt(timeline)),
        "X224-HYBRID" => other_failure(5, timeline),
        "X224-SSLREQ" => other_failure(1, timeline),
        "X224-SSLNO" => other_failure(2, timeline),
        "X224-NOCERT" => other_failure(3, timeline),
        "X224-INCONS" => other_failure(4, timeline).filter(|_| failure_code(timeline) != Some(6)),
        "X224-DOWNGR" | "X224-NLAONLY" => {
            spoke_rdp(timeline).filter(|_| beyond_confirm(timeline)).or_else(|| no_confirm(timeline))
        }
        "TLS-NOKEY" | "TLS-VER" | "TLS-CIPHER" | "TLS-FIPS" => chose(timeline),
        "TLS-EXPIRED" | "TLS-NOTYET" => in_date(timeline).or_else(|| no_server_hello(timeline)),
        "TLS-WEAK" => strong(timeline).or_else(|| no_server_hello(timeline)),
        "TLS-HALF" => whole(timeline).or_else(|| no_server_hello(timeline)),
        "TLS-NAME" | "TLS-UNTRUST" | "TLS-INSPECT" | "TLS-CRL" | "TLS-CHANGED" => no_server_hello(timeline),
        "PATH-RSTINJ" => no_reset(timeline),
        "PATH-LOSS" => no_loss(timeline),
        "PATH-LAT" => fast(timeline),
        "PATH-PMTU" => large_passed(timeline).or_else(|| prompt(timeline)),
        "PATH-ASYM" | "PATH-DEAD" | "PATH-WINZERO" => prompt(timeline),
        "PATH-IDLE" | "PATH-PROXYIDLE" => not_idle(timeline),
        _ => None,
    };
    own.or_else(|| outside(id, timeline))
}

/// A cause acts in its own phases: the session ended before them, or got beyond them.
fn outside(id: &str, timeline: &Timeline) -> Option<String> {
    let last = timeline.last_phase();
    let (first, end) = span(id)?;
    if id.starts_with("NLA-") && last >= PhaseName::Credssp && !authenticates(timeline) {
        return Some("NLA was not selected".into());
    }
    if id.starts_with("RDG-") {
        let is_direct = timeline.facts.request.is_some() && timeline.facts.gateway.is_none();
        return is_direct.then(|| "the client speaks RDP to it directly: no gateway".into());
    }
    match () {
        () if last < first => Some(format!("it ended in {last}, before that could happen")),
        // Behind TLS nobody without keys tells the phases apart: the first stands for all.
        () if last > end && !sealed(timeline) || last == PhaseName::Active && end < PhaseName::Active => {
            Some(format!("it got beyond that, to {last}"))
        }
        () => None,
    }
}

fn span(id: &str) -> Option<(PhaseName, PhaseName)> {
    use PhaseName::{
        Active, BasicSettings, Capabilities, ChannelConnection, Credssp, Finalization, Licensing, NameResolution,
        Negotiation, SecureSettings, Tcp, Tls,
    };
    let layer = id.split('-').next()?;
    Some(match (layer, id) {
        (_, "MCS-INFO") | ("INFO" | "RED" | "BRK", _) => (BasicSettings, Finalization),
        (_, "SES-KILLED" | "SES-DENIED" | "SES-DRV" | "SES-BUSY") => (BasicSettings, Active),
        // A server may go down at any time.
        (_, "SES-SHUTDOWN") => return None,
        ("DNS", _) => (NameResolution, Tcp),
        ("TCP", _) => (Tcp, Negotiation),
        ("X224", _) => (Negotiation, Negotiation),
        ("TLS", _) => (Tls, Tls),
        ("NLA", _) => (Credssp, Credssp),
        ("MCS", _) => (BasicSettings, ChannelConnection),
        ("LIC", _) => (BasicSettings.min(Licensing), Licensing),
        ("CAP", _) => (BasicSettings.min(Capabilities), Finalization),
        ("SES" | "UDP", _) => (Active, Active),
        ("RDG", _) => (SecureSettings, SecureSettings),
        _ => return None,
    })
}

fn sealed(timeline: &Timeline) -> bool {
    timeline.facts.selected().is_some_and(|selected| selected.0 != 0) && timeline.last_phase() > PhaseName::Tls
}

fn authenticates(timeline: &Timeline) -> bool {
    timeline.facts.selected().is_some_and(|selected| selected.intersects(Protocols::CREDSSP))
}

fn spoke_rdp(timeline: &Timeline) -> Option<String> {
    let confirm = timeline.facts.confirm.as_ref();
    let answered = confirm.map(|seen| seen.mark).or(timeline.facts.failure.as_ref().map(|seen| seen.mark))?;
    Some(format!("the server answers in RDP (frame {})", answered.frame))
}

fn failure_code(timeline: &Timeline) -> Option<u32> {
    timeline.facts.failure.as_ref().map(|seen| seen.what)
}

fn beyond_confirm(timeline: &Timeline) -> bool {
    timeline.phase(PhaseName::Tls).is_some() || timeline.facts.failure.is_some()
}

/// A refusal of the negotiation carries its code in clear.
fn other_failure(code: u32, timeline: &Timeline) -> Option<String> {
    if let Some(failure) = &timeline.facts.failure {
        let seen = (failure.what != code).then_some(failure)?;
        return Some(format!("the server's failure code is {} (frame {})", seen.what, seen.mark.frame));
    }
    let confirm = timeline.facts.confirm.as_ref().filter(|_| beyond_confirm(timeline));
    let selected = confirm
        .map(|confirm| format!("the confirm selects TLS, without a failure code (frame {})", confirm.mark.frame));
    selected.or_else(|| no_confirm(timeline))
}

fn no_confirm(timeline: &Timeline) -> Option<String> {
    let answered = timeline.facts.confirm.is_some() || timeline.facts.failure.is_some();
    (!answered).then(|| "no confirm was ever sent".into())
}

fn no_server_hello(timeline: &Timeline) -> Option<String> {
    let hello = timeline.facts.first(|tls| tls.server_hello.as_ref()).is_some();
    let in_tls = timeline.last_phase() == PhaseName::Tls;
    (in_tls && !hello).then(|| "no ServerHello and no certificate was ever sent".into())
}

fn no_reset(timeline: &Timeline) -> Option<String> {
    let end = timeline.end.filter(|end| end.how != Ending::Reset)?;
    (end.how != Ending::Cut).then(|| "nobody sent a reset".into())
}

fn chose(timeline: &Timeline) -> Option<String> {
    let hello = timeline.facts.first(|tls| tls.server_hello.as_ref())?;
    Some(format!("the server answers with ServerHello (frame {})", hello.mark.frame))
}

fn in_date(timeline: &Timeline) -> Option<String> {
    let chain = timeline.facts.first(|tls| tls.certificates.as_ref())?;
    let leaf = chain.what.first()?;
    let now = i64::try_from(chain.mark.at.seconds()).ok()?;
    (leaf.not_before <= now && now <= leaf.not_after)
        .then(|| format!("the certificate is in date (frame {})", chain.mark.frame))
}

fn strong(timeline: &Timeline) -> Option<String> {
    let chain = timeline.facts.first(|tls| tls.certificates.as_ref())?;
    let leaf = chain.what.first()?;
    let weak = leaf.key.contains("RSA") && leaf.key_bits < 2048 || leaf.signature.to_lowercase().contains("sha1");
    (!weak)
        .then(|| format!("{} with {} bits, {} (frame {})", leaf.key, leaf.key_bits, leaf.signature, chain.mark.frame))
}

fn whole(timeline: &Timeline) -> Option<String> {
    let (reached, mark) = stage(timeline);
    let frame = mark.map_or(0, |mark| mark.frame);
    (reached >= Stage::ServerFlight).then(|| format!("the server's flight is complete (frame {frame})"))
}

fn no_loss(timeline: &Timeline) -> Option<String> {
    let sampled = timeline.legs.iter().any(|leg| leg.samples > 0);
    let again: u64 = timeline.legs.iter().map(|leg| leg.retransmits()).sum();
    (sampled && again == 0).then(|| "no segment was sent again on any leg".into())
}

fn fast(timeline: &Timeline) -> Option<String> {
    let rtt: Duration = timeline.legs.iter().filter_map(|leg| leg.rtt()).sum();
    let predicted = rtt * ROUND_TRIPS;
    (!rtt.is_zero() && predicted < LEAST_TIMER)
        .then(|| format!("{ROUND_TRIPS} round trips take {}: no timer is so short", length(predicted)))
}

/// A full-size segment of the server arrived, and the client's ClientHello was answered.
fn large_passed(timeline: &Timeline) -> Option<String> {
    whole(timeline).filter(|_| timeline.server_leg().is_some_and(|leg| leg.bytes[1] > 1500))
}

fn prompt(timeline: &Timeline) -> Option<String> {
    let end = silence(timeline).filter(|end| matches!(end.how, Ending::Fin | Ending::Reset) && end.silence < PROMPT)?;
    Some(format!("it was closed {} after the last byte: nobody waited for anything", length(end.silence)))
}

fn not_idle(timeline: &Timeline) -> Option<String> {
    let end = silence(timeline).filter(|end| end.silence < LEAST_IDLE)?;
    Some(format!("it was silent for no more than {}", length(end.silence)))
}

/// The end, where it is known how long it was silent before.
fn silence(timeline: &Timeline) -> Option<End> {
    timeline.end.filter(|_| !timeline.is_untimed())
}
