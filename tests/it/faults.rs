//! What goes wrong around a proxy that records: the disk, the files, the clock, clients in thousands, peers that do not read. The
//! relay keeps its sessions alive, and says what happened.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use proxy::lab::{End, Scenario, Session, certificate, wire};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::process::{Folder, Outcome, Trouble, need_root, program as found, wait_for, with_peers};
use crate::support::program::{Proxy, analyze, program, recordings};
use crate::support::recorded::analyze as read_back;

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Pictures of 1.5 MB in two seconds.
const LONG: Session = Session { bursts: 24, updates: 8, update_len: 8000, pause_ms: 80 };

/// The lab's server in this process, and whoever plays its client.
struct Lab {
    runtime: Runtime,
    scenario: Scenario,
    server: SocketAddr,
    _serving: proxy::lab::Server,
}

impl Lab {
    fn healthy(session: Session) -> Outcome<Lab> {
        let runtime = Runtime::new()?;
        let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
        scenario.server.session = session;
        let serving = runtime.block_on(scenario.serve())?;
        Ok(Lab { runtime, scenario, server: serving.addr, _serving: serving })
    }

    /// The program before it, to be changed.
    fn proxy(&self) -> Command {
        let mut command = Command::new(program());
        command.args(["proxy", "--to", certificate::NAME, "--connect-to", &self.server.to_string()]);
        command
    }

    /// A client's session goes as it should.
    fn plays(&self, port: u16) {
        let report = self.runtime.block_on(self.scenario.connect(([127, 0, 0, 1], port).into()));
        assert!(matches!(report.end, End::Clean | End::Eof), "{report:?}");
    }
}

fn says(proxy: &Proxy, what: &str) -> Outcome<()> {
    let said = wait_for(SOON, || Ok(proxy.output().contains(what).then_some(())))?;
    said.ok_or_else(|| Trouble::Failed(format!("it never says {what:?}:\n{}", proxy.output())))
}

/// A folder of so many kilobytes, as long as this lives.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    fn mount(at: &Path, kilobytes: u32) -> Outcome<SmallDisk<'_>> {
        need_root("a small disk")?;
        let size = format!("size={kilobytes}k,mode=0700");
        let mounted = Command::new(found("mount")?).args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status()?;
        if mounted.success() { Ok(SmallDisk(at)) } else { Err(Trouble::Missing("mount of a tmpfs".into())) }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_ends_recordings_and_not_sessions() {
    with_peers("a_full_disk_ends_recordings_and_not_sessions", || {
        let lab = Lab::healthy(LONG)?;
        let folder = Folder::new()?;
        let disk = SmallDisk::mount(folder.path(), 600)?;
        let proxy = Proxy::run_into(lab.proxy(), disk.0)?;
        lab.plays(proxy.port);
        says(&proxy, "RECORDING FAILED: No space left on device")?;
        says(&proxy, "bytes of it could not")?;
        lab.plays(proxy.port); // Nothing of it can be written, and it goes as well.
        let cut = recordings(disk.0)?;
        let (_, document) = analyze(&cut[..1])?;
        let session = &document["attempts"][0]["sessions"][0];
        assert_eq!(session["facts"]["selected"], "SSL", "what was written can be read: {session}");
        for file in &cut {
            fs::remove_file(file)?;
        }
        let output = proxy.finish()?.output;
        assert_eq!(output.matches("connected: active after").count(), 4, "each is told, and summed up: {output}");
        Ok(())
    });
}

#[test]
fn a_folder_that_is_removed_is_made_again_for_the_next_session() -> Outcome<()> {
    let lab = Lab::healthy(LONG)?;
    let kept = Folder::new()?;
    let out = kept.path().join("out");
    let proxy = Proxy::run_into(lab.proxy(), &out)?;
    thread::scope(|scope| {
        let playing = scope.spawn(|| lab.plays(proxy.port));
        let begun = wait_for(SOON, || Ok((recordings(&out).unwrap_or_default().len() == 1).then_some(())))?;
        assert!(begun.is_some());
        fs::remove_dir_all(&out)?;
        playing.join().expect("the session goes on");
        Ok::<(), Trouble>(())
    })?;
    lab.plays(proxy.port);
    let finished = proxy.finish()?;
    // What was recorded of the first from then on, and the second.
    let [rest, whole] = &finished.recordings[..] else { panic!("{}", finished.output) };
    let (_, document) = analyze(std::slice::from_ref(rest))?;
    assert!(document.to_string().contains("it begins with part 2 of its recording"), "{document}");
    let (code, document) = analyze(std::slice::from_ref(whole))?;
    assert_eq!((code, &document["attempts"][0]["outcome"]), (Some(0), &Value::from("connected")));
    Ok(())
}

