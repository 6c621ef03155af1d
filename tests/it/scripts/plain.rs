//! Stories of what stands behind TLS, where secrets open it: what the two sides say there, and silence, RST and FIN in each
//! phase.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "the proxy is stopped while the server checks the password",
        fires: &[],
        almost: &["CredSSP ended, seen", "errorCode of CredSSP"],
        script: "
            21ms tls 1.2 HYBRID 20ms
            200ms inside 10ms until=authenticate
            4s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            credssp on back: 3.9 s, open
            end on front: by proxy, reset, in credssp, after 3.8 s
            warning NLA-KDC, server, possible, in credssp on back, or PATH-WINZERO
            in credssp, behind the client's NTLM AUTHENTICATE, the server, whose turn it is, says nothing for 3.8 s
        ",
    },
    Story {
        name: "the proxy is stopped while the client's next message is due",
        fires: &[],
        almost: &["CredSSP ended, seen", "settings ended, seen"],
        script: "
            21ms tls 1.2 HYBRID 20ms
            200ms inside 10ms until=public-key
            9s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            credssp on back: 8.9 s, open
            end on front: by proxy, reset, in credssp, after 8.8 s
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped while Client Info is not answered",
        fires: &[],
        almost: &["settings ended, seen", "licensing ended, seen"],
        script: "
            21ms tls 1.2 SSL 20ms
            200ms inside 10ms until=info
            4s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            basic-settings on back: 89 ms, done
            end on front: by proxy, reset, in secure-settings, after 3.7 s
            warning SES-BUSY, server, possible, in secure-settings on back, or LIC-TIMEOUT BRK-CODES INFO-CRED PATH-WINZERO
            in secure-settings, behind the client's Client Info, the server, whose turn it is, says nothing for 3.7 s
        ",
    },
    Story {
        name: "a session that secrets open, in TLS 1.2",
        fires: &[],
        almost: &[
            "errorCode of CredSSP",
            "error of Kerberos",
            "early user authorization denied",
            "RDSTLS refused",
            "SPNEGO rejects",
            "a strict side and an old CredSSP",
            "client left after the server's pubKeyAuth",
            "MCS refused",
        ],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a session that secrets open, in TLS 1.3",
        fires: &[],
        almost: &[
            "a channel refused",
            "licence refused",
            "Set Error Info",
            "CredSSP ended, seen",
            "settings ended, seen",
            "licensing ended, seen",
            "capabilities ended, seen",
        ],
        script: "
            21ms tls 1.3 SSL+HYBRID+HYBRID_EX 10ms
            100ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a session that secrets open, without NLA",
        fires: &[],
        almost: &["channels joined slowly", "clocks differ", "sent elsewhere"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "errorCode: a wrong password",
        fires: &["errorCode of CredSSP"],
        almost: &["CredSSP ended, seen", "early user authorization denied"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000006D v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-CRED, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC000006D STATUS_LOGON_FAILURE
        ",
    },
    Story {
        name: "errorCode: a wrong password, told by CredSSP 3",
        fires: &["errorCode of CredSSP"],
        almost: &["SPNEGO rejects"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000006D v=3
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-CRED, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC000006D STATUS_LOGON_FAILURE
        ",
    },
    Story {
        name: "errorCode: the account is locked",
        fires: &["errorCode of CredSSP"],
        almost: &["CredSSP ended, seen"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC0000234 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-ACCT, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC0000234 STATUS_ACCOUNT_LOCKED_OUT
        ",
    },
    Story {
        name: "errorCode: the password has expired",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC0000071 v=4
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-ACCT, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC0000071 STATUS_PASSWORD_EXPIRED
        ",
    },
    Story {
        name: "errorCode: an account restriction",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000006E v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-RESTR, server, likely, in credssp on back, or NLA-NTLMOFF
            the server ends CredSSP with errorCode 0xC000006E STATUS_ACCOUNT_RESTRICTION
        ",
    },
    Story {
        name: "errorCode: NTLM is blocked",
        fires: &["errorCode of CredSSP"],
        almost: &["SPNEGO rejects"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC0000418 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-NTLMOFF, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC0000418 STATUS_NTLM_BLOCKED
        ",
    },
    Story {
        name: "errorCode: NTLM is not supported, in answer to the first token",
        fires: &["errorCode of CredSSP"],
        almost: &["a strict side and an old CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            140ms << @error-code 0x80090302 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-NTLMOFF, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0x80090302 SEC_E_UNSUPPORTED_FUNCTION
        ",
    },
    Story {
        name: "errorCode: no domain controller",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000005E v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-KDC, server, likely, in credssp on back, or TCP-PORTEXH
            the server ends CredSSP with errorCode 0xC000005E STATUS_NO_LOGON_SERVERS
        ",
    },
    Story {
        name: "errorCode: the clock of the domain controller differs",
        fires: &["errorCode of CredSSP"],
        almost: &["clocks differ"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC0000133 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-SKEW, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC0000133 STATUS_TIME_DIFFERENCE_AT_DC
        ",
    },
    Story {
        name: "errorCode: the right to log on is missing",
        fires: &["errorCode of CredSSP"],
        almost: &["early user authorization denied"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000015B v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-RIGHT, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC000015B STATUS_LOGON_TYPE_NOT_GRANTED
        ",
    },
    Story {
        name: "errorCode: the channel binding is wrong",
        fires: &["errorCode of CredSSP"],
        almost: &["client left after the server's pubKeyAuth"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000035B v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-CBT, server, likely, in credssp on back, or TLS-INSPECT
            the server ends CredSSP with errorCode 0xC000035B STATUS_BAD_BINDINGS
        ",
    },
    Story {
        name: "errorCode: the smart card's PIN is wrong",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC0000380 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-SMARTCARD, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC0000380 STATUS_SMARTCARD_WRONG_PIN
        ",
    },
    Story {
        name: "errorCode: the principal is wrong",
        fires: &["errorCode of CredSSP"],
        almost: &["error of Kerberos"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0x80090322 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-SPN, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0x80090322 SEC_E_WRONG_PRINCIPAL
        ",
    },
    Story {
        name: "errorCode: delegation is forbidden",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0x8009035E v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-DELEG, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0x8009035E SEC_E_DELEGATION_POLICY
        ",
    },
    Story {
        name: "errorCode: the certificate was changed on the way",
        fires: &["errorCode of CredSSP"],
        almost: &["client left after the server's pubKeyAuth"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0x8009030F v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-BIND, server, likely, in credssp on back, or TLS-INSPECT
            the server ends CredSSP with errorCode 0x8009030F SEC_E_MESSAGE_ALTERED
        ",
    },
    Story {
        name: "errorCode: the server is out of resources",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0xC000009A v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding SES-BUSY, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC000009A STATUS_INSUFFICIENT_RESOURCES
        ",
    },
    Story {
        name: "errorCode: a number that nobody knows",
        fires: &["errorCode of CredSSP"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @error-code 0x12345678 v=6
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-CRED, server, possible, in credssp on back
            the server ends CredSSP with errorCode 0x12345678
        ",
    },
    Story {
        name: "a KRB-ERROR in CredSSP: the clock",
        fires: &["error of Kerberos"],
        almost: &["clocks differ", "errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms << @krb-error 37
            130ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 9.9 ms
            finding NLA-SKEW, server, likely, in credssp on back
            Kerberos fails inside CredSSP: KRB-ERROR 37 KRB_AP_ERR_SKEW
        ",
    },
    Story {
        name: "a KRB-ERROR in CredSSP: the service has no name",
        fires: &["error of Kerberos"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms << @krb-error 7
            130ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 9.9 ms
            finding NLA-SPN, server, likely, in credssp on back
            Kerberos fails inside CredSSP: KRB-ERROR 7 KDC_ERR_S_PRINCIPAL_UNKNOWN
        ",
    },
    Story {
        name: "a KRB-ERROR in CredSSP: no common encryption type",
        fires: &["error of Kerberos"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms << @krb-error 14
            130ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 9.9 ms
            finding NLA-RC4, server, likely, in credssp on back, or NLA-KDC
            Kerberos fails inside CredSSP: KRB-ERROR 14 KDC_ERR_ETYPE_NOSUPP
        ",
    },
    Story {
        name: "a KRB-ERROR, and NTLM gets in",
        fires: &[],
        almost: &["error of Kerberos"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms << @krb-error 7
            130ms inside 10ms from=negotiate
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
        ",
    },
    Story {
        name: "the user may not log on",
        fires: &["early user authorization denied"],
        almost: &["CredSSP ended, seen"],
        script: "
            21ms tls 1.3 SSL+HYBRID+HYBRID_EX 10ms
            100ms inside 10ms until=credentials
            160ms << @authorization 5
            161ms << close
            161ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-RIGHT, server, certain, in credssp on back
            the credentials are right, and the server denies this user the logon: 0x00000005 AUTHZ_ACCESS_DENIED
        ",
    },
    Story {
        name: "RDSTLS: the password of the redirection is wrong",
        fires: &["RDSTLS refused"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.3 SSL+RDSTLS 10ms
            100ms << 0100010001000000
            110ms >> 010002000100 0000 0000 0000 0000
            120ms << @rdstls-result 0x52e
            130ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in basic-settings, after 9.9 ms
            finding NLA-CRED, server, likely, in basic-settings on back
            the server refuses the credentials of RDSTLS: 0x52e ERROR_LOGON_FAILURE
        ",
    },
    Story {
        name: "RDSTLS: the credentials are taken",
        fires: &[],
        almost: &["RDSTLS refused"],
        script: "
            21ms tls 1.3 SSL+RDSTLS 10ms
            100ms << 0100010001000000
            110ms >> 010002000100 0000 0000 0000 0000
            120ms << @rdstls-result 0
            130ms inside 10ms
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
        ",
    },
    Story {
        name: "RDSAAD: the assertion is refused",
        fires: &["RDSAAD refused"],
        almost: &["RDSTLS refused"],
        script: "
            21ms tls 1.3 SSL+RDSAAD 10ms
            100ms << @entra ts_nonce
            110ms >> @entra rdp_assertion
            120ms << @entra-result 0xc000006d
            130ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 9.9 ms
            finding NLA-CRED, server, possible, in basic-settings on back
            the server refuses the client's assertion of Entra ID (RDSAAD): 0xC000006D STATUS_LOGON_FAILURE
        ",
    },
    Story {
        name: "RDSAAD: the assertion is taken",
        fires: &[],
        almost: &["RDSAAD refused"],
        script: "
            21ms tls 1.3 SSL+RDSAAD 10ms
            100ms << @entra ts_nonce
            110ms >> @entra rdp_assertion
            120ms << @entra-result 0
            130ms inside 10ms
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
        ",
    },
    Story {
        name: "SPNEGO rejects NTLM",
        fires: &["SPNEGO rejects"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms << @tsrequest reject
            130ms << close
            130ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-NTLMOFF, server, likely, in credssp on back, or NLA-RESTR
            the server rejects the authentication, without an errorCode
        ",
    },
    Story {
        name: "a client without NTLM offers IAKerb, and the server rejects it",
        fires: &["IAKerb rejected"],
        almost: &["errorCode of CredSSP", "SPNEGO rejects"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest iakerb
            120ms << @tsrequest reject
            130ms << close
            130ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-IAKERB, server, likely, in credssp on back, or NLA-SPN NLA-KDC
            the client offers IAKerb and no NTLM, and the server rejects it
        ",
    },
    Story {
        name: "a client offers IAKerb, and the server only closes",
        fires: &["CredSSP ended, seen"],
        almost: &["IAKerb rejected", "SPNEGO rejects"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest iakerb
            130ms << close
            130ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-NTLMOFF, server, possible, in credssp on back, or NLA-CRED NLA-KDC NLA-ORACLE
            in credssp, behind the client's token of the authentication, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "a server of a build that checks for clones ends CredSSP",
        fires: &["CredSSP ended, seen", "a build with a known fault"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            120ms << @tsrequest challenge build=26100
            140ms >> @tsrequest authenticate
            160ms << close
            160ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-CRED, server, likely, in credssp on back, or NLA-ACCT NLA-RESTR NLA-ORACLE NLA-KDC
            in credssp, behind the client's NTLM AUTHENTICATE, the server does not go on: server closes (FIN) 0 µs after the last byte
            note NLA-SID, nobody, possible, in credssp on back
            the server says build 26100 (Windows 11 24H2 or 25H2, or Windows Server 2025), where this end is known since 2025-08-29 (KB5064081), 2025-09-09 (KB5065426); a check, no fault: only an image that Sysprep generalised satisfies it; its updates the wire does not show
        ",
    },
    Story {
        name: "a client of a build that had trouble with its prompt leaves CredSSP",
        fires: &["CredSSP ended, seen", "a build with a known fault"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate build=26200
            120ms << @tsrequest challenge build=17763
            3s > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in credssp, after 2.9 s
            note PRX-PROBE, client, possible, in credssp on front, or NLA-ORACLE NLA-DELEG NLA-SMARTCARD
            in credssp, behind the server's NTLM CHALLENGE, the client does not go on: client closes (FIN) 2.9 s after the last byte
            note NLA-UPDATE, nobody, possible, in credssp on front
            the client says build 26200 (Windows 11 24H2 or 25H2), where this end is known since 2026-01-13 (KB5074109); mended by KB5077744 (2026-01-17); its updates the wire does not show
        ",
    },
    Story {
        name: "a client of another build leaves CredSSP",
        fires: &["CredSSP ended, seen"],
        almost: &["a build with a known fault"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate build=22631
            120ms << @tsrequest challenge build=17763
            3s > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in credssp, after 2.9 s
            note PRX-PROBE, client, possible, in credssp on front, or NLA-ORACLE NLA-DELEG NLA-SMARTCARD
            in credssp, behind the server's NTLM CHALLENGE, the client does not go on: client closes (FIN) 2.9 s after the last byte
        ",
    },
    Story {
        name: "a session with UDP of a client of a faulty build breaks after 65 s",
        fires: &["broken while active", "a build with a known fault"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms >> @mcs connect-initial build=26100
            110ms inside 10ms from=connect-response until=licence
            200ms << @mcs multitransport
            210ms >> @mcs multitransport-done
            220ms inside 10ms from=demand
            64s >> @mcs input
            65s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 1.0 s
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED PATH-RSTINJ
            the running session breaks after 64.8 s: server resets (RST) 1.0 s after the last byte
            note UDP-65S, nobody, possible, in active on front
            the client says build 26100 (Windows 11 24H2), where this end is known since 2025-01; mended by the cumulative updates since spring 2025; its updates the wire does not show
        ",
    },
    Story {
        name: "the same in clear, and without an answer",
        fires: &["broken while active", "a build with a known fault"],
        almost: &[],
        script: "
            21ms > @request none
            41ms < @confirm none
            60ms > @mcs connect-initial build=26100
            80ms < @mcs connect-response
            100ms > @mcs attach
            120ms < @mcs attach-confirm
            140ms > @mcs join
            160ms < @mcs join-confirm
            180ms > @mcs info
            200ms < @mcs licence
            220ms < @mcs multitransport
            240ms < @mcs demand
            260ms > @mcs confirm-active
            280ms < @mcs finalization
            300ms < @mcs graphics
            64s > @mcs input
            65s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 1.0 s
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED PATH-RSTINJ
            the running session breaks after 64.7 s: server resets (RST) 1.0 s after the last byte
            note UDP-65S, nobody, possible, in active on front
            the client says build 26100 (Windows 11 24H2), where this end is known since 2025-01; mended by the cumulative updates since spring 2025; its updates the wire does not show
        ",
    },
    Story {
        name: "UDP was refused: 65 s are chance",
        fires: &["broken while active"],
        almost: &["a build with a known fault"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms >> @mcs connect-initial build=26100
            110ms inside 10ms from=connect-response until=licence
            200ms << @mcs multitransport
            210ms >> @mcs multitransport-refused
            220ms inside 10ms from=demand
            64s >> @mcs input
            65s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 1.0 s
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED PATH-RSTINJ
            the running session breaks after 64.8 s: server resets (RST) 1.0 s after the last byte
        ",
    },
    Story {
        name: "a session with UDP of a client of another build breaks after 65 s",
        fires: &["broken while active"],
        almost: &["a build with a known fault"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms >> @mcs connect-initial build=22631
            110ms inside 10ms from=connect-response until=licence
            200ms << @mcs multitransport
            210ms >> @mcs multitransport-done
            220ms inside 10ms from=demand
            64s >> @mcs input
            65s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 1.0 s
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED PATH-RSTINJ
            the running session breaks after 64.8 s: server resets (RST) 1.0 s after the last byte
        ",
    },
    Story {
        name: "a session of a faulty build is closed by its user after 65 s",
        fires: &[],
        almost: &["a build with a known fault"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms >> @mcs connect-initial build=26100
            110ms inside 10ms from=connect-response until=licence
            200ms << @mcs multitransport
            210ms >> @mcs multitransport-done
            220ms inside 10ms from=demand
            65s >> @ultimatum 3
            65s >> close
            65s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a server of an older build ends CredSSP",
        fires: &["CredSSP ended, seen"],
        almost: &["a build with a known fault"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            120ms << @tsrequest challenge build=17763
            140ms >> @tsrequest authenticate
            160ms << close
            160ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-CRED, server, likely, in credssp on back, or NLA-ACCT NLA-RESTR NLA-ORACLE NLA-KDC
            in credssp, behind the client's NTLM AUTHENTICATE, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "SPNEGO rejects the proof",
        fires: &["SPNEGO rejects"],
        almost: &["CredSSP ended, seen"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            140ms << @tsrequest reject
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 9.9 ms
            finding NLA-CRED, server, likely, in credssp on back, or NLA-ACCT
            the server rejects the authentication, without an errorCode
        ",
    },
    Story {
        name: "a patched client leaves an old server",
        fires: &["a strict side and an old CredSSP"],
        almost: &["client left after the server's pubKeyAuth"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            120ms << @tsrequest challenge v=2
            121ms >> close
            121ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-ORACLE, client, likely, in credssp on front, or NLA-CRED
            the client speaks CredSSP 6, the server only 2, and the client leaves
        ",
    },
    Story {
        name: "a strict server leaves an old client",
        fires: &["a strict side and an old CredSSP"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate v=2
            120ms << @tsrequest challenge
            130ms >> @tsrequest authenticate v=2
            150ms << close
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-ORACLE, server, likely, in credssp on back, or NLA-CRED
            the server speaks CredSSP 6, the client only 2, and the server leaves
        ",
    },
    Story {
        name: "an old server refuses the password of a new client without a word",
        fires: &["CredSSP ended, seen"],
        almost: &["a strict side and an old CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            120ms << @tsrequest challenge v=2
            130ms >> @tsrequest authenticate v=2
            150ms << alert 49
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-CRED, server, likely, in credssp on back, or NLA-ACCT NLA-RESTR NLA-ORACLE NLA-KDC
            in credssp, behind the client's NTLM AUTHENTICATE, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the client leaves behind the server's pubKeyAuth",
        fires: &["client left after the server's pubKeyAuth"],
        almost: &["a strict side and an old CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=public-key
            140ms >> close
            140ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 0 µs
            finding NLA-BIND, client, likely, in credssp on back, or NLA-DELEG NLA-ORACLE
            the client leaves after the server's pubKeyAuth, without sending its credentials
        ",
    },
    Story {
        name: "the client leaves behind the challenge",
        fires: &["CredSSP ended, seen"],
        almost: &["client left after the server's pubKeyAuth"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=challenge
            140ms >> close
            140ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in credssp, after 0 µs
            note PRX-PROBE, client, possible, in credssp on front, or NLA-ORACLE NLA-DELEG NLA-SMARTCARD
            in credssp, behind the server's NTLM CHALLENGE, the client does not go on: client closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "CredSSP 5: the server closes behind the client's proof",
        fires: &["CredSSP ended, seen"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate v=5
            120ms << @tsrequest challenge v=5
            130ms >> @tsrequest authenticate v=5
            150ms << close
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-CRED, server, likely, in credssp on back, or NLA-ACCT NLA-RESTR NLA-ORACLE NLA-KDC
            in credssp, behind the client's NTLM AUTHENTICATE, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server resets behind the client's first token",
        fires: &["CredSSP ended, seen"],
        almost: &["SPNEGO rejects"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            120ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in credssp, after 20 ms
            finding NLA-NTLMOFF, server, possible, in credssp on back, or NLA-CRED NLA-KDC NLA-ORACLE
            in credssp, behind the client's NTLM NEGOTIATE, the server does not go on: server resets (RST) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server closes behind the credentials",
        fires: &["CredSSP ended, seen"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=credentials
            170ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 30 ms
            finding NLA-RIGHT, server, possible, in credssp on back, or NLA-CRED SES-DENIED NLA-DELEG
            in credssp, behind the client's credentials (authInfo), the server leaves out of turn: server closes (FIN) 30 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind the client's proof",
        fires: &["CredSSP ended, seen"],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=authenticate
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 29.9 s
            finding NLA-KDC, server, likely, in credssp on back, or PATH-WINZERO
            in credssp, behind the client's NTLM AUTHENTICATE, the server, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "the server is silent behind the client's first token",
        fires: &["CredSSP ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=negotiate
            30s > rst
        ",
        says: "
            failed
            end on front: by client, reset, in credssp, after 29.9 s
            finding NLA-KDC, server, possible, in credssp on back, or PATH-WINZERO SES-BUSY
            in credssp, behind the client's NTLM NEGOTIATE, the server, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "the client is silent behind the challenge",
        fires: &["CredSSP ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms until=challenge
            30s < fin
        ",
        says: "
            failed
            end on back: by server, fin, in credssp, after 29.9 s
            finding PATH-PMTU, client, possible, in credssp on front, or PATH-DEAD NLA-KDC
            in credssp, behind the server's NTLM CHALLENGE, the client, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "nothing is acknowledged any more behind the challenge",
        fires: &["never acknowledged"],
        almost: &["CredSSP ended, seen"],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=challenge
            40s back nobody timeout
        ",
        says: "
            failed
            end on back: by server, timeout, in credssp, after 39.9 s
            finding PATH-DEAD, nobody, possible, in credssp on back, or PATH-PMTU
            the FIN of the client is never acknowledged, after 39.9 s of silence: the path, or the far end, is dead
        ",
    },
    Story {
        name: "the server's clock is an hour ahead",
        fires: &["clocks differ"],
        almost: &["error of Kerberos"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            110ms << @tsrequest challenge clock=3600
            120ms inside 10ms from=authenticate
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            note NLA-SKEW, nobody, likely, in credssp on back
            the server's clock is 3600 s ahead of the one here: Kerberos takes 5 minutes
        ",
    },
    Story {
        name: "the server's clock is two minutes ahead",
        fires: &[],
        almost: &["clocks differ"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms >> @tsrequest negotiate
            110ms << @tsrequest challenge clock=120
            120ms inside 10ms from=authenticate
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
        ",
    },
    Story {
        name: "the settings are refused",
        fires: &["MCS refused"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=connect-initial
            120ms << @connect-refused 8
            130ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 9.9 ms
            finding MCS-REJECT, server, certain, in basic-settings on back
            the server refuses the settings: MCS Connect-Response 0x00000008 rt-parameters-unacceptable
        ",
    },
    Story {
        name: "the server closes behind Connect Initial",
        fires: &["settings ended, seen"],
        almost: &["MCS refused"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=connect-initial
            120ms << close
            120ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 0 µs
            finding MCS-REJECT, server, likely, in basic-settings on back, or MCS-GFX SES-DENIED
            in basic-settings, behind the client's MCS Connect Initial, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server resets behind Connect Initial",
        fires: &["settings ended, seen"],
        almost: &["MCS refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=connect-initial
            120ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in basic-settings, after 20 ms
            finding MCS-REJECT, server, likely, in basic-settings on back, or MCS-GFX SES-DENIED
            in basic-settings, behind the client's MCS Connect Initial, the server does not go on: server resets (RST) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind Connect Initial",
        fires: &["settings ended, seen"],
        almost: &["capabilities ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=connect-initial
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in basic-settings, after 29.9 s
            finding PATH-WINZERO, server, possible, in basic-settings on back, or SES-BUSY MCS-REJECT
            in basic-settings, behind the client's MCS Connect Initial, the server, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "the client leaves behind Connect Response",
        fires: &["settings ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=connect-response
            150ms >> close
            150ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in basic-settings, after 0 µs
            finding MCS-REJECT, client, possible, in basic-settings on front, or MCS-GFX PRX-PROBE
            in basic-settings, behind the server's MCS Connect Response, the client does not go on: client closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the client is silent behind Connect Response",
        fires: &["settings ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=connect-response
            30s < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 29.9 s
            finding PATH-DEAD, client, possible, in basic-settings on front, or PATH-PMTU
            in basic-settings, behind the server's MCS Connect Response, the client, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "the server closes behind Attach User",
        fires: &["settings ended, seen"],
        almost: &["a channel refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=attach
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in channel-connection, after 30 ms
            finding MCS-REJECT, server, likely, in channel-connection on back, or MCS-GFX SES-DENIED
            in channel-connection, behind the client's Attach User Request, the server does not go on: server closes (FIN) 30 ms after the last byte
        ",
    },
    Story {
        name: "a channel is refused",
        fires: &["a channel refused"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=join
            160ms << @join-refused
            170ms >> close
            170ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in channel-connection, after 0 µs
            finding MCS-JOIN, server, certain, in channel-connection on back
            the server refuses a channel: Channel Join Confirm 0x00000003 rt-no-such-channel
        ",
    },
    Story {
        name: "the server closes behind a channel join",
        fires: &["settings ended, seen"],
        almost: &["a channel refused"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=join
            160ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in channel-connection, after 20 ms
            finding MCS-JOIN, server, likely, in channel-connection on back, or MCS-REJECT
            in channel-connection, behind the client's Channel Join Request, the server does not go on: server closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind a channel join",
        fires: &["settings ended, seen"],
        almost: &["channels joined slowly"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=join
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in channel-connection, after 29.9 s
            finding PATH-WINZERO, server, possible, in channel-connection on back, or SES-BUSY MCS-REJECT
            in channel-connection, behind the client's Channel Join Request, the server, whose turn it is, says nothing for 29.9 s
        ",
    },
    Story {
        name: "many channels over a long way",
        fires: &["channels joined slowly"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=join-confirm
            600ms >> @mcs join
            1100ms << @mcs join-confirm
            1200ms >> @mcs join
            1700ms << @mcs join-confirm
            1800ms >> @mcs join
            2300ms << @mcs join-confirm
            2.5s inside 10ms from=info
            3s >> @ultimatum 3
            3.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            warning MCS-JOIN, nobody, likely, in channel-connection on front, or PATH-LAT
            4 channels are joined one by one, which takes 2.4 s
        ",
    },
    Story {
        name: "the server closes behind Client Info",
        fires: &["licensing ended, seen"],
        almost: &["licence refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << close
            170ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding INFO-CRED, server, possible, in secure-settings on back, or MCS-INFO BRK-CODES LIC-NOSRV SES-DENIED
            in secure-settings, behind the client's Client Info, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server takes its leave behind Client Info with an ultimatum",
        fires: &["licensing ended, seen"],
        almost: &["ended by the server, no reason given"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            170ms << @ultimatum 1
            170ms << close
            170ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding INFO-CRED, server, possible, in secure-settings on back, or MCS-INFO BRK-CODES LIC-NOSRV SES-DENIED
            in secure-settings, behind the client's Client Info, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server closes behind Client Info, with NLA",
        fires: &["licensing ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL+HYBRID 10ms
            100ms inside 10ms until=info
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in secure-settings, after 40 ms
            finding SES-DENIED, server, possible, in secure-settings on back, or BRK-CODES LIC-NOSRV MCS-INFO
            in secure-settings, behind the client's Client Info, the server does not go on: server resets (RST) 40 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind Client Info",
        fires: &["licensing ended, seen"],
        almost: &["licence refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            40s >> close
            40s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in secure-settings, after 0 µs
            finding SES-BUSY, server, possible, in secure-settings on back, or LIC-TIMEOUT BRK-CODES INFO-CRED PATH-WINZERO
            in secure-settings, behind the client's Client Info, the server, whose turn it is, says nothing for 39.8 s
        ",
    },
    Story {
        name: "no licence",
        fires: &["licence refused"],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-error 2
            180ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 9.9 ms
            finding LIC-NOSRV, server, certain, in licensing on back
            the server ends licensing with 0x00000002 ERR_NO_LICENSE
        ",
    },
    Story {
        name: "no licence server",
        fires: &["licence refused"],
        almost: &["Set Error Info"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-error 6
            180ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 9.9 ms
            finding LIC-NOSRV, server, certain, in licensing on back
            the server ends licensing with 0x00000006 ERR_NO_LICENSE_SERVER
        ",
    },
    Story {
        name: "the client's licence is invalid",
        fires: &["licence refused"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            180ms >> @licence-new
            190ms << @licence-error 8
            200ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 9.9 ms
            finding LIC-CLIENT, server, certain, in licensing on back
            the server ends licensing with 0x00000008 ERR_INVALID_CLIENT
        ",
    },
    Story {
        name: "the client does not take the server's licence certificate",
        fires: &["licence refused"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            180ms >> @licence-error-of-client 1
            190ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in licensing, after 9.9 ms
            finding LIC-CLIENT, client, certain, in licensing on front
            the client ends licensing with 0x00000001 ERR_INVALID_SERVER_CERTIFICATE
        ",
    },
    Story {
        name: "the server waits for its licence server",
        fires: &["licensing ended, seen"],
        almost: &["licence refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            180ms >> @licence-new
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in licensing, after 29.8 s
            finding LIC-TIMEOUT, server, likely, in licensing on back, or LIC-NOSRV PATH-WINZERO
            in licensing, behind the client's licensing message, the server, whose turn it is, says nothing for 29.8 s
        ",
    },
    Story {
        name: "the server closes in licensing",
        fires: &["licensing ended, seen"],
        almost: &["licence refused"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            180ms >> @licence-new
            190ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 9.9 ms
            finding LIC-NOSRV, server, likely, in licensing on back, or LIC-CLIENT
            in licensing, behind the client's licensing message, the server does not go on: server closes (FIN) 9.9 ms after the last byte
        ",
    },
    Story {
        name: "the client is silent in licensing",
        fires: &["licensing ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            30s < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 29.8 s
            finding LIC-CLIENT, client, possible, in licensing on front, or PATH-DEAD
            in licensing, behind the server's licensing message, the client, whose turn it is, says nothing for 29.8 s
        ",
    },
    Story {
        name: "the client leaves in licensing",
        fires: &["licensing ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @licence-request
            190ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in licensing, after 20 ms
            finding LIC-CLIENT, client, likely, in licensing on front, or LIC-NOSRV
            in licensing, behind the server's licensing message, the client does not go on: client closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server closes behind the licence",
        fires: &["licensing ended, seen"],
        almost: &["capabilities ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=licence
            190ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in licensing, after 20 ms
            finding SES-KILLED, server, possible, in licensing on back, or SES-DENIED SES-DRV INFO-CRED
            in licensing, behind the server's licence, the server does not go on: server resets (RST) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind the licence",
        fires: &["licensing ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=licence
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in licensing, after 29.8 s
            finding SES-BUSY, server, possible, in licensing on back, or SES-DRV PATH-WINZERO INFO-CRED
            in licensing, behind the server's licence, the server, whose turn it is, says nothing for 29.8 s
        ",
    },
    Story {
        name: "the server closes behind its Demand Active",
        fires: &["capabilities ended, seen"],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=demand
            190ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in capabilities, after 9.9 ms
            finding SES-KILLED, server, possible, in capabilities on back, or SES-DRV SES-DENIED
            in capabilities, behind the server's Demand Active, the server leaves out of turn: server closes (FIN) 9.9 ms after the last byte
        ",
    },
    Story {
        name: "the client leaves behind Demand Active",
        fires: &["capabilities ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=demand
            200ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in capabilities, after 20 ms
            finding CAP-BAD, client, likely, in capabilities on front, or MCS-GFX
            in capabilities, behind the server's Demand Active, the client does not go on: client closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "the client is silent behind Demand Active",
        fires: &["capabilities ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=demand
            30s < fin
        ",
        says: "
            failed
            end on back: by server, fin, in capabilities, after 29.8 s
            finding PATH-DEAD, client, possible, in capabilities on front, or PATH-PMTU
            in capabilities, behind the server's Demand Active, the client, whose turn it is, says nothing for 29.8 s
        ",
    },
    Story {
        name: "the server closes behind Confirm Active",
        fires: &["capabilities ended, seen"],
        almost: &["Set Error Info"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=confirm-active
            220ms << close
            220ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in finalization, after 0 µs
            finding CAP-BAD, server, likely, in finalization on back, or SES-DRV SES-KILLED MCS-GFX
            in finalization, behind the client's Font List, the server does not go on: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server resets behind Confirm Active",
        fires: &["capabilities ended, seen"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=confirm-active
            220ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in finalization, after 30 ms
            finding CAP-BAD, server, likely, in finalization on back, or SES-DRV SES-KILLED MCS-GFX
            in finalization, behind the client's Font List, the server does not go on: server resets (RST) 30 ms after the last byte
        ",
    },
    Story {
        name: "the server is silent behind Confirm Active",
        fires: &["capabilities ended, seen"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=confirm-active
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in finalization, after 29.8 s
            finding SES-DRV, server, possible, in finalization on back, or SES-BUSY CAP-BAD PATH-WINZERO
            in finalization, behind the client's Font List, the server, whose turn it is, says nothing for 29.8 s
        ",
    },
    Story {
        name: "ERRINFO: an administrator ends the session",
        fires: &["Set Error Info"],
        almost: &["ended by the server, no reason given"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x1
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-ADMIN, server, certain, in active on back
            the server ends the session and says why: 0x00000001 ERRINFO_RPC_INITIATED_DISCONNECT
        ",
    },
    Story {
        name: "ERRINFO: an administrator logs the user off",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x2
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-ADMIN, server, certain, in active on back
            the server ends the session and says why: 0x00000002 ERRINFO_RPC_INITIATED_LOGOFF
        ",
    },
    Story {
        name: "ERRINFO: the idle limit",
        fires: &["Set Error Info"],
        almost: &["broken while active"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x3
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-IDLE, server, certain, in active on back
            the server ends the session and says why: 0x00000003 ERRINFO_IDLE_TIMEOUT
        ",
    },
    Story {
        name: "ERRINFO: the limit of active sessions",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x4
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-LIMIT, server, certain, in active on back
            the server ends the session and says why: 0x00000004 ERRINFO_LOGON_TIMEOUT
        ",
    },
    Story {
        name: "ERRINFO: another connection takes the session over",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x5
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-REPLACED, server, certain, in active on back
            the server ends the session and says why: 0x00000005 ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION
        ",
    },
    Story {
        name: "ERRINFO: out of memory",
        fires: &["Set Error Info"],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=licence
            400ms << @errinfo 0x6
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in licensing, after 0 µs
            finding SES-BUSY, server, certain, in licensing on back
            the server ends the session and says why: 0x00000006 ERRINFO_OUT_OF_MEMORY
        ",
    },
    Story {
        name: "ERRINFO: the server denies the connection",
        fires: &["Set Error Info"],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x7
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding SES-DENIED, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000007 ERRINFO_SERVER_DENIED_CONNECTION
        ",
    },
    Story {
        name: "ERRINFO: no right to log on remotely",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x9
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding NLA-RIGHT, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000009 ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES
        ",
    },
    Story {
        name: "ERRINFO: saved credentials are not taken",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0xA
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding NLA-SAVED, server, certain, in secure-settings on back
            the server ends the session and says why: 0x0000000A ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED
        ",
    },
    Story {
        name: "ERRINFO: the window manager died",
        fires: &["Set Error Info"],
        almost: &["broken while active"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x10
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-DRV, server, certain, in active on back
            the server ends the session and says why: 0x00000010 ERRINFO_SERVER_DWM_CRASH
        ",
    },
    Story {
        name: "ERRINFO: the display driver is not ready",
        fires: &["Set Error Info"],
        almost: &["capabilities ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=confirm-active
            400ms << @errinfo 0xF
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in finalization, after 0 µs
            finding SES-DRV, server, certain, in finalization on back
            the server ends the session and says why: 0x0000000F ERRINFO_CLOSE_STACK_ON_DRIVER_NOT_READY
        ",
    },
    Story {
        name: "ERRINFO: the server restarts",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x1A
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-SHUTDOWN, server, certain, in active on back
            the server ends the session and says why: 0x0000001A ERRINFO_SERVER_REBOOT
        ",
    },
    Story {
        name: "ERRINFO: no licence server",
        fires: &["Set Error Info"],
        almost: &["licence refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x101
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding LIC-NOSRV, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000101 ERRINFO_LICENSE_NO_LICENSE_SERVER
        ",
    },
    Story {
        name: "ERRINFO: the client's licence is bad",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x105
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding LIC-CLIENT, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000105 ERRINFO_LICENSE_BAD_CLIENT_LICENSE
        ",
    },
    Story {
        name: "ERRINFO: licensing could not be finished",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x106
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding LIC-TIMEOUT, server, likely, in secure-settings on back, or PATH-LOSS
            the server ends the session and says why: 0x00000106 ERRINFO_LICENSE_CANT_FINISH_PROTOCOL
        ",
    },
    Story {
        name: "ERRINFO: the broker's target is not found",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x400
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding BRK-CODES, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000400 ERRINFO_CB_DESTINATION_NOT_FOUND
        ",
    },
    Story {
        name: "ERRINFO: the broker fails to redirect",
        fires: &["Set Error Info"],
        almost: &["sent elsewhere"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x404
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding RED-UNREACH, server, likely, in secure-settings on back, or BRK-CODES
            the server ends the session and says why: 0x00000404 ERRINFO_CB_REDIRECTING_TO_DESTINATION
        ",
    },
    Story {
        name: "ERRINFO: no free machine in the pool",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x408
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding BRK-CODES, server, certain, in secure-settings on back
            the server ends the session and says why: 0x00000408 ERRINFO_CB_DESTINATION_POOL_NOT_FREE
        ",
    },
    Story {
        name: "ERRINFO: the routing token is invalid",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            400ms << @errinfo 0x410
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in secure-settings, after 0 µs
            finding X224-TOKEN, server, likely, in secure-settings on back, or BRK-CODES
            the server ends the session and says why: 0x00000410 ERRINFO_CB_CONNECTION_ERROR_INVALID_SETTINGS
        ",
    },
    Story {
        name: "ERRINFO: the channels could not be connected",
        fires: &["Set Error Info"],
        almost: &["a channel refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=join
            400ms << @errinfo 0x10d3
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in channel-connection, after 0 µs
            finding MCS-REJECT, server, likely, in channel-connection on back, or MCS-JOIN
            the server ends the session and says why: 0x000010D3 ERRINFO_CONNECT_FAILED
        ",
    },
    Story {
        name: "ERRINFO: the capabilities are bad",
        fires: &["Set Error Info"],
        almost: &["capabilities ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=confirm-active
            400ms << @errinfo 0x10ea
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in finalization, after 0 µs
            finding CAP-BAD, server, certain, in finalization on back
            the server ends the session and says why: 0x000010EA ERRINFO_BAD_CAPABILITIES
        ",
    },
    Story {
        name: "ERRINFO: RemoteApp is not enabled",
        fires: &["Set Error Info"],
        almost: &["MCS refused"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=connect-response
            400ms << @errinfo 0x10f3
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 0 µs
            finding MCS-GFX, server, certain, in basic-settings on back
            the server ends the session and says why: 0x000010F3 ERRINFO_REMOTEAPP_NOT_ENABLED
        ",
    },
    Story {
        name: "ERRINFO: the desktop is too large",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=connect-response
            400ms << @errinfo 0x1134
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in basic-settings, after 0 µs
            finding MCS-REJECT, server, certain, in basic-settings on back
            the server ends the session and says why: 0x00001134 ERRINFO_VIRTUALDESKTOPTOOLARGE
        ",
    },
    Story {
        name: "ERRINFO: decryption failed",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x1192
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-CRYPT, server, certain, in active on back
            the server ends the session and says why: 0x00001192 ERRINFO_DECRYPT_FAILED
        ",
    },
    Story {
        name: "ERRINFO: a number that nobody knows",
        fires: &["Set Error Info"],
        almost: &[],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0x7777
            401ms << @ultimatum 1
            401ms << close
            401ms < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-KILLED, server, possible, in active on back
            the server ends the session and says why: 0x00007777
        ",
    },
    Story {
        name: "the user logs off",
        fires: &[],
        almost: &["Set Error Info", "ended by the server, no reason given"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @errinfo 0xC
            401ms << @ultimatum 3
            401ms << close
            401ms < fin
        ",
        says: "
            connected
            end on back: by server, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "the server ends a session in order, without a reason",
        fires: &["ended by the server, no reason given"],
        almost: &["Set Error Info"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=input
            30s << @ultimatum 1
            30s << close
            30s < fin
        ",
        says: "
            connected
            end on back: by server, fin, in active, after 0 µs
            note SES-ADMIN, server, likely, in active on back, or SES-REPLACED SES-LIMIT
            the server ends the session in order and gives no reason: rn-provider-initiated
        ",
    },
    Story {
        name: "the session refuses the user",
        fires: &["logon denied in the session"],
        almost: &["Set Error Info"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @logon-error 0xFFFFFFFA 0
            2s << @ultimatum 3
            2s << close
            2s < fin
        ",
        says: "
            connected
            end on back: by server, fin, in active, after 0 µs
            warning NLA-RIGHT, server, likely, in active on back, or SES-DENIED
            the session is there, and the server does not let the user in: 0xFFFFFFFA LOGON_MSG_NO_PERMISSION
        ",
    },
    Story {
        name: "the user is asked whether to go on",
        fires: &[],
        almost: &["logon denied in the session"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=input
            400ms << @logon-error 0xFFFFFFFE 5
            2s >> @ultimatum 3
            2s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "the cookie of a reconnection is refused",
        fires: &["reconnection refused"],
        almost: &["logon denied in the session"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=input
            400ms << @reconnect-refused
            2s >> @ultimatum 3
            2s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            note SES-ARC, server, likely, in active on back
            the server does not take the cookie of an automatic reconnection
        ",
    },
    Story {
        name: "the session is made anew in between",
        fires: &[],
        almost: &["reconnection refused", "capabilities ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=input
            400ms << @deactivate
            410ms << @mcs demand
            420ms >> @mcs confirm-active
            430ms << @mcs finalization
            2s >> @ultimatum 3
            2s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "sent to another host, which is not seen here",
        fires: &["sent elsewhere"],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @redirect 10.9.8.7
            180ms >> close
            180ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in secure-settings, after 0 µs
            note RED-UNREACH, server, possible, in secure-settings on back
            the server sends the client to 10.9.8.7: what becomes of it there is another connection
        ",
    },
    Story {
        name: "sent to a host that is dead",
        fires: &[],
        almost: &["Set Error Info"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @redirect 10.9.8.7
            180ms >> close
            180ms > fin
            400ms again
            400ms target 10.9.8.7
            400ms dial 10.9.8.7
            21.4s timeout
        ",
        says: "
            unfinished
            end on front: by client, fin, in secure-settings, after 0 µs
            no findings
            failed
            end on back: by server, timeout, in tcp, after 21.0 s
            direct_equivalent 0x204
            finding RED-UNREACH, nobody, likely, in tcp on back, or TCP-DROP
            10.9.8.7:3389 does not answer: the attempt is given up after 21.0 s
            attempt failed
        ",
    },
    Story {
        name: "sent to a name that is not known",
        fires: &[],
        almost: &["licensing ended, seen"],
        script: "
            21ms tls 1.3 SSL 10ms
            100ms inside 10ms until=info
            170ms << @redirect host7.inside.example
            180ms > fin
            400ms again
            400ms target host7.inside.example
            400ms resolving
            450ms resolved error unknown name
            450ms unresolved
        ",
        says: "
            unfinished
            end on front: by client, fin, in secure-settings, after 9.9 ms
            no findings
            failed
            end on back: by nobody, unresolved, in name-resolution, after 50 ms
            direct_equivalent 0x104
            finding RED-UNREACH, nobody, likely, in name-resolution on back, or DNS-NX
            host7.inside.example does not resolve: unknown name, after 50 ms
            attempt failed
        ",
    },
    Story {
        name: "sent to a host that serves the client",
        fires: &[],
        almost: &["name does not resolve"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @redirect 10.9.8.7
            180ms >> close
            180ms > fin
            400ms again
            400ms target 10.9.8.7
            400ms dial 10.9.8.7
            420ms opened
            421ms tls 1.2 SSL 10ms
            500ms inside 10ms
            1s >> @ultimatum 3
            1.1s > fin
        ",
        says: "
            unfinished, withdrawn
            end on front: by client, fin, in secure-settings, after 0 µs
            no findings
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
            attempt connected
        ",
    },
    Story {
        name: "sent to a host whose certificate the client refuses",
        fires: &[],
        almost: &["sent elsewhere"],
        script: "
            21ms tls 1.2 SSL 10ms
            100ms inside 10ms until=info
            170ms << @redirect 10.9.8.7
            180ms >> close
            180ms > fin
            400ms again
            400ms target 10.9.8.7
            400ms dial 10.9.8.7
            420ms opened
            421ms > @request SSL
            441ms < @confirm SSL
            442ms > @hello 1.2
            462ms < @server-hello 1.2
            462ms < @certificate expired
            462ms < @hello-done
            600ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in secure-settings, after 0 µs
            no findings
            failed
            end on front: by client, fin, in tls, after 138 ms
            finding RED-CERT, client, likely, in tls on front, or TLS-EXPIRED TLS-NAME PRX-PROBE
            the client leaves 138 ms after the certificate: it is the client that ends this, not the server
            attempt failed
        ",
    },
    Story {
        name: "CredSSP where the server selected TLS alone",
        fires: &["CredSSP that nobody selected"],
        almost: &["CredSSP ended, seen", "settings ended, seen"],
        script: "
            21ms tls 1.2 SSL 20ms
            150ms >> @tsrequest negotiate
            170ms < fin
            171ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            basic-settings on back: 49 ms, failed
            end on back: by server, fin, in basic-settings, after 20 ms
            finding NLA-UNASKED, client, certain, in basic-settings on front
            the client speaks CredSSP although the server selected SSL
        ",
    },
    Story {
        name: "CredSSP that was selected, and ends at its first message",
        fires: &["CredSSP ended, seen"],
        almost: &["CredSSP that nobody selected"],
        script: "
            21ms tls 1.2 HYBRID 20ms
            150ms >> @tsrequest negotiate
            170ms < fin
            171ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            credssp on back: 49 ms, failed
            end on back: by server, fin, in credssp, after 20 ms
            finding NLA-NTLMOFF, server, possible, in credssp on back, or NLA-CRED NLA-KDC NLA-ORACLE
            in credssp, behind the client's NTLM NEGOTIATE, the server does not go on: server closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "the server answers the client's first token with what is no TSRequest",
        fires: &["a message of CredSSP or MCS that cannot be read"],
        almost: &["CredSSP ended, seen", "no X.224 confirm"],
        script: "
            21ms tls 1.2 HYBRID 20ms
            200ms >> @tsrequest negotiate
            220ms << 4854545020686572652e
            240ms > fin
            260ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            credssp on front: 119 ms, failed
            end on front: by client, fin, in credssp, after 20 ms
            finding NLA-BADMSG, server, likely, in credssp on back, or TLS-INSPECT SES-CRYPT
            the server's message of CredSSP cannot be read (expected a TSRequest (30) or TPKT (03), found 48 (byte 0))
        ",
    },
    Story {
        name: "the client's Connect Initial is cut in the middle of its settings",
        fires: &["a message of CredSSP or MCS that cannot be read"],
        almost: &["settings ended, seen"],
        script: "
            21ms tls 1.2 SSL 20ms
            200ms >> 0300001a02f0807f65820194040101040101 0101ff 3019020201
            220ms < fin
            240ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            basic-settings on back: 99 ms, failed
            end on back: by server, fin, in basic-settings, after 20 ms
            finding MCS-BADMSG, client, possible, in basic-settings on front, or MCS-REJECT SES-CRYPT
            the client's settings cannot be read (expected the key Duca, found none (byte 0))
        ",
    },
    Story {
        name: "what is no TSRequest, and the session goes on",
        fires: &[],
        almost: &["a message of CredSSP or MCS that cannot be read"],
        script: "
            21ms tls 1.2 HYBRID 20ms
            200ms inside 10ms
            9s > fin
            9.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 80 ms, done
            credssp on front: 119 ms, done
            basic-settings on back: 20 ms, done
            active on front: 8.7 s, done
            end on front: by client, fin, in active, after 8.6 s
            no findings
        ",
    },
];
