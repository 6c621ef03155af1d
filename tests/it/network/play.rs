//! Plays one case: server, proxy and client each on a thread of its own in its namespace, tcpdump beside the proxy.

use std::fs;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use analyzer::attempt::group;
use analyzer::observation::Side;
use analyzer::report::json;
use proxy::lab::wire::protocol::HYBRID;
use proxy::lab::{Expect, Outcome as LabOutcome, Scenario, certificate};
use proxy::listen::Target;
use proxy::watch::Stored;
use proxy::wire::hello::{Offer, client_hello};
use proxy::wire::x224::connection_request;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::cases::{Case, Client};
use crate::support::peers::{PASSWORD, Screen, Security, Server, Then, USER, xfreerdp};
use crate::support::process::{self, Folder, Outcome, Process};
use crate::support::program::{self, Proxy, analyze, recordings};
use crate::support::recorded::Recorded;
use crate::support::tcpdump::Tcpdump;
use crate::support::wan::journal::Entry;
use crate::support::wan::{Act, INTERFACE, SERVER_ADDRESS, Wan};

const SERVER_PORT: u16 = 3389;
const PROXY_PORT: u16 = 3390;

/// The leg of the relay that the fault is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leg {
    /// The proxy stands beside the server.
    Front,
    /// The proxy stands beside the client.
    Back,
}

impl Leg {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Leg::Front => "front",
            Leg::Back => "back",
        }
    }

    /// On whose side the proxy stands.
    fn beside(self) -> Side {
        match self {
            Leg::Front => Side::Server,
            Leg::Back => Side::Client,
        }
    }

    /// Who is at the other end of the network.
    fn beyond(self) -> Side {
        match self {
            Leg::Front => Side::Client,
            Leg::Back => Side::Server,
        }
    }
}

/// From what a verdict was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// While it happened.
    Live,
    /// `rdpscope analyze` of the recording.
    Recording,
    /// `rdpscope analyze` of what tcpdump saw of the leg with the fault.
    Tcpdump,
}

impl Source {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Source::Live => "live",
            Source::Recording => "recording",
            Source::Tcpdump => "tcpdump",
        }
    }
}

/// A case, and all that was said of it.
pub struct Played {
    pub case: Case,
    pub leg: Leg,
    /// What each source says, as the JSON document.
    pub documents: Vec<(Source, Value)>,
    /// What was done to packets.
    pub journal: Vec<Entry>,
}

/// Something that runs on a side until it is told to stop, and where it listens.
struct Running<T> {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<T>,
}

impl<T> Running<T> {
    fn finish(self) -> T {
        let _ended_already = self.stop.send(());
        self.thread.join().expect("no panic")
    }
}

/// Runs `work` in a runtime of its own on that side. It says where it listens, and ends after it was told to.
fn start<T: Send + 'static, F: Future<Output = T>>(
    wan: &Wan,
    side: Side,
    work: impl FnOnce(mpsc::Sender<SocketAddr>, oneshot::Receiver<()>) -> F + Send + 'static,
) -> Running<T> {
    let (listens, listening) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = wan.inside(side, || runtime().block_on(work(listens, stopped)));
    Running { addr: listening.recv().expect("it listens"), stop, thread }
}

