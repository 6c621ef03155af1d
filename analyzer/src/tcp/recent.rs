//! The last segments of one direction, to tell one packet that was captured twice from one that was sent twice.
//!
//! pktmon shows a packet at every component that it passes, `tcpdump -i any` on every interface, a mirror port on both
//! sides. A sender gives a segment that it sends again another IP identification; where there is none, it needs at
//! least a round trip. A network that delivers a packet twice leaves the identification as it is: that is told from the
//! capture's own copies by the time between the two, and only where the capture does not copy as a habit.

use std::time::Duration;

use crate::capture::segment::Segment;
use crate::time::Timestamp;

/// Segments that are remembered: a packet comes again before so many others.
const REMEMBERED: usize = 32;
/// One packet with an identification passes all places of a host in less.
const WINDOW: Duration = Duration::from_millis(50);
/// And one without.
const WINDOW_WITHOUT_ID: Duration = Duration::from_millis(1);
/// One interface shows a packet twice within so much, if it does.
const AT_ONCE: Duration = Duration::from_millis(1);

/// The last segments that carry something.
#[derive(Debug, Default)]
pub(super) struct Recent {
    seen: Vec<Print>,
    place: usize,
    /// Packets, and those of them that came again.
    all: u64,
    copies: u64,
    /// The payload of the last packet that came twice at once: where it begins and ends.
    copied: Option<(u32, u32)>,
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    /// Not seen before.
    No,
    /// The capture shows one packet twice.
    ByCapture,
    /// The network delivered it twice, so long after.
    ByNetwork(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Print {
    at: Timestamp,
    interface: u32,
    sequence: u32,
    acknowledgement: u32,
    len: u32,
    id: u16,
    flags: u8,
}

impl Recent {
    /// Whether this packet was captured before; if not, it is remembered. `is_old` where nothing in it is new.
    pub fn copied(&mut self, at: Timestamp, interface: u32, segment: &Segment<'_>, is_old: bool) -> Copied {
        let print = Print {
            at,
            interface,
            sequence: segment.sequence,
            acknowledgement: segment.acknowledgement,
            len: segment.payload_len,
            id: segment.id,
            flags: flags(segment),
        };
        self.all += 1;
        if is_old && let Some(known) = self.seen.iter().find(|known| known.is_copy(&print)) {
            let after = at.since(known.at);
            let by_network = known.interface == interface && after >= AT_ONCE && self.copies * 8 < self.all;
            self.copies += 1;
            if by_network {
                return Copied::ByNetwork(after);
            }
            self.copied = Some((print.sequence, print.sequence.wrapping_add(print.len)));
            return Copied::ByCapture;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.push(print);
        } else {
            self.seen[self.place] = print;
            self.place = (self.place + 1) % REMEMBERED;
        }
        Copied::No
    }

    /// Whether this payload was seen twice at once; told only once.
    pub fn take_copy(&mut self, left: u32, right: u32) -> bool {
        self.copied.take_if(|copied| *copied == (left, right)).is_some()
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
