//! Stories of what stands behind TLS, byte by byte. Some messages are made by `ironrdp-pdu`: a second opinion.

use ironrdp_core::{Encode, encode_vec};
use ironrdp_pdu::rdp::autodetect::{AutoDetectRequest, AutoDetectResponse};
use ironrdp_pdu::rdp::server_redirection::{ServerRedirectionFlags, ServerRedirectionPdu};

use super::*;
use crate::event::{
    Account, AuthMessage, AutoDetect, Capabilities, Finalization, Kerberos, McsPdu, Mechanism, Naming, Ntlm, NtlmKind,
    RdpPdu, Traffic, TsRequest,
};
use crate::observation::Side::{Client, Server};

const IO: u16 = 1003;
const MESSAGE: u16 = 1007;
const CHANNEL: u16 = 1004;
/// Stands in every place of a secret.
const SECRET: &str = "hunter2";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// An element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let length = match len {
        0..0x80 => vec![len as u8],
        0x80..0x100 => vec![0x81, len as u8],
        _ => vec![0x82, (len >> 8) as u8, len as u8],
    };
    [&[tag], &length[..], content].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A TSRequest of version 6 with these fields.
fn ts_request(fields: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &[der(0xa0, &hex("02 01 06")), fields.concat()].concat())
}

fn nego(token: &[u8]) -> Vec<u8> {
    der(0xa1, &der(0x30, &der(0x30, &der(0xa0, &der(0x04, token)))))
}

fn sealed(tag: u8) -> Vec<u8> {
    der(tag, &der(0x04, SECRET.as_bytes()))
}

/// A NegTokenInit that offers NTLM and Kerberos, with this token.
fn init(token: &[u8]) -> Vec<u8> {
    let offered = [der(6, &hex("2b 06 01 04 01 82 37 02 02 0a")), der(6, &hex("2a 86 48 82 f7 12 01 02 02"))].concat();
    let body = [der(0xa0, &der(0x30, &offered)), der(0xa2, &der(4, token))].concat();
    der(0x60, &[der(6, &hex("2b 06 01 05 05 02")), der(0xa0, &der(0x30, &body))].concat())
}

/// A NegTokenResp, accept-incomplete, with this token.
fn response(token: &[u8]) -> Vec<u8> {
    der(0xa1, &der(0x30, &[der(0xa0, &hex("0a 01 01")), der(0xa2, &der(4, token))].concat()))
}

