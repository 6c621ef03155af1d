//! Addresses and ports, and what stands for them. What an address says by its kind stays: loopback, private, link-local.
//! Public ones become addresses that are set aside for documentation and tests, so that nobody else's is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Ports that say what is meant: RDP's, and what it has for UDP by a gateway.
const MEANT: [u16; 2] = [3389, 3391];
/// Others, unless they are well known, count up from here.
const FIRST_PORT: u16 = 50_000;

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: BTreeMap<IpAddr, IpAddr>,
    taken: BTreeSet<IpAddr>,
    ports: BTreeMap<u16, u16>,
}

impl Addresses {
    /// How many addresses and how many ports were replaced.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.known.len(), self.ports.len())
    }

    /// The address that stands for this one.
    pub(super) fn of(&mut self, address: IpAddr) -> IpAddr {
        if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
            return address;
        }
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let other = match address {
            IpAddr::V4(v4) => self.free_v4(v4),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => match self.of(v4.into()) {
                    IpAddr::V4(other) => other.to_ipv6_mapped().into(),
                    IpAddr::V6(other) => other.into(),
                },
                None => self.free_v6(v6),
            },
        };
        self.known.insert(address, other);
        self.taken.insert(other);
        other
    }

    /// The end that stands for this one.
    pub(super) fn end(&mut self, end: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.of(end.ip()), self.port(end.port()))
    }

    /// The port that stands for this one.
    pub(super) fn port(&mut self, port: u16) -> u16 {
        if port < 1024 || MEANT.contains(&port) {
            return port;
        }
        let next = FIRST_PORT.wrapping_add(self.ports.len() as u16).max(1024);
        *self.ports.entry(port).or_insert(next)
    }

    /// The first one of its kind that is free and as long as text, or else the first free one: so that each gets itself
    /// where all of this is done once more.
    fn free_v4(&self, address: Ipv4Addr) -> IpAddr {
        let len = address.to_string().len();
        let free = |one: &Ipv4Addr| !self.taken.contains(&IpAddr::V4(*one));
        let fitting = nets(address).iter().flat_map(hosts).filter(free).find(|one| one.to_string().len() == len);
        let any = || nets(address).iter().flat_map(hosts).find(free);
        fitting.or_else(any).unwrap_or(Ipv4Addr::new(198, 18, 0, 0)).into()
    }

    fn free_v6(&self, address: Ipv6Addr) -> IpAddr {
        let [first, ..] = address.segments();
        let net = match first {
            0xfe80..=0xfebf => 0xfe80_u128 << 112,
            0xfc00..=0xfdff => 0xfd00_u128 << 112,
            _ => 0x2001_0db8_u128 << 96,
        };
        let one = |host: u128| IpAddr::V6(Ipv6Addr::from(net | host));
        // INVARIANT: fewer are taken than are tried.
        (1..=self.taken.len() as u128 + 1).map(one).find(|one| !self.taken.contains(one)).unwrap_or(one(0))
    }
}

/// A network of 65,536 addresses or fewer: its first address, and how many it has.
type Net = ([u8; 4], u32);

/// Where the stand-ins of an address come from.
fn nets(address: Ipv4Addr) -> &'static [Net] {
    match address.octets() {
        [10, ..] => &[([10, 0, 0, 0], 65_536), ([10, 10, 0, 0], 65_536), ([10, 100, 0, 0], 65_536)],
        [172, 16..=31, ..] => &[([172, 16, 0, 0], 65_536)],
        [192, 168, ..] => &[([192, 168, 0, 0], 65_536)],
        [169, 254, ..] => &[([169, 254, 0, 0], 65_536)],
        // RFC 6598: what carriers have before their NAT.
        [100, 64..=127, ..] => &[([100, 64, 0, 0], 65_536)],
        // RFC 5737, and RFC 2544 for more.
        _ => &[([192, 0, 2, 0], 256), ([203, 0, 113, 0], 256), ([198, 51, 100, 0], 256), ([198, 18, 0, 0], 65_536)],
    }
}

fn hosts(net: &Net) -> impl Iterator<Item = Ipv4Addr> + use<> {
    let (first, len) = (u32::from_be_bytes(net.0), net.1);
    (1..len - 1).map(move |host| Ipv4Addr::from(first + host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stay() {
        let mut addresses = Addresses::default();
        let mut check = |address: &str, other: &str| {
            assert_eq!(addresses.of(address.parse().expect("an address")).to_string(), other, "{address}");
        };
        check("127.0.0.1", "127.0.0.1");
        check("10.1.2.3", "10.0.0.1");
        check("10.1.2.3", "10.0.0.1");
        check("192.168.7.9", "192.168.0.1");
        check("172.20.1.1", "172.16.0.1");
        check("40.113.200.201", "198.51.100.100");
        check("::1", "::1");
        check("fe80::1234", "fe80::1");
        check("fd12::1", "fd00::1");
        check("2a00:1450::1", "2001:db8::1");
        check("::ffff:10.1.2.3", "::ffff:10.0.0.1");
    }

    #[test]
    fn ports_that_mean_something_stay() {
        let mut addresses = Addresses::default();
        assert_eq!(
            [443, 3389, 40_000, 13_389, 40_000].map(|port| addresses.port(port)),
            [443, 3389, 50_000, 50_001, 50_000]
        );
    }
}
