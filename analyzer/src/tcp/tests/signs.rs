//! Each sign by packets that show it, and by some that look like it and must not.

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::capture::segment::Icmp;
use crate::observation::{Again, PathSample, ResetMarks, Sequence, Sign, SynProxyMarks};

const RST: Flags = Flags { rst: true, ..NONE };
const FULL: Flags = Flags { no_window: true, ..NONE };
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
const TIMESTAMP: &[u8] = &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

/// What was shown, and the last path sample.
fn shown(play: Play) -> (Vec<Sign>, PathSample) {
    let (mut signs, mut last) = (Vec::new(), PathSample::default());
    for observation in play.streams.finish().over.into_iter().flatten() {
        match observation.seen {
            Seen::Sign(sign) => signs.push(sign),
            Seen::Path(sample) => last = *sample,
            Seen::Opening(_)
            | Seen::Opened
            | Seen::Bytes { .. }
            | Seen::Missing { .. }
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Secret(_)
            | Seen::Closed { .. } => {}
        }
    }
    (signs, last)
}

fn signs(play: Play) -> Vec<Sign> {
    shown(play).0
}

/// Why segments were sent again.
fn whys(play: Play) -> Vec<Again> {
    let why = |sign| if let Sign::Retransmitted { why, .. } = sign { Some(why) } else { None };
    signs(play).into_iter().filter_map(why).collect()
}

fn timeout(place: u8) -> Again {
    Again::Timeout { place }
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn acks(play: &mut Play, from: Side, ack: u32, times: u32) {
    for _ in 0..times {
        play.data(from, 0, ack, b"");
    }
}

#[test]
fn a_timer_waits_twice_as_long_each_time() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"hello");
    for wait in [206, 600, 1200, 2400] {
        play.wait(wait).data(Side::Client, 0, 0, b"hello");
    }
    let (signs, path) = shown(play);
    let sign = |place, wait: u64| Sign::Retransmitted {
        from: Side::Client,
        len: 5,
        why: timeout(place),
        after: milliseconds(wait + 1),
    };
    let waits = Sign::Unacknowledged {
        from: Side::Client,
        lasted: milliseconds(206 + 600 + 1200 + 2400 + 4),
        again: 4,
        still_waits: true,
    };
    assert_eq!(signs, [sign(1, 206), sign(2, 600), sign(3, 1200), sign(4, 2400), waits]);
    assert_eq!((path.client_timeouts, path.client_backoff, path.client_stuck_segment), (Some(4), Some(4), Some(5)));
    assert_eq!(path.client_unacked_bytes, Some(5));
}

#[test]
fn three_duplicate_acknowledgements_are_no_timer() {
    for (duplicates, why) in [(3, Again::Fast), (2, timeout(1))] {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"lost");
        play.data(Side::Client, 4, 0, b"more");
        acks(&mut play, Side::Server, 0, duplicates + 1);
        if duplicates < 3 {
            play.wait(300);
        }
        play.data(Side::Client, 0, 0, b"lost");
        assert_eq!(whys(play), [why]);
    }
}

#[test]
fn selective_acknowledgements_tell_of_a_loss_unless_they_lie_anywhere() {
    for (sack, why) in [((4, 8), Again::Fast), ((400_004, 400_008), timeout(1))] {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"lost");
        play.data(Side::Client, 4, 0, b"more");
        play.send(Side::Server, 0, 0, b"", Flags { sack: [Some(sack), None], ..NONE });
        if why != Again::Fast {
            play.wait(300);
        }
        play.data(Side::Client, 0, 0, b"lost");
        assert_eq!(whys(play), [why]);
    }
}

