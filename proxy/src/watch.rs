//! The scribe: one thread that records what the relay notes and watches what it means.
//!
//! It reads the tap, numbers each observation as the recorder will store it, lets the analyzer see it, writes it with
//! the phase edges as comments, and samples the path at each edge. The relay never waits for it. Where secrets are to come
//! from a key log, it follows that, and hands each session the lines that are its own.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::hold::{self, Hold};
use analyzer::latency;
use analyzer::observation::{Absence, Flow, Leg, Observation, Seen};
use analyzer::reading;
use analyzer::report::{text, verdict};
use analyzer::time::Timestamp;
use analyzer::timeline::{Edge, Timeline};

use crate::clock;
use crate::finalize::{finalize_unless, give_up};
use crate::keylog::KeyLog;
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
/// The key log is looked at so often while a session waits for its secrets.
const LOOK: Duration = Duration::from_millis(20);
/// A session that has ended waits so long for secrets that are still being written.
const GRACE: Duration = Duration::from_secs(1);
/// At the end, recordings that are being written anew get so long. The summary must not wait for them.
const REWRITE: Duration = Duration::from_secs(5);
/// One that is told to stop gets so long for the block that it is at.
const STOP: Duration = Duration::from_secs(1);
/// A recording whose secrets came too late is read once more where it is no longer than this, bytes: 0.2 seconds.
const READ_AGAIN: u64 = 32 << 20;

/// How the scribe works.
#[derive(Debug)]
pub struct Config {
    /// Folder of the recordings; none where nothing is recorded.
    pub out: Option<PathBuf>,
    /// What each recording says of itself.
    pub section: Section,
    /// Whether equal payload is stored on both legs also while the session is active.
    pub both: bool,
    /// Where the secrets of sessions come from.
    pub secrets: Secrets,
    /// Whether user names are to be shown.
    pub names: bool,
}

/// Where the secrets of sessions come from.
#[derive(Debug)]
pub enum Secrets {
    /// From nowhere: what is sealed stays so.
    None,
    /// From a key log that a client or a server writes.
    KeyLog(Box<KeyLog>),
    /// Whoever notes what is seen notes them, too.
    Noted,
}

impl Secrets {
    /// From this key log, as far as it is written from now on.
    pub fn followed(log: &Path) -> Secrets {
        Secrets::KeyLog(Box::new(KeyLog::follow(log)))
    }

    /// What a session is held by.
    fn hold(&self) -> Hold {
        match self {
            Secrets::None => Hold::default(),
            Secrets::KeyLog(_) | Secrets::Noted => Hold::expecting(hold::Limits::default()),
        }
    }

    fn is_followed(&self) -> bool {
        matches!(self, Secrets::KeyLog(_))
    }

    fn keylog(&mut self) -> Option<&mut KeyLog> {
        match self {
            Secrets::KeyLog(log) => Some(log),
            Secrets::None | Secrets::Noted => None,
        }
    }
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
    /// A session was read without the secrets that it waited for.
    Sealed {
        /// Which session.
        session: u32,
        /// So many things that were seen of it.
        observations: u64,
    },
    /// A recording is whole, but its secrets could not be put before its first packet.
    NotFinalized {
        /// Which session.
        session: u32,
        /// Its recording.
        file: &'a Path,
        /// Why.
        error: &'a io::Error,
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
    let (sessions, summary) = (HashMap::new(), Summary::default());
    let (looked, finalizing, stop) = (Instant::now(), Vec::new(), Arc::default());
    let mut scribe = Scribe { config, budget, looked, sessions, finalizing, stop, summary, say };
    let mut notes = Vec::new();
    let mut flushed = Instant::now();
    while intake.gather(&mut notes, if scribe.is_waiting() { LOOK } else { FLUSH }) {
        for note in notes.drain(..) {
            scribe.note(note);
        }
        scribe.look();
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
    /// When the key log was last looked at.
    looked: Instant,
    sessions: HashMap<u32, Open>,
    /// Recordings that are being written anew.
    finalizing: Vec<Finalizing>,
    /// Set where no time is left for them.
    stop: Arc<AtomicBool>,
    summary: Summary,
    say: &'a mut dyn FnMut(Live<'_>),
}

/// A recording that is being written anew.
struct Finalizing {
    session: u32,
    path: PathBuf,
    thread: JoinHandle<io::Result<()>>,
}

/// A session that goes on.
struct Open {
    begin: Box<Begin>,
    file: Option<String>,
    recorder: Recorder<Output>,
    hold: Hold,
    timeline: Timeline,
    /// Whether secrets stand in it.
    has_secrets: bool,
    /// Until when a session that is over waits for its secrets.
    ends: Option<Instant>,
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
            Note::End { session } => self.over(session),
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
            hold: self.config.secrets.hold().naming(self.config.names),
            timeline: Timeline::default(),
            has_secrets: false,
            ends: None,
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
        self.told(session, edges);
    }

