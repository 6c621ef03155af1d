//! The bytes of named messages: `@request SSL+HYBRID`, `@hello 1.2,1.3`, `@record 23 120`.
//!
//! X.224, MCS and what stands behind TLS are those of the lab's peers; TLS is built here, field by field, without the
//! analyzer's help.

use proxy::lab::wire::{self, credssp, refusal};

use super::certificates::certificate;
use super::sealing::CLIENT_RANDOM;
use super::tunnel;

/// The value after `mstshash=` where a script names none.
const COOKIE: &str = "user";
/// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA.
const SUITES: [u16; 3] = [0xc02f, 0x1301, 0x002f];
/// SHA-256 of "HelloRetryRequest", which stands for the random of one (RFC 8446, 4.1.3).
const RETRY: &str = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/// A group of RFC 8446, 4.2.7.
const X25519: [u8; 2] = [0x00, 0x1d];

/// The bytes of what stands behind `>` or `<`: a message by its name, or hex. `first=N` cuts it.
pub fn bytes(words: &[&str]) -> Vec<u8> {
    let (named, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.contains('='));
    let option = |name: &str| named.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let mut bytes = match words.split_first() {
        Some((name, rest)) if name.starts_with('@') => message(&name[1..], rest, &option),
        _ => hex(&words.concat()),
    };
    if let Some(first) = option("first") {
        bytes.truncate(first.parse().expect("a number of bytes"));
    }
    bytes
}

/// Bytes written as hex.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("a hex digit") as u8).collect();
    digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect()
}

fn message<'a>(name: &str, words: &[&str], option: &dyn Fn(&str) -> Option<&'a str>) -> Vec<u8> {
    let word = words.first().copied().unwrap_or_default();
    match name {
        "request" => wire::connection_request(option("cookie").unwrap_or(COOKIE), protocols(word)),
        "confirm" => wire::connection_confirm(protocols(word)),
        "failure" => wire::negotiation_failure(number(word)),
        "hello" => {
            let offers = Offers { groups: option("groups").map(hex), signatures: option("sigs").map(hex) };
            client_hello([0xc1; 32], word, option("sni"), option("size").map_or(0, number), offers)
        }
        "keyed-hello" => client_hello(CLIENT_RANDOM, word, Some("server.example"), 0, Offers::default()),
        "ssl2-hello" => ssl2_hello(word),
        "hello-retry" => server_hello(&hex(RETRY), "1.3", &X25519),
        "server-hello" => server_hello(&[0x5e; 32], word, &key_share()),
        "certificate" => handshake(11, &chain(word)),
        "hello-done" => handshake(14, &[]),
        "key-exchange" => handshake(16, &[&[32][..], &[0xab; 32]].concat()),
        "finished" => [record(20, &[1]), record(22, &[0xee; 40])].concat(),
        "record" => record(number(word) as u8, &vec![0xd5; number(words[1]) as usize]),
        "alert" => record(21, &[if words.get(1) == Some(&"warning") { 1 } else { 2 }, number(word) as u8]),
        "mcs" => mcs(word, option("build").map(number)),
        "proxy" => proxy_header(word),
        "http" => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(),
        "ssh" => b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec(),
        other => tunnel::http(other, words, option).unwrap_or_else(|| behind_tls(other, word, words, option)),
    }
}

/// A header of the PROXY protocol, from a client's to a balancer's address.
fn proxy_header(kind: &str) -> Vec<u8> {
    const V2: &str = "0d0a0d0a000d0a515549540a";
    match kind {
        "v1" => b"PROXY TCP4 198.51.100.7 203.0.113.1 51000 3389\r\n".to_vec(),
        "unknown" => b"PROXY UNKNOWN\r\n".to_vec(),
        "v2" => hex(&format!("{V2}2111000cc6336407cb007101c7380d3d")),
        "local" => hex(&format!("{V2}20000000")),
        other => panic!("expected a kind of PROXY header, found {other:?}"),
    }
}

