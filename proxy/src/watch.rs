//! The scribe: one thread that records what the relay notes and watches what it means.
//!
//! It reads the tap, numbers each observation as the recorder will store it, lets the analyzer see it, writes it with
//! the phase edges as comments, and samples the path at each edge. The relay never waits for it. Where secrets are to come
//! from a key log, it follows that, and hands each session the lines that are its own.
//!
//! Before an RD Gateway a session may be several connections: those of one client that go on together are a group, with one
//! recording, and a verdict for each session in it. Elsewhere each connection is a group of its own.

mod finalizing;
mod group;
mod keep;
mod late;
mod name;
mod output;
mod reminder;
pub mod retell;
mod room;
mod usage;

use crate::named::Named;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::hold::{self, Hold};
use analyzer::latency;
use analyzer::observation::{Absence, Flow, Impairment, Lapse, Leg, Observation, Seen};
use analyzer::reading::LINGER;
use analyzer::time::Timestamp;
use analyzer::timeline::outstanding::Outstanding;
use analyzer::timeline::{Edge, Timeline};

use crate::clock;
use crate::gate::Refusal;
use crate::keylog::KeyLog;
use crate::record;
use crate::tap::{Begin, Budget, Intake, Note};
use finalizing::Finalizing;
use group::Group;
pub use keep::Gone;
use keep::Keep;
use late::read_again;
use name::file_name;
pub use name::session_in;
pub use output::Lost;
use output::Output;
use usage::Usage;

/// What was written reaches the system at least so often.
const FLUSH: Duration = Duration::from_millis(500);
/// What is waited for is told by the time of what was seen: what was seen just now may still be on its way to the scribe.
const LATE: Duration = Duration::from_millis(100);
/// Where sessions are told of as they go on, their path is sampled no more often than so.
const SAMPLED: Duration = Duration::from_secs(2);
/// Finished sessions that are kept for the summary and for withdrawing verdicts.
const KEPT: usize = 1_000;
/// So many of the last finished sessions are looked through for one that a new session withdraws.
const RECENT: usize = 100;
/// The key log is looked at so often while a session waits for its secrets.
const LOOK: Duration = Duration::from_millis(20);
/// A session that has ended waits so long for secrets that are still being written.
const GRACE: Duration = Duration::from_secs(1);
/// Connections in one recording. A client that makes more gets another.
const MOST: usize = 128;

/// How the scribe works.
#[derive(Debug)]
pub struct Config {
    /// Folder of the recordings; none where nothing is recorded.
    pub out: Option<PathBuf>,
    /// What each recording says of itself.
    pub section: Section,
    /// What is stored while a session is active.
    pub stored: Stored,
    /// A recording goes on in another file where it gets longer than this, bytes.
    pub rotate: Option<u64>,
    /// So many bytes of the disk may recordings in the folder take; then the oldest are deleted.
    pub keep: Option<u64>,
    /// Where the secrets of sessions come from.
    pub secrets: Secrets,
    /// Whether what is connected to is an RD Gateway: then connections of one client that go on together are recorded
    /// together.
    pub gateway: bool,
    /// Whether user names are to be shown.
    pub names: bool,
    /// Whether sessions are told of as they go on ([`Live::Running`]), and their path sampled for that.
    pub pulse: bool,
}

/// What is stored of a session's payload once it is active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stored {
    /// What is equal on both legs once.
    #[default]
    Once,
    /// All of it on both legs.
    Both,
    /// None: its headers alone.
    Handshake,
}

/// Where the secrets of sessions come from.
#[derive(Debug)]
pub enum Secrets {
    /// From nowhere: what is sealed stays so.
    None,
    /// From a key log that a client or a server writes, and from whoever notes what is seen, if he has some.
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
            Secrets::KeyLog(_) => Hold::following(hold::Limits::default()),
            Secrets::Noted => Hold::expecting(hold::Limits::default()),
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

/// Which session of which client, as it is told: "3", and where several are recorded together "3.2 of 192.0.2.7".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// The number of the recording: that of its first connection.
    pub session: u32,
    /// Which of the sessions in it, from 1; nothing where there can be one alone.
    pub part: Option<usize>,
    /// Who connects.
    pub client: IpAddr,
}

