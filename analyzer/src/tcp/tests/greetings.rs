//! Handshakes that are stored, answered or left in unusual ways.

use super::*;
use crate::observation::{PathSample, ResetMarks, Sign};

const SYN: Flags = Flags { syn: true, no_ack: true, ..NONE };
const SYN_ACK: Flags = Flags { syn: true, ..NONE };
const RST: Flags = Flags { rst: true, ..NONE };
const NONE: Flags = Flags {
    syn: false,
    no_ack: false,
    fin: false,
    rst: false,
    no_window: false,
    ttl: None,
    id: None,
    ece: false,
    cwr: false,
    marked: false,
    options: &[],
    sack: [None; 2],
};

/// The sequence number of a SYN, counted from the first byte behind it.
const BEFORE: u32 = u32::MAX;

fn over(play: Play) -> Vec<Vec<Observation>> {
    play.streams.finish().over
}

/// What was seen of the only connection, path samples and signs left out.
fn only(play: Play) -> Vec<Seen> {
    let connections = over(play);
    assert_eq!(connections.len(), 1, "{connections:?}");
    let all = connections.into_iter().flatten().map(|observation| observation.seen);
    all.filter(|seen| !matches!(seen, Seen::Path(_) | Seen::Sign(_))).collect()
}

fn signs(play: Play) -> Vec<Sign> {
    let all = over(play).into_iter().flatten();
    all.filter_map(|seen| if let Seen::Sign(sign) = seen.seen { Some(sign) } else { None }).collect()
}

fn last_path(play: Play) -> PathSample {
    let all = over(play).into_iter().flatten();
    let samples = all.filter_map(|seen| if let Seen::Path(path) = seen.seen { Some(*path) } else { None });
    samples.last().expect("a sample")
}

#[test]
fn a_syn_that_is_stored_behind_its_answer_belongs_to_it() {
    for earlier in [0, 10_000] {
        let mut play = Play::new([1, 2]);
        play.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
        play.at -= 1_000_000 + earlier;
        play.send(Side::Client, BEFORE, 0, b"", SYN);
        play.data(Side::Client, 0, 0, b"hello");
        play.data(Side::Server, 0, 5, b"ok");
        let [client, server] = addresses();
        let bytes = |from, data: &'static [u8]| Seen::Bytes { from, data: data.into() };
        let dialing = Seen::Opening(Opening::Dialing { client, server });
        assert_eq!(only(play), [dialing, Seen::Opened, bytes(Side::Client, b"hello"), bytes(Side::Server, b"ok")]);
    }
}

#[test]
fn an_answer_whose_syn_is_nowhere_begins_a_connection_of_which_nothing_else_is_missing() {
    let [client, server] = addresses();
    let begins = [Seen::Opening(Opening::Dialing { client, server }), Seen::Opened];
    for late_syn in [false, true] {
        let mut play = Play::new([1, 2]);
        play.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
        play.data(Side::Client, 0, 0, b"hello");
        if late_syn {
            play.send(Side::Client, BEFORE, 0, b"", SYN);
        }
        play.data(Side::Client, 5, 0, b"more");
        let seen = only(play);
        assert_eq!(seen[..2], begins);
        assert_eq!(seen.len(), 4, "{seen:?}");
    }
    let mut alone = Play::new([1, 2]);
    alone.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
    assert_eq!(only(alone), begins);
}

#[test]
fn another_syn_begins_another_connection() {
    let mut play = Play::new([1, 2]);
    play.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
    play.data(Side::Client, 0, 0, b"hello");
    play.isn[0] = 77_777;
    play.wait(5000).send(Side::Client, BEFORE, 0, b"", SYN);
    assert_eq!(over(play).len(), 2);
}

/// A SYN and SYN-ACKs of several boxes, which begin at these numbers.
fn answered(begins: &[u32]) -> Play {
    let mut play = Play::new([1, 0]);
    play.send(Side::Client, BEFORE, 0, b"", SYN);
    for isn in begins {
        play.isn[1] = *isn;
        play.wait(900).send(Side::Server, BEFORE, 0, b"", SYN_ACK);
    }
    play
}

#[test]
fn of_several_answers_the_one_counts_that_the_client_takes() {
    let begins = [776, 4_000_000_000, 8999];
    for taken in begins {
        let mut play = answered(&begins);
        play.isn[1] = taken;
        play.data(Side::Client, 0, 0, b"");
        play.data(Side::Client, 0, 0, b"hello");
        play.data(Side::Server, 0, 5, b"ok");
        // Another's answer once more, when one is taken.
        play.isn[1] = begins[usize::from(taken == begins[0])];
        play.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
        assert_eq!(play.streams(), [b"hello".to_vec(), b"ok".to_vec()], "{taken}");
    }
}

#[test]
fn where_nobody_is_seen_to_take_one_the_data_tell() {
    for taken in [776, 8999] {
        let mut play = answered(&[776, 8999]);
        play.isn[1] = taken;
        play.data(Side::Server, 0, 0, b"the server speaks");
        assert_eq!(play.streams()[1], b"the server speaks", "{taken}");
        // The client's acknowledgement is not in the capture, its data are.
        let mut play = answered(&[776, 8999]);
        play.isn[1] = taken;
        play.data(Side::Client, 0, 4, b"more");
        play.data(Side::Server, 4, 4, b"behind");
        play.wait(50).data(Side::Client, 4, 10, b"");
        assert_eq!(play.streams()[1], b"????behind", "{taken}");
    }
}

