//! Standard error, which is held back while a screen of this program covers the terminal, and comes after it.

use analyzer::count::counted;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that are held. Of more the last are.
const KEPT: usize = 1_000;

static HELD: Mutex<Option<Held>> = Mutex::new(None);

#[derive(Default)]
struct Held {
    lines: VecDeque<String>,
    /// Lines that were too many.
    more: u64,
    /// Whether there was a line since somebody last asked.
    is_news: bool,
}

impl Held {
    fn push(&mut self, text: &str) {
        self.lines.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        while self.lines.len() > KEPT {
            self.lines.pop_front();
            self.more += 1;
        }
        self.is_news = true;
    }
}

/// Standard error, or the place where it is held back.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *held() {
            Some(held) => held.push(&String::from_utf8_lossy(bytes)),
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// From now on nothing is written. A panic's message is held, too.
pub fn hold() {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(hold_panics);
    held().get_or_insert_default();
}

/// Writes what was held, and whatever comes, from now on.
pub fn release() {
    let Some(Held { lines, more, .. }) = held().take() else { return };
    let mut stderr = io::stderr().lock();
    if more > 0 {
        let _closed_pipe = writeln!(stderr, "{} could not be kept: there were too many", counted(more, "earlier line"));
    }
    for line in lines {
        let _closed_pipe = writeln!(stderr, "{line}");
    }
}

/// The last line that is held, if there is a new one.
pub fn news() -> Option<String> {
    let mut held = held();
    let held = held.as_mut()?;
    std::mem::take(&mut held.is_news).then(|| held.lines.back().cloned()).flatten()
}

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hold_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| match &mut *held() {
        Some(held) => held.push(&info.to_string()),
        None => before(info),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_the_others_counted() {
        let mut held = Held::default();
        (0..KEPT + 5).for_each(|number| held.push(&format!("line {number}\n")));
        assert_eq!((held.lines.len(), held.more, held.lines[0].as_str()), (KEPT, 5, "line 5"));
    }
}
