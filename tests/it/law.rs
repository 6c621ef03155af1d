//! The law: reading is the inverse of writing. `read(record(observations))` gives the observations, number by number,
//! whatever they are; and a file that is cut or damaged gives what can be read of it, or says why not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use analyzer::analysis::Analysis;
use analyzer::capture::annotation::Section;
use analyzer::capture::recording::{self, ReadError};
use analyzer::observation::{
    Absence, Again, Deed, Ending, Flow, Impairment, Interception, Lapse, Leg, Means, Observation, Opening, PathSample,
    ResetMarks, Seen, Sequence, Side, Sign, Step, SynProxyMarks,
};
use analyzer::reading;
use analyzer::secret::Secret;
use analyzer::time::Timestamp;
use analyzer::tls::keys::Keyring;
use bytes::Bytes;
use proxy::record::Recorder;

use crate::support::judge::{Random, recorded, recorded_once};
use crate::support::process::{Folder, with_peers};
use crate::support::{messages, recording as tshark, script};

/// A whole session with TLS, then half a minute of payload, in as few bytes as it takes to have every kind of block.
const SESSION: &str = "
    0ms  resolving
    3ms  resolved 2001:db8::9,192.0.2.10
    3ms  dial 2001:db8::9
    4ms  unreachable
    4ms  dial 192.0.2.10
    24ms opened
    24ms path back rtt_us=20000 state=1
    25ms > @request SSL
    45ms < @confirm SSL
    46ms > @hello 1.2,1.3 sni=server.example
    66ms < @server-hello 1.2
    66ms < @certificate self-signed
    66ms < @hello-done
    68ms > @key-exchange
    68ms > @finished
    88ms < @finished
    89ms session 20ms
    9s   < @record 23 16000
    9s   < @record 23 16000
    10s  > fin
    10s  < fin
";

/// The same over IPv6.
fn session_v6() -> String {
    SESSION.replace("192.0.2.10", "2001:db8::10")
}

#[test]
fn whatever_is_recorded_is_read_back() {
    for seed in 1..=150 {
        let mut random = Random::seeded(seed);
        let (written, file) = write(&mut random);
        // Those have no place of their own: whoever reads finds them before anything else.
        let (secrets, written): (Vec<_>, Vec<_>) = written.into_iter().partition(is_secret);
        let mut found = reading::secrets(&file[..]).expect("a recording");
        assert!(secrets.iter().all(|secret| !is_new(secret, &mut found)), "seed {seed}");
        let (read, stopped) = observations(&file).expect("a recording");
        assert_eq!(stopped, None, "seed {seed}");
        let different = written.iter().zip(&read).position(|(written, read)| written != read);
        let at = different.unwrap_or(written.len().min(read.len()));
        assert!(written == read, "seed {seed}, place {at}: {:?} read as {:?}", written.get(at), read.get(at));
    }
}

fn is_secret(observation: &Observation) -> bool {
    matches!(observation.seen, Seen::Secret(_))
}

fn is_new(observation: &Observation, keys: &mut Keyring) -> bool {
    matches!(&observation.seen, Seen::Secret(log) if keys.read(log) > 0)
}

#[test]
fn a_recording_cut_anywhere_is_read_up_to_there() {
    let session = script::parse(SESSION).remove(0);
    cut_anywhere(&recorded(&session[..40]));
    cut_anywhere(&together(&[&session[..12], &session[..9], &session[..14]]));
}

/// Connections that begin one after the other and go on together, in one recording.
fn together(connections: &[&[Observation]]) -> Vec<u8> {
    let mut all = Vec::new();
    for (session, seen) in (3..).zip(connections) {
        let later = |one: &Observation| Timestamp::at(one.at.0 + u64::from(session) * 7_000_000);
        let flow = |one: &Observation| Flow { session, leg: one.flow.leg };
        all.extend(seen.iter().map(|one| Observation { at: later(one), flow: flow(one), ..one.clone() }));
    }
    all.sort_by_key(|one| one.at);
    proxy::record::record(Vec::new(), &Section::default(), all, &mut |_| {}).expect("memory")
}

