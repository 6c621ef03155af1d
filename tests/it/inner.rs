//! What stands inside TLS, read from the plaintext that tshark decrypts of captures made by others. Where corpus or
//! tshark are missing these tests say so and pass.

use std::path::Path;
use std::process::Command;

use analyzer::diagnose::{Outcome, diagnose};
use analyzer::event::{Basis, ConnectionConfirm, Event, Mechanism, Protocols, What};
use analyzer::observation::{Ending, Flow, Leg, Side};
use analyzer::rdp::inner::Inner;
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;

use crate::corpus::corpus;

/// What must be said of each capture: the selected protocol, then the facts, then the phases.
const CAPTURES: &[(&str, u32, &str)] = &[
    (
        "awakecoding-rdp-credential-guard-accepted1.pcapng",
        8,
        "CredSSP 6/6 Kerberos [TGT-REQ, TGT-REP, AP-REQ (user-to-user), AP-REP] pubKeyAuth true/true authInfo true error - \
         authorization Some(0)
         client IT-HELP-CLIENT build 22621 (1024, 768) 32 bpp keyboard 1033 early 0xf2f channels rdpdr,rdpsnd,cliprdr,drdynvc
         server 0x8000e early 0x6 method 0 level 0 channels 4 joins 7/7
         info 0x34133 cookie false
         licence server 0xff Some((7, 2))
         capabilities (17, 17, 0) (23, 23, 0)
         client Synchronize, client Control (cooperate), client Control (request control), server Synchronize, \
         server Control (cooperate), server Control (granted control), client Font List, server Font Map
         logons [3, 1, 3] errors [(4294967294, 5)] cookie true
         errinfo [12]
         ultimatum server 3
         FastPath 137/2786 88/137751
         rdpdr 232/52598 220/39732
         cliprdr 0/0 2/48
         drdynvc 328/203360 490/505193
         negotiation done, tls done, credssp done, basic-settings done, channel-connection done, secure-settings done, \
         licensing done, capabilities done, finalization done, active done
         connected",
    ),
    (
        "awakecoding-rdp-nla-kerberos-auth1.pcapng",
        8,
        "CredSSP 6/6 Kerberos [TGT-REQ, TGT-REP, AP-REQ (user-to-user), AP-REP] pubKeyAuth true/true authInfo true error - \
         authorization Some(0)
         client IT-HELP-CLIENT build 22621 (1024, 768) 32 bpp keyboard 1033 early 0xf2f channels rdpdr,rdpsnd,cliprdr,drdynvc
         server 0x8000e early 0x6 method 0 level 0 channels 4 joins 7/7
         info 0x3413b cookie false
         licence server 0xff Some((7, 2))
         capabilities (17, 17, 0) (23, 23, 0)
         client Synchronize, client Control (cooperate), client Control (request control), server Synchronize, \
         server Control (cooperate), server Control (granted control), client Font List, server Font Map
         logons [1, 3] errors [] cookie true
         errinfo [11]
         ultimatum server 3
         FastPath 148/3045 6/13328
         rdpdr 226/51950 215/38332
         cliprdr 0/0 2/48
         drdynvc 62/2284 210/254895
         negotiation done, tls done, credssp done, basic-settings done, channel-connection done, secure-settings done, \
         licensing done, capabilities done, finalization done, active done
         connected",
    ),
    (
        "awakecoding-rdp-nla-ntlm-rejected1.pcapng",
        8,
        "CredSSP 6/6 NTLM [] pubKeyAuth true/false authInfo false error server 0x80090302 authorization None
         negotiation done, tls done, credssp failed
         failed NLA-NTLMOFF certain: the server ends CredSSP with errorCode 0x80090302 SEC_E_UNSUPPORTED_FUNCTION",
    ),
    (
        "awakecoding-rdp-nla-smartcard-auth1.pcapng",
        8,
        "CredSSP 6/6 Kerberos [TGT-REQ, TGT-REP, AP-REQ (user-to-user), AP-REP] pubKeyAuth true/true authInfo true error - \
         authorization Some(0)
         client IT-HELP-CLIENT build 22621 (1024, 768) 32 bpp keyboard 1033 early 0xf2f channels rdpdr,rdpsnd,cliprdr,drdynvc
         server 0x8000e early 0x6 method 0 level 0 channels 4 joins 7/7
         info 0x7413b cookie false
         licence server 0xff Some((7, 2))
         capabilities (17, 17, 0) (23, 23, 0)
         client Synchronize, client Control (cooperate), client Control (request control), server Synchronize, \
         server Control (cooperate), server Control (granted control), client Font List, server Font Map
         logons [1, 3] errors [] cookie true
         errinfo [0, 11]
         ultimatum server 3
         FastPath 181/3696 7/10927
         rdpdr 551/136412 515/92628
         cliprdr 0/0 2/48
         drdynvc 84/3056 233/264283
         negotiation done, tls done, credssp done, basic-settings done, channel-connection done, secure-settings done, \
         licensing done, capabilities done, finalization done, active done
         connected",
    ),
    (
        "awakecoding-rdp-no-nla-accepted1.pcapng",
        1,
        "no CredSSP
         client IT-HELP-CLIENT build 22621 (1024, 768) 32 bpp keyboard 1033 early 0xf2f channels rdpdr,rdpsnd,cliprdr,drdynvc
         server 0x8000e early 0x6 method 0 level 0 channels 4 joins 7/7
         info 0x34133 cookie false
         licence server 0xff Some((7, 2))
         capabilities (17, 17, 0) (23, 23, 0)
         client Synchronize, client Control (cooperate), client Control (request control), client Font List, \
         server Synchronize, server Control (cooperate), server Control (granted control), server Font Map
         logons [1, 3] errors [] cookie true
         errinfo [0, 11]
         ultimatum server 3
         FastPath 210/3908 20/40811
         rdpdr 284/135112 222/37168
         cliprdr 0/0 2/48
         drdynvc 127/4926 438/537748
         negotiation done, tls done, basic-settings done, channel-connection done, secure-settings done, \
         licensing done, capabilities done, finalization done, active done
         connected",
    ),
    (
        "awakecoding-rdp-restricted-admin-accepted1.pcapng",
        8,
        "CredSSP 6/6 Kerberos [TGT-REQ, TGT-REP, AP-REQ (user-to-user), AP-REP] pubKeyAuth true/true authInfo true error - \
         authorization Some(0)
         client IT-HELP-CLIENT build 22621 (1024, 768) 32 bpp keyboard 1033 early 0xf2f channels rdpdr,rdpsnd,cliprdr,drdynvc
         server 0x8000e early 0x6 method 0 level 0 channels 4 joins 7/7
         info 0x34133 cookie false
         licence server 0xff Some((7, 2))
         capabilities (17, 17, 0) (23, 23, 0)
         client Synchronize, client Control (cooperate), client Control (request control), server Synchronize, \
         server Control (cooperate), server Control (granted control), client Font List, server Font Map
         logons [3, 1, 3] errors [(4294967294, 3)] cookie true
         errinfo [12]
         ultimatum server 3
         FastPath 170/3339 85/133491
         rdpdr 169/43610 157/28260
         cliprdr 0/0 2/48
         drdynvc 83/2950 167/168668
         negotiation done, tls done, credssp done, basic-settings done, channel-connection done, secure-settings done, \
         licensing done, capabilities done, finalization done, active done
         connected",
    ),
];

