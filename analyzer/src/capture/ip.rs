//! IP headers of one packet: IPv4, and IPv6 with its extension headers. The only module that names etherparse.

use std::net::IpAddr;

use etherparse::{IpEcn, Ipv6ExtensionSlice, Ipv6ExtensionsSlice, LaxIpSlice, LaxIpv4Slice, LaxIpv6Slice};

/// One IP packet, as far as the capture holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip<'a> {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// Protocol number of the payload, behind all extension headers.
    pub protocol: u8,
    /// IPv4 identification; 0 where there is none.
    pub id: u16,
    /// TTL, hop limit.
    pub ttl: u8,
    /// Whether a router marked it: congestion experienced (RFC 3168, 5).
    pub ecn_marked: bool,
    /// Where this is a fragment: which.
    pub fragment: Option<Fragment>,
    /// The payload that is here.
    pub payload: &'a [u8],
    /// The payload's length on the wire, bytes. More than is here where the capture was cut.
    pub payload_len: u32,
}

/// Which part of a datagram a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Of which datagram.
    pub id: u32,
    /// Bytes of the payload before it.
    pub offset: u32,
    /// Whether more follow.
    pub more: bool,
}

/// Reads a packet that starts with an IP header and had `original_len` bytes on the wire. `None` where its headers are
/// cut or no IP headers.
pub fn read(packet: &[u8], original_len: u32) -> Option<Ip<'_>> {
    let (ip, trouble) = LaxIpSlice::from_slice(packet).ok()?;
    if trouble.is_some() {
        return None;
    }
    // The payload is a part of the packet: what stands before it are headers.
    let payload = ip.payload();
    let headers = (payload.payload.as_ptr() as usize).checked_sub(packet.as_ptr() as usize)?;
    let (id, ttl, total, fragment) = match &ip {
        LaxIpSlice::Ipv4(ip) => (ip.header().identification(), ip.header().ttl(), total_v4(ip), fragment_v4(ip)),
        LaxIpSlice::Ipv6(ip) => (0, ip.header().hop_limit(), total_v6(ip), fragment_v6(ip)),
    };
    let ecn = match &ip {
        LaxIpSlice::Ipv4(ip) => ip.header().ecn(),
        LaxIpSlice::Ipv6(ip) => ip.header().ecn(),
    };
    // Offload leaves 0 there: then the frame's own length tells.
    let total = if (total as usize) < headers { original_len } else { total };
    Some(Ip {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: payload.ip_number.0,
        id,
        ttl,
        ecn_marked: ecn == IpEcn::THREE,
        fragment,
        payload: payload.payload,
        payload_len: total.saturating_sub(u32::try_from(headers).unwrap_or(0)),
    })
}

fn total_v4(ip: &LaxIpv4Slice<'_>) -> u32 {
    ip.header().total_len().into()
}

fn total_v6(ip: &LaxIpv6Slice<'_>) -> u32 {
    match ip.header().payload_length() {
        0 => 0,
        len => u32::from(len) + 40,
    }
}

fn fragment_v4(ip: &LaxIpv4Slice<'_>) -> Option<Fragment> {
    let header = ip.header();
    let (offset, more) = (u32::from(header.fragments_offset().value()) * 8, header.more_fragments());
    header.is_fragmenting_payload().then(|| Fragment { id: header.identification().into(), offset, more })
}

fn fragment_v6(ip: &LaxIpv6Slice<'_>) -> Option<Fragment> {
    let extensions: &Ipv6ExtensionsSlice<'_> = ip.extensions();
    if extensions.is_empty() {
        return None;
    }
    extensions.clone().into_iter().find_map(|extension| match extension {
        Ipv6ExtensionSlice::Fragment(header) => {
            let offset = u32::from(header.fragment_offset().value()) * 8;
            let fragment = Fragment { id: header.identification(), offset, more: header.more_fragments() };
            // An atomic fragment is a whole datagram, RFC 6946.
            (fragment.offset > 0 || fragment.more).then_some(fragment)
        }
        Ipv6ExtensionSlice::HopByHop(_)
        | Ipv6ExtensionSlice::Routing(_)
        | Ipv6ExtensionSlice::DestinationOptions(_)
        | Ipv6ExtensionSlice::Authentication(_) => None,
    })
}
