//! Windows events that say what the wire cannot.

use super::{Code, Notation, Table, code};

/// Windows event.
pub static EVENTS: Table = Table {
    key: "event",
    title: "Windows event",
    words: &["event", "events"],
    notation: Notation::Decimal,
    note: "the name is the event's source",
    codes: EVENTS_CODES,
};

#[rustfmt::skip]
const EVENTS_CODES: &[Code] = &[
    code(50, "TermDD", "X.224 component detected an error", &["CAP-BAD", "MCS-REJECT"]),
    code(56, "TermDD", "security layer error in protocol stream, carries SSPI code", &["NLA-CRED", "NLA-ORACLE", "TLS-INSPECT"]),
    code(261, "TerminalServices-RemoteConnectionManager", "listener received a connection", &[]),
    code(1026, "TerminalServices-RDPClient", "client disconnected, reason in decimal", &[]),
    code(1057, "TerminalServices-RemoteConnectionManager", "cannot create self-signed cert", &["TLS-NOKEY", "X224-NOCERT"]),
    code(1058, "TerminalServices-RemoteConnectionManager", "cannot replace expired self-signed cert (access denied / object already exists)", &["TLS-EXPIRED", "TLS-NOKEY"]),
    code(1149, "TerminalServices-RemoteConnectionManager", "network-level user authentication succeeded", &[]),
    code(1296, "SessionBroker-Client", "broker not ready", &["BRK-CODES"]),
    code(2056, "SessionBroker", "broker database logon failed", &["BRK-CODES"]),
    code(4227, "Tcpip", "port exhaustion", &["TCP-PORTEXH"]),
    code(4231, "Tcpip", "port exhaustion", &["TCP-PORTEXH"]),
    code(4625, "Security", "failed logon with Status/SubStatus", &["NLA-CRED", "NLA-ACCT", "NLA-RIGHT"]),
    code(36870, "Schannel", "private key of server credential cannot be accessed (0x8009030D)", &["TLS-NOKEY"]),
    code(36871, "Schannel", "cannot create TLS server credential (10013: protocols disabled)", &["TLS-VER", "TLS-NOKEY"]),
    code(36872, "Schannel", "no suitable default credential", &["X224-NOCERT", "TLS-NOKEY"]),
    code(36874, "Schannel", "no common cipher suite", &["TLS-CIPHER", "TLS-VER"]),
];
