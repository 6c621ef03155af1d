//! Link headers: from what an interface captured to the IP packet in it. What stands inside IP is [`super::tunnel`]'s.
//!
//! Link types as tcpdump.org numbers them. Whoever finds no IP says why: none is there, or it is not read here.

use super::link_names;
use crate::count::either;

/// Tags, labels and headers that are taken off at most: nobody stacks more, and rubbish must end.
const MAX_NESTED: usize = 8;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
const ARP: u16 = 0x0806;
/// How an LLC header with SNAP begins (IEEE 802.2): both SAPs are SNAP's, unnumbered information.
const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
/// RFC 1662: all stations, unnumbered information.
const PPP_HEAD: [u8; 2] = [0xff, 0x03];

/// Why there is no IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Not {
    /// There is none: ARP, management, what is cut.
    Here,
    /// The link type is not read here.
    Link(u16),
    /// There may be one, inside of this, which is not read here.
    Inside(&'static str),
}

impl Not {
    /// As a notice says it behind a count of packets.
    pub fn says(self, count: u64) -> String {
        match self {
            Not::Here => format!("{} no IP", either(count, "holds", "hold")),
            Not::Link(link) => {
                let name = link_names::name(link).map_or(String::new(), |name| format!(" ({name})"));
                format!("{} link type {link}{name}, which is not read here", either(count, "has", "have"))
            }
            Not::Inside(name) => format!("{} {name}: what stands inside is not read here", either(count, "is", "are")),
        }
    }
}

/// The IP packet in a captured frame.
///
/// # Errors
/// Where there is none, or nothing is known of what it stands in.
pub fn ip(link: u16, frame: &[u8]) -> Result<&[u8], Not> {
    match link {
        // LINKTYPE_ETHERNET, and the most of all captures.
        1 => ethernet(frame),
        // PPI and PKTAP say of which link type the frame is that follows them.
        192 => match of_host(frame, 4, frame.get(2..4), frame)? {
            (inner, rest) if !is_wrapper(inner) => by_link(inner, rest),
            _ => Err(Not::Here),
        },
        // LINKTYPE_PKTAP, and its number before it had one (DLT_USER2).
        149 | 258 => match of_host(frame, 8, frame.get(0..2), frame) {
            Ok((inner, rest)) if !is_wrapper(inner) => by_link(inner, rest),
            _ if link == 149 => Err(Not::Link(link)),
            _ => Err(Not::Here),
        },
        _ => by_link(link, frame),
    }
}

/// Bytes of headers before the inner part of a packet.
pub fn before(outer: &[u8], inner: &[u8]) -> u32 {
    u32::try_from(outer.len() - inner.len()).unwrap_or(0)
}

fn is_wrapper(link: u16) -> bool {
    matches!(link, 149 | 192 | 258)
}

/// The link type at this place, and what stands behind the header of so many bytes; both are little-endian.
fn of_host<'a>(header: &[u8], at: usize, len: Option<&[u8]>, frame: &'a [u8]) -> Result<(u16, &'a [u8]), Not> {
    let two = |bytes: Option<&[u8]>| bytes.and_then(|bytes| bytes.first_chunk()).map(|two| u16::from_le_bytes(*two));
    let (link, len) = two(header.get(at..)).zip(two(len)).ok_or(Not::Here)?;
    if usize::from(len) < at + 4 { Err(Not::Here) } else { Ok((link, from(frame, len.into())?)) }
}

