//! Rules of what stands behind TLS, where plaintext is read: the two sides say there in so many words what is wrong.
//!
//! They come before those that judge by sizes and ends. A code has its causes in [`crate::codes`]; here is decided only
//! which of them it is.

use super::{Confidence, Finding, Party, Rule, stage};
use crate::codes::{Code, Table};
use crate::event::{Mechanism, NtlmKind};
use crate::observation::Side;
use crate::timeline::Timeline;
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::inner::Inner;
use crate::timeline::phase::PhaseName;

/// Every rule that needs plaintext. The first that speaks decides.
pub const RULES: &[Rule] = &[
    Rule { name: "errorCode of CredSSP", check: error_code },
    Rule { name: "error of Kerberos", check: kerberos },
    Rule { name: "early user authorization denied", check: unauthorized },
    Rule { name: "client left after the server's pubKeyAuth", check: unbound },
    Rule { name: "MCS refused", check: mcs_refused },
    Rule { name: "licence refused", check: licence_refused },
    Rule { name: "Set Error Info", check: errinfo },
];

/// A TSRequest tells an NTSTATUS or SSPI result.
fn error_code(timeline: &Timeline) -> Option<Finding> {
    let credssp = &timeline.facts.inner.credssp;
    let seen = credssp.error.as_ref()?;
    let (from, number) = seen.what;
    let code = coded(&["ntstatus", "sspi"], number);
    let is_ntlm = credssp.mechanism() == Some(Mechanism::Ntlm);
    let mut causes: Vec<&'static str> = code.map(|code| code.causes.to_vec()).unwrap_or_default();
    // A refusal of the mechanism itself, while NTLM is spoken, is a refusal of NTLM. The dialog that names this number for
    // an oracle mismatch is the client's own: that one never comes as an errorCode of the server.
    if is_ntlm && causes.contains(&"NLA-NTLMOFF") && !causes.contains(&"NLA-RESTR") {
        causes = vec!["NLA-NTLMOFF"];
    }
    let sure = if causes.len() == 1 { Confidence::Certain } else { Confidence::Likely };
    let (id, sure) = causes.first().map_or(("NLA-CRED", Confidence::Possible), |id| (*id, sure));
    let says = format!("the {from} ends CredSSP with errorCode {}", written(number, code));
    let finding = at(timeline, id, sure, seen.mark, PhaseName::Credssp, says)?.by(party(from));
    let finding = finding.with(seen.mark, format!("TSRequest with errorCode {}", written(number, code)));
    let others = causes.into_iter().skip(1);
    Some(with_mechanism(others.fold(finding, |finding, id| finding.or(id, Confidence::Possible)), timeline))
}

/// A KRB-ERROR stands in a token, RFC 4120 7.5.9.
fn kerberos(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let seen = timeline.facts.inner.credssp.kerberos().find(|seen| seen.what.error().is_some())?;
    let number = seen.what.error()?;
    let (id, name) = match number {
        7 => ("NLA-SPN", "KDC_ERR_S_PRINCIPAL_UNKNOWN"),
        18 => ("NLA-ACCT", "KDC_ERR_CLIENT_REVOKED"),
        23 => ("NLA-ACCT", "KDC_ERR_KEY_EXPIRED"),
        24 => ("NLA-CRED", "KDC_ERR_PREAUTH_FAILED"),
        37 => ("NLA-SKEW", "KRB_AP_ERR_SKEW"),
        41 => ("NLA-SPN", "KRB_AP_ERR_MODIFIED"),
        _ => ("NLA-KDC", "another error"),
    };
    let sure = if id == "NLA-KDC" { Confidence::Possible } else { Confidence::Likely };
    let says = format!("Kerberos fails inside CredSSP: KRB-ERROR {number} ({name})");
    let finding = at(timeline, id, sure, seen.mark, PhaseName::Credssp, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("KRB-ERROR {number}")))
}

/// The user is who he says, and may not log on.
fn unauthorized(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.credssp.authorization.as_ref().filter(|seen| seen.what != 0)?;
    let result = written(seen.what, coded(&["authz"], seen.what));
    let says = format!("the credentials are right, and the server denies this user the logon: {result}");
    let finding = at(timeline, "NLA-RIGHT", Confidence::Certain, seen.mark, PhaseName::Credssp, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("Early User Authorization Result {result}")))
}

