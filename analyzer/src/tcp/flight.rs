//! What one direction has under way: the largest segment that got through, and for how long something waits.

use std::time::Duration;

use super::half::ahead;
use crate::time::Timestamp;

/// Segments, each larger than the one before it, that wait for an acknowledgement.
const CANDIDATES: usize = 8;

/// Segments under way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Payload of the largest segment that was acknowledged, bytes.
    pub largest_through: u32,
    /// Larger ones that wait: where they end, and their length.
    candidates: Vec<(u32, u32)>,
    /// Since when the oldest byte waits without any progress.
    since: Option<Timestamp>,
}

impl Flight {
    /// Something new was sent, up to `end`.
    pub fn sent(&mut self, at: Timestamp, end: u32, len: u32) {
        self.since = self.since.or(Some(at));
        let known = self.candidates.last().map_or(self.largest_through, |(_, len)| *len);
        if len > known && self.candidates.len() < CANDIDATES {
            self.candidates.push((end, len));
        }
    }

    /// The peer acknowledged up to `number`; `is_all` where nothing waits any more.
    pub fn acknowledged(&mut self, at: Timestamp, number: u32, is_all: bool) {
        self.since = (!is_all).then_some(at);
        if !self.candidates.is_empty() {
            let through = |(end, _): &(u32, u32)| ahead(*end, number) >= 0;
            let largest = self.candidates.iter().filter(|c| through(c)).map(|(_, len)| *len).max();
            self.largest_through = self.largest_through.max(largest.unwrap_or(0));
            let known = self.largest_through;
            self.candidates.retain(|c| !through(c) && c.1 > known);
        }
    }

    /// For how long something waits.
    pub fn waits(&self, now: Timestamp) -> Duration {
        self.since.map(|since| now.since(since)).unwrap_or_default()
    }
}
