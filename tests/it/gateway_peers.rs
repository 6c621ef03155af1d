//! A real client through the proxy and a gateway of the lab to a real xrdp: each transport that FreeRDP 2 has, with and without
//! keys. The exit code is that of a direct connection, live and the recordings say the same, and tshark opens them.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use analyzer::attempt::group;
use analyzer::reading;
use analyzer::report::json;
use proxy::authority;
use proxy::lab::gateway::{ACCOUNT, Gateway, GatewayScenario, Listeners};
use proxy::listen::Target;
use proxy::watch::{Secrets, Stored};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::live_keys::logger;
use crate::support::peers::{Certificate, PASSWORD, Ran, Screen, Security, Server, Then, xfreerdp_with};
use crate::support::process::{Folder, Outcome, Process, Trouble, free_port, program, with_peers};
use crate::support::program::{Finished, Proxy, analyze, program as rdpscope};
use crate::support::recorded::Recorded;
use crate::support::recording;

/// Phases of the way through the gateway.
const OUTER: &[&str] = &[
    "tcp",
    "gateway-tls",
    "gateway-http",
    "gateway-auth",
    "gateway-tunnel",
    "gateway-authorization",
    "gateway-channel",
];

/// Phases of the session in the tunnel.
const INNER: &[&str] = &[
    "negotiation",
    "tls",
    "basic-settings",
    "channel-connection",
    "secure-settings",
    "licensing",
    "capabilities",
    "finalization",
    "active",
];

/// By what the proxy sees more than sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Nothing,
    KeyLog,
    ServerKey,
    ServerKeyAndKeyLog,
    Ca,
}

const ALL: [By; 5] = [By::Nothing, By::KeyLog, By::ServerKey, By::ServerKeyAndKeyLog, By::Ca];

impl By {
    /// Whether the key log of the client is followed.
    fn follows(self) -> bool {
        match self {
            By::KeyLog | By::ServerKeyAndKeyLog => true,
            By::Nothing | By::ServerKey | By::Ca => false,
        }
    }

    /// Phases that are seen.
    fn seen(self) -> &'static [&'static [&'static str]] {
        match self {
            By::Nothing => &[&["tcp"]],
            By::KeyLog | By::ServerKeyAndKeyLog => &[OUTER, INNER],
            By::ServerKey | By::Ca => &[OUTER, &["negotiation"]],
        }
    }
}

/// A gateway of the lab before a server, and what clients of it need.
struct Lab {
    gateway: Gateway,
    shown: Certificate,
    screen: Screen,
    server: Server,
    library: PathBuf,
    folder: Folder,
    runtime: Runtime,
}

impl Lab {
    fn start(name: &str) -> Outcome<Lab> {
        let (screen, folder) = (Screen::start()?, Folder::new()?);
        let server = Server::xrdp(Security::Tls("TLSv1.2, TLSv1.3"))?;
        let runtime = Runtime::new()?;
        let scenario = GatewayScenario::named(name).expect("a scenario");
        let (anywhere, to) = ((Ipv4Addr::LOCALHOST, 0).into(), (Ipv4Addr::LOCALHOST, server.port).into());
        let gateway = runtime.block_on(scenario.serve_on(anywhere, Some(to), Listeners::default()))?;
        let shown = Certificate::written(&folder, gateway.identity.as_ref().expect("it listens"))?;
        Ok(Lab { gateway, shown, screen, server, library: logger(&folder)?, folder, runtime })
    }

    /// xfreerdp by this gateway, or whatever stands in its place.
    fn client(&self, gateway: u16, way: &str, password: &str, then: Then, log: &Path) -> Outcome<Ran> {
        xfreerdp_with(&self.screen, self.server.port, Security::Tls(""), PASSWORD, then, |command| {
            command.args([format!("/g:127.0.0.1:{gateway}"), format!("/gt:{way}")]);
            command.args([format!("/gu:{}", ACCOUNT.user), format!("/gp:{password}")]);
            command.env("LD_PRELOAD", &self.library).env("KEYLOG", log);
        })
    }

