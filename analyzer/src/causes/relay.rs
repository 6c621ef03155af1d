//! Causes of relays, this program included, and of clients that only probe.

use super::Tool::{Packets, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "PRX-PROBE",
        layer: Layer::Relay,
        name: "a probe: the client connected and left before it asked for anything, or to ask its user first",
        visibility: Visibility::Rule,
        evidence: "the client closes, without an alert, before it asked for anything, while it is asked something, \
                   or before an answer could be complete; the next connection gets further",
        sign: "the same client connects again and gets further",
        looks_like: &["TLS-UNTRUST", "X224-NLAONLY"],
        confidence: Confidence::Certain,
        tools: &[Proxy],
        check: "does the same client connect again and get further?",
        fix: "none: this is no fault by itself",
        cannot_tell: &["why the client left"],
        spec: "[MS-RDPBCGR] 1.3.1.1 (connection sequence)",
        mstsc: &[],
    },
    Cause {
        id: "PRX-LOOP",
        layer: Layer::Relay,
        name: "a relay points at itself",
        visibility: Visibility::Rule,
        evidence: "the same request arrives twice, on two connections, the second from the relay itself, and again, \
                   until ports or connections run out",
        sign: "the same bytes twice, ports that change",
        looks_like: &["TCP-RST-AFTER"],
        confidence: Confidence::Certain,
        tools: &[Proxy],
        check: "on the relay: its target against its own addresses and port (Get-NetTCPConnection -OwningProcess ID; \
                ss -tnp): does it hold connections to itself?",
        fix: "correct the relay's target, or the name in the hosts file that leads back to it",
        cannot_tell: &["why the target was set so"],
        spec: "RFC 9293 3.5; nothing of RDP forbids it",
        mstsc: &["0x904"],
    },
    Cause {
        id: "PRX-HEADER",
        layer: Layer::Relay,
        name: "a PROXY protocol mismatch: a header is sent to a server that does not read it, or none to one that expects it",
        visibility: Visibility::Rule,
        evidence: "a header of the PROXY protocol (\"PROXY TCP4 ...\", or 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a) stands before \
                   the request, and the server closes, resets or answers with what is no confirm (xrdp: \
                   03 00 00 09 02 f0 80 21 80); or a plain request is closed at once and unanswered",
        sign: "the header in clear before the request; without one only that others, who send it, are served",
        looks_like: &["TCP-RST-AFTER", "TCP-NOTRDP", "X224-NOCC"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "at the balancer: is send-proxy or send-proxy-v2 (HAProxy), proxy_protocol on (nginx), or the target group's \
                proxy protocol v2 (AWS) set for a server that does not read it? at the server, or what stands before it: \
                accept-proxy, listen ... proxy_protocol?",
        fix: "switch the header off where it is sent, or on where it is read: both ends must agree. rdpscope proxy \
              --accept-proxy takes it off, and --send-proxy sends one",
        cannot_tell: &["of a plain request that is closed: whether the server waited for a header"],
        spec: "HAProxy, The PROXY protocol, versions 1 and 2: 2.1, 2.2 and 3 (sender and receiver must agree)",
        mstsc: &["0x904"],
    },
    Cause {
        id: "PRX-CLOSE",
        layer: Layer::Relay,
        name: "a relay or gateway in between closes because its own back leg failed",
        visibility: Visibility::Set,
        evidence: "two legs side by side: the back leg ends, or is refused, and within milliseconds the relay's FIN \
                   goes to the client",
        sign: "the front's FIN follows the back's error within ms: the leg that closed FIRST owns the cause",
        looks_like: &["TCP-RST-AFTER"],
        confidence: Confidence::Likely,
        tools: &[Proxy],
        check: "on the relay: its log at this time, and a capture of its back leg: rdpscope analyze names what ended \
                that one; or put rdpscope proxy behind the relay",
        fix: "that of the back leg's cause: the leg that ended first owns it",
        cannot_tell: &["the back leg, from a capture of the front leg alone"],
        spec: "[MS-RDPBCGR] 1.3.1.4; RFC 9293 3.6",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "PRX-IMPAIR",
        layer: Layer::Relay,
        name: "this program impaired the session, as it was asked to by --impair",
        visibility: Visibility::Rule,
        evidence: "the recording says what was impaired, on which leg, from when on and until when",
        sign: "the impairment stands in the recording: nobody else has to be asked",
        looks_like: &["PATH-DEAD", "PATH-LAT", "TCP-RST-AFTER"],
        confidence: Confidence::Certain,
        tools: &[Proxy],
        check: "once more without --impair: what goes well then failed by the impairment alone",
        fix: "none: it was asked for; what it shows is how client and server take it",
        cannot_tell: &["whether the session would have gone well without it"],
        spec: "none: no protocol asks for it",
        mstsc: &[],
    },
    Cause {
        id: "PRX-STOPPED",
        layer: Layer::Relay,
        name: "this program itself was stopped, or its machine slept, and passed nothing on meanwhile",
        visibility: Visibility::Rule,
        evidence: "a tick of its own came late, by a clock that goes on while the machine sleeps; the session ends within \
                   2 s of that",
        sign: "the stop stands in the recording, with how much of it the machine slept",
        looks_like: &["X224-NOCC", "PATH-DEAD", "PATH-IDLE", "TCP-RST-AFTER"],
        confidence: Confidence::Likely,
        tools: &[Proxy],
        check: "on the machine of rdpscope proxy: was it suspended (journalctl -u systemd-logind; Windows: event log System, \
                Kernel-Power 42 and 107), was its virtual machine paused or moved, was the process stopped (fg, kill -STOP), \
                was the machine starved?",
        fix: "keep the machine awake while it relays (systemd-inhibit, powercfg /requests), and give it the processor time \
              that it needs",
        cannot_tell: &["what would have become of the session otherwise"],
        spec: "none: no protocol knows of it",
        mstsc: &["0x904"],
    },
];
