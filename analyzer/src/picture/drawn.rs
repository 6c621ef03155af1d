//! The frame buffer, and what draws on it: the decoders of `ironrdp-session` and `ironrdp-graphics` for bitmaps, surface
//! commands and pointers, and areas of one colour or one source for drawing orders. The only room that names those two.
//!
//! What goes in is cut into single rectangles and commands before, so that what they refuse is one of them, and has a name.
//! They are not meant to panic; should one do, it costs one update, which is counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ironrdp_core::{WriteBuf, decode};
use ironrdp_egfx::client::GraphicsPipelineClient;
use ironrdp_graphics::image_processing::PixelFormat;
use ironrdp_graphics::pointer::DecodedPointer;
use ironrdp_pdu::bitmap::{BitmapData, BitmapUpdateData, Compression};
use ironrdp_pdu::fast_path::{FastPathUpdate, UpdateCode};
use ironrdp_pdu::geometry::InclusiveRectangle;
use ironrdp_session::composite_graphics_pipeline;
use ironrdp_session::fast_path::{Processor, ProcessorBuilder, UpdateKind};
use ironrdp_session::image::DecodedImage;

use super::pointer::{Pointer, Shape};
use super::undrawn::Undrawn;
use crate::rdp::wire::{Cursor, at};

/// More pixels than any desktop has: what a peer claims beyond is not believed.
pub(super) const MAX_PIXELS: usize = 1 << 26;
/// A fast-path update holds less, \[MS-RDPBCGR\] 2.2.9.1.2: longer ones are handed on in fragments.
const FRAGMENT: usize = 16_000;

/// `updateCode`, \[MS-RDPBCGR\] 2.2.9.1.2.1.
pub(super) mod code {
    pub const ORDERS: u8 = 0x0;
    pub const BITMAP: u8 = 0x1;
    pub const PALETTE: u8 = 0x2;
    pub const SYNCHRONIZE: u8 = 0x3;
    pub const SURFACE: u8 = 0x4;
    pub const POINTER_HIDDEN: u8 = 0x5;
    pub const POINTER_DEFAULT: u8 = 0x6;
    pub const POINTER_POSITION: u8 = 0x8;
    pub const POINTER_COLOUR: u8 = 0x9;
    pub const POINTER_CACHED: u8 = 0xa;
    pub const POINTER_NEW: u8 = 0xb;
    pub const POINTER_LARGE: u8 = 0xc;
}

/// An area of the screen, as orders name it: anywhere, and of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub left: i32,
    pub top: i32,
    pub width: i32,
    pub height: i32,
}

/// Pixels that are kept, RGBA.
#[derive(Debug)]
pub(super) struct Cell {
    width: i32,
    height: i32,
    pixels: Vec<u8>,
}

impl Cell {
    pub(super) fn bytes(&self) -> usize {
        self.pixels.len()
    }

    pub(super) fn at(&self, x: i32, y: i32) -> Option<[u8; 3]> {
        let is_inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        let place = is_inside.then_some(4 * (y * self.width + x) as usize)?;
        self.pixels.get(place..place + 3)?.first_chunk().copied()
    }
}

/// A rectangle that changed: left, top, and the right and bottom edges, which do not belong to it.
pub(super) type Changed = [u16; 4];

/// The screen of a session.
pub(super) struct Screen {
    image: DecodedImage,
    decoders: Processor,
    /// Bits per pixel of the session: how colours are written.
    depth: u16,
    palette: Vec<[u8; 3]>,
    pub(super) pointer: Pointer,
    changed: Vec<Changed>,
}

impl Screen {
    /// A black one. `None` where nobody has so large a one, or one of nothing.
    pub(super) fn new(width: u16, height: u16, depth: u16) -> Option<Screen> {
        let pixels = usize::from(width) * usize::from(height);
        (1..=MAX_PIXELS).contains(&pixels).then(|| Screen {
            image: DecodedImage::new(PixelFormat::RgbA32, width, height),
            decoders: decoders(),
            depth,
            palette: vec![[0; 3]; 256],
            pointer: Pointer::default(),
            changed: vec![[0, 0, width, height]],
        })
    }

