//! Rules of what happens after the TLS handshake, where only sizes and ends can be seen, and of sessions in clear.

use std::time::Duration;

use super::stage::{self, Stage, length};
use super::{Confidence, Finding, Party, Severity, path};
use crate::count::counted;
use crate::event::Protocols;
use crate::observation::{Ending, Side};
use crate::timeline::phase::PhaseName;
use crate::timeline::{End, LastWords, Progress, Timeline};

/// A session that dies earlier than this after it became active died of its start.
const JUST_ACTIVE: Duration = Duration::from_secs(10);
/// Boxes forget connections after four minutes at the earliest.
const IDLE: Duration = Duration::from_secs(200);
/// A session that breaks so soon after it was idle for long broke of that.
const WOKEN: Duration = Duration::from_secs(60);
/// Turns of CredSSP with HYBRID_EX, \[MS-RDPBCGR\] 5.4.2.2: the third is the user's authorization.
const AUTHORIZED: u32 = 3;
/// A server that ends a session says so; one that just closes it after a longer silence has a timer.
const QUIET: Duration = Duration::from_secs(3);
/// Human and machine answers are quicker than this.
pub const STALLED: Duration = Duration::from_secs(5);

/// A client that leaves sooner than this has not waited for an answer that does not come.
const LEFT: Duration = Duration::from_secs(1);

/// Who ended it, behind encryption: it was closed, or somebody was silent for too long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The server closed.
    Server,
    /// The client closed, having been answered or at once.
    Client,
    /// The client gave up on a server that owed an answer.
    SilentServer,
    /// The server gave up on a client that owed its next message.
    SilentClient,
    /// Nobody closed: what this end sent was not acknowledged.
    Nobody,
}

impl Who {
    fn of(timeline: &Timeline, end: &End) -> Who {
        if stage::by_server(end) && end.silence >= STALLED && !timeline.sealed_progress().waits {
            Who::SilentClient
        } else if stage::by_server(end) {
            Who::Server
        } else if stage::by_timeout(end) {
            Who::Nobody
        } else if timeline.sealed_progress().waits && (end.silence >= STALLED || end.stopped.is_some()) {
            Who::SilentServer
        } else {
            Who::Client
        }
    }
}

/// TLS stands and the client said nothing: what ended it cannot be its request.
pub fn nothing_said(timeline: &Timeline) -> Option<Finding> {
    let end = behind_handshake(timeline).filter(|_| timeline.last_phase() <= PhaseName::Tls)?;
    let (words, who) = (stage::end_in_words(end), Who::of(timeline, end));
    let asked = timeline.facts.first_mark(|tls| tls.certificate_request).is_some();
    let (id, by) = match who {
        Who::Nobody => ("PATH-DEAD", Party::Nobody),
        // The server gave up on a client whose user was asked something.
        _ if end.silence >= STALLED => ("PRX-PROBE", Party::Client),
        Who::Server if asked => ("X224-INCONS", Party::Server),
        Who::Server => ("TLS-CIPHER", Party::Server),
        // Judged by the certificate.
        Who::Client | Who::SilentServer | Who::SilentClient => return None,
    };
    let says = format!("after the TLS handshake, with nothing said, the {words}");
    let finding = Finding::at_end(timeline, id, Confidence::Possible, says)?.on(end.mark.leg, PhaseName::Tls).by(by);
    let finding = if id == "PRX-PROBE" { finding.severity(Severity::Note) } else { finding };
    Some(with_turns(finding, timeline).with_end(timeline).or("TLS-NOKEY", Confidence::Possible))
}

