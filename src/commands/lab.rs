//! `rdpscope lab`: the scripted servers and gateways, each of which fails in one way, for any client to try.

mod gateway;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use analyzer::report::text::para;
use anyhow::{Context, bail};
use proxy::lab::dns::Resolver;
use proxy::lab::wire::protocol::{HYBRID, SSL};
use proxy::lab::{ClientReport, Expect, GROUPS, Scenario, Server, Stays, Tell, Told, scenarios};
use proxy::tls::{Ciphers, Keys, Trust, Versions};
use proxy::whole;

use super::{print, signals::stopped, talk};
use crate::cli::Lab;
use proxy::named::Named;

/// Where a scenario's server listens: not RDP's own port, which may be taken.
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3399);

/// What stands before the name of a gateway's scenario.
const GATEWAY: &str = "gateway";

/// The resolver, which is no scenario: it stands beside the server.
const SLOW_DNS: &str = "slow-dns";

/// Where it listens: resolv.conf knows no port but 53, and 127.0.0.53 may be taken.
const RESOLVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77)), 53);

pub fn run(args: Lab) -> anyhow::Result<u8> {
    if args.name == "list" {
        print(&list())?;
        return Ok(0);
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    if args.name == SLOW_DNS {
        runtime.block_on(resolve(&args))?;
        return Ok(0);
    }
    if args.name == GATEWAY {
        runtime.block_on(gateway::run(&args))?;
        return Ok(0);
    }
    let Some(scenario) = Scenario::named(&args.name) else {
        bail!(unknown(&args.name, &near(&args.name, scenarios().map(|scenario| scenario.name))))
    };
    runtime.block_on(serve(scenario, &args))?;
    Ok(0)
}

/// All scenarios, a line or two each.
fn list() -> String {
    let mut out = String::new();
    for group in GROUPS {
        out += &format!("{}\n", group.title);
        for scenario in group.scenarios {
            para(&mut out, &format!("  {:<29} ", scenario.name), scenario.says);
        }
        out += "\n";
    }
    out += "name resolution\n";
    para(&mut out, &format!("  {SLOW_DNS:<29} "), "a resolver that answers late: every name is at 127.0.0.1");
    out += "\nrdpscope lab NAME plays the server of one, for any client to try.\n\n";
    out += &gateway::list();
    out + "rdpscope lab gateway NAME plays an RD Gateway, before a server of the lab's own or --to another.\n"
}

/// What is said of a name that is none.
fn unknown(name: &str, near: &[&str]) -> String {
    let meant = if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
    format!("no scenario is called {name}{meant}; rdpscope lab list names them all")
}

/// The scenarios that have most words of the name, or words that begin like them. No more than five.
fn near(name: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let words: Vec<String> = name.to_lowercase().split(['-', '_', ' ']).map(str::to_owned).collect();
    let alike = |word: &str, part: &str| {
        let same = word.chars().zip(part.chars()).take_while(|(one, other)| one == other).count();
        same >= 3 || same == part.len()
    };
    let score = |candidate: &str| {
        let parts: Vec<&str> = candidate.split('-').collect();
        words.iter().filter(|word| parts.iter().any(|part| alike(word, part))).count()
    };
    let scores: Vec<_> = names.map(|name| (score(name), name)).collect();
    let best = scores.iter().map(|(score, _)| *score).max().unwrap_or(0);
    let found = scores.into_iter().filter(|(score, _)| best > 0 && *score == best);
    found.map(|(_, name)| name).take(5).collect()
}

async fn serve(scenario: &'static Scenario, args: &Lab) -> anyhow::Result<()> {
    let listen = args.listen.unwrap_or(SERVER);
    let server = match &args.keylog {
        Some(file) => scenario.serve_with_keys(listen, Some(teller()), keys(file)?).await,
        None => scenario.serve_on(listen, Some(teller())).await,
    };
    let server = server.with_context(|| format!("cannot listen on {listen}"))?;
    talk(&announcement(scenario, &server));
    if args.play {
        let first = scenario.connect(server.addr).await;
        let second = scenario.connect_again(server.addr).await;
        if scenario.server.listens {
            server.finished(scenario.connections()).await;
        }
        [first].iter().chain(&second).for_each(|report| talk(&seen(report)));
    } else {
        wait(&server, args.count).await;
    }
    server.stop().await;
    Ok(())
}

/// Appends each secret to a key log, as soon as there is one.
fn keys(file: &Path) -> anyhow::Result<Keys> {
    let log = Mutex::new(whole::append(file).with_context(|| format!("cannot write {}", file.named()))?);
    Ok(Keys(Arc::new(move |line| {
        let written = log.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let Err(error) = written {
            talk(&format!("the key log is not whole: {error}"));
        }
    })))
}

/// Plays the resolver.
async fn resolve(args: &Lab) -> anyhow::Result<()> {
    let listen = args.listen.unwrap_or(RESOLVER);
    let resolver = Resolver::bind(listen).await;
    let resolver = resolver.with_context(|| format!("cannot listen on {listen} (port 53 is for root)"))?;
    let (addr, delay) = (resolver.addr, args.delay);
    let ip = addr.ip();
    talk(&format!(
        "resolver on {addr}: every name is at 127.0.0.1, {delay:?} after the question\n\n  \
         Linux:   echo nameserver {ip} > lab.conf; unshare -m\n           \
         mount --bind lab.conf /etc/resolv.conf; rdpscope proxy --to rdp.lab.test:3399\n  \
         Windows: Add-DnsClientNrptRule -Namespace .lab.test -NameServers {ip}\n  \
         to see it: rdpscope lab healthy-tls12 in another terminal; then name-resolution takes {delay:?}\n"
    ));
    tokio::select! {
        () = resolver.run(delay, |name| talk(&format!("asked for {name}"))) => {}
        () = stopped() => {}
    }
    Ok(())
}

/// Until so many connections are over, or Ctrl-C.
async fn wait(server: &Server, count: Option<u32>) {
    let enough = async {
        match count {
            // Whoever is refused is no connection: only Ctrl-C ends a closed port.
            Some(count) if server.listens() => server.finished(count as usize).await,
            Some(_) | None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = enough => {}
        () = stopped() => {}
    }
}

/// Says on standard error what the server does, as it does it, with the time since the connection began.
fn teller() -> Tell {
    let began: Mutex<BTreeMap<usize, Instant>> = Mutex::default();
    Tell(Arc::new(move |told: Told| {
        let Told { connection, client, deed, error } = told;
        let mut began = began.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *began.entry(connection).or_insert(deed.at);
        let after = deed.at.saturating_duration_since(first).as_secs_f64() * 1000.0;
        let why = error.map_or(String::new(), |error| format!(": {error}"));
        let (did, sent, received) = (deed.did, deed.sent, deed.received);
        talk(&format!("#{connection} {client} +{after:.1} ms  {did}{why}  [{received} B read, {sent} B sent]"));
    }))
}

/// What it is, where it is, and how a client gets there.
fn announcement(scenario: &Scenario, server: &Server) -> String {
    let addr = server.addr;
    let mut out = String::new();
    para(&mut out, &format!("{}: ", scenario.name), scenario.says);
    out += &match server.listens() {
        true => format!("listening on {addr}\n\n"),
        false => format!("{addr} is held and closed: nothing listens\n\n"),
    };
    let flags = xfreerdp_flags(scenario).join(" ");
    out += &format!("  xfreerdp /v:{addr} {flags} /u:lab /p:x\n");
    out += &format!("  mstsc /v:{addr}\n");
    let relay = SocketAddr::new(addr.ip(), 3390);
    out += &format!("  through rdpscope: rdpscope proxy --to {addr} --listen {relay}\n");
    out += &format!("                    xfreerdp /v:{relay} {flags} /u:lab /p:x\n\n");
    para(&mut out, "  the label: ", &label(&scenario.expect));
    let embedded =
        "Behind TLS the server follows the embedded client's script (--play): a real client may leave there.";
    para(&mut out, "  ", embedded);
    if !addr.ip().is_loopback() {
        para(&mut out, "  warning: ", "this listener is not loopback: anybody may connect to it");
    }
    out
}

/// What is to be said of it.
fn label(expect: &Expect) -> String {
    let cause = expect.cause.map_or(String::new(), |cause| format!(", {cause}"));
    let or = if expect.or.is_empty() { String::new() } else { format!(" (or {})", expect.or.join(", ")) };
    format!("{}{cause}{or}", expect.outcome.name())
}

/// The flags with which xfreerdp does what the scenario's client does, as far as it has flags for it.
fn xfreerdp_flags(scenario: &Scenario) -> Vec<&'static str> {
    let client = scenario.client;
    let mut flags = vec![match client.asks {
        None => "/sec:rdp",
        Some(SSL) => "/sec:tls",
        Some(HYBRID) => "/sec:nla",
        Some(_) => "-sec-rdp",
    }];
    let denies = client.trust != Trust::Anything || client.stays == Stays::UntilEstablished;
    flags.push(if denies { "/cert:deny" } else { "/cert:ignore" });
    match client.versions {
        Versions::Only12 => flags.push("/enforce-tlsv1_2"),
        Versions::Both | Versions::Only13 => {}
    }
    match client.ciphers {
        Ciphers::Aes => flags.push("/tls-ciphers:AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384"),
        Ciphers::All | Ciphers::ChaCha20 => {}
    }
    flags
}

/// What the embedded client saw.
fn seen(report: &ClientReport) -> String {
    let mut out = format!("\nthe client: {:?} after {:.1} ms", report.end, report.took.as_secs_f64() * 1000.0);
    let said = [
        report.confirmed.map(|confirmed| format!("X.224 {confirmed:?}")),
        report.tls.map(|version| format!("TLS {version}")),
        report.alert.map(|alert| format!("alert {alert}")),
        report.objection.clone(),
        report.error.clone(),
    ];
    for line in said.into_iter().flatten() {
        out += &format!("\n  {line}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_matches_share_words() {
        let near = |name: &str| near(name, scenarios().map(|scenario| scenario.name));
        assert!(near("reset-after-hello").contains(&"reset-after-client-hello"), "{:?}", near("reset-after-hello"));
        assert!(near("alert40").contains(&"alert-40"), "{:?}", near("alert40"));
        assert!(near("xyz").is_empty());
    }
}
