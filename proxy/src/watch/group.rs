//! What goes into one recording: a connection, or before a gateway those of one client that go on together. Their
//! observations are numbered, held for their secrets, analysed and written here, in the order in which they come.

use crate::named::Named;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::slice;
use std::sync::atomic::Ordering;
use std::time::Instant;

use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::hold::Hold;
use analyzer::observation::{Flow, Interception, Lapse, Leg, Observation, Seen};
use analyzer::report::{text, verdict};
use analyzer::sessions::Sessions;
use analyzer::time::Timestamp;
use analyzer::timeline::{Edge, Timeline};

use super::output::{Lost, Next, Output};
use super::reminder::{Due, Reminder};
use super::{MOST, Stored, Which};
use crate::clock;
use crate::pulse::BEAT;
use crate::record::{self, Recorder};
use crate::tap::{Begin, Budget};

/// Before a gateway, a connection that has carried less than this is no tunnel of an active session yet, bytes.
const TUNNEL: u64 = 256 << 10;

/// Connections that are recorded together.
pub(super) struct Group {
    client: IpAddr,
    /// By how many nanoseconds the wall clock was ahead of the clock of this process when it began: its times are the wall's.
    ahead: i64,
    /// What befell this process, and is to be told when its time comes.
    lapses: VecDeque<(Timestamp, Lapse)>,
    is_at_gateway: bool,
    /// In the order in which they began. Never empty.
    connections: Vec<Connection>,
    /// How many of them have spoken.
    spoken: u32,
    file: Option<String>,
    /// Whether it is, or was to be.
    is_recorded: bool,
    recorder: Recorder<Output>,
    section: Section,
    pub(super) hold: Hold,
    sessions: Sessions,
    /// What is waited for in each of them.
    reminders: Vec<Reminder>,
    /// Whether secrets stand in it.
    pub(super) has_secrets: bool,
    /// Until when it waits for secrets, or for further connections, now that all of them are over.
    pub(super) ends: Option<Instant>,
    /// Whether payload was given up.
    pub(super) missing: bool,
    /// Whether anything was seen since it was last told how its sessions stand.
    pub(super) is_news: bool,
    /// When the path was last sampled.
    pub(super) sampled: Instant,
    /// Why the recording could not go on.
    failed: Option<String>,
    /// Where it goes on under another name, until that is told.
    pub(super) moved: Option<Moved>,
    /// What it lacks: its beginning.
    lacks: Option<String>,
}

/// A recording that goes on under another name.
pub(super) struct Moved {
    pub lost: Lost,
    /// What it was called.
    pub from: PathBuf,
    /// What it is called.
    pub to: PathBuf,
}

/// One of them.
struct Connection {
    begin: Box<Begin>,
    /// Its number in the recording: they are counted as they first speak.
    number: Option<u32>,
    is_over: bool,
    /// Whether its legs have TLS of their own: then they have no equal payload.
    is_intercepted: bool,
    /// Payload that passed on its legs, bytes.
    passed: u64,
}

impl Connection {
    fn new(begin: Box<Begin>) -> Connection {
        Connection { begin, number: None, is_over: false, is_intercepted: false, passed: 0 }
    }
}

impl Group {
    /// With its first connection, recorded there.
    ///
    /// # Errors
    /// Where the output does.
    pub(super) fn new(
        begin: Box<Begin>,
        is_at_gateway: bool,
        (output, file): (Output, Option<String>),
        section: &Section,
        hold: Hold,
    ) -> io::Result<Group> {
        let section = Section { gateway: is_at_gateway, ..section.clone() };
        let is_recorded = output.is_asked_for();
        let mut recorder = Recorder::new(output, &section)?;
        // A program that is killed leaves no empty file.
        recorder.flush()?;
        Ok(Group {
            client: begin.client.ip().to_canonical(),
            ahead: begin.ahead,
            lapses: VecDeque::new(),
            is_at_gateway,
            connections: vec![Connection::new(begin)],
            spoken: 0,
            file,
            is_recorded,
            recorder,
            section,
            hold,
            sessions: Sessions::default(),
            reminders: Vec::new(),
            has_secrets: false,
            ends: None,
            missing: false,
            is_news: true,
            sampled: Instant::now(),
            failed: None,
            moved: None,
            lacks: None,
        })
    }

    /// Whether a further connection of this client goes into it.
    pub(super) fn takes(&self, client: IpAddr) -> bool {
        self.client == client && self.connections.len() < MOST
    }

    /// A further connection begins.
    pub(super) fn join(&mut self, begin: Box<Begin>) {
        self.connections.push(Connection::new(begin));
        self.ends = None;
    }

    /// A connection is over. Whether all of them are.
    pub(super) fn is_over_with(&mut self, session: u32) -> bool {
        self.connection(session).into_iter().for_each(|one| one.is_over = true);
        self.connections.iter().all(|one| one.is_over)
    }

