//! Recordings of the real proxy open in every reader of captures, and say the same once another program has written them
//! again, but for what that program leaves off. What each leaves off stands in `docs/recordings.md`, made here.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use analyzer::capture::annotation::PREFIX;
use analyzer::capture::file::{self, Item};
use proxy::lab::gateway::GatewayScenario;
use proxy::lab::{Scenario, certificate};
use proxy::listen::Target;
use proxy::tls::Keys;
use proxy::watch::{Secrets, Stored};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::scoreboard::{self, Said};
use crate::support::anywhere;
use crate::support::process::{Folder, Outcome, Trouble, program, with_peers};
use crate::support::program::analyze;
use crate::support::recorded::Recorded;
use crate::support::through::Through;

/// Sessions that are recorded without keys: healthy ones, and some that end in each of the ways.
const PLAIN: &[&str] = &[
    "healthy-tls12",
    "healthy-tls13",
    "healthy-legacy",
    "hybrid-required",
    "fin-after-client-hello",
    "reset-in-active",
    "alert-70",
];
/// One that is recorded with its keys.
const KEYED: &str = "healthy-nla";
/// Several connections in one recording, with keys of two layers: a first try over RPC, then HTTP with a channel each way.
const TUNNELS: [&str; 2] = ["rpc-not-found-late", "healthy-http"];

/// How the names of redacted ones begin.
const REDACTED: &str = "redacted-";

/// What a program that copies packets leaves off, as keys of the JSON document: what stands in annotations, and what is
/// measured by the path samples in them.
const IN_ANNOTATIONS: &[&str] = &[
    "altered_by_proxy",
    "file",
    "incomplete",
    "notices",
    "path",
    "path_samples",
    "prediction",
    "retransmits",
    "rtt_ms",
    "server_name",
    "waited_ns",
];

/// Who writes a recording again: its command line but for the two files, and the kind of file that it writes.
struct Rewriter {
    shown: &'static str,
    kind: &'static str,
    command: fn(&Path, &Path) -> Outcome<Command>,
}

fn tool(name: &str, arguments: &[&str], files: &[&Path]) -> Outcome<Command> {
    let mut command = Command::new(program(name)?);
    command.args(arguments).args(files);
    Ok(command)
}

const REWRITERS: &[Rewriter] = &[
    Rewriter {
        shown: "editcap -F pcapng",
        kind: "pcapng",
        command: |from, to| tool("editcap", &["-F", "pcapng"], &[from, to]),
    },
    Rewriter { shown: "mergecap -w", kind: "pcapng", command: |from, to| tool("mergecap", &["-w"], &[to, from]) },
    Rewriter { shown: "reordercap", kind: "pcapng", command: |from, to| tool("reordercap", &[], &[from, to]) },
    Rewriter {
        shown: "tshark -w",
        kind: "pcapng",
        command: |from, to| {
            let mut command = tool("tshark", &["-r"], &[from])?;
            command.arg("-w").arg(to);
            Ok(command)
        },
    },
    Rewriter {
        shown: "editcap -F nsecpcap",
        kind: "pcap",
        command: |from, to| tool("editcap", &["-F", "nsecpcap"], &[from, to]),
    },
    Rewriter {
        shown: "editcap -F pcap",
        kind: "pcap",
        command: |from, to| tool("editcap", &["-F", "pcap"], &[from, to]),
    },
    Rewriter {
        shown: "tcpdump -w",
        kind: "pcap",
        command: |from, to| {
            // As root it would give up its rights, and could then not write into a folder of root's.
            let mut command = tool("tcpdump", &["-Z", "root", "-r"], &[from])?;
            command.arg("-w").arg(to);
            Ok(command)
        },
    },
];

/// What it printed on both outputs.
fn run(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(Trouble::Failed(format!("{command:?}: {said}"))) }
}

/// What stands in a file besides the bytes of its packets.
#[derive(Debug, Default, PartialEq, Eq)]
struct Contents {
    times: Vec<u64>,
    interfaces: Vec<Option<String>>,
    sections: Vec<String>,
    secrets: Vec<u8>,
    annotations: Vec<String>,
    /// Whether an interface is described behind a packet.
    is_late: bool,
}

