//! The gateway's end of a tunnel, \[MS-TSGU\] 3.3.5.1 and 3.3.5.2: handshake, tunnel, authorization, channel, and the RDP
//! connection that is carried to its target.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::carrier::{Outward, Source};
use super::log::{Did, Log, Stop};
use super::packet::{self, kind};
use super::script::{GatewayAct, GatewayScript, Step};
use super::server::Host;

/// E_PROXY_TS_CONNECTFAILED
const CONNECT_FAILED: u32 = 0x8007_59dd;

/// ERROR_GRACEFUL_DISCONNECT: how a channel is closed whose target has ended the connection.
const GRACEFUL: u32 = 0x4ca;

/// How long a gateway waits, when it has closed a channel, for its client to go.
const FAREWELL: Duration = Duration::from_secs(3);

/// What an administrator tells the users whose sessions are ended.
const KICK: &str = "The gateway will be restarted.";

/// A request of the client: its type, the step that it makes, and the answer with this HRESULT.
type Round = (u16, Step, fn(u32, &GatewayScript) -> Vec<u8>);

/// Up to the channel, round after round.
const ROUNDS: [Round; 3] = [
    (kind::HANDSHAKE_REQUEST, Step::Handshake, |code, _| packet::handshake_response(code)),
    (kind::TUNNEL_CREATE, Step::TunnelCreate, |code, _| packet::tunnel_response(code)),
    (kind::TUNNEL_AUTHORIZE, Step::TunnelAuthorize, |code, script| {
        packet::tunnel_authorize_response(code, script.idle_minutes)
    }),
];

/// Plays the gateway's end, to the end.
pub(super) async fn run<R, W>(source: Source<R>, outward: Outward<W>, host: &Host, log: &mut Log) -> Result<(), Stop>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut tunnel = Tunnel { source, outward, host, log };
    match tunnel.play().await {
        Err(Stop::Acts(act)) => tunnel.act(act).await,
        ended => ended,
    }
}

struct Tunnel<'a, R, W> {
    source: Source<R>,
    outward: Outward<W>,
    host: &'a Host,
    log: &'a mut Log,
}

/// Why nothing more is carried.
enum Over {
    /// The client closed the channel, or went.
    Client,
    /// The target closed its connection.
    Target,
    /// The script acts at this step.
    Step(Step),
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Tunnel<'_, R, W> {
    async fn play(&mut self) -> Result<(), Stop> {
        for (asked, step, answer) in ROUNDS {
            self.hear(asked).await?;
            self.reach(step, answer).await?;
            self.outward.send(&answer(0, &self.host.script)).await?;
        }
        self.hear(kind::CHANNEL_CREATE).await?;
        self.reach(Step::ChannelCreate, |code, _| packet::channel_response(code)).await?;
        let Ok(target) = TcpStream::connect(self.host.target).await else {
            self.log.note(Did::MissesTarget, None);
            return self.refuse(packet::channel_response(CONNECT_FAILED)).await;
        };
        // It answers at once or is gone; either way the session goes on.
        let _ = target.set_nodelay(true);
        self.outward.send(&packet::channel_response(0)).await?;
        self.log.reach(Step::Opened)?;
        self.carry(target).await
    }

    /// Comes to a step, after some thought. Where it refuses there, it says so in the answer of that step.
    async fn reach(&mut self, step: Step, answer: fn(u32, &GatewayScript) -> Vec<u8>) -> Result<(), Stop> {
        sleep(Duration::from_millis(self.host.script.thinks_ms)).await;
        let stop = self.log.reach(step);
        if let Err(Stop::Acts(act @ GatewayAct::Refuse(code, after_ms))) = stop {
            sleep(Duration::from_millis(after_ms)).await;
            self.refuse(answer(code, &self.host.script)).await?;
            return Err(Stop::Acts(act));
        }
        stop
    }

    /// Says this last word, and waits until the client goes.
    async fn refuse(&mut self, answer: Vec<u8>) -> Result<(), Stop> {
        self.outward.send(&answer).await?;
        self.source.drain().await;
        Ok(())
    }

    /// Waits for a request of this type. Keep-alives may come at any time.
    async fn hear(&mut self, expected: u16) -> Result<(), Stop> {
        loop {
            let Some(packet) = self.source.packet().await? else {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            };
            match packet::kind_of(&packet) {
                kind if kind == expected => return Ok(()),
                kind::KEEP_ALIVE => {}
                kind => {
                    let says = format!("packet {kind:#x} where {expected:#x} belongs");
                    return Err(io::Error::new(ErrorKind::InvalidData, says).into());
                }
            }
        }
    }

