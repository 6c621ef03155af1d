//! What the two sides said of themselves and agreed on, each with the place where it was first seen.

use std::collections::BTreeMap;

use super::first_hand;
use super::gateway::Gateway;
use super::headers::Headers;
use super::inner::Inner;
use super::lapsed::Lapses;
use crate::event::{
    Basis, Certificate, ClientHello, ConnectionConfirm, ConnectionRequest, Event, Foreign, KdcError, McsPdu, Protocols,
    ServerHello, Undecryptable, What,
};
use crate::observation::{Impairment, Interception, Leg, Opening, Side};
use crate::time::Timestamp;

/// Malformed messages, and alerts, that are kept; further malformed ones are counted.
const KEPT: usize = 16;
/// Kinds of MCS PDUs that are kept.
const MCS_KEPT: usize = 64;
/// Sealed records that are kept one by one: more than any connection sequence has.
const RECORDS_KEPT: usize = 200;
/// ContentType, RFC 8446 5.1.
const APPLICATION_DATA: u8 = 23;

/// Where and when something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// Packet number.
    pub frame: u64,
    /// On which leg.
    pub leg: Leg,
}

impl Mark {
    /// The place of an event.
    pub fn of(event: &Event) -> Mark {
        Mark { at: event.at, frame: event.frame, leg: event.flow.leg }
    }
}

/// Something and where it was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting<T> {
    /// What.
    pub what: T,
    /// Where.
    pub mark: Mark,
}

/// What was learned of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What stood before the request, or before TLS with a gateway.
    pub headers: Headers,
    /// The client's X.224 Connection Request.
    pub request: Option<Sighting<ConnectionRequest>>,
    /// The server's confirm.
    pub confirm: Option<Sighting<ConnectionConfirm>>,
    /// The server's X.224 TPDU that refuses: its code, and its reason.
    pub refusal: Option<Sighting<(u8, u8)>>,
    /// The server's RDP_NEG_FAILURE code.
    pub failure: Option<Sighting<u32>>,
    /// Which side does not speak RDP, and what it speaks.
    pub not_rdp: Option<Sighting<(Side, Foreign)>>,
    /// What a relay did that can stand inside TLS.
    pub interception: Vec<Sighting<Interception>>,
    /// What this program did to the session on purpose, in order.
    pub impairments: Vec<Sighting<Impairment>>,
    /// What befell this program itself meanwhile.
    pub lapses: Lapses,
    /// The way through an RD Gateway, where there is one: then everything else here is of what the tunnel carries.
    pub gateway: Option<Box<Gateway>>,
    /// TLS, by leg.
    pub tls: Vec<Tls>,
    /// MCS PDUs in clear: the first of each kind and side is kept.
    pub mcs: Vec<Sighting<(Side, McsPdu)>>,
    /// What plaintext tells: behind TLS, where it is read, and in clear.
    pub inner: Inner,
    /// What the client's domain controller refused shortly before or meanwhile, in another connection of the capture.
    pub kdc: Vec<Sighting<KdcError>>,
    /// Where the client closed, on each leg.
    pub left: Vec<Mark>,
    /// Messages cut short by the end.
    pub partial: Vec<Sighting<(Side, &'static str, u32, u32)>>,
    /// Malformed messages: layer and what was wrong.
    pub malformed: Vec<Sighting<(Side, &'static str, String)>>,
    /// Further malformed messages.
    pub more_malformed: u64,
}

/// One leg's TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Which leg.
    pub leg: Leg,
    /// What the client offers (the last hello, where a retry was asked).
    pub hello: Option<Sighting<ClientHello>>,
    /// HelloRetryRequest.
    pub retry: Option<Mark>,
    /// What the server chose.
    pub server_hello: Option<Sighting<ServerHello>>,
    /// The server's chain, leaf first, where visible or opened.
    pub certificates: Option<Sighting<Vec<Certificate>>>,
    /// The client's chain, where visible.
    pub client_certificates: Option<Sighting<Vec<Certificate>>>,
    /// The server asks for a client certificate.
    pub certificate_request: Option<Mark>,
    /// The server's flight is complete (TLS 1.2 and before).
    pub hello_done: Option<Mark>,
    /// The client answered it.
    pub key_exchange: Option<Mark>,
    /// Which side speaks something else in the place of TLS, and what.
    pub not_tls: Option<Sighting<(Side, Foreign)>>,
    /// Alerts in clear: side, level, description.
    pub alerts: Vec<Sighting<(Side, u8, u8)>>,
    /// The version of the record with the server's first alert in clear: the one that it had chosen by then.
    pub alert_version: Option<u16>,
    /// First sealed alert of either side.
    pub sealed_alert: Option<Sighting<(Side, Basis)>>,
    /// Sealed records since the ServerHello or ChangeCipherSpec, by side.
    pub records: [u64; 2],
    /// The first of them, of both sides, as they came.
    pub first_records: Vec<Record>,
    /// Handshake complete.
    pub established: Option<Sighting<Basis>>,
    /// What a key log opened; `None` where there was none.
    pub decrypted: Option<Decrypted>,
}

