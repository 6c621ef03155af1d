//! A relay inside TLS: each leg has a handshake of its own, and the connection to the server may be made a second time.

use super::facts::{Facts, Sighting};
use super::phase::{Outcome, PhaseName};
use super::{Mark, Timeline, edge_of};
use crate::event::{Basis, Protocols};
use crate::observation::{Interception, Leg, Means};

/// Steps that are kept: a relay takes fewer.
const KEPT: usize = 16;

impl Facts {
    pub(super) fn intercepted(&mut self, mark: Mark, step: &Interception) {
        if self.interception.len() < KEPT {
            self.interception.push(Sighting { what: step.clone(), mark });
        }
    }

    /// By what a relay was to stand inside TLS.
    pub fn means(&self) -> Option<Means> {
        self.interception.iter().find_map(|step| match step.what {
            Interception::Asked(means) => Some(means),
            Interception::Stands
            | Interception::Passed { .. }
            | Interception::Redialed { .. }
            | Interception::Stuck { .. }
            | Interception::Broke { .. }
            | Interception::Upstream { .. }
            | Interception::OtherKey
            | Interception::Unbound => None,
        })
    }

    /// Whether a relay stands inside TLS: the legs then have nothing in common but the plaintext.
    pub fn is_intercepted(&self) -> bool {
        self.interception.iter().any(|step| step.what == Interception::Stands)
    }

    /// By what the relay ended the session itself.
    pub fn ended_inside(&self) -> Option<&Sighting<Interception>> {
        self.interception.iter().find(|step| match step.what {
            Interception::Stuck { .. } | Interception::Broke { .. } => true,
            Interception::Asked(_)
            | Interception::Stands
            | Interception::Passed { .. }
            | Interception::Redialed { .. }
            | Interception::Upstream { .. }
            | Interception::OtherKey
            | Interception::Unbound => false,
        })
    }

    pub(super) fn is_redialed(&self) -> bool {
        self.interception.iter().any(|step| matches!(step.what, Interception::Redialed { .. }))
    }
}

impl Timeline {
    pub(super) fn intercepted(&mut self, mark: Mark, connection: u32, step: &Interception) {
        match step {
            Interception::Redialed { .. } => self.redialed(mark, connection),
            Interception::Asked(_)
            | Interception::Stands
            | Interception::Passed { .. }
            | Interception::Stuck { .. }
            | Interception::Broke { .. }
            | Interception::Upstream { .. }
            | Interception::OtherKey
            | Interception::Unbound => {}
        }
    }

    /// The relay takes back its own handshake with the server: what became of that says nothing of the session.
    fn redialed(&mut self, mark: Mark, connection: u32) {
        match &mut self.facts.gateway {
            Some(gateway) => gateway.redialed(mark.leg, connection),
            None => {
                self.facts.tls.retain(|tls| tls.leg != mark.leg);
                self.facts.partial.retain(|partial| partial.mark.leg != mark.leg);
            }
        }
        if self.connection.is_none_or(|first| first == connection) {
            self.leg_mut(mark.leg).begins_anew();
        }
        if self.end.is_some_and(|end| end.mark.leg == mark.leg) {
            self.end = None;
        }
        let is_tls = |name| matches!(name, PhaseName::Tls | PhaseName::GatewayTls);
        if let Some(phase) = self.phases.last_mut().filter(|phase| is_tls(phase.name)) {
            phase.outcome = Outcome::Open;
            let edge = edge_of(phase, mark);
            self.edges.push(edge);
            self.next = None;
        }
    }

    /// TLS of a leg is agreed on.
    pub(super) fn secured(&mut self, mark: Mark, basis: Basis) {
        if self.is_secured() && self.end_phase(PhaseName::Tls, mark, Outcome::Done, basis) {
            let authenticates = self.facts.selected().is_some_and(|s| s.intersects(Protocols::CREDSSP));
            let next = if authenticates { PhaseName::Credssp } else { PhaseName::BasicSettings };
            self.next = Some((next, mark, Basis::Inferred));
        }
    }

    /// Whether TLS is agreed on wherever it has to be.
    fn is_secured(&self) -> bool {
        let done = |leg| self.facts.tls.iter().any(|tls| tls.leg == leg && tls.established.is_some());
        !self.facts.is_intercepted() || done(Leg::Front) && done(Leg::Back)
    }
}
