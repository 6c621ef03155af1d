//! What the proxy adds to each scripted session, end included: `cargo bench --bench lab`.
//!
//! Every scenario of the lab in which nobody waits on purpose is played directly and through the recording proxy, turn
//! and turn about. The figure is how much longer the client's whole session took.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use analyzer::capture::annotation::Section;
use proxy::lab::{End, Scenario, certificate, scenarios};
use proxy::listen::{Config, Server, Target};
use proxy::tap::{Limits, tap};
use proxy::watch::{self, Secrets, Stored};

const ROUNDS: usize = 20;
/// A scenario whose client or server thinks longer than this waits on purpose.
const WAITS: Duration = Duration::from_millis(250);

#[tokio::main]
async fn main() {
    let (mut added, mut direct, mut ends) = (Vec::new(), Vec::new(), 0);
    for scenario in scenarios().filter(|scenario| scenario.expect.end != End::Timeout) {
        let Some((differences, times)) = play(scenario, &mut ends).await else { continue };
        let slow = differences.iter().filter(|added| **added > 5.0).count();
        if slow > 0 {
            println!("{}: more than 5 ms added in {slow} of {ROUNDS} sessions", scenario.name);
        }
        added.extend(differences);
        direct.extend(times);
    }
    added.sort_by(f64::total_cmp);
    direct.sort_by(f64::total_cmp);
    let at = |figures: &[f64], percent: usize| figures[(figures.len() * percent / 100).min(figures.len() - 1)];
    println!("{} sessions each way; kinds of end that differ: {ends}", added.len());
    println!("direct:  p50 {:.2} ms, p99 {:.2} ms", at(&direct, 50), at(&direct, 99));
    println!("added:   p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms", at(&added, 50), at(&added, 90), at(&added, 99));
}

/// Added and direct times in milliseconds; nothing where somebody waits on purpose.
async fn play(scenario: &Scenario, ends: &mut usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let server = scenario.serve().await.expect("serve");
    let relay = recorded(server.addr).await;
    let (mut added, mut direct) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = scenario.connect(server.addr).await;
        if alone.took > WAITS {
            return None;
        }
        let relayed = scenario.connect(relay).await;
        let expected = if alone.end == End::Refused { End::Reset } else { alone.end };
        *ends += usize::from(relayed.end != expected);
        direct.push(alone.took.as_secs_f64() * 1e3);
        added.push((relayed.took.as_secs_f64() - alone.took.as_secs_f64()) * 1e3);
    }
    server.stop().await;
    Some((added, direct))
}

async fn recorded(server: SocketAddr) -> SocketAddr {
    let (feed, intake) = tap(Limits::default());
    let folder = std::env::temp_dir().join(format!("rdpscope-bench-{}", std::process::id()));
    let config = watch::Config {
        out: Some(folder),
        section: Section::default(),
        stored: Stored::Once,
        rotate: None,
        keep: None,
        secrets: Secrets::None,
        gateway: false,
        names: false,
        pulse: false,
    };
    thread::spawn(move || watch::run(intake, config, &mut |_| {}));
    let target = Target { name: certificate::NAME.into(), port: server.port() };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config { connect_to: Some(server), ..Config::new(anywhere, target, feed) };
    let relay = Server::bind(config).await.expect("bind");
    let addr = relay.local_addr();
    tokio::spawn(relay.run(std::future::pending()));
    addr
}
