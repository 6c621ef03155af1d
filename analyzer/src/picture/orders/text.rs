//! Text as glyphs: what a server has the client keep, and draws by number, \[MS-RDPEGDI\] 2.2.2.2.1.2.5 and 2.2.2.2.1.1.2.13.

use std::collections::HashMap;

use super::super::drawn::{Area, Screen};
use super::PATTERN;
use super::fields::Value;
use crate::rdp::wire::at;

/// Caches, and glyphs in each, 2.2.7.1.8 of \[MS-RDPBCGR\].
const CACHES: u8 = 10;
const GLYPHS: u16 = 254;
/// SO_VERTICAL and SO_CHAR_INC_EQUAL_BM_BASE of `flAccel`.
const VERTICAL: i32 = 0x04;
const IMPLICIT: i32 = 0x20;
/// What stands in the place of a glyph: a fragment that is used, and one that is to be kept.
const USE: u8 = 0xfe;
const ADD: u8 = 0xff;

/// Glyphs, and fragments of text.
#[derive(Default)]
pub(super) struct Glyphs {
    glyphs: HashMap<(u8, u8), Glyph>,
    fragments: HashMap<u8, Vec<u8>>,
}

/// One glyph: where it stands from the pen on, and its bits, each row from a byte of its own on.
struct Glyph {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    bits: Vec<u8>,
}

/// Where the next glyph is drawn, and how.
struct Pen<'a> {
    x: i32,
    y: i32,
    flags: i32,
    cache: u8,
    colour: [u8; 3],
    clip: Option<[i32; 4]>,
    screen: &'a mut Screen,
}

impl Glyphs {
    /// Cache Glyph, Revision 1.
    pub(super) fn keep(&mut self, body: &[u8]) -> Option<()> {
        let mut cursor = at(body, 0);
        let (cache, count) = (cursor.u8()?, cursor.u8()?);
        for _ in 0..count {
            let (index, x, y) = (cursor.u16()?, cursor.u16()? as i16, cursor.u16()? as i16);
            let (width, height) = (cursor.u16()?, cursor.u16()?);
            let len = (usize::from(width).div_ceil(8) * usize::from(height)).next_multiple_of(4);
            let bits = cursor.take(len)?.to_vec();
            if cache >= CACHES || index >= GLYPHS {
                return None;
            }
            let glyph = Glyph { x: x.into(), y: y.into(), width: width.into(), height: height.into(), bits };
            self.glyphs.insert((cache, index as u8), glyph);
        }
        Some(())
    }

    /// A GlyphIndex order. Whether all of it was drawn.
    pub(super) fn draw(&mut self, fields: &[Value], clip: Option<[i32; 4]>, screen: &mut Screen) -> bool {
        let number = |place: usize| fields.get(place).map_or(0, |value| value.number);
        let short = |place: usize| i32::from(number(place) as i16);
        let area = |place: usize| Area {
            left: short(place),
            top: short(place + 1),
            width: short(place + 2) - short(place),
            height: short(place + 3) - short(place + 1),
        };
        // The names are the wrong way round: what is called the back is the text's, 2.2.2.2.1.1.2.13.
        let [colour, ground] = [number(4), number(5)].map(|colour| screen.colour(colour));
        let (back, opaque) = (area(6), area(10));
        if opaque.width > 1 {
            screen.paint(opaque, clip, PATTERN, |_, _| ground, None);
        } else if number(3) != 0 {
            screen.paint(back, clip, PATTERN, |_, _| ground, None);
        }
        let (cache, flags) = (number(0) as u8, number(1));
        let mut pen = Pen { x: short(19), y: short(20), flags, cache, colour, clip, screen };
        self.text(fields.last().map_or(&[], |list| &list.bytes[..]), &mut pen)
    }

    fn text(&mut self, text: &[u8], pen: &mut Pen<'_>) -> bool {
        let (mut rest, mut begins, mut is_whole) = (text, text, true);
        while let Some((first, behind)) = rest.split_first() {
            match (*first, behind) {
                (ADD, [index, len, behind @ ..]) => {
                    let fragment = begins.get(..usize::from(*len)).unwrap_or(begins);
                    self.fragments.insert(*index, fragment.to_vec());
                    (rest, begins) = (behind, behind);
                }
                (USE, [index, behind @ ..]) => {
                    let Some(fragment) = self.fragments.get(index) else { return false };
                    // How far the fragment stands from what is before it, unless its own first glyph says so.
                    let by_itself = pen.flags & IMPLICIT != 0 || fragment.get(1).is_some_and(|by| *by != 0);
                    if let Some(by) = behind.first().filter(|_| !by_itself) {
                        pen.go(i32::from(*by));
                    }
                    let mut fragment = &fragment[..];
                    while let Some(behind) = self.glyph(fragment, pen, &mut is_whole) {
                        fragment = behind;
                    }
                    rest = behind.get(1..).unwrap_or_default();
                    begins = rest;
                }
                (ADD | USE, _) => return false,
                _ => rest = self.glyph(rest, pen, &mut is_whole).unwrap_or_default(),
            }
        }
        is_whole
    }

    /// One glyph, and how far it stands from the last; what stands behind it.
    fn glyph<'a>(&self, text: &'a [u8], pen: &mut Pen<'_>, is_whole: &mut bool) -> Option<&'a [u8]> {
        let (index, mut rest) = text.split_first()?;
        if pen.flags & IMPLICIT == 0 {
            rest = match *rest {
                [0x80..=0xff, low, high, ref behind @ ..] => {
                    pen.go(i32::from(low) | i32::from(high) << 8);
                    behind
                }
                [by, ref behind @ ..] => {
                    pen.go(i32::from(by));
                    behind
                }
                [] => rest,
            };
        }
        match self.glyphs.get(&(pen.cache, *index)) {
            Some(glyph) => pen.draw(glyph),
            None => *is_whole = false,
        }
        Some(rest)
    }
}

impl Pen<'_> {
    fn go(&mut self, by: i32) {
        if self.flags & VERTICAL != 0 {
            self.y += by;
        } else {
            self.x += by;
        }
    }

    fn draw(&mut self, glyph: &Glyph) {
        let area = Area { left: self.x + glyph.x, top: self.y + glyph.y, width: glyph.width, height: glyph.height };
        let (there, colour) = (self.screen.copy(area), self.colour);
        let row = (glyph.width as usize).div_ceil(8);
        let pixel = |x: i32, y: i32| {
            let (x, y) = (x - area.left, y - area.top);
            let bits = glyph.bits.get(y as usize * row + x as usize / 8).copied().unwrap_or_default();
            if bits << (x & 7) & 0x80 != 0 { colour } else { there.at(x, y).unwrap_or_default() }
        };
        self.screen.paint(area, self.clip, PATTERN, pixel, None);
        if self.flags & IMPLICIT != 0 {
            self.go(glyph.width);
        }
    }
}
