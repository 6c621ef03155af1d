//! The handshake's options, and whether the server itself answered it.

use std::time::Duration;

use super::flow::Incoming;
use super::half::{MAX_AHEAD, Out, ahead, sign};
use crate::capture::options::Options;
use crate::observation::{Sign, SynProxyMarks};
use crate::time::Timestamp;

/// The largest window scale, RFC 7323 2.3.
const MAX_SCALE: u8 = 14;
/// A box near the client answers so much sooner than the server.
const SOONER: Duration = Duration::from_millis(20);
/// SYN-ACKs with other sequence numbers that are kept until the client has taken one.
const ANSWERS: usize = 8;

/// SYN and SYN-ACK.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    /// MSS as client and server told it.
    pub mss: [Option<u16>; 2],
    /// SYN-ACKs that were sent again.
    pub agreed_again: u32,
    /// The handshake's two halves: to the client and back, to the server and back.
    pub ways: Option<[Duration; 2]>,
    offers_timestamp: bool,
    asks_ecn: bool,
    syn_ack: Option<SynAck>,
    /// Where several answer one SYN (balancers, SYN proxies): each of them, until it is known which one was taken.
    answers: Vec<SynAck>,
    /// The SYN-ACK was compared with the server's next segment.
    is_compared: bool,
}

#[derive(Debug, Clone, Copy)]
struct SynAck {
    at: Timestamp,
    /// The first byte behind it.
    begins: u32,
    ttl: u8,
    timestamp: bool,
    no_window: bool,
}

impl Greeting {
    /// Takes a SYN.
    pub fn asked(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let options = self.options(incoming, out);
        self.offers_timestamp = options.timestamp;
        self.asks_ecn = incoming.segment.ece && incoming.segment.cwr;
    }

    /// Takes the SYN-ACK that opens the connection.
    pub fn agreed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, segment, .. } = *incoming;
        let options = self.options(incoming, out);
        if self.asks_ecn && segment.ece && !segment.cwr {
            sign(out, at, frame, Sign::EcnAgreed);
        }
        let (ttl, no_window) = (segment.ttl, segment.window == 0);
        let begins = segment.sequence.wrapping_add(1);
        let syn_ack = SynAck { at, begins, ttl, timestamp: options.timestamp, no_window };
        self.syn_ack = Some(syn_ack);
        if self.answers.len() < ANSWERS {
            self.answers.push(syn_ack);
        }
        if no_window {
            sign(out, at, frame, Sign::SynProxy { marks: SynProxyMarks { no_window, ..SynProxyMarks::default() } });
        }
    }

    /// Whether several with other sequence numbers have answered, and it is not known yet whose answer counts.
    pub fn is_undecided(&self) -> bool {
        self.answers.len() > 1
    }

    /// Takes the answer that fits `number`, one of the server's sequence numbers: the last one that begins there or before
    /// it. Gives when it came, and where the server's bytes begin.
    pub fn decide(&mut self, number: u32) -> Option<(Timestamp, u32)> {
        let reach = |answer: &&SynAck| ahead(answer.begins, number);
        let fits = self.answers.iter().filter(|answer| (0..MAX_AHEAD).contains(&reach(answer)));
        let taken = *fits.min_by_key(reach)?;
        self.syn_ack = Some(taken);
        self.answers.clear();
        Some((taken.at, taken.begins))
    }

    /// Takes a SYN-ACK of a connection that stands.
    pub fn agreed_again(&mut self, incoming: &Incoming<'_>, acknowledged: bool, out: &mut Out<'_>) {
        let Incoming { at, frame, .. } = *incoming;
        let Some(syn_ack) = &mut self.syn_ack else { return };
        let after = at.since(std::mem::replace(&mut syn_ack.at, at));
        self.agreed_again += 1;
        sign(out, at, frame, Sign::SynAckAgain { place: self.agreed_again, after, acknowledged });
    }

    /// Compares the SYN-ACK with the next segment of the server.
    pub fn compare(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        if std::mem::replace(&mut self.is_compared, true) {
            return;
        }
        let Some(syn_ack) = self.syn_ack else { return };
        let Incoming { at, frame, segment, .. } = *incoming;
        let has_timestamp = Options::read(segment.options).timestamp;
        let marks = SynProxyMarks {
            ttl: (segment.ttl != syn_ack.ttl).then_some((syn_ack.ttl, segment.ttl)),
            timestamps: self.offers_timestamp && has_timestamp != syn_ack.timestamp,
            ..SynProxyMarks::default()
        };
        if !marks.is_empty() {
            sign(out, at, frame, Sign::SynProxy { marks: SynProxyMarks { no_window: syn_ack.no_window, ..marks } });
        }
    }

    /// Compares, at the end, the handshake's way to the server with the least of its data, where there were enough.
    pub fn finish(&mut self, at: Timestamp, frame: u64, data: Option<Duration>, out: &mut Out<'_>) {
        let Some((data, [_, handshake])) = data.zip(self.ways) else { return };
        if data > handshake * 4 && data - handshake > SOONER {
            let marks = SynProxyMarks { rtt: Some((handshake, data)), ..SynProxyMarks::default() };
            sign(out, at, frame, Sign::SynProxy { marks });
        }
    }

    fn options(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) -> Options {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let options = Options::read(segment.options);
        self.mss[from as usize] = options.mss;
        if let Some(shift) = options.scale.filter(|shift| *shift > MAX_SCALE) {
            sign(out, at, frame, Sign::WindowScale { from, shift });
        }
        options
    }
}
