//! Errors of MIT Kerberos (FreeRDP with Kerberos, kinit): the base of the library's table and RFC 4120's number, or beyond.

use super::{Code, Notation, Table, code};

/// Error of MIT Kerberos.
pub static KRB5: Table = Table {
    key: "krb5",
    title: "error of MIT Kerberos",
    words: &["krb5", "mit"],
    notation: Notation::Status,
    note: "-1765328384 and the number of RFC 4120, or from 128 on the library's own",
    source: "MIT krb5: src/lib/krb5/error_tables/krb5_err.et",
    codes: ERRORS,
};

#[rustfmt::skip]
const ERRORS: &[Code] = &[
    code(0x96c73a01, "KRB5KDC_ERR_NAME_EXP", "the user's entry has expired", &["NLA-ACCT"]),
    code(0x96c73a02, "KRB5KDC_ERR_SERVICE_EXP", "the service's entry has expired", &["NLA-SPN"]),
    code(0x96c73a03, "KRB5KDC_ERR_BAD_PVNO", "the protocol version is not supported", &[]),
    code(0x96c73a06, "KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN", "the domain does not know this user", &["NLA-CRED", "NLA-ACCT"]),
    code(0x96c73a07, "KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN", "the domain does not know this service name", &["NLA-SPN"]),
    code(0x96c73a08, "KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE", "the name is registered twice", &["NLA-SPN"]),
    code(0x96c73a09, "KRB5KDC_ERR_NULL_KEY", "user or service has no key", &["NLA-ACCT"]),
    code(0x96c73a0b, "KRB5KDC_ERR_NEVER_VALID", "the lifetime asked for is negative or too short", &["NLA-SKEW"]),
    code(0x96c73a0c, "KRB5KDC_ERR_POLICY", "policy refuses: logon hours, workstation", &["NLA-ACCT", "NLA-RIGHT"]),
    code(0x96c73a0d, "KRB5KDC_ERR_BADOPTION", "the KDC cannot fulfil what was asked", &["NLA-DELEG"]),
    code(0x96c73a0e, "KRB5KDC_ERR_ETYPE_NOSUPP", "no common encryption type (RC4 refused, say)", &["NLA-RC4", "NLA-KDC"]),
    code(0x96c73a10, "KRB5KDC_ERR_PADATA_TYPE_NOSUPP", "the KDC does not support the pre-authentication (a smart card without a KDC certificate, say)", &["NLA-SMARTCARD"]),
    code(0x96c73a12, "KRB5KDC_ERR_CLIENT_REVOKED", "the account is disabled, expired or locked out", &["NLA-ACCT"]),
    code(0x96c73a15, "KRB5KDC_ERR_CLIENT_NOTYET", "the account is not valid yet", &["NLA-ACCT"]),
    code(0x96c73a17, "KRB5KDC_ERR_KEY_EXP", "the password has expired", &["NLA-ACCT"]),
    code(0x96c73a18, "KRB5KDC_ERR_PREAUTH_FAILED", "the password is wrong", &["NLA-CRED"]),
    code(0x96c73a19, "KRB5KDC_ERR_PREAUTH_REQUIRED", "the first answer to every logon; no error", &[]),
    code(0x96c73a1a, "KRB5KDC_ERR_SERVER_NOMATCH", "the ticket is for another server", &["NLA-SPN"]),
    code(0x96c73a1f, "KRB5KRB_AP_ERR_BAD_INTEGRITY", "a key does not fit: wrong password, or an outdated one of the service", &["NLA-CRED", "NLA-SPN"]),
    code(0x96c73a20, "KRB5KRB_AP_ERR_TKT_EXPIRED", "the ticket has expired", &["NLA-SKEW"]),
    code(0x96c73a21, "KRB5KRB_AP_ERR_TKT_NYV", "the ticket is not valid yet", &["NLA-SKEW"]),
    code(0x96c73a22, "KRB5KRB_AP_ERR_REPEAT", "a replay: the same request twice", &[]),
    code(0x96c73a23, "KRB5KRB_AP_ERR_NOT_US", "the ticket is for somebody else", &["NLA-SPN"]),
    code(0x96c73a24, "KRB5KRB_AP_ERR_BADMATCH", "ticket and authenticator do not fit", &["NLA-SPN"]),
    code(0x96c73a25, "KRB5KRB_AP_ERR_SKEW", "clocks differ by more than 5 minutes", &["NLA-SKEW"]),
    code(0x96c73a29, "KRB5KRB_AP_ERR_MODIFIED", "the ticket is for another account: the name belongs to somebody else", &["NLA-SPN"]),
    code(0x96c73a2c, "KRB5KRB_AP_ERR_BADKEYVER", "the version of the key is not there: outdated keytab", &["NLA-SPN"]),
    code(0x96c73a2d, "KRB5KRB_AP_ERR_NOKEY", "the service has no key", &["NLA-SPN"]),
    code(0x96c73a2e, "KRB5KRB_AP_ERR_MUT_FAIL", "mutual authentication failed", &["NLA-SPN"]),
    code(0x96c73a3c, "KRB5KRB_ERR_GENERIC", "the KDC says no more than that", &["NLA-KDC"]),
    code(0x96c73a87, "KRB5_CONFIG_CANTOPEN", "krb5.conf cannot be opened", &["NLA-KDC"]),
    code(0x96c73a88, "KRB5_CONFIG_BADFORMAT", "krb5.conf is malformed", &["NLA-KDC"]),
    code(0x96c73a8d, "KRB5_CC_NOTFOUND", "no matching ticket in the cache", &[]),
    code(0x96c73a90, "KRB5KRB_AP_WRONG_PRINC", "the request is for another service", &["NLA-SPN"]),
    code(0x96c73a92, "KRB5_PRINC_NOMATCH", "the ticket is for another service than asked for", &["NLA-SPN"]),
    code(0x96c73a93, "KRB5_KDCREP_MODIFIED", "the answer of the KDC is not for what was asked: realm or name in other case, say", &["NLA-SPN"]),
    code(0x96c73a94, "KRB5_KDCREP_SKEW", "clocks of client and KDC differ too much", &["NLA-SKEW"]),
    code(0x96c73a96, "KRB5_PROG_ETYPE_NOSUPP", "the program lacks the encryption type (RC4, say)", &["NLA-RC4"]),
    code(0x96c73a9a, "KRB5_REALM_UNKNOWN", "no KDC is known for this realm", &["NLA-KDC"]),
    code(0x96c73a9c, "KRB5_KDC_UNREACH", "no KDC of this realm can be reached", &["NLA-KDC"]),
    code(0x96c73a9e, "KRB5_MUTUAL_FAILED", "mutual authentication failed", &["NLA-SPN"]),
];
