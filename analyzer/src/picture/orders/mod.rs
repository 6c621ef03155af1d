//! Drawing orders: what a server says instead of pixels, \[MS-RDPEGDI\] 2.2.2.2. Rectangles, lines, copies from the
//! screen and from the bitmap caches, and text are drawn; of the others is told which they were.

mod fields;
mod secondary;
mod text;

use super::drawn::{Area, Screen};
use super::undrawn::Undrawn;
use crate::rdp::wire::{Cursor, at};
use fields::{KINDS, Kind, Value};
use secondary::Caches;
use text::Glyphs;

/// TS_STANDARD, TS_SECONDARY and the flags of primary orders, 2.2.2.2.1.1.2.
const STANDARD: u8 = 0x01;
const SECONDARY: u8 = 0x02;
const BOUNDS: u8 = 0x04;
const TYPE_CHANGE: u8 = 0x08;
const DELTA_COORDINATES: u8 = 0x10;
const ZERO_BOUNDS_DELTAS: u8 = 0x20;
/// So far up the bits stand that say how many bytes of the field flags are left out as zero.
const ZERO_FIELD_BYTES: u8 = 6;
/// SRCCOPY, as a raster operation's index.
pub(super) const SOURCE: u8 = 0xcc;
/// PATCOPY.
const PATTERN: u8 = 0xf0;
/// GlyphIndex, which draws text.
const TEXT: u8 = 0x1b;
/// R2_COPYPEN, 2.2.2.2.1.1.1.6.
const COPY_PEN: i32 = 13;

/// What the orders so far have said.
pub(super) struct Orders {
    caches: Caches,
    glyphs: Glyphs,
    kind: &'static Kind,
    /// The last fields of each kind.
    last: Vec<Vec<Value>>,
    /// Left, top, right, bottom, all within.
    bounds: [i32; 4],
    /// Whether a surface is drawn on that nobody sees.
    is_offscreen: bool,
}

impl Default for Orders {
    fn default() -> Orders {
        let last = KINDS.iter().map(|kind| vec![Value::default(); kind.fields.len()]).collect();
        // PatBlt is the kind that nobody has to name, 2.2.2.2.1.1.2.
        Orders {
            caches: Caches::default(),
            glyphs: Glyphs::default(),
            kind: &KINDS[1],
            last,
            bounds: [0; 4],
            is_offscreen: false,
        }
    }
}

impl Orders {
    /// So many orders, one behind the other.
    pub(super) fn draw(&mut self, count: u16, orders: &[u8], screen: &mut Screen, undrawn: &mut Undrawn) {
        let mut cursor = at(orders, 0);
        for left in (1..=u64::from(count)).rev() {
            if self.one(&mut cursor, screen, undrawn).is_none() {
                return undrawn.add("drawing orders that cannot be read", left);
            }
        }
    }

    fn one(&mut self, cursor: &mut Cursor<'_>, screen: &mut Screen, undrawn: &mut Undrawn) -> Option<()> {
        let flags = cursor.u8()?;
        match (flags & STANDARD != 0, flags & SECONDARY != 0) {
            (true, true) => self.caches.read(cursor, &mut self.glyphs, screen, undrawn),
            (true, false) => self.primary(flags, cursor, screen, undrawn),
            (false, true) => self.alternate(flags >> 2, cursor, undrawn),
            (false, false) => None,
        }
    }

