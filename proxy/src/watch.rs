//! The scribe: one thread that records what the relay notes and watches what it means.
//!
//! It reads the tap, numbers each observation as the recorder will store it, lets the analyzer see it, writes it with
//! the phase edges as comments, and samples the path at each edge. The relay never waits for it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::latency;
use analyzer::observation::{Absence, Flow, Leg, Observation, Seen};
use analyzer::report::{text, verdict};
use analyzer::session::Session;
use analyzer::time::Timestamp;
use analyzer::timeline::{Edge, Timeline};

use crate::clock;
use crate::record::{self, Recorder};
use crate::tap::{Begin, Budget, Intake, Note};

/// What was written reaches the system at least so often.
const FLUSH: Duration = Duration::from_millis(500);
/// A recording's buffer is handed over at this size, bytes.
const BUFFER: usize = 256 << 10;
/// Finished sessions that are kept for the summary and for withdrawing verdicts.
const KEPT: usize = 1_000;
/// So many of the last finished sessions are looked through for one that a new session withdraws.
const RECENT: usize = 100;

/// How the scribe works.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the recordings; none where nothing is recorded.
    pub out: Option<PathBuf>,
    /// What each recording says of itself.
    pub section: Section,
    /// Whether equal payload is stored on both legs also while the session is active.
    pub both: bool,
}

/// What happens, for whoever watches.
#[derive(Debug)]
pub enum Live<'a> {
    /// A phase begins or ends.
    Edge {
        /// Which session.
        session: u32,
        /// The edge.
        edge: &'a Edge,
    },
    /// A session ended: this is what it was.
    Verdict {
        /// Which session.
        session: u32,
        /// What is said of it.
        diagnosed: &'a Diagnosed,
    },
    /// A later session shows that an earlier failure was none.
    Withdrawn {
        /// The session whose verdict is withdrawn.
        diagnosed: &'a Diagnosed,
    },
    /// Somebody asked how long sessions have taken so far.
    Latency {
        /// Of every session that ended.
        set: &'a latency::Set,
    },
    /// The recorder does not keep up: payload of this session is given up, and counted.
    Missing {
        /// Which session.
        session: u32,
    },
    /// A recording cannot go on; the relay does.
    RecordingFailed {
        /// Which session.
        session: u32,
        /// Why.
        error: &'a io::Error,
    },
}

/// What the scribe has seen when it ends.
#[derive(Debug, Default)]
pub struct Summary {
    /// Finished sessions, in the order in which they ended.
    pub sessions: Vec<Diagnosed>,
    /// Further sessions that were too many to keep.
    pub more: u64,
    /// Payload bytes that could not be kept.
    pub dropped: u64,
    /// How long all of them took, those too many to keep included.
    pub latency: latency::Set,
}

/// Reads the tap until the relay is gone.
pub fn run(intake: Intake, config: Config, say: &mut dyn FnMut(Live<'_>)) -> Summary {
    run_asked(intake, config, &AtomicBool::new(false), say)
}

/// The same, and tells how long sessions have taken whenever `asked` is set, and unsets it.
pub fn run_asked(mut intake: Intake, config: Config, asked: &AtomicBool, say: &mut dyn FnMut(Live<'_>)) -> Summary {
    let budget = intake.budget().clone();
    let mut scribe = Scribe { config, budget, sessions: HashMap::new(), summary: Summary::default(), say };
    let mut notes = Vec::new();
    let mut flushed = Instant::now();
    while intake.gather(&mut notes, FLUSH) {
        for note in notes.drain(..) {
            scribe.note(note);
        }
        if asked.swap(false, Ordering::Relaxed) {
            (scribe.say)(Live::Latency { set: &scribe.summary.latency });
        }
        if flushed.elapsed() >= FLUSH {
            scribe.flush();
            flushed = Instant::now();
        }
    }
    scribe.finish()
}

struct Scribe<'a> {
    config: Config,
    budget: Budget,
    sessions: HashMap<u32, Open>,
    summary: Summary,
    say: &'a mut dyn FnMut(Live<'_>),
}

/// A session that goes on.
struct Open {
    begin: Box<Begin>,
    file: Option<String>,
    recorder: Recorder<Output>,
    layers: Session,
    timeline: Timeline,
    /// Whether payload was given up.
    missing: bool,
    /// Why the recording could not go on.
    failed: Option<String>,
}

