//! Writes what was seen of one session, or of several connections that belong together, as a pcapng file: the inverse of
//! `analyzer::capture::recording`.
//!
//! Every observation becomes one packet or one annotated Interface Statistics Block, in the order in which they come.
//! The packets are made up around what the sockets said, so that any other reader finds real addresses, correct
//! lengths, checksums, sequence and acknowledgement numbers, and FIN or RST from the side that sent it. Each connection
//! has a pair of interfaces, front and back; a further one's stand before what it says first. This module is the only one
//! that names pcap-file.

mod files;

use std::borrow::Cow;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use analyzer::capture::annotation::{self, Section};
use analyzer::observation::{Absence, Ending, Flow, Leg, Observation, Opening, Seen, Side};
use analyzer::time::Timestamp;
use bytes::Bytes;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{InterfaceStatisticsBlock, InterfaceStatisticsOption};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::blocks::unknown::UnknownBlock;
use pcap_file::{DataLink, Endianness};

pub(crate) use files::{Identity, Name, create_part, no_follow, on_disk, random, reopen, whole_blocks};
pub use files::{
    claim, create, create_folder, gap, is_further_part, not_file, open, open_file, part, parts, sweep, who_else_writes,
    with_parts,
};

/// Payload of one packet during the handshake, bytes: the usual Ethernet MSS.
const SEGMENT: usize = 1460;
/// Payload of one packet once the session is active, bytes: what segmentation offload shows in any capture.
const BULK_SEGMENT: usize = 16 * SEGMENT;
/// A made-up ACK is written after so many bytes of one side without an answer, so that no window ever fills.
const ACK_EVERY: u32 = 1 << 20;
/// Type of a Decryption Secrets Block.
pub(crate) const DECRYPTION_SECRETS: u32 = 0x0000_000a;
/// Its secrets type "TLSK": lines of a key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// Window scale of the made-up SYNs: with the window of 65535 below it, 8 MiB.
const WINDOW_SCALE: u8 = 7;

/// Writes one recording.
pub struct Recorder<W: Write> {
    writer: PcapNgWriter<W>,
    /// In the order in which they spoke first.
    connections: Vec<Connection>,
    frame: u64,
    /// Whether blank ends of packets are left off.
    redacted: bool,
}

/// One connection of a client, on its two legs.
#[derive(Default)]
struct Connection {
    /// What whoever makes the observations calls it; nothing before the first one spoke.
    session: Option<u32>,
    /// Front, back.
    legs: [Option<Conversation>; 2],
    /// Whether equal payload is stored once.
    bulk: bool,
    /// Whether no payload is stored any more.
    snapped: bool,
}

impl<W: Write> Recorder<W> {
    /// Starts a recording: section header and the first connection's interfaces.
    ///
    /// # Errors
    /// Where `out` does.
    pub fn new(out: W, section: &Section) -> io::Result<Recorder<W>> {
        let mut writer = PcapNgWriter::with_section_header(out, header(section)).map_err(io::Error::other)?;
        interfaces(&mut writer, 0)?;
        Ok(Recorder { writer, connections: vec![Connection::default()], frame: 0, redacted: section.redacted })
    }

    /// Goes on in another output, which the section says is a further part. What went before stands in the first. Where that
    /// is gone one day, this part says which connections stood at its beginning.
    ///
    /// # Errors
    /// Where one of them does.
    pub fn go_on(&mut self, at: Timestamp, out: W, section: &Section) -> io::Result<()> {
        self.flush()?;
        self.writer = PcapNgWriter::with_section_header(out, header(section)).map_err(io::Error::other)?;
        (0..self.connections.len()).try_for_each(|place| interfaces(&mut self.writer, place))?;
        for connection in 0..self.connections.len() {
            for leg in 0..2 {
                let place = Place { connection, leg };
                let standing = self.talk(place).as_ref().filter(|talk| talk.stands()).map(|talk| talk.ends);
                let joined = standing.map(|[client, server]| Seen::Opening(Opening::Joined { client, server }));
                if let Some(text) = joined.as_ref().and_then(annotation::encode) {
                    self.annotate(at, place.interface(), text, &[])?;
                }
            }
        }
        self.flush()
    }

