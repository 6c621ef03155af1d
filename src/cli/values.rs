//! What is written behind a flag: names with ports, sizes, times.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// The port of Remote Desktop.
const RDP_PORT: u16 = 3389;
/// The port of an RD Gateway: that of HTTPS.
const GATEWAY_PORT: u16 = 443;

/// A name or address with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As it was written, without brackets.
    pub name: String,
    /// The port, where one was written.
    pub port: Option<u16>,
}

impl Target {
    /// The port, or the usual one: of an RDP server, or of a gateway.
    pub fn port_or_usual(&self, gateway: bool) -> u16 {
        self.port.unwrap_or(if gateway { GATEWAY_PORT } else { RDP_PORT })
    }

    /// The address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }
}

/// Where a command writes what it would print.
#[derive(Debug, Clone, Default, Args)]
pub struct Output {
    /// Write there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
}

pub fn target(text: &str) -> Result<Target, String> {
    let without_port = text.parse::<Ipv6Addr>().is_ok() || text.starts_with('[') && text.ends_with(']');
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !without_port => (name, Some(port)),
        _ => (text, None),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0));
    if port == Some(None) {
        return Err("expected a port between 1 and 65535 behind the colon".into());
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() || name.contains(char::is_whitespace) || name.contains('/') {
        return Err("expected a host name or an address, such as server.example.com or [2001:db8::1]:3389".into());
    }
    Ok(Target { name: name.to_owned(), port: port.flatten() })
}

/// How many times faster than it was.
pub fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.001..=1e6).contains(speed));
    speed.ok_or_else(|| "expected a number from 0.001 to 1000000".to_owned())
}

/// A number of bytes with its unit.
pub fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
    ];
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number > 0);
    unit.and_then(|(text, bytes)| number(text)?.checked_mul(*bytes))
        .ok_or_else(|| "expected a size such as 100MB or 1GiB (kB, MB, GB, TB, KiB, MiB, GiB)".into())
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3600.0);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds, up to 3600".into())
}

/// A length of time with its unit; a bare number counts seconds.
pub fn moment(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("expected a unit of ms, s, m or h, found {unit:?}")),
    };
    let length = number.parse::<f64>().ok().map(|number| number * seconds);
    let length = length.filter(|length| (0.0..=1e6).contains(length));
    length.map(Duration::from_secs_f64).ok_or_else(|| "expected a length of time, such as 3.5s, 250ms or 2m".into())
}

/// The same, from a millisecond on.
pub fn interval(text: &str) -> Result<Duration, String> {
    let length = moment(text)?;
    if length < Duration::from_millis(1) { Err("expected a millisecond or more".into()) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let check = |text: &str, name: &str, port: Option<u16>| {
            assert_eq!(target(text), Ok(Target { name: name.into(), port }), "{text}");
        };
        check("server", "server", None);
        check("server:3390", "server", Some(3390));
        check("10.0.0.1:1", "10.0.0.1", Some(1));
        check("2001:db8::1", "2001:db8::1", None);
        check("[2001:db8::1]", "2001:db8::1", None);
        check("[2001:db8::1]:3389", "2001:db8::1", Some(3389));
        for wrong in ["", ":3389", "server:", "server:0", "server:65536", "a b", "http://server"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("100MB"), Ok(100_000_000));
        assert_eq!(size("3 GiB"), Ok(3 << 30));
        for wrong in ["", "100", "0MB", "-1MB", "1.5GB", "MB", "100mb", "99999999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        let check = |text: &str, ms: u64| assert_eq!(moment(text), Ok(Duration::from_millis(ms)), "{text}");
        check("3.5s", 3500);
        check("250ms", 250);
        check("2m", 120_000);
        check("0", 0);
        for wrong in ["", "s", "-1s", "1d", "1s2", "nan", "1e9"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
