//! Makes what was seen fit for others to see: observations in, the same number of observations out, at the same times, of the
//! same lengths. What is sealed is blanked, names and addresses are replaced, secrets are left out.
//!
//! It takes two passes: what a side says at its beginning is changed as a whole, and a name may be said before it is known to
//! be one. First every observation is learned ([`Learner::learn`]), then every one is changed ([`Redactor::change`]). Blank is
//! zero: a recording that says of itself that it is redacted leaves off the zeros at the end of each packet.

mod addresses;
mod certificate;
pub mod fields;
mod headers;
mod http;
mod names;
mod rdp;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::observation::{Absence, Flow, Interception, Observation, Opening, Seen, Side};
use names::Names;

/// What a side says at its beginning is changed as a whole, up to so many bytes.
const MAX_BEGINNING: usize = 1 << 16;

/// A side of one connection. A relay that stands inside TLS may dial twice on a leg: each time is one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Speaker {
    flow: Flow,
    dialed: u32,
    from: usize,
}

/// What was changed, and how much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Words of names that were replaced.
    pub words: usize,
    /// Addresses that were replaced.
    pub addresses: usize,
    /// Ports that were replaced.
    pub ports: usize,
    /// Certificates whose names, numbers and keys were replaced.
    pub certificates: usize,
    /// Bytes of payload that were blanked.
    pub blanked: u64,
    /// Key-log entries that were left out.
    pub secrets: u64,
}

/// The first pass.
#[derive(Debug, Default)]
pub struct Learner {
    names: Names,
    dialed: BTreeMap<Flow, u32>,
    gateways: Vec<Flow>,
    beginnings: BTreeMap<Speaker, Beginning>,
    /// In the order in which they spoke, so that names are met in the same order next time.
    order: Vec<Speaker>,
}

#[derive(Debug, Default)]
struct Beginning {
    data: Vec<u8>,
    /// Whether what follows is not of it.
    over: bool,
}

impl Learner {
    /// Takes one observation, in the order of the recording.
    pub fn learn(&mut self, observation: &Observation) {
        let flow = observation.flow;
        match &observation.seen {
            Seen::Opening(opening) => self.opening(flow, opening),
            Seen::Bytes { from, data } => self.bytes(flow, *from, data),
            Seen::Missing { from, why, .. } => {
                if *why != Absence::Discarded {
                    self.beginning(flow, *from).over = true;
                }
            }
            Seen::Interception(Interception::Redialed { .. }) => *self.dialed.entry(flow).or_default() += 1,
            Seen::Opened
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Secret(_)
            | Seen::Closed { .. } => {}
        }
    }

    fn opening(&mut self, flow: Flow, opening: &Opening) {
        match opening {
            Opening::Gateway => self.gateways.push(flow),
            Opening::Target { .. } | Opening::Resolving | Opening::Resolved { .. } => {}
            Opening::Named { .. } | Opening::Naming => {}
            Opening::Dialing { .. } | Opening::Joined { .. } => {}
        }
        // For the names and addresses alone.
        replaced(opening.clone(), &mut self.names);
    }

    fn bytes(&mut self, flow: Flow, from: Side, data: &[u8]) {
        let beginning = self.beginning(flow, from);
        let room = MAX_BEGINNING - beginning.data.len();
        if !beginning.over {
            beginning.data.extend_from_slice(&data[..data.len().min(room)]);
            beginning.over = data.len() >= room;
        }
    }

    fn beginning(&mut self, flow: Flow, from: Side) -> &mut Beginning {
        let speaker =
            Speaker { flow, dialed: self.dialed.get(&flow).copied().unwrap_or_default(), from: from as usize };
        if !self.beginnings.contains_key(&speaker) {
            self.order.push(speaker);
        }
        self.beginnings.entry(speaker).or_default()
    }

    /// Everything is learned: what is to be said instead.
    pub fn finish(self) -> Redactor {
        let Learner { mut names, gateways, mut beginnings, order, .. } = self;
        let (mut certificates, mut voices, mut blanked) = (Vec::new(), BTreeMap::new(), 0);
        for speaker in order {
            let mut data = beginnings.remove(&speaker).unwrap_or_default().data;
            let by_gateway = gateways.contains(&speaker.flow);
            let (then, here) = begin(&mut data, by_gateway, &mut certificates, &mut names);
            blanked += here as u64;
            voices.insert(speaker, Voice { beginning: data, at: 0, then });
        }
        let told = Told { certificates: certificates.len(), blanked, ..Told::default() };
        Redactor { names, dialed: BTreeMap::new(), voices, told }
    }
}

/// Changes the beginning of what a side says.
fn begin(data: &mut [u8], by_gateway: bool, certificates: &mut Vec<Vec<u8>>, names: &mut Names) -> (Then, usize) {
    let headers = headers::first(data, names);
    let data = &mut data[headers..];
    let behind = if by_gateway { http::connect(data, names) } else { rdp::first_len(data) };
    let (first, rest) = data.split_at_mut(behind.unwrap_or_default());
    if !by_gateway {
        rdp::first(first, names);
    }
    match (&*rest, behind) {
        (first, _) if tls::is_first(first) => {
            let (framing, blanked) = tls::begin(rest, certificates, names);
            (Then::Tls(framing), blanked)
        }
        // A side that has said no more than its first PDU by now may say anything then, TLS first of all.
        ([], Some(_)) => (Then::Tls(tls::Framing::default()), 0),
        (_, Some(_)) if !by_gateway => {
            let (framing, blanked) = rdp::begin(rest);
            (Then::Mcs(framing), blanked)
        }
        _ if by_gateway => (Then::Blank, http::head(rest, names)),
        ([3, ..], None) => {
            let kept = rest.len().min(11);
            rest[kept..].fill(0);
            (Then::Blank, rest.len() - kept)
        }
        _ => (Then::Blank, rdp::foreign(rest)),
    }
}