/// The server bound the authentication to its certificate, and the client did not send its credentials.
fn unbound(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline).filter(|end| stage::by_client(end))?;
    let credssp = &timeline.facts.inner.credssp;
    let mark = credssp.pub_key_auth(Side::Server).filter(|_| credssp.auth_info().is_none())?;
    let says = "the client leaves after the server's pubKeyAuth, without sending its credentials".to_owned();
    let finding = at(timeline, "NLA-BIND", Confidence::Likely, mark, PhaseName::Credssp, says)?;
    let finding = finding.by(Party::Client).with(mark, "pubKeyAuth of the server").with_end(timeline);
    Some(with_mechanism(finding, timeline).or("NLA-DELEG", Confidence::Possible).or("NLA-ORACLE", Confidence::Possible))
}

fn mcs_refused(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.settings.result.as_ref().filter(|seen| seen.what != 0)?;
    let result = written(seen.what.into(), coded(&["mcs-result"], seen.what.into()));
    let says = format!("the server refuses the settings: MCS Connect-Response {result}");
    let finding = at(timeline, "MCS-REJECT", Confidence::Certain, seen.mark, PhaseName::BasicSettings, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("Connect-Response with result {result}")))
}

/// An error alert of licensing that is not STATUS_VALID_CLIENT.
fn licence_refused(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let mut refusals = timeline.facts.inner.licensing.iter().filter_map(|seen| Some((seen, seen.what.refusal()?)));
    let (seen, number) = refusals.next_back()?;
    let code = coded(&["license"], number);
    let id = code.and_then(|code| code.causes.first()).copied().unwrap_or("LIC-CLIENT");
    let (from, result) = (seen.what.from, written(number, code));
    let says = format!("the {from} ends licensing with {result}");
    let finding = at(timeline, id, Confidence::Certain, seen.mark, PhaseName::Licensing, says)?;
    Some(finding.by(party(from)).with(seen.mark, format!("licensing error alert {result}")))
}

/// The server says why it ends the session.
fn errinfo(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.error().filter(|seen| !Inner::is_by_user(seen.what))?;
    let code = coded(&["errinfo"], seen.what);
    let result = written(seen.what, code);
    let says = format!("the server ends the session and says why: {result}");
    let phase = timeline.end.as_ref()?.phase;
    let causes = code.map(|code| code.causes).unwrap_or_default();
    let (id, sure) = causes.first().map_or(("SES-KILLED", Confidence::Possible), |id| (*id, Confidence::Certain));
    let finding = at(timeline, id, sure, seen.mark, phase, says)?.by(Party::Server);
    let finding = finding.with(seen.mark, format!("Set Error Info {result}")).with_end(timeline);
    Some(causes.iter().skip(1).fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
}

fn at(
    timeline: &Timeline,
    id: &'static str,
    sure: Confidence,
    mark: Mark,
    phase: PhaseName,
    says: String,
) -> Option<Finding> {
    Some(Finding::at_end(timeline, id, sure, says)?.on(mark.leg, phase))
}

fn party(from: Side) -> Party {
    match from {
        Side::Client => Party::Client,
        Side::Server => Party::Server,
    }
}

fn coded(tables: &[&str], number: u32) -> Option<&'static Code> {
    tables.iter().filter_map(|key| Table::keyed(key)).find_map(|table| table.code(number))
}

/// "0xC000006D STATUS_LOGON_FAILURE".
fn written(number: u32, code: Option<&Code>) -> String {
    let name = code.map(|code| code.name).unwrap_or_default();
    format!("0x{number:08X} {name}").trim_end().to_owned()
}

