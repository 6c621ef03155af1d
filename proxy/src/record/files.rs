//! The files of recordings: new ones that their owner alone can read, whose they are, and parts that are read as one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// So far behind a part that is missing a further one is looked for.
const LOOKED_FOR: u32 = 100;
/// So many names are tried for a recording.
const NAMES_TRIED: u32 = 64;
/// So many of them are numbered.
const NUMBERED: u32 = 32;
/// What stands beside a recording, and goes with it: what a probe said, and what opens its TLS.
const BESIDE: [&str; 3] = [".probe.json", ".keys", ".keylog"];
/// The usual block of a file system, bytes.
const BLOCK: u64 = 4096;

/// Creates the folder (0700) if it is not there.
///
/// # Errors
/// Where the system does.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether nobody else writes this file; from now on, until it is closed, it is this handle's. Where the file system knows no
/// locks, and on Windows, where one would keep everybody from reading, nobody can tell, and true is said.
pub fn claim(file: &File) -> bool {
    cfg!(windows) || !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Creates a new file (0600) in the folder, which is made if need be, and claims it. Somebody else may have taken the name,
/// with whatever: then a number is added to it, and after some of those what nobody can foresee. The file, and where it is.
///
/// # Errors
/// Where the system does.
pub fn create(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    create_folder(folder)?;
    for number in 0..NAMES_TRIED {
        let name = match number {
            0 => format!("{name}.pcapng"),
            1..NUMBERED => format!("{name}-{number}.pcapng"),
            _ => format!("{name}-{}.pcapng", unforeseen()),
        };
        let path = folder.join(name);
        if let Some(file) = create_new(&path)? {
            return Ok((file, path));
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("every name for {name} is taken")))
}

/// Letters alone: digits would pass for the number of a session.
fn unforeseen() -> String {
    let random = random();
    (0..16).map(|place| char::from(b'a' + (random >> (4 * place) & 15) as u8)).collect()
}

/// A number that nobody can know before.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A new file, claimed; nothing where the name is taken, or somebody who clears up has taken the file away at once.
fn create_new(path: &Path) -> io::Result<Option<File>> {
    match private().open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
        Ok(file) => Ok((claim(&file) && Identity::of_file(&file)?.is_there()).then_some(file)),
    }
}

/// Which file it is, whatever its name. On Windows nobody can tell one from another without more than this is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    place: (u64, u64),
    names: u64,
}

impl Identity {
    pub fn of(found: &fs::Metadata) -> Identity {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Identity { place: (found.dev(), found.ino()), names: found.nlink() }
        }
        #[cfg(not(unix))]
        {
            let _ = found;
            Identity { place: (0, 0), names: 1 }
        }
    }

    pub fn of_file(file: &File) -> io::Result<Identity> {
        Ok(Identity::of(&file.metadata()?))
    }

    /// Whether it has any name.
    pub fn is_there(self) -> bool {
        self.names > 0
    }

    /// Whether it is the same file.
    pub fn is(self, other: Identity) -> bool {
        self.place == other.place
    }
}

/// What a file takes of the disk, bytes: not its length.
pub(crate) fn on_disk(found: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    {
        std::os::unix::fs::MetadataExt::blocks(found) * 512
    }
    #[cfg(not(unix))]
    {
        whole_blocks(found.len())
    }
}

/// What so many bytes take where they are stored in the usual blocks.
pub(crate) fn whole_blocks(len: u64) -> u64 {
    len.next_multiple_of(BLOCK)
}

/// Does not open what a link leads to, nor wait for who writes a pipe.
pub(crate) fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW);
    options
}

/// What is to be said of a folder in which others may put files, or take them away; nothing where they may not.
pub fn who_else_writes(folder: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        const STICKY: u32 = 0o1000;
        let found = fs::metadata(folder).ok()?;
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        if owner != 0 && owner != crate::files::user() {
            return Some(format!("it belongs to another user ({owner}), who may put files there and take them away"));
        }
        let writes = [(0o002, "everybody"), (0o020, "its group")].into_iter().find(|(bit, _)| mode & bit != 0);
        let (_, who) = writes.filter(|_| mode & STICKY == 0)?;
        Some(format!("{who} may put files there and take them away (mode {mode:04o}): chmod 700"))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Removes what recorders that were killed, or whose disk was full, have left in this folder without a byte in it. Their
/// names.
pub fn sweep(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut empty: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| Name::of(name).is_some_and(|name| name.is_recording()))
        })
        .filter(|entry| entry.metadata().is_ok_and(|found| found.is_file() && found.len() == 0))
        .map(|entry| entry.path())
        .filter(|path| remove_if_empty(path).unwrap_or(false))
        .collect();
    empty.sort();
    empty
}

/// Whoever is about to write it has claimed it, or will see that it has no name any more.
fn remove_if_empty(path: &Path) -> io::Result<bool> {
    let file = no_follow(OpenOptions::new().read(true)).open(path)?;
    if !claim(&file) || file.metadata()?.len() > 0 {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}

/// The name of a file of this program's in a folder of recordings: 20261122T221002.120Z-00001.part2.pcapng.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// What all files of a recording begin with; it begins with the time.
    pub stem: &'a str,
    /// Which of its parts; nothing of what stands beside it.
    pub part: Option<u32>,
}

