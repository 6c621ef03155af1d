//! What scenarios are put together from: servers, clients, and what is to be said of them.
//!
//! The causes are those of the catalogue of causes. They are labelled from what the peers do. A server that is silent
//! ends nothing: it is the client that gives up and sends the first FIN, and the server that is to blame.

pub(super) use analyzer::observation::{Ending, Leg, Side};

pub(super) use crate::lab::certificate::Certificate;
pub(super) use crate::lab::wire::protocol::{HYBRID, HYBRID_EX, SSL};
pub(super) use crate::lab::{
    Act, Begins, ClientScript, Cut, End, Expect, Leave, Outcome, Point, Policy, Relay, Scenario, ServerScript, Session,
    Stays, Word,
};
pub(super) use crate::tls::{Ciphers, Refusal, Trust, Versions};

/// About half a megabyte in eight bursts.
pub(in crate::lab) const SESSION: Session = Session { bursts: 8, updates: 16, update_len: 4000, pause_ms: 5 };

/// A server with TLS, without a fault.
pub const SERVER: ServerScript = ServerScript {
    listens: true,
    selects: Some(SSL),
    certificate: Certificate::Valid,
    versions: Versions::Both,
    ciphers: Ciphers::All,
    record: None,
    policy: Policy::Everybody,
    credssp: 6,
    dawdles_ms: 0,
    thinks_ms: 0,
    session: SESSION,
    quiet_ms: 0,
    fault: None,
    relay: None,
};

/// The same with TLS 1.2 alone, where the certificate is in clear.
pub(super) const SERVER_12: ServerScript = ServerScript { versions: Versions::Only12, ..SERVER };

/// The same with a certificate that fills many packets.
pub(super) const LARGE_12: ServerScript = ServerScript { certificate: Certificate::Large, ..SERVER_12 };

/// A client that asks for TLS, takes any certificate and leaves in order.
pub const CLIENT: ClientScript = ClientScript {
    user: "lab",
    asks: Some(SSL),
    insists: None,
    begins: Begins::InOrder,
    dawdles_ms: 0,
    versions: Versions::Both,
    ciphers: Ciphers::All,
    trust: Trust::Anything,
    stays: Stays::UntilActive,
    lingers_ms: 0,
    leaves: Leave::InOrder,
    hesitates_ms: 0,
    patience_ms: 10_000,
};

/// One that gives up soon, for silent servers. Long enough for a busy machine to come as far as the silence.
pub(in crate::lab) const IMPATIENT: ClientScript = ClientScript { patience_ms: 600, ..CLIENT };

/// One whose user looks at the certificate for a moment and denies it.
pub(super) const DENIES: ClientScript =
    ClientScript { stays: Stays::UntilEstablished, leaves: Leave::Notify, hesitates_ms: 300, ..CLIENT };

/// One that stays until the server ends it, for servers that act late.
pub(in crate::lab) const STAYS: ClientScript = ClientScript { stays: Stays::UntilEnded, ..CLIENT };

/// A legacy client: no RDP_NEG_REQ.
pub(super) const LEGACY: ClientScript = ClientScript { asks: None, ..CLIENT };

/// One that wants NLA, and can do with TLS.
pub(super) const NLA: ClientScript = ClientScript { asks: Some(SSL | HYBRID), ..CLIENT };

/// The end of a healthy session.
pub(in crate::lab) const CONNECTED: Expect = Expect {
    outcome: Outcome::Connected,
    phases: &["active"],
    leg: Leg::Back,
    by: Side::Client,
    how: Ending::Fin,
    cause: None,
    or: &[],
    blames: None,
    end: End::Clean,
};

pub(super) const TCP: &[&str] = &["tcp", "negotiation"];
pub(super) const NEGOTIATION: &[&str] = &["negotiation"];
pub(super) const CONFIRMED: &[&str] = &["negotiation", "tls"];
pub(super) const TLS: &[&str] = &["tls"];

/// The server ends it.
pub(in crate::lab) const fn server(how: Ending, phases: &'static [&'static str], cause: &'static str) -> Expect {
    let end = match how {
        Ending::Reset => End::Reset,
        Ending::Refused => End::Refused,
        _ => End::Eof,
    };
    Expect {
        outcome: Outcome::Failed,
        phases,
        by: Side::Server,
        how,
        cause: Some(cause),
        blames: Some(Side::Server),
        end,
        ..CONNECTED
    }
}

/// The client gives up on a silent server.
pub(in crate::lab) const fn silent(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { by: Side::Client, how: Ending::Fin, end: End::Timeout, ..server(Ending::Fin, phases, cause) }
}

/// The client leaves, because of what the server is or says.
pub(in crate::lab) const fn leaves(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { end: End::Clean, blames: Some(Side::Client), ..silent(phases, cause) }
}

/// The client leaves, because the server told it so.
pub(in crate::lab) const fn told(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { blames: Some(Side::Server), ..leaves(phases, cause) }
}

