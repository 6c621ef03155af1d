//! The words, and the lines with a clock that is moved by hand.

use super::*;

fn spec(text: &str) -> Spec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

const SERVER: Side = Side::Server;
const CLIENT: Side = Side::Client;

#[test]
fn what_is_asked_for_is_read_and_printed_alike() {
    let check = |text: &str, printed: &str| {
        let read = spec(text);
        assert_eq!(read.to_string(), printed, "{text}");
        assert_eq!(spec(printed), read, "{text}");
    };
    check("tls: reset by server", "tls: reset by server");
    check("back: latency 150ms jitter 20ms", "back: latency 150ms jitter 20ms");
    check("latency 300ms", "back: latency 300ms");
    check("  from client  active   front:latency 1.5s ", "front from client active: latency 1.5s");
    check("to client: bandwidth 1mbit/s", "back from server: bandwidth 1mbit/s");
    check("to server: bandwidth 500kbit/s", "back from client: bandwidth 500kbit/s");
    check("bandwidth 64kB/s", "back: bandwidth 512kbit/s");
    check("bandwidth 2MB/s", "back: bandwidth 16mbit/s");
    check("bandwidth 1.5Mbit/s", "back: bandwidth 1500kbit/s");
    check("bandwidth 77B/s", "back: bandwidth 616bit/s");
    check("at 5s: stall for 10s", "back at 5s for 10s: stall");
    check("for 10s at 5s from server: stall", "back from server at 5s for 10s: stall");
    check("credssp: stall", "back credssp: stall");
    check("at 500us: latency 1m", "back at 500µs: latency 60s");
    check("close by client", "close by client");
    check("at 2m: close by server", "at 120s: close by server");
    check("gateway-tunnel: reset by client", "gateway-tunnel: reset by client");
}

#[test]
fn what_is_wrong_is_told_with_what_was_expected() {
    let check = |text: &str, says: &str| {
        let error = text.parse::<Spec>().expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    };
    check("", "expected latency, bandwidth, stall, close or reset, found nothing");
    check("back:", "expected latency, bandwidth, stall, close or reset, found nothing");
    check("tls: explode", "found explode");
    check("latency", "expected a time of up to an hour, such as 150ms, 1.5s or 2m, found nothing");
    check("latency 150", "expected a time of up to an hour, such as 150ms, 1.5s or 2m, found 150");
    check("latency 0ms", "found 0ms");
    check("latency -5ms", "found -5ms");
    check("latency 1e9s", "found 1e9s");
    check("latency 1.2.3s", "found 1.2.3s");
    check("latency 2h", "up to an hour");
    check("latency 20ms jitter 30ms", "expected a jitter of at most the latency, found 30ms");
    check("latency 20ms or so", "expected jitter TIME, or nothing more, behind the latency, found or");
    check("latency 20ms jitter 3ms please", "expected nothing more behind what is to be done, found please");
    check("bandwidth fast", "expected a rate such as 1mbit/s, 500kbit/s, 64kB/s or 2MB/s, found fast");
    check("bandwidth 0kbit/s", "found 0kbit/s");
    check("bandwidth 10kb/s", "found 10kb/s");
    check("bandwidth 10mbit", "found 10mbit");
    check("stall forever", "expected for TIME, or nothing more, behind stall, found forever");
    check("for 1s: stall for 2s", "expected one `for TIME`, found a second: for");
    check("reset", "expected by client or by server, found nothing");
    check("reset by peer", "expected client or server, found peer");
    check("up: latency 1s", "before the colon, found up");
    check("tls at 5s: stall", "expected one moment (at TIME, or a phase), found a second: at");
    check("front back: stall", "expected one leg, found a second: back");
    check("from client to client: stall", "expected one direction, found a second: to");
    check("from middle: stall", "expected client or server, found middle");
    check("tcp: stall", "expected a phase that begins when both legs stand, found tcp");
    check("back: reset by server", "expected a moment alone before `reset by server`");
    check("from client: close by server", "expected a moment alone before `close by server`");
}

fn at(ms: u64) -> Timestamp {
    Timestamp::at(1_000_000_000_000 + ms * 1_000_000)
}

