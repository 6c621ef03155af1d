//! The scoreboard: what the program says of each case, from each source, beside what is to be said of it.
//!
//! A case has a label, made from what happened and not from what a rule finds. Its rows are printed with totals, compared
//! with their section of `docs/diagnosis.md` (`UPDATE_EXPECT=1` rewrites that section and no other), and no row may be
//! wrong but those that are known to be.

mod corpus;
mod gateway;
mod golden;
pub mod lab;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::support::process::Outcome;
use super::support::program::analyze;

/// The outcome of a case in which no RDP can be found.
pub const UNSEEN: &str = "no RDP";

/// What is to be said of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// "connected", "broken", "failed", "unfinished" or [`UNSEEN`].
    pub outcome: &'static str,
    /// The cause; `None` where nothing louder than a note may be said.
    pub cause: Option<&'static str>,
    /// Those that the wire cannot tell from it: no mistake where one of them stands first.
    pub or: &'static [&'static str],
}

/// What was said of it: the attempt's outcome, and the first finding of the session that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    outcome: String,
    cause: Option<String>,
    confidence: String,
    /// Whether it is louder than a note.
    loud: bool,
}

/// One case, from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub case: String,
    /// What is to be said.
    pub label: Label,
    /// What is said; `None` where no RDP was found.
    pub said: Option<Said>,
}

/// How a row is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The cause of the label, or rightly nothing.
    Right,
    /// One that the wire cannot tell from it.
    InGroup,
    /// Something is said, louder than a note, of what is healthy.
    FalseAlarm,
    /// Anything else.
    Wrong,
}

impl Judgement {
    fn name(self) -> &'static str {
        match self {
            Judgement::Right => "right",
            Judgement::InGroup => "in group",
            Judgement::FalseAlarm => "FALSE ALARM",
            Judgement::Wrong => "WRONG",
        }
    }
}

impl Said {
    /// What a JSON document of one case says: `None` where it has no attempt.
    pub fn of(document: &Value) -> Option<Said> {
        let attempt = document["attempts"].as_array()?.last()?;
        let sessions = attempt["sessions"].as_array()?;
        let deciding = sessions.get(attempt["decided_by"].as_u64()? as usize)?;
        let finding = &deciding["findings"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Said {
            outcome: text(&attempt["outcome"]),
            cause: finding["cause"].as_str().map(str::to_owned),
            confidence: text(&finding["confidence"]),
            loud: finding["severity"].as_str().is_some_and(|severity| severity != "note"),
        })
    }

    /// The same with a key log.
    pub fn of_files_with(files: &[PathBuf], keylog: &Path) -> Outcome<Option<Said>> {
        let options = [PathBuf::from("--keylog"), keylog.to_owned()];
        analyze(&[&options, files].concat()).map(|(_, document)| Said::of(&document))
    }

    /// Whether it is louder than a note and more than possible.
    pub fn is_sure(&self) -> bool {
        self.loud && self.confidence != "possible"
    }

    /// Outcome and cause.
    pub fn short(&self) -> String {
        format!("{} {}", self.outcome, self.cause.as_deref().unwrap_or("-"))
    }

    /// What `rdpscope analyze` says of these files, taken together.
    pub fn of_files(files: &[PathBuf]) -> Outcome<Option<Said>> {
        analyze(files).map(|(_, document)| Said::of(&document))
    }
}

/// Whether the catalogue declares that the wire cannot tell the two apart: a label alone does not make a group.
fn is_declared(label: &str, said: &str) -> bool {
    analyzer::causes::alike(label, said)
}

impl Row {
    /// Compares.
    pub fn judge(&self) -> Judgement {
        let Some(said) = &self.said else {
            return if self.label.outcome == UNSEEN { Judgement::Right } else { Judgement::Wrong };
        };
        let cause = said.cause.as_deref();
        match self.label.cause {
            None if said.loud => Judgement::FalseAlarm,
            _ if said.outcome != self.label.outcome => Judgement::Wrong,
            None => Judgement::Right,
            Some(_) if cause == self.label.cause => Judgement::Right,
            Some(label) if cause.is_some_and(|cause| self.label.or.contains(&cause) && is_declared(label, cause)) => {
                Judgement::InGroup
            }
            Some(_) => Judgement::Wrong,
        }
    }

