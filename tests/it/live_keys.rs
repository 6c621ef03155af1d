//! Secrets that come while a session goes on: it does not matter when, what is said live is what is said of the recording,
//! and the finished recording opens by itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use analyzer::attempt::{Diagnosed, group};
use analyzer::capture::annotation::Section;
use analyzer::hold::{Hold, Limits};
use analyzer::observation::{Ending, Flow, Leg, Observation, Opening, Seen, Side};
use analyzer::reading;
use analyzer::report::json;
use analyzer::secret::Secret;
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;
use proxy::finalize::{Mended, finalize};
use proxy::listen::Target;
use proxy::record::Recorder;
use proxy::watch::{Secrets, Stored};
use serde_json::Value;

use crate::support::judge::Random;
use crate::support::messages;
use crate::support::peers::{PASSWORD, Screen, Security, Server, Then, USER, xfreerdp, xfreerdp_with};
use crate::support::process::{Folder, Outcome, Trouble, program, with_peers};
use crate::support::program::{Finished, Proxy, analyze, program as rdpscope};
use crate::support::recorded::Recorded;
use crate::support::talk::{self, certificates};

/// No bound is reached.
const PATIENT: Limits = Limits { bytes: usize::MAX, time: Duration::MAX };

/// What a client and a server say: X.224, then TLS between two openssl programs.
struct Story {
    pieces: Vec<(Side, Vec<u8>)>,
    /// The key log of the client, line by line.
    log: Vec<String>,
}

impl Story {
    fn new(folder: &Path, version: &str) -> Outcome<Story> {
        let server = talk::Server::start(folder, &[])?;
        let talk = server.talk(folder, &[version], &["hello, server", "the last word"])?;
        let negotiation = [(Side::Client, "@request SSL"), (Side::Server, "@confirm SSL")];
        let negotiation = negotiation.map(|(from, says)| (from, messages::bytes(&says.split(' ').collect::<Vec<_>>())));
        let log = fs::read_to_string(folder.join("keylog"))?;
        let log = log.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        Ok(Story { pieces: negotiation.into_iter().chain(talk.pieces).collect(), log })
    }

    /// As a relay sees it, on both legs.
    fn observations(&self) -> Vec<Observation> {
        let address = |last: u8| SocketAddr::from(([192, 0, 2, last], 3389));
        let (mut at, mut all) = (1_780_272_000_000_000_000, Vec::new());
        let mut see = |leg, seen: Seen| {
            at += 1_000_000;
            all.push(Observation { at: Timestamp::at(at), flow: Flow { session: 0, leg }, frame: 0, seen });
        };
        for (leg, client, server) in [(Leg::Front, 1, 2), (Leg::Back, 2, 3)] {
            see(leg, Seen::Opening(Opening::Dialing { client: address(client), server: address(server) }));
            see(leg, Seen::Opened);
        }
        for (from, data) in &self.pieces {
            let legs = if *from == Side::Client { [Leg::Front, Leg::Back] } else { [Leg::Back, Leg::Front] };
            legs.into_iter().for_each(|leg| see(leg, Seen::Bytes { from: *from, data: data.clone().into() }));
        }
        for (leg, from) in [(Leg::Front, Side::Client), (Leg::Back, Side::Client), (Leg::Back, Side::Server)] {
            see(leg, Seen::Closed { from: Some(from), how: Ending::Fin });
        }
        all
    }

    fn secret(&self, lines: std::ops::Range<usize>, like: &Observation) -> Observation {
        let log = Secret::new(self.log[lines].concat().into_bytes());
        Observation { seen: Seen::Secret(Arc::new(log)), ..like.clone() }
    }
}

