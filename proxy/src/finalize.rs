//! Puts the secrets of a recording before its first packet: tshark opens only what stands behind them.
//!
//! While a session goes on they are written where they come. When it is over, or when somebody asks, the file is written
//! anew beside itself, block by block, and takes its own place at once: whoever looks finds the old one or the new one.
//! A file that somebody still writes is left alone: what came after would be lost.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use analyzer::secret::Secret;

use crate::record::{DECRYPTION_SECRETS, claim, open_file};
use crate::whole::{For, Whole};

/// So often a file is claimed that another holds.
const PATIENCE: u32 = 20;
/// From one time to the next.
const MOMENT: Duration = Duration::from_millis(10);

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// The last of the types that are numbered from 1 on.
const LAST_NUMBERED: u32 = DECRYPTION_SECRETS;
/// Byte-Order Magic of a Section Header Block.
const MAGIC: u32 = 0x1a2b_3c4d;
/// No block is longer, bytes: one that says so is no block.
const MAX_BLOCK: u32 = 1 << 24;
/// Secrets of one recording, bytes: a session has less than 2 kB.
const MAX_SECRETS: usize = 1 << 26;

/// What was done to a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Blocks of secrets that now stand before the first packet and did not before.
    pub moved: usize,
    /// Bytes at its end that were no whole block, and are gone.
    pub left_off: u64,
    /// Bytes in it, where it was begun and never written on: it is as it was.
    pub torn: Option<u64>,
}

impl Mended {
    /// Whether nothing had to be done, or nothing can be.
    pub fn is_nothing(self) -> bool {
        self == Mended { torn: self.torn, ..Mended::default() }
    }
}

/// Puts the secrets first and leaves off a last block that is not whole. A recording that needs neither is not touched.
///
/// # Errors
/// Where the file is no pcapng, is still being written, is broken elsewhere than at its end, or cannot be written anew with
/// the owner and the permissions that it has: then it is as it was.
pub fn finalize(path: &Path) -> io::Result<Mended> {
    finalize_unless(path, &AtomicBool::new(false))
}

/// The same, as long as `stop` is not set. Then the file is as it was, and there is none beside it.
///
/// # Errors
/// As [`finalize`] does, and where it was stopped.
pub fn finalize_unless(path: &Path, stop: &AtomicBool) -> io::Result<Mended> {
    // What a link leads to is mended: a file in the link's own place would leave the recording as it is.
    let path = fs::canonicalize(path)?;
    let file = open_file(&path)?;
    if !is_ours(&file) {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, "it is still being written"));
    }
    let plan = Plan::of(&mut Blocks::of(&file, stop)?)?;
    if plan.mended.is_nothing() {
        return Ok(plan.mended);
    }
    let anew = write_anew(&plan, Blocks::of(&file, stop)?, &path)?;
    // Windows puts nothing in the place of a file that is open. Elsewhere it is claimed until another has its name.
    let _claimed = (!cfg!(windows)).then_some(file);
    // Whoever has no time left has told so: then the recording stays as it is.
    if stop.load(Ordering::Relaxed) {
        return Err(no_time());
    }
    anew.finish()?;
    Ok(plan.mended)
}

fn no_time() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "there was no time left for it")
}

/// Whether nobody else writes the file. A program that this one has just started holds, for a moment, what this one had open.
fn is_ours(file: &File) -> bool {
    (0..PATIENCE).any(|_| {
        claim(file) || {
            thread::sleep(MOMENT);
            false
        }
    })
}

/// The blocks of a file, one after the other.
struct Blocks<'a> {
    file: &'a File,
    input: BufReader<&'a File>,
    stop: &'a AtomicBool,
    len: u64,
    /// Where the next block begins.
    at: u64,
    is_big_endian: Option<bool>,
}

/// What every block begins with, and the word behind it: the first of its body, or its length once more.
struct Head {
    kind: u32,
    len: u32,
    is_big_endian: bool,
    words: [[u8; 4]; 3],
}

