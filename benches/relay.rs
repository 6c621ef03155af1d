//! What the proxy costs: `cargo bench --bench relay`.
//!
//! Every figure is measured directly, through the relay alone (its notes are taken and thrown away) and through the
//! relay with recording and live analysis, in one run and turn about, so that all three meet the same machine. The
//! peers are threads of this process with plain blocking sockets; they speak a whole RDP connection sequence (standard
//! security) first, so that the recorder is in the state of an active session.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use analyzer::capture::annotation::Section;
use proxy::lab::wire;
use proxy::listen::{Config, Server, Target};
use proxy::tap::{Feed, Intake, Limits, Note, tap};
use proxy::watch::{self, Secrets, Stored};

const ROUNDS: usize = 20;
const TRIPS: usize = 1000;
const SET_UPS: usize = 25;
const BULK: usize = 256 << 20;
const UPDATE: u16 = 16_000;

fn main() {
    let server = serve();
    let folder = std::env::temp_dir().join(format!("rdpscope-bench-{}", std::process::id()));
    let ways = [("direct", server), ("relay", relay(server)), ("recorded", recorded(server, folder.clone()))];
    let mut figures = ways.map(|_| Figures::default());
    for round in 0..ROUNDS {
        for ((_, addr), figures) in ways.iter().zip(&mut figures) {
            figures.trips.extend(round_trips(*addr));
            figures.set_ups.extend((0..SET_UPS).map(|_| set_up(*addr)));
            if round % 4 == 0 {
                figures.rates.push(rate(*addr));
            }
        }
    }
    println!("{:>9}  64 B round trip p50/p99     set-up p50/p99             one connection", "");
    for ((name, _), figures) in ways.iter().zip(&mut figures) {
        figures.print(name);
    }
    let size: u64 = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|f| f.metadata().ok())
        .map(|m| m.len())
        .sum();
    println!("recordings: {:.0} MB in {}", size as f64 / 1e6, folder.display());
    let _kept = std::fs::remove_dir_all(folder);
}

#[derive(Default)]
struct Figures {
    trips: Vec<Duration>,
    set_ups: Vec<Duration>,
    rates: Vec<f64>,
}

impl Figures {
    fn print(&mut self, name: &str) {
        self.trips.sort();
        self.set_ups.sort();
        self.rates.sort_by(f64::total_cmp);
        let at = |times: &[Duration], percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        println!(
            "{name:>9}  {:>10.1?} {:>10.1?}     {:>10.1?} {:>10.1?}     {:>6.0} MB/s",
            at(&self.trips, 50),
            at(&self.trips, 99),
            at(&self.set_ups, 50),
            at(&self.set_ups, 99),
            self.rates[self.rates.len() / 2],
        );
    }
}

/// The connection sequence with standard RDP security: what the client sends, what the server answers.
fn sequence() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut steps = vec![
        (wire::connection_request("bench", None), wire::connection_confirm(None)),
        (wire::connect_initial(0), wire::connect_response(0)),
        ([wire::erect_domain(), wire::attach_user()].concat(), wire::attach_user_confirm()),
    ];
    steps.extend(wire::channel_joins().into_iter().zip(wire::channel_join_confirms()));
    steps.push((wire::client_info("bench"), [wire::licence_valid_client(), wire::demand_active()].concat()));
    let finalization = [vec![wire::confirm_active()], wire::client_finalization().to_vec()].concat().concat();
    steps.push((finalization, wire::server_finalization().concat()));
    steps
}

/// A server that goes through the sequence, then echoes 64-byte PDUs, or, told so by the first, sends updates.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let addr = listener.local_addr().expect("address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_nodelay(true).expect("nodelay");
            thread::spawn(move || talk(stream));
        }
    });
    addr
}

