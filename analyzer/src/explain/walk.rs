//! "The socket closed": phase by phase what was seen last, who closes and how fast, and what that means.

use crate::causes::Tool::{self, Events, Packets, Probe, Proxy};

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The phase; empty where it is that of the row above.
    pub phase: &'static str,
    /// The last thing seen.
    pub seen: &'static str,
    /// Who closes, and how soon.
    pub closer: &'static str,
    /// What that means: ids of causes.
    pub causes: &'static [&'static str],
    /// What settles it.
    pub tools: &'static [Tool],
}

const fn step(
    phase: &'static str,
    seen: &'static str,
    closer: &'static str,
    causes: &'static [&'static str],
    tools: &'static [Tool],
) -> Step {
    Step { phase, seen, closer, causes, tools }
}

/// In the order of the phases.
#[rustfmt::skip]
pub const WALK: &[Step] = &[
    step("tcp", "handshake, not one byte of the server", "server or box, within ms", &["TCP-RST-AFTER", "TCP-BACKLOG", "PRX-CLOSE"], &[Probe, Proxy]),
    step("negotiation", "X.224 request, no confirm", "server or box, within ms", &["TCP-RST-AFTER", "X224-TOKEN", "PATH-RSTINJ"], &[Probe, Packets]),
    step("", "a PROXY header, then the request", "server, within ms", &["PRX-HEADER"], &[Proxy, Packets]),
    step("", "request acknowledged, silence", "client, at its timer", &["X224-NOCC", "PATH-WINZERO"], &[Probe, Proxy]),
    step("", "request never acknowledged", "a timer", &["PATH-ASYM", "TCP-BACKLOG"], &[Packets]),
    step("", "RDP_NEG_FAILURE with a code", "client or server, at once", &["X224-SSLREQ", "X224-SSLNO", "X224-NOCERT", "X224-INCONS"], &[Probe, Proxy]),
    step("", "an answer that is not 03 00", "client", &["TCP-NOTRDP"], &[Probe]),
    step("tls", "ClientHello, no ServerHello", "SERVER, within 50 ms", &["TLS-NOKEY", "TLS-VER", "TLS-CIPHER", "PATH-RSTINJ"], &[Probe, Events]),
    step("", "ClientHello, nothing in order", "a timer", &["PATH-PMTU"], &[Probe, Proxy]),
    step("", "ServerHello, the rest never", "anybody", &["TLS-HALF", "PATH-PMTU"], &[Proxy, Packets]),
    step("", "server's flight complete", "CLIENT, at once", &["TLS-WEAK", "TLS-UNTRUST"], &[Proxy]),
    step("", "server's flight complete", "CLIENT, seconds later", &["TLS-EXPIRED", "TLS-NAME", "TLS-UNTRUST", "TLS-CRL", "PRX-PROBE"], &[Probe, Proxy]),
    step("credssp", "one or two pairs of tokens", "server: alert 80 or 49, FIN", &["NLA-CRED", "NLA-ACCT", "NLA-RESTR", "NLA-ORACLE"], &[Proxy, Events]),
    step("", "two pairs of tokens", "CLIENT", &["NLA-BIND", "NLA-ORACLE", "NLA-DELEG", "TLS-INSPECT"], &[Proxy]),
    step("", "long pause of the server", "server or a timer", &["NLA-KDC"], &[Proxy, Events]),
    step("", "third pair, tiny record", "server", &["NLA-RIGHT"], &[Events]),
    step("basic-settings", "one large client record", "server", &["MCS-REJECT", "MCS-GFX"], &[Proxy, Events]),
    step("secure-settings", "Client Info", "server, within ms", &["INFO-CRED", "MCS-INFO", "BRK-CODES"], &[Proxy, Events]),
    step("licensing", "licensing messages", "server", &["LIC-NOSRV", "LIC-TIMEOUT"], &[Events]),
    step("capabilities", "Confirm Active", "server", &["CAP-BAD", "SES-KILLED", "SES-DRV"], &[Events, Proxy]),
    step("active (0x0)", "a running session, RST or FIN", "server or box", &["SES-SHUTDOWN", "SES-KILLED", "SES-GPO"], &[Events, Proxy]),
    step("", "idle, always as long", "a timer of a box", &["PATH-IDLE", "PATH-PROXYIDLE"], &[Proxy]),
    step("", "data never acknowledged again", "sender's own timer", &["PATH-DEAD", "PATH-LOSS"], &[Proxy]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::cause;

    #[test]
    fn every_step_names_known_causes() {
        for step in WALK {
            assert!(step.causes.iter().all(|id| cause(id).is_some()), "{step:?}");
        }
    }
}
