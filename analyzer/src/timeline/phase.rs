//! One step of a connection, and how long it took for whom.

use std::fmt;
use std::time::Duration;

use super::Sureness;
use crate::event::Basis;
use crate::observation::{Leg, Side};
use crate::time::Timestamp;

/// The steps of a connection in their order, \[MS-RDPBCGR\] 1.3.1.1, with what comes before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// The server's name is looked up.
    NameResolution,
    /// TCP handshake, one phase for each leg.
    Tcp,
    /// TLS with the RD Gateway, one phase for each connection of a tunnel.
    GatewayTls,
    /// The request for a channel to the gateway, and the first answer to it, \[MS-TSGU\] 3.3.5.1.
    GatewayHttp,
    /// The gateway authenticates the client: further requests, up to the channel's acceptance.
    GatewayAuth,
    /// HTTP handshake and tunnel creation, \[MS-TSGU\] 1.3.2.1.
    GatewayTunnel,
    /// Tunnel authorization: the connection authorization policy (CAP).
    GatewayAuthorization,
    /// Channel creation: the resource authorization policy (RAP), and the gateway's own connect to the target.
    GatewayChannel,
    /// Connection Initiation: X.224 request and confirm.
    Negotiation,
    /// The TLS handshake.
    Tls,
    /// CredSSP, \[MS-CSSP\].
    Credssp,
    /// Basic Settings Exchange: MCS Connect Initial and Response.
    BasicSettings,
    /// Channel Connection: erect domain, attach user, channel joins.
    ChannelConnection,
    /// RDP Security Commencement: Security Exchange PDU.
    SecurityCommencement,
    /// Secure Settings Exchange: Client Info PDU.
    SecureSettings,
    /// Optional Connect-Time Auto-Detection.
    AutoDetection,
    /// Licensing.
    Licensing,
    /// Optional Multitransport Bootstrapping.
    Multitransport,
    /// Capabilities Exchange: Demand Active, Confirm Active.
    Capabilities,
    /// Connection Finalization: synchronize to font map.
    Finalization,
    /// The session itself.
    Active,
}

impl PhaseName {
    /// All of them, in order.
    pub const ALL: [PhaseName; 21] = [
        PhaseName::NameResolution,
        PhaseName::Tcp,
        PhaseName::GatewayTls,
        PhaseName::GatewayHttp,
        PhaseName::GatewayAuth,
        PhaseName::GatewayTunnel,
        PhaseName::GatewayAuthorization,
        PhaseName::GatewayChannel,
        PhaseName::Negotiation,
        PhaseName::Tls,
        PhaseName::Credssp,
        PhaseName::BasicSettings,
        PhaseName::ChannelConnection,
        PhaseName::SecurityCommencement,
        PhaseName::SecureSettings,
        PhaseName::AutoDetection,
        PhaseName::Licensing,
        PhaseName::Multitransport,
        PhaseName::Capabilities,
        PhaseName::Finalization,
        PhaseName::Active,
    ];

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            PhaseName::NameResolution => "name-resolution",
            PhaseName::Tcp => "tcp",
            PhaseName::GatewayTls => "gateway-tls",
            PhaseName::GatewayHttp => "gateway-http",
            PhaseName::GatewayAuth => "gateway-auth",
            PhaseName::GatewayTunnel => "gateway-tunnel",
            PhaseName::GatewayAuthorization => "gateway-authorization",
            PhaseName::GatewayChannel => "gateway-channel",
            PhaseName::Negotiation => "negotiation",
            PhaseName::Tls => "tls",
            PhaseName::Credssp => "credssp",
            PhaseName::BasicSettings => "basic-settings",
            PhaseName::ChannelConnection => "channel-connection",
            PhaseName::SecurityCommencement => "security-commencement",
            PhaseName::SecureSettings => "secure-settings",
            PhaseName::AutoDetection => "auto-detection",
            PhaseName::Licensing => "licensing",
            PhaseName::Multitransport => "multitransport",
            PhaseName::Capabilities => "capabilities",
            PhaseName::Finalization => "finalization",
            PhaseName::Active => "active",
        }
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ended as it should.
    Done,
    /// It ended otherwise.
    Failed,
    /// It has not ended.
    Open,
}

impl Outcome {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Open => "open",
        }
    }
}

/// Where a phase's time went. The parts add up to its duration, but for the time in which nobody was waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waited {
    /// One round trip for each time the speaker changed, and the resolver.
    pub network: Duration,
    /// Segments that had to be sent again.
    pub retransmission: Duration,
    /// What was held here on purpose (`--impair`).
    pub impairment: Duration,
    /// What remains of the time until the client spoke.
    pub client: Duration,
    /// What remains of the time until the server spoke.
    pub server: Duration,
}

impl Waited {
    /// All of it.
    pub(super) fn total(&self) -> Duration {
        self.network + self.retransmission + self.impairment + self.client + self.server
    }

    /// The time for which this side was waited for.
    pub(super) fn side_mut(&mut self, side: Side) -> &mut Duration {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl std::ops::Sub for Waited {
    type Output = Waited;
    fn sub(self, part: Waited) -> Waited {
        Waited {
            network: self.network.saturating_sub(part.network),
            retransmission: self.retransmission.saturating_sub(part.retransmission),
            impairment: self.impairment.saturating_sub(part.impairment),
            client: self.client.saturating_sub(part.client),
            server: self.server.saturating_sub(part.server),
        }
    }
}

/// One step of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Which.
    pub name: PhaseName,
    /// The leg of its last edge: for `tcp` the leg itself, otherwise where the message or the end that closed it was
    /// first seen.
    pub leg: Leg,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; while it is open, the last that was seen.
    pub ended: Timestamp,
    /// How it stands.
    pub outcome: Outcome,
    /// Whether its edges stand in the bytes or were inferred.
    pub basis: Basis,
    /// How sure it is, where it is inferred.
    pub sureness: Option<Sureness>,
    /// Where its time went.
    pub waited: Waited,
    /// How often the server spoke after the client had: round trips, as far as they were seen.
    pub turns: u32,
}

impl Phase {
    /// How long it took, or has taken so far.
    pub fn duration(&self) -> Duration {
        self.ended.since(self.began)
    }

    /// For how long the program that watches was stopped meanwhile: that is no part of it.
    pub fn unwatched(&self) -> Duration {
        self.ended.unwatched_since(self.began)
    }
}
