//! TLS for somebody else to see (RFC 8446; RFC 5246): the bytes of one side in, the same number out. The headers of records,
//! alerts in clear, the hellos and the shape of certificates stay; what is sealed, and what nobody reads, is blanked.

use super::certificate;
use super::fields::NAMELESS;
use super::names::Names;

const HEADER: usize = 5;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// TLSCiphertext.length, as the analyzer takes it.
const MAX_BODY: usize = (1 << 14) + 2048;

/// Where in a record a side is.
#[derive(Debug, Clone, Default)]
pub(super) struct Framing {
    head: [u8; HEADER],
    have: usize,
    left: usize,
    /// What follows is no record.
    lost: bool,
}

impl Framing {
    /// Blanks what is not a header, or an alert in clear. These bytes are behind the handshake.
    pub(super) fn blank(&mut self, data: &mut [u8]) -> usize {
        let (mut at, mut blanked) = (0, 0);
        while at < data.len() {
            if self.lost {
                blanked += data.len() - at;
                data[at..].fill(0);
                return blanked;
            }
            if self.have < HEADER {
                self.head[self.have] = data[at];
                (self.have, at) = (self.have + 1, at + 1);
                self.judge();
                continue;
            }
            let here = self.left.min(data.len() - at);
            if !self.is_in_clear() {
                data[at..at + here].fill(0);
                blanked += here;
            }
            at += here;
            self.skip(here as u64);
        }
        blanked
    }

    /// So many bytes are not here.
    pub(super) fn missing(&mut self, len: u64) {
        if self.have < HEADER || len > self.left as u64 {
            self.lost = true;
        } else {
            self.skip(len);
        }
    }

    fn skip(&mut self, len: u64) {
        self.left = self.left.saturating_sub(len as usize);
        if self.left == 0 {
            self.have = 0;
        }
    }

    fn judge(&mut self) {
        if self.have == HEADER {
            match body_len(&self.head).or_else(|| clear_len(&self.head)) {
                Some(0) => self.have = 0,
                Some(len) => self.left = len,
                None => self.lost = true,
            }
        }
    }

    /// An alert of two bytes, a ChangeCipherSpec of one: nothing is sealed that is so short. Nor what is no record.
    fn is_in_clear(&self) -> bool {
        body_len(&self.head).map_or(clear_len(&self.head).is_some(), |len| is_short(self.head[0], len))
    }
}

fn is_short(kind: u8, len: usize) -> bool {
    matches!((kind, len), (ALERT, 2) | (CHANGE_CIPHER_SPEC, 1))
}

fn body_len(head: &[u8; HEADER]) -> Option<usize> {
    let [kind, major, minor, high, low] = *head;
    let len = usize::from(high) << 8 | usize::from(low);
    ((20..=24).contains(&kind) && major == 3 && minor <= 4 && len <= MAX_BODY).then_some(len)
}

/// What follows these five bytes where they are no header, and what they begin names nobody: a ClientHello in the format of
/// SSL 2.0 (RFC 5246, E.2), or a PDU as short as the Disconnect Provider Ultimatum with which a server gives TLS up.
fn clear_len(head: &[u8; HEADER]) -> Option<usize> {
    match *head {
        [high, low, 1, 0 | 3, 0..=3] if high & 0x80 != 0 => {
            Some(usize::from(u16::from_be_bytes([high & 0x7f, low])).saturating_sub(3))
        }
        [3, 0, 0, 9, 2] => Some(4),
        _ => None,
    }
}

