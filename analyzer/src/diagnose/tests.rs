//! Sessions behind TLS, told by their events.

use super::{Confidence, Outcome, diagnose};
use crate::event::{
    AuthMessage, Basis, ConnectionConfirm, Event, Finalization, KdcError, Kerberos, McsPdu, Ntlm, NtlmKind, NtlmNames,
    Protocols, RdpPdu, Redirection, Token, TsRequest, What,
};
use crate::observation::{Ending, Flow, Leg, Side};
use crate::time::Timestamp;
use crate::timeline::Timeline;

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
        timeline.push(&Event { at: Timestamp::at(frame * 1_000_000), flow, frame, what });
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
fn a_clock_that_is_wrong_is_told_by_the_domain_controller() {
    let refused = |service: &str| What::Kdc(KdcError { code: 37, service: Some(service.into()) });
    check([ntlm(), refused("TERMSRV/host.x")], Side::Server, "NLA-SKEW likely credssp server failed");
    // Another service of the client's is another matter.
    let timeline = told([ntlm(), refused("cifs/files.x")], Side::Server);
    assert!(diagnose(&timeline).iter().all(|finding| finding.cause.id != "NLA-SKEW"));
}

#[test]
fn a_user_who_may_not_log_on() {
    check([ntlm(), What::EarlyAuthorization { result: 5 }], Side::Server, "NLA-RIGHT certain credssp server failed");
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
    // A code that says nothing is no goodbye; a user who leaves is one.
    check(with(0x0), Side::Server, "SES-KILLED possible active server broken");
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
    check([initial, to(0x180)], Side::Client, "PRX-PROBE possible basic-settings client unfinished");
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
