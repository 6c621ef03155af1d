//! The scripted client of a gateway: asks to be let in over its transport, makes a tunnel, and plays an RDP client through it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::asking::ask;
use super::carrier::{Framing, Inward, Outward};
use super::http;
use super::passage::Passage;
use super::script::{GatewayClient, Way};
use super::sums::{base64, nonce, websocket_accept};
use crate::lab::certificate::NAME;
use crate::lab::client::{ClientReport, End, FAREWELL, Stop};
use crate::lab::session::{Session, say};
use crate::lab::socket::{Ended, Socket, Tally};
use crate::tls::{self, Ciphers, ClientStream, Trust};

/// What a client of a gateway saw.
#[derive(Debug, Clone)]
pub struct GatewayReport {
    /// How it ended.
    pub end: End,
    /// The last phase that it began.
    pub phase: &'static str,
    /// How many connections it made.
    pub connections: usize,
    /// The status of every answer in HTTP, in order.
    pub statuses: Vec<u16>,
    /// The HRESULT with which the gateway refused something.
    pub refused: Option<u32>,
    /// The status with which the gateway closed the channel.
    pub closed: Option<u32>,
    /// The version of the outer TLS, once established.
    pub tls: Option<&'static str>,
    /// The alert that the gateway sent.
    pub alert: Option<u8>,
    /// What was wrong with the gateway's certificate.
    pub objection: Option<String>,
    /// What the RDP client in the tunnel saw.
    pub inner: Option<ClientReport>,
    /// What was sent on its first connection.
    pub sent: Tally,
    /// What was read from its first connection.
    pub received: Tally,
    /// How long it took up to its end.
    pub took: Duration,
    /// What the client's own libraries said, where something failed.
    pub error: Option<String>,
}

impl GatewayReport {
    fn new() -> GatewayReport {
        GatewayReport {
            end: End::Clean,
            phase: "tcp",
            connections: 0,
            statuses: Vec::new(),
            refused: None,
            closed: None,
            tls: None,
            alert: None,
            objection: None,
            inner: None,
            sent: Tally::default(),
            received: Tally::default(),
            took: Duration::ZERO,
            error: None,
        }
    }

