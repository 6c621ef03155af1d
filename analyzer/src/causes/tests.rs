//! What must hold of the whole catalogue.

use super::*;
use crate::codes::{self, Table};

#[test]
fn every_cause_stands_once_in_its_layer() {
    let mut ids: Vec<_> = all().map(|cause| cause.id).collect();
    ids.sort_unstable();
    let doubled: Vec<_> = ids.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    for layer in Layer::ALL {
        assert!(!layer.causes().is_empty() && layer.causes().iter().all(|cause| cause.layer == layer), "{layer:?}");
    }
}

#[test]
fn every_cause_says_enough() {
    for cause in all() {
        let says = [cause.name, cause.evidence, cause.sign, cause.check, cause.fix, cause.spec];
        assert!(says.iter().all(|text| !text.is_empty() && !text.contains("  ")), "{}", cause.id);
        assert!(!cause.tools.is_empty() && !cause.looks_like.is_empty(), "{}", cause.id);
    }
}

#[test]
fn causes_name_only_causes() {
    let known = |cause: &Cause, ids: &[&str]| {
        for (place, id) in ids.iter().enumerate() {
            assert!(all().any(|known| known.id == *id), "{}: {id}", cause.id);
            assert!(*id != cause.id && !ids[..place].contains(id), "{}: {id}", cause.id);
        }
    };
    for cause in all() {
        known(cause, cause.looks_like);
        match cause.visibility {
            Visibility::Hidden { among, settles } => {
                known(cause, among);
                assert!(!among.is_empty() && !settles.is_empty(), "{}", cause.id);
                assert!(among.iter().all(|id| cause.looks_like.contains(id)), "{}", cause.id);
            }
            Visibility::Plaintext { message } => assert!(!message.is_empty(), "{}", cause.id),
            Visibility::Rule | Visibility::Set | Visibility::Unread(_) => {}
        }
    }
}

#[test]
fn what_no_rule_can_see_is_never_more_than_possible() {
    for cause in all() {
        match cause.visibility {
            Visibility::Plaintext { .. } | Visibility::Hidden { .. } | Visibility::Unread(_) => {
                assert_eq!(cause.confidence, Confidence::Possible, "{}", cause.id);
            }
            Visibility::Rule | Visibility::Set => {}
        }
    }
}

#[test]
fn groups_are_small_and_their_causes_look_alike() {
    for group in GROUPS {
        assert!((2..=3).contains(&group.ids.len()) && !group.by.is_empty(), "{group:?}");
        for id in group.ids {
            let cause = all().find(|cause| cause.id == *id).unwrap_or_else(|| panic!("{id}"));
            let others = group.ids.iter().filter(|other| *other != id);
            assert!(others.into_iter().all(|other| cause.looks_like.contains(other)), "{id}: {group:?}");
        }
    }
}

#[test]
fn tables_of_codes_name_known_causes_only() {
    for table in codes::TABLES {
        for code in table.codes {
            for id in code.causes {
                assert!(cause(id).is_some(), "{} {:#x}: {id}", table.key, code.number);
            }
        }
    }
}

#[test]
fn known_texts_name_known_causes_only() {
    for phrase in codes::phrases::all() {
        let unknown: Vec<_> = phrase.causes.iter().filter(|id| cause(id).is_none()).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", phrase.text);
    }
}

#[test]
fn what_mstsc_shows_stands_in_its_tables() {
    let number = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).expect("hex");
    let stands = |key: &str, text: &str| Table::keyed(key).is_some_and(|table| table.code(number(text)).is_some());
    for cause in all() {
        for shown in cause.mstsc {
            let (reason, extended) = shown.split_once('/').unwrap_or((shown, "0x0"));
            assert!(stands("mstsc", reason), "{}: {shown}", cause.id);
            assert!(stands("extended", extended) || stands("errinfo", extended), "{}: {shown}", cause.id);
        }
    }
}
