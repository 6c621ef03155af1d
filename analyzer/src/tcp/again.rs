//! Why segments of one direction are sent again, told by what their sender knew: the acknowledgements that came
//! before, and the time that passed.

use std::time::Duration;

use super::half::{Out, ahead, sign};
use crate::observation::{Again, Side, Sign};
use crate::time::Timestamp;

/// An acknowledgement makes its receiver send again within a round trip, wherever the capture stands, and this. The
/// retransmission timer takes longer: a round trip and 200 ms in most systems.
const PROMPT: Duration = Duration::from_millis(100);
/// Where no round trip was measured.
const UNKNOWN_RTT: Duration = Duration::from_millis(50);
/// No retransmission timer is shorter than a round trip and this.
const SHORTEST: Duration = Duration::from_millis(20);
/// Segments that leave together.
const BURST: Duration = Duration::from_millis(10);
/// Duplicate acknowledgements that tell of a loss, RFC 5681 3.2.
const DUPLICATES: u32 = 3;
/// Segments that are remembered: those that were sent again.
const REMEMBERED: usize = 16;

/// A segment that was sent again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    pub at: Timestamp,
    pub frame: u64,
    pub from: Side,
    pub seq: u32,
    pub len: u32,
    /// Since the sender last sent payload.
    pub after: Duration,
    /// Since anything was acknowledged, or the oldest that waits was sent: what a timer measures.
    pub waited: Duration,
    /// Whether nothing was ever sent behind it.
    pub is_last: bool,
    pub was_acknowledged: bool,
}

/// An acknowledgement, as the sender of the data gets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acknowledgement {
    pub at: Timestamp,
    pub frame: u64,
    pub number: u32,
    pub window: u16,
    /// No payload, no flags.
    pub is_bare: bool,
    /// What it acknowledges selectively.
    pub sack: [Option<(u32, u32)>; 2],
}

/// What is known of one direction's repetitions.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    duplicates: u32,
    /// The peer holds data beyond a hole.
    is_sacked: bool,
    heard: Option<Timestamp>,
    window: u16,
    /// Timeouts in a row.
    pub place: u8,
    /// Segments of the peer that came behind the first of them and acknowledged nothing of it.
    pub in_vain: u32,
    /// Repetitions since something new was acknowledged.
    pub repeated: u32,
    /// The last one, with what it was.
    last: Option<(Repeat, Again)>,
    /// Until this is acknowledged, losses of one flight are mended.
    until: Option<u32>,
    /// The first repetition of a last segment: a timer's, or a tail probe. What comes next tells.
    open: Option<Repeat>,
    /// Segments that were sent again: where they begin, how long they are.
    sent_again: Vec<(u32, u32)>,
    next: usize,
    pub counts: Counts,
}

/// Repetitions by what made them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub all: u64,
    pub timeouts: u64,
    pub fast: u64,
    pub tail_probes: u64,
    pub spurious: u64,
    /// What the peer reported twice.
    pub for_nothing: u64,
}

impl Repeats {
    /// Takes a repetition. `highest` is the end of all that was sent, `rtt` the round trip.
    pub fn push(&mut self, repeat: Repeat, highest: u32, rtt: Option<Duration>, out: &mut Out<'_>) {
        let is_same = self.last.is_some_and(|(last, _)| last.seq == repeat.seq);
        self.repeated += u32::from(!repeat.was_acknowledged);
        if let Some(first) = self.open.take() {
            // A timer waits twice as long the second time; behind a tail probe it waits as long as ever.
            let is_probe = repeat.seq == first.seq && repeat.after < first.after * 3 / 2;
            let why = if is_probe { Again::TailProbe } else { self.timeout() };
            self.tell(first, why, out);
        }
        self.remember(&repeat);
        if self.may_be_probe(&repeat) {
            let why = match rtt {
                Some(rtt) if repeat.after < rtt => Some(Again::Rest),
                Some(rtt) if repeat.after < rtt + PROMPT && repeat.after * 2 >= rtt * 3 => Some(Again::TailProbe),
                Some(_) | None => None,
            };
            match why {
                Some(why) => self.tell(repeat, why, out),
                None => (self.open, self.last) = (Some(repeat), Some((repeat, Again::TailProbe))),
            }
            return;
        }
        let why = self.why(&repeat, is_same, rtt.unwrap_or(UNKNOWN_RTT));
        if why != Again::Spurious {
            self.until = self.until.or(Some(highest));
        }
        self.tell(repeat, why, out);
    }

    fn may_be_probe(&self, repeat: &Repeat) -> bool {
        let is_first =
            self.place == 0 && self.until.is_none() && self.last.is_none_or(|(last, _)| last.seq != repeat.seq);
        is_first && repeat.is_last && !repeat.was_acknowledged && !self.is_sacked && self.duplicates < DUPLICATES
    }

