//! Errors of the sockets of Linux and macOS: the same names, other numbers.

use super::{Code, Notation, Table, code};

/// Errno of Linux.
pub static LINUX: Table = Table {
    key: "errno",
    title: "errno of Linux",
    words: &["errno", "linux"],
    notation: Notation::Decimal,
    note: "the number of Linux; macOS has others",
    source: "Linux: include/uapi/asm-generic/errno.h and errno-base.h",
    codes: LINUX_CODES,
};

#[rustfmt::skip]
const LINUX_CODES: &[Code] = &[
    code(1, "EPERM", "not permitted: a local firewall rejects what is sent", &["TCP-DROP"]),
    code(4, "EINTR", "a call was interrupted by a signal", &[]),
    code(11, "EAGAIN", "nothing to do yet; of a socket with a time limit: the time is over", &[]),
    code(13, "EACCES", "not permitted: a local firewall", &["TCP-DROP"]),
    code(22, "EINVAL", "an argument is not valid", &[]),
    code(23, "ENFILE", "the system has too many open files", &["SES-BUSY"]),
    code(24, "EMFILE", "too many open files", &["SES-BUSY"]),
    code(32, "EPIPE", "written to a connection that the peer has closed", &["SES-KILLED"]),
    code(71, "EPROTO", "a protocol error", &[]),
    code(90, "EMSGSIZE", "longer than the path takes: of UDP, or where the MTU is known to be smaller", &["PATH-PMTU"]),
    code(98, "EADDRINUSE", "the address and port are in use", &["TCP-PORTEXH"]),
    code(99, "EADDRNOTAVAIL", "the address is not one of this machine, or no port is left", &["TCP-PORTEXH"]),
    code(100, "ENETDOWN", "the network is down", &["PATH-DEAD"]),
    code(101, "ENETUNREACH", "no route to the network", &["TCP-ICMP"]),
    code(102, "ENETRESET", "the network dropped the connection", &["PATH-DEAD"]),
    code(103, "ECONNABORTED", "the own machine gave the connection up", &["PATH-DEAD"]),
    code(104, "ECONNRESET", "the peer, or a box in its name, reset the connection (RST)", &["PATH-RSTINJ", "TCP-RST-AFTER", "TLS-NOKEY", "SES-KILLED", "PATH-IDLE"]),
    code(105, "ENOBUFS", "no buffers left", &["SES-BUSY"]),
    code(106, "EISCONN", "the socket is connected already", &[]),
    code(107, "ENOTCONN", "the socket is not connected", &[]),
    code(108, "ESHUTDOWN", "the socket was shut down before", &[]),
    code(110, "ETIMEDOUT", "no answer to SYN, or to what was sent", &["TCP-DROP", "PATH-DEAD", "DNS-WRONG"]),
    code(111, "ECONNREFUSED", "an RST answers the SYN: nobody listens there", &["TCP-REFUSED", "DNS-WRONG"]),
    code(112, "EHOSTDOWN", "the host is down", &["TCP-ICMP"]),
    code(113, "EHOSTUNREACH", "no route to the host, or a firewall says so", &["TCP-ICMP"]),
    code(114, "EALREADY", "a connection is being made already", &[]),
    code(115, "EINPROGRESS", "under way; no error by itself", &[]),
];

/// Errno of macOS.
pub static MACOS: Table = Table {
    key: "errno-macos",
    title: "errno of macOS",
    words: &["errno-macos", "macos", "bsd"],
    notation: Notation::Decimal,
    note: "the number of macOS and the BSDs; Linux has others",
    source: "macOS: sys/errno.h",
    codes: MACOS_CODES,
};

#[rustfmt::skip]
const MACOS_CODES: &[Code] = &[
    code(13, "EACCES", "not permitted: a local firewall", &["TCP-DROP"]),
    code(24, "EMFILE", "too many open files", &["SES-BUSY"]),
    code(32, "EPIPE", "written to a connection that the peer has closed", &["SES-KILLED"]),
    code(36, "EINPROGRESS", "under way; no error by itself", &[]),
    code(48, "EADDRINUSE", "the address and port are in use", &["TCP-PORTEXH"]),
    code(49, "EADDRNOTAVAIL", "the address is not one of this machine, or no port is left", &["TCP-PORTEXH"]),
    code(50, "ENETDOWN", "the network is down", &["PATH-DEAD"]),
    code(51, "ENETUNREACH", "no route to the network", &["TCP-ICMP"]),
    code(53, "ECONNABORTED", "the own machine gave the connection up", &["PATH-DEAD"]),
    code(54, "ECONNRESET", "the peer, or a box in its name, reset the connection (RST)", &["PATH-RSTINJ", "TCP-RST-AFTER", "TLS-NOKEY", "SES-KILLED", "PATH-IDLE"]),
    code(55, "ENOBUFS", "no buffers left", &["SES-BUSY"]),
    code(57, "ENOTCONN", "the socket is not connected", &[]),
    code(60, "ETIMEDOUT", "no answer to SYN, or to what was sent", &["TCP-DROP", "PATH-DEAD", "DNS-WRONG"]),
    code(61, "ECONNREFUSED", "an RST answers the SYN: nobody listens there", &["TCP-REFUSED", "DNS-WRONG"]),
    code(64, "EHOSTDOWN", "the host is down", &["TCP-ICMP"]),
    code(65, "EHOSTUNREACH", "no route to the host, or a firewall says so", &["TCP-ICMP"]),
];
