//! Recordings whose files are taken away while they are written, and folders in which others put files: what is recorded goes on
//! in another file, through nothing that was planted.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use proxy::lab::{End, Scenario, Session, certificate};
use tokio::runtime::Runtime;

use crate::support::process::{Folder, Outcome, Trouble, need_root, wait_for, with_peers};
use crate::support::program::{Proxy, analyze, program, recordings};

const SOON: Duration = Duration::from_secs(30);
/// Pictures for six seconds.
const LONG: Session = Session { bursts: 60, updates: 8, update_len: 8000, pause_ms: 100 };

fn text(output: &str) -> String {
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(proxy: &Proxy, what: &str) -> Outcome<()> {
    let said = wait_for(SOON, || Ok(text(&proxy.output()).contains(what).then_some(())))?;
    said.ok_or_else(|| Trouble::Failed(format!("it never says {what:?}:\n{}", proxy.output())))
}

/// A healthy session of six seconds, to whose proxy something is done once it is active; what is left of it.
fn disturbed(
    flags: &[&str],
    disturb: impl Fn(&Path, &Proxy) -> Outcome<()> + Sync,
) -> Outcome<(Folder, PathBuf, String)> {
    let runtime = Runtime::new()?;
    let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    scenario.server.session = LONG;
    let server = runtime.block_on(scenario.serve())?;
    let kept = Folder::new()?;
    let out = kept.path().join("out");
    let mut command = Command::new(program());
    command.args(["proxy", "--to", certificate::NAME, "--connect-to", &server.addr.to_string()]).args(flags);
    let proxy = Proxy::run_into(command, &out)?;
    thread::scope(|scope| {
        let playing = scope.spawn(|| runtime.block_on(scenario.connect(([127, 0, 0, 1], proxy.port).into())));
        proxy.wait_active()?;
        disturb(&out, &proxy)?;
        let report = playing.join().expect("the session goes on");
        assert!(matches!(report.end, End::Clean | End::Eof), "{report:?}");
        Ok::<(), Trouble>(())
    })?;
    let output = text(&proxy.finish()?.output);
    assert!(output.contains("connected: active after"), "the verdict is that of all that was seen: {output}");
    Ok((kept, out, output))
}

/// What was recorded from then on can be read, says that its beginning is missing, and blames nobody.
fn is_the_rest(out: &Path) -> Outcome<()> {
    let (code, document) = analyze(&[out.to_owned()])?;
    let says = document.to_string();
    assert_ne!(code, Some(2), "{says}");
    assert!(says.contains("it begins with part "), "{says}");
    let sessions: Vec<_> = document["attempts"].as_array().into_iter().flatten().collect();
    for session in sessions {
        assert!(session["outcome"] != "failed" && session["outcome"] != "broken", "{session:#}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_removed_is_noticed_and_the_recording_goes_on_in_another() -> Outcome<()> {
    let (_kept, out, output) = disturbed(&[], |out, proxy| {
        let file = recordings(out)?.remove(0);
        fs::remove_file(&file)?;
        let since = Instant::now();
        says(proxy, "#1 RECORDING MOVED: ")?;
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        Ok(())
    })?;
    assert!(output.contains("was removed, and what stood in it is gone; it goes on in "), "{output}");
    assert!(output.contains("its recording is not whole: it begins with part 2"), "{output}");
    assert_eq!(recordings(&out)?.len(), 1);
    is_the_rest(&out)
}

#[test]
fn a_folder_that_is_removed_is_made_anew_and_the_recording_goes_on() -> Outcome<()> {
    let (_kept, out, output) = disturbed(&["--rotate", "200kB", "--keep", "20MB"], |out, proxy| {
        wait_for(SOON, || Ok((recordings(out)?.len() > 1).then_some(())))?;
        fs::remove_dir_all(out)?;
        says(proxy, "#1 RECORDING MOVED: ")
    })?;
    assert!(output.contains("was removed, and what stood in it is gone"), "{output}");
    assert_eq!(fs::metadata(&out)?.permissions().mode() & 0o777, 0o700);
    is_the_rest(&out)
}

/// What a rotation of logs does: the file has another name, and is whole.
#[test]
fn a_file_that_is_renamed_is_closed_and_the_recording_goes_on_in_another() -> Outcome<()> {
    let (kept, out, output) = disturbed(&[], |out, proxy| {
        let file = recordings(out)?.remove(0);
        fs::rename(&file, out.with_file_name("away.pcapng"))?;
        says(proxy, "#1 RECORDING MOVED: ")
    })?;
    assert!(output.contains("was renamed, and is closed; it goes on in "), "{output}");
    let (_, before) = analyze(&[kept.path().join("away.pcapng")])?;
    assert!(!before.to_string().contains("it was never closed"), "{before}");
    assert_eq!(before["attempts"][0]["sessions"][0]["facts"]["selected"], "SSL", "{before}");
    is_the_rest(&out)
}

/// Somebody has put a link where the next part is to be: it is not followed, and the recording goes on.
#[test]
fn a_planted_part_is_not_followed_and_stops_nothing() -> Outcome<()> {
    let (kept, out, output) = disturbed(&["--rotate", "600kB"], |out, proxy| {
        let file = recordings(out)?.remove(0);
        let victim = out.with_file_name("victim");
        fs::write(&victim, "untouched")?;
        for part in 2..9 {
            let _written_meanwhile = symlink(&victim, file.with_extension(format!("part{part}.pcapng")));
        }
        says(proxy, "#1 RECORDING MOVED: somebody else has put something where the next part of ")
    })?;
    assert!(!output.contains("RECORDING FAILED"), "{output}");
    assert_eq!(fs::read_to_string(kept.path().join("victim"))?, "untouched");
    let anew: Vec<PathBuf> = recordings(&out)?.into_iter().filter(|file| !file.is_symlink()).collect();
    assert!(anew.len() >= 2, "{anew:?}");
    Ok(())
}

#[test]
fn planted_names_of_recordings_are_passed_over() -> Outcome<()> {
    let folder = Folder::new()?;
    let out = folder.path().join("out");
    fs::create_dir(&out)?;
    let victim = folder.write("victim", "untouched")?;
    for number in 0..40 {
        let name = if number == 0 { "x.pcapng".to_owned() } else { format!("x-{number}.pcapng") };
        match number % 3 {
            0 => symlink(&victim, out.join(name))?,
            1 => fs::hard_link(&victim, out.join(name))?,
            _ => fs::create_dir(out.join(name))?,
        }
    }
    let (file, path) = proxy::record::create(&out, "x")?;
    assert_eq!((file.metadata()?.len(), file.metadata()?.permissions().mode() & 0o777), (0, 0o600));
    assert_eq!(file.metadata()?.ino(), fs::symlink_metadata(&path)?.ino());
    assert!(path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("x-")), "{path:?}");
    assert_eq!(fs::read_to_string(victim)?, "untouched");
    Ok(())
}

/// Who may put files there, and take them away, is told at the start.
#[test]
fn a_folder_that_others_may_write_to_is_told() {
    with_peers("a_folder_that_others_may_write_to_is_told", || {
        need_root("another user")?;
        let kept = Folder::new()?;
        let cases = [
            (0o700, 0, None),
            (0o755, 0, None),
            (0o1777, 0, None),
            (0o777, 0, Some("everybody may put files there and take them away (mode 0777)")),
            (0o770, 0, Some("its group may put files there and take them away (mode 0770)")),
            (0o700, 65534, Some("it belongs to another user (65534)")),
        ];
        for (number, (mode, owner, told)) in cases.into_iter().enumerate() {
            let out = kept.path().join(number.to_string());
            fs::create_dir(&out)?;
            chown(&out, Some(owner), None)?;
            fs::set_permissions(&out, PermissionsExt::from_mode(mode))?;
            let mut command = Command::new(program());
            command.args(["proxy", "--to", "127.0.0.1:9"]);
            let output = text(&Proxy::run_into(command, &out)?.finish()?.output);
            match told {
                Some(told) => assert!(output.contains(told), "{mode:o} {owner}: {output}"),
                None => assert!(!output.contains("warning: the folder"), "{mode:o} {owner}: {output}"),
            }
        }
        Ok(())
    });
}

/// A start removes what is empty and nobody's, and says so.
#[test]
fn empty_files_of_the_dead_are_swept_at_the_start_and_finalized_without_a_word_of_error() -> Outcome<()> {
    let folder = Folder::new()?;
    let out = folder.path().join("out");
    fs::create_dir(&out)?;
    let name = |end: &str| out.join(format!("20240101T000000.000Z-00001{end}"));
    let empty = [name(".pcapng"), name(".part2.pcapng")];
    let kept = [name(".part3.pcapng"), out.join("other.pcapng"), name(".txt")];
    for file in empty.iter().chain(&kept[1..]) {
        fs::write(file, "")?;
    }
    // A part whose header is torn.
    fs::write(&kept[0], [0x0a, 0x0d, 0x0d, 0x0a, 0, 0])?;
    // Another program's, which has just begun it.
    let begun = proxy::record::create(&out, "20240101T000000.000Z-00009")?;
    let mut finalize = Command::new(program());
    let said = finalize.arg("finalize").args(&empty).arg(&kept[0]).output()?;
    let says = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert_eq!(says.matches("empty: nothing was written to it").count(), 2, "{says}");
    assert!(says.contains("torn: it holds 6 bytes, no whole block"), "{says}");
    let mut command = Command::new(program());
    command.args(["proxy", "--to", "127.0.0.1:9"]);
    let output = text(&Proxy::run_into(command, &out)?.finish()?.output);
    assert!(output.contains("2 empty files of recordings that never began were removed"), "{output}");
    assert!(empty.iter().all(|file| !file.exists()));
    assert!(kept.iter().chain([&begun.1]).all(|file| file.exists()));
    Ok(())
}
