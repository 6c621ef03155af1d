//! Causes of the UDP side transport.

use super::Tool::Packets;
use super::{Cause, Confidence, Layer, UDP, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "UDP-DROP",
        layer: Layer::Udp,
        name: "UDP opens and then dies",
        visibility: UDP,
        evidence: "datagrams of port 3389 in both directions that stop, at times after some 65 s, and the TCP \
                   connection that ends soon after",
        sign: "a TCP-only session stays up",
        looks_like: &["UDP-MTU", "PATH-DEAD"],
        confidence: Confidence::Possible,
        tools: &[Packets],
        check: "on the client: set fClientDisableUDP=1 under HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows \
                NT\\Terminal Services\\Client: does a TCP-only session stay up? a session through rdpscope proxy is \
                one",
        fix: "update client and server; let UDP 3389 pass, both ways, for as long as TCP; or leave UDP off",
        cannot_tell: &["what stands in the datagrams: DTLS seals it"],
        spec: "[MS-RDPEUDP] 3.1.5; [MS-RDPBCGR] 2.2.15 (multitransport)",
        mstsc: &[],
    },
    Cause {
        id: "UDP-MTU",
        layer: Layer::Udp,
        name: "large UDP packets are lost",
        visibility: UDP,
        evidence: "large datagrams are sent and never answered while small ones are; fragments on one side only",
        sign: "graphics freeze, TCP-only does not",
        looks_like: &["UDP-DROP", "PATH-PMTU"],
        confidence: Confidence::Possible,
        tools: &[Packets],
        check: "from the client: ping -f -l 1372 SERVER and smaller; with fClientDisableUDP=1: do the graphics still \
                freeze?",
        fix: "lower the VPN's MTU to what it carries, or switch UDP off: fClientDisableUDP=1",
        cannot_tell: &["which hop drops the large ones"],
        spec: "[MS-RDPEUDP] 2.2.2.5 (MTU in SYN); RFC 8899",
        mstsc: &[],
    },
    Cause {
        id: "UDP-65S",
        layer: Layer::Udp,
        name: "UDP sessions end after 65 s: a faulty update of early 2025",
        visibility: Visibility::Plaintext {
            message: "clientBuild 26100 in the client's settings, a multitransport request that is not refused, and an end after 65 s: a note, for the update is not in it",
        },
        evidence: "a session with UDP beside TCP that ends some 65 s after it began, again and again; Windows 11 24H2 clients and servers of Windows Server 2016 or older, with the updates from January 2025 on",
        sign: "always 65 s; over TCP alone the session stays up",
        looks_like: &["UDP-DROP", "SES-LIMIT", "PATH-IDLE"],
        confidence: Confidence::Possible,
        tools: &[Packets],
        check: "on the client: set fClientDisableUDP=1 under HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services\\Client: does a TCP-only session stay up? a session through rdpscope proxy is one; which updates has the client?",
        fix: "install a current cumulative update on the client; until then switch UDP off there",
        cannot_tell: &["what stands in the datagrams: DTLS seals it"],
        spec: "engineerdirect.co.uk: RDP sessions disconnect after 65 seconds over UDP; Microsoft: Windows 11 24H2, resolved issues; [MS-RDPEUDP] 3.1.5",
        mstsc: &[],
    },
];
