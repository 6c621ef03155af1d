//! What Windows's logs say: texts of events without their number, and names in Azure's logs.

use super::{Phrase, phrase};

const CORE: &str = "message table of the provider RdpCoreTS (10.0.22000)";
const CONNECTIONS: &str = "message table of the provider TerminalServices-RemoteConnectionManager";
const SESSIONS: &str = "message table of the provider TerminalServices-LocalSessionManager";
const SCHANNEL: &str = "message table of the provider Schannel";
const GATEWAY: &str = "Microsoft Learn: RD Gateway Server Connections";
const SHORTPATH: &str = "Microsoft Learn: troubleshoot RDP Shortpath for public networks";

/// All of them.
#[rustfmt::skip]
pub(super) static PHRASES: &[Phrase] = &[
    phrase("failed because the user name or password is not correct", "Windows, event log", "", &[], CORE, Some(("event", 140))),
    phrase("the server security layer detected an error", "Windows, event log", "", &[], CORE, Some(("event", 139))),
    phrase("in the protocol stream and the client was disconnected", "Windows, event log", "", &[], CORE, Some(("event", 97))),
    phrase("in the protocol stream and has disconnected the client", "Windows, event log", "", &[], "message table of the driver TermDD", Some(("event", 56))),
    phrase("the server accepted a new tcp connection from client", "Windows, event log", "", &[], CORE, Some(("event", 131))),
    phrase("the server accepted a new udp connection from client", "Windows, event log", "", &[], CORE, Some(("event", 131))),
    phrase("the multi-transport connection finished for tunnel", "Windows, event log", "", &[], CORE, Some(("event", 135))),
    phrase("unable to establish a multi-transport connection", "Windows, event log", "", &[], CORE, Some(("event", 136))),
    phrase("the network characteristics detection function has been disabled", "Windows, event log", "", &[], CORE, Some(("event", 101))),
    phrase("the server has terminated main rdp connection with the client", "Windows, event log", "", &[], CORE, Some(("event", 102))),
    phrase("the disconnect reason is", "Windows, event log", "", &[], CORE, Some(("event", 103))),
    phrase("tcp socket read operation failed", "Windows, event log", "", &[], CORE, Some(("event", 142))),
    phrase("tcp socket write operation failed", "Windows, event log", "", &[], CORE, Some(("event", 143))),
    phrase("tcp socket was gracefully terminated", "Windows, event log", "", &[], CORE, Some(("event", 144))),
    phrase("logonuserexex failed", "Windows, event log", "", &[], CORE, Some(("event", 147))),
    phrase("the dtls initialization failed", "Windows, event log", "", &[], CORE, Some(("event", 138))),
    phrase("received disconnect provider indication from the client", "Windows, event log", "", &[], CORE, Some(("event", 107))),
    phrase("disconnect trace:", "Windows, event log", "", &[], CORE, Some(("event", 228))),
    phrase("listener received a connection", "Windows, event log", "", &[], CONNECTIONS, Some(("event", 261))),
    phrase("user authentication succeeded", "Windows, event log", "", &[], CONNECTIONS, Some(("event", 1149))),
    phrase("remote desktop services: session logon succeeded", "Windows, event log", "", &[], SESSIONS, Some(("event", 21))),
    phrase("remote desktop services: shell start notification received", "Windows, event log", "", &[], SESSIONS, Some(("event", 22))),
    phrase("remote desktop services: session logoff succeeded", "Windows, event log", "", &[], SESSIONS, Some(("event", 23))),
    phrase("remote desktop services: session has been disconnected", "Windows, event log", "", &[], SESSIONS, Some(("event", 24))),
    phrase("remote desktop services: session reconnection succeeded", "Windows, event log", "", &[], SESSIONS, Some(("event", 25))),
    phrase("has been disconnected, reason code", "Windows, event log", "", &[], SESSIONS, Some(("event", 40))),
    phrase("has been disconnected by session", "Windows, event log", "", &[], SESSIONS, Some(("event", 39))),
    phrase("begin session arbitration", "Windows, event log", "", &[], SESSIONS, Some(("event", 41))),
    phrase("end session arbitration", "Windows, event log", "", &[], SESSIONS, Some(("event", 42))),
    phrase("the licensing mode for the remote desktop session host server is not configured", "Windows, event log", "", &[], CONNECTIONS, Some(("event", 1069))),
    phrase("a fatal alert was received from the remote endpoint", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x9017))),
    phrase("a fatal alert was generated and sent to the remote endpoint", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x9018))),
    phrase("none of the cipher suites supported by the client application are supported by the server", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x900a))),
    phrase("attempting to access the tls server credential private key", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x9006))),
    phrase("attempting to access the ssl server credential private key", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x9006))),
    phrase("while creating a tls server credential", "Windows, event log", "", &[], SCHANNEL, Some(("event", 0x9007))),
    phrase("rdp clientactivex has been disconnected", "Windows, event log", "", &[], "message table of the provider TerminalServices-ClientActiveXCore", Some(("event", 1026))),
    phrase("did not meet connection authorization policy requirements", "Windows, event log", "", &[], GATEWAY, Some(("event", 201))),
    phrase("met connection authorization policy requirements", "Windows, event log", "", &[], GATEWAY, Some(("event", 200))),
    phrase("did not meet resource authorization policy requirements", "Windows, event log", "", &[], GATEWAY, Some(("event", 301))),
    phrase("met resource authorization policy requirements", "Windows, event log", "", &[], GATEWAY, Some(("event", 300))),
    phrase("disconnected from the following network resource", "Windows, event log", "", &[], GATEWAY, Some(("event", 303))),
    phrase("because a tunnel could not be created", "Windows, event log", "", &[], "Microsoft: pluggable authentication sample of RD Gateway, its README", Some(("event", 306))),
    phrase("a user was denied the access to remote desktop", "Windows, event log", "", &[], "Microsoft Learn: event 4825 of security auditing", Some(("event", 4825))),
    phrase("an account failed to log on", "Windows, event log", "", &[], "Microsoft Learn: event 4625 of security auditing", Some(("event", 4625))),
    phrase("an account was successfully logged on", "Windows, event log", "", &[], "Microsoft Learn: event 4624 of security auditing", Some(("event", 4624))),
    phrase("a session was reconnected to a window station", "Windows, event log", "", &[], "Microsoft Learn: event 4778 of security auditing", Some(("event", 4778))),
    phrase("a session was disconnected from a window station", "Windows, event log", "", &[], "Microsoft Learn: event 4779 of security auditing", Some(("event", 4779))),
    phrase("partial mismatch in the machine id", "Windows, event log", "", &[], "Microsoft KB5068222; techcommunity.microsoft.com: hardening administrative actions", Some(("event", 6167))),
    phrase("failed to negotiate a common protocol version", "Windows, event log", "", &[], "message table of the provider LsaSrv; Microsoft KB4093492 (CVE-2018-0886)", Some(("event", 6041))),
    phrase("usage that will be unsupported in enforcement", "Windows, event log of a domain controller", "one of KDCSVC 201, 202, 205 to 207: RC4 is still in use and will be refused", &["NLA-RC4"], "Microsoft KB5073381 (CVE-2026-20833)", None),
    phrase("the key distribution center (kdc) blocked", "Windows, event log of a domain controller", "one of KDCSVC 203, 204, 208, 209: a ticket was refused for its cipher (RC4)", &["NLA-RC4"], "Microsoft KB5073381 (CVE-2026-20833)", None),
    phrase("shortpathtransportnetworkdrop", "Azure Virtual Desktop, Log Analytics", "the UDP transport went silent: nothing says over UDP that a peer is gone, so this is a timeout (17 s as a rule)", &["UDP-DROP"], SHORTPATH, None),
    phrase("shortpathtransportreliabilitythresholdfailure", "Azure Virtual Desktop, Log Analytics", "one datagram did not get through in 50 tries although the connection lives: a sudden stop, or a datagram larger than the path now carries", &["UDP-DROP", "UDP-MTU"], SHORTPATH, None),
    phrase("connectionbrokenmissedheartbeatthresholdexceeded", "Azure Virtual Desktop, Log Analytics", "RDP's own timer for heartbeats ran out before that of UDP", &["UDP-DROP", "PATH-DEAD"], SHORTPATH, None),
    phrase("connectionfailedclientdisconnect", "Azure Virtual Desktop, Log Analytics", "the TCP connection of the client was reset or closed", &["PATH-RSTINJ"], SHORTPATH, None),
    phrase("connectionfailedserverdisconnect", "Azure Virtual Desktop, Log Analytics", "the TCP connection of the session host was reset or closed", &["PATH-RSTINJ", "SES-KILLED"], SHORTPATH, None),
];
