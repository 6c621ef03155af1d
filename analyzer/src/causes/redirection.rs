//! Causes in redirection: the broker and the second connection.

use super::Tool::{Events, Packets, Probe, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "RED-UNREACH",
        layer: Layer::Redirection,
        name: "redirected to a name or address that cannot be reached",
        visibility: Visibility::Set,
        evidence: "two sessions of one client side by side: the first ends in order soon after Client Info, the \
                   next, to another host, has no address, no SYN-ACK or no route",
        sign: "the first connection ends cleanly, the next, to another host, fails",
        looks_like: &["TCP-DROP", "DNS-NX", "BRK-CODES"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "on the client: Resolve-DnsName TARGET, Test-NetConnection TARGET -Port 3389 for every host of the \
                collection (on the broker: Get-RDSessionHost)",
        fix: "publish and route the hosts' names and addresses to the client, let it connect through the RD Gateway, \
              or disable the policy 'Use IP Address Redirection', so that a load balancer routes by token",
        cannot_tell: &["the target that the broker named: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.13.1, 1.3.1.4",
        mstsc: &["0x204", "0x104", "0x108"],
    },
    Cause {
        id: "RED-LOOP",
        layer: Layer::Redirection,
        name: "the broker redirects in a circle",
        visibility: Visibility::Set,
        evidence: "more than two sessions of one client within 10 s, to the same few hosts, each ended in order soon \
                   after Client Info",
        sign: "more than two redirects in 10 s",
        looks_like: &["SES-ARC", "RED-UNREACH"],
        confidence: Confidence::Possible,
        tools: &[Packets, Events],
        check: "on the broker: Get-RDConnectionBrokerHighAvailability, log \
                TerminalServices-SessionBroker/Operational; does the farm's name (DNS round robin) point to hosts \
                instead of the broker?",
        fix: "let the farm's name point to the broker or the load balancer; pass the routing token on \
              (loadbalanceinfo)",
        cannot_tell: &["to whom the broker sends the client: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.13.1",
        mstsc: &[],
    },
    Cause {
        id: "RED-CERT",
        layer: Layer::Redirection,
        name: "the target's certificate differs from the redirection's",
        visibility: Visibility::Set,
        evidence: "two sessions of one client side by side: the first goes on to a redirection, in the second, to \
                   another host, the client leaves after the Certificate message",
        sign: "only the second connection's client leaves after the certificate",
        looks_like: &["TLS-NAME", "TLS-UNTRUST", "RED-UNREACH"],
        confidence: Confidence::Possible,
        tools: &[Packets, Probe],
        check: "rdpscope probe HOST for each host of the collection: names and issuer of each certificate against \
                the name that the client uses",
        fix: "certificates of one issuer that the clients trust on all hosts, with the farm's name among their names",
        cannot_tell: &["which certificate the redirection named: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.13.1 (LB_TARGET_CERTIFICATE)",
        mstsc: &["0x907"],
    },
    Cause {
        id: "BRK-CODES",
        layer: Layer::Redirection,
        name: "the broker finds no host",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 0x400 to 0x412" },
        evidence: "the server closes after Client Info, at times after seconds in which it starts a machine",
        sign: "ERRINFO 0x400 to 0x412 after Client Info; events 1296, 2056",
        looks_like: &["INFO-CRED", "MCS-INFO", "RED-UNREACH"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the broker: log TerminalServices-SessionBroker/Operational, 2056 (its database); on the host: \
                TerminalServices-SessionBroker-Client/Operational, 1296; Get-RDVirtualDesktop, Get-RDSessionHost",
        fix: "start the broker or its database; free, start or add a machine of the pool",
        cannot_tell: &["the broker's reason"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_CB_*)",
        mstsc: &[],
    },
];
