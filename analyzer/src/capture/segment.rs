//! TCP headers of one packet, the quoted ones in an ICMP error, and datagrams.

use std::net::{IpAddr, SocketAddr};

use super::ip::{self, Ip};

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
/// Fixed part of a TCP header, RFC 9293 3.1.
const FIXED: usize = 20;

/// One TCP segment, as far as the capture holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sequence number of the first byte.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// SYN flag.
    pub syn: bool,
    /// ACK flag.
    pub ack: bool,
    /// FIN flag.
    pub fin: bool,
    /// RST flag.
    pub rst: bool,
    /// The receive window, not scaled (RFC 7323 2.2).
    pub window: u16,
    /// ECN-Echo flag (RFC 3168, 6.1).
    pub ece: bool,
    /// Congestion window reduced flag.
    pub cwr: bool,
    /// The options, as they are; see [`super::options::Options`].
    pub options: &'a [u8],
    /// IPv4 identification; 0 where there is none.
    pub id: u16,
    /// TTL, hop limit.
    pub ttl: u8,
    /// Whether a router marked the packet: congestion experienced (RFC 3168, 5).
    pub ecn_marked: bool,
    /// The payload that is here.
    pub payload: &'a [u8],
    /// The payload's length on the wire, bytes. More than is here where the capture was cut.
    pub payload_len: u32,
}

/// An ICMP error about a segment: ICMP types 3 and 11 (RFC 792), ICMPv6 types 1, 2 and 3 (RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// Who sent the error.
    pub by: IpAddr,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The MTU it tells, bytes (RFC 1191, RFC 8201).
    pub mtu: Option<u32>,
    /// Who had sent the packet that could not be delivered.
    pub source: SocketAddr,
    /// Whom it was for.
    pub destination: SocketAddr,
    /// Its sequence number.
    pub sequence: u32,
}

/// One UDP datagram, as far as the capture holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// The payload that is here.
    pub payload: &'a [u8],
}

/// Reads a packet that starts with an IP header. `None` where it is not TCP or its headers are cut.
pub fn read(packet: &[u8], original_len: u32) -> Option<Segment<'_>> {
    tcp(&ip::read(packet, original_len)?)
}

/// The TCP segment in an IP packet. A header cut behind its fixed part still tells all but its options.
pub fn tcp<'a>(ip: &Ip<'a>) -> Option<Segment<'a>> {
    let header: &[u8; FIXED] = ip.payload.first_chunk().filter(|_| ip.protocol == TCP)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, ..] = *header;
    let header_len = usize::from(offset >> 4) * 4;
    if header_len < FIXED {
        return None;
    }
    let flag = |bit: u8| flags & bit != 0;
    Some(Segment {
        source: SocketAddr::new(ip.source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(ip.destination, u16::from_be_bytes([d0, d1])),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
        acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
        fin: flag(0x01),
        syn: flag(0x02),
        rst: flag(0x04),
        ack: flag(0x10),
        window: u16::from_be_bytes([w0, w1]),
        ece: flag(0x40),
        cwr: flag(0x80),
        options: ip.payload.get(FIXED..header_len.min(ip.payload.len())).unwrap_or_default(),
        id: ip.id,
        ttl: ip.ttl,
        ecn_marked: ip.ecn_marked,
        payload: ip.payload.get(header_len..).unwrap_or_default(),
        payload_len: ip.payload_len.saturating_sub(u32::from(offset >> 4) * 4),
    })
}

/// The UDP datagram in an IP packet, if it comes from this port (RFC 768).
pub fn udp<'a>(ip: &Ip<'a>, from: u16) -> Option<Datagram<'a>> {
    let [s0, s1, d0, d1, _, _, _, _, ref payload @ ..] = *ip.payload else { return None };
    let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    (ip.protocol == UDP && source == from).then(|| Datagram {
        source: SocketAddr::new(ip.source, source),
        destination: SocketAddr::new(ip.destination, destination),
        payload,
    })
}

/// What an ICMP error says of the TCP segment that it quotes.
pub fn icmp(ip: &Ip<'_>) -> Option<Icmp> {
    let [kind, code, _, _, m0, m1, m2, m3, ref quoted @ ..] = *ip.payload else { return None };
    let told = u32::from_be_bytes([m0, m1, m2, m3]);
    let mtu = match (ip.protocol, kind, code) {
        (ICMP, 3, 4) => Some(told & 0xffff).filter(|mtu| *mtu > 0),
        (ICMPV6, 2, _) => Some(told),
        (ICMP, 3 | 11, _) | (ICMPV6, 1 | 3, _) => None,
        _ => return None,
    };
    let quoted = ip::read(quoted, 0)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3] = *quoted.payload.first_chunk().filter(|_| quoted.protocol == TCP)?;
    let end = |address: IpAddr, port| SocketAddr::new(address, u16::from_be_bytes(port));
    Some(Icmp {
        by: ip.source,
        kind,
        code,
        mtu,
        source: end(quoted.source, [s0, s1]),
        destination: end(quoted.destination, [d0, d1]),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
    })
}

impl Icmp {
    /// Whether it says that the receiver cannot be reached. Too large a packet (RFC 1191) is no end, and neither is a
    /// hop limit that ran out on the way.
    pub fn is_unreachable(&self) -> bool {
        match self.by {
            IpAddr::V4(_) => self.kind == 3 && self.code != 4,
            IpAddr::V6(_) => self.kind == 1,
        }
    }
}
