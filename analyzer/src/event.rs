//! The second noun: what the protocol did.
//!
//! Layers make events from bytes; the timeline folds them. An event holds facts, never payload and never a secret.

mod credssp;
mod gateway;
mod rdp;

use crate::observation::{Absence, Ending, Flow, Impairment, Interception, Lapse, Opening, PathSample, Side, Sign};
use crate::proxy_protocol;
use crate::time::Timestamp;

pub use credssp::{
    Account, AuthMessage, KdcError, Kerberos, Mechanism, Naming, Ntlm, NtlmKind, NtlmNames, Token, TsRequest,
};
pub use gateway::{GatewayEvent, HttpAuth, HttpRequest, HttpResponse, KdcMessage, RpcPdu, Transport, TunnelMessage};
pub use rdp::{
    AutoDetect, Capabilities, ClientSettings, Finalization, FrameStep, RdpPdu, Redirection, ServerSettings, Traffic,
};

/// What the protocol did, and when. A message that spans several packets happens in its last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the observation was made that completed it.
    pub at: Timestamp,
    /// On which flow.
    pub flow: Flow,
    /// The packet that completed it.
    pub frame: u64,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A step on the way to a connection.
    Opening(Opening),
    /// The TCP handshake is done.
    Opened,
    /// A sample of the path.
    Path(Box<PathSample>),
    /// A thing that only packets show.
    Sign(Sign),
    /// What a relay did that can stand inside TLS.
    Interception(Interception),
    /// What this program does to the session on purpose.
    Impairment(Impairment),
    /// The program that watches was stopped, or its clock was set.
    Lapse(Lapse),
    /// Payload passed, of whatever protocol. Comes before the events made from it.
    Passed {
        /// Who sent it.
        from: Side,
        /// Bytes.
        len: u64,
    },
    /// Payload passed that could not be read.
    Missing {
        /// Who sent it.
        from: Side,
        /// Bytes.
        len: u64,
        /// Why.
        why: Absence,
    },
    /// Something ended.
    Closed {
        /// Who acted, if anybody did.
        from: Option<Side>,
        /// How.
        how: Ending,
    },

    /// A header of the PROXY protocol, which the client, or a relay before it, sends before everything else.
    ProxyHeader(Box<proxy_protocol::Header>),
    /// X.224 Connection Request PDU, \[MS-RDPBCGR\] 2.2.1.1.
    ConnectionRequest(Box<ConnectionRequest>),
    /// X.224 Connection Confirm PDU that agrees, \[MS-RDPBCGR\] 2.2.1.2.
    ConnectionConfirm(ConnectionConfirm),
    /// RDP Negotiation Failure, \[MS-RDPBCGR\] 2.2.1.2.2.
    NegotiationFailure {
        /// `failureCode`.
        code: u32,
    },
    /// Instead of a confirm the server sends an X.224 TPDU that refuses: a Disconnect Request (X.224, 13.5), or an Error (13.12).
    X224Refused {
        /// The TPDU's code: 0x80 or 0x70.
        code: u8,
        /// Its reason, or cause.
        reason: u8,
    },
    /// The first bytes of one side are not RDP.
    NotRdp {
        /// Whose.
        from: Side,
        /// What they look like.
        looks: Foreign,
    },
    /// TLS was agreed on, and the first bytes of one side behind that are none.
    NotTls {
        /// Whose.
        from: Side,
        /// What they look like.
        looks: Foreign,
    },
    /// An MCS PDU that is not sealed, \[MS-RDPBCGR\] 2.2.1.3 to 2.2.1.9 (T.125): without TLS, read by its keys, or a Disconnect
    /// Provider Ultimatum in the place of a confirm or of a TLS record.
    Mcs {
        /// Who sent it.
        from: Side,
        /// Which.
        pdu: McsPdu,
    },

    /// Plaintext of TLS is read: what is behind it is seen from here on.
    Unsealed,
    /// The client's domain controller refuses something, on a connection of its own.
    Kdc(KdcError),
    /// A CredSSP message, \[MS-CSSP\] 2.2.1.
    Credssp {
        /// Who sent it.
        from: Side,
        /// What it says.
        request: Box<TsRequest>,
    },
    /// Whom the client names as its user, where that is to be shown.
    Account(Account),
    /// Early User Authorization Result, \[MS-RDPBCGR\] 2.2.10.2: 0 granted, 5 denied.
    EarlyAuthorization {
        /// `authorizationResult`.
        result: u32,
    },
    /// RDSTLS Authentication Response, \[MS-RDPBCGR\] 2.2.17.4.
    RdstlsResult {
        /// `ResultCode`: 0 success.
        code: u32,
    },
    /// RDSAAD Authentication Result, \[MS-RDPBCGR\] 2.2.18.3.
    RdsaadResult {
        /// `authentication_result`, an HRESULT or NTSTATUS: 0 success.
        code: u32,
    },
    /// What stands in an MCS Connect-Initial.
    ClientSettings(Box<ClientSettings>),
    /// What stands in an MCS Connect-Response.
    ServerSettings(Box<ServerSettings>),
    /// A PDU of RDP behind MCS, where it is not sealed.
    Rdp {
        /// Who sent it.
        from: Side,
        /// Which.
        pdu: RdpPdu,
    },

    /// TLS ClientHello, RFC 8446 4.1.2, RFC 5246 7.4.1.2.
    ClientHello(Box<ClientHello>),
    /// TLS HelloRetryRequest, RFC 8446 4.1.4.
    HelloRetryRequest,
    /// TLS ServerHello, RFC 8446 4.1.3.
    ServerHello(Box<ServerHello>),
    /// TLS EncryptedExtensions, RFC 8446 4.3.1; opened with a secret.
    EncryptedExtensions {
        /// The protocol agreed on by ALPN.
        alpn: Option<String>,
    },
    /// A certificate chain, leaf first: in clear (TLS 1.2 and before), or opened with a secret.
    Certificates {
        /// Whose.
        from: Side,
        /// Leaf first, as sent. One that cannot be read is left out and reported as [`What::Malformed`]; where it is the leaf, all are
        /// left out.
        chain: Vec<Certificate>,
    },
    /// The server asks the client for a certificate (in clear: TLS 1.2 and before; else opened with a secret).
    CertificateRequest,
    /// The server's flight is complete (TLS 1.2 and before), RFC 5246 7.4.5.
    ServerHelloDone,
    /// The client's half of the key exchange is sent (TLS 1.2 and before), RFC 5246 7.4.7.
    ClientKeyExchange,
    /// ChangeCipherSpec.
    ChangeCipherSpec {
        /// Who sent it.
        from: Side,
    },
    /// A TLS alert in clear, or opened with a secret: then a [`What::SealedAlert`] comes before it. RFC 8446 6.
    Alert {
        /// Who sent it.
        from: Side,
        /// 1 warning, 2 fatal.
        level: u8,
        /// AlertDescription.
        description: u8,
        /// ProtocolVersion of the record that carried it: up to TLS 1.2 the version that its sender has chosen by then.
        version: u16,
    },
    /// An alert whose content is sealed: seen (TLS 1.2: the record type says so) or inferred (TLS 1.3: by its length).
    SealedAlert {
        /// Who sent it.
        from: Side,
        /// Whether the record said so.
        basis: Basis,
    },
    /// The handshake is complete on both sides.
    TlsEstablished {
        /// TLS 1.2: seen; TLS 1.3: inferred from the client's first sealed record, which is not an alert by its length, or
        /// seen where secrets open the client's Finished.
        basis: Basis,
    },
    /// A sealed TLS record passed.
    Record {
        /// Who sent it.
        from: Side,
        /// ContentType of the record layer (23 application data, 22 handshake, 21 alert).
        kind: u8,
        /// Length of the ciphertext, without the five-byte header.
        len: u32,
    },
    /// The sealed record that just passed was opened with a secret of the key log.
    Decrypted {
        /// Who sent it.
        from: Side,
        /// The ContentType that it truly has.
        kind: u8,
        /// Bytes of plaintext.
        len: u32,
    },
    /// The sealed record that just passed could not be opened, although there is a key log.
    Undecrypted {
        /// Who sent it.
        from: Side,
        /// Why.
        why: Undecryptable,
    },

    /// What TLS of a connection to a gateway shows: one of the TLS events, `Partial` or `Malformed`. Those without this around
    /// them are of the RDP connection itself.
    Outer(Box<What>),
    /// What stands in that TLS, around the RDP connection, \[MS-TSGU\].
    Gateway(GatewayEvent),

    /// The flow closed in the middle of a message of this side.
    Partial {
        /// Whose message.
        from: Side,
        /// Which message.
        message: &'static str,
        /// Bytes of it that came.
        have: u32,
        /// Bytes that it should have.
        need: u32,
    },

    /// Bytes that cannot be what they should be. The layer goes on if it can.
    Malformed {
        /// Who sent them.
        from: Side,
        /// The layer: "tpkt", "x224", "credssp", "mcs", "gcc", "rdp", "tls record", "tls handshake", "tls extension",
        /// "certificate", "http", "http2", "websocket", "tsgu", "rpc", "kdcproxy".
        layer: &'static str,
        /// Offset of the trouble within this side's stream of that layer, bytes.
        offset: u64,
        /// What was expected and what was found.
        says: String,
    },
}

