//! Two sessions, or two legs, side by side.

use std::fmt::Write as _;

use super::{length, para};
use crate::compare::{Comparison, Difference, PhasePair};
use crate::report::columns::Columns;
use crate::timeline::phase::Outcome;

/// Longer lists are cut: they are in the JSON.
const MOST: usize = 240;
const FACTS: Columns = Columns(&[25, 26, 26]);
const NUMBERS: Columns = Columns(&[25, 20, 20, 9]);

/// What a comparison says, below a line of `lead` for each of the two.
pub fn comparison(comparison: &Comparison, lead: [&str; 2]) -> String {
    let mut text = String::new();
    for (label, says) in ["1", "2"].iter().zip(lead) {
        para(&mut text, &format!("{label}  "), says);
    }
    match &comparison.parting {
        Some(parting) => para(&mut text, "they part in ", &format!("{}: {}", parting.phase, parting.says)),
        None if comparison.differs() => text.push_str("they part at the end\n"),
        None => text.push_str("nothing differs that matters\n"),
    }
    facts(&mut text, comparison);
    phases(&mut text, &comparison.phases);
    measures(&mut text, comparison);
    text
}

fn facts(text: &mut String, comparison: &Comparison) {
    if comparison.facts.is_empty() {
        return;
    }
    text.push('\n');
    FACTS.row(text, &["what differs", "1", "2"]);
    for Difference { phase, name, says, matters } in &comparison.facts {
        let mark = if *matters { "" } else { " (no matter)" };
        let cells = says.each_ref().map(|says| cut(says.as_deref().unwrap_or("-")));
        let phase = phase.map(|phase| format!("{phase}: ")).unwrap_or_default();
        FACTS.row(text, &[&format!("{phase}{name}{mark}"), &cells[0], &cells[1]]);
    }
}

fn cut(says: &str) -> String {
    match says.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} ...", &says[..at]),
        None => says.to_owned(),
    }
}

fn phases(text: &mut String, phases: &[PhasePair]) {
    if phases.is_empty() {
        return;
    }
    text.push('\n');
    NUMBERS.row(text, &["phase", "1", "2", "2 by 1"]);
    for pair in phases {
        let took = pair.took.map(|took| match took {
            Some((Some(took), Outcome::Done)) => length(took),
            Some((Some(took), outcome)) => format!("{} {}", length(took), outcome.name()),
            Some((None, outcome)) => outcome.name().to_owned(),
            None => "-".to_owned(),
        });
        let mark = if pair.stands_out { " !" } else { "" };
        let ratio = pair.ratio.map_or(String::new(), |ratio| format!("{ratio:.1}{mark}"));
        NUMBERS.row(text, &[pair.phase.name(), &took[0], &took[1], &ratio]);
    }
}

fn measures(text: &mut String, comparison: &Comparison) {
    if comparison.measures.is_empty() {
        return;
    }
    let _infallible = writeln!(text);
    for pair in &comparison.measures {
        let cells = pair.numbers.map(|number| number.map_or("-".to_owned(), |number| number.to_string()));
        NUMBERS.row(text, &[pair.name, &cells[0], &cells[1], ""]);
    }
}
