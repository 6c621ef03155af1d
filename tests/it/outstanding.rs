//! What is outstanding: nobody is waited for in an active session that owes nothing, a connection that freezes is told in
//! full length, and a session that hangs says for whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use analyzer::analysis::Analysis;
use analyzer::attempt::{Diagnosed, group};
use analyzer::attribution::{Owner, Stall, stalls};
use analyzer::capture::annotation::Section;
use analyzer::diagnose::Outcome;
use analyzer::latency::{By, Measure, Set};
use analyzer::observation::{Absence, Leg, Observation, Seen, Side};
use analyzer::reading;
use analyzer::report::{html, json, text, verdict};
use analyzer::session::Session;
use analyzer::timeline::phase::{self, PhaseName};
use analyzer::tls::keys::Keyring;
use proxy::record::record;
use proxy::watch::Live;
use proxy::watch::retell::{Recording, retell};

use crate::support::judge::plainly;
use crate::support::peers::{Screen, Security, Server, xfreerdp_killed};
use crate::support::process::with_peers;
use crate::support::program::{Proxy, analyze, program};
use crate::support::script;

/// From the request to an active session, in clear, sealed, and with keys.
const ACTIVE: [(&str, &str); 3] = [
    (
        "in clear",
        "
        21ms > @request none
        41ms < @confirm none
        43ms legacy 20ms",
    ),
    (
        "sealed",
        "
        21ms > @request SSL
        41ms < @confirm SSL
        43ms > @hello 1.2,1.3 sni=server.example
        64ms < @server-hello 1.2
        64ms < @certificate valid
        64ms < @hello-done
        66ms > @key-exchange
        66ms > @finished
        86ms < @finished
        88ms session 20ms",
    ),
    (
        "with keys",
        "
        21ms tls 1.2 SSL 20ms
        200ms inside 20ms",
    ),
];

/// Two milliseconds, from the running session on.
const LATENCY: &str =
    "1900ms impair back step=begins what=latency delay_ns=2000000 jitter_ns=0 seed=7 asked=back:%20latency%202ms";

fn played(story: &str) -> Diagnosed {
    let session = script::parse(story).into_iter().next().expect("a session");
    plainly(session)
}

/// One that was active, and went on like that.
fn active(how: usize, rest: &str) -> Diagnosed {
    let session = played(&format!("{}\n{rest}", ACTIVE[how].1));
    assert!(session.timeline.is_active(), "{}: {}", ACTIVE[how].0, text::session(&session));
    session
}

fn stalls_in(session: &Diagnosed, phase: PhaseName) -> Vec<Stall> {
    stalls(&session.timeline).into_iter().filter(|stall| stall.phase == phase).collect()
}

/// Nobody is said to have been waited for in its active phase, wherever that could be said.
fn is_idle(session: &Diagnosed, what: &str) {
    assert_eq!(stalls_in(session, PhaseName::Active), [], "{what}");
    let Some(active) = session.timeline.phase(PhaseName::Active) else { return };
    let waited = active.waited;
    assert_eq!([waited.client, waited.server, waited.network], [Duration::ZERO; 3], "{what}");
    let attempts = group(vec![session.clone()]);
    let told = [text::session(session), json::document("test", &attempts), html::page("test", &attempts)];
    for told in told {
        assert!(
            !told.contains("in active from +") && !told.contains("\"phase\": \"active\",\n          \"since_ns\""),
            "{what}: {told}"
        );
    }
}

#[test]
fn silence_in_an_active_session_is_nobodys() {
    let input = [
        ["> @mcs input", "< @mcs graphics"],
        ["> @record 23 60", "< @record 23 900"],
        [">> @mcs input", "<< @mcs graphics"],
    ];
    let ends = ["20s > fin", "20s < fin", "20s stop", "20s < rst", "20s path back state=1"];
    for (how, [client, server]) in input.into_iter().enumerate() {
        for last in [client, server] {
            for end in ends {
                let rest = format!("2s {client}\n2001ms {server}\n9s {last}\n9001ms {last}\n{end}");
                let what = format!("{}, {last}, {end}", ACTIVE[how].0);
                is_idle(&active(how, &rest), &what);
                is_idle(&active(how, &format!("{LATENCY}\n{rest}")), &format!("impaired, {what}"));
            }
        }
    }
}

