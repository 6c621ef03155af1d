//! One direction of a TCP connection: segments in any order in, bytes in order out.
//!
//! The first copy of a byte wins, as in most stacks. What is held back behind a hole is bounded. A hole is the
//! capture's own fault (*lost*) only where the peer acknowledged what stands in it; otherwise the network lost it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::again::{Acknowledgement, Repeat, Repeats};
use super::flight::Flight;
use super::recent::Recent;
use crate::observation::{Absence, Ending, Seen, Sequence, Side, Sign};
use crate::time::Timestamp;

/// Bytes that are held back behind a hole at most.
const MAX_HELD_BYTES: usize = 4 << 20;
/// Segments that are held back at most.
const MAX_HELD: usize = 2048;
/// Segments that are held back at most where nothing of the peer is in the capture.
const MAX_HELD_ALONE: usize = 64;
/// How far an acknowledgement may be ahead of all that was seen.
pub(super) const MAX_AHEAD: i64 = 16 << 20;
/// A segment that fills a hole so soon was overtaken on the way; one that comes later was sent again.
const REORDERED: Duration = Duration::from_millis(3);
/// Nobody notices a loss and sends again so soon: the same bytes in another packet are another view of one segment.
const SAME: Duration = Duration::from_millis(1);
/// Capturing may put an acknowledgement before what it acknowledges, by so much time and so many packets.
const PATIENCE: Duration = Duration::from_millis(10);
const PATIENCE_PACKETS: u32 = 16;
/// How long a hole may stay where nothing of the peer is in the capture.
const PATIENCE_ALONE: Duration = Duration::from_secs(1);
/// What is sent again, and not acknowledged for so long, is no usual loss any more.
const LONG: Duration = Duration::from_secs(1);
/// What payload is copied into at once, bytes.
const ARENA: usize = 1 << 16;

/// What happened, when and in which packet.
pub(super) type Told = (Timestamp, u64, Seen);

/// The payload of one segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub at: Timestamp,
    pub frame: u64,
    pub interface: u32,
    /// IP identification, where that tells in which order its sender sent.
    pub id: Option<u16>,
    pub seq: u32,
    /// What is here of it.
    pub data: &'a [u8],
    /// Its length on the wire.
    pub len: u32,
}

/// Where payload is copied to, and where what happened is written.
pub(super) struct Out<'a> {
    pub arena: &'a mut BytesMut,
    pub told: &'a mut Vec<Told>,
}

/// Writes down a sign.
pub(super) fn sign(out: &mut Out<'_>, at: Timestamp, frame: u64, sign: Sign) {
    out.told.push((at, frame, Seen::Sign(sign)));
}

/// One direction.
#[derive(Debug)]
pub(super) struct Half {
    side: Side,
    /// The next byte to hand over, once that is known.
    next: Option<u32>,
    /// The first byte.
    first: Option<u32>,
    /// The end of the furthest byte seen.
    highest: u32,
    held: VecDeque<Held>,
    held_bytes: usize,
    fin: Option<(u32, Timestamp, u64)>,
    /// Whether the FIN was handed over.
    pub ended: bool,
    /// The peer acknowledged more than is here.
    beyond: Option<Beyond>,
    /// The peer acknowledged the one number behind all data: a FIN that was not captured, if nothing comes behind it.
    fin_missed: Option<(u32, Timestamp, u64)>,
    /// Whether the peer said, when segments behind a hole had come, that it still waits for what stands in it.
    is_missed: bool,
    /// What the peer acknowledged.
    acked: Option<u32>,
    /// When something new, or something old again, was last sent; on which interface the new was seen.
    sent: Timestamp,
    fresh: (Timestamp, u32),
    timed: Option<(u32, Timestamp)>,
    /// The furthest place that any segment of this side speaks of, also one without payload.
    claimed: Option<u32>,
    /// The FIN that was sent last, and when.
    fin_sent: Option<(u32, Timestamp)>,
    /// The round trip of the connection.
    pub rtt: Option<Duration>,
    /// Whether the capture was made on this side's own machine: then nothing is lost on the way to the capture.
    pub is_near: bool,
    pub flight: Flight,
    pub repeats: Repeats,
    pub stats: Stats,
    pub recent: Recent,
}

