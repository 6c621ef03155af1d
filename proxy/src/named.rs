//! How paths read in messages: on one line, and without what drives a terminal.

use std::path::Path;

use analyzer::shown;

/// Of a path that somebody chose.
pub trait Named {
    /// As it is shown.
    fn named(&self) -> String;
}

impl Named for Path {
    fn named(&self) -> String {
        shown::line(&self.to_string_lossy()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(Path::new("d/\u{1b}[31mx\n#9 \u{202e}é.pcapng").named(), r"d/\u{1b}[31mx\n#9 \u{202e}é.pcapng");
    }
}
