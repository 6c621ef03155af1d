//! The probe: asks one server, politely and without credentials, what it is and what it accepts.
//!
//! It connects, says what `wire` makes by hand and listens. The analyzer reads every answer, and judges all of them in the
//! end. rustls comes in once, for the certificate that TLS 1.3 shows only to those who take part; what it cannot do is
//! noted as not asked, and never held against the server.

mod gateway;
mod talk;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzer::event::{Protocols, What};
use analyzer::observation::Side;
use analyzer::probe::gateway::Answer;
use analyzer::probe::{self as questions, Asked, Conversation, Probe, REQUESTS, Trust, USUAL, VERSIONS};
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::dial::{self, Target};
use crate::roots;
use crate::tls::{Ciphers, Client, Trust as Trusts, Versions};
use crate::wire::hello::{Offer, client_hello};
use crate::wire::x224::connection_request;
use analyzer::count::counted;
use talk::Talk;

/// The cookie by which a server's log tells this program.
const COOKIE: &str = "rdpscope";
/// Between two connections.
const PAUSE: Duration = Duration::from_millis(20);
/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;
/// Connections for versions and suites of TLS.
const MOST_HELLOS: usize = 60;
/// Nothing new is begun after so many times the patience for one step, and once more for each repeat.
const STEPS: u32 = 12;
/// A ClientHello that fills one segment of any usual path and goes on in the next.
const LARGE: usize = 2000;
/// Rounds that fail one after the other before no more are tried.
const GIVE_UP: usize = 3;

/// What to ask, and how patiently.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom.
    pub target: Target,
    /// Dial this instead of what the name resolves to.
    pub connect_to: Option<SocketAddr>,
    /// Never dial this: where this program listens itself.
    pub never: Option<SocketAddr>,
    /// How long each step may take.
    pub timeout: Duration,
    /// Whether it is an RD Gateway: there is no X.224 before TLS, and HTTP in it.
    pub gateway: bool,
    /// How often connect, X.224 and TLS are repeated for their times; 0 for not at all.
    pub count: u32,
}

/// Asks everything.
pub async fn run(config: Config) -> Probe {
    let began = clock::now();
    let (conversations, chain, answers, unasked) = Default::default();
    let mut asking = Asking { config, began, conversations, chain, answers, unasked };
    if asking.config.gateway {
        asking.of_gateway().await
    } else {
        asking.everything().await
    }
    let trust = asking.trust();
    let Asking { config: Config { target, gateway, .. }, conversations, answers, unasked, .. } = asking;
    let (target, gateway) = ((target.name, target.port), gateway.then_some(answers));
    Probe { target, began, ended: clock::now(), conversations, trust, gateway, unasked }
}

struct Asking {
    config: Config,
    began: Timestamp,
    conversations: Vec<Conversation>,
    /// The certificates that were shown first, DER.
    chain: Vec<Vec<u8>>,
    /// Of a gateway, over HTTP.
    answers: Vec<Answer>,
    unasked: Vec<String>,
}

/// A ClientHello to say, and why.
struct Hello<'a> {
    asked: Asked,
    versions: &'a [u16],
    ciphers: &'a [u16],
    len: usize,
    enough: fn(&Timeline) -> bool,
}

impl Asking {
    async fn everything(&mut self) {
        let Some(server) = self.reach().await else { return };
        let ends = self.last().is_some_and(|last| questions::is_foreign(last) || questions::is_silent(last));
        if !self.last().is_some_and(questions::is_rdp) && self.speaks_tls_first(server).await || ends {
            return;
        }
        for protocols in REQUESTS {
            self.negotiate(server, protocols).await;
        }
        let protocols = self.way_to_tls();
        if let Some(protocols) = protocols {
            self.tls(server, protocols).await;
        }
        self.rounds(server, protocols).await;
    }

    /// As a client would: one address after the other, then the usual request. The others are tried for themselves.
    async fn reach(&mut self) -> Option<SocketAddr> {
        let mut talk = self.talk();
        talk.aim(&self.config.target);
        let mut addresses = self.addresses(&mut talk).await.into_iter();
        let mut server = None;
        while let (None, Some(address)) = (server, addresses.next()) {
            server = talk.dial(address).await.then_some(address);
        }
        if server.is_some() && !self.config.gateway {
            talk.ask(connection_request(COOKIE, Some(USUAL.0)), questions::is_negotiated).await;
        }
        self.keep(Asked::Reach, talk);
        for address in addresses {
            let mut talk = self.talk();
            talk.dial(address).await;
            self.keep(Asked::Address, talk);
        }
        server
    }

    /// Whether a ClientHello is answered before which nothing was asked, as HTTPS and RD Gateways do.
    async fn speaks_tls_first(&mut self, server: SocketAddr) -> bool {
        sleep(PAUSE).await;
        let mut talk = Talk::new(self.conversations.len() as u32 + 1, self.config.timeout, true);
        talk.aim(&self.config.target);
        let mut is_answered = false;
        if talk.dial(server).await {
            let name = self.config.target.name.parse::<IpAddr>().is_err().then(|| self.config.target.name.clone());
            let ciphers = all_suites();
            let offer = Offer { versions: &VERSIONS, ciphers: &ciphers, name: name.as_deref(), padded_to: 0 };
            is_answered = talk.ask(client_hello(&offer), questions::is_answered).await;
        }
        self.keep(Asked::TlsFirst, talk);
        is_answered && self.last().is_some_and(questions::is_tls)
    }

