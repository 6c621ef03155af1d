//! A second connection to the server, made to look like the first to the client: the same request, the same confirm, and from
//! the ClientHello on nothing is touched. A confirm says the same if it selects the same with the same flags: its SRC-REF is the
//! server's to choose.

use analyzer::event::ConnectionConfirm;
use analyzer::observation::{Interception, Leg, Side};
use bytes::Bytes;

use super::opening::{MOST, Reader, confirm, is_end};
use super::{Deeds, State};

/// What was said so far.
#[derive(Debug)]
pub(crate) struct Replay {
    /// What was passed on before; nothing at a gateway.
    pub(super) negotiated: Option<Negotiated>,
    /// Of the client since then; held.
    pub(super) hello: Vec<u8>,
    /// Why TLS with the server did not come about.
    pub(crate) why: String,
}

/// A request, and what it came to.
#[derive(Debug)]
pub(super) struct Negotiated {
    /// Of the client.
    pub(super) request: Vec<u8>,
    /// What the server's confirm said.
    pub(super) agreed: ConnectionConfirm,
}

impl Replay {
    /// What the server is told first, the second time.
    pub(crate) fn says(&self) -> Bytes {
        let says = self.negotiated.as_ref().map_or(&self.hello, |negotiated| &negotiated.request);
        Bytes::copy_from_slice(says)
    }

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
    reader: Reader,
    agreed: ConnectionConfirm,
    replay: Replay,
    confirm: Vec<u8>,
    /// Who has sent a FIN: the client's is passed on behind its ClientHello.
    ended: [bool; 2],
}

impl Replaying {
    /// Or why everything passes from now on: there is no confirm to wait for.
    pub(super) fn new(replay: Replay) -> Result<Replaying, String> {
        let Some(negotiated) = &replay.negotiated else { return Err(replay.why) };
        let mut reader = Reader::default();
        reader.read(Side::Client, &Bytes::copy_from_slice(&negotiated.request));
        Ok(Replaying { reader, agreed: negotiated.agreed, replay, confirm: Vec::new(), ended: [false; 2] })
    }

    /// What the client said and nobody was told yet, bytes.
    pub(super) fn held(&self) -> usize {
        self.replay.hello.len()
    }

    pub(super) fn push(mut self: Box<Self>, from: Side, data: Bytes, deeds: &mut Deeds) -> State {
        if from == Side::Client {
            self.replay.hello.extend_from_slice(&data);
            return State::Replaying(self);
        }
        self.confirm.extend_from_slice(&data);
        let events = self.reader.read(Side::Server, &data);
        match confirm(&events) {
            Some(agreed) if agreed == self.agreed => self.pass(deeds),
            None if !events.iter().any(is_end) && self.confirm.len() <= MOST => State::Replaying(self),
            Some(_) | None => {
                let why = "the server answers the same request otherwise the second time".to_owned();
                deeds.step(Leg::Back, Interception::Stuck { why });
                deeds.ends = vec![Side::Client, Side::Server];
                State::Over
            }
        }
    }

    /// One side has sent its FIN.
    pub(super) fn ended(mut self: Box<Self>, from: Side, deeds: &mut Deeds) -> State {
        self.ended[from as usize] = true;
        deeds.ends.extend((from == Side::Server).then_some(Side::Client));
        // A server that has ended does not answer: nothing waits for that any more.
        deeds.ends.extend((self.ended == [true; 2]).then_some(Side::Server));
        State::Replaying(self)
    }

    fn pass(self, deeds: &mut Deeds) -> State {
        deeds.step(Leg::Front, Interception::Passed { why: self.replay.why });
        deeds.send(Side::Client, behind_tpkt(&self.confirm).to_vec());
        deeds.send(Side::Server, self.replay.hello);
        deeds.ends.extend(self.ended[Side::Client as usize].then_some(Side::Server));
        State::Passing
    }
}

/// What comes behind the first TPKT, whose length is in its bytes 2 and 3 (RFC 1006).
fn behind_tpkt(bytes: &[u8]) -> &[u8] {
    let len = bytes.get(2..4).map_or(0, |len| usize::from(len[0]) << 8 | usize::from(len[1]));
    bytes.get(len..).unwrap_or_default()
}
