//! Whether the end of a running session is a fault: who left how, and what was said before.

use super::{End, LegName, QUIET, Timeline};
use crate::observation::{Ending, Side};

impl Timeline {
    /// Whether the way in which an active session ended is a fault: everything but a FIN, and a bare RST of the
    /// client, with which Windows clients end healthy sessions. Those are faults, too, where the client leaves a picture
    /// that stands still because what it sent does not arrive.
    pub fn ended_badly(&self) -> bool {
        match self.end.map(|end| (end.how, end.from)) {
            None => false,
            // Nobody has ended it, and nothing gets through any more.
            Some((Ending::Cut, _)) => self.is_frozen(),
            Some(_) if self.facts.inner.is_expelled() || self.is_cut_off() => true,
            Some((Ending::Fin, Some(Side::Server))) if self.is_cut_by_gateway() => true,
            Some((Ending::Fin, Some(Side::Server))) => self.is_frozen() || self.is_cut_when_quiet(),
            Some((Ending::Fin, _) | (Ending::Reset, Some(Side::Client))) => self.is_frozen(),
            // It said that it ends the session: what the client said meanwhile is answered with RST.
            Some((Ending::Reset, Some(Side::Server))) if self.is_announced() => self.is_frozen(),
            Some((
                Ending::Reset | Ending::Refused | Ending::Unreachable | Ending::TimedOut | Ending::Unresolved,
                _,
            )) => true,
        }
    }

    /// Whether the gateway ended the tunnel by itself, not because the target had ended the session in it.
    pub fn is_cut_off(&self) -> bool {
        let cuts_off = |end: &End| self.facts.gateway.as_ref().is_some_and(|gateway| gateway.cuts_off(end));
        self.end.as_ref().is_some_and(cuts_off) && !self.is_announced()
    }

    /// Whether the server said that it ends the session, as far as that can be told.
    pub(super) fn is_announced(&self) -> bool {
        self.facts.inner.is_announced() || self.is_inferred() && self.last_words(Side::Server).ultimatum
    }

    /// Whether the server closed without a word after a silence. Whoever ends a session says so first.
    fn is_cut_when_quiet(&self) -> bool {
        let alert = self.facts.first(|tls| tls.sealed_alert.as_ref()).is_some();
        self.end.is_some_and(|end| end.mark.leg != LegName::Front && end.silence >= QUIET)
            && !alert
            && !self.is_announced()
    }

    /// Whether, when it ended, something of one side did not get through any more, however often it was sent again: it is not
    /// acknowledged, or missing before what came behind it, or the other side's window is shut. For three seconds at least.
    pub fn is_frozen(&self) -> bool {
        self.end.as_ref().is_some_and(|end| self.legs.iter().any(|leg| leg.is_frozen(end)))
    }
}
