//! The lab's gateways, as a person uses them: the list, real clients through them to a real xrdp, and that they fail as told.

use std::process::{Command, Stdio};
use std::time::Duration;

use proxy::lab::certificate::NAME;
use proxy::lab::gateway::{ACCOUNT, GatewayReport, GatewayScenario, scenarios};
use proxy::lab::{End, Outcome as Label};
use tokio::task::JoinSet;

use crate::support::peers::{PASSWORD, Ran, Screen, Security, Server, Then, xfreerdp_with};
use crate::support::process::{Folder, Outcome, Process, with_peers};
use crate::support::program::program;
use crate::support::recorded::Recorded;

/// How many scenarios are played at a time: the silent ones must not add up.
const AT_ONCE: usize = 6;

/// A running `rdpscope lab gateway NAME`.
struct Lab {
    port: u16,
    process: Process,
    _folder: Folder,
}

impl Lab {
    fn start(name: &str, more: &[&str]) -> Outcome<Lab> {
        let folder = Folder::new()?;
        let mut command = Command::new(program());
        command.args(["lab", "gateway", name, "--listen", "127.0.0.1:0"]).args(more).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        let port = process.wait_ready(|process| {
            let output = process.output();
            // The announcement ends with the label.
            output.find("the label:")?;
            let (_, rest) = output.split_once("proxy --gateway --to 127.0.0.1:")?;
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

/// xfreerdp through a gateway to a server behind it. `way` is what stands behind `/gt:`.
fn through(screen: &Screen, gateway: u16, server: u16, way: &str, password: &str, then: Then) -> Outcome<Ran> {
    xfreerdp_with(screen, server, Security::Tls(""), PASSWORD, then, |command| {
        command.args([format!("/g:127.0.0.1:{gateway}"), format!("/gt:{way}")]);
        command.args([format!("/gu:{}", ACCOUNT.user), format!("/gp:{password}")]);
    })
}

#[test]
fn the_list_names_every_gateway() {
    let output = Command::new(program()).args(["lab", "list"]).stdin(Stdio::null()).output().expect("rdpscope runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let (_, gateways) = said.split_once("gateway: ").expect("a section of its own");
    let named = |name: &str| gateways.lines().any(|line| line.split_whitespace().next() == Some(name));
    let untold: Vec<_> = scenarios().map(|scenario| scenario.name).filter(|name| !named(name)).collect();
    assert!(output.status.success() && untold.is_empty(), "{untold:?} in {said}");
}

#[test]
fn an_unknown_gateway_gets_near_ones() {
    let output = Command::new(program()).args(["lab", "gateway", "cap"]).stdin(Stdio::null()).output();
    let output = output.expect("rdpscope runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cap-denied"), "{said}");
}

#[test]
fn the_embedded_client_plays_against_a_gateway() {
    let output = Command::new(program())
        .args(["lab", "gateway", "rap-denied", "--listen", "127.0.0.1:0", "--play"])
        .stdin(Stdio::null())
        .output()
        .expect("rdpscope runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for line in ["has the channel's creation and refuses with 0x800759da", "the client: Clean", "HTTP [401, 101]"] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
}

/// The outer TLS of both channels, and the one in the tunnel.
#[test]
fn the_key_log_opens_both_channels_and_what_is_in_them() -> Outcome<()> {
    let folder = Folder::new()?;
    let keylog = folder.path().join("keys.log");
    let output = Command::new(program())
        .args(["lab", "gateway", "healthy-http", "--listen", "127.0.0.1:0", "--play", "--keylog"])
        .arg(&keylog)
        .stdin(Stdio::null())
        .output()?;
    let log = std::fs::read_to_string(&keylog)?;
    let secrets = log.lines().filter(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")).count();
    assert_eq!(secrets, 3, "{log}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Over each transport that FreeRDP 2 has: the gateway, `/gt:`, whether it closes a window, and what the gateway says of it.
const WAYS: &[(&str, &str, Then, &str)] = &[
    ("healthy", "http", Then::Leave, "has opened the channel"),
    ("healthy", "http", Then::CloseTheWindow, "has opened the channel"),
    ("healthy", "http,no-websockets", Then::Leave, "has the RDG_IN_DATA"),
    ("healthy", "http,no-websockets", Then::CloseTheWindow, "has the RDG_IN_DATA"),
    ("healthy", "auto", Then::Leave, "has opened the channel"),
    ("healthy-no-websocket", "http", Then::CloseTheWindow, "has the RDG_IN_DATA"),
];

#[test]
fn xfreerdp_comes_through_the_gateway_to_xrdp() {
    with_peers("xfreerdp_comes_through_the_gateway_to_xrdp", || {
        let (screen, server) = (Screen::start()?, Server::xrdp(Security::Tls("TLSv1.2, TLSv1.3"))?);
        let to = format!("127.0.0.1:{}", server.port);
        for (name, way, then, did) in WAYS {
            let lab = Lab::start(name, &["--to", &to])?;
            let ran = through(&screen, lab.port, server.port, way, ACCOUNT.password, *then)?;
            let said = lab.finish()?;
            println!("{name} over {way}: {:?} after {:?}", ran.code, ran.took);
            assert_eq!(ran.code, Some(0), "{name} over {way} {then:?}: {}\n{said}", ran.output);
            assert_eq!(ran.showed_a_picture, *then == Then::CloseTheWindow, "{way}: {}", ran.output);
            assert!(said.contains(did), "{way}: no {did:?} in {said}");
        }
        Ok(())
    });
}

/// xfreerdp against gateways that fail: its exit code, as FreeRDP 2 has it, and what the gateway says that it did.
const FAILS: &[(&str, &str, i32, &str)] = &[
    ("refused", "http", 143, "held and closed"),
    ("not-let-in", "http", 155, "turns the client away with 401"),
    ("only-basic", "http", 133, "turns the client away with 401"),
    ("unauthorized-bare", "http", 133, "answers 401"),
    ("not-found", "http", 133, "answers 404"),
    ("service-unavailable-late", "http", 133, "answers 503"),
    ("cap-denied", "http", 131, "refuses with 0x800759db"),
    ("rap-denied", "http,no-websockets", 131, "refuses with 0x800759da"),
    ("target-unreachable", "http", 131, "refuses with 0x800759dd"),
    ("not-found", "auto", 133, "has the request for RPC"),
    ("rpc-not-found", "rpc", 133, "answers 404"),
];

#[test]
fn xfreerdp_fails_at_a_gateway_as_told() {
    with_peers("xfreerdp_fails_at_a_gateway_as_told", || {
        let screen = Screen::start()?;
        let mut wrong = Vec::new();
        for (name, way, code, did) in FAILS {
            let lab = Lab::start(name, &[])?;
            let ran = through(&screen, lab.port, 3389, way, ACCOUNT.password, Then::Leave)?;
            let said = lab.finish()?;
            println!("{name} over {way}: {:?} after {:?}", ran.code, ran.took);
            if ran.code != Some(*code) || !said.contains(did) {
                wrong.push(format!("{name}: {:?}\n{}\n{said}", ran.code, ran.output));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        Ok(())
    });
}

#[test]
fn xfreerdp_with_a_wrong_password_is_turned_away() {
    with_peers("xfreerdp_with_a_wrong_password_is_turned_away", || {
        let screen = Screen::start()?;
        for way in ["http", "http,no-websockets", "auto"] {
            let lab = Lab::start("healthy", &[])?;
            let ran = through(&screen, lab.port, 3389, way, "wrong", Then::Leave)?;
            let said = lab.finish()?;
            println!("{way}: {:?} after {:?}", ran.code, ran.took);
            assert_eq!(ran.code, Some(155), "{way}: {}", ran.output);
            assert!(said.contains("turns the client away with 401"), "{way}: {said}");
        }
        Ok(())
    });
}

/// What a client saw, as far as it is the same each time.
fn saw(report: &GatewayReport) -> String {
    let inner = report.inner.as_ref().map(|inner| (inner.confirmed, inner.tls));
    let GatewayReport { end, statuses, refused, closed, tls, alert, .. } = report;
    format!("{end:?} {statuses:?} {refused:x?} {closed:x?} {tls:?} {alert:?} {inner:?}")
}

/// One client directly and another one through the proxy, which knows nothing of gateways here: what is wrong.
async fn directly_and_through_the_proxy(scenario: &'static GatewayScenario) -> Option<String> {
    let gateway = scenario.serve().await.expect("serve");
    let direct = scenario.connect(gateway.addr).await;
    let proxy = Recorded::to(NAME, gateway.addr).await;
    let relayed = scenario.connect(proxy.addr).await;
    gateway.stop().await;
    let (_sessions, _folder) = proxy.finish().await;
    // The port was closed behind the proxy, not before it.
    let same = saw(&direct) == saw(&relayed) || direct.end == End::Refused && relayed.end == End::Reset;
    let connected = scenario.expect.outcome != Label::Connected
        || relayed.inner.as_ref().is_some_and(|inner| inner.received.bytes > 500_000 && inner.end == End::Clean);
    (!same || !connected).then(|| format!("{}:\n  {}\n  {}", scenario.name, saw(&direct), saw(&relayed)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_the_proxy_nothing_is_different_at_a_gateway() {
    let (mut wrong, mut running) = (Vec::new(), JoinSet::new());
    for scenario in scenarios() {
        if running.len() == AT_ONCE {
            wrong.extend(running.join_next().await.and_then(|played| played.expect("no peer panics")));
        }
        running.spawn(directly_and_through_the_proxy(scenario));
    }
    wrong.extend(running.join_all().await.into_iter().flatten());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
