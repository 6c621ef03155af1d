//! TLS alerts (RFC 8446, 6; RFC 5246, 7.2; RFC 6066, 9), with what each means when RDP runs in it.

use super::{Code, Notation, Table, code};

/// TLS alert description.
pub static ALERTS: Table = Table {
    key: "alert",
    title: "TLS alert description",
    words: &["alert", "tls"],
    notation: Notation::Decimal,
    note: "under TLS 1.2 an alert after the handshake is sealed, and TLS 1.3 hides all but the first ones",
    source: "RFC 8446, 6; RFC 5246, 7.2; RFC 6066, 9",
    codes: ALERTS_CODES,
};

#[rustfmt::skip]
const ALERTS_CODES: &[Code] = &[
    code(0, "close_notify", "orderly close; after NLA failure it follows alert 80", &["PRX-PROBE", "SES-ADMIN"]),
    code(10, "unexpected_message", "a handshake message came out of turn", &[]),
    code(20, "bad_record_mac", "a record failed its integrity check: bytes were changed on the way, or a relay is broken", &["SES-CRYPT"]),
    code(21, "decryption_failed", "a record could not be decrypted", &[]),
    code(22, "record_overflow", "a record is longer than allowed", &[]),
    code(30, "decompression_failure", "decompression failed", &[]),
    code(40, "handshake_failure", "no common cipher/curve/sig-alg", &["TLS-CIPHER", "TLS-VER", "TLS-NOKEY", "TLS-FIPS"]),
    code(41, "no_certificate", "the client has no certificate (SSL 3.0)", &[]),
    code(42, "bad_certificate", "client refuses certificate", &["TLS-WEAK", "TLS-UNTRUST"]),
    code(43, "unsupported_certificate", "the peer cannot use this kind of certificate", &["TLS-UNTRUST"]),
    code(44, "certificate_revoked", "the certificate is revoked", &["TLS-UNTRUST"]),
    code(45, "certificate_expired", "client says expired", &["TLS-EXPIRED"]),
    code(46, "certificate_unknown", "generic certificate refusal", &["TLS-UNTRUST", "TLS-NAME", "TLS-EXPIRED"]),
    code(47, "illegal_parameter", "a field holds a value that is not allowed", &[]),
    code(48, "unknown_ca", "client does not trust issuer", &["TLS-UNTRUST", "TLS-INSPECT"]),
    code(49, "access_denied", "server: NLA access denied", &["NLA-CRED", "NLA-RIGHT", "NLA-RESTR"]),
    code(50, "decode_error", "a message cannot be parsed", &[]),
    code(51, "decrypt_error", "a signature or Finished does not verify: bytes were changed on the way", &["SES-CRYPT"]),
    code(60, "export_restriction", "obsolete", &[]),
    code(70, "protocol_version", "version not allowed", &["TLS-VER"]),
    code(71, "insufficient_security", "cipher/key too weak", &["TLS-CIPHER", "TLS-WEAK"]),
    code(80, "internal_error", "server: NLA/SSPI failed (FreeRDP maps to PASSWORD_CERTAINLY_EXPIRED when nothing else known) or Schannel internal", &["NLA-CRED", "NLA-ACCT", "NLA-ORACLE", "TLS-NOKEY"]),
    code(86, "inappropriate_fallback", "downgrade retry refused", &["TLS-VER"]),
    code(90, "user_canceled", "the user cancelled: a certificate prompt was answered no", &["PRX-PROBE", "TLS-UNTRUST"]),
    code(100, "no_renegotiation", "renegotiation refused", &[]),
    code(109, "missing_extension", "an extension that is needed is missing", &[]),
    code(110, "unsupported_extension", "an extension was sent that was not asked for", &[]),
    code(111, "certificate_unobtainable", "the certificate could not be fetched", &[]),
    code(112, "unrecognized_name", "SNI not known (gateway/LB)", &["RDG-CERT", "TLS-NAME"]),
    code(113, "bad_certificate_status_response", "the OCSP response is not acceptable", &[]),
    code(114, "bad_certificate_hash_value", "certificate hash mismatch", &[]),
    code(115, "unknown_psk_identity", "the pre-shared key is unknown", &[]),
    code(116, "certificate_required", "the server wants a client certificate", &["X224-INCONS"]),
    code(117, "general_error", "any other error", &[]),
    code(120, "no_application_protocol", "no common application protocol (ALPN)", &[]),
    code(121, "ech_required", "Encrypted Client Hello was refused", &[]),
];
