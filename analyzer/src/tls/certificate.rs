//! What a certificate says of itself (RFC 5280): DER in, [`Certificate`] out. It judges nothing.
//!
//! The only module that names x509-parser.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::der_parser::asn1_rs::{Any, Tag};
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, AttributeTypeAndValue, SubjectPublicKeyInfo, X509Name};

use super::digest::{sha1, sha256};
use crate::event::Certificate;
use crate::shown;

/// Reads one certificate.
///
/// # Errors
///
/// Says why these bytes are none.
pub fn read(der: &[u8]) -> Result<Certificate, String> {
    let (_, x509) = X509Certificate::from_der(der).map_err(|e| format!("expected an X.509 certificate, found {e}"))?;
    let (key, key_bits) = key(x509.public_key());
    Ok(Certificate {
        subject: name(x509.subject()),
        issuer: name(x509.issuer()),
        common_name: x509.subject().iter_common_name().last().map(value),
        names: names(&x509),
        not_before: x509.validity().not_before.timestamp(),
        not_after: x509.validity().not_after.timestamp(),
        key,
        key_bits,
        signature: oid_name(SIGNATURES, &oid(&x509.signature_algorithm)),
        eku: x509.extended_key_usage().ok().flatten().map(|e| usages(e.value)).unwrap_or_default(),
        serial: hex(x509.raw_serial()),
        sha1: hex(sha1(der).as_ref()),
        sha256: hex(sha256(der).as_ref()),
        self_issued: x509.subject().as_raw() == x509.issuer().as_raw(),
    })
}

/// A distinguished name the way RFC 4514, 2 writes it: the most specific part first.
fn name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> =
        name.iter().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.reverse();
    parts.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let kind = attribute.attr_type().to_id_string();
    format!("{}={}", oid_name(ATTRIBUTES, &kind), escaped(&value(attribute)))
}

/// RFC 4514, 2.4. Control characters become hex pairs; what else cannot be seen is escaped where it is shown.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let edge = (c == ' ' && (at == 0 || at == last)) || (c == '#' && at == 0);
        if c.is_control() {
            let mut utf8 = [0; 4];
            c.encode_utf8(&mut utf8).bytes().for_each(|b| _ = write!(out, "\\{b:02X}"));
            continue;
        }
        if edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// DirectoryString (RFC 5280, 4.1.2.4). Windows writes BMPString for names beyond ASCII.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let any: &Any<'_> = attribute.attr_value();
    match any.tag() {
        Tag::BmpString => {
            let units = any.data.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        // Latin-1 is what T61String holds in practice.
        Tag::T61String => any.data.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(any.data).into_owned(),
    }
}

/// subjectAltName (RFC 5280, 4.2.1.6): DNS names and IP addresses, the kinds that a host is checked against.
fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let extension = x509.subject_alternative_name().ok().flatten();
    let general = extension.map(|e| e.value.general_names.as_slice()).unwrap_or_default();
    general.iter().filter_map(general_name).collect()
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shown::line(name).into_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|b| Ipv4Addr::from(b).to_string());
    let v6 = || <[u8; 16]>::try_from(bytes).map(|b| Ipv6Addr::from(b).to_string());
    v4.or_else(|_| v6()).ok()
}

/// The kind of key and its bits; 0 where they do not stand in the certificate.
fn key(info: &SubjectPublicKeyInfo<'_>) -> (String, u32) {
    let bits = match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => bits(rsa.modulus),
        Ok(PublicKey::EC(point)) => curve(info).unwrap_or(point.key_size() as u32),
        Ok(PublicKey::DSA(_)) => dsa(info).unwrap_or(0),
        Ok(_) | Err(_) => 0,
    };
    let kind = oid_name(KEYS, &oid(&info.algorithm));
    let bits = match kind.as_str() {
        "Ed25519" => 256,
        "Ed448" => 456,
        _ => bits,
    };
    (kind, bits)
}

/// Significant bits of a big-endian number.
fn bits(number: &[u8]) -> u32 {
    let Some(first) = number.iter().position(|b| *b != 0) else { return 0 };
    let digits = &number[first..];
    (digits.len() as u32).saturating_mul(8) - digits[0].leading_zeros()
}

/// RFC 5480, 2.1.1: a point of P-521 takes 528 bits, so the curve is asked first.
fn curve(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
    CURVES.iter().find(|(id, _)| *id == curve).map(|(_, bits)| *bits)
}

/// RFC 3279, 2.3.2: the size of a DSA key is that of the prime `p`, the first of its parameters.
fn dsa(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    let parameters = info.algorithm.parameters.as_ref()?;
    let (_, prime) = Any::from_der(parameters.data).ok()?;
    (prime.tag() == Tag::Integer).then(|| bits(prime.data))
}

