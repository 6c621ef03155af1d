//! What the kernel knows of a connection: `TCP_INFO` on Linux, `SIO_TCP_INFO` on Windows, and how much stands in its queues.
//!
//! The only room with `unsafe` code. Every answer is an `Option`: a number that the system does not tell is `None`.
#![allow(unsafe_code)]

use analyzer::observation::PathSample;
use tokio::net::TcpStream;

/// The state of the path as the kernel of this end sees it now.
pub fn sample(stream: &TcpStream) -> Option<PathSample> {
    os::sample(stream)
}

/// Bytes that came and were not read yet.
pub fn unread(stream: &TcpStream) -> Option<u64> {
    os::unread(stream)
}

/// Bytes accepted for sending and not acknowledged by the peer yet; a FIN counts as one.
pub fn unacknowledged(stream: &TcpStream) -> Option<u64> {
    os::unacknowledged(stream)
}

/// Bytes accepted for sending and never sent yet.
pub fn unsent(stream: &TcpStream) -> Option<u64> {
    os::unsent(stream)
}

/// How long this machine has been awake since it was started. Not of a connection, but only the system tells.
#[cfg(windows)]
pub(crate) fn awake() -> Option<std::time::Duration> {
    use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;
    let mut ticks = 0;
    // SAFETY: it writes one number, of 100 ns, and nothing else.
    let is_told = unsafe { QueryUnbiasedInterruptTime(&mut ticks) } != 0;
    is_told.then(|| std::time::Duration::from_nanos(ticks.saturating_mul(100)))
}