/// CredSSP was selected, something was exchanged, and it got no further.
pub fn credssp(timeline: &Timeline) -> Option<Finding> {
    let progress = timeline.sealed_progress();
    // Connect Initial follows the credentials at once: what has no answer may be the one or the other.
    let follows = |end: &&End| end.phase == PhaseName::BasicSettings && timeline.phase(PhaseName::Credssp).is_some();
    let is_it =
        |end: &&End| end.phase == PhaseName::Credssp || timeline.is_inferred() && progress.waits && follows(end);
    let end = behind_handshake(timeline).filter(is_it)?;
    if progress.answered > 0 {
        return None;
    }
    let words = stage::end_in_words(end);
    let closed = format!("after the TLS handshake, most likely in CredSSP, the {words}");
    let refused = timeline.inferred().refused;
    let (id, other, says) = match Who::of(timeline, end) {
        // The server names what went wrong, and nobody here can read it.
        Who::Server | Who::Client if refused && !progress.waits => {
            let says = format!("the server's last message has the length of a CredSSP errorCode, and the {words}");
            ("NLA-CRED", "NLA-ACCT", says)
        }
        // Authentication went well, and the server's last word is Early User Authorization Result.
        Who::Server | Who::Client if progress.authenticating >= AUTHORIZED && !progress.waits => {
            ("NLA-RIGHT", "NLA-CRED", closed)
        }
        Who::Server => ("NLA-CRED", "NLA-ORACLE", closed),
        // It was not refused: it asked for the server's names, tried a password, or cannot use what the server says.
        Who::Client => return left_credssp(timeline, &words),
        Who::SilentServer => {
            let silence = length(end.silence);
            ("NLA-KDC", "PATH-WINZERO", format!("after the TLS handshake the server says nothing for {silence}"))
        }
        // What it owes is the first large thing it says.
        Who::SilentClient => {
            let silence = length(end.silence);
            ("PATH-PMTU", "PATH-DEAD", format!("the client says nothing more for {silence}, and the {words}"))
        }
        Who::Nobody => ("PATH-DEAD", "PATH-PMTU", closed),
    };
    let finding = blame(Finding::at_end(timeline, id, Confidence::Possible, says)?, timeline, end);
    let finding = with_turns(finding, timeline).with_end(timeline).or(other, Confidence::Possible);
    Some(finding.or("MCS-REJECT", Confidence::Possible))
}

/// A client that leaves by itself, which nobody refused anything.
fn left(timeline: &Timeline, says: String, others: &[&'static str]) -> Option<Finding> {
    let finding = Finding::at_end(timeline, "PRX-PROBE", Confidence::Possible, says)?.by(Party::Client);
    let finding = with_turns(finding.severity(Severity::Note), timeline).with_end(timeline);
    Some(others.iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible)))
}

/// The same, where CredSSP was spoken: it may be what the client found there.
fn left_credssp(timeline: &Timeline, words: &str) -> Option<Finding> {
    let says = format!("in or right after CredSSP the client leaves by itself: the {words}");
    left(timeline, says, &["NLA-ORACLE", "NLA-BIND", "NLA-DELEG"])
}

