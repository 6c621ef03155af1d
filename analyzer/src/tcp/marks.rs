//! What the packets of one side look like: what an RST in its name is held against.

use crate::capture::options::Options;
use crate::capture::segment::Segment;
use crate::observation::{ResetMarks, Sequence};

/// A counter of identifications goes on by so much at most from one packet of a connection to the next: one for each
/// packet that offload makes of a large one, and those of other connections.
const STEP: u16 = 4096;
/// And never by so much between two packets soon after each other.
const LEAP: u16 = 16_384;
/// Packets are looked at for timestamps: whoever uses them uses them always (RFC 7323, 3.2).
const LOOKED_AT: u8 = 4;

/// One side's packets, RSTs left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// TTL of the last one.
    pub ttl: Option<u8>,
    /// Whether any of them acknowledges: then the capture shows what this side has got.
    pub acknowledges: bool,
    id: Option<u16>,
    /// Identifications that followed each other, and those that did not.
    steps: u32,
    leaps: u32,
    had_window: bool,
    timestamp: bool,
    looked_at: u8,
    /// Packets that a router marked as congested.
    pub ecn_marked: u64,
}

impl Marks {
    /// Learns from a packet.
    pub fn learn(&mut self, segment: &Segment<'_>) {
        self.ttl = Some(segment.ttl);
        self.acknowledges |= segment.ack;
        self.had_window = segment.window > 0;
        self.ecn_marked += u64::from(segment.ecn_marked);
        if segment.id != 0 {
            self.identified(segment.id);
        }
        if self.looked_at < LOOKED_AT {
            self.looked_at += 1;
            self.timestamp = Options::read(segment.options).timestamp;
        }
    }

    /// Linux makes SYN-ACKs and answers without a socket, and gives them none.
    fn identified(&mut self, id: u16) {
        let step = self.id.map(|last| id.wrapping_sub(last));
        match step {
            Some(1..=STEP) => self.steps += 1,
            // The same again, or overtaken.
            Some(step) if step == 0 || step > u16::MAX - STEP => return,
            Some(_) => self.leaps += 1,
            None => {}
        }
        self.id = Some(id);
    }

    /// Whether no router stands between this side and the capture: the TTL is one that systems begin with.
    pub fn is_first_hop(&self) -> bool {
        self.ttl.is_some_and(|ttl| matches!(ttl, 64 | 128 | 255))
    }

    /// Whether identifications count up: then they tell in which order packets were sent.
    pub fn is_series(&self) -> bool {
        self.steps >= 2 && self.leaps * 8 <= self.steps
    }

    /// What differs in an RST of this side.
    pub fn of_reset(&self, segment: &Segment<'_>, sequence: Sequence) -> ResetMarks {
        ResetMarks {
            ttl: self.ttl.filter(|usual| *usual != segment.ttl).map(|usual| (segment.ttl, usual)),
            id: self.id.filter(|last| self.is_odd(segment.id, *last)).map(|last| (segment.id, last)),
            no_window: segment.window == 0 && self.had_window,
            no_timestamp: self.timestamp && !Options::read(segment.options).timestamp,
            too_soon: None,
            sequence,
            mirrored: false,
            payload: segment.payload_len,
            answers: !segment.ack,
            before_syn_ack: false,
            answers_syn_ack: false,
        }
    }

    fn is_odd(&self, id: u16, last: u16) -> bool {
        let step = id.wrapping_sub(last);
        id == 0 || self.is_series() && (LEAP..u16::MAX - STEP).contains(&step)
    }
}
