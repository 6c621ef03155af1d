//! Where a person is: which session is selected, whether it is open, how far it is scrolled; and what each key does.

use super::board::{Board, Place};

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Help,
    Sort,
    Quit,
}

/// In which order sessions stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest on top.
    Newest,
    /// Those that failed on top, the newest first.
    Failed,
}

impl Order {
    pub fn name(self) -> &'static str {
        match self {
            Order::Newest => "newest first",
            Order::Failed => "failed first",
        }
    }
}

/// Where a person is.
#[derive(Debug)]
pub struct Cursor {
    /// In which order the list stands.
    pub order: Order,
    /// The selected session; the one on top where there is none.
    selected: Option<Place>,
    /// The first session that is shown.
    pub top: usize,
    /// Whether the selected session is open, and the first of its lines that is shown.
    pub open: Option<usize>,
    /// Whether the keys are explained.
    pub helps: bool,
}

impl Cursor {
    /// At the top of the list.
    pub fn new() -> Cursor {
        Cursor { order: Order::Newest, selected: None, top: 0, open: None, helps: false }
    }

    /// The places of the list, in its order.
    pub fn list(&self, board: &Board) -> Vec<Place> {
        let mut list: Vec<(bool, Place)> =
            board.sessions().rev().map(|(place, session)| (session.is_bad(), place)).collect();
        if self.order == Order::Failed {
            list.sort_by_key(|(is_bad, _)| !is_bad);
        }
        list.into_iter().map(|(_, place)| place).collect()
    }

    /// The selected session.
    pub fn selected(&self, board: &Board) -> Option<Place> {
        self.selected.filter(|place| board.session(*place).is_some()).or_else(|| self.list(board).first().copied())
    }

    /// Does what a key says, where a page has so many lines, or sessions. Whether the person has enough.
    pub fn press(&mut self, key: Key, board: &Board, page: usize) -> bool {
        if key == Key::Quit {
            return true;
        }
        if self.helps {
            self.helps = false;
            return false;
        }
        match (key, self.open) {
            (Key::Help, _) => self.helps = true,
            (Key::Escape, _) => self.open = None,
            (Key::Enter, None) => {
                // From now on it stays selected, whatever comes.
                self.selected = self.selected(board);
                self.open = self.selected.map(|_| 0);
            }
            (Key::Enter, Some(_)) | (Key::Quit, _) => {}
            (Key::Sort, None) => {
                self.selected = self.selected(board);
                self.order = if self.order == Order::Newest { Order::Failed } else { Order::Newest };
            }
            (Key::Sort, Some(_)) => {}
            (Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Home | Key::End, None) => {
                self.select(key, board, page);
            }
            (Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Home | Key::End, Some(line)) => {
                self.open = Some(moved(line, key, page));
            }
        }
        false
    }

    fn select(&mut self, key: Key, board: &Board, page: usize) {
        let list = self.list(board);
        let selected = self.selected(board).and_then(|place| list.iter().position(|one| *one == place)).unwrap_or(0);
        let now = moved(selected, key, page).min(list.len().saturating_sub(1));
        // On top one stays on top: what is new is selected then.
        self.selected = list.get(now).copied().filter(|_| now > 0);
    }
}

/// A place after a key. What is beyond the end is for whoever knows where that is.
fn moved(place: usize, key: Key, page: usize) -> usize {
    match key {
        Key::Up => place.saturating_sub(1),
        Key::Down => place.saturating_add(1),
        Key::PageUp => place.saturating_sub(page.max(1)),
        Key::PageDown => place.saturating_add(page.max(1)),
        Key::Home => 0,
        Key::End => usize::MAX,
        Key::Enter | Key::Escape | Key::Help | Key::Sort | Key::Quit => place,
    }
}
