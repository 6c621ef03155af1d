//! This machine's store of root certificates: the one room that names rustls-native-certs.

/// The roots, DER. Empty where there is no store or it cannot be read.
pub(super) fn roots() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "root store");
    }
    found.certs.into_iter().map(|certificate| certificate.to_vec()).collect()
}
