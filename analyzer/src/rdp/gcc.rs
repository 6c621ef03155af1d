//! The settings in the two connect PDUs of MCS (\[MS-RDPBCGR\] 2.2.1.3 and 2.2.1.4; T.124): blocks of type and length.
//!
//! Each block is decoded by itself, so that one which a peer writes otherwise costs that block alone.

use super::decoded::{self, Refused};
use super::mcs::past_length;
use super::wire::at;
use crate::count::counted;
use crate::event::{ClientSettings, ServerSettings};

/// `h221NonStandard` keys before the client's and the server's blocks (T.124, 8.7).
const CLIENT_KEY: &[u8] = b"Duca";
const SERVER_KEY: &[u8] = b"McDn";
/// Blocks that are read.
const MAX_BLOCKS: usize = 32;

/// What was wrong, and at which byte of the PDU.
pub(super) type Trouble = (usize, String);

/// What a Connect-Initial says.
pub(super) fn client(pdu: &[u8]) -> (ClientSettings, Vec<Trouble>) {
    let mut settings = ClientSettings::default();
    let troubles = blocks(pdu, CLIENT_KEY, |kind, body| decoded::client_block(kind, body, &mut settings));
    (settings, troubles)
}

/// What a Connect-Response says.
pub(super) fn server(pdu: &[u8]) -> (ServerSettings, Vec<Trouble>) {
    let mut settings = ServerSettings::default();
    let troubles = blocks(pdu, SERVER_KEY, |kind, body| decoded::server_block(kind, body, &mut settings));
    (settings, troubles)
}

/// Reads each block behind the key. A server that refuses (2.2.1.4, `result`) need not send any.
fn blocks(pdu: &[u8], key: &[u8], mut read: impl FnMut(u16, &[u8]) -> Result<(), Refused>) -> Vec<Trouble> {
    let found = pdu.windows(key.len()).position(|four| four == key);
    let Some(mut rest) = found.and_then(|place| past_length(&pdu[place + key.len()..])) else {
        return vec![(0, format!("expected the key {}, found none", String::from_utf8_lossy(key)))];
    };
    let mut troubles = Vec::new();
    for _ in 0..MAX_BLOCKS {
        let place = pdu.len() - rest.len();
        let mut cursor = at(rest, 0);
        let (Some(kind), Some(len)) = (cursor.u16(), cursor.u16()) else { break };
        let Some(body) = usize::from(len).checked_sub(4).and_then(|len| cursor.take(len)) else {
            troubles.push((
                place,
                format!("expected a block of {} (type {kind:#06x}), found {}", counted(len, "byte"), rest.len()),
            ));
            break;
        };
        if let Err(Refused { at, says }) = read(kind, body) {
            troubles.push((place + 4 + at, format!("block {kind:#06x}: {says}")));
        }
        rest = cursor.rest;
    }
    troubles
}
