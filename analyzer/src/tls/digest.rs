//! Hashes, and what TLS makes of them: HMAC, the PRF of TLS 1.0 to 1.2, HKDF of TLS 1.3. The only module that names hmac,
//! md-5, sha1 and sha2.

use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

use super::keys::Secret;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

/// The SHA-1 of some bytes that are no secret.
pub(super) fn sha1(bytes: &[u8]) -> impl AsRef<[u8]> {
    Sha1::digest(bytes)
}

/// The SHA-256 of some bytes that are no secret.
pub(super) fn sha256(bytes: &[u8]) -> impl AsRef<[u8]> {
    Sha256::digest(bytes)
}

impl Hash {
    /// Bytes of its output.
    pub(super) fn len(self) -> usize {
        match self {
            Hash::Md5 => 16,
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }

    /// HMAC (RFC 2104) of all parts, one after the other.
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Secret {
        match self {
            Hash::Md5 => mac::<Hmac<Md5>>(key, parts),
            Hash::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Hash::Sha256 => mac::<Hmac<Sha256>>(key, parts),
            Hash::Sha384 => mac::<Hmac<Sha384>>(key, parts),
        }
    }

    /// P_hash, RFC 5246, 5.
    fn expand(self, secret: &[u8], seed: &[&[u8]], len: usize) -> Secret {
        let (mut out, mut a) = (Secret::default(), self.hmac(secret, seed));
        let mut all = Vec::with_capacity(len + self.len());
        while all.len() < len {
            let parts: Vec<&[u8]> = std::iter::once(&a[..]).chain(seed.iter().copied()).collect();
            all.extend_from_slice(&self.hmac(secret, &parts));
            a = self.hmac(secret, &[&a]);
        }
        out.fill(len, all.iter().take(len).copied());
        drop(Secret::new(all));
        out
    }

    /// HKDF-Expand-Label with an empty context, RFC 8446, 7.1.
    pub(super) fn expand_label(self, secret: &[u8], label: &str, len: usize) -> Secret {
        let info =
            [&(len as u16).to_be_bytes()[..], &[6 + label.len() as u8], b"tls13 ", label.as_bytes(), &[0]].concat();
        // RFC 5869, 2.3. No key of TLS needs a second block: the longest is one hash.
        let block = self.hmac(secret, &[&info, &[1]]);
        let mut out = Secret::default();
        out.fill(len, block.iter().take(len).copied());
        out
    }
}

/// The PRF: RFC 5246, 5, with the suite's hash; before TLS 1.2 RFC 2246, 5, with MD5 and SHA-1.
pub(super) fn prf(version: u16, hash: Hash, secret: &[u8], label: &str, seeds: [&[u8]; 2], len: usize) -> Secret {
    let seed = [label.as_bytes(), seeds[0], seeds[1]];
    if version >= super::TLS_1_2 {
        return hash.expand(secret, &seed, len);
    }
    let half = secret.len().div_ceil(2);
    let md5 = Hash::Md5.expand(&secret[..half], &seed, len);
    let sha1 = Hash::Sha1.expand(&secret[secret.len() - half..], &seed, len);
    let mut out = Secret::default();
    out.fill(len, md5.iter().zip(sha1.iter()).map(|(a, b)| a ^ b));
    out
}

fn mac<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Secret {
    // INVARIANT: HMAC takes a key of any length; an empty result matches no MAC.
    let Ok(mut mac) = <M as hmac::digest::KeyInit>::new_from_slice(key) else { return Secret::default() };
    parts.iter().for_each(|part| mac.update(part));
    Secret::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::specimens::der as bytes;
    use super::*;

    /// RFC 8448, 3: {client} derive secret "tls13 c hs traffic" and the keys made of it.
    #[test]
    fn keys_of_tls_1_3() {
        let secret = bytes("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
        assert_eq!(Hash::Sha256.expand_label(&secret, "key", 16)[..], bytes("dbfaa693d1762c5b666af5d950258d01"));
        assert_eq!(Hash::Sha256.expand_label(&secret, "iv", 12)[..], bytes("5bd3c71b836e0b76bb73265f"));
    }

    /// The vectors of the TLS working group's list, "test vectors for P_hash with SHA-256", 2009.
    #[test]
    fn prf_of_tls_1_2() {
        let secret = bytes("9bbe436ba940f017b17652849a71db35");
        let seed = bytes("a0ba9f936cda311827a6f796ffd5198c");
        let out = prf(0x0303, Hash::Sha256, &secret, "test label", [&seed, &[]], 100);
        let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0f\
                        a022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66";
        assert_eq!(out[..], bytes(expected));
    }
}
