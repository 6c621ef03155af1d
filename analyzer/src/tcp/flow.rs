//! One TCP connection: its handshake, its two directions, its end.

use std::net::SocketAddr;
use std::time::Duration;

use super::again::Acknowledgement;
use super::greeting::Greeting;
use super::half::{Half, Out, Piece, sign};
use super::marks::Marks;
use super::recent::Copied;
use super::resets::{Held, Progress, Resets, Settled};
use super::window::Window;
use crate::capture::options::Options;
use crate::capture::segment::{Icmp, Segment};
use crate::observation::{Ending, PathSample, ResetMarks, Seen, Sequence, Side, Sign};
use crate::time::Timestamp;

mod opening;
mod sample;

/// A client sends its SYN again within this time: a longer silence is no patience any more.
const UNANSWERED: Duration = Duration::from_secs(3);
/// Nothing that has to pass a cable and come back is that fast.
const SAME_MACHINE: Duration = Duration::from_micros(100);
/// A round trip that is told from the time that a capture needs.
const MEASURABLE: Duration = Duration::from_millis(1);
/// SYNs without an answer that need no further silence.
const ASKED: u64 = 3;

/// One segment, with where it stands and who sent it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub at: Timestamp,
    pub frame: u64,
    pub interface: u32,
    pub from: Side,
    pub segment: Segment<'a>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Flow {
    pub client: SocketAddr,
    pub server: SocketAddr,
    syn: Option<Syn>,
    /// When the server agreed, while the client's ACK is awaited.
    syn_ack: Option<Timestamp>,
    /// Whether it had to agree again: then nobody can tell which answer was answered (RFC 6298, 3).
    agreed_again: bool,
    /// The server's agreement that came before anything else, while it is open whether the SYN is stored behind it.
    early: Option<(Timestamp, u64)>,
    opened: bool,
    halves: [Half; 2],
    refused: bool,
    reset: bool,
    /// The round trip of the handshake.
    handshake: Option<Duration>,
    greeting: Greeting,
    marks: [Marks; 2],
    windows: [Window; 2],
    resets: Resets,
    /// Whether the last RST looks like its alleged sender's own.
    is_own_reset: bool,
    /// What came behind an RST that is held.
    withheld: Vec<super::half::Told>,
    /// Who spoke last; since when the other has acknowledged all of it, and said nothing.
    speaker: Option<Side>,
    silent: Option<Timestamp>,
    /// When the last packet came, and the longest time in which none did.
    last: Option<Timestamp>,
    longest_gap: Duration,
    /// What the last path sample told.
    told: Told,
    /// Segments were sent again: the next payload tells what that cost.
    owes_sample: bool,
}

/// What a path sample told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Told {
    retransmits: u64,
    out_of_order: u64,
    is_closing: bool,
}

/// The client's SYN.
#[derive(Debug, Clone, Copy)]
struct Syn {
    first: Timestamp,
    last: Timestamp,
    frame: u64,
    sequence: u32,
    count: u64,
}