fn pair(id: u16, value: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// Length, maximal length, offset.
fn field(len: usize, offset: u32) -> Vec<u8> {
    [&(len as u16).to_le_bytes()[..], &(len as u16).to_le_bytes(), &offset.to_le_bytes()].concat()
}

const FLAGS: u32 = 0xe289_8235;

fn ntlm(kind: u8, rest: &[Vec<u8>]) -> Vec<u8> {
    [b"NTLMSSP\0", &[kind, 0, 0, 0][..], &rest.concat()].concat()
}

fn challenge() -> Vec<u8> {
    let names = [pair(2, &utf16("LAB")), pair(1, &utf16("SRV1")), pair(3, &utf16("srv1.lab.example"))].concat();
    let pairs = [names, pair(7, &0x01dc_0000_1234_5678u64.to_le_bytes()), pair(0, &[])].concat();
    let fields = [
        field(0, 56),
        FLAGS.to_le_bytes().to_vec(),
        SECRET.as_bytes().to_vec(),
        vec![0; 9],
        field(pairs.len(), 56),
        hex("0a 00 7c 4f 00 00 00 0f"),
        pairs,
    ];
    ntlm(2, &fields)
}

fn authenticate(binding: &[u8; 16]) -> Vec<u8> {
    let pairs = [pair(7, &[1; 8]), pair(10, binding), pair(9, &utf16("TERMSRV/srv1")), pair(0, &[])].concat();
    let nt = [SECRET.as_bytes(), &[0; 37], &pairs].concat();
    let user = utf16("alice");
    let fields = [
        field(0, 88),
        field(nt.len(), 88 + user.len() as u32),
        field(0, 88),
        field(user.len(), 88),
        field(0, 88),
        field(0, 88),
        FLAGS.to_le_bytes().to_vec(),
        hex("0a 00 7c 4f 00 00 00 0f"),
        vec![7; 16],
        user,
        nt,
    ];
    ntlm(3, &fields)
}

fn read(selected: Protocols, script: &[(Side, Vec<u8>)]) -> Vec<What> {
    let mut inner = Inner::new(selected);
    let mut out = Vec::new();
    script.iter().for_each(|(from, bytes)| inner.push(*from, bytes, &mut out));
    assert!(!format!("{out:?}").contains(SECRET), "{out:?}");
    out
}

/// The events of a script, however it is cut.
#[track_caller]
fn check(selected: Protocols, script: &[(Side, Vec<u8>)]) -> Vec<What> {
    let whole = read(selected, script);
    for len in [1, 2, 3, 7, 50] {
        let cut: Vec<_> =
            script.iter().flat_map(|(from, b)| b.chunks(len).map(|part| (*from, part.to_vec()))).collect();
        assert_eq!(read(selected, &cut), whole, "cut into pieces of {len}");
    }
    assert_eq!(whole.first(), Some(&What::Unsealed));
    whole[1..].to_vec()
}

fn requests(events: &[What]) -> Vec<(Side, &TsRequest)> {
    let request = |what| match what {
        &What::Credssp { from, ref request } => Some((from, &**request)),
        _ => None,
    };
    events.iter().filter_map(request).collect()
}

fn ntlm_of(request: &TsRequest) -> &Ntlm {
    match &request.tokens[0].message {
        Some(AuthMessage::Ntlm(ntlm)) => ntlm,
        other => panic!("{other:?}"),
    }
}

fn kerberos_of(request: &TsRequest) -> Option<Kerberos> {
    match request.tokens[0].message {
        Some(AuthMessage::Kerberos(kerberos)) => Some(kerberos),
        _ => None,
    }
}

fn with_ntlm() -> Vec<(Side, Vec<u8>)> {
    let negotiate = ntlm(1, &[FLAGS.to_le_bytes().to_vec(), vec![0; 16], hex("0a 00 63 45 00 00 00 0f")]);
    let last = [nego(&response(&authenticate(&[0; 16]))), sealed(0xa3), sealed(0xa5)];
    vec![
        (Client, ts_request(&[nego(&init(&negotiate))])),
        (Server, ts_request(&[nego(&response(&challenge()))])),
        (Client, ts_request(&last)),
        (Server, ts_request(&[sealed(0xa3)])),
        (Client, ts_request(&[sealed(0xa2)])),
        (Server, hex("00 00 00 00")),
    ]
}

#[test]
fn ntlm_is_followed_without_its_secrets() {
    let events = check(Protocols::HYBRID_EX, &with_ntlm());
    let requests = requests(&events);
    assert_eq!(requests.iter().map(|(from, _)| *from).collect::<Vec<_>>(), [Client, Server, Client, Server, Client]);
    assert!(requests.iter().all(|(_, request)| request.version == 6));
    assert_eq!(requests[0].1.tokens[0].offered, [Mechanism::Ntlm, Mechanism::Kerberos]);

    let [negotiate, challenge, authenticate] = [0, 1, 2].map(|place| ntlm_of(requests[place].1));
    assert_eq!(
        (negotiate.kind, negotiate.flags, negotiate.version),
        (NtlmKind::Negotiate, FLAGS, Some((10, 0, 17763)))
    );
    assert_eq!((challenge.kind, &challenge.pairs[..]), (NtlmKind::Challenge, &[2, 1, 3, 7][..]));
    assert_eq!(challenge.names.dns_computer.as_deref(), Some("srv1.lab.example"));
    assert_eq!(challenge.timestamp, Some(0x01dc_0000_1234_5678));
    assert_eq!(requests[1].1.tokens[0].state, Some(1));
    assert_eq!((authenticate.kind, authenticate.channel_binding), (NtlmKind::Authenticate, Some(false)));
    assert_eq!(authenticate.names.target.as_deref(), Some("TERMSRV/srv1"));
    assert!(authenticate.has_user && !authenticate.is_v1);
    assert!(requests[2].1.has_pub_key_auth && requests[2].1.has_client_nonce && requests[4].1.has_auth_info);
    assert_eq!(events.last(), Some(&What::EarlyAuthorization { result: 0 }));
}

#[test]
fn a_channel_binding_that_is_there() {
    let script = [(Client, ts_request(&[nego(&authenticate(&[9; 16]))]))];
    let events = check(Protocols::HYBRID, &script);
    assert_eq!(ntlm_of(requests(&events)[0].1).channel_binding, Some(true));
    assert_eq!(requests(&events)[0].1.tokens[0].chosen, Some(Mechanism::Ntlm));
}

#[test]
fn an_error_code_however_it_is_written() {
    for code in ["02 04 c0 00 00 6d", "02 05 00 c0 00 00 6d"] {
        let events = check(Protocols::HYBRID, &[(Server, ts_request(&[der(0xa4, &hex(code))]))]);
        assert_eq!(requests(&events)[0].1.error_code, Some(0xc000_006d));
    }
}

#[test]
fn kerberos_is_told_by_its_messages() {
    let options = |first: u8| der(0xa2, &[3, 5, 0, first, 0, 0, 0]);
    let request = |first| der(0x6e, &der(0x30, &[der(0xa0, &hex("02 01 05")), options(first)].concat()));
    let wrapped = |id: &str, message: &[u8]| {
        der(0x60, &[der(6, &hex("2a 86 48 86 f7 12 01 02 02 03")), hex(id), message.to_vec()].concat())
    };
    let error = der(0x7e, &der(0x30, &[der(0xa0, &hex("02 01 05")), der(0xa6, &hex("02 01 25"))].concat()));
    let tokens = [
        wrapped("04 00", &der(0x30, &[])),
        wrapped("04 01", &der(0x30, &[])),
        wrapped("01 00", &request(0x60)),
        request(0x20),
        wrapped("02 00", &der(0x6f, &[])),
        wrapped("03 00", &error),
    ];
    let script: Vec<_> = tokens.iter().map(|token| (Client, ts_request(&[nego(&response(token))]))).collect();
    let events = check(Protocols::HYBRID, &script);
    let found: Vec<_> = requests(&events).iter().filter_map(|(_, request)| kerberos_of(request)).collect();
    let wanted = [
        Kerberos::TgtReq,
        Kerberos::TgtRep,
        Kerberos::ApReq { uses_session_key: true },
        Kerberos::ApReq { uses_session_key: false },
        Kerberos::ApRep,
        Kerberos::Error { code: 37 },
    ];
    assert_eq!(found, wanted);
    assert_eq!(spnego_of(b"NEGOEXTS...."), Some(AuthMessage::NegoEx));
}

fn spnego_of(token: &[u8]) -> Option<AuthMessage> {
    let events = read(Protocols::HYBRID, &[(Client, ts_request(&[nego(token)]))]);
    requests(&events)[0].1.tokens[0].message.clone()
}

#[test]
fn tokens_wrapped_without_end_are_not_followed() {
    let mut token = vec![0x60];
    for _ in 0..10_000 {
        token = der(0x60, &[der(6, &hex("2b 06 01 05 05 02")), token].concat());
        token.truncate(60_000);
    }
    assert_eq!(spnego_of(&token), None);
}

/// TPKT and X.224 Data around some MCS.
fn data(mcs: &[u8]) -> Vec<u8> {
    let len = mcs.len() + 7;
    [&[3, 0, (len >> 8) as u8, len as u8, 2, 0xf0, 0x80], mcs].concat()
}

fn send(from: Side, channel: u16, user: &[u8]) -> Vec<u8> {
    let choice = if from == Client { 0x64 } else { 0x68 };
    let [high, low] = channel.to_be_bytes();
    data(&[&[choice, 0, 3, high, low, 0x70, 0x80 | (user.len() >> 8) as u8, user.len() as u8], user].concat())
}

/// User data behind a security header with these flags.
fn headed(from: Side, channel: u16, flags: u16, body: &[u8]) -> (Side, Vec<u8>) {
    (from, send(from, channel, &[&flags.to_le_bytes()[..], &[0, 0], body].concat()))
}

fn control(kind: u8, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16 + 6).to_le_bytes()[..], &[0x10 | kind, 0, 0xea, 3], body].concat()
}

