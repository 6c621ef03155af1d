//! Real peers: xfreerdp ends against a replayed server as it ended against the server, and what is recorded of that says the
//! same; a replayed client comes through a real server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::peers::{PASSWORD, Ran, Screen, Security, Server, Then, rdesktop, xfreerdp};
use crate::support::process::{self, Folder, Outcome, Process, with_peers};
use crate::support::program::{Finished, Proxy, analyze, program};

/// A running `rdpscope replay --serve`.
pub(super) struct Replay {
    pub(super) port: u16,
    process: Process,
    _folder: Folder,
}

impl Replay {
    fn serve(recording: &Path, times: usize) -> Outcome<Replay> {
        Replay::serve_with(recording, &["--times", &times.to_string()])
    }

    pub(super) fn serve_with(recording: &Path, more: &[&str]) -> Outcome<Replay> {
        let folder = Folder::new()?;
        let mut command = Command::new(program());
        command.arg("replay").arg(recording).args(["--serve", "127.0.0.1:0"]).args(more);
        let mut process = Process::start(command.stdin(Stdio::null()), folder.path())?;
        let port = process.wait_ready(|process| {
            let output = process.output();
            let (_, rest) = output.split_once("xfreerdp /v:127.0.0.1:")?;
            rest.split_once(',').and_then(|(port, _)| port.parse().ok())
        })?;
        Ok(Replay { port, process, _folder: folder })
    }

    /// What it said, and its exit code, once it has played as often as it was told.
    pub(super) fn finish(mut self) -> Outcome<(Option<i32>, String)> {
        let status = self.process.wait(Duration::from_secs(30))?;
        Ok((status.code(), self.process.output()))
    }
}

/// Stands before a server and, with its key, inside its TLS.
fn record(port: u16, server: Option<&Server>) -> Outcome<Proxy> {
    let mut command = Command::new(program());
    command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
    if let Some(server) = server {
        let shown = server.certificate();
        command.args(["--intercept", "server-key", "--cert"]).arg(shown.certificate).arg("--key").arg(shown.key);
    }
    Proxy::run(command)
}

/// What is said of the first session of an attempt, without its times.
fn verdict(finished: &Finished) -> Outcome<Value> {
    let (_, document) = analyze(&finished.recordings[..1])?;
    let session = &document["attempts"][0]["sessions"][0];
    let finding = &session["findings"][0];
    Ok(serde_json::json!([session["outcome"], finding["cause"], finding["by"], session["end"]["how"]]))
}

fn check(
    name: &str,
    code: i32,
    original: impl Fn() -> Outcome<(Proxy, Box<dyn std::any::Any>)>,
    client: impl Fn(&Screen, u16) -> Outcome<Ran>,
) {
    with_peers(name, || {
        let screen = Screen::start()?;
        let (proxy, server) = original()?;
        let ran = client(&screen, proxy.port)?;
        let recorded = proxy.finish()?;
        drop(server);
        assert_eq!(ran.code, Some(code), "recorded:\n{}\n{}", ran.output, recorded.output);
        let connections = recorded.recordings.len();
        let replay = Replay::serve(&recorded.recordings[0], connections)?;
        let between = record(replay.port, None)?;
        let again = client(&screen, between.port)?;
        let recorded_again = between.finish()?;
        let (exit, said) = replay.finish()?;
        let both = format!("replayed:\n{}\n{said}\n{}", again.output, recorded_again.output);
        assert_eq!(again.code, Some(code), "{both}");
        assert_eq!(again.showed_a_picture, ran.showed_a_picture, "{both}");
        assert_eq!(exit, Some(0), "{both}");
        assert_eq!(recorded_again.recordings.len(), connections, "{both}");
        assert_eq!(verdict(&recorded_again)?, verdict(&recorded)?, "{both}");
        Ok(())
    });
}

fn through_xrdp(name: &str, security: Security) {
    let original = || -> Outcome<(Proxy, Box<dyn std::any::Any>)> {
        let server = Server::xrdp(security)?;
        Ok((record(server.port, Some(&server))?, Box::new(server)))
    };
    check(name, 0, original, |screen, port| xfreerdp(screen, port, security, PASSWORD, Then::CloseTheWindow));
}