/// Something was said behind TLS, and the session never became active.
pub fn behind_tls(timeline: &Timeline) -> Option<Finding> {
    let end = behind_handshake(timeline).filter(|_| timeline.last_phase() > PhaseName::Tls)?;
    let words = stage::end_in_words(end);
    if Who::of(timeline, end) == Who::Client && is_check(timeline) {
        let says = format!("in {}, before the session is active, the client takes its leave: the {words}", end.phase);
        return left(timeline, says, &[]);
    }
    // Where CredSSP is selected, the client was not refused by then: it has seen what it wanted, or cannot use what the server says.
    let is_nla = timeline.facts.selected().is_some_and(|selected| selected.intersects(Protocols::CREDSSP));
    let is_early = end.phase <= PhaseName::BasicSettings && timeline.facts.inner.unsealed.is_none();
    if Who::of(timeline, end) == Who::Client && is_nla && is_early {
        return left_credssp(timeline, &words);
    }
    if Who::of(timeline, end) == Who::Client && is_unrefused(timeline, end) {
        let says = format!("in {}, before the session is active, the client leaves by itself: the {words}", end.phase);
        return left(timeline, says, &["CAP-BAD"]);
    }
    let id = match Who::of(timeline, end) {
        Who::Server | Who::Client if timeline.facts.inner.unsealed.is_some() || !timeline.is_unsure() => {
            of_phase(timeline.last_phase())
        }
        Who::Server | Who::Client => next_step(timeline),
        Who::SilentServer => "PATH-WINZERO",
        Who::SilentClient | Who::Nobody => "PATH-DEAD",
    };
    let place = if timeline.is_inferred() && !timeline.is_unsure() && end.phase > PhaseName::BasicSettings {
        format!(", most likely in {}", end.phase)
    } else {
        String::new()
    };
    let says = format!("after the TLS handshake, before the session is active{place}, the {words}");
    let finding = blame(Finding::at_end(timeline, id, Confidence::Possible, says)?, timeline, end);
    let finding = with_turns(finding, timeline).with_end(timeline);
    let finding = with_last_words(finding, timeline, end);
    let others = ["MCS-REJECT", "INFO-CRED", "LIC-NOSRV", "CAP-BAD"];
    Some(others.into_iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible)))
}

/// Whether nobody can have refused the client anything by then: the settings are being agreed on, and the server has not said
/// that it leaves. Licensing and what follows it a client ends that does not like what it is told.
fn is_unrefused(timeline: &Timeline, end: &End) -> bool {
    let server = timeline.last_words(Side::Server);
    // Where the phases are not sure, turns tell: the third one answers Client Info.
    let is_early = match timeline.is_unsure() {
        true => timeline.sealed_progress().answered <= 2,
        false => (PhaseName::BasicSettings..PhaseName::Licensing).contains(&end.phase),
    };
    let is_told = server.ultimatum || server.error_info;
    is_early && !is_told && timeline.facts.inner.unsealed.is_none()
}

/// Whether the client leaves in good order where it has seen all that it came for: its user was let in, the settings were
/// agreed on, the licence was there.
fn is_check(timeline: &Timeline) -> bool {
    let LastWords { ultimatum, alert, .. } = timeline.last_words(Side::Client);
    let server = timeline.last_words(Side::Server);
    let was_told = server.ultimatum || server.error_info;
    timeline.last_phase() >= PhaseName::Capabilities && (ultimatum || alert) && !was_told
}

/// The end of a session that got through the TLS handshake and never became active.
fn behind_handshake(timeline: &Timeline) -> Option<&End> {
    // A proxy that is stopped says nothing of either end.
    let end = stage::failed(timeline).filter(|end| Party::of(end) != Party::Proxy)?;
    (stage::stage(timeline).0 == Stage::Established).then_some(end)
}

/// Its silence is the server's, even where it is the client that gives up.
fn blame(finding: Finding, timeline: &Timeline, end: &End) -> Finding {
    match Who::of(timeline, end) {
        Who::SilentServer => finding.on(stage::server_leg(timeline), end.phase).by(Party::Server),
        Who::SilentClient => finding.on(stage::client_leg(timeline), end.phase).by(Party::Client),
        Who::Nobody => finding.by(Party::Nobody),
        Who::Server | Who::Client => finding,
    }
}

/// What fails where it ended, counted in turns: Connect Initial, Attach User, Client Info, Confirm Active.
fn next_step(timeline: &Timeline) -> &'static str {
    let Progress { answered, waits, .. } = timeline.sealed_progress();
    match (answered, waits) {
        (0 | 1, _) | (2, false) => "MCS-REJECT",
        (2, true) | (3, false) => "INFO-CRED",
        _ => "CAP-BAD",
    }
}

