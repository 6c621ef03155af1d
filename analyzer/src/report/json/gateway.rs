//! The way through an RD Gateway.

use super::inner::token;
use super::{Value, json, leg, tls};
use crate::codes::Table;
use crate::event::{HttpAuth, KdcMessage, RpcPdu, TunnelMessage};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::gateway::{Connection, Exchange, Gateway};

/// What is known of it; `null` where there is none.
pub(super) fn gateway(timeline: &Timeline) -> Value {
    let Some(gateway) = &timeline.facts.gateway else { return Value::Null };
    let Gateway { connections, exchanges, messages, rpc, closes, kdc, carried, more, sealed, .. } = &**gateway;
    let target = gateway.target().map(|(name, port)| format!("{name}:{port}"));
    json!({
        "target": target,
        "connections": connections.iter().map(connection).collect::<Vec<_>>(),
        "exchanges": exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "messages": messages.iter().map(|seen| message(seen.mark, seen.what.0, &seen.what.1)).collect::<Vec<_>>(),
        "rpc": rpc.iter().map(|seen| pdu(seen.mark, seen.what.0, &seen.what.1)).collect::<Vec<_>>(),
        "websocket_closes": closes.iter().map(|seen| at(seen.mark, json!({
            "from": seen.what.0.name(), "code": seen.what.1,
        }))).collect::<Vec<_>>(),
        "kdc_proxy": kdc.iter().map(|seen| at(seen.mark, kdc_message(seen))).collect::<Vec<_>>(),
        "carried": { "client": carried[0], "server": carried[1] },
        "sealed": { "turns": sealed.turns, "client": sealed.bytes[0], "server": sealed.bytes[1] },
        "more": more,
    })
}

/// With where it was seen.
fn at(mark: Mark, mut value: Value) -> Value {
    value["at_ns"] = json!(mark.at.0);
    value["frame"] = json!(mark.frame);
    value["leg"] = json!(mark.leg.name());
    value
}

