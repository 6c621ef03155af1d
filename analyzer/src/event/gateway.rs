//! What passes between a client and an RD Gateway outside of the RDP connection in it (\[MS-TSGU\]): HTTP, the tunnel's
//! messages, RPC. Names of users, passwords, cookies and tickets are left out; that they were there is said.

use super::{KdcError, Token};
use crate::observation::Side;

/// What one HTTP connection to a gateway shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayEvent {
    /// The head of an HTTP request is complete.
    Request(Box<HttpRequest>),
    /// The head of an HTTP response is complete.
    Response(Box<HttpResponse>),
    /// The client's side of a WebSocket is shut, or the server's (RFC 6455 5.5.1).
    WebSocketClose {
        /// Whose.
        from: Side,
        /// Status code, where there is one (RFC 6455 7.4).
        code: Option<u16>,
    },
    /// A packet of the tunnel, \[MS-TSGU\] 2.2.10 (HTTP and WebSocket), or 2.2.9 where RPC carries it.
    Tunnel {
        /// Who sent it.
        from: Side,
        /// Which.
        message: TunnelMessage,
    },
    /// A PDU of RPC over HTTP version 2, \[MS-RPCH\] 2.2, [C706] 12.6.
    Rpc {
        /// Who sent it.
        from: Side,
        /// Which.
        pdu: RpcPdu,
    },
    /// Bytes of the RDP connection passed in the tunnel. They come before what is made from them, as `Passed` does.
    Carried {
        /// Who sent them.
        from: Side,
        /// Bytes.
        len: u64,
    },
    /// This connection is one of those of a tunnel: the number is the tunnel's, counted from 0.
    Half {
        /// Which tunnel.
        tunnel: u32,
    },
    /// A KDC proxy message, \[MS-KKDCP\] 2.2.2.
    Kdc {
        /// Who sent it.
        from: Side,
        /// What stands in it.
        message: KdcMessage,
    },
}

/// What a connection to a gateway is for, as its request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Both directions in one WebSocket (RDG_OUT_DATA with an upgrade), \[MS-TSGU\] 3.3.5.1.
    WebSocket,
    /// The server's half of HTTP's two channels: RDG_OUT_DATA.
    HttpOut,
    /// The client's half: RDG_IN_DATA.
    HttpIn,
    /// The server's half of RPC over HTTP: RPC_OUT_DATA, \[MS-RPCH\] 2.1.2.1.
    RpcOut,
    /// The client's half: RPC_IN_DATA.
    RpcIn,
    /// KDC proxy, \[MS-KKDCP\].
    KdcProxy,
    /// CONNECT: a web proxy is asked to reach the gateway (RFC 9110 9.3.6).
    Connect,
    /// Something else.
    Other,
}

/// The head of an HTTP request (RFC 9110, RFC 9112, RFC 9113).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// What it is for.
    pub transport: Transport,
    /// Method.
    pub method: String,
    /// Request target, without what stands behind a question mark.
    pub path: String,
    /// `Host`, or `:authority`.
    pub host: Option<String>,
    /// 1 for HTTP/1.1, 2 for HTTP/2.
    pub version: u8,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// Whether it asks to go on as a WebSocket (RFC 6455 4.1).
    pub upgrade: bool,
    /// How the client authenticates: `Authorization`.
    pub authorization: Option<HttpAuth>,
    /// The same towards a web proxy: `Proxy-Authorization`.
    pub proxy_authorization: Option<HttpAuth>,
    /// `RDG-Connection-Id`: what ties the two channels of one tunnel together.
    pub connection_id: Option<String>,
    /// `RDG-Correlation-Id`: what the gateway's event log calls the connection.
    pub correlation_id: Option<String>,
    /// `RDG-Auth-Scheme`.
    pub auth_scheme: Option<String>,
    /// `Content-Length`.
    pub length: Option<u64>,
}