/// How a side goes on behind its beginning.
#[derive(Debug)]
enum Then {
    Tls(tls::Framing),
    Mcs(rdp::Framing),
    Blank,
}

/// What one side says instead.
#[derive(Debug)]
struct Voice {
    beginning: Vec<u8>,
    at: usize,
    then: Then,
}

impl Voice {
    /// These bytes of it, and how many were blanked.
    fn bytes(&mut self, data: &[u8]) -> (Bytes, usize) {
        let ready = &self.beginning[self.at..];
        let here = ready.len().min(data.len());
        let mut said = ready[..here].to_vec();
        self.at += here;
        said.extend_from_slice(&data[here..]);
        let rest = &mut said[here..];
        let blanked = match &mut self.then {
            Then::Tls(framing) => framing.blank(rest),
            Then::Mcs(framing) => framing.blank(rest),
            Then::Blank => {
                rest.fill(0);
                rest.len()
            }
        };
        (said.into(), blanked)
    }

    fn missing(&mut self, len: u64) {
        match &mut self.then {
            Then::Tls(framing) => framing.missing(len),
            Then::Mcs(framing) => framing.missing(len),
            Then::Blank => {}
        }
    }
}

/// The second pass.
#[derive(Debug)]
pub struct Redactor {
    names: Names,
    dialed: BTreeMap<Flow, u32>,
    voices: BTreeMap<Speaker, Voice>,
    told: Told,
}

impl Redactor {
    /// What others may see instead, where it is anything: the same observations as were learned, in the same order.
    pub fn change(&mut self, observation: Observation) -> Option<Observation> {
        let Observation { at, flow, frame, seen } = observation;
        let seen = match seen {
            Seen::Opening(opening) => Seen::Opening(replaced(opening, &mut self.names)),
            Seen::Bytes { from, data } => {
                let (data, blanked) = match self.voice(flow, from) {
                    Some(voice) => voice.bytes(&data),
                    None => (vec![0; data.len()].into(), data.len()),
                };
                self.told.blanked += blanked as u64;
                Seen::Bytes { from, data }
            }
            Seen::Missing { from, len, why } => {
                if !matches!(why, Absence::Discarded | Absence::Mirrored)
                    && let Some(voice) = self.voice(flow, from)
                {
                    voice.missing(len);
                }
                Seen::Missing { from, len, why }
            }
            Seen::Interception(step) => Seen::Interception(self.step(flow, step)),
            Seen::Secret(_) => {
                self.told.secrets += 1;
                return None;
            }
            // Where ICMP came from; of a relay's recording there are none.
            Seen::Sign(sign) => Seen::Sign(sign),
            Seen::Opened | Seen::Path(_) | Seen::Impairment(_) | Seen::Lapse(_) | Seen::Closed { .. } => seen,
        };
        Some(Observation { at, flow, frame, seen })
    }

    /// What was changed by now.
    pub fn told(&self) -> Told {
        let (addresses, ports) = self.names.addresses.counts();
        Told { words: self.names.words(), addresses, ports, ..self.told.clone() }
    }

    fn voice(&mut self, flow: Flow, from: Side) -> Option<&mut Voice> {
        let dialed = self.dialed.get(&flow).copied().unwrap_or_default();
        self.voices.get_mut(&Speaker { flow, dialed, from: from as usize })
    }

    fn step(&mut self, flow: Flow, step: Interception) -> Interception {
        match step {
            Interception::Passed { why } => Interception::Passed { why: self.names.sentence(&why) },
            Interception::Redialed { why } => {
                *self.dialed.entry(flow).or_default() += 1;
                Interception::Redialed { why: self.names.sentence(&why) }
            }
            Interception::Stuck { why } => Interception::Stuck { why: self.names.sentence(&why) },
            Interception::Broke { why } => Interception::Broke { why: self.names.sentence(&why) },
            Interception::Upstream { trusted, says } => {
                Interception::Upstream { trusted, says: self.names.sentence(&says) }
            }
            Interception::Asked(_) | Interception::Stands | Interception::OtherKey | Interception::Unbound => step,
        }
    }
}

/// The same step with other names.
fn replaced(opening: Opening, names: &mut Names) -> Opening {
    match opening {
        Opening::Target { name, port } => Opening::Target { name: names.host(&name), port: names.addresses.port(port) },
        Opening::Resolved { addresses, error } => Opening::Resolved {
            addresses: addresses.into_iter().map(|address| names.addresses.of(address)).collect(),
            error: error.map(|error| names.sentence(&error)),
        },
        Opening::Dialing { client, server } => {
            Opening::Dialing { client: names.addresses.end(client), server: names.addresses.end(server) }
        }
        Opening::Joined { client, server } => {
            Opening::Joined { client: names.addresses.end(client), server: names.addresses.end(server) }
        }
        Opening::Named { by } => Opening::Named { by: names.addresses.end(by) },
        Opening::Gateway | Opening::Naming | Opening::Resolving => opening,
    }
}
