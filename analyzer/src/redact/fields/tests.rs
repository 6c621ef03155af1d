//! Every field of every message is on the list, and what the list says of it is done.

use std::collections::BTreeSet;

use super::*;
use crate::event::Certificate;
use crate::observation::{Flow, Leg, Observation, Opening, Seen, Side};
use crate::redact::Learner;
use crate::redact::certificate;
use crate::redact::names::Names;
use crate::time::Timestamp;
use crate::tls::certificate as read;
use crate::tls::specimens;

/// A part of a message: its field, and the bytes.
type Part = (&'static str, Vec<u8>);

fn fates(name: &str) -> &'static [(&'static str, Fate)] {
    MESSAGES.iter().find(|message| message.name == name).unwrap_or_else(|| panic!("no {name} on the list")).fields
}

/// What others see of what these sides say, one behind the other.
fn redacted(gateway: bool, says: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let see = |seen| Observation { at: Timestamp::at(0), flow: Flow { session: 0, leg: Leg::Front }, frame: 0, seen };
    let opening = gateway.then(|| see(Seen::Opening(Opening::Gateway)));
    let bytes = says.iter().map(|(from, data)| see(Seen::Bytes { from: *from, data: data.to_vec().into() }));
    let all: Vec<_> = opening.into_iter().chain(bytes).collect();
    let mut learner = Learner::default();
    all.iter().for_each(|one| learner.learn(one));
    let mut redactor = learner.finish();
    let changed = all.into_iter().filter_map(|one| redactor.change(one));
    changed.filter_map(|one| if let Seen::Bytes { data, .. } = one.seen { Some(data.to_vec()) } else { None }).collect()
}

/// Holds a message of a client or server, behind what it said before, against the list. All of its fields must be there.
fn walk(name: &str, from: Side, before: &[u8], parts: &[Part]) {
    held(name, parts, &last(false, from, before, parts));
    complete(name, parts);
}

fn complete(name: &str, parts: &[Part]) {
    let there: BTreeSet<_> = parts.iter().map(|(field, _)| *field).collect();
    let listed: BTreeSet<_> = fates(name).iter().map(|(field, _)| *field).collect();
    assert_eq!(there, listed, "{name}");
}

fn last(gateway: bool, from: Side, before: &[u8], parts: &[Part]) -> Vec<u8> {
    let message = parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
    let says = [(from, before), (from, &message[..])];
    redacted(gateway, if before.is_empty() { &says[1..] } else { &says }).pop().expect("what it says")
}

fn held(name: &str, parts: &[Part], seen: &[u8]) {
    let mut at = 0;
    for (field, bytes) in parts {
        let fate = fates(name).iter().find(|(listed, _)| listed == field);
        let (_, fate) = fate.unwrap_or_else(|| panic!("{name}: {field} is not on the list"));
        let after = &seen[at..at + bytes.len()];
        let is_so = match fate {
            Replaced => after != bytes && after.iter().any(|byte| *byte != 0),
            Blanked => after.iter().all(|byte| *byte == 0) && bytes.iter().any(|byte| *byte != 0),
            LeftIn => after == bytes,
            LeftOut => false,
        };
        assert!(is_so, "{name}: {field} is to be {}: {bytes:02x?} became {after:02x?}", fate.name());
        at += bytes.len();
    }
    assert_eq!(at, seen.len(), "{name}");
}

fn with_len(len_bytes: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - len_bytes..], content].concat()
}

fn tpkt(content: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &(content.len() as u16 + 4).to_be_bytes(), content].concat()
}

fn connection(kind: u8, content: &[u8]) -> Vec<u8> {
    tpkt(&[&[content.len() as u8 + 6, kind, 0, 0, 0, 0, 0][..], content].concat())
}

/// The X.224 PDU behind which TLS, or MCS, begins.
fn agreed(from: Side) -> Vec<u8> {
    let kind = if from == Side::Client { 0xe0 } else { 0xd0 };
    connection(kind, &[1 + u8::from(from == Side::Server), 0, 8, 0, 1, 0, 0, 0])
}

fn length(parts: &[Part]) -> usize {
    parts.iter().map(|(_, bytes)| bytes.len()).sum()
}

