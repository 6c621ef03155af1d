//! TLS on live sockets: the one room that names rustls.
//!
//! In go certificates and keys as DER; out come streams that read and write. Nothing here decides whether a peer is to
//! be trusted: a client made here either goes on whatever the certificate, and remembers what was wrong with it, or
//! refuses every certificate with the alert it was told to send. So it fits scripted peers and an interceptor, and
//! nobody who has a secret to protect.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use analyzer::probe::Trust as ChainTrust;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::hash::HashAlgorithm;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, KeyLog, OtherError, RootCertStore, ServerConfig,
    ServerConnection, SignatureAlgorithm, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion, version,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

mod alert;
mod end;

pub use end::{Agreed, Broken, Credential, End, Offer, has_suite};
pub use tokio_rustls::client::TlsStream as ClientStream;
pub use tokio_rustls::server::TlsStream as ServerStream;

/// Which versions of TLS an end speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 and 1.3.
    Both,
    /// TLS 1.2 alone.
    Only12,
    /// TLS 1.3 alone.
    Only13,
}

/// Which cipher suites an end offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ciphers {
    /// All that the library has.
    All,
    /// Those with AES alone.
    Aes,
    /// Those with ChaCha20 alone.
    ChaCha20,
}

/// A certificate, and the key that goes with it.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Key,
}

/// A private key, or who has it.
#[derive(Clone)]
pub enum Key {
    /// PKCS #8, DER.
    Pkcs8(Vec<u8>),
    /// Makes the RSA signature (PKCS #1 v1.5) of a SHA-256 digest, where no library has such keys. For TLS 1.2 alone.
    ByHand(fn(digest: &[u8]) -> Vec<u8>),
}

impl Key {
    /// The key as PKCS #8, where it is one.
    pub fn pkcs8(&self) -> Option<&[u8]> {
        match self {
            Key::Pkcs8(der) => Some(der),
            Key::ByHand(_) => None,
        }
    }
}

/// What a client does with the certificate it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Goes on, whatever it is.
    Anything,
    /// Refuses it, whatever it is, with this alert.
    Refuses(Refusal),
}

/// The alerts with which a client refuses a certificate (RFC 8446 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 42
    BadCertificate,
    /// 43
    UnsupportedCertificate,
    /// 44
    CertificateRevoked,
    /// 45
    CertificateExpired,
    /// 46
    CertificateUnknown,
    /// 48
    UnknownCa,
    /// 49
    AccessDenied,
}

/// Who is told the secrets of each connection: a line of a key log (RFC 9850), as soon as there is one.
#[derive(Clone)]
pub struct Keys(pub Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        (self.0)(&line(label, client_random, secret));
    }
}

/// A line of a key log, RFC 9850.
fn line(label: &str, random: &[u8], secret: &[u8]) -> String {
    format!("{label} {} {}\n", Hex(random), Hex(secret))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One end's server half: what it shows and what it speaks.
#[derive(Clone)]
pub struct Server(Arc<ServerConfig>);

/// One connection's client half, and what it found wrong with the certificate. Not to be used for two connections.
pub struct Client {
    config: Arc<ClientConfig>,
    judge: Arc<Judge>,
}

impl Server {
    /// A server that shows `identity`. It packs a whole flight into one record, as Schannel does, unless `record` says
    /// how long a record (header included) may be.
    pub fn new(identity: &Identity, versions: Versions, ciphers: Ciphers, record: Option<usize>) -> io::Result<Server> {
        let chain = vec![CertificateDer::from(identity.certificate.clone())];
        let builder = ServerConfig::builder_with_provider(provider(ciphers))
            .with_protocol_versions(versions.list())
            .map_err(io::Error::other)?
            .with_no_client_auth();
        let mut config = match &identity.key {
            Key::Pkcs8(der) => builder
                .with_single_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der.clone())))
                .map_err(io::Error::other)?,
            Key::ByHand(sign) => {
                let certified = CertifiedKey::new(chain, Arc::new(ByHand(*sign)));
                builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        config.max_fragment_size = record;
        Ok(Server(Arc::new(config)))
    }

    /// The same, telling its secrets.
    pub fn telling(self, keys: Keys) -> Server {
        let mut config = Arc::unwrap_or_clone(self.0);
        config.key_log = Arc::new(keys);
        Server(Arc::new(config))
    }

    /// The same, choosing of these where a client offers any (ALPN, RFC 7301).
    pub fn choosing(self, protocols: &[&str]) -> Server {
        let mut config = Arc::unwrap_or_clone(self.0);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Server(Arc::new(config))
    }

    /// The handshake.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, io: S) -> io::Result<ServerStream<S>> {
        TlsAcceptor::from(self.0.clone()).accept(io).await
    }

    /// The first flight that answers this ClientHello (given with its record header), as it would stand on the wire.
    /// For a peer that sends only a part of it.
    pub fn first_flight(&self, mut hello: &[u8]) -> io::Result<Vec<u8>> {
        let mut connection = ServerConnection::new(self.0.clone()).map_err(io::Error::other)?;
        while !hello.is_empty() {
            connection.read_tls(&mut hello)?;
        }
        connection.process_new_packets().map_err(io::Error::other)?;
        let mut flight = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut flight)?;
        }
        Ok(flight)
    }
}