    /// From now on equal payload of this connection is stored once: what the relay passes on is written as headers only.
    pub fn store_once(&mut self, session: u32) {
        if let Some(connection) = self.connections.iter_mut().find(|one| one.session == Some(session)) {
            connection.bulk = true;
        }
    }

    /// From now on no payload of this connection is stored: it is written as headers only.
    pub fn snap(&mut self, session: u32) {
        if let Some(connection) = self.connections.iter_mut().find(|one| one.session == Some(session)) {
            connection.snapped = true;
        }
    }

    /// The pieces in which `seen` is stored. The analyzer is given these, not the original, so that it says the same
    /// now and from the file.
    pub fn split(&self, flow: Flow, seen: Seen) -> Vec<Seen> {
        match seen {
            Seen::Bytes { from, data } => self.split_bytes(flow, from, &data),
            Seen::Missing { from, len, why: Absence::Mirrored } => {
                mirrored_lengths(len).map(|len| mirrored(from, len)).collect()
            }
            Seen::Opening(Opening::Dialing { client, server }) => vec![Seen::Opening(same_family(client, server))],
            other => vec![other],
        }
    }

    fn split_bytes(&self, flow: Flow, from: Side, data: &Bytes) -> Vec<Seen> {
        let connection = self.connections.iter().find(|one| one.session == Some(flow.session));
        let (bulk, snapped) = connection.map_or((false, false), |one| (one.bulk, one.snapped));
        let segment = if bulk || snapped { BULK_SEGMENT } else { SEGMENT };
        let why = match from == flow.leg.relay_side() {
            true => bulk.then_some(Absence::Mirrored),
            false => snapped.then_some(Absence::Snapped),
        };
        let starts = (0..data.len()).step_by(segment);
        let slices = starts.map(|start| data.slice(start..data.len().min(start + segment)));
        slices
            .map(|data| match why {
                Some(why) => Seen::Missing { from, len: data.len() as u64, why },
                None => Seen::Bytes { from, data },
            })
            .collect()
    }

    /// The frame number that `seen` will get: its packet's, or where no packet holds it the last one's.
    pub fn frame_of(&self, flow: Flow, seen: &Seen) -> u64 {
        let is_packet = annotated(flow, seen).is_none() && !matches!(seen, Seen::Secret(_));
        self.frame + u64::from(is_packet)
    }

