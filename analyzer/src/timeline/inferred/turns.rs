//! How far a session got behind encryption, told from turns alone: what is left where the track is lost.
//!
//! It answers one question, carefully: did the session become active? Each time the server speaks after the client
//! did is a turn. The connection sequence has a known least number of turns behind TLS: two or three of CredSSP, then
//! Connect Initial, Attach User, Client Info and Confirm Active, each answered once. Channel joins are many turns of
//! equal size and count as one, so that a client with many channels does not look further along than it is.

use crate::event::Protocols;
use crate::observation::Side;

/// Turns from Connect Initial to Font Map when channel joins are skipped, \[MS-RDPBCGR\] 1.3.1.1.
const TURNS: u32 = 4;
/// Turns of CredSSP at least, \[MS-CSSP\] 3.1.5: negotiate and challenge, authenticate and public key.
const CREDSSP_TURNS: u32 = 2;
/// One more with HYBRID_EX: credentials and Early User Authorization Result, \[MS-RDPBCGR\] 2.2.10.2.
const AUTHORIZATION_TURN: u32 = 1;
/// Payload of the server by the end of the sequence at least: Connect Response, licence and Demand Active, bytes.
const SERVER_BYTES: u64 = 500;
/// Payload of the client by then at least: Connect Initial, Client Info and Confirm Active, bytes.
const CLIENT_BYTES: u64 = 900;

/// Counts turns behind encryption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::timeline) struct Turns {
    speaker: Option<Side>,
    flight: u64,
    last_flight: u64,
    turns: u32,
    /// Turns that repeated the one before: channel joins.
    repeated: u32,
    bytes: [u64; 2],
}

impl Turns {
    /// Counts payload of one side.
    pub fn push(&mut self, from: Side, len: u64) {
        self.bytes[from as usize] += len;
        match (self.speaker, from) {
            (Some(Side::Client), Side::Client) => self.flight += len,
            (_, Side::Client) => self.flight = len,
            (Some(Side::Client), Side::Server) => {
                let repeats = self.flight == self.last_flight;
                self.turns += u32::from(!repeats);
                self.repeated += u32::from(repeats);
                self.last_flight = self.flight;
            }
            (_, Side::Server) => {}
        }
        self.speaker = Some(from);
    }

    /// Whether the sequence must be over by now, given what was agreed on.
    pub fn is_active(&self, selected: Protocols) -> bool {
        self.progress(selected).answered >= TURNS && self.bytes[0] >= CLIENT_BYTES && self.bytes[1] >= SERVER_BYTES
    }

    /// Where it stands, given what was agreed on.
    pub fn progress(&self, selected: Protocols) -> Progress {
        let before = authentication_turns(selected) + u32::from(self.repeated > 0);
        Progress {
            authenticating: self.turns.min(authentication_turns(selected)),
            answered: self.turns.saturating_sub(before),
            waits: self.speaker == Some(Side::Client),
        }
    }
}

/// How far the connection sequence got behind encryption, told from turns alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Turns of the authentication before it (CredSSP, RDSTLS, RDSAAD) that were answered.
    pub authenticating: u32,
    /// Requests of the client after that which were answered, channel joins left out.
    pub answered: u32,
    /// Whether one of the client waits for its answer.
    pub waits: bool,
}

/// Turns of the authentication that was agreed on.
fn authentication_turns(selected: Protocols) -> u32 {
    match selected {
        Protocols::HYBRID => CREDSSP_TURNS,
        Protocols::HYBRID_EX => CREDSSP_TURNS + AUTHORIZATION_TURN,
        // \[MS-RDPBCGR\] 5.4.5.3 and 5.4.5.4: the client's request and the server's result.
        Protocols::RDSTLS | Protocols::RDSAAD => 1,
        _ => 0,
    }
}
