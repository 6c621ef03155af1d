//! Accepts clients: one task for each session, any number of them.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use analyzer::observation::{Leg as Name, Opening, Seen, Side};
use analyzer::time::Timestamp;
use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::clock;
use crate::cycle::{Link, Ring};
use crate::dial::{Dial, Failure, Route, literal, loops};
use crate::entrance::Entrance;
use crate::files;
use crate::gate::{Gate, Refusal};
use crate::header::{self, Version};
use crate::impair::{Asked, Impair};
use crate::intercept::{Deeds, Intercept, Interceptor, Replay};
use crate::leg::Leg;
use crate::pulse;
use crate::relay::{Lines, Redial, Relay};
use crate::tap::{Feed, Tap};

pub use crate::dial::Target;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long sessions get to end in order.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a resolver may take before the proxy starts without having looked for a loop.
const LOOK: Duration = Duration::from_secs(5);

/// Where to listen, whom to connect to.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whom they are connected to.
    pub target: Target,
    /// Dial this address instead of what the target's name resolves to.
    pub connect_to: Option<SocketAddr>,
    /// Whether that is an RD Gateway: TLS from the first byte, HTTP in it, and RDP in that.
    pub gateway: bool,
    /// How long each address gets to answer.
    pub connect_timeout: Duration,
    /// Where everything seen is told.
    pub feed: Feed,
    /// Stand inside TLS, by this.
    pub intercept: Option<Arc<Intercept>>,
    /// Impair every session so.
    pub impair: Option<Arc<Asked>>,
    /// Who may come in.
    pub gate: Gate,
    /// How they come in. What tells where each was going takes the place of the target's address and, where it has no name,
    /// of that.
    pub entrance: Entrance,
    /// Whether each client is to send a header of the PROXY protocol first, which names it and is taken off.
    pub accept_proxy: bool,
    /// Whether the server is sent such a header, and of which version.
    pub send_proxy: Option<Version>,
}

impl Config {
    /// What Windows gives a SYN: itself and two repetitions.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(21);

    /// A configuration with nothing special about it.
    pub fn new(listen: SocketAddr, target: Target, feed: Feed) -> Config {
        let connect_timeout = Self::CONNECT_TIMEOUT;
        Config {
            listen,
            target,
            connect_to: None,
            gateway: false,
            connect_timeout,
            feed,
            intercept: None,
            impair: None,
            gate: Gate::default(),
            entrance: Entrance::Asked,
            accept_proxy: false,
            send_proxy: None,
        }
    }
}

/// A proxy that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    route: Arc<Route>,
    feed: Feed,
    intercept: Option<Arc<Intercept>>,
    impair: Option<Arc<Asked>>,
    gate: Gate,
    entrance: Entrance,
    headers: Headers,
}

/// What the PROXY protocol is used for.
#[derive(Debug, Clone, Copy)]
struct Headers {
    accept: bool,
    send: Option<Version>,
}

impl Server {
    /// Binds the listener. An error where the target leads back to it.
    pub async fn bind(config: Config) -> io::Result<Server> {
        let listener = bind(config.listen, config.entrance)?;
        let route = Route {
            target: config.target,
            connect_to: config.connect_to,
            gateway: config.gateway,
            from: None,
            connect_timeout: config.connect_timeout,
            listener: listener.local_addr()?,
        };
        if config.entrance == Entrance::Asked {
            check_loop(&route).await?;
        }
        let headers = Headers { accept: config.accept_proxy, send: config.send_proxy };
        let Config { feed, intercept, gate, entrance, impair, .. } = config;
        Ok(Server { listener, route: Arc::new(route), feed, intercept, gate, entrance, impair, headers })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.route.listener
    }

