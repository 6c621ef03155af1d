//! How far the recorder's stamps are from those of tcpdump, of the same run on loopback.
//!
//! tcpdump stamps a packet as the kernel receives it. A relay stamps what it has read once the read returned, and what it has
//! written once the write returned. For each packet of a recording the difference to the packet of tcpdump that
//! brought its last byte (received) or took its first (sent) is taken; tshark reads both files.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{load, peers};

/// A flow, one way: the ports of its ends.
type Way = (u16, u16);

/// The table, idle and under load.
pub fn table(server: SocketAddr, folder: &Path) -> io::Result<()> {
    for (name, loaded) in [("idle", false), ("beside a connection at full speed", true)] {
        let folder = folder.join(if loaded { "loaded" } else { "idle" });
        let Some(mut relay) = peers::RECORDED.open(server, &folder)? else { return Ok(()) };
        let capture = folder.join("wire.pcap");
        let mut tcpdump = Tcpdump::start(&capture, [relay.addr.port(), server.port()])?;
        play(relay.addr, loaded)?;
        relay.settle();
        relay.close();
        tcpdump.stop();
        println!("\n{name}: stamps of the recorder less those of tcpdump, µs");
        println!("{:<28} {:>9} {:>8} {:>8} {:>8}", "", "packets", "p1", "p50", "p99");
        let wire = packets(&capture)?;
        for file in recordings(&relay.folder)? {
            compare(&packets(&file)?, &wire, server.port(), relay.addr.port());
        }
    }
    Ok(())
}

/// Round trips with a pause between them; beside them, if so wished, half a gigabyte.
fn play(addr: SocketAddr, loaded: bool) -> io::Result<()> {
    thread::scope(|scope| {
        let bulk = loaded.then(|| scope.spawn(|| load::bulk(addr, 1, 3072)));
        let mut stream = load::active(addr)?;
        let mut pdu = [b'e'; 64];
        (pdu[0], pdu[1]) = (0x04, 64);
        for _ in 0..2000 {
            stream.write_all(&pdu)?;
            stream.read_exact(&mut pdu)?;
            thread::sleep(Duration::from_millis(1));
        }
        bulk.map_or(Ok(()), |bulk| bulk.join().expect("the bulk").map(drop))
    })
}

struct Tcpdump(Child);

impl Tcpdump {
    fn start(file: &Path, ports: [u16; 2]) -> io::Result<Tcpdump> {
        let mut command = Command::new("tcpdump");
        command.args(["-i", "lo", "-s", "96", "-B", "65536", "-U", "--time-stamp-precision=nano", "-w"]).arg(file);
        command.arg(format!("tcp port {} or tcp port {}", ports[0], ports[1])).stderr(Stdio::null());
        let child = command.spawn()?;
        thread::sleep(Duration::from_secs(1));
        Ok(Tcpdump(child))
    }

    fn stop(&mut self) {
        thread::sleep(Duration::from_secs(1));
        let _gone =
            rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::INT);
        let _ended = self.0.wait();
    }
}

fn recordings(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join("recordings"))?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    // The first is of nobody: it was asked whether it listens.
    Ok(files.split_off(1))
}

/// A packet with payload: where that begins and ends in its stream, and when it was seen, seconds.
#[derive(Clone, Copy)]
struct Packet {
    begins: u64,
    ends: u64,
    at: f64,
}

/// The packets of a file that carry payload, each way, in their order.
fn packets(file: &Path) -> io::Result<HashMap<Way, Vec<Packet>>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(file).args(["-Y", "tcp.len > 0", "-T", "fields"]);
    for field in ["tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.len", "frame.time_epoch"] {
        tshark.args(["-e", field]);
    }
    let output = tshark.output()?;
    let mut ways: HashMap<Way, Vec<Packet>> = HashMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        // Seconds of an epoch in nanoseconds are more than a float holds: those of the day will do.
        let (seconds, nanos) = words.get(4).and_then(|at| at.split_once('.')).unwrap_or(("0", "0"));
        let at = (seconds.parse::<u64>().unwrap_or(0) % 86_400) as f64 + format!("0.{nanos}").parse().unwrap_or(0.0);
        let (begins, len) = (number(2), number(3));
        let packet = Packet { begins, ends: begins + len, at };
        ways.entry((number(0) as u16, number(1) as u16)).or_default().push(packet);
    }
    Ok(ways)
}

fn compare(recorded: &HashMap<Way, Vec<Packet>>, wire: &HashMap<Way, Vec<Packet>>, server: u16, listener: u16) {
    let (mut received, mut sent) = (Vec::new(), Vec::new());
    for (way, packets) in recorded {
        let Some(on_wire) = wire.get(way) else { continue };
        let comes_in = way.1 == listener || way.0 == server;
        for packet in packets {
            if comes_in {
                let last = on_wire.partition_point(|seen| seen.ends < packet.ends);
                received.extend(on_wire.get(last).map(|seen| (packet.at - seen.at) * 1e6));
            } else {
                let first = on_wire.partition_point(|seen| seen.ends <= packet.begins);
                sent.extend(on_wire.get(first).map(|seen| (packet.at - seen.at) * 1e6));
            }
        }
    }
    let bytes: u64 = recorded.values().flatten().map(|packet| packet.ends - packet.begins).sum();
    let which = if bytes > 10 << 20 { "full speed" } else { "64-byte round trips" };
    for (what, mut differences) in [("received", received), ("sent", sent)] {
        differences.sort_by(f64::total_cmp);
        let at = |part: usize| differences.get(differences.len() * part / 100).copied().unwrap_or(f64::NAN);
        let name = format!("{which}, {what}");
        println!("{name:<28} {:>9} {:>8.1} {:>8.1} {:>8.1}", differences.len(), at(1), at(50), at(99));
    }
}
