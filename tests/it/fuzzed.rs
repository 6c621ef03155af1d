//! What once broke a decoder does not break it again: every input that fuzzing left in `analyzer/fuzz/crashes`, by decoder.

use std::fs;
use std::path::Path;

#[path = "../../analyzer/fuzz/oracles.rs"]
mod oracles;

#[test]
fn no_input_that_broke_a_decoder_breaks_it_again() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("analyzer/fuzz/crashes");
    for (name, holds) in oracles::ORACLES {
        let Ok(inputs) = fs::read_dir(crashes.join(name)) else { continue };
        for input in inputs {
            holds(&fs::read(input.expect("a folder").path()).expect("an input"));
        }
    }
}

/// Without a fuzzer, too, the oracles see some thousand inputs: all the captures of this project, cut and damaged.
#[test]
fn every_decoder_takes_damaged_captures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let captures = fs::read_dir(folder).expect("captures").map(|entry| entry.expect("a folder").path());
    let captures = captures.filter(|path| path.extension().is_some_and(|kind| kind == "pcapng"));
    let mut random = crate::support::judge::Random::seeded(7);
    for capture in captures {
        let whole = fs::read(capture).expect("a capture");
        for (_, holds) in oracles::ORACLES {
            let mut bytes = whole.clone();
            bytes.truncate(1 + random.below(bytes.len() as u64) as usize);
            for _ in 0..4 {
                let place = random.below(bytes.len() as u64) as usize;
                bytes[place] = random.next() as u8;
            }
            holds(&bytes);
        }
    }
}
