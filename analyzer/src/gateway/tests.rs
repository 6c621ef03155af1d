//! Whole connections to a gateway, however they are cut: who says what, and what is carried.

use super::*;
use crate::event::{KdcMessage, RpcPdu};
use Side::{Client, Server};

/// What a talk makes, a word for each event, and what it carries of each side.
#[derive(Debug, Default, PartialEq)]
struct Told {
    words: Vec<String>,
    carried: [Vec<u8>; 2],
    lacks: [u64; 2],
    tunnel: Option<TunnelId>,
    is_connected: bool,
}

/// What a side does.
enum Step {
    Says(Side, Vec<u8>),
    Lacks(Side, u64),
}

fn word(what: &What) -> String {
    match what {
        What::Gateway(GatewayEvent::Request(request)) => format!("{} {}", request.method, request.transport.name()),
        What::Gateway(GatewayEvent::Response(response)) => {
            let offers: Vec<&str> = response.offers.iter().map(|offer| offer.scheme.as_str()).collect();
            format!("{} {} {}", response.status, response.transport.name(), offers.join(",")).trim_end().to_owned()
        }
        What::Gateway(GatewayEvent::Tunnel { message, .. }) => message.name().to_owned(),
        What::Gateway(GatewayEvent::Carried { len, .. }) => format!("carries {len}"),
        What::Gateway(GatewayEvent::WebSocketClose { code, .. }) => format!("close {code:?}"),
        What::Gateway(GatewayEvent::Kdc { message: KdcMessage::Request { kind, realm }, .. }) => {
            format!("kdc {kind} {realm:?}")
        }
        What::Gateway(GatewayEvent::Kdc { message, .. }) => format!("{message:?}"),
        What::Gateway(GatewayEvent::Rpc { pdu: RpcPdu::Rts { name }, .. }) => (*name).to_owned(),
        What::Malformed { layer, offset, .. } => format!("{layer}! {offset}"),
        other => format!("{other:?}"),
    }
}

fn told(steps: &[Step], cut: usize) -> Told {
    let (mut channel, mut out, mut told) = (Channel::new(), Vec::new(), Told::default());
    for step in steps {
        match step {
            Step::Says(from, bytes) => bytes.chunks(cut).for_each(|data| channel.push(*from, data, &mut out)),
            Step::Lacks(from, len) => channel.missing(*from, *len, &mut out),
        }
        for carried in channel.take_carried() {
            match carried {
                Carried::Bytes { from, data } => told.carried[from as usize].extend(data),
                Carried::Missing { from, len } => told.lacks[from as usize] += len,
            }
        }
    }
    told.words = out.iter().map(word).collect();
    (told.tunnel, told.is_connected) = (channel.tunnel().cloned(), channel.connected());
    told
}

/// The talk makes this, cut at every byte.
fn check(steps: &[Step], expected: &str) -> Told {
    let whole = told(steps, usize::MAX);
    for cut in [1, 2, 3, 7, 50] {
        assert_eq!(told(steps, cut), whole, "cut at {cut}");
    }
    let expected: Vec<&str> = expected.split("; ").map(str::trim).collect();
    assert_eq!(whole.words, expected);
    whole
}

fn says(from: Side, bytes: impl AsRef<[u8]>) -> Step {
    Step::Says(from, bytes.as_ref().to_vec())
}

fn packet(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &[0, 0], &(8 + body.len() as u32).to_le_bytes(), body].concat()
}

fn data(bytes: &[u8]) -> Vec<u8> {
    packet(0xa, &[&(bytes.len() as u16).to_le_bytes()[..], bytes].concat())
}