/// What most likely fails where a phase is seen, and nothing is said.
fn of_phase(phase: PhaseName) -> &'static str {
    match phase {
        // Nothing was asked yet: the server, or a box in front of it, hangs up after its own confirm.
        PhaseName::NameResolution
        | PhaseName::Tcp
        | PhaseName::GatewayTls
        | PhaseName::GatewayHttp
        | PhaseName::GatewayAuth
        | PhaseName::GatewayTunnel
        | PhaseName::GatewayAuthorization
        | PhaseName::GatewayChannel
        | PhaseName::Negotiation => "TCP-RST-AFTER",
        PhaseName::Tls | PhaseName::Credssp | PhaseName::BasicSettings | PhaseName::ChannelConnection => "MCS-REJECT",
        PhaseName::SecurityCommencement => "SEC-MAC",
        PhaseName::SecureSettings | PhaseName::AutoDetection => "INFO-CRED",
        PhaseName::Licensing => "LIC-NOSRV",
        PhaseName::Multitransport | PhaseName::Capabilities | PhaseName::Finalization | PhaseName::Active => "CAP-BAD",
    }
}

/// Standard RDP security: the phase is seen, the reason mostly is not.
pub fn in_clear(timeline: &Timeline) -> Option<Finding> {
    // A proxy that is stopped resets both ends: that says nothing of either.
    let end = stage::failed(timeline).filter(|end| Party::of(end) != Party::Proxy)?;
    if stage::stage(timeline).0 != Stage::Plain {
        return None;
    }
    let phase = timeline.last_phase();
    let waits = timeline.facts.mcs.last().is_some_and(|last| last.what.0 == Side::Client);
    let is_first_sealed = phase == PhaseName::SecureSettings && timeline.facts.inner.security_exchange.is_some();
    let is_refused = stage::goodbye(timeline).is_some();
    if stage::by_client(end)
        && !is_refused
        && phase > PhaseName::Negotiation
        && end.stopped.is_none()
        && end.silence < LEFT
    {
        let says = format!(
            "in {phase}, with standard RDP security, the client leaves by itself: the {}",
            stage::end_in_words(end)
        );
        return left(timeline, says, &[]);
    }
    let id = match phase {
        // Client Info is the first message that is encrypted: who cannot read it does not know whose password is wrong.
        PhaseName::SecureSettings if is_first_sealed && (stage::by_server(end) || is_refused) => "SEC-MAC",
        // It has answered, and in RDP.
        PhaseName::Negotiation if stage::by_server(end) || is_refused => "X224-REFUSED",
        _ if stage::by_timeout(end) => "PATH-DEAD",
        _ if stage::by_client(end) && waits && (end.silence >= STALLED || end.stopped.is_some()) => "PATH-WINZERO",
        phase => of_phase(phase),
    };
    let says = format!("in {phase}, with standard RDP security, the {}", stage::end_in_words(end));
    let finding = Finding::at_end(timeline, id, Confidence::Possible, says)?;
    let finding = match id {
        "PATH-WINZERO" => finding.on(stage::server_leg(timeline), phase).by(Party::Server),
        "X224-REFUSED" | "TCP-RST-AFTER" => {
            finding.or("X224-SSLNO", Confidence::Possible).or("TLS-NOKEY", Confidence::Possible)
        }
        "SEC-MAC" => finding.or("INFO-CRED", Confidence::Possible),
        _ => finding,
    };
    let finding = match timeline.facts.mcs.last() {
        Some(last) => finding.with(last.mark, format!("last new kind of MCS PDU, of the {}", last.what.0)),
        None => finding,
    };
    Some(finding.with_end(timeline))
}

