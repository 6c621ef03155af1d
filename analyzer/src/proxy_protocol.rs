//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): a header that a balancer or relay sends before
//! everything else, with the addresses of the connection that it passes on. Read and written here alone, for captures, for
//! the relay's recordings and for the relay itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How version 1 begins.
const V1: &[u8] = b"PROXY ";
/// Longest line of version 1, with its CR LF (section 2.1).
const MAX_LINE: usize = 107;
/// How version 2 begins (section 2.2).
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const V2_FIXED: usize = 16;
/// Version 2, on behalf of somebody.
const V2_PROXY: u8 = 0x21;
/// Version 2, of the sender's own.
const V2_LOCAL: u8 = 0x20;

/// Longest header that is read, bytes. Version 2 allows 64 KiB of additions; senders are to stay below 536 bytes.
pub const MAX: usize = 4096;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// What it says of the connection.
    pub says: Says,
}

/// What a header says of the connection behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// It is passed on, between these ends.
    Ends {
        /// Who connected to the sender.
        client: SocketAddr,
        /// What it was connected to.
        server: SocketAddr,
    },
    /// It is the sender's own: the addresses of the connection itself are right (version 2, LOCAL).
    Local,
    /// It is passed on, and its addresses are not told, or are of no IP family (version 1, UNKNOWN).
    Unknown,
    /// Framed as a header, and what stands in it is none.
    Invalid,
}

impl Says {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Says::Ends { .. } => "proxy",
            Says::Local => "local",
            Says::Unknown => "unknown",
            Says::Invalid => "invalid",
        }
    }
}

impl Header {
    /// Both ends that it names.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        match self.says {
            Says::Ends { client, server } => Some((client, server)),
            Says::Local | Says::Unknown | Says::Invalid => None,
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}, ", self.version)?;
        match self.says {
            Says::Ends { client, server } => write!(f, "client {client}, server {server}"),
            Says::Local => f.write_str("a connection of the sender's own (LOCAL)"),
            Says::Unknown => f.write_str("without addresses"),
            Says::Invalid => f.write_str("not valid"),
        }
    }
}

/// What the first bytes of a client are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Too few to tell, or a header that is not complete.
    Short,
    /// No header, or one that is too long.
    None,
    /// A header of so many bytes.
    Header(Header, usize),
}

/// Reads the header that these bytes begin with. More bytes never change an answer other than [`Read::Short`].
pub fn read(bytes: &[u8]) -> Read {
    if bytes.starts_with(V1) {
        read_line(bytes)
    } else if bytes.starts_with(V2) {
        read_binary(bytes)
    } else if V1.starts_with(bytes) || V2.starts_with(bytes) {
        Read::Short
    } else {
        Read::None
    }
}

/// "PROXY TCP4 192.0.2.1 192.0.2.2 50000 3389" CR LF.
fn read_line(bytes: &[u8]) -> Read {
    let line = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = line.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() < MAX_LINE { Read::Short } else { Read::None };
    };
    let says = std::str::from_utf8(&line[V1.len()..end]).ok().and_then(line_says).unwrap_or(Says::Invalid);
    Read::Header(Header { version: 1, says }, end + 2)
}

/// What stands behind "PROXY ".
fn line_says(text: &str) -> Option<Says> {
    let mut words = text.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Says::Unknown);
    }
    let mut address = || words.next()?.parse::<IpAddr>().ok();
    let (client, server) = (address()?, address()?);
    let mut port = || words.next()?.parse::<u16>().ok();
    let (client, server) = (SocketAddr::new(client, port()?), SocketAddr::new(server, port()?));
    let fits = match family {
        "TCP4" => client.is_ipv4() && server.is_ipv4(),
        "TCP6" => client.is_ipv6() && server.is_ipv6(),
        _ => false,
    };
    (fits && words.next().is_none()).then_some(Says::Ends { client, server })
}

fn read_binary(bytes: &[u8]) -> Read {
    let Some([command, family, high, low]) = bytes.get(V2.len()..V2_FIXED) else { return Read::Short };
    let len = V2_FIXED + usize::from(u16::from_be_bytes([*high, *low]));
    if len > MAX {
        return Read::None;
    }
    let Some(addresses) = bytes.get(V2_FIXED..len) else { return Read::Short };
    let says = match (*command, *family) {
        (V2_LOCAL, _) => Says::Local,
        (V2_PROXY, 0x11) => ends::<4>(addresses),
        (V2_PROXY, 0x21) => ends::<16>(addresses),
        // Datagrams, and sockets of a file system: a receiver that knows no such connection is to take the real one.
        (V2_PROXY, _) => Says::Unknown,
        _ => Says::Invalid,
    };
    Read::Header(Header { version: 2, says }, len)
}

/// Two addresses of `N` bytes, two ports; what stands behind them is passed over.
fn ends<const N: usize>(bytes: &[u8]) -> Says {
    let end = |at: usize, port_at: usize| {
        let port = bytes.get(port_at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))?;
        Some(SocketAddr::new(address(bytes.get(at..at + N)?)?, port))
    };
    match (end(0, 2 * N), end(N, 2 * N + 2)) {
        (Some(client), Some(server)) => Says::Ends { client, server },
        _ => Says::Invalid,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).into())
}

/// The bytes of this header. Ends of two families are told as unknown: no family has both.
pub fn write(header: &Header) -> Vec<u8> {
    match header.version {
        1 => line(header.says),
        _ => binary(header.says),
    }
}

