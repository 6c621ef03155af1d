//! Capture files as a list of items: pcap (micro- and nanoseconds, both byte orders, the "modified" kind) and pcapng
//! (any number of sections and interfaces). The only module that names pcap-parser.
//!
//! A file that breaks off or breaks anywhere gives what stands before, and says why it stopped.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use pcap_parser::pcapng::{EnhancedPacketBlock, InterfaceDescriptionBlock, OptionCode, SecretsType, SimplePacketBlock};
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, LegacyPcapReader, PcapBlockOwned, PcapError, PcapHeader, PcapNGOption, PcapNGReader};

use super::formats;
use crate::time::Timestamp;

/// What is read at once, bytes.
const BUFFER: usize = 1 << 18;
/// Largest block that is held in memory, bytes. Packets have at most 256 kB.
const MAX_BLOCK: usize = 1 << 24;
/// Interfaces that are kept of one section.
const MAX_INTERFACES: usize = 1 << 16;
/// Block type of a pcapng Section Header Block.
const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Block type of a Packet Block, which Enhanced Packet Blocks replaced and old programs still write. pcap-parser has no type for it.
const OBSOLETE_PACKET: u32 = 2;

/// Byte-order magic of a section, and how much of its header tells it and the length.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const SECTION_LEN: usize = 12;
/// So much of it is read before anything else, bytes.
const PEEKED: usize = BUFFER / 4;
/// Length of a pcap file's header, bytes, and how it begins: microseconds, nanoseconds, and the "modified" kind.
const PCAP_HEADER: usize = 24;
const PCAP_MAGICS: [[u8; 4]; 6] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
];

/// Why a file cannot be read at all.
#[derive(Debug)]
pub enum ReadError {
    /// The input failed.
    Io(io::Error),
    /// There is nothing in it.
    Empty,
    /// It was begun and never written on: what there is of it.
    Torn(&'static str),
    /// It is no capture file.
    NotCapture,
    /// It is a file of a kind that is known, and not read here: what it is, and how to make a capture of it.
    Other(&'static str, &'static str),
    /// It is a capture, but not a recording of this program.
    NotRecording,
    /// A packet is stored behind later ones, and whoever reads wants to know: see [`super::order::Order::Checked`].
    Disordered,
    /// It is a further part of a recording, and this many parts were read before it.
    Part(u32, u32),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => write!(f, "cannot read: {error}"),
            ReadError::Empty => write!(f, "expected a capture (pcap or pcapng), found an empty file"),
            ReadError::Torn(what) => write!(f, "expected a capture (pcap or pcapng), found {what}"),
            ReadError::NotCapture => write!(f, "expected a capture (pcap or pcapng), found something else"),
            ReadError::Other(name, how) => write!(f, "expected a capture (pcap or pcapng), found {name}: {how}"),
            ReadError::NotRecording => {
                write!(f, "expected a recording made by rdpscope, found a capture of another program")
            }
            ReadError::Disordered => write!(f, "packets are not stored in the order of their times"),
            ReadError::Part(part, read) => write!(f, "expected part {} of the recording, found part {part}", read + 1),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    /// Whether the file is none that packets are in.
    pub fn is_no_capture(&self) -> bool {
        matches!(self, ReadError::Empty | ReadError::Torn(_) | ReadError::NotCapture | ReadError::Other(..))
    }

    /// What the file is instead of a capture, in a few words.
    pub fn brief(&self) -> String {
        match self {
            ReadError::Empty => "empty: nothing was written to it".into(),
            ReadError::Torn(what) => format!("torn: {what}"),
            ReadError::NotCapture => "something else".into(),
            ReadError::Other(name, how) => format!("{name}: {how}"),
            other => other.to_string(),
        }
    }
}

/// One thing that stands in a capture file.
#[derive(Debug)]
pub enum Item<'a> {
    /// A section begins; its interfaces are counted from 0. A pcap file is one section with one interface.
    Section {
        /// The comments of its header.
        comments: Vec<String>,
    },
    /// The section's next interface.
    Interface {
        /// Its name.
        name: Option<String>,
        /// Its link type, as tcpdump.org numbers them.
        link: u16,
    },
    /// A packet.
    Packet(Packet<'a>),
    /// An Interface Statistics Block.
    Statistics {
        /// Of which interface.
        interface: u32,
        /// When it was written.
        at: Timestamp,
        /// Its comments.
        comments: Vec<String>,
    },
    /// A Decryption Secrets Block with the lines of a TLS key log.
    Secrets(&'a [u8]),
}

/// One packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// On which interface of the section.
    pub interface: u32,
    /// When.
    pub at: Timestamp,
    /// What was kept of it, from the link header on.
    pub data: &'a [u8],
    /// Bytes that it had on the wire.
    pub original_len: u32,
}

/// Reads a capture and hands each item to `each`. Gives why reading stopped before the end, if it did.
///
/// # Errors
/// Where nothing of it can be used, and what `each` returns.
pub fn read(
    input: impl Read,
    each: &mut dyn FnMut(Item<'_>) -> Result<(), ReadError>,
) -> Result<Option<String>, ReadError> {
    let why = Why::default();
    let (head, input) = peek(Reasoned { inner: input, why: Rc::clone(&why) })?;
    let mut decoder = Decoder::default();
    if let Some(what) = torn(input.get_ref().0.get_ref()) {
        return Err(ReadError::Torn(what));
    }
    match head {
        None => Err(ReadError::Empty),
        Some(SECTION_HEADER) => {
            let mut reader = PcapNGReader::new(BUFFER, input).map_err(|error| open_error(&error))?;
            drive(&mut reader, &why, &mut |block| decoder.block(block, each))
        }
        Some(_) => {
            // The cursor holds what was read of the beginning.
            if let Some((name, how)) = formats::known(input.get_ref().0.get_ref()) {
                return Err(ReadError::Other(name, how));
            }
            if !head.is_some_and(|magic| PCAP_MAGICS.contains(&magic)) {
                return Err(ReadError::NotCapture);
            }
            let mut reader = LegacyPcapReader::new(BUFFER, input).map_err(|error| open_error(&error))?;
            drive(&mut reader, &why, &mut |block| decoder.block(block, each))
        }
    }
}

/// Why an input could not be read on: pcap-parser says only that it could not.
type Why = Rc<RefCell<Option<String>>>;

struct Reasoned<R> {
    inner: R,
    why: Why,
}

impl<R: Read> Read for Reasoned<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into);
        if let Err(error) = &read {
            self.why.replace(Some(error.to_string()));
        }
        read
    }
}

