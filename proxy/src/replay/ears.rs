//! What the live peer says, message by message: the analyzer reads the connection as it would read its recording. The secrets
//! are this program's own.

use std::collections::VecDeque;
use std::sync::Arc;

use analyzer::event::{ClientHello, Protocols, What};
use analyzer::observation::{Flow, Leg, Observation, Seen, Side};
use analyzer::secret::Secret;
use analyzer::session::Session;
use analyzer::timeline::phase::PhaseName;

use super::words;
use crate::clock;
use crate::impair::Phases;

/// Listens to one connection.
pub(super) struct Ears {
    session: Session,
    peer: Side,
    /// What is not read until the secrets are there.
    held: Option<Vec<Observation>>,
    heard: VecDeque<&'static str>,
    /// Where somebody waits for one.
    phases: Option<Phases>,
    /// Whether the handshake is over: how it went there is of no interest any more.
    is_inside: bool,
    /// What the client asks for; nothing where it does not say.
    pub(super) asked: Protocols,
    /// What the client offers in TLS.
    pub(super) hello: Option<ClientHello>,
}

impl Ears {
    /// For what this side says, and maybe for the phases of the session.
    pub(super) fn new(peer: Side, awaits_phase: bool) -> Ears {
        let mut phases = awaits_phase.then(Phases::default);
        phases.iter_mut().for_each(|phases| phases.push(&observed(Seen::Opened)));
        Ears {
            phases,
            session: Session::default(),
            peer,
            held: None,
            heard: VecDeque::new(),
            is_inside: false,
            asked: Protocols::default(),
            hello: None,
        }
    }

    /// Bytes of one side, as they stood on the wire.
    pub(super) fn push(&mut self, from: Side, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let observation = observed(Seen::Bytes { from, data: data.to_vec().into() });
        match &mut self.held {
            Some(held) => held.push(observation),
            None => self.read(&observation),
        }
    }

    /// Holds what comes from here on for the secrets.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Reads what was held.
    pub(super) fn open(&mut self, secrets: Option<Secret>) {
        if let Some(secrets) = secrets {
            self.is_inside = true;
            self.read(&observed(Seen::Secret(Arc::new(secrets))));
        }
        for observation in self.held.take().unwrap_or_default() {
            self.read(&observation);
        }
    }

    /// The peer says something that is not to be understood.
    pub(super) fn hear(&mut self, name: &'static str) {
        self.heard.push_back(name);
    }

    /// Its next message.
    pub(super) fn next(&mut self) -> Option<&'static str> {
        self.heard.pop_front()
    }

    /// The phases that have begun since the last call.
    pub(super) fn take_phases(&mut self) -> Vec<PhaseName> {
        self.phases.as_mut().map(Phases::take).unwrap_or_default()
    }

    fn read(&mut self, observation: &Observation) {
        self.phases.iter_mut().for_each(|phases| phases.push(observation));
        let Ears { session, peer, heard, asked, hello, is_inside, .. } = self;
        session.push(observation, &mut |event| {
            match &event.what {
                What::ConnectionRequest(request) => *asked = request.requested.unwrap_or_default(),
                What::ClientHello(offer) => *hello = Some((**offer).clone()),
                _ => {}
            }
            let Some((from, name)) = words::message(&event.what) else { return };
            let is_told_twice = name == words::ALERT && heard.back() == Some(&name);
            let is_over = *is_inside && words::is_of_handshake(name);
            if from == *peer && !is_told_twice && !is_over {
                heard.push_back(name);
            }
        });
    }
}

fn observed(seen: Seen) -> Observation {
    Observation { at: clock::now(), flow: Flow { session: 0, leg: Leg::Only }, frame: 0, seen }
}