fn share_data(kind: u8, body: &[u8]) -> Vec<u8> {
    control(7, &[&[1, 0, 1, 0, 0, 1, 0, 0, kind, 0, 0, 0][..], body].concat())
}

fn shared(from: Side, pdus: &[Vec<u8>]) -> (Side, Vec<u8>) {
    (from, send(from, IO, &pdus.concat()))
}

fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(body.len() as u16 + 4).to_le_bytes(), body].concat()
}

/// A connect PDU of MCS whose user data ends with these blocks.
fn connect(tag: u8, result: &[u8], key: &[u8], blocks: &[u8]) -> Vec<u8> {
    let len = 0x8000 | blocks.len() as u16;
    let user = [&hex("00 05 00 14 7c 00 01 81 00")[..], key, &len.to_be_bytes(), blocks].concat();
    let inside = [result, &der(4, &user)].concat();
    data(&[vec![0x7f], der(tag, &inside)].concat())
}

fn client_core() -> Vec<u8> {
    let mut name = utf16("WORKSTATION");
    name.resize(32, 0);
    let fixed = [hex("0c 00 08 00 80 07 38 04 01 ca 03 aa 09 04 00 00 5d 58 00 00"), name].concat();
    let keyboard = [hex("04 00 00 00 00 00 00 00 0c 00 00 00"), vec![0; 64]].concat();
    [fixed, keyboard, hex("01 ca 01 00 00 00 00 00 18 00 0f 00 af 07"), vec![0; 64], hex("06 00 08 00 00 00")].concat()
}