/// A handshake message in a record of its own; `header` is what the list calls its header.
fn handshake(kind: u8, mut parts: Vec<Part>) -> Vec<Part> {
    let len = length(&parts) as u16;
    let head = [&[22, 3, 3][..], &(len + 4).to_be_bytes(), &[kind, 0], &len.to_be_bytes()].concat();
    parts.insert(0, ("message header", head));
    parts
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &with_len(2, content)].concat()
}

#[test]
fn x224_and_what_stands_before_it() {
    let cookie = b"mstshash=alice".to_vec();
    let (negotiation, correlation) = (vec![1, 8, 8, 0, 3, 0, 0, 0], [&[6, 0, 36, 0][..], &[7; 32]].concat());
    let text = [&b"Cookie: "[..], &cookie, b"\r\n", &negotiation, &correlation].concat();
    let head = connection(0xe0, &text)[..11].to_vec();
    walk(
        "X.224 Connection Request",
        Side::Client,
        &[],
        &[
            ("TPKT and X.224 header", head),
            ("TPKT and X.224 header", b"Cookie: mstshash=".to_vec()),
            ("cookie or routing token", b"alice".to_vec()),
            ("TPKT and X.224 header", b"\r\n".to_vec()),
            ("RDP_NEG_REQ", negotiation.clone()),
            ("RDP_NEG_CORRELATION_INFO", correlation),
        ],
    );
    let confirm = connection(0xd0, &[2, 0, 8, 0, 1, 0, 0, 0]);
    walk(
        "X.224 Connection Confirm",
        Side::Server,
        &[],
        &[
            ("TPKT and X.224 header", confirm[..11].to_vec()),
            ("RDP_NEG_RSP or RDP_NEG_FAILURE", confirm[11..].to_vec()),
        ],
    );
    let request = connection(0xe0, &negotiation);
    let parts = [
        ("signature and family", b"PROXY TCP4 ".to_vec()),
        ("source and destination", b"10.9.8.7 10.9.8.6 40000 3389".to_vec()),
        ("signature and family", b"\r\n".to_vec()),
        ("signature and family", request.clone()),
    ];
    held("PROXY header, version 1", &parts, &last(false, Side::Client, &[], &parts));
    let unknown =
        last(false, Side::Client, &[], &[("", b"PROXY UNKNOWN 10.9.8.7 x\r\n".to_vec()), ("", request.clone())]);
    assert!(unknown.starts_with(b"PROXY UNKNOWN           \r\n"), "blanks stand for blank in a line of text");
    let ends = [10, 9, 8, 7, 10, 9, 8, 6, 0x9c, 0x40, 0x75, 0x30];
    let v2 = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    let parts = [
        ("signature, command, family, length", [&v2[..], &[0x21, 0x11, 0, 18]].concat()),
        ("source and destination", ends.to_vec()),
        ("TLVs", vec![2, 0, 3, b'x', b'.', b'y']),
        ("signature, command, family, length", request),
    ];
    walk("PROXY header, version 2", Side::Client, &[], &parts);
    walk(
        "first words that are no RDP",
        Side::Client,
        &[],
        &[("first word", b"SSH-".to_vec()), ("rest", b"2.0-OpenSSH_9.6 secret".to_vec())],
    );
}

