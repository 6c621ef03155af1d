//! A recording is played again: the same client meets the same server, and the same is said of it. Against scripted clients
//! here, against real peers in `peers`.

mod alerts;
mod impaired;
mod peers;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use analyzer::attempt::Diagnosed;
use analyzer::observation::{Leg, Side};
use analyzer::reading::{self, Along};
use analyzer::timeline::phase::{Outcome, Phase, PhaseName};
use analyzer::tls::keys::Keyring;
use proxy::impair::Asked;
use proxy::lab::{Scenario, certificate::NAME};
use proxy::replay::certificate::{like, unknown};
use proxy::replay::{Builder, Means, Pace, Played, Script, Tell, play};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::program::program;
use crate::support::recorded::{Folder, LabSecrets, Recorded, analyze};
use crate::support::{anywhere, connect};

/// A replayed server, for one client.
struct Replayed {
    addr: std::net::SocketAddr,
    told: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<Played>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(format!("{name}.pcapng"))
}

/// One side of the only session in a file.
fn script(path: &Path, keys: &Arc<Keyring>, side: Side) -> Result<Script, String> {
    let open = || File::open(path).expect("a recording");
    let mut all = reading::secrets(open()).expect("secrets");
    all.extend(keys);
    let mut builder = Builder::new(side);
    let mut each = |along| {
        if let Along::Step { step, .. } = along {
            builder.push(&step);
        }
    };
    reading::read_along(open(), None, &Arc::new(all), &mut each).expect("it can be read");
    builder.finish()
}

/// Notes what a play tells.
fn notes() -> (Tell, Arc<Mutex<Vec<String>>>) {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let notes = told.clone();
    (Tell(Arc::new(move |says: &str| notes.lock().expect("one writer").push(says.to_owned()))), told)
}

/// At this pace, and nothing else.
fn means(pace: Pace) -> Means {
    Means { pace, credential: None, target: NAME.into(), impair: None, number: 1 }
}

async fn serve(path: &Path, keys: &Arc<Keyring>, pace: Pace) -> Replayed {
    serve_impaired(path, keys, pace, None).await
}

async fn serve_impaired(path: &Path, keys: &Arc<Keyring>, pace: Pace, impair: Option<Arc<Asked>>) -> Replayed {
    let script = script(path, keys, Side::Server).expect("a script");
    let copied = script.certificate().map_or_else(|| unknown(NAME), like).expect("a certificate");
    let means = Means { credential: Some(copied.credential), impair, ..means(pace) };
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    let (tell, told) = notes();
    let task = tokio::spawn(async move {
        let stream = listener.accept().await.expect("accept").0;
        play(&script, &means, stream, &tell).await
    });
    Replayed { addr, told, task }
}

/// The recording of a scenario's client, against this server.
async fn recorded_against(scenario: &Scenario, server: std::net::SocketAddr) -> (PathBuf, Folder) {
    let proxy = Recorded::to(NAME, server).await;
    scenario.connect(proxy.addr).await;
    let (sessions, folder) = proxy.finish().await;
    (sessions[0].file.clone().expect("recorded").into(), folder)
}

/// What a vendor looks at: outcome, cause, where it ended, by whom and how.
fn verdict(scenario: &Scenario, session: &Diagnosed) -> String {
    let end = session.timeline.end.as_ref().expect("an end");
    let cause = session.findings.first().map_or("none", |finding| finding.cause.id);
    let by = session.findings.first().map_or("nobody", |finding| finding.by.name());
    // Where the client leaves in order both sides close at once: who is first is chance.
    let from = end.from.filter(|_| cause != "none").map_or("-", Side::name);
    // Where who is faster decides the phase, the lab names all of them.
    let phases = scenario.expect.phases;
    let phase = phases.first().filter(|_| phases.contains(&end.phase.name())).unwrap_or(&end.phase.name()).to_owned();
    format!("{} {cause} of {by}, in {phase}, {} of {from}", session.outcome.name(), end.how.name())
}

/// The recording is played, recorded again, and the same is said.
async fn says_the_same(name: &str, original: &Path, keys: &Arc<Keyring>, wrong: &mut Vec<String>) {
    let replayed = serve(original, keys, Pace::Times(1.0)).await;
    let scenario = Scenario::named(name).expect("a scenario");
    let (again, _folder) = recorded_against(scenario, replayed.addr).await;
    let played = replayed.task.await.expect("it ends");
    let (before, after) = (verdict(scenario, &analyze(original)), verdict(scenario, &analyze(&again)));
    let told = replayed.told.lock().expect("told").join("; ");
    if before != after || played.departures > 0 {
        wrong.push(format!("{name}\n  recorded: {before}\n  replayed: {after}\n  {played:?}\n  {told}"));
    }
}

