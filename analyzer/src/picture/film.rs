//! The changes of a picture over time, so many a second at most: what a player shows.

use std::time::Duration;

use super::drawn::Changed;
use super::{Picture, Pointer};
use crate::time::Timestamp;
use crate::transcript::Line;

/// A place that looks different from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// From when on.
    pub at: Timestamp,
    /// Width and height of the whole screen.
    pub size: (u16, u16),
    /// Left, top, and the right and bottom edges, which do not belong to it.
    pub area: [u16; 4],
    /// Whether it is the whole screen, whatever was before.
    pub is_key: bool,
}

/// What a film shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The screen changes.
    Cut(Cut),
    /// The pointer moves, or looks different.
    Pointer(Timestamp, Pointer),
}

/// Runs a picture, and tells when it changed.
#[derive(Default)]
pub struct Film {
    picture: Picture,
    /// No more often than this; every change at zero.
    apart: Duration,
    /// What was told last, to tell only what differs.
    shown: Vec<u8>,
    size: (u16, u16),
    /// What may differ by now, and since when.
    due: Option<(Timestamp, Changed)>,
    told: Option<Timestamp>,
    key: Option<Timestamp>,
    /// The pointer that was told last, and when.
    pointer: Option<(Timestamp, Pointer)>,
}

/// How far whole screens lie apart at least.
const KEYS: Duration = Duration::from_secs(10);

impl Film {
    /// One that tells of changes at most so often.
    pub fn new(apart: Duration) -> Film {
        Film { apart, ..Film::default() }
    }

    /// The picture as it is now.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// For what is learned beside the lines.
    pub fn picture_mut(&mut self) -> &mut Picture {
        &mut self.picture
    }

    /// From now on no more often than this.
    pub fn thin(&mut self, apart: Duration) {
        self.apart = apart;
    }

    /// Takes a line. What changed before it is told first, with the picture as it was then.
    pub fn push(&mut self, line: &Line, show: &mut dyn FnMut(&Picture, Shown)) {
        let is_over = |since: Option<Timestamp>| since.is_none_or(|since| line.at.since(since) >= self.apart);
        if self.due.is_some_and(|(at, _)| at != line.at) && is_over(self.told) {
            self.tell(show);
        }
        self.picture.push(line);
        self.point(line.at, show);
        let Some(size) = self.picture.size() else { return self.lose() };
        let changed = self.picture.take_changed();
        if size != self.size {
            (self.size, self.shown) = (size, Vec::new());
            self.due = Some((line.at, [0, 0, size.0, size.1]));
        }
        for area in changed {
            let before = self.due.map_or(area, |(_, before)| before);
            self.due = Some((line.at, around(before, area)));
        }
    }

    /// The input is over: tells what is left.
    pub fn finish(&mut self, show: &mut dyn FnMut(&Picture, Shown)) {
        self.tell(show);
    }

    /// There is no desktop any more: what changed of it last is not there to be shown, and the next one begins anew.
    fn lose(&mut self) {
        (self.size, self.due) = ((0, 0), None);
        self.shown.clear();
    }

    fn point(&mut self, at: Timestamp, show: &mut dyn FnMut(&Picture, Shown)) {
        let Some(pointer) = self.picture.pointer().filter(|pointer| pointer.at.is_some()) else { return };
        let is_due = match &self.pointer {
            None => true,
            Some((told, before)) => at.since(*told) >= self.apart && before != pointer,
        };
        if is_due {
            self.pointer = Some((at, pointer.clone()));
            show(&self.picture, Shown::Pointer(at, pointer.clone()));
        }
    }

    fn tell(&mut self, show: &mut dyn FnMut(&Picture, Shown)) {
        let Some((at, area)) = self.due.take() else { return };
        let is_key = self.shown.is_empty() || self.key.is_none_or(|key| at.since(key) >= KEYS);
        let area = if self.shown.is_empty() { Some([0, 0, self.size.0, self.size.1]) } else { self.differing(area) };
        let Some(area) = area else { return };
        let area = if is_key { [0, 0, self.size.0, self.size.1] } else { area };
        self.shown.clear();
        self.shown.extend(self.picture.pixels());
        self.told = Some(at);
        self.key = if is_key { Some(at) } else { self.key };
        show(&self.picture, Shown::Cut(Cut { at, size: self.size, area, is_key }));
    }

    /// The least area within this one that holds every pixel that differs from what was told.
    fn differing(&self, [left, top, right, bottom]: Changed) -> Option<Changed> {
        let stride = 4 * usize::from(self.size.0);
        let span = 4 * usize::from(left)..4 * usize::from(right.min(self.size.0));
        let row = |pixels: &'_ [u8], y: u16| -> Vec<u8> {
            let row = usize::from(y) * stride;
            pixels.get(row + span.start..row + span.end).unwrap_or_default().to_vec()
        };
        let mut found: Option<Changed> = None;
        for y in top..bottom.min(self.size.1) {
            let (now, then) = (row(self.picture.pixels(), y), row(&self.shown, y));
            let differs = |place: &usize| now[*place] != then[*place];
            let (Some(first), Some(last)) =
                ((0..now.len().min(then.len())).find(differs), (0..now.len().min(then.len())).rev().find(differs))
            else {
                continue;
            };
            let row = [left + (first / 4) as u16, y, left + (last / 4) as u16 + 1, y + 1];
            found = Some(found.map_or(row, |before| around(before, row)));
        }
        found
    }
}

fn around(one: Changed, other: Changed) -> Changed {
    [one[0].min(other[0]), one[1].min(other[1]), one[2].max(other[2]), one[3].max(other[3])]
}
