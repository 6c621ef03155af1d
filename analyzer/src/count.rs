//! Numbers of things, in words: "1 packet", "2 packets".

/// A number with its noun, in the form that the number asks for.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", self::noun(count, noun))
}

/// The form of a noun that a number asks for.
pub fn noun(count: impl TryInto<u64>, noun: &str) -> String {
    if count.try_into().is_ok_and(|count| count == 1) { noun.to_owned() } else { plural(noun) }
}

/// How often something was: "once", "3 times".
pub fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// The word that goes with a number: `either(count, "is", "are")`.
pub fn either<'a>(count: impl TryInto<u64>, one: &'a str, many: &'a str) -> &'a str {
    if count.try_into().is_ok_and(|count| count == 1) { one } else { many }
}

/// Regular nouns alone: more are not counted anywhere.
fn plural(noun: &str) -> String {
    let is_vowel = |letter: char| "aeiou".contains(letter);
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!(counted(0, "packet"), "0 packets");
        assert_eq!(counted(1_usize, "packet"), "1 packet");
        assert_eq!(counted(2_u32, "entry"), "2 entries");
        assert_eq!(counted(3, "address"), "3 addresses");
        assert_eq!(counted(4, "key"), "4 keys");
        assert_eq!((times(1), times(2)), ("once".into(), "2 times".into()));
        assert_eq!((either(1, "is", "are"), either(0, "is", "are")), ("is", "are"));
    }
}