/// Which sealed records a key log opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decrypted {
    /// Records of client and server that were opened.
    pub records: [u64; 2],
    /// Bytes of application data in them.
    pub bytes: [u64; 2],
    /// Records that were not, by reason: of client and server.
    pub sealed: BTreeMap<Undecryptable, [u64; 2]>,
}

/// One sealed TLS record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When it was complete.
    pub at: Timestamp,
    /// Who sent it.
    pub from: Side,
    /// ContentType of the record layer.
    pub kind: u8,
    /// Length of the ciphertext, bytes.
    pub len: u32,
}

impl Record {
    /// Whether it is an alert: by its type, or by the length that TLS 1.3 gives one (two bytes, the inner type, the tag).
    pub fn is_alert(&self) -> bool {
        self.kind == 21 || self.len == 2 + 1 + 16
    }
}

impl Facts {
    /// Learns from an event.
    pub fn push(&mut self, event: &Event) {
        let mark = Mark::of(event);
        match &event.what {
            What::ProxyHeader(header) => self.headers.push(mark, header),
            What::ConnectionRequest(request) => first(&mut self.request, mark, || (**request).clone()),
            What::ConnectionConfirm(confirm) => first(&mut self.confirm, mark, || *confirm),
            What::NegotiationFailure { code } => first(&mut self.failure, mark, || *code),
            What::X224Refused { code, reason } => first(&mut self.refusal, mark, || (*code, *reason)),
            What::NotRdp { from, looks } => first(&mut self.not_rdp, mark, || (*from, *looks)),
            What::Mcs { from, pdu } => self.mcs(mark, *from, *pdu),
            What::Unsealed => self.inner.unsealed(mark),
            What::Kdc(error) if self.kdc.len() < KEPT => self.kdc.push(Sighting { what: error.clone(), mark }),
            What::Kdc(_) => {}
            What::Credssp { from, request } => self.inner.credssp(mark, *from, request),
            What::Account(account) => self.inner.account(mark, account),
            What::EarlyAuthorization { result } => self.inner.authorization(mark, *result),
            What::RdstlsResult { code } => self.inner.rdstls(mark, *code),
            What::RdsaadResult { code } => self.inner.rdsaad(mark, *code),
            What::ClientSettings(settings) => self.inner.client_settings(mark, settings),
            What::ServerSettings(settings) => self.inner.server_settings(mark, settings),
            What::Rdp { from, pdu } => self.inner.rdp(mark, *from, pdu),
            What::Partial { from, message, have, need } if self.partial.len() < KEPT => {
                self.partial.push(Sighting { what: (*from, message, *have, *need), mark });
            }
            What::Malformed { from, layer, offset, says } => {
                self.malformed(mark, *from, layer, format!("{says} (byte {offset})"));
            }
            What::ClientHello(_)
            | What::NotTls { .. }
            | What::HelloRetryRequest
            | What::ServerHello(_)
            | What::EncryptedExtensions { .. }
            | What::Certificates { .. }
            | What::CertificateRequest
            | What::ServerHelloDone
            | What::ClientKeyExchange
            | What::ChangeCipherSpec { .. }
            | What::Alert { .. }
            | What::SealedAlert { .. }
            | What::TlsEstablished { .. }
            | What::Record { .. }
            | What::Decrypted { .. }
            | What::Undecrypted { .. } => self.tls_of(mark.leg).push(mark, &event.what),
            What::Interception(step) => self.intercepted(mark, step),
            What::Impairment(impairment) => self.impaired(mark, impairment),
            What::Lapse(lapse) => self.lapsed(mark, *lapse),
            What::Closed { from: Some(Side::Client), .. } => self.left(mark),
            What::Opening(Opening::Gateway) => _ = self.gateway.get_or_insert_default(),
            What::Outer(_) | What::Gateway(_) => self.gateway.get_or_insert_default().push(event),
            What::Opening(opening) => self.headers.opening(mark, opening),
            What::Opened
            | What::Path(_)
            | What::Sign(_)
            | What::Passed { .. }
            | What::Missing { .. }
            | What::Partial { .. }
            | What::Closed { .. } => {}
        }
    }

