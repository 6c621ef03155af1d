//! From an accepted client to a connected server: the name, every address in order, each with its result.
//!
//! Meanwhile the client is watched: what it sends is kept for the server (up to one chunk), and when it leaves, dialing
//! stops. An RST says so at once. A FIN may also be a client that has said all it had to say: it gets [`GRACE`].

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use analyzer::observation::{Ending, Leg as Name, Opening, Seen, Side};
use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};
use tracing::{debug, warn};

use crate::clock;
use crate::entrance::{Way, make_transparent};
use crate::leg::{CHUNK, Leg, Read};
use crate::own::is_own;
use crate::relay::note_fin;
use crate::tap::Tap;
use crate::tcp_info;

/// How much longer a server is dialed for a client that has sent its FIN: a SYN and one repetition of it.
const GRACE: Duration = Duration::from_millis(1500);

/// How long a server is not dialed where this machine has no socket for it.
const PAUSE: Duration = Duration::from_millis(250);

/// How often the path is sampled while a SYN is not answered.
const SAMPLE: Duration = Duration::from_secs(1);

/// Whom to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A host name or an IP address, as the user wrote it.
    pub name: String,
    /// TCP port.
    pub port: u16,
}

/// How to get there.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) target: Target,
    /// Dial this instead of what the name resolves to.
    pub(crate) connect_to: Option<SocketAddr>,
    /// Whether that is an RD Gateway.
    pub(crate) gateway: bool,
    /// Whose address the server is to see, if not this machine's.
    pub(crate) from: Option<IpAddr>,
    /// For each address.
    pub(crate) connect_timeout: Duration,
    /// Where this proxy listens: never to be dialed.
    pub(crate) listener: SocketAddr,
}

impl Route {
    /// To where a client was going. It is called by its address, unless it has a name.
    pub(crate) fn along(&self, way: Way) -> Route {
        let named = !self.target.name.is_empty();
        let name = if named { self.target.name.clone() } else { way.server.ip().to_string() };
        let target = Target { name, port: way.server.port() };
        Route { target, connect_to: Some(way.server), from: way.from, ..self.clone() }
    }
}

/// Why there is no back leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No address answered, or there is none.
    Failed,
    /// The client did not wait, or the proxy is to end. With how the attempt under way is given up, if there is one: to
    /// be noted after the end of the front leg, which is its cause.
    GivenUp(Option<Ending>),
}

/// A server being dialed while the client is watched.
pub(crate) struct Dial<'a> {
    pub(crate) front: &'a mut Leg,
    pub(crate) tap: &'a mut Tap,
    pub(crate) stop: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    /// What the client sent so far, and whether the scribe has it.
    early: Vec<(Bytes, bool)>,
    /// When a client that sent its FIN counts as gone.
    grace: Option<Instant>,
    /// Whether the client is listened to meanwhile.
    listens: bool,
    /// A header of the PROXY protocol that the server gets first.
    header: Option<Bytes>,
}