fn initial(core: &[u8]) -> (Side, Vec<u8>) {
    let channels = [&hex("02 00 00 00")[..], b"rdpdr\0\0\0", &[0; 4], b"cliprdr\0", &[0; 4]].concat();
    let blocks = [
        block(0xc001, core),
        block(0xc004, &hex("17 00 00 00 05 00 00 00")),
        block(0xc002, &hex("1b 00 00 00 00 00 00 00")),
        block(0xc003, &channels),
        block(0xc006, &[0; 4]),
        block(0xcfff, &[1, 2, 3]),
    ];
    (Client, connect(0x65, &[], b"Duca", &blocks.concat()))
}

fn answer(result: u8) -> (Side, Vec<u8>) {
    let network = [IO, 2, CHANNEL, 1005].map(u16::to_le_bytes).concat();
    let blocks = [
        block(0x0c01, &hex("10 00 08 00 0b 00 00 00 08 00 00 00")),
        block(0x0c03, &network),
        block(0x0c02, &[0; 8]),
        block(0x0c04, &MESSAGE.to_le_bytes()),
    ];
    (Server, connect(0x66, &[0x0a, 1, result], b"McDn", &blocks.concat()))
}

fn client_info() -> (Side, Vec<u8>) {
    let lengths = [6u16, 10, 14, 0, 0].map(u16::to_le_bytes).concat();
    let texts = ["LAB\0", "alice\0", "hunter2\0", "\0", "\0"].map(utf16).concat();
    let extended = [hex("02 00 04 00 00 00 00 00 02 00 00 00"), vec![0; 180], hex("1c 00"), vec![9; 28]].concat();
    let body = [hex("09 04 00 00 3b 41 03 00"), lengths, texts, extended].concat();
    headed(Client, IO, 0x40, &body)
}

fn encoded(pdu: &impl Encode) -> Vec<u8> {
    encode_vec(pdu).unwrap()
}

/// Two capability sets that are known and one that is not.
fn demand_active() -> Vec<u8> {
    let sets =
        [&block(0x14, &hex("00 00 00 00 40 06 00 00"))[..], &block(9, &hex("ea 03 00 00")), &block(0x7777, &[1])];
    let sets = sets.concat();
    let lengths = [4, sets.len() as u16 + 4].map(u16::to_le_bytes).concat();
    control(1, &[&hex("ea 03 01 00")[..], &lengths, b"RDP\0", &[3, 0, 0, 0], &sets, &[0; 4]].concat())
}

