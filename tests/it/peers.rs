//! Real clients and servers: through the proxy nothing is different, and the recording is sound.

use std::path::Path;

use serde_json::Value;

use super::support::peers::{PASSWORD, Ran, Screen, Security, Server, Then, rdesktop, xfreerdp};
use super::support::process::{Outcome, with_peers};
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
