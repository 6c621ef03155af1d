//! FIN, RST and silence, step after step.

use super::parts::GatewayAct::{Fin, Goodbye, Reset, Silence};
use super::parts::*;

/// A box that cuts what it does not like, or a gateway that dies: which of them, nobody can see.
const fn cut(act: GatewayAct, phases: &'static [&'static str]) -> Expect {
    match act {
        GatewayAct::Silence => or(silent(phases, "RDG-TRANSPORT"), OTHERS),
        GatewayAct::Reset => or(server(Ending::Reset, phases, "RDG-TRANSPORT"), OTHERS),
        GatewayAct::Fin
        | GatewayAct::Goodbye
        | GatewayAct::Answer(_)
        | GatewayAct::AnswerAndLeave(_)
        | GatewayAct::Refuse(..)
        | GatewayAct::Close(_)
        | GatewayAct::Kick(_) => or(server(Ending::Fin, phases, "RDG-TRANSPORT"), OTHERS),
    }
}

/// X224-NOCC: who is silent behind a channel that is open, the gateway or the target, only the gateway knows.
const OTHERS: &[&str] =
    &["RDG-503", "RDG-REACH", "TCP-RST-AFTER", "TLS-NOKEY", "PATH-RSTINJ", "PATH-PMTU", "X224-NOCC"];

/// Silent gateways meet impatient clients.
const fn step(
    name: &'static str,
    says: &'static str,
    at: Step,
    act: GatewayAct,
    phases: &'static [&'static str],
) -> GatewayScenario {
    let client = if matches!(act, GatewayAct::Silence) { IMPATIENT } else { CLIENT };
    play(name, says, fault(at, act), client, cut(act, phases))
}

const ACCEPTED: &[&str] = &["tcp", "gateway-tls"];

/// In order.
#[rustfmt::skip]
pub const SCENARIOS: &[GatewayScenario] = &[
    plain(step("reset-after-accept", "the gateway accepts and resets", Step::Accept, Reset, ACCEPTED)),
    plain(step("silence-after-accept", "the gateway accepts and never says a word", Step::Accept, Silence, TLS)),
    plain(step("fin-after-client-hello", "the gateway closes when it has the ClientHello", Step::ClientHello, Fin, TLS)),
    plain(step("reset-after-client-hello", "the gateway resets when it has the ClientHello", Step::ClientHello, Reset, TLS)),
    plain(step("silence-after-client-hello", "the gateway never answers the ClientHello", Step::ClientHello, Silence, TLS)),
    step("reset-after-tls", "the gateway resets as soon as TLS stands", Step::Established, Reset, &["gateway-tls", "gateway-http"]),
    step("fin-after-request", "the gateway closes when it has the first request", Step::Request, Fin, HTTP),
    step("goodbye-after-request", "the gateway takes its leave when it has the first request", Step::Request, Goodbye, HTTP),
    step("reset-after-request", "the gateway resets when it has the first request", Step::Request, Reset, HTTP),
    step("silence-after-request", "the gateway never answers the first request", Step::Request, Silence, HTTP),
    step("reset-after-challenge", "the gateway resets behind its challenge", Step::Challenge, Reset, &["gateway-http", "gateway-auth"]),
    step("silence-after-proof", "the gateway never answers the client's proof", Step::LetIn, Silence, AUTH),
    step("reset-after-accepted", "the gateway resets when it has accepted the channel", Step::Accepted, Reset, &["gateway-auth", "gateway-tunnel"]),
    step("fin-after-handshake", "the gateway closes when it has the handshake request", Step::Handshake, Fin, TUNNEL),
    step("silence-after-handshake", "the gateway never answers the handshake", Step::Handshake, Silence, TUNNEL),
    step("reset-after-tunnel-create", "the gateway resets when a tunnel is asked for", Step::TunnelCreate, Reset, TUNNEL),
    step("silence-after-tunnel-create", "the gateway never answers the tunnel's creation: MFA that nobody confirms looks like it",
        Step::TunnelCreate, Silence, TUNNEL),
    step("fin-after-authorize", "the gateway closes when authorization is asked for", Step::TunnelAuthorize, Fin, AUTHORIZATION),
    step("silence-after-authorize", "the gateway never answers the authorization", Step::TunnelAuthorize, Silence, AUTHORIZATION),
    step("reset-after-channel-create", "the gateway resets when a channel is asked for", Step::ChannelCreate, Reset, CHANNEL),
    step("silence-after-channel-create", "the gateway never answers the channel's creation", Step::ChannelCreate, Silence, CHANNEL),
    step("reset-after-opened", "the gateway resets when it has opened the channel", Step::Opened, Reset, &["gateway-channel", "negotiation"]),
    step("silence-after-opened", "the gateway opens the channel and carries nothing", Step::Opened, Silence, &["negotiation"]),
];
