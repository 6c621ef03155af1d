//! The phases behind TLS where nothing is read: inferred from the records.

use std::time::Duration;

use super::inferred::{Overhead, Plain, Told};
use super::phase::{Outcome, PhaseName, Waited};
use super::{Mark, Ripe, Timeline, first_hand};
use crate::event::{Basis, Protocols};
use crate::observation::{Leg as LegName, Side};

/// TLS record type alert, RFC 8446 5.1.
const ALERT: u8 = 21;
/// Length of an alert sealed by TLS 1.3: two bytes, the inner type, the tag.
const SEALED_ALERT: u64 = 2 + 1 + 16;
/// Two-way data that goes on so long is a session,
const SUSTAINED: Duration = Duration::from_secs(2);
/// and so are so many bytes of the server: a picture.
const SUSTAINED_BYTES: u64 = 8 << 10;

impl Timeline {
    /// Takes a sealed record where it is first seen.
    pub(super) fn sealed(&mut self, mark: Mark, from: Side, kind: u8, len: u32) {
        let behind_tls = self.phase(PhaseName::Tls).is_some_and(|phase| phase.outcome == Outcome::Done);
        if !behind_tls || !first_hand(mark.leg, from) || self.is_over() {
            return;
        }
        let (was_active, was_licensed) = (self.is_active(), self.inference.is_licensed());
        let selected = self.facts.selected().unwrap_or_else(|| self.facts.longest_offered());
        let record = (kind, u64::from(len));
        let plain = self.plain(mark.leg, len);
        let told = self.inference.push(mark, from, record, plain, selected);
        if was_active {
            return;
        }
        if let Some(Told::Authenticated(since)) = told.filter(|_| !self.is_unsealed()) {
            self.authenticated(since, Basis::Inferred);
        }
        if from == Side::Client && !self.is_alert(kind, u64::from(len)) {
            self.begin_next(mark);
        }
        if self.is_unsealed() {
            return;
        }
        match told {
            Some(Told::Begins(PhaseName::Active)) => self.activate(self.ripe_at(mark)),
            Some(Told::Begins(phase)) => {
                self.licensed_before(phase);
                self.step_as(phase, mark, Basis::Inferred);
            }
            Some(Told::Authenticated(_)) | None => self.ripen(mark, from, u64::from(len), selected),
        }
        if from == Side::Server && !was_licensed && self.last_phase() == PhaseName::Licensing {
            self.licensed = Some(self.ripe_at(mark));
        }
    }

    /// Licensing was over with the server's last message of it: what follows says that it went well, and a wait for that, an
    /// acknowledgement that was delayed for one, is not licensing's.
    fn licensed_before(&mut self, next: PhaseName) {
        let follows = matches!(next, PhaseName::Multitransport | PhaseName::Capabilities);
        let Some(Ripe { mark, waited }) = self.licensed.take().filter(|_| follows) else { return };
        if let Some(phase) = self.phases.last_mut().filter(|phase| phase.name == PhaseName::Licensing) {
            phase.waited = waited;
            self.end_phase(PhaseName::Licensing, mark, Outcome::Done, Basis::Inferred);
        }
    }

    /// Where the track is not kept, turns and what follows them say whether the session is active.
    fn ripen(&mut self, mark: Mark, from: Side, len: u64, selected: Protocols) {
        if let Some(ripe) = self.ripe {
            self.sustained[from as usize] += len;
            if !self.inference.is_kept() && self.is_sustained(mark.at.since(ripe.mark.at)) {
                self.activate(ripe);
            }
        } else if self.inference.turns().is_active(selected) {
            self.ripe = Some(self.ripe_at(mark));
        }
    }

    /// How long the plaintext of a record on this leg is.
    fn plain(&mut self, leg: LegName, len: u32) -> Option<Plain> {
        let tls = self.facts.tls.iter().find(|tls| tls.leg == leg)?;
        let hello = &tls.server_hello.as_ref()?.what;
        let suite = (hello.version, hello.cipher);
        if self.overhead.0 != suite {
            self.overhead = (suite, Overhead::of(hello.version, hello.cipher));
        }
        self.overhead.1.map(|overhead| overhead.hides(len))
    }

    /// Whether what follows the connection sequence is a session: both sides go on speaking, for a while or at length.
    fn is_sustained(&self, lasted: Duration) -> bool {
        let [client, server] = self.sustained;
        client > 0 && server > 0 && (server >= SUSTAINED_BYTES || lasted >= SUSTAINED)
    }

    /// Whether a sealed record is an alert: by its type, in TLS 1.3 by its length.
    fn is_alert(&self, kind: u8, len: u64) -> bool {
        let tls13 = self.facts.first(|tls| tls.server_hello.as_ref()).is_some_and(|hello| hello.what.version == 0x0304);
        kind == ALERT || tls13 && len == SEALED_ALERT
    }

    pub(super) fn ripe_at(&self, mark: Mark) -> Ripe {
        Ripe { mark, waited: self.phases.last().map(|phase| phase.waited).unwrap_or_default() }
    }

    /// The session is active, since `ripe`.
    pub(super) fn activate(&mut self, Ripe { mark, waited }: Ripe) {
        self.ripe = None;
        self.ladder.settle();
        for leg in &mut self.legs {
            leg.active();
        }
        let since = self.phases.last_mut().map(|phase| {
            let since = phase.waited - waited;
            phase.waited = waited;
            since
        });
        // It turns out to have been active since then: nobody had to speak.
        self.waits.retain(|wait| wait.until <= mark.at);
        self.end_phase(self.last_phase(), mark, Outcome::Done, Basis::Inferred);
        self.begin_phase(PhaseName::Active, mark, Basis::Inferred);
        if let (Some(phase), Some(since)) = (self.phases.last_mut(), since) {
            phase.waited =
                Waited { retransmission: since.retransmission, impairment: since.impairment, ..Waited::default() };
        }
    }
}