    /// The addresses to try.
    async fn addresses(&mut self, talk: &mut Talk) -> Vec<SocketAddr> {
        let found = match self.config.connect_to {
            Some(address) => vec![address],
            None => talk.resolve(&self.config.target).await,
        };
        let (own, mut addresses): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| self.is_own(*address));
        self.unasked.extend(own.iter().map(|address| format!("{address}: it leads back to this program")));
        if addresses.len() > MOST_ADDRESSES {
            self.unasked.push(counted(addresses.len() - MOST_ADDRESSES, "further address"));
            addresses.truncate(MOST_ADDRESSES);
        }
        addresses
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        self.config.never.is_some_and(|listener| dial::loops(listener, address))
    }

    async fn negotiate(&mut self, server: SocketAddr, protocols: Option<Protocols>) {
        if !self.has_time("further X.224 requests") {
            return;
        }
        let (talk, _) = self.request(server, protocols).await;
        self.keep(Asked::Negotiation(protocols), talk);
    }

    /// Connects and asks for these. True if that was answered.
    async fn request(&mut self, server: SocketAddr, protocols: Option<Protocols>) -> (Talk, bool) {
        sleep(PAUSE).await;
        let mut talk = self.talk();
        talk.aim(&self.config.target);
        let request = connection_request(COOKIE, protocols.map(|protocols| protocols.0));
        let answered = talk.dial(server).await && talk.ask(request, questions::is_negotiated).await;
        (talk, answered)
    }

    /// Connects, and comes to where TLS begins. True if that is so.
    async fn open(&mut self, server: SocketAddr, protocols: Protocols) -> (Talk, bool) {
        if !self.config.gateway {
            return self.request(server, Some(protocols)).await;
        }
        sleep(PAUSE).await;
        let mut talk = self.talk();
        talk.aim(&self.config.target);
        let stands = talk.dial(server).await;
        (talk, stands)
    }

    /// The request after which this server speaks TLS.
    fn way_to_tls(&self) -> Option<Protocols> {
        let selected = |asked: &&Option<Protocols>| {
            asked.is_some_and(|protocols| {
                let mut asked = self.conversations.iter().filter(|c| c.asked == Asked::Negotiation(Some(protocols)));
                asked.any(|c| c.session.timeline.facts.selected().is_some_and(|selected| selected.0 != 0))
            })
        };
        REQUESTS.iter().find(selected).copied().flatten()
    }

    async fn tls(&mut self, server: SocketAddr, protocols: Protocols) {
        let ciphers = all_suites();
        let all =
            Hello { asked: Asked::Hello, versions: &VERSIONS, ciphers: &ciphers, len: 0, enough: questions::is_shown };
        self.hello(server, protocols, &all).await;
        if self.last().is_some_and(questions::is_silent) {
            return self.unasked.push("TLS by version: the first ClientHello got no answer".into());
        }
        if self.last().is_some_and(|last| questions::server_hello(last).is_some()) {
            let large = Hello { asked: Asked::LargeHello, len: LARGE, enough: questions::is_answered, ..all };
            self.hello(server, protocols, &large).await;
        }
        self.versions(server, protocols).await;
        if self.conversations.iter().any(|c| questions::server_hello(&c.session.timeline).is_some()) {
            self.certificate(server, protocols).await;
        }
    }

    /// Connects, asks for TLS and says a ClientHello.
    async fn hello(&mut self, server: SocketAddr, protocols: Protocols, hello: &Hello<'_>) {
        let (mut talk, answered) = self.open(server, protocols).await;
        if answered {
            let name = self.config.target.name.parse::<IpAddr>().is_err().then(|| self.config.target.name.clone());
            let offer =
                Offer { versions: hello.versions, ciphers: hello.ciphers, name: name.as_deref(), padded_to: hello.len };
            talk.ask(client_hello(&offer), hello.enough).await;
            if self.chain.is_empty() {
                self.chain = questions::clear_chain(talk.heard());
            }
        }
        self.keep(hello.asked, talk);
    }

    /// Which versions and suites the server accepts: first each version once, then suite after suite.
    async fn versions(&mut self, server: SocketAddr, protocols: Protocols) {
        let mut left = MOST_HELLOS;
        let mut offers: Vec<(u16, Vec<u16>)> =
            VERSIONS.iter().map(|version| (*version, questions::suites(*version))).collect();
        for (version, ciphers) in &mut offers {
            self.suite(server, protocols, *version, ciphers, &mut left).await;
        }
        for (version, ciphers) in &mut offers {
            while self.suite_was_chosen(*version) && !ciphers.is_empty() {
                if left == 0 {
                    let version = questions::version_name(*version);
                    return self
                        .unasked
                        .push(format!("further suites of TLS {version}: {MOST_HELLOS} connections are enough"));
                }
                if !self.has_time("further suites") {
                    return;
                }
                self.suite(server, protocols, *version, ciphers, &mut left).await;
            }
        }
    }

    /// One suite more: takes what the server chooses out of the offer.
    async fn suite(
        &mut self,
        server: SocketAddr,
        protocols: Protocols,
        version: u16,
        ciphers: &mut Vec<u16>,
        left: &mut usize,
    ) {
        *left = left.saturating_sub(1);
        let versions = [version];
        let first = self.conversations.iter().all(|c| c.asked != Asked::Version(version));
        let enough = if first { questions::is_shown } else { questions::is_answered };
        let hello = Hello { asked: Asked::Version(version), versions: &versions, ciphers, len: 0, enough };
        self.hello(server, protocols, &hello).await;
        let chosen = self.last().and_then(questions::server_hello).map(|hello| hello.cipher);
        ciphers.retain(|cipher| Some(*cipher) != chosen);
    }

    /// Whether the last hello of this version was accepted, with a suite that was offered.
    fn suite_was_chosen(&self, version: u16) -> bool {
        let mut asked = self.conversations.iter().rev().filter(|c| c.asked == Asked::Version(version));
        let last = asked.next().and_then(|c| questions::server_hello(&c.session.timeline));
        let before = asked.next().and_then(|c| questions::server_hello(&c.session.timeline));
        // A server that chooses the same suite again chooses what was not offered: it would never come to an end.
        last.is_some_and(|hello| hello.version == version && before.is_none_or(|before| before.cipher != hello.cipher))
    }

    /// TLS 1.3 shows its certificate only to those who take part.
    async fn certificate(&mut self, server: SocketAddr, protocols: Protocols) {
        if !self.chain.is_empty() || !self.has_time("the certificate") {
            return;
        }
        let (mut talk, answered) = self.open(server, protocols).await;
        if answered && let Ok(client) = Client::new(Trusts::Anything, Versions::Both, Ciphers::All) {
            let name = self.config.target.name.clone();
            if let Some(stream) = talk.stream() {
                // Whether it succeeds is nothing that the server is asked for: the certificate comes before the end.
                let _taken_part = timeout(self.config.timeout, client.connect(&name, stream)).await;
            }
            self.chain = client.shown();
            let chain: Vec<_> = self.chain.iter().filter_map(|der| questions::read_certificate(der).ok()).collect();
            if chain.is_empty() {
                self.unasked.push("the certificate: this program's own TLS and the server found no common way".into());
            } else {
                talk.learn(What::Certificates { from: Side::Server, chain });
            }
        }
        self.keep(Asked::Certificate, talk);
    }

    /// Connect, X.224 and TLS (where there is TLS) again and again, for their times.
    async fn rounds(&mut self, server: SocketAddr, protocols: Option<Protocols>) {
        let mut failed = 0;
        for _ in 0..self.config.count {
            if clock::now().since(self.began) > self.config.timeout * (STEPS + self.config.count) {
                return self.unasked.push("further repeats: the time is up".into());
            }
            let well = match protocols {
                Some(protocols) => self.round(server, protocols).await,
                None => {
                    let (talk, answered) = self.request(server, None).await;
                    self.keep(Asked::Round, talk);
                    answered
                }
            };
            failed = if well { 0 } else { failed + 1 };
            if failed == GIVE_UP {
                return self.unasked.push(format!("further repeats: {GIVE_UP} failed one after the other"));
            }
        }
    }

    /// One round with TLS. True if it came to the ServerHello.
    async fn round(&mut self, server: SocketAddr, protocols: Protocols) -> bool {
        let ciphers = all_suites();
        let enough = questions::is_answered;
        let hello = Hello { asked: Asked::Round, versions: &VERSIONS, ciphers: &ciphers, len: 0, enough };
        self.hello(server, protocols, &hello).await;
        self.last().is_some_and(|last| questions::server_hello(last).is_some())
    }

    /// What this machine's store says of the chain, at a time within the leaf's dates: those are judged for themselves.
    fn trust(&self) -> Option<Trust> {
        roots::trust(&roots::load(), &self.chain, self.began.seconds())
    }

    fn talk(&self) -> Talk {
        Talk::new(self.conversations.len() as u32 + 1, self.config.timeout, self.config.gateway)
    }

    fn keep(&mut self, asked: Asked, talk: Talk) {
        self.conversations.push(Conversation { asked, session: talk.close() });
    }

    fn last(&self) -> Option<&Timeline> {
        self.conversations.last().map(|conversation| &conversation.session.timeline)
    }

    /// Whether there is time for `what`; says so if not.
    fn has_time(&mut self, what: &str) -> bool {
        let left = clock::now().since(self.began) < self.config.timeout * STEPS;
        let says = format!("{what}: the time is up");
        if !left && !self.unasked.contains(&says) {
            self.unasked.push(says);
        }
        left
    }
}

/// The suites of all versions, the newest first.
fn all_suites() -> Vec<u16> {
    [questions::suites(0x0304), questions::suites(0x0303)].concat()
}