impl Contents {
    fn of(path: &Path) -> Contents {
        let mut contents = Contents::default();
        let stopped = file::read(&fs::read(path).expect("a file")[..], &mut |item| {
            match item {
                Item::Section { comments } => contents.sections.extend(comments),
                Item::Interface { name, .. } => {
                    contents.is_late |= !contents.times.is_empty();
                    contents.interfaces.push(name);
                }
                Item::Packet(packet) => contents.times.push(packet.at.0),
                Item::Statistics { comments, .. } => {
                    contents.annotations.extend(comments.into_iter().filter(|text| text.starts_with(PREFIX)));
                }
                Item::Secrets(log) => contents.secrets.extend(log),
            }
            Ok(())
        });
        assert_eq!(stopped.expect("a capture"), None, "{}", path.display());
        contents
    }
}

/// The recordings, made anew by the proxy, each in a file of this folder.
fn recordings(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let runtime = Runtime::new()?;
    let mut files = Vec::new();
    for name in PLAIN {
        files.push(runtime.block_on(plain(name, folder))?);
    }
    files.push(runtime.block_on(keyed(folder))?);
    files.extend(runtime.block_on(tunnels(folder))?);
    let redacted = ["healthy-tls12", "hybrid-required"].map(|name| redacted(name, folder));
    files.extend(redacted.into_iter().collect::<Outcome<Vec<_>>>()?);
    Ok(files)
}

/// A recording that others may see: blank ends of its packets are left off.
fn redacted(name: &str, folder: &Path) -> Outcome<PathBuf> {
    let (from, to) = (folder.join(format!("{name}.pcapng")), folder.join(format!("{REDACTED}{name}.pcapng")));
    let written = proxy::redact::redact(&|| fs::File::open(&from), fs::File::create(&to)?, "0");
    written.map(|_| to).map_err(|error| Trouble::Failed(error.to_string()))
}

async fn plain(name: &str, folder: &Path) -> Outcome<PathBuf> {
    let scenario = Scenario::named(name).expect("a scenario");
    let server = scenario.serve().await?;
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    scenario.connect(proxy.addr).await;
    server.finished(scenario.connections()).await;
    server.stop().await;
    let (sessions, _folder) = proxy.finish().await;
    copied(sessions[0].file.as_deref(), name, folder)
}

async fn keyed(folder: &Path) -> Outcome<PathBuf> {
    let scenario = Scenario::named(KEYED).expect("a scenario");
    let keylog = folder.join("keys.log");
    let log = Mutex::new(fs::File::create(&keylog)?);
    let keys = Keys(Arc::new(move |line| log.lock().expect("one writer").write_all(line.as_bytes()).expect("a line")));
    let server = scenario.serve_with_keys(anywhere(), None, keys).await?;
    let target = Target { name: certificate::NAME.into(), port: server.addr.port() };
    let to = server.addr;
    let proxy =
        Recorded::opened(target, |config| config.connect_to = Some(to), Stored::Once, Secrets::followed(&keylog)).await;
    scenario.connect(proxy.addr).await;
    server.finished(scenario.connections()).await;
    server.stop().await;
    let (sessions, _folder) = proxy.finish().await;
    copied(sessions[0].file.as_deref(), "with-keys", folder)
}