/// Ends where the client does.
fn talk(mut stream: TcpStream) -> Option<()> {
    for (asks, answers) in sequence() {
        stream.read_exact(&mut vec![0; asks.len()]).ok()?;
        stream.write_all(&answers).ok()?;
    }
    let mut bytes = [0; 64];
    stream.read_exact(&mut bytes).ok()?;
    if bytes == input(b'b') {
        let update = wire::graphics(UPDATE);
        let chunk = update.repeat((256 << 10) / update.len());
        (0..=BULK / chunk.len()).try_for_each(|_| stream.write_all(&chunk)).ok()?;
    }
    loop {
        stream.write_all(&bytes).ok()?;
        stream.read_exact(&mut bytes).ok()?;
    }
}

/// A fast-path input PDU of 64 bytes.
fn input(fill: u8) -> [u8; 64] {
    let mut pdu = [fill; 64];
    (pdu[0], pdu[1]) = (0x04, 64);
    pdu
}

fn relay(server: SocketAddr) -> SocketAddr {
    let (feed, intake) = tap(Limits::default());
    thread::spawn(|| discard(intake));
    relay_to(server, feed)
}

fn recorded(server: SocketAddr, folder: PathBuf) -> SocketAddr {
    let (feed, intake) = tap(Limits::default());
    let config = watch::Config {
        out: Some(folder),
        section: Section::default(),
        stored: Stored::Once,
        rotate: None,
        keep: None,
        secrets: Secrets::None,
        gateway: false,
        names: false,
        pulse: false,
    };
    thread::spawn(move || {
        watch::run(intake, config, &mut |live| {
            if let watch::Live::Missing { session } = live {
                println!("session {session}: the recorder did not keep up");
            }
        })
    });
    relay_to(server, feed)
}

fn relay_to(server: SocketAddr, feed: Feed) -> SocketAddr {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let target = Target { name: server.ip().to_string(), port: server.port() };
    let config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)), target, feed);
    let server = runtime.block_on(Server::bind(config)).expect("bind");
    let addr = server.local_addr();
    thread::spawn(move || runtime.block_on(server.run(std::future::pending())));
    addr
}

fn discard(mut intake: Intake) {
    let mut waiting = HashMap::new();
    let mut notes = Vec::new();
    while intake.gather(&mut notes, Duration::from_secs(1)) {
        for note in notes.drain(..) {
            match note {
                Note::Begin(begin) => drop(waiting.insert(begin.session, begin.waiting)),
                Note::Seen(seen) => intake.budget().release(&waiting[&seen.flow.session], &seen),
                Note::End { session } => drop(waiting.remove(&session)),
                Note::Refused { .. } => {}
            }
        }
    }
}

/// A client that has gone through the first `steps` of the sequence.
fn connect(addr: SocketAddr, steps: usize) -> TcpStream {
    let mut stream = TcpStream::connect(addr).expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    for (asks, answers) in sequence().into_iter().take(steps) {
        stream.write_all(&asks).expect("write");
        stream.read_exact(&mut vec![0; answers.len()]).expect("read");
    }
    stream
}

fn round_trip(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut bytes = input(b'e');
    stream.write_all(&bytes).expect("write");
    stream.read_exact(&mut bytes).expect("read");
    begun.elapsed()
}

fn round_trips(addr: SocketAddr) -> Vec<Duration> {
    let mut stream = connect(addr, usize::MAX);
    let mut trips: Vec<_> = (0..TRIPS + 50).map(|_| round_trip(&mut stream)).collect();
    trips.split_off(50) // The first warm it up.
}

/// Connect, X.224 request and confirm.
fn set_up(addr: SocketAddr) -> Duration {
    let begun = Instant::now();
    connect(addr, 1);
    begun.elapsed()
}

/// Megabytes a second, one connection, server to client.
fn rate(addr: SocketAddr) -> f64 {
    let mut stream = connect(addr, usize::MAX);
    stream.write_all(&input(b'b')).expect("write");
    let mut buffer = vec![0; 256 << 10];
    let begun = Instant::now();
    let mut bytes = 0;
    while bytes < BULK {
        bytes += stream.read(&mut buffer).expect("read");
    }
    bytes as f64 / 1e6 / begun.elapsed().as_secs_f64()
}
