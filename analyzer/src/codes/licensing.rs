//! \[MS-RDPELE\] 2.2: licensing.

use super::{Code, Notation, Table, code};

/// Licensing error code.
pub static ERRORS: Table = Table {
    key: "license",
    title: "licensing error code",
    words: &["license", "licence", "lic"],
    notation: Notation::Decimal,
    note: "STATUS_VALID_CLIENT (7) with ST_NO_TRANSITION is success",
    source: "[MS-RDPBCGR] 2.2.1.12.1.3",
    codes: ERRORS_CODES,
};

#[rustfmt::skip]
const ERRORS_CODES: &[Code] = &[
    code(1, "ERR_INVALID_SERVER_CERTIFICATE", "client: server licence certificate invalid", &["LIC-CLIENT"]),
    code(2, "ERR_NO_LICENSE", "no licence", &["LIC-NOSRV"]),
    code(3, "ERR_INVALID_MAC", "MAC check failed", &["LIC-CLIENT"]),
    code(4, "ERR_INVALID_SCOPE", "scope not acceptable", &["LIC-CLIENT"]),
    code(6, "ERR_NO_LICENSE_SERVER", "no licence server", &["LIC-NOSRV"]),
    code(7, "STATUS_VALID_CLIENT", "NOT an error: licensing finished/skipped", &[]),
    code(8, "ERR_INVALID_CLIENT", "client rejected", &["LIC-CLIENT"]),
    code(11, "ERR_INVALID_PRODUCT_ID", "product id mismatch", &["LIC-CLIENT"]),
    code(12, "ERR_INVALID_MESSAGE_LENGTH", "message/field length", &["LIC-CLIENT"]),
];

/// Licensing state transition.
pub static TRANSITIONS: Table = Table {
    key: "license-transition",
    title: "licensing state transition",
    words: &["license-transition"],
    notation: Notation::Decimal,
    note: "stands beside the error code",
    source: "[MS-RDPBCGR] 2.2.1.12.1.3",
    codes: TRANSITIONS_CODES,
};

#[rustfmt::skip]
const TRANSITIONS_CODES: &[Code] = &[
    code(1, "ST_TOTAL_ABORT", "", &[]),
    code(2, "ST_NO_TRANSITION", "", &[]),
    code(3, "ST_RESET_PHASE_TO_START", "", &[]),
    code(4, "ST_RESEND_LAST_MESSAGE", "", &[]),
];

/// Licensing message type.
pub static MESSAGES: Table = Table {
    key: "license-message",
    title: "licensing message type",
    words: &["license-message"],
    notation: Notation::Hex,
    note: "the first byte of the licensing preamble",
    source: "[MS-RDPELE] 2.2.2",
    codes: MESSAGES_CODES,
};

#[rustfmt::skip]
const MESSAGES_CODES: &[Code] = &[
    code(0x1, "LICENSE_REQUEST", "from server to client", &[]),
    code(0x2, "PLATFORM_CHALLENGE", "from server to client", &[]),
    code(0x3, "NEW_LICENSE", "from server to client", &[]),
    code(0x4, "UPGRADE_LICENSE", "from server to client", &[]),
    code(0x12, "LICENSE_INFO", "from client to server", &[]),
    code(0x13, "NEW_LICENSE_REQUEST", "from client to server", &[]),
    code(0x15, "PLATFORM_CHALLENGE_RESPONSE", "from client to server", &[]),
    code(0xff, "ERROR_ALERT", "from either side", &[]),
];
