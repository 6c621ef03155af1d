//! A session that this program impaired on purpose: what was done, and how long it held what was said.

use std::time::Duration;

use super::facts::{Facts, Mark, Sighting};
use super::phase::Outcome;
use super::{LegName, Timeline};
use crate::observation::{Deed, Impairment, Side, Step};
use crate::time::Timestamp;

/// Beginnings and ends that are kept: nobody asks for so many impairments.
const KEPT: usize = 128;

impl Facts {
    pub(super) fn impaired(&mut self, mark: Mark, impairment: &Impairment) {
        if self.impairments.len() < KEPT {
            self.impairments.push(Sighting { what: impairment.clone(), mark });
        }
    }

    /// Every impairment that took effect, with when it was over.
    pub fn impairments(&self) -> impl Iterator<Item = (&Sighting<Impairment>, Option<Timestamp>)> {
        let begun = self.impairments.iter().filter(|seen| seen.what.step == Step::Begins);
        begun.map(|seen| (seen, self.is_over(seen)))
    }

    fn is_over(&self, begun: &Sighting<Impairment>) -> Option<Timestamp> {
        let ends = |seen: &&Sighting<Impairment>| {
            seen.what.step == Step::Over && seen.what.asked == begun.what.asked && seen.mark.at >= begun.mark.at
        };
        self.impairments.iter().find(ends).map(|seen| seen.mark.at)
    }

    /// The delay that was asked for what this side had said then, and was in effect before the other one answered.
    fn delay(&self, from: Side, since: Timestamp, until: Timestamp) -> Duration {
        let is_on = |(seen, over): &(&Sighting<Impairment>, Option<Timestamp>)| {
            seen.mark.at <= until
                && over.is_none_or(|over| over > since)
                && seen.what.from.is_none_or(|side| side == from)
        };
        let delay = |(seen, _): (&Sighting<Impairment>, _)| match seen.what.deed {
            Deed::Latency { delay, .. } => Some(delay),
            Deed::Bandwidth { .. } | Deed::Stall | Deed::Close { .. } | Deed::Reset { .. } => None,
        };
        self.impairments().filter(is_on).filter_map(delay).sum()
    }
}

impl Timeline {
    /// Whether anything was done to the session on purpose.
    pub fn is_impaired(&self) -> bool {
        !self.facts.impairments.is_empty()
    }

    /// The impairment that ended the session. What had ended, or was refused, before it is no work of it.
    pub fn ended_on_purpose(&self) -> Option<&Sighting<Impairment>> {
        let end = self.end?;
        let deed = self.facts.impairments.iter().find(|seen| seen.what.deed.is_end())?;
        (deed.mark.at <= end.mark.at && !self.has_failed_before(deed.mark.at)).then_some(deed)
    }

    /// The impairment that let nothing pass in the silence before the end.
    pub fn stalled_at_end(&self) -> Option<&Sighting<Impairment>> {
        let end = self.end?;
        let overlaps = |(seen, over): &(&Sighting<Impairment>, Option<Timestamp>)| {
            let is_stall = seen.what.deed == Deed::Stall && seen.mark.at <= end.mark.at;
            is_stall && over.is_none_or(|over| end.mark.at.since(over) < end.silence)
        };
        let (stall, _) = self.facts.impairments().find(overlaps)?;
        (!self.has_failed_before(end.mark.at)).then_some(stall)
    }

    fn has_failed_before(&self, at: Timestamp) -> bool {
        self.phases.iter().any(|phase| phase.outcome == Outcome::Failed && phase.ended < at)
    }

    /// How much of the time between `since` and `until`, while the other side was waited for, an impairment held what this
    /// side had said.
    pub(super) fn held(&self, speaker: Side, since: Timestamp, until: Timestamp) -> Duration {
        if !self.is_impaired() {
            return Duration::ZERO;
        }
        let gap = until.since(since);
        // Where the legs do not carry the same bytes, or one of several connections, only what was asked for is known.
        if self.facts.is_intercepted() || self.facts.gateway.is_some() {
            return self.facts.delay(speaker, since, until).min(gap);
        }
        let (near, far) = match speaker {
            Side::Client => (LegName::Front, LegName::Back),
            Side::Server => (LegName::Back, LegName::Front),
        };
        let (Some(near), Some(far)) = (self.leg(near), self.leg(far)) else { return Duration::ZERO };
        let is_held = far.bytes[speaker as usize] < near.bytes[speaker as usize];
        let passed = far.spoke[speaker as usize].map(|spoke| spoke.at.since(since));
        if is_held { gap } else { passed.unwrap_or_default().min(gap) }
    }
}
