//! The one way in which HTML is written: names of elements and attributes are constants of this program, everything else
//! is escaped. There is no way to write a string as it is.

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
/// turns the reading direction by its number, and no more of it than anybody reads.
fn escape(out: &mut String, text: &str) {
    for c in text.chars().take(LONGEST) {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\'' => *out += "&#39;",
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_hidden(c) => *out += &format!("\u{27e8}U+{:04X}\u{27e9}", u32::from(c)),
            c => out.push(c),
        }
    }
    let whole = text.chars().count();
    if whole > LONGEST {
        *out += &format!("\u{2026} ({whole} characters)");
    }
}

/// Control characters, what turns the direction of a text, what is not seen at all, and what is no character.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0xe0000..=0xe0fff)
        || u32::from(c) & 0xfffe == 0xfffe
}