    /// The number of its first connection, by which the whole is called.
    pub(super) fn session(&self) -> u32 {
        self.connections.first().map_or(0, |first| first.begin.session)
    }

    /// What is known of the sessions in it, in the order of their beginning.
    pub(super) fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.sessions.timelines().map(|(_, timeline)| timeline)
    }

    /// Its sessions as they stand, as they are told.
    pub(super) fn running(&self) -> Vec<(Which, &Timeline)> {
        self.sessions.timelines().map(|(place, timeline)| (self.which(place), timeline)).collect()
    }

    /// Whether its file is open, or can be opened again.
    pub(super) fn is_written(&mut self) -> bool {
        self.recorder.output().is_written()
    }

    /// Is recorded no further, because of this. What stands there is closed; there is no room for more.
    pub(super) fn give_up(&mut self, why: io::Error) {
        self.recorder.output().discard();
        let _kept_by_output = self.recorder.end(self.wall(clock::now()), format!("the recording ends here: {why}"));
        self.recorder.output().give_up(why);
    }

    /// The first parts of its recording are gone, up to this one. The first that stays.
    pub(super) fn lose_parts(&mut self, part: u32) -> PathBuf {
        let stays = record::part(self.recorder.output().path(), part + 1);
        self.file = Some(stays.to_string_lossy().into_owned());
        self.lacks = Some(format!("it begins with part {}, what came before was deleted (--keep)", part + 1));
        stays
    }

    /// How many connections are in it.
    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    /// One of these sessions, as it is told.
    pub(super) fn which(&self, place: usize) -> Which {
        let part = self.is_at_gateway.then_some(place + 1);
        Which { session: self.session(), part, client: self.client }
    }

    /// Whether secrets may still come for it.
    pub(super) fn is_sealed(&self) -> bool {
        self.hold.sealed().next().is_some()
    }

    /// Whether it needs its secrets soon.
    pub(super) fn is_waiting(&self) -> bool {
        self.hold.is_waiting() || self.ends.is_some() && self.is_sealed()
    }

    /// The scribe has dealt with this.
    pub(super) fn release(&mut self, budget: &Budget, observation: &Observation) {
        if let Some(one) = self.connection(observation.flow.session) {
            budget.release(&one.begin.waiting, observation);
        }
    }

    /// Numbers, analyses and writes one observation; tells the phase edges that it made.
    pub(super) fn observe(&mut self, observation: Observation) -> Vec<(usize, Edge)> {
        let Some(flow) = self.numbered(&observation) else { return Vec::new() };
        self.is_news = true;
        let Observation { at, seen, .. } = observation;
        self.has_secrets |= matches!(seen, Seen::Secret(_));
        let mut edges = Vec::new();
        for piece in self.recorder.split(flow, seen) {
            let frame = if self.is_recorded { self.recorder.frame_of(flow, &piece) } else { 0 };
            let numbered = Observation { at, flow, frame, seen: piece.clone() };
            self.hold.push(&numbered, &mut |event| self.sessions.push(&event));
            let new = self.sessions.take_edges();
            let (here, before): (Vec<_>, Vec<_>) = new.iter().partition(|(_, edge)| edge.mark.frame == frame);
            let comments: Vec<String> = here.into_iter().map(|edge| self.comment(edge)).collect();
            if self.is_recorded {
                let _kept_by_output = self.recorder.write(at, flow, &piece, &comments);
                self.remark(at, &before);
            }
            edges.extend(new);
            self.recorder.output().write_behind();
            self.go_on_in_next_part();
        }
        edges
    }

    /// By how many nanoseconds its times are ahead of the clock of this process.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead
    }

    /// A moment of the clock of this process, as this recording tells it.
    pub(super) fn wall(&self, at: Timestamp) -> Timestamp {
        clock::shifted(at, self.ahead)
    }

    /// This process was stopped until now, or its clock set. What came meanwhile may still be on its way.
    pub(super) fn lapsed(&mut self, at: Timestamp, lapse: Lapse) {
        self.lapses.push_back((self.wall(at), lapse));
    }

    /// Whether it has been told of everything that befell this process.
    pub(super) fn is_caught_up(&self) -> bool {
        self.lapses.is_empty()
    }

    /// Everything that was seen before is here: tells each connection what befell this process by then. Tells the phase edges
    /// that it made.
    pub(super) fn catch_up(&mut self, by: Timestamp) -> Vec<(usize, Edge)> {
        let mut edges = Vec::new();
        while let Some((at, lapse)) = self.lapses.pop_front_if(|(at, _)| *at <= by) {
            edges.extend(self.tell_lapse(at, lapse));
        }
        edges
    }

    /// The same before this is taken, which comes next. What this process itself did shows that it ran again by then, however
    /// late that was noticed.
    pub(super) fn catch_up_with(&mut self, next: &Observation) -> Vec<(usize, Edge)> {
        let mut edges = self.catch_up(next.at);
        if let Some((at, lapse)) = self.lapses.pop_front_if(|(at, lapse)| shows_end(next, *at, *lapse)) {
            let early = at.since(next.at);
            let lapse = match lapse {
                Lapse::Stopped { lasted, asleep } => Lapse::Stopped { lasted: lasted.saturating_sub(early), asleep },
                Lapse::Stepped { .. } => lapse,
            };
            edges.extend(self.tell_lapse(next.at, lapse));
        }
        edges
    }

    fn tell_lapse(&mut self, at: Timestamp, lapse: Lapse) -> Vec<(usize, Edge)> {
        let going = self.connections.iter().filter(|one| one.number.is_some() && !one.is_over);
        let flows: Vec<_> = going.map(|one| Flow { session: one.begin.session, leg: Leg::Front }).collect();
        let told = flows.into_iter().map(|flow| Observation { at, flow, frame: 0, seen: Seen::Lapse(lapse) });
        told.flat_map(|observation| self.observe(observation)).collect()
    }

    /// Where the file is long enough, the recording goes on in another.
    fn go_on_in_next_part(&mut self) {
        if let Some(next) = self.recorder.output().next_part() {
            self.go_on_in(next);
        }
    }

    /// Where its file was removed or renamed, the recording goes on in another.
    pub(super) fn look_for_file(&mut self) {
        let output = self.recorder.output();
        if let Some(next) = output.lost().and_then(|lost| output.elsewhere(lost)) {
            self.go_on_in(next);
        }
    }

    fn go_on_in(&mut self, Next { output, part, lost }: Next) {
        let now = self.wall(clock::now());
        let section = Section { part, ..self.section.clone() };
        let Some(lost) = lost else {
            let _kept_by_output = self.recorder.go_on(now, output, &section);
            return;
        };
        let (from, to) = (self.recorder.output().path().to_owned(), output.path().to_owned());
        if lost != Lost::Removed {
            let _kept_by_output = self.recorder.end(now, format!("the recording goes on in {}", to.named()));
        }
        let _kept_by_output = self.recorder.go_on(now, output, &section);
        let remark = format!("the recording goes on here: {}", lost.says(&from));
        let _kept_by_output = self.recorder.remark(now, slice::from_ref(&remark));
        self.lacks = Some(format!("it begins with part {part}: {}", lost.says(&from)));
        self.file = Some(to.to_string_lossy().into_owned());
        self.moved = Some(Moved { lost, from, to });
    }

    /// The flow of an observation, as this recording numbers it.
    fn numbered(&mut self, observation: &Observation) -> Option<Flow> {
        let next = self.spoken;
        let one = self.connection(observation.flow.session)?;
        let session = *one.number.get_or_insert(next);
        match &observation.seen {
            Seen::Bytes { data, .. } => one.passed += data.len() as u64,
            Seen::Missing { len, .. } => one.passed += len,
            Seen::Interception(step) => one.is_intercepted |= *step == Interception::Stands,
            Seen::Opening(_)
            | Seen::Opened
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Secret(_)
            | Seen::Closed { .. } => {}
        }
        self.spoken += u32::from(session == next);
        Some(Flow { session, leg: observation.flow.leg })
    }

    fn connection(&mut self, session: u32) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|one| one.begin.session == session)
    }

    /// It is so late: what waited for secrets too long goes on without. Tells the phase edges that it made.
    pub(super) fn now(&mut self, at: Timestamp) -> Vec<(usize, Edge)> {
        self.hold.now(at, &mut |event| self.sessions.push(&event));
        let edges = self.sessions.take_edges();
        self.remark(at, &edges.iter().collect::<Vec<_>>());
        edges
    }

    /// Comments for people on packets that are written already.
    fn remark(&mut self, at: Timestamp, edges: &[&(usize, Edge)]) {
        let remark = |edge: &&(usize, Edge)| format!("frame {}: {}", edge.1.mark.frame, self.comment(edge));
        let remarks: Vec<String> = edges.iter().map(remark).collect();
        let _kept_by_output = self.recorder.remark(at, &remarks);
    }

    fn comment(&self, (place, edge): &(usize, Edge)) -> String {
        let says = text::comment(edge);
        if self.is_at_gateway { format!("session {}: {says}", place + 1) } else { says }
    }

    /// Once a session is active, its payload may be given up, and what is equal on both legs is stored once, or nothing of it. Before a
    /// gateway a session may be active while another connection has just begun: there it takes both.
    pub(super) fn store_less_where_active(&mut self, stored: Stored) {
        if !self.timelines().any(Timeline::is_active) {
            return;
        }
        for one in &self.connections {
            let is_bulk = !self.is_at_gateway || one.passed > TUNNEL;
            if !is_bulk || one.begin.bulk.swap(true, Ordering::Relaxed) {
                continue;
            }
            let Some(number) = one.number else { continue };
            // Legs with TLS of their own have no equal payload.
            match stored {
                Stored::Once if !one.is_intercepted => self.recorder.store_once(number),
                Stored::Once | Stored::Both => {}
                Stored::Handshake => {
                    self.recorder.store_once(number);
                    self.recorder.snap(number);
                }
            }
        }
    }

    /// The sessions are over: what is said of them, their places, and where their recording is, which is closed now.
    pub(super) fn close(&mut self) -> (Vec<Diagnosed>, Vec<usize>, Option<PathBuf>) {
        let now = self.wall(clock::now());
        self.catch_up(now);
        self.hold.finish(&mut |event| self.sessions.push(&event));
        self.sessions.take_edges();
        let path = self.file.as_ref().map(PathBuf::from);
        let (places, timelines): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sessions).finish().into_iter().unzip();
        let judged = |timeline| Diagnosed::new(self.file.clone(), timeline);
        let mut diagnosed: Vec<_> = timelines.into_iter().map(judged).collect();
        let verdict = |one| format!("verdict: {}", verdict::of_session(one));
        let mut remarks: Vec<String> = diagnosed.iter().map(verdict).collect();
        let last = remarks.pop().unwrap_or_default();
        let _kept_by_output = self.recorder.remark(now, &remarks);
        let _kept_by_output = self.recorder.end(now, last);
        let incomplete = self.trouble();
        diagnosed.iter_mut().for_each(|one| one.incomplete.clone_from(&incomplete));
        (diagnosed, places, path)
    }

    /// Samples the path of the legs of all that go on, as part of the recording. Tells the phase edges that its moment made.
    pub(super) fn sample(&mut self) -> Vec<(usize, Edge)> {
        self.sampled = Instant::now();
        let mut edges = self.catch_up(self.wall(clock::now()));
        let going = self.connections.iter().filter(|one| !one.is_over);
        let legs = going.flat_map(|one| [Leg::Front, Leg::Back].map(|leg| (leg, &one.begin)));
        let samples: Vec<_> = legs
            .filter_map(|(leg, begin)| {
                let seen = Seen::Path(Box::new(begin.sampler.sample(leg)?));
                Some(Observation {
                    at: self.wall(clock::now()),
                    flow: Flow { session: begin.session, leg },
                    frame: 0,
                    seen,
                })
            })
            .collect();
        edges.extend(samples.into_iter().flat_map(|sample| self.observe(sample)));
        edges
    }

    /// What has been outstanding for so long by now that it is to be told, of one session after the other. What waits for its
    /// secrets is not read yet.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(Which, Due)> {
        if self.hold.is_waiting() {
            return None;
        }
        let mut found = None;
        for (place, timeline) in self.sessions.timelines() {
            if self.reminders.len() <= place {
                self.reminders.resize_with(place + 1, Reminder::default);
            }
            let due = self.reminders[place].next(timeline).filter(|due| due.at.0 <= now.0);
            if let Some(due) = due {
                self.reminders[place].tell(&due);
                found = Some((place, due));
                break;
            }
        }
        found.map(|(place, due)| (self.which(place), due))
    }

    /// Hands what is buffered to the system.
    pub(super) fn flush(&mut self) {
        self.recorder.output().write_where_room();
    }

    /// Why the recording cannot go on, once.
    pub(super) fn trouble_now(&mut self) -> Option<io::Error> {
        let error = self.recorder.output().failed.take()?;
        self.failed = Some(error.to_string());
        Some(error)
    }

    /// Why the recording is not whole, where it is not.
    fn trouble(&mut self) -> Option<String> {
        let last = self.recorder.output().failed.take().map(|error| error.to_string());
        let unwritten = self.recorder.output().unwritten;
        let failed = self.failed.clone().or(last);
        let failed = failed.map(|why| format!("{why}; {unwritten} bytes of it could not be written"));
        let all: Vec<String> = self.lacks.clone().into_iter().chain(failed).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Whether this was done by this process after a stop that was noticed at `at`, and not before it. What the kernel stamps may
/// have come meanwhile.
fn shows_end(next: &Observation, at: Timestamp, lapse: Lapse) -> bool {
    let Lapse::Stopped { lasted, .. } = lapse else { return false };
    let is_stamped = match &next.seen {
        Seen::Bytes { from, .. } | Seen::Missing { from, .. } => {
            cfg!(target_os = "linux") && *from != next.flow.leg.relay_side()
        }
        _ => false,
    };
    // Before the next beat was due it may have run.
    !is_stamped && next.at < at && next.at > at.before(lasted) + BEAT
}
