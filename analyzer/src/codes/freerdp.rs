//! FreeRDP's LastError: class in the high half (1 is ERRINFO, 2 is a connect error), number in the low half.

use super::{Code, Notation, Table, code};

/// FreeRDP LastError.
pub static ERRORS: Table = Table {
    key: "freerdp",
    title: "FreeRDP LastError",
    words: &["freerdp", "lasterror"],
    notation: Notation::Hex,
    note: "0x0001xxxx carries the server's ERRINFO in its low half, 0x0002xxxx is FreeRDP's own",
    codes: ERRORS_CODES,
};

#[rustfmt::skip]
const ERRORS_CODES: &[Code] = &[
    code(0x20001, "ERRCONNECT_PRE_CONNECT_FAILED", "set-up failed before anything was sent", &[]),
    code(0x20002, "ERRCONNECT_CONNECT_UNDEFINED", "the connection failed and nothing better is known", &[]),
    code(0x20003, "ERRCONNECT_POST_CONNECT_FAILED", "the client's own set-up failed after the connection stood", &[]),
    code(0x20004, "ERRCONNECT_DNS_ERROR", "the name could not be looked up", &["DNS-SLOW"]),
    code(0x20005, "ERRCONNECT_DNS_NAME_NOT_FOUND", "the name does not resolve", &["DNS-NX", "RED-UNREACH"]),
    code(0x20006, "ERRCONNECT_CONNECT_FAILED", "no TCP connection (refused, unreachable, or no answer in 15 s)", &["DNS-WRONG", "DNS-AAAA", "TCP-REFUSED", "TCP-DROP", "TCP-ICMP", "TCP-BACKLOG", "RED-UNREACH", "RDG-REACH"]),
    code(0x20007, "ERRCONNECT_MCS_CONNECT_INITIAL_ERROR", "no usable answer to MCS Connect Initial", &["MCS-REJECT"]),
    code(0x20008, "ERRCONNECT_TLS_CONNECT_FAILED", "the TLS handshake failed: FreeRDP does not say how; RST, FIN and alert look the same", &["PATH-PMTU", "PATH-RSTINJ", "X224-NOCERT", "TLS-NOKEY", "TLS-EXPIRED", "TLS-VER", "TLS-CIPHER", "TLS-WEAK", "TLS-FIPS", "TLS-HALF", "RDG-CERT"]),
    code(0x20009, "ERRCONNECT_AUTHENTICATION_FAILED", "CredSSP failed and no status says why", &["TCP-PORTEXH", "TLS-INSPECT", "NLA-ORACLE", "NLA-BIND", "NLA-NTLMOFF", "NLA-KDC", "NLA-SKEW"]),
    code(0x2000a, "ERRCONNECT_INSUFFICIENT_PRIVILEGES", "the user lacks a right", &["NLA-RIGHT"]),
    code(0x2000b, "ERRCONNECT_CONNECT_CANCELLED", "the user cancelled", &[]),
    code(0x2000c, "ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED", "no security protocol that both sides accept", &["X224-HYBRID", "X224-SSLREQ", "X224-SSLNO", "X224-INCONS", "X224-DOWNGR", "X224-NLAONLY"]),
    code(0x2000d, "ERRCONNECT_CONNECT_TRANSPORT_FAILED", "the connection was closed or reset under the client: the sibling of mstsc's 0x904", &["TCP-BACKLOG", "TCP-RST-AFTER", "TCP-NOTRDP", "PATH-LOSS", "PATH-PMTU", "PATH-RSTINJ", "PATH-IDLE", "PATH-PROXYIDLE", "PATH-ASYM", "X224-NOCC", "MCS-JOIN", "SES-KILLED", "RDG-TRANSPORT", "RDG-503", "SES-SHUTDOWN", "SES-GPO", "INFO-CRED"]),
    code(0x2000e, "ERRCONNECT_PASSWORD_EXPIRED", "the password has expired", &["NLA-ACCT"]),
    code(0x2000f, "ERRCONNECT_PASSWORD_CERTAINLY_EXPIRED", "do not take it literally: a TLS alert 80 in NLA mode ends here when nothing better is known; often the CredSSP versions do not fit", &["NLA-ORACLE", "NLA-ACCT"]),
    code(0x20010, "ERRCONNECT_CLIENT_REVOKED", "the client's credential is revoked", &["NLA-SMARTCARD"]),
    code(0x20011, "ERRCONNECT_KDC_UNREACHABLE", "no domain controller (KDC) reached from the client", &["NLA-KDC"]),
    code(0x20012, "ERRCONNECT_ACCOUNT_DISABLED", "the account is disabled", &["NLA-ACCT"]),
    code(0x20013, "ERRCONNECT_PASSWORD_MUST_CHANGE", "the password must be changed first", &["NLA-ACCT"]),
    code(0x20014, "ERRCONNECT_LOGON_FAILURE", "wrong user or password", &["NLA-CRED"]),
    code(0x20015, "ERRCONNECT_WRONG_PASSWORD", "wrong password", &["NLA-CRED"]),
    code(0x20016, "ERRCONNECT_ACCESS_DENIED", "the server, or the gateway, denies access", &["NLA-RIGHT", "NLA-CBT", "RDG-401"]),
    code(0x20017, "ERRCONNECT_ACCOUNT_RESTRICTION", "account restriction: Protected Users, blank password, policy", &["NLA-RESTR"]),
    code(0x20018, "ERRCONNECT_ACCOUNT_LOCKED_OUT", "the account is locked out", &["NLA-ACCT"]),
    code(0x20019, "ERRCONNECT_ACCOUNT_EXPIRED", "the account has expired", &["NLA-ACCT"]),
    code(0x2001a, "ERRCONNECT_LOGON_TYPE_NOT_GRANTED", "the right to log on this way is missing", &["NLA-RIGHT"]),
    code(0x2001b, "ERRCONNECT_NO_OR_MISSING_CREDENTIALS", "no credentials were given", &["NLA-CRED"]),
    code(0x2001c, "ERRCONNECT_ACTIVATION_TIMEOUT", "not active within FreeRDP's timer: 9 s from the end of TLS", &["PATH-LOSS", "PATH-LAT", "PATH-PMTU", "PATH-WINZERO", "LIC-TIMEOUT"]),
    code(0x2001d, "ERRCONNECT_TARGET_BOOTING", "the virtual machine is starting", &["BRK-CODES"]),
    code(0x2001e, "ERRCONNECT_HYBRID_REQUIRED_BY_SERVER", "the server insists on NLA", &["X224-HYBRID"]),
];