fn by_link(link: u16, frame: &[u8]) -> Result<&[u8], Not> {
    match link {
        // LINKTYPE_NULL and LINKTYPE_LOOP: the address family, four bytes in either order.
        0 | 108 => raw(from(frame, 4)?),
        1 => ethernet(frame),
        // LINKTYPE_PPP, LINKTYPE_PPP_HDLC: with or without address and control; or Cisco's own framing.
        9 | 50 => ppp_hdlc(frame),
        // LINKTYPE_FDDI: frame control, addresses.
        10 => llc(from(frame, 13)?),
        // DLT_RAW as some systems number it, LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6.
        12 | 14 | 101 | 228 | 229 => raw(frame),
        // LINKTYPE_PPP_ETHER
        51 => pppoe(frame),
        // LINKTYPE_ATM_RFC1483
        100 => llc(frame),
        // LINKTYPE_C_HDLC: address, control, EtherType.
        104 => payload(number(frame, 2)?, from(frame, 4)?),
        105 => wifi(frame),
        107 => frame_relay(frame),
        // LINKTYPE_ENC, of OpenBSD's IPsec: family, SPI, flags.
        109 => raw(from(frame, 12)?),
        // LINKTYPE_LINUX_SLL
        113 => payload(number(frame, 14)?, from(frame, 16)?),
        // LINKTYPE_PFLOG: its length counts no padding.
        117 => raw(from(frame, usize::from(byte(frame, 0)?).next_multiple_of(4))?),
        // LINKTYPE_IEEE802_11_PRISM: fixed, or an AVS header, which has a magic number.
        119 if frame.starts_with(&[0x80, 0x21, 0x10]) => avs(frame),
        119 => wifi(from(frame, 144)?),
        163 => avs(frame),
        // LINKTYPE_IEEE802_11_RADIOTAP: version, padding, length.
        127 => wifi(from(frame, number(frame, 2)?.swap_bytes().into())?),
        // LINKTYPE_APPLE_IP_OVER_IEEE1394
        138 => payload(number(frame, 16)?, from(frame, 18)?),
        // LINKTYPE_PPP_PPPD and LINKTYPE_PPP_WITH_DIR: a byte says the direction.
        166 | 204 => ppp_hdlc(from(frame, 1)?),
        239 => nflog(frame),
        // LINKTYPE_ETHERNET_MPACKET: preamble.
        274 => ethernet(from(frame, 8)?),
        // LINKTYPE_LINUX_SLL2
        276 => payload(number(frame, 0)?, from(frame, 20)?),
        // LINKTYPE_DSA_TAG_BRCM and LINKTYPE_DSA_TAG_DSA: four bytes behind the addresses.
        281 | 284 => payload(number(frame, 16)?, from(frame, 18)?),
        // LINKTYPE_DSA_TAG_BRCM_PREPEND
        282 => ethernet(from(frame, 4)?),
        // LINKTYPE_DSA_TAG_EDSA: the same with an EtherType before it.
        285 => payload(number(frame, 20)?, from(frame, 22)?),
        other => Err(Not::Link(other)),
    }
}

/// An Ethernet frame, from its addresses on.
pub(super) fn ethernet(frame: &[u8]) -> Result<&[u8], Not> {
    payload(number(frame, 12)?, from(frame, 14)?)
}

/// Takes off what stands between an EtherType and the IP packet.
pub(super) fn payload(mut kind: u16, mut rest: &[u8]) -> Result<&[u8], Not> {
    for _ in 0..MAX_NESTED {
        (kind, rest) = match kind {
            IPV4 | IPV6 => return raw(rest),
            ARP => return Err(Not::Here),
            // 802.1Q, 802.1ad, and the old QinQ numbers: tag, then the next EtherType.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => (number(rest, 2)?, from(rest, 4)?),
            // PPPoE session.
            0x8864 => return pppoe(rest),
            // PBB (IEEE 802.1ah): the service's number, then the customer's frame. Transparent Ethernet Bridging.
            0x88e7 => (number(rest, 16)?, from(rest, 18)?),
            0x6558 => (number(rest, 12)?, from(rest, 14)?),
            MPLS | 0x8848 => match labels(rest)? {
                inner if is_ip(inner) => return Ok(inner),
                // A pseudowire, with a control word (RFC 4448, 4.6) or without.
                inner if byte(inner, 0)? >> 4 == 0 && number(inner, 16).is_ok_and(is_known) => {
                    (number(inner, 16)?, from(inner, 18)?)
                }
                inner => (number(inner, 12)?, from(inner, 14)?),
            },
            // Cisco metadata: version, length, options of four bytes.
            0x8909 => {
                let options = usize::from(byte(rest, 1)?) * 4;
                (number(rest, 2 + options)?, from(rest, 4 + options)?)
            }
            // VN-Tag (802.1BR); HSR (IEC 62439-3).
            0x8926 | 0x892f => (number(rest, 4)?, from(rest, 6)?),
            0x88e5 => macsec(rest)?,
            0x894f => service_chain(rest)?,
            // Marvell's tag of a switch's port with an EtherType before it.
            0xdada => (number(rest, 6)?, from(rest, 8)?),
            0x22f3 => return Err(Not::Inside("TRILL")),
            0x88bb => return Err(Not::Inside("LWAPP")),
            // 802.3 with LLC and SNAP: aa aa 03, three bytes of organization, EtherType. Jumbo frames have 8870 there, and what
            // offload has joined a length that is none.
            _ if rest.starts_with(&SNAP) => (number(rest, 6)?, from(rest, 8)?),
            // The same tag without: nothing but what follows tells it.
            _ if number(rest, 2).is_ok_and(is_known)
                && (number(rest, 2)? == 0x8100 || is_plausible(from(rest, 4)?)) =>
            {
                (number(rest, 2)?, from(rest, 4)?)
            }
            _ => return Err(Not::Here),
        };
    }
    Err(Not::Inside("more than 8 tags or headers, one in the other"))
}