/// How something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// It stands in the bytes.
    Seen,
    /// It follows from sizes, order or timing.
    Inferred,
}

/// Why a sealed record is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undecryptable {
    /// The key log has no secret for it.
    NoSecret,
    /// Its cipher suite is not known here.
    Suite,
    /// Bytes of it, or of the hellos, are not in the capture.
    Missing,
    /// No secret of this connection fits, or it was changed on the way.
    NotAuthentic,
}

impl Undecryptable {
    /// All of them.
    pub const ALL: [Undecryptable; 4] =
        [Undecryptable::NoSecret, Undecryptable::Suite, Undecryptable::Missing, Undecryptable::NotAuthentic];

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Undecryptable::NoSecret => "no secret in the key log",
            Undecryptable::Suite => "cipher suite not supported",
            Undecryptable::Missing => "bytes missing in the capture",
            Undecryptable::NotAuthentic => "does not authenticate",
        }
    }
}

/// What bytes look like that are not RDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// An HTTP request or answer.
    Http,
    /// An SSH banner.
    Ssh,
    /// TLS at once, without X.224.
    TlsFirst,
    /// X.224 with the parameters of ISO on TCP (RFC 1006): S7, MMS and their like.
    IsoTcp,
    /// A TPKT in clear where TLS was agreed on: RDP without it.
    Tpkt,
    /// Lines of text.
    Text,
    /// Nothing that is known here.
    Unknown,
}

