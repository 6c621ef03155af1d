//! Hashes, base64 and a number that nobody guesses: the only room that names hmac, md-5, md4, sha1 and base64 here.

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use md4::Md4;
use md5::Md5;
use sha1::{Digest, Sha1};

/// What a WebSocket's server puts behind the key of its client (RFC 6455 1.3).
const WEBSOCKET: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// MD4 of some bytes.
pub(super) fn md4(bytes: &[u8]) -> [u8; 16] {
    Md4::digest(bytes).into()
}

/// HMAC-MD5 of some pieces, one behind the other.
pub(super) fn hmac_md5(key: &[u8], pieces: &[&[u8]]) -> [u8; 16] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return [0; 16] };
    pieces.iter().for_each(|piece| mac.update(piece));
    mac.finalize().into_bytes().into()
}

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`, as it is written: FreeRDP 2 sends one that is no base64.
pub(super) fn websocket_accept(key: &str) -> String {
    base64(Sha1::digest(format!("{key}{WEBSOCKET}")).as_slice())
}

/// Base64 (RFC 4648 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a text in base64; none where it is not.
pub(super) fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text.trim()).unwrap_or_default()
}

/// Eight bytes that differ each time, from the randomness that the standard library gives its maps. Good for a lab, whose
/// password stands in its own announcement.
pub(super) fn nonce() -> [u8; 8] {
    RandomState::new().hash_one(0u8).to_le_bytes()
}
