//! What people pack captures in, made here: gzip, zstd, xz, lz4 and bzip2, zip and tar.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A name, and what packs bytes so.
pub type Packing = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Every compression that is read.
pub const PACKINGS: [Packing; 7] = [
    ("gzip", gzip),
    ("zstd", zstd),
    ("zstd behind what is to be skipped", skipped_zstd),
    ("xz", xz),
    ("lz4", lz4),
    ("lz4 as it was first", legacy_lz4),
    ("bzip2", bzip2),
];

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// As pzstd writes it: a frame that is skipped before each.
fn skipped_zstd(bytes: &[u8]) -> Vec<u8> {
    [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4], &zstd(bytes)[..]].concat()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).expect("a preset");
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

pub fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn legacy_lz4(bytes: &[u8]) -> Vec<u8> {
    let legacy = lz4_flex::frame::FrameInfo::new().legacy_frame(true);
    let mut out = lz4_flex::frame::FrameEncoder::with_frame_info(legacy, Vec::new());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

/// A name in an archive, and what stands under it.
pub type File<'a> = (&'a str, &'a [u8]);

fn fill<W: Write + std::io::Seek>(mut out: ZipWriter<W>, files: &[File<'_>], how: SimpleFileOptions) -> W {
    for (name, bytes) in files {
        if name.ends_with('/') {
            out.add_directory(*name, how).expect("memory");
        } else {
            out.start_file(*name, how).expect("memory");
            out.write_all(bytes).expect("memory");
        }
    }
    out.finish().expect("memory")
}

fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated)
}

/// A zip as most programs write it.
pub fn zip(files: &[File<'_>]) -> Vec<u8> {
    fill(ZipWriter::new(Cursor::new(Vec::new())), files, deflated()).into_inner()
}

/// One whose files are not compressed.
pub fn stored_zip(files: &[File<'_>]) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    fill(ZipWriter::new(Cursor::new(Vec::new())), files, stored).into_inner()
}

/// One that was written into a pipe: lengths stand behind what they are of.
pub fn streamed_zip(files: &[File<'_>]) -> Vec<u8> {
    fill(ZipWriter::new_stream(Vec::new()), files, deflated()).into_inner()
}

/// One whose files say that they are encrypted (APPNOTE 4.4.4, bit 0).
pub fn encrypted_zip(files: &[File<'_>]) -> Vec<u8> {
    let mut bytes = zip(files);
    for place in 0..bytes.len() - 10 {
        match bytes[place..place + 4] {
            [b'P', b'K', 3, 4] => bytes[place + 6] |= 1,
            [b'P', b'K', 1, 2] => bytes[place + 8] |= 1,
            _ => {}
        }
    }
    bytes
}

pub fn tar(files: &[File<'_>]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        out.append_data(&mut header, name, *bytes).expect("memory");
    }
    out.into_inner().expect("memory")
}
