//! The relays that stand side by side: each is a process of its own, as its users start it, with nothing tuned but what
//! the comparison needs: two threads, no limits, no Nagle.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a relay is started: it listens on the first port and connects to the second. Nothing where no process stands
/// between.
type Start = fn(&Path, u16, u16) -> io::Result<Option<Command>>;

/// Who carries bytes.
pub struct Way {
    pub name: &'static str,
    program: &'static str,
    start: Start,
}

pub const DIRECT: Way = Way { name: "direct", program: "", start: |_, _, _| Ok(None) };
pub const RDPSCOPE: Way = Way {
    name: "rdpscope, no recording",
    program: env!("CARGO_BIN_EXE_rdpscope"),
    start: |folder, port, to| Ok(Some(rdpscope(folder, port, to, &["--record", "none"]))),
};
pub const RECORDED: Way = Way {
    name: "rdpscope, recording",
    program: env!("CARGO_BIN_EXE_rdpscope"),
    start: |folder, port, to| Ok(Some(rdpscope(folder, port, to, &[]))),
};
pub const HAPROXY: Way =
    Way { name: "HAProxy, copying", program: "haproxy", start: |folder, port, to| haproxy(folder, port, to, 9500, "") };
pub const SPLICING: Way = Way {
    name: "HAProxy, splicing",
    program: "haproxy",
    start: |folder, port, to| haproxy(folder, port, to, 4000, "option splice-auto"),
};
pub const NGINX: Way = Way { name: "nginx stream", program: "nginx", start: nginx };
pub const SOCAT: Way =
    Way { name: "socat", program: "socat", start: |_, port, to| Ok(Some(socat(port, to, &["-b", "65536"]))) };
pub const SOCAT_R: Way = Way {
    name: "socat -r",
    program: "socat",
    start: |folder, port, to| {
        let files = ["to", "from"].map(|name| folder.join(name).display().to_string());
        Ok(Some(socat(port, to, &["-b", "65536", "-r", &files[0], "-R", &files[1]])))
    },
};
pub const SSLSPLIT: Way = Way { name: "sslsplit -X", program: "sslsplit", start: sslsplit };

fn rdpscope(folder: &Path, port: u16, to: u16, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdpscope"));
    command.args(["proxy", "--listen", &format!("127.0.0.1:{port}"), "--to", &format!("127.0.0.1:{to}")]);
    command.arg("--out").arg(folder.join("recordings")).args(flags);
    command
}

fn haproxy(folder: &Path, port: u16, to: u16, most: u32, option: &str) -> io::Result<Option<Command>> {
    let config = folder.join("haproxy.cfg");
    let says = format!(
        "global\n  maxconn {most}\n  nbthread 2\n\
         defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n  {option}\n\
         listen bench\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{to}\n"
    );
    fs::write(&config, says)?;
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f"]).arg(config);
    Ok(Some(command))
}

fn nginx(folder: &Path, port: u16, to: u16) -> io::Result<Option<Command>> {
    let config = folder.join("nginx.conf");
    let says = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
         user root; daemon off; worker_processes 2; worker_rlimit_nofile 20000; pid {0}/pid; error_log {0}/log;\n\
         events {{ worker_connections 19000; }}\n\
         stream {{ server {{ listen 127.0.0.1:{port}; proxy_timeout 1h; proxy_pass 127.0.0.1:{to}; }} }}\n",
        folder.display()
    );
    fs::write(&config, says)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(config);
    Ok(Some(command))
}

