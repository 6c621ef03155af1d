//! The file of a recording, or the files of its parts, behind a buffer. It never fails: it remembers the first error, swallows
//! what comes after, and counts it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::record;

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
    /// The part that is being written, from 1.
    part: u32,
    /// Bytes in its file.
    len: u64,
    /// A part is no longer than about this, bytes; nothing where there is one alone.
    most: Option<u64>,
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

impl Output {
    /// A recording in this file, and in further ones, where it gets longer than `most`.
    pub(super) fn to(file: File, path: PathBuf, most: Option<u64>) -> Output {
        Output { file: Place::Open { file, wrote: Instant::now() }, path, part: 1, most, ..Output::default() }
    }

    /// Whether anything was to be written, also where that cannot be.
    pub(super) fn is_asked_for(&self) -> bool {
        !matches!(self.file, Place::Nowhere) || self.failed.is_some()
    }

    /// None, because of this.
    pub(super) fn broken(error: io::Error) -> Output {
        Output { failed: Some(error), ..Output::default() }
    }

    /// Where the next part goes, and its number, where this one is long enough.
    pub(super) fn next_part(&mut self) -> Option<(Output, u32)> {
        let most = self.most.filter(|most| self.len + self.buffer.len() as u64 >= *most)?;
        self.write_out();
        if matches!(self.file, Place::Nowhere) {
            return None;
        }
        let part = self.part + 1;
        let path = self.path.clone();
        match record::create_part(&path, part) {
            Ok(file) => Some((Output { part, ..Output::to(file, path, Some(most)) }, part)),
            Err(error) => {
                (self.file, self.failed) = (Place::Nowhere, Some(error));
                None
            }
        }
    }

    /// Bytes in the file that is being written; nothing where there is none.
    pub(super) fn written(&self) -> Option<u64> {
        (!matches!(self.file, Place::Nowhere)).then_some(self.len)
    }

    /// Writes no more, because of this.
    pub(super) fn give_up(&mut self, why: io::Error) {
        self.write_out();
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
                // An idle session holds no memory.
                if buffer.len() >= BUFFER {
                    buffer.clear();
                    self.buffer = buffer;
                }
            }
            Err(error) => {
                self.unwritten += buffer.len() as u64;
                (self.file, self.failed) = (Place::Nowhere, Some(error));
            }
        }
    }

    /// The file again, if it is the one that was closed.
    fn reopen(&self) -> io::Result<File> {
        let file = OpenOptions::new().append(true).open(record::part(&self.path, self.part))?;
        let len = file.metadata()?.len();
        if len != self.len {
            let says = format!("expected the recording as it was left ({} bytes), found {len}", self.len);
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
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.file, Place::Nowhere) {
            self.unwritten += bytes.len() as u64;
        } else {
            if bytes.len() >= BULK {
                // It is full soon: it need not grow step by step.
                self.buffer.reserve(BUFFER + bytes.len() - self.buffer.len());
            }
            self.buffer.extend_from_slice(bytes);
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out();
        self.rest();
        Ok(())
    }
}
