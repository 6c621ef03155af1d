//! `rdpscope analyze`: says what became of recorded sessions, and of those in anybody's captures.

use std::path::Path;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::reading::Reading;
use analyzer::report::{json, text};
use anyhow::Context;

use super::{exit_code, print, talk, write_private};
use crate::cli::{Analyze, Format};
use crate::input;

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    let mut unreadable = false;
    let mut sessions = Vec::new();
    for found in input::read_all(&args.inputs) {
        match found.result {
            Ok((found_here, reading)) => {
                notes(&found.name, &reading);
                sessions.extend(found_here);
            }
            Err(error) => {
                talk(&format!("error: {error:#}"));
                unreadable = true;
            }
        }
    }
    sessions.retain(Diagnosed::is_rdp);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        talk("no RDP found");
    }
    report(&args, &attempts)?;
    Ok(if unreadable { 2 } else { exit_code(&attempts) })
}

/// One recording's session.
pub fn read(path: &Path) -> anyhow::Result<Diagnosed> {
    let (mut sessions, reading) = input::read_one(path)?;
    notes(&path.display().to_string(), &reading);
    sessions.pop().with_context(|| format!("no session in {}", path.display()))
}

/// What whoever made the file should know.
fn notes(name: &str, reading: &Reading) {
    if let Some(stopped) = &reading.stopped {
        talk(&format!("note: {name}: {stopped}; what stands before is analysed"));
    }
    for notice in &reading.notices {
        talk(&format!("note: {name}: {notice}"));
    }
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
