//! Stories of TLS, told in records.

use super::Tls;
use super::specimens::{HOST, OLD, der};
use crate::codes::tls as names;
use crate::event::{Basis, ClientHello, Foreign, ServerHello, What};
use crate::observation::Side::{self, Client, Server};

type Script = Vec<(Side, Vec<u8>)>;

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3, (body.len() >> 8) as u8, body.len() as u8], body].concat()
}

fn sealed(kind: u8, len: usize) -> Vec<u8> {
    record(kind, &vec![0xee; len])
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

fn vector(len_bytes: usize, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes()[4 - len_bytes..], body].concat()
}

fn u16s(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [u16s(&[kind]), vector(2, body)].concat()
}

/// What a ClientHello of the tests offers; every one with GREASE in every list.
struct Offer {
    legacy: u16,
    session_id: &'static [u8],
    extensions: Vec<Vec<u8>>,
}

impl Offer {
    fn tls_1_2() -> Self {
        let extensions = vec![
            extension(0x1a1a, &[]),
            extension(0, &vector(2, &[&[0], &vector(2, b"host.example.test")[..]].concat())),
            extension(10, &vector(2, &u16s(&[0x2a2a, 0x001d, 0x0017]))),
            extension(13, &vector(2, &u16s(&[0x0804, 0x0401]))),
            extension(16, &vector(2, &[vector(1, &[0xaa, 0xaa]), vector(1, b"http/1.1")].concat())),
        ];
        Offer { legacy: 0x0303, session_id: &[], extensions }
    }

    fn tls_1_3() -> Self {
        let mut offer = Offer { session_id: &[7; 32], ..Self::tls_1_2() };
        offer.extensions.push(extension(43, &vector(1, &u16s(&[0x3a3a, 0x0303, 0x0304]))));
        offer
    }

    fn with(mut self, kind: u16, body: &[u8]) -> Self {
        self.extensions.push(extension(kind, body));
        self
    }

    fn body(&self) -> Vec<u8> {
        let ciphers = u16s(&[0x0a0a, 0x1301, 0xc030]);
        [
            u16s(&[self.legacy]),
            vec![0x11; 32],
            vector(1, self.session_id),
            vector(2, &ciphers),
            vector(1, &[0]),
            vector(2, &self.extensions.concat()),
        ]
        .concat()
    }

    fn record(&self) -> Vec<u8> {
        record(22, &message(1, &self.body()))
    }
}

fn server_hello(random: &[u8; 32], session_id: &[u8], cipher: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let fixed = [u16s(&[0x0303]), random.to_vec(), vector(1, session_id), u16s(&[cipher]), vec![0]].concat();
    let list = if extensions.is_empty() { Vec::new() } else { vector(2, &extensions.concat()) };
    message(2, &[fixed, list].concat())
}

fn tls_1_3_hello(cipher: u16) -> Vec<u8> {
    let share = [u16s(&[0x001d]), vector(2, &[5; 32])].concat();
    record(22, &server_hello(&[2; 32], &[7; 32], cipher, &[extension(43, &u16s(&[0x0304])), extension(51, &share)]))
}

fn certificate(ders: &[&str]) -> Vec<u8> {
    message(11, &vector(3, &ders.iter().flat_map(|hex| vector(3, &der(hex))).collect::<Vec<_>>()))
}

fn ccs() -> Vec<u8> {
    record(20, &[1])
}

/// The server's flight in one record, as Windows sends it.
fn flight() -> Vec<u8> {
    let hello = server_hello(&[2; 32], &[], 0xc030, &[]);
    record(
        22,
        &[hello, certificate(&[HOST, OLD]), message(12, &[9; 300]), message(13, &[0; 8]), message(14, &[])].concat(),
    )
}

fn tls_1_2_session() -> Script {
    vec![
        (Client, Offer::tls_1_2().record()),
        (Server, flight()),
        (Client, [record(22, &[certificate(&[]), message(16, &[4; 66])].concat()), ccs(), sealed(22, 40)].concat()),
        (Server, [ccs(), sealed(22, 40)].concat()),
        (Client, sealed(23, 120)),
        (Server, sealed(21, 26)),
    ]
}

