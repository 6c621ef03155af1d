//! What scenarios are put together from: servers, clients, and what is to be said of them.
//!
//! The causes are those of the catalogue of causes. They are labelled from what the peers do. A server that is silent
//! ends nothing: it is the client that gives up and sends the first FIN, and the server that is to blame.

pub(super) use analyzer::observation::{Ending, Leg, Side};

pub(super) use crate::lab::certificate::Certificate;
pub(super) use crate::lab::wire::protocol::{HYBRID, SSL};
pub(super) use crate::lab::{
    Act, ClientScript, End, Expect, Leave, Outcome, Point, Scenario, ServerScript, Session, Stays,
};
pub(super) use crate::tls::{Ciphers, Refusal, Trust, Versions};

/// About half a megabyte in eight bursts.
pub(super) const SESSION: Session = Session { bursts: 8, updates: 16, update_len: 4000, pause_ms: 5 };

/// A server with TLS, without a fault.
pub(super) const SERVER: ServerScript = ServerScript {
    listens: true,
    selects: Some(SSL),
    certificate: Certificate::Valid,
    versions: Versions::Both,
    ciphers: Ciphers::All,
    record: None,
    thinks_ms: 0,
    session: SESSION,
    fault: None,
};

/// The same with TLS 1.2 alone, where the certificate is in clear.
pub(super) const SERVER_12: ServerScript = ServerScript { versions: Versions::Only12, ..SERVER };

/// The same with a certificate that fills many packets.
pub(super) const LARGE_12: ServerScript = ServerScript { certificate: Certificate::Large, ..SERVER_12 };

/// A client that asks for TLS, takes any certificate and leaves in order.
pub(super) const CLIENT: ClientScript = ClientScript {
    user: "lab",
    asks: Some(SSL),
    insists: None,
    versions: Versions::Both,
    ciphers: Ciphers::All,
    trust: Trust::Anything,
    stays: Stays::UntilActive,
    leaves: Leave::InOrder,
    hesitates_ms: 0,
    patience_ms: 10_000,
};

/// One that gives up soon, for silent servers. Long enough for a busy machine to come as far as the silence.
pub(super) const IMPATIENT: ClientScript = ClientScript { patience_ms: 600, ..CLIENT };

/// One whose user looks at the certificate for a moment and denies it.
pub(super) const DENIES: ClientScript =
    ClientScript { stays: Stays::UntilEstablished, leaves: Leave::Notify, hesitates_ms: 300, ..CLIENT };

/// A legacy client: no RDP_NEG_REQ.
pub(super) const LEGACY: ClientScript = ClientScript { asks: None, ..CLIENT };

/// One that wants NLA, and can do with TLS.
pub(super) const NLA: ClientScript = ClientScript { asks: Some(SSL | HYBRID), ..CLIENT };

/// The end of a healthy session.
pub(super) const CONNECTED: Expect = Expect {
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
/// Behind TLS nobody without keys can tell the phases apart: the first of them stands for all.
pub(super) const SEALED: &[&str] = &["basic-settings"];

/// The server ends it.
pub(super) const fn server(how: Ending, phases: &'static [&'static str], cause: &'static str) -> Expect {
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
pub(super) const fn silent(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { by: Side::Client, how: Ending::Fin, end: End::Timeout, ..server(Ending::Fin, phases, cause) }
}

/// The client leaves, because of what the server is or says.
pub(super) const fn leaves(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { end: End::Clean, blames: Some(Side::Client), ..silent(phases, cause) }
}

/// The client leaves, because the server told it so.
pub(super) const fn told(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { blames: Some(Side::Server), ..leaves(phases, cause) }
}

pub(super) const fn or(expect: Expect, or: &'static [&'static str]) -> Expect {
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

pub(super) const fn refuses(refusal: Refusal) -> ClientScript {
    ClientScript { trust: Trust::Refuses(refusal), ..CLIENT }
}

pub(super) const fn play(
    name: &'static str,
    says: &'static str,
    server: ServerScript,
    client: ClientScript,
    expect: Expect,
) -> Scenario {
    Scenario { name, says, server, client, expect }
}

pub(super) const HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nServer: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
pub(super) const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
/// How a TLS server answers what is no ClientHello: protocol_version.
pub(super) const TLS_ALERT: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// Where the flight is cut: ServerHello and the beginning of the certificate are out.
pub(super) const PART: usize = 3000;