/// What was counted of one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stats {
    pub segments: u64,
    /// Segments that announced a receive window of 0.
    pub zero_windows: u64,
    pub retransmits: u64,
    pub retransmitted_bytes: u64,
    /// In a row, without progress.
    pub backoff: u64,
    /// Segments that came before their turn.
    pub out_of_order: u64,
    pub largest: u32,
    /// Time from data to its acknowledgement, at the place of the capture.
    pub srtt: Option<Duration>,
    pub min_rtt: Option<Duration>,
    /// Time that passed before segments were sent again, since it was last asked for.
    pub stalled: Duration,
    /// Round trips that were measured.
    pub measured: u64,
    pub overtaken: u64,
    /// Packets that the network delivered twice.
    pub duplicated: u64,
    /// Bytes that the peer acknowledged and the capture does not have.
    pub capture_lost: u64,
}

#[derive(Debug)]
struct Held {
    at: Timestamp,
    frame: u64,
    id: Option<u16>,
    seq: u32,
    len: u32,
    data: Bytes,
}

/// An acknowledgement of bytes that are not here.
#[derive(Debug, Clone, Copy)]
struct Beyond {
    to: u32,
    at: Timestamp,
    frame: u64,
    packets: u32,
}

/// How far `to` is ahead of `from`, RFC 9293 3.4: negative where it is behind.
pub(super) fn ahead(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}

impl Half {
    pub fn new(side: Side) -> Half {
        Half {
            side,
            next: None,
            first: None,
            highest: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            fin: None,
            ended: false,
            beyond: None,
            fin_missed: None,
            is_missed: false,
            acked: None,
            sent: Timestamp::at(0),
            fresh: (Timestamp::at(0), 0),
            timed: None,
            claimed: None,
            fin_sent: None,
            rtt: None,
            is_near: false,
            flight: Flight::default(),
            repeats: Repeats::default(),
            stats: Stats::default(),
            recent: Recent::default(),
        }
    }

    /// The stream begins here, unless it has begun.
    pub fn begin(&mut self, seq: u32) {
        if self.next.is_none() {
            (self.next, self.first, self.highest) = (Some(seq), Some(seq), seq);
        }
    }

    /// Forgets everything: the connection begins anew.
    pub fn restart(&mut self, seq: u32) {
        let (repeats, recent) = (std::mem::take(&mut self.repeats), std::mem::take(&mut self.recent));
        *self = Half { stats: self.stats, fin_sent: self.fin_sent, repeats, recent, ..Half::new(self.side) };
        self.begin(seq);
    }

    /// Where the stream begins, once that is known.
    pub fn begins(&self) -> Option<u32> {
        self.first
    }

    /// Whether nothing of this side has come but its SYN.
    pub fn is_untouched(&self) -> bool {
        let has_none = self.first.is_none_or(|first| self.next == Some(first) && self.highest == first);
        has_none && self.held.is_empty() && self.fin.is_none()
    }

    /// Whether what ends at this sequence number was not seen before.
    pub fn is_new(&self, end: u32) -> bool {
        self.next.is_none() || ahead(self.highest, end) > 0
    }

    /// Whether an RST with this sequence number is one that the peer would accept, holes of the capture allowed for.
    pub fn accepts_reset(&self, seq: u32) -> bool {
        let Some(next) = self.next else { return true };
        let from = self.acked.filter(|acked| ahead(*acked, next) > 0).unwrap_or(next);
        ahead(from, seq) >= -1 && ahead(self.highest, seq) <= MAX_AHEAD
    }

    /// Whether something was sent that the peer has not acknowledged.
    pub fn is_unacknowledged(&self) -> bool {
        self.acked.is_some_and(|acked| ahead(acked, self.highest) > 0)
    }

