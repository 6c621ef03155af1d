//! Answers that are none, leaves where nobody expects them, and clients that came for something else.

use super::parts::*;

/// MCS Disconnect Provider Ultimatum, rn-user-requested, in clear: how xrdp takes its leave wherever it is.
const ULTIMATUM: &[u8] = &[0x03, 0x00, 0x00, 0x09, 0x02, 0xf0, 0x80, 0x21, 0x80];
/// The same behind a TLS alert of the server: protocol_version, handshake_failure.
const ALERT_70: &[u8] =
    &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46, 0x03, 0x00, 0x00, 0x09, 0x02, 0xf0, 0x80, 0x21, 0x80];
const ALERT_40: &[u8] =
    &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28, 0x03, 0x00, 0x00, 0x09, 0x02, 0xf0, 0x80, 0x21, 0x80];
/// Nine of the nineteen bytes of a Connection Confirm.
const HALF: &[u8] = &[0x03, 0x00, 0x00, 0x13, 0x0e, 0xd0, 0x00, 0x00, 0x12];
/// A TPKT header of 43 bytes with five behind it that are no X.224.
const NO_CONFIRM: &[u8] = &[0x03, 0x00, 0x00, 0x2b, 0x00, 0x03, 0x00, 0x80, 0x01];

const TLS10: ClientScript = ClientScript { begins: Begins::WithTls10, ..CLIENT };
const BEHIND_PROXY: ClientScript = ClientScript { begins: Begins::WithProxyHeader, ..CLIENT };
const MALFORMED: ClientScript = ClientScript { begins: Begins::WithBadRequest, ..CLIENT };
/// One that looks whether the server answers.
const CHECK: ClientScript = ClientScript { stays: Stays::UntilConfirmed, leaves: Leave::Reset, ..CLIENT };

/// Somebody who did not come to work: nothing failed.
const LOOKS: Expect = Expect { outcome: Outcome::Unfinished, how: Ending::Reset, ..leaves(CONFIRMED, "PRX-PROBE") };

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    play("goodbye-to-request", "an RDP server answers the connection request with its goodbye",
        fault(Point::Request, Act::Answer(ULTIMATUM)), CLIENT, server(Ending::Fin, NEGOTIATION, "X224-REFUSED")),
    play("goodbye-to-proxy-header", "the same, to a client whose relay puts a PROXY header before the request",
        ServerScript { dawdles_ms: 100, ..fault(Point::Accept, Act::Answer(ULTIMATUM)) }, BEHIND_PROXY,
        or(server(Ending::Fin, NEGOTIATION, "PRX-HEADER"), &["TCP-NOTRDP"])),
    play("half-confirm", "the server closes in the middle of its confirm",
        fault(Point::Request, Act::Answer(HALF)), CLIENT,
        or(server(Ending::Fin, NEGOTIATION, "X224-HALF"), &["TCP-NOTRDP"])),
    play("half-confirm-silence", "the server falls silent in the middle of its confirm",
        fault(Point::Request, Act::AnswerAndWait(HALF)), IMPATIENT,
        or(silent(NEGOTIATION, "X224-HALF"), &["TCP-NOTRDP"])),
    play("no-confirm", "the server answers the request with a TPKT header and no X.224 behind it",
        fault(Point::Request, Act::Answer(NO_CONFIRM)), CLIENT, server(Ending::Fin, NEGOTIATION, "TCP-NOTRDP")),
    play("malformed-request", "the client's request is shifted by four bytes, and the server resets",
        fault(Point::Request, Act::Reset), MALFORMED,
        Expect { blames: Some(Side::Client), ..server(Ending::Reset, NEGOTIATION, "X224-BADREQ") }),
    play("goodbye-after-client-hello", "the server gives TLS up with a goodbye in clear",
        fault(Point::ClientHello, Act::Answer(ULTIMATUM)), CLIENT,
        or(server(Ending::Fin, TLS, "TLS-NOKEY"), &["TLS-VER", "TLS-CIPHER"])),
    play("goodbye-to-tls10", "the same, to a client with TLS 1.0 alone",
        fault(Point::ClientHello, Act::Answer(ULTIMATUM)), TLS10, server(Ending::Fin, TLS, "TLS-VER")),
    play("goodbye-behind-alert-70", "the same, behind an alert protocol_version",
        fault(Point::ClientHello, Act::Answer(ALERT_70)), CLIENT, server(Ending::Fin, TLS, "TLS-VER")),
    play("goodbye-behind-alert-40", "the same, behind an alert handshake_failure",
        fault(Point::ClientHello, Act::Answer(ALERT_40)), CLIENT, server(Ending::Fin, TLS, "TLS-CIPHER")),
    play("http-behind-confirm", "behind a good confirm a web server answers the ClientHello",
        fault(Point::ClientHello, Act::Answer(HTTP)), CLIENT, server(Ending::Fin, TLS, "TLS-NOTTLS")),
    play("tls10-silence", "a client with TLS 1.0 alone is not answered",
        fault(Point::ClientHello, Act::Silence), ClientScript { patience_ms: 600, ..TLS10 },
        silent(TLS, "TLS-VER")),
    play("tls10-reset", "a client with TLS 1.0 alone is reset",
        fault(Point::ClientHello, Act::Reset), TLS10, server(Ending::Reset, TLS, "TLS-VER")),
    play("fin-in-active", "the server's process dies in a session that runs: FIN, and no word",
        fault(Point::Active, Act::Fin), STAYS, broken(Ending::Fin, "SES-KILLED", &["SES-SHUTDOWN"])),
    play("health-check", "somebody looks whether the server answers, and resets",
        SERVER, CHECK, LOOKS),
];
