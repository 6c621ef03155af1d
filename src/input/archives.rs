//! What is in a file: one capture, or those in an archive (zip, tar), compressed or not, one in the other. All of it as a
//! stream: nothing is unpacked to the disk, and what is held does not grow with what is in there. The only module that names
//! zip, and with `archive` tar.
//!
//! A zip is read by its directory where the file can be searched, else entry by entry from its beginning: from a pipe, in
//! another archive, and where it breaks off.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::rc::Rc;

use zip::read::read_zipfile_from_stream_with_options;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::packed::{Meter, Metered, Packing};

/// So many compressions and archives may stand in each other.
const LAYERS: u32 = 4;
/// So many entries of an archive are looked at, those of archives in it included.
const ENTRIES: usize = 1 << 16;
/// So much is read of a zip's directory, bytes: one that is longer is not read into memory.
const DIRECTORY: u64 = 16 << 20;
/// So much is read for the next header of a tar, bytes: long names and extensions stand there.
const HEADERS: u64 = 1 << 20;
/// What tells a tar stands so far in it, and is so long, bytes (POSIX.1-1988, ustar).
const TAR_MAGIC: usize = 257;
const TAR_HEAD: usize = TAR_MAGIC + 5;

const ENCRYPTED: &str = "it is encrypted: unpack it with its password, and give what comes out";

/// One entry of an archive, or the file itself.
pub struct Entry<'a> {
    /// In the archive, with the names of those around it; empty where the file is no archive.
    pub name: &'a str,
    /// How a capture in it is laid out, by its first bytes.
    pub capture: Option<Layout>,
    /// What is in it, or why that cannot be read.
    pub content: io::Result<Box<dyn Read + 'a>>,
}

/// The two kinds of capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Pcap,
    Pcapng,
}

/// A file to be looked into.
pub struct Source<'a> {
    /// From its beginning.
    pub input: Box<dyn Read + 'a>,
    /// The same once more, where it is a file that can be searched.
    pub file: Option<File>,
}

/// Hands on what is in a file, one after the other, until `each` breaks. Gives what is to be said of the file besides.
pub fn walk(source: Source<'_>, each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>) -> Vec<String> {
    let len = source.file.as_ref().and_then(|file| Some(file.metadata().ok()?.len()));
    let mut walk = Walk { meter: Meter::of(len), entries: 0, notes: Vec::new(), each };
    let input = Box::new(walk.meter.read(source.input));
    // Broken off by who asked.
    let _ = walk.inside("", input, source.file, 0);
    walk.notes
}

/// What is in a file that is no archive, taken out of its compression; `None` of an archive.
///
/// # Errors
/// Where it breaks at its beginning, or is packed too many times.
pub fn plain<'a>(input: Box<dyn Read + 'a>) -> io::Result<Option<Box<dyn Read + 'a>>> {
    let meter = Meter::of(None);
    let mut input: Box<dyn Read + 'a> = Box::new(meter.read(input));
    for _ in 0..=LAYERS {
        let (head, whole) = peek(input)?;
        let Some(packing) = Packing::of(&head) else { return Ok(Some(whole).filter(|_| !is_archive(&head))) };
        input = packing.unpack(whole, &meter);
    }
    Err(too_deep())
}

/// Whether a file that begins so holds others.
fn is_archive(head: &[u8]) -> bool {
    is_zip(head) || is_tar(head)
}

/// What is read of a file to see what it is. No more of a capture than it begins with: what stands there need not wait for
/// what comes later.
fn peek<'a>(mut input: Box<dyn Read + 'a>) -> io::Result<(Vec<u8>, Box<dyn Read + 'a>)> {
    let mut head = Vec::new();
    input.by_ref().take(4).read_to_end(&mut head)?;
    if layout(&head).is_none() && Packing::of(&head).is_none() {
        // Where it breaks in there, whoever reads on is told.
        let _ = input.by_ref().take((TAR_HEAD - head.len()) as u64).read_to_end(&mut head);
    }
    Ok((head.clone(), Box::new(Cursor::new(head).chain(input))))
}

fn layout(head: &[u8]) -> Option<Layout> {
    match *head.first_chunk()? {
        [0x0a, 0x0d, 0x0d, 0x0a] => Some(Layout::Pcapng),
        // Microseconds, nanoseconds, and the "modified" kind.
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] | [0x34, 0xcd, 0xb2, 0xa1] => Some(Layout::Pcap),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] | [0xa1, 0xb2, 0xcd, 0x34] => Some(Layout::Pcap),
        [..] => None,
    }
}

