//! Inside of TLS: what a server says there that ends a session, and who ends it behind which message without a word. What is to
//! be said of these is for who has the keys.

use super::parts::*;

const CREDSSP: &[&str] = &["credssp"];
const SETTINGS: &[&str] = &["basic-settings"];
const CHANNELS: &[&str] = &["channel-connection"];
const INFO: &[&str] = &["secure-settings"];
const LICENSING: &[&str] = &["licensing"];
const FINALIZATION: &[&str] = &["finalization"];

/// A server with NLA that acts there.
const fn nla(at: Point, act: Act) -> ServerScript {
    ServerScript { selects: Some(HYBRID), ..fault(at, act) }
}

/// The same with another version of CredSSP.
const fn nla_of(credssp: u32, at: Point, act: Act) -> ServerScript {
    ServerScript { credssp, ..nla(at, act) }
}

/// A client that wants NLA with the user's authorization.
const NLA_EX: ClientScript = ClientScript { asks: Some(SSL | HYBRID | HYBRID_EX), ..CLIENT };

/// A client with NLA that waits for a while.
const PATIENT_NLA: ClientScript = ClientScript { asks: NLA.asks, ..PATIENT };

/// The server says this errorCode behind the client's proof.
const fn error_code(name: &'static str, says: &'static str, version: u32, code: u32, cause: &'static str) -> Scenario {
    let server = nla_of(version, Point::Authenticate, Act::Say(Word::ErrorCode(code)));
    inside(play(name, says, server, NLA, told(CREDSSP, cause)))
}

/// The server says this ERRINFO before the session is active, behind Client Info.
const fn early(name: &'static str, says: &'static str, code: u32, cause: &'static str) -> Scenario {
    let server = fault(Point::ClientInfo, Act::Say(Word::ErrorInfo(code)));
    inside(play(name, says, server, CLIENT, self::server(Ending::Fin, INFO, cause)))
}

/// The server says this ERRINFO in a session that runs.
const fn active(name: &'static str, says: &'static str, code: u32, cause: &'static str) -> Scenario {
    inside(play(
        name,
        says,
        fault(Point::Active, Act::Say(Word::ErrorInfo(code))),
        STAYS,
        broken(Ending::Fin, cause, &[]),
    ))
}

const fn ends(
    name: &'static str,
    says: &'static str,
    server: ServerScript,
    client: ClientScript,
    expect: Expect,
) -> Scenario {
    inside(play(name, says, server, client, expect))
}

/// Redirected, and not to be seen here any more.
const ELSEWHERE: Expect = Expect {
    outcome: Outcome::Unfinished,
    cause: Some("RED-UNREACH"),
    blames: Some(Side::Server),
    ..told(INFO, "RED-UNREACH")
};