    pub(super) fn size(&self) -> (u16, u16) {
        (self.image.width(), self.image.height())
    }

    /// All pixels, RGBA, row by row. Alpha says nothing.
    pub(super) fn pixels(&self) -> &[u8] {
        self.image.data()
    }

    /// What changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> Vec<Changed> {
        std::mem::take(&mut self.changed)
    }

    /// One whole update, out of its fragments and its compression. Orders are not drawn here.
    pub(super) fn update(&mut self, code: u8, data: &[u8], undrawn: &mut Undrawn) {
        match code {
            code::BITMAP => self.bitmaps(data, undrawn),
            code::SURFACE => self.surface(data, undrawn),
            code::PALETTE => {
                self.learn_palette(data);
                self.guarded("palettes that cannot be read", undrawn, |screen| screen.process(code, data));
            }
            code::SYNCHRONIZE => {}
            code::POINTER_HIDDEN..=code::POINTER_DEFAULT | code::POINTER_POSITION..=code::POINTER_LARGE => {
                self.guarded("pointers that cannot be decoded", undrawn, |screen| screen.point(code, data));
            }
            _ => undrawn.add("updates of unknown kinds", 1),
        }
    }

    /// What the graphics pipeline has finished.
    pub(super) fn composite(&mut self, pipeline: &mut GraphicsPipelineClient, undrawn: &mut Undrawn) {
        self.guarded("graphics pipeline frames that do not fit", undrawn, |screen| {
            let drawn = composite_graphics_pipeline(pipeline, &mut screen.image).ok()?;
            if drawn.reset {
                let (width, height) = screen.size();
                screen.changed.push([0, 0, width, height]);
            }
            screen.changed.extend(drawn.regions.iter().map(exclusive));
            drawn.window_updates.is_empty().then_some(())
        });
    }

    /// Does it, and counts it where it cannot be done.
    fn guarded(&mut self, name: &'static str, undrawn: &mut Undrawn, draw: impl FnOnce(&mut Screen) -> Option<()>) {
        match catch_unwind(AssertUnwindSafe(|| draw(self))) {
            Ok(Some(())) => {}
            Ok(None) => undrawn.add(name, 1),
            Err(_panic) => {
                // What they remember cannot be trusted any more.
                self.decoders = decoders();
                undrawn.add("updates on which a decoder failed", 1);
            }
        }
    }

    /// TS_UPDATE_BITMAP_DATA, 2.2.9.1.1.3.1.2: each rectangle by itself.
    fn bitmaps(&mut self, data: &[u8], undrawn: &mut Undrawn) {
        let Ok(update) = decode::<BitmapUpdateData<'_>>(data) else {
            return undrawn.add("bitmap updates that cannot be read", 1);
        };
        for bitmap in update.rectangles {
            self.guarded("bitmaps that cannot be decoded", undrawn, |screen| screen.bitmap(bitmap));
        }
    }

    fn bitmap(&mut self, bitmap: BitmapData<'_>) -> Option<()> {
        let update = BitmapUpdateData { rectangles: vec![bitmap] };
        let updates = self.decoders.process_bitmap_update(&mut self.image, update).ok()?;
        let regions = updates.iter().filter_map(|update| match update {
            UpdateKind::Region(region) => Some(exclusive(region)),
            _ => None,
        });
        let before = self.changed.len();
        self.changed.extend(regions);
        (self.changed.len() > before).then_some(())
    }

    /// Surface commands, 2.2.9.1.2.1.10: each by itself.
    fn surface(&mut self, data: &[u8], undrawn: &mut Undrawn) {
        let mut cursor = at(data, 0);
        while !cursor.rest.is_empty() {
            let begins = cursor.rest;
            let Some(command) = Command::read(&mut cursor) else {
                return undrawn.add("surface commands that cannot be read", 1);
            };
            let whole = begins.get(..begins.len() - cursor.rest.len()).unwrap_or_default();
            match command {
                Command::Marker => {}
                Command::Bits { codec, area } => {
                    if let Some(name) = missing_codec(codec) {
                        undrawn.add(name, 1);
                    } else if !self.has(area) {
                        undrawn.add("surface commands beyond the screen", 1);
                    } else {
                        let name = "surface commands that cannot be decoded";
                        self.guarded(name, undrawn, |screen| screen.process(code::SURFACE, whole));
                    }
                }
            }
        }
    }

    fn has(&self, [left, top, right, bottom]: [u16; 4]) -> bool {
        let (width, height) = self.size();
        left < right && top < bottom && right <= width && bottom <= height
    }

    /// One update through the decoders' own entrance, as a fast-path PDU of one update or several fragments.
    fn process(&mut self, code: u8, data: &[u8]) -> Option<()> {
        let count = data.chunks(FRAGMENT).len();
        for (number, fragment) in data.chunks(FRAGMENT).enumerate() {
            let fragmentation = match (number, number + 1 == count) {
                (0, true) => 0,
                (_, true) => 1,
                (0, false) => 2,
                (_, false) => 3,
            };
            let mut pdu = vec![0];
            pdu.extend((0x8000 | (fragment.len() as u16 + 6)).to_be_bytes());
            pdu.push(code | fragmentation << 4);
            pdu.extend((fragment.len() as u16).to_le_bytes());
            pdu.extend(fragment);
            let updates = self.decoders.process(&mut self.image, &pdu, &mut WriteBuf::new(), &mut None).ok()?;
            for update in updates {
                match update {
                    // Nothing fitted where it says 0 by 0; a pixel too many costs nothing.
                    UpdateKind::Region(region) => self.changed.push(exclusive(&region)),
                    UpdateKind::None => return None,
                    _ => {}
                }
            }
        }
        Some(())
    }

    fn point(&mut self, code: u8, data: &[u8]) -> Option<()> {
        let kind = match code {
            code::POINTER_HIDDEN => UpdateCode::HiddenPointer,
            code::POINTER_DEFAULT => UpdateCode::DefaultPointer,
            code::POINTER_POSITION => UpdateCode::PositionPointer,
            code::POINTER_COLOUR => UpdateCode::ColorPointer,
            code::POINTER_CACHED => UpdateCode::CachedPointer,
            code::POINTER_NEW => UpdateCode::NewPointer,
            _ => UpdateCode::LargePointer,
        };
        let Ok(FastPathUpdate::Pointer(update)) = FastPathUpdate::decode_with_code(data, kind) else { return None };
        let is_shape = matches!(code, code::POINTER_COLOUR..=code::POINTER_LARGE);
        let updates = self.decoders.process_pointer_update(&mut self.image, update).ok()?;
        let mut was_shown = false;
        for update in updates {
            match update {
                UpdateKind::PointerHidden if !is_shape => self.pointer.shape = Shape::Hidden,
                UpdateKind::PointerDefault => self.pointer.shape = Shape::Default,
                UpdateKind::PointerPosition { x, y } => self.pointer.at = Some((x, y)),
                UpdateKind::PointerBitmap(bitmap) => {
                    self.pointer.shape = shape(&bitmap);
                    was_shown = true;
                }
                _ => {}
            }
        }
        (was_shown || !is_shape).then_some(())
    }

    fn learn_palette(&mut self, data: &[u8]) {
        let colours = data.get(8..).unwrap_or_default().chunks_exact(3);
        for (entry, colour) in self.palette.iter_mut().zip(colours) {
            *entry = [colour[0], colour[1], colour[2]];
        }
    }

    /// A bitmap on its own: `None` where it cannot be decoded.
    pub(super) fn decode(
        &mut self,
        [width, height]: [u16; 2],
        depth: u16,
        is_compressed: bool,
        data: &[u8],
    ) -> Option<Cell> {
        if width == 0 || height == 0 || usize::from(width) * usize::from(height) > MAX_PIXELS / 16 {
            return None;
        }
        let mut image = DecodedImage::new(PixelFormat::RgbA32, width, height);
        let flags = if is_compressed {
            Compression::BITMAP_COMPRESSION | Compression::NO_BITMAP_COMPRESSION_HDR
        } else {
            Compression::empty()
        };
        let bitmap = BitmapData {
            rectangle: InclusiveRectangle { left: 0, top: 0, right: width - 1, bottom: height - 1 },
            width,
            height,
            bits_per_pixel: depth,
            compression_flags: flags,
            compressed_data_header: None,
            bitmap_data: data,
        };
        let update = BitmapUpdateData { rectangles: vec![bitmap] };
        let decoders = &mut self.decoders;
        let drawn = catch_unwind(AssertUnwindSafe(|| decoders.process_bitmap_update(&mut image, update))).ok()?.ok()?;
        let is_drawn = drawn.iter().any(|update| matches!(update, UpdateKind::Region(_)));
        is_drawn.then(|| Cell { width: width.into(), height: height.into(), pixels: image.data().to_vec() })
    }

    /// A colour of an order, \[MS-RDPEGDI\] 2.2.2.2.1.1.1.8, in the session's depth.
    pub(super) fn colour(&self, value: i32) -> [u8; 3] {
        let value = value as u32;
        let wide = |part: u32, bits: u32| {
            let part = part & ((1 << bits) - 1);
            (part << (8 - bits) | part >> (2 * bits - 8)) as u8
        };
        match self.depth {
            8 => self.palette[(value & 0xff) as usize],
            15 => [wide(value >> 10, 5), wide(value >> 5, 5), wide(value, 5)],
            16 => [wide(value >> 11, 5), wide(value >> 5, 6), wide(value, 5)],
            _ => [value as u8, (value >> 8) as u8, (value >> 16) as u8],
        }
    }

    /// What is there now, as a source; what lies beyond the screen is black.
    pub(super) fn copy(&self, area: Area) -> Cell {
        let (width, height) = self.size();
        let whole = |x: i32, y: i32| {
            let is_inside = (0..width.into()).contains(&x) && (0..height.into()).contains(&y);
            let place = is_inside.then_some(4 * (y as usize * usize::from(width) + x as usize));
            place.and_then(|place| self.pixels().get(place..place + 4)).unwrap_or(&[0; 4])
        };
        let (columns, rows) = (area.width.clamp(0, width.into()), area.height.clamp(0, height.into()));
        let mut pixels = Vec::with_capacity(4 * (columns * rows) as usize);
        for y in 0..rows {
            (0..columns).for_each(|x| pixels.extend(whole(area.left + x, area.top + y)));
        }
        Cell { width: columns, height: rows, pixels }
    }

    /// A ternary raster operation (\[MS-RDPEGDI\] 2.2.2.2.1.1.1.7) over an area: of what is there, of a pattern by its place
    /// on the screen, and of a source from this place in it on. Bounds are inclusive.
    pub(super) fn paint(
        &mut self,
        area: Area,
        clip: Option<[i32; 4]>,
        operation: u8,
        pattern: impl Fn(i32, i32) -> [u8; 3],
        source: Option<(&Cell, i32, i32)>,
    ) {
        let (width, height) = self.size();
        let clip = clip.unwrap_or([0, 0, i32::MAX - 1, i32::MAX - 1]);
        let (left, top) = (area.left.max(clip[0]).max(0), area.top.max(clip[1]).max(0));
        let right = (area.left + area.width).min(clip[2] + 1).min(width.into());
        let bottom = (area.top + area.height).min(clip[3] + 1).min(height.into());
        if left >= right || top >= bottom {
            return;
        }
        let mut pixels = Vec::with_capacity(4 * ((right - left) * (bottom - top)) as usize);
        // Bitmaps stand bottom up.
        for y in (top..bottom).rev() {
            for x in left..right {
                let place = 4 * (y as usize * usize::from(width) + x as usize);
                let there = &self.image.data()[place..place + 3];
                let from =
                    source.and_then(|(cell, from_x, from_y)| cell.at(from_x + x - area.left, from_y + y - area.top));
                // A source that ends before the area leaves what is there.
                let result = match (source, from) {
                    (Some(_), None) => [there[0], there[1], there[2]],
                    (_, from) => raster(operation, pattern(x, y), from.unwrap_or_default(), there),
                };
                pixels.extend([result[2], result[1], result[0], 0xff]);
            }
        }
        let edges = [left, top, right, bottom].map(|edge| edge as u16);
        self.put(edges, &pixels);
    }

    /// Pixels as the decoders know them best: 32 bits, blue first.
    fn put(&mut self, [left, top, right, bottom]: [u16; 4], pixels: &[u8]) {
        let bitmap = BitmapData {
            rectangle: InclusiveRectangle { left, top, right: right - 1, bottom: bottom - 1 },
            width: right - left,
            height: bottom - top,
            bits_per_pixel: 32,
            compression_flags: Compression::empty(),
            compressed_data_header: None,
            bitmap_data: pixels,
        };
        // INVARIANT: cut to the screen, and of as many pixels: nothing that could be refused.
        let _drawn = self.bitmap(bitmap);
    }
}

