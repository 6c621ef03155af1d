//! Whatever the steps of a recording are, there is a script or a reason why there is none: steps of this project's captures,
//! some of them left out, repeated, exchanged, or with the events of others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::observation::Absence;
use analyzer::reading::{self, Along};

use super::*;

/// Variants of each session that are tried.
const TRIES: u64 = 24;

/// Small numbers that look random: xorshift64 (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// The captures of this project, those with secrets, too.
fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let files =
        [root.clone(), root.join("keyed")].into_iter().flat_map(|folder| fs::read_dir(folder).expect("captures"));
    let mut files: Vec<_> = files.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "pcapng"));
    files.sort();
    files
}

fn steps(file: &Path) -> Vec<Step> {
    let bytes = fs::read(file).expect("a capture");
    let keys = Arc::new(reading::secrets(&*bytes).expect("a capture"));
    let mut steps = Vec::new();
    let told = reading::read_along(&*bytes, None, &keys, &mut |along| {
        if let Along::Step { step, .. } = along {
            steps.push(step);
        }
    });
    told.expect("a capture");
    steps
}

/// One thing that no recording should have, and that may stand in one all the same.
fn disturb(steps: &mut Vec<Step>, random: &mut Random) {
    let (one, other) = (random.below(steps.len()), random.below(steps.len()));
    let from = [Side::Client, Side::Server][random.below(2)];
    match random.below(8) {
        0 => _ = steps.remove(one),
        1 => steps.insert(one, steps[other].clone()),
        2 => steps.swap(one, other),
        3 => steps[one].events = steps[other].events.clone(),
        4 => steps[one].lines = steps[other].lines.clone(),
        5 => steps[one].observation.seen = Seen::Missing { from, len: 9, why: Absence::Lost },
        6 => steps[one].observation.seen = Seen::Closed { from: Some(from), how: Ending::Reset },
        _ => steps.truncate(one + 1),
    }
}

/// Times do not go back, and nothing is said once nothing can be.
fn is_in_order(script: &Script) {
    assert!(script.moves.is_sorted_by_key(|one| one.at), "{:?}", script.moves);
    let mute = script.moves.iter().position(|one| matches!(one.act, Act::Mute(_)));
    let behind = mute.map_or(&[][..], |mute| &script.moves[mute..]);
    assert!(!behind.iter().any(|one| matches!(one.act, Act::Say(Place::Tls, _))), "{behind:?}");
}

#[test]
fn of_any_steps_there_is_a_script_or_a_reason() {
    let mut made = 0;
    for (number, file) in captures().iter().enumerate() {
        let whole = steps(file);
        for (side, attempt) in
            [Side::Client, Side::Server].into_iter().flat_map(|side| (0..TRIES).map(move |n| (side, n)))
        {
            let mut random = Random((number as u64 + 1) << 32 | attempt << 1 | 1);
            let mut steps = whole.clone();
            // The first is the session as it was.
            for _ in 0..attempt.min(6) {
                if !steps.is_empty() {
                    disturb(&mut steps, &mut random);
                }
            }
            // Only those of one leg are in order in a recording: here a step may have come from the other.
            let mut times: Vec<_> = steps.iter().map(|step| step.observation.at).collect();
            times.sort();
            steps.iter_mut().zip(times).for_each(|(step, at)| step.observation.at = at);
            let mut builder = Builder::new(side);
            steps.iter().for_each(|step| builder.push(step));
            if let Ok(script) = builder.finish() {
                made += 1;
                is_in_order(&script);
                if let Ok(script) = script.without_credssp() {
                    is_in_order(&script);
                }
            }
        }
    }
    assert!(made > 500, "{made} scripts");
}
