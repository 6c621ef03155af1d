//! The screen of a session, from what its server said in clear: lines of a transcript in, a frame buffer with the places
//! that changed out, and by name what could not be drawn. It holds what the customer saw: none of it is ever logged.

mod drawn;
pub mod encoded;
pub mod film;
mod framing;
mod orders;
mod pipeline;
mod pointer;
mod undrawn;

use ironrdp_bulk::{BulkCompressor, CompressionType};

use crate::event::What;
use crate::observation::Side;
use crate::rdp::wire::{Cursor, at};
use crate::transcript::{Line, Said};
use drawn::{Changed, Screen, code};
use framing::{Framing, Pdu};
use orders::Orders;
use pipeline::Pipeline;
pub use pointer::{Pointer, Shape};
pub use undrawn::Undrawn;

/// The longest update that is put together from fragments, bytes: more than any screen takes.
const MAX_UPDATE: usize = 64 << 20;
/// The static channel of the dynamic ones, \[MS-RDPEDYC\] 2.1.
const DYNAMIC: &str = "drdynvc";
/// PACKET_COMPRESSED, PACKET_AT_FRONT and PACKET_FLUSHED of `compressedType`, \[MS-RDPBCGR\] 3.1.8.2.1.
const COMPRESSION: u8 = 0xe0;
const FLUSHED: u8 = 0x80;

/// The picture of one session.
#[derive(Default)]
pub struct Picture {
    screen: Option<Screen>,
    channels: Channels,
    server: Framing,
    client: Framing,
    /// An update that came in fragments so far: its code, its bytes.
    fragments: Option<(u8, Vec<u8>)>,
    history: History,
    orders: Orders,
    pipeline: Pipeline,
    undrawn: Undrawn,
    /// Holes in what the server said, and how many bytes are in them.
    holes: (u64, u64),
}

/// The channels that draw.
#[derive(Debug, Default)]
struct Channels {
    /// Where among the client's static channels the one of the dynamic channels is.
    place: Option<usize>,
    io: Option<u16>,
    dynamic: Option<u16>,
}

/// What a server's bulk compression goes back to.
struct History {
    bulk: BulkCompressor,
    /// Whether something is missing in it.
    is_torn: bool,
    is_used: bool,
}

impl Default for History {
    fn default() -> History {
        History { bulk: BulkCompressor::new(CompressionType::Rdp61), is_torn: false, is_used: false }
    }
}

impl Picture {
    /// Learns from an event of the same session which channels there are. Events come before the lines of their step.
    pub fn learn(&mut self, what: &What) {
        match what {
            What::ClientSettings(settings) => {
                self.channels.place = settings.channels.iter().position(|name| name.eq_ignore_ascii_case(DYNAMIC));
            }
            What::ServerSettings(settings) => {
                self.channels.io = settings.io_channel;
                self.channels.dynamic = self.channels.place.and_then(|place| settings.channels.get(place)).copied();
            }
            _ => {}
        }
    }

    /// Takes what a side said.
    pub fn push(&mut self, line: &Line) {
        match (line.from, &line.said) {
            (Side::Client, Said::Bytes(bytes)) => {
                let Some(screen) = &mut self.screen else { return };
                self.client.push(line.from, bytes);
                while let Some(pdu) = self.client.next() {
                    if let Pdu::FastPath(pdu) = &pdu
                        && let Some(place) = pointer::place(pdu)
                    {
                        screen.pointer.at = Some(place);
                    }
                }
            }
            (Side::Client, Said::Missing(_)) => self.client.tear(),
            // Whoever has no channel has said nothing of a screen.
            (Side::Server, _) if self.channels.io.is_none() => {}
            (Side::Server, Said::Bytes(bytes)) => {
                self.server.push(line.from, bytes);
                while let Some(pdu) = self.server.next() {
                    match pdu {
                        Pdu::FastPath(pdu) => self.fast_path(&pdu),
                        Pdu::Tpkt(pdu) => _ = self.send_data(&pdu),
                    }
                }
            }
            (Side::Server, Said::Missing(len)) => self.tear(*len),
        }
    }

