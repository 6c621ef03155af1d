//! ClientHello and ServerHello (RFC 8446, 4.1; RFC 5246, 7.4.1), and the Certificate list of TLS 1.2 (RFC 5246, 7.4.2).
//!
//! An extension that cannot be read is reported and left out; the rest of the hello still counts.

use super::wire::{Cursor, Trouble};
use crate::codes::tls::is_grease;
use crate::event::{ClientHello, ServerHello};
use crate::shown;

/// RFC 8446, 4.1.3: a ServerHello with this random is a HelloRetryRequest (SHA-256 of that word).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Longer names are cut: an event is no place to store whatever a peer likes to send.
const MAX_NAME: usize = 255;

/// Longer lists of protocols or certificates are cut, for the same reason. Real ones have a handful.
const MAX_LIST: usize = 32;

const TLS_1_3: u16 = 0x0304;

// ExtensionType values, IANA "TLS ExtensionType Values".
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// What a ClientHello says, and the session id that the server echoes if it resumes.
pub(super) struct Client {
    pub(super) hello: ClientHello,
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
}

/// What a ServerHello says.
pub(super) struct Server {
    pub(super) hello: ServerHello,
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) is_retry: bool,
    /// RFC 7366.
    pub(super) encrypt_then_mac: bool,
}

/// Reads the body of a ClientHello. `None` where not even its fixed part is there.
pub(super) fn client(body: &[u8], troubles: &mut Vec<Trouble>) -> Option<Client> {
    let mut cursor = Cursor::new(body, 0);
    let Some(mut client) = client_start(&mut cursor) else {
        troubles.push(cursor.trouble("the fields of a ClientHello"));
        return None;
    };
    let mut offers_ticket = false;
    extensions(cursor, troubles, |kind, mut data| match kind {
        SESSION_TICKET | PRE_SHARED_KEY => {
            offers_ticket |= !data.is_empty();
            Some(())
        }
        _ => client_extension(&mut client.hello, kind, &mut data),
    });
    // A TLS 1.3 client fills the session id for middleboxes (RFC 8446, D.4): there it does not mean resumption.
    let asks_by_id = !client.session_id.is_empty() && !client.hello.versions.contains(&TLS_1_3);
    client.hello.resumes = offers_ticket || asks_by_id;
    Some(client)
}

fn client_start(cursor: &mut Cursor<'_>) -> Option<Client> {
    let legacy_version = cursor.u16()?;
    let random = *cursor.take(32)?.first_chunk()?;
    let session_id = cursor.vector(1)?.rest().to_vec();
    let ciphers = without_grease(cursor.vector(2)?);
    cursor.vector(1)?; // compression methods
    let hello = ClientHello { versions: vec![legacy_version], ciphers, random, ..ClientHello::default() };
    Some(Client { hello, random, session_id })
}

fn client_extension(hello: &mut ClientHello, kind: u16, data: &mut Cursor<'_>) -> Option<()> {
    match kind {
        SERVER_NAME => hello.sni = server_name(data.vector(2)?)?,
        SUPPORTED_GROUPS => hello.groups = without_grease(data.vector(2)?),
        SIGNATURE_ALGORITHMS => hello.signatures = without_grease(data.vector(2)?),
        ALPN => hello.alpn = protocols(data.vector(2)?)?,
        SUPPORTED_VERSIONS => {
            hello.versions = without_grease(data.vector(1)?);
            hello.versions.sort_unstable_by(|a, b| b.cmp(a));
        }
        _ => {}
    }
    Some(())
}

/// Reads the body of a ServerHello. `None` where not even its fixed part is there.
pub(super) fn server(body: &[u8], troubles: &mut Vec<Trouble>) -> Option<Server> {
    let mut cursor = Cursor::new(body, 0);
    let Some(mut server) = server_start(&mut cursor) else {
        troubles.push(cursor.trouble("the fields of a ServerHello"));
        return None;
    };
    extensions(cursor, troubles, |kind, mut data| server_extension(&mut server, kind, &mut data));
    Some(server)
}

