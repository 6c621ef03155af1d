//! How primary drawing orders are written: each says only what differs from the last of its kind, \[MS-RDPEGDI\]
//! 2.2.2.2.1.1.2. What fields an order has must be known of every kind, or nothing behind it can be read.

use crate::rdp::wire::Cursor;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// A coordinate: two bytes, or one that is added.
    Coord,
    /// So many bytes; of a number up to four count.
    Bytes(u8),
    /// Bytes behind a length of so many bytes.
    List(u8),
}

use Field::{Bytes, Coord, List};

/// A kind of primary order.
#[derive(Debug)]
pub(super) struct Kind {
    /// `orderType`, 2.2.2.2.1.1.2.
    pub number: u8,
    /// As it is told where it is not drawn.
    pub name: &'static str,
    /// In their order.
    pub fields: &'static [Field],
}

/// Text from the glyph cache: FastIndex names glyphs, FastGlyph brings one along.
const TEXT: &[Field] = &[
    Bytes(1),
    Bytes(2),
    Bytes(3),
    Bytes(3),
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    Coord,
    List(1),
];

/// All of them.
pub(super) const KINDS: &[Kind] = &[
    Kind { number: 0x00, name: "DstBlt orders", fields: &[Coord, Coord, Coord, Coord, Bytes(1)] },
    Kind {
        number: 0x01,
        name: "PatBlt orders",
        fields: &[
            Coord,
            Coord,
            Coord,
            Coord,
            Bytes(1),
            Bytes(3),
            Bytes(3),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
        ],
    },
    Kind { number: 0x02, name: "ScrBlt orders", fields: &[Coord, Coord, Coord, Coord, Bytes(1), Coord, Coord] },
    Kind { number: 0x07, name: "DrawNineGrid orders", fields: &[Coord, Coord, Coord, Coord, Bytes(2)] },
    Kind {
        number: 0x08,
        name: "MultiDrawNineGrid orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(2), Bytes(1), List(2)],
    },
    Kind {
        number: 0x09,
        name: "LineTo orders",
        fields: &[Bytes(2), Coord, Coord, Coord, Coord, Bytes(3), Bytes(1), Bytes(1), Bytes(1), Bytes(3)],
    },
    Kind {
        number: 0x0a,
        name: "OpaqueRect orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(1), Bytes(1), Bytes(1)],
    },
    Kind { number: 0x0b, name: "SaveBitmap orders", fields: &[Bytes(4), Coord, Coord, Coord, Coord, Bytes(1)] },
    Kind {
        number: 0x0d,
        name: "MemBlt orders",
        fields: &[Bytes(2), Coord, Coord, Coord, Coord, Bytes(1), Coord, Coord, Bytes(2)],
    },
    Kind {
        number: 0x0e,
        name: "Mem3Blt orders",
        fields: &[
            Bytes(2),
            Coord,
            Coord,
            Coord,
            Coord,
            Bytes(1),
            Coord,
            Coord,
            Bytes(3),
            Bytes(3),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
            Bytes(2),
        ],
    },
    Kind {
        number: 0x0f,
        name: "MultiDstBlt orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(1), Bytes(1), List(2)],
    },
    Kind {
        number: 0x10,
        name: "MultiPatBlt orders",
        fields: &[
            Coord,
            Coord,
            Coord,
            Coord,
            Bytes(1),
            Bytes(3),
            Bytes(3),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
            Bytes(1),
            List(2),
        ],
    },
    Kind {
        number: 0x11,
        name: "MultiScrBlt orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(1), Coord, Coord, Bytes(1), List(2)],
    },
    Kind {
        number: 0x12,
        name: "MultiOpaqueRect orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(1), Bytes(1), Bytes(1), Bytes(1), List(2)],
    },
    Kind { number: 0x13, name: "FastIndex orders (text)", fields: TEXT },
    Kind {
        number: 0x14,
        name: "PolygonSC orders",
        fields: &[Coord, Coord, Bytes(1), Bytes(1), Bytes(3), Bytes(1), List(1)],
    },
    Kind {
        number: 0x15,
        name: "PolygonCB orders",
        fields: &[
            Coord,
            Coord,
            Bytes(1),
            Bytes(1),
            Bytes(3),
            Bytes(3),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
            Bytes(1),
            List(1),
        ],
    },
    Kind {
        number: 0x16,
        name: "Polyline orders",
        fields: &[Coord, Coord, Bytes(1), Bytes(2), Bytes(3), Bytes(1), List(1)],
    },
    Kind { number: 0x18, name: "FastGlyph orders (text)", fields: TEXT },
    Kind {
        number: 0x19,
        name: "EllipseSC orders",
        fields: &[Coord, Coord, Coord, Coord, Bytes(1), Bytes(1), Bytes(3)],
    },
    Kind {
        number: 0x1a,
        name: "EllipseCB orders",
        fields: &[
            Coord,
            Coord,
            Coord,
            Coord,
            Bytes(1),
            Bytes(1),
            Bytes(3),
            Bytes(3),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
        ],
    },
    Kind {
        number: 0x1b,
        name: "GlyphIndex orders (text)",
        fields: &[
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(3),
            Bytes(3),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(2),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(1),
            Bytes(7),
            Bytes(2),
            Bytes(2),
            List(1),
        ],
    },
];

/// What a field holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// A coordinate is signed; bytes are little-endian.
    pub number: i32,
    /// All bytes of a field of more than four, or of a list.
    pub bytes: Vec<u8>,
}

impl Field {
    /// Reads what is there of it over what was.
    pub(super) fn read(self, is_delta: bool, value: &mut Value, cursor: &mut Cursor<'_>) -> Option<()> {
        match self {
            Coord if is_delta => {
                value.number = i32::from((value.number as i16).wrapping_add((cursor.u8()? as i8).into()))
            }
            Coord => value.number = i32::from(cursor.u16()? as i16),
            Bytes(len @ 0..=4) => {
                let mut number = [0; 4];
                number[..len.into()].copy_from_slice(cursor.take(len.into())?);
                value.number = i32::from_le_bytes(number);
            }
            Bytes(len) => value.bytes = cursor.take(len.into())?.to_vec(),
            List(width) => {
                let len = if width == 1 { cursor.u8()?.into() } else { cursor.u16()?.into() };
                value.bytes = cursor.take(len)?.to_vec();
            }
        }
        Some(())
    }
}
