//! What recordings may take of the disk (`--keep`): blocks, not lengths; looked at as they are written; the oldest first, and none
//! before an older one. What went is named.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use crate::support::process::{Folder, Outcome, Trouble, wait_for};
use crate::support::program::{Proxy, analyze, program};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// What a recorder holds before it writes.
const WRITE_BEHIND: u64 = 256 << 10;

/// A server that sends as many bytes as it is asked for, as fast as they are taken.
struct Source(SocketAddr);

impl Source {
    fn start() -> Outcome<Source> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || serve(client));
            }
        });
        Ok(Source(address))
    }

    fn proxy(&self, out: &Path, flags: &[&str]) -> Outcome<Proxy> {
        let mut command = Command::new(program());
        command.args(["proxy", "--to", "localhost", "--connect-to", &self.0.to_string()]).args(flags);
        Proxy::run_into(command, out)
    }
}

fn serve(mut client: TcpStream) -> std::io::Result<()> {
    let mut asked = [0; 8];
    client.read_exact(&mut asked)?;
    let (mut left, piece) = (u64::from_be_bytes(asked), vec![b'x'; 32 << 10]);
    while left > 0 {
        let now = left.min(piece.len() as u64);
        client.write_all(&piece[..now as usize])?;
        left -= now;
    }
    Ok(())
}

/// A session of so many bytes, to its end.
fn session(port: u16, bytes: u64) -> Outcome<()> {
    let mut client = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(&bytes.to_be_bytes())?;
    std::io::copy(&mut client, &mut std::io::sink())?;
    Ok(())
}

/// What files of a folder take, and their names in order.
fn taken(folder: &Path) -> (u64, Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return (0, Vec::new()) };
    let files = entries.flatten().filter_map(|entry| {
        let blocks = entry.metadata().ok()?.blocks();
        Some((blocks * 512, entry.file_name().to_string_lossy().into_owned()))
    });
    let (sizes, mut names): (Vec<u64>, Vec<String>) = files.unzip();
    names.sort();
    (sizes.iter().sum(), names)
}

/// Looks at a folder all the time: the most that was taken.
struct Watched {
    most: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
}

impl Watched {
    fn of(folder: &Path) -> Watched {
        let (most, over, folder) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)), folder.to_owned());
        let (seen, end) = (most.clone(), over.clone());
        let looking = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                seen.fetch_max(taken(&folder).0, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
            }
        });
        Watched { most, over, looking: Some(looking) }
    }

    fn most(mut self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.looking.take().into_iter().for_each(|looking| looking.join().expect("it looks"));
        self.most.load(Ordering::Relaxed)
    }
}

