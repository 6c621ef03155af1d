//! Stories of X.224 and MCS, byte by byte.

use super::mcs::Mcs;
use super::x224::{Negotiation, Next};
use crate::event::{Foreign, McsPdu, Protocols, What};
use crate::observation::Side::{self, Client, Server};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// A TPKT around an X.224 request or confirm with this variable part.
fn tpdu(code: u8, variable: &[u8]) -> Vec<u8> {
    let len = variable.len() + 11;
    let mut pdu = vec![3, 0, (len >> 8) as u8, len as u8, (len - 5) as u8, code, 0, 0, 0, 0, 0];
    pdu.extend_from_slice(variable);
    pdu
}

fn request(text: &str, structures: &str) -> Vec<u8> {
    tpdu(0xe0, &[text.as_bytes(), &bytes(structures)].concat())
}

fn confirm(structures: &str) -> Vec<u8> {
    tpdu(0xd0, &bytes(structures))
}

/// A TPKT with X.224 Data around some MCS.
fn data(mcs: &[u8]) -> Vec<u8> {
    let len = mcs.len() + 7;
    [&[3, 0, (len >> 8) as u8, len as u8, 2, 0xf0, 0x80], mcs].concat()
}

/// A Send Data Request (or Indication) on channel 1003.
fn send(choice: u8, user: &[u8]) -> Vec<u8> {
    let len = [0x80 | (user.len() >> 8) as u8, user.len() as u8];
    data(&[&[choice, 0, 3, 0x03, 0xeb, 0x70], &len[..], user].concat())
}

/// What a negotiation says of these bytes, and what comes next.
fn negotiate(script: &[(Side, &[u8])]) -> (Vec<What>, Option<Next>) {
    let mut negotiation = Negotiation::new();
    let mut out = Vec::new();
    script.iter().for_each(|(from, bytes)| negotiation.push(*from, bytes, &mut out));
    (out, negotiation.next())
}

/// The same, cut into single bytes.
fn negotiate_bytewise(script: &[(Side, &[u8])]) -> (Vec<What>, Option<Next>) {
    let single: Vec<_> = script.iter().flat_map(|(from, bytes)| bytes.chunks(1).map(|b| (*from, b))).collect();
    negotiate(&single)
}

#[track_caller]
fn check(script: &[(Side, &[u8])], expected: &str, next: Option<Next>) {
    for (events, found) in [negotiate(script), negotiate_bytewise(script)] {
        let lines: Vec<String> = events.iter().map(line).collect();
        let wanted: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!((lines.iter().map(String::as_str).collect::<Vec<_>>(), found), (wanted, next));
    }
}

fn line(what: &What) -> String {
    match what {
        What::ConnectionRequest(r) => {
            let mut line = "request".to_owned();
            r.cookie.iter().for_each(|c| line += &format!(" cookie={c}"));
            r.routing_token.iter().for_each(|t| line += &format!(" token={t}"));
            r.requested.iter().for_each(|p| line += &format!(" {} flags={:#x}", p.names().join("+"), r.flags));
            r.correlation_id.iter().for_each(|id| line += &format!(" id={id}"));
            line
        }
        What::ConnectionConfirm(c) => match c.selected {
            Some(p) => format!("confirm {} flags={:#x}", p.names().join("+"), c.flags),
            None => "confirm bare".to_owned(),
        },
        What::NegotiationFailure { code } => format!("failure {code}"),
        What::X224Refused { code, reason } => format!("refused {code:02x} {reason}"),
        What::NotRdp { from, looks } => format!("not rdp {from} {looks:?}"),
        What::Mcs { from, pdu } => format!("{from} {pdu:?}"),
        What::Malformed { from, layer, offset, says } => format!("malformed {from} {layer} {offset}: {says}"),
        other => format!("{other:?}"),
    }
}

const NLA: &str = "01 00 08 00 0b 00 00 00";

#[test]
fn mstsc_asks_for_nla_and_gets_it() {
    check(
        &[(Client, &request("Cookie: mstshash=Administr\r\n", NLA)), (Server, &confirm("02 1f 08 00 08 00 00 00"))],
        "request cookie=Administr SSL+HYBRID+HYBRID_EX flags=0x0
         confirm HYBRID_EX flags=0x1f",
        Some(Next::Tls),
    );
}

