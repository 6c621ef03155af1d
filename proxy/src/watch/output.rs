//! The file of a recording, or the files of its parts, behind a buffer. It never fails: it remembers the first error, swallows
//! what comes after, and counts it.

use crate::named::Named;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::usage::Usage;
use crate::record::{self, Identity, on_disk, whole_blocks};

/// The buffer is handed over at this size, bytes.
const BUFFER: usize = 256 << 10;
/// So many at once are not the only ones, bytes.
const BULK: usize = 8 << 10;
/// A file into which nothing was written for so long is closed: a process may have a limited number of them open.
const RESTS: Duration = Duration::from_secs(5);

/// Where a recording goes.
#[derive(Default)]
pub(super) struct Output {
    file: Place,
    buffer: Vec<u8>,
    pub(super) failed: Option<io::Error>,
    /// Bytes of the recording that were given up.
    pub(super) unwritten: u64,
    /// Of the first part; empty where nothing is recorded.
    path: PathBuf,
    /// Which file it is that is being written.
    identity: Option<Identity>,
    /// The part that is being written, from 1.
    part: u32,
    /// Parts of the recording that stand elsewhere, or are gone.
    before: u32,
    /// Bytes in its file.
    len: u64,
    /// What its file takes of the disk, and what it takes once the buffer is written.
    takes: [u64; 2],
    /// A part is no longer than about this, bytes; nothing where there is one alone.
    most: Option<u64>,
    /// Where that is counted.
    usage: Usage,
}

/// The file that is being written.
#[derive(Default)]
enum Place {
    /// There is none.
    #[default]
    Nowhere,
    Open {
        file: File,
        wrote: Instant,
    },
    /// Closed until there is more to write.
    Resting,
}

/// Why a recording goes on under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Its file was removed, or another has its name.
    Removed,
    /// Its file has another name now.
    Renamed,
    /// Somebody has put something where its next part was to be.
    Taken,
}

impl Lost {
    /// What became of it, in words.
    pub fn says(self, file: &Path) -> String {
        let file = file.named();
        match self {
            Lost::Removed => format!("{file} was removed, and what stood in it is gone"),
            Lost::Renamed => format!("{file} was renamed, and is closed"),
            Lost::Taken => format!("somebody else has put something where the next part of {file} was to be"),
        }
    }
}

/// What comes after a part.
pub(super) struct Next {
    pub output: Output,
    /// Which part of the recording it is.
    pub part: u32,
    /// Why it has another name, where it has.
    pub lost: Option<Lost>,
}

impl Output {
    /// A recording in this file, and in further ones, where it gets longer than `most`.
    pub(super) fn to(file: File, path: PathBuf, most: Option<u64>, usage: Usage) -> Output {
        let identity = Identity::of_file(&file).ok();
        let file = Place::Open { file, wrote: Instant::now() };
        Output { file, path, identity, part: 1, most, usage, ..Output::default() }
    }

    /// Whether anything was to be written, also where that cannot be.
    pub(super) fn is_asked_for(&self) -> bool {
        !matches!(self.file, Place::Nowhere) || self.failed.is_some()
    }

    /// None, because of this.
    pub(super) fn broken(error: io::Error) -> Output {
        Output { failed: Some(error), ..Output::default() }
    }

    /// The first part's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next part goes, and its number, where this one is long enough.
    pub(super) fn next_part(&mut self) -> Option<Next> {
        self.most.filter(|most| self.len + self.buffer.len() as u64 >= *most && self.usage.has_room())?;
        self.write_out();
        if matches!(self.file, Place::Nowhere) {
            return None;
        }
        match record::create_part(&self.path, self.part + 1) {
            Ok(Some(file)) => {
                let output = Output::to(file, self.path.clone(), self.most, self.usage.clone());
                let output = Output { part: self.part + 1, before: self.before, ..output };
                Some(Next { part: output.before + output.part, output, lost: None })
            }
            Ok(None) => self.elsewhere(Lost::Taken),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.elsewhere(Lost::Removed),
            Err(error) => {
                (self.file, self.failed) = (Place::Nowhere, Some(error));
                None
            }
        }
    }

