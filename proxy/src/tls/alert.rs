//! A fatal alert of another's choice, as the last record of a connection. The library sends alerts of its own alone: so its keys
//! are taken out, and the record is sealed here. The only module that names ring.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use tokio_rustls::rustls::{ConnectionTrafficSecrets, ProtocolVersion};

/// ContentType alert (RFC 8446, 5.1), in clear and, in TLS 1.3, inside.
const ALERT: u8 = 21;
/// ContentType under which TLS 1.3 seals everything.
const APPLICATION_DATA: u8 = 23;
/// AlertLevel fatal.
const FATAL: u8 = 2;
/// TLSCiphertext.legacy_record_version, and that of TLS 1.2.
const VERSION: [u8; 2] = [3, 3];
const TAG: usize = 16;

/// A fatal alert before anything is sealed.
pub(super) fn clear(description: u8) -> Vec<u8> {
    vec![ALERT, VERSION[0], VERSION[1], 0, 2, FATAL, description]
}

/// A fatal alert as the record with this sequence number (RFC 5246, 6.2.3.3; RFC 8446, 5.2; RFC 7905). `None` where the library
/// has a suite that is not known here.
pub(super) fn sealed(
    version: ProtocolVersion,
    secrets: &ConnectionTrafficSecrets,
    sequence: u64,
    description: u8,
) -> Option<Vec<u8>> {
    let (algorithm, key, iv): (&'static Algorithm, &[u8], &[u8]) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key.as_ref(), iv.as_ref()),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key.as_ref(), iv.as_ref()),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key.as_ref(), iv.as_ref()),
        _ => return None,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut nonce: [u8; 12] = iv.try_into().ok()?;
    nonce[4..].iter_mut().zip(sequence.to_be_bytes()).for_each(|(byte, of)| *byte ^= of);
    let is_gcm = !matches!(secrets, ConnectionTrafficSecrets::Chacha20Poly1305 { .. });
    let mut body = vec![FATAL, description];
    let (kind, explicit): (u8, &[u8]) = match version {
        ProtocolVersion::TLSv1_3 => {
            body.push(ALERT);
            (APPLICATION_DATA, &[])
        }
        _ => (ALERT, if is_gcm { &nonce[4..] } else { &[] }),
    };
    let len = |len: usize| (len as u16).to_be_bytes();
    let [high, low] = len(explicit.len() + body.len() + TAG);
    let header = [kind, VERSION[0], VERSION[1], high, low];
    let mut more = match version {
        ProtocolVersion::TLSv1_3 => header.to_vec(),
        _ => [&sequence.to_be_bytes()[..], &[kind], &VERSION, &len(body.len())].concat(),
    };
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&mut more[..]), &mut body).ok()?;
    Some([&header[..], explicit, &body].concat())
}