    async fn carry(&mut self, target: TcpStream) -> Result<(), Stop> {
        let (mut from, mut to) = target.into_split();
        let script = self.host.script;
        let (limit, quiet_ms) = match script.fault {
            Some((Step::Carried(bytes), _)) => (bytes, 0),
            Some((Step::Quiet(ms), _)) => (u64::MAX, ms),
            _ => (u64::MAX, 0),
        };
        let (outward, carried) = (Mutex::new(&mut self.outward), AtomicU64::new(0));
        let over = tokio::select! {
            over = from_client(&mut self.source, &mut to, &outward, &carried) => over?,
            over = from_target(&mut from, &outward, &carried, limit) => over?,
            over = quiet(&carried, quiet_ms) => over,
            over = keep_alive(&outward, script.keep_alive_ms) => over?,
        };
        match over {
            Over::Client => {
                // Who has gone without a word does not hear this one.
                let _ = self.outward.finish().await;
                Ok(())
            }
            Over::Target => {
                self.log.note(Did::TargetGone, None);
                self.close(GRACEFUL).await
            }
            Over::Step(step) => self.log.reach(step),
        }
    }

    /// Closes the channel, waits for the client's word, and takes leave.
    async fn close(&mut self, status: u32) -> Result<(), Stop> {
        self.outward.send(&packet::close(status)).await?;
        let _ = timeout(FAREWELL, self.source.packet()).await;
        let _ = self.outward.finish().await;
        Ok(())
    }

    /// Does what the script says in the tunnel; what it does below, others do.
    async fn act(&mut self, act: GatewayAct) -> Result<(), Stop> {
        match act {
            // Said already, in the answer of its step.
            GatewayAct::Refuse(..) => Ok(()),
            GatewayAct::Close(status) => self.close(status).await,
            GatewayAct::Kick(status) => {
                self.outward.send(&packet::service_message(KICK)).await?;
                self.close(status).await
            }
            GatewayAct::Silence => {
                self.source.drain().await;
                Ok(())
            }
            GatewayAct::Fin
            | GatewayAct::Goodbye
            | GatewayAct::Reset
            | GatewayAct::Answer(_)
            | GatewayAct::AnswerAndLeave(_) => Err(Stop::Acts(act)),
        }
    }
}

type Shared<'a, 'b, W> = &'a Mutex<&'b mut Outward<W>>;

async fn from_client<R, W>(
    source: &mut Source<R>,
    target: &mut OwnedWriteHalf,
    outward: Shared<'_, '_, W>,
    carried: &AtomicU64,
) -> io::Result<Over>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    while let Some(packet) = source.packet().await? {
        match packet::kind_of(&packet) {
            kind::DATA => {
                let data = packet::data(&packet);
                carried.fetch_add(data.len() as u64, Ordering::Relaxed);
                if target.write_all(data).await.is_err() {
                    return Ok(Over::Target);
                }
            }
            kind::CLOSE => {
                outward.lock().await.send(&packet::close_response()).await?;
                let _ = target.shutdown().await;
                source.drain().await;
                return Ok(Over::Client);
            }
            _ => {}
        }
    }
    Ok(Over::Client)
}

async fn from_target<W: AsyncWrite + Unpin>(
    target: &mut OwnedReadHalf,
    outward: Shared<'_, '_, W>,
    carried: &AtomicU64,
    limit: u64,
) -> io::Result<Over> {
    let (mut data, mut sent) = (vec![0; 16 * 1024], 0);
    loop {
        // A target that resets is gone as well.
        let read = target.read(&mut data).await.unwrap_or(0);
        if read == 0 {
            return Ok(Over::Target);
        }
        outward.lock().await.send(&packet::data_packet(&data[..read])).await?;
        carried.fetch_add(read as u64, Ordering::Relaxed);
        sent += read as u64;
        if sent >= limit {
            return Ok(Over::Step(Step::Carried(limit)));
        }
    }
}

/// Until nothing was carried for as long; for ever where that is 0.
async fn quiet(carried: &AtomicU64, quiet_ms: u64) -> Over {
    if quiet_ms == 0 {
        return std::future::pending().await;
    }
    loop {
        let before = carried.load(Ordering::Relaxed);
        sleep(Duration::from_millis(quiet_ms)).await;
        if carried.load(Ordering::Relaxed) == before {
            return Over::Step(Step::Quiet(quiet_ms));
        }
    }
}

async fn keep_alive<W: AsyncWrite + Unpin>(outward: Shared<'_, '_, W>, every_ms: u64) -> io::Result<Over> {
    if every_ms == 0 {
        return std::future::pending().await;
    }
    loop {
        sleep(Duration::from_millis(every_ms)).await;
        outward.lock().await.send(&packet::keep_alive()).await?;
    }
}