impl Foreign {
    /// In words, behind "speaks".
    pub fn name(self) -> &'static str {
        match self {
            Foreign::Http => "HTTP",
            Foreign::Ssh => "SSH",
            Foreign::TlsFirst => "TLS without X.224",
            Foreign::IsoTcp => "ISO on TCP (S7, MMS)",
            Foreign::Tpkt => "RDP in clear (TPKT)",
            Foreign::Text => "lines of text",
            Foreign::Unknown => "a protocol that is not known here",
        }
    }
}

/// \[MS-RDPBCGR\] 2.2.1.1 Client X.224 Connection Request PDU.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionRequest {
    /// The value after `Cookie: mstshash=`: a user name, often cut to nine characters.
    pub cookie: Option<String>,
    /// `Cookie: msts=` or another routing token, whole.
    pub routing_token: Option<String>,
    /// `requestedProtocols`; `None` where there is no RDP_NEG_REQ.
    pub requested: Option<Protocols>,
    /// RDP_NEG_REQ flags.
    pub flags: u8,
    /// RDP_NEG_CORRELATION_INFO, hex.
    pub correlation_id: Option<String>,
}

/// \[MS-RDPBCGR\] 2.2.1.2 Server X.224 Connection Confirm PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionConfirm {
    /// `selectedProtocol`; `None` where the confirm carries no RDP_NEG_RSP, which means standard RDP security.
    pub selected: Option<Protocols>,
    /// RDP_NEG_RSP flags.
    pub flags: u8,
}

/// A set of security protocols, \[MS-RDPBCGR\] 2.2.1.1.1 `requestedProtocols`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Protocols(pub u32);

impl Protocols {
    /// PROTOCOL_SSL
    pub const SSL: Protocols = Protocols(0x1);
    /// PROTOCOL_HYBRID (CredSSP)
    pub const HYBRID: Protocols = Protocols(0x2);
    /// PROTOCOL_RDSTLS
    pub const RDSTLS: Protocols = Protocols(0x4);
    /// PROTOCOL_HYBRID_EX (CredSSP with early user authorization)
    pub const HYBRID_EX: Protocols = Protocols(0x8);
    /// PROTOCOL_RDSAAD
    pub const RDSAAD: Protocols = Protocols(0x10);

    /// Either of the two that mean CredSSP.
    pub const CREDSSP: Protocols = Protocols(Protocols::HYBRID.0 | Protocols::HYBRID_EX.0);