#[test]
fn a_broker_token_and_a_correlation_id() {
    let id = "06 00 24 00 00112233445566778899aabbccddeeff 00000000000000000000000000000000";
    check(
        &[(Client, &request("Cookie: msts=3640205228.15629.0000\r\n", &format!("01 08 08 00 03 00 00 00 {id}")))],
        "request token=Cookie: msts=3640205228.15629.0000 SSL+HYBRID flags=0x8 id=00112233445566778899aabbccddeeff",
        None,
    );
    check(
        &[(Client, &request("tsv://MS Terminal Services Plugin.1.Farm\r\n", NLA))],
        "request token=tsv://MS Terminal Services Plugin.1.Farm SSL+HYBRID+HYBRID_EX flags=0x0",
        None,
    );
}

#[test]
fn an_old_peer_sends_no_negotiation_at_all() {
    check(
        &[(Client, &request("Cookie: mstshash=eltons\r\n", "")), (Server, &confirm(""))],
        "request cookie=eltons
         confirm bare",
        Some(Next::Mcs),
    );
}

#[test]
fn the_server_refuses() {
    check(&[(Server, &confirm("03 00 08 00 05 00 00 00"))], "failure 5", Some(Next::Refused));
}

#[test]
fn standard_security_is_selected_explicitly() {
    check(&[(Server, &confirm("02 00 08 00 00 00 00 00"))], "confirm  flags=0x0", Some(Next::Mcs));
}

#[test]
fn a_cookie_cannot_move_the_cursor_and_is_cut() {
    let (events, _) = negotiate(&[(Client, &request("Cookie: mstshash=a\u{1b}[2Jb\u{202e}\n\r\n", NLA))]);
    assert_eq!(line(&events[0]), r"request cookie=a\u{1b}[2Jb\u{202e}\n SSL+HYBRID+HYBRID_EX flags=0x0");
    let (events, _) = negotiate(&[(Client, &request(&format!("Cookie: mstshash={}\r\n", "x".repeat(200)), ""))]);
    let What::ConnectionRequest(request) = &events[0] else { panic!("{events:?}") };
    assert_eq!(request.cookie.as_ref().map(String::len), Some(128));
}

#[test]
fn a_cookie_without_its_end_is_still_read() {
    check(
        &[(Client, &request("Cookie: mstshash=bob", NLA))],
        "malformed client x224 11: expected CR LF at the end of cookie or routing token, found none
         request cookie=bob SSL+HYBRID+HYBRID_EX flags=0x0",
        None,
    );
}

#[test]
fn wrong_lengths_are_told_and_survived() {
    let mut short = request("", NLA);
    short[4] = 6;
    check(
        &[(Client, &short), (Server, &confirm("02 00 09 00 01 00 00 00"))],
        "malformed client x224 4: expected a length indicator of 14, found 6
         request SSL+HYBRID+HYBRID_EX flags=0x0
         malformed server x224 11: expected length 8 in the structure of type 2, found 9
         confirm SSL flags=0x0",
        Some(Next::Tls),
    );
    check(
        &[(Server, &confirm("02 00 08 00 01"))],
        "malformed server x224 11: expected 8 bytes of type 2, found 5",
        None,
    );
    check(
        &[(Server, &bytes("03 00 00 05 06 d0"))],
        "malformed server tpkt 0: expected a TPKT length of 7 or more, found 5",
        None,
    );
}

#[test]
fn a_server_that_answers_with_something_else_of_x224() {
    check(&[(Server, &bytes("03 00 00 0b 06 80 00 00 00 00 00"))], "refused 80 0", Some(Next::Refused));
    check(&[(Server, &bytes("03 00 00 09 04 70 00 00 02"))], "refused 70 2", Some(Next::Refused));
    check(
        &[(Server, &bytes("03 00 00 0b 06 c0 00 00 00 00 00"))],
        "malformed server x224 5: expected a Connection Confirm (d0), found a Disconnect Confirm (c0)",
        None,
    );
    check(
        &[(Server, &bytes("03 00 00 0b 07 80 00 00 00 00 00"))],
        "malformed server x224 5: expected a Connection Confirm (d0), found a Disconnect Request (80)",
        None,
    );
}

