//! What is on the board: the sessions of a proxy as they stand, folded from what its watch tells. No terminal here.

use std::collections::{BTreeMap, VecDeque};

use analyzer::attempt::Diagnosed;
use analyzer::diagnose::Outcome;
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;
use proxy::clock;
use proxy::watch::{Live, Which};

use crate::commands::proxy::tell;

/// Finished sessions that are kept. Further ones are counted.
const KEPT: usize = 300;
/// Lines that are kept for the end.
const NOTES: usize = 200;

/// A session's place: the number of its recording, and which of the sessions in it.
pub type Place = (u32, usize);

/// All sessions.
#[derive(Debug, Default)]
pub struct Board {
    sessions: BTreeMap<Place, Session>,
    /// How many are over, how many of these failed or broke, and how many are not kept any more.
    pub over: u64,
    pub failed: u64,
    pub forgotten: u64,
    /// Lines that belong to no session's row, for now and for the end.
    notes: VecDeque<String>,
    /// What is to be seen of them, or of others, until the next.
    pub note: Option<String>,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Which.
    pub which: Which,
    /// How it stands.
    pub state: State,
    /// By how many nanoseconds its times are ahead of the clock of this process.
    ahead: i64,
}

/// How a session stands.
#[derive(Debug)]
pub enum State {
    /// It goes on, and so much is known.
    Running(Box<Timeline>),
    /// It is over, and was this.
    Over(Box<Diagnosed>),
}

impl Session {
    /// What is known of it.
    pub fn timeline(&self) -> &Timeline {
        match &self.state {
            State::Running(timeline) => timeline,
            State::Over(diagnosed) => &diagnosed.timeline,
        }
    }

    /// A moment of the clock of this process, as the session's own times tell it.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        self.timeline().moment(clock::shifted(now, self.ahead))
    }

    /// Whether it is over, and was no good.
    pub fn is_bad(&self) -> bool {
        match &self.state {
            State::Running(_) => false,
            State::Over(diagnosed) => is_bad(diagnosed),
        }
    }

    fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }
}

fn is_bad(diagnosed: &Diagnosed) -> bool {
    matches!(diagnosed.outcome, Outcome::Failed | Outcome::Broken) && !diagnosed.withdrawn
}

fn place(which: &Which) -> Place {
    (which.session, which.part.unwrap_or(0))
}

impl Board {
    /// Takes what the watch tells.
    pub fn push(&mut self, live: &Live<'_>) {
        match live {
            // The phases stand in what is told of the session behind it.
            Live::Edge { .. } | Live::Waiting { .. } => {}
            Live::Running { ahead, sessions } => self.running(*ahead, sessions),
            Live::Verdict { session, diagnosed } => self.judged(*session, diagnosed),
            Live::Over { session } => self.sessions.retain(|(of, _), one| of != session || !one.is_running()),
            Live::Withdrawn { diagnosed } => self.withdrawn(diagnosed),
            Live::Impaired { .. }
            | Live::Lapsed { .. }
            | Live::Latency { .. }
            | Live::Missing { .. }
            | Live::Deleted { .. }
            | Live::PartsDeleted { .. }
            | Live::Moved { .. }
            | Live::Refused { .. }
            | Live::Sealed { .. }
            | Live::NotFinalized { .. }
            | Live::RecordingFailed { .. } => self.note(tell(live)),
        }
    }

    /// Takes lines that are to be seen now, and at the end.
    pub fn note(&mut self, lines: String) {
        self.note = lines.lines().find(|line| !line.trim().is_empty()).map(str::to_owned);
        self.notes.push_back(lines);
        if self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    /// The lines that are for the end.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes).into()
    }

    /// The sessions, in the order of their numbers.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = (Place, &Session)> {
        self.sessions.iter().map(|(place, session)| (*place, session))
    }

    /// One of them.
    pub fn session(&self, place: Place) -> Option<&Session> {
        self.sessions.get(&place)
    }

    /// How many go on.
    pub fn open(&self) -> usize {
        self.sessions.values().filter(|session| session.is_running()).count()
    }

    /// All that go on in one recording: what is not among them any more has joined another.
    fn running(&mut self, ahead: i64, sessions: &[(Which, &Timeline)]) {
        let Some((first, _)) = sessions.first() else { return };
        let is_told = |place: &Place| sessions.iter().any(|(which, _)| self::place(which) == *place);
        self.sessions.retain(|at, one| at.0 != first.session || !one.is_running() || is_told(at));
        for (which, timeline) in sessions {
            let state = State::Running(Box::new((*timeline).clone()));
            self.sessions.insert(place(which), Session { which: *which, state, ahead });
        }
    }

    fn judged(&mut self, which: Which, diagnosed: &Diagnosed) {
        self.over += 1;
        self.failed += u64::from(is_bad(diagnosed));
        let state = State::Over(Box::new(diagnosed.clone()));
        self.sessions.insert(place(&which), Session { which, state, ahead: 0 });
        let over = self.sessions.iter().filter(|(_, session)| !session.is_running());
        if over.clone().count() > KEPT
            && let Some(oldest) = over.map(|(place, _)| *place).next()
        {
            self.sessions.remove(&oldest);
            self.forgotten += 1;
        }
    }

    fn withdrawn(&mut self, withdrawn: &Diagnosed) {
        for session in self.sessions.values_mut() {
            if let State::Over(known) = &mut session.state
                && !known.withdrawn
                && (&known.file, known.timeline.began) == (&withdrawn.file, withdrawn.timeline.began)
            {
                self.failed -= u64::from(is_bad(known));
                **known = withdrawn.clone();
            }
        }
    }
}
