//! Reads a relay's recording back into the observations it was made from.
//!
//! The inverse of `proxy::record`: each packet is one observation, each annotated Interface Statistics Block is one.
//! The segments are in order by construction, so nothing is reassembled here; pure ACKs were made up and say nothing.
//! Sequence numbers count what passed: where packets were taken out of the file afterwards, they show it.
//! A file cut at any byte reads up to there.

use std::io::Read;
use std::net::SocketAddr;

use bytes::Bytes;

use super::annotation::{self, Section};
pub use super::file::ReadError;
use super::file::{self, Item, Packet};
use super::link;
use super::segment::{self, Segment};
use crate::observation::{Absence, Ending, Flow, Leg, Observation, Opening, Seen, Side};
use crate::time::Timestamp;

/// What could be read of a recording besides its observations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// What the recording says of itself.
    pub section: Section,
    /// Why it is not whole: it breaks off, or was never closed. What stands before that place was handed over.
    pub stopped: Option<String>,
}

/// Reads a recording and hands each observation to `each`, in the order of the file. The first connection in it gets the
/// number `session`, the others those that follow.
///
/// # Errors
/// Only where nothing of the file can be used. A file that breaks off or breaks later gives what stands before.
pub fn read(input: impl Read, session: u32, each: &mut dyn FnMut(Observation)) -> Result<Recording, ReadError> {
    let mut decoder = Decoder { session, ..Decoder::default() };
    let stopped = file::read(input, &mut |item| decoder.item(item, each))?;
    let stopped = decoder.stopped(stopped);
    match decoder.section {
        Some(section) => Ok(Recording { section, stopped }),
        None => Err(ReadError::NotRecording),
    }
}

/// What is known while reading a recording.
#[derive(Default)]
pub struct Decoder {
    /// The first connection's number.
    session: u32,
    section: Option<Section>,
    interfaces: Vec<Interface>,
    /// Those of the part before, until they are named again.
    before: Vec<Interface>,
    frame: u64,
    /// Whether it was closed in order.
    ended: bool,
    /// Whether it says anything besides its packets: a relay does so before it dials.
    annotated: bool,
    /// Parts before the first that was read.
    gone: u32,
}

/// Whatever copies packets leaves off the comments of Interface Statistics Blocks.
const WRITTEN_AGAIN: &str = "another program wrote it again, without its annotations: names that were resolved, timeouts, \
                             path samples and what the proxy did on purpose are gone";

/// The sequence number of a side's first byte: those of a recording are made up, and its SYNs have 0.
const BEGINS: u32 = 1;

/// One interface of the file: one leg of one connection.
struct Interface {
    flow: Flow,
    /// Ethernet; raw IP in older recordings.
    link: u16,
    ends: Option<(SocketAddr, SocketAddr)>,
    opened: bool,
    /// Whether more than the handshake was seen, of a relay that stands before a gateway and whose annotations are gone.
    spoke: bool,
    /// Client, server: the sequence number that comes next, once one was seen.
    next: [Option<u32>; 2],
}

impl Decoder {
    /// Why the recording is not whole, where reading it `stopped` or its recorder did.
    pub fn stopped(&self, stopped: Option<String>) -> Option<String> {
        let why = match (self.ended, self.annotated || self.frame == 0) {
            (true, _) => return stopped,
            (false, true) => "it was never closed",
            (false, false) => WRITTEN_AGAIN,
        };
        stopped.or_else(|| Some(why.to_owned()))
    }

    /// Whether its recorder has closed it.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// What whoever reads it should know besides: that its beginning is not there.
    pub fn notices(&self) -> Vec<String> {
        let begins = self.gone + 1;
        let says = || format!("it begins with part {begins} of its recording: how its sessions began is not in it");
        (self.gone > 0).then(says).into_iter().collect()
    }