/// What stands behind TLS. CredSSP speaks version 6 unless `v=` says otherwise.
fn behind_tls<'a>(name: &str, word: &str, words: &[&str], option: &dyn Fn(&str) -> Option<&'a str>) -> Vec<u8> {
    let version = option("v").map_or(6, number);
    match name {
        "tsrequest" => match word {
            "negotiate" if option("build").is_some() => {
                credssp::negotiate_of_build(version, option("build").map_or(0, number) as u16)
            }
            "negotiate" => credssp::negotiate(version),
            "iakerb" => credssp::offers_iakerb(version),
            "challenge" if option("build").is_some() => {
                credssp::challenge_of_build(version, option("build").map_or(0, number) as u16)
            }
            "challenge" => credssp::challenge(version, option("clock").map(|ahead| filetime(number(ahead)))),
            "authenticate" => credssp::authenticate(version),
            "public-key" => credssp::public_key(version),
            "credentials" => credssp::credentials(version),
            "reject" => credssp::reject(version),
            other => panic!("expected what a TSRequest says, found {other:?}"),
        },
        "error-code" => credssp::error_code(version, number(word)),
        "krb-error" => credssp::kerberos_error(version, number(word) as u8),
        "rdstls-result" => [&[1, 0, 4, 0, 1, 0][..], &number(word).to_le_bytes()].concat(),
        "entra" => format!("{{\"{word}\":\"{}\"}}\0", words.get(1).unwrap_or(&"x")).into_bytes(),
        "entra-result" => format!("{{\"authentication_result\":{}}}\0", number(word)).into_bytes(),
        "authorization" => credssp::early_authorization(number(word)),
        "connect-refused" => refusal::connect_refused(number(word) as u8),
        "join-refused" => refusal::join_refused(),
        "licence-request" => refusal::licence_request(),
        "licence-new" => refusal::licence_new_request(),
        "licence-error" => refusal::licence_error(number(word)),
        "licence-error-of-client" => refusal::licence_error_of_client(number(word)),
        "errinfo" => refusal::error_info(number(word)),
        "logon-error" => refusal::logon_error(number(word), number(words[1])),
        "reconnect-refused" => refusal::auto_reconnect_refused(),
        "deactivate" => refusal::deactivate_all(),
        "ultimatum" => refusal::ultimatum(number(word) as u8),
        "redirect" => refusal::redirection(word),
        other => panic!("expected the name of a message, found @{other}"),
    }
}

/// So many seconds behind the time at which every story begins, as Windows counts: 100 ns since 1601.
fn filetime(ahead: u32) -> u64 {
    const FROM_1601_TO_1970: u64 = 11_644_473_600;
    (super::script::EPOCH / 1_000_000_000 + FROM_1601_TO_1970 + u64::from(ahead)) * 10_000_000
}

/// In hex behind `0x`.
pub fn number(text: &str) -> u32 {
    let hex = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16).ok());
    hex.unwrap_or_else(|| text.parse().ok()).unwrap_or_else(|| panic!("expected a number, found {text:?}"))
}

/// `SSL+HYBRID`, `RDP`, or nothing at all: `none`.
fn protocols(text: &str) -> Option<u32> {
    let bit = |name| match name {
        "RDP" => 0,
        "SSL" => 1,
        "HYBRID" => 2,
        "RDSTLS" => 4,
        "HYBRID_EX" => 8,
        "RDSAAD" => 16,
        other => panic!("expected a protocol, found {other:?}"),
    };
    (text != "none").then(|| text.split('+').map(bit).fold(0, |all, bit| all | bit))
}

/// MCS and RDP PDUs of a session in clear, \[MS-RDPBCGR\] 1.3.1.1; the client's may be of another build.
fn mcs(name: &str, build: Option<u32>) -> Vec<u8> {
    match name {
        "connect-initial" => build.map_or_else(|| wire::connect_initial(0), connect_initial_of),
        "connect-response" => wire::connect_response(0),
        "attach" => [wire::erect_domain(), wire::attach_user()].concat(),
        "attach-confirm" => wire::attach_user_confirm(),
        "join" => wire::channel_joins().swap_remove(0),
        "join-confirm" => wire::channel_join_confirms().swap_remove(0),
        "info" => wire::client_info("user"),
        // TPKT, X.224 data, MCS Send Data Request; Share Control and Share Data Header with pduType2 36 and 37.
        "shutdown-request" => hex("0300002002f08064000603eb701212001700ef03ea0301000001040024000000"),
        "shutdown-denied" => hex("0300002002f08068000103eb701212001700ea03ea0301000001040025000000"),
        // 2.2.15.1 and 2.2.15.2, on the I/O channel: a security header, a request for UDP; its answer, S_OK or E_ABORT.
        "multitransport" => {
            hex(&format!("0300002a02f08068000103eb701c0200000001000000{}", "01000000".to_owned() + &"5a".repeat(16)))
        }
        "multitransport-done" => hex("0300001a02f08064000603eb700c040000000100000000000000"),
        "multitransport-refused" => hex("0300001a02f08064000603eb700c040000000100000004400080"),
        "licence" => wire::licence_valid_client(),
        "demand" => wire::demand_active(),
        "confirm-active" => [wire::confirm_active(), wire::client_finalization().concat()].concat(),
        "finalization" => wire::server_finalization().concat(),
        "graphics" => wire::graphics(1000),
        "input" => wire::mouse_move(7),
        "ultimatum" => wire::disconnect_ultimatum(),
        other => panic!("expected an MCS PDU, found {other:?}"),
    }
}

/// A Connect Initial whose `clientBuild` is this one.
fn connect_initial_of(build: u32) -> Vec<u8> {
    let mut message = wire::connect_initial(0);
    let place = message.windows(4).position(|four| four == OWN_BUILD.to_le_bytes()).expect("clientBuild");
    message[place..place + 4].copy_from_slice(&build.to_le_bytes());
    message
}

/// What the lab's client says.
const OWN_BUILD: u32 = 19041;

