//! What packets cannot express, as one line of text: the comments of a recording, written and read here so that
//! reading stays the inverse of writing.
//!
//! An annotation looks like `rdpscope: path rtt_us=180 state=1`: a word, then `name=value` pairs whose values have
//! spaces, `%`, `=`, `,` and control characters percent-encoded. It stands in the comment of an Interface Statistics
//! Block, which other readers do not number as a frame. Comments for people never start with `rdpscope:`.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::observation::{
    Absence, Ending, Impairment, Interception, Lapse, Leg, Opening, PathSample, Seen, Side, Sign,
};
use crate::shown;

/// How every annotation starts.
pub const PREFIX: &str = "rdpscope:";

/// The annotation that ends a recording which was closed in order.
pub const END: &str = "rdpscope: end";

/// How the comment of a recording's section header starts.
pub const SECTION_PREFIX: &str = "rdpscope recording 1";

/// The line that it has where the relay stands before an RD Gateway.
const BEFORE_GATEWAY: &str = "before an RD Gateway";

/// What it says where the recording is redacted.
const REDACTED: &str =
    "\nredacted: names are replaced, what was sealed is blank, and blank ends of packets are left off";

/// What a recording says of itself in its section header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Version of the program that wrote it.
    pub version: String,
    /// Its command line, without secrets.
    pub command: String,
    /// The host it ran on.
    pub host: String,
    /// Whether it was made fit for others to see. Then what is blank at the end of a packet is left off, and read as zeros.
    pub redacted: bool,
    /// Which part of the recording this is, from 1. 0 is as good as 1: most recordings have one alone.
    pub part: u32,
    /// Whether the relay stands before an RD Gateway.
    pub gateway: bool,
}

impl Section {
    /// The comment of the section header.
    pub fn encode(&self) -> String {
        let Section { version, command, host, redacted, part, gateway } = self;
        let part = if *part > 1 { format!("\npart {part}") } else { String::new() };
        let redacted = if *redacted { REDACTED } else { "" };
        let gateway = if *gateway { format!("\n{BEFORE_GATEWAY}") } else { String::new() };
        format!(
            "{SECTION_PREFIX}\nreconstructed from a relay: SYN, ACK and segment boundaries are made up from what the \
             sockets said; times are those of the relay's reads and writes\nversion {version}\ncommand {command}\n\
             host {host}{part}{gateway}{redacted}"
        )
    }

    /// Reads the comment back; `None` where it is not one of ours.
    pub fn decode(comment: &str) -> Option<Section> {
        if !comment.starts_with(SECTION_PREFIX) {
            return None;
        }
        let field = |name: &str| {
            let found = comment.lines().find_map(|line| line.strip_prefix(name));
            found.map(|value| value.trim().to_owned()).unwrap_or_default()
        };
        // mergecap puts a line of its own behind it.
        let redacted = comment.contains(REDACTED);
        let part = field("part ").parse().unwrap_or_default();
        let gateway = comment.lines().any(|line| line.trim_end() == BEFORE_GATEWAY);
        let (version, command, host) = (field("version "), field("command "), field("host "));
        Some(Section { version, command, host, redacted, part, gateway })
    }
}

/// The name of the interface on which a leg of a connection is stored: "front", "back", of the second connection
/// "front 2", "back 2", and so on. `connection` counts from 0.
pub fn interface(leg: Leg, connection: u32) -> String {
    match connection {
        0 => leg.name().to_owned(),
        more => format!("{leg} {}", u64::from(more) + 1),
    }
}

/// Reads such a name back: the leg, and which connection, from 0. Other names are of the first connection, and of no leg.
pub fn of_interface(name: Option<&str>) -> (Leg, u32) {
    let (leg, number) = name.map_or(("", None), |name| match name.split_once(' ') {
        Some((leg, number)) => (leg, Some(number)),
        None => (name, None),
    });
    let leg = [Leg::Front, Leg::Back].into_iter().find(|one| one.name() == leg);
    let connection = number.map_or(Some(0), |number| number.parse::<u32>().ok()?.checked_sub(1));
    leg.zip(connection).unwrap_or((Leg::Only, 0))
}