async fn tunnels(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let scenarios = TUNNELS.map(|name| *GatewayScenario::named(name).expect("a scenario"));
    let through = Through::start(&scenarios[0], SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    for scenario in &scenarios {
        through.play(scenario).await;
    }
    let seen = through.finish().await;
    let files = seen.files();
    files.iter().zip(1..).map(|(file, number)| copied(file.to_str(), &format!("tunnel-{number}"), folder)).collect()
}

fn copied(file: Option<&str>, name: &str, folder: &Path) -> Outcome<PathBuf> {
    let path = folder.join(format!("{name}.pcapng"));
    fs::copy(file.expect("it is recorded"), &path)?;
    Ok(path)
}

/// How many packets each reader says that there are.
fn counted(path: &Path, folder: &Path) -> Outcome<Vec<(&'static str, String)>> {
    let first_number = |said: &str, before: &str| -> String {
        let rest = said.split_once(before).map_or("", |(_, rest)| rest).trim_start();
        rest.chars().take_while(char::is_ascii_digit).collect()
    };
    let lines = |said: &str| said.lines().filter(|line| line.trim().parse::<u64>().is_ok()).count().to_string();
    let last = |said: &str, behind: &str| -> String {
        let line = said.lines().find(|line| line.contains(behind)).unwrap_or_default();
        line.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let written = |command: Outcome<Command>| -> Outcome<String> {
        run(&mut command?)?;
        Ok(Contents::of(&folder.join("copy.pcapng")).times.len().to_string())
    };
    let copy = folder.join("copy.pcapng");
    let mut scapy = Command::new(with_scapy()?);
    scapy.args(["-c", SCAPY]).arg(path);
    let scapy = run(&mut scapy)?;
    Ok(vec![
        ("tcpdump", last(&run(&mut tool("tcpdump", &["--count", "-r"], &[path])?)?, " packet")),
        ("tcptrace", last(&run(&mut tool("tcptrace", &["-n"], &[path])?)?, "TCP packets traced")),
        ("tshark", lines(&run(&mut tool("tshark", &["-T", "fields", "-e", "frame.number", "-r"], &[path])?)?)),
        ("capinfos", first_number(&run(&mut tool("capinfos", &["-c", "-M"], &[path])?)?, "Number of packets:")),
        ("editcap", written(tool("editcap", &[], &[path, &copy]))?),
        ("mergecap", written(tool("mergecap", &["-w"], &[&copy, path]))?),
        ("scapy, rdpcap", first_number(&scapy, "rdpcap")),
        ("scapy, PcapNgReader", first_number(&scapy, "PcapNgReader")),
    ])
}

/// Packets that are TCP in IP in Ethernet.
const SCAPY: &str = "import sys
from scapy.all import rdpcap, PcapNgReader, Ether, IP, TCP
whole = lambda packets: sum(Ether in one and IP in one and TCP in one for one in packets)
print('rdpcap', whole(rdpcap(sys.argv[1])))
print('PcapNgReader', whole(PcapNgReader(sys.argv[1])))";

/// A Python that has scapy: Debian's own, which may not be the first on the path.
fn with_scapy() -> Outcome<PathBuf> {
    let has = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", "import scapy"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    };
    let missing = || Trouble::Missing("scapy (python3-scapy; scripts/test installs it)".into());
    [PathBuf::from("/usr/bin/python3")].into_iter().chain(program("python3")).find(has).ok_or_else(missing)
}

#[test]
fn recordings_open_in_every_reader() {
    with_peers("recordings_open_in_every_reader", || {
        let folder = Folder::new()?;
        for path in recordings(folder.path())? {
            let contents = Contents::of(&path);
            let packets = contents.times.len();
            assert!(packets > 5, "{}", path.display());
            let mut readers = counted(&path, folder.path())?;
            if !contents.is_late {
                let said = run(&mut tool("reordercap", &[], &[&path, &folder.path().join("copy.pcapng")])?)?;
                let frames = said.split_whitespace().next().unwrap_or_default().to_owned();
                readers.push(("reordercap", frames));
            }
            for (reader, count) in readers {
                assert_eq!(count, packets.to_string(), "{reader} of {}", path.display());
            }
        }
        Ok(())
    });
}

#[test]
fn a_recording_that_was_written_again_says_the_same() {
    with_peers("a_recording_that_was_written_again_says_the_same", || {
        let folder = Folder::new()?;
        let files = recordings(folder.path())?;
        let mut table = String::from(TABLE);
        for rewriter in REWRITERS {
            let mut left = Left::default();
            // reordercap 4.0 describes no interface that comes behind a packet: those of a further connection.
            let is_written = |path: &&PathBuf| rewriter.shown != "reordercap" || !Contents::of(path).is_late;
            // Nothing in a pcap file says that blank ends were left off, or that TLS leads to a gateway.
            let is_whole = |path: &&PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                rewriter.kind == "pcapng" || !name.starts_with(REDACTED) && !name.starts_with("tunnel")
            };
            let is_taken = |path: &&PathBuf| is_written(path) && is_whole(path);
            for path in files.iter().filter(is_taken) {
                let again = folder.path().join(format!("again.{}", rewriter.kind));
                let _absent = fs::remove_file(&again);
                run(&mut (rewriter.command)(path, &again)?)?;
                left.compare(path, &again)?;
                says_the_same(rewriter, path, &again)?;
            }
            table += &left.line(rewriter);
        }
        scoreboard::stands_in("recordings.md", "rewriters", &table).map_err(Trouble::Failed)
    });
}

fn says_the_same(rewriter: &Rewriter, path: &Path, again: &Path) -> Outcome<()> {
    let what = format!("{} of {}", rewriter.shown, path.display());
    let (before, after) = (analyze(&[path.to_owned()])?, analyze(&[again.to_owned()])?);
    if rewriter.kind == "pcapng" {
        let notices = after.1["notices"].to_string();
        assert!(notices.contains("another program wrote it again"), "{what}: {notices}");
        let pretty = |document: &Value| serde_json::to_string_pretty(&without(document)).expect("JSON");
        let (one, other) = (pretty(&before.1), pretty(&after.1));
        let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
        assert!(before.0 == after.0 && one == other, "{what}: {:?} {:?} {differ:?}", before.0, after.0);
        return Ok(());
    }
    // Legs are told by the bytes alone, and what is sealed stays so: the verdict is what is left. Where its last words were
    // stored on one leg alone, it says that they are missing.
    let sealed = sealed(path, &Contents::of(path).secrets)?;
    let before = sealed.unwrap_or(before);
    let short = |document: &Value| Said::of(document).map(|said| said.short());
    let is_unseen = after.1["attempts"][0]["sessions"][0]["unseen"].is_string();
    let is_same = (after.0, short(&after.1)) == (before.0, short(&before.1));
    assert!(is_same || is_unseen && after.0 == Some(0), "{what}: {:?}, {:?}", short(&after.1), short(&before.1));
    Ok(())
}

/// What is said of a recording without the secrets in it; nothing where it has none.
fn sealed(path: &Path, secrets: &[u8]) -> Outcome<Option<(Option<i32>, Value)>> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let sealed = path.with_extension("sealed.pcapng");
    let (_, rest) = crate::support::through::blocks(&fs::read(path)?);
    fs::write(&sealed, rest.concat())?;
    analyze(&[sealed]).map(Some)
}

