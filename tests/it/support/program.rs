//! The program under test, run as a person runs it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::{Folder, Outcome, Process, Trouble, wait_for};

/// RDPSCOPE_PROGRAM puts another build in its place: scripts/test runs a session with the Windows one under wine.
pub fn program() -> OsString {
    std::env::var_os("RDPSCOPE_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_rdpscope").into())
}

/// How long a session may take to become active.
const CONNECTS: Duration = Duration::from_secs(30);

/// A running `rdpscope proxy`.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    process: Process,
    folder: Folder,
    out: PathBuf,
}

/// What it leaves behind.
pub struct Finished {
    /// Its exit code after Ctrl-C.
    pub code: Option<i32>,
    /// Everything it printed.
    pub output: String,
    /// One recording per session, in the order of their names.
    pub recordings: Vec<PathBuf>,
    _folder: Folder,
}

impl Proxy {
    /// Starts it before `localhost:port`, on any free port, recording into a folder of its own.
    pub fn before(port: u16) -> Outcome<Self> {
        let mut command = Command::new(program());
        // The name resolves to ::1 too; the servers here listen on IPv4 alone.
        command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
        Proxy::run(command)
    }

    /// Starts it as `command` says, which names the target and leaves the rest to this.
    pub fn run(command: Command) -> Outcome<Self> {
        let folder = Folder::new()?;
        let out = folder.path().join("out");
        Proxy::start(command, folder, out)
    }

    /// The same, recording into a folder of the test's.
    pub fn run_into(command: Command, out: &Path) -> Outcome<Self> {
        Proxy::start(command, Folder::new()?, out.to_owned())
    }

    /// The same as [`Proxy::run`], listening on this address.
    pub fn run_at(command: Command, ip: &str) -> Outcome<Self> {
        let folder = Folder::new()?;
        let out = folder.path().join("out");
        Proxy::start_at(ip, command, folder, out)
    }

    fn start(command: Command, folder: Folder, out: PathBuf) -> Outcome<Self> {
        Proxy::start_at("127.0.0.1", command, folder, out)
    }

    fn start_at(ip: &str, mut command: Command, folder: Folder, out: PathBuf) -> Outcome<Self> {
        command.args(["--listen", &format!("{ip}:0"), "--out"]).arg(&out).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        let port = process.wait_ready(|process| listening_on(&process.output(), ip))?;
        Ok(Proxy { port, process, folder, out })
    }

    /// Where the recordings are.
    pub fn out(&self) -> PathBuf {
        self.out.clone()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Asks with SIGUSR1 how long sessions have taken so far, and waits for as many as there must be.
    pub fn ask(&mut self, sessions: &str) -> Outcome<()> {
        self.process.wait_ready(|process| {
            // The last session may still be on its way: asked again until it is counted.
            process.signal("USR1").ok()?;
            process.output().contains(sessions).then_some(())
        })
    }

    /// Waits until it has told that a session is active.
    pub fn wait_active(&self) -> Outcome<()> {
        let is_told = |line: &str| line.contains(" active ") && line.contains("begins");
        let active = wait_for(CONNECTS, || Ok(self.output().lines().any(is_told).then_some(())))?;
        active.ok_or_else(|| self.process.failed("has no active session"))
    }

    /// Presses Ctrl-C and waits until it has closed its recordings.
    pub fn finish(self) -> Outcome<Finished> {
        self.end("INT")
    }

    /// Ends it as kill -9 does.
    pub fn kill(self) -> Outcome<Finished> {
        self.end("KILL")
    }

    /// Sends it a signal, and waits for nothing.
    pub fn signal(&self, signal: &str) -> Outcome<()> {
        self.process.signal(signal)
    }

    /// Sends it a signal and waits until it has ended.
    pub fn end(mut self, signal: &str) -> Outcome<Finished> {
        self.process.signal(signal)?;
        let code = self.process.wait(Duration::from_secs(10))?.code();
        let recordings = recordings(&self.out())?;
        Ok(Finished { code, output: self.process.output(), recordings, _folder: self.folder })
    }
}

fn listening_on(output: &str, ip: &str) -> Option<u16> {
    let (_, rest) = output.split_once(&format!("listening on {ip}:"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // Only a whole line: the number may still be on its way.
    if rest.contains('\n') { digits.parse().ok() } else { None }
}

/// The recordings in a folder, in the order of their names.
pub fn recordings(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pcapng") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `rdpscope analyze --format json FILE...`: the exit code and the document.
pub fn analyze(files: &[PathBuf]) -> Outcome<(Option<i32>, serde_json::Value)> {
    let output = Command::new(program()).args(["analyze", "--format", "json"]).args(files).output()?;
    let document = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Trouble::Failed(format!("analyze printed no JSON ({error}); it said: {said}"))
    })?;
    Ok((output.status.code(), document))
}
