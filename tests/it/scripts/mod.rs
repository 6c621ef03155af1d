//! The stories: what a relay sees, line by line, and what must be said of it.
//!
//! Every story is judged as it is written, with its bytes cut into single bytes and at random places, and through a
//! recording and back: the answer must not change. Every rule has a story that fires it and one that almost does. After
//! a change that is meant, `UPDATE_EXPECT=1 cargo test scripts` rewrites what stands behind `says`; read the diff.

mod again;
mod gateway;
mod impaired;
mod negotiation;
mod parting;
mod path;
mod plain;
mod reach;
mod sealed;
mod stopped;
mod tls;

use std::path::Path;

use analyzer::attempt::Diagnosed;
use analyzer::causes::{self, Confidence, Visibility};
use analyzer::diagnose::RULES;

use crate::support::judge::judge;

/// One story.
pub struct Story {
    /// What happens, in a few words.
    pub name: &'static str,
    /// The rules that speak. Of a story that fails, the first of them names the cause.
    pub fires: &'static [&'static str],
    /// The rules that one might expect to speak and that must not.
    pub almost: &'static [&'static str],
    /// What the relay sees.
    pub script: &'static str,
    /// What must be said of it. Of the phases only those that are named are compared.
    pub says: &'static str,
}

/// Each table with the file it stands in.
const TABLES: [(&str, &[Story]); 10] = [
    ("reach.rs", reach::STORIES),
    ("negotiation.rs", negotiation::STORIES),
    ("tls.rs", tls::STORIES),
    ("sealed.rs", sealed::STORIES),
    ("path.rs", path::STORIES),
    ("impaired.rs", impaired::STORIES),
    ("stopped.rs", stopped::STORIES),
    ("again.rs", again::STORIES),
    ("plain.rs", plain::STORIES),
    ("gateway.rs", gateway::STORIES),
];

/// The tables from here on are of stories that secrets open.
const KEYED: usize = 8;

#[test]
fn of_the_way_to_the_server() {
    check_all(0);
}

#[test]
fn of_the_negotiation() {
    check_all(1);
}

#[test]
fn of_tls() {
    check_all(2);
}

#[test]
fn of_what_is_sealed_and_of_sessions_in_clear() {
    check_all(3);
}

#[test]
fn of_the_path() {
    check_all(4);
}

#[test]
fn of_what_is_done_on_purpose() {
    check_all(5);
}

#[test]
fn of_a_relay_that_was_stopped() {
    check_all(6);
}

#[test]
fn of_a_client_that_comes_again() {
    check_all(7);
}

#[test]
fn of_what_secrets_open() {
    check_all(KEYED);
}

#[test]
fn of_the_way_through_a_gateway() {
    check_all(9);
}

#[test]
fn every_rule_has_a_story_that_fires_it_and_one_that_almost_does() {
    let stories = || TABLES.iter().flat_map(|(_, stories)| stories.iter());
    for rule in RULES {
        assert!(stories().any(|story| story.fires.contains(&rule.name)), "nothing fires {:?}", rule.name);
        assert!(stories().any(|story| story.almost.contains(&rule.name)), "nothing almost fires {:?}", rule.name);
    }
    let named = stories().flat_map(|story| story.fires.iter().chain(story.almost));
    let unknown: Vec<_> = named.filter(|name| RULES.iter().all(|rule| rule.name != **name)).collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");
}

/// The catalogue claims no rule that does not speak, and forgets none that does.
#[test]
fn the_catalogue_calls_a_rule_what_a_story_names() {
    let named = named();
    let ruled = |id: &str| causes::cause(id).map(|cause| cause.visibility);
    let has_rule = |way: Visibility| matches!(way, Visibility::Rule | Visibility::Plaintext { .. });
    let silent: Vec<_> = causes::all()
        .filter(|cause| has_rule(cause.visibility) && named.iter().all(|(id, _)| *id != cause.id))
        .map(|cause| cause.id)
        .collect();
    assert!(silent.is_empty(), "called a rule, and no story names it: {silent:?}");
    let known = |id: &str| ruled(id).is_some_and(|way| has_rule(way) || way == Visibility::Set);
    let forgotten: Vec<_> = named.iter().filter(|(id, _)| !known(id)).collect();
    assert!(forgotten.is_empty(), "named by a story, and not called a rule: {forgotten:?}");
    let is_sealed = |id: &str| matches!(ruled(id), Some(Visibility::Plaintext { .. }));
    let guessed: Vec<_> = named_by(TABLES[..KEYED].iter()).into_iter().filter(|(id, _)| is_sealed(id)).collect();
    assert!(guessed.is_empty(), "named by a story without secrets, and called sealed: {guessed:?}");
}

