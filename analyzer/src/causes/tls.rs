//! Causes in the TLS handshake and of certificates.

use super::Tool::{Events, Packets, Probe, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "TLS-NOKEY",
        layer: Layer::Tls,
        name: "the server cannot use its private key",
        visibility: Visibility::Rule,
        evidence: "the confirm selects TLS, a ClientHello is answered with FIN, RST or alert 80 within milliseconds, \
                   without a ServerHello, or (xrdp) with an MCS Disconnect Provider Ultimatum in clear; the probe's \
                   ClientHellos of every version end alike",
        sign: "no ServerHello; FIN, RST, alert 80 or an ultimatum in clear within ms of ANY ClientHello, openssl's too",
        looks_like: &["TLS-VER", "TLS-CIPHER", "PATH-RSTINJ", "X224-NOCERT", "PATH-PMTU", "PATH-WINZERO"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy, Events],
        check: "on the server: event log System, Schannel 36870 (0x8009030D) and \
                TerminalServices-RemoteConnectionManager 1057/1058; icacls \
                C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys; xrdp: can the service read key.pem, and does it \
                belong to cert.pem (openssl x509 -pubkey, openssl pkey -pubout)?",
        fix: "restore the rights on MachineKeys (SYSTEM full, NETWORK SERVICE read), delete the certificate under \
              certlm.msc, Remote Desktop, and restart SessionEnv and TermService; xrdp: adduser xrdp ssl-cert",
        cannot_tell: &["why the server gave up: its event log says it"],
        spec: "RFC 5246 7.4.2; [MS-RDPBCGR] 5.4.5.1",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-NOTTLS",
        layer: Layer::Tls,
        name: "one side speaks something else where TLS was agreed on",
        visibility: Visibility::Rule,
        evidence: "the first bytes behind the confirm, or behind the connection to a gateway, are no TLS record (14 to 18 \
                   03): HTTP/1.1, lines of text, RDP in clear",
        sign: "the ClientHello is answered with HTTP, text or RDP in clear, which can be read as it is",
        looks_like: &["TCP-NOTRDP", "TLS-NOKEY", "RDG-TRANSPORT"],
        confidence: Confidence::Certain,
        tools: &[Proxy, Packets],
        check: "openssl s_client -connect SERVER:443 for a gateway: is the port one of plain HTTP ('listen 443' without \
                'ssl', a rule that forwards 443 to 80)? behind a confirm: what stands between this place and the server \
                (a relay that ends TLS, a protocol filter), and which process owns the port?",
        fix: "let the port speak TLS, forward it to the service that does, or take the box that answers instead of the \
              server out of the way",
        cannot_tell: &["whether the server or a box in front of it answered"],
        spec: "RFC 8446 5.1; [MS-RDPBCGR] 5.4.5.1; [MS-TSGU] 2.1",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-BADCERT",
        layer: Layer::Tls,
        name: "the server's certificate cannot be read",
        visibility: Visibility::Rule,
        evidence: "the server's Certificate message (TLS 1.2 and before; with secrets also in TLS 1.3) has an empty list, a \
                   length that does not fit, or a first certificate that is no DER of X.509; then alert 42, 43, 47 or 50 of \
                   the client, or its FIN",
        sign: "the Certificate message is there and whole, and what stands in it is no certificate; every client fails alike",
        looks_like: &["TLS-UNTRUST", "TLS-WEAK", "TLS-HALF", "TLS-INSPECT"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy, Packets],
        check: "rdpscope probe SERVER: does every client get it? on the server: certlm.msc, Remote Desktop, Certificates: open \
                it, or certutil -dump FILE; xrdp and others: openssl x509 -in cert.pem -noout -text; is there a box on the way \
                that makes certificates?",
        fix: "give the listener another certificate, in the format that it takes (xrdp: PEM), or exempt RDP from TLS inspection",
        cannot_tell: &["whether the server, or a box on the way, made it"],
        spec: "RFC 5246 7.4.2; RFC 8446 4.4.2; RFC 5280 4.1",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-BADMSG",
        layer: Layer::Tls,
        name: "a message of the TLS handshake cannot be read",
        visibility: Visibility::Rule,
        evidence: "a handshake message longer than 1 MiB, of an unknown type, or with lengths that do not fit, or bytes that \
                   are no record behind others that are; then the other side's alert 10, 47 or 50, or its FIN or RST",
        sign: "alert 50 (decode_error), 47 or 10, or a FIN, right behind a hello whose lengths do not fit",
        looks_like: &["SES-CRYPT", "TLS-NOTTLS", "TLS-VER", "TLS-INSPECT", "PRX-PROBE"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "capture at client and server and compare the message byte by byte: the same at both, its sender made it (which \
                program, which version?); not the same, a box on the way did",
        fix: "update the program that sends it, or take the box that changes it out of the way",
        cannot_tell: &["whether its sender, or a box on the way, made it"],
        spec: "RFC 8446 4, 5.1, 6.2 (decode_error); RFC 5246 7.4",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-EXPIRED",
        layer: Layer::Tls,
        name: "the server's certificate has expired",
        visibility: Visibility::Rule,
        evidence: "the server's Certificate message (TLS 1.2 and before; TLS 1.3 by the probe) with notAfter in the \
                   past, then alert 45 or a FIN of the client",
        sign: "notAfter is past and the CLIENT leaves; expiry alone makes no server reset",
        looks_like: &["TLS-UNTRUST", "TLS-NAME", "PRX-PROBE"],
        confidence: Confidence::Certain,
        tools: &[Probe, Proxy],
        check: "on the server: certlm.msc, Remote Desktop, Certificates: date; event log, \
                TerminalServices-RemoteConnectionManager 1058 (renewal failed)",
        fix: "delete the expired certificate and restart SessionEnv (Remote Desktop Configuration), which makes a \
              new one; if it does not, the key store is unusable (TLS-NOKEY)",
        cannot_tell: &["why it was not renewed"],
        spec: "RFC 5280 4.1.2.5; RFC 5246 7.2.2",
        mstsc: &["0x904/0x7", "0x1B07"],
    },
    Cause {
        id: "TLS-NOTYET",
        layer: Layer::Tls,
        name: "the server's certificate is not valid yet: a clock is wrong",
        visibility: Visibility::Rule,
        evidence: "the Certificate message with notBefore in the future of the recording's clock, then an alert or a \
                   FIN of the client",
        sign: "notBefore is in the future",
        looks_like: &["TLS-EXPIRED", "TLS-UNTRUST"],
        confidence: Confidence::Certain,
        tools: &[Probe, Proxy],
        check: "compare the clocks of client and server: w32tm /query /status",
        fix: "set the clock; make the certificate anew if it was made with a wrong one",
        cannot_tell: &["whose clock is wrong"],
        spec: "RFC 5280 4.1.2.5",
        mstsc: &["0x1B07"],
    },
    Cause {
        id: "TLS-NAME",
        layer: Layer::Tls,
        name: "the server's certificate is for another name",
        visibility: Visibility::Rule,
        evidence: "the name asked (the relay's target, or SNI) is not among the certificate's names, and the client \
                   leaves",
        sign: "the name typed is not among the certificate's; by address it never is",
        looks_like: &["DNS-WRONG", "TLS-UNTRUST", "PRX-PROBE", "TLS-EXPIRED"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "compare the name you connect to with the certificate's names above",
        fix: "connect by a name that is in the certificate, or issue one for this name",
        cannot_tell: &["the name the user typed, where the client sends no SNI"],
        spec: "RFC 9525 6; RFC 5280 4.2.1.6",
        mstsc: &["0x907"],
    },
    Cause {
        id: "TLS-UNTRUST",
        layer: Layer::Tls,
        name: "the client does not trust the server's certificate",
        visibility: Visibility::Rule,
        evidence: "the client sends alert 48, or leaves at once or some seconds after the server's flight; the \
                   certificate is self-signed or of a private issuer",
        sign: "the client sends alert 48 or leaves after the server's flight, seconds later if a person decided",
        looks_like: &["TLS-EXPIRED", "TLS-NAME", "TLS-INSPECT", "PRX-PROBE"],
        confidence: Confidence::Certain,
        tools: &[Proxy, Probe],
        check: "on the client: is the issuer among the trusted roots? policy 'Configure server authentication' \
                (AuthenticationLevel)",
        fix: "give the server a certificate of a CA that the client trusts, or import the issuer",
        cannot_tell: &["whether a person or a policy refused it"],
        spec: "RFC 5280 6.1; RFC 5246 7.2.2",
        mstsc: &["0x907"],
    },
    Cause {
        id: "TLS-CRL",
        layer: Layer::Tls,
        name: "revocation lookups stall the client",
        visibility: Visibility::Rule,
        evidence: "the server's flight is complete and acknowledged, then 5 to 15 s in which the client says nothing \
                   and the server waits; after them the client goes on, or leaves",
        sign: "5 to 15 s of the CLIENT's silence after the server's flight; HTTP to CRL hosts",
        looks_like: &["PRX-PROBE", "TLS-UNTRUST", "PATH-LOSS"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Packets],
        check: "on the client: certutil -urlfetch -verify SERVER.cer (which address is not answered?); log \
                Microsoft-Windows-CAPI2/Operational, when enabled; rdpscope histogram: waited-client in tls",
        fix: "let the client reach the CRL, OCSP and ctldl.windowsupdate.com hosts named there, or give the server a \
              certificate without them; the proxy of the machine: netsh winhttp show proxy",
        cannot_tell: &["whether a program waited for a lookup or a person for a thought"],
        spec: "RFC 5280 4.2.1.13 (CRL), 4.2.2.1 (AIA); RFC 6960 (OCSP)",
        mstsc: &["0x3000002"],
    },
    Cause {
        id: "TLS-CHANGED",
        layer: Layer::Tls,
        name: "the certificate changed since last time",
        visibility: Visibility::Set,
        evidence: "the Certificate messages of connections to one name carry leaves of different fingerprints",
        sign: "different leaves from connection to connection: a farm, or inspection",
        looks_like: &["TLS-INSPECT", "DNS-WRONG", "TLS-UNTRUST"],
        confidence: Confidence::Possible,
        tools: &[Probe],
        check: "rdpscope probe SERVER several times: a turn of two or more fingerprints is a farm, one new one whose \
                issuer is a security product is inspection; on the server: certlm.msc, Remote Desktop, Certificates",
        fix: "one certificate, by the farm's name, on all nodes; after a renewal tell the users its fingerprint and \
              let them remove the stored one",
        cannot_tell: &["whether the new certificate is the owner's"],
        spec: "[MS-RDPBCGR] 5.4.5.1; RFC 5280 4.1",
        mstsc: &["0x907"],
    },
    Cause {
        id: "TLS-INSPECT",
        layer: Layer::Tls,
        name: "a TLS inspection box stands in the path",
        visibility: Visibility::Rule,
        evidence: "the issuer in the Certificate message is a firewall, antivirus or proxy product, or the leaf \
                   differs from the one that a probe beside the server sees; TLS stands, CredSSP ends at the second \
                   token",
        sign: "the certificate's issuer is a security product, or differs from the one that probe sees elsewhere; \
               TLS up, CredSSP dies",
        looks_like: &["NLA-BIND", "TLS-CHANGED", "TLS-UNTRUST"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "run rdpscope probe SERVER on the client and on a machine beside the server: do the fingerprints \
                differ? certlm.msc on the client: whose is that issuer?",
        fix: "exempt RDP (the server's address, or application ms-rdp) from TLS inspection: NLA cannot work through \
              it",
        cannot_tell: &["which device it is, beyond the issuer's name"],
        spec: "[MS-CSSP] 3.1.5 (binding to the public key); RFC 5246 7.4.2",
        mstsc: &["0x904", "0x0"],
    },
    Cause {
        id: "TLS-VER",
        layer: Layer::Tls,
        name: "client and server have no TLS version in common",
        visibility: Visibility::Rule,
        evidence: "alert 70 or 86, alert 80 in a record of an older version than the client offers, or FIN, RST or \
                   silence instead of a ServerHello, for some ClientHellos only: the versions that they offer are in \
                   clear",
        sign: "no ServerHello; alert 70 or RST for some clients only",
        looks_like: &["TLS-CIPHER", "TLS-FIPS", "TLS-NOKEY"],
        confidence: Confidence::Certain,
        tools: &[Probe, Proxy],
        check: "compare the versions offered above with \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols on the server; \
                event log System, Schannel 36871 and 36874",
        fix: "enable TLS 1.2 on both sides",
        cannot_tell: &["what the server would have accepted"],
        spec: "RFC 5246 7.2.2, E.1; RFC 8446 4.2.1",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-CIPHER",
        layer: Layer::Tls,
        name: "client and server have no cipher suite, group or signature algorithm in common",
        visibility: Visibility::Rule,
        evidence: "alert 40, 47 or 71, or FIN or RST instead of a ServerHello, for some ClientHellos only: their \
                   suites, groups and signature algorithms are in clear",
        sign: "no ServerHello; alert 40 or 71, or RST, for some clients only",
        looks_like: &["TLS-VER", "TLS-FIPS", "TLS-NOKEY"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "on the server: Get-TlsCipherSuite, policy 'SSL Cipher Suite Order', event log System, Schannel 36874",
        fix: "reset the cipher policy; old hosts: /tls-seclevel:0 on FreeRDP, to test only",
        cannot_tell: &["what the server would have accepted"],
        spec: "RFC 5246 7.4.1.2, 7.2.2; RFC 8446 4.2",
        mstsc: &["0x904/0x7"],
    },
    Cause {
        id: "TLS-WEAK",
        layer: Layer::Tls,
        name: "the client refuses the weak key or signature of the server's certificate",
        visibility: Visibility::Rule,
        evidence: "a Certificate message with a SHA-1 or MD5 signature or an RSA key below 2048 bits, and alert 42, \
                   43 or 71, or a FIN, of the client at once",
        sign: "server's flight complete, the client leaves at once; SHA-1 or RSA below 2048",
        looks_like: &["TLS-UNTRUST", "TLS-EXPIRED"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "the key size and signature above; OpenSSL clients: security level",
        fix: "issue a certificate with RSA 2048 or better and SHA-256",
        cannot_tell: &["the client's limits"],
        spec: "RFC 5280 4.1.1.2; RFC 9155 (no SHA-1)",
        mstsc: &["0x904"],
    },
    Cause {
        id: "TLS-FIPS",
        layer: Layer::Tls,
        name: "only one side is held to FIPS",
        visibility: Visibility::Hidden {
            among: &["TLS-CIPHER", "TLS-VER"],
            settles: "on both sides: Get-ItemProperty \
                      HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\FipsAlgorithmPolicy (Enabled is 1 on one side \
                      only)",
        },
        evidence: "alert 40 or an end instead of a ServerHello, as without a common suite; with standard RDP \
                   security the server's settings say, in clear, encryption level 4 and method 0x10",
        sign: "alert 40, or encryption level 4 in the server's settings",
        looks_like: &["TLS-CIPHER", "TLS-VER"],
        confidence: Confidence::Possible,
        tools: &[Probe, Proxy],
        check: "on both sides: policy 'System cryptography: Use FIPS compliant algorithms'; MinEncryptionLevel under \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp (4 is FIPS)",
        fix: "the same FIPS policy on both sides; on a Linux client OpenSSL's FIPS provider, and Kerberos (NTLM is \
              not FIPS)",
        cannot_tell: &["that a policy, and not a list of suites, leaves nothing in common"],
        spec: "[MS-RDPBCGR] 2.2.1.4.3 (ENCRYPTION_LEVEL_FIPS), 5.3.1",
        mstsc: &["0xE06"],
    },
    Cause {
        id: "TLS-HALF",
        layer: Layer::Tls,
        name: "the server's handshake messages stop half-way: lost, or cut by a box on the way",
        visibility: Visibility::Rule,
        evidence: "a ServerHello and part of the server's messages, then silence, FIN or RST; larger other segments \
                   of the server arrive",
        sign: "ServerHello seen, the rest never; a larger other packet passes",
        looks_like: &["PATH-PMTU", "PATH-RSTINJ", "PATH-LOSS"],
        confidence: Confidence::Likely,
        tools: &[Proxy, Packets],
        check: "capture at the server: did it send the rest? Firewall and IPS log at this time; test for an MTU hole",
        fix: "exempt RDP from TLS inspection; clamp the MSS",
        cannot_tell: &["whether the server sent the rest"],
        spec: "RFC 5246 7.3",
        mstsc: &["0x904"],
    },
    Cause {
        id: "TLS-MLDSA",
        layer: Layer::Tls,
        name: "the certificate has an ML-DSA key or signature, which the client does not know",
        visibility: Visibility::Rule,
        evidence: "a certificate whose key or signature is id-ml-dsa-44, -65 or -87 (2.16.840.1.101.3.4.3.17, .18, .19), and a ClientHello whose signature_algorithms name none of mldsa44, 65, 87 (0x0904 to 0x0906); the client leaves at once",
        sign: "OIDs 2.16.840.1.101.3.4.3.17 to .19 in the certificate; clients of OpenSSL 3.5 and newer get in",
        looks_like: &["TLS-WEAK", "TLS-UNTRUST", "TLS-CIPHER"],
        confidence: Confidence::Likely,
        tools: &[Probe, Proxy],
        check: "on the server: which certificate does the listener have (wmic /namespace:\\\\root\\cimv2\\TerminalServices path Win32_TSGeneralSetting get SSLCertificateSHA1Hash)? certutil -store My: its algorithm",
        fix: "give the listener a certificate with RSA or ECDSA until every client knows ML-DSA",
        cannot_tell: &["what the client could use beyond what it offers"],
        spec: "RFC 9881 (ML-DSA in certificates); draft-ietf-tls-mldsa (signature schemes)",
        mstsc: &[],
    },
];
