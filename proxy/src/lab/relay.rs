//! A relay in front of a server: it passes everything on, and cuts off what has been quiet for too long, as load balancers
//! and forwarders do. It has nothing in common with this program's own relay, which never does that.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What a relay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relay {
    /// After so many milliseconds without a byte of either side it cuts both.
    pub quiet_ms: u64,
    /// How.
    pub cuts: Cut,
}

/// How a relay cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// FIN to both sides.
    Fin,
    /// RST to both sides.
    Reset,
}

/// Relays everybody who comes, until it is stopped.
pub(super) async fn run(listener: TcpListener, server: SocketAddr, relay: Relay) {
    // The set breaks off its tasks when this task is aborted.
    let mut tasks = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        // A side that breaks off takes the other with it: both are closed when the task ends.
        tasks.spawn(async move { carry(client, server, relay).await.ok() });
        while tasks.try_join_next().is_some() {}
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, relay: Relay) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut from_server) = ([0; 16 * 1024], [0; 16 * 1024]);
    let (mut client_speaks, mut server_speaks) = (true, true);
    while client_speaks || server_speaks {
        tokio::select! {
            read = client.read(&mut from_client), if client_speaks => {
                client_speaks = pass_on(&from_client[..read?], &mut server).await?;
            }
            read = server.read(&mut from_server), if server_speaks => {
                server_speaks = pass_on(&from_server[..read?], &mut client).await?;
            }
            () = sleep(Duration::from_millis(relay.quiet_ms)) => return cut(client, server, relay.cuts).await,
        }
    }
    Ok(())
}

/// Passes on what was read, or the end. Whether there may be more.
async fn pass_on(read: &[u8], to: &mut TcpStream) -> io::Result<bool> {
    if read.is_empty() {
        to.shutdown().await?;
    }
    to.write_all(read).await?;
    Ok(!read.is_empty())
}

async fn cut(client: TcpStream, server: TcpStream, how: Cut) -> io::Result<()> {
    for mut stream in [client, server] {
        match how {
            Cut::Reset => stream.set_zero_linger()?,
            Cut::Fin => {
                stream.shutdown().await?;
                // What is not read when a socket is closed would turn its FIN into an RST.
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            }
        }
    }
    Ok(())
}