/// A local header, the end of an empty directory, or the mark of one that was made in several pieces (APPNOTE 4.3.7, 4.3.16, 8.5.4).
fn is_zip(head: &[u8]) -> bool {
    matches!(*head, [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..])
}

fn is_tar(head: &[u8]) -> bool {
    head.get(TAR_MAGIC..).is_some_and(|rest| rest.starts_with(b"ustar"))
}

struct Walk<'w> {
    meter: Rc<Meter>,
    entries: usize,
    notes: Vec<String>,
    each: &'w mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
}

impl Walk<'_> {
    /// What is in these bytes, which have this name. `layers` stand around them.
    fn inside(&mut self, name: &str, input: Box<dyn Read + '_>, file: Option<File>, layers: u32) -> ControlFlow<()> {
        let (head, input) = match peek(input) {
            Ok(peeked) => peeked,
            Err(error) => return self.refuse(name, error),
        };
        let packing = Packing::of(&head);
        if layers == LAYERS && (packing.is_some() || is_archive(&head)) {
            return self.refuse(name, too_deep());
        }
        match packing {
            Some(packing) => {
                let input = packing.unpack(input, &self.meter);
                self.inside(name, input, None, layers + 1)
            }
            None if is_zip(&head) => match file.and_then(|file| directory(self.meter.read(file))) {
                Some((archive, limit)) => self.zip(name, archive, &limit, layers + 1),
                None => self.zip_stream(name, input, layers + 1),
            },
            None if is_tar(&head) => self.tar(name, input, layers + 1),
            None => (self.each)(Entry { name, capture: layout(&head), content: Ok(input) }),
        }
    }

    fn refuse(&mut self, name: &str, error: io::Error) -> ControlFlow<()> {
        (self.each)(Entry { name, capture: None, content: Err(error) })
    }

    /// Counts an entry. Breaks where there are too many, or too much came out of them.
    fn count(&mut self, archive: &str) -> ControlFlow<()> {
        self.entries += 1;
        if self.meter.is_bomb() {
            self.note(archive, "it unpacks to thousands of times its size: what follows is not read");
            return ControlFlow::Break(());
        }
        if self.entries > ENTRIES {
            self.note(archive, &format!("only the first {ENTRIES} entries are looked at: unpack it"));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn note(&mut self, archive: &str, says: &str) {
        let of = if archive.is_empty() { String::new() } else { format!("{archive}: ") };
        self.notes.push(format!("{of}{says}"));
    }

    fn zip(&mut self, name: &str, mut archive: Searched, limit: &Limit, layers: u32) -> ControlFlow<()> {
        limit.set(None);
        for place in 0..archive.len() {
            let Ok(entry) = archive.by_index_data(place) else { continue };
            if entry.is_dir() {
                continue;
            }
            self.count(name)?;
            let inner = entry.name().map(|inner| joined(name, &inner)).unwrap_or_default();
            let (is_encrypted, method) = (entry.encrypted(), entry.compression());
            if is_encrypted {
                self.refuse(&inner, io::Error::other(ENCRYPTED))?;
                continue;
            }
            // Its data are what such a file holds: it is known by how they begin.
            let is_file = [CompressionMethod::ZSTD, CompressionMethod::XZ].contains(&method);
            let opened = if is_file { archive.by_index_raw(place) } else { archive.by_index(place) };
            match opened {
                Ok(file) => {
                    let input = self.meter.unpacked("zip", file);
                    self.inside(&inner, input, None, layers)?;
                }
                Err(error) => self.refuse(&inner, zip_error(error))?,
            }
        }
        ControlFlow::Continue(())
    }

    fn zip_stream(&mut self, name: &str, mut input: Box<dyn Read + '_>, layers: u32) -> ControlFlow<()> {
        loop {
            // Where the length stands behind the data they go on to the end of what is packed; no sum is there to be checked.
            let options = ZipReadOptions::new().ignore_encryption_flag(true).ignore_crc32(true);
            let options = options.override_compressed_size(u64::MAX);
            let file = match read_zipfile_from_stream_with_options(&mut input, options) {
                Ok(Some(file)) => file,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => {
                    let says = format!("{}: what follows entry {} is not read", zip_error(error), self.entries);
                    self.note(name, &says);
                    return ControlFlow::Continue(());
                }
            };
            if file.is_dir() {
                continue;
            }
            self.count(name)?;
            let inner = file.name().map(|inner| joined(name, &inner)).unwrap_or_default();
            let has_len = file.compressed_size() != u64::MAX;
            if file.encrypted() {
                self.refuse(&inner, io::Error::other(ENCRYPTED))?;
            } else if !has_len && file.compression() == CompressionMethod::Stored {
                let says = "nothing says how long it is before its end: give the zip as a file";
                self.refuse(&inner, io::Error::other(says))?;
            } else {
                let input = self.meter.unpacked("zip", file);
                self.inside(&inner, input, None, layers)?;
            }
            if !has_len {
                let says = format!(
                    "what follows {inner} is not read: its length stands behind it; give the whole zip as a file"
                );
                self.note(name, &says);
                return ControlFlow::Continue(());
            }
        }
    }

    fn tar(&mut self, name: &str, input: Box<dyn Read + '_>, layers: u32) -> ControlFlow<()> {
        let limit = Limit::default();
        let mut archive = tar::Archive::new(Limited { inner: input, left: Rc::clone(&limit) });
        let Ok(mut entries) = archive.entries() else { return ControlFlow::Continue(()) };
        loop {
            limit.set(Some(HEADERS));
            let next = entries.next();
            limit.set(None);
            let mut entry = match next {
                Some(Ok(entry)) => entry,
                None => return ControlFlow::Continue(()),
                Some(Err(error)) => {
                    self.note(name, &format!("{error}: what follows entry {} is not read", self.entries));
                    return ControlFlow::Continue(());
                }
            };
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            self.count(name)?;
            let inner = joined(name, &String::from_utf8_lossy(&entry.path_bytes()));
            // The holes of a sparse file come out of nothing.
            let is_sparse = kind.is_gnu_sparse();
            let mut input: Box<dyn Read> =
                if is_sparse { self.meter.unpacked("tar", &mut entry) } else { Box::new(&mut entry) };
            if kind.is_file() || kind.is_contiguous() || is_sparse {
                self.inside(&inner, Box::new(&mut input), None, layers)?;
            } else {
                self.refuse(&inner, io::Error::other("it is a link or a device, no file"))?;
            }
            // What is left of it is no header.
            let _breaks_off = io::copy(&mut input, &mut io::sink());
        }
    }
}

fn too_deep() -> io::Error {
    io::Error::other(format!("archives stand in each other, more than {LAYERS} deep: unpack it"))
}

/// "outer.zip/inner.pcapng", of an archive in an archive; of the outermost the name is its file's.
fn joined(archive: &str, inner: &str) -> String {
    let inner = inner.trim_start_matches("./").trim_start_matches('/');
    if archive.is_empty() { inner.to_owned() } else { format!("{archive}/{inner}") }
}

type Searched = ZipArchive<Limited<BufReader<Metered<File>>>>;

/// The directory of a zip, where it has one that is not too long. Its limit is still set.
fn directory(file: Metered<File>) -> Option<(Searched, Limit)> {
    let limit: Limit = Rc::new(Cell::new(Some(DIRECTORY)));
    let input = Limited { inner: BufReader::new(file), left: Rc::clone(&limit) };
    Some((ZipArchive::new(input).ok()?, limit))
}

fn zip_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the zip breaks off")
        }
        ZipError::Io(error) => error,
        ZipError::CompressionMethodNotSupported(method) => {
            io::Error::other(format!("it is packed by method {method}, which is not read here: unpack it"))
        }
        error => io::Error::other(error.to_string()),
    }
}

/// How much may still be read; `None` where it is not limited.
type Limit = Rc<Cell<Option<u64>>>;

/// An input of which no more is read than is allowed at the time.
struct Limited<R> {
    inner: R,
    left: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else { return self.inner.read(into) };
        let len = self.inner.read(into)?;
        let left = left.checked_sub(len as u64).ok_or_else(|| io::Error::other("its headers are too long"))?;
        self.left.set(Some(left));
        Ok(len)
    }
}

impl<R: Seek> Seek for Limited<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests;
