//! The way through an RD Gateway, for people.

use super::{Told, tls};
use crate::codes::Table;
use crate::count::counted;
use crate::event::{KdcMessage, TunnelMessage};
use crate::timeline::facts::Facts;
use crate::timeline::gateway::{Exchange, Gateway};

/// Exchanges that are told one by one.
const TOLD: usize = 8;

/// The lines; none where there is no gateway.
pub(super) fn told(facts: &Facts) -> Vec<Told> {
    let Some(gateway) = &facts.gateway else { return Vec::new() };
    let mut told = vec![("gateway", summary(gateway))];
    told.extend(gateway.exchanges.iter().take(TOLD).map(|one| ("  http", exchange(one))));
    let more = gateway.exchanges.len().saturating_sub(TOLD) as u64 + gateway.more;
    if more > 0 {
        told.push(("  more", format!("{} not told one by one", counted(more, "exchange or message"))));
    }
    told.extend(gateway.messages.iter().filter_map(|seen| Some(("  tunnel", granted(&seen.what.1)?))));
    if !gateway.kdc.is_empty() {
        told.push(("  KDC proxy", kdc(gateway)));
    }
    let agreed = gateway.tls().iter().filter(|tls| tls.server_hello.is_some());
    agreed.take(if facts.is_intercepted() { 2 } else { 1 }).for_each(|tls| self::tls(&mut told, tls));
    if facts.request.is_some() {
        told.push(("inside", "the RDP connection in the tunnel".into()));
    }
    told
}

fn summary(gateway: &Gateway) -> String {
    let transports = transports(gateway);
    let by = match (transports.is_empty(), gateway.is_read()) {
        (true, false) if gateway.first(|tls| tls.established.as_ref()).is_none() => "TLS with it does not stand".into(),
        (true, false) => format!(
            "sealed in TLS: {}, {} B of the client, {} B of the gateway; a key log or --intercept opens it",
            counted(gateway.sealed.turns, "turn"),
            gateway.sealed.bytes[0],
            gateway.sealed.bytes[1]
        ),
        (true, true) => "no tunnel was asked for".into(),
        (false, _) => transports.join(" and "),
    };
    let target = gateway.target().map_or(String::new(), |(name, port)| format!(", to {name}:{port}"));
    let [client, server] = gateway.carried;
    let carried = if client + server > 0 {
        format!(", carries {client} B from client, {server} B from server")
    } else {
        String::new()
    };
    format!("{by}{target}{carried}")
}

/// "WebSocket", "KDC proxy (2)": what its connections are for, and how many of them where there are more.
fn transports(gateway: &Gateway) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in gateway.connections.iter().filter_map(|one| Some(one.transport?.name())) {
        match counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counted.push((name, 1)),
        }
    }
    let told = |(name, count): (&str, usize)| if count > 1 { format!("{name} ({count})") } else { name.to_owned() };
    counted.into_iter().map(told).collect()
}

/// "RDG_OUT_DATA /remoteDesktopGateway/ (NTLM): 401 Unauthorized, offers NTLM, Negotiate"
fn exchange(exchange: &Exchange) -> String {
    let asked = &exchange.request.what;
    let auth = asked.authorization.as_ref().map_or(String::new(), |auth| format!(" ({})", auth.scheme));
    let answer = match &exchange.response {
        Some(response) => {
            let offers: Vec<&str> = response.what.offers.iter().map(|offer| offer.scheme.as_str()).collect();
            let offers = if offers.is_empty() { String::new() } else { format!(", offers {}", offers.join(", ")) };
            format!("{} {}{offers}", response.what.status, response.what.reason)
        }
        None => "not answered".into(),
    };
    format!("{} {}{auth}: {answer}", asked.method, asked.path)
}

/// "3 requests, 3 answers", and what was refused.
fn kdc(gateway: &Gateway) -> String {
    let count = |is: fn(&KdcMessage) -> bool| gateway.kdc.iter().filter(|seen| is(&seen.what.1)).count();
    let requests = count(|message| matches!(message, KdcMessage::Request { .. }));
    let answers = count(|message| matches!(message, KdcMessage::Answer { .. }));
    let mut says = format!("{requests} requests, {answers} answers");
    for seen in &gateway.kdc {
        if let KdcMessage::Error(error) = &seen.what.1 {
            let name = Table::keyed("kerberos").and_then(|table| table.code(error.code)).map_or("", |code| code.name);
            says += &format!(", {name} ({})", error.code);
        }
    }
    says
}

/// What the gateway answers in the tunnel.
fn granted(message: &TunnelMessage) -> Option<String> {
    let result = match message {
        TunnelMessage::HandshakeResponse { error, .. } => *error,
        TunnelMessage::TunnelResponse { status, .. } => *status,
        TunnelMessage::TunnelAuthorizeResponse { error, .. } => *error,
        TunnelMessage::ChannelResponse { error, .. } => *error,
        TunnelMessage::Close { status } => *status,
        TunnelMessage::ServiceMessage { .. } => return Some("service message to the user".into()),
        TunnelMessage::HandshakeRequest { .. }
        | TunnelMessage::ExtendedAuth { .. }
        | TunnelMessage::TunnelCreate { .. }
        | TunnelMessage::TunnelAuthorize { .. }
        | TunnelMessage::ChannelCreate { .. }
        | TunnelMessage::Reauthenticate
        | TunnelMessage::KeepAlive
        | TunnelMessage::CloseResponse { .. }
        | TunnelMessage::Unknown { .. } => return None,
    };
    let name = message.name();
    let known = Table::keyed("gateway").and_then(|table| table.code(result)).map_or("", |code| code.name);
    Some(match (result, message) {
        (0, TunnelMessage::TunnelResponse { tunnel: Some(tunnel), .. }) => format!("{name}: granted, tunnel {tunnel}"),
        (0, TunnelMessage::TunnelAuthorizeResponse { idle_timeout: Some(minutes), .. }) if *minutes > 0 => {
            format!("{name}: granted, idle timeout {minutes} min")
        }
        (0, TunnelMessage::Close { .. }) => name.to_owned(),
        (0, _) => format!("{name}: granted"),
        (code, _) => format!("{name}: {known} {code:#010x}"),
    })
}
