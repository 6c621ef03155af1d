//! What the lab can play. One entry, one scenario.
//!
//! The causes are those of the catalogue of causes. They are labelled from what the peers do. A server that is silent
//! ends nothing: it is the client that gives up and sends the first FIN, and the server that is to blame.

use analyzer::observation::{Ending, Leg, Side};

use super::certificate::Certificate;
use super::wire::protocol::{HYBRID, SSL};
use super::{Act, ClientScript, End, Expect, Leave, Outcome, Point, Scenario, ServerScript, Session, Stays};
use crate::tls::{Ciphers, Refusal, Trust, Versions};

/// About half a megabyte in eight bursts.
const SESSION: Session = Session { bursts: 8, updates: 16, update_len: 4000, pause_ms: 5 };

/// A server with TLS, without a fault.
const SERVER: ServerScript = ServerScript {
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
const SERVER_12: ServerScript = ServerScript { versions: Versions::Only12, ..SERVER };

/// The same with a certificate that fills many packets.
const LARGE_12: ServerScript = ServerScript { certificate: Certificate::Large, ..SERVER_12 };

/// A client that asks for TLS, takes any certificate and leaves in order.
const CLIENT: ClientScript = ClientScript {
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
const IMPATIENT: ClientScript = ClientScript { patience_ms: 600, ..CLIENT };

/// One whose user looks at the certificate for a moment and denies it.
const DENIES: ClientScript =
    ClientScript { stays: Stays::UntilEstablished, leaves: Leave::Notify, hesitates_ms: 300, ..CLIENT };

/// A legacy client: no RDP_NEG_REQ.
const LEGACY: ClientScript = ClientScript { asks: None, ..CLIENT };

/// One that wants NLA, and can do with TLS.
const NLA: ClientScript = ClientScript { asks: Some(SSL | HYBRID), ..CLIENT };

/// The end of a healthy session.
const CONNECTED: Expect = Expect {
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

const TCP: &[&str] = &["tcp", "negotiation"];
const NEGOTIATION: &[&str] = &["negotiation"];
const CONFIRMED: &[&str] = &["negotiation", "tls"];
const TLS: &[&str] = &["tls"];
/// Behind TLS nobody without keys can tell the phases apart: the first of them stands for all.
const SEALED: &[&str] = &["basic-settings"];

/// The server ends it.
const fn server(how: Ending, phases: &'static [&'static str], cause: &'static str) -> Expect {
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
const fn silent(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { by: Side::Client, how: Ending::Fin, end: End::Timeout, ..server(Ending::Fin, phases, cause) }
}

/// The client leaves, because of what the server is or says.
const fn leaves(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { end: End::Clean, blames: Some(Side::Client), ..silent(phases, cause) }
}

/// The client leaves, because the server told it so.
const fn told(phases: &'static [&'static str], cause: &'static str) -> Expect {
    Expect { blames: Some(Side::Server), ..leaves(phases, cause) }
}

const fn or(expect: Expect, or: &'static [&'static str]) -> Expect {
    Expect { or, ..expect }
}

const fn fault(at: Point, act: Act) -> ServerScript {
    ServerScript { fault: Some((at, act)), ..SERVER }
}

const fn cut(bytes: usize, act: Act) -> ServerScript {
    ServerScript { fault: Some((Point::MidFlight(bytes), act)), ..LARGE_12 }
}

const fn with(certificate: Certificate) -> ServerScript {
    ServerScript { certificate, ..SERVER_12 }
}

const fn refuses(refusal: Refusal) -> ClientScript {
    ClientScript { trust: Trust::Refuses(refusal), ..CLIENT }
}

const fn play(
    name: &'static str,
    says: &'static str,
    server: ServerScript,
    client: ClientScript,
    expect: Expect,
) -> Scenario {
    Scenario { name, says, server, client, expect }
}

const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
/// How a TLS server answers what is no ClientHello: protocol_version.
const TLS_ALERT: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// Where the flight is cut: ServerHello and the beginning of the certificate are out.
const PART: usize = 3000;

/// Everything that the lab can play.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    // Healthy ones. None may fire a rule.
    play("healthy-tls12", "a session in TLS 1.2 whose client closes its window",
        SERVER_12, CLIENT, CONNECTED),
    play("healthy-tls13", "a session in TLS 1.3 whose client closes its window",
        SERVER, CLIENT, CONNECTED),
    play("healthy-nla", "a session with messages of the size of CredSSP's before it",
        ServerScript { selects: Some(HYBRID), ..SERVER }, NLA, CONNECTED),
    play("healthy-nla-tls12", "the same in TLS 1.2",
        ServerScript { selects: Some(HYBRID), ..SERVER_12 }, NLA, CONNECTED),
    play("healthy-legacy", "a session without TLS: standard RDP security, encryption level none",
        ServerScript { selects: None, ..SERVER }, LEGACY, CONNECTED),
    play("healthy-large-certificate", "a session whose server's certificate fills many packets",
        LARGE_12, CLIENT, CONNECTED),
    play("healthy-reset", "a session in TLS 1.3 that the client ends with a bare RST, as Windows clients do",
        SERVER, ClientScript { leaves: Leave::Reset, ..CLIENT }, Expect { how: Ending::Reset, ..CONNECTED }),
    play("healthy-reset-tls12", "the same in TLS 1.2",
        SERVER_12, ClientScript { leaves: Leave::Reset, ..CLIENT }, Expect { how: Ending::Reset, ..CONNECTED }),
    play("healthy-fin", "a session that the client ends with a FIN, without a word",
        SERVER, ClientScript { leaves: Leave::Fin, ..CLIENT }, CONNECTED),
    play("healthy-expired", "a session whose user takes the expired certificate",
        with(Certificate::Expired), CLIENT, CONNECTED),
    play("healthy-wrong-name", "a session whose user takes the certificate of another name",
        with(Certificate::WrongName), CLIENT, CONNECTED),
    play("healthy-slow-server", "a session whose server thinks half a second before each answer on the way to TLS",
        ServerScript { thinks_ms: 500, ..SERVER }, CLIENT, CONNECTED),
    play("healthy-slow-user", "a session whose user looks at the certificate for half a second and takes it",
        SERVER_12, ClientScript { hesitates_ms: 500, ..CLIENT }, CONNECTED),

    // Nobody there, or somebody else.
    play("refused", "nothing listens on the port",
        ServerScript { listens: false, ..SERVER }, CLIENT, server(Ending::Refused, &["tcp"], "TCP-REFUSED")),
    play("http", "a web server has the port",
        fault(Point::Request, Act::Answer(HTTP)), CLIENT, server(Ending::Fin, NEGOTIATION, "TCP-NOTRDP")),
    play("ssh", "an SSH server has the port",
        fault(Point::Accept, Act::AnswerAndWait(SSH)), IMPATIENT, told(NEGOTIATION, "TCP-NOTRDP")),
    play("tls-first", "a TLS server has the port, and answers the request with an alert",
        fault(Point::Request, Act::Answer(TLS_ALERT)), CLIENT, server(Ending::Fin, NEGOTIATION, "TCP-NOTRDP")),

    // FIN, RST and silence, message after message.
    play("fin-after-accept", "the server accepts and closes",
        fault(Point::Accept, Act::Fin), CLIENT, server(Ending::Fin, TCP, "TCP-RST-AFTER")),
    play("reset-after-accept", "the server accepts and resets",
        fault(Point::Accept, Act::Reset), CLIENT, server(Ending::Reset, TCP, "TCP-RST-AFTER")),
    play("silence-after-accept", "the server accepts and never says a word",
        fault(Point::Accept, Act::Silence), IMPATIENT, silent(NEGOTIATION, "X224-NOCC")),
    play("fin-after-request", "the server reads the connection request and closes",
        fault(Point::Request, Act::Fin), CLIENT,
        or(server(Ending::Fin, NEGOTIATION, "TCP-RST-AFTER"), &["X224-TOKEN"])),
    play("reset-after-request", "the server reads the connection request and resets",
        fault(Point::Request, Act::Reset), CLIENT,
        or(server(Ending::Reset, NEGOTIATION, "TCP-RST-AFTER"), &["X224-TOKEN", "PATH-RSTINJ"])),
    play("silence-after-request", "the server reads the connection request and never answers",
        fault(Point::Request, Act::Silence), IMPATIENT, silent(NEGOTIATION, "X224-NOCC")),
    play("fin-after-confirm", "the server agrees on TLS and closes at once",
        fault(Point::Confirm, Act::Fin), CLIENT, server(Ending::Fin, CONFIRMED, "TLS-NOKEY")),
    play("reset-after-confirm", "the server agrees on TLS and resets at once",
        fault(Point::Confirm, Act::Reset), CLIENT, server(Ending::Reset, CONFIRMED, "TLS-NOKEY")),
    play("silence-after-confirm", "the server agrees on TLS and never says more",
        fault(Point::Confirm, Act::Silence), IMPATIENT, or(silent(TLS, "TLS-NOKEY"), &["PATH-PMTU"])),
    play("fin-after-client-hello", "the server closes when it has the ClientHello",
        fault(Point::ClientHello, Act::Fin), CLIENT,
        or(server(Ending::Fin, TLS, "TLS-NOKEY"), &["TLS-VER", "TLS-CIPHER"])),
    play("reset-after-client-hello", "the server resets when it has the ClientHello",
        fault(Point::ClientHello, Act::Reset), CLIENT,
        or(server(Ending::Reset, TLS, "TLS-NOKEY"), &["TLS-VER", "TLS-CIPHER", "PATH-RSTINJ"])),
    play("silence-after-client-hello", "the server never answers the ClientHello",
        fault(Point::ClientHello, Act::Silence), IMPATIENT, or(silent(TLS, "TLS-NOKEY"), &["PATH-PMTU"])),
    play("fin-mid-certificate", "the server closes in the middle of its certificate",
        cut(PART, Act::Fin), CLIENT, server(Ending::Fin, TLS, "TLS-HALF")),
    play("reset-mid-certificate", "the server resets in the middle of its certificate",
        cut(PART, Act::Reset), CLIENT, server(Ending::Reset, TLS, "TLS-HALF")),
    play("silence-mid-certificate", "the server falls silent in the middle of its certificate",
        cut(PART, Act::Silence), IMPATIENT, or(silent(TLS, "TLS-HALF"), &["PATH-PMTU"])),
    play("reset-mid-certificate-records", "the same as reset-mid-certificate, with a flight in small TLS records",
        ServerScript { record: Some(1024), ..cut(PART, Act::Reset) }, CLIENT,
        server(Ending::Reset, TLS, "TLS-HALF")),
    play("reset-mid-flight-tls13", "the server resets in the middle of its sealed flight, in TLS 1.3",
        ServerScript { versions: Versions::Only13, ..cut(PART, Act::Reset) }, CLIENT,
        server(Ending::Reset, TLS, "TLS-HALF")),

    // What a server says in X.224.
    play("ssl-required", "RDP_NEG_FAILURE 1, SSL_REQUIRED_BY_SERVER, to a client that asks for NLA alone",
        fault(Point::Request, Act::NegotiationFailure(1)), ClientScript { asks: Some(HYBRID), ..CLIENT },
        told(NEGOTIATION, "X224-SSLREQ")),
    play("ssl-not-allowed", "RDP_NEG_FAILURE 2, SSL_NOT_ALLOWED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(2)), CLIENT, told(NEGOTIATION, "X224-SSLNO")),
    play("no-certificate", "RDP_NEG_FAILURE 3, SSL_CERT_NOT_ON_SERVER",
        fault(Point::Request, Act::NegotiationFailure(3)), CLIENT, told(NEGOTIATION, "X224-NOCERT")),
    play("inconsistent-flags", "RDP_NEG_FAILURE 4, INCONSISTENT_FLAGS",
        fault(Point::Request, Act::NegotiationFailure(4)), CLIENT, told(NEGOTIATION, "X224-INCONS")),
    play("hybrid-required", "RDP_NEG_FAILURE 5, HYBRID_REQUIRED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(5)), CLIENT, told(NEGOTIATION, "X224-HYBRID")),
    play("user-auth-required", "RDP_NEG_FAILURE 6, SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(6)), CLIENT, told(NEGOTIATION, "X224-INCONS")),
    play("confirm-without-response", "the server confirms without RDP_NEG_RSP, the client wants TLS and leaves",
        ServerScript { selects: None, ..SERVER }, CLIENT, leaves(NEGOTIATION, "X224-SSLNO")),
    play("selects-not-asked", "the server selects NLA, for which nobody asked, and the client leaves",
        ServerScript { selects: Some(HYBRID), ..SERVER }, CLIENT,
        told(NEGOTIATION, "X224-DOWNGR")),
    play("client-insists-on-nla", "the server selects TLS, the client will have nothing but NLA and leaves",
        SERVER, ClientScript { insists: Some(HYBRID), ..NLA },
        leaves(NEGOTIATION, "X224-NLAONLY")),

    // Alerts of the server.
    play("alert-40", "the server answers the ClientHello with handshake_failure",
        fault(Point::ClientHello, Act::Alert(40)), CLIENT, server(Ending::Fin, TLS, "TLS-CIPHER")),
    play("alert-70", "the server answers the ClientHello with protocol_version",
        fault(Point::ClientHello, Act::Alert(70)), CLIENT, server(Ending::Fin, TLS, "TLS-VER")),
    play("alert-80", "the server answers the ClientHello with internal_error",
        fault(Point::ClientHello, Act::Alert(80)), CLIENT, server(Ending::Fin, TLS, "TLS-NOKEY")),
    play("no-common-version", "the client has TLS 1.2 alone, the server TLS 1.3 alone, and says so",
        ServerScript { versions: Versions::Only13, ..SERVER }, ClientScript { versions: Versions::Only12, ..CLIENT },
        server(Ending::Fin, TLS, "TLS-VER")),
    play("no-common-cipher", "client and server have no cipher suite in common, and the server says so",
        ServerScript { ciphers: Ciphers::ChaCha20, ..SERVER_12 }, ClientScript { ciphers: Ciphers::Aes, ..CLIENT },
        server(Ending::Fin, TLS, "TLS-CIPHER")),

    // What a client does with the certificate.
    play("client-alert-42", "the client refuses a certificate, in which nothing is wrong but its issuer: bad_certificate",
        SERVER_12, refuses(Refusal::BadCertificate), or(leaves(TLS, "TLS-UNTRUST"), &["TLS-WEAK"])),
    play("client-alert-45", "the client refuses an expired certificate: certificate_expired",
        with(Certificate::Expired), refuses(Refusal::CertificateExpired), leaves(TLS, "TLS-EXPIRED")),
    play("client-alert-48", "the client refuses a self-signed certificate: unknown_ca",
        SERVER_12, refuses(Refusal::UnknownCa), leaves(TLS, "TLS-UNTRUST")),
    play("client-alert-45-not-yet", "the client refuses a certificate of the future: certificate_expired",
        with(Certificate::NotYet), refuses(Refusal::CertificateExpired), leaves(TLS, "TLS-NOTYET")),
    play("client-alert-42-name", "the client refuses a certificate of another name: bad_certificate",
        with(Certificate::WrongName), refuses(Refusal::BadCertificate), leaves(TLS, "TLS-NAME")),
    play("client-alert-48-tls13", "the client refuses the certificate with a sealed alert, in TLS 1.3",
        SERVER, refuses(Refusal::UnknownCa),
        or(leaves(TLS, "TLS-UNTRUST"), &["TLS-EXPIRED", "TLS-NOTYET", "TLS-NAME", "TLS-WEAK"])),
    play("denied-self-signed", "the user denies a self-signed certificate",
        SERVER_12, DENIES, or(leaves(TLS, "TLS-UNTRUST"), &["PRX-PROBE"])),
    play("denied-expired", "the user denies an expired certificate",
        with(Certificate::Expired), DENIES, leaves(TLS, "TLS-EXPIRED")),
    play("denied-not-yet", "the user denies a certificate of the future",
        with(Certificate::NotYet), DENIES, leaves(TLS, "TLS-NOTYET")),
    play("denied-wrong-name", "the user denies a certificate of another name",
        with(Certificate::WrongName), DENIES, leaves(TLS, "TLS-NAME")),
    play("denied-tls13", "the user denies a certificate that only the client could see, in TLS 1.3",
        SERVER, DENIES,
        or(leaves(TLS, "TLS-UNTRUST"), &["TLS-EXPIRED", "TLS-NOTYET", "TLS-NAME", "PRX-PROBE"])),
    play("denied-fin", "the user denies a self-signed certificate, and the client sends nothing but a FIN",
        SERVER_12, ClientScript { leaves: Leave::Fin, ..DENIES }, or(leaves(TLS, "TLS-UNTRUST"), &["PRX-PROBE"])),

    // Beyond TLS: a server that ends what has begun well.
    play("fin-after-connect-initial", "the server closes when it has the MCS Connect Initial",
        fault(Point::ConnectInitial, Act::Fin), CLIENT, server(Ending::Fin, &["basic-settings"], "MCS-REJECT")),
    play("goodbye-after-client-info", "the server takes its leave when it has the Client Info, without NLA",
        fault(Point::ClientInfo, Act::Goodbye), CLIENT,
        or(server(Ending::Fin, SEALED, "INFO-CRED"), &["MCS-INFO", "LIC-NOSRV"])),
    play("reset-after-confirm-active", "the server resets when it has the Confirm Active",
        fault(Point::ConfirmActive, Act::Reset), CLIENT,
        or(server(Ending::Reset, SEALED, "CAP-BAD"), &["SES-DRV", "SES-KILLED"])),
    play("reset-in-active", "the server resets a session that runs",
        fault(Point::Active, Act::Reset), ClientScript { stays: Stays::UntilEnded, ..CLIENT },
        Expect { outcome: Outcome::Broken, ..or(server(Ending::Reset, &["active"], "SES-KILLED"), &["SES-SHUTDOWN", "PATH-RSTINJ"]) }),
];