fn socat(port: u16, to: u16, flags: &[&str]) -> Command {
    let mut command = Command::new("socat");
    command.args(flags);
    command.arg(format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=1024,nodelay"));
    command.arg(format!("TCP:127.0.0.1:{to},nodelay"));
    command
}

fn sslsplit(folder: &Path, port: u16, to: u16) -> io::Result<Option<Command>> {
    let mut command = Command::new("sslsplit");
    command.arg("-D").arg("-X").arg(folder.join("all.pcap"));
    command.args(["-u", "root", "tcp", "127.0.0.1", &port.to_string(), "127.0.0.1", &to.to_string()]);
    Ok(Some(command))
}

/// A way that is open, until it is dropped.
pub struct Open {
    pub name: &'static str,
    /// Where clients connect.
    pub addr: SocketAddr,
    child: Option<Child>,
    pub folder: PathBuf,
    has_failed: Cell<bool>,
}

impl Way {
    /// Opens it, to this server, with this folder of its own. Nothing where its program is not installed.
    pub fn open(&self, server: SocketAddr, folder: &Path) -> io::Result<Option<Open>> {
        let folder = folder.join(self.name.replace([' ', ','], "-"));
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let Some(mut command) = (self.start)(&folder, port, server.port())? else {
            return Ok(Some(Open { name: self.name, addr: server, child: None, folder, has_failed: Cell::default() }));
        };
        command.stdin(Stdio::null()).stdout(File::create(folder.join("stdout"))?);
        command.stderr(File::create(folder.join("stderr"))?).process_group(0);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("!!! {} is not installed: no line for {}", self.program, self.name);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let open = Open {
            name: self.name,
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
            child: Some(child),
            folder,
            has_failed: Cell::default(),
        };
        open.wait_until_it_listens()?;
        Ok(Some(open))
    }
}

impl Open {
    fn wait_until_it_listens(&self) -> io::Result<()> {
        let begun = Instant::now();
        while let Err(error) = TcpStream::connect(self.addr) {
            if begun.elapsed() > Duration::from_secs(10) {
                let says = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
                return Err(io::Error::new(error.kind(), format!("{} does not listen: {error}: {says}", self.name)));
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.settle();
        Ok(())
    }

    /// It did not carry what it was to carry: it is not tried again.
    pub fn fail(&self) {
        self.has_failed.set(true);
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Waits until it uses no processor any more: a recorder may still be writing.
    pub fn settle(&self) {
        let mut before = self.cpu();
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(100));
            let now = self.cpu();
            if now.saturating_sub(before) <= Duration::from_millis(10) {
                return;
            }
            before = now;
        }
    }

    /// Processor time that all of its processes have used so far, those that are gone included.
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = self.stats().flat_map(|stat| [11, 12, 13, 14].map(|at| number(&stat, at))).sum();
        Duration::from_millis(ticks * 10)
    }

    /// How the processor time is shared by its threads, where they are several kinds.
    pub fn threads(&self) -> String {
        let Some(child) = &self.child else { return String::new() };
        let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
        let mut by_name: Vec<(String, u64)> = Vec::new();
        for stat in tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
            let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") ")) else {
                continue;
            };
            let ticks = number(rest, 11) + number(rest, 12);
            match by_name.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += ticks,
                None => by_name.push((name.to_owned(), ticks)),
            }
        }
        if by_name.len() < 2 {
            return String::new();
        }
        let all = by_name.iter().map(|(_, ticks)| ticks).sum::<u64>().max(1);
        let shares: Vec<String> =
            by_name.iter().map(|(name, ticks)| format!("{name} {} %", ticks * 100 / all)).collect();
        format!("   {}", shares.join(", "))
    }

    /// Memory of all of its processes, bytes.
    pub fn memory(&self) -> u64 {
        self.stats().map(|stat| number(&stat, 21) * 4096).sum()
    }

    /// What `/proc/PID/stat` says behind the name, of each of its processes.
    fn stats(&self) -> impl Iterator<Item = String> {
        let group = self.child.as_ref().map(|child| u64::from(child.id()));
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = all.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let behind = stats.filter_map(|stat| Some(stat.rsplit_once(") ")?.1.to_owned()));
        behind.filter(move |stat| group == Some(number(stat, 2)))
    }

    /// Ends it as Ctrl-C does, and tells what it said.
    pub fn close(&mut self) -> String {
        let Some(mut child) = self.child.take() else { return String::new() };
        let group = rustix::process::Pid::from_child(&child);
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::INT);
        let begun = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(20));
        }
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _gone = child.wait();
        fs::read_to_string(self.folder.join("stdout")).unwrap_or_default()
    }

    /// Bytes in the files of its folder.
    pub fn stored(&self) -> u64 {
        [self.folder.clone(), self.folder.join("recordings")].iter().map(|folder| bytes_in(folder)).sum()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(|found| found.is_file()).map(|found| found.len()).sum()
}

fn number(stat: &str, at: usize) -> u64 {
    stat.split_ascii_whitespace().nth(at).and_then(|word| word.parse().ok()).unwrap_or(0)
}
