//! Beyond TLS: a server that ends what has begun well.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
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