/// Says what a session that goes on says, and records it.
fn live(observations: &[Observation], limits: Limits) -> (Diagnosed, Vec<u8>, Hold) {
    let (mut hold, mut timeline) = (Hold::expecting(limits), Timeline::default());
    let mut recorder = Recorder::new(Vec::new(), &Section::default()).expect("memory");
    for Observation { at, flow, seen, .. } in observations.iter().cloned() {
        for piece in recorder.split(flow, seen) {
            let numbered = Observation { at, flow, frame: recorder.frame_of(flow, &piece), seen: piece.clone() };
            hold.push(&numbered, &mut |event| timeline.push(&event));
            recorder.write(at, flow, &piece, &[]).expect("memory");
        }
    }
    hold.finish(&mut |event| timeline.push(&event));
    timeline.take_edges();
    timeline.finish();
    recorder.end(timeline.last, "the end".into()).expect("memory");
    (Diagnosed::new(None, timeline), recorder.into_inner(), hold)
}

fn document(sessions: Vec<Diagnosed>) -> String {
    json::document("test", &group(sessions))
}

/// What is said of a recording.
fn read(file: &[u8]) -> Vec<Diagnosed> {
    let keys = Arc::new(reading::secrets(file).expect("a recording"));
    let mut found = Vec::new();
    reading::read_with(file, None, &keys, &mut |session| found.push(session)).expect("a recording");
    found
}

/// Records that were opened, on all legs, and those that were not.
fn records(document: &Value) -> (u64, u64) {
    let (mut opened, mut sealed) = (0, 0);
    for tls in document["attempts"].as_array().into_iter().flatten().flat_map(|attempt| {
        let sessions = attempt["sessions"].as_array().into_iter().flatten();
        sessions.flat_map(|session| session["facts"]["tls"].as_array().into_iter().flatten())
    }) {
        let count = |of: &Value| of["client"].as_u64().unwrap_or(0) + of["server"].as_u64().unwrap_or(0);
        opened += count(&tls["decrypted"]["records"]);
        sealed += tls["decrypted"]["not"].as_array().into_iter().flatten().map(count).sum::<u64>();
    }
    (opened, sealed)
}

fn records_of(document: &str) -> (u64, u64) {
    records(&serde_json::from_str(document).expect("JSON"))
}

/// The law, with secrets moved anywhere.
#[test]
fn when_secrets_come_says_nothing() {
    with_peers("when_secrets_come_says_nothing", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        for version in ["-tls1_2", "-tls1_3"] {
            let story = Story::new(folder.path(), version)?;
            let observations = story.observations();
            let mut first = observations.clone();
            first.insert(0, story.secret(0..story.log.len(), &observations[0]));
            let expected = document(vec![live(&first, PATIENT).0]);
            let (opened, sealed) = records_of(&expected);
            assert!(opened > 10 && sealed == 0, "{version}: {opened} opened, {sealed} not");
            for seed in 0..100 {
                let mut random = Random::seeded(seed);
                let mut moved = observations.clone();
                let cut = random.below(story.log.len() as u64 + 1) as usize;
                for lines in [0..cut, cut..story.log.len()] {
                    let place = random.below(moved.len() as u64 + 1) as usize;
                    let like = moved[place.min(moved.len() - 1)].clone();
                    moved.insert(place, story.secret(lines, &like));
                }
                let (diagnosed, file, hold) = live(&moved, PATIENT);
                assert_eq!((hold.without(), hold.is_late()), (0, false), "{version}, seed {seed}");
                assert!(document(vec![diagnosed]) == expected, "{version}, seed {seed}: live says something else");
                assert!(document(read(&file)) == expected, "{version}, seed {seed}: the recording says something else");
            }
        }
        Ok(())
    });
}