    fn proxy(&self, by: By, log: &Path) -> Outcome<Proxy> {
        let (mut command, port) = (Command::new(rdpscope()), self.gateway.addr.port());
        command.args(["proxy", "--gateway", "--to", &format!("localhost:{port}")]);
        command.args(["--connect-to", &format!("127.0.0.1:{port}")]);
        if by.follows() {
            command.args(["--record", "both", "--keylog"]).arg(log);
        }
        match by {
            By::Nothing | By::KeyLog => {}
            By::ServerKey | By::ServerKeyAndKeyLog => {
                command.args(["--intercept", "server-key", "--cert"]).arg(&self.shown.certificate);
                command.arg("--key").arg(&self.shown.key);
            }
            By::Ca => {
                authority::create(self.folder.path(), true)?;
                command.args(["--intercept", "ca", "--ca"]).arg(self.folder.path());
            }
        }
        Proxy::run(command)
    }
}

/// What is to be said of a client's way.
struct Expected {
    outcome: &'static str,
    cause: Option<&'static str>,
    phases: &'static [&'static [&'static str]],
}

/// Runs the client directly and through the proxy: the same exit code, and what is said is this.
fn check(name: &str, lab: &str, way: &str, password: &str, then: Then, expected: impl Fn(By) -> Option<Expected>) {
    with_peers(name, || {
        let lab = Lab::start(lab)?;
        let direct = lab.client(lab.gateway.addr.port(), way, password, then, &lab.folder.path().join("none"))?;
        for by in ALL {
            let Some(expected) = expected(by) else { continue };
            let log = lab.folder.path().join(format!("{by:?}"));
            let proxy = lab.proxy(by, &log)?;
            let front = proxy.port;
            let ran = lab.client(front, way, password, then, &log)?;
            let finished = proxy.finish()?;
            println!("==== {way} {by:?}: {:?} after {:?}\n{}", ran.code, ran.took, finished.output);
            let says = format!("{way} {by:?}:\n{}\n{}", ran.output, finished.output);
            assert_eq!((ran.code, ran.showed_a_picture), (direct.code, direct.showed_a_picture), "{says}");
            assert_eq!(finished.code, Some(0), "{says}");
            check_said(&finished, by, &expected)?;
            for file in &finished.recordings {
                check_opens(file, by, &[front, lab.gateway.addr.port()])?;
            }
        }
        Ok(())
    });
}

fn sessions(document: &Value) -> Vec<&Value> {
    let attempts = document["attempts"].as_array().into_iter().flatten();
    attempts.flat_map(|attempt| attempt["sessions"].as_array()).flatten().collect()
}

/// What was said live is what is said of the recordings, and it is what was to be said.
fn check_said(finished: &Finished, by: By, expected: &Expected) -> Outcome<()> {
    let (_, document) = analyze(&finished.recordings)?;
    let all = sessions(&document);
    assert!(!all.is_empty(), "{document:#}");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = squeezed(&finished.output);
    for session in &all {
        let verdict = squeezed(session["verdict"].as_str().unwrap_or_default());
        assert!(said.contains(&verdict), "{by:?}: live does not say: {verdict}\n{}", finished.output);
    }
    let last = all.last().expect("a session");
    let causes: Vec<&str> =
        last["findings"].as_array().into_iter().flatten().filter_map(|f| f["cause"].as_str()).collect();
    assert_eq!(last["outcome"], expected.outcome, "{by:?}: {last:#}");
    assert_eq!(causes.first().copied(), expected.cause, "{by:?}: {last:#}");
    let told = last["phases"].as_array().cloned().unwrap_or_default();
    for name in expected.phases.iter().copied().flatten() {
        let phase = told.iter().find(|phase| phase["phase"] == *name);
        let phase = phase.ok_or_else(|| Trouble::Failed(format!("{by:?}: no {name} in {told:#?}")))?;
        assert_eq!(phase["basis"], "seen", "{by:?}, {name}: {phase:#}");
        let is_live = |line: &&str| line.contains(&format!(" {name} ")) && !line.contains("inferred");
        assert!(finished.output.lines().any(|line| is_live(&line)), "{by:?}, {name} is not live:\n{}", finished.output);
    }
    Ok(())
}

/// Records of TLS with the gateway that were opened, and those that were not.
fn records(document: &Value) -> (u64, u64) {
    let connections = |session: &&Value| session["gateway"]["connections"].as_array().cloned().unwrap_or_default();
    let all: Vec<Value> = sessions(document).iter().flat_map(connections).collect();
    let (mut opened, mut sealed) = (0, 0);
    for tls in all.iter().flat_map(|connection| connection["tls"].as_array()).flatten() {
        let count = |of: &Value| of["client"].as_u64().unwrap_or(0) + of["server"].as_u64().unwrap_or(0);
        opened += count(&tls["decrypted"]["records"]);
        sealed += tls["decrypted"]["not"].as_array().into_iter().flatten().map(count).sum::<u64>();
    }
    (opened, sealed)
}

/// tshark has nothing to say against it, and opens, with what stands in the file, as much as is opened here.
fn check_opens(file: &Path, by: By, ports: &[u16]) -> Outcome<()> {
    let read = recording::read_https(file, ports)?;
    assert!(read.packets > 10 && read.complaints.is_empty(), "{by:?}: {:?}", read.complaints);
    if by == By::Nothing {
        return Ok(());
    }
    let (_, document) = analyze(&[file.to_owned()])?;
    let (opened, sealed) = records(&document);
    let folder = Folder::new()?;
    let debug = folder.path().join("debug");
    let mut command = Command::new(program("tshark")?);
    command.arg("-r").arg(file).args(["-n", "-o", &format!("tls.debug_file:{}", debug.display())]);
    command.args(ports.iter().flat_map(|port| ["-d".into(), format!("tcp.port=={port},tls")]));
    // tshark 4.0 does not know the method RDG_OUT_DATA: what it was answered is HTTP to it.
    command.args(["-Y", "http", "-T", "fields", "-e", "http.response.code"]);
    let ran = command.env_remove("SSLKEYLOGFILE").stdin(Stdio::null()).output()?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let answers = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(answers.lines().any(|answer| answer == "401"), "{by:?}: {answers}");
    let debug = fs::read(debug)?;
    let lines = debug.split(|byte| *byte == b'\n').map(String::from_utf8_lossy);
    let by_tshark = lines.filter(|line| line.contains("auth_tag(OK)") || line.contains("mac ok")).count() as u64;
    println!("{}: {opened} records opened, {sealed} not; tshark {by_tshark}", file.display());
    assert_eq!((opened, sealed), (by_tshark, 0), "{by:?}");
    Ok(())
}

fn connected(name: &str, way: &str) {
    let expected = |by: By| Some(Expected { outcome: "connected", cause: None, phases: by.seen() });
    check(name, "healthy", way, ACCOUNT.password, Then::CloseTheWindow, expected);
}

#[test]
fn xfreerdp_over_a_websocket_to_xrdp() {
    connected("xfreerdp_over_a_websocket_to_xrdp", "http");
}

#[test]
fn xfreerdp_over_two_channels_to_xrdp() {
    connected("xfreerdp_over_two_channels_to_xrdp", "http,no-websockets");
}

#[test]
fn xfreerdp_over_whatever_there_is_to_xrdp() {
    connected("xfreerdp_over_whatever_there_is_to_xrdp", "auto");
}

#[test]
fn xfreerdp_with_a_wrong_password_for_the_gateway() {
    let expected = |by| {
        let phases: &[&[&str]] = &[&["gateway-tls", "gateway-http", "gateway-auth"]];
        (by != By::Nothing).then_some(Expected { outcome: "failed", cause: Some("RDG-401"), phases })
    };
    let name = "xfreerdp_with_a_wrong_password_for_the_gateway";
    check(name, "healthy", "http", "wrong", Then::Leave, expected);
}

#[test]
fn xfreerdp_to_a_computer_that_the_gateway_does_not_allow() {
    let name = "xfreerdp_to_a_computer_that_the_gateway_does_not_allow";
    let expected =
        |by| (by != By::Nothing).then_some(Expected { outcome: "failed", cause: Some("RDG-RAP"), phases: &[OUTER] });
    for way in ["http", "http,no-websockets"] {
        check(name, "rap-denied", way, ACCOUNT.password, Then::Leave, expected);
    }
}

/// Everything that is known of the sessions, word by word.
#[test]
fn what_is_said_live_is_what_is_read_later() {
    with_peers("what_is_said_live_is_what_is_read_later", || {
        let lab = Lab::start("healthy")?;
        for (way, follows) in [("http", true), ("http,no-websockets", true), ("http,no-websockets", false)] {
            let log = lab.folder.path().join(format!("{way}-{follows}"));
            let secrets = if follows { Secrets::followed(&log) } else { Secrets::None };
            let stored = if follows { Stored::Both } else { Stored::Once };
            let target = Target { name: "localhost".into(), port: lab.gateway.addr.port() };
            let change = |config: &mut proxy::listen::Config| {
                (config.gateway, config.connect_to) = (true, Some(lab.gateway.addr));
            };
            let proxy = lab.runtime.block_on(Recorded::opened(target, change, stored, secrets));
            let ran = lab.client(proxy.addr.port(), way, ACCOUNT.password, Then::CloseTheWindow, &log)?;
            assert_eq!(ran.code, Some(0), "{way}: {}", ran.output);
            let (live, folder) = lab.runtime.block_on(proxy.finish());
            let mut read = Vec::new();
            for entry in fs::read_dir(&folder.0)? {
                let path = entry?.path();
                let keys = Arc::new(reading::secrets(File::open(&path)?).expect("a recording"));
                let name = path.display().to_string();
                let keep = &mut |session| read.push(session);
                reading::read_with(File::open(&path)?, Some(&name), &keys, keep).expect("a recording");
            }
            let document = |sessions| json::document("test", &group(sessions));
            assert_eq!((live.len(), read.len()), (1, 1), "{way}");
            assert!(document(live) == document(read), "{way}, {follows}: live and the recording differ");
        }
        Ok(())
    });
}

/// Debian's nginx before the gateway, as its own manual has it: it keeps no connection to the gateway for a client, and NTLM,
/// which authenticates a connection, comes to nothing with the right password.
#[test]
fn xfreerdp_through_nginx_that_breaks_ntlm() {
    with_peers("xfreerdp_through_nginx_that_breaks_ntlm", || {
        let (nginx, port, lab) = (program("nginx")?, free_port()?, Lab::start("healthy")?);
        let config = format!(
            "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr; events {{}}\n\
             http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n\
             location / {{ proxy_pass https://127.0.0.1:{gateway}; proxy_http_version 1.1; }} }} }}\n",
            folder = lab.folder.path().display(),
            certificate = lab.shown.certificate.display(),
            key = lab.shown.key.display(),
            gateway = lab.gateway.addr.port(),
        );
        let config = lab.folder.write("nginx.conf", &config)?;
        let mut nginx = Process::start(Command::new(nginx).arg("-c").arg(&config), lab.folder.path())?;
        nginx.wait_listening(port)?;
        let mut command = Command::new(rdpscope());
        command.args(["proxy", "--gateway", "--to", &format!("localhost:{port}")]);
        command.args(["--connect-to", &format!("127.0.0.1:{port}"), "--intercept", "server-key", "--cert"]);
        command.arg(&lab.shown.certificate).arg("--key").arg(&lab.shown.key);
        let proxy = Proxy::run(command)?;
        let log = lab.folder.path().join("log");
        let ran = lab.client(proxy.port, "http", ACCOUNT.password, Then::Leave, &log)?;
        let finished = proxy.finish()?;
        let says = format!("{}\n{}", ran.output, finished.output);
        assert_ne!(ran.code, Some(0), "{says}");
        let (_, document) = analyze(&finished.recordings)?;
        let all = sessions(&document);
        let finding = &all.last().expect("a session")["findings"][0];
        assert_eq!((&finding["cause"], &finding["by"]), (&"RDG-TRANSPORT".into(), &"middlebox".into()), "{says}");
        assert_ne!(finding["confidence"], "certain", "{finding:#}");
        assert!(finding["evidence"].to_string().contains("Server: nginx"), "{finding:#}");
        Ok(())
    });
}