    /// Writes one piece, with comments for people on its packet.
    ///
    /// # Errors
    /// Where the output does.
    pub fn write(&mut self, at: Timestamp, flow: Flow, piece: &Seen, comments: &[String]) -> io::Result<()> {
        let leg = self.place(flow)?;
        if let Some(text) = annotated(flow, piece) {
            self.join(leg, piece);
            self.skip(leg, piece);
            return self.annotate(at, leg.interface(), text, comments);
        }
        match piece {
            Seen::Opening(Opening::Dialing { client, server }) => {
                *self.talk(leg) = Some(Conversation::new(*client, *server));
                self.packet(at, leg, Side::Client, Flags::SYN, Payload::NONE, comments)
            }
            Seen::Opened => {
                self.talk(leg).iter_mut().for_each(|talk| talk.is_open = true);
                self.packet(at, leg, Side::Server, Flags::SYN | Flags::ACK, Payload::NONE, comments)?;
                self.packet(at, leg, Side::Client, Flags::ACK, Payload::NONE, &[])
            }
            Seen::Bytes { from, data } => {
                let here = if self.redacted { without_blank_end(data) } else { data };
                let payload = Payload { here, len: data.len() as u32, sum: sum_of(data) };
                self.payload(at, leg, *from, payload, comments)
            }
            Seen::Missing { from, len, .. } => {
                // Of a packet without its payload nobody can check the sum.
                let payload = Payload { here: &[], len: *len as u32, sum: 0 };
                self.payload(at, leg, *from, payload, comments)
            }
            Seen::Closed { from: Some(from), how: Ending::Fin } => {
                self.talk(leg).iter_mut().for_each(|talk| talk.said_fin[*from as usize] = true);
                self.packet(at, leg, *from, Flags::FIN | Flags::ACK, Payload::NONE, comments)?;
                self.packet(at, leg, from.other(), Flags::ACK, Payload::NONE, &[])
            }
            Seen::Closed { from, .. } => {
                let from = from.unwrap_or(Side::Server);
                self.talk(leg).iter_mut().for_each(|talk| talk.is_open = false);
                self.packet(at, leg, from, Flags::RST | Flags::ACK, Payload::NONE, comments)
            }
            Seen::Secret(log) => self.secrets(log),
            // INVARIANT: the other kinds have an annotation and were written above.
            Seen::Opening(_)
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_) => Ok(()),
        }
    }

    /// Writes what was read from a recording, and is a piece already.
    ///
    /// # Errors
    /// Where the output does.
    pub fn write_again(&mut self, observation: Observation) -> io::Result<()> {
        self.write(observation.at, observation.flow, &observation.seen, &[])
    }

    /// Where this flow is stored. A connection that has not spoken before gets its interfaces now.
    fn place(&mut self, flow: Flow) -> io::Result<Place> {
        let is_it = |one: &Connection| one.session.is_none_or(|session| session == flow.session);
        let connection = match self.connections.iter().position(is_it) {
            Some(known) => known,
            None => {
                self.connections.push(Connection::default());
                interfaces(&mut self.writer, self.connections.len() - 1)?;
                self.connections.len() - 1
            }
        };
        self.connections[connection].session = Some(flow.session);
        Ok(Place { connection, leg: index(flow.leg) })
    }

    fn talk(&mut self, place: Place) -> &mut Option<Conversation> {
        &mut self.connections[place.connection].legs[place.leg]
    }

    /// Writes remarks for people that are of no packet.
    ///
    /// # Errors
    /// Where the output does.
    pub fn remark(&mut self, at: Timestamp, remarks: &[String]) -> io::Result<()> {
        let [first, rest @ ..] = remarks else { return Ok(()) };
        self.annotate(at, 0, first.clone(), rest)
    }

    /// Closes the recording in order, with a last remark for people.
    ///
    /// # Errors
    /// Where the output does.
    pub fn end(&mut self, at: Timestamp, remark: String) -> io::Result<()> {
        self.annotate(at, 0, annotation::END.to_owned(), &[remark])?;
        self.flush()
    }

    /// Where it writes to.
    pub fn output(&mut self) -> &mut W {
        self.writer.get_mut()
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// Where the output does.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }

    /// Ends the recording and gives the output back.
    pub fn into_inner(self) -> W {
        self.writer.into_inner()
    }

    fn payload(
        &mut self,
        at: Timestamp,
        leg: Place,
        from: Side,
        payload: Payload<'_>,
        comments: &[String],
    ) -> io::Result<()> {
        self.packet(at, leg, from, Flags::PSH | Flags::ACK, payload, comments)?;
        let owes_ack = self.talk(leg).as_ref().is_some_and(|talk| talk.unanswered(from) > ACK_EVERY);
        if owes_ack { self.packet(at, leg, from.other(), Flags::ACK, Payload::NONE, &[]) } else { Ok(()) }
    }

    fn packet(
        &mut self,
        at: Timestamp,
        leg: Place,
        from: Side,
        flags: Flags,
        payload: Payload<'_>,
        comments: &[String],
    ) -> io::Result<()> {
        let Some(talk) = self.talk(leg) else { return Ok(()) };
        let headers = talk.headers(from, flags, payload.len, payload.sum);
        let link = ethernet(from, &headers);
        let original_len = (link.len() + headers.len()) as u32 + payload.len;
        let data = [&link[..], &headers, payload.here].concat();
        let comment = |text: &String| EnhancedPacketOption::Common(CommonOption::Comment(Cow::Owned(text.clone())));
        let block = EnhancedPacketBlock {
            interface_id: leg.interface(),
            timestamp: Duration::from_nanos(at.0),
            original_len,
            data: Cow::Owned(data),
            options: comments.iter().map(comment).collect(),
        };
        self.writer.write_pcapng_block(block).map_err(io::Error::other)?;
        self.frame += 1;
        Ok(())
    }

    /// A connection that stood when what is recorded began.
    fn join(&mut self, leg: Place, seen: &Seen) {
        if let Seen::Opening(Opening::Joined { client, server }) = *seen {
            *self.talk(leg) = Some(Conversation { next: [1, 1], is_open: true, ..Conversation::new(client, server) });
        }
    }

    /// Bytes that passed but are not stored leave a gap in the sequence numbers; discarded ones never passed.
    fn skip(&mut self, leg: Place, seen: &Seen) {
        if let (Seen::Missing { from, len, why }, Some(talk)) = (seen, self.talk(leg))
            && *why != Absence::Discarded
        {
            talk.skip(*from, *len);
        }
    }

    /// A Decryption Secrets Block. pcap-file knows of none, so its body is made here.
    fn secrets(&mut self, log: &[u8]) -> io::Result<()> {
        let mut body = Vec::with_capacity(8 + log.len());
        body.extend_from_slice(&TLS_KEY_LOG.to_be_bytes());
        body.extend_from_slice(&(log.len() as u32).to_be_bytes());
        body.extend_from_slice(log);
        let block = UnknownBlock { type_: DECRYPTION_SECRETS, length: 0, value: Cow::Owned(body) };
        self.writer.write_pcapng_block(block).map_err(io::Error::other)?;
        Ok(())
    }

    fn annotate(&mut self, at: Timestamp, interface: u32, text: String, comments: &[String]) -> io::Result<()> {
        let texts = std::iter::once(&text).chain(comments);
        let options =
            texts.map(|text| InterfaceStatisticsOption::Common(CommonOption::Comment(Cow::Owned(text.clone()))));
        let block = InterfaceStatisticsBlock {
            interface_id: interface,
            timestamp: Duration::from_nanos(at.0),
            options: options.collect(),
        };
        self.writer.write_pcapng_block(block).map_err(io::Error::other)?;
        Ok(())
    }
}

