//! The law before a gateway: what is said live is what is said of the recording, wherever in it the secrets stand; one that is
//! cut is read up to there. And a client that comes again over another transport made one attempt.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use analyzer::attempt::{Diagnosed, Link, group};
use analyzer::diagnose::{Outcome, Severity};
use analyzer::event::Transport;
use analyzer::reading;
use analyzer::report::json;
use proxy::lab::Session;
use proxy::lab::gateway::GatewayScenario;

use crate::support::through::{Seen, Through, blocks};

/// Enough to be active, and quick to read over and over.
const SHORT: Session = Session { bursts: 2, updates: 2, update_len: 5000, pause_ms: 5 };
/// Places at which a recording is cut are so many bytes apart, and no more than [`CUTS`].
const APART: usize = 97;
const CUTS: usize = 150;
/// A recording of every kind.
const LAWFUL: &[&str] = &[
    "healthy",
    "healthy-http",
    "healthy-no-kdc-proxy",
    "refused",
    "certificate-name",
    "wrong-password",
    "not-found",
    "proxy-forbidden",
    "cap-denied-http",
    "rap-denied",
    "session-timeout",
];
/// The first comes over RPC, which the gateway does not have, and then as the second does.
const RETRY: [&str; 2] = ["rpc-not-found-late", "healthy"];

fn named(name: &str) -> GatewayScenario {
    let mut scenario = *GatewayScenario::named(name).expect("a scenario");
    if name != "session-timeout" {
        scenario.server.session = SHORT;
    }
    scenario
}

/// The clients of these scenarios, one after the other, before the gateway of the first.
async fn played(names: &[&str]) -> Seen {
    let scenarios: Vec<GatewayScenario> = names.iter().map(|name| named(name)).collect();
    let through = Through::start(&scenarios[0], SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    for scenario in &scenarios {
        through.play(scenario).await;
    }
    through.finish().await
}

/// What is said of a file with these bytes: as of any file, its secrets are found first.
fn read(file: &[u8], name: &str) -> Result<Vec<Diagnosed>, String> {
    let keys = Arc::new(reading::secrets(file).unwrap_or_default());
    let mut found = Vec::new();
    let read = reading::read_with(file, Some(name), &keys, &mut |one| found.push(one));
    read.map(|_| found).map_err(|error| error.to_string())
}

fn document(sessions: Vec<Diagnosed>) -> String {
    json::document("test", &group(sessions))
}

/// The first lines that differ.
fn difference(one: &str, other: &str) -> String {
    let pairs = one.lines().zip(other.lines()).filter(|(one, other)| one != other);
    let told: Vec<String> = pairs.take(4).map(|(one, other)| format!("{} / {}", one.trim(), other.trim())).collect();
    format!("{} ({} and {} lines)", told.join("; "), one.lines().count(), other.lines().count())
}

/// The recording with all its secrets at this place among its blocks.
fn with_secrets_at(place: usize, secrets: &[Vec<u8>], rest: &[Vec<u8>]) -> Vec<u8> {
    let (before, behind) = rest.split_at(place);
    [before, secrets, behind].concat().concat()
}

fn lawful(name: &str, seen: &Seen, complain: &mut dyn FnMut(String)) {
    let live = document(seen.sessions.clone());
    let [path] = &seen.files()[..] else { return complain(format!("{name}: {} recordings", seen.files().len())) };
    let (file, path) = (std::fs::read(path).expect("a recording"), path.display().to_string());
    let (secrets, rest) = blocks(&file);
    let places =
        [("as recorded", None), ("front", Some(1)), ("middle", Some(rest.len() / 2)), ("end", Some(rest.len()))];
    for (what, place) in places {
        let moved = place.map_or(file.clone(), |place| with_secrets_at(place, &secrets, &rest));
        let reread = read(&moved, &path).map(document);
        match reread {
            Ok(reread) if reread == live => {}
            Ok(reread) => {
                complain(format!("{name}: {what}: the file says something else: {}", difference(&live, &reread)))
            }
            Err(error) => complain(format!("{name}: {what}: {error}")),
        }
    }
    for cut in (file.len() / CUTS..file.len()).step_by(APART.max(file.len() / CUTS)) {
        if let Err(error) = read(&file[..cut], &path)
            && cut > rest[0].len()
        {
            complain(format!("{name}: cut at {cut}: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_before_a_gateway_is_said_of_its_recording() {
    let mut wrong = Vec::new();
    for name in LAWFUL {
        let seen = played(&[name]).await;
        lawful(name, &seen, &mut |says| wrong.push(says));
    }
    lawful("a retry", &played(&RETRY).await, &mut |says| wrong.push(says));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_over_another_transport_made_one_attempt() {
    let seen = played(&RETRY).await;
    let attempts = group(seen.sessions.clone());
    let [attempt] = &attempts[..] else { panic!("{} attempts", attempts.len()) };
    let [first, second] = &attempt.sessions[..] else { panic!("{} sessions", attempt.sessions.len()) };
    let transport = |session: &Diagnosed| {
        let gateway = session.timeline.facts.gateway.as_ref().expect("a gateway");
        gateway.tunnels().next().map(|exchange| exchange.request.what.transport)
    };
    assert_eq!([transport(first), transport(second)], [Some(Transport::RpcIn), Some(Transport::WebSocket)]);
    assert_eq!((attempt.outcome(), second.link), (Outcome::Connected, Some(Link::Fallback)));
    assert!(first.withdrawn, "{:?}", first.findings);
    let loud = attempt.sessions.iter().flat_map(|one| &one.findings).find(|one| one.severity != Severity::Note);
    assert_eq!(loud, None);
}
