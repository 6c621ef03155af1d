//! Stories: a script of what a relay sees, and the observations it stands for.
//!
//! A line is `TIME EVENT`; empty lines and what stands behind `#` do not count. What one side sends is seen on its own
//! leg at that time, and on the other leg 0.1 ms later. Events:
//!
//! ```text
//! accept                          a client connects; comes first (0 ms) unless the script has it
//! target NAME | resolving | resolved A,B | resolved error TEXT
//! dial [IP[:PORT]] | opened       comes next (0 ms, 20 ms) unless the script has a `dial` or `resolving`
//! refused | unreachable | timeout | unresolved     how a dial, or the lookup, fails
//! > BYTES | < BYTES               of the client, of the server: hex or a message by name
//! > fin | > rst | < fin | < rst   one side ends
//! front > BYTES                   of the client, and not passed on
//! back nobody timeout             this end's kernel gives up waiting for acknowledgements; front likewise
//! missing < 500 dropped           payload that could not be kept
//! path LEG NAME=NUMBER…           a sample of TCP_INFO
//! sign LEG NAME=VALUE…            what only packets show, as it stands in recordings
//! impair LEG NAME=VALUE…          what is done to the session on purpose, as it stands in recordings
//! session STEP [nla] [turns=N]    sealed records of a session that becomes active, one each STEP
//! typing STEP times=N             sealed records of the client, one each STEP
//! legacy STEP [turns=N]           the same in clear
//! tls VERSION PROTOCOL STEP       from the X.224 request to the end of the TLS handshake; its secrets are known
//! >> BYTES | << BYTES             what stands inside of that TLS: sealed, a record each
//! inside STEP [from=NAME] [until=NAME]   a healthy session in there, message by message
//! gateway                         the server is an RD Gateway, on port 443: its TLS stands around everything
//! intercepted                     the relay stands in TLS, with a certificate of its own authority
//! outer VERSION STEP [sealed]     TLS with the gateway; its secrets are known unless it is sealed
//! >= BYTES | <= BYTES             what stands inside of that: HTTP, then packets of the tunnel
//! way STEP [from=NAME] [until=NAME]   the way up to the channel, message by message; behind it > and < are in the tunnel
//! stop                            the proxy ends
//! paused TIME [asleep TIME]       the proxy did not run for so long, until now
//! stepped forward|back TIME       the clock on the wall is set by so much
//! again                           the same client connects once more
//! ```

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzer::capture::annotation::{PREFIX, decode};
use analyzer::observation::{
    Absence, Ending, Flow, Interception, Lapse, Leg, Means, Observation, Opening, PathSample, Seen, Side,
};
use analyzer::time::Timestamp;
use bytes::Bytes;

use super::sealing::Sealing;
use super::{messages, tunnel};

/// When every script begins: 2026-06-01T00:00:00Z.
pub const EPOCH: u64 = 1_780_272_000_000_000_000;
/// What the relay takes to pass something on.
const ECHO: Duration = Duration::from_micros(100);
/// The name that certificates are judged against.
const NAME: &str = "server.example";
/// Where the server is, unless the script says otherwise.
const SERVER: &str = "192.0.2.10";
const RDP_PORT: u16 = 3389;
const GATEWAY_PORT: u16 = 443;

/// Sealed records of a session after CredSSP, from Connect Initial to the first graphics and input. Their lengths are those
/// of no message, but for Connect Initial's: nothing is told of what comes behind it but by turns.
const SESSION: &[(Side, u32)] = &[
    (Side::Client, 460), // Connect Initial
    (Side::Server, 150),
    (Side::Client, 56), // Erect Domain and Attach User
    (Side::Server, 38),
    (Side::Client, 38), // three channel joins
    (Side::Server, 42),
    (Side::Client, 38),
    (Side::Server, 42),
    (Side::Client, 38),
    (Side::Server, 42),
    (Side::Client, 380), // Client Info
    (Side::Server, 480), // licence, Demand Active
    (Side::Client, 560), // Confirm Active, finalization
    (Side::Server, 190), // finalization
    (Side::Server, 4200),
    (Side::Client, 60),
    (Side::Server, 8300),
    (Side::Client, 60),
];

