//! Real clients and servers with a relay inside their TLS: the same exit codes as directly, every phase seen, and tshark opens
//! the recording with the secrets in it alone.

use std::path::Path;
use std::process::Command;

use proxy::authority;
use serde_json::Value;

use crate::support::peers::{PASSWORD, Ran, Screen, Security, Server, Then, xfreerdp};
use crate::support::process::{Folder, Outcome, Trouble, program, with_peers};
use crate::support::program::{Finished, Proxy, analyze, program as rdpscope};

/// By what the relay stands inside TLS.
#[derive(Clone, Copy, PartialEq)]
enum By {
    ServerKey,
    Ca,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Inside,
    /// It lets TLS pass, and says this.
    Outside(&'static str),
}

fn proxy(server: &Server, by: By, folder: &Folder) -> Outcome<Proxy> {
    let mut command = Command::new(rdpscope());
    let port = server.port;
    command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
    match by {
        By::ServerKey => {
            let shown = server.certificate();
            command.args(["--intercept", "server-key", "--cert"]).arg(shown.certificate).arg("--key").arg(shown.key);
        }
        By::Ca => {
            authority::create(folder.path(), true)?;
            command.args(["--intercept", "ca", "--ca"]).arg(folder.path());
        }
    }
    Proxy::run(command)
}

fn check(
    name: &str,
    by: By,
    server: impl Fn() -> Outcome<Server>,
    client: impl Fn(&Screen, u16) -> Outcome<Ran>,
    code: i32,
    stands: Stands,
) {
    with_peers(name, || {
        let (screen, folder) = (Screen::start()?, Folder::new()?);
        let server = server()?;
        let direct = client(&screen, server.port)?;
        assert_eq!(direct.code, Some(code), "directly:\n{}", direct.output);
        let proxy = proxy(&server, by, &folder)?;
        assert!(proxy.output().contains("INTERCEPTING"), "it is announced:\n{}", proxy.output());
        let port = proxy.port;
        let ran = client(&screen, port)?;
        let finished = proxy.finish()?;
        let says = format!("through the proxy:\n{}\n{}", ran.output, finished.output);
        assert_eq!((ran.code, ran.showed_a_picture), (Some(code), direct.showed_a_picture), "{says}");
        check_reports(&finished, stands, code == 0)?;
        for file in &finished.recordings {
            if stands == Stands::Inside {
                check_opens(file, &[port, server.port])?;
            }
        }
        Ok(())
    });
}

fn check_reports(finished: &Finished, stands: Stands, healthy: bool) -> Outcome<()> {
    let (_, document) = analyze(&finished.recordings)?;
    let attempts = document["attempts"].as_array().into_iter().flatten();
    let sessions: Vec<&Value> = attempts.flat_map(|attempt| attempt["sessions"].as_array()).flatten().collect();
    assert!(!sessions.is_empty(), "{document:#}");
    for session in sessions {
        let inside = session["interception"]["stands"] == true;
        let altered = session["altered_by_proxy"].to_string();
        match stands {
            Stands::Outside(says) => assert!(!inside && altered.contains(says), "{session:#}"),
            Stands::Inside => {
                assert!(inside && altered.contains("TLS ends here twice"), "{session:#}");
                let legs = session["facts"]["tls"].as_array().cloned().unwrap_or_default();
                assert_eq!(legs.len(), 2, "{session:#}");
                let opens = |tls: &Value| tls["decrypted"]["not"].as_array().is_some_and(Vec::is_empty);
                assert!(legs.iter().all(opens), "{session:#}");
                let phases = session["phases"].as_array().cloned().unwrap_or_default();
                let unseen: Vec<&Value> = phases.iter().filter(|phase| phase["basis"] != "seen").collect();
                assert!(unseen.is_empty(), "{unseen:?}");
                let has = |name: &str| phases.iter().filter(|phase| phase["phase"] == name).count();
                assert_eq!((has("tls"), has("active")), (1, usize::from(healthy)), "{phases:#?}");
            }
        }
        assert_eq!(session["outcome"], if healthy { "connected" } else { "failed" }, "{session:#}");
    }
    Ok(())
}

/// What tshark reads of RDP or CredSSP on both legs, with no secrets but those of the file.
fn check_opens(file: &Path, ports: &[u16]) -> Outcome<()> {
    let mut command = Command::new(program("tshark")?);
    command.arg("-r").arg(file).args(["-n", "-Y", "credssp || t125", "-T", "fields", "-e", "frame.interface_id"]);
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},tls"), "-d", &format!("tls.port=={port},tpkt")]);
    }
    let output = command.output()?;
    let legs = String::from_utf8_lossy(&output.stdout).into_owned();
    let on = |leg: &str| legs.lines().any(|line| line == leg);
    if on("0") && on("1") {
        return Ok(());
    }
    Err(Trouble::Failed(format!(
        "tshark opens {}: {legs:?} {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    )))
}

const TLS_1_2: Security = Security::Tls("TLSv1.2");
const TLS_1_3: Security = Security::Tls("TLSv1.3");

fn to_xrdp(name: &str, by: By, security: Security) {
    let client = |screen: &Screen, port| xfreerdp(screen, port, security, PASSWORD, Then::CloseTheWindow);
    check(name, by, || Server::xrdp(security), client, 0, Stands::Inside);
}

fn to_shadow(name: &str, by: By, password: &str, code: i32, stands: Stands) {
    let client = |screen: &Screen, port| xfreerdp(screen, port, Security::Nla, password, Then::CloseTheWindow);
    check(name, by, || Server::shadow(Security::Nla), client, code, stands);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_2_by_the_servers_key() {
    to_xrdp("xfreerdp_to_xrdp_over_tls_1_2_by_the_servers_key", By::ServerKey, TLS_1_2);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_3_by_the_servers_key() {
    to_xrdp("xfreerdp_to_xrdp_over_tls_1_3_by_the_servers_key", By::ServerKey, TLS_1_3);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_2_by_an_authority() {
    to_xrdp("xfreerdp_to_xrdp_over_tls_1_2_by_an_authority", By::Ca, TLS_1_2);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_3_by_an_authority() {
    to_xrdp("xfreerdp_to_xrdp_over_tls_1_3_by_an_authority", By::Ca, TLS_1_3);
}

#[test]
fn xfreerdp_to_shadow_with_nla_by_the_servers_key() {
    to_shadow("xfreerdp_to_shadow_with_nla_by_the_servers_key", By::ServerKey, PASSWORD, 0, Stands::Inside);
}

#[test]
fn xfreerdp_to_shadow_with_nla_and_a_wrong_password_by_the_servers_key() {
    let name = "xfreerdp_to_shadow_with_nla_and_a_wrong_password_by_the_servers_key";
    to_shadow(name, By::ServerKey, "wrong", 147, Stands::Inside);
}

/// NLA binds to the server's key: an authority leaves it alone.
#[test]
fn xfreerdp_to_shadow_with_nla_by_an_authority() {
    let stands = Stands::Outside("HYBRID was selected");
    to_shadow("xfreerdp_to_shadow_with_nla_by_an_authority", By::Ca, PASSWORD, 0, stands);
}

/// A server of suites that this program's own TLS does not have.
#[test]
fn xfreerdp_to_xrdp_with_suites_of_its_own() {
    let client = |screen: &Screen, port| xfreerdp(screen, port, TLS_1_2, PASSWORD, Then::CloseTheWindow);
    let make = crate::support::peers::Certificate::make;
    let server = || Server::xrdp_with(TLS_1_2, make, "tls_ciphers=AES256-SHA");
    let stands = Stands::Outside("which says nothing of the server");
    check("xfreerdp_to_xrdp_with_suites_of_its_own", By::ServerKey, server, client, 0, stands);
}
