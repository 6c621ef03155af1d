//! TLS as a bystander sees it: the bytes of both sides in, events out.
//!
//! In clear are the hellos, all records' types and lengths, and, up to TLS 1.2, the certificates (RFC 5246, 7.4).
//! TLS 1.3 seals everything after the ServerHello (RFC 8446, 2), so what comes then is inferred from lengths, and says
//! so. With the secrets of a key log the records are opened, too, and what stands in them is handed on. Which names and
//! certificates are good is not for this room to say.

pub mod certificate;
mod cipher;
mod decrypt;
mod digest;
mod handshake;
mod hello;
pub mod keys;
mod opener;
mod record;
#[cfg(test)]
pub(crate) mod specimens;
mod ssl2;
mod suite;
#[cfg(test)]
mod tests;
pub mod ultimatum;
mod wire;

use std::sync::Arc;

use crate::codes::tls as names;
use crate::count::counted;
use crate::event::{Basis, Foreign, McsPdu, What};
use crate::observation::Side;
use crate::secret::Random;
use decrypt::Agreed;
use handshake::{Handshake, Message, Step};
use opener::Opener;
use record::{Header, Hole, Piece, Records};
use wire::Trouble;

pub use opener::Behind;

const TLS_1_0: u16 = 0x0301;
const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// ContentType, RFC 8446, 5.1.
mod content {
    pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const APPLICATION_DATA: u8 = 23;
}

/// One TLS connection.
#[derive(Debug, Default)]
pub struct Tls {
    client: Half,
    server: Half,
    /// As the ServerHello chose them.
    chosen: Option<Chosen>,
    /// The session id of the ClientHello.
    session_id: Vec<u8>,
    /// The Random of the ClientHello.
    random: Option<Random>,
    established: bool,
    /// Whether bytes are missing: then what should have been seen may have passed unseen.
    holes: bool,
    /// Where there are secrets.
    opener: Option<Box<Opener>>,
}

#[derive(Debug, Clone, Copy)]
struct Chosen {
    version: u16,
    cipher: u16,
}

/// What one side sent.
#[derive(Debug, Default)]
struct Half {
    records: Records,
    handshake: Handshake,
    /// The clear alert that is being read.
    alert: Vec<u8>,
    /// Whether its ChangeCipherSpec is sent, which up to TLS 1.2 seals all that follows.
    sealed: bool,
    /// Whether its sealed Finished is sent.
    finished: bool,
}

impl Tls {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With secrets: records are opened, and what they say goes to the layer `behind`. Without any it is as [`Tls::new`].
    pub fn with_keys(keys: &Arc<keys::Keyring>, behind: Box<dyn Behind>) -> Self {
        let opener = (!keys.is_empty()).then(|| Box::new(Opener::new(Arc::clone(keys), behind)));
        Tls { opener, ..Self::default() }
    }

    /// Takes further secrets. Those of a handshake that has passed its ServerHello come too late.
    pub fn learn(&mut self, keys: &Arc<keys::Keyring>, behind: impl FnOnce() -> Box<dyn Behind>) {
        if self.opener.is_none() && self.chosen.is_some() {
            return;
        }
        let opener = self.opener.get_or_insert_with(|| Box::new(Opener::new(Arc::clone(keys), behind())));
        opener.keys.learn(keys, self.random);
    }

    /// The Random of the ClientHello, once it is here.
    pub fn random(&self) -> Option<Random> {
        self.random
    }

