//! Real clients and servers: through the proxy nothing is different, and the recording is sound.

use std::path::Path;

use serde_json::Value;

use super::support::peers::{
    Certificate, PASSWORD, Ran, Screen, Security, Server, Then, rdesktop, rdesktop_fails, xfreerdp, xfreerdp_with,
};
use super::support::process::{Folder, Outcome, with_peers};
use super::support::program::{Finished, Proxy, analyze};
use super::support::recording::{self, Leg};

/// How the attempt ends, directly and through the proxy alike.
enum Expect {
    /// The client gets its picture and leaves; this is its exit code. Exactly one connection, nothing found.
    Healthy { code: i32 },
    /// The client's own sequence ends well without a picture (`+auth-only`).
    HealthyWithoutPicture,
    /// The client never gets there; this many connections in the try.
    Fails { code: i32, connections: usize },
}

/// Runs the client directly and through the proxy against one server and compares.
fn check(
    name: &str,
    server: impl Fn() -> Outcome<Server>,
    client: impl Fn(&Screen, u16) -> Outcome<Ran>,
    expect: Expect,
) {
    with_peers(name, || {
        let screen = Screen::start()?;
        // A server of its own for each way: weston 10 sometimes dies when its first client leaves, with no proxy near.
        let first = server()?;
        check_client(&client(&screen, first.port)?, &expect, "directly");
        drop(first);
        let server = server()?;
        let proxy = Proxy::before(server.port)?;
        let port = proxy.port;
        check_client(&client(&screen, port)?, &expect, "through the proxy");
        let finished = proxy.finish()?;
        assert_eq!(finished.code, Some(0), "the proxy's own exit code after Ctrl-C:\n{}", finished.output);
        for file in &finished.recordings {
            check_recording(file, &[port, server.port])?;
        }
        check_verdict(&finished, &expect)
    });
}

fn check_client(ran: &Ran, expect: &Expect, way: &str) {
    let (code, picture) = match expect {
        Expect::Healthy { code } => (*code, true),
        Expect::HealthyWithoutPicture => (0, false),
        Expect::Fails { code, .. } => (*code, false),
    };
    println!("{way}: exit code {:?} after {:?}", ran.code, ran.took);
    assert_eq!(ran.code, Some(code), "{way}:\n{}", ran.output);
    assert_eq!(ran.showed_a_picture, picture, "{way}:\n{}", ran.output);
}

/// tshark has nothing to complain about, and each side got exactly what the other sent.
fn check_recording(file: &Path, ports: &[u16]) -> Outcome<()> {
    let read = recording::read(file, ports)?;
    assert!(read.complaints.is_empty(), "{}:\n{}", file.display(), read.complaints.join("\n"));
    for by_client in [true, false] {
        let (front, back) = (read.bytes(Leg::Front, by_client), read.bytes(Leg::Back, by_client));
        println!("{} packets; from the {}: {front}, {back}", read.packets, if by_client { "client" } else { "server" });
        assert!(front > 0, "{} holds nothing, by client: {by_client}", file.display());
        // xfreerdp closes its socket whatever is still on its way, a picture or close_notify, and answers it with an
        // RST, directly and here: what the server said after that nobody can deliver.
        let cut_short = read.client_reset && !by_client && front <= back;
        assert!(front == back || cut_short, "{}: {front} and {back}, by client: {by_client}", file.display());
    }
    Ok(())
}

fn check_verdict(finished: &Finished, expect: &Expect) -> Outcome<()> {
    let (code, document) = analyze(&finished.recordings)?;
    let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
    assert!(!attempts.is_empty(), "no attempt in {document:#}");
    match expect {
        Expect::Healthy { .. } | Expect::HealthyWithoutPicture => {
            assert_eq!(finished.recordings.len(), 1, "{:?}", finished.recordings);
            assert_eq!(code, Some(0), "{document:#}");
            assert!(attempts.iter().all(|attempt| attempt["outcome"] == "connected"), "{document:#}");
            assert!(attempts.iter().flat_map(findings).next().is_none(), "{document:#}");
        }
        Expect::Fails { connections, .. } => {
            assert_eq!(finished.recordings.len(), *connections, "{:?}", finished.recordings);
            assert_eq!(code, Some(1), "{document:#}");
            assert!(attempts.iter().all(|attempt| attempt["outcome"] == "failed"), "{document:#}");
            assert!(attempts.iter().all(|attempt| findings(attempt).next().is_some()), "{document:#}");
        }
    }
    Ok(())
}

fn findings(attempt: &Value) -> impl Iterator<Item = &Value> {
    let sessions = attempt["sessions"].as_array().into_iter().flatten();
    sessions.flat_map(|session| session["findings"].as_array().into_iter().flatten())
}

const TLS_1_2: Security = Security::Tls("TLSv1.2");
const TLS_1_3: Security = Security::Tls("TLSv1.3");
const PICTURE: Expect = Expect::Healthy { code: 0 };

#[test]
fn xfreerdp_to_xrdp_over_tls_1_2() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_2, PASSWORD, Then::CloseTheWindow);
    check("xfreerdp_to_xrdp_over_tls_1_2", || Server::xrdp(TLS_1_2), client, PICTURE);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_3() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_3, PASSWORD, Then::CloseTheWindow);
    check("xfreerdp_to_xrdp_over_tls_1_3", || Server::xrdp(TLS_1_3), client, PICTURE);
}

#[test]
fn xfreerdp_auth_only_to_xrdp() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_3, PASSWORD, Then::Leave);
    check("xfreerdp_auth_only_to_xrdp", || Server::xrdp(TLS_1_3), client, Expect::HealthyWithoutPicture);
}

