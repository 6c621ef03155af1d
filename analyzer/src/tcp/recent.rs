//! The last segments of one direction, to tell one packet that was captured twice from one that was sent twice.
//!
//! pktmon shows a packet at every component that it passes, `tcpdump -i any` on every interface, a mirror port on both
//! sides. A sender gives a segment that it sends again another IP identification; where there is none, it needs at
//! least a round trip.

use std::time::Duration;

use crate::capture::segment::Segment;
use crate::time::Timestamp;

/// Segments that are remembered: a packet comes again before so many others.
const REMEMBERED: usize = 32;
/// One packet with an identification passes all places of a host in less.
const WINDOW: Duration = Duration::from_millis(50);
/// And one without.
const WINDOW_WITHOUT_ID: Duration = Duration::from_millis(1);

/// The last segments that carry something.
#[derive(Debug, Default)]
pub(super) struct Recent {
    seen: Vec<Print>,
    place: usize,
}

#[derive(Debug, Clone, Copy)]
struct Print {
    at: Timestamp,
    sequence: u32,
    acknowledgement: u32,
    len: u32,
    id: u16,
    flags: u8,
}

impl Recent {
    /// Whether this packet was captured before; if not, it is remembered.
    pub fn is_copy(&mut self, at: Timestamp, segment: &Segment<'_>, is_old: bool) -> bool {
        let print = Print {
            at,
            sequence: segment.sequence,
            acknowledgement: segment.acknowledgement,
            len: segment.payload_len,
            id: segment.id,
            flags: flags(segment),
        };
        if is_old && self.seen.iter().any(|known| known.is_copy(&print)) {
            return true;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.push(print);
        } else {
            self.seen[self.place] = print;
            self.place = (self.place + 1) % REMEMBERED;
        }
        false
    }
}

impl Print {
    fn is_copy(&self, later: &Print) -> bool {
        let window = if later.id == 0 { WINDOW_WITHOUT_ID } else { WINDOW };
        let same = |print: &Print| (print.sequence, print.acknowledgement, print.len, print.id, print.flags);
        same(self) == same(later) && later.at.since(self.at) <= window && self.at.since(later.at) <= window
    }
}

fn flags(segment: &Segment<'_>) -> u8 {
    let Segment { syn, ack, fin, rst, .. } = *segment;
    u8::from(syn) | u8::from(ack) << 1 | u8::from(fin) << 2 | u8::from(rst) << 3
}
