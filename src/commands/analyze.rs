//! `rdpscope analyze`: says what became of recorded sessions, and of those in anybody's captures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::reading::{Known, Reading};
use analyzer::report::json::Notice;
use analyzer::report::{json, text};
use analyzer::shown;
use analyzer::tls::keys::Keyring;
use anyhow::Context;

use super::{check, exit_code, follow, put, talk, why};
use crate::cli::{Analyze, Endpoints, Format};
use crate::input;
use proxy::named::Named;

pub fn run(args: Analyze) -> anyhow::Result<u8> {
    if args.follow {
        return follow::run(args);
    }
    check(&args.output)?;
    let known = known(&args.keylog, args.names, &args.endpoints)?;
    let (sessions, mut said) = sessions(&known, &args.inputs);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        said.say(None, "", "no RDP found");
    }
    report(&args, &attempts, &said.notices)?;
    Ok(if said.is_unreadable { 2 } else { exit_code(&attempts) })
}

/// What was said of files besides what their sessions are.
#[derive(Default)]
pub struct Said {
    /// Whether any of them could not be read, or nothing in it.
    pub is_unreadable: bool,
    /// All of it, for scripts.
    pub notices: Vec<Notice>,
}

impl Said {
    /// Says something of a file, or of all.
    pub fn say(&mut self, file: Option<&str>, kind: &str, says: &str) {
        let of = file.filter(|_| kind == "note").map_or(String::new(), |file| format!("{}: ", shown::line(file)));
        let kind = if kind.is_empty() { String::new() } else { format!("{kind}: ") };
        talk(&format!("{kind}{of}{}", shown::line(says)));
        self.notices.push(Notice { file: file.map(str::to_owned), says: says.to_owned() });
    }

    /// What whoever made the file should know.
    fn note(&mut self, name: &str, reading: &Reading) {
        if let Some(stopped) = &reading.stopped {
            self.say(Some(name), "note", &format!("{stopped}; what stands before is analysed"));
        }
        for notice in &reading.notices {
            self.say(Some(name), "note", notice);
        }
    }
}

/// The RDP sessions of files and folders, and what else was said of those.
pub fn sessions(known: &Known, inputs: &[PathBuf]) -> (Vec<Diagnosed>, Said) {
    let mut sessions = Vec::new();
    let said = each_session(known, inputs, &mut |session| sessions.push(session));
    (sessions, said)
}

/// What is known before files are read: the secrets of these logs, and which endpoints are meant.
pub fn known(logs: &[PathBuf], names: bool, endpoints: &Endpoints) -> anyhow::Result<Known> {
    Ok(Known { keys: keyring(logs, names)?, meant: endpoints.meant(), ..Known::default() })
}

/// What was asked for must be there. SSLKEYLOGFILE may name a file that no program has written yet.
pub fn keyring(logs: &[PathBuf], names: bool) -> anyhow::Result<Arc<Keyring>> {
    let named = std::env::var_os("SSLKEYLOGFILE").map(PathBuf::from);
    let logs = logs.iter().cloned().chain(named.filter(|log| log.is_file()));
    input::keyring(&logs.collect::<Vec<_>>(), names)
}

/// The RDP sessions of files and folders, one after the other, and what else was said of those.
pub fn each_session(known: &Known, inputs: &[PathBuf], take: &mut dyn FnMut(Diagnosed)) -> Said {
    let mut said = Said::default();
    for found in input::read_all(inputs, known) {
        match found.result {
            Ok((sessions, reading)) => {
                said.note(&found.name, &reading);
                said.is_unreadable |= reading.is_unread;
                sessions.into_iter().filter(Diagnosed::is_rdp).for_each(&mut *take);
            }
            Err(error) => {
                said.say(Some(&found.name), "error", &why(&error));
                said.is_unreadable = true;
            }
        }
    }
    said
}

/// One recording's session.
pub fn read(path: &Path) -> anyhow::Result<Diagnosed> {
    let (mut sessions, reading) = input::read_one(path)?;
    Said::default().note(&path.to_string_lossy(), &reading);
    sessions.pop().with_context(|| format!("no session in {}", path.named()))
}

fn report(args: &Analyze, attempts: &[Attempt], notices: &[Notice]) -> anyhow::Result<()> {
    let report = match args.format {
        Format::Text => text::attempts(attempts),
        Format::Json => json::document_noting(env!("CARGO_PKG_VERSION"), attempts, notices) + "\n",
    };
    put(&args.output, &report)
}
