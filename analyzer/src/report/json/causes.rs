//! The catalogue of causes, for scripts.

use super::{SCHEMA, Value, json, pretty};
use crate::causes::{self, Cause, Visibility};
use crate::codes;

/// One document for all of them, or for one.
pub fn catalogue<'a>(version: &str, causes: impl IntoIterator<Item = &'a Cause>) -> String {
    let causes: Vec<Value> = causes.into_iter().map(cause).collect();
    pretty(&json!({ "rdpscope": version, "schema": SCHEMA, "causes": causes }))
}

fn cause(cause: &Cause) -> Value {
    json!({
        "cause": cause.id,
        "layer": cause.layer.name(),
        "name": cause.name,
        "visibility": visibility(cause.visibility),
        "evidence": cause.evidence,
        "tell_by": cause.sign,
        "looks_like": cause.looks_like,
        "groups": causes::groups(cause.id).map(|group| json!({ "causes": group.ids, "told_by": group.by })).collect::<Vec<_>>(),
        "confidence": cause.confidence.name(),
        "settle_by": cause.tools.iter().map(|tool| tool.command()).collect::<Vec<_>>(),
        "check": cause.check,
        "fix": cause.fix,
        "cannot_tell": cause.cannot_tell,
        "spec": cause.spec,
        "mstsc": cause.mstsc,
        "codes": codes::of_cause(cause.id).iter().map(super::explain::entry).collect::<Vec<_>>(),
    })
}

fn visibility(visibility: Visibility) -> Value {
    let name = visibility.name();
    match visibility {
        Visibility::Rule | Visibility::Set => json!({ "known_by": name }),
        Visibility::Plaintext { message } => json!({ "known_by": name, "message": message }),
        Visibility::Hidden { among, settles } => json!({ "known_by": name, "among": among, "settles": settles }),
        Visibility::Unread(packets) => json!({ "known_by": name, "packets": packets }),
    }
}
