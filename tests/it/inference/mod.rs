//! How right it is what is said of the phases behind TLS without keys: each capture with keys is read with them, which is
//! the truth, and without. Then it is cut behind each record, as if the session had failed there, and both are asked for
//! the phase.
//!
//! The tables stand in `docs/inference.md`; `UPDATE_EXPECT=1 cargo test --test it inference` rewrites them. Where the corpus
//! is missing, its rows stay as they are.

mod lengths;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::event::{Event, What};
use analyzer::observation::{Ending, Observation, Side};
use analyzer::reading;
use analyzer::session::Session;
use analyzer::timeline::Timeline;
use analyzer::timeline::phase::PhaseName;
use analyzer::tls::keys::Keyring;

use crate::corpus::{corpus, streams};
use lengths::Lengths;

/// The phases that are told behind TLS.
const PHASES: [PhaseName; 8] = [
    PhaseName::Credssp,
    PhaseName::BasicSettings,
    PhaseName::ChannelConnection,
    PhaseName::SecureSettings,
    PhaseName::Licensing,
    PhaseName::Capabilities,
    PhaseName::Finalization,
    PhaseName::Active,
];
/// Records of the running session behind which a session is cut: more would count one thing many times.
const CUTS_WHEN_ACTIVE: usize = 24;
/// What is to be reached in the average, percent.
const GOAL: f64 = 95.0;
/// And with a few sessions of one peer, which wrote two messages into one record.
const LATER_GOAL: f64 = 90.0;

/// Captures of the corpus with keys, their client, server, and key log.
const CORPUS: &[(&str, &str, &str, Option<&str>)] = &[
    ("awakecoding-rdp-credential-guard-accepted1.pcapng", "mstsc", "windows", None),
    ("awakecoding-rdp-nla-kerberos-auth1.pcapng", "mstsc", "windows", None),
    ("awakecoding-rdp-nla-ntlm-rejected1.pcapng", "mstsc", "windows", None),
    ("awakecoding-rdp-nla-smartcard-auth1.pcapng", "mstsc", "windows", None),
    ("awakecoding-rdp-no-nla-accepted1.pcapng", "mstsc", "windows", None),
    ("awakecoding-rdp-restricted-admin-accepted1.pcapng", "mstsc", "windows", None),
    ("jovair-rdp.pcap", "rdesktop", "windows-7", Some("jovair-rdp.keylog.txt")),
];

/// Right, wrong, unsure.
type Tally = [u32; 3];

/// Client and server.
type Pair = (String, String);

/// How right it was, by peers.
#[derive(Default)]
struct Score {
    /// Of whole captures: whether a phase is told, and where it begins.
    phases: BTreeMap<(Pair, PhaseName), Tally>,
    /// Of cut ones: in which phase the session ends.
    failures: BTreeMap<(Pair, PhaseName), Tally>,
    /// Messages of the authentication, joins, and what was said last.
    counts: BTreeMap<&'static str, Tally>,
    /// How long messages are.
    lengths: Lengths,
    captures: usize,
    sessions: usize,
}

#[derive(Clone, Copy)]
enum Judged {
    Right,
    Wrong,
    Unsure,
}

/// A peer that was captured when the rules stood.
const LATER: &str = "pyrdp";

#[test]
fn captures_of_this_project() {
    of_this_project("Debian peers", GOAL, |pair| pair.0 != LATER && pair.1 != LATER && !is_blind(pair));
}

#[test]
fn captures_of_a_peer_that_came_later() {
    of_this_project("A peer that came later", LATER_GOAL, |pair| pair.0 == LATER || pair.1 == LATER);
}

/// Peers of which no step was written down with a capture at hand: nothing is to be reached, and what comes out is published.
const BLIND: &[&str] = &["weston", "ironrdp"];

fn is_blind(pair: &Pair) -> bool {
    BLIND.iter().any(|peer| pair.0 == *peer || pair.1 == *peer)
}

#[test]
fn captures_of_peers_that_were_never_looked_at() {
    of_this_project("Blind", 0.0, is_blind);
}

fn of_this_project(title: &str, goal: f64, belongs: impl Fn(&Pair) -> bool) {
    let mut score = Score::default();
    for path in golden() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let mut words = name.splitn(3, '-').map(str::to_owned);
        let pair = (words.next().expect("a client"), words.next().expect("a server"));
        if belongs(&pair) {
            let capture = fs::read(&path).expect("a capture");
            let keys = reading::secrets(&capture[..]).expect("secrets");
            score.add(&name, &pair, &capture, &Arc::new(keys));
        }
    }
    score.publish(title, goal);
}