pub(in crate::lab) const fn or(expect: Expect, or: &'static [&'static str]) -> Expect {
    Expect { or, ..expect }
}

pub(super) const fn fault(at: Point, act: Act) -> ServerScript {
    ServerScript { fault: Some((at, act)), ..SERVER }
}

pub(super) const fn cut(bytes: usize, act: Act) -> ServerScript {
    ServerScript { fault: Some((Point::MidFlight(bytes), act)), ..LARGE_12 }
}

pub(super) const fn with(certificate: Certificate) -> ServerScript {
    ServerScript { certificate, ..SERVER_12 }
}

pub(in crate::lab) const fn refuses(refusal: Refusal) -> ClientScript {
    ClientScript { trust: Trust::Refuses(refusal), ..CLIENT }
}

pub(super) const fn play(
    name: &'static str,
    says: &'static str,
    server: ServerScript,
    client: ClientScript,
    expect: Expect,
) -> Scenario {
    Scenario { name, says, server, client, again: None, expect, inside: false }
}

/// What is to be said of it stands inside of TLS.
pub(super) const fn inside(scenario: Scenario) -> Scenario {
    Scenario { inside: true, ..scenario }
}

/// One that takes five seconds of silence for what it is: less is no silence behind a client that waits.
pub(super) const PATIENT: ClientScript = ClientScript { patience_ms: 6_600, ..CLIENT };

/// The client comes a second time.
pub(super) const fn again(scenario: Scenario, client: ClientScript) -> Scenario {
    Scenario { again: Some(client), ..scenario }
}

pub(super) const HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nServer: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
pub(super) const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
/// How a TLS server answers what is no ClientHello: protocol_version.
pub(super) const TLS_ALERT: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// Where the flight is cut: ServerHello and the beginning of the certificate are out.
pub(super) const PART: usize = 3000;

/// For how long a session is quiet before it is cut off. In reality it is minutes; the smallest that a cut cannot be
/// mistaken for an answer to what was said before.
pub(in crate::lab) const QUIET_MS: u64 = 3000;

/// A server that acts when the session has been quiet.
pub(super) const fn cut_when_quiet(act: Act) -> ServerScript {
    ServerScript { quiet_ms: QUIET_MS, ..fault(Point::Quiet, act) }
}

/// A server behind a relay that cuts what is quiet.
pub(super) const fn behind_relay(cuts: Cut) -> ServerScript {
    ServerScript { relay: Some(Relay { quiet_ms: QUIET_MS, cuts }), ..SERVER }
}

/// A session that is ended while it runs.
pub(in crate::lab) const fn broken(how: Ending, cause: &'static str, or: &'static [&'static str]) -> Expect {
    Expect { outcome: Outcome::Broken, or, ..server(how, &["active"], cause) }
}

/// How a server answers the ClientHello that has TLS 1.0 alone: ServerHello, TLS_RSA_WITH_AES_128_CBC_SHA.
pub(super) const SERVER_HELLO_10: &[u8] = &[
    0x16, 0x03, 0x01, 0x00, 0x2a, // handshake, TLS 1.0
    0x02, 0x00, 0x00, 0x26, 0x03, 0x01, // ServerHello, TLS 1.0
    0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, // random
    0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, //
    0x00, 0x00, 0x2f, 0x00, // no session id, cipher suite, no compression
];

/// A client with TLS 1.2 alone that gives up soon.
pub(super) const IMPATIENT_12: ClientScript = ClientScript { versions: Versions::Only12, ..IMPATIENT };

/// ServerHello of TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and what follows it in the same record.
macro_rules! flight {
    ($len:literal, $($rest:literal),*) => {
        &[
            0x16, 0x03, 0x03, 0x00, 0x2a + $len, // handshake, TLS 1.2
            0x02, 0x00, 0x00, 0x26, 0x03, 0x03, // ServerHello, TLS 1.2
            0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, // random
            0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, //
            0x00, 0xc0, 0x2f, 0x00, // no session id, cipher suite, no compression
            $($rest),*
        ]
    };
}

/// A Certificate of one, which is a SEQUENCE of a SEQUENCE of NULL.
pub(super) const NO_CERTIFICATE: &[u8] =
    flight!(16, 0x0b, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x09, 0x00, 0x00, 0x06, 0x30, 0x04, 0x30, 0x02, 0x05, 0x00);

/// The same, where the certificate is said to be longer than the list.
pub(super) const BAD_LENGTHS: &[u8] =
    flight!(16, 0x0b, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x09, 0x00, 0x00, 0x60, 0x30, 0x04, 0x30, 0x02, 0x05, 0x00);

/// A Certificate that is said to have 2 MiB.
pub(super) const TOO_LONG: &[u8] = flight!(4, 0x0b, 0x20, 0x00, 0x00);

/// MCS Attach User Confirm: right in itself, and wrong where a Connection Confirm belongs.
pub(super) const DATA: &[u8] = &[0x03, 0x00, 0x00, 0x0b, 0x02, 0xf0, 0x80, 0x2e, 0x00, 0x00, 0x06];