impl Scribe<'_> {
    fn note(&mut self, note: Note) {
        match note {
            Note::Begin(begin) => self.begin(begin),
            Note::Seen(observation) => self.seen(observation),
            Note::End { session } => self.end(session),
        }
    }

    fn begin(&mut self, begin: Box<Begin>) {
        let session = begin.session;
        let (output, file) = self.open(session, begin.at);
        let recorder = Recorder::new(output, &self.config.section);
        // INVARIANT: Output never fails; it remembers that it did.
        let Ok(recorder) = recorder else { return };
        let open = Open {
            begin,
            file,
            recorder,
            layers: Session::default(),
            timeline: Timeline::default(),
            missing: false,
            failed: None,
        };
        self.sessions.insert(session, open);
        self.report_trouble(session);
    }

    fn open(&mut self, session: u32, at: Timestamp) -> (Output, Option<String>) {
        let Some(folder) = &self.config.out else { return (Output::default(), None) };
        let name = file_name(session, at);
        match record::create(folder, &name) {
            Ok((file, path)) => (Output { file: Some(file), ..Output::default() }, Some(path.display().to_string())),
            Err(error) => (Output { failed: Some(error), ..Output::default() }, None),
        }
    }

    fn seen(&mut self, observation: Observation) {
        let session = observation.flow.session;
        let Some(open) = self.sessions.get_mut(&session) else { return };
        self.budget.release(&open.begin.waiting, &observation);
        let dropped = matches!(observation.seen, Seen::Missing { why: Absence::Dropped, .. });
        if dropped && !std::mem::replace(&mut open.missing, true) {
            (self.say)(Live::Missing { session });
        }
        let edges = open.observe(observation);
        if open.timeline.is_active() && !open.begin.bulk.swap(true, Ordering::Relaxed) {
            // Legs with TLS of their own have no equal payload.
            if !self.config.both && !open.timeline.facts.is_intercepted() {
                open.recorder.store_once();
            }
        }
        if edges.is_empty() {
            return self.report_trouble(session);
        }
        open.sample();
        open.flush();
        for edge in &edges {
            (self.say)(Live::Edge { session, edge });
        }
        self.withdraw(session);
        self.report_trouble(session);
    }

    fn end(&mut self, session: u32) {
        let Some(mut open) = self.sessions.remove(&session) else { return };
        open.timeline.finish();
        let mut diagnosed = Diagnosed::new(open.file.take(), std::mem::take(&mut open.timeline));
        let remark = format!("verdict: {}", verdict::of_session(&diagnosed));
        let _kept_by_output = open.recorder.end(clock::now(), remark);
        diagnosed.incomplete = open.trouble();
        for earlier in recent(&mut self.summary.sessions).filter(|s| s.is_withdrawn_by(&diagnosed.timeline)) {
            withdraw(earlier, self.say);
        }
        (self.say)(Live::Verdict { session, diagnosed: &diagnosed });
        if diagnosed.is_rdp() {
            self.summary.latency.push(&diagnosed);
        }
        if self.summary.sessions.len() < KEPT {
            self.summary.sessions.push(diagnosed);
        } else {
            self.summary.more += 1;
        }
    }

    /// A session that got further takes back what was said of those before it.
    fn withdraw(&mut self, session: u32) {
        let Some(open) = self.sessions.get(&session) else { return };
        for earlier in recent(&mut self.summary.sessions).filter(|s| s.is_withdrawn_by(&open.timeline)) {
            withdraw(earlier, self.say);
        }
    }

    fn flush(&mut self) {
        let sessions: Vec<u32> = self.sessions.keys().copied().collect();
        for session in sessions {
            if let Some(open) = self.sessions.get_mut(&session) {
                open.flush();
            }
            self.report_trouble(session);
        }
    }

    fn report_trouble(&mut self, session: u32) {
        let Some(open) = self.sessions.get_mut(&session) else { return };
        if let Some(error) = open.recorder.output().failed.take() {
            open.failed = Some(error.to_string());
            (self.say)(Live::RecordingFailed { session, error: &error });
        }
    }

    fn finish(mut self) -> Summary {
        let left: Vec<u32> = self.sessions.keys().copied().collect();
        for session in left {
            self.end(session);
        }
        self.summary.dropped = self.budget.dropped();
        self.summary
    }
}

fn recent(sessions: &mut [Diagnosed]) -> impl Iterator<Item = &mut Diagnosed> {
    sessions.iter_mut().rev().take(RECENT).filter(|session| !session.withdrawn)
}

fn withdraw(earlier: &mut Diagnosed, say: &mut dyn FnMut(Live<'_>)) {
    earlier.withdraw();
    say(Live::Withdrawn { diagnosed: earlier });
}

impl Open {
    /// Numbers, analyses and writes one observation; tells the phase edges that it made.
    fn observe(&mut self, observation: Observation) -> Vec<Edge> {
        let Observation { at, flow, seen, .. } = observation;
        let mut edges = Vec::new();
        for piece in self.recorder.split(flow.leg, seen) {
            let frame = self.recorder.frame_of(&piece.seen);
            let numbered = Observation { at, flow, frame, seen: piece.seen.clone() };
            self.layers.push(&numbered, &mut |event| self.timeline.push(&event));
            let new = self.timeline.take_edges();
            let comments: Vec<String> = new.iter().map(text::comment).collect();
            let _kept_by_output = self.recorder.write(at, flow.leg, &piece, &comments);
            edges.extend(new);
        }
        edges
    }

    /// Samples the path of both legs, as part of the recording.
    fn sample(&mut self) {
        for leg in [Leg::Front, Leg::Back] {
            if let Some(sample) = self.begin.sampler.sample(leg) {
                let flow = Flow { session: self.begin.session, leg };
                let seen = Seen::Path(Box::new(sample));
                self.observe(Observation { at: clock::now(), flow, frame: 0, seen });
            }
        }
    }

    fn flush(&mut self) {
        let _kept_by_output = self.recorder.flush();
    }

    /// Why the recording is not whole, where it is not.
    fn trouble(&mut self) -> Option<String> {
        let last = self.recorder.output().failed.take().map(|error| error.to_string());
        let unwritten = self.recorder.output().unwritten;
        let why = self.failed.clone().or(last)?;
        Some(format!("{why}; {unwritten} bytes of it could not be written"))
    }
}

/// A recording's file behind a buffer. It never fails: it remembers the first error and swallows what comes after.
#[derive(Default)]
struct Output {
    file: Option<File>,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
    /// Bytes of the recording that were given up.
    unwritten: u64,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_some() {
            self.buffer.extend_from_slice(bytes);
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        } else {
            self.unwritten += bytes.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&self.buffer)
        {
            (self.file, self.failed) = (None, Some(error));
            self.unwritten += self.buffer.len() as u64;
        }
        // An idle session holds no memory.
        self.buffer = Vec::new();
        Ok(())
    }
}

fn file_name(session: u32, at: Timestamp) -> String {
    let time: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{time}-{session:05}")
}