#[test]
fn a_folder_that_may_not_be_written_any_more_is_told() {
    with_peers("a_folder_that_may_not_be_written_any_more_is_told", || {
        need_root("another user")?;
        let lab = Lab::healthy(Session { bursts: 1, ..LONG })?;
        let kept = Folder::new()?;
        fs::set_permissions(kept.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let out = kept.path().join("out");
        fs::create_dir(&out)?;
        std::os::unix::fs::chown(&out, Some(65534), Some(65534))?;
        // The program may stand where nobody else can reach it.
        let copy = kept.path().join("rdpscope");
        fs::copy(program(), &copy)?;
        let mut command = Command::new(found("setpriv")?);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        command.args(["proxy", "--to", certificate::NAME, "--connect-to", &lab.server.to_string()]);
        let proxy = Proxy::run_into(command, &out)?;
        lab.plays(proxy.port);
        fs::set_permissions(&out, std::os::unix::fs::PermissionsExt::from_mode(0o500))?;
        lab.plays(proxy.port);
        says(&proxy, "#2 RECORDING FAILED: Permission denied")?;
        fs::set_permissions(&out, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        lab.plays(proxy.port);
        assert_eq!(proxy.finish()?.recordings.len(), 2);
        Ok(())
    });
}

#[test]
fn whatever_the_umask_is_recordings_are_for_their_owner_alone() -> Outcome<()> {
    let lab = Lab::healthy(LONG)?;
    let folder = Folder::new()?;
    let (out, report) = (folder.path().join("out"), folder.path().join("report.html"));
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(program());
    command.args(["proxy", "--to", certificate::NAME, "--connect-to", &lab.server.to_string()]);
    command.args(["--rotate", "200kB", "--report"]).arg(&report);
    let proxy = Proxy::run_into(command, &out)?;
    lab.plays(proxy.port);
    let mut files = proxy.finish()?.recordings;
    assert!(files.len() > 1, "one file is no rotation");
    files.push(report);
    let mode = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    assert_eq!(mode(&out)?, 0o700);
    for file in &files {
        assert_eq!(mode(file)?, 0o600, "{}", file.display());
    }
    Ok(())
}

/// The phases that lines of the program say have begun.
fn begun(output: &str) -> Vec<String> {
    let lines = output.lines().filter(|line| line.contains(" #1 ") && line.contains(" begins"));
    lines.filter_map(|line| line.split_whitespace().nth(3).map(str::to_owned)).collect()
}

/// What the program has said of a session stands in its recording, whenever it is killed.
#[test]
fn killed_at_any_moment_it_leaves_what_it_has_told() -> Outcome<()> {
    const KILLS: u64 = 200;
    let lab = Lab::healthy(Session { pause_ms: 1, ..LONG })?;
    let (mut random, mut told, mut active) = (0x9e37_79b9_7f4a_7c15_u64, 0, 0);
    for _ in 0..KILLS {
        let proxy = Proxy::run(lab.proxy())?;
        let (scenario, address) = (lab.scenario, SocketAddr::from(([127, 0, 0, 1], proxy.port)));
        let playing = lab.runtime.spawn(async move { scenario.connect(address).await });
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_micros(random % 150_000));
        let said = begun(&proxy.output());
        let killed = proxy.kill()?;
        playing.abort();
        told += said.len();
        let Some(recording) = killed.recordings.first().filter(|file| file.metadata().is_ok_and(|it| it.len() > 0))
        else {
            assert!(said.is_empty(), "told and not recorded: {said:?}");
            continue;
        };
        let session = read_back(recording);
        let recorded: Vec<&str> = session.timeline.phases.iter().map(|phase| phase.name.name()).collect();
        let lost: Vec<&String> = said.iter().filter(|phase| !recorded.contains(&phase.as_str())).collect();
        assert!(lost.is_empty(), "{lost:?} were told and are not among {recorded:?}");
        active += usize::from(recorded.contains(&"active"));
    }
    assert!(
        told > 200 && active > 10,
        "{told} phases were told, {active} sessions were active: it is killed too early"
    );
    Ok(())
}

/// A library that lets the wall clock jump, forward and back.
fn stepping_clock(folder: &Path) -> Outcome<std::path::PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/clock.c");
    let library = folder.join("clock.so");
    let mut gcc = Command::new(found("gcc")?);
    gcc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    if gcc.status()?.success() { Ok(library) } else { Err(Trouble::Failed("gcc cannot make clock.so".into())) }
}

