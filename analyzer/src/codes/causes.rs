//! Every known cause of a failing connection: what it looks like from outside, what makes it visible, how to mend it.
//! What a rule can name stands in more detail in `diagnose::catalogue`, under the same ids.

use Tool::{Events, Packets, Probe, Proxy};

/// One cause.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// One line.
    pub name: &'static str,
    /// What tells it apart from others that look like it.
    pub sign: &'static str,
    /// What makes that visible, the quickest first.
    pub tools: &'static [Tool],
    /// How to mend it.
    pub fix: &'static str,
}

/// What collects evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// An active check without credentials.
    Probe,
    /// The recording relay.
    Proxy,
    /// A packet capture, which alone shows TTL, IP-ID, ICMP, duplicates.
    Packets,
    /// The server's or client's own log: the wire does not show it.
    Events,
}

impl Tool {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Probe => "probe",
            Tool::Proxy => "proxy",
            Tool::Packets => "packets",
            Tool::Events => "event log",
        }
    }

    /// What a person types.
    pub fn command(self) -> &'static str {
        match self {
            Tool::Probe => "rdpscope probe SERVER",
            Tool::Proxy => "rdpscope proxy --to SERVER, connect through it, let it fail",
            Tool::Packets => {
                "pktmon start --capture --pkt-size 0 and pktmon etl2pcap, or tcpdump -s 0 -w FILE port 3389; then \
                 rdpscope analyze FILE"
            }
            Tool::Events => "the event log of the machine named: the wire does not show it",
        }
    }
}

/// The cause with this id, in any case.
pub fn cause(id: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.id.eq_ignore_ascii_case(id))
}

const fn cause_of(
    id: &'static str,
    name: &'static str,
    sign: &'static str,
    tools: &'static [Tool],
    fix: &'static str,
) -> Cause {
    Cause { id, name, sign, tools, fix }
}

