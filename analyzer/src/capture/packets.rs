//! Reads anybody's capture: TCP segments, what a network says of them, and what domain controllers answer by UDP, in the
//! order of their times, and of the file where those are equal.
//!
//! Frames are numbered from 1 as other readers do, by their place in the file. Fragments are put together. Packets that the capture cut are
//! noticed, and the notice says how to capture again.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::file::{Item, Packet};
use super::fragments::Fragments;
use super::ip::{self, Ip};
use super::link::{self, Not};
use super::order::{Held, Order, Queue, Turn};
use super::segment::{self, Datagram, Icmp, Segment};
use super::tunnel;
use crate::count::{counted, either};
use crate::time::Timestamp;

/// Where domain controllers listen (RFC 4120, 7.2.1): of no other datagrams anything is said.
const KERBEROS: u16 = 88;
/// What Windows' pktmon keeps of each packet unless told otherwise, bytes.
const PKTMON_DEFAULT: usize = 128;
/// Tunnels that are followed, one in the other: nobody stacks more, and rubbish must end.
const MAX_TUNNELS: usize = 8;
/// Kinds of packets that are not read and are counted each; of the others only the packets are.
const MAX_KINDS: usize = 64;

/// Something that a packet says.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// When.
    pub at: Timestamp,
    /// Packet number in its file.
    pub frame: u64,
    /// On which interface, counted over all sections of the file.
    pub interface: u32,
    /// What.
    pub what: What<'a>,
}

/// What a packet can say.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// A segment of a TCP connection.
    Segment(Segment<'a>),
    /// The network says something of a segment.
    Icmp(Icmp),
    /// A domain controller answers by UDP.
    Datagram(Datagram<'a>),
}

/// What is known while reading a capture.
#[derive(Debug, Default)]
pub struct Decoder {
    links: Vec<u16>,
    /// Interfaces of the sections before this one.
    before: u32,
    frame: u64,
    fragments: Fragments,
    cuts: Cuts,
    unread: Unread,
    /// Packets without a time.
    untimed: u64,
    clock: Clock,
    queue: Queue,
}

/// A packet whose turn has come.
struct Taken<'a> {
    at: Timestamp,
    frame: u64,
    interface: u32,
    link: u16,
    data: &'a [u8],
    original_len: u32,
}

impl Taken<'_> {
    fn of(held: &Held) -> Taken<'_> {
        let Held { at, frame, interface, link, ref data, original_len, .. } = *held;
        Taken { at, frame, interface, link, data, original_len }
    }
}

/// Packets that the capture cut.
#[derive(Debug, Default)]
struct Cuts {
    /// Packets that were larger than [`PKTMON_DEFAULT`].
    large: u64,
    /// Those of which exactly so much was kept.
    pktmon: u64,
    /// Packets of which something is missing.
    all: u64,
    /// The most that is here of one of them, and of one that is whole, bytes.
    longest: [usize; 2],
}

/// Packets that may hold something, and are not read here.
#[derive(Debug, Default)]
struct Unread {
    kinds: BTreeMap<Not, u64>,
    /// Of kinds for which there was no room, or of an interface that the file does not describe.
    more: u64,
    /// IP packets that were read.
    read: u64,
    /// Packets that hold none.
    none: u64,
}

impl Unread {
    fn push(&mut self, not: Not) {
        let has_room = self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&not);
        match not {
            Not::Here => self.none += 1,
            _ if has_room => *self.kinds.entry(not).or_default() += 1,
            _ => self.more += 1,
        }
    }

    fn notices(&self) -> impl Iterator<Item = String> {
        let kinds = self.kinds.iter().map(|(not, count)| format!("{} {}", counted(*count, "packet"), not.says(*count)));
        let more = format!("{} of interfaces that the file does not describe", counted(self.more, "packet"));
        // Every network has some that hold no IP. Where nothing else is there, that is the answer.
        let none = (self.none > 0 && self.read == 0)
            .then(|| format!("{} {}", counted(self.none, "packet"), Not::Here.says(self.none)));
        kinds.chain((self.more > 0).then_some(more)).chain(none)
    }
}

impl Decoder {
    /// One that takes packets in this order, by times that go on where the clock went back.
    pub fn in_order(order: Order, clock: Clock) -> Decoder {
        Decoder { queue: Queue::new(order), clock, ..Decoder::default() }
    }

    /// Whether a packet was stored behind later ones, where that is an error.
    pub fn is_disordered(&self) -> bool {
        self.queue.is_broken()
    }

