//! `rdpscope explain`: what a code means, and, from recordings, which of its causes they show.
//!
//! Exit code: 2 where what was typed cannot be read, or a recording; 1 where a number stands in no table, or the
//! recordings show no cause; else 0.

use analyzer::attempt::{self, Attempt};
use analyzer::diagnose::Outcome;
use analyzer::explain::{self, Answer, Decision};
use analyzer::reading::Known;
use analyzer::report::{explain as text, json};
use anyhow::anyhow;

use super::{analyze, print};
use crate::cli::{Explain, Format};

pub fn run(args: Explain) -> anyhow::Result<u8> {
    let questions = explain::questions(&args.codes).map_err(|error| anyhow!(error))?;
    let known = Known { meant: args.endpoints.meant(), ..Known::default() };
    let (sessions, mut said) = analyze::sessions(&known, &args.capture);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() && !args.capture.is_empty() {
        said.say(None, "", "no RDP found");
    }
    let answers: Vec<(Answer, Vec<Decision<'_>>)> = questions
        .iter()
        .map(|question| {
            let answer = explain::answer(question);
            let decisions = decisions(&answer, &attempts);
            (answer, decisions)
        })
        .collect();
    print(&match args.format {
        Format::Text => written(&answers, !args.capture.is_empty()),
        Format::Json => json::explanations(env!("CARGO_PKG_VERSION"), &answers, &said.notices) + "\n",
    })?;
    let undecided =
        !args.capture.is_empty() && answers.iter().any(|(_, found)| found.iter().all(|one| one.shown.is_none()));
    let unknown = answers.iter().any(|(answer, _)| !answer.is_known());
    Ok(if said.is_unreadable { 2 } else { u8::from(unknown || undecided) })
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
