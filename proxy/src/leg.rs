//! One leg of a session: a socket, what waits to be written to it, and how it ended.
//!
//! A TCP socket tells of its end in ways that are easily lost, so that only [`Leg::broke`] takes an error:
//!
//! - A write that returns ECONNRESET or EPIPE has consumed the error: the next read looks like a FIN. What came before
//!   the RST can still be read; the end of file after it is nothing.
//! - After a FIN every read says end of file: an RST then shows only as an error readiness, with EPIPE as the error
//!   (CLOSE_WAIT) or ECONNRESET (any later state). So error readiness is always awaited.
//! - An RST leaves the receive queue alone: the bytes before it are read first, the error comes last.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use analyzer::observation::{self as seen, Absence, Ending, Seen, Side};
use analyzer::time::Timestamp;
use bytes::{Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tracing::debug;

use crate::arrival;
use crate::clock;
use crate::tap::{Tap, peer};
use crate::tcp_info;

/// The most that is read at once, and so the most that waits in one direction.
pub(crate) const CHUNK: usize = 64 << 10;

/// A read that fills at least this much of the buffer takes the buffer along; a smaller one is copied out, so that a
/// few bytes that somebody keeps do not hold a whole buffer.
const WHOLE: usize = CHUNK / 4;

/// One leg of a session.
#[derive(Debug)]
pub(crate) struct Leg {
    /// Which.
    pub(crate) name: seen::Leg,
    stream: Arc<TcpStream>,
    pending: VecDeque<Chunk>,
    reading: Reading,
    fin: Fin,
    broken: Option<Broken>,
}

/// Payload that waits to be written.
#[derive(Debug)]
struct Chunk {
    data: Bytes,
    /// Whether the scribe has it.
    kept: bool,
}

/// What can still be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer's FIN was read.
    Ended,
    /// Everything before the peer's RST was read.
    Exhausted,
}

/// Our FIN on this leg: the other leg's peer has nothing more to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fin {
    NotYet,
    /// To be sent once nothing is pending.
    Due,
    Sent,
}

/// The connection is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    /// When that was first noticed.
    pub(crate) since: Instant,
    /// The error, once it was taken from the socket. Until then bytes before it may wait to be read.
    how: Option<Cause>,
}

/// An error of a socket that stood, as an ending.
#[derive(Debug, Clone, Copy)]
struct Cause {
    from: Option<Side>,
    how: Ending,
    /// EPIPE: a FIN came before the RST. It may still wait to be read.
    after_fin: bool,
}

/// What a read brought.
#[derive(Debug)]
pub(crate) enum Read {
    /// Payload, and when the last of it came.
    Data(Bytes, Timestamp),
    Fin,
    /// Nothing now, or nothing any more.
    Nothing,
}

