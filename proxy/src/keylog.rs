//! Follows the key log that a client or a server writes (NSS Key Log Format, RFC 9850) while sessions go on.
//!
//! The file may come later than the proxy, grow, be cut to nothing, written anew or replaced by another. What stood in it
//! before belongs to sessions of the past and is not read. Lines are kept by the connection that they name, until its
//! session asks for them; those that nobody asks for are given up, oldest first.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::named::Named;
use analyzer::secret::{self, Random, Secret};
use tracing::warn;

/// Connections whose lines are kept for a session that has not asked yet.
const MAX_CONNECTIONS: usize = 4096;
/// Bytes kept of one connection: TLS 1.3 has six lines of 200 at most.
const MAX_LINES: usize = 4096;
/// No line is longer, bytes; what is has no end that is worth waiting for.
const MAX_LINE: usize = 4096;
/// Read at once, bytes: the scribe has other work.
const MAX_READ: u64 = 8 << 20;
/// So many of the last bytes are looked at again: another file that took the place of this one has others there.
const TAIL: u64 = 32;

/// A key log that is followed.
#[derive(Debug)]
pub struct KeyLog {
    path: PathBuf,
    file: Option<Followed>,
    lines: HashMap<Random, Secret>,
    /// The connections of `lines`, oldest first.
    order: VecDeque<Random>,
    /// The last trouble, which is told once.
    trouble: Option<String>,
}

/// The file, as far as it was read.
#[derive(Debug)]
struct Followed {
    file: File,
    identity: Identity,
    read: u64,
    /// The last bytes before `read`.
    tail: Secret,
    /// A line whose end is not there yet.
    rest: Secret,
}

impl KeyLog {
    /// Follows the file from its present end on; where it is not there yet, from its beginning.
    pub fn follow(path: &Path) -> KeyLog {
        let mut log =
            KeyLog { path: path.to_owned(), file: None, lines: HashMap::new(), order: VecDeque::new(), trouble: None };
        let opened = open(path).and_then(|file| file.map(Followed::at_end).transpose());
        log.file = log.told(opened).flatten();
        log
    }

    /// Reads what was written since.
    pub fn poll(&mut self) {
        let Some(path_now) = self.look() else { return };
        if let Some(mut followed) = self.file.take() {
            let read = self.read_on(&mut followed);
            let is_same = path_now.as_ref().is_none_or(|(_, identity)| *identity == followed.identity);
            let goes_on = self.told(read).is_some_and(|goes_on| goes_on) && is_same;
            if goes_on || path_now.is_none() {
                self.file = Some(followed);
                return;
            }
        }
        let Some((file, identity)) = path_now else { return };
        let mut followed = Followed { file, identity, read: 0, tail: Secret::default(), rest: Secret::default() };
        let read = self.read_on(&mut followed);
        if self.told(read).is_some() {
            self.file = Some(followed);
        }
    }

    /// The lines of a connection, once.
    pub fn take(&mut self, random: &Random) -> Option<Secret> {
        let lines = self.lines.remove(random)?;
        self.order.retain(|kept| kept != random);
        Some(lines)
    }

    /// The file that stands at the path now, if one does. `None` where it cannot be told.
    fn look(&mut self) -> Option<Option<(File, Identity)>> {
        let opened = open(&self.path);
        self.told(opened)
    }

    fn told<T>(&mut self, result: io::Result<T>) -> Option<T> {
        let error = match result {
            Ok(done) => {
                self.trouble = None;
                return Some(done);
            }
            Err(error) => error.to_string(),
        };
        if self.trouble.as_ref() != Some(&error) {
            warn!(path = self.path.named(), error, "cannot read the key log");
            self.trouble = Some(error);
        }
        None
    }

    /// False where the file is no more the one that was read: it was cut, or written anew.
    fn read_on(&mut self, followed: &mut Followed) -> io::Result<bool> {
        let len = followed.file.metadata()?.len();
        if len < followed.read || !followed.is_untouched()? {
            return Ok(false);
        }
        let new = followed.read_new()?;
        followed.rest.extend(&new);
        let end = followed.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (whole, rest) = followed.rest.split_at(end);
        secret::lines(whole).for_each(|line| self.keep(line));
        let rest = if rest.len() > MAX_LINE { &[] } else { rest };
        followed.rest = Secret::new(rest.to_vec());
        Ok(true)
    }

    fn keep(&mut self, line: &[u8]) {
        let Some(random) = secret::whose(line) else { return };
        let lines = self.lines.entry(random).or_default();
        if lines.is_empty() {
            self.order.push_back(random);
        }
        if lines.len() + line.len() < MAX_LINES {
            lines.extend(line);
            lines.extend(b"\n");
        }
        if self.order.len() > MAX_CONNECTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.lines.remove(&oldest);
        }
    }
}

