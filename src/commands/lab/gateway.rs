//! `rdpscope lab gateway NAME`: the scripted RD Gateways.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use analyzer::report::text::para;
use anyhow::{Context, bail};
use proxy::lab::gateway::{
    ACCOUNT, GROUPS, Gateway, GatewayReport, GatewayScenario, Listeners, Tell, Told, Way, scenarios,
};
use proxy::tls::Trust;

use super::{keys, label, near, seen, unknown};
use crate::cli::{Lab, Target};
use crate::commands::{signals::stopped, talk};

/// Where a gateway listens: not HTTPS's own port, which may be taken and is for root.
const GATEWAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3443);

/// All scenarios of gateways, a line or two each.
pub fn list() -> String {
    let mut out = String::new();
    for group in GROUPS {
        out += &format!("{}\n", group.title);
        for scenario in group.scenarios {
            para(&mut out, &format!("  {:<29} ", scenario.name), scenario.says);
        }
        out += "\n";
    }
    out
}

/// Plays one, or says which there are.
pub async fn run(args: &Lab) -> anyhow::Result<()> {
    let name = args.scenario.as_deref().unwrap_or("healthy");
    let Some(scenario) = GatewayScenario::named(name) else {
        bail!(unknown(name, &near(name, scenarios().map(|scenario| scenario.name))))
    };
    let (listen, to) = (args.listen.unwrap_or(GATEWAY), target(args.to.as_ref()).await?);
    let secrets = args.keylog.as_deref().map(keys).transpose()?;
    let listeners = Listeners { tell: Some(teller()), outer: secrets.clone(), inner: secrets };
    let gateway = scenario.serve_on(listen, to, listeners).await;
    let gateway = gateway.with_context(|| format!("cannot listen on {listen}"))?;
    talk(&announcement(scenario, &gateway, to));
    if args.play {
        let seen = scenario.connect(gateway.addr).await;
        gateway.finished(seen.connections).await;
        talk(&report(&seen));
    } else {
        wait(&gateway, args.count).await;
    }
    gateway.stop().await;
    Ok(())
}

/// The first address of the target.
async fn target(to: Option<&Target>) -> anyhow::Result<Option<SocketAddr>> {
    let Some(to) = to else { return Ok(None) };
    let (name, port) = (to.name.as_str(), to.port_or_usual(false));
    let mut found = tokio::net::lookup_host((name, port)).await.with_context(|| format!("{name} has no address"))?;
    found.next().with_context(|| format!("{name} has no address")).map(Some)
}

/// Until so many connections are over, or Ctrl-C.
async fn wait(gateway: &Gateway, count: Option<u32>) {
    let enough = async {
        match count {
            Some(count) if gateway.listens() => gateway.finished(count as usize).await,
            Some(_) | None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = enough => {}
        () = stopped() => {}
    }
}

/// Says on standard error what the gateway does, as it does it, with the time since the connection began.
fn teller() -> Tell {
    let began: Mutex<BTreeMap<usize, Instant>> = Mutex::default();
    Tell(Arc::new(move |told: Told| {
        let Told { connection, client, deed, error } = told;
        let mut began = began.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *began.entry(connection).or_insert(deed.at);
        let after = deed.at.saturating_duration_since(first).as_secs_f64() * 1000.0;
        let why = error.map_or(String::new(), |error| format!(": {error}"));
        talk(&format!("#{connection} {client} +{after:.1} ms  {}{why}", deed.did));
    }))
}

/// What it is, where it is, and how a client gets there.
fn announcement(scenario: &GatewayScenario, gateway: &Gateway, to: Option<SocketAddr>) -> String {
    let addr = gateway.addr;
    let mut out = String::new();
    para(&mut out, &format!("gateway {}: ", scenario.name), scenario.says);
    out += &match gateway.listens() {
        true => format!("listening on {addr}"),
        false => format!("{addr} is held and closed: nothing listens"),
    };
    out += &match (to, &gateway.server) {
        (Some(to), _) => format!("; every channel leads to {to}\n\n"),
        (None, Some(server)) => format!("; every channel leads to the lab's own server on {}\n\n", server.addr),
        (None, None) => "\n\n".to_owned(),
    };
    let relay = SocketAddr::new(addr.ip(), 3390);
    let security = if to.is_none() { " /sec:tls" } else { "" };
    out += &format!("  {}{security}\n", xfreerdp(scenario, addr));
    out += &format!("  through rdpscope: rdpscope proxy --gateway --to {addr} --listen {relay}\n");
    out += &format!("                    {}{security}\n", xfreerdp(scenario, relay));
    out += &format!("  mstsc FILE.rdp with: full address:s:{}\n", scenario.client.target);
    for line in [
        &format!("gatewayhostname:s:{addr}"),
        "gatewayusagemethod:i:1",
        "gatewayprofileusagemethod:i:1",
        "gatewaycredentialssource:i:0",
    ] {
        out += &format!("                       {line}\n");
    }
    let mstsc = "mstsc lets nobody click past a gateway's certificate: it has to trust this one first.";
    para(&mut out, "  ", mstsc);
    out += &format!("  who it knows: {}, {}\n\n", ACCOUNT.user, ACCOUNT.password);
    para(&mut out, "  the label: ", &label(&scenario.expect));
    if !addr.ip().is_loopback() {
        para(&mut out, "  warning: ", "this listener is not loopback: anybody may connect to it");
    }
    out
}

/// What xfreerdp is told to do what the scenario's client does, as far as it has flags for it.
fn xfreerdp(scenario: &GatewayScenario, gateway: SocketAddr) -> String {
    let client = scenario.client;
    let way = match client.way {
        Way::WebSocket => "http",
        Way::Http => "http,no-websockets",
        Way::Rpc => "rpc",
    };
    let (gateway, by) = match client.by_proxy {
        true => ("rdp.lab.test:443".to_owned(), format!(" /proxy:http://{gateway}")),
        false => (gateway.to_string(), String::new()),
    };
    let trust = if client.denies || client.trust != Trust::Anything { "/cert:deny" } else { "/cert:ignore" };
    let who = match client.cookie {
        Some(_) => "/gat:TOKEN".to_owned(),
        None => format!("/gu:{} '/gp:{}'", client.account.user, client.account.password),
    };
    format!("xfreerdp /v:{} /g:{gateway}{by} {who} /gt:{way} {trust} /u:lab /p:x", client.target)
}

/// What the embedded client saw.
fn report(report: &GatewayReport) -> String {
    let took = report.took.as_secs_f64() * 1000.0;
    let mut out = format!("\nthe client: {:?} after {took:.1} ms, in {}", report.end, report.phase);
    let said = [
        report.tls.map(|version| format!("TLS {version}")),
        (!report.statuses.is_empty()).then(|| format!("HTTP {:?}", report.statuses)),
        report.refused.map(|code| format!("refused with {code:#010x}")),
        report.closed.map(|status| format!("closed with {status:#010x}")),
        report.alert.map(|alert| format!("alert {alert}")),
        report.objection.clone(),
        report.error.clone(),
    ];
    for line in said.into_iter().flatten() {
        out += &format!("\n  {line}");
    }
    let inner = report.inner.as_ref().map(|inner| format!("\nin the tunnel:{}", seen(inner)));
    out + &inner.unwrap_or_default()
}
