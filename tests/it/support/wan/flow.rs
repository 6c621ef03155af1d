//! What the box remembers of a connection.

use std::collections::HashMap;
use std::time::Instant;

use analyzer::observation::Side;

use super::fault::{Fault, From};
use super::packet::{ACK, SYN, Segment};

/// The first byte of a TLS record of handshake.
const HANDSHAKE: u8 = 0x16;

/// One connection.
pub struct Flow {
    began: Instant,
    /// When the last packet came, of either side.
    pub heard: Instant,
    /// SYN-ACK was seen before this packet.
    answered: bool,
    /// The client's first payload, and its first TLS record, have come.
    requested: bool,
    said_hello: bool,
    /// How much each side has said, not counting what it repeats, and where that ends.
    bytes: [u64; 2],
    next: [Option<u32>; 2],
    /// Of segments with payload, by side and sequence number.
    tries: HashMap<(usize, u32), u32>,
    /// Since when each fault is there.
    pub since: Vec<Option<Instant>>,
    /// The box lets nothing through any more.
    pub killed: bool,
    /// The box has forgotten it.
    pub forgotten: bool,
}

impl Flow {
    pub fn new(now: Instant, faults: usize) -> Flow {
        Flow {
            began: now,
            heard: now,
            answered: false,
            requested: false,
            said_hello: false,
            bytes: [0; 2],
            next: [None; 2],
            tries: HashMap::new(),
            since: vec![None; faults],
            killed: false,
            forgotten: false,
        }
    }

    /// Takes note of a packet, and of the faults that begin with it.
    pub fn note(&mut self, faults: &[Fault], from: Side, segment: &Segment, packet: &[u8], now: Instant) {
        let payload = &packet[segment.payload.0..segment.payload.0 + segment.payload.1];
        if from == Side::Client && !payload.is_empty() {
            self.requested = true;
            self.said_hello |= payload[0] == HANDSHAKE;
        }
        self.count(from, segment);
        if !payload.is_empty() {
            *self.tries.entry((from as usize, segment.seq)).or_default() += 1;
        }
        for (fault, since) in faults.iter().zip(0..) {
            if self.since[since].is_none() && begins(fault).is_none_or(|from| self.reached(from, now)) {
                self.since[since] = Some(now);
            }
        }
        self.answered |= segment.has(SYN) && segment.has(ACK);
    }

    /// Where that ends which this side has said so far.
    pub fn next(&self, side: Side) -> Option<u32> {
        self.next[side as usize]
    }

    /// How often this segment was sent so far.
    pub fn tries(&self, from: Side, segment: &Segment) -> u32 {
        self.tries.get(&(from as usize, segment.seq)).copied().unwrap_or(0)
    }

    fn count(&mut self, from: Side, segment: &Segment) {
        let (side, next) = (from as usize, segment.next());
        let new = match self.next[side] {
            None => segment.payload.1,
            Some(before) => (next.wrapping_sub(before) as i32).max(0) as usize,
        };
        if new > 0 || self.next[side].is_none() {
            self.next[side] = Some(next);
        }
        self.bytes[side] += new.min(segment.payload.1) as u64;
    }

    fn reached(&self, from: From, now: Instant) -> bool {
        match from {
            From::Start => true,
            From::SynAck => self.answered,
            From::Request => self.requested,
            From::ClientHello => self.said_hello,
            From::Bytes(bytes) => self.bytes.iter().sum::<u64>() > bytes,
            From::ClientBytes(bytes) => self.bytes[Side::Client as usize] > bytes,
            From::Since(after) => now.duration_since(self.began) >= after,
        }
    }
}

/// When a fault begins, where it does not do so at once.
fn begins(fault: &Fault) -> Option<From> {
    match fault {
        Fault::Loss { from, .. }
        | Fault::Tries { from, .. }
        | Fault::Mtu { from, .. }
        | Fault::Vanish { from, .. }
        | Fault::Reset { from, .. } => Some(*from),
        Fault::Duplicates { .. } | Fault::Mss(_) | Fault::Idle { .. } | Fault::SynProxy | Fault::Unreachable { .. } => {
            None
        }
    }
}
