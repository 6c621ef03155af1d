//! What RDP says behind MCS (\[MS-RDPBCGR\]), where it is in clear: facts, no content and no credential.

/// Client settings: GCC Conference Create Request, \[MS-RDPBCGR\] 2.2.1.3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// `version`: 0x00080004 is RDP 5, 0x0008000c is 10.7.
    pub version: Option<u32>,
    /// `clientBuild`
    pub build: Option<u32>,
    /// `clientName`
    pub name: Option<String>,
    /// `desktopWidth` and `desktopHeight`, pixels.
    pub desktop: Option<(u16, u16)>,
    /// Bits per pixel that are asked for, with `highColorDepth` and RNS_UD_CS_WANT_32BPP_SESSION.
    pub color_depth: Option<u8>,
    /// `keyboardLayout`: a Windows input locale.
    pub keyboard_layout: Option<u32>,
    /// `earlyCapabilityFlags`, 2.2.1.3.2.
    pub early_flags: Option<u16>,
    /// `connectionType`: 1 modem to 6 LAN, 7 auto-detect.
    pub connection_type: Option<u8>,
    /// `serverSelectedProtocol`: must be what the server selected.
    pub selected: Option<u32>,
    /// `encryptionMethods` offered, 2.2.1.3.3.
    pub encryption_methods: Option<u32>,
    /// Static virtual channels, in order, 2.2.1.3.4.
    pub channels: Vec<String>,
    /// `RedirectedSessionID` of the cluster data, where it is valid: this connection follows a redirection.
    pub redirected_session: Option<u32>,
    /// Monitors, 2.2.1.3.6.
    pub monitors: Option<u32>,
    /// Whether the client knows the message channel, 2.2.1.3.7.
    pub has_message_channel: bool,
    /// Multitransport flags, 2.2.1.3.8.
    pub multitransport: Option<u32>,
}

/// Server settings: GCC Conference Create Response, \[MS-RDPBCGR\] 2.2.1.4.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// `version`, as the client's.
    pub version: Option<u32>,
    /// `clientRequestedProtocols`: what the server says the client asked for.
    pub requested: Option<u32>,
    /// `earlyCapabilityFlags`, 2.2.1.4.2.
    pub early_flags: Option<u32>,
    /// `encryptionMethod`, 2.2.1.4.3: 1 40 bit, 2 128 bit, 8 56 bit, 0x10 FIPS.
    pub encryption_method: Option<u32>,
    /// `encryptionLevel`: 0 none, 1 low, 2 client compatible, 3 high, 4 FIPS.
    pub encryption_level: Option<u32>,
    /// `MCSChannelId`: the I/O channel.
    pub io_channel: Option<u16>,
    /// Ids of the static channels, in the client's order.
    pub channels: Vec<u16>,
    /// `MCSChannelID` of the message channel, 2.2.1.4.5.
    pub message_channel: Option<u16>,
    /// Multitransport flags, 2.2.1.4.6.
    pub multitransport: Option<u32>,
}

/// A PDU of RDP behind MCS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RdpPdu {
    /// Security Exchange PDU, 2.2.1.10.
    SecurityExchange,
    /// Client Info PDU, 2.2.1.11. Its names and its password stay where they are.
    ClientInfo {
        /// `flags`, 2.2.1.11.1.1.
        flags: u32,
        /// Bytes of domain, user name, password.
        lengths: [u16; 3],
        /// Whether it brings an auto-reconnect cookie, 2.2.4.3.
        has_cookie: bool,
    },
    /// Auto-detection, 2.2.14.
    AutoDetect(AutoDetect),
    /// Licensing, \[MS-RDPELE\] 2.2.2.
    License {
        /// `bMsgType` of the preamble.
        message: u8,
        /// `dwErrorCode` and `dwStateTransition` of an error alert.
        error: Option<(u32, u32)>,
    },
    /// Initiate Multitransport Request, 2.2.15.1.
    MultitransportRequest {
        /// `requestedProtocol`: 1 reliable UDP, 2 lossy UDP.
        protocol: u16,
    },
    /// Initiate Multitransport Response, 2.2.15.2.
    MultitransportResponse {
        /// `hrResponse`, an HRESULT.
        result: u32,
    },
    /// Demand Active, 2.2.1.13.1.
    DemandActive(Capabilities),
    /// Confirm Active, 2.2.1.13.2.
    ConfirmActive(Capabilities),
    /// Deactivate All, 2.2.3.1.
    DeactivateAll,
    /// Server redirection, 2.2.13.
    Redirection(Box<Redirection>),
    /// A step of the connection finalization, 2.2.1.14 to 2.2.1.22.
    Finalization(Finalization),
    /// Save Session Info, 2.2.10.1.
    SaveSessionInfo {
        /// `infoType`.
        kind: u32,
        /// Whether it brings an auto-reconnect cookie, 2.2.4.2.
        has_cookie: bool,
        /// Logon errors: `ErrorNotificationType` and `ErrorNotificationData`, 2.2.10.1.1.4.1.1.
        logon_error: Option<(u32, u32)>,
    },
    /// Set Error Info, 2.2.5.1.
    SetErrorInfo {
        /// ERRINFO; 0 is none.
        code: u32,
    },
    /// Server Status Info, 2.2.5.2.
    StatusInfo {
        /// `statusCode`.
        code: u32,
    },
    /// Shutdown Request, 2.2.2.1: the user wants to leave.
    ShutdownRequest,
    /// Shutdown Request Denied, 2.2.2.2: there is a user, ask him.
    ShutdownDenied,
    /// Auto-Reconnect Status, 2.2.4.1: the cookie was refused.
    AutoReconnectStatus,
    /// Heartbeat, 2.2.16.1.
    Heartbeat {
        /// Seconds between two of them.
        period: u8,
        /// Missed ones before the client warns.
        warn: u8,
        /// Missed ones before the client reconnects.
        reconnect: u8,
    },
    /// A frame of graphics.
    Frame {
        /// How far it is.
        step: FrameStep,
        /// `frameId`.
        id: u32,
    },
    /// Whatever carries the session: counted only.
    Traffic {
        /// Of which kind.
        kind: Traffic,
        /// Bytes, with their headers.
        len: u32,
    },
}

