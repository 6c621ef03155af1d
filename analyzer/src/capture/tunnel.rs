//! Tunnels: from an IP packet to the one inside of it. One step; how many are taken is for whoever asks to bound.
//!
//! What is told by a port is believed only where its header is what it must be.

use super::ip::Ip;
use super::link::{self, Not, byte, from, number};

/// Protocol numbers of IP (IANA).
const IPV4: u8 = 4;
const UDP: u8 = 17;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ESP: u8 = 50;
const ETHER_IP: u8 = 97;
const L2TP: u8 = 115;
const MPLS: u8 = 137;

/// Length of a UDP header, bytes.
const UDP_HEADER: usize = 8;
/// EtherType of MPLS.
const MPLS_KIND: u16 = 0x8847;

/// The IP packet inside of this one.
///
/// # Errors
/// Where it carries none, or one that is not read here.
pub fn inner<'a>(ip: &Ip<'a>) -> Result<&'a [u8], Not> {
    let payload = ip.payload;
    match ip.protocol {
        UDP => datagram(number(payload, 0)?, number(payload, 2)?, from(payload, UDP_HEADER)?),
        // RFC 2003, RFC 4213, RFC 2473.
        IPV4 | IPV6 => link::raw(payload),
        GRE => gre(payload),
        ESP => Err(Not::Inside("encrypted by IPsec (ESP)")),
        // RFC 3378: version 3, then a frame.
        ETHER_IP if byte(payload, 0)? == 0x30 => link::ethernet(from(payload, 2)?),
        L2TP if payload.get(..4).is_some_and(|session| session != [0; 4]) => pseudowire(from(payload, 4)?),
        MPLS => link::payload(MPLS_KIND, payload),
        _ => Err(Not::Here),
    }
}

/// What stands in a datagram to one of the ports of tunnels.
fn datagram(source: u16, destination: u16, data: &[u8]) -> Result<&[u8], Not> {
    match destination {
        // VXLAN (RFC 7348, 5), and the port that Linux had before: a flag says that the network's number is there.
        4789 | 8472 if byte(data, 0)? & 0x08 != 0 => link::ethernet(from(data, 8)?),
        // VXLAN-GPE: flag P says that there is a next protocol.
        4790 if byte(data, 0)? & 0x04 != 0 => {
            let (kind, rest) = link::generic(byte(data, 3)?, from(data, 8)?)?;
            link::payload(kind, rest)
        }
        4790 if byte(data, 0)? & 0x08 != 0 => link::ethernet(from(data, 8)?),
        // GENEVE (RFC 8926, 3.4): version 0, options in words, EtherType.
        6081 if byte(data, 0)? >> 6 == 0 => {
            link::payload(number(data, 2)?, from(data, 8 + usize::from(byte(data, 0)? & 0x3f) * 4)?)
        }
        2152 => gtp(data),
        37008 => tzsp(data),
        // RFC 7510
        6635 => link::payload(MPLS_KIND, data),
        1701 => l2tp(data),
        // Teredo (RFC 4380, 5.1.1), which a relay may precede with where the packet came from.
        3544 => link::raw(data.strip_prefix(&[0, 0]).map_or(Ok(data), |_| from(data, 8))?),
        // LISP (RFC 9300, 5.1)
        4341 => link::raw(from(data, 8)?),
        // RFC 3948: IKE has four zeros there, a keepalive is one byte.
        4500 if data.len() > 8 && !data.starts_with(&[0; 4]) => Err(Not::Inside("encrypted by IPsec (ESP in UDP)")),
        51820 if data.starts_with(&[4, 0, 0, 0]) => Err(Not::Inside("encrypted by WireGuard")),
        5247 => Err(Not::Inside("CAPWAP")),
        _ => match source {
            1701 => l2tp(data),
            4500 if data.len() > 8 && !data.starts_with(&[0; 4]) => Err(Not::Inside("encrypted by IPsec (ESP in UDP)")),
            51820 if data.starts_with(&[4, 0, 0, 0]) => Err(Not::Inside("encrypted by WireGuard")),
            5247 => Err(Not::Inside("CAPWAP")),
            _ => Err(Not::Here),
        },
    }
}

/// RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637, 4.1).
fn gre(payload: &[u8]) -> Result<&[u8], Not> {
    let (flags, kind) = (number(payload, 0)?, number(payload, 2)?);
    let has = |flag: u16| flags & flag != 0;
    let len = 4 + 4 * [0x8000, 0x2000, 0x1000].into_iter().filter(|flag| has(*flag)).count();
    match flags & 7 {
        // Routing information is deprecated; it ends in another way.
        0 if has(0x4000) => Err(Not::Inside("GRE with routing information")),
        0 => match kind {
            // ERSPAN I has no header of its own; II and III number their packets.
            0x88be if !has(0x1000) => link::ethernet(from(payload, len)?),
            0x88be => link::ethernet(from(payload, len + 8)?),
            0x22eb => erspan(from(payload, len)?),
            0x880b => link::ppp_hdlc(from(payload, len)?),
            _ => link::payload(kind, from(payload, len)?),
        },
        1 if kind == 0x880b => link::ppp_hdlc(from(payload, len + if has(0x0080) { 4 } else { 0 })?),
        _ => Err(Not::Here),
    }
}