/// An RDP server that takes its leave instead of a confirm (T.125, 7).
#[test]
fn a_server_that_answers_the_request_with_an_ultimatum() {
    check(
        &[(Client, &request("", NLA)), (Server, &bytes("03 00 00 09 02 f0 80 21 80"))],
        "request SSL+HYBRID+HYBRID_EX flags=0x0
         server DisconnectProviderUltimatum { reason: 3 }",
        Some(Next::Refused),
    );
    check(
        &[(Server, &bytes("03 00 00 09 02 f0 80 28 00"))],
        "malformed server x224 5: expected a Connection Confirm (d0), found Data (f0)",
        None,
    );
}

/// RFC 1006 as S7 and MMS speak it: TSAPs and a TPDU size in the variable part.
#[test]
fn iso_on_tcp_is_no_rdp() {
    for variable in ["c0 01 0a c1 02 01 00 c2 02 01 02", "c1 02 01 00", "c2 02 01 02", "c4 01 01", "85 01 00"] {
        let mut pdu = request("", variable);
        check(&[(Client, &pdu)], "not rdp client IsoTcp", Some(Next::Foreign));
        pdu[5] = 0xd0;
        check(&[(Server, &pdu)], "not rdp server IsoTcp", Some(Next::Foreign));
        for len in 6..=pdu.len() {
            pdu[5] = 0xe0;
            let expected = (len >= 12).then_some(false);
            assert_eq!(super::prelude::is_request(&pdu[..len]), expected, "{len} of {variable}");
        }
    }
    for variable in ["01 00 08 00 01 00 00 00", "06 00 24 00", "43 6f 6f 6b 69 65 3a", "74 73 76 3a"] {
        let pdu = request("", variable);
        assert_eq!(super::prelude::is_request(&pdu), Some(true), "{variable}");
    }
}

/// Shifted by four bytes: the request says that it ends where its RDP_NEG_REQ should begin.
#[test]
fn what_stands_behind_a_request_before_its_answer_is_told() {
    let shifted = bytes("03000013 0ee00ee0000000 0000000000000000 0100080003000000");
    check(
        &[(Client, &shifted)],
        "malformed client x224 11: expected CR LF at the end of cookie or routing token, found none
         request token=\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}\\u{0}
         malformed client x224 19: expected nothing behind the request before its answer, found 01",
        None,
    );
    let early_hello = [request("", NLA), bytes("16 03 01")].concat();
    check(&[(Client, &early_hello)], "request SSL+HYBRID+HYBRID_EX flags=0x0", None);
}

/// Nine bytes that announce more: told at the end, whoever closes.
#[test]
fn an_answer_that_breaks_off_is_told_at_the_end() {
    let cut = |answer: &str| {
        let mut negotiation = Negotiation::new();
        let mut out = Vec::new();
        negotiation.push(Server, &bytes(answer), &mut out);
        assert_eq!(out, []);
        negotiation.closed(&mut out);
        out.iter().map(line).collect::<Vec<_>>()
    };
    let partial = |have, need| {
        vec![format!("Partial {{ from: Server, message: \"Connection Confirm\", have: {have}, need: {need} }}")]
    };
    assert_eq!(cut("03 00 00 13 0e d0 12 34 00"), partial(9, 19));
    assert_eq!(cut("03 00 00 13"), partial(4, 19));
    assert_eq!(cut("03 00"), partial(2, 4));
    let other = "malformed server x224 5: expected a Connection Confirm (d0), found code 00";
    let tpkt = r#"Partial { from: Server, message: "TPKT", have: 9, need: 43 }"#;
    assert_eq!(cut("03 00 00 2b 00 03 00 80 01"), [other, tpkt]);
}

#[test]
fn what_the_client_does_stands_in_for_a_confirm_that_is_lost() {
    let mut negotiation = Negotiation::new();
    let mut out = Vec::new();
    negotiation.push(Client, &request("", NLA), &mut out);
    negotiation.missing(Server);
    assert_eq!(negotiation.next(), None);
    negotiation.push(Client, &[0x16, 0x03, 0x01], &mut out);
    assert_eq!(negotiation.next(), Some(Next::Tls));
}