fn frame(from: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u8;
    match from {
        Server => [&[first, len][..], payload].concat(),
        Client => {
            let masked: Vec<u8> =
                payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            [&[first, 0x80 | len, 1, 2, 3, 4][..], &masked].concat()
        }
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

const HANDSHAKE: &[u8] = &[1, 0, 0, 0, 0, 0];
const HANDSHAKE_RESPONSE: &[u8] = &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
const UPGRADE: &str = "RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    RDG-Connection-Id: {1}\r\nHost: gw\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";
const REFUSAL: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 4\r\n\r\noops";

#[test]
fn a_websocket_behind_a_refusal() {
    let told = check(
        &[
            says(Client, UPGRADE),
            says(Server, REFUSAL),
            says(Client, UPGRADE),
            says(Server, SWITCH),
            says(Client, frame(Client, 0x82, &packet(1, HANDSHAKE))),
            says(Server, frame(Server, 0x82, &packet(2, HANDSHAKE_RESPONSE))),
            says(
                Client,
                [frame(Client, 0x02, &data(b"hello")[..12]), frame(Client, 0x80, &data(b"hello")[12..])].concat(),
            ),
            says(Server, [frame(Server, 0x89, b"ping"), frame(Server, 0x82, &data(b"world"))].concat()),
            says(Client, frame(Client, 0x82, &packet(0x10, &[0; 4]))),
            says(Client, frame(Client, 0x88, &[0x03, 0xe8])),
        ],
        "RDG_OUT_DATA WebSocket; 401 WebSocket Negotiate,NTLM; RDG_OUT_DATA WebSocket; 101 WebSocket; handshake request; \
         handshake response; carries 5; carries 5; close; close Some(1000)",
    );
    assert_eq!(told.carried, [b"hello".to_vec(), b"world".to_vec()]);
    assert_eq!(told.tunnel, Some(TunnelId("{1}".into())));
}

#[test]
fn the_two_channels_of_http() {
    let server = [vec![0xab; 100], packet(2, HANDSHAKE_RESPONSE), data(b"world")].concat();
    let out = check(
        &[
            says(Client, "RDG_OUT_DATA / HTTP/1.1\r\nRDG-Connection-Id: {1}\r\n\r\n"),
            says(Server, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"),
            says(Server, server),
        ],
        "RDG_OUT_DATA HTTP out; 200 HTTP out; handshake response; carries 5",
    );
    let client = [chunk(&packet(1, HANDSHAKE)), chunk(&data(b"hello")[..9]), chunk(&data(b"hello")[9..])].concat();
    let within = check(
        &[
            says(Client, "RDG_IN_DATA / HTTP/1.1\r\nRDG-Connection-Id: {1}\r\nContent-Length: 0\r\n\r\n"),
            says(Server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            says(Client, "RDG_IN_DATA / HTTP/1.1\r\nRDG-Connection-Id: {1}\r\nTransfer-Encoding: chunked\r\n\r\n"),
            says(Client, client),
        ],
        "RDG_IN_DATA HTTP in; 200 HTTP in; RDG_IN_DATA HTTP in; handshake request; carries 5",
    );
    assert_eq!((out.tunnel, &out.carried[1]), (within.tunnel, &b"world".to_vec()));
    assert_eq!(within.carried[0], b"hello");
}

#[test]
fn the_two_channels_of_rpc() {
    let cookies =
        [&[6, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0][..], &[0xaa; 16], &[3, 0, 0, 0], &[0xbb; 16], &[0; 8]].concat();
    let a1 = [&[5, 0, 20, 3, 0x10, 0, 0, 0, 76, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0][..], &cookies].concat();
    let a3 = [5, 0, 20, 3, 0x10, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    let told = check(
        &[
            says(Client, "RPC_OUT_DATA /rpc/rpcproxy.dll?localhost:3388 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
            says(Server, REFUSAL),
            says(Client, "RPC_OUT_DATA /rpc/rpcproxy.dll?localhost:3388 HTTP/1.1\r\nContent-Length: 76\r\n\r\n"),
            says(Client, a1),
            says(Server, "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 1073741824\r\n\r\n"),
            says(Server, a3),
        ],
        "RPC_OUT_DATA RPC out; 401 RPC out Negotiate,NTLM; RPC_OUT_DATA RPC out; CONN/A1; 200 RPC out; CONN/A3",
    );
    assert_eq!(told.tunnel, Some(TunnelId("aa".repeat(16))));
}

#[test]
fn a_kdc_proxy_and_a_web_proxy() {
    let message = [0x30, 13, 0xa0, 8, 4, 6, 0, 0, 0, 2, 0x6a, 0, 0xa1, 3, 0x1b, 1, b'R'];
    let message = [&[0x30, 15][..], &message[2..]].concat();
    let ask = format!("POST /KdcProxy HTTP/1.1\r\nContent-Length: {}\r\n\r\n", message.len());
    check(
        &[
            says(Client, &ask),
            says(Client, &message),
            says(Server, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"),
        ],
        "POST KDC proxy; kdc 10 Some(\"R\"); 503 KDC proxy",
    );
    let told = check(
        &[
            says(Client, "CONNECT gw:443 HTTP/1.1\r\n\r\n"),
            says(Server, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
            says(Client, "CONNECT gw:443 HTTP/1.1\r\n\r\n"),
            says(Server, "HTTP/1.1 200 Connection established\r\n\r\n"),
            says(Client, b"\x16\x03\x01"),
            says(Server, b"\x16\x03\x03"),
        ],
        "CONNECT CONNECT; 407 CONNECT; CONNECT CONNECT; 200 CONNECT",
    );
    assert!(told.is_connected);
    assert_eq!(told.carried, [b"\x16\x03\x01", b"\x16\x03\x03"]);
}

#[test]
fn http_2_without_indexed_fields() {
    let literal = |name: &str, value: &str| {
        [&[0, name.len() as u8][..], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    };
    let frame = |kind: u8, flags: u8, payload: &[u8]| {
        [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 1][..], payload].concat()
    };
    let head = [literal(":method", "POST"), literal(":path", "/KdcProxy"), literal(":authority", "gw")].concat();
    let body = [0x30, 15, 0xa0, 8, 4, 6, 0, 0, 0, 2, 0x6a, 0, 0xa1, 3, 0x1b, 1, b'R'];
    let padded = [&[3][..], &body, &[0; 3]].concat();
    check(
        &[
            says(Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            says(Server, frame(4, 0, &[])),
            says(
                Client,
                [frame(4, 0, &[]), frame(1, 0, &head[..9]), frame(9, 4, &head[9..]), frame(0, 9, &padded)].concat(),
            ),
            says(Server, [frame(1, 4, &literal(":status", "503")), frame(0, 1, b"<html>")].concat()),
            Step::Lacks(Server, 3),
        ],
        "POST KDC proxy; kdc 10 Some(\"R\"); 503 KDC proxy; http2! 46",
    );
}

#[test]
fn holes_cost_what_they_cost() {
    let long = frame(Server, 0x82, &data(&[7; 100]));
    let told = check(
        &[
            says(Client, UPGRADE),
            Step::Lacks(Client, 10),
            says(Server, SWITCH),
            // The answer shows where the client goes on.
            says(Client, frame(Client, 0x82, &packet(1, HANDSHAKE))),
            says(Server, &long[..20]),
            Step::Lacks(Server, 50),
            says(Server, &long[70..]),
            says(Server, frame(Server, 0x82, &packet(2, HANDSHAKE_RESPONSE))),
            Step::Lacks(Server, 5),
            says(Server, &long),
        ],
        "RDG_OUT_DATA WebSocket; http! 123; 101 WebSocket; handshake request; carries 100; handshake response; websocket! 132",
    );
    assert_eq!((told.carried[1].len(), told.lacks[1]), (50, 50 + 5 + 112));
}

#[test]
fn an_answer_that_nobody_heard() {
    let told = check(
        &[
            says(Client, UPGRADE),
            Step::Lacks(Server, SWITCH.len() as u64),
            says(Client, frame(Client, 0x82, &data(b"hello"))),
        ],
        "RDG_OUT_DATA WebSocket; http! 0; carries 5",
    );
    assert_eq!(told.carried[0], b"hello");
}

#[test]
fn what_is_no_http_is_said_once() {
    let told = check(
        &[says(Client, b"\x03\0\0\x13\x0e"), says(Client, b"more"), says(Server, b"SSH-2.0-x\r\nmore")],
        "http! 0; http! 0",
    );
    assert_eq!(told.lacks, [0, 0]);
}
