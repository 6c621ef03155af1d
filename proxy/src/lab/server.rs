//! The scripted server: healthy, but for one act at one point.
//!
//! It keeps a log of what it did, for a test to hold a verdict against.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::certificate::Certificate;
use super::relay::{self, Relay};
use super::session::{self, Agreed, Session, say};
use super::socket::{Counts, Ended, Socket, Tally, read_framed};
use super::wire::{self, credssp, protocol, refusal};
use crate::tls::{self, Ciphers, Keys, Versions};

/// Where in the conversation a server acts: as soon as this has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The connection was accepted, nothing read.
    Accept,
    /// The X.224 Connection Request was read.
    Request,
    /// The X.224 Connection Confirm was sent, nothing read since.
    Confirm,
    /// The ClientHello was read.
    ClientHello,
    /// The first so many bytes of the answer to the ClientHello were sent.
    MidFlight(usize),
    /// The TLS handshake is done (or, without TLS, the Connection Confirm was sent).
    Established,
    /// The client's first TSRequest was read.
    Negotiate,
    /// The client's second TSRequest, its proof, was read.
    Authenticate,
    /// The client's last TSRequest, its credentials, was read.
    Credentials,
    /// The MCS Connect Initial PDU was read.
    ConnectInitial,
    /// The client's first Channel Join Request was read.
    Join,
    /// The Client Info PDU was read.
    ClientInfo,
    /// The licence was sent, nothing read since.
    Licence,
    /// The Demand Active PDU was sent, nothing read since.
    DemandActive,
    /// The Confirm Active PDU was read.
    ConfirmActive,
    /// All bursts were sent and answered.
    Active,
    /// Both sides were quiet for as long as the script says.
    Quiet,
}

/// What a server does when it does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Sends FIN, and reads what still comes.
    Fin,
    /// Sends TLS close_notify and FIN, and reads what still comes. Without TLS the same as [`Act::Fin`].
    Goodbye,
    /// Sends RST.
    Reset,
    /// Says nothing until the client goes. (It reads; on the wire that is the same as not reading, as long as the
    /// client says less than a window.)
    Silence,
    /// Says this, then sends FIN.
    Answer(&'static [u8]),
    /// Says this, then waits until the client goes.
    AnswerAndWait(&'static [u8]),
    /// Answers with RDP_NEG_FAILURE of this code, then waits until the client goes.
    NegotiationFailure(u32),
    /// Sends this fatal TLS alert in clear, then FIN.
    Alert(u8),
    /// Says this inside of TLS, and waits until the client goes, or takes its leave where no client would.
    Say(Word),
}

/// What a server says inside of TLS when it does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// TSRequest.errorCode.
    ErrorCode(u32),
    /// SPNEGO negState reject, without an errorCode.
    Reject,
    /// Early User Authorization Result.
    Authorization(u32),
    /// MCS Connect Response with this result.
    ConnectRefused(u8),
    /// MCS Channel Join Confirm with a result that is none.
    JoinRefused,
    /// License Error with this code.
    LicenceError(u32),
    /// Set Error Info, then Disconnect Provider Ultimatum.
    ErrorInfo(u32),
    /// Server Redirection to this address.
    Redirect(&'static str),
}

impl Word {
    /// Its bytes, of a server with this version of CredSSP.
    fn bytes(self, version: u32) -> Vec<u8> {
        match self {
            Word::ErrorCode(code) => credssp::error_code(version, code),
            Word::Reject => credssp::reject(version),
            Word::Authorization(result) => credssp::early_authorization(result),
            Word::ConnectRefused(result) => refusal::connect_refused(result),
            Word::JoinRefused => refusal::join_refused(),
            Word::LicenceError(code) => refusal::licence_error(code),
            Word::ErrorInfo(code) => [refusal::error_info(code), refusal::ultimatum(1)].concat(),
            Word::Redirect(address) => refusal::redirection(address),
        }
    }

    /// Whether the client goes by itself.
    fn is_obeyed(self) -> bool {
        !matches!(self, Word::ErrorInfo(_))
    }
}

/// What a server does, from accept to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerScript {
    /// Whether anything listens at all. If not, the port is held, so that nobody else answers on it.
    pub listens: bool,
    /// What the Connection Confirm selects; `None` sends it without RDP_NEG_RSP.
    pub selects: Option<u32>,
    /// Its certificate.
    pub certificate: Certificate,
    /// Its versions of TLS.
    pub versions: Versions,
    /// Its cipher suites.
    pub ciphers: Ciphers,
    /// The length of a TLS record, where its flight is not to be in one.
    pub record: Option<usize>,
    /// Whom it turns away in X.224.
    pub policy: Policy,
    /// Its version of CredSSP.
    pub credssp: u32,
    /// How many milliseconds a connection waits in the kernel, established, before it is served.
    pub dawdles_ms: u64,
    /// How many milliseconds it thinks before its Connection Confirm, and again before its ServerHello.
    pub thinks_ms: u64,
    /// How a healthy session goes.
    pub session: Session,
    /// For how many milliseconds both sides must be quiet, after the last burst, to come to [`Point::Quiet`].
    pub quiet_ms: u64,
    /// The one thing that it does otherwise.
    pub fault: Option<(Point, Act)>,
    /// A relay in front of it, at whose address clients come.
    pub relay: Option<Relay>,
}

