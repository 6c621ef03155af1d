//! Rules of capabilities and finalization where plaintext shows them.

use super::unsealed::{Broken, Verdict, Way};
use super::{Confidence, Finding};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

/// The session had its licence and did not become active.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let phases = [PhaseName::Multitransport, PhaseName::Capabilities, PhaseName::Finalization];
    let broken = Broken::within(timeline, &phases)?;
    let confirmed = timeline.facts.inner.confirm_active.is_some();
    let verdict: Verdict = match broken.way {
        Way::Refused(Side::Server) | Way::Left(Side::Server) if confirmed => {
            ("CAP-BAD", Confidence::Likely, &["SES-DRV", "SES-KILLED", "MCS-GFX"])
        }
        Way::Refused(Side::Server) | Way::Left(Side::Server) => {
            ("SES-KILLED", Confidence::Possible, &["SES-DRV", "SES-DENIED"])
        }
        // It has seen all that it came for, and says so before it closes.
        Way::Refused(Side::Client) | Way::Left(Side::Client) if timeline.is_left_in_order() => {
            ("PRX-PROBE", Confidence::Possible, &[])
        }
        Way::Refused(Side::Client) => ("CAP-BAD", Confidence::Likely, &["MCS-GFX"]),
        Way::Left(Side::Client) => ("CAP-BAD", Confidence::Possible, &["PRX-PROBE"]),
        Way::Silent(Side::Server) => ("SES-DRV", Confidence::Possible, &["SES-BUSY", "CAP-BAD", "PATH-WINZERO"]),
        Way::Silent(Side::Client) | Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    };
    broken.judged(verdict)
}