impl Name<'_> {
    pub fn of(name: &str) -> Option<Name<'_>> {
        let shape = |at: usize, byte: u8| match at {
            8 => byte == b'T',
            _ => byte.is_ascii_digit(),
        };
        if name.len() <= 15 || !name.bytes().take(15).enumerate().all(|(at, byte)| shape(at, byte)) {
            return None;
        }
        if let Some(stem) = BESIDE.iter().find_map(|beside| name.strip_suffix(beside)) {
            return Some(Name { stem, part: None });
        }
        let stem = name.strip_suffix(".pcapng")?;
        let part = stem.rsplit_once(".part").and_then(|(stem, number)| Some((stem, number.parse().ok()?)));
        Some(part.map_or(Name { stem, part: Some(1) }, |(stem, number)| Name { stem, part: Some(number) }))
    }

    pub fn is_recording(&self) -> bool {
        self.part.is_some()
    }
}

/// Opens a file that was found and that nobody named. What is none is never waited for: a pipe, a device, a socket, a folder.
///
/// # Errors
/// Where it is no file (`InvalidInput`, with what it is), and where the system does.
pub fn open_file(path: &Path) -> io::Result<File> {
    let wrong = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, no file")));
    // To open a device is to act on it.
    if let Some(what) = not_file(&fs::metadata(path)?) {
        return wrong(what);
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    // By now another may have its name.
    not_file(&file.metadata()?).map_or(Ok(file), wrong)
}

/// What something is that is no file.
pub fn not_file(found: &fs::Metadata) -> Option<&'static str> {
    if found.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = found.file_type();
        if kind.is_fifo() {
            return Some("a pipe");
        } else if kind.is_socket() {
            return Some("a socket");
        } else if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    Some(if found.is_dir() { "a folder" } else { "something else" })
}

/// Where a part of the recording in `first` is: that itself, or `NAME.part2.pcapng` and so on beside it.
pub fn part(first: &Path, number: u32) -> PathBuf {
    if number == 1 { first.to_owned() } else { first.with_extension(format!("part{number}.pcapng")) }
}

/// The parts of a recording that are there without a gap, from this one on: the first, or where that is gone a further one.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let (first, number) = further(path).filter(|_| !is_further_part(path)).unwrap_or((path.to_owned(), 1));
    let further = (number + 1..).map(|number| part(&first, number)).take_while(|path| path.is_file());
    std::iter::once(path.to_owned()).chain(further).collect()
}

/// Whether a file is read with the one that it goes on from. Where that is gone, it is the beginning of what is left.
pub fn is_further_part(path: &Path) -> bool {
    further(path).is_some_and(|(first, number)| number > 1 && part(&first, number - 1).is_file())
}

/// The first part that a further one belongs to, and its number.
fn further(path: &Path) -> Option<(PathBuf, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".pcapng")?;
    let (first, number) = name.rsplit_once(".part")?;
    Some((path.with_file_name(format!("{first}.pcapng")), number.parse().ok()?))
}

/// What is to be said of a recording's parts: that one of them is missing and later ones are there, or that something else has
/// its name.
pub fn gap(path: &Path) -> Option<String> {
    let (first, number) = further(path).filter(|_| !is_further_part(path)).unwrap_or((path.to_owned(), 1));
    let here = u32::try_from(parts(path).len()).unwrap_or(u32::MAX);
    let missing = number.saturating_add(here);
    let shown = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let next = part(&first, missing);
    if let Some(what) = fs::metadata(&next).ok().as_ref().and_then(not_file) {
        return Some(format!("{} is {what}, no file: it and what follows it are not read", shown(&next)));
    }
    let further = (missing + 1..missing.saturating_add(LOOKED_FOR)).find(|number| part(&first, *number).is_file())?;
    Some(format!("part {missing} is missing, part {further} and what follows it are not read"))
}

/// Reads a recording, one part behind the other. What `first` names may be a pipe.
///
/// # Errors
/// Where the system does, and where it is a further part of one whose beginning is there.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    with_parts(File::open(path)?, path)
}

/// What stands in the open file of this name, and in the parts that follow it.
///
/// # Errors
/// Where the system does, and where it is a further part of one whose beginning is there.
pub fn with_parts(file: File, path: &Path) -> io::Result<Box<dyn Read>> {
    if let Some((_, number)) = further(path).filter(|_| is_further_part(path)) {
        let says = format!("this is part {number} of a recording: expected its first file, with all parts beside it");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, says));
    }
    let mut input: Box<dyn Read> = Box::new(file);
    for path in parts(path).iter().skip(1) {
        input = Box::new(input.chain(open_file(path)?));
    }
    Ok(input)
}

/// Creates a further part (0600) and claims it; nothing where somebody has taken its name.
///
/// # Errors
/// Where the system does.
pub(crate) fn create_part(first: &Path, number: u32) -> io::Result<Option<File>> {
    create_new(&part(first, number))
}

/// The file again, to go on at its end.
pub(crate) fn reopen(path: &Path) -> io::Result<File> {
    no_follow(OpenOptions::new().append(true)).open(path)
}

/// How a new file is made that its owner alone can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_program_s_files() {
        let stem = "20261122T221002.120Z-00001";
        for (end, part) in [(".pcapng", Some(1)), (".part12.pcapng", Some(12)), (".probe.json", None), (".keys", None)]
        {
            let whole = format!("{stem}{end}");
            assert_eq!(Name::of(&whole), Some(Name { stem, part }), "{end}");
        }
        for other in ["notes.txt", "2024-the-bad-one.pcapng", "20261122T221002.120Z-00001.txt", "20261122T221002", ""] {
            assert_eq!(Name::of(other), None, "{other}");
        }
    }
}