    /// More bytes of one side, in order.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let mut data = data;
        while let Some(piece) = self.half(from).records.next(&mut data) {
            self.piece(from, piece, out);
        }
    }

    /// `len` bytes of one side that are not here.
    pub fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.holes = true;
        let hole = self.half(from).records.missing(len);
        if let Some(opener) = &mut self.opener {
            opener.missing(from, len, &hole, self.established, out);
        }
        match hole {
            Hole::Within(header) if header.kind == content::HANDSHAKE => self.half(from).handshake.hole(),
            Hole::Within(_) => {}
            Hole::Beyond(at) => {
                self.half(from).handshake.hole();
                let says = format!(
                    "expected records, found a hole of {} that hides where the next begins",
                    counted(len, "byte")
                );
                out.push(What::Malformed { from, layer: "tls record", offset: at, says });
            }
        }
        self.push(from, &[], out);
    }

    /// What one side has begun and not completed: the name of the handshake message ("record" where it is sealed), the
    /// bytes that are here and those it takes. For the end of a flow: "cut in the middle of Certificate".
    pub fn partial(&self, from: Side) -> Option<(&'static str, u32, u32)> {
        let half = match from {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        let record = || half.records.partial().map(|(header, have)| ("record", have, header.len));
        half.handshake.partial().or_else(record)
    }

    /// What the end of a flow cuts short: the messages that are not complete, and first words too short to be judged before.
    pub fn close(&mut self, out: &mut Vec<What>) {
        for from in [Side::Client, Side::Server] {
            if let Some((message, have, need)) = self.partial(from) {
                out.push(What::Partial { from, message, have, need });
            }
            if let Some(looks) = self.half(from).records.begun() {
                out.push(What::NotTls { from, looks });
            }
        }
    }

    fn half(&mut self, from: Side) -> &mut Half {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn piece(&mut self, from: Side, piece: Piece<'_>, out: &mut Vec<What>) {
        match piece {
            Piece::Start(_) => {
                self.half(from).alert.clear();
                self.half(from).handshake.start_record();
                if let Some(opener) = &mut self.opener {
                    opener.start(from);
                }
            }
            Piece::Body(header, bytes) => self.body(from, header, bytes, out),
            Piece::End(header) => self.end(from, header, out),
            Piece::Ssl2Hello(message) if from == Side::Client => self.ssl2_hello(&message, out),
            Piece::Ssl2Hello(_) => out.push(What::NotTls { from, looks: Foreign::Unknown }),
            Piece::Ultimatum(reason) => {
                out.push(What::Mcs { from, pdu: McsPdu::DisconnectProviderUltimatum { reason } });
            }
            Piece::Foreign { looks, says } => {
                self.half(from).handshake.hole();
                out.push(What::NotTls { from, looks });
                out.push(What::Malformed { from, layer: "tls record", offset: 0, says });
            }
            Piece::Trouble { at, says } => {
                self.half(from).handshake.hole();
                out.push(What::Malformed { from, layer: "tls record", offset: at, says });
            }
        }
    }

    /// Reads what is in clear, as it comes; whatever is sealed is kept for the secrets, or only counted.
    fn body(&mut self, from: Side, header: Header, bytes: &[u8], out: &mut Vec<What>) {
        if self.is_sealed(from, header) {
            if let Some(opener) = &mut self.opener {
                opener.body(from, bytes);
            }
            return;
        }
        let half = self.half(from);
        match header.kind {
            content::HANDSHAKE => self.messages(from, bytes, out),
            content::ALERT => half.alert.extend(bytes.iter().take(2 - half.alert.len().min(2))),
            _ => {}
        }
    }

    fn is_sealed(&mut self, from: Side, header: Header) -> bool {
        self.half(from).sealed || header.kind == content::APPLICATION_DATA
    }

    fn end(&mut self, from: Side, header: Header, out: &mut Vec<What>) {
        let sealed = self.half(from).sealed;
        if self.is_sealed(from, header) {
            out.push(What::Record { from, kind: header.kind, len: header.len });
            if self.unseal(from, header, out) {
                return;
            }
        }
        match (header.kind, sealed) {
            (content::CHANGE_CIPHER_SPEC, false) => self.change_cipher_spec(from, out),
            (content::ALERT, false) => self.clear_alert(from, header, out),
            (content::ALERT, true) => out.push(What::SealedAlert { from, basis: Basis::Seen }),
            (content::HANDSHAKE, true) => self.finished(from, out),
            (content::APPLICATION_DATA, _) => self.application_data(from, header, out),
            _ => {}
        }
    }

    /// Opens a sealed record, where there is a secret for it, and takes what it says. False where it stays sealed.
    fn unseal(&mut self, from: Side, header: Header, out: &mut Vec<What>) -> bool {
        let Some(opener) = &mut self.opener else { return false };
        let Some(opened) = opener.open(from, header, self.established, out) else {
            // A message may have begun in it.
            self.half(from).handshake.hole();
            return false;
        };
        let text = opened.text;
        match opened.kind {
            content::HANDSHAKE => self.opened_handshake(from, &text, out),
            content::ALERT => opened_alert(from, header, &text, out),
            content::APPLICATION_DATA => self.opened_data(from, &text, opened.is_early, out),
            // ChangeCipherSpec of a renegotiation, and whatever else there is: it says nothing.
            _ => {}
        }
        if let Some(opener) = &mut self.opener {
            opener.done(from, text);
        }
        true
    }

    fn opened_handshake(&mut self, from: Side, text: &[u8], out: &mut Vec<What>) {
        self.messages(from, text, out);
        if !self.is_1_3() {
            self.finished(from, out);
        }
    }

    /// Data that is not early follows the handshake: a hole may have hidden its end.
    fn opened_data(&mut self, from: Side, text: &[u8], is_early: bool, out: &mut Vec<What>) {
        if from == Side::Client && !is_early {
            self.establish(Basis::Inferred, out);
        }
        if let Some(opener) = &mut self.opener {
            opener.hand_on(from, text, out);
        }
    }

    /// In TLS 1.3 it is a dummy for middleboxes and seals nothing (RFC 8446, D.4); a client may send one before the
    /// version is known, and then its second ClientHello in clear.
    fn change_cipher_spec(&mut self, from: Side, out: &mut Vec<What>) {
        out.push(What::ChangeCipherSpec { from });
        let seals = match self.chosen {
            Some(chosen) => !is_1_3(chosen.version),
            None => self.holes,
        };
        self.half(from).sealed |= seals;
    }

    fn clear_alert(&mut self, from: Side, header: Header, out: &mut Vec<What>) {
        let holes = self.holes;
        let half = self.half(from);
        match (half.alert.as_slice(), header.len) {
            ([level, description], 2) => {
                let (level, description, version) = (*level, *description, header.version);
                out.push(What::Alert { from, level, description, version });
            }
            // The ChangeCipherSpec before it may be in the hole.
            (_, 17..) if holes => out.push(What::SealedAlert { from, basis: Basis::Inferred }),
            (_, len) => {
                let says = format!("expected an alert of 2 bytes, found one of {len}");
                let offset = half.records.offset().saturating_sub(len.into());
                out.push(What::Malformed { from, layer: "tls record", offset, says });
            }
        }
    }

    /// Up to TLS 1.2 the first sealed handshake record is the Finished (RFC 5246, 7.4.9).
    fn finished(&mut self, from: Side, out: &mut Vec<What>) {
        self.half(from).finished = true;
        if self.client.finished && self.server.finished {
            self.establish(Basis::Seen, out);
        }
    }

    fn establish(&mut self, basis: Basis, out: &mut Vec<What>) {
        if !self.established {
            self.established = true;
            out.push(What::TlsEstablished { basis });
        }
    }

    fn application_data(&mut self, from: Side, header: Header, out: &mut Vec<What>) {
        match self.chosen {
            Some(chosen) if is_1_3(chosen.version) => self.sealed_1_3(from, chosen.cipher, header, out),
            // Early data; or TLS 1.2 with a hole in its handshake, of which the client's data is the end.
            Some(_) | None if self.holes && from == Side::Client => self.establish(Basis::Inferred, out),
            Some(_) | None => {}
        }
    }

    /// TLS 1.3 shows lengths only. The client's first record that is no alert is its Certificate or Finished, which it
    /// sends once it accepted the server's.
    fn sealed_1_3(&mut self, from: Side, cipher: u16, header: Header, out: &mut Vec<What>) {
        if header.len == alert_len(cipher) {
            out.push(What::SealedAlert { from, basis: Basis::Inferred });
        } else if from == Side::Client {
            self.establish(Basis::Inferred, out);
        }
    }

    fn messages(&mut self, from: Side, bytes: &[u8], out: &mut Vec<What>) {
        let mut bytes = bytes;
        while let Some(step) = self.half(from).handshake.next(&mut bytes) {
            match step {
                Step::Message(message) => self.message(from, &message, out),
                Step::Trouble(trouble) => malformed(from, "tls handshake", 0, [trouble], out),
            }
        }
    }

    fn message(&mut self, from: Side, message: &Message, out: &mut Vec<What>) {
        match (names::handshake(message.kind).unwrap_or_default(), from) {
            ("ClientHello", Side::Client) => self.client_hello(message, out),
            ("ServerHello", Side::Server) => self.server_hello(message, out),
            ("Certificate", _) => self.certificates(from, message, out),
            ("EncryptedExtensions", Side::Server) => encrypted_extensions(message, out),
            ("Finished", Side::Client) if self.is_1_3() => self.establish(Basis::Seen, out),
            ("CertificateRequest", Side::Server) => out.push(What::CertificateRequest),
            ("ServerHelloDone", Side::Server) => out.push(What::ServerHelloDone),
            ("ClientKeyExchange", Side::Client) => out.push(What::ClientKeyExchange),
            (name @ ("ClientHello" | "ServerHello"), _) => {
                let says = format!("expected messages of a {from}, found {name}");
                malformed(from, "tls handshake", message.offset, [Trouble { at: 0, says }], out);
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, message: &Message, out: &mut Vec<What>) {
        let mut troubles = Vec::new();
        let client = hello::client(&message.body, &mut troubles);
        let layer = layer_of(client.is_some());
        if let Some(mut client) = client {
            client.hello.len = message.len;
            self.offered(client, out);
        }
        malformed(Side::Client, layer, message.offset, troubles, out);
    }

    /// The first message of a client that may speak to a server of SSL 2.0. What follows it are records.
    fn ssl2_hello(&mut self, message: &[u8], out: &mut Vec<What>) {
        let mut troubles = Vec::new();
        if let Some(client) = ssl2::client(message, &mut troubles) {
            self.offered(client, out);
        }
        malformed(Side::Client, "tls handshake", 0, troubles, out);
    }

    fn offered(&mut self, client: hello::Client, out: &mut Vec<What>) {
        self.session_id = client.session_id;
        self.random = Some(client.random);
        if let Some(opener) = &mut self.opener {
            opener.keys.client_hello(client.random, &client.hello.ciphers);
        }
        // A renegotiation offers what is agreed on already.
        if !self.established {
            out.push(What::ClientHello(Box::new(client.hello)));
        }
    }

    fn server_hello(&mut self, message: &Message, out: &mut Vec<What>) {
        let mut troubles = Vec::new();
        let server = hello::server(&message.body, &mut troubles);
        let layer = layer_of(server.is_some());
        match server {
            Some(server) if server.is_retry => {
                if let Some(opener) = &mut self.opener {
                    opener.keys.retry();
                }
                out.push(What::HelloRetryRequest);
            }
            Some(server) => self.chosen(server, out),
            None => {}
        }
        malformed(Side::Server, layer, message.offset, troubles, out);
    }

    fn chosen(&mut self, mut server: hello::Server, out: &mut Vec<What>) {
        let echoed = !server.session_id.is_empty() && server.session_id == self.session_id;
        server.hello.resumed = match is_1_3(server.hello.version) {
            true => server.hello.resumed,
            false => echoed,
        };
        self.chosen = Some(Chosen { version: server.hello.version, cipher: server.hello.cipher });
        if let Some(opener) = &mut self.opener {
            opener.keys.server_hello(Agreed {
                version: server.hello.version,
                cipher: server.hello.cipher,
                random: server.random,
                encrypt_then_mac: server.encrypt_then_mac,
                session_id: server.session_id,
            });
        }
        if !self.established {
            out.push(What::ServerHello(Box::new(server.hello)));
        }
    }

    fn is_1_3(&self) -> bool {
        self.chosen.is_some_and(|chosen| is_1_3(chosen.version))
    }

    fn certificates(&self, from: Side, message: &Message, out: &mut Vec<What>) {
        let mut troubles = Vec::new();
        let mut chain = Vec::new();
        let sent = hello::certificates(&message.body, self.is_1_3(), &mut troubles);
        // A client may have none (RFC 8446, 4.4.2; RFC 5246, 7.4.6), a server may not.
        if sent.is_empty() && troubles.is_empty() && from == Side::Server {
            troubles.push(Trouble { at: 0, says: "expected a certificate, found an empty list".to_owned() });
        }
        for (place, (at, der)) in sent.into_iter().enumerate() {
            match certificate::read(der) {
                Ok(certificate) => chain.push(certificate),
                Err(says) => {
                    troubles.push(Trouble { at, says });
                    // Without the leaf nothing is known of whose chain it is.
                    if place == 0 {
                        break;
                    }
                }
            }
        }
        malformed(from, "certificate", message.offset, troubles, out);
        out.push(What::Certificates { from, chain });
    }
}

/// The certificates that a server sends in clear (TLS 1.2 and before), DER, leaf first, from its side's bytes. For whoever
/// checks signatures: what the certificates say stands in the events.
pub fn clear_chain(server: &[u8]) -> Vec<Vec<u8>> {
    let (mut records, mut handshake, mut data) = (Records::default(), Handshake::default(), server);
    while let Some(piece) = records.next(&mut data) {
        let mut bytes: &[u8] = match piece {
            Piece::Start(_) => {
                handshake.start_record();
                continue;
            }
            Piece::Body(header, bytes) if header.kind == content::HANDSHAKE => bytes,
            Piece::Body(_, _) | Piece::End(_) => continue,
            Piece::Trouble { .. } | Piece::Foreign { .. } => return Vec::new(),
            Piece::Ssl2Hello(_) | Piece::Ultimatum(_) => continue,
        };
        while let Some(step) = handshake.next(&mut bytes) {
            match step {
                Step::Message(message) if names::handshake(message.kind) == Some("Certificate") => {
                    let chain = hello::certificates(&message.body, false, &mut Vec::new());
                    return chain.into_iter().map(|(_, der)| der.to_vec()).collect();
                }
                Step::Message(_) | Step::Trouble(_) => {}
            }
        }
    }
    Vec::new()
}

/// TLS 1.3 or one of its drafts (RFC 8446, 4.2.1, had them as 0x7f00 and the number).
fn is_1_3(version: u16) -> bool {
    version == TLS_1_3 || version >> 8 == 0x7f || version > TLS_1_2 && version < 0x0400
}

/// A sealed alert: two bytes, the inner content type and the tag (RFC 8446, 5.2), which the CCM_8 suite cuts to eight.
fn alert_len(cipher: u16) -> u32 {
    const TLS_AES_128_CCM_8_SHA256: u16 = 0x1305;
    match cipher {
        TLS_AES_128_CCM_8_SHA256 => 2 + 1 + 8,
        _ => 2 + 1 + 16,
    }
}

/// To whoever has no secrets it is a sealed alert, too, and rules ask for that.
fn opened_alert(from: Side, header: Header, text: &[u8], out: &mut Vec<What>) {
    out.push(What::SealedAlert { from, basis: Basis::Seen });
    if let [level, description] = *text {
        out.push(What::Alert { from, level, description, version: header.version });
    }
}

fn encrypted_extensions(message: &Message, out: &mut Vec<What>) {
    let mut troubles = Vec::new();
    let alpn = hello::encrypted_extensions(&message.body, &mut troubles);
    malformed(Side::Server, "tls extension", message.offset, troubles, out);
    out.push(What::EncryptedExtensions { alpn });
}

/// Where trouble in a hello lies: in the message, or, where that was read, in its extensions.
fn layer_of(is_read: bool) -> &'static str {
    if is_read { "tls extension" } else { "tls handshake" }
}

fn malformed(
    from: Side,
    layer: &'static str,
    base: u64,
    troubles: impl IntoIterator<Item = Trouble>,
    out: &mut Vec<What>,
) {
    out.extend(troubles.into_iter().map(|trouble| What::Malformed {
        from,
        layer,
        offset: base + trouble.at as u64,
        says: trouble.says,
    }));
}
