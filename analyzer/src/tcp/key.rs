//! What a connection is looked up by.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// The two ends of a connection, in an order that does not depend on who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([(u128, u16); 2]);

impl Key {
    pub fn new(one: SocketAddr, other: SocketAddr) -> Key {
        let (one, other) = (end(one), end(other));
        Key(if one <= other { [one, other] } else { [other, one] })
    }
}

fn end(address: SocketAddr) -> (u128, u16) {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    (ip, address.port())
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (ip, port) in self.0 {
            state.write_u64((ip >> 64) as u64 ^ u64::from(port));
            state.write_u64(ip as u64);
        }
    }
}

/// Hashes quickly and well enough: a table that somebody fills on purpose is bounded all the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix;

#[derive(Debug, Default)]
pub(super) struct Mixer(u64);

impl BuildHasher for Mix {
    type Hasher = Mixer;
    fn build_hasher(&self) -> Mixer {
        Mixer(0x9e37_79b9_7f4a_7c15)
    }
}

impl Hasher for Mixer {
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number).wrapping_mul(0xd6e8_feb8_6659_fd93_a076_1d64_78bd_642f);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
