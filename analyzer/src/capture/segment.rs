//! TCP headers of one packet, and the quoted ones in an ICMP error.

use std::net::{IpAddr, SocketAddr};

use super::ip::{self, Ip};

const TCP: u8 = 6;
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
    /// The maximum segment size told with a SYN.
    pub mss: Option<u16>,
    /// IPv4 identification; 0 where there is none.
    pub id: u16,
    /// TTL, hop limit.
    pub ttl: u8,
    /// The payload that is here.
    pub payload: &'a [u8],
    /// The payload's length on the wire, bytes. More than is here where the capture was cut.
    pub payload_len: u32,
}

/// Who a network says cannot be reached, ICMP type 3 (RFC 792) or ICMPv6 type 1 (RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// Who had sent the packet that could not be delivered.
    pub source: SocketAddr,
    /// Whom it was for.
    pub destination: SocketAddr,
    /// Its sequence number.
    pub sequence: u32,
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
        mss: ip.payload.get(FIXED..header_len).filter(|_| flag(0x02)).and_then(mss),
        id: ip.id,
        ttl: ip.ttl,
        payload: ip.payload.get(header_len..).unwrap_or_default(),
        payload_len: ip.payload_len.saturating_sub(u32::from(offset >> 4) * 4),
    })
}

/// Option 2, RFC 9293 3.2.
fn mss(mut options: &[u8]) -> Option<u16> {
    loop {
        options = match *options {
            [2, 4, high, low, ..] => return Some(u16::from_be_bytes([high, low])),
            [1, ref rest @ ..] => rest,
            [0, ..] | [] | [_] => return None,
            [_, len, ..] => options.get(usize::from(len.max(2))..)?,
        }
    }
}

/// The TCP segment that an ICMP error quotes, where the error says that its receiver cannot be reached.
pub fn unreachable(ip: &Ip<'_>) -> Option<Unreachable> {
    let quoted = match (ip.protocol, ip.payload) {
        // Code 4 is no end: the packet was too large (RFC 1191).
        (ICMP, [3, code, _, _, _, _, _, _, quoted @ ..]) if *code != 4 => quoted,
        (ICMPV6, [1, _, _, _, _, _, _, _, quoted @ ..]) => quoted,
        _ => return None,
    };
    let quoted = ip::read(quoted, 0)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3] = *quoted.payload.first_chunk().filter(|_| quoted.protocol == TCP)?;
    let end = |address: IpAddr, port| SocketAddr::new(address, u16::from_be_bytes(port));
    Some(Unreachable {
        source: end(quoted.source, [s0, s1]),
        destination: end(quoted.destination, [d0, d1]),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
    })
}
