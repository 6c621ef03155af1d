//! What the network does to sessions, and what is to be said of each. Labelled from what is done to packets and what
//! the peers do, never from what a rule finds.

use std::net::Ipv4Addr;
use std::time::Duration;

use proxy::lab::certificate::Certificate;
use proxy::lab::wire::protocol::{HYBRID, SSL};
use proxy::lab::{self, ClientScript, ServerScript, Session};
use proxy::tls::Versions;

use crate::support::wan::{BOTH, CLIENT, End, Fault, From, PLAIN, Path, ROUTER_ADDRESS, SERVER, Then};

/// One case. It is played with the fault on a relay's back leg or on its front leg, or on both in turn.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// In kebab case.
    pub name: &'static str,
    /// The network.
    pub path: Path,
    /// The server.
    pub server: ServerScript,
    /// The client.
    pub client: Client,
    /// Where the proxy stands.
    pub legs: Legs,
    /// When proxy and capture are stopped, where that is before both sides are done.
    pub stops: Option<Duration>,
    /// What is to be said.
    pub expect: Expect,
}

/// Who connects.
#[derive(Debug, Clone, Copy)]
pub enum Client {
    /// The lab's.
    Plays(ClientScript),
    /// One whose ClientHello, padded to so many bytes, does not fit into a segment, and that waits 4 s for an answer.
    LargeHello(usize),
}

/// Which leg of the relay the fault is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legs {
    /// Between proxy and server.
    Back,
    /// Between client and proxy.
    Front,
    /// Once there, once between client and proxy.
    Each,
}

/// What is to be said.
#[derive(Debug, Clone, Copy)]
pub struct Expect {
    /// How the attempt ends.
    pub outcome: &'static str,
    /// How it ends to a proxy that stands at one end of the way, where that sees less.
    pub outcome_here: Option<&'static str>,
    /// What a proxy that stands at one end of the way can say: it sees no TTL.
    pub cause: Cause,
    /// What its packets on the wire show.
    pub wire: Cause,
    /// What stands in those packets and has to be named.
    pub names: Option<Ipv4Addr>,
}

/// A cause, or several that look alike.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// The true one; `None` for a session with nothing wrong.
    pub is: Option<&'static str>,
    /// No mistake either, from there.
    pub or: &'static [&'static str],
}

const SESSION: Session = Session { bursts: 4, updates: 16, update_len: 4000, pause_ms: 5 };

/// One in which nothing is said for 2.5 s.
const QUIET: Session = Session { bursts: 3, pause_ms: 2500, ..SESSION };

const TLS13: ServerScript = ServerScript { session: SESSION, ..lab::SERVER };
const TLS12: ServerScript = ServerScript { versions: Versions::Only12, ..TLS13 };
/// Its certificate fills many packets.
const LARGE: ServerScript = ServerScript { certificate: Certificate::Large, ..TLS12 };
const LARGE13: ServerScript = ServerScript { certificate: Certificate::Large, ..TLS13 };
const NLA: ServerScript = ServerScript { selects: Some(HYBRID), ..TLS13 };

/// A client that is served to the end and leaves in order.
pub const SCRIPT: ClientScript = ClientScript { patience_ms: 30_000, ..lab::CLIENT };
const PATIENT: Client = Client::Plays(SCRIPT);
/// Gives up on a step that takes longer: time enough to send again.
const WAITS: Client = waits(4000);
const WAITS_NLA: Client = Client::Plays(ClientScript { asks: Some(SSL | HYBRID), patience_ms: 4000, ..SCRIPT });

/// Looks at the certificate for a while before it says more.
const HESITATES: Client = Client::Plays(ClientScript { hesitates_ms: 2500, patience_ms: 4000, ..SCRIPT });

/// Goes on watching a picture that may stand still. (The server does not insist on input: it says all it has to say.)
const WATCHES: Client = Client::Plays(ClientScript { lingers_ms: 5000, patience_ms: 4000, ..SCRIPT });

const fn waits(patience_ms: u64) -> Client {
    Client::Plays(ClientScript { patience_ms, ..SCRIPT })
}

const NOTHING: Cause = Cause { is: None, or: &[] };
const HEALTHY: Expect = Expect { outcome: "connected", outcome_here: None, cause: NOTHING, wire: NOTHING, names: None };

