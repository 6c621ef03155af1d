//! The scripted client: asks, is served, and leaves in the way it was told to.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{error::Elapsed, sleep, timeout};

use super::certificate::NAME;
use super::session::{self, Agreed, LastWord, Session, say};
use super::socket::{Ended, Socket, Tally, read_framed};
use super::wire::{self, Confirmed, protocol};
use crate::tls::{self, Ciphers, Trust, Versions};
use crate::wire::hello::{Offer, client_hello};

/// What a client does, from dialling to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientScript {
    /// The value after `mstshash=`.
    pub user: &'static str,
    /// Its `requestedProtocols`; `None` sends no RDP_NEG_REQ.
    pub asks: Option<u32>,
    /// The one protocol that it will go on with, where it insists. Without it, it goes on with all that it asked for.
    pub insists: Option<u32>,
    /// How it begins.
    pub begins: Begins,
    /// Its versions of TLS.
    pub versions: Versions,
    /// Its cipher suites.
    pub ciphers: Ciphers,
    /// What it does with the server's certificate.
    pub trust: Trust,
    /// Where it leaves.
    pub stays: Stays,
    /// For how many milliseconds both sides are quiet after the last burst, before it leaves.
    pub lingers_ms: u64,
    /// How it leaves.
    pub leaves: Leave,
    /// How many milliseconds it waits, connected, before its first word.
    pub dawdles_ms: u64,
    /// How many milliseconds it waits once it is established: a person looks at the certificate.
    pub hesitates_ms: u64,
    /// After how many milliseconds without the next step it gives up, with a FIN.
    pub patience_ms: u64,
}

/// How a client begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// X.224, and then TLS if that is agreed on.
    InOrder,
    /// X.224, then a ClientHello made by hand that offers TLS 1.0 alone; it goes no further.
    WithTls10,
    /// With a Connection Request behind a PROXY header of version 1, as a relay puts it there.
    WithProxyHeader,
    /// With a Connection Request that cannot be read: its X.224 header stands four bytes too late.
    WithBadRequest,
    /// In the wrong order: a ClientHello where the Connection Request belongs; it goes no further.
    WithTls,
}

/// How long a client stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// Until the Connection Confirm is there.
    UntilConfirmed,
    /// Until TLS is established: it says nothing in it.
    UntilEstablished,
    /// To the last burst of the session.
    UntilActive,
    /// Past the last burst, until the server ends it: else it could be gone before the server acts.
    UntilEnded,
}

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// In order: Disconnect Provider Ultimatum, TLS close_notify, FIN.
    InOrder,
    /// TLS close_notify and FIN, as after a denied certificate.
    Notify,
    /// FIN alone.
    Fin,
    /// RST alone, as Windows clients leave healthy sessions.
    Reset,
}

/// How it ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client left of its own accord: when its script said so, or because of what the server had said.
    Clean,
    /// The port was closed.
    Refused,
    /// The server sent FIN.
    Eof,
    /// The server sent RST.
    Reset,
    /// The server was silent for longer than the client's patience.
    Timeout,
}

/// What a client saw.
#[derive(Debug, Clone)]
pub struct ClientReport {
    /// How it ended.
    pub end: End,
    /// The answer to its request, where it was one.
    pub confirmed: Option<Confirmed>,
    /// How many bytes of what was received came before TLS.
    pub before_tls: usize,
    /// The version of TLS, once established.
    pub tls: Option<&'static str>,
    /// The alert that the server sent.
    pub alert: Option<u8>,
    /// What was wrong with the server's certificate.
    pub objection: Option<String>,
    /// What was sent on the socket.
    pub sent: Tally,
    /// What was read from the socket.
    pub received: Tally,
    /// When it began to dial.
    pub began: Instant,
    /// How long the connection took to be set up.
    pub connected_in: Option<Duration>,
    /// How long it took up to its end (not counting how long the server took to follow).
    pub took: Duration,
    /// What the client's own libraries said, where something failed.
    pub error: Option<String>,
}

/// What a relay puts before the client's first byte, PROXY protocol 2.1.
const PROXY_HEADER: &[u8] = b"PROXY TCP4 192.0.2.10 192.0.2.20 50000 3389\r\n";

/// A TPKT packet whose X.224 header stands four bytes too late.
const BAD_REQUEST: &[u8] =
    &[0x03, 0x00, 0x00, 0x13, 0x0e, 0xe0, 0x0e, 0xe0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x08, 0x00];

