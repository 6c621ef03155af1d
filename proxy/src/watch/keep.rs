//! How much of the disk the recordings of a folder may take: the oldest go first, and none before an older one. Of a recording
//! that is being written its oldest parts go. Where that is not enough one that is being written ends. What others write is left
//! alone, and so is what does not look like a file of this program's.

use crate::named::Named;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use analyzer::capture::annotation;

use super::usage::{Counted, RESERVE, Recording, Usage};
use crate::record;

/// A recording that is not closed is written by somebody if it has changed in this time.
const RECENT: Duration = Duration::from_secs(120);
/// What closes a recording stands in its last bytes.
const END: u64 = 16 << 10;
/// What others write in the folder is looked at so often.
const EVERY: Duration = Duration::from_secs(2);
/// And where they do, whenever this program has written such a part of what may stay, but no less than so many bytes.
const PART: u64 = 32;
const STEP: u64 = 256 << 10;
/// Looking may take such a part of the time.
const SHARE: u32 = 10;
/// One that is being written is not passed over where it takes such a part of what may stay.
const LARGE: u64 = 4;

/// What may stay.
pub(super) struct Keep {
    /// Bytes.
    most: u64,
    pub usage: Usage,
    /// When the folder was last read, how long that took, and what this program had written by then.
    looked: Option<(Instant, Duration, u64)>,
    /// Whether others write there, too, and when a file was last made there or taken away.
    others: bool,
    changed: Option<SystemTime>,
    /// What was taken when nothing could be done.
    stuck: Option<u64>,
}

/// Recordings that went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// Files.
    pub files: u64,
    /// Their lengths, bytes.
    pub bytes: u64,
    /// The first of them that went.
    pub first: PathBuf,
    /// The last.
    pub last: PathBuf,
}

impl Gone {
    fn add(&mut self, path: PathBuf, len: u64) {
        if self.files == 0 {
            self.first.clone_from(&path);
        }
        (self.files, self.bytes, self.last) = (self.files + 1, self.bytes + len, path);
    }

    /// And these.
    pub(super) fn join(&mut self, later: Gone) {
        if self.files == 0 {
            self.first = later.first;
        }
        (self.files, self.bytes, self.last) = (self.files + later.files, self.bytes + later.bytes, later.last);
    }
}

/// What is to be done for room.
pub(super) enum Need {
    /// There is enough.
    Nothing,
    /// Some was made.
    Made,
    /// The oldest part of this session's recording went.
    Part(u32, u32, Gone),
    /// This session's recording is to be closed.
    End(u32),
}

impl Keep {
    pub fn new(most: u64) -> Keep {
        Keep { most, usage: Usage::up_to(most), looked: None, others: false, changed: None, stuck: None }
    }

    /// Whether something is to be done. Costs next to nothing.
    pub fn is_full(&self, besides: u64) -> bool {
        self.usage.look(|counted| self.is_over(counted, besides))
    }

    fn is_over(&self, counted: &Counted, besides: u64) -> bool {
        let reserve = if counted.is_recording() { RESERVE } else { 0 };
        let takes = counted.takes() + besides;
        takes + reserve > self.most && self.stuck.is_none_or(|before| takes.abs_diff(before) >= STEP)
    }

    /// Reads the folder, where that is due.
    pub fn look(&mut self, folder: &Path) {
        let grown = self.usage.look(|counted| counted.grown());
        let step = (self.most / PART).max(STEP);
        let is_due = self.looked.is_none_or(|(at, took, before)| {
            let since = at.elapsed();
            let is_far = grown - before >= step;
            since >= took * SHARE && (since >= EVERY || is_far && (self.others || changed(folder) != self.changed))
        });
        if is_due {
            let began = Instant::now();
            self.changed = changed(folder);
            self.others = self.usage.look(|counted| counted.read(folder));
            self.looked = Some((began, began.elapsed(), grown));
            self.stuck = None;
        }
    }

