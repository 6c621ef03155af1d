//! What `ironrdp-pdu` decodes: the blocks of GCC, auto-detection, capability sets. The only room that names it.
//!
//! It reads bodies whose framing is known here, so that what it refuses is one body, with the offset of the trouble.
//! Messages with credentials in them do not pass through here: their readers skip what must not be copied.

use ironrdp_core::{Decode, DecodeError, DecodeErrorKind, decode};
use ironrdp_pdu::gcc::{
    ClientClusterData, ClientCoreData, ClientEarlyCapabilityFlags, ClientNetworkData, ClientSecurityData,
    RedirectionFlags, ServerCoreData, ServerNetworkData, ServerSecurityData,
};
use ironrdp_pdu::rdp::autodetect::{AutoDetectRequest, AutoDetectResponse};
use ironrdp_pdu::rdp::capability_sets::CapabilitySet;

use super::wire::{at, latin, utf16};
use crate::event::{AutoDetect, ClientSettings, ServerSettings};
use crate::observation::Side;

/// A body that cannot be read.
#[derive(Debug)]
pub(super) struct Refused {
    /// Offset of the trouble in the body; 0 where it is not told.
    pub at: usize,
    /// What is wrong.
    pub says: String,
}

fn read<'a, T: Decode<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    decode(body).map_err(|error: DecodeError| Refused::from(&error))
}

impl From<&DecodeError> for Refused {
    fn from(error: &DecodeError) -> Refused {
        Refused { at: offset(error.kind()), says: error.to_string() }
    }
}

fn offset(kind: &DecodeErrorKind) -> usize {
    match kind {
        DecodeErrorKind::NotEnoughBytes { offset, .. }
        | DecodeErrorKind::InvalidField { offset, .. }
        | DecodeErrorKind::UnexpectedMessageType { offset, .. }
        | DecodeErrorKind::UnsupportedVersion { offset, .. }
        | DecodeErrorKind::UnsupportedValue { offset, .. } => offset.unwrap_or(0),
        _ => 0,
    }
}

/// One block of a Connect-Initial, 2.2.1.3.1. An unknown one is ignored, as servers do.
pub(super) fn client_block(kind: u16, body: &[u8], settings: &mut ClientSettings) -> Result<(), Refused> {
    match kind {
        0xc001 => match read(body) {
            Ok(core) => client_core(&core, settings),
            Err(refused) => {
                fixed_core(body, settings);
                return Err(refused);
            }
        },
        0xc002 => {
            let security: ClientSecurityData = read(body)?;
            settings.encryption_methods = Some(security.encryption_methods.bits() | security.ext_encryption_methods);
        }
        0xc003 => {
            let network: ClientNetworkData = read(body)?;
            let names = network.channels.iter().map(|channel| latin(channel.name.as_bytes()).unwrap_or_default());
            settings.channels = names.collect();
        }
        0xc004 => {
            let cluster: ClientClusterData = read(body)?;
            let is_valid = cluster.flags.contains(RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID);
            settings.redirected_session = is_valid.then_some(cluster.redirected_session_id);
        }
        // Flags, then the number; what each monitor is says nothing of why a connection fails.
        0xc005 => settings.monitors = at(body, 4).u32(),
        0xc006 => settings.has_message_channel = true,
        0xc00a => settings.multitransport = at(body, 0).u32(),
        _ => {}
    }
    Ok(())
}

fn client_core(core: &ClientCoreData, settings: &mut ClientSettings) {
    let more = &core.optional_data;
    settings.version = Some(core.version.0);
    settings.build = Some(core.client_build);
    settings.name = visible(&core.client_name);
    settings.desktop = Some((core.desktop_width, core.desktop_height));
    settings.keyboard_layout = Some(core.keyboard_layout);
    settings.color_depth = Some(bits_per_pixel(core));
    settings.early_flags = more.early_capability_flags.map(|flags| flags.bits());
    settings.connection_type = more.connection_type.and_then(|kind| kind.specified_value());
    settings.selected = more.server_selected_protocol.map(|selected| selected.bits());
}

