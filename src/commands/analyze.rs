//! `rdpscope analyze`: says what became of recorded sessions.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use analyzer::analysis::Analysis;
use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::capture::recording;
use analyzer::report::{json, text};
use anyhow::Context;

use super::{exit_code, print, talk, write_private};
use crate::cli::{Analyze, Format};

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    let (sessions, unreadable) = sessions(&args.inputs);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        talk("no RDP found");
    }
    report(&args, &attempts)?;
    Ok(if unreadable { 2 } else { exit_code(&attempts) })
}

/// The RDP sessions of recordings and of folders of them, and whether any could not be read.
pub fn sessions(inputs: &[PathBuf]) -> (Vec<Diagnosed>, bool) {
    let mut sessions = Vec::new();
    let unreadable = each_session(inputs, &mut |session| sessions.push(session));
    (sessions, unreadable)
}

/// The same, one after the other.
pub fn each_session(inputs: &[PathBuf], take: &mut dyn FnMut(Diagnosed)) -> bool {
    let mut unreadable = false;
    for input in inputs {
        for file in files(input).unwrap_or_else(|_| vec![input.clone()]) {
            match read(&file) {
                Ok(session) if session.is_rdp() => take(session),
                Ok(_) => {}
                Err(error) => {
                    talk(&format!("error: {error:#}"));
                    unreadable = true;
                }
            }
        }
    }
    unreadable
}

/// One recording's session.
pub fn read(path: &Path) -> anyhow::Result<Diagnosed> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut analysis = Analysis::default();
    let recording =
        recording::read(file, 0, &mut |observation| analysis.push(&observation)).with_context(|| shown.to_string())?;
    if let Some(stopped) = &recording.stopped {
        talk(&format!("note: {shown}: {stopped}; what stands before is analysed"));
    }
    let session = analysis.finish(Some(shown.to_string()));
    Ok(Diagnosed { incomplete: recording.stopped, ..session })
}

/// A file as it is, a folder as the recordings in it, in the order of their names.
fn files(input: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !input.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let entries = fs::read_dir(input)?.collect::<Result<Vec<_>, _>>()?;
    let is_recording = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pcapng");
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_recording).collect();
    files.sort();
    Ok(files)
}

fn report(args: &Analyze, attempts: &[Attempt]) -> anyhow::Result<()> {
    let report = match args.format {
        Format::Text => text::attempts(attempts),
        Format::Json => json::document(env!("CARGO_PKG_VERSION"), attempts) + "\n",
    };
    match &args.output {
        Some(path) => write_private(path, &report),
        None => print(&report),
    }
}