fn text(output: &str) -> String {
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(proxy: &Proxy, what: &str) -> Outcome<()> {
    let said = wait_for(SOON, || Ok(text(&proxy.output()).contains(what).then_some(())))?;
    said.ok_or_else(|| Trouble::Failed(format!("it never says {what:?}:\n{}", proxy.output())))
}

/// F1: the one that took all the room went last, and each newer one as soon as it was closed.
#[test]
fn what_keep_has_ended_goes_before_what_is_newer() -> Outcome<()> {
    const KEEP: u64 = 4_000_000;
    let (source, folder) = (Source::start()?, Folder::new()?);
    let out = folder.path().join("out");
    let proxy = source.proxy(&out, &["--keep", "4MB"])?;
    let watched = Watched::of(&out);
    session(proxy.port, 20 << 20)?;
    says(&proxy, "#1 RECORDING FAILED: recordings take more than --keep allows, and none is left to delete")?;
    let flood = taken(&out).1;
    assert_eq!(flood.len(), 1, "it is closed, and stays as long as there is room: {flood:?}");
    let (_, document) = analyze(&[out.join(&flood[0])])?;
    assert!(!document.to_string().contains("it was never closed"), "{document}");
    for _ in 0..6 {
        session(proxy.port, 1000)?;
    }
    says(&proxy, "1 file of old recordings was deleted")?;
    says(&proxy, &flood[0])?;
    let finished = proxy.finish()?;
    let left = taken(&out).1;
    assert_eq!(left.len(), 6, "the newest stay: {left:?}\n{}", finished.output);
    assert!(!left.contains(&flood[0]));
    let most = watched.most();
    assert!(most <= KEEP + WRITE_BEHIND, "{most} B");
    Ok(())
}

/// F2: whatever comes, and however fast.
#[test]
fn the_limit_holds_however_fast_it_is_written() -> Outcome<()> {
    // How many sessions at a time, of how many bytes, and flags.
    let kinds: [(usize, usize, u64, &[&str]); 4] =
        [(1, 1, 40 << 20, &[]), (3, 3, 20 << 20, &[]), (3, 3, 20 << 20, &["--rotate", "500kB"]), (4, 400, 20_000, &[])];
    const KEEP: u64 = 3_000_000;
    for (at_once, count, bytes, flags) in kinds {
        let (source, folder) = (Source::start()?, Folder::new()?);
        let out = folder.path().join("out");
        let proxy = source.proxy(&out, &[&["--keep", "3MB"], flags].concat())?;
        let watched = Watched::of(&out);
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| (0..count / at_once).try_for_each(|_| session(proxy.port, bytes)));
            }
        });
        let output = proxy.finish()?.output;
        let (most, left) = (watched.most(), taken(&out));
        assert!(most <= KEEP + WRITE_BEHIND, "{at_once} x {bytes} {flags:?}: {most} B\n{output}");
        assert!(left.0 > KEEP / 4, "{at_once} x {bytes} {flags:?}: room is used, {} B\n{output}", left.0);
        // One line each half second, however many went.
        assert!(output.matches("old recordings w").count() < 200, "{output}");
    }
    Ok(())
}

/// A long session that is rotated loses its beginning, and what stays can be read.
#[test]
fn the_oldest_parts_of_what_goes_on_make_room() -> Outcome<()> {
    const KEEP: u64 = 3_000_000;
    let (source, folder) = (Source::start()?, Folder::new()?);
    let out = folder.path().join("out");
    let proxy = source.proxy(&out, &["--keep", "3MB", "--rotate", "500kB"])?;
    let watched = Watched::of(&out);
    session(proxy.port, 15 << 20)?;
    says(&proxy, "#1 the oldest parts of its recording were deleted, up to part ")?;
    let finished = proxy.finish()?;
    let most = watched.most();
    assert!(most <= KEEP + WRITE_BEHIND, "{most} B");
    let (_, left) = taken(&out);
    assert!((3..=6).contains(&left.len()) && left.iter().all(|name| name.contains(".part")), "{left:?}");
    assert!(!finished.output.contains("RECORDING FAILED"), "{}", finished.output);
    let output = text(&finished.output);
    assert!(output.contains("it begins with part ") && output.contains("was deleted"), "{output}");
    // A folder is read from what is left, and that is said; nobody is blamed for it.
    let (code, document) = analyze(std::slice::from_ref(&out))?;
    assert!(code != Some(2), "{document}");
    assert!(document.to_string().contains("it begins with part "), "{document}");
    Ok(())
}

fn old_recording(folder: &Path, name: &str, len: usize, age: u64) -> Outcome<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, vec![1; len])?;
    fs::File::options().append(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(age))?;
    Ok(path)
}

/// Lengths say little of what many small files take.
#[test]
fn what_counts_is_blocks() -> Outcome<()> {
    let (source, folder) = (Source::start()?, Folder::new()?);
    let out = folder.path().join("out");
    fs::create_dir(&out)?;
    for number in 0..1_000 {
        old_recording(&out, &format!("20240101T000000.000Z-{number:05}.pcapng"), 100, 3600)?;
    }
    // What holds nothing takes nothing.
    let sparse = out.join("20250101T000000.000Z-00001.pcapng");
    fs::File::create(&sparse)?.set_len(1 << 30)?;
    let proxy = source.proxy(&out, &["--keep", "1MB"])?;
    says(&proxy, "files of old recordings were deleted")?;
    proxy.finish()?;
    let (sum, left) = taken(&out);
    assert!((900_000..=1_000_000).contains(&sum), "{sum} B in {} files", left.len());
    assert!(sparse.exists());
    assert_eq!(left[0], format!("20240101T000000.000Z-{:05}.pcapng", 1_000 - (left.len() - 1)), "the oldest went");
    Ok(())
}

