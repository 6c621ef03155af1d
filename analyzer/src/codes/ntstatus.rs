//! NTSTATUS values that a CredSSP server puts into TSRequest.errorCode, \[MS-CSSP\] 2.2.1.

use super::{Code, Notation, Table, code};

/// NTSTATUS (TSRequest.errorCode).
pub static NTSTATUS: Table = Table {
    key: "ntstatus",
    title: "NTSTATUS (TSRequest.errorCode)",
    words: &["ntstatus", "status"],
    notation: Notation::Status,
    note: "exists in CredSSP versions 3, 4 and 6 only: peers of version 2 and 5 get a TLS alert (80 or 49) or a bare close",
    codes: NTSTATUS_CODES,
};

#[rustfmt::skip]
const NTSTATUS_CODES: &[Code] = &[
    code(0xc000000d, "STATUS_INVALID_PARAMETER", "malformed token", &[]),
    code(0xc0000022, "STATUS_ACCESS_DENIED", "access denied", &["NLA-RIGHT", "NLA-CBT"]),
    code(0xc000005e, "STATUS_NO_LOGON_SERVERS", "server cannot reach a DC", &["NLA-KDC", "TCP-PORTEXH"]),
    code(0xc000005f, "STATUS_NO_SUCH_LOGON_SESSION", "no such logon session", &["NLA-KDC"]),
    code(0xc0000064, "STATUS_NO_SUCH_USER", "no such user", &["NLA-CRED"]),
    code(0xc000006a, "STATUS_WRONG_PASSWORD", "password wrong", &["NLA-CRED"]),
    code(0xc000006d, "STATUS_LOGON_FAILURE", "bad user name or password (generic)", &["NLA-CRED"]),
    code(0xc000006e, "STATUS_ACCOUNT_RESTRICTION", "account restriction: blank password, Protected Users + NTLM, auth policy", &["NLA-RESTR", "NLA-NTLMOFF"]),
    code(0xc000006f, "STATUS_INVALID_LOGON_HOURS", "outside logon hours", &["NLA-ACCT"]),
    code(0xc0000070, "STATUS_INVALID_WORKSTATION", "'log on to' list", &["NLA-ACCT"]),
    code(0xc0000071, "STATUS_PASSWORD_EXPIRED", "password expired", &["NLA-ACCT"]),
    code(0xc0000072, "STATUS_ACCOUNT_DISABLED", "disabled", &["NLA-ACCT"]),
    code(0xc000009a, "STATUS_INSUFFICIENT_RESOURCES", "server resources", &["SES-BUSY"]),
    code(0xc00000bb, "STATUS_NOT_SUPPORTED", "not supported", &["NLA-NTLMOFF"]),
    code(0xc00000df, "STATUS_NO_SUCH_DOMAIN", "domain unknown", &["NLA-KDC", "NLA-CRED"]),
    code(0xc0000133, "STATUS_TIME_DIFFERENCE_AT_DC", "clock skew to DC", &["NLA-SKEW"]),
    code(0xc000015b, "STATUS_LOGON_TYPE_NOT_GRANTED", "logon right missing/denied", &["NLA-RIGHT"]),
    code(0xc000018b, "STATUS_NO_TRUST_SAM_ACCOUNT", "machine account missing", &["NLA-KDC"]),
    code(0xc000018c, "STATUS_TRUSTED_DOMAIN_FAILURE", "trust broken", &["NLA-KDC"]),
    code(0xc000018d, "STATUS_TRUSTED_RELATIONSHIP_FAILURE", "machine secure channel broken", &["NLA-KDC"]),
    code(0xc0000192, "STATUS_NETLOGON_NOT_STARTED", "netlogon not running", &["NLA-KDC"]),
    code(0xc0000193, "STATUS_ACCOUNT_EXPIRED", "account expired", &["NLA-ACCT"]),
    code(0xc0000224, "STATUS_PASSWORD_MUST_CHANGE", "must change before first logon", &["NLA-ACCT"]),
    code(0xc0000233, "STATUS_DOMAIN_CONTROLLER_NOT_FOUND", "no DC", &["NLA-KDC"]),
    code(0xc0000234, "STATUS_ACCOUNT_LOCKED_OUT", "locked out", &["NLA-ACCT"]),
    code(0xc00002c3, "STATUS_MUTUAL_AUTHENTICATION_FAILED", "mutual auth failed", &["NLA-SPN"]),
    code(0xc00002fa, "STATUS_SMARTCARD_LOGON_REQUIRED", "smart card required", &["NLA-SMARTCARD"]),
    code(0xc0000320, "STATUS_PKINIT_FAILURE", "smart card/PKINIT failure", &["NLA-SMARTCARD"]),
    code(0xc000035b, "STATUS_BAD_BINDINGS", "channel bindings wrong: TLS terminated by a middlebox/proxy, or NTLMv1 to a gateway that enforces CBT", &["NLA-CBT", "TLS-INSPECT"]),
    code(0xc0000380, "STATUS_SMARTCARD_WRONG_PIN", "wrong PIN", &["NLA-SMARTCARD"]),
    code(0xc0000381, "STATUS_SMARTCARD_CARD_BLOCKED", "card blocked", &["NLA-SMARTCARD"]),
    code(0xc0000388, "STATUS_DOWNGRADE_DETECTED", "downgrade detected; often just no DC reachable", &["NLA-KDC"]),
    code(0xc000038a, "STATUS_ISSUING_CA_UNTRUSTED", "issuing CA untrusted", &["NLA-SMARTCARD", "TLS-UNTRUST"]),
    code(0xc0000408, "STATUS_USER2USER_REQUIRED", "Kerberos U2U needed", &["NLA-SPN"]),
    code(0xc0000413, "STATUS_AUTHENTICATION_FIREWALL_FAILED", "selective authentication across trust", &["NLA-RIGHT"]),
    code(0xc0000418, "STATUS_NTLM_BLOCKED", "NTLM disabled by policy", &["NLA-NTLMOFF"]),
];