/// Changes what a side says from its first record on, and gives how it goes on and how many bytes were blanked.
pub(super) fn begin(data: &mut [u8], certificates: &mut Vec<Vec<u8>>, names: &mut Names) -> (Framing, usize) {
    let greeting = ssl2_session(data);
    if let Some(id) = greeting.clone().and_then(|place| data.get_mut(place)) {
        let other = names.session(id);
        id.copy_from_slice(&other);
    }
    let clear = handshake_places(data);
    let mut said: Vec<u8> = clear.iter().map(|at| data[*at]).collect();
    let before = said.clone();
    messages(&mut said, certificates, names);
    let mut framing = Framing::default();
    let blanked = framing.blank(data);
    for (at, byte) in clear.iter().zip(&said) {
        data[*at] = *byte;
    }
    let kept = before.iter().zip(&said).filter(|(before, after)| before == after).count();
    (framing, blanked.saturating_sub(kept))
}

/// Whether these bytes begin a record, or a ClientHello in the format of SSL 2.0.
pub(super) fn is_first(data: &[u8]) -> bool {
    let is_ssl2 = || data.first_chunk().is_some_and(|head| data[0] & 0x80 != 0 && clear_len(head).is_some());
    matches!(data, [20..=24, 3, ..]) || is_ssl2()
}

/// Where the session id of a ClientHello in the format of SSL 2.0 stands, if one is first (RFC 5246, E.2).
fn ssl2_session(data: &[u8]) -> Option<std::ops::Range<usize>> {
    clear_len(data.first_chunk()?).filter(|_| data[0] & 0x80 != 0)?;
    let [_, _, _, _, _, specs_high, specs_low, high, low, ..] = *data else { return None };
    let from = 11 + usize::from(u16::from_be_bytes([specs_high, specs_low]));
    Some(from..from + usize::from(u16::from_be_bytes([high, low])))
}

/// Where the bytes of the handshake stand that are in clear.
fn handshake_places(data: &[u8]) -> Vec<usize> {
    let (mut places, mut at, mut sealed) = (Vec::new(), 0, false);
    while let Some(head) = data.get(at..).and_then(<[u8]>::first_chunk::<HEADER>) {
        let Some(len) = body_len(head).or_else(|| clear_len(head)) else { break };
        let body = at + HEADER..data.len().min(at + HEADER + len);
        let says = data.get(body.clone()).unwrap_or_default();
        // Behind the ChangeCipherSpec of TLS 1.3 a hello may still be in clear: the second one.
        if head[0] == HANDSHAKE && (!sealed || is_hello(says, len)) {
            places.extend(body);
        }
        sealed |= head[0] == CHANGE_CIPHER_SPEC;
        at += HEADER + len;
    }
    places
}

fn is_hello(body: &[u8], len: usize) -> bool {
    matches!(*body, [1 | 2, 0, high, low, ..] if usize::from(u16::from_be_bytes([high, low])) + 4 == len)
}

fn messages(said: &mut [u8], certificates: &mut Vec<Vec<u8>>, names: &mut Names) {
    let mut rest = said;
    while rest.len() >= 4 {
        let kind = rest[0];
        let len = usize::from(rest[1]) << 16 | usize::from(rest[2]) << 8 | usize::from(rest[3]);
        let (message, behind) = rest.split_at_mut(rest.len().min(4 + len));
        let body = &mut message[4..];
        // What is cut short nobody reads.
        let read = match kind {
            1 if body.len() == len => client_hello(&mut *body, names),
            2 if body.len() == len => server_hello(&mut *body, names),
            11 if body.len() == len => certificate_list(&mut *body, certificates, names),
            _ => None,
        };
        match (read, kind) {
            (Some(()), _) => {}
            (None, 1 | 2) => unreadable_hello(body),
            (None, _) => body.fill(0),
        }
        rest = behind;
    }
}

/// A place in some bytes, from the front.
struct Cursor<'a>(&'a mut [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a mut [u8]> {
        let (taken, rest) = std::mem::take(&mut self.0).split_at_mut_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A vector whose length field has so many bytes.
    fn vector(&mut self, len_bytes: usize) -> Option<&'a mut [u8]> {
        let len = self.take(len_bytes)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
        self.take(len)
    }
}

