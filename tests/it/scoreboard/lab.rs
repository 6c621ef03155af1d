//! The lab's scenarios without a fault of the network, through the real proxy: what the live session says, what its
//! recording says, and what packets captured by somebody else say, in one run.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use analyzer::attempt::group;
use analyzer::report::json;
use proxy::lab::dns::Resolver;
use proxy::lab::{Scenario, Session, certificate, scenarios};
use tokio::task::JoinSet;

use super::{Label, Row, Said, Section, UNSEEN};
use crate::support::process::{Folder, Outcome, Process, Trouble, need_root, program, wait_for, with_peers};
use crate::support::program::Proxy;
use crate::support::recorded::{self, LabSecrets, Recorded};

/// What today's rules do not say; the labels stand, since they say what the peers do. Whoever writes the rule takes the
/// name away.
pub const KNOWN_WRONG: &[&str] = &[];

/// The same, of packets alone.
const PACKETS_KNOWN_WRONG: &[&str] = &[];

/// How many are played at a time: the silent and the idle ones must not add up.
const AT_ONCE: usize = 6;

/// Enough to be active, and quick to analyse.
const SHORT: Session = Session { bursts: 2, updates: 2, update_len: 5000, pause_ms: 5 };

/// What the lab says is to be said of a scenario.
pub fn label(scenario: &Scenario) -> Label {
    let expect = scenario.expect;
    Label { outcome: expect.outcome.name(), cause: expect.cause, or: expect.or }
}

/// The address of a scenario's server: each has its own, so that all have RDP's port, by which a connection on which
/// nothing was said is known for one.
fn address(number: usize) -> SocketAddr {
    let [high, low] = (number as u16 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 77, high, low)), 3389)
}

/// One scenario, as the proxy saw it.
struct Played {
    number: usize,
    scenario: Scenario,
    live: Option<Said>,
    files: Vec<PathBuf>,
    keylog: PathBuf,
    _folder: recorded::Folder,
}

async fn play(number: usize, mut scenario: Scenario) -> Played {
    scenario.server.session = SHORT;
    let secrets = LabSecrets::default();
    let server = scenario.serve_with_keys(address(number), None, secrets.keys()).await.expect("serve");
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    scenario.connect(proxy.addr).await;
    scenario.connect_again(proxy.addr).await;
    if scenario.server.listens {
        server.finished(scenario.connections()).await;
    }
    server.stop().await;
    let (sessions, folder) = proxy.finish().await;
    let files = sessions.iter().map(|session| session.file.clone().expect("recorded").into()).collect();
    let document = serde_json::from_str(&json::document("test", &group(sessions))).expect("JSON");
    let keylog = folder.0.join("keys.log");
    fs::write(&keylog, secrets.log()).expect("a key log");
    Played { number, scenario, live: Said::of(&document), files, keylog, _folder: folder }
}

async fn play_all() -> Vec<Played> {
    let (mut played, mut running) = (Vec::new(), JoinSet::new());
    for (number, scenario) in scenarios().enumerate() {
        if running.len() == AT_ONCE {
            played.extend(running.join_next().await.map(|played| played.expect("no peer panics")));
        }
        running.spawn(play(number, *scenario));
    }
    played.extend(running.join_all().await);
    played.sort_by_key(|played| played.number);
    played
}

/// tcpdump on the loopback, for all scenarios at once: it sees their back legs, which are in one network.
pub struct Witness {
    process: Process,
    file: PathBuf,
    folder: Folder,
    /// Nobody is there: a packet to it is the last.
    last: Ipv4Addr,
}

impl Witness {
    /// Of this network.
    pub fn start(net: &str) -> Outcome<Witness> {
        let tcpdump = program("tcpdump")?;
        need_root("tcpdump")?;
        let folder = Folder::new()?;
        let file = folder.path().join("all.pcap");
        let mut command = Command::new(tcpdump);
        command.args("-i lo -s 20000 -B 131072 -U --immediate-mode -Z root -w".split(' ')).arg(&file);
        command.args(["net", net]).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        process.wait_ready(|process| process.output().contains("listening on lo").then_some(()))?;
        let last = net.trim_end_matches("0.0/16").to_owned() + "255.254";
        let last = last.parse().map_err(|_| Trouble::Failed(format!("{net} is no such network")))?;
        Ok(Witness { process, file, folder, last })
    }

    /// Ends it, once it has seen all that was sent until now.
    pub fn finish(&mut self) -> Outcome<()> {
        let last = self.last;
        let _refused = TcpStream::connect((last, 3389));
        let seen = wait_for(Duration::from_secs(10), || {
            let captured = fs::read(&self.file)?;
            Ok(captured.windows(4).rev().take(4096).any(|bytes| bytes == last.octets()).then_some(()))
        })?;
        seen.ok_or_else(|| self.process.failed("does not see the last packet"))?;
        self.process.signal("INT")?;
        self.process.wait(Duration::from_secs(10))?;
        Ok(())
    }

    /// The packets of one scenario.
    pub fn packets(&self, number: usize, host: IpAddr) -> Outcome<PathBuf> {
        let file = self.folder.path().join(format!("{number}.pcap"));
        let mut command = Command::new(program("tcpdump")?);
        command.args(["-Z", "root", "-r"]).arg(&self.file).arg("-w").arg(&file);
        command.args(["host", &host.to_string()]).stdin(Stdio::null());
        Process::start(&mut command, self.folder.path())?.wait(Duration::from_secs(10))?;
        Ok(file)
    }
}

