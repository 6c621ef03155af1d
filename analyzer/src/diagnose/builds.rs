//! A note where a side's build had a fault that looks like what is seen.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::stage;
use super::unsealed::at;
use super::{Confidence, Finding, Party, Severity};
use crate::codes::builds::{FAULTS, Shows};
use crate::event::NtlmKind;
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::facts::Mark;
use crate::timeline::phase::PhaseName;

/// The name of the rule.
pub(super) const RULE: &str = "a build with a known fault";
/// Windows 10, 11 and the servers of their time.
const WINDOWS: (u8, u8) = (10, 0);

/// A session that a fault of UDP breaks is so old then.
const SIXTY_FIVE_SECONDS: RangeInclusive<Duration> = Duration::from_secs(62)..=Duration::from_secs(70);

/// A build, and the message that says it.
struct Build {
    number: u16,
    mark: Mark,
    said_in: &'static str,
}

/// A message of a side names a build with a known fault, and the session ended as that fault ends it.
pub fn known(timeline: &Timeline) -> Option<Finding> {
    let shows = shown(timeline)?;
    let (server, client) = (of_ntlm(timeline, NtlmKind::Challenge), of_client(timeline));
    let (fault, build) = FAULTS.iter().find_map(|fault| {
        let (own, other) = if fault.of_server { (&server, &client) } else { (&client, &server) };
        let fits = other.as_ref().is_none_or(|other| fault.with.contains(&other.number)) && fault.shows == shows;
        own.as_ref().filter(|own| fits && fault.builds.contains(&own.number)).map(|own| (fault, own))
    })?;
    let Build { number, mark, said_in } = *build;
    let who = if fault.of_server { Side::Server } else { Side::Client };
    let says = format!(
        "the {who} says build {number} ({}), where this end is known since {}; {}; its updates the wire does not show",
        fault.system, fault.since, fault.mended
    );
    let finding = at(timeline, fault.cause, Confidence::Possible, mark, timeline.last_phase(), says)?;
    let finding = finding.by(Party::Nobody).severity(Severity::Note);
    Some(finding.with(mark, format!("build {number} in the {who}'s {said_in}; {}", fault.source)))
}

/// What a side says of itself in NTLM.
fn of_ntlm(timeline: &Timeline, kind: NtlmKind) -> Option<Build> {
    let seen = timeline.facts.inner.credssp.ntlm(kind)?;
    let (major, minor, number) = seen.what.version?;
    ((major, minor) == WINDOWS).then_some(Build { number, mark: seen.mark, said_in: "NTLM message" })
}

/// What the client says of itself, in NTLM or in its settings.
fn of_client(timeline: &Timeline) -> Option<Build> {
    let settings = || {
        let seen = timeline.facts.inner.settings.client.as_ref()?;
        let number = u16::try_from(seen.what.build?).ok()?;
        Some(Build { number, mark: seen.mark, said_in: "settings (clientBuild)" })
    };
    of_ntlm(timeline, NtlmKind::Negotiate).or_else(settings)
}

/// As which fault it ended, if at all.
fn shown(timeline: &Timeline) -> Option<Shows> {
    if breaks_over_udp(timeline) {
        return Some(Shows::BrokeOverUdp);
    }
    let end = stage::ended_early(timeline).filter(|_| timeline.last_phase() == PhaseName::Credssp)?;
    Some(if end.from == Some(Side::Client) { Shows::Left } else { Shows::Refused })
}

/// Whether UDP was asked for and not refused, and the session broke when it was 65 s old.
fn breaks_over_udp(timeline: &Timeline) -> bool {
    let inner = &timeline.facts.inner;
    let has_udp =
        !inner.multitransport.is_empty() && inner.multitransport_answers.iter().all(|answer| answer.what == 0);
    let lasted = timeline.end.zip(timeline.began).map(|(end, began)| end.mark.at.since(began));
    let is_of_age = lasted.is_some_and(|lasted| SIXTY_FIVE_SECONDS.contains(&lasted));
    has_udp && is_of_age && timeline.is_active() && timeline.ended_badly()
}