fn server_start(cursor: &mut Cursor<'_>) -> Option<Server> {
    let version = cursor.u16()?;
    let random = *cursor.take(32)?.first_chunk()?;
    // Drafts of TLS 1.3 before the 22nd have neither session id nor compression method.
    let is_early_draft = version >> 8 == 0x7f;
    let session_id = if is_early_draft { Vec::new() } else { cursor.vector(1)?.rest().to_vec() };
    let cipher = cursor.u16()?;
    if !is_early_draft {
        cursor.u8()?; // compression method
    }
    let hello = ServerHello { version, cipher, ..ServerHello::default() };
    let is_retry = random == RETRY;
    Some(Server { hello, random, session_id, is_retry, encrypt_then_mac: false })
}

fn server_extension(server: &mut Server, kind: u16, data: &mut Cursor<'_>) -> Option<()> {
    let hello = &mut server.hello;
    match kind {
        SUPPORTED_VERSIONS => hello.version = data.u16()?,
        KEY_SHARE => hello.group = Some(data.u16()?),
        ALPN => hello.alpn = protocols(data.vector(2)?)?.into_iter().next(),
        PRE_SHARED_KEY => hello.resumed = true,
        ENCRYPT_THEN_MAC => server.encrypt_then_mac = true,
        _ => {}
    }
    Some(())
}

/// The protocol that EncryptedExtensions (RFC 8446, 4.3.1) agree on.
pub(super) fn encrypted_extensions(body: &[u8], troubles: &mut Vec<Trouble>) -> Option<String> {
    let mut alpn = None;
    extensions(Cursor::new(body, 0), troubles, |kind, mut data| {
        if kind == ALPN {
            alpn = protocols(data.vector(2)?)?.into_iter().next();
        }
        Some(())
    });
    alpn
}

/// Hands over every extension (RFC 8446, 4.2). A hello of TLS 1.2 and before may have none at all.
fn extensions<'a>(
    mut cursor: Cursor<'a>,
    troubles: &mut Vec<Trouble>,
    mut each: impl FnMut(u16, Cursor<'a>) -> Option<()>,
) {
    if cursor.is_empty() {
        return;
    }
    let Some(mut list) = cursor.vector(2) else {
        troubles.push(cursor.trouble("a list of extensions"));
        return;
    };
    while !list.is_empty() {
        let (Some(kind), Some(data)) = (list.u16(), list.vector(2)) else {
            troubles.push(list.trouble("a whole extension"));
            return;
        };
        if each(kind, data).is_none() && troubles.is_empty() {
            troubles.push(data.trouble(&format!("the content of extension {kind}")));
        }
    }
}

/// RFC 6066, 3: the first host_name of the list.
fn server_name(mut list: Cursor<'_>) -> Option<Option<String>> {
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = list.vector(2)?;
        if kind == 0 {
            return Some(Some(text(name.rest())));
        }
    }
    Some(None)
}

/// RFC 7301, 3.1.
fn protocols(mut list: Cursor<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    while !list.is_empty() && names.len() < MAX_LIST {
        let name = list.vector(1)?.rest();
        let grease = matches!(*name, [a, b] if is_grease(u16::from_be_bytes([a, b])));
        if !grease {
            names.push(text(name));
        }
    }
    Some(names)
}

fn without_grease(list: Cursor<'_>) -> Vec<u16> {
    list.u16s().filter(|n| !is_grease(*n)).collect()
}

/// Printable, whatever it was.
fn text(bytes: &[u8]) -> String {
    shown::most(String::from_utf8_lossy(bytes).chars(), MAX_NAME)
}

/// The DER of every certificate of a Certificate message, with its offset in the body. In TLS 1.3 (RFC 8446, 4.4.2) the
/// list has a context in front, and each certificate extensions behind it.
pub(super) fn certificates<'a>(body: &'a [u8], is_1_3: bool, troubles: &mut Vec<Trouble>) -> Vec<(usize, &'a [u8])> {
    let mut cursor = Cursor::new(body, 0);
    let context = !is_1_3 || cursor.vector(1).is_some();
    let Some(mut list) = cursor.vector(3).filter(|_| context) else {
        troubles.push(cursor.trouble("a list of certificates"));
        return Vec::new();
    };
    let mut chain = Vec::new();
    while !list.is_empty() && chain.len() < MAX_LIST {
        let Some(der) = list.vector(3).filter(|_| !is_1_3 || list.vector(2).is_some()) else {
            troubles.push(list.trouble("a whole certificate"));
            break;
        };
        chain.push((der.at(), der.rest()));
    }
    chain
}
