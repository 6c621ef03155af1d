//! `rdpscope bundle`: what somebody else needs to look into it, in one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use analyzer::attempt::{self, Diagnosed};
use analyzer::reading::{Known, ReadError};
use analyzer::report::json::Notice;
use analyzer::report::{html, json};
use analyzer::time::Timestamp;
use anyhow::{Context, bail};
use proxy::record;
use proxy::whole::{self, Whole};

use super::{analyze, create, print, redact, talk, why, wrote};
use crate::archive::Archive;
use crate::cli::Bundle;
use crate::input;
use analyzer::count::counted;
use proxy::named::Named;

/// The folder in the archive.
const FOLDER: &str = "rdpscope-bundle";

pub fn run(args: &Bundle) -> anyhow::Result<u8> {
    let name = args.output.to_string_lossy().to_ascii_lowercase();
    if !name.ends_with(".tar.gz") && !name.ends_with(".tgz") {
        bail!("expected a name that ends in .tar.gz, found {}", args.output.named());
    }
    wrote(&args.output, whole::check(&args.output, args.force))?;
    let scratch = Scratch::beside(&args.output)?;
    let (parts, left_out) = parts(args, &scratch.0)?;
    let mut archive = Archive::new(create(&args.output, args.force)?, FOLDER);
    pack(&mut archive, &parts).with_context(|| format!("cannot write {}", args.output.named()))?;
    wrote(&args.output, archive.finish().and_then(Whole::finish))?;
    for part in &parts {
        print(&part.told)?;
    }
    print(&format!(
        "{}: {}, report.html, report.json, system.txt\n",
        args.output.named(),
        counted(parts.len(), "file")
    ))?;
    Ok(if left_out > 0 { 2 } else { u8::from(parts.iter().any(|part| !part.is_same)) })
}

/// Every recording that is to be packed, and how many of a folder could not be. What was named by itself must be there.
fn parts(args: &Bundle, scratch: &Path) -> anyhow::Result<(Vec<Part>, usize)> {
    let (mut parts, mut left_out) = (Vec::new(), 0);
    for input in &args.inputs {
        let is_folder = input.is_dir();
        let output = fs::canonicalize(&args.output).ok();
        let is_other = |file: &PathBuf| output.is_none() || fs::canonicalize(file).ok() != output;
        let files: Vec<PathBuf> =
            input::files(input).into_iter().filter(|file| !is_folder || file != input && is_other(file)).collect();
        if files.is_empty() {
            bail!("no recording in {}", input.named());
        }
        for file in files {
            if let Some(why) = input::not_file(&file).filter(|_| is_folder) {
                talk(&format!("note: {}: passed over: {why}", file.named()));
                continue;
            }
            match part(args, &file, parts.len() + 1, scratch) {
                Ok(part) => parts.push(part),
                Err(error) if is_folder && is_nothing(&error) => talk(&format!("note: passed over: {error:#}")),
                Err(error) if is_folder => {
                    talk(&format!("error: left out: {}", why(&error)));
                    left_out += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
    if parts.is_empty() {
        bail!("none of these can be packed");
    }
    Ok((parts, left_out))
}

/// Whether nothing was written to a file: a full disk, or a program that was killed, leaves such.
fn is_nothing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ReadError::Empty | ReadError::Torn(_)))
}

/// A recording in the archive.
struct Part {
    name: String,
    path: PathBuf,
    sessions: Vec<Diagnosed>,
    notices: Vec<Notice>,
    told: String,
    /// Whether its verdict is that of the recording it was made from.
    is_same: bool,
}

/// A redacted recording has a number for a name: the file's own may be that of a host. So the reports are of what is packed.
fn part(args: &Bundle, input: &Path, number: usize, scratch: &Path) -> anyhow::Result<Part> {
    if args.as_is {
        let file = input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("{number}-{file}");
        let told = format!("{}: as it is, with names, payload and secrets\n", input.named());
        let (sessions, notices) = sessions(args, input, &name)?;
        return Ok(Part { name, path: input.to_owned(), sessions, notices, told, is_same: true });
    }
    let name = format!("recording-{number}.pcapng");
    let path = scratch.join(&name);
    let redacted = redact::write(input, &path, false)
        .with_context(|| format!("{} cannot be made fit to be shared", input.named()))?;
    let (told, is_same) = (redact::told(&redacted, input, Path::new(&name)), redact::is_same(&redacted));
    let (sessions, notices) = sessions(args, &path, &name)?;
    Ok(Part { name, path, sessions, notices, told, is_same })
}

fn sessions(args: &Bundle, path: &Path, name: &str) -> anyhow::Result<(Vec<Diagnosed>, Vec<Notice>)> {
    let mut sessions = Vec::new();
    let mut take = |session: Diagnosed| sessions.push(Diagnosed { file: Some(name.to_owned()), ..session });
    let known = Known { meant: args.endpoints.meant(), ..Known::default() };
    let said = analyze::each_session(&known, &[path.to_owned()], &mut take);
    if said.is_unreadable {
        bail!("{} cannot be read", path.named());
    }
    // By the name in the archive: the file's own may be that of a host.
    let named = |notice: Notice| Notice { file: Some(name.to_owned()), ..notice };
    Ok((sessions, said.notices.into_iter().map(named).collect()))
}

fn pack(archive: &mut Archive<Whole>, parts: &[Part]) -> anyhow::Result<()> {
    for part in parts {
        for path in record::parts(&part.path) {
            // Further parts are found by the names that they have.
            let [own, first] = [&path, &part.path].map(|path| path.file_name().unwrap_or_default().to_string_lossy());
            archive.file(&part.name.replacen(&*first, &own, 1), &path)?;
        }
    }
    let attempts = attempt::group(parts.iter().flat_map(|part| part.sessions.iter().cloned()).collect());
    archive.text("report.html", &html::page(env!("CARGO_PKG_VERSION"), &attempts))?;
    let notices: Vec<Notice> = parts.iter().flat_map(|part| part.notices.iter().cloned()).collect();
    let document = json::document_noting(env!("CARGO_PKG_VERSION"), &attempts, &notices);
    archive.text("report.json", &(document + "\n"))?;
    archive.text("system.txt", &system())?;
    Ok(())
}

/// What this is run on: no host and no user.
fn system() -> String {
    let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    let release = read("/etc/os-release").unwrap_or_default();
    let pretty = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        "rdpscope  {}\nsystem    {} {}\nrelease   {}\nkernel    {}\nmade      {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        pretty.unwrap_or("unknown"),
        read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".into()),
        Timestamp::at(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
    )
}

/// A folder of this run's own, gone when it is over.
struct Scratch(PathBuf);

impl Scratch {
    /// Beside the archive: what has room for that has room for this.
    fn beside(output: &Path) -> anyhow::Result<Scratch> {
        wrote(output, whole::folder_beside(output)).map(Scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
