//! What somebody may have meant who typed an id that does not exist.

use super::{Cause, all};

/// So many are offered.
const FEW: usize = 5;
/// More letters than this are no slip.
const SLIPS: usize = 3;

/// The causes whose ids are nearest: those that contain the word, else those a few letters away.
pub fn near(word: &str) -> Vec<&'static Cause> {
    let word = word.to_ascii_uppercase();
    let holds = |cause: &&Cause| word.len() > 1 && cause.id.contains(&word);
    let found: Vec<_> = all().filter(holds).take(FEW).collect();
    if !found.is_empty() {
        return found;
    }
    let mut close: Vec<_> = all().map(|cause| (distance(&word, cause.id), cause)).collect();
    close.retain(|(letters, _)| *letters <= SLIPS);
    close.sort_by_key(|(letters, _)| *letters);
    close.into_iter().map(|(_, cause)| cause).take(FEW).collect()
}

/// Letters to add, drop or change (Levenshtein 1966).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.bytes().enumerate() {
        let mut corner = above;
        row[0] = above + 1;
        for (place, b) in other.bytes().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_of_ids() {
        let check = |word: &str, expected: &[&str]| {
            let found: Vec<_> = near(word).iter().map(|cause| cause.id).collect();
            assert_eq!(found, expected, "{word}");
        };
        check("pmtu", &["PATH-PMTU"]);
        check("TLS-NOKEYS", &["TLS-NOKEY", "TLS-NOTTLS"]);
        check("TSL-NOKEY", &["TLS-NOKEY"]);
        check("lic", &["LIC-NOSRV", "LIC-CLIENT", "LIC-TIMEOUT"]);
        check("SOMETHING-ELSE", &[]);
        check("", &[]);
    }
}
