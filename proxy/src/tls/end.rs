//! One end of TLS without a socket: ciphertext in, plaintext out, and the other way round. For a relay that is the server of
//! one leg and the client of the other.
//!
//! Nothing is resumed and no tickets are given: each connection then has secrets of its own, and a recording that holds
//! them opens by itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use analyzer::secret::Secret;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::server::{NoServerSessionStorage, ParsedCertificate};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, Connection, Error, InconsistentKeys, KeyLog, RootCertStore, ServerConfig,
    ServerConnection, SupportedProtocolVersion, version,
};

use super::{Judge, Trust, alert};

/// What a client offers, and so what may be offered to its server.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Versions, as numbers.
    pub versions: &'a [u16],
    /// Cipher suites.
    pub ciphers: &'a [u16],
    /// supported_groups; empty where it does not say.
    pub groups: &'a [u16],
    /// server_name.
    pub name: Option<&'a str>,
    /// application_layer_protocol_negotiation.
    pub alpn: &'a [String],
}

/// What a server has chosen of an [`Offer`].
#[derive(Debug, Clone)]
pub struct Agreed {
    version: &'static SupportedProtocolVersion,
    suite: u16,
    alpn: Option<Vec<u8>>,
    /// The server's chain, DER, leaf first.
    pub chain: Vec<Vec<u8>>,
}

/// A certificate (with the chain behind it) and its private key, to be shown to clients.
#[derive(Clone)]
pub struct Credential(Arc<CertifiedKey>);

/// One end.
pub struct End {
    connection: Connection,
    log: Arc<Log>,
    /// Of a client: what it was shown.
    judge: Option<Arc<Judge>>,
}

/// Why TLS cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In words.
    pub says: String,
    /// The fatal alert that the peer has sent, if that is why: AlertDescription, RFC 8446 6.
    pub alert: Option<u8>,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken { says: error.to_string(), alert: None }
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Broken {
        match error {
            Error::AlertReceived(alert) => {
                let alert_number = u8::from(alert);
                Broken { says: format!("it sends the alert {alert:?} ({alert_number})"), alert: Some(alert_number) }
            }
            other => Broken { says: other.to_string(), alert: None },
        }
    }
}

#[cfg(test)]
impl Agreed {
    /// As if a server had chosen these, and shown nothing.
    pub(crate) fn on(version: u16, suite: u16) -> Option<Agreed> {
        let version = VERSIONS.into_iter().find(|known| u16::from(known.version) == version)?;
        Some(Agreed { version, suite, alpn: None, chain: Vec::new() })
    }
}

impl End {
    /// The client of a server, which does this with its certificate. `None` where nothing of what the client offers can be spoken
    /// here.
    ///
    /// # Errors
    /// Where the library refuses what is left of the offer.
    pub fn client(offer: &Offer<'_>, target: &str, trust: Trust) -> io::Result<Option<End>> {
        let provider = Arc::new(common(offer));
        let versions = versions(offer, &provider);
        if versions.is_empty() {
            return Ok(None);
        }
        let judge = Arc::new(Judge {
            provider: provider.clone(),
            roots: RootCertStore::empty(),
            trust,
            wrong: Mutex::default(),
            shown: Mutex::default(),
        });
        let log = Arc::new(Log::default());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(judge.clone())
            .with_no_client_auth();
        config.key_log = log.clone();
        config.enable_secret_extraction = true;
        config.resumption = Resumption::disabled();
        config.alpn_protocols = offer.alpn.iter().map(|name| name.clone().into_bytes()).collect();
        config.enable_sni = offer.name.is_some();
        let name = ServerName::try_from(offer.name.unwrap_or(target).to_owned()).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        connection.set_buffer_limit(None);
        Ok(Some(End { connection: connection.into(), log, judge: Some(judge) }))
    }