/// An active session that did not end normally.
pub fn broken(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|_| timeline.is_active() && timeline.ended_badly())?;
    let active = timeline.phase(PhaseName::Active)?;
    let lasted = end.mark.at.since(active.began);
    let woken = woken(timeline, end);
    let idle = forgotten(timeline);
    // What it is that does not get through is told by the path.
    if timeline.is_frozen() && idle.is_none() {
        return None;
    }
    let cut_when_quiet = stage::by_server(end) && end.silence >= QUIET;
    let (id, confidence) = match (end.how, idle) {
        (_, Some(_)) => ("PATH-IDLE", Confidence::Likely),
        (Ending::TimedOut | Ending::Unreachable, None) => ("PATH-DEAD", Confidence::Likely),
        _ if cut_when_quiet => ("PATH-PROXYIDLE", Confidence::Possible),
        _ if lasted < JUST_ACTIVE => ("SES-KILLED", Confidence::Possible),
        _ => ("SES-SHUTDOWN", Confidence::Possible),
    };
    if Party::of(end) == Party::Proxy {
        return None;
    }
    let gap = woken.map(|gap| format!(", after an idle gap of {}", length(gap))).unwrap_or_default();
    let says = format!("the running session breaks after {}: {}{gap}", length(lasted), stage::end_in_words(end));
    let finding = Finding::at_end(timeline, id, confidence, says)?.with_end(timeline);
    let finding = match id {
        "PATH-DEAD" => path::unheard(finding.by(Party::Nobody), timeline),
        "PATH-PROXYIDLE" => finding.or("SES-IDLE", Confidence::Possible).or("SES-SHUTDOWN", Confidence::Possible),
        "SES-KILLED" => finding.or("SES-SHUTDOWN", Confidence::Possible),
        "SES-SHUTDOWN" => finding.or("SES-KILLED", Confidence::Possible),
        _ => finding,
    };
    let finding = match (end.how, end.from) {
        (Ending::Fin, Some(Side::Server)) => finding.with(end.mark, "neither side had said that it leaves"),
        (_, Some(Side::Server)) => finding.or("PATH-RSTINJ", Confidence::Possible),
        (_, Some(Side::Client) | None) => finding,
    };
    let through_gateway = timeline.facts.gateway.is_some();
    Some(if through_gateway { finding.or("RDG-LIMIT", Confidence::Possible) } else { finding })
}

/// How long a session was idle that a box on the way forgot meanwhile, by how it broke: that answers the first segment after
/// the gap with a reset, or not at all. A side whose keep-alives were not answered resets by itself.
pub fn forgotten(timeline: &Timeline) -> Option<Duration> {
    let end = timeline.end.as_ref()?;
    let is_own = Party::of(end) == Party::Proxy || timeline.legs.iter().any(|leg| leg.probed_in_vain().is_some());
    let is_reset = end.how == Ending::Reset && end.silence >= IDLE && !is_own;
    woken(timeline, end).or(Some(end.silence).filter(|_| is_reset))
}

/// The idle gap that was over shortly before the end.
fn woken(timeline: &Timeline, end: &End) -> Option<Duration> {
    timeline.idle.filter(|(_, over)| end.mark.at.since(*over) < WOKEN).map(|(gap, _)| gap)
}

/// What the records before the end have the length of.
fn with_last_words(finding: Finding, timeline: &Timeline, end: &End) -> Finding {
    let Some(side) = end.from.filter(|_| timeline.is_inferred()) else { return finding };
    let LastWords { error_info, ultimatum, .. } = timeline.last_words(side);
    let what = match (error_info, ultimatum) {
        (true, _) => "the last records of the {} have the lengths of Set Error Info and Disconnect Provider Ultimatum",
        (false, true) => "the last record of the {} has the length of a Disconnect Provider Ultimatum",
        (false, false) => return finding,
    };
    finding.with(end.mark, what.replace("{}", side.name()) + " (inferred)")
}

fn with_turns(finding: Finding, timeline: &Timeline) -> Finding {
    let Some(established) = timeline.facts.first(|tls| tls.established.as_ref()) else { return finding };
    let leg = timeline.facts.tls.iter().find(|tls| tls.leg == established.mark.leg);
    let [client, server] = leg.map(|tls| tls.records).unwrap_or_default();
    let says = format!(
        "TLS established; {} of the client, {server} of the server on this leg",
        counted(client, "sealed record")
    );
    finding.with(established.mark, says)
}
