//! What is not in a capture proves nothing: any packet is taken out of it, any beginning, either direction, and no failure
//! is claimed of a healthy one. Of a failing one the cause stays, weakens or vanishes, and never becomes another certain one.
//!
//! Long captures are tried at every place at both ends and at some between; with `RDPSCOPE_EVERY_PACKET` set, at all.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::attempt::{Diagnosed, group};
use analyzer::capture::file;
use analyzer::capture::packets::{Decoder, Heard, What};
use analyzer::capture::segment::Segment;
use analyzer::causes::Confidence;
use analyzer::diagnose::{Outcome, Severity};
use analyzer::reading;

use crate::corpus::rdp_captures;
use crate::scoreboard::stands;
use crate::support::blocks::Blocks;
use crate::support::judge::Random;

/// Packets at the beginning that are each tried, and those at the end.
const FIRST: usize = 60;
const LAST: usize = 20;
/// Packets between that are tried.
const BETWEEN: usize = 20;

/// A capture, and what is said of the whole of it.
struct Specimen {
    name: String,
    blocks: Blocks,
    said: Said,
}

/// What is said of a capture.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    outcomes: Vec<Outcome>,
    /// Causes of failures, and whether they are certain.
    failures: Vec<(&'static str, bool)>,
    /// Those of failed sessions of attempts that connected in the end.
    overcome: Vec<&'static str>,
    /// Causes of warnings.
    warnings: Vec<&'static str>,
}

impl Said {
    fn is_healthy(&self) -> bool {
        !self.claims_failure()
    }

    fn claims_failure(&self) -> bool {
        let is_bad = |outcome: &Outcome| matches!(outcome, Outcome::Failed | Outcome::Broken);
        !self.failures.is_empty() || self.outcomes.iter().any(is_bad)
    }
}

fn say(file: &[u8]) -> Said {
    let mut sessions: Vec<Diagnosed> = Vec::new();
    let keys = Arc::new(reading::secrets(file).unwrap_or_default());
    let _unreadable = reading::read_with(file, None, &keys, &mut |session| sessions.push(session));
    let attempts = group(sessions);
    let sessions = attempts.iter().flat_map(|attempt| &attempt.sessions).filter(|session| !session.withdrawn);
    let findings = || sessions.clone().flat_map(|session| &session.findings);
    let of = |severity| findings().filter(move |finding| finding.severity == severity);
    let connected = attempts.iter().filter(|attempt| attempt.outcome() == Outcome::Connected);
    let overcome = connected.flat_map(|attempt| &attempt.sessions).filter(|session| session.outcome == Outcome::Failed);
    Said {
        outcomes: attempts.iter().map(|attempt| attempt.outcome()).collect(),
        failures: of(Severity::Failure)
            .map(|finding| (finding.cause.id, finding.confidence == Confidence::Certain))
            .collect(),
        overcome: overcome.flat_map(|session| &session.findings).map(|finding| finding.cause.id).collect(),
        warnings: of(Severity::Warning).map(|finding| finding.cause.id).collect(),
    }
}

fn specimen(path: &Path, anonymous: bool) -> Specimen {
    let blocks = Blocks::of(&fs::read(path).expect("a capture"));
    let blocks = if anonymous { blocks.anonymous() } else { blocks };
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = if anonymous { format!("{name}, as packets") } else { name };
    let said = say(&blocks.only(|_| true));
    let is_told = !said.outcomes.is_empty() || !carries_payload(&blocks.only(|_| true));
    assert!(is_told, "{name}: nothing is read");
    Specimen { name, blocks, said }
}

fn recordings(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "pcapng")).collect();
    files.sort();
    files
}

/// The places of a capture with so many packets that are tried.
fn places(packets: usize) -> BTreeSet<usize> {
    if std::env::var_os("RDPSCOPE_EVERY_PACKET").is_some() {
        return (0..packets).collect();
    }
    let mut random = Random::seeded(packets as u64);
    let between = (0..BETWEEN).map(|_| random.below(packets as u64) as usize);
    (0..FIRST.min(packets)).chain(packets.saturating_sub(LAST)..packets).chain(between).collect()
}

/// Source and destination.
type Direction = (SocketAddr, SocketAddr);

/// In which direction each packet goes, by its number from 1.
fn directions(file: &[u8]) -> HashMap<usize, Direction> {
    let mut directions = HashMap::new();
    segments(file, &mut |frame, segment| _ = directions.insert(frame, (segment.source, segment.destination)));
    directions
}

fn carries_payload(file: &[u8]) -> bool {
    let mut carries = false;
    segments(file, &mut |_, segment| carries |= segment.payload_len > 0);
    carries
}