/// One TLS record (RFC 8446, 5.1).
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// One handshake message in a record of its own (RFC 8446, 4).
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    record(22, &[&[kind][..], &u24(body.len()), body].concat())
}

fn u24(len: usize) -> [u8; 3] {
    let [_, high, middle, low] = (len as u32).to_be_bytes();
    [high, middle, low]
}

fn u16_vector(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &u16_vector(body)].concat()
}

fn version(text: &str) -> u16 {
    match text {
        "1.0" => 0x0301,
        "1.1" => 0x0302,
        "1.2" => 0x0303,
        "1.3" => 0x0304,
        other => panic!("expected a TLS version, found {other:?}"),
    }
}

/// What a ClientHello offers besides.
#[derive(Default)]
struct Offers {
    /// Groups before X25519 (RFC 8446, 4.2.7).
    groups: Option<Vec<u8>>,
    /// Signature schemes (RFC 8446, 4.2.3); without them the extension is left out.
    signatures: Option<Vec<u8>>,
}

/// RFC 8446, 4.1.2, and with padding (RFC 7685) up to `size` bytes of message.
fn client_hello(random: [u8; 32], versions: &str, sni: Option<&str>, size: u32, offers: Offers) -> Vec<u8> {
    let versions: Vec<u16> = versions.split(',').map(version).collect();
    let legacy = versions.iter().copied().min().unwrap_or(0x0303).min(0x0303);
    let listed: Vec<u8> = versions.iter().rev().flat_map(|version| version.to_be_bytes()).collect();
    let mut extensions = extension(43, &[&[listed.len() as u8][..], &listed].concat());
    let groups = [&offers.groups.unwrap_or_default()[..], &X25519, &[0x00, 0x17]].concat();
    extensions.extend(extension(10, &u16_vector(&groups)));
    if let Some(signatures) = offers.signatures {
        extensions.extend(extension(13, &u16_vector(&signatures)));
    }
    if let Some(name) = sni {
        extensions.extend(extension(0, &u16_vector(&[&[0][..], &u16_vector(name.as_bytes())].concat())));
    }
    let suites = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect::<Vec<u8>>();
    let fixed = [&legacy.to_be_bytes()[..], &random, &[0], &u16_vector(&suites), &[1, 0]].concat();
    let padding = (size as usize).saturating_sub(fixed.len() + 2 + extensions.len() + 4);
    if padding > 0 {
        extensions.extend(extension(21, &vec![0; padding]));
    }
    handshake(1, &[fixed, u16_vector(&extensions)].concat())
}

/// RFC 5246, E.2, without a session id.
fn ssl2_hello(highest: &str) -> Vec<u8> {
    let specs: Vec<u8> = SUITES.iter().flat_map(|suite| [0, (suite >> 8) as u8, *suite as u8]).collect();
    let lengths = [[0, specs.len() as u8], [0, 0], [0, 16]].concat();
    let body = [&[1][..], &version(highest).to_be_bytes(), &lengths, &specs, &[0xc2; 16]].concat();
    [&[0x80, body.len() as u8][..], &body].concat()
}

/// RFC 8446, 4.1.3.
fn server_hello(random: &[u8], chosen: &str, share: &[u8]) -> Vec<u8> {
    let chosen = version(chosen);
    let (suite, extensions) = match chosen {
        0x0304 => (SUITES[1], u16_vector(&[extension(43, &chosen.to_be_bytes()), extension(51, share)].concat())),
        _ => (SUITES[0], Vec::new()),
    };
    let legacy = chosen.min(0x0303).to_be_bytes();
    handshake(2, &[&legacy[..], random, &[0], &suite.to_be_bytes(), &[0], &extensions].concat())
}

/// RFC 8446, 4.2.8.
fn key_share() -> Vec<u8> {
    [&X25519[..], &u16_vector(&[0x77; 32])].concat()
}

/// EncryptedExtensions, Certificate and CertificateVerify of TLS 1.3 (RFC 8446, 4.3.1, 4.4.2, 4.4.3), without records.
pub fn certificate_13() -> Vec<u8> {
    let message = |kind: u8, body: &[u8]| [&[kind][..], &u24(body.len()), body].concat();
    let der = certificate("valid");
    let entry = [&u24(der.len())[..], &der, &[0, 0]].concat();
    let certificate = [&[0][..], &u24(entry.len()), &entry].concat();
    // rsa_pss_rsae_sha256, and a signature that nobody here can check.
    let verify = [&[0x08, 0x04][..], &u16_vector(&[0x51; 256])].concat();
    [message(8, &u16_vector(&[])), message(11, &certificate), message(15, &verify)].concat()
}

/// RFC 5246, 7.4.2: `valid`, or several of them with `+`.
fn chain(names: &str) -> Vec<u8> {
    let with_length = |der: Vec<u8>| [&u24(der.len())[..], &der].concat();
    let chain: Vec<u8> = names.split('+').map(certificate).flat_map(with_length).collect();
    [&u24(chain.len())[..], &chain].concat()
}
