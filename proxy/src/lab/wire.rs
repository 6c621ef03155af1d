//! The bytes that the lab's peers say: X.224, MCS, GCC and the RDP PDUs of one connection sequence.
//!
//! The rest of this crate decodes no protocol byte and asks the analyzer. The lab is the exception, because its peers
//! *play* the protocol; and they make their bytes by hand, not with the analyzer's help, so that a mistake in one is not
//! repeated by the other. Layouts and order are those of \[MS-RDPBCGR\]; the sections stand beside each PDU.

pub mod credssp;
pub mod refusal;

pub use crate::wire::x224::connection_request;
use crate::wire::x224::{negotiation, tpkt, x224};

/// RDP_NEG_REQ and RDP_NEG_RSP, `requestedProtocols` and `selectedProtocol` (2.2.1.1.1, 2.2.1.2.1).
pub mod protocol {
    /// PROTOCOL_RDP: standard RDP security.
    pub const RDP: u32 = 0x0;
    /// PROTOCOL_SSL: TLS.
    pub const SSL: u32 = 0x1;
    /// PROTOCOL_HYBRID: CredSSP in TLS.
    pub const HYBRID: u32 = 0x2;
    /// PROTOCOL_HYBRID_EX: CredSSP in TLS, and then Early User Authorization Result.
    pub const HYBRID_EX: u32 = 0x8;
}

/// The MCS channel of the user that Attach User Confirm gives out.
const USER: u16 = 0x03ef;
/// The MCS I/O channel.
const IO: u16 = 0x03eb;
/// The MCS channel of the server.
const SERVER: u16 = 0x03ea;
/// `shareId`
const SHARE: u32 = 0x0001_03ea;
/// The static virtual channels that the client asks for; they get the ids after [`IO`].
const CHANNELS: [(&[u8; 8], u32); 3] =
    [(b"rdpdr\0\0\0", 0x8080_0000), (b"cliprdr\0", 0xc0a0_0000), (b"rdpsnd\0\0", 0xc000_0000)];

/// An X.224 Data TPDU in a TPKT packet.
fn data(payload: &[u8]) -> Vec<u8> {
    tpkt(&[&[2, 0xf0, 0x80], payload].concat())
}

/// 2.2.1.2 Server X.224 Connection Confirm PDU. `selects` is `None` where the server sends no RDP_NEG_RSP.
pub fn connection_confirm(selects: Option<u32>) -> Vec<u8> {
    // EXTENDED_CLIENT_DATA_SUPPORTED | DYNVC_GFX_PROTOCOL_SUPPORTED | RDP_NEGRSP_RESERVED, as Windows answers, less
    // the redirected authentication modes.
    let flags = 0x07;
    x224(0xd0, [0x12, 0x34], &selects.map(|protocol| negotiation(0x02, flags, protocol)).unwrap_or_default())
}

/// 2.2.1.2.2 RDP Negotiation Failure (RDP_NEG_FAILURE).
pub fn negotiation_failure(code: u32) -> Vec<u8> {
    x224(0xd0, [0x12, 0x34], &negotiation(0x03, 0, code))
}

/// The `requestedProtocols` at the end of a Connection Request; 0 where there is no RDP_NEG_REQ.
pub fn requested(request: &[u8]) -> u32 {
    match request.last_chunk::<8>() {
        Some([1, _, 8, 0, protocols @ ..]) => u32::from_le_bytes(*protocols),
        _ => 0,
    }
}

/// MCS Disconnect Provider Ultimatum, rn-user-requested (T.125 7): how a client takes its leave.
pub fn disconnect_ultimatum() -> Vec<u8> {
    data(&[0x21, 0x80])
}

/// The protocol that a Connection Confirm selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// There is no RDP_NEG_RSP.
    Silently,
    /// RDP_NEG_RSP.
    Selected(u32),
    /// RDP_NEG_FAILURE.
    Refused(u32),
}

