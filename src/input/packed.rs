//! Takes bytes out of their compression as they come: gzip, zstd, xz, lz4 and bzip2, of any number of members each. The
//! content tells which it is. The only module that names the crates that can.
//!
//! What is held is bounded: no window is larger than [`WINDOW`], and what unpacks to thousands of times its size is refused.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use lzma_rust2::{Action, Status, XzStream};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What is read of a packed file at once, bytes.
const BUFFER: usize = 1 << 16;
/// The largest window or dictionary that is held, bytes: more than `xz -9` and what `zstd --long` takes.
const WINDOW: u64 = 128 << 20;
/// So much may come out of any file, bytes, and beyond that so many times of what was read of it. No packets are packed as
/// tightly.
const ALWAYS: u64 = 1 << 30;
const TIMES: u64 = 2_000;

/// What a file is packed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Zstd,
    Xz,
    Lz4,
    Bzip2,
}

impl Packing {
    /// By how it begins.
    pub fn of(head: &[u8]) -> Option<Packing> {
        match *head {
            [0x1f, 0x8b, ..] => Some(Packing::Gzip),
            // A frame may stand behind some that are to be skipped, as pzstd writes them.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
            [0xfd, b'7', b'z', b'X', ..] => Some(Packing::Xz),
            // Also the legacy frame, of the program's first versions and of Linux's kernels.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Packing::Lz4),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Packing::Bzip2),
            [..] => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Xz => "xz",
            Packing::Lz4 => "lz4",
            Packing::Bzip2 => "bzip2",
        }
    }

    /// What comes out of such bytes.
    pub fn unpack<'a>(self, input: Box<dyn Read + 'a>, meter: &Rc<Meter>) -> Box<dyn Read + 'a> {
        let input = BufReader::with_capacity(BUFFER, input);
        let inner: Box<dyn Read + 'a> = match self {
            Packing::Gzip => Box::new(MultiGzDecoder::new(input)),
            Packing::Zstd => {
                let mut decoder = FrameDecoder::new();
                decoder.set_max_window_size(WINDOW);
                Box::new(Zstd { input, decoder })
            }
            Packing::Xz => Box::new(Xz { input, stream: XzStream::new_mem_limit(true, (WINDOW >> 10) as u32) }),
            Packing::Lz4 => Box::new(Lz4(Lz4Decoder::new(input))),
            Packing::Bzip2 => Box::new(MultiBzDecoder::new(input)),
        };
        Box::new(Unpacked { name: self.name(), inner, meter: Rc::clone(meter) })
    }
}

/// How much was read of a file and how much came out of all that is packed in it, bytes.
#[derive(Debug, Default)]
pub struct Meter {
    read: Cell<u64>,
    out: Cell<u64>,
    /// The file's own length, where it is known: parts of a file may be read again and again.
    len: Option<u64>,
}

impl Meter {
    /// Of a file of this length, if it has one.
    pub fn of(len: Option<u64>) -> Rc<Meter> {
        Rc::new(Meter { len, ..Meter::default() })
    }

    /// Counts what is read of the file.
    pub fn read<R>(self: &Rc<Meter>, input: R) -> Metered<R> {
        Metered { inner: input, meter: Rc::clone(self) }
    }

    /// Counts what comes out of an archive, which its own decoder unpacks.
    pub fn unpacked<'a>(self: &Rc<Meter>, name: &'static str, input: impl Read + 'a) -> Box<dyn Read + 'a> {
        Box::new(Unpacked { name, inner: Box::new(input), meter: Rc::clone(self) })
    }

    /// Whether more came out than can be packets.
    pub fn is_bomb(&self) -> bool {
        let read = self.len.map_or(self.read.get(), |len| len.min(self.read.get()));
        self.out.get() > ALWAYS && self.out.get() / TIMES > read
    }
}

/// What is read of a file, counted.
pub struct Metered<R> {
    inner: R,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(into)?;
        self.meter.read.set(self.meter.read.get() + len as u64);
        Ok(len)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// What comes out, with errors that say of what.
struct Unpacked<'a> {
    name: &'static str,
    inner: Box<dyn Read + 'a>,
    meter: Rc<Meter>,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.meter.is_bomb() {
            let says = format!("it unpacks to more than {TIMES} times its size: give it unpacked if it is no bomb");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, says));
        }
        match self.inner.read(into) {
            Ok(len) => {
                self.meter.out.set(self.meter.out.get() + len as u64);
                Ok(len)
            }
            Err(error) => Err(io::Error::new(error.kind(), says(self.name, &error))),
        }
    }
}

fn says(name: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("the {name} data break off"),
        io::ErrorKind::OutOfMemory => {
            format!("the {name} data need a window of more than {} MiB: give it unpacked", WINDOW >> 20)
        }
        io::ErrorKind::QuotaExceeded => error.to_string(),
        io::ErrorKind::Unsupported => format!("{error}: unpack it"),
        _ => format!("the {name} data are broken: {error}"),
    }
}

/// Frames of zstd, one behind the other, and what is to be skipped between them.
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 || into.is_empty() {
                return self.decoder.read(into);
            }
            if !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, one).map_err(zstd_error)?;
            } else if self.input.fill_buf()?.is_empty() {
                return Ok(0);
            } else {
                self.begin()?;
            }
        }
    }
}

impl<R: BufRead> Zstd<R> {
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.input) {
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                io::copy(&mut self.input.by_ref().take(length.into()), &mut io::sink()).map(|_| ())
            }
            begun => begun.map_err(zstd_error),
        }
    }
}

/// The decoder tells in an error of its own that the input is over.
fn zstd_error(error: FrameDecoderError) -> io::Error {
    if let FrameDecoderError::WindowSizeTooBig { .. } = error {
        return io::ErrorKind::OutOfMemory.into();
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(this) = cause {
        if this.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return io::ErrorKind::UnexpectedEof.into();
        }
        cause = this.source();
    }
    io::Error::other(error)
}

/// Streams of xz, one behind the other, byte by byte: what stands before a place where they break is given.
struct Xz<R> {
    input: R,
    stream: XzStream,
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.input.fill_buf()?;
            let is_over = input.is_empty();
            let action = if is_over { Action::Finish } else { Action::Run };
            let done = self.stream.process(input, into, action)?;
            self.input.consume(done.bytes_consumed);
            if done.bytes_produced > 0 || done.status == Status::StreamEnd {
                return Ok(done.bytes_produced);
            }
            if is_over || done.bytes_consumed == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Frames of lz4, one behind the other: the decoder stops behind each.
struct Lz4<R: Read>(Lz4Decoder<R>);

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.0.read(into)?;
            if len > 0 || into.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(len);
            }
        }
    }
}
