//! Every form in which people have a capture: each is made here from a golden recording's leg, and must say what the bare leg
//! says. Link types stand with what precedes the IP packet in them; tunnels with what stands between the outer packet and the
//! inner one; the forms of pcap and pcapng with how a packet is stored.

use serde_json::Value;

use crate::scoreboard;
use crate::stored::{Packet, leg, said};
use crate::support::process::Folder;
use crate::support::program::analyze;

/// A healthy session, a refused one, one that broke.
const CAPTURES: [&str; 3] = ["healthy-tls12", "hybrid-required", "alert-70"];
const ETHERNET: u16 = 1;
/// Destination and source of a frame.
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const IP: [u8; 2] = [0x08, 0x00];
const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00];

/// What a captured frame is made of: the IP packet in it.
type Wrap = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A name, the link type, and how a frame is made of an IP packet.
type Form = (&'static str, u16, Wrap);

/// One that puts the same bytes before each packet.
fn before(name: &'static str, link: u16, header: &[u8]) -> Form {
    let header = header.to_vec();
    (name, link, Box::new(move |ip| [&header[..], ip].concat()))
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn ethernet(rest: &[u8]) -> Vec<u8> {
    join(&[&MACS, rest])
}

/// A frame with the IP packet in it.
fn frame(ip: &[u8]) -> Vec<u8> {
    join(&[&MACS, &IP, ip])
}

/// An outer packet of IPv4, without Ethernet.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let [high, low] = total.to_be_bytes();
    join(&[&[0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2], payload])
}

fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    join(&[&[0x60, 0, 0, 0, high, low, protocol, 64], &[0xfd; 16], &[0xfe; 16], payload])
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len()) as u16;
    ipv4(17, &join(&[&[0xc0, 0], &port.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload]))
}

/// One whose tunnel's header stands behind an outer IP header of this protocol, and holds the IP packet or a frame with it.
fn tunnel(name: &'static str, protocol: u8, header: &[u8], holds: fn(&[u8]) -> Vec<u8>) -> Form {
    let header = header.to_vec();
    let wrap = move |ip: &[u8]| join(&[&MACS, &IP, &ipv4(protocol, &join(&[&header, &holds(ip)]))]);
    (name, ETHERNET, Box::new(wrap))
}

fn datagram(name: &'static str, port: u16, header: &[u8], holds: fn(&[u8]) -> Vec<u8>) -> Form {
    let header = header.to_vec();
    (name, ETHERNET, Box::new(move |ip| join(&[&MACS, &IP, &udp(port, &join(&[&header, &holds(ip)]))])))
}

fn bare(ip: &[u8]) -> Vec<u8> {
    ip.to_vec()
}

