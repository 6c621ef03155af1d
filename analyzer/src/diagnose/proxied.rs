//! NTLM through an HTTP proxy before a gateway. NTLM authenticates a connection, not a request: all of its messages have to come by
//! one connection (RFC 4559, 6). A proxy that gives each request whatever connection is free breaks that, and the gateway then
//! refuses the right password.

use super::{Confidence, Finding, Party};
use crate::event::{AuthMessage, HttpAuth, HttpResponse, NtlmKind};
use crate::timeline::facts::Mark;
use crate::timeline::gateway::{Exchange, Gateway};

/// What shows that NTLM was broken on the way, or may have been.
struct Sign {
    mark: Mark,
    says: String,
    /// Whether it breaks NTLM whatever the password is.
    breaks: bool,
}

/// Whether the refusal of this exchange tells nothing of the credentials: NTLM was broken on the way.
pub fn is_broken(gateway: &Gateway, last: &Exchange) -> bool {
    signs(gateway, last).iter().any(|sign| sign.breaks)
}

/// A refusal, with what it can be besides where something stands between client and gateway.
pub fn weighed(mut finding: Finding, gateway: &Gateway, last: &Exchange) -> Finding {
    let signs = signs(gateway, last);
    if signs.is_empty() {
        return unproven(finding, last);
    }
    finding.may_be("RDG-TRANSPORT");
    if signs.iter().any(|sign| sign.breaks) {
        finding.confidence = Confidence::Likely;
    }
    finding.alternatives.iter_mut().for_each(|(_, confidence)| *confidence = Confidence::Possible);
    let finding =
        signs.into_iter().fold(finding.by(Party::Middlebox), |finding, sign| finding.with(sign.mark, sign.says));
    let mark = last.request.mark;
    finding.with(
        mark,
        "NTLM needs one connection for all its messages, which an HTTP proxy has to keep for this client alone",
    )
}

/// A box that ends TCP and does not name itself breaks NTLM, too, and nothing shows it: the refusal of a proof by NTLM is never
/// certain.
fn unproven(mut finding: Finding, last: &Exchange) -> Finding {
    let proves = last.request.what.authorization.as_ref().and_then(ntlm) == Some(NtlmKind::Authenticate);
    if !proves || finding.confidence != Confidence::Certain {
        return finding;
    }
    finding.confidence = Confidence::Likely;
    finding.or("RDG-TRANSPORT", Confidence::Possible)
}

fn signs(gateway: &Gateway, last: &Exchange) -> Vec<Sign> {
    let Some(kind) = last.request.what.authorization.as_ref().and_then(ntlm) else { return Vec::new() };
    let mut signs = Vec::new();
    let refusals = || gateway.tunnels().filter_map(|one| Some((one, one.response.as_ref()?)));
    let challenges = || refusals().filter(|(_, response)| response.what.offers.iter().any(is_challenge));
    if kind == NtlmKind::Authenticate {
        let here = |one: &Exchange| one.connection == last.connection;
        if let Some(response) = last.response.as_ref().filter(|response| response.what.offers.iter().any(is_challenge))
        {
            let says =
                "the client's AUTHENTICATE is answered with a new challenge: whoever answers has not sent the first";
            signs.push(Sign { mark: response.mark, says: says.into(), breaks: true });
        } else if challenges().next().is_some() && !challenges().any(|(one, _)| here(one)) {
            let says = "the client's AUTHENTICATE comes by another connection than the challenge";
            signs.push(Sign { mark: last.request.mark, says: says.into(), breaks: true });
        }
    }
    let closing = challenges().find(|(_, response)| response.what.closes);
    signs.extend(closing.map(|(_, response)| Sign {
        mark: response.mark,
        says: "the challenge comes with Connection: close".into(),
        breaks: true,
    }));
    let between = refusals().find_map(|(_, response)| Some((response.mark, box_of(&response.what)?)));
    signs.extend(between.map(|(mark, says)| Sign { mark, says, breaks: false }));
    signs
}

/// Who else than Windows' own HTTP answers.
fn box_of(response: &HttpResponse) -> Option<String> {
    let is_other = |server: &&String| !server.to_ascii_lowercase().starts_with("microsoft-");
    let server = response.server.as_ref().filter(is_other).map(|server| format!("Server: {server}"));
    let via = response.via.as_ref().map(|via| format!("Via: {via}"));
    let named = server.or(via)?;
    Some(format!("an HTTP proxy stands between, or this is no gateway of Windows: {named}"))
}

fn ntlm(auth: &HttpAuth) -> Option<NtlmKind> {
    match auth.token.as_ref()?.message.as_ref()? {
        AuthMessage::Ntlm(ntlm) => Some(ntlm.kind),
        AuthMessage::Kerberos(_) | AuthMessage::NegoEx => None,
    }
}

fn is_challenge(offer: &HttpAuth) -> bool {
    ntlm(offer) == Some(NtlmKind::Challenge)
}