#[test]
fn the_hellos() {
    const ALL: &str = "extensions that say what is offered";
    let mut extensions: Vec<Part> = vec![
        (ALL, [&[0, 0, 0, 16, 0, 14, 0][..], &[0, 11]].concat()),
        ("server_name", b"rds.example".to_vec()),
        (ALL, vec![0, 35, 0, 4]),
        ("session_ticket", vec![9; 4]),
    ];
    extensions.extend(NAMELESS.iter().map(|(number, _)| (ALL, extension(*number, &[1, 2, 3]))));
    extensions.extend([
        (ALL, extension(0x1a1a, &[7])),
        ("any other extension: number and length", vec![0xfe, 0x0d, 0, 3]),
        ("any other extension: content", vec![1, 2, 3]),
        (ALL, vec![0, 41, 0, 21, 0, 10, 0, 4]),
        ("pre_shared_key: identities and binders", vec![8; 4]),
        ("pre_shared_key: ages", vec![1, 2, 3, 4]),
        (ALL, vec![0, 7, 6]),
        ("pre_shared_key: identities and binders", vec![8; 6]),
    ]);
    let len = length(&extensions) as u16;
    let mut parts: Vec<Part> = vec![
        ("version", vec![3, 3]),
        ("random", vec![0xc1; 32]),
        ("message header", vec![32]),
        ("session id", vec![0x51; 32]),
        ("cipher suites", with_len(2, &[0x13, 1, 0xc0, 0x2f])),
        ("compression methods", vec![1, 0]),
        (ALL, len.to_be_bytes().to_vec()),
    ];
    parts.extend(extensions);
    walk("TLS ClientHello", Side::Client, &agreed(Side::Client), &handshake(1, parts));

    let extensions: Vec<Part> = vec![
        ("other extensions", [extension(43, &[3, 4]), extension(51, &[0, 29]), vec![0, 35, 0, 2]].concat()),
        ("session_ticket", vec![9; 2]),
    ];
    let len = length(&extensions) as u16;
    let mut parts: Vec<Part> = vec![
        ("version", vec![3, 3]),
        ("random", vec![0x5e; 32]),
        ("message header", vec![4]),
        ("session id", vec![0x51; 4]),
        ("cipher suite", vec![0x13, 1]),
        ("compression method", vec![0]),
        ("other extensions", len.to_be_bytes().to_vec()),
    ];
    parts.extend(extensions);
    walk("TLS ServerHello", Side::Server, &agreed(Side::Server), &handshake(2, parts));

    walk(
        "TLS ClientHello in the format of SSL 2.0",
        Side::Client,
        &agreed(Side::Client),
        &[
            ("header, version and lengths", vec![0x80, 9 + 3 + 4 + 16, 1, 3, 1, 0, 3, 0, 4, 0, 16]),
            ("cipher specs", vec![0, 0, 0x2f]),
            ("session id", vec![0x51; 4]),
            ("challenge", vec![0xc1; 16]),
        ],
    );
}

/// Whoever resumes is still seen to resume, and redacting twice is redacting once.
#[test]
fn a_session_id_is_the_same_wherever_it_stands() {
    let hello = |id: u8| [&[3, 3][..], &[0xc1; 32], &[4], &[id; 4], &[0, 2, 0xc0, 0x2f, 1, 0]].concat();
    let answer = |id: u8| [&[3, 3][..], &[0x5e; 32], &[4], &[id; 4], &[0xc0, 0x2f, 0]].concat();
    let record = |kind: u8, body: &[u8]| {
        let message = [&[kind, 0, 0, body.len() as u8], body].concat();
        [&[22, 3, 3, 0, message.len() as u8], &message[..]].concat()
    };
    let client = [agreed(Side::Client), record(1, &hello(0x51)), record(1, &hello(0x52))].concat();
    let server = [agreed(Side::Server), record(2, &answer(0x51))].concat();
    let once = redacted(false, &[(Side::Client, &client), (Side::Server, &server)]);
    let at = |bytes: &[u8], record: usize| bytes[19 + record * 54 + 44..][..4].to_vec();
    assert_eq!(at(&once[0], 0), [0, 0, 0, 1]);
    assert_eq!(at(&once[0], 1), [0, 0, 0, 2]);
    assert_eq!(at(&once[1], 0), [0, 0, 0, 1]);
    let twice = redacted(false, &[(Side::Client, &once[0]), (Side::Server, &once[1])]);
    assert_eq!(twice, once);
}

#[test]
fn records_and_what_is_sealed_in_them() {
    let content = b"CredSSP, NTLM with AV pairs, MCS, TSGU, RPC".to_vec();
    let parts = [
        ("type, version, length", vec![21, 3, 3, 0, 2]),
        ("alert in clear", vec![1, 90]),
        ("type, version, length", vec![20, 3, 3, 0, 1]),
        ("ChangeCipherSpec", vec![1]),
        ("type, version, length", vec![23, 3, 3, 0, content.len() as u8]),
        ("sealed content", content.clone()),
    ];
    walk("TLS record", Side::Server, &agreed(Side::Server), &parts);
    // Whatever stands inside of TLS is sealed content: of the server, of the client, and of a gateway's connection.
    let inside = fates("inside of TLS");
    assert!(inside.iter().all(|(_, fate)| *fate == Blanked));
    let hello = with_len(2, &[&[1, 0, 0, 38, 3, 3][..], &[1; 32], &[0, 0, 0, 0]].concat());
    let hello = [&[22, 3, 1][..], &hello].concat();
    for (gateway, before) in [(true, hello), (false, agreed(Side::Client))] {
        let seen = last(gateway, Side::Client, &before, &parts[4..]);
        held("TLS record", &parts[4..], &seen);
    }
    let other = handshake(16, vec![("content", vec![0xab; 33])]);
    walk("other TLS handshake messages", Side::Client, &agreed(Side::Client), &other);
}