fn links() -> Vec<Form> {
    let wifi = |control: [u8; 2], more: &[u8]| join(&[&control, &[0; 22], more, &SNAP]);
    let data = wifi([0x08, 0x02], &[]);
    let pktap = |link: u8| join(&[&[108, 0, 0, 0, 1, 0, 0, 0, link, 0, 0, 0], &[0; 96]]);
    vec![
        before("raw IP", 101, &[]),
        before("raw IP as BSD numbers it", 12, &[]),
        before("raw IP as OpenBSD numbers it", 14, &[]),
        before("IPv4", 228, &[]),
        before("Ethernet", 1, &frame(&[])),
        before("loopback of BSD", 0, &[2, 0, 0, 0]),
        before("loopback of OpenBSD", 108, &[0, 0, 0, 2]),
        before("Linux cooked", 113, &join(&[&[0, 0, 0, 1, 0, 6], &[2; 6], &[0, 0], &IP])),
        before("Linux cooked 2", 276, &join(&[&IP, &[0; 18]])),
        before("PPP", 9, &[0xff, 3, 0, 0x21]),
        before("PPP without address", 9, &[0, 0x21]),
        before("PPP compressed", 9, &[0x21]),
        before("PPP in HDLC", 50, &[0xff, 3, 0, 0x21]),
        before("PPP serial with Cisco's framing", 50, &[0x0f, 0, 8, 0]),
        before("PPP of pppd", 166, &[0, 0xff, 3, 0, 0x21]),
        before("PPP with a direction", 204, &[1, 0xff, 3, 0, 0x21]),
        before("PPPoE", 51, &[0x11, 0, 0, 1, 0, 0, 0, 0x21]),
        before("Cisco HDLC", 104, &[0x0f, 0, 8, 0]),
        before("Frame Relay", 107, &[0x18, 0x41, 3, 0xcc]),
        before("Frame Relay with SNAP", 107, &[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0]),
        before("Frame Relay of Cisco", 107, &[0x18, 0x41, 8, 0]),
        before("ATM", 100, &SNAP),
        before("FDDI", 10, &join(&[&[0x50], &MACS, &SNAP])),
        before("802.11", 105, &data),
        before("802.11 with a stale Protected flag", 105, &wifi([0x08, 0x42], &[])),
        before("802.11 with what a cipher leaves", 105, &wifi([0x08, 0x42], &[0, 0, 0, 0x20, 0, 0, 0, 0])),
        before("802.11 with QoS", 105, &wifi([0x88, 0x02], &[0, 0])),
        before("802.11 with QoS and HT control", 105, &wifi([0x88, 0x82], &[0; 6])),
        before("802.11 with four addresses", 105, &wifi([0x08, 0x03], &[0; 6])),
        before("radiotap", 127, &join(&[&[0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0], &data])),
        before("Prism", 119, &join(&[&[0; 144], &data])),
        before("AVS", 163, &join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &data])),
        before("PPI with 802.11", 192, &join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &data])),
        before("PPI with Ethernet", 192, &join(&[&[0, 0, 8, 0, 1, 0, 0, 0], &frame(&[])])),
        before("PKTAP with Ethernet", 258, &join(&[&pktap(1), &frame(&[])])),
        before("PKTAP with raw IP", 258, &pktap(12)),
        before("PKTAP before it had a number", 149, &join(&[&pktap(1), &frame(&[])])),
        ("NFLOG", 239, Box::new(|ip| join(&[&[2, 0, 0, 0], &(4 + ip.len() as u16).to_le_bytes(), &[9, 0], ip]))),
        (
            "NFLOG, big-endian",
            239,
            Box::new(|ip| join(&[&[2, 0, 0, 0], &(4 + ip.len() as u16).to_be_bytes(), &[0, 9], ip])),
        ),
        before("PFLOG", 117, &join(&[&[61, 2], &[0; 62]])),
        before("ENC", 109, &[2, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]),
        before("Apple IP over IEEE 1394", 138, &join(&[&[0; 16], &IP])),
        before("Ethernet with a preamble", 274, &join(&[&[0x55; 8], &frame(&[])])),
        before("DSA", 284, &ethernet(&join(&[&[0x40, 0, 0, 0], &IP]))),
        before("EDSA", 285, &ethernet(&join(&[&[0xda, 0xda, 0, 0, 0x40, 0, 0, 0], &IP]))),
        before("Broadcom's tag", 281, &ethernet(&join(&[&[0x20, 0, 0, 1], &IP]))),
        before("Broadcom's tag in front", 282, &join(&[&[0x20, 0, 0, 1], &frame(&[])])),
    ]
}