#[test]
fn a_tail_probe_comes_sooner_than_a_timer_or_does_not_double_it() {
    // The handshake took 2 ms.
    let soon = |wait| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"tail");
        play.wait(wait).data(Side::Client, 0, 0, b"tail");
        acks(&mut play, Side::Server, 4, 1);
        whys(play)
    };
    assert_eq!((soon(10), soon(220)), (vec![Again::TailProbe], vec![timeout(1)]));
    let twice = |second| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"tail");
        play.wait(204).data(Side::Client, 0, 0, b"tail");
        play.wait(second).data(Side::Client, 0, 0, b"tail");
        whys(play)
    };
    assert_eq!(twice(208), [Again::TailProbe, timeout(1)]);
    assert_eq!(twice(408), [timeout(1), timeout(2)]);
}

#[test]
fn no_timer_is_shorter_than_a_round_trip() {
    // The handshake took 2 ms.
    for (wait, why) in [(4, Again::Rest), (200, timeout(1))] {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"too large");
        play.data(Side::Client, 9, 0, b"more");
        play.wait(wait).data(Side::Client, 0, 0, b"too ");
        assert_eq!(whys(play), [why]);
    }
}

#[test]
fn what_the_peer_had_is_sent_again_for_nothing() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"hello");
    acks(&mut play, Side::Server, 5, 1);
    play.wait(300).data(Side::Client, 0, 0, b"hello");
    assert_eq!(whys(play), [Again::Spurious]);

    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"hello");
    play.wait(300).data(Side::Client, 0, 0, b"hello");
    play.send(Side::Server, 0, 5, b"", Flags { sack: [Some((0, 5)), None], ..NONE });
    let (signs, path) = shown(play);
    assert!(signs.contains(&Sign::SentForNothing { from: Side::Client, len: 5 }), "{signs:?}");
    assert_eq!((path.client_spurious, path.client_timeouts), (Some(1), Some(1)));

    // The answer to a keep-alive.
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"hello");
    acks(&mut play, Side::Server, 5, 1);
    play.wait(5000).data(Side::Client, 4, 0, b"o");
    play.send(Side::Server, 0, 5, b"", Flags { sack: [Some((4, 5)), None], ..NONE });
    assert_eq!(signs_of_kind(play, "sent_for_nothing"), 0);
}

fn signs_of_kind(play: Play, kind: &str) -> usize {
    signs(play).iter().filter(|sign| sign.name() == kind).count()
}

#[test]
fn overtaken_is_not_lost() {
    let behind = |id: u16, wait: u64| {
        let mut play = Play::opened([1, 2]);
        for (at, data) in [(0, b"one"), (3, b"two"), (9, b"fou")] {
            play.data(Side::Client, at, 0, data);
        }
        play.wait(wait).send(Side::Client, 6, 0, b"thr", Flags { id: Some(id), ..NONE });
        let names: Vec<&str> = signs(play).iter().map(Sign::name).collect();
        names
    };
    // What stands behind the gap has identification 6: a smaller one was sent before it, however late it comes.
    assert_eq!(behind(5, 40), ["overtaken"]);
    assert_eq!(behind(8, 40), ["network_loss", "retransmitted"]);
    assert_eq!(behind(0, 40), ["network_loss", "retransmitted"]);
    assert_eq!(behind(0, 0), ["overtaken"], "nobody sends again so soon");
}

#[test]
fn a_packet_that_the_network_delivers_twice() {
    let twice = |wait: u64, dsack: bool| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"hello");
        play.frame -= 1;
        play.at -= 1_000_000;
        play.wait(wait).data(Side::Client, 0, 0, b"hello");
        let sack = [Some((0, 5)).filter(|_| dsack), None];
        play.send(Side::Server, 0, 5, b"", Flags { sack, ..NONE });
        let (signs, path) = shown(play);
        assert_eq!(path.retransmits, Some(0));
        (signs, path.client_duplicated)
    };
    let duplicated = |wait| vec![Sign::Duplicated { from: Side::Client, len: 5, after: milliseconds(wait) }];
    assert_eq!(twice(5, false), (duplicated(5), Some(1)));
    assert_eq!(twice(0, true), (duplicated(0), Some(1)), "the peer got it twice");
    assert_eq!(twice(0, false), (vec![], None), "a mirror port shows that, too");
}

