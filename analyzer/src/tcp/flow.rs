//! One TCP connection: its handshake, its two directions, its end.

use std::net::SocketAddr;
use std::time::Duration;

use super::half::{Half, Out, Piece};
use crate::capture::segment::Segment;
use crate::observation::{Ending, Opening, PathSample, Seen, Side};
use crate::time::Timestamp;

/// A client sends its SYN again within this time: a longer silence is no patience any more.
const UNANSWERED: Duration = Duration::from_secs(3);
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
    opened: bool,
    halves: [Half; 2],
    refused: bool,
    reset: bool,
    /// The round trip of the handshake.
    handshake: Option<Duration>,
    /// MSS as client and server told it.
    mss: [Option<u16>; 2],
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
            opened: false,
            halves: [Half::new(Side::Client), Half::new(Side::Server)],
            refused: false,
            reset: false,
            handshake: None,
            mss: [None; 2],
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
        let Some(syn) = &self.syn else { return self.opened };
        let is_again = syn.sequence == segment.sequence && self.client == segment.source;
        !is_again && (self.opened || self.refused || self.reset || self.client == segment.source)
    }

    /// Whether the handshake was seen, or must have been before.
    pub fn is_open(&self) -> bool {
        self.opened
    }

    /// Whether nothing more can come: it ended on both sides.
    pub fn is_over(&self) -> bool {
        self.reset || self.refused || self.halves.iter().all(|half| half.ended)
    }

    /// Takes a segment.
    pub fn push(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        if self.is_copy(incoming) {
            return;
        }
        let Segment { syn, ack, fin, rst, window, .. } = incoming.segment;
        if window == 0 && !(syn || fin || rst) {
            self.halves[incoming.from as usize].stats.zero_windows += 1;
        }
        match (syn, ack, incoming.from) {
            (true, false, Side::Client) => self.asked(incoming, out),
            (true, true, Side::Server) => self.agreed(incoming, out),
            (true, _, _) => {}
            (false, _, _) if self.opened => self.passed(incoming, out),
            (false, _, _) => self.unopened(incoming, out),
        }
    }

    /// The network says that the server cannot be reached.
    pub fn unreachable(&mut self, at: Timestamp, frame: u64, sequence: u32, out: &mut Out<'_>) {
        let quotes_syn = self.syn.as_ref().is_some_and(|syn| syn.sequence == sequence);
        if quotes_syn && !self.opened && !self.refused {
            self.refused = true;
            out.told.push((at, frame, Seen::Closed { from: None, how: Ending::Unreachable }));
        }
    }

    /// The capture, or this connection in it, is over; the last packet of the capture was seen at `now`.
    pub fn finish(&mut self, now: Timestamp, out: &mut Out<'_>) {
        if self.opened {
            let before = out.told.len();
            self.halves[0].finish(out);
            self.halves[1].finish(out);
            self.closing(before, out);
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

    /// Joins in the middle where neither SYN nor its answer is in the capture.
    pub fn join_if_new(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        if self.syn.is_none() && !self.opened {
            self.join(incoming, out);
        }
    }

    fn join(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        self.opened = true;
        let joined = Opening::Joined { client: self.client, server: self.server };
        out.told.push((incoming.at, incoming.frame, Seen::Opening(joined)));
        if incoming.segment.ack {
            self.halves[incoming.from.other() as usize].begin(incoming.segment.acknowledgement);
        }
    }

    fn is_copy(&mut self, incoming: &Incoming<'_>) -> bool {
        let Segment { syn, fin, rst, payload_len, sequence, .. } = incoming.segment;
        if payload_len == 0 && !(syn || fin || rst) {
            return false;
        }
        let half = &mut self.halves[incoming.from as usize];
        let is_old = syn || fin || rst || !half.is_new(sequence.wrapping_add(payload_len));
        half.recent.is_copy(incoming.at, &incoming.segment, is_old)
    }

    /// A SYN: the first, one sent again, or another try after a refusal.
    fn asked(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, segment, .. } = *incoming;
        if self.opened {
            return;
        }
        self.mss[0] = segment.mss;
        match &mut self.syn {
            Some(syn) if !self.refused && !self.reset => {
                (syn.last, syn.frame, syn.count) = (at, frame, syn.count + 1);
            }
            Some(_) | None => self.dial(at, frame, segment.sequence, out),
        }
    }

    fn dial(&mut self, at: Timestamp, frame: u64, sequence: u32, out: &mut Out<'_>) {
        (self.refused, self.reset) = (false, false);
        self.syn = Some(Syn { first: at, last: at, frame, sequence, count: 1 });
        let dialing = Opening::Dialing { client: self.client, server: self.server };
        out.told.push((at, frame, Seen::Opening(dialing)));
    }

    /// The answer to a SYN. One that was not captured is made up for: the connection stands all the same.
    fn agreed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, segment, .. } = *incoming;
        self.agreed_again |= self.opened;
        if self.opened {
            return;
        }
        let begins = segment.acknowledgement;
        let Some(syn) = self.syn else {
            self.join(incoming, out);
            (self.syn_ack, self.mss[1]) = (Some(at), segment.mss);
            self.halves[1].begin(segment.sequence.wrapping_add(1));
            return;
        };
        if syn.sequence.wrapping_add(1) != begins {
            return;
        }
        if self.refused || self.reset {
            // The refusal was not the server's: it agrees.
            self.dial(at, frame, syn.sequence, out);
        }
        (self.syn_ack, self.mss[1]) = (Some(at), segment.mss);
        self.halves[1].restart(segment.sequence.wrapping_add(1));
        self.open(at, frame, begins, out);
    }

    fn open(&mut self, at: Timestamp, frame: u64, client_begins: u32, out: &mut Out<'_>) {
        if let Some(syn) = self.syn {
            self.syn_sample(&syn, syn.last, out);
        }
        self.opened = true;
        self.halves[0].restart(client_begins);
        out.told.push((at, frame, Seen::Opened));
    }

    /// Something other than a SYN while the handshake is not done.
    fn unopened(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let Some(syn) = self.syn else { return };
        let begins = syn.sequence.wrapping_add(1);
        match from {
            Side::Client if segment.rst => {
                self.end(at, frame, Side::Client, Ending::Reset, out);
            }
            Side::Server if segment.rst && segment.ack && segment.acknowledgement == begins => {
                self.end(at, frame, Side::Server, Ending::Refused, out);
            }
            // The SYN-ACK was not captured.
            Side::Client if segment.ack && segment.sequence == begins => {
                self.halves[1].begin(segment.acknowledgement);
                self.open(at, frame, begins, out);
                self.passed(incoming, out);
            }
            Side::Server if segment.ack && segment.payload_len > 0 && segment.acknowledgement == begins => {
                self.open(at, frame, begins, out);
                self.passed(incoming, out);
            }
            Side::Client | Side::Server => {}
        }
    }

    fn end(&mut self, at: Timestamp, frame: u64, from: Side, how: Ending, out: &mut Out<'_>) {
        if !self.refused && !self.reset {
            (self.refused, self.reset) = (how == Ending::Refused, how == Ending::Reset);
            out.told.push((at, frame, Seen::Closed { from: Some(from), how }));
        }
    }

    /// A segment of a connection that stands.
    fn passed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, interface, from, segment } = *incoming;
        let before = out.told.len();
        if segment.ack {
            self.acknowledged(incoming, out);
        }
        let (data, len) = (segment.payload, segment.payload_len);
        // What an RST carries is a reason for people (RFC 9293, 3.5.3), not a part of the stream.
        if len > 0 && !segment.rst {
            let piece = Piece { at, frame, interface, seq: segment.sequence, data, len };
            self.half(from).push(&piece, out);
        }
        if segment.fin && !segment.rst {
            // Who ended first ended first, also where its last bytes are not in the capture.
            self.half(from.other()).lose(out);
            self.half(from).fin(at, frame, segment.sequence.wrapping_add(len), out);
        }
        self.halves[0].settle(at, out);
        self.halves[1].settle(at, out);
        if segment.rst && !self.reset && self.half(from).accepts_reset(segment.sequence) {
            self.halves[0].lose(out);
            self.halves[1].lose(out);
            self.end(at, frame, from, Ending::Reset, out);
        }
        self.closing(before, out);
        self.stalled(before, out);
    }

    fn acknowledged(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        self.half(from.other()).acknowledged(at, frame, segment.acknowledgement);
        if from == Side::Client
            && let Some(agreed) = self.syn_ack.take()
        {
            // Wherever the capture stands between the two, both halves of the way add up to a round trip.
            let server = self.syn.map(|syn| agreed.since(syn.last)).unwrap_or_default();
            let rtt = server + at.since(agreed);
            let is_told = self.syn.is_some() && !self.agreed_again;
            self.handshake = Some(rtt).filter(|rtt| !rtt.is_zero() && is_told);
            if let Some(rtt) = self.handshake {
                let rtt_us = Some(micros(rtt));
                let sample = PathSample { rtt_us, min_rtt_us: rtt_us, ..self.sample() };
                out.told.push((at, frame, Seen::Path(Box::new(sample))));
            }
        }
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
        let sample = self.cumulative();
        out.told.insert(place, (at, frame, Seen::Path(Box::new(sample))));
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
            let sample = self.cumulative();
            out.told.push((mark.0, mark.1, Seen::Path(Box::new(sample))));
        }
    }

    fn last_sample(&mut self, now: Timestamp, out: &mut Out<'_>) {
        let (retransmits, out_of_order) = (self.retransmits(), self.out_of_order());
        let is_told =
            self.told.is_closing && (self.told.retransmits, self.told.out_of_order) == (retransmits, out_of_order);
        if !is_told {
            let sample = self.cumulative();
            let (at, frame) = out.told.last().map_or((now, 0), |told| (told.0, told.1));
            out.told.push((at, frame, Seen::Path(Box::new(sample))));
        }
    }

    /// A sample with what sending again has cost since the last one.
    fn cumulative(&mut self) -> PathSample {
        let sample = self.sample();
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

    /// Both directions together: the one leg of a capture has no near end.
    fn retransmits(&self) -> u64 {
        let syn = self.syn.map_or(0, |syn| syn.count - 1);
        syn + self.halves.iter().map(|half| half.stats.retransmits).sum::<u64>()
    }

    fn out_of_order(&self) -> u64 {
        self.halves.iter().map(|half| half.stats.out_of_order).sum()
    }

    /// The path as the client's kernel would tell it, as far as packets show that.
    fn sample(&self) -> PathSample {
        let [client, server] = [self.halves[0].stats, self.halves[1].stats];
        let both = |a: Option<Duration>, b: Option<Duration>| Some(a? + b?);
        let data = both(client.min_rtt, server.min_rtt);
        let min = [self.handshake, data].into_iter().flatten().min();
        let segment = |largest: u32, mss: Option<u16>| {
            // Offload makes segments larger than any on the wire.
            let largest = mss.map_or(largest, |mss| largest.min(mss.into()));
            (largest > 0).then_some(u64::from(largest))
        };
        let unacked = self.halves[0].is_unacknowledged();
        PathSample {
            rtt_us: both(client.srtt, server.srtt).or(self.handshake).map(micros),
            min_rtt_us: min.map(micros),
            backoff: Some(client.backoff),
            retransmits: Some(self.retransmits()),
            out_of_order: Some(server.out_of_order),
            unacked: Some(u64::from(unacked)),
            bytes_retransmitted: Some(client.retransmitted_bytes + server.retransmitted_bytes),
            segments_sent: Some(client.segments),
            segments_received: Some(server.segments),
            snd_mss: segment(client.largest, self.mss[1]),
            rcv_mss: segment(server.largest, self.mss[0]),
            adv_mss: self.mss[0].map(u64::from),
            client_zero_windows: Some(client.zero_windows).filter(|count| *count > 0),
            server_zero_windows: Some(server.zero_windows).filter(|count| *count > 0),
            ..PathSample::default()
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
