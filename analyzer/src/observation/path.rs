//! What the kernel of one end, or a capture, says of the path of a connection.

use std::time::Duration;

/// Declares [`PathSample`]: one optional number per line, so that the recording's codec and the table of names
/// cannot drift apart.
macro_rules! path_sample {
    ($($(#[$doc:meta])* $field:ident)*) => {
        /// The state of one connection as the kernel of one end saw it at one moment: Linux `TCP_INFO`, Windows
        /// `SIO_TCP_INFO`. A number is `None` where the system does not tell it.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct PathSample { $($(#[$doc])* pub $field: Option<u64>,)* }

        impl PathSample {
            /// Every number that is there, by name, in the order of the declaration.
            pub fn numbers(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field)),*].into_iter().filter_map(|(name, n)| Some((name, n?)))
            }

            /// All numbers, also those that are not there, in the order of the declaration.
            fn values(&self) -> impl Iterator<Item = Option<u64>> {
                [$(self.$field),*].into_iter()
            }

            /// The places of all numbers, in the same order.
            fn places(&mut self) -> impl Iterator<Item = &mut Option<u64>> {
                [$(&mut self.$field),*].into_iter()
            }

            /// Sets a number by its name. False where there is no such name.
            pub fn set(&mut self, name: &str, number: u64) -> bool {
                match name {
                    $(stringify!($field) => self.$field = Some(number),)*
                    _ => return false,
                }
                true
            }
        }
    };
}

path_sample! {
    /// TCP state as Linux numbers it (1 ESTABLISHED, 2 SYN_SENT, 8 CLOSE_WAIT, …).
    state
    /// Congestion avoidance state as Linux numbers it (0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss).
    ca_state
    /// Smoothed round-trip time, microseconds (RFC 6298).
    rtt_us
    /// Its variance, microseconds.
    rtt_var_us
    /// The least round-trip time seen, microseconds.
    min_rtt_us
    /// Retransmission timeout now, microseconds.
    rto_us
    /// Retransmission timeouts in a row without an answer.
    backoff
    /// Segments retransmitted since the start.
    retransmits
    /// Segments thought lost now.
    lost
    /// Segments selectively acknowledged now.
    sacked
    /// Reordering distance, segments.
    reordering
    /// Segments received out of order since the start.
    out_of_order
    /// Duplicates that the peer reported (D-SACK, RFC 2883) since the start.
    dsack
    /// Segments sent and not acknowledged now.
    unacked
    /// Bytes waiting to be sent for the first time.
    notsent_bytes
    /// Bytes acknowledged by the peer since the start.
    bytes_acked
    /// Bytes received in order since the start.
    bytes_received
    /// Bytes retransmitted since the start.
    bytes_retransmitted
    /// Segments sent since the start.
    segments_sent
    /// Segments received since the start.
    segments_received
    /// Largest segment this end sends, bytes.
    snd_mss
    /// Largest segment this end received, bytes.
    rcv_mss
    /// Largest segment this end told the peer to send, bytes.
    adv_mss
    /// Path MTU as known to this end, bytes (RFC 1191).
    pmtu
    /// Congestion window, segments.
    snd_cwnd
    /// The peer's receive window, bytes.
    snd_wnd
    /// Milliseconds since data last came.
    last_received_ms
    /// Milliseconds since an acknowledgement last came.
    last_ack_ms
    /// Microseconds spent waiting for the peer's receive window.
    window_limited_us
    /// Memory that segments take which have arrived and cannot be read, because something before them is missing, bytes (Linux
    /// `SO_MEMINFO`). Told only where all that can be read was read.
    held_bytes
    /// Segments in which the client said that it can take no more: receive window 0 (packet captures).
    client_zero_windows
    /// The same of the server.
    server_zero_windows
    /// Data segments that the client sent again (this and all that follow: packet captures).
    client_retransmits
    /// The same of the server.
    server_retransmits
    /// Of these: because the retransmission timer ran out.
    client_timeouts
    /// The same of the server.
    server_timeouts
    /// Because acknowledgements told of the loss.
    client_fast_retransmits
    /// The same of the server.
    server_fast_retransmits
    /// To bring out an acknowledgement of the last segment (RFC 8985, 7).
    client_tail_probes
    /// The same of the server.
    server_tail_probes
    /// For nothing: the peer had it.
    client_spurious
    /// The same of the server.
    server_spurious
    /// Retransmission timeouts of the client in a row, without an answer until now.
    client_backoff
    /// The same of the server.
    server_backoff
    /// SYNs that were sent again.
    syn_again
    /// SYN-ACKs that were sent again.
    syn_ack_again
    /// Segments of the client that came behind later ones.
    client_overtaken
    /// The same of the server.
    server_overtaken
    /// Packets of the client that the network delivered twice.
    client_duplicated
    /// The same of the server.
    server_duplicated
    /// Keep-alive probes of the client.
    client_keepalives
    /// The same of the server.
    server_keepalives
    /// Keep-alive probes of the client in a row, since the server was last heard.
    client_unanswered_keepalives
    /// The same of the server.
    server_unanswered_keepalives
    /// Microseconds for which the client could take no more: receive window 0.
    client_zero_window_us
    /// The same of the server.
    server_zero_window_us
    /// Bytes of the client that the server acknowledged and the capture does not have.
    client_capture_lost_bytes
    /// The same of the server.
    server_capture_lost_bytes
    /// Bytes that the client sent and the server has not acknowledged now.
    client_unacked_bytes
    /// The same of the server.
    server_unacked_bytes
    /// Microseconds for which the client's oldest byte waits now, since it was sent or since the last acknowledgement.
    client_unacked_us
    /// The same of the server.
    server_unacked_us
    /// Microseconds for which the client has said nothing now, after it had acknowledged all that the server sent.
    client_silent_us
    /// The same of the server.
    server_silent_us
    /// Payload of the largest segment of the client that the server acknowledged, bytes.
    client_largest_through
    /// The same of the server.
    server_largest_through
    /// Payload of the smallest segment of the client that was sent twice or more and is not acknowledged now, bytes.
    client_stuck_segment
    /// The same of the server.
    server_stuck_segment
    /// Bytes that the client must have sent before its last segment and that never came to the capture.
    client_hole_bytes
    /// The same of the server.
    server_hole_bytes
    /// Microseconds for which segments of the client wait behind a hole now, of which the server says that it misses what
    /// stands in it, too.
    client_missed_us
    /// The same of the server.
    server_missed_us
    /// Segments of the server that came since the client sends what waits again, and acknowledged none of it.
    client_heard_in_vain
    /// Segments of the client that came since the server does.
    server_heard_in_vain
    /// Whether the server holds segments of the client, selectively acknowledged, behind what it waits for now (1 or 0).
    client_sacked
    /// The same of the server's segments.
    server_sacked
    /// Largest segment that the client told the server to send (MSS option), bytes.
    client_mss
    /// The same of the server.
    server_mss
    /// TTL, or hop limit, of the client's packets at the capture.
    client_ttl
    /// The same of the server.
    server_ttl
    /// Smoothed round trip from the capture to the client and back, microseconds.
    client_rtt_us
    /// The same to the server.
    server_rtt_us
    /// The least of these round trips to the client, microseconds.
    client_min_rtt_us
    /// The same to the server.
    server_min_rtt_us
    /// Packets of the client that came with the mark of a congested router.
    client_ecn_marked
    /// The same of the server.
    server_ecn_marked
    /// The longest time in which no packet of the connection came, microseconds.
    longest_gap_us
}