/// What the server says.
#[rustfmt::skip]
pub const WORDS: &[Scenario] = &[
    error_code("errorcode-password", "the password is wrong: errorCode STATUS_LOGON_FAILURE", 6, 0xc000_006d, "NLA-CRED"),
    error_code("errorcode-password-v3", "the same from a server with CredSSP 3", 3, 0xc000_006d, "NLA-CRED"),
    error_code("errorcode-password-v4", "the same from a server with CredSSP 4", 4, 0xc000_006d, "NLA-CRED"),
    error_code("errorcode-locked", "the account is locked: STATUS_ACCOUNT_LOCKED_OUT", 6, 0xc000_0234, "NLA-ACCT"),
    error_code("errorcode-expired", "the password has expired: STATUS_PASSWORD_EXPIRED", 6, 0xc000_0071, "NLA-ACCT"),
    error_code("errorcode-restricted", "an account restriction: STATUS_ACCOUNT_RESTRICTION", 6, 0xc000_006e, "NLA-RESTR"),
    error_code("errorcode-ntlm-blocked", "NTLM is not allowed: STATUS_NTLM_BLOCKED", 6, 0xc000_0418, "NLA-NTLMOFF"),
    error_code("errorcode-no-dc", "no domain controller: STATUS_NO_LOGON_SERVERS", 6, 0xc000_005e, "NLA-KDC"),
    error_code("errorcode-logon-type", "the right is missing: STATUS_LOGON_TYPE_NOT_GRANTED", 6, 0xc000_015b, "NLA-RIGHT"),
    error_code("errorcode-clock", "clocks differ: STATUS_TIME_DIFFERENCE_AT_DC", 6, 0xc000_0133, "NLA-SKEW"),
    ends("errorcode-first", "the server refuses the client's first token: SEC_E_UNSUPPORTED_FUNCTION",
        nla(Point::Negotiate, Act::Say(Word::ErrorCode(0x8009_0302))), NLA, told(CREDSSP, "NLA-NTLMOFF")),
    ends("spnego-reject", "the server rejects NTLM, without an errorCode",
        nla(Point::Negotiate, Act::Say(Word::Reject)), NLA, told(CREDSSP, "NLA-NTLMOFF")),
    ends("unauthorized", "the credentials are right, and the user may not log on",
        ServerScript { selects: Some(HYBRID_EX), ..fault(Point::Credentials, Act::Say(Word::Authorization(5))) },
        NLA_EX, told(CREDSSP, "NLA-RIGHT")),
    ends("connect-refused", "the server refuses the settings: rt-parameters-unacceptable",
        fault(Point::ConnectInitial, Act::Say(Word::ConnectRefused(8))), CLIENT, told(SETTINGS, "MCS-REJECT")),
    ends("join-refused", "the server refuses a channel: rt-no-such-channel",
        fault(Point::Join, Act::Say(Word::JoinRefused)), CLIENT, told(CHANNELS, "MCS-JOIN")),
    ends("licence-none", "there is no licence: ERR_NO_LICENSE",
        fault(Point::ClientInfo, Act::Say(Word::LicenceError(2))), CLIENT, told(LICENSING, "LIC-NOSRV")),
    ends("licence-no-server", "there is no licence server: ERR_NO_LICENSE_SERVER",
        fault(Point::ClientInfo, Act::Say(Word::LicenceError(6))), CLIENT, told(LICENSING, "LIC-NOSRV")),
    ends("licence-invalid-client", "the client's licence is bad: ERR_INVALID_CLIENT",
        fault(Point::ClientInfo, Act::Say(Word::LicenceError(8))), CLIENT, told(LICENSING, "LIC-CLIENT")),
    ends("redirect", "the server sends the client to an address that is dead",
        fault(Point::ClientInfo, Act::Say(Word::Redirect("127.0.0.99"))), CLIENT, ELSEWHERE),
    early("errinfo-denied", "the server denies the connection: ERRINFO_SERVER_DENIED_CONNECTION", 0x7, "SES-DENIED"),
    early("errinfo-privileges", "the user may not log on remotely: ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES", 0x9, "NLA-RIGHT"),
    early("errinfo-fresh", "saved credentials are not taken: ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED", 0xa, "NLA-SAVED"),
    early("errinfo-no-licence", "no licence server: ERRINFO_LICENSE_NO_LICENSE_SERVER", 0x101, "LIC-NOSRV"),
    early("errinfo-bad-licence", "the client's licence is bad: ERRINFO_LICENSE_BAD_CLIENT_LICENSE", 0x105, "LIC-CLIENT"),
    early("errinfo-pool", "the broker finds no machine: ERRINFO_CB_DESTINATION_POOL_NOT_FREE", 0x408, "BRK-CODES"),
    early("errinfo-remoteapp", "RemoteApp is not enabled: ERRINFO_REMOTEAPP_NOT_ENABLED", 0x10f3, "MCS-GFX"),
    ends("errinfo-capabilities", "the capabilities are bad: ERRINFO_BAD_CAPABILITIES",
        fault(Point::ConfirmActive, Act::Say(Word::ErrorInfo(0x10ea))), CLIENT, server(Ending::Fin, FINALIZATION, "CAP-BAD")),
    ends("errinfo-driver", "the display driver is not ready: ERRINFO_CLOSE_STACK_ON_DRIVER_NOT_READY",
        fault(Point::ConfirmActive, Act::Say(Word::ErrorInfo(0xf))), CLIENT, server(Ending::Fin, FINALIZATION, "SES-DRV")),
    active("errinfo-admin", "an administrator ends the session: ERRINFO_RPC_INITIATED_DISCONNECT", 0x1, "SES-ADMIN"),
    active("errinfo-idle", "the idle limit: ERRINFO_IDLE_TIMEOUT", 0x3, "SES-IDLE"),
    active("errinfo-limit", "the limit of active sessions: ERRINFO_LOGON_TIMEOUT", 0x4, "SES-LIMIT"),
    active("errinfo-replaced", "another connection: ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION", 0x5, "SES-REPLACED"),
    active("errinfo-memory", "out of memory: ERRINFO_OUT_OF_MEMORY", 0x6, "SES-BUSY"),
    active("errinfo-dwm", "the window manager died: ERRINFO_SERVER_DWM_CRASH", 0x10, "SES-DRV"),
    active("errinfo-reboot", "the server restarts: ERRINFO_SERVER_REBOOT", 0x1a, "SES-SHUTDOWN"),
    active("errinfo-decrypt", "decryption failed: ERRINFO_DECRYPT_FAILED", 0x1192, "SES-CRYPT"),
];

