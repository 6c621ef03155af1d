//! One session as a page that plays it: its screen with a time line, phases and findings marked, in one file that loads
//! nothing. Written as a stream: the head, a line for each change, the tail.
//!
//! The policy in it allows one style and one script, each by its hash. Every string of a peer passes [`Page`], which escapes
//! it; the lines of the picture are numbers and Base64.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::html::page::Page;
use super::html::{self, capital};
use super::verdict;
use crate::attempt::Diagnosed;
use crate::diagnose::Finding;
use crate::diagnose::stage::length;
use crate::observation::Leg;
use crate::picture::film::Cut;
use crate::time::Timestamp;
use crate::timeline::phase::{Phase, PhaseName};

/// How it looks: as a report does, and what a player has besides.
const STYLE: &str = concat!(include_str!("../html/style.css"), include_str!("player.css"));
/// What makes it go.
const SCRIPT: &str = include_str!("player.js");

/// What stands before title and style. The hashes are those of script and style (SHA-256, Base64): whoever changes one
/// changes this; a test says what it must be.
const HEAD: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
    "script-src 'sha256-yKObv1lMOoL6R/URDFt7q/tjPCrqvndrKpfmhhTM/fI='; ",
    "style-src 'sha256-ADZtiSRiDu+XEpvApWYOuETzjQdjGWHmPslssn2o+yk='; base-uri 'none'; form-action 'none'\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    "<meta name=\"referrer\" content=\"no-referrer\">\n",
    "<meta name=\"color-scheme\" content=\"light dark\">\n",
);
/// How many phases are coloured before a colour comes again.
const COLOURS: usize = 6;
/// How fast it can go.
const SPEEDS: [&str; 7] = ["0.25", "0.5", "1", "2", "4", "8", "16"];

/// The page of a session.
pub struct Player<'a> {
    version: &'a str,
    session: &'a Diagnosed,
}