    /// Tells of phase edges, and of trouble.
    fn told(&mut self, session: u32, mut edges: Vec<Edge>) {
        let Some(open) = self.sessions.get_mut(&session) else { return };
        if open.timeline.is_active() && !open.begin.bulk.swap(true, Ordering::Relaxed) {
            // Legs with TLS of their own have no equal payload.
            if !self.config.both && !open.timeline.facts.is_intercepted() {
                open.recorder.store_once();
            }
        }
        if edges.is_empty() {
            return self.report_trouble(session);
        }
        edges.extend(open.sample());
        open.flush();
        for edge in &edges {
            (self.say)(Live::Edge { session, edge });
        }
        self.withdraw(session);
        self.report_trouble(session);
    }

    /// Nothing more will be seen of a session. Its secrets may still be on their way.
    fn over(&mut self, session: u32) {
        let is_followed = self.config.secrets.is_followed();
        match self.sessions.get_mut(&session) {
            Some(open) if is_followed && open.hold.sealed().next().is_some() => {
                open.ends = Some(Instant::now() + GRACE)
            }
            Some(_) | None => self.end(session),
        }
    }

    fn end(&mut self, session: u32) {
        let Some(mut open) = self.sessions.remove(&session) else { return };
        let (mut diagnosed, path) = open.close();
        let (observations, is_late, has_secrets) = (open.hold.without(), open.hold.is_late(), open.has_secrets);
        // Its file must be closed before another takes its place.
        drop(open);
        if observations > 0 && !is_late {
            (self.say)(Live::Sealed { session, observations });
        }
        for earlier in recent(&mut self.summary.sessions).filter(|s| s.is_withdrawn_by(&diagnosed.timeline)) {
            withdraw(earlier, self.say);
        }
        if let Some(path) = path.filter(|_| has_secrets && diagnosed.incomplete.is_none()) {
            let names = self.config.names;
            diagnosed = if is_late { read_again(&path, names, diagnosed, observations) } else { diagnosed };
            let (stop, file) = (Arc::clone(&self.stop), path.clone());
            let thread = thread::spawn(move || finalize_unless(&file, &stop).map(drop));
            self.finalizing.push(Finalizing { session, path, thread });
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

    /// Whether a session needs the key log looked at soon.
    fn is_waiting(&self) -> bool {
        self.config.secrets.is_followed()
            && self.sessions.values().any(|open| open.hold.is_waiting() || open.ends.is_some())
    }

    /// Hands what stands in the key log now to the sessions that it belongs to, and ends those that waited long enough.
    fn look(&mut self) {
        let (Some(keylog), true) = (self.config.secrets.keylog(), self.looked.elapsed() >= LOOK) else { return };
        self.looked = Instant::now();
        keylog.poll();
        let mut found = Vec::new();
        for (session, open) in &self.sessions {
            let logs = open.hold.sealed().filter_map(|random| keylog.take(&random));
            found.extend(logs.map(|log| (*session, log)));
        }
        for (session, log) in found {
            let flow = Flow { session, leg: Leg::Front };
            self.seen(Observation { at: clock::now(), flow, frame: 0, seen: Seen::Secret(Arc::new(log)) });
        }
        let is_over =
            |open: &Open| open.ends.is_some_and(|at| Instant::now() >= at || open.hold.sealed().next().is_none());
        let over: Vec<u32> = self.sessions.iter().filter(|(_, open)| is_over(open)).map(|(of, _)| *of).collect();
        over.into_iter().for_each(|session| self.end(session));
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
                let edges = open.now(clock::now());
                self.told(session, edges);
            }
        }
        self.finalized();
    }

    /// Tells of recordings that could not be written anew, and forgets those that are done. Whether none goes on.
    fn finalized(&mut self) -> bool {
        let all = std::mem::take(&mut self.finalizing).into_iter();
        let (done, going): (Vec<_>, Vec<_>) = all.partition(|one| one.thread.is_finished());
        self.finalizing = going;
        for Finalizing { session, path, thread } in done {
            if let Err(error) = thread.join().unwrap_or_else(|_| Err(io::Error::other("it panicked"))) {
                (self.say)(Live::NotFinalized { session, file: &path, error: &error });
            }
        }
        self.finalizing.is_empty()
    }