/// The head of an HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// What its request was for; `Other` where none was seen.
    pub transport: Transport,
    /// Status code.
    pub status: u16,
    /// Reason phrase; empty in HTTP/2.
    pub reason: String,
    /// Schemes of `WWW-Authenticate`, in order, with what the server says in them.
    pub offers: Vec<HttpAuth>,
    /// The same of `Proxy-Authenticate`.
    pub proxy_offers: Vec<HttpAuth>,
    /// Whether it agrees to go on as a WebSocket.
    pub upgrade: bool,
    /// Whether the connection is not kept: `Connection: close`.
    pub closes: bool,
    /// `Location`, without what stands behind a question mark.
    pub location: Option<String>,
    /// `Server`.
    pub server: Option<String>,
    /// `Via`, or another mark of a box on the way: `X-Cache`, `X-Squid-Error`, ...
    pub via: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Length`.
    pub length: Option<u64>,
}

/// An authentication scheme in a header (RFC 9110 11), and what its token says (RFC 4559).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAuth {
    /// As written: `NTLM`, `Negotiate`, `Basic`, `Bearer`, `PAA`, ...
    pub scheme: String,
    /// Whether something stands behind it.
    pub has_token: bool,
    /// What it says, where it is SPNEGO, NTLM or Kerberos.
    pub token: Option<Token>,
}

/// A packet of the tunnel, \[MS-TSGU\] 2.2.10. HTTP_PACKET_TYPE of each stands behind its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelMessage {
    /// HTTP_HANDSHAKE_REQUEST_PACKET (0x1).
    HandshakeRequest {
        /// Major and minor version.
        version: (u8, u8),
        /// HTTP_EXTENDED_AUTH flags: 1 SC, 2 PAA, 4 SSPI NTLM.
        extended_auth: u16,
    },
    /// HTTP_HANDSHAKE_RESPONSE_PACKET (0x2).
    HandshakeResponse {
        /// `errorCode`, an HRESULT.
        error: u32,
        /// Major and minor version.
        version: (u8, u8),
        /// HTTP_EXTENDED_AUTH flags that the gateway accepts.
        extended_auth: u16,
    },
    /// HTTP_EXTENDED_AUTH_PACKET (0x3).
    ExtendedAuth {
        /// `errorCode`.
        error: u32,
        /// What the token says.
        token: Option<Token>,
    },
    /// HTTP_TUNNEL_PACKET (0x4), or RPC's TsProxyCreateTunnel.
    TunnelCreate {
        /// HTTP_CAPABILITY_TYPE flags.
        capabilities: u32,
        /// Whether a PAA cookie is there.
        has_cookie: bool,
        /// Whether it asks to authenticate a running tunnel again.
        is_reauthentication: bool,
    },
    /// HTTP_TUNNEL_RESPONSE (0x5).
    TunnelResponse {
        /// `statusCode`, an HRESULT.
        status: u32,
        /// `tunnelId`
        tunnel: Option<u32>,
        /// Capabilities of the gateway.
        capabilities: Option<u32>,
        /// Whether a statement of health is asked for (`nonce`, `serverCert`).
        asks_health: bool,
        /// Bytes of the consent message; 0 for none.
        consent: u32,
    },
    /// HTTP_TUNNEL_AUTH_PACKET (0x6), or RPC's TsProxyAuthorizeTunnel.
    TunnelAuthorize {
        /// Whether a statement of health is there.
        has_health: bool,
    },
    /// HTTP_TUNNEL_AUTH_RESPONSE (0x7).
    TunnelAuthorizeResponse {
        /// `errorCode`, an HRESULT.
        error: u32,
        /// Redirection flags, HTTP_TUNNEL_REDIR_FLAGS: 0x80000000 all enabled, 0x40000000 all disabled, 1 drives, 2 printers,
        /// 4 ports, 8 clipboard, 0x10 plug and play.
        redirection: Option<u32>,
        /// Idle timeout, minutes; 0 for none.
        idle_timeout: Option<u32>,
    },
    /// HTTP_CHANNEL_PACKET (0x8), or RPC's TsProxyCreateChannel: where to.
    ChannelCreate {
        /// Names of the target, the alternate ones behind.
        targets: Vec<String>,
        /// Its port.
        port: u16,
        /// `protocol`: 3 for RDP.
        protocol: u16,
    },
    /// HTTP_CHANNEL_RESPONSE (0x9).
    ChannelResponse {
        /// `errorCode`, an HRESULT.
        error: u32,
        /// `channelId`
        channel: Option<u32>,
        /// Port of the UDP side channel, where one is offered.
        udp_port: Option<u16>,
    },
    /// HTTP_SERVICE_MESSAGE (0xB), or RPC's TSG_PACKET_TYPE_MESSAGE_PACKET.
    ServiceMessage {
        /// Bytes of its text.
        len: u32,
    },
    /// HTTP_REAUTH_MESSAGE (0xC).
    Reauthenticate,
    /// HTTP_KEEPALIVE_PACKET (0xD).
    KeepAlive,
    /// HTTP_CLOSE_PACKET (0x10), or RPC's TsProxyCloseChannel or TsProxyCloseTunnel.
    Close {
        /// `statusCode`, an HRESULT.
        status: u32,
    },
    /// HTTP_CLOSE_PACKET_RESPONSE (0x11).
    CloseResponse {
        /// `statusCode`.
        status: u32,
    },
    /// A packet of a type that is not in the table. (0xA, HTTP_DATA, is told as [`GatewayEvent::Carried`].)
    Unknown {
        /// `packetType`
        kind: u16,
        /// `packetLength`
        len: u32,
    },
}

/// A PDU of RPC over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RpcPdu {
    /// An RTS PDU, \[MS-RPCH\] 2.2.4.
    Rts {
        /// Its name, where its commands make one: "CONN/A1", "CONN/B1", "CONN/A3", "CONN/C2", ...
        name: &'static str,
    },
    /// bind, bind_ack, alter_context, ... by name, \[C706\] 12.6.4.
    Bind {
        /// "bind", "bind_ack", "rpc_auth_3", "alter_context", "alter_context_resp".
        name: &'static str,
        /// What its authentication verifier says.
        token: Option<Token>,
    },
    /// bind_nak.
    BindNak {
        /// `provider_reject_reason`
        reason: u16,
    },
    /// request.
    Request {
        /// `opnum` of TsProxyRpcInterface, \[MS-TSGU\] 3.2.6.
        opnum: u16,
    },
    /// response.
    Response {
        /// The last four bytes, which are the method's result where it ends: an HRESULT.
        result: Option<u32>,
    },
    /// fault.
    Fault {
        /// `status`
        status: u32,
    },
}

/// What stands in a KDC proxy message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KdcMessage {
    /// A request: its Kerberos message type (RFC 4120 7.5.7; 10 AS-REQ, 12 TGS-REQ) and the realm that is to be asked.
    Request {
        /// Kerberos message type.
        kind: u8,
        /// `target-domain`
        realm: Option<String>,
    },
    /// An answer: its Kerberos message type (11 AS-REP, 13 TGS-REP).
    Answer {
        /// Kerberos message type.
        kind: u8,
    },
    /// A KRB-ERROR.
    Error(KdcError),
}

impl Transport {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Transport::WebSocket => "WebSocket",
            Transport::HttpOut => "HTTP out",
            Transport::HttpIn => "HTTP in",
            Transport::RpcOut => "RPC out",
            Transport::RpcIn => "RPC in",
            Transport::KdcProxy => "KDC proxy",
            Transport::Connect => "CONNECT",
            Transport::Other => "other",
        }
    }

    /// Whether a tunnel stands in it.
    pub fn is_tunnel(self) -> bool {
        match self {
            Transport::WebSocket | Transport::HttpOut | Transport::HttpIn | Transport::RpcOut | Transport::RpcIn => {
                true
            }
            Transport::KdcProxy | Transport::Connect | Transport::Other => false,
        }
    }
}

impl TunnelMessage {
    /// As it stands in reports.
    pub fn name(&self) -> &'static str {
        match self {
            TunnelMessage::HandshakeRequest { .. } => "handshake request",
            TunnelMessage::HandshakeResponse { .. } => "handshake response",
            TunnelMessage::ExtendedAuth { .. } => "extended authentication",
            TunnelMessage::TunnelCreate { .. } => "tunnel create",
            TunnelMessage::TunnelResponse { .. } => "tunnel response",
            TunnelMessage::TunnelAuthorize { .. } => "tunnel authorize",
            TunnelMessage::TunnelAuthorizeResponse { .. } => "tunnel authorize response",
            TunnelMessage::ChannelCreate { .. } => "channel create",
            TunnelMessage::ChannelResponse { .. } => "channel response",
            TunnelMessage::ServiceMessage { .. } => "service message",
            TunnelMessage::Reauthenticate => "reauthenticate",
            TunnelMessage::KeepAlive => "keep-alive",
            TunnelMessage::Close { .. } => "close",
            TunnelMessage::CloseResponse { .. } => "close response",
            TunnelMessage::Unknown { .. } => "unknown packet",
        }
    }
}
