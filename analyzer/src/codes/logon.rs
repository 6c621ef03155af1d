//! Logon: what the server says of it inside the session and at the end of NLA.

use super::{Code, Notation, Table, code};

/// Logon error (Save Session Info PDU).
pub static LOGON: Table = Table {
    key: "logon",
    title: "logon error (Save Session Info PDU)",
    words: &["logon"],
    notation: Notation::Status,
    note: "[MS-RDPBCGR] 2.2.10.1.1.4.1.1, Logon Errors Info",
    source: "[MS-RDPBCGR] 2.2.10.1.1.4.1.1",
    codes: LOGON_CODES,
};

#[rustfmt::skip]
const LOGON_CODES: &[Code] = &[
    code(0x00000000, "LOGON_FAILED_BAD_PASSWORD", "", &["NLA-CRED"]),
    code(0x00000001, "LOGON_FAILED_UPDATE_PASSWORD", "", &["NLA-ACCT"]),
    code(0x00000002, "LOGON_FAILED_OTHER", "", &[]),
    code(0x00000003, "LOGON_WARNING", "", &[]),
    code(0xfffffff8, "LOGON_MSG_SESSION_BUSY_OPTIONS", "", &[]),
    code(0xfffffff9, "LOGON_MSG_DISCONNECT_REFUSED", "", &["SES-DENIED"]),
    code(0xfffffffa, "LOGON_MSG_NO_PERMISSION", "", &["NLA-RIGHT"]),
    code(0xfffffffb, "LOGON_MSG_BUMP_OPTIONS", "session contention dialog", &["SES-REPLACED"]),
    code(0xfffffffc, "LOGON_MSG_RECONNECT_OPTIONS", "", &[]),
    code(0xfffffffd, "LOGON_MSG_SESSION_TERMINATE", "", &[]),
    code(0xfffffffe, "LOGON_MSG_SESSION_CONTINUE", "", &[]),
    code(0xffffffff, "ERROR_CODE_ACCESS_DENIED", "", &["NLA-RIGHT"]),
];

/// Early User Authorization Result.
pub static AUTHORIZATION: Table = Table {
    key: "authz",
    title: "Early User Authorization Result",
    words: &["authz"],
    notation: Notation::Hex,
    note: "the last message of CredSSP with HYBRID_EX",
    source: "[MS-RDPBCGR] 2.2.10.2",
    codes: AUTHORIZATION_CODES,
};

#[rustfmt::skip]
const AUTHORIZATION_CODES: &[Code] = &[
    code(0x0, "AUTHZ_SUCCESS", "the user may log on", &[]),
    code(0x5, "AUTHZ_ACCESS_DENIED", "the user is known but may not log on remotely", &["NLA-RIGHT"]),
];
