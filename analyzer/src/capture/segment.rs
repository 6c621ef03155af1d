//! IP and TCP headers of one packet.

use std::net::{IpAddr, SocketAddr};

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

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
    /// The payload that is here.
    pub payload: &'a [u8],
    /// The payload's length on the wire, bytes. More than is here where the capture was cut.
    pub payload_len: u32,
}

/// Reads a packet that starts with an IP header. `None` where it is not TCP or its headers are cut.
pub fn read(packet: &[u8]) -> Option<Segment<'_>> {
    let sliced = LaxSlicedPacket::from_ip(packet).ok()?;
    let (source, destination, ip_payload_len) = match sliced.net? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let len = u32::from(header.total_len()).saturating_sub(u32::from(header.ihl()) * 4);
            (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()), len)
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            let len = u32::from(header.payload_length());
            (IpAddr::V6(header.source_addr()), IpAddr::V6(header.destination_addr()), len)
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
    Some(Segment {
        source: SocketAddr::new(source, tcp.source_port()),
        destination: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledgement: tcp.acknowledgment_number(),
        syn: tcp.syn(),
        ack: tcp.ack(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload(),
        payload_len: ip_payload_len.saturating_sub(u32::try_from(tcp.header_len()).unwrap_or(0)),
    })
}