    /// The server of a client: shows `credential` and chooses what its server has chosen, where the client and the key
    /// allow it.
    ///
    /// # Errors
    /// Where the library refuses that.
    pub fn server(credential: &Credential, agreed: &Agreed) -> io::Result<End> {
        let mut provider = ring::default_provider();
        provider.cipher_suites.sort_by_key(|suite| u16::from(suite.suite()) != agreed.suite);
        let log = Arc::new(Log::default());
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[agreed.version])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(credential.0.clone())));
        config.key_log = log.clone();
        config.enable_secret_extraction = true;
        config.ignore_client_order = true;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = agreed.alpn.iter().cloned().collect();
        let mut connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
        connection.set_buffer_limit(None);
        Ok(End { connection: connection.into(), log, judge: None })
    }

    /// Takes what the peer sent; what it says comes behind `plain`, also where the connection breaks behind it.
    ///
    /// # Errors
    /// Where TLS cannot go on. What is to be told the peer of it waits to be given.
    pub fn take(&mut self, mut ciphertext: &[u8], plain: &mut Vec<u8>) -> Result<(), Broken> {
        while !ciphertext.is_empty() {
            // Nothing is read behind close_notify.
            if self.connection.read_tls(&mut ciphertext)? == 0 {
                break;
            }
            let processed = self.connection.process_new_packets().map(|_| ());
            self.drain(plain)?;
            processed?;
        }
        Ok(())
    }

    fn drain(&mut self, plain: &mut Vec<u8>) -> Result<(), Broken> {
        match self.connection.reader().read_to_end(plain) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Says this to the peer, as soon as the handshake is over.
    ///
    /// # Errors
    /// Where nothing can be said any more.
    pub fn say(&mut self, plain: &[u8]) -> Result<(), Broken> {
        Ok(self.connection.writer().write_all(plain)?)
    }

    /// Says that nothing more will be said: close_notify.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }

    /// What is to be sent to the peer now.
    pub fn give(&mut self) -> Vec<u8> {
        let mut ciphertext = Vec::new();
        // INVARIANT: writing to memory does not fail.
        while self.connection.wants_write() && self.connection.write_tls(&mut ciphertext).is_ok() {}
        ciphertext
    }

    /// What is left to be said, and then this fatal alert, which the library would not send. Where the handshake is not over, and
    /// so nobody knows by which key it would be read, it is left out.
    pub fn fail(mut self, alert: u8) -> Vec<u8> {
        let version = self.connection.protocol_version();
        let is_clear = version.is_none() && self.connection.is_handshaking();
        let mut ciphertext = self.give();
        let last = if is_clear {
            Some(alert::clear(alert))
        } else {
            let secrets = self.connection.dangerous_extract_secrets().ok();
            secrets.zip(version).and_then(|(secrets, version)| {
                let (sequence, secrets) = &secrets.tx;
                alert::sealed(version, secrets, *sequence, alert)
            })
        };
        ciphertext.extend(last.unwrap_or_default());
        ciphertext
    }

    /// Whether the handshake goes on.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether the peer has said close_notify.
    ///
    /// # Errors
    /// Where TLS cannot go on.
    pub fn is_closed(&mut self) -> Result<bool, Broken> {
        let state = self.connection.process_new_packets()?;
        Ok(state.peer_has_closed())
    }

    /// What was agreed on; `None` until it is.
    pub fn agreed(&self) -> Option<Agreed> {
        let chosen = self.connection.protocol_version()?;
        let version = VERSIONS.into_iter().find(|version| version.version == chosen)?;
        let shown = self.judge.as_ref().map(|judge| judge.shown.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Some(Agreed {
            version,
            suite: self.connection.negotiated_cipher_suite()?.suite().into(),
            alpn: self.connection.alpn_protocol().map(<[u8]>::to_vec),
            chain: shown.unwrap_or_default(),
        })
    }

    /// The lines of a key log since the last call.
    pub fn secrets(&self) -> Option<Secret> {
        let lines = std::mem::take(&mut *self.log.0.lock().unwrap_or_else(PoisonError::into_inner));
        (!lines.is_empty()).then_some(lines)
    }
}

impl Agreed {
    /// What a recorded server has chosen, to be chosen again. `None` where this program's TLS has no such version.
    pub fn recorded(version: u16, suite: u16, alpn: Option<&str>) -> Option<Agreed> {
        let version = VERSIONS.into_iter().find(|known| u16::from(known.version) == version)?;
        Some(Agreed { version, suite, alpn: alpn.map(|name| name.as_bytes().to_vec()), chain: Vec::new() })
    }
}

impl Credential {
    /// A chain and its key, both PEM. The key may be PKCS #1, PKCS #8 or SEC1.
    ///
    /// # Errors
    /// Where one of them cannot be read or used, or they do not belong together; in words.
    pub fn read(certificate: &[u8], key: &[u8]) -> Result<Credential, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|error| format!("expected a certificate as PEM: {error}"))?;
        if chain.is_empty() {
            return Err("expected a certificate as PEM, found none".into());
        }
        if key.windows(ENCRYPTED.len()).any(|at| at == ENCRYPTED) {
            return Err("the key is encrypted: expected one in clear (openssl pkey -in KEY -out CLEAR)".into());
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| "expected a private key as PEM (PKCS #1, PKCS #8 or SEC1), found none".to_owned())?;
        Credential::of(chain, key)
    }

    /// A certificate and its key (PKCS #8), both DER, and the certificate of who issued it.
    ///
    /// # Errors
    /// As above.
    pub fn issued(certificate: Vec<u8>, issuer: &[u8], key: &[u8]) -> Result<Credential, String> {
        Credential::chain(vec![certificate, issuer.to_vec()], key)
    }

    /// A chain, leaf first, and its key (PKCS #8), all DER.
    ///
    /// # Errors
    /// As above.
    pub fn chain(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Credential, String> {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Credential::of(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec())))
    }

    /// The first certificate of a chain in PEM, as DER.
    ///
    /// # Errors
    /// Where there is none.
    pub fn leaf(certificate: &[u8]) -> Result<Vec<u8>, String> {
        let first = CertificateDer::pem_slice_iter(certificate).next();
        match first {
            Some(Ok(leaf)) => Ok(leaf.to_vec()),
            Some(Err(_)) | None => Err("expected a certificate as PEM, found none".into()),
        }
    }

    fn of(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Credential, String> {
        match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
            Ok(certified) => Ok(Credential(Arc::new(certified))),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err("the key does not belong to the certificate".into())
            }
            Err(error) => Err(format!("this program cannot use the key: {error}")),
        }
    }

    /// The certificate that is shown, DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.0.cert.first().map(|own| own.to_vec())
    }

    /// Whether this certificate (DER) is the one that is shown.
    pub fn shows(&self, certificate: &[u8]) -> bool {
        self.0.cert.first().is_some_and(|own| own.as_ref() == certificate)
    }

    /// Whether this certificate (DER) is for the same public key; `None` where it cannot be read.
    pub fn is_key_of(&self, certificate: &[u8]) -> Option<bool> {
        let key = |der: &CertificateDer<'_>| {
            ParsedCertificate::try_from(der).ok().map(|parsed| parsed.subject_public_key_info().to_vec())
        };
        let own = key(self.0.cert.first()?)?;
        Some(own == key(&CertificateDer::from_slice(certificate))?)
    }
}