    /// Whether all of them are done by then.
    fn finalized_until(&mut self, deadline: Instant) -> bool {
        while !self.finalized() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }

    /// Recordings that are written anew get their time, and no more.
    fn end_finalizing(&mut self) {
        if self.finalized_until(Instant::now() + REWRITE) {
            return;
        }
        self.stop.store(true, Ordering::Relaxed);
        if self.finalized_until(Instant::now() + STOP) {
            return;
        }
        // A disk that hangs: what has no name any more cannot take a recording's place.
        for Finalizing { session, path, .. } in std::mem::take(&mut self.finalizing) {
            give_up(&path);
            let error = io::Error::new(io::ErrorKind::TimedOut, "there was no time left for it");
            (self.say)(Live::NotFinalized { session, file: &path, error: &error });
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
        let deadline = Instant::now() + GRACE;
        while self.is_waiting() && Instant::now() < deadline {
            thread::sleep(LOOK);
            self.look();
        }
        let left: Vec<u32> = self.sessions.keys().copied().collect();
        for session in left {
            self.end(session);
        }
        self.end_finalizing();
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
        self.has_secrets |= matches!(seen, Seen::Secret(_));
        let mut edges = Vec::new();
        for piece in self.recorder.split(flow.leg, seen) {
            let frame = self.recorder.frame_of(&piece.seen);
            let numbered = Observation { at, flow, frame, seen: piece.seen.clone() };
            self.hold.push(&numbered, &mut |event| self.timeline.push(&event));
            let new = self.timeline.take_edges();
            let (here, before): (Vec<&Edge>, Vec<&Edge>) = new.iter().partition(|edge| edge.mark.frame == frame);
            let comments: Vec<String> = here.into_iter().map(text::comment).collect();
            let _kept_by_output = self.recorder.write(at, flow.leg, &piece, &comments);
            self.remark(at, &before);
            edges.extend(new);
        }
        edges
    }

    /// It is so late: what waited for secrets too long goes on without. Tells the phase edges that it made.
    fn now(&mut self, at: Timestamp) -> Vec<Edge> {
        self.hold.now(at, &mut |event| self.timeline.push(&event));
        let edges = self.timeline.take_edges();
        self.remark(at, &edges.iter().collect::<Vec<_>>());
        edges
    }

    /// Comments for people on packets that are written already.
    fn remark(&mut self, at: Timestamp, edges: &[&Edge]) {
        let remark = |edge: &&Edge| format!("frame {}: {}", edge.mark.frame, text::comment(edge));
        let remarks: Vec<String> = edges.iter().map(remark).collect();
        let _kept_by_output = self.recorder.remark(at, &remarks);
    }

    /// The session is over: what is said of it, and where its recording is, which is closed now.
    fn close(&mut self) -> (Diagnosed, Option<PathBuf>) {
        self.hold.finish(&mut |event| self.timeline.push(&event));
        self.timeline.take_edges();
        self.timeline.finish();
        let path = self.file.as_ref().map(PathBuf::from);
        let mut diagnosed = Diagnosed::new(self.file.take(), std::mem::take(&mut self.timeline));
        let remark = format!("verdict: {}", verdict::of_session(&diagnosed));
        let _kept_by_output = self.recorder.end(clock::now(), remark);
        diagnosed.incomplete = self.trouble();
        (diagnosed, path)
    }

    /// Samples the path of both legs, as part of the recording. Tells the phase edges that its moment made.
    fn sample(&mut self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for leg in [Leg::Front, Leg::Back] {
            if let Some(sample) = self.begin.sampler.sample(leg) {
                let flow = Flow { session: self.begin.session, leg };
                let seen = Seen::Path(Box::new(sample));
                edges.extend(self.observe(Observation { at: clock::now(), flow, frame: 0, seen }));
            }
        }
        edges
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

/// What the recording says of a session whose secrets came when nobody waited for them any more.
fn read_again(path: &Path, names: bool, without: Diagnosed, observations: u64) -> Diagnosed {
    let read = || {
        let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|file| file.len() <= READ_AGAIN))?;
        let keys = Arc::new(reading::secrets(&file).ok()?.naming(names));
        let mut found = None;
        let mut keep = |session: Diagnosed| found = Some(session);
        reading::read_with(File::open(path).ok()?, without.file.as_deref(), &keys, &mut keep).ok()?;
        found
    };
    let late = format!("its secrets came late, {observations} things were read without them: analyze the recording");
    read().unwrap_or_else(|| Diagnosed { incomplete: Some(late), ..without.clone() })
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
