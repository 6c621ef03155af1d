//! The PROXY protocol at the relay: the header that a balancer in front is to send, and the one that the server is to get. What
//! bytes are one is asked of `analyzer`.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use analyzer::proxy_protocol::{self, Header, Says};
use analyzer::time::Timestamp;
use bytes::Bytes;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::gate::Headless;
use crate::leg::{CHUNK, Leg, Read};
use crate::tap::Tap;

/// How long a header may take: a balancer sends it with its first segment, and a segment that is lost is sent again.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Which version of the protocol is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// In binary.
    V2,
}

/// What a client sent up to the end of its header, and perhaps beyond.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// Client and server that the header names; none where it is the sender's own connection.
    pub(crate) ends: Option<(SocketAddr, SocketAddr)>,
    /// As it was read, and when.
    read: Vec<(Bytes, Timestamp)>,
    /// Bytes of the header.
    len: usize,
}

impl Greeting {
    /// Notes what was read. Gives what stands behind the header, and whether the scribe has it.
    pub(crate) fn note(self, front: &Leg, tap: &mut Tap) -> Vec<(Bytes, bool)> {
        let mut left = self.len;
        let mut behind = Vec::new();
        for (mut data, at) in self.read {
            let kept = tap.arrived(front.name, at, &data);
            let of_header = data.split_to(left.min(data.len()));
            left -= of_header.len();
            if !data.is_empty() {
                behind.push((data, kept));
            }
        }
        behind
    }
}

/// Reads the header that a client is to send first: so many bytes, and so long, at most. `Ok(None)` where the proxy is to end.
pub(crate) async fn expect(
    front: &mut Leg,
    mut stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
) -> Result<Option<Greeting>, Headless> {
    let deadline = Instant::now() + PATIENCE;
    let (mut read, mut bytes, mut is_late) = (Vec::new(), Vec::new(), false);
    loop {
        match front.read(CHUNK) {
            Read::Data(data, at) => {
                bytes.extend_from_slice(&data);
                read.push((data, at));
                match proxy_protocol::read(&bytes) {
                    proxy_protocol::Read::Short => continue,
                    proxy_protocol::Read::None => return Err(Headless::Other),
                    proxy_protocol::Read::Header(Header { says: Says::Invalid, .. }, _) => {
                        return Err(Headless::Invalid);
                    }
                    proxy_protocol::Read::Header(header, len) => {
                        return Ok(Some(Greeting { ends: header.ends(), read, len }));
                    }
                }
            }
            Read::Fin => return Err(Headless::Left),
            Read::Nothing => {}
        }
        if front.broken().is_some() && front.is_read_out() {
            return Err(Headless::Left);
        }
        let alarm = tokio::select! {
            biased;
            () = &mut stop => return Ok(None),
            alarm = front.ready(true) => alarm,
            () = sleep_until(deadline) => {
                // Where this process was stopped meanwhile, a timer is told before what came in time.
                if front.unread() == 0 || std::mem::replace(&mut is_late, true) {
                    return Err(Headless::Late);
                }
                yield_now().await;
                continue;
            }
        };
        if alarm {
            front.alarm();
        }
    }
}

/// The header that names these ends.
pub(crate) fn of(version: Version, client: SocketAddr, server: SocketAddr) -> Bytes {
    let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
    let says = Says::Ends { client: canonical(client), server: canonical(server) };
    let version = match version {
        Version::V1 => 1,
        Version::V2 => 2,
    };
    proxy_protocol::write(&Header { version, says }).into()
}
