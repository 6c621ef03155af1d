//! Which cipher a suite seals its records with. The registry's name says it.

use super::digest::Hash;
use crate::codes::tls as names;

/// How a suite makes keys, and what it seals with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) bulk: Bulk,
    /// Of the PRF in TLS 1.2, of HKDF in TLS 1.3.
    pub(super) hash: Hash,
}

/// What seals records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bulk {
    Aes128Gcm,
    Aes256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    /// With a tag of eight bytes.
    Aes128Ccm8,
    Aes256Ccm8,
    ChaCha20Poly1305,
    /// AES-CBC and an HMAC.
    Aes128Cbc(Hash),
    Aes256Cbc(Hash),
}

/// The suite with this number. `None` where records of it are not opened here: RC4, 3DES, Camellia, NULL and others.
pub(super) fn suite(number: u16) -> Option<Suite> {
    let name = names::cipher(number);
    let bulk = name.split_once("_WITH_").or_else(|| name.split_once("TLS_"))?.1;
    let (bulk, hash) = match bulk {
        "AES_128_GCM_SHA256" => (Bulk::Aes128Gcm, Hash::Sha256),
        "AES_256_GCM_SHA384" => (Bulk::Aes256Gcm, Hash::Sha384),
        "AES_128_CCM" | "AES_128_CCM_SHA256" => (Bulk::Aes128Ccm, Hash::Sha256),
        "AES_256_CCM" => (Bulk::Aes256Ccm, Hash::Sha256),
        "AES_128_CCM_8" | "AES_128_CCM_8_SHA256" => (Bulk::Aes128Ccm8, Hash::Sha256),
        "AES_256_CCM_8" => (Bulk::Aes256Ccm8, Hash::Sha256),
        "CHACHA20_POLY1305_SHA256" => (Bulk::ChaCha20Poly1305, Hash::Sha256),
        "AES_128_CBC_SHA" => (Bulk::Aes128Cbc(Hash::Sha1), Hash::Sha256),
        "AES_256_CBC_SHA" => (Bulk::Aes256Cbc(Hash::Sha1), Hash::Sha256),
        "AES_128_CBC_SHA256" => (Bulk::Aes128Cbc(Hash::Sha256), Hash::Sha256),
        "AES_256_CBC_SHA256" => (Bulk::Aes256Cbc(Hash::Sha256), Hash::Sha256),
        "AES_256_CBC_SHA384" => (Bulk::Aes256Cbc(Hash::Sha384), Hash::Sha384),
        _ => return None,
    };
    Some(Suite { bulk, hash })
}

impl Bulk {
    /// Bytes of the key.
    pub(super) fn key_len(self) -> usize {
        match self {
            Bulk::Aes128Gcm | Bulk::Aes128Ccm | Bulk::Aes128Ccm8 | Bulk::Aes128Cbc(_) => 16,
            Bulk::Aes256Gcm | Bulk::Aes256Ccm | Bulk::Aes256Ccm8 | Bulk::Aes256Cbc(_) | Bulk::ChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of the MAC key in the key block of TLS 1.2 and before.
    pub(super) fn mac_len(self) -> usize {
        self.mac().map_or(0, Hash::len)
    }

    /// The hash of the HMAC, where there is one.
    pub(super) fn mac(self) -> Option<Hash> {
        match self {
            Bulk::Aes128Cbc(mac) | Bulk::Aes256Cbc(mac) => Some(mac),
            Bulk::Aes128Gcm
            | Bulk::Aes256Gcm
            | Bulk::Aes128Ccm
            | Bulk::Aes256Ccm
            | Bulk::Aes128Ccm8
            | Bulk::Aes256Ccm8
            | Bulk::ChaCha20Poly1305 => None,
        }
    }

    /// Bytes of the initialisation vector in the key block of this version (RFC 5246, 6.3; RFC 5288, 3; RFC 7905, 2).
    pub(super) fn iv_len(self, version: u16) -> usize {
        match self {
            Bulk::Aes128Cbc(_) | Bulk::Aes256Cbc(_) if version > super::TLS_1_0 => 0,
            Bulk::Aes128Cbc(_) | Bulk::Aes256Cbc(_) => 16,
            Bulk::ChaCha20Poly1305 => 12,
            Bulk::Aes128Gcm
            | Bulk::Aes256Gcm
            | Bulk::Aes128Ccm
            | Bulk::Aes256Ccm
            | Bulk::Aes128Ccm8
            | Bulk::Aes256Ccm8 => 4,
        }
    }

    /// Bytes of the tag that ends a record.
    pub(super) fn tag_len(self) -> usize {
        match self {
            Bulk::Aes128Ccm8 | Bulk::Aes256Ccm8 => 8,
            Bulk::Aes128Gcm | Bulk::Aes256Gcm | Bulk::Aes128Ccm | Bulk::Aes256Ccm | Bulk::ChaCha20Poly1305 => 16,
            Bulk::Aes128Cbc(mac) | Bulk::Aes256Cbc(mac) => mac.len(),
        }
    }
}