fn cut_anywhere(file: &[u8]) {
    let (whole, _) = observations(file).expect("a recording");
    let mut before = 0;
    for len in 0..file.len() {
        match observations(&file[..len]) {
            Ok((read, _)) => {
                assert!(read.len() >= before && whole.starts_with(&read), "cut at {len}");
                before = read.len();
            }
            Err(error) => {
                assert_eq!(before, 0, "cut at {len}: what could be read before cannot be read now");
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(before + 3 > whole.len(), "{before} of {} observations before the last byte", whole.len());
}

#[test]
fn a_damaged_recording_gives_an_answer() {
    let session = script::parse(SESSION).remove(0);
    // Without the bulk: damage to headers and handshake is what tells.
    let file = recorded_once(&session[..session.len() - 8]);
    let mut random = Random::seeded(1);
    for round in 0..2000 {
        let mut damaged = file.clone();
        for _ in 0..=random.below(8) {
            let place = random.below(damaged.len() as u64) as usize;
            damaged[place] = random.next() as u8;
        }
        let answer = std::panic::catch_unwind(|| {
            let mut analysis = Analysis::default();
            let read = recording::read(&damaged[..], 0, &mut |observation| analysis.push(&observation));
            (read.map(drop).map_err(|error| error.to_string()), analysis.finish(None).outcome)
        });
        assert!(answer.is_ok(), "round {round} panics");
    }
}

#[test]
fn what_is_no_recording_says_so() {
    let error = |bytes: &[u8]| observations(bytes).expect_err("no recording");
    assert!(matches!(error(b""), ReadError::Empty));
    assert!(matches!(error(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"), ReadError::NotCapture));
    assert!(matches!(
        error(&messages::hex("d4c3b2a1020004000000000000000000ffff000001000000")),
        ReadError::NotRecording
    ));
    let bare = messages::hex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000");
    assert!(matches!(error(&bare), ReadError::NotRecording));
}

#[test]
fn another_reader_finds_nothing_wrong() {
    with_peers("another_reader_finds_nothing_wrong", || {
        let folder = Folder::new()?;
        for (name, script) in [("v4", SESSION.to_owned()), ("v6", session_v6()), ("clear", CLEAR.to_owned())] {
            let session = script::parse(&script).remove(0);
            for (how, file) in [("both", recorded(&session)), ("once", recorded_once(&session))] {
                let path = folder.path().join(format!("{name}-{how}.pcapng"));
                std::fs::write(&path, file)?;
                let read = tshark::read(&path, &[3390, 3389])?;
                assert!(read.packets > 30, "{name}, {how}: {} packets", read.packets);
                assert!(read.complaints.is_empty(), "{name}, {how}: {}", read.complaints.join("\n"));
            }
        }
        let session = script::parse(SESSION).remove(0);
        let path = folder.path().join("together.pcapng");
        std::fs::write(&path, together(&[&session, &renamed(&session, 1), &renamed(&session, 2)]))?;
        let read = tshark::read(&path, &[3390, 3389])?;
        assert!(read.packets > 90, "{} packets", read.packets);
        assert!(read.complaints.is_empty(), "{}", read.complaints.join("\n"));
        Ok(())
    });
}

/// The same session of a client with other ports.
fn renamed(session: &[Observation], by: u16) -> Vec<Observation> {
    let mut renamed = session.to_vec();
    for one in &mut renamed {
        if let Seen::Opening(Opening::Dialing { client, .. }) = &mut one.seen {
            client.set_port(client.port().wrapping_add(by));
        }
    }
    renamed
}

/// A session without TLS.
const CLEAR: &str = "
    21ms > @request none
    41ms < @confirm none
    43ms legacy 20ms
    9s   < @mcs graphics
    9s   > rst
";

/// Everything that a file holds, and why reading stopped.
fn observations(file: &[u8]) -> Result<(Vec<Observation>, Option<String>), ReadError> {
    let mut read = Vec::new();
    let recording = recording::read(file, 7, &mut |observation| read.push(observation))?;
    Ok((read, recording.stopped))
}

/// Records what a relay might see of up to four connections, at random; gives what was recorded, as it was numbered and
/// split.
fn write(random: &mut Random) -> (Vec<Observation>, Vec<u8>) {
    let mut recorder = Recorder::new(Vec::new(), &Section::default()).expect("memory");
    let mut at = Timestamp::at(1_780_272_000_000_000_000);
    let mut relays = vec![Relay::default()];
    let mut written = Vec::new();
    for _ in 0..20 + random.below(200) {
        if random.below(30) == 0 && relays.len() < 4 && !written.is_empty() {
            relays.push(Relay::default());
        }
        // The one that is new speaks next: they are numbered in that order.
        let is_new = relays.last().is_some_and(|relay| !relay.has_spoken);
        let place = if is_new { relays.len() - 1 } else { random.below(relays.len() as u64) as usize };
        let session = 7 + place as u32;
        if random.below(60) == 0 {
            recorder.store_once(session);
        }
        at = Timestamp::at(at.0 + random.below(3) * random.below(5_000_000_000));
        let (leg, seen) = relays[place].sees(random);
        let flow = Flow { session, leg };
        for piece in recorder.split(flow, seen) {
            let frame = recorder.frame_of(flow, &piece);
            written.push(Observation { at, flow, frame, seen: piece.clone() });
            recorder.write(at, flow, &piece, &comments(random)).expect("memory");
        }
    }
    recorder.end(at, "the end".to_owned()).expect("memory");
    (written, recorder.into_inner())
}

/// Comments for people change nothing.
fn comments(random: &mut Random) -> Vec<String> {
    if random.below(8) == 0 { vec!["tls done after 12 ms, é".into(), "and more".into()] } else { Vec::new() }
}

/// A relay that sees anything, in an order that sockets allow.
#[derive(Default)]
struct Relay {
    has_spoken: bool,
    legs: [Stage; 2],
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    #[default]
    Unknown,
    Dialing,
    Open,
}

impl Relay {
    fn sees(&mut self, random: &mut Random) -> (Leg, Seen) {
        self.has_spoken = true;
        let place = random.below(2) as usize;
        let leg = [Leg::Front, Leg::Back][place];
        let from = side(random);
        let (seen, stage) = match (self.legs[place], random.below(10)) {
            (stage, 0) if random.below(4) == 0 => (secret(random), stage),
            (stage, 0) if random.below(4) == 0 => (Seen::Interception(interception(random)), stage),
            (stage, 0) if random.below(4) == 0 => (Seen::Impairment(impairment(random)), stage),
            (stage, 0) if random.below(4) == 0 => (Seen::Lapse(lapse(random)), stage),
            (stage, 0) => (Seen::Path(Box::new(path(random))), stage),
            (stage, 1) if random.below(2) == 0 => (Seen::Sign(sign(random, from)), stage),
            (stage, 1) => (apart(random, from), stage),
            (Stage::Unknown, _) => (dialing(random), Stage::Dialing),
            (Stage::Dialing, 2..=4) => (closed(Some(Side::Server), Ending::Refused), Stage::Dialing),
            (Stage::Dialing, 5) => (dialing(random), Stage::Dialing),
            (Stage::Dialing, _) => (Seen::Opened, Stage::Open),
            (Stage::Open, 2) if random.below(4) == 0 => (dialing(random), Stage::Dialing),
            (Stage::Open, 3) => (mirrored(random, leg), Stage::Open),
            (Stage::Open, 4) if random.below(4) == 0 => (closed(Some(from), Ending::Reset), Stage::Open),
            (Stage::Open, 5) if random.below(2) == 0 => (closed(Some(from), Ending::Fin), Stage::Open),
            (Stage::Open, _) => (Seen::Bytes { from, data: payload(random) }, Stage::Open),
        };
        self.legs[place] = stage;
        (leg, seen)
    }
}

fn side(random: &mut Random) -> Side {
    if random.below(2) == 0 { Side::Client } else { Side::Server }
}

fn closed(from: Option<Side>, how: Ending) -> Seen {
    Seen::Closed { from, how }
}

/// Lines of a key log, whole or not.
fn secret(random: &mut Random) -> Seen {
    let (random, secret) = (format!("{:064x}", random.next()), format!("{:096x}", random.next()));
    let mut log = format!("CLIENT_RANDOM {random} {secret}\nSERVER_TRAFFIC_SECRET_0 {random} {secret}\n");
    log.truncate(log.len() - usize::from(log.ends_with("1\n")));
    Seen::Secret(Arc::new(Secret::new(log.into_bytes())))
}

/// What a relay did inside TLS, in any order.
fn interception(random: &mut Random) -> Interception {
    match random.below(7) {
        0 => Interception::Asked(Means::ServerKey),
        1 => Interception::Stands,
        2 => Interception::Passed { why: "no reason, = or %".into() },
        3 => Interception::Upstream { trusted: Some(false), says: "self-signed".into() },
        4 => Interception::OtherKey,
        5 => Interception::Unbound,
        _ => Interception::Redialed { why: "alert 40".into() },
    }
}

/// What was done on purpose.
fn impairment(random: &mut Random) -> Impairment {
    let by = side(random);
    let deed = match random.below(5) {
        0 => Deed::Latency { delay: Duration::from_nanos(random.next() >> 20), jitter: Duration::from_millis(20) },
        1 => Deed::Bandwidth { bytes_per_second: random.next() },
        2 => Deed::Stall,
        3 => Deed::Close { by },
        _ => Deed::Reset { by },
    };
    let step = if random.below(2) == 0 { Step::Begins } else { Step::Over };
    let (from, seed) = ((random.below(2) == 0).then_some(by), (random.below(2) == 0).then(|| random.next()));
    Impairment { asked: format!("at 1s: {deed}, 100% = all"), step, deed, from, seed }
}

/// What befell the relay itself.
fn lapse(random: &mut Random) -> Lapse {
    let lasted = Duration::from_nanos(random.next() >> random.below(64));
    match random.below(3) {
        0 => Lapse::Stopped { lasted, asleep: None },
        1 => Lapse::Stopped { lasted, asleep: Some(lasted / 2) },
        _ => Lapse::Stepped { by: lasted, forward: random.below(2) == 0 },
    }
}

fn path(random: &mut Random) -> PathSample {
    let mut path = PathSample::default();
    for name in ["state", "rtt_us", "backoff", "out_of_order", "client_unacked_us", "longest_gap_us"] {
        if random.below(2) == 0 {
            assert!(path.set(name, random.next() >> random.below(64)));
        }
    }
    path
}

/// Any of them, with any numbers.
fn sign(random: &mut Random, from: Side) -> Sign {
    let (len, after) = (random.next() as u32, Duration::from_nanos(random.next() >> random.below(64)));
    let (place, yes) = (random.next() as u32, random.below(2) == 0);
    match random.below(19) {
        0 => {
            let (by, mtu) = (address(random, yes).ip(), Some(len).filter(|_| place % 2 == 0));
            Sign::Icmp { by, kind: random.next() as u8, code: random.next() as u8, mtu, about: from }
        }
        1 => Sign::Retransmitted { from, len, why: again(random), after },
        2 => Sign::SynAgain { place, after },
        3 => Sign::SynAckAgain { place, after, acknowledged: yes },
        4 => Sign::Overtaken { from, late: after },
        5 => Sign::Duplicated { from, len, after },
        6 => Sign::CaptureLoss { from, len: random.next() },
        7 => Sign::NetworkLoss { from, len: random.next() },
        8 => Sign::ZeroWindow { from, lasted: after, probes: len, still_shut: yes },
        9 => Sign::KeepAlive { from },
        10 => Sign::Reset { from, marks: marks(random) },
        11 => Sign::AfterReset { from, len, after },
        12 => Sign::SynProxy { marks: proxy_marks(random, after) },
        13 => Sign::WindowScale { from, shift: random.next() as u8 },
        14 => Sign::EcnAgreed,
        15 => Sign::SentForNothing { from, len },
        16 => Sign::Unacknowledged { from, lasted: after, again: len, still_waits: yes },
        17 => Sign::FinUnseen { from },
        _ => Sign::EcnMarked { from },
    }
}

fn again(random: &mut Random) -> Again {
    let place = random.next() as u8;
    let all = [Again::Timeout { place }, Again::Fast, Again::TailProbe, Again::Spurious, Again::Rest];
    all[random.below(5) as usize]
}

fn marks(random: &mut Random) -> ResetMarks {
    let numbers = random.next();
    let is = |bit: u32| numbers >> bit & 1 == 1;
    ResetMarks {
        ttl: is(0).then_some((numbers as u8, random.next() as u8)),
        id: is(1).then_some((numbers as u16, random.next() as u16)),
        no_window: is(2),
        no_timestamp: is(3),
        too_soon: is(8).then(|| (Duration::from_nanos(random.next()), Duration::from_nanos(random.next()))),
        sequence: [Sequence::Exact, Sequence::InWindow, Sequence::Outside][random.below(3) as usize],
        mirrored: is(4),
        payload: if is(5) { random.next() as u32 } else { 0 },
        answers: is(6),
        before_syn_ack: is(7),
        answers_syn_ack: is(9),
    }
}

fn proxy_marks(random: &mut Random, rtt: Duration) -> SynProxyMarks {
    let numbers = random.next();
    let is = |bit: u32| numbers >> bit & 1 == 1;
    SynProxyMarks {
        ttl: is(0).then_some((numbers as u8, random.next() as u8)),
        timestamps: is(1),
        no_window: is(2),
        rtt: is(3).then_some((rtt, rtt / 3)),
    }
}

/// What no packet can hold.
fn apart(random: &mut Random, from: Side) -> Seen {
    let text = ["server.example", "a name=50% é\n, ok", "", "rdpscope: closed how=fin"][random.below(4) as usize];
    let addresses = (0..random.below(3)).map(|_| address(random, false).ip()).collect();
    match random.below(9) {
        0 => Seen::Opening(Opening::Target { name: text.into(), port: random.next() as u16 }),
        1 => Seen::Opening(Opening::Resolving),
        2 => Seen::Opening(Opening::Resolved { addresses, error: None }),
        3 => Seen::Opening(Opening::Resolved { addresses, error: Some(text.into()) }),
        4 => Seen::Missing { from, len: 1 + random.next() % (1 << 40), why: Absence::Dropped },
        5 => Seen::Missing { from, len: 1 + random.below(1 << 20), why: Absence::Discarded },
        6 => Seen::Opening(Opening::Named { by: address(random, false) }),
        7 => Seen::Opening(Opening::Naming),
        _ => closed(None, [Ending::TimedOut, Ending::Unreachable, Ending::Unresolved][random.below(3) as usize]),
    }
}

fn dialing(random: &mut Random) -> Seen {
    let v6 = random.below(2) == 0;
    let other = v6 ^ (random.below(9) == 0);
    Seen::Opening(Opening::Dialing { client: address(random, v6), server: address(random, other) })
}

/// Now and then the one that stands for any.
fn address(random: &mut Random, v6: bool) -> SocketAddr {
    let some = random.below(9) > 0;
    let last = if some { 1 + random.below(250) as u8 } else { 0 };
    let port = 1 + random.below(65_535) as u16;
    match (v6, some) {
        (false, true) => SocketAddr::from(([192, 0, 2, last], port)),
        (false, false) => SocketAddr::from(([0; 4], port)),
        (true, true) => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)], port)),
        (true, false) => SocketAddr::from(([0; 8], port)),
    }
}

fn mirrored(random: &mut Random, leg: Leg) -> Seen {
    let from = if leg == Leg::Front { Side::Server } else { Side::Client };
    Seen::Missing { from, len: 1 + random.below(100_000), why: Absence::Mirrored }
}

/// Messages of a handshake, or noise of any length.
fn payload(random: &mut Random) -> Bytes {
    let named = [
        "@request SSL",
        "@confirm HYBRID",
        "@hello 1.2,1.3",
        "@certificate weak",
        "@http",
        "@mcs demand",
        "@proxy v1",
        "@proxy v2",
    ];
    match random.below(12) {
        word @ 0..8 => Bytes::from(messages::bytes(&named[word as usize].split(' ').collect::<Vec<_>>())),
        8 => noise(random, 50_000),
        _ => noise(random, 3000),
    }
}

fn noise(random: &mut Random, most: u64) -> Bytes {
    (0..1 + random.below(most / 8)).flat_map(|_| random.next().to_le_bytes()).collect()
}