/// The lines of a session that began at 0 ms.
fn impair(specs: &[&str]) -> Impair<()> {
    let asked = Asked { specs: specs.iter().map(|text| spec(text)).collect(), seed: 7 };
    let mut impair = Impair::new(&asked, 1, at(0));
    impair.advance(at(0), &[]);
    impair
}

fn say(impair: &mut Impair<()>, from: Side, len: usize, now: u64) {
    impair.push(from, Bytes::from(vec![7; len]), (), at(now));
}

/// All that comes out by itself until then: when, how many bytes; an end is 0.
fn until(impair: &mut Impair<()>, from: Side, end: u64) -> Vec<(u64, usize)> {
    let mut out = Vec::new();
    while let Some(now) = impair.moment().into_iter().chain(impair.due_from(from)).min().filter(|due| *due <= at(end)) {
        impair.advance(now, &[]);
        while let Some(item) = impair.take(from, now) {
            let len = if let Item::Bytes(data, ()) = item { data.len() } else { 0 };
            out.push(((now.0 - at(0).0) / 1_000_000, len));
        }
    }
    out
}

#[test]
fn latency_delays_each_piece_alike_and_the_fin_behind_it() {
    let mut impair = impair(&["latency 150ms"]);
    say(&mut impair, CLIENT, 10, 0);
    say(&mut impair, CLIENT, 20, 5);
    impair.end(CLIENT, at(5));
    assert_eq!(impair.take(CLIENT, at(149)), None);
    assert_eq!(until(&mut impair, CLIENT, 1000), [(150, 10), (155, 20), (155, 0)]);
    assert!(impair.is_empty(CLIENT));
}

#[test]
fn jitter_never_reorders_and_is_the_same_from_the_same_seed() {
    let play = || {
        let mut impair = impair(&["latency 150ms jitter 100ms"]);
        (0..200).for_each(|turn| say(&mut impair, SERVER, turn + 1, turn as u64));
        until(&mut impair, SERVER, 10_000)
    };
    let played = play();
    assert_eq!(played, play());
    assert!(played.iter().map(|(_, len)| *len).eq(1..=200), "{played:?}");
    assert!(played.iter().all(|(at, len)| (50..=449).contains(at) && *at >= *len as u64 - 1 + 50), "{played:?}");
    let delays: std::collections::BTreeSet<_> = played.iter().map(|(at, len)| at - (*len as u64 - 1)).collect();
    assert!(delays.len() > 20, "it varies: {delays:?}");
}

#[test]
fn bandwidth_spreads_what_comes_at_once() {
    let mut impair = impair(&["bandwidth 100kB/s"]);
    say(&mut impair, SERVER, 10_000, 0);
    impair.end(SERVER, at(0));
    let out = until(&mut impair, SERVER, 10_000);
    assert_eq!(out, [(20, 2000), (40, 2000), (60, 2000), (80, 2000), (100, 2000), (100, 0)]);
    // What was not used is not saved up.
    say(&mut impair, CLIENT, 2000, 500);
    say(&mut impair, CLIENT, 2000, 500);
    assert_eq!(until(&mut impair, CLIENT, 10_000), [(520, 2000), (540, 2000)]);
}

#[test]
fn latency_comes_before_the_narrow_place() {
    let mut impair = impair(&["latency 100ms", "front: bandwidth 1MB/s", "bandwidth 100kB/s"]);
    say(&mut impair, CLIENT, 2000, 0);
    say(&mut impair, CLIENT, 1000, 0);
    assert_eq!(until(&mut impair, CLIENT, 10_000), [(120, 2000), (130, 1000)]);
}

#[test]
fn a_stall_lets_nothing_pass_and_then_everything_in_order() {
    let mut impair = impair(&["at 10ms: stall for 1s", "bandwidth 100kB/s"]);
    say(&mut impair, SERVER, 2000, 0);
    impair.advance(at(10), &[]);
    assert_eq!((impair.take(SERVER, at(500)), impair.due()), (None, Some(at(1010))));
    say(&mut impair, SERVER, 1000, 500);
    assert_eq!(until(&mut impair, SERVER, 10_000), [(1030, 2000), (1040, 1000)]);
}