/// Whatever is missing of the negotiation, nobody is said to have sent something wrong, and the next layer is found by what
/// stands behind the hole.
#[test]
fn nothing_is_concluded_from_a_hole() {
    use Next::{Mcs, Tls};
    let (asked, agreed) = (request("", NLA), confirm("02 1f 08 00 02 00 00 00"));
    let hello: &[u8] = &[0x16, 0x03, 0x01, 0x02];
    let data: &[u8] = &[3, 0, 0, 12, 2, 0xf0, 0x80, 0x7f];
    type Steps<'a> = &'a [(Side, Option<&'a [u8]>)];
    let cases: [(Steps<'_>, Option<Next>); 9] = [
        (&[(Client, None), (Server, Some(&agreed))], Some(Tls)),
        (&[(Client, None), (Server, None), (Client, Some(hello))], Some(Tls)),
        (&[(Client, None), (Server, None), (Client, Some(data))], Some(Mcs)),
        (&[(Client, Some(&asked)), (Server, None), (Server, Some(hello))], Some(Tls)),
        (&[(Client, Some(&asked[..9])), (Client, None), (Server, Some(&agreed))], Some(Tls)),
        (&[(Client, Some(&asked)), (Server, Some(&agreed[..9])), (Server, None)], None),
        // What is missing stood before the request.
        (&[(Client, None), (Client, Some(&asked)), (Server, Some(&agreed))], Some(Tls)),
        // The middle of a message looks like anything.
        (&[(Client, None), (Client, Some(b"GET / HTTP/1.1"))], None),
        (&[(Client, Some(&asked)), (Server, None), (Server, Some(b"SSH-2.0"))], None),
    ];
    for (steps, next) in cases {
        let (mut negotiation, mut out) = (Negotiation::new(), Vec::new());
        for (from, data) in steps {
            match data {
                None => negotiation.missing(*from),
                Some(data) => data.iter().for_each(|byte| negotiation.push(*from, &[*byte], &mut out)),
            }
        }
        assert_eq!(negotiation.next(), next, "{steps:?}");
        negotiation.closed(&mut out);
        let wrong = |what: &&What| matches!(what, What::Malformed { .. } | What::NotRdp { .. });
        let all_there = steps.iter().any(|(from, data)| *from == Client && *data == Some(&asked[..]));
        let says: Vec<_> = out.iter().filter(wrong).collect();
        assert!(says.is_empty(), "{steps:?}: {says:?}");
        assert_eq!(out.iter().any(|what| matches!(what, What::ConnectionRequest(_))), all_there, "{steps:?}");
    }
}

#[test]
fn other_protocols_are_told_by_their_first_bytes() {
    let cases: [(&[u8], Foreign); 8] = [
        (b"GET / HTTP/1.1\r\n", Foreign::Http),
        (b"RDG_OUT_DATA /remoteDesktopGateway/", Foreign::Http),
        (b"HTTP/1.1 400 Bad Request\r\n", Foreign::Http),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Foreign::Ssh),
        (&[0x16, 0x03, 0x01, 0x02, 0x00], Foreign::TlsFirst),
        (&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28], Foreign::TlsFirst),
        (&[0x16, 0xfe, 0xfd], Foreign::Unknown),
        (&[0x05, 0x01, 0x00], Foreign::Unknown),
    ];
    for (first, looks) in cases {
        for from in [Client, Server] {
            check(&[(from, first)], &format!("not rdp {from} {looks:?}"), Some(Next::Foreign));
        }
    }
}

#[test]
fn a_server_that_speaks_first_is_heard_before_the_client() {
    check(
        &[(Server, b"SSH-2.0-x\r\n"), (Client, &request("", NLA))],
        "not rdp server Ssh\nrequest SSL+HYBRID+HYBRID_EX flags=0x0",
        Some(Next::Foreign),
    );
}

#[test]
fn nothing_is_said_before_it_is_certain() {
    check(&[(Server, b"HT")], "", None);
    let mut negotiation = Negotiation::new();
    let mut out = Vec::new();
    negotiation.push(Server, b"HT", &mut out);
    negotiation.closed(&mut out);
    negotiation.closed(&mut out);
    negotiation.push(Client, &[3, 0, 0, 19], &mut out);
    negotiation.closed(&mut out);
    let lines: Vec<_> = out.iter().map(line).collect();
    let cut = r#"Partial { from: Client, message: "Connection Request", have: 4, need: 19 }"#;
    assert_eq!(lines, ["not rdp server Unknown", cut]);
}

#[test]
fn bytes_beyond_the_negotiation_go_to_the_next_layer() {
    let mut negotiation = Negotiation::new();
    let mut out = Vec::new();
    negotiation.push(Client, &request("", NLA), &mut out);
    negotiation.push(Client, b"early", &mut out);
    negotiation.push(Server, &[confirm("02 00 08 00 01 00 00 00"), b"hello".to_vec()].concat(), &mut out);
    assert_eq!(negotiation.into_rest(), [b"early".to_vec(), b"hello".to_vec()]);

    let mut foreign = Negotiation::new();
    foreign.push(Client, &[0x16, 3, 1, 0, 4], &mut out);
    assert_eq!(foreign.into_rest()[0], [0x16, 3, 1, 0, 4]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut negotiation = Negotiation::new();
    let mut out = Vec::new();
    negotiation.push(Client, &request("", NLA), &mut out);
    // What may follow a request: other bytes would be told, too.
    (0..100).for_each(|_| negotiation.push(Client, &[0x16; 4096], &mut out));
    assert_eq!(out.len(), 2);
    assert!(line(&out[1]).contains("more than 65536 bytes"), "{}", line(&out[1]));
    assert!(negotiation.into_rest()[0].len() <= 64 * 1024 + 4096);
}

/// A connection with standard RDP security, up to the licence and some fast-path.
fn standard_session() -> Vec<(Side, Vec<u8>)> {
    let share_control = bytes("0800 1100 ea03 0000");
    vec![
        (Client, data(&[&bytes("7f 65 82 01 94")[..], &[4; 404]].concat())),
        (Server, data(&bytes("7f 66 82 01 45 0a 01 00 02 01 00"))),
        (Client, data(&bytes("04 01 00 01 00"))),
        (Client, data(&bytes("28"))),
        (Server, data(&bytes("2e 00 00 06"))),
        (Client, data(&bytes("38 00 06 03 eb"))),
        (Server, data(&bytes("3e 00 00 06 03 eb 03 eb"))),
        (Client, send(0x64, &bytes("40 00 00 00 00 00 00 00"))),
        (Server, send(0x68, &bytes("80 00 00 00 ff 03 10 00"))),
        (Server, send(0x68, &share_control)),
        (Server, bytes("00 05 01 02 03")),
        (Client, [bytes("44 81 02"), vec![7; 255]].concat()),
        (Server, send(0x68, &[0x40; 300])),
        (Client, data(&bytes("21 80"))),
    ]
}

const STANDARD_SESSION: &str = "client ConnectInitial
    server ConnectResponse { result: 0 }
    client ErectDomainRequest
    client AttachUserRequest
    server AttachUserConfirm
    client ChannelJoinRequest
    server ChannelJoinConfirm { result: 0 }
    client SendData { security_flags: 64 }
    server SendData { security_flags: 128 }
    server SendData { security_flags: 0 }
    server FastPath
    client FastPath
    server SendData { security_flags: 0 }
    client DisconnectProviderUltimatum { reason: 3 }";

fn mcs(script: impl IntoIterator<Item = (Side, Vec<u8>)>) -> Vec<What> {
    let mut mcs = Mcs::in_clear();
    let mut out = Vec::new();
    script.into_iter().for_each(|(from, bytes)| mcs.push(from, &bytes, &mut out));
    out.retain(is_of_mcs);
    out
}

/// What these stories carry inside is made up.
fn is_of_mcs(what: &What) -> bool {
    match what {
        What::ClientSettings(_) | What::ServerSettings(_) | What::Rdp { .. } => false,
        What::Malformed { layer, .. } => *layer != "gcc" && *layer != "rdp",
        _ => true,
    }
}

#[test]
fn a_session_with_standard_security_is_followed_however_it_is_cut() {
    let wanted: Vec<&str> = STANDARD_SESSION.lines().map(str::trim).collect();
    let whole = mcs(standard_session());
    assert_eq!(whole.iter().map(line).collect::<Vec<_>>(), wanted);
    let single = standard_session().into_iter().flat_map(|(from, b)| b.into_iter().map(move |b| (from, vec![b])));
    assert_eq!(mcs(single), whole);
}

#[test]
fn after_a_security_exchange_every_pdu_says_how_it_is_protected() {
    let events = mcs([
        (Client, send(0x64, &bytes("01 02 00 00 48 00 00 00"))),
        (Server, send(0x68, &bytes("08 08 aa bb cc dd ee ff"))),
    ]);
    assert_eq!(
        events.iter().map(line).collect::<Vec<_>>(),
        ["client SendData { security_flags: 513 }", "server SendData { security_flags: 2056 }"]
    );
}

#[test]
fn a_hole_in_a_payload_is_skipped_by_counting_and_one_beyond_it_by_searching() {
    let big = send(0x68, &[0; 1000]);
    let mut mcs = Mcs::in_clear();
    let mut out = Vec::new();
    mcs.push(Server, &big[..100], &mut out);
    mcs.missing(Server, big.len() as u64 - 100, &mut out);
    mcs.missing(Server, 5, &mut out);
    mcs.push(Server, &[&[3, 3, 0, 0][..], &data(&bytes("21 80"))].concat(), &mut out);
    assert_eq!(
        out.iter().map(line).collect::<Vec<_>>(),
        [
            "server SendData { security_flags: 0 }",
            "malformed server tpkt 1015: expected PDUs, found a hole of 5 bytes that hides where the next begins",
            "server DisconnectProviderUltimatum { reason: 3 }",
        ]
    );
}

#[test]
fn mcs_does_not_take_anything_for_fast_path_at_the_start() {
    let events = mcs([(Server, b"HTTP/1.1 400 Bad Request".to_vec())]);
    assert_eq!(
        events.iter().map(line).collect::<Vec<_>>(),
        ["malformed server tpkt 0: expected TPKT version 03, found 48"]
    );
}

#[test]
fn pdus_of_another_kind_are_told_and_passed() {
    let events = mcs([(Server, data(&bytes("ff ff"))), (Server, data(&bytes("2e 00 00 06")))]);
    assert_eq!(
        events.iter().map(line).collect::<Vec<_>>(),
        ["malformed server mcs 0: expected an MCS PDU in X.224 Data, found 02 f0 80 ff ff", "server AttachUserConfirm",]
    );
    assert!(matches!(events[1], What::Mcs { pdu: McsPdu::AttachUserConfirm, .. }));
}

/// Marsaglia's xorshift: enough to break things, and the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % below.max(1)
    }

    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.roll(4) {
            let at = self.roll(bytes.len());
            match (self.roll(4), bytes.get_mut(at)) {
                (0, _) => bytes.truncate(at),
                (_, Some(byte)) => *byte = self.roll(256) as u8,
                (_, None) => {}
            }
        }
    }
}