/// How a PEM file says that a key needs a passphrase: PKCS #8, and what OpenSSL wrote before it.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// Newest first.
static VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

/// Whether this program's TLS has this cipher suite.
pub fn has_suite(suite: u16) -> bool {
    ring::default_provider().cipher_suites.iter().any(|known| u16::from(known.suite()) == suite)
}

/// What can be spoken here of what a client offers.
fn common(offer: &Offer<'_>) -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.retain(|suite| offer.ciphers.contains(&suite.suite().into()));
    // A client that names no group takes any (RFC 8422 5.1).
    provider.kx_groups.retain(|group| offer.groups.is_empty() || offer.groups.contains(&group.name().into()));
    provider
}

/// The versions that are offered, are spoken here, and have a suite left.
fn versions(offer: &Offer<'_>, provider: &CryptoProvider) -> Vec<&'static SupportedProtocolVersion> {
    let usable = |version: &&SupportedProtocolVersion| {
        offer.versions.contains(&version.version.into())
            && provider.cipher_suites.iter().any(|suite| suite.version().version == version.version)
            && !provider.kx_groups.is_empty()
    };
    VERSIONS.into_iter().filter(usable).collect()
}

/// Keeps what a key log would hold.
#[derive(Default)]
struct Log(Mutex<Secret>);

impl KeyLog for Log {
    fn log(&self, label: &str, random: &[u8], secret: &[u8]) {
        let line = Secret::new(super::line(label, random, secret).into_bytes());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(&line);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(<redacted>)")
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End(<redacted>)")
    }
}