const TLS_1_2_SESSION: &str = "client hello 1.2 host.example.test
    server hello 1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
    certificates server CN=host.example.test CN=OLD-SERVER
    certificate request
    server hello done
    certificates client
    client key exchange
    ccs client
    record client 22 40
    ccs server
    record server 22 40
    established Seen
    record client 23 120
    record server 21 26
    sealed alert server Seen";

fn tls_1_3_session() -> Script {
    vec![
        (Client, Offer::tls_1_3().record()),
        (Server, [tls_1_3_hello(0x1301), ccs(), sealed(23, 1200)].concat()),
        (Client, [ccs(), sealed(23, 53)].concat()),
        (Server, sealed(23, 400)),
        (Client, sealed(23, 19)),
    ]
}

const TLS_1_3_SESSION: &str = "client hello 1.3,1.2 host.example.test
    server hello 1.3 TLS_AES_128_GCM_SHA256 x25519
    ccs server
    record server 23 1200
    ccs client
    record client 23 53
    established Inferred
    record server 23 400
    record client 23 19
    sealed alert client Inferred";

fn play(script: impl IntoIterator<Item = (Side, Vec<u8>)>) -> Vec<What> {
    let mut tls = Tls::new();
    let mut out = Vec::new();
    script.into_iter().for_each(|(from, bytes)| tls.push(from, &bytes, &mut out));
    out
}

fn cut(script: &Script, mut len: impl FnMut() -> usize) -> Script {
    let mut parts = Vec::new();
    for (from, bytes) in script {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, left) = rest.split_at(len().clamp(1, rest.len()));
            parts.push((*from, part.to_vec()));
            rest = left;
        }
    }
    parts
}

#[track_caller]
fn check(script: &Script, expected: &str) {
    let wanted: Vec<&str> = expected.lines().map(str::trim).collect();
    for events in [play(script.clone()), play(cut(script, || 1))] {
        assert_eq!(events.iter().map(line).collect::<Vec<_>>(), wanted);
    }
}

fn line(what: &What) -> String {
    match what {
        What::ClientHello(h) => client_line(h),
        What::HelloRetryRequest => "retry".to_owned(),
        What::ServerHello(h) => server_line(h),
        What::Certificates { from, chain } => {
            let names = chain.iter().map(|c| format!(" CN={}", c.common_name.as_deref().unwrap_or("?")));
            format!("certificates {from}{}", names.collect::<String>())
        }
        What::CertificateRequest => "certificate request".to_owned(),
        What::ServerHelloDone => "server hello done".to_owned(),
        What::ClientKeyExchange => "client key exchange".to_owned(),
        What::ChangeCipherSpec { from } => format!("ccs {from}"),
        What::Alert { from, level, description, .. } => format!("alert {from} {level} {}", names::alert(*description)),
        What::SealedAlert { from, basis } => format!("sealed alert {from} {basis:?}"),
        What::TlsEstablished { basis } => format!("established {basis:?}"),
        What::Record { from, kind, len } => format!("record {from} {kind} {len}"),
        What::Malformed { from, layer, offset, says } => format!("malformed {from} {layer} {offset}: {says}"),
        other => format!("{other:?}"),
    }
}

fn client_line(hello: &ClientHello) -> String {
    let versions: Vec<_> = hello.versions.iter().map(|v| names::version(*v)).collect();
    let sni = hello.sni.as_deref().unwrap_or("-");
    format!("client hello {} {sni}{}", versions.join(","), if hello.resumes { " resumes" } else { "" })
}

fn server_line(hello: &ServerHello) -> String {
    let mut line = format!("server hello {} {}", names::version(hello.version), names::cipher(hello.cipher));
    hello.group.iter().for_each(|g| line += &format!(" {}", names::group(*g)));
    if hello.resumed { line + " resumed" } else { line }
}

#[test]
fn a_tls_1_2_session_shows_its_certificates() {
    check(&tls_1_2_session(), TLS_1_2_SESSION);
}

