//! Connections that carried no byte: what was refused, what was not answered. Only their endpoint tells what was wanted, and
//! another connection of the same capture may tell what that endpoint is for, before it or behind it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use super::server_of;
use crate::count::{counted, times};
use crate::observation::{Ending, Observation, Seen};

/// Observations of such connections that are kept, of all together: the latest.
const MAX_KEPT: usize = 1 << 15;
/// Of one connection: a SYN may be sent again many times.
const MAX_EACH: usize = 32;
/// Endpoints that are known to be used for RDP, and those that are counted.
const MAX_ENDPOINTS: usize = 4096;
/// Endpoints that are named in a notice.
const NAMED: usize = 8;

/// How a connection without a byte went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Refused,
    Unreachable,
    Unanswered,
    /// Whoever asked left before it stood.
    HalfOpen,
    /// It stood, and nobody said anything.
    Opened,
}

/// In the order of [`How`].
const WORDS: [&str; 5] =
    ["refused", "reported unreachable", "not answered", "left half open", "opened and closed without a byte"];

/// What is remembered of connections that carried no byte.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// The latest that did not come to stand, each with its endpoint.
    kept: VecDeque<(SocketAddr, Vec<Observation>)>,
    /// Observations in them.
    len: usize,
    /// Endpoints that were used for RDP.
    used: HashSet<SocketAddr>,
    /// How often which went how.
    counts: HashMap<SocketAddr, [u64; WORDS.len()]>,
    /// Connections to endpoints for which there was no room.
    more: u64,
}

impl Silent {
    /// An endpoint was used for RDP.
    pub(super) fn used(&mut self, server: SocketAddr) {
        if self.used.len() < MAX_ENDPOINTS {
            self.used.insert(server);
        }
    }

    /// A connection ended without a byte. Gives back those that are now known to have been meant for RDP.
    pub(super) fn push(&mut self, pending: Vec<Observation>) -> Vec<Vec<Observation>> {
        let Some(server) = server_of(&pending) else { return Vec::new() };
        let how = How::of(&pending);
        self.count(server, how);
        let ended = pending.iter().any(|observation| matches!(observation.seen, Seen::Closed { .. }));
        let is_failed = matches!(how, How::Refused | How::Unreachable | How::Unanswered) && ended;
        if !is_failed {
            return Vec::new();
        }
        let pending = shortened(pending);
        self.len += pending.len();
        self.kept.push_back((server, pending));
        let mut meant = Vec::new();
        while self.len > MAX_KEPT {
            let Some((server, oldest)) = self.kept.pop_front() else { break };
            self.len -= oldest.len();
            meant.extend(self.used.contains(&server).then_some(oldest));
        }
        meant
    }

    /// The capture is over: those that went to an endpoint that is known by now to be used for RDP.
    pub(super) fn take_meant(&mut self) -> Vec<Vec<Observation>> {
        let used = &self.used;
        self.kept.drain(..).filter(|(server, _)| used.contains(server)).map(|(_, pending)| pending).collect()
    }

    /// What a capture without any RDP in it holds of such connections.
    pub(super) fn notice(&self) -> Option<String> {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(server, counts)| (std::cmp::Reverse(counts.iter().sum::<u64>()), **server));
        let total: u64 = counts.iter().map(|(_, counts)| counts.iter().sum::<u64>()).sum::<u64>() + self.more;
        let named: Vec<String> = counts.iter().take(NAMED).map(|(server, counts)| says(**server, counts)).collect();
        let told: u64 = counts.iter().take(NAMED).map(|(_, counts)| counts.iter().sum::<u64>()).sum();
        let more = if total > told { format!("; and {} more", total - told) } else { String::new() };
        (total > 0).then(|| {
            format!(
                "{} carried no byte: {}{more}; --port N takes those to port N for Remote Desktop's",
                counted(total, "connection"),
                named.join("; ")
            )
        })
    }

    fn count(&mut self, server: SocketAddr, how: How) {
        let has_room = self.counts.len() < MAX_ENDPOINTS || self.counts.contains_key(&server);
        if has_room {
            self.counts.entry(server).or_default()[how as usize] += 1;
        } else {
            self.more += 1;
        }
    }
}

impl How {
    fn of(pending: &[Observation]) -> How {
        let is_open = pending.iter().any(|observation| observation.seen == Seen::Opened);
        let how = pending.iter().find_map(|observation| match observation.seen {
            Seen::Closed { how, .. } => Some(how),
            _ => None,
        });
        match how {
            _ if is_open => How::Opened,
            Some(Ending::Refused) => How::Refused,
            Some(Ending::Unreachable) => How::Unreachable,
            Some(Ending::Reset | Ending::Fin) => How::HalfOpen,
            Some(Ending::TimedOut | Ending::Unresolved | Ending::Cut) | None => How::Unanswered,
        }
    }
}

/// "10.0.0.2:3390 refused 3 times, not answered once"
fn says(server: SocketAddr, counts: &[u64; WORDS.len()]) -> String {
    let seen = WORDS.iter().zip(counts).filter(|(_, count)| **count > 0);
    let told: Vec<String> = seen.map(|(how, count)| format!("{how} {}", times(*count))).collect();
    format!("{server} {}", told.join(", "))
}

/// Its beginning and its end.
fn shortened(mut pending: Vec<Observation>) -> Vec<Observation> {
    if pending.len() > MAX_EACH {
        let end = pending.split_off(pending.len() - MAX_EACH / 2);
        pending.truncate(MAX_EACH / 2);
        pending.extend(end);
    }
    pending
}
