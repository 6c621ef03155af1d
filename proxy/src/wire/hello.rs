//! ClientHellos by hand (RFC 8446 4.1.2, RFC 5246 7.4.1.2): of any version, with any suites, as long as one likes.
//!
//! No key stands behind them: the key shares are the curves' own base points, valid and known to everybody. Whoever
//! sends such a hello wants to see what the server answers, and goes no further.

use std::hash::{BuildHasher, Hasher, RandomState};

/// What a ClientHello offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The versions, highest first: 0x0301 to 0x0304.
    pub versions: &'a [u16],
    /// Cipher suites in order of preference.
    pub ciphers: &'a [u16],
    /// server_name; none for addresses (RFC 6066 3).
    pub name: Option<&'a str>,
    /// The handshake message is padded to this length, if it is shorter (RFC 7685).
    pub padded_to: usize,
}

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 3.3): some servers refuse who does not send it.
const RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;

/// x25519, secp256r1, secp384r1, secp521r1, x448, ffdhe2048 (RFC 8446 4.2.7).
const GROUPS: [u16; 6] = [0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100];

/// Every signature scheme that a server's certificate may have, old ones last (RFC 8446 4.2.3).
const SIGNATURES: [u16; 17] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
    0x0203, 0x0201, 0x0202,
];

/// The hello in TLS records (each at most 2^14 bytes, RFC 8446 5.1).
pub fn client_hello(offer: &Offer<'_>) -> Vec<u8> {
    let mut body = fixed_part(offer);
    let mut extensions = extensions(offer);
    // Handshake header, and the length of the extensions.
    let len = 4 + body.len() + 2 + extensions.len();
    if let Some(missing) = offer.padded_to.checked_sub(len + 4) {
        extensions.extend(extension(21, &vec![0; missing]));
    }
    body.extend(vector16(&extensions));
    let message = [&[1], &(body.len() as u32).to_be_bytes()[1..], &body].concat();
    // The record's own version is that of the first hello ever, which every server takes (RFC 8446 5.1).
    message.chunks(1 << 14).flat_map(|part| [&[0x16, 0x03, 0x01], &vector16(part)[..]].concat()).collect()
}

/// Everything before the extensions.
fn fixed_part(offer: &Offer<'_>) -> Vec<u8> {
    let highest = offer.versions.first().copied().unwrap_or(TLS_1_2);
    let mut ciphers = offer.ciphers.to_vec();
    if offer.versions.iter().any(|version| *version < TLS_1_3) {
        ciphers.push(RENEGOTIATION_INFO_SCSV);
    }
    let ciphers: Vec<u8> = numbers(&ciphers);
    let legacy_version = highest.min(TLS_1_2).to_be_bytes();
    // Where TLS 1.3 is offered, a session id keeps middleboxes content (RFC 8446 D.4).
    let session_id = if highest >= TLS_1_3 { random().to_vec() } else { Vec::new() };
    let compression = [1, 0];
    [&legacy_version[..], &random(), &vector8(&session_id), &vector16(&ciphers), &compression].concat()
}

fn extensions(offer: &Offer<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(name) = offer.name {
        let entry = [&[0], &vector16(name.as_bytes())[..]].concat();
        all.extend(extension(0, &vector16(&entry)));
    }
    all.extend(extension(10, &vector16(&numbers(&GROUPS))));
    all.extend(extension(11, &[1, 0])); // ec_point_formats: uncompressed
    if offer.versions.iter().any(|version| *version >= TLS_1_2) {
        all.extend(extension(13, &vector16(&numbers(&SIGNATURES))));
    }
    all.extend(extension(23, &[])); // extended_master_secret
    if offer.versions.contains(&TLS_1_3) {
        all.extend(extension(43, &vector8(&numbers(offer.versions))));
        all.extend(extension(51, &vector16(&key_shares())));
    }
    all
}

/// A share of each group that servers ask for first, so that none has to ask again (HelloRetryRequest).
fn key_shares() -> Vec<u8> {
    let mut x25519 = [0; 32];
    x25519[0] = 9; // RFC 7748 4.1
    [(0x001d, &x25519[..]), (0x0017, &P256), (0x0018, &P384)]
        .iter()
        .flat_map(|(group, point)| [&u16::to_be_bytes(*group)[..], &vector16(point)].concat())
        .collect()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector16(data)].concat()
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn vector8(data: &[u8]) -> Vec<u8> {
    [&[data.len() as u8], data].concat()
}

fn vector16(data: &[u8]) -> Vec<u8> {
    [&(data.len() as u16).to_be_bytes()[..], data].concat()
}

/// 32 bytes that differ from hello to hello. They protect nothing: a hash with the process's random key is enough.
fn random() -> [u8; 32] {
    let mut random = [0; 32];
    for part in random.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().build_hasher().finish().to_be_bytes());
    }
    random
}

/// The base point of secp256r1, uncompressed (SEC 2, 2.4.2).
#[rustfmt::skip]
const P256: [u8; 65] = [
    0x04,
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// The base point of secp384r1, uncompressed (SEC 2, 2.5.1).
#[rustfmt::skip]
const P384: [u8; 97] = [
    0x04,
    0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20, 0xad, 0x74,
    0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54, 0x2a, 0x38,
    0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7,
    0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc, 0x29,
    0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0,
    0x0a, 0x60, 0xb1, 0xce, 0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f,
];

#[cfg(test)]
mod tests {
    use analyzer::event::What;
    use analyzer::observation::Side;
    use analyzer::tls::Tls;

    use super::*;

    fn read(offer: &Offer<'_>) -> analyzer::event::ClientHello {
        let mut events = Vec::new();
        Tls::new().push(Side::Client, &client_hello(offer), &mut events);
        match events.as_slice() {
            [What::ClientHello(hello)] => (**hello).clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_analyzer_reads_what_is_offered() {
        let versions = [0x0304, 0x0303, 0x0302, 0x0301];
        let offer = Offer { versions: &versions, ciphers: &[0x1301, 0xc02f], name: Some("a.test"), padded_to: 2000 };
        let hello = read(&offer);
        assert_eq!((hello.versions, hello.len), (versions.to_vec(), 2000));
        assert_eq!(hello.ciphers, [0x1301, 0xc02f, RENEGOTIATION_INFO_SCSV]);
        assert_eq!((hello.sni.as_deref(), hello.resumes), (Some("a.test"), false));
    }

    #[test]
    fn an_old_hello_has_its_version_alone() {
        let hello = read(&Offer { versions: &[0x0301], ciphers: &[0x002f], name: None, padded_to: 0 });
        assert_eq!((hello.versions, hello.sni), (vec![0x0301], None));
        assert!(hello.signatures.is_empty() && hello.len < 200, "{}", hello.len);
    }
}
