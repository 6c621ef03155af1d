//! Causes that the wire, without keys, cannot tell apart: who finds one of them has found one of its group.

/// Some causes that look the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// The causes: ids, three at most.
    pub ids: &'static [&'static str],
    /// What tells them apart.
    pub by: &'static str,
}

/// The groups to which a cause belongs: one for each way in which it looks like others.
pub fn groups(id: &str) -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(move |group| group.ids.contains(&id))
}

/// Whether the wire cannot tell these two apart.
pub fn alike(one: &str, other: &str) -> bool {
    groups(one).any(|group| group.ids.contains(&other))
}

const fn of(ids: &'static [&'static str], by: &'static str) -> Group {
    Group { ids, by }
}

/// Of each shape on the wire what can be behind it.
#[rustfmt::skip]
pub static GROUPS: &[Group] = &[
    of(&["TCP-RST-AFTER", "X224-TOKEN"], "does a session with a routing token (loadbalanceinfo:s: of a new .rdp file) get further? else the device that owns the address: its pool, its log"),
    of(&["X224-REFUSED", "X224-BADREQ"], "capture at client and server: is the request the same at both (REFUSED), or does a box on the way change it (BADREQ)? the server's own log"),
    of(&["X224-HALF", "TCP-NOTRDP"], "rdpscope probe SERVER: does another connection get a whole confirm (HALF)? on the server: which process owns the port (NOTRDP)?"),
    of(&["TLS-NOKEY", "TLS-VER", "TLS-CIPHER"], "of a server that ends TLS without an alert: rdpscope probe SERVER (every version and suite fails: NOKEY; some do: VER, CIPHER); xrdp.log, or event log System, Schannel 36870 (key), 36871, 36874"),
    of(&["TLS-VER", "TLS-CIPHER", "TLS-FIPS"], "rdpscope probe SERVER (versions and suites one by one); on the server: event log System, Schannel 36871 (versions), 36874 (suites), and FipsAlgorithmPolicy in the registry"),
    of(&["TLS-UNTRUST", "TLS-EXPIRED", "TLS-NAME"], "of a certificate that TLS 1.3 seals, and that a client leaves: rdpscope probe SERVER shows it"),
    of(&["TLS-UNTRUST", "PRX-PROBE"], "does the same client come again and get further? then it only asked its user"),
    of(&["NLA-CRED", "NLA-NTLMOFF"], "on the server: Security log 4625, sub-status 0xC000006E or 0xC0000418 (NTLM is not allowed): then it works by name, with Kerberos"),
    of(&["NLA-CRED", "NLA-ACCT", "NLA-RESTR"], "on the server: Security log 4625, sub-status 0xC000006A or 0xC0000064 (credentials), 0xC0000072, 0xC0000234 and their like (account), 0xC000006E (restriction)"),
    of(&["NLA-ORACLE", "NLA-BIND", "NLA-DELEG"], "on the client: the text that mstsc shows (\"encryption oracle remediation\": ORACLE); the certificate's fingerprint at client and server (differs: BIND); policy Credentials Delegation (DELEG)"),
    of(&["NLA-KDC", "TCP-PORTEXH"], "on the server: event log System, Tcpip 4227 or 4231 (PORTEXH), Netlogon 5719 without them (KDC)"),
    of(&["NLA-SMARTCARD", "SES-CONSOLE"], "on the client: the code that mstsc shows (class 0x0a: card; 0x708: the own machine)"),
    of(&["MCS-REJECT", "MCS-GFX"], "does another client, or the same with fewer channels, get in? the log of the server's RDP service names the capability that it missed"),
    of(&["INFO-CRED", "MCS-INFO", "BRK-CODES"], "on the server: Security log 4625 (CRED), xrdp.log or RdpCoreTS log (INFO), SessionBroker-Client 1296 (BRK)"),
    of(&["LIC-NOSRV", "LIC-CLIENT", "SES-DENIED"], "mstsc /admin gets in (NOSRV, or drain mode); another client gets in (CLIENT); on the server: change logon /query (DENIED), lsdiag.msc"),
    of(&["PATH-WINZERO", "LIC-TIMEOUT", "SES-BUSY"], "on the server: is its console slow, too (BUSY)? lsdiag.msc (LIC-TIMEOUT); else what TermService and LSASS wait for"),
    of(&["SES-KILLED", "SES-DRV"], "on the server: Application log 1000 at this time: dwm.exe, winlogon.exe, csrss.exe or a display driver (DRV), another program (KILLED)"),
    of(&["PATH-DEAD", "PATH-ASYM", "PATH-PMTU"], "capture at both ends: what leaves the one and does not arrive at the other (nothing any more: DEAD; nothing in one direction: ASYM; nothing that is large: PMTU); rdpscope probe SERVER tries large segments"),
    of(&["TLS-NOKEY", "PATH-PMTU", "PATH-WINZERO"], "of a ClientHello that is acknowledged and not answered: rdpscope probe SERVER (does it answer anybody? are large segments lost?); capture at the server: does its flight leave it?"),
    of(&["PATH-PROXYIDLE", "SES-IDLE"], "did sessions to the server past the relay end, too? on the server: TerminalServices-LocalSessionManager log 40, MaxIdleTime"),
    of(&["PATH-DEAD", "SES-HALFOPEN"], "on the server: qwinsta: the session is still Active (HALFOPEN), or the server was down (DEAD)"),
    of(&["SES-ADMIN", "SES-REPLACED", "SES-LIMIT"], "on the server: TerminalServices-LocalSessionManager log 40, its reason; 25 (reconnected from elsewhere: REPLACED); always the same age (LIMIT)"),
    of(&["SES-SHUTDOWN", "SES-GPO"], "on the server: System log 1074, 6008, 7036 (SHUTDOWN); GroupPolicy/Operational 8000 to 8007 at the same second (GPO)"),
    of(&["RDG-CAP", "RDG-RAP", "RDG-TARGET"], "on the gateway: log TerminalServices-Gateway/Operational: 201 (CAP), 301 (RAP), 304 (target)"),
    of(&["RDG-401", "RDG-TRANSPORT", "RDG-503"], "of what TLS with the gateway seals: a key log, or rdpscope probe --gateway; past the reverse proxy (hosts file) it works: TRANSPORT; on the gateway TSGateway or its application pool is stopped: 503; Security log 4625: 401"),
    of(&["RDG-401", "RDG-CAP", "RDG-RAP"], "of what TLS with the gateway seals: a key log; on the gateway: Security log 4625 (401), TerminalServices-Gateway/Operational: 201 (CAP), 301 (RAP)"),
    of(&["RDG-401", "RDG-TARGET", "RDG-COOKIE"], "of what TLS with the gateway seals: a key log; on the gateway: Security log 4625 (401), TerminalServices-Gateway/Operational: 304 (target); does a new .rdp file work (COOKIE)?"),
    of(&["RDG-401", "RDG-LIMIT"], "of what TLS with the gateway seals: a key log; on the gateway: Security log 4625 (401), TerminalServices-Gateway/Operational: 203 (full)"),
    of(&["RDG-TRANSPORT", "RDG-LIMIT"], "of a running session that ends without a word of the gateway: always the same age, or 303 in TerminalServices-Gateway/Operational (LIMIT); else what the boxes before the gateway log at this time"),
    of(&["RDG-TRANSPORT", "X224-NOCC"], "of a channel that is open and carries nothing: on the gateway, log TerminalServices-Gateway/Operational, 302 and 303 (bytes that passed); on the target, does a connection come?"),
];