    /// 2.2.2.2.1.3. Their lengths are known of those alone that are read here.
    fn alternate(&mut self, kind: u8, cursor: &mut Cursor<'_>, undrawn: &mut Undrawn) -> Option<()> {
        match kind {
            0x0 => self.is_offscreen = cursor.u16()? != 0xffff,
            0x1 => {
                undrawn.add("offscreen bitmaps", 1);
                let flags = cursor.u16()?;
                cursor.take(4)?;
                if flags & 0x8000 != 0 {
                    let count = cursor.u16()?;
                    cursor.take(usize::from(count) * 2)?;
                }
            }
            // Frame marker.
            0xd => _ = cursor.take(4)?,
            0xb => {
                undrawn.add("windowing orders (RemoteApp)", 1);
                let len = cursor.u16()?;
                cursor.take(usize::from(len).checked_sub(3)?)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn primary(
        &mut self,
        flags: u8,
        cursor: &mut Cursor<'_>,
        screen: &mut Screen,
        undrawn: &mut Undrawn,
    ) -> Option<()> {
        if flags & TYPE_CHANGE != 0 {
            let number = cursor.u8()?;
            self.kind = KINDS.iter().find(|kind| kind.number == number)?;
        }
        let present = self.present(flags >> ZERO_FIELD_BYTES, cursor)?;
        if flags & BOUNDS != 0 && flags & ZERO_BOUNDS_DELTAS == 0 {
            self.read_bounds(cursor)?;
        }
        let place = KINDS.iter().position(|kind| kind.number == self.kind.number)?;
        let fields = &mut self.last[place];
        for (number, (field, value)) in self.kind.fields.iter().zip(fields).enumerate() {
            if present >> number & 1 != 0 {
                field.read(flags & DELTA_COORDINATES != 0, value, cursor)?;
            }
        }
        let clip = (flags & BOUNDS != 0).then_some(self.bounds);
        let is_drawn = match self.kind.number {
            _ if self.is_offscreen => false,
            TEXT => self.glyphs.draw(&self.last[place], clip, screen),
            _ => self.paint(&self.last[place], clip, screen, undrawn),
        };
        if !is_drawn {
            undrawn.add(self.kind.name, 1);
        }
        Some(())
    }

    /// Which fields are there: a bit each, from the lowest on, in as many bytes as it takes.
    fn present(&self, zero: u8, cursor: &mut Cursor<'_>) -> Option<u32> {
        let len = (self.kind.fields.len() + 1).div_ceil(8);
        let mut flags = 0;
        for byte in 0..len.saturating_sub(zero.into()) {
            flags |= u32::from(cursor.u8()?) << (8 * byte);
        }
        Some(flags)
    }

    /// 2.2.2.2.1.1.1.3: each bound is there as it is, as a difference, or not.
    fn read_bounds(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let flags = cursor.u8()?;
        for (number, bound) in self.bounds.iter_mut().enumerate() {
            if flags >> number & 1 != 0 {
                *bound = i32::from(cursor.u16()? as i16);
            } else if flags >> (number + 4) & 1 != 0 {
                *bound += i32::from(cursor.u8()? as i8);
            }
        }
        Some(())
    }

    /// Whether it could be drawn.
    fn paint(&self, fields: &[Value], clip: Option<[i32; 4]>, screen: &mut Screen, undrawn: &mut Undrawn) -> bool {
        let number = |place: usize| fields.get(place).map_or(0, |value| value.number);
        let area = |place: usize| Area {
            left: number(place),
            top: number(place + 1),
            width: number(place + 2),
            height: number(place + 3),
        };
        match self.kind.number {
            0x00 => screen.paint(area(0), clip, number(4) as u8, |_, _| [0; 3], None),
            0x01 => {
                let colours = [number(5), number(6)].map(|colour| screen.colour(colour));
                let Some(brush) = Brush::new([number(7), number(8)], number(9), number(10), &fields[11], colours)
                else {
                    return false;
                };
                screen.paint(area(0), clip, number(4) as u8, |x, y| brush.at(x, y), None);
            }
            0x02 => {
                let source = screen.copy(Area { left: number(5), top: number(6), ..area(0) });
                screen.paint(area(0), clip, number(4) as u8, |_, _| [0; 3], Some((&source, 0, 0)));
            }
            0x09 if number(6) == COPY_PEN => {
                let colour = screen.colour(number(9));
                let ends = [(number(1), number(2)), (number(3), number(4))];
                line(ends, |x, y| {
                    screen.paint(Area { left: x, top: y, width: 1, height: 1 }, clip, PATTERN, |_, _| colour, None);
                });
            }
            0x0a => {
                let colour = number(4) | number(5) << 8 | number(6) << 16;
                let colour = screen.colour(colour);
                screen.paint(area(0), clip, PATTERN, |_, _| colour, None);
            }
            0x0d | 0x0e => {
                let index = if self.kind.number == 0x0d { number(8) } else { number(15) };
                let Some(cell) = self.caches.cell(number(0), index) else {
                    undrawn.add("bitmaps that the client had from an earlier session, or that are missing", 1);
                    return true;
                };
                let brush = match self.kind.number {
                    0x0d => None,
                    _ => {
                        let colours = [number(8), number(9)].map(|colour| screen.colour(colour));
                        let brush = Brush::new([number(10), number(11)], number(12), number(13), &fields[14], colours);
                        if brush.is_none() {
                            return false;
                        }
                        brush
                    }
                };
                let pattern = |x, y| brush.as_ref().map_or([0; 3], |brush| brush.at(x, y));
                screen.paint(area(1), clip, number(5) as u8, pattern, Some((cell, number(6), number(7))));
            }
            _ => return false,
        }
        true
    }
}

/// What fills an area, 2.2.2.2.1.1.2.3: one colour, or a pattern of two, eight by eight.
struct Brush {
    origin: [i32; 2],
    rows: [u8; 8],
    back: [u8; 3],
    fore: [u8; 3],
}

impl Brush {
    /// `None` of a style that is not drawn: hatched, or cached.
    fn new(origin: [i32; 2], style: i32, hatch: i32, extra: &Value, [back, fore]: [[u8; 3]; 2]) -> Option<Brush> {
        let rows = match style {
            // BS_SOLID
            0 => [0xff; 8],
            // BS_PATTERN: the rows stand from the lowest on, the last of them in the place of the hatch.
            3 => {
                let mut rows = [0; 8];
                rows[7] = hatch as u8;
                for (row, byte) in rows[..7].iter_mut().rev().zip(&extra.bytes) {
                    *row = *byte;
                }
                rows
            }
            _ => return None,
        };
        Some(Brush { origin, rows, back, fore })
    }

    fn at(&self, x: i32, y: i32) -> [u8; 3] {
        let (x, y) = ((x - self.origin[0]) & 7, (y - self.origin[1]) & 7);
        let is_set = self.rows[y as usize] << x & 0x80 != 0;
        if is_set { self.fore } else { self.back }
    }
}

/// Every point of a line but its last, as Windows draws it (Bresenham). Both ends are 16-bit numbers.
fn line([(mut x, mut y), (to_x, to_y)]: [(i32, i32); 2], mut point: impl FnMut(i32, i32)) {
    let (width, height) = ((to_x - x).abs(), (to_y - y).abs());
    let (step_x, step_y) = ((to_x - x).signum(), (to_y - y).signum());
    let mut error = width - height;
    while (x, y) != (to_x, to_y) {
        point(x, y);
        let twice = 2 * error;
        if twice > -height {
            error -= height;
            x += step_x;
        }
        if twice < width {
            error += width;
            y += step_y;
        }
    }
}

#[cfg(test)]
mod tests;
