//! What FreeRDP's clients print.

use super::{Phrase, phrase};

const TEXTS: &str = "FreeRDP 2.11.7: texts of the program";
const ERRCONNECT: &str = "FreeRDP: libfreerdp/core/errconnect.c";

/// All of them.
#[rustfmt::skip]
pub(super) static PHRASES: &[Phrase] = &[
    phrase("returned a system error 0: success", "FreeRDP, its log", "the other side closed the connection (FIN) where more was expected: the text is misleading", &["X224-NOCC", "NLA-CRED", "MCS-REJECT", "TCP-RST-AFTER"], TEXTS, None),
    phrase("returned a system error 104: connection reset by peer", "FreeRDP, its log", "the connection was reset (RST)", &["TLS-NOKEY", "TCP-RST-AFTER", "PATH-RSTINJ", "NLA-CRED"], TEXTS, Some(("errno", 104))),
    phrase("returned a system error 32: broken pipe", "FreeRDP, its log", "written to a connection that the other side had closed", &["SES-KILLED"], TEXTS, Some(("errno", 32))),
    phrase("error: protocol security negotiation or connection failure", "FreeRDP, its log", "no security protocol was agreed on, or the connection broke before: read the line above it", &["X224-HYBRID", "X224-SSLREQ", "X224-SSLNO", "X224-NOCC"], TEXTS, Some(("freerdp", 0x2000c))),
    phrase("error: expected x224_tpdu_connection_confirm", "FreeRDP, its log", "what answers the request is no X.224 confirm", &["TCP-NOTRDP", "X224-REFUSED"], TEXTS, None),
    phrase("failed to connect with", "FreeRDP, its log", "this security protocol did not work; the next is tried", &["X224-HYBRID", "X224-SSLNO"], TEXTS, None),
    phrase("certificate name mismatch", "FreeRDP, its log", "the certificate is not for the name that was typed", &["TLS-NAME"], TEXTS, None),
    phrase("the host key for", "FreeRDP, its log", "the certificate differs from the one that was stored: reinstalled server, other server, or interception", &["TLS-CHANGED", "TLS-INSPECT"], "FreeRDP: libfreerdp/crypto/tls.c", None),
    phrase("certificate verification failure", "FreeRDP, its log", "the certificate is not trusted", &["TLS-UNTRUST"], TEXTS, None),
    phrase("self-signed certificate", "FreeRDP, its log", "the certificate is its own issuer: a question to the user, as every Windows asks by default", &["TLS-UNTRUST"], "OpenSSL: X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", None),
    phrase("unable to get local issuer certificate", "FreeRDP, its log", "the chain ends at an issuer that is not trusted here", &["TLS-UNTRUST"], "OpenSSL: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", None),
    phrase("could not verify client's public key echo", "FreeRDP, its log", "the certificate on the two sides of CredSSP differs: TLS is ended in between", &["NLA-BIND", "TLS-INSPECT"], TEXTS, None),
    phrase("spnego received ntstatus", "FreeRDP, its log", "the server said in CredSSP why it refuses: the status behind it", &["NLA-CRED", "NLA-ACCT"], "FreeRDP: libfreerdp/core/nla.c", None),
    phrase("decryptmessage failure", "FreeRDP, its log", "what CredSSP carries cannot be decrypted", &["NLA-BIND", "NLA-CBT"], TEXTS, None),
    phrase("reading tsrequest", "FreeRDP, its log", "the server ended CredSSP where its answer should come", &["NLA-CRED", "NLA-ORACLE"], TEXTS, None),
    phrase("nla_recv_pdu() fail", "FreeRDP, its log", "CredSSP failed: read the line above it", &["NLA-CRED", "NLA-ORACLE"], TEXTS, None),
    phrase("nego_recv() fail", "FreeRDP, its log", "no X.224 confirm that can be read", &["TCP-NOTRDP", "X224-NOCC"], TEXTS, None),
    phrase("rdp_client_connect_mcs_channel_join_confirm() fail", "FreeRDP, its log", "a channel join was not confirmed", &["MCS-JOIN"], TEXTS, None),
    phrase("the dns host name was not found", "FreeRDP, its log", "the name does not resolve", &["DNS-NX"], ERRCONNECT, Some(("freerdp", 0x20005))),
    phrase("the connection transport layer failed", "FreeRDP, its log", "the connection was closed or reset under the client", &["TCP-RST-AFTER", "TLS-NOKEY", "NLA-CRED", "PATH-RSTINJ"], ERRCONNECT, Some(("freerdp", 0x2000d))),
    phrase("the connection failed at tls connect", "FreeRDP, its log", "the TLS handshake failed", &["TLS-NOKEY", "TLS-VER", "TLS-CIPHER"], ERRCONNECT, Some(("freerdp", 0x20008))),
    phrase("the connection failed at negotiating security settings", "FreeRDP, its log", "no security protocol that both sides accept", &["X224-HYBRID", "X224-SSLREQ", "X224-SSLNO"], ERRCONNECT, Some(("freerdp", 0x2000c))),
    phrase("an authentication failure aborted the connection", "FreeRDP, its log", "authentication failed", &["NLA-CRED", "NLA-ORACLE"], ERRCONNECT, Some(("freerdp", 0x20009))),
    phrase("the kdc is unreachable", "FreeRDP, its log", "no KDC reached from the client", &["NLA-KDC"], ERRCONNECT, Some(("freerdp", 0x20011))),
];