#[test]
fn xfreerdp_to_freerdp_shadow_with_nla() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, Security::Nla, PASSWORD, Then::CloseTheWindow);
    check("xfreerdp_to_freerdp_shadow_with_nla", || Server::shadow(Security::Nla), client, PICTURE);
}

/// The server closes without a word, and FreeRDP 2 tries a second time by itself.
#[test]
fn xfreerdp_to_freerdp_shadow_with_nla_and_a_wrong_password() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, Security::Nla, "wrong", Then::CloseTheWindow);
    let name = "xfreerdp_to_freerdp_shadow_with_nla_and_a_wrong_password";
    check(name, || Server::shadow(Security::Nla), client, Expect::Fails { code: 147, connections: 2 });
}

#[test]
fn xfreerdp_to_weston() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_3, PASSWORD, Then::CloseTheWindow);
    check("xfreerdp_to_weston", Server::weston, client, PICTURE);
}

/// Standard RDP Security with 128-bit RC4. rdesktop has no orderly end: 1 is its exit code without a screen.
#[test]
fn rdesktop_to_xrdp_with_legacy_security() {
    check(
        "rdesktop_to_xrdp_with_legacy_security",
        || Server::xrdp(Security::Rdp),
        rdesktop,
        Expect::Healthy { code: 1 },
    );
}

/// A client through the proxy against an xrdp that it cannot agree with: what is said first, by whom, and never that this is no
/// RDP.
fn check_cause(
    name: &str,
    server: impl Fn() -> Outcome<Server>,
    client: impl Fn(&Screen, u16) -> Outcome<Ran>,
    cause: &str,
) {
    with_peers(name, || {
        let screen = Screen::start()?;
        let server = server()?;
        let proxy = Proxy::before(server.port)?;
        let ran = client(&screen, proxy.port)?;
        assert!(!ran.showed_a_picture, "{}", ran.output);
        let finished = proxy.finish()?;
        let (code, document) = analyze(&finished.recordings)?;
        assert_eq!(code, Some(1), "{document:#}");
        let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
        let found: Vec<(&str, &str)> = attempts
            .iter()
            .flat_map(findings)
            .filter_map(|finding| Some((finding["cause"].as_str()?, finding["by"].as_str()?)))
            .collect();
        println!("{found:?}\n{}", ran.output);
        assert_eq!(found.first(), Some(&(cause, "server")), "{document:#}");
        assert!(found.iter().all(|(cause, _)| *cause != "TCP-NOTRDP"), "{document:#}");
        Ok(())
    });
}

/// The certificate of one key with another key.
fn mismatched(folder: &Folder) -> Outcome<Certificate> {
    let other = Folder::new()?;
    let (made, foreign) = (Certificate::make(folder)?, Certificate::make(&other)?);
    std::fs::copy(foreign.key, &made.key)?;
    Ok(made)
}

/// A key that nobody can read.
fn unreadable(folder: &Folder) -> Outcome<Certificate> {
    let made = Certificate::make(folder)?;
    std::fs::write(&made.key, "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n")?;
    Ok(made)
}

#[test]
fn xfreerdp_to_xrdp_whose_key_does_not_belong_to_its_certificate() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_2, PASSWORD, Then::Leave);
    let name = "xfreerdp_to_xrdp_whose_key_does_not_belong_to_its_certificate";
    check_cause(name, || Server::xrdp_with(TLS_1_2, mismatched, ""), client, "TLS-NOKEY");
}

#[test]
fn rdesktop_to_xrdp_whose_key_does_not_belong_to_its_certificate() {
    let name = "rdesktop_to_xrdp_whose_key_does_not_belong_to_its_certificate";
    check_cause(name, || Server::xrdp_with(TLS_1_2, mismatched, ""), rdesktop_fails, "TLS-NOKEY");
}

#[test]
fn xfreerdp_to_xrdp_whose_key_cannot_be_read() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_2, PASSWORD, Then::Leave);
    check_cause(
        "xfreerdp_to_xrdp_whose_key_cannot_be_read",
        || Server::xrdp_with(TLS_1_2, unreadable, ""),
        client,
        "TLS-NOKEY",
    );
}

#[test]
fn xfreerdp_to_xrdp_of_an_old_version() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_2, PASSWORD, Then::Leave);
    let server = || Server::xrdp(Security::Tls("TLSv1.1"));
    check_cause("xfreerdp_to_xrdp_of_an_old_version", server, client, "TLS-VER");
}

/// xrdp chooses TLS 1.1, for which no suite of the client's is.
#[test]
fn xfreerdp_to_xrdp_without_a_common_version() {
    let client = |screen: &Screen, port| {
        xfreerdp_with(screen, port, TLS_1_2, PASSWORD, Then::Leave, |command| {
            _ = command.arg("/tls-ciphers:AES256-GCM-SHA384");
        })
    };
    check_cause(
        "xfreerdp_to_xrdp_without_a_common_version",
        || Server::xrdp(Security::Tls("TLSv1.1")),
        client,
        "TLS-VER",
    );
}

#[test]
fn rdesktop_to_xrdp_of_an_old_version() {
    check_cause(
        "rdesktop_to_xrdp_of_an_old_version",
        || Server::xrdp(Security::Tls("TLSv1.1")),
        rdesktop_fails,
        "TLS-VER",
    );
}

#[test]
fn xfreerdp_to_xrdp_without_a_common_suite() {
    let client = |screen: &Screen, port| {
        xfreerdp_with(screen, port, TLS_1_2, PASSWORD, Then::Leave, |command| {
            _ = command.arg("/tls-ciphers:AES256-GCM-SHA384");
        })
    };
    let server = || Server::xrdp_with(TLS_1_2, Certificate::make, "tls_ciphers=AES128-SHA256");
    check_cause("xfreerdp_to_xrdp_without_a_common_suite", server, client, "TLS-CIPHER");
}
