//! How long frames of graphics take from their last byte to the client's acknowledgement: a round trip of the session
//! itself, with the time in which the client decodes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::FrameStep;
use crate::time::Timestamp;

/// Frames that may be on their way at once: servers wait long before.
const ON_THE_WAY: usize = 64;
/// Times that are kept; beyond it every second one is let go, so that the kept ones stay spread over the session.
const KEPT: usize = 1024;

/// Frames that were acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    sent: VecDeque<(u32, Timestamp)>,
    /// How many.
    pub acknowledged: u64,
    /// Acknowledgements of frames that were not seen: their marks stand in what is compressed.
    pub unseen: u64,
    /// How long each took, or of very many every second, fourth, … one.
    pub times: Vec<Duration>,
    /// Every so many-th is kept, less one.
    skip: u64,
}

impl Frames {
    pub(super) fn push(&mut self, at: Timestamp, step: FrameStep, id: u32) {
        match step {
            // Where the mark of its end cannot be seen, its beginning stands for it.
            FrameStep::Begun | FrameStep::Sent => self.sent(at, id),
            FrameStep::Acknowledged => self.acknowledge(at, id),
        }
    }

    /// The least, the median and the longest.
    pub fn summary(&self) -> Option<[Duration; 3]> {
        let mut times = self.times.clone();
        times.sort_unstable();
        Some([*times.first()?, *times.get(times.len() / 2)?, *times.last()?])
    }

    fn sent(&mut self, at: Timestamp, id: u32) {
        match self.sent.iter_mut().find(|(known, _)| *known == id) {
            Some((_, since)) => *since = at,
            None => {
                if self.sent.len() == ON_THE_WAY {
                    self.sent.pop_front();
                }
                self.sent.push_back((id, at));
            }
        }
    }

    /// Those before it are not acknowledged any more: clients may leave some out.
    fn acknowledge(&mut self, at: Timestamp, id: u32) {
        let Some(place) = self.sent.iter().position(|(known, _)| *known == id) else {
            self.unseen += 1;
            return;
        };
        let Some((_, since)) = self.sent.drain(..=place).next_back() else { return };
        let is_watched = at.unwatched_since(since).is_zero();
        if self.acknowledged & self.skip == 0 && is_watched {
            self.keep(at.since(since));
        }
        self.acknowledged += 1;
    }

    fn keep(&mut self, took: Duration) {
        if self.times.len() == KEPT {
            let mut place = 0;
            self.times.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.skip = self.skip << 1 | 1;
        }
        self.times.push(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::at(ms * 1_000_000)
    }

    #[test]
    fn a_frame_counts_from_its_end_to_its_acknowledgement() {
        let mut frames = Frames::default();
        let story = [
            (0, FrameStep::Begun, 1),
            (5, FrameStep::Sent, 1),
            (6, FrameStep::Begun, 2),
            (25, FrameStep::Acknowledged, 1),
            (26, FrameStep::Acknowledged, 1),
            (36, FrameStep::Acknowledged, 2),
            (40, FrameStep::Acknowledged, 9),
        ];
        story.into_iter().for_each(|(ms, step, id)| frames.push(at(ms), step, id));
        assert_eq!((frames.acknowledged, frames.unseen), (2, 2));
        assert_eq!(frames.times, [20, 30].map(Duration::from_millis));
    }

    #[test]
    fn a_long_session_keeps_times_of_all_its_length() {
        let mut frames = Frames::default();
        for id in 0..100_000 {
            frames.push(at(id * 10), FrameStep::Sent, id as u32);
            frames.push(at(id * 10 + id % 7), FrameStep::Acknowledged, id as u32);
        }
        assert_eq!(frames.acknowledged, 100_000);
        assert!((KEPT / 2..=KEPT).contains(&frames.times.len()), "{}", frames.times.len());
        assert_eq!(
            frames.summary().map(|[least, _, most]| (least, most)),
            Some((Duration::ZERO, Duration::from_millis(6)))
        );
    }
}