    /// Accepts clients until `shutdown`; then resets the sessions that stand, which takes two seconds at most.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Server { listener, route, feed, intercept, gate, entrance, impair, headers } = self;
        let (stop, stopped) = watch::channel(false);
        let mut sessions = JoinSet::new();
        let mut number = 0;
        let room = files::sessions();
        let mut is_told = false;
        let mut shutdown = pin!(shutdown);
        let beating = beat(feed.clone());
        let ring = Ring::default();
        loop {
            let (stream, client) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = sessions.join_next() => {
                    report(ended);
                    continue;
                }
                accepted = accept(&listener), if sessions.len() < room => accepted,
            };
            if sessions.len() + 1 == room && !std::mem::replace(&mut is_told, true) {
                warn!(
                    "{room} sessions go on, and this process may open no more files: further clients wait (ulimit -n)"
                );
            }
            if let Some(why) = gate.refuses(client.ip(), sessions.len()) {
                turn_away(&stream);
                feed.refused(client.ip().to_canonical(), why);
                continue;
            }
            let Ok(way) = entrance.way(&stream, client, route.listener) else {
                turn_away(&stream);
                feed.refused(client.ip().to_canonical(), Refusal::Astray);
                continue;
            };
            let Some(link) = ring.accepted(client.ip().to_canonical()) else {
                turn_away(&stream);
                feed.refused(client.ip().to_canonical(), Refusal::Ring);
                continue;
            };
            number += 1;
            let is_brought = way.is_some();
            let route = way.map_or_else(|| route.clone(), |way| Arc::new(route.along(way)));
            let (feed, intercept, impair) = (feed.clone(), intercept.clone(), impair.clone());
            let session =
                Session { number, at: clock::now(), client, route, feed, intercept, impair, headers, is_brought, link };
            let span = info_span!("session", number);
            sessions.spawn(session.run(stream, stopped.clone()).instrument(span));
        }
        drop(listener);
        let _ = stop.send(true);
        let deadline = Instant::now() + GOODBYE;
        while let Ok(Some(ended)) = timeout_at(deadline, sessions.join_next()).await {
            report(ended);
        }
        sessions.shutdown().await;
        beating.abort();
        feed.rest();
    }
}

/// Reads the clocks every now and then, so that whoever was stopped knows it.
fn beat(feed: Feed) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            feed.beat();
            sleep(pulse::BEAT).await;
        }
    })
}

/// One client, from accept to the end.
struct Session {
    number: u32,
    at: Timestamp,
    client: SocketAddr,
    route: Arc<Route>,
    feed: Feed,
    intercept: Option<Arc<Intercept>>,
    impair: Option<Arc<Asked>>,
    headers: Headers,
    /// Whether it was going to the server's own address, and a rule brought it here.
    is_brought: bool,
    /// What tells whether it is part of a ring.
    link: Arc<Link>,
}

