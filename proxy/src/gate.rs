//! Who may come in: from which networks, and how many at once. The only module that names ipnet.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Who may come in.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    /// Only from these networks, and from this machine; from anywhere where there is none.
    pub allow: Vec<Network>,
    /// So many sessions at once.
    pub most: Option<usize>,
}

/// A network, as CIDR says it (RFC 4632); an address alone is one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// Why a client is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It comes from elsewhere.
    Stranger,
    /// There are so many sessions already.
    Full(usize),
    /// Nothing says where it was going.
    Astray,
    /// It does not send the PROXY header that is expected.
    Headless(Headless),
}

/// Why there is no header where one is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headless {
    /// What comes first is none.
    Other,
    /// It is framed as one, and what stands in it is not valid.
    Invalid,
    /// It did not come in time.
    Late,
    /// The client left before.
    Left,
}

impl fmt::Display for Headless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Headless::Other => "because it sends no PROXY header, which --accept-proxy expects first",
            Headless::Invalid => "because the PROXY header that it sends is not valid (--accept-proxy)",
            Headless::Late => "because its PROXY header was not there after 5 s (--accept-proxy)",
            Headless::Left => "because it left without a PROXY header (--accept-proxy)",
        })
    }
}

impl Gate {
    /// Why this client may not come in while so many sessions go on; nothing where it may.
    pub(crate) fn refuses(&self, client: IpAddr, sessions: usize) -> Option<Refusal> {
        let client = client.to_canonical();
        let is_welcome =
            self.allow.is_empty() || client.is_loopback() || self.allow.iter().any(|net| net.0.contains(&client));
        if !is_welcome {
            return Some(Refusal::Stranger);
        }
        self.most.filter(|most| sessions >= *most).map(Refusal::Full)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        network.map(|network| Network(network.trunc())).map_err(|_| {
            format!("expected a network such as 192.0.2.0/24 or 2001:db8::/32, or an address, found {text}")
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Stranger => f.write_str("from networks that --allow does not name"),
            Refusal::Astray => {
                f.write_str("because it came by itself: only whom a rule brings here was going anywhere")
            }
            Refusal::Headless(why) => why.fmt(f),
            Refusal::Full(most) => write!(f, "because --max-sessions {most} is reached"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(allow: &[&str], most: Option<usize>) -> Gate {
        Gate { allow: allow.iter().map(|net| net.parse().expect("a network")).collect(), most }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn without_a_list_everybody_is_welcome() {
        assert_eq!(gate(&[], None).refuses(address("203.0.113.9"), 1_000_000), None);
    }

    #[test]
    fn with_one_only_those_in_it_and_this_machine() {
        let gate = gate(&["192.0.2.77/24", "2001:db8::/32", "198.51.100.7"], None);
        for welcome in ["192.0.2.1", "::ffff:192.0.2.9", "2001:db8:1::1", "198.51.100.7", "127.0.0.1", "::1"] {
            assert_eq!(gate.refuses(address(welcome), 0), None, "{welcome}");
        }
        for stranger in ["192.0.3.1", "2001:db9::1", "198.51.100.8", "::ffff:10.0.0.1"] {
            assert_eq!(gate.refuses(address(stranger), 0), Some(Refusal::Stranger), "{stranger}");
        }
    }

    #[test]
    fn the_last_place_is_taken_once() {
        let gate = gate(&[], Some(2));
        assert_eq!(gate.refuses(address("192.0.2.1"), 1), None);
        assert_eq!(gate.refuses(address("192.0.2.1"), 2), Some(Refusal::Full(2)));
    }

    #[test]
    fn what_is_no_network_is_told() {
        for wrong in ["", "192.0.2.0/33", "localhost", "192.0.2/24", "10.0.0.0/8,10.0.0.1"] {
            let error = wrong.parse::<Network>().expect_err(wrong);
            assert!(error.contains("expected a network"), "{error}");
        }
    }
}