    /// Takes one item of the file and hands on what it says.
    ///
    /// # Errors
    /// Where this is no recording of this program.
    pub fn item(&mut self, item: Item<'_>, each: &mut dyn FnMut(Observation)) -> Result<(), ReadError> {
        match item {
            Item::Section { comments } => {
                let section = comments.iter().find_map(|text| Section::decode(text)).ok_or(ReadError::NotRecording)?;
                self.begin(section)?;
            }
            Item::Interface { name, link } => {
                let (leg, connection) = annotation::of_interface(name.as_deref());
                let flow = Flow { session: self.session.saturating_add(connection), leg };
                let known = self.before.iter().position(|interface| interface.flow == flow);
                let known = known.map(|known| self.before.swap_remove(known));
                let interface =
                    known.unwrap_or(Interface { flow, link, ends: None, opened: false, spoke: false, next: [None; 2] });
                self.interfaces.push(Interface { link, ..interface });
            }
            Item::Packet(packet) => self.packet(&packet, each),
            Item::Statistics { interface, at, comments } => self.statistics(interface, at, &comments, each),
            Item::Secrets(_) => {}
        }
        Ok(())
    }

    /// A section begins: the recording, or a further part of it, whose interfaces go on.
    fn begin(&mut self, section: Section) -> Result<(), ReadError> {
        let part = section.part.max(1);
        match self.section.as_ref().map(|before| before.part.max(1)) {
            // Old parts are deleted where there is no room: what is left is read.
            None => self.gone = part - 1,
            Some(read) if part != read.saturating_add(1) => return Err(ReadError::Part(part, read)),
            Some(_) => {}
        }
        self.before = std::mem::take(&mut self.interfaces);
        self.section = Some(section);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>, each: &mut dyn FnMut(Observation)) {
        self.frame += 1;
        let (frame, at) = (self.frame, packet.at);
        let Some(interface) = self.interfaces.get_mut(packet.interface as usize) else { return };
        let Ok(bytes) = link::ip(interface.link, packet.data) else { return };
        let len = packet.original_len.saturating_sub(link::before(packet.data, bytes));
        let Some(segment) = segment::read(bytes, len) else { return };
        let flow = interface.flow;
        // Annotations say so of each leg, before anything that could come here. The section's header is what is left where they
        // are gone.
        if !self.annotated && self.section.as_ref().is_some_and(|section| section.gateway) && interface.speaks(&segment)
        {
            each(Observation { at, flow, frame, seen: Seen::Opening(Opening::Gateway) });
        }
        let is_redacted = self.section.as_ref().is_some_and(|section| section.redacted);
        interface.segment(&segment, is_redacted, &mut |seen| each(Observation { at, flow, frame, seen }));
    }

    fn statistics(&mut self, interface: u32, at: Timestamp, comments: &[String], each: &mut dyn FnMut(Observation)) {
        let Some(interface) = self.interfaces.get_mut(interface as usize) else { return };
        let flow = interface.flow;
        self.ended |= comments.iter().any(|text| text == annotation::END);
        self.annotated |= comments.iter().any(|text| text.starts_with(annotation::PREFIX));
        for seen in comments.iter().filter_map(|text| annotation::decode(text)) {
            if let Seen::Opening(Opening::Joined { client, server }) = seen {
                // Every part says it of what goes on in it.
                if interface.ends.is_some() {
                    continue;
                }
                (interface.ends, interface.opened) = (Some((client, server)), true);
            }
            interface.annotated(&seen);
            each(Observation { at, flow, frame: self.frame, seen });
        }
    }
}

impl Interface {
    /// Whether this is the first segment of a leg behind which nothing comes without an annotation before it: the relay's
    /// own SYN, or what a client says behind its handshake.
    fn speaks(&mut self, segment: &Segment<'_>) -> bool {
        let says = segment.payload_len > 0 || segment.fin || segment.rst;
        let dials = segment.syn && !segment.ack && self.flow.leg == Leg::Back;
        (says || dials) && !std::mem::replace(&mut self.spoke, true)
    }

