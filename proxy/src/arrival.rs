//! When payload came: by the kernel's stamp of the packet, where the system gives one (Linux, `SO_TIMESTAMPNS`).
//!
//! What is read has waited until this process was woken: some ten microseconds on an idle machine, milliseconds on a busy
//! one. That wait is the relay's own and no part of what is watched.

use std::io;

use analyzer::time::Timestamp;
use tokio::net::TcpStream;

/// Asks for stamps of what comes on this connection from now on. Where there are none, reading tells no time.
pub(crate) fn ask(stream: &TcpStream) {
    os::ask(stream);
}

/// Reads what is there: how much, and when the last of it came, by the clock of this process.
///
/// # Errors
/// Where the connection does; `WouldBlock` where nothing is there.
pub(crate) fn read(stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<Timestamp>)> {
    os::read(stream, into)
}

#[cfg(target_os = "linux")]
mod os {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use nix::cmsg_space;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use tokio::io::Interest;
    use tokio::net::TcpStream;
    use tracing::debug;

    use super::Timestamp;
    use crate::clock;

    pub(super) fn ask(stream: &TcpStream) {
        if let Err(error) = setsockopt(stream, sockopt::ReceiveTimestampns, &true) {
            debug!(%error, "no stamps of the kernel");
        }
    }

    pub(super) fn read(stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<Timestamp>)> {
        let mut control = cmsg_space!(TimeSpec);
        stream.try_io(Interest::READABLE, || {
            let mut into = [IoSliceMut::new(into)];
            let message = recvmsg::<()>(stream.as_raw_fd(), &mut into, Some(&mut control), MsgFlags::empty())?;
            let stamps = message.cmsgs().into_iter().flatten();
            let stamp = stamps.into_iter().find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
                _ => None,
            });
            Ok((message.bytes, stamp.and_then(clock::of_wall)))
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::io;

    use tokio::net::TcpStream;

    use super::Timestamp;

    pub(super) fn ask(_: &TcpStream) {}

    pub(super) fn read(stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<Timestamp>)> {
        Ok((stream.try_read(into)?, None))
    }
}