#[test]
fn a_frozen_connection_is_one_stall_of_the_path_in_full_length() {
    // (leg, its own numbers before and after, whom it keeps waiting)
    for (leg, owner, line) in [("back", Owner::Network(Leg::Back), ">"), ("front", Owner::Network(Leg::Front), "<")] {
        for (how, (called, _)) in ACTIVE.iter().enumerate() {
            let says = match how {
                0 => format!("{line} @mcs {}", if line == ">" { "input" } else { "graphics" }),
                1 => format!("{line} @record 23 60"),
                _ => format!("{line}{line} @mcs {}", if line == ">" { "input" } else { "graphics" }),
            };
            let before = active(how, "2s > fin").timeline.leg(owner_leg(owner)).expect("a leg").bytes
                [usize::from(line == "<")]
                + 1;
            let sample = |at: &str, again: u64, backoff: u64, acked: u64, ack: u64| {
                let unacked = u64::from(backoff > 0);
                format!(
                    "{at} path {leg} state=1 retransmits={again} backoff={backoff} unacked={unacked} bytes_acked={acked} last_ack_ms={ack} rto_us=200000 min_rtt_us=300"
                )
            };
            let frozen = [
                sample("4s", 0, 0, before, 1000),
                format!("5s {says}"),
                sample("5500ms", 1, 1, before, 3500),
                sample("7s", 3, 3, before, 5000),
            ]
            .join("\n");
            let melted = sample("12s", 5, 0, before + 5000, 100);
            let session = active(how, &format!("{frozen}\n{melted}\n13s < fin"));
            let found = stalls_in(&session, PhaseName::Active);
            let [stall] = &found[..] else { panic!("{called}, {leg}: {found:?}") };
            assert_eq!((stall.owner, stall.again, stall.was_answered), (owner, 5, true), "{stall:?}");
            assert_eq!(stall.lasted, Duration::from_micros(6_899_900), "from the first transmission on: {stall:?}");
            let active_phase = session.timeline.phase(PhaseName::Active).expect("active").waited;
            assert_eq!((active_phase.retransmission, active_phase.server), (stall.lasted, Duration::ZERO));
            // Whoever leaves while it is frozen: until then.
            let left = active(how, &format!("{frozen}\n9s > fin"));
            let found = stalls_in(&left, PhaseName::Active);
            let [stall] = &found[..] else { panic!("{found:?}") };
            assert_eq!((stall.owner, stall.again, stall.was_answered), (owner, 3, false), "{stall:?}");
            assert_eq!(stall.lasted, Duration::from_micros(3_999_900), "{stall:?}");
            // One segment that is sent again is no freeze.
            let once = [
                format!("5s {says}"),
                sample("5300ms", 1, 1, before, 3300),
                sample("5800ms", 1, 0, before + 5000, 400),
            ]
            .join("\n");
            assert_eq!(stalls_in(&active(how, &format!("{once}\n20s < fin")), PhaseName::Active), []);
        }
    }
}

fn owner_leg(owner: Owner) -> Leg {
    match owner {
        Owner::Network(leg) => leg,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_packets_show_of_a_freeze_is_the_same_stall() {
    let story = format!(
        "{}
        9s sign back kind=unacknowledged from=server lasted_ns=7000000000 again=6
        9001ms > @record 23 60
        20s < fin",
        ACTIVE[1].1
    );
    let session = script::parse(&story).into_iter().next().expect("a session");
    // As a capture has it: one leg, of which both ends are seen.
    let only = session.into_iter().filter(|seen| seen.flow.leg == Leg::Back).map(|mut seen| {
        seen.flow.leg = Leg::Only;
        seen
    });
    let session = plainly(only.collect());
    let found = stalls_in(&session, PhaseName::Active);
    let [stall] = &found[..] else { panic!("{found:?}: {}", text::session(&session)) };
    assert_eq!((stall.owner, stall.again, stall.lasted), (Owner::Network(Leg::Only), 6, Duration::from_secs(7)));
}

#[test]
fn a_request_that_plaintext_shows_is_owed_an_answer() {
    let asked = "3s >> @mcs shutdown-request";
    let late = active(2, &format!("{asked}\n7s << @mcs shutdown-denied\n30s > fin"));
    let found = stalls_in(&late, PhaseName::Active);
    let [stall] = &found[..] else { panic!("{found:?}") };
    assert_eq!((stall.owner, stall.lasted, stall.was_answered), (Owner::Server, Duration::from_secs(4), true));
    let never = active(2, &format!("{asked}\n9s > fin"));
    let found = stalls_in(&never, PhaseName::Active);
    let [stall] = &found[..] else { panic!("{found:?}") };
    assert_eq!((stall.owner, stall.lasted, stall.was_answered), (Owner::Server, Duration::from_secs(6), false));
    is_idle(&active(2, &format!("{asked}\n3010ms << @mcs shutdown-denied\n30s > fin")), "answered at once");
}

fn captures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let all = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|is| is == "pcapng")).collect();
    all.sort();
    all
}

