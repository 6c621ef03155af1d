//! Recordings that are being written anew, each by a thread of its own: their secrets come first.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{LOOK, Live};
use crate::finalize::finalize_unless;

/// At the end they get so long. The summary must not wait for them.
const REWRITE: Duration = Duration::from_secs(5);
/// One that is told to stop gets so long for the block that it is at.
const STOP: Duration = Duration::from_secs(1);

/// All of them.
#[derive(Default)]
pub(super) struct Finalizing {
    all: Vec<One>,
    /// Set where no time is left for them.
    stop: Arc<AtomicBool>,
}

struct One {
    session: u32,
    path: PathBuf,
    /// Bytes that it takes until it has its place.
    takes: u64,
    thread: JoinHandle<io::Result<()>>,
}

impl Finalizing {
    /// One more.
    pub(super) fn begin(&mut self, session: u32, path: PathBuf) {
        let takes = path.metadata().map_or(0, |found| found.len());
        let (stop, file) = (Arc::clone(&self.stop), path.clone());
        let thread = thread::spawn(move || finalize_unless(&file, &stop).map(drop));
        self.all.push(One { session, path, takes, thread });
    }

    /// What they take of the disk besides, until they have their places.
    pub(super) fn takes(&self) -> u64 {
        self.all.iter().map(|one| one.takes).sum()
    }

    /// Tells of those that could not be written anew, and forgets those that are done. Whether none goes on.
    pub(super) fn look(&mut self, say: &mut dyn FnMut(Live<'_>)) -> bool {
        let all = std::mem::take(&mut self.all).into_iter();
        let (done, going): (Vec<_>, Vec<_>) = all.partition(|one| one.thread.is_finished());
        self.all = going;
        for One { session, path, thread, .. } in done {
            if let Err(error) = thread.join().unwrap_or_else(|_| Err(io::Error::other("it panicked"))) {
                say(Live::NotFinalized { session, file: &path, error: &error });
            }
        }
        self.all.is_empty()
    }

    /// Whether all of them are done by then.
    fn are_done_by(&mut self, deadline: Instant, say: &mut dyn FnMut(Live<'_>)) -> bool {
        while !self.look(say) {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }

    /// They get their time, and no more.
    pub(super) fn end(&mut self, say: &mut dyn FnMut(Live<'_>)) {
        if self.are_done_by(Instant::now() + REWRITE, say) {
            return;
        }
        self.stop.store(true, Ordering::Relaxed);
        if self.are_done_by(Instant::now() + STOP, say) {
            return;
        }
        // A disk that hangs. Whoever is told to stop takes no recording's place any more.
        for One { session, path, .. } in std::mem::take(&mut self.all) {
            let error = io::Error::new(io::ErrorKind::TimedOut, "there was no time left for it");
            say(Live::NotFinalized { session, file: &path, error: &error });
        }
    }
}