    fn segment(&mut self, segment: &Segment<'_>, is_redacted: bool, each: &mut dyn FnMut(Seen)) {
        if segment.syn && !segment.ack {
            self.ends = Some((segment.source, segment.destination));
            self.opened = false;
            self.next = [Some(segment.sequence.wrapping_add(1)), None];
            return each(Seen::Opening(Opening::Dialing { client: segment.source, server: segment.destination }));
        }
        let (client, _) = match self.ends {
            Some(ends) => ends,
            None => self.join(segment, each),
        };
        let from = if segment.source == client { Side::Client } else { Side::Server };
        if segment.syn {
            self.opened = true;
            self.next[from as usize] = Some(segment.sequence.wrapping_add(1));
            return each(Seen::Opened);
        }
        if segment.payload_len > 0 && !self.opened {
            // The SYN-ACK was taken out.
            self.opened = true;
            each(Seen::Opened);
        }
        self.gap(from, segment, each);
        self.acknowledged(from.other(), segment, each);
        self.payload(from, segment, is_redacted, each);
        if segment.rst {
            let how = if self.opened { Ending::Reset } else { Ending::Refused };
            let how = if from == Side::Client { Ending::Reset } else { how };
            each(Seen::Closed { from: Some(from), how });
        } else if segment.fin {
            each(Seen::Closed { from: Some(from), how: Ending::Fin });
        }
    }

    /// The SYN was taken out: who answers one is the server, and else the end with the lower port.
    fn join(&mut self, segment: &Segment<'_>, each: &mut dyn FnMut(Seen)) -> (SocketAddr, SocketAddr) {
        let (source, destination) = (segment.source, segment.destination);
        let is_client = !segment.syn && source.port() > destination.port();
        let (client, server) = if is_client { (source, destination) } else { (destination, source) };
        self.ends = Some((client, server));
        self.opened = !segment.syn;
        each(match segment.syn {
            true => Seen::Opening(Opening::Dialing { client, server }),
            false => Seen::Opening(Opening::Joined { client, server }),
        });
        (client, server)
    }

    /// Payload that passed and is neither in a packet nor in an annotation.
    fn gap(&mut self, from: Side, segment: &Segment<'_>, each: &mut dyn FnMut(Seen)) {
        let next = &mut self.next[from as usize];
        let ahead = next.map_or(0, |next| segment.sequence.wrapping_sub(next).cast_signed());
        if let Ok(len) = u64::try_from(ahead)
            && len > 0
        {
            each(Seen::Missing { from, len, why: Absence::Lost });
        }
        if next.is_none() || ahead >= 0 {
            *next = Some(segment.sequence.wrapping_add(segment.payload_len).wrapping_add(u32::from(segment.fin)));
        }
    }

    /// Payload that passed, by what the other side acknowledges, and whose packets were taken out.
    fn acknowledged(&mut self, of: Side, segment: &Segment<'_>, each: &mut dyn FnMut(Seen)) {
        let next = self.next[of as usize].get_or_insert(BEGINS);
        let ahead = segment.acknowledgement.wrapping_sub(*next).cast_signed();
        if let (true, Ok(len)) = (segment.ack && !segment.rst, u64::try_from(ahead))
            && len > 0
        {
            *next = segment.acknowledgement;
            each(Seen::Missing { from: of, len, why: Absence::Lost });
        }
    }

    /// Payload that an annotation tells of leaves a gap in the sequence numbers; what was discarded never passed.
    fn annotated(&mut self, seen: &Seen) {
        let Seen::Missing { from, len, why } = *seen else { return };
        if let Some(next) = self.next[from as usize].as_mut().filter(|_| why != Absence::Discarded) {
            *next = next.wrapping_add(len as u32);
        }
    }

    fn payload(&self, from: Side, segment: &Segment<'_>, is_redacted: bool, each: &mut dyn FnMut(Seen)) {
        if is_redacted && !segment.payload.is_empty() {
            let mut data = segment.payload.to_vec();
            data.resize(data.len().max(segment.payload_len as usize), 0);
            return each(Seen::Bytes { from, data: data.into() });
        }
        let here = segment.payload.len() as u64;
        if here > 0 {
            each(Seen::Bytes { from, data: Bytes::copy_from_slice(segment.payload) });
        }
        let missing = u64::from(segment.payload_len).saturating_sub(here);
        if missing > 0 {
            let mirrored = here == 0 && from == self.flow.leg.relay_side();
            let why = if mirrored { Absence::Mirrored } else { Absence::Snapped };
            each(Seen::Missing { from, len: missing, why });
        }
    }
}
