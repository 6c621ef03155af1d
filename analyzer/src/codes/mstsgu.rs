//! \[MS-TSGU\]: what an RD Gateway answers, and its HTTP transport.

use super::{Code, Notation, Table, code};

/// RD Gateway result (MS-TSGU).
pub static GATEWAY: Table = Table {
    key: "gateway",
    title: "RD Gateway result (MS-TSGU)",
    words: &["gateway", "mstsgu", "rdg"],
    notation: Notation::Status,
    note: "carried as HRESULT or as its low 16 bits: both are looked up",
    source: "[MS-TSGU] 2.2.6",
    codes: GATEWAY_CODES,
};

#[rustfmt::skip]
const GATEWAY_CODES: &[Code] = &[
    code(0x00000005, "ERROR_ACCESS_DENIED", "bad tunnel/handle", &["RDG-401"]),
    code(0x000000a0, "ERROR_BAD_ARGUMENTS", "bad arguments", &[]),
    code(0x000004ca, "ERROR_GRACEFUL_DISCONNECT", "graceful", &[]),
    code(0x000004d4, "E_PROXY_CONNECTIONABORTED", "admin disconnect / idle or session timeout without the IDLE_TIMEOUT capability", &["RDG-LIMIT"]),
    code(0x000059e6, "E_PROXY_MAXCONNECTIONSREACHED", "gateway full", &["RDG-LIMIT"]),
    code(0x000059e8, "E_PROXY_NOTSUPPORTED", "not supported", &[]),
    code(0x000059f6, "E_PROXY_SESSIONTIMEOUT", "session timeout at gateway", &["RDG-LIMIT"]),
    code(0x000059fa, "E_PROXY_REAUTH_AUTHN_FAILED", "re-authentication failed", &["RDG-401"]),
    code(0x000059fb, "E_PROXY_REAUTH_CAP_FAILED", "CAP failed at re-auth", &["RDG-CAP"]),
    code(0x000059fc, "E_PROXY_REAUTH_RAP_FAILED", "RAP failed at re-auth", &["RDG-RAP"]),
    code(0x000059fd, "E_PROXY_SDR_NOT_SUPPORTED_BY_TS", "secure device redirection unsupported by target", &[]),
    code(0x00005a00, "E_PROXY_REAUTH_NAP_FAILED", "NAP failed at re-auth", &["RDG-CAP"]),
    code(0x8007071a, "RPC_S_CALL_CANCELLED", "call cancelled/shutdown", &["RDG-503"]),
    code(0x800759d8, "E_PROXY_INTERNALERROR", "gateway internal error", &["RDG-503"]),
    code(0x800759da, "E_PROXY_RAP_ACCESSDENIED", "resource policy denies this target (or NetBIOS vs FQDN)", &["RDG-RAP"]),
    code(0x800759db, "E_PROXY_NAP_ACCESSDENIED", "connection policy (CAP)/NAP denies", &["RDG-CAP"]),
    code(0x800759dd, "E_PROXY_TS_CONNECTFAILED", "gateway could not reach the target host:port", &["RDG-TARGET"]),
    code(0x800759df, "E_PROXY_ALREADYDISCONNECTED", "tunnel already gone", &["RDG-LIMIT"]),
    code(0x800759e9, "E_PROXY_CAPABILITYMISMATCH", "capability mismatch", &[]),
    code(0x800759ed, "E_PROXY_QUARANTINE_ACCESSDENIED", "quarantine check failed", &["RDG-CAP"]),
    code(0x800759ee, "E_PROXY_NOCERTAVAILABLE", "gateway has no certificate", &["RDG-CERT"]),
    code(0x800759f7, "E_PROXY_COOKIE_BADPACKET", "PAA cookie malformed", &["RDG-COOKIE"]),
    code(0x800759f8, "E_PROXY_COOKIE_AUTHENTICATION_ACCESS_DENIED", "PAA cookie refused", &["RDG-COOKIE"]),
    code(0x800759f9, "E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD", "auth method unsupported", &["RDG-401"]),
    code(0x8009030c, "SEC_E_LOGON_DENIED", "gateway credentials refused", &["RDG-401"]),
];

/// RD Gateway HTTP packet type.
pub static PACKETS: Table = Table {
    key: "gateway-packet",
    title: "RD Gateway HTTP packet type",
    words: &["gateway-packet"],
    notation: Notation::Hex,
    note: "[MS-TSGU] 2.2.10.2",
    source: "[MS-TSGU] 2.2.10.2",
    codes: PACKETS_CODES,
};

#[rustfmt::skip]
const PACKETS_CODES: &[Code] = &[
    code(0x1, "HANDSHAKE_REQ", "", &[]),
    code(0x2, "HANDSHAKE_RESP", "", &[]),
    code(0x3, "EXTENDED_AUTH", "", &[]),
    code(0x4, "TUNNEL_CREATE", "", &[]),
    code(0x5, "TUNNEL_RESP", "", &[]),
    code(0x6, "TUNNEL_AUTH", "", &[]),
    code(0x7, "TUNNEL_AUTH_RESP", "", &[]),
    code(0x8, "CHANNEL_CREATE", "", &[]),
    code(0x9, "CHANNEL_RESP", "", &[]),
    code(0xa, "DATA", "", &[]),
    code(0xb, "SERVICE_MESSAGE", "", &[]),
    code(0xc, "REAUTH", "", &[]),
    code(0xd, "KEEPALIVE", "", &[]),
    code(0x10, "CLOSE_CHANNEL", "", &[]),
    code(0x11, "CLOSE_CHANNEL_RESP", "", &[]),
];