fn line(says: Says) -> Vec<u8> {
    let family = match says {
        Says::Ends { client, server } if client.is_ipv4() && server.is_ipv4() => "TCP4",
        Says::Ends { client, server } if client.is_ipv6() && server.is_ipv6() => "TCP6",
        Says::Ends { .. } | Says::Local | Says::Unknown | Says::Invalid => return b"PROXY UNKNOWN\r\n".to_vec(),
    };
    let Says::Ends { client, server } = says else { return Vec::new() };
    format!("PROXY {family} {} {} {} {}\r\n", client.ip(), server.ip(), client.port(), server.port()).into_bytes()
}

fn binary(says: Says) -> Vec<u8> {
    let (command, family, addresses) = match says {
        Says::Ends { client: SocketAddr::V4(client), server: SocketAddr::V4(server) } => {
            (V2_PROXY, 0x11, [&client.ip().octets()[..], &server.ip().octets()].concat())
        }
        Says::Ends { client: SocketAddr::V6(client), server: SocketAddr::V6(server) } => {
            (V2_PROXY, 0x21, [&client.ip().octets()[..], &server.ip().octets()].concat())
        }
        Says::Local => (V2_LOCAL, 0, Vec::new()),
        Says::Ends { .. } | Says::Unknown | Says::Invalid => (V2_PROXY, 0, Vec::new()),
    };
    let ports = match says {
        Says::Ends { client, server } if family != 0 => {
            [client.port().to_be_bytes(), server.port().to_be_bytes()].concat()
        }
        Says::Ends { .. } | Says::Local | Says::Unknown | Says::Invalid => Vec::new(),
    };
    let len = ((addresses.len() + ports.len()) as u16).to_be_bytes();
    [V2, &[command, family], &len, &addresses, &ports].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_of(client: &str, server: &str) -> Says {
        Says::Ends { client: client.parse().expect("an address"), server: server.parse().expect("an address") }
    }

    /// The same answer with every number of bytes, once it is given, and whatever follows.
    fn check(bytes: &[u8], header: Header) {
        for len in 0..bytes.len() {
            assert_eq!(read(&bytes[..len]), Read::Short, "{len} bytes");
        }
        for behind in [&b""[..], b"\x03\0\0\x13", b"PROXY "] {
            assert_eq!(read(&[bytes, behind].concat()), Read::Header(header, bytes.len()));
        }
    }

    #[test]
    fn what_is_written_is_read_and_names_the_same_ends() {
        for version in [1, 2] {
            for (client, server) in [("192.0.2.1:50000", "192.0.2.2:3389"), ("[2001:db8::1]:1", "[::1]:65535")] {
                let header = Header { version, says: ends_of(client, server) };
                check(&write(&header), header);
            }
            let mixed = Header { version, says: ends_of("192.0.2.1:50000", "[::1]:3389") };
            check(&write(&mixed), Header { version, says: Says::Unknown });
        }
        check(&write(&Header { version: 2, says: Says::Local }), Header { version: 2, says: Says::Local });
    }

    #[test]
    fn the_longest_line_is_read_and_a_longer_one_is_none() {
        let longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535";
        check(format!("{longest}\r\n").as_bytes(), Header { version: 1, says: Says::Unknown });
        let line = |len: usize| format!("PROXY UNKNOWN {}\r\n", "f".repeat(len - 16));
        check(line(MAX_LINE).as_bytes(), Header { version: 1, says: Says::Unknown });
        assert_eq!(read(line(MAX_LINE + 1).as_bytes()), Read::None);
    }

    #[test]
    fn lines_that_name_no_ends_are_invalid() {
        let lines = [
            "TCP4 192.0.2.1 192.0.2.2 50000",
            "TCP4 192.0.2.1 192.0.2.2 50000 3389 7",
            "TCP4 192.0.2.1 192.0.2.2 50000 66000",
            "TCP4 ::1 ::1 50000 3389",
            "TCP6 192.0.2.1 192.0.2.2 50000 3389",
            "TCP5 192.0.2.1 192.0.2.2 50000 3389",
            "TCP4  192.0.2.1 192.0.2.2 50000 3389",
            "",
        ];
        for line in lines {
            check(format!("PROXY {line}\r\n").as_bytes(), Header { version: 1, says: Says::Invalid });
        }
    }

    #[test]
    fn additions_are_passed_over_and_bounded() {
        let header = Header { version: 2, says: ends_of("192.0.2.1:50000", "192.0.2.2:3389") };
        let mut bytes = write(&header);
        bytes.extend([0x04, 0, 3, 1, 2, 3]);
        bytes[15] += 6;
        check(&bytes, header);
        let mut longest = bytes.clone();
        longest.resize(MAX, 0);
        longest[14..16].copy_from_slice(&((MAX - 16) as u16).to_be_bytes());
        check(&longest, header);
        longest[15] += 1;
        assert_eq!(read(&longest), Read::None);
    }

    #[test]
    fn other_versions_and_cut_addresses_are_invalid_and_other_families_unknown() {
        let with = |command: u8, family: u8, len: u8| {
            let bytes = [V2, &[command, family, 0, len], &vec![1; len.into()]].concat();
            match read(&bytes) {
                Read::Header(header, all) if all == bytes.len() => header.says,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([with(0x11, 0x11, 12), with(0x22, 0x11, 12), with(0x21, 0x11, 11)], [Says::Invalid; 3]);
        assert_eq!([with(0x21, 0, 0), with(0x21, 0x12, 12), with(0x21, 0x31, 216)], [Says::Unknown; 3]);
        assert_eq!([with(0x20, 0, 0), with(0x20, 0x11, 12)], [Says::Local; 2]);
    }

    #[test]
    fn other_protocols_are_none() {
        for bytes in [&b"POST /"[..], b"PROXX", b"GET ", &[3, 0, 0, 19], &[0x16, 3, 1], b"\r\n\r\n\r", b"\n"] {
            assert_eq!(read(bytes), Read::None, "{bytes:?}");
        }
    }
}
