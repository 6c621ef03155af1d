//! Rules of what happens after the TLS handshake, where only sizes and ends can be seen, and of sessions in clear.

use std::time::Duration;

use super::stage::{self, Stage, length};
use super::{Confidence, Finding, Party, Severity};
use crate::observation::{Ending, Side};
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

/// A session that dies earlier than this after it became active died of its start.
const JUST_ACTIVE: Duration = Duration::from_secs(10);
/// Boxes forget connections after four minutes at the earliest.
const IDLE: Duration = Duration::from_secs(200);
/// Human and machine answers are quicker than this.
const STALLED: Duration = Duration::from_secs(5);

/// CredSSP was selected, something was exchanged, and the session never became active.
pub fn credssp(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    let (answered, waits) = timeline.sealed_progress();
    if stage::stage(timeline).0 != Stage::Established || end.phase != PhaseName::Credssp || answered > 0 {
        return None;
    }
    let words = stage::end_in_words(end);
    let (id, says) = if stage::by_server(end) {
        ("NLA-CRED", format!("after the TLS handshake, most likely in CredSSP, the {words}"))
    } else if stage::by_client(end) && (!waits || end.silence < STALLED) {
        ("NLA-ORACLE", format!("after the TLS handshake, most likely in CredSSP, the {words}"))
    } else {
        ("NLA-KDC", format!("after the TLS handshake the server says nothing for {}", length(end.silence)))
    };
    let finding = Finding::at_end(timeline, id, Confidence::Possible, says)?;
    // Its silence is the server's, even where it is the client that gives up.
    let finding =
        if id == "NLA-KDC" { finding.on(stage::server_leg(timeline), end.phase).by(Party::Server) } else { finding };
    Some(with_turns(finding, timeline).with_end(timeline).or("MCS-REJECT", Confidence::Possible))
}

/// Plain TLS, and the session never became active.
pub fn behind_tls(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    if stage::stage(timeline).0 != Stage::Established {
        return None;
    }
    let words = stage::end_in_words(end);
    let says = format!("after the TLS handshake, before the session is active, the {words}");
    let finding = Finding::at_end(timeline, next_step(timeline), Confidence::Possible, says)?;
    let finding = with_turns(finding, timeline).with_end(timeline);
    let others = ["MCS-REJECT", "INFO-CRED", "LIC-NOSRV", "CAP-BAD"];
    Some(others.into_iter().fold(finding, |finding, other| finding.or(other, Confidence::Possible)))
}

/// What fails where it ended, counted in turns: Connect Initial, Attach User, Client Info, Confirm Active.
fn next_step(timeline: &Timeline) -> &'static str {
    match timeline.sealed_progress() {
        (0 | 1, _) | (2, false) => "MCS-REJECT",
        (2, true) | (3, false) => "INFO-CRED",
        _ => "CAP-BAD",
    }
}

/// Standard RDP security: the phase is seen, the reason mostly is not.
pub fn in_clear(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline)?;
    if stage::stage(timeline).0 != Stage::Plain {
        return None;
    }
    let phase = timeline.last_phase();
    let id = match phase {
        PhaseName::BasicSettings | PhaseName::ChannelConnection => "MCS-REJECT",
        PhaseName::SecurityCommencement | PhaseName::SecureSettings => "INFO-CRED",
        PhaseName::Licensing => "LIC-NOSRV",
        _ => "CAP-BAD",
    };
    let says = format!("in {phase}, with standard RDP security, the {}", stage::end_in_words(end));
    let finding = Finding::at_end(timeline, id, Confidence::Possible, says)?;
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
    let (id, confidence) = match (end.how, end.silence) {
        (Ending::TimedOut | Ending::Unreachable, _) => ("PATH-DEAD", Confidence::Likely),
        (_, silence) if silence >= IDLE => ("PATH-IDLE", Confidence::Likely),
        _ if lasted < JUST_ACTIVE => ("SES-KILLED", Confidence::Possible),
        _ => ("SES-SHUTDOWN", Confidence::Possible),
    };
    if Party::of(end) == Party::Proxy {
        return None;
    }
    let says = format!("the running session breaks after {}: {}", length(lasted), stage::end_in_words(end));
    let finding = Finding::at_end(timeline, id, confidence, says)?.with_end(timeline).severity(Severity::Failure);
    Some(if end.from == Some(Side::Server) { finding.or("PATH-RSTINJ", Confidence::Possible) } else { finding })
}

fn with_turns(finding: Finding, timeline: &Timeline) -> Finding {
    let Some(established) = timeline.facts.first(|tls| tls.established.as_ref()) else { return finding };
    let leg = timeline.facts.tls.iter().find(|tls| tls.leg == established.mark.leg);
    let [client, server] = leg.map(|tls| tls.records).unwrap_or_default();
    let says = format!("TLS established; {client} sealed records of the client, {server} of the server on this leg");
    finding.with(established.mark, says)
}
