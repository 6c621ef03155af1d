//! Rules of what follows Client Info, up to the licence, where plaintext shows it.

use super::stage;
use super::unsealed::{Broken, Verdict, Way, at, coded, party, written};
use super::{Confidence, Finding};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

/// An error alert of licensing that is not STATUS_VALID_CLIENT.
pub fn refused(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let mut refusals = timeline.facts.inner.licensing.iter().filter_map(|seen| Some((seen, seen.what.refusal()?)));
    let (seen, number) = refusals.next_back()?;
    let code = coded(&["license"], number);
    let id = code.and_then(|code| code.causes.first()).copied().unwrap_or("LIC-CLIENT");
    let (from, result) = (seen.what.from, written(number, code));
    let says = format!("the {from} ends licensing with {result}");
    let finding = at(timeline, id, Confidence::Certain, seen.mark, PhaseName::Licensing, says)?;
    Some(finding.by(party(from)).with(seen.mark, format!("licensing error alert {result}")))
}

/// The client said who it is, and got no licence, or nothing behind it.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let phases =
        [PhaseName::SecurityCommencement, PhaseName::SecureSettings, PhaseName::AutoDetection, PhaseName::Licensing];
    let broken = Broken::within(timeline, &phases)?;
    let licensing = &timeline.facts.inner.licensing;
    let verdict = match licensing.last() {
        None => behind_client_info(broken.way, timeline.facts.inner.credssp.auth_info().is_some()),
        Some(last) if last.what.is_granted() => behind_licence(broken.way),
        Some(_) => in_licensing(broken.way),
    };
    broken.judged(verdict)
}

/// With NLA the password has been found right before.
fn behind_client_info(way: Way, authenticated: bool) -> Verdict {
    match way {
        Way::Refused(Side::Server) | Way::Left(Side::Server) if authenticated => {
            ("SES-DENIED", Confidence::Possible, &["BRK-CODES", "LIC-NOSRV", "MCS-INFO"])
        }
        Way::Refused(Side::Server) | Way::Left(Side::Server) => {
            ("INFO-CRED", Confidence::Possible, &["MCS-INFO", "BRK-CODES", "LIC-NOSRV", "SES-DENIED"])
        }
        Way::Refused(Side::Client) | Way::Left(Side::Client) => ("INFO-CRED", Confidence::Possible, &["PRX-PROBE"]),
        Way::Silent(Side::Server) => {
            ("SES-BUSY", Confidence::Possible, &["LIC-TIMEOUT", "BRK-CODES", "INFO-CRED", "PATH-WINZERO"])
        }
        Way::Silent(Side::Client) | Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    }
}

/// Somebody asked for a licence, or sent one, and got nothing.
fn in_licensing(way: Way) -> Verdict {
    match way {
        Way::Refused(Side::Server) | Way::Left(Side::Server) => ("LIC-NOSRV", Confidence::Likely, &["LIC-CLIENT"]),
        Way::Refused(Side::Client) | Way::Left(Side::Client) => ("LIC-CLIENT", Confidence::Likely, &["LIC-NOSRV"]),
        Way::Silent(Side::Server) => ("LIC-TIMEOUT", Confidence::Likely, &["LIC-NOSRV", "PATH-WINZERO"]),
        Way::Silent(Side::Client) => ("LIC-CLIENT", Confidence::Possible, &["PATH-DEAD"]),
        Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    }
}

/// From here on the server makes the session.
fn behind_licence(way: Way) -> Verdict {
    match way {
        Way::Refused(Side::Server) | Way::Left(Side::Server) => {
            ("SES-KILLED", Confidence::Possible, &["SES-DENIED", "SES-DRV", "INFO-CRED"])
        }
        Way::Refused(Side::Client) | Way::Left(Side::Client) => ("CAP-BAD", Confidence::Possible, &["PRX-PROBE"]),
        Way::Silent(Side::Server) => ("SES-BUSY", Confidence::Possible, &["SES-DRV", "PATH-WINZERO", "INFO-CRED"]),
        Way::Silent(Side::Client) | Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    }
}
