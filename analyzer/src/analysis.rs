//! The whole way at once: observations of one session in, what is said of it out.

use crate::attempt::Diagnosed;
use crate::event::Event;
use crate::observation::Observation;
use crate::session::Session;
use crate::timeline::Timeline;

/// One session's analysis, fed one observation at a time.
#[derive(Default)]
pub struct Analysis {
    layers: Session,
    timeline: Timeline,
}

impl Analysis {
    /// Takes one observation.
    pub fn push(&mut self, observation: &Observation) {
        self.layers.push(observation, &mut |event| self.timeline.push(&event));
        // Nobody watches: edges are for those who do.
        self.timeline.take_edges();
    }

    /// Takes what was learned in another way than from the flow's bytes: the certificate that TLS 1.3 hides from whoever
    /// watches and shows to whoever takes part.
    pub fn learn(&mut self, event: &Event) {
        self.timeline.push(event);
        self.timeline.take_edges();
    }

    /// What is known so far.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The input is over.
    pub fn finish(mut self, file: Option<String>) -> Diagnosed {
        self.timeline.finish();
        Diagnosed::new(file, self.timeline)
    }
}