    /// Takes the payload of a segment.
    pub fn push(&mut self, piece: &Piece<'_>, out: &mut Out<'_>) {
        self.begin(piece.seq);
        let next = self.next.unwrap_or(piece.seq);
        let start = ahead(next, piece.seq);
        let end = start + i64::from(piece.len);
        // A keep-alive probe sends the last byte again, or none (RFC 9293, 3.8.4).
        let is_probe = start == -1 && end <= 0;
        if piece.len == 0 || is_probe || ahead(self.highest, piece.seq) > i64::from(i32::MAX / 2) {
            return;
        }
        self.stats.segments += 1;
        self.stats.largest = self.stats.largest.max(piece.len);
        self.count(piece, start, end, out);
        if end <= 0 || self.ended {
            return;
        }
        if start <= 0 {
            self.deliver(piece, out);
            self.drain(Some((piece.at, piece.frame)), out);
        } else {
            self.stats.out_of_order += 1;
            self.hold(piece, out.arena);
            if self.held.len() > MAX_HELD || self.held_bytes > MAX_HELD_BYTES {
                self.give_up(out);
            }
        }
        self.end_here(out);
    }

    /// Takes a FIN behind `seq`.
    pub fn fin(&mut self, at: Timestamp, frame: u64, seq: u32, out: &mut Out<'_>) {
        self.begin(seq);
        if self.fin.is_none() && ahead(self.next.unwrap_or(seq), seq) >= 0 {
            self.fin = Some((seq, at, frame));
        }
        self.end_here(out);
    }

    /// Takes an acknowledgement of the peer.
    pub fn acknowledged(&mut self, told: &Acknowledgement, out: &mut Out<'_>) {
        let Acknowledgement { at, frame, number: ack, .. } = *told;
        let Some(next) = self.next else { return };
        if ahead(self.highest, ack) > MAX_AHEAD {
            return;
        }
        let is_new = self.acked.is_none_or(|acked| ahead(acked, ack) > 0);
        let outstanding = ahead(ack, self.highest) > 0;
        if is_new {
            self.waited((at, frame), false, out);
        }
        self.repeats.acknowledged(told, is_new, self.highest, out);
        if is_new {
            self.acked = Some(ack);
            self.stats.backoff = 0;
            self.flight.acknowledged(at, ack, !outstanding);
        }
        self.is_missed |= ack == next && !self.held.is_empty();
        self.twice(told, out);
        if let Some((_, sent)) = self.timed.filter(|(end, _)| ahead(*end, ack) >= 0) {
            self.timed = None;
            self.stats.measured(at.since(sent));
        }
        if ahead(next, ack) > 0 && self.fin.is_none_or(|(fin, ..)| fin != next) {
            let beyond = self.beyond.get_or_insert(Beyond { to: ack, at, frame, packets: 0 });
            if ahead(beyond.to, ack) > 0 {
                beyond.to = ack;
            }
        }
    }

    /// What was sent again, and was not acknowledged for long, is now, or never was.
    pub fn waited(&self, (at, frame): (Timestamp, u64), still_waits: bool, out: &mut Out<'_>) {
        let (from, lasted, again) = (self.side, self.flight.waits(at), self.repeats.repeated);
        if again > 0 && lasted >= LONG {
            sign(out, at, frame, Sign::Unacknowledged { from, lasted, again, still_waits });
        }
    }

    /// What the peer says it got twice was sent again for nothing; or the network delivered it twice, where the capture
    /// saw that too and took it for its own doing.
    fn twice(&mut self, told: &Acknowledgement, out: &mut Out<'_>) {
        let Some((left, right)) = Repeats::twice(told) else { return };
        let (from, len) = (self.side, right.wrapping_sub(left));
        if self.repeats.is_sent_again(left, right) {
            self.repeats.counts.for_nothing += 1;
            sign(out, told.at, told.frame, Sign::SentForNothing { from, len });
        } else if self.recent.take_copy(left, right) {
            self.stats.duplicated += 1;
            sign(out, told.at, told.frame, Sign::Duplicated { from, len, after: Duration::ZERO });
        }
    }

    /// Takes the sequence number of any segment but an RST.
    pub fn claims(&mut self, seq: u32) {
        let reach = self.claimed.unwrap_or(self.highest);
        if self.next.is_some() && ahead(reach, seq) > 0 && ahead(self.highest, seq) <= MAX_AHEAD {
            self.claimed = Some(seq);
        }
    }