/// Whom a server turns away, by what the client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nobody.
    Everybody,
    /// Who does not ask for this protocol: with RDP_NEG_FAILURE of this code.
    Requires(u32, u32),
    /// Who asks for this protocol: with RDP_NEG_FAILURE of this code.
    Forbids(u32, u32),
}

impl Policy {
    /// The code with which it turns away a client that asks for these protocols.
    pub fn refusal(self, asked: u32) -> Option<u32> {
        match self {
            Policy::Everybody => None,
            Policy::Requires(protocol, code) => (asked & protocol == 0).then_some(code),
            Policy::Forbids(protocol, code) => (asked & protocol != 0).then_some(code),
        }
    }
}

/// One thing that a server did, or that happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Instant,
    /// What.
    pub did: Did,
    /// Bytes sent by then, on the socket.
    pub sent: u64,
    /// Bytes read by then, from the socket.
    pub received: u64,
}

/// What a deed was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It came to this point and went on.
    Reached(Point),
    /// It came to this point and began to do this. The counts are those from before.
    Acted(Point, Act),
    /// The client broke off, or said what could not be understood.
    BrokenOff,
    /// The connection is over on both sides.
    Over,
}

/// A deed as it happens, for somebody who watches.
#[derive(Debug)]
pub struct Told {
    /// Which connection, counted from 1.
    pub connection: usize,
    /// Who came.
    pub client: SocketAddr,
    /// What happened.
    pub deed: Deed,
    /// What the server's own libraries said of it, where something broke off.
    pub error: Option<String>,
}

/// Who is told. Called between two steps of a conversation: it must not wait for anything.
#[derive(Clone)]
pub struct Tell(pub Arc<dyn Fn(Told) + Send + Sync>);

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}

/// All that happened on one connection.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// In order.
    pub deeds: Vec<Deed>,
    /// What was sent on the socket.
    pub sent: Tally,
    /// What was read from the socket.
    pub received: Tally,
    /// How the client ended it. `None` if the server reset it.
    pub ended: Option<Ended>,
    /// What the server's own libraries said of it, where something broke off.
    pub error: Option<String>,
}

/// A running server. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    finished: watch::Receiver<usize>,
    /// Of the server and of the relay in front of it. None where nothing listens.
    tasks: Vec<JoinHandle<()>>,
    /// Bound, not listening: whoever dials it is refused.
    _held: Option<TcpSocket>,
}

#[derive(Debug, Default)]
struct Shared {
    conversations: Mutex<Vec<Conversation>>,
}

impl Server {
    /// Begins to listen on a loopback port of the system's choice, and serves everybody who comes.
    pub async fn start(script: ServerScript) -> io::Result<Server> {
        Server::start_on(script, (Ipv4Addr::LOCALHOST, 0).into(), None, None).await
    }

    /// The same at an address of one's own, telling what it does, and its secrets.
    pub async fn start_on(
        script: ServerScript,
        addr: SocketAddr,
        tell: Option<Tell>,
        keys: Option<Keys>,
    ) -> io::Result<Server> {
        let shared = Arc::new(Shared::default());
        let (count, finished) = watch::channel(0);
        if !script.listens {
            let held = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            held.bind(addr)?;
            return Ok(Server { addr: held.local_addr()?, shared, finished, tasks: Vec::new(), _held: Some(held) });
        }
        let identity = script.certificate.make()?;
        let tls = tls::Server::new(&identity, script.versions, script.ciphers, script.record)?;
        let tls = keys.map_or(tls.clone(), |keys| tls.telling(keys));
        let mut listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let mut tasks = Vec::new();
        if let Some(script) = script.relay {
            let behind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let server = behind.local_addr()?;
            tasks.push(tokio::spawn(relay::run(listener, server, script)));
            listener = behind;
        }
        let host = Host { script, tls, tell, shared: shared.clone() };
        tasks.push(tokio::spawn(accept_all(listener, host, count)));
        Ok(Server { addr, shared, finished, tasks, _held: None })
    }

