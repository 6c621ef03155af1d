//! Errors of Windows: of its sockets, and of Win32, as logs write them in decimal or inside of an HRESULT (0x8007xxxx).

use super::{Code, Notation, Table, code};

/// Winsock error.
pub static WINSOCK: Table = Table {
    key: "winsock",
    title: "Winsock error",
    words: &["winsock", "wsa"],
    notation: Notation::Decimal,
    note: "also inside of an HRESULT: 0x80070000 and the number",
    source: "Microsoft Learn: Windows Sockets error codes",
    codes: WINSOCK_CODES,
};

#[rustfmt::skip]
const WINSOCK_CODES: &[Code] = &[
    code(10004, "WSAEINTR", "a blocking call was interrupted", &[]),
    code(10013, "WSAEACCES", "not permitted: a firewall on this machine, or a port that is taken", &["TCP-DROP"]),
    code(10022, "WSAEINVAL", "an argument is not valid", &[]),
    code(10024, "WSAEMFILE", "no more sockets", &["SES-BUSY"]),
    code(10035, "WSAEWOULDBLOCK", "nothing to do yet; no error by itself", &[]),
    code(10036, "WSAEINPROGRESS", "another call is under way", &[]),
    code(10038, "WSAENOTSOCK", "the handle is no socket: it was closed by the program itself", &[]),
    code(10048, "WSAEADDRINUSE", "the address and port are in use", &["TCP-PORTEXH"]),
    code(10049, "WSAEADDRNOTAVAIL", "the address is not one of this machine", &["DNS-WRONG"]),
    code(10050, "WSAENETDOWN", "the network is down", &["PATH-DEAD"]),
    code(10051, "WSAENETUNREACH", "no route to the network", &["TCP-ICMP"]),
    code(10052, "WSAENETRESET", "the connection was dropped on network reset: keep-alives found the peer dead", &["PATH-DEAD"]),
    code(10053, "WSAECONNABORTED", "the own machine gave the connection up: retransmissions timed out, or a program on it (antivirus, VPN) cut it", &["PATH-DEAD", "PATH-LOSS", "PATH-IDLE"]),
    code(10054, "WSAECONNRESET", "the peer, or a box in its name, reset the connection (RST)", &["PATH-RSTINJ", "TCP-RST-AFTER", "TLS-NOKEY", "SES-KILLED", "PATH-IDLE"]),
    code(10055, "WSAENOBUFS", "no buffers or ports left", &["TCP-PORTEXH", "SES-BUSY"]),
    code(10056, "WSAEISCONN", "the socket is connected already", &[]),
    code(10057, "WSAENOTCONN", "the socket is not connected", &[]),
    code(10058, "WSAESHUTDOWN", "the socket was shut down before", &[]),
    code(10060, "WSAETIMEDOUT", "no answer to SYN, or to what was sent", &["TCP-DROP", "PATH-DEAD", "DNS-WRONG"]),
    code(10061, "WSAECONNREFUSED", "an RST answers the SYN: nobody listens there", &["TCP-REFUSED", "DNS-WRONG"]),
    code(10064, "WSAEHOSTDOWN", "the host is down", &["TCP-ICMP"]),
    code(10065, "WSAEHOSTUNREACH", "no route to the host", &["TCP-ICMP"]),
    code(10091, "WSASYSNOTREADY", "the network subsystem is not ready", &[]),
    code(10093, "WSANOTINITIALISED", "the program did not start Winsock", &[]),
    code(10101, "WSAEDISCON", "the other side closes in an orderly way", &[]),
    code(11001, "WSAHOST_NOT_FOUND", "the name does not resolve", &["DNS-NX"]),
    code(11002, "WSATRY_AGAIN", "the name server gave no answer, or a temporary error", &["DNS-SLOW"]),
    code(11003, "WSANO_RECOVERY", "the name server refused the question", &["DNS-NX"]),
    code(11004, "WSANO_DATA", "the name has no address of this kind", &["DNS-NX"]),
];

