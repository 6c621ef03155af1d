//! A proxy that is stopped itself (SIGSTOP stands in for a suspended machine), and one whose clock is set under it: that time
//! is charged to nobody, and both are told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use proxy::lab::{Scenario, Session, certificate, wire};
use serde_json::Value;

use crate::support::process::{Folder, Outcome, Trouble, wait_for, with_peers};
use crate::support::program::{Proxy, analyze, program};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Where Debian keeps it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A server that confirms a request after so long, and then keeps the connection open until the client leaves.
fn server(after: Duration) -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve(stream?, after));
        }
    });
    Ok(port)
}

fn serve(mut stream: TcpStream, after: Duration) -> std::io::Result<()> {
    let mut request = vec![0; wire::connection_request("alice", None).len()];
    stream.read_exact(&mut request)?;
    thread::sleep(after);
    stream.write_all(&wire::connection_confirm(None))?;
    stream.read_to_end(&mut request).map(drop)
}

/// A client that has asked.
fn client(proxy: &Proxy) -> Outcome<TcpStream> {
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    client.set_read_timeout(Some(SOON))?;
    client.write_all(&wire::connection_request("alice", None))?;
    Ok(client)
}

fn confirmed(client: &mut TcpStream) -> Outcome<()> {
    let mut confirm = vec![0; wire::connection_confirm(None).len()];
    Ok(client.read_exact(&mut confirm)?)
}

/// Stops the proxy for so long.
fn pause(proxy: &Proxy, length: Duration) -> Outcome<()> {
    proxy.signal("STOP")?;
    thread::sleep(length);
    proxy.signal("CONT")
}

/// Waits until it has said this.
fn says(proxy: &Proxy, what: &str) -> Outcome<()> {
    let said = wait_for(SOON, || Ok(proxy.output().contains(what).then_some(())))?;
    said.ok_or_else(|| Trouble::Failed(format!("it never said {what:?}: {}", proxy.output())))
}

fn before(port: u16) -> Command {
    let mut command = Command::new(program());
    command.args(["proxy", "--to", &format!("127.0.0.1:{port}")]);
    command
}

fn session(document: &Value, place: usize) -> Value {
    let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
    let all = attempts.iter().flat_map(|attempt| attempt["sessions"].as_array().cloned().unwrap_or_default());
    all.into_iter().nth(place).unwrap_or_default()
}

fn seconds(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN) / 1e9
}

