//! When a session's phases begin: the analyzer is asked, by whoever waits for one. It sees what the recording will hold, but for
//! secrets that others have: what stands behind TLS it infers, unless the relay stands in there.

use analyzer::observation::Observation;
use analyzer::session::Session;
use analyzer::timeline::Timeline;
use analyzer::timeline::phase::{Outcome, PhaseName};

/// Follows one session's phases.
#[derive(Default)]
pub(crate) struct Phases {
    layers: Session,
    timeline: Timeline,
}

impl Phases {
    /// Takes one observation.
    pub(crate) fn push(&mut self, observation: &Observation) {
        let Phases { layers, timeline } = self;
        layers.push(observation, &mut |event| timeline.push(&event));
    }

    /// Those that have begun since the last call.
    pub(crate) fn take(&mut self) -> Vec<PhaseName> {
        let begins = self.timeline.take_edges().into_iter().filter(|edge| edge.outcome == Outcome::Open);
        begins.map(|edge| edge.phase).collect()
    }

    /// Whether no further phase can begin.
    pub(crate) fn is_over(&self) -> bool {
        self.timeline.is_active()
    }
}

impl std::fmt::Debug for Phases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phases").field("last", &self.timeline.last_phase()).finish_non_exhaustive()
    }
}
