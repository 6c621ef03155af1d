//! What clients ask of domain controllers beside their sessions.

use std::net::IpAddr;

use crate::event::{Event, What};
use crate::observation::{Observation, Opening, Seen, Side};
use crate::rdp::kdc;

/// The client, where this is the beginning of a connection to a domain controller.
pub(super) fn client_of_kdc(seen: &Seen) -> Option<IpAddr> {
    let Seen::Opening(Opening::Dialing { client, server } | Opening::Joined { client, server }) = seen else {
        return None;
    };
    (server.port() == kdc::PORT).then(|| client.ip())
}

/// What a domain controller refuses here, other than what it always does first.
pub(super) fn refused(answers: &mut kdc::Answers, observation: &Observation) -> Option<Event> {
    let Observation { at, flow, frame, ref seen } = *observation;
    if let Seen::Missing { from: Side::Server, .. } = seen {
        answers.lose();
    }
    let Seen::Bytes { from: Side::Server, data } = seen else { return None };
    let error = answers.push(data).filter(|error| !error.is_usual())?;
    Some(Event { at, flow, frame, what: What::Kdc(error) })
}