/// Win32 error.
pub static WIN32: Table = Table {
    key: "win32",
    title: "Win32 error",
    words: &["win32"],
    notation: Notation::Decimal,
    note: "also inside of an HRESULT: 0x80070000 and the number",
    source: "[MS-ERREF] 2.2",
    codes: WIN32_CODES,
};

#[rustfmt::skip]
const WIN32_CODES: &[Code] = &[
    code(5, "ERROR_ACCESS_DENIED", "access denied", &["NLA-RIGHT"]),
    code(53, "ERROR_BAD_NETPATH", "the network path was not found", &["DNS-NX", "TCP-DROP"]),
    code(64, "ERROR_NETNAME_DELETED", "the connection is gone: RST or FIN of the other side", &["PATH-RSTINJ", "SES-KILLED"]),
    code(87, "ERROR_INVALID_PARAMETER", "a parameter is not valid", &[]),
    code(121, "ERROR_SEM_TIMEOUT", "timed out: what was sent was not acknowledged", &["PATH-DEAD", "PATH-LOSS"]),
    code(1203, "ERROR_NO_NET_OR_BAD_PATH", "no network provider accepted the path", &[]),
    code(1219, "ERROR_SESSION_CREDENTIAL_CONFLICT", "other credentials are in use for this server", &[]),
    code(1225, "ERROR_CONNECTION_REFUSED", "refused: nobody listens there", &["TCP-REFUSED"]),
    code(1226, "ERROR_GRACEFUL_DISCONNECT", "an orderly end: no error", &[]),
    code(1231, "ERROR_NETWORK_UNREACHABLE", "the network is not reachable", &["TCP-ICMP"]),
    code(1232, "ERROR_HOST_UNREACHABLE", "the host is not reachable", &["TCP-ICMP"]),
    code(1236, "ERROR_CONNECTION_ABORTED", "the own machine gave the connection up", &["PATH-DEAD"]),
    code(1311, "ERROR_NO_LOGON_SERVERS", "no domain controller answers", &["NLA-KDC"]),
    code(1326, "ERROR_LOGON_FAILURE", "wrong user or password", &["NLA-CRED"]),
    code(1327, "ERROR_ACCOUNT_RESTRICTION", "account restriction", &["NLA-RESTR"]),
    code(1328, "ERROR_INVALID_LOGON_HOURS", "outside of logon hours", &["NLA-ACCT"]),
    code(1329, "ERROR_INVALID_WORKSTATION", "not from this workstation", &["NLA-ACCT"]),
    code(1330, "ERROR_PASSWORD_EXPIRED", "the password has expired", &["NLA-ACCT"]),
    code(1331, "ERROR_ACCOUNT_DISABLED", "the account is disabled", &["NLA-ACCT"]),
    code(1385, "ERROR_LOGON_TYPE_NOT_GRANTED", "the right to log on this way is missing", &["NLA-RIGHT"]),
    code(1396, "ERROR_WRONG_TARGET_NAME", "the target name is wrong: the service name belongs to another account", &["NLA-SPN", "NLA-SID"]),
    code(1398, "ERROR_TIME_SKEW", "clocks differ", &["NLA-SKEW"]),
    code(1460, "ERROR_TIMEOUT", "timed out", &["PATH-DEAD"]),
    code(1722, "RPC_S_SERVER_UNAVAILABLE", "the RPC server is not available", &["TCP-REFUSED", "NLA-KDC"]),
    code(1727, "RPC_S_CALL_FAILED_DNE", "an RPC failed and was not carried out", &[]),
    code(1787, "ERROR_NO_TRUST_SAM_ACCOUNT", "the domain has no account of this machine", &["NLA-KDC"]),
    code(1789, "ERROR_TRUSTED_RELATIONSHIP_FAILURE", "the trust between this machine and the domain is broken", &["NLA-KDC"]),
    code(1793, "ERROR_ACCOUNT_EXPIRED", "the account has expired", &["NLA-ACCT"]),
    code(1907, "ERROR_PASSWORD_MUST_CHANGE", "the password must be changed first", &["NLA-ACCT"]),
    code(1909, "ERROR_ACCOUNT_LOCKED_OUT", "the account is locked out", &["NLA-ACCT"]),
];
