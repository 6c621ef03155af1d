//! `rdpscope demo`: the main job on this machine. An embedded server and client on loopback, real TCP and TLS, the
//! real proxy in between: one healthy session, and one whose server resets after ClientHello.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::report::{html, json, text};
use anyhow::{Context, bail};
use proxy::lab::{Scenario, certificate};
use proxy::listen::{Config, Server, Target};
use proxy::record;
use proxy::tap::{self, Limits};
use proxy::watch;
use tokio::sync::oneshot;

use super::{print, proxy::section, proxy::show, talk, write};
use crate::cli::Demo;
use proxy::named::Named;

/// What is played, and what a person should know of it.
const SCENARIOS: [(&str, &str); 2] = [
    ("healthy-tls12", "a healthy session: X.224, TLS, an RDP session in it, the client closes its window"),
    ("reset-after-client-hello", "a failing one: the server agrees on TLS and resets when it has the ClientHello"),
];

pub fn run(args: Demo) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let mut sessions = Vec::new();
    for (name, says) in SCENARIOS {
        print(&format!("\n=== {says}\n"))?;
        let session = runtime.block_on(play(name, &args.out))?;
        check(&session)?;
        sessions.push(session);
    }
    let attempts = attempt::group(sessions);
    report(&args.out, &attempts)?;
    Ok(0)
}

/// Plays one scenario through the proxy.
async fn play(name: &str, out: &Path) -> anyhow::Result<Diagnosed> {
    let Some(scenario) = Scenario::named(name) else { bail!("no scenario {name}") };
    let server = scenario.serve().await.context("cannot start the embedded server")?;
    let (feed, intake) = tap::tap(Limits::default());
    let target = Target { name: certificate::NAME.into(), port: server.addr.port() };
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config { connect_to: Some(server.addr), ..Config::new(loopback, target, feed) };
    let relay = Server::bind(config).await.context("cannot listen on loopback")?;
    let listener = relay.local_addr();
    talk(&format!("client -> rdpscope {listener} -> server {}", server.addr));
    let config = watch::Config {
        out: Some(out.to_owned()),
        section: section(),
        stored: watch::Stored::Once,
        rotate: None,
        keep: None,
        secrets: watch::Secrets::None,
        gateway: false,
        names: false,
        pulse: false,
    };
    let scribe = thread::spawn(move || watch::run(intake, config, &mut show));
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = tokio::spawn(relay.run(async move { stopped.await.unwrap_or(()) }));
    scenario.connect(listener).await;
    server.finished(1).await;
    server.stop().await;
    let _stopping = stop.send(());
    relay.await.context("the relay died")?;
    let Ok(mut summary) = scribe.join() else { bail!("the scribe died") };
    summary.sessions.pop().context("nothing was recorded")
}

/// The recording must say the same as the live session did.
fn check(live: &Diagnosed) -> anyhow::Result<()> {
    let Some(file) = &live.file else { bail!("the recording could not be written") };
    let reread = super::analyze::read(file.as_ref())?;
    let document = |session: Diagnosed| json::document(env!("CARGO_PKG_VERSION"), &attempt::group(vec![session]));
    if document(live.clone()) != document(reread) {
        bail!("the recording {file} says something else than the live session did");
    }
    print("the recording, read back, says the same\n")
}

/// The report, on the screen and as files.
fn report(out: &Path, attempts: &[Attempt]) -> anyhow::Result<()> {
    let text = text::attempts(attempts);
    print(&format!("\n=== the report\n\n{text}"))?;
    record::create_folder(out).with_context(|| format!("cannot create {}", out.named()))?;
    let json = json::document(env!("CARGO_PKG_VERSION"), attempts) + "\n";
    let page = html::page(env!("CARGO_PKG_VERSION"), attempts);
    for (name, content) in [("report.html", &page), ("report.txt", &text), ("report.json", &json)] {
        // What another run of it has left here is replaced.
        write(&out.join(name), true, content)?;
    }
    print(&format!(
        "\nwritten to {}: report.html, report.txt, report.json and the recordings (open them in Wireshark)\n",
        out.named()
    ))
}
