//! The socket of a play that is impaired on purpose: what either side says waits in a line of [`Impair`] until it is due. Whoever
//! waits for anything of the [`Wire`] carries what is due meanwhile.
//!
//! A replay has one leg, which is what its peer sees: `front` and `back` both mean it. What the peer says waits between the
//! socket and the play, so a phase begins when the play hears of it.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;

use analyzer::observation::{Deed, Ending, Impairment, Side, Step};
use analyzer::timeline::phase::PhaseName;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::time::{Instant, sleep_until};

use super::play::{Tell, name_of, rounded};
use super::wire::{CHUNK, Wire};
use crate::clock;
use crate::impair::{Asked, Impair, Item};

/// What came and nobody has taken yet: no more than this is let out of its line, bytes.
const INBOX: usize = 1 << 20;

/// Both lines, and what became of what was asked for.
pub(super) struct Lines {
    impair: Impair<()>,
    own: Side,
    tell: Tell,
    began: Instant,
    /// Phases that have begun and nobody has asked for.
    phases: Vec<PhaseName>,
    /// Let out of its line, and not taken by the socket yet.
    outbox: Bytes,
    /// How the peer ended at the socket.
    peer_ended: Option<Ending>,
    /// Whether this side's end is an RST, which the play sends itself.
    resets: bool,
    /// Who is closed on purpose, and by which words.
    closing: Option<(Side, String)>,
    /// How the play was ended on purpose, and by which words.
    cut: Option<(Ending, String)>,
    /// What has not taken effect, in the words of who asked for it.
    unmet: VecDeque<String>,
    /// What took effect, and when; for people.
    notes: Vec<String>,
}

impl Lines {
    pub(super) fn new(asked: &Arc<Asked>, number: u32, own: Side, tell: Tell) -> Lines {
        Lines {
            impair: Impair::new(asked, number, clock::now()),
            own,
            tell,
            began: Instant::now(),
            phases: Vec::new(),
            outbox: Bytes::new(),
            peer_ended: None,
            resets: false,
            closing: None,
            cut: None,
            unmet: asked.specs.iter().map(ToString::to_string).collect(),
            notes: Vec::new(),
        }
    }

    /// Lets begin and end what is to by now, and tells.
    fn advance(&mut self) {
        let phases = std::mem::take(&mut self.phases);
        for (_, impairment) in self.impair.advance(clock::now(), &phases) {
            self.note(&impairment);
            match impairment.deed {
                Deed::Reset { .. } => self.cut = Some((Ending::Reset, impairment.asked)),
                Deed::Close { by } => self.closing = Some((by, impairment.asked)),
                Deed::Latency { .. } | Deed::Bandwidth { .. } | Deed::Stall => {}
            }
        }
    }

    fn note(&mut self, impairment: &Impairment) {
        let asked = &impairment.asked;
        let step = match impairment.step {
            Step::Begins => "takes effect",
            Step::Over => "is over",
        };
        if let Some(place) = self.unmet.iter().position(|unmet| unmet == asked && impairment.step == Step::Begins) {
            self.unmet.remove(place);
        }
        let says = format!("'{asked}' {step} at +{:?}", rounded(self.began.elapsed()));
        (self.tell.0)(&format!("IMPAIRED: {says}"));
        self.notes.push(says);
    }

    /// The end of this side's direction is due.
    fn at_end(&mut self, of: Side) {
        if let Some((_, asked)) = self.closing.take_if(|closing| closing.0 == of) {
            self.cut = Some((Ending::Fin, asked));
        }
    }

    /// Whether nothing that this side said waits.
    fn is_said(&self) -> bool {
        self.impair.is_empty(self.own) && self.outbox.is_empty()
    }

    /// When something is to be done, at the latest.
    fn due(&self, is_full: bool) -> Option<Instant> {
        let own = self.impair.due_from(self.own).filter(|_| self.outbox.is_empty());
        let peer = self.impair.due_from(self.own.other()).filter(|_| !is_full);
        let due = own.into_iter().chain(peer).chain(self.impair.moment()).min();
        due.map(|at| Instant::now() + at.since(clock::now()))
    }
}

impl Wire {
    /// Sends it by its line. What nobody will ever take is left.
    pub(super) async fn send_impaired(&mut self, mut bytes: &[u8]) {
        loop {
            self.carry().await;
            let Some(lines) = self.lines.as_mut().filter(|lines| lines.cut.is_none()) else { return };
            let room = lines.impair.room(lines.own).min(bytes.len());
            if room > 0 {
                lines.impair.push(lines.own, Bytes::copy_from_slice(&bytes[..room]), (), clock::now());
                bytes = &bytes[room..];
            }
            let is_over = self.ended == Some(Ending::Reset) || self.is_stuck();
            if bytes.is_empty() || is_over {
                return self.carry().await;
            }
            if room == 0 {
                self.wait().await;
            }
        }
    }

    pub(super) async fn receive_impaired(&mut self) -> Option<Vec<u8>> {
        loop {
            self.carry().await;
            if !self.inbox.is_empty() {
                return Some(std::mem::take(&mut self.inbox));
            }
            if self.is_stuck() {
                self.ended = self.lines.as_ref().and_then(|lines| lines.peer_ended);
            }
            if self.ended.is_some() {
                return None;
            }
            self.wait().await;
        }
    }

    /// Waits for a moment, or until the play was ended on purpose.
    pub(super) async fn until_impaired(&mut self, due: Instant) {
        loop {
            self.carry().await;
            if self.cut().is_some() || Instant::now() >= due {
                return;
            }
            tokio::select! {
                () = self.wait() => {}
                () = sleep_until(due) => {}
            }
        }
    }

