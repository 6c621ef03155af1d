//! One session in full: what is said of it, its phases, its messages. Text, line by line.

use analyzer::report::text;
use analyzer::shown;
use analyzer::time::Timestamp;

use super::board::{Session, State};
use super::figures::fold;

/// What is to be read of it, in so many columns. How it stands is in the line above.
pub fn lines(session: &Session, now: Timestamp, width: usize) -> Vec<String> {
    let timeline = session.timeline();
    let said = match &session.state {
        State::Running(_) => text::so_far(timeline, session.moment(now)),
        State::Over(diagnosed) => text::session(diagnosed),
    };
    let primary = match &session.state {
        State::Running(_) => None,
        State::Over(diagnosed) => diagnosed.findings.first(),
    };
    let all = said + &text::ladder(timeline, primary);
    all.lines().flat_map(|line| fold(&shown::line(line), width)).collect()
}
