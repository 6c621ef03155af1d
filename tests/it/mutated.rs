//! Golden captures with a byte changed, cut out or put in, behind a right confirm: whatever the verdict is then, it contradicts
//! nothing that is there. Nobody is "not RDP" who has agreed on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzer::analysis::Analysis;
use analyzer::attempt::Diagnosed;
use analyzer::capture::recording;
use analyzer::observation::{Ending, Observation, Seen, Side};
use analyzer::timeline::phase::PhaseName;
use bytes::Bytes;

/// Observations of a session's beginning that are kept: all of its handshake.
const KEPT: usize = 120;
/// Messages that are changed, and places in each.
const MESSAGES: usize = 8;
const PLACES: usize = 24;

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let paths = fs::read_dir(folder).expect("captures").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|own| own == "pcapng")).collect();
    paths.sort();
    paths
}

fn analyse(observations: &[Observation]) -> Vec<Diagnosed> {
    let mut analysis = Analysis::default();
    observations.iter().for_each(|observation| analysis.push(observation));
    analysis.finish_all(None)
}

/// The beginning of a session, and its end.
fn beginning(file: &[u8]) -> Vec<Observation> {
    let mut all = Vec::new();
    recording::read(file, 0, &mut |observation| all.push(observation)).expect("a recording");
    let ends: Vec<Observation> =
        all.iter().skip(KEPT).filter(|one| matches!(one.seen, Seen::Closed { .. })).cloned().collect();
    all.truncate(KEPT);
    all.extend(ends);
    all
}

/// The bytes with something done to them at this place.
fn changed(data: &[u8], place: usize, how: usize) -> Vec<u8> {
    let (before, after) = data.split_at(place);
    match how {
        0 => [before, &[after[0] ^ 0x55], &after[1..]].concat(),
        1 => [before, &[0xff], &after[1..]].concat(),
        2 => [before, &after[1..]].concat(),
        3 => before.to_vec(),
        _ => [before, &[0x41; 7], after].concat(),
    }
}

/// The same bytes of a side on every leg, changed alike.
fn mutant(session: &[Observation], from: Side, data: &Bytes, other: &[u8]) -> Vec<Observation> {
    let change = |one: &Observation| match &one.seen {
        Seen::Bytes { from: by, data: here } if *by == from && here == data => {
            Observation { seen: Seen::Bytes { from, data: other.to_vec().into() }, ..one.clone() }
        }
        _ => one.clone(),
    };
    session.iter().map(change).collect()
}

/// Ended by the other side half a second later, as by who cannot read on.
fn left(session: &[Observation], place: usize, from: Side) -> Vec<Observation> {
    let mut cut: Vec<Observation> = session[..=place].to_vec();
    let Some(last) = cut.iter().map(|one| one.at).max() else { return cut };
    let legs: Vec<_> = {
        let mut legs: Vec<_> = cut.iter().map(|one| one.flow).collect();
        legs.sort();
        legs.dedup();
        legs
    };
    let closed = |flow| {
        let seen = Seen::Closed { from: Some(from.other()), how: Ending::Fin };
        Observation { at: last + Duration::from_millis(500), flow, frame: 1_000, seen }
    };
    cut.extend(legs.into_iter().map(closed));
    cut
}

/// What is wrong with what is said of it.
fn contradictions(session: &Diagnosed) -> Vec<String> {
    let facts = &session.timeline.facts;
    let is_agreed = facts.confirm.as_ref().is_some_and(|confirm| confirm.what.selected.is_some_and(|one| one.0 != 0));
    let has_spoken = facts.malformed_in(&["tls handshake", "tls record"]).any(|seen| seen.what.0 == Side::Client);
    let wrong = session.findings.iter().filter(|finding| {
        let id = finding.cause.id;
        let denies = finding.phase == PhaseName::Negotiation && (id == "TCP-NOTRDP" || id.starts_with("X224-"));
        let unheard = finding.says.contains("before any ClientHello") || finding.says.contains("asks for nothing");
        // A client that wants more than was selected has not gone on.
        let has_gone_on = has_spoken || facts.tls.iter().any(|tls| tls.hello.is_some());
        is_agreed && (id == "TCP-NOTRDP" || denies && has_gone_on || unheard && has_spoken)
    });
    wrong.map(|finding| format!("{} in {}: {}", finding.cause.id, finding.phase, finding.says)).collect()
}

#[test]
fn whatever_is_changed_behind_a_right_confirm_is_not_the_negotiation() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for path in captures() {
        let session = beginning(&fs::read(&path).expect("a capture"));
        let whole = analyse(&session);
        let [Diagnosed { timeline, .. }] = &whole[..] else { continue };
        let Some(confirmed) = timeline.facts.confirm.as_ref().map(|seen| seen.mark.at) else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The relay passes the confirm on a little later.
        let is_before = |one: &&Observation| one.at <= confirmed;
        let said = session.iter().filter(is_before).filter_map(|one| match &one.seen {
            Seen::Bytes { from, data } => Some((*from, data.clone())),
            _ => None,
        });
        let mut seen: Vec<(Side, Bytes)> = said.collect();
        let most = seen.len() + MESSAGES;
        for (at, observation) in session.iter().enumerate() {
            let Seen::Bytes { from, data } = &observation.seen else { continue };
            let known = (*from, data.clone());
            if observation.at <= confirmed || data.is_empty() || seen.contains(&known) || seen.len() == most {
                continue;
            }
            seen.push(known);
            let step = data.len().div_ceil(PLACES).max(1);
            // Headers are where lengths stand.
            let places = (0..data.len().min(12)).chain((12..data.len()).step_by(step));
            for (place, how) in places.flat_map(|place| (0..5).map(move |how| (place, how))) {
                let mutant = mutant(&session, *from, data, &changed(data, place, how));
                for variant in [left(&mutant, at, *from), mutant] {
                    tried += 1;
                    let said = analyse(&variant).iter().flat_map(contradictions).next();
                    wrong.extend(said.map(|says| format!("{name}, message {at}, byte {place}, way {how}: {says}")));
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried} variants");
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}
