//! The healthy part: an RDP connection sequence and some activity, from both sides, over TLS or over bare TCP.
//!
//! Both sides know the shape beforehand and none negotiates: what one says is what the other waits for. The server joins
//! whatever channels a client has and does not insist on answers, so that real clients come as far as it goes.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::server::{Log, Stop};
use super::socket::{Counts, read_framed};
use super::wire::{self, Joining, credssp, protocol, refusal};
use super::{Point, ServerScript};

/// How a session goes once it is established.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Bursts of graphics that the server sends while active; the client answers each with some input.
    pub bursts: u16,
    /// Fast-path updates in a burst, each in a TLS record of its own.
    pub updates: u16,
    /// Bytes of an update.
    pub update_len: u16,
    /// Milliseconds from one burst to the next.
    pub pause_ms: u64,
}

impl Session {
    /// How long it takes at least.
    pub(super) fn pauses(self) -> Duration {
        Duration::from_millis(self.pause_ms * u64::from(self.bursts.saturating_sub(1)))
    }
}

/// Input events with which the client answers a burst.
const EVENTS: u16 = 3;

/// How long a burst may go unanswered: longer than any busy machine needs.
const ANSWER: Duration = Duration::from_secs(2);

/// The client's version of CredSSP.
const CREDSSP: u32 = 6;

/// What the two sides agreed on before the session began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreed {
    /// The client's `requestedProtocols`.
    pub asked: u32,
    /// The server's `selectedProtocol`.
    pub selected: u32,
}

/// Plays the server, up to the point where its script acts or to the last burst.
pub(super) async fn serve<S>(io: &mut S, agreed: Agreed, script: ServerScript, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Counts + Unpin,
{
    let session = script.session;
    log.reach(Point::Established, io)?;
    if agreed.selected & (protocol::HYBRID | protocol::HYBRID_EX) != 0 {
        credssp_server(io, agreed, script.credssp, log).await?;
    }
    let connect_initial = read_framed(io, wire::pdu_len).await?;
    log.reach(Point::ConnectInitial, io)?;
    say(io, wire::connect_response_with(agreed.asked, wire::asked_channels(&connect_initial))).await?;
    join_server(io, log).await?;
    log.reach(Point::ClientInfo, io)?;
    say(io, wire::licence_valid_client()).await?;
    log.reach(Point::Licence, io)?;
    say(io, wire::demand_active()).await?;
    log.reach(Point::DemandActive, io)?;
    read(io).await?;
    log.reach(Point::ConfirmActive, io)?;
    // Some clients wait for these answers before they say the last word.
    let [synchronize, cooperate, granted, font_map] = wire::server_finalization();
    exchange(io, 3, [synchronize, cooperate, granted]).await?;
    exchange(io, 1, [font_map]).await?;
    let mut answers = true;
    for burst in 0..session.bursts {
        send_burst(io, session, burst).await?;
        answers = answers && answered(io).await?;
    }
    log.reach(Point::Active, io)
}

/// Plays the client, to the last burst.
pub(super) async fn connect<S>(io: &mut S, agreed: Agreed, session: Session, user: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if agreed.selected & (protocol::HYBRID | protocol::HYBRID_EX) != 0 {
        credssp_client(io, agreed).await?;
    }
    say(io, wire::connect_initial(agreed.selected)).await?;
    hear(io).await?;
    join_client(io).await?;
    say(io, wire::client_info(user)).await?;
    hear(io).await?;
    hear(io).await?;
    say(io, wire::confirm_active()).await?;
    for pdu in wire::client_finalization() {
        say(io, pdu).await?;
    }
    for _ in wire::server_finalization() {
        read(io).await?;
    }
    for burst in 0..session.bursts {
        take_burst(io, session, burst).await?;
    }
    Ok(())
}

/// Reads to the peer's close_notify or, without TLS, to its FIN.
pub(super) async fn wait_for_end<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<()> {
    let mut scrap = [0; 4096];
    while io.read(&mut scrap).await? > 0 {}
    Ok(())
}

async fn credssp_server<S>(io: &mut S, agreed: Agreed, version: u32, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Counts + Unpin,
{
    read(io).await?;
    log.reach(Point::Negotiate, io)?;
    say(io, credssp::challenge(version, None)).await?;
    read(io).await?;
    log.reach(Point::Authenticate, io)?;
    say(io, credssp::public_key(version)).await?;
    read(io).await?;
    log.reach(Point::Credentials, io)?;
    if agreed.selected == protocol::HYBRID_EX {
        say(io, credssp::early_authorization(0)).await?;
    }
    Ok(())
}

async fn credssp_client<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, agreed: Agreed) -> io::Result<()> {
    say(io, credssp::negotiate(CREDSSP)).await?;
    hear(io).await?;
    say(io, credssp::authenticate(CREDSSP)).await?;
    hear(io).await?;
    say(io, credssp::credentials(CREDSSP)).await?;
    if agreed.selected == protocol::HYBRID_EX {
        let mut result = [0; 4];
        io.read_exact(&mut result).await?;
        return if result == [0; 4] { Ok(()) } else { Err(last_word()) };
    }
    Ok(())
}

/// Channel connection, \[MS-RDPBCGR\] 1.3.1.1, for whatever channels the client has. Reads the PDU behind it, too.
async fn join_server<S>(io: &mut S, log: &mut Log) -> Result<(), Stop>
where
    S: AsyncRead + AsyncWrite + Counts + Unpin,
{
    let mut joins = 0;
    loop {
        match wire::joining(&read_framed(io, wire::pdu_len).await?) {
            Joining::Silence => {}
            Joining::Attach(confirm) => say(io, confirm).await?,
            Joining::Join(confirm) => {
                if joins == 0 {
                    log.reach(Point::Join, io)?;
                }
                joins += 1;
                say(io, confirm).await?;
            }
            Joining::Over => return Ok(()),
        }
    }
}

async fn join_client<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S) -> io::Result<()> {
    say(io, wire::erect_domain()).await?;
    say(io, wire::attach_user()).await?;
    hear(io).await?;
    for request in wire::channel_joins() {
        say(io, request).await?;
        hear(io).await?;
    }
    Ok(())
}

