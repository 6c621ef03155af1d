//! What plaintext tells, in a few lines: who authenticated how, what was agreed on, how it was ended.

use super::{Told, length};
use crate::codes::{Table, errinfo::ERRINFO};
use crate::event::{KdcError, Mechanism};
use crate::observation::Side;
use crate::timeline::facts::Sighting;
use crate::timeline::inner::{Credssp, Inner, Settings};

/// The lines; none where nothing was read.
pub(super) fn facts(inner: &Inner) -> Vec<Told> {
    let lines = [
        ("CredSSP", credssp(&inner.credssp)),
        ("settings", settings(&inner.settings)),
        ("licensing", licensing(inner)),
        ("auto-detect", auto_detect(inner)),
        ("frames", frames(inner)),
        ("redirection", redirection(inner)),
        ("said at end", ending(inner)),
    ];
    lines.into_iter().filter_map(|(label, says)| Some((label, says?))).collect()
}

/// What the client's domain controller refused, a line for each.
pub(super) fn domain_controller(refusals: &[Sighting<KdcError>]) -> impl Iterator<Item = Told> {
    refusals.iter().map(|seen| {
        let KdcError { code, service } = &seen.what;
        let service = service.as_ref().map(|service| format!(" for {service}")).unwrap_or_default();
        ("Kerberos", format!("KRB-ERROR {}{service} (frame {})", keyed("kerberos", *code), seen.mark.frame))
    })
}

fn named(table: &Table, number: u32) -> String {
    let name = table.code(number).map(|code| code.name).unwrap_or_default();
    format!("{number:#x} {name}").trim_end().to_owned()
}

/// A number, and its name in the table with this key.
pub(in crate::report) fn keyed(table: &str, number: u32) -> String {
    Table::keyed(table).map_or(format!("{number:#x}"), |table| named(table, number))
}

fn credssp(credssp: &Credssp) -> Option<String> {
    credssp.messages.first()?;
    let version = |side| credssp.version(side).map_or("-".to_owned(), |version| version.to_string());
    let mechanism = credssp.mechanism();
    let mut says = format!(
        "version {} of the client, {} of the server, {}",
        version(Side::Client),
        version(Side::Server),
        mechanism.as_ref().map_or("no mechanism", Mechanism::name)
    );
    if let Some(error) = &credssp.error {
        let (from, code) = error.what;
        let table = if code >> 16 == 0x8009 { "sspi" } else { "ntstatus" };
        says += &format!(", errorCode {} of the {from}", keyed(table, code));
    }
    if let Some(result) = credssp.authorization.as_ref().filter(|result| result.what != 0) {
        says += &format!(", authorization {}", keyed("authz", result.what));
    }
    Some(says)
}

fn settings(settings: &Settings) -> Option<String> {
    let client = &settings.client.as_ref()?.what;
    let mut parts = Vec::new();
    parts.extend(client.name.clone());
    parts.extend(client.build.map(|build| format!("build {build}")));
    parts.extend(client.desktop.map(|(width, height)| format!("{width}x{height}")));
    parts.extend(client.color_depth.map(|depth| format!("{depth} bpp")));
    if !client.channels.is_empty() {
        parts.push(format!("channels {}", client.channels.join(" ")));
    }
    if let Some(server) = &settings.server {
        let protection = (server.what.encryption_method, server.what.encryption_level);
        if let (Some(method @ 1..), Some(level)) = protection {
            parts.push(format!("encryption method {method:#x}, level {level}"));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn licensing(inner: &Inner) -> Option<String> {
    let last = inner.licensing.last()?.what;
    Some(match last.error {
        Some((code, _)) => keyed("license", code),
        None => keyed("license-message", last.message.into()),
    })
}

fn auto_detect(inner: &Inner) -> Option<String> {
    let measured = inner.auto_detect.result.as_ref()?.what;
    let base = measured.base_rtt_ms.map(|ms| format!("least RTT {ms} ms, ")).unwrap_or_default();
    let kbps = measured.bandwidth_kbps.map(|kbps| format!(", {kbps} kbit/s")).unwrap_or_default();
    Some(format!("{base}average {} ms{kbps}", measured.average_rtt_ms))
}

fn frames(inner: &Inner) -> Option<String> {
    let (count, unseen) = (inner.frames.acknowledged, inner.frames.unseen);
    let compressed = (unseen > 0).then(|| format!("{unseen} acknowledged whose marks are compressed"));
    let times = inner.frames.summary().map(|times| {
        let [least, median, most] = times.map(length);
        format!("{count} acknowledged by the client after {least} to {most}, half of them within {median}")
    });
    let says: Vec<String> = times.into_iter().chain(compressed).collect();
    (!says.is_empty()).then(|| says.join("; "))
}

fn redirection(inner: &Inner) -> Option<String> {
    let redirection = &inner.redirection.as_ref()?.what;
    Some(format!("to {}, session {}", redirection.target().unwrap_or("the same name"), redirection.session))
}

fn ending(inner: &Inner) -> Option<String> {
    let errinfo = inner.error().map(|seen| format!("Set Error Info {}", named(&ERRINFO, seen.what)));
    let ultimatum = inner.ultimatum.as_ref().map(|seen| {
        let (from, reason) = seen.what;
        format!("Disconnect Provider Ultimatum {} of the {from}", keyed("mcs-reason", reason.into()))
    });
    let said: Vec<String> = errinfo.into_iter().chain(ultimatum).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