    fn stopped(&mut self, stop: &Stop) {
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

impl GatewayClient {
    /// Waits for something no longer than the client's patience.
    pub(super) async fn within<T>(&self, work: impl Future<Output = io::Result<T>>) -> Result<T, Stop> {
        Ok(timeout(Duration::from_millis(self.patience_ms), work).await??)
    }
}

/// Plays a client against whoever listens there.
pub(super) async fn play(script: GatewayClient, session: Session, gateway: SocketAddr) -> GatewayReport {
    let began = Instant::now();
    let mut visit = Visit { script, session, gateway, id: connection_id(), report: GatewayReport::new() };
    if script.asks_kdc {
        let _ = visit.ask_kdc().await;
    }
    match visit.dial().await {
        Ok(first) => visit.conclude(first, began).await,
        Err(stop) => {
            visit.report.end = stop.end_of_dialling();
            visit.report.stopped(&stop);
            GatewayReport { took: began.elapsed(), ..visit.report }
        }
    }
}

/// A client on its way.
struct Visit {
    script: GatewayClient,
    session: Session,
    gateway: SocketAddr,
    /// RDG-Connection-Id.
    id: String,
    report: GatewayReport,
}

impl Visit {
    async fn dial(&mut self) -> Result<Socket, Stop> {
        let stream = self.script.within(TcpStream::connect(self.gateway)).await?;
        self.report.connections += 1;
        Ok(Socket::new(stream))
    }

    /// Asks for a ticket. What comes of it makes no difference: there is always NTLM.
    async fn ask_kdc(&mut self) -> Result<(), Stop> {
        let mut socket = self.dial().await?;
        let mut stream = self.secure(&mut socket).await?;
        let length = format!("Content-Length: {}", http::KDC_REQUEST.len());
        say(&mut stream, [http::request("POST", http::KDC, &[length]), http::KDC_REQUEST.to_vec()].concat()).await?;
        let answer = self.script.within(http::head(&mut stream)).await?;
        self.report.statuses.push(answer.status());
        stream.shutdown().await?;
        let _ = timeout(FAREWELL, socket.finish()).await;
        Ok(())
    }

    /// Goes through, ends the connections in the way that fits, and completes the report.
    async fn conclude(mut self, mut first: Socket, began: Instant) -> GatewayReport {
        let mut second = None;
        let result = self.go(&mut first, &mut second).await;
        self.report.took = began.elapsed();
        let mut sockets: Vec<&mut Socket> = [&mut first].into_iter().chain(&mut second).collect();
        if let Err(stop) = &result {
            self.report.stopped(stop);
            self.report.end = end_of(&mut sockets, self.script, stop).await;
        }
        for socket in sockets {
            if socket.ended != Some(Ended::Reset) {
                // The gateway's end is waited for, so that everything it said is counted.
                let _ = timeout(FAREWELL, socket.finish()).await;
            }
        }
        (self.report.sent, self.report.received) = (first.sent.clone(), first.received.clone());
        self.report
    }

    async fn go(&mut self, first: &mut Socket, second: &mut Option<Socket>) -> Result<(), Stop> {
        let mut stream = self.secure(first).await?;
        if self.script.denies {
            return leave(&mut stream, Err(Stop::Dislikes("the certificate is not wanted".into()))).await;
        }
        let result = match self.script.way {
            Way::WebSocket | Way::Http => self.over_http(&mut stream, second).await,
            Way::Rpc => self.over_rpc(&mut stream, second).await,
        };
        leave(&mut stream, result).await
    }

    /// TLS, behind a web proxy where that is the way.
    async fn secure<'a>(&mut self, socket: &'a mut Socket) -> Result<ClientStream<&'a mut Socket>, Stop> {
        if self.script.by_proxy {
            self.report.phase = "gateway-http";
            let request = format!("CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n");
            say(socket, request.into_bytes()).await?;
            let answer = self.script.within(http::head(socket)).await?;
            self.report.statuses.push(answer.status());
            if answer.status() != 200 {
                return Err(Stop::Dislikes(answer.line().to_owned()));
            }
        }
        self.report.phase = "gateway-tls";
        let client = tls::Client::new(self.script.trust, self.script.versions, Ciphers::All)?;
        let stream = self.script.within(client.connect(NAME, socket)).await;
        self.report.objection = client.objection();
        let stream = stream?;
        self.report.tls = tls::version_name(&stream);
        Ok(stream)
    }

