//! What is known of one leg: its ends, its bytes, its path.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::coverage::Direction;
use super::facts::{Mark, Sighting};
use super::series::Series;
use super::transit::{Frozen, Sent};
use crate::observation::{Absence, Ending, Leg as Name, PackedSample, PathSample, Side, Sign};
use crate::time::Timestamp;

/// Signs of one kind that are kept.
const SIGNS_KEPT: u64 = 64;

/// One leg of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Which.
    pub name: Name,
    /// The connecting end of the last attempt.
    pub client: Option<SocketAddr>,
    /// The end that was connected to in the last attempt.
    pub server: Option<SocketAddr>,
    /// Every attempt to connect, in order.
    pub dials: Vec<Dial>,
    /// When the connection stood.
    pub opened: Option<Mark>,
    /// Payload of client and server, bytes, also where it is not stored.
    pub bytes: [u64; 2],
    /// Payload of client and server that is nowhere in the recording, bytes.
    pub missing: [u64; 2],
    /// Of these: what the recording was not to keep, only how long it was.
    pub snapped: [u64; 2],
    /// Payload that the relay accepted for this leg and could not deliver any more, bytes, by who had sent it.
    pub discarded: [u64; 2],
    /// Client, server: what of their payload the input holds.
    pub(super) coverage: [Direction; 2],
    /// When the connection stood already, where nobody saw how it came about.
    pub(super) joined: Option<Timestamp>,
    /// When payload of client and server last passed.
    pub spoke: [Option<Mark>; 2],
    /// Every end seen on it: who, how.
    pub closes: Vec<Sighting<(Option<Side>, Ending)>>,
    /// How many path samples there were.
    pub samples: u64,
    /// The last sample of the standing connection.
    path: Option<Sighting<PackedSample>>,
    /// The same until the session ended.
    standing: Option<Sighting<PackedSample>>,
    /// Of that: segments sent again by this end, and as packets show it by the server. They are asked for at every turn.
    again: u64,
    server_again: u64,
    /// Least round-trip time of all samples.
    pub min_rtt: Option<Duration>,
    /// Bytes and samples over time.
    pub series: Series,
    /// The last sample until the session was active: what its set-up cost.
    setup: Option<PackedSample>,
    /// Segments that arrived out of order since anything last arrived in order: they wait beyond a hole.
    pub(super) beyond: u64,
    /// Payload since the speaker last changed, and whose, bytes.
    pub(super) flight: (Option<Side>, u64),
    /// When what this end sent last was sent.
    pub(super) sent: Sent,
    /// What is sent again and not acknowledged now.
    pub(super) frozen: Option<Frozen>,
    /// Whether the capture has told, at its end, what was sent in vain.
    pub(super) is_told: bool,
    /// What only packets show: the first of each kind, in the order in which they became known.
    pub signs: Vec<Sighting<Sign>>,
    /// How many there were of each kind, by its name, also where they are not kept.
    pub signs_seen: BTreeMap<&'static str, u64>,
}

/// One attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Whom.
    pub server: SocketAddr,
    /// When it was asked for.
    pub began: Mark,
    /// When it was answered or given up, and how it failed; `None` inside where it succeeded.
    pub result: Option<(Timestamp, Option<Ending>)>,
}

impl Leg {
    pub(super) fn new(name: Name) -> Leg {
        Leg {
            name,
            client: None,
            server: None,
            dials: Vec::new(),
            opened: None,
            bytes: [0; 2],
            missing: [0; 2],
            snapped: [0; 2],
            discarded: [0; 2],
            coverage: [Direction::default(); 2],
            joined: None,
            spoke: [None; 2],
            closes: Vec::new(),
            samples: 0,
            path: None,
            standing: None,
            again: 0,
            server_again: 0,
            min_rtt: None,
            series: Series::default(),
            setup: None,
            beyond: 0,
            flight: (None, 0),
            sent: Sent::default(),
            frozen: None,
            is_told: false,
            signs: Vec::new(),
            signs_seen: BTreeMap::new(),
        }
    }

