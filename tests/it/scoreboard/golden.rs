//! The golden captures, read by the program: the labels are the causes that stand in their reports.

use std::fs;
use std::path::PathBuf;

use super::{Label, Row, Said, Section};
use crate::support::process::Outcome;
use proxy::lab::Scenario;

/// A name that does not resolve has no peers to label it.
const UNRESOLVED: (&str, Label) =
    ("name-does-not-resolve", Label { outcome: "failed", cause: Some("DNS-NX"), or: &[] });

#[test]
fn of_the_golden_captures() -> Outcome<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    files.sort();
    let rows: Outcome<Vec<Row>> = files.into_iter().map(row).collect();
    let section = Section {
        source: "golden captures",
        about: "The recordings in `captures/`, read by `rdpscope analyze`. The labels are those of the lab's scenarios of \
                the same names.",
        rows: rows?,
        known_wrong: Vec::new(),
    };
    section.check().unwrap_or_else(|complaint| panic!("{complaint}"));
    Ok(())
}

fn row(file: PathBuf) -> Outcome<Row> {
    let case = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let label = match Scenario::named(&case) {
        Some(scenario) => super::lab::label(scenario),
        None if case == UNRESOLVED.0 => UNRESOLVED.1,
        None => panic!("{case} has no label"),
    };
    // What must be said of it stands beside it, too, and is compared word for word elsewhere.
    let told = fs::read_to_string(file.with_extension("txt"))?;
    let causes = label.cause.into_iter().chain(label.or.iter().copied());
    assert!(label.cause.is_none() || causes.into_iter().any(|cause| told.contains(cause)), "{case}: {told}");
    Ok(Row { case, label, said: Said::of_files(&[file])? })
}
