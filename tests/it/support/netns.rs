//! Two network namespaces joined by one cable: a place where packets vanish or are refused on purpose.
//!
//! Nothing of the machine's own network is touched, and pairs do not see each other: all use the same addresses.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::process::{Outcome, Trouble, need_root, program};

/// The client's end of the cable.
pub const CLIENT: &str = "10.77.0.1";
/// The server's end of the cable.
pub const SERVER: &str = "10.77.0.2";
/// An address for which the client's namespace has no route.
pub const ELSEWHERE: &str = "10.78.0.1";

/// The two namespaces; gone when dropped. Programs still running in them keep them alive unseen, so drop those first.
pub struct Pair {
    client: String,
    server: String,
}

/// What the server's namespace does with a SYN to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syn {
    /// Nothing at all: the client waits, as behind a firewall that drops.
    Dropped,
    /// ICMP host unreachable: connect fails with EHOSTUNREACH (113), here after the second SYN, 1.04 s: the answer to
    /// the first comes while the kernel still holds the socket, and then it is only noted.
    HostUnreachable,
    /// ICMP administratively prohibited, a firewall that says so: EHOSTUNREACH too.
    Prohibited,
    /// RST, as from a machine where nobody listens: ECONNREFUSED (111).
    Reset,
}

impl Syn {
    fn verdict(self) -> &'static str {
        match self {
            Syn::Dropped => "drop",
            Syn::HostUnreachable => "reject with icmp type host-unreachable",
            Syn::Prohibited => "reject with icmp type admin-prohibited",
            Syn::Reset => "reject with tcp reset",
        }
    }
}

impl Pair {
    /// Makes both namespaces, the cable, the addresses; loopback is up in each.
    pub fn new() -> Outcome<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        need_root("network namespaces")?;
        program("ip")?;
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let pair = Pair { client: format!("rdpscope-c-{id}"), server: format!("rdpscope-s-{id}") };
        for name in [&pair.client, &pair.server] {
            // A container may be root and still not allowed to: that is a skip, everything after it a failure.
            ip(&["netns", "add", name])
                .map_err(|trouble| Trouble::Missing(format!("network namespaces: {trouble}")))?;
        }
        // Made inside the namespaces, so that interface names never meet those of the machine.
        ip(&[
            "-n",
            &pair.client,
            "link",
            "add",
            "cable",
            "type",
            "veth",
            "peer",
            "name",
            "cable",
            "netns",
            &pair.server,
        ])?;
        for (name, address) in [(&pair.client, CLIENT), (&pair.server, SERVER)] {
            ip(&["-n", name, "address", "add", &format!("{address}/24"), "dev", "cable"])?;
            ip(&["-n", name, "link", "set", "cable", "up"])?;
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        Ok(pair)
    }

    /// A command that will run on the client's side.
    pub fn on_client(&self, program: impl AsRef<Path>) -> Command {
        inside(&self.client, program.as_ref())
    }

    /// A command that will run on the server's side.
    pub fn on_server(&self, program: impl AsRef<Path>) -> Command {
        inside(&self.server, program.as_ref())
    }

    /// What is opened on the client's side is of that side, whoever has it.
    pub fn opened_by_client<T: Send>(&self, open: impl FnOnce() -> std::io::Result<T> + Send) -> Outcome<T> {
        opened_in(&self.client, open)
    }

    /// The same on the server's side.
    pub fn opened_by_server<T: Send>(&self, open: impl FnOnce() -> std::io::Result<T> + Send) -> Outcome<T> {
        opened_in(&self.server, open)
    }

    /// The cable is plugged in, or is not, at the client's end.
    pub fn plug(&self, is_in: bool) -> Outcome<()> {
        ip(&["-n", &self.client, "link", "set", "cable", if is_in { "up" } else { "down" }]).map(drop)
    }

    /// Who knows names on the client's side: this file of hosts, and behind it a resolver at this address. Gone when
    /// dropped.
    pub fn names(&self, hosts: &str, resolver: &str) -> Outcome<Names> {
        // `ip netns exec` lays these over /etc.
        let folder = Path::new("/etc/netns").join(&self.client);
        fs::create_dir_all(&folder)?;
        let names = Names(folder);
        names.say("hosts", hosts)?;
        names.say("resolv.conf", &format!("nameserver {resolver}\noptions timeout:30 attempts:3\n"))?;
        names.say("nsswitch.conf", "hosts: files dns\n")?;
        Ok(names)
    }

    /// Decides what the server's side does with connection attempts to `port` from now on.
    pub fn answer_syn(&self, port: u16, syn: Syn) -> Outcome<()> {
        let rule = format!("tcp dport {port} tcp flags & (syn | ack) == syn {}", syn.verdict());
        let table = "add table inet rdpscope";
        let chain = "add chain inet rdpscope input { type filter hook input priority 0; }";
        let rules = format!("{table}\n{chain}\nadd rule inet rdpscope input {rule}\n");
        run(self.on_server(program("nft")?).arg(rules)).map(drop)
    }

    /// From now on packets of more bytes than this vanish on their way to the server's side, and nothing tells of it.
    pub fn drop_longer_than(&self, bytes: u16) -> Outcome<()> {
        let chain = "add table inet hole\nadd chain inet hole input { type filter hook input priority 0; }";
        let rules = format!("{chain}\nadd rule inet hole input ip length > {bytes} drop\n");
        run(self.on_server(program("nft")?).arg(rules)).map(drop)
    }

    /// Limits how often the client's kernel repeats a SYN: 1 gives up after some 3 s instead of two minutes.
    pub fn syn_retries(&self, count: u8) -> Outcome<()> {
        let script = format!("echo {count} >/proc/sys/net/ipv4/tcp_syn_retries");
        run(self.on_client("/bin/sh").args(["-c", &script])).map(drop)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [&self.client, &self.server] {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

/// What a namespace knows of names.
pub struct Names(PathBuf);

impl Names {
    /// Changes one of its files, as its programs see it, too.
    pub fn say(&self, file: &str, text: &str) -> Outcome<()> {
        Ok(fs::write(self.0.join(file), text)?)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A socket that is opened in a namespace is of that, whoever has it.
pub fn opened_in<T: Send>(namespace: &str, open: impl FnOnce() -> std::io::Result<T> + Send) -> Outcome<T> {
    let namespace = File::open(Path::new("/run/netns").join(namespace))?;
    let opened = thread::scope(|scope| {
        let there = scope.spawn(|| {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            open()
        });
        there.join().map_err(|_| Trouble::Failed("it panics".into()))
    });
    Ok(opened??)
}

fn inside(namespace: &str, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

fn ip(arguments: &[&str]) -> Outcome<Output> {
    run(Command::new("ip").args(arguments))
}

/// Runs a command to its end; anything but success is an error with what it said.
fn run(command: &mut Command) -> Outcome<Output> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    Err(Trouble::Failed(format!("{command:?}: {}: {said}", output.status)))
}
