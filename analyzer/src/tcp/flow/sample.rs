//! The path of a connection as numbers, at one moment.

use std::time::Duration;

use super::{Flow, micros};
use crate::observation::{PathSample, Side};
use crate::time::Timestamp;

impl Flow {
    /// Both directions together: the one leg of a capture has no near end.
    pub(super) fn retransmits(&self) -> u64 {
        let syn = self.syn.map_or(0, |syn| syn.count - 1);
        syn + self.halves.iter().map(|half| half.stats.retransmits).sum::<u64>()
    }

    pub(super) fn out_of_order(&self) -> u64 {
        self.halves.iter().map(|half| half.stats.out_of_order).sum()
    }

    /// The path as the client's kernel would tell it, as far as packets show that.
    pub(super) fn sample(&self, now: Timestamp) -> PathSample {
        let [client, server] = [self.halves[0].stats, self.halves[1].stats];
        let both = |a: Option<Duration>, b: Option<Duration>| Some(a? + b?);
        let data = both(client.min_rtt, server.min_rtt);
        let min = [self.handshake, data].into_iter().flatten().min();
        let segment = |largest: u32, mss: Option<u16>| {
            // Offload makes segments larger than any on the wire.
            let largest = mss.map_or(largest, |mss| largest.min(mss.into()));
            (largest > 0).then_some(u64::from(largest))
        };
        let unacked = self.halves[0].is_unacknowledged();
        PathSample {
            rtt_us: both(client.srtt, server.srtt).or(self.handshake).map(micros),
            min_rtt_us: min.map(micros),
            backoff: Some(client.backoff),
            retransmits: Some(self.retransmits()),
            out_of_order: Some(server.out_of_order),
            unacked: Some(u64::from(unacked)),
            bytes_retransmitted: Some(client.retransmitted_bytes + server.retransmitted_bytes),
            segments_sent: Some(client.segments),
            segments_received: Some(server.segments),
            snd_mss: segment(client.largest, self.greeting.mss[1]),
            rcv_mss: segment(server.largest, self.greeting.mss[0]),
            adv_mss: self.greeting.mss[0].map(u64::from),
            client_zero_windows: Some(client.zero_windows).filter(|count| *count > 0),
            server_zero_windows: Some(server.zero_windows).filter(|count| *count > 0),
            ..self.by_side(now)
        }
    }

    /// The numbers that only packets show. What is now is always told, also where it is nothing: it was more before.
    fn by_side(&self, now: Timestamp) -> PathSample {
        let mut sample = PathSample { longest_gap_us: count(micros(self.longest_gap)), ..PathSample::default() };
        let greeting = &self.greeting;
        sample.syn_again = count(self.syn.map_or(0, |syn| syn.count - 1));
        sample.syn_ack_again = count(greeting.agreed_again.into());
        (sample.client_mss, sample.server_mss) = pair(greeting.mss, |mss| mss.map(u64::from));
        self.repetitions(&mut sample);
        self.waits(&mut sample, now);
        self.sizes(&mut sample);
        (sample.client_ttl, sample.server_ttl) = pair(self.marks, |marks| marks.ttl.map(u64::from));
        (sample.client_ecn_marked, sample.server_ecn_marked) = pair(self.marks, |marks| count(marks.ecn_marked));
        self.ways(&mut sample);
        sample
    }

    fn repetitions(&self, sample: &mut PathSample) {
        let [client, server] = &self.halves;
        let counts = [client.repeats.counts, server.repeats.counts];
        let stats = [client.stats, server.stats];
        let places = [client.repeats.place, server.repeats.place];
        (sample.client_retransmits, sample.server_retransmits) = pair(counts, |counts| count(counts.all));
        (sample.client_timeouts, sample.server_timeouts) = pair(counts, |counts| count(counts.timeouts));
        (sample.client_fast_retransmits, sample.server_fast_retransmits) = pair(counts, |counts| count(counts.fast));
        (sample.client_tail_probes, sample.server_tail_probes) = pair(counts, |counts| count(counts.tail_probes));
        (sample.client_spurious, sample.server_spurious) =
            pair(counts, |counts| count(counts.spurious + counts.for_nothing));
        (sample.client_backoff, sample.server_backoff) = pair(places, |place| Some(place.into()));
        (sample.client_overtaken, sample.server_overtaken) = pair(stats, |stats| count(stats.overtaken));
        (sample.client_duplicated, sample.server_duplicated) = pair(stats, |stats| count(stats.duplicated));
        (sample.client_capture_lost_bytes, sample.server_capture_lost_bytes) =
            pair(stats, |stats| count(stats.capture_lost));
    }