    /// Whether anything listens there.
    pub fn listens(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// The conversations that are over, in the order in which they ended.
    pub fn conversations(&self) -> Vec<Conversation> {
        self.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The deeds of all conversations that are over.
    pub fn deeds(&self) -> Vec<Deed> {
        self.conversations().into_iter().flat_map(|c| c.deeds).collect()
    }

    /// Waits until so many conversations are over. At once if nothing listens.
    pub async fn finished(&self, conversations: usize) {
        let mut finished = self.finished.clone();
        // An error means that the server is gone: no more will end.
        let _ = finished.wait_for(|count| *count >= conversations).await;
    }

    /// Stops listening and breaks off every conversation.
    pub async fn stop(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What every conversation of a server needs.
#[derive(Clone)]
struct Host {
    script: ServerScript,
    tls: tls::Server,
    tell: Option<Tell>,
    shared: Arc<Shared>,
}

async fn accept_all(listener: TcpListener, host: Host, count: watch::Sender<usize>) {
    // The set breaks off its tasks when this task is aborted.
    let mut tasks = JoinSet::new();
    // A failed accept (no descriptor left, say) ends the server; its client sees the port closed.
    for connection in 1.. {
        let Ok((stream, client)) = listener.accept().await else { break };
        let (host, count) = (host.clone(), count.clone());
        let log = Log { deeds: Vec::new(), fault: host.script.fault, connection, client, tell: host.tell.clone() };
        tasks.spawn(async move {
            let conversation = converse(stream, host.script, host.tls, log).await;
            host.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner).push(conversation);
            count.send_modify(|n| *n += 1);
        });
        while tasks.try_join_next().is_some() {}
    }
}

/// Why a server does not go on with its healthy part.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its script has it act here.
    Acts(Act),
    /// The connection failed under it.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Failed(error)
    }
}

/// The deeds so far, and the one act to come.
#[derive(Debug)]
pub(super) struct Log {
    deeds: Vec<Deed>,
    fault: Option<(Point, Act)>,
    connection: usize,
    client: SocketAddr,
    tell: Option<Tell>,
}

impl Log {
    /// Notes that a point was reached, and stops there if the script has it so.
    pub fn reach(&mut self, point: Point, io: &impl Counts) -> Result<(), Stop> {
        match self.fault {
            Some((at, act)) if at == point => self.act(point, act, io),
            _ => {
                self.note(Did::Reached(point), None, io);
                Ok(())
            }
        }
    }

    /// Notes that the server begins to do this at a point, and stops.
    pub fn act(&mut self, point: Point, act: Act, io: &impl Counts) -> Result<(), Stop> {
        self.note(Did::Acted(point, act), None, io);
        Err(Stop::Acts(act))
    }