fn header(section: &Section) -> SectionHeaderBlock<'static> {
    SectionHeaderBlock {
        options: vec![
            SectionHeaderOption::OS(Cow::Borrowed(std::env::consts::OS)),
            SectionHeaderOption::UserApplication(Cow::Owned(format!("rdpscope {}", section.version))),
            SectionHeaderOption::Common(CommonOption::Comment(Cow::Owned(section.encode()))),
        ],
        endianness: Endianness::Big,
        ..SectionHeaderBlock::default()
    }
}

/// The interfaces of the connection in this place, counted from 0.
fn interfaces<W: Write>(writer: &mut PcapNgWriter<W>, place: usize) -> io::Result<()> {
    for (leg, says) in [(Leg::Front, "client to rdpscope"), (Leg::Back, "rdpscope to server")] {
        let block = interface(annotation::interface(leg, place as u32), says);
        writer.write_pcapng_block(block).map_err(io::Error::other)?;
    }
    Ok(())
}

fn interface(name: String, says: &'static str) -> InterfaceDescriptionBlock<'static> {
    InterfaceDescriptionBlock {
        // libpcap 1.10 refuses a second interface of LINKTYPE_RAW: it compares the number with its own for the first.
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![
            InterfaceDescriptionOption::IfName(Cow::Owned(name)),
            InterfaceDescriptionOption::IfDescription(Cow::Borrowed(says)),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ],
    }
}

/// The text of what no packet can express. Payload that its own leg does not keep is a packet without it.
fn annotated(flow: Flow, seen: &Seen) -> Option<String> {
    let is_headers = matches!(*seen, Seen::Missing { from, len, why: Absence::Snapped }
        if from != flow.leg.relay_side() && (1..=BULK_SEGMENT as u64).contains(&len));
    annotation::encode(seen).filter(|_| !is_headers)
}

/// Where a flow is stored.
#[derive(Clone, Copy)]
struct Place {
    connection: usize,
    leg: usize,
}

impl Place {
    /// The number of its Interface Description Block.
    fn interface(self) -> u32 {
        (2 * self.connection + self.leg) as u32
    }
}

fn index(leg: Leg) -> usize {
    match leg {
        Leg::Front | Leg::Only => 0,
        Leg::Back => 1,
    }
}

/// One byte stays: with none a packet says that its payload stands on the other leg.
fn without_blank_end(data: &[u8]) -> &[u8] {
    let len = data.iter().rposition(|byte| *byte != 0).map_or(1, |at| at + 1);
    data.get(..len).unwrap_or(data)
}

fn mirrored(from: Side, len: u64) -> Seen {
    Seen::Missing { from, len, why: Absence::Mirrored }
}

fn mirrored_lengths(len: u64) -> impl Iterator<Item = u64> {
    let whole = BULK_SEGMENT as u64;
    (0..len.div_ceil(whole)).map(move |i| whole.min(len - i * whole))
}

/// Both ends in one address family, so that one IP header can hold them: an unknown end (all zero) follows the other.
fn same_family(client: SocketAddr, server: SocketAddr) -> Opening {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (mut client, mut server) = (canonical(client), canonical(server));
    if client.is_ipv4() != server.is_ipv4() {
        let like = |other: SocketAddr| match other {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        if client.ip().is_unspecified() {
            client.set_ip(like(server));
        } else {
            server.set_ip(like(client));
        }
    }
    Opening::Dialing { client, server }
}

#[derive(Clone, Copy)]
struct Payload<'a> {
    here: &'a [u8],
    len: u32,
    sum: u32,
}

impl Payload<'_> {
    const NONE: Payload<'static> = Payload { here: &[], len: 0, sum: 0 };
}

