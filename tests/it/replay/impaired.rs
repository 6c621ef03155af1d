//! A replay that is impaired on purpose: its peer sees it, it is told as asked for, and nobody is said to depart by it. And clients
//! that say nothing keep no others waiting.

use std::time::Duration;

use analyzer::observation::Ending;
use proxy::lab::ClientReport;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use super::peers::Replay;
use super::*;
use crate::support::{read, write};

fn asked(specs: &[&str]) -> Option<Arc<Asked>> {
    let specs = specs.iter().map(|spec| spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}")));
    Some(Arc::new(Asked { specs: specs.collect(), seed: 7 }))
}

/// What came of it: what the client saw, what was recorded of that, and what the replay says.
struct Impaired {
    report: ClientReport,
    said: Diagnosed,
    played: Played,
}

/// The scenario is recorded with its secrets; its server is played again, impaired, to the scenario's client.
async fn impaired(name: &str, specs: &[&str]) -> Impaired {
    let scenario = Scenario::named(name).expect("a scenario");
    let secrets = LabSecrets::default();
    let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
    let (original, _folder) = recorded_against(scenario, server.addr).await;
    server.stop().await;
    let replayed = serve_impaired(&original, &secrets.keyring(), Pace::AsFastAsPossible, asked(specs)).await;
    let proxy = Recorded::to(NAME, replayed.addr).await;
    let report = scenario.connect(proxy.addr).await;
    let played = replayed.task.await.expect("it ends");
    let (mut sessions, _folder) = proxy.finish().await;
    let told = replayed.told.lock().expect("told").join("; ");
    assert_eq!(played.departures, 0, "{specs:?}: {told}");
    Impaired { report, said: sessions.remove(0), played }
}

impl Impaired {
    fn ended(&self) -> (Option<Side>, Ending) {
        let end = self.said.timeline.end.as_ref().expect("an end");
        (end.from, end.how)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_at_a_phase_ends_the_replay_there() {
    let seen = impaired("healthy-tls13", &["tls: reset by server"]).await;
    assert_eq!(seen.ended(), (Some(Side::Server), Ending::Reset));
    assert_eq!(seen.said.timeline.end.as_ref().map(|end| end.phase), Some(PhaseName::Tls));
    assert_eq!(seen.played.ended, "RST, as asked: --impair 'tls: reset by server'");
    assert!(seen.played.impaired[0].starts_with("'tls: reset by server' takes effect at +"), "{:?}", seen.played);
    assert!(seen.played.played < seen.played.moves, "{:?}", seen.played);
}

/// Behind TLS a phase is known by the replay's own secrets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_inside_tls_is_seen() {
    for phase in ["basic-settings", "licensing", "capabilities"] {
        let spec = format!("{phase}: reset by server");
        let seen = impaired("healthy-tls12", &[&spec, "from server: latency 20ms"]).await;
        assert_eq!(seen.ended(), (Some(Side::Server), Ending::Reset), "{spec}");
        assert_eq!(seen.played.ended, format!("RST, as asked: --impair '{spec}'"));
        assert_eq!(seen.played.impaired.len(), 2, "{:?}", seen.played);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_ends_it_by_fin_behind_what_was_said() {
    for (spec, phase) in [("licensing: close by server", "server"), ("licensing: close by client", "client")] {
        let seen = impaired("healthy-tls12", &[spec, "from server: latency 20ms"]).await;
        // Whoever is said to have closed, the client sees the FIN of the replayed server.
        assert_eq!(seen.ended(), (Some(Side::Server), Ending::Fin), "{phase}");
        assert_eq!(seen.played.ended, format!("FIN, as asked: --impair '{spec}'"));
    }
}

/// Each direction by itself; the phase takes at least as long as what was held in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_holds_the_direction_that_was_named() {
    let least = Duration::from_millis(150);
    let both = ["from server: latency 150ms", "front from client: latency 150ms"];
    for (specs, times) in [(&both[..1], 1), (&both[1..], 1), (&both[..], 2)] {
        let seen = impaired("healthy-tls12", specs).await;
        let took = seen.said.timeline.phase(PhaseName::Negotiation).map(Phase::duration).expect("negotiation");
        assert!(took >= least * times, "{specs:?}: {took:?}");
        assert_eq!(seen.report.end, proxy::lab::End::Clean, "{specs:?}: {:?}", seen.played);
        assert_eq!(seen.played.impaired.len(), specs.len());
    }
}

/// All of a desktop comes through a narrow place and a stall, in order, and the end behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_slow_comes_whole() {
    let specs = ["bandwidth 100kB/s", "capabilities: stall for 300ms", "at 1h: reset by client"];
    let seen = impaired("healthy-tls13", &specs).await;
    assert_eq!(seen.report.end, proxy::lab::End::Clean, "{:?}", seen.played);
    let told = seen.played.impaired.join("\n");
    assert!(told.contains("'back capabilities for 300ms: stall' is over at +"), "{told}");
    assert!(told.contains("'at 3600s: reset by client' never took effect"), "{told}");
}

/// A client that gives up where nothing comes on purpose does not depart, and the replay is over with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gives_up_in_a_stall_is_not_blamed() {
    for spec in ["stall", "from server: stall"] {
        let replayed =
            serve_impaired(&golden("hybrid-required"), &Arc::default(), Pace::AsFastAsPossible, asked(&[spec])).await;
        let mut client = connect(replayed.addr, None).await;
        write(&mut client, &proxy::lab::wire::connection_request("lab", Some(1))).await;
        drop(client);
        let played = replayed.task.await.expect("it ends");
        assert_eq!(played.departures, 0, "{spec}: {played:?} {:?}", replayed.told.lock().expect("told"));
    }
}

