//! What plaintext tells, in a few lines: who authenticated how, what was agreed on, how it was ended.

use super::{Told, length};
use crate::codes::{Table, errinfo::ERRINFO};
use crate::event::{Account, KdcError, Mechanism, Ntlm, NtlmKind};
use crate::observation::Side;
use crate::time::{Timestamp, of_filetime};
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::inner::{Credssp, Inner, Settings};

/// The lines; none where nothing was read.
pub(super) fn facts(inner: &Inner) -> Vec<Told> {
    let lines = [
        ("CredSSP", credssp(&inner.credssp)),
        ("NTLM", ntlm(&inner.credssp)),
        ("settings", settings(&inner.settings)),
        ("licensing", licensing(inner)),
        ("auto-detect", auto_detect(inner)),
        ("frames", frames(inner)),
        ("redirection", redirection(inner)),
        ("said at end", ending(inner)),
        ("user", users(inner)),
    ];
    lines.into_iter().filter_map(|(label, says)| Some((label, says?))).collect()
}

/// Whom the client names.
pub(super) fn users(inner: &Inner) -> Option<String> {
    let named = |seen: &Sighting<Account>| {
        let Account { by, domain, user } = &seen.what;
        let domain = if domain.is_empty() { String::new() } else { format!("{domain}\\") };
        format!("{domain}{} ({})", if user.is_empty() { "no name" } else { user }, by.name())
    };
    let all: Vec<String> = inner.accounts.iter().map(named).collect();
    (!all.is_empty()).then(|| all.join(", "))
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

/// What both sides said of themselves, and what of it people look for: names, the server's clock, the binding to TLS.
fn ntlm(credssp: &Credssp) -> Option<String> {
    let [offer, challenge, answer] =
        [NtlmKind::Negotiate, NtlmKind::Challenge, NtlmKind::Authenticate].map(|kind| credssp.ntlm(kind));
    let of_client = answer.as_ref().or(offer.as_ref());
    let flags = answer.as_ref().or(challenge.as_ref()).or(offer.as_ref())?.what.flags;
    let version = |of: Option<&Sighting<&Ntlm>>| {
        of.and_then(|seen| seen.what.version)
            .map(|(major, minor, build)| format!("version {major}.{minor}.{build} of the "))
    };
    let mut parts = Vec::new();
    parts.extend(version(of_client).map(|version| version + "client"));
    parts.extend(version(challenge.as_ref()).map(|version| version + "server"));
    parts.push(format!("flags {flags:#010x}"));
    if let Some(seen) = &challenge {
        let names = &seen.what.names;
        let of_server = [&names.netbios_domain, &names.netbios_computer, &names.dns_computer, &names.dns_domain];
        let mut of_server: Vec<&str> = of_server.into_iter().filter_map(|name| name.as_deref()).collect();
        of_server.dedup();
        parts.extend((!of_server.is_empty()).then(|| format!("server {}", of_server.join(" "))));
        parts.extend(seen.what.timestamp.and_then(|clock| ahead(clock, seen.mark)));
    }
    if let Some(seen) = &answer {
        parts.extend(seen.what.names.target.as_ref().map(|target| format!("for {target}")));
        parts.push(
            if seen.what.channel_binding == Some(true) { "channel binding" } else { "no channel binding" }.into(),
        );
        parts.extend(seen.what.is_v1.then(|| "NTLMv1".to_owned()));
    }
    Some(parts.join(", "))
}

/// The server's clock (a FILETIME) beside the one that made the recording.
fn ahead(filetime: u64, mark: Mark) -> Option<String> {
    let clock = Timestamp::at(u64::try_from(of_filetime(filetime)?.as_nanos()).ok()?);
    let (off, way) = match clock >= mark.at {
        true => (clock.after(mark.at), "ahead of"),
        false => (mark.at.after(clock), "behind"),
    };
    Some(format!("its clock {} {way} this recording's", length(off)))
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