#[test]
fn the_head_of_http_in_clear() {
    let parts: Vec<Part> = [
        ("method, version, status", "RDG_OUT_DATA "),
        ("target and reason", "/remoteDesktopGateway/ HTTP/1.1\r"),
        ("names of fields", "\nHost:"),
        ("other values", " rdg.example\r"),
        ("names of fields", "\nConnection:"),
        ("values that say how to go on", " Upgrade\r"),
        ("names of fields", "\nAuthorization:"),
        ("scheme of authentication", " NTLM "),
        ("other values", "TlRMTVNTUAAB\r"),
        ("names of fields", "\n\r\n"),
        ("content", "secret"),
    ]
    .map(|(field, text)| (field, text.as_bytes().to_vec()))
    .to_vec();
    let name = "HTTP head in clear";
    held(name, &parts, &last(true, Side::Client, &[], &parts));
    complete(name, &parts);
}

/// X.224 Data and what MCS carries to or from a channel.
fn send(from: Side, user: &[u8]) -> Vec<u8> {
    let choice = if from == Side::Client { 0x64 } else { 0x68 };
    tpkt(&[&[2, 0xf0, 0x80, choice, 0, 1, 3, 0xeb, 0x70, user.len() as u8][..], user].concat())
}

/// Parts of user data, with the headers in front as `header`.
fn sent(from: Side, header: &'static str, user: &[Part]) -> Vec<Part> {
    let content: Vec<u8> = user.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let whole = send(from, &content);
    let mut parts = vec![(header, whole[..whole.len() - content.len()].to_vec())];
    parts.extend(user.iter().cloned());
    parts
}

