//! Beyond TLS: a server that ends what has begun well.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    play("fin-after-connect-initial", "the server closes when it has the MCS Connect Initial",
        fault(Point::ConnectInitial, Act::Fin), CLIENT, server(Ending::Fin, &["basic-settings"], "MCS-REJECT")),
    play("goodbye-after-client-info", "the server takes its leave when it has the Client Info, without NLA",
        fault(Point::ClientInfo, Act::Goodbye), CLIENT,
        or(server(Ending::Fin, &["secure-settings"], "INFO-CRED"), &["MCS-INFO", "LIC-NOSRV"])),
    play("reset-after-confirm-active", "the server resets when it has the Confirm Active",
        fault(Point::ConfirmActive, Act::Reset), CLIENT,
        or(server(Ending::Reset, &["finalization"], "CAP-BAD"), &["SES-DRV", "SES-KILLED"])),
    play("reset-in-active", "the server resets a session that runs",
        fault(Point::Active, Act::Reset), STAYS,
        Expect { outcome: Outcome::Broken, ..or(server(Ending::Reset, &["active"], "SES-KILLED"), &["SES-SHUTDOWN", "PATH-RSTINJ"]) }),
    play("idle-fin", "the server ends a session that has been quiet for its idle limit, with FIN",
        cut_when_quiet(Act::Fin), STAYS, broken(Ending::Fin, "SES-IDLE", &["PATH-PROXYIDLE", "PATH-IDLE"])),
    play("idle-reset", "the server ends a session that has been quiet for its idle limit, with RST",
        cut_when_quiet(Act::Reset), STAYS, broken(Ending::Reset, "SES-IDLE", &["PATH-PROXYIDLE", "PATH-IDLE"])),
    play("relay-idle-fin", "a relay in front of the server closes a session that is quiet",
        behind_relay(Cut::Fin), STAYS, broken(Ending::Fin, "PATH-PROXYIDLE", &["SES-IDLE", "PATH-IDLE"])),
    play("relay-idle-reset", "a relay in front of the server resets a session that is quiet",
        behind_relay(Cut::Reset), STAYS, broken(Ending::Reset, "PATH-PROXYIDLE", &["SES-IDLE", "PATH-IDLE"])),
];
