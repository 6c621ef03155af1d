//! A certificate that says what a recorded one says, with a key of its own: names, dates, usages, kind and size of the key,
//! hash of the signature, whether it was its own issuer. Expired stays expired.

use analyzer::event::Certificate;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PKCS_RSA_SHA384, PKCS_RSA_SHA512, SignatureAlgorithm,
};

use crate::authority::{params_like, rsa_pair_of};
use crate::tls::Credential;

/// What ring signs with: RFC 8017 knows no limit.
const RSA_LEAST: u32 = 2048;
const RSA_MOST: u32 = 4096;
/// Dates of one of which nothing is known: a time in which this program is used.
const NOT_BEFORE: i64 = 1_704_067_200; // 2024-01-01
const NOT_AFTER: i64 = 2_650_838_400; // 2054-01-01

/// What is shown to clients, and how it differs from what was recorded.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The certificate and its key.
    pub credential: Credential,
    /// For people.
    pub notices: Vec<String>,
}

/// Makes one like the recorded one. Takes a moment where the key is RSA.
///
/// # Errors
/// Where what it says cannot be said again; in words.
pub fn like(recorded: &Certificate) -> Result<Copied, String> {
    let mut notices = Vec::new();
    let key = key_like(recorded, &mut notices)?;
    let mut params = params_like(recorded);
    params.distinguished_name = distinguished(&recorded.subject);
    params.extended_key_usages = recorded.eku.iter().filter_map(|usage| purpose(usage)).collect();
    let credential = if recorded.self_issued {
        let made = params.self_signed(&key).map_err(told)?;
        Credential::chain(vec![made.der().to_vec()], key.serialized_der())?
    } else {
        let (issuer, signer) = issuer_like(recorded, &mut notices)?;
        let made = params.signed_by(&key, &Issuer::new(issuer, signer)).map_err(told)?;
        notices.push("its issuer's signature is not the issuer's: who trusts that one does not trust this".to_owned());
        Credential::chain(vec![made.der().to_vec()], key.serialized_der())?
    };
    Ok(Copied { credential, notices })
}

/// Makes one of this name, where the recording tells nothing.
///
/// # Errors
/// Where the name cannot stand in a certificate; in words.
pub fn unknown(name: &str) -> Result<Copied, String> {
    let made_up = Certificate {
        subject: format!("CN={}", name.replace(['\\', ','], "")),
        common_name: Some(name.to_owned()),
        names: vec![name.to_owned()],
        not_before: NOT_BEFORE,
        not_after: NOT_AFTER,
        key: "RSA".to_owned(),
        key_bits: RSA_LEAST,
        signature: "sha256WithRSAEncryption".to_owned(),
        eku: vec!["serverAuth".to_owned()],
        self_issued: true,
        ..Certificate::default()
    };
    let mut copied = like(&made_up)?;
    copied
        .notices
        .push("the recording does not show the server's certificate (TLS 1.3 seals it): one is made up".into());
    Ok(copied)
}

fn key_like(recorded: &Certificate, notices: &mut Vec<String>) -> Result<KeyPair, String> {
    match (recorded.key.as_str(), recorded.key_bits) {
        ("RSA", bits) => {
            let made = bits.clamp(RSA_LEAST, RSA_MOST);
            if made != bits {
                notices.push(format!("its key is RSA of {bits} bits: one of {made} is shown"));
            }
            let signs =
                if recorded.self_issued { rsa_signature(&recorded.signature, notices) } else { &PKCS_RSA_SHA256 };
            rsa_pair_of(made as usize, signs).map_err(|error| error.to_string())
        }
        ("EC", 384) => generated(&PKCS_ECDSA_P384_SHA384),
        ("EC", 256) => generated(&PKCS_ECDSA_P256_SHA256),
        ("Ed25519", _) => generated(&PKCS_ED25519),
        (kind, bits) => {
            notices.push(format!("its key is {kind} of {bits} bits: one of P-256 is shown"));
            generated(&PKCS_ECDSA_P256_SHA256)
        }
    }
}

/// Somebody of the issuer's name, whom nobody trusts.
fn issuer_like(recorded: &Certificate, notices: &mut Vec<String>) -> Result<(CertificateParams, KeyPair), String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(&recorded.issuer);
    let signer = match recorded.signature.as_str() {
        "ecdsa-with-SHA256" => generated(&PKCS_ECDSA_P256_SHA256),
        "ecdsa-with-SHA384" => generated(&PKCS_ECDSA_P384_SHA384),
        "Ed25519" => generated(&PKCS_ED25519),
        other => rsa_pair_of(RSA_LEAST as usize, rsa_signature(other, notices)).map_err(|error| error.to_string()),
    };
    Ok((params, signer?))
}

fn rsa_signature(recorded: &str, notices: &mut Vec<String>) -> &'static SignatureAlgorithm {
    match recorded {
        "sha256WithRSAEncryption" => &PKCS_RSA_SHA256,
        "sha384WithRSAEncryption" => &PKCS_RSA_SHA384,
        "sha512WithRSAEncryption" => &PKCS_RSA_SHA512,
        other => {
            notices.push(format!("its signature is {other}: sha256WithRSAEncryption is shown"));
            &PKCS_RSA_SHA256
        }
    }
}

fn generated(kind: &'static SignatureAlgorithm) -> Result<KeyPair, String> {
    KeyPair::generate_for(kind).map_err(told)
}

fn told(error: rcgen::Error) -> String {
    format!("cannot make a certificate like the recorded one: {error}")
}

