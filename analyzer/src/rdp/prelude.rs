//! Whether a connection is RDP, told from its first bytes, and what a relay put before them.
//!
//! RDP begins with an X.224 Connection Request (\[MS-RDPBCGR\] 2.2.1.1) on whatever port. Before it may stand headers of the
//! PROXY protocol, or SOCKS 5 (RFC 1928, RFC 1929); both name the ends that are meant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::foreign::{is_iso, looks};
use super::tpkt;
use crate::event::Foreign;
use crate::proxy_protocol::{self, Read};
use crate::shown;

/// X.224, 13.3: code of a Connection Request.
const CONNECTION_REQUEST: u8 = 0xe0;
/// X.224, 13.4: code of a Connection Confirm. What an RDP server puts in it, \[MS-RDPBCGR\] 2.2.1.2.1 and 2.2.1.2.2.
const CONNECTION_CONFIRM: u8 = 0xd0;
const NEG_RSP: u8 = 2;
const NEG_FAILURE: u8 = 3;
/// Where the variable part of a request begins, and the length indicator of one that has none.
const VARIABLE: usize = tpkt::HEADER + 7;
const BARE: u8 = 6;
/// Headers of the PROXY protocol that may follow each other, where one relay stands behind another.
pub const MAX_HEADERS: usize = 4;

/// What the first bytes of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Too few to tell.
    Unsure,
    /// Not RDP.
    Foreign,
    /// RDP, behind this.
    Rdp(Prelude),
}

/// What stands before the first byte of RDP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prelude {
    /// Bytes of client and server that are SOCKS. A header of the PROXY protocol is read with the session, and told.
    pub len: [usize; 2],
    /// The client that a relay names.
    pub client: Option<SocketAddr>,
    /// The server that it names.
    pub server: Option<SocketAddr>,
    /// The server, where it is named by its name.
    pub name: Option<(String, u16)>,
}

/// Judges the first bytes of client and server. More bytes never change an answer other than "unsure".
pub fn judge(client: &[u8], server: &[u8]) -> Verdict {
    let parsed = match client.first() {
        Some(5) => socks(client, server).map(|found| found.map(|prelude| (prelude.len[0], prelude))),
        // RDP's server never speaks first; what does, on its port, may still be asked for RDP.
        Some(_) | None => headers(client),
    };
    match parsed {
        None => Verdict::Foreign,
        Some(None) => Verdict::Unsure,
        Some(Some((behind, prelude))) => match is_request(client.get(behind..).unwrap_or_default()) {
            None => Verdict::Unsure,
            Some(false) => Verdict::Foreign,
            Some(true) => Verdict::Rdp(prelude),
        },
    }
}

/// Whether these bytes begin with a Connection Request of RDP; `None` while they are too few to tell. Other protocols on ISO
/// on TCP (S7, MMS) begin with one, too: their parameters are none that RDP has.
pub fn is_request(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [] => None,
        [tpkt::VERSION, _, _, _, _, code, ..] if code & 0xf0 != CONNECTION_REQUEST => Some(false),
        [tpkt::VERSION, _, _, _, ..=BARE, _, ..] => Some(true),
        [tpkt::VERSION, ..] => bytes.get(VARIABLE).map(|first| !is_iso(*first)),
        _ => Some(false),
    }
}

/// Whether these bytes are the beginning of a Connection Request of whatever protocol.
pub fn begins_request(bytes: &[u8]) -> bool {
    matches!(bytes, [tpkt::VERSION, _, _, _, _, code, ..] if code & 0xf0 == CONNECTION_REQUEST)
}

/// Whether a server's first bytes are a Connection Confirm of RDP: whoever was answered so has asked, also where the request is not
/// here.
pub fn begins_confirm(bytes: &[u8]) -> bool {
    match bytes {
        [tpkt::VERSION, _, _, _, ..=BARE, code, ..] => code & 0xf0 == CONNECTION_CONFIRM,
        [tpkt::VERSION, _, _, _, _, code, ..] if code & 0xf0 == CONNECTION_CONFIRM => {
            bytes.get(VARIABLE).is_some_and(|kind| matches!(*kind, NEG_RSP | NEG_FAILURE))
        }
        _ => false,
    }
}

/// What a client speaks that does not ask for RDP, in words, behind the headers of relays.
pub fn speaks(client: &[u8]) -> &'static str {
    let mut behind = 0;
    while let Read::Header(_, len) = proxy_protocol::read(client.get(behind..).unwrap_or_default()) {
        behind += len;
    }
    match client.get(behind..) {
        Some([]) if behind > 0 => "a header of the PROXY protocol and nothing behind it",
        rest => looks(rest.unwrap_or_default()).unwrap_or(Foreign::Unknown).name(),
    }
}

/// What a prelude's reader finds: `None` where this is none, `Some(None)` where bytes are missing.
type Found<T> = Option<Option<T>>;

/// Headers of the PROXY protocol, none or some, with their length. Each relay puts its own first, so the last is of whoever
/// stands next to the client.
fn headers(client: &[u8]) -> Found<(usize, Prelude)> {
    let (mut behind, mut prelude) = (0, Prelude::default());
    for _ in 0..MAX_HEADERS {
        match proxy_protocol::read(client.get(behind..).unwrap_or_default()) {
            Read::Short => return Some(None),
            Read::None => break,
            Read::Header(header, len) => {
                behind += len;
                if let Some((client, server)) = header.ends() {
                    (prelude.client, prelude.server) = (Some(client), Some(server));
                }
            }
        }
    }
    Some(Some((behind, prelude)))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).into())
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