impl PathSample {
    /// Takes over every number that a later sample tells.
    pub(crate) fn merge(&mut self, later: &PathSample) {
        for (place, number) in self.places().zip(later.values()) {
            *place = number.or(*place);
        }
    }

    /// The smoothed round-trip time.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt_us.map(Duration::from_micros)
    }
}

/// A sample in few bytes, to be kept: of each number that is there how many are missing before it, then itself, both as
/// LEB128. A sample of a relay takes 100 bytes instead of 1,500; thousands of sessions keep four each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PackedSample(Box<[u8]>);

impl From<&PathSample> for PackedSample {
    fn from(sample: &PathSample) -> PackedSample {
        let (mut bytes, mut absent) = (Vec::new(), 0);
        for number in sample.values() {
            match number {
                Some(number) => {
                    put(&mut bytes, std::mem::take(&mut absent));
                    put(&mut bytes, number);
                }
                None => absent += 1,
            }
        }
        PackedSample(bytes.into())
    }
}

impl From<&PackedSample> for PathSample {
    fn from(packed: &PackedSample) -> PathSample {
        let mut sample = PathSample::default();
        let (mut places, mut bytes) = (sample.places(), &*packed.0);
        while !bytes.is_empty() {
            let absent = take(&mut bytes) as usize;
            let number = take(&mut bytes);
            places.nth(absent).into_iter().for_each(|place| *place = Some(number));
        }
        drop(places);
        sample
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let [first, rest @ ..] = *bytes {
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        shift += 7;
        if *first < 0x80 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let few = PathSample { state: Some(0), retransmits: Some(127), rtt_us: Some(128), ..PathSample::default() };
        let mut all = PathSample::default();
        all.places().enumerate().for_each(|(at, place)| *place = Some(u64::MAX >> (at % 64)));
        let last = PathSample { longest_gap_us: Some(u64::MAX), ..PathSample::default() };
        for sample in [PathSample::default(), few, last, all] {
            assert_eq!(PathSample::from(&PackedSample::from(&sample)), sample);
        }
    }
}
