//! What one connection shows of its server speaks for the others with it, too.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::Diagnosed;
use crate::diagnose::{Confidence, Severity};
use crate::event::McsPdu;
use crate::observation::Side;
use crate::timeline::Timeline;

/// The cause that is ruled out.
const INSISTS: &str = "X224-SSLREQ";
/// Why.
const REASON: &str = "another connection to this server was given standard RDP security";

/// A server that has given anybody standard RDP security does not insist on TLS: what it refuses a client without TLS for is
/// something else. (Where it says SSL_REQUIRED_BY_SERVER itself, it does.)
pub(super) fn settle(sessions: &mut [Diagnosed]) {
    let gave: HashSet<SocketAddr> = sessions
        .iter()
        .map(|session| &session.timeline)
        .filter(|timeline| is_served(timeline))
        .filter_map(server)
        .collect();
    if gave.is_empty() {
        return;
    }
    for session in sessions {
        if server(&session.timeline).is_some_and(|server| gave.contains(&server)) {
            session.excluded.push((INSISTS, REASON));
            session.not_insisted();
        }
    }
}

fn server(timeline: &Timeline) -> Option<SocketAddr> {
    timeline.server_leg().and_then(|leg| leg.server)
}

/// Whether the server went on with standard RDP security: it answered the client's MCS Connect Initial.
fn is_served(timeline: &Timeline) -> bool {
    let facts = &timeline.facts;
    let is_plain = facts.confirm.is_some() && facts.selected().is_none_or(|selected| selected.0 == 0);
    let is_answer = |pdu: &McsPdu| matches!(pdu, McsPdu::ConnectResponse { result: 0 });
    is_plain && facts.mcs.iter().any(|seen| seen.what.0 == Side::Server && is_answer(&seen.what.1))
}

impl Diagnosed {
    /// Its finding is what else it could be.
    fn not_insisted(&mut self) {
        let is_guess = |finding: &&mut crate::diagnose::Finding| {
            finding.severity == Severity::Failure && finding.confidence != Confidence::Certain
        };
        for finding in self.findings.iter_mut().filter(is_guess) {
            finding.alternatives.retain(|(cause, _)| cause.id != INSISTS);
            if finding.cause.id == INSISTS && !finding.alternatives.is_empty() {
                (finding.cause, finding.confidence) = finding.alternatives.remove(0);
                finding.says = format!("{}; {REASON}", finding.says);
            }
        }
    }
}