#[test]
fn a_capture_that_copies_as_a_habit_shows_no_duplicates() {
    let mut play = Play::opened([1, 2]);
    for round in 0..20 {
        for copy in 0..2 {
            play.data(Side::Client, round * 5, 0, b"hello");
            play.frame -= u64::from(copy == 0);
        }
    }
    assert!(signs_of_kind(play, "duplicated") <= 1, "before the habit is known");
}

#[test]
fn lost_by_the_capture_or_on_the_way() {
    let gap = |acknowledged: u32| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"one");
        play.data(Side::Client, 6, 0, b"three");
        acks(play.wait(50), Side::Server, acknowledged, 1);
        shown(play)
    };
    let (signs, path) = gap(11);
    assert_eq!(signs, [Sign::CaptureLoss { from: Side::Client, len: 3 }]);
    assert_eq!((path.client_capture_lost_bytes, path.client_hole_bytes), (Some(3), Some(0)));
    let (signs, path) = gap(3);
    assert_eq!(signs, [Sign::NetworkLoss { from: Side::Client, len: 3 }]);
    assert_eq!((path.client_capture_lost_bytes, path.client_hole_bytes), (None, Some(3)));
}

#[test]
fn a_bare_acknowledgement_beyond_the_last_byte_tells_of_a_lost_flight() {
    let server_at = |seq: u32| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Server, 0, 0, b"confirm");
        play.data(Side::Client, 0, 7, b"hello");
        play.data(Side::Server, seq, 5, b"");
        let (_, path) = shown(play);
        path.server_hole_bytes
    };
    assert_eq!(server_at(7 + 2896), Some(2896));
    assert_eq!(server_at(7), Some(0), "a server that thinks sends nothing");
}

#[test]
fn sizes_that_pass_and_that_do_not() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Server, 0, 0, &[7; 600]);
    acks(&mut play, Side::Client, 600, 1);
    play.data(Side::Server, 600, 0, &[7; 1448]);
    play.data(Side::Server, 2048, 0, &[7; 1448]);
    for wait in [300, 600, 1200] {
        play.wait(wait).data(Side::Server, 600, 0, &[7; 1448]);
    }
    let (_, path) = shown(play);
    assert_eq!((path.server_largest_through, path.server_stuck_segment), (Some(600), Some(1448)));
    assert_eq!((path.server_unacked_bytes, path.server_timeouts), (Some(2896), Some(3)));
    assert!(path.server_unacked_us >= Some(2_100_000), "{path:?}");
}

#[test]
fn acknowledged_and_silent_is_not_unreachable() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"request");
    acks(&mut play, Side::Server, 7, 1);
    play.wait(4000).send(Side::Client, 7, 0, b"", Flags { fin: true, ..NONE });
    let (_, path) = shown(play);
    assert_eq!((path.server_silent_us, path.client_unacked_us), (Some(4_001_000), Some(0)));
    assert_eq!(path.client_silent_us, Some(0));
    assert_eq!(path.longest_gap_us, Some(4_001_000));
}

#[test]
fn a_window_that_shuts() {
    let shut = |opens: bool| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Server, 0, 0, b"picture");
        play.send(Side::Client, 0, 7, b"", FULL);
        for _ in 0..2 {
            play.wait(998).data(Side::Server, 6, 0, b"");
            play.send(Side::Client, 0, 7, b"", FULL);
        }
        if opens {
            acks(&mut play, Side::Client, 7, 1);
        }
        // An RST has no window to speak of.
        play.send(Side::Client, 0, 7, b"", Flags { no_window: opens, ..RST });
        shown(play)
    };
    for opens in [true, false] {
        let (signs, path) = shut(opens);
        let lasted = milliseconds(2001);
        let sign = Sign::ZeroWindow { from: Side::Client, lasted, probes: 2, still_shut: !opens };
        assert!(signs.contains(&sign), "{signs:?}");
        assert_eq!((path.client_zero_window_us, path.server_keepalives), (Some(2_001_000), None));
    }
}

