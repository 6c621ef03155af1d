//! The terminal: taken for the screen, given back as it was, whatever happens. The program's standard error is held
//! meanwhile.

use std::io::{self, IsTerminal, Stdout};
use std::time::Duration;

use anyhow::{Context, bail};
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::{Frame, Terminal};

use super::cursor::Key;
use crate::held;

/// That there is a terminal to draw on and to read keys from.
pub fn check() -> anyhow::Result<()> {
    for (is_terminal, name) in
        [(io::stdout().is_terminal(), "standard output"), (io::stdin().is_terminal(), "standard input")]
    {
        if !is_terminal {
            bail!("--tui expects a terminal, found a file or a pipe on {name}");
        }
    }
    Ok(())
}

/// The terminal, taken. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    _taken: Taken,
}

impl Screen {
    /// Takes it.
    pub fn take() -> anyhow::Result<Screen> {
        let taken = Taken::take()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).context("cannot draw on the terminal")?;
        Ok(Screen { terminal, _taken: taken })
    }

    /// Draws it anew.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(drop)
    }
}

/// That it is taken, from the first step on.
struct Taken;

impl Taken {
    fn take() -> anyhow::Result<Taken> {
        held::hold();
        let taken = Taken;
        enable_raw_mode().context("cannot read single keys from the terminal")?;
        execute!(io::stdout(), EnterAlternateScreen, Hide).context("cannot draw on the terminal")?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _gone = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _gone = disable_raw_mode();
        held::release();
    }
}

/// What happens at the keyboard within this time: a key; nothing that means anything, such as another size.
pub fn key_within(time: Duration) -> io::Result<Option<Key>> {
    if !event::poll(time)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => meaning(key),
        Event::Key(_)
        | Event::FocusGained
        | Event::FocusLost
        | Event::Mouse(_)
        | Event::Paste(_)
        | Event::Resize(..) => None,
    })
}

fn meaning(key: KeyEvent) -> Option<Key> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if is_control => Key::Quit,
        KeyCode::Char(_) if is_control => return None,
        KeyCode::Up | KeyCode::Char('k') => Key::Up,
        KeyCode::Down | KeyCode::Char('j') => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown | KeyCode::Char(' ') => Key::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Key::Home,
        KeyCode::End | KeyCode::Char('G') => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc | KeyCode::Backspace => Key::Escape,
        KeyCode::Char('?') => Key::Help,
        KeyCode::Char('s') => Key::Sort,
        KeyCode::Char('q') => Key::Quit,
        _ => return None,
    })
}
