//! Which connections are one session: events of one recording in, timelines out.

use crate::event::Event;
use crate::timeline::{Edge, Timeline};

/// The timelines of one recording.
#[derive(Default)]
pub struct Sessions {
    numbers: Vec<u32>,
    timelines: Vec<Timeline>,
    edges: Vec<(usize, Edge)>,
}

impl Sessions {
    /// Takes one event.
    pub fn push(&mut self, event: &Event) {
        let number = event.flow.session;
        let place = self.numbers.iter().position(|known| *known == number).unwrap_or_else(|| {
            self.numbers.push(number);
            self.timelines.push(Timeline::default());
            self.numbers.len() - 1
        });
        self.timelines[place].push(event);
        self.edges.extend(self.timelines[place].take_edges().into_iter().map(|edge| (place, edge)));
    }

    /// What is known so far, in the order of their beginning.
    pub fn timelines(&self) -> &[Timeline] {
        &self.timelines
    }

    /// Edges since the last call, and of which timeline.
    pub fn take_edges(&mut self) -> Vec<(usize, Edge)> {
        std::mem::take(&mut self.edges)
    }

    /// The input is over.
    pub fn finish(mut self) -> Vec<Timeline> {
        self.timelines.iter_mut().for_each(Timeline::finish);
        self.timelines
    }
}
