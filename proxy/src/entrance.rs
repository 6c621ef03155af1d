//! How clients come in, and what tells where each was going: the command line, or, on Linux, the kernel that turned it round.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

/// How clients come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Entrance {
    /// They were told to: all are connected to one target.
    #[default]
    Asked,
    /// A rule of nftables redirects them (destination NAT): each is connected to where it was going.
    Redirected,
    /// TPROXY hands them over: the same, and the server sees the client's address, with another port.
    Transparent,
}

/// Where one client is to be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) server: SocketAddr,
    /// Whose address the server is to see, if not this machine's.
    pub(crate) from: Option<IpAddr>,
}

impl Entrance {
    /// Makes a socket that is to listen ready for it.
    ///
    /// # Errors
    /// Where the system does not allow it: TPROXY takes CAP_NET_ADMIN. On other systems than Linux.
    pub(crate) fn prepare(self, socket: &socket2::Socket, is_v4: bool) -> io::Result<()> {
        match self {
            Entrance::Asked => Ok(()),
            Entrance::Redirected if cfg!(target_os = "linux") => Ok(()),
            Entrance::Redirected => Err(only_linux()),
            Entrance::Transparent => make_transparent(socket, is_v4),
        }
    }

    /// Where this client was going. `None` where the command line says that, and an error where nothing does: it came to the
    /// listener by itself.
    pub(crate) fn way(self, stream: &TcpStream, client: SocketAddr, listener: SocketAddr) -> io::Result<Option<Way>> {
        let (server, from) = match self {
            Entrance::Asked => return Ok(None),
            Entrance::Redirected => (original(stream)?, None),
            Entrance::Transparent => (stream.local_addr()?, Some(client.ip().to_canonical())),
        };
        let server = SocketAddr::new(server.ip().to_canonical(), server.port());
        let came_by_itself =
            server.port() == listener.port() && stream.local_addr()?.ip().to_canonical() == server.ip();
        if came_by_itself {
            return Err(io::Error::other("it came to the listener by itself"));
        }
        Ok(Some(Way { server, from }))
    }

    /// The rules that bring clients of these ports to `listener`, as a script for a shell on Linux.
    pub fn rules(self, ports: &[u16], listener: SocketAddr) -> String {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let (ports, to) = (ports.join(", "), listener.port());
        match self {
            Entrance::Asked => String::new(),
            Entrance::Redirected => format!(
                "# Clients that this machine routes, or is asked by, are turned round to rdpscope.\n\
                 nft delete table inet rdpscope 2>/dev/null || true\n\
                 nft -f - <<'RULES'\n\
                 table inet rdpscope {{\n\
                 \x20 chain prerouting {{\n\
                 \x20   type nat hook prerouting priority dstnat; policy accept;\n\
                 \x20   tcp dport {{ {ports} }} redirect to :{to}\n\
                 \x20 }}\n\
                 }}\n\
                 RULES\n\
                 # Take it back: nft delete table inet rdpscope\n"
            ),
            Entrance::Transparent => format!(
                "# Clients that this machine routes are handed to rdpscope with both addresses as they are. Answers of the\n\
                 # servers come back to it, so they must be routed here, too.\n\
                 nft delete table inet rdpscope 2>/dev/null || true\n\
                 nft -f - <<'RULES'\n\
                 table inet rdpscope {{\n\
                 \x20 chain prerouting {{\n\
                 \x20   type filter hook prerouting priority mangle; policy accept;\n\
                 \x20   meta l4proto tcp socket transparent 1 meta mark set {MARK} accept\n\
                 \x20   tcp dport {{ {ports} }} tproxy to :{to} meta mark set {MARK} accept\n\
                 \x20 }}\n\
                 }}\n\
                 RULES\n\
                 for family in -4 -6; do\n\
                 \x20 ip $family rule del fwmark {MARK} lookup {TABLE} 2>/dev/null || true\n\
                 \x20 ip $family rule add fwmark {MARK} lookup {TABLE}\n\
                 \x20 ip $family route replace local default dev lo table {TABLE}\n\
                 done\n\
                 # Take it back: nft delete table inet rdpscope\n\
                 # for family in -4 -6; do ip $family rule del fwmark {MARK}; ip $family route flush table {TABLE}; done\n"
            ),
        }
    }
}

/// What rules and routes know the packets by.
const MARK: u32 = 3389;
/// The routing table that keeps them here.
const TABLE: u32 = 3389;

/// Lets a socket have addresses that are not this machine's.
///
/// # Errors
/// Where the system does not allow it.
#[cfg(target_os = "linux")]
pub(crate) fn make_transparent(socket: &socket2::Socket, is_v4: bool) -> io::Result<()> {
    let set = if is_v4 { socket.set_ip_transparent_v4(true) } else { socket.set_ip_transparent_v6(true) };
    set.map_err(|error| io::Error::new(error.kind(), format!("{error}: --transparent takes CAP_NET_ADMIN (root)")))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn make_transparent(_: &socket2::Socket, _: bool) -> io::Result<()> {
    Err(only_linux())
}

/// SO_ORIGINAL_DST: where a client was going before destination NAT.
#[cfg(target_os = "linux")]
fn original(stream: &TcpStream) -> io::Result<SocketAddr> {
    let socket = socket2::SockRef::from(stream);
    let is_v4 = stream.local_addr()?.ip().to_canonical().is_ipv4();
    let address = if is_v4 { socket.original_dst_v4() } else { socket.original_dst_v6() }?;
    address.as_socket().ok_or_else(|| io::Error::other("no address"))
}

#[cfg(not(target_os = "linux"))]
fn original(_: &TcpStream) -> io::Result<SocketAddr> {
    Err(only_linux())
}

fn only_linux() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "--redirect and --transparent work on Linux alone")
}
