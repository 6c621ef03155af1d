//! Which connections are one session: events of the connections of one recording in, timelines out.
//!
//! A connection is a session of its own, but for the second half of a gateway's tunnel: what is known of it joins the first
//! half's timeline as soon as it says which tunnel it is of. A connection that only asks a KDC proxy belongs to the tunnels of
//! its client.

use crate::event::{Event, GatewayEvent, What};
use crate::observation::Opening;
use crate::timeline::{Edge, Timeline};

/// Events that are kept of a connection until it says which tunnel it is of: a TLS handshake and its authentication.
const KEPT: usize = 2_000;

/// The sessions of one recording.
#[derive(Debug, Default)]
pub struct Sessions {
    /// In the order of their beginning; those that joined another are empty.
    timelines: Vec<Timeline>,
    connections: Vec<Connection>,
}

/// A connection of the recording.
#[derive(Debug)]
struct Connection {
    /// As whoever made the observations counts it.
    number: u32,
    /// Its timeline's place.
    place: usize,
    tunnel: Option<u32>,
    is_gateway: bool,
    /// What it did until it says which tunnel it is of; `None` where that is known, or can be of no interest any more.
    early: Option<Vec<Event>>,
}

impl Connection {
    fn keep(&mut self, event: &Event) {
        let Some(early) = &mut self.early else { return };
        self.is_gateway |= event.what == What::Opening(Opening::Gateway);
        let is_direct = !self.is_gateway && matches!(event.what, What::Passed { .. });
        if is_direct || early.len() >= KEPT {
            self.early = None;
        } else {
            early.push(event.clone());
        }
    }
}

impl Sessions {
    /// Takes one event.
    pub fn push(&mut self, event: &Event) {
        let place = self.connection(event.flow.session);
        if let What::Gateway(GatewayEvent::Half { tunnel }) = event.what {
            self.half(place, tunnel);
        }
        let connection = &mut self.connections[place];
        connection.keep(event);
        self.timelines[connection.place].push(event);
    }

    /// Takes what was learned in another way than from a connection's bytes: it is of every session that goes on.
    pub fn learn(&mut self, event: &Event) {
        if self.connections.is_empty() {
            return self.push(event);
        }
        let mut known: Vec<usize> = self.connections.iter().map(|one| one.place).collect();
        known.dedup();
        for place in known {
            let number = self.connections.iter().find(|one| one.place == place).map_or(0, |one| one.number);
            let mut event = event.clone();
            event.flow.session = number;
            self.timelines[place].push(&event);
        }
    }

    /// Forgets a connection that has nothing to do with Remote Desktop.
    pub fn forget(&mut self, number: u32) {
        if let Some(place) = self.connections.iter().position(|one| one.number == number) {
            let connection = self.connections.remove(place);
            self.timelines[connection.place] = Timeline::default();
        }
    }

    /// The timeline of a connection.
    pub fn of(&self, number: u32) -> Option<&Timeline> {
        let connection = self.connections.iter().find(|one| one.number == number)?;
        self.timelines.get(connection.place)
    }

    /// The sessions so far, in the order of their beginning, each with its place.
    pub fn timelines(&self) -> impl Iterator<Item = (usize, &Timeline)> {
        self.timelines.iter().enumerate().filter(|(_, timeline)| timeline.began.is_some())
    }

    /// The phase edges since the last call, with the place of their session.
    pub fn take_edges(&mut self) -> Vec<(usize, Edge)> {
        let edges = |(place, timeline): (usize, &mut Timeline)| {
            timeline.take_edges().into_iter().map(move |edge| (place, edge))
        };
        self.timelines.iter_mut().enumerate().flat_map(edges).collect()
    }

    /// The input is over: the sessions, each with the place by which its edges were told.
    pub fn finish(self) -> Vec<(usize, Timeline)> {
        let all = self.timelines.into_iter().enumerate().filter(|(_, timeline)| timeline.began.is_some());
        let mut timelines: Vec<(usize, Timeline)> = all.collect();
        timelines.iter_mut().for_each(|(_, timeline)| timeline.finish());
        let is_aside = |(_, timeline): &(usize, Timeline)| {
            timeline.facts.gateway.as_ref().is_some_and(|gateway| gateway.is_kdc_only())
        };
        let (aside, sessions): (Vec<_>, Vec<_>) = timelines.into_iter().partition(is_aside);
        if sessions.is_empty() {
            return aside;
        }
        let mut sessions = companions(sessions);
        for gateway in sessions.iter_mut().filter_map(|(_, session)| session.facts.gateway.as_mut()) {
            aside.iter().filter_map(|(_, one)| one.facts.gateway.as_ref()).for_each(|aside| gateway.take_aside(aside));
        }
        sessions
    }

    fn connection(&mut self, number: u32) -> usize {
        let found = self.connections.iter().position(|one| one.number == number);
        found.unwrap_or_else(|| {
            let place = self.timelines.len();
            self.timelines.push(Timeline::default());
            self.connections.push(Connection {
                number,
                place,
                tunnel: None,
                is_gateway: false,
                early: Some(Vec::new()),
            });
            self.connections.len() - 1
        })
    }

    /// A connection says which tunnel it is of: where that has a timeline already, it joins it.
    fn half(&mut self, place: usize, tunnel: u32) {
        // Each leg of a relay says it once.
        if self.connections[place].tunnel == Some(tunnel) {
            return;
        }
        let other = self.connections.iter().position(|one| one.tunnel == Some(tunnel));
        let connection = &mut self.connections[place];
        connection.tunnel = Some(tunnel);
        let early = connection.early.take().unwrap_or_default();
        let Some(other) = other else { return };
        let joined = self.connections[other].place;
        if self.connections[place].place == joined {
            // Each of its requests says so.
            return;
        }
        let own = std::mem::replace(&mut self.connections[place].place, joined);
        self.timelines[own] = Timeline::default();
        early.iter().for_each(|event| self.timelines[joined].push(event));
    }
}

/// Puts together what nobody reads and what began at about the same time: one may be the other's second half.
fn companions(sessions: Vec<(usize, Timeline)>) -> Vec<(usize, Timeline)> {
    let mut kept: Vec<(usize, Timeline)> = Vec::new();
    for (place, session) in sessions {
        match kept.iter_mut().rev().find(|(_, other)| other.is_half_of(&session)) {
            Some((_, first)) => first.take_companion(session),
            None => kept.push((place, session)),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Flow, Leg};
    use crate::time::Timestamp;

    fn event(session: u32, at: u64, what: What) -> Event {
        Event { at: Timestamp::at(at), frame: at, flow: Flow { session, leg: Leg::Only }, what }
    }

    /// FreeRDP says on each request, the one that is answered 401 included, which tunnel it is of.
    #[test]
    fn a_half_that_says_twice_where_it_belongs_takes_nothing_away() {
        let half = || What::Gateway(GatewayEvent::Half { tunnel: 1 });
        let opened = || What::Opening(Opening::Gateway);
        let mut sessions = Sessions::default();
        let story = [(0, opened()), (0, half()), (0, half()), (1, opened()), (1, half()), (1, half()), (0, half())];
        for (at, (session, what)) in (1..).zip(story) {
            sessions.push(&event(session, at, what));
        }
        let timelines = sessions.finish();
        let [timeline] = &timelines[..] else { panic!("{timelines:?}") };
        assert_eq!(timeline.1.began, Some(Timestamp::at(1)));
    }
}