/// ERSPAN III: twelve bytes, eight more where the last bit says so; then a frame, or an IP packet.
fn erspan(header: &[u8]) -> Result<&[u8], Not> {
    let last = byte(header, 11)?;
    let inner = from(header, if last & 1 == 1 { 20 } else { 12 })?;
    let kind = byte(header, 10)? >> 2 & 0x1f;
    if kind == 2 { link::raw(inner) } else { link::ethernet(inner) }
}

/// GTP-U (3GPP TS 29.281, 5.1): version 1, and of its messages the one with a user's packet.
fn gtp(data: &[u8]) -> Result<&[u8], Not> {
    let flags = byte(data, 0)?;
    if flags & 0xf0 != 0x30 || byte(data, 1)? != 255 {
        return Err(Not::Here);
    }
    if flags & 7 == 0 {
        return link::raw(from(data, 8)?);
    }
    let (mut next, mut rest) = (byte(data, 11)?, from(data, 12)?);
    // Each extension header says its length in words, and at its end what follows.
    while next != 0 && flags & 4 != 0 {
        let len = usize::from(byte(rest, 0)?) * 4;
        next = byte(rest, len.checked_sub(1).ok_or(Not::Here)?)?;
        rest = from(rest, len)?;
    }
    link::raw(rest)
}

/// TZSP: version 1, a packet that was received or is to be sent, its kind, and tags up to the one that ends them.
fn tzsp(data: &[u8]) -> Result<&[u8], Not> {
    let [1, 0 | 1, k0, k1, ref tags @ ..] = *data else { return Err(Not::Here) };
    let mut rest = tags;
    let inner = loop {
        rest = match rest {
            [1, inner @ ..] => break inner,
            [0, rest @ ..] => rest,
            [_, len, rest @ ..] => from(rest, usize::from(*len))?,
            _ => return Err(Not::Here),
        };
    };
    match u16::from_be_bytes([k0, k1]) {
        1 => link::ethernet(inner),
        0x12 => link::wifi(inner),
        0x77 => link::ip(119, inner),
        0x7f => link::ip(163, inner),
        _ => Err(Not::Inside("TZSP of another kind than Ethernet and 802.11")),
    }
}

/// L2TP in UDP: version 2 carries PPP (RFC 2661, 3.1), version 3 a pseudowire (RFC 3931, 4.1.2).
fn l2tp(data: &[u8]) -> Result<&[u8], Not> {
    let flags = number(data, 0)?;
    let has = |flag: u16| flags & flag != 0;
    match flags & 0x0f {
        _ if has(0x8000) => Err(Not::Here),
        2 => {
            let len = 6 + if has(0x4000) { 2 } else { 0 } + if has(0x0800) { 4 } else { 0 };
            let offset = if has(0x0200) { 2 + usize::from(number(data, len)?) } else { 0 };
            link::ppp_hdlc(from(data, len + offset)?)
        }
        3 => pseudowire(from(data, 8)?),
        _ => Err(Not::Here),
    }
}

