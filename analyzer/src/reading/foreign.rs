//! Connections to endpoints of Remote Desktop that carry something else: what, and how often.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::rdp::prelude;

/// Endpoints and what was spoken there that are counted apart.
const MAX_KINDS: usize = 4096;
/// Of these so many are named.
const NAMED: usize = 8;

/// What was spoken, by endpoint.
#[derive(Debug, Default)]
pub(super) struct Others {
    counts: BTreeMap<(SocketAddr, &'static str), u64>,
    total: u64,
}

impl Others {
    /// A connection with this endpoint began with these bytes of its client.
    pub(super) fn push(&mut self, server: Option<SocketAddr>, client: &[u8]) {
        let Some(server) = server else { return };
        let kind = (server, prelude::speaks(client));
        self.total += 1;
        if self.counts.len() < MAX_KINDS || self.counts.contains_key(&kind) {
            *self.counts.entry(kind).or_default() += 1;
        }
    }

    pub(super) fn notice(&self) -> Option<String> {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        counts.truncate(NAMED);
        let told: u64 = counts.iter().map(|(_, count)| **count).sum();
        let times = |count: u64| if count == 1 { "once".into() } else { format!("{count} times") };
        let named = counts.iter().map(|((server, speaks), count)| format!("{server}: {speaks} ({})", times(**count)));
        let named: Vec<String> = named.collect();
        let more = if self.total > told { format!("; and {} more", self.total - told) } else { String::new() };
        let connections = if self.total == 1 { "connection" } else { "connections" };
        (self.total > 0).then(|| {
            format!(
                "{} {connections} with endpoints of Remote Desktop carried something else: {}{more}",
                self.total,
                named.join("; ")
            )
        })
    }
}