#[test]
fn who_waits_too_long_goes_on_without() {
    with_peers("who_waits_too_long_goes_on_without", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        let story = Story::new(folder.path(), "-tls1_3")?;
        let observations = story.observations();
        let mut timeline = Timeline::default();
        let mut nothing_expected = Hold::default();
        observations.iter().for_each(|seen| nothing_expected.push(seen, &mut |event| timeline.push(&event)));
        assert_eq!((nothing_expected.is_waiting(), nothing_expected.without()), (false, 0));
        let without = document(read(&live(&observations, PATIENT).1));
        let mut late = observations.clone();
        late.push(story.secret(0..story.log.len(), &observations[observations.len() - 1]));
        let soon = Duration::from_millis(1);
        for limits in [Limits { bytes: 1000, ..PATIENT }, Limits { time: soon, ..PATIENT }] {
            let (diagnosed, _, hold) = live(&observations, limits);
            assert!(hold.without() > 5 && !hold.is_late(), "{limits:?}: {}", hold.without());
            assert!(document(vec![diagnosed]) == without, "{limits:?}");
            let (diagnosed, file, hold) = live(&late, limits);
            assert!(hold.is_late(), "{limits:?}");
            assert!(document(vec![diagnosed]) == without, "{limits:?}");
            assert!(records_of(&document(read(&file))).0 > 10, "the recording has them in time");
        }
        Ok(())
    });
}

#[test]
fn finalize_mends_what_was_not_closed() {
    with_peers("finalize_mends_what_was_not_closed", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        let story = Story::new(folder.path(), "-tls1_3")?;
        let mut observations = story.observations();
        observations.push(story.secret(0..story.log.len(), &observations[observations.len() - 1]));
        let (_, mut bytes, _) = live(&observations, PATIENT);
        let expected = document(read(&bytes));
        bytes.extend([0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        let path = folder.path().join("cut.pcapng");
        fs::write(&path, bytes)?;
        let says = || {
            let ran = Command::new(rdpscope()).arg("finalize").arg(&path).output()?;
            assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
            Ok::<String, Trouble>(
                String::from_utf8_lossy(&ran.stdout).trim_start_matches(&*path.to_string_lossy()).into(),
            )
        };
        let mended = ": 1 block of secrets now stands before the first packet; 13 bytes at the end, no whole block, are left off\n";
        assert_eq!((says()?.as_str(), says()?.as_str()), (mended, ": nothing to mend\n"));
        assert!(document(read(&fs::read(&path)?)) == expected);
        assert!(!fs::read_dir(folder.path())?.any(|entry| entry.is_ok_and(|entry| entry.path().ends_with(".part"))));
        let nothing = Command::new(rdpscope()).arg("finalize").arg(folder.path().join("keylog")).output()?;
        assert_eq!(nothing.status.code(), Some(2));
        Ok(())
    });
}

/// A client and a server on real sockets that say what was said, in turn; before one piece the client does something.
async fn play(
    story: &Arc<Story>,
    keylog: &Path,
    pause: usize,
    then: impl FnOnce() + Send + 'static,
) -> (Vec<Diagnosed>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = listener.local_addr().expect("an address");
    let target = Target { name: "127.0.0.1".into(), port: server.port() };
    let secrets = Secrets::followed(keylog);
    let proxy = Recorded::opened(target, |_| {}, Stored::Once, secrets).await;
    let (said, addr) = (Arc::clone(story), proxy.addr);
    let serves = thread::spawn(move || take_part(listener.accept().expect("a client").0, Side::Server, &said.pieces));
    let said = Arc::clone(story);
    let client = thread::spawn(move || {
        let stream = TcpStream::connect(addr).expect("the proxy");
        take_part(stream.try_clone().expect("a socket"), Side::Client, &said.pieces[..pause]);
        then();
        take_part(stream, Side::Client, &said.pieces[pause..]);
    });
    tokio::task::spawn_blocking(|| (client.join(), serves.join())).await.expect("both end").0.expect("the client ends");
    let (sessions, folder) = proxy.finish().await;
    let file = fs::read_dir(&folder.0).expect("a folder").next().expect("a recording").expect("a file").path();
    let name = file.display().to_string();
    let bytes = fs::read(&file).expect("a recording");
    // The secrets stand before the first packet already, and nobody else may read them.
    assert_eq!(finalize(&file).expect("a recording"), Mended::default());
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("a file").permissions()) & 0o777,
        0o600
    );
    let read = read(&bytes).into_iter().map(|session| Diagnosed { file: Some(name.clone()), ..session }).collect();
    (sessions, document(read))
}

