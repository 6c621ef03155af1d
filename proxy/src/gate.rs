//! Who may come in: from which networks, and how many at once. The only module that names ipnet.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::own::is_own;

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
    /// What this proxy connects to leads back to it: this is the ring's own connection.
    Ring,
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
            self.allow.is_empty() || self.allow.iter().any(|net| net.0.contains(&client)) || is_own(client);
        if !is_welcome {
            return Some(Refusal::Stranger);
        }
        self.most.filter(|most| sessions >= *most).map(Refusal::Full)
    }
}

/// In CIDR an address of IPv4 that stands in one of IPv6 has its prefix behind so many bits (RFC 4291, 2.5.5.2).
const MAPPED: u8 = 96;

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let bare = text.trim().trim_matches(['[', ']']);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let network = Network(IpNet::from(address.to_canonical()));
            return if bare == text { Ok(network) } else { Err(meant(text, &[network.to_string()])) };
        }
        let Some((address, prefix)) = bare.rsplit_once('/').and_then(|(address, prefix)| {
            Some((address.trim().trim_matches(['[', ']']).parse::<IpAddr>().ok()?, prefix.trim()))
        }) else {
            return Err(meant(text, &[]));
        };
        let Some(len) = length(address, prefix) else { return Err(meant(text, &[])) };
        let canonical = address.to_canonical();
        let len = match (address, canonical) {
            (IpAddr::V6(_), IpAddr::V4(_)) if len < MAPPED => {
                // Of what is wider than all of IPv4 it was hardly thought, but of a prefix of IPv4.
                let meant_v4 = (len <= 32).then(|| Network(net(canonical, len).trunc()).to_string());
                return Err(meant(text, &meant_v4.into_iter().collect::<Vec<_>>()));
            }
            (IpAddr::V6(_), IpAddr::V4(_)) => len - MAPPED,
            _ => len,
        };
        let network = net(canonical, len);
        if network.addr() != network.network() {
            let (whole, alone) = (network.trunc().to_string(), net(canonical, network.max_prefix_len()).to_string());
            return Err(meant(text, &[whole, alone]));
        }
        let as_asked = text.parse::<IpNet>().is_ok_and(|asked| asked.prefix_len().to_string() == prefix);
        if as_asked { Ok(Network(network)) } else { Err(meant(text, &[network.to_string()])) }
    }
}

/// The length of a prefix, or of a mask that is written like an address: "24", "255.255.255.0".
fn length(address: IpAddr, prefix: &str) -> Option<u8> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let len = if is_number {
        prefix.parse().ok()
    } else {
        prefix.parse::<IpAddr>().ok().and_then(|mask| ipnet::ip_mask_to_prefix(mask).ok())
    };
    len.filter(|len| *len <= most)
}

/// INVARIANT: the prefix is no longer than the address.
fn net(address: IpAddr, prefix: u8) -> IpNet {
    IpNet::new(address, prefix).unwrap_or(IpNet::from(address))
}

/// What is no network in its one right form, and what it may have been meant for.
fn meant(text: &str, forms: &[String]) -> String {
    if forms.is_empty() {
        return format!("expected a network such as 192.0.2.0/24 or 2001:db8::/32, or an address, found {text}");
    }
    format!("expected a network, found {text}: did you mean {}?", forms.join(" or "))
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
            Refusal::Ring => f.write_str(
                "because the target leads back to this proxy: each connection that it makes there comes back as another \
                 one (PRX-LOOP)",
            ),
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
        let gate = gate(&["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"], None);
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
    fn mapped_addresses_are_those_of_ipv4() {
        for (network, inside, outside) in [
            ("::ffff:0:0/96", "203.0.113.9", "2001:db9::1"),
            ("::ffff:192.0.2.0/120", "192.0.2.255", "192.0.3.0"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::ffff:192.0.2.7/128", "::ffff:192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "::ffff:203.0.113.9", "2001:db9::1"),
            ("::/0", "2001:db9::1", "203.0.113.9"),
        ] {
            let gate = gate(&[network], None);
            assert_eq!(gate.refuses(address(inside), 0), None, "{network}");
            assert_eq!(gate.refuses(address(outside), 0), Some(Refusal::Stranger), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        let wrong = [
            "",
            "/",
            "192.0.2.0/33",
            "2001:db8::/129",
            "localhost",
            "192.0.2/24",
            "10.0.0.0/8,10.0.0.1",
            "10.0.0.0/",
            "/8",
            "10.0.0.0/-8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.255.0",
            "fe80::1%eth0",
            "10.*",
            "any",
            "10.0.0.0/99999999",
        ];
        for wrong in wrong {
            let error = wrong.parse::<Network>().expect_err(wrong);
            assert!(error.starts_with("expected a network such as 192.0.2.0/24"), "{error}");
            assert!(error.ends_with(&format!("found {wrong}")), "{error}");
        }
    }

    #[test]
    fn an_odd_network_is_refused_with_the_form_that_is_meant() {
        for (odd, meant) in [
            ("10.9.9.9/24", "10.9.9.0/24 or 10.9.9.9/32"),
            ("10.0.0.0/08", "10.0.0.0/8"),
            ("10.0.0.0/+8", ""),
            ("10.0.0.1/0", "0.0.0.0/0 or 10.0.0.1/32"),
            ("2001:db8::1/32", "2001:db8::/32 or 2001:db8::1/128"),
            ("2001:db8::/032", "2001:db8::/32"),
            ("[2001:db8::]/32", "2001:db8::/32"),
            ("[2001:db8::1]", "2001:db8::1/128"),
            ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
            ("10.1.0.0/255.0.0.0", "10.0.0.0/8 or 10.1.0.0/32"),
            ("::ffff:10.9.9.0/24", "10.9.9.0/24"),
            ("::ffff:10.9.9.9/24", "10.9.9.0/24"),
            ("::ffff:10.9.9.9/120", "10.9.9.0/24 or 10.9.9.9/32"),
            ("::ffff:10.9.9.9/0", "0.0.0.0/0"),
            ("::ffff:10.9.9.9/64", ""),
            (" 10.0.0.0/8", "10.0.0.0/8"),
            ("10.0.0.0 / 8", "10.0.0.0/8"),
            ("10.0.0.1 ", "10.0.0.1/32"),
        ] {
            let error = odd.parse::<Network>().expect_err(odd);
            match meant {
                "" => assert!(error.starts_with("expected a network such as"), "{error}"),
                meant => assert!(error.ends_with(&format!("found {odd}: did you mean {meant}?")), "{odd}: {error}"),
            }
        }
    }

    #[test]
    fn what_is_meant_is_taken() {
        for right in
            ["10.9.9.0/24", "10.9.9.9/32", "10.9.9.9", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0", "::ffff:0:0/96"]
        {
            let network: Network = right.parse().expect(right);
            let again: Network = network.to_string().parse().expect(right);
            assert_eq!(network, again);
        }
    }
}