async fn send_burst<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, session: Session, burst: u16) -> io::Result<()> {
    if burst > 0 {
        sleep(Duration::from_millis(session.pause_ms)).await;
    }
    for _ in 0..session.updates {
        say(io, wire::graphics(session.update_len)).await?;
    }
    Ok(())
}

/// Whether the client answers a burst, with as many bytes as the lab's own. A real one may have nothing to say.
async fn answered<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<bool> {
    let mut scrap = vec![0; usize::from(EVENTS) * wire::mouse_move(0).len()];
    let mut missing = scrap.len();
    while missing > 0 {
        match timeout(ANSWER, io.read(&mut scrap[..missing])).await {
            Err(_) => return Ok(false),
            Ok(read) => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => missing -= read,
            },
        }
    }
    Ok(true)
}

async fn take_burst<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, session: Session, burst: u16) -> io::Result<()> {
    for _ in 0..session.updates {
        read(io).await?;
    }
    for event in 0..EVENTS {
        say(io, wire::mouse_move(burst + event)).await?;
    }
    Ok(())
}

/// Reads as many PDUs, then says these.
async fn exchange<S, const N: usize>(io: &mut S, reads: usize, says: [Vec<u8>; N]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for _ in 0..reads {
        read(io).await?;
    }
    for pdu in says {
        say(io, pdu).await?;
    }
    Ok(())
}

/// Says one PDU, in a TLS record of its own where there is TLS.
pub(in crate::lab) async fn say<S: AsyncWrite + Unpin>(io: &mut S, pdu: Vec<u8>) -> io::Result<()> {
    io.write_all(&pdu).await?;
    io.flush().await
}

/// The server said something behind which a client leaves.
#[derive(Debug)]
pub(super) struct LastWord;

impl fmt::Display for LastWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server refuses, or sends the client elsewhere")
    }
}

impl std::error::Error for LastWord {}

fn last_word() -> io::Error {
    io::Error::other(LastWord)
}

/// Reads one PDU of the server, and does not go on behind a last word.
async fn hear<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<()> {
    let pdu = read_framed(io, wire::pdu_len).await?;
    if refusal::is_ultimatum(&pdu) {
        wait_for_end(io).await?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if refusal::is_last_word(&pdu) { Err(last_word()) } else { Ok(()) }
}

/// Reads one PDU. What is in it does not matter: it is whose turn it is that counts.
async fn read<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<()> {
    read_framed(io, wire::pdu_len).await.map(drop)
}