fn usages(eku: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (eku.any, "anyExtendedKeyUsage"),
        (eku.server_auth, "serverAuth"),
        (eku.client_auth, "clientAuth"),
        (eku.code_signing, "codeSigning"),
        (eku.email_protection, "emailProtection"),
        (eku.time_stamping, "timeStamping"),
        (eku.ocsp_signing, "OCSPSigning"),
    ];
    let known = known.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned());
    known.chain(eku.other.iter().map(|id| oid_name(USAGES, &id.to_id_string()))).collect()
}

fn oid(algorithm: &AlgorithmIdentifier<'_>) -> String {
    algorithm.algorithm.to_id_string()
}

fn oid_name(table: &[(&str, &str)], id: &str) -> String {
    table.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| name).to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        _ = write!(out, "{b:02x}");
        out
    })
}

/// RFC 4514, 3, and the ones that certificates of Windows carry besides.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

const KEYS: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.10", "RSA"),
    ("1.2.840.10045.2.1", "EC"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

const CURVES: &[(&str, u32)] = &[
    ("1.2.840.10045.3.1.1", 192),
    ("1.3.132.0.33", 224),
    ("1.2.840.10045.3.1.7", 256),
    ("1.3.132.0.10", 256),
    ("1.3.132.0.34", 384),
    ("1.3.132.0.35", 521),
    ("1.3.36.3.3.2.8.1.1.7", 256),
    ("1.3.36.3.3.2.8.1.1.11", 384),
    ("1.3.36.3.3.2.8.1.1.13", 512),
];

const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.3.14.3.2.29", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.2.840.10040.4.3", "dsa-with-sha1"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    // RFC 9881.
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

const USAGES: &[(&str, &str)] = &[
    ("1.3.6.1.4.1.311.54.1.2", "remoteDesktopAuthentication"),
    ("1.3.6.1.4.1.311.20.2.2", "smartcardLogon"),
    ("1.3.6.1.5.2.3.5", "pkinitKDC"),
];

#[cfg(test)]
mod tests {
    use super::super::specimens::{ED25519, HOST, OLD, P384, der};
    use super::*;

    #[test]
    fn a_certificate_of_a_remote_desktop_host() {
        let found = read(&der(HOST)).unwrap();
        let expected = Certificate {
            subject: r"CN=host.example.test,O=Example\, Inc,DC=test".into(),
            issuer: r"CN=host.example.test,O=Example\, Inc,DC=test".into(),
            common_name: Some("host.example.test".into()),
            names: vec!["host.example.test".into(), "192.0.2.7".into(), "2001:db8::7".into()],
            not_before: 1_795_386_792,
            not_after: 1_810_938_792,
            key: "EC".into(),
            key_bits: 256,
            signature: "ecdsa-with-SHA256".into(),
            eku: vec!["serverAuth".into(), "remoteDesktopAuthentication".into(), "1.3.6.1.5.5.7.3.9999".into()],
            serial: "1f2e3d4c5b".into(),
            sha1: "458f0e8c4a311644c335e54156701597cbe5a94d".into(),
            sha256: "b7be5fe9c55b649478a4ed3f4870a3fd70bb318c720d7b22d01b82f428e877e9".into(),
            self_issued: true,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_expired_weak_one() {
        let old = read(&der(OLD)).unwrap();
        assert_eq!((old.subject.as_str(), old.serial.as_str()), ("CN=OLD-SERVER", "2a"));
        assert_eq!((old.not_before, old.not_after), (1_262_304_000, 1_293_840_000));
        assert_eq!((old.key.as_str(), old.key_bits), ("RSA", 1024));
        assert_eq!(old.signature, "sha1WithRSAEncryption");
        assert!(old.names.is_empty() && old.eku.is_empty());
    }

    #[test]
    fn other_keys() {
        let key = |hex| read(&der(hex)).map(|c| (c.key, c.key_bits, c.signature)).unwrap();
        assert_eq!(key(P384), ("EC".into(), 384, "ecdsa-with-SHA384".into()));
        assert_eq!(key(ED25519), ("Ed25519".into(), 256, "Ed25519".into()));
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        assert!(read(b"").unwrap_err().starts_with("expected an X.509 certificate, found "));
        let whole = der(HOST);
        (0..whole.len()).for_each(|len| assert!(read(&whole[..len]).is_err()));
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(escaped(" #a\u{1b}[2J;b "), r"\ #a\1B[2J\;b\ ");
        assert_eq!(escaped("#a"), r"\#a");
    }
}
