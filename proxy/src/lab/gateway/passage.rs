//! A client's end of a tunnel, and the RDP client whose connection goes through it.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

use super::carrier::{Inward, Outward};
use super::client::GatewayReport;
use super::packet::{self, kind};
use super::script::GatewayClient;
use crate::lab::client::{self, Stop};
use crate::lab::session::Session;

/// The port of Remote Desktop.
const RDP: u16 = 3389;

/// A client that was let in.
pub(super) struct Passage<'a, R, W> {
    pub from: Inward<R>,
    pub to: Outward<W>,
    pub script: GatewayClient,
    pub session: Session,
    pub report: &'a mut GatewayReport,
}

/// Why nothing more is carried.
enum Over {
    /// The RDP client has closed its connection.
    Client,
    /// The gateway closed the channel, with this status.
    Closed(Option<u32>),
    /// The gateway is gone.
    Gone,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Passage<'_, R, W> {
    /// From handshake to close.
    pub async fn play(mut self) -> Result<(), Stop> {
        let cookie = self.script.cookie;
        let rounds = [
            ("gateway-tunnel", packet::handshake_request(cookie.is_some()), kind::HANDSHAKE_RESPONSE),
            ("gateway-tunnel", packet::tunnel_create(cookie), kind::TUNNEL_RESPONSE),
            ("gateway-authorization", packet::tunnel_authorize(), kind::TUNNEL_AUTHORIZE_RESPONSE),
            ("gateway-channel", packet::channel_create(self.script.target, RDP), kind::CHANNEL_RESPONSE),
        ];
        for (phase, request, answer) in rounds {
            self.report.phase = phase;
            self.to.send(&request).await?;
            self.hear(answer).await?;
        }
        self.report.phase = "negotiation";
        self.connect().await
    }

    /// Waits for this answer, and leaves where it is no good.
    async fn hear(&mut self, expected: u16) -> Result<(), Stop> {
        loop {
            let packet = self.script.within(self.from.packet()).await?;
            let packet = packet.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))?;
            match packet::kind_of(&packet) {
                kind if kind == expected => {
                    let code = packet::error(&packet).unwrap_or(0);
                    if code == 0 {
                        return Ok(());
                    }
                    self.report.refused = Some(code);
                    return Err(Stop::Dislikes(format!("the gateway says {code:#010x}")));
                }
                kind::CLOSE => return self.closed(packet::error(&packet)).await,
                _ => {}
            }
        }
    }

    /// Plays the RDP client. It dials a door of its own on loopback, which leads into the tunnel: so it is the same client as
    /// without a gateway, down to its socket.
    async fn connect(&mut self) -> Result<(), Stop> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let client = client::play(self.script.inner, self.session, door.local_addr()?);
        let (inner, over) = tokio::join!(client, carry(door, &mut self.from, &mut self.to));
        if inner.tls.is_some() {
            self.report.phase = "tls";
        }
        let has_left = inner.end == client::End::Clean && inner.error.is_none();
        if has_left {
            self.report.phase = "active";
        }
        self.report.inner = Some(inner);
        match over? {
            Over::Client => self.close().await,
            // The server has gone because its client did.
            Over::Closed(_) if has_left => {
                let _ = self.to.send(&packet::close_response()).await;
                let _ = self.to.finish().await;
                Ok(())
            }
            Over::Closed(status) => self.closed(status).await,
            Over::Gone => Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
        }
    }

    /// Closes the channel, and waits for the gateway's word. Where the server has gone when its client did, the gateway closes
    /// it at the same time, and each takes the other's word for an answer.
    async fn close(&mut self) -> Result<(), Stop> {
        self.to.send(&packet::close(0)).await?;
        while let Some(packet) = self.script.within(self.from.packet()).await? {
            if [kind::CLOSE, kind::CLOSE_RESPONSE].contains(&packet::kind_of(&packet)) {
                break;
            }
        }
        // Who has gone does not hear it.
        let _ = self.to.finish().await;
        Ok(())
    }

    /// The gateway has closed the channel: it is the gateway's to go first.
    async fn closed(&mut self, status: Option<u32>) -> Result<(), Stop> {
        self.report.closed = status;
        self.to.send(&packet::close_response()).await?;
        while self.script.within(self.from.packet()).await?.is_some() {}
        Err(io::Error::from(ErrorKind::UnexpectedEof).into())
    }
}

/// Carries until one side is at its end. A client that resets its connection is at its end as well.
async fn carry<R, W>(door: TcpListener, from: &mut Inward<R>, to: &mut Outward<W>) -> io::Result<Over>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (local, _) = door.accept().await?;
    local.set_nodelay(true)?;
    let (mut said, mut heard) = local.into_split();
    let to = Mutex::new(to);
    tokio::select! {
        over = outwards(&mut said, &to) => over,
        over = inwards(from, &mut heard, &to) => over,
    }
}

async fn outwards<W>(said: &mut OwnedReadHalf, to: &Mutex<&mut Outward<W>>) -> io::Result<Over>
where
    W: AsyncWrite + Unpin,
{
    let mut data = vec![0; 16 * 1024];
    loop {
        let read = said.read(&mut data).await.unwrap_or(0);
        if read == 0 {
            return Ok(Over::Client);
        }
        to.lock().await.send(&packet::data_packet(&data[..read])).await?;
    }
}

async fn inwards<R, W>(
    from: &mut Inward<R>,
    heard: &mut OwnedWriteHalf,
    to: &Mutex<&mut Outward<W>>,
) -> io::Result<Over>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    while let Some(packet) = from.packet().await? {
        match packet::kind_of(&packet) {
            // A client that has gone has no use for it: its end is told by what it says no more.
            kind::DATA => drop(heard.write_all(packet::data(&packet)).await),
            kind::KEEP_ALIVE => to.lock().await.send(&packet::keep_alive()).await?,
            kind::CLOSE => return Ok(Over::Closed(packet::error(&packet))),
            _ => {}
        }
    }
    Ok(Over::Gone)
}
