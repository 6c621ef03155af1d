//! \[MS-RDPBCGR\] 2.2.1.3.2 and 2.2.1.4.2: early capability flags of the GCC core data.

use super::{Code, Notation, Table, code};

/// Client early capability flag.
pub static CLIENT_EARLY: Table = Table {
    key: "gcc-client-flag",
    title: "client early capability flag",
    words: &["gcc-client-flag"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.1.3.2",
    codes: CLIENT_EARLY_CODES,
};

#[rustfmt::skip]
const CLIENT_EARLY_CODES: &[Code] = &[
    code(0x1, "RNS_UD_CS_SUPPORT_ERRINFO_PDU", "client: it reads the Set Error Info PDU", &[]),
    code(0x800, "RNS_UD_CS_SUPPORT_SKIP_CHANNELJOIN", "client: it can do without channel joins", &[]),
];

/// Server early capability flag.
pub static SERVER_EARLY: Table = Table {
    key: "gcc-server-flag",
    title: "server early capability flag",
    words: &["gcc-server-flag"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.1.4.2",
    codes: SERVER_EARLY_CODES,
};

#[rustfmt::skip]
const SERVER_EARLY_CODES: &[Code] = &[
    code(0x8, "RNS_UD_SC_SKIP_CHANNELJOIN_SUPPORTED", "server: it can do without channel joins", &[]),
];
