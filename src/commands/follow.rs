//! `rdpscope analyze --follow`: a recording, told again at its own pace, line by line as `rdpscope proxy` told it live. One
//! that is being made goes on with what comes.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use analyzer::attempt;
use analyzer::capture::file::ReadError;
use analyzer::session::Session;
use analyzer::time::Timestamp;
use anyhow::{Context, bail};
use proxy::watch::retell::{Next, Recording, Retold, retell};
use proxy::watch::{Live, session_in};

use tokio::sync::oneshot;

use super::proxy::tell;
use super::signals::stopped;
use super::{analyze, exit_code, print, talk};
use crate::cli::Analyze;
use crate::input;
use crate::tui::{self, Tui};

/// A recording that is being made is looked at so often for what is new.
const LOOK: Duration = Duration::from_millis(50);
/// One that has no end, and that nobody has written to for so long, is not being made any more. Sessions may be silent for
/// long, and then nothing is written.
const ABANDONED: Duration = Duration::from_secs(3600);

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    let [path] = &args.inputs[..] else { bail!("--follow expects one recording, found {} names", args.inputs.len()) };
    if path.is_dir() {
        bail!("--follow expects a recording, found the folder {}", path.display());
    }
    if args.tui {
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let code = runtime.block_on(on_screen(path.clone(), args));
        // The re-run may be waiting for its next line.
        runtime.shutdown_background();
        return code;
    }
    let (pace, listens) = (Pace::at(args.speed), Cell::new(true));
    let mut say = |live: Live<'_>| listens.set(listens.get() && put(&tell(&live)));
    let mut go_on = || if listens.get() { Ok(()) } else { Err(ReadError::Io(io::ErrorKind::BrokenPipe.into())) };
    let retold = tell_again(path, &args, &pace, &mut go_on, &mut say);
    // Who does not read on has what he wanted.
    if !listens.get() { Ok(0) } else { judge(path, retold?) }
}

/// Shows it as `proxy --tui` does, until somebody has enough. The verdicts are printed then.
async fn on_screen(path: PathBuf, args: Analyze) -> anyhow::Result<u8> {
    tui::check()?;
    let pace = Arc::new(Pace::at(args.speed));
    let clock = Arc::clone(&pace);
    let title = format!("{}, {} times as fast", path.display(), args.speed);
    let mut tui = Tui::open(title, move || clock.now())?;
    let (stage, (done, retold)) = (tui.stage(), oneshot::channel());
    let again = path.clone();
    thread::spawn(move || {
        let mut verdicts = String::new();
        let mut say = |live: Live<'_>| {
            stage.push(&live);
            if let Live::Verdict { .. } = live {
                verdicts += &tell(&live);
            }
        };
        let retold = tell_again(&again, &args, &pace, &mut || Ok(()), &mut say);
        let _nobody_waits = done.send(retold.map(|retold| (retold, verdicts)));
    });
    let retold = watched(&mut tui, retold).await;
    tui.close().iter().try_for_each(|note| print(note))?;
    let Some(retold) = retold else { return Ok(0) };
    let (retold, verdicts) = retold?;
    print(&verdicts)?;
    judge(&path, retold)
}

/// What came of it by the time at which somebody has enough; at once where it cannot be told.
async fn watched<T>(tui: &mut Tui, mut retold: oneshot::Receiver<anyhow::Result<T>>) -> Option<anyhow::Result<T>> {
    let mut known = None;
    loop {
        tokio::select! {
            () = stopped() => return known,
            () = tui.quit() => return known,
            came = &mut retold, if known.is_none() => known = came.ok(),
        }
        if known.as_ref().is_none_or(Result::is_err) {
            return known;
        }
    }
}

/// What else is to be said of it, and the exit code.
fn judge(path: &Path, retold: Retold) -> anyhow::Result<u8> {
    if let Some(stopped) = &retold.stopped {
        talk(&format!("note: {}: {stopped}", path.display()));
    }
    Ok(exit_code(&attempt::group(retold.sessions)))
}

/// Writes lines. Whether anybody reads them.
fn put(lines: &str) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Tells it again, as long as it may go on.
fn tell_again(
    path: &Path,
    args: &Analyze,
    pace: &Pace,
    go_on: &mut dyn FnMut() -> Result<(), ReadError>,
    say: &mut dyn FnMut(Live<'_>),
) -> anyhow::Result<Retold> {
    let keys = analyze::keyring(&args.keylog, args.names)?;
    let is_closed = Rc::new(Cell::new(false));
    let (input, keys) = input::open_growing(path, &keys, growth(path, Rc::clone(&is_closed)))?;
    let name = path.display().to_string();
    let session = session_in(&name).unwrap_or(1);
    let recording = Recording { session, name: name.clone(), layers: Session::with_keys(&keys) };
    let mut next = |next: Next| {
        match next {
            Next::At(at) => pace.wait(at),
            Next::End => is_closed.set(true),
        }
        go_on()
    };
    retell(input, recording, &mut next, say).context(name)
}

/// Waits for what comes, where the recording ends without having been closed, and says so once. Whether it is over.
fn growth(path: &Path, is_closed: Rc<Cell<bool>>) -> impl FnMut(&File) -> bool + 'static {
    let name = path.display().to_string();
    let mut waits = false;
    move |file| {
        if is_closed.get() || is_abandoned(file) {
            return true;
        }
        if !std::mem::replace(&mut waits, true) {
            talk(&format!("note: {name} has no end yet: waiting for more, Ctrl-C ends"));
        }
        thread::sleep(LOOK);
        false
    }
}

fn is_abandoned(file: &File) -> bool {
    let written = file.metadata().and_then(|file| file.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > ABANDONED))
}

/// The pace of a recording, so many times faster.
struct Pace {
    speed: f64,
    /// When the first thing was told, and when it was recorded.
    began: OnceLock<(Instant, Timestamp)>,
}

impl Pace {
    fn at(speed: f64) -> Pace {
        Pace { speed, began: OnceLock::new() }
    }

    /// The time by the recording's clock.
    fn now(&self) -> Timestamp {
        self.began.get().map_or(Timestamp::default(), |(began, first)| *first + began.elapsed().mul_f64(self.speed))
    }

    /// Waits until it is time for what was recorded then.
    fn wait(&self, at: Timestamp) {
        let (began, first) = self.began.get_or_init(|| (Instant::now(), at));
        let due = at.since(*first).div_f64(self.speed);
        while let Some(left) = due.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            thread::sleep(left);
        }
    }
}