/// TCP header flags, RFC 9293 3.1.
#[derive(Clone, Copy, PartialEq)]
struct Flags(u8);

impl Flags {
    const FIN: Flags = Flags(0x01);
    const SYN: Flags = Flags(0x02);
    const RST: Flags = Flags(0x04);
    const PSH: Flags = Flags(0x08);
    const ACK: Flags = Flags(0x10);

    fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Both ends of one made-up TCP connection.
struct Conversation {
    /// Client, server.
    ends: [SocketAddr; 2],
    /// Sequence number of the next byte of each.
    next: [u32; 2],
    /// What each was last told to have been received of it.
    answered: [u32; 2],
    /// Whether it was opened, and not reset.
    is_open: bool,
    said_fin: [bool; 2],
}

impl Conversation {
    fn new(client: SocketAddr, server: SocketAddr) -> Conversation {
        Conversation { ends: [client, server], next: [0, 0], answered: [0, 0], is_open: false, said_fin: [false; 2] }
    }

    fn stands(&self) -> bool {
        self.is_open && self.said_fin != [true; 2]
    }

    fn skip(&mut self, from: Side, len: u64) {
        let next = &mut self.next[from as usize];
        *next = next.wrapping_add(len as u32);
    }

    fn unanswered(&self, from: Side) -> u32 {
        self.next[from as usize].wrapping_sub(self.answered[from as usize])
    }

