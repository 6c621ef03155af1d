//! The lengths of the messages by which the sequence is told: what the protocols say, what each pair of peers says, and what
//! would be known of a pair from all others alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use analyzer::event::{Event, Finalization, McsPdu, RdpPdu, What};

use super::Pair;

/// As in `analyzer/src/timeline/inferred/shape.rs`, by direct count of the headers.
const SHAPES: &[(&str, u32, u32)] = &[
    ("Early User Authorization Result", 4, 4),
    ("Erect Domain Request", 12, 18),
    ("Attach User Request", 8, 8),
    ("Attach User Confirm", 9, 11),
    ("Channel Join Request", 12, 12),
    ("Channel Join Confirm", 13, 15),
    ("licensing error alert", 34, 35),
    ("Synchronize", 36, 37),
    ("Control, Font List, Font Map", 40, 41),
    ("Set Error Info", 36, 37),
    ("Disconnect Provider Ultimatum", 9, 9),
];

/// Shortest and longest plaintext of each message that had a record of its own, by peers.
#[derive(Default)]
pub struct Lengths(BTreeMap<&'static str, BTreeMap<Pair, (u32, u32)>>);

impl Lengths {
    /// Takes one record and what stands in it.
    pub fn add(&mut self, pair: &Pair, record: &[Event]) {
        let len = record.iter().find_map(|event| match event.what {
            What::Decrypted { kind: 23, len, .. } => Some(len),
            _ => None,
        });
        let messages = record.iter().filter(|event| {
            matches!(event.what, What::Mcs { .. } | What::Rdp { .. } | What::EarlyAuthorization { .. })
        });
        let messages: Vec<&Event> = messages.collect();
        if let (Some(len), [message]) = (len, &messages[..])
            && let Some(name) = name(&message.what)
        {
            let range = self.0.entry(name).or_default().entry(pair.clone()).or_insert((len, len));
            *range = (range.0.min(len), range.1.max(len));
        }
    }

    /// The table. All that was seen is what the protocols say.
    pub fn table(&self) -> String {
        let mut text = "\n| message | bytes, by the protocols | seen | pairs | unknown from the others |\n".to_owned();
        text += "|---|---|---|---|---|\n";
        for (name, least, most) in SHAPES {
            let Some(seen) = self.0.get(name) else { continue };
            let all = hull(seen.values());
            assert!(*least <= all.0 && all.1 <= *most, "{name}: {seen:?}");
            let left_out: BTreeSet<String> = seen.keys().filter_map(|pair| unknown(seen, pair)).collect();
            let left_out =
                if left_out.is_empty() { "-".into() } else { left_out.into_iter().collect::<Vec<_>>().join(", ") };
            let _infallible = writeln!(
                text,
                "| {name} | {} | {} | {} | {left_out} |",
                range((*least, *most)),
                range(all),
                seen.len()
            );
        }
        text
    }
}

/// A pair whose lengths are not among those of all others.
fn unknown(seen: &BTreeMap<Pair, (u32, u32)>, pair: &Pair) -> Option<String> {
    let others: Vec<&(u32, u32)> = seen.iter().filter(|(other, _)| *other != pair).map(|(_, range)| range).collect();
    if others.is_empty() {
        return None;
    }
    let (known, own) = (hull(others.into_iter()), seen[pair]);
    (own.0 < known.0 || known.1 < own.1).then(|| format!("{}-{}: {}", pair.0, pair.1, range(own)))
}

fn hull<'a>(ranges: impl Iterator<Item = &'a (u32, u32)>) -> (u32, u32) {
    ranges.fold((u32::MAX, 0), |all, range| (all.0.min(range.0), all.1.max(range.1)))
}

fn range((least, most): (u32, u32)) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

fn name(what: &What) -> Option<&'static str> {
    Some(match what {
        What::EarlyAuthorization { .. } => "Early User Authorization Result",
        What::Mcs { pdu: McsPdu::ErectDomainRequest, .. } => "Erect Domain Request",
        What::Mcs { pdu: McsPdu::AttachUserRequest, .. } => "Attach User Request",
        What::Mcs { pdu: McsPdu::AttachUserConfirm, .. } => "Attach User Confirm",
        What::Mcs { pdu: McsPdu::ChannelJoinRequest, .. } => "Channel Join Request",
        What::Mcs { pdu: McsPdu::ChannelJoinConfirm { .. }, .. } => "Channel Join Confirm",
        What::Mcs { pdu: McsPdu::DisconnectProviderUltimatum { .. }, .. } => "Disconnect Provider Ultimatum",
        What::Rdp { pdu: RdpPdu::License { message: 0xff, .. }, .. } => "licensing error alert",
        What::Rdp { pdu: RdpPdu::Finalization(Finalization::Synchronize), .. } => "Synchronize",
        What::Rdp { pdu: RdpPdu::Finalization(Finalization::PersistentKeyList), .. } => return None,
        What::Rdp { pdu: RdpPdu::Finalization(_), .. } => "Control, Font List, Font Map",
        What::Rdp { pdu: RdpPdu::SetErrorInfo { .. }, .. } => "Set Error Info",
        _ => return None,
    })
}
