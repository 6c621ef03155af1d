//! An HTML page read as strictly as it is meant: every element closed, every attribute quoted, nothing that runs or loads.

use std::collections::{HashMap, HashSet};

/// One element, in the order of the page.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: HashMap<String, String>,
    /// All text in it, what is in its children included.
    pub text: String,
    /// The place of the element around it.
    pub parent: Option<usize>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// A page's body.
pub struct Page(pub Vec<Element>);

/// The elements that a report is made of.
const KNOWN: &str = "a article body caption circle code dd defs details div dl dt footer g h1 h2 h3 h4 header li line main \
                     nav ol p pattern polygon rect section span strong summary svg table tbody td text th thead title tr ul";

impl Page {
    /// Reads it. Whatever is not as it should be ends the test.
    pub fn read(whole: &str) -> Page {
        let (head, body) = whole.split_once("</head>").expect("a head");
        assert!(head.contains("default-src 'none'") && !head.contains("-inline"), "no strict policy");
        let body = body.trim().strip_suffix("</html>").expect("an end").trim();
        let known: HashSet<&str> = KNOWN.split_whitespace().collect();
        let mut page = Page(Vec::new());
        let mut open: Vec<usize> = Vec::new();
        let mut rest = body;
        while let Some(at) = rest.find('<') {
            page.says(&open, &rest[..at]);
            let (tag, behind) = rest[at + 1..].split_once('>').expect("a tag that ends");
            rest = behind;
            if let Some(name) = tag.strip_prefix('/') {
                let closes = open.pop().expect("something is open");
                assert_eq!(page.0[closes].name, name, "closed in order");
                continue;
            }
            let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(known.contains(name), "an element that no report has: {name:?}");
            page.0.push(Element {
                name: name.into(),
                attributes: read_attributes(attributes),
                text: String::new(),
                parent: open.last().copied(),
            });
            if !is_empty {
                open.push(page.0.len() - 1);
            }
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "{} elements are left open", open.len());
        page
    }

    fn says(&mut self, open: &[usize], text: &str) {
        assert!(!text.contains('>'), "a bare > in {text:?}");
        let text = plain(text);
        open.iter().for_each(|place| self.0[*place].text += &text);
    }

    /// All of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.0.iter().filter(move |element| element.name == name)
    }

    /// What must hold of every report.
    pub fn check(&self) {
        self.check_references();
        self.check_headings();
        self.check_names();
    }

    /// Ids stand once, and whatever is referred to is there.
    fn check_references(&self) {
        let mut ids = HashSet::new();
        for id in self.0.iter().filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id), "twice: {id}");
        }
        for element in &self.0 {
            let href = element.attribute("href").map(|href| href.strip_prefix('#').expect("a link within the page"));
            for id in [href, element.attribute("aria-labelledby")].into_iter().flatten() {
                assert!(ids.contains(id), "nothing has the id {id}");
            }
            let bad = |name: &&String| {
                name.starts_with("on") || matches!(name.as_str(), "style" | "src" | "srcset" | "action")
            };
            assert_eq!(element.attributes.keys().find(bad), None, "{element:?}");
        }
    }

    /// One h1, and no level is left out on the way down.
    fn check_headings(&self) {
        let mut level = 0;
        for heading in self.0.iter().filter(|element| ["h1", "h2", "h3", "h4"].contains(&element.name.as_str())) {
            let next: usize = heading.name[1..].parse().expect("a level");
            assert!(next <= level + 1, "h{next} behind h{level}: {}", heading.text);
            assert!(!heading.text.trim().is_empty(), "an empty heading");
            level = next;
        }
        assert_eq!(self.all("h1").count(), 1);
        assert_eq!(self.all("main").count(), 1);
    }

    /// Whoever does not see the page is told what everything is.
    fn check_names(&self) {
        for svg in self.all("svg") {
            let is_ornament = svg.attribute("aria-hidden") == Some("true");
            let is_named = svg.attribute("role") == Some("img")
                && svg.attribute("aria-label").is_some_and(|says| !says.is_empty());
            assert!(is_ornament != is_named, "{svg:?}");
        }
        for head in self.all("th") {
            assert!(head.attribute("scope").is_some(), "{head:?}");
        }
        for link in self.all("a") {
            assert!(!link.text.trim().is_empty(), "a link without words");
        }
        for table in self.0.iter().enumerate().filter(|(_, element)| element.name == "table").map(|(place, _)| place) {
            assert!(
                self.0.iter().any(|element| element.name == "th" && self.is_in(element, table)),
                "a table without headers"
            );
        }
    }

    fn is_in(&self, element: &Element, around: usize) -> bool {
        let mut parent = element.parent;
        while let Some(place) = parent {
            if place == around {
                return true;
            }
            parent = self.0[place].parent;
        }
        false
    }
}

fn read_attributes(mut rest: &str) -> HashMap<String, String> {
    let mut attributes = HashMap::new();
    while !rest.trim().is_empty() {
        let (name, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("an attribute without quotes: {rest:?}"));
        let (value, behind) = behind.split_once('"').expect("a quote that ends");
        let is_new = attributes.insert(name.trim().to_owned(), plain(value)).is_none();
        assert!(is_new, "twice: {name}");
        rest = behind;
    }
    attributes
}

/// Text without references; any that a report does not write ends the test.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split('&');
    plain += parts.next().unwrap_or_default();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or_else(|| panic!("a bare & in {text:?}"));
        plain += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#39" => "'",
            other => panic!("an unknown reference: {other}"),
        };
        plain += rest;
    }
    plain
}
