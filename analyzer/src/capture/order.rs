//! The order of packets: that of their times, where a file stores them in another.
//!
//! A network card with several queues, several interfaces in one capture, and files that were put one behind the other
//! (`mergecap -a`) store a packet behind later ones. Where times only go up nothing is held and nothing copied: the first
//! time that goes back tells. Whoever can read again then does so, with a window as wide as is needed; whoever cannot holds
//! packets from there on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::time::Timestamp;

/// What is held of a capture that is read only once: more than the queues of a network card differ by.
const NARROW: Duration = Duration::from_millis(100);
/// Bytes of packets that are held at once, with what keeping one costs.
const LIMIT: usize = 64 << 20;
const COST: usize = 96;

/// In which order packets are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they are stored, until a time goes back; from there on within a narrow window. For what is read only once.
    #[default]
    Once,
    /// As they are stored; where a time goes back, reading ends with that as its error. For what can be read again.
    Checked,
    /// By their times, of which none goes back by more than this.
    Within(Duration),
}

/// Packets on their way to be taken in order.
#[derive(Debug)]
pub(super) struct Queue {
    order: Order,
    window: Duration,
    limit: usize,
    /// The latest time.
    newest: Timestamp,
    holds: bool,
    is_disordered: bool,
    held: BinaryHeap<Reverse<Held>>,
    bytes: usize,
}

/// A packet that waits for its turn: at its time, behind those of the same time that stand before it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    turn: Timestamp,
    pub frame: u64,
    pub at: Timestamp,
    pub interface: u32,
    pub link: u16,
    pub original_len: u32,
    pub data: Vec<u8>,
}

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is taken now.
    Now,
    /// It is held.
    Later,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue::new(Order::default())
    }
}

impl Queue {
    pub fn new(order: Order) -> Queue {
        let (window, holds) = match order {
            Order::Once | Order::Checked => (NARROW, false),
            Order::Within(window) => (window, true),
        };
        let (newest, held) = (Timestamp::at(0), BinaryHeap::new());
        Queue { order, window, limit: LIMIT, newest, holds, is_disordered: false, held, bytes: 0 }
    }

    /// Whether a time went back where that is an error.
    pub fn is_broken(&self) -> bool {
        self.is_disordered && self.order == Order::Checked
    }

    /// The latest time so far.
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Takes note of a packet's time, and says whether it waits.
    pub fn turn(&mut self, at: Timestamp) -> Turn {
        let goes_back = at < self.newest && at != Timestamp::at(0);
        self.newest = self.newest.max(at);
        if self.holds {
            return Turn::Later;
        }
        self.is_disordered |= goes_back;
        // What was stored before this packet is taken already. What follows it may still be put right.
        self.holds = goes_back && self.order == Order::Once;
        Turn::Now
    }

    /// Holds a packet whose turn comes later. One without a time comes behind what was stored before it.
    pub fn hold(&mut self, at: Timestamp, frame: u64, interface: u32, link: u16, data: &[u8], original_len: u32) {
        let turn = if at == Timestamp::at(0) { self.newest } else { at };
        self.bytes += data.len() + COST;
        self.held.push(Reverse(Held { turn, frame, at, interface, link, original_len, data: data.to_vec() }));
    }

    /// The next packet whose turn has come: no earlier one can follow, or there is no room for so many.
    pub fn next(&mut self) -> Option<Held> {
        let Reverse(first) = self.held.peek()?;
        let is_due = first.turn + self.window <= self.newest || self.bytes > self.limit;
        if is_due { self.last() } else { None }
    }

    /// The next packet, at the end.
    pub fn last(&mut self) -> Option<Held> {
        let Reverse(held) = self.held.pop()?;
        self.bytes -= held.data.len() + COST;
        Some(held)
    }
}

/// By how much times go back at most.
#[derive(Debug, Default)]
pub struct Disorder {
    newest: Timestamp,
    most: Duration,
}

impl Disorder {
    /// Takes the time of the next packet.
    pub fn push(&mut self, at: Timestamp) {
        if at != Timestamp::at(0) {
            self.most = self.most.max(self.newest.since(at));
            self.newest = self.newest.max(at);
        }
    }

    /// The order in which such packets are to be taken.
    pub fn order(&self) -> Order {
        if self.most.is_zero() { Order::Once } else { Order::Within(self.most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames in the order in which they are taken, of packets at these times.
    fn taken(queue: &mut Queue, times: &[u64]) -> Vec<u64> {
        let mut frames = Vec::new();
        for (at, frame) in times.iter().map(|at| Timestamp::at(*at)).zip(1..) {
            match queue.turn(at) {
                Turn::Now => frames.push(frame),
                Turn::Later => queue.hold(at, frame, 0, 1, &[0; 4], 4),
            }
            frames.extend(std::iter::from_fn(|| queue.next()).map(|held| held.frame));
        }
        frames.extend(std::iter::from_fn(|| queue.last()).map(|held| held.frame));
        frames
    }

    #[test]
    fn times_that_only_go_up_are_not_held() {
        for order in [Order::Once, Order::Checked] {
            let mut queue = Queue::new(order);
            assert_eq!(taken(&mut queue, &[5, 5, 6, 9]), [1, 2, 3, 4]);
            assert!(!queue.holds && !queue.is_broken());
        }
    }

    #[test]
    fn a_time_that_goes_back_is_told_or_changes_what_follows() {
        let mut checked = Queue::new(Order::Checked);
        assert_eq!(checked.turn(Timestamp::at(7)), Turn::Now);
        assert_eq!(checked.turn(Timestamp::at(6)), Turn::Now);
        assert!(checked.is_broken());
        let mut once = Queue::new(Order::Once);
        assert_eq!(taken(&mut once, &[5, 4, 9, 8, 8]), [1, 2, 4, 5, 3], "the first comes too late");
        assert!(!once.is_broken());
    }

    #[test]
    fn a_window_as_wide_as_needed_puts_all_in_order_and_keeps_that_of_equal_times() {
        let times = [30, 10, 20, 20, 50, 40, 40, 60];
        let mut disorder = Disorder::default();
        times.iter().for_each(|at| disorder.push(Timestamp::at(*at)));
        assert_eq!(disorder.order(), Order::Within(Duration::from_nanos(20)));
        assert_eq!(taken(&mut Queue::new(disorder.order()), &times), [2, 3, 4, 1, 6, 7, 5, 8]);
        let behind_each_other = [100, 200, 300, 101, 201, 301];
        let mut disorder = Disorder::default();
        behind_each_other.iter().for_each(|at| disorder.push(Timestamp::at(*at)));
        assert_eq!(taken(&mut Queue::new(disorder.order()), &behind_each_other), [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut queue = Queue { limit: 3 * (COST + 4), ..Queue::new(Order::Within(Duration::from_secs(1))) };
        let times: Vec<u64> = (1..100).rev().collect();
        for (at, frame) in times.iter().map(|at| Timestamp::at(*at)).zip(1..) {
            queue.turn(at);
            queue.hold(at, frame, 0, 1, &[0; 4], 4);
            while queue.next().is_some() {}
            assert!(queue.held.len() <= 3);
        }
    }

    #[test]
    fn a_packet_without_a_time_stays_where_it_is() {
        let order = Order::Within(Duration::from_nanos(5));
        assert_eq!(taken(&mut Queue::new(order), &[10, 0, 20, 15, 30]), [1, 2, 4, 3, 5]);
        let mut checked = Queue::new(Order::Checked);
        taken(&mut checked, &[10, 0, 20]);
        assert!(!checked.is_broken());
    }
}
