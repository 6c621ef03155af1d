//! This machine's store of root certificates, and what it says of a chain: the one room that names rustls-native-certs.

use analyzer::probe::{Trust, read_certificate};

use crate::tls::leads_to;

/// The roots, DER. Empty where there is no store or it cannot be read.
pub(crate) fn load() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "root store");
    }
    found.certs.into_iter().map(|certificate| certificate.to_vec()).collect()
}

/// What the roots say of a chain (DER, leaf first) at a time within the leaf's dates: those are judged for themselves. Now,
/// in seconds since the epoch. `None` where there is no chain that can be read.
pub(crate) fn trust(roots: &[Vec<u8>], chain: &[Vec<u8>], now: u64) -> Option<Trust> {
    let first = chain.first()?;
    let leaf = read_certificate(first).ok()?;
    if roots.is_empty() {
        return Some(Trust::Unchecked("this machine has no store of roots".into()));
    }
    if roots.contains(first) {
        return Some(Trust::Trusted);
    }
    let now = now.clamp(
        u64::try_from(leaf.not_before).unwrap_or(0),
        u64::try_from(leaf.not_after.max(leaf.not_before)).unwrap_or(0),
    );
    Some(match leads_to(roots, chain, now) {
        Trust::Untrusted(_) | Trust::Unchecked(_) if leaf.self_issued => Trust::Untrusted("self-signed".into()),
        trust => trust,
    })
}
