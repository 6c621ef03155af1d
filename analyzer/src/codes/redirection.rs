//! \[MS-RDPBCGR\] 2.2.13.1 Server Redirection Packet: RedirFlags.

use super::{Code, Notation, Table, code};

/// Redirection flag.
pub static FLAGS: Table = Table {
    key: "redirection",
    title: "redirection flag",
    words: &["redirection", "redir"],
    notation: Notation::Hex,
    note: "bits that may be set together",
    source: "[MS-RDPBCGR] 2.2.13.1",
    codes: FLAGS_CODES,
};

#[rustfmt::skip]
const FLAGS_CODES: &[Code] = &[
    code(0x1, "LB_TARGET_NET_ADDRESS", "", &[]),
    code(0x2, "LB_LOAD_BALANCE_INFO", "", &[]),
    code(0x4, "LB_USERNAME", "", &[]),
    code(0x8, "LB_DOMAIN", "", &[]),
    code(0x10, "LB_PASSWORD", "", &[]),
    code(0x20, "LB_DONTSTOREUSERNAME", "", &[]),
    code(0x40, "LB_SMARTCARD_LOGON", "", &[]),
    code(0x80, "LB_NOREDIRECT", "", &[]),
    code(0x100, "LB_TARGET_FQDN", "", &[]),
    code(0x200, "LB_TARGET_NETBIOS_NAME", "", &[]),
    code(0x800, "LB_TARGET_NET_ADDRESSES", "", &[]),
    code(0x1000, "LB_CLIENT_TSV_URL", "", &[]),
    code(0x2000, "LB_SERVER_TSV_CAPABLE", "", &[]),
    code(0x4000, "LB_PASSWORD_IS_PK_ENCRYPTED", "", &[]),
    code(0x8000, "LB_REDIRECTION_GUID", "", &[]),
    code(0x10000, "LB_TARGET_CERTIFICATE", "", &[]),
];