/// What there is of a capture that was begun and never written on, by all that [`peek`] has of it: a full disk leaves less
/// than a header, a machine that went down may leave zeros.
fn torn(head: &[u8]) -> Option<&'static str> {
    const BEGUN: Option<&str> = Some("the first bytes of one, and nothing behind them");
    let begins = |magic: &[u8]| head.iter().zip(magic).all(|(byte, magic)| byte == magic);
    if head.is_empty() {
        return None;
    }
    if head.iter().all(|byte| *byte == 0) {
        return Some("nothing but zeros");
    }
    if begins(&SECTION_HEADER) {
        let order = head
            .get(8..SECTION_LEN)
            .map(|order| order == BYTE_ORDER.to_le_bytes() || order == BYTE_ORDER.to_be_bytes());
        let is_whole = section_len(head).is_some_and(|len| head.len() >= len.min(PEEKED));
        return BEGUN.filter(|_| order.unwrap_or(true) && !is_whole);
    }
    BEGUN.filter(|_| head.len() < PCAP_HEADER && PCAP_MAGICS.iter().any(|magic| begins(magic)))
}

/// An input whose beginning was read and put back.
type Peeked<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Reads the first block, or a pcap file's header, so that a pipe that trickles still gives it whole, and puts it back. No
/// more: what stands there now need not wait for what comes later.
fn peek<R: Read>(input: R) -> Result<(Option<[u8; 4]>, Peeked<R>), ReadError> {
    let mut input = input;
    let mut head = Vec::new();
    let mut take = |len: usize, head: &mut Vec<u8>| {
        let more = len.saturating_sub(head.len()) as u64;
        input.by_ref().take(more).read_to_end(head).map_err(ReadError::Io)
    };
    take(SECTION_LEN, &mut head)?;
    let len = section_len(&head).unwrap_or(PCAP_HEADER);
    take(len.min(PEEKED), &mut head)?;
    let first = (!head.is_empty()).then(|| head.first_chunk().copied().unwrap_or_default());
    Ok((first, io::Cursor::new(head).chain(input)))
}