/// Reads a Connection Confirm. `None` where it is none.
pub fn read_confirm(packet: &[u8]) -> Option<Confirmed> {
    if packet.get(5) != Some(&0xd0) {
        return None;
    }
    let Some(negotiation) = packet.get(11..19) else { return Some(Confirmed::Silently) };
    let value = u32::from_le_bytes(negotiation[4..8].try_into().ok()?);
    match negotiation[0] {
        2 => Some(Confirmed::Selected(value)),
        3 => Some(Confirmed::Refused(value)),
        _ => None,
    }
}

/// A fatal TLS alert in clear (RFC 5246 7.2).
pub fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]
}

/// 2.2.1.3 Client MCS Connect Initial PDU with GCC Conference Create Request.
pub fn connect_initial(selected: u32) -> Vec<u8> {
    let blocks = [client_core(selected), client_cluster(), client_security(selected), client_network()].concat();
    let connect = [&[0x00, 0x08, 0x00, 0x10, 0x00, 0x01, 0xc0, 0x00], &b"Duca"[..], &per_len(blocks.len()), &blocks];
    let connect = connect.concat();
    let gcc = [&[0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01][..], &per_len(connect.len()), &connect].concat();
    let body = [
        &[0x04, 0x01, 0x01, 0x04, 0x01, 0x01, 0x01, 0x01, 0xff][..], // calling and called domain, upward flag
        &domain_parameters([34, 2, 0, 1, 0, 1, 0xffff, 2]),          // target
        &domain_parameters([1, 1, 1, 1, 0, 1, 0x420, 2]),            // minimum
        &domain_parameters([0xffff, 0xfc17, 0xffff, 1, 0, 1, 0xffff, 2]), // maximum
        &ber(&[0x04], &gcc),
    ]
    .concat();
    data(&ber(&[0x7f, 0x65], &body))
}

/// How many static virtual channels a Connect Initial asks for: the `channelCount` of its Client Network Data.
pub fn asked_channels(connect_initial: &[u8]) -> usize {
    let is_network = |block: &&[u8]| {
        let len = usize::from(u16::from_le_bytes([block[2], block[3]]));
        block[..2] == [0x03, 0xc0] && block[5..8] == [0; 3] && len == 8 + 12 * usize::from(block[4])
    };
    connect_initial.windows(8).find(is_network).map_or(0, |block| usize::from(block[4]))
}

/// 2.2.1.4 Server MCS Connect Response PDU with GCC Conference Create Response, to the lab's own client.
pub fn connect_response(asked: u32) -> Vec<u8> {
    connect_response_with(asked, CHANNELS.len())
}

/// The same to a client with so many static virtual channels.
pub fn connect_response_with(asked: u32, channels: usize) -> Vec<u8> {
    let core = block(0x0c01, &[&0x0008_0004u32.to_le_bytes()[..], &asked.to_le_bytes(), &[0; 4]].concat());
    let security = block(0x0c02, &[0; 8]); // ENCRYPTION_METHOD_NONE, ENCRYPTION_LEVEL_NONE
    let ids = channel_ids(channels).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let count = channels as u16;
    // Where their number is odd, two bytes of padding follow.
    let padding = [0; 2].repeat(channels % 2);
    let network = block(0x0c03, &[&IO.to_le_bytes()[..], &count.to_le_bytes(), &ids, &padding].concat());
    let blocks = [core, security, network].concat();
    let gcc = [
        // The length 0x2a is what Windows sends, whatever follows.
        &[0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01, 0x2a, 0x14, 0x76, 0x0a, 0x01, 0x01, 0x00, 0x01, 0xc0, 0x00][..],
        b"McDn",
        &per_len(blocks.len()),
        &blocks,
    ]
    .concat();
    let body = [
        &[0x0a, 0x01, 0x00, 0x02, 0x01, 0x00][..], // rt-successful, calledConnectId 0
        &domain_parameters([34, 3, 0, 1, 0, 1, 0xfff8, 2]),
        &ber(&[0x04], &gcc),
    ]
    .concat();
    data(&ber(&[0x7f, 0x66], &body))
}

/// 2.2.1.5 Client MCS Erect Domain Request PDU.
pub fn erect_domain() -> Vec<u8> {
    data(&[0x04, 0x01, 0x00, 0x01, 0x00])
}

/// 2.2.1.6 Client MCS Attach User Request PDU.
pub fn attach_user() -> Vec<u8> {
    data(&[0x28])
}

