//! The files of recordings: new ones that their owner alone can read, whose they are, and parts that are read as one.

use crate::named::Named;
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

/// Says so where parts stand behind one that is not there.
fn warn_of_gap(first: &Path, missing: u32) {
    if let Some(further) = (missing + 1..missing + LOOKED_FOR).find(|number| part(first, *number).is_file()) {
        let name = first.named();
        tracing::warn!("{name}: part {missing} is missing, part {further} and what follows it are not read");
    }
}

/// Reads a recording, one part behind the other.
///
/// # Errors
/// Where the system does.
pub fn open(first: &Path) -> io::Result<Box<dyn Read>> {
    let mut input: Box<dyn Read> = Box::new(File::open(first)?);
    let parts = parts(first);
    warn_of_gap(first, parts.len() as u32 + 1);
    for path in parts.iter().skip(1) {
        input = Box::new(input.chain(File::open(path)?));
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
