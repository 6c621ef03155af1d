//! A certificate authority of this program's own: a folder with its certificate and key, and certificates made by it that say
//! what another one says. The one room that names rsa.
//!
//! Whoever has the key can stand between its user and every server whose certificates that user's machine checks: the folder
//! is its owner's alone (0700, the key 0600), and a key that others can read is refused.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzer::event::Certificate;
use analyzer::probe::read_certificate;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SanType, SerialNumber, SignatureAlgorithm,
    date_time_ymd,
};
use rsa::pkcs8::EncodePrivateKey;

use crate::clock;
use crate::named::Named;
use crate::record::create_folder;
use crate::tls::Credential;
use crate::whole::{self, For};

/// The files of the folder.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
/// How long an authority lasts.
const LIFE: Duration = Duration::from_secs(2 * 365 * 86_400);
/// Clocks differ: it begins so long ago.
const SLACK: Duration = Duration::from_secs(86_400);
/// Bits of an RSA key made here, whatever the server's has: what every client takes.
const RSA_BITS: usize = 2048;
/// 9999-12-31T23:59:59Z, the last time that a certificate can tell (RFC 5280 4.1.2.5).
const END_OF_TIME: i64 = 253_402_300_799;

/// An authority that can sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    rsa: KeyPair,
    p256: KeyPair,
    p384: KeyPair,
}

/// An authority's certificate.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Where it stands.
    pub path: PathBuf,
    /// PEM.
    pub pem: String,
    /// DER.
    pub der: Vec<u8>,
    /// What it says.
    pub says: Certificate,
}

/// Makes an authority in this folder. One that is there already is replaced only with `force`.
///
/// # Errors
/// Where the system does, or one is there.
pub fn create(folder: &Path, force: bool) -> io::Result<Shown> {
    create_folder(folder)?;
    make_private(folder)?;
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    [&key, &certificate].into_iter().try_for_each(|path| whole::check(path, force))?;
    let pair = rsa_pair()?;
    let made = params_of_authority().self_signed(&pair).map_err(io::Error::other)?;
    whole::write(&key, For::Owner, force, pair.serialize_pem().as_bytes())?;
    whole::write(&certificate, For::Everybody, force, made.pem().as_bytes())?;
    show(folder)
}

/// The certificate of the authority in this folder.
///
/// # Errors
/// Where there is none, or it cannot be read.
pub fn show(folder: &Path) -> io::Result<Shown> {
    let path = folder.join(CERTIFICATE);
    let pem = fs::read_to_string(&path).map_err(|error| missing(&path, error))?;
    let der = Credential::leaf(pem.as_bytes()).map_err(|says| wrong(&path, &says))?;
    let says = read_certificate(&der).map_err(|says| wrong(&path, &says))?;
    Ok(Shown { path, pem, der, says })
}

impl Authority {
    /// The authority in this folder. Takes a moment: it makes the keys of the certificates to come.
    ///
    /// # Errors
    /// Where there is none, it cannot be read, or others can read its key.
    pub fn open(folder: &Path) -> io::Result<Authority> {
        let shown = show(folder)?;
        let path = folder.join(KEY);
        check_private(&path)?;
        let pem = fs::read_to_string(&path).map_err(|error| missing(&path, error))?;
        let key = KeyPair::from_pem(&pem).map_err(|error| wrong(&path, &error.to_string()))?;
        Credential::read(shown.pem.as_bytes(), pem.as_bytes()).map_err(|says| wrong(&path, &says))?;
        let issuer =
            Issuer::from_ca_cert_pem(&shown.pem, key).map_err(|error| wrong(&shown.path, &error.to_string()))?;
        let of = |kind| KeyPair::generate_for(kind).map_err(io::Error::other);
        let (p256, p384) = (of(&PKCS_ECDSA_P256_SHA256)?, of(&PKCS_ECDSA_P384_SHA384)?);
        Ok(Authority { issuer, certificate: shown.der, rsa: rsa_pair()?, p256, p384 })
    }

    /// A certificate that says what the server's says: names, dates, kind of key. With the key for it.
    ///
    /// # Errors
    /// Where what it says cannot be said again.
    pub fn issue(&self, like: &Certificate) -> Result<Credential, String> {
        let key = match (like.key.as_str(), like.key_bits) {
            ("RSA", _) => &self.rsa,
            ("EC", 384) => &self.p384,
            _ => &self.p256,
        };
        let made = params_like(like).signed_by(key, &self.issuer).map_err(|error| error.to_string())?;
        Credential::issued(made.der().to_vec(), &self.certificate, key.serialized_der())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(<redacted>)")
    }
}

fn params_of_authority() -> CertificateParams {
    let now = i64::try_from(clock::now().seconds()).unwrap_or(0);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "rdpscope local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(now.saturating_sub_unsigned(SLACK.as_secs()));
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(now.saturating_add_unsigned(LIFE.as_secs()));
    params
}

/// What a certificate says, to be said again: names, dates.
pub(crate) fn params_like(like: &Certificate) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = &like.common_name {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.subject_alt_names = like.names.iter().filter_map(|name| alternative(name)).collect();
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(like.not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(like.not_after);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // No two certificates of one issuer may have the same number; times go on.
    params.serial_number = Some(SerialNumber::from(clock::now().0));
    params
}

fn alternative(name: &str) -> Option<SanType> {
    match name.parse() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => Some(SanType::DnsName(name.to_owned().try_into().ok()?)),
    }
}

/// A date is the epoch and so long. What comes before it, or never, is told as the first or last that can be.
fn since_epoch(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds.clamp(0, END_OF_TIME)).unwrap_or(0))
}

fn rsa_pair() -> io::Result<KeyPair> {
    rsa_pair_of(RSA_BITS, &PKCS_RSA_SHA256)
}

/// ring makes no RSA keys.
pub(crate) fn rsa_pair_of(bits: usize, signs: &'static SignatureAlgorithm) -> io::Result<KeyPair> {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).map_err(io::Error::other)?;
    let der = key.to_pkcs8_der().map_err(io::Error::other)?;
    KeyPair::from_pkcs8_der_and_sign_algo(&der.as_bytes().into(), signs).map_err(io::Error::other)
}

/// A folder that was there and that others can enter becomes its owner's alone. One that holds other things is refused: it
/// may be anybody's, like the home or temporary folder.
#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name != CERTIFICATE && name != KEY {
            let says = format!(
                "{}: expected a folder of the authority's own, found other things in it, and mode {:04o}: chmod 700, or name another",
                folder.named(),
                mode & 0o7777
            );
            return Err(io::Error::new(ErrorKind::PermissionDenied, says));
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses a key that others can read. Elsewhere than on Unix that cannot be told so simply, and is not checked.
#[cfg(unix)]
fn check_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| missing(path, error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let says = format!(
        "{}: expected a key that its owner alone can read, found mode {:04o}: chmod 600, or make a new authority",
        path.named(),
        mode & 0o7777
    );
    Err(io::Error::new(ErrorKind::PermissionDenied, says))
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn missing(path: &Path, error: io::Error) -> io::Error {
    let hint = if error.kind() == ErrorKind::NotFound { " (rdpscope ca init makes one)" } else { "" };
    io::Error::new(error.kind(), format!("{}: {error}{hint}", path.named()))
}

fn wrong(path: &Path, says: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{}: {says}", path.named()))
}
