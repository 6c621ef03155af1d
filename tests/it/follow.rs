//! `rdpscope analyze --follow`: what it tells of a recording is what `rdpscope proxy` told while it was made, line by line.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use proxy::lab::Scenario;
use proxy::lab::gateway::GatewayScenario;

use crate::support::anywhere;
use crate::support::process::{Folder, Outcome, Process};
use crate::support::program::{Finished, Proxy, program};
use crate::support::recorded::LabSecrets;

/// Of every kind: an active session, one with NLA, ends at several places, nobody there.
const SCENARIOS: [&str; 7] = [
    "healthy-tls12",
    "healthy-nla",
    "refused",
    "hybrid-required",
    "reset-after-client-hello",
    "client-alert-48",
    "fin-after-connect-initial",
];

/// What the proxy told of sessions, without what it said before and after.
fn told(output: &str) -> String {
    let first = output.find("Z #1").and_then(|at| output[..at].rfind('\n')).expect("a line of a session");
    let summary = ["\n1 attempt\n", " attempts\n"].iter().filter_map(|counted| output.rfind(counted)).max();
    let last = summary.and_then(|at| output[..=at].rfind("\n\n")).expect("a summary");
    output[first + 1..=last].to_owned()
}

fn follow(recording: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(["analyze", "--follow"]).arg(recording).args(more).stdin(Stdio::null());
    command.output().expect("rdpscope runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn only(finished: &Finished) -> &PathBuf {
    let [recording] = &finished.recordings[..] else { panic!("one recording: {:?}", finished.recordings) };
    recording
}

/// A scenario through the real proxy.
async fn played(name: &str) -> Outcome<Finished> {
    played_as(*Scenario::named(name).expect("a scenario")).await
}

async fn played_as(scenario: Scenario) -> Outcome<Finished> {
    let server = scenario.serve().await?;
    let proxy = Proxy::before(server.addr.port())?;
    scenario.connect(SocketAddr::from(([127, 0, 0, 1], proxy.port))).await;
    if scenario.server.listens {
        server.finished(1).await;
    }
    server.stop().await;
    proxy.finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_live_is_told_again() -> Outcome<()> {
    for name in SCENARIOS {
        let live = played(name).await?;
        let again = follow(only(&live), &["--speed", "1000"]);
        assert_eq!(text(&again.stdout), told(&live.output), "{name}: {}", text(&again.stderr));
        assert_eq!(again.status.code(), Some(i32::from(!name.starts_with("healthy"))), "{name}");
    }
    Ok(())
}

/// By the times of what was seen alone: neither the relay's own pace nor that of the re-run tells what is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_whom_a_session_waits_is_told_live_and_again() -> Outcome<()> {
    let mut scenario = *Scenario::named("silence-after-request").expect("a scenario");
    scenario.client.patience_ms = 2500;
    let live = played_as(scenario).await?;
    let again = follow(only(&live), &["--speed", "1000"]);
    assert_eq!(text(&again.stdout), told(&live.output), "{}", text(&again.stderr));
    let waits = "negotiation           waiting for the server's X.224 confirm, 2 s\n";
    assert_eq!(live.output.matches(waits).count(), 1, "{}", live.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_through_a_gateway_keeps_its_name_from_the_first_line() -> Outcome<()> {
    let scenario = GatewayScenario::named("cap-denied").expect("a scenario");
    let gateway = scenario.serve().await?;
    let (to, at) = (format!("localhost:{}", gateway.addr.port()), gateway.addr.to_string());
    let mut command = Command::new(program());
    command.args(["proxy", "--gateway", "--to", &to, "--connect-to", &at]);
    let proxy = Proxy::run(command)?;
    scenario.connect(SocketAddr::from(([127, 0, 0, 1], proxy.port))).await;
    let live = proxy.finish()?;
    let again = follow(only(&live), &["--speed", "1000"]);
    assert_eq!(text(&again.stdout), told(&live.output), "{}", text(&again.stderr));
    assert!(text(&again.stdout).lines().next().is_some_and(|line| line.contains("#1.1 of 127.0.0.1 ")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_live_with_secrets_is_read_again() -> Outcome<()> {
    let scenario = Scenario::named("errinfo-denied").expect("a scenario");
    let (folder, secrets) = (Folder::new()?, LabSecrets::default());
    let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await?;
    let log = folder.path().join("keys.txt");
    let mut command = Command::new(program());
    let to = format!("localhost:{}", server.addr.port());
    command.args(["proxy", "--to", &to, "--connect-to", &server.addr.to_string(), "--keylog"]).arg(&log);
    let proxy = Proxy::run(command)?;
    scenario.connect(SocketAddr::from(([127, 0, 0, 1], proxy.port))).await;
    server.finished(1).await;
    server.stop().await;
    fs::write(&log, secrets.log())?;
    let live = proxy.finish()?;
    let again = follow(only(&live), &["--speed", "1000"]);
    assert_eq!(text(&again.stdout), told(&live.output), "{}", text(&again.stderr));
    assert!(!live.output.contains("inferred"), "{}", live.output);
    Ok(())
}

#[test]
fn one_that_is_being_recorded_is_followed_to_its_end() -> Outcome<()> {
    let whole = fs::read(golden("reset-after-client-hello"))?;
    let (folder, middle) = (Folder::new()?, whole.len() / 2);
    let file = folder.path().join("growing.pcapng");
    fs::write(&file, &whole[..middle])?;
    let mut command = Command::new(program());
    command.args(["analyze", "--follow", "--speed", "1000"]).arg(&file).stdin(Stdio::null());
    let mut process = Process::start(&mut command, folder.path())?;
    process.wait_ready(|process| process.output().contains("has no end yet").then_some(()))?;
    assert!(process.output().contains(" begins\n"), "it tells what is there: {}", process.output());
    let mut more = File::options().append(true).open(&file)?;
    std::io::Write::write_all(&mut more, &whole[middle..])?;
    assert_eq!(process.wait(Duration::from_secs(20))?.code(), Some(1));
    let expected = text(&follow(&golden("reset-after-client-hello"), &["--speed", "1000"]).stdout);
    let output: String = process.output().split_inclusive('\n').filter(|line| !line.starts_with("note: ")).collect();
    assert_eq!(output, expected);
    Ok(())
}

#[test]
fn one_that_nobody_writes_any_more_ends_where_it_breaks_off() -> Outcome<()> {
    let whole = fs::read(golden("healthy-tls12"))?;
    let folder = Folder::new()?;
    let path = folder.path().join("cut.pcapng");
    fs::write(&path, &whole[..whole.len() / 2])?;
    File::options().append(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(7200))?;
    let output = follow(&path, &["--speed", "1000"]);
    assert!(text(&output.stderr).contains("breaks off"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).lines().last().is_some_and(|line| !line.is_empty()));
    Ok(())
}

#[test]
fn what_cannot_be_followed_is_said() -> Outcome<()> {
    let folder = Folder::new()?;
    let empty = folder.write("empty.pcapng", "")?;
    for (arguments, says) in [
        (vec![folder.path().to_owned()], "expects a recording, found the folder"),
        (vec![golden("refused"), golden("ssh")], "expects one recording, found 2"),
        (vec![folder.path().join("none")], "cannot open"),
        (vec![empty], "found an empty file"),
    ] {
        let output = Command::new(program()).args(["analyze", "--follow"]).args(arguments).output()?;
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{says}: {said}");
    }
    for speed in ["0", "-1", "fast", "NaN"] {
        let output = follow(&golden("refused"), &[&format!("--speed={speed}")]);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("expected a number"), "{said}");
    }
    Ok(())
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(format!("{name}.pcapng"))
}