#[test]
fn no_story_is_surer_of_a_cause_than_the_catalogue() {
    let surer = |(id, confidence): &(&str, &str)| {
        let most = causes::cause(id).map(|cause| cause.confidence);
        let sure = [Confidence::Certain, Confidence::Likely, Confidence::Possible];
        sure.into_iter().find(|known| known.name() == *confidence) < most
    };
    // What secrets open may be surer: the catalogue speaks of what shows without.
    let wrong: Vec<_> = named_by(TABLES[..KEYED].iter()).into_iter().filter(surer).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Every cause that a story names as a finding of its own, and how sure it is.
fn named() -> Vec<(&'static str, &'static str)> {
    named_by(TABLES.iter())
}

fn named_by<'a>(tables: impl Iterator<Item = &'a (&'a str, &'static [Story])>) -> Vec<(&'static str, &'static str)> {
    let lines = tables.flat_map(|(_, stories)| stories.iter()).flat_map(|story| story.says.lines());
    let finding = |line: &'static str| {
        let says = ["finding ", "warning ", "note "].iter().find_map(|kind| line.trim().strip_prefix(kind))?;
        let mut parts = says.split(", ");
        Some((parts.next()?, parts.nth(1)?))
    };
    lines.filter_map(finding).collect()
}

#[test]
fn no_two_stories_have_one_name() {
    let mut names: Vec<_> = TABLES.iter().flat_map(|(_, stories)| stories.iter().map(|story| story.name)).collect();
    names.sort_unstable();
    let doubled: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

fn check_all(table: usize) {
    let (file, stories) = TABLES[table];
    let complaints: Vec<String> = stories.iter().filter_map(|story| check(file, story).err()).collect();
    assert!(complaints.is_empty(), "{} of {} stories\n\n{}", complaints.len(), stories.len(), complaints.join("\n\n"));
}

fn check(file: &str, story: &Story) -> Result<(), String> {
    let expected = lines(story.says);
    let judged = std::panic::catch_unwind(|| judge(story.script, &phases(&expected)));
    let (said, sessions) = judged.map_err(|panic| format!("{}\n{}", story.name, words(&*panic)))?;
    let said = lines(&said);
    let speaks = |name: &str| sessions.iter().any(|session| finding_of(name, session).is_some());
    let silent = story.fires.iter().filter(|name| !speaks(name)).map(|name| format!("{name:?} does not speak"));
    let loud = story.almost.iter().filter(|name| speaks(name)).map(|name| format!("{name:?} speaks"));
    let mut wrong: Vec<String> = silent.chain(loud).chain(not_first(story, &sessions)).collect();
    if said != expected && std::env::var_os("UPDATE_EXPECT").is_some() {
        update(file, story.name, &said);
    } else if said != expected {
        wrong.push(format!("expected\n  {}\nsaid\n  {}", expected.join("\n  "), said.join("\n  ")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n{}", story.name, wrong.join("\n"))) }
}

/// The first rule that a story fires is the one whose cause stands first.
fn not_first(story: &Story, sessions: &[Diagnosed]) -> Option<String> {
    let rule = story.fires.first()?;
    let first = |session: &Diagnosed| finding_of(rule, session).is_none_or(|place| place == 0);
    (!sessions.iter().all(first)).then(|| format!("{rule:?} is not the first to speak"))
}

/// Where, among what is said of a session, a rule's finding stands. `None` where it has nothing to say, or where what
/// it says is explained by another.
fn finding_of(rule: &str, session: &Diagnosed) -> Option<usize> {
    let rule = RULES.iter().find(|known| known.name == rule)?;
    let finding = (rule.check)(&session.timeline)?;
    session.findings.iter().position(|said| said.says == finding.says)
}

/// What a panic says.
fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or("it panics", String::as_str)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The beginnings of the lines about phases; of a story without a word all phases of the server's leg.
fn phases(expected: &[String]) -> Vec<&str> {
    if expected.is_empty() {
        return vec!["name-resolution", "tcp on back", "negotiation", "tls", "credssp", "basic-settings", "active"];
    }
    let ends = [" on front: ", " on back: "];
    let beginning = |line: &'_ String| ends.iter().find_map(|end| Some(line.find(end)? + end.len()));
    expected
        .iter()
        .filter(|line| !line.starts_with("end on"))
        .filter_map(|line| Some(&line[..beginning(line)?]))
        .collect()
}

/// Rewrites what a story says, in its source.
fn update(file: &str, name: &str, said: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scripts").join(file);
    let source = std::fs::read_to_string(&path).expect("the source");
    let (before, story) = source.split_once(&format!("name: \"{name}\",")).expect("the story");
    let (head, rest) = story.split_once("says: \"").expect("what it says");
    let (_, tail) = rest.split_once('"').expect("the end of what it says");
    let lines: String = said.iter().map(|line| format!("            {line}\n")).collect();
    let updated = format!("{before}name: \"{name}\",{head}says: \"\n{lines}        \"{tail}");
    std::fs::write(&path, updated).expect("the source");
}
