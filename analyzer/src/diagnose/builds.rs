//! A note where a side's build had a fault that looks like what is seen.

use super::stage;
use super::unsealed::at;
use super::{Confidence, Finding, Party, Severity};
use crate::codes::builds::{FAULTS, Shows};
use crate::event::NtlmKind;
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

/// The name of the rule.
pub(super) const RULE: &str = "a build with a known fault";
/// Windows 10, 11 and the servers of their time.
const WINDOWS: (u8, u8) = (10, 0);

/// The NTLM version of a side names a build with a known fault, and the session ended as that fault ends it.
pub fn known(timeline: &Timeline) -> Option<Finding> {
    let shows = shown(timeline)?;
    let credssp = &timeline.facts.inner.credssp;
    let side = |kind| {
        let seen = credssp.ntlm(kind)?;
        let (major, minor, build) = seen.what.version?;
        ((major, minor) == WINDOWS).then_some((build, seen.mark))
    };
    let (server, client) = (side(NtlmKind::Challenge), side(NtlmKind::Negotiate));
    let (fault, (build, mark)) = FAULTS.iter().find_map(|fault| {
        let of = if fault.of_server { server } else { client };
        of.filter(|(build, _)| fault.shows == shows && fault.builds.contains(build)).map(|of| (fault, of))
    })?;
    let who = if fault.of_server { Side::Server } else { Side::Client };
    let says = format!(
        "the {who} says build {build} ({}), where this end is known since {}; {}; its updates the wire does not show",
        fault.system, fault.since, fault.mended
    );
    let finding = at(timeline, fault.cause, Confidence::Possible, mark, timeline.last_phase(), says)?;
    let finding = finding.by(Party::Nobody).severity(Severity::Note);
    Some(finding.with(mark, format!("version 10.0.{build} in the {who}'s NTLM message; {}", fault.source)))
}

/// As which fault it ended, if at all.
fn shown(timeline: &Timeline) -> Option<Shows> {
    let end = stage::ended_early(timeline).filter(|_| timeline.last_phase() == PhaseName::Credssp)?;
    Some(if end.from == Some(Side::Client) { Shows::Left } else { Shows::Refused })
}