/// The document without what is left off.
fn without(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !IN_ANNOTATIONS.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without(value))).collect()
        }
        Value::Array(values) => values.iter().map(without).collect(),
        other => other.clone(),
    }
}

const TABLE: &str = "| written by | times | section's comment | interfaces | secrets | annotations | read as | says |\n\
                     |---|---|---|---|---|---|---|---|\n";

/// Whether each text is there; mergecap puts lines of its own behind it.
fn is_behind(before: &[String], after: &[String]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(before, after)| after.starts_with(before))
}

/// What a program keeps of all recordings, as a line of the table.
#[derive(Default)]
struct Left {
    lost: [bool; 5],
}

impl Left {
    fn compare(&mut self, path: &Path, again: &Path) -> Outcome<()> {
        let (before, after) = (Contents::of(path), Contents::of(again));
        assert_eq!(before.times.len(), after.times.len(), "every packet of {}", path.display());
        // Stamps of the kernel may be a few microseconds out of order, and some programs sort.
        let sorted = |times: &[u64]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times
        };
        let (times, times_again) = (sorted(&before.times), sorted(&after.times));
        let micro = |times: &[u64]| times.iter().map(|at| at / 1000).collect::<Vec<_>>();
        assert_eq!(micro(&times), micro(&times_again), "{}", path.display());
        let lost = [
            times != times_again,
            !is_behind(&before.sections, &after.sections),
            before.interfaces != after.interfaces,
            before.secrets != after.secrets,
            before.annotations != after.annotations,
        ];
        self.lost.iter_mut().zip(lost).for_each(|(all, one)| *all |= one);
        Ok(())
    }

    fn line(&self, rewriter: &Rewriter) -> String {
        let kept = |lost: bool| if lost { "gone" } else { "kept" };
        let [times, section, interfaces, secrets, annotations] = self.lost;
        let times = if times { "in µs" } else { "in ns" };
        let (read, says) = match rewriter.kind {
            "pcapng" => ("a recording", "the same but for annotations"),
            _ => ("a capture of both legs", "the same verdict, or what is missing for it"),
        };
        format!(
            "| `{}` | {times} | {} | {} | {} | {} | {read} | {says} |\n",
            rewriter.shown,
            kept(section),
            kept(interfaces),
            kept(secrets),
            kept(annotations),
        )
    }
}
