//! Whether the end of a running session is a fault: who left how, and what was said before.

use std::time::Duration;

use super::{End, LegName, Timeline};
use crate::event::{McsPdu, RdpPdu, What};
use crate::observation::{Ending, Side};

/// A server that has said that it leaves closes sooner than this.
const LEAVES: Duration = Duration::from_secs(5);

impl Timeline {
    /// Whether an end was seen, so that what is said from here on is no cause of it: a server answers a client that is gone
    /// with an alert, and a client one that hangs up with its goodbye. A tunnel's connections end one after the other.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some() && self.facts.gateway.is_none()
    }

    /// Whether the way in which an active session ended is a fault: everything but a FIN of the client, a FIN of a server
    /// after somebody said goodbye, and a bare RST of the client, with which Windows clients end healthy sessions. Those are
    /// faults, too, where the client leaves a picture that stands still because what it sent does not arrive.
    pub fn ended_badly(&self) -> bool {
        match self.end.map(|end| (end.how, end.from)) {
            None => false,
            // Nobody has ended it, and nothing gets through any more.
            Some((Ending::Cut, _)) => self.is_frozen(),
            Some(_) if self.facts.inner.is_expelled() || self.is_cut_off() => true,
            Some((Ending::Fin, Some(Side::Server))) if self.is_cut_by_gateway() => true,
            Some((Ending::Fin, Some(Side::Server))) => self.is_frozen() || self.is_deserted(),
            Some((Ending::Fin, _) | (Ending::Reset, Some(Side::Client))) => self.is_frozen(),
            // It said that it ends the session: what the client said meanwhile is answered with RST.
            // A server that has not read the client's goodbye answers its close with RST, too.
            Some((Ending::Reset, Some(Side::Server))) if self.is_announced() || self.is_taken_leave_of() => {
                self.is_frozen()
            }
            Some((Ending::Reset, Some(Side::Server))) if self.unseen_last_words().is_some() => self.is_frozen(),
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

    /// Whether the server, or whoever stands for it, closed without a word: neither side had said that it leaves. Whoever
    /// ends a session says so first (\[MS-RDPBCGR\] 1.3.1.4; RFC 8446 6.1).
    fn is_deserted(&self) -> bool {
        let is_server = self.end.is_some_and(|end| end.mark.leg != LegName::Front);
        is_server && self.facts.gateway.is_none() && !self.is_goodbye_said() && self.unseen_last_words().is_none()
    }

    /// Whether either side said that it leaves before the connection ended, as far as that can be told: Set Error Info, a
    /// Shutdown Request, Disconnect Provider Ultimatum, close_notify. What may have the length of one counts.
    pub(super) fn is_goodbye_said(&self) -> bool {
        let inner = &self.facts.inner;
        let left = |side| self.last_words(side).may_leave;
        // Who says that it leaves leaves: what may have been a goodbye long before the end was none.
        let is_soon = self.end.is_none_or(|end| end.silence < LEAVES);
        let server_left = self.last_words(Side::Server).alert || left(Side::Server) && is_soon;
        self.is_goodbye_clear()
            || inner.is_announced()
            || inner.shutdown_requested.is_some()
            || self.is_inferred() && (left(Side::Client) || server_left)
    }

    /// Whether either side took its leave for certain: with close_notify, or with a Disconnect Provider Ultimatum that is read. What
    /// only has the length of one may be a movement of the mouse.
    fn is_taken_leave_of(&self) -> bool {
        self.facts.gateway.is_none() && (self.is_goodbye_clear() || self.facts.inner.ultimatum.is_some())
    }

    /// Whether either side sent an alert behind the handshake, or a Disconnect Provider Ultimatum in clear.
    fn is_goodbye_clear(&self) -> bool {
        let is_ultimatum = |(_, pdu): &(Side, McsPdu)| matches!(pdu, McsPdu::DisconnectProviderUltimatum { .. });
        self.facts.first(|tls| tls.sealed_alert.as_ref()).is_some()
            || self.facts.mcs.iter().any(|seen| is_ultimatum(&seen.what))
    }

    /// Whether it is the client that took its leave before the end: with a Disconnect Provider Ultimatum, or close_notify.
    pub fn is_left_in_order(&self) -> bool {
        let ultimatum = self.facts.inner.ultimatum.as_ref().is_some_and(|seen| seen.what.0 == Side::Client);
        let alert = self.facts.first(|tls| tls.sealed_alert.as_ref()).is_some_and(|seen| seen.what.0 == Side::Client);
        ultimatum || alert
    }

    /// Whether, when it ended, something of one side did not get through any more, however often it was sent again: it is not
    /// acknowledged, or missing before what came behind it, or the other side's window is shut. For three seconds at least.
    pub fn is_frozen(&self) -> bool {
        self.end.as_ref().is_some_and(|end| self.legs.iter().any(|leg| leg.is_frozen(end)))
    }
}

/// Whether somebody says with this that a session ends, or why.
pub(super) fn is_last_word(what: &What) -> bool {
    match what {
        What::Alert { .. }
        | What::SealedAlert { .. }
        | What::Partial { .. }
        | What::Malformed { .. }
        | What::NotTls { .. } => true,
        What::Mcs { pdu, .. } => matches!(pdu, McsPdu::DisconnectProviderUltimatum { .. }),
        What::Rdp { pdu, .. } => matches!(pdu, RdpPdu::SetErrorInfo { .. }),
        What::Opening(_)
        | What::Opened
        | What::Path(_)
        | What::Sign(_)
        | What::Interception(_)
        | What::Impairment(_)
        | What::Lapse(_)
        | What::Passed { .. }
        | What::Missing { .. }
        | What::Closed { .. }
        | What::ConnectionRequest(_)
        | What::ConnectionConfirm(_)
        | What::NegotiationFailure { .. }
        | What::X224Refused { .. }
        | What::NotRdp { .. }
        | What::Unsealed
        | What::ProxyHeader(_)
        | What::Kdc(_)
        | What::Outer(_)
        | What::Gateway(_)
        | What::Credssp { .. }
        | What::Account(_)
        | What::EarlyAuthorization { .. }
        | What::RdstlsResult { .. }
        | What::RdsaadResult { .. }
        | What::ClientSettings(_)
        | What::ServerSettings(_)
        | What::ClientHello(_)
        | What::HelloRetryRequest
        | What::ServerHello(_)
        | What::EncryptedExtensions { .. }
        | What::Certificates { .. }
        | What::CertificateRequest
        | What::ServerHelloDone
        | What::ClientKeyExchange
        | What::ChangeCipherSpec { .. }
        | What::TlsEstablished { .. }
        | What::Record { .. }
        | What::Decrypted { .. }
        | What::Undecrypted { .. } => false,
    }
}