/// 2.2.1.7 Server MCS Attach User Confirm PDU.
pub fn attach_user_confirm() -> Vec<u8> {
    data(&[&[0x2e, 0x00], &user_id()[..]].concat())
}

/// 2.2.1.8 Client MCS Channel Join Request PDU, one for each channel.
pub fn channel_joins() -> Vec<Vec<u8>> {
    joined_channels().map(|channel| data(&[&[0x38], &user_id()[..], &channel.to_be_bytes()].concat())).collect()
}

/// 2.2.1.9 Server MCS Channel Join Confirm PDU, one for each channel of the lab's own client.
pub fn channel_join_confirms() -> Vec<Vec<u8>> {
    joined_channels().map(|channel| channel_join_confirm(channel.to_be_bytes())).collect()
}

fn channel_join_confirm(channel: [u8; 2]) -> Vec<u8> {
    data(&[&[0x3e, 0x00], &user_id()[..], &channel, &channel].concat())
}

/// What the server answers, while channels are connected, to one PDU of the client.
pub enum Joining {
    /// Nothing.
    Silence,
    /// Attach User Confirm (2.2.1.7).
    Attach(Vec<u8>),
    /// Channel Join Confirm (2.2.1.9).
    Join(Vec<u8>),
    /// It belongs to the next phase.
    Over,
}

/// Reads one PDU of the channel connection. It is over with the first MCS Send Data Request.
pub fn joining(pdu: &[u8]) -> Joining {
    match *pdu {
        [_, _, _, _, _, _, _, 0x28, ..] => Joining::Attach(attach_user_confirm()),
        [_, _, _, _, _, _, _, 0x38, _, _, high, low, ..] => Joining::Join(channel_join_confirm([high, low])),
        [_, _, _, _, _, _, _, 0x64, ..] => Joining::Over,
        _ => Joining::Silence,
    }
}

/// 2.2.1.11 Client Info PDU.
pub fn client_info(user: &str) -> Vec<u8> {
    let strings = [utf16("LAB"), utf16(user), utf16("nothing secret"), utf16(""), utf16("")];
    let lengths = strings.iter().flat_map(|s| (s.len() as u16 - 2).to_le_bytes()).collect::<Vec<u8>>();
    let (address, folder) = (utf16("127.0.0.1"), utf16("C:\\Windows\\System32\\mstscax.dll"));
    let info = [
        &0x0000_0409u32.to_le_bytes()[..], // CodePage
        &0x0000_0173u32.to_le_bytes(),     // INFO_UNICODE | INFO_MOUSE | …
        &lengths,
        &strings.concat(),
        &2u16.to_le_bytes(), // clientAddressFamily: AF_INET
        &(address.len() as u16).to_le_bytes(),
        &address,
        &(folder.len() as u16).to_le_bytes(),
        &folder,
        &[0; 172],     // clientTimeZone: UTC
        &[0; 4],       // clientSessionId
        &[7, 0, 0, 0], // performanceFlags
        &[0; 2],       // cbAutoReconnectCookie
        &[0; 8],       // reserved1, reserved2, cbDynamicDSTTimeZoneKeyName, dynamicDaylightTimeDisabled
    ]
    .concat();
    // SEC_INFO_PKT
    from_client(&[&[0x40, 0, 0, 0], &info[..]].concat())
}

/// 2.2.1.12 Server License Error PDU - Valid Client.
pub fn licence_valid_client() -> Vec<u8> {
    from_server(&[
        0x80, 0x00, 0x00, 0x00, // SEC_LICENSE_PKT
        0xff, 0x03, 0x10, 0x00, // ERROR_ALERT, PREAMBLE_VERSION_3_0, wMsgSize
        0x07, 0x00, 0x00, 0x00, // STATUS_VALID_CLIENT
        0x02, 0x00, 0x00, 0x00, // ST_NO_TRANSITION
        0x04, 0x00, 0x00, 0x00, // BB_ERROR_BLOB, empty
    ])
}