fn inside_ethernet() -> Vec<Form> {
    let in_ethernet = |name, rest: &[u8]| before(name, ETHERNET, &ethernet(rest));
    let vlan = [0x81, 0, 0, 5];
    vec![
        in_ethernet("VLAN", &join(&[&vlan, &IP])),
        in_ethernet("four VLANs", &join(&[&vlan, &vlan, &vlan, &vlan, &IP])),
        in_ethernet("802.1ad", &join(&[&[0x88, 0xa8, 0, 7], &vlan, &IP])),
        in_ethernet("PPPoE in Ethernet", &[0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21]),
        in_ethernet("MPLS", &[0x88, 0x47, 0, 1, 1, 64]),
        in_ethernet("two labels of MPLS", &[0x88, 0x47, 0, 1, 0, 64, 0, 1, 1, 64]),
        in_ethernet("a pseudowire of MPLS", &join(&[&[0x88, 0x47, 0, 1, 1, 64], &frame(&[])])),
        in_ethernet("a pseudowire with a control word", &join(&[&[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0], &frame(&[])])),
        in_ethernet("PBB", &join(&[&[0x88, 0xe7, 0, 0, 0, 9], &frame(&[])])),
        in_ethernet("PBB behind a VLAN", &join(&[&[0x88, 0xa8, 0, 7, 0x88, 0xe7, 0, 0, 0, 9], &frame(&[])])),
        in_ethernet("Cisco metadata", &join(&[&[0x89, 0x09, 1, 1, 0, 1, 0, 9], &IP])),
        in_ethernet("VN-Tag", &join(&[&[0x89, 0x26, 0, 0, 0, 0], &IP])),
        in_ethernet("HSR", &join(&[&[0x89, 0x2f, 0, 0, 0, 0], &IP])),
        in_ethernet("MACsec that only signs", &join(&[&[0x88, 0xe5, 0, 0, 0, 0, 0, 1], &IP])),
        in_ethernet("NSH", &[0x89, 0x4f, 0, 2, 2, 1, 0, 0, 0, 1]),
        in_ethernet("DSA without its link type", &join(&[&[0x40, 0, 0, 0], &IP])),
        // What is larger stands in EtherType's range: offload shows packets that no such frame could hold.
        ("LLC and SNAP", ETHERNET, Box::new(|ip| join(&[&MACS, &(8 + ip.len() as u16).to_be_bytes(), &SNAP, ip]))),
        in_ethernet("LLC and SNAP in a jumbo frame", &join(&[&[0x88, 0x70], &SNAP])),
    ]
}

fn tunnels() -> Vec<Form> {
    let over_ipv6 = |name, protocol| -> Form {
        (name, ETHERNET, Box::new(move |ip| join(&[&MACS, &[0x86, 0xdd], &ipv6(protocol, ip)])))
    };
    vec![
        tunnel("IP in IP", 4, &[], bare),
        over_ipv6("4in6", 4),
        ("6in4 with 4in6 in it", ETHERNET, Box::new(|ip| join(&[&MACS, &IP, &ipv4(41, &ipv6(4, ip))]))),
        tunnel("GRE", 47, &[0, 0, 8, 0], bare),
        tunnel("GRE with key, sum and number", 47, &[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], bare),
        tunnel("GRE-TEB", 47, &[0, 0, 0x65, 0x58], frame),
        tunnel("NVGRE", 47, &[0x20, 0, 0x65, 0x58, 0, 0, 5, 1], frame),
        tunnel("MPLS in GRE", 47, &[0, 0, 0x88, 0x47, 0, 1, 1, 64], bare),
        tunnel("ERSPAN I", 47, &[0, 0, 0x88, 0xbe], frame),
        tunnel("ERSPAN II", 47, &join(&[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &[0x10; 8]]), frame),
        tunnel("ERSPAN III", 47, &join(&[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0x20; 10], &[0; 2]]), frame),
        tunnel("ERSPAN III, longer", 47, &join(&[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0; 11], &[1], &[0; 8]]), frame),
        tunnel("PPTP", 47, &[0x30, 1, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21], bare),
        tunnel("EtherIP", 97, &[0x30, 0], frame),
        tunnel("MPLS in IP", 137, &[0, 1, 1, 64], bare),
        tunnel("L2TPv3", 115, &[0, 0, 0, 9], frame),
        tunnel("L2TPv3 with a cookie", 115, &[0, 0, 0, 9, 3, 3, 3, 3], frame),
        tunnel("L2TPv3 with a long one and a sublayer", 115, &join(&[&[0, 0, 0, 9], &[3; 12]]), frame),
        datagram("L2TPv3 in UDP", 1701, &[0, 3, 0, 0, 0, 0, 0, 9], frame),
        datagram("L2TP", 1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21], bare),
        datagram("VXLAN", 4789, &[8, 0, 0, 0, 0, 0, 5, 0], frame),
        datagram("VXLAN at Linux' old port", 8472, &[8, 0, 0, 0, 0, 0, 5, 0], frame),
        datagram("VXLAN-GPE", 4790, &[0x0c, 0, 0, 1, 0, 0, 5, 0], bare),
        datagram("VXLAN-GPE with a frame", 4790, &[0x0c, 0, 0, 3, 0, 0, 5, 0], frame),
        datagram("VXLAN-GPE with NSH", 4790, &[0x0c, 0, 0, 4, 0, 0, 5, 0, 0, 2, 2, 1, 0, 0, 0, 1], bare),
        datagram("GENEVE", 6081, &[0, 0, 0x65, 0x58, 0, 0, 5, 0], frame),
        datagram("GENEVE with an option and IP", 6081, &[1, 0, 8, 0, 0, 0, 5, 0, 9, 9, 9, 9], bare),
        datagram("GTP-U", 2152, &[0x30, 255, 0, 0, 0, 0, 0, 1], bare),
        datagram("GTP-U of 5G", 2152, &[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], bare),
        datagram("TZSP", 37008, &[1, 0, 0, 1, 10, 1, 9, 1], frame),
        datagram("MPLS in UDP", 6635, &[0, 1, 1, 64], bare),
        datagram("LISP", 4341, &[0x80, 0, 0, 1, 0, 0, 0, 1], bare),
        (
            "VXLAN in GRE in IP in IP",
            ETHERNET,
            Box::new(|ip| {
                let vxlan = udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 5, 0], &frame(ip)]));
                join(&[&MACS, &IP, &ipv4(4, &ipv4(47, &join(&[&[0, 0, 8, 0], &vxlan])))])
            }),
        ),
    ]
}

