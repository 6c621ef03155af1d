//! What plaintext tells, as JSON: CredSSP, settings, licensing, and so on. What was not seen is null or empty.

use super::{Value, json};

use crate::codes::{Table, errinfo::ERRINFO};
use crate::event::{AuthMessage, Capabilities, Mechanism, Ntlm, Token, Traffic, TsRequest};
use crate::observation::Side;
use crate::time::{Timestamp, of_filetime};
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::inner::{Count, Credssp, Heartbeat, Inner, Licence, Measured, Settings};

/// The keys that stand beside those of what is in clear.
pub(super) fn facts(inner: &Inner) -> Value {
    let errinfo = inner.errinfo.iter().map(|seen| coded(seen.what, name(&ERRINFO, seen.what), seen.mark));
    json!({
        "unsealed_frame": inner.unsealed.map(frame),
        "credssp": credssp(&inner.credssp),
        "settings": settings(&inner.settings),
        "security_exchange_frame": inner.security_exchange.map(frame),
        "client_info": inner.client_info.as_ref().map(|seen| {
            let (flags, [domain, user, password], has_cookie) = seen.what;
            json!({
                "frame": seen.mark.frame, "flags": flags, "has_domain": domain > 0, "has_user": user > 0,
                "has_password": password > 0, "auto_reconnect_cookie": has_cookie,
            })
        }),
        "accounts": inner.accounts.iter().map(|seen| json!({
            "by": seen.what.by.name(), "domain": seen.what.domain, "user": seen.what.user, "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
        "auto_detect": auto_detect(inner),
        "frames": frames(inner),
        "licensing": inner.licensing.iter().map(licence).collect::<Vec<_>>(),
        "multitransport": multitransport(inner),
        "demand_active": inner.demand_active.as_ref().map(capabilities),
        "confirm_active": inner.confirm_active.as_ref().map(capabilities),
        "finalization": inner.finalization.iter().map(|seen| json!({
            "from": seen.what.0.name(), "pdu": seen.what.1.name(), "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
        "logon": logon(inner),
        "errinfo": errinfo.collect::<Vec<_>>(),
        "status_info": inner.status.iter().map(|seen| coded(seen.what, None, seen.mark)).collect::<Vec<_>>(),
        "deactivated": inner.deactivated.map(|(mark, times)| json!({ "frame": mark.frame, "times": times })),
        "shutdown": {
            "requested_frame": inner.shutdown_requested.map(frame), "denied_frame": inner.shutdown_denied.map(frame),
        },
        "mcs_disconnect": inner.ultimatum.as_ref().map(|seen| json!({
            "from": seen.what.0.name(), "reason": seen.what.1, "name": keyed("mcs-reason", seen.what.1.into()),
            "frame": seen.mark.frame,
        })),
        "redirection": redirection(inner),
        "heartbeat": inner.heartbeat.as_ref().map(|seen| {
            let Heartbeat { period, warn, reconnect, times } = seen.what;
            json!({
                "frame": seen.mark.frame, "period_s": period, "warn_after": warn, "reconnect_after": reconnect,
                "times": times,
            })
        }),
        "traffic": inner.traffic.iter().map(|(kind, counts)| traffic(&inner.settings, *kind, counts)).collect::<Vec<_>>(),
    })
}

fn frame(mark: Mark) -> u64 {
    mark.frame
}

fn name(table: &Table, number: u32) -> Option<&'static str> {
    table.code(number).map(|code| code.name).filter(|name| !name.is_empty())
}

fn keyed(table: &str, number: u32) -> Option<&'static str> {
    name(Table::keyed(table)?, number)
}

/// The name of an NTSTATUS or SSPI result.
fn status(code: u32) -> Option<&'static str> {
    keyed("ntstatus", code).or_else(|| keyed("sspi", code))
}

fn coded(code: u32, name: Option<&str>, mark: Mark) -> Value {
    json!({ "code": code, "name": name, "frame": mark.frame })
}

fn credssp(credssp: &Credssp) -> Value {
    if credssp.messages.is_empty()
        && credssp.authorization.is_none()
        && credssp.rdstls.is_none()
        && credssp.rdsaad.is_none()
    {
        return Value::Null;
    }
    json!({
        "version": { "client": credssp.version(Side::Client), "server": credssp.version(Side::Server) },
        "mechanism": credssp.mechanism().as_ref().map(Mechanism::name),
        "messages": credssp.messages.iter().map(|seen| message(seen.mark, seen.what.0, &seen.what.1)).collect::<Vec<_>>(),
        "pub_key_auth": {
            "client_frame": credssp.pub_key_auth(Side::Client).map(frame),
            "server_frame": credssp.pub_key_auth(Side::Server).map(frame),
        },
        "auth_info_frame": credssp.auth_info().map(frame),
        "error": credssp.error.as_ref().map(|seen| json!({
            "from": seen.what.0.name(), "code": seen.what.1, "name": status(seen.what.1), "frame": seen.mark.frame,
        })),
        "early_authorization": credssp.authorization.as_ref().map(|seen| {
            coded(seen.what, keyed("authz", seen.what), seen.mark)
        }),
        "rdstls_result": credssp.rdstls.as_ref().map(|seen| coded(seen.what, None, seen.mark)),
        "rdsaad_result": credssp.rdsaad.as_ref().map(|seen| coded(seen.what, status(seen.what), seen.mark)),
    })
}

fn message(mark: Mark, from: Side, request: &TsRequest) -> Value {
    json!({
        "from": from.name(),
        "frame": mark.frame,
        "version": request.version,
        "tokens": request.tokens.iter().map(|token| self::token(mark, token)).collect::<Vec<_>>(),
        "auth_info": request.has_auth_info,
        "pub_key_auth": request.has_pub_key_auth,
        "client_nonce": request.has_client_nonce,
        "error_code": request.error_code,
    })
}

pub(super) fn token(mark: Mark, token: &Token) -> Value {
    let (ntlm, kerberos) = match &token.message {
        Some(AuthMessage::Ntlm(ntlm)) => (Some(self::ntlm(mark, ntlm)), None),
        Some(AuthMessage::Kerberos(kerberos)) => (None, Some(*kerberos)),
        Some(AuthMessage::NegoEx) | None => (None, None),
    };
    let error = kerberos.and_then(|kerberos| kerberos.error());
    json!({
        "offered": token.offered.iter().map(Mechanism::name).collect::<Vec<_>>(),
        "chosen": token.chosen.as_ref().map(Mechanism::name),
        "state": token.state,
        "ntlm": ntlm,
        "kerberos": kerberos.map(|kerberos| kerberos.name()),
        "kerberos_error": error,
    })
}

fn ntlm(mark: Mark, ntlm: &Ntlm) -> Value {
    let clock = ntlm.timestamp.and_then(instant);
    json!({
        "message": ntlm.kind.name(),
        "flags": ntlm.flags,
        "version": ntlm.version.map(|(major, minor, build)| format!("{major}.{minor}.{build}")),
        "pairs": ntlm.pairs,
        "netbios_computer": ntlm.names.netbios_computer,
        "netbios_domain": ntlm.names.netbios_domain,
        "dns_computer": ntlm.names.dns_computer,
        "dns_domain": ntlm.names.dns_domain,
        "target": ntlm.names.target,
        "timestamp": clock.map(|clock| clock.to_string()),
        // The sender's clock beside the one that made the recording.
        "clock_ahead_ms": clock.map(|clock| {
            clock.after(mark.at).as_secs_f64() * 1e3 - mark.at.after(clock).as_secs_f64() * 1e3
        }),
        "channel_binding": ntlm.channel_binding,
        "has_user": ntlm.has_user,
        "is_v1": ntlm.is_v1,
    })
}

/// A FILETIME; one before 1970 is none.
fn instant(filetime: u64) -> Option<Timestamp> {
    u64::try_from(of_filetime(filetime)?.as_nanos()).ok().map(Timestamp::at)
}

fn settings(settings: &Settings) -> Value {
    if *settings == Settings::default() {
        return Value::Null;
    }
    let client = settings.client.as_ref().map(|seen| {
        let client = &seen.what;
        json!({
            "frame": seen.mark.frame,
            "version": client.version,
            "build": client.build,
            "name": client.name,
            "desktop": client.desktop.map(|(width, height)| [width, height]),
            "color_depth": client.color_depth,
            "keyboard_layout": client.keyboard_layout,
            "early_flags": client.early_flags,
            "connection_type": client.connection_type,
            "selected": client.selected,
            "encryption_methods": client.encryption_methods,
            "channels": client.channels,
            "redirected_session": client.redirected_session,
            "monitors": client.monitors,
            "message_channel": client.has_message_channel,
            "multitransport": client.multitransport,
        })
    });
    let server = settings.server.as_ref().map(|seen| {
        let server = &seen.what;
        json!({
            "frame": seen.mark.frame,
            "version": server.version,
            "requested": server.requested,
            "early_flags": server.early_flags,
            "encryption_method": server.encryption_method,
            "encryption_level": server.encryption_level,
            "io_channel": server.io_channel,
            "channels": server.channels,
            "message_channel": server.message_channel,
            "multitransport": server.multitransport,
        })
    });
    json!({
        "client": client,
        "server": server,
        "result": settings.result.as_ref().map(|seen| coded(seen.what.into(), keyed("mcs-result", seen.what.into()), seen.mark)),
        "channel_joins": settings.joins,
        "channel_joins_confirmed": settings.joined,
        "may_skip_channel_joins": settings.may_skip_joins(),
    })
}

fn ms(length: std::time::Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

fn auto_detect(inner: &Inner) -> Value {
    let seen = &inner.auto_detect;
    json!({
        "rtts": seen.rtts,
        "min_rtt_ms": seen.min_rtt.map(ms),
        "max_rtt_ms": seen.max_rtt.map(ms),
        "bandwidth": seen.bandwidth.as_ref().map(|seen| {
            let (ms, bytes) = seen.what;
            let kbps = u64::from(bytes) * 8 / u64::from(ms.max(1));
            json!({ "frame": seen.mark.frame, "ms": ms, "bytes": bytes, "kbps": kbps })
        }),
        "result": seen.result.as_ref().map(|seen| {
            let Measured { base_rtt_ms, bandwidth_kbps, average_rtt_ms } = seen.what;
            json!({
                "frame": seen.mark.frame, "base_rtt_ms": base_rtt_ms, "bandwidth_kbps": bandwidth_kbps,
                "average_rtt_ms": average_rtt_ms,
            })
        }),
        "sync": seen.sync.as_ref().map(|seen| {
            json!({ "frame": seen.mark.frame, "bandwidth_kbps": seen.what.0, "rtt_ms": seen.what.1 })
        }),
    })
}

fn frames(inner: &Inner) -> Value {
    let acknowledged = inner
        .frames
        .summary()
        .map(|[least, median, most]| json!({ "min": ms(least), "median": ms(median), "max": ms(most) }));
    json!({ "acknowledged": inner.frames.acknowledged, "unseen": inner.frames.unseen, "acknowledge_ms": acknowledged })
}

fn licence(seen: &Sighting<Licence>) -> Value {
    let Licence { from, message, error } = seen.what;
    json!({
        "from": from.name(),
        "message": message,
        "name": keyed("license-message", message.into()),
        "error": error.map(|(code, transition)| json!({
            "code": code, "name": keyed("license", code),
            "transition": transition, "transition_name": keyed("license-transition", transition),
        })),
        "granted": seen.what.is_granted(),
        "frame": seen.mark.frame,
    })
}

fn multitransport(inner: &Inner) -> Value {
    json!({
        "requests": inner.multitransport.iter().map(|seen| json!({
            "protocol": seen.what, "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
        "answers": inner.multitransport_answers.iter().map(|seen| json!({
            "result": seen.what, "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
    })
}

fn capabilities(seen: &Sighting<Capabilities>) -> Value {
    let Capabilities { announced, found, unread } = seen.what;
    json!({ "frame": seen.mark.frame, "sets": announced, "found": found, "unread": unread })
}

fn logon(inner: &Inner) -> Value {
    json!({
        "save_session_info": inner.logons.iter().map(|seen| json!({
            "type": seen.what, "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
        "errors": inner.logon_errors.iter().map(|seen| json!({
            "type": seen.what.0, "data": seen.what.1, "name": keyed("logon", seen.what.0), "data_name": keyed("logon", seen.what.1), "frame": seen.mark.frame,
        })).collect::<Vec<_>>(),
        "auto_reconnect_cookie_frame": inner.reconnect_cookie.map(frame),
        "auto_reconnect_refused_frame": inner.reconnect_refused.map(frame),
    })
}

fn redirection(inner: &Inner) -> Value {
    inner.redirection.as_ref().map_or(Value::Null, |seen| {
        let to = &seen.what;
        json!({
            "frame": seen.mark.frame,
            "session": to.session,
            "flags": to.flags,
            "target": to.target(),
            "address": to.address,
            "fqdn": to.fqdn,
            "netbios": to.netbios,
            "addresses": to.addresses,
            "routing_token_bytes": to.token_len,
        })
    })
}

fn traffic(settings: &Settings, kind: Traffic, [client, server]: &[Count; 2]) -> Value {
    let (name, channel) = match kind {
        Traffic::FastPath => ("fast-path".to_owned(), None),
        Traffic::Channel(id) => (settings.channel_name(id).unwrap_or("channel").to_owned(), Some(id)),
        Traffic::ShareData(kind) => (format!("share data {kind:#04x}"), None),
        Traffic::Closed => ("closed".to_owned(), None),
    };
    let count = |count: &Count| json!({ "messages": count.messages, "bytes": count.bytes });
    json!({ "kind": name, "channel": channel, "client": count(client), "server": count(server) })
}
