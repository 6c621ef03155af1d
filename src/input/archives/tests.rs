//! The door of archives by itself: what comes out, and that damage, depth and bombs are bounded.

use std::io::Write;
use std::time::{Duration, Instant};

use super::*;

/// Bytes that come at random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// How a capture begins, and some more that is alike and not the same.
fn capture() -> Vec<u8> {
    let magic = [0x0a, 0x0d, 0x0d, 0x0a];
    magic.into_iter().chain((0..20_000_u32).flat_map(|number| (number / 7).to_le_bytes())).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(1));
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).expect("a preset");
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a.pcapng", "b.pcapng"] {
        out.start_file(name, zip::write::SimpleFileOptions::default()).expect("memory");
        out.write_all(bytes).expect("memory");
    }
    out.finish().expect("memory").into_inner()
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for name in ["a.pcapng", "b.pcapng"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        out.append_data(&mut header, name, bytes).expect("memory");
    }
    out.into_inner().expect("memory")
}

/// Names, how many bytes each gave, and why it gave no more.
type Given = Vec<(String, usize, Option<String>)>;

/// What comes out of these bytes, as from a pipe or as from a file.
fn given(bytes: &[u8], file: Option<File>) -> (Given, Vec<String>) {
    let mut given = Given::new();
    let notes = walk(Source { input: Box::new(bytes), file }, &mut |entry| {
        let name = entry.name.to_owned();
        match entry.content {
            Ok(mut content) => {
                let mut out = Vec::new();
                let read = content.read_to_end(&mut out);
                given.push((name, out.len(), read.err().map(|error| error.to_string())));
            }
            Err(error) => given.push((name, 0, Some(error.to_string()))),
        }
        ControlFlow::Continue(())
    });
    (given, notes)
}

/// The same bytes as a file that has no name any more.
fn file(bytes: &[u8]) -> File {
    let path = std::env::temp_dir().join(format!("rdpscope-archive-{}-{:p}", std::process::id(), bytes));
    std::fs::write(&path, bytes).expect("a file");
    let file = File::open(&path).expect("a file");
    std::fs::remove_file(path).expect("a file");
    file
}

/// What packs bytes.
type Pack = fn(&[u8]) -> Vec<u8>;

const PACKED: [Pack; 8] = [gzip, bzip2, lz4, xz, zstd, zip, tar, |bytes| gzip(&tar(bytes))];

#[test]
fn what_was_packed_comes_out() {
    let capture = capture();
    for pack in PACKED {
        let packed = pack(&capture);
        for file in [None, Some(file(&packed))] {
            let (given, notes) = given(&packed, file);
            assert!((1..=2).contains(&given.len()) && notes.is_empty(), "{given:?} {notes:?}");
            assert!(given.iter().all(|(_, len, error)| *len == capture.len() && error.is_none()), "{given:?}");
        }
    }
}

/// Thousands of files that are damaged, each in its own way: nothing panics, nothing takes long, and no more comes out than
/// the little that was put in could hold.
#[test]
fn damage_ends_soon() {
    let capture = capture();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for pack in PACKED {
        let whole = pack(&capture);
        for round in 0..150 {
            let mut bytes = whole.clone();
            if round % 3 == 0 {
                bytes.truncate(random.below(bytes.len()));
            }
            for _ in 0..random.below(6) {
                let place = random.below(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = random.below(256) as u8;
                }
            }
            let began = Instant::now();
            for file in [None, Some(file(&bytes))] {
                let (given, _) = given(&bytes, file);
                assert!(given.iter().map(|(_, len, _)| len).sum::<usize>() < 64 << 20);
            }
            assert!(began.elapsed() < Duration::from_secs(20), "round {round}");
        }
    }
}

/// A byte before its end each of them gives what stands before, as far as its blocks are whole.
#[test]
fn what_breaks_off_gives_what_stands_before() {
    let capture = capture();
    for pack in [gzip, xz, |bytes: &[u8]| gzip(&tar(bytes))] {
        let whole = pack(&capture);
        let mut before = 0;
        for tenth in 1..10 {
            let (given, _) = given(&whole[..whole.len() * tenth / 10], None);
            let len = given.iter().map(|(_, len, _)| len).sum::<usize>();
            assert!(len >= before, "{tenth} tenths: {len} bytes after {before}");
            before = len;
        }
        assert!(before > capture.len() / 2, "{before} bytes of {}", capture.len());
    }
}

#[test]
fn what_unpacks_to_thousands_of_times_its_size_is_refused() {
    // 1.2 GiB of zeros behind a capture's first bytes: members of 16 MiB, packed once more.
    let member = gzip(&vec![0; 16 << 20]);
    let members: Vec<u8> = std::iter::once(gzip(&capture())).chain(vec![member; 75]).flatten().collect();
    let bomb = gzip(&members);
    let mut input = plain(Box::new(&bomb[..])).expect("gzip").expect("no archive");
    let error = io::copy(&mut input, &mut io::sink()).expect_err("too much");
    assert!(error.to_string().contains("it unpacks to more than"), "{error}");
}

/// The names of a tar stand in it, and may be as long as it likes.
#[test]
fn a_name_that_is_too_long_is_no_reason_to_hold_it() {
    let name = vec![b'a'; 4 << 20];
    let mut out = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").expect("a path");
    header.set_size(name.len() as u64);
    header.set_cksum();
    out.append(&header, &name[..]).expect("memory");
    let (given, notes) = given(&gzip(&out.into_inner().expect("memory")), None);
    assert!(given.is_empty() && notes.iter().any(|note| note.contains("headers are too long")), "{given:?} {notes:?}");
}

/// A sparse file says how long its holes are, and needs no byte for it.
#[test]
fn a_sparse_file_is_bounded() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_path("a.pcapng").expect("a path");
    header.set_size(0);
    let gnu = header.as_gnu_mut().expect("GNU");
    gnu.sparse[0].set_offset(1 << 50);
    gnu.sparse[0].set_length(0);
    gnu.set_real_size(1 << 50);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    let (given, _) = given_bounded(&bytes);
    assert!(given.iter().all(|(_, len, _)| *len < 4 << 30), "{given:?}");
}

fn given_bounded(bytes: &[u8]) -> (Given, Vec<String>) {
    let mut given = Given::new();
    let notes = walk(Source { input: Box::new(bytes), file: None }, &mut |entry| {
        let name = entry.name.to_owned();
        if let Ok(mut content) = entry.content {
            let len = io::copy(&mut content, &mut io::sink());
            given.push((name, len.as_ref().map_or(0, |len| *len as usize), len.err().map(|error| error.to_string())));
        }
        ControlFlow::Continue(())
    });
    (given, notes)
}
