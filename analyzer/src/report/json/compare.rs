//! Two sessions, or two legs, side by side, for scripts.

use super::{Notice, SCHEMA, json, notices};
use crate::compare::Comparison;

/// The document of a comparison.
pub fn comparison(version: &str, comparison: &Comparison, noted: &[Notice]) -> String {
    let facts = comparison.facts.iter().map(|fact| {
        json!({ "phase": fact.phase.map(|phase| phase.name()), "fact": fact.name, "first": fact.says[0], "second": fact.says[1], "matters": fact.matters })
    });
    let phases = comparison.phases.iter().map(|pair| {
        let ns = pair.took.map(|took| took.and_then(|(took, _)| Some(took?.as_nanos() as u64)));
        let how = pair.took.map(|took| took.map(|(_, outcome)| outcome.name()));
        json!({
            "phase": pair.phase.name(), "first_ns": ns[0], "second_ns": ns[1], "first": how[0], "second": how[1],
            "ratio": pair.ratio, "stands_out": pair.stands_out,
        })
    });
    let measures = comparison
        .measures
        .iter()
        .map(|pair| json!({ "measure": pair.name, "first": pair.numbers[0], "second": pair.numbers[1] }));
    let parting = comparison.parting.as_ref();
    let document = json!({
        "rdpscope": version,
        "schema": SCHEMA,
        "first": comparison.names[0],
        "second": comparison.names[1],
        "differs": comparison.differs(),
        "part_in": parting.map(|parting| json!({ "phase": parting.phase.name(), "by": parting.says })),
        "facts": facts.collect::<Vec<_>>(),
        "phases": phases.collect::<Vec<_>>(),
        "measures": measures.collect::<Vec<_>>(),
        "notices": notices(noted),
    });
    super::pretty(&document)
}
