//! Tables for people: columns in which words flow.

use std::fmt::Write as _;

use crate::shown;

/// Columns of these widths, two blanks before the first, one between them; words flow inside a column.
pub struct Columns(pub &'static [usize]);

impl Columns {
    /// One row: a cell for each column.
    pub fn row(&self, text: &mut String, cells: &[&str]) {
        let cells: Vec<Vec<String>> = cells.iter().zip(self.0).map(|(cell, width)| flow(cell, *width)).collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            let mut row = " ".to_owned();
            for (cell, width) in cells.iter().zip(self.0) {
                let _infallible = write!(row, " {:<width$}", cell.get(line).map_or("", String::as_str));
            }
            let _infallible = writeln!(text, "{}", row.trim_end());
        }
    }
}

fn flow(cell: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in shown::line(cell).split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