/// The client's side is impaired as the server's is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_client_is_impaired_too() {
    let scenario = Scenario::named("healthy-tls12").expect("a scenario");
    let secrets = LabSecrets::default();
    let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
    let (original, _folder) = recorded_against(scenario, server.addr).await;
    let script = script(&original, &secrets.keyring(), Side::Client).expect("a script");
    let impair = asked(&["licensing: reset by client", "latency 50ms jitter 50ms"]);
    let means = Means { impair, ..means(Pace::AsFastAsPossible) };
    let proxy = Recorded::to(NAME, server.addr).await;
    let (tell, told) = notes();
    let played = play(&script, &means, connect(proxy.addr, None).await, &tell).await;
    // The first was the recorded one.
    server.finished(2).await;
    let (sessions, _folder) = proxy.finish().await;
    server.stop().await;
    assert_eq!(played.ended, "RST, as asked: --impair 'licensing: reset by client'", "{:?}", told.lock());
    assert_eq!(played.departures, 0);
    let end = sessions[0].timeline.end.as_ref().expect("an end");
    assert_eq!((end.from, end.how), (Some(Side::Client), Ending::Reset));
}

/// It is announced and told, and a client that says nothing keeps nobody waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_keeps_nobody_waiting() {
    let recording = golden("hybrid-required");
    let serve = move || Replay::serve_with(&recording, &["--impair", "latency 30ms jitter 5ms", "--impair-seed", "9"]);
    let replay = spawn_blocking(serve).await.expect("no panic").expect("it serves");
    let addr = std::net::SocketAddr::from(([127, 0, 0, 1], replay.port));
    let silent: TcpStream = connect(addr, None).await;
    let mut client = connect(addr, None).await;
    write(&mut client, &proxy::lab::wire::connection_request("lab", Some(1))).await;
    // The RDP Negotiation Failure.
    read(&mut client, 19).await;
    drop(client);
    let (code, said) = spawn_blocking(move || replay.finish()).await.expect("no panic").expect("it ends");
    drop(silent);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("IMPAIRED: every session, on purpose: 'back: latency 30ms jitter 5ms' (seed 9)"), "{said}");
    assert!(said.contains("#1 impaired: 'back: latency 30ms jitter 5ms' takes effect at +"), "{said}");
}