impl<'a> Player<'a> {
    /// Of this session.
    pub fn new(version: &'a str, session: &'a Diagnosed) -> Player<'a> {
        Player { version, session }
    }

    /// What stands before the picture's lines.
    pub fn head(&self) -> String {
        let mut page = Page::default();
        let file = self.session.file.as_deref().map(html::name).unwrap_or_default();
        page.element("title", &[], &format!("{}, {file} \u{2013} rdpscope player", self.session.outcome.name()));
        let title = page.finish();
        format!(
            "{HEAD}{title}\n<style>{STYLE}</style>\n</head>\n<body>\n{}<script type=\"text/plain\" id=\"frames\">\n",
            self.body()
        )
    }

    /// The line of a change: the PNG is what the cut's area holds.
    pub fn cut(&self, cut: &Cut, png: &[u8]) -> String {
        let (at, png) = (self.ms(cut.at), BASE64_STANDARD.encode(png));
        let [left, top, ..] = cut.area;
        format!("c {at} {} {} {left} {top} {} {png}\n", cut.size.0, cut.size.1, u8::from(cut.is_key))
    }

    /// The line of a pointer that looks different: the system's own where the PNG is empty, none at all where there is none.
    pub fn pointer(&self, at: Timestamp, hot: (u16, u16), png: Option<&[u8]>) -> String {
        let png = png.map_or("none".into(), |png| BASE64_STANDARD.encode(png));
        format!("s {} {} {} {png}\n", self.ms(at), hot.0, hot.1)
    }

    /// The line of a pointer that moves.
    pub fn place(&self, at: Timestamp, (x, y): (u16, u16)) -> String {
        format!("p {} {x} {y}\n", self.ms(at))
    }

    /// What stands behind the picture's lines: what it does not show, in sentences.
    pub fn tail(&self, notes: &[String]) -> String {
        let mut page = Page::default();
        page.within("section", &[("class", "part notes"), ("aria-labelledby", "notes-title")], |page| {
            page.element("h3", &[("id", "notes-title")], "What the picture does not show");
            page.within("ul", &[], |page| notes.iter().for_each(|note| page.element("li", &[], note)));
            if notes.is_empty() {
                page.element("p", &[], "Everything that the server drew is in it.");
            }
        });
        let notes = page.finish();
        let mut page = Page::default();
        page.within("footer", &[], |page| {
            let says = format!(
                "Made by rdpscope {}. Wall-clock times are UTC. It shows what stood on the screen of the session, where \
                 there is a picture: treat it as you would the screen. It loads nothing.",
                self.version
            );
            page.element("p", &[], &says);
        });
        format!("</script>\n{notes}</main>\n{}<script>{SCRIPT}</script>\n</body>\n</html>\n", page.finish())
    }

    /// Milliseconds from the session's first packet.
    fn ms(&self, at: Timestamp) -> u128 {
        at.after(self.session.began()).as_millis()
    }

    /// The page's body up to the picture's lines; `main` is left open.
    fn body(&self) -> String {
        let timeline = &self.session.timeline;
        let mut page = Page::default();
        page.within("header", &[("class", "page")], |page| page.element("h1", &[], "Remote Desktop session player"));
        let (began, length) = (self.session.began().0 / 1_000_000, self.ms(timeline.last));
        let attributes = [
            ("id", "main"),
            ("data-began", &began.to_string()),
            ("data-length", &length.to_string()),
            ("data-outcome", self.session.outcome.name()),
        ];
        page.open("main", &attributes);
        self.verdict(&mut page);
        page.element(
            "noscript",
            &[],
            "The player needs the script of this page; what is said of the session stands below.",
        );
        page.within("div", &[("id", "player"), ("hidden", "")], |page| {
            stage(page);
            self.bar(page);
            controls(page, length);
        });
        self.findings(&mut page);
        self.phases(&mut page);
        page.finish()
    }

    fn verdict(&self, page: &mut Page) {
        let (session, outcome) = (self.session, self.session.outcome.name());
        page.within("div", &[("class", &format!("verdict is-{outcome}"))], |page| {
            page.within("p", &[("class", "eyebrow")], |page| {
                page.element("span", &[("class", &format!("badge {outcome}"))], outcome);
                page.element("span", &[], &session.began().to_string().replace('T', " "));
                if let Some(file) = &session.file {
                    page.element("code", &[], html::name(file));
                }
            });
            page.element("h2", &[], &capital(&verdict::of_session(session)));
        });
    }

    /// The bar: phases in a lane, findings over it, and where the player stands.
    fn bar(&self, page: &mut Page) {
        page.within("div", &[("id", "bar")], |page| {
            page.within("div", &[("id", "marks")], |page| {
                for (number, finding) in (1..).zip(&self.session.findings) {
                    let at = self.moment(finding).to_string();
                    let says = format!("finding {number}, {}: {}", finding.cause.id, verdict::headline(finding));
                    let attributes = [
                        ("type", "button"),
                        ("data-at", &*at),
                        ("data-mark", &*at),
                        ("aria-label", &*says),
                        ("title", &*says),
                    ];
                    page.element("button", &attributes, &number.to_string());
                }
            });
            page.within("div", &[("id", "lane"), ("aria-hidden", "true")], |page| {
                for (number, phase) in self.session.timeline.phases.iter().enumerate() {
                    let [from, to] = self.edges(phase).map(|edge| edge.to_string());
                    let says = format!("{}, {}", phase.name.name(), length(phase.duration()));
                    let attributes = [
                        ("class", &*class(number, phase)),
                        ("data-from", &from),
                        ("data-to", &to),
                        ("data-name", phase.name.name()),
                        ("title", &says),
                    ];
                    page.element("span", &attributes, "");
                }
            });
            let length = self.ms(self.session.timeline.last).to_string();
            let attributes = [
                ("type", "range"),
                ("id", "seek"),
                ("min", "0"),
                ("max", &*length),
                ("value", "0"),
                ("aria-label", "time"),
            ];
            page.empty("input", &attributes);
        });
    }

    /// When a finding's own evidence was seen; the end of the session where it has none.
    fn moment(&self, finding: &Finding) -> u128 {
        finding
            .evidence
            .iter()
            .map(|evidence| self.ms(evidence.at))
            .max()
            .unwrap_or(self.ms(self.session.timeline.last))
    }

    fn edges(&self, phase: &Phase) -> [u128; 2] {
        let from = self.ms(phase.began);
        [from, from + phase.duration().max(Duration::ZERO).as_millis()]
    }

    fn findings(&self, page: &mut Page) {
        if self.session.findings.is_empty() {
            return;
        }
        page.within("section", &[("class", "part"), ("aria-labelledby", "findings-title")], |page| {
            page.element("h3", &[("id", "findings-title")], "Findings");
            page.within("ol", &[], |page| {
                for finding in &self.session.findings {
                    let at = self.moment(finding);
                    page.within("li", &[], |page| {
                        page.element("strong", &[], &format!("{}: {}", finding.cause.id, verdict::headline(finding)));
                        page.text(" \u{2013} ");
                        page.text(&finding.says);
                        page.text(" ");
                        page.element(
                            "button",
                            &[("type", "button"), ("class", "go"), ("data-at", &at.to_string())],
                            &offset(at),
                        );
                    });
                }
            });
        });
    }

    fn phases(&self, page: &mut Page) {
        page.within("section", &[("class", "part"), ("aria-labelledby", "phases-title")], |page| {
            page.element("h3", &[("id", "phases-title")], "Phases");
            page.within("table", &[], |page| {
                page.within("thead", &[], |page| {
                    page.within("tr", &[], |page| {
                        for (class, heading) in [("", "Phase"), ("n", "Began"), ("n", "Took"), ("", "Outcome")] {
                            page.element("th", &[("class", class), ("scope", "col")], heading);
                        }
                    });
                });
                page.within("tbody", &[], |page| {
                    self.session
                        .timeline
                        .phases
                        .iter()
                        .enumerate()
                        .for_each(|(number, phase)| self.row(page, number, phase))
                });
            });
        });
    }

    fn row(&self, page: &mut Page, number: usize, phase: &Phase) {
        let [from, to] = self.edges(phase);
        let (name, outcome) = (phase.name.name(), phase.outcome.name());
        let attributes = [
            ("data-phase", name),
            ("data-from", &*from.to_string()),
            ("data-to", &*to.to_string()),
            ("data-outcome", outcome),
        ];
        page.within("tr", &attributes, |page| {
            page.within("th", &[("scope", "row")], |page| {
                page.element(
                    "span",
                    &[("class", &format!("swatch {}", class(number, phase))), ("aria-hidden", "true")],
                    "",
                );
                page.text(name);
                if phase.name == PhaseName::Tcp && phase.leg != Leg::Only {
                    page.text(&format!(", {} leg", phase.leg));
                }
            });
            page.within("td", &[("class", "n")], |page| {
                page.element(
                    "button",
                    &[("type", "button"), ("class", "go"), ("data-at", &from.to_string())],
                    &offset(from),
                );
            });
            page.element("td", &[("class", "n")], &length(phase.duration()));
            let is_failed = phase.outcome == crate::timeline::phase::Outcome::Failed;
            page.element("td", &[("class", if is_failed { "failed" } else { "" })], outcome);
        });
    }
}