    fn line(&self, known: bool) -> String {
        let Label { outcome, cause, or } = &self.label;
        let group = or.iter().fold(String::new(), |group, id| group + ", " + id);
        let expected = format!("{outcome} {}{group}", cause.unwrap_or("-"));
        let said = match &self.said {
            None => format!("{UNSEEN} | "),
            Some(Said { outcome, cause, confidence, .. }) => {
                format!("{outcome} {} | {confidence}", cause.as_deref().unwrap_or("-"))
            }
        };
        let known = if known { " (known)" } else { "" };
        format!("| {} | {expected} | {said} | {}{known} |", self.case, self.judge().name())
    }
}

/// A part of the scoreboard: rows of one source.
#[derive(Debug)]
pub struct Section {
    /// The source; also the section's name in the document.
    pub source: &'static str,
    /// Where the rows come from, in a sentence or two.
    pub about: &'static str,
    /// In the order in which they are shown.
    pub rows: Vec<Row>,
    /// The cases of which today's rules say something else than the label, which stands. Printed loudly; whoever writes
    /// the rule takes the line away.
    pub known_wrong: Vec<&'static str>,
}

impl Section {
    /// Prints the section and compares it with the document. Complains of that, and of rows that are wrong and not known to
    /// be.
    pub fn check(&self) -> Result<(), String> {
        println!("{}", self.table());
        let wrong: Vec<&Row> = self.rows.iter().filter(|row| self.is_wrong(row)).collect();
        let (known, new): (Vec<&Row>, Vec<&Row>) = wrong.into_iter().partition(|row| self.knows(row));
        let is_right = |case: &&&str| self.rows.iter().any(|row| row.case == **case && !self.is_wrong(row));
        let stale: Vec<_> = self.known_wrong.iter().filter(is_right).collect();
        let lines = |rows: &[&Row]| rows.iter().map(|row| row.line(false) + "\n").collect::<String>();
        if !known.is_empty() {
            shout(&format!("KNOWN WRONG, {}: {}\n{}", self.source, known.len(), lines(&known)));
        }
        if !stale.is_empty() {
            shout(&format!("no longer wrong, {}: take away {stale:?}", self.source));
        }
        let compared = self.compare(&document());
        if new.is_empty() { compared } else { Err(format!("{}: {} wrong\n{}", self.source, new.len(), lines(&new))) }
    }

    fn is_wrong(&self, row: &Row) -> bool {
        matches!(row.judge(), Judgement::FalseAlarm | Judgement::Wrong)
    }

    fn knows(&self, row: &Row) -> bool {
        self.known_wrong.contains(&row.case.as_str())
    }

    /// The table with its totals, as it stands in the document.
    fn table(&self) -> String {
        let count = |judgement| self.rows.iter().filter(|row| row.judge() == judgement).count();
        let mut table = format!("## {}\n\n{}\n\n", self.source, self.about);
        let _infallible = writeln!(
            table,
            "{} rows: {} right, {} in group, {} wrong, {} false alarms. In {} nothing may be found.\n",
            self.rows.len(),
            count(Judgement::Right),
            count(Judgement::InGroup),
            count(Judgement::Wrong),
            count(Judgement::FalseAlarm),
            self.rows.iter().filter(|row| row.label.cause.is_none()).count(),
        );
        table += "| case | expected | said | confidence | |\n|---|---|---|---|---|\n";
        self.rows.iter().for_each(|row| table += &(row.line(self.is_wrong(row) && self.knows(row)) + "\n"));
        table
    }

    /// Writes the section, where expectations are rewritten: rows of a network whose losses are chance are not compared.
    pub fn keep(source: &str, table: &str) {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            replace(&document(), source, table).unwrap_or_else(|complaint| panic!("{complaint}"));
        }
    }

    fn compare(&self, document: &Path) -> Result<(), String> {
        compare(document, self.source, &self.table())
    }
}

/// Compares a table with its section of the document.
pub fn stands(source: &str, table: &str) -> Result<(), String> {
    compare(&document(), source, table)
}

