//! What a proxy is told not to exceed: clients, networks, bytes of a recording, bytes on the disk. Each is kept, and told.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use analyzer::attempt::{Diagnosed, group};
use analyzer::observation::Absence;
use analyzer::report::json;
use proxy::lab::{Scenario, Session, certificate};
use proxy::listen::Target;
use proxy::record;
use proxy::watch::{Config, Stored};

use crate::support::process::{Folder, Outcome, wait_for};
use crate::support::program::{Proxy, analyze as analyze_files, program};
use crate::support::recorded::{Recorded, analyze};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// A session with pictures of a megabyte and a half.
const LONG: Session = Session { bursts: 24, updates: 8, update_len: 8000, pause_ms: 5 };

fn document(session: Diagnosed) -> String {
    json::document("test", &group(vec![session]))
}

/// A healthy session with much in it, recorded so.
async fn long_session(recorded: impl FnOnce(&mut Config)) -> (Diagnosed, crate::support::recorded::Folder) {
    let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    scenario.server.session = LONG;
    let server = scenario.serve().await.expect("serve");
    let target = Target { name: certificate::NAME.into(), port: server.addr.port() };
    let proxy = Recorded::changed(target, |config| config.connect_to = Some(server.addr), recorded).await;
    scenario.connect(proxy.addr).await;
    server.finished(1).await;
    server.stop().await;
    let (mut sessions, folder) = proxy.finish().await;
    (sessions.pop().expect("a session"), folder)
}

