//! Whose time it was, for scripts.

use super::{Value, json};
use crate::attribution::{Balance, Stall, stalls};
use crate::timeline::Timeline;

/// What the path should have cost and what it did.
pub(super) fn prediction(timeline: &Timeline) -> Value {
    let Some(balance) = Balance::of(timeline) else { return Value::Null };
    let predicted = balance.predicted;
    json!({
        "round_trips": predicted.round_trips,
        "rtt_ns": predicted.rtt.as_nanos() as u64,
        "loss_permille": predicted.loss_permille,
        "rto_ns": predicted.rto.as_nanos() as u64,
        "predicted_ns": predicted.time().as_nanos() as u64,
        "took_ns": balance.took.as_nanos() as u64,
        "travelled_ns": balance.travelled.as_nanos() as u64,
        "retransmission_ns": balance.retransmission.as_nanos() as u64,
        "impairment_ns": balance.held.as_nanos() as u64,
    })
}

/// Every stall with its owner.
pub(super) fn attribution(timeline: &Timeline) -> Vec<Value> {
    stalls(timeline).iter().map(stall).collect()
}

fn stall(stall: &Stall) -> Value {
    json!({
        "owner": stall.owner.name(),
        "phase": stall.phase.name(),
        "since_ns": stall.since.0,
        "frame": stall.frame,
        "lasted_ns": stall.lasted.as_nanos() as u64,
        "round_trip_ns": stall.round_trip.as_nanos() as u64,
        "retransmission_ns": stall.retransmission.as_nanos() as u64,
        "impairment_ns": stall.held.as_nanos() as u64,
        "stopped_ns": stall.unwatched.as_nanos() as u64,
        "retransmitted": stall.again,
        "acknowledged": stall.was_acknowledged,
        "answered": stall.was_answered,
    })
}