impl Leg {
    /// A leg on a connection that stands.
    pub(crate) fn new(name: seen::Leg, stream: Arc<TcpStream>) -> Leg {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(leg = %name, %error, "nodelay"); // The peer has reset it already: reading will tell.
        }
        arrival::ask(&stream);
        Leg { name, stream, pending: VecDeque::new(), reading: Reading::Open, fin: Fin::NotYet, broken: None }
    }

    /// The side that the relay talks to here.
    pub(crate) fn peer(&self) -> Side {
        peer(self.name)
    }

    /// Reads what is there, up to `room` bytes.
    pub(crate) fn read(&mut self, room: usize) -> Read {
        if self.reading != Reading::Open || room == 0 {
            return Read::Nothing;
        }
        match take(&self.stream, room) {
            Ok((data, _)) if data.is_empty() => self.end_of_file(),
            Ok((data, came)) => Read::Data(data, came.unwrap_or_else(clock::now)),
            Err(error) if is_transient(&error) => {
                self.false_alarm();
                Read::Nothing
            }
            Err(error) => {
                self.reading = Reading::Exhausted;
                self.broke(&error);
                Read::Nothing
            }
        }
    }

    /// End of file is a FIN, unless a write has taken the error of an RST away from the reader.
    fn end_of_file(&mut self) -> Read {
        if let Some(Broken { how: Some(Cause { after_fin: false, .. }), .. }) = self.broken {
            self.reading = Reading::Exhausted;
            return Read::Nothing;
        }
        self.reading = Reading::Ended;
        if self.broken.is_some() {
            self.alarm(); // An RST after the FIN: nothing else will tell what it was.
        }
        Read::Fin
    }

    /// Writes what the kernel takes of `data`: when, and how much.
    pub(crate) fn write(&mut self, data: &[u8]) -> Option<(Timestamp, usize)> {
        if self.broken.is_some() {
            return None;
        }
        // It leaves while this writes, and may be answered before that returns.
        let at = clock::now();
        match self.stream.try_write(data) {
            Ok(n) => (n > 0).then_some((at, n)),
            Err(error) if is_transient(&error) => None,
            Err(error) => {
                self.broke(&error);
                None
            }
        }
    }

    /// Keeps `data` until it can be written.
    pub(crate) fn pend(&mut self, data: Bytes, kept: bool) {
        self.pending.push_back(Chunk { data, kept });
    }

    /// Writes what the kernel takes of `data` behind what is pending, notes that, and keeps the rest.
    pub(crate) fn send(&mut self, mut data: Bytes, kept: bool, tap: &mut Tap) {
        if self.pending.is_empty()
            && let Some((at, n)) = self.write(&data)
        {
            tap.left(self.name, at, data.split_to(n), kept);
        }
        if !data.is_empty() {
            self.pend(data, kept);
        }
    }

    /// Writes what is to stand before everything else that the peer is sent. A connection that has just been made takes that at
    /// once; where it does not, nothing else is to follow.
    pub(crate) fn lead(&mut self, data: Bytes, tap: &mut Tap) {
        let Some((at, n)) = self.write(&data) else { return self.broke(&ErrorKind::WriteZero.into()) };
        let is_whole = n == data.len();
        tap.left(self.name, at, data.slice(..n), true);
        if !is_whole {
            self.broke(&ErrorKind::WriteZero.into());
        }
    }

    /// Takes back what waits to be written, and whether the scribe has it.
    pub(crate) fn take_waiting(&mut self) -> Vec<(Bytes, bool)> {
        self.pending.drain(..).map(|chunk| (chunk.data, chunk.kept)).collect()
    }

    /// Takes back the FIN that is due, if one is.
    pub(crate) fn take_end(&mut self) -> bool {
        let is_due = self.fin == Fin::Due;
        if is_due {
            self.fin = Fin::NotYet;
        }
        is_due
    }

    /// What waits to be written.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Bytes> {
        self.pending.iter().map(|chunk| &chunk.data)
    }

    /// The peer's address; `None` where the connection is gone already.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    /// Writes what is pending, then the FIN that is due. True if anything moved.
    pub(crate) fn flush(&mut self, tap: &mut Tap) -> bool {
        let mut moved = false;
        while let Some(mut chunk) = self.pending.pop_front() {
            let Some((at, n)) = self.write(&chunk.data) else {
                self.pending.push_front(chunk);
                return moved;
            };
            tap.left(self.name, at, chunk.data.split_to(n), chunk.kept);
            moved = true;
            if !chunk.data.is_empty() {
                self.pending.push_front(chunk);
            }
        }
        self.finish(tap) || moved
    }

    /// Sends the FIN if one is due.
    fn finish(&mut self, tap: &mut Tap) -> bool {
        if self.fin != Fin::Due || self.broken.is_some() {
            return false;
        }
        match socket2::SockRef::from(&*self.stream).shutdown(std::net::Shutdown::Write) {
            Ok(()) => {
                self.fin = Fin::Sent;
                tap.note(self.name, clock::now(), Seen::Closed { from: Some(self.peer().other()), how: Ending::Fin });
            }
            // ENOTCONN: the connection is gone. The error itself is still in the socket.
            Err(error) => {
                debug!(leg = %self.name, %error, "shutdown");
                self.broken = Some(Broken { since: Instant::now(), how: None });
            }
        }
        true
    }

    /// The other leg's peer has sent its FIN.
    pub(crate) fn end(&mut self) {
        self.fin = Fin::Due;
    }

    /// The only place that learns from a socket's error.
    pub(crate) fn broke(&mut self, error: &io::Error) {
        debug!(leg = %self.name, %error, "broken");
        let broken = self.broken.get_or_insert(Broken { since: Instant::now(), how: None });
        broken.how.get_or_insert(cause(peer(self.name), error));
    }

    /// The socket is ready to tell of an error. As long as there may be bytes before it, the error is left to the read.
    pub(crate) fn alarm(&mut self) {
        if self.reading == Reading::Open {
            self.broken.get_or_insert(Broken { since: Instant::now(), how: None });
            return;
        }
        match self.stream.take_error() {
            Ok(Some(error)) | Err(error) => self.broke(&error),
            Ok(None) => self.false_alarm(),
        }
    }

    /// There is no error after all: forget the readiness, or it would be told for ever.
    fn false_alarm(&mut self) {
        if let Some(Broken { how: None, .. }) = self.broken {
            self.broken = None;
        }
        if self.broken.is_none() {
            let _ = self.stream.try_io(Interest::ERROR, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        }
    }

    /// Waits until there is something to do: always for an error, for bytes to write if any are pending, for bytes to
    /// read if wanted. Tells whether it is an error.
    pub(crate) async fn ready(&self, to_read: bool) -> bool {
        let alive = self.broken.is_none();
        let wanted = [
            alive.then_some(Interest::ERROR),
            (alive && !self.pending.is_empty()).then_some(Interest::WRITABLE),
            (to_read && self.reading == Reading::Open).then_some(Interest::READABLE),
        ];
        let Some(interest) = wanted.into_iter().flatten().reduce(|all, one| all | one) else {
            return future::pending().await;
        };
        match self.stream.ready(interest).await {
            Ok(ready) => alive && ready.is_error(),
            Err(_) => future::pending().await, // The runtime is going down, and this task with it.
        }
    }

    /// What went wrong, if anything did.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// Nothing more can be read.
    pub(crate) fn is_read_out(&self) -> bool {
        self.reading != Reading::Open
    }

    /// Both FINs were exchanged here.
    pub(crate) fn is_over(&self) -> bool {
        self.reading == Reading::Ended && self.fin == Fin::Sent
    }

    /// Nothing is pending: neither bytes nor a FIN.
    pub(crate) fn is_flushed(&self) -> bool {
        self.pending.is_empty() && self.fin != Fin::Due
    }

    /// Bytes that wait to be written.
    pub(crate) fn pending(&self) -> usize {
        self.pending.iter().map(|chunk| chunk.data.len()).sum()
    }

    /// Bytes that came and were not read.
    pub(crate) fn unread(&self) -> u64 {
        if self.is_read_out() { 0 } else { tcp_info::unread(&self.stream).unwrap_or(0) }
    }

    /// Bytes and FIN in the send queue; `None` where the system does not tell.
    pub(crate) fn unacknowledged(&self) -> Option<u64> {
        tcp_info::unacknowledged(&self.stream)
    }

    /// Bytes and FIN in the send queue that were not sent yet; `None` where the system does not tell.
    pub(crate) fn unsent(&self) -> Option<u64> {
        tcp_info::unsent(&self.stream)
    }

    /// Notes the state of the path. True if something is under way to the peer.
    pub(crate) fn sample(&self, tap: &mut Tap) -> bool {
        let Some(path) = tcp_info::sample(&self.stream) else { return false };
        let under_way = path.unacked.unwrap_or(0) > 0 || path.notsent_bytes.unwrap_or(0) > 0;
        tap.note(self.name, clock::now(), Seen::Path(Box::new(path)));
        under_way
    }

    /// Ends a leg that broke: notes how, after `lost` bytes that its peer could not be given.
    pub(crate) fn bury(mut self, lost: u64, tap: &mut Tap) {
        self.discard(lost, tap);
        self.sample(tap);
        let cause = self.cause();
        tap.note(self.name, clock::now(), Seen::Closed { from: cause.from, how: cause.how });
    }

    /// Resets a leg that stands: notes it, after `lost` bytes that its peer could not be given.
    pub(crate) fn reset(self, lost: u64, tap: &mut Tap) {
        let queued = self.unsent().unwrap_or(0).saturating_sub((self.fin == Fin::Sent).into());
        self.discard(lost + queued, tap);
        self.sample(tap);
        let (name, from) = (self.name, self.peer().other());
        if let Err(error) = self.stream.set_zero_linger() {
            debug!(leg = %name, %error, "linger");
        }
        drop(self);
        tap.note(name, clock::now(), Seen::Closed { from: Some(from), how: Ending::Reset });
    }

    fn discard(&self, lost: u64, tap: &mut Tap) {
        let len = lost + self.pending() as u64;
        if len > 0 {
            debug!(leg = %self.name, len, "discarded");
            let from = self.peer().other();
            tap.note(self.name, clock::now(), Seen::Missing { from, len, why: Absence::Discarded });
        }
    }

    /// The error, taken now if it was not before.
    fn cause(&mut self) -> Cause {
        if let Some(Broken { how: Some(cause), .. }) = self.broken {
            return cause;
        }
        match self.stream.take_error() {
            Ok(Some(error)) | Err(error) => cause(self.peer(), &error),
            Ok(None) => cause(self.peer(), &ErrorKind::ConnectionReset.into()),
        }
    }
}