#[test]
fn a_stall_without_an_end_is_over_when_both_have_ended() {
    let mut impair = impair(&["stall"]);
    say(&mut impair, CLIENT, 5, 0);
    impair.end(CLIENT, at(1));
    assert_eq!(impair.due(), None);
    impair.end(SERVER, at(9));
    assert_eq!(until(&mut impair, CLIENT, 10_000), [(9, 5), (9, 0)]);
}

#[test]
fn only_the_direction_that_was_named_is_impaired() {
    let mut impair = impair(&["from server: latency 1s"]);
    say(&mut impair, CLIENT, 1, 0);
    say(&mut impair, SERVER, 2, 0);
    assert_eq!(until(&mut impair, CLIENT, 500), [(0, 1)]);
    assert_eq!(until(&mut impair, SERVER, 5000), [(1000, 2)]);
}

#[test]
fn what_is_over_delays_nothing_more_and_is_not_overtaken() {
    let mut impair = impair(&["for 100ms: latency 1s"]);
    say(&mut impair, CLIENT, 1, 99);
    let told = impair.advance(at(100), &[]);
    assert_eq!(told.iter().map(|(leg, one)| (*leg, one.step)).collect::<Vec<_>>(), [(Leg::Back, Step::Over)]);
    say(&mut impair, CLIENT, 2, 101);
    assert_eq!(until(&mut impair, CLIENT, 5000), [(1099, 1), (1099, 2)]);
}

#[test]
fn a_phase_begins_it_once() {
    let asked = Asked { specs: vec![spec("tls: latency 10ms jitter 5ms"), spec("credssp: reset by server")], seed: 3 };
    let mut impair: Impair<()> = Impair::new(&asked, 1, at(0));
    assert_eq!(impair.advance(at(1), &[PhaseName::Negotiation]), []);
    let told = impair.advance(at(2), &[PhaseName::Tls]);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].1.seed, told[0].1.asked.as_str()), (Some(3), "back tls: latency 10ms jitter 5ms"));
    assert_eq!(impair.advance(at(3), &[PhaseName::Tls]), []);
    assert_eq!((impair.reset(), impair.awaits_phase()), (None, true));
    assert_eq!(impair.advance(at(4), &[PhaseName::Credssp])[0].0, Leg::Back);
    assert_eq!((impair.reset(), impair.awaits_phase()), (Some(SERVER), false));
}

#[test]
fn a_line_is_bounded() {
    let room = |specs: &[&str]| impair(specs).room(CLIENT);
    assert_eq!(room(&["bandwidth 1mbit/s"]), QUEUE);
    assert_eq!(room(&["stall"]), QUEUE);
    assert_eq!(room(&["latency 300ms"]), MOST);
    assert_eq!(room(&["latency 100ms", "bandwidth 1MB/s"]), QUEUE + 100_000);
    assert_eq!(room(&["latency 1h", "bandwidth 1GB/s"]), MOST);
    let mut full = impair(&["stall"]);
    say(&mut full, CLIENT, QUEUE, 0);
    assert_eq!((full.room(CLIENT), full.room(SERVER)), (0, QUEUE));
    // A great many small pieces are bounded, too.
    let mut many = impair(&["stall"]);
    let said = (0..QUEUE).take_while(|_| {
        let has_room = many.room(CLIENT) > 0;
        say(&mut many, CLIENT, 1, 0);
        has_room
    });
    assert!(said.count() < QUEUE / 100);
}

#[test]
fn behind_a_close_bytes_are_given_up_and_counted() {
    let mut impair = impair(&["at 5ms: close by server"]);
    say(&mut impair, SERVER, 3, 0);
    impair.advance(at(5), &[]);
    say(&mut impair, SERVER, 40, 6);
    impair.end(SERVER, at(7));
    let mut out = Vec::new();
    while let Some(item) = impair.take(SERVER, at(9)) {
        out.push(item);
    }
    assert_eq!(out, [Item::Bytes(Bytes::from_static(&[7; 3]), ()), Item::End]);
    assert_eq!(impair.give_up(SERVER), 40);
}
