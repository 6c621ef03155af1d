//! Causes in licensing.

use super::Tool::{Events, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "LIC-NOSRV",
        layer: Layer::Licensing,
        name: "licensing ends the connection",
        visibility: Visibility::Rule,
        evidence: "records after Client Info, then the server's close; with standard RDP security the License Error \
                   message is in clear",
        sign: "mstsc /admin works: it needs no licence",
        looks_like: &["LIC-CLIENT", "INFO-CRED", "SES-DENIED"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: licensing diagnoser, TerminalServices-Licensing log; grace period",
        fix: "repair the licence server",
        cannot_tell: &["the licensing error, where it is encrypted"],
        spec: "[MS-RDPELE] 1.3; [MS-RDPBCGR] 2.2.1.12.1.3",
        mstsc: &["0x808"],
    },
    Cause {
        id: "LIC-CLIENT",
        layer: Layer::Licensing,
        name: "the client's stored licence is bad",
        visibility: Visibility::Plaintext {
            message: "License Error message (ERR_INVALID_CLIENT and others), Set Error Info PDU 0x103 to 0x109",
        },
        evidence: "as with a missing licence server: an end behind Client Info; other clients get in",
        sign: "one client fails, others work",
        looks_like: &["LIC-NOSRV", "SES-DENIED"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "does another client get in? on the server: TerminalServices-RemoteConnectionManager log, 1003 (which \
                client's licence is invalid); on the client: HKLM\\SOFTWARE\\Microsoft\\MSLicensing (may the user \
                write there?); FreeRDP: ~/.config/freerdp/licenses",
        fix: "export and delete HKLM\\SOFTWARE\\Microsoft\\MSLicensing\\Store, run mstsc once as administrator; \
              FreeRDP: delete its stored licence",
        cannot_tell: &["the licensing error, where it is encrypted"],
        spec: "[MS-RDPELE] 1.3; [MS-RDPBCGR] 2.2.1.12.1.3 (License Error)",
        mstsc: &["0x808"],
    },
    Cause {
        id: "LIC-TIMEOUT",
        layer: Layer::Licensing,
        name: "licensing takes too long",
        visibility: Visibility::Plaintext {
            message: "the licensing messages: a Server License Request, and what answers it seconds later, or never",
        },
        evidence: "the client's message behind Client Info is acknowledged, and the server is silent for seconds",
        sign: "server acknowledges and is silent: it waits for its licence server",
        looks_like: &["PATH-WINZERO", "SES-BUSY", "LIC-NOSRV"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: Test-NetConnection LICENCESERVER -Port 135; lsdiag.msc (RD Licensing Diagnoser); \
                TerminalServices-RemoteConnectionManager log, 1028 (a licence could not be renewed), 1069 (grace \
                period over)",
        fix: "repair the way from the session host to the licence server: port 135 and the dynamic ports of RPC",
        cannot_tell: &["what the server waits for"],
        spec: "[MS-RDPELE] 1.3; [MS-RDPBCGR] 2.2.1.12",
        mstsc: &["0x908"],
    },
];
