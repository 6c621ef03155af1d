//! Rules of CredSSP where plaintext shows it: codes first, then versions, then who left behind which message.

use std::time::Duration;

use super::stage::{self, length};
use super::unsealed::{Broken, Verdict, Way, at, coded, party, written};
use super::{Confidence, Finding, Party, Severity};
use crate::event::{KdcError, Mechanism, NtlmKind, Protocols, TsRequest};
use crate::observation::Side;
use crate::time::of_filetime;
use crate::timeline::Timeline;
use crate::timeline::facts::Sighting;
use crate::timeline::phase::PhaseName;

/// The version that brought the remedy of CVE-2018-0886, \[MS-CSSP\] 2.2.1: who is strict speaks with no older one.
const REMEDIED: u32 = 5;
/// Kerberos takes no ticket from a clock that is further off, RFC 4120 1.6.
const SKEW: Duration = Duration::from_secs(300);
/// NegTokenResp, negState reject (RFC 4178, 4.2.2).
const REJECT: u8 = 2;

/// A TSRequest tells an NTSTATUS or SSPI result.
pub fn error_code(timeline: &Timeline) -> Option<Finding> {
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

/// The client authenticates where the server selected TLS alone, \[MS-RDPBCGR\] 5.4.2.1: there MCS has to follow at once.
pub fn unasked(timeline: &Timeline) -> Option<Finding> {
    timeline.end.filter(|_| !timeline.is_active())?;
    let selected = timeline.facts.selected().filter(|selected| !selected.intersects(Protocols::CREDSSP))?;
    let messages = &timeline.facts.inner.credssp.messages;
    let first = messages.first().filter(|first| first.what.0 == Side::Client)?;
    let selected = selected.names().join(", ");
    let says = format!("the client speaks CredSSP although the server selected {selected}");
    let phase = timeline.last_phase();
    let finding = at(timeline, "NLA-UNASKED", Confidence::Certain, first.mark, phase, says)?.by(Party::Client);
    let finding = finding.with(first.mark, "TSRequest of the client, where MCS Connect Initial has to stand");
    let confirm = timeline.facts.confirm.as_ref();
    let finding =
        confirm.iter().fold(finding, |finding, seen| finding.with(seen.mark, format!("confirm selects {selected}")));
    Some(finding.with_end(timeline))
}

/// A KRB-ERROR stands in a token, or the client's domain controller sent one, RFC 4120 7.5.9.
pub fn kerberos(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let token = timeline.facts.inner.credssp.kerberos().find_map(|seen| Some((seen.what.error()?, seen.mark)));
    let (number, mark, place) = match token {
        Some((number, mark)) => (number, mark, "inside CredSSP"),
        None => {
            let seen = refused_by_kdc(timeline)?;
            (seen.what.code, seen.mark, "at the domain controller")
        }
    };
    let code = coded(&["kerberos"], number);
    let causes = code.map(|code| code.causes).filter(|causes| !causes.is_empty()).unwrap_or(&["NLA-KDC"]);
    let (id, others) = causes.split_first()?;
    let sure = if *id == "NLA-KDC" { Confidence::Possible } else { Confidence::Likely };
    // People know them as decimal numbers.
    let result = format!("{number} {}", code.map_or("", |code| code.name));
    let result = result.trim_end();
    let says = format!("Kerberos fails {place}: KRB-ERROR {result}");
    let finding = at(timeline, id, sure, mark, PhaseName::Credssp, says)?;
    let finding = finding.by(Party::Server).with(mark, format!("KRB-ERROR {result}"));
    Some(others.iter().fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
}

/// What the domain controller refused to a client whose session ends in authentication: of this host's service, or of the
/// logon itself. Other services of the client's are not this session's.
fn refused_by_kdc(timeline: &Timeline) -> Option<&Sighting<KdcError>> {
    timeline.facts.selected().filter(|selected| selected.intersects(Protocols::CREDSSP))?;
    let is_early = timeline.last_phase() <= PhaseName::BasicSettings;
    let concerns = |service: &str| ["TERMSRV/", "krbtgt/"].iter().any(|kind| service.starts_with(kind));
    let mut refusals = timeline.facts.kdc.iter().rev();
    refusals.find(|seen| is_early && seen.what.service.as_deref().is_none_or(concerns))
}

/// The user is who he says, and may not log on.
pub fn unauthorized(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.credssp.authorization.as_ref().filter(|seen| seen.what != 0)?;
    let result = written(seen.what, coded(&["authz"], seen.what));
    let says = format!("the credentials are right, and the server denies this user the logon: {result}");
    let finding = at(timeline, "NLA-RIGHT", Confidence::Certain, seen.mark, PhaseName::Credssp, says)?;
    Some(finding.by(Party::Server).with(seen.mark, format!("Early User Authorization Result {result}")))
}

/// RDSTLS: the server does not take the credentials that came with a redirection. Its codes are Win32 errors,
/// \[MS-RDPBCGR\] 2.2.17.4.
pub fn rdstls(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let seen = timeline.facts.inner.credssp.rdstls.as_ref().filter(|seen| seen.what != 0)?;
    let (id, name) = match seen.what {
        0x5 => ("NLA-RIGHT", "ERROR_ACCESS_DENIED"),
        0x52e => ("NLA-CRED", "ERROR_LOGON_FAILURE"),
        0x530 => ("NLA-ACCT", "ERROR_INVALID_LOGON_HOURS"),
        0x532 => ("NLA-ACCT", "ERROR_PASSWORD_EXPIRED"),
        0x533 => ("NLA-ACCT", "ERROR_ACCOUNT_DISABLED"),
        0x773 => ("NLA-ACCT", "ERROR_PASSWORD_MUST_CHANGE"),
        0x775 => ("NLA-ACCT", "ERROR_ACCOUNT_LOCKED_OUT"),
        _ => ("NLA-CRED", "another error"),
    };
    let says = format!("the server refuses the credentials of RDSTLS: {:#x} {name}", seen.what);
    let finding = at(timeline, id, Confidence::Likely, seen.mark, timeline.last_phase(), says)?.by(Party::Server);
    Some(finding.with(seen.mark, format!("RDSTLS authentication response {:#x}", seen.what)))
}

/// RDSAAD: the server does not take the client's assertion, \[MS-RDPBCGR\] 2.2.18.3.
pub fn rdsaad(timeline: &Timeline) -> Option<Finding> {
    const E_ACCESSDENIED: u32 = 0x8007_0005;
    stage::ended_early(timeline)?;
    let seen = timeline.facts.inner.credssp.rdsaad.as_ref().filter(|seen| seen.what != 0)?;
    let code = coded(&["ntstatus", "sspi"], seen.what);
    let id = match (seen.what, code.and_then(|code| code.causes.first())) {
        (E_ACCESSDENIED, _) => "NLA-RIGHT",
        // An assertion is no password, and no ticket: what else its error means in CredSSP is not meant here.
        (code, Some(id)) if code >> 30 == 3 => id,
        (_, _) => "NLA-CRED",
    };
    let result = written(seen.what, code);
    let says = format!("the server refuses the client's assertion of Entra ID (RDSAAD): {result}");
    let finding = at(timeline, id, Confidence::Possible, seen.mark, timeline.last_phase(), says)?.by(Party::Server);
    Some(finding.with(seen.mark, format!("RDSAAD authentication result {result}")))
}

/// The client has turned NTLM off and offers IAKerb (1.3.6.1.5.2.5), and the server takes nothing of it.
pub fn iakerb(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let credssp = &timeline.facts.inner.credssp;
    let offers = |seen: &&Sighting<(Side, TsRequest)>| {
        let names = |mechanism| seen.what.1.tokens.iter().any(|token| token.offered.contains(mechanism));
        seen.what.0 == Side::Client && names(&Mechanism::IaKerb) && !names(&Mechanism::Ntlm)
    };
    let offer = credssp.messages.iter().find(offers)?;
    let seen = rejection(timeline)?;
    let says = "the client offers IAKerb and no NTLM, and the server rejects it".to_owned();
    let finding = at(timeline, "NLA-IAKERB", Confidence::Likely, seen.mark, PhaseName::Credssp, says)?;
    let finding =
        finding.by(Party::Server).with(offer.mark, "SPNEGO mechTypes with 1.3.6.1.5.2.5 (IAKerb), without NTLM");
    let finding = finding.with(seen.mark, "SPNEGO negState reject");
    Some(finding.or("NLA-SPN", Confidence::Possible).or("NLA-KDC", Confidence::Possible))
}

/// The server's message with SPNEGO negState reject, RFC 4178 4.2.2.
fn rejection(timeline: &Timeline) -> Option<&Sighting<(Side, TsRequest)>> {
    let rejects = |seen: &&Sighting<(Side, TsRequest)>| {
        seen.what.0 == Side::Server && seen.what.1.tokens.iter().any(|token| token.state == Some(REJECT))
    };
    timeline.facts.inner.credssp.messages.iter().find(rejects)
}

/// SPNEGO: the server takes none of the mechanisms, or not what the chosen one said.
pub fn rejected(timeline: &Timeline) -> Option<Finding> {
    stage::ended_early(timeline)?;
    let credssp = &timeline.facts.inner.credssp;
    let seen = rejection(timeline)?;
    // Behind the proof it is the proof that is refused, before it the mechanism.
    let proved = credssp.ntlm(NtlmKind::Authenticate).is_some_and(|proof| proof.mark.at <= seen.mark.at);
    let is_ntlm = credssp.mechanism() == Some(Mechanism::Ntlm);
    let (id, sure, other) = match (proved, is_ntlm) {
        (true, _) => ("NLA-CRED", Confidence::Likely, "NLA-ACCT"),
        (false, true) => ("NLA-NTLMOFF", Confidence::Likely, "NLA-RESTR"),
        (false, false) => ("NLA-SPN", Confidence::Possible, "NLA-KDC"),
    };
    let says = "the server rejects the authentication, without an errorCode".to_owned();
    let finding = at(timeline, id, sure, seen.mark, PhaseName::Credssp, says)?.by(Party::Server);
    let finding = finding.with(seen.mark, "SPNEGO negState reject").or(other, Confidence::Possible);
    Some(with_mechanism(finding, timeline))
}

/// One side speaks a version from before the remedy, and the other one, which has it, leaves.
pub fn strict(timeline: &Timeline) -> Option<Finding> {
    let broken = Broken::within(timeline, &[PhaseName::Credssp])?;
    let credssp = &timeline.facts.inner.credssp;
    let (Way::Refused(strict) | Way::Left(strict)) = broken.way else { return None };
    let (own, other) = (credssp.version(strict)?, credssp.version(strict.other())?);
    if own < REMEDIED || other >= REMEDIED {
        return None;
    }
    let says =
        format!("the {strict} speaks CredSSP {own}, the {} only {other}, and the {strict} leaves", strict.other());
    let finding = Finding::at_end(timeline, "NLA-ORACLE", Confidence::Likely, says)?.by(party(strict));
    Some(with_mechanism(finding.with_end(timeline), timeline).or("NLA-CRED", Confidence::Possible))
}

/// The server bound the authentication to its certificate, and the client did not send its credentials.
pub fn unbound(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline).filter(|end| stage::by_client(end))?;
    let credssp = &timeline.facts.inner.credssp;
    let mark = credssp.pub_key_auth(Side::Server).filter(|_| credssp.auth_info().is_none())?;
    let says = "the client leaves after the server's pubKeyAuth, without sending its credentials".to_owned();
    let finding = at(timeline, "NLA-BIND", Confidence::Likely, mark, PhaseName::Credssp, says)?;
    let finding = finding.by(Party::Client).with(mark, "pubKeyAuth of the server").with_end(timeline);
    Some(with_mechanism(finding, timeline).or("NLA-DELEG", Confidence::Possible).or("NLA-ORACLE", Confidence::Possible))
}

/// CredSSP is seen, it got no further, and nobody says why.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let broken = Broken::within(timeline, &[PhaseName::Credssp])?;
    let credssp = &timeline.facts.inner.credssp;
    let (proved, done) = (credssp.ntlm(NtlmKind::Authenticate).is_some(), credssp.auth_info().is_some());
    let verdict: Verdict = match broken.way {
        // Versions 2 and 5 have no errorCode: to them a wrong password is an end.
        Way::Refused(Side::Server) | Way::Left(Side::Server) if done => {
            ("NLA-RIGHT", Confidence::Possible, &["NLA-CRED", "SES-DENIED", "NLA-DELEG"])
        }
        Way::Refused(Side::Server) | Way::Left(Side::Server) if proved => {
            ("NLA-CRED", Confidence::Likely, &["NLA-ACCT", "NLA-RESTR", "NLA-ORACLE", "NLA-KDC"])
        }
        Way::Refused(Side::Server) | Way::Left(Side::Server) => {
            ("NLA-NTLMOFF", Confidence::Possible, &["NLA-CRED", "NLA-KDC", "NLA-ORACLE"])
        }
        // It was not refused: it asked for the server's names, tried a password, or cannot use what the server says.
        Way::Refused(Side::Client) | Way::Left(Side::Client) => {
            ("PRX-PROBE", Confidence::Possible, &["NLA-ORACLE", "NLA-DELEG", "NLA-SMARTCARD"])
        }
        Way::Silent(Side::Server) if proved => ("NLA-KDC", Confidence::Likely, &["PATH-WINZERO"]),
        Way::Silent(Side::Server) => ("NLA-KDC", Confidence::Possible, &["PATH-WINZERO", "SES-BUSY"]),
        // What it owes is the first large thing that it says.
        Way::Silent(Side::Client) => ("PATH-PMTU", Confidence::Possible, &["PATH-DEAD", "NLA-KDC"]),
        Way::Lost => ("PATH-DEAD", Confidence::Possible, &["PATH-PMTU"]),
    };
    Some(with_mechanism(broken.judged(verdict)?, timeline))
}

/// The clock of the server, as its challenge tells it, against the one that the packets were stamped with.
pub fn skewed(timeline: &Timeline) -> Option<Finding> {
    let seen = timeline.facts.inner.credssp.ntlm(NtlmKind::Challenge)?;
    let ticks = seen.what.timestamp?;
    if timeline.facts.lapses.is_stepped() {
        // The clock here was wrong, before or afterwards.
        return None;
    }
    let theirs = of_filetime(ticks)?;
    let ours = Duration::from_nanos(seen.mark.at.0);
    let (apart, which) = if theirs > ours { (theirs - ours, "ahead of") } else { (ours - theirs, "behind") };
    if apart <= SKEW {
        return None;
    }
    let says = format!("the server's clock is {} {which} the one here: Kerberos takes 5 minutes", length(apart));
    let finding = at(timeline, "NLA-SKEW", Confidence::Likely, seen.mark, PhaseName::Credssp, says)?;
    let finding = finding.by(Party::Nobody).severity(Severity::Note);
    Some(finding.with(seen.mark, "MsvAvTimestamp of the NTLM challenge"))
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
