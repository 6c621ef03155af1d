//! `rdpscope analyze`: says what became of recorded sessions, and of those in anybody's captures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::reading::Reading;
use analyzer::report::{json, text};
use analyzer::tls::keys::Keyring;
use anyhow::Context;

use super::{exit_code, follow, put, talk};
use crate::cli::{Analyze, Format};
use crate::input;

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    if args.follow {
        return follow::run(args);
    }
    let mut sessions = Vec::new();
    let unreadable =
        each_session_with(&keyring(&args.keylog, args.names)?, &args.inputs, &mut |session| sessions.push(session));
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        talk("no RDP found");
    }
    report(&args, &attempts)?;
    Ok(if unreadable { 2 } else { exit_code(&attempts) })
}

/// The RDP sessions of files and folders, and whether any could not be read.
pub fn sessions(inputs: &[PathBuf]) -> (Vec<Diagnosed>, bool) {
    let mut sessions = Vec::new();
    let unreadable = each_session(inputs, &mut |session| sessions.push(session));
    (sessions, unreadable)
}

/// The same, one after the other.
pub fn each_session(inputs: &[PathBuf], take: &mut dyn FnMut(Diagnosed)) -> bool {
    each_session_with(&Arc::default(), inputs, take)
}

/// What was asked for must be there. SSLKEYLOGFILE may name a file that no program has written yet.
pub fn keyring(logs: &[PathBuf], names: bool) -> anyhow::Result<Arc<Keyring>> {
    let named = std::env::var_os("SSLKEYLOGFILE").map(PathBuf::from);
    let logs = logs.iter().cloned().chain(named.filter(|log| log.is_file()));
    input::keyring(&logs.collect::<Vec<_>>(), names)
}

/// The same, opened with these secrets.
pub fn each_session_with(keys: &Arc<Keyring>, inputs: &[PathBuf], take: &mut dyn FnMut(Diagnosed)) -> bool {
    let mut unreadable = false;
    for found in input::read_all(inputs, keys) {
        match found.result {
            Ok((sessions, reading)) => {
                notes(&found.name, &reading);
                sessions.into_iter().filter(Diagnosed::is_rdp).for_each(&mut *take);
            }
            Err(error) => {
                talk(&format!("error: {error:#}"));
                unreadable = true;
            }
        }
    }
    unreadable
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
    put(args.output.as_deref(), &report)
}