/// All of them, by layer.
#[rustfmt::skip]
pub const CAUSES: &[Cause] = &[
    cause_of("DNS-NX", "the name does not resolve", "no SYN at all; the resolver answers NXDOMAIN or not", &[Probe, Proxy], "correct the record, the suffix or the VPN's resolver; to test, connect by address"),
    cause_of("DNS-WRONG", "the name resolves to the wrong machine", "name asked, certificate's name and NTLM's target name disagree", &[Probe, Proxy], "flush caches, correct the stale DNS or DHCP record"),
    cause_of("DNS-AAAA", "the first address is dead, a later one answers", "one click, SYNs to two address families, the first unanswered", &[Probe, Proxy], "repair that route or remove the address from DNS"),
    cause_of("DNS-SLOW", "the resolver is slow", "the time goes before the first SYN", &[Proxy, Probe], "put a resolver that answers first"),
    cause_of("TCP-REFUSED", "nothing listens on the port", "RST to the SYN within one round trip, with the TTL of that host", &[Probe, Packets], "enable Remote Desktop, start TermService, check PortNumber"),
    cause_of("TCP-DROP", "a filter drops the SYN, the host is off, or the address is wrong", "SYNs repeated, nothing comes back, not even ICMP", &[Probe, Packets], "open 3389/tcp on the path and in the Windows firewall; power the host on"),
    cause_of("TCP-ICMP", "a router refuses", "ICMP type 3 to the SYN; its sender is the box that refuses", &[Packets, Probe], "route, VPN or access list at that hop"),
    cause_of("TCP-BACKLOG", "the listener is overloaded or under attack", "comes and goes with load; SYN answered, first data never acknowledged", &[Probe, Packets], "restrict who may connect; require NLA; raise MaxOutstandingConnections"),
    cause_of("TCP-RST-AFTER", "what answers TCP closes at once: a forwarder or load balancer without a back end, an allow-list", "FIN or RST within ms, before any X.224 confirm, no byte received", &[Probe, Proxy], "repair the back end or the forwarding rule, or allow this client"),
    cause_of("TCP-NOTRDP", "what answers on this port is not RDP", "the first bytes are not 03 00: SSH-, HTTP/1.1, 15 03", &[Probe, Proxy], "use the port of Remote Desktop, or move the other service"),
    cause_of("TCP-PORTEXH", "the server or a NAT has no ports left", "only domain logons fail, after days of uptime; Tcpip events 4227, 4231", &[Events, Packets], "find the program that leaks connections"),
    cause_of("PATH-LOSS", "packets are lost", "retransmissions of large and small alike; do not blame less than 15 % loss without a timer that fired", &[Proxy, Packets], "repair the link"),
    cause_of("PATH-LAT", "latency exhausts a timer", "18 round trips times RTT reaches the timer that fired; else it is not the cause", &[Proxy, Probe], "raise the timer; fewer channels"),
    cause_of("PATH-PMTU", "large segments vanish, small ones pass: a path MTU black hole", "X.224 passes, the ClientHello or the server's flight never arrives; SACK for a tail, or sequence numbers that jump", &[Probe, Proxy], "clamp the MSS or lower the tunnel's MTU; let ICMP 3/4 pass"),
    cause_of("PATH-RSTINJ", "a box on the way sends the reset", "the RST's TTL, IP-ID, window or timestamp differ from the server's packets; data follows it", &[Packets], "allow RDP (ms-rdp) in the firewall's application policy"),
    cause_of("PATH-IDLE", "a box on the way forgets the idle connection", "breaks after the same idle time each time: 240 s Azure, 350 s AWS, 900, 1800, 3600 s", &[Proxy], "RDP keep-alives (KeepAliveInterval), or raise the box's timer"),
    cause_of("PATH-PROXYIDLE", "a relay's own timer ends quiet sessions", "closes at a round 10, 15, 30 or 60 s of silence, both legs in the same ms", &[Proxy, Packets], "correct that relay's timer"),
    cause_of("PATH-ASYM", "what the client sends never arrives: asymmetric routing", "the server repeats its SYN-ACK; client data is never acknowledged", &[Packets, Proxy], "repair the routing, or exempt the flow from the stateful firewall"),
    cause_of("PATH-WINZERO", "the peer's kernel answers, its program does not", "data acknowledged, no reply, or window 0", &[Proxy, Packets], "look at CPU, TermService, LSASS, domain controller, MFA"),
    cause_of("X224-HYBRID", "the server insists on NLA and the client does not offer it", "failure code 5 in clear in the confirm", &[Probe, Proxy], "let the client use NLA, or lift the requirement knowingly"),
    cause_of("X224-SSLREQ", "the server insists on TLS and the client does not offer it", "failure code 1 in clear in the confirm", &[Probe, Proxy], "let the client offer TLS"),
    cause_of("X224-SSLNO", "the server allows only standard RDP security", "failure code 2, or a confirm that selects 0 and a client or relay that then leaves", &[Probe, Proxy], "set the security layer to Negotiate or TLS"),
    cause_of("X224-NOCERT", "the server has no certificate for TLS", "failure code 3; in TLS-NOKEY the confirm is good and TLS dies", &[Probe, Proxy], "delete the wrong thumbprint or broken certificate, restart TermService"),
    cause_of("X224-INCONS", "the security flags do not fit, or a client certificate is wanted", "failure code 4 or 6 in clear", &[Probe, Proxy], "use the settings that the server's policy asks for"),
    cause_of("X224-NOCC", "the connection request is received and never answered", "acknowledged, then silence until the client's own timer", &[Probe, Proxy], "restart TermService; repair the back end"),
    cause_of("X224-TOKEN", "the broker's routing token is missing or stale", "the request has no Cookie: msts= or tsv:// token, or an old one; RST after it", &[Proxy], "download the .rdp file anew; repair the broker"),
    cause_of("X224-DOWNGR", "a relay changes the negotiation", "the server selects what the client did not offer", &[Proxy, Packets], "repair or remove that relay"),
    cause_of("X224-NLAONLY", "the client insists on NLA and the server offers less", "confirm selects TLS or RDP; the client leaves within a ms, no ClientHello", &[Proxy], "switch NLA on at the server"),
    cause_of("TLS-NOKEY", "the server cannot use its private key", "no ServerHello; FIN, RST or alert 80 within ms of ANY ClientHello, openssl's too", &[Probe, Proxy, Events], "rights on MachineKeys, delete the certificate, restart TermService; xrdp: adduser xrdp ssl-cert"),
    cause_of("TLS-EXPIRED", "the server's certificate has expired", "notAfter is past and the CLIENT leaves; expiry alone makes no server reset", &[Probe, Proxy], "delete it, restart SessionEnv, which makes a new one; if not: TLS-NOKEY"),
    cause_of("TLS-NOTYET", "the certificate is not valid yet: a clock is wrong", "notBefore is in the future", &[Probe, Proxy], "set the clock"),
    cause_of("TLS-NAME", "the certificate is for another name", "the name typed is not among the certificate's; by address it never is", &[Probe, Proxy], "connect by a name that is in the certificate"),
    cause_of("TLS-UNTRUST", "the client does not trust the certificate", "the client sends alert 48 or leaves after the server's flight, seconds later if a person decided", &[Proxy, Probe], "a certificate of a CA that the client trusts"),
    cause_of("TLS-CRL", "revocation lookups stall the client", "5 to 15 s of the CLIENT's silence after the server's flight; HTTP to CRL hosts", &[Proxy, Packets], "let the client reach the CRL hosts"),
    cause_of("TLS-CHANGED", "the certificate changed since last time", "different leaves from connection to connection: a farm, or inspection", &[Probe], "one certificate on all nodes"),
    cause_of("TLS-INSPECT", "a TLS inspection box stands in the path", "the certificate's issuer is a security product, or differs from the one that probe sees elsewhere; TLS up, CredSSP dies", &[Probe, Proxy], "exempt RDP from inspection"),
    cause_of("TLS-VER", "no TLS version in common", "no ServerHello; alert 70 or RST for some clients only", &[Probe, Proxy], "enable TLS 1.2 on both sides"),
    cause_of("TLS-CIPHER", "no cipher suite, group or signature algorithm in common", "no ServerHello; alert 40 or 71, or RST, for some clients only", &[Probe, Proxy], "reset the policy 'SSL Cipher Suite Order'"),
    cause_of("TLS-WEAK", "the client refuses a weak key or signature", "server's flight complete, the client leaves at once; SHA-1 or RSA below 2048", &[Probe, Proxy], "a certificate with RSA 2048 and SHA-256"),
    cause_of("TLS-FIPS", "only one side is held to FIPS", "alert 40, or encryption level 4 in the server's settings", &[Probe, Proxy], "the same FIPS policy on both sides"),
    cause_of("TLS-HALF", "the server's handshake messages stop half-way", "ServerHello seen, the rest never; a larger other packet passes", &[Proxy, Packets], "exempt RDP from the IPS; clamp the MSS"),
    cause_of("NLA-CRED", "wrong user or password", "TLS up, two pairs of tokens, short server record or alert, close; no MCS", &[Proxy, Events], "the right credentials, as DOMAIN\\user or UPN"),
    cause_of("NLA-ACCT", "the account is disabled, locked, expired, or its password must change", "looks like NLA-CRED; only event 4625's sub-status tells", &[Events], "repair the account; NLA cannot change an expired password"),
    cause_of("NLA-RESTR", "account restriction: Protected Users, blank password, policy", "works by name (Kerberos), not by address or from Linux (NTLM)", &[Events, Proxy], "use Kerberos: name, domain controller, clock"),
    cause_of("NLA-RIGHT", "the right to log on remotely is missing", "all tokens exchanged, then one tiny server record and close", &[Events, Proxy], "add the user to Remote Desktop Users; check the deny rights"),
    cause_of("NLA-ORACLE", "CredSSP patch levels differ (encryption oracle remediation)", "the strict side closes: a patched client, or a server that forces it", &[Proxy, Events], "update both sides"),
    cause_of("NLA-BIND", "TLS is terminated between client and server", "the client leaves after its second token; its certificate is not the server's", &[Probe, Proxy], "relay NLA untouched"),
    cause_of("NLA-CBT", "channel binding is wrong or missing", "HTTP 401 again and again; NTLMv1, or TLS offload before the gateway", &[Packets, Events], "LmCompatibilityLevel 3 or more; no TLS offload"),
    cause_of("NLA-NTLMOFF", "NTLM is refused by policy", "by address it fails, by name it works", &[Events, Proxy], "make Kerberos possible, or allow NTLM"),
    cause_of("NLA-KDC", "no domain controller can be reached", "5 to 60 s between the client's token and the server's; local accounts work", &[Proxy, Events], "restore the way to the domain controller"),
    cause_of("NLA-SKEW", "clocks differ by more than 5 minutes", "Kerberos error 37; by address (NTLM) it works", &[Packets, Events], "w32tm /resync"),
    cause_of("NLA-SPN", "the service name is missing or doubled", "Kerberos error 7 or 41, then NTLM; works by the host's real name", &[Packets, Events], "setspn: register TERMSRV/host"),
    cause_of("NLA-DELEG", "policy forbids sending credentials", "the CLIENT closes after the server proved itself", &[Proxy, Events], "policy AllowFreshCredentials"),
    cause_of("NLA-SAVED", "saved credentials are refused", "typed credentials work", &[Events], "type the password"),
    cause_of("NLA-SMARTCARD", "smart card trouble", "codes of class 0x0a are local: no packet is sent", &[Events], "reader, PIN, certificate on the card"),
    cause_of("MCS-REJECT", "the server refuses the session's settings", "one client record of 400 to 1500 B after TLS or NLA, then close", &[Proxy, Events], "fewer channels, other colour depth"),
    cause_of("MCS-JOIN", "channel joins are slow or refused", "many equal small pairs; count them times RTT", &[Proxy], "skip-channel-join: update both sides"),
    cause_of("MCS-GFX", "the server needs what the client lacks (graphics pipeline, RemoteApp)", "close right after the settings exchange", &[Proxy, Events], "update or reconfigure the client"),
    cause_of("MCS-INFO", "Client Info is rejected", "close after Client Info, with a third-party client", &[Proxy], "update the client"),
    cause_of("INFO-CRED", "refused after Client Info: wrong password without NLA, or another refusal", "close within ms of Client Info, no licensing PDU", &[Proxy, Events], "check the account in the server's log"),
    cause_of("LIC-NOSRV", "no licence server, or the grace period is over", "mstsc /admin works: it needs no licence", &[Events, Proxy], "configure the licence server; buy licences"),
    cause_of("LIC-CLIENT", "the client's stored licence is bad", "one client fails, others work", &[Events], "delete HKLM\\SOFTWARE\\Microsoft\\MSLicensing, run mstsc once elevated"),
    cause_of("LIC-TIMEOUT", "licensing takes too long", "server acknowledges and is silent: it waits for its licence server", &[Proxy, Events], "repair the way to the licence server (135 and dynamic ports)"),
    cause_of("CAP-BAD", "capabilities or finalization fail", "close within one round trip of Confirm Active; ERRINFO 0x10c9 and above", &[Proxy, Events], "update the client"),
    cause_of("SES-DRV", "the display driver, DWM or winlogon of the session dies", "drops 1 to 30 s after logon, black screen, ERRINFO 0xf to 0x18", &[Events, Proxy], "update or remove that driver; policy for the WDDM driver"),
    cause_of("SES-KILLED", "the session dies right after the credentials: remote-control software, virtual display", "0x904 with 0x0, not 0x7; no ERRINFO", &[Events, Proxy], "remove or update that software"),
    cause_of("SES-DENIED", "the server denies: drain mode, session limit, policy", "a real ERRINFO 7, which exists only after MCS Connect Initial", &[Events, Proxy], "change logon /enable; raise the limit"),
    cause_of("SES-BUSY", "the host is out of resources", "slow answers after Client Info; the console is slow too", &[Events, Proxy], "find what leaks; restart TermService"),
    cause_of("SES-CONSOLE", "connecting to oneself", "refused at once, to a loopback or own address", &[Proxy], "use 127.0.0.2 or another machine"),
    cause_of("RED-UNREACH", "redirected to a name or address that cannot be reached", "the first connection ends cleanly, the next, to another host, fails", &[Proxy, Packets], "publish or route the targets; use the gateway"),
    cause_of("RED-LOOP", "the broker redirects in a circle", "more than two redirects in 10 s", &[Packets, Events], "DNS round robin, farm name"),
    cause_of("RED-CERT", "the target's certificate differs from the redirection's", "only the second connection's client leaves after the certificate", &[Packets, Probe], "certificates on the hosts"),
    cause_of("BRK-CODES", "the broker finds no host", "ERRINFO 0x400 to 0x412 after Client Info; events 1296, 2056", &[Events], "broker, its database, the pool"),
    cause_of("RDG-REACH", "the gateway cannot be reached", "the SYN to port 443 fails, not that to 3389", &[Packets], "firewall, DNS"),
    cause_of("RDG-CERT", "the gateway's certificate", "TLS on 443: expired, other name, untrusted; the client leaves, without a prompt", &[Packets], "a proper certificate"),
    cause_of("RDG-401", "the gateway refuses the credentials", "a second or third 401, or one without WWW-Authenticate", &[Packets, Events], "gateway credentials, channel binding, NPS, MFA"),
    cause_of("RDG-TRANSPORT", "a reverse proxy or load balancer breaks the gateway's transport", "two TLS connections and one dies; works direct to the gateway", &[Packets], "sticky sessions; allow RDG_OUT_DATA and RDG_IN_DATA"),
    cause_of("RDG-503", "the gateway's service is down", "HTTP 503 after authentication", &[Packets, Events], "start TSGateway and its IIS pool"),
    cause_of("RDG-CAP", "the connection policy (CAP) denies", "ends before the channel is created", &[Events], "the groups of the CAP"),
    cause_of("RDG-RAP", "the resource policy (RAP) denies", "ends after tunnel authorization; try the full name", &[Events], "computer group of the RAP; full names"),
    cause_of("RDG-TARGET", "the gateway cannot reach the target", "the delay before the error tells a drop from a refusal behind it", &[Events], "target up? DNS on the gateway?"),
    cause_of("RDG-COOKIE", "the gateway's token is bad or expired", "token authentication only", &[Events], "clock; a new token"),
    cause_of("RDG-LIMIT", "a limit of the gateway", "always at the same age, or when the gateway is full", &[Events, Packets], "the gateway's limits"),
    cause_of("RDG-PROXYAUTH", "a web proxy stands in front", "CONNECT answered 407 or 403, in clear", &[Packets], "an exception in the web proxy"),
    cause_of("RDG-UDP", "the gateway's UDP is blocked", "no answer on UDP 3391; TCP works", &[Packets], "open 3391/udp: quality only"),
    cause_of("SES-IDLE", "the idle limit", "ERRINFO 3, the same idle time each time", &[Events], "policy for idle sessions"),
    cause_of("SES-LIMIT", "the limit for active sessions", "ERRINFO 4, the same age each time", &[Events], "policy for active sessions"),
    cause_of("SES-REPLACED", "another connection took the session over", "ERRINFO 5; another client connects seconds before", &[Events], "none: that is how it works"),
    cause_of("SES-ADMIN", "logged off or disconnected on purpose", "clean close, ultimatum then FIN; before activation it is no logoff", &[Events], "none"),
    cause_of("SES-SHUTDOWN", "the server restarts", "many sessions end together; later SYNs are refused", &[Events, Proxy], "none if it was meant"),
    cause_of("SES-GPO", "a Group Policy refresh drops sessions", "every 90 minutes, reconnecting works", &[Events, Proxy], "fDenyTSConnections=0 locally, too"),
    cause_of("SES-ARC", "automatic reconnection fails in a loop", "many short connections of one client", &[Proxy], "mend what broke the first"),
    cause_of("SES-HALFOPEN", "the server keeps a dead session", "the client vanished without FIN; keep-alives are off", &[Events], "policy 'Configure keep-alive connection interval'"),
    cause_of("SES-CRYPT", "bytes were changed on the way, or by a relay", "alert 20 or 51, or ERRINFO 0x1192, on one leg only", &[Proxy, Packets], "the box or network card that changes them"),
    cause_of("UDP-DROP", "UDP opens and then dies", "a TCP-only session stays up", &[Packets], "update; or fClientDisableUDP=1"),
    cause_of("UDP-MTU", "large UDP packets are lost", "graphics freeze, TCP-only does not", &[Packets], "switch UDP off, or lower the MTU"),
    cause_of("PATH-DEAD", "path or peer died in a standing connection", "data of one side is never acknowledged again, from one moment on", &[Proxy, Packets], "repair the link; keep-alives shorten the wait"),
    cause_of("PRX-PROBE", "a probe: the client asks its user first and comes again", "the same client connects again and gets further", &[Proxy], "none: no fault"),
    cause_of("PRX-LOOP", "a relay points at itself", "the same bytes twice, ports that change", &[Proxy], "correct the relay's target"),
    cause_of("PRX-CLOSE", "a relay or gateway in between closes because its own back leg failed", "the front's FIN follows the back's error within ms: the leg that closed FIRST owns the cause", &[Proxy], "the back leg's cause"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_stands_once_and_says_enough() {
        for (place, cause) in CAUSES.iter().enumerate() {
            assert!(CAUSES[..place].iter().all(|other| other.id != cause.id), "{}", cause.id);
            assert!(!cause.name.is_empty() && !cause.sign.is_empty() && !cause.tools.is_empty(), "{}", cause.id);
        }
    }
}
