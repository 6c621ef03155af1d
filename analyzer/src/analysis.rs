//! The whole way at once: observations of one recording in, what is said of its sessions out.

use std::sync::Arc;

use crate::attempt::Diagnosed;
use crate::event::Event;
use crate::observation::Observation;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::timeline::Timeline;
use crate::tls::keys::Keyring;
use crate::transcript::Line;

/// The analysis of one recording, fed one observation at a time: of one session, or, on the way through a gateway, of the
/// connections of one client that go on together.
#[derive(Default)]
pub struct Analysis {
    layers: Session,
    sessions: Sessions,
    /// What is known before the first observation.
    nothing: Timeline,
    /// What happened since somebody last asked, if somebody asks.
    steps: Option<Vec<Step>>,
}

/// What one observation was, and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was seen.
    pub observation: Observation,
    /// What the protocol did by it.
    pub events: Vec<Event>,
    /// What both sides said of RDP, in clear.
    pub lines: Vec<Line>,
}

impl Analysis {
    /// One that opens what these secrets open.
    pub fn with_keys(keys: &Arc<Keyring>) -> Analysis {
        Analysis { layers: Session::with_keys(keys), ..Analysis::default() }
    }

    /// The same, and remembers each step: [`Analysis::take_steps`] is to be called after each observation.
    #[must_use]
    pub fn witnessed(self) -> Analysis {
        Analysis { layers: self.layers.transcribing(), steps: Some(Vec::new()), ..self }
    }

    /// What happened since this was last called.
    pub fn take_steps(&mut self) -> Vec<Step> {
        self.steps.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes one observation.
    pub fn push(&mut self, observation: &Observation) {
        let mut events = self.steps.is_some().then(Vec::new);
        self.layers.push(observation, &mut |event| {
            self.sessions.push(&event);
            if let Some(events) = &mut events {
                events.push(event);
            }
        });
        if let (Some(steps), Some(events)) = (&mut self.steps, events) {
            steps.push(Step { observation: observation.clone(), events, lines: self.layers.take_lines() });
        }
        // Nobody watches: edges are for those who do.
        self.sessions.take_edges();
    }

    /// Takes what was learned in another way than from the flow's bytes: the certificate that TLS 1.3 hides from whoever
    /// watches and shows to whoever takes part.
    pub fn learn(&mut self, event: &Event) {
        self.sessions.learn(event);
        self.sessions.take_edges();
    }

    /// What is known of its first session so far.
    pub fn timeline(&self) -> &Timeline {
        self.sessions.timelines().next().map_or(&self.nothing, |(_, timeline)| timeline)
    }

    /// Forgets a connection that has nothing to do with Remote Desktop.
    pub fn forget(&mut self, number: u32) {
        self.layers.forget(number);
        self.sessions.forget(number);
    }

    /// The sessions.
    pub fn sessions(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    /// The input is over: what is said of its first session. Observations of one connection make no other.
    pub fn finish(self, file: Option<String>) -> Diagnosed {
        let first = self.finish_all(file.as_deref()).into_iter().next();
        first.unwrap_or_else(|| Diagnosed::new(file, Timeline::default()))
    }

    /// The input is over: what is said of each session, in the order of their beginning.
    pub fn finish_all(self, file: Option<&str>) -> Vec<Diagnosed> {
        let timelines = self.sessions.finish().into_iter();
        timelines.map(|(_, timeline)| Diagnosed::new(file.map(str::to_owned), timeline)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::group;
    use crate::observation::{Ending, Flow, Leg, Opening, PathSample, Seen, Side};
    use crate::time::Timestamp;

    /// A connection on one leg that the server resets at once.
    fn reset(analysis: &mut Analysis, leg: Leg, client: &str, server: &str, at: u64) {
        let flow = Flow { session: 0, leg };
        let (client, server) = (client.parse().expect("an address"), server.parse().expect("an address"));
        let again = PathSample { retransmits: Some(3), min_rtt_us: Some(700), ..PathSample::default() };
        let request = vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0];
        let story = [
            Seen::Opening(Opening::Dialing { client, server }),
            Seen::Opened,
            Seen::Bytes { from: Side::Client, data: request.into() },
            Seen::Path(Box::new(again)),
            Seen::Closed { from: Some(Side::Server), how: Ending::Reset },
        ];
        for (seen, frame) in story.into_iter().zip(1..) {
            analysis.push(&Observation { at: Timestamp::at((at + frame) * 1_000_000), flow, frame, seen });
        }
    }

    fn relayed() -> crate::attempt::Diagnosed {
        let mut relay = Analysis::default();
        reset(&mut relay, Leg::Back, "10.0.0.2:41000", "10.0.0.3:3389", 1000);
        reset(&mut relay, Leg::Front, "10.0.0.1:50000", "10.0.0.2:3390", 1010);
        relay.finish(Some("relay.pcapng".into()))
    }

    #[test]
    fn a_capture_of_a_relays_leg_is_further_evidence_of_its_session() {
        let mut wire = Analysis::default();
        reset(&mut wire, Leg::Only, "10.0.0.2:41000", "10.0.0.3:3389", 1001);
        let attempts = group(vec![wire.finish(Some("wire.pcap".into())), relayed()]);
        let [attempt] = &attempts[..] else { panic!("{attempts:?}") };
        let [session] = &attempt.sessions[..] else { panic!("{attempt:?}") };
        assert_eq!((session.file.as_deref(), session.witnesses[0].leg), (Some("relay.pcapng"), Leg::Back));
        let says = &session.findings[0].evidence.last().expect("evidence").says;
        assert!(says.starts_with("back leg on the wire, in wire.pcap: RTT 700 µs, 3 retransmits"), "{says}");
    }

    #[test]
    fn a_capture_of_another_time_is_another_session() {
        let mut wire = Analysis::default();
        reset(&mut wire, Leg::Only, "10.0.0.2:41000", "10.0.0.3:3389", 900_000);
        let sessions = group(vec![wire.finish(Some("wire.pcap".into())), relayed()]);
        assert_eq!(sessions.len(), 2);
    }
}