/// The server takes one second, and the proxy is stopped for six.
#[test]
fn a_proxy_that_was_stopped_blames_nobody() {
    with_peers("a_proxy_that_was_stopped_blames_nobody", || {
        let proxy = Proxy::run(before(server(Duration::from_secs(1))?))?;
        let mut client = client(&proxy)?;
        thread::sleep(Duration::from_millis(300));
        pause(&proxy, Duration::from_secs(6))?;
        confirmed(&mut client)?;
        says(&proxy, "THE PROXY ITSELF was stopped for ")?;
        // Whoever leaves right behind a stop left because of it.
        thread::sleep(Duration::from_millis(100));
        drop(client);
        says(&proxy, "#1 failed")?;
        let finished = proxy.finish()?;
        assert!(!finished.output.contains("waiting for"), "{}", finished.output);
        let (_, document) = analyze(&finished.recordings)?;
        let session = session(&document, 0);
        let stopped = seconds(&session["lapses"]["stopped_ns"]);
        assert!((5.9..8.0).contains(&stopped), "{session:#}");
        let phases = session["phases"].as_array().cloned().unwrap_or_default();
        let negotiation = phases.iter().find(|phase| phase["phase"] == "negotiation").cloned().unwrap_or_default();
        let (took, server) = (seconds(&negotiation["duration_ns"]), seconds(&negotiation["waited_ns"]["server"]));
        assert!((0.2..2.5).contains(&took) && server <= took, "{negotiation:#}");
        // Where the kernel stamps what comes, it is known when the answer came.
        assert!(!cfg!(target_os = "linux") || (0.9..2.5).contains(&server), "{negotiation:#}");
        for stall in session["stalls"].as_array().into_iter().flatten() {
            assert!(seconds(&stall["lasted_ns"]) < 2.5, "{stall:#}");
        }
        let altered = session["altered_by_proxy"].to_string();
        assert!(altered.contains("was stopped for 6."), "{altered}");
        Ok(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_session_stays_one_while_the_proxy_is_stopped() {
    let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    scenario.server.session = Session { bursts: 40, updates: 2, update_len: 2000, pause_ms: 100 };
    let served = scenario.serve().await.expect("serve");
    let mut command = Command::new(program());
    let (name, addr) = (certificate::NAME, served.addr);
    command.args(["proxy", "--to", &format!("{name}:{}", addr.port()), "--connect-to", &addr.to_string()]);
    let proxy = Proxy::run(command).expect("a proxy");
    let listens = std::net::SocketAddr::from(([127, 0, 0, 1], proxy.port));
    let (proxy, ()) = tokio::join!(
        async {
            let waits = tokio::task::spawn_blocking(move || {
                proxy.wait_active().expect("active");
                pause(&proxy, Duration::from_secs(3)).expect("a pause");
                proxy
            });
            waits.await.expect("no panic")
        },
        async { drop(scenario.connect(listens).await) }
    );
    says(&proxy, "THE PROXY ITSELF was stopped for 3").expect("it notices");
    says(&proxy, "#1 connected").expect("a verdict");
    let finished = proxy.finish().expect("it ends");
    let (code, document) = analyze(&finished.recordings).expect("an analysis");
    let session = session(&document, 0);
    assert_eq!((code, &session["outcome"]), (Some(0), &Value::from("connected")), "{session:#}");
    let failures = session["findings"].as_array().into_iter().flatten().filter(|finding| finding["severity"] != "note");
    assert_eq!(failures.count(), 0, "{session:#}");
    assert_eq!(session["lapses"]["count"], 1, "{session:#}");
}

#[test]
fn each_session_begins_by_the_clock_as_it_stands() {
    with_peers("each_session_begins_by_the_clock_as_it_stands", || {
        if !Path::new(FAKETIME).is_file() {
            return Err(Trouble::Missing("libfaketime (Debian: libfaketime)".into()));
        }
        let folder = Folder::new()?;
        let clock = folder.write("clock", "+0\n")?;
        let mut command = before(server(Duration::ZERO)?);
        command.env("LD_PRELOAD", FAKETIME).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let proxy = Proxy::run(command)?;
        let ask = || -> Outcome<TcpStream> {
            let mut client = client(&proxy)?;
            confirmed(&mut client)?;
            Ok(client)
        };
        let first = ask()?;
        folder.write("clock", "+3600s\n")?;
        says(&proxy, "THE PROXY ITSELF saw the clock of its machine set forward by 3600.0 s")?;
        let second = ask()?;
        folder.write("clock", "-7200s\n")?;
        says(&proxy, "THE PROXY ITSELF saw the clock of its machine set back by 10800.0 s")?;
        let third = ask()?;
        drop((first, second, third));
        says(&proxy, "#3 ")?;
        let finished = proxy.finish()?;
        assert_eq!(finished.recordings.len(), 3, "{}", finished.output);
        let mut told: Vec<(f64, u64, f64)> = Vec::new();
        let mut names = Vec::new();
        for recording in &finished.recordings {
            let (_, document) = analyze(std::slice::from_ref(recording))?;
            let session = session(&document, 0);
            let phases = session["phases"].as_array().cloned().unwrap_or_default();
            let took: f64 = phases.iter().map(|phase| seconds(&phase["duration_ns"])).sum();
            told.push((seconds(&phases[0]["began_ns"]), session["lapses"]["count"].as_u64().unwrap_or(0), took));
            let name = recording.file_name().unwrap_or_default().to_string_lossy().into_owned();
            names.push((name.rsplit_once('-').map(|(_, number)| number.to_owned()), name));
        }
        // By their numbers: their names are in the order of the clock.
        let at = |number: &str| {
            let is = |(of, _): &&(Option<String>, String)| of.as_ref().is_some_and(|of| of.starts_with(number));
            names.iter().position(|name| is(&name)).map(|place| told[place]).unwrap_or_default()
        };
        let (first, second, third) = (at("00001"), at("00002"), at("00003"));
        assert!((3600.0..3660.0).contains(&(second.0 - first.0)), "{told:?} {names:?}");
        assert!((7140.0..7200.0).contains(&(first.0 - third.0)), "{told:?} {names:?}");
        assert_eq!((first.1, second.1, third.1), (2, 1, 0), "{told:?}");
        assert!(told.iter().all(|(_, _, took)| (0.0..60.0).contains(took)), "no length knows of a step: {told:?}");
        Ok(())
    });
}