fn take_part(mut stream: TcpStream, side: Side, pieces: &[(Side, Vec<u8>)]) {
    for (from, data) in pieces {
        if *from == side {
            stream.write_all(data).expect("the other side reads");
        } else {
            stream.read_exact(&mut vec![0; data.len()]).expect("the other side writes");
        }
    }
}

fn appended(log: &Path, lines: &[String]) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(log).expect("a key log");
    file.write_all(lines.concat().as_bytes()).expect("a key log");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

#[test]
fn a_key_log_is_followed_while_the_session_goes_on() {
    with_peers("a_key_log_is_followed_while_the_session_goes_on", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        for version in ["-tls1_2", "-tls1_3"] {
            let story = Arc::new(Story::new(folder.path(), version)?);
            let stranger = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
            // Before the first byte, behind the ClientHello, when all is said; and long after anybody waited.
            let late = Duration::from_millis(3300);
            for (pause, wait) in
                [(0, Duration::ZERO), (4, Duration::ZERO), (story.pieces.len(), Duration::ZERO), (5, late)]
            {
                let log = folder.path().join(format!("keys{version}-{pause}"));
                appended(&log, std::slice::from_ref(&stranger));
                let (lines, path, others) = (story.log.clone(), log.clone(), stranger.clone());
                let then = move || {
                    thread::sleep(wait);
                    appended(&path, &[others.replace("ab", "ba")]);
                    appended(&path, &lines);
                };
                let (sessions, read) = runtime().block_on(play(&story, &log, pause, then));
                assert_eq!(sessions.len(), 1);
                let said = document(sessions);
                assert_eq!(records_of(&said).1, 0, "{version}, {pause}");
                assert!(records_of(&said).0 > 10, "{version}, {pause}: {:?}", records_of(&said));
                assert!(said == read, "{version}, {pause}: live and the recording differ");
            }
        }
        Ok(())
    });
}

/// A library that makes an OpenSSL program write its key log.
pub fn logger(folder: &Folder) -> Outcome<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/keylog.c");
    let library = folder.path().join("keylog.so");
    let made = Command::new(program("cc")?)
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .output()?;
    let says = String::from_utf8_lossy(&made.stderr).into_owned();
    if made.status.success() { Ok(library) } else { Err(Trouble::Failed(format!("cc: {says}"))) }
}

/// Runs xfreerdp directly and through the proxy, which follows its key log.
fn check(name: &str, server: impl Fn() -> Outcome<Server>, security: Security, password: &str, phases: &[&str]) {
    with_peers(name, || {
        let (screen, folder) = (Screen::start()?, Folder::new()?);
        let (library, log) = (logger(&folder)?, folder.path().join("keys"));
        let first = server()?;
        let directly = xfreerdp(&screen, first.port, security, password, Then::CloseTheWindow)?;
        drop(first);
        let server = server()?;
        let mut command = Command::new(rdpscope());
        let port = server.port;
        command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
        command.args(["--record", "both", "--names", "--keylog"]).arg(&log);
        let proxy = Proxy::run(command)?;
        let front = proxy.port;
        let logging = |command: &mut Command| _ = command.env("LD_PRELOAD", &library).env("KEYLOG", &log);
        let through = xfreerdp_with(&screen, front, security, password, Then::CloseTheWindow, logging)?;
        assert_eq!(through.code, directly.code, "{}", through.output);
        let finished = proxy.finish()?;
        assert_eq!(finished.code, Some(0), "{}", finished.output);
        check_live(&finished, phases)?;
        // By NTLM, or by Client Info; the password never.
        let user = finished.output.lines().find(|line| line.trim_start().starts_with("user:"));
        assert!(user.is_some_and(|line| line.contains(USER)), "{}", finished.output);
        assert!(!finished.output.contains(PASSWORD), "{}", finished.output);
        for file in &finished.recordings {
            check_opens(file, &[front, port])?;
        }
        Ok(())
    });
}

