//! The pointer: its shape comes from the server, its place mostly from the client.

use std::sync::Arc;

/// What the pointer looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shape {
    /// The system's own.
    #[default]
    Default,
    /// Not at all.
    Hidden,
    /// A bitmap.
    Bitmap {
        /// Width and height, pixels.
        size: (u16, u16),
        /// Which of its pixels points.
        hot: (u16, u16),
        /// RGBA, row by row.
        pixels: Arc<[u8]>,
    },
}

/// The pointer, as far as it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    /// What it looks like.
    pub shape: Shape,
    /// Where it points, where anybody said so.
    pub at: Option<(u16, u16)>,
}

/// The last place that a fast-path input PDU names, \[MS-RDPBCGR\] 2.2.8.1.2.
pub(super) fn place(pdu: &[u8]) -> Option<(u16, u16)> {
    let (first, long) = (*pdu.first()?, pdu.get(1)? & 0x80 != 0);
    let mut rest = pdu.get(if long { 3 } else { 2 }..)?;
    let count = match first >> 2 & 0xf {
        0 => {
            let (count, behind) = rest.split_first()?;
            rest = behind;
            *count
        }
        count => count,
    };
    let mut found = None;
    for _ in 0..count {
        let (header, behind) = rest.split_first()?;
        let len = match header >> 5 {
            0 => 1,
            1 | 2 | 5 => 6,
            3 => 0,
            4 => 2,
            6 => 4,
            _ => return found,
        };
        let (event, behind) = behind.split_at_checked(len)?;
        // FASTPATH_INPUT_EVENT_MOUSE and MOUSEX; a wheel that turns stands where it stood.
        if let ([flags @ .., x0, x1, y0, y1], 1 | 2) = (event, header >> 5) {
            let is_wheel = header >> 5 == 1 && u16::from_le_bytes([flags[0], flags[1]]) & 0x0600 != 0;
            found =
                if is_wheel { found } else { Some((u16::from_le_bytes([*x0, *x1]), u16::from_le_bytes([*y0, *y1]))) };
        }
        rest = behind;
    }
    found
}
