//! `rdpscope lab`, as a person uses it: the list, a closed port, the embedded client, and real clients that fail as told.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use proxy::lab::scenarios;

use crate::support::peers::{PASSWORD, Screen, Security, Then, xfreerdp};
use crate::support::process::{Folder, Outcome, Process, with_peers};
use crate::support::program::{Proxy, analyze, program};

fn rdpscope(args: &[&str]) -> Output {
    Command::new(program()).args(args).stdin(Stdio::null()).output().expect("rdpscope runs")
}

/// A running `rdpscope lab NAME`.
struct Lab {
    port: u16,
    process: Process,
    _folder: Folder,
}

impl Lab {
    fn start(name: &str, more: &[&str]) -> Outcome<Lab> {
        let folder = Folder::new()?;
        let mut command = Command::new(program());
        command.args(["lab", name, "--listen", "127.0.0.1:0"]).args(more).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        let port = process.wait_ready(|process| {
            let output = process.output();
            // The announcement names the address first thing, and ends with how to get there.
            let (_, rest) = output.split_once("xfreerdp /v:127.0.0.1:")?;
            rest.split_once(' ').and_then(|(port, _)| port.parse().ok())
        })?;
        Ok(Lab { port, process, _folder: folder })
    }

    /// Presses Ctrl-C: what it said by then.
    fn finish(mut self) -> Outcome<String> {
        self.process.signal("INT")?;
        let status = self.process.wait(Duration::from_secs(5))?;
        assert_eq!(status.code(), Some(0), "{}", self.process.output());
        Ok(self.process.output())
    }
}

#[test]
fn the_list_names_every_scenario() {
    let output = rdpscope(&["lab", "list"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let named = |name: &str| said.lines().any(|line| line.split_whitespace().next() == Some(name));
    let untold: Vec<_> = scenarios().map(|scenario| scenario.name).filter(|name| !named(name)).collect();
    assert!(output.status.success() && untold.is_empty(), "{untold:?} in {said}");
}

#[test]
fn an_unknown_name_gets_near_ones() {
    let output = rdpscope(&["lab", "reset-after-hello"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("reset-after-client-hello"), "{said}");
}

#[test]
fn refused_leaves_the_port_closed() -> Outcome<()> {
    let lab = Lab::start("refused", &[])?;
    let dialled = TcpStream::connect(("127.0.0.1", lab.port));
    assert_eq!(dialled.map(drop).map_err(|error| error.kind()), Err(ErrorKind::ConnectionRefused));
    assert!(lab.finish()?.contains("held and closed"));
    Ok(())
}

#[test]
fn it_ends_after_as_many_connections_as_it_was_told() -> Outcome<()> {
    let mut lab = Lab::start("fin-after-accept", &["--count", "2"])?;
    for _ in 0..2 {
        assert!(lab.process.ended()?.is_none());
        drop(TcpStream::connect(("127.0.0.1", lab.port))?);
    }
    assert_eq!(lab.process.wait(Duration::from_secs(5))?.code(), Some(0));
    Ok(())
}

#[test]
fn the_embedded_client_plays_against_it() {
    let output = rdpscope(&["lab", "alert-40", "--listen", "127.0.0.1:0", "--play"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for line in ["has the ClientHello and sends alert 40 and FIN", "the client: Eof", "alert 40"] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
}

/// Exit codes as FreeRDP 2 has them for these ends, and what the server says that it did.
const REAL: &[(&str, i32, &str)] = &[
    ("refused", 147, "held and closed"),
    ("reset-after-request", 147, "has the Connection Request and sends RST"),
    ("hybrid-required", 133, "answers with RDP_NEG_FAILURE 5"),
    ("no-certificate", 133, "answers with RDP_NEG_FAILURE 3"),
    ("reset-after-client-hello", 143, "has the ClientHello and sends RST"),
    ("alert-40", 143, "has the ClientHello and sends alert 40"),
    ("fin-mid-certificate", 143, "has sent 3000 bytes of its flight and sends FIN"),
    ("fin-after-connect-initial", 147, "has the MCS Connect Initial and sends FIN"),
    ("goodbye-after-client-info", 147, "has the Client Info and takes its leave"),
    ("reset-after-confirm-active", 147, "has the Confirm Active and sends RST"),
    ("healthy-tls12", 0, "has the Confirm Active"),
    ("healthy-legacy", 0, "has the Confirm Active"),
];

#[test]
fn xfreerdp_fails_as_told() {
    with_peers("xfreerdp_fails_as_told", || {
        let screen = Screen::start()?;
        for (name, code, did) in REAL {
            let lab = Lab::start(name, &[])?;
            let security = if name.ends_with("legacy") { Security::Rdp } else { Security::Tls("") };
            let ran = xfreerdp(&screen, lab.port, security, PASSWORD, Then::Leave)?;
            let said = lab.finish()?;
            assert_eq!(ran.code, Some(*code), "{name}: {}\n{said}", ran.output);
            assert!(said.contains(did), "{name}: no {did:?} in {said}");
        }
        Ok(())
    });
}

/// What xfreerdp is told inside of TLS, and what is to be said of it with the server's key log.
const TOLD: &[(&str, Security, &str)] = &[
    ("errorcode-first", Security::Nla, "NLA-NTLMOFF"),
    ("connect-refused", Security::Tls(""), "MCS-REJECT"),
    ("licence-no-server", Security::Tls(""), "LIC-NOSRV"),
    ("licence-invalid-client", Security::Tls(""), "LIC-CLIENT"),
    ("errinfo-denied", Security::Tls(""), "SES-DENIED"),
    ("errinfo-pool", Security::Tls(""), "BRK-CODES"),
    ("errinfo-capabilities", Security::Tls(""), "CAP-BAD"),
    ("errinfo-idle", Security::Tls(""), "SES-IDLE"),
    ("redirect", Security::Tls(""), "RED-UNREACH"),
];

#[test]
fn what_xfreerdp_is_told_is_read_with_the_key_log() {
    with_peers("what_xfreerdp_is_told_is_read_with_the_key_log", || {
        let (screen, folder) = (Screen::start()?, Folder::new()?);
        let mut wrong = Vec::new();
        for (name, security, cause) in TOLD {
            let keylog = folder.path().join(format!("{name}.log"));
            let lab = Lab::start(name, &["--keylog", &keylog.to_string_lossy()])?;
            let mut command = Command::new(program());
            command.args(["proxy", "--to", &format!("127.0.0.1:{}", lab.port)]);
            let proxy = Proxy::run(command)?;
            let then = if *name == "errinfo-idle" { Then::LoseTheScreen } else { Then::Leave };
            let ran = xfreerdp(&screen, proxy.port, *security, PASSWORD, then)?;
            let finished = proxy.finish()?;
            let said = lab.finish()?;
            let options = ["--keylog".into(), keylog.clone()];
            let (_, document) = analyze(&[&options, &finished.recordings[..1]].concat())?;
            let found = &document["attempts"][0]["sessions"][0]["findings"][0];
            println!("{name}: xfreerdp exits with {:?}; {} {}", ran.code, found["cause"], found["says"]);
            if found["cause"] != **cause {
                wrong.push(format!("{name}: {found}\n{said}\n{}", ran.output));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        Ok(())
    });
}