/// The annotation for `seen`, or `None` where a packet expresses it.
pub fn encode(seen: &Seen) -> Option<String> {
    let mut text = String::from(PREFIX);
    match seen {
        Seen::Opening(Opening::Target { name, port }) => {
            word(&mut text, "target");
            pair(&mut text, "name", name);
            pair(&mut text, "port", port);
        }
        Seen::Opening(Opening::Gateway) => word(&mut text, "gateway"),
        Seen::Opening(Opening::Named { by }) => {
            word(&mut text, "named");
            pair(&mut text, "by", by);
        }
        Seen::Opening(Opening::Naming) => word(&mut text, "naming"),
        Seen::Opening(Opening::Resolving) => word(&mut text, "resolving"),
        Seen::Opening(Opening::Resolved { addresses, error }) => {
            word(&mut text, "resolved");
            for address in addresses {
                pair(&mut text, "address", address);
            }
            if let Some(error) = error {
                pair(&mut text, "error", error);
            }
        }
        Seen::Missing { from, len, why } if *why != Absence::Mirrored => {
            word(&mut text, "missing");
            pair(&mut text, "from", from);
            pair(&mut text, "len", len);
            pair(&mut text, "why", why.name());
        }
        Seen::Path(sample) => {
            word(&mut text, "path");
            for (name, number) in sample.numbers() {
                pair(&mut text, name, number);
            }
        }
        Seen::Sign(sign) => {
            word(&mut text, "sign");
            pair(&mut text, "kind", sign.name());
            for (name, value) in sign.fields() {
                pair(&mut text, name, value);
            }
        }
        Seen::Interception(step) => {
            word(&mut text, "intercept");
            pair(&mut text, "step", step.name());
            for (name, value) in step.fields() {
                pair(&mut text, name, value);
            }
        }
        Seen::Impairment(impairment) => {
            word(&mut text, "impair");
            for (name, value) in impairment.fields() {
                pair(&mut text, name, value);
            }
        }
        Seen::Lapse(lapse) => {
            word(&mut text, "lapse");
            pair(&mut text, "kind", lapse.name());
            for (name, value) in lapse.fields() {
                pair(&mut text, name, value);
            }
        }
        Seen::Closed { from, how } if !by_packet(*from, *how) => {
            word(&mut text, "closed");
            if let Some(from) = from {
                pair(&mut text, "from", from);
            }
            pair(&mut text, "how", how.name());
        }
        Seen::Opening(Opening::Joined { client, server }) => {
            word(&mut text, "joined");
            pair(&mut text, "client", client);
            pair(&mut text, "server", server);
        }
        Seen::Opening(Opening::Dialing { .. })
        | Seen::Opened
        | Seen::Bytes { .. }
        | Seen::Missing { .. }
        // It has a block of its own.
        | Seen::Secret(_)
        | Seen::Closed { .. } => return None,
    }
    Some(text)
}

/// Whether a packet can say how this ended: a FIN or an RST has a sender.
pub fn by_packet(from: Option<Side>, how: Ending) -> bool {
    match how {
        Ending::Fin | Ending::Reset => from.is_some(),
        Ending::Refused => from == Some(Side::Server),
        Ending::Unreachable | Ending::TimedOut | Ending::Unresolved | Ending::Cut => false,
    }
}

/// Reads an annotation back. `None` where the text is not one, or not one that this version knows.
pub fn decode(text: &str) -> Option<Seen> {
    let mut words = text.strip_prefix(PREFIX)?.split_ascii_whitespace();
    let word = words.next()?;
    let pairs = Pairs(words.filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n, unescape(v))).collect());
    match word {
        "target" => {
            Some(Seen::Opening(Opening::Target { name: pairs.text("name")?, port: pairs.text("port")?.parse().ok()? }))
        }
        "gateway" => Some(Seen::Opening(Opening::Gateway)),
        "named" => Some(Seen::Opening(Opening::Named { by: pairs.text("by")?.parse().ok()? })),
        "naming" => Some(Seen::Opening(Opening::Naming)),
        "resolving" => Some(Seen::Opening(Opening::Resolving)),
        "resolved" => {
            let addresses: Vec<IpAddr> = pairs.all("address").filter_map(|a| a.parse().ok()).collect();
            Some(Seen::Opening(Opening::Resolved { addresses, error: pairs.text("error") }))
        }
        "joined" => Some(Seen::Opening(Opening::Joined {
            client: pairs.text("client")?.parse().ok()?,
            server: pairs.text("server")?.parse().ok()?,
        })),
        "missing" => Some(Seen::Missing {
            from: pairs.side("from")?,
            len: pairs.text("len")?.parse().ok()?,
            why: Absence::ALL.into_iter().find(|why| Some(why.name()) == pairs.text("why").as_deref())?,
        }),
        "path" => {
            let mut sample = PathSample::default();
            for (name, value) in &pairs.0 {
                // A number that a later version added is skipped, not an error.
                let _known = value.parse().is_ok_and(|number| sample.set(name, number));
            }
            Some(Seen::Path(Box::new(sample)))
        }
        "sign" => Sign::read(&pairs.text("kind")?, &|name| pairs.text(name)).map(Seen::Sign),
        "intercept" => Interception::read(&pairs.text("step")?, &|name| pairs.text(name)).map(Seen::Interception),
        "impair" => Impairment::read(&|name| pairs.text(name)).map(Seen::Impairment),
        "lapse" => Lapse::read(&pairs.text("kind")?, &|name| pairs.text(name)).map(Seen::Lapse),
        "closed" => Some(Seen::Closed {
            from: pairs.side("from"),
            how: Ending::ALL.into_iter().find(|how| Some(how.name()) == pairs.text("how").as_deref())?,
        }),
        _ => None,
    }
}

struct Pairs<'a>(Vec<(&'a str, String)>);

impl Pairs<'_> {
    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.all(name).next().map(str::to_owned)
    }

    fn side(&self, name: &str) -> Option<Side> {
        let value = self.text(name)?;
        [Side::Client, Side::Server].into_iter().find(|side| side.name() == value)
    }
}

