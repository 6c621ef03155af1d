//! How much disk the recordings of a folder may take: the oldest go first. Nothing that is being written goes, and nothing that
//! does not look like a file of this program's.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use analyzer::capture::annotation;

use crate::record;

/// A recording that is not closed is written by somebody if it has changed in this time.
const RECENT: Duration = Duration::from_secs(120);
/// What closes a recording stands in its last bytes.
const END: u64 = 16 << 10;
/// The folder is looked at so often.
const EVERY: Duration = Duration::from_secs(2);

/// What may stay.
#[derive(Debug)]
pub(super) struct Keep {
    /// Bytes.
    most: u64,
    looked: Option<Instant>,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is left though it is more than may stay, bytes: it is being written, or cannot be deleted.
    pub too_much: Option<u64>,
}

/// A recording, with its parts and what stands beside it.
struct Kept {
    /// Its first part, whether it is there or not.
    first: PathBuf,
    files: Vec<(PathBuf, u64)>,
}

impl Keep {
    pub(super) fn new(most: u64) -> Keep {
        Keep { most, looked: None }
    }

    /// Deletes what is too much, from time to time; tells where there was something to do. `is_open` says
    /// of a first part whether this program writes the recording.
    pub(super) fn look(&mut self, folder: &Path, is_open: &dyn Fn(&Path) -> bool) -> Option<Gone> {
        if self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return None;
        }
        self.looked = Some(Instant::now());
        let gone = self.clean(folder, is_open);
        (gone != Gone::default()).then_some(gone)
    }

    fn clean(&self, folder: &Path, is_open: &dyn Fn(&Path) -> bool) -> Gone {
        let recordings = recordings(folder);
        let mut sum: u64 = recordings.iter().map(Kept::len).sum();
        let is_ours = recordings.iter().any(|one| is_open(&one.first));
        let mut gone = Gone::default();
        for recording in recordings {
            if sum <= self.most {
                return gone;
            }
            if recording.is_written(is_open) {
                continue;
            }
            for (path, len) in recording.files {
                if fs::remove_file(path).is_ok() {
                    (gone.files, gone.bytes) = (gone.files + 1, gone.bytes + len);
                    sum -= len;
                }
            }
        }
        // What others write is theirs to end.
        gone.too_much = (sum > self.most && is_ours).then_some(sum);
        gone
    }
}

impl Kept {
    fn len(&self) -> u64 {
        self.files.iter().map(|(_, len)| len).sum()
    }

    /// By this program or by another one.
    fn is_written(&self, is_open: &dyn Fn(&Path) -> bool) -> bool {
        let is_claimed = |path: &Path| File::open(path).is_ok_and(|file| !record::claim(&file));
        is_open(&self.first)
            || self.files.iter().any(|(path, _)| is_claimed(path) || is_recent(path) && !self.is_closed())
    }

    /// Whether its recorder has closed it: what says so stands at its end.
    fn is_closed(&self) -> bool {
        let ends = |path: &Path| -> std::io::Result<bool> {
            let mut file = File::open(path)?;
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(END)))?;
            let mut end = Vec::new();
            file.read_to_end(&mut end)?;
            let says = annotation::END.as_bytes();
            Ok(end.windows(says.len()).any(|at| at == says))
        };
        self.files.iter().any(|(path, _)| ends(path).unwrap_or(false))
    }
}

/// Whether something was written to it lately. A session that says nothing is sampled every half minute, and its file is closed,
/// and claimed by nobody, in between.
fn is_recent(path: &Path) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|since| since < RECENT))
}

/// The recordings in a folder, the oldest first: their names begin with the time.
fn recordings(folder: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<(String, PathBuf, u64)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let stem = stem(&name)?.to_owned();
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((stem, entry.path(), metadata.len()))
        })
        .collect();
    files.sort();
    let same = files.chunk_by(|one, other| one.0 == other.0);
    same.map(|files| Kept {
        first: folder.join(format!("{}.pcapng", files[0].0)),
        files: files.iter().map(|(_, path, len)| (path.clone(), *len)).collect(),
    })
    .collect()
}

/// What all files of a recording are called, up to their first dot behind the time: 20261122T221002.120Z-00001.
fn stem(name: &str) -> Option<&str> {
    let shape = |at: usize, byte: u8| match at {
        8 => byte == b'T',
        _ => byte.is_ascii_digit(),
    };
    let is_time = name.len() > 15 && name.bytes().take(15).enumerate().all(|(at, byte)| shape(at, byte));
    let known = [".pcapng", ".probe.json"].into_iter().find_map(|extension| name.strip_suffix(extension));
    let known = known.filter(|_| is_time)?;
    match known.rsplit_once(".part") {
        Some((first, number)) if number.parse::<u32>().is_ok() => Some(first),
        Some(_) | None => Some(known),
    }
}