impl Head {
    const LEN: u32 = 12;

    /// Whether packets of a section can stand only behind such a block.
    fn is_preface(&self) -> bool {
        self.kind == SECTION_HEADER || self.kind == INTERFACE_DESCRIPTION
    }

    /// Whether it is a block of secrets: with their type and length, at least.
    fn has_secrets(&self) -> bool {
        self.kind == DECRYPTION_SECRETS && self.len >= Head::LEN + 8
    }
}

impl<'a> Blocks<'a> {
    fn of(file: &'a File, stop: &'a AtomicBool) -> io::Result<Blocks<'a>> {
        let len = file.metadata()?.len();
        let mut input = BufReader::with_capacity(1 << 18, file);
        input.rewind()?;
        Ok(Blocks { file, input, stop, len, at: 0, is_big_endian: None })
    }

    /// The next block's head; `None` at the end, and where the last block is not whole. What is left of the block is to be
    /// read or skipped by then.
    fn next(&mut self) -> io::Result<Option<Head>> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(no_time());
        }
        let left = self.len - self.at;
        if left < u64::from(Head::LEN) {
            return if self.at > 0 || self.is_torn()? { Ok(None) } else { Err(no_capture()) };
        }
        let mut words = [[0; 4]; 3];
        for word in &mut words {
            self.input.read_exact(word)?;
        }
        // What a machine that went down had not written yet may be zeros.
        if words == [[0; 4]; 3] && self.is_blank()? {
            return Ok(None);
        }
        let is_big_endian = match (words[0] == SECTION_HEADER.to_be_bytes(), self.is_big_endian) {
            (true, _) if words[2] == MAGIC.to_be_bytes() => true,
            (true, _) if words[2] == MAGIC.to_le_bytes() => false,
            (false, Some(known)) => known,
            (true, _) | (false, None) => return Err(no_capture()),
        };
        let number = |word| if is_big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
        let (kind, len) = (number(words[0]), number(words[1]));
        if !(Head::LEN..=MAX_BLOCK).contains(&len) || len % 4 != 0 {
            return Err(self.broken(len));
        }
        if u64::from(len) > left {
            return if self.has_block(is_big_endian)? { Err(self.broken(len)) } else { Ok(None) };
        }
        self.at += u64::from(len);
        self.is_big_endian = Some(is_big_endian);
        Ok(Some(Head { kind, len, is_big_endian, words }))
    }

    /// Whether what there is, less than a head, is how a pcapng begins: nothing, too.
    fn is_torn(&mut self) -> io::Result<bool> {
        let mut begun = Vec::new();
        self.input.read_to_end(&mut begun)?;
        Ok(begun.iter().zip(SECTION_HEADER.to_be_bytes()).all(|(byte, begins)| *byte == begins))
    }

    /// Whether nothing but zeros is left.
    fn is_blank(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 1 << 12];
        loop {
            match self.input.read(&mut chunk)? {
                0 => return Ok(true),
                len if chunk[..len].iter().any(|byte| *byte != 0) => return Ok(false),
                _ => {}
            }
        }
    }

    fn broken(&self, len: u32) -> io::Error {
        wrong(&format!("expected a block at byte {}, found a length of {len}", self.at))
    }

    /// Whether a whole block stands in what is left, behind a head: then it is that head which is wrong, and not a last block
    /// that is cut. No more is left than one block can have.
    fn has_block(&mut self, is_big_endian: bool) -> io::Result<bool> {
        let mut rest = Vec::new();
        self.input.read_to_end(&mut rest)?;
        let rest = Secret::new(rest);
        Ok((0..rest.len()).step_by(4).any(|at| is_block(&rest[at..], is_big_endian)))
    }

    fn skip(&mut self, head: &Head) -> io::Result<()> {
        self.input.seek_relative(i64::from(head.len - Head::LEN))
    }

    fn copy(&mut self, head: &Head, out: &mut impl Write) -> io::Result<()> {
        out.write_all(head.words.as_flattened())?;
        let rest = u64::from(head.len - Head::LEN);
        let copied = io::copy(&mut (&mut self.input).take(rest), out)?;
        if copied == rest { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// What stands between the lengths of a block.
    fn body(&mut self, head: &Head) -> io::Result<Secret> {
        let mut rest = vec![0; (head.len - Head::LEN) as usize];
        self.input.read_exact(&mut rest)?;
        let mut body = Secret::new(head.words[2].to_vec());
        body.extend(&rest[..rest.len().saturating_sub(4)]);
        drop(Secret::new(rest));
        Ok(body)
    }
}

/// Whether these bytes begin with a whole block of a type that there is.
fn is_block(bytes: &[u8], is_big_endian: bool) -> bool {
    let number = |at: usize| {
        let word = bytes.get(at..)?.first_chunk()?;
        Some(if is_big_endian { u32::from_be_bytes(*word) } else { u32::from_le_bytes(*word) })
    };
    let is_kind = |kind| kind == SECTION_HEADER || (1..=LAST_NUMBERED).contains(&kind);
    let len = number(4).filter(|len| (Head::LEN..=MAX_BLOCK).contains(len) && len % 4 == 0);
    number(0).is_some_and(is_kind) && len.is_some_and(|len| number(len as usize - 4) == Some(len))
}

/// What a first reading finds.
#[derive(Default)]
struct Plan {
    mended: Mended,
    /// Bodies of the blocks of secrets, each once, in the order of the file and in the byte order of its beginning.
    secrets: Vec<Secret>,
    is_big_endian: bool,
}

impl Plan {
    fn of(blocks: &mut Blocks<'_>) -> io::Result<Plan> {
        let mut plan = Plan::default();
        let (mut is_begun, mut has_packets) = (false, false);
        while let Some(head) = blocks.next()? {
            if !std::mem::replace(&mut is_begun, true) {
                plan.is_big_endian = head.is_big_endian;
            }
            if head.has_secrets() {
                plan.mended.moved += usize::from(has_packets);
                plan.keep(&head, blocks.body(&head)?)?;
            } else {
                has_packets |= !head.is_preface();
                blocks.skip(&head)?;
            }
        }
        match is_begun {
            true => plan.mended.left_off = blocks.len - blocks.at,
            false => plan.mended.torn = Some(blocks.len),
        }
        Ok(plan)
    }

    fn keep(&mut self, head: &Head, body: Secret) -> io::Result<()> {
        let body = if head.is_big_endian == self.is_big_endian { body } else { turned(&body) };
        if self.secrets.iter().map(|secret| secret.len()).sum::<usize>() + body.len() > MAX_SECRETS {
            return Err(wrong("expected the secrets of one recording, found too many"));
        }
        if !self.secrets.contains(&body) {
            self.secrets.push(body);
        }
        Ok(())
    }

    fn write_secrets(&self, out: &mut impl Write) -> io::Result<()> {
        let word = |number: u32| if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        for body in &self.secrets {
            let len = word(body.len() as u32 + Head::LEN);
            for part in [&word(DECRYPTION_SECRETS)[..], &len, body, &len] {
                out.write_all(part)?;
            }
        }
        Ok(())
    }
}

/// The body of a block of secrets with its two numbers, type and length, in the other byte order.
fn turned(body: &[u8]) -> Secret {
    let mut turned = body.to_vec();
    turned.chunks_exact_mut(4).take(2).for_each(<[u8]>::reverse);
    Secret::new(turned)
}

fn write_anew(plan: &Plan, mut blocks: Blocks<'_>, path: &Path) -> io::Result<Whole> {
    let anew = Whole::create(path, For::Owner, true)?;
    let before = blocks.file.metadata()?;
    if let Some(file) = anew.file() {
        keep_owner(file, &before)?;
        file.set_permissions(before.permissions())?;
    }
    let mut out = BufWriter::with_capacity(1 << 18, anew);
    let mut are_written = false;
    while let Some(head) = blocks.next()? {
        if !head.is_preface() && !std::mem::replace(&mut are_written, true) {
            plan.write_secrets(&mut out)?;
        }
        if head.has_secrets() { blocks.skip(&head)? } else { blocks.copy(&head, &mut out)? }
    }
    let anew = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    anew.file().map_or(Ok(()), File::sync_all)?;
    Ok(anew)
}

/// Whoever mends another's recording must not make it his own.
#[cfg(unix)]
fn keep_owner(file: &File, before: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    let kept = fchown(file, Some(before.uid()), Some(before.gid()));
    kept.map_err(|error| io::Error::new(error.kind(), format!("its owner could not be kept: {error}")))
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _before: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn no_capture() -> io::Error {
    wrong("expected a pcapng file, found something else")
}

fn wrong(says: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, says)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A file of blocks: their types and bodies.
    fn file(is_big_endian: bool, blocks: &[(u32, &[u8])]) -> Vec<u8> {
        let word = |number: u32| if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        let magic = word(MAGIC).to_vec();
        let all = [(SECTION_HEADER, &magic[..])].into_iter().chain(blocks.iter().copied());
        all.flat_map(|(kind, body)| {
            let len = word(body.len() as u32 + 12);
            [&word(kind)[..], &len, body, &len].concat()
        })
        .collect()
    }

    /// A folder of its own.
    fn folder() -> PathBuf {
        use std::sync::atomic::AtomicU32;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rdpscope-finalize-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// What becomes of a file with these bytes. Nothing may stand beside it afterwards.
    fn mend_unless(before: &[u8], stop: bool) -> (io::Result<Mended>, Vec<u8>) {
        let folder = folder();
        let path = folder.join("a.pcapng");
        fs::write(&path, before).unwrap();
        let mended = finalize_unless(&path, &AtomicBool::new(stop));
        let after = fs::read(&path).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
        (mended, after)
    }

    fn mend(before: &[u8]) -> (io::Result<Mended>, Vec<u8>) {
        mend_unless(before, false)
    }

    fn scattered() -> Vec<u8> {
        file(true, &[INTERFACE, PACKET, ONE, PACKET])
    }

    const INTERFACE: (u32, &[u8]) = (INTERFACE_DESCRIPTION, b"link");
    const PACKET: (u32, &[u8]) = (6, b"a packet");
    const ONE: (u32, &[u8]) = (DECRYPTION_SECRETS, b"TLSK....one.");
    const TWO: (u32, &[u8]) = (DECRYPTION_SECRETS, b"TLSK....two.");

    #[test]
    fn secrets_come_first_each_once_and_nothing_else_moves() {
        for is_big_endian in [true, false] {
            let scattered = file(is_big_endian, &[INTERFACE, ONE, PACKET, TWO, (5, &[]), ONE, PACKET]);
            let expected = file(is_big_endian, &[INTERFACE, ONE, TWO, PACKET, (5, &[]), PACKET]);
            let (mended, after) = mend(&scattered);
            assert_eq!((mended.unwrap(), &after), (Mended { moved: 2, ..Mended::default() }, &expected));
            let (again, unchanged) = mend(&after);
            assert_eq!(
                (again.unwrap(), unchanged),
                (Mended::default(), expected),
                "a second time nothing is left to do"
            );
        }
    }

    /// A further connection's interfaces come when it does.
    #[test]
    fn interfaces_among_packets_stay_where_they_are() {
        const SECOND: (u32, &[u8]) = (INTERFACE_DESCRIPTION, b"more");
        let scattered = file(true, &[INTERFACE, PACKET, SECOND, ONE, PACKET, SECOND, TWO, PACKET]);
        let expected = file(true, &[INTERFACE, ONE, TWO, PACKET, SECOND, PACKET, SECOND, PACKET]);
        let (mended, after) = mend(&scattered);
        assert_eq!((mended.unwrap(), after), (Mended { moved: 2, ..Mended::default() }, expected));
    }

    #[test]
    fn a_file_cut_anywhere_keeps_every_whole_block() {
        let whole = file(true, &[INTERFACE, PACKET, ONE, PACKET]);
        for len in 16..whole.len() {
            let (mended, after) = mend(&whole[..len]);
            let mended = mended.unwrap();
            assert_eq!(after.len() as u64 + mended.left_off, len as u64, "cut at {len}");
            assert_eq!(mend(&after).0.unwrap(), Mended::default(), "cut at {len}");
        }
    }

    #[test]
    fn what_is_broken_elsewhere_is_left_alone() {
        let mut broken = file(false, &[INTERFACE, PACKET, ONE, PACKET]);
        broken[16 + 4] = 13;
        let mut too_long = file(false, &[INTERFACE, PACKET, ONE, PACKET]);
        too_long[32 + 5] = 16;
        let too_long_and_cut = too_long[..too_long.len() - 3].to_vec();
        for file in [broken, too_long, too_long_and_cut, b"GET / HTTP/1.1\r\n".to_vec(), b"GET".to_vec()] {
            let (mended, after) = mend(&file);
            assert!(mended.is_err());
            assert_eq!(after, file);
        }
    }

    /// A full disk, or a program that was killed, leaves them.
    #[test]
    fn what_was_begun_and_never_written_on_is_no_error() {
        let whole = file(true, &[INTERFACE]);
        for len in 0..16 {
            let (mended, after) = mend(&whole[..len]);
            assert_eq!((mended.unwrap().torn, after.len()), (Some(len as u64), len));
        }
        assert_eq!(mend(&whole[..16]).0.unwrap(), Mended::default());
        assert_eq!(mend(&[0; 4096]).0.unwrap().torn, Some(4096));
        let (mended, after) = mend(&[&whole[..], &[0; 4096]].concat());
        assert_eq!((mended.unwrap(), after), (Mended { left_off: 4096, ..Mended::default() }, whole.clone()));
        let late = [&[0; 4096][..], &whole].concat();
        assert!(mend(&late).0.is_err(), "something stands behind the zeros");
    }

    #[test]
    fn what_is_stopped_leaves_nothing_behind() {
        let (mended, after) = mend_unless(&scattered(), true);
        assert_eq!(mended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(after, scattered());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_still_written_is_left_alone() {
        let folder = folder();
        let (mut output, path) = crate::record::create(&folder, "a").unwrap();
        output.write_all(&scattered()).unwrap();
        assert_eq!(finalize(&path).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert_eq!(fs::read(&path).unwrap(), scattered());
        drop(output);
        assert_eq!(finalize(&path).unwrap().moved, 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_what_is_no_file_is_refused() {
        let folder = folder();
        let (path, link, pipe) = (folder.join("a.pcapng"), folder.join("link"), folder.join("pipe"));
        fs::write(&path, scattered()).unwrap();
        std::os::unix::fs::symlink("a.pcapng", &link).unwrap();
        assert_eq!(finalize(&link).unwrap().moved, 1);
        assert!(link.is_symlink());
        assert_eq!(finalize(&path).unwrap(), Mended::default());
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for none in [&folder, &pipe] {
            assert_eq!(finalize(none).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Only root can give a file away.
    #[cfg(unix)]
    #[test]
    fn its_owner_keeps_it() {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = folder();
        let path = folder.join("a.pcapng");
        fs::write(&path, scattered()).unwrap();
        let (owner, group) = if chown(&path, Some(12_345), Some(54_321)).is_ok() {
            (12_345, 54_321)
        } else {
            let own = fs::metadata(&path).unwrap();
            (own.uid(), own.gid())
        };
        assert_eq!(finalize(&path).unwrap().moved, 1);
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid()), (owner, group));
        fs::remove_dir_all(&folder).unwrap();
    }
}