    /// Where it goes on: under the name that it had, if that is free, or one like it.
    pub(super) fn elsewhere(&mut self, lost: Lost) -> Option<Next> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match record::create(folder, &name) {
            Ok((file, path)) => {
                let before = self.before + self.part;
                let output = Output { before, ..Output::to(file, path, self.most, self.usage.clone()) };
                Some(Next { part: before + 1, output, lost: Some(lost) })
            }
            Err(error) => {
                (self.file, self.failed) = (Place::Nowhere, Some(error));
                None
            }
        }
    }

    /// Whether its file is not there any more, under its name.
    pub(super) fn lost(&self) -> Option<Lost> {
        let is_gone = |file: &File| Identity::of_file(file).is_ok_and(|now| !now.is_there());
        // Where a file system numbers files anew, one of its length is it.
        let here = || {
            let found = fs::symlink_metadata(record::part(&self.path, self.part)).ok().filter(fs::Metadata::is_file)?;
            let is_it = found.len() == self.len || self.identity.is_some_and(|known| known.is(Identity::of(&found)));
            is_it.then_some(())
        };
        match &self.file {
            Place::Nowhere => None,
            Place::Open { file, .. } if is_gone(file) => Some(Lost::Removed),
            Place::Open { .. } => here().is_none().then_some(Lost::Renamed),
            Place::Resting => here().is_none().then_some(Lost::Removed),
        }
    }

    /// Whether there is a file that is being written.
    pub(super) fn is_written(&self) -> bool {
        !matches!(self.file, Place::Nowhere)
    }

    /// Hands over what has come together, between two blocks, where there is room for it.
    pub(super) fn write_behind(&mut self) {
        if self.buffer.len() >= BUFFER {
            self.write_where_room();
        }
    }

    /// Hands over what there is, where there is room for it.
    pub(super) fn write_where_room(&mut self) {
        if self.usage.has_room() {
            self.write_out();
        }
        self.rest();
    }

    /// Leaves off what is not written yet: whole blocks.
    pub(super) fn discard(&mut self) {
        self.unwritten += self.buffer.len() as u64;
        self.buffer = Vec::new();
        self.count();
    }

    /// Writes no more, because of this.
    pub(super) fn give_up(&mut self, why: io::Error) {
        (self.file, self.failed) = (Place::Nowhere, Some(why));
    }

    fn write_out(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = match &mut self.file {
            Place::Nowhere => return,
            _ if buffer.is_empty() => return,
            Place::Open { file, wrote } => {
                *wrote = Instant::now();
                file.write_all(&buffer)
            }
            Place::Resting => self.reopen().and_then(|mut file| {
                let written = file.write_all(&buffer);
                self.file = Place::Open { file, wrote: Instant::now() };
                written
            }),
        };
        match result {
            Ok(()) => {
                self.len += buffer.len() as u64;
                self.count();
                // An idle session holds no memory.
                if buffer.len() >= BUFFER {
                    buffer.clear();
                    self.buffer = buffer;
                }
            }
            Err(error) => {
                self.unwritten += buffer.len() as u64;
                self.count();
                // Not even its header could be written: nothing of it lies around.
                if self.len == 0 {
                    let _absent = fs::remove_file(record::part(&self.path, self.part));
                }
                (self.file, self.failed) = (Place::Nowhere, Some(error));
            }
        }
    }

    /// The file again, if it is the one that was closed.
    fn reopen(&mut self) -> io::Result<File> {
        let file = record::reopen(&record::part(&self.path, self.part))?;
        let (now, len) = (Identity::of_file(&file)?, file.metadata()?.len());
        if len != self.len || self.identity.is_some_and(|known| !known.is(now)) {
            let says =
                format!("expected the recording as it was left ({} bytes), found {len} in another file", self.len);
            return Err(io::Error::other(says));
        }
        // Whoever else has it now would have to be told apart from this: finalize leaves what is claimed alone.
        let _ = record::claim(&file);
        Ok(file)
    }

    fn rest(&mut self) {
        if matches!(&self.file, Place::Open { wrote, .. } if wrote.elapsed() >= RESTS) {
            self.file = Place::Resting;
        }
    }

    /// What the buffer is going to take.
    fn plan(&mut self) {
        let will = whole_blocks(self.len + self.buffer.len() as u64);
        let more = will.saturating_sub(self.takes[1]);
        if more > 0 {
            self.takes[1] = will;
            self.usage.plan(more);
        }
    }

    /// What the file takes now. A file system may say so late: it is no less than its length.
    fn count(&mut self) {
        if !self.usage.is_counted() {
            return;
        }
        let path = record::part(&self.path, self.part);
        let here = match &self.file {
            Place::Open { file, .. } => file.metadata().map_or(0, |found| on_disk(&found)),
            Place::Nowhere | Place::Resting => 0,
        };
        let takes = here.max(whole_blocks(self.len));
        self.usage.count(&path, takes, self.takes[1] - self.takes[0]);
        self.takes = [takes; 2];
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.file, Place::Nowhere) {
            self.unwritten += bytes.len() as u64;
        } else {
            if bytes.len() >= BULK {
                // It is full soon: it need not grow step by step.
                self.buffer.reserve((BUFFER + bytes.len()).saturating_sub(self.buffer.len()));
            }
            self.buffer.extend_from_slice(bytes);
            self.plan();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out();
        self.rest();
        Ok(())
    }
}