/// 2.2.1.13.1 Server Demand Active PDU.
pub fn demand_active() -> Vec<u8> {
    let sets = capability_sets();
    let body = [
        &SHARE.to_le_bytes()[..],
        &4u16.to_le_bytes(),
        &(sets.len() as u16).to_le_bytes(),
        b"RDP\0",
        &sets,
        &[0; 4], // sessionId
    ]
    .concat();
    from_server(&share_control(0x11, SERVER, &body))
}

/// 2.2.1.13.2 Client Confirm Active PDU.
pub fn confirm_active() -> Vec<u8> {
    let sets = capability_sets();
    let body = [
        &SHARE.to_le_bytes()[..],
        &SERVER.to_le_bytes(), // originatorId
        &6u16.to_le_bytes(),
        &(sets.len() as u16).to_le_bytes(),
        b"MSTSC\0",
        &sets,
    ]
    .concat();
    from_client(&share_control(0x13, USER, &body))
}

/// 2.2.1.14 to 2.2.1.18: Synchronize, Control (Cooperate), Control (Request Control) and Font List of the client.
pub fn client_finalization() -> [Vec<u8>; 4] {
    [
        (0x1f, vec![1, 0, 0xea, 0x03]),
        (0x14, vec![4, 0, 0, 0, 0, 0, 0, 0]),
        (0x14, vec![1, 0, 0, 0, 0, 0, 0, 0]),
        (0x27, vec![0, 0, 0, 0, 3, 0, 0x32, 0]),
    ]
    .map(|(kind, body)| from_client(&share_data(kind, USER, &body)))
}

/// 2.2.1.19 to 2.2.1.22: Synchronize, Control (Cooperate), Control (Granted Control) and Font Map of the server.
pub fn server_finalization() -> [Vec<u8>; 4] {
    let [low, high] = USER.to_le_bytes();
    [
        (0x1f, vec![1, 0, low, high]),
        (0x14, vec![4, 0, 0, 0, 0, 0, 0, 0]),
        (0x14, vec![2, 0, low, high, 0xea, 0x03, 0, 0]),
        (0x28, vec![0, 0, 0, 0, 3, 0, 4, 0]),
    ]
    .map(|(kind, body)| from_server(&share_data(kind, SERVER, &body)))
}

/// 2.2.9.1.2 Server Fast-Path Update PDU, `len` bytes in all: FASTPATH_UPDATETYPE_SYNCHRONIZE, whose content no client
/// reads. It is noise.
pub fn graphics(len: u16) -> Vec<u8> {
    // fpOutputHeader, length in two bytes, updateHeader, size
    let body = len.saturating_sub(6);
    let [high, low] = (body + 6).to_be_bytes();
    let mut pdu = vec![0x00, high | 0x80, low, 0x03];
    pdu.extend(body.to_le_bytes());
    pdu.extend((0..body).map(|n| (n.wrapping_mul(167) >> 3) as u8));
    pdu
}

/// 2.2.8.1.2 Client Fast-Path Input Event PDU: a mouse moved to `x`, `x`.
pub fn mouse_move(x: u16) -> Vec<u8> {
    // fpInputHeader (one event), length, eventHeader (MOUSE), PTRFLAGS_MOVE, x, y
    let [low, high] = x.to_le_bytes();
    vec![0x04, 0x09, 0x20, 0x00, 0x08, low, high, low, high]
}

/// How long the PDU is that begins so, header included; `None` where more bytes are needed to tell. TPKT, fast-path and
/// DER (a TSRequest) are told apart by their first byte, as Windows tells them apart.
pub fn pdu_len(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [3, _, high, low, ..] => Some(usize::from(u16::from_be_bytes([high, low]))),
        [3, ..] => None,
        [0x30, len, ..] if len < 0x80 => Some(usize::from(len) + 2),
        [0x30, 0x81, len, ..] => Some(usize::from(len) + 3),
        [0x30, 0x82, high, low, ..] => Some(usize::from(u16::from_be_bytes([high, low])) + 4),
        [0x30, ..] => None,
        [_, high, low, ..] if high & 0x80 != 0 => Some(usize::from(u16::from_be_bytes([high & 0x7f, low]))),
        [_, len, ..] if len & 0x80 == 0 => Some(usize::from(len)),
        _ => None,
    }
}

