//! Alerts of the server, and what a client does with the certificate.

use super::parts::*;

/// What the server says.
#[rustfmt::skip]
pub const ALERTS: &[Scenario] = &[
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
];

/// What the client does.
#[rustfmt::skip]
pub const CERTIFICATES: &[Scenario] = &[
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
];
