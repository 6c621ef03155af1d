//! `rdpscope finalize`: mends recordings that were not closed in order, for other readers.

use proxy::finalize::{self, Mended};

use super::{print, talk};
use crate::cli::Finalize;
use proxy::named::Named;

pub fn run(args: &Finalize) -> anyhow::Result<u8> {
    let mut failed = false;
    for file in &args.files {
        match finalize::finalize(file) {
            Ok(mended) => print(&format!("{}: {}\n", file.named(), told(mended)))?,
            Err(error) => {
                talk(&format!("error: {}: {error}; it is as it was", file.named()));
                failed = true;
            }
        }
    }
    Ok(if failed { 2 } else { 0 })
}

/// What was done, in a sentence.
fn told(mended: Mended) -> String {
    let Mended { moved, left_off } = mended;
    let moved = (moved > 0).then(|| format!("{moved} blocks of secrets now stand before the first packet"));
    let left_off = (left_off > 0).then(|| format!("{left_off} bytes at the end, no whole block, are left off"));
    let done: Vec<String> = moved.into_iter().chain(left_off).collect();
    if done.is_empty() { "nothing to mend".into() } else { done.join("; ") }
}