#[test]
fn xfreerdp_shows_the_replayed_desktop_of_xrdp_over_tls_1_2() {
    let name = "xfreerdp_shows_the_replayed_desktop_of_xrdp_over_tls_1_2";
    through_xrdp(name, Security::Tls("TLSv1.2"));
}

#[test]
fn xfreerdp_shows_the_replayed_desktop_of_xrdp_over_tls_1_3() {
    let name = "xfreerdp_shows_the_replayed_desktop_of_xrdp_over_tls_1_3";
    through_xrdp(name, Security::Tls("TLSv1.3"));
}

/// FreeRDP's own server closes without a word, and its client comes a second time.
#[test]
fn a_rejected_password_is_rejected_again() {
    let original = || -> Outcome<(Proxy, Box<dyn std::any::Any>)> {
        let server = Server::shadow(Security::Nla)?;
        Ok((record(server.port, Some(&server))?, Box::new(server)))
    };
    let client = |screen: &Screen, port| xfreerdp(screen, port, Security::Nla, "wrong", Then::CloseTheWindow);
    check("a_rejected_password_is_rejected_again", 147, original, client);
}

/// A server of the lab, as a process of its own.
fn lab(scenario: &str, code: i32) {
    let original = || -> Outcome<(Proxy, Box<dyn std::any::Any>)> {
        let folder = Folder::new()?;
        let mut command = Command::new(program());
        command.args(["lab", scenario, "--listen", "127.0.0.1:0"]).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        let port = process.wait_ready(|process| {
            let output = process.output();
            let (_, rest) = output.split_once("xfreerdp /v:127.0.0.1:")?;
            rest.split_once(' ').and_then(|(port, _)| port.parse().ok())
        })?;
        Ok((record(port, None)?, Box::new((process, folder))))
    };
    let client = |screen: &Screen, port| xfreerdp(screen, port, Security::Tls(""), PASSWORD, Then::Leave);
    check(scenario, code, original, client);
}

#[test]
fn a_reset_comes_again_at_the_same_place() {
    lab("reset-after-client-hello", 143);
    lab("reset-after-request", 147);
}

#[test]
fn an_alert_comes_again() {
    lab("alert-40", 143);
}

/// In CredSSP a server proves that it knows the password: the client does not go on, the reason is told, and so is the way
/// around it, by which it shows the desktop.
#[test]
fn why_a_client_does_not_go_on_in_credssp_is_told() {
    with_peers("why_a_client_does_not_go_on_in_credssp_is_told", || {
        let (screen, server) = (Screen::start()?, Server::shadow(Security::Nla)?);
        let proxy = record(server.port, Some(&server))?;
        xfreerdp(&screen, proxy.port, Security::Nla, PASSWORD, Then::CloseTheWindow)?;
        let recorded = proxy.finish()?;
        let replay = Replay::serve(&recorded.recordings[0], 1)?;
        xfreerdp(&screen, replay.port, Security::Nla, PASSWORD, Then::CloseTheWindow)?;
        let (exit, said) = replay.finish()?;
        assert_eq!(exit, Some(1), "{said}");
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("a server proves that it knows the password"), "{said}");
        let replay = Replay::serve_with(&recorded.recordings[0], &["--without-nla"])?;
        let ran = xfreerdp(&screen, replay.port, Security::Tls(""), "any", Then::CloseTheWindow)?;
        let (exit, said) = replay.finish()?;
        assert_eq!((exit, ran.code, ran.showed_a_picture), (Some(0), Some(0), true), "{said}\n{}", ran.output);
        Ok(())
    });
}