#[test]
fn keep_alives() {
    let probe = |wait: u64, data: &[u8]| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"hello");
        acks(&mut play, Side::Server, 5, 1);
        play.wait(wait).data(Side::Client, 4, 0, data);
        let (signs, path) = shown(play);
        assert_eq!(path.retransmits, Some(0));
        signs
    };
    let asks = vec![Sign::KeepAlive { from: Side::Client }];
    assert_eq!((probe(5000, b""), probe(5000, b"o")), (asks.clone(), asks));
    assert_eq!(probe(0, b""), [], "an old acknowledgement that was overtaken");
}

#[test]
fn keep_alives_are_answered_by_whatever_is_heard_of_the_peer() {
    let unanswered = |probes: u32, is_answered: bool| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"hello");
        acks(&mut play, Side::Server, 5, 1);
        for _ in 0..probes {
            play.wait(5000).data(Side::Client, 4, 0, b"");
        }
        if is_answered {
            acks(&mut play, Side::Server, 5, 1);
        }
        let (_, path) = shown(play);
        (path.client_keepalives, path.client_unanswered_keepalives, path.server_unanswered_keepalives)
    };
    assert_eq!(unanswered(5, false), (Some(5), Some(5), Some(0)));
    assert_eq!(unanswered(5, true), (Some(5), Some(0), Some(0)));
}

/// The marks of a server's RST with these flags, behind some packets of its own.
fn reset(flags: Flags, seq: u32) -> ResetMarks {
    let mut play = Play::opened([1, 2]);
    for place in 0..5 {
        play.send(Side::Server, place * 2, 0, b"ok", Flags { options: TIMESTAMP, ..NONE });
        acks(&mut play, Side::Client, place * 2 + 2, 1);
    }
    play.send(Side::Server, seq, 0, b"", Flags { rst: true, ..flags });
    let marks = signs(play).into_iter().find_map(|sign| match sign {
        Sign::Reset { from: Side::Server, marks } => Some(marks),
        _ => None,
    });
    marks.unwrap_or(ResetMarks { sequence: Sequence::Outside, mirrored: true, ..ResetMarks::default() })
}

#[test]
fn marks_of_an_rst() {
    let own = Flags { options: TIMESTAMP, ..NONE };
    assert_eq!(reset(own, 10), ResetMarks::default());
    let ttl = reset(Flags { ttl: Some(61), ..own }, 10);
    assert_eq!((ttl.ttl, ttl.is_empty()), (Some((61, 64)), false));
    let bare = reset(Flags { id: Some(0), no_window: true, ..NONE }, 10);
    assert!(bare.id.is_some_and(|(id, last)| id == 0 && last > 0) && bare.no_window && bare.no_timestamp);
    assert!(!bare.is_empty());
    // Linux makes just that without a socket, and says so by the missing ACK flag.
    assert!(reset(Flags { id: Some(0), no_window: true, no_ack: true, ..NONE }, 10).is_empty());
    assert_eq!(reset(own, 500).sequence, Sequence::InWindow);
    assert_eq!(reset(own, 900_000_000).sequence, Sequence::Outside);
    assert!(reset(Flags { id: Some(40_000), ..own }, 10).id.is_some());
}

#[test]
fn an_rst_that_comes_sooner_than_its_sender_can_answer() {
    let after = |wait: u64| {
        let mut play = Play::new([1, 2]);
        play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, ..NONE });
        play.wait(40).send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..NONE });
        acks(&mut play, Side::Client, 0, 1);
        play.data(Side::Client, 0, 0, b"hello");
        play.wait(wait).send(Side::Server, 0, 5, b"", RST);
        let marks = |sign| if let Sign::Reset { marks, .. } = sign { Some(marks.too_soon) } else { None };
        signs(play).into_iter().find_map(marks).flatten()
    };
    assert_eq!(after(1), Some((milliseconds(2), milliseconds(41))));
    assert_eq!(after(42), None);
}

