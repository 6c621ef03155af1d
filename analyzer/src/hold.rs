//! Secrets commute, live too: what needs a secret that is not there yet is held until it comes.
//!
//! A key log is written by another program, a moment after the bytes that need it have passed. From the observation behind a
//! ClientHello on, a session's observations wait here, with their own times and frame numbers, until the connection's
//! secrets are there; then they are pushed in order, and the events are those that would have come. How much is held is
//! bounded, in bytes and in observed time: then the session goes on without, and says so. A secret that comes later still
//! belongs to the recording, and whoever reads that has it in time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::observation::{Observation, Seen};
use crate::secret::Random;
use crate::session::Session;
use crate::time::Timestamp;
use crate::tls::keys::Keyring;

/// What an observation costs besides its payload, bytes, roughly.
const OBSERVATION: usize = 128;

/// How much is held of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all that is held.
    pub bytes: usize,
    /// From the first observation that is held to now.
    pub time: Duration,
}

impl Default for Limits {
    /// The handshake and the connection sequence of any session are shorter than 4 MiB; a program that has not written its
    /// secrets 3 seconds after it made them does not write them there.
    fn default() -> Limits {
        Limits { bytes: 4 << 20, time: Duration::from_secs(3) }
    }
}

/// A session whose secrets may come late.
#[derive(Default)]
pub struct Hold {
    layers: Session,
    /// `None` where no secrets are expected: then nothing is held.
    limits: Option<Limits>,
    held: VecDeque<Observation>,
    bytes: usize,
    /// Connections that nobody waits for any more.
    given_up: Vec<Random>,
    /// Whether secrets are expected from elsewhere than a relay inside TLS.
    follows: bool,
    /// Observations that were read without secrets that might have come.
    without: u64,
    late: bool,
}

impl Hold {
    /// A session whose secrets are expected to come while it goes on, from a relay inside its TLS: those of what a gateway's
    /// tunnel carries it does not have.
    pub fn expecting(limits: Limits) -> Hold {
        Hold { limits: Some(limits), ..Hold::default() }
    }

    /// The same, where secrets come from a key log: also of TLS that a relay passes untouched.
    pub fn following(limits: Limits) -> Hold {
        Hold { follows: true, ..Hold::expecting(limits) }
    }

    /// The same before anything was pushed, with user names, if they are to be shown.
    pub fn naming(self, names: bool) -> Hold {
        Hold { layers: Session::with_keys(&Arc::new(Keyring::default().naming(names))), ..self }
    }

    /// Takes one observation and hands on what the protocol did, by this one and by those that were held for it.
    pub fn push(&mut self, observation: &Observation, each: &mut dyn FnMut(Event)) {
        if self.limits.is_none() {
            return self.layers.push(observation, each);
        }
        if matches!(observation.seen, Seen::Secret(_)) {
            let missed: Vec<Random> = self.sealed().filter(|random| self.given_up.contains(random)).collect();
            self.layers.push(observation, each);
            let still: Vec<Random> = self.sealed().collect();
            self.late |= missed.iter().any(|random| !still.contains(random));
            return self.drain(each);
        }
        if let Seen::Interception(interception) = &observation.seen
            && interception.is_passing()
            && !self.follows
        {
            // Whoever would have told its secrets does not have them.
            self.limits = None;
            self.drain(each);
        }
        if !self.is_holding() {
            let is_sealed = self.sealed().next().is_some();
            self.without += u64::from(is_sealed);
            return self.layers.push(observation, each);
        }
        self.bytes += cost(observation);
        self.held.push_back(observation.clone());
        self.now(observation.at, each);
    }

    /// It is so late: what was held long enough goes on without secrets.
    pub fn now(&mut self, at: Timestamp, each: &mut dyn FnMut(Event)) {
        while self.is_full(at) {
            self.give_up(each);
        }
    }

    /// Nothing more will come. What is still held goes on without secrets.
    pub fn finish(&mut self, each: &mut dyn FnMut(Event)) {
        while !self.held.is_empty() {
            self.give_up(each);
        }
    }

    /// The connections that were begun and whose secrets are not all there, in the order of their beginning; those that
    /// nobody waits for any more included.
    pub fn sealed(&self) -> impl Iterator<Item = Random> {
        let (outside, all) = match (self.limits, self.follows) {
            (None, _) => (None, None),
            (Some(_), false) => (Some(self.layers.sealed_outside()), None),
            (Some(_), true) => (None, Some(self.layers.sealed())),
        };
        outside.into_iter().flatten().chain(all.into_iter().flatten())
    }

    /// Whether anything waits for secrets now.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Observations that were read without secrets that might have come: nobody waited for these any more.
    pub fn without(&self) -> u64 {
        self.without
    }

    /// Whether secrets came when nobody waited for them any more: what they open stands in the recording alone.
    pub fn is_late(&self) -> bool {
        self.late
    }

    fn is_holding(&self) -> bool {
        self.sealed().any(|random| !self.given_up.contains(&random))
    }

    fn is_full(&self, at: Timestamp) -> bool {
        let (Some(limits), Some(first)) = (self.limits, self.held.front()) else { return false };
        self.bytes > limits.bytes || at.since(first.at) >= limits.time
    }

    fn give_up(&mut self, each: &mut dyn FnMut(Event)) {
        let before = self.held.len();
        self.given_up = self.sealed().collect();
        self.drain(each);
        self.without += (before - self.held.len()) as u64;
    }

    /// Hands on what is held until the next connection wants its secrets.
    fn drain(&mut self, each: &mut dyn FnMut(Event)) {
        while !self.is_holding() {
            let Some(observation) = self.held.pop_front() else { return };
            self.bytes -= cost(&observation);
            self.layers.push(&observation, each);
        }
    }
}

fn cost(observation: &Observation) -> usize {
    OBSERVATION
        + match &observation.seen {
            Seen::Bytes { data, .. } => data.len(),
            Seen::Opening(_)
            | Seen::Opened
            | Seen::Missing { .. }
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Secret(_)
            | Seen::Closed { .. } => 0,
        }
}
