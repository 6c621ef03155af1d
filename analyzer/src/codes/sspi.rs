//! SSPI results, as authentication dialogs and the Windows event log show them.

use super::{Code, Notation, Table, code};

/// SSPI result.
pub static SSPI: Table = Table {
    key: "sspi",
    title: "SSPI result",
    words: &["sspi", "sec"],
    notation: Notation::Status,
    note: "mstsc shows these in the text of the dialog, with error code 0x0: then this number is the datum",
    source: "Microsoft Learn: COM error codes (Security and Setup), winerror.h",
    codes: SSPI_CODES,
};

#[rustfmt::skip]
const SSPI_CODES: &[Code] = &[
    code(0x80090300, "SEC_E_INSUFFICIENT_MEMORY", "not enough memory for the request", &["SES-BUSY"]),
    code(0x80090301, "SEC_E_INVALID_HANDLE", "the handle is not valid", &[]),
    code(0x80090302, "SEC_E_UNSUPPORTED_FUNCTION", "'function requested is not supported': the CredSSP oracle-remediation dialog", &["NLA-ORACLE", "NLA-NTLMOFF"]),
    code(0x80090303, "SEC_E_TARGET_UNKNOWN", "SPN not found", &["NLA-SPN"]),
    code(0x80090304, "SEC_E_INTERNAL_ERROR", "LSA cannot be contacted; server event 56 carries this for TLS/NLA breakage", &["NLA-KDC", "TLS-NOKEY"]),
    code(0x80090305, "SEC_E_SECPKG_NOT_FOUND", "the security package does not exist", &[]),
    code(0x80090308, "SEC_E_INVALID_TOKEN", "garbage token / TLS stream damaged", &["TLS-INSPECT", "NLA-CBT"]),
    code(0x8009030c, "SEC_E_LOGON_DENIED", "credentials refused", &["NLA-CRED", "NLA-ACCT", "NLA-RESTR"]),
    code(0x8009030d, "SEC_E_UNKNOWN_CREDENTIALS", "Schannel 36870: private key cannot be opened (MachineKeys)", &["TLS-NOKEY"]),
    code(0x8009030e, "SEC_E_NO_CREDENTIALS", "no credentials", &["NLA-CRED"]),
    code(0x8009030f, "SEC_E_MESSAGE_ALTERED", "pubKeyAuth mismatch: certificate swapped between client and server", &["NLA-BIND", "TLS-INSPECT"]),
    code(0x80090311, "SEC_E_NO_AUTHENTICATING_AUTHORITY", "no DC", &["NLA-KDC"]),
    code(0x80090318, "SEC_E_INCOMPLETE_MESSAGE", "the message is not complete: more bytes are needed; no error by itself", &[]),
    code(0x80090320, "SEC_E_INCOMPLETE_CREDENTIALS", "the credentials are not complete: a client certificate is wanted", &["X224-INCONS"]),
    code(0x80090321, "SEC_E_BUFFER_TOO_SMALL", "a buffer is too small", &[]),
    code(0x80090322, "SEC_E_WRONG_PRINCIPAL", "SPN/account mismatch", &["NLA-SPN"]),
    code(0x80090324, "SEC_E_TIME_SKEW", "clock skew", &["NLA-SKEW"]),
    code(0x80090325, "SEC_E_UNTRUSTED_ROOT", "untrusted root", &["TLS-UNTRUST"]),
    code(0x80090326, "SEC_E_ILLEGAL_MESSAGE", "unexpected/malformed TLS message", &["TLS-HALF", "TLS-INSPECT"]),
    code(0x80090327, "SEC_E_CERT_UNKNOWN", "certificate error", &["TLS-UNTRUST", "TLS-NAME"]),
    code(0x80090328, "SEC_E_CERT_EXPIRED", "certificate expired", &["TLS-EXPIRED", "NLA-SKEW"]),
    code(0x80090331, "SEC_E_ALGORITHM_MISMATCH", "no common algorithm", &["TLS-CIPHER", "TLS-VER"]),
    code(0x80090342, "SEC_E_KDC_UNKNOWN_ETYPE", "the KDC does not support the encryption type that was asked for (RC4 disabled on one side, say)", &["NLA-RC4", "NLA-KDC"]),
    code(0x80090346, "SEC_E_BAD_BINDINGS", "channel bindings", &["NLA-CBT", "TLS-INSPECT"]),
    code(0x80090350, "SEC_E_DOWNGRADE_DETECTED", "downgrade / no DC", &["NLA-KDC"]),
    code(0x8009035e, "SEC_E_DELEGATION_POLICY", "delegation policy", &["NLA-DELEG"]),
    code(0x8009035f, "SEC_E_POLICY_NLTM_ONLY", "delegation needs mutual auth", &["NLA-DELEG"]),
    code(0x80090363, "SEC_E_MUTUAL_AUTH_FAILED", "mutual auth failed", &["NLA-SPN"]),
];
