//! `rdpscope finalize`: mends recordings that were not closed in order, for other readers.

use proxy::finalize::{self, Mended};

use super::{print, talk};
use crate::cli::Finalize;
use analyzer::count::{counted, either};
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
    let Mended { moved, left_off, torn } = mended;
    if let Some(len) = torn {
        let len = counted(len, "byte");
        return if len.starts_with("0 ") {
            "empty: nothing was written to it".into()
        } else {
            format!("torn: it holds {len}, no whole block")
        };
    }
    let stand = either(moved, "stands", "stand");
    let moved =
        (moved > 0).then(|| format!("{} of secrets now {stand} before the first packet", counted(moved, "block")));
    let are = either(left_off, "is", "are");
    let left_off =
        (left_off > 0).then(|| format!("{} at the end, no whole block, {are} left off", counted(left_off, "byte")));
    let done: Vec<String> = moved.into_iter().chain(left_off).collect();
    if done.is_empty() { "nothing to mend".into() } else { done.join("; ") }
}
