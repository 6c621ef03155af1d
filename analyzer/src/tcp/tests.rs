//! Whole connections: any cutting, order, repetition and overlap gives the same streams.

mod greetings;
mod signs;

use super::*;
use crate::observation::{Absence, Ending, Opening, Seen, Side};

/// Remembers everything that is told.
#[derive(Default)]
struct Everything {
    over: Vec<Vec<Observation>>,
    dropped_after: Option<usize>,
}

impl Listener for Everything {
    type State = Vec<Observation>;

    fn hear(&mut self, state: &mut Vec<Observation>, observation: Observation) -> Interest {
        state.push(observation);
        if self.dropped_after.is_some_and(|limit| state.len() >= limit) { Interest::Drop } else { Interest::Keep }
    }

    fn over(&mut self, state: Vec<Observation>) {
        self.over.push(state);
    }
}

/// xorshift64*
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// A connection that is written by hand.
struct Play {
    streams: Streams<Everything>,
    at: u64,
    frame: u64,
    isn: [u32; 2],
}

const CLIENT: &str = "10.0.0.1:50000";
const SERVER: &str = "10.0.0.2:3389";

fn addresses() -> [SocketAddr; 2] {
    [CLIENT, SERVER].map(|end| end.parse().expect("an address"))
}

/// What a segment carries besides payload.
#[derive(Clone, Copy, Default)]
struct Flags {
    syn: bool,
    no_ack: bool,
    fin: bool,
    rst: bool,
    no_window: bool,
    /// Instead of 64, and of the frame's number.
    ttl: Option<u8>,
    id: Option<u16>,
    ece: bool,
    cwr: bool,
    marked: bool,
    options: &'static [u8],
    /// Selective acknowledgement; counts like the acknowledgement.
    sack: [Option<(u32, u32)>; 2],
}

impl Flags {
    fn options(&self, first: u32) -> Vec<u8> {
        let mut options = self.options.to_vec();
        let blocks: Vec<_> = self.sack.iter().flatten().collect();
        if !blocks.is_empty() {
            options.extend([1, 1, 5, 2 + 8 * blocks.len() as u8]);
            for (left, right) in blocks {
                options.extend(first.wrapping_add(*left).to_be_bytes());
                options.extend(first.wrapping_add(*right).to_be_bytes());
            }
        }
        options
    }
}

impl Play {
    fn new(isn: [u32; 2]) -> Play {
        Play { streams: Streams::new(Everything::default()), at: 1_000_000_000, frame: 0, isn }
    }

    fn opened(isn: [u32; 2]) -> Play {
        let mut play = Play::new(isn);
        play.send(Side::Client, u32::MAX, u32::MAX, b"", Flags { syn: true, no_ack: true, ..Flags::default() });
        play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..Flags::default() });
        play.send(Side::Client, 0, 0, b"", Flags::default());
        play
    }

    /// A segment; sequence and acknowledgement count from the first byte of payload.
    fn send(&mut self, from: Side, seq: u32, ack: u32, data: &[u8], flags: Flags) {
        self.send_cut(from, seq, ack, data, data.len() as u32, flags);
    }

    fn data(&mut self, from: Side, seq: u32, ack: u32, data: &[u8]) {
        self.send(from, seq, ack, data, Flags::default());
    }

    fn send_cut(&mut self, from: Side, seq: u32, ack: u32, data: &[u8], len: u32, flags: Flags) {
        let ends = addresses();
        let first = |side: Side| self.isn[side as usize].wrapping_add(1);
        self.frame += 1;
        self.at += 1_000_000;
        let options = flags.options(first(from.other()));
        let segment = Segment {
            source: ends[from as usize],
            destination: ends[from.other() as usize],
            sequence: first(from).wrapping_add(seq),
            acknowledgement: if flags.no_ack { 0 } else { first(from.other()).wrapping_add(ack) },
            syn: flags.syn,
            ack: !flags.no_ack,
            fin: flags.fin,
            rst: flags.rst,
            window: if flags.no_window { 0 } else { u16::MAX },
            ece: flags.ece,
            cwr: flags.cwr,
            options: &options,
            id: flags.id.unwrap_or(self.frame as u16),
            ttl: flags.ttl.unwrap_or(64),
            ecn_marked: flags.marked,
            payload: data,
            payload_len: len,
        };
        let what = What::Segment(segment);
        self.streams.push(&Heard { at: Timestamp::at(self.at), frame: self.frame, interface: 0, what });
    }

    fn wait(&mut self, milliseconds: u64) -> &mut Play {
        self.at += milliseconds * 1_000_000;
        self
    }

    /// What was seen, path samples and signs left out.
    fn seen(self) -> Vec<Seen> {
        let over = self.streams.finish().over;
        let all = over.into_iter().flatten().map(|observation| observation.seen);
        all.filter(|seen| !matches!(seen, Seen::Path(_) | Seen::Sign(_))).collect()
    }

    fn streams(self) -> [Vec<u8>; 2] {
        let mut streams = [Vec::new(), Vec::new()];
        for seen in self.seen() {
            match seen {
                Seen::Bytes { from, data } => streams[from as usize].extend_from_slice(&data),
                Seen::Missing { from, len, .. } => {
                    let stream = &mut streams[from as usize];
                    stream.resize(stream.len() + len as usize, b'?');
                }
                Seen::Opening(_)
                | Seen::Opened
                | Seen::Path(_)
                | Seen::Sign(_)
                | Seen::Interception(_)
                | Seen::Impairment(_)
                | Seen::Lapse(_)
                | Seen::Secret(_)
                | Seen::Closed { .. } => {}
            }
        }
        streams
    }
}

