//! In the tunnel: what the gateway refuses, and what ends a session.

use super::parts::*;

/// HRESULTs of \[MS-TSGU\] 2.2.6, and errors that are no HRESULT.
mod code {
    pub const INTERNAL: u32 = 0x8007_59d8;
    pub const RAP: u32 = 0x8007_59da;
    pub const CAP: u32 = 0x8007_59db;
    pub const CONNECT_FAILED: u32 = 0x8007_59dd;
    pub const CAPABILITIES: u32 = 0x8007_59e9;
    pub const QUARANTINE: u32 = 0x8007_59ed;
    pub const COOKIE_BAD: u32 = 0x8007_59f7;
    pub const COOKIE_DENIED: u32 = 0x8007_59f8;
    pub const METHOD: u32 = 0x8007_59f9;
    pub const FULL: u32 = 0x0000_59e6;
    pub const SESSION_TIMEOUT: u32 = 0x0000_59f6;
    pub const ABORTED: u32 = 0x0000_04d4;
}

/// For how long a session is quiet before the gateway ends it. In reality it is minutes.
const QUIET_MS: u64 = 1500;

/// Where a session is ended that runs: a part of what its server would send.
const PART: u64 = 200_000;

/// What the tunnel refuses, step after step.
#[rustfmt::skip]
pub const REFUSALS: &[GatewayScenario] = &[
    play("handshake-method", "the handshake is answered with 0x800759F9: no such way of authentication",
        refuses(Step::Handshake, code::METHOD), WITH_TOKEN, told(TUNNEL, "RDG-COOKIE")),
    play("cookie-bad", "the tunnel is answered with 0x800759F7: the token is none",
        refuses(Step::TunnelCreate, code::COOKIE_BAD), WITH_TOKEN, told(TUNNEL, "RDG-COOKIE")),
    play("cookie-denied", "the tunnel is answered with 0x800759F8: the token has expired",
        refuses(Step::TunnelCreate, code::COOKIE_DENIED), WITH_TOKEN, told(TUNNEL, "RDG-COOKIE")),
    play("cookie-method", "the tunnel is answered with 0x800759F9: tokens are not taken",
        refuses(Step::TunnelCreate, code::METHOD), WITH_TOKEN, told(TUNNEL, "RDG-COOKIE")),
    play("cap-denied", "the tunnel is answered with 0x800759DB: no connection policy has this user",
        refuses(Step::TunnelCreate, code::CAP), CLIENT, told(TUNNEL, "RDG-CAP")),
    play("cap-denied-http", "the same over two channels",
        refuses(Step::TunnelCreate, code::CAP), OVER_HTTP, told(TUNNEL, "RDG-CAP")),
    play("cap-denied-short", "the same as its low 16 bits, 0x59DB",
        refuses(Step::TunnelCreate, code::CAP & 0xffff), CLIENT, told(TUNNEL, "RDG-CAP")),
    play("cap-denied-authorize", "the authorization is answered with 0x800759DB",
        refuses(Step::TunnelAuthorize, code::CAP), CLIENT, told(AUTHORIZATION, "RDG-CAP")),
    play("quarantined", "the authorization is answered with 0x800759ED: the statement of health is no good",
        refuses(Step::TunnelAuthorize, code::QUARANTINE), CLIENT, told(AUTHORIZATION, "RDG-CAP")),
    play("rap-denied", "the channel is answered with 0x800759DA: no resource policy has this target",
        refuses(Step::ChannelCreate, code::RAP), CLIENT, told(CHANNEL, "RDG-RAP")),
    play("rap-denied-http", "the same over two channels",
        refuses(Step::ChannelCreate, code::RAP), OVER_HTTP, told(CHANNEL, "RDG-RAP")),
    before(play("target-refuses", "the gateway reaches no target, and says so at once: its port is closed",
        GATEWAY, CLIENT, told(CHANNEL, "RDG-TARGET")), ServerScript { listens: false, ..SERVER_BEHIND }),
    play("target-unreachable", "the channel is answered with 0x800759DD at once",
        refuses(Step::ChannelCreate, code::CONNECT_FAILED), CLIENT, told(CHANNEL, "RDG-TARGET")),
    play("target-unreachable-late", "the channel is answered with 0x800759DD after 2.5 s (in reality 21 s): nobody answers the gateway",
        fault(Step::ChannelCreate, GatewayAct::Refuse(code::CONNECT_FAILED, 2500)), CLIENT, told(CHANNEL, "RDG-TARGET")),
    play("gateway-full", "the tunnel is answered with 0x59E6: the gateway has as many connections as it may have",
        refuses(Step::TunnelCreate, code::FULL), CLIENT, told(TUNNEL, "RDG-LIMIT")),
    play("internal-error", "the tunnel is answered with 0x800759D8: the gateway's own error",
        refuses(Step::TunnelCreate, code::INTERNAL), CLIENT, told(TUNNEL, "RDG-503")),
    play("capability-mismatch", "the tunnel is answered with 0x800759E9: the gateway wants what the client has not",
        refuses(Step::TunnelCreate, code::CAPABILITIES), CLIENT, or(told(TUNNEL, "RDG-TRANSPORT"), &["RDG-CAP"])),
];

const SERVER_BEHIND: ServerScript = crate::lab::SERVER;

/// A session that has become active, and is ended by the gateway.
const fn ended(cause: &'static str, or: &'static [&'static str]) -> Expect {
    broken(Ending::Fin, cause, or)
}

/// What ends a session that is active.
#[rustfmt::skip]
pub const LIMITS: &[GatewayScenario] = &[
    play("idle-timeout", "the gateway closes the channel with 0x4D4 when nothing has passed for a while",
        GatewayScript { idle_minutes: 1, ..fault(Step::Quiet(QUIET_MS), GatewayAct::Close(code::ABORTED)) },
        STAYS_INSIDE, ended("RDG-LIMIT", &[])),
    play("session-timeout", "the gateway closes the channel with 0x59F6 while the session runs",
        fault(Step::Carried(PART), GatewayAct::Close(code::SESSION_TIMEOUT)), STAYS_INSIDE, ended("RDG-LIMIT", &[])),
    play("session-timeout-http", "the same over two channels",
        fault(Step::Carried(PART), GatewayAct::Close(code::SESSION_TIMEOUT)),
        GatewayClient { way: Way::Http, ..STAYS_INSIDE }, ended("RDG-LIMIT", &[])),
    play("kicked", "an administrator ends the session: a service message, and the channel is closed with 0x4D4",
        fault(Step::Carried(PART), GatewayAct::Kick(code::ABORTED)), STAYS_INSIDE, ended("RDG-LIMIT", &[])),
    play("cut-while-active", "the gateway's connection is reset while the session runs",
        fault(Step::Carried(PART), GatewayAct::Reset), STAYS_INSIDE,
        Expect { cause: None, ..broken(Ending::Reset, "", &["RDG-LIMIT", "RDG-TRANSPORT", "PATH-RSTINJ"]) }),
    play("left-while-active", "the gateway takes its leave of TLS while the session runs, and of nothing in it",
        fault(Step::Carried(PART), GatewayAct::Goodbye), STAYS_INSIDE,
        Expect { cause: None, ..broken(Ending::Fin, "", &["RDG-LIMIT", "RDG-TRANSPORT"]) }),
];
