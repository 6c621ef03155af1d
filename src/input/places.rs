//! Which files are meant by a name on the command line: a file, the captures in a folder, one capture in an archive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use proxy::record;

/// How files are named that a folder is searched for.
const EXTENSIONS: [&str; 9] = ["pcapng", "pcap", "cap", "gz", "zst", "xz", "lz4", "bz2", "zip"];

/// A file that is meant.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub path: PathBuf,
    /// Whether it was found in a folder, and nobody named it.
    pub is_found: bool,
}

/// A file as it is, a folder as the captures in it, in the order of their names.
pub fn places(input: &Path) -> Vec<Place> {
    let named = || vec![Place { path: input.to_owned(), is_found: false }];
    if !input.is_dir() {
        return named();
    }
    let captures = || -> io::Result<Vec<PathBuf>> {
        let paths = fs::read_dir(input)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
        let extension = |path: &PathBuf| path.extension().and_then(|extension| extension.to_str()).map(str::to_owned);
        let is_capture = |path: &PathBuf| extension(path).is_some_and(|found| EXTENSIONS.contains(&found.as_str()));
        let is_whole = |path: &PathBuf| is_capture(path) && !record::is_further_part(path);
        let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_whole).collect();
        paths.sort();
        Ok(paths)
    };
    // A folder that cannot be read is told as a file that cannot.
    captures().map_or_else(|_| named(), |paths| paths.into_iter().map(|path| Place { path, is_found: true }).collect())
}

/// Why a name in a folder is no file: it is passed over with a word.
pub fn not_file(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(found) => record::not_file(&found).map(|what| format!("it is {what}, no file")),
        Err(_) if path.is_symlink() => Some("it is a link that leads to no file".to_owned()),
        // Whoever opens it is told.
        Err(_) => None,
    }
}

/// Opens a file: what was found must be one, and what was named may be a pipe.
pub fn open(place: &Place) -> io::Result<File> {
    if place.is_found || place.path.is_file() { record::open_file(&place.path) } else { File::open(&place.path) }
}

/// The file and the name of what is meant in it, of "ticket.zip/inner.pcapng".
pub fn split(path: &Path) -> (PathBuf, Option<String>) {
    let is_missing = fs::metadata(path).is_err();
    let around = path.ancestors().skip(1).find(|around| is_missing && around.is_file());
    let inner = around.and_then(|around| Some((around, path.strip_prefix(around).ok()?)));
    match inner {
        Some((around, inner)) => (around.to_owned(), Some(inner.to_string_lossy().replace('\\', "/"))),
        None => (path.to_owned(), None),
    }
}