/// One bit of the operation for each combination of pattern, source and destination.
fn raster(operation: u8, pattern: [u8; 3], source: [u8; 3], there: &[u8]) -> [u8; 3] {
    let mix = |part: usize| {
        let (p, s, d) = (pattern[part], source[part], there[part]);
        let of = |bit: u8| {
            let chosen = |is: u8, value: u8| if is != 0 { value } else { !value };
            chosen(bit & 4, p) & chosen(bit & 2, s) & chosen(bit & 1, d)
        };
        (0..8).filter(|bit| operation >> bit & 1 != 0).fold(0, |all, bit| all | of(bit))
    };
    match operation {
        super::orders::SOURCE => source,
        _ => [mix(0), mix(1), mix(2)],
    }
}

fn exclusive(region: &InclusiveRectangle) -> Changed {
    [region.left, region.top, region.right.saturating_add(1), region.bottom.saturating_add(1)]
}

fn decoders() -> Processor {
    // The ids are for answers, which nobody sends.
    ProcessorBuilder {
        io_channel_id: 0,
        user_channel_id: 0,
        share_id: 0,
        enable_server_pointer: true,
        pointer_software_rendering: false,
    }
    .build()
}

fn shape(pointer: &Arc<DecodedPointer>) -> Shape {
    let [width, height, x, y] = [pointer.width, pointer.height, pointer.hotspot_x, pointer.hotspot_y];
    Shape::Bitmap { size: (width, height), hot: (x, y), pixels: pointer.bitmap_data.clone().into() }
}