/// What can stand behind a header that is only guessed.
fn is_known(kind: u16) -> bool {
    matches!(kind, IPV4 | IPV6 | 0x8100)
}

/// Labels up to the last of the stack (RFC 3032, 2.1).
fn labels(mut rest: &[u8]) -> Result<&[u8], Not> {
    for _ in 0..MAX_NESTED {
        let is_last = byte(rest, 2)? & 1 == 1;
        rest = from(rest, 4)?;
        if is_last {
            return Ok(rest);
        }
    }
    Err(Not::Here)
}

/// IEEE 802.1AE: what is only signed can be read.
fn macsec(rest: &[u8]) -> Result<(u16, &[u8]), Not> {
    let control = byte(rest, 0)?;
    if control & 0x0c != 0 {
        return Err(Not::Inside("encrypted by MACsec"));
    }
    let len = if control & 0x20 != 0 { 14 } else { 6 };
    Ok((number(rest, len)?, from(rest, len + 2)?))
}

/// A Network Service Header (RFC 8300, 2.2): its length in words, and what follows it.
pub(super) fn service_chain(rest: &[u8]) -> Result<(u16, &[u8]), Not> {
    let inner = from(rest, usize::from(byte(rest, 1)? & 0x3f) * 4)?;
    generic(byte(rest, 3)?, inner)
}

/// What NSH and VXLAN-GPE number in the same way (RFC 8300, 2.2).
pub(super) fn generic(next: u8, inner: &[u8]) -> Result<(u16, &[u8]), Not> {
    match next {
        1 => Ok((IPV4, inner)),
        2 => Ok((IPV6, inner)),
        3 => Ok((0x6558, inner)),
        4 => Ok((0x894f, inner)),
        5 => Ok((MPLS, inner)),
        _ => Err(Not::Here),
    }
}

/// A frame of 802.11 (IEEE 802.11, 9.2). The flag that it is protected stays set where a driver has opened it.
pub(super) fn wifi(frame: &[u8]) -> Result<&[u8], Not> {
    let (control, flags) = (byte(frame, 0)?, byte(frame, 1)?);
    // Of type data, and not one of those without any.
    if control & 0x0c != 0x08 || control & 0x40 != 0 {
        return Err(Not::Here);
    }
    let (is_qos, is_protected) = (control & 0x80 != 0, flags & 0x40 != 0);
    let addresses = if flags & 0x03 == 0x03 { 30 } else { 24 };
    let qos = match (is_qos, flags & 0x80 != 0) {
        (false, _) => 0,
        (true, false) => 2,
        (true, true) => 6,
    };
    let is_aggregate = is_qos && byte(frame, addresses)? & 0x80 != 0;
    let rest = from(frame, addresses + qos)?;
    // Some drivers pad the header to four bytes, some leave the eight of the cipher.
    let begins = |at: usize| rest.get(at..).filter(|rest| rest.starts_with(&SNAP));
    match [0, 2, 8].into_iter().find_map(begins) {
        Some(found) => llc(found),
        None if is_aggregate => Err(Not::Inside("aggregated 802.11 frames (A-MSDU)")),
        None if is_protected => Err(Not::Inside("encrypted 802.11 frames")),
        None => Err(Not::Here),
    }
}

fn avs(frame: &[u8]) -> Result<&[u8], Not> {
    wifi(from(frame, number(frame, 6)?.into())?)
}

fn llc(rest: &[u8]) -> Result<&[u8], Not> {
    if rest.starts_with(&SNAP) { payload(number(rest, 6)?, from(rest, 8)?) } else { Err(Not::Here) }
}

