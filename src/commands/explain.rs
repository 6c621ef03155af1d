//! `rdpscope explain`: what a code, or a line that has codes in it, means, and, from recordings, which of the causes they show.
//!
//! Exit code: 2 where what was typed cannot be read, or a recording; 1 where a number stands in no table, or the
//! recordings show no cause; else 0.

use std::io::{self, Read as _};

use analyzer::attempt::{self, Attempt};
use analyzer::diagnose::Outcome;
use analyzer::explain::{self, Answer, Decision, Reading};
use analyzer::reading::Known;
use analyzer::report::{explain as text, json};
use anyhow::{Context as _, anyhow};

use super::{analyze, print};
use crate::cli::{Explain, Format};

pub fn run(args: Explain) -> anyhow::Result<u8> {
    let reading = reading(&args.codes)?;
    let known = Known { meant: args.endpoints.meant(), ..Known::default() };
    let (sessions, mut said) = analyze::sessions(&known, &args.capture);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() && !args.capture.is_empty() {
        said.say(None, "", "no RDP found");
    }
    let answers: Vec<(Answer, Vec<Decision<'_>>)> = reading
        .questions
        .iter()
        .map(|question| {
            let answer = explain::answer(question);
            let decisions = decisions(&answer, &attempts);
            (answer, decisions)
        })
        .collect();
    print(&match args.format {
        Format::Text => {
            let parts = [text::reading(&reading), written(&answers, !args.capture.is_empty())];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
        }
        Format::Json => json::explanations(env!("CARGO_PKG_VERSION"), &reading, &answers, &said.notices) + "\n",
    })?;
    let undecided =
        !args.capture.is_empty() && answers.iter().any(|(_, found)| found.iter().all(|one| one.shown.is_none()));
    let unknown = answers.iter().any(|(answer, _)| !answer.is_known());
    Ok(if said.is_unreadable { 2 } else { u8::from(unknown || undecided) })
}

/// What was typed; for `-` what stands on standard input, which is a line or a text of several.
fn reading(codes: &[String]) -> anyhow::Result<Reading> {
    if codes != ["-"] {
        return explain::read(codes).map_err(|error| anyhow!(error));
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(explain::LONGEST as u64 + 1).read_to_end(&mut bytes).context("standard input")?;
    let text = text_of(&bytes);
    if bytes.len() > explain::LONGEST {
        return Err(anyhow!("more than {} KiB on standard input: give the lines that matter", explain::LONGEST >> 10));
    }
    let reading = explain::in_line(&text).map_err(|error| anyhow!(error))?;
    // A bare code is no line: "0x904 0x7" on standard input is what it is as arguments.
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    match reading.questions.is_empty() {
        true => explain::read(&words).map_err(|error| anyhow!(error)),
        false => Ok(reading),
    }
}

/// Windows's tools write UTF-16 with a byte order mark; all others UTF-8.
fn text_of(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> = rest.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Of each attempt the session that decides; the failed ones, or all where none failed.
fn decisions<'a>(answer: &Answer, attempts: &'a [Attempt]) -> Vec<Decision<'a>> {
    let failed = |attempt: &&Attempt| matches!(attempt.outcome(), Outcome::Failed | Outcome::Broken);
    let any = attempts.iter().any(|attempt| failed(&attempt));
    let chosen = attempts.iter().filter(|attempt| !any || failed(attempt));
    chosen.filter_map(Attempt::deciding).map(|session| explain::decide(answer, session)).collect()
}

/// With a recording the decision is the answer: what the code says stands in a line or two above it.
fn written(answers: &[(Answer, Vec<Decision<'_>>)], decided: bool) -> String {
    let one = |(answer, decisions): &(Answer, Vec<Decision<'_>>)| match decided {
        true => text::brief(answer) + &text::decisions(decisions),
        false => text::answer(answer),
    };
    answers.iter().map(one).collect::<Vec<_>>().join("\n")
}
