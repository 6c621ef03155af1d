//! What xrdp's logs and its login window say.

use super::{Phrase, phrase};

const LIBXRDP: &str = "xrdp 0.9.21: texts of the program, libxrdp";
const LIBCOMMON: &str = "xrdp 0.9.21: texts of the program, libcommon";
const XRDP: &str = "xrdp 0.9.21: texts of the program, xrdp";
const SESMAN: &str = "xrdp 0.9.21: texts of the program, xrdp-sesman";

/// All of them.
#[rustfmt::skip]
pub(super) static PHRASES: &[Phrase] = &[
    phrase("server requires tls for security, but the client did not request tls", "xrdp, its log", "the client asked for standard RDP security alone and xrdp insists on TLS", &["X224-SSLREQ"], LIBXRDP, None),
    phrase("no ssl/tls protocols enabled", "xrdp, its log", "ssl_protocols in xrdp.ini names none: no client gets TLS", &["TLS-VER", "TLS-NOKEY"], LIBXRDP, None),
    phrase("unable to negotiate a tls connection with the client", "xrdp, its log", "the TLS handshake failed", &["TLS-VER", "TLS-CIPHER", "TLS-UNTRUST"], LIBXRDP, None),
    phrase("cannot read private key file", "xrdp, its log", "xrdp may not read its private key: the group ssl-cert, or the path", &["TLS-NOKEY", "X224-NOCERT"], LIBXRDP, None),
    phrase("cannot read certificate file", "xrdp, its log", "xrdp may not read its certificate", &["TLS-NOKEY", "X224-NOCERT"], LIBXRDP, None),
    phrase("cannot accept tls connections because certificate or private key file is not readable", "xrdp, its log", "xrdp may not read certificate or key: it answers with a negotiation failure", &["X224-NOCERT", "TLS-NOKEY"], LIBXRDP, None),
    phrase("error loading tls private key from", "xrdp, its log", "the key cannot be used: malformed, or not that of the certificate", &["TLS-NOKEY"], LIBCOMMON, None),
    phrase("error loading tls certificate chain from", "xrdp, its log", "the certificate cannot be used", &["TLS-NOKEY"], LIBCOMMON, None),
    phrase("invalid tls cipher options", "xrdp, its log", "tls_ciphers in xrdp.ini has no suite that OpenSSL knows", &["TLS-CIPHER"], LIBCOMMON, None),
    phrase("failure in ssl library (protocol error?)", "xrdp, its log", "OpenSSL broke the handshake or the session off; the line below it, \"SSL: error:…\", says why", &["TLS-VER", "TLS-CIPHER", "SES-CRYPT"], LIBCOMMON, None),
    phrase("server closed tls connection", "xrdp, its log", "the other side closed TLS", &["SES-KILLED"], LIBCOMMON, None),
    phrase("libxrdp_force_read: header read error", "xrdp, its log", "the connection ended where a message should begin: the client left, or a scan", &["PRX-PROBE", "TCP-NOTRDP"], LIBXRDP, None),
    phrase("libxrdp_force_read: data read error", "xrdp, its log", "the connection ended within a message", &["PATH-DEAD"], LIBXRDP, None),
    phrase("[itu-t x.224] connection sequence: cr-tpdu (connection request) failed", "xrdp, its log", "no X.224 request could be read: a scan, a health check, a PROXY header, or a client that left", &["PRX-PROBE", "PRX-HEADER", "X224-BADREQ"], LIBXRDP, None),
    phrase("[mcs connection sequence] connect initial pdu with gcc conference create request failed", "xrdp, its log", "MCS Connect Initial could not be read: the client left there, or sends what xrdp does not know", &["MCS-REJECT"], LIBXRDP, None),
    phrase("processing [itu-t t.125] connect-initial failed", "xrdp, its log", "MCS Connect Initial could not be read", &["MCS-REJECT"], LIBXRDP, None),
    phrase("[itu-t t.125] channel join sequence: failed", "xrdp, its log", "the client left while channels were joined", &["MCS-JOIN"], LIBXRDP, None),
    phrase("mac checksum error", "xrdp, its log", "a message of standard RDP security has a wrong MAC: xrdp does not take salted MACs of some clients", &["SEC-MAC"], LIBXRDP, None),
    phrase("non-tls connection established from", "xrdp, its log", "standard RDP security: no TLS", &["X224-SSLNO"], LIBXRDP, None),
    phrase("tls connection established from", "xrdp, its log", "the TLS handshake is done: no error", &[], LIBXRDP, None),
    phrase("error connecting to user session", "xrdp, its log", "the X server of the session did not start, or does not listen", &["SES-DRV", "BRK-CODES"], XRDP, None),
    phrase("error connecting to pam", "xrdp, its log", "sesman could not use PAM", &["INFO-CRED"], XRDP, None),
    phrase("authentication error - verify that user/password is valid", "xrdp, its log", "user or password are wrong, or the account may not log on", &["INFO-CRED", "NLA-CRED"], XRDP, None),
    phrase("require_credentials is set, but the user could not be logged in", "xrdp, its log", "the client sent no credentials that work, and xrdp.ini insists on them", &["INFO-CRED"], XRDP, None),
    phrase("failed to start xrdp daemon, possibly address already in use", "xrdp, its log", "another program has the port", &["TCP-NOTRDP"], XRDP, None),
    phrase("authfail: user=", "xrdp-sesman, its log", "user or password are wrong", &["INFO-CRED", "NLA-CRED"], "xrdp 0.9.21: sesman, a line made for fail2ban", None),
    phrase("pam_authenticate failed", "xrdp-sesman, its log", "PAM refused the user; the text behind it says why", &["INFO-CRED", "NLA-ACCT"], "xrdp: sesman/verify_user_pam.c", None),
    phrase("login failed for display", "xrdp, its login window", "no session was started: wrong password, or the X server did not come up; xrdp-sesman.log says which", &["INFO-CRED", "SES-DRV"], "github.com/neutrinolabs/xrdp, wiki: troubleshooting login failures", None),
    phrase("login failed for user", "xrdp, its login window", "the user could not be logged on; xrdp-sesman.log says why", &["INFO-CRED"], "xrdp 0.9.21: texts of the program", None),
    phrase("xrdp_mcs_recv failed", "xrdp, its log", "what it waited for from the client did not come, or could not be read: the line above says what", &[], LIBXRDP, None),
    phrase("xrdp_sec_recv failed", "xrdp, its log", "what it waited for from the client did not come, or could not be read: the line above says what", &[], LIBXRDP, None),
    phrase("libxrdp_force_read: can't read pdu", "xrdp, its log", "the connection ended where a message should begin: the client left, or a scan", &["PRX-PROBE", "TCP-NOTRDP"], LIBXRDP, None),
    phrase("xrdp_iso_send: trans_write_copy_s failed", "xrdp, its log", "written to a client that is gone", &["PATH-DEAD", "PATH-RSTINJ"], LIBXRDP, None),
    phrase("xrdp_mcs_incoming failed", "xrdp, its log", "the client left in, or broke, the MCS sequence", &["MCS-REJECT"], LIBXRDP, None),
    phrase("trans_set_tls_mode failed", "xrdp, its log", "the TLS handshake failed: the line above says why", &["TLS-VER", "TLS-CIPHER", "TLS-UNTRUST"], LIBXRDP, None),
    phrase("ssl_tls_accept failed", "xrdp, its log", "the TLS handshake failed: the line above says why", &["TLS-VER", "TLS-CIPHER", "TLS-UNTRUST"], LIBCOMMON, None),
    phrase("using default x.509 certificate", "xrdp, its log", "xrdp.ini names no certificate: the one of the package is shown; no error", &[], LIBXRDP, None),
    phrase("using default x.509 key file", "xrdp, its log", "xrdp.ini names no key: the one of the package is used; no error", &[], LIBXRDP, None),
    phrase("server is configured to require that the client enable auto logon with credentials", "xrdp, its log", "the client sent no user or password, and xrdp.ini insists on them", &["INFO-CRED"], LIBXRDP, None),
    phrase("connection problem, giving up", "xrdp, its login window", "the X server of the session was not reached: it did not start, or belongs to another user", &["SES-DRV"], "xrdp 0.9.21: texts of the program, libxup", None),
    phrase("vnc error - problem connecting", "xrdp, its login window", "the VNC server of the session was not reached: it did not start", &["SES-DRV"], "xrdp 0.9.21: texts of the program, libvnc", None),
    phrase("vnc password failed", "xrdp, its login window", "the VNC server of the session refused the password", &["INFO-CRED"], "xrdp 0.9.21: texts of the program, libvnc", None),
    phrase("scp_process_msg failed", "xrdp-sesman, its log", "xrdp closed its connection to sesman: mostly the end of every session, no error by itself", &[], SESMAN, None),
    phrase("exited quickly", "xrdp-sesman, its log", "the desktop ended as soon as it began: ~/.xsession or startwm.sh, or a session of the same user that is open elsewhere", &["SES-DRV"], SESMAN, None),
    phrase("pam_start failed", "xrdp-sesman, its log", "PAM has no working service xrdp-sesman", &["INFO-CRED"], SESMAN, None),
    phrase("can't start pam session", "xrdp-sesman, its log", "PAM refused to open a session; its own log says why", &["NLA-RIGHT", "INFO-CRED"], SESMAN, None),
    phrase("pam_acct_mgmt failed", "xrdp-sesman, its log", "the password is right and the account may not log on: expired, locked, or not allowed here", &["NLA-ACCT", "NLA-RIGHT"], SESMAN, None),
    phrase("max concurrent session limit exceeded", "xrdp-sesman, its log", "MaxSessions of sesman.ini is reached", &["SES-DENIED"], SESMAN, None),
    phrase("error starting x server on display", "xrdp-sesman, its log", "the X server of the session did not start", &["SES-DRV"], SESMAN, None),
    phrase("startup timeout", "xrdp-sesman, its log", "the X server did not come up within 10 s", &["SES-DRV"], "xrdp: sesman/session.c", None),
    phrase("username or password error for user", "xrdp-sesman, its log", "user or password are wrong", &["INFO-CRED", "NLA-CRED"], SESMAN, None),
    phrase("terminal server users group is disabled", "xrdp-sesman, its log", "everybody whom PAM lets in may log on; no error", &[], SESMAN, None),
];