/// What authenticated, as evidence.
fn with_mechanism(finding: Finding, timeline: &Timeline) -> Finding {
    let credssp = &timeline.facts.inner.credssp;
    let version = |side| credssp.version(side).map_or("none".to_owned(), |version| version.to_string());
    let Some((Sighting { mark, .. }, mechanism)) = credssp.messages.first().zip(credssp.mechanism()) else {
        return finding;
    };
    let versions = format!("CredSSP {} of the client, {} of the server", version(Side::Client), version(Side::Server));
    let target = credssp.ntlm(NtlmKind::Authenticate).and_then(|seen| seen.what.names.target.clone());
    let target = target.map(|target| format!(" for {target}")).unwrap_or_default();
    finding.with(*mark, format!("{versions}, with {}{target}", mechanism.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Outcome, diagnose};
    use crate::event::{
        AuthMessage, Basis, ConnectionConfirm, Event, Finalization, Kerberos, McsPdu, Ntlm, NtlmNames, Protocols,
        RdpPdu, Redirection, Token, TsRequest, What,
    };
    use crate::observation::{Ending, Flow, Leg};
    use crate::time::Timestamp;

    /// A session behind TLS, told by its events, a millisecond each, up to this end.
    fn told(events: impl IntoIterator<Item = What>, by: Side) -> Timeline {
        let confirm = ConnectionConfirm { selected: Some(Protocols::HYBRID_EX), flags: 0 };
        let before = [
            What::Opened,
            What::ConnectionConfirm(confirm),
            What::ClientHello(Box::default()),
            What::TlsEstablished { basis: Basis::Seen },
            What::Unsealed,
        ];
        let end = What::Closed { from: Some(by), how: Ending::Fin };
        let mut timeline = Timeline::default();
        for (what, frame) in before.into_iter().chain(events).chain([end]).zip(1..) {
            let flow = Flow { session: 0, leg: Leg::Only };
            timeline.push(&Event { at: Timestamp(frame * 1_000_000), flow, frame, what });
        }
        timeline.finish();
        timeline
    }

    fn credssp(from: Side, request: TsRequest) -> What {
        What::Credssp { from, request: Box::new(TsRequest { version: 6, ..request }) }
    }

    fn carrying(message: AuthMessage) -> TsRequest {
        TsRequest { tokens: vec![Token { message: Some(message), ..Token::default() }], ..TsRequest::default() }
    }

    fn ntlm() -> What {
        let ntlm = Ntlm {
            kind: NtlmKind::Negotiate,
            flags: 0,
            version: None,
            pairs: Vec::new(),
            names: NtlmNames::default(),
            timestamp: None,
            channel_binding: None,
            has_user: false,
            is_v1: false,
        };
        credssp(Side::Client, carrying(AuthMessage::Ntlm(Box::new(ntlm))))
    }

    fn error(code: u32) -> What {
        credssp(Side::Server, TsRequest { error_code: Some(code), ..TsRequest::default() })
    }

    fn rdp(from: Side, pdu: RdpPdu) -> What {
        What::Rdp { from, pdu }
    }

    /// What is said first: cause, confidence, phase, outcome of the session.
    #[track_caller]
    fn check(events: impl IntoIterator<Item = What>, by: Side, wanted: &str) {
        let timeline = told(events, by);
        let findings = diagnose(&timeline);
        let first = findings.first().map_or("nothing".to_owned(), |finding| {
            format!("{} {} {} {}", finding.cause.id, finding.confidence.name(), finding.phase, finding.by.name())
        });
        assert_eq!(format!("{first} {}", Outcome::of(&timeline).name()), wanted, "{findings:#?}");
    }

    fn up_to_active() -> Vec<What> {
        vec![
            What::Mcs { from: Side::Client, pdu: McsPdu::ConnectInitial },
            What::Mcs { from: Side::Server, pdu: McsPdu::ConnectResponse { result: 0 } },
            rdp(Side::Server, RdpPdu::License { message: 0xff, error: Some((7, 2)) }),
            rdp(Side::Server, RdpPdu::DemandActive(Default::default())),
            rdp(Side::Client, RdpPdu::ConfirmActive(Default::default())),
            rdp(Side::Server, RdpPdu::Finalization(Finalization::FontMap)),
        ]
    }

    #[test]
    fn a_wrong_password_is_named() {
        check([ntlm(), error(0xc000_006d)], Side::Client, "NLA-CRED certain credssp server failed");
        check([ntlm(), error(0xc000_0234)], Side::Server, "NLA-ACCT certain credssp server failed");
        check([ntlm(), error(0xc000_006e)], Side::Client, "NLA-RESTR likely credssp server failed");
        check([ntlm(), error(0x1234_5678)], Side::Client, "NLA-CRED possible credssp server failed");
    }

    #[test]
    fn a_server_that_takes_no_ntlm_is_no_oracle_mismatch() {
        let timeline = told([ntlm(), error(0x8009_0302)], Side::Client);
        let findings = diagnose(&timeline);
        assert_eq!((findings[0].cause.id, findings[0].confidence), ("NLA-NTLMOFF", Confidence::Certain));
        assert!(findings[0].says.contains("0x80090302 SEC_E_UNSUPPORTED_FUNCTION"), "{}", findings[0].says);
        assert!(findings[0].alternatives.iter().all(|(cause, _)| cause.id != "NLA-ORACLE"), "{findings:#?}");
    }

    #[test]
    fn a_clock_that_is_wrong_is_told_by_kerberos() {
        let skewed = carrying(AuthMessage::Kerberos(Kerberos::Error { code: 37 }));
        check([credssp(Side::Server, skewed)], Side::Client, "NLA-SKEW likely credssp server failed");
    }

    #[test]
    fn a_user_who_may_not_log_on() {
        check(
            [ntlm(), What::EarlyAuthorization { result: 5 }],
            Side::Server,
            "NLA-RIGHT certain credssp server failed",
        );
    }

    #[test]
    fn a_client_that_does_not_trust_the_binding() {
        let bound = credssp(Side::Server, TsRequest { has_pub_key_auth: true, ..TsRequest::default() });
        check([ntlm(), bound.clone()], Side::Client, "NLA-BIND likely credssp client failed");
        // One that sends its credentials does.
        let sent = credssp(Side::Client, TsRequest { has_auth_info: true, ..TsRequest::default() });
        let timeline = told([ntlm(), bound, sent], Side::Client);
        assert!(diagnose(&timeline).iter().all(|finding| finding.cause.id != "NLA-BIND"));
    }

    #[test]
    fn settings_and_licences_that_are_refused() {
        let initial = What::Mcs { from: Side::Client, pdu: McsPdu::ConnectInitial };
        let refused = What::Mcs { from: Side::Server, pdu: McsPdu::ConnectResponse { result: 8 } };
        check([initial, refused], Side::Server, "MCS-REJECT certain basic-settings server failed");
        let refused = rdp(Side::Server, RdpPdu::License { message: 0xff, error: Some((6, 1)) });
        check([refused], Side::Server, "LIC-NOSRV certain licensing server failed");
    }

    #[test]
    fn a_server_that_says_why_it_ends_the_session() {
        let with = |code| {
            let mut events = up_to_active();
            events.push(rdp(Side::Server, RdpPdu::SetErrorInfo { code }));
            events
        };
        check(with(0x3), Side::Server, "SES-IDLE certain active server broken");
        check(with(0x5), Side::Client, "SES-REPLACED certain active server broken");
        // None at all, and a user who leaves.
        check(with(0x0), Side::Server, "nothing connected");
        check(with(0xc), Side::Server, "nothing connected");
        let early = rdp(Side::Server, RdpPdu::SetErrorInfo { code: 0x101 });
        check([early], Side::Server, "LIC-NOSRV certain tls server failed");
    }

    #[test]
    fn a_redirection_is_no_failure() {
        let to = |flags| rdp(Side::Server, RdpPdu::Redirection(Box::new(Redirection { flags, ..Default::default() })));
        let initial = What::Mcs { from: Side::Client, pdu: McsPdu::ConnectInitial };
        check([initial.clone(), to(0x100)], Side::Client, "nothing unfinished");
        // One that only informs changes nothing.
        check([initial, to(0x180)], Side::Client, "MCS-REJECT possible basic-settings client failed");
    }

    #[test]
    fn where_nothing_is_said_the_phase_that_is_seen_decides() {
        let info = RdpPdu::ClientInfo { flags: 0, lengths: [0; 3], has_cookie: false };
        let initial = What::Mcs { from: Side::Client, pdu: McsPdu::ConnectInitial };
        let info = rdp(Side::Client, info);
        check([initial, info], Side::Server, "INFO-CRED possible secure-settings server failed");
    }

    #[test]
    fn a_session_that_is_seen_is_not_inferred() {
        let timeline = told(up_to_active(), Side::Client);
        let phases: Vec<_> = timeline.phases.iter().map(|phase| (phase.name.name(), phase.basis)).collect();
        assert!(phases.iter().all(|(_, basis)| *basis == Basis::Seen), "{phases:?}");
        assert!(timeline.is_active());
    }
}
