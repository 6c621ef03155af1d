//! Packets of the tunnel, one side's, however they are cut.

use super::*;

fn utf16(text: &str) -> Vec<u8> {
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&(text.len() as u16).to_le_bytes()[..], &text].concat()
}

fn packet(kind: u16, body: &[u8]) -> Vec<u8> {
    let len = (HEADER + body.len()) as u32;
    [&kind.to_le_bytes()[..], &[0, 0], &len.to_le_bytes(), body].concat()
}

/// Steps of one side, the bytes it carries put together.
fn steps(mut packets: Packets, bytes: &[u8], cut: usize) -> (String, Vec<u8>) {
    let (mut words, mut carried) = (Vec::new(), Vec::new());
    for mut data in bytes.chunks(cut) {
        while let Some(piece) = packets.next(&mut data) {
            match piece {
                Piece::Message(message) => words.push(format!("{message:?}")),
                Piece::Carry(len) => words.push(format!("carries {len}")),
                Piece::Data(data) => carried.extend_from_slice(data),
                Piece::Dropped(_) => {}
                Piece::Trouble(at, says) => words.push(format!("{at}: {says}")),
            }
        }
    }
    (words.join("; "), carried)
}

#[test]
fn every_packet() {
    let host = utf16("host\0");
    let blob = |bytes: &[u8]| [&(bytes.len() as u16).to_le_bytes()[..], bytes].concat();
    let health = [&[0, 0, 5, 0, 0, 0, 0x14, 0, 0, 0][..], &[9; 16], &blob(b"cert"), &blob(&[1; 6])].concat();
    for (kind, body, expected) in [
        (0x1, vec![1, 0, 0, 0, 2, 0], "HandshakeRequest { version: (1, 0), extended_auth: 2 }"),
        (
            0x2,
            vec![0xe9, 0x59, 7, 0x80, 1, 0, 0, 0, 4, 0],
            "HandshakeResponse { error: 2147965417, version: (1, 0), extended_auth: 4 }",
        ),
        (0x3, [&[0, 0, 0, 0][..], &blob(b"x")].concat(), "ExtendedAuth { error: 0, token: None }"),
        (
            0x4,
            [&[0x3f, 0, 0, 0, 1, 0, 0, 0][..], &blob(b"cookie")].concat(),
            "TunnelCreate { capabilities: 63, has_cookie: true, is_reauthentication: false }",
        ),
        (
            0x4,
            vec![0x3f, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
            "TunnelCreate { capabilities: 63, has_cookie: false, is_reauthentication: true }",
        ),
        (
            0x5,
            vec![0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0x3f, 0, 0, 0],
            "TunnelResponse { status: 0, tunnel: Some(9), capabilities: Some(63), asks_health: false, consent: 0 }",
        ),
        (0x5, health, "TunnelResponse { status: 5, tunnel: None, capabilities: None, asks_health: true, consent: 6 }"),
        (0x6, [&[0, 0][..], &host].concat(), "TunnelAuthorize { has_health: false }"),
        (
            0x7,
            vec![0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x80, 30, 0, 0, 0],
            "TunnelAuthorizeResponse { error: 0, redirection: Some(2147483648), idle_timeout: Some(30) }",
        ),
        (
            0x8,
            [&[1, 0, 0x3d, 0x0d, 3, 0][..], &host].concat(),
            "ChannelCreate { targets: [\"host\"], port: 3389, protocol: 3 }",
        ),
        (
            0x9,
            vec![0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0x3d, 0x0d],
            "ChannelResponse { error: 0, channel: Some(1), udp_port: Some(3389) }",
        ),
        (0xb, utf16("hello"), "ServiceMessage { len: 10 }"),
        (0xc, vec![0; 8], "Reauthenticate"),
        (0xd, vec![], "KeepAlive"),
        (0x10, vec![0xd8, 0x59, 7, 0x80], "Close { status: 2147965400 }"),
        (0x11, vec![0; 4], "CloseResponse { status: 0 }"),
        (0x77, vec![1, 2, 3], "Unknown { kind: 119, len: 11 }"),
        (0x8, vec![1], "0: expected a packet of type 0x8, found 9 bytes that are too few"),
    ] {
        let bytes = [packet(kind, &body), packet(0xd, &[])].concat();
        for cut in 1..=bytes.len() {
            assert_eq!(steps(Packets::default(), &bytes, cut).0, format!("{expected}; KeepAlive"), "cut at {cut}");
        }
    }
}

#[test]
fn data_is_handed_on_behind_a_seed_of_any_length() {
    let handshake = packet(0x2, &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    let data = [packet(0xa, &[3, 0, 7, 8, 9]), packet(0xa, &[1, 0, 10, 99, 99]), packet(0xd, &[])].concat();
    for seed in [0, 10, 100] {
        let bytes = [&vec![0xab; seed][..], &handshake, &data].concat();
        let expected =
            "HandshakeResponse { error: 0, version: (1, 0), extended_auth: 0 }; carries 3; carries 1; KeepAlive";
        for cut in 1..=bytes.len() {
            assert_eq!(steps(Packets::behind_seed(), &bytes, cut), (expected.to_owned(), vec![7, 8, 9, 10]));
        }
    }
    let (told, _) = steps(Packets::behind_seed(), &[0; 400], 3);
    assert_eq!(told, "0: expected a handshake response behind the seed, found none");
}

#[test]
fn holes_cost_what_they_cost() {
    let mut packets = Packets::default();
    let bytes = packet(0xa, &[4, 0, 1, 2, 3, 4]);
    let mut data = &bytes[..12];
    assert_eq!(packets.next(&mut data), Some(Piece::Carry(4)));
    assert_eq!(packets.next(&mut data), Some(Piece::Data(&[1, 2])));
    assert_eq!(packets.missing(1), Loss { carried: 1, lost: None });
    assert_eq!(packets.next(&mut &[4][..]), Some(Piece::Data(&[4])));
    assert_eq!(packets.missing(20), Loss { carried: 20, lost: Some(14) });
    assert_eq!(packets.missing(2), Loss { carried: 2, lost: None });
    let bytes = packet(0xd, &[]);
    assert_eq!(packets.next(&mut &bytes[..]), Some(Piece::Dropped(8)));
    packets.message();
    assert_eq!(packets.next(&mut &bytes[..]), Some(Piece::Message(TunnelMessage::KeepAlive)));
}