    async fn over_http<S>(&mut self, out: &mut S, second: &mut Option<Socket>) -> Result<(), Stop>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let key = base64(&[nonce(), nonce()].concat());
        let mut fields = vec![format!("RDG-Connection-Id: {}", self.id), "Content-Length: 0".into()];
        if self.script.way == Way::WebSocket {
            fields[1] = "Connection: Upgrade".into();
            fields.extend(["Upgrade: websocket".into(), "Sec-WebSocket-Version: 13".into()]);
            fields.push(format!("Sec-WebSocket-Key: {key}"));
        }
        let answer = ask(out, "RDG_OUT_DATA", http::GATEWAY, &fields, self.script, &mut self.report).await?;
        let agrees = answer.field("Sec-WebSocket-Accept") == Some(&websocket_accept(&key));
        match answer.status() {
            101 if agrees => {
                let (from, to) = tokio::io::split(out);
                let (from, to) = (Inward::new(from, Framing::WebSocket), Outward::client(to, Framing::WebSocket));
                self.pass(from, to).await
            }
            200 => self.over_two(out, second).await,
            _ => Err(Stop::Dislikes(answer.line().to_owned())),
        }
    }

    /// The second channel, and the tunnel over both.
    async fn over_two<S>(&mut self, out: &mut S, second: &mut Option<Socket>) -> Result<(), Stop>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut seed = vec![0; self.script.seed];
        self.script.within(out.read_exact(&mut seed)).await?;
        let second = second.insert(self.dial().await?);
        let mut stream = self.secure(second).await?;
        let id = format!("RDG-Connection-Id: {}", self.id);
        let fields = [id.clone(), "Content-Length: 0".into()];
        let asked = ask(&mut stream, "RDG_IN_DATA", http::GATEWAY, &fields, self.script, &mut self.report).await;
        let result = match asked {
            Ok(answer) if answer.status() == 200 => {
                let fields = [id, "Transfer-Encoding: chunked".into()];
                say(&mut stream, http::request("RDG_IN_DATA", http::GATEWAY, &fields)).await?;
                let from = Inward::new(out, Framing::Bare);
                self.pass(from, Outward::client(&mut stream, Framing::Chunked)).await
            }
            Ok(answer) => Err(Stop::Dislikes(answer.line().to_owned())),
            Err(stop) => Err(stop),
        };
        leave(&mut stream, result).await
    }

    /// Asks for both channels of RPC, and goes: there is nothing in here that speaks RPC.
    async fn over_rpc<S>(&mut self, first: &mut S, second: &mut Option<Socket>) -> Result<(), Stop>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let fields = ["Content-Length: 0".into()];
        let answer = ask(first, "RPC_IN_DATA", http::RPC, &fields, self.script, &mut self.report).await?;
        if answer.status() != 200 {
            return Err(Stop::Dislikes(answer.line().to_owned()));
        }
        let second = second.insert(self.dial().await?);
        let mut stream = self.secure(second).await?;
        let asked = ask(&mut stream, "RPC_OUT_DATA", http::RPC, &fields, self.script, &mut self.report).await;
        let result = asked.and_then(|answer| Err(Stop::Dislikes(answer.line().to_owned())));
        leave(&mut stream, result).await
    }

    /// Through the tunnel, from its handshake to its end.
    async fn pass<R, W>(&mut self, from: Inward<R>, to: Outward<W>) -> Result<(), Stop>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let passage = Passage { from, to, script: self.script, session: self.session, report: &mut self.report };
        passage.play().await
    }
}

/// Takes leave of a connection that still stands.
async fn leave<S: AsyncWrite + Unpin>(stream: &mut S, result: Result<(), Stop>) -> Result<(), Stop> {
    match &result {
        // Where the gateway is gone by now, its end tells.
        Ok(()) | Err(Stop::Dislikes(_)) => drop(stream.shutdown().await),
        Err(Stop::Patience | Stop::Lost(_)) => {}
    }
    result
}

/// Who ended it. Where it is the gateway's to do so, the client lets it go first.
async fn end_of(sockets: &mut [&mut Socket], script: GatewayClient, stop: &Stop) -> End {
    let ended = |sockets: &[&mut Socket]| sockets.iter().find_map(|socket| socket.ended);
    match stop {
        Stop::Patience => return End::Timeout,
        Stop::Dislikes(_) => return End::Clean,
        Stop::Lost(_) if script.trust != Trust::Anything && ended(sockets).is_none() => return End::Clean,
        Stop::Lost(_) => {}
    }
    if ended(sockets).is_none() {
        for socket in &mut *sockets {
            let _ = timeout(Duration::from_millis(script.patience_ms), socket.drain()).await;
        }
    }
    match ended(sockets) {
        Some(Ended::Eof) => End::Eof,
        Some(Ended::Reset) => End::Reset,
        None => End::Clean,
    }
}

/// A GUID in braces, as RDG-Connection-Id is.
fn connection_id() -> String {
    let [one, other] = [nonce(), nonce()].map(u64::from_le_bytes);
    let (a, b, c) = (one >> 32, one >> 16 & 0xffff, one & 0xffff);
    format!("{{{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}}}", other >> 48, other & 0xffff_ffff_ffff)
}
