//! Every cause that a rule can name: what it is called, what to look at next, how to mend it, what the wire cannot
//! show, and what mstsc says of it. The ids are those of the project's catalogue of causes.

/// One cause.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// One line.
    pub name: &'static str,
    /// The next check: a command or a place to look, on the machine named.
    pub check: &'static str,
    /// The fix.
    pub fix: &'static str,
    /// What no capture can show.
    pub cannot_tell: &'static [&'static str],
    /// What mstsc shows: reason code, with the extended code behind a slash where it is known.
    pub mstsc: &'static [&'static str],
}

/// The cause with this id.
pub fn cause(id: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.id == id)
}

/// All causes that a rule can name, by layer.
pub const CAUSES: &[Cause] = &[
    Cause {
        id: "DNS-NX",
        name: "the name does not resolve",
        check: "on the client: Resolve-DnsName NAME (or nslookup NAME); compare with and without the VPN",
        fix: "correct the DNS record, the search suffix or the VPN's resolver; to test, connect by address",
        cannot_tell: &["whether the record is missing or the resolver is the wrong one"],
        mstsc: &["0x104"],
    },
    Cause {
        id: "DNS-SLOW",
        name: "the resolver is slow",
        check: "on the client: Measure-Command { Resolve-DnsName NAME }; look at the order of DNS servers",
        fix: "put a resolver that answers first",
        cannot_tell: &["which of several resolvers did not answer"],
        mstsc: &["0x104"],
    },
    Cause {
        id: "DNS-AAAA",
        name: "the first address is dead, a later one answers",
        check: "on the client: Test-NetConnection to each address of the name, IPv6 and IPv4",
        fix: "repair the route to that address or remove it from DNS",
        cannot_tell: &["why the address is dead"],
        mstsc: &["0x204", "0x108"],
    },
    Cause {
        id: "TCP-REFUSED",
        name: "nothing listens on the port",
        check: "on the server: qwinsta (is rdp-tcp listening?), Get-Service TermService, \
                Test-NetConnection localhost -Port 3389",
        fix: "enable Remote Desktop, start TermService, or use the port that it listens on",
        cannot_tell: &["whether the server itself or a firewall that answers with RST refused"],
        mstsc: &["0x204/0x0"],
    },
    Cause {
        id: "TCP-DROP",
        name: "nobody answers on the port: a firewall drops it, the host is off, or the address is wrong",
        check: "from the client: Test-NetConnection NAME -Port 3389, and another port of the same host; on the server: \
                Get-NetFirewallRule -DisplayGroup 'Remote Desktop' for the active profile",
        fix: "open the port on the way and in the server's firewall; switch the host on; correct the address",
        cannot_tell: &["where on the way the SYN, or its answer, is lost"],
        mstsc: &["0x204/0x0", "0x108"],
    },
    Cause {
        id: "TCP-ICMP",
        name: "the network says that the server cannot be reached",
        check: "on the client: tracert ADDRESS, route print; is the VPN up?",
        fix: "repair the route, the VPN or the access list at the hop that answers",
        cannot_tell: &["which device sent the ICMP error (a packet capture shows it)"],
        mstsc: &["0x204/0x0"],
    },
    Cause {
        id: "TCP-RST-AFTER",
        name: "something accepts the connection and drops it before any answer: a forwarder or load balancer without a \
               live back end, or an address filter",
        check: "look at the device that owns the address (load balancer pool, port forward, allow-list); on the server: \
                does the connection arrive at all? Get-NetTCPConnection -LocalPort 3389",
        fix: "repair the back end or the forwarding rule, or allow this client",
        cannot_tell: &["whether the box that closed is the RDP server or one in front of it"],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TCP-NOTRDP",
        name: "what answers on this port is not RDP",
        check: "on the server: netstat -ano | findstr :3389 (which process owns the port?)",
        fix: "connect to the port of Remote Desktop, or move the other service",
        cannot_tell: &[],
        mstsc: &["0x904"],
    },
    Cause {
        id: "PATH-ASYM",
        name: "what the client sends never arrives: asymmetric routing or a firewall that sees half",
        check: "capture at both ends and compare: which direction is lost?",
        fix: "repair the routing, or exempt the flow from the stateful firewall",
        cannot_tell: &["at which hop the segments are lost"],
        mstsc: &["0x904", "0x108"],
    },
    Cause {
        id: "PATH-PMTU",
        name: "large segments vanish, small ones pass: a path MTU black hole",
        check: "from the client: ping -f -l 1372 SERVER and smaller, until it passes",
        fix: "clamp the MSS or lower the tunnel's MTU; let ICMP type 3 code 4 pass",
        cannot_tell: &["which hop drops the large segments"],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "PATH-RSTINJ",
        name: "a box on the way sends the reset",
        check: "capture on the server: did it send this RST? Ask for the firewall's or IPS's log at this time",
        fix: "allow RDP (ms-rdp) in the firewall's application policy",
        cannot_tell: &["the RST's TTL and IP-ID, which a packet capture shows"],
        mstsc: &["0x904/0x7", "0x404"],
    },
    Cause {
        id: "PATH-IDLE",
        name: "a box on the way forgot the idle connection",
        check: "do other sessions break after the same idle time? Compare with the firewall's and load balancer's timers",
        fix: "switch on RDP keep-alives (KeepAliveInterval) or raise the box's timer",
        cannot_tell: &["which box it is"],
        mstsc: &["0x904/0x0"],
    },
    Cause {
        id: "PATH-DEAD",
        name: "the path or the peer died in a standing connection",
        check: "was the link, the VPN or the host down at this time?",
        fix: "repair the link; keep-alives shorten the wait",
        cannot_tell: &["whether the path or the peer died"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "PATH-WINZERO",
        name: "the peer's kernel answers, its program does not",
        check: "on the server: CPU, TermService and LSASS, domain controller, MFA provider",
        fix: "restart or relieve what hangs",
        cannot_tell: &["what the program waits for"],
        mstsc: &["0x108", "0x904"],
    },
    Cause {
        id: "X224-HYBRID",
        name: "the server insists on NLA and the client did not offer it",
        check: "client: is enablecredsspsupport:i:0 in the .rdp file? server: UserAuthentication under \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp",
        fix: "let the client use NLA (CredSSP), or switch the requirement off on the server knowingly",
        cannot_tell: &[],
        mstsc: &["0xB09"],
    },
    Cause {
        id: "X224-SSLREQ",
        name: "the server insists on TLS and the client did not offer it",
        check: "client: which security layer is it forced to? server: SecurityLayer under RDP-Tcp (2 is TLS only)",
        fix: "let the client offer TLS",
        cannot_tell: &[],
        mstsc: &["0x904"],
    },
    Cause {
        id: "X224-SSLNO",
        name: "the server allows only standard RDP security",
        check: "server: SecurityLayer under RDP-Tcp (0 is RDP only); xrdp: security_layer in xrdp.ini, and can it read \
                key.pem?",
        fix: "set the security layer to Negotiate or TLS",
        cannot_tell: &[],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "X224-NOCERT",
        name: "the server has no certificate for TLS",
        check: "server: certlm.msc, Remote Desktop, Certificates; SSLCertificateSHA1Hash under RDP-Tcp; event log \
                System, TerminalServices-RemoteConnectionManager 1057 and 1058",
        fix: "delete the wrong thumbprint or the broken certificate and restart TermService, which makes a new one",
        cannot_tell: &["why the server has none"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "X224-INCONS",
        name: "the server finds the client's security flags inconsistent, or wants a client certificate",
        check: "client: smart card or client certificate settings; is a tool in between rewriting the request?",
        fix: "use the settings that the server's policy asks for",
        cannot_tell: &[],
        mstsc: &["0x904"],
    },
    Cause {
        id: "X224-NOCC",
        name: "the connection request is received and never answered",
        check: "on the server: is TermService hung? qwinsta, event log; through a load balancer: does the back end live?",
        fix: "restart TermService; repair the back end",
        cannot_tell: &["whether the service hangs or a box in front answered the SYN without a back end"],
        mstsc: &["0x108", "0x904"],
    },
    Cause {
        id: "X224-TOKEN",
        name: "the routing token of the broker or load balancer is missing or stale",
        check: "compare loadbalanceinfo:s: of the .rdp file with what the collection expects",
        fix: "download the .rdp file anew; repair the broker",
        cannot_tell: &["what the load balancer made of the token"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "X224-DOWNGR",
        name: "the server selects a protocol that the client did not offer: a relay changes the negotiation",
        check: "capture at client and server and compare request and confirm",
        fix: "repair or remove the relay in between",
        cannot_tell: &["which device changed it"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "X224-NLAONLY",
        name: "the client insists on NLA and the server offers less",
        check: "client: policy 'Require NLA', /sec:nla; server: is NLA switched on?",
        fix: "switch NLA on at the server, or relax the client's policy knowingly",
        cannot_tell: &["the client's policy"],
        mstsc: &["0xB09"],
    },
    Cause {
        id: "TLS-NOKEY",
        name: "the server cannot use its private key",
        check: "on the server: event log System, Schannel 36870 (0x8009030D) and \
                TerminalServices-RemoteConnectionManager 1057/1058; icacls C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys; \
                xrdp: can the service read key.pem?",
        fix: "restore the rights on MachineKeys (SYSTEM full, NETWORK SERVICE read), delete the certificate under \
              certlm.msc, Remote Desktop, and restart SessionEnv and TermService; xrdp: adduser xrdp ssl-cert",
        cannot_tell: &["why the server gave up: its event log says it"],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-VER",
        name: "client and server have no TLS version in common",
        check: "compare the versions offered above with HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\\
                SCHANNEL\\Protocols on the server; event log System, Schannel 36871 and 36874",
        fix: "enable TLS 1.2 on both sides",
        cannot_tell: &["what the server would have accepted"],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-CIPHER",
        name: "client and server have no cipher suite, group or signature algorithm in common",
        check: "on the server: Get-TlsCipherSuite, policy 'SSL Cipher Suite Order', event log System, Schannel 36874",
        fix: "reset the cipher policy; old hosts: /tls-seclevel:0 on FreeRDP, to test only",
        cannot_tell: &["what the server would have accepted"],
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-EXPIRED",
        name: "the server's certificate has expired",
        check: "on the server: certlm.msc, Remote Desktop, Certificates: date; event log, \
                TerminalServices-RemoteConnectionManager 1058 (renewal failed)",
        fix: "delete the expired certificate and restart SessionEnv (Remote Desktop Configuration), which makes a new \
              one; if it does not, the key store is unusable (TLS-NOKEY)",
        cannot_tell: &["why it was not renewed"],
        mstsc: &["0x904/0x7", "0x1B07"],
    },
    Cause {
        id: "TLS-NOTYET",
        name: "the server's certificate is not valid yet: a clock is wrong",
        check: "compare the clocks of client and server: w32tm /query /status",
        fix: "set the clock; make the certificate anew if it was made with a wrong one",
        cannot_tell: &["whose clock is wrong"],
        mstsc: &["0x1B07"],
    },
    Cause {
        id: "TLS-NAME",
        name: "the server's certificate is for another name",
        check: "compare the name you connect to with the certificate's names above",
        fix: "connect by a name that is in the certificate, or issue one for this name",
        cannot_tell: &["the name the user typed, where the client sends no SNI"],
        mstsc: &["0x907"],
    },
    Cause {
        id: "TLS-UNTRUST",
        name: "the client does not trust the server's certificate",
        check: "on the client: is the issuer among the trusted roots? policy 'Configure server authentication' \
                (AuthenticationLevel)",
        fix: "give the server a certificate of a CA that the client trusts, or import the issuer",
        cannot_tell: &["whether a person or a policy refused it"],
        mstsc: &["0x907"],
    },
    Cause {
        id: "TLS-WEAK",
        name: "the client refuses the weak key or signature of the server's certificate",
        check: "the key size and signature above; OpenSSL clients: security level",
        fix: "issue a certificate with RSA 2048 or better and SHA-256",
        cannot_tell: &["the client's limits"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "TLS-HALF",
        name: "the server's handshake messages stop half-way: lost, or cut by a box on the way",
        check: "capture at the server: did it send the rest? Firewall and IPS log at this time; test for an MTU hole",
        fix: "exempt RDP from TLS inspection; clamp the MSS",
        cannot_tell: &["whether the server sent the rest"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "NLA-CRED",
        name: "the server ends CredSSP: wrong user or password, or another refusal of the account",
        check: "on the server: Security log 4625 with its status and sub-status",
        fix: "use the right credentials (DOMAIN\\user or UPN); unlock or enable the account",
        cannot_tell: &["the reason: it is sealed in TLS, or was never sent"],
        mstsc: &["0x807", "0x904"],
    },
    Cause {
        id: "NLA-ORACLE",
        name: "the client ends CredSSP: patch levels differ (encryption oracle remediation), or delegation is forbidden",
        check: "client: HKLM\\...\\Policies\\System\\CredSSP\\Parameters AllowEncryptionOracle; the patch level of both sides",
        fix: "update both sides",
        cannot_tell: &["what the client read: it is sealed in TLS"],
        mstsc: &["0x904", "0x1607"],
    },
    Cause {
        id: "NLA-KDC",
        name: "CredSSP waits for the server, which waits for something else: a domain controller, MFA",
        check: "on the server: nltest /sc_query:DOMAIN; event log Kerberos, Netlogon 5719",
        fix: "restore the way from the server to its domain controller",
        cannot_tell: &["what the server waited for"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "MCS-REJECT",
        name: "the server refuses the session's settings",
        check: "on the server: TerminalServices-RemoteConnectionManager and -LocalSessionManager logs at this time",
        fix: "reduce what the client asks for (channels, colour depth, RemoteApp)",
        cannot_tell: &["the reason: it is sealed in TLS, or was never sent"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "INFO-CRED",
        name: "the server refuses Client Info: wrong user or password without NLA, or another refusal",
        check: "on the server: the service's log at this time (Security 4625; xrdp-sesman.log)",
        fix: "use the right credentials",
        cannot_tell: &["the reason"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "LIC-NOSRV",
        name: "licensing ends the connection",
        check: "on the server: licensing diagnoser, TerminalServices-Licensing log; grace period",
        fix: "repair the licence server",
        cannot_tell: &["the licensing error, where it is encrypted"],
        mstsc: &["0x808"],
    },
    Cause {
        id: "CAP-BAD",
        name: "capabilities or finalization fail",
        check: "on the server: RdpCoreTS log at this time",
        fix: "update the client, or switch off what it negotiates",
        cannot_tell: &["which PDU was refused, where it is encrypted"],
        mstsc: &["0x904"],
    },
    Cause {
        id: "SES-KILLED",
        name: "the session's software on the server dies right after it became active",
        check: "on the server: Application log at this time (dwm.exe, winlogon.exe, display drivers, remote-control \
                software)",
        fix: "remove or update that driver or software",
        cannot_tell: &["which component failed"],
        mstsc: &["0x904/0x0"],
    },
    Cause {
        id: "SES-SHUTDOWN",
        name: "the server drops a running session",
        check: "did other sessions end at the same time? on the server: System log 1074, 6008, 7036; was it restarted?",
        fix: "none if it was meant; otherwise find what restarted the service",
        cannot_tell: &["whether the server or a box on the way sent the reset"],
        mstsc: &["0x904/0x0"],
    },
    Cause {
        id: "PRX-PROBE",
        name: "a probe: the client connected and left before it asked for anything, or to ask its user first",
        check: "does the same client connect again and get further?",
        fix: "none: this is no fault by itself",
        cannot_tell: &["why the client left"],
        mstsc: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_stands_once() {
        for (place, cause) in CAUSES.iter().enumerate() {
            assert!(CAUSES[..place].iter().all(|other| other.id != cause.id), "{}", cause.id);
        }
    }
}