#[test]
fn a_tls_1_3_session_shows_lengths_only() {
    check(&tls_1_3_session(), TLS_1_3_SESSION);
}

#[test]
fn grease_is_left_out_of_every_list() {
    let offer = Offer::tls_1_3();
    let events = play([(Client, offer.record())]);
    let expected = ClientHello {
        versions: vec![0x0304, 0x0303],
        ciphers: vec![0x1301, 0xc030],
        sni: Some("host.example.test".into()),
        alpn: vec!["http/1.1".into()],
        groups: vec![0x001d, 0x0017],
        signatures: vec![0x0804, 0x0401],
        resumes: false,
        is_ssl2: false,
        len: offer.body().len() as u32 + 4,
        random: *offer.body()[2..].first_chunk().expect("a random number"),
    };
    assert_eq!(events, [What::ClientHello(Box::new(expected))]);
}

#[test]
fn the_session_id_of_a_tls_1_3_client_is_no_resumption_but_these_are() {
    let resumes = |offer: Offer| {
        let events = play([(Client, offer.record())]);
        matches!(&events[..], [What::ClientHello(h)] if h.resumes)
    };
    assert!(!resumes(Offer::tls_1_2()));
    assert!(!resumes(Offer::tls_1_3()));
    assert!(!resumes(Offer::tls_1_2().with(35, &[])));
    assert!(resumes(Offer { session_id: &[1; 32], ..Offer::tls_1_2() }));
    assert!(resumes(Offer::tls_1_2().with(35, &[1; 100])));
    assert!(resumes(Offer::tls_1_3().with(41, &[0; 80])));
}

#[test]
fn tls_1_2_resumes_by_an_echoed_session_id() {
    let hello = |id: &[u8]| record(22, &server_hello(&[2; 32], id, 0xc030, &[]));
    let script = vec![
        (Client, Offer { session_id: &[1; 32], ..Offer::tls_1_2() }.record()),
        (Server, [hello(&[1; 32]), ccs(), sealed(22, 40)].concat()),
        (Client, [ccs(), sealed(22, 40)].concat()),
    ];
    check(
        &script,
        "client hello 1.2 host.example.test resumes
         server hello 1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 resumed
         ccs server
         record server 22 40
         ccs client
         record client 22 40
         established Seen",
    );
}

#[test]
fn a_hello_retry_request_and_the_second_hello() {
    let mut retry = [0; 32];
    retry.copy_from_slice(&der("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"));
    let asks =
        server_hello(&retry, &[7; 32], 0x1302, &[extension(43, &u16s(&[0x0304])), extension(51, &u16s(&[0x17]))]);
    let script = vec![
        (Client, Offer::tls_1_3().record()),
        (Server, [record(22, &asks), ccs()].concat()),
        (Client, [ccs(), Offer::tls_1_3().record()].concat()),
        (Server, tls_1_3_hello(0x1302)),
    ];
    check(
        &script,
        "client hello 1.3,1.2 host.example.test
         retry
         ccs server
         ccs client
         client hello 1.3,1.2 host.example.test
         server hello 1.3 TLS_AES_256_GCM_SHA384 x25519",
    );
}

#[test]
fn a_tls_1_3_client_that_refuses_is_told_by_the_length_of_its_record() {
    for (cipher, len) in [(0x1302, 19), (0x1305, 11)] {
        let script = vec![(Server, [tls_1_3_hello(cipher), sealed(23, 1200)].concat()), (Client, sealed(23, len))];
        let lines: Vec<_> = play(script).iter().map(line).collect();
        assert_eq!(lines[2..], [format!("record client 23 {len}"), "sealed alert client Inferred".into()]);
    }
}

#[test]
fn a_tls_1_3_server_that_gives_up_is_told_by_the_length_of_its_record() {
    check(
        &vec![(Server, [tls_1_3_hello(0x1301), sealed(23, 19)].concat())],
        "server hello 1.3 TLS_AES_128_GCM_SHA256 x25519
         record server 23 19
         sealed alert server Inferred",
    );
}

