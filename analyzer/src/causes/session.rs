//! Causes that end a running session.

use super::Tool::{Events, Packets, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "SES-IDLE",
        layer: Layer::Session,
        name: "the idle limit",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 3" },
        evidence: "the server ends the session in order (a short record, close_notify, FIN) after the same time \
                   without input each time",
        sign: "ERRINFO 3, the same idle time each time",
        looks_like: &["PATH-IDLE", "PATH-PROXYIDLE", "SES-LIMIT"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: policy 'Set time limit for active but idle Remote Desktop Services sessions'; \
                MaxIdleTime under HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services; \
                TerminalServices-LocalSessionManager log 40",
        fix: "raise the limit, or none: it is meant so",
        cannot_tell: &["the reason that the server gives: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_IDLE_TIMEOUT)",
        mstsc: &["0x3/0x3"],
    },
    Cause {
        id: "SES-LIMIT",
        layer: Layer::Session,
        name: "the limit for active sessions",
        visibility: Visibility::Set,
        evidence: "the server ends the session in order at the same age each time, whether used or not",
        sign: "ERRINFO 4, the same age each time",
        looks_like: &["SES-ADMIN", "SES-REPLACED", "SES-IDLE"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: policy 'Set time limit for active Remote Desktop Services sessions'; \
                MaxConnectionTime under HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services; logon \
                hours of the account",
        fix: "raise the limit, or none: it is meant so",
        cannot_tell: &["the reason that the server gives: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_LOGON_TIMEOUT)",
        mstsc: &["0x3/0x4"],
    },
    Cause {
        id: "SES-REPLACED",
        layer: Layer::Session,
        name: "another connection took the session over",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 5" },
        evidence: "the server ends the session in order, seconds after another client connected to the same server",
        sign: "ERRINFO 5; another client connects seconds before",
        looks_like: &["SES-ADMIN", "SES-LIMIT"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: TerminalServices-LocalSessionManager log 25 (reconnected: from which address?) and \
                40; query session",
        fix: "none: that is how it works; who wants two sessions of one account disables the policy 'Restrict Remote \
              Desktop Services users to a single Remote Desktop Services session'",
        cannot_tell: &["the reason that the server gives: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION)",
        mstsc: &["0x3/0x5"],
    },
    Cause {
        id: "SES-ADMIN",
        layer: Layer::Session,
        name: "logged off or disconnected on purpose",
        visibility: Visibility::Plaintext {
            message: "Set Error Info PDU: ERRINFO 1, 2, 0xB or 0xC, and the Disconnect Provider Ultimatum",
        },
        evidence: "an active session ends in order: a short record, close_notify, FIN; before it is active the same \
                   is a refusal",
        sign: "clean close, ultimatum then FIN; before activation it is no logoff",
        looks_like: &["SES-REPLACED", "SES-LIMIT"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: TerminalServices-LocalSessionManager log 23 (logoff), 24 (disconnected), 40 (with \
                reason); who used tsdiscon, logoff or the Task Manager?",
        fix: "none: it was meant",
        cannot_tell: &["the reason that the server gives: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 1.3.1.4, 2.2.5.1.1",
        mstsc: &["0x1", "0x2", "0x3/0x1", "0x3/0x2", "0x3/0xB", "0x3/0xC"],
    },
    Cause {
        id: "SES-SHUTDOWN",
        layer: Layer::Session,
        name: "the server drops a running session",
        visibility: Visibility::Rule,
        evidence: "the server ends a running session by FIN or RST without the records of an orderly end; side by \
                   side: many sessions at the same second, later SYNs refused",
        sign: "many sessions end together; later SYNs are refused",
        looks_like: &["SES-GPO", "PATH-RSTINJ", "SES-KILLED"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "did other sessions end at the same time? on the server: System log 1074, 6008, 7036; was it \
                restarted?",
        fix: "none if it was meant; otherwise find what restarted the service",
        cannot_tell: &["whether the server or a box on the way sent the reset"],
        spec: "[MS-RDPBCGR] 1.3.1.4, 2.2.5.1.1",
        mstsc: &["0x904/0x0"],
    },
    Cause {
        id: "SES-GPO",
        layer: Layer::Session,
        name: "a Group Policy refresh drops sessions",
        visibility: Visibility::Hidden {
            among: &["SES-SHUTDOWN"],
            settles: "on the server: GroupPolicy/Operational 8000 to 8007 at the same second, and \
                      fDenyTSConnections=1 beside a policy that allows",
        },
        evidence: "running sessions end together without an orderly end, some 90 minutes apart, and reconnecting \
                   works at once",
        sign: "every 90 minutes, reconnecting works",
        looks_like: &["SES-SHUTDOWN"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: gpupdate /force while a session stands: does it drop? fDenyTSConnections under \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server, against the one under Policies",
        fix: "set fDenyTSConnections=0 locally, too: Set-ItemProperty -Path \
              'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server' -Name fDenyTSConnections -Value 0",
        cannot_tell: &["why the service dropped its sessions"],
        spec: "[MS-RDPBCGR] 1.3.1.4; Windows Group Policy, background refresh",
        mstsc: &["0x904"],
    },
    Cause {
        id: "SES-ARC",
        layer: Layer::Session,
        name: "automatic reconnection fails in a loop",
        visibility: Visibility::Set,
        evidence: "one client connects again and again, up to 20 times, seconds apart, and each session ends soon",
        sign: "many short connections of one client",
        looks_like: &["RED-LOOP", "PRX-PROBE"],
        confidence: Confidence::Possible,
        tools: &[Proxy],
        check: "look at the first session of the row: its cause is the cause; on the client: log \
                TerminalServices-RDPClient/Operational 1026; autoreconnection enabled:i: in the .rdp file",
        fix: "mend what broke the first; to see it undisturbed switch automatic reconnection off",
        cannot_tell: &["whether the cookie was refused: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 5.5, 2.2.4.2 (auto-reconnect)",
        mstsc: &["0xE08"],
    },
    Cause {
        id: "SES-HALFOPEN",
        layer: Layer::Session,
        name: "the server keeps a dead session",
        visibility: Visibility::Hidden {
            among: &["PATH-DEAD"],
            settles: "on the server: qwinsta (is the old session still Active?), Get-NetTCPConnection -LocalPort \
                      3389 -State Established",
        },
        evidence: "the client's end of the old connection is gone without FIN; at the client's side nothing more of \
                   it is seen, only a new session or a denial",
        sign: "the client vanished without FIN; keep-alives are off",
        looks_like: &["PATH-DEAD", "SES-REPLACED"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: qwinsta; KeepAliveEnable and KeepAliveInterval under \
                HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services",
        fix: "policy 'Configure keep-alive connection interval', 1 minute; until then: logoff ID, or tsdiscon ID",
        cannot_tell: &["what the server still believes"],
        spec: "[MS-RDPBCGR] 1.3.1.4; RFC 9293 3.5.1 (half-open), 3.8.4",
        mstsc: &[],
    },
    Cause {
        id: "SES-CRYPT",
        layer: Layer::Session,
        name: "bytes were changed on the way, or by a relay",
        visibility: Visibility::Rule,
        evidence: "one leg ends with an alert of the side that received what the other did not send; bytes of the \
                   two legs differ, or duplicates of acknowledged segments have another content",
        sign: "alert 20 or 51, or ERRINFO 0x1192, on one leg only",
        looks_like: &["PATH-RSTINJ", "SES-KILLED"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "capture at client and server and compare the payload of the last segments; network card: \
                Get-NetAdapterAdvancedProperty, offloads off (Disable-NetAdapterChecksumOffload, -Lso, -Rsc); does \
                it work past the VPN or the relay?",
        fix: "update the network card's driver, or the box or relay that changes bytes",
        cannot_tell: &["which device changed them"],
        spec: "RFC 5246 7.2.2 (bad_record_mac); RFC 8446 6.2; [MS-RDPBCGR] 2.2.5.1.1",
        mstsc: &["0xB06", "0xC06", "0xC08"],
    },
    Cause {
        id: "SES-FROZEN",
        layer: Layer::Session,
        name: "a server with a faulty update of February 2025 freezes its sessions",
        visibility: Visibility::Rule,
        evidence: "the connection stands and is acknowledged, input goes to the server, and no picture comes back; a new connection works for a while; Windows Server 2025 with KB5051987 (2025-02-11) and the updates up to April 2025",
        sign: "mouse and keyboard do nothing soon after the logon; reconnecting helps; build 26100 without KB5055523",
        looks_like: &["PATH-DEAD", "SES-BUSY", "PATH-WINZERO"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: winver (26100.3194 up to before 26100.3775), Get-HotFix KB5055523; did it begin with the February update?",
        fix: "install KB5055523 (2025-04-08) or any later cumulative update; until then reconnect",
        cannot_tell: &["which revision of build 26100 the server has: the wire shows the build alone"],
        spec: "Microsoft KB5051987 (known issues), KB5055523 (release notes)",
        mstsc: &[],
    },
];