/// What stands behind L2TPv3's session: a cookie and a sublayer of lengths that only both ends know, then a frame.
fn pseudowire(rest: &[u8]) -> Result<&[u8], Not> {
    let frame = |at: usize| link::ethernet(rest.get(at..)?).ok().filter(|inner| link::is_plausible(inner));
    let other = |at: usize| link::ppp_hdlc(rest.get(at..)?).ok().filter(|inner| link::is_plausible(inner));
    let bare = |at: usize| rest.get(at..).filter(|inner| link::is_plausible(inner));
    let places = [0, 4, 8, 12];
    let found = places.into_iter().find_map(frame).or_else(|| places.into_iter().find_map(other));
    found.or_else(|| places.into_iter().find_map(bare)).ok_or(Not::Here)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    const FRAME: [u8; 14] = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0x08, 0x00];

    fn outer(protocol: u8, payload: &[u8]) -> Ip<'_> {
        let end = IpAddr::from([10, 0, 0, 1]);
        let payload_len = payload.len() as u32;
        let (source, destination) = (end, end);
        Ip { source, destination, protocol, id: 0, ttl: 64, ecn_marked: false, fragment: None, payload, payload_len }
    }

    fn check(protocol: u8, header: &[u8], name: &str) {
        let payload = [header, &PACKET].concat();
        assert_eq!(inner(&outer(protocol, &payload)), Ok(PACKET.as_slice()), "{name}");
        for len in 0..payload.len() {
            let _cut_is_no_panic = inner(&outer(protocol, &payload[..len]));
        }
        let cut = inner(&outer(protocol, &payload[..header.len()]));
        assert!(cut.is_err(), "{name} without a packet in it");
    }

    fn udp(port: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
        [&[0xc0, 0][..], &port.to_be_bytes(), &[0; 4], header, inner].concat()
    }

    #[test]
    fn tunnels_inside_of_ip() {
        check(IPV4, &[], "IP in IP");
        check(IPV6, &[], "IPv6 in IPv4");
        check(GRE, &[0, 0, 0x08, 0], "GRE");
        check(GRE, &[0xb0, 0, 0x08, 0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], "GRE with all fields");
        check(GRE, &[&[0, 0, 0x65, 0x58][..], &FRAME].concat(), "GRE with a frame");
        check(GRE, &[&[0x20, 0, 0x65, 0x58, 0, 0, 9, 1][..], &FRAME].concat(), "NVGRE");
        check(GRE, &[&[0, 0, 0x88, 0xbe][..], &FRAME].concat(), "ERSPAN I");
        check(GRE, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1][..], &[0x10; 8], &FRAME].concat(), "ERSPAN II");
        check(GRE, &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1][..], &[0x20; 11], &[0], &FRAME].concat(), "ERSPAN III");
        let platform = [&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1][..], &[0; 11], &[1], &[0; 8], &FRAME].concat();
        check(GRE, &platform, "ERSPAN III with a subheader");
        check(GRE, &[0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21], "PPTP");
        check(ETHER_IP, &[&[0x30, 0][..], &FRAME].concat(), "EtherIP");
        check(MPLS, &[0, 1, 1, 64], "MPLS in IP");
        for more in [0, 4, 8, 12] {
            check(L2TP, &[&[0, 0, 0, 9][..], &vec![3; more], &FRAME].concat(), "L2TPv3");
        }
    }

    #[test]
    fn tunnels_inside_of_udp() {
        check(UDP, &udp(4789, &[8, 0, 0, 0, 0, 0, 5, 0], &FRAME), "VXLAN");
        check(UDP, &udp(4790, &[0x0c, 0, 0, 1, 0, 0, 5, 0], &[]), "VXLAN-GPE");
        check(UDP, &udp(4790, &[0x0c, 0, 0, 3, 0, 0, 5, 0], &FRAME), "VXLAN-GPE with a frame");
        check(UDP, &udp(4790, &[0x0c, 0, 0, 4, 0, 0, 5, 0], &[0, 2, 2, 1, 0, 0, 0, 1]), "VXLAN-GPE with NSH");
        check(UDP, &udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 5, 0], &FRAME), "GENEVE");
        check(UDP, &udp(6081, &[1, 0, 0x08, 0, 0, 0, 5, 0, 9, 9, 9, 9], &[]), "GENEVE with an option");
        check(UDP, &udp(2152, &[0x30, 255, 0, 20, 0, 0, 0, 1], &[]), "GTP-U");
        check(UDP, &udp(2152, &[0x34, 255, 0, 28, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &[]), "GTP-U, extended");
        check(UDP, &udp(37008, &[1, 0, 0, 1, 0, 10, 1, 9, 1], &FRAME), "TZSP");
        check(UDP, &udp(6635, &[0, 1, 1, 64], &[]), "MPLS in UDP");
        check(UDP, &udp(1701, &[0x40, 2, 0, 40, 0, 1, 0, 1, 0xff, 3, 0, 0x21], &[]), "L2TP");
        check(UDP, &udp(1701, &[0, 3, 0, 0, 0, 0, 0, 9], &FRAME), "L2TPv3 in UDP");
        check(UDP, &udp(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &[]), "Teredo");
        check(UDP, &udp(4341, &[0x80, 0, 0, 1, 0, 0, 0, 1], &[]), "LISP");
    }

    #[test]
    fn what_is_sealed_is_named() {
        assert_eq!(inner(&outer(ESP, &[7; 40])), Err(Not::Inside("encrypted by IPsec (ESP)")));
        let nat = udp(4500, &[0, 0, 0, 9], &[7; 40]);
        assert_eq!(inner(&outer(UDP, &nat)), Err(Not::Inside("encrypted by IPsec (ESP in UDP)")));
        assert_eq!(inner(&outer(UDP, &udp(4500, &[0; 4], &[7; 40]))), Err(Not::Here), "IKE");
        assert_eq!(inner(&outer(UDP, &udp(443, &[8; 8], &[7; 40]))), Err(Not::Here), "QUIC");
    }
}