/// RFC 2427: address, control, then what follows by its NLPID; Cisco's own has an EtherType there.
fn frame_relay(frame: &[u8]) -> Result<&[u8], Not> {
    // The last byte of the address has its lowest bit set: two to four bytes.
    let len = frame.iter().take(4).position(|byte| byte & 1 == 1).ok_or(Not::Here)? + 1;
    match from(frame, len)? {
        [0x03, 0xcc | 0x8e, inner @ ..] => raw(inner),
        [0x03, 0x00, 0x80, 0x00, 0x80, 0xc2, _, 0x01 | 0x07, inner @ ..] => ethernet(inner),
        [0x03, 0x00, 0x80, 0, 0, 0, kind @ ..] | [0x03, 0x80, 0, 0, 0, kind @ ..] => {
            payload(number(kind, 0)?, from(kind, 2)?)
        }
        [0x03, 0x00, 0xcf, inner @ ..] | [0x03, 0xcf, inner @ ..] => ppp(inner),
        rest => payload(number(rest, 0)?, from(rest, 2)?),
    }
}

/// Netfilter's log: attributes in the byte order of the host that made it; the ninth kind is the packet.
fn nflog(frame: &[u8]) -> Result<&[u8], Not> {
    attribute(frame, u16::from_le_bytes).or_else(|_| attribute(frame, u16::from_be_bytes))
}

fn attribute(frame: &[u8], order: fn([u8; 2]) -> u16) -> Result<&[u8], Not> {
    let mut rest = from(frame, 4)?;
    while let [l0, l1, k0, k1, ..] = *rest {
        let len = usize::from(order([l0, l1]));
        match order([k0, k1]) & 0x7fff {
            9 if len >= 4 => return raw(rest.get(4..len).or(rest.get(4..)).unwrap_or_default()),
            _ if len >= 4 => rest = from(rest, len.next_multiple_of(4))?,
            _ => return Err(Not::Here),
        }
    }
    Err(Not::Here)
}

/// RFC 2516: version and type, code 0 for session data, session, length.
fn pppoe(rest: &[u8]) -> Result<&[u8], Not> {
    match rest {
        [0x11, 0x00, _, _, _, _, inner @ ..] => ppp(inner),
        _ => Err(Not::Here),
    }
}

/// PPP in HDLC's framing (RFC 1662), or Cisco's: 0f or 8f, 00, EtherType.
pub(super) fn ppp_hdlc(frame: &[u8]) -> Result<&[u8], Not> {
    match frame {
        [0x0f | 0x8f, 0x00, kind @ ..] => payload(number(kind, 0)?, from(kind, 2)?),
        _ => ppp(frame.strip_prefix(&PPP_HEAD).unwrap_or(frame)),
    }
}

/// RFC 1332 and RFC 5072: 0021 is IPv4, 0057 is IPv6, RFC 3032: 0281 is MPLS; the protocol field may be compressed to one byte.
fn ppp(rest: &[u8]) -> Result<&[u8], Not> {
    match rest {
        [0x00, 0x21 | 0x57, inner @ ..] | [0x21 | 0x57, inner @ ..] => raw(inner),
        [0x02, 0x81, inner @ ..] => payload(MPLS, inner),
        [0x00, 0x53, ..] => Err(Not::Inside("encrypted by PPP")),
        [0x00, 0xfd, ..] => Err(Not::Inside("compressed by PPP")),
        _ => Err(Not::Here),
    }
}

/// What says of itself that it is IP.
pub(super) fn raw(packet: &[u8]) -> Result<&[u8], Not> {
    if is_ip(packet) { Ok(packet) } else { Err(Not::Here) }
}

fn is_ip(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| matches!(first >> 4, 4 | 6))
}

/// Whether the first bytes are an IP header, where nothing before them says so.
pub(super) fn is_plausible(packet: &[u8]) -> bool {
    match packet {
        [first, _, l0, l1, _, _, _, _, ttl, protocol, ..] if first >> 4 == 4 => {
            let (header, total) = (u16::from(first & 0x0f) * 4, u16::from_be_bytes([*l0, *l1]));
            header >= 20 && (total == 0 || total >= header) && *ttl > 0 && matches!(protocol, 1 | 4 | 6 | 17 | 41 | 47)
        }
        [first, _, _, _, _, _, next, hops, ..] if first >> 4 == 6 => {
            *hops > 0 && matches!(next, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 58 | 60)
        }
        _ => false,
    }
}

pub(super) fn from(bytes: &[u8], at: usize) -> Result<&[u8], Not> {
    bytes.get(at..).ok_or(Not::Here)
}

pub(super) fn byte(bytes: &[u8], at: usize) -> Result<u8, Not> {
    bytes.get(at).copied().ok_or(Not::Here)
}

