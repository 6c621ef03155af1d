//! One conversation of a probe: connect, say, hear. Every step is bounded, and the analyzer sees all of it as it comes.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzer::attempt::Diagnosed;
use analyzer::event::{Event, What};
use analyzer::observation::{Ending, Flow, Leg, Observation, Opening, Seen, Side};
use analyzer::session::Session;
use analyzer::timeline::Timeline;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock;
use crate::dial::{self, Target};
use crate::tcp_info;

/// A server that says more than this without an answer in it is not listened to any longer, bytes.
const MOST: usize = 1 << 20;

/// One conversation.
pub(super) struct Talk {
    flow: Flow,
    layers: Session,
    timeline: Timeline,
    patience: Duration,
    stream: Option<TcpStream>,
    /// What the server said since it was last spoken to.
    heard: BytesMut,
    ended: bool,
}

impl Talk {
    /// Nothing said yet. Each step gets `patience`. With a gateway TLS begins at once.
    pub(super) fn new(number: u32, patience: Duration, gateway: bool) -> Talk {
        let flow = Flow { session: number, leg: Leg::Only };
        let (mut layers, timeline, heard) = (Session::default(), Timeline::default(), BytesMut::new());
        if gateway {
            let seen = Seen::Opening(Opening::Gateway);
            // To the layers alone: nothing stands in that TLS, and what it shows is judged as any server's.
            layers.push(&Observation { at: clock::now(), flow, frame: 0, seen }, &mut |_| {});
        }
        Talk { flow, layers, timeline, patience, stream: None, heard, ended: false }
    }

    /// The name's addresses.
    pub(super) async fn resolve(&mut self, target: &Target) -> Vec<SocketAddr> {
        if let Some(address) = dial::literal(target) {
            return vec![address];
        }
        self.note(Seen::Opening(Opening::Resolving));
        let name = (target.name.clone(), target.port);
        let (addresses, error) = match timeout(self.patience, lookup_host(name)).await {
            Ok(Ok(found)) => (found.collect(), None),
            Ok(Err(error)) => (Vec::new(), Some(error.to_string())),
            Err(_) => (Vec::new(), Some("the resolver does not answer".into())),
        };
        let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        self.note(Seen::Opening(Opening::Resolved { addresses: ips, error }));
        if addresses.is_empty() {
            self.end(None, Ending::Unresolved);
        }
        addresses
    }

    /// Says which name the certificate must be for.
    pub(super) fn aim(&mut self, target: &Target) {
        let Target { name, port } = target.clone();
        self.note(Seen::Opening(Opening::Target { name, port }));
    }

    /// One connect attempt. True if the connection stands.
    pub(super) async fn dial(&mut self, server: SocketAddr) -> bool {
        // A next address takes back the end of the one before.
        self.ended = false;
        let at = clock::now();
        let (client, started) = match dial::start(server) {
            Ok((client, started)) => (client, started),
            Err(error) => (dial::unspecified(server), Err(error)),
        };
        self.note_at(at, Seen::Opening(Opening::Dialing { client, server }));
        match self.answer(started).await {
            Ok(stream) => {
                self.note(Seen::Opened);
                self.stream = Some(stream);
                self.sample();
                true
            }
            Err(error) => {
                let (from, how) = dial::ending(error.kind());
                self.end(from, how);
                false
            }
        }
    }

    async fn answer(&mut self, started: io::Result<TcpStream>) -> io::Result<TcpStream> {
        let stream = started?;
        match timeout(self.patience, stream.writable()).await {
            Ok(answered) => answered?,
            Err(_) => return Err(ErrorKind::TimedOut.into()),
        }
        match stream.take_error()? {
            Some(error) if !dial::stood(&error) => Err(error),
            _ => Ok(stream),
        }
    }

    /// Says this, and listens until there is enough. False where the other side ends it, or is silent too long.
    pub(super) async fn ask(&mut self, says: Vec<u8>, enough: fn(&Timeline) -> bool) -> bool {
        let deadline = Instant::now() + self.patience;
        self.heard.clear();
        let Some(stream) = &mut self.stream else { return false };
        let said = Bytes::from(says);
        match timeout_at(deadline, stream.write_all(&said)).await {
            Ok(Ok(())) => self.note(Seen::Bytes { from: Side::Client, data: said }),
            // What the server said before it hung up can still be read.
            Ok(Err(_)) => {}
            Err(_) => return self.give_up(),
        }
        while !enough(&self.timeline) {
            if !self.hear(deadline).await {
                return false;
            }
        }
        true
    }

    /// Hears once. False at the end.
    async fn hear(&mut self, deadline: Instant) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let before = self.heard.len();
        if before > MOST {
            return self.give_up();
        }
        match timeout_at(deadline, stream.read_buf(&mut self.heard)).await {
            Ok(Ok(0)) => self.end(Some(Side::Server), Ending::Fin),
            Ok(Ok(_)) => {
                let data = Bytes::copy_from_slice(&self.heard[before..]);
                self.note(Seen::Bytes { from: Side::Server, data });
                return true;
            }
            Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => self.end(None, Ending::TimedOut),
            Ok(Err(_)) => self.end(Some(Side::Server), Ending::Reset),
            Err(_) => return self.give_up(),
        }
        false
    }

    fn give_up(&mut self) -> bool {
        self.sample();
        self.end(Some(Side::Client), Ending::Fin);
        false
    }

    /// What the server said since it was last spoken to.
    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }

    /// The connection, for somebody who goes on with it in another way.
    pub(super) fn stream(&mut self) -> Option<&mut TcpStream> {
        self.stream.as_mut()
    }

    /// What was learned by taking part.
    pub(super) fn learn(&mut self, what: What) {
        self.timeline.push(&Event { at: clock::now(), flow: self.flow, frame: 0, what });
    }

    /// Goes. What the other side did not end is not an end that means anything.
    pub(super) fn close(mut self) -> Diagnosed {
        if !self.ended {
            self.sample();
            self.end(None, Ending::Cut);
        }
        self.timeline.take_edges();
        self.timeline.finish();
        Diagnosed::new(None, self.timeline)
    }

    fn end(&mut self, from: Option<Side>, how: Ending) {
        self.stream = None;
        self.ended = true;
        self.note(Seen::Closed { from, how });
    }

    fn sample(&mut self) {
        if let Some(path) = self.stream.as_ref().and_then(tcp_info::sample) {
            self.note(Seen::Path(Box::new(path)));
        }
    }

    fn note(&mut self, seen: Seen) {
        self.note_at(clock::now(), seen);
    }

    fn note_at(&mut self, at: analyzer::time::Timestamp, seen: Seen) {
        let observation = Observation { at, flow: self.flow, frame: 0, seen };
        self.layers.push(&observation, &mut |event| self.timeline.push(&bare(event)));
    }
}

/// Without the mark that it is of the TLS around a tunnel.
fn bare(event: Event) -> Event {
    match event.what {
        What::Outer(what) => Event { what: *what, ..event },
        _ => event,
    }
}