impl<'a> Dial<'a> {
    pub(crate) fn new(
        front: &'a mut Leg,
        tap: &'a mut Tap,
        stop: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    ) -> Dial<'a> {
        Dial { front, tap, stop, early: Vec::new(), grace: None, listens: true, header: None }
    }

    /// The same, after the client has said this, and with a header before everything that the server is sent.
    pub(crate) fn after(self, early: Vec<(Bytes, bool)>, header: Option<Bytes>) -> Dial<'a> {
        Dial { early, header, ..self }
    }

    /// Connects the back leg. What the client sent meanwhile is pending on it.
    pub(crate) async fn dial(mut self, route: &Route) -> Result<Leg, Failure> {
        let Target { name, port } = route.target.clone();
        self.note(Seen::Opening(Opening::Target { name, port }));
        if route.gateway {
            self.note(Seen::Opening(Opening::Gateway));
        }
        for server in self.addresses(route).await? {
            if let Some(connection) = self.attempt(server, route).await? {
                return Ok(self.connected(connection));
            }
        }
        Err(Failure::Failed)
    }

    /// Connects the back leg once more, with this pending on it. What the client says meanwhile waits in its socket.
    pub(crate) async fn again(mut self, server: SocketAddr, says: Bytes, route: &Route) -> Result<Leg, Failure> {
        (self.listens, self.early) = (false, vec![(says, true)]);
        let connection = self.attempt(server, route).await?.ok_or(Failure::Failed)?;
        Ok(self.connected(connection))
    }

    /// The addresses to dial. A name takes a resolver; an address is its own.
    async fn addresses(&mut self, route: &Route) -> Result<Vec<SocketAddr>, Failure> {
        if let Some(address) = route.connect_to.or_else(|| literal(&route.target)) {
            return Ok(vec![address]);
        }
        self.note(Seen::Opening(Opening::Resolving));
        let name = (route.target.name.clone(), route.target.port);
        let (addresses, error) = match self.meanwhile(lookup_host(name), None).await? {
            Ok(addresses) => (addresses.collect(), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let ips = addresses.iter().map(SocketAddr::ip).collect();
        self.note(Seen::Opening(Opening::Resolved { addresses: ips, error }));
        if addresses.is_empty() {
            self.closed(None, Ending::Unresolved);
        }
        Ok(addresses)
    }

    /// One connect attempt, with its result.
    async fn attempt(&mut self, server: SocketAddr, route: &Route) -> Result<Option<Connection>, Failure> {
        if loops(route.listener, server) {
            let at = clock::now();
            warn!(session = self.tap.session(), %server, "the target leads back to this proxy: not dialed");
            self.dialing(at, unspecified(server), server);
            self.closed(None, Ending::Unreachable);
            return Ok(None);
        }
        let Some((at, client, started)) = self.started(server, route).await? else { return Ok(None) };
        self.dialing(at, client, server);
        let result = match started {
            Ok(stream) => self.answer(Arc::new(stream), route.connect_timeout).await?,
            Err(error) => Err(error),
        };
        Ok(result.map_err(|error| self.refused(server, &error)).ok())
    }

    /// Sends a SYN, and tells when, and from where. Where this machine has no socket for it, sessions must end first: the
    /// server is not to blame, and nothing is noted of it.
    async fn started(&mut self, server: SocketAddr, route: &Route) -> Result<Option<Started>, Failure> {
        let deadline = Instant::now() + route.connect_timeout;
        let mut is_told = false;
        loop {
            let at = clock::now();
            let error = match start_from(route.from, server) {
                Ok((client, started)) => return Ok(Some((at, client, started))),
                Err(error) if !is_exhausted(&error) => return Ok(Some((at, unspecified(server), Err(error)))),
                Err(error) => error,
            };
            if !std::mem::replace(&mut is_told, true) {
                warn!(session = self.tap.session(), %server, %error, "cannot dial yet");
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            self.meanwhile(sleep(PAUSE), None).await?;
        }
    }

    /// Waits for the answer to a SYN.
    async fn answer(&mut self, stream: Arc<TcpStream>, patience: Duration) -> Result<io::Result<Connection>, Failure> {
        let answered = timeout(patience, stream.writable());
        let answered = self.meanwhile(answered, Some(&stream)).await?;
        let at = clock::now();
        let error = match answered {
            Ok(Ok(())) => stream.take_error().unwrap_or_else(Some),
            Ok(Err(error)) => Some(error),
            // Where this process was stopped meanwhile, a timer is told before an answer that came in time.
            Err(_) => match stream.take_error() {
                Ok(None) if stream.peer_addr().is_ok() => None,
                Ok(None) => Some(ErrorKind::TimedOut.into()),
                Ok(Some(error)) | Err(error) => Some(error),
            },
        };
        let error = match error {
            Some(error) if !stood(&error) => {
                self.sample(&stream);
                return Ok(Err(error));
            }
            error => error,
        };
        self.tap.note(Name::Back, at, Seen::Opened);
        self.sample(&stream);
        Ok(Ok(Connection { stream, error }))
    }

    /// Runs one step, unless the client leaves or the proxy ends. Samples the path of the connection being dialed.
    async fn meanwhile<T>(&mut self, step: impl Future<Output = T>, dialed: Option<&TcpStream>) -> Result<T, Failure> {
        let mut step = pin!(step);
        let mut tick = interval_at(Instant::now() + SAMPLE, SAMPLE);
        loop {
            let kept = self.early.iter().map(|(data, _)| data.len()).sum::<usize>();
            let room = if self.listens { CHUNK.saturating_sub(kept) } else { 0 };
            let grace = self.grace;
            let alarm = tokio::select! {
                biased;
                () = &mut self.stop => return Err(self.give_up(dialed)),
                out = &mut step => return Ok(out),
                alarm = self.front.ready(room > 0) => alarm,
                () = async { sleep_until(grace.unwrap_or_else(Instant::now)).await }, if grace.is_some() => {
                    return Err(self.give_up(dialed));
                }
                _ = tick.tick() => {
                    dialed.inspect(|stream| self.sample(stream));
                    continue;
                }
            };
            self.listen(room);
            if alarm && self.front.broken().is_none() {
                self.front.alarm();
            }
            if self.front.broken().is_some() {
                return Err(self.give_up(dialed));
            }
        }
    }

    /// Takes what the client has to say.
    fn listen(&mut self, room: usize) {
        match self.front.read(room) {
            Read::Data(data, at) => {
                let kept = self.tap.arrived(Name::Front, at, &data);
                self.early.push((data, kept));
            }
            Read::Fin => {
                note_fin(self.front, self.tap);
                self.grace = Some(Instant::now() + GRACE);
            }
            Read::Nothing => {}
        }
    }

    /// The back leg, with what the client sent so far.
    fn connected(self, Connection { stream, error }: Connection) -> Leg {
        self.tap.sampler().watch(Name::Back, &stream);
        let mut back = Leg::new(Name::Back, stream);
        if let Some(error) = error {
            back.broke(&error);
        } else if let Some(header) = self.header {
            self.tap.note(Name::Back, clock::now(), Seen::Opening(Opening::Naming));
            back.lead(header, self.tap);
        }
        for (data, kept) in self.early {
            back.pend(data, kept);
        }
        if self.grace.is_some() {
            back.end();
        }
        back
    }

    fn refused(&mut self, server: SocketAddr, error: &io::Error) {
        debug!(session = self.tap.session(), %server, %error, "not connected");
        let (from, how) = ending(error.kind());
        self.closed(from, how);
    }

    /// Nobody waits for the answer any more: the SYN under way ends as the connection that it was sent for.
    fn give_up(&mut self, dialed: Option<&TcpStream>) -> Failure {
        let Some(stream) = dialed else { return Failure::GivenUp(None) };
        self.sample(stream);
        let left_by_fin = self.grace.is_some() && self.front.broken().is_none();
        Failure::GivenUp(Some(if left_by_fin { Ending::Fin } else { Ending::Reset }))
    }

    fn dialing(&mut self, at: analyzer::time::Timestamp, client: SocketAddr, server: SocketAddr) {
        self.tap.note(Name::Back, at, Seen::Opening(Opening::Dialing { client, server }));
    }

    fn sample(&mut self, stream: &TcpStream) {
        if let Some(path) = tcp_info::sample(stream) {
            self.note(Seen::Path(Box::new(path)));
        }
    }

    fn closed(&mut self, from: Option<Side>, how: Ending) {
        self.note(Seen::Closed { from, how });
    }

    fn note(&mut self, seen: Seen) {
        self.tap.note(Name::Back, clock::now(), seen);
    }
}

/// When a SYN was sent, from where, and what became of that.
type Started = (analyzer::time::Timestamp, SocketAddr, io::Result<TcpStream>);

/// A connection that stands, or stood until this error.
struct Connection {
    stream: Arc<TcpStream>,
    error: Option<io::Error>,
}

/// Whether the connection stood before this error: the server accepted and reset it before this end took notice. (An
/// RST in answer to a SYN is ECONNREFUSED.) What it sent before can still be read.
pub(crate) fn stood(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Sends a SYN. Tells the address it comes from, as far as the system has chosen one by then.
pub(crate) fn start(server: SocketAddr) -> io::Result<(SocketAddr, io::Result<TcpStream>)> {
    start_from(None, server)
}

/// The same, from an address that need not be this machine's, and a port of the system's choice.
fn start_from(from: Option<IpAddr>, server: SocketAddr) -> io::Result<(SocketAddr, io::Result<TcpStream>)> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(from) = from {
        make_transparent(&socket, server.is_ipv4())?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    socket.set_nonblocking(true)?;
    let started = match socket.connect(&server.into()) {
        Err(error) if !is_in_progress(&error) => Err(error),
        Err(_) | Ok(()) => Ok(()),
    };
    let client = socket.local_addr().ok().and_then(|address| address.as_socket());
    let stream = started.and_then(|()| TcpStream::from_std(socket.into()));
    Ok((client.unwrap_or_else(|| unspecified(server)), stream))
}

/// Whether this process, or this machine, has too many sockets.
#[cfg(unix)]
fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// WSAEMFILE, WSAENOBUFS.
#[cfg(not(unix))]
fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(10024 | 10055))
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// How a connect attempt ended.
pub(crate) fn ending(error: ErrorKind) -> (Option<Side>, Ending) {
    match error {
        ErrorKind::ConnectionRefused => (Some(Side::Server), Ending::Refused),
        ErrorKind::TimedOut => (None, Ending::TimedOut),
        _ => (None, Ending::Unreachable),
    }
}

/// The target as an address, if its name is one.
pub(crate) fn literal(target: &Target) -> Option<SocketAddr> {
    let name = target.name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&target.name);
    Some(SocketAddr::new(name.parse().ok()?, target.port))
}

/// Whether a connection to `server` would end at `listener`.
pub(crate) fn loops(listener: SocketAddr, server: SocketAddr) -> bool {
    let (own, ip) = (listener.ip().to_canonical(), server.ip().to_canonical());
    // To connect to 0.0.0.0 or :: is to connect to the local host.
    let here = |ip: IpAddr| ip.is_unspecified() || ip.is_loopback();
    listener.port() == server.port()
        && if own.is_unspecified() {
            (own.is_ipv6() || ip.is_ipv4()) && is_local(ip)
        } else {
            own == ip || (ip.is_unspecified() && here(own))
        }
}

/// Whether a connection to it stays on this machine.
fn is_local(ip: IpAddr) -> bool {
    ip.is_unspecified() || is_own(ip)
}

pub(crate) fn unspecified(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_listener_is_known_by_port_and_address() {
        let check = |listener: &str, server: &str| loops(listener.parse().unwrap(), server.parse().unwrap());
        assert!(check("127.0.0.2:3389", "127.0.0.2:3389"));
        assert!(check("127.0.0.1:3389", "[::ffff:127.0.0.1]:3389"));
        assert!(check("0.0.0.0:3389", "127.0.0.9:3389"));
        assert!(check("[::]:3389", "127.0.0.1:3389"));
        assert!(check("127.0.0.1:3389", "0.0.0.0:3389"));
        assert!(!check("127.0.0.2:3389", "127.0.0.1:3389"));
        assert!(!check("127.0.0.2:3389", "127.0.0.2:3390"));
        assert!(!check("0.0.0.0:3389", "[::1]:3389"));
        assert!(!check("0.0.0.0:3389", "203.0.113.7:3389"));
    }

    #[test]
    fn an_address_needs_no_resolver() {
        let target = |name: &str| Target { name: name.into(), port: 3389 };
        assert_eq!(literal(&target("[::1]")), Some("[::1]:3389".parse().unwrap()));
        assert_eq!(literal(&target("192.0.2.1")), Some("192.0.2.1:3389".parse().unwrap()));
        assert_eq!(literal(&target("localhost")), None);
    }
}
