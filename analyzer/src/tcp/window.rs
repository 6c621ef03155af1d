//! Receive windows of one side that shut and open, and probes.

use std::time::Duration;

use super::half::{Out, sign};
use crate::observation::{Side, Sign};
use crate::time::Timestamp;

/// A keep-alive comes after its sender was silent for so long at least: sooner it is an old packet.
const SILENT: Duration = Duration::from_millis(500);

/// One side's window.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Since when it is shut, and by which packet.
    shut: Option<(Timestamp, u64)>,
    probes: u32,
    /// For how long it was shut, up to the last time that it opened.
    lasted: Duration,
    /// Keep-alive probes that this side sent.
    pub keepalives: u64,
    /// Those of them since the peer was heard.
    pub unanswered: u64,
}

impl Window {
    /// Takes a window that this side announces.
    pub fn announced(&mut self, at: Timestamp, frame: u64, from: Side, window: u16, out: &mut Out<'_>) {
        match (window, self.shut) {
            (0, None) => self.shut = Some((at, frame)),
            (0, Some(_)) | (_, None) => {}
            (_, Some(_)) => self.over(at, frame, from, false, out),
        }
    }

    /// Whether it is shut; a probe of the peer is counted.
    pub fn is_probed(&mut self) -> bool {
        self.probes += u32::from(self.shut.is_some());
        self.shut.is_some()
    }

    /// The connection or the capture is over at `at`.
    pub fn finish(&mut self, at: Timestamp, from: Side, out: &mut Out<'_>) {
        if let Some((_, frame)) = self.shut {
            self.over(at, frame, from, true, out);
        }
    }

    /// For how long it was shut until now.
    pub fn total(&self, now: Timestamp) -> Duration {
        self.lasted + self.shut.map(|(since, _)| now.since(since)).unwrap_or_default()
    }

    /// Takes a segment before its turn by one byte, at most one byte long: a probe whether the peer is there.
    pub fn kept_alive(&mut self, at: Timestamp, frame: u64, from: Side, silent: Duration, out: &mut Out<'_>) {
        if silent >= SILENT {
            self.keepalives += 1;
            self.unanswered += 1;
            sign(out, at, frame, Sign::KeepAlive { from });
        }
    }

    /// The peer is heard, with whatever packet.
    pub fn answered(&mut self) {
        self.unanswered = 0;
    }

    fn over(&mut self, at: Timestamp, frame: u64, from: Side, still_shut: bool, out: &mut Out<'_>) {
        let Some((since, _)) = self.shut.take() else { return };
        let lasted = at.since(since);
        self.lasted += lasted;
        let probes = std::mem::take(&mut self.probes);
        sign(out, at, frame, Sign::ZeroWindow { from, lasted, probes, still_shut });
    }
}