/// How a block is written: of a byte order.
fn word(number: u32, big: bool) -> [u8; 4] {
    if big { number.to_be_bytes() } else { number.to_le_bytes() }
}

fn half(number: u16, big: bool) -> [u8; 2] {
    if big { number.to_be_bytes() } else { number.to_le_bytes() }
}

fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
    let body = join(&[body, &vec![0; body.len().next_multiple_of(4) - body.len()]]);
    let len = word(body.len() as u32 + 12, big);
    join(&[&word(kind, big), &len, &body, &len])
}

/// A section with one interface that counts nanoseconds.
fn section(link: u16, big: bool) -> Vec<u8> {
    let header = join(&[&word(0x1a2b_3c4d, big), &half(1, big), &half(0, big), &[0xff; 8]]);
    let resolution = join(&[&half(9, big), &half(1, big), &[9, 0, 0, 0], &[0; 4]]);
    let interface = join(&[&half(link, big), &[0; 2], &word(0, big), &resolution]);
    join(&[&block(0x0a0d_0d0a, &header, big), &block(1, &interface, big)])
}

fn pcapng(link: u16, packets: &[(u64, Vec<u8>)], big: bool, is_obsolete: bool) -> Vec<u8> {
    let mut file = section(link, big);
    for (at, data) in packets {
        let which = if is_obsolete { vec![0; 4] } else { word(0, big).to_vec() };
        let len = word(data.len() as u32, big);
        let time = [word((at >> 32) as u32, big), word(*at as u32, big)].concat();
        file.extend(block(if is_obsolete { 2 } else { 6 }, &join(&[&which, &time, &len, &len, data]), big));
    }
    file
}

fn pcap(link: u16, packets: &[(u64, Vec<u8>)], big: bool) -> Vec<u8> {
    let head = [&half(2, big)[..], &half(4, big)].concat();
    let mut file = join(&[&word(0xa1b2_3c4d, big), &head, &[0; 8], &word(1 << 18, big), &word(link.into(), big)]);
    for (at, data) in packets {
        let (seconds, rest) = ((at / 1_000_000_000) as u32, (at % 1_000_000_000) as u32);
        let len = word(data.len() as u32, big);
        file.extend(join(&[&word(seconds, big), &word(rest, big), &len, &len, data]));
    }
    file
}

fn of_bytes(file: &[u8]) -> Told {
    let folder = Folder::new().expect("a folder");
    let path = folder.path().join("capture.pcap");
    std::fs::write(&path, file).expect("a file");
    let (code, document) = analyze(&[path]).expect("it is read");
    (code, said(&document))
}

fn wrapped(packets: &[Packet], wrap: &Wrap) -> Vec<(u64, Vec<u8>)> {
    packets.iter().map(|packet| (packet.at, wrap(&packet.data))).collect()
}

/// How a packet can be stored, in a file of Ethernet frames.
type Store = fn(&[(u64, Vec<u8>)]) -> Vec<u8>;