/// How long a client waits, after it left, for the server to follow.
pub(in crate::lab) const FAREWELL: Duration = Duration::from_secs(3);

/// Plays a client against whoever listens there.
pub(in crate::lab) async fn play(script: ClientScript, session: Session, server: SocketAddr) -> ClientReport {
    let mut report = ClientReport::new();
    match script.within(dial(server)).await {
        Ok(mut socket) => {
            report.connected_in = Some(report.began.elapsed());
            let result = converse(&mut socket, script, session, &mut report).await;
            conclude(socket, script, result, report).await
        }
        Err(stop) => {
            report.end = stop.end_of_dialling();
            report.stopped(&stop);
            report
        }
    }
}

/// Why a client does not go on to its script's end.
#[derive(Debug)]
pub(in crate::lab) enum Stop {
    /// Its patience is at an end.
    Patience,
    /// It does not like what the server said, and leaves.
    Dislikes(String),
    /// It cannot go on.
    Lost(io::Error),
}

impl From<Elapsed> for Stop {
    fn from(_: Elapsed) -> Stop {
        Stop::Patience
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.get_ref() {
            Some(inner) if inner.is::<LastWord>() => Stop::Dislikes(error.to_string()),
            Some(_) | None => Stop::Lost(error),
        }
    }
}

impl Stop {
    pub fn end_of_dialling(&self) -> End {
        match self {
            Stop::Lost(error) if error.kind() == ErrorKind::ConnectionRefused => End::Refused,
            // The server accepted and reset before the connecting side had looked.
            Stop::Lost(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Stop::Patience => End::Timeout,
            Stop::Lost(_) | Stop::Dislikes(_) => End::Clean,
        }
    }
}

impl ClientReport {
    fn new() -> ClientReport {
        ClientReport {
            end: End::Clean,
            confirmed: None,
            before_tls: 0,
            tls: None,
            alert: None,
            objection: None,
            sent: Tally::default(),
            received: Tally::default(),
            began: Instant::now(),
            connected_in: None,
            took: Duration::ZERO,
            error: None,
        }
    }

    fn stopped(&mut self, stop: &Stop) {
        self.took = self.began.elapsed();
        match stop {
            Stop::Patience => {}
            Stop::Dislikes(what) => self.error = Some(what.clone()),
            Stop::Lost(error) => {
                self.alert = tls::alert_received(error);
                self.error = Some(error.to_string());
            }
        }
    }
}

impl ClientScript {
    /// Waits for something no longer than the client's patience.
    async fn within<T>(&self, work: impl Future<Output = io::Result<T>>) -> Result<T, Stop> {
        Ok(timeout(Duration::from_millis(self.patience_ms), work).await??)
    }

