//! Names for the numbers of TLS, as the IANA registries write them. A number without a name shows as hex.

use std::borrow::Cow;

use super::alert::ALERTS;
use super::cipher_suites::SUITES;

/// A protocol version: "1.0" to "1.3", "SSL 2.0", "SSL 3.0".
pub fn version(number: u16) -> Cow<'static, str> {
    named(VERSIONS, number)
}

/// A cipher suite: "TLS_AES_128_GCM_SHA256".
pub fn cipher(number: u16) -> Cow<'static, str> {
    named(SUITES, number)
}

/// The cipher suites that an RDP server of this version could choose, the modern ones first: those with a certificate of
/// its own or with none, old and broken ones included; not those with shared keys or with kinds of certificates that no
/// RDP server has, nor those of IDEA and SEED, which none had. Fewer than 128, which some servers take for a limit.
pub fn suites(version: u16) -> Vec<u16> {
    const LEFT_OUT: [&str; 10] =
        ["PSK", "SRP", "KRB5", "_DSS_", "TLS_DH_RSA", "TLS_ECDH_", "ECCPWD", "SM4", "IDEA", "SEED"];
    let fits = |(number, name): &&(u16, &str)| {
        let for_1_3 = number >> 8 == 0x13;
        let possible = !LEFT_OUT.iter().any(|kind| name.contains(kind)) && !name.ends_with("SCSV");
        possible && *number != 0 && for_1_3 == (version == 0x0304)
    };
    let fitting = SUITES.iter().filter(fits).map(|(number, _)| *number);
    if version == 0x0304 { fitting.collect() } else { fitting.rev().collect() }
}

/// A supported group (RFC 8446, 4.2.7): "x25519".
pub fn group(number: u16) -> Cow<'static, str> {
    named(GROUPS, number)
}

/// A signature scheme (RFC 8446, 4.2.3), or a pair of hash and signature of TLS 1.2 (RFC 5246, 7.4.1.4.1).
pub fn signature(number: u16) -> Cow<'static, str> {
    named(SIGNATURES, number)
}

/// An alert description (RFC 8446, 6; RFC 5246, 7.2; RFC 6066, 9): "handshake_failure".
pub fn alert(number: u8) -> Cow<'static, str> {
    match ALERTS.code(number.into()) {
        Some(alert) => alert.name.into(),
        None => number.to_string().into(),
    }
}

/// A message of the handshake protocol (RFC 8446, 4; RFC 5246, 7.4): "ServerHello".
pub fn handshake(number: u8) -> Option<&'static str> {
    known(MESSAGES, number.into())
}

/// Whether this number is GREASE (RFC 8701, 2): sent at random so that peers stay tolerant, and without meaning.
pub fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

fn named(table: &'static [(u16, &'static str)], number: u16) -> Cow<'static, str> {
    match known(table, number) {
        Some(name) => name.into(),
        None => format!("{number:#06x}").into(),
    }
}

fn known(table: &'static [(u16, &'static str)], number: u16) -> Option<&'static str> {
    let found = table.binary_search_by_key(&number, |(n, _)| *n).ok()?;
    table.get(found).map(|(_, name)| *name)
}

// Sorted by number, all of them: `known` searches by halves.

const VERSIONS: &[(u16, &str)] =
    &[(0x0002, "SSL 2.0"), (0x0300, "SSL 3.0"), (0x0301, "1.0"), (0x0302, "1.1"), (0x0303, "1.2"), (0x0304, "1.3")];

