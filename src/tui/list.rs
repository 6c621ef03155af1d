//! The list: two lines for each session. First its figures, as many of them as there is room for, then how it stands, or its
//! verdict.

use analyzer::diagnose::{Finding, Outcome, Severity};
use analyzer::observation::Leg as LegName;
use analyzer::report::{text, verdict};
use analyzer::shown;
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;
use analyzer::timeline::phase::{self, PhaseName};

use super::board::{Session, State};
use super::figures::{age, bytes, cut, progress, round_trips};

/// What a piece of text is. Nothing is said by its looks alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    Soft,
    Title,
    Going,
    Good,
    Bad,
}

/// A piece of a line.
pub type Piece = (Role, String);

/// What stands in a row's first line: head, and least width.
const COLUMNS: [(Column, &str, usize); 8] = [
    (Column::Number, "#", 5),
    (Column::Client, "client", 15),
    (Column::Progress, "phases", 10),
    (Column::Front, "client RTT", 11),
    (Column::Back, "server RTT", 11),
    (Column::Sent, "B up", 6),
    (Column::Received, "B down", 6),
    (Column::Again, "again", 5),
];
/// Columns of the mark of the selected session.
const MARK: usize = 2;
/// Where there is no room for all, these go first.
const GOING: [Column; 7] =
    [Column::Again, Column::Front, Column::Sent, Column::Received, Column::Back, Column::Progress, Column::Client];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Number,
    Client,
    Progress,
    Front,
    Back,
    Sent,
    Received,
    Again,
}

/// The columns for which there is room, with their widths.
pub struct Columns(Vec<(Column, &'static str, usize)>);

impl Columns {
    /// In so many columns of a terminal.
    pub fn within(width: usize) -> Columns {
        let mut columns = COLUMNS.to_vec();
        let needed = |columns: &[(Column, &str, usize)]| {
            MARK + columns.iter().map(|column| column.2 + 1).sum::<usize>().saturating_sub(1)
        };
        let mut going = GOING.iter();
        while needed(&columns) > width
            && let Some(goes) = going.next()
        {
            columns.retain(|(column, ..)| column != goes);
        }
        let spare = width.saturating_sub(needed(&columns));
        for (column, _, width) in &mut columns {
            match column {
                Column::Progress | Column::Front | Column::Back => *width += (spare / 4).min(12),
                Column::Client => *width += (spare / 4).min(24),
                Column::Number | Column::Sent | Column::Received | Column::Again => {}
            }
        }
        Columns(columns)
    }

    /// The line above the list.
    pub fn head(&self) -> String {
        self.line(|column, head, width| match column {
            Column::Client | Column::Progress => format!("{head:<width$}"),
            Column::Number | Column::Front | Column::Back | Column::Sent | Column::Received | Column::Again => {
                format!("{head:>width$}")
            }
        })
    }

    /// The figures of a session.
    pub fn figures(&self, session: &Session) -> String {
        let timeline = session.timeline();
        let bytes_of = |side: usize| timeline.client_leg().map_or(0, |leg| leg.bytes[side]);
        let again: u64 = timeline.legs.iter().map(|leg| leg.retransmits()).sum();
        self.line(|column, _, width| match column {
            Column::Number => format!("{:>width$}", number(session)),
            Column::Client => format!("{:<width$}", cut(&session.which.client.to_string(), width)),
            Column::Progress => progress(session, width),
            Column::Front => round_trips(timeline.leg(LegName::Front), width - 6),
            Column::Back => round_trips(timeline.leg(LegName::Back), width - 6),
            Column::Sent => format!("{:>width$}", bytes(bytes_of(0))),
            Column::Received => format!("{:>width$}", bytes(bytes_of(1))),
            Column::Again => format!("{again:>width$}"),
        })
    }

    fn line(&self, says: impl Fn(Column, &str, usize) -> String) -> String {
        let columns: Vec<String> = self.0.iter().map(|(column, head, width)| says(*column, head, *width)).collect();
        columns.join(" ")
    }
}

/// As it is called: 3, or 3.2.
pub fn number(session: &Session) -> String {
    let which = session.which;
    which.part.map_or(which.session.to_string(), |part| format!("{}.{part}", which.session))
}

/// A session's two lines.
pub fn row(columns: &Columns, session: &Session, now: Timestamp, is_selected: bool, width: usize) -> [Vec<Piece>; 2] {
    let mark = if is_selected { "> " } else { "  " };
    let (role, says) = standing(session, now);
    let figures = (if is_selected { Role::Title } else { Role::Plain }, format!("{mark}{}", columns.figures(session)));
    let indent = " ".repeat(if width < 60 { 4 } else { MARK + 6 });
    let says = cut(&shown::line(&says), width.saturating_sub(indent.len()));
    [vec![figures], vec![(Role::Plain, indent), (role, says)]]
}

/// How it stands, or its verdict, in one line.
pub fn standing(session: &Session, now: Timestamp) -> Piece {
    let diagnosed = match &session.state {
        State::Running(_) => return (Role::Going, going(session, now)),
        State::Over(diagnosed) => diagnosed,
    };
    let primary = diagnosed.findings.first().filter(|_| !diagnosed.withdrawn);
    match (diagnosed.outcome, primary) {
        (outcome @ (Outcome::Failed | Outcome::Broken), Some(finding)) => (Role::Bad, failed(outcome, finding)),
        (Outcome::Failed | Outcome::Broken, None) if diagnosed.withdrawn => {
            (Role::Soft, format!("withdrawn: {}", verdict::of_session(diagnosed)))
        }
        (outcome @ (Outcome::Failed | Outcome::Broken), None) => {
            let says = verdict::of_session(diagnosed);
            let name = outcome.name();
            (Role::Bad, says.strip_prefix(name).map_or(says.clone(), |rest| name.to_uppercase() + rest))
        }
        (Outcome::Connected, Some(finding)) if finding.severity != Severity::Note => {
            (Role::Good, format!("{}; {}: {}", verdict::of_session(diagnosed), finding.cause.id, finding.cause.name))
        }
        (Outcome::Connected, _) => (Role::Good, verdict::of_session(diagnosed)),
        (Outcome::Unfinished, _) => (Role::Soft, verdict::of_session(diagnosed)),
    }
}

/// The cause first: the line may be cut.
fn failed(outcome: Outcome, finding: &Finding) -> String {
    let Finding { cause, phase, confidence, .. } = finding;
    let what = outcome.name().to_uppercase();
    format!("{what} in {phase}: {}: {} ({})", cause.id, cause.name, confidence.name())
}

fn going(session: &Session, now: Timestamp) -> String {
    let (timeline, now) = (session.timeline(), session.moment(now));
    let says = phase_going(timeline, now);
    text::waits_for(timeline, now).map_or(says.clone(), |waits| format!("{says}, {waits}"))
}

fn phase_going(timeline: &Timeline, now: Timestamp) -> String {
    let since = |at: Timestamp| age(now.since(at));
    let Some(phase) = timeline.phases.last() else { return "begins".into() };
    // Both legs have their TCP at about the same time.
    let open = timeline.phases.iter().rev().find(|phase| phase.outcome == phase::Outcome::Open);
    match open {
        Some(open) if open.name == PhaseName::Active => format!("active for {}", since(open.began)),
        Some(open) => format!("{} for {}", open.name, since(open.began)),
        None if phase.outcome == phase::Outcome::Failed => {
            format!("{} FAILED {} ago, not closed yet", phase.name, since(phase.ended))
        }
        None => format!("{} done, nothing for {}", phase.name, since(timeline.last)),
    }
}
