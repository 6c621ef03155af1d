//! What no peer can do to a page, and what every page has.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::*;

fn written(text: &str) -> String {
    Page::whole("", "", "title", |page| page.within("p", &[("class", text)], |page| page.text(text)))
}

#[test]
fn the_policy_names_the_hash_of_the_style() {
    let hash = format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(STYLE)));
    assert!(HEAD.contains(&hash), "HEAD must allow {hash}");
    assert!(!STYLE.contains("</") && !STYLE.contains("url("), "the style ends itself or loads something");
}

#[test]
fn whatever_is_written_is_text() {
    let page = written("<script>alert(\"x\")</script> & 'y'");
    assert!(page.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn what_is_not_seen_is_shown_by_its_number() {
    let page = written("a\u{202e}b\u{0}c\u{1b}[31md\u{200b}e\u{2066}f\u{feff}g\u{85}h\u{fffe}i\nj");
    let shown = r"a\u{202e}b\u{0}c\u{1b}[31md\u{200b}e\u{2066}f\u{feff}g\u{85}h\u{fffe}i j";
    assert_eq!(page.matches(shown).count(), 2, "{page}");
}

#[test]
fn no_peer_makes_a_page_long() {
    let page = written(&"<".repeat(1_000_000));
    assert!(page.len() < 10_000 && page.contains("… (1000000 characters)"), "{}", page.len());
}

#[test]
fn numbers_read_well() {
    assert_eq!([count(0), count(999), count(1000), count(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
    assert_eq!([bytes(0), bytes(9_999), bytes(12_345), bytes(12_345_678)], ["0 B", "9,999 B", "12.3 kB", "12.3 MB"]);
}

#[test]
fn a_scale_has_a_few_round_moments() {
    for nanos in [1_u64, 7, 999, 1_500_000, 31_000_000, 21_000_000_000, 604_800_000_000_000, u64::MAX / 2] {
        let scale = svg::Scale { began: Default::default(), length: Duration::from_nanos(nanos) };
        let ticks = scale.ticks();
        assert!(ticks.len() <= 5 && ticks.iter().all(|(at, _)| (0.0..0.93).contains(at)), "{nanos}: {ticks:?}");
    }
}