const GROUPS: &[(u16, &str)] = &[
    (0x0001, "sect163k1"),
    (0x0002, "sect163r1"),
    (0x0003, "sect163r2"),
    (0x0004, "sect193r1"),
    (0x0005, "sect193r2"),
    (0x0006, "sect233k1"),
    (0x0007, "sect233r1"),
    (0x0008, "sect239k1"),
    (0x0009, "sect283k1"),
    (0x000a, "sect283r1"),
    (0x000b, "sect409k1"),
    (0x000c, "sect409r1"),
    (0x000d, "sect571k1"),
    (0x000e, "sect571r1"),
    (0x000f, "secp160k1"),
    (0x0010, "secp160r1"),
    (0x0011, "secp160r2"),
    (0x0012, "secp192k1"),
    (0x0013, "secp192r1"),
    (0x0014, "secp224k1"),
    (0x0015, "secp224r1"),
    (0x0016, "secp256k1"),
    (0x0017, "secp256r1"),
    (0x0018, "secp384r1"),
    (0x0019, "secp521r1"),
    (0x001a, "brainpoolP256r1"),
    (0x001b, "brainpoolP384r1"),
    (0x001c, "brainpoolP512r1"),
    (0x001d, "x25519"),
    (0x001e, "x448"),
    (0x001f, "brainpoolP256r1tls13"),
    (0x0020, "brainpoolP384r1tls13"),
    (0x0021, "brainpoolP512r1tls13"),
    (0x0029, "curveSM2"),
    (0x0100, "ffdhe2048"),
    (0x0101, "ffdhe3072"),
    (0x0102, "ffdhe4096"),
    (0x0103, "ffdhe6144"),
    (0x0104, "ffdhe8192"),
    (0x0200, "MLKEM512"),
    (0x0201, "MLKEM768"),
    (0x0202, "MLKEM1024"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ec, "X25519MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"),
    (0x639a, "SecP256r1Kyber768Draft00"),
    (0xff01, "arbitrary_explicit_prime_curves"),
    (0xff02, "arbitrary_explicit_char2_curves"),
];

const SIGNATURES: &[(u16, &str)] = &[
    (0x0101, "rsa_pkcs1_md5"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0203, "ecdsa_sha1"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0402, "dsa_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0502, "dsa_sha384"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0602, "dsa_sha512"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0708, "sm2sig_sm3"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

const MESSAGES: &[(u16, &str)] = &[
    (0, "HelloRequest"),
    (1, "ClientHello"),
    (2, "ServerHello"),
    (4, "NewSessionTicket"),
    (5, "EndOfEarlyData"),
    (8, "EncryptedExtensions"),
    (11, "Certificate"),
    (12, "ServerKeyExchange"),
    (13, "CertificateRequest"),
    (14, "ServerHelloDone"),
    (15, "CertificateVerify"),
    (16, "ClientKeyExchange"),
    (20, "Finished"),
    (21, "CertificateURL"),
    (22, "CertificateStatus"),
    (23, "SupplementalData"),
    (24, "KeyUpdate"),
    (25, "CompressedCertificate"),
    (67, "NextProtocol"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted_so_that_every_name_is_found() {
        for table in [VERSIONS, SUITES, GROUPS, SIGNATURES, MESSAGES] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn numbers_have_their_registered_names_or_show_as_hex() {
        assert_eq!(version(0x0304), "1.3");
        assert_eq!(version(0x7f1c), "0x7f1c");
        assert_eq!(cipher(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(cipher(0xc030), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
        assert_eq!(cipher(0x00ff), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
        assert_eq!(cipher(0xfedc), "0xfedc");
        assert_eq!(group(0x001d), "x25519");
        assert_eq!(signature(0x0804), "rsa_pss_rsae_sha256");
        assert_eq!(alert(48), "unknown_ca");
        assert_eq!(alert(255), "255");
        assert_eq!(handshake(11), Some("Certificate"));
        assert_eq!(handshake(99), None);
    }

    #[test]
    fn suites_to_offer_are_those_of_the_version() {
        assert_eq!(suites(0x0304), [0x1301, 0x1302, 0x1303, 0x1304, 0x1305]);
        let old = suites(0x0303);
        assert!(old.len() < 128, "{}", old.len());
        assert!([0xc030, 0x002f, 0x0005, 0xc03c].iter().all(|suite| old.contains(suite)));
        assert!(![0x00ff, 0x5600, 0x1301, 0x008c].iter().any(|suite| old.contains(suite)));
    }

    #[test]
    fn grease_is_told_apart() {
        assert!(is_grease(0x0a0a) && is_grease(0xfafa));
        assert!(!is_grease(0x0a1a) && !is_grease(0x1301));
    }
}
