//! Which addresses are this machine's own. The only module that names getifaddrs.

use std::net::IpAddr;

use tracing::debug;

/// Whether this machine has the address now, on any of its interfaces. What cannot be asked for is not its own.
pub(crate) fn is_own(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || addresses().any(|own| own.to_canonical() == ip)
}

fn addresses() -> impl Iterator<Item = IpAddr> {
    let interfaces = getifaddrs::getifaddrs().inspect_err(|error| debug!(%error, "cannot tell its own addresses"));
    interfaces.into_iter().flatten().filter_map(|interface| interface.address.ip_addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_are_the_addresses_of_its_interfaces_and_nothing_else() {
        assert!(addresses().all(is_own));
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_own(own.parse().expect("an address")), "{own}");
        }
        // TEST-NET-2 and -3, and documentation of IPv6: nobody has these.
        for foreign in ["198.51.100.77", "203.0.113.9", "2001:db8::77", "::ffff:203.0.113.9", "0.0.0.0", "::"] {
            assert!(!is_own(foreign.parse().expect("an address")), "{foreign}");
        }
    }
}
