//! \[MS-RDPBCGR\] 2.2.1.1 and 2.2.1.2: X.224 and the negotiation in it.

use super::{Code, Notation, Table, code};

/// RDP_NEG_FAILURE code.
pub static FAILURES: Table = Table {
    key: "neg",
    title: "RDP_NEG_FAILURE code",
    words: &["neg", "negotiation", "failure"],
    notation: Notation::Decimal,
    note: "stands in clear in the server's X.224 Connection Confirm",
    source: "[MS-RDPBCGR] 2.2.1.2.2",
    codes: FAILURES_CODES,
};

#[rustfmt::skip]
const FAILURES_CODES: &[Code] = &[
    code(1, "SSL_REQUIRED_BY_SERVER", "server insists on TLS (or offers only TLS when client asked only CredSSP)", &["X224-SSLREQ"]),
    code(2, "SSL_NOT_ALLOWED_BY_SERVER", "server configured for Standard RDP Security only", &["X224-SSLNO"]),
    code(3, "SSL_CERT_NOT_ON_SERVER", "server has no usable certificate", &["X224-NOCERT", "TLS-NOKEY"]),
    code(4, "INCONSISTENT_FLAGS", "requested protocols do not fit the one already running (direct approach)", &["X224-INCONS"]),
    code(5, "HYBRID_REQUIRED_BY_SERVER", "server insists on CredSSP/NLA", &["X224-HYBRID"]),
    code(6, "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER", "server wants TLS with client certificate", &["X224-INCONS"]),
];

/// Security protocol (requestedProtocols, selectedProtocol).
pub static PROTOCOLS: Table = Table {
    key: "protocol",
    title: "security protocol (requestedProtocols, selectedProtocol)",
    words: &["protocol"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.1.1.1",
    codes: PROTOCOLS_CODES,
};

#[rustfmt::skip]
const PROTOCOLS_CODES: &[Code] = &[
    code(0x0, "PROTOCOL_RDP", "", &[]),
    code(0x1, "PROTOCOL_SSL", "", &[]),
    code(0x2, "PROTOCOL_HYBRID", "", &[]),
    code(0x4, "PROTOCOL_RDSTLS", "", &[]),
    code(0x8, "PROTOCOL_HYBRID_EX", "", &[]),
    code(0x10, "PROTOCOL_RDSAAD", "", &[]),
];

/// RDP_NEG_REQ flag.
pub static REQUEST_FLAGS: Table = Table {
    key: "neg-req-flag",
    title: "RDP_NEG_REQ flag",
    words: &["neg-req-flag"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.1.1.1",
    codes: REQUEST_FLAGS_CODES,
};

#[rustfmt::skip]
const REQUEST_FLAGS_CODES: &[Code] = &[
    code(0x1, "RESTRICTED_ADMIN_MODE_REQUIRED", "", &[]),
    code(0x2, "REDIRECTED_AUTHENTICATION_MODE_REQUIRED", "", &[]),
    code(0x8, "CORRELATION_INFO_PRESENT", "", &[]),
];

/// RDP_NEG_RSP flag.
pub static RESPONSE_FLAGS: Table = Table {
    key: "neg-rsp-flag",
    title: "RDP_NEG_RSP flag",
    words: &["neg-rsp-flag"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.1.2.1",
    codes: RESPONSE_FLAGS_CODES,
};

#[rustfmt::skip]
const RESPONSE_FLAGS_CODES: &[Code] = &[
    code(0x1, "EXTENDED_CLIENT_DATA_SUPPORTED", "", &[]),
    code(0x2, "DYNVC_GFX_PROTOCOL_SUPPORTED", "", &[]),
    code(0x4, "reserved", "", &[]),
    code(0x8, "RESTRICTED_ADMIN_MODE_SUPPORTED", "", &[]),
    code(0x10, "REDIRECTED_AUTHENTICATION_MODE_SUPPORTED", "", &[]),
];

/// X.224 TPDU code.
pub static TPDUS: Table = Table {
    key: "x224",
    title: "X.224 TPDU code",
    words: &["x224", "tpdu"],
    notation: Notation::Hex,
    note: "the first byte behind the length",
    source: "ITU-T X.224, 13",
    codes: TPDUS_CODES,
};

#[rustfmt::skip]
const TPDUS_CODES: &[Code] = &[
    code(0x70, "ER", "error", &[]),
    code(0x80, "DR", "disconnect request", &[]),
    code(0xd0, "CC", "connection confirm", &[]),
    code(0xe0, "CR", "connection request", &[]),
    code(0xf0, "DT", "data", &[]),
];