/// What was said live is what is said of the recordings, and every phase was seen.
fn check_live(finished: &Finished, phases: &[&str]) -> Outcome<()> {
    let (_, document) = analyze(&finished.recordings)?;
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = squeezed(&finished.output);
    for attempt in document["attempts"].as_array().into_iter().flatten() {
        for session in attempt["sessions"].as_array().into_iter().flatten() {
            let verdict = squeezed(session["verdict"].as_str().unwrap_or_default());
            assert!(said.contains(&verdict), "live does not say: {verdict}\n{}", finished.output);
            let told = session["phases"].as_array().cloned().unwrap_or_default();
            for name in phases {
                let phase = told.iter().find(|phase| phase["phase"] == *name || phase["name"] == *name);
                let phase = phase.ok_or_else(|| Trouble::Failed(format!("no {name} in {told:#?}")))?;
                assert_eq!(phase["basis"], "seen", "{name}: {phase:#}");
                let is_live = |line: &&str| line.contains(&format!(" {name} ")) && !line.contains("inferred");
                assert!(finished.output.lines().any(|line| is_live(&line)), "{name} is not live:\n{}", finished.output);
            }
        }
    }
    Ok(())
}

/// tshark opens, with what stands in the file, as many records as are opened here.
fn check_opens(file: &Path, ports: &[u16]) -> Outcome<()> {
    let (_, document) = analyze(&[file.to_owned()])?;
    let (opened, sealed) = records(&document);
    let folder = Folder::new()?;
    let debug = folder.path().join("debug");
    let mut command = Command::new(program("tshark")?);
    command.arg("-r").arg(file).arg("-V").arg("-o").arg(format!("tls.debug_file:{}", debug.display()));
    command.args(ports.iter().flat_map(|port| ["-d".into(), format!("tcp.port=={port},tls")]));
    let ran = command.env_remove("SSLKEYLOGFILE").stdin(Stdio::null()).output()?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let debug = fs::read(debug)?;
    let lines = debug.split(|byte| *byte == b'\n').map(String::from_utf8_lossy);
    let records = lines.filter(|line| line.contains("auth_tag(OK)") || line.contains("mac ok")).count() as u64;
    println!("{}: {opened} records opened, {sealed} not; tshark {records}", file.display());
    assert_eq!((opened, sealed), (records, 0));
    assert!(records > 4);
    Ok(())
}

const BEHIND_TLS: &[&str] = &[
    "tls",
    "basic-settings",
    "channel-connection",
    "secure-settings",
    "licensing",
    "capabilities",
    "finalization",
    "active",
];

#[test]
fn xfreerdp_to_xrdp_over_tls_1_2_is_opened_live() {
    let tls = Security::Tls("TLSv1.2");
    let name = "xfreerdp_to_xrdp_over_tls_1_2_is_opened_live";
    check(name, || Server::xrdp(tls), tls, PASSWORD, BEHIND_TLS);
}

#[test]
fn xfreerdp_to_xrdp_over_tls_1_3_is_opened_live() {
    let tls = Security::Tls("TLSv1.3");
    let name = "xfreerdp_to_xrdp_over_tls_1_3_is_opened_live";
    check(name, || Server::xrdp(tls), tls, PASSWORD, BEHIND_TLS);
}

#[test]
fn xfreerdp_to_freerdp_shadow_with_nla_is_opened_live() {
    let name = "xfreerdp_to_freerdp_shadow_with_nla_is_opened_live";
    let phases: Vec<&str> = ["credssp"].iter().chain(BEHIND_TLS).copied().collect();
    check(name, || Server::shadow(Security::Nla), Security::Nla, PASSWORD, &phases);
}

#[test]
fn a_wrong_password_is_seen_live() {
    let name = "a_wrong_password_is_seen_live";
    check(name, || Server::shadow(Security::Nla), Security::Nla, "wrong", &["tls", "credssp"]);
}
