//! Causes between Client Info and the first picture.

use super::Tool::{Events, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "CAP-BAD",
        layer: Layer::Start,
        name: "capabilities or finalization fail",
        visibility: Visibility::Rule,
        evidence: "the server closes within a round trip of the client's Confirm Active, which is its largest record \
                   behind the channels",
        sign: "close within one round trip of Confirm Active; ERRINFO 0x10c9 and above",
        looks_like: &["SES-KILLED", "SES-DRV", "MCS-GFX"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: RdpCoreTS log at this time",
        fix: "update the client, or switch off what it negotiates",
        cannot_tell: &["which PDU was refused, where it is encrypted"],
        spec: "[MS-RDPBCGR] 2.2.1.13.2, 2.2.7, 2.2.5.1.1",
        mstsc: &["0x904"],
    },
    Cause {
        id: "SES-DRV",
        layer: Layer::Start,
        name: "the display driver, DWM or winlogon of the session dies",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 0xF to 0x12, 0x17, 0x18" },
        evidence: "a session that is active for 1 to 30 s, with little or no graphics of the server, and its close",
        sign: "drops 1 to 30 s after logon, black screen, ERRINFO 0xf to 0x18",
        looks_like: &["SES-KILLED", "CAP-BAD"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: Application log 1000 (dwm.exe, winlogon.exe, csrss.exe: which module?), System log, \
                Display 4101; Get-PnpDevice -Class Display",
        fix: "update or remove that display driver; policy 'Use WDDM graphics display driver for Remote Desktop \
              Connections': disabled",
        cannot_tell: &["which component failed"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1",
        mstsc: &["0x3/0xF", "0x3/0x10", "0x3/0x11", "0x3/0x12", "0x3/0x17", "0x3/0x18"],
    },
    Cause {
        id: "SES-KILLED",
        layer: Layer::Start,
        name: "the session's software on the server dies right after it became active",
        visibility: Visibility::Rule,
        evidence: "an active session that the server ends within 10 s of its start, by FIN or RST, without the \
                   records of an orderly end",
        sign: "0x904 with 0x0, not 0x7; no ERRINFO",
        looks_like: &["SES-DRV", "CAP-BAD", "SES-SHUTDOWN"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: Application log at this time (dwm.exe, winlogon.exe, display drivers, remote-control \
                software)",
        fix: "remove or update that driver or software",
        cannot_tell: &["which component failed"],
        spec: "[MS-RDPBCGR] 1.3.1.4 (disconnection sequences)",
        mstsc: &["0x904/0x0"],
    },
    Cause {
        id: "SES-DENIED",
        layer: Layer::Start,
        name: "the server denies: drain mode, session limit, policy",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 7, or 9" },
        evidence: "the server closes after Client Info, or just after it became active, for everybody or for all but \
                   administrators",
        sign: "a real ERRINFO 7, which exists only after MCS Connect Initial",
        looks_like: &["LIC-NOSRV", "LIC-CLIENT", "INFO-CRED", "NLA-RIGHT"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: change logon /query (drain mode?), query session, fDenyTSConnections under \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server; policy 'Limit number of connections'; \
                TerminalServices-LocalSessionManager log 40",
        fix: "change logon /enable; raise the limit, log idle sessions off (logoff ID)",
        cannot_tell: &["which rule denied"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_SERVER_DENIED_CONNECTION)",
        mstsc: &["0x3/0x7", "0x904/0x7"],
    },
    Cause {
        id: "SES-BUSY",
        layer: Layer::Start,
        name: "the host is out of resources",
        visibility: Visibility::Plaintext {
            message: "Set Error Info PDU: ERRINFO 6; or the text that the server draws",
        },
        evidence: "what the client sends is acknowledged, and answers after Client Info take seconds, in every \
                   session",
        sign: "slow answers after Client Info; the console is slow too",
        looks_like: &["PATH-WINZERO", "LIC-TIMEOUT", "NLA-KDC"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server's console: is it slow, too? Get-Process | Sort-Object WS, Handles; \
                Resource-Exhaustion-Detector 2004 in the System log; query session",
        fix: "log off hanging sessions, restart what leaks, or TermService; more memory",
        cannot_tell: &["which resource is short"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_OUT_OF_MEMORY)",
        mstsc: &["0x3/0x6"],
    },
    Cause {
        id: "SES-CONSOLE",
        layer: Layer::Start,
        name: "connecting to oneself",
        visibility: Visibility::Hidden {
            among: &["NLA-SMARTCARD"],
            settles: "compare the address with ipconfig on the client: it is the client's own",
        },
        evidence: "nothing at all: mstsc refuses before it sends a packet; through a relay on the same machine it \
                   gets further",
        sign: "refused at once, to a loopback or own address",
        looks_like: &["NLA-SMARTCARD", "DNS-WRONG"],
        confidence: Confidence::Possible,
        tools: &[Proxy],
        check: "on the client: Resolve-DnsName NAME and ipconfig: is it this machine? is a port forward on it \
                pointing back?",
        fix: "use 127.0.0.2, or a relay on another port, to reach the own machine; or correct the name",
        cannot_tell: &["what the client did not send"],
        spec: "[MS-RDPBCGR] 1.3.1.1",
        mstsc: &["0x708"],
    },
    Cause {
        id: "INFO-CRED",
        layer: Layer::Start,
        name: "the server refuses Client Info: wrong user or password without NLA, or another refusal",
        visibility: Visibility::Rule,
        evidence: "without NLA: the server closes within milliseconds of Client Info, before any licensing message",
        sign: "close within ms of Client Info, no licensing PDU",
        looks_like: &["MCS-INFO", "BRK-CODES", "LIC-NOSRV", "SEC-MAC"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: the service's log at this time (Security 4625; xrdp-sesman.log)",
        fix: "use the right credentials",
        cannot_tell: &["the reason"],
        spec: "[MS-RDPBCGR] 2.2.1.11.1.1 (TS_INFO_PACKET)",
        mstsc: &["0x904"],
    },
];