    /// IP and TCP headers of the next segment of `from`, and the numbers moved on past it.
    fn headers(&mut self, from: Side, flags: Flags, payload_len: u32, payload_sum: u32) -> Vec<u8> {
        let (this, other) = (from as usize, from.other() as usize);
        let acknowledgement = if flags.has(Flags::ACK) { self.next[other] } else { 0 };
        let tcp =
            tcp_header([self.ends[this].port(), self.ends[other].port()], self.next[this], acknowledgement, flags);
        let packet = ip_packet(self.ends[this].ip(), self.ends[other].ip(), tcp, payload_len, payload_sum);
        let counts = u32::from(flags.has(Flags::SYN | Flags::FIN));
        self.next[this] = self.next[this].wrapping_add(payload_len).wrapping_add(counts);
        if flags.has(Flags::ACK) {
            self.answered[other] = self.next[other];
        }
        packet
    }
}

/// A made-up Ethernet header before these IP headers: every reader of captures takes Ethernet, not all take less. The
/// addresses are locally administered, and say which side sent it.
fn ethernet(from: Side, headers: &[u8]) -> [u8; 14] {
    let (this, other) = (from as u8 + 1, from.other() as u8 + 1);
    let kind = if headers.first().is_some_and(|first| first >> 4 == 6) { [0x86, 0xdd] } else { [0x08, 0x00] };
    [2, 0, 0, 0, 0, other, 2, 0, 0, 0, 0, this, kind[0], kind[1]]
}

/// A TCP header with checksum zero. A SYN says the window scale; nothing else is claimed.
fn tcp_header(ports: [u16; 2], sequence: u32, acknowledgement: u32, flags: Flags) -> Vec<u8> {
    let options: &[u8] = if flags.has(Flags::SYN) { &[3, 3, WINDOW_SCALE, 1] } else { &[] };
    let words = (20 + options.len()) / 4;
    let mut header = Vec::with_capacity(64);
    header.extend_from_slice(&ports[0].to_be_bytes());
    header.extend_from_slice(&ports[1].to_be_bytes());
    header.extend_from_slice(&sequence.to_be_bytes());
    header.extend_from_slice(&acknowledgement.to_be_bytes());
    header.extend_from_slice(&[(words as u8) << 4, flags.0]);
    header.extend_from_slice(&u16::MAX.to_be_bytes()); // window
    header.extend_from_slice(&[0, 0, 0, 0]); // checksum, urgent pointer
    header.extend_from_slice(options);
    header
}

/// The IP header before `tcp`, whose checksum is filled in.
fn ip_packet(source: IpAddr, destination: IpAddr, mut tcp: Vec<u8>, payload_len: u32, payload_sum: u32) -> Vec<u8> {
    let tcp_len = tcp.len() as u32 + payload_len;
    let mut ip = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4_header(source, destination, tcp_len),
        (source, destination) => ipv6_header(v6(source), v6(destination), tcp_len),
    };
    let addresses_at = if ip.len() == 20 { 12 } else { 8 };
    let pseudo = sum_of(&ip[addresses_at..]) + 6 + (tcp_len & 0xffff) + (tcp_len >> 16);
    let checksum = !fold(u64::from(pseudo) + u64::from(sum_of(&tcp)) + u64::from(payload_sum));
    tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
    ip.append(&mut tcp);
    ip
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

fn ipv4_header(source: Ipv4Addr, destination: Ipv4Addr, tcp_len: u32) -> Vec<u8> {
    let total = (20 + tcp_len) as u16; // INVARIANT: a piece's payload is at most BULK_SEGMENT bytes
    let mut header = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header.extend_from_slice(&source.octets());
    header.extend_from_slice(&destination.octets());
    let checksum = !fold(u64::from(sum_of(&header)));
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header
}

fn ipv6_header(source: Ipv6Addr, destination: Ipv6Addr, tcp_len: u32) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 0, 0, 6, 64];
    header[4..6].copy_from_slice(&(tcp_len as u16).to_be_bytes());
    header.extend_from_slice(&source.octets());
    header.extend_from_slice(&destination.octets());
    header
}

/// The sum of big-endian 16-bit words (RFC 1071), folded to 16 bits and a carry or two.
fn sum_of(bytes: &[u8]) -> u32 {
    // In the order of this machine and in words of 32 bits the sum is the same but for the order of its own two bytes
    // (RFC 1071 2.B), and processors add many at once.
    let mut chunks = bytes.chunks_exact(4);
    let words = (&mut chunks).map(|word| u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]])));
    let sum = words.sum::<u64>();
    let mut tail = [0; 4];
    tail[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    u32::from(u16::from_be(fold(sum + u64::from(u32::from_ne_bytes(tail)))))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// These observations, numbered and split as they are stored, written to `out`.
///
/// # Errors
/// Where `out` does.
pub fn record<W: Write>(
    out: W,
    section: &Section,
    observations: impl IntoIterator<Item = Observation>,
    each: &mut dyn FnMut(&Observation),
) -> io::Result<W> {
    let mut recorder = Recorder::new(out, section)?;
    let mut last = Timestamp::default();
    for Observation { at, flow, seen, .. } in observations {
        last = last.max(at);
        for piece in recorder.split(flow, seen) {
            let frame = recorder.frame_of(flow, &piece);
            recorder.write(at, flow, &piece, &[])?;
            each(&Observation { at, flow, frame, seen: piece });
        }
    }
    recorder.end(last, "the end".to_owned())?;
    Ok(recorder.into_inner())
}