#[test]
fn a_clock_that_is_stepped_changes_no_time() {
    with_peers("a_clock_that_is_stepped_changes_no_time", || {
        let folder = Folder::new()?;
        let lab = Lab::healthy(LONG)?;
        let mut command = lab.proxy();
        command.arg("--verbose").env("LD_PRELOAD", stepping_clock(folder.path())?);
        let proxy = Proxy::run(command)?;
        lab.plays(proxy.port);
        lab.plays(proxy.port);
        let finished = proxy.finish()?;
        let reads = finished.output.matches("the wall clock was read").count();
        assert!(reads >= 2, "the library was never asked: {}", finished.output);
        for file in &finished.recordings {
            let session = read_back(file);
            let took = session.timeline.last.since(session.timeline.began.expect("a beginning"));
            assert!(took < Duration::from_secs(600), "{took:?}");
            assert_eq!(session.outcome.name(), "connected");
        }
        Ok(())
    });
}

#[test]
fn without_file_descriptors_clients_wait_and_sessions_go_on() {
    with_peers("without_file_descriptors_clients_wait_and_sessions_go_on", || {
        let server = TcpListener::bind("127.0.0.1:0")?;
        let to = server.local_addr()?.to_string();
        let mut command = Command::new(found("prlimit")?);
        command.arg("--nofile=64").arg(program()).args(["proxy", "--to", "localhost", "--connect-to", &to]);
        let proxy = Proxy::run(command)?;
        thread::spawn(move || echo(&server));
        let connect = || TcpStream::connect(("127.0.0.1", proxy.port));
        let mut clients = (0..100).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
        says(&proxy, "10 sessions go on, and this process may open no more files: further clients wait")?;
        let first = clients.first_mut().expect("the first");
        assert_eq!(asked(first)?, *b"ping", "a session that stands goes on");
        let mut last = clients.pop().expect("the last");
        drop(clients);
        assert_eq!(asked(&mut last)?, *b"ping", "who waited is served once others have gone");
        drop(last);
        let output = proxy.finish()?.output;
        assert!(!output.contains("TCP-"), "the server is not to blame: {output}");
        Ok(())
    });
}

/// Sends everything back, to any number of clients.
fn echo(server: &TcpListener) {
    for client in server.incoming().flatten() {
        thread::spawn(move || {
            let mut reader = client.try_clone().expect("a clone");
            let mut writer = client;
            std::io::copy(&mut reader, &mut writer)
        });
    }
}

fn asked(client: &mut TcpStream) -> Outcome<[u8; 4]> {
    client.set_read_timeout(Some(SOON))?;
    client.write_all(b"ping")?;
    let mut answer = [0; 4];
    client.read_exact(&mut answer)?;
    Ok(answer)
}

/// Resident memory of a process, kilobytes.
fn memory(proxy: &Proxy) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", proxy.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| Trouble::Failed(format!("no memory in {status}")))
}

#[test]
fn six_thousand_clients_that_say_nothing_cost_little_and_stop_nobody() -> Outcome<()> {
    const SILENT: usize = 6_000;
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let files = rustix::process::Rlimit { current: files.maximum, ..files };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, files)
        .map_err(|error| Trouble::Failed(error.to_string()))?;
    let lab = Lab::healthy(LONG)?;
    let proxy = Proxy::run(lab.proxy())?;
    lab.plays(proxy.port);
    let before = memory(&proxy)?;
    let mut clients = Vec::new();
    for _ in 0..SILENT {
        clients.push(TcpStream::connect(("127.0.0.1", proxy.port))?);
    }
    says(&proxy, "#6000 ")?;
    lab.plays(proxy.port);
    let each = memory(&proxy)?.saturating_sub(before) / SILENT as u64;
    // 47 as measured, in release and otherwise; most of it is what the timelines of both legs know.
    assert!(each <= 64, "{each} kB for each");
    drop(clients);
    proxy.finish()?;
    Ok(())
}