    /// Hands on what is still held: the file is over.
    pub fn finish(&mut self, each: &mut dyn FnMut(Heard<'_>)) {
        while let Some(held) = self.queue.last() {
            self.take(&Taken::of(&held), each);
        }
    }

    /// Takes one item of a file and hands on what it says of TCP.
    pub fn item(&mut self, item: &Item<'_>, each: &mut dyn FnMut(Heard<'_>)) {
        match item {
            Item::Section { .. } => {
                self.before = self.before.saturating_add(u32::try_from(self.links.len()).unwrap_or(0));
                self.links.clear();
            }
            Item::Interface { link, .. } => self.links.push(*link),
            Item::Packet(packet) => self.packet(packet, each),
            Item::Statistics { .. } | Item::Secrets(_) => {}
        }
    }

    /// Packets so far.
    pub fn frames(&self) -> u64 {
        self.frame
    }

    /// Whether there are packets, and none of them could be read.
    pub fn is_unread(&self) -> bool {
        self.unread.read == 0 && (self.unread.more > 0 || !self.unread.kinds.is_empty())
    }

    /// What whoever made the capture should know.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let Cuts { large, pktmon, all, longest: [cut, whole] } = self.cuts;
        if pktmon > 0 && pktmon * 2 >= large {
            notices.push(format!(
                "{pktmon} of {} {} cut to {PKTMON_DEFAULT} bytes, as pktmon does unless told otherwise; capture again \
                 with: pktmon start --capture --pkt-size 0, then pktmon stop, then pktmon etl2pcap PktMon.etl --out \
                 capture.pcapng",
                counted(large, "large packet"),
                either(pktmon, "is", "are")
            ));
        } else if all > 0 && whole > cut {
            notices.push(format!(
                "{all} of {} packets lack a part, and longer ones are whole: a shorter snap length on one interface does that, \
                 a tool that leaves off payload, and whoever writes a recording of rdpscope again as pcap (it stores once what \
                 passes twice: analyze the recording itself)",
                self.frame
            ));
        } else if all > 0 {
            notices.push(format!(
                "{all} of {} {} cut by the capture; capture again without a snap length (tcpdump -s 0)",
                counted(self.frame, "packet"),
                either(all, "is", "are")
            ));
        }
        notices.extend(self.unread.notices());
        if self.untimed > 0 && self.untimed == self.frame {
            let says =
                "no times in this capture (Simple Packet Blocks have none): how long anything took cannot be told";
            notices.push(says.to_owned());
        } else if self.untimed > 0 {
            notices.push(format!(
                "{} {} no time (Simple Packet Blocks have none), and {} taken to be as late as what stands before",
                counted(self.untimed, "packet"),
                either(self.untimed, "has", "have"),
                either(self.untimed, "is", "are")
            ));
        }
        if self.fragments.incomplete() > 0 {
            notices.push(format!(
                "{} {} incomplete",
                counted(self.fragments.incomplete(), "fragmented packet"),
                either(self.fragments.incomplete(), "is", "are")
            ));
        }
        notices
    }

    fn packet(&mut self, packet: &Packet<'_>, each: &mut dyn FnMut(Heard<'_>)) {
        self.frame += 1;
        self.cuts.count(packet);
        let is_untimed = packet.at == Timestamp::at(0);
        self.untimed += u64::from(is_untimed);
        let Some(link) = self.links.get(packet.interface as usize) else {
            self.unread.more += 1;
            return;
        };
        let Packet { data, original_len, .. } = *packet;
        let at = self.clock.time(self.frame, packet.at);
        // What has no time came no earlier than what stands before it.
        let at = if is_untimed { self.queue.newest() } else { at };
        let (frame, interface, link) = (self.frame, self.before.saturating_add(packet.interface), *link);
        match self.queue.turn(at) {
            Turn::Now => self.take(&Taken { at, frame, interface, link, data, original_len }, each),
            Turn::Later => {
                self.queue.hold(at, frame, interface, link, data, original_len);
                self.take_due(each);
            }
        }
    }

    /// Hands on what was held and has its turn. Apart from the usual way, which stays short.
    #[cold]
    fn take_due(&mut self, each: &mut dyn FnMut(Heard<'_>)) {
        while let Some(held) = self.queue.next() {
            self.take(&Taken::of(&held), each);
        }
    }

    #[inline]
    fn take(&mut self, packet: &Taken<'_>, each: &mut dyn FnMut(Heard<'_>)) {
        let Taken { at, frame, interface, link, data, original_len } = *packet;
        let bytes = match link::ip(link, data) {
            Ok(bytes) => bytes,
            Err(not) => return self.unread.push(not),
        };
        let len = original_len.saturating_sub(link::before(data, bytes));
        match self.ip(at, bytes, len, MAX_TUNNELS, &mut |what| each(Heard { at, frame, interface, what })) {
            Ok(()) => self.unread.read += 1,
            Err(not) => self.unread.push(not),
        }
    }

    /// Hears what an IP packet says that had so many bytes on the wire, or the one inside of it.
    fn ip(
        &mut self,
        at: Timestamp,
        packet: &[u8],
        len: u32,
        tunnels: usize,
        each: &mut dyn FnMut(What<'_>),
    ) -> Result<(), Not> {
        let Some(ip) = ip::read(packet, len) else { return Ok(()) };
        if ip.fragment.is_none() {
            return self.payload(at, &ip, tunnels, each);
        }
        let Some(whole) = self.fragments.push(at, &ip) else { return Ok(()) };
        let payload_len = u32::try_from(whole.len()).unwrap_or(0);
        self.payload(at, &Ip { fragment: None, payload: &whole, payload_len, ..ip }, tunnels, each)
    }

    fn payload(
        &mut self,
        at: Timestamp,
        ip: &Ip<'_>,
        tunnels: usize,
        each: &mut dyn FnMut(What<'_>),
    ) -> Result<(), Not> {
        if hear(ip, each) {
            return Ok(());
        }
        match tunnel::inner(ip) {
            Ok(_) if tunnels == 0 => Err(Not::Inside("tunnels in tunnels, more than 8 deep")),
            Ok(inner) => {
                self.ip(at, inner, ip.payload_len.saturating_sub(link::before(ip.payload, inner)), tunnels - 1, each)
            }
            Err(Not::Here) => Ok(()),
            Err(not) => Err(not),
        }
    }
}

/// Whether there was something to hear.
fn hear(ip: &Ip<'_>, each: &mut dyn FnMut(What<'_>)) -> bool {
    if let Some(segment) = segment::tcp(ip) {
        each(What::Segment(segment));
    } else if let Some(icmp) = segment::icmp(ip) {
        each(What::Icmp(icmp));
    } else if let Some(datagram) = segment::udp(ip, KERBEROS) {
        each(What::Datagram(datagram));
    } else {
        return false;
    }
    true
}

