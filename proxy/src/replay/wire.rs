//! The socket of a play: what comes is taken whenever it comes, also while something is written, so that no two sides wait
//! for each other; and whatever leaves, leaves by [`Wire::send`].

use std::io::{self, ErrorKind};

use analyzer::observation::Ending;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// The most that is read at once.
const CHUNK: usize = 64 << 10;

/// A connection that stands.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    inbox: Vec<u8>,
    /// How the peer ended it.
    pub(super) ended: Option<Ending>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Wire {
        // Where this fails the peer has reset it already: reading will tell.
        let _ = stream.set_nodelay(true);
        Wire { stream, inbox: Vec::new(), ended: None }
    }

    /// Sends all of it, or as much as the peer takes before it ends.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.ended != Some(Ending::Reset) {
            let wanted =
                if self.ended.is_some() { Interest::WRITABLE } else { Interest::WRITABLE | Interest::READABLE };
            let sent = match self.stream.ready(wanted).await {
                Ok(ready) => {
                    if ready.is_readable() && self.ended.is_none() {
                        self.take();
                    }
                    self.stream.try_write(bytes)
                }
                Err(error) => Err(error),
            };
            match sent {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Whatever it is: nothing more can be sent.
                Err(_) => self.ended = Some(Ending::Reset),
            }
        }
    }

    /// What came; `None` where nothing more will.
    pub(super) async fn receive(&mut self) -> Option<Vec<u8>> {
        while self.inbox.is_empty() && self.ended.is_none() {
            match self.stream.readable().await {
                Ok(()) => self.take(),
                Err(_) => self.ended = Some(Ending::Reset),
            }
        }
        (!self.inbox.is_empty()).then(|| std::mem::take(&mut self.inbox))
    }

    /// FIN.
    pub(super) async fn finish(&mut self) {
        // The peer may be gone already: that is known, or will be.
        let _ = self.stream.shutdown().await;
    }

    /// RST.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    fn take(&mut self) {
        let len = self.inbox.len();
        self.inbox.resize(len + CHUNK, 0);
        let read = self.stream.try_read(&mut self.inbox[len..]);
        self.inbox.truncate(len + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.ended = Some(Ending::Fin),
            Err(error) if error.kind() != ErrorKind::WouldBlock => self.ended = Some(Ending::Reset),
            Ok(_) | Err(_) => {}
        }
    }
}