#[test]
fn one_box_resets_both_ways() {
    let both = |ack: u32| {
        let mut play = Play::opened([1, 2]);
        play.data(Side::Client, 0, 0, b"hello");
        play.send(Side::Server, 0, 5, b"", RST);
        play.send(Side::Client, 5, ack, b"", RST);
        let mirrored = |sign: &Sign| matches!(sign, Sign::Reset { marks: ResetMarks { mirrored: true, .. }, .. });
        signs(play).iter().filter(|sign| mirrored(sign)).count()
    };
    assert_eq!((both(0), both(7)), (1, 0));
}

#[test]
fn an_rst_that_nobody_believes_is_not_the_end() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Client, 0, 0, b"hello");
    play.send(Side::Server, 0, 5, b"", Flags { ttl: Some(61), ..RST });
    play.data(Side::Server, 0, 5, b"answer");
    play.data(Side::Client, 5, 6, b"go on");
    let over = play.streams.finish().over;
    let after = |seen: &Seen| matches!(seen, Seen::Sign(Sign::AfterReset { from: Side::Server, len: 6, after }) if *after == milliseconds(1));
    assert!(over[0].iter().any(|observation| after(&observation.seen)), "{over:?}");
    assert!(!over[0].iter().any(|observation| matches!(observation.seen, Seen::Closed { .. })), "{over:?}");
}

#[test]
fn what_was_under_way_changes_nothing_of_an_rst() {
    let mut play = Play::opened([1, 2]);
    play.data(Side::Server, 0, 0, b"answer");
    play.send(Side::Client, 0, 6, b"", RST);
    play.data(Side::Server, 6, 0, b"picture");
    play.send(Side::Client, 0, 0, b"", Flags { no_ack: true, ..RST });
    let seen: Vec<Seen> = play.seen();
    let bytes = |data: &'static [u8]| Seen::Bytes { from: Side::Server, data: data.into() };
    assert_eq!(seen[2..], [bytes(b"answer"), closed(Side::Client, Ending::Reset), bytes(b"picture")]);
}

#[test]
fn handshakes_that_are_repeated() {
    let syn = Flags { syn: true, no_ack: true, ..NONE };
    let mut play = Play::new([1, 2]);
    play.send(Side::Client, u32::MAX, 0, b"", syn);
    play.wait(999).send(Side::Client, u32::MAX, 0, b"", syn);
    assert_eq!(signs(play), [Sign::SynAgain { place: 1, after: milliseconds(1000) }]);

    for acknowledged in [true, false] {
        let mut play = Play::new([1, 2]);
        play.send(Side::Client, u32::MAX, 0, b"", syn);
        play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..NONE });
        if acknowledged {
            acks(&mut play, Side::Client, 0, 1);
        }
        play.wait(3000).send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..NONE });
        let after = milliseconds(3001 + u64::from(acknowledged));
        let (signs, path) = shown(play);
        assert_eq!(signs, [Sign::SynAckAgain { place: 1, after, acknowledged }]);
        assert_eq!(path.syn_ack_again, Some(1));
    }
}

#[test]
fn a_syn_ack_that_is_another_s() {
    let answered = |flags: Flags, later: Flags| {
        let mut play = Play::new([1, 2]);
        play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, options: TIMESTAMP, ..NONE });
        play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..flags });
        play.data(Side::Client, 0, 0, b"hello");
        play.send(Side::Server, 0, 5, b"", later);
        signs(play)
    };
    let own = Flags { options: TIMESTAMP, ..NONE };
    let proxy = |marks| vec![Sign::SynProxy { marks }];
    assert_eq!(answered(own, own), []);
    let ttl = SynProxyMarks { ttl: Some((250, 64)), ..SynProxyMarks::default() };
    assert_eq!(answered(Flags { ttl: Some(250), ..own }, own), proxy(ttl));
    let timestamps = SynProxyMarks { timestamps: true, ..SynProxyMarks::default() };
    assert_eq!(answered(NONE, own), proxy(timestamps));
    let no_window = SynProxyMarks { no_window: true, ..SynProxyMarks::default() };
    assert_eq!(answered(Flags { no_window: true, ..own }, own), proxy(no_window));
}

