//! What stands in TLS with an RD Gateway: HTTP/1.1, and behind its 101 the packets of the tunnel in WebSocket frames. Built
//! here field by field, without the help of the analyzer or of the lab's gateway.

use analyzer::observation::Side;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::messages::number;

/// Where a gateway waits for tunnels, and what a tunnel is called.
const ASK: &str = "RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: server.example\r\nUser-Agent: MS-RDGateway/1.0\r\n\
    RDG-Connection-Id: {5a0e1f8c-7d41-4b62-9c3e-2f60a1b7d9e4}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";
/// The target behind the gateway.
const TARGET: &str = "host.example";
/// The mask of a client's frames (RFC 6455 5.3).
const MASK: [u8; 4] = [0x3b, 0x91, 0x0e, 0xc4];

/// The way up to the channel, as a gateway goes it that lets the client through: each message with its name.
pub const WAY: &[(Side, &str, &[&str])] = &[
    (Side::Client, "ask", &["@ask"]),
    (Side::Server, "demand", &["@status", "401", "Negotiate", "NTLM"]),
    (Side::Client, "negotiate", &["@ask", "NTLM", "1"]),
    (Side::Server, "challenge", &["@status", "401", "NTLM", "2"]),
    (Side::Client, "authenticate", &["@ask", "NTLM", "3"]),
    (Side::Server, "switch", &["@status", "101"]),
    (Side::Client, "handshake-request", &["@handshake-request"]),
    (Side::Server, "handshake", &["@handshake", "0"]),
    (Side::Client, "create", &["@create"]),
    (Side::Server, "tunnel", &["@tunnel", "0"]),
    (Side::Client, "authorize", &["@authorize"]),
    (Side::Server, "authorized", &["@authorized", "0"]),
    (Side::Client, "channel-create", &["@channel-create"]),
    (Side::Server, "channel", &["@channel", "0"]),
];

/// HTTP by its name: `@ask [SCHEME [TOKEN]]`, `@kdc`, `@connect`, `@status CODE [SCHEME [TOKEN]]… [via=…] [server=…]
/// [connection=…]`. A token is the number of an NTLM message, or `x`.
pub fn http<'a>(name: &str, words: &[&str], option: &dyn Fn(&str) -> Option<&'a str>) -> Option<Vec<u8>> {
    let head = match name {
        "ask" => ASK.to_owned() + &lines("Authorization", words),
        "kdc" => "POST /KdcProxy HTTP/1.1\r\nHost: server.example\r\nContent-Length: 0\r\n".to_owned(),
        "connect" => "CONNECT server.example:443 HTTP/1.1\r\nHost: server.example:443\r\n".to_owned(),
        "status" => {
            let (code, schemes) = words.split_first().expect("a status code");
            let field = if *code == "407" { "Proxy-Authenticate" } else { "WWW-Authenticate" };
            let named = [("Via", "via"), ("Server", "server"), ("Connection", "connection")];
            let named = named.iter().filter_map(|(name, key)| Some(format!("{name}: {}\r\n", option(key)?)));
            let named: String = named.collect();
            format!("HTTP/1.1 {code} {}\r\n{}{named}{}", reason(code), lines(field, schemes), framing(code))
        }
        _ => return None,
    };
    Some((head + "\r\n").into_bytes())
}

fn reason(code: &str) -> &'static str {
    match code {
        "101" => "Switching Protocols",
        "200" => "OK",
        "302" => "Found",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not Found",
        "405" => "Method Not Allowed",
        "407" => "Proxy Authentication Required",
        "503" => "Service Unavailable",
        other => panic!("expected a status code, found {other:?}"),
    }
}

fn framing(code: &str) -> &'static str {
    match code {
        "101" => "Upgrade: websocket\r\nConnection: Upgrade\r\n",
        "302" => "Location: https://login.example/\r\nContent-Length: 0\r\n",
        _ => "Content-Length: 0\r\n",
    }
}

/// A line for each scheme, with the token that follows it.
fn lines(field: &str, words: &[&str]) -> String {
    let mut text = String::new();
    for (place, word) in words.iter().enumerate().filter(|(_, word)| is_scheme(word)) {
        let token = words.get(place + 1).filter(|next| !is_scheme(next));
        let token = token.map_or(String::new(), |token| format!(" {}", credentials(token)));
        text += &format!("{field}: {word}{token}\r\n");
    }
    text
}

