//! A relay with a scribe that keeps every note, and peers that end a connection in a known way.

pub mod blocks;
pub mod certificates;
pub mod judge;
pub mod messages;
pub mod netns;
pub mod opened;
pub mod packed;
pub mod page;
pub mod peers;
pub mod process;
pub mod program;
pub mod recorded;
pub mod recording;
pub mod script;
pub mod sealing;
pub mod talk;
pub mod tcpdump;
pub mod through;
pub mod tunnel;
pub mod wan;
pub mod x11;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use analyzer::observation::{Flow, Leg, Observation, Opening, PathSample, Seen};
use proxy::listen::{Config, Server, Target};
use proxy::tap::{Intake, Limits, Note, tap};
use proxy::tcp_info;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Generous: only a test that hangs takes so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where tests listen: a free port of the loopback.
pub fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A running relay.
pub struct Rig {
    pub addr: SocketAddr,
    notes: Arc<Mutex<Vec<Note>>>,
    shutdown: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Rig {
    /// A relay to this address.
    pub async fn to(server: SocketAddr) -> Rig {
        Rig::with(server, |_| {}).await
    }

    /// A relay to this address, with a change to its configuration.
    pub async fn with(server: SocketAddr, change: impl FnOnce(&mut Config)) -> Rig {
        let (feed, intake) = tap(Limits::default());
        let target = Target { name: server.ip().to_string(), port: server.port() };
        let mut config = Config::new(anywhere(), target, feed);
        change(&mut config);
        let server = Server::bind(config).await.expect("bind");
        let addr = server.local_addr();
        let (shutdown, asked) = oneshot::channel();
        let server = tokio::spawn(server.run(async move { asked.await.unwrap_or(()) }));
        Rig { addr, notes: scribe(intake), shutdown: Some(shutdown), server: Some(server) }
    }

    /// Waits until a note is as wanted.
    pub async fn until(&self, wanted: impl Fn(&Note) -> bool) {
        let there = async {
            while !self.notes.lock().expect("notes").iter().any(&wanted) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, there).await.expect("the note never came");
    }

    /// Waits until a session has ended, and tells what was seen on each of its legs: front, back.
    pub async fn story(&self, session: u32) -> (Vec<String>, Vec<String>) {
        self.until(|note| matches!(note, Note::End { session: ended } if *ended == session)).await;
        let notes = self.notes.lock().expect("notes");
        (story(&notes, session, Leg::Front), story(&notes, session, Leg::Back))
    }

    /// Everything that was seen of a session that has ended, in order.
    pub async fn observations(&self, session: u32) -> Vec<Observation> {
        self.until(|note| matches!(note, Note::End { session: ended } if *ended == session)).await;
        let notes = self.notes.lock().expect("notes");
        let seen = notes.iter().filter_map(|note| match note {
            Note::Seen(seen) if seen.flow.session == session => Some(seen.clone()),
            Note::Seen(_) | Note::Begin(_) | Note::End { .. } | Note::Refused { .. } | Note::Lapsed { .. } => None,
        });
        seen.collect()
    }

    /// The path samples of a leg, each with what was seen next there.
    pub fn paths(&self, session: u32, leg: Leg) -> Vec<(PathSample, Option<Seen>)> {
        let notes = self.notes.lock().expect("notes");
        let seen = notes.iter().filter_map(|note| match note {
            Note::Seen(seen) if seen.flow == Flow { session, leg } => Some(&seen.seen),
            Note::Seen(_) | Note::Begin(_) | Note::End { .. } | Note::Refused { .. } | Note::Lapsed { .. } => None,
        });
        let seen_all: Vec<&Seen> = seen.collect();
        let path = |(i, seen): (usize, &&Seen)| match seen {
            Seen::Path(path) => Some((PathSample::clone(path), seen_all.get(i + 1).map(|seen| Seen::clone(seen)))),
            _ => None,
        };
        seen_all.iter().enumerate().filter_map(path).collect()
    }

    /// Ends the relay.
    pub async fn shut_down(&mut self) {
        drop(self.shutdown.take());
        if let Some(server) = self.server.take() {
            timeout(PATIENCE, server).await.expect("the relay did not end").expect("the relay failed");
        }
    }
}

/// Keeps every note, and releases its payload as a recorder does that has written it.
fn scribe(mut intake: Intake) -> Arc<Mutex<Vec<Note>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let notes = kept.clone();
    thread::spawn(move || {
        let mut batch = Vec::new();
        let mut waiting = HashMap::new();
        while intake.gather(&mut batch, Duration::from_millis(100)) {
            for note in &batch {
                match note {
                    Note::Begin(begin) => drop(waiting.insert(begin.session, begin.waiting.clone())),
                    Note::Seen(seen) => intake.budget().release(&waiting[&seen.flow.session], seen),
                    Note::End { session } => drop(waiting.remove(session)),
                    Note::Refused { .. } | Note::Lapsed { .. } => {}
                }
            }
            notes.lock().expect("notes").append(&mut batch);
        }
    });
    kept
}

