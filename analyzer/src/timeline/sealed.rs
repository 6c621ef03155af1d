//! How far a session got behind encryption, told from sizes and turns alone.
//!
//! It answers one question, carefully: did the session become active? Each time the server speaks after the client
//! did is a turn. The connection sequence has a known least number of turns behind TLS: three for CredSSP, then Connect
//! Initial, Attach User, Client Info and Confirm Active, each answered once. Channel joins are many turns of equal
//! size and count as one, so that a client with many channels does not look further along than it is.

use crate::event::Protocols;
use crate::observation::Side;

/// Turns from Connect Initial to Font Map when channel joins are skipped, \[MS-RDPBCGR\] 1.3.1.1.
const TURNS: u32 = 4;
/// Turns of CredSSP at least, \[MS-CSSP\] 3.1.5: negotiate and challenge, authenticate and public key.
const CREDSSP_TURNS: u32 = 2;
/// Payload of the server by the end of the sequence at least: Connect Response, licence and Demand Active, bytes.
const SERVER_BYTES: u64 = 500;
/// Payload of the client by then at least: Connect Initial, Client Info and Confirm Active, bytes.
const CLIENT_BYTES: u64 = 900;

/// Counts turns behind encryption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    speaker: Option<Side>,
    flight: u64,
    last_flight: u64,
    turns: u32,
    bytes: [u64; 2],
}

impl Sealed {
    /// Counts payload of one side.
    pub fn push(&mut self, from: Side, len: u64) {
        self.bytes[from as usize] += len;
        match (self.speaker, from) {
            (Some(Side::Client), Side::Client) => self.flight += len,
            (_, Side::Client) => self.flight = len,
            (Some(Side::Client), Side::Server) => {
                self.turns += u32::from(self.flight != self.last_flight);
                self.last_flight = self.flight;
            }
            (_, Side::Server) => {}
        }
        self.speaker = Some(from);
    }

    /// Whether the sequence must be over by now, given what was agreed on.
    pub fn is_active(&self, selected: Protocols) -> bool {
        let credssp = selected.intersects(Protocols(Protocols::HYBRID.0 | Protocols::HYBRID_EX.0));
        let needed = TURNS + if credssp { CREDSSP_TURNS } else { 0 };
        self.turns >= needed && self.bytes[0] >= CLIENT_BYTES && self.bytes[1] >= SERVER_BYTES
    }

    /// Whether nobody has said anything.
    pub fn is_silent(&self) -> bool {
        self.speaker.is_none()
    }
}