/// What carries the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// Fast-path input or output, 2.2.8.1.2 and 2.2.9.1.2.
    FastPath,
    /// A static virtual channel, by its MCS id, 2.2.6.
    Channel(u16),
    /// A share data PDU, by its `pduType2`, 2.2.8.1.1.1.2.
    ShareData(u8),
    /// Compressed or encrypted where it would tell what it is.
    Closed,
}

/// How far a frame of graphics is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameStep {
    /// The server begins it, 2.2.9.2.3; \[MS-RDPEGFX\] 2.2.2.11.
    Begun,
    /// The server has sent it, 2.2.9.2.3; \[MS-RDPEGFX\] 2.2.2.12.
    Sent,
    /// The client has it on the screen, \[MS-RDPRFX\] 2.2.3.1; \[MS-RDPEGFX\] 2.2.2.13.
    Acknowledged,
}

/// How many capability sets there are, 2.2.1.13.1.1.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// `numberCapabilities`.
    pub announced: u16,
    /// Those that stand there whole.
    pub found: u16,
    /// Those that are not known or cannot be read.
    pub unread: u16,
}

/// A step of the connection finalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finalization {
    /// Synchronize, 2.2.1.14 and 2.2.1.19.
    Synchronize,
    /// Control with this action, 2.2.1.15.1: 1 request, 2 granted, 3 detach, 4 cooperate.
    Control(u16),
    /// Persistent Key List, 2.2.1.17.
    PersistentKeyList,
    /// Font List, 2.2.1.18.
    FontList,
    /// Font Map, 2.2.1.22: the connection sequence is over.
    FontMap,
}

impl Finalization {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Finalization::Synchronize => "Synchronize",
            Finalization::Control(1) => "Control (request control)",
            Finalization::Control(2) => "Control (granted control)",
            Finalization::Control(3) => "Control (detach)",
            Finalization::Control(4) => "Control (cooperate)",
            Finalization::Control(_) => "Control",
            Finalization::PersistentKeyList => "Persistent Key List",
            Finalization::FontList => "Font List",
            Finalization::FontMap => "Font Map",
        }
    }
}

/// Auto-detection, 2.2.14.1 and 2.2.14.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AutoDetect {
    /// RTT Measure Request.
    RttRequest {
        /// `sequenceNumber`
        sequence: u16,
    },
    /// RTT Measure Response.
    RttResponse {
        /// `sequenceNumber`
        sequence: u16,
    },
    /// Bandwidth Measure Start.
    BandwidthStart,
    /// Bandwidth Measure Payload.
    BandwidthPayload {
        /// Bytes.
        len: u32,
    },
    /// Bandwidth Measure Stop.
    BandwidthStop,
    /// Bandwidth Measure Results, of the client.
    BandwidthResults {
        /// `timeDelta`, ms.
        ms: u32,
        /// `byteCount`.
        bytes: u32,
    },
    /// Network Characteristics Result, of the server.
    Result {
        /// `baseRTT`, ms: the least.
        base_rtt_ms: Option<u32>,
        /// `bandwidth`, kbit/s.
        bandwidth_kbps: Option<u32>,
        /// `averageRTT`, ms.
        average_rtt_ms: u32,
    },
    /// Network Characteristics Sync, of a client that reconnects.
    Sync {
        /// kbit/s
        bandwidth_kbps: u32,
        /// ms
        rtt_ms: u32,
    },
}

/// Where a server sends its client, 2.2.13.1. Never a password, a user or a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirection {
    /// `SessionID` to take up there.
    pub session: u32,
    /// `RedirFlags`.
    pub flags: u32,
    /// `TargetNetAddress`.
    pub address: Option<String>,
    /// `TargetFQDN`.
    pub fqdn: Option<String>,
    /// `TargetNetBiosName`.
    pub netbios: Option<String>,
    /// `TargetNetAddresses`.
    pub addresses: Vec<String>,
    /// Bytes of `LoadBalanceInfo`: the routing token of the next connection.
    pub token_len: u32,
}

impl Redirection {
    /// The first that says where to: address, name, NetBIOS name.
    pub fn target(&self) -> Option<&str> {
        let named = [&self.fqdn, &self.address, &self.netbios].into_iter().find_map(Option::as_deref);
        named.or(self.addresses.first().map(String::as_str))
    }
}
