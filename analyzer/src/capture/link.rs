//! Link headers: from what an interface captured to the IP packet in it.
//!
//! Link types as tcpdump.org numbers them: Ethernet, with VLAN tags and PPPoE in it, raw IP, loopback, Linux cooked.

/// Tags and sessions that are taken off at most: nobody stacks more, and rubbish must end.
const MAX_NESTED: usize = 8;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The IP packet in a captured frame; `None` where there is none, or nothing is known of the link type.
pub fn ip(link: u16, frame: &[u8]) -> Option<&[u8]> {
    match link {
        // LINKTYPE_NULL and LINKTYPE_LOOP: the address family, four bytes in either order.
        0 | 108 => raw(frame.get(4..)?),
        // LINKTYPE_ETHERNET
        1 => payload(number(frame, 12)?, frame.get(14..)?),
        // LINKTYPE_PPP, with or without address and control.
        9 => ppp(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame)),
        // DLT_RAW as some systems number it, LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6.
        12 | 14 | 101 | 228 | 229 => raw(frame),
        // LINKTYPE_PPP_ETHER
        51 => pppoe(frame),
        // LINKTYPE_LINUX_SLL
        113 => payload(number(frame, 14)?, frame.get(16..)?),
        // LINKTYPE_LINUX_SLL2
        276 => payload(number(frame, 0)?, frame.get(20..)?),
        _ => None,
    }
}

/// Takes off what stands between an EtherType and the IP packet.
fn payload(mut kind: u16, mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_NESTED {
        match kind {
            IPV4 | IPV6 => return raw(rest),
            // 802.1Q, 802.1ad, and the old QinQ numbers: tag, then the next EtherType.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => (kind, rest) = (number(rest, 2)?, rest.get(4..)?),
            // PPPoE session.
            0x8864 => return pppoe(rest),
            // 802.3 with LLC and SNAP: aa aa 03, three bytes of organization, EtherType.
            0..=1500 if rest.starts_with(&[0xaa, 0xaa, 0x03]) => (kind, rest) = (number(rest, 6)?, rest.get(8..)?),
            _ => return None,
        }
    }
    None
}

/// RFC 2516: version and type, code 0 for session data, session, length.
fn pppoe(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [0x11, 0x00, _, _, _, _, inner @ ..] => ppp(inner),
        _ => None,
    }
}

/// RFC 1332 and RFC 5072: 0021 is IPv4, 0057 is IPv6; the protocol field may be compressed to one byte.
fn ppp(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [0x00, 0x21 | 0x57, inner @ ..] | [0x21 | 0x57, inner @ ..] => raw(inner),
        _ => None,
    }
}

/// What says of itself that it is IP.
fn raw(packet: &[u8]) -> Option<&[u8]> {
    matches!(packet.first()? >> 4, 4 | 6).then_some(packet)
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: [u8; 12] = [2; 12];

    fn check(link: u16, header: &[u8]) {
        let packet = [0x45, 1, 2, 3];
        let frame = [header, &packet].concat();
        assert_eq!(ip(link, &frame), Some(packet.as_slice()), "link type {link}");
        for len in 0..header.len() {
            assert_eq!(ip(link, &frame[..len]), None, "link type {link} cut to {len}");
        }
    }

    #[test]
    fn every_link_type() {
        let ethernet = |rest: &[u8]| [&MACS, rest].concat();
        check(0, &[2, 0, 0, 0]);
        check(108, &[0, 0, 0, 2]);
        check(1, &ethernet(&[0x08, 0x00]));
        check(1, &ethernet(&[0x81, 0x00, 0, 7, 0x08, 0x00]));
        check(1, &ethernet(&[0x88, 0xa8, 0, 7, 0x81, 0x00, 0, 9, 0x86, 0xdd]));
        check(1, &ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0x00, 0x21]));
        check(1, &ethernet(&[0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]));
        check(9, &[0xff, 0x03, 0x00, 0x21]);
        for link in [12, 14, 101, 228, 229] {
            check(link, &[]);
        }
        let mut cooked = [0; 16];
        cooked[14] = 0x08;
        check(113, &cooked);
        let mut cooked = [0; 20];
        cooked[0] = 0x08;
        check(276, &cooked);
    }

    #[test]
    fn what_is_not_ip_is_nothing() {
        assert_eq!(ip(1, &[&MACS[..], &[0x08, 0x06, 0, 1]].concat()), None, "ARP");
        assert_eq!(ip(147, &[0x45]), None, "an unknown link type");
        assert_eq!(ip(1, &[&MACS[..], &[0x81, 0x00, 0, 0].repeat(30)].concat()), None, "endless tags");
    }
}
