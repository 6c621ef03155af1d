//! The graphics pipeline (\[MS-RDPEGFX\]), which comes in a dynamic channel (\[MS-RDPEDYC\]) in a static one. The only room
//! that names `ironrdp-dvc` and `ironrdp-svc`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ironrdp_dvc::DrdynvcClient;
use ironrdp_egfx::client::{GraphicsPipelineClient, GraphicsPipelineHandler};
use ironrdp_egfx::decode::{DecodedFrame, DecoderError, DecoderResult, H264Decoder};
use ironrdp_egfx::pdu::GfxPdu;
use ironrdp_svc::SvcProcessor;

use super::drawn::Screen;
use super::undrawn::Undrawn;
use crate::rdp::wire::at;

/// The channel's name, \[MS-RDPEGFX\] 2.1.
const GRAPHICS: &[u8] = b"Microsoft::Windows::RDS::Graphics\0";
/// Channels of video, \[MS-RDPEVOR\] 2.1.
const VIDEO: &[u8] = b"Microsoft::Windows::RDS::Video::Data::";
/// The longest message of a static channel that is put together, bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// So many messages that cannot be read are no pipeline. Each may claim to be 64 MiB when it is inflated.
const MOST_UNREAD: u32 = 100;
/// CHANNEL_FLAG_FIRST, CHANNEL_FLAG_LAST and CHANNEL_PACKET_COMPRESSED, \[MS-RDPBCGR\] 2.2.6.1.1.
const FIRST: u32 = 0x1;
const LAST: u32 = 0x2;
const COMPRESSED: u32 = 0x0020_0000;

/// The dynamic channels of a session, as far as they draw.
pub(super) struct Pipeline {
    message: Vec<u8>,
    channels: DrdynvcClient,
    graphics: Option<u32>,
    video: Option<u32>,
    /// What the pipeline hands back because nobody decodes it.
    left: Left,
    dropped: u64,
    /// Messages that could not be read.
    unread: u32,
    /// Whether something is missing in front, without which its compression cannot go on.
    is_torn: bool,
}

/// A codec that is not drawn.
const AVC420: &str = "H.264 AVC420 in the graphics pipeline";

/// What was handed back, by name.
#[derive(Clone, Default)]
struct Left(Arc<Mutex<Undrawn>>);

impl GraphicsPipelineHandler for Left {
    fn on_unhandled_pdu(&mut self, pdu: &GfxPdu) {
        if let GfxPdu::WireToSurface1(_) = pdu {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).add("H.264 AVC444 in the graphics pipeline", 1);
        }
    }
}

/// Stands where a decoder of H.264 would, and says that there is none.
impl H264Decoder for Left {
    fn decode(&mut self, _: &[u8]) -> DecoderResult<DecodedFrame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(AVC420, 1);
        Err(DecoderError::msg("there is no decoder of H.264"))
    }
}

impl Default for Pipeline {
    fn default() -> Pipeline {
        let left = Left::default();
        let make = {
            let left = left.clone();
            move || GraphicsPipelineClient::new(Box::new(left.clone()), Some(Box::new(left.clone())))
        };
        Pipeline {
            message: Vec::new(),
            channels: DrdynvcClient::new().with_dynamic_channel_factory(ironrdp_egfx::CHANNEL_NAME, make),
            graphics: None,
            video: None,
            left,
            dropped: 0,
            unread: 0,
            is_torn: false,
        }
    }
}

impl Pipeline {
    /// One chunk of the static channel, 2.2.6.1.
    pub(super) fn push(&mut self, chunk: &[u8], screen: &mut Screen, undrawn: &mut Undrawn) {
        let mut cursor = at(chunk, 0);
        let (Some(_len), Some(flags)) = (cursor.u32(), cursor.u32()) else { return };
        if flags & COMPRESSED != 0 {
            return undrawn.add("compressed chunks of dynamic channels", 1);
        }
        if flags & FIRST != 0 {
            self.message.clear();
        }
        if self.message.len() + cursor.rest.len() > MAX_MESSAGE {
            return;
        }
        self.message.extend(cursor.rest);
        if flags & LAST != 0 {
            let message = std::mem::take(&mut self.message);
            self.message(&message, screen, undrawn);
        }
    }

    /// Bytes are missing in front.
    pub(super) fn tear(&mut self) {
        self.message.clear();
        self.is_torn = self.graphics.is_some();
    }

    /// One PDU, \[MS-RDPEDYC\] 2.2: what belongs to the pipeline is handed on.
    fn message(&mut self, message: &[u8], screen: &mut Screen, undrawn: &mut Undrawn) {
        let Some((channel, command, rest)) = header(message) else { return };
        match command {
            // DYNVC_CREATE_REQ
            1 if rest == GRAPHICS => {
                self.graphics = Some(channel);
                self.is_torn = self.unread >= MOST_UNREAD;
            }
            1 if rest.starts_with(VIDEO) => self.video = Some(channel),
            // DYNVC_DATA_FIRST and DYNVC_DATA, compressed or not; DYNVC_CLOSE
            2 | 3 | 6 | 7 if Some(channel) == self.video => return undrawn.add("video channel data (MS-RDPEVOR)", 1),
            2 | 3 | 4 | 6 | 7 if Some(channel) == self.graphics => {}
            _ => return,
        }
        if self.graphics != Some(channel) {
            return;
        }
        if self.is_torn {
            return undrawn.add("graphics pipeline messages behind a hole", 1);
        }
        let channels = &mut self.channels;
        match catch_unwind(AssertUnwindSafe(|| channels.process(message))) {
            Ok(Ok(_answers)) => {}
            Ok(Err(_)) => {
                undrawn.add("graphics pipeline messages that cannot be read", 1);
                self.unread += 1;
                self.is_torn |= self.unread >= MOST_UNREAD;
            }
            Err(_panic) => {
                *self =
                    Pipeline { graphics: self.graphics, is_torn: true, unread: self.unread + 1, ..Pipeline::default() };
                return undrawn.add("updates on which a decoder failed", 1);
            }
        }
        self.composite(screen, undrawn);
        if command == 4 {
            self.graphics = None;
        }
    }

    fn composite(&mut self, screen: &mut Screen, undrawn: &mut Undrawn) {
        let left = std::mem::take(&mut *self.left.0.lock().unwrap_or_else(PoisonError::into_inner));
        left.iter().for_each(|(what, times)| undrawn.add(what, times));
        let named = left.iter().filter(|(what, _)| *what == AVC420).map(|(_, times)| times).sum::<u64>();
        let Some(mut graphics) = self.channels.get_dvc_mut::<GraphicsPipelineClient>() else { return };
        let pipeline = graphics.processor_mut();
        let dropped = pipeline.dropped_updates();
        let unnamed = dropped.saturating_sub(self.dropped).saturating_sub(named);
        if unnamed > 0 {
            undrawn.add("graphics pipeline updates that cannot be decoded", unnamed);
        }
        self.dropped = dropped;
        screen.composite(pipeline, undrawn);
    }
}

/// Channel, command, and what stands behind them: the lowest two bits say in how many bytes the channel is written.
fn header(message: &[u8]) -> Option<(u32, u8, &[u8])> {
    let mut cursor = at(message, 0);
    let first = cursor.u8()?;
    let channel = match first & 3 {
        0 => cursor.u8()?.into(),
        1 => cursor.u16()?.into(),
        2 => cursor.u32()?,
        _ => return None,
    };
    Some((channel, first >> 4, cursor.rest))
}