    fn likes(&self, selected: u32) -> bool {
        match self.insists {
            Some(protocol) => selected == protocol,
            None => {
                selected & !self.asks.unwrap_or(protocol::RDP) == 0
                    && (selected != protocol::RDP || self.asks.is_none())
            }
        }
    }
}

async fn dial(server: SocketAddr) -> io::Result<Socket> {
    Ok(Socket::new(TcpStream::connect(server).await?))
}

async fn converse(
    socket: &mut Socket,
    script: ClientScript,
    session: Session,
    report: &mut ClientReport,
) -> Result<(), Stop> {
    sleep(Duration::from_millis(script.dawdles_ms)).await;
    if script.begins == Begins::WithTls {
        return hello_by_hand(socket, script, &[0x0303]).await;
    }
    let agreed = negotiate(socket, script, report).await?;
    if script.begins == Begins::WithTls10 {
        return hello_by_hand(socket, script, &[0x0301]).await;
    }
    if script.stays == Stays::UntilConfirmed {
        return Ok(());
    }
    if agreed.selected == protocol::RDP {
        return stay(socket, script, agreed, session).await;
    }
    let client = tls::Client::new(script.trust, script.versions, script.ciphers)?;
    let stream = script.within(client.connect(NAME, socket)).await;
    report.objection = client.objection();
    let mut stream = stream?;
    report.tls = tls::version_name(&stream);
    stay(&mut stream, script, agreed, session).await
}

/// Says a ClientHello that offers these versions, and waits for the end: an answer would help it no further.
async fn hello_by_hand(socket: &mut Socket, script: ClientScript, versions: &[u16]) -> Result<(), Stop> {
    // TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA: what clients of that age have.
    let offer = Offer { versions, ciphers: &[0x002f, 0x000a], name: Some(NAME), padded_to: 0 };
    say(socket, client_hello(&offer)).await?;
    script.within(session::wait_for_end(socket)).await?;
    Err(io::Error::from(ErrorKind::UnexpectedEof).into())
}

/// Connection initiation, \[MS-RDPBCGR\] 1.3.1.1.
async fn negotiate(socket: &mut Socket, script: ClientScript, report: &mut ClientReport) -> Result<Agreed, Stop> {
    let request = wire::connection_request(script.user, script.asks);
    let request = match script.begins {
        Begins::WithProxyHeader => [PROXY_HEADER, &request].concat(),
        Begins::WithBadRequest => BAD_REQUEST.to_vec(),
        Begins::InOrder | Begins::WithTls10 | Begins::WithTls => request,
    };
    say(socket, request).await?;
    let packet = script.within(read_framed(socket, wire::tpkt_len)).await?;
    report.confirmed = wire::read_confirm(&packet);
    report.before_tls = packet.len();
    let selected = match report.confirmed {
        Some(Confirmed::Silently) => protocol::RDP,
        Some(Confirmed::Selected(protocol)) => protocol,
        Some(Confirmed::Refused(code)) => return Err(Stop::Dislikes(format!("RDP_NEG_FAILURE {code}"))),
        None => return Err(io::Error::from(ErrorKind::InvalidData).into()),
    };
    if !script.likes(selected) {
        return Err(Stop::Dislikes(format!("the server selects {selected}")));
    }
    Ok(Agreed { asked: script.asks.unwrap_or(protocol::RDP), selected })
}

/// Stays as long as the script says, then says goodbye, as far as that is said in bytes.
async fn stay<S>(stream: &mut S, script: ClientScript, agreed: Agreed, session: Session) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    sleep(Duration::from_millis(script.hesitates_ms)).await;
    let busy = Duration::from_millis(script.patience_ms) + session.pauses();
    match script.stays {
        Stays::UntilConfirmed | Stays::UntilEstablished => {}
        Stays::UntilActive => {
            timeout(busy, session::connect(stream, agreed, session, script.user)).await??;
            sleep(Duration::from_millis(script.lingers_ms)).await;
        }
        Stays::UntilEnded => {
            timeout(busy, session::connect(stream, agreed, session, script.user)).await??;
            script.within(session::wait_for_end(stream)).await?;
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
    }
    match script.leaves {
        Leave::InOrder => {
            say(stream, wire::disconnect_ultimatum()).await?;
            stream.shutdown().await?;
        }
        Leave::Notify => stream.shutdown().await?,
        Leave::Fin | Leave::Reset => {}
    }
    Ok(())
}

/// Ends the connection in the way that fits, and completes the report.
async fn conclude(
    mut socket: Socket,
    script: ClientScript,
    result: Result<(), Stop>,
    mut report: ClientReport,
) -> ClientReport {
    report.took = report.began.elapsed();
    report.end = match &result {
        Ok(()) => End::Clean,
        Err(stop) => {
            report.stopped(stop);
            end_of(&mut socket, script, stop).await
        }
    };
    if result.is_ok() && script.leaves == Leave::Reset {
        // Failing here would leave a FIN where an RST was promised; the test that compares ends finds it.
        let _ = socket.reset();
    } else if report.end != End::Reset {
        // The server's end is waited for, so that everything it said is counted.
        let _ = timeout(FAREWELL, socket.finish()).await;
    }
    (report.sent, report.received) = (socket.sent.clone(), socket.received.clone());
    report
}

/// Who ended it. Where it is the server's to do so (it answered with an alert, or is no RDP server at all), the client
/// lets it go first: it may be about to, and then who was first would be a matter of luck.
async fn end_of(socket: &mut Socket, script: ClientScript, stop: &Stop) -> End {
    match stop {
        Stop::Patience => return End::Timeout,
        Stop::Dislikes(_) => return End::Clean,
        Stop::Lost(_) if script.trust != Trust::Anything && socket.ended.is_none() => return End::Clean,
        Stop::Lost(_) => {}
    }
    if socket.ended.is_none() {
        let _ = timeout(Duration::from_millis(script.patience_ms), socket.drain()).await;
    }
    match socket.ended {
        Some(Ended::Eof) => End::Eof,
        Some(Ended::Reset) => End::Reset,
        None => End::Clean,
    }
}