    /// How far a sequence number is ahead of all that was sent; `None` before the first.
    pub fn beyond(&self, seq: u32) -> Option<i64> {
        self.next.map(|_| ahead(self.highest, seq))
    }

    /// Where in the receiver's window an RST stands.
    pub fn place_of_reset(&self, seq: u32) -> Sequence {
        let Some(next) = self.next else { return Sequence::Exact };
        let behind_fin = self.fin.map(|(fin, ..)| fin.wrapping_add(1));
        let expected = [Some(next), self.acked, Some(self.highest), self.claimed, behind_fin];
        match self.accepts_reset(seq) {
            true if expected.contains(&Some(seq)) => Sequence::Exact,
            true => Sequence::InWindow,
            false => Sequence::Outside,
        }
    }

    /// How far this side has come: what it sent, and what of it was acknowledged.
    pub fn progress(&self) -> (u32, Option<u32>) {
        (self.highest, self.acked)
    }

    /// Bytes that were sent and are not acknowledged.
    pub fn unacknowledged(&self) -> u64 {
        self.acked.or(self.first).map_or(0, |acked| ahead(acked, self.highest).max(0).cast_unsigned())
    }

    /// For how long segments behind a hole wait, of which the peer says that it has not got what stands in it either.
    pub fn missed(&self, now: Timestamp) -> Duration {
        let since = self.held.iter().map(|held| held.at).min().filter(|_| self.is_missed);
        since.map(|since| now.since(since)).unwrap_or_default()
    }

    /// Bytes that must have been sent before the last segment and never came. On the sender's own machine they did not come to
    /// the capture, unless the peer misses them, too.
    pub fn hole(&self) -> u64 {
        let Some(next) = self.next.filter(|_| !self.is_near || self.is_missed) else { return 0 };
        // Whoever speaks behind its FIN speaks one number further.
        let fin = i64::from(self.fin.is_some() || self.fin_sent.is_some());
        let reach = ahead(next, self.highest).max(self.claimed.map_or(0, |claimed| ahead(next, claimed) - fin));
        let held: i64 = self.held.iter().map(|held| i64::from(held.len)).sum();
        (reach - held).max(0).cast_unsigned()
    }

    /// Decides, with each packet of the connection, whether holes are the capture's own.
    pub fn settle(&mut self, at: Timestamp, out: &mut Out<'_>) {
        if let Some(beyond) = &mut self.beyond {
            beyond.packets += 1;
            if beyond.packets > PATIENCE_PACKETS || at.since(beyond.at) >= PATIENCE {
                self.lose(out);
            }
        }
        let waits = self.held.front().is_some_and(|held| at.since(held.at) >= PATIENCE_ALONE);
        if self.acked.is_none() && (waits || self.held.len() > MAX_HELD_ALONE) {
            self.give_up(out);
        }
    }

    /// The capture, or the connection, is over: what is known to have arrived is handed over.
    pub fn finish(&mut self, out: &mut Out<'_>) {
        self.lose(out);
        self.fin_acknowledged(out);
        while self.acked.is_none() && !self.held.is_empty() {
            self.give_up(out);
        }
        self.end_here(out);
    }

    /// Hands over what the peer acknowledged, holes as lost.
    pub fn lose(&mut self, out: &mut Out<'_>) {
        let Some(beyond) = self.beyond.take() else { return };
        let to = match self.fin {
            Some((fin, ..)) if ahead(fin, beyond.to) > 0 => fin,
            _ => beyond.to,
        };
        loop {
            let Some(next) = self.next else { return };
            let front = self.held.front().filter(|held| ahead(held.seq, to) > 0);
            let hole = front.map_or(to, |held| held.seq);
            let mark = front.map_or((beyond.at, beyond.frame), |held| (held.at, held.frame));
            match ahead(next, hole) {
                ..=0 => break,
                // The one number behind all data is that of a FIN whose packet was not captured.
                1 if self.held.is_empty() && self.fin.is_none() => {
                    self.next = Some(hole);
                    self.fin_missed = Some((hole, mark.0, mark.1));
                }
                lost => self.skip(lost, mark, out),
            }
            self.drain(None, out);
        }
        self.end_here(out);
    }