impl Followed {
    fn at_end((file, identity): (File, Identity)) -> io::Result<Followed> {
        let read = file.metadata()?.len();
        let mut followed = Followed { file, identity, read, tail: Secret::default(), rest: Secret::default() };
        followed.tail = followed.before()?;
        Ok(followed)
    }

    fn is_untouched(&mut self) -> io::Result<bool> {
        Ok(self.before()? == self.tail)
    }

    /// The last bytes before the place up to which it was read.
    fn before(&mut self) -> io::Result<Secret> {
        let from = self.read.saturating_sub(TAIL);
        self.file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(TAIL as usize);
        (&self.file).take(self.read - from).read_to_end(&mut bytes)?;
        Ok(Secret::new(bytes))
    }

    fn read_new(&mut self) -> io::Result<Secret> {
        self.file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        let read = (&self.file).take(MAX_READ).read_to_end(&mut bytes);
        let bytes = Secret::new(bytes);
        read?;
        self.read += bytes.len() as u64;
        self.tail = self.before()?;
        Ok(bytes)
    }
}

/// A file that is not there is no error; a pipe, which would have to be waited for, is.
fn open(path: &Path) -> io::Result<Option<(File, Identity)>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Err(io::Error::other("expected a file, found something else")),
        Ok(_) => {}
    }
    let file = File::open(path)?;
    let identity = identity(&file.metadata()?);
    Ok(Some((file, identity)))
}

/// What tells a file from another one at the same place.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
fn identity(file: &Metadata) -> Identity {
    let made = file.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    (made.map_or(0, |made| made.as_nanos() as u64), 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(of: u8, secret: u8) -> String {
        format!("CLIENT_RANDOM {} {secret:02x}\n", format!("{of:02x}").repeat(32))
    }

    fn taken(log: &mut KeyLog, of: u8) -> Option<String> {
        log.poll();
        log.take(&[of; 32]).map(|lines| String::from_utf8_lossy(&lines).into_owned())
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("rdpscope-keylog-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _absent = fs::remove_dir_all(&self.0);
        }
    }

    fn append(path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_written_is_read_whatever_becomes_of_the_file() {
        let folder = Folder::new("followed");
        let path = folder.0.join("keys");
        let mut log = KeyLog::follow(&path);
        assert_eq!(taken(&mut log, 1), None, "it is not there yet");
        append(&path, &format!("# made by a test\n{}", line(1, 1)));
        assert_eq!(taken(&mut log, 1), Some(line(1, 1)));
        assert_eq!(taken(&mut log, 1), None, "once");
        let (first, second) = (line(2, 2), line(2, 3));
        append(&path, &first[..20]);
        assert_eq!(taken(&mut log, 2), None, "half a line");
        append(&path, &format!("{}{second}", &first[20..]));
        assert_eq!(taken(&mut log, 2), Some(first + &second));
        fs::write(&path, "").unwrap();
        assert_eq!(taken(&mut log, 3), None, "cut to nothing");
        append(&path, &line(3, 3));
        assert_eq!(taken(&mut log, 3), Some(line(3, 3)));
        fs::write(&path, (4..40).map(|of| line(of, of)).collect::<String>()).unwrap();
        assert_eq!(taken(&mut log, 4), Some(line(4, 4)), "written anew, and longer than before");
        append(&path, &line(50, 50));
        fs::rename(&path, folder.0.join("keys.1")).unwrap();
        append(&path, &line(51, 51));
        assert_eq!(taken(&mut log, 50), Some(line(50, 50)), "the last line before it was moved away");
        assert_eq!(taken(&mut log, 51), Some(line(51, 51)), "and the first of the next");
    }

    #[test]
    fn the_past_is_not_read_and_strangers_are_not_kept_for_ever() {
        let folder = Folder::new("past");
        let path = folder.0.join("keys");
        fs::write(&path, line(1, 1)).unwrap();
        let mut log = KeyLog::follow(&path);
        assert_eq!(taken(&mut log, 1), None);
        let strangers = (0..10_000).map(|of| format!("CLIENT_RANDOM {of:064x} 00\n")).collect::<String>();
        append(&path, &(line(2, 2) + &strangers + &line(3, 3)));
        assert_eq!(taken(&mut log, 3), Some(line(3, 3)));
        assert_eq!(
            (taken(&mut log, 2), log.lines.len(), log.order.len()),
            (None, MAX_CONNECTIONS - 1, MAX_CONNECTIONS - 1)
        );
        assert!(!format!("{log:?}").contains("CLIENT_RANDOM"));
    }
}