#[test]
fn rdp_that_no_tls_protects() {
    let (client, server) = (agreed(Side::Client), agreed(Side::Server));
    let block =
        |kind: u16, body: &[u8]| [&kind.to_le_bytes()[..], &(body.len() as u16 + 4).to_le_bytes(), body].concat();
    // TS_UD_CS_CORE up to clientDigProductId, then TS_UD_CS_NET.
    let other = "other settings, channel names";
    let mut parts: Vec<Part> = vec![
        (other, [&0xc001u16.to_le_bytes()[..], &210u16.to_le_bytes(), &[4, 0, 8, 0], &[3; 16]].concat()),
        ("clientName", vec![b'W'; 32]),
        (other, vec![5; 12]),
        ("imeFileName", vec![b'I'; 64]),
        (other, vec![6; 14]),
        ("clientDigProductId", vec![b'P'; 64]),
        (other, block(0xc003, b"\x01\0\0\0cliprdr\0\0\0\0\xc0")),
    ];
    let head = [&[2, 0xf0, 0x80, 0x7f, 0x65, 0x82, 1, 0][..], &[4, 1, 1], b"Duca", &[0x81, 0x20]].concat();
    let len = (head.len() + length(&parts) + 4) as u16;
    parts.insert(0, ("headers of MCS and GCC", [&[3, 0][..], &len.to_be_bytes(), &head].concat()));
    walk("MCS Connect-Initial without TLS", Side::Client, &client, &parts);

    let security = [&[2, 0, 0, 0, 2, 0, 0, 0, 32, 0, 0, 0, 8, 0, 0, 0][..], &[7; 40]].concat();
    let security = block(0x0c02, &security);
    let mut parts: Vec<Part> = vec![
        ("other settings", block(0x0c01, &[4, 0, 8, 0])),
        ("encryption method and level, lengths", security[..20].to_vec()),
        ("server random and certificate", security[20..].to_vec()),
    ];
    let head = [&[2, 0xf0, 0x80, 0x7f, 0x66, 0x82, 1, 0][..], &[10, 1, 0], b"McDn", &[0x81, 0x20]].concat();
    let len = (head.len() + length(&parts) + 4) as u16;
    parts.insert(0, ("headers of MCS and GCC", [&[3, 0][..], &len.to_be_bytes(), &head].concat()));
    walk("MCS Connect-Response without TLS", Side::Server, &server, &parts);

    let join = tpkt(&[2, 0xf0, 0x80, 0x38, 0, 6, 3, 0xeb]);
    walk("other MCS PDUs without TLS", Side::Client, &client, &[("PDU", join)]);

    let info = [
        ("headers, flags, lengths", [&[0x40, 0, 0, 0][..], &[7; 18]].concat()),
        ("domain, user, password, shell, folder, address", b"C\0O\0R\0P\0\0\0j\0a\0n\0e\0".to_vec()),
    ];
    let parts = sent(Side::Client, "headers, flags, lengths", &info);
    walk("Client Info without TLS", Side::Client, &client, &parts);

    let error = [(
        "error code and state",
        [&[0x80, 0, 0, 0, 0xff, 3, 16, 0][..], &[7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0]].concat(),
    )];
    let request = [("headers", vec![0x80, 0, 0, 0, 1, 3, 30, 0]), ("any other content", vec![9; 26])];
    let mut parts = sent(Side::Server, "headers", &error);
    parts.extend(sent(Side::Server, "headers", &request));
    walk("licensing without TLS", Side::Server, &server, &parts);

    let control = |kind: u8, len: u8| vec![len, 0, 0x10 | kind, 0, 0xea, 3];
    let demand = [("capability sets, states, error info", [&control(1, 26)[..], &[5; 20]].concat())];
    let data = [
        ("headers", [&control(7, 30)[..], &[1, 0, 0, 0, 0, 1, 12, 0, 2, 0, 0, 0]].concat()),
        ("any other content", vec![8; 12]),
    ];
    let mut parts = sent(Side::Server, "headers", &demand);
    parts.extend(sent(Side::Server, "headers", &data));
    walk("share PDUs without TLS", Side::Server, &server, &parts);

    let channel = [("headers", vec![16, 0, 0, 0, 3, 0, 0, 0]), ("content", vec![9; 16])];
    let mut parts = sent(Side::Server, "headers", &channel);
    parts.extend([("headers", vec![0, 10]), ("content", vec![7; 8])]);
    walk("channel data and fast-path without TLS", Side::Server, &server, &parts);
}

/// What is no message has its own tests: `tests/it/redact.rs` looks for whatever names somebody, as bytes, in every recording.
const NOT_BYTES: [&str; 3] = ["recording", "inside of TLS", "TLS Certificate"];

#[test]
fn every_message_of_the_list_is_walked() {
    let text = include_str!("tests.rs");
    for message in MESSAGES.iter().filter(|message| !NOT_BYTES.contains(&message.name)) {
        assert!(text.contains(&format!("\"{}\"", message.name)), "{}", message.name);
    }
}

#[test]
fn every_field_of_a_certificate() {
    for der in [specimens::der(specimens::HOST), specimens::der(specimens::OLD)] {
        let mut changed = der.clone();
        certificate::redact(&mut changed, 1, &mut Names::default());
        let (before, after) = (read::read(&der).expect("a certificate"), read::read(&changed).expect("still one"));
        // A field that is new is neither replaced nor left in until it stands here.
        let Certificate {
            subject,
            issuer,
            common_name,
            names,
            not_before,
            not_after,
            key,
            key_bits,
            signature,
            eku,
            serial,
            sha1,
            sha256,
            self_issued,
        } = before;
        assert_eq!(changed.len(), der.len(), "lengths and shape");
        assert_ne!(subject, after.subject, "subject and issuer");
        assert_ne!(issuer, after.issuer, "subject and issuer");
        assert_ne!(common_name, after.common_name, "subject and issuer");
        assert!(names.is_empty() || names != after.names, "alternative names");
        assert_ne!(serial, after.serial, "serial number");
        assert_ne!((sha1, sha256), (after.sha1, after.sha256), "public key, signature");
        assert_eq!((not_before, not_after), (after.not_before, after.not_after), "validity");
        assert_eq!((key, key_bits, signature), (after.key, after.key_bits, after.signature), "algorithms and key size");
        assert_eq!(eku, after.eku, "usages");
        assert_eq!(self_issued, after.self_issued, "subject and issuer");
    }
}
