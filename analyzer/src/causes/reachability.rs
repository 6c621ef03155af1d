//! Causes on the way to an open TCP connection, and of what answers there.

use super::Tool::{Events, Packets, Probe, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "TCP-REFUSED",
        layer: Layer::Reachability,
        name: "nothing listens on the port",
        visibility: Visibility::Rule,
        evidence: "the SYN is answered with RST,ACK within one round trip; a socket says ECONNREFUSED",
        sign: "RST to the SYN within one round trip, with the TTL of that host",
        looks_like: &["TCP-ICMP", "TCP-BACKLOG", "DNS-WRONG"],
        confidence: Confidence::Certain,
        tools: &[Probe, Packets],
        check: "on the server: qwinsta (is rdp-tcp listening?), Get-Service TermService, Test-NetConnection \
                localhost -Port 3389",
        fix: "enable Remote Desktop, start TermService, or use the port that it listens on",
        cannot_tell: &["whether the server itself or a firewall that answers with RST refused"],
        spec: "RFC 9293 3.5.2",
        mstsc: &["0x204/0x0"],
    },
    Cause {
        id: "TCP-DROP",
        layer: Layer::Reachability,
        name: "nobody answers on the port: a firewall drops it, the host is off, or the address is wrong",
        visibility: Visibility::Rule,
        evidence: "SYNs are repeated (Windows 3, 6, 12 s in all 21 s; Linux 1, 2, 4 s and on) and nothing comes \
                   back, not even ICMP",
        sign: "SYNs repeated, nothing comes back, not even ICMP",
        looks_like: &["PATH-ASYM", "DNS-WRONG", "DNS-AAAA"],
        confidence: Confidence::Likely,
        tools: &[Probe, Packets],
        check: "from the client: Test-NetConnection NAME -Port 3389, and another port of the same host; on the \
                server: Get-NetFirewallRule -DisplayGroup 'Remote Desktop' for the active profile",
        fix: "open the port on the way and in the server's firewall; switch the host on; correct the address",
        cannot_tell: &["where on the way the SYN, or its answer, is lost"],
        spec: "RFC 9293 3.8.3; RFC 6298 (timers)",
        mstsc: &["0x204/0x0", "0x108"],
    },
    Cause {
        id: "TCP-ICMP",
        layer: Layer::Reachability,
        name: "the network says that the server cannot be reached",
        visibility: Visibility::Rule,
        evidence: "the SYN is answered with ICMP type 3 (or ICMPv6 type 1), whose sender is the box that refuses; a \
                   socket says EHOSTUNREACH or ENETUNREACH",
        sign: "ICMP type 3 to the SYN; its sender is the box that refuses",
        looks_like: &["TCP-REFUSED", "TCP-DROP"],
        confidence: Confidence::Likely,
        tools: &[Packets, Probe],
        check: "on the client: tracert ADDRESS, route print; is the VPN up?",
        fix: "repair the route, the VPN or the access list at the hop that answers",
        cannot_tell: &["which device sent the ICMP error (a packet capture shows it)"],
        spec: "RFC 792; RFC 1812 5.2.7.1; RFC 4443 3.1",
        mstsc: &["0x204/0x0"],
    },
    Cause {
        id: "TCP-BACKLOG",
        layer: Layer::Reachability,
        name: "the listener is overloaded or under attack",
        visibility: Visibility::Set,
        evidence: "several sessions side by side: some SYNs are answered late, refused or not at all while others \
                   get in; or the SYN is answered and the first data never acknowledged",
        sign: "comes and goes with load; SYN answered, first data never acknowledged",
        looks_like: &["TCP-REFUSED", "X224-NOCC", "PATH-ASYM"],
        confidence: Confidence::Possible,
        tools: &[Probe, Packets],
        check: "on the server: (Get-NetTCPConnection -LocalPort 3389).Count and the remote addresses (netstat -ano | \
                findstr :3389); Security 4625 from strangers; on Linux: ss -lnt (is Recv-Q at its limit?), nstat \
                TcpExtListenOverflows",
        fix: "restrict in the firewall who may connect; require NLA; old servers: raise MaxOutstandingConnections \
              under HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server",
        cannot_tell: &["how many connections of others the server holds open"],
        spec: "RFC 9293 3.10.7.2 (LISTEN); [MS-RDPBCGR] 1.3.1.1",
        mstsc: &["0x204", "0x904"],
    },
    Cause {
        id: "TCP-RST-AFTER",
        layer: Layer::Reachability,
        name: "something accepts the connection and drops it before any answer: a forwarder or load balancer without \
               a live back end, or an address filter",
        visibility: Visibility::Rule,
        evidence: "TCP handshake, then FIN or RST of the far side within milliseconds, before a confirm: not one \
                   byte of it was received",
        sign: "FIN or RST within ms, before any X.224 confirm, no byte received",
        looks_like: &["X224-TOKEN", "PATH-RSTINJ", "X224-NOCC", "PRX-CLOSE", "PRX-HEADER"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "look at the device that owns the address (load balancer pool, port forward, allow-list); on the \
                server: does the connection arrive at all? Get-NetTCPConnection -LocalPort 3389",
        fix: "repair the back end or the forwarding rule, or allow this client",
        cannot_tell: &["whether the box that closed is the RDP server or one in front of it"],
        spec: "RFC 9293 3.6; [MS-RDPBCGR] 2.2.1.1",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TCP-NOTRDP",
        layer: Layer::Reachability,
        name: "what answers on this port is not RDP",
        visibility: Visibility::Rule,
        evidence: "the first bytes of the server, in clear: SSH-, HTTP/1.1, 15 03 (a TLS alert), anything but 03 00",
        sign: "the first bytes are not 03 00: SSH-, HTTP/1.1, 15 03",
        looks_like: &["TCP-RST-AFTER", "X224-HALF", "TLS-NOTTLS"],
        confidence: Confidence::Certain,
        tools: &[Probe, Proxy],
        check: "on the server: netstat -ano | findstr :3389 (which process owns the port?); if it is an RD Gateway: \
                rdpscope probe --gateway, proxy --gateway",
        fix: "connect to the port of Remote Desktop, or move the other service",
        cannot_tell: &[],
        spec: "RFC 1006 (TPKT); [MS-RDPBCGR] 2.2.1.2",
        mstsc: &["0x904"],
    },
    Cause {
        id: "TCP-PORTEXH",
        layer: Layer::Reachability,
        name: "the server or a NAT has no ports left",
        visibility: Visibility::Hidden {
            among: &["NLA-KDC"],
            settles: "on the server: event log System, Tcpip 4227 and 4231; netstat -anoq (how many ports does one \
                      program hold?)",
        },
        evidence: "on the way to the server nothing is wrong: it is the server's own connections to its domain \
                   controller that fail. Behind a NAT: a SYN that is answered with an ACK of unrelated numbers",
        sign: "only domain logons fail, after days of uptime; Tcpip events 4227, 4231",
        looks_like: &["NLA-KDC", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Events, Packets],
        check: "on the server: Get-NetTCPConnection | Group-Object OwningProcess | Sort-Object Count; netsh int ipv4 \
                show dynamicport tcp; System log, Tcpip 4227 and 4231",
        fix: "restart and update the program that leaks connections; until then a restart of the server cures it for \
              some days; widen the range: netsh int ipv4 set dynamicport tcp start=10000 num=50000",
        cannot_tell: &["the server's connections to others"],
        spec: "RFC 6056 (ephemeral ports); RFC 7857 (NAT)",
        mstsc: &["0x1807", "0x1D07"],
    },
];