#[test]
fn spoiled_bytes_never_panic_and_cutting_them_changes_nothing() {
    let mut dice = Dice(0x5eed);
    for _ in 0..4000 {
        let mut script = standard_session();
        script.insert(0, (Client, request("Cookie: mstshash=eltons\r\n", NLA)));
        script.insert(1, (Server, confirm("02 1f 08 00 08 00 00 00")));
        script.iter_mut().for_each(|(_, bytes)| dice.spoil(bytes));

        let parts: Vec<_> = script.iter().take(2).map(|(from, bytes)| (*from, bytes.as_slice())).collect();
        assert_eq!(negotiate(&parts), negotiate_bytewise(&parts));

        let cut = script.iter().flat_map(|(from, b)| b.chunks(3).map(move |b| (*from, b.to_vec())));
        assert_eq!(mcs(cut), mcs(script.clone()));
        holes(&script, &mut dice);
    }
}

fn holes(script: &[(Side, Vec<u8>)], dice: &mut Dice) {
    let (mut negotiation, mut mcs, mut out) = (Negotiation::new(), Mcs::in_clear(), Vec::new());
    for (from, bytes) in script {
        negotiation.push(*from, bytes, &mut out);
        mcs.push(*from, bytes, &mut out);
        if dice.roll(5) == 0 {
            let len = [1, 7, 300, u64::MAX][dice.roll(4)];
            negotiation.missing(*from);
            mcs.missing(*from, len, &mut out);
        }
        negotiation.closed(&mut out);
    }
}

#[test]
fn unknown_protocols_count_as_tls_and_two_at_once_are_told() {
    check(
        &[(Server, &confirm("02 00 08 00 23 00 00 00"))],
        "malformed server x224 19: expected one selected protocol, found 0x23
         confirm SSL+HYBRID+0x20 flags=0x0",
        Some(Next::Tls),
    );
    assert!(Protocols(0x23).contains(Protocols::SSL));
}