pub(super) fn number(bytes: &[u8], at: usize) -> Result<u16, Not> {
    let two = bytes.get(at..).and_then(|bytes| bytes.first_chunk()).ok_or(Not::Here)?;
    Ok(u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: [u8; 12] = [2; 12];

    fn check(link: u16, header: &[u8]) {
        let packet = [0x45, 1, 0, 20, 0, 0, 0, 0, 64, 6];
        let frame = [header, &packet].concat();
        assert_eq!(ip(link, &frame), Ok(packet.as_slice()), "link type {link}");
        for len in 0..header.len() {
            assert!(ip(link, &frame[..len]).is_err(), "link type {link} cut to {len}");
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
    fn link_types_of_serial_lines_firewalls_and_switches() {
        check(50, &[0xff, 0x03, 0x00, 0x57]);
        check(50, &[0x0f, 0x00, 0x08, 0x00]);
        check(104, &[0x8f, 0x00, 0x86, 0xdd]);
        check(107, &[0x18, 0x41, 0x03, 0xcc]);
        check(107, &[0x18, 0x41, 0x08, 0x00]);
        check(107, &[0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 0x08, 0x00]);
        check(109, &[2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        check(117, &[&[61][..], &[0; 63]].concat());
        check(239, &[2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 0, 0, 14, 0, 9, 0]);
        check(239, &[2, 0, 0, 0, 0, 8, 0, 1, 8, 0, 0, 0, 0, 14, 0, 9]);
        check(258, &[&[108, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0][..], &[0; 96]].concat());
        check(284, &[&MACS[..], &[0x40, 0, 0, 0, 0x08, 0x00]].concat());
        check(285, &[&MACS[..], &[0xda, 0xda, 0, 0, 0x40, 0, 0, 0, 0x08, 0x00]].concat());
    }

    #[test]
    fn headers_inside_of_ethernet() {
        let ethernet = |rest: &[u8]| [&MACS, rest].concat();
        check(1, &ethernet(&[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]));
        check(1, &[&ethernet(&[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0])[..], &MACS, &[0x08, 0x00]].concat());
        check(1, &[&ethernet(&[0x88, 0xe7, 0, 0, 0, 9])[..], &MACS, &[0x08, 0x00]].concat());
        check(1, &ethernet(&[0x89, 0x09, 1, 1, 0, 1, 0, 9, 0x08, 0x00]));
        check(1, &ethernet(&[0x88, 0xe5, 0x20, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x08, 0x00]));
        let tagged = [&ethernet(&[0x40, 0, 0, 0, 0x08, 0x00])[..], &[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6]].concat();
        assert!(ip(1, &tagged).is_ok(), "a switch's tag without an EtherType");
    }

    #[test]
    fn wireless_frames() {
        let frame = |control: [u8; 2], more: &[u8]| {
            [&control[..], &[0; 22], more, &[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]].concat()
        };
        check(105, &frame([0x08, 0x02], &[]));
        check(105, &frame([0x08, 0x42], &[]));
        check(105, &frame([0x88, 0x41], &[0, 0]));
        check(105, &frame([0x88, 0x03], &[0; 8]));
        check(105, &frame([0x08, 0x42], &[0, 0, 0, 0x20, 0, 0, 0, 0]));
        check(127, &[&[0, 0, 8, 0, 0, 0, 0, 0][..], &frame([0x08, 0x02], &[])].concat());
        check(192, &[&[0, 0, 8, 0, 105, 0, 0, 0][..], &frame([0x08, 0x02], &[])].concat());
        let sealed = [&[0x08, 0x42][..], &[0; 22], &[7; 40]].concat();
        assert_eq!(ip(105, &sealed), Err(Not::Inside("encrypted 802.11 frames")));
        assert_eq!(ip(105, &[0x80; 64]), Err(Not::Here), "a beacon");
    }

    #[test]
    fn what_is_not_ip_says_why() {
        assert_eq!(ip(1, &[&MACS[..], &[0x08, 0x06, 0, 1, 8, 0, 6, 4]].concat()), Err(Not::Here), "ARP");
        assert_eq!(ip(147, &[0x45]), Err(Not::Link(147)), "an unknown link type");
        assert_eq!(Not::Link(189).says(2), "have link type 189 (USB_LINUX), which is not read here");
        assert!(ip(1, &[&MACS[..], &[0x81, 0x00, 0, 0].repeat(30)].concat()).is_err(), "endless tags");
        let nested = [0, 0, 8, 0, 192, 0, 0, 0].repeat(30);
        assert_eq!(ip(192, &nested), Err(Not::Here), "a header that holds itself");
    }
}