const fn cause(is: &'static str, or: &'static [&'static str]) -> Cause {
    Cause { is: Some(is), or }
}

/// The same from everywhere.
const fn fails(is: &'static str, or: &'static [&'static str]) -> Expect {
    Expect { outcome: "failed", outcome_here: None, cause: cause(is, or), wire: cause(is, or), names: None }
}

const fn breaks(is: &'static str, or: &'static [&'static str]) -> Expect {
    Expect { outcome: "broken", ..fails(is, or) }
}

/// The packets tell more.
const fn on_the_wire(expect: Expect, is: &'static str, or: &'static [&'static str]) -> Expect {
    Expect { wire: cause(is, or), ..expect }
}

/// To a proxy at one end of the way a client came to look and left: nothing failed.
const fn looks_here(expect: Expect) -> Expect {
    Expect { outcome_here: Some("unfinished"), cause: NOTHING, ..expect }
}

/// The router says so itself.
const fn says_the_router(expect: Expect) -> Expect {
    Expect { names: Some(ROUTER_ADDRESS), ..expect }
}

const fn faulty(faults: &'static [Fault]) -> Path {
    Path { faults, ..PLAIN }
}

const fn far(path: Path, one_way_ms: u64) -> Path {
    Path { delay: Duration::from_millis(one_way_ms), ..path }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn reset(from: From, to: &'static [analyzer::observation::Side], ttl: u8, then: Then) -> Fault {
    Fault::Reset { from, to, ttl, then }
}

const fn stall(from: From) -> Fault {
    Fault::Vanish { of: BOTH, from, lasts: None }
}

/// The TTL of what a peer says, as it arrives over three routers; and of a box next door.
const PEERS: u8 = 61;
const BOX: u8 = 64;

/// While the session is active.
const ACTIVE: From = From::Bytes(150_000);
/// With some input of the client while the session is active. (Of a dead way in the middle of what the server says, the
/// client's side sees nothing but silence.)
const INPUT: From = From::ClientBytes(2250);

const fn play(name: &'static str, path: Path, server: ServerScript, client: Client, expect: Expect) -> Case {
    Case { name, path, server, client, legs: Legs::Each, stops: None, expect }
}

/// Only where the proxy is the one that connects.
const fn back(case: Case) -> Case {
    Case { legs: Legs::Back, ..case }
}

/// Only where the proxy is the one that is connected to.
const fn front(case: Case) -> Case {
    Case { legs: Legs::Front, ..case }
}

/// Seen until so long after it began, and no longer.
const fn until(stops: Duration, case: Case) -> Case {
    Case { stops: Some(stops), ..case }
}

/// What looks as if it were the server, to a proxy without sight of TTLs.
const AFTER_REQUEST: Expect = fails("TCP-RST-AFTER", &["PATH-RSTINJ", "X224-TOKEN"]);
const AFTER_HELLO: Expect = fails("TLS-NOKEY", &["PATH-RSTINJ", "TLS-VER", "TLS-CIPHER"]);
const IN_ACTIVE: Expect = breaks("SES-SHUTDOWN", &["PATH-RSTINJ", "SES-KILLED"]);

/// All cases. The longest stand first, so that none is waited for alone.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    // Healthy: no failure and no warning.
    play("healthy-600-ms", far(PLAIN, 300), TLS13, PATIENT, HEALTHY),
    play("healthy-slow-link", Path { rate: Some(60_000), ..PLAIN }, TLS13, PATIENT, HEALTHY),
    play("healthy-300-ms", far(PLAIN, 150), TLS13, PATIENT, HEALTHY),
    play("healthy-loss-5", faulty(&[Fault::Loss { of: BOTH, from: From::Start, share: 0.05 }]), TLS13, PATIENT, HEALTHY),
    play("healthy-jitter", Path { jitter: ms(30), overtaking: true, ..PLAIN }, TLS13, PATIENT, HEALTHY),
    play("healthy-5-ms", PLAIN, TLS13, PATIENT, HEALTHY),
    play("healthy-duplicates", faulty(&[Fault::Duplicates { of: BOTH, share: 0.1 }]), TLS13, PATIENT, HEALTHY),
    play("healthy-mtu-told", faulty(&[Fault::Mtu { of: BOTH, from: From::Start, bytes: 1400, told: true }]), LARGE, PATIENT, HEALTHY),
    play("healthy-mss-clamped",
        faulty(&[Fault::Mss(1360), Fault::Mtu { of: BOTH, from: From::Start, bytes: 1400, told: false }]), LARGE, PATIENT, HEALTHY),
    play("healthy-pause", faulty(&[Fault::Vanish { of: BOTH, from: ACTIVE, lasts: Some(ms(1500)) }]), TLS13, PATIENT,
        HEALTHY),

    // What does not fit vanishes.
    play("mtu-certificate", faulty(&[Fault::Mtu { of: SERVER, from: From::Start, bytes: 1400, told: false }]), LARGE, WAITS,
        fails("PATH-PMTU", &[])),
    play("mtu-certificate-tls13", faulty(&[Fault::Mtu { of: SERVER, from: From::Start, bytes: 1400, told: false }]), LARGE13, WAITS,
        fails("PATH-PMTU", &[])),
    play("mtu-client-hello", faulty(&[Fault::Mtu { of: CLIENT, from: From::Start, bytes: 1400, told: false }]), TLS13,
        Client::LargeHello(1800), fails("PATH-PMTU", &[])),
    play("mtu-credssp", faulty(&[Fault::Mtu { of: CLIENT, from: From::Start, bytes: 576, told: false }]), NLA, WAITS_NLA,
        fails("PATH-PMTU", &[])),
    // The hole opens in the running session: nothing large arrives any more, and the picture stands still.
    play("mtu-active", faulty(&[Fault::Mtu { of: SERVER, from: ACTIVE, bytes: 1400, told: false }]), TLS13, WAITS,
        breaks("PATH-PMTU", &["PATH-DEAD"])),
    // Until nobody looks any more: beside the server, where it is seen to repeat. (Beside the client nothing comes any more.)
    front(until(ms(7000), play("mtu-active-open",
        faulty(&[Fault::Mtu { of: SERVER, from: ACTIVE, bytes: 1400, told: false }]), TLS13, PATIENT,
        breaks("PATH-PMTU", &["PATH-DEAD"])))),
    // And one that is closed again before anybody leaves: it is a stall, and no failure.
    play("healthy-freeze", faulty(&[Fault::Vanish { of: BOTH, from: ACTIVE, lasts: Some(ms(4000)) }]), TLS13, PATIENT,
        HEALTHY),

    // A box sends RST.
    back(play("rst-request", faulty(&[reset(From::Request, CLIENT, BOX, Then::Killed)]), TLS13, WAITS,
        on_the_wire(AFTER_REQUEST, "PATH-RSTINJ", &[]))),
    back(play("rst-request-both", faulty(&[reset(From::Request, BOTH, BOX, Then::Killed)]), TLS13, WAITS,
        on_the_wire(AFTER_REQUEST, "PATH-RSTINJ", &[]))),
    back(play("rst-request-talk-on", faulty(&[reset(From::Request, CLIENT, PEERS, Then::PeersTalkOn)]), TLS13, WAITS,
        on_the_wire(AFTER_REQUEST, "PATH-RSTINJ", &[]))),
    back(play("rst-hello", faulty(&[reset(From::ClientHello, BOTH, BOX, Then::Killed)]), TLS13, WAITS,
        on_the_wire(AFTER_HELLO, "PATH-RSTINJ", &[]))),
    back(play("rst-hello-same-ttl", faulty(&[reset(From::ClientHello, BOTH, PEERS, Then::Killed)]), TLS13, WAITS,
        on_the_wire(AFTER_HELLO, "PATH-RSTINJ", &["TLS-NOKEY"]))),
    back(play("rst-hello-talk-on", faulty(&[reset(From::ClientHello, CLIENT, PEERS, Then::PeersTalkOn)]), TLS13, WAITS,
        on_the_wire(AFTER_HELLO, "PATH-RSTINJ", &[]))),
    back(play("rst-active", faulty(&[reset(ACTIVE, BOTH, BOX, Then::Killed)]), TLS13, PATIENT,
        on_the_wire(IN_ACTIVE, "PATH-RSTINJ", &[]))),
    // To a server, the client has connected, heard which protocol it is to be, and gone.
    front(play("rst-hello-at-server", faulty(&[reset(From::ClientHello, BOTH, BOX, Then::Killed)]), TLS13, WAITS,
        looks_here(fails("PATH-RSTINJ", &[])))),

    // The way is dead from some point on.
    back(play("stall-request", faulty(&[stall(From::Request)]), TLS13, WAITS, fails("PATH-DEAD", &[]))),
    back(play("stall-hello", faulty(&[stall(From::ClientHello)]), TLS13, WAITS, fails("PATH-DEAD", &[]))),
    back(play("stall-certificate", faulty(&[stall(From::Bytes(3000))]), LARGE, WAITS, fails("PATH-DEAD", &[]))),
    play("stall-credssp", faulty(&[stall(From::Bytes(2400))]), NLA, WAITS_NLA, fails("PATH-DEAD", &[])),
    play("stall-active", faulty(&[stall(INPUT)]), TLS13, WAITS, breaks("PATH-DEAD", &[])),

    // The same, seen until somebody stops looking: the picture still stands, and its data are sent again and again.
    back(until(ms(7000), play("stall-active-open", faulty(&[stall(INPUT)]), TLS13, PATIENT,
        breaks("PATH-DEAD", &["PATH-ASYM"])))),

    // One way only.
    back(play("one-way-third-ack", faulty(&[Fault::Vanish { of: CLIENT, from: From::SynAck, lasts: None }]), TLS13,
        WAITS, fails("PATH-ASYM", &[]))),
    back(play("one-way-answer", faulty(&[Fault::Vanish { of: SERVER, from: From::Request, lasts: None }]), TLS13, WAITS,
        fails("PATH-DEAD", &["PATH-ASYM"]))),
    back(play("one-way-active", faulty(&[Fault::Vanish { of: CLIENT, from: INPUT, lasts: None }]), TLS13, WATCHES,
        breaks("PATH-DEAD", &["PATH-ASYM"]))),

    // Idle for 2.5 s, for a box that forgets after 1.5 s: too short to be told from another death. Never PATH-IDLE.
    back(play("idle-dropped", faulty(&[Fault::Idle { after: ms(1500), then: End::Dropped }]), TLS13, HESITATES,
        fails("PATH-DEAD", &[]))),
    back(play("idle-reset", faulty(&[Fault::Idle { after: ms(1500), then: End::Reset }]),
        ServerScript { session: QUIET, ..TLS13 }, PATIENT, on_the_wire(IN_ACTIVE, "PATH-RSTINJ", &[]))),

    // No way to the server.
    back(play("syn-dropped", faulty(&[Fault::Vanish { of: CLIENT, from: From::Start, lasts: None }]), TLS13, WAITS,
        fails("TCP-DROP", &[]))),
    back(play("icmp-host", faulty(&[Fault::Unreachable { code: 1 }]), TLS13, WAITS,
        says_the_router(fails("TCP-ICMP", &[])))),
    back(play("icmp-prohibited", faulty(&[Fault::Unreachable { code: 13 }]), TLS13, WAITS,
        says_the_router(fails("TCP-ICMP", &[])))),
    back(play("refused", PLAIN, ServerScript { listens: false, ..TLS13 }, WAITS, fails("TCP-REFUSED", &[]))),
    back(play("syn-proxy", faulty(&[Fault::SynProxy]), TLS13, WAITS, fails("X224-NOCC", &[]))),

    // A client's timer fires before a bad way is through.
    play("latency", far(PLAIN, 300), TLS13, waits(2000), fails("PATH-LAT", &[])),
    // The same segments are lost each time. Every message comes through at last, but one of the server's, for which nobody
    // waits so long. (Where chance decides, one session in four gets through, or ends where nothing was mended yet.)
    back(play("loss-of-first-tries", faulty(&[
        Fault::Tries { of: BOTH, from: From::SynAck, lost: 2 },
        Fault::Tries { of: CLIENT, from: From::Bytes(2400), lost: 4 },
        Fault::Tries { of: SERVER, from: From::Bytes(2400), lost: 9 },
    ]), TLS13, WAITS, fails("PATH-LOSS", &[]))),
    // Beside the server only what is sent to the client is seen to be lost: what the client loses is a slow client.
    // With most seeds sessions get through; with this one none of 20 does.
    front(play("loss-60-to-client",
        Path { seed: 2, ..faulty(&[Fault::Loss { of: SERVER, from: From::SynAck, share: 0.6 }]) }, TLS13, WAITS,
        fails("PATH-LOSS", &[]))),
];

/// Cases for real peers: xfreerdp, the program, and xrdp, or FreeRDP's shadow server where it is NLA. Only their networks
/// and labels count, and the protocol that the server selects.
#[rustfmt::skip]
pub const REAL: &[Case] = &[
    back(play("xrdp-300-ms", far(PLAIN, 150), TLS12, PATIENT, HEALTHY)),
    back(play("xrdp-loss-5", faulty(&[Fault::Loss { of: BOTH, from: From::Start, share: 0.05 }]), TLS12, PATIENT,
        HEALTHY)),
    back(play("xrdp-mtu", faulty(&[Fault::Mtu { of: SERVER, from: From::Start, bytes: 900, told: false }]), TLS12, PATIENT,
        fails("PATH-PMTU", &[]))),
    back(play("xrdp-rst-hello", faulty(&[reset(From::ClientHello, BOTH, BOX, Then::Killed)]), TLS12, PATIENT,
        on_the_wire(AFTER_HELLO, "PATH-RSTINJ", &[]))),
    back(play("xrdp-stall-request", faulty(&[stall(From::Request)]), TLS12, PATIENT, fails("PATH-DEAD", &[]))),
    back(play("shadow-300-ms", far(PLAIN, 150), NLA, PATIENT, HEALTHY)),
    back(play("shadow-mtu-credssp", faulty(&[Fault::Mtu { of: CLIENT, from: From::Start, bytes: 576, told: false }]), NLA, PATIENT,
        fails("PATH-PMTU", &[]))),
    back(play("shadow-rst-hello", faulty(&[reset(From::ClientHello, CLIENT, BOX, Then::PeersTalkOn)]), NLA, PATIENT,
        on_the_wire(AFTER_HELLO, "PATH-RSTINJ", &[]))),
];
