//! The phases behind TLS where plaintext is read: seen, not inferred.

use super::inner::Licence;
use super::phase::{Outcome, PhaseName};
use super::{Mark, Timeline, first_hand};
use crate::event::{Basis, Protocols, RdpPdu, Traffic, TsRequest};
use crate::observation::Side;

impl Timeline {
    /// From here on it is seen what passes: what was inferred of the phase that is open is confirmed by it.
    pub(super) fn unsealed(&mut self) {
        self.ripe = None;
        if let Some((_, _, basis)) = &mut self.next {
            *basis = Basis::Seen;
        }
        let Some(phase) = self.phases.last_mut() else { return };
        if phase.outcome != Outcome::Open || !(PhaseName::Credssp..PhaseName::Active).contains(&phase.name) {
            return;
        }
        (phase.basis, phase.sureness) = (Basis::Seen, None);
        let name = phase.name;
        for edge in self.edges.iter_mut().filter(|edge| edge.phase == name) {
            edge.basis = Basis::Seen;
        }
    }

    /// Whether plaintext is read.
    pub(super) fn is_unsealed(&self) -> bool {
        self.facts.inner.unsealed.is_some()
    }

    /// CredSSP is over when the client has sent its credentials; with HYBRID_EX when the server has accepted the user.
    pub(super) fn credssp(&mut self, mark: Mark, from: Side, request: &TsRequest) {
        if !first_hand(mark.leg, from) {
            return;
        }
        if from == Side::Client {
            self.begin_next(mark);
        }
        let waits = self.facts.selected().is_some_and(|selected| selected.contains(Protocols::HYBRID_EX));
        if request.error_code.is_some_and(|code| code != 0) {
            self.end_phase(PhaseName::Credssp, mark, Outcome::Failed, Basis::Seen);
        } else if request.has_auth_info && !waits {
            self.authenticated(mark, Basis::Seen);
        }
    }

    pub(super) fn authorized(&mut self, mark: Mark, result: u32) {
        if !first_hand(mark.leg, Side::Server) {
            return;
        }
        match result {
            0 => self.authenticated(mark, Basis::Seen),
            _ => _ = self.end_phase(PhaseName::Credssp, mark, Outcome::Failed, Basis::Seen),
        }
    }

    pub(super) fn authenticated(&mut self, mark: Mark, basis: Basis) {
        if self.end_phase(PhaseName::Credssp, mark, Outcome::Done, basis) {
            self.next = Some((PhaseName::BasicSettings, mark, basis));
        }
    }

    /// RDSAAD has no phase of its own: what it denies is the one that was to begin.
    pub(super) fn admitted(&mut self, mark: Mark, code: u32) {
        if first_hand(mark.leg, Side::Server) && code != 0 {
            self.begin_next(mark);
            self.end_phase(self.last_phase(), mark, Outcome::Failed, Basis::Seen);
        }
    }

    /// Each message that begins a phase begins it; the phases between are those that the server left out.
    pub(super) fn rdp(&mut self, mark: Mark, from: Side, pdu: &RdpPdu) {
        if !first_hand(mark.leg, from) || self.is_active() {
            return;
        }
        match pdu {
            RdpPdu::SecurityExchange => self.step(PhaseName::SecurityCommencement, mark),
            RdpPdu::ClientInfo { .. } => self.step(PhaseName::SecureSettings, mark),
            RdpPdu::AutoDetect(_) => self.step(PhaseName::AutoDetection, mark),
            RdpPdu::License { message, error } => {
                self.licence(mark, Licence { from, message: *message, error: *error });
            }
            RdpPdu::MultitransportRequest { .. } => self.step(PhaseName::Multitransport, mark),
            RdpPdu::DemandActive(_) => self.step(PhaseName::Capabilities, mark),
            RdpPdu::ConfirmActive(_) => self.step(PhaseName::Finalization, mark),
            RdpPdu::Finalization(crate::event::Finalization::FontMap) => self.step(PhaseName::Active, mark),
            // The Font Map stood in a hole: a picture comes behind it only.
            RdpPdu::Traffic { kind: Traffic::FastPath, .. }
                if from == Side::Server && self.last_phase() == PhaseName::Finalization =>
            {
                self.activate(self.ripe_at(mark));
            }
            RdpPdu::MultitransportResponse { .. }
            | RdpPdu::DeactivateAll
            | RdpPdu::Redirection(_)
            | RdpPdu::Finalization(_)
            | RdpPdu::SaveSessionInfo { .. }
            | RdpPdu::SetErrorInfo { .. }
            | RdpPdu::StatusInfo { .. }
            | RdpPdu::ShutdownRequest
            | RdpPdu::ShutdownDenied
            | RdpPdu::AutoReconnectStatus
            | RdpPdu::Heartbeat { .. }
            | RdpPdu::Frame { .. }
            | RdpPdu::Traffic { .. } => {}
        }
    }

    fn licence(&mut self, mark: Mark, licence: Licence) {
        self.step(PhaseName::Licensing, mark);
        if licence.is_granted() {
            self.end_phase(PhaseName::Licensing, mark, Outcome::Done, Basis::Seen);
        } else if licence.refusal().is_some() {
            self.end_phase(PhaseName::Licensing, mark, Outcome::Failed, Basis::Seen);
        }
    }
}
