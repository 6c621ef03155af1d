//! Standard output behind a bounded queue: a reader that does not read (a full pipe, a console in which text is being
//! selected) must stop neither the recordings nor the program's end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::print;

/// Lines that may wait for the reader. Further ones are dropped and counted.
const WAITING: usize = 10_000;
/// How long the reader gets for the last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints from a thread of its own.
pub struct Screen {
    lines: SyncSender<String>,
    dropped: Arc<AtomicU64>,
    done: Receiver<()>,
}

impl Screen {
    /// Starts the thread.
    pub fn open() -> anyhow::Result<Screen> {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (finished, done) = sync_channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = dropped.clone();
        let write = move || {
            for line in waiting {
                // A reader that went away is no reason to stop.
                let _closed_pipe = print(&line);
            }
            let dropped = counted.load(Ordering::Relaxed);
            if dropped > 0 {
                let _closed_pipe =
                    print(&format!("{} dropped: nobody read in time\n", analyzer::count::counted(dropped, "line")));
            }
            let _ended = finished.send(());
        };
        thread::Builder::new().name("screen".into()).spawn(write).context("cannot start the screen's thread")?;
        Ok(Screen { lines, dropped, done })
    }

    /// Prints a line, or several, as soon as the reader takes them.
    pub fn printer(&mut self) -> impl FnMut(String) + Send + use<> {
        let (lines, dropped) = (self.lines.clone(), self.dropped.clone());
        move |line| {
            if lines.try_send(line).is_err() {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits for the reader, but not for long.
    pub fn close(self) {
        let Screen { lines, done, .. } = self;
        drop(lines);
        let _slow_reader = done.recv_timeout(PATIENCE);
    }
}
