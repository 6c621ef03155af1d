//! The socket of a play: what comes is taken whenever it comes, also while something is written, so that no two sides wait
//! for each other; and whatever leaves, leaves by [`Wire::send`].

use std::io::{self, ErrorKind};
use std::time::Duration;

use analyzer::observation::Ending;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::lines::Lines;

/// The most that is read at once.
pub(super) const CHUNK: usize = 64 << 10;

/// Shorter than others take to have their turn.
const INSTANT: Duration = Duration::from_micros(100);
/// What the timer may be late by.
const TICK: Duration = Duration::from_millis(2);

/// A connection that stands.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    pub(super) inbox: Vec<u8>,
    /// How the peer ended it.
    pub(super) ended: Option<Ending>,
    /// Where it is impaired on purpose.
    pub(super) lines: Option<Lines>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, lines: Option<Lines>) -> Wire {
        // Where this fails the peer has reset it already: reading will tell.
        let _ = stream.set_nodelay(true);
        Wire { stream, inbox: Vec::new(), ended: None, lines }
    }

    /// Sends all of it, or as much as the peer takes before it ends.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) {
        if self.lines.is_some() {
            return self.send_impaired(bytes).await;
        }
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
        if self.lines.is_some() {
            return self.receive_impaired().await;
        }
        while self.inbox.is_empty() && self.ended.is_none() {
            match self.stream.readable().await {
                Ok(()) => self.take(),
                Err(_) => self.ended = Some(Ending::Reset),
            }
        }
        (!self.inbox.is_empty()).then(|| std::mem::take(&mut self.inbox))
    }

    /// Waits for a moment. The runtime's timer counts milliseconds, and who is first may be a matter of microseconds.
    pub(super) async fn until(&mut self, due: Instant) {
        if self.lines.is_some() {
            return self.until_impaired(due).await;
        }
        reached(due).await;
    }

    /// Ends this side's direction: FIN. Where it is impaired, behind what was said; an RST, which is sent by
    /// [`Wire::reset`], has its place there.
    pub(super) async fn finish(&mut self, how: Ending) {
        if self.lines.is_some() {
            self.end_impaired(how).await;
        } else if how != Ending::Reset {
            // The peer may be gone already: that is known, or will be.
            let _ = self.stream.shutdown().await;
        }
    }

    /// RST.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    /// Whatever the peer still says is of no interest: to its end.
    pub(super) async fn drain(&mut self) {
        self.lines = None;
        self.ended = None;
        while self.receive().await.is_some() {}
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

/// Waits for a moment. The runtime's timer counts milliseconds, and who is first may be a matter of microseconds.
pub(super) async fn reached(due: Instant) {
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        match left.checked_sub(TICK) {
            Some(most) => sleep(most).await,
            None if left > INSTANT => yield_now().await,
            None => std::hint::spin_loop(),
        }
    }
}
