//! From a recording to one that others may see: read twice, written once. What is changed is `analyzer::redact`'s to say.

use std::io::{self, Read, Write};

use analyzer::analysis::Analysis;
use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::capture::file::{self, Item, ReadError};
use analyzer::capture::recording::Decoder;
use analyzer::observation::{Observation, Opening, Seen};
use analyzer::redact::{Learner, Told};
use analyzer::time::Timestamp;

use crate::record::Recorder;

/// What became of a recording.
#[derive(Debug)]
pub struct Redacted {
    /// What was changed.
    pub told: Told,
    /// Why the recording is not whole, if it is not: neither is what was written.
    pub stopped: Option<String>,
    /// What is said of the recording without its secrets.
    pub before: Vec<Diagnosed>,
    /// What is said of what was written.
    pub after: Vec<Diagnosed>,
}

/// Writes to `out` what others may see of the recording that `input` opens; `version` is that of the program that does so.
///
/// # Errors
/// Where it is no recording, cannot be read, or `out` cannot be written.
pub fn redact<R: Read>(
    input: &dyn Fn() -> io::Result<R>,
    mut out: impl Write,
    version: &str,
) -> Result<Redacted, ReadError> {
    let (mut learner, mut before) = (Learner::default(), Analysis::default());
    let (mut secrets, mut gateway) = (0, false);
    let stopped = read(input().map_err(ReadError::Io)?, &mut secrets, &mut |observation| {
        gateway |= observation.seen == Seen::Opening(Opening::Gateway);
        learner.learn(&observation);
        before.push(&observation);
        Ok(())
    })?;
    let (mut redactor, mut after, mut last) = (learner.finish(), Analysis::default(), Timestamp::default());
    let section = Section { version: version.into(), redacted: true, gateway, ..Section::default() };
    let mut recorder = Recorder::new(&mut out, &section).map_err(ReadError::Io)?;
    read(input().map_err(ReadError::Io)?, &mut 0, &mut |observation| {
        last = last.max(observation.at);
        let Some(changed) = redactor.change(observation) else { return Ok(()) };
        after.push(&changed);
        recorder.write_again(changed)
    })?;
    if stopped.is_none() {
        recorder.end(last, "the end".to_owned()).map_err(ReadError::Io)?;
    }
    recorder.flush().map_err(ReadError::Io)?;
    let told = Told { secrets, ..redactor.told() };
    Ok(Redacted { told, stopped, before: before.finish_all(None), after: after.finish_all(None) })
}

/// Reads the observations of a recording and counts the lines of secrets in it.
fn read(
    input: impl Read,
    secrets: &mut u64,
    each: &mut dyn FnMut(Observation) -> io::Result<()>,
) -> Result<Option<String>, ReadError> {
    let mut decoder = Decoder::default();
    let stopped = file::read(input, &mut |item| {
        if let Item::Secrets(log) = &item {
            *secrets += log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
        }
        let mut written = Ok(());
        decoder.item(item, &mut |observation| {
            if written.is_ok() {
                written = each(observation);
            }
        })?;
        written.map_err(ReadError::Io)
    })?;
    Ok(decoder.stopped(stopped))
}