/// Forms of pcap and pcapng.
const FILES: &[(&str, Store)] = &[
    ("pcap", |packets| pcap(ETHERNET, packets, false)),
    ("pcap, big-endian", |packets| pcap(ETHERNET, packets, true)),
    ("pcap, modified by Kuznetzov", kuznetzov),
    ("pcapng", |packets| pcapng(ETHERNET, packets, false, false)),
    ("pcapng, big-endian", |packets| pcapng(ETHERNET, packets, true, false)),
    ("pcapng, Packet Blocks", |packets| pcapng(ETHERNET, packets, false, true)),
    ("pcapng, Packet Blocks, big-endian", |packets| pcapng(ETHERNET, packets, true, true)),
    ("pcapng, an offset of the times", with_offset),
    ("pcapng, an interface for each direction", of_two_interfaces),
    ("pcapng, a section for each packet", |packets| {
        packets.chunks(1).flat_map(|one| pcapng(ETHERNET, one, false, false)).collect()
    }),
    ("pcapng, sections of both byte orders", |packets| {
        let (first, rest) = packets.split_at(packets.len() / 2);
        [pcapng(ETHERNET, first, true, false), pcapng(ETHERNET, rest, false, false)].concat()
    }),
    ("pcapng, an empty section before it", |packets| {
        [section(ETHERNET, false), pcapng(ETHERNET, packets, false, false)].concat()
    }),
];

/// As pcap, with eight bytes more before each packet: interface, protocol, direction.
fn kuznetzov(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let head = [0xa1b2_cd34_u32, 0x0004_0002, 0, 0, 1 << 18, ETHERNET.into()];
    let mut file = head.map(u32::to_le_bytes).concat();
    for (at, data) in packets {
        let (seconds, rest, len) = (at / 1_000_000_000, at % 1_000_000_000 / 1000, data.len() as u32);
        file.extend([seconds as u32, rest as u32, len, len, 1, 0].map(u32::to_le_bytes).concat());
        file.extend(data);
    }
    file
}