/// A hello that cannot be read stays one: behind the version nothing is left but lengths that nothing fits.
fn unreadable_hello(body: &mut [u8]) {
    const LENGTHS: usize = 2 + 32;
    for (at, byte) in body.iter_mut().enumerate().skip(2) {
        *byte = if at < LENGTHS { 0 } else { 0xff };
    }
}

/// RFC 8446, 4.1.2. The random number stays: it names nobody, and key logs refer to it.
fn client_hello(body: &mut [u8], names: &mut Names) -> Option<()> {
    let mut cursor = Cursor(body);
    cursor.take(2 + 32)?;
    session_id(cursor.vector(1)?, names);
    cursor.vector(2)?;
    cursor.vector(1)?;
    extensions(cursor, true, names)
}

/// RFC 8446, 4.1.3.
fn server_hello(body: &mut [u8], names: &mut Names) -> Option<()> {
    let mut cursor = Cursor(body);
    let version = cursor.take(2)?[0];
    cursor.take(32)?;
    // Drafts before the 22nd have neither session id nor compression method.
    if version != 0x7f {
        session_id(cursor.vector(1)?, names);
        cursor.take(1)?;
    }
    cursor.take(2)?;
    extensions(cursor, false, names)
}

fn session_id(id: &mut [u8], names: &mut Names) {
    let other = names.session(id);
    id.copy_from_slice(&other);
}

fn extensions(mut cursor: Cursor<'_>, is_client: bool, names: &mut Names) -> Option<()> {
    if cursor.0.is_empty() {
        return Some(());
    }
    let mut list = Cursor(cursor.vector(2)?);
    while !list.0.is_empty() {
        let kind = list.take(2).map(|kind| u16::from_be_bytes([kind[0], kind[1]]))?;
        extension(kind, list.vector(2)?, is_client, names);
    }
    Some(())
}

// IANA "TLS ExtensionType Values".
const SERVER_NAME: u16 = 0;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;

fn extension(kind: u16, data: &mut [u8], is_client: bool, names: &mut Names) {
    let is_grease = kind & 0x0f0f == 0x0a0a && kind >> 8 == kind & 0xff;
    let read = match kind {
        SERVER_NAME if is_client => server_names(&mut *data, names),
        PRE_SHARED_KEY if is_client => identities(&mut *data),
        SESSION_TICKET => None,
        _ if is_grease || NAMELESS.iter().any(|(number, _)| *number == kind) || !is_client => Some(()),
        _ => None,
    };
    if read.is_none() {
        data.fill(0);
    }
}

/// RFC 6066, 3.
fn server_names(data: &mut [u8], names: &mut Names) -> Option<()> {
    let mut list = Cursor(Cursor(data).vector(2)?);
    while !list.0.is_empty() {
        list.take(1)?;
        let name = list.vector(2)?;
        let other = names.rename(name);
        name.copy_from_slice(&other);
    }
    Some(())
}

/// RFC 8446, 4.2.11: tickets, and how old they are.
fn identities(data: &mut [u8]) -> Option<()> {
    let mut cursor = Cursor(data);
    let mut list = Cursor(cursor.vector(2)?);
    while !list.0.is_empty() {
        list.vector(2)?.fill(0);
        list.take(4)?;
    }
    let mut binders = Cursor(cursor.vector(2)?);
    while !binders.0.is_empty() {
        binders.vector(1)?.fill(0);
    }
    Some(())
}

/// RFC 5246, 7.4.2. Certificates are counted in the order in which they come, each kind once.
fn certificate_list(body: &mut [u8], certificates: &mut Vec<Vec<u8>>, names: &mut Names) -> Option<()> {
    let mut list = Cursor(Cursor(body).vector(3)?);
    while !list.0.is_empty() {
        let der = list.vector(3)?;
        let known = certificates.iter().position(|known| *known == *der);
        let number = known.unwrap_or_else(|| {
            certificates.push(der.to_vec());
            certificates.len() - 1
        });
        certificate::redact(der, number as u32 + 1, names);
    }
    Some(())
}