impl Session {
    async fn run(self, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
        let mut stop = pin!(async move {
            // An error says that the server is gone: no reason to go on, either.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let listener = stream.local_addr().unwrap_or(self.route.listener);
        let stream = Arc::new(stream);
        let mut front = Leg::new(Name::Front, stream.clone());
        let greeting = if self.headers.accept {
            match header::expect(&mut front, stop.as_mut()).await {
                Ok(Some(greeting)) => Some(greeting),
                Ok(None) => return turn_away(&stream),
                Err(why) => {
                    turn_away(&stream);
                    return self.feed.refused(self.client.ip().to_canonical(), Refusal::Headless(why));
                }
            }
        } else {
            None
        };
        let named = greeting.as_ref().and_then(|greeting| greeting.ends);
        let client = named.map_or(self.client, |(client, _)| client);
        let mut tap = Tap::begin(&self.feed, self.number, self.at, client, listener);
        info!(%client, "begins");
        let lines = self.lines();
        if lines.as_ref().is_some_and(|lines| lines.awaits_phase()) {
            tap.follow(Some(Box::default()));
        }
        tap.sampler().watch(Name::Front, &stream);
        drop(stream);
        tap.note(Name::Front, self.at, Seen::Opening(Opening::Dialing { client, server: listener }));
        tap.note(Name::Front, self.at, Seen::Opened);
        if self.route.gateway {
            // Of each leg, before its first byte.
            tap.note(Name::Front, self.at, Seen::Opening(Opening::Gateway));
        }
        let early = greeting.map_or_else(Vec::new, |greeting| {
            tap.note(Name::Front, self.at, Seen::Opening(Opening::Named { by: self.client }));
            greeting.note(&front, &mut tap)
        });
        let header = self.header(named, listener);
        self.serve(front, (early, header), lines, &mut tap, stop).await;
        let (from_client, from_server) = (tap.passed(Name::Front), tap.passed(Name::Back));
        info!(from_client, from_server, dropped = tap.dropped(), "ends");
    }

    /// The header that the server is sent first: the ends that the client's own header names, or those of its connection.
    fn header(&self, named: Option<(SocketAddr, SocketAddr)>, listener: SocketAddr) -> Option<Bytes> {
        let version = self.headers.send?;
        let meant = || self.route.connect_to.filter(|_| self.is_brought).unwrap_or(listener);
        let (client, server) = named.unwrap_or_else(|| (self.client, meant()));
        Some(header::of(version, client, server))
    }

    /// Where its bytes wait, where it is to be impaired.
    fn lines(&self) -> Option<Lines> {
        self.impair.as_ref().map(|asked| Box::new(Impair::new(asked, self.number, self.at)))
    }

    async fn serve(
        &self,
        mut front: Leg,
        (early, header): (Vec<(Bytes, bool)>, Option<Bytes>),
        lines: Option<Lines>,
        tap: &mut Tap,
        mut stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) {
        self.link.turn().await;
        tap.link(self.link.clone());
        let dial = Dial::new(&mut front, tap, stop.as_mut()).after(early, header.clone());
        let dialed = dial.dial(&self.route).await.inspect(|_| self.link.dialed());
        match dialed {
            Ok(back) => self.relay((front, back), header, lines, tap, stop).await,
            Err(failure) => unreached(front, failure, tap),
        }
    }

    async fn relay(
        &self,
        (front, mut back): (Leg, Leg),
        header: Option<Bytes>,
        lines: Option<Lines>,
        tap: &mut Tap,
        mut stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) {
        let (Some(how), Some(server)) = (&self.intercept, back.address()) else {
            Relay::new(front, back, tap).impaired(lines).run(stop).await;
            return;
        };
        tap.note(Name::Front, clock::now(), Interceptor::asked(how));
        let relay = if self.route.gateway {
            // The ClientHello is not to pass: what was sent while the gateway was dialed waits for it, too.
            let early = back.take_waiting();
            Relay::inside(front, back, tap, Interceptor::at_gateway(how)).impaired(lines).after(early)
        } else {
            let mut inside = Interceptor::new(how);
            back.waiting().for_each(|data| inside.sent_early(data));
            Relay::inside(front, back, tap, inside).impaired(lines)
        };
        let redial = relay.run(stop.as_mut()).await;
        let Some(Redial { mut front, replay, lines }) = redial else { return };
        let dial = Dial::new(&mut front, tap, stop.as_mut()).after(Vec::new(), header);
        match dial.again(server, replay.says(), &self.route).await {
            Ok(back) => self.replay((front, back), lines, tap, replay, stop).await,
            Err(failure) => unreached(front, failure, tap),
        }
    }

    /// Both legs stand again, and what was said is on its way to the server.
    async fn replay(
        &self,
        (front, mut back): (Leg, Leg),
        lines: Option<Lines>,
        tap: &mut Tap,
        replay: Replay,
        stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) {
        let Some(how) = &self.intercept else { return };
        match Interceptor::replaying(how, replay) {
            Ok(mut inside) => {
                if front.is_read_out() {
                    inside.ended(Side::Client, &mut Deeds::default());
                }
                Relay::inside(front, back, tap, inside).impaired(lines).run(stop).await;
            }
            Err(passed) => {
                if front.is_read_out() {
                    back.end();
                }
                tap.note(Name::Front, clock::now(), passed);
                Relay::new(front, back, tap).impaired(lines).run(stop).await;
            }
        }
    }
}

/// RST: whoever is not welcome is not to wait for an answer.
fn turn_away(stream: &TcpStream) {
    let _closed_by_peer = stream.set_zero_linger();
}

/// There is no back leg: the front leg ends.
fn unreached(front: Leg, failure: Failure, tap: &mut Tap) {
    match front.broken() {
        Some(_) => front.bury(0, tap),
        None => front.reset(0, tap),
    }
    if let Failure::GivenUp(Some(how)) = failure {
        tap.note(Name::Back, clock::now(), Seen::Closed { from: Some(Side::Client), how });
    }
}

/// Accepts the next client, however many fail before it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = Duration::from_millis(5);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // A client that was gone before it was accepted (ECONNABORTED) says nothing of the next one. Anything else
            // (EMFILE, ENOBUFS) needs a session to end first: the clients wait in the backlog.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => debug!(%error, "accept"),
            Err(error) => {
                warn!(%error, ?pause, "accept");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

fn bind(address: SocketAddr, entrance: Entrance) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere this lets a restarted proxy have its port back; on Windows it would let two programs share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    entrance.prepare(&socket2::SockRef::from(&socket), address.is_ipv4())?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Refuses a target that leads back to the listener. A name that does not resolve now is for the sessions to tell.
async fn check_loop(route: &Route) -> io::Result<()> {
    let found = match route.connect_to.or_else(|| literal(&route.target)) {
        Some(address) => vec![address],
        None => match timeout(LOOK, lookup_host((route.target.name.as_str(), route.target.port))).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        },
    };
    let Some(own) = found.into_iter().find(|address| loops(route.listener, *address)) else { return Ok(()) };
    let Route { target: Target { name, port }, listener, .. } = route;
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "expected a target other than this proxy, found {name}:{port}, which is {own}, where it listens itself \
             ({listener}): with a hosts entry for the name, give the server's address by --connect-to"
        ),
    ))
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a session's task failed");
    }
}