/// A system error as an ending. What is not known otherwise came from the peer.
fn cause(peer: Side, error: &io::Error) -> Cause {
    let (from, how) = match error.kind() {
        ErrorKind::TimedOut => (None, Ending::TimedOut),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            (None, Ending::Unreachable)
        }
        _ => (Some(peer), Ending::Reset),
    };
    Cause { from, how, after_fin: error.kind() == ErrorKind::BrokenPipe }
}

/// Nothing happened: try again when the socket is ready.
fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Reads up to `room` bytes into a buffer that all sessions of a thread share: an idle session holds none.
fn take(stream: &TcpStream, room: usize) -> io::Result<(Bytes, Option<Timestamp>)> {
    thread_local! {
        static SHELF: RefCell<Shelf> = RefCell::default();
    }
    SHELF.with_borrow_mut(|shelf| {
        let mut buffer = shelf.take();
        let read = arrival::read(stream, &mut buffer[..room.min(CHUNK)]);
        match read {
            Ok((n, came)) if n >= WHOLE => Ok((shelf.lend(buffer).slice(..n), came)),
            read => {
                let few = read.map(|(n, came)| (Bytes::copy_from_slice(&buffer[..n]), came));
                shelf.spare = buffer;
                few
            }
        }
    })
}

/// Buffers of [`CHUNK`] bytes that were lent to those who write and record what was read, and come back when they are done: new
/// memory for every read would cost as much as the read.
#[derive(Default)]
struct Shelf {
    /// At hand.
    spare: BytesMut,
    /// In the order in which they were lent.
    lent: VecDeque<Bytes>,
}

impl Shelf {
    /// So many at most are waited for. A scribe that naps for two milliseconds has some forty of them.
    const LENT: usize = 64;

    /// A buffer with anything in it.
    fn take(&mut self) -> BytesMut {
        let spare = std::mem::take(&mut self.spare);
        if spare.len() == CHUNK {
            return spare;
        }
        self.returned().unwrap_or_else(|| BytesMut::zeroed(CHUNK))
    }

    /// The buffer that was lent first, if everybody is done with it.
    fn returned(&mut self) -> Option<BytesMut> {
        match self.lent.pop_front()?.try_into_mut() {
            Ok(buffer) => Some(buffer),
            Err(lent) => {
                self.lent.push_front(lent);
                None
            }
        }
    }

    fn lend(&mut self, buffer: BytesMut) -> Bytes {
        let lent = buffer.freeze();
        if self.lent.len() == Self::LENT {
            self.lent.pop_front(); // Whoever has it keeps it.
        }
        self.lent.push_back(lent.clone());
        lent
    }
}