/// What standard RDP security seals nobody can say again: it is played up to there, and that is told.
#[test]
fn standard_rdp_security_is_played_up_to_what_it_seals() {
    with_peers("standard_rdp_security_is_played_up_to_what_it_seals", || {
        let (screen, server) = (Screen::start()?, Server::xrdp(Security::Rdp)?);
        let proxy = record(server.port, None)?;
        rdesktop(&screen, proxy.port)?;
        let recorded = proxy.finish()?;
        let replay = Replay::serve_with(&recorded.recordings[0], &["--as-fast-as-possible"])?;
        let (folder, to) = (Folder::new()?, format!("127.0.0.1:{}", replay.port));
        let mut again = Command::new(process::program("rdesktop")?);
        again.args(["-u", "na", "-p", "na", "-g", "800x600", &to]);
        again.env("DISPLAY", screen.name()).env("HOME", folder.path()).stdin(Stdio::null());
        let _waits_for_the_rest = Process::start(&mut again, folder.path())?;
        let (exit, said) = replay.finish()?;
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("it is sealed by standard RDP security"), "{said}");
        assert_eq!(exit, Some(0), "{said}");
        Ok(())
    });
}

/// A Windows server, from anybody's capture of mstsc with the secrets in it: xfreerdp is served to the capture's end, which the
/// server announces (ERRINFO_RPC_INITIATED_DISCONNECT_BY_USER, FreeRDP's exit code 11).
#[test]
fn a_windows_server_is_played_from_a_capture() {
    let Some(corpus) = crate::corpus::corpus() else { return };
    with_peers("a_windows_server_is_played_from_a_capture", || {
        let screen = Screen::start()?;
        let capture = corpus.join("awakecoding-rdp-nla-kerberos-auth1.pcapng");
        let replay = Replay::serve_with(&capture, &["--without-nla"])?;
        let ran = xfreerdp(&screen, replay.port, Security::Tls(""), "any", Then::Stay)?;
        let (_, said) = replay.finish()?;
        assert_eq!(ran.code, Some(11), "{said}\n{}", ran.output);
        Ok(())
    });
}

/// The client of a recording comes to xrdp as it came before.
#[test]
fn a_replayed_client_comes_through_xrdp() {
    with_peers("a_replayed_client_comes_through_xrdp", || {
        let security = Security::Tls("TLSv1.2, TLSv1.3");
        let (screen, server) = (Screen::start()?, Server::xrdp(security)?);
        let proxy = record(server.port, Some(&server))?;
        xfreerdp(&screen, proxy.port, security, PASSWORD, Then::Leave)?;
        let recorded = proxy.finish()?;
        let between = record(server.port, Some(&server))?;
        let recording: &PathBuf = &recorded.recordings[0];
        let to = format!("127.0.0.1:{}", between.port);
        let output = Command::new(program()).arg("replay").arg(recording).args(["--to", &to]).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let recorded_again = between.finish()?;
        assert_eq!(output.status.code(), Some(0), "{said}\n{}", recorded_again.output);
        assert!(!said.contains(PASSWORD), "{said}");
        assert_eq!(verdict(&recorded_again)?, verdict(&recorded)?, "{said}\n{}", recorded_again.output);
        Ok(())
    });
}

/// What xrdp did is played slower, up to where it is to break off; xfreerdp sees a reset there, which is nobody's departure.
#[test]
fn xfreerdp_meets_an_impaired_replay() {
    with_peers("xfreerdp_meets_an_impaired_replay", || {
        let security = Security::Tls("TLSv1.2, TLSv1.3");
        let (screen, server) = (Screen::start()?, Server::xrdp(security)?);
        let proxy = record(server.port, Some(&server))?;
        xfreerdp(&screen, proxy.port, security, PASSWORD, Then::Leave)?;
        let recorded = proxy.finish()?;
        let impaired = ["--impair", "capabilities: reset by server", "--impair", "front: latency 40ms jitter 10ms"];
        let replay = Replay::serve_with(&recorded.recordings[0], &impaired)?;
        let between = record(replay.port, None)?;
        let ran = xfreerdp(&screen, between.port, security, PASSWORD, Then::Stay)?;
        let (code, said) = replay.finish()?;
        let recorded_again = between.finish()?;
        assert_eq!(code, Some(0), "{said}\n{}", ran.output);
        assert!(said.contains("ended: RST, as asked: --impair 'capabilities: reset by server'"), "{said}");
        assert_ne!(ran.code, Some(0), "{}", ran.output);
        assert_eq!(verdict(&recorded_again)?[3], "reset", "{}", recorded_again.output);
        Ok(())
    });
}
