//! What people and scripts read: strings in memory, made from attempts.

pub mod causes;
mod columns;
pub mod explain;
pub mod histogram;
pub mod json;
pub mod text;
pub mod verdict;

use crate::observation::Leg;
use crate::timeline::Timeline;

/// How a relay changed this session by standing in it. Nothing for a packet capture.
pub fn altered_by_proxy(timeline: &Timeline) -> Vec<String> {
    let (Some(front), Some(back)) = (timeline.leg(Leg::Front), timeline.leg(Leg::Back)) else { return Vec::new() };
    let mut altered = vec![
        "it answers the client's SYN itself: a server that cannot be reached looks like one that hangs up".to_owned(),
        "TCP ends here twice: keep-alives, window, MSS and retransmissions of one leg do not reach the other"
            .to_owned(),
        "it carries no UDP: the session stays on TCP".to_owned(),
    ];
    if let (Some(listener), Some(server)) = (front.server, back.server) {
        altered.push(format!("the client connects to {listener} instead of {server}"));
    }
    if let Some((name, _)) = &timeline.target
        && front.server.is_some_and(|listener| listener.ip().is_loopback())
        && name.parse::<std::net::IpAddr>().is_err()
    {
        altered.push(format!(
            "unless the client still uses the name {name} (hosts entry), Kerberos, Credential Guard and name checks \
             differ from a direct connection"
        ));
    }
    altered
}

/// "relay" or "packets".
pub fn source(timeline: &Timeline) -> &'static str {
    if timeline.is_relayed() { "relay" } else { "packets" }
}
