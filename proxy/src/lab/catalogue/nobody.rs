//! Nobody there, or somebody else.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    play("refused", "nothing listens on the port",
        ServerScript { listens: false, ..SERVER }, CLIENT, server(Ending::Refused, &["tcp"], "TCP-REFUSED")),
    play("http", "a web server has the port",
        fault(Point::Request, Act::Answer(HTTP)), CLIENT, server(Ending::Fin, NEGOTIATION, "TCP-NOTRDP")),
    play("ssh", "an SSH server has the port, and says so behind the request",
        ServerScript { dawdles_ms: 100, ..fault(Point::Accept, Act::AnswerAndWait(SSH)) }, IMPATIENT,
        told(NEGOTIATION, "TCP-NOTRDP")),
    play("ssh-first", "the same, and it says so before the request",
        fault(Point::Accept, Act::AnswerAndWait(SSH)), ClientScript { dawdles_ms: 100, ..IMPATIENT },
        told(NEGOTIATION, "TCP-NOTRDP")),
    play("tls-first", "a TLS server has the port, and answers the request with an alert",
        fault(Point::Request, Act::Answer(TLS_ALERT)), CLIENT, server(Ending::Fin, NEGOTIATION, "TCP-NOTRDP")),
    play("data-before-confirm", "the server answers the request with MCS, in the wrong order, and the client leaves",
        fault(Point::Request, Act::AnswerAndWait(DATA)), IMPATIENT,
        or(told(NEGOTIATION, "TCP-NOTRDP"), &["X224-DOWNGR"])),
    play("hello-before-request", "the client speaks TLS at once, in the wrong order, and the server closes",
        SERVER, ClientScript { begins: Begins::WithTls, ..CLIENT },
        Expect { outcome: Outcome::Unfinished, blames: Some(Side::Client), ..server(Ending::Fin, TCP, "PRX-PROBE") }),
];
