//! The head of an HTTP message as an event, whichever version of HTTP wrote it: what is kept of its fields, and nothing else.

use super::auth;
use crate::event::{HttpAuth, HttpRequest, HttpResponse, Transport};
use crate::rdp::wire::latin;

/// Schemes that are kept of one response.
const MAX_OFFERS: usize = 16;
/// Fields by which a box on the way is known, where it does not say `Via`.
const MARKS: [&str; 4] = ["X-Squid-Error", "Proxy-Agent", "X-Cache", "X-Forwarded-Server"];

/// The fields of a head, in order.
pub(super) struct Fields<'a>(pub(super) Vec<(&'a str, &'a [u8])>);

impl<'a> Fields<'a> {
    fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a [u8]> + 'b {
        self.0.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.all(name).next().and_then(|value| latin(value.trim_ascii()))
    }

    /// Whether a list has this word.
    fn lists(&self, name: &str, word: &str) -> bool {
        let words = self.all(name).flat_map(|value| value.split(|byte| *byte == b','));
        words.into_iter().any(|own| own.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    /// `Content-Length`.
    pub(super) fn length(&self) -> Option<u64> {
        self.text("Content-Length")?.parse().ok()
    }

    /// Whether the body comes in chunks (RFC 9112 7.1).
    pub(super) fn is_chunked(&self) -> bool {
        self.lists("Transfer-Encoding", "chunked")
    }

    fn upgrades(&self) -> bool {
        self.lists("Upgrade", "websocket")
    }

    fn credentials(&self, name: &str) -> Option<HttpAuth> {
        self.all(name).next().and_then(auth::credentials)
    }

    fn challenges(&self, name: &str) -> Vec<HttpAuth> {
        self.all(name).flat_map(auth::challenges).take(MAX_OFFERS).collect()
    }

    fn mark(&self) -> Option<String> {
        let marks = || MARKS.iter().find_map(|name| Some(format!("{name}: {}", self.text(name)?)));
        self.text("Via").or_else(marks)
    }
}

/// A request's head.
pub(super) fn request(method: &str, target: &str, version: u8, fields: &Fields<'_>) -> HttpRequest {
    let (path, upgrade) = (place(target.as_bytes()).unwrap_or_default(), fields.upgrades());
    HttpRequest {
        transport: transport(method, &path, upgrade),
        method: latin(method.as_bytes()).unwrap_or_default(),
        path,
        host: fields.text("Host").or_else(|| fields.text(":authority")),
        version,
        user_agent: fields.text("User-Agent"),
        upgrade,
        authorization: fields.credentials("Authorization"),
        proxy_authorization: fields.credentials("Proxy-Authorization"),
        connection_id: fields.text("RDG-Connection-Id"),
        correlation_id: fields.text("RDG-Correlation-Id"),
        auth_scheme: fields.text("RDG-Auth-Scheme"),
        length: fields.length(),
    }
}

/// A response's head, to a request for `transport`.
pub(super) fn response(transport: Transport, status: u16, reason: &str, fields: &Fields<'_>) -> HttpResponse {
    HttpResponse {
        transport,
        status,
        reason: latin(reason.as_bytes()).unwrap_or_default(),
        offers: fields.challenges("WWW-Authenticate"),
        proxy_offers: fields.challenges("Proxy-Authenticate"),
        upgrade: status == 101 && fields.upgrades(),
        closes: fields.lists("Connection", "close"),
        location: fields.all("Location").next().and_then(place),
        server: fields.text("Server"),
        via: fields.mark(),
        content_type: fields.text("Content-Type"),
        length: fields.length(),
    }
}

/// An address without what could be a secret: a query, and a user's name and password before the host.
fn place(target: &[u8]) -> Option<String> {
    let end = target.iter().position(|byte| b"?#".contains(byte)).unwrap_or(target.len());
    let target = &target[..end];
    // Before anything is cut: what stands in front of the last @ of the authority goes.
    let authority = target.windows(2).position(|two| two == b"//").map_or(0, |at| at + 2);
    let (scheme, rest) = target.split_at(authority);
    let host = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    let begin = rest[..host].iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
    latin(&[scheme, &rest[begin..]].concat())
}

fn transport(method: &str, path: &str, upgrade: bool) -> Transport {
    match method {
        "RDG_OUT_DATA" if upgrade => Transport::WebSocket,
        "RDG_OUT_DATA" => Transport::HttpOut,
        "RDG_IN_DATA" => Transport::HttpIn,
        "RPC_OUT_DATA" => Transport::RpcOut,
        "RPC_IN_DATA" => Transport::RpcIn,
        "CONNECT" => Transport::Connect,
        "POST" if path.trim_end_matches('/').to_ascii_lowercase().ends_with("/kdcproxy") => Transport::KdcProxy,
        _ => Transport::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_for() {
        for (method, path, upgrade, expected) in [
            ("RDG_OUT_DATA", "/remoteDesktopGateway/", true, Transport::WebSocket),
            ("RDG_OUT_DATA", "/remoteDesktopGateway/", false, Transport::HttpOut),
            ("RDG_IN_DATA", "/remoteDesktopGateway/", false, Transport::HttpIn),
            ("RPC_IN_DATA", "/rpc/rpcproxy.dll", false, Transport::RpcIn),
            ("RPC_OUT_DATA", "/rpc/rpcproxy.dll", false, Transport::RpcOut),
            ("POST", "/KdcProxy", false, Transport::KdcProxy),
            ("CONNECT", "gw.example.com:443", false, Transport::Connect),
            ("GET", "/", true, Transport::Other),
        ] {
            assert_eq!(transport(method, path, upgrade), expected, "{method} {path}");
        }
    }

    #[test]
    fn secrets_in_addresses_are_left_out() {
        for (address, expected) in [
            ("/rpc/rpcproxy.dll?localhost:3388", "/rpc/rpcproxy.dll"),
            ("https://user:pass@gw/x?token=1", "https://gw/x"),
            ("https://gw/a@b", "https://gw/a@b"),
            ("user:pass@gw:443", "gw:443"),
        ] {
            assert_eq!(place(address.as_bytes()).as_deref(), Some(expected));
        }
    }
}