fn is_scheme(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// \[MS-NLMP\] 2.2.1, whose fields are all empty; or no NTLM at all.
fn credentials(token: &str) -> String {
    let Ok(kind) = token.parse::<u8>() else { return "eDp4".to_owned() };
    BASE64_STANDARD.encode([&b"NTLMSSP\0"[..], &[kind, 0, 0, 0], &[0; 60]].concat())
}

/// A packet of the tunnel by its name, \[MS-TSGU\] 2.2.10, in a frame of the side that sends it.
pub fn packet(from: Side, name: &str, words: &[&str]) -> Option<Vec<u8>> {
    let result = words.first().filter(|word| word.starts_with('0')).map_or(0, |word| number(word));
    let (code, granted) = (result.to_le_bytes(), u8::from(result == 0));
    let body = match name {
        "handshake-request" => (0x1, vec![1, 0, 0, 0, 0, 0]),
        "handshake" => (0x2, [&code[..], &[1, 0, 0, 0, 0, 0]].concat()),
        "create" => (0x4, vec![0x3f, 0, 0, 0, 0, 0, 0, 0]),
        "create-with-cookie" => (0x4, [&[0x3f, 0, 0, 0, 1, 0, 0, 0][..], &text("cookie")].concat()),
        "tunnel" => (0x5, [&[1, 0][..], &code, &[granted, 0, 0, 0], &optional(granted, &[7, 0, 0, 0])].concat()),
        "authorize" => (0x6, [&[0, 0][..], &text("CLIENT")].concat()),
        // idleTimeout: 30 minutes.
        "authorized" => (0x7, [&code[..], &[granted * 2, 0, 0, 0], &optional(granted, &[30, 0, 0, 0])].concat()),
        "channel-create" => (0x8, [&[1, 0][..], &3389_u16.to_le_bytes(), &3_u16.to_le_bytes(), &text(TARGET)].concat()),
        "channel" => (0x9, [&code[..], &[granted, 0, 0, 0], &optional(granted, &[1, 0, 0, 0])].concat()),
        "message" => (0xb, text("the gateway restarts")),
        "keep-alive" => (0xd, Vec::new()),
        "close" => (0x10, code.to_vec()),
        "closed" => (0x11, code.to_vec()),
        "shut" => return Some(frame(from, 0x88, &1000_u16.to_be_bytes())),
        _ => return None,
    };
    Some(frame(from, 0x82, &raw(body.0, &body.1)))
}

/// Bytes of the RDP connection in the tunnel, 2.2.10.6.
pub fn carried(from: Side, bytes: &[u8]) -> Vec<u8> {
    frame(from, 0x82, &raw(0xa, &[&(bytes.len() as u16).to_le_bytes()[..], bytes].concat()))
}

fn optional(granted: u8, field: &[u8]) -> Vec<u8> {
    field.repeat(granted.into())
}

/// 2.2.10.9
fn raw(kind: u16, body: &[u8]) -> Vec<u8> {
    let len = (body.len() + 8) as u32;
    [&kind.to_le_bytes()[..], &[0; 2], &len.to_le_bytes(), body].concat()
}

/// 2.2.10.22, with its NUL.
fn text(text: &str) -> Vec<u8> {
    let text: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    [&(text.len() as u16).to_le_bytes()[..], &text].concat()
}

/// RFC 6455 5.2: what a client sends is masked.
fn frame(from: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    let masked = if from == Side::Client { 0x80 } else { 0 };
    let length = match payload.len() {
        short @ ..126 => vec![masked | short as u8],
        long => [&[masked | 126][..], &(long as u16).to_be_bytes()].concat(),
    };
    let mask: &[u8] = if from == Side::Client { &MASK } else { &[] };
    let payload = payload.iter().zip(MASK.iter().cycle());
    let payload: Vec<u8> = payload.map(|(byte, key)| byte ^ if mask.is_empty() { 0 } else { *key }).collect();
    [&[first][..], &length, mask, &payload].concat()
}
