//! How many bytes a sealed record hides.

use crate::codes::tls as names;

/// TLS 1.3, RFC 8446.
const TLS13: u16 = 0x0304;
/// TLS 1.0, RFC 2246: the last one whose records carry no IV.
const TLS10: u16 = 0x0301;
/// Tag of GCM, CCM and ChaCha20-Poly1305, bytes; RFC 5116, RFC 6655, RFC 7905.
const TAG: u32 = 16;
/// Tag of the suites that end in `CCM_8`, bytes; RFC 6655.
const SHORT_TAG: u32 = 8;
/// The part of the nonce that TLS 1.2 sends along with GCM and CCM, bytes; RFC 5288.
const NONCE: u32 = 8;

/// The length of a record's plaintext, bytes: between these two. With an AEAD they are the same; TLS 1.3 may pad, and no
/// RDP peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::timeline) struct Plain {
    least: u32,
    most: u32,
}

/// What a suite adds to a plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::timeline) enum Overhead {
    /// So many bytes, whatever the plaintext.
    Bytes(u32),
    /// So many bytes, one of padding among them, and up to `block - 1` more of padding.
    Padded { bytes: u32, block: u32 },
}

impl Overhead {
    /// Of a version and a suite. `None` where the suite is not known.
    pub fn of(version: u16, cipher: u16) -> Option<Overhead> {
        let name = names::cipher(cipher);
        let tag = if name.ends_with("CCM_8") || name.contains("CCM_8_") { SHORT_TAG } else { TAG };
        if version == TLS13 {
            // The content's type stands behind the content, RFC 8446 5.2.
            return Some(Overhead::Bytes(tag + 1));
        }
        if name.contains("POLY1305") {
            return Some(Overhead::Bytes(TAG));
        }
        if name.contains("_GCM_") || name.contains("_CCM") {
            return Some(Overhead::Bytes(NONCE + tag));
        }
        let mac = mac(&name)?;
        if name.contains("_RC4_") || name.contains("_NULL_") {
            return Some(Overhead::Bytes(mac));
        }
        let block = if name.contains("_CBC_") { block(&name) } else { return None };
        // One byte of padding at least, RFC 5246 6.2.3.2; the MAC inside or outside (RFC 7366), the sum is the same.
        let iv = if version > TLS10 { block } else { 0 };
        Some(Overhead::Padded { bytes: iv + mac + 1, block })
    }

    /// What a record with so many bytes of ciphertext hides.
    pub fn hides(self, len: u32) -> Plain {
        match self {
            Overhead::Bytes(bytes) => Plain::exactly(len.saturating_sub(bytes)),
            Overhead::Padded { bytes, block } => {
                let most = len.saturating_sub(bytes);
                Plain { least: most.saturating_sub(block - 1), most }
            }
        }
    }
}

impl Plain {
    /// So many, not one more or less.
    pub fn exactly(len: u32) -> Plain {
        Plain { least: len, most: len }
    }

    /// Whether it may have a length between these two.
    pub fn fits(self, least: u32, most: u32) -> bool {
        self.least <= most && self.most >= least
    }

    /// Whether it may be so long, or longer.
    pub fn reaches(self, least: u32) -> bool {
        self.most >= least
    }

    /// Whether its length is known to the byte.
    pub fn is_exact(self) -> bool {
        self.least == self.most
    }
}

/// Length of the MAC that a suite's name ends in, bytes.
fn mac(name: &str) -> Option<u32> {
    let macs = [("_MD5", 16), ("_SHA", 20), ("_SHA256", 32), ("_SHA384", 48)];
    macs.iter().find(|(end, _)| name.ends_with(end)).map(|(_, len)| *len)
}

/// Length of a cipher's block, bytes.
fn block(name: &str) -> u32 {
    if name.contains("DES") || name.contains("RC2") || name.contains("IDEA") { 8 } else { 16 }
}

#[cfg(test)]
mod tests {
    use super::{Overhead, Plain};

    #[test]
    fn what_a_record_hides() {
        let check = |version, cipher, len, least, most| {
            let hides = Overhead::of(version, cipher).map(|overhead| overhead.hides(len));
            assert_eq!(hides, Some(Plain { least, most }), "{cipher:#x} {len}");
        };
        check(0x0304, 0x1302, 29, 12, 12); // TLS_AES_256_GCM_SHA384
        check(0x0304, 0x1305, 21, 12, 12); // TLS_AES_128_CCM_8_SHA256
        check(0x0303, 0xc030, 36, 12, 12); // ECDHE_RSA_WITH_AES_256_GCM_SHA384
        check(0x0303, 0xcca8, 28, 12, 12); // ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        check(0x0303, 0xc013, 64, 12, 27); // ECDHE_RSA_WITH_AES_128_CBC_SHA
        check(0x0303, 0x003d, 80, 16, 31); // RSA_WITH_AES_256_CBC_SHA256
        check(0x0301, 0x002f, 48, 12, 27); // RSA_WITH_AES_128_CBC_SHA, no IV
        check(0x0301, 0x000a, 40, 12, 19); // RSA_WITH_3DES_EDE_CBC_SHA
        check(0x0301, 0x0005, 32, 12, 12); // RSA_WITH_RC4_128_SHA
        assert_eq!(Overhead::of(0x0303, 0xfafa), None);
    }
}