/// A surface command, as far as it must be known here.
enum Command {
    Marker,
    Bits { codec: u8, area: [u16; 4] },
}

impl Command {
    fn read(cursor: &mut Cursor<'_>) -> Option<Command> {
        match cursor.u16()? {
            // CMDTYPE_SET_SURFACE_BITS, CMDTYPE_STREAM_SURFACE_BITS
            1 | 6 => {
                let area = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
                let (_bpp, flags, _reserved, codec) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
                let (_width, _height, len) = (cursor.u16()?, cursor.u16()?, cursor.u32()?);
                // EX_COMPRESSED_BITMAP_HEADER_PRESENT
                cursor.take(if flags & 1 != 0 { 24 } else { 0 })?;
                cursor.take(usize::try_from(len).ok()?)?;
                Some(Command::Bits { codec, area })
            }
            // CMDTYPE_FRAME_MARKER
            4 => cursor.take(6).map(|_| Command::Marker),
            _ => None,
        }
    }
}

/// What is told of a codec that is not drawn. Ids as Windows and FreeRDP give them, 2.2.7.2.10.1.1.
fn missing_codec(codec: u8) -> Option<&'static str> {
    match codec {
        0 | 3 => None,
        1 => Some("NSCodec surface commands"),
        4 => Some("image RemoteFX surface commands"),
        _ => Some("surface commands of an unknown codec"),
    }
}
