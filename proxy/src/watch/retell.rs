//! A recording, told again as it was told while it was made: the same phase edges, the same verdicts, in the same order.
//!
//! It is paced by whoever asks for it: before each thing that was recorded its time is told, and waited for or not. What
//! the recorder itself went through, a disk that was full, is not in a recording.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};

use analyzer::attempt::Diagnosed;
use analyzer::capture::file::{self, Item};
use analyzer::capture::recording::{Decoder, ReadError};
use analyzer::observation::{Absence, Lapse, Leg, Observation, Opening, Seen};
use analyzer::session::Session;
use analyzer::sessions::Sessions;
use analyzer::time::Timestamp;
use analyzer::timeline::Edge;

use super::reminder::{Due, Reminder};
use super::{FLUSH, Live, Which, tell_verdict};

/// What is told again.
pub struct Recording {
    /// The recording's name.
    pub name: String,
    /// The number by which its session is told.
    pub session: u32,
    /// What reads it, with the secrets that open its TLS.
    pub layers: Session,
}

/// What came of it.
#[derive(Debug)]
pub struct Retold {
    /// Its sessions.
    pub sessions: Vec<Diagnosed>,
    /// Why it is not whole, where it is not.
    pub stopped: Option<String>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next thing was recorded at this time.
    At(Timestamp),
    /// The recorder closed it: nothing more will come.
    End,
}

