//! A ClientHello in the format of SSL 2.0 (RFC 5246, E.2), with which old clients greet servers of any age. A server of TLS takes
//! it as its own, and both go on with records.
//!
//! Two side notes: the challenge stands for the Random, with zeros before it (E.2), so that the lines of a key log find the
//! connection. Nothing here reads a transcript hash, which this message would be part of without its length.

use super::hello::Client;
use super::wire::{Cursor, Trouble};
use crate::event::ClientHello;

/// Bytes of a Random, RFC 5246, 7.4.1.2.
const RANDOM: usize = 32;
/// Bytes of a V2CipherSpec.
const SPEC: usize = 3;

/// Reads the message from its type on. `None` where it has not even the fields that every one has.
pub(super) fn client(message: &[u8], troubles: &mut Vec<Trouble>) -> Option<Client> {
    let mut cursor = Cursor::new(message, 0);
    let client = read(&mut cursor);
    if client.is_none() {
        troubles.push(cursor.trouble("the fields of an SSL 2.0 ClientHello"));
    }
    client.map(|client| Client { hello: ClientHello { len: message.len() as u32, ..client.hello }, ..client })
}

fn read(cursor: &mut Cursor<'_>) -> Option<Client> {
    cursor.u8()?; // CLIENT-HELLO
    let version = cursor.u16()?;
    let (specs, session, challenge) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let specs = cursor.take(specs.into())?;
    let session_id = cursor.take(session.into())?.to_vec();
    let challenge = cursor.take(challenge.into())?;
    let mut random = [0; RANDOM];
    let len = challenge.len().min(RANDOM);
    random[RANDOM - len..].copy_from_slice(&challenge[..len]);
    let hello = ClientHello {
        versions: vec![version],
        ciphers: specs.chunks_exact(SPEC).filter_map(suite).collect(),
        resumes: !session_id.is_empty(),
        is_ssl2: true,
        ..ClientHello::default()
    };
    Some(Client { hello, random, session_id })
}

/// A cipher suite of SSL 3.0 and later has a zero before it; the kinds of SSL 2.0 itself are none that anybody chooses.
fn suite(spec: &[u8]) -> Option<u16> {
    match *spec {
        [0, high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}
