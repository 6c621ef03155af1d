//! Pixels as PNG. The only room that names the crate of that name.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

/// Part of a picture as an opaque PNG: left, top, and the right and bottom edges, which do not belong to it.
///
/// # Errors
/// Where there is nothing of it, or it does not fit.
pub fn encode(pixels: &[u8], width: u16, [left, top, right, bottom]: [u16; 4]) -> Result<Vec<u8>, EncodingError> {
    let (columns, rows) = (right.saturating_sub(left), bottom.saturating_sub(top));
    let mut colours = Vec::with_capacity(3 * usize::from(columns) * usize::from(rows));
    for row in pixels.chunks_exact(4 * usize::from(width).max(1)).take(bottom.into()).skip(top.into()) {
        let row = row.get(4 * usize::from(left)..4 * usize::from(right)).unwrap_or_default();
        row.chunks_exact(4).for_each(|pixel| colours.extend(&pixel[..3]));
    }
    write(&colours, [columns, rows], ColorType::Rgb)
}

/// A pointer's pixels, RGBA.
///
/// # Errors
/// Where they do not fit.
pub fn with_alpha(pixels: &[u8], size: (u16, u16)) -> Result<Vec<u8>, EncodingError> {
    write(pixels, [size.0, size.1], ColorType::Rgba)
}

fn write(pixels: &[u8], [columns, rows]: [u16; 2], colours: ColorType) -> Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, columns.into(), rows.into());
    encoder.set_color(colours);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}