impl Client {
    /// A client without roots: every self-signed certificate is found wanting, and remembered so.
    pub fn new(trust: Trust, versions: Versions, ciphers: Ciphers) -> io::Result<Client> {
        let provider = provider(ciphers);
        let judge = Arc::new(Judge {
            provider: provider.clone(),
            roots: RootCertStore::empty(),
            trust,
            wrong: Mutex::default(),
            shown: Mutex::default(),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions.list())
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(judge.clone())
            .with_no_client_auth();
        Ok(Client { config: Arc::new(config), judge })
    }

    /// The same, offering these (ALPN, RFC 7301).
    pub fn offering(mut self, protocols: &[&str]) -> Client {
        let mut config = Arc::unwrap_or_clone(self.config);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self.config = Arc::new(config);
        self
    }

    /// The handshake. `name` goes into server_name and is what the certificate is judged against.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(&self, name: &str, io: S) -> io::Result<ClientStream<S>> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.config.clone()).connect(name, io).await
    }

    /// What was wrong with the certificate, if it was seen and anything was: the first thing found, of the chain
    /// (dates, issuer) before the name.
    pub fn objection(&self) -> Option<String> {
        self.judge.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The chain that the server showed, DER, leaf first. Also where the handshake failed later.
    pub fn shown(&self) -> Vec<Vec<u8>> {
        self.judge.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether a chain (DER, leaf first) leads to one of the roots at a time, in seconds since the epoch. Names are left out,
/// and the caller picks a time within the leaf's dates: webpki tells only the first thing it finds. What webpki cannot
/// check (an algorithm that it does not have, a purpose of Microsoft's) stays unchecked.
pub fn leads_to(roots: &[Vec<u8>], chain: &[Vec<u8>], at: u64) -> ChainTrust {
    let mut store = RootCertStore::empty();
    // A root that webpki cannot read vouches for nobody.
    store.add_parsable_certificates(roots.iter().map(|root| CertificateDer::from_slice(root)));
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from_slice(der)).collect();
    let Some((leaf, rest)) = chain.split_first() else { return ChainTrust::Unchecked("no certificate".into()) };
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let verified = ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_cert_signed_by_trust_anchor(&leaf, &store, rest, at, algorithms));
    match verified {
        Ok(()) => ChainTrust::Trusted,
        Err(Error::InvalidCertificate(wrong)) => distrust(&wrong),
        Err(error) => ChainTrust::Unchecked(error.to_string()),
    }
}

fn distrust(wrong: &CertificateError) -> ChainTrust {
    let why = match wrong {
        CertificateError::UnknownIssuer => "its issuer is not in the store".to_owned(),
        CertificateError::BadSignature => "its signature is not that of the issuer in the store".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "an issuer has expired".to_owned(),
        other => return ChainTrust::Unchecked(other.to_string()),
    };
    ChainTrust::Untrusted(why)
}

/// The version that was agreed on, as it stands in reports: "1.2".
pub fn version_name<S>(stream: &ClientStream<S>) -> Option<&'static str> {
    let version = stream.get_ref().1.protocol_version()?;
    if version == version::TLS12.version {
        Some("1.2")
    } else if version == version::TLS13.version {
        Some("1.3")
    } else {
        None
    }
}

/// The application protocol that the server chose (ALPN, RFC 7301).
pub fn application_protocol<S>(stream: &ClientStream<S>) -> Option<String> {
    let chosen = stream.get_ref().1.alpn_protocol()?;
    Some(String::from_utf8_lossy(chosen).into_owned())
}