/// Times count from a second that the interface names (`if_tsoffset`).
fn with_offset(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let from = packets[0].0 / 1_000_000_000 - 7;
    let header = [&word(0x1a2b_3c4d, false)[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let options = join(&[&[9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0], &from.to_le_bytes(), &[0; 4]]);
    let interface = join(&[&half(ETHERNET, false), &[0; 2], &word(0, false), &options]);
    let mut file = join(&[&block(0x0a0d_0d0a, &header, false), &block(1, &interface, false)]);
    packets.iter().for_each(|(at, data)| file.extend(enhanced(0, at - from * 1_000_000_000, data)));
    file
}

/// What the client sends on one interface, what the server sends on another, as some taps store it.
fn of_two_interfaces(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let own = section(ETHERNET, false);
    // The section's interface, once more.
    let mut file = [&own[..], &own[28..]].concat();
    for (at, data) in packets {
        let ports = [data[34..36].to_vec(), data[36..38].to_vec()];
        file.extend(enhanced(u32::from(ports[0] > ports[1]), *at, data));
    }
    file
}

fn enhanced(interface: u32, at: u64, data: &[u8]) -> Vec<u8> {
    let len = data.len() as u32;
    let head = [interface, (at >> 32) as u32, at as u32, len, len].map(u32::to_le_bytes).concat();
    block(6, &join(&[&head, data]), false)
}

/// What became of one form, of as many captures as there are.
#[derive(Default)]
struct Row {
    read: usize,
    same: usize,
}

impl Row {
    fn take(&mut self, found: &Told, bare: &Told) {
        self.read += usize::from(found.1["attempts"].as_array().map(Vec::len) == Some(1));
        self.same += usize::from(found == bare);
    }

    fn line(&self, form: &str, stored: &str) -> String {
        let of = |count: usize| {
            if count == CAPTURES.len() { "yes".into() } else { format!("{count} of {}", CAPTURES.len()) }
        };
        format!("| {form} | {stored} | {} | {} |\n", of(self.read), of(self.same))
    }
}

/// Exit code and document.
type Told = (Option<i32>, Value);

/// The bare captures, packet by packet, and what is said of each.
fn bare_captures() -> Vec<(Vec<Packet>, Told)> {
    let captures = CAPTURES.iter().map(|name| {
        let packets = leg(name, 1);
        let said = of_bytes(&pcap(101, &wrapped(&packets, &(Box::new(bare) as Wrap)), false));
        assert_eq!(said.1["attempts"].as_array().map(Vec::len), Some(1), "{name}");
        (packets, said)
    });
    captures.collect()
}

#[test]
fn every_encapsulation_says_what_the_bare_capture_says() {
    let captures = bare_captures();
    let mut table = String::from("| form | stored as | read | same JSON |\n|---|---|---|---|\n");
    let mut rows = 0;
    let mut add = |line: String| {
        table += &line;
        rows += 1;
    };
    for (form, link, wrap) in links().into_iter().chain(inside_ethernet()).chain(tunnels()) {
        let mut row = Row::default();
        for (packets, said) in &captures {
            row.take(&of_bytes(&pcap(link, &wrapped(packets, &wrap), false)), said);
        }
        add(row.line(form, &format!("link type {link}")));
    }
    for (form, store) in FILES {
        let mut row = Row::default();
        for (packets, _) in &captures {
            // Some forms count microseconds: so do all of them here.
            let plain: Vec<_> = packets.iter().map(|one| (one.at / 1000 * 1000, frame(&one.data))).collect();
            row.take(&of_bytes(&store(&plain)), &of_bytes(&pcap(ETHERNET, &plain, false)));
        }
        add(row.line(form, "a file of Ethernet frames"));
    }
    assert!(rows >= 80, "{rows} rows");
    let wrong: Vec<&str> = table.lines().skip(2).filter(|line| !line.ends_with("| yes | yes |")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scoreboard::stands_in("recordings.md", "encapsulations", &table).unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// A mirror port that sees both sides of a tunnel's end shows each packet twice.
#[test]
fn a_connection_seen_inside_and_outside_of_a_tunnel_is_one() {
    for name in CAPTURES {
        let packets = leg(name, 1);
        let expected = of_bytes(&pcap(1, &wrapped(&packets, &(Box::new(frame) as Wrap)), false)).1;
        for (form, link, wrap) in tunnels() {
            for after in [0, 30_000] {
                let twice =
                    packets.iter().flat_map(|one| [(one.at, frame(&one.data)), (one.at + after, wrap(&one.data))]);
                let mut twice: Vec<_> = twice.collect();
                twice.sort_by_key(|(at, _)| *at);
                let found = of_bytes(&pcap(link, &twice, false)).1;
                let told = |document: &Value| {
                    let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
                    let of = |one: &Value| (one["outcome"].clone(), one["sessions"].as_array().map(Vec::len));
                    attempts.iter().map(of).collect::<Vec<_>>()
                };
                assert_eq!(told(&found), told(&expected), "{name}: {form}, {after} ns later");
            }
        }
    }
}

/// Fragments of an IPv4 packet that is too long for a link: of so many the first ones.
fn first_fragments(ip: &[u8], count: usize) -> Vec<Vec<u8>> {
    let parts = ip[20..].chunks(16).zip(0_u16..).take(count);
    let fragment = |(part, place): (&[u8], u16)| {
        let mut fragment = join(&[&ip[..20], part]);
        let len = fragment.len() as u16;
        fragment[2..4].copy_from_slice(&len.to_be_bytes());
        fragment[6..8].copy_from_slice(&(0x2000 | (place * 2)).to_be_bytes());
        fragment
    };
    parts.map(fragment).collect()
}

/// What stands in the packets, how they are wrapped, and what the notice says behind their count.
#[test]
fn what_is_not_read_is_named_and_is_no_success() {
    let packets = leg("hybrid-required", 1);
    let wifi = |control: [u8; 2], rest: &[u8]| join(&[&control, &[0; 22], rest]);
    let in_ethernet = |name, rest: &[u8]| before(name, ETHERNET, &ethernet(rest));
    let cases = [
        (before("USB", 189, &[0; 64]), "have link type 189 (USB_LINUX), which is not read here"),
        (before("a number that nobody has", 65_000, &[]), "have link type 65000, which is not read here"),
        (before("Bluetooth", 187, &[0; 4]), "have link type 187"),
        (before("CAN", 227, &[0; 16]), "have link type 227"),
        (tunnel("IPsec", 50, &[7; 8], bare), "are encrypted by IPsec (ESP)"),
        (datagram("IPsec through NAT", 4500, &[7; 8], bare), "are encrypted by IPsec (ESP in UDP)"),
        (datagram("WireGuard", 51820, &[4, 0, 0, 0], bare), "are encrypted by WireGuard"),
        (datagram("CAPWAP", 5247, &[0; 8], bare), "are CAPWAP"),
        (tunnel("routed GRE", 47, &[0x40, 0, 8, 0, 0, 0, 0, 0], bare), "are GRE with routing information"),
        (in_ethernet("encrypted MACsec", &[0x88, 0xe5, 0x0c, 0, 0, 0, 0, 1]), "are encrypted by MACsec"),
        (in_ethernet("TRILL", &[0x22, 0xf3, 0, 0, 0, 1, 0, 2]), "are TRILL"),
        (in_ethernet("LWAPP", &[0x88, 0xbb, 0, 0]), "are LWAPP"),
        (in_ethernet("tags", &[0x81, 0, 0, 5].repeat(12)), "are more than 8 tags or headers, one in the other"),
        (before("encrypted PPP", 9, &[0xff, 3, 0, 0x53]), "are encrypted by PPP"),
        (before("compressed PPP", 9, &[0xff, 3, 0, 0xfd]), "are compressed by PPP"),
        (before("sealed 802.11", 105, &wifi([0x08, 0x42], &[7; 16])), "are encrypted 802.11 frames"),
        (
            before(
                "sealed 802.11 with QoS in radiotap",
                127,
                &join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wifi([0x88, 0x42], &[0, 0, 7, 7, 7, 7])]),
            ),
            "are encrypted 802.11 frames",
        ),
        (
            before("A-MSDU", 105, &wifi([0x88, 0x02], &[0x80, 0, 2, 2, 2, 2, 2, 2, 2, 2])),
            "are aggregated 802.11 frames (A-MSDU)",
        ),
    ];
    for ((form, link, wrap), says) in &cases {
        let (code, document) = of_bytes(&pcap(*link, &wrapped(&packets, wrap), false));
        let notices = document["notices"].to_string();
        let says = format!("{} packets {says}", packets.len());
        assert!(code == Some(2) && notices.contains(&says), "{form}: {code:?} {notices}");
    }
    // Tunnels end somewhere.
    let mut packet = packets[0].data.clone();
    for _ in 0..12 {
        packet = ipv4(4, &packet);
    }
    let (code, document) = of_bytes(&pcap(101, &[(1, packet)], false));
    assert!(code == Some(2) && document["notices"].to_string().contains("more than 8 deep"), "{document}");
}

/// What is neither IP nor anything that could hold it is counted as well: nobody may take it for an empty network.
#[test]
fn what_holds_no_ip_is_counted() {
    let arp = join(&[&[0xff; 6], &MACS[6..], &[0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1], &[0; 20]]);
    let beacon = join(&[&[0x80, 0], &[0; 40]]);
    for (link, frame) in [(ETHERNET, arp), (105, beacon)] {
        let packets: Vec<_> = (0..5).map(|at| (at, frame.clone())).collect();
        let (code, document) = of_bytes(&pcap(link, &packets, false));
        let notices = document["notices"].to_string();
        assert!(
            code == Some(0) && notices.contains("no RDP found") && notices.contains("5 packets hold no IP"),
            "{notices}"
        );
    }
    let packets = wrapped(&leg("hybrid-required", 1), &(Box::new(frame) as Wrap));
    let (_, document) = of_bytes(&pcap(ETHERNET, &packets, false));
    assert!(!document["notices"].to_string().contains("hold no IP"), "{document}");
}

#[test]
fn fragments_that_never_become_whole_are_counted() {
    let packets = leg("healthy-tls12", 1);
    let long: Vec<_> = packets.iter().filter(|one| one.data.len() > 400).take(3).collect();
    let numbered = long.iter().zip(1..).map(|(one, id)| {
        let mut data = one.data.clone();
        data[5] = id;
        (one.at, data)
    });
    let fragments = numbered.flat_map(|(at, data)| first_fragments(&data, 3).into_iter().map(move |part| (at, part)));
    let (_, document) = of_bytes(&pcap(101, &fragments.collect::<Vec<_>>(), false));
    let notices = document["notices"].to_string();
    assert!(notices.contains("3 fragmented packets are incomplete"), "{notices}");
}
