//! HRESULTs that no other table has: of COM, and of FreeRDP's and Microsoft's clients.

use super::{Code, Notation, Table, code};

/// HRESULT.
pub static HRESULT: Table = Table {
    key: "hresult",
    title: "HRESULT",
    words: &["hresult", "com"],
    notation: Notation::Status,
    note: "0x8007xxxx carries a Win32 or Winsock error in its low half, 0xDxxxxxxx an NTSTATUS with one bit set: both are looked up",
    source: "[MS-ERREF] 2.1.1",
    codes: HRESULT_CODES,
};

#[rustfmt::skip]
const HRESULT_CODES: &[Code] = &[
    code(0x80004001, "E_NOTIMPL", "not implemented", &[]),
    code(0x80004004, "E_ABORT", "the operation was aborted: as an answer to multitransport it says that the client does not want UDP", &[]),
    code(0x80004005, "E_FAIL", "an unspecified failure", &[]),
    code(0x8000ffff, "E_UNEXPECTED", "an unexpected failure", &[]),
    code(0x80010108, "RPC_E_DISCONNECTED", "the object is disconnected from its clients", &[]),
    code(0x80070005, "E_ACCESSDENIED", "access denied", &["NLA-RIGHT"]),
    code(0x8007000e, "E_OUTOFMEMORY", "out of memory", &["SES-BUSY"]),
    code(0x80070057, "E_INVALIDARG", "a parameter is not valid", &[]),
    code(0x80072ee2, "WININET_E_TIMEOUT", "HTTP: the request timed out", &["RDG-REACH"]),
    code(0x80072ee7, "WININET_E_NAME_NOT_RESOLVED", "HTTP: the name of the server or gateway does not resolve", &["DNS-NX", "RDG-REACH"]),
    code(0x80072efd, "WININET_E_CANNOT_CONNECT", "HTTP: no connection to the server or gateway", &["RDG-REACH"]),
    code(0x80072efe, "WININET_E_CONNECTION_ABORTED", "HTTP: the connection was cut", &["RDG-TRANSPORT"]),
    code(0x80072f8f, "WININET_E_DECODING_FAILED", "HTTP: TLS failed: certificate, clock or version", &["RDG-CERT", "NLA-SKEW", "TLS-VER"]),
    code(0x80092012, "CRYPT_E_NO_REVOCATION_CHECK", "revocation could not be checked", &["TLS-CRL"]),
    code(0x80092013, "CRYPT_E_REVOCATION_OFFLINE", "the revocation server could not be reached", &["TLS-CRL"]),
    code(0x800b0101, "CERT_E_EXPIRED", "the certificate has expired or is not valid yet", &["TLS-EXPIRED", "TLS-NOTYET"]),
    code(0x800b0109, "CERT_E_UNTRUSTEDROOT", "the root of the certificate is not trusted", &["TLS-UNTRUST"]),
    code(0x800b010c, "CERT_E_REVOKED", "the certificate was revoked", &["TLS-UNTRUST"]),
    code(0x800b010f, "CERT_E_CN_NO_MATCH", "the name in the certificate does not fit", &["TLS-NAME"]),
];
