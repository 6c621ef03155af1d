//! The files of recordings: new ones that their owner alone can read, whose they are, and parts that are read as one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// So far behind a part that is missing a further one is looked for.
const LOOKED_FOR: u32 = 100;
/// So many names are tried for a recording.
const NAMES_TRIED: u32 = 1000;

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

/// Creates a new file (0600) in the folder, which is made if need be, and claims it. Another program may have taken the
/// name: then a number is added to it. The file, and where it is.
///
/// # Errors
/// Where the system does.
pub fn create(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    create_folder(folder)?;
    let options = private();
    let mut path = folder.join(format!("{name}.pcapng"));
    for number in 1..NAMES_TRIED {
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = folder.join(format!("{name}-{number}.pcapng"));
            }
            opened => return claimed(opened?, path),
        }
    }
    claimed(options.open(&path)?, path)
}

fn claimed(file: File, path: PathBuf) -> io::Result<(File, PathBuf)> {
    // Nobody else can have it: it is new.
    let _ = claim(&file);
    Ok((file, path))
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

/// The parts of a recording that are there without a gap, the first one first.
pub fn parts(first: &Path) -> Vec<PathBuf> {
    let further = (2..).map(|number| part(first, number)).take_while(|path| path.is_file());
    std::iter::once(first.to_owned()).chain(further).collect()
}

/// Whether a file is read with the one that it is a further part of.
pub fn is_further_part(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".pcapng"));
    let Some((first, number)) = name.and_then(|name| name.rsplit_once(".part")) else { return false };
    let first = path.with_file_name(format!("{first}.pcapng"));
    number.parse().is_ok_and(|number: u32| number > 1 && parts(&first).contains(&path.to_owned()))
}

/// What is to be said of a recording's parts: that one of them is missing and later ones are there, or that something else has
/// its name.
pub fn gap(first: &Path) -> Option<String> {
    let missing = u32::try_from(parts(first).len()).unwrap_or(u32::MAX).saturating_add(1);
    let shown = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let next = part(first, missing);
    if let Some(what) = fs::metadata(&next).ok().as_ref().and_then(not_file) {
        return Some(format!("{} is {what}, no file: it and what follows it are not read", shown(&next)));
    }
    let further = (missing + 1..missing.saturating_add(LOOKED_FOR)).find(|number| part(first, *number).is_file())?;
    Some(format!("part {missing} is missing, part {further} and what follows it are not read"))
}

/// Reads a recording, one part behind the other. What `first` names may be a pipe.
///
/// # Errors
/// Where the system does.
pub fn open(first: &Path) -> io::Result<Box<dyn Read>> {
    with_parts(File::open(first)?, first)
}

/// What stands in the open file of this name, and in the parts that follow it.
///
/// # Errors
/// Where the system does.
pub fn with_parts(file: File, first: &Path) -> io::Result<Box<dyn Read>> {
    let mut input: Box<dyn Read> = Box::new(file);
    for path in parts(first).iter().skip(1) {
        input = Box::new(input.chain(open_file(path)?));
    }
    Ok(input)
}

/// Creates a further part (0600) and claims it.
///
/// # Errors
/// Where the system does, or it is there already.
pub(crate) fn create_part(first: &Path, number: u32) -> io::Result<File> {
    let path = part(first, number);
    Ok(claimed(private().open(&path)?, path)?.0)
}

/// How a new file is made that its owner alone can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
