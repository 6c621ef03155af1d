//! Healthy sessions: no rule may fire.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
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
];
