//! Frames of graphics and their acknowledgements, wherever they are in clear: surface commands in fast-path updates
//! (\[MS-RDPBCGR\] 2.2.9.2.3), the Frame Acknowledge PDU (\[MS-RDPRFX\] 2.2.3.1), and the graphics pipeline in its dynamic
//! channel (\[MS-RDPEDYC\] 2.2, \[MS-RDPEGFX\] 2.2.2.11 to 2.2.2.13).
//!
//! Nothing is decompressed for it: what is compressed tells no frame. Of a fast-path PDU only the beginning is here, where
//! servers put these marks.

use super::wire::{Cursor, at};
use crate::event::{FrameStep, RdpPdu};
use crate::observation::Side;

/// FASTPATH_UPDATETYPE_SURFCMDS, \[MS-RDPBCGR\] 2.2.9.1.2.1.
const SURFACE_COMMANDS: u8 = 0x4;
/// FASTPATH_OUTPUT_COMPRESSION_USED.
const COMPRESSION_USED: u8 = 0x2;
/// PACKET_COMPRESSED.
const COMPRESSED: u8 = 0x20;
/// CMDTYPE_FRAME_MARKER.
const FRAME_MARKER: u16 = 0x0004;
/// The name of the dynamic channel of the graphics pipeline, \[MS-RDPEGFX\] 2.1.
const GRAPHICS: &[u8] = b"Microsoft::Windows::RDS::Graphics\0";
/// Both at once: the whole message stands in this chunk (\[MS-RDPBCGR\] 2.2.6.1.1).
const FIRST_AND_LAST: u32 = 0x3;
/// CHANNEL_PACKET_COMPRESSED.
const CHANNEL_COMPRESSED: u32 = 0x0020_0000;
/// Messages of the graphics pipeline that are looked at in one chunk.
const MAX_MESSAGES: usize = 64;

/// The marks at the beginning of a fast-path output PDU (\[MS-RDPBCGR\] 2.2.9.1.2).
pub(super) fn fast_path(head: &[u8], each: &mut dyn FnMut(RdpPdu)) {
    let header = if head.get(1).is_some_and(|len| len & 0x80 != 0) { 3 } else { 2 };
    let mut updates = at(head, header);
    while let Some(update) = updates.u8() {
        let is_compressed =
            update >> 6 & COMPRESSION_USED != 0 && updates.u8().is_none_or(|flags| flags & COMPRESSED != 0);
        let Some(len) = updates.u16() else { return };
        if update & 0xf == SURFACE_COMMANDS && !is_compressed {
            let here = updates.rest.len().min(len.into());
            surface_commands(at(&updates.rest[..here], 0), each);
        }
        if updates.take(len.into()).is_none() {
            return;
        }
    }
}

/// Up to the first command that is no mark: how long that is, only its codec knows.
fn surface_commands(mut commands: Cursor<'_>, each: &mut dyn FnMut(RdpPdu)) {
    while commands.u16() == Some(FRAME_MARKER) {
        let (Some(action), Some(id)) = (commands.u16(), commands.u32()) else { return };
        let step = if action == 0 { FrameStep::Begun } else { FrameStep::Sent };
        each(RdpPdu::Frame { step, id });
    }
}

/// The dynamic channels of one connection.
#[derive(Debug, Default)]
pub(super) struct Dynamic {
    /// The one of the graphics pipeline, once it is opened.
    graphics: Option<u32>,
}

impl Dynamic {
    /// A chunk on the static channel that carries the dynamic ones.
    pub(super) fn push(&mut self, from: Side, chunk: &[u8], each: &mut dyn FnMut(RdpPdu)) {
        let mut chunk = at(chunk, 0);
        let (Some(_), Some(flags)) = (chunk.u32(), chunk.u32()) else { return };
        if flags & FIRST_AND_LAST == FIRST_AND_LAST && flags & CHANNEL_COMPRESSED == 0 {
            self.message(from, chunk, each);
        }
    }

    /// \[MS-RDPEDYC\] 2.2: two bits of the length of the channel id, two of its priority or of a length, four of a command.
    fn message(&mut self, from: Side, mut message: Cursor<'_>, each: &mut dyn FnMut(RdpPdu)) -> Option<()> {
        const CREATE: u8 = 1;
        const DATA_FIRST: u8 = 2;
        const DATA: u8 = 3;
        let header = message.u8()?;
        let channel = number(&mut message, header & 3)?;
        match header >> 4 {
            CREATE if from == Side::Server && message.rest == GRAPHICS => self.graphics = Some(channel),
            DATA_FIRST if self.graphics == Some(channel) => {
                number(&mut message, header >> 2 & 3)?;
                graphics(from, message, each)?;
            }
            DATA if self.graphics == Some(channel) => graphics(from, message, each)?,
            _ => {}
        }
        Some(())
    }
}

