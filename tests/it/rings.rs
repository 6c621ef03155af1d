//! Proxies that lead back to themselves, over others: noticed, refused, and everything given back. And what looks like that.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use proxy::lab::wire;

use crate::support::process::{Folder, Outcome, Process, free_port, program as found, wait_for, with_peers};
use crate::support::program::program;

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// What it says of a ring.
const RING: &str = "because the target leads back to this proxy";

struct Relays {
    processes: Vec<Process>,
    ports: Vec<u16>,
    _folder: Folder,
}

impl Relays {
    /// Each before the next of these ports, and the last before `last`, or the first where there is none.
    fn start(count: usize, last: Option<u16>, flags: &[&str]) -> Outcome<Relays> {
        let folder = Folder::new()?;
        let ports = (0..count).map(|_| free_port()).collect::<Outcome<Vec<u16>>>()?;
        let mut processes = Vec::new();
        for (place, port) in ports.iter().enumerate() {
            let to = ports.get(place + 1).copied().or(last).unwrap_or(ports[0]);
            let mut command = Command::new(program());
            // By name, so that nobody can tell by the address.
            command.args(["proxy", "--listen", &format!("127.0.0.1:{port}"), "--to", &format!("localhost:{to}")]);
            command.args(["--connect-to", &format!("127.0.0.1:{to}"), "--record", "none"]).args(flags);
            let own = folder.path().join(place.to_string());
            std::fs::create_dir(&own)?;
            let mut process = Process::start(command.stdin(Stdio::null()), &own)?;
            process.wait_bound(*port)?;
            processes.push(process);
        }
        Ok(Relays { processes, ports, _folder: folder })
    }

    fn files(&self) -> usize {
        let count =
            |process: &Process| std::fs::read_dir(format!("/proc/{}/fd", process.id())).map_or(0, Iterator::count);
        self.processes.iter().map(count).sum()
    }

    fn output(&self) -> String {
        self.processes.iter().map(Process::output).collect()
    }

    fn end(mut self) -> Outcome<()> {
        for process in &mut self.processes {
            process.signal("TERM")?;
        }
        for process in &mut self.processes {
            let status = process.wait(Duration::from_secs(10))?;
            assert_eq!(status.code(), Some(0), "{}", process.output());
        }
        Ok(())
    }
}

/// A client comes to a ring: it is let go soon, the reason is told, and nothing is left of it.
fn is_broken(relays: Relays) -> Outcome<()> {
    let before = relays.files();
    for _ in 0..2 {
        let mut client = TcpStream::connect(("127.0.0.1", relays.ports[0]))?;
        client.set_read_timeout(Some(SOON))?;
        let asked = Instant::now();
        client.write_all(&wire::connection_request("alice", None))?;
        let ended = client.read(&mut [0; 100]);
        assert!(!matches!(ended, Ok(1..)), "nobody is there to say anything: {ended:?}");
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    }
    let told = wait_for(SOON, || Ok(relays.output().contains(RING).then_some(())))?;
    assert!(told.is_some(), "{}", relays.output());
    let back = wait_for(SOON, || Ok((relays.files() <= before).then_some(())))?;
    assert!(back.is_some(), "{} files before, {} now", before, relays.files());
    relays.end()
}

#[test]
fn two_in_a_ring_are_noticed() {
    with_peers("two_in_a_ring_are_noticed", || is_broken(Relays::start(2, None, &[])?));
}

#[test]
fn three_in_a_ring_are_noticed() {
    with_peers("three_in_a_ring_are_noticed", || is_broken(Relays::start(3, None, &[])?));
}

#[test]
fn a_ring_over_another_relay_is_noticed() {
    with_peers("a_ring_over_another_relay_is_noticed", || {
        let socat = found("socat")?;
        let (folder, between) = (Folder::new()?, free_port()?);
        let relays = Relays::start(1, Some(between), &[])?;
        let mut command = Command::new(socat);
        command.arg(format!("TCP-LISTEN:{between},fork,reuseaddr,bind=127.0.0.1"));
        command.arg(format!("TCP:127.0.0.1:{}", relays.ports[0]));
        let mut process = Process::start(&mut command, folder.path())?;
        process.wait_bound(between)?;
        is_broken(relays)
    });
}

/// Three proxies in a row before a server that says nothing for long, and fifty clients at once, then fifty one by one.
#[test]
fn a_chain_is_no_ring_whoever_comes_through_it() {
    with_peers("a_chain_is_no_ring_whoever_comes_through_it", || {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || -> std::io::Result<()> {
                    let mut stream = stream?;
                    stream.read_exact(&mut vec![0; wire::connection_request("alice", None).len()])?;
                    thread::sleep(Duration::from_secs(2));
                    stream.write_all(&wire::connection_confirm(None))
                });
            }
        });
        let relays = Relays::start(3, Some(port), &[])?;
        let ask = |client: &mut TcpStream| client.write_all(&wire::connection_request("alice", None));
        for one_by_one in [false, true] {
            let mut clients = Vec::new();
            for _ in 0..50 {
                let mut client = TcpStream::connect(("127.0.0.1", relays.ports[0]))?;
                client.set_read_timeout(Some(SOON))?;
                if one_by_one {
                    ask(&mut client)?;
                    thread::sleep(Duration::from_millis(15));
                }
                clients.push(client);
            }
            for client in &mut clients {
                if !one_by_one {
                    ask(client)?;
                }
            }
            for (place, client) in clients.iter_mut().enumerate() {
                let mut confirm = vec![0; wire::connection_confirm(None).len()];
                client.read_exact(&mut confirm).unwrap_or_else(|error| panic!("{place}: {error}: {}", relays.output()));
            }
        }
        assert!(!relays.output().contains(RING), "{}", relays.output());
        relays.end()
    });
}