/// Methods and choice, perhaps a password and its answer, request and reply.
fn socks(client: &[u8], server: &[u8]) -> Found<Prelude> {
    let Some(methods) = client.get(1) else { return Some(None) };
    let mut at = [2 + usize::from(*methods), 2];
    let Some(choice) = server.get(..2) else { return Some(None) };
    match choice {
        [5, 0] => {}
        // RFC 1929: version, length and name, length and password; the answer has two bytes.
        [5, 2] => {
            let Some(name) = client.get(at[0] + 1) else { return Some(None) };
            let password_at = at[0] + 2 + usize::from(*name);
            let Some(password) = client.get(password_at) else { return Some(None) };
            at = [password_at + 1 + usize::from(*password), 4];
        }
        _ => return None,
    }
    let Some(request) = client.get(at[0]..).filter(|request| request.len() >= 5) else { return Some(None) };
    let Some(reply) = server.get(at[1]..).filter(|reply| reply.len() >= 5) else { return Some(None) };
    // CONNECT alone leads to RDP, and only where the reply says that it succeeded.
    let (Some((wanted, asked)), Some((_, answered))) = (place(request, 1)?, place(reply, 0)?) else {
        return Some(None);
    };
    let mut prelude = Prelude { len: [at[0] + asked, at[1] + answered], ..Prelude::default() };
    match wanted {
        Place::Address(server) => prelude.server = Some(server),
        Place::Name(name, port) => prelude.name = Some((name, port)),
    }
    Some(Some(prelude))
}

enum Place {
    Address(SocketAddr),
    Name(String, u16),
}

/// Version, command or reply, reserved, type of the address, address, port; with its length.
fn place(bytes: &[u8], code: u8) -> Found<(Place, usize)> {
    let [5, found, _, kind, first, ..] = *bytes else { return None };
    if found != code {
        return None;
    }
    let (from, len) = match kind {
        1 => (4, 4),
        3 => (5, usize::from(first)),
        4 => (4, 16),
        _ => return None,
    };
    let (Some(host), Some(port)) = (bytes.get(from..from + len), number(bytes, from + len)) else { return Some(None) };
    let place = match kind {
        3 => Place::Name(shown::line(&String::from_utf8_lossy(host)).into_owned(), port),
        _ => Place::Address(SocketAddr::new(address(host)?, port)),
    };
    Some(Some((place, from + len + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = &[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0];

    /// The answer is the same with every number of bytes, once it is given.
    fn check(client: &[u8], server: &[u8], expected: &Prelude) {
        let whole = [client, REQUEST].concat();
        for len in usize::from(!server.is_empty())..=whole.len() {
            match judge(&whole[..len], server) {
                Verdict::Rdp(prelude) => assert_eq!((&prelude, len >= client.len() + 6), (expected, true)),
                Verdict::Unsure => assert!(len < client.len() + 6, "{len} bytes are enough"),
                Verdict::Foreign => panic!("foreign with {len} bytes"),
            }
        }
    }

    #[test]
    fn rdp_alone_and_behind_relays() {
        check(b"", b"", &Prelude::default());
        let server = "192.0.2.2:3389".parse().ok();
        let asked = [&[5, 1, 0][..], &[5, 1, 0, 1, 192, 0, 2, 2, 0x0d, 0x3d]].concat();
        let answered = [&[5, 0][..], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
        check(&asked, &answered, &Prelude { len: [13, 12], client: None, server, name: None });
        let asked = [&[5, 1, 2][..], &[1, 1, b'u', 2, b'p', b'w'], &[5, 1, 0, 3, 2, b'h', b'i', 0x0d, 0x3d]].concat();
        let answered = [&[5, 2][..], &[1, 0], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
        let name = Some(("hi".to_owned(), 3389));
        check(&asked, &answered, &Prelude { len: [18, 14], client: None, server: None, name });
    }

    #[test]
    fn rdp_behind_headers_of_the_proxy_protocol() {
        let ends = |client: &str, server: &str| (client.parse().ok(), server.parse().ok());
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 3389\r\n";
        let (client, server) = ends("192.0.2.1:50000", "192.0.2.2:3389");
        let named = Prelude { client, server, ..Prelude::default() };
        check(line, b"", &named);
        let unknown = b"PROXY UNKNOWN\r\n";
        check(unknown, b"", &Prelude::default());
        check(&[&unknown[..], line].concat(), b"", &named);
        let mut v2 = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
        v2.extend([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0xc3, 0x50, 0x0d, 0x3d]);
        check(&v2, b"", &named);
        assert_eq!(judge(&[&unknown.repeat(MAX_HEADERS + 1)[..], REQUEST].concat(), b""), Verdict::Foreign);
    }

    #[test]
    fn who_asks_for_rdp_where_something_else_speaks_first_asks_for_rdp() {
        assert_eq!(judge(b"", b"SSH-2.0"), Verdict::Unsure);
        let asked = [3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0];
        assert_eq!(judge(&asked, b"SSH-2.0"), Verdict::Rdp(Prelude::default()));
    }

    #[test]
    fn other_protocols_are_foreign() {
        for client in
            [&b"GET / HTTP/1.1\r\n"[..], b"PUT / HTTP/1.1\r\n", &[0x16, 3, 1], b"POST /", &[3, 0, 0, 9, 2, 0xf0]]
        {
            assert_eq!(judge(client, b""), Verdict::Foreign, "{client:?}");
        }
        assert_eq!(judge(b"SSH-2.0-x", b"SSH-2.0"), Verdict::Foreign);
        assert_eq!(judge(&[5, 1, 0], &[5, 0xff]), Verdict::Foreign, "a refused SOCKS method");
    }
}