/// What belongs to a recording goes with it, and nothing else does.
#[test]
fn what_stands_beside_a_recording_goes_with_it() -> Outcome<()> {
    let (source, folder) = (Source::start()?, Folder::new()?);
    let out = folder.path().join("out");
    fs::create_dir(&out)?;
    let ends = ["pcapng", "part2.pcapng", "part10.pcapng", "probe.json", "keys", "keylog"];
    let its: Vec<PathBuf> = ends
        .iter()
        .map(|end| old_recording(&out, &format!("20240101T000000.000Z-00001.{end}"), 50_000, 3600))
        .collect::<Outcome<_>>()?;
    let newer = old_recording(&out, "20240101T000000.000Z-00002.pcapng", 50_000, 3600)?;
    let others = [
        old_recording(&out, "20240101T000000.000Z-00001.txt", 50_000, 3600)?,
        old_recording(&out, "20240101-notes.keys", 50_000, 3600)?,
    ];
    let victim = old_recording(folder.path(), "victim", 50_000, 3600)?;
    let link = out.join("20230101T000000.000Z-00001.pcapng");
    std::os::unix::fs::symlink(&victim, &link)?;
    let proxy = source.proxy(&out, &["--keep", "100kB"])?;
    let told = "6 files of old recordings were deleted, 300000 B (--keep): 20240101T000000.000Z-00001.pcapng to \
                20240101T000000.000Z-00001.";
    says(&proxy, told)?;
    proxy.finish()?;
    assert!(its.iter().all(|path| !path.exists()));
    assert!(newer.exists() && victim.exists() && link.is_symlink() && others.iter().all(|path| path.exists()));
    Ok(())
}

/// Each counts what the other writes, and deletes nothing that the other goes on to write.
#[test]
fn two_proxies_in_one_folder_keep_one_limit() -> Outcome<()> {
    const KEEP: u64 = 6_000_000;
    let (source, folder) = (Source::start()?, Folder::new()?);
    let out = folder.path().join("out");
    let flags = ["--keep", "6MB", "--rotate", "300kB"];
    let (one, other) = (source.proxy(&out, &flags)?, source.proxy(&out, &flags)?);
    // A session of the other that goes on, and has little to say.
    let mut quiet = TcpStream::connect(("127.0.0.1", other.port))?;
    let begun = wait_for(SOON, || Ok(taken(&out).1.into_iter().next()))?;
    let quiet_file = out.join(begun.ok_or_else(|| Trouble::Failed("no recording".into()))?);
    let watched = Watched::of(&out);
    thread::scope(|scope| {
        scope.spawn(|| (0..3).try_for_each(|_| session(one.port, 12 << 20)));
        scope.spawn(|| (0..3).try_for_each(|_| session(other.port, 12 << 20)));
    });
    // Where one floods so fast that nothing else is left, the quiet one is ended by its own proxy, which says so.
    let is_kept = quiet_file.exists();
    assert!(is_kept || other.output().contains("#1 RECORDING FAILED"), "{}\n{}", one.output(), other.output());
    quiet.write_all(&5u64.to_be_bytes())?;
    std::io::copy(&mut quiet, &mut std::io::sink())?;
    let (one, other) = (one.finish()?.output, other.finish()?.output);
    let most = watched.most();
    assert!(most <= KEEP + KEEP / 4, "{most} B\n{one}\n{other}");
    assert!(!other.contains("was removed"), "nobody takes away what another writes: {other}");
    if is_kept {
        let (_, document) = analyze(&[quiet_file])?;
        assert!(!document.to_string().contains("it was never closed"), "{document}");
    }
    Ok(())
}
