//! Errors of Kerberos (RFC 4120, 7.5.9), as a KRB-ERROR and the Windows event log tell them.

use super::{Code, Notation, Table, code};

/// KRB-ERROR `error-code`.
pub static KERBEROS: Table = Table {
    key: "kerberos",
    title: "Kerberos error",
    words: &["kerberos", "krb", "kdc"],
    notation: Notation::Hex,
    note: "25 and 52 are part of every healthy exchange",
    source: "RFC 4120, 7.5.9",
    codes: ERRORS,
};

#[rustfmt::skip]
const ERRORS: &[Code] = &[
    code(6, "KDC_ERR_C_PRINCIPAL_UNKNOWN", "the domain does not know this user", &["NLA-CRED", "NLA-ACCT"]),
    code(7, "KDC_ERR_S_PRINCIPAL_UNKNOWN", "the domain does not know this service name", &["NLA-SPN"]),
    code(8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE", "the service name is registered twice", &["NLA-SPN"]),
    code(12, "KDC_ERR_POLICY", "policy refuses: logon hours, workstation, smart card required", &["NLA-ACCT", "NLA-RIGHT"]),
    code(14, "KDC_ERR_ETYPE_NOSUPP", "no common encryption type (RC4 refused or switched off on one side, say)", &["NLA-RC4", "NLA-KDC"]),
    code(18, "KDC_ERR_CLIENT_REVOKED", "the account is disabled, expired or locked out", &["NLA-ACCT"]),
    code(23, "KDC_ERR_KEY_EXPIRED", "the password has expired", &["NLA-ACCT"]),
    code(24, "KDC_ERR_PREAUTH_FAILED", "the password is wrong", &["NLA-CRED"]),
    code(25, "KDC_ERR_PREAUTH_REQUIRED", "the first answer to every logon", &[]),
    code(29, "KDC_ERR_SVC_UNAVAILABLE", "the domain controller cannot answer now", &["NLA-KDC"]),
    code(31, "KRB_AP_ERR_BAD_INTEGRITY", "the ticket was made with another key: an outdated password of the machine's account", &["NLA-SPN"]),
    code(32, "KRB_AP_ERR_TKT_EXPIRED", "the ticket has expired", &["NLA-SKEW"]),
    code(33, "KRB_AP_ERR_TKT_NYV", "the ticket is not valid yet", &["NLA-SKEW"]),
    code(37, "KRB_AP_ERR_SKEW", "clocks differ by more than 5 minutes", &["NLA-SKEW"]),
    code(41, "KRB_AP_ERR_MODIFIED", "the ticket is for another account: the service name belongs to someone else, or the name resolves to another machine", &["NLA-SPN"]),
    code(52, "KRB_ERR_RESPONSE_TOO_BIG", "ask again over TCP", &[]),
    code(60, "KRB_ERR_GENERIC", "the domain controller says no more than that", &["NLA-KDC"]),
    code(68, "KDC_ERR_WRONG_REALM", "another domain is in charge", &["NLA-KDC"]),
];
