//! The golden captures: recordings of the lab's sessions through the real proxy, and what must be said of each.
//!
//! `UPDATE_EXPECT=1 cargo test captures` rewrites the reports; read the diff. The recordings themselves are made anew by
//! `cargo test --test it captures::make -- --ignored`, and then the reports must be, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use analyzer::analysis::Analysis;
use analyzer::attempt::{Diagnosed, group};
use analyzer::capture::recording;
use analyzer::diagnose::Outcome;
use analyzer::observation::{Observation, Seen};
use analyzer::report::{json, text};
use analyzer::timeline::phase;
use proxy::lab::{Scenario, Session, certificate};
use proxy::listen::Target;
use proxy::watch::Stored;

use crate::support::judge::recorded_once;
use crate::support::process::with_peers;
use crate::support::recorded::{Folder, Recorded};
use crate::support::{connect, read_all, recording as tshark};

/// The lab's scenarios that are kept. Each way to fail has one, and each healthy kind.
const SCENARIOS: &[&str] = &[
    "healthy-tls12",
    "healthy-tls13",
    "healthy-nla",
    "healthy-legacy",
    "healthy-reset",
    "healthy-expired",
    "refused",
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
    "fin-after-connect-initial",
    "goodbye-after-client-info",
    "reset-in-active",
];

/// A name without an address: there is no server to play.
const UNRESOLVED: &str = "name-does-not-resolve";

/// Enough to be active: a file of some kilobytes.
const SHORT: Session = Session { bursts: 2, updates: 2, update_len: 3000, pause_ms: 5 };

#[test]
fn each_says_what_must_be_said_of_it() {
    let mut wrong = Vec::new();
    for name in names() {
        let said = text::attempts(&group(vec![diagnosed(name)]));
        let expected = path(name, "txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &said).expect("the report");
        } else {
            let expected = fs::read_to_string(&expected).unwrap_or_default();
            wrong.extend(different(&expected, &said).map(|lines| format!("{name}\n{lines}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines that are expected and not said, and those that are said and not expected.
fn different(expected: &str, said: &str) -> Option<String> {
    let only = |these: &str, those: &str, mark| {
        let others: BTreeSet<&str> = those.lines().collect();
        these.lines().filter(|line| !others.contains(line)).map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    (expected != said).then(|| only(expected, said, '-') + &only(said, expected, '+'))
}

/// What the lab labelled, from what its peers do, is what stands in the file.
#[test]
fn each_is_judged_as_the_lab_labelled_it() {
    for name in SCENARIOS {
        let expect = Scenario::named(name).expect("a scenario").expect;
        let session = diagnosed(name);
        let cause = session.findings.first().map(|finding| finding.cause.id);
        assert_eq!(session.outcome.name(), expect.outcome.name(), "{name}");
        assert!(cause == expect.cause || cause.is_some_and(|cause| expect.or.contains(&cause)), "{name}: {cause:?}");
    }
}

/// Recorded again, it says the same.
#[test]
fn each_keeps_the_law() {
    for name in names() {
        let (observations, _) = read(&bytes(name));
        let again = recorded_once(&observations);
        let document = |session: Diagnosed| json::document("test", &group(vec![session]));
        assert!(document(judge(&bytes(name))) == document(judge(&again)), "{name} says something else");
    }
}

/// A capture that stops early has not failed: only what stands in it may be blamed. A refusal in so many words has
/// failed, whether or not anybody has closed the connection yet.
#[test]
fn each_cut_short_is_unfinished_until_its_end_is_seen() {
    for name in names() {
        let whole = bytes(name);
        for part in 1..24 {
            let cut = &whole[..whole.len() * part / 24];
            let (observations, _) = read(cut);
            let ended = observations.iter().any(|seen| matches!(seen.seen, Seen::Closed { .. }));
            let session = judge(cut);
            let refused = session.timeline.phases.iter().any(|phase| phase.outcome == phase::Outcome::Failed);
            let outcome = session.outcome;
            let fine = ended || refused || matches!(outcome, Outcome::Unfinished | Outcome::Connected);
            assert!(fine, "{name}, {part}/24: {outcome:?} without an end");
        }
    }
}

#[test]
fn another_reader_finds_nothing_wrong_in_them() {
    with_peers("another_reader_finds_nothing_wrong_in_them", || {
        for name in names() {
            let session = diagnosed(name);
            let servers = session.timeline.legs.iter().filter_map(|leg| leg.server);
            let ports: Vec<u16> = servers.map(|server| server.port()).collect();
            let read = tshark::read(&path(name, "pcapng"), &ports)?;
            assert!(read.complaints.is_empty(), "{name}: {}", read.complaints.join("\n"));
        }
        Ok(())
    });
}

#[test]
fn the_folder_holds_these_and_its_readme_tells_of_each() {
    let entries = fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let found: BTreeSet<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    let files = |name| [format!("{name}.pcapng"), format!("{name}.txt")];
    let expected = names().flat_map(files).chain(["README.md", "keyed"].map(str::to_owned)).collect();
    assert_eq!(found, expected);
    let readme = fs::read_to_string(folder().join("README.md")).expect("the README");
    let untold: Vec<&str> = names().filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(untold.is_empty(), "captures/README.md does not tell of {untold:?}");
}

/// Makes the recordings anew. Their times, ports and keys change, and with them the reports.
#[ignore = "makes captures/ anew"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make() {
    for name in SCENARIOS {
        let mut scenario = *Scenario::named(name).expect("a scenario");
        scenario.server.session = SHORT;
        let server = scenario.serve().await.expect("serve");
        let proxy = Recorded::to(certificate::NAME, server.addr).await;
        scenario.connect(proxy.addr).await;
        if scenario.server.listens {
            server.finished(1).await;
        }
        server.stop().await;
        keep(name, proxy).await;
    }
    let target = Target { name: "no-such-host.invalid".into(), port: 3389 };
    let proxy = Recorded::with(target, |_| {}, Stored::Once).await;
    read_all(&mut connect(proxy.addr, None).await).await;
    keep(UNRESOLVED, proxy).await;
}

async fn keep(name: &str, proxy: Recorded) {
    let (sessions, _folder): (Vec<Diagnosed>, Folder) = proxy.finish().await;
    let file = sessions.first().and_then(|session| session.file.clone()).expect("a recording");
    fs::copy(file, path(name, "pcapng")).expect("copy");
}

fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().copied().chain([UNRESOLVED])
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn path(name: &str, extension: &str) -> PathBuf {
    folder().join(format!("{name}.{extension}"))
}

fn bytes(name: &str) -> Vec<u8> {
    let path = path(name, "pcapng");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(file: &[u8]) -> (Vec<Observation>, Option<String>) {
    let mut observations = Vec::new();
    let recording = recording::read(file, 0, &mut |observation| observations.push(observation));
    (observations, recording.map_or_else(|error| Some(error.to_string()), |recording| recording.stopped))
}

fn judge(file: &[u8]) -> Diagnosed {
    let mut analysis = Analysis::default();
    read(file).0.iter().for_each(|observation| analysis.push(observation));
    analysis.finish(None)
}

/// With the name under which a person finds it.
fn diagnosed(name: &str) -> Diagnosed {
    Diagnosed { file: Some(format!("captures/{name}.pcapng")), ..judge(&bytes(name)) }
}