    /// The protocol that was agreed on; empty for standard RDP security.
    pub fn selected(&self) -> Option<Protocols> {
        self.confirm.as_ref().map(|confirm| confirm.what.selected.unwrap_or_default())
    }

    /// Of what the client offers that which takes the most messages: what to reckon with where the confirm was not seen.
    pub(super) fn longest_offered(&self) -> Protocols {
        let offered = self.request.as_ref().and_then(|request| request.what.requested).unwrap_or_default();
        let known = [Protocols::HYBRID_EX, Protocols::HYBRID, Protocols::RDSAAD, Protocols::RDSTLS, Protocols::SSL];
        known.into_iter().find(|one| offered.contains(*one)).unwrap_or_default()
    }

    /// The first sighting on any leg of what `pick` takes from a leg's TLS.
    pub fn first<T>(&self, pick: impl Fn(&Tls) -> Option<&Sighting<T>>) -> Option<&Sighting<T>> {
        self.tls.iter().filter_map(pick).min_by_key(|sighting| sighting.mark.at)
    }

    /// The first sighting on any leg of a place.
    pub fn first_mark(&self, pick: impl Fn(&Tls) -> Option<Mark>) -> Option<Mark> {
        self.tls.iter().filter_map(pick).min_by_key(|mark| mark.at)
    }

    /// The first fatal alert of a handshake, on any leg. One that secrets show later is of the session, and one of the server
    /// counts only where it answers a handshake.
    pub fn fatal_alert(&self) -> Option<&Sighting<(Side, u8, u8)>> {
        self.first(|tls| {
            let left = self.left.iter().find(|left| left.leg == tls.leg);
            let ends = |alert: &&Sighting<(Side, u8, u8)>| {
                is_fatal(alert.what.1, alert.what.2) && tls.is_of_handshake(alert, left)
            };
            let alert = tls.alerts.iter().find(ends)?;
            let over = tls.established.as_ref().map(|established| (established.mark.at, established.mark.frame));
            over.is_none_or(|over| (alert.mark.at, alert.mark.frame) <= over).then_some(alert)
        })
    }

    /// Which side speaks something else in the place of TLS, where that was first seen.
    pub fn not_tls(&self) -> Option<&Sighting<(Side, Foreign)>> {
        self.first(|tls| tls.not_tls.as_ref())
    }

    /// The server's Disconnect Provider Ultimatum that is not sealed.
    pub fn ultimatum(&self) -> Option<&Sighting<(Side, McsPdu)>> {
        let is_it = |seen: &&Sighting<(Side, McsPdu)>| {
            matches!(seen.what, (Side::Server, McsPdu::DisconnectProviderUltimatum { .. }))
        };
        self.mcs.iter().find(is_it)
    }