/// The alert that the peer sent, if that is what the error is.
pub fn alert_received(error: &io::Error) -> Option<u8> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(description) => Some((*description).into()),
        _ => None,
    }
}

impl Versions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self {
            Versions::Both => &BOTH,
            Versions::Only12 => &BOTH[1..],
            Versions::Only13 => &BOTH[..1],
        }
    }
}

impl Refusal {
    /// All of them.
    const ALL: [Refusal; 7] = [
        Refusal::BadCertificate,
        Refusal::UnsupportedCertificate,
        Refusal::CertificateRevoked,
        Refusal::CertificateExpired,
        Refusal::CertificateUnknown,
        Refusal::UnknownCa,
        Refusal::AccessDenied,
    ];

    /// The one with this AlertDescription.
    pub fn of(alert: u8) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|refusal| refusal.alert() == alert)
    }

    /// AlertDescription.
    pub fn alert(self) -> u8 {
        match self {
            Refusal::BadCertificate => 42,
            Refusal::UnsupportedCertificate => 43,
            Refusal::CertificateRevoked => 44,
            Refusal::CertificateExpired => 45,
            Refusal::CertificateUnknown => 46,
            Refusal::UnknownCa => 48,
            Refusal::AccessDenied => 49,
        }
    }

    /// The error for which rustls sends that alert.
    fn error(self) -> CertificateError {
        match self {
            Refusal::BadCertificate => CertificateError::BadEncoding,
            Refusal::UnsupportedCertificate => CertificateError::InvalidPurpose,
            Refusal::CertificateRevoked => CertificateError::Revoked,
            Refusal::CertificateExpired => CertificateError::Expired,
            Refusal::CertificateUnknown => CertificateError::Other(OtherError(Arc::new(Unwanted))),
            Refusal::UnknownCa => CertificateError::UnknownIssuer,
            Refusal::AccessDenied => CertificateError::ApplicationVerificationFailure,
        }
    }
}

/// Why a certificate is refused that is refused for no reason of its own.
#[derive(Debug)]
struct Unwanted;

impl fmt::Display for Unwanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not wanted")
    }
}

impl std::error::Error for Unwanted {}

/// Signs with what [`Key::ByHand`] holds.
#[derive(Clone, Copy)]
struct ByHand(fn(&[u8]) -> Vec<u8>);

impl fmt::Debug for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByHand")
    }
}

impl SigningKey for ByHand {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.scheme()).then(|| Box::new(*self) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for ByHand {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let suites = ring::default_provider().cipher_suites;
        let hash = suites.iter().find_map(|suite| {
            match suite {
                SupportedCipherSuite::Tls12(suite) => Some(suite.common.hash_provider),
                SupportedCipherSuite::Tls13(suite) => Some(suite.common.hash_provider),
            }
            .filter(|hash| hash.algorithm() == HashAlgorithm::SHA256)
        });
        let hash = hash.ok_or_else(|| Error::General("no SHA-256".into()))?;
        Ok((self.0)(hash.hash(message).as_ref()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA256
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate.len()).field("key", &"<redacted>").finish()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server(<redacted>)")
    }
}

fn provider(ciphers: Ciphers) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites.retain(|suite| {
        let chacha = format!("{:?}", suite.suite()).contains("CHACHA20");
        match ciphers {
            Ciphers::All => true,
            Ciphers::Aes => !chacha,
            Ciphers::ChaCha20 => chacha,
        }
    });
    Arc::new(provider)
}

/// Looks at the certificate, remembers what is wrong with it, and then does what it was told to.
#[derive(Debug)]
struct Judge {
    provider: Arc<CryptoProvider>,
    roots: RootCertStore,
    trust: Trust,
    wrong: Mutex<Option<String>>,
    shown: Mutex<Vec<Vec<u8>>>,
}

impl Judge {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let leaf = ParsedCertificate::try_from(leaf)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, chain, now, algorithms)?;
        verify_server_name(&leaf, name)
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = self.check(leaf, chain, name, now);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            [leaf].into_iter().chain(chain).map(|der| der.to_vec()).collect();
        *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = found.err().map(|e| e.to_string());
        match self.trust {
            Trust::Anything => Ok(ServerCertVerified::assertion()),
            Trust::Refuses(refusal) => Err(refusal.error().into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