/// "+3.250 s".
fn offset(ms: u128) -> String {
    format!("+{}.{:03} s", ms / 1000, ms % 1000)
}

/// A phase's colour; a failed one has its own.
fn class(number: usize, phase: &Phase) -> String {
    match (phase.outcome, phase.name) {
        (crate::timeline::phase::Outcome::Failed, _) => "failed".into(),
        (_, PhaseName::Active) => "active".into(),
        _ => format!("k{}", number % COLOURS),
    }
}

fn stage(page: &mut Page) {
    page.within("div", &[("id", "stage")], |page| {
        let screen = [("id", "screen"), ("role", "img"), ("aria-label", "the session's screen"), ("hidden", "")];
        page.element("canvas", &screen, "");
        page.element("canvas", &[("id", "pointer"), ("aria-hidden", "true"), ("hidden", "")], "");
        page.within("div", &[("id", "card"), ("role", "status")], |page| {
            page.element("p", &[("id", "card-phase")], "");
            page.element("p", &[("id", "card-says")], "");
        });
    });
}

fn controls(page: &mut Page, length: u128) {
    page.within("div", &[("class", "controls")], |page| {
        page.element("button", &[("type", "button"), ("id", "play")], "Play");
        page.element("button", &[("type", "button"), ("id", "back"), ("aria-label", "the change before")], "\u{2039}");
        page.element("button", &[("type", "button"), ("id", "forward"), ("aria-label", "the next change")], "\u{203a}");
        page.within("select", &[("id", "speed"), ("aria-label", "speed")], |page| {
            for speed in SPEEDS {
                let chosen: &[(&'static str, &str)] = if speed == "1" { &[("selected", "")] } else { &[] };
                let attributes: Vec<(&'static str, &str)> = [("value", speed)].iter().chain(chosen).copied().collect();
                page.element("option", &attributes, &format!("{speed}\u{d7}"));
            }
        });
        page.within("p", &[("class", "time")], |page| {
            page.element("output", &[("id", "now")], &format!("0 / {}", offset(length)));
            page.element("span", &[("id", "wall")], "");
        });
    });
    page.within("p", &[("class", "note")], |page| {
        for (key, says) in
            [("space", "play, pause  "), ("\u{2190} \u{2192}", "a second, with shift ten  "), (", .", "a change")]
        {
            page.element("kbd", &[], key);
            page.text(" ");
            page.text(says);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_names_the_hashes_of_script_and_style() {
        for (directive, content) in [("script-src", SCRIPT), ("style-src", STYLE)] {
            let hash = format!("{directive} 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(content)));
            assert!(HEAD.contains(&hash), "HEAD must allow {hash}");
        }
    }
}