    /// The messages of these layers that cannot be read, each where its sender is seen first-hand.
    pub fn malformed_in(
        &self,
        layers: &[&str],
    ) -> impl DoubleEndedIterator<Item = &Sighting<(Side, &'static str, String)>> {
        self.malformed
            .iter()
            .filter(move |seen| layers.contains(&seen.what.1) && first_hand(seen.mark.leg, seen.what.0))
    }

    fn left(&mut self, mark: Mark) {
        if self.left.iter().all(|left| left.leg != mark.leg) {
            self.left.push(mark);
        }
    }

    fn tls_of(&mut self, leg: Leg) -> &mut Tls {
        Tls::of(&mut self.tls, leg)
    }

    fn mcs(&mut self, mark: Mark, from: Side, pdu: McsPdu) {
        self.inner.mcs(mark, from, pdu);
        if self.mcs.len() < MCS_KEPT && !self.mcs.iter().any(|known| known.what == (from, pdu)) {
            self.mcs.push(Sighting { what: (from, pdu), mark });
        }
    }

    fn malformed(&mut self, mark: Mark, from: Side, layer: &'static str, says: String) {
        if self.malformed.len() < KEPT {
            self.malformed.push(Sighting { what: (from, layer, says), mark });
        } else {
            self.more_malformed += 1;
        }
    }
}

/// Whether an alert ends the connection: by its level, or because its kind always does (RFC 8446 6.2), except the
/// warnings `close_notify` (0), `user_canceled` (90), `no_renegotiation` (100) and `unrecognized_name` (112).
pub fn is_fatal(level: u8, description: u8) -> bool {
    level == 2 || !matches!(description, 0 | 41 | 90 | 100 | 112)
}

/// Whether an alert speaks of what a ClientHello offers (RFC 8446 6.2): version, suites, extensions, names, protocols.
fn is_about_offers(description: u8) -> bool {
    matches!(description, 40 | 70 | 71 | 86 | 109 | 110 | 112 | 120)
}

impl Tls {
    /// A leg's among these, where it is made if need be.
    pub(super) fn of(all: &mut Vec<Tls>, leg: Leg) -> &mut Tls {
        let found = all.iter().position(|tls| tls.leg == leg);
        let place = found.unwrap_or_else(|| {
            all.push(Tls::new(leg));
            all.len() - 1
        });
        &mut all[place]
    }

    fn new(leg: Leg) -> Tls {
        Tls {
            leg,
            hello: None,
            retry: None,
            server_hello: None,
            certificates: None,
            client_certificates: None,
            certificate_request: None,
            hello_done: None,
            key_exchange: None,
            not_tls: None,
            alerts: Vec::new(),
            alert_version: None,
            sealed_alert: None,
            records: [0; 2],
            first_records: Vec::new(),
            established: None,
            decrypted: None,
        }
    }

