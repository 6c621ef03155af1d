//! What was done to packets, and how the peers themselves ended their connections: the truth to compare with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use analyzer::observation::Side;

/// What happened to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Lost by chance.
    Lost,
    /// Lost because the queue before a slow link was full.
    Overflowed,
    /// Delivered twice.
    Duplicated,
    /// Given more delay than one after it.
    Overtaken,
    /// Too long; nobody was told.
    TooLong,
    /// Too long; its sender was told by ICMP.
    ToldTooLong,
    /// The maximum segment size in it was lowered.
    Clamped,
    /// Made to vanish.
    Vanished,
    /// An RST was sent to the client.
    ResetToClient,
    /// An RST was sent to the server.
    ResetToServer,
    /// Of a connection that the box has forgotten.
    Forgotten,
    /// Answered with ICMP unreachable.
    Unreachable,
    /// Answered by the box in the server's name.
    Answered,
    /// The sender's own FIN, which passes.
    Fin,
    /// The sender's own RST, which passes.
    Rst,
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Nanoseconds since 1970, as in reports.
    pub at_ns: u64,
    /// Who had sent the packet.
    pub from: Side,
    /// What happened to it.
    pub act: Act,
    /// Its length in bytes, with its IP header.
    pub len: usize,
}

/// All entries in order, shared between the thread that writes and the test that reads.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    /// Adds an entry.
    pub fn note(&self, from: Side, act: Act, len: usize) {
        let at_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Entry { at_ns, from, act, len });
    }

    /// All of them so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first of its kind.
    pub fn first(&self, act: Act) -> Option<Entry> {
        self.entries().into_iter().find(|entry| entry.act == act)
    }

    /// How many of its kind.
    pub fn count(&self, act: Act) -> usize {
        self.entries().iter().filter(|entry| entry.act == act).count()
    }
}
