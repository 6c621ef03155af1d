//! Notices that what this proxy connects to leads back to it: two proxies in a ring, or more, whatever stands between them.
//!
//! A ring shows in when connections come, not in their bytes, which pass untouched. Each connection that is made makes
//! the next one come, a moment later and from the same address, and nobody answers on any of them. Clients that come in a row
//! look like that, too. So once some have come in a row the next dial is held back, for a time that nobody outside knows: who
//! comes by himself comes meanwhile, and is served at once; what comes only when the dial is made, three times out of three,
//! was made by it. Then the newest is reset, and with it, link by link, the whole ring.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::clock;

/// Connections in a row, each behind the one before, from which on it is looked closer.
const ROW: u32 = 8;
/// Dials that are held back, and all of them followed by a connection that had not come before.
const PROOFS: u32 = 3;
/// What comes so soon behind a dial may come by it: what other processes take on a busy machine.
const SOON: Duration = Duration::from_millis(200);
/// And so many times what the dial took: a ring over a slow way is slow.
const WAYS: u32 = 8;
/// No way is slower than this.
const SLOWEST: Duration = Duration::from_secs(2);
/// A dial is held back for longer than that by something between these.
const LEAST: Duration = Duration::from_millis(50);
const SPREAD: Duration = Duration::from_millis(150);

/// The connections that came last, by who made them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ring(Arc<Mutex<HashMap<IpAddr, Row>>>);

/// Connections from one address, each of which came right behind the dial that the one before it made.
#[derive(Debug)]
struct Row {
    length: u32,
    proofs: u32,
    last: Weak<Link>,
}

/// One connection, for as long as it is there.
#[derive(Debug)]
pub(crate) struct Link {
    ring: Ring,
    from: IpAddr,
    /// For how long its dial is to be held back.
    hold: Option<Duration>,
    /// Ends that: somebody came meanwhile.
    others: Notify,
    accepted: Instant,
    /// When the dial was answered, and how soon behind it what it causes comes.
    dialed: Mutex<Option<(Instant, Duration)>>,
    is_answered: AtomicBool,
}

impl Ring {
    /// A connection from this address is accepted. `None` where it closes a ring: it is to be refused.
    pub fn accepted(&self, from: IpAddr) -> Option<Arc<Link>> {
        self.accepted_at(from, Instant::now())
    }

    fn accepted_at(&self, from: IpAddr, now: Instant) -> Option<Arc<Link>> {
        // It may be the last that knows of it, and forgets it then: not while the rows are locked.
        let last = self.rows().get(&from).and_then(|row| row.last.upgrade());
        let mut rows = self.rows();
        let row = rows.entry(from).or_insert_with(|| Row { length: 0, proofs: 0, last: Weak::new() });
        let soon = last.as_ref().and_then(|last| last.causes(now));
        if soon.is_none() {
            (row.length, row.proofs) = (0, 0);
            last.iter().for_each(|last| last.others.notify_one());
        }
        row.length += 1;
        row.proofs += u32::from(last.as_ref().is_some_and(|last| last.hold.is_some()) && soon.is_some());
        if row.proofs >= PROOFS {
            rows.remove(&from);
            return None;
        }
        let hold = soon.filter(|_| row.length > ROW).map(|soon| soon + LEAST + any(SPREAD));
        let (others, dialed, is_answered) = (Notify::new(), Mutex::default(), AtomicBool::new(false));
        let link = Arc::new(Link { ring: self.clone(), from, hold, others, accepted: now, dialed, is_answered });
        row.last = Arc::downgrade(&link);
        Some(link)
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<IpAddr, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Waits until it is its turn to be dialed for: mostly at once.
    pub async fn turn(&self) {
        if let Some(hold) = self.hold {
            let _somebody_came = timeout(hold, self.others.notified()).await;
        }
    }

    /// What it is connected to has answered.
    pub fn dialed(&self) {
        self.dialed_at(Instant::now());
    }

    fn dialed_at(&self, now: Instant) {
        let took = now.duration_since(self.accepted).saturating_sub(self.hold.unwrap_or_default());
        let soon = SOON + (took * WAYS).min(SLOWEST);
        *self.dialed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, soon));
    }

    /// It has said something: nobody does, in a ring.
    pub fn answered(&self) {
        self.is_answered.store(true, Ordering::Relaxed);
    }

    /// Whether what comes now may come by its dial, and how soon that is.
    fn causes(&self, now: Instant) -> Option<Duration> {
        let (at, soon) = (*self.dialed.lock().unwrap_or_else(PoisonError::into_inner))?;
        let is_silent = !self.is_answered.load(Ordering::Relaxed);
        (is_silent && now.duration_since(at) <= soon).then_some(soon)
    }
}

