//! The part of this side in a TLS handshake: by TLS of our own, as it was agreed on.

use std::time::Duration;

use analyzer::observation::Side;
use analyzer::secret::Secret;
use tokio::time::Instant;

use super::{Next, Play};
use crate::replay::script::{Act, Move, Terms};
use crate::replay::words::{CLIENT_HELLO, SEALED};
use crate::tls::{Agreed, End, Offer, Trust};

impl Play<'_> {
    pub(super) async fn begin(&mut self, place: usize, one: &Move, terms: &Terms) -> Next {
        self.until(one).await;
        let made = match self.script.side {
            Side::Server => self.server(one, terms),
            Side::Client => self.client(terms),
        };
        let mut tls = match made {
            Ok(tls) => tls,
            Err(says) => {
                self.depart(one, &format!("TLS cannot be played: {says}"));
                return Next::Over;
            }
        };
        let hello = std::mem::take(&mut self.unread);
        let taken = if self.script.side == Side::Server { tls.take(&hello, &mut Vec::new()) } else { Ok(()) };
        let mut flight = tls.give();
        if let Some(cut) = terms.cut {
            flight.truncate(cut.min(flight.len().saturating_sub(1)));
        }
        self.tls = Some(tls);
        let holds = self.script.moves[place..].iter().any(|one| matches!(one.act, Act::Shake { is_done: true, .. }));
        // A client's ClientHello is in clear, and a phase begins by it.
        if holds && self.script.side == Side::Server {
            self.ears.hold();
        }
        self.send(&flight).await;
        if holds {
            self.ears.hold();
        }
        match taken {
            Ok(()) => Next::On,
            Err(broken) => {
                self.depart(one, &format!("the client's TLS does not go with what was recorded: {}", broken.says));
                Next::Over
            }
        }
    }

    /// The version is that of the recording, where both this program and the client have it.
    pub(super) fn server(&mut self, one: &Move, terms: &Terms) -> Result<End, String> {
        let credential = self.means.credential.as_ref().ok_or("there is no certificate to show")?;
        let Some(offer) = &self.ears.hello else { return Err(format!("there is no {CLIENT_HELLO}")) };
        let recorded = terms.server.clone().unwrap_or_default();
        let alpn = terms.alpn.as_deref();
        let agreed = |version: u16| Agreed::recorded(version, recorded.cipher, alpn);
        let chosen = match agreed(recorded.version.max(0x0303))
            .filter(|_| offer.versions.contains(&recorded.version.max(0x0303)))
        {
            Some(agreed) => agreed,
            None => {
                let other = offer.versions.iter().find_map(|version| agreed(*version));
                self.depart(one, "the client does not offer the version of TLS that was recorded");
                other.ok_or("it offers none that this program has")?
            }
        };
        End::server(credential, &chosen).map_err(|error| error.to_string())
    }

    pub(super) fn client(&self, terms: &Terms) -> Result<End, String> {
        let hello = &terms.client;
        let offer = Offer {
            versions: &hello.versions,
            ciphers: &hello.ciphers,
            groups: &hello.groups,
            name: hello.sni.as_deref(),
            alpn: &hello.alpn,
        };
        let trust = terms.refuses.map_or(Trust::Anything, Trust::Refuses);
        let made = End::client(&offer, &self.means.target, trust).map_err(|error| error.to_string())?;
        made.ok_or_else(|| "this program has none of the versions and suites that the client offers".to_owned())
    }

    /// Goes on with the handshake.
    pub(super) async fn shake(&mut self, place: usize, one: &Move, pause: Duration, is_done: bool) -> Next {
        let Some(mut tls) = self.tls.take() else { return Next::On };
        let mut says = tls.give();
        let mut broken = Ok(());
        while broken.is_ok() && says.is_empty() && tls.is_handshaking() {
            let Some(data) = self.wire.receive().await else {
                self.tls = Some(tls);
                self.ears.open(None);
                return self.gone(place);
            };
            self.ears.push(self.script.side.other(), &data);
            self.begin_phases();
            let mut plain = Vec::new();
            broken = tls.take(&data, &mut plain);
            let plain = Secret::new(plain);
            says = tls.give();
            if !plain.is_empty() {
                self.ears.hear(SEALED);
            }
        }
        let is_over = !tls.is_handshaking();
        let secrets = is_over.then(|| tls.secrets()).flatten();
        self.tls = Some(tls);
        if !says.is_empty() {
            let due = Instant::now() + self.paced(pause);
            self.wire.until(due).await;
            self.send(&says).await;
        }
        if broken.as_ref().is_err_and(|broken| broken.alert.is_none()) && self.script.refuses() {
            self.tls = None;
            self.last = (one.at, Instant::now());
            return Next::On;
        }
        if let Err(broken) = broken {
            self.depart(one, &format!("TLS does not come about: {}", broken.says));
            return self.after_departure(place);
        }
        if is_done && !is_over {
            return Box::pin(self.shake(place, one, pause, is_done)).await;
        }
        self.ears.open(secrets);
        self.begin_phases();
        self.last = (one.at, Instant::now());
        Next::On
    }
}