fn first_file(session: &Diagnosed) -> PathBuf {
    session.file.clone().expect("a recording").into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_recording_is_one_session_in_several_files() {
    let (session, _folder) = long_session(|config| config.rotate = Some(100_000)).await;
    assert_eq!(session.outcome.name(), "connected");
    let first = first_file(&session);
    let parts = record::parts(&first);
    assert!(parts.len() >= 4, "{parts:?}");
    for part in &parts[..parts.len() - 1] {
        let len = part.metadata().expect("a file").len();
        // Pieces are not divided.
        assert!((100_000..130_000).contains(&len), "{}: {len}", part.display());
    }
    let whole = analyze(&first);
    assert_eq!(whole.incomplete, None);
    assert_eq!(document(whole), document(session), "the law holds over all parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_recording_is_followed_over_its_parts() {
    let (session, _folder) = long_session(|config| config.rotate = Some(100_000)).await;
    let mut command = Command::new(program());
    command.args(["analyze", "--follow", "--speed", "1000"]).arg(first_file(&session));
    let said = command.output().expect("run");
    let lines = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(0), "{lines}");
    assert!(lines.contains("#1 connected: active after"), "{lines}");
    assert!(!String::from_utf8_lossy(&said.stderr).contains("note:"), "it is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_recording_is_redacted_whole() {
    let (session, folder) = long_session(|config| config.rotate = Some(100_000)).await;
    let out = folder.0.join("shared.pcapng");
    let said =
        Command::new(program()).arg("redact").arg(first_file(&session)).arg("-o").arg(&out).output().expect("run");
    let says = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && says.contains("verdict:   the same"), "{says}");
    assert_eq!(record::parts(&out), std::slice::from_ref(&out));
    let shared = analyze(&out);
    assert_eq!(shared.outcome, session.outcome);
    let bytes = |one: &Diagnosed| one.timeline.legs.iter().map(|leg| leg.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(&shared), bytes(&session));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_alone_says_what_it_is() {
    let (session, _folder) = long_session(|config| config.rotate = Some(100_000)).await;
    let parts = record::parts(&first_file(&session));
    let said = Command::new(program()).arg("analyze").arg(&parts[2]).output().expect("run");
    let says = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(2), "{says}");
    assert!(says.contains("this is part 3 of a recording: expected its first file"), "{says}");
    // A folder gives each session once.
    let folder = parts[0].parent().expect("a folder").to_owned();
    let (code, whole) = analyze_files(&[folder]).expect("analyze");
    assert_eq!((code, whole["attempts"].as_array().map(Vec::len)), (Some(0), Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_lost_a_part_is_read_up_to_there() {
    let (session, _folder) = long_session(|config| config.rotate = Some(100_000)).await;
    let first = first_file(&session);
    fs::remove_file(record::part(&first, 2)).expect("remove");
    let rest = analyze(&first);
    assert_eq!(rest.incomplete, None, "nobody asked the decoder");
    assert_eq!(rest.timeline.end.as_ref().map(|end| end.how.name()), Some("cut"));
    let (_, whole) = analyze_files(&[first]).expect("analyze");
    assert!(whole.to_string().contains("it was never closed"), "{whole}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapped_recording_has_the_handshake_and_lengths() {
    let (full, _full) = long_session(|_| {}).await;
    let (session, _folder) = long_session(|config| config.stored = Stored::Handshake).await;
    assert_eq!(session.outcome.name(), "connected");
    let first = first_file(&session);
    let (len, full_len) =
        (first.metadata().expect("a file").len(), first_file(&full).metadata().expect("a file").len());
    assert!(len < full_len / 5, "{len} of {full_len}");
    let legs = &session.timeline.legs;
    assert!(legs.iter().all(|leg| leg.bytes[1] > 1_500_000), "{legs:?}");
    assert!(legs.iter().any(|leg| leg.snapped[1] > 1_000_000), "{legs:?}");
    assert!(legs.iter().all(|leg| leg.missing == leg.snapped), "nothing else is missing");
    assert!(session.findings.is_empty(), "{:?}", session.findings);
    assert_eq!(document(analyze(&first)), document(session));
    assert!(Absence::Snapped.is_loss());
}

/// Waits until the other end has gone, and says how.
fn fate(client: &mut TcpStream) -> std::io::Result<usize> {
    client.set_read_timeout(Some(SOON))?;
    client.read(&mut [0; 64])
}

/// A proxy with these flags before a listener that accepts and says nothing.
fn before_silence(flags: &[&str]) -> Outcome<(Proxy, TcpListener)> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let mut command = Command::new(program());
    let port = server.local_addr()?.port().to_string();
    command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
    command.args(flags);
    Ok((Proxy::run(command)?, server))
}

#[test]
fn the_third_client_of_two_is_turned_away_and_told() -> Outcome<()> {
    let (proxy, server) = before_silence(&["--max-sessions", "2"])?;
    let address = SocketAddr::from(([127, 0, 0, 1], proxy.port));
    let first = TcpStream::connect(address)?;
    let _second = TcpStream::connect(address)?;
    let mut third = TcpStream::connect(address)?;
    assert_eq!(fate(&mut third).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    let told = "a client was turned away, 127.0.0.1, because --max-sessions 2 is reached";
    assert!(wait_for(SOON, || Ok(proxy.output().contains(told).then_some(())))?.is_some(), "{}", proxy.output());
    // A place that is given back can be taken.
    // Whichever of the two was connected first: the first client's session has ended on both sides then.
    drop((first, server.accept()?, server.accept()?));
    let taken = wait_for(SOON, || {
        let mut next = TcpStream::connect(address)?;
        next.set_read_timeout(Some(Duration::from_millis(300)))?;
        let waits = next.read(&mut [0; 64]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        Ok(waits.then_some(()))
    })?;
    assert!(taken.is_some());
    let output = proxy.finish()?.output;
    assert!(output.contains("that was turned away") || output.contains("that were turned away"), "{output}");
    Ok(())
}

#[test]
fn a_list_of_networks_is_announced_and_this_machine_is_always_in_it() -> Outcome<()> {
    let (proxy, server) = before_silence(&["--allow", "192.0.2.0/24", "--allow", "2001:db8::/32"])?;
    let _client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    let _served = server.accept()?;
    let output = proxy.finish()?.output;
    assert!(output.contains("Clients may come from 192.0.2.0/24, 2001:db8::/32 and from this machine."), "{output}");
    Ok(())
}

fn old_recording(folder: &Path, name: &str, len: usize) -> Outcome<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, vec![0; len])?;
    fs::File::options().append(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(3600))?;
    Ok(path)
}

#[test]
fn the_oldest_recordings_make_room_and_nothing_else_does() -> Outcome<()> {
    let kept = Folder::new()?;
    let out = kept.path().join("out");
    fs::create_dir(&out)?;
    let oldest = old_recording(&out, "20240101T000000.000000000Z-00001.pcapng", 400_000)?;
    let its_part = old_recording(&out, "20240101T000000.000000000Z-00001.part2.pcapng", 400_000)?;
    let its_probe = old_recording(&out, "20240101T000000.000000000Z-00001.probe.json", 1_000)?;
    // Not closed, and changed a moment ago: another program's session that says nothing just now.
    let running = out.join("20240201T000000.000000000Z-00001.pcapng");
    fs::write(&running, vec![0; 40_000])?;
    let newer = old_recording(&out, "20250101T000000.000000000Z-00001.pcapng", 400_000)?;
    let of_somebody = old_recording(&out, "2024-the-bad-one.pcapng", 400_000)?;
    let notes = old_recording(&out, "notes.txt", 400_000)?;
    let server = TcpListener::bind("127.0.0.1:0")?;
    let mut command = Command::new(program());
    let to = format!("127.0.0.1:{}", server.local_addr()?.port());
    command.args(["proxy", "--to", &to, "--keep", "500kB"]);
    let proxy = Proxy::run_into(command, &out)?;
    let told = "3 files of old recordings were deleted, 801000 B (--keep)";
    assert!(wait_for(SOON, || Ok(proxy.output().contains(told).then_some(())))?.is_some(), "{}", proxy.output());
    assert_eq!([&oldest, &its_part, &its_probe].map(|path| path.exists()), [false; 3]);
    assert_eq!([&running, &newer, &of_somebody, &notes].map(|path| path.exists()), [true; 4]);
    proxy.finish()?;
    Ok(())
}

/// What is being written is more than may stay, and nothing is left to delete: it is recorded no further, which is told.
#[test]
fn a_recording_that_takes_all_the_room_ends_and_its_session_goes_on() -> Outcome<()> {
    let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    scenario.server.session = Session { bursts: 400, pause_ms: 20, ..LONG };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let server = scenario.serve().await?;
        let mut command = Command::new(program());
        command.args(["proxy", "--to", certificate::NAME, "--connect-to", &server.addr.to_string(), "--keep", "1MB"]);
        let proxy = tokio::task::block_in_place(|| Proxy::run(command))?;
        let report = scenario.connect(([127, 0, 0, 1], proxy.port).into()).await;
        server.stop().await;
        let finished = tokio::task::block_in_place(|| proxy.finish())?;
        let output = &finished.output;
        assert!(output.contains("more than --keep allows, and none is left to delete"), "{output}");
        assert!(output.contains("connected: active after"), "{report:?} {output}");
        Ok(())
    })
}

#[test]
fn where_nothing_is_to_be_recorded_sessions_are_judged_and_no_file_is_made() -> Outcome<()> {
    let scenario = *Scenario::named("denied-expired").expect("a scenario");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let server = scenario.serve().await?;
        let mut command = Command::new(program());
        command.args([
            "proxy",
            "--to",
            certificate::NAME,
            "--connect-to",
            &server.addr.to_string(),
            "--record",
            "none",
        ]);
        let folder = Folder::new()?;
        let proxy = tokio::task::block_in_place(|| Proxy::run_into(command, folder.path()))?;
        scenario.connect(([127, 0, 0, 1], proxy.port).into()).await;
        server.stop().await;
        let finished = tokio::task::block_in_place(|| proxy.finish())?;
        let output = &finished.output;
        assert!(output.contains("Nothing is recorded") && output.contains("failed in tls"), "{output}");
        assert!(!output.contains("frame "), "there are no frames to look at: {output}");
        assert_eq!(finished.recordings.len(), 0);
        Ok::<(), crate::support::process::Trouble>(())
    })?;
    for flag in [&["--keep", "1GB"][..], &["--rotate", "1GB"], &["--probe-on-failure"]] {
        let said = Command::new(program()).args(["proxy", "--to", "server", "--record", "none"]).args(flag).output()?;
        assert_eq!(said.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&said.stderr).contains("--record none makes none"), "{flag:?}");
    }
    Ok(())
}

#[test]
fn a_size_without_a_unit_is_refused() {
    for flag in ["--rotate", "--keep"] {
        let said = Command::new(program()).args(["proxy", "--to", "server", flag, "100"]).output().expect("run");
        let says = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(2));
        assert!(says.contains("expected a size such as 100MB or 1GiB"), "{says}");
    }
}
