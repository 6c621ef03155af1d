//! What tshark, an independent reader, says about a recording of ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::process::{Outcome, Trouble, program};

/// The interface a leg is stored under: the client's side is the first, the server's the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// Client to proxy.
    Front,
    /// Proxy to server.
    Back,
}

/// What the whole file holds.
#[derive(Debug, Default)]
pub struct Recording {
    /// TCP payload bytes by leg and by whether the client sent them.
    pub bytes: BTreeMap<(Leg, bool), u64>,
    /// One line for every packet that tshark complains about.
    pub complaints: Vec<String>,
    /// Whether the client reset the front leg.
    pub client_reset: bool,
    /// All packets.
    pub packets: u64,
}

/// One column of tshark's answer per entry, in this order.
const FIELDS: [&str; 10] = [
    "frame.number",
    "frame.interface_id",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.len",
    "tcp.flags.reset",
    "_ws.malformed",
    "tcp.analysis.flags",
    "tcp.checksum.status",
    "ip.checksum.status",
];

/// Reads a recording with tshark. `ports` are where the proxy and the server listened: by them tshark knows RDP (and
/// what comes after TLS), and we know who sent a packet.
pub fn read(file: &Path, ports: &[u16]) -> Outcome<Recording> {
    // On a port it does not know, tshark 4.0 takes X.224 for plain data; on 3389 it stays with TPKT when TLS begins.
    let rdp = |port: &u16| [format!("tcp.port=={port},tpkt"), format!("tls.port=={port},tpkt")];
    read_as(file, ports, ports.iter().flat_map(rdp))
}

/// The same of what was recorded before a gateway.
pub fn read_https(file: &Path, ports: &[u16]) -> Outcome<Recording> {
    read_as(file, ports, ports.iter().map(|port| format!("tcp.port=={port},tls")))
}

fn read_as(file: &Path, ports: &[u16], protocols: impl Iterator<Item = String>) -> Outcome<Recording> {
    let mut command = Command::new(program("tshark")?);
    command.arg("-r").arg(file).args(["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]);
    command.args(protocols.flat_map(|protocol| ["-d".to_owned(), protocol]));
    // One occurrence per field: a frame can hold several PDUs, and each is one packet here.
    command.args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let says = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Trouble::Failed(format!("tshark cannot read {}: {says}", file.display())));
    }
    let mut recording = Recording::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        recording.add(line, ports)?;
    }
    Ok(recording)
}

impl Recording {
    fn add(&mut self, line: &str, ports: &[u16]) -> Outcome<()> {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[frame, interface, from, to, length, reset, malformed, analysis, tcp_sum, ip_sum] = columns.as_slice()
        else {
            return Err(Trouble::Failed(format!("tshark printed {} columns: {line}", columns.len())));
        };
        self.packets += 1;
        for (wrong, what) in [
            (!malformed.is_empty(), "malformed"),
            (!analysis.is_empty(), "tcp.analysis.flags"),
            (tcp_sum == BAD, "bad TCP checksum"),
            (ip_sum == BAD, "bad IP checksum"),
        ] {
            if wrong {
                self.complaints.push(format!("frame {frame}, interface {interface}, {from} to {to}: {what}"));
            }
        }
        // Each further connection has a pair of its own.
        let is_front = interface.parse().is_ok_and(|interface: u32| interface.is_multiple_of(2));
        let leg = if is_front { Leg::Front } else { Leg::Back };
        let by_client = to.parse().is_ok_and(|to| ports.contains(&to));
        // tshark 4.0 writes a flag as 1, later ones as True.
        self.client_reset |= leg == Leg::Front && by_client && matches!(reset, "1" | "True");
        *self.bytes.entry((leg, by_client)).or_default() += length.parse().unwrap_or(0);
        Ok(())
    }

    /// What the client (or else the server) sent, as stored for one leg.
    pub fn bytes(&self, leg: Leg, by_client: bool) -> u64 {
        self.bytes.get(&(leg, by_client)).copied().unwrap_or(0)
    }
}

/// Of tcp.checksum.status and ip.checksum.status; 1 is good, 2 not verified.
const BAD: &str = "0";