/// The rows of all scenarios that anybody can judge, as `said` tells them.
fn rows(played: &[Played], said: impl Fn(&Played) -> Outcome<Option<Said>>) -> Outcome<Vec<Row>> {
    played.iter().filter(|played| !played.scenario.inside).map(|played| row(played, &said)).collect()
}

fn row(played: &Played, said: &impl Fn(&Played) -> Outcome<Option<Said>>) -> Outcome<Row> {
    let case = played.scenario.name.to_owned();
    Ok(Row { case, label: label(&played.scenario), said: said(played)? })
}

/// All scenarios with the server's secrets; of those that only they show, beside it what is said without.
fn keyed_rows(played: &[Played]) -> Outcome<Vec<Row>> {
    let keyed = |played: &Played| Said::of_files_with(&played.files, &played.keylog);
    let both = |played: &Played| {
        let mut row = row(played, &keyed)?;
        if played.scenario.inside {
            let without = Said::of_files(&played.files)?;
            row.case = format!("{} (without keys: {})", row.case, without.map_or(UNSEEN.into(), |said| said.short()));
        }
        Ok(row)
    };
    played.iter().map(both).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_lab() -> Outcome<()> {
    let witness = Witness::start("127.77.0.0/16");
    let played = play_all().await;
    let section = |source, about, rows| Section { source, about, rows, known_wrong: KNOWN_WRONG.to_vec() };
    let mut complaints = Vec::new();
    let live = rows(&played, |played| Ok(played.live.clone()))?;
    let about = "The lab's scenarios through the proxy: the JSON of the live session.";
    complaints.extend(section("live proxy", about, live).check().err());
    let recording = rows(&played, |played| Said::of_files(&played.files))?;
    let about = "The same sessions, from their recordings, by `rdpscope analyze`.";
    complaints.extend(section("recording", about, recording).check().err());
    let about = "The recordings of all scenarios with the server's key log, by `rdpscope analyze --keylog`. What stands inside of \
                 TLS only they show; in brackets what is said of the same recording without.";
    complaints.extend(section("recording with keys", about, keyed_rows(&played)?).check().err());
    with_peers("the scoreboard from tcpdump", || {
        let mut witness = witness?;
        witness.finish()?;
        let mut packets =
            rows(&played, |played| Said::of_files(&[witness.packets(played.number, address(played.number).ip())?]))?;
        // In packets nothing but RDP tells RDP: who never asks for it is not seen to want it.
        packets.iter_mut().filter(|row| row.case == "hello-before-request").for_each(|row| row.label.outcome = UNSEEN);
        let about = "The same sessions, from packets that tcpdump captured of the back leg, by `rdpscope analyze`.";
        let mut section = section("tcpdump", about, packets);
        section.known_wrong.extend(PACKETS_KNOWN_WRONG);
        complaints.extend(section.check().err());
        Ok(())
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// How late the resolver answers, how long the client's side waits for it, and what is to be said.
const SLOW_DNS: &[(&str, u64, &str, Label)] = &[
    ("slow-dns", 3, "timeout:5 attempts:1", Label { outcome: "connected", cause: Some("DNS-SLOW"), or: &[] }),
    (
        "slow-dns-given-up",
        8,
        "timeout:2 attempts:1",
        Label { outcome: "failed", cause: Some("DNS-SLOW"), or: &["DNS-NX"] },
    ),
];

/// The real program, in a mount namespace in which the resolver is the lab's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_slow_resolver() {
    let server = Scenario::named("healthy-tls12").expect("a scenario").serve().await.expect("serve");
    let mut rows = Vec::new();
    with_peers("the scoreboard of a slow resolver", || {
        need_root("a mount namespace, and port 53")?;
        for (number, (case, delay, options, label)) in SLOW_DNS.iter().enumerate() {
            let said = slow_dns(number, *delay, options, server.addr.port())?;
            rows.push(Row { case: (*case).into(), label: label.clone(), said });
        }
        let about = "The proxy behind a resolver that answers late, from its recordings.";
        let section = Section { source: "slow resolver", about, rows, known_wrong: Vec::new() };
        section.check().unwrap_or_else(|complaint| panic!("{complaint}"));
        Ok(())
    });
    server.stop().await;
}

fn slow_dns(number: usize, delay: u64, options: &str, port: u16) -> Outcome<Option<Said>> {
    let runtime = tokio::runtime::Handle::current();
    let ip = Ipv4Addr::new(127, 0, 77, number as u8 + 1);
    let bound = tokio::task::block_in_place(|| runtime.block_on(Resolver::bind((ip, 53).into())));
    let resolving = runtime.spawn(bound?.run(Duration::from_secs(delay), |_| {}));
    let folder = Folder::new()?;
    let conf = folder.write("resolv.conf", &format!("nameserver {ip}\noptions {options}\n"))?;
    let mut command = Command::new(program("unshare")?);
    let mount = format!("mount --bind {} /etc/resolv.conf && exec \"$0\" \"$@\"", conf.display());
    command.args(["-m", "sh", "-c", &mount]).arg(crate::support::program::program());
    command.args(["proxy", "--to", &format!("{}:{port}", certificate::NAME)]);
    let proxy = Proxy::run(command)?;
    let scenario = Scenario::named("healthy-tls12").expect("a scenario");
    let there = SocketAddr::from((Ipv4Addr::LOCALHOST, proxy.port));
    tokio::task::block_in_place(|| runtime.block_on(scenario.connect(there)));
    let finished = proxy.finish()?;
    resolving.abort();
    Said::of_files(&finished.recordings)
}