/// The length of the Section Header Block that begins so.
fn section_len(head: &[u8]) -> Option<usize> {
    let (kind, rest) = head.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let is_little_endian = rest.first_chunk::<4>()? == &BYTE_ORDER.to_le_bytes();
    let len = if is_little_endian { u32::from_le_bytes(*len) } else { u32::from_be_bytes(*len) };
    (*kind == SECTION_HEADER).then_some(len as usize)
}

fn open_error<E>(error: &PcapError<E>) -> ReadError {
    match error {
        PcapError::ReadError => ReadError::Io(io::ErrorKind::Other.into()),
        _ => ReadError::NotCapture,
    }
}

/// Takes block after block until the end, or until one cannot be read.
fn drive(
    reader: &mut dyn PcapReaderIterator,
    why: &Why,
    each: &mut dyn FnMut(PcapBlockOwned<'_>) -> Result<(), ReadError>,
) -> Result<Option<String>, ReadError> {
    let (mut offset, mut capacity) = (0_u64, BUFFER);
    let cannot = |offset: u64| {
        let why = why.take().map_or(String::new(), |why| format!(": {why}"));
        Ok(Some(format!("cannot read on at byte {offset}{why}")))
    };
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                each(block)?;
                offset += consumed as u64;
                reader.consume_noshift(consumed);
            }
            Err(PcapError::Eof) => return Ok(None),
            Err(PcapError::UnexpectedEof) => {
                return Ok(Some(format!("the file breaks off inside a block at byte {offset}")));
            }
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    return cannot(offset);
                }
            }
            Err(PcapError::BufferTooSmall) if capacity < MAX_BLOCK => {
                capacity *= 2;
                reader.grow(capacity);
                if reader.refill().is_err() {
                    return cannot(offset);
                }
            }
            Err(error) => return Ok(Some(format!("a block at byte {offset} is malformed: {}", brief(&error)))),
        }
    }
}

/// The kind of an error, without the bytes at which it happened.
fn brief<E>(error: &PcapError<E>) -> &'static str {
    match error {
        PcapError::BufferTooSmall => "it says that it is larger than any packet",
        _ => "it cannot be what it says",
    }
}

/// What must be known to read on.
#[derive(Default)]
struct Decoder {
    clocks: Vec<Clock>,
    snaplen: u32,
    is_big_endian: bool,
    is_nanoseconds: bool,
}

/// How an interface counts time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// `if_tsresol`: a negative power of 10, or of 2 where the highest bit is set.
    resolution: u8,
    /// `if_tsoffset`, seconds.
    offset: i64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { resolution: 6, offset: 0 }
    }
}

impl Clock {
    fn at(self, high: u32, low: u32) -> Timestamp {
        let ticks = u128::from(high) << 32 | u128::from(low);
        let exponent = u32::from(self.resolution & 0x7f);
        let nanoseconds = match (self.resolution & 0x80 != 0, exponent) {
            (false, 0..=9) => ticks * 10_u128.pow(9 - exponent),
            (false, 10..=38) => ticks / 10_u128.pow(exponent - 9),
            (true, 0..=127) if exponent < 90 => (ticks * 1_000_000_000) >> exponent,
            _ => 0,
        };
        let offset = i128::from(self.offset) * 1_000_000_000;
        let at = i128::try_from(nanoseconds).unwrap_or(0).saturating_add(offset);
        Timestamp::at(u64::try_from(at.max(0)).unwrap_or(u64::MAX))
    }
}

