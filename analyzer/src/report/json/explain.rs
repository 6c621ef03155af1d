//! What a code means, for scripts.

use super::{Notice, SCHEMA, Value, json, pretty};
use crate::causes::Cause;
use crate::codes::Entry;
use crate::codes::phrases::Phrase;
use crate::explain::{Answer, Decision, Reading};
use crate::report::verdict;

/// One document for all that was asked, each answer with what the sessions say of it; of a line also where it stood there, and
/// what was not read.
pub fn explanations(
    version: &str,
    reading: &Reading,
    answers: &[(Answer, Vec<Decision<'_>>)],
    notices: &[Notice],
) -> String {
    let answers: Vec<Value> = answers.iter().map(|(answer, decisions)| self::answer(answer, decisions)).collect();
    let notices = super::notices(notices);
    pretty(&json!({
        "rdpscope": version,
        "schema": SCHEMA,
        "found": reading.found,
        "not_read": reading.unread,
        "answers": answers,
        "notices": notices,
    }))
}

fn answer(answer: &Answer, decisions: &[Decision<'_>]) -> Value {
    json!({
        "asked": answer.asked,
        "known": answer.is_known(),
        "text": answer.phrase.map(phrase),
        "codes": answer.entries.iter().map(entry).collect::<Vec<_>>(),
        "others": answer.others.iter().map(entry).collect::<Vec<_>>(),
        "class": answer.class.map(|(class, index)| json!({ "name": class, "index": index })),
        "only_says_that_the_socket_closed": answer.socket_closed,
        "causes": answer.causes.iter().map(|known| cause(known)).collect::<Vec<_>>(),
        "decisions": decisions.iter().map(decision).collect::<Vec<_>>(),
    })
}

pub(super) fn entry((table, code): &Entry) -> Value {
    json!({
        "table": table.key,
        "title": table.title,
        "number": code.number,
        "hex": format!("{:#x}", code.number),
        "name": code.name,
        "meaning": code.meaning,
        "note": table.note,
        "source": table.source(code),
    })
}

fn phrase(phrase: &Phrase) -> Value {
    json!({
        "text": phrase.text,
        "shown_by": phrase.shown_by,
        "meaning": phrase.means,
        "source": phrase.source,
    })
}

fn cause(cause: &Cause) -> Value {
    json!({
        "cause": cause.id,
        "name": cause.name,
        "tell_by": cause.sign,
        "settle_by": cause.tools.iter().map(|tool| tool.command()).collect::<Vec<_>>(),
        "fix": cause.fix,
    })
}

fn decision(decision: &Decision<'_>) -> Value {
    let ids = |causes: &[&Cause]| causes.iter().map(|cause| cause.id).collect::<Vec<_>>();
    json!({
        "file": decision.session.file,
        "verdict": verdict::of_session(decision.session),
        "shown": decision.shown.map(super::finding),
        "fits": decision.fits,
        "direct_equivalent": decision.direct,
        "excluded": decision.excluded.iter().map(|(reason, causes)| json!({
            "causes": ids(causes), "because": reason,
        })).collect::<Vec<_>>(),
        "still_open": ids(&decision.possible),
    })
}
