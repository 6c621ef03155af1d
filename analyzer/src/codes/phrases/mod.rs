//! What programs say in words: of dialogs, logs and messages the part that never changes.
//!
//! Texts are kept in lower case, with single blanks and straight quotes: whoever looks for them brings a line into that form.

mod dialogs;
mod freerdp;
mod system;
mod windows;
mod xrdp;

/// A text by which a message is known.
#[derive(Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The text: lower case, single blanks, straight quotes.
    pub text: &'static str,
    /// Who says it: "mstsc, German".
    pub shown_by: &'static str,
    /// What it means; empty where its code says it.
    pub means: &'static str,
    /// What can be behind it: ids of [`crate::causes`]; empty where the code's are meant.
    pub causes: &'static [&'static str],
    /// Where that is said.
    pub source: &'static str,
    /// The code that stands for the same: key of a table, and number.
    pub code: Option<(&'static str, u32)>,
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Phrase> {
    [dialogs::PHRASES, windows::PHRASES, xrdp::PHRASES, freerdp::PHRASES, system::PHRASES].into_iter().flatten()
}

const fn phrase(
    text: &'static str,
    shown_by: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    source: &'static str,
    code: Option<(&'static str, u32)>,
) -> Phrase {
    Phrase { text, shown_by, means, causes, source, code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Table;

    #[test]
    fn every_phrase_is_in_its_form_and_says_enough() {
        let mut texts: Vec<&str> = all().map(|phrase| phrase.text).collect();
        for phrase in all() {
            let form = phrase.text.to_lowercase().replace(['\u{2019}', '\u{a0}'], "'");
            assert_eq!(phrase.text, form.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(!phrase.source.is_empty() && !phrase.shown_by.is_empty(), "{}", phrase.text);
            assert!(phrase.code.is_some() || !phrase.means.is_empty(), "{}", phrase.text);
            if let Some((key, number)) = phrase.code {
                assert!(Table::keyed(key).and_then(|table| table.code(number)).is_some(), "{}", phrase.text);
            }
        }
        texts.sort_unstable();
        let doubled: Vec<_> = texts.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
    }
}