/// How long the TPKT packet is that begins so, header included. For the first packet of a connection, which can be nothing
/// else: 0, which no message can be, where it is not one.
pub fn tpkt_len(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [3, _, high, low, ..] => Some(usize::from(u16::from_be_bytes([high, low]))),
        [] | [3, ..] => None,
        _ => Some(0),
    }
}

/// How long the TLS record is that begins so, header included; `None` where more bytes are needed to tell.
pub fn record_len(bytes: &[u8]) -> Option<usize> {
    bytes.get(3..5).map(|len| usize::from(u16::from_be_bytes([len[0], len[1]])) + 5)
}

fn channel_ids(channels: usize) -> impl Iterator<Item = u16> {
    (IO + 1..).take(channels)
}

fn joined_channels() -> impl Iterator<Item = u16> {
    [USER, IO].into_iter().chain(channel_ids(CHANNELS.len()))
}

/// The user channel as PER writes it: counted from 1001.
fn user_id() -> [u8; 2] {
    (USER - 1001).to_be_bytes()
}

/// MCS Send Data Request on the I/O channel.
fn from_client(payload: &[u8]) -> Vec<u8> {
    send_data(0x64, user_id(), payload)
}

/// MCS Send Data Indication on the I/O channel.
fn from_server(payload: &[u8]) -> Vec<u8> {
    send_data(0x68, (SERVER - 1001).to_be_bytes(), payload)
}

fn send_data(kind: u8, initiator: [u8; 2], payload: &[u8]) -> Vec<u8> {
    data(&[&[kind], &initiator[..], &IO.to_be_bytes(), &[0x70], &per_len(payload.len()), payload].concat())
}

/// 2.2.8.1.1.1.1 Share Control Header.
fn share_control(kind: u8, source: u16, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u16 + 6;
    [&len.to_le_bytes()[..], &[kind, 0], &source.to_le_bytes(), body].concat()
}

/// 2.2.8.1.1.1.2 Share Data Header.
fn share_data(kind: u8, source: u16, body: &[u8]) -> Vec<u8> {
    let uncompressed = body.len() as u16 + 4;
    let header = [&SHARE.to_le_bytes()[..], &[0, 1], &uncompressed.to_le_bytes(), &[kind, 0, 0, 0]].concat();
    share_control(0x17, source, &[&header[..], body].concat())
}

/// 2.2.1.13.1.1.1 Capability Sets: the mandatory ones and some more, few of their fields set.
fn capability_sets() -> Vec<u8> {
    let sets = [
        // General: Windows NT, protocol 0x0200, FASTPATH_OUTPUT_SUPPORTED | NO_BITMAP_COMPRESSION_HDR | …
        capability(0x01, 20, &[1, 0, 3, 0, 0, 2, 0, 0, 0, 0, 0x1d, 0x04]),
        // Bitmap: 32 bits per pixel, 1024 x 768, resizable
        capability(0x02, 24, &[32, 0, 1, 0, 1, 0, 1, 0, 0, 4, 0, 3, 0, 0, 1, 0, 1, 0]),
        // Order: NEGOTIATEORDERSUPPORT | ZEROBOUNDSDELTASSUPPORT | COLORINDEXSUPPORT, and no order
        capability(0x03, 84, &[]),
        capability(0x08, 6, &[1, 0, 20, 0, 20, 0]), // Pointer
        capability(0x09, 4, &SERVER.to_le_bytes()), // Share
        // Input: INPUT_FLAG_SCANCODES | MOUSEX | FASTPATH_INPUT2 | UNICODE, US keyboard
        capability(0x0d, 84, &[0x35, 0, 0, 0, 9, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 12]),
        capability(0x0e, 4, &[1]),                            // Font: FONTSUPPORT_FONTLIST
        capability(0x14, 8, &[0, 0, 0, 0, 0x40, 0x06, 0, 0]), // Virtual Channel: chunks of 1600
        capability(0x1a, 4, &[0, 0, 1, 0]),                   // Multifragment Update: 64 KB
        capability(0x1b, 2, &[1, 0]),                         // Large Pointer
        capability(0x1c, 8, &[0x52, 0, 0, 0]),                // Surface Commands
    ];
    let count = sets.len() as u16;
    [&count.to_le_bytes()[..], &[0; 2], &sets.concat()].concat()
}