    /// Hands over the FIN that the peer has acknowledged and the capture does not have.
    pub fn fin_acknowledged(&mut self, out: &mut Out<'_>) {
        let missed = self.fin_missed.take().filter(|(behind, ..)| Some(*behind) == self.next && self.fin.is_none());
        if let Some((behind, at, frame)) = missed.filter(|_| !self.ended) {
            self.fin_here(behind.wrapping_sub(1), (at, frame), out);
        }
    }

    /// The FIN that the capture does not have stood at this number.
    fn fin_here(&mut self, sequence: u32, (at, frame): (Timestamp, u64), out: &mut Out<'_>) {
        (self.fin, self.ended) = (Some((sequence, at, frame)), true);
        sign(out, at, frame, Sign::FinUnseen { from: self.side });
        out.told.push((at, frame, Seen::Closed { from: Some(self.side), how: Ending::Fin }));
    }

    /// An RST bears the number of what would come next (RFC 9293, 3.5.2): what stands before it and is not here was sent. One number
    /// is that of a FIN.
    pub fn reset_at(&mut self, sequence: u32, mark: (Timestamp, u64), out: &mut Out<'_>) {
        let Some(next) = self.next.filter(|_| self.fin.is_none() && !self.ended) else { return };
        match ahead(next, sequence) {
            1 if self.held.is_empty() => self.fin_here(next, mark, out),
            lost @ 1..=MAX_AHEAD => self.skip(lost, mark, out),
            _ => {}
        }
    }

    /// Declares the first hole lost, whatever the peer says.
    fn give_up(&mut self, out: &mut Out<'_>) {
        let (Some(next), Some(front)) = (self.next, self.held.front()) else { return };
        let (lost, mark) = (ahead(next, front.seq), (front.at, front.frame));
        if lost > 0 {
            self.skip(lost, mark, out);
        }
        self.drain(None, out);
        self.end_here(out);
    }

    fn skip(&mut self, lost: i64, (at, frame): (Timestamp, u64), out: &mut Out<'_>) {
        let len = u64::try_from(lost).unwrap_or(0);
        self.stats.capture_lost += len;
        sign(out, at, frame, Sign::CaptureLoss { from: self.side, len });
        out.told.push((at, frame, Seen::Missing { from: self.side, len, why: Absence::Lost }));
        self.next = self.next.map(|next| next.wrapping_add(len as u32));
        self.highest = furthest(self.highest, self.next);
    }

    /// Hands over the part of a piece that is new. Its beginning is not ahead of what was handed over.
    fn deliver(&mut self, piece: &Piece<'_>, out: &mut Out<'_>) {
        let Some(next) = self.next else { return };
        let known = next.wrapping_sub(piece.seq);
        let data = piece.data.get(known as usize..).unwrap_or_default();
        let data = if data.is_empty() { Bytes::new() } else { copy(out.arena, data) };
        self.tell(piece.at, piece.frame, data, piece.len - known.min(piece.len), out);
    }

    fn tell(&mut self, at: Timestamp, frame: u64, data: Bytes, len: u32, out: &mut Out<'_>) {
        let snapped = u64::from(len).saturating_sub(data.len() as u64);
        if !data.is_empty() {
            out.told.push((at, frame, Seen::Bytes { from: self.side, data }));
        }
        if snapped > 0 {
            out.told.push((at, frame, Seen::Missing { from: self.side, len: snapped, why: Absence::Snapped }));
        }
        self.next = self.next.map(|next| next.wrapping_add(len));
        self.is_missed = false;
    }

