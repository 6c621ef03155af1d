//! The client's ClientHello is held while TLS with its server is made of what both ends speak.

use analyzer::event::{ClientHello, Protocols};
use analyzer::observation::{Interception, Leg, Side};
use analyzer::probe::{Trust, read_certificate};

use super::between::Between;
use super::replay::Replay;
use super::{Deeds, Intercept, State, With, told};
use crate::clock;
use crate::roots;
use crate::tls::{self, Agreed, Credential, End, Offer};

/// TLS with the server is on its way.
#[derive(Debug)]
pub(super) struct Reaching {
    back: End,
    replay: Replay,
}

impl Reaching {
    /// Greets the server, or says why that is not tried.
    pub(super) fn begin(
        how: &Intercept,
        hello: &ClientHello,
        replay: Replay,
        deeds: &mut Deeds,
    ) -> Result<Reaching, (Replay, String)> {
        let offer = Offer {
            versions: &hello.versions,
            ciphers: &hello.ciphers,
            groups: &hello.groups,
            name: hello.sni.as_deref(),
            alpn: &hello.alpn,
        };
        match End::client(&offer, &how.target, tls::Trust::Anything) {
            Ok(Some(mut back)) => {
                deeds.flush(&mut back, Side::Server);
                Ok(Reaching { back, replay })
            }
            Ok(None) => Err((replay, "this program speaks nothing of what the client offers".into())),
            Err(error) => Err((replay, format!("this program cannot offer what the client does: {error}"))),
        }
    }

    pub(super) fn push(mut self: Box<Self>, how: &Intercept, from: Side, data: &[u8], deeds: &mut Deeds) -> State {
        if from == Side::Client {
            self.replay.hello.extend_from_slice(data);
            return State::Reaching(self);
        }
        let mut plain = Vec::new();
        if let Err(broken) = self.back.take(data, &mut plain) {
            return self.redial(told(broken));
        }
        if self.back.is_handshaking() {
            deeds.flush(&mut self.back, Side::Server);
            return State::Reaching(self);
        }
        let Some(agreed) = self.back.agreed() else { return self.redial("nothing was agreed on".into()) };
        if let Some(why) = self.is_bound_elsewhere(how, &agreed) {
            return self.redial(why.into());
        }
        match self.answer(how, &agreed) {
            Ok(front) => {
                upstream(how, &agreed, deeds);
                if self.replay.negotiated.is_none() && matches!(how.with, With::Authority(_)) {
                    deeds.step(Leg::Front, Interception::Unbound);
                }
                deeds.step(Leg::Front, Interception::Stands);
                State::Between(Box::new(Between::begin(front, self.back, &plain, deeds)))
            }
            Err(why) => self.redial(why),
        }
    }

    /// Whether what the client would prove is bound to what is not shown here: it would look like a wrong password. CredSSP
    /// and RDSTLS bind to the key, NTLM and Kerberos in HTTP to the certificate (RFC 5929 4).
    fn is_bound_elsewhere(&self, how: &Intercept, agreed: &Agreed) -> Option<&'static str> {
        match &self.replay.negotiated {
            Some(negotiated) => (negotiated.agreed.selected != Some(Protocols::SSL) && is_another_key(how, agreed))
                .then_some("the server shows another key than that of --cert"),
            None => is_another_certificate(how, agreed).then_some(
                "the gateway shows another certificate than --cert: what a client proves to it over HTTP is bound to that",
            ),
        }
    }

    /// Answers the client in the server's place. Nothing was sent to it yet.
    fn answer(&self, how: &Intercept, agreed: &Agreed) -> Result<End, String> {
        let issued: Credential;
        let credential = match &how.with {
            With::ServerKey(credential) => credential,
            With::Authority(authority) => {
                let leaf = agreed.chain.first().ok_or("the server shows no certificate")?;
                issued = authority.issue(&read_certificate(leaf)?)?;
                &issued
            }
        };
        let mut front = End::server(credential, agreed).map_err(|error| error.to_string())?;
        let mut plain = Vec::new();
        front
            .take(&self.replay.hello, &mut plain)
            .map_err(|broken| format!("the client's ClientHello cannot be answered: {}", told(broken)))?;
        Ok(front)
    }

    /// What the client said and nobody was told yet, bytes.
    pub(super) fn held(&self) -> usize {
        self.replay.hello.len()
    }

    /// Gives up standing inside.
    pub(super) fn redial(mut self: Box<Self>, why: String) -> State {
        self.replay.why = why;
        State::Redial(Box::new(self.replay))
    }
}

/// What is to be said of the server's certificate.
fn upstream(how: &Intercept, agreed: &Agreed, deeds: &mut Deeds) {
    let (trusted, says) = match roots::trust(&how.roots, &agreed.chain, clock::now().seconds()) {
        Some(Trust::Trusted) => (Some(true), "it leads to a root of this machine".to_owned()),
        Some(Trust::Untrusted(why)) => (Some(false), why),
        Some(Trust::Unchecked(why)) => (None, why),
        None => (None, "it cannot be read".to_owned()),
    };
    deeds.step(Leg::Back, Interception::Upstream { trusted, says });
    if is_another_key(how, agreed) {
        deeds.step(Leg::Back, Interception::OtherKey);
    }
}

/// Whether the server shows another certificate than that which is shown here in its place.
fn is_another_certificate(how: &Intercept, agreed: &Agreed) -> bool {
    match &how.with {
        With::ServerKey(credential) => agreed.chain.first().is_some_and(|leaf| !credential.shows(leaf)),
        With::Authority(_) => false,
    }
}

/// Whether the server shows another public key than that of the certificate which is shown here in its place.
fn is_another_key(how: &Intercept, agreed: &Agreed) -> bool {
    match (&how.with, agreed.chain.first()) {
        (With::ServerKey(credential), Some(leaf)) => credential.is_key_of(leaf) == Some(false),
        (With::ServerKey(_), None) | (With::Authority(_), _) => false,
    }
}
