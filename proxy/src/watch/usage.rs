//! What the recordings of a folder take of its disk, file by file: counted as blocks, not as lengths, and by who writes them as
//! they do.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::record::{Name, on_disk};

/// What changed a shorter time ago may be somebody's who writes it.
const FRESH: Duration = Duration::from_secs(10);

/// What closes a recording that ends for want of room must find some, bytes.
pub(super) const RESERVE: u64 = 8 << 10;

/// Shared by all that write. Where nothing limits them nothing is counted.
#[derive(Clone, Default)]
pub(super) struct Usage(Option<Rc<RefCell<Counted>>>);

/// The recordings, the oldest first: their names begin with the time.
#[derive(Default)]
pub(super) struct Counted {
    /// What they may take.
    most: u64,
    pub recordings: BTreeMap<String, Recording>,
    /// Where this program records which session.
    sessions: HashMap<u32, String>,
    /// What all of their files take.
    sum: u64,
    /// What is about to be written besides.
    expected: u64,
    /// What this program has written or is about to, ever.
    grown: u64,
}

/// A recording: its parts, in their order, and what stands beside it.
#[derive(Default)]
pub(super) struct Recording {
    pub files: BTreeMap<(u32, PathBuf), u64>,
    /// The number of the session that is recorded there, by this program, at present.
    pub session: Option<u32>,
    /// Whether it stays: another program has been seen to write it, or it cannot be deleted. Until the folder is read again.
    pub is_left_alone: bool,
}

impl Recording {
    /// What it takes, bytes.
    pub fn takes(&self) -> u64 {
        self.files.values().sum()
    }

    /// The first of its parts that are complete, where this program goes on to write the last.
    pub fn complete_part(&self) -> Option<(u32, PathBuf)> {
        let mut parts = self.files.keys().filter(|(part, _)| *part != BESIDE);
        let first = parts.next()?;
        parts.next().map(|_| first.clone())
    }
}

/// Behind all parts.
const BESIDE: u32 = u32::MAX;

/// The name by which a file is counted: whose it is, and where it stands in that.
fn place(path: &Path) -> Option<(String, (u32, PathBuf))> {
    let name = Name::of(path.file_name()?.to_str()?)?;
    Some((name.stem.to_owned(), (name.part.unwrap_or(BESIDE), path.to_owned())))
}

impl Usage {
    /// That counts, and lets so much be written.
    pub fn up_to(most: u64) -> Usage {
        Usage(Some(Rc::new(RefCell::new(Counted { most, ..Counted::default() }))))
    }

    /// Whether there is room for what is about to be written.
    pub fn has_room(&self) -> bool {
        !self.with(|counted| counted.takes() + RESERVE > counted.most)
    }

    pub fn is_counted(&self) -> bool {
        self.0.is_some()
    }

    fn with<T: Default>(&self, does: impl FnOnce(&mut Counted) -> T) -> T {
        self.0.as_ref().map_or_else(T::default, |counted| does(&mut counted.borrow_mut()))
    }

    /// So much more is going to be written.
    pub fn plan(&self, more: u64) {
        self.with(|counted| {
            counted.expected += more;
            counted.grown += more;
        });
    }

    /// A file takes so much now; so much of it was expected.
    pub fn count(&self, path: &Path, takes: u64, expected: u64) {
        self.with(|counted| {
            counted.expected = counted.expected.saturating_sub(expected);
            counted.set(path, takes);
        });
    }

    /// A session is recorded there from now on.
    pub fn begin(&self, first: &Path, session: u32) {
        self.with(|counted| {
            counted.end(session);
            if let Some((stem, _)) = place(first) {
                counted.recordings.entry(stem.clone()).or_default().session = Some(session);
                counted.sessions.insert(session, stem);
            }
        });
    }

    /// It is recorded no further.
    pub fn end(&self, session: u32) {
        self.with(|counted| counted.end(session));
    }

    /// Whoever looks at what is counted.
    pub fn look<T: Default>(&self, does: impl FnOnce(&mut Counted) -> T) -> T {
        self.with(does)
    }
}

impl Counted {
    /// What they take and are going to, bytes.
    pub fn takes(&self) -> u64 {
        self.sum + self.expected
    }

    /// What this program has written or is about to, ever.
    pub fn grown(&self) -> u64 {
        self.grown
    }

    /// Whether this program records anything.
    pub fn is_recording(&self) -> bool {
        !self.sessions.is_empty()
    }

    fn end(&mut self, session: u32) {
        let stem = self.sessions.remove(&session);
        let recording = stem.and_then(|stem| self.recordings.get_mut(&stem));
        recording.into_iter().for_each(|recording| recording.session = None);
    }

    fn set(&mut self, path: &Path, takes: u64) {
        let Some((stem, file)) = place(path) else { return };
        let before = self.recordings.entry(stem).or_default().files.insert(file, takes).unwrap_or(0);
        self.sum = (self.sum + takes).saturating_sub(before);
    }

    /// A file is not there any more.
    pub fn forget(&mut self, path: &Path) {
        let Some((stem, file)) = place(path) else { return };
        let Some(recording) = self.recordings.get_mut(&stem) else { return };
        self.sum = self.sum.saturating_sub(recording.files.remove(&file).unwrap_or(0));
        if recording.files.is_empty() && recording.session.is_none() {
            self.recordings.remove(&stem);
        }
    }

    /// It cannot be deleted.
    pub fn leave_alone(&mut self, path: &Path) {
        let recording = place(path).and_then(|(stem, _)| self.recordings.get_mut(&stem));
        recording.into_iter().for_each(|recording| recording.is_left_alone = true);
    }

    /// Takes what stands in the folder for what there is. Of what this program writes it knows better itself. Whether anything
    /// in it may be written by others at present.
    pub fn read(&mut self, folder: &Path) -> bool {
        let Ok(entries) = fs::read_dir(folder) else { return false };
        let mut known = std::mem::take(&mut self.recordings);
        known.retain(|_, recording| recording.session.is_some());
        known.values_mut().for_each(|recording| {
            recording.is_left_alone = false;
            let written = recording.files.keys().rfind(|(part, _)| *part != BESIDE).cloned();
            recording.files.retain(|file, _| Some(file) == written.as_ref());
        });
        self.recordings = known;
        let mut others = false;
        for entry in entries.flatten() {
            let path = entry.path();
            let Some((stem, file)) = place(&path) else { continue };
            let Some(found) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
            let recording = self.recordings.entry(stem).or_default();
            others |= recording.session.is_none() && is_fresh(&found);
            recording.files.entry(file).or_insert_with(|| on_disk(&found));
        }
        self.sum = self.recordings.values().map(Recording::takes).sum();
        others
    }
}

fn is_fresh(found: &fs::Metadata) -> bool {
    found.modified().is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|since| since < FRESH))
}