#[test]
fn a_handshake_much_faster_than_anything_later() {
    let answers = |waits: [u64; 4]| {
        let mut play = Play::opened([1, 2]);
        for (place, wait) in (0..).zip(waits) {
            play.data(Side::Client, place * 5, 0, b"hello");
            acks(play.wait(wait), Side::Server, place * 5 + 5, 1);
        }
        signs(play)
    };
    let rtt = Some((milliseconds(1), milliseconds(61)));
    let marks = SynProxyMarks { rtt, ..SynProxyMarks::default() };
    assert_eq!(answers([60, 70, 80, 90]), [Sign::SynProxy { marks }]);
    assert_eq!(answers([60, 0, 80, 90]), [], "a server that thinks or delays its acknowledgements, but not always");
}

#[test]
fn options_of_the_handshake() {
    let greet = |client: Flags, server: Flags| {
        let mut play = Play::new([1, 2]);
        play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, ..client });
        play.send(Side::Server, u32::MAX, 0, b"", Flags { syn: true, ..server });
        play.data(Side::Client, 0, 0, b"");
        signs(play)
    };
    let scale = |options| Flags { options, ..NONE };
    assert_eq!(greet(scale(&[3, 3, 15]), NONE), [Sign::WindowScale { from: Side::Client, shift: 15 }]);
    assert_eq!(greet(scale(&[3, 3, 14]), NONE), []);
    let asks = Flags { ece: true, cwr: true, ..NONE };
    assert_eq!(greet(asks, Flags { ece: true, ..NONE }), [Sign::EcnAgreed]);
    assert_eq!(greet(asks, NONE), []);
    assert_eq!(greet(asks, asks), [], "a server that echoes flags it does not know (RFC 3168, 6.1.1.1)");
}

#[test]
fn a_congested_router_marks_packets() {
    let mut play = Play::opened([1, 2]);
    for place in 0..3 {
        play.send(Side::Server, place * 2, 0, b"ok", Flags { marked: place > 0, ..NONE });
    }
    let (signs, path) = shown(play);
    assert_eq!(signs, [Sign::EcnMarked { from: Side::Server }]);
    assert_eq!((path.server_ecn_marked, path.client_ecn_marked), (Some(2), None));
}

#[test]
fn icmp_errors_about_a_connection() {
    let told = |kind: u8, code: u8, mtu: Option<u32>| {
        let mut play = Play::new([1, 2]);
        play.send(Side::Client, u32::MAX, 0, b"", Flags { syn: true, no_ack: true, ..NONE });
        let by = IpAddr::from([10, 0, 0, 254]);
        let [source, destination] = addresses();
        let what = What::Icmp(Icmp { by, kind, code, mtu, source, destination, sequence: 1 });
        play.streams.push(&Heard { at: Timestamp::at(play.at), frame: 2, interface: 0, what });
        let all: Vec<Seen> = play.streams.finish().over.into_iter().flatten().map(|seen| seen.seen).collect();
        let about = Side::Client;
        assert!(all.contains(&Seen::Sign(Sign::Icmp { by, kind, code, mtu, about })), "{all:?}");
        all.contains(&Seen::Closed { from: None, how: Ending::Unreachable })
    };
    assert!(told(3, 1, None));
    assert!(!told(3, 4, Some(1400)), "too large a packet is no end");
    assert!(!told(11, 0, None), "neither is a hop limit that ran out");
}