/// The sessions of a capture, with the secrets in it or without.
fn sessions(path: &Path, with_keys: bool) -> Vec<Diagnosed> {
    let bytes = fs::read(path).expect("a capture");
    let bytes = if with_keys { bytes } else { without_secrets(&bytes) };
    let mut found = Vec::new();
    let keys = Arc::new(Keyring::default());
    reading::read_with(&bytes[..], None, &keys, &mut |session| found.push(session)).expect("a capture");
    found
}

/// pcapng without its Decryption Secrets Blocks, block type 10.
fn without_secrets(file: &[u8]) -> Vec<u8> {
    let is_little = file[8..12] == [0x4d, 0x3c, 0x2b, 0x1a];
    let number = |at: &[u8]| {
        let bytes: [u8; 4] = at[..4].try_into().expect("four bytes");
        if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    let (mut rest, mut kept) = (file, Vec::new());
    while rest.len() >= 12 {
        let (block, behind) = rest.split_at(number(&rest[4..]) as usize);
        if number(block) != 10 {
            kept.extend_from_slice(block);
        }
        rest = behind;
    }
    kept
}

#[test]
fn healthy_captures_have_no_stall_while_they_are_active() {
    let mut seen = 0;
    for path in captures("captures").into_iter().chain(captures("captures/keyed")) {
        for with_keys in [true, false] {
            for session in sessions(&path, with_keys).iter().filter(|session| session.outcome == Outcome::Connected) {
                is_idle(session, &format!("{}, keys: {with_keys}", path.display()));
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// Without keys a licence is over where its server says so, not where Demand Active comes.
#[test]
fn phases_that_are_inferred_take_as_long_as_those_that_are_read() {
    let mut compared = 0;
    for path in captures("captures/keyed") {
        for (read, told) in sessions(&path, true).iter().zip(sessions(&path, false)) {
            // A Demand Active in one record with the licence is not told apart from it.
            if told.timeline.phase(PhaseName::Capabilities).is_none() {
                continue;
            }
            for name in [PhaseName::SecureSettings, PhaseName::Licensing, PhaseName::Capabilities] {
                let (Some(read), Some(told)) = (read.timeline.phase(name), told.timeline.phase(name)) else { continue };
                if read.began != told.began || [read.outcome, told.outcome] != [phase::Outcome::Done; 2] {
                    continue;
                }
                assert_eq!(told.duration(), read.duration(), "{name} of {}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

/// What is told of a recording while it is told again.
fn told_again(observations: &[Observation]) -> Vec<String> {
    let section = Section::default();
    let mut analysis = Analysis::default();
    let all = observations.iter().cloned();
    let file = record(Vec::new(), &section, all, &mut |seen| analysis.push(seen)).expect("memory");
    let recording = Recording { name: "told".into(), session: 1, layers: Session::default() };
    let mut told = Vec::new();
    let mut say = |live: Live<'_>| {
        if let Live::Waiting { owed, lasted, .. } = live {
            told.push(format!("{owed}, {} s", lasted.as_secs()));
        }
    };
    retell(&file[..], recording, &mut |_| Ok(()), &mut say).expect("a recording");
    told
}

#[test]
fn who_is_waited_for_is_told_after_two_five_and_ten_seconds() {
    let waits = [
        ("0ms target server.example\n0ms resolving\n6s front < rst", "the resolver"),
        ("0ms dial\n6s stop", "the TCP handshake with 192.0.2.10:3389"),
        ("6s stop", "the client's X.224 connection request"),
        ("21ms > @request SSL\n6s stop", "the server's X.224 confirm"),
        ("21ms > @request SSL\n41ms < @confirm SSL\n6100ms stop", "the client's ClientHello"),
        ("21ms > @request SSL\n41ms < @confirm SSL\n43ms > @hello 1.2,1.3\n6100ms stop", "the server's ServerHello"),
        (
            "21ms > @request SSL\n41ms < @confirm SSL\n43ms > @hello 1.2\n64ms < @server-hello 1.2\n6100ms stop",
            "the rest of the server's TLS flight",
        ),
        (
            "21ms > @request none\n41ms < @confirm none\n43ms legacy 1ms turns=1\n6100ms stop",
            "the server's answer to MCS Connect Initial",
        ),
        (
            "21ms > @request none\n41ms < @confirm none\n43ms legacy 1ms turns=2\n6100ms stop",
            "the client's answer to MCS Connect Response",
        ),
        ("0ms gateway\n0ms dial\n1ms opened\n6s stop", "the client's ClientHello"),
    ];
    for (story, owed) in waits {
        let session = script::parse(story).into_iter().next().expect("a session");
        let expected = [2, 5].map(|seconds| format!("{owed}, {seconds} s"));
        assert_eq!(told_again(&session), expected, "{story}");
    }
    let long = script::parse("21ms > @request SSL\n700s stop").into_iter().next().expect("a session");
    assert_eq!(told_again(&long).len(), 9, "2, 5, 10, 20, 40, 80, 160, 320, 640: {:?}", told_again(&long));
}

#[test]
fn nobody_is_waited_for_in_an_active_session_that_owes_nothing() {
    for (how, story) in ACTIVE {
        let quiet = script::parse(&format!("{story}\n90s > fin")).into_iter().next().expect("a session");
        assert_eq!(told_again(&quiet), [""; 0], "{how}");
    }
    let frozen = format!(
        "{}\n5s > @record 23 60\n5500ms path back state=1 retransmits=1 backoff=1 unacked=1 bytes_acked=700\n60s < fin",
        ACTIVE[1].1
    );
    let frozen = script::parse(&frozen).into_iter().next().expect("a session");
    let told = told_again(&frozen);
    assert!(
        told.iter().all(|line| line.starts_with("the acknowledgement of what was sent to the server, 1 time again, ")),
        "{told:?}"
    );
    assert!(told.len() > 3, "{told:?}");
}

#[test]
fn a_session_that_is_stopped_says_for_what_it_waited() {
    let line = |story: &str| verdict::of_session(&played(story));
    assert_eq!(
        line("21ms > @request SSL\n3721ms stop"),
        "unfinished in negotiation: the proxy was stopped after 3.7 s of waiting for the server's X.224 confirm; perhaps \
         X224-NOCC, by the server: the connection request is received and never answered (possible)"
    );
    assert_eq!(line("21ms > @request SSL\n1s stop"), "unfinished in negotiation: the proxy was stopped");
    assert_eq!(
        line("21ms > @request SSL\n41ms < @confirm SSL\n12s stop"),
        "unfinished in negotiation: the proxy was stopped after 12.0 s of waiting for the client's ClientHello"
    );
}

/// Time in phases before `active` stays somebody's, and the histogram counts no idle time.
#[test]
fn the_histogram_counts_no_idle_time() {
    let mut set = Set::by(By::Phase);
    set.push(&active(1, "60s > fin"));
    for (key, histogram) in set.series() {
        let is_waited = matches!(key.measure, Measure::Client | Measure::Server | Measure::Network);
        assert!(!is_waited || histogram.stats().max < Duration::from_secs(1), "{key:?}");
    }
}

#[test]
fn a_capture_of_one_direction_says_so() {
    let story = format!("{}\n3s path back client_ttl=64 client_unacked_bytes=0", ACTIVE[1].1);
    let session = script::parse(&story).into_iter().next().expect("a session");
    let only = session.into_iter().filter(|seen| seen.flow.leg == Leg::Back).map(|mut seen| {
        seen.flow.leg = Leg::Only;
        if let Seen::Bytes { from: Side::Server, data } = &seen.seen {
            let (from, len) = (Side::Server, data.len() as u64);
            seen.seen = Seen::Missing { from, len, why: Absence::Lost };
        }
        seen
    });
    let session = plainly(only.collect());
    let says = text::session(&session).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(says.contains("only the client's direction is in the capture") && !says.contains("MISSING"), "{says}");
}

/// Real peers: a desktop that nobody touches for some seconds waits for nobody.
#[test]
fn an_xrdp_desktop_that_nobody_touches_has_no_stall() {
    with_peers("an_xrdp_desktop_that_nobody_touches_has_no_stall", || {
        let tls = Security::Tls("TLSv1.2");
        let (screen, server) = (Screen::start()?, Server::xrdp(tls)?);
        let proxy = Proxy::before(server.port)?;
        let idles = || {
            proxy.wait_active()?;
            std::thread::sleep(Duration::from_secs(4));
            Ok(())
        };
        xfreerdp_killed(&screen, proxy.port, tls, "TERM", idles)?;
        let finished = proxy.finish()?;
        assert!(!finished.output.contains("waiting for"), "{}", finished.output);
        let (_, document) = analyze(&finished.recordings)?;
        let session = &document["attempts"][0]["sessions"][0];
        assert_eq!(session["outcome"], "connected", "{session:#}");
        let stalls = session["stalls"].as_array().cloned().unwrap_or_default();
        assert!(stalls.iter().all(|stall| stall["phase"] != "active"), "{stalls:#?}");
        let phases = session["phases"].as_array().cloned().unwrap_or_default();
        let active = phases.iter().find(|phase| phase["phase"] == "active").expect("it was active");
        assert!(active["duration_ns"].as_u64() > Some(3_000_000_000), "{active:#}");
        assert_eq!(
            (&active["waited_ns"]["client"], &active["waited_ns"]["server"]),
            (&0.into(), &0.into()),
            "{active:#}"
        );
        let said = Command::new(program()).arg("analyze").args(&finished.recordings).output()?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(!text.contains("in active from"), "{text}");
        Ok(())
    });
}
