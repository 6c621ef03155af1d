//! How a connection begins: SYN, SYN-ACK, and where the capture joins later.

use super::{Flow, Incoming, Syn};
use crate::observation::{Ending, Opening, Seen, Side, Sign};
use crate::tcp::half::{MAX_AHEAD, Out, sign};
use crate::time::Timestamp;

impl Flow {
    /// Says how a connection began of which the server's agreement came first: its SYN is stored behind that where both have
    /// one time; otherwise it is not in the capture, and all that comes behind it is.
    pub(super) fn introduce(&mut self, next: Option<&Incoming<'_>>, out: &mut Out<'_>) {
        let waits = next.is_some_and(|next| next.segment.syn && next.segment.ack);
        let Some((at, frame)) = self.early.take_if(|_| !waits) else { return };
        match next.filter(|next| next.segment.syn && next.at <= at && self.is_asked_by(&next.segment)) {
            Some(syn) => {
                self.greeting.asked(syn, out);
                self.dial(syn.at, syn.frame, syn.segment.sequence, out);
                out.told.push((at, frame, Seen::Opened));
            }
            // Nothing but the SYN is missing.
            None => {
                let dialing = Opening::Dialing { client: self.client, server: self.server };
                out.told.push((at, frame, Seen::Opening(dialing)));
                out.told.push((at, frame, Seen::Opened));
            }
        }
    }

    /// Joins in the middle where neither SYN nor its answer is in the capture.
    pub fn join_if_new(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        if self.syn.is_none() && !self.opened {
            self.join(incoming, out);
        }
    }

    pub(super) fn join(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        self.opened = true;
        self.joined(incoming.at, incoming.frame, out);
        if incoming.segment.ack {
            self.halves[incoming.from.other() as usize].begin(incoming.segment.acknowledgement);
        }
    }

    pub(super) fn joined(&self, at: Timestamp, frame: u64, out: &mut Out<'_>) {
        let joined = Opening::Joined { client: self.client, server: self.server };
        out.told.push((at, frame, Seen::Opening(joined)));
    }

    /// A SYN: the first, one sent again, or another try after a refusal.
    pub(super) fn asked(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, segment, .. } = *incoming;
        if self.opened {
            return;
        }
        self.greeting.asked(incoming, out);
        match &mut self.syn {
            Some(syn) if !self.refused && !self.reset => {
                let place = u32::try_from(syn.count).unwrap_or(u32::MAX);
                sign(out, at, frame, Sign::SynAgain { place, after: at.since(syn.last) });
                (syn.last, syn.frame, syn.count) = (at, frame, syn.count + 1);
            }
            Some(_) | None => self.dial(at, frame, segment.sequence, out),
        }
    }

    pub(super) fn dial(&mut self, at: Timestamp, frame: u64, sequence: u32, out: &mut Out<'_>) {
        (self.refused, self.reset) = (false, false);
        self.syn = Some(Syn { first: at, last: at, frame, sequence, count: 1 });
        let dialing = Opening::Dialing { client: self.client, server: self.server };
        out.told.push((at, frame, Seen::Opening(dialing)));
    }

    /// The answer to a SYN. One that was not captured is made up for: the connection stands all the same.
    pub(super) fn agreed(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, segment, .. } = *incoming;
        self.agreed_again |= self.opened;
        if self.opened {
            return self.agreed_more(incoming, out);
        }
        let begins = segment.acknowledgement;
        let Some(syn) = self.syn else {
            (self.opened, self.early, self.syn_ack) = (true, Some((at, frame)), Some(at));
            self.greeting.agreed(incoming, out);
            self.halves[0].begin(begins);
            self.halves[1].begin(segment.sequence.wrapping_add(1));
            return;
        };
        if syn.sequence.wrapping_add(1) != begins {
            return;
        }
        if self.refused || self.reset {
            // The refusal was not the server's: it agrees.
            self.dial(at, frame, syn.sequence, out);
        }
        self.syn_ack = Some(at);
        self.greeting.agreed(incoming, out);
        self.halves[1].restart(segment.sequence.wrapping_add(1));
        self.open(at, frame, begins, out);
    }

    /// A further SYN-ACK: the same again, or another's answer. Of those the one counts that the client takes.
    pub(super) fn agreed_more(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let segment = &incoming.segment;
        let begins = Some(segment.sequence.wrapping_add(1));
        if self.halves[1].begins() == begins {
            return self.greeting.agreed_again(incoming, self.syn_ack.is_none(), out);
        }
        let fits = self.halves[0].begins() == Some(segment.acknowledgement);
        if fits && self.syn_ack.is_some() && self.halves[1].is_untouched() {
            self.greeting.agreed(incoming, out);
        }
    }

    /// Whose answer to the SYN it is that this segment goes on with: what the client acknowledges, or what the server says.
    pub(super) fn decide(&mut self, incoming: &Incoming<'_>) {
        let Incoming { from, segment, .. } = *incoming;
        let number = match from {
            _ if segment.rst || !self.greeting.is_undecided() => return,
            Side::Client if segment.ack => segment.acknowledgement,
            Side::Client => return,
            Side::Server => segment.sequence,
        };
        if let Some((at, begins)) = self.greeting.decide(number).filter(|_| self.halves[1].is_untouched()) {
            self.syn_ack = Some(at);
            self.halves[1].restart(begins);
        }
    }

    pub(super) fn open(&mut self, at: Timestamp, frame: u64, client_begins: u32, out: &mut Out<'_>) {
        if let Some(syn) = self.syn {
            self.syn_sample(&syn, syn.last, out);
        }
        self.opened = true;
        self.halves[0].restart(client_begins);
        out.told.push((at, frame, Seen::Opened));
    }

    /// Something other than a SYN while the handshake is not done.
    pub(super) fn unopened(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_>) {
        let Incoming { at, frame, from, segment, .. } = *incoming;
        let Some(syn) = self.syn else { return };
        let begins = syn.sequence.wrapping_add(1);
        match from {
            Side::Client if segment.rst => {
                self.end(at, frame, Side::Client, Ending::Reset, out);
            }
            Side::Server if segment.rst && segment.ack && segment.acknowledgement == begins => {
                self.end(at, frame, Side::Server, Ending::Refused, out);
            }
            // The SYN-ACK was not captured.
            Side::Client if segment.ack && segment.sequence == begins => {
                self.halves[1].begin(segment.acknowledgement);
                self.open(at, frame, begins, out);
                self.passed(incoming, out);
            }
            Side::Server if segment.ack && segment.payload_len > 0 && segment.acknowledgement == begins => {
                self.open(at, frame, begins, out);
                self.passed(incoming, out);
            }
            // More is missing than that: how it began is not in the capture.
            Side::Client if segment.ack && is_behind(begins, segment.sequence) => {
                self.join(incoming, out);
                self.passed(incoming, out);
            }
            Side::Server if segment.ack && !segment.rst && is_behind(begins, segment.acknowledgement) => {
                self.join(incoming, out);
                self.passed(incoming, out);
            }
            Side::Client | Side::Server => {}
        }
    }
}

/// Whether a number stands behind the first one of a side, as near as in any connection that just began.
fn is_behind(begins: u32, number: u32) -> bool {
    (1..=MAX_AHEAD).contains(&i64::from(number.wrapping_sub(begins).cast_signed()))
}