    /// Hands over what was held back and has its turn now: by the packet `now`, or, where the hole before it was the
    /// capture's own, by the packet that held it.
    fn drain(&mut self, now: Option<(Timestamp, u64)>, out: &mut Out<'_>) {
        while let Some(next) = self.next
            && self.held.front().is_some_and(|held| ahead(next, held.seq) <= 0)
            && let Some(held) = self.held.pop_front()
        {
            self.held_bytes -= held.data.len();
            let known = next.wrapping_sub(held.seq);
            if known < held.len {
                let (at, frame) = now.unwrap_or((held.at, held.frame));
                let data = held.data.slice((known as usize).min(held.data.len())..);
                self.tell(at, frame, data, held.len - known, out);
            }
        }
        let arrived = |beyond: &Beyond| self.next.is_some_and(|next| ahead(beyond.to, next) >= 0);
        if self.beyond.as_ref().is_some_and(arrived) {
            self.beyond = None;
        }
    }

    /// Keeps what nothing held covers.
    fn hold(&mut self, piece: &Piece<'_>, arena: &mut BytesMut) {
        let end = piece.seq.wrapping_add(piece.len);
        let mut seq = piece.seq;
        let mut place = self.held.len();
        // Most come in order, behind a hole.
        while place > 0 && self.held.get(place - 1).is_some_and(|held| ahead(seq, held.end()) > 0) {
            place -= 1;
        }
        while ahead(seq, end) > 0 {
            let after = self.held.get(place).filter(|held| ahead(held.seq, end) > 0);
            let (until, then) = after.map_or((end, end), |held| (held.seq, held.end()));
            if ahead(seq, until) > 0 {
                let held = Held::part(piece, seq, until, arena);
                self.held_bytes += held.data.len();
                self.held.insert(place, held);
                place += 1;
            }
            seq = then;
            place += 1;
        }
    }

    /// Hands over the FIN where everything before it was.
    fn end_here(&mut self, out: &mut Out<'_>) {
        if let Some((_, at, frame)) = self.fin.filter(|(seq, ..)| Some(*seq) == self.next && !self.ended) {
            self.ended = true;
            out.told.push((at, frame, Seen::Closed { from: Some(self.side), how: Ending::Fin }));
        }
    }

    /// Counts a segment: new, overtaken on the way, or sent again.
    fn count(&mut self, piece: &Piece<'_>, start: i64, end: i64, out: &mut Out<'_>) {
        let last = piece.seq.wrapping_add(piece.len);
        let sent = std::mem::replace(&mut self.sent, piece.at);
        if ahead(self.highest, last) > 0 {
            self.repeats.goes_on();
            self.highest = last;
            self.fresh = (piece.at, piece.interface);
            self.timed = self.timed.or(Some((last, piece.at)));
            self.flight.sent(piece.at, last, piece.len);
            return;
        }
        let fills = start >= 0 && end > 0;
        let late = self.overtaken(piece).filter(|_| fills);
        let is_same = end <= 0 && piece.at.since(self.fresh.0) < SAME && piece.interface != self.fresh.1;
        if let Some(late) = late {
            self.stats.overtaken += 1;
            sign(out, piece.at, piece.frame, Sign::Overtaken { from: self.side, late });
        }
        if late.is_some() || is_same {
            return;
        }
        self.timed = None;
        self.stats.retransmits += 1;
        self.stats.retransmitted_bytes += u64::from(piece.len);
        let was_acknowledged = self.acked.is_some_and(|acked| ahead(last, acked) >= 0);
        if !was_acknowledged {
            self.stats.backoff += 1;
            self.stats.stalled += piece.at.since(sent);
        }
        if fills && !self.is_here(piece) {
            let len = u64::try_from(end.min(piece.len.into())).unwrap_or(0);
            sign(out, piece.at, piece.frame, self.loss(len));
        }
        self.again(piece, last, piece.at.since(sent), was_acknowledged, out);
    }

    fn again(&mut self, piece: &Piece<'_>, last: u32, after: Duration, was_acknowledged: bool, out: &mut Out<'_>) {
        let Piece { at, frame, seq, len, .. } = *piece;
        let is_last = last == self.highest;
        let waited = if len == 0 { after } else { self.flight.waits(at) };
        let repeat = Repeat { at, frame, from: self.side, seq, len, after, waited, is_last, was_acknowledged };
        self.repeats.push(repeat, self.highest, self.rtt, out);
    }

