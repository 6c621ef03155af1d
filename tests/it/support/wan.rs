//! A wide area network in user space: two namespaces, each with a TUN device, and a thread that carries every IP packet
//! from the one to the other and does to it on the way what a test asks for.
//!
//! Nothing of the machine's own network is touched, and no module of the kernel is needed but `tun`. All of them use
//! the same addresses and none sees another. What was done to packets stands in a journal: the truth of a test.

pub mod fault;
mod flow;
pub mod forward;
pub mod journal;
pub mod packet;

use std::fs::{self, File};
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use analyzer::observation::Side;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tun_rs::{DeviceBuilder, SyncDevice};

pub use fault::{BOTH, CLIENT, End, Fault, From, PLAIN, Path, SERVER, Then};
use forward::Forwarder;
pub use journal::{Act, Journal};

use super::process::{Outcome, Trouble, need_root, program};

/// The client's address.
pub const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The server's address.
pub const SERVER_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The address from which the box in between speaks, where it speaks for itself.
pub const ROUTER_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
/// The name of the interface in both namespaces.
pub const INTERFACE: &str = "wan0";

/// The two namespaces and what lies between them; gone when dropped. Programs that still run in them keep them alive
/// unseen, so drop those first.
pub struct Wan {
    number: u32,
    names: [String; 2],
    journal: Journal,
    /// Closed to end the thread.
    stop: Option<UnixStream>,
    carrier: Option<JoinHandle<()>>,
}

impl Wan {
    /// Makes both namespaces and begins to carry packets.
    pub fn new(path: Path) -> Outcome<Wan> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        need_root("network namespaces")?;
        program("ip")?;
        if !FilePath::new("/dev/net/tun").exists() {
            return Err(Trouble::Missing("/dev/net/tun".into()));
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        let names = [format!("rdpscope-wc-{id}"), format!("rdpscope-ws-{id}")];
        let journal = Journal::default();
        // Made first, so that what follows is undone by its drop wherever it fails.
        let mut wan = Wan { number, names, journal: journal.clone(), stop: None, carrier: None };
        let tuns = [wan.end(Side::Client)?, wan.end(Side::Server)?];
        let (stop, stopped) = UnixStream::pair()?;
        let carry = move || {
            // An interface that is gone ends it; a test that needs it fails by itself.
            let _gone = Forwarder::new(path, journal).run(&tuns, &stopped);
        };
        wan.carrier = Some(thread::Builder::new().name(carrier_name(number)).spawn(carry)?);
        wan.stop = Some(stop);
        Ok(wan)
    }

    /// A namespace with its end of the way. The device belongs to this process wherever its interface is.
    fn end(&self, side: Side) -> Outcome<SyncDevice> {
        let name = &self.names[side as usize];
        // A container may be root and still not allowed to: that is a skip, everything after it a failure.
        script(&format!("ip netns add {name}"))
            .map_err(|trouble| Trouble::Missing(format!("network namespaces: {trouble}")))?;
        let tun = self.inside(side, || DeviceBuilder::new().name(INTERFACE).enable(false).build_sync());
        let tun = tun.join().map_err(|_| Trouble::Failed("no TUN device".into()))??;
        rustix::io::ioctl_fionbio(&tun, true).map_err(std::io::Error::from)?;
        let address = if side == Side::Client { CLIENT_ADDRESS } else { SERVER_ADDRESS };
        // The same congestion control everywhere, whatever the machine prefers; nothing but IPv4.
        script(&format!(
            "set -e; ip -n {name} link set lo up; ip -n {name} address add {address}/24 dev {INTERFACE}; \
             ip netns exec {name} sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; \
             echo cubic >/proc/sys/net/ipv4/tcp_congestion_control; echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save'; \
             ip -n {name} link set {INTERFACE} mtu 1500 txqueuelen 10000 up"
        ))?;
        Ok(tun)
    }

    /// A command that will run on this side.
    pub fn command(&self, side: Side, program: impl AsRef<FilePath>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[side as usize]]).arg(program.as_ref());
        command
    }

    /// Runs this on a thread of its own on this side: its sockets, its threads and the programs that it starts are
    /// there too.
    pub fn inside<T: Send + 'static>(&self, side: Side, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        let namespace = FilePath::new("/run/netns").join(&self.names[side as usize]);
        thread::spawn(move || {
            let namespace = File::open(&namespace).expect("the namespace");
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("setns");
            work()
        })
    }

    /// How much of a processor the carrying thread has had so far, in steps of 10 ms.
    pub fn carrier_time(&self) -> Duration {
        let name = carrier_name(self.number);
        let tasks = fs::read_dir("/proc/self/task").expect("tasks").flatten().map(|task| task.path());
        let named = |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let task = tasks.into_iter().find(named).expect("the carrier");
        let stat = fs::read_to_string(task.join("stat")).expect("stat");
        // utime and stime, fields 14 and 15 of proc_pid_stat(5), counted behind the name.
        let fields = stat.rsplit(')').next().into_iter().flat_map(str::split_whitespace).skip(11).take(2);
        Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
    }

    /// What was done to packets so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl Drop for Wan {
    fn drop(&mut self) {
        if let Some(mut stop) = self.stop.take() {
            let _ended_already = stop.write_all(&[0]);
        }
        if let Some(carrier) = self.carrier.take() {
            let _panicked = carrier.join();
        }
        for name in &self.names {
            let _absent = script(&format!("ip netns delete {name}"));
        }
    }
}

fn carrier_name(number: u32) -> String {
    format!("wan-{number}")
}

/// Runs a line of shell to its end; anything but success is an error with what it said.
fn script(line: &str) -> Outcome<()> {
    let output = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    Err(Trouble::Failed(format!("{line}: {}: {said}", output.status)))
}
