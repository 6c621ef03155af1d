//! Reads a relay's recording back into the observations it was made from.
//!
//! The inverse of `proxy::record`: each packet is one observation, each annotated Interface Statistics Block is one.
//! The segments are in order by construction, so nothing is reassembled here; pure ACKs were made up and say nothing.
//! A file cut at any byte reads up to there.

use std::fmt;
use std::io::Read;
use std::net::SocketAddr;

use bytes::Bytes;
use pcap_parser::pcapng::{EnhancedPacketBlock, InterfaceDescriptionBlock, InterfaceStatisticsBlock, OptionCode};
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapNGOption, PcapNGReader};

use super::annotation::{self, Section};
use super::segment::{self, Segment};
use crate::observation::{Absence, Ending, Flow, Leg, Observation, Opening, Seen, Side};
use crate::time::Timestamp;

/// Largest block that is held in memory, bytes. A recording's own blocks stay under 70 kB.
const MAX_BLOCK: usize = 1 << 24;

/// Why a file cannot be read at all.
#[derive(Debug)]
pub enum ReadError {
    /// The input failed.
    Io(std::io::Error),
    /// It is not a pcapng file.
    NotPcapng,
    /// It is a pcapng file, but not a recording of this program.
    NotRecording,
    /// A block cannot be what it says, at this offset of the file.
    Malformed {
        /// Bytes from the beginning of the file.
        offset: u64,
        /// What was found.
        says: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => write!(f, "cannot read: {error}"),
            ReadError::NotPcapng => write!(f, "expected a pcapng file, found something else or nothing"),
            ReadError::NotRecording => {
                write!(f, "expected a recording made by rdpscope, found a pcapng file of another program")
            }
            ReadError::Malformed { offset, says } => write!(f, "malformed pcapng block at byte {offset}: {says}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// What could be read of a recording besides its observations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// What the recording says of itself.
    pub section: Section,
    /// Why it is not whole: it breaks off, or was never closed. What stands before that place was handed over.
    pub stopped: Option<String>,
}

/// Reads a recording and hands each observation to `each`, in the order of the file, under the number `session`.
///
/// # Errors
/// Only where nothing of the file can be used. A file that breaks off or breaks later gives what stands before.
pub fn read(input: impl Read, session: u32, each: &mut dyn FnMut(Observation)) -> Result<Recording, ReadError> {
    let mut reader = PcapNGReader::new(1 << 17, input).map_err(|error| open_error(&error))?;
    let mut decoder = Decoder { session, ..Decoder::default() };
    let mut offset = 0_u64;
    let mut capacity = 1 << 17;
    let stopped = loop {
        match reader.next() {
            Ok((consumed, block)) => {
                decoder.block(&block, each)?;
                offset += consumed as u64;
                reader.consume(consumed);
            }
            Err(PcapError::Eof) => break None,
            Err(PcapError::UnexpectedEof) => {
                break Some(format!("the file breaks off inside a block at byte {offset}"));
            }
            Err(PcapError::BufferTooSmall) if capacity < MAX_BLOCK => {
                capacity *= 2;
                reader.grow(capacity);
            }
            Err(PcapError::Incomplete(_)) => {
                if let Err(error) = reader.refill() {
                    break Some(format!("cannot read on at byte {offset}: {error}"));
                }
            }
            Err(error) => break Some(format!("malformed pcapng block at byte {offset}: {error}")),
        }
    };
    match (decoder.section, stopped) {
        (Some(section), stopped) => {
            let unclosed = || (!decoder.ended).then(|| "it was never closed".to_owned());
            Ok(Recording { section, stopped: stopped.or_else(unclosed) })
        }
        (None, Some(says)) => Err(ReadError::Malformed { offset, says }),
        (None, None) => Err(ReadError::NotRecording),
    }
}

fn open_error<E>(error: &PcapError<E>) -> ReadError {
    match error {
        PcapError::ReadError => ReadError::Io(std::io::ErrorKind::Other.into()),
        _ => ReadError::NotPcapng,
    }
}

/// What is known while reading a file.
#[derive(Default)]
struct Decoder {
    session: u32,
    section: Option<Section>,
    interfaces: Vec<Interface>,
    frame: u64,
    /// Whether it was closed in order.
    ended: bool,
}

/// One interface of the file: one leg.
struct Interface {
    leg: Leg,
    ends: Option<(SocketAddr, SocketAddr)>,
    opened: bool,
}

impl Decoder {
    fn block(&mut self, block: &PcapBlockOwned<'_>, each: &mut dyn FnMut(Observation)) -> Result<(), ReadError> {
        let PcapBlockOwned::NG(block) = block else { return Err(ReadError::NotPcapng) };
        match block {
            Block::SectionHeader(header) => {
                self.section = comments(&header.options).find_map(|text| Section::decode(&text));
                self.section.as_ref().map(|_| ()).ok_or(ReadError::NotRecording)
            }
            Block::InterfaceDescription(interface) => {
                self.interfaces.push(Interface { leg: leg_of(interface), ends: None, opened: false });
                Ok(())
            }
            Block::EnhancedPacket(packet) => {
                self.packet(packet, each);
                Ok(())
            }
            Block::InterfaceStatistics(statistics) => {
                self.statistics(statistics, each);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn packet(&mut self, packet: &EnhancedPacketBlock<'_>, each: &mut dyn FnMut(Observation)) {
        self.frame += 1;
        let (session, frame, at) = (self.session, self.frame, nanoseconds(packet.ts_high, packet.ts_low));
        let Some(interface) = self.interfaces.get_mut(packet.if_id as usize) else { return };
        let captured = packet.data.get(..packet.caplen as usize).unwrap_or(packet.data);
        let Some(segment) = segment::read(captured) else { return };
        let flow = Flow { session, leg: interface.leg };
        interface.segment(&segment, &mut |seen| each(Observation { at, flow, frame, seen }));
    }

    fn statistics(&mut self, block: &InterfaceStatisticsBlock<'_>, each: &mut dyn FnMut(Observation)) {
        let Some(interface) = self.interfaces.get(block.if_id as usize) else { return };
        let flow = Flow { session: self.session, leg: interface.leg };
        let at = nanoseconds(block.ts_high, block.ts_low);
        self.ended |= comments(&block.options).any(|text| text == annotation::END);
        for seen in comments(&block.options).filter_map(|text| annotation::decode(&text)) {
            each(Observation { at, flow, frame: self.frame, seen });
        }
    }
}

impl Interface {
    fn segment(&mut self, segment: &Segment<'_>, each: &mut dyn FnMut(Seen)) {
        if segment.syn && !segment.ack {
            self.ends = Some((segment.source, segment.destination));
            self.opened = false;
            return each(Seen::Opening(Opening::Dialing { client: segment.source, server: segment.destination }));
        }
        let Some((client, _)) = self.ends else { return };
        let from = if segment.source == client { Side::Client } else { Side::Server };
        if segment.syn {
            self.opened = true;
            return each(Seen::Opened);
        }
        self.payload(from, segment, each);
        if segment.rst {
            let how = if self.opened { Ending::Reset } else { Ending::Refused };
            let how = if from == Side::Client { Ending::Reset } else { how };
            each(Seen::Closed { from: Some(from), how });
        } else if segment.fin {
            each(Seen::Closed { from: Some(from), how: Ending::Fin });
        }
    }

    fn payload(&self, from: Side, segment: &Segment<'_>, each: &mut dyn FnMut(Seen)) {
        let here = segment.payload.len() as u64;
        if here > 0 {
            each(Seen::Bytes { from, data: Bytes::copy_from_slice(segment.payload) });
        }
        let missing = u64::from(segment.payload_len).saturating_sub(here);
        if missing > 0 {
            let mirrored = here == 0 && from == self.leg.relay_side();
            let why = if mirrored { Absence::Mirrored } else { Absence::Snapped };
            each(Seen::Missing { from, len: missing, why });
        }
    }
}

fn leg_of(interface: &InterfaceDescriptionBlock<'_>) -> Leg {
    let name = interface.options.iter().find(|option| option.code == OptionCode::IfName);
    match name.and_then(|option| option.as_str().ok()) {
        Some("front") => Leg::Front,
        Some("back") => Leg::Back,
        _ => Leg::Only,
    }
}

/// Recordings are written with nanosecond resolution and no offset.
fn nanoseconds(high: u32, low: u32) -> Timestamp {
    Timestamp(u64::from(high) << 32 | u64::from(low))
}

/// Every comment of a block, read as UTF-8 with replacement: one bad byte must not cost the file.
fn comments<'a>(options: &'a [PcapNGOption<'_>]) -> impl Iterator<Item = String> + 'a {
    let texts = options.iter().filter(|option| option.code == OptionCode::Comment);
    texts.map(|option| String::from_utf8_lossy(option.as_bytes().unwrap_or_default()).into_owned())
}