/// What it does without a word.
#[rustfmt::skip]
pub const ENDS: &[Scenario] = &[
    ends("fin-after-negotiate", "the server closes when it has the client's first token",
        nla(Point::Negotiate, Act::Fin), NLA, or(server(Ending::Fin, CREDSSP, "NLA-NTLMOFF"), &["NLA-CRED"])),
    ends("fin-after-authenticate-v5", "CredSSP 5 has no errorCode: the server closes when it has the client's proof",
        nla_of(5, Point::Authenticate, Act::Goodbye), NLA, server(Ending::Fin, CREDSSP, "NLA-CRED")),
    ends("reset-after-authenticate-v2", "the same with CredSSP 2, by RST",
        nla_of(2, Point::Authenticate, Act::Reset), NLA, server(Ending::Reset, CREDSSP, "NLA-CRED")),
    ends("silence-after-authenticate", "the server is silent when it has the client's proof",
        nla(Point::Authenticate, Act::Silence), PATIENT_NLA, silent(CREDSSP, "NLA-KDC")),
    ends("reset-after-credentials", "the server resets when it has the credentials, and the user's authorization is awaited",
        ServerScript { selects: Some(HYBRID_EX), ..fault(Point::Credentials, Act::Reset) }, NLA_EX,
        server(Ending::Reset, CREDSSP, "NLA-RIGHT")),
    ends("silence-after-connect-initial", "the server is silent when it has the settings",
        fault(Point::ConnectInitial, Act::Silence), PATIENT, silent(SETTINGS, "PATH-WINZERO")),
    ends("fin-after-join", "the server closes when it has the first channel join",
        fault(Point::Join, Act::Fin), CLIENT, server(Ending::Fin, CHANNELS, "MCS-JOIN")),
    ends("silence-after-join", "the server is silent when it has the first channel join",
        fault(Point::Join, Act::Silence), PATIENT, silent(CHANNELS, "PATH-WINZERO")),
    ends("fin-after-client-info", "the server closes when it has the Client Info",
        fault(Point::ClientInfo, Act::Fin), CLIENT, server(Ending::Fin, INFO, "INFO-CRED")),
    ends("silence-after-client-info", "the server is silent when it has the Client Info",
        fault(Point::ClientInfo, Act::Silence), PATIENT, or(silent(INFO, "SES-BUSY"), &["LIC-TIMEOUT", "PATH-WINZERO"])),
    ends("reset-after-licence", "the server resets behind the licence",
        fault(Point::Licence, Act::Reset), CLIENT, or(server(Ending::Reset, LICENSING, "SES-KILLED"), &["SES-DRV"])),
    ends("silence-after-licence", "the server is silent behind the licence",
        fault(Point::Licence, Act::Silence), PATIENT, or(silent(LICENSING, "SES-BUSY"), &["PATH-WINZERO"])),
    ends("silence-after-confirm-active", "the server is silent when it has the Confirm Active",
        fault(Point::ConfirmActive, Act::Silence), PATIENT, or(silent(FINALIZATION, "SES-DRV"), &["SES-KILLED"])),
];
