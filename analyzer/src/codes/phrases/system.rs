//! What OpenSSL, MIT Kerberos and the system's own functions say, in whatever program's log.

use super::{Phrase, phrase};

const OPENSSL: &str = "OpenSSL: error texts";
const STRERROR: &str = "Linux: texts of strerror";
const KRB5: &str = "MIT krb5: src/lib/krb5/error_tables/krb5_err.et";

/// All of them.
#[rustfmt::skip]
pub(super) static PHRASES: &[Phrase] = &[
    phrase("alert unexpected message", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 10))),
    phrase("alert bad record mac", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 20))),
    phrase("alert handshake failure", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 40))),
    phrase("alert bad certificate", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 42))),
    phrase("alert unsupported certificate", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 43))),
    phrase("alert certificate revoked", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 44))),
    phrase("alert certificate expired", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 45))),
    phrase("alert certificate unknown", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 46))),
    phrase("alert illegal parameter", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 47))),
    phrase("alert unknown ca", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 48))),
    phrase("alert access denied", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 49))),
    phrase("alert decode error", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 50))),
    phrase("alert decrypt error", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 51))),
    phrase("alert protocol version", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 70))),
    phrase("alert insufficient security", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 71))),
    phrase("alert internal error", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 80))),
    phrase("alert user cancelled", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 90))),
    phrase("alert unrecognized name", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 112))),
    phrase("alert missing extension", "OpenSSL", "the other side sent this TLS alert", &[], OPENSSL, Some(("alert", 109))),
    phrase("wrong version number", "OpenSSL", "what came is no TLS record: another protocol answers, or an old goodbye in clear", &["TLS-NOTTLS", "TCP-NOTRDP", "TLS-VER"], OPENSSL, None),
    phrase("unsupported protocol", "OpenSSL", "the version that the other side offers is below what this side allows", &["TLS-VER"], OPENSSL, None),
    phrase("no shared cipher", "OpenSSL", "no common cipher suite", &["TLS-CIPHER"], OPENSSL, None),
    phrase("no protocols available", "OpenSSL", "no version is allowed on this side", &["TLS-VER"], OPENSSL, None),
    phrase("unexpected eof while reading", "OpenSSL", "the other side closed without a TLS goodbye: the connection was cut, no error of TLS", &["SES-KILLED", "PATH-RSTINJ", "NLA-CRED"], OPENSSL, None),
    phrase("dh key too small", "OpenSSL", "the server's Diffie-Hellman key is too small for this side", &["TLS-WEAK"], OPENSSL, None),
    phrase("ee key too small", "OpenSSL", "the certificate's key is too small for this side", &["TLS-WEAK"], OPENSSL, None),
    phrase("ca md too weak", "OpenSSL", "a certificate of the chain has a signature that this side does not allow", &["TLS-WEAK"], OPENSSL, None),
    phrase("certificate verify failed", "OpenSSL", "the certificate is not trusted", &["TLS-UNTRUST"], OPENSSL, None),
    phrase("certificate has expired", "OpenSSL", "the certificate has expired, or this clock is ahead", &["TLS-EXPIRED", "NLA-SKEW"], OPENSSL, None),
    phrase("legacy renegotiation disabled", "OpenSSL", "the server is too old for this OpenSSL", &["TLS-VER"], OPENSSL, None),
    phrase("connection refused", "the system", "", &[], STRERROR, Some(("errno", 111))),
    phrase("connection reset by peer", "the system", "", &[], STRERROR, Some(("errno", 104))),
    phrase("connection timed out", "the system", "", &[], STRERROR, Some(("errno", 110))),
    phrase("no route to host", "the system", "", &[], STRERROR, Some(("errno", 113))),
    phrase("network is unreachable", "the system", "", &[], STRERROR, Some(("errno", 101))),
    phrase("broken pipe", "the system", "", &[], STRERROR, Some(("errno", 32))),
    phrase("address already in use", "the system", "", &[], STRERROR, Some(("errno", 98))),
    phrase("software caused connection abort", "the system", "", &[], STRERROR, Some(("errno", 103))),
    phrase("name or service not known", "the system, getaddrinfo", "the name does not resolve", &["DNS-NX"], "glibc: texts of gai_strerror (EAI_NONAME)", None),
    phrase("temporary failure in name resolution", "the system, getaddrinfo", "the name servers do not answer", &["DNS-SLOW"], "glibc: texts of gai_strerror (EAI_AGAIN)", None),
    phrase("nodename nor servname provided, or not known", "macOS, getaddrinfo", "the name does not resolve", &["DNS-NX"], "macOS: texts of gai_strerror (EAI_NONAME)", None),
    phrase("client not found in kerberos database", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a06))),
    phrase("server not found in kerberos database", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a07))),
    phrase("kdc has no support for encryption type", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a0e))),
    phrase("clients credentials have been revoked", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a12))),
    phrase("password has expired", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a17))),
    phrase("preauthentication failed", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a18))),
    phrase("clock skew too great", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a25))),
    phrase("cannot find kdc for requested realm", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a9a))),
    phrase("cannot contact any kdc for requested realm", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a9c))),
    phrase("decrypt integrity check failed", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a1f))),
    phrase("ticket expired", "MIT Kerberos", "", &[], KRB5, Some(("krb5", 0x96c73a20))),
];