fn closed(from: Side, how: Ending) -> Seen {
    Seen::Closed { from: Some(from), how }
}

#[test]
fn any_cutting_order_repetition_and_overlap_gives_the_same_stream() {
    for seed in 1..400 {
        let mut dice = Dice(seed);
        let stream: Vec<u8> = (0..dice.below(3000) + 1).map(|_| dice.below(256) as u8).collect();
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        while at < stream.len() {
            let end = (at + 1 + dice.below(300)).min(stream.len());
            pieces.push((at, end));
            // Again, with more on either side.
            if dice.below(3) == 0 {
                pieces.push((at - dice.below(at + 1).min(50), (end + dice.below(50)).min(stream.len())));
            }
            at = end;
        }
        for _ in 0..dice.below(pieces.len() * 2) {
            let (one, other) = (dice.below(pieces.len()), dice.below(pieces.len()));
            pieces.swap(one, other);
        }
        let isn = if seed % 3 == 0 { u32::MAX - dice.below(2000) as u32 } else { dice.below(1 << 30) as u32 };
        let mut play = Play::opened([isn, 7]);
        for (from, to) in pieces {
            play.data(Side::Client, from as u32, 0, &stream[from..to]);
        }
        assert_eq!(play.streams(), [stream, Vec::new()], "seed {seed}");
    }
}

#[test]
fn the_first_copy_of_a_byte_wins() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 2, 0, b"CD");
    play.data(Side::Client, 1, 0, b"bcde");
    play.data(Side::Client, 0, 0, b"a");
    play.data(Side::Client, 0, 0, b"xxxxx");
    assert_eq!(play.streams()[0], b"abCDe");
}

#[test]
fn what_was_acknowledged_and_never_seen_is_lost_in_the_capture() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"ab");
    play.data(Side::Client, 5, 0, b"fg");
    play.data(Side::Server, 0, 7, b"");
    play.wait(50).data(Side::Server, 0, 7, b"ok");
    let seen = play.seen();
    let lost = Seen::Missing { from: Side::Client, len: 3, why: Absence::Lost };
    assert!(seen.contains(&lost), "{seen:?}");
    assert_eq!(seen.len(), 2 + 4, "{seen:?}");
}

#[test]
fn a_hole_that_nobody_acknowledged_is_the_networks() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Server, 1000, 0, b"beyond");
    play.wait(5000).send(Side::Client, 0, 0, b"", Flags { fin: true, ..Flags::default() });
    let over = play.streams.finish().over;
    let missing = over[0].iter().any(|o| matches!(o.seen, Seen::Missing { .. } | Seen::Bytes { .. }));
    assert!(!missing, "{over:?}");
    let beyond = over[0].iter().rev().find_map(|o| match &o.seen {
        Seen::Path(sample) => sample.out_of_order,
        _ => None,
    });
    assert_eq!(beyond, Some(1));
}

#[test]
fn an_acknowledgement_captured_before_its_data_is_no_loss() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Server, 0, 2, b"");
    play.data(Side::Client, 0, 0, b"ab");
    assert_eq!(play.streams()[0], b"ab");
}

#[test]
fn a_cut_packet_still_tells_its_length() {
    let mut play = Play::opened([1, 2]);
    play.send_cut(Side::Client, 0, 0, b"ab", 5, Flags::default());
    play.data(Side::Client, 5, 0, b"f");
    assert_eq!(play.streams()[0], b"ab???f");
}