    pub(super) fn dialing(&mut self, mark: Mark, client: SocketAddr, server: SocketAddr) {
        (self.client, self.server) = (Some(client), Some(server));
        self.dials.push(Dial { server, began: mark, result: None });
    }

    /// The ends of a connection that stands already.
    pub(super) fn joined(&mut self, mark: Mark, client: SocketAddr, server: SocketAddr) {
        (self.client, self.server) = (Some(client), Some(server));
        self.joined = Some(mark.at);
    }

    pub(super) fn opened(&mut self, mark: Mark) {
        self.opened = self.opened.or(Some(mark));
        self.answer(mark, None);
    }

    pub(super) fn closed(&mut self, mark: Mark, from: Option<Side>, how: Ending) {
        if self.opened.is_none() {
            self.answer(mark, Some(how));
        }
        self.closes.push(Sighting { what: (from, how), mark });
    }

    /// The relay connects once more: what became of the connection before says nothing.
    pub(super) fn begins_anew(&mut self) {
        self.closes.clear();
        self.sent.begin_anew(self.bytes[self.name.relay_side() as usize]);
        self.frozen = None;
    }

    fn answer(&mut self, mark: Mark, failed: Option<Ending>) {
        if let Some(dial) = self.dials.last_mut() {
            dial.result = dial.result.or(Some((mark.at, failed)));
        }
    }

    pub(super) fn passed(&mut self, mark: Mark, from: Side, len: u64) {
        if self.name != Name::Only && from == self.name.relay_side() {
            self.sent.push(mark.at, self.bytes[from as usize]);
        }
        self.bytes[from as usize] += len;
        self.series.passed(mark.at, from, len);
        self.coverage[from as usize].passed(len);
        let before = if self.flight.0 == Some(from) { self.flight.1 } else { 0 };
        self.flight = (Some(from), before + len);
        self.spoke[from as usize] = Some(mark);
    }

    pub(super) fn missing(&mut self, mark: Mark, from: Side, len: u64, why: Absence) {
        if why == Absence::Discarded {
            self.discarded[from as usize] += len;
            return;
        }
        self.passed(mark, from, len);
        self.coverage[from as usize].missing(mark, len, why);
        if why.is_loss() {
            self.missing[from as usize] += len;
        }
        if why == Absence::Snapped {
            self.snapped[from as usize] += len;
        }
    }

    /// Keeps a sample, and tells how many segments were sent again since the one before, and all that samples told by now.
    pub(super) fn sampled(&mut self, mark: Mark, sample: &PathSample) -> (u64, PathSample) {
        let before = self.path().map(|path| path.what).unwrap_or_default();
        let sent_again = self.again;
        // What a machine measured while it slept, or was stopped, is no round trip.
        let known = self.path.as_ref().map(|path| path.mark).or(self.opened);
        let is_whole = known.is_none_or(|known| mark.at.unwatched_since(known.at).is_zero());
        let without_rtt = (!is_whole).then(|| PathSample { rtt_us: None, ..sample.clone() });
        let sample = without_rtt.as_ref().unwrap_or(sample);
        self.samples += 1;
        self.beyond = self.beyond_hole(&before, sample);
        self.min_rtt = [self.min_rtt, sample.min_rtt_us.or(sample.rtt_us).map(Duration::from_micros)]
            .into_iter()
            .flatten()
            .filter(|rtt| !rtt.is_zero())
            .min();
        // The last sample of a closed socket tells less than the one before it: keep what it does not tell.
        let mut merged = before;
        merged.merge(sample);
        (self.again, self.server_again) = (merged.retransmits.unwrap_or(0), merged.server_retransmits.unwrap_or(0));
        self.path = Some(Sighting { what: PackedSample::from(&merged), mark });
        let again = sample.retransmits.unwrap_or(sent_again).saturating_sub(sent_again);
        self.series.sampled(mark.at, sample.rtt_us.map(Duration::from_micros), again);
        (again, merged)
    }