    const NAMES: [(Protocols, &'static str); 5] = [
        (Protocols::SSL, "SSL"),
        (Protocols::HYBRID, "HYBRID"),
        (Protocols::RDSTLS, "RDSTLS"),
        (Protocols::HYBRID_EX, "HYBRID_EX"),
        (Protocols::RDSAAD, "RDSAAD"),
    ];

    /// The names of all that are set, in the order of their bits. Unknown bits as one hex number.
    pub fn names(self) -> Vec<String> {
        let mut names: Vec<String> =
            Self::NAMES.iter().filter(|(p, _)| self.contains(*p)).map(|(_, name)| (*name).to_owned()).collect();
        let unknown = Self::NAMES.iter().fold(self.0, |left, (p, _)| left & !p.0);
        if unknown != 0 {
            names.push(format!("{unknown:#x}"));
        }
        names
    }

    /// Whether all of `other` is set here.
    pub fn contains(self, other: Protocols) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is set here.
    pub fn intersects(self, other: Protocols) -> bool {
        self.0 & other.0 != 0
    }
}

/// MCS PDUs that can be told apart in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum McsPdu {
    /// 2.2.1.3 Connect-Initial
    ConnectInitial,
    /// 2.2.1.4 Connect-Response
    ConnectResponse {
        /// T.125 Result; 0 is rt-successful.
        result: u8,
    },
    /// 2.2.1.5
    ErectDomainRequest,
    /// 2.2.1.6
    AttachUserRequest,
    /// 2.2.1.7
    AttachUserConfirm,
    /// 2.2.1.8
    ChannelJoinRequest,
    /// 2.2.1.9
    ChannelJoinConfirm {
        /// 0 is rt-successful.
        result: u8,
    },
    /// Send Data Request or Indication.
    SendData {
        /// The basic security header's flags where there is one in clear, \[MS-RDPBCGR\] 2.2.8.1.1.2.1.
        security_flags: u16,
    },
    /// Disconnect Provider Ultimatum.
    DisconnectProviderUltimatum {
        /// T.125 Reason.
        reason: u8,
    },
    /// A fast-path PDU.
    FastPath,
}

/// What a ClientHello offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// Versions offered, highest first: `supported_versions`, or else `legacy_version` alone. GREASE is left out.
    pub versions: Vec<u16>,
    /// Cipher suites in the client's order, GREASE left out.
    pub ciphers: Vec<u16>,
    /// server_name
    pub sni: Option<String>,
    /// application_layer_protocol_negotiation
    pub alpn: Vec<String>,
    /// supported_groups
    pub groups: Vec<u16>,
    /// signature_algorithms
    pub signatures: Vec<u16>,
    /// Whether the client offers to resume (session id, session ticket or pre_shared_key).
    pub resumes: bool,
    /// Whether it has the format of SSL 2.0 (RFC 5246, E.2). Cipher kinds of SSL 2.0 itself are left out.
    pub is_ssl2: bool,
    /// Bytes of the handshake message.
    pub len: u32,
    /// The client's random number (RFC 8446 4.1.2): the same bytes in two connections are one session seen twice.
    pub random: [u8; 32],
}

/// What a ServerHello chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// 0x0301 to 0x0304.
    pub version: u16,
    /// Cipher suite.
    pub cipher: u16,
    /// key_share group (TLS 1.3).
    pub group: Option<u16>,
    /// ALPN, where in clear.
    pub alpn: Option<String>,
    /// Whether the session is resumed (the session id is echoed before TLS 1.3; pre_shared_key in TLS 1.3).
    pub resumed: bool,
}

/// What a certificate says of itself (RFC 5280).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Distinguished name, RFC 4514 style.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// subjectAltName: DNS names and IP addresses.
    pub names: Vec<String>,
    /// Seconds since the Unix epoch.
    pub not_before: i64,
    /// Seconds since the Unix epoch.
    pub not_after: i64,
    /// "RSA", "EC", "Ed25519", "DSA" or the algorithm's OID.
    pub key: String,
    /// Bits of the key; 0 where not known.
    pub key_bits: u32,
    /// Signature algorithm: "sha256WithRSAEncryption", … or its OID.
    pub signature: String,
    /// Extended key usage: "serverAuth", "clientAuth", "remoteDesktopAuthentication" (1.3.6.1.4.1.311.54.1.2), or an OID.
    pub eku: Vec<String>,
    /// Serial number, hex.
    pub serial: String,
    /// SHA-1 thumbprint, hex: what Windows shows.
    pub sha1: String,
    /// SHA-256 thumbprint, hex.
    pub sha256: String,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
}