fn connection(connection: &Connection) -> Value {
    let says = |(from, layer, says): &(Side, &'static str, String)| json!({ "from": from.name(), "layer": layer, "says": says });
    json!({
        "transport": connection.transport.map(|transport| transport.name()),
        "tls": connection.tls.iter().filter(|tls| tls.hello.is_some() || tls.server_hello.is_some()).map(tls).collect::<Vec<_>>(),
        "legs": connection.legs.iter().map(leg).collect::<Vec<_>>(),
        "malformed": connection.malformed.iter().map(|seen| at(seen.mark, says(&seen.what))).collect::<Vec<_>>(),
    })
}

fn exchange(exchange: &Exchange) -> Value {
    let (asked, mark) = (&exchange.request.what, exchange.request.mark);
    let response = exchange.response.as_ref().map(|seen| {
        let found = &seen.what;
        at(
            seen.mark,
            json!({
                "status": found.status,
                "reason": found.reason,
                "offers": found.offers.iter().map(|offer| auth(seen.mark, offer)).collect::<Vec<_>>(),
                "proxy_offers": found.proxy_offers.iter().map(|offer| auth(seen.mark, offer)).collect::<Vec<_>>(),
                "upgrade": found.upgrade,
                "closes": found.closes,
                "location": found.location,
                "server": found.server,
                "via": found.via,
                "content_type": found.content_type,
                "length": found.length,
            }),
        )
    });
    at(
        exchange.request.mark,
        json!({
            "connection": exchange.connection,
            "transport": asked.transport.name(),
            "method": asked.method,
            "path": asked.path,
            "host": asked.host,
            "http": asked.version,
            "user_agent": asked.user_agent,
            "upgrade": asked.upgrade,
            "authorization": asked.authorization.as_ref().map(|sent| auth(mark, sent)),
            "proxy_authorization": asked.proxy_authorization.as_ref().map(|sent| auth(mark, sent)),
            "connection_id": asked.connection_id,
            "correlation_id": asked.correlation_id,
            "auth_scheme": asked.auth_scheme,
            "length": asked.length,
            "response": response,
        }),
    )
}

fn auth(mark: Mark, auth: &HttpAuth) -> Value {
    json!({ "scheme": auth.scheme, "has_token": auth.has_token, "token": auth.token.as_ref().map(|found| token(mark, found)) })
}

/// An HRESULT with its name.
fn status(code: u32) -> Value {
    let name = Table::keyed("gateway").and_then(|table| table.code(code)).map(|code| code.name);
    json!({ "code": format!("{code:#010x}"), "name": name })
}

fn message(mark: Mark, from: Side, message: &TunnelMessage) -> Value {
    let says = match message {
        TunnelMessage::HandshakeRequest { version, extended_auth } => {
            json!({ "version": format!("{}.{}", version.0, version.1), "extended_auth": extended_auth })
        }
        TunnelMessage::HandshakeResponse { error, version, extended_auth } => json!({
            "error": status(*error), "version": format!("{}.{}", version.0, version.1), "extended_auth": extended_auth,
        }),
        TunnelMessage::ExtendedAuth { error, token } => {
            json!({ "error": status(*error), "token": token.as_ref().map(|found| super::inner::token(mark, found)) })
        }
        TunnelMessage::TunnelCreate { capabilities, has_cookie, is_reauthentication } => json!({
            "capabilities": capabilities, "cookie": has_cookie, "reauthentication": is_reauthentication,
        }),
        TunnelMessage::TunnelResponse { status: code, tunnel, capabilities, asks_health, consent } => json!({
            "status": status(*code), "tunnel": tunnel, "capabilities": capabilities, "asks_health": asks_health,
            "consent_bytes": consent,
        }),
        TunnelMessage::TunnelAuthorize { has_health } => json!({ "health": has_health }),
        TunnelMessage::TunnelAuthorizeResponse { error, redirection, idle_timeout } => json!({
            "error": status(*error), "redirection": redirection, "idle_timeout_minutes": idle_timeout,
        }),
        TunnelMessage::ChannelCreate { targets, port, protocol } => {
            json!({ "targets": targets, "port": port, "protocol": protocol })
        }
        TunnelMessage::ChannelResponse { error, channel, udp_port } => {
            json!({ "error": status(*error), "channel": channel, "udp_port": udp_port })
        }
        TunnelMessage::ServiceMessage { len } => json!({ "bytes": len }),
        TunnelMessage::Close { status: code } | TunnelMessage::CloseResponse { status: code } => {
            json!({ "status": status(*code) })
        }
        TunnelMessage::Unknown { kind, len } => json!({ "type": kind, "bytes": len }),
        TunnelMessage::Reauthenticate | TunnelMessage::KeepAlive => json!({}),
    };
    named(mark, from, message.name(), says)
}

fn pdu(mark: Mark, from: Side, pdu: &RpcPdu) -> Value {
    let (name, says) = match pdu {
        RpcPdu::Rts { name } => (*name, json!({})),
        RpcPdu::Bind { name, token: found } => {
            (*name, json!({ "token": found.as_ref().map(|found| token(mark, found)) }))
        }
        RpcPdu::BindNak { reason } => ("bind_nak", json!({ "reason": reason })),
        RpcPdu::Request { opnum } => ("request", json!({ "opnum": opnum })),
        RpcPdu::Response { result } => ("response", json!({ "result": result.map(status) })),
        RpcPdu::Fault { status: code } => ("fault", json!({ "status": status(*code) })),
    };
    named(mark, from, name, says)
}

fn named(mark: Mark, from: Side, name: &str, mut says: Value) -> Value {
    says["message"] = json!(name);
    says["from"] = json!(from.name());
    at(mark, says)
}

fn kdc_message(seen: &Sighting<(Side, KdcMessage)>) -> Value {
    let from = seen.what.0.name();
    match &seen.what.1 {
        KdcMessage::Request { kind, realm } => json!({ "from": from, "kind": kind, "realm": realm }),
        KdcMessage::Answer { kind } => json!({ "from": from, "kind": kind }),
        KdcMessage::Error(error) => json!({
            "from": from, "error": error.code, "service": error.service,
            "name": Table::keyed("kerberos").and_then(|table| table.code(error.code)).map(|code| code.name),
        }),
    }
}
