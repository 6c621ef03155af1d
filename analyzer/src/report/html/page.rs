//! The one way in which HTML is written: names of elements and attributes are constants of this program, everything else
//! is escaped. There is no way to write a string as it is.

use crate::shown;

/// Characters of one text that are shown; no peer makes a page long.
const LONGEST: usize = 600;

/// A page, or a part of one.
#[derive(Default)]
pub struct Page(String);

/// Attributes of an element.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Page {
    /// A page that begins with its doctype and `head`, both of constants, and ends when `body` has been written.
    pub fn whole(head: &'static str, style: &'static str, title: &str, body: impl FnOnce(&mut Page)) -> String {
        let mut page = Page(format!("<!doctype html>\n<html lang=\"en\">\n<head>\n{head}"));
        page.element("title", &[], title);
        page.0 += &format!("\n<style>{style}</style>\n</head>\n");
        page.within("body", &[], body);
        page.0 += "\n</html>\n";
        page.0
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.0
    }

    /// The beginning of an element that another part of the page ends.
    pub fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.begin(name, attributes);
        self.0 += ">\n";
    }

    /// An element and what is in it.
    pub fn within(&mut self, name: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Page)) {
        self.begin(name, attributes);
        self.0.push('>');
        inside(self);
        self.0 += "</";
        self.0 += name;
        self.0 += ">";
        // Blanks between blocks say nothing; a line each keeps the source readable.
        if matches!(name, "section" | "article" | "tr" | "table" | "header" | "p" | "li" | "dl" | "svg" | "div") {
            self.0.push('\n');
        }
    }

    /// An element with a text in it.
    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.within(name, attributes, |page| page.text(text));
    }

    /// An element that holds nothing: void in HTML, or of SVG, where the slash closes it.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.begin(name, attributes);
        self.0 += "/>";
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    fn begin(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0 += name;
        for (name, value) in attributes {
            self.0.push(' ');
            self.0 += name;
            self.0 += "=\"";
            escape(&mut self.0, value);
            self.0.push('"');
        }
    }
}

/// Writes a text so that it can be nothing but text: what has a meaning in HTML as references, what drives a terminal or
/// turns the reading direction escaped as everywhere ([`shown`]), and no more of it than anybody reads.
fn escape(out: &mut String, text: &str) {
    for c in text.chars().take(LONGEST) {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\'' => *out += "&#39;",
            '\t' | '\n' | '\r' => out.push(' '),
            c if shown::is_hidden(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    let whole = text.chars().count();
    if whole > LONGEST {
        *out += &format!("\u{2026} ({whole} characters)");
    }
}