impl Decoder {
    fn block(
        &mut self,
        block: PcapBlockOwned<'_>,
        each: &mut dyn FnMut(Item<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        match block {
            PcapBlockOwned::Legacy(packet) => {
                let fraction = u64::from(packet.ts_usec) * if self.is_nanoseconds { 1 } else { 1000 };
                let at = Timestamp::at(u64::from(packet.ts_sec) * 1_000_000_000 + fraction);
                each(Item::Packet(Packet { interface: 0, at, data: packet.data, original_len: packet.origlen }))
            }
            PcapBlockOwned::LegacyHeader(header) => self.header(&header, each),
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => each(Item::Packet(self.enhanced(&packet))),
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => each(Item::Packet(self.simple(&packet))),
            PcapBlockOwned::NG(Block::SectionHeader(section)) => {
                self.clocks.clear();
                self.is_big_endian = section.big_endian();
                each(Item::Section { comments: comments(&section.options) })
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => self.interface(&interface, each),
            PcapBlockOwned::NG(Block::InterfaceStatistics(block)) => {
                let at = self.clock(block.if_id).at(block.ts_high, block.ts_low);
                each(Item::Statistics { interface: block.if_id, at, comments: comments(&block.options) })
            }
            PcapBlockOwned::NG(Block::DecryptionSecrets(block)) if block.secrets_type == SecretsType::TlsKeyLog => {
                each(Item::Secrets(block.data.get(..block.secrets_len as usize).unwrap_or(block.data)))
            }
            // pcap-parser tells the type of an unknown block as if it were little-endian.
            PcapBlockOwned::NG(Block::Unknown(block))
                if block.block_type
                    == if self.is_big_endian { OBSOLETE_PACKET.swap_bytes() } else { OBSOLETE_PACKET } =>
            {
                self.obsolete(block.data).map_or(Ok(()), |packet| each(Item::Packet(packet)))
            }
            PcapBlockOwned::NG(_) => Ok(()),
        }
    }

    fn header(
        &mut self,
        header: &PcapHeader,
        each: &mut dyn FnMut(Item<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.is_nanoseconds = header.is_nanosecond_precision();
        each(Item::Section { comments: Vec::new() })?;
        // The upper half may carry the length of a frame check sequence.
        each(Item::Interface { name: None, link: (header.network.0 & 0xffff) as u16 })
    }

    fn interface(
        &mut self,
        interface: &InterfaceDescriptionBlock<'_>,
        each: &mut dyn FnMut(Item<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let value = |code| interface.options.iter().find(|option| option.code == code).map(|option| option.value());
        let resolution = value(OptionCode::IfTsresol).and_then(|value| value.first().copied()).unwrap_or(6);
        let offset = value(OptionCode::IfTsoffset).and_then(<[u8]>::first_chunk::<8>).copied().unwrap_or_default();
        let offset = if self.is_big_endian { i64::from_be_bytes(offset) } else { i64::from_le_bytes(offset) };
        if self.clocks.is_empty() {
            self.snaplen = interface.snaplen;
        }
        if self.clocks.len() < MAX_INTERFACES {
            self.clocks.push(Clock { resolution, offset });
        }
        let name = interface.options.iter().find(|option| option.code == OptionCode::IfName).map(text);
        each(Item::Interface { name, link: (interface.linktype.0 & 0xffff) as u16 })
    }

    fn enhanced<'a>(&self, packet: &EnhancedPacketBlock<'a>) -> Packet<'a> {
        let data = packet.data.get(..packet.caplen as usize).unwrap_or(packet.data);
        let at = self.clock(packet.if_id).at(packet.ts_high, packet.ts_low);
        Packet { interface: packet.if_id, at, data, original_len: packet.origlen }
    }

    /// Interface and drops with two bytes each, time, captured length, original length, the packet.
    fn obsolete<'a>(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        let (header, data) = body.split_first_chunk::<20>()?;
        let [i0, i1, _, _, ..] = *header;
        let interface = if self.is_big_endian { u16::from_be_bytes([i0, i1]) } else { u16::from_le_bytes([i0, i1]) };
        let word = |at: usize| {
            let bytes = header.get(at..)?.first_chunk::<4>()?;
            Some(if self.is_big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
        };
        let (high, low, kept, original_len) = (word(4)?, word(8)?, word(12)?, word(16)?);
        let at = self.clock(interface.into()).at(high, low);
        let data = data.get(..kept as usize).unwrap_or(data);
        Some(Packet { interface: interface.into(), at, data, original_len })
    }

    /// A Simple Packet Block has no time and no captured length: the section's first interface tells the latter.
    fn simple<'a>(&self, packet: &SimplePacketBlock<'a>) -> Packet<'a> {
        let snaplen = if self.snaplen == 0 { u32::MAX } else { self.snaplen };
        let data = packet.data.get(..packet.origlen.min(snaplen) as usize).unwrap_or(packet.data);
        Packet { interface: 0, at: Timestamp::at(0), data, original_len: packet.origlen }
    }

    fn clock(&self, interface: u32) -> Clock {
        self.clocks.get(interface as usize).copied().unwrap_or_default()
    }
}

