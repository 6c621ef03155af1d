//! Certificates for the lab's servers: the one room that names rcgen.
//!
//! All are self-signed on P-256, as a fresh RDP listener's certificate is self-signed. Their dates are fixed, not
//! counted from now, so that what a report says of them does not change from day to day. What rcgen with ring cannot
//! make (a weak key, a weak signature) is taken from `specimens`.

use std::io;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

use super::specimens::{SHA1, SHA1_KEY, WEAK};
use super::weak::{self, unhex};
use crate::tls::{Identity, Key};

/// The name that the lab's servers are called by, unless their fault is to be called otherwise.
pub const NAME: &str = "rdp.lab.test";

/// The name in a certificate that was made for another server.
pub const OTHER_NAME: &str = "other.lab.test";

/// What is special about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Nothing: right name, right dates.
    Valid,
    /// It ended on 2020-01-01.
    Expired,
    /// It begins on 2090-01-01.
    NotYet,
    /// It is for [`OTHER_NAME`].
    WrongName,
    /// It has so many names that the server's flight is longer than 10 KB.
    Large,
    /// Its key is RSA with 1024 bits. For TLS 1.2.
    WeakKey,
    /// It is signed with SHA-1.
    WeakSignature,
}

impl Certificate {
    /// Makes one, with a fresh key where it can be had.
    pub fn make(self) -> io::Result<Identity> {
        match self {
            Certificate::WeakKey => Ok(Identity { certificate: unhex(WEAK), key: Key::ByHand(weak::sign) }),
            Certificate::WeakSignature => Ok(Identity { certificate: unhex(SHA1), key: Key::Pkcs8(unhex(SHA1_KEY)) }),
            Certificate::Valid
            | Certificate::Expired
            | Certificate::NotYet
            | Certificate::WrongName
            | Certificate::Large => self.fresh(),
        }
    }

    fn fresh(self) -> io::Result<Identity> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = self.params().and_then(|params| params.self_signed(&key)).map_err(io::Error::other)?;
        Ok(Identity { certificate: certificate.der().to_vec(), key: Key::Pkcs8(key.serialize_der()) })
    }

    fn params(self) -> Result<CertificateParams, rcgen::Error> {
        let names = self.names();
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, names[0].clone());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (first, last) = self.years();
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 1, 1);
        Ok(params)
    }

    /// Never empty. The loopback names stand beside the server's own, so that a client that dials the lab by address
    /// has nothing to complain of.
    fn names(self) -> Vec<String> {
        match self {
            Certificate::WrongName => vec![OTHER_NAME.into()],
            Certificate::Large => own_names().into_iter().chain((0..700).map(|n| format!("{n:03}.{NAME}"))).collect(),
            Certificate::Valid
            | Certificate::Expired
            | Certificate::NotYet
            | Certificate::WeakKey
            | Certificate::WeakSignature => own_names(),
        }
    }

    fn years(self) -> (i32, i32) {
        match self {
            Certificate::Expired => (2019, 2020),
            Certificate::NotYet => (2090, 2091),
            Certificate::Valid
            | Certificate::WrongName
            | Certificate::Large
            | Certificate::WeakKey
            | Certificate::WeakSignature => (2024, 2054),
        }
    }
}

fn own_names() -> Vec<String> {
    vec![NAME.into(), "localhost".into(), "127.0.0.1".into()]
}
