//! The report as one HTML page that needs nothing else: no script, no network, no other file. What it says is what the text
//! says, with pictures beside it, and the facts of each picture as text.
//!
//! A strict content policy stands in it, so that a browser holds it to that: the style is allowed by its hash, all else is
//! not. Every string of a peer passes [`page::Page`], which escapes it.

mod certificates;
mod chart;
mod finding;
mod histogram;
mod index;
mod ladder;
pub(super) mod page;
mod session;
mod svg;
#[cfg(test)]
mod tests;
mod waterfall;

use std::cmp::Reverse;
use std::time::Duration;

use super::count;
use crate::attempt::{Attempt, Diagnosed};
use crate::count::counted;
use crate::diagnose::{Confidence, Finding, Outcome};
use crate::timeline::phase::PhaseName;
use page::Page;

/// Sessions that are told in full. The others stand in the index.
const FULL: usize = 200;

/// How the page looks.
const STYLE: &str = include_str!("style.css");

/// What stands before title and style. The hash is the style's (SHA-256, Base64): whoever changes that changes this; a test
/// says what it must be.
const HEAD: &str = concat!(
    "<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
    "style-src 'sha256-g0OuNxJTSXqwLWCXpOx6paddqVtrNQUC2ID3hYWsZvA='; base-uri 'none'; form-action 'none'\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    "<meta name=\"referrer\" content=\"no-referrer\">\n",
    "<meta name=\"color-scheme\" content=\"light dark\">\n",
);

/// A session, and the number by which the page calls it.
#[derive(Clone, Copy)]
struct Numbered<'a> {
    number: usize,
    session: &'a Diagnosed,
}

impl<'a> Numbered<'a> {
    /// The sessions of every attempt, numbered through.
    fn all(attempts: &'a [Attempt]) -> Vec<Vec<Numbered<'a>>> {
        let mut number = 0;
        let mut next = |session| {
            number += 1;
            Numbered { number, session }
        };
        attempts.iter().map(|attempt| attempt.sessions.iter().map(&mut next).collect()).collect()
    }

    /// The id of its part of the page, and what it begins with there.
    fn id(&self, place: &str) -> String {
        format!("s{}{place}", self.number)
    }

    /// From the first thing seen to active, or as long as it tried.
    fn setup(&self) -> Duration {
        let timeline = &self.session.timeline;
        let active = timeline.phase(PhaseName::Active).map(|phase| phase.began);
        active.unwrap_or(timeline.last).since(self.session.began())
    }

    /// Failing sessions first, then the slowest.
    fn rank(&self) -> (u8, Reverse<Duration>, usize) {
        let group = match self.session.outcome {
            Outcome::Failed | Outcome::Broken if !self.session.withdrawn => 0,
            Outcome::Failed | Outcome::Broken => 1,
            Outcome::Unfinished | Outcome::Connected => 2,
        };
        // Of those that fail the first is told first.
        let slow = if group == 2 { self.setup() } else { Duration::ZERO };
        (group, Reverse(slow), self.number)
    }
}

/// The whole page.
pub fn page(version: &str, attempts: &[Attempt]) -> String {
    let numbered = Numbered::all(attempts);
    let mut sessions: Vec<Numbered<'_>> = numbered.iter().flatten().copied().collect();
    sessions.sort_by_key(Numbered::rank);
    let title = title(attempts, &sessions);
    Page::whole(HEAD, STYLE, &title, |page| {
        page.element("a", &[("class", "skip"), ("href", "#main")], "to the verdict");
        svg::patterns(page);
        page.within("header", &[("class", "page")], |page| page.element("h1", &[], "Remote Desktop session report"));
        page.within("main", &[("id", "main")], |page| {
            match sessions.len() {
                0 => page.element("p", &[("class", "lead")], "No RDP found."),
                1 => {}
                _ => index::index(page, attempts, &numbered, &sessions),
            }
            for numbered in sessions.iter().take(FULL) {
                session::session(page, numbered, sessions.len() > 1);
            }
        });
        page.within("footer", &[], |page| footer(page, version));
    })
}

/// "failed: TLS-NOKEY, session.pcapng", or how many there are.
fn title(attempts: &[Attempt], sessions: &[Numbered<'_>]) -> String {
    let says = match sessions {
        [] => "nothing found".into(),
        [one] => {
            let cause =
                one.session.findings.first().map(|finding| format!(": {}", title_of(finding))).unwrap_or_default();
            let file = one.session.file.as_deref().map(|file| format!(", {}", name(file))).unwrap_or_default();
            format!("{}{cause}{file}", one.session.outcome.name())
        }
        sessions => format!("{}, {}", counted(attempts.len(), "attempt"), counted(sessions.len(), "session")),
    };
    format!("{says} \u{2013} rdpscope")
}

/// A cause that is possible only does not stand there like one that is sure.
fn title_of(finding: &Finding) -> String {
    let perhaps = if finding.confidence == Confidence::Possible { "perhaps " } else { "" };
    format!("{perhaps}{}", finding.cause.id)
}

/// A file's name without its folders.
pub(super) fn name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn footer(page: &mut Page, version: &str) {
    let says = format!(
        "Made by rdpscope {version}. Times are UTC; those with a plus count from the session's first packet. This page \
         holds what the wire held in clear: names in cookies and certificates, addresses; no payload and no secret. It \
         loads nothing and runs nothing."
    );
    page.element("p", &[], &says);
}

/// "failed" begins a line: "Failed".
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// "0 B", "1,234 B", "12.3 kB", "4.5 MB".
fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{} B", count(number)),
        10_000..10_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}
