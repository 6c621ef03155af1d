//! Rules of MCS where plaintext shows it: the settings, and the channels.

use std::time::Duration;

use super::stage::{self, length};
use super::unsealed::{Broken, Verdict, Way, at, coded, written};
use super::{Confidence, Finding, Party, Severity};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::phase::{Outcome, PhaseName};

/// So many channels joined one by one,
const MANY: u32 = 3;
/// and so long, are worth a word: whoever skips the joins has none of it.
const SLOW: Duration = Duration::from_millis(1500);

/// MCS Connect-Response with a result that is none.
pub fn refused(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.settings.result.as_ref().filter(|seen| seen.what != 0)?;
    let result = written(seen.what.into(), coded(&["mcs-result"], seen.what.into()));
    let says = format!("the server refuses the settings: MCS Connect-Response {result}");
    let finding = at(timeline, "MCS-REJECT", Confidence::Certain, seen.mark, PhaseName::BasicSettings, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("Connect-Response with result {result}")))
}

/// A Channel Join Confirm with a result that is none: clients leave then, 3.2.5.3.8.
pub fn join_refused(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let seen = timeline.facts.inner.settings.join_refused.as_ref()?;
    let result = written(seen.what.into(), coded(&["mcs-result"], seen.what.into()));
    let says = format!("the server refuses a channel: Channel Join Confirm {result}");
    let finding = at(timeline, "MCS-JOIN", Confidence::Certain, seen.mark, PhaseName::ChannelConnection, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("Channel Join Confirm with result {result}")))
}

/// The settings were sent, the session got no further than its channels, and nobody says why.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let broken = Broken::within(timeline, &[PhaseName::BasicSettings, PhaseName::ChannelConnection])?;
    let settings = &timeline.facts.inner.settings;
    let joining = broken.phase == PhaseName::ChannelConnection && settings.joins > 0;
    let verdict: Verdict = match broken.way {
        Way::Refused(Side::Server) if joining => ("MCS-JOIN", Confidence::Likely, &["MCS-REJECT"]),
        Way::Refused(Side::Server) => ("MCS-REJECT", Confidence::Likely, &["MCS-GFX", "SES-DENIED"]),
        Way::Left(Side::Server) => ("MCS-REJECT", Confidence::Possible, &["MCS-GFX", "SES-DENIED"]),
        Way::Refused(Side::Client) | Way::Left(Side::Client) if joining => {
            ("MCS-JOIN", Confidence::Possible, &["MCS-REJECT", "PRX-PROBE"])
        }
        Way::Refused(Side::Client) | Way::Left(Side::Client) => {
            ("MCS-REJECT", Confidence::Possible, &["MCS-GFX", "PRX-PROBE"])
        }
        Way::Silent(Side::Server) => ("PATH-WINZERO", Confidence::Possible, &["SES-BUSY", "MCS-REJECT"]),
        // Connect Initial is its first large message without NLA.
        Way::Silent(Side::Client) | Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    };
    broken.judged(verdict)
}

/// Channels that are joined one by one, a round trip each.
pub fn slow_joins(timeline: &Timeline) -> Option<Finding> {
    let phase = timeline.phase(PhaseName::ChannelConnection).filter(|phase| phase.outcome == Outcome::Done)?;
    // What was held here on purpose is nobody's.
    let took = phase.duration().saturating_sub(phase.waited.impairment);
    let joins = timeline.facts.inner.settings.joins;
    timeline.facts.inner.unsealed.filter(|_| joins >= MANY && took >= SLOW)?;
    let says = format!("{joins} channels are joined one by one, which takes {}", length(took));
    let finding = Finding::at_end(timeline, "MCS-JOIN", Confidence::Likely, says)?;
    let finding = finding.on(phase.leg, phase.name).by(Party::Nobody).severity(Severity::Warning);
    Some(finding.or("PATH-LAT", Confidence::Possible))
}