impl Cuts {
    fn count(&mut self, packet: &Packet<'_>) {
        let (kept, len) = (packet.data.len(), packet.original_len as usize);
        self.large += u64::from(len > PKTMON_DEFAULT);
        self.all += u64::from(len > kept);
        if let Some(longest) = self.longest.get_mut(usize::from(len <= kept)) {
            *longest = kept.max(*longest);
        }
        self.pktmon += u64::from(len > kept && kept == PKTMON_DEFAULT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(decoder: &mut Decoder, data: &[u8], original_len: u32) -> Vec<u32> {
        let mut lengths = Vec::new();
        let packet = Packet { interface: 0, at: Timestamp::at(7), data, original_len };
        decoder.item(&Item::Packet(packet), &mut |heard| {
            if let What::Segment(segment) = heard.what {
                lengths.push(segment.payload_len);
            }
        });
        lengths
    }

    /// An IPv4 packet with a TCP segment of so much payload, `total_len` as given.
    fn packet(total_len: u16, payload: usize) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 7, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet[2..4].copy_from_slice(&total_len.to_be_bytes());
        packet.extend([0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        packet.resize(40 + payload, 7);
        packet
    }

    fn decoder() -> Decoder {
        let mut decoder = Decoder::default();
        decoder.item(&Item::Section { comments: vec![] }, &mut |_| {});
        decoder.item(&Item::Interface { name: None, link: 101 }, &mut |_| {});
        decoder
    }

    #[test]
    fn lengths_are_those_of_the_wire() {
        let mut decoder = decoder();
        assert_eq!(feed(&mut decoder, &packet(50, 10), 50), [10]);
        assert_eq!(feed(&mut decoder, &packet(50, 16), 56), [10], "padding of the link layer");
        assert_eq!(feed(&mut decoder, &packet(0, 10), 50), [10], "offload leaves the length 0");
        assert_eq!(feed(&mut decoder, &packet(0, 10), 70_000), [69_960], "and may have more than IP can say");
        assert_eq!(feed(&mut decoder, &packet(1040, 10), 1040), [1000], "cut by the capture");
        assert_eq!(decoder.frames(), 5);
    }

    #[test]
    fn pktmon_is_told_from_other_snap_lengths() {
        let mut pktmon = decoder();
        feed(&mut pktmon, &packet(1040, 88), 1040);
        feed(&mut pktmon, &packet(40, 0), 40);
        assert!(pktmon.notices()[0].contains("--pkt-size 0"), "{:?}", pktmon.notices());
        let mut snapped = decoder();
        feed(&mut snapped, &packet(1040, 60), 1040);
        assert!(snapped.notices()[0].contains("snap length"), "{:?}", snapped.notices());
        let mut thinned = decoder();
        feed(&mut thinned, &packet(1040, 0), 1040);
        feed(&mut thinned, &packet(140, 100), 140);
        assert!(thinned.notices()[0].contains("longer ones are whole"), "{:?}", thinned.notices());
        let mut whole = decoder();
        feed(&mut whole, &packet(1040, 1000), 1040);
        assert!(whole.notices().is_empty());
    }

    /// A packet in tunnels of IP in IP, so many deep.
    fn nested(packet: &[u8], depth: usize) -> Vec<u8> {
        (0..depth).fold(packet.to_vec(), |inner, _| {
            let [high, low] = (20 + inner.len() as u16).to_be_bytes();
            let mut outer = vec![0x45, 0, high, low, 0, 7, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
            outer.extend(inner);
            outer
        })
    }

    /// The first part of a datagram whose rest never comes, of another one each time.
    fn first_part(id: u16) -> Vec<u8> {
        let mut part = packet(1020, 980);
        part[4..6].copy_from_slice(&id.to_be_bytes());
        part[6] = 0x20;
        part
    }

    #[test]
    fn memory_is_bounded_whatever_is_nested() {
        let mut decoder = decoder();
        for id in 0..20_000 {
            // A fragment in tunnels, and tunnels whose own packets are fragments, at each depth.
            let depth = usize::from(id) % 12;
            let bytes = match id % 2 {
                0 => nested(&first_part(id), depth),
                _ => nested(&first_part(id), depth / 2 + 1),
            };
            assert!(feed(&mut decoder, &bytes, bytes.len() as u32).is_empty());
        }
        assert!(decoder.fragments.waiting() <= 64 * 1000, "{}", decoder.fragments.waiting());
        let notices = decoder.notices().concat();
        assert!(
            notices.contains("more than 8 deep") && notices.contains("fragmented packets are incomplete"),
            "{notices}"
        );
        // What is in order is read all the same, and tunnels of the greatest depth are.
        let whole = nested(&packet(50, 10), MAX_TUNNELS);
        assert_eq!(feed(&mut decoder, &whole, whole.len() as u32), [10]);
    }

    /// Tunnels are put together from their fragments, one in the other: so are the packets in them.
    #[test]
    fn fragments_in_fragments_of_tunnels_are_read() {
        let halves = |packet: &[u8], id: u8| {
            let cut = 20 + (packet.len() - 20) / 2 / 8 * 8;
            let part = |bytes: &[u8], flags: u16| {
                let mut part = [&packet[..20], bytes].concat();
                let len = part.len() as u16;
                part[2..4].copy_from_slice(&len.to_be_bytes());
                part[5] = id;
                part[6..8].copy_from_slice(&flags.to_be_bytes());
                part
            };
            [part(&packet[20..cut], 0x2000), part(&packet[cut..], (cut as u16 - 20) / 8)]
        };
        let mut decoder = decoder();
        let mut heard = Vec::new();
        for (inner, id) in halves(&packet(240, 200), 1).iter().zip(2..) {
            for outer in halves(&nested(inner, 2), id) {
                heard.extend(feed(&mut decoder, &outer, outer.len() as u32));
            }
        }
        assert_eq!((heard, decoder.notices()), (vec![200], Vec::new()));
    }

    #[test]
    fn an_icmp_error_names_the_segment_that_it_quotes() {
        let quoted = packet(60, 0);
        let mut error = vec![0x45, 0, 0, 76, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1];
        error.extend([3, 1, 0, 0, 0, 0, 0, 0]);
        error.extend(&quoted[..28]);
        let mut heard = Vec::new();
        let packet = Packet { interface: 0, at: Timestamp::at(0), data: &error, original_len: 56 };
        decoder().item(&Item::Packet(packet), &mut |what| {
            if let What::Icmp(icmp) = what.what {
                heard.push(icmp);
            }
        });
        let [Icmp { source, destination, sequence: 1, kind: 3, code: 1, mtu: None, .. }] = heard[..] else {
            panic!("{heard:?}")
        };
        assert_eq!((source.to_string(), destination.to_string()), ("10.0.0.1:80".into(), "10.0.0.2:81".into()));
    }
}
