//! TLS of both legs ends here: plaintext goes from one to the other as it comes, and so does the end of what a side says.

use analyzer::observation::{Interception, Side};

use super::{Deeds, State, leg_to, told};
use crate::tls::{Broken, End};

/// Both ends, and whose close_notify was passed on.
#[derive(Debug)]
pub(super) struct Between {
    /// To the client.
    front: End,
    /// To the server.
    back: End,
    closed: [bool; 2],
    /// What the server said before the client's handshake was over, bytes.
    early: usize,
}

impl Between {
    /// The client is answered. `plain` is what the server said first.
    pub(super) fn begin(front: End, back: End, plain: &[u8], deeds: &mut Deeds) -> Between {
        let mut between = Between { front, back, closed: [false; 2], early: plain.len() };
        // INVARIANT: an end that has just begun takes what it is to say.
        let _said = between.front.say(plain);
        deeds.flush(&mut between.back, Side::Server);
        deeds.flush(&mut between.front, Side::Client);
        between
    }

    pub(super) fn push(mut self: Box<Self>, from: Side, data: &[u8], deeds: &mut Deeds) -> State {
        let passed = self.pass(from, data);
        for side in [from.other(), from] {
            deeds.flush(self.end(side), side);
        }
        match passed {
            Ok(()) => State::Between(self),
            Err((at, broken)) => {
                if let Some(alert) = broken.alert {
                    self.pass_on(at, alert, deeds);
                }
                deeds.step(leg_to(at), Interception::Broke { why: told(broken) });
                deeds.ends = vec![Side::Client, Side::Server];
                State::Over
            }
        }
    }

    /// Takes what one side said and says it to the other; or tells with whom TLS cannot go on, and why.
    fn pass(&mut self, from: Side, data: &[u8]) -> Result<(), (Side, Broken)> {
        let mut plain = Vec::new();
        let taken = self.end(from).take(data, &mut plain);
        if from == Side::Server && self.front.is_handshaking() {
            self.early += plain.len();
        }
        self.end(from.other()).say(&plain).map_err(|broken| (from.other(), broken))?;
        taken.map_err(|broken| (from, broken))?;
        let closed = self.end(from).is_closed().map_err(|broken| (from, broken))?;
        if closed && !self.closed[from as usize] {
            self.closed[from as usize] = true;
            self.end(from.other()).close();
        }
        Ok(())
    }

    /// A fatal alert of one side is the other's last word, too.
    fn pass_on(self, from: Side, alert: u8, deeds: &mut Deeds) {
        let (end, to) = match from {
            Side::Client => (self.back, Side::Server),
            Side::Server => (self.front, Side::Client),
        };
        deeds.send(to, end.fail(alert));
    }

    /// What the server said and the client cannot be told yet, bytes.
    pub(super) fn held(&self) -> usize {
        if self.front.is_handshaking() { self.early } else { 0 }
    }

    /// The end that talks to this side.
    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.front,
            Side::Server => &mut self.back,
        }
    }
}