    /// How late a segment is that fills a hole, where it was sent before what stands behind the hole: told by the
    /// order of the identifications or, where there is none, because it comes too soon for anything else.
    fn overtaken(&self, piece: &Piece<'_>) -> Option<Duration> {
        let place = self.held.partition_point(|held| ahead(held.seq, piece.seq) >= 0);
        let later = self.held.get(place)?;
        let late = piece.at.since(later.at);
        let was_before = match (piece.id, later.id) {
            (Some(id), Some(later)) if id != later => id.wrapping_sub(later) > u16::MAX / 2,
            (Some(_) | None, Some(_) | None) => late < REORDERED,
        };
        was_before.then_some(late)
    }

    /// When the newest payload was sent, where it ends here and waits for an acknowledgement.
    pub fn newest_until(&self, end: u32) -> Option<Timestamp> {
        (self.highest == end && self.unacknowledged() > 0).then_some(self.fresh.0)
    }

    /// A gap that nobody acknowledged.
    fn loss(&self, len: u64) -> Sign {
        let from = self.side;
        if self.is_near && !self.is_missed { Sign::CaptureLoss { from, len } } else { Sign::NetworkLoss { from, len } }
    }

    /// When payload was last sent.
    pub fn last_sent(&self) -> Timestamp {
        self.sent
    }

    /// At the end: the holes that nobody acknowledged.
    pub fn lost_on_the_way(&mut self, out: &mut Out<'_>) {
        let Some(next) = self.next else { return };
        let mut end = next;
        for held in &self.held {
            let len = ahead(end, held.seq);
            if len > 0 {
                sign(out, held.at, held.frame, self.loss(len.cast_unsigned()));
            }
            end = held.end();
        }
    }

    /// Whether all of a piece is held back already.
    fn is_here(&self, piece: &Piece<'_>) -> bool {
        let place = self.held.partition_point(|held| ahead(held.seq, piece.seq) >= 0);
        let before = place.checked_sub(1).and_then(|place| self.held.get(place));
        before.is_some_and(|held| ahead(piece.seq.wrapping_add(piece.len), held.end()) >= 0)
    }

    /// Takes a FIN, whatever becomes of it: one that was sent before is sent again.
    pub fn fin_sent(&mut self, piece: &Piece<'_>, out: &mut Out<'_>) {
        let Piece { at, seq, len, .. } = *piece;
        let end = seq.wrapping_add(len);
        match self.fin_sent.replace((end, at)) {
            // With payload it was counted with that.
            Some((before, sent)) if before == end && len == 0 => {
                let was_acknowledged = self.acked.is_some_and(|acked| ahead(end, acked) > 0);
                self.again(&Piece { seq: end, ..*piece }, end, at.since(sent), was_acknowledged, out);
            }
            Some(_) | None => {}
        }
    }
}

impl Held {
    /// The part of a piece from `seq` until `until`.
    fn part(piece: &Piece<'_>, seq: u32, until: u32, arena: &mut BytesMut) -> Held {
        let from = (seq.wrapping_sub(piece.seq) as usize).min(piece.data.len());
        let to = (until.wrapping_sub(piece.seq) as usize).min(piece.data.len());
        let data = copy(arena, piece.data.get(from..to).unwrap_or_default());
        Held { at: piece.at, frame: piece.frame, id: piece.id, seq, len: until.wrapping_sub(seq), data }
    }

    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.len)
    }
}

impl Stats {
    /// RFC 6298, 2.
    fn measured(&mut self, rtt: Duration) {
        self.measured += 1;
        self.srtt = Some(self.srtt.map_or(rtt, |srtt| (srtt * 7 + rtt) / 8));
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
    }
}

fn furthest(highest: u32, next: Option<u32>) -> u32 {
    next.filter(|next| ahead(highest, *next) > 0).unwrap_or(highest)
}

/// Copies payload into a large piece of memory, so that a packet costs no allocation.
fn copy(arena: &mut BytesMut, data: &[u8]) -> Bytes {
    if arena.capacity() < data.len() {
        arena.reserve(data.len().max(ARENA));
    }
    arena.extend_from_slice(data);
    arena.split().freeze()
}
