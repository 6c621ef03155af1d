//! Causes in the exchange of settings (MCS, GCC) and in Client Info.

use super::Tool::{Events, Packets, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "MCS-REJECT",
        layer: Layer::Settings,
        name: "the server refuses the session's settings",
        visibility: Visibility::Rule,
        evidence: "one record of the client of 400 to 1500 bytes (Connect Initial) behind TLS or NLA, then the \
                   server closes; with standard RDP security the PDUs are in clear",
        sign: "one client record of 400 to 1500 B after TLS or NLA, then close",
        looks_like: &["MCS-GFX", "NLA-CRED", "INFO-CRED"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: TerminalServices-RemoteConnectionManager and -LocalSessionManager logs at this time",
        fix: "reduce what the client asks for (channels, colour depth, RemoteApp)",
        cannot_tell: &["the reason: it is sealed in TLS, or was never sent"],
        spec: "[MS-RDPBCGR] 2.2.1.3, 2.2.1.4",
        mstsc: &["0x904"],
    },
    Cause {
        id: "MCS-BADMSG",
        layer: Layer::Settings,
        name: "a message of the connection sequence (MCS, GCC and what it carries) cannot be read",
        visibility: Visibility::Rule,
        evidence: "an MCS or GCC PDU, or one that it carries, whose lengths or types do not fit, in clear with standard RDP \
                   security or opened with secrets; then the other side closes",
        sign: "the last PDU before the close has lengths that do not fit",
        looks_like: &["MCS-REJECT", "CAP-BAD", "SES-CRYPT"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "which program and version is the side that is named? does another client, or another server, get further? \
                capture at both: are the bytes the same?",
        fix: "update that side, or take the box that changes bytes out of the way",
        cannot_tell: &["whether its sender, or a box on the way, made it"],
        spec: "[MS-RDPBCGR] 2.2.1.3 to 2.2.1.15; T.125 7; X.691",
        mstsc: &["0x904"],
    },
    Cause {
        id: "SEC-MAC",
        layer: Layer::Settings,
        name: "with standard RDP security the server cannot use what the client encrypts: its keys, or its MAC",
        visibility: Visibility::Rule,
        evidence: "behind the Security Exchange PDU the client sends its first encrypted message, Client Info, and the \
                   server closes at once, without licensing",
        sign: "close within ms of the first encrypted message; a wrong password alone gets a logon screen",
        looks_like: &["INFO-CRED"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "xrdp: /var/log/xrdp.log at this time (MAC, checksum, decryption); other servers: event log System, \
                TermDD 50 and 56; does the client get in with TLS or NLA?",
        fix: "use TLS or NLA instead of standard RDP security (xrdp: security_layer=tls; FreeRDP: /sec:tls); else one \
              encryption level that both sides know",
        cannot_tell: &["which of them made the mistake: what is encrypted is not read here"],
        spec: "[MS-RDPBCGR] 5.3.6, 2.2.8.1.1.2",
        mstsc: &["0x904", "0xB06"],
    },
    Cause {
        id: "MCS-JOIN",
        layer: Layer::Settings,
        name: "channel joins are slow or refused",
        visibility: Visibility::Plaintext {
            message: "the Channel Join Requests and Confirms: a result that is none, a request that is answered by an end, or how long they take",
        },
        evidence: "behind the settings many equal small pairs of records, one for each channel, each taking a round \
                   trip; or an end among them",
        sign: "many equal small pairs; count them times RTT",
        looks_like: &["PATH-LAT", "MCS-REJECT"],
        confidence: Confidence::Possible,
        tools: &[Proxy],
        check: "count the pairs: rdpscope analyze, phase channel-connection; which channels does the client ask for \
                (redirections in the .rdp file: drives, printers, audio)?",
        fix: "update both sides, so that joins are skipped; switch off redirections that nobody uses",
        cannot_tell: &["which channel was refused: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.1.8, 2.2.1.9; 2.2.1.3.2 (RNS_UD_CS_SUPPORT_SKIP_CHANNELJOIN)",
        mstsc: &[],
    },
    Cause {
        id: "MCS-GFX",
        layer: Layer::Settings,
        name: "the server needs what the client lacks (graphics pipeline, RemoteApp)",
        visibility: Visibility::Plaintext {
            message: "the Connect Response, a Set Error Info PDU (0x10F3: RemoteApp is not enabled) or the server's \
                      own log",
        },
        evidence: "the server closes right after the exchange of settings; other clients get in",
        sign: "close right after the settings exchange",
        looks_like: &["MCS-REJECT", "CAP-BAD"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "gnome-remote-desktop: journalctl --user -u gnome-remote-desktop (asks for the graphics pipeline?); \
                Windows: is the RemoteApp published? does FreeRDP with /gfx, or without /app, get in?",
        fix: "switch the graphics pipeline on at the client (/gfx), update it; publish the RemoteApp, or connect to \
              the desktop",
        cannot_tell: &["which capability the server missed"],
        spec: "[MS-RDPBCGR] 2.2.1.3.2 (earlyCapabilityFlags), 2.2.5.1.1; [MS-RDPEGFX] 1.3",
        mstsc: &["0x904", "0x204"],
    },
    Cause {
        id: "MCS-INFO",
        layer: Layer::Settings,
        name: "Client Info is rejected",
        visibility: Visibility::Hidden {
            among: &["INFO-CRED", "BRK-CODES"],
            settles: "xrdp: /var/log/xrdp.log, 'wrong flags'; Windows: does mstsc get in where this client does not?",
        },
        evidence: "the server closes right after Client Info of a client that is not Microsoft's",
        sign: "close after Client Info, with a third-party client",
        looks_like: &["INFO-CRED", "BRK-CODES"],
        confidence: Confidence::Possible,
        tools: &[Proxy],
        check: "does mstsc or xfreerdp get in with the same account? xrdp: /var/log/xrdp.log; Windows: log \
                RemoteDesktopServices-RdpCoreTS at this time",
        fix: "update the client, or tell its maker: the security header or the packet's layout is wrong",
        cannot_tell: &["what the server disliked"],
        spec: "[MS-RDPBCGR] 2.2.1.11",
        mstsc: &["0x904"],
    },
];