#[test]
fn the_same_answer_again_is_no_other() {
    let mut play = answered(&[776, 776]);
    play.data(Side::Client, 0, 0, b"");
    assert!(signs(play).iter().any(|sign| matches!(sign, Sign::SynAckAgain { place: 1, .. })));
    let play = answered(&[776, 8999]);
    assert!(!signs(play).iter().any(|sign| matches!(sign, Sign::SynAckAgain { .. })));
}

fn marks(play: Play) -> ResetMarks {
    let marks = |sign| if let Sign::Reset { marks, .. } = sign { Some(marks) } else { None };
    signs(play).into_iter().find_map(marks).expect("an RST")
}

#[test]
fn an_rst_that_answers_a_syn_ack_is_the_kernels_beside_a_scanner() {
    let bare = Flags { no_ack: true, ttl: Some(44), no_window: true, id: Some(0), ..RST };
    let mut scan = Play::new([1, 2]);
    scan.send(Side::Client, BEFORE, 0, b"", SYN);
    scan.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
    scan.send(Side::Client, 0, 0, b"", bare);
    let found = marks(scan);
    assert!(found.answers_syn_ack && found.is_empty() && found.ttl.is_some(), "{found:?}");
    // One that has taken the answer is no scanner's; neither is one with an acknowledgement.
    let mut opened = Play::opened([1, 2]);
    opened.send(Side::Client, 0, 0, b"", bare);
    let found = marks(opened);
    assert!(!found.answers_syn_ack && !found.is_empty(), "{found:?}");
    let mut with_ack = Play::new([1, 2]);
    with_ack.send(Side::Client, BEFORE, 0, b"", SYN);
    with_ack.send(Side::Server, BEFORE, 0, b"", SYN_ACK);
    with_ack.send(Side::Client, 0, 0, b"", Flags { no_ack: false, ..bare });
    assert!(!marks(with_ack).answers_syn_ack);
}

/// A side's segments that vanish, seen where they leave: `timeouts` of them, and what the other side says meanwhile.
fn sent_in_vain(from: Side, timeouts: u32, answers: u32, sack: bool) -> PathSample {
    let mut play = Play::opened([1, 2]);
    play.data(from.other(), 0, 0, b"hello");
    play.data(from, 0, 5, &[7; 1400]);
    play.data(from, 1400, 5, b"small");
    if sack {
        play.send(from.other(), 5, 0, b"", Flags { sack: [Some((1400, 1405)), None], ..NONE });
    }
    for place in 0..timeouts {
        play.wait(400 << place).data(from, 0, 5, &[7; 1400]);
        if place < answers {
            play.wait(10).data(from.other(), 5 + place, 0, b"x");
        }
    }
    last_path(play)
}

#[test]
fn what_is_sent_in_vain_is_told_with_what_was_heard_meanwhile() {
    let both = |path: &PathSample, from| match from {
        Side::Client => (path.client_backoff, path.client_heard_in_vain, path.client_sacked, path.client_stuck_segment),
        Side::Server => (path.server_backoff, path.server_heard_in_vain, path.server_sacked, path.server_stuck_segment),
    };
    for from in [Side::Client, Side::Server] {
        let dead = sent_in_vain(from, 5, 0, false);
        assert_eq!(both(&dead, from), (Some(5), Some(0), Some(0), Some(1400)), "{from}");
        let heard = sent_in_vain(from, 5, 3, false);
        assert_eq!(both(&heard, from), (Some(5), Some(3), Some(0), Some(1400)), "{from}");
        let passed = sent_in_vain(from, 5, 0, true);
        assert_eq!(both(&passed, from), (Some(5), Some(0), Some(1), Some(1400)), "{from}");
    }
}

#[test]
fn a_side_that_goes_on_was_answered_though_the_capture_does_not_have_it() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Server, 0, 0, b"first");
    for wait in [400, 800, 1600, 3200] {
        play.wait(wait).data(Side::Server, 0, 0, b"first");
    }
    play.wait(10).data(Side::Server, 5, 0, b"second");
    assert_eq!(last_path(play).server_backoff, Some(0));
}

/// A hole in what one side sent, with what came behind it, and what its peer says of that.
fn hole(from: Side, says: &[u32]) -> PathSample {
    let mut play = Play::opened([1, 2]);
    play.data(from, 0, 0, b"ok");
    play.data(from.other(), 0, 2, b"");
    play.data(from, 3002, 0, b"behind");
    for ack in says {
        play.wait(2000).data(from.other(), 0, *ack, b"");
    }
    play.wait(2000).send(from.other(), 0, *says.last().unwrap_or(&2), b"", Flags { fin: true, ..NONE });
    last_path(play)
}

#[test]
fn a_hole_stands_where_the_peer_misses_it_too() {
    for from in [Side::Client, Side::Server] {
        let both = |path: PathSample| match from {
            Side::Client => (path.client_hole_bytes, path.client_missed_us),
            Side::Server => (path.server_hole_bytes, path.server_missed_us),
        };
        let (bytes, missed) = both(hole(from, &[2, 2]));
        assert_eq!(bytes, Some(3000), "{from}");
        assert!(missed.is_some_and(|missed| missed > 5_000_000), "{from}: {missed:?}");
        // What the peer acknowledges was lost by the capture.
        let (bytes, missed) = both(hole(from, &[2, 3008]));
        assert_eq!((bytes, missed), (Some(0), Some(0)), "{from}");
    }
}