impl Which {
    /// "3", or "3.2": without the client.
    pub fn number(&self) -> String {
        let Which { session, part, .. } = self;
        part.map_or(session.to_string(), |part| format!("{session}.{part}"))
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, client) = (self.number(), self.client);
        f.pad(&if self.part.is_some() { format!("{number} of {client}") } else { number })
    }
}

/// What happens, for whoever watches.
#[derive(Debug)]
pub enum Live<'a> {
    /// A phase begins or ends.
    Edge {
        /// Which session.
        session: Which,
        /// The edge.
        edge: &'a Edge,
    },
    /// Something has been outstanding for so long.
    Waiting {
        /// Which session.
        session: Which,
        /// What, whose and since when.
        owed: &'a Outstanding,
        /// For how long by now, without the time in which this program was stopped.
        lasted: Duration,
        /// When it is told.
        at: Timestamp,
    },
    /// What a session is to be impaired by takes effect, or is over.
    Impaired {
        /// Which session.
        session: u32,
        /// On which leg, and when.
        place: (Leg, Timestamp),
        /// What.
        impairment: &'a Impairment,
    },
    /// A session ended: this is what it was.
    Verdict {
        /// Which session.
        session: Which,
        /// What is said of it.
        diagnosed: &'a Diagnosed,
    },
    /// So far these sessions of one recording have come: all that go on in it. Told at phase edges, and every half second in
    /// which anything was seen of them.
    Running {
        /// By how many nanoseconds their times are ahead of the clock of this process.
        ahead: i64,
        /// Which, and what is known of each.
        sessions: &'a [(Which, &'a Timeline)],
    },
    /// A recording is closed: what went on in it and got no verdict belongs to a session that did.
    Over {
        /// The number of the recording.
        session: u32,
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
    /// Old recordings were deleted.
    Deleted {
        /// What went.
        gone: &'a Gone,
    },
    /// The oldest parts of a recording that goes on were deleted.
    PartsDeleted {
        /// Which session.
        session: u32,
        /// The number of the last that went.
        last: u32,
        /// What went.
        gone: &'a Gone,
        /// The first part that stays.
        stays: &'a Path,
    },
    /// A recording goes on under another name.
    Moved {
        /// Which session.
        session: u32,
        /// Why.
        lost: Lost,
        /// What it was called.
        from: &'a Path,
        /// What it is called.
        to: &'a Path,
    },
    /// This program was stopped, or its clock set.
    Lapsed {
        /// Whose recording tells so; nothing where it is told as it is noticed, of all of them.
        session: Option<u32>,
        /// When that was noticed.
        at: Timestamp,
        /// What.
        lapse: Lapse,
    },
    /// Clients were turned away.
    Refused {
        /// So many since this was last told.
        count: u64,
        /// The last of them.
        last: IpAddr,
        /// Why it was.
        why: Refusal,
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
    /// Clients that were turned away.
    pub refused: u64,
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
    let (groups, of, refused, summary) = (HashMap::new(), HashMap::new(), None, Summary::default());
    let (looked, finalizing) = (Instant::now(), Finalizing::default());
    let keep = config.keep.filter(|_| config.out.is_some()).map(Keep::new);
    let (gone, gone_parts, present) = (Gone::default(), BTreeMap::new(), Instant::now());
    let mut scribe = Scribe {
        config,
        keep,
        gone,
        gone_parts,
        present,
        budget,
        looked,
        groups,
        of,
        finalizing,
        refused,
        summary,
        say,
    };
    let mut notes = Vec::new();
    let mut flushed = Instant::now();
    while intake.gather(&mut notes, if scribe.is_waiting() { LOOK } else { FLUSH }) {
        intake.notice(&mut notes);
        for note in notes.drain(..) {
            scribe.note(note);
        }
        scribe.look();
        scribe.end_due();
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
    /// What is being recorded, by the number of its first connection.
    groups: HashMap<u32, Group>,
    /// The group of each connection in one of them.
    of: HashMap<u32, u32>,
    finalizing: Finalizing,
    keep: Option<Keep>,
    /// Recordings that were deleted since that was last told.
    gone: Gone,
    /// The same of parts of recordings that go on: of which sessions, up to which part.
    gone_parts: BTreeMap<u32, (u32, Gone, PathBuf)>,
    /// When it was last looked whether the files are there.
    present: Instant,
    /// How many clients were turned away since that was last told, the last of them, and why.
    refused: Option<(u64, IpAddr, Refusal)>,
    summary: Summary,
    say: &'a mut dyn FnMut(Live<'_>),
}

impl Scribe<'_> {
    fn note(&mut self, note: Note) {
        match note {
            Note::Begin(begin) => self.begin(begin),
            Note::Seen(observation) => self.seen(observation),
            Note::End { session } => self.over(session),
            Note::Refused { client, why } => self.refused(client, why),
            Note::Lapsed { at, lapse } => self.lapsed(at, lapse),
        }
    }

    fn begin(&mut self, begin: Box<Begin>) {
        // What a further connection is not to join any more.
        self.end_due();
        let (session, client) = (begin.session, begin.client.ip().to_canonical());
        let joined = self.groups.iter_mut().find(|(_, group)| self.config.gateway && group.takes(client));
        if let Some((number, group)) = joined {
            self.of.insert(session, *number);
            return group.join(begin);
        }
        let (output, file) = self.open(session, clock::shifted(begin.at, begin.ahead));
        let gateway = self.config.gateway;
        let hold = self.config.secrets.hold().naming(self.config.names);
        let group = Group::new(begin, gateway, (output, file), &self.config.section, hold);
        // INVARIANT: Output never fails; it remembers that it did.
        let Ok(group) = group else { return };
        self.of.insert(session, session);
        self.groups.insert(session, group);
        self.report_trouble(session);
        self.make_room();
    }

    fn open(&mut self, session: u32, at: Timestamp) -> (Output, Option<String>) {
        let Some(folder) = &self.config.out else { return (Output::default(), None) };
        let name = file_name(session, at);
        match record::create(folder, &name) {
            Ok((file, path)) => {
                let shown = path.named().to_string();
                let usage = self.keep.as_ref().map_or(Usage::default(), |keep| keep.usage.clone());
                usage.begin(&path, session);
                (Output::to(file, path, self.config.rotate, usage), Some(shown))
            }
            Err(error) => (Output::broken(error), None),
        }
    }

    fn seen(&mut self, mut observation: Observation) {
        let Some(number) = self.of.get(&observation.flow.session).copied() else { return };
        let Some(group) = self.groups.get_mut(&number) else { return };
        group.release(&self.budget, &observation);
        observation.at = group.wall(observation.at);
        let mut edges = group.catch_up_with(&observation);
        tell_waiting(group, observation.at, self.say);
        let dropped = matches!(observation.seen, Seen::Missing { why: Absence::Dropped, .. });
        if dropped && !std::mem::replace(&mut group.missing, true) {
            (self.say)(Live::Missing { session: number });
        }
        if let Seen::Impairment(impairment) = &observation.seen {
            let place = (observation.flow.leg, observation.at);
            (self.say)(Live::Impaired { session: number, place, impairment });
        }
        edges.extend(group.observe(observation));
        self.told(number, edges);
        self.make_room();
    }

    /// Tells of phase edges, and of trouble.
    fn told(&mut self, number: u32, mut edges: Vec<(usize, Edge)>) {
        let Some(group) = self.groups.get_mut(&number) else { return };
        group.store_less_where_active(self.config.stored);
        if edges.is_empty() {
            return self.report_trouble(number);
        }
        edges.extend(group.sample());
        group.flush();
        for (place, edge) in &edges {
            (self.say)(Live::Edge { session: group.which(*place), edge });
        }
        self.tell_running(number);
        self.withdraw(number);
        self.report_trouble(number);
    }

    /// How the sessions of a recording stand.
    fn tell_running(&mut self, number: u32) {
        let Some(group) = self.groups.get_mut(&number).filter(|_| self.config.pulse) else { return };
        group.is_news = false;
        (self.say)(Live::Running { ahead: group.ahead(), sessions: &group.running() });
    }

    /// Tells of what goes on without an edge, and what its path is like.
    fn pulse(&mut self, number: u32) {
        let Some(group) = self.groups.get_mut(&number).filter(|group| self.config.pulse && group.is_news) else {
            return;
        };
        let edges = if group.sampled.elapsed() >= SAMPLED { group.sample() } else { Vec::new() };
        if edges.is_empty() { self.tell_running(number) } else { self.told(number, edges) }
    }

    /// Nothing more will be seen of a connection. Its secrets may still be on their way, and further connections.
    fn over(&mut self, session: u32) {
        let Some(number) = self.of.get(&session).copied() else { return };
        let Some(group) = self.groups.get_mut(&number) else { return };
        if !group.is_over_with(session) {
            return;
        }
        if self.config.gateway {
            group.ends = Some(Instant::now() + LINGER);
        } else if self.config.secrets.is_followed() && group.is_sealed() {
            group.ends = Some(Instant::now() + GRACE);
        } else {
            self.end(number);
        }
    }

    fn end(&mut self, number: u32) {
        let Some(mut group) = self.groups.remove(&number) else { return };
        self.of.retain(|_, of| *of != number);
        let (mut diagnosed, places, path) = group.close();
        let (observations, is_late, has_secrets) = (group.hold.without(), group.hold.is_late(), group.has_secrets);
        let mut whose: Vec<Which> = places.into_iter().map(|place| group.which(place)).collect();
        let anew: Vec<Which> = (0..group.count()).map(|place| group.which(place)).collect();
        // Its file must be closed before another takes its place.
        drop(group);
        self.is_recorded_no_further(number);
        if observations > 0 && !is_late {
            (self.say)(Live::Sealed { session: number, observations });
        }
        let is_whole = diagnosed.iter().all(|one| one.incomplete.is_none());
        if let Some(path) = path.filter(|_| has_secrets && is_whole) {
            diagnosed = if is_late { read_again(&path, self.config.names, diagnosed, observations) } else { diagnosed };
            self.finalizing.begin(number, path);
        }
        // With their secrets, connections may turn out to be one session: then they are counted anew.
        if whose.len() != diagnosed.len() {
            whose = anew;
        }
        for (session, diagnosed) in whose.into_iter().zip(diagnosed) {
            self.judged(session, diagnosed);
        }
        if self.config.pulse {
            (self.say)(Live::Over { session: number });
        }
        self.make_room();
    }

    /// This is what a session was.
    fn judged(&mut self, session: Which, mut diagnosed: Diagnosed) {
        diagnosed.number = Some(session.number());
        tell_verdict(&mut self.summary.sessions, session, &diagnosed, self.say);
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
        self.config.secrets.is_followed() && self.groups.values().any(Group::is_waiting)
    }

    /// Hands what stands in the key log now to the sessions that it belongs to.
    fn look(&mut self) {
        let (Some(keylog), true) = (self.config.secrets.keylog(), self.looked.elapsed() >= LOOK) else { return };
        self.looked = Instant::now();
        keylog.poll();
        let mut found = Vec::new();
        for group in self.groups.values() {
            let logs = group.hold.sealed().filter_map(|random| keylog.take(&random));
            // Which connection a line is of, only the bytes say: it opens whatever it opens.
            found.extend(logs.map(|log| (group.session(), log)));
        }
        for (session, log) in found {
            let flow = Flow { session, leg: Leg::Front };
            self.seen(Observation { at: clock::now(), flow, frame: 0, seen: Seen::Secret(Arc::new(log)) });
        }
    }

    /// Ends what has waited long enough: for secrets, for further connections.
    fn end_due(&mut self) {
        let waits_for_more = self.config.gateway;
        let is_due =
            |group: &Group| group.ends.is_some_and(|at| Instant::now() >= at || !waits_for_more && !group.is_sealed());
        let due: Vec<u32> = self.groups.iter().filter(|(_, group)| is_due(group)).map(|(of, _)| *of).collect();
        due.into_iter().for_each(|number| self.end(number));
    }

    /// A session that got further takes back what was said of those before it.
    fn withdraw(&mut self, number: u32) {
        let Some(group) = self.groups.get(&number) else { return };
        let by = |earlier: &&mut Diagnosed| group.timelines().any(|timeline| earlier.is_withdrawn_by(timeline));
        for earlier in recent(&mut self.summary.sessions).filter(by) {
            withdraw(earlier, self.say);
        }
    }

    /// This process was stopped, or its clock set: each recording is to tell of it.
    fn lapsed(&mut self, at: Timestamp, lapse: Lapse) {
        (self.say)(Live::Lapsed { session: None, at: clock::shifted(at, clock::ahead()), lapse });
        self.groups.values_mut().for_each(|group| group.lapsed(at, lapse));
    }

    /// A flood of clients is one line every half second.
    fn refused(&mut self, client: IpAddr, why: Refusal) {
        let before = self.refused.map_or(0, |(count, ..)| count);
        self.refused = Some((before + 1, client, why));
    }

    fn tell_refused(&mut self) {
        let Some((count, last, why)) = self.refused.take() else { return };
        self.summary.refused += count;
        (self.say)(Live::Refused { count, last, why });
    }

    fn flush(&mut self) {
        self.tell_refused();
        self.look_for_files();
        self.make_room();
        self.tell_gone();
        let groups: Vec<u32> = self.groups.keys().copied().collect();
        for number in groups {
            if let Some(group) = self.groups.get_mut(&number) {
                group.flush();
                let now = group.wall(clock::now());
                let mut edges = group.catch_up(now.before(LATE));
                edges.extend(group.now(now));
                if group.is_caught_up() {
                    tell_waiting(group, now.before(LATE), self.say);
                }
                self.told(number, edges);
            }
            self.pulse(number);
        }
        self.finalizing.look(self.say);
    }

    fn report_trouble(&mut self, session: u32) {
        let Some(group) = self.groups.get_mut(&session) else { return };
        if let Some(moved) = group.moved.take() {
            self.keep.iter().for_each(|keep| keep.usage.begin(&moved.to, session));
            (self.say)(Live::Moved { session, lost: moved.lost, from: &moved.from, to: &moved.to });
        }
        if let Some(error) = group.trouble_now() {
            (self.say)(Live::RecordingFailed { session, error: &error });
            self.is_recorded_no_further(session);
        }
    }

    fn finish(mut self) -> Summary {
        self.tell_refused();
        let deadline = Instant::now() + GRACE;
        while self.is_waiting() && Instant::now() < deadline {
            thread::sleep(LOOK);
            self.look();
            self.end_due();
        }
        let mut left: Vec<u32> = self.groups.keys().copied().collect();
        left.sort_unstable();
        for number in left {
            self.end(number);
        }
        self.finalizing.end(self.say);
        self.tell_gone();
        self.summary.dropped = self.budget.dropped();
        self.summary
    }
}

fn recent(sessions: &mut [Diagnosed]) -> impl Iterator<Item = &mut Diagnosed> {
    sessions.iter_mut().rev().take(RECENT).filter(|session| !session.withdrawn)
}

/// Tells what has been outstanding for long by now.
fn tell_waiting(group: &mut Group, now: Timestamp, say: &mut dyn FnMut(Live<'_>)) {
    while let Some((session, due)) = group.due(now) {
        say(Live::Waiting { session, owed: &due.owed, lasted: due.after, at: due.at });
    }
}

/// What a session was, and what it takes back of those before it.
fn tell_verdict(before: &mut [Diagnosed], session: Which, diagnosed: &Diagnosed, say: &mut dyn FnMut(Live<'_>)) {
    for earlier in recent(before).filter(|earlier| earlier.is_withdrawn_by(&diagnosed.timeline)) {
        withdraw(earlier, say);
    }
    say(Live::Verdict { session, diagnosed });
}

fn withdraw(earlier: &mut Diagnosed, say: &mut dyn FnMut(Live<'_>)) {
    earlier.withdraw();
    say(Live::Withdrawn { diagnosed: earlier });
}
