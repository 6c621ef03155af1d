//! A TCP socket that counts: what went out, what came in, and how the peer ended it.
//!
//! Both kinds of peer stand on it, with or without TLS above, so that what one says it sent can be compared with what
//! the other says it received, whatever lies between.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::tls::ServerStream;

/// How much of each direction is kept word for word.
const KEPT: usize = 64 * 1024;

/// One direction of one connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Tally {
    /// How many bytes.
    pub bytes: u64,
    /// FNV-1a over all of them: equal at both ends if nothing was changed on the way.
    pub digest: u64,
    /// The first 64 KiB, word for word.
    pub head: Vec<u8>,
}

/// How the peer ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// FIN.
    Eof,
    /// RST.
    Reset,
}

/// The counting socket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// Read already, and put back for the next reader.
    unread: Vec<u8>,
    /// What was handed to the kernel.
    pub sent: Tally,
    /// What came.
    pub received: Tally,
    /// How the peer ended it, the first end if there were two; `None` while it has not.
    pub ended: Option<Ended>,
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes ({:016x})", self.bytes, self.digest)
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { bytes: 0, digest: 0xcbf2_9ce4_8422_2325, head: Vec::new() }
    }
}

impl Tally {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let room = KEPT - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Socket {
    /// Counts from here on. Nagle is off: a lab peer's messages leave when it says them.
    pub fn new(stream: TcpStream) -> Socket {
        // Some systems refuse this on a connection that was reset already; the reads and writes to come will tell.
        let _ = stream.set_nodelay(true);
        Socket { stream, unread: Vec::new(), sent: Tally::default(), received: Tally::default(), ended: None }
    }

    /// Gives bytes back, to be read again. They are counted once.
    pub fn unread(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.unread.is_empty());
        self.unread = bytes;
    }

    /// FIN, below any TLS. What the peer still says is then read to its end, so that closing the socket does not turn
    /// into an RST.
    pub async fn finish(&mut self) {
        // The peer may be gone already; its end is noted below.
        let _ = AsyncWriteExt::shutdown(&mut self.stream).await;
        self.drain().await;
    }

    /// Reads to the end and forgets. Says nothing.
    pub async fn drain(&mut self) {
        let mut scrap = vec![0; 16 * 1024];
        while matches!(self.read(&mut scrap).await, Ok(n) if n > 0) {}
    }

    /// RST. On loopback, a write that fits the peer's window is in its queue before the call returns, so what was said
    /// before is not lost: the kernel throws away only what it could not yet send.
    pub fn reset(&self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            match error.kind() {
                // A pipe breaks only after the reset was told once: it belongs to the same end.
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                    self.ended.get_or_insert(Ended::Reset);
                }
                _ => {}
            }
        }
        result
    }
}

/// Reads exactly one message, whose length `len` tells from its first bytes.
pub async fn read_framed<S>(io: &mut S, len: fn(&[u8]) -> Option<usize>) -> io::Result<Vec<u8>>
where
    S: AsyncRead + Unpin + ?Sized,
{
    let mut message = Vec::new();
    let len = loop {
        match len(&message) {
            Some(len) => break len,
            // No header in here is longer than five bytes: more than that is not a message at all.
            None if message.len() >= 5 => return Err(ErrorKind::InvalidData.into()),
            None => message.push(io.read_u8().await?),
        }
    };
    let have = message.len();
    if len < have {
        return Err(ErrorKind::InvalidData.into());
    }
    message.resize(len, 0);
    io.read_exact(&mut message[have..]).await?;
    Ok(message)
}

/// Something that knows how many bytes went out and came in below it.
pub(super) trait Counts {
    /// Sent, received.
    fn counts(&self) -> (u64, u64);
}

impl Counts for Socket {
    fn counts(&self) -> (u64, u64) {
        (self.sent.bytes, self.received.bytes)
    }
}

impl Counts for ServerStream<&mut Socket> {
    fn counts(&self) -> (u64, u64) {
        self.get_ref().0.counts()
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let n = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread[..n]);
            self.unread.drain(..n);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        if result.is_ok() && buf.filled().len() == before && buf.remaining() > 0 {
            // A reset that a write was told of comes back to the reader as an end of file.
            self.ended.get_or_insert(Ended::Eof);
        }
        self.received.push(&buf.filled()[before..]);
        Poll::Ready(self.note(result))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, data));
        if let Ok(n) = result {
            self.sent.push(&data[..n]);
        }
        Poll::Ready(self.note(result))
    }

    /// All at once: a client of TLS 1.3 that fails gets one write for its ChangeCipherSpec and the alert behind it.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces));
        if let Ok(n) = result {
            let sent: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).take(n).collect();
            self.sent.push(&sent);
        }
        Poll::Ready(self.note(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