/// The same in another document of `docs`.
pub fn stands_in(name: &str, source: &str, table: &str) -> Result<(), String> {
    compare(&document().with_file_name(name), source, table)
}

fn compare(document: &Path, source: &str, table: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return replace(document, source, table);
    }
    let text = fs::read_to_string(document).unwrap_or_default();
    let place = place(&text, source);
    let expected = place.map_or("", |(from, to)| &text[from..to]);
    let only = |these: &str, those: &str, mark: &str| -> String {
        let lines = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect()
    };
    let different = only(expected, table, "-") + &only(table, expected, "+");
    let name = document.file_name().unwrap_or_default().to_string_lossy();
    let complaint = format!("{source} in docs/{name} (UPDATE_EXPECT=1 rewrites it):\n{different}");
    if expected == table { Ok(()) } else { Err(complaint) }
}

/// Where a section's table stands in the document.
fn place(text: &str, source: &str) -> Option<(usize, usize)> {
    let begin = format!("<!-- {source} -->\n");
    let (from, to) = text.find(&begin).zip(text.find(&format!("<!-- end of {source} -->\n")))?;
    Some((from + begin.len(), to))
}

/// Replaces a section's table, or puts it behind the others.
fn replace(document: &Path, source: &str, table: &str) -> Result<(), String> {
    // Sections are rewritten by tests that run side by side.
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(document).unwrap_or_default();
    let text = match place(&text, source) {
        Some((from, to)) => format!("{}{table}{}", &text[..from], &text[to..]),
        None => format!("{text}\n<!-- {source} -->\n{table}<!-- end of {source} -->\n"),
    };
    fs::write(document, text).map_err(|error| format!("{}: {error}", document.display()))
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/diagnosis.md")
}

/// Straight to the terminal: the harness would swallow what a passing test prints.
fn shout(text: &str) {
    std::io::stderr().write_all(format!("\n!!! {text}\n").as_bytes()).expect("stderr");
}

#[test]
fn a_section_is_replaced_alone() {
    let folder = super::support::process::Folder::new().expect("a folder");
    let before = "# Title\n\n<!-- one -->\nold\n<!-- end of one -->\n\n<!-- two -->\nkept\n<!-- end of two -->\n";
    let path = folder.write("diagnosis.md", before).expect("a file");
    let section = Section { source: "one", about: "About.", rows: Vec::new(), known_wrong: Vec::new() };
    let compared = section.compare(&path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        compared.expect("written");
        let after = fs::read_to_string(&path).expect("a file");
        assert!(after.contains("## one\n\nAbout.") && after.contains("kept") && !after.contains("old"), "{after}");
    } else {
        assert!(compared.is_err(), "the old text is not that of the section");
    }
}

#[test]
fn rows_are_judged_by_their_labels() {
    let row = |cause, or, outcome: &str, said: Option<&str>, loud| Row {
        case: "case".into(),
        label: Label { outcome: "failed", cause, or },
        said: Some(Said { outcome: outcome.into(), cause: said.map(str::to_owned), confidence: String::new(), loud }),
    };
    let check = |row: Row, judgement| assert_eq!(row.judge(), judgement, "{row:?}");
    check(row(Some("NLA-CRED"), &["NLA-ACCT"], "failed", Some("NLA-CRED"), true), Judgement::Right);
    check(row(Some("NLA-CRED"), &["NLA-ACCT"], "failed", Some("NLA-ACCT"), true), Judgement::InGroup);
    check(row(Some("NLA-CRED"), &["TLS-VER"], "failed", Some("TLS-VER"), true), Judgement::Wrong);
    check(row(Some("A"), &["B"], "failed", Some("C"), true), Judgement::Wrong);
    check(row(Some("A"), &[], "broken", Some("A"), true), Judgement::Wrong);
    check(row(None, &[], "failed", None, false), Judgement::Right);
    check(row(None, &[], "failed", Some("A"), false), Judgement::Right);
    check(row(None, &[], "failed", Some("A"), true), Judgement::FalseAlarm);
    check(Row { said: None, ..row(None, &[], "", None, false) }, Judgement::Wrong);
}