    /// FIN, or the place of an RST, behind what was said.
    pub(super) async fn end_impaired(&mut self, how: Ending) {
        if let Some(lines) = &mut self.lines {
            lines.resets = how == Ending::Reset;
            lines.impair.end(lines.own, clock::now());
        }
        self.carry().await;
    }

    /// Waits until all that was said is sent, or nobody is left to take it.
    pub(super) async fn settle(&mut self) {
        loop {
            self.carry().await;
            let is_said = self.lines.as_ref().is_none_or(Lines::is_said);
            if is_said || self.ended == Some(Ending::Reset) || self.is_stuck() {
                return;
            }
            self.wait().await;
        }
    }

    /// These phases have begun.
    pub(super) fn begin(&mut self, phases: Vec<PhaseName>) {
        if let Some(lines) = &mut self.lines {
            lines.phases.extend(phases);
        }
    }

    /// Whether a phase is waited for.
    pub(super) fn awaits_phase(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.impair.awaits_phase())
    }

    /// How the play was ended on purpose, if it was, and in whose words.
    pub(super) fn cut(&self) -> Option<(Ending, &str)> {
        let (how, asked) = self.lines.as_ref()?.cut.as_ref()?;
        Some((*how, asked))
    }

    /// Whether something that was said waits on purpose.
    pub(super) fn holds(&self) -> bool {
        let waits = |lines: &Lines| [Side::Client, Side::Server].into_iter().any(|side| !lines.impair.is_empty(side));
        self.lines.as_ref().is_some_and(waits)
    }

    /// What took effect and when, and what did not; for people.
    pub(super) fn notes(&mut self) -> Vec<String> {
        let Some(lines) = &mut self.lines else { return Vec::new() };
        let unmet = lines.unmet.drain(..).map(|asked| format!("'{asked}' never took effect"));
        std::mem::take(&mut lines.notes).into_iter().chain(unmet).collect()
    }

    /// Whether the peer is gone, and what waits will never be due.
    pub(super) fn is_stuck(&self) -> bool {
        let is_full = self.inbox.len() >= INBOX;
        let is_stuck = |lines: &Lines| {
            lines.peer_ended.is_some() && lines.outbox.is_empty() && self.holds() && lines.due(is_full).is_none()
        };
        self.lines.as_ref().is_some_and(is_stuck)
    }

    /// Does what is due, and takes what the peer says while its line has room.
    async fn carry(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        lines.advance();
        if let Some((Ending::Reset, _)) = lines.cut {
            self.ended = Some(Ending::Reset);
            return;
        }
        self.take_in();
        self.let_in();
        self.let_out().await;
        if self.cut().is_some() {
            self.ended.get_or_insert(Ending::Fin);
        }
    }

    /// From the socket to the peer's line.
    fn take_in(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        let peer = lines.own.other();
        while lines.peer_ended.is_none() && lines.impair.room(peer) > 0 {
            let mut data = vec![0; lines.impair.room(peer).min(CHUNK)];
            match self.stream.try_read(&mut data) {
                Ok(0) => lines.peer_ended = Some(Ending::Fin),
                Ok(len) => {
                    data.truncate(len);
                    lines.impair.push(peer, data.into(), (), clock::now());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => lines.peer_ended = Some(Ending::Reset),
            }
            if lines.peer_ended.is_some() {
                lines.impair.end(peer, clock::now());
            }
        }
    }

    /// From the peer's line to the play.
    fn let_in(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        let peer = lines.own.other();
        while self.inbox.len() < INBOX
            && let Some(item) = lines.impair.take(peer, clock::now())
        {
            match item {
                Item::Bytes(data, ()) => self.inbox.extend_from_slice(&data),
                Item::End => {
                    lines.at_end(peer);
                    self.ended = lines.peer_ended.or(Some(Ending::Fin));
                }
            }
        }
    }

    /// From this side's line to the socket.
    async fn let_out(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        loop {
            while !lines.outbox.is_empty() {
                match self.stream.try_write(&lines.outbox) {
                    Ok(len) => lines.outbox.advance(len),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                    Err(_) => {
                        lines.peer_ended.get_or_insert(Ending::Reset);
                        self.ended = Some(Ending::Reset);
                        return;
                    }
                }
            }
            match lines.impair.take(lines.own, clock::now()) {
                Some(Item::Bytes(data, ())) => lines.outbox = data,
                Some(Item::End) => {
                    lines.at_end(lines.own);
                    if !lines.resets {
                        // The peer may be gone already: that is known, or will be.
                        let _ = self.stream.shutdown().await;
                    }
                }
                None => return,
            }
        }
    }

    /// Waits until there is something to carry.
    async fn wait(&self) {
        let Some(lines) = &self.lines else { return };
        let reads = lines.peer_ended.is_none() && lines.impair.room(lines.own.other()) > 0;
        let wanted = match (reads, !lines.outbox.is_empty()) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        };
        let ready = async {
            match wanted {
                // Where this fails, so does what is tried then.
                Some(wanted) => drop(self.stream.ready(wanted).await),
                None => std::future::pending().await,
            }
        };
        let due = lines.due(self.inbox.len() >= INBOX);
        let is_due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ready => {}
            () = is_due => {}
        }
    }
}

/// In words.
pub(super) fn as_asked((how, asked): (Ending, &str)) -> String {
    format!("{}, as asked: --impair '{asked}'", name_of(how))
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("cut", &self.cut).finish_non_exhaustive()
    }
}