/// Sealed records of CredSSP with NTLM. Its last one and Connect Initial go out together.
const CREDSSP: &[(Side, u32)] =
    &[(Side::Client, 110), (Side::Server, 260), (Side::Client, 700), (Side::Server, 130), (Side::Client, 220)];

/// PDUs of a session in clear.
const LEGACY: &[(Side, &str)] = &[
    (Side::Client, "connect-initial"),
    (Side::Server, "connect-response"),
    (Side::Client, "attach"),
    (Side::Server, "attach-confirm"),
    (Side::Client, "join"),
    (Side::Server, "join-confirm"),
    (Side::Client, "info"),
    (Side::Server, "licence"),
    (Side::Server, "demand"),
    (Side::Client, "confirm-active"),
    (Side::Server, "finalization"),
    (Side::Server, "graphics"),
    (Side::Client, "input"),
];

/// CredSSP inside of TLS, and what follows it with HYBRID_EX.
const AUTHENTICATION: &[(Side, &str)] = &[
    (Side::Client, "negotiate"),
    (Side::Server, "challenge"),
    (Side::Client, "authenticate"),
    (Side::Server, "public-key"),
    (Side::Client, "credentials"),
    (Side::Server, "authorization"),
];

// Content types of TLS, RFC 8446, 5.1.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// A leg by its name.
fn named(leg: &str) -> Leg {
    if leg == "front" { Leg::Front } else { Leg::Back }
}

/// The observations of each session of a script, in order.
pub fn parse(script: &str) -> Vec<Vec<Observation>> {
    let lines: Vec<(Duration, Vec<&str>)> = script.lines().filter_map(line).collect();
    let again = |(_, words): &(Duration, Vec<&str>)| words[..] == ["again"];
    let begins = lines.iter().filter(|line| again(line)).map(|(at, _)| *at);
    let begins = std::iter::once(Duration::ZERO).chain(begins);
    let sessions = begins.zip(lines.split(again)).enumerate();
    sessions.map(|(number, (began, lines))| Writer::new(number as u32 + 1, began).write(lines)).collect()
}

fn line(line: &str) -> Option<(Duration, Vec<&str>)> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let at = time(words.next()?);
    Some((at, words.collect()))
}