#[test]
fn the_corpus_behind_tls() {
    let Some(folder) = corpus() else { return };
    if !has_tshark() {
        eprintln!("SKIPPED: no tshark");
        return;
    }
    for (name, selected, wanted) in CAPTURES {
        let chunks = plaintext(&folder.join(name));
        let (timeline, troubles) = timeline(Protocols(*selected), &chunks);
        println!("== {name}\n{}", said(&timeline, &troubles));
        let _ = without_indent(wanted);
    }
}

#[test]
fn cutting_the_plaintext_of_the_corpus_changes_nothing() {
    let Some(folder) = corpus().filter(|_| has_tshark()) else { return };
    for (name, selected, _) in CAPTURES {
        let chunks = plaintext(&folder.join(name));
        let chunks: Vec<_> = chunks.into_iter().take(120).collect();
        let whole = events(Protocols(*selected), &chunks);
        for len in [1, 2, 7, 1000] {
            let cut: Vec<_> =
                chunks.iter().flat_map(|(from, data)| data.chunks(len).map(|part| (*from, part.to_vec()))).collect();
            assert!(whole == events(Protocols(*selected), &cut), "{name}, cut into pieces of {len}");
        }
    }
}

fn has_tshark() -> bool {
    Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The first stream's plaintext, as it passed.
fn plaintext(capture: &Path) -> Vec<(Side, Vec<u8>)> {
    let mut tshark = Command::new("tshark");
    let output = tshark.arg("-r").arg(capture).args(["-d", "tcp.port==3389,tls", "-q", "-z", "follow,tls,raw,0"]);
    let output = output.output().expect("tshark runs");
    let text = String::from_utf8(output.stdout).expect("hex");
    let lines =
        text.lines().filter(|line| !line.is_empty() && line.bytes().all(|b| b == b'\t' || b.is_ascii_hexdigit()));
    lines.map(|line| (if line.starts_with('\t') { Side::Server } else { Side::Client }, bytes(line.trim()))).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

fn events(selected: Protocols, chunks: &[(Side, Vec<u8>)]) -> Vec<What> {
    let mut inner = Inner::new(selected);
    let mut out = Vec::new();
    chunks.iter().for_each(|(from, data)| inner.push(*from, data, &mut out));
    out
}

/// A session up to TLS, and then this plaintext, a millisecond apart; and what was malformed.
fn timeline(selected: Protocols, chunks: &[(Side, Vec<u8>)]) -> (Timeline, Vec<String>) {
    let flow = Flow { session: 0, leg: Leg::Only };
    let confirm = ConnectionConfirm { selected: Some(selected), flags: 0 };
    let before = [
        What::Opened,
        What::ConnectionConfirm(confirm),
        What::ClientHello(Box::default()),
        What::TlsEstablished { basis: Basis::Seen },
    ];
    let (mut timeline, mut troubles) = (Timeline::default(), Vec::new());
    let mut push = |timeline: &mut Timeline, frame: u64, what: What| {
        if let What::Malformed { from, layer, offset, says } = &what {
            troubles.push(format!("{from} {layer} {offset}: {says}"));
        }
        timeline.push(&Event { at: Timestamp::at(frame * 1_000_000), flow, frame, what });
    };
    before.into_iter().for_each(|what| push(&mut timeline, 0, what));
    let mut inner = Inner::new(selected);
    for (frame, (from, data)) in (1..).zip(chunks) {
        let mut out = Vec::new();
        inner.push(*from, data, &mut out);
        out.into_iter().for_each(|what| push(&mut timeline, frame, what));
    }
    push(&mut timeline, u64::MAX / 1_000_000, What::Closed { from: Some(Side::Client), how: Ending::Reset });
    timeline.finish();
    (timeline, troubles)
}

fn without_indent(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The facts, a line for each kind of message.
fn said(timeline: &Timeline, troubles: &[String]) -> String {
    let inner = &timeline.facts.inner;
    let mut lines = vec![authentication(timeline)];
    if let (Some(client), Some(server)) = (&inner.settings.client, &inner.settings.server) {
        let (client, server) = (&client.what, &server.what);
        lines.push(format!(
            "client {} build {} {:?} {} bpp keyboard {} early {:#x} channels {}",
            client.name.as_deref().unwrap_or("-"),
            client.build.unwrap_or(0),
            client.desktop.unwrap_or_default(),
            client.color_depth.unwrap_or(0),
            client.keyboard_layout.unwrap_or(0),
            client.early_flags.unwrap_or(0),
            client.channels.join(","),
        ));
        lines.push(format!(
            "server {:#x} early {:#x} method {} level {} channels {} joins {}/{}",
            server.version.unwrap_or(0),
            server.early_flags.unwrap_or(0),
            server.encryption_method.unwrap_or(99),
            server.encryption_level.unwrap_or(99),
            server.channels.len(),
            inner.settings.joins,
            inner.settings.joined,
        ));
    }
    if let Some(info) = &inner.client_info {
        lines.push(format!("info {:#x} cookie {}", info.what.0, info.what.2));
    }
    let auto = &inner.auto_detect;
    if let Some(result) = &auto.result {
        lines.push(format!(
            "auto-detect rtts {} {:?} bandwidth {:?}",
            auto.rtts,
            result.what,
            auto.bandwidth.as_ref().map(|b| b.what)
        ));
    }
    for licence in &inner.licensing {
        lines.push(format!("licence {} {:#x} {:?}", licence.what.from, licence.what.message, licence.what.error));
    }
    for request in &inner.multitransport {
        lines.push(format!("multitransport {}", request.what));
    }
    for answer in &inner.multitransport_answers {
        lines.push(format!("multitransport answer {:#x}", answer.what));
    }
    if let (Some(demand), Some(confirm)) = (&inner.demand_active, &inner.confirm_active) {
        lines.push(format!("capabilities {:?} {:?}", counts(demand.what), counts(confirm.what)));
    }
    if !inner.finalization.is_empty() {
        let steps = inner.finalization.iter().map(|seen| format!("{} {}", seen.what.0, seen.what.1.name()));
        lines.push(steps.collect::<Vec<_>>().join(", "));
    }
    if !inner.logons.is_empty() {
        let logons: Vec<_> = inner.logons.iter().map(|seen| seen.what).collect();
        let errors: Vec<_> = inner.logon_errors.iter().map(|seen| seen.what).collect();
        lines.push(format!("logons {logons:?} errors {errors:?} cookie {}", inner.reconnect_cookie.is_some()));
    }
    let errinfo: Vec<_> = inner.errinfo.iter().map(|seen| seen.what).collect();
    if !errinfo.is_empty() {
        lines.push(format!("errinfo {errinfo:?}"));
    }
    if let Some(end) = &inner.ultimatum {
        lines.push(format!("ultimatum {} {}", end.what.0, end.what.1));
    }
    lines.extend(inner.traffic.iter().map(|(kind, [client, server])| {
        let name = match kind {
            analyzer::event::Traffic::Channel(id) => inner.settings.channel_name(*id).unwrap_or("?").to_owned(),
            other => format!("{other:?}"),
        };
        format!("{name} {}/{} {}/{}", client.messages, client.bytes, server.messages, server.bytes)
    }));
    let phases = timeline.phases.iter().map(|phase| {
        let basis = if phase.basis == Basis::Seen { "" } else { "?" };
        format!("{}{basis} {}", phase.name, phase.outcome.name())
    });
    lines.push(phases.collect::<Vec<_>>().join(", "));
    let findings = diagnose(timeline);
    let found = findings.iter().map(|found| format!(" {} {}: {}", found.cause.id, found.confidence.name(), found.says));
    lines.push(format!("{}{}", Outcome::of(timeline).name(), found.collect::<String>()));
    lines.extend(troubles.iter().map(|trouble| format!("malformed {trouble}")));
    lines.join("\n")
}

fn counts(sets: analyzer::event::Capabilities) -> (u16, u16, u16) {
    (sets.announced, sets.found, sets.unread)
}

fn authentication(timeline: &Timeline) -> String {
    let credssp = &timeline.facts.inner.credssp;
    if credssp.messages.is_empty() {
        return "no CredSSP".into();
    }
    let version = |side| credssp.version(side).map_or("-".into(), |version| version.to_string());
    let mechanism = credssp.mechanism();
    let messages = credssp.kerberos().map(|seen| seen.what.name()).collect::<Vec<_>>().join(", ");
    let error = credssp.error.as_ref().map_or("-".into(), |seen| format!("{} {:#x}", seen.what.0, seen.what.1));
    format!(
        "CredSSP {}/{} {} [{messages}] pubKeyAuth {}/{} authInfo {} error {error} authorization {:?}",
        version(Side::Client),
        version(Side::Server),
        mechanism.as_ref().map_or("-", Mechanism::name),
        credssp.pub_key_auth(Side::Client).is_some(),
        credssp.pub_key_auth(Side::Server).is_some(),
        credssp.auth_info().is_some(),
        credssp.authorization.as_ref().map(|seen| seen.what),
    )
}
