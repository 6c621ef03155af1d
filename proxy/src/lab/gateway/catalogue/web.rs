//! Up to the tunnel: TCP, TLS, HTTP, and boxes that are in the way.

use super::parts::*;

const fn certificate(certificate: Certificate) -> GatewayScript {
    GatewayScript { certificate, versions: Versions::Only12, ..GATEWAY }
}

const fn with_alert(refusal: Refusal) -> GatewayClient {
    GatewayClient { trust: Trust::Refuses(refusal), ..CLIENT }
}

const DENIES: GatewayClient = GatewayClient { denies: true, ..CLIENT };

/// Nobody there, and certificates that a client does not take.
#[rustfmt::skip]
pub const CERTIFICATES: &[GatewayScenario] = &[
    plain(play("refused", "nothing listens on the gateway's port",
        GatewayScript { listens: false, ..GATEWAY }, CLIENT, server(Ending::Refused, &["tcp"], "RDG-REACH"))),
    plain(play("certificate-expired", "the client leaves the expired certificate with alert 45",
        certificate(Certificate::Expired), with_alert(Refusal::CertificateExpired), leaves(TLS, "RDG-CERT"))),
    plain(play("certificate-expired-denied", "the client leaves the expired certificate with close_notify, as mstsc does",
        certificate(Certificate::Expired), DENIES, leaves(&["gateway-tls", "gateway-http"], "RDG-CERT"))),
    plain(play("certificate-name", "the client leaves the certificate of another name with alert 46",
        certificate(Certificate::WrongName), with_alert(Refusal::CertificateUnknown), leaves(TLS, "RDG-CERT"))),
    plain(play("certificate-name-denied", "the client leaves the certificate of another name with close_notify",
        certificate(Certificate::WrongName), DENIES, leaves(&["gateway-tls", "gateway-http"], "RDG-CERT"))),
    plain(play("certificate-untrusted", "the client leaves the certificate of an unknown issuer with alert 48",
        certificate(Certificate::Valid), with_alert(Refusal::UnknownCa), leaves(TLS, "RDG-CERT"))),
    play("certificate-expired-tls13", "the client leaves the expired certificate with alert 45, sealed by TLS 1.3",
        GatewayScript { certificate: Certificate::Expired, ..GATEWAY }, with_alert(Refusal::CertificateExpired),
        leaves(TLS, "RDG-CERT")),
];

/// Credentials, and schemes.
#[rustfmt::skip]
pub const CREDENTIALS: &[GatewayScenario] = &[
    play("wrong-password", "the password is wrong: a second 401 behind the challenge",
        GATEWAY, WRONG, told(AUTH, "RDG-401")),
    play("wrong-password-http", "the same on the first of two channels",
        GATEWAY, GatewayClient { way: Way::Http, ..WRONG }, told(AUTH, "RDG-401")),
    play("wrong-password-asked", "the password is wrong, and the client was asked first: a third 401",
        GATEWAY, GatewayClient { at_once: false, ..WRONG }, told(AUTH, "RDG-401")),
    play("wrong-password-again", "the client tries three times: six 401",
        GATEWAY, GatewayClient { tries: 3, ..WRONG }, told(AUTH, "RDG-401")),
    play("wrong-password-basic", "the password is wrong, in Basic",
        GatewayScript { offers: &[Scheme::Basic], ..GATEWAY },
        GatewayClient { scheme: Some(Scheme::Basic), at_once: false, ..WRONG }, told(AUTH, "RDG-401")),
    play("not-let-in", "the password is right, and the gateway refuses all the same",
        GatewayScript { lets_in: false, ..GATEWAY }, CLIENT, told(AUTH, "RDG-401")),
    play("unauthorized-bare", "401 without WWW-Authenticate",
        answers(Step::Request, "401 Unauthorized", &[]), CLIENT, told(DEMANDED, "RDG-401")),
    play("only-basic", "a gateway that offers Basic alone, and a client that has NTLM",
        GatewayScript { offers: &[Scheme::Basic], ..GATEWAY }, CLIENT, told(DEMANDED, "RDG-401")),
    play("only-negotiate", "a gateway that offers Negotiate alone, and a client that has bare NTLM",
        GatewayScript { offers: &[Scheme::Negotiate], ..GATEWAY }, CLIENT, told(DEMANDED, "RDG-401")),
];

/// A middlebox that knows no WebSocket closes what it does not understand.
const STRIPS: GatewayScript = GatewayScript { websocket: false, affinity: false, ..GATEWAY };