/// All that ends before anything is said inside TLS, or that has no TLS.
const IN_CLEAR: &[&str] = &[
    "http",
    "ssh",
    "fin-after-accept",
    "reset-after-request",
    "silence-after-request",
    "ssl-required",
    "ssl-not-allowed",
    "no-certificate",
    "hybrid-required",
    "confirm-without-response",
    "selects-not-asked",
    "client-insists-on-nla",
    "reset-after-confirm",
    "fin-after-client-hello",
    "reset-after-client-hello",
    "silence-after-client-hello",
    "fin-mid-certificate",
    "alert-40",
    "alert-70",
    "alert-80",
    "client-alert-42-name",
    "client-alert-45",
    "client-alert-48",
    "client-alert-48-tls13",
    "denied-expired",
    "denied-tls13",
    "healthy-legacy",
    // Without keys: what follows the handshake is an end, and nothing else is needed to come to it.
    "fin-after-connect-initial",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn golden_captures_fail_again_as_they_failed() {
    let mut wrong = Vec::new();
    for name in IN_CLEAR {
        says_the_same(name, &golden(name), &Arc::default(), &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sessions with something inside TLS, each recorded with the secrets of its server.
const INSIDE: &[&str] = &[
    "healthy-tls12",
    "healthy-tls13",
    "healthy-nla",
    "healthy-reset",
    "healthy-expired",
    "goodbye-after-client-info",
    "reset-after-confirm-active",
    "reset-in-active",
    "connect-refused",
    "licence-no-server",
    "errinfo-denied",
    "errorcode-first",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_keys_the_whole_session_is_played() {
    let mut wrong = Vec::new();
    for name in INSIDE {
        let scenario = Scenario::named(name).expect("a scenario");
        let secrets = LabSecrets::default();
        let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
        let (original, _folder) = recorded_against(scenario, server.addr).await;
        server.stop().await;
        says_the_same(name, &original, &secrets.keyring(), &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without them the handshake is played, and then the time up to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_keys_it_is_played_up_to_tls_and_told() {
    let recording = golden("healthy-tls12");
    let script = script(&recording, &Arc::default(), Side::Server).expect("a script");
    assert!(script.notices.iter().any(|says| says.contains("no secret opens")), "{:?}", script.notices);
    let replayed = serve(&recording, &Arc::default(), Pace::Times(1.0)).await;
    let (again, _folder) = recorded_against(Scenario::named("healthy-tls12").expect("one"), replayed.addr).await;
    let played = replayed.task.await.expect("it ends");
    let phases = analyze(&again).timeline.phases;
    assert!(phases.iter().any(|phase| phase.name == PhaseName::Tls && phase.outcome == Outcome::Done), "{phases:?}");
    let told = replayed.told.lock().expect("told").clone();
    assert!(told.iter().any(|says| says.contains("cannot be said again")), "{told:?}");
    assert_eq!(played.departures, 0, "{told:?}");
}

/// The dates of the certificate are those of the recorded one, and so are its names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_stays_expired() {
    let recording = golden("denied-expired");
    let shown = |session: Diagnosed| {
        let tls = session.timeline.facts.tls.into_iter().find(|tls| tls.leg == Leg::Back).expect("TLS");
        let chain = tls.certificates.expect("a certificate").what;
        let leaf = chain.into_iter().next().expect("a leaf");
        (leaf.subject, leaf.names, leaf.not_before, leaf.not_after, leaf.key, leaf.key_bits, leaf.eku)
    };
    let replayed = serve(&recording, &Arc::default(), Pace::AsFastAsPossible).await;
    let (again, _folder) = recorded_against(Scenario::named("denied-expired").expect("one"), replayed.addr).await;
    assert_eq!(shown(analyze(&again)), shown(analyze(&recording)));
    replayed.task.await.expect("it ends");
}

/// A client that takes the certificate which the recorded one refused is told, and left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_departs_is_told() {
    let replayed = serve(&golden("client-alert-48"), &Arc::default(), Pace::AsFastAsPossible).await;
    Scenario::named("healthy-tls12").expect("one").connect(replayed.addr).await;
    let played = replayed.task.await.expect("it ends");
    let told = replayed.told.lock().expect("told").join("; ");
    assert_eq!(played.departures, 1, "{told}");
    assert!(told.contains("expected TLS alert, found ClientKeyExchange") && told.contains("frame "), "{told}");
}

/// Who leaves before the end is told where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_is_told_where() {
    let replayed = serve(&golden("hybrid-required"), &Arc::default(), Pace::AsFastAsPossible).await;
    drop(connect(replayed.addr, None).await);
    let played = replayed.task.await.expect("it ends");
    let told = replayed.told.lock().expect("told").join("; ");
    assert_eq!(played.departures, 1, "{told}");
    assert!(told.contains("expected X.224 Connection Request, found the end of the client (FIN)"), "{told}");
}

/// A client that asks for something else is told, and served on as far as it likes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_for_something_else_is_told() {
    let replayed = serve(&golden("healthy-nla"), &Arc::default(), Pace::AsFastAsPossible).await;
    Scenario::named("healthy-tls12").expect("one").connect(replayed.addr).await;
    replayed.task.await.expect("it ends");
    let told = replayed.told.lock().expect("told").join("; ");
    assert!(told.contains("the client asks for SSL, and the server selects HYBRID"), "{told}");
}

/// Pauses are at least those that were recorded; twice as fast halves them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_thinks_thinks_again() {
    let scenario = Scenario::named("healthy-thinks-legacy").expect("one");
    let server = scenario.serve().await.expect("serve");
    let (original, _folder) = recorded_against(scenario, server.addr).await;
    server.stop().await;
    let negotiation = |path: &Path| {
        let timeline = analyze(path).timeline;
        timeline.phase(PhaseName::Negotiation).map(Phase::duration).expect("negotiation")
    };
    for (pace, times) in [(Pace::Times(1.0), 1), (Pace::Times(2.0), 2)] {
        let replayed = serve(&original, &Arc::default(), pace).await;
        let (again, _folder) = recorded_against(scenario, replayed.addr).await;
        let took = negotiation(&again);
        assert!(took >= std::time::Duration::from_millis(600) / times, "{pace:?}: {took:?}");
    }
}

/// A recorded client meets the server that it was recorded with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_can_be_played_too() {
    for name in ["healthy-tls12", "healthy-tls13", "healthy-legacy", "hybrid-required", "client-insists-on-nla"] {
        let scenario = Scenario::named(name).expect("a scenario");
        let secrets = LabSecrets::default();
        let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
        let (original, _folder) = recorded_against(scenario, server.addr).await;
        let script = script(&original, &secrets.keyring(), Side::Client).expect("a script");
        let means = means(Pace::Times(1.0));
        let (tell, told) = notes();
        let proxy = Recorded::to(NAME, server.addr).await;
        let played = play(&script, &means, connect(proxy.addr, None).await, &tell).await;
        let (sessions, _folder) = proxy.finish().await;
        server.stop().await;
        assert_eq!(played.departures, 0, "{name}: {:?}", told.lock().expect("told"));
        assert_eq!(verdict(scenario, &sessions[0]), verdict(scenario, &analyze(&original)), "{name}: {played:?}");
    }
}

#[test]
fn what_cannot_be_played_is_said() {
    let refused = script(&golden("refused"), &Arc::default(), Side::Server).expect_err("nobody was there");
    assert!(refused.contains("nobody got through to the server"), "{refused}");
    // The relay answers before it dials: what its client did is there.
    assert!(script(&golden("refused"), &Arc::default(), Side::Client).is_ok());
}

/// What a person asks for that cannot be is answered, and nothing is listened to.
#[test]
fn the_command_says_what_it_expects() {
    let run = |args: &[&str]| {
        let output = std::process::Command::new(program()).arg("replay").args(args).output().expect("rdpscope runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let file = |name: &str| golden(name).display().to_string();
    let serve = ["--serve", "127.0.0.1:0"];
    let check = |file: &str, more: &[&str], says: &str| {
        let said = run(&[&[file], more].concat());
        assert!(said.contains(says), "no {says:?} in {said}");
    };
    check(&file("alert-40"), &[], "--serve");
    check(&file("refused"), &serve, "nobody got through to the server");
    check(&file("alert-40"), &[&serve[..], &["--session", "2"]].concat(), "a number from 1 to 1");
    check(&file("keyed/xfreerdp-shadow-denied"), &serve, "a number from 1 to 2");
    check(&file("alert-40"), &[&serve[..], &["--without-nla"]].concat(), "found one without");
    check(&file("alert-40"), &[&serve[..], &["--speed", "0"]].concat(), "expected a number from 0.001 to 1000000");
    check("README.md", &serve, "expected a capture");
}

/// Whatever is cut off a recording: there is a script, or a reason, and no panic.
#[test]
fn a_recording_that_stops_anywhere_makes_a_script_or_a_reason() {
    for name in ["healthy-tls12", "healthy-legacy", "fin-mid-certificate", "client-alert-48-tls13"] {
        let whole = std::fs::read(golden(name)).expect("a capture");
        for part in 1..40 {
            let cut = &whole[..whole.len() * part / 40];
            for side in [Side::Client, Side::Server] {
                let mut builder = Builder::new(side);
                let mut each = |along| {
                    if let Along::Step { step, .. } = along {
                        builder.push(&step);
                    }
                };
                if reading::read_along(cut, None, reading::Known::default(), &mut each).is_ok() {
                    let (Ok(_) | Err(_)) = builder.finish().map(|script| script.moves());
                }
            }
        }
    }
}
