//! TLS records that are sealed for real, with secrets that are known: what a story says inside of TLS is decrypted on its
//! way to the judge.
//!
//! The keys follow from the secrets and randoms below (RFC 5246, 6.3; RFC 8446, 7.3). They are written down, so that
//! nothing here derives them as the analyzer does.

use std::sync::{Arc, LazyLock};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use analyzer::observation::Side;
use analyzer::tls::keys::Keyring;

use super::messages::hex;

/// The Random of the ClientHello by which the key log names these connections.
pub const CLIENT_RANDOM: [u8; 32] = [0xa1; 32];

/// A key and an IV, in hex.
type Keys = (&'static str, &'static str);

/// TLS 1.2 with master secret 3a…, client random a1…, server random 5e…: client, server.
const TLS_1_2: [Keys; 2] =
    [("cdb07f690cc5a01f11898880d088ea8b", "8f6ba5d0"), ("2e74e449c97ab2a48d08e891c83744c4", "365c081d")];
/// TLS 1.3, handshake traffic secrets c4…, 54….
const HANDSHAKE: [Keys; 2] = [
    ("64b22dd7fce37c88ff2601b4ec48d62a", "826c1b2624149fb315d85a76"),
    ("6b1ef22f4e7e75e8fcedd493a16da2dc", "6bd48c5fa99ba0e7ccf3eca8"),
];
/// TLS 1.3, application traffic secrets ca…, 5a….
const APPLICATION: [Keys; 2] = [
    ("6c77cb676d7fec4173e054c8c2191780", "318391f18b70595676f139da"),
    ("6ac23dd941ff32bb06e8c0f73a5008f9", "4f8fdc7bc0e05f707c360ffe"),
];

/// The secrets of all stories.
pub fn keyring() -> Arc<Keyring> {
    static KEYS: LazyLock<Arc<Keyring>> = LazyLock::new(read_keys);
    Arc::clone(&KEYS)
}

fn read_keys() -> Arc<Keyring> {
    let line = |label: &str, secret: &str, len: usize| format!("{label} {} {}\n", "a1".repeat(32), secret.repeat(len));
    let log = [
        line("CLIENT_RANDOM", "3a", 48),
        line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "c4", 32),
        line("SERVER_HANDSHAKE_TRAFFIC_SECRET", "54", 32),
        line("CLIENT_TRAFFIC_SECRET_0", "ca", 32),
        line("SERVER_TRAFFIC_SECRET_0", "5a", 32),
    ];
    let mut keys = Keyring::default();
    assert_eq!(keys.read(log.concat().as_bytes()), log.len());
    Arc::new(keys)
}

/// Both directions of one connection.
pub struct Sealing {
    is_13: bool,
    keys: [Keys; 2],
    sealed: [u64; 2],
}

impl Sealing {
    /// Of a version of TLS, from the first sealed record on.
    pub fn new(version: &str) -> Sealing {
        let is_13 = version == "1.3";
        Sealing { is_13, keys: if is_13 { HANDSHAKE } else { TLS_1_2 }, sealed: [0; 2] }
    }

    /// From here on this side sends with its application keys, where it had others.
    pub fn finished(&mut self, from: Side) {
        if self.is_13 {
            self.keys[from as usize] = APPLICATION[from as usize];
            self.sealed[from as usize] = 0;
        }
    }

    /// One record.
    pub fn seal(&mut self, from: Side, kind: u8, text: &[u8]) -> Vec<u8> {
        let number = self.sealed[from as usize];
        self.sealed[from as usize] += 1;
        let (key, iv) = self.keys[from as usize];
        let cipher = Aes128Gcm::new_from_slice(&hex(key)).expect("16 bytes");
        if self.is_13 {
            seal_13(&cipher, hex(iv), number, kind, text)
        } else {
            seal_12(&cipher, hex(iv), number, kind, text)
        }
    }
}

/// RFC 8446, 5.2 and 5.3.
fn seal_13(cipher: &Aes128Gcm, mut nonce: Vec<u8>, number: u64, kind: u8, text: &[u8]) -> Vec<u8> {
    nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, part)| *byte ^= part);
    let inner = [text, &[kind]].concat();
    let header = header(23, inner.len() + 16);
    let sealed = cipher.encrypt(Nonce::from_slice(&nonce), Payload { msg: &inner, aad: &header }).expect("sealed");
    [&header[..], &sealed].concat()
}

/// RFC 5246, 6.2.3.3; RFC 5288, 3.
fn seal_12(cipher: &Aes128Gcm, iv: Vec<u8>, number: u64, kind: u8, text: &[u8]) -> Vec<u8> {
    let explicit = number.to_be_bytes();
    let nonce = [&iv[..], &explicit].concat();
    let aad = [&explicit[..], &header(kind, text.len())].concat();
    let sealed = cipher.encrypt(Nonce::from_slice(&nonce), Payload { msg: text, aad: &aad }).expect("sealed");
    [&header(kind, 8 + sealed.len())[..], &explicit, &sealed].concat()
}

fn header(kind: u8, len: usize) -> [u8; 5] {
    let [high, low] = (len as u16).to_be_bytes();
    [kind, 3, 3, high, low]
}