/// Whether this process was started so that it goes on when its terminal goes away (nohup). Not of a connection, but only the
/// system tells. To be asked before anybody waits for the signal.
#[cfg(unix)]
pub fn ignores_hangup() -> bool {
    static IS_IGNORED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *IS_IGNORED.get_or_init(|| {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action it writes the one that stands into `action`, of which all bytes zero is a value.
        unsafe {
            libc::sigaction(libc::SIGHUP, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod os {
    use std::mem::{MaybeUninit, offset_of, size_of};
    use std::os::fd::AsRawFd;

    use super::{PathSample, TcpStream};

    /// `linux/sockios.h`; `SIOCINQ` and `SIOCOUTQ` have the numbers of the terminal requests.
    const SIOCINQ: libc::c_int = 0x541B;
    const SIOCOUTQ: libc::c_int = 0x5411;
    const SIOCOUTQNSD: libc::c_int = 0x894B;

    /// Socket option of what memory a socket takes (socket(7), include/uapi/asm-generic/socket.h), and how many numbers it has.
    const SO_MEMINFO: libc::c_int = 55;
    const MEMORY_NUMBERS: usize = 9;

    /// A field of the answer, if the answer is long enough to hold it: older kernels tell less.
    macro_rules! field {
        ($info:ident, $len:ident, $field:ident) => {{
            let end = offset_of!(libc::tcp_info, $field) + size_of_val(&$info.$field);
            (end <= $len).then(|| u64::from($info.$field))
        }};
    }

    pub(super) fn sample(stream: &TcpStream) -> Option<PathSample> {
        let (info, len) = read(stream)?;
        Some(PathSample {
            state: field!(info, len, tcpi_state),
            ca_state: field!(info, len, tcpi_ca_state),
            rtt_us: field!(info, len, tcpi_rtt).filter(|rtt| *rtt > 0),
            rtt_var_us: field!(info, len, tcpi_rttvar),
            min_rtt_us: field!(info, len, tcpi_min_rtt).filter(|rtt| *rtt < u32::MAX.into()),
            rto_us: field!(info, len, tcpi_rto),
            backoff: field!(info, len, tcpi_backoff),
            retransmits: field!(info, len, tcpi_total_retrans),
            lost: field!(info, len, tcpi_lost),
            sacked: field!(info, len, tcpi_sacked),
            reordering: field!(info, len, tcpi_reordering),
            out_of_order: field!(info, len, tcpi_rcv_ooopack),
            dsack: field!(info, len, tcpi_dsack_dups),
            unacked: field!(info, len, tcpi_unacked),
            notsent_bytes: field!(info, len, tcpi_notsent_bytes),
            bytes_acked: field!(info, len, tcpi_bytes_acked),
            bytes_received: field!(info, len, tcpi_bytes_received),
            bytes_retransmitted: field!(info, len, tcpi_bytes_retrans),
            segments_sent: field!(info, len, tcpi_segs_out),
            segments_received: field!(info, len, tcpi_segs_in),
            snd_mss: field!(info, len, tcpi_snd_mss),
            rcv_mss: field!(info, len, tcpi_rcv_mss),
            adv_mss: field!(info, len, tcpi_advmss),
            pmtu: field!(info, len, tcpi_pmtu),
            snd_cwnd: field!(info, len, tcpi_snd_cwnd),
            snd_wnd: field!(info, len, tcpi_snd_wnd),
            last_received_ms: field!(info, len, tcpi_last_data_recv),
            last_ack_ms: field!(info, len, tcpi_last_ack_recv),
            window_limited_us: field!(info, len, tcpi_rwnd_limited),
            held_bytes: held(stream),
            // The others are of packet captures.
            ..PathSample::default()
        })
    }

    /// Memory of what has arrived behind a hole: all that is held for reading, where nothing can be read.
    fn held(stream: &TcpStream) -> Option<u64> {
        let is_read = || unread(stream) == Some(0);
        let memory = if is_read() { memory(stream)? } else { return None };
        // What came in between can be read.
        is_read().then_some(memory)
    }

    /// Memory that the socket holds for reading, `SK_MEMINFO_RMEM_ALLOC`: the first of the numbers.
    fn memory(stream: &TcpStream) -> Option<u64> {
        let mut numbers = [0_u32; MEMORY_NUMBERS];
        let mut len = size_of_val(&numbers) as libc::socklen_t;
        // SAFETY: the descriptor is open as long as `stream` is borrowed; the kernel writes at most `len` bytes to
        // `numbers`, which is that long.
        let result = unsafe {
            let numbers = numbers.as_mut_ptr().cast();
            libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, SO_MEMINFO, numbers, &mut len)
        };
        (result == 0 && len as usize >= size_of::<u32>()).then(|| numbers[0].into())
    }

    fn read(stream: &TcpStream) -> Option<(libc::tcp_info, usize)> {
        let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
        let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
        // SAFETY: the descriptor is open as long as `stream` is borrowed; the kernel writes at most `len` bytes to
        // `info`, which is that long, and says in `len` how many.
        let result = unsafe {
            libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &mut len)
        };
        // SAFETY: `tcp_info` is made of integers alone: zeroes are a value, and so is what the kernel wrote over them.
        (result == 0).then(|| (unsafe { info.assume_init() }, len as usize))
    }

    pub(super) fn unread(stream: &TcpStream) -> Option<u64> {
        queue(stream, SIOCINQ)
    }

    pub(super) fn unacknowledged(stream: &TcpStream) -> Option<u64> {
        queue(stream, SIOCOUTQ)
    }

    pub(super) fn unsent(stream: &TcpStream) -> Option<u64> {
        queue(stream, SIOCOUTQNSD)
    }

    fn queue(stream: &TcpStream, request: libc::c_int) -> Option<u64> {
        let mut bytes: libc::c_int = 0;
        // SAFETY: the descriptor is open as long as `stream` is borrowed; each of these requests writes one int.
        let result = unsafe { libc::ioctl(stream.as_raw_fd(), request as _, &mut bytes) };
        (result == 0).then_some(bytes.max(0) as u64)
    }
}

#[cfg(windows)]
mod os {
    use std::mem::{offset_of, size_of};
    use std::os::windows::io::AsRawSocket;
    use std::ptr::null_mut;

    use windows_sys::Win32::Networking::WinSock::{
        FIONREAD, SIO_TCP_INFO, SOCKET, TCP_INFO_v0, TCP_INFO_v1, WSAIoctl, ioctlsocket,
    };

    use super::{PathSample, TcpStream};

    /// Linux numbers of the states, in the order of Windows' `TCPSTATE`.
    const STATES: [u64; 11] = [7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6];

    pub(super) fn sample(stream: &TcpStream) -> Option<PathSample> {
        // Windows 10 1703 knows version 0, Windows 11 and Server 2022 also version 1, which begins like version 0.
        let (info, version) = read(stream, 1).map(|i| (i, 1)).or_else(|| read(stream, 0).map(|i| (i, 0)))?;
        let mss = u64::from(info.Mss.max(1));
        let some = |number: u32| Some(u64::from(number));
        Some(PathSample {
            state: usize::try_from(info.State).ok().and_then(|state| STATES.get(state).copied()),
            rtt_us: some(info.RttUs).filter(|rtt| *rtt > 0),
            min_rtt_us: some(info.MinRttUs).filter(|rtt| *rtt < u32::MAX.into()),
            retransmits: Some(
                u64::from(info.FastRetrans) + u64::from(info.TimeoutEpisodes) + u64::from(info.SynRetrans),
            ),
            unacked: Some(u64::from(info.BytesInFlight).div_ceil(mss)),
            bytes_acked: Some(info.BytesOut.saturating_sub(info.BytesInFlight.into())),
            bytes_received: Some(info.BytesIn),
            bytes_retransmitted: some(info.BytesRetrans),
            snd_mss: some(info.Mss),
            snd_cwnd: Some(u64::from(info.Cwnd) / mss),
            snd_wnd: some(info.SndWnd),
            window_limited_us: (version == 1).then(|| u64::from(info.SndLimTimeRwin) * 1000),
            ..PathSample::default()
        })
    }

    // One struct serves both versions only while the shorter is the beginning of the longer.
    const _: () = assert!(offset_of!(TCP_INFO_v0, SynRetrans) == offset_of!(TCP_INFO_v1, SynRetrans));

    fn read(stream: &TcpStream, version: u32) -> Option<TCP_INFO_v1> {
        let mut info = TCP_INFO_v1::default();
        let len = if version == 0 { size_of::<TCP_INFO_v0>() } else { size_of::<TCP_INFO_v1>() };
        let mut returned = 0;
        // SAFETY: the socket is open as long as `stream` is borrowed; the system reads the four bytes of `version` and
        // writes at most `len` bytes to `info`, which is at least that long and made of plain values.
        let result = unsafe {
            WSAIoctl(
                stream.as_raw_socket() as SOCKET,
                SIO_TCP_INFO,
                (&raw const version).cast(),
                size_of::<u32>() as u32,
                (&raw mut info).cast(),
                len as u32,
                &mut returned,
                null_mut(),
                None,
            )
        };
        (result == 0).then_some(info)
    }

    pub(super) fn unread(stream: &TcpStream) -> Option<u64> {
        let mut bytes = 0;
        // SAFETY: the socket is open as long as `stream` is borrowed; FIONREAD writes one u32.
        let result = unsafe { ioctlsocket(stream.as_raw_socket() as SOCKET, FIONREAD, &mut bytes) };
        (result == 0).then_some(bytes.into())
    }

    pub(super) fn unacknowledged(_: &TcpStream) -> Option<u64> {
        None
    }

    pub(super) fn unsent(_: &TcpStream) -> Option<u64> {
        None
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
mod os {
    use super::{PathSample, TcpStream};

    pub(super) fn sample(_: &TcpStream) -> Option<PathSample> {
        None
    }

    pub(super) fn unread(_: &TcpStream) -> Option<u64> {
        None
    }

    pub(super) fn unacknowledged(_: &TcpStream) -> Option<u64> {
        None
    }

    pub(super) fn unsent(_: &TcpStream) -> Option<u64> {
        None
    }
}