fn word(text: &mut String, word: &str) {
    text.push(' ');
    text.push_str(word);
}

fn pair(text: &mut String, name: &str, value: impl ToString) {
    let _infallible = write!(text, " {name}={}", escape(&value.to_string()));
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if shown::is_hidden(c) || c.is_whitespace() || matches!(c, '%' | '=' | ',') {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                let _infallible = write!(escaped, "%{byte:02x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = coded.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observation::{Deed, Means, Step};

    fn round_trip(seen: Seen) {
        let text = encode(&seen).expect("an annotation");
        assert_eq!(decode(&text).as_ref(), Some(&seen), "{text}");
    }

    #[test]
    fn reading_is_the_inverse_of_writing() {
        round_trip(Seen::Opening(Opening::Target { name: "a name=50% é\n, ok".into(), port: 3389 }));
        round_trip(Seen::Opening(Opening::Gateway));
        round_trip(Seen::Opening(Opening::Named { by: "[2001:db8::1]:50000".parse().expect("an address") }));
        round_trip(Seen::Opening(Opening::Naming));
        round_trip(Seen::Opening(Opening::Resolving));
        round_trip(Seen::Opening(Opening::Resolved {
            addresses: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            error: None,
        }));
        round_trip(Seen::Opening(Opening::Resolved { addresses: vec![], error: Some("no such name".into()) }));
        round_trip(Seen::Missing { from: Side::Server, len: 1 << 40, why: Absence::Dropped });
        round_trip(Seen::Path(Box::new(PathSample { rtt_us: Some(180), state: Some(1), ..Default::default() })));
        round_trip(Seen::Closed { from: None, how: Ending::TimedOut });
        round_trip(Seen::Interception(Interception::Asked(Means::Authority)));
        round_trip(Seen::Interception(Interception::Stands));
        round_trip(Seen::Interception(Interception::Redialed { why: "alert 40, of course".into() }));
        round_trip(Seen::Interception(Interception::Upstream { trusted: Some(false), says: "self-signed".into() }));
        round_trip(Seen::Interception(Interception::Upstream { trusted: None, says: "no store".into() }));
        round_trip(Seen::Interception(Interception::Broke { why: "a record's tag is wrong".into() }));
        round_trip(Seen::Interception(Interception::OtherKey));
        round_trip(Seen::Interception(Interception::Unbound));
        round_trip(Seen::Closed { from: Some(Side::Client), how: Ending::Unreachable });
        lapses().into_iter().for_each(|lapse| round_trip(Seen::Lapse(lapse)));
        impairments().into_iter().for_each(|impairment| round_trip(Seen::Impairment(impairment)));
    }

    fn lapses() -> [Lapse; 4] {
        let (lasted, asleep) = (Duration::from_nanos(6_000_000_001), Some(Duration::from_secs(u32::MAX.into())));
        [
            Lapse::Stopped { lasted, asleep: None },
            Lapse::Stopped { lasted, asleep },
            Lapse::Stepped { by: lasted, forward: true },
            Lapse::Stepped { by: Duration::ZERO, forward: false },
        ]
    }

    fn impairments() -> [Impairment; 5] {
        let (delay, jitter) = (Duration::from_millis(150), Duration::from_micros(20_500));
        let of = |step, deed, from, seed| Impairment { asked: format!("at 1.5s: {deed}"), step, deed, from, seed };
        [
            of(Step::Begins, Deed::Latency { delay, jitter }, None, Some(u64::MAX)),
            of(Step::Over, Deed::Bandwidth { bytes_per_second: 125_000 }, Some(Side::Server), None),
            of(Step::Begins, Deed::Stall, Some(Side::Client), None),
            of(Step::Begins, Deed::Close { by: Side::Client }, None, None),
            of(Step::Begins, Deed::Reset { by: Side::Server }, None, None),
        ]
    }

    #[test]
    fn interfaces_are_named_and_told_apart() {
        for (leg, connection, name) in
            [(Leg::Front, 0, "front"), (Leg::Back, 0, "back"), (Leg::Front, 1, "front 2"), (Leg::Back, 9, "back 10")]
        {
            assert_eq!(interface(leg, connection), name);
            assert_eq!(of_interface(Some(name)), (leg, connection));
        }
        assert_eq!(of_interface(Some(&interface(Leg::Front, u32::MAX - 1))), (Leg::Front, u32::MAX - 1));
        for other in [None, Some(""), Some("eth0"), Some("front x"), Some("back 0"), Some("front 99999999999")] {
            assert_eq!(of_interface(other), (Leg::Only, 0), "{other:?}");
        }
    }

    #[test]
    fn what_a_packet_says_needs_no_annotation() {
        assert_eq!(encode(&Seen::Opened), None);
        assert_eq!(encode(&Seen::Closed { from: Some(Side::Server), how: Ending::Refused }), None);
        assert_eq!(encode(&Seen::Missing { from: Side::Client, len: 9, why: Absence::Mirrored }), None);
    }

    #[test]
    fn rubbish_is_not_an_annotation() {
        for text in ["", "rdpscope:", "rdpscope: closed", "rdpscope: closed how=x", "rdpscope: target port=x", "% %%"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
