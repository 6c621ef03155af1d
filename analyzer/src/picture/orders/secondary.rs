//! Secondary drawing orders: what the client keeps for later, \[MS-RDPEGDI\] 2.2.2.2.1.2. Bitmaps are kept; of the others is
//! told which they were.

use std::collections::HashMap;

use super::super::drawn::{Cell, Screen};
use super::super::undrawn::Undrawn;
use super::text::Glyphs;
use crate::rdp::wire::{Cursor, at};

/// What all bitmaps that are kept may take, bytes. Clients offer less.
const MAX_BYTES: usize = 256 << 20;
/// What `orderLength` does not count, 13 bytes, without the header's six, 2.2.2.2.1.2.1.1. It may be less than nothing.
const UNCOUNTED: i32 = 7;
/// BITMAPCACHE_WAITING_LIST_INDEX: for this order alone.
const WAITING: u16 = 0x7fff;

/// The bitmap caches.
#[derive(Default)]
pub(super) struct Caches {
    cells: HashMap<(u8, u16), Cell>,
    bytes: usize,
}

impl Caches {
    /// The cell that a MemBlt names: its cache by the low byte of `cacheId`, 2.2.2.2.1.1.2.9.
    pub(super) fn cell(&self, cache: i32, index: i32) -> Option<&Cell> {
        self.cells.get(&(cache as u8, index as u16))
    }

    /// One order, behind its control flags. `None` where its end is not known.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        glyphs: &mut Glyphs,
        screen: &mut Screen,
        undrawn: &mut Undrawn,
    ) -> Option<()> {
        let (len, flags, kind) = (cursor.u16()?, cursor.u16()?, cursor.u8()?);
        let body = cursor.take(usize::try_from(i32::from(len as i16) + UNCOUNTED).ok()?)?;
        let read = match kind {
            0x00 | 0x02 => self.first(kind == 0x02, flags, body, screen),
            0x04 | 0x05 => self.second(kind == 0x05, flags, body, screen),
            0x01 => return undrawn.told("colour tables of drawing orders"),
            0x03 => match glyphs.keep(body) {
                Some(()) => return Some(()),
                None => return undrawn.told("glyphs (text) that cannot be read"),
            },
            0x07 => return undrawn.told("brushes"),
            0x08 => return undrawn.told("bitmaps of cache revision 3 (a codec in a drawing order)"),
            _ => return undrawn.told("secondary drawing orders of unknown kinds"),
        };
        if read.is_none() {
            undrawn.add("cached bitmaps that cannot be decoded", 1);
        }
        Some(())
    }

    /// Cache Bitmap, Revision 1, 2.2.2.2.1.2.2.
    fn first(&mut self, is_compressed: bool, flags: u16, body: &[u8], screen: &mut Screen) -> Option<()> {
        let mut cursor = at(body, 0);
        let (cache, _pad, width, height) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let (depth, len, index) = (cursor.u8()?, cursor.u16()?, cursor.u16()?);
        // NO_BITMAP_COMPRESSION_HDR
        let has_header = is_compressed && flags & 0x0400 == 0;
        let data = cursor.take(len.into())?;
        let data = if has_header { data.get(8..)? } else { data };
        let cell = screen.decode([width.into(), height.into()], depth.into(), is_compressed, data)?;
        self.keep(cache, index, cell)
    }

    /// Cache Bitmap, Revision 2, 2.2.2.2.1.2.3.
    fn second(&mut self, is_compressed: bool, flags: u16, body: &[u8], screen: &mut Screen) -> Option<()> {
        const HEIGHT_SAME_AS_WIDTH: u16 = 0x01;
        const PERSISTENT_KEY_PRESENT: u16 = 0x02;
        const NO_COMPRESSION_HEADER: u16 = 0x08;
        const DO_NOT_CACHE: u16 = 0x10;
        let (cache, depth, flags) =
            ((flags & 7) as u8, [8, 8, 8, 8, 16, 24, 32][usize::from(flags >> 3 & 15).min(6)], flags >> 7);
        let mut cursor = at(body, 0);
        if flags & PERSISTENT_KEY_PRESENT != 0 {
            cursor.take(8)?;
        }
        let width = short(&mut cursor)?;
        let height = if flags & HEIGHT_SAME_AS_WIDTH != 0 { width } else { short(&mut cursor)? };
        let len = long(&mut cursor)?;
        let index = if flags & DO_NOT_CACHE != 0 {
            _ = short(&mut cursor)?;
            WAITING
        } else {
            short(&mut cursor)?
        };
        let data = cursor.take(usize::try_from(len).ok()?)?;
        let has_header = is_compressed && flags & NO_COMPRESSION_HEADER == 0;
        let data = if has_header { data.get(8..)? } else { data };
        let cell = screen.decode([width, height], depth, is_compressed, data)?;
        self.keep(cache, index, cell)
    }

    fn keep(&mut self, cache: u8, index: u16, cell: Cell) -> Option<()> {
        let before = self.cells.remove(&(cache, index)).map_or(0, |cell| cell.bytes());
        self.bytes -= before;
        if self.bytes + cell.bytes() > MAX_BYTES {
            return None;
        }
        self.bytes += cell.bytes();
        self.cells.insert((cache, index), cell);
        Some(())
    }
}

/// TWO_BYTE_UNSIGNED_ENCODING, 2.2.2.2.1.2.1.2.
fn short(cursor: &mut Cursor<'_>) -> Option<u16> {
    let first = cursor.u8()?;
    let high = u16::from(first & 0x7f);
    if first & 0x80 == 0 { Some(high) } else { Some(high << 8 | u16::from(cursor.u8()?)) }
}

/// FOUR_BYTE_UNSIGNED_ENCODING, 2.2.2.2.1.2.1.4: the two highest bits say how many bytes follow.
fn long(cursor: &mut Cursor<'_>) -> Option<u32> {
    let first = cursor.u8()?;
    let mut number = u32::from(first & 0x3f);
    for _ in 0..first >> 6 {
        number = number << 8 | u32::from(cursor.u8()?);
    }
    Some(number)
}