fn segments(file: &[u8], each: &mut dyn FnMut(usize, &Segment<'_>)) {
    let mut decoder = Decoder::default();
    let mut heard = |heard: Heard<'_>| {
        if let What::Segment(segment) = &heard.what {
            each(heard.frame as usize, segment);
        }
    };
    let read = file::read(file, &mut |item| {
        decoder.item(&item, &mut heard);
        Ok(())
    });
    read.expect("a capture");
    decoder.finish(&mut heard);
}

/// Tries each way to take something out, and says where that makes up a failure.
fn tried(specimens: &[Specimen]) -> (usize, Vec<String>) {
    let mut tries = 0;
    let mut wrong = Vec::new();
    for Specimen { name, blocks, said } in specimens {
        let directions = directions(&blocks.only(|_| true));
        let mut each: Vec<Direction> = directions.values().copied().collect();
        each.sort_unstable();
        each.dedup();
        for gone in each {
            tries += 1;
            let partial = say(&blocks.only(|place| directions.get(&(place + 1)) != Some(&gone)));
            if let Some(complaint) = complaint(said, &partial) {
                wrong.push(format!("{name} without all from {} to {}: {complaint}", gone.0, gone.1));
            }
        }
        for place in places(blocks.packets()) {
            let ways = [("without", blocks.only(|packet| packet != place)), ("from", blocks.only(|p| p > place))];
            for (way, file) in ways {
                tries += 1;
                let partial = say(&file);
                if let Some(complaint) = complaint(said, &partial) {
                    wrong.push(format!("{name} {way} packet {}: {complaint}", place + 1));
                }
            }
        }
    }
    (tries, wrong)
}

fn complaint(whole: &Said, partial: &Said) -> Option<String> {
    let known = |id: &str| whole.failures.iter().any(|(known, _)| *known == id) || whole.overcome.contains(&id);
    // What the attempt went on after had failed: where the capture has no more of it, that stands.
    let is_known = !partial.failures.is_empty() && partial.failures.iter().all(|(id, _)| whole.overcome.contains(id));
    if whole.is_healthy() && !is_known {
        let louder = partial.claims_failure() || partial.warnings.len() > whole.warnings.len();
        return louder.then(|| format!("a failure of a healthy session: {partial:?}"));
    }
    let other: Vec<_> = partial.failures.iter().filter(|(id, certain)| *certain && !known(id)).collect();
    (!other.is_empty()).then(|| format!("{other:?} instead of {:?}", whole.failures))
}

/// Where captures come from, and what was tried with them.
struct Row {
    source: &'static str,
    captures: usize,
    healthy: usize,
    tries: usize,
    wrong: Vec<String>,
}

fn row(source: &'static str, files: &[PathBuf], anonymous: bool) -> Row {
    let specimens: Vec<Specimen> = files.iter().map(|path| specimen(path, anonymous)).collect();
    let healthy = specimens.iter().filter(|specimen| specimen.said.is_healthy()).count();
    let (tries, wrong) = tried(&specimens);
    Row { source, captures: specimens.len(), healthy, tries, wrong }
}

#[test]
fn nothing_is_concluded_from_what_is_missing() {
    let (golden, keyed, others) = (recordings("captures"), recordings("captures/keyed"), rdp_captures());
    let rows = [
        row("golden recordings", &golden, false),
        row("the same as packets", &golden, true),
        row("recordings with keys", &keyed, false),
        row("the same as packets, with keys", &keyed, true),
        row("captures made by others", &others, false),
    ];
    let mut table =
        format!("## {SECTION}\n\n{ABOUT}\n\n| | captures | healthy | ways | wrong |\n|---|---|---|---|---|\n");
    for Row { source, captures, healthy, tries, wrong } in &rows {
        table += &format!("| {source} | {captures} | {healthy} | {tries} | {} |\n", wrong.len());
    }
    println!("{table}");
    let wrong: Vec<&String> = rows.iter().flat_map(|row| &row.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let is_usual = std::env::var_os("RDPSCOPE_EVERY_PACKET").is_none() && !others.is_empty();
    let stands = if is_usual { stands(SECTION, &table) } else { Ok(()) };
    stands.unwrap_or_else(|complaint| panic!("{complaint}"));
}

const SECTION: &str = "what is taken out";
const ABOUT: &str = "Captures in which a packet, all packets up to one, or one direction of a connection is missing. *Wrong* \
    would be a failure, or a further warning, of a healthy one, or another certain cause of one that failed. Long captures are \
    tried at both ends and at some places between; `RDPSCOPE_EVERY_PACKET=1` tries every packet.";
