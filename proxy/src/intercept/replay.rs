//! A second connection to the server, made to look like the first to the client: the same request, the same confirm, and from
//! the ClientHello on nothing is touched.

use analyzer::observation::{Interception, Leg, Side};
use bytes::Bytes;

use super::{Deeds, State};

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Of the client, and passed on: the request.
    pub(crate) request: Vec<u8>,
    /// Of the server, and passed on: the confirm.
    pub(super) confirm: Vec<u8>,
    /// Of the client since then; held.
    pub(super) hello: Vec<u8>,
    /// Why TLS with the server did not come about.
    pub(crate) why: String,
}

impl Replay {
    /// What comes before the second connection stands: the client goes on, the server's words are of no use.
    pub(super) fn push(mut self: Box<Self>, from: Side, data: &[u8]) -> State {
        if from == Side::Client {
            self.hello.extend_from_slice(data);
        }
        State::Redial(self)
    }
}

/// The request is on its way again.
#[derive(Debug)]
pub(super) struct Replaying {
    replay: Replay,
    confirm: Vec<u8>,
}

impl Replaying {
    pub(super) fn new(replay: Replay) -> Replaying {
        Replaying { replay, confirm: Vec::new() }
    }

    pub(super) fn push(mut self: Box<Self>, from: Side, data: Bytes, deeds: &mut Deeds) -> State {
        if from == Side::Client {
            self.replay.hello.extend_from_slice(&data);
            return State::Replaying(self);
        }
        self.confirm.extend_from_slice(&data);
        if self.confirm.len() < self.replay.confirm.len() && self.replay.confirm.starts_with(&self.confirm) {
            return State::Replaying(self);
        }
        let Some(more) = self.confirm.strip_prefix(&*self.replay.confirm) else {
            let why = "the server answers the same request otherwise the second time".to_owned();
            deeds.step(Leg::Back, Interception::Stuck { why });
            deeds.ends = vec![Side::Client, Side::Server];
            return State::Over;
        };
        deeds.step(Leg::Front, Interception::Passed { why: self.replay.why });
        deeds.send(Side::Client, more.to_vec());
        deeds.send(Side::Server, self.replay.hello);
        State::Passing
    }
}