/// What was seen on a leg, a line each. Payload that follows payload of the same side is one line; path samples, whose
/// number depends on time, are left out.
fn story(notes: &[Note], session: u32, leg: Leg) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut run: Option<(String, u64)> = None;
    let mut last = Default::default();
    for note in notes {
        let Note::Seen(Observation { at, flow, frame: 0, seen }) = note else { continue };
        if (flow.session, flow.leg) != (session, leg) {
            continue;
        }
        assert!(*at >= last, "time went backwards, {last} to {at}, before {lines:?}");
        last = *at;
        let (line, len) = match seen {
            Seen::Bytes { from, data } => (format!("{from} bytes"), data.len() as u64),
            Seen::Missing { from, len, why } => (format!("{from} {}", why.name()), *len),
            Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Secret(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_) => continue,
            other => (plain(other), 0),
        };
        match &mut run {
            Some((same, sum)) if *same == line && len > 0 => *sum += len,
            _ => {
                lines.extend(run.take().map(finished));
                run = Some((line, len));
            }
        }
    }
    lines.extend(run.map(finished));
    lines
}

fn finished((line, len): (String, u64)) -> String {
    if len > 0 { format!("{line} {len}") } else { line }
}

fn plain(seen: &Seen) -> String {
    match seen {
        Seen::Opening(Opening::Target { .. }) => "target".into(),
        Seen::Opening(Opening::Gateway) => "gateway".into(),
        Seen::Opening(Opening::Named { .. }) => "named".into(),
        Seen::Opening(Opening::Naming) => "naming".into(),
        Seen::Opening(Opening::Resolving) => "resolving".into(),
        Seen::Opening(Opening::Resolved { addresses, error }) => {
            format!("resolved {} {}", addresses.len(), if error.is_some() { "error" } else { "fine" })
        }
        Seen::Opening(Opening::Dialing { .. }) => "dialing".into(),
        Seen::Opening(Opening::Joined { .. }) => "joined".into(),
        Seen::Opened => "opened".into(),
        Seen::Closed { from, how } => format!("{} {}", from.map_or("nobody", |side| side.name()), how.name()),
        Seen::Bytes { .. }
        | Seen::Missing { .. }
        | Seen::Path(_)
        | Seen::Sign(_)
        | Seen::Secret(_)
        | Seen::Interception(_)
        | Seen::Impairment(_)
        | Seen::Lapse(_) => String::new(),
    }
}

/// How a connection ended, as a program sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Eof,
    Reset,
}

/// What a peer got: the bytes, and how they ended.
#[derive(PartialEq, Eq)]
pub struct Got {
    pub bytes: Vec<u8>,
    pub end: End,
}

impl std::fmt::Debug for Got {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, {:?}", self.bytes.len(), self.end)
    }
}

/// Reads until the end.
pub async fn read_all(stream: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    let end = loop {
        match timeout(PATIENCE, stream.read_buf(&mut bytes)).await.expect("the end never came") {
            Ok(0) => break End::Eof,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                break End::Reset;
            }
        }
    };
    Got { bytes, end }
}

/// Reads so many bytes.
pub async fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes never came").expect("read");
    bytes
}

/// Writes all of it.
pub async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    timeout(PATIENCE, stream.write_all(bytes)).await.expect("bytes were not taken").expect("write");
}

/// Writes until nothing more is taken for a while: both ends' buffers, and those between, are full.
pub async fn write_until_full(stream: &mut TcpStream) -> u64 {
    let mut written = 0;
    let chunk = pattern(64 << 10);
    while let Ok(n) = timeout(Duration::from_millis(300), stream.write(&chunk)).await {
        written += n.expect("write") as u64;
    }
    written
}

/// Waits until the peer's kernel has acknowledged everything.
pub async fn acknowledged(stream: &TcpStream) {
    while tcp_info::unacknowledged(stream).unwrap_or(0) > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Closes with an RST.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("linger");
    drop(stream);
}

/// Waits for an error that no read tells of.
pub async fn late_error(stream: &TcpStream) -> Option<ErrorKind> {
    timeout(PATIENCE, stream.ready(Interest::ERROR)).await.expect("no error ever came").expect("ready");
    stream.take_error().expect("take_error").map(|error| error.kind())
}

/// Bytes that are not all the same.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// A connection to `server`, with a receive buffer of this size if one is wanted.
pub async fn connect(server: SocketAddr, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("socket");
    if let Some(size) = buffer {
        socket.set_recv_buffer_size(size).expect("buffer");
    }
    timeout(PATIENCE, socket.connect(server)).await.expect("no connection").expect("connect")
}

/// The end that a client sees that only listens. A reset may come before it has learnt that it is connected.
pub async fn fate(server: SocketAddr) -> End {
    match timeout(PATIENCE, TcpStream::connect(server)).await.expect("no connection") {
        Ok(mut client) => read_all(&mut client).await.end,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            End::Reset
        }
    }
}

/// Lets a client and a server talk, directly and through a relay, and checks that neither can tell the difference.
/// Tells what was seen on the legs of the relay: front, back.
pub async fn same<C: PartialEq + std::fmt::Debug, S: PartialEq + std::fmt::Debug>(
    client_talks: impl AsyncFn(TcpStream) -> C,
    server_talks: impl AsyncFn(TcpStream) -> S,
) -> (Vec<String>, Vec<String>) {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    let mut rig = Rig::to(addr).await;
    let talk = async |to: SocketAddr| {
        // Connected before anything else happens: a reset that comes earlier makes `connect` fail.
        let client = connect(to, Some(1 << 20)).await;
        let server = timeout(PATIENCE, listener.accept()).await.expect("no client came").expect("accept").0;
        timeout(PATIENCE, async { tokio::join!(client_talks(client), server_talks(server)) })
            .await
            .expect("the talk never ended")
    };
    let direct = talk(addr).await;
    let relayed = talk(rig.addr).await;
    assert_eq!(direct, relayed, "direct, relayed: client, server");
    let story = rig.story(1).await;
    rig.shut_down().await;
    story
}
