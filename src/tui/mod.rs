//! The screen of `--tui`: the sessions as they go on, one of them in full. Whoever watches folds what he sees into the
//! board, and never waits for the terminal; a thread of its own draws from it, as often as a person can see.

mod board;
mod cursor;
mod detail;
mod figures;
mod list;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use analyzer::time::Timestamp;
use anyhow::Context;
use proxy::watch::Live;
use tokio::sync::oneshot;

use crate::commands::talk;
use crate::held;
use board::Board;
use cursor::Cursor;
use terminal::Screen;
use view::Looks;

pub use terminal::check;

/// It is drawn anew at least so often: ages grow.
const BEAT: Duration = Duration::from_millis(200);
/// How long a terminal that takes nothing gets to be given back.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the screen shows, for whoever watches.
#[derive(Clone)]
pub struct Stage(Arc<Shared>);

struct Shared {
    board: Mutex<Board>,
    /// Whether the screen is to be seen. Changed where the board is held.
    is_open: AtomicBool,
    /// Whether it is to be closed.
    closes: AtomicBool,
}

impl Stage {
    /// Takes what happens; false where the screen is not there any more to show it.
    pub fn push(&self, live: &Live<'_>) -> bool {
        self.open_board().map(|mut board| board.push(live)).is_some()
    }

    /// Takes lines that are to be seen now, and at the end; false where the screen is not there any more.
    pub fn note(&self, lines: &str) -> bool {
        self.open_board().map(|mut board| board.note(lines.to_owned())).is_some()
    }

    fn open_board(&self) -> Option<MutexGuard<'_, Board>> {
        Some(self.board()).filter(|_| self.0.is_open.load(Ordering::Relaxed))
    }

    /// From now on others tell what happens.
    fn shut(&self) {
        let _board = self.board();
        self.0.is_open.store(false, Ordering::Relaxed);
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The screen. Dropping it gives the terminal back.
pub struct Tui {
    stage: Stage,
    done: Receiver<()>,
    quit: Option<oneshot::Receiver<()>>,
}

impl Tui {
    /// Takes the terminal. `now` is the time by the clock of those who are watched.
    pub fn open(title: String, now: impl Fn() -> Timestamp + Send + 'static) -> anyhow::Result<Tui> {
        let (board, closes, is_open) = (Mutex::default(), AtomicBool::new(false), AtomicBool::new(true));
        let stage = Stage(Arc::new(Shared { board, closes, is_open }));
        let (finished, done) = sync_channel(1);
        let (quits, quit) = oneshot::channel();
        let screen = Screen::take()?;
        let shown = stage.clone();
        let show = move || show(screen, &shown, &title, &now, quits, &finished);
        thread::Builder::new().name("tui".into()).spawn(show).context("cannot start the screen's thread")?;
        Ok(Tui { stage, done, quit: Some(quit) })
    }

    /// What it shows.
    pub fn stage(&self) -> Stage {
        self.stage.clone()
    }

    /// Waits until somebody has enough. A screen that is gone for another reason asks for nothing.
    pub async fn quit(&mut self) {
        if let Some(quit) = &mut self.quit {
            let has_enough = quit.await.is_ok();
            self.quit = None;
            if has_enough {
                return;
            }
        }
        std::future::pending().await
    }

    /// Gives the terminal back, and the lines that are for the end.
    pub fn close(&self) -> Vec<String> {
        self.stage.0.closes.store(true, Ordering::Release);
        let _stuck = self.done.recv_timeout(PATIENCE);
        self.stage.shut();
        self.stage.board().take_notes()
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        self.close();
    }
}

/// Draws until somebody has enough, or the terminal is no more. Then what happens is for others to tell.
fn show(
    screen: Screen,
    stage: &Stage,
    title: &str,
    now: &dyn Fn() -> Timestamp,
    quits: oneshot::Sender<()>,
    finished: &SyncSender<()>,
) {
    let closing = Closing { stage, finished };
    let shown = draw_on(screen, stage, title, now);
    drop(closing);
    match shown {
        Ok(true) => drop(quits.send(())),
        Ok(false) => {}
        Err(error) => talk(&format!("the screen is gone: {error}; what happens is told line by line, Ctrl-C ends")),
    }
}

/// Tells that the terminal is given back, after a panic, too: then what happens is told line by line.
struct Closing<'a> {
    stage: &'a Stage,
    finished: &'a SyncSender<()>,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.stage.shut();
        let _nobody_waits = self.finished.try_send(());
    }
}

/// Whether somebody has enough.
fn draw_on(mut screen: Screen, stage: &Stage, title: &str, now: &dyn Fn() -> Timestamp) -> std::io::Result<bool> {
    let is_coloured = std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let (looks, mut cursor, mut page) = (Looks { is_coloured }, Cursor::new(), 1);
    while !stage.0.closes.load(Ordering::Acquire) {
        if let Some(line) = held::news() {
            stage.board().note = Some(line);
        }
        screen.draw(|frame| page = view::draw(frame, title, &stage.board(), &mut cursor, now(), looks))?;
        if let Some(key) = terminal::key_within(BEAT)?
            && cursor.press(key, &stage.board(), page)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
