//! Rules of sessions that this program impaired on purpose: what it did itself is no fault of client, server or network.

use super::stage::{self, length};
use super::{Confidence, Finding, Party, Severity};
use crate::causes::Layer;
use crate::observation::{Deed, Impairment, Side};
use crate::timeline::Timeline;
use crate::timeline::facts::{Mark, Sighting};

/// Impairments besides the first that are told one by one.
const FURTHER: usize = 8;

/// The cause that all of them name.
pub(super) const ID: &str = "PRX-IMPAIR";

/// It was ended by `close` or `reset`.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let deed = timeline.ended_on_purpose()?;
    let asked = &deed.what.asked;
    let how = match deed.what.deed {
        Deed::Close { by } => format!("FIN to the {}, as if the {by} had closed", by.other()),
        Deed::Reset { by } => format!("RST to both sides, as if the {by} had reset"),
        Deed::Latency { .. } | Deed::Bandwidth { .. } | Deed::Stall => return None,
    };
    let says = format!("ended by --impair '{asked}': {how}");
    Some(by_proxy(timeline, deed, Confidence::Certain, says)?.with_end(timeline))
}

/// Somebody gave it up while nothing was let pass.
pub fn stalled(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|end| end.how != crate::observation::Ending::Cut)?;
    let broke = timeline.is_active() && timeline.ended_badly();
    if !broke && stage::failed(timeline).is_none() || Party::of(end) == Party::Proxy {
        return None;
    }
    let stall = timeline.stalled_at_end()?;
    let (asked, since) = (&stall.what.asked, length(end.mark.at.since(stall.mark.at)));
    let says = format!("ended {since} after --impair '{asked}' began to let nothing pass");
    Some(by_proxy(timeline, stall, Confidence::Likely, says)?.with_end(timeline))
}

/// It was impaired, and went well or failed of something else.
pub fn noted(timeline: &Timeline) -> Option<Finding> {
    let (first, _) = timeline.facts.impairments().next()?;
    if timeline.ended_on_purpose().is_some() {
        return None;
    }
    let says = format!("impaired on purpose, by --impair {}", asked(timeline));
    let finding = by_proxy(timeline, first, Confidence::Certain, says)?.severity(Severity::Note);
    let further = timeline.facts.impairments().skip(1).take(FURTHER);
    Some(further.fold(finding, |finding, (seen, _)| finding.with(seen.mark, began(seen))))
}

/// Every impairment that took effect, as it was asked for.
pub(crate) fn asked(timeline: &Timeline) -> String {
    let mut all: Vec<String> = timeline.facts.impairments().map(|(seen, _)| format!("'{}'", seen.what.asked)).collect();
    all.dedup();
    all.join(" and ")
}

/// What would follow from a delay alone is no cause of the world: the impairment comes first where the last wait was spent
/// mostly here, and is an alternative wherever the bytes do not say the cause.
pub(super) fn explains(timeline: &Timeline, mut finding: Finding) -> Finding {
    let is_slowed = timeline.facts.impairments().any(|(seen, _)| !seen.what.deed.is_end());
    if !is_slowed || finding.severity == Severity::Note || finding.cause.id == ID {
        return finding;
    }
    let held = timeline.waits.last().filter(|wait| !wait.was_answered && wait.held * 2 >= wait.lasted());
    match finding.cause.layer {
        // It happened before anything can be impaired.
        Layer::Resolution | Layer::Reachability => finding,
        _ if finding.confidence == Confidence::Certain => finding,
        _ => match held {
            Some(wait) => {
                finding.may_be(ID);
                finding.confidence = Confidence::Likely;
                let mark = Mark { at: wait.since, frame: wait.frame, leg: wait.leg };
                let says = format!(
                    "of the last {} what was said was held here for {}",
                    length(wait.lasted()),
                    length(wait.held)
                );
                finding.by(Party::Proxy).with(mark, says)
            }
            None => finding.or(ID, Confidence::Possible),
        },
    }
}

fn by_proxy(timeline: &Timeline, deed: &Sighting<Impairment>, confidence: Confidence, says: String) -> Option<Finding> {
    let finding = Finding::at_end(timeline, ID, confidence, says)?.by(Party::Proxy);
    Some(finding.with(deed.mark, began(deed)))
}

fn began(deed: &Sighting<Impairment>) -> String {
    let whose = match deed.what.from {
        Some(Side::Client) => " of what the client says",
        Some(Side::Server) => " of what the server says",
        None => "",
    };
    format!("here {}{whose} began on the {} leg", deed.what.deed, deed.mark.leg)
}
