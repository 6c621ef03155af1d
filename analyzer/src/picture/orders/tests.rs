//! Drawing orders, byte by byte.

use super::*;

fn screen(depth: u16) -> Screen {
    Screen::new(16, 16, depth).expect("a screen")
}

fn draw(orders: &[&[u8]], screen: &mut Screen) -> Vec<(&'static str, u64)> {
    let mut undrawn = Undrawn::default();
    Orders::default().draw(orders.len() as u16, &orders.concat(), screen, &mut undrawn);
    undrawn.iter().collect()
}

fn pixel(screen: &Screen, x: usize, y: usize) -> [u8; 3] {
    screen.pixels()[4 * (16 * y + x)..][..3].try_into().expect("a pixel")
}

/// Standard, type change; OpaqueRect at 2, 3, of 4 by 5.
const RECT: &[u8] = &[0x09, 0x0a, 0x7f, 2, 0, 3, 0, 4, 0, 5, 0, 10, 20, 30];

#[test]
fn an_order_says_what_differs_from_the_last_of_its_kind() {
    let mut screen = screen(32);
    // The same again, eight further right, by a difference of one byte: only x is there.
    let again = [0x11, 0x01, 8];
    assert_eq!(draw(&[RECT, &again], &mut screen), []);
    for (x, y, is_drawn) in [(2, 3, true), (5, 7, true), (6, 7, false), (5, 8, false), (10, 3, true), (13, 7, true)] {
        assert_eq!(pixel(&screen, x, y), if is_drawn { [10, 20, 30] } else { [0; 3] }, "{x}, {y}");
    }
}

#[test]
fn bounds_cut_and_stay() {
    let mut screen = screen(32);
    let bounded = [0x0d, 0x0a, 0x7f, 0x0f, 3, 0, 4, 0, 4, 0, 5, 0, 2, 0, 3, 0, 4, 0, 5, 0, 10, 20, 30];
    // Zero bounds deltas: as before; zero field bytes: nothing else differs.
    let again = [0x25 | 0x40];
    assert_eq!(draw(&[&bounded, &again], &mut screen), []);
    assert_eq!(
        [pixel(&screen, 2, 4), pixel(&screen, 3, 4), pixel(&screen, 4, 5), pixel(&screen, 5, 5)],
        [[0; 3], [10, 20, 30], [10, 20, 30], [0; 3]]
    );
}

#[test]
fn areas_are_copied_over_themselves() {
    let mut screen = screen(32);
    // ScrBlt of 4 by 5 to 4, 3, from 2, 3: SRCCOPY.
    let copy = [0x09, 0x02, 0x7f, 4, 0, 3, 0, 4, 0, 5, 0, 0xcc, 2, 0, 3, 0];
    assert_eq!(draw(&[RECT, &copy], &mut screen), []);
    assert_eq!(
        [pixel(&screen, 3, 3), pixel(&screen, 7, 7), pixel(&screen, 8, 7)],
        [[10, 20, 30], [10, 20, 30], [0; 3]]
    );
    // DstBlt with DSTINVERT.
    let invert = [0x09, 0x00, 0x1f, 0, 0, 0, 0, 16, 0, 16, 0, 0x55];
    assert_eq!(draw(&[&invert], &mut screen), []);
    assert_eq!([pixel(&screen, 3, 3), pixel(&screen, 0, 0)], [[245, 235, 225], [255; 3]]);
}

#[test]
fn cached_bitmaps_are_drawn_and_missing_ones_told() {
    let mut screen = screen(32);
    // Revision 2, raw, cache 1, 32 bits: 2 by 1, index 5; first a blue pixel, then a red one.
    let cell = [0x03, 6, 0, 1 | 6 << 3, 0, 0x04, 2, 1, 8, 5, 0xff, 0, 0, 0, 0, 0, 0xff, 0];
    // orderLength counts 13 bytes fewer than there are: 18 here, and 5.
    let cell: Vec<u8> = cell.iter().enumerate().map(|(place, byte)| if place == 1 { 5 } else { *byte }).collect();
    let paint = [0x09, 0x0d, 0xff, 1, 1, 0, 7, 0, 8, 0, 2, 0, 1, 0, 0xcc, 0, 0, 0, 0, 5, 0];
    let missing = [0x01, 0x00, 1, 6, 0];
    assert_eq!(
        draw(&[&cell, &paint, &missing], &mut screen),
        [("bitmaps that the client had from an earlier session, or that are missing", 1)]
    );
    assert_eq!([pixel(&screen, 7, 8), pixel(&screen, 8, 8), pixel(&screen, 9, 8)], [[0, 0, 255], [255, 0, 0], [0; 3]]);
}

#[test]
fn colours_have_the_depth_of_the_session() {
    for (depth, written, expected) in [
        (16, 0xf800, [255, 0, 0]),
        (16, 0x07e0, [0, 255, 0]),
        (15, 0x7c00, [255, 0, 0]),
        (15, 0x001f, [0, 0, 255]),
        (24, 0x0003_0201, [1, 2, 3]),
        (8, 0, [0; 3]),
    ] {
        assert_eq!(screen(depth).colour(written), expected, "{depth}: {written:x}");
    }
}

#[test]
fn lines_leave_their_last_point() {
    let mut points = Vec::new();
    line([(1, 1), (4, 3)], |x, y| points.push((x, y)));
    assert_eq!(points, [(1, 1), (2, 2), (3, 2)]);
}

#[test]
fn text_is_drawn_by_its_glyphs() {
    let mut screen = screen(32);
    // Cache 1: glyph 7, one pixel above the pen, of 3 by 2: a corner. orderLength counts 13 bytes fewer than there are.
    let glyph = [0x03, 11, 0, 0, 0, 0x03, 1, 1, 7, 0, 0, 0, 0xff, 0xff, 3, 0, 2, 0, 0b1110_0000, 0b1000_0000, 0, 0];
    let glyph: Vec<u8> =
        glyph.iter().enumerate().map(|(place, byte)| if place == 1 { glyph.len() as u8 - 13 } else { *byte }).collect();
    // Its colour, the pen at 2, 4, and twice the glyph, four apart.
    let text = [0x09, 0x1b, 0x11, 0x00, 0x38, 1, 10, 20, 30, 2, 0, 4, 0, 4, 7, 0, 7, 4];
    assert_eq!(draw(&[&glyph, &text], &mut screen), []);
    for (x, y, is_set) in
        [(2, 3, true), (4, 3, true), (5, 3, false), (2, 4, true), (3, 4, false), (6, 3, true), (6, 4, true)]
    {
        assert_eq!(pixel(&screen, x, y), if is_set { [10, 20, 30] } else { [0; 3] }, "{x}, {y}");
    }
    let unknown = [0x09, 0x1b, 0x00, 0x00, 0x20, 2, 9, 0];
    assert_eq!(draw(&[&unknown], &mut screen), [("GlyphIndex orders (text)", 1)]);
}
