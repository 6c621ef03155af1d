//! The scripted gateway: accepts, speaks TLS, and does below TLS what its script says. What is said inside is `serving`'s.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::http;
use super::log::{Conversation, Did, Log, Stop, Tell};
use super::script::{GatewayAct, GatewayScript, Step};
use super::serving;
use crate::lab::server::Server;
use crate::lab::session::say;
use crate::lab::socket::{Socket, read_framed};
use crate::lab::wire;
use crate::tls::{self, Ciphers, Identity, Keys};

/// A running gateway, with the server behind it where that is the lab's. It stops when dropped.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The server behind it, where it is one of the lab's.
    pub server: Option<Server>,
    /// What it shows, for whoever is to stand in its place. None where nothing listens.
    pub identity: Option<Identity>,
    shared: Arc<Shared>,
    finished: watch::Receiver<usize>,
    /// None where nothing listens.
    task: Option<JoinHandle<()>>,
    /// Bound, not listening: whoever dials it is refused.
    _held: Option<TcpSocket>,
}

#[derive(Debug, Default)]
struct Shared {
    conversations: Mutex<Vec<Conversation>>,
    /// Halves of tunnels that wait for their other one, by RDG-Connection-Id.
    halves: Mutex<HashMap<String, mpsc::Sender<Vec<u8>>>>,
}

/// What every conversation of a gateway needs.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub script: GatewayScript,
    /// Where every channel leads, whatever its client asked for.
    pub target: SocketAddr,
    /// Of the gateway, and of the other one that a balancer without affinity leads every second connection to.
    tls: [tls::Server; 2],
    tell: Option<Tell>,
    shared: Arc<Shared>,
}

impl Host {
    /// Halves of tunnels that wait for their other one.
    pub fn halves(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Vec<u8>>>> {
        self.shared.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Begins to listen, and serves everybody who comes.
    pub(super) async fn start(
        script: GatewayScript,
        target: SocketAddr,
        addr: SocketAddr,
        tell: Option<Tell>,
        keys: Option<Keys>,
    ) -> io::Result<Gateway> {
        let shared = Arc::new(Shared::default());
        let (count, finished) = watch::channel(0);
        if !script.listens {
            let held = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            held.bind(addr)?;
            let addr = held.local_addr()?;
            return Ok(Gateway { addr, server: None, identity: None, shared, finished, task: None, _held: Some(held) });
        }
        // A fresh key each, and a certificate for it.
        let (identity, other) = (script.certificate.make()?, script.certificate.make()?);
        let tls = [serving_as(&identity, script, keys.as_ref())?, serving_as(&other, script, keys.as_ref())?];
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let host = Host { script, target, tls, tell, shared: shared.clone() };
        let task = Some(tokio::spawn(accept_all(listener, host, count)));
        Ok(Gateway { addr, server: None, identity: Some(identity), shared, finished, task, _held: None })
    }

    /// Whether anything listens there.
    pub fn listens(&self) -> bool {
        self.task.is_some()
    }

    /// The conversations that are over, in the order in which they ended.
    pub fn conversations(&self) -> Vec<Conversation> {
        self.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many connections are over. At once if nothing listens.
    pub async fn finished(&self, connections: usize) {
        let mut finished = self.finished.clone();
        // An error means that the gateway is gone: no more will end.
        let _ = finished.wait_for(|count| *count >= connections).await;
    }

    /// Stops listening and breaks off every conversation.
    pub async fn stop(mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.iter().for_each(JoinHandle::abort);
    }
}

fn serving_as(identity: &Identity, script: GatewayScript, keys: Option<&Keys>) -> io::Result<tls::Server> {
    let tls = tls::Server::new(identity, script.versions, Ciphers::All, None)?;
    Ok(keys.map_or(tls.clone(), |keys| tls.telling(keys.clone())))
}

async fn accept_all(listener: TcpListener, host: Host, count: watch::Sender<usize>) {
    // The set breaks off its tasks when this task is aborted.
    let mut tasks = JoinSet::new();
    for connection in 1.. {
        let Ok((stream, client)) = listener.accept().await else { break };
        let (host, count) = (host.clone(), count.clone());
        let log = Log { deeds: Vec::new(), fault: host.script.fault, connection, client, tell: host.tell.clone() };
        tasks.spawn(async move {
            let conversation = converse(stream, &host, log).await;
            host.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner).push(conversation);
            count.send_modify(|n| *n += 1);
        });
        while tasks.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, host: &Host, mut log: Log) -> Conversation {
    let mut socket = Socket::new(stream);
    let error = match serve(&mut socket, host, &mut log).await {
        Ok(()) => {
            socket.finish().await;
            None
        }
        Err(Stop::Acts(act)) => perform(&mut socket, act).await.err(),
        Err(Stop::Failed(error)) => {
            log.note(Did::BrokenOff, Some(&error));
            if tls::alert_received(&error).is_some() {
                socket.drain().await;
            }
            socket.finish().await;
            Some(error)
        }
    };
    log.note(Did::Over, None);
    Conversation {
        deeds: log.deeds,
        sent: socket.sent.clone(),
        received: socket.received.clone(),
        ended: socket.ended,
        error: error.map(|error| error.to_string()),
    }
}

/// From accept to end, but for what the script does below TLS.
async fn serve(socket: &mut Socket, host: &Host, log: &mut Log) -> Result<(), Stop> {
    log.reach(Step::Accept)?;
    if host.script.by_proxy {
        http::head(socket).await?;
        log.reach(Step::Connect)?;
        say(socket, http::response("200 Connection established", &[])).await?;
    }
    let hello = read_framed(socket, wire::record_len).await?;
    log.reach(Step::ClientHello)?;
    socket.unread(hello);
    let other = !host.script.affinity && log.connection.is_multiple_of(2);
    let mut stream = host.tls[usize::from(other)].accept(socket).await?;
    let served = match log.reach(Step::Established) {
        Ok(()) => serving::serve(&mut stream, host, log).await,
        stop => stop,
    };
    match served {
        Ok(()) | Err(Stop::Acts(GatewayAct::Goodbye)) => Ok(stream.shutdown().await?),
        Err(Stop::Acts(GatewayAct::AnswerAndLeave(answer))) => {
            say(&mut stream, serving::answer(answer)).await?;
            Ok(stream.shutdown().await?)
        }
        Err(Stop::Acts(GatewayAct::Answer(answer))) => serving::answer_all(&mut stream, answer).await,
        stop => stop,
    }
}

/// Does what the script says, below any TLS.
async fn perform(socket: &mut Socket, act: GatewayAct) -> io::Result<()> {
    match act {
        GatewayAct::Fin | GatewayAct::Goodbye => socket.finish().await,
        GatewayAct::Reset => socket.reset()?,
        GatewayAct::Answer(answer) | GatewayAct::AnswerAndLeave(answer) => {
            say(socket, serving::answer(answer)).await?;
            socket.finish().await;
        }
        // There is no tunnel to say it in: the script has it at a step of one.
        GatewayAct::Silence | GatewayAct::Refuse(..) | GatewayAct::Close(_) | GatewayAct::Kick(_) => {
            socket.drain().await;
        }
    }
    Ok(())
}
