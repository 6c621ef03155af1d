//! What scenarios of gateways are put together from.
//!
//! As elsewhere in the lab the labels say what the peers do. Who leaves because of what the gateway said leaves clean; what is
//! to blame is the gateway, or the box before it.

pub(super) use crate::lab::catalogue::parts::{CONNECTED, STAYS, broken, leaves, or, server, silent, told};
use crate::lab::catalogue::{CLIENT as INNER, SERVER};
pub(super) use crate::lab::certificate::Certificate;
pub(super) use crate::lab::gateway::ntlm::Account;
pub(super) use crate::lab::gateway::script::{
    ACCOUNT, Answer, GatewayAct, GatewayClient, GatewayScenario, GatewayScript, Scheme, Step, Way,
};
pub(super) use crate::lab::{ClientScript, Expect, ServerScript};
pub(super) use crate::tls::{Refusal, Trust, Versions};
pub(super) use analyzer::observation::Ending;

/// A gateway without a fault, which offers what Windows offers.
pub const GATEWAY: GatewayScript = GatewayScript {
    listens: true,
    by_proxy: false,
    certificate: Certificate::Valid,
    versions: Versions::Both,
    offers: &[Scheme::Negotiate, Scheme::Ntlm],
    lets_in: true,
    websocket: true,
    affinity: true,
    seed: 10,
    idle_minutes: 0,
    keep_alive_ms: 0,
    thinks_ms: 0,
    fault: None,
};

/// A client that comes by WebSocket, says at once who it is, as FreeRDP does, and leaves in order.
pub const CLIENT: GatewayClient = GatewayClient {
    way: Way::WebSocket,
    asks_kdc: false,
    by_proxy: false,
    versions: Versions::Both,
    trust: Trust::Anything,
    denies: false,
    scheme: Some(Scheme::Ntlm),
    at_once: true,
    account: ACCOUNT,
    cookie: None,
    tries: 1,
    target: "target.lab.test",
    seed: 10,
    patience_ms: PATIENCE_MS,
    inner: ClientScript { patience_ms: PATIENCE_MS, ..INNER },
};

/// A session in two layers of TLS is twice the work, and a busy machine must not look like a silent peer.
const PATIENCE_MS: u64 = 30_000;

/// The same over the two channels of HTTP.
pub(super) const OVER_HTTP: GatewayClient = GatewayClient { way: Way::Http, ..CLIENT };

/// One that would go over RPC.
pub(super) const OVER_RPC: GatewayClient = GatewayClient { way: Way::Rpc, ..CLIENT };

/// One whose password is wrong.
pub(super) const WRONG: GatewayClient =
    GatewayClient { account: Account { password: "not this one", ..ACCOUNT }, ..CLIENT };

/// One with a token of its own, and no word of who it is in HTTP.
pub(super) const WITH_TOKEN: GatewayClient =
    GatewayClient { cookie: Some("the lab's own, and worth nothing"), scheme: None, at_once: false, ..CLIENT };

/// One that gives up soon, for silent gateways.
pub(super) const IMPATIENT: GatewayClient =
    GatewayClient { patience_ms: 1_000, inner: ClientScript { patience_ms: 1_000, ..INNER }, ..CLIENT };

/// One whose RDP client stays until its session is ended.
pub(super) const STAYS_INSIDE: GatewayClient =
    GatewayClient { inner: ClientScript { patience_ms: PATIENCE_MS, ..STAYS }, ..CLIENT };

pub(super) const HTTP: &[&str] = &["gateway-http"];
/// A client that leaves a demand to say who it is has not begun to; whoever watches calls what follows the demand gateway-auth.
pub(super) const DEMANDED: &[&str] = &["gateway-http", "gateway-auth"];
/// A CONNECT is in HTTP; whoever watches waits for TLS, which never comes.
pub(super) const CONNECT: &[&str] = &["gateway-http", "gateway-tls"];
/// The second half's request is in HTTP; the first half waits for the tunnel.
pub(super) const SECOND_HALF: &[&str] = &["gateway-http", "gateway-tunnel"];
pub(super) const AUTH: &[&str] = &["gateway-auth"];
pub(super) const TUNNEL: &[&str] = &["gateway-tunnel"];
pub(super) const AUTHORIZATION: &[&str] = &["gateway-authorization"];
pub(super) const CHANNEL: &[&str] = &["gateway-channel"];
pub(super) const TLS: &[&str] = &["gateway-tls"];

pub(super) const fn fault(at: Step, act: GatewayAct) -> GatewayScript {
    GatewayScript { fault: Some((at, act)), ..GATEWAY }
}

/// A gateway that answers a request so.
pub(super) const fn answers(at: Step, status: &'static str, fields: &'static [&'static str]) -> GatewayScript {
    fault(at, GatewayAct::Answer(Answer { status, fields }))
}

pub(super) const fn refuses(at: Step, code: u32) -> GatewayScript {
    fault(at, GatewayAct::Refuse(code, 0))
}

/// What is to be said of it stands inside of the outer TLS.
pub(super) const fn play(
    name: &'static str,
    says: &'static str,
    gateway: GatewayScript,
    client: GatewayClient,
    expect: Expect,
) -> GatewayScenario {
    GatewayScenario { name, says, gateway, server: SERVER, client, expect, inside: true }
}

/// Everybody can see what is to be said of it.
pub(super) const fn plain(scenario: GatewayScenario) -> GatewayScenario {
    GatewayScenario { inside: false, ..scenario }
}

/// With another server behind.
pub(super) const fn before(scenario: GatewayScenario, server: ServerScript) -> GatewayScenario {
    GatewayScenario { server, ..scenario }
}
