//! Writes a .tar.gz. The only module that names tar.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// An archive whose files are all in one folder, and its owner's alone.
pub struct Archive<W: Write> {
    tar: tar::Builder<GzEncoder<BufWriter<W>>>,
    folder: &'static str,
}

impl<W: Write> Archive<W> {
    /// An archive in this file, which is empty.
    pub fn new(file: W, folder: &'static str) -> Archive<W> {
        Archive { tar: tar::Builder::new(GzEncoder::new(BufWriter::new(file), Compression::default())), folder }
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.add(name, text.len() as u64, text.as_bytes())
    }

    /// Adds a file under this name.
    pub fn file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        // A file that grows meanwhile must not break the archive.
        self.add(name, len, io::Read::take(file, len))
    }

    /// Ends the archive, and gives its file back.
    pub fn finish(self) -> io::Result<W> {
        let file = self.tar.into_inner()?.finish()?;
        file.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn add(&mut self, name: &str, len: u64, data: impl io::Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(len);
        header.set_mode(0o600);
        self.tar.append_data(&mut header, format!("{}/{name}", self.folder), data)
    }
}