/// Tells a recording again. `next` is asked before each thing that was recorded, and may take its time.
///
/// # Errors
/// Where it is no recording of this program, or `next` has enough.
pub fn retell(
    input: impl Read,
    recording: Recording,
    next: &mut dyn FnMut(Next) -> Result<(), ReadError>,
    say: &mut dyn FnMut(Live<'_>),
) -> Result<Retold, ReadError> {
    let mut decoder = Decoder::default();
    let mut teller = Teller::new(recording);
    let stopped = file::read(input, &mut |item| {
        if let Some(at) = time_of(&item) {
            while let Some((place, due)) = teller.due(at) {
                next(Next::At(due.at))?;
                teller.remind(place, &due, say);
            }
            next(Next::At(at))?;
        }
        decoder.item(item, &mut |observation| teller.seen(&observation, say))?;
        if decoder.is_ended() { next(Next::End) } else { Ok(()) }
    })?;
    let stopped = decoder.stopped(stopped);
    Ok(Retold { sessions: teller.end(stopped.as_ref(), say), stopped })
}

fn time_of(item: &Item<'_>) -> Option<Timestamp> {
    match item {
        Item::Packet(packet) => Some(packet.at),
        Item::Statistics { at, .. } => Some(*at),
        Item::Section { .. } | Item::Interface { .. } | Item::Secrets(_) => None,
    }
}

struct Teller {
    name: String,
    session: u32,
    client: IpAddr,
    /// Whether it was made before an RD Gateway; unknown until that would have been said.
    is_at_gateway: Option<bool>,
    layers: Session,
    sessions: Sessions,
    reminders: Vec<Reminder>,
    /// Edges that wait until that is known.
    edges: Vec<(usize, Edge)>,
    /// Whether it was said that payload is missing.
    missing: bool,
    /// What befell the program that recorded it, as it was last told: each of its connections says so.
    lapsed: Option<(Timestamp, Lapse)>,
    /// When it was last told how the sessions stand.
    told: Timestamp,
}

impl Teller {
    fn new(recording: Recording) -> Teller {
        Teller {
            name: recording.name,
            session: recording.session,
            layers: recording.layers,
            client: Ipv4Addr::UNSPECIFIED.into(),
            is_at_gateway: None,
            sessions: Sessions::default(),
            reminders: Vec::new(),
            edges: Vec::new(),
            missing: false,
            lapsed: None,
            told: Timestamp::default(),
        }
    }

    fn seen(&mut self, observation: &Observation, say: &mut dyn FnMut(Live<'_>)) {
        self.learn(observation);
        let is_dropped = matches!(observation.seen, Seen::Missing { why: Absence::Dropped, .. });
        if is_dropped && !std::mem::replace(&mut self.missing, true) {
            say(Live::Missing { session: self.session });
        }
        if let Seen::Impairment(impairment) = &observation.seen {
            let place = (observation.flow.leg, observation.at);
            say(Live::Impaired { session: self.session, place, impairment });
        }
        if let Seen::Lapse(lapse) = observation.seen
            && self.lapsed.replace((observation.at, lapse)) != Some((observation.at, lapse))
        {
            say(Live::Lapsed { session: Some(self.session), at: observation.at, lapse });
        }
        self.layers.push(observation, &mut |event| self.sessions.push(&event));
        self.edges.extend(self.sessions.take_edges());
        if self.is_at_gateway.is_none() {
            return;
        }
        let edges = std::mem::take(&mut self.edges);
        for (place, edge) in &edges {
            say(Live::Edge { session: self.which(*place), edge });
        }
        if !edges.is_empty() || observation.at.since(self.told) >= FLUSH {
            self.told = observation.at;
            self.tell_running(say);
        }
    }

    /// Who connects, and to what: the first things that are recorded of a connection.
    fn learn(&mut self, observation: &Observation) {
        let is_front = observation.flow.leg == Leg::Front;
        match &observation.seen {
            Seen::Opening(Opening::Gateway) => self.is_at_gateway = Some(true),
            Seen::Opening(Opening::Dialing { client, .. }) if is_front && self.is_at_gateway.is_none() => {
                self.client = client.ip().to_canonical();
            }
            // The path is sampled at each edge.
            Seen::Path(_) => {}
            Seen::Opened if is_front => {}
            Seen::Opening(_)
            | Seen::Opened
            | Seen::Bytes { .. }
            | Seen::Missing { .. }
            | Seen::Sign(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Secret(_)
            | Seen::Closed { .. } => self.is_at_gateway = self.is_at_gateway.or(Some(false)),
        }
    }

    fn which(&self, place: usize) -> Which {
        let part = (self.is_at_gateway == Some(true)).then_some(place + 1);
        Which { session: self.session, part, client: self.client }
    }

    /// What has been outstanding for so long by then that it is to be told, and nothing was seen meanwhile.
    fn due(&mut self, by: Timestamp) -> Option<(usize, Due)> {
        self.is_at_gateway?;
        let known = self.sessions.timelines().map(|(place, _)| place + 1).max().unwrap_or(0);
        self.reminders.resize_with(known.max(self.reminders.len()), Reminder::default);
        let due = |(place, timeline)| Some((place, self.reminders.get::<usize>(place)?.next(timeline)?));
        self.sessions.timelines().filter_map(due).filter(|(_, due)| due.at.0 <= by.0).min_by_key(|(_, due)| due.at)
    }

    fn remind(&mut self, place: usize, due: &Due, say: &mut dyn FnMut(Live<'_>)) {
        self.reminders[place].tell(due);
        say(Live::Waiting { session: self.which(place), owed: &due.owed, lasted: due.after, at: due.at });
    }

    fn tell_running(&self, say: &mut dyn FnMut(Live<'_>)) {
        let sessions: Vec<_> =
            self.sessions.timelines().map(|(place, timeline)| (self.which(place), timeline)).collect();
        say(Live::Running { ahead: 0, sessions: &sessions });
    }

    fn end(mut self, stopped: Option<&String>, say: &mut dyn FnMut(Live<'_>)) -> Vec<Diagnosed> {
        let mut judged: Vec<Diagnosed> = Vec::new();
        for (place, timeline) in std::mem::take(&mut self.sessions).finish() {
            let mut diagnosed = Diagnosed::new(Some(self.name.clone()), timeline);
            diagnosed.incomplete = stopped.cloned();
            tell_verdict(&mut judged, self.which(place), &diagnosed, say);
            judged.push(diagnosed);
        }
        say(Live::Over { session: self.session });
        judged
    }
}
