//! Packets of a TCP connection in tunnels, headers and tags, one in the other as an input decides; also in fragments.
//!
//! Of what is not damaged on purpose it is known what must be heard: the segment that was put in, once, as it was; and
//! where more tunnels are nested than are followed, nothing, and a notice that says so.

use analyzer::capture::file::{Item, Packet};
use analyzer::capture::packets::{Decoder, Heard, What};
use analyzer::time::Timestamp;

use super::decisions::Decisions;

/// Link types: all that are read, and some that are not.
const LINKS: [u16; 48] = [
    0, 1, 6, 9, 10, 12, 14, 50, 51, 99, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 127, 138, 143, 147, 149, 163,
    166, 187, 189, 192, 195, 204, 220, 228, 229, 239, 249, 251, 258, 264, 274, 276, 281, 282, 284, 285, 289, 65_000,
];
/// The most that IP can say of a packet's length, bytes; what is larger is put into no further header.
const LARGEST: usize = 60_000;
/// Tunnels that are followed, as `capture::packets` has them.
const FOLLOWED: usize = 8;
/// Tags in one frame that are followed for sure.
const TAGS: usize = 6;

/// Frames of any link type: whatever stands in them is heard, named or none, and what is heard was in the frame.
pub fn links(data: &[u8]) {
    let mut decisions = Decisions(data);
    let choice = u16::from_le_bytes([decisions.byte(), decisions.byte()]);
    let link = if choice & 0x8000 == 0 { LINKS[usize::from(choice) % LINKS.len()] } else { choice & 0x7fff };
    let mut decoder = decoder(link);
    let (mut frames, mut heard) = (0, 0);
    while !decisions.0.is_empty() {
        let frame = decisions.many();
        let cut = usize::from(decisions.byte() & 3) * 16;
        frames += 1;
        hear(&mut decoder, frames, frame, frame.len() + cut, &mut |what| {
            heard += 1;
            if let What::Segment(segment) = what.what {
                assert!(segment.payload.len() <= segment.payload_len as usize);
                assert_eq!(what.frame, frames);
            }
        });
    }
    decoder.finish(&mut |_| {});
    assert_eq!(decoder.frames(), frames);
    assert!(heard == 0 || !decoder.is_unread(), "what was heard was read");
    decoder.notices();
}

/// One packet of a connection, in whatever was put around it.
pub fn tunnels(data: &[u8]) {
    let mut decisions = Decisions(data);
    let may_damage = decisions.byte() & 1 == 1;
    let payload = decisions.some().to_vec();
    let mut nested = Nested { packet: segment(&payload), tunnels: 0 };
    for _ in 0..decisions.byte() & 15 {
        nested.wrap(&mut decisions);
    }
    let mut packets = match decisions.byte() & 3 {
        0 => fragments(&nested.packet, usize::from(decisions.byte()) * 8 + 8),
        _ => vec![nested.packet],
    };
    if decisions.byte() & 1 == 1 {
        packets.reverse();
    }
    if may_damage {
        damage(&mut packets, &mut decisions);
    }
    let mut decoder = decoder(101);
    let mut said = Vec::new();
    for (packet, number) in packets.iter().zip(1..) {
        hear(&mut decoder, number, packet, packet.len(), &mut |heard| {
            if let What::Segment(segment) = heard.what {
                assert!(segment.payload.len() <= segment.payload_len as usize);
                said.push(segment.payload.to_vec());
            }
        });
    }
    decoder.finish(&mut |_| {});
    let notices = decoder.notices().concat();
    if may_damage {
        return;
    }
    match nested.tunnels {
        0..=FOLLOWED => assert_eq!((said, notices), (vec![payload], String::new()), "{} tunnels", nested.tunnels),
        _ => assert!(said.is_empty() && notices.contains("more than 8 deep"), "{said:?} {notices}"),
    }
}

fn decoder(link: u16) -> Decoder {
    let mut decoder = Decoder::default();
    decoder.item(&Item::Section { comments: Vec::new() }, &mut |_| {});
    decoder.item(&Item::Interface { name: None, link }, &mut |_| {});
    decoder
}