#[test]
fn one_packet_captured_twice_is_one() {
    let mut play = Play::opened([1, 2]);
    for _ in 0..3 {
        play.data(Side::Client, 0, 0, b"ab");
        play.frame -= 1;
    }
    play.wait(300).data(Side::Client, 0, 0, b"ab");
    let over = play.streams.finish().over;
    let Some(Seen::Path(last)) = over[0].iter().map(|o| &o.seen).rfind(|seen| matches!(seen, Seen::Path(_))) else {
        panic!("no sample")
    };
    assert_eq!(last.retransmits, Some(1), "another identification is another packet");
}

#[test]
fn a_client_that_can_take_no_more_is_counted() {
    let mut play = Play::opened([1, 2]);
    let full = Flags { no_window: true, ..Flags::default() };
    play.send(Side::Server, 0, 0, b"picture", Flags::default());
    play.send(Side::Client, 0, 7, b"", full);
    play.wait(3400).send(Side::Client, 0, 7, b"", full);
    // An RST has no window to speak of.
    play.send(Side::Client, 0, 7, b"", Flags { rst: true, ..full });
    let over = play.streams.finish().over;
    let Some(Seen::Path(last)) = over[0].iter().map(|o| &o.seen).rfind(|seen| matches!(seen, Seen::Path(_))) else {
        panic!("no sample")
    };
    assert_eq!((last.client_zero_windows, last.server_zero_windows), (Some(2), None));
}

#[test]
fn ends() {
    let rst = Flags { rst: true, ..Flags::default() };
    let fin = Flags { fin: true, ..Flags::default() };
    let mut play = Play::opened([1, 2]);
    play.send(Side::Client, 0, 0, b"bye", fin);
    play.wait(300).send(Side::Client, 0, 0, b"bye", fin);
    play.send(Side::Server, 0, 4, b"", fin);
    let ends: Vec<Seen> = play.seen().into_iter().skip(3).collect();
    assert_eq!(ends, [closed(Side::Client, Ending::Fin), closed(Side::Server, Ending::Fin)]);

    let mut play = Play::opened([1, 2]);
    play.send(Side::Client, 0, 0, b"a reason, no payload", rst);
    assert_eq!(play.seen()[2..], [closed(Side::Client, Ending::Reset)]);

    let mut play = Play::opened([1, 2]);
    play.send(Side::Server, 900_000_000, 0, b"", rst);
    assert_eq!(play.seen().len(), 2, "a blind RST is none");
}

#[test]
fn a_connection_that_never_stands() {
    let syn = Flags { syn: true, no_ack: true, ..Flags::default() };
    let rst = Flags { rst: true, ..Flags::default() };
    let ask = |play: &mut Play| play.send(Side::Client, u32::MAX, 0, b"", syn);
    let end = |play: Play| play.seen().pop();

    let mut play = Play::new([1, 2]);
    ask(&mut play);
    play.send(Side::Server, 0, 0, b"", rst);
    assert_eq!(end(play), Some(closed(Side::Server, Ending::Refused)));

    let mut play = Play::new([1, 2]);
    for _ in 0..3 {
        ask(play.wait(1000));
    }
    assert_eq!(end(play), Some(Seen::Closed { from: None, how: Ending::TimedOut }));

    let mut play = Play::new([1, 2]);
    ask(&mut play);
    assert!(matches!(end(play), Some(Seen::Opening(Opening::Dialing { .. }))), "not yet");

    let mut play = Play::new([1, 2]);
    ask(&mut play);
    play.send(Side::Server, 0, 77, b"", rst);
    play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..Flags::default() });
    assert_eq!(end(play), Some(Seen::Opened), "an RST that answers nothing is none");
}

#[test]
fn a_new_syn_begins_a_new_connection() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"one");
    play.isn = [5000, 6000];
    play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, ..Flags::default() });
    play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..Flags::default() });
    play.data(Side::Client, 0, 0, b"two");
    let over = play.streams.finish().over;
    assert_eq!(over.len(), 2);
    assert_ne!(over[0][0].flow.session, over[1][0].flow.session);
}

#[test]
fn a_connection_without_its_beginning_is_joined() {
    let mut play = Play::new([1, 2]);
    play.data(Side::Server, 100, 50, b"hello");
    play.data(Side::Client, 50, 105, b"you");
    let seen = play.seen();
    assert!(
        matches!(&seen[0], Seen::Opening(Opening::Joined { server, .. }) if server.to_string() == SERVER),
        "{seen:?}"
    );
    assert_eq!(seen.len(), 3);
}

#[test]
fn what_nobody_wants_is_forgotten() {
    let mut play = Play::new([1, 2]);
    play.streams.listener.dropped_after = Some(1);
    play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, ..Flags::default() });
    play.data(Side::Client, 0, 0, b"much");
    assert!(play.streams.flows.values().all(|entry| matches!(entry, Entry::Dropped { .. })));
    assert!(play.streams.finish().over.is_empty());
}
