//! How long the path alone makes a connection take: its round trips, and what loss adds to them.
//!
//! Every exchange of the connection sequence is a small flight, so that each loss costs a retransmission timeout:
//! E\[T\] = k·RTT + 2·k·RTO·p/(1 - 2p) for k round trips and a loss of p in either direction (RFC 6298 for the RTO). The
//! servers' and clients' own time is not in it: whatever took longer than this was not the path.

use std::time::Duration;

use crate::observation::{Leg as LegName, PathSample, Side};
use crate::timeline::Timeline;
use crate::timeline::leg::Leg;
use crate::timeline::phase::{Outcome, Phase, PhaseName};

/// RTO of a connection whose kernel does not tell it: Linux' least one and a round trip more.
const LEAST_RTO: Duration = Duration::from_millis(200);
/// Loss counted over fewer segments than this is counted as if there had been so many.
const SEGMENTS: u64 = 20;

/// What a path costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction {
    /// Round trips from end to end.
    pub round_trips: u32,
    /// What one costs, all legs together.
    pub rtt: Duration,
    /// Segments lost of a thousand, as counted by those that were sent again.
    pub loss_permille: u32,
    /// Retransmission timeout, RFC 6298.
    pub rto: Duration,
}

impl Prediction {
    /// For the whole way, as far as the session got. `None` where no round trip was measured.
    pub fn of(timeline: &Timeline) -> Option<Prediction> {
        let rtt: Duration = timeline.legs.iter().filter_map(Leg::rtt).sum();
        let round_trips = timeline.phases.iter().map(|phase| round_trips(timeline, phase)).sum();
        let rto = timeline.legs.iter().map(rto).max()?;
        let loss_permille = timeline.legs.iter().map(loss).sum::<u32>().min(1000);
        (!rtt.is_zero() && round_trips > 0).then_some(Prediction { round_trips, rtt, loss_permille, rto })
    }

    /// E\[T\] = k·RTT + 2·k·RTO·p/(1 - 2p): each loss doubles the next timeout. From 45 % on nothing can be expected.
    pub fn time(&self) -> Duration {
        let loss = self.loss_permille.min(450);
        let losses = self.rto.saturating_mul(2 * self.round_trips).saturating_mul(loss) / (1000 - 2 * loss);
        self.rtt.saturating_mul(self.round_trips) + losses
    }
}

/// Round trips of a phase: those of its specification for what can be told from its name, those that were seen for
/// what stands behind encryption.
fn round_trips(timeline: &Timeline, phase: &Phase) -> u32 {
    match phase.name {
        PhaseName::NameResolution | PhaseName::Active => 0,
        // A relay's own handshake with the client is not seen.
        PhaseName::Tcp => u32::from(phase.leg != LegName::Front),
        PhaseName::Negotiation => 1,
        PhaseName::Tls if phase.outcome == Outcome::Done => tls_round_trips(timeline),
        // As many as were begun.
        PhaseName::Tls => tls_round_trips(timeline).min(phase.turns + 1),
        // Each connection of a tunnel has its own; they are not told apart here.
        PhaseName::GatewayTls => phase.turns.max(1),
        PhaseName::GatewayHttp
        | PhaseName::GatewayAuth
        | PhaseName::GatewayTunnel
        | PhaseName::GatewayAuthorization
        | PhaseName::GatewayChannel
        | PhaseName::Credssp
        | PhaseName::BasicSettings
        | PhaseName::ChannelConnection
        | PhaseName::SecurityCommencement
        | PhaseName::SecureSettings
        | PhaseName::AutoDetection
        | PhaseName::Licensing
        | PhaseName::Multitransport
        | PhaseName::Capabilities
        | PhaseName::Finalization => phase.turns.max(1),
    }
}

/// RFC 8446 2: one; RFC 5246 7.3: two, one of a session that is resumed. A HelloRetryRequest costs one more.
fn tls_round_trips(timeline: &Timeline) -> u32 {
    let hello = timeline.facts.first(|tls| tls.server_hello.as_ref());
    let is_short = hello.is_some_and(|hello| hello.what.version == 0x0304 || hello.what.resumed);
    let retried = timeline.facts.first_mark(|tls| tls.retry).is_some();
    u32::from(retried) + if is_short { 1 } else { 2 }
}

/// The first RTO of a leg, not yet doubled.
fn rto(leg: &Leg) -> Duration {
    let told = leg.path().and_then(|path| {
        let backoff = path.what.backoff.unwrap_or(0).min(16);
        Some(Duration::from_micros(path.what.rto_us? >> backoff))
    });
    told.unwrap_or_default().max(LEAST_RTO + leg.rtt().unwrap_or_default())
}

/// Segments that were lost and had to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// How many.
    pub segments: u64,
    /// Of a thousand.
    pub permille: u32,
}

impl Loss {
    /// Over all of a leg's time, of the side that lost more.
    pub fn of(leg: &Leg) -> Loss {
        leg.path().map_or(Loss { segments: 0, permille: 0 }, |path| lost(leg, &path.what))
    }
}

/// Of a thousand segments of a leg those that were lost until the session was set up.
fn loss(leg: &Leg) -> u32 {
    leg.setup().map_or(0, |path| lost(leg, &path).permille)
}

/// What was sent again for nothing was not lost, and what is sent again in vain is no loss by chance.
fn lost(leg: &Leg, path: &PathSample) -> Loss {
    let number = |number: Option<u64>| number.unwrap_or(0);
    let share = |again: u64, of: u64| {
        let permille = u32::try_from(again * 1000 / of.max(SEGMENTS)).unwrap_or(1000).min(1000);
        Loss { segments: again, permille }
    };
    let in_vain = leg.unacknowledged();
    let vain = |side: Side| in_vain.filter(|waits| waits.from == side).map_or(0, |waits| waits.timeouts);
    let lost = |again: u64, for_nothing: u64, side: Side| again.saturating_sub(for_nothing).saturating_sub(vain(side));
    let (sent, received) = (number(path.segments_sent), number(path.segments_received));
    match leg.name {
        LegName::Only => {
            let [client, server] = [
                lost(number(path.client_retransmits), number(path.client_spurious), Side::Client),
                lost(number(path.server_retransmits), number(path.server_spurious), Side::Server),
            ];
            let (client, server) = (share(client, sent), share(server, received));
            if client.permille > server.permille { client } else { server }
        }
        LegName::Front | LegName::Back => {
            share(lost(number(path.retransmits), number(path.dsack), leg.name.relay_side()), sent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the model: round trips, RTT, loss in percent, what is to be expected.
    #[test]
    fn latency_and_modest_loss_are_almost_never_enough() {
        let time = |round_trips, rtt, percent: u32| {
            let (rtt, rto) = (Duration::from_millis(rtt), Duration::from_millis(200 + rtt));
            Prediction { round_trips, rtt, loss_permille: percent * 10, rto }.time().as_millis()
        };
        assert_eq!(time(18, 20, 0), 360);
        assert_eq!(time(18, 250, 5), 4_500 + 900);
        assert_eq!(time(18, 600, 0), 10_800);
        assert_eq!(time(10, 600, 20), 6_000 + 5_333);
    }
}