    /// Width and height of the desktop, once there is one.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.screen.as_ref().map(Screen::size)
    }

    /// The pixels, RGBA, row by row; empty before there is a desktop. Alpha says nothing.
    pub fn pixels(&self) -> &[u8] {
        self.screen.as_ref().map_or(&[], Screen::pixels)
    }

    /// The pointer.
    pub fn pointer(&self) -> Option<&Pointer> {
        self.screen.as_ref().map(|screen| &screen.pointer)
    }

    /// What was not drawn so far.
    pub fn undrawn(&self) -> &Undrawn {
        &self.undrawn
    }

    /// Holes in what the server said, and how many bytes are in them.
    pub fn holes(&self) -> (u64, u64) {
        self.holes
    }

    fn take_changed(&mut self) -> Vec<Changed> {
        self.screen.as_mut().map(Screen::take_changed).unwrap_or_default()
    }

    fn tear(&mut self, len: u64) {
        self.holes = (self.holes.0 + 1, self.holes.1 + len);
        self.server.tear();
        self.fragments = None;
        self.history.is_torn = self.history.is_used;
        self.pipeline.tear();
    }

    /// A fast-path output PDU, \[MS-RDPBCGR\] 2.2.9.1.2.
    fn fast_path(&mut self, pdu: &[u8]) {
        let [first, long, ..] = *pdu else { return };
        // FASTPATH_OUTPUT_ENCRYPTED
        if first & 0x80 != 0 {
            return self.undrawn.add("updates that Standard RDP Security encrypts", 1);
        }
        let mut cursor = at(pdu, if long & 0x80 != 0 { 3 } else { 2 });
        while !cursor.rest.is_empty() {
            if self.fast_path_update(&mut cursor).is_none() {
                return self.undrawn.add("fast-path updates that cannot be read", 1);
            }
        }
    }

    /// One update of several, 2.2.9.1.2.1.
    fn fast_path_update(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let header = cursor.u8()?;
        // FASTPATH_OUTPUT_COMPRESSION_USED
        let compression = if header >> 6 == 2 { cursor.u8()? } else { 0 };
        let len = cursor.u16()?;
        let data = cursor.take(len.into())?;
        let code = header & 0xf;
        let Some(data) = self.history.open(compression, data, &mut self.undrawn) else {
            self.fragments = None;
            return Some(());
        };
        match (header >> 4 & 3, self.fragments.take()) {
            (0, _) => self.update(code, &data),
            (2, _) => self.fragments = Some((code, data)),
            (last_or_next, Some((begun, mut before))) if begun == code && before.len() + data.len() <= MAX_UPDATE => {
                before.extend(data);
                match last_or_next {
                    1 => self.update(code, &before),
                    _ => self.fragments = Some((code, before)),
                }
            }
            _ => self.undrawn.add("fragments of updates without a beginning", 1),
        }
        Some(())
    }

    /// MCS Send Data Indication, T.125: on the I/O channel the share, on another the dynamic channels.
    fn send_data(&mut self, pdu: &[u8]) -> Option<()> {
        let mut cursor = at(pdu, 4);
        // X.224 Data, then the choice 26.
        if cursor.take(3)?[1] != 0xf0 || cursor.u8()? >> 2 != 26 {
            return None;
        }
        cursor.take(2)?;
        let channel = cursor.u16()?.swap_bytes();
        cursor.take(1)?;
        if cursor.u8()? & 0x80 != 0 {
            cursor.u8()?;
        }
        if Some(channel) == self.channels.dynamic {
            let screen = self.screen.as_mut()?;
            self.pipeline.push(cursor.rest, screen, &mut self.undrawn);
        } else if Some(channel) == self.channels.io {
            // Servers put several PDUs into one.
            while self.share(&mut cursor).is_some() {}
        }
        Some(())
    }

    /// One share control PDU, 2.2.8.1.1.1.1.
    fn share(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let len = at(cursor.rest, 0).u16()?;
        let mut pdu = at(cursor.take(len.into())?, 2);
        let kind = pdu.u16()?;
        pdu.u16()?;
        match kind & 0xf {
            1 => self.demand_active(&mut pdu),
            7 => self.share_data(&mut pdu),
            _ => Some(()),
        }
        .or(Some(()))
    }

    /// Demand Active, 2.2.1.13.1: the bitmap capability set has the desktop's size, 2.2.7.1.2.
    fn demand_active(&mut self, pdu: &mut Cursor<'_>) -> Option<()> {
        pdu.u32()?;
        let name = pdu.u16()?;
        pdu.u16()?;
        pdu.take(name.into())?;
        let count = pdu.u16()?;
        pdu.u16()?;
        for _ in 0..count {
            let (kind, len) = (pdu.u16()?, pdu.u16()?);
            let mut set = at(pdu.take(usize::from(len).checked_sub(4)?)?, 0);
            if kind == 2 {
                let depth = set.u16()?;
                set.take(6)?;
                let size = (set.u16()?, set.u16()?);
                self.activate(size, depth);
            }
        }
        Some(())
    }

    /// A session begins, or begins anew with another size. The decoders begin anew; what channels said goes on.
    fn activate(&mut self, (width, height): (u16, u16), depth: u16) {
        let pointer = self.screen.take().map(|screen| screen.pointer);
        self.screen = Screen::new(width, height, depth);
        match (&mut self.screen, pointer) {
            (Some(screen), Some(pointer)) => screen.pointer = pointer,
            (Some(_), None) => {}
            (None, _) => self.undrawn.add("desktops of a size that cannot be", 1),
        }
        self.orders = Orders::default();
        self.fragments = None;
    }

    /// A share data PDU, 2.2.8.1.1.1.2. Only what draws is read; what is compressed all the same, for what comes after it.
    fn share_data(&mut self, pdu: &mut Cursor<'_>) -> Option<()> {
        pdu.take(8)?;
        let (kind, compression) = (pdu.u8()?, pdu.u8()?);
        pdu.u16()?;
        let data = self.history.open(compression, pdu.rest, &mut self.undrawn)?;
        let mut body = at(&data, 0);
        match kind {
            // PDUTYPE2_UPDATE, 2.2.9.1.1.3
            2 => match at(&data, 0).u16()? {
                0 => {
                    body.take(4)?;
                    let (count, _pad) = (body.u16()?, body.u16()?);
                    self.draw(count, body.rest);
                }
                1 => self.update(code::BITMAP, &data),
                2 => self.update(code::PALETTE, &data),
                _ => {}
            },
            // PDUTYPE2_POINTER, 2.2.9.1.1.4: the same bodies by other numbers.
            27 => {
                let message = body.u16()?;
                body.u16()?;
                let code = match message {
                    1 if body.u32()? == 0 => code::POINTER_HIDDEN,
                    1 => code::POINTER_DEFAULT,
                    3 => code::POINTER_POSITION,
                    6 => code::POINTER_COLOUR,
                    7 => code::POINTER_CACHED,
                    8 => code::POINTER_NEW,
                    9 => code::POINTER_LARGE,
                    _ => return None,
                };
                self.update(code, body.rest);
            }
            _ => {}
        }
        Some(())
    }

    fn update(&mut self, code: u8, data: &[u8]) {
        if code == code::ORDERS {
            let mut cursor = at(data, 0);
            if let Some(count) = cursor.u16() {
                self.draw(count, cursor.rest);
            }
        } else if let Some(screen) = &mut self.screen {
            screen.update(code, data, &mut self.undrawn);
        }
    }

    fn draw(&mut self, count: u16, orders: &[u8]) {
        if let Some(screen) = &mut self.screen {
            self.orders.draw(count, orders, screen, &mut self.undrawn);
        }
    }
}

impl History {
    /// The bytes out of their compression. `None` where they cannot be had; that is counted.
    fn open(&mut self, compression: u8, data: &[u8], undrawn: &mut Undrawn) -> Option<Vec<u8>> {
        if compression & COMPRESSION == 0 {
            return Some(data.to_vec());
        }
        self.is_used = true;
        self.is_torn &= compression & FLUSHED == 0;
        if self.is_torn {
            undrawn.add("compressed updates behind a hole", 1);
            return None;
        }
        let bulk = &mut self.bulk;
        let open = std::panic::AssertUnwindSafe(|| bulk.decompress(data, compression.into()).ok().map(<[u8]>::to_vec));
        let opened = std::panic::catch_unwind(open).ok().flatten();
        if opened.is_none() {
            undrawn.add("compressed updates that cannot be opened", 1);
            self.is_torn = true;
        }
        opened
    }
}

#[cfg(test)]
mod tests;