    fn note(&mut self, did: Did, error: Option<&io::Error>, io: &impl Counts) {
        let (sent, received) = io.counts();
        let deed = Deed { at: Instant::now(), did, sent, received };
        self.deeds.push(deed);
        if let Some(Tell(tell)) = &self.tell {
            let error = error.map(io::Error::to_string);
            tell(Told { connection: self.connection, client: self.client, deed, error });
        }
    }
}

async fn converse(stream: TcpStream, script: ServerScript, tls: tls::Server, mut log: Log) -> Conversation {
    let mut socket = Socket::new(stream);
    let result = serve(&mut socket, script, &tls, &mut log).await;
    let error = match result {
        Ok(()) => {
            socket.finish().await;
            None
        }
        Err(Stop::Acts(act)) => perform(&mut socket, act).await.err(),
        Err(Stop::Failed(error)) => {
            log.note(Did::BrokenOff, Some(&error), &socket);
            break_off(&mut socket, &error).await;
            Some(error)
        }
    };
    log.note(Did::Over, None, &socket);
    Conversation {
        deeds: log.deeds,
        sent: socket.sent.clone(),
        received: socket.received.clone(),
        ended: socket.ended,
        error: error.map(|e| e.to_string()),
    }
}

/// The healthy server, up to the point where its script acts.
async fn serve(socket: &mut Socket, script: ServerScript, tls: &tls::Server, log: &mut Log) -> Result<(), Stop> {
    sleep(Duration::from_millis(script.dawdles_ms)).await;
    log.reach(Point::Accept, socket)?;
    let request = read_framed(socket, wire::tpkt_len).await?;
    log.reach(Point::Request, socket)?;
    if let Some(code) = script.policy.refusal(wire::requested(&request)) {
        return log.act(Point::Request, Act::NegotiationFailure(code), socket);
    }
    let thinks = Duration::from_millis(script.thinks_ms);
    sleep(thinks).await;
    say(socket, wire::connection_confirm(script.selects)).await?;
    log.reach(Point::Confirm, socket)?;
    let selected = script.selects.unwrap_or(protocol::RDP);
    let agreed = Agreed { asked: wire::requested(&request), selected };
    if selected == protocol::RDP {
        session::serve(socket, agreed, script, log).await?;
        quiet(socket, script.quiet_ms, log).await?;
        socket.drain().await;
        return Ok(());
    }
    let hello = read_framed(socket, wire::record_len).await?;
    log.reach(Point::ClientHello, socket)?;
    sleep(thinks).await;
    if let Some((point @ Point::MidFlight(len), _)) = script.fault {
        let flight = tls.first_flight(&hello)?;
        say(socket, flight[..len.min(flight.len())].to_vec()).await?;
        return log.reach(point, socket);
    }
    socket.unread(hello);
    serve_inside(socket, agreed, script, tls, log).await
}

async fn serve_inside(
    socket: &mut Socket,
    agreed: Agreed,
    script: ServerScript,
    tls: &tls::Server,
    log: &mut Log,
) -> Result<(), Stop> {
    let mut stream = tls.accept(socket).await?;
    let served = match session::serve(&mut stream, agreed, script, log).await {
        Ok(()) => quiet(&mut stream, script.quiet_ms, log).await,
        stop => stop,
    };
    match served {
        Err(Stop::Acts(Act::Goodbye)) | Ok(()) => {}
        Err(Stop::Acts(Act::Say(word))) => {
            say(&mut stream, word.bytes(script.credssp)).await?;
            if word.is_obeyed() {
                session::wait_for_end(&mut stream).await?;
            }
        }
        stop => return stop,
    }
    if log.fault.is_none() {
        session::wait_for_end(&mut stream).await?;
    }
    Ok(stream.shutdown().await?)
}

/// Waits until nobody has said anything for so long. At once where the script does not ask for it.
async fn quiet<S: AsyncRead + Counts + Unpin>(io: &mut S, quiet_ms: u64, log: &mut Log) -> Result<(), Stop> {
    if quiet_ms == 0 {
        return Ok(());
    }
    let mut scrap = [0; 4096];
    while let Ok(read) = timeout(Duration::from_millis(quiet_ms), io.read(&mut scrap)).await {
        if read? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    log.reach(Point::Quiet, io)
}

/// Does what the script says, below any TLS.
async fn perform(socket: &mut Socket, act: Act) -> io::Result<()> {
    match act {
        Act::Fin | Act::Goodbye => socket.finish().await,
        Act::Reset => socket.reset()?,
        // Outside of TLS there is nobody to say it to: the script has it at a point inside.
        Act::Silence | Act::Say(_) => socket.drain().await,
        Act::Answer(bytes) => {
            say(socket, bytes.to_vec()).await?;
            socket.finish().await;
        }
        Act::AnswerAndWait(bytes) => {
            say(socket, bytes.to_vec()).await?;
            socket.drain().await;
        }
        Act::NegotiationFailure(code) => {
            say(socket, wire::negotiation_failure(code)).await?;
            socket.drain().await;
        }
        Act::Alert(description) => {
            say(socket, wire::alert(description)).await?;
            socket.finish().await;
        }
    }
    Ok(())
}

/// Ends a conversation that the script did not end. Where the client gave the reason by an alert, it is the client's to
/// close first; where our TLS gave it, it is ours.
async fn break_off(socket: &mut Socket, error: &io::Error) {
    if tls::alert_received(error).is_some() {
        socket.drain().await;
    }
    socket.finish().await;
}
