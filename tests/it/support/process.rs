//! Programs that a test starts: found or reported missing, output kept in a file, ended with the test.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is looked at while waiting for it.
const TICK: Duration = Duration::from_millis(10);

/// Why a peer is not there.
#[derive(Debug)]
pub enum Trouble {
    /// This machine lacks something: the test is skipped, loudly.
    Missing(String),
    /// It is there and did not do its work: the test fails.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Missing(what) => write!(f, "missing on this machine: {what}"),
            Trouble::Failed(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Failed(error.to_string())
    }
}

/// What every helper returns.
pub type Outcome<T> = Result<T, Trouble>;

/// Runs the body of a test. A missing program skips it with a line that no reader overlooks, except where
/// RDPSCOPE_REQUIRE_PEERS=1 (as in `scripts/test`) turns that into a failure.
pub fn with_peers(test: &str, body: impl FnOnce() -> Outcome<()>) {
    let required = std::env::var_os("RDPSCOPE_REQUIRE_PEERS").is_some_and(|value| value == "1");
    match body() {
        Ok(()) => {}
        // Straight to the terminal: a passing test's eprintln! would be swallowed by the harness.
        Err(Trouble::Missing(what)) if !required => {
            io::Write::write_all(&mut io::stderr(), format!("\n!!! SKIPPED {test}: {what}\n").as_bytes()).unwrap()
        }
        Err(trouble) => panic!("{test}: {trouble}"),
    }
}

/// The full path of a program, also where Debian keeps those that are not on a user's PATH.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/lib/wine"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Trouble::Missing(format!("program {name} (scripts/test installs it)")))
}

/// Whether this process is root, which xrdp's socket folder and network namespaces need.
pub fn need_root(what: &str) -> Outcome<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).and_then(|ids| ids.split_whitespace().nth(1));
    if uid == Some("0") { Ok(()) } else { Err(Trouble::Missing(format!("root, for {what}"))) }
}

/// A folder of its own for one test, 0700, removed on drop.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it under the system's temporary folder.
    pub fn new() -> Outcome<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rdpscope-it-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it and returns the file's path.
    pub fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // RDPSCOPE_KEEP=1 leaves logs and recordings for a person to read.
        if std::env::var_os("RDPSCOPE_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A port nobody listens on. It lies below the kernel's ephemeral range, so that no connection made meanwhile takes it,
/// and where tshark knows no protocol by number.
pub fn free_port() -> Outcome<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id() * 37;
    for _ in 0..2000 {
        let port = 25_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 2_000;
        let port = u16::try_from(port).expect("below 27 000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Trouble::Failed("no free port between 25000 and 26999".into()))
}

/// Looks again and again until `ready` has an answer or the time is up.
pub fn wait_for<T>(limit: Duration, mut ready: impl FnMut() -> Outcome<Option<T>>) -> Outcome<Option<T>> {
    let began = Instant::now();
    loop {
        if let Some(answer) = ready()? {
            return Ok(Some(answer));
        }
        if began.elapsed() > limit {
            return Ok(None);
        }
        thread::sleep(TICK);
    }
}

/// A started program with its descendants. Its output goes to a file; all of it is ended on drop.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts it in a process group of its own, so that its forks (xrdp makes one per connection) can be ended too.
    pub fn start(command: &mut Command, folder: &Path) -> Outcome<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&log)?;
        let child = command
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .map_err(|error| Trouble::Failed(format!("{name} does not start: {error}")))?;
        Ok(Process { child, name, log, ended: None })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        match wait_for(limit, || self.ended())? {
            Some(status) => Ok(status),
            None => Err(self.failed(&format!("still runs after {limit:?}"))),
        }
    }

    /// Waits until `ready` has an answer; that the program ends first, or takes ten seconds, is a failure.
    pub fn wait_ready<T>(&mut self, mut ready: impl FnMut(&Self) -> Option<T>) -> Outcome<T> {
        let answer = wait_for(Duration::from_secs(10), || match (ready(self), self.ended()?) {
            (Some(answer), _) => Ok(Some(answer)),
            (None, Some(status)) => Err(self.failed(&format!("ended at once: {status}"))),
            (None, None) => Ok(None),
        })?;
        answer.ok_or_else(|| self.failed("not ready after 10 s"))
    }

    /// Waits until somebody accepts connections on the loopback port.
    pub fn wait_listening(&mut self, port: u16) -> Outcome<()> {
        self.wait_ready(|_| TcpStream::connect(("127.0.0.1", port)).ok()).map(drop)
    }

    /// The same without a connection, which some would take for a client's: until the port is taken.
    pub fn wait_bound(&mut self, port: u16) -> Outcome<()> {
        self.wait_ready(|_| TcpListener::bind(("127.0.0.1", port)).is_err().then_some(()))
    }

    /// Sends the leader a signal by name ("INT").
    pub fn signal(&self, signal: &str) -> Outcome<()> {
        self.send(signal, &self.child.id().to_string())
    }

    /// An error that carries the program's name and the end of its output.
    pub fn failed(&self, what: &str) -> Trouble {
        let output = self.output();
        let tail: Vec<&str> = output.lines().rev().take(20).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Trouble::Failed(format!("{} {what}; its output ends:\n{}", self.name, tail.join("\n")))
    }

    fn send(&self, signal: &str, whom: &str) -> Outcome<()> {
        // The shell's own `kill`: std has none for other signals or whole groups, and procps may be missing.
        Command::new("sh").args(["-c", &format!("kill -{signal} {whom}")]).stderr(Stdio::null()).status()?;
        Ok(())
    }
}

impl Process {
    /// Ends it and what it has forked as kill -9 does.
    pub fn kill(mut self) -> Outcome<()> {
        self.send("KILL", &format!("-{}", self.child.id()))?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First in order: an X server then removes its lock and socket files.
        let group = format!("-{}", self.child.id());
        let _ = self.send("TERM", &group);
        let _ = wait_for(Duration::from_secs(1), || self.ended());
        // The group outlives its leader while a fork still runs, so it is killed whether or not the leader has ended.
        let _ = self.send("KILL", &group);
        let _ = self.child.wait();
    }
}