/// A whole session without authentication, up to its end.
fn session() -> Vec<(Side, Vec<u8>)> {
    let result = AutoDetectRequest::netchar_result(4, 20, 9000, 25);
    let measured = AutoDetectResponse::BandwidthMeasureResults {
        sequence_number: 2,
        response_type: 3,
        time_delta_ms: 8,
        byte_count: 9000,
    };
    vec![
        initial(&client_core()),
        answer(0),
        (Client, data(&hex("04 01 00 01 00"))),
        (Client, data(&hex("28"))),
        (Server, data(&hex("2e 00 00 06"))),
        (Client, data(&hex("38 00 06 03 eb"))),
        (Server, data(&hex("3e 00 00 06 03 eb 03 eb"))),
        client_info(),
        headed(Server, MESSAGE, 0x1000, &encoded(&AutoDetectRequest::rtt_connect_time(1))),
        headed(Client, MESSAGE, 0x2000, &encoded(&AutoDetectResponse::RttResponse { sequence_number: 1 })),
        headed(Client, MESSAGE, 0x2000, &encoded(&measured)),
        headed(Server, MESSAGE, 0x1000, &encoded(&result)),
        headed(Server, IO, 0x80, &hex("ff 03 10 00 07 00 00 00 02 00 00 00 04 00 00 00")),
        headed(Server, MESSAGE, 0x0002, &[&hex("01 00 00 00 01 00 00 00")[..], SECRET.as_bytes()].concat()),
        headed(Client, MESSAGE, 0x0004, &hex("01 00 00 00 04 40 00 80")),
        shared(Server, &[demand_active()]),
        shared(Client, &[share_data(0x1f, &hex("01 00 ea 03"))]),
        shared(Client, &[share_data(0x27, &[0; 8])]),
        shared(Server, &[share_data(0x14, &hex("02 00 00 00 00 00 00 00")), share_data(0x28, &[0; 8])]),
        headed(Server, MESSAGE, 0x4000, &hex("00 1e 02 05")),
        (Server, send(Server, CHANNEL, &[0; 100])),
        (Server, hex("00 05 01 02 03")),
        shared(
            Server,
            &[share_data(0x26, &[&hex("03 00 00 00 26 00 01 00 00 00 1c 00 00 00")[..], &[9; 28]].concat())],
        ),
        shared(Client, &[share_data(0x24, &[])]),
        shared(Server, &[share_data(0x25, &[])]),
        shared(Server, &[share_data(0x2f, &hex("0c 00 00 00")), control(6, &hex("ea 03 01 00 00 00"))]),
        (Server, data(&hex("21 80"))),
    ]
}

#[test]
fn a_session_is_followed_to_its_end() {
    let events = check(Protocols::SSL, &session());
    let pdus: Vec<(Side, RdpPdu)> = events
        .iter()
        .filter_map(|what| match what {
            What::Rdp { from, pdu } => Some((*from, pdu.clone())),
            What::Malformed { .. } => panic!("{what:?}"),
            _ => None,
        })
        .collect();
    let traffic = |kind, len| RdpPdu::Traffic { kind, len };
    let wanted = [
        (Client, RdpPdu::ClientInfo { flags: 0x3413b, lengths: [6, 10, 14], has_cookie: true }),
        (Server, RdpPdu::AutoDetect(AutoDetect::RttRequest { sequence: 1 })),
        (Client, RdpPdu::AutoDetect(AutoDetect::RttResponse { sequence: 1 })),
        (Client, RdpPdu::AutoDetect(AutoDetect::BandwidthResults { ms: 8, bytes: 9000 })),
        (
            Server,
            RdpPdu::AutoDetect(AutoDetect::Result {
                base_rtt_ms: Some(20),
                bandwidth_kbps: Some(9000),
                average_rtt_ms: 25,
            }),
        ),
        (Server, RdpPdu::License { message: 0xff, error: Some((7, 2)) }),
        (Server, RdpPdu::MultitransportRequest { protocol: 1 }),
        (Client, RdpPdu::MultitransportResponse { result: 0x8000_4004 }),
        (Server, RdpPdu::DemandActive(Capabilities { announced: 3, found: 3, unread: 1 })),
        (Client, RdpPdu::Finalization(Finalization::Synchronize)),
        (Client, RdpPdu::Finalization(Finalization::FontList)),
        (Server, RdpPdu::Finalization(Finalization::Control(2))),
        (Server, RdpPdu::Finalization(Finalization::FontMap)),
        (Server, RdpPdu::Heartbeat { period: 30, warn: 2, reconnect: 5 }),
        (Server, traffic(Traffic::Channel(CHANNEL), 100)),
        (Server, traffic(Traffic::FastPath, 5)),
        (Server, RdpPdu::SaveSessionInfo { kind: 3, has_cookie: true, logon_error: None }),
        (Client, RdpPdu::ShutdownRequest),
        (Server, RdpPdu::ShutdownDenied),
        (Server, RdpPdu::SetErrorInfo { code: 12 }),
        (Server, RdpPdu::DeactivateAll),
    ];
    assert_eq!(pdus, wanted);
    let end = What::Mcs { from: Server, pdu: McsPdu::DisconnectProviderUltimatum { reason: 3 } };
    assert_eq!(events.last(), Some(&end));
}

