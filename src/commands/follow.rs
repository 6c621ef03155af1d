//! `rdpscope analyze --follow`: a recording, told again at its own pace, line by line as `rdpscope proxy` told it live. One
//! that is being made goes on with what comes.

use std::cell::Cell;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use analyzer::attempt;
use analyzer::capture::file::ReadError;
use analyzer::session::Session;
use analyzer::shown;
use analyzer::time::Timestamp;
use anyhow::{Context, bail};
use proxy::watch::retell::{Next, Recording, Retold, retell};
use proxy::watch::{Live, session_in};

use tokio::sync::oneshot;

use super::proxy::tell;
use super::signals::stopped;
use super::{analyze, exit_code, print, talk};
use crate::cli::Analyze;
use crate::input::{self, Grown};
use crate::tui::{self, Tui};
use proxy::named::Named;

/// A recording that is being made is looked at so often for what is new.
const LOOK: Duration = Duration::from_millis(50);
/// Whoever waits longer than this is told what for.
const SILENT: Duration = Duration::from_secs(5);
/// Times of a recording in which so long nothing was recorded are skipped: clocks jump, and files lie.
const SKIPPED: Duration = Duration::from_secs(600);
/// One that has no end, and that nobody has written to for so long, is not being made any more. Sessions may be silent for
/// long, and then nothing is written.
const ABANDONED: Duration = Duration::from_secs(3600);

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    let [path] = &args.inputs[..] else { bail!("--follow expects one recording, found {} names", args.inputs.len()) };
    if path.is_dir() {
        bail!("--follow expects a recording, found the folder {}", path.named());
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
    let title = format!("{}, {} times as fast", path.named(), args.speed);
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
        talk(&format!("note: {}: {stopped}", path.named()));
    }
    Ok(exit_code(&attempt::group(retold.sessions)))
}

/// Writes lines. Whether anybody reads them.
fn put(lines: &str) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(shown::lines(lines).as_bytes()).and_then(|()| out.flush()).is_ok()
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
    let name = path.to_string_lossy().into_owned();
    let session = session_in(&name).unwrap_or(1);
    let recording = Recording { session, name: name.clone(), layers: Session::with_keys(&keys) };
    let mut next = |next: Next| {
        match next {
            Next::At(at) => pace.wait(at),
            Next::End => is_closed.set(true),
        }
        go_on()
    };
    retell(input, recording, &mut next, say).with_context(|| path.named())
}

/// Waits for what comes, where the recording ends without having been closed, and says so once. Whether it is over.
fn growth(path: &Path, is_closed: Rc<Cell<bool>>) -> impl FnMut(&Grown<'_>) -> bool + 'static {
    let name = path.named();
    let mut waits = false;
    move |grown| {
        if is_closed.get() || is_abandoned(grown.file) {
            return true;
        }
        if let Some(why) = gone(grown) {
            talk(&format!("note: {name} {why}: nothing more will come"));
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

/// Why nobody can write on to what is being read.
fn gone(grown: &Grown<'_>) -> Option<&'static str> {
    let own = grown.file.metadata().ok()?;
    if own.len() < grown.read {
        return Some("has become shorter than what was read of it");
    }
    match fs::metadata(&grown.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("is not there any more"),
        Ok(there) if !is_same(&own, &there) => Some("was replaced by another file"),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(unix)]
fn is_same(own: &Metadata, there: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

/// Windows does not let anybody replace a file that is open.
#[cfg(not(unix))]
fn is_same(_own: &Metadata, _there: &Metadata) -> bool {
    true
}

/// The pace of a recording, so many times faster.
struct Pace {
    speed: f64,
    told: Mutex<Option<Told>>,
}

/// How far it was told.
#[derive(Clone, Copy)]
struct Told {
    /// When the first thing was told,
    began: Instant,
    /// and when it was recorded: later by all gaps that were skipped.
    first: Timestamp,
    /// When the last thing was recorded.
    last: Timestamp,
}

impl Pace {
    fn at(speed: f64) -> Pace {
        Pace { speed, told: Mutex::new(None) }
    }

    /// The time by the recording's clock.
    fn now(&self) -> Timestamp {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.map_or(Timestamp::default(), |told| told.first + told.began.elapsed().mul_f64(self.speed))
    }

    /// Waits until it is time for what was recorded then. What takes long is told: it is waited for, or skipped.
    fn wait(&self, at: Timestamp) {
        let (due, says) = self.due(at, Instant::now());
        if let Some(says) = says {
            talk(&format!("note: {says}"));
        }
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::sleep(left);
        }
    }

    /// When it is time for what was recorded then, and what is to be said of it.
    fn due(&self, at: Timestamp, now: Instant) -> (Instant, Option<String>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.get_or_insert(Told { began: now, first: at, last: at });
        let gap = at.since(told.last);
        told.last = told.last.max(at);
        // As far off as nobody waits, where it cannot be counted.
        let after =
            Duration::try_from_secs_f64(at.since(told.first).as_secs_f64() / self.speed).unwrap_or(Duration::MAX);
        let due = told.began.checked_add(after);
        let left = due.map_or(Duration::MAX, |due| due.saturating_duration_since(now));
        match due {
            Some(due) if left < SILENT => (due, None),
            Some(due) if gap < SKIPPED => {
                (due, Some(format!("nothing was recorded for {}: it goes on in {}", length(gap), length(left))))
            }
            _ => {
                // It goes on as if this had been recorded now.
                told.first = at;
                told.began = now;
                (now, Some(format!("a gap of {} is skipped", length(gap))))
            }
        }
    }
}

/// "3 years", "12 min": the largest unit of which there are two.
fn length(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86_400, "years"), (86_400, "days"), (3_600, "h"), (60, "min")];
    let seconds = time.as_secs();
    let unit = UNITS.iter().find(|(unit, _)| seconds >= 2 * unit);
    unit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_gaps_are_skipped_with_a_word_and_short_ones_waited_for() {
        const SECOND: u64 = 1_000_000_000;
        const YEAR: u64 = 365 * 86_400 * SECOND;
        let (pace, now) = (Pace::at(1.0), Instant::now());
        let due = |at: u64| {
            let (due, says) = pace.due(Timestamp::at(at), now);
            (due.saturating_duration_since(now).as_secs(), says.unwrap_or_default())
        };
        assert_eq!(due(SECOND), (0, String::new()));
        assert_eq!(due(4 * SECOND), (3, String::new()));
        assert_eq!(due(64 * SECOND), (63, "nothing was recorded for 60 s: it goes on in 63 s".into()));
        // An hour of silence is an hour that nobody watches.
        assert_eq!(due(3_664 * SECOND), (0, "a gap of 60 min is skipped".into()));
        assert_eq!(due(3_666 * SECOND), (2, String::new()));
        assert_eq!(due(3 * YEAR + 3_666 * SECOND), (0, "a gap of 3 years is skipped".into()));
        // Times that go back are told at once.
        assert_eq!(due(0), (0, String::new()));
        assert_eq!(due(u64::MAX), (0, format!("a gap of {} years is skipped", (u64::MAX - 3 * YEAR) / YEAR)));
    }

    #[test]
    fn what_was_asked_to_be_slow_is_slow() {
        let (pace, now) = (Pace::at(0.001), Instant::now());
        let due = |at: u64| pace.due(Timestamp::at(at), now);
        assert_eq!(due(1).1, None);
        let (at, says) = due(1_000_000_001);
        assert_eq!(at.saturating_duration_since(now).as_secs(), 1_000);
        assert_eq!(says.as_deref(), Some("nothing was recorded for 1 s: it goes on in 16 min"));
    }
}