/// 2.2.1.3.2: the high colour depth counts where there is one, and a flag says 32.
fn bits_per_pixel(core: &ClientCoreData) -> u8 {
    use ironrdp_pdu::gcc::ClientColorDepth;
    let wants_32 = |flags: ClientEarlyCapabilityFlags| flags.contains(ClientEarlyCapabilityFlags::WANT_32_BPP_SESSION);
    if core.optional_data.early_capability_flags.is_some_and(wants_32) {
        return 32;
    }
    match core.client_color_depth() {
        ClientColorDepth::Bpp4 => 4,
        ClientColorDepth::Bpp8 => 8,
        ClientColorDepth::Rgb555Bpp16 => 15,
        ClientColorDepth::Rgb565Bpp16 => 16,
        ClientColorDepth::Bpp24 => 24,
        ClientColorDepth::Bpp32 => 32,
    }
}

/// The fixed part of core data whose later fields cannot be read, 2.2.1.3.2.
fn fixed_core(body: &[u8], settings: &mut ClientSettings) {
    let mut cursor = at(body, 0);
    settings.version = cursor.u32();
    settings.desktop = cursor.u16().zip(cursor.u16());
    let mut cursor = at(body, 12);
    settings.keyboard_layout = cursor.u32();
    settings.build = cursor.u32();
    settings.name = cursor.take(32).and_then(utf16);
}

/// One block of a Connect-Response, 2.2.1.4.1.
pub(super) fn server_block(kind: u16, body: &[u8], settings: &mut ServerSettings) -> Result<(), Refused> {
    match kind {
        0x0c01 => {
            let core: ServerCoreData = read(body)?;
            settings.version = Some(core.version.0);
            settings.requested = core.optional_data.client_requested_protocols.map(|requested| requested.bits());
            settings.early_flags = core.optional_data.early_capability_flags.map(|flags| flags.bits());
        }
        0x0c02 => {
            let mut cursor = at(body, 0);
            settings.encryption_method = cursor.u32();
            settings.encryption_level = cursor.u32();
            let _: ServerSecurityData = read(body)?;
        }
        0x0c03 => {
            let network: ServerNetworkData = read(body)?;
            settings.io_channel = Some(network.io_channel);
            settings.channels = network.channel_ids;
            // Clients ask for 31 at most, 2.2.1.3.4.
            settings.channels.truncate(64);
        }
        0x0c04 => settings.message_channel = at(body, 0).u16(),
        0x0c08 => settings.multitransport = at(body, 0).u32(),
        _ => {}
    }
    Ok(())
}

/// An auto-detect PDU behind its security header, 2.2.14.
pub(super) fn auto_detect(from: Side, body: &[u8]) -> Result<AutoDetect, Refused> {
    match from {
        Side::Server => read(body).map(request),
        Side::Client => read(body).map(response),
    }
}

fn request(request: AutoDetectRequest) -> AutoDetect {
    match request {
        AutoDetectRequest::RttRequest { sequence_number, .. } => AutoDetect::RttRequest { sequence: sequence_number },
        AutoDetectRequest::BandwidthMeasureStart { .. } => AutoDetect::BandwidthStart,
        AutoDetectRequest::BandwidthMeasurePayload { payload, .. } => {
            AutoDetect::BandwidthPayload { len: u32::try_from(payload.len()).unwrap_or(u32::MAX) }
        }
        AutoDetectRequest::BandwidthMeasureStop { .. } => AutoDetect::BandwidthStop,
        AutoDetectRequest::NetworkCharacteristicsResult { base_rtt_ms, bandwidth_kbps, average_rtt_ms, .. } => {
            AutoDetect::Result { base_rtt_ms, bandwidth_kbps, average_rtt_ms }
        }
    }
}

fn response(response: AutoDetectResponse) -> AutoDetect {
    match response {
        AutoDetectResponse::RttResponse { sequence_number } => AutoDetect::RttResponse { sequence: sequence_number },
        AutoDetectResponse::BandwidthMeasureResults { time_delta_ms, byte_count, .. } => {
            AutoDetect::BandwidthResults { ms: time_delta_ms, bytes: byte_count }
        }
        AutoDetectResponse::NetworkCharacteristicsSync { bandwidth_kbps, rtt_ms, .. } => {
            AutoDetect::Sync { bandwidth_kbps, rtt_ms }
        }
    }
}

/// Whether a capability set, with its type and length, is of a known type; refused where it is and cannot be read,
/// 2.2.1.13.1.1.1.
pub(super) fn capability_set(set: &[u8]) -> Result<bool, Refused> {
    match decode::<CapabilitySet>(set) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), DecodeErrorKind::UnsupportedValue { .. }) => Ok(false),
        Err(error) => Err(Refused::from(&error)),
    }
}

/// What a peer wrote may not drive a terminal.
fn visible(text: &str) -> Option<String> {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    utf16(&bytes)
}