#[test]
fn settings_of_both_sides() {
    let events = check(Protocols::SSL, &[initial(&client_core()), answer(0)]);
    let [_, What::ClientSettings(client), _, What::ServerSettings(server)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((client.version, client.build), (Some(0x0008_000c), Some(22621)));
    assert_eq!((client.name.as_deref(), client.desktop), (Some("WORKSTATION"), Some((1920, 1080))));
    assert_eq!((client.color_depth, client.keyboard_layout), (Some(32), Some(0x409)));
    assert_eq!((client.early_flags, client.connection_type), (Some(0x7af), Some(6)));
    assert_eq!((client.encryption_methods, client.redirected_session), (Some(0x1b), Some(5)));
    assert_eq!((&client.channels[..], client.has_message_channel), (&["rdpdr".to_owned(), "cliprdr".into()][..], true));
    assert_eq!((server.version, server.requested, server.early_flags), (Some(0x0008_0010), Some(0xb), Some(8)));
    assert_eq!((server.io_channel, server.message_channel), (Some(IO), Some(MESSAGE)));
    assert_eq!((&server.channels[..], server.encryption_level), (&[CHANNEL, 1005][..], Some(0)));
}

#[test]
fn a_block_that_is_written_otherwise_costs_itself_alone() {
    let mut core = client_core();
    // highColorDepth
    core[136] = 0x77;
    let events = check(Protocols::SSL, &[initial(&core)]);
    let [_, What::ClientSettings(client), What::Malformed { layer: "gcc", offset, says, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((client.name.as_deref(), client.build, client.channels.len()), (Some("WORKSTATION"), Some(22621), 2));
    assert!(says.contains("highColorDepth"), "{says}");
    let (_, bytes) = initial(&core);
    let place = bytes.windows(2).position(|two| two == [0x77, 0]).unwrap() as u64;
    assert!((place..=place + 2).contains(offset), "{offset}, not at {place}");
}

#[test]
fn a_redirection_is_told_without_its_credentials() {
    let redirection = ServerRedirectionPdu {
        session_id: 3,
        flags: ServerRedirectionFlags::DONT_STORE_USERNAME,
        target_net_address: Some("192.0.2.7".into()),
        load_balance_info: Some(b"Cookie: msts=1.2.3\r\n".to_vec()),
        username: Some(SECRET.into()),
        domain: Some(SECRET.into()),
        password: Some(SECRET.into()),
        target_fqdn: Some("host7.lab.example".into()),
        target_net_addresses: Some(vec!["192.0.2.7".into(), "2001:db8::7".into()]),
        ..ServerRedirectionPdu::default()
    };
    let packet = encoded(&redirection);
    let script = [
        answer(0),
        shared(Server, &[control(10, &[&[0, 0][..], &packet].concat())]),
        headed(Server, IO, 0x400, &packet),
    ];
    let events = check(Protocols::SSL, &script);
    let redirections: Vec<_> = events
        .iter()
        .filter_map(|what| match what {
            What::Rdp { pdu: RdpPdu::Redirection(redirection), .. } => Some(redirection),
            _ => None,
        })
        .collect();
    assert_eq!(redirections.len(), 2);
    let to = redirections[0];
    assert_eq!((to.session, to.target(), to.addresses.len()), (3, Some("host7.lab.example"), 2));
    assert_eq!((to.address.as_deref(), to.token_len, to.flags & 0x30), (Some("192.0.2.7"), 20, 0x30));
    assert_eq!(redirections[1], to);
}

#[test]
fn rdstls_is_passed_and_its_result_told() {
    let texts = [hex("00 00"), hex("04 00 61 00 00 00"), hex("00 00"), hex("07 00"), SECRET.as_bytes().to_vec()];
    let script = [
        (Server, hex("01 00 01 00 01 00 01 00")),
        (Client, [hex("01 00 02 00 01 00"), texts.concat()].concat()),
        (Server, hex("01 00 04 00 01 00 05 00 00 00")),
        (Client, data(&hex("28"))),
    ];
    let events = check(Protocols::RDSTLS, &script);
    let attach = What::Mcs { from: Client, pdu: McsPdu::AttachUserRequest };
    assert_eq!(events, [What::RdstlsResult { code: 5 }, attach]);
}

#[test]
fn rdsaad_is_passed_and_its_result_told() {
    let assertion = format!("{{\"rdp_assertion\":\"{SECRET}\"}}\0");
    let script = [
        (Server, b"{\"ts_nonce\":\"AAAA\"}\0".to_vec()),
        (Client, assertion.into_bytes()),
        (Server, b"{\"authentication_result\":-2147024891}\0".to_vec()),
        (Client, data(&hex("28"))),
    ];
    let events = check(Protocols::RDSAAD, &script);
    let attach = What::Mcs { from: Client, pdu: McsPdu::AttachUserRequest };
    assert_eq!(events, [What::RdsaadResult { code: 0x8007_0005 }, attach]);
}

/// Everything that is told of a session whose client names its user twice.
fn told(names: bool) -> Vec<What> {
    let (mut inner, mut out) = (Inner::new(Protocols::HYBRID_EX).naming(names), Vec::new());
    for (from, bytes) in with_ntlm().into_iter().chain(session()) {
        inner.push(from, &bytes, &mut out);
    }
    out
}

#[test]
fn names_are_told_to_who_asks_and_to_nobody_else() {
    let accounts = |out: Vec<What>| -> Vec<Account> {
        let account = |what| if let What::Account(account) = what { Some(account) } else { None };
        out.into_iter().filter_map(account).collect()
    };
    let all = accounts(told(true));
    let [ntlm, info] = &all[..] else { panic!("{all:?}") };
    assert_eq!((ntlm.by, info.by), (Naming::Ntlm, Naming::ClientInfo));
    assert_eq!([&ntlm.domain, &ntlm.user, &info.domain, &info.user], ["", "alice", "LAB", "alice"]);
    assert!(!format!("{:?}", told(true)).contains(SECRET));
    assert_eq!(accounts(told(false)), []);
}

#[test]
fn holes_cost_what_stands_in_them() {
    // Within a TSRequest: that one.
    let script = with_ntlm();
    let mut inner = Inner::new(Protocols::HYBRID_EX);
    let mut out = Vec::new();
    inner.push(Client, &script[0].1[..20], &mut out);
    inner.missing(Client, script[0].1.len() as u64 - 20, &mut out);
    inner.push(Client, &script[2].1, &mut out);
    assert_eq!(requests(&out).len(), 1);
    // Of unknown length: up to MCS.
    inner.missing(Client, 1000, &mut out);
    inner.push(Client, &[&[1, 2, 3][..], &data(&hex("28"))].concat(), &mut out);
    assert_eq!(out.last(), Some(&What::Mcs { from: Client, pdu: McsPdu::AttachUserRequest }));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut inner = Inner::new(Protocols::HYBRID);
    let mut out = Vec::new();
    inner.push(Client, &hex("30 84 10 00 00 00"), &mut out);
    (0..1000).for_each(|_| inner.push(Client, &[0; 4096], &mut out));
    assert!(inner.sides[0].kept.capacity() <= 2 * MAX_MESSAGE);
    assert!(matches!(out[..], [What::Unsealed, What::Malformed { layer: "credssp", offset: 0, .. }]), "{out:?}");
}

#[test]
fn what_is_no_credssp_is_told_once() {
    let events = check(Protocols::HYBRID, &[(Server, b"HTTP/1.1 400 Bad Request\r\n".to_vec())]);
    assert!(matches!(&events[..], [What::Malformed { says, .. }] if says.contains("found 48")), "{events:?}");
}

/// Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % below.max(1)
    }

    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.roll(3) {
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
fn spoiled_bytes_never_panic_and_cutting_them_changes_nothing() {
    let mut dice = Dice(0x5eed);
    for round in 0..3000 {
        let all = [Protocols::SSL, Protocols::HYBRID, Protocols::HYBRID_EX, Protocols::RDSTLS, Protocols::RDSAAD];
        let selected = all[round % all.len()];
        let mut script = with_ntlm();
        script.extend(session());
        script.iter_mut().for_each(|(_, bytes)| dice.spoil(bytes));
        if dice.roll(4) == 0 {
            script.rotate_left(6);
        }
        let unread = |script: &[(Side, Vec<u8>)]| {
            let (mut inner, mut out) = (Inner::new(selected), Vec::new());
            script.iter().for_each(|(from, bytes)| inner.push(*from, bytes, &mut out));
            out
        };
        let cut: Vec<_> = script.iter().flat_map(|(from, b)| b.chunks(5).map(|part| (*from, part.to_vec()))).collect();
        assert_eq!(unread(&cut), unread(&script));
        with_holes(selected, &script, &mut dice);
    }
}

fn with_holes(selected: Protocols, script: &[(Side, Vec<u8>)], dice: &mut Dice) {
    let (mut inner, mut out) = (Inner::new(selected), Vec::new());
    for (from, bytes) in script {
        let at = dice.roll(bytes.len());
        inner.push(*from, &bytes[..at], &mut out);
        if dice.roll(5) == 0 {
            inner.missing(*from, [1, 7, 300, u64::MAX][dice.roll(4)], &mut out);
        }
        inner.push(*from, &bytes[at..], &mut out);
    }
}

/// Elements in elements, 100,000 deep: what is read of them is a few levels, on a small stack and in no time.
#[test]
fn what_is_nested_without_end_is_read_without_depth() {
    const DEPTH: usize = 100_000;
    let nested = |tags: &[u8]| {
        let mut all = Vec::new();
        // From the outermost on: each with the length of all that is in it, in four bytes.
        for level in 0..DEPTH {
            let inside = (DEPTH - 1 - level) * 6;
            all.extend([tags[level % tags.len()], 0x84]);
            all.extend((inside as u32).to_be_bytes());
        }
        all
    };
    let kinds: [&[u8]; 8] = [
        &[0x30],
        &[0x60],
        &[0xa0, 0x30],
        &[0xa1, 0x30],
        &[0x60, 0x06],
        &[0xa2, 0x04],
        &[0x6e],
        &[0x30, 0xa1, 0x30, 0xa0, 4],
    ];
    let read = move || {
        for tags in kinds {
            let nested = nested(tags);
            let wide =
                |tag: u8, content: &[u8]| [&[tag, 0x84][..], &(content.len() as u32).to_be_bytes(), content].concat();
            let token = wide(0xa1, &wide(0x30, &wide(0x30, &wide(0xa0, &wide(4, &nested)))));
            let request = wide(0x30, &[der(0xa0, &hex("02 01 06")), token].concat());
            for bytes in [&request, &nested] {
                let mut out = Vec::new();
                let mut inner = Inner::new(Protocols::HYBRID).naming(true);
                inner.push(Side::Client, bytes, &mut out);
                assert!(out.len() < 10, "{} events", out.len());
            }
        }
    };
    // An eighth of what a thread has.
    let small = std::thread::Builder::new().stack_size(256 << 10).spawn(read).expect("a thread");
    small.join().expect("no overflow");
}