/// Writes until nothing is taken for a second, and says how much was.
fn pushed(mut to: TcpStream) -> Outcome<usize> {
    to.set_write_timeout(Some(Duration::from_secs(1)))?;
    let (piece, mut sum) = (vec![0; 1 << 16], 0);
    loop {
        match to.write(&piece) {
            Ok(taken) => sum += taken,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(sum),
            Err(error) => return Err(error.into()),
        }
    }
}

#[test]
fn a_peer_that_does_not_read_holds_the_other_back() -> Outcome<()> {
    // What the kernels of three sockets hold at most, and what the relay reads at once.
    const MOST: usize = 64 << 20;
    for server_reads in [true, false] {
        let server = TcpListener::bind("127.0.0.1:0")?;
        let mut command = Command::new(program());
        command.args(["proxy", "--to", "localhost", "--connect-to", &server.local_addr()?.to_string()]);
        let proxy = Proxy::run(command)?;
        let client = TcpStream::connect(("127.0.0.1", proxy.port))?;
        let (served, _) = server.accept()?;
        let before = memory(&proxy)?;
        let (reader, writer) = if server_reads { (client, served) } else { (served, client) };
        let taken = pushed(writer.try_clone()?)?;
        assert!(taken < MOST, "{taken} B were taken for a peer that reads nothing");
        let grown = memory(&proxy)?.saturating_sub(before);
        assert!(grown < 32 << 10, "{grown} kB");
        // It comes back, and everything passes.
        drop(thread::spawn(move || std::io::copy(&mut { reader }, &mut std::io::sink())));
        assert!(pushed_on(writer)?, "it goes on");
        proxy.finish()?;
    }
    Ok(())
}

fn pushed_on(mut to: TcpStream) -> Outcome<bool> {
    to.set_write_timeout(Some(SOON))?;
    to.write_all(&vec![0; 1 << 20])?;
    Ok(true)
}

#[test]
fn a_client_that_sends_one_byte_after_the_other_is_understood() -> Outcome<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let mut command = Command::new(program());
    command.args(["proxy", "--to", "localhost", "--connect-to", &server.local_addr()?.to_string()]);
    let proxy = Proxy::run(command)?;
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    client.set_nodelay(true)?;
    let (mut served, _) = server.accept()?;
    for byte in wire::connection_request("alice", Some(1)) {
        client.write_all(&[byte])?;
        served.read_exact(&mut [0])?;
        thread::sleep(Duration::from_millis(20));
    }
    served.write_all(&wire::connection_confirm(Some(1)))?;
    client.read_exact(&mut [0; 19])?;
    drop((client, served));
    let (_, document) = analyze(&proxy.finish()?.recordings)?;
    let facts = &document["attempts"][0]["sessions"][0]["facts"];
    assert_eq!((&facts["selected"], &facts["cookie"]), (&Value::from("SSL"), &Value::from("alice")), "{facts}");
    Ok(())
}

#[test]
fn a_flood_of_clients_leaves_memory_and_the_relay_as_they_were() -> Outcome<()> {
    const ROUNDS: usize = 3_000;
    let lab = Lab::healthy(Session { bursts: 1, ..LONG })?;
    let proxy = Proxy::run(lab.proxy())?;
    let flood = |rounds: usize| -> Outcome<()> {
        for _ in 0..rounds {
            let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
            client.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        }
        Ok(())
    };
    // Sessions of which the summary will tell are kept, up to a thousand; and an allocator keeps what a flood took.
    for _ in 0..2 {
        flood(ROUNDS)?;
        lab.plays(proxy.port);
    }
    let before = memory(&proxy)?;
    flood(ROUNDS)?;
    lab.plays(proxy.port);
    let grown = memory(&proxy)?.saturating_sub(before);
    assert!(grown < 24 << 10, "{grown} kB more after {ROUNDS} further clients");
    proxy.finish()?;
    Ok(())
}
