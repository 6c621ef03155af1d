//! RSTs, and whether those they are meant for believe them.
//!
//! An RST that a receiver would accept is not the end yet: where both sides go on, it was ignored (it was not the
//! peer's, or it was lost behind the capture). It is held until that is settled, and counts from when it came.

use std::time::Duration;

use super::half::{Out, sign};
use super::marks::Marks;
use crate::capture::segment::Segment;
use crate::observation::{ResetMarks, Sequence, Side, Sign};
use crate::time::Timestamp;

/// Packets and time after which nobody goes on any more.
const UNDECIDED_PACKETS: u32 = 64;
const UNDECIDED: Duration = Duration::from_secs(30);
/// Two RSTs that one box sends both ways come together.
const TOGETHER: Duration = Duration::from_millis(100);
/// Segments after an RST that are told.
const TOLD: u32 = 8;

/// The RSTs of a connection.
#[derive(Debug, Default)]
pub(super) struct Resets {
    last: [Option<Rst>; 2],
    held: Option<Held>,
}

/// What is known of an RST that was held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settled {
    /// Nothing yet.
    Open,
    /// Both sides go on.
    Ignored,
    /// It was the end.
    Believed(Held),
}

/// An RST that may be the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub at: Timestamp,
    pub frame: u64,
    pub from: Side,
    /// What each side had sent by then.
    sent: [u32; 2],
    packets: u32,
}

#[derive(Debug, Clone, Copy)]
struct Rst {
    at: Timestamp,
    sequence: u32,
    acknowledgement: u32,
    told: u32,
}

/// How far each side has come: what it sent, and what of it the peer acknowledged.
/// How long an RST may be ahead of what was sent before it.
const OVERTAKEN: Duration = Duration::from_millis(3);

pub(super) type Progress = [(u32, Option<u32>); 2];

impl Resets {
    /// What is to be said of an RST.
    pub fn marks(
        &mut self,
        at: Timestamp,
        from: Side,
        segment: &Segment<'_>,
        marks: &Marks,
        place: Sequence,
        is_open: bool,
    ) -> ResetMarks {
        let mirror = |other: &Rst| {
            other.sequence == segment.acknowledgement
                && other.acknowledgement == segment.sequence
                && at.since(other.at) <= TOGETHER
        };
        let mirrored = segment.ack && self.last[from.other() as usize].as_ref().is_some_and(mirror);
        let (sequence, acknowledgement) = (segment.sequence, segment.acknowledgement);
        // A client that asks answers what does not answer it, and goes on asking (RFC 9293, 3.10.7.3).
        if segment.ack || is_open || from == Side::Server {
            self.last[from as usize] = Some(Rst { at, sequence, acknowledgement, told: 0 });
        }
        ResetMarks { mirrored, before_syn_ack: !is_open, ..marks.of_reset(segment, place) }
    }

    /// A segment that is no RST: whoever sends after its own RST did not send that. One with an older number may only have been
    /// overtaken.
    #[inline]
    pub fn goes_on(&mut self, at: Timestamp, frame: u64, from: Side, segment: &Segment<'_>, out: &mut Out<'_>) {
        if self.last[from as usize].is_some() {
            self.told_on(at, frame, from, segment, out);
        }
    }

    fn told_on(&mut self, at: Timestamp, frame: u64, from: Side, segment: &Segment<'_>, out: &mut Out<'_>) {
        let Some(rst) = self.last[from as usize].as_mut().filter(|rst| rst.told < TOLD) else { return };
        let is_older = segment.sequence.wrapping_sub(rst.sequence).cast_signed() < 0;
        if is_older && at.since(rst.at) <= OVERTAKEN {
            return;
        }
        rst.told += 1;
        let len = segment.payload_len;
        sign(out, at, frame, Sign::AfterReset { from, len, after: at.since(rst.at) });
    }

    /// Holds an RST that its receiver accepts. Of several the first counts.
    pub fn hold(&mut self, at: Timestamp, frame: u64, from: Side, progress: Progress) {
        let sent = progress.map(|(sent, _)| sent);
        self.held = self.held.or(Some(Held { at, frame, from, sent, packets: 0 }));
    }

    /// Whether one is held.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Looks at what came since: the RST is ignored where somebody sent more and the other took it, and believed where
    /// nobody did for long enough.
    pub fn settle(&mut self, at: Timestamp, progress: Progress) -> Settled {
        let Some(held) = &mut self.held else { return Settled::Ignored };
        held.packets += 1;
        let goes_on = progress.iter().zip(held.sent).any(|((_, acknowledged), before)| {
            // The number behind all data is that of a FIN, and acknowledging that is no more than good manners.
            acknowledged.is_some_and(|acknowledged| acknowledged.wrapping_sub(before) as i32 > 1)
        });
        let (held, is_over) = (*held, held.packets > UNDECIDED_PACKETS || at.since(held.at) > UNDECIDED);
        if goes_on || is_over {
            self.held = None;
        }
        match (goes_on, is_over) {
            (true, _) => Settled::Ignored,
            (false, true) => Settled::Believed(held),
            (false, false) => Settled::Open,
        }
    }

    /// What is held, at the end.
    pub fn take(&mut self) -> Option<Held> {
        self.held.take()
    }
}
