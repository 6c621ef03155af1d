//! Sessions whose secrets came when nobody waited for them any more: their recording is read once more.

use std::path::Path;
use std::sync::Arc;

use analyzer::attempt::Diagnosed;
use analyzer::count::counted;
use analyzer::reading;

use crate::record;

/// A recording whose secrets came too late is read once more where it is no longer than this, bytes: 0.2 seconds.
const READ_AGAIN: u64 = 32 << 20;

/// What the recording says of sessions whose secrets came when nobody waited for them any more.
pub(super) fn read_again(path: &Path, names: bool, without: Vec<Diagnosed>, observations: u64) -> Vec<Diagnosed> {
    let read = || {
        if record::parts(path).iter().try_fold(0, |sum, part| Some(sum + part.metadata().ok()?.len()))? > READ_AGAIN {
            return None;
        }
        let keys = Arc::new(reading::secrets(record::open(path).ok()?).ok()?.naming(names));
        let mut found = Vec::new();
        let mut keep = |session: Diagnosed| found.push(session);
        let name = without.first().and_then(|one| one.file.as_deref());
        reading::read_with(record::open(path).ok()?, name, &keys, &mut keep).ok()?;
        (!found.is_empty()).then_some(found)
    };
    let late = format!(
        "its secrets came late, {} read without them: analyze the recording",
        counted(observations, "observation")
    );
    let unread = |one: &Diagnosed| Diagnosed { incomplete: Some(late.clone()), ..one.clone() };
    read().unwrap_or_else(|| without.iter().map(unread).collect())
}