fn runtime() -> tokio::runtime::Runtime {
    // One thread: the others of a runtime would be in the namespace, too, but each case would have two of them.
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Plays it and asks every source.
pub fn play(case: &Case, leg: Leg) -> Outcome<Played> {
    let wan = Wan::new(case.path)?;
    let folder = Folder::new()?;
    let tcpdump = Tcpdump::start(|program| wan.command(leg.beside(), program), INTERFACE, folder.path())?;
    let scenario = scenario(case);
    let server_ip = if leg == Leg::Back { SERVER_ADDRESS } else { Ipv4Addr::LOCALHOST };
    let server = start(&wan, Side::Server, move |listens, stopped| async move {
        let server = scenario.serve_on((server_ip, SERVER_PORT).into(), None).await.expect("serve");
        listens.send(server.addr).expect("somebody waits");
        let _told = stopped.await;
        server.stop().await;
    });
    let dials = server.addr;
    let proxy_ip = if leg == Leg::Back { Ipv4Addr::LOCALHOST } else { SERVER_ADDRESS };
    let proxy = start(&wan, leg.beside(), move |listens, stopped| async move {
        let target = Target { name: certificate::NAME.into(), port: dials.port() };
        let change = |config: &mut proxy::listen::Config| {
            (config.listen, config.connect_to) = ((proxy_ip, PROXY_PORT).into(), Some(dials));
        };
        let proxy = Recorded::with(target, change, Stored::Once).await;
        listens.send(proxy.addr).expect("somebody waits");
        let _told = stopped.await;
        proxy.finish().await
    });
    let (client, to) = (case.client, proxy.addr);
    let talk = move || runtime().block_on(connect(client, scenario, to));
    let talking = wan.inside(Side::Client, talk);
    let (captured, (sessions, recorded)) = if let Some(stops) = case.stops {
        sleep(stops);
        // The capture first: of how the proxy ends it has nothing.
        let captured = tcpdump.finish()?;
        let told = proxy.finish();
        talking.join().expect("no panic");
        server.finish();
        (captured, told)
    } else {
        talking.join().expect("no panic");
        // A server gives up, too, some time after a client whose end it never heard of.
        sleep(Duration::from_millis(500));
        server.finish();
        sleep(Duration::from_millis(300));
        let told = proxy.finish();
        (tcpdump.finish()?, told)
    };
    keep(&captured, case, leg);
    let live = serde_json::from_str(&json::document("test", &group(sessions))).expect("JSON");
    let documents = vec![
        (Source::Live, live),
        (Source::Recording, analyze(&recordings(&recorded.0)?)?.1),
        (Source::Tcpdump, analyze(&[captured])?.1),
    ];
    Ok(Played { case: *case, leg, documents, journal: wan.journal().entries() })
}

/// The same with xfreerdp, the program itself, and xrdp: the fault is on the back leg.
pub fn play_real(case: &Case) -> Outcome<Played> {
    let wan = Wan::new(case.path)?;
    let folder = Folder::new()?;
    let nla = case.server.selects == Some(HYBRID);
    // On the machine's own side: its socket is a file, which every namespace sees.
    let (screen, desktop) = (Screen::start()?, Screen::start()?);
    let start = move || match nla {
        true => Server::shadow_at(SERVER_ADDRESS, desktop, Security::Nla),
        false => Server::xrdp_alone(SERVER_ADDRESS),
    };
    let server = wan.inside(Side::Server, start).join().expect("no panic")?;
    let (security, password, sec) =
        if nla { (Security::Nla, PASSWORD, "/sec:nla") } else { (Security::Tls(""), "na", "/sec:tls") };
    let tcpdump = Tcpdump::start(|program| wan.command(Side::Client, program), INTERFACE, folder.path())?;
    let mut command = wan.command(Side::Client, program::program());
    command.args(["proxy", "--to", &format!("{SERVER_ADDRESS}:{}", server.port)]);
    let proxy = Proxy::run(command)?;
    let port = proxy.port;
    if case.expect.outcome == "connected" {
        let client = move || xfreerdp(&screen, port, security, password, Then::CloseTheWindow);
        wan.inside(Side::Client, client).join().expect("no panic")?;
    } else {
        let mut client = wan.command(Side::Client, process::program("timeout")?);
        client.args(["6", "xfreerdp", "/cert:ignore", sec, "+auth-only"]);
        client.args([format!("/u:{USER}"), format!("/p:{password}")]);
        client.arg(format!("/v:127.0.0.1:{port}")).env("HOME", folder.path()).env("DISPLAY", screen.name());
        Process::start(client.stdin(Stdio::null()), folder.path())?.wait(Duration::from_secs(20))?;
    }
    sleep(Duration::from_millis(300));
    let finished = proxy.finish()?;
    let captured = tcpdump.finish()?;
    keep(&captured, case, Leg::Back);
    let documents =
        vec![(Source::Recording, analyze(&finished.recordings)?.1), (Source::Tcpdump, analyze(&[captured])?.1)];
    // Live it has printed what it says of its recording.
    if let Some(cause) = documents[0].1["attempts"][0]["sessions"][0]["findings"][0]["cause"].as_str() {
        assert!(finished.output.contains(cause), "{}: {cause}\n{}", case.name, finished.output);
    }
    Ok(Played { case: *case, leg: Leg::Back, documents, journal: wan.journal().entries() })
}

/// With RDPSCOPE_CAPTURES=FOLDER what tcpdump saw stays there, to try other programs on it.
fn keep(captured: &Path, case: &Case, leg: Leg) {
    let Some(folder) = std::env::var_os("RDPSCOPE_CAPTURES") else { return };
    let name = format!("{}-{}.pcap", case.name, leg.name());
    fs::copy(captured, PathBuf::from(folder).join(name)).expect("a copy");
}

/// What the lab calls it: only server and client matter here.
fn scenario(case: &Case) -> Scenario {
    let expect = Expect {
        outcome: LabOutcome::Failed,
        phases: &[],
        leg: analyzer::observation::Leg::Back,
        by: Side::Client,
        how: analyzer::observation::Ending::Fin,
        cause: None,
        or: &[],
        blames: None,
        end: proxy::lab::End::Clean,
    };
    let client = match case.client {
        Client::Plays(script) => script,
        Client::LargeHello(_) => super::cases::SCRIPT,
    };
    Scenario { name: case.name, says: "", server: case.server, client, again: None, expect, inside: false }
}

async fn connect(client: Client, scenario: Scenario, to: SocketAddr) {
    match client {
        Client::Plays(_) => drop(scenario.connect(to).await),
        Client::LargeHello(len) => large_hello(to, len).await,
    }
}

/// A request, a ClientHello of so many bytes, and four seconds of patience.
async fn large_hello(to: SocketAddr, len: usize) {
    let mut stream = TcpStream::connect(to).await.expect("connect");
    stream.write_all(&connection_request("lab", Some(1))).await.expect("write");
    let mut confirm = [0; 19];
    stream.read_exact(&mut confirm).await.expect("a confirm");
    let offer = Offer { versions: &[0x0304, 0x0303], ciphers: &[0x1301, 0xc02f], name: None, padded_to: len };
    stream.write_all(&client_hello(&offer)).await.expect("write");
    let mut scrap = [0; 4096];
    let _patience =
        timeout(Duration::from_secs(4), async { while stream.read(&mut scrap).await.is_ok_and(|n| n > 0) {} });
    _patience.await.ok();
    let _gone = stream.shutdown().await;
}

impl Played {
    /// Every end that is told is one that happened: by the side, on the leg, in the manner and at the time that the
    /// journal knows.
    pub fn against_the_journal(&self) -> Vec<String> {
        let told = self.documents.iter().filter_map(|(source, document)| {
            let end = &document["attempts"][0]["sessions"][0]["end"];
            Some((source, self.end_against_the_journal(*source, end).err()?))
        });
        told.map(|(source, says)| format!("{} on {} from {}: {says}", self.case.name, self.leg.name(), source.name()))
            .collect()
    }

    fn end_against_the_journal(&self, source: Source, end: &Value) -> Result<(), String> {
        let text = |key: &str| end[key].as_str().unwrap_or("none");
        let at_ns = end["at_ns"].as_u64().unwrap_or(0);
        let (how, by, leg) = (text("how"), text("by"), text("leg"));
        // When the far side's ends came to the proxy, at the latest; with leave for a machine that is busy.
        let slack = (self.case.path.delay + self.case.path.jitter + Duration::from_millis(300)).as_nanos() as u64;
        let arrives = |act: Act| self.journal.iter().filter(move |entry| entry.act == act);
        let far = self.leg.beyond();
        let forged = if self.leg == Leg::Back { Act::ResetToClient } else { Act::ResetToServer };
        let resets = || arrives(Act::Rst).filter(|entry| entry.from == far).chain(arrives(forged));
        let fins = || arrives(Act::Fin).filter(|entry| entry.from == far);
        let before = |entry: &Entry| entry.at_ns <= at_ns;
        let on_the_network = leg == self.leg.name() || source == Source::Tcpdump;
        let said_far = by == if far == Side::Server { "server" } else { "client" };
        match (on_the_network && said_far, how) {
            (true, "reset") if !resets().any(before) => Err("a reset that nobody sent".into()),
            (true, "fin") if !fins().any(before) => Err("a FIN that nobody sent".into()),
            (_, "unreachable") if arrives(Act::Unreachable).next().is_none() => Err("nobody said unreachable".into()),
            (true, "reset" | "fin") => Ok(()),
            // Another end is told: the far side's was not earlier.
            (_, _) => match resets().chain(fins()).find(|entry| entry.at_ns + slack < at_ns) {
                Some(entry) => Err(format!(
                    "{how} by {by} on {leg}, but {:?} of the {} was {} ms earlier",
                    entry.act,
                    entry.from,
                    (at_ns - entry.at_ns) / 1_000_000
                )),
                None => Ok(()),
            },
        }
    }
}