#[test]
fn captures_of_the_corpus() {
    let Some(folder) = corpus() else { return };
    let mut score = Score::default();
    for (name, client, server, log) in CORPUS {
        let capture = fs::read(folder.join(name)).expect("a capture");
        let mut keys = reading::secrets(&capture[..]).expect("secrets");
        if let Some(log) = log {
            keys.read(&fs::read(folder.join(log)).expect("a key log"));
        }
        score.add(name, &((*client).to_owned(), (*server).to_owned()), &capture, &Arc::new(keys));
    }
    score.publish("Windows", GOAL);
}

impl Score {
    /// Both readings of each session in a capture, and all cuts of them.
    fn add(&mut self, name: &str, pair: &Pair, capture: &[u8], keys: &Arc<Keyring>) {
        self.captures += 1;
        for stream in streams(capture) {
            let truth = events(&stream, keys);
            let sealed = events(&stream, &Arc::default());
            let whole = fold(&truth);
            if whole.facts.inner.unsealed.is_none() {
                continue;
            }
            self.sessions += 1;
            self.whole(name, pair, &whole, &fold(&sealed));
            self.cuts(name, pair, &truth, &sealed);
            parts(&truth).into_iter().for_each(|record| self.lengths.add(pair, record));
        }
    }

    fn whole(&mut self, name: &str, pair: &Pair, truth: &Timeline, said: &Timeline) {
        for phase in PHASES {
            let began = |timeline: &Timeline| timeline.phase(phase).map(|phase| phase.began);
            let judged = match (began(truth), began(said)) {
                (None, None) => continue,
                (wanted, found) if wanted == found => Judged::Right,
                (Some(_), None) if said.is_unsure() => Judged::Unsure,
                (wanted, found) => {
                    println!("{name}: {phase} began {wanted:?}, said {found:?}");
                    Judged::Wrong
                }
            };
            count(self.phases.entry((pair.clone(), phase)).or_default(), judged);
        }
        self.counts(name, truth, said);
    }

    fn counts(&mut self, name: &str, truth: &Timeline, said: &Timeline) {
        let inner = &truth.facts.inner;
        let tokens = [Side::Client, Side::Server]
            .map(|side| inner.credssp.messages.iter().filter(|seen| seen.what.0 == side).count() as u32);
        // The last message of the client is told by what follows it; no session of these fails between the two.
        let inferred = said.inferred();
        let goodbye = |side| inner.ultimatum.as_ref().is_some_and(|seen| seen.what.0 == side);
        let ends = [Side::Client, Side::Server].map(goodbye);
        let words = [Side::Client, Side::Server].map(|side| said.last_words(side).ultimatum);
        let joins = [inner.settings.joins, inner.settings.joined];
        let all = [
            ("messages of CredSSP", tokens == inferred.tokens, tokens != [0, 0]),
            ("channel joins", joins == inferred.joins, joins != [0, 0]),
            ("Disconnect Provider Ultimatum", ends == words, true),
        ];
        for (what, is_right, counts) in all {
            if !is_right {
                println!("{name}: {what}: {tokens:?} {joins:?} {ends:?}, said {inferred:?} {words:?}");
            }
            if counts {
                count(self.counts.entry(what).or_default(), if is_right { Judged::Right } else { Judged::Wrong });
            }
        }
    }

    /// Cuts behind each record, from the first one behind the handshake.
    fn cuts(&mut self, name: &str, pair: &Pair, truth: &[Event], sealed: &[Event]) {
        let (mut known, mut said) = (Timeline::default(), Timeline::default());
        let mut when_active = 0;
        for (known_part, said_part) in parts(truth).into_iter().zip(parts(sealed)) {
            known_part.iter().for_each(|event| known.push(event));
            said_part.iter().for_each(|event| said.push(event));
            let phase = known.last_phase();
            if phase <= PhaseName::Tls || known.end.is_some() {
                continue;
            }
            when_active += usize::from(phase == PhaseName::Active);
            if when_active > CUTS_WHEN_ACTIVE {
                return;
            }
            let cut = cut(&said);
            let found = cut.end.map(|end| end.phase);
            let judged = match found {
                Some(found) if found == phase => Judged::Right,
                _ if cut.is_unsure() => Judged::Unsure,
                _ => {
                    println!("{name}: cut in {phase}, said {found:?}");
                    Judged::Wrong
                }
            };
            count(self.failures.entry((pair.clone(), phase)).or_default(), judged);
        }
    }

    fn publish(&self, title: &str, goal: f64) {
        let text = self.tables(title);
        println!("{text}");
        check_document(title, &text);
        let all = average(self.failures.values());
        assert!(self.sessions > 0 && all[0] >= goal, "{title}: {all:.1?}");
    }