/// Status codes, transports.
#[rustfmt::skip]
pub const ANSWERS: &[GatewayScenario] = &[
    play("forbidden", "403 to RDG_OUT_DATA",
        answers(Step::Request, "403 Forbidden", &[]), CLIENT, told(HTTP, "RDG-TRANSPORT")),
    play("not-found", "404 to RDG_OUT_DATA",
        answers(Step::Request, "404 Not Found", &[]), CLIENT, told(HTTP, "RDG-TRANSPORT")),
    play("method-not-allowed", "405 to RDG_OUT_DATA",
        answers(Step::Request, "405 Method Not Allowed", &["Allow: GET, HEAD, POST"]), CLIENT, told(HTTP, "RDG-TRANSPORT")),
    play("method-not-allowed-late", "405 to RDG_OUT_DATA, when the client has said who it is",
        answers(Step::LetIn, "405 Method Not Allowed", &["Allow: GET, HEAD, POST"]), CLIENT, told(AUTH, "RDG-TRANSPORT")),
    play("redirected", "302: a web server sends its visitor elsewhere",
        answers(Step::Request, "302 Found", &["Location: https://www.lab.test/login"]), CLIENT, told(HTTP, "RDG-TRANSPORT")),
    play("service-unavailable", "503 at once, by the kernel: the application pool is stopped",
        fault(Step::Request, GatewayAct::AnswerAndLeave(Answer { status: "503 Service Unavailable",
            fields: &["Connection: close"] })),
        CLIENT, told(HTTP, "RDG-503")),
    play("service-unavailable-late", "503 when the client has said who it is: the gateway's service is stopped",
        answers(Step::LetIn, "503 Service Unavailable", &[]), CLIENT, told(AUTH, "RDG-503")),
    play("service-unavailable-http", "the same on the first of two channels",
        answers(Step::LetIn, "503 Service Unavailable", &[]), OVER_HTTP, told(AUTH, "RDG-503")),
    play("bad-gateway", "502: a reverse proxy cannot reach the gateway",
        answers(Step::Request, "502 Bad Gateway", &["Via: 1.1 proxy.lab.test"]), CLIENT,
        or(told(HTTP, "RDG-TRANSPORT"), &["RDG-503"])),
    play("websocket-refused", "426: a reverse proxy does not let the upgrade through",
        answers(Step::LetIn, "426 Upgrade Required", &["Via: 1.1 proxy.lab.test"]), CLIENT, told(AUTH, "RDG-TRANSPORT")),
    play("websocket-bad", "400: a reverse proxy does not understand the upgrade",
        answers(Step::LetIn, "400 Bad Request", &["Via: 1.1 proxy.lab.test"]), CLIENT, told(AUTH, "RDG-TRANSPORT")),
    play("websocket-stripped", "the upgrade is lost on the way (200 without 101), and the second channel meets another gateway",
        STRIPS, CLIENT, server(Ending::Fin, TUNNEL, "RDG-TRANSPORT")),
    play("no-affinity", "a balancer takes the second channel to another gateway, which knows nothing of it",
        GatewayScript { affinity: false, ..GATEWAY }, OVER_HTTP, server(Ending::Fin, TUNNEL, "RDG-TRANSPORT")),
    play("in-forbidden", "403 to RDG_IN_DATA alone",
        answers(Step::InRequest, "403 Forbidden", &[]), OVER_HTTP, told(SECOND_HALF, "RDG-TRANSPORT")),
    play("in-reset", "RDG_IN_DATA alone is reset",
        fault(Step::InRequest, GatewayAct::Reset), OVER_HTTP, server(Ending::Reset, SECOND_HALF, "RDG-TRANSPORT")),
    play("rpc-not-found", "a client that goes over RPC, and a gateway without it: 404",
        answers(Step::RpcRequest, "404 Not Found", &[]), OVER_RPC, told(HTTP, "RDG-TRANSPORT")),
    play("rpc-not-found-late", "the same when the client has said who it is",
        GATEWAY, OVER_RPC, told(AUTH, "RDG-TRANSPORT")),
    play("rpc-unauthorized", "a client that goes over RPC with the wrong password",
        GATEWAY, GatewayClient { way: Way::Rpc, ..WRONG }, told(AUTH, "RDG-401")),
    play("rpc-unavailable", "a client that goes over RPC, and 503",
        answers(Step::RpcRequest, "503 RPC Error: 5", &[]), OVER_RPC, told(HTTP, "RDG-503")),
    play("rpc-reset", "a client that goes over RPC, and a box that resets what it does not know",
        fault(Step::RpcRequest, GatewayAct::Reset), OVER_RPC, server(Ending::Reset, HTTP, "RDG-TRANSPORT")),
];

const fn proxied(act: GatewayAct) -> GatewayScript {
    GatewayScript { by_proxy: true, ..fault(Step::Connect, act) }
}

const BY_PROXY: GatewayClient = GatewayClient { by_proxy: true, ..CLIENT };

/// A web proxy that is asked to CONNECT.
#[rustfmt::skip]
pub const PROXIES: &[GatewayScenario] = &[
    plain(play("proxy-authentication", "407: the web proxy wants to know who asks",
        proxied(GatewayAct::Answer(Answer { status: "407 Proxy Authentication Required",
            fields: &["Proxy-Authenticate: Negotiate", "Proxy-Authenticate: NTLM", "Via: 1.1 proxy.lab.test"] })),
        BY_PROXY, told(CONNECT, "RDG-PROXYAUTH"))),
    plain(play("proxy-forbidden", "403: the web proxy lets nobody through to the gateway",
        proxied(GatewayAct::Answer(Answer { status: "403 Forbidden", fields: &["Via: 1.1 proxy.lab.test"] })),
        BY_PROXY, told(CONNECT, "RDG-PROXYAUTH"))),
    plain(play("proxy-bad-gateway", "502: the web proxy cannot reach the gateway",
        proxied(GatewayAct::Answer(Answer { status: "502 Bad Gateway", fields: &["Via: 1.1 proxy.lab.test"] })),
        BY_PROXY, or(told(CONNECT, "RDG-REACH"), &["RDG-PROXYAUTH", "RDG-TRANSPORT"]))),
];