/// A number of one, two or four bytes.
fn number(cursor: &mut Cursor<'_>, len: u8) -> Option<u32> {
    match len {
        0 => cursor.u8().map(u32::from),
        1 => cursor.u16().map(u32::from),
        _ => cursor.u32(),
    }
}

/// Messages of the graphics pipeline, those of the server in one bulk of RDP 8.0 (\[MS-RDPEGFX\] 2.2.5).
fn graphics(from: Side, mut messages: Cursor<'_>, each: &mut dyn FnMut(RdpPdu)) -> Option<()> {
    const SINGLE: u8 = 0xe0;
    const START_FRAME: u16 = 0x000b;
    const END_FRAME: u16 = 0x000c;
    const FRAME_ACKNOWLEDGE: u16 = 0x000d;
    if from == Side::Server && (messages.u8()? != SINGLE || messages.u8()? & COMPRESSED != 0) {
        return None;
    }
    for _ in 0..MAX_MESSAGES {
        let mut header = messages;
        let (kind, _, len) = (header.u16()?, header.u16()?, header.u32()?);
        let message = messages.take(usize::try_from(len).ok()?)?;
        let mut body = at(message, 8);
        let (step, id) = match (from, kind) {
            (Side::Server, START_FRAME) => (FrameStep::Begun, body.u32().and_then(|_timestamp| body.u32())?),
            (Side::Server, END_FRAME) => (FrameStep::Sent, body.u32()?),
            (Side::Client, FRAME_ACKNOWLEDGE) => (FrameStep::Acknowledged, body.u32().and_then(|_depth| body.u32())?),
            // A length that does not even cover its header would be read for ever.
            _ if message.len() < 8 => return None,
            _ => continue,
        };
        each(RdpPdu::Frame { step, id });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(read: impl FnOnce(&mut dyn FnMut(RdpPdu))) -> Vec<(FrameStep, u32)> {
        let mut marks = Vec::new();
        read(&mut |pdu| match pdu {
            RdpPdu::Frame { step, id } => marks.push((step, id)),
            other => panic!("{other:?}"),
        });
        marks
    }

    #[test]
    fn marks_of_surface_commands_stand_at_the_beginning_of_a_pdu() {
        // fast-path header, length; update: surface commands, length 16; begin 7, end 7.
        let both = [0, 21, 4, 16, 0, 4, 0, 0, 0, 7, 0, 0, 0, 4, 0, 1, 0, 7, 0, 0, 0];
        assert_eq!(marks(|each| fast_path(&both, each)), [(FrameStep::Begun, 7), (FrameStep::Sent, 7)]);
        // The PDU goes on, with bits of a surface, behind what is here.
        let long = [0, 0x84, 0, 4, 0xfd, 3, 4, 0, 0, 0, 9, 0, 0, 0, 6, 0, 0, 0];
        assert_eq!(marks(|each| fast_path(&long, each)), [(FrameStep::Begun, 9)]);
        // Compressed, and another kind of update.
        let compressed = [0, 14, 0x84, 0x21, 8, 0, 4, 0, 0, 0, 9, 0, 0, 0];
        assert!(marks(|each| fast_path(&compressed, each)).is_empty());
        let orders = [0, 13, 0, 8, 0, 4, 0, 0, 0, 9, 0, 0, 0];
        assert!(marks(|each| fast_path(&orders, each)).is_empty());
        (0..both.len()).for_each(|len| _ = marks(|each| fast_path(&both[..len], each)));
    }

    #[test]
    fn marks_of_the_graphics_pipeline_are_read_once_its_channel_is_open() {
        let chunk = |message: &[u8]| [&[0; 4], &FIRST_AND_LAST.to_le_bytes()[..], message].concat();
        let end = |id| [&[0x30, 5, 0xe0, 0x04, 0x0c, 0, 0, 0, 12, 0, 0, 0][..], &u32::to_le_bytes(id)].concat();
        let acknowledge = [0x30, 5, 0x0d, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0];
        let create = [&[0x10, 5][..], GRAPHICS].concat();
        let mut dynamic = Dynamic::default();
        let told = marks(|each| {
            dynamic.push(Side::Server, &chunk(&end(2)), each);
            dynamic.push(Side::Server, &chunk(&create), each);
            dynamic.push(Side::Server, &chunk(&end(3)), each);
            dynamic.push(Side::Client, &chunk(&acknowledge), each);
        });
        assert_eq!(told, [(FrameStep::Sent, 3), (FrameStep::Acknowledged, 3)]);
        let endless = chunk(&[0x30, 5, 0xe0, 0x04, 0x99, 0, 0, 0, 0, 0, 0, 0]);
        assert!(marks(|each| dynamic.push(Side::Server, &endless, each)).is_empty());
    }
}