#[test]
fn alerts_in_clear() {
    check(
        &vec![
            (Client, Offer::tls_1_2().record()),
            (Server, record(21, &[1, 112])),
            (Server, record(21, &[2, 40])),
            (Client, record(21, &[2, 48, 0])),
        ],
        "client hello 1.2 host.example.test
         alert server 1 unrecognized_name
         alert server 2 handshake_failure
         malformed client tls record 131: expected an alert of 2 bytes, found one of 3",
    );
}

#[test]
fn messages_are_put_together_across_records() {
    let body = &flight()[5..];
    let records: Vec<u8> = body.chunks(100).flat_map(|part| record(22, part)).collect();
    assert_eq!(play([(Server, records)]), play([(Server, flight())]));
}

#[test]
fn a_flight_that_is_cut_says_how_much_of_what_is_there() {
    let mut tls = Tls::new();
    let mut out = Vec::new();
    assert_eq!(tls.partial(Server), None);
    tls.push(Server, &flight()[..500], &mut out);
    let need = certificate(&[HOST, OLD]).len() as u32;
    let hello = server_hello(&[2; 32], &[], 0xc030, &[]).len() as u32;
    assert_eq!(tls.partial(Server), Some(("Certificate", 500 - 5 - hello, need)));
    tls.push(Server, &flight()[500..], &mut out);
    assert_eq!(tls.partial(Server), None);
    tls.push(Client, &sealed(23, 1000)[..105], &mut out);
    assert_eq!(tls.partial(Client), Some(("record", 100, 1000)));
}

#[test]
fn the_clear_chain_is_there_once_it_is_whole_and_never_in_part() {
    let chain = super::clear_chain(&flight());
    assert_eq!(chain.first(), Some(&der(HOST)));
    for len in 0..flight().len() {
        let cut = super::clear_chain(&flight()[..len]);
        assert!(cut.is_empty() || cut == chain, "{len}");
    }
    assert!(super::clear_chain(b"HTTP/1.1 400 Bad Request").is_empty());
}

#[test]
fn a_certificate_that_is_none_is_left_out_and_told() {
    let told = |list: &[&[u8]], from| -> Vec<String> {
        let list: Vec<u8> = list.iter().flat_map(|der| vector(3, der)).collect();
        play([(from, record(22, &message(11, &vector(3, &list))))]).iter().map(line).collect()
    };
    let lines = told(&[&der(OLD), b"none"], Server);
    assert!(lines[0].contains(": expected an X.509 certificate, found"), "{lines:?}");
    assert_eq!(lines[1..], ["certificates server CN=OLD-SERVER"]);
    // Without the leaf nothing is known of whose chain it is.
    let lines = told(&[b"none", &der(OLD)], Server);
    assert!(lines[0].starts_with("malformed server certificate 10: expected an X.509 certificate, found"), "{lines:?}");
    assert_eq!(lines[1..], ["certificates server"]);
    assert_eq!(
        told(&[], Server),
        ["malformed server certificate 4: expected a certificate, found an empty list", "certificates server"]
    );
    assert_eq!(told(&[], Client), ["certificates client"]);
}

#[test]
fn an_extension_that_cannot_be_read_does_not_hide_the_hello() {
    let offer = Offer::tls_1_2().with(10, &[0, 9, 1]);
    let lines: Vec<_> = play([(Client, offer.record())]).iter().map(line).collect();
    assert_eq!(lines[0], "client hello 1.2 host.example.test");
    assert!(lines[1].ends_with("expected the content of extension 10, found 3 bytes"), "{lines:?}");
}

#[test]
fn a_hello_of_the_wrong_side_is_told() {
    let lines: Vec<_> = play([(Server, Offer::tls_1_2().record())]).iter().map(line).collect();
    assert_eq!(lines, ["malformed server tls handshake 4: expected messages of a server, found ClientHello"]);
}