    fn waits(&self, sample: &mut PathSample, now: Timestamp) {
        let [client, server] = &self.halves;
        let [one, other] = &self.windows;
        let windows = [one, other];
        // Of a peer of which the capture has no acknowledgement nobody knows what it has got.
        let [has_client, has_server] = self.marks.map(|marks| marks.acknowledges);
        let answered = [has_server.then_some(client), has_client.then_some(server)];
        (sample.client_unacked_bytes, sample.server_unacked_bytes) =
            pair(answered, |half| half.map(super::Half::unacknowledged));
        (sample.client_unacked_us, sample.server_unacked_us) =
            pair(answered, |half| half.map(|half| micros(half.flight.waits(now))));
        (sample.client_missed_us, sample.server_missed_us) =
            pair([client, server], |half| Some(micros(half.missed(now))));
        (sample.client_zero_window_us, sample.server_zero_window_us) =
            pair(windows, |window| count(micros(window.total(now))));
        (sample.client_keepalives, sample.server_keepalives) = pair(windows, |window| count(window.keepalives));
        let probes = [has_server.then_some(one), has_client.then_some(other)];
        (sample.client_unanswered_keepalives, sample.server_unanswered_keepalives) =
            pair(probes, |window| window.map(|window| window.unanswered));
        let silent = |side: Side| {
            let since = self.silent.filter(|_| self.speaker == Some(side.other()));
            Some(since.map_or(0, |since| micros(now.since(since))))
        };
        (sample.client_silent_us, sample.server_silent_us) = (silent(Side::Client), silent(Side::Server));
    }

    fn sizes(&self, sample: &mut PathSample) {
        let [client, server] = &self.halves;
        let halves = [client, server];
        (sample.client_largest_through, sample.server_largest_through) =
            pair(halves, |half| count(half.flight.largest_through.into()));
        (sample.client_stuck_segment, sample.server_stuck_segment) =
            pair(halves, |half| Some(half.repeats.stuck(half.progress().1).unwrap_or(0).into()));
        (sample.client_hole_bytes, sample.server_hole_bytes) = pair(halves, |half| Some(half.hole()));
        let repeats = [&client.repeats, &server.repeats];
        (sample.client_heard_in_vain, sample.server_heard_in_vain) =
            pair(repeats, |repeats| Some(repeats.in_vain.into()));
        (sample.client_sacked, sample.server_sacked) = pair(repeats, |repeats| Some(repeats.is_sacked().into()));
    }

    /// The way to the client and back is that of the server's data and their acknowledgement.
    fn ways(&self, sample: &mut PathSample) {
        let [client, server] = [self.halves[1].stats, self.halves[0].stats];
        let [to_client, to_server] = self.greeting.ways.map(|ways| ways.map(Some)).unwrap_or_default();
        let least = |data: Option<Duration>, greeting: Option<Duration>| [data, greeting].into_iter().flatten().min();
        sample.client_rtt_us = client.srtt.or(to_client).map(micros);
        sample.server_rtt_us = server.srtt.or(to_server).map(micros);
        sample.client_min_rtt_us = least(client.min_rtt, to_client).map(micros);
        sample.server_min_rtt_us = least(server.min_rtt, to_server).map(micros);
    }
}

/// What never happened is left out.
fn count(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

fn pair<T>(sides: [T; 2], number: impl Fn(T) -> Option<u64>) -> (Option<u64>, Option<u64>) {
    let [client, server] = sides.map(number);
    (client, server)
}