fn hear(decoder: &mut Decoder, at: u64, data: &[u8], len: usize, each: &mut dyn FnMut(Heard<'_>)) {
    let packet = Packet { interface: 0, at: Timestamp::at(at), data, original_len: len as u32 };
    decoder.item(&Item::Packet(packet), each);
}

/// An IP packet, and how many tunnels it is.
struct Nested {
    packet: Vec<u8>,
    tunnels: usize,
}

impl Nested {
    /// Puts it into one more tunnel.
    fn wrap(&mut self, decisions: &mut Decisions<'_>) {
        if self.packet.len() > LARGEST {
            return;
        }
        self.tunnels += 1;
        let (kind, is_six) = (decisions.byte(), decisions.byte() & 1 == 1);
        let ip = std::mem::take(&mut self.packet);
        let v6 = ip[0] >> 4 == 6;
        let ether = if v6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let outer = |protocol: u8, parts: &[&[u8]]| {
            let payload = parts.concat();
            if is_six { ipv6(protocol, &payload) } else { ipv4(protocol, &payload) }
        };
        let udp = |port: u16, parts: &[&[u8]]| {
            let payload = parts.concat();
            let len = (8 + payload.len()) as u16;
            outer(17, &[&[0xc0, 0], &port.to_be_bytes(), &len.to_be_bytes(), &[0, 0], &payload])
        };
        let ppp = if v6 { [0xff, 3, 0, 0x57] } else { [0xff, 3, 0, 0x21] };
        self.packet = match kind % 17 {
            0 => outer(if v6 { 41 } else { 4 }, &[&ip]),
            1 => outer(47, &[&[0, 0], &ether, &ip]),
            2 => outer(47, &[&[0xb0, 0], &ether, &[0; 12], &ip]),
            3 => outer(47, &[&[0x20, 0, 0x65, 0x58, 0, 0, 5, 1], &frame(ether, &ip, decisions)]),
            4 => outer(47, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &[0x10; 8], &frame(ether, &ip, decisions)]),
            5 => outer(47, &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0; 12], &frame(ether, &ip, decisions)]),
            6 => outer(47, &[&[0x30, 1, 0x88, 0x0b], &[0; 8], &ppp, &ip]),
            7 => outer(97, &[&[0x30, 0], &frame(ether, &ip, decisions)]),
            8 => outer(137, &[&[0, 1, 1, 64], &ip]),
            9 => udp(4789, &[&[8, 0, 0, 0, 0, 0, 5, 0], &frame(ether, &ip, decisions)]),
            10 => udp(4790, &[&[0x0c, 0, 0, if v6 { 2 } else { 1 }, 0, 0, 5, 0], &ip]),
            11 => udp(6081, &[&[1, 0], &ether, &[0, 0, 5, 0, 9, 9, 9, 9], &ip]),
            12 => udp(6081, &[&[0, 0, 0x65, 0x58, 0, 0, 5, 0], &frame(ether, &ip, decisions)]),
            13 => udp(2152, &[&[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &ip]),
            14 => udp(37008, &[&[1, 0, 0, 1, 10, 1, 9, 1], &frame(ether, &ip, decisions)]),
            15 => udp(1701, &[&[0, 2, 0, 1, 0, 1], &ppp, &ip]),
            _ => udp(4341, &[&[0x80, 0, 0, 1, 0, 0, 0, 1], &ip]),
        };
    }
}

/// A frame of Ethernet with the packet behind some tags.
fn frame(ether: [u8; 2], ip: &[u8], decisions: &mut Decisions<'_>) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for _ in 0..usize::from(decisions.byte()) % TAGS {
        let tag: &[u8] = match decisions.byte() % 6 {
            0 => &[0x81, 0x00, 0, 5],
            1 => &[0x88, 0xa8, 0, 7],
            2 => &[0x89, 0x26, 0, 0, 0, 0],
            3 => &[0x89, 0x09, 1, 1, 0, 1, 0, 9],
            4 => &[0x88, 0xe5, 0, 0, 0, 0, 0, 1],
            _ => &[0x88, 0xe7, 0, 0, 0, 9, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
        };
        frame.extend(tag);
    }
    frame.extend(ether);
    frame.extend(ip);
    frame
}

/// A TCP segment of an RDP connection in IPv4.
fn segment(payload: &[u8]) -> Vec<u8> {
    let mut segment = [50_000_u16.to_be_bytes(), 3389_u16.to_be_bytes()].concat();
    segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ipv4(6, &segment)
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 7, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend(payload);
    packet
}

fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([protocol, 64]);
    packet.extend([0xfd; 16]);
    packet.extend([0xfe; 16]);
    packet.extend(payload);
    packet
}

/// An IPv4 packet in fragments of so many bytes; another one as it is.
fn fragments(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    // No reader keeps more parts than the smallest MTU needs.
    let size = size.max((packet.len() / 100).next_multiple_of(8));
    let (header, payload) = packet.split_at(20);
    if packet[0] >> 4 != 4 || payload.len() <= size {
        return vec![packet.to_vec()];
    }
    let mut fragments = Vec::new();
    for (part, place) in payload.chunks(size).zip(0..) {
        let at = place * size / 8;
        let more = if place * size + part.len() < payload.len() { 0x2000 } else { 0 };
        let mut fragment = header.to_vec();
        fragment[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        fragment[6..8].copy_from_slice(&(more | at as u16).to_be_bytes());
        fragment.extend(part);
        fragments.push(fragment);
    }
    fragments
}

/// Bytes that are others, a cut, a packet that comes twice or not at all.
fn damage(packets: &mut Vec<Vec<u8>>, decisions: &mut Decisions<'_>) {
    for _ in 0..1 + (decisions.byte() & 7) {
        let (how, place) = (decisions.byte(), decisions.word() as usize);
        if packets.is_empty() {
            return;
        }
        let which = place % packets.len();
        match how & 7 {
            0 => packets[which].truncate(place >> 8 & 0xffff),
            1 => packets[which].extend(decisions.some()),
            2 => drop(packets.remove(which)),
            3 if packets.len() < 300 => packets.push(packets[which].clone()),
            _ => {
                let at = (place >> 8) % packets[which].len().max(1);
                if let Some(byte) = packets[which].get_mut(at) {
                    *byte = decisions.byte();
                }
            }
        }
    }
}
