//! Files that are written for somebody to find: whole or not at all, and through nothing that somebody else has planted.
//!
//! A file is written beside its place, in the same folder and under a random name, and put there by a rename. So a link of
//! that name is replaced and never followed, what a hard link shares stays as it is, the mode is the one that is asked for
//! whatever the file had and whatever the umask is, and a write that fails leaves nothing. Standard output, pipes and
//! devices that are named are written to as they are.

use crate::named::Named;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::record::{claim, no_follow, random};

/// How names begin of files that are being written.
const BESIDE: &str = ".rdpscope-";
/// How they end.
const ENDS: &str = ".part";
/// So many random names are tried.
const TRIES: u32 = 16;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Its owner alone: 0600.
    Owner,
    /// Everybody, and only its owner writes it: 0644.
    Everybody,
}

/// A file that is being written. Where it is not finished, nothing of it stays.
#[derive(Debug)]
pub struct Whole {
    out: Out,
    to: PathBuf,
    failed: Option<String>,
}

#[derive(Debug)]
enum Out {
    Beside {
        file: File,
        beside: PathBuf,
        replace: bool,
    },
    /// What is no file: a pipe, a device, what is open already.
    There(File),
    Stdout,
    Stderr,
    /// It has its place.
    Finished,
}

/// What is named.
enum Occupant {
    Stdout,
    Stderr,
    /// An open file of this process.
    Open,
    /// A pipe, a device or a socket.
    NoFile,
    /// A file, or a link to anything.
    File,
    Nothing,
}

impl Occupant {
    fn of(path: &Path) -> io::Result<Occupant> {
        match path.to_str() {
            Some("-" | "/dev/stdout") => return Ok(Occupant::Stdout),
            Some("/dev/stderr") => return Ok(Occupant::Stderr),
            Some(path) if ["/dev/fd/", "/proc/self/fd/"].iter().any(|open| path.starts_with(open)) => {
                return Ok(Occupant::Open);
            }
            Some(path) if cfg!(windows) && ["nul", "con"].iter().any(|device| path.eq_ignore_ascii_case(device)) => {
                return Ok(Occupant::Open);
            }
            Some(_) | None => {}
        }
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Occupant::Nothing),
            Err(error) => Err(error),
            Ok(found) if found.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder")),
            Ok(found) if found.is_file() || found.is_symlink() => Ok(Occupant::File),
            Ok(_) => Ok(Occupant::NoFile),
        }
    }
}

/// Whether a file can be put there, as far as can be told before it is written.
///
/// # Errors
/// Where one is there and is not to be replaced, it is a folder, or its own folder is not there.
pub fn check(to: &Path, replace: bool) -> io::Result<()> {
    match Occupant::of(to)? {
        Occupant::File if !replace => Err(is_there(to)),
        Occupant::Nothing if !folder_of(to).is_dir() => {
            Err(io::Error::new(ErrorKind::NotFound, format!("there is no folder {}", folder_of(to).named())))
        }
        Occupant::Stdout
        | Occupant::Stderr
        | Occupant::Open
        | Occupant::NoFile
        | Occupant::File
        | Occupant::Nothing => Ok(()),
    }
}

impl Whole {
    /// A file that will be there once it is finished.
    ///
    /// # Errors
    /// Where one is there and is not to be replaced, or the system does not let it be made.
    pub fn create(to: &Path, who: For, replace: bool) -> io::Result<Whole> {
        let out = match Occupant::of(to)? {
            Occupant::Stdout => Out::Stdout,
            Occupant::Stderr => Out::Stderr,
            Occupant::Open => Out::There(OpenOptions::new().append(true).open(to)?),
            Occupant::NoFile => Out::There(open_no_file(to)?),
            Occupant::File if !replace => return Err(is_there(to)),
            Occupant::File | Occupant::Nothing => {
                let (file, beside) = create_beside(folder_of(to), who)?;
                Out::Beside { file, beside, replace }
            }
        };
        Ok(Whole { out, to: to.to_owned(), failed: None })
    }

    /// The file, where it is one, to give it another owner and mode.
    pub fn file(&self) -> Option<&File> {
        match &self.out {
            Out::Beside { file, .. } | Out::There(file) => Some(file),
            Out::Stdout | Out::Stderr | Out::Finished => None,
        }
    }

    /// Why it could not be written, whatever whoever wrote it made of that.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// Where the system does, or somebody has put a file there that is not to be replaced: then there is none of this.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        let Out::Beside { file, beside, replace } = std::mem::replace(&mut self.out, Out::Finished) else {
            return Ok(());
        };
        // Windows renames no file that is open; elsewhere it stays claimed until it has its name.
        let _claimed = (!cfg!(windows)).then_some(file);
        let put = if replace { fs::rename(&beside, &self.to) } else { put_new(&beside, &self.to) };
        if put.is_err() {
            let _absent = fs::remove_file(&beside);
        }
        put
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        if let Err(error) = &written {
            self.failed.get_or_insert_with(|| error.to_string());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Beside { file, .. } | Out::There(file) => file.write(bytes),
            // A reader that went away is no error.
            Out::Stdout => match io::stdout().write(bytes) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
                written => written,
            },
            Out::Stderr => io::stderr().write(bytes),
            Out::Finished => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Beside { file, .. } | Out::There(file) => file.flush(),
            Out::Stdout => match io::stdout().flush() {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                flushed => flushed,
            },
            Out::Stderr | Out::Finished => Ok(()),
        }
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Out::Beside { beside, .. } = &self.out {
            let _absent = fs::remove_file(beside);
        }
    }
}

