//! PDUs of both channels, however they are cut.

use super::*;
use crate::event::RpcPdu;

fn pdu(kind: u8, flags: u8, call: u32, body: &[u8], token: Option<(u8, &[u8])>) -> Vec<u8> {
    let trailer = token.map_or_else(Vec::new, |(level, token)| [&[10, level, 0, 0, 0, 0, 0, 0][..], token].concat());
    let len = (HEADER + body.len() + trailer.len()) as u16;
    let token_len = token.map_or(0, |(_, token)| token.len() as u16);
    let header = [5, 0, kind, flags, 0x10, 0, 0, 0];
    [&header[..], &len.to_le_bytes(), &token_len.to_le_bytes(), &call.to_le_bytes(), body, &trailer].concat()
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn rts(flags: u16, count: u16, commands: &[u8]) -> Vec<u8> {
    pdu(20, 3, 0, &[&flags.to_le_bytes()[..], &count.to_le_bytes(), commands].concat(), None)
}

fn request(opnum: u16, stub: &[u8], level: u8) -> Vec<u8> {
    pdu(0, 3, 2, &[&[0; 6][..], &opnum.to_le_bytes(), stub].concat(), Some((level, &[1; 16])))
}

fn response(flags: u8, call: u32, stub: &[u8]) -> Vec<u8> {
    pdu(2, flags, call, &[&[0; 8][..], stub].concat(), None)
}

/// Everything that is told of one side, and what it carries.
fn told(from: Side, bytes: &[u8], cut: usize) -> (String, Vec<Carried>, Option<TunnelId>) {
    let (mut rpc, mut carried, mut out) = (Rpc::default(), Vec::new(), Vec::new());
    bytes.chunks(cut).for_each(|data| rpc.push(from, data, &mut carried, &mut out));
    let words: Vec<String> = out
        .iter()
        .map(|what| match what {
            What::Gateway(GatewayEvent::Rpc { pdu: RpcPdu::Rts { name }, .. }) => (*name).to_owned(),
            What::Gateway(GatewayEvent::Rpc { pdu, .. }) => format!("{pdu:?}"),
            What::Gateway(GatewayEvent::Tunnel { message, .. }) => format!("{message:?}"),
            What::Gateway(GatewayEvent::Carried { len, .. }) => format!("carries {len}"),
            What::Malformed { offset, says, .. } => format!("{offset}: {says}"),
            other => format!("{other:?}"),
        })
        .collect();
    (words.join("; "), carried, rpc.cookie())
}

fn check(from: Side, bytes: &[u8], expected: &str, carries: &[u8]) {
    let carried = if carries.is_empty() { vec![] } else { vec![Carried::Bytes { from, data: carries.to_vec() }] };
    for cut in [1, 2, 3, 17, 1000, usize::MAX] {
        let (words, bytes, _) = told(from, bytes, cut);
        assert_eq!((words.as_str(), &bytes), (expected, &carried), "cut at {cut}");
    }
}

#[test]
fn the_client_speaks() {
    let endpoint = [
        vec![0; 20],
        words(&[0x0002_0000, 1, 0, 0]),
        vec![3, 0, 0x3d, 0x0d],
        words(&[1, 0x0002_0004, 3, 0, 3]),
        vec![b'p', 0, b'c', 0, 0, 0, 0, 0],
    ]
    .concat();
    let caps = [
        words(&[VERSION, VERSION, 0x0002_0000]),
        vec![0x52, 0x54, 0x43, 0x56],
        words(&[0x0002_0004, 1]),
        vec![1, 0, 1, 0, 0, 0, 0, 0],
        words(&[1, 1, 1, 0x1f]),
    ]
    .concat();
    const VERSION: u32 = 0x5643;
    let data = [vec![0; 20], vec![0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 3], b"abc".to_vec()].concat();
    let cookies = [words(&[6, 1, 3]), vec![0xaa; 16], words(&[3]), vec![0xbb; 16], words(&[0, 0x10000])].concat();
    for (bytes, expected, carries) in [
        (rts(0, 4, &cookies), "CONN/A1", &b""[..]),
        (rts(2, 1, &[words(&[1, 9, 9]), vec![0; 16]].concat()), "FlowControlAck", b""),
        (rts(1, 0, &[]), "Ping", b""),
        (rts(7, 1, &words(&[77])), "another RTS PDU", b""),
        (
            request(1, &caps, 5),
            "Request { opnum: 1 }; TunnelCreate { capabilities: 31, has_cookie: false, is_reauthentication: false }",
            b"",
        ),
        (
            request(4, &endpoint, 5),
            "Request { opnum: 4 }; ChannelCreate { targets: [\"pc\"], port: 3389, protocol: 3 }",
            b"",
        ),
        (request(4, &endpoint, 6), "Request { opnum: 4 }", b""),
        (request(8, &[0; 20], 5), "Request { opnum: 8 }", b""),
        (request(9, &data, 5), "carries 3", b"abc"),
        (pdu(11, 3, 1, &[0; 12], Some((5, b"x"))), "Bind { name: \"bind\", token: None }", b""),
        (b"GET / HTTP/1.1\r\n".to_vec(), "0: expected a PDU of RPC (05 00), little-endian, found something else", b""),
    ] {
        check(Side::Client, &bytes, expected, carries);
    }
    assert_eq!(told(Side::Client, &rts(0, 4, &cookies), 5).2, Some(TunnelId("aa".repeat(16))));
}

#[test]
fn the_gateway_answers() {
    let authorized =
        [words(&[0x0002_0000, 0x5052, 0x5052, 0x0002_0004, 0, 0, 0x0002_0008, 4, 1, 0, 0, 0, 0, 0, 0, 0, 4, 30, 0])]
            .concat();
    let fault = [&[0; 8][..], &words(&[5, 0])].concat();
    for (bytes, expected, carries) in [
        (rts(0, 1, &words(&[2, 120_000])), "CONN/A3", &b""[..]),
        (pdu(13, 3, 1, &[4, 0, 0, 0], None), "BindNak { reason: 4 }", b""),
        (pdu(3, 3, 1, &fault, None), "Fault { status: 5 }", b""),
        (
            response(3, 2, &words(&[0, 0, 0, 0, 0, 0, 0, 0x8007_59db])),
            "Response { result: Some(2147965403) }; TunnelResponse { status: 2147965403, tunnel: None, capabilities: None, asks_health: false, consent: 0 }",
            b"",
        ),
        (
            response(3, 2, &authorized),
            "Response { result: Some(0) }; TunnelAuthorizeResponse { error: 0, redirection: Some(2147483648), idle_timeout: Some(30) }",
            b"",
        ),
        (
            response(3, 2, &words(&[1, 2, 3, 4, 5, 1, 0])),
            "Response { result: Some(0) }; ChannelResponse { error: 0, channel: Some(1), udp_port: None }",
            b"",
        ),
        (response(3, 2, &[0; 24]), "Response { result: Some(0) }; CloseResponse { status: 0 }", b""),
        (response(3, 2, &[0; 4]), "", b""),
        (
            [
                response(1, 9, &[3, 0, 0, 7]),
                response(3, 10, &[0; 4]),
                response(0, 9, b"more"),
                response(2, 9, &[0xd4, 4, 0, 0]),
            ]
            .concat(),
            "carries 4; carries 4; Response { result: Some(1236) }",
            b"\x03\0\0\x07more",
        ),
    ] {
        check(Side::Server, &bytes, expected, carries);
    }
}

#[test]
fn fragments_are_put_together_and_holes_cost_their_call() {
    let stub = words(&[1, 2, 3, 4, 5, 1, 0]);
    let bytes = [response(1, 2, &stub[..10]), response(0, 2, &stub[10..20]), response(2, 2, &stub[20..])].concat();
    let expected = "Response { result: Some(0) }; ChannelResponse { error: 0, channel: Some(1), udp_port: None }";
    check(Side::Server, &bytes, expected, b"");
    let (mut rpc, mut carried, mut out) = (Rpc::default(), Vec::new(), Vec::new());
    rpc.push(Side::Server, &bytes[..20], &mut carried, &mut out);
    rpc.missing(Side::Server, 5, &mut carried, &mut out);
    rpc.push(Side::Server, &bytes[25..], &mut carried, &mut out);
    let hidden = RpcPdu::Response { result: None };
    assert_eq!(out, [What::Gateway(GatewayEvent::Rpc { from: Side::Server, pdu: hidden })]);
}