#[test]
fn an_answer_that_is_no_tls_is_told_once() {
    check(
        &vec![(Server, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec())],
        "NotTls { from: Server, looks: Http }
         malformed server tls record 0: expected a record header, found 48 54 54 50 2f (\"HTTP/\")",
    );
}

#[test]
fn what_stands_in_the_place_of_tls_is_told_by_its_first_bytes() {
    let looks = |bytes: &[u8]| {
        let mut tls = Tls::new();
        let mut out = Vec::new();
        bytes.iter().for_each(|byte| tls.push(Server, &[*byte], &mut out));
        tls.close(&mut out);
        out.iter().find_map(|what| match what {
            What::NotTls { from: Server, looks } => Some(*looks),
            _ => None,
        })
    };
    let of_pdu = [3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0];
    for (bytes, expected) in [
        (&b"HTTP/1.1 400"[..], Some(Foreign::Http)),
        (b"SSH-2.0", Some(Foreign::Ssh)),
        (b"-ERR unknown command\r\n", Some(Foreign::Text)),
        (b"no", Some(Foreign::Text)),
        (&of_pdu, Some(Foreign::Tpkt)),
        (&of_pdu[..7], Some(Foreign::Tpkt)),
        (&[0, 1, 2, 3, 4, 5], Some(Foreign::Unknown)),
        (&[0], Some(Foreign::Unknown)),
        // What may still become TLS.
        (&[], None),
        (&[21], None),
        // Of a goodbye the first bytes are too few to tell it from another TPKT.
        (&[3, 0, 0, 9], None),
        (&[3, 0, 0, 9, 2, 0xf0, 0x80], None),
        (&[3, 0, 0, 9, 2, 0xf1], Some(Foreign::Tpkt)),
        (&[22, 3, 3], None),
        (&[22, 3, 3, 0, 80, 2], None),
    ] {
        assert_eq!(looks(bytes), expected, "{bytes:?}");
    }
    assert_eq!(looks(&record(21, &[2, 70])), None);
}

/// A server that gives TLS up says so in clear, with an alert before it or not; \[T.125\] 7.
#[test]
fn an_ultimatum_in_clear_is_read_where_a_record_should_begin() {
    for reason in 0..8u8 {
        let pdu = vec![3, 0, 0, 9, 2, 0xf0, 0x80, 0x20 | reason >> 1, reason << 7];
        let says = format!("Mcs {{ from: Server, pdu: DisconnectProviderUltimatum {{ reason: {reason} }} }}");
        check(&vec![(Server, pdu.clone())], &says);
        let alert = [record(21, &[2, 70]), pdu].concat();
        check(&vec![(Server, alert)], &format!("alert server 2 protocol_version\n{says}"));
    }
}

/// RFC 5246, E.2: what it offers becomes a ClientHello, and its challenge the Random, with zeros before it.
#[test]
fn an_ssl_2_hello_is_read_as_a_hello() {
    let specs = [0, 0, 0x2f, 1, 0, 0x80, 0, 0, 5];
    let body = [&[1, 3, 1, 0, 9, 0, 0, 0, 16][..], &specs, &[7; 16]].concat();
    let hello = [&[0x80, body.len() as u8][..], &body].concat();
    check(
        &vec![(Client, [hello.clone(), record(21, &[2, 70])].concat())],
        "client hello 1.0 -
         alert client 2 protocol_version",
    );
    let mut tls = Tls::new();
    let mut out = Vec::new();
    tls.push(Client, &hello, &mut out);
    let [What::ClientHello(read)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((&read.versions[..], &read.ciphers[..]), (&[0x0301][..], &[0x2f, 5][..]));
    assert!(read.is_ssl2 && !read.resumes);
    assert_eq!(tls.random(), Some([[0; 16], [7; 16]].concat().try_into().expect("32 bytes")));
}

#[test]
fn an_ssl_2_hello_that_is_cut_or_lies_about_its_lengths_is_no_hello() {
    let hello = [&[0x80, 0x0a, 1, 3, 1, 0, 9, 0, 0, 0, 16][..], &[0; 1]].concat();
    check(
        &vec![(Client, hello)],
        "malformed client tls handshake 9: expected the fields of an SSL 2.0 ClientHello, found 1 byte",
    );
}

#[test]
fn lengths_beyond_the_bounds_are_told() {
    check(
        &vec![(Client, vec![23, 3, 3, 0x48, 0x01])],
        "malformed client tls record 0: expected a record header, found 17 03 03 48 01 (a length of 18433, more than 18432)",
    );
    check(
        &vec![(Client, record(22, &[1, 0x10, 0, 0, 3, 3])), (Client, record(22, &[99, 0, 0, 0]))],
        "malformed client tls handshake 0: expected a handshake message of at most 1048576 bytes, found type 1 of 1048580 bytes",
    );
}

#[test]
fn a_hole_within_a_sealed_record_is_skipped_by_counting() {
    let big = sealed(23, 16000);
    let mut tls = Tls::new();
    let mut out = play([]);
    tls.push(Server, &big[..50], &mut out);
    tls.missing(Server, big.len() as u64 - 50, &mut out);
    tls.push(Server, &sealed(23, 30), &mut out);
    assert_eq!(out.iter().map(line).collect::<Vec<_>>(), ["record server 23 16000", "record server 23 30"]);
}

#[test]
fn after_a_hole_over_headers_the_next_plausible_one_counts() {
    let mut tls = Tls::new();
    let mut out = Vec::new();
    tls.push(Server, &sealed(23, 100)[..50], &mut out);
    tls.missing(Server, 9000, &mut out);
    tls.push(Server, &[sealed(23, 100)[60..].to_vec(), sealed(23, 200), sealed(21, 26)].concat(), &mut out);
    assert_eq!(
        out.iter().map(line).collect::<Vec<_>>(),
        [
            "malformed server tls record 50: expected records, found a hole of 9000 bytes that hides where the next begins",
            "record server 23 200",
            "sealed alert server Inferred",
        ]
    );
}

#[test]
fn a_hole_in_the_handshake_leaves_the_rest_readable() {
    let mut tls = Tls::new();
    let mut out = Vec::new();
    tls.push(Client, &Offer::tls_1_2().record(), &mut out);
    let flight = flight();
    tls.push(Server, &flight[..200], &mut out);
    tls.missing(Server, 400, &mut out);
    tls.push(Server, &flight[600..], &mut out);
    tls.push(Server, &record(22, &message(14, &[])), &mut out);
    tls.missing(Client, 200, &mut out);
    tls.push(Client, &sealed(23, 120), &mut out);
    let lines: Vec<_> = out.iter().map(line).filter(|l| !l.starts_with("malformed")).collect();
    assert_eq!(
        lines,
        [
            "client hello 1.2 host.example.test",
            "server hello 1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "server hello done",
            "record client 23 120",
            "established Inferred",
        ]
    );
    assert!(out.contains(&What::TlsEstablished { basis: Basis::Inferred }));
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
            match (self.roll(6), bytes.get_mut(at)) {
                (0, _) => bytes.truncate(at),
                (_, Some(byte)) => *byte = self.roll(256) as u8,
                (_, None) => {}
            }
        }
    }
}

#[test]
fn cutting_the_bytes_anywhere_changes_nothing() {
    let mut dice = Dice(0xcafe);
    for script in [tls_1_2_session(), tls_1_3_session()] {
        let whole = play(script.clone());
        (0..200).for_each(|_| assert_eq!(play(cut(&script, || dice.roll(90))), whole));
    }
}

#[test]
fn spoiled_bytes_never_panic_and_cutting_them_changes_nothing() {
    let mut dice = Dice(0x5eed);
    for round in 0..3000 {
        let mut script = if round % 2 == 0 { tls_1_2_session() } else { tls_1_3_session() };
        script.iter_mut().for_each(|(_, bytes)| dice.spoil(bytes));
        assert_eq!(play(script.clone()), play(cut(&script, || 7)));
        holes(&script, &mut dice);
    }
}

fn holes(script: &Script, dice: &mut Dice) {
    let mut tls = Tls::new();
    let mut out = Vec::new();
    for (from, bytes) in cut(script, || 100) {
        tls.push(from, &bytes, &mut out);
        if dice.roll(4) == 0 {
            tls.missing(from, [1, 30, 5000, u64::MAX][dice.roll(4)], &mut out);
        }
        _ = tls.partial(from);
    }
}