    fn why(&mut self, repeat: &Repeat, is_same: bool, rtt: Duration) -> Again {
        if repeat.was_acknowledged {
            return Again::Spurious;
        }
        let is_prompt = self.heard.is_some_and(|heard| repeat.at.since(heard) <= rtt + PROMPT);
        let in_burst = self.last.is_some_and(|(last, _)| repeat.at.since(last.at) <= BURST);
        let is_mending = self.until.is_some();
        match (is_prompt, is_mending) {
            (true, _) if self.place == 0 && (self.duplicates >= DUPLICATES || self.is_sacked) => Again::Fast,
            (true, true) if !is_same => Again::Rest,
            // An ICMP error, or the end of the handshake.
            (true | false, _) if self.place == 0 && repeat.waited < rtt + SHORTEST => Again::Rest,
            (false, true) if !is_same && in_burst => Again::Rest,
            (true | false, _) => self.timeout(),
        }
    }

    fn timeout(&mut self) -> Again {
        self.place = self.place.saturating_add(1);
        Again::Timeout { place: self.place }
    }

    fn tell(&mut self, repeat: Repeat, why: Again, out: &mut Out<'_>) {
        let counts = &mut self.counts;
        counts.all += 1;
        match why {
            Again::Timeout { .. } => counts.timeouts += 1,
            Again::Fast => counts.fast += 1,
            Again::TailProbe => counts.tail_probes += 1,
            Again::Spurious => counts.spurious += 1,
            Again::Rest => {}
        }
        self.last = Some((repeat, why));
        let Repeat { at, frame, from, len, after, .. } = repeat;
        sign(out, at, frame, Sign::Retransmitted { from, len, why, after });
    }

    fn remember(&mut self, repeat: &Repeat) {
        let segment = (repeat.seq, repeat.len);
        if self.sent_again.contains(&segment) {
            return;
        }
        if self.sent_again.len() < REMEMBERED {
            self.sent_again.push(segment);
        } else {
            self.sent_again[self.next % REMEMBERED] = segment;
            self.next += 1;
        }
    }

    /// Takes an acknowledgement; `is_new` where it acknowledges more than was, `highest` is the end of all that was sent.
    pub fn acknowledged(&mut self, ack: &Acknowledgement, is_new: bool, highest: u32, out: &mut Out<'_>) {
        let outstanding = ahead(ack.number, highest) > 0;
        let holds_more = ack.sack[0].is_some_and(|(left, right)| {
            // Where a box renumbers and forgets the option, the blocks lie anywhere.
            ahead(ack.number, left) > 0 && ahead(right, highest) >= 0
        });
        let is_duplicate = !is_new && ack.is_bare && outstanding && ack.window == self.window;
        (self.heard, self.window) = (Some(ack.at), ack.window);
        self.in_vain = if is_new { 0 } else { self.in_vain + u32::from(outstanding && self.place > 0) };
        if is_new {
            self.settle(out);
            (self.duplicates, self.place, self.repeated) = (0, 0, 0);
            self.is_sacked = holds_more;
            self.until = self.until.filter(|until| ahead(ack.number, *until) > 0);
        } else {
            self.duplicates += u32::from(is_duplicate);
            self.is_sacked |= holds_more;
        }
    }

    /// The sender says something new. Behind a timeout it does so only once it is answered (RFC 5681, 3.1): where the capture
    /// has nothing of that, it does not have the answers, and what they acknowledge is not known.
    pub fn goes_on(&mut self) {
        if self.in_vain == 0 {
            self.place = 0;
        }
    }

    /// Whether the peer holds segments behind what it waits for.
    pub fn is_sacked(&self) -> bool {
        self.is_sacked
    }

    /// Whether the peer reports bytes that came twice, and which (RFC 2883, 4).
    pub fn twice(ack: &Acknowledgement) -> Option<(u32, u32)> {
        let [Some((left, right)), second] = ack.sack else { return None };
        // A keep-alive's one byte is no loss that was mended.
        if ahead(left, right) <= 1 {
            return None;
        }
        let inside = |(from, to): (u32, u32)| ahead(from, left) >= 0 && ahead(right, to) >= 0;
        (ahead(right, ack.number) >= 0 || second.is_some_and(inside)).then_some((left, right))
    }

    /// Whether any of these bytes were sent again.
    pub fn is_sent_again(&self, left: u32, right: u32) -> bool {
        let meets = |(seq, len): &(u32, u32)| ahead(*seq, right) > 0 && ahead(left, seq.wrapping_add(*len)) > 0;
        self.sent_again.iter().any(meets)
    }

    /// The smallest segment that was sent again and is not acknowledged.
    pub fn stuck(&self, acked: Option<u32>) -> Option<u32> {
        let waits =
            |(seq, len): &&(u32, u32)| *len > 0 && acked.is_none_or(|acked| ahead(acked, seq.wrapping_add(*len)) > 0);
        self.sent_again.iter().filter(waits).map(|(_, len)| *len).min()
    }

    /// What was left open is settled: an acknowledgement came, or nothing more will.
    pub fn settle(&mut self, out: &mut Out<'_>) {
        if let Some(first) = self.open.take() {
            let why = self.timeout();
            self.tell(first, why, out);
        }
    }
}