    /// One step to more room, where it is needed; `besides` is taken by others than recordings. What went is added to `gone`.
    pub fn step(&mut self, besides: u64, gone: &mut Gone) -> Need {
        let usage = self.usage.clone();
        usage.look(|counted| Some(self.next(counted, besides, gone))).unwrap_or(Need::Nothing)
    }

    fn next(&mut self, counted: &mut Counted, besides: u64, gone: &mut Gone) -> Need {
        if !self.is_over(counted, besides) {
            return Need::Nothing;
        }
        match first_to_go(counted, self.most / LARGE) {
            Some(First::Whole(files)) => {
                files.into_iter().for_each(|path| remove(counted, path, gone));
                Need::Made
            }
            Some(First::Part(session, part, path)) => {
                let mut one = Gone::default();
                remove(counted, path, &mut one);
                if one.files == 0 { Need::Made } else { Need::Part(session, part, one) }
            }
            Some(First::Written(session)) => Need::End(session),
            None => {
                self.stuck = Some(counted.takes() + besides);
                Need::Nothing
            }
        }
    }
}

fn changed(folder: &Path) -> Option<SystemTime> {
    folder.metadata().and_then(|found| found.modified()).ok()
}

/// What goes first.
enum First {
    /// All files of a recording.
    Whole(Vec<PathBuf>),
    /// A part of one that goes on.
    Part(u32, u32, PathBuf),
    /// One that is being written: it has to end before it can go.
    Written(u32),
}

/// The oldest that may go. One that is being written, and is small, is passed over as long as another may go.
fn first_to_go(counted: &mut Counted, large: u64) -> Option<First> {
    let mut longest: Option<(u64, u32)> = None;
    for recording in counted.recordings.values_mut() {
        let Some(session) = recording.session else {
            recording.is_left_alone = recording.is_left_alone || recording.is_written();
            if recording.is_left_alone {
                continue;
            }
            return Some(First::Whole(recording.files.keys().map(|(_, path)| path.clone()).collect()));
        };
        if let Some((part, path)) = recording.complete_part().filter(|_| !recording.is_left_alone) {
            return Some(First::Part(session, part, path));
        }
        if recording.takes() >= large {
            return Some(First::Written(session));
        }
        longest = longest.max(Some((recording.takes(), session)));
    }
    longest.map(|(_, session)| First::Written(session))
}

/// What cannot be removed is left alone, until the folder is read again.
fn remove(counted: &mut Counted, path: PathBuf, gone: &mut Gone) {
    let len = fs::symlink_metadata(&path).map_or(0, |found| found.len());
    match fs::remove_file(&path) {
        Ok(()) => {
            counted.forget(&path);
            gone.add(path, len);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => counted.forget(&path),
        Err(error) => {
            tracing::warn!("{} cannot be deleted (--keep): {error}", path.named());
            counted.leave_alone(&path);
        }
    }
}

impl Recording {
    /// By another program.
    fn is_written(&self) -> bool {
        let is_claimed = |path: &Path| open(path).is_some_and(|file| !record::claim(&file));
        let mut paths = self.files.keys().map(|(_, path)| path.as_path());
        paths.any(|path| is_claimed(path) || is_recent(path) && !self.is_closed())
    }

    /// Whether its recorder has closed it: what says so stands at its end.
    fn is_closed(&self) -> bool {
        let ends = |path: &Path| -> Option<bool> {
            let mut file = open(path)?;
            let len = file.metadata().ok()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(END))).ok()?;
            let mut end = Vec::new();
            file.take(END).read_to_end(&mut end).ok()?;
            let says = annotation::END.as_bytes();
            Some(end.windows(says.len()).any(|at| at == says))
        };
        self.files.keys().any(|(_, path)| ends(path).unwrap_or(false))
    }
}

fn open(path: &Path) -> Option<File> {
    record::no_follow(OpenOptions::new().read(true)).open(path).ok()
}

/// Whether something was written to it lately. A session that says nothing is sampled every half minute, and its file is closed,
/// and claimed by nobody, in between.
fn is_recent(path: &Path) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|since| since < RECENT))
}