/// Every comment of a block, read as UTF-8 with replacement: one bad byte must not cost the file.
fn comments(options: &[PcapNGOption<'_>]) -> Vec<String> {
    options.iter().filter(|option| option.code == OptionCode::Comment).map(text).collect()
}

fn text(option: &PcapNGOption<'_>) -> String {
    String::from_utf8_lossy(option.as_bytes().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcap(magic: u32, big: bool, fraction: u32) -> Vec<u8> {
        let word = |number: u32| if big { number.to_be_bytes() } else { number.to_le_bytes() };
        let half = |number: u16| if big { number.to_be_bytes() } else { number.to_le_bytes() };
        let mut file = word(magic).to_vec();
        file.extend([half(2), half(4)].concat());
        file.extend([word(0), word(0), word(4), word(1)].concat());
        // Kept: five bytes, more than the snap length says, of nine.
        file.extend([word(7), word(fraction), word(5), word(9)].concat());
        file.extend(*b"hello");
        file
    }

    /// Time, bytes and original length.
    type Kept = (u64, Vec<u8>, u32);

    fn packets(file: &[u8]) -> (Vec<Kept>, Option<String>) {
        let mut all = Vec::new();
        let stopped = read(file, &mut |item| {
            if let Item::Packet(packet) = item {
                all.push((packet.at.0, packet.data.to_vec(), packet.original_len));
            }
            Ok(())
        });
        (all, stopped.expect("a capture"))
    }

    #[test]
    fn every_kind_of_pcap_is_read() {
        let expected = vec![(7_000_000_123_u64, b"hello".to_vec(), 9)];
        for big in [false, true] {
            assert_eq!(packets(&pcap(0xa1b2_3c4d, big, 123)), (expected.clone(), None));
            let micro = vec![(7_000_123_000_u64, b"hello".to_vec(), 9)];
            assert_eq!(packets(&pcap(0xa1b2_c3d4, big, 123)), (micro, None));
        }
    }

    #[test]
    fn a_file_cut_anywhere_gives_what_stands_before() {
        let file = pcap(0xa1b2_c3d4, false, 0);
        for len in 24..file.len() {
            let (all, stopped) = packets(&file[..len]);
            assert!(all.is_empty());
            assert_eq!(stopped.is_some(), len > 24, "{len}");
        }
    }

    #[test]
    fn rubbish_is_an_error() {
        let fails = |bytes: &[u8]| read(bytes, &mut |_| Ok(())).expect_err("no capture").to_string();
        assert!(fails(b"").contains("empty"));
        assert!(fails(b"hello").contains("something else"));
        assert!(fails(&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4]).contains("something else"));
    }

    #[test]
    fn what_was_begun_and_never_written_on_is_no_other_file() {
        let fails = |bytes: &[u8]| read(bytes, &mut |_| Ok(())).expect_err("no capture");
        let mut section = [&SECTION_HEADER[..], &28_u32.to_le_bytes(), &BYTE_ORDER.to_le_bytes()].concat();
        section.extend([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0]);
        let pcap = pcap(0xa1b2_c3d4, true, 0);
        for (file, len) in [(&section, 28), (&pcap, PCAP_HEADER)] {
            for cut in 1..len {
                assert!(matches!(fails(&file[..cut]), ReadError::Torn(_)), "{cut}");
            }
            assert!(read(&file[..len], &mut |_| Ok(())).is_ok());
        }
        assert!(fails(&[0; 4096]).to_string().contains("nothing but zeros"));
    }

    #[test]
    fn why_an_input_cannot_be_read_on_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let file = pcap(0xa1b2_c3d4, false, 0);
        let stopped = read(file[..30].chain(Broken), &mut |_| Ok(())).expect("a capture");
        assert_eq!(stopped.as_deref(), Some("cannot read on at byte 24: the disk is gone"));
    }

    #[test]
    fn clocks_of_every_resolution() {
        let at = |resolution, ticks: u64, offset| Clock { resolution, offset }.at((ticks >> 32) as u32, ticks as u32).0;
        assert_eq!(at(6, 1_500_000, 0), 1_500_000_000);
        assert_eq!(at(9, 1_500_000_000, 1), 2_500_000_000);
        assert_eq!(at(12, 1_500_000_000_000, 0), 1_500_000_000);
        assert_eq!(at(0x80 | 10, 1536, 0), 1_500_000_000);
        assert_eq!(at(6, 0, -5), 0);
        for resolution in 0..=255 {
            at(resolution, u64::MAX, i64::MIN);
            at(resolution, u64::MAX, i64::MAX);
        }
    }
}
