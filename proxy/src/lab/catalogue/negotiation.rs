//! What a server says in X.224.

use super::parts::*;

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    play("ssl-required", "RDP_NEG_FAILURE 1, SSL_REQUIRED_BY_SERVER, to a client that asks for NLA alone",
        fault(Point::Request, Act::NegotiationFailure(1)), ClientScript { asks: Some(HYBRID), ..CLIENT },
        told(NEGOTIATION, "X224-SSLREQ")),
    play("ssl-not-allowed", "RDP_NEG_FAILURE 2, SSL_NOT_ALLOWED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(2)), CLIENT, told(NEGOTIATION, "X224-SSLNO")),
    play("no-certificate", "RDP_NEG_FAILURE 3, SSL_CERT_NOT_ON_SERVER",
        fault(Point::Request, Act::NegotiationFailure(3)), CLIENT, told(NEGOTIATION, "X224-NOCERT")),
    play("inconsistent-flags", "RDP_NEG_FAILURE 4, INCONSISTENT_FLAGS",
        fault(Point::Request, Act::NegotiationFailure(4)), CLIENT, told(NEGOTIATION, "X224-INCONS")),
    play("hybrid-required", "RDP_NEG_FAILURE 5, HYBRID_REQUIRED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(5)), CLIENT, told(NEGOTIATION, "X224-HYBRID")),
    play("user-auth-required", "RDP_NEG_FAILURE 6, SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        fault(Point::Request, Act::NegotiationFailure(6)), CLIENT, told(NEGOTIATION, "X224-INCONS")),
    play("confirm-without-response", "the server confirms without RDP_NEG_RSP, the client wants TLS and leaves",
        ServerScript { selects: None, ..SERVER }, CLIENT, leaves(NEGOTIATION, "X224-SSLNO")),
    play("selects-not-asked", "the server selects NLA, for which nobody asked, and the client leaves",
        ServerScript { selects: Some(HYBRID), ..SERVER }, CLIENT,
        told(NEGOTIATION, "X224-DOWNGR")),
    play("client-insists-on-nla", "the server selects TLS, the client will have nothing but NLA and leaves",
        SERVER, ClientScript { insists: Some(HYBRID), ..NLA },
        leaves(NEGOTIATION, "X224-NLAONLY")),
];
