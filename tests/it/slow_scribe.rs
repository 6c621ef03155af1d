//! A scribe that is far behind. What it gives up is bulk alone: each handshake is stored whole, nothing stands before it, and
//! nothing is said of a session that is not so. And a hole that a recorder leaves, wherever it is, is a hole, and nothing that a
//! peer has said.

use std::path::Path;
use std::thread;

use analyzer::attempt::{Diagnosed, group};
use analyzer::capture::annotation::Section;
use analyzer::capture::recording;
use analyzer::event::What;
use analyzer::observation::{Absence, Leg, Observation, Seen, Side};
use analyzer::report::json;
use analyzer::session::Session as Layers;
use proxy::lab::{Scenario, Session, certificate};
use proxy::listen::{Config, Server, Target};
use proxy::record;
use proxy::tap::{self, HANDSHAKE, Limits};
use proxy::watch::{self, Secrets, Stored};
use tokio::sync::oneshot;

use crate::support::anywhere;
use crate::support::recorded::{Folder, analyze};

/// Pictures of three megabytes at once.
const FLOOD: Session = Session { bursts: 1, updates: 400, update_len: 8000, pause_ms: 0 };
/// What is read at once, at most, bytes.
const CHUNK: u64 = 64 << 10;

/// Sessions that are all over before the scribe reads a word of them.
async fn late(name: &str, clients: usize, limits: Limits) -> (Vec<Diagnosed>, Folder) {
    let mut scenario = *Scenario::named(name).expect("a scenario");
    scenario.server.session = FLOOD;
    let server = scenario.serve().await.expect("serve");
    let folder = Folder::new();
    let (feed, intake) = tap::tap(limits);
    let target = Target { name: certificate::NAME.into(), port: server.addr.port() };
    let config = Config { connect_to: Some(server.addr), ..Config::new(anywhere(), target, feed) };
    let relay = Server::bind(config).await.expect("bind");
    let addr = relay.local_addr();
    let (stop, told) = oneshot::channel::<()>();
    let relay = tokio::spawn(relay.run(async { drop(told.await) }));
    let all: Vec<_> = (0..clients).map(|_| tokio::spawn(async move { scenario.connect(addr).await })).collect();
    for one in all {
        one.await.expect("a client");
    }
    server.finished(clients).await;
    server.stop().await;
    drop(stop);
    relay.await.expect("the relay");
    let section = Section {
        version: "0".into(),
        command: "late".into(),
        host: "lab".into(),
        redacted: false,
        part: 1,
        gateway: false,
    };
    let (rotate, keep, names, pulse, gateway) = (None, None, false, false, false);
    let (out, stored, secrets) = (Some(folder.0.clone()), Stored::Once, Secrets::None);
    let config = watch::Config { out, section, stored, rotate, keep, secrets, gateway, names, pulse };
    let summary = thread::spawn(move || watch::run(intake, config, &mut |_| {})).join().expect("the scribe");
    (summary.sessions, folder)
}

fn observations(path: &Path) -> Vec<Observation> {
    let mut all = Vec::new();
    recording::read(record::open(path).expect("open"), 0, &mut |observation| all.push(observation))
        .expect("a recording");
    all
}

/// How much of a direction is stored, here or on the other leg, before the first that is not, and whether anything of it was given up.
fn stored(all: &[Observation], leg: Leg, from: Side) -> (u64, bool) {
    let mut before = 0;
    for observation in all.iter().filter(|observation| observation.flow.leg == leg) {
        match &observation.seen {
            Seen::Bytes { from: speaker, data } if *speaker == from => before += data.len() as u64,
            Seen::Missing { from: speaker, why: Absence::Dropped, .. } if *speaker == from => return (before, true),
            Seen::Missing { from: speaker, len, .. } if *speaker == from => before += len,
            _ => {}
        }
    }
    (before, false)
}

fn document(session: Diagnosed) -> String {
    json::document("test", &group(vec![session]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_handshake_is_stored_whole_and_bulk_alone_is_given_up() {
    // Not a byte may be on its way, and no note: less is no budget at all.
    let limits = Limits { total: 0, session: 0, notes: 0 };
    for name in ["healthy-tls12", "healthy-nla", "healthy-legacy"] {
        let (sessions, _folder) = late(name, 8, limits).await;
        assert_eq!(sessions.len(), 8);
        for session in sessions {
            let says = document(session.clone());
            assert_eq!((session.outcome.name(), session.findings.len()), ("connected", 0), "{name}: {says}");
            let file = session.file.clone().expect("a recording");
            let all = observations(Path::new(&file));
            for leg in [Leg::Front, Leg::Back] {
                let (from_client, given_up) = stored(&all, leg, Side::Client);
                assert!(from_client > 0 && !given_up, "{name}: {leg} {from_client}");
                let (from_server, given_up) = stored(&all, leg, Side::Server);
                let beginning = HANDSHAKE - CHUNK..=HANDSHAKE;
                assert!(given_up && beginning.contains(&from_server), "{name}: {leg} {from_server}");
            }
            assert_eq!(document(analyze(Path::new(&file))), says, "{name}: the law");
        }
    }
}

/// The events of these, without those that say that somebody has sent what cannot be.
fn accusations(all: &[Observation]) -> Vec<What> {
    let mut layers = Layers::default();
    let mut said = Vec::new();
    for observation in all {
        layers.push(observation, &mut |event| {
            let inside = if let What::Outer(inside) = &event.what { inside } else { &event.what };
            if matches!(inside, What::Malformed { .. } | What::NotRdp { .. }) {
                said.push(event.what);
            }
        });
    }
    said
}

/// Any one piece of the opening of a recording, or any one with all behind it in its direction, given up.
#[test]
fn a_hole_of_the_recorders_own_accuses_nobody() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files = std::fs::read_dir(folder).expect("captures").map(|entry| entry.expect("a file").path());
    let (mut recordings, mut holes) = (0, 0);
    let is_healthy = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("healthy") && name.ends_with(".pcapng")
    };
    for path in files.filter(is_healthy) {
        let all = observations(&path);
        let before = accusations(&all);
        recordings += 1;
        let payload = |one: &Observation| match &one.seen {
            Seen::Bytes { from, data } => Some((*from, data.len() as u64)),
            _ => None,
        };
        let places: Vec<usize> = (0..all.len()).filter(|place| payload(&all[*place]).is_some()).take(80).collect();
        for place in places {
            for onwards in [false, true] {
                let (from, _) = payload(&all[place]).expect("payload");
                let mut holed = all.clone();
                for (at, one) in holed.iter_mut().enumerate() {
                    let is_it = at == place || onwards && at > place && one.flow == all[place].flow;
                    if let Some((speaker, len)) = payload(one).filter(|(speaker, _)| is_it && *speaker == from) {
                        one.seen = Seen::Missing { from: speaker, len, why: Absence::Dropped };
                    }
                }
                holes += 1;
                let after = accusations(&holed);
                let new: Vec<_> = after.iter().filter(|what| !before.contains(what)).collect();
                assert!(new.is_empty(), "{}: piece {place}, onwards {onwards}: {new:?}", path.display());
            }
        }
    }
    println!("{recordings} recordings, {holes} holes");
    assert!(recordings > 3 && holes > 300, "{recordings} recordings, {holes} holes");
}