    fn tables(&self, title: &str) -> String {
        let pairs: BTreeSet<&Pair> = self.failures.keys().map(|(pair, _)| pair).collect();
        let mut text = format!("## {title}\n\n{} captures, {} sessions with keys. ", self.captures, self.sessions);
        let _infallible = writeln!(
            text,
            "Percent right / wrong / unsure.\n\n| phase | told, where it begins | the end is in it |\n|---|---|---|"
        );
        for phase in PHASES {
            let of = |cells: &BTreeMap<(Pair, PhaseName), Tally>| {
                percent(average(cells.iter().filter(|((_, name), _)| *name == phase).map(|(_, tally)| tally)))
            };
            let _infallible = writeln!(text, "| {phase} | {} | {} |", of(&self.phases), of(&self.failures));
        }
        let (phases, failures) = (average(self.phases.values()), average(self.failures.values()));
        let _infallible = writeln!(text, "| **all** | {} | {} |\n", percent(phases), percent(failures));
        text += "| client | server | phases told | the end is in it | cuts |\n|---|---|---|---|---|\n";
        for pair in pairs {
            let of = |cells: &BTreeMap<(Pair, PhaseName), Tally>| {
                percent(average(cells.iter().filter(|((name, _), _)| name == pair).map(|(_, tally)| tally)))
            };
            let cuts: u32 = self.failures.iter().filter(|((name, _), _)| name == pair).flat_map(|(_, t)| t).sum();
            let (phases, failures) = (of(&self.phases), of(&self.failures));
            let _infallible = writeln!(text, "| {} | {} | {phases} | {failures} | {cuts} |", pair.0, pair.1);
        }
        text += "\n| counted | right | wrong |\n|---|---|---|\n";
        for (what, [right, wrong, _]) in &self.counts {
            let _infallible = writeln!(text, "| {what} | {right} | {wrong} |");
        }
        text + &self.lengths.table()
    }
}

fn count(tally: &mut Tally, judged: Judged) {
    tally[judged as usize] += 1;
}

/// The mean over cells, percent: a pair of peers with many captures weighs no more than another.
fn average<'a>(cells: impl Iterator<Item = &'a Tally>) -> [f64; 3] {
    let (mut sum, mut cells_seen) = ([0.0; 3], 0.0);
    for tally in cells {
        let all: u32 = tally.iter().sum();
        (0..3).for_each(|at| sum[at] += f64::from(tally[at]) / f64::from(all) * 100.0);
        cells_seen += 1.0;
    }
    sum.map(|sum| if cells_seen > 0.0 { sum / cells_seen } else { 0.0 })
}

fn percent(parts: [f64; 3]) -> String {
    if parts.iter().sum::<f64>() == 0.0 {
        return "-".into();
    }
    parts.map(|part| format!("{part:.1}")).join(" / ")
}

/// Each record with all that follows it.
fn parts(events: &[Event]) -> Vec<&[Event]> {
    let begins = |event: &Event| matches!(event.what, What::Record { .. });
    let mut places: Vec<usize> = (0..events.len()).filter(|at| begins(&events[*at])).collect();
    places.insert(0, 0);
    places.push(events.len());
    places.windows(2).map(|two| &events[two[0]..two[1]]).collect()
}

/// As if the server had reset the connection here.
fn cut(timeline: &Timeline) -> Timeline {
    let mut timeline = timeline.clone();
    let leg = timeline.legs.first().expect("a leg").name;
    let flow = analyzer::observation::Flow { session: 0, leg };
    let what = What::Closed { from: Some(Side::Server), how: Ending::Reset };
    timeline.push(&Event { at: timeline.last, flow, frame: u64::MAX, what });
    timeline.finish();
    timeline
}

fn events(stream: &[Observation], keys: &Arc<Keyring>) -> Vec<Event> {
    let mut session = Session::with_keys(keys);
    let mut all = Vec::new();
    stream.iter().for_each(|observation| session.push(observation, &mut |event| all.push(event)));
    all
}

fn fold(events: &[Event]) -> Timeline {
    let mut timeline = Timeline::default();
    events.iter().for_each(|event| timeline.push(event));
    timeline.finish();
    timeline
}

fn golden() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures/keyed");
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "pcapng")).collect();
    paths.sort();
    paths
}

/// Compares a section of the document, or rewrites it.
fn check_document(title: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inference.md");
    let document = fs::read_to_string(&path).expect("the document");
    let (begin, end) = (format!("<!-- {title} -->\n"), format!("<!-- end of {title} -->\n"));
    let from = document.find(&begin).map(|at| at + begin.len()).expect("the section");
    let to = document.find(&end).expect("its end");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        // The two tests run side by side, each with its own section.
        let _one_writes = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let document = fs::read_to_string(&path).expect("the document");
        let (from, to) = (document.find(&begin).expect("it") + begin.len(), document.find(&end).expect("it"));
        fs::write(&path, format!("{}{text}{}", &document[..from], &document[to..])).expect("written");
    } else {
        assert_eq!(&document[from..to], text, "{title} in docs/inference.md (UPDATE_EXPECT=1 rewrites it)");
    }
}

static WRITING: std::sync::Mutex<()> = std::sync::Mutex::new(());