    /// Segments beyond a hole by now: more of them while what arrived in order stays the same.
    fn beyond_hole(&self, before: &PathSample, now: &PathSample) -> u64 {
        let (Some(received), Some(beyond)) = (now.bytes_received, now.out_of_order) else { return self.beyond };
        match self.path.is_some().then_some(before) {
            Some(before) if received > before.bytes_received.unwrap_or(0) => 0,
            Some(before) => self.beyond + beyond.saturating_sub(before.out_of_order.unwrap_or(0)),
            // A first sample tells of a hole only where the far side owes an answer.
            None if self.flight.0 == Some(self.name.relay_side()) => beyond,
            None => 0,
        }
    }

    pub(super) fn shown(&mut self, mark: Mark, sign: &Sign) {
        let seen = self.signs_seen.entry(sign.name()).or_insert(0);
        *seen += 1;
        if *seen <= SIGNS_KEPT {
            self.signs.push(Sighting { what: sign.clone(), mark });
        }
    }

    /// Whether the FIN of this side, told here, is not in the capture.
    pub(super) fn is_fin_unseen(&self, mark: Mark, from: Option<Side>) -> bool {
        let is_it = |sign: &Sign| matches!(sign, Sign::FinUnseen { from: whose } if Some(*whose) == from);
        self.signs.iter().any(|seen| seen.mark.frame == mark.frame && is_it(&seen.what))
    }

    /// The last sample of the standing connection.
    pub fn path(&self) -> Option<Sighting<PathSample>> {
        let path = self.path.as_ref()?;
        Some(Sighting { what: PathSample::from(&path.what), mark: path.mark })
    }

    /// The session ends: the last sample by now is one of a session that stood.
    pub(super) fn stands(&mut self) {
        self.standing = self.path.clone();
    }

    /// The last sample before the session ended.
    pub(super) fn standing(&self) -> Option<Sighting<PathSample>> {
        let path = self.standing.as_ref()?;
        Some(Sighting { what: PathSample::from(&path.what), mark: path.mark })
    }

    /// The last sample until the session was active, or the last one of all: what its set-up cost.
    pub(crate) fn setup(&self) -> Option<PathSample> {
        self.setup.as_ref().map(PathSample::from).or_else(|| Some(self.path()?.what))
    }

    /// The session is active: what comes now is not its set-up any more.
    pub(super) fn active(&mut self) {
        self.setup = self.path.as_ref().map(|path| path.what.clone());
    }

    /// The least round-trip time of all samples: what the path itself costs, without the peer's delayed ACKs. Of a leg
    /// without samples the time its connect took.
    pub fn rtt(&self) -> Option<Duration> {
        self.min_rtt.or_else(|| self.handshake())
    }

    /// Whether its last attempt never left this machine: no end of its own was ever chosen.
    pub fn is_local(&self) -> bool {
        self.opened.is_none() && self.client.is_some_and(|client| client.port() == 0)
    }

    /// How long the successful connect took, where it took any time: a relay's front leg is only seen when it stands.
    pub fn handshake(&self) -> Option<Duration> {
        let dial = self.dials.last()?;
        let (at, failed) = dial.result?;
        let took = at.since(dial.began.at);
        // Where this program was stopped meanwhile, how long it took is not known.
        let is_known = at.unwatched_since(dial.began.at).is_zero();
        (failed.is_none() && is_known && !took.is_zero()).then_some(took)
    }

    /// Segments that the server sent again, as packets show it.
    pub(super) fn resent_by_server(&self) -> u64 {
        self.server_again
    }

    /// Segments that this end sent again, over all samples.
    pub fn retransmits(&self) -> u64 {
        self.again
    }
}