impl Flow {
    /// A connection of which nothing is known but its ends.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Flow {
        Flow {
            client,
            server,
            syn: None,
            syn_ack: None,
            agreed_again: false,
            early: None,
            opened: false,
            halves: [Half::new(Side::Client), Half::new(Side::Server)],
            refused: false,
            reset: false,
            handshake: None,
            greeting: Greeting::default(),
            marks: [Marks::default(); 2],
            windows: [Window::default(), Window::default()],
            resets: Resets::default(),
            is_own_reset: false,
            withheld: Vec::new(),
            speaker: None,
            silent: None,
            last: None,
            longest_gap: Duration::ZERO,
            told: Told::default(),
            owes_sample: false,
        }
    }

    /// Who sent what comes from this address.
    pub fn side(&self, source: SocketAddr) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    /// Whether this SYN begins another connection between the same ends.
    pub fn is_over_by(&self, segment: &Segment<'_>) -> bool {
        let Some(syn) = &self.syn else { return self.opened && !self.is_asked_by(segment) };
        let is_again = syn.sequence == segment.sequence && self.client == segment.source;
        !is_again && (self.opened || self.is_over() || self.client == segment.source)
    }

    /// Whether this SYN is the one to which a connection belongs that was seen without it.
    fn is_asked_by(&self, segment: &Segment<'_>) -> bool {
        self.client == segment.source && self.halves[0].begins() == Some(segment.sequence.wrapping_add(1))
    }

    /// Whether the handshake was seen, or must have been before.
    pub fn is_open(&self) -> bool {
        self.opened
    }

    /// Whether nothing more can come: it ended on both sides.
    pub fn is_over(&self) -> bool {
        self.reset || self.resets.is_held() || self.refused || self.halves.iter().all(|half| half.ended)
    }

    /// Takes a segment.
    pub fn push(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        if self.is_copy(incoming, out) {
            return;
        }
        if self.early.is_some() {
            self.introduce(Some(incoming), out);
        }
        let Incoming { at, from, segment, .. } = *incoming;
        let Segment { syn, ack, rst, .. } = segment;
        let (was_held, before) = (self.resets.is_held(), out.told.len());
        let silent = self.last.map(|last| at.since(last)).unwrap_or_default();
        (self.last, self.longest_gap) = (Some(at), self.longest_gap.max(silent));
        if rst {
            self.told_reset(incoming, out);
        } else {
            self.noticed(incoming, out);
            self.marks[from as usize].learn(&segment);
        }
        match (syn, ack, incoming.from) {
            (true, false, Side::Client) => self.asked(incoming, out),
            (true, true, Side::Server) => self.agreed(incoming, out),
            (true, _, _) => {}
            (false, _, _) if self.opened => self.passed(incoming, out),
            (false, _, _) => self.unopened(incoming, out),
        }
        if was_held {
            self.after_reset(at, before, out);
        }
    }

    /// What comes behind an RST is kept back until it is known whether that was the end.
    fn after_reset(&mut self, at: Timestamp, before: usize, out: &mut Out<'_>) {
        let now = out.told.split_off(before);
        match self.resets.settle(at, self.progress()) {
            Settled::Open => return self.withheld.extend(now),
            Settled::Ignored => {}
            Settled::Believed(held) => self.reset_by(held, out),
        }
        out.told.append(&mut self.withheld);
        out.told.extend(now);
    }

    /// The network says something of a segment. That a client's SYN cannot reach the server is the end.
    pub fn icmp(&mut self, at: Timestamp, frame: u64, icmp: &Icmp, out: &mut Out<'_>) {
        let Icmp { by, kind, code, mtu, sequence, .. } = *icmp;
        self.introduce(None, out);
        let about = self.side(icmp.source);
        sign(out, at, frame, Sign::Icmp { by, kind, code, mtu, about });
        let is_end = about == Side::Client && icmp.is_unreachable();
        let quotes_syn = is_end && self.syn.as_ref().is_some_and(|syn| syn.sequence == sequence);
        if quotes_syn && !self.opened && !self.refused {
            self.refused = true;
            out.told.push((at, frame, Seen::Closed { from: None, how: Ending::Unreachable }));
        }
    }

    /// The capture, or this connection in it, is over; the last packet of the capture was seen at `now`.
    pub fn finish(&mut self, now: Timestamp, out: &mut Out<'_>) {
        self.introduce(None, out);
        let before = out.told.len();
        self.believe_reset(out);
        if self.opened {
            self.halves[0].finish(out);
            self.halves[1].finish(out);
            self.closing(before, out);
            self.over(now, out);
            self.last_sample(now, out);
        } else if let Some(syn) = self.syn.filter(|_| !self.refused && !self.reset) {
            let waited = now.since(syn.last) >= UNANSWERED;
            if syn.count >= ASKED || waited {
                let at = if syn.count >= 2 { syn.last } else { now };
                self.syn_sample(&syn, syn.last, out);
                out.told.push((at, syn.frame, Seen::Closed { from: None, how: Ending::TimedOut }));
            }
        }
    }

    fn is_copy(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) -> bool {
        let Incoming { at, frame, interface, from, segment } = *incoming;
        let Segment { syn, fin, rst, payload_len: len, sequence, .. } = segment;
        if len == 0 && !(syn || fin || rst) {
            return false;
        }
        let half = &mut self.halves[from as usize];
        let is_old = syn || fin || rst || !half.is_new(sequence.wrapping_add(len));
        let copied = half.recent.copied(at, interface, &segment, is_old);
        if let Copied::ByNetwork(after) = copied {
            half.stats.duplicated += 1;
            sign(out, at, frame, Sign::Duplicated { from, len, after });
        }
        copied != Copied::No
    }

    fn end(&mut self, at: Timestamp, frame: u64, from: Side, how: Ending, out: &mut Out<'_>) {
        if !self.refused && !self.reset {
            (self.refused, self.reset) = (how == Ending::Refused, how == Ending::Reset);
            out.told.push((at, frame, Seen::Closed { from: Some(from), how }));
        }
    }

    /// A segment of a connection that stands.
    fn passed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let before = out.told.len();
        self.decide(incoming);
        let is_probe = self.is_probe(incoming, out);
        // What an RST acknowledges proves nothing where it may be another's.
        if segment.ack && (!segment.rst || self.is_own_reset) {
            self.acknowledged(incoming, out);
        }
        let len = segment.payload_len;
        // What an RST carries is a reason for people (RFC 9293, 3.5.3), not a part of the stream.
        if len > 0 && !segment.rst {
            self.spoke(from, is_probe);
            let piece = self.piece(incoming);
            self.half(from).push(&piece, out);
        }
        if !segment.rst {
            self.half(from).claims(segment.sequence);
        }
        if segment.fin && !segment.rst {
            // Who ended first ended first, also where its last bytes, or its FIN, are not in the capture.
            self.half(from.other()).lose(out);
            self.half(from.other()).fin_acknowledged(out);
            self.half(from).fin(at, frame, segment.sequence.wrapping_add(len), out);
        }
        self.halves[0].settle(at, out);
        self.halves[1].settle(at, out);
        if segment.rst && !self.reset && self.half(from).accepts_reset(segment.sequence) {
            self.halves[0].lose(out);
            self.halves[1].lose(out);
            self.half(from.other()).fin_acknowledged(out);
            self.half(from).reset_at(segment.sequence, (at, frame), out);
            self.resets.hold(at, frame, from, self.progress());
        }
        self.closing(before, out);
        self.stalled(before, out);
    }

    fn acknowledged(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let has_sack = Options::may_have_sack(segment.options);
        let told = Acknowledgement {
            at,
            frame,
            number: segment.acknowledgement,
            window: segment.window,
            is_bare: segment.payload_len == 0 && !segment.fin && !segment.rst,
            sack: if has_sack { Options::read(segment.options).sack } else { [None; 2] },
        };
        let half = self.half(from.other());
        let measured = half.stats.measured;
        half.acknowledged(&told, out);
        if half.stats.measured != measured || self.syn_ack.is_some() {
            self.measured();
        }
        self.listened(at, from);
        if from == Side::Client
            && let Some(agreed) = self.syn_ack.take()
        {
            // Wherever the capture stands between the two, both halves of the way add up to a round trip.
            let server = self.syn.map(|syn| agreed.since(syn.last)).unwrap_or_default();
            let rtt = server + at.since(agreed);
            let is_told = self.syn.is_some() && !self.agreed_again;
            self.handshake = Some(rtt).filter(|rtt| !rtt.is_zero() && is_told);
            self.greeting.ways = self.handshake.map(|_| [at.since(agreed), server]);
            self.measured();
            if let Some(rtt) = self.handshake {
                let rtt_us = Some(micros(rtt));
                let sample = PathSample { rtt_us, min_rtt_us: rtt_us, ..self.sample(at) };
                out.told.push((at, frame, Seen::Path(Box::new(sample))));
            }
        }
    }

    /// What every packet but an RST shows, whatever becomes of it.
    fn noticed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let Segment { syn, ack, fin, window, .. } = segment;
        if segment.ecn_marked && self.marks[from as usize].ecn_marked == 0 {
            sign(out, at, frame, Sign::EcnMarked { from });
        }
        if !syn || ack {
            self.resets.goes_on(at, frame, from, &segment, out);
        }
        self.windows[from.other() as usize].answered();
        if !(syn || fin) {
            self.halves[from as usize].stats.zero_windows += u64::from(window == 0);
            self.windows[from as usize].announced(at, frame, from, window, out);
        }
        if fin {
            let piece = self.piece(incoming);
            self.halves[from as usize].fin_sent(&piece, out);
        }
        if !syn && from == Side::Server && self.opened {
            self.greeting.compare(incoming, out);
        }
    }

    fn told_reset(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let asked = self.syn.map(|syn| syn.sequence.wrapping_add(1));
        let place = match (self.opened, from) {
            (true, _) => self.halves[from as usize].place_of_reset(segment.sequence),
            // A client that only asked believes what acknowledges its SYN (RFC 9293, 3.10.7.3).
            (false, Side::Server) if segment.ack && Some(segment.acknowledgement) == asked => Sequence::Exact,
            (false, Side::Client) if self.syn.is_some_and(|syn| segment.sequence.wrapping_sub(syn.sequence) <= 1) => {
                Sequence::Exact
            }
            (false, Side::Client | Side::Server) => Sequence::Outside,
        };
        let usual = &self.marks[from as usize];
        let marks = self.resets.marks(at, from, &segment, usual, place, self.opened);
        let too_soon = self.too_soon(incoming);
        let marks = ResetMarks { too_soon, answers_syn_ack: self.answers_syn_ack(incoming), ..marks };
        self.is_own_reset = marks.is_empty();
        sign(out, at, frame, Sign::Reset { from, marks });
    }

    /// Whether this is how a client's kernel answers a SYN-ACK that it did not ask for (RFC 9293, 3.10.7.1): behind a SYN that
    /// a scanner made itself, before anything else of the client.
    fn answers_syn_ack(&self, incoming: &Incoming<'_>) -> bool {
        let Incoming { from, segment, .. } = *incoming;
        let is_next = self.halves[0].begins() == Some(segment.sequence) && self.halves[0].is_untouched();
        from == Side::Client && self.opened && self.syn_ack.is_some() && is_next && !segment.ack
    }

    /// Whether an RST acknowledges what its alleged sender cannot have got yet.
    fn too_soon(&self, incoming: &Incoming<'_>) -> Option<(Duration, Duration)> {
        let Incoming { at, from, segment, .. } = *incoming;
        let half = &self.halves[from.other() as usize];
        // The handshake alone is answered by a kernel: what else was acknowledged may have waited for a program.
        let way = self.greeting.ways.map(|ways| ways[from as usize])?;
        let least = half.stats.min_rtt.map_or(way, |least| least.min(way));
        let least = Some(least).filter(|least| *least >= MEASURABLE)?;
        let took = half.newest_until(segment.acknowledgement).map(|sent| at.since(sent))?;
        (segment.ack && took * 2 < least).then_some((took, least))
    }

    /// Whether a segment brings nothing and only asks: whether the peer's window has opened, or whether it is there.
    fn is_probe(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) -> bool {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        if segment.payload_len > 1 || segment.fin || segment.rst {
            return false;
        }
        let beyond = self.halves[from as usize].beyond(segment.sequence);
        match (beyond, segment.payload_len) {
            (Some(-1), _) | (Some(0), 1) if self.windows[from.other() as usize].is_probed() => true,
            (Some(-1), _) => {
                let before = self.halves[from as usize].last_sent();
                self.windows[from as usize].kept_alive(at, frame, from, at.since(before), out);
                true
            }
            (Some(_) | None, _) => false,
        }
    }

    /// A side sends payload.
    fn spoke(&mut self, from: Side, is_probe: bool) {
        if !is_probe {
            (self.speaker, self.silent) = (Some(from), None);
        }
    }

    /// A side acknowledges: from when it has all that was said to it, it is its turn.
    fn listened(&mut self, at: Timestamp, from: Side) {
        let has_all = || self.halves[from.other() as usize].progress();
        if self.silent.is_none() && self.speaker == Some(from.other()) {
            let (sent, acknowledged) = has_all();
            self.silent = (acknowledged == Some(sent)).then_some(at);
        }
    }

    /// Tells both directions how long a round trip takes.
    fn measured(&mut self) {
        let rtt = self.halves[0].stats.srtt.zip(self.halves[1].stats.srtt).map(|(a, b)| a + b);
        let rtt = rtt.or(self.handshake);
        let ways = [self.halves[1].stats.min_rtt, self.halves[0].stats.min_rtt];
        for ((half, way), marks) in self.halves.iter_mut().zip(ways).zip(&self.marks) {
            half.rtt = rtt;
            half.is_near = marks.is_first_hop() && way.is_some_and(|way| way < SAME_MACHINE);
        }
    }

    fn progress(&self) -> Progress {
        [self.halves[0].progress(), self.halves[1].progress()]
    }

    /// Nobody goes on after an RST: it was the end.
    fn reset_by(&mut self, held: Held, out: &mut Out<'_>) {
        let before = out.told.len();
        self.end(held.at, held.frame, held.from, Ending::Reset, out);
        self.closing(before, out);
    }

    fn believe_reset(&mut self, out: &mut Out<'_>) {
        if let Some(held) = self.resets.take() {
            self.reset_by(held, out);
            out.told.append(&mut self.withheld);
        }
    }

    /// What was left open is settled before the end.
    fn settle(&mut self, at: Timestamp, frame: u64, out: &mut Out<'_>) {
        self.halves.iter_mut().for_each(|half| half.repeats.settle(out));
        let data = self.halves[0].stats;
        self.greeting.finish(at, frame, data.min_rtt.filter(|_| data.measured >= 3), out);
    }

    /// The connection or the capture is over.
    fn over(&mut self, now: Timestamp, out: &mut Out<'_>) {
        let frame = out.told.last().map_or(0, |told| told.1);
        let before = self.told.is_closing;
        if !before {
            self.settle(now, frame, out);
        }
        for from in [Side::Client, Side::Server] {
            self.windows[from as usize].finish(now, from, out);
            // Of a peer that the capture does not have nobody knows what it acknowledged.
            if !before && self.marks[from.other() as usize].ttl.is_some() {
                self.halves[from as usize].waited((now, frame), true, out);
            }
            self.halves[from as usize].repeats.settle(out);
            self.halves[from as usize].lost_on_the_way(out);
        }
    }

    /// The payload of a segment.
    fn piece<'a>(&self, incoming: &Incoming<'a>) -> Piece<'a> {
        let Incoming { at, frame, interface, from, segment } = *incoming;
        let id = Some(segment.id).filter(|id| *id != 0 && self.marks[from as usize].is_series());
        Piece { at, frame, interface, id, seq: segment.sequence, data: segment.payload, len: segment.payload_len }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        &mut self.halves[side as usize]
    }

    /// Before the first end of a connection stands what is known of its path.
    fn closing(&mut self, before: usize, out: &mut Out<'_>) {
        let ends = |(_, _, seen): &(Timestamp, u64, Seen)| matches!(seen, Seen::Closed { .. });
        let Some(place) = out.told.iter().skip(before).position(ends).filter(|_| !self.told.is_closing) else { return };
        self.told.is_closing = true;
        let place = before + place;
        let (at, frame, _) = out.told[place];
        let behind = out.told.split_off(place);
        self.settle(at, frame, out);
        let sample = self.cumulative(at);
        out.told.push((at, frame, Seen::Path(Box::new(sample))));
        out.told.extend(behind);
    }

    /// What sending again cost is told with the payload that ended the wait.
    fn stalled(&mut self, before: usize, out: &mut Out<'_>) {
        let total = self.retransmits();
        self.owes_sample |= total > self.told.retransmits;
        let passed = |(_, _, seen): &(Timestamp, u64, Seen)| matches!(seen, Seen::Bytes { .. });
        let Some(mark) = out.told.iter().skip(before).find(|told| passed(told)).map(|told| (told.0, told.1)) else {
            return;
        };
        if self.owes_sample {
            let sample = self.cumulative(mark.0);
            out.told.push((mark.0, mark.1, Seen::Path(Box::new(sample))));
        }
    }

    fn last_sample(&mut self, now: Timestamp, out: &mut Out<'_>) {
        let (retransmits, out_of_order) = (self.retransmits(), self.out_of_order());
        let is_told =
            self.told.is_closing && (self.told.retransmits, self.told.out_of_order) == (retransmits, out_of_order);
        if !is_told {
            let (at, frame) = out.told.last().map_or((now, 0), |told| (told.0, told.1));
            let sample = self.cumulative(self.last.unwrap_or(at).max(now));
            out.told.push((at, frame, Seen::Path(Box::new(sample))));
        }
    }

    /// A sample with what sending again has cost since the last one.
    fn cumulative(&mut self, now: Timestamp) -> PathSample {
        let sample = self.sample(now);
        let again = sample.retransmits.unwrap_or(0).saturating_sub(self.told.retransmits).min(16) as u32;
        let stalled: Duration = self.halves.iter_mut().map(|half| std::mem::take(&mut half.stats.stalled)).sum();
        self.told.retransmits = sample.retransmits.unwrap_or(0);
        self.told.out_of_order = self.out_of_order();
        self.owes_sample = false;
        PathSample { rto_us: timeout(stalled, again), ..sample }
    }

    fn syn_sample(&mut self, syn: &Syn, at: Timestamp, out: &mut Out<'_>) {
        if syn.count > 1 {
            let rto_us = timeout(syn.last.since(syn.first), u32::try_from(syn.count - 1).unwrap_or(16).min(16));
            let sample = PathSample { retransmits: Some(self.retransmits()), rto_us, ..PathSample::default() };
            self.told.retransmits = self.retransmits();
            out.told.push((at, syn.frame, Seen::Path(Box::new(sample))));
        }
    }
}

/// The timeout that, doubled with each of so many segments sent again, makes up this wait.
fn timeout(stalled: Duration, again: u32) -> Option<u64> {
    (again > 0).then(|| micros(stalled) / ((1 << again) - 1))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