/// `1.5s`, `20ms`, `300us`.
fn time(text: &str) -> Duration {
    let units = [("ms", 1e-3), ("us", 1e-6), ("s", 1.0)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = found.unwrap_or_else(|| panic!("expected a time, found {text:?}"));
    Duration::from_secs_f64(
        number.parse::<f64>().unwrap_or_else(|_| panic!("expected a time, found {text:?}")) * factor,
    )
}

/// Writes down what the relay would have seen of one session.
struct Writer {
    session: u32,
    began: Duration,
    at: Duration,
    observations: Vec<Observation>,
    server: SocketAddr,
    /// A dial or lookup failed, and no other dial followed so far.
    lost: bool,
    /// TLS whose secrets are known, and what was agreed on before it.
    sealing: Option<(Sealing, String)>,
    is_gateway: bool,
    /// TLS with the gateway, and whether what the two sides say is carried in a channel.
    outer: Option<Sealing>,
    carries: bool,
}

impl Writer {
    fn new(session: u32, began: Duration) -> Writer {
        let server = SocketAddr::new(address(SERVER), RDP_PORT);
        let observations = Vec::new();
        let (is_gateway, carries) = (false, false);
        Writer {
            session,
            began,
            at: began,
            observations,
            server,
            lost: false,
            sealing: None,
            is_gateway,
            outer: None,
            carries,
        }
    }

    fn write(mut self, lines: &[(Duration, Vec<&str>)]) -> Vec<Observation> {
        let has = |word: &str| lines.iter().any(|(_, words)| words.first() == Some(&word));
        if has("gateway") {
            self.is_gateway = true;
            self.server.set_port(GATEWAY_PORT);
        }
        if !has("accept") {
            self.accept();
        }
        if !has("target") {
            self.target(NAME);
        }
        if !has("dial") && !has("resolving") {
            self.dial(self.server.ip());
            self.at += Duration::from_millis(20);
            self.see(Leg::Back, Seen::Opened);
        }
        for (at, words) in lines {
            self.at = *at;
            self.event(words);
        }
        if self.lost {
            self.see(Leg::Front, closed(Some(Side::Server), Ending::Reset));
        }
        self.observations.sort_by_key(|observation| observation.at);
        self.observations
    }

    fn event(&mut self, words: &[&str]) {
        match *words {
            ["accept"] => self.accept(),
            ["target", name] => self.target(name),
            ["resolving"] => self.see(Leg::Back, Seen::Opening(Opening::Resolving)),
            ["resolved", "error", ref text @ ..] => self.resolved(Vec::new(), Some(text.join(" "))),
            ["resolved", list] => self.resolved(list.split(',').map(address).collect(), None),
            ["dial"] => self.dial(self.server.ip()),
            ["dial", end] if end.parse::<SocketAddr>().is_ok() => {
                self.server = end.parse().expect("an address with a port");
                self.dial(self.server.ip());
            }
            ["dial", ip] => self.dial(address(ip)),
            ["opened"] => self.see(Leg::Back, Seen::Opened),
            ["refused"] => self.lose(Some(Side::Server), Ending::Refused),
            ["unreachable"] => self.lose(None, Ending::Unreachable),
            ["timeout"] => self.lose(None, Ending::TimedOut),
            ["unresolved"] => self.lose(None, Ending::Unresolved),
            ["back", "nobody", "timeout"] => {
                self.see(Leg::Back, closed(None, Ending::TimedOut));
                self.echo(Leg::Front, closed(Some(Side::Server), Ending::Reset));
            }
            ["front", "nobody", "timeout"] => {
                self.see(Leg::Front, closed(None, Ending::TimedOut));
                self.echo(Leg::Back, closed(Some(Side::Client), Ending::Reset));
            }
            ["front", who @ (">" | "<"), ref what @ ..] if what.len() > 1 => {
                self.see(Leg::Front, Seen::Bytes { from: side(who), data: Bytes::from(messages::bytes(what)) });
            }
            ["front", who, how] => self.see(Leg::Front, closed(Some(side(who)), end(how).expect("an end"))),
            ["back", who, how] => self.see(Leg::Back, closed(Some(side(who)), end(how).expect("an end"))),
            ["missing", who, len, why] => self.missing(side(who), len, why),
            ["path", leg, ref numbers @ ..] => self.path(leg, numbers),
            ["sign", leg, ref values @ ..] => {
                let text = format!("{PREFIX} sign {}", values.join(" "));
                self.see(named(leg), decode(&text).unwrap_or_else(|| panic!("expected a sign, found {text}")));
            }
            ["impair", leg, ref values @ ..] => {
                let text = format!("{PREFIX} impair {}", values.join(" "));
                self.see(named(leg), decode(&text).unwrap_or_else(|| panic!("expected an impairment, found {text}")));
            }
            // The relay itself did not run for so long until now, and the machine slept for some of it.
            ["paused", lasted] => self.see(Leg::Front, stopped(lasted, None)),
            ["paused", lasted, "asleep", asleep] => self.see(Leg::Front, stopped(lasted, Some(time(asleep)))),
            ["stepped", way @ ("forward" | "back"), by] => {
                let lapse = Lapse::Stepped { by: time(by), forward: way == "forward" };
                self.see(Leg::Front, Seen::Lapse(lapse));
            }
            ["session", step, ref options @ ..] => self.sealed(time(step), options),
            ["typing", step, times] => self.typing(time(step), times.strip_prefix("times=").expect("times=N")),
            ["legacy", step, ref options @ ..] => self.legacy(time(step), options),
            ["tls", version, protocol, step] => self.tls(version, protocol, time(step)),
            ["inside", step, ref options @ ..] => self.inside(time(step), options),
            [who @ (">>" | "<<"), ref what @ ..] => self.says_inside(side(&who[1..]), what),
            ["gateway"] => {}
            ["intercepted"] => self.intercepted(),
            ["outer", version, step] => self.outer(version, time(step), false),
            ["outer", version, step, "sealed"] => self.outer(version, time(step), true),
            ["way", step, ref options @ ..] => self.way(time(step), options),
            [who @ (">=" | "<="), ref what @ ..] => self.says_outside(side(&who[..1]), what),
            ["stop"] => {
                self.see(Leg::Front, closed(Some(Side::Server), Ending::Reset));
                self.echo(Leg::Back, closed(Some(Side::Client), Ending::Reset));
            }
            [who @ (">" | "<"), ref what @ ..] => self.says(side(who), what),
            _ => panic!("expected an event, found {words:?}"),
        }
    }

    fn see(&mut self, leg: Leg, seen: Seen) {
        let flow = Flow { session: self.session, leg };
        self.observations.push(Observation { at: Timestamp::at(EPOCH) + self.at, flow, frame: 0, seen });
    }

    fn echo(&mut self, leg: Leg, seen: Seen) {
        self.at += ECHO;
        self.see(leg, seen);
        self.at -= ECHO;
    }

    /// On the leg of the side that sent it, then on the other.
    fn both(&mut self, from: Side, seen: Seen) {
        let (first, second) = match from {
            Side::Client => (Leg::Front, Leg::Back),
            Side::Server => (Leg::Back, Leg::Front),
        };
        self.see(first, seen.clone());
        self.echo(second, seen);
    }

    fn accept(&mut self) {
        let client = SocketAddr::from(([127, 0, 0, 1], 50_000 + self.session as u16));
        let server = SocketAddr::from(([127, 0, 0, 1], 3390));
        self.at = self.at.max(self.began);
        self.see(Leg::Front, Seen::Opening(Opening::Dialing { client, server }));
        self.see(Leg::Front, Seen::Opened);
        if self.is_gateway {
            self.see(Leg::Front, Seen::Opening(Opening::Gateway));
        }
    }

    fn target(&mut self, name: &str) {
        let port = if self.is_gateway { GATEWAY_PORT } else { RDP_PORT };
        self.see(Leg::Back, Seen::Opening(Opening::Target { name: name.into(), port }));
        if self.is_gateway {
            self.see(Leg::Back, Seen::Opening(Opening::Gateway));
        }
    }

    fn resolved(&mut self, addresses: Vec<IpAddr>, error: Option<String>) {
        self.see(Leg::Back, Seen::Opening(Opening::Resolved { addresses, error }));
    }

    fn dial(&mut self, ip: IpAddr) {
        self.lost = false;
        self.server.set_ip(ip);
        let own = if ip.is_ipv4() { address("198.51.100.5") } else { address("2001:db8::5") };
        let client = SocketAddr::new(own, 40_000 + self.session as u16);
        self.see(Leg::Back, Seen::Opening(Opening::Dialing { client, server: self.server }));
    }

    fn lose(&mut self, from: Option<Side>, how: Ending) {
        self.lost = true;
        self.see(Leg::Back, closed(from, how));
    }

    fn says(&mut self, from: Side, what: &[&str]) {
        match *what {
            [how] if end(how).is_some() => {
                self.both(from, closed(Some(from), end(how).expect("an end")));
            }
            _ => self.sends(from, messages::bytes(what)),
        }
    }

    fn missing(&mut self, from: Side, len: &str, why: &str) {
        let why = Absence::ALL.into_iter().find(|known| known.name() == why).expect("why it is missing");
        self.both(from, Seen::Missing { from, len: len.parse().expect("a length"), why });
    }

    fn path(&mut self, leg: &str, numbers: &[&str]) {
        let mut sample = PathSample::default();
        for pair in numbers {
            let (name, number) = pair.split_once('=').expect("NAME=NUMBER");
            assert!(sample.set(name, number.parse().expect("a number")), "no such number: {name}");
        }
        self.see(named(leg), Seen::Path(Box::new(sample)));
    }

    fn sealed(&mut self, step: Duration, options: &[&str]) {
        let credssp = if options.contains(&"nla") { CREDSSP } else { &[] };
        let records: Vec<(Side, u32)> = credssp.iter().chain(SESSION).copied().take(turns(options)).collect();
        for (i, (from, len)) in records.iter().enumerate() {
            let together = i > 0 && records[i - 1].0 == *from;
            self.at += if i == 0 || together { Duration::ZERO } else { step };
            self.says(*from, &["@record", "23", &len.to_string()]);
        }
    }

    fn typing(&mut self, step: Duration, times: &str) {
        for _ in 0..times.parse::<u32>().expect("a number") {
            self.says(Side::Client, &["@record", "23", "60"]);
            self.at += step;
        }
    }

    /// Each flight a step after the one before it.
    fn tls(&mut self, version: &str, protocol: &str, step: Duration) {
        let mut sealing = Sealing::new(version);
        self.says(Side::Client, &["@request", protocol]);
        self.at += step;
        let selected = protocol.rsplit('+').next().unwrap_or(protocol);
        self.says(Side::Server, &["@confirm", selected]);
        self.at += step;
        self.handshake("@keyed-hello", version, &mut sealing, step);
        self.sealing = Some((sealing, selected.to_owned()));
    }

    fn outer(&mut self, version: &str, step: Duration, sealed: bool) {
        let mut sealing = Sealing::new(version);
        self.handshake(if sealed { "@hello" } else { "@keyed-hello" }, version, &mut sealing, step);
        self.outer = Some(sealing);
    }

    fn handshake(&mut self, hello: &str, version: &str, sealing: &mut Sealing, step: Duration) {
        let versions = if version == "1.3" { "1.2,1.3" } else { version };
        self.says(Side::Client, &[hello, versions, "sni=server.example"]);
        self.at += step;
        self.says(Side::Server, &["@server-hello", version]);
        if version == "1.3" {
            self.handshake_13(sealing, step);
        } else {
            self.handshake_12(sealing, step);
        }
    }

    fn handshake_12(&mut self, sealing: &mut Sealing, step: Duration) {
        self.says(Side::Server, &["@certificate", "valid"]);
        self.says(Side::Server, &["@hello-done"]);
        self.at += step;
        self.says(Side::Client, &["@key-exchange"]);
        for from in [Side::Client, Side::Server] {
            let finished = sealing.seal(from, HANDSHAKE, &[&[20, 0, 0, 12][..], &[0xf1; 12]].concat());
            self.sends(from, [&[20, 3, 3, 0, 1, 1][..], &finished].concat());
            self.at += step;
        }
    }

    fn handshake_13(&mut self, sealing: &mut Sealing, step: Duration) {
        let finished = [&[20, 0, 0, 32][..], &[0xf1; 32]].concat();
        let flight = [&messages::certificate_13()[..], &finished].concat();
        let flight = sealing.seal(Side::Server, HANDSHAKE, &flight);
        self.sends(Side::Server, flight);
        sealing.finished(Side::Server);
        self.at += step;
        let flight = sealing.seal(Side::Client, HANDSHAKE, &finished);
        self.sends(Side::Client, flight);
        sealing.finished(Side::Client);
    }

    /// One message in a record of its own; `close` is close_notify.
    fn says_inside(&mut self, from: Side, what: &[&str]) {
        let (sealing, _) = self.sealing.as_mut().expect("`tls` before what stands inside");
        let record = match what {
            ["close"] => sealing.seal(from, ALERT, &[1, 0]),
            ["alert", description] => sealing.seal(from, ALERT, &[2, description.parse().expect("an alert")]),
            _ => sealing.seal(from, APPLICATION_DATA, &messages::bytes(what)),
        };
        self.sends(from, record);
    }

    fn inside(&mut self, step: Duration, options: &[&str]) {
        let option = |name: &str| options.iter().find_map(|option| option.strip_prefix(name));
        let turns = match self.sealing.as_ref().expect("`tls` before `inside`").1.as_str() {
            "HYBRID_EX" => 6,
            "HYBRID" => 5,
            _ => 0,
        };
        let all: Vec<(Side, &str)> = AUTHENTICATION[..turns].iter().chain(LEGACY).copied().collect();
        let place = |name: &str| all.iter().position(|(_, known)| *known == name).expect("a message of a session");
        let first = option("from=").map_or(0, place);
        let last = option("until=").map_or(all.len() - 1, place);
        for (number, (from, name)) in all[first..=last].iter().enumerate() {
            self.at += if number == 0 { Duration::ZERO } else { step };
            match *name {
                "authorization" => self.says_inside(*from, &["@authorization", "0"]),
                name if AUTHENTICATION.iter().any(|(_, known)| *known == name) => {
                    self.says_inside(*from, &["@tsrequest", name]);
                }
                name => self.says_inside(*from, &["@mcs", name]),
            }
        }
    }

    fn way(&mut self, step: Duration, options: &[&str]) {
        let option = |name: &str| options.iter().find_map(|option| option.strip_prefix(name));
        let place =
            |name: &str| tunnel::WAY.iter().position(|(_, known, _)| *known == name).expect("a step of the way");
        let first = option("from=").map_or(0, place);
        let last = option("until=").map_or(tunnel::WAY.len() - 1, place);
        for (number, (from, _, what)) in tunnel::WAY[first..=last].iter().enumerate() {
            self.at += if number == 0 { Duration::ZERO } else { step };
            self.says_outside(*from, what);
        }
    }

    /// In TLS with the gateway, a record of its own; `close` is close_notify.
    fn says_outside(&mut self, from: Side, what: &[&str]) {
        let packet = what[0].strip_prefix('@').and_then(|name| tunnel::packet(from, name, &what[1..]));
        let (kind, text) = match what {
            ["close"] => (ALERT, vec![1, 0]),
            _ => (APPLICATION_DATA, packet.unwrap_or_else(|| messages::bytes(what))),
        };
        let sealing = self.outer.as_mut().expect("`outer` before what stands inside");
        let record = sealing.seal(from, kind, &text);
        self.both(from, Seen::Bytes { from, data: Bytes::from(record) });
        self.carries |= *what == ["@channel", "0"];
    }

    fn intercepted(&mut self) {
        for step in [Interception::Asked(Means::Authority), Interception::Stands, Interception::Unbound] {
            self.see(Leg::Front, Seen::Interception(step));
        }
    }

    fn sends(&mut self, from: Side, data: Vec<u8>) {
        let data = match self.outer.as_mut().filter(|_| self.carries) {
            Some(outer) => outer.seal(from, APPLICATION_DATA, &tunnel::carried(from, &data)),
            None => data,
        };
        self.both(from, Seen::Bytes { from, data: Bytes::from(data) });
    }

    fn legacy(&mut self, step: Duration, options: &[&str]) {
        for (i, (from, name)) in LEGACY.iter().take(turns(options)).enumerate() {
            self.at += if i == 0 { Duration::ZERO } else { step };
            self.says(*from, &["@mcs", name]);
        }
    }
}

fn turns(options: &[&str]) -> usize {
    let turns = options.iter().find_map(|option| option.strip_prefix("turns="));
    turns.map_or(usize::MAX, |turns| turns.parse().expect("a number of turns"))
}

fn stopped(lasted: &str, asleep: Option<Duration>) -> Seen {
    Seen::Lapse(Lapse::Stopped { lasted: time(lasted), asleep })
}

fn closed(from: Option<Side>, how: Ending) -> Seen {
    Seen::Closed { from, how }
}

fn end(word: &str) -> Option<Ending> {
    match word {
        "fin" => Some(Ending::Fin),
        "rst" => Some(Ending::Reset),
        _ => None,
    }
}

fn side(word: &str) -> Side {
    match word {
        ">" => Side::Client,
        "<" => Side::Server,
        other => panic!("expected > or <, found {other:?}"),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("expected an address, found {text:?}"))
}
