//! One direction's line: what a side said, in order, each piece with the time from which on it may be passed on.

use std::collections::VecDeque;
use std::time::Duration;

use analyzer::time::Timestamp;
use bytes::Bytes;

/// Where the bandwidth is bounded, payload is passed on in pieces of so long a time.
const PIECE: Duration = Duration::from_millis(20);
/// What a piece costs besides its payload, bytes, roughly: many small ones are not free, either.
const HELD: usize = 128;

/// What waits in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<T> {
    /// Payload, and what its owner keeps with it.
    Bytes(Bytes, T),
    /// The end of the direction.
    End,
}

/// The line.
#[derive(Debug)]
pub(super) struct Line<T> {
    held: VecDeque<Held<T>>,
    bytes: usize,
    /// Nothing that comes later is ready before this.
    ready: Timestamp,
    /// When the narrow place has passed on what it was given.
    free: Timestamp,
}

#[derive(Debug)]
struct Held<T> {
    item: Item<T>,
    ready: Timestamp,
}

impl<T> Default for Line<T> {
    fn default() -> Line<T> {
        Line { held: VecDeque::new(), bytes: 0, ready: Timestamp::default(), free: Timestamp::default() }
    }
}

impl<T: Clone> Line<T> {
    /// Keeps something that is ready then, or with what stands before it if that is later.
    pub(super) fn push(&mut self, item: Item<T>, ready: Timestamp) {
        self.ready = self.ready.max(ready);
        self.bytes += item.len();
        self.held.push_back(Held { item, ready: self.ready });
    }

    /// What it holds in memory, bytes, roughly.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.held.len() * HELD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Nothing was passed on until then: what waits has its way before it still.
    pub(super) fn resume(&mut self, at: Timestamp) {
        self.free = self.free.max(at);
    }

    /// What is to be passed on by now, at so many bytes in a second.
    pub(super) fn take(&mut self, now: Timestamp, rate: Option<u64>) -> Option<Item<T>> {
        let due = self.due(rate).filter(|due| *due <= now)?;
        let held = self.held.front_mut()?;
        self.free = due;
        let len = held.item.len();
        let piece = piece(len, rate);
        self.bytes -= piece;
        match &mut held.item {
            Item::Bytes(data, with) if piece < len => Some(Item::Bytes(data.split_to(piece), with.clone())),
            Item::Bytes(..) | Item::End => self.held.pop_front().map(|held| held.item),
        }
    }

    /// When the next piece is to be passed on.
    pub(super) fn due(&self, rate: Option<u64>) -> Option<Timestamp> {
        let held = self.held.front()?;
        Some(self.start(held.ready, rate) + time(piece(held.item.len(), rate), rate))
    }

    /// From when on the narrow place, where there is one, has time for what is ready then.
    fn start(&self, ready: Timestamp, rate: Option<u64>) -> Timestamp {
        if rate.is_some() { ready.max(self.free) } else { ready }
    }

    /// Gives up all that waits, and tells how much payload that was.
    pub(super) fn clear(&mut self) -> u64 {
        self.held.clear();
        std::mem::take(&mut self.bytes) as u64
    }
}

impl<T> Item<T> {
    fn len(&self) -> usize {
        match self {
            Item::Bytes(data, _) => data.len(),
            Item::End => 0,
        }
    }
}

/// How much of so much is passed on at once.
fn piece(len: usize, rate: Option<u64>) -> usize {
    rate.map_or(len, |rate| len.min(((rate as f64 * PIECE.as_secs_f64()) as usize).max(1)))
}

/// How long so much takes.
fn time(len: usize, rate: Option<u64>) -> Duration {
    rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(len as f64 / rate as f64))
}