/// A name the way RFC 4514 writes it, the most specific part first. Parts of a kind that is not known here are left out.
fn distinguished(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for part in parts(text).iter().rev() {
        if let Some((kind, value)) = part.split_once('=').and_then(|(kind, value)| Some((attribute(kind)?, value))) {
            name.push(kind, unescaped(value));
        }
    }
    name
}

/// Splits at commas and plus signs that are not escaped.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut is_escaped) = (vec![String::new()], false);
    for c in text.chars() {
        match c {
            ',' | '+' if !is_escaped => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    parts
}

fn unescaped(value: &str) -> String {
    let (mut plain, mut is_escaped) = (String::new(), false);
    for c in value.chars() {
        is_escaped = c == '\\' && !is_escaped;
        if !is_escaped {
            plain.push(c);
        }
    }
    plain
}

fn attribute(kind: &str) -> Option<DnType> {
    Some(match kind {
        "CN" => DnType::CommonName,
        "C" => DnType::CountryName,
        "L" => DnType::LocalityName,
        "ST" => DnType::StateOrProvinceName,
        "O" => DnType::OrganizationName,
        "OU" => DnType::OrganizationalUnitName,
        "DC" => DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]),
        "emailAddress" => DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]),
        _ => return None,
    })
}

fn purpose(usage: &str) -> Option<ExtendedKeyUsagePurpose> {
    Some(match usage {
        "anyExtendedKeyUsage" => ExtendedKeyUsagePurpose::Any,
        "serverAuth" => ExtendedKeyUsagePurpose::ServerAuth,
        "clientAuth" => ExtendedKeyUsagePurpose::ClientAuth,
        "codeSigning" => ExtendedKeyUsagePurpose::CodeSigning,
        "emailProtection" => ExtendedKeyUsagePurpose::EmailProtection,
        "timeStamping" => ExtendedKeyUsagePurpose::TimeStamping,
        "OCSPSigning" => ExtendedKeyUsagePurpose::OcspSigning,
        "remoteDesktopAuthentication" => ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 54, 1, 2]),
        "smartcardLogon" => ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 2]),
        "pkinitKDC" => ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 2, 3, 5]),
        other => {
            let arcs: Option<Vec<u64>> = other.split('.').map(|arc| arc.parse().ok()).collect();
            ExtendedKeyUsagePurpose::Other(arcs.filter(|arcs| is_oid(arcs))?)
        }
    })
}

/// X.660: the first arc is below 3, and the second below 40 under the first two.
fn is_oid(arcs: &[u64]) -> bool {
    matches!(arcs, [0 | 1, 0..40, ..] | [2, 0..=0xffff, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use analyzer::probe::read_certificate;

    fn copied(recorded: &Certificate) -> (Certificate, Vec<String>) {
        let copied = like(recorded).expect("a certificate");
        (read_certificate(&copied.credential.certificate().expect("one")).expect("it can be read"), copied.notices)
    }

    fn expired() -> Certificate {
        Certificate {
            subject: r"CN=host.example.test,O=Example\, Inc,DC=test".into(),
            issuer: r"CN=host.example.test,O=Example\, Inc,DC=test".into(),
            common_name: Some("host.example.test".into()),
            names: vec!["host.example.test".into(), "192.0.2.1".into()],
            not_before: 1_546_300_800,
            not_after: 1_577_836_800,
            key: "EC".into(),
            key_bits: 384,
            signature: "ecdsa-with-SHA384".into(),
            eku: vec!["serverAuth".into(), "remoteDesktopAuthentication".into(), "1.3.6.1.5.5.7.3.9999".into()],
            self_issued: true,
            ..Certificate::default()
        }
    }

    /// What is a certificate's own, whoever says the rest.
    fn without_own(certificate: Certificate) -> Certificate {
        Certificate { serial: String::new(), sha1: String::new(), sha256: String::new(), ..certificate }
    }

    #[test]
    fn expired_stays_expired_and_all_else_stays_too() {
        let (made, notices) = copied(&expired());
        assert_eq!((without_own(made), notices), (expired(), Vec::new()));
    }

    #[test]
    fn one_of_another_issuer_names_that_issuer() {
        let issuer = "CN=Corp CA,O=Corp,C=DE".to_owned();
        let recorded = Certificate { issuer, self_issued: false, ..expired() };
        let (made, notices) = copied(&recorded);
        assert_eq!(without_own(made), recorded);
        assert!(notices[0].contains("not the issuer's"), "{notices:?}");
    }

    #[test]
    fn what_cannot_be_copied_is_told() {
        let recorded =
            Certificate { key: "RSA".into(), key_bits: 1024, signature: "sha1WithRSAEncryption".into(), ..expired() };
        let (made, notices) = copied(&recorded);
        assert_eq!((made.key_bits, made.signature.as_str()), (2048, "sha256WithRSAEncryption"));
        assert!(notices[0].contains("1024") && notices[1].contains("sha1"), "{notices:?}");
    }

    #[test]
    fn a_name_that_makes_no_sense_makes_no_trouble() {
        for subject in ["", "=", "CN", "CN=", ",,,", r"CN=a\", "X=1,CN=ok", "CN=a+OU=b"] {
            let recorded = Certificate { subject: subject.into(), issuer: subject.into(), ..expired() };
            assert!(like(&recorded).is_ok(), "{subject}");
        }
        for eku in ["9.9.9", "1", "x", "1.99", ""] {
            assert!(like(&Certificate { eku: vec![eku.into()], ..expired() }).is_ok(), "{eku}");
        }
    }
}
