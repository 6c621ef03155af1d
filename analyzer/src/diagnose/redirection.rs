//! Rules of a redirection, seen or possible. Whether its target answers, the next session of the attempt tells.

use super::unsealed::at;
use super::{Confidence, Finding, Party, Severity};
use crate::timeline::Timeline;

/// The client is sent to a named place: whoever cannot reach that fails there, not here.
pub fn sent_elsewhere(timeline: &Timeline) -> Option<Finding> {
    let inner = &timeline.facts.inner;
    let seen = inner.redirection.as_ref().filter(|_| inner.is_redirected())?;
    let target = seen.what.target()?;
    let says = format!("the server sends the client to {target}: what becomes of it there is another connection");
    let finding = at(timeline, "RED-UNREACH", Confidence::Possible, seen.mark, timeline.last_phase(), says)?;
    let finding = finding.by(Party::Server).severity(Severity::Note);
    Some(finding.with(seen.mark, format!("Server Redirection to {target}, session {}", seen.what.session)))
}

/// Without plaintext: the client leaves in order behind a long message where a redirection comes. A healthy session of a
/// broker's goes on elsewhere then, so this is no failure.
pub fn maybe_elsewhere(timeline: &Timeline) -> Option<Finding> {
    timeline.end.as_ref().filter(|_| timeline.may_be_redirected())?;
    let says = "the client leaves in order behind a long message of the server, as behind a redirection".to_owned();
    let finding = Finding::at_end(timeline, "RED-UNREACH", Confidence::Possible, says)?;
    let finding = finding.by(Party::Nobody).severity(Severity::Note).with_end(timeline);
    Some(["LIC-NOSRV", "CAP-BAD"].into_iter().fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
}