/// The last one of an address takes what is known of it along.
impl Drop for Link {
    fn drop(&mut self) {
        let mut rows = self.ring.rows();
        if rows.get(&self.from).is_some_and(|row| row.last.strong_count() == 0) {
            rows.remove(&self.from);
        }
    }
}

/// Some time up to this: the nanoseconds of the clock are nobody's to know.
fn any(most: Duration) -> Duration {
    most.mul_f64((clock::now().0 % 1_000_003) as f64 / 1_000_003.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const RELAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    /// Connections that come one behind the other, each so long behind the dial of the one before, which is held back where
    /// that is asked: how many are taken until one is refused, and how long that takes.
    fn row(ring: &Ring, most: usize, behind: Duration, answers: bool) -> (usize, Duration) {
        let began = Instant::now();
        let mut now = began;
        let mut links = Vec::new();
        while links.len() < most {
            let Some(link) = ring.accepted_at(RELAY, now) else { break };
            now += link.hold.unwrap_or_default() + MS;
            link.dialed_at(now);
            if answers {
                link.answered();
            }
            now += behind;
            links.push(link);
        }
        (links.len(), now - began)
    }

    #[test]
    fn a_ring_is_refused_within_two_seconds_and_is_forgotten_with_its_links() {
        let ring = Ring::default();
        let (taken, took) = row(&ring, 100, MS, false);
        assert_eq!(taken as u32, ROW + PROOFS);
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert!(ring.rows().is_empty());
        assert_eq!(row(&ring, 100, 100 * MS, false).0 as u32, ROW + PROOFS, "a slower one");
    }

    #[test]
    fn who_is_answered_or_comes_late_is_in_no_ring() {
        let ring = Ring::default();
        assert_eq!(row(&ring, 100, MS, true).0, 100);
        assert_eq!(row(&ring, 100, 700 * MS, false).0, 100);
    }

    /// Who opens many connections does not wait for a dial of ours: he comes while it is held back, which ends that.
    #[tokio::test]
    async fn clients_in_a_row_are_served_at_once() {
        for pace in [0, 1, 20, 90, 180] {
            let ring = Ring::default();
            let mut links: Vec<Arc<Link>> = Vec::new();
            let began = Instant::now();
            for number in 0..60 {
                let now = began + pace * number * MS;
                // Whoever is not held back is connected by then.
                links.iter().filter(|link| link.hold.is_none()).for_each(|link| {
                    link.dialed.lock().expect("one thread").get_or_insert((link.accepted + MS / 2, SOON + 4 * MS));
                });
                let link = ring.accepted_at(RELAY, now).expect("a client of its own");
                if let Some(held) = links.last().filter(|last| last.hold.is_some()) {
                    // Nobody has to wait: the one behind has come.
                    timeout(20 * MS, held.turn()).await.expect("it is dialed at once");
                }
                links.push(link);
            }
        }
    }

    #[test]
    fn others_do_not_count() {
        let ring = Ring::default();
        let mut kept = Vec::new();
        for number in 0..200_u32 {
            let from = IpAddr::from((u32::from(std::net::Ipv4Addr::new(198, 51, 100, 0)) + number).to_be_bytes());
            let link = ring.accepted(from).expect("a client");
            link.dialed();
            kept.push(link);
        }
        drop(kept);
        assert!(ring.rows().is_empty());
    }
}
