//! Rules of what the server says of a session inside it: why it ends, who may not be there.

use std::time::Duration;

use super::stage::length;
use super::unsealed::{at, coded, written};
use super::{Confidence, Finding, Party, Severity};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::inner::Inner;
use crate::timeline::phase::PhaseName;

/// rn-provider-initiated, T.125 7.
const BY_PROVIDER: u8 = 1;
/// Somebody who types and clicks for so long,
const TRIES: Duration = Duration::from_secs(20);
/// and so often, would have seen something of it.
const TIMES: u64 = 40;

/// The server says why it ends the session.
pub fn errinfo(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.error().filter(|seen| !Inner::is_by_user(seen.what))?;
    let code = coded(&["errinfo"], seen.what);
    let result = written(seen.what, code);
    let says = format!("the server ends the session and says why: {result}");
    let phase = timeline.end.as_ref()?.phase;
    let causes = code.map(|code| code.causes).unwrap_or_default();
    let sure = if causes.len() > 1 { Confidence::Likely } else { Confidence::Certain };
    let (id, sure) = causes.first().map_or(("SES-KILLED", Confidence::Possible), |id| (*id, sure));
    let finding = at(timeline, id, sure, seen.mark, phase, says)?.by(Party::Server);
    let finding = finding.with(seen.mark, format!("Set Error Info {result}")).with_end(timeline);
    Some(causes.iter().skip(1).fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
}

/// The server takes what the client says, and shows nothing any more.
pub fn unanswered(timeline: &Timeline) -> Option<Finding> {
    let input = timeline.unanswered.filter(|_| timeline.is_active() && !timeline.is_frozen())?;
    let lasted = input.until.since(input.since.at);
    if lasted < TRIES || input.times < TIMES {
        return None;
    }
    let says = format!(
        "the client says something {} times for {}, which the server acknowledges, and nothing comes back",
        input.times,
        length(lasted)
    );
    let finding = at(timeline, "SES-FROZEN", Confidence::Possible, input.since, PhaseName::Active, says)?;
    let finding = finding.by(Party::Server).severity(Severity::Note);
    let finding = finding.with(input.since, "the first that nothing of the server follows").with_end(timeline);
    Some(finding.or("SES-BUSY", Confidence::Possible))
}

/// The logon inside the session is denied, \[MS-RDPBCGR\] 2.2.10.1.1.4.1.1.
pub fn denied(timeline: &Timeline) -> Option<Finding> {
    let mut denials = timeline.facts.inner.logon_errors.iter().filter_map(|seen| {
        let id = match seen.what.0 {
            0xffff_fff9 => "SES-DENIED",
            0xffff_fffa | 0xffff_ffff => "NLA-RIGHT",
            _ => return None,
        };
        Some((seen, id))
    });
    let (seen, id) = denials.next_back()?;
    let name = written(seen.what.0, coded(&["logon"], seen.what.0));
    let says = format!("the session is there, and the server does not let the user in: {name}");
    let finding = at(timeline, id, Confidence::Likely, seen.mark, PhaseName::Active, says)?.by(Party::Server);
    let finding = finding.severity(Severity::Warning).with(seen.mark, format!("Save Session Info, logon error {name}"));
    Some(finding.or("SES-DENIED", Confidence::Possible))
}

/// A running session that the server ends in order, of its own accord, and without a reason.
pub fn disconnected(timeline: &Timeline) -> Option<Finding> {
    let inner = &timeline.facts.inner;
    let seen = inner.ultimatum.as_ref().filter(|_| timeline.is_active() && inner.error().is_none())?;
    if seen.what != (Side::Server, BY_PROVIDER) {
        return None;
    }
    let says = "the server ends the session in order and gives no reason: rn-provider-initiated".to_owned();
    let finding = at(timeline, "SES-ADMIN", Confidence::Likely, seen.mark, PhaseName::Active, says)?.by(Party::Server);
    let finding = finding.severity(Severity::Note).with(seen.mark, "MCS Disconnect Provider Ultimatum of the server");
    Some(finding.or("SES-REPLACED", Confidence::Possible).or("SES-LIMIT", Confidence::Possible))
}

/// The cookie of an automatic reconnection is not taken: the user has to log on again, \[MS-RDPBCGR\] 2.2.4.1.
pub fn reconnect_refused(timeline: &Timeline) -> Option<Finding> {
    let mark = timeline.facts.inner.reconnect_refused?;
    let says = "the server does not take the cookie of an automatic reconnection".to_owned();
    let finding = at(timeline, "SES-ARC", Confidence::Likely, mark, timeline.last_phase(), says)?.by(Party::Server);
    Some(finding.severity(Severity::Note).with(mark, "Auto-Reconnect Status"))
}