    pub(super) fn push(&mut self, mark: Mark, what: &What) {
        match what {
            What::ClientHello(hello) => self.hello = Some(Sighting { what: (**hello).clone(), mark }),
            What::HelloRetryRequest => self.retry = self.retry.or(Some(mark)),
            What::ServerHello(hello) => first(&mut self.server_hello, mark, || (**hello).clone()),
            What::Certificates { from: Side::Server, chain } => first(&mut self.certificates, mark, || chain.clone()),
            What::Certificates { from: Side::Client, chain } => {
                first(&mut self.client_certificates, mark, || chain.clone());
            }
            What::CertificateRequest => self.certificate_request = self.certificate_request.or(Some(mark)),
            What::ServerHelloDone => self.hello_done = self.hello_done.or(Some(mark)),
            What::ClientKeyExchange => self.key_exchange = self.key_exchange.or(Some(mark)),
            What::NotTls { from, looks } => first(&mut self.not_tls, mark, || (*from, *looks)),
            What::Alert { from, level, description, version } if self.alerts.len() < KEPT => {
                if *from == Side::Server && self.established.is_none() {
                    self.alert_version = self.alert_version.or(Some(*version));
                }
                self.alerts.push(Sighting { what: (*from, *level, *description), mark });
            }
            What::SealedAlert { from, basis } => first(&mut self.sealed_alert, mark, || (*from, *basis)),
            What::TlsEstablished { basis } => first(&mut self.established, mark, || *basis),
            What::Record { from, kind, len } => self.record(mark, *from, *kind, *len),
            What::EncryptedExtensions { alpn } => self.agreed(alpn.as_ref()),
            What::Decrypted { from, kind, len } => self.decrypted(*from, *kind, *len),
            What::Undecrypted { from, why } => self.undecrypted(*from, *why),
            What::ChangeCipherSpec { .. } => {}
            // Not of TLS, or one alert too many: Facts::push hands over no others.
            What::Alert { .. }
            | What::Opening(_)
            | What::Opened
            | What::Path(_)
            | What::Sign(_)
            | What::Interception(_)
            | What::Impairment(_)
            | What::Lapse(_)
            | What::Passed { .. }
            | What::Missing { .. }
            | What::Closed { .. }
            | What::ProxyHeader(_)
            | What::ConnectionRequest(_)
            | What::ConnectionConfirm(_)
            | What::NegotiationFailure { .. }
            | What::X224Refused { .. }
            | What::NotRdp { .. }
            | What::Mcs { .. }
            | What::Unsealed
            | What::Kdc(_)
            | What::Outer(_)
            | What::Gateway(_)
            | What::Credssp { .. }
            | What::Account(_)
            | What::EarlyAuthorization { .. }
            | What::RdstlsResult { .. }
            | What::RdsaadResult { .. }
            | What::ClientSettings(_)
            | What::ServerSettings(_)
            | What::Rdp { .. }
            | What::Partial { .. }
            | What::Malformed { .. } => {}
        }
    }
}

impl Tls {
    /// Whether an alert of a server answers what the client said in the handshake. One before any ClientHello does not, and
    /// behind the client's own end only one that speaks of what the ClientHello offers: to the bare end OpenSSL 3 says
    /// decode_error.
    fn is_of_handshake(&self, alert: &Sighting<(Side, u8, u8)>, left: Option<&Mark>) -> bool {
        if alert.what.0 == Side::Client {
            return true;
        }
        let place = |mark: Mark| (mark.at, mark.frame);
        let is_asked = self.hello.as_ref().is_some_and(|hello| place(hello.mark) <= place(alert.mark));
        let is_late = left.is_some_and(|left| place(*left) <= place(alert.mark));
        is_asked && (!is_late || is_about_offers(alert.what.2))
    }

    /// TLS 1.3 seals the protocol that TLS 1.2 had in its ServerHello.
    fn agreed(&mut self, alpn: Option<&String>) {
        if let Some(hello) = &mut self.server_hello {
            hello.what.alpn = hello.what.alpn.take().or(alpn.cloned());
        }
    }

    fn decrypted(&mut self, from: Side, kind: u8, len: u32) {
        let decrypted = self.decrypted.get_or_insert_default();
        decrypted.records[from as usize] += 1;
        if kind == APPLICATION_DATA {
            decrypted.bytes[from as usize] += u64::from(len);
        }
    }

    fn undecrypted(&mut self, from: Side, why: Undecryptable) {
        self.decrypted.get_or_insert_default().sealed.entry(why).or_default()[from as usize] += 1;
    }

    fn record(&mut self, mark: Mark, from: Side, kind: u8, len: u32) {
        self.records[from as usize] += 1;
        if self.first_records.len() < RECORDS_KEPT {
            self.first_records.push(Record { at: mark.at, from, kind, len });
        }
    }
}

fn first<T>(place: &mut Option<Sighting<T>>, mark: Mark, what: impl FnOnce() -> T) {
    if place.is_none() {
        *place = Some(Sighting { what: what(), mark });
    }
}
