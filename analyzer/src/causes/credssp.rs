//! Causes in CredSSP (NLA): sealed in TLS, told by sizes, turns and by who closes.

use super::Tool::{Events, Packets, Probe, Proxy};
use super::{Cause, Confidence, Layer, Visibility};

/// All of them.
pub(super) static CAUSES: &[Cause] = &[
    Cause {
        id: "NLA-UNASKED",
        layer: Layer::Credssp,
        name: "the client speaks CredSSP where the server selected TLS alone",
        visibility: Visibility::Plaintext { message: "TSRequest of the client as its first message behind TLS" },
        evidence: "the confirm selects SSL (1), and the first message of the client behind TLS is a TSRequest (30) where \
                   MCS Connect Initial (03 00) has to stand; the server closes",
        sign: "confirm selects 1; the client's first record is shorter than any Connect Initial",
        looks_like: &["MCS-REJECT", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Proxy],
        check: "client: is NLA forced whatever the server selects (a library's own setting, /sec:nla with an old \
                program)? does mstsc get in from the same machine?",
        fix: "let the client follow the confirm's selectedProtocol, or switch NLA on at the server",
        cannot_tell: &["what the client said first: it is sealed in TLS"],
        spec: "[MS-RDPBCGR] 2.2.1.2.1, 5.4.2.1",
        mstsc: &[],
    },
    Cause {
        id: "NLA-CRED",
        layer: Layer::Credssp,
        name: "the server ends CredSSP: wrong user or password, or another refusal of the account",
        visibility: Visibility::Rule,
        evidence: "TLS stands, one or two pairs of sealed records of the size of CredSSP's tokens, a short record or \
                   alert of the server, FIN; no MCS",
        sign: "TLS up, two pairs of tokens, short server record or alert, close; no MCS",
        looks_like: &["NLA-ACCT", "NLA-RESTR", "NLA-ORACLE", "NLA-NTLMOFF"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: Security log 4625 with its status and sub-status",
        fix: "use the right credentials (DOMAIN\\user or UPN); unlock or enable the account",
        cannot_tell: &["the reason: it is sealed in TLS, or was never sent"],
        spec: "[MS-CSSP] 2.2.1, 3.1.5; [MS-RDPBCGR] 5.4.5.2",
        mstsc: &["0x807", "0x904"],
    },
    Cause {
        id: "NLA-ACCT",
        layer: Layer::Credssp,
        name: "the account is disabled, locked, expired, or its password must change",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode of the server (CredSSP 3, 4 and 6; versions 2 and 5 send none)",
        },
        evidence: "the same sealed records as with a wrong password",
        sign: "looks like NLA-CRED; only event 4625's sub-status tells",
        looks_like: &["NLA-CRED", "NLA-RESTR"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: Security log 4625, status and sub-status: 0xC0000072 disabled, 0xC0000234 locked, \
                0xC0000193 expired, 0xC0000071 and 0xC0000224 password expired or to be changed, 0xC000006F hours, \
                0xC0000070 workstation; Get-ADUser NAME -Properties LockedOut, PasswordExpired, \
                AccountExpirationDate",
        fix: "unlock, enable or extend the account (Unlock-ADAccount NAME); let the user change the password \
              elsewhere: NLA cannot change an expired one",
        cannot_tell: &["the state of the account: it is sealed in TLS, or was never sent"],
        spec: "[MS-CSSP] 2.2.1 (errorCode); [MS-ERREF] 2.3",
        mstsc: &["0xB07", "0xD07", "0xE07", "0xF07", "0x1007", "0x1107", "0x1207"],
    },
    Cause {
        id: "NLA-RESTR",
        layer: Layer::Credssp,
        name: "account restriction: Protected Users, blank password, policy",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode of the server (CredSSP 3, 4 and 6; versions 2 and 5 send none): 0xC000006E",
        },
        evidence: "the same sealed records as with a wrong password; from the same client by name (Kerberos) it \
                   works",
        sign: "works by name (Kerberos), not by address or from Linux (NTLM)",
        looks_like: &["NLA-CRED", "NLA-ACCT", "NLA-NTLMOFF"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: Security log 4625, status and sub-status 0xC000006E; Get-ADGroupMember 'Protected \
                Users'; is the password empty? does it work by the full name of the host, from a Windows client of \
                the domain?",
        fix: "connect by name, so that Kerberos is used (domain controller within reach, clock right), or take the \
              account out of Protected Users knowingly",
        cannot_tell: &["the reason: it is sealed in TLS, or was never sent"],
        spec: "[MS-CSSP] 2.2.1; [MS-NLMP] 3.1.5",
        mstsc: &["0xC07"],
    },
    Cause {
        id: "NLA-RIGHT",
        layer: Layer::Credssp,
        name: "the right to log on remotely is missing",
        visibility: Visibility::Rule,
        evidence: "NLA with early user authorization (HYBRID_EX): after all pairs of tokens one record of the server \
                   with 4 bytes of content, then its close",
        sign: "all tokens exchanged, then one tiny server record and close",
        looks_like: &["NLA-CRED", "MCS-REJECT"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: net localgroup 'Remote Desktop Users'; secpol.msc, User Rights Assignment: 'Allow log \
                on through Remote Desktop Services' and the deny right; Security log 4625 with 0xC000015B",
        fix: "add the user to Remote Desktop Users, or take him out of the groups with the deny right; then gpupdate \
              /force",
        cannot_tell: &["the result itself: granted and denied are equally long"],
        spec: "[MS-RDPBCGR] 2.2.10.2 (Early User Authorization Result)",
        mstsc: &["0x1307", "0x3/0x9"],
    },
    Cause {
        id: "NLA-ORACLE",
        layer: Layer::Credssp,
        name: "the client ends CredSSP: patch levels differ (encryption oracle remediation), or delegation is \
               forbidden",
        visibility: Visibility::Rule,
        evidence: "TLS stands, one or two pairs of tokens, and the side with the stricter patch closes: the client \
                   after the server's answer, or the server after the client's second token",
        sign: "the strict side closes: a patched client, or a server that forces it",
        looks_like: &["NLA-BIND", "NLA-DELEG", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "client: HKLM\\...\\Policies\\System\\CredSSP\\Parameters AllowEncryptionOracle; the patch level of \
                both sides",
        fix: "update both sides",
        cannot_tell: &["what the client read: it is sealed in TLS"],
        spec: "[MS-CSSP] 2.2.1 (version), 3.1.5",
        mstsc: &["0x904", "0x1607"],
    },
    Cause {
        id: "NLA-BIND",
        layer: Layer::Credssp,
        name: "TLS is terminated between client and server",
        visibility: Visibility::Plaintext {
            message: "the TSRequests: the server's pubKeyAuth, and behind it no authInfo of the client; or errorCode 0x8009030F",
        },
        evidence: "TLS stands, two pairs of tokens, and the client closes; the certificate that it was shown is not \
                   the one that the server has",
        sign: "the client leaves after its second token; its certificate is not the server's",
        looks_like: &["NLA-ORACLE", "NLA-DELEG", "TLS-INSPECT"],
        confidence: Confidence::Possible,
        tools: &[Probe, Proxy],
        check: "run rdpscope probe SERVER on the client and on the server itself and compare the fingerprints with \
                certlm.msc, Remote Desktop, Certificates on the server",
        fix: "let NLA through untouched: no relay or inspection box may end TLS between client and server; a relay \
              that must needs credentials of its own",
        cannot_tell: &["what the client found: it is sealed in TLS"],
        spec: "[MS-CSSP] 2.2.1 (pubKeyAuth), 3.1.5",
        mstsc: &["0x0"],
    },
    Cause {
        id: "NLA-CBT",
        layer: Layer::Credssp,
        name: "channel binding is wrong or missing",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode 0xC000035B; before a gateway it stands in the HTTP inside of its TLS, which is not read",
        },
        evidence: "HTTP 401 again and again behind the gateway's TLS: the token for the channel binding was made for \
                   another TLS connection, or not at all",
        sign: "HTTP 401 again and again; NTLMv1, or TLS offload before the gateway",
        looks_like: &["RDG-401", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Packets, Events],
        check: "on the gateway: Security log 4625 with 0xC000035B; on the client: LmCompatibilityLevel under \
                HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa (below 3 sends NTLMv1); does a load balancer end TLS \
                in front of the gateway?",
        fix: "LmCompatibilityLevel 3 or more; pass TLS through to the gateway instead of offloading it; \
              EnforceChannelBinding=0 on the gateway only until that is done",
        cannot_tell: &["what the token is bound to: it is sealed in TLS"],
        spec: "RFC 5929 (tls-server-end-point); [MS-NLMP] 2.2.2.1 (MsvAvChannelBindings)",
        mstsc: &[],
    },
    Cause {
        id: "NLA-NTLMOFF",
        layer: Layer::Credssp,
        name: "NTLM is refused by policy",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode of the server (CredSSP 3, 4 and 6; versions 2 and 5 send none): 0xC0000418 \
                      or 0xC000006E",
        },
        evidence: "the client's token, a short answer, close: as with a wrong password; by address it fails, by name \
                   it works",
        sign: "by address it fails, by name it works",
        looks_like: &["NLA-CRED", "NLA-RESTR"],
        confidence: Confidence::Possible,
        tools: &[Events, Proxy],
        check: "on the server: log Microsoft-Windows-NTLM/Operational, 4001 to 4003; policy 'Network security: \
                Restrict NTLM: Incoming NTLM traffic'; on the client: klist get TERMSRV/NAME",
        fix: "make Kerberos possible (connect by name, register the SPN, let the domain controller be reached), or \
              add the server to the NTLM exceptions",
        cannot_tell: &["whether the token was NTLM or Kerberos: it is sealed in TLS"],
        spec: "[MS-CSSP] 2.2.1; [MS-NLMP] 3.1.5",
        mstsc: &["0xC07"],
    },
    Cause {
        id: "NLA-KDC",
        layer: Layer::Credssp,
        name: "CredSSP waits for the server, which waits for something else: a domain controller, MFA",
        visibility: Visibility::Rule,
        evidence: "the client's token is acknowledged at once, and the server's answer takes 5 to 60 s or never \
                   comes",
        sign: "5 to 60 s between the client's token and the server's; local accounts work",
        looks_like: &["TCP-PORTEXH", "PATH-WINZERO", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the server: nltest /sc_query:DOMAIN; event log Kerberos, Netlogon 5719",
        fix: "restore the way from the server to its domain controller",
        cannot_tell: &["what the server waited for"],
        spec: "[MS-CSSP] 3.1.5; [MS-NRPC] 3.5.4.5 (pass-through logon)",
        mstsc: &["0x904"],
    },
    Cause {
        id: "NLA-SKEW",
        layer: Layer::Credssp,
        name: "clocks differ by more than 5 minutes",
        visibility: Visibility::Plaintext {
            message: "MsvAvTimestamp of the NTLM challenge against the clock of the capture, KRB-ERROR 37, or errorCode 0xC0000133",
        },
        evidence: "KRB-ERROR 37 in clear on port 88 between client and domain controller, then NTLM or nothing",
        sign: "Kerberos error 37; by address (NTLM) it works",
        looks_like: &["NLA-SPN", "NLA-KDC", "TLS-NOTYET"],
        confidence: Confidence::Possible,
        tools: &[Packets, Events],
        check: "on client and server: w32tm /stripchart /computer:DC /samples:3 (more than 5 minutes?); w32tm /query \
                /source",
        fix: "w32tm /resync; correct the time source, on virtual machines the host's, too",
        cannot_tell: &["the server's clock: it stands in the NTLM challenge, sealed in TLS"],
        spec: "RFC 4120 7.5.9 (KRB_AP_ERR_SKEW)",
        mstsc: &["0x1D07", "0x1B07"],
    },
    Cause {
        id: "NLA-SPN",
        layer: Layer::Credssp,
        name: "the service name is missing or doubled",
        visibility: Visibility::Plaintext {
            message: "KRB-ERROR 7 or 41 in a token, or TSRequest.errorCode 0x80090322, 0x80090303 and 0xC00002C3",
        },
        evidence: "KRB-ERROR 7 or 41 in clear on port 88, then NTLM",
        sign: "Kerberos error 7 or 41, then NTLM; works by the host's real name",
        looks_like: &["NLA-SKEW", "NLA-NTLMOFF"],
        confidence: Confidence::Possible,
        tools: &[Packets, Events],
        check: "on the client: klist purge, klist get TERMSRV/NAME; in the domain: setspn -Q TERMSRV/NAME and setspn \
                -X (doubled ones); is NAME an alias or a farm?",
        fix: "connect by the host's own name, or setspn -S TERMSRV/NAME HOST; remove the doubled one",
        cannot_tell: &["which ticket the client has: it is sealed in TLS"],
        spec: "RFC 4120 7.5.9 (KDC_ERR_S_PRINCIPAL_UNKNOWN, KRB_AP_ERR_MODIFIED)",
        mstsc: &["0x1707"],
    },
    Cause {
        id: "NLA-DELEG",
        layer: Layer::Credssp,
        name: "policy forbids sending credentials",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode 0x8009035E or 0x8009035F; without one only that no authInfo follows the server's pubKeyAuth",
        },
        evidence: "TLS stands, the server's last token arrives, and the client closes without its last one \
                   (authInfo)",
        sign: "the CLIENT closes after the server proved itself",
        looks_like: &["NLA-ORACLE", "NLA-BIND"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the client: gpresult /h report.html, \
                HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\CredentialsDelegation (AllowFreshCredentials, \
                AllowFreshCredentialsWhenNTLMOnly); klist get TERMSRV/NAME",
        fix: "policy 'Allow delegating fresh credentials' with TERMSRV/NAME; where only NTLM is to be had, the \
              policy with NTLM-only server authentication",
        cannot_tell: &["the client's policy"],
        spec: "[MS-CSSP] 2.2.1.2 (TSCredentials), 3.1.5; Windows policy 'Credentials Delegation'",
        mstsc: &["0x1607", "0x1707", "0xF08"],
    },
    Cause {
        id: "NLA-SAVED",
        layer: Layer::Credssp,
        name: "saved credentials are refused",
        visibility: Visibility::Plaintext { message: "Set Error Info PDU: ERRINFO 0xA" },
        evidence: "an end like that of wrong credentials, or after Client Info; with the password typed it works",
        sign: "typed credentials work",
        looks_like: &["NLA-CRED", "INFO-CRED"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the client: cmdkey /list, is there TERMSRV/NAME? connect once with mstsc /prompt; on the server: \
                policy 'Always prompt for password upon connection'",
        fix: "cmdkey /delete:TERMSRV/NAME and type the password, or let the policy allow saved ones",
        cannot_tell: &["whether credentials were typed or stored"],
        spec: "[MS-RDPBCGR] 2.2.5.1.1 (ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED)",
        mstsc: &["0x2107", "0x3/0xA"],
    },
    Cause {
        id: "NLA-SMARTCARD",
        layer: Layer::Credssp,
        name: "smart card trouble",
        visibility: Visibility::Plaintext {
            message: "TSRequest.errorCode of the server: 0xC0000320, 0xC0000380, 0xC0000381; what the client finds is not sent",
        },
        evidence: "mostly nothing at all: the client fails before it sends a packet, or leaves after the \
                   certificate; codes of class 0x0a are local",
        sign: "codes of class 0x0a are local: no packet is sent",
        looks_like: &["SES-CONSOLE", "PRX-PROBE", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the client: certutil -scinfo (reader, PIN, certificate), Get-Service SCardSvr, CertPropSvc; is \
                the KDC's certificate trusted?",
        fix: "start the service, replace the reader or its driver; unblock the PIN; renew the certificate on the \
              card",
        cannot_tell: &["anything that happens between card and client"],
        spec: "[MS-CSSP] 2.2.1.2.2 (TSSmartCardCreds)",
        mstsc: &["0x10A", "0x20A", "0x30A", "0x40A", "0x1C07", "0x2207"],
    },
    Cause {
        id: "NLA-SID",
        layer: Layer::Credssp,
        name: "client and server are clones with the same machine SID",
        visibility: Visibility::Plaintext {
            message: "the version in the server's NTLM challenge, build 26100 or newer: a note, for the SIDs are never sent",
        },
        evidence: "the same records as with a wrong password, although it is right; since the updates of 2025-08-29 (KB5064081) and 2025-09-09 (KB5065426) on Windows 11 24H2, 25H2 and Server 2025",
        sign: "began with an update of August or September 2025; both machines come from one image without Sysprep; from a machine of another image it works",
        looks_like: &["NLA-CRED", "NLA-SPN", "NLA-ACCT"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the server: System log, LsaSrv 6167 (partial mismatch in the machine ID); compare the machine SIDs of client and server with PsGetSid",
        fix: "build one of the two anew from an image that Sysprep generalised: leaving the domain and Sysprep afterwards is not enough; Microsoft's support has a policy that rolls the check back until the end of 2027",
        cannot_tell: &["the SIDs: neither is sent in clear"],
        spec: "Microsoft KB5068222; techcommunity.microsoft.com: hardening administrative actions (MC1275343)",
        mstsc: &[],
    },
    Cause {
        id: "NLA-RC4",
        layer: Layer::Credssp,
        name: "the domain controller refuses RC4, and the account or the client has no other Kerberos key",
        visibility: Visibility::Plaintext {
            message: "KRB-ERROR 14 (KDC_ERR_ETYPE_NOSUPP) in clear on port 88, or in a token",
        },
        evidence: "KRB-ERROR 14 to a ticket request for TERMSRV/NAME or for the logon; since the updates of 2026-04-14 domain controllers give RC4 only to accounts that ask for it, since those of 2026-07 there is no way back",
        sign: "Kerberos error 14; began with an update of a domain controller in 2026; old keytabs, old service accounts, Linux and appliances first",
        looks_like: &["NLA-KDC", "NLA-SPN", "NLA-CRED"],
        confidence: Confidence::Possible,
        tools: &[Packets, Events],
        check: "on the domain controllers: System log, KDCSVC 201 to 209; Security log 4768 and 4769, encryption type 0x17 (RC4); Get-ADUser or Get-ADComputer NAME -Properties msDS-SupportedEncryptionTypes, PasswordLastSet",
        fix: "reset the account's password, which makes AES keys; new keytabs with AES; where a device knows RC4 alone, msDS-SupportedEncryptionTypes of its account, knowingly",
        cannot_tell: &["which keys the account has"],
        spec: "Microsoft KB5073381 (CVE-2026-20833); RFC 4120 7.5.9 (KDC_ERR_ETYPE_NOSUPP); RFC 8429 (RC4 deprecated)",
        mstsc: &[],
    },
    Cause {
        id: "NLA-IAKERB",
        layer: Layer::Credssp,
        name: "the client offers IAKerb in place of NTLM, and the server takes none of what it offers",
        visibility: Visibility::Plaintext {
            message: "SPNEGO's mechTypes of the client: 1.3.6.1.5.2.5 (IAKerb) without NTLM, and the server's negState reject",
        },
        evidence: "NegTokenInit of the client names 1.3.6.1.5.2.5 and not 1.3.6.1.4.1.311.2.2.10 (NTLM): NTLM is turned off there, and Kerberos is to go through the server; the server rejects",
        sign: "IAKerb offered and no NTLM, then negState reject; from a client that still has NTLM it works",
        looks_like: &["NLA-NTLMOFF", "NLA-SPN", "NLA-KDC"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Events],
        check: "on the client: policy 'Network security: Restrict NTLM: Outgoing NTLM traffic to remote servers', log Microsoft-Windows-NTLM/Operational; on the server: does its Windows know IAKerb at all?",
        fix: "make Kerberos possible without it (connect by name, a domain controller within reach of the client), update the server, or let NTLM out to this server until then",
        cannot_tell: &["what the server could do: its refusal names no reason"],
        spec: "draft-ietf-kitten-iakerb (mechanism 1.3.6.1.5.2.5); RFC 4178 4.2.2 (reject); [MS-NLMP] 3.1.1",
        mstsc: &[],
    },
    Cause {
        id: "NLA-BADMSG",
        layer: Layer::Credssp,
        name: "a message of CredSSP cannot be read",
        visibility: Visibility::Plaintext {
            message: "what stands in the place of a TSRequest: no SEQUENCE, or one without a version",
        },
        evidence: "behind TLS, where NLA was selected, one side says what is no TSRequest, and the session ends there",
        sign: "bytes that begin neither with 30 nor with 03, or a TSRequest without its version",
        looks_like: &["NLA-UNASKED", "TLS-INSPECT", "NLA-ORACLE"],
        confidence: Confidence::Possible,
        tools: &[Proxy, Packets],
        check: "which program and version is the side that is named? does another client, or another server, get further?",
        fix: "update that side; turn the box off that changes what is in TLS, if there is one",
        cannot_tell: &["what was meant"],
        spec: "[MS-CSSP] 2.2.1; X.690 8.1",
        mstsc: &["0x904"],
    },
    Cause {
        id: "NLA-UPDATE",
        layer: Layer::Credssp,
        name: "a faulty update of January 2026 breaks the prompt for credentials",
        visibility: Visibility::Plaintext {
            message: "the version in the client's NTLM NEGOTIATE, build 19045, 26100 or 26200: a note, for the update is not in it",
        },
        evidence: "the session ends in CredSSP or before it, although the credentials are right; with Remote Desktop applications of Windows, the Windows App first, since the updates of 2026-01-13",
        sign: "began on 2026-01-13 with a client's update; the web client, or another client machine, works",
        looks_like: &["NLA-CRED", "NLA-SAVED", "PRX-PROBE"],
        confidence: Confidence::Possible,
        tools: &[Events],
        check: "on the client: winver and Get-HotFix; does the web client of the same service work?",
        fix: "install the out-of-band update of 2026-01-17 (Windows 11 24H2 and 25H2 KB5077744, Windows 10 KB5077796, Server 2025 KB5077793), or any later cumulative update",
        cannot_tell: &["which updates the client has: its version on the wire has no revision"],
        spec: "Microsoft KB5077744, KB5077796, KB5077793 (release notes)",
        mstsc: &[],
    },
];