/// Writes a whole file.
///
/// # Errors
/// As [`Whole::create`] and [`Whole::finish`], and where the disk is full.
pub fn write(to: &Path, who: For, replace: bool, bytes: &[u8]) -> io::Result<()> {
    let mut whole = Whole::create(to, who, replace)?;
    whole.write_all(bytes)?;
    whole.finish()
}

/// A file to whose end is written, which a reader follows: its owner's alone, whatever it was. It is made where it is not there.
///
/// # Errors
/// Where it is a link, or has another name besides, or the system does not let it be opened.
pub fn append(to: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    match Occupant::of(to)? {
        Occupant::Stdout => return options.open("/dev/stdout"),
        Occupant::Stderr => return options.open("/dev/stderr"),
        Occupant::Open => return options.open(to),
        Occupant::NoFile => return open_no_file(to),
        Occupant::File | Occupant::Nothing => {}
    }
    let link = |says: &str| io::Error::new(ErrorKind::InvalidInput, format!("expected a file, found {says}"));
    if fs::symlink_metadata(to).is_ok_and(|found| found.is_symlink()) {
        return Err(link("a link"));
    }
    no_follow(&mut options);
    let file = private(options.create(true), For::Owner).open(to)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 1 {
        return Err(link("one that has another name besides (a hard link)"));
    }
    set_mode(&file, For::Owner)?;
    Ok(file)
}

/// A new folder beside a file that is to be written, its owner's alone.
///
/// # Errors
/// Where the system does not let it be made.
pub fn folder_beside(to: &Path) -> io::Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    // One that is there is somebody else's.
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let path = folder_of(to).join(format!("{BESIDE}{:016x}", random()));
    builder.create(&path)?;
    Ok(path)
}

/// Removes what programs that were killed left half written in this folder. How many.
pub fn sweep(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let is_left = |name: &str| name.starts_with(BESIDE) && name.ends_with(ENDS);
    let left = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_left));
    let left = left.filter(|entry| entry.metadata().is_ok_and(|found| found.is_file() && is_old(&found)));
    let gone = left.filter(|entry| {
        let file = no_follow(OpenOptions::new().read(true)).open(entry.path());
        file.is_ok_and(|file| claim(&file) && fs::remove_file(entry.path()).is_ok())
    });
    gone.count() as u64
}

/// Whether nobody has just begun it. Where files cannot be claimed, age alone tells.
fn is_old(found: &fs::Metadata) -> bool {
    let age = found.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
    age.as_secs() >= if cfg!(windows) { 24 * 3600 } else { 2 }
}

/// The error that every command gives.
fn is_there(to: &Path) -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, format!("{} is there already: --force replaces it", to.named()))
}

fn folder_of(to: &Path) -> &Path {
    to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A pipe or a device is still that when it is open.
fn open_no_file(path: &Path) -> io::Result<File> {
    let file = no_follow(OpenOptions::new().write(true)).open(path)?;
    if file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "another file has taken its place"));
    }
    Ok(file)
}

fn create_beside(folder: &Path, who: For) -> io::Result<(File, PathBuf)> {
    let mut tried = 0;
    loop {
        let beside = folder.join(format!("{BESIDE}{:016x}{ENDS}", random()));
        match private(OpenOptions::new().write(true).create_new(true), who).open(&beside) {
            Ok(file) => {
                // Nobody else can have it: it is new.
                let _ = claim(&file);
                set_mode(&file, who).inspect_err(|_| drop(fs::remove_file(&beside)))?;
                return Ok((file, beside));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < TRIES => tried += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn mode(who: For) -> u32 {
    match who {
        For::Owner => 0o600,
        For::Everybody => 0o644,
    }
}

/// How it is made.
fn private(options: &mut OpenOptions, who: For) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, mode(who));
    #[cfg(not(unix))]
    let _ = who;
    options
}

/// A umask takes away what is asked for, and a file that is there keeps what it has.
#[cfg(unix)]
fn set_mode(file: &File, who: For) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode(who)))
}

/// Whoever may use a folder may read what is in it, unless its access list says otherwise.
#[cfg(not(unix))]
fn set_mode(_file: &File, _who: For) -> io::Result<()> {
    Ok(())
}

/// Puts it there where nothing is. A link of its own fails where something is; not every file system has them.
fn put_new(beside: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(beside, to) {
        Ok(()) => fs::remove_file(beside),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(is_there(to)),
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(is_there(to)),
        Err(_) => fs::rename(beside, to),
    }
}
