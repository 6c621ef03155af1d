//! What the relay costs, with a scribe that takes every note: `cargo bench --bench relay`.
//!
//! Each figure is measured directly and through the relay in one run, turn and turn about, so that both meet the same
//! machine. The peers are threads of this process with plain blocking sockets.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use proxy::listen::{Config, Server, Target};
use proxy::tap::{Intake, Limits, Note, tap};

const ROUNDS: usize = 20;
const TRIPS: usize = 1000;
const BULK: usize = 256 << 20;

fn main() {
    let echo = serve(|mut stream| {
        let mut bytes = [0; 64];
        while stream.read_exact(&mut bytes).and_then(|()| stream.write_all(&bytes)).is_ok() {}
    });
    let source = serve(|mut stream| {
        let chunk = vec![7; 256 << 10];
        (0..BULK / chunk.len()).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    });
    let ways = [("direct", echo, source), ("relay", relay(echo), relay(source))];
    let mut trips = [Vec::new(), Vec::new()];
    let mut set_ups = [Vec::new(), Vec::new()];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (i, (_, echo, source)) in ways.iter().enumerate() {
            trips[i].extend(round_trips(*echo));
            set_ups[i].extend((0..50).map(|_| set_up(*echo)));
            if round % 4 == 0 {
                rates[i].push(rate(*source));
            }
        }
    }
    for (i, (name, ..)) in ways.iter().enumerate() {
        let (trips, set_ups) = (&mut trips[i], &mut set_ups[i]);
        trips.sort();
        set_ups.sort();
        rates[i].sort_by(f64::total_cmp);
        println!(
            "{name:>6}: 64 B round trip p50 {:?} p99 {:?}; connect and first 64 B round trip p50 {:?} p99 {:?}; {:.0} MB/s",
            trips[trips.len() / 2],
            trips[trips.len() * 99 / 100],
            set_ups[set_ups.len() / 2],
            set_ups[set_ups.len() * 99 / 100],
            rates[i][rates[i].len() / 2],
        );
    }
}

/// A server with a thread for each connection.
fn serve(talk: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let addr = listener.local_addr().expect("address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let talk = talk.clone();
            stream.set_nodelay(true).expect("nodelay");
            thread::spawn(move || talk(stream));
        }
    });
    addr
}

/// A relay to `server`, with a scribe.
fn relay(server: SocketAddr) -> SocketAddr {
    let (feed, intake) = tap(Limits::default());
    thread::spawn(|| scribe(intake));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let target = Target { name: server.ip().to_string(), port: server.port() };
    let config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)), target, feed);
    let server = runtime.block_on(Server::bind(config)).expect("bind");
    let addr = server.local_addr();
    thread::spawn(move || runtime.block_on(server.run(std::future::pending())));
    addr
}

fn scribe(mut intake: Intake) {
    let mut waiting = HashMap::new();
    let mut notes = Vec::new();
    while intake.gather(&mut notes, Duration::from_secs(1)) {
        for note in notes.drain(..) {
            match note {
                Note::Begin(begin) => drop(waiting.insert(begin.session, begin.waiting)),
                Note::Seen(seen) => intake.budget().release(&waiting[&seen.flow.session], &seen),
                Note::End { session } => drop(waiting.remove(&session)),
            }
        }
    }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    stream
}

fn round_trip(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut bytes = [7; 64];
    stream.write_all(&bytes).expect("write");
    stream.read_exact(&mut bytes).expect("read");
    begun.elapsed()
}

fn round_trips(addr: SocketAddr) -> Vec<Duration> {
    let mut stream = connect(addr);
    let mut trips: Vec<_> = (0..TRIPS + 50).map(|_| round_trip(&mut stream)).collect();
    trips.split_off(50) // The first warm it up.
}

fn set_up(addr: SocketAddr) -> Duration {
    let begun = Instant::now();
    round_trip(&mut connect(addr));
    begun.elapsed()
}

/// Megabytes a second, one connection.
fn rate(addr: SocketAddr) -> f64 {
    let mut stream = connect(addr);
    let mut buffer = vec![0; 256 << 10];
    let begun = Instant::now();
    let mut bytes = 0;
    while bytes < BULK {
        bytes += stream.read(&mut buffer).expect("read");
    }
    bytes as f64 / 1e6 / begun.elapsed().as_secs_f64()
}
