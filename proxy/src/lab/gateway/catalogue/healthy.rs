//! Healthy sessions through a gateway: no rule may fire.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[GatewayScenario] = &[
    play("healthy", "a session in a WebSocket, with NTLM",
        GATEWAY, CLIENT, CONNECTED),
    play("healthy-http", "a session over the two channels of HTTP, with NTLM",
        GATEWAY, OVER_HTTP, CONNECTED),
    play("healthy-tls12", "a session in a WebSocket whose outer TLS is 1.2",
        GatewayScript { versions: Versions::Only12, ..GATEWAY }, CLIENT, CONNECTED),
    play("healthy-negotiate", "the client shows its NTLM as Negotiate, as FreeRDP 3 does",
        GATEWAY, GatewayClient { scheme: Some(Scheme::Negotiate), ..CLIENT }, CONNECTED),
    play("healthy-asked", "the client says who it is when it is asked to: two 401 are normal",
        GATEWAY, GatewayClient { at_once: false, ..CLIENT }, CONNECTED),
    play("healthy-asked-http", "the same over two channels: two 401 on each",
        GATEWAY, GatewayClient { at_once: false, ..OVER_HTTP }, CONNECTED),
    play("healthy-basic", "a gateway that takes a password in Basic",
        GatewayScript { offers: &[Scheme::Basic], ..GATEWAY },
        GatewayClient { scheme: Some(Scheme::Basic), at_once: false, ..CLIENT }, CONNECTED),
    play("healthy-open", "a gateway that asks nobody who they are",
        GatewayScript { offers: &[], ..GATEWAY }, GatewayClient { scheme: None, at_once: false, ..CLIENT }, CONNECTED),
    play("healthy-token", "a client with an access token: no authentication in HTTP",
        GATEWAY, WITH_TOKEN, CONNECTED),
    play("healthy-no-websocket", "a gateway without WebSocket: 200 where 101 was asked for, and the client goes on over two channels",
        GatewayScript { websocket: false, ..GATEWAY }, CLIENT, CONNECTED),
    play("healthy-seed-100", "the seed has the length of the specification: 100 bytes instead of 10",
        GatewayScript { seed: 100, ..GATEWAY }, GatewayClient { seed: 100, ..OVER_HTTP }, CONNECTED),
    play("healthy-expired", "a session whose user takes the gateway's expired certificate",
        GatewayScript { certificate: Certificate::Expired, versions: Versions::Only12, ..GATEWAY }, CLIENT, CONNECTED),
    play("healthy-by-proxy", "a web proxy in front lets the client through",
        GatewayScript { by_proxy: true, ..GATEWAY }, GatewayClient { by_proxy: true, ..CLIENT }, CONNECTED),
    play("healthy-no-kdc-proxy", "503 to /KdcProxy, and the client goes on with NTLM",
        GATEWAY, GatewayClient { asks_kdc: true, ..CLIENT }, CONNECTED),
    play("healthy-keep-alives", "a gateway that sends keep-alives, and tells an idle timeout that is never reached",
        GatewayScript { keep_alive_ms: 10, idle_minutes: 30, ..GATEWAY }, CLIENT, CONNECTED),
    play("healthy-slow", "a gateway that thinks 300 ms before each answer",
        GatewayScript { thinks_ms: 300, ..GATEWAY }, OVER_HTTP, CONNECTED),
    play("healthy-fin", "a session that the RDP client ends with a FIN, without a word",
        GATEWAY, GatewayClient { inner: ClientScript { leaves: crate::lab::Leave::Fin, ..CLIENT.inner }, ..CLIENT }, CONNECTED),
];