/// A capability set of `len` bytes after its header, which begin with `known` and go on with zeros.
fn capability(kind: u16, len: u16, known: &[u8]) -> Vec<u8> {
    let mut body = known.to_vec();
    body.resize(usize::from(len), 0);
    [&kind.to_le_bytes()[..], &(len + 4).to_le_bytes(), &body].concat()
}

/// 2.2.1.3.2 Client Core Data (TS_UD_CS_CORE).
fn client_core(selected: u32) -> Vec<u8> {
    let fields = [
        &0x0008_0004u32.to_le_bytes()[..],      // version: RDP 5.0 and later
        &[0x00, 0x04, 0x00, 0x03],              // 1024 x 768
        &[0x01, 0xca, 0x03, 0xaa],              // colorDepth, SASSequence
        &0x0409u32.to_le_bytes(),               // keyboardLayout
        &19041u32.to_le_bytes(),                // clientBuild
        &padded(utf16("LAB-CLIENT"), 32),       // clientName
        &[4, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0], // keyboard type, subtype, function keys
        &[0; 64],                               // imeFileName
        &[0x01, 0xca, 1, 0, 0, 0, 0, 0],        // postBeta2ColorDepth, clientProductId, serialNumber
        &[24, 0, 7, 0],                         // highColorDepth, supportedColorDepths
        &[1, 0],                                // RNS_UD_CS_SUPPORT_ERRINFO_PDU
        &[0; 64],                               // clientDigProductId
        &[0, 0],                                // connectionType, pad
        &selected.to_le_bytes(),                // serverSelectedProtocol
    ];
    block(0xc001, &fields.concat())
}

/// 2.2.1.3.5 Client Cluster Data (TS_UD_CS_CLUSTER).
fn client_cluster() -> Vec<u8> {
    block(0xc004, &[0x0d, 0, 0, 0, 0, 0, 0, 0])
}

/// 2.2.1.3.3 Client Security Data (TS_UD_CS_SEC): with TLS none, else 40, 56, 128 bit and FIPS.
fn client_security(selected: u32) -> Vec<u8> {
    let methods = if selected == protocol::RDP { 0x1b } else { 0 };
    block(0xc002, &[methods, 0, 0, 0, 0, 0, 0, 0])
}

/// 2.2.1.3.4 Client Network Data (TS_UD_CS_NET).
fn client_network() -> Vec<u8> {
    let channels = CHANNELS.iter().flat_map(|(name, options)| [&name[..], &options.to_le_bytes()].concat());
    let count = CHANNELS.len() as u32;
    block(0xc003, &count.to_le_bytes().into_iter().chain(channels).collect::<Vec<u8>>())
}

/// A GCC user data block (2.2.1.3.1).
fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u16 + 4;
    [&kind.to_le_bytes()[..], &len.to_le_bytes(), body].concat()
}

/// T.125 DomainParameters.
fn domain_parameters(numbers: [u32; 8]) -> Vec<u8> {
    ber(&[0x30], &numbers.map(ber_integer).concat())
}

fn ber_integer(number: u32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(3).take_while(|b| **b == 0).count();
    // Windows writes 0xffff so too, without the zero that BER wants before a high bit.
    ber(&[0x02], &bytes[zeros..])
}

/// A BER element with a definite length in its shortest form.
fn ber(tag: &[u8], body: &[u8]) -> Vec<u8> {
    let len = body.len() as u16;
    let [high, low] = len.to_be_bytes();
    let length: &[u8] = match len {
        0..=0x7f => &[low],
        0x80..=0xff => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [tag, length, body].concat()
}

/// A PER length determinant (X.691 10.9).
fn per_len(len: usize) -> Vec<u8> {
    match len as u16 {
        short @ 0..=0x7f => vec![short as u8],
        long => (long | 0x8000).to_be_bytes().to_vec(),
    }
}

/// Null-terminated UTF-16, little endian.
pub(in crate::lab) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn padded(mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
    bytes.resize(len, 0);
    bytes
}
