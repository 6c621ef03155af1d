//! Stories of the way through an RD Gateway: up to it, TLS and HTTP, the tunnel of \[MS-TSGU\], and what ends in it. Most of them
//! are opened by secrets; where they are sealed, the story says so.

use super::Story;

/// Rules of the way through a gateway.
const EVERY: &[&str] = &[
    "gateway not reached",
    "a web proxy refuses",
    "TLS with the gateway",
    "the tunnel refused",
    "the gateway's 401",
    "HTTP error of the gateway",
    "the gateway ends the tunnel",
    "ended on the way through the gateway",
    "ended behind TLS with the gateway",
];

pub const STORIES: &[Story] = &[
    Story {
        name: "the proxy is stopped while the gateway answers nothing",
        fires: &[],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            20ms dial
            21ms opened
            22ms outer 1.3 20ms
            200ms way 10ms until=create
            6s stop
        ",
        says: "
            unfinished
            tcp on back: 1.0 ms, done
            end on front: by proxy, reset, in gateway-tunnel, after 5.7 s
            warning RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            the gateway does not answer the client's tunnel create: the proxy is stopped after 5.7 s
        ",
    },
    Story {
        name: "gateway: refused",
        fires: &["gateway not reached"],
        almost: &["refused"],
        script: "
            0ms gateway
            20ms dial
            21ms refused
        ",
        says: "
            failed
            end on back: by server, refused, in tcp, after 1.0 ms
            finding RDG-REACH, server, certain, in tcp on back, or TCP-REFUSED
            the gateway server.example:443 cannot be reached: the SYN is answered with RST
        ",
    },
    Story {
        name: "gateway: its SYN is lost",
        fires: &["gateway not reached"],
        almost: &["no answer to SYN"],
        script: "
            0ms gateway
            0ms dial
            21s timeout
        ",
        says: "
            failed
            end on back: by server, timeout, in tcp, after 21.0 s
            finding RDG-REACH, nobody, likely, in tcp on back, or TCP-DROP
            the gateway server.example:443 cannot be reached: no answer for 21.0 s
        ",
    },
    Story {
        name: "gateway: its name is unknown",
        fires: &["gateway not reached"],
        almost: &["name does not resolve"],
        script: "
            0ms gateway
            0ms resolving
            5ms resolved error no such name
            5ms unresolved
        ",
        says: "
            failed
            end on back: by nobody, unresolved, in name-resolution, after 5.0 ms
            finding RDG-REACH, nobody, certain, in name-resolution on back, or DNS-NX
            the gateway server.example:443 cannot be reached: the name has no address
        ",
    },
    Story {
        name: "gateway: a port check of TCP",
        fires: &[],
        almost: &["gateway not reached", "TLS with the gateway", "client left without a request"],
        script: "
            0ms gateway
            30ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in gateway-tls, after 10 ms
            no findings
        ",
    },
    Story {
        name: "gateway: a port check of TLS, or a certificate",
        fires: &["TLS with the gateway"],
        almost: &["ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms sealed
            90ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 39 ms
            finding RDG-CERT, client, possible, in gateway-tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 39 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "gateway: it answers the client's leave with its own end first",
        fires: &["TLS with the gateway"],
        almost: &["ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms sealed
            90ms > @record 21 26
            91ms < fin
            92ms > fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tls, after 900 µs
            finding RDG-CERT, client, possible, in gateway-tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 41 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "gateway: TLS that keys open, and nothing in it",
        fires: &["TLS with the gateway"],
        almost: &["ended on the way through the gateway", "ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            90ms >= close
            90ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 0 µs
            finding RDG-CERT, client, possible, in gateway-tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 39 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "gateway: a web proxy wants to know who it is",
        fires: &["a web proxy refuses"],
        almost: &["TLS with the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms > @connect
            31ms < @status 407 Negotiate NTLM
            32ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 900 µs
            finding RDG-PROXYAUTH, middlebox, certain, in gateway-tls on back
            a web proxy answers CONNECT with 407 Proxy Authentication Required
        ",
    },
    Story {
        name: "gateway: a web proxy forbids it",
        fires: &["a web proxy refuses"],
        almost: &["TLS with the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms > @connect
            31ms < @status 403 via=proxy
            32ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tls, after 900 µs
            finding RDG-PROXYAUTH, middlebox, certain, in gateway-tls on back
            a web proxy answers CONNECT with 403 Forbidden
        ",
    },
    Story {
        name: "gateway: a web proxy lets it through",
        fires: &[],
        almost: &["a web proxy refuses"],
        script: "
            0ms gateway
            21ms > @connect
            31ms < @status 200
            41ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
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
        name: "gateway: its certificate is expired",
        fires: &["TLS with the gateway"],
        almost: &["client left after the certificate", "alert of the client"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            31ms < @server-hello 1.2
            31ms < @certificate expired
            31ms < @hello-done
            35ms > @alert 45
            35ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 0 µs
            finding RDG-CERT, client, certain, in gateway-tls on front, or TLS-EXPIRED
            the client ends the TLS handshake: alert certificate_expired (45)
        ",
    },
    Story {
        name: "gateway: its certificate is of another name",
        fires: &["TLS with the gateway"],
        almost: &["client left after the certificate", "alert of the client"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            31ms < @server-hello 1.2
            31ms < @certificate wrong-name
            31ms < @hello-done
            35ms > @alert 46
            35ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 0 µs
            finding RDG-CERT, client, likely, in gateway-tls on front, or TLS-NAME
            the client ends the TLS handshake: alert certificate_unknown (46)
        ",
    },
    Story {
        name: "gateway: its certificate is of an unknown issuer",
        fires: &["TLS with the gateway"],
        almost: &["client left after the certificate", "alert of the client"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            31ms < @server-hello 1.2
            31ms < @certificate self-signed
            31ms < @hello-done
            35ms > @alert 46
            35ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 0 µs
            finding RDG-CERT, client, likely, in gateway-tls on front, or TLS-UNTRUST
            the client ends the TLS handshake: alert certificate_unknown (46)
        ",
    },
    Story {
        name: "gateway: its certificate is good, and the client leaves without a word",
        fires: &["TLS with the gateway"],
        almost: &["client left after the certificate"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            31ms < @server-hello 1.2
            31ms < @certificate valid
            31ms < @hello-done
            35ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 3.9 ms
            finding RDG-CERT, client, possible, in gateway-tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 4.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "gateway: TLS 1.3, a sealed alert of the client",
        fires: &["TLS with the gateway"],
        almost: &["ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms > @hello 1.2,1.3 sni=server.example
            31ms < @server-hello 1.3
            31ms < @record 23 1500
            35ms > @record 23 19
            35ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 0 µs
            finding RDG-CERT, client, possible, in gateway-tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 4.0 ms after the server's flight: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "gateway: it refuses TLS",
        fires: &["TLS with the gateway"],
        almost: &["alert of the server", "ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms > @hello 1.0 sni=server.example
            31ms < @alert 70
            31ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tls, after 0 µs
            finding TLS-VER, server, certain, in gateway-tls on back
            the server ends the TLS handshake: alert protocol_version (70)
        ",
    },
    Story {
        name: "gateway: it is silent after ClientHello",
        fires: &["TLS with the gateway"],
        almost: &["no answer to ClientHello", "ended behind TLS with the gateway"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            30s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tls, after 30.0 s
            finding RDG-TRANSPORT, server, possible, in gateway-tls on back, or TLS-NOKEY PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the client gives up after 30.0 s
        ",
    },
    Story {
        name: "gateway: a bad certificate that the client takes",
        fires: &[],
        almost: &["TLS with the gateway"],
        script: "
            0ms gateway
            21ms > @hello 1.2 sni=server.example
            31ms < @server-hello 1.2
            31ms < @certificate expired
            31ms < @hello-done
            41ms > @key-exchange
            41ms > @finished
            51ms < @finished
            100ms session 10ms nla
            1s session 10ms
            2s session 10ms
            60s > @record 21 24
            60s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: sealed, a session",
        fires: &[],
        almost: &["ended behind TLS with the gateway", "TLS with the gateway"],
        script: "
            0ms gateway
            21ms outer 1.3 10ms sealed
            100ms session 10ms nla
            1s session 10ms
            2s session 10ms
            60s > @record 23 19
            60s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: sealed, the client gives up after three turns",
        fires: &["ended behind TLS with the gateway"],
        almost: &[
            "ended on the way through the gateway",
            "the gateway's 401",
            "ended behind TLS",
            "closed with nothing said behind TLS",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms sealed
            100ms > @record 23 400
            110ms < @record 23 500
            120ms > @record 23 500
            130ms < @record 23 800
            140ms > @record 23 900
            150ms < @record 23 500
            160ms > @record 21 24
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-http, after 0 µs
            finding RDG-401, client, possible, in gateway-http on back, or RDG-TRANSPORT RDG-503 RDG-CAP RDG-RAP RDG-TARGET RDG-COOKIE RDG-LIMIT
            client closes (FIN) 0 µs after the last byte, behind TLS with the gateway and 4 turns there (1864 B of the client, 1840 B of the gateway): what was said is sealed
        ",
    },
    Story {
        name: "gateway: sealed, reset on the way",
        fires: &["ended behind TLS with the gateway"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.3 10ms sealed
            100ms > @record 23 400
            110ms < @record 23 500
            120ms > @record 23 500
            130ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-http, after 9.9 ms
            finding RDG-401, server, possible, in gateway-http on back, or RDG-TRANSPORT RDG-503 RDG-CAP RDG-RAP RDG-TARGET RDG-COOKIE RDG-LIMIT
            server resets (RST) 9.9 ms after the last byte, behind TLS with the gateway and 1 turn there (953 B of the client, 1237 B of the gateway): what was said is sealed
        ",
    },
    Story {
        name: "gateway: the credentials are not taken",
        fires: &["the gateway's 401"],
        almost: &[
            "ended on the way through the gateway",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 401 Negotiate NTLM
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-401, server, likely, in gateway-auth on back, or RDG-TRANSPORT
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: nginx stands between, and NTLM comes to nothing",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=ask
            110ms <= @status 401 Negotiate NTLM server=nginx
            120ms >= @ask NTLM 1
            130ms <= @status 401 NTLM 2 server=nginx
            140ms >= @ask NTLM 3
            150ms <= @status 401 Negotiate NTLM server=nginx
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-TRANSPORT, middlebox, possible, in gateway-auth on back, or RDG-401
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: a proxy that says Via stands between",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 401 Negotiate NTLM server=Microsoft-IIS/10.0 via=1.1-squid
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-TRANSPORT, middlebox, possible, in gateway-auth on back, or RDG-401
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: a new challenge answers AUTHENTICATE",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 401 NTLM 2 server=Microsoft-IIS/10.0
            160ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on back: by server, fin, in gateway-auth, after 9.9 ms
            finding RDG-TRANSPORT, middlebox, likely, in gateway-auth on back, or RDG-401
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: the challenge does not keep the connection",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=negotiate
            130ms <= @status 401 NTLM 2 connection=close
            140ms >= @ask NTLM 3
            150ms <= @status 401 Negotiate NTLM
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-TRANSPORT, middlebox, likely, in gateway-auth on back, or RDG-401
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: Windows does not take the credentials",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=ask
            110ms <= @status 401 Negotiate NTLM server=Microsoft-HTTPAPI/2.0 connection=close
            120ms >= @ask NTLM 1
            130ms <= @status 401 NTLM 2 server=Microsoft-IIS/10.0
            140ms >= @ask NTLM 3
            150ms <= @status 401 Negotiate NTLM server=Microsoft-IIS/10.0
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-401, server, likely, in gateway-auth on back, or RDG-TRANSPORT
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: the credentials are not taken, in TLS 1.3",
        fires: &["the gateway's 401"],
        almost: &[
            "ended on the way through the gateway",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.3 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 401 Negotiate NTLM
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-auth, after 0 µs
            finding RDG-401, server, likely, in gateway-auth on back, or RDG-TRANSPORT
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: the credentials are not taken, behind the relay's certificate",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            20ms intercepted
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 401 Negotiate NTLM
            160ms >= close
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-401, server, possible, in gateway-auth on back, or RDG-TRANSPORT NLA-CBT
            the gateway does not take the client's NTLM credentials (3 answers of 401)
        ",
    },
    Story {
        name: "gateway: a password is not taken",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms >= @ask Basic x
            110ms <= @status 401 Basic
            120ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-401, server, certain, in gateway-auth on back
            the gateway does not take the client's Basic credentials (1 answer of 401)
        ",
    },
    Story {
        name: "gateway: 401 without a scheme",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms >= @ask
            110ms <= @status 401
            120ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-401, server, likely, in gateway-auth on back
            the gateway answers 401 and offers no scheme (1 answer of 401)
        ",
    },
    Story {
        name: "gateway: only Basic is offered to a client that comes with NTLM",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms >= @ask NTLM 1
            110ms <= @status 401 Basic
            120ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-401, server, likely, in gateway-auth on back
            the gateway offers Basic, which no client of Remote Desktop takes (1 answer of 401)
        ",
    },
    Story {
        name: "gateway: the client leaves at the challenge",
        fires: &["the gateway's 401"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=challenge
            1s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 870 ms
            finding RDG-401, client, possible, in gateway-auth on back
            the client does not answer the gateway's challenge (2 answers of 401)
        ",
    },
    Story {
        name: "gateway: a session, after two answers of 401",
        fires: &[],
        almost: EVERY,
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s >= @close 0
            1.11s <= @closed 0
            1.12s >= @shut
            1.12s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: a session, in TLS 1.3 twice",
        fires: &[],
        almost: EVERY,
        script: "
            0ms gateway
            21ms outer 1.3 10ms
            100ms way 10ms
            300ms tls 1.3 SSL+HYBRID+HYBRID_EX 10ms
            400ms inside 10ms
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
        name: "gateway: a session that asks for no authentication",
        fires: &[],
        almost: &["the gateway's 401", "ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms >= @ask Bearer x
            110ms way 10ms from=switch
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
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
        name: "gateway: a KDC proxy that is not there, and a session",
        fires: &[],
        almost: &["HTTP error of the gateway", "the gateway's 401"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            80ms >= @kdc
            90ms <= @status 503
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
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
        name: "gateway: 403",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 403 via=balancer
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-auth, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-auth on back, or RDG-CAP RDG-401
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 403 Forbidden
        ",
    },
    Story {
        name: "gateway: 404",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 404 via=balancer
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-TRANSPORT, server, likely, in gateway-auth on back, or RDG-503
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 404 Not Found
        ",
    },
    Story {
        name: "gateway: 405",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 405 via=balancer
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-TRANSPORT, server, likely, in gateway-auth on back, or RDG-503
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 405 Method Not Allowed
        ",
    },
    Story {
        name: "gateway: 302",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 302 via=balancer
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 9.9 ms
            finding RDG-TRANSPORT, server, likely, in gateway-auth on back, or RDG-503
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 302 Found
        ",
    },
    Story {
        name: "gateway: 503",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 503
            150ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-auth, after 0 µs
            finding RDG-503, server, likely, in gateway-auth on back, or RDG-TRANSPORT
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 503 Service Unavailable
        ",
    },
    Story {
        name: "gateway: 200 for a WebSocket",
        fires: &["HTTP error of the gateway"],
        almost: &["the gateway's 401", "ended on the way through the gateway", "a web proxy refuses"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            150ms <= @status 200 via=balancer
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 9.9 ms
            finding RDG-TRANSPORT, server, likely, in gateway-tunnel on back, or RDG-503
            RDG_OUT_DATA for /remoteDesktopGateway/ is answered with 200 OK, without the WebSocket that was asked for
        ",
    },
    Story {
        name: "gateway: CAP denies the tunnel",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            190ms <= @tunnel 0x800759db
            190ms <= @close 0
            200ms > fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tunnel, after 0 µs
            finding RDG-CAP, server, certain, in gateway-tunnel on back
            the gateway refuses the tunnel: E_PROXY_NAP_ACCESSDENIED (0x800759db)
        ",
    },
    Story {
        name: "gateway: CAP denies the authorization",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.3 10ms
            100ms way 10ms until=authorize
            210ms <= @authorized 0x800759db
            220ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-authorization, after 9.9 ms
            finding RDG-CAP, server, certain, in gateway-authorization on back
            the gateway refuses to authorize the tunnel: E_PROXY_NAP_ACCESSDENIED (0x800759db)
        ",
    },
    Story {
        name: "gateway: RAP denies the channel",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            230ms <= @channel 0x800759da
            240ms >= @shut
            240ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 0 µs
            finding RDG-RAP, server, certain, in gateway-channel on back
            the gateway refuses the channel to host.example:3389: E_PROXY_RAP_ACCESSDENIED (0x800759da)
        ",
    },
    Story {
        name: "gateway: the target refuses",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            230ms <= @channel 0x800759dd
            240ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 9.9 ms
            finding RDG-TARGET, server, certain, in gateway-channel on back
            the gateway refuses the channel to host.example:3389: E_PROXY_TS_CONNECTFAILED (0x800759dd)
        ",
    },
    Story {
        name: "gateway: the target does not answer",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            21.2s <= @channel 0x800759dd
            21.3s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 100 ms
            finding RDG-TARGET, server, certain, in gateway-channel on back
            the gateway refuses the channel to host.example:3389: E_PROXY_TS_CONNECTFAILED (0x800759dd)
        ",
    },
    Story {
        name: "gateway: its token is refused",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway's 401"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms >= @ask
            110ms <= @status 101
            120ms >= @handshake-request
            130ms <= @handshake 0
            140ms >= @create-with-cookie
            150ms <= @tunnel 0x800759f8
            160ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 9.9 ms
            finding RDG-COOKIE, server, certain, in gateway-tunnel on back
            the gateway refuses the tunnel: E_PROXY_COOKIE_AUTHENTICATION_ACCESS_DENIED (0x800759f8)
        ",
    },
    Story {
        name: "gateway: it is full",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway ends the tunnel"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            190ms <= @tunnel 0x59e6
            200ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 9.9 ms
            finding RDG-LIMIT, server, certain, in gateway-tunnel on back
            the gateway refuses the tunnel: E_PROXY_MAXCONNECTIONSREACHED (0x59e6)
        ",
    },
    Story {
        name: "gateway: an error inside of it",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            190ms <= @tunnel 0x800759d8
            200ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 9.9 ms
            finding RDG-503, server, certain, in gateway-tunnel on back
            the gateway refuses the tunnel: E_PROXY_INTERNALERROR (0x800759d8)
        ",
    },
    Story {
        name: "gateway: an error without a name",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            230ms <= @channel 0x80070000
            240ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 9.9 ms
            finding RDG-TARGET, server, possible, in gateway-channel on back
            the gateway refuses the channel to host.example:3389: 0x80070000
        ",
    },
    Story {
        name: "gateway: another way of authentication is wanted",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "HTTP error of the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=handshake-request
            170ms <= @handshake 0x800759f9
            180ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 9.9 ms
            finding RDG-401, server, certain, in gateway-tunnel on back
            the gateway refuses the tunnel: E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD (0x800759f9)
        ",
    },
    Story {
        name: "gateway: silence after ask",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=ask
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-http, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-http on back, or RDG-503 PATH-DEAD
            the gateway does not answer the client's RDG_OUT_DATA: it gives up after 30.9 s
        ",
    },
    Story {
        name: "gateway: FIN after ask",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=ask
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-http, after 150 ms
            finding RDG-TRANSPORT, server, possible, in gateway-http on back, or RDG-503 PATH-DEAD
            in gateway-http, behind the client's RDG_OUT_DATA: server closes (FIN) 150 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after ask",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=ask
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-http, after 150 ms
            finding RDG-TRANSPORT, server, possible, in gateway-http on back, or RDG-503 PATH-DEAD
            in gateway-http, behind the client's RDG_OUT_DATA: server resets (RST) 150 ms after the last byte
        ",
    },
    Story {
        name: "gateway: silence after authenticate",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-auth, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-auth on back, or RDG-503 RDG-401
            the gateway does not answer the client's RDG_OUT_DATA: it gives up after 30.9 s
        ",
    },
    Story {
        name: "gateway: FIN after authenticate",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-auth, after 110 ms
            finding RDG-TRANSPORT, server, possible, in gateway-auth on back, or RDG-503 RDG-401
            in gateway-auth, behind the client's RDG_OUT_DATA: server closes (FIN) 110 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after authenticate",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authenticate
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-auth, after 110 ms
            finding RDG-TRANSPORT, server, possible, in gateway-auth on back, or RDG-503 RDG-401
            in gateway-auth, behind the client's RDG_OUT_DATA: server resets (RST) 110 ms after the last byte
        ",
    },
    Story {
        name: "gateway: silence after handshake-request",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=handshake-request
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            the gateway does not answer the client's handshake request: it gives up after 30.8 s
        ",
    },
    Story {
        name: "gateway: FIN after handshake-request",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=handshake-request
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tunnel, after 90 ms
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            in gateway-tunnel, behind the client's handshake request: server closes (FIN) 90 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after handshake-request",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=handshake-request
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-tunnel, after 90 ms
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            in gateway-tunnel, behind the client's handshake request: server resets (RST) 90 ms after the last byte
        ",
    },
    Story {
        name: "gateway: silence after create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-tunnel, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            the gateway does not answer the client's tunnel create: it gives up after 30.8 s
        ",
    },
    Story {
        name: "gateway: FIN after create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-tunnel, after 70 ms
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            in gateway-tunnel, behind the client's tunnel create: server closes (FIN) 70 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=create
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-tunnel, after 70 ms
            finding RDG-TRANSPORT, server, possible, in gateway-tunnel on back, or RDG-503 PATH-DEAD
            in gateway-tunnel, behind the client's tunnel create: server resets (RST) 70 ms after the last byte
        ",
    },
    Story {
        name: "gateway: silence after authorize",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authorize
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-authorization, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-authorization on back, or RDG-503 RDG-CAP
            the gateway does not answer the client's tunnel authorize: it gives up after 30.8 s
        ",
    },
    Story {
        name: "gateway: FIN after authorize",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authorize
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-authorization, after 50 ms
            finding RDG-TRANSPORT, server, possible, in gateway-authorization on back, or RDG-503 RDG-CAP
            in gateway-authorization, behind the client's tunnel authorize: server closes (FIN) 50 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after authorize",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authorize
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-authorization, after 50 ms
            finding RDG-TRANSPORT, server, possible, in gateway-authorization on back, or RDG-503 RDG-CAP
            in gateway-authorization, behind the client's tunnel authorize: server resets (RST) 50 ms after the last byte
        ",
    },
    Story {
        name: "gateway: silence after channel-create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-channel on back, or RDG-503 RDG-TARGET RDG-RAP
            the gateway does not answer the client's channel create: it gives up after 30.8 s
        ",
    },
    Story {
        name: "gateway: FIN after channel-create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-channel, after 30 ms
            finding RDG-TRANSPORT, server, possible, in gateway-channel on back, or RDG-503 RDG-TARGET RDG-RAP
            in gateway-channel, behind the client's channel create: server closes (FIN) 30 ms after the last byte
        ",
    },
    Story {
        name: "gateway: RST after channel-create",
        fires: &["ended on the way through the gateway"],
        almost: &[
            "the tunnel refused",
            "the gateway's 401",
            "HTTP error of the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            250ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-channel, after 30 ms
            finding RDG-TRANSPORT, server, possible, in gateway-channel on back, or RDG-503 RDG-TARGET RDG-RAP
            in gateway-channel, behind the client's channel create: server resets (RST) 30 ms after the last byte
        ",
    },
    Story {
        name: "gateway: the client leaves at once, in the middle",
        fires: &[],
        almost: &["ended on the way through the gateway", "the tunnel refused"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=tunnel
            200ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-authorization, after 9.9 ms
            no findings
        ",
    },
    Story {
        name: "gateway: the client cannot wait for the channel",
        fires: &["ended on the way through the gateway"],
        almost: &["the tunnel refused"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=channel-create
            1s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in gateway-channel, after 780 ms
            finding RDG-TRANSPORT, server, possible, in gateway-channel on back, or RDG-503 RDG-TARGET RDG-RAP
            the gateway does not answer the client's channel create: it gives up after 780 ms
        ",
    },
    Story {
        name: "gateway: nobody says RDP behind the channel",
        fires: &["no answer to the request"],
        almost: &["ended on the way through the gateway", "the tunnel refused"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            240ms > @request SSL+HYBRID
            31s >= close
            31s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 0 µs
            finding X224-NOCC, server, likely, in negotiation on back, or PATH-ASYM
            the server does not answer the request: the client gives up after 30.8 s
        ",
    },
    Story {
        name: "gateway: the target closes before the confirm",
        fires: &["closed before the confirm"],
        almost: &["ended on the way through the gateway", "the tunnel refused", "the gateway ends the tunnel"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            240ms > @request SSL+HYBRID
            250ms <= @close 0
            250ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding TCP-RST-AFTER, server, likely, in negotiation on back, or X224-TOKEN PRX-HEADER
            the server closes the connection after the connection request
        ",
    },
    Story {
        name: "gateway: the target wants NLA",
        fires: &["negotiation failure"],
        almost: &["ended on the way through the gateway", "the tunnel refused"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            240ms > @request SSL
            250ms < @failure 5
            260ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 9.9 ms
            finding X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
        ",
    },
    Story {
        name: "gateway: a wrong password for the target",
        fires: &["errorCode of CredSSP"],
        almost: &["the gateway's 401", "ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms until=authenticate
            440ms << @error-code 0xC000006D v=6
            450ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in credssp, after 9.9 ms
            finding NLA-CRED, server, certain, in credssp on back
            the server ends CredSSP with errorCode 0xC000006D STATUS_LOGON_FAILURE
        ",
    },
    Story {
        name: "gateway: the target's TLS is refused by the client",
        fires: &["alert of the client"],
        almost: &["TLS with the gateway", "ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            240ms > @request SSL
            250ms < @confirm SSL
            260ms > @hello 1.2 sni=host.example
            270ms < @server-hello 1.2
            270ms < @certificate expired
            270ms < @hello-done
            280ms > @alert 45
            280ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-EXPIRED, client, certain, in tls on front
            the client ends the TLS handshake: alert certificate_expired (45)
        ",
    },
    Story {
        name: "gateway: a session that was idle for too long",
        fires: &["the gateway ends the tunnel"],
        almost: &["broken while active", "Set Error Info"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            1800s <= @close 0x4d4
            1800s <= @shut
            1800s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding RDG-LIMIT, server, certain, in active on back
            the gateway ends the tunnel: E_PROXY_CONNECTIONABORTED (0x4d4)
        ",
    },
    Story {
        name: "gateway: a session that lasts too long",
        fires: &["the gateway ends the tunnel"],
        almost: &["broken while active"],
        script: "
            0ms gateway
            21ms outer 1.3 10ms
            100ms way 10ms
            300ms tls 1.3 SSL+HYBRID+HYBRID_EX 10ms
            400ms inside 10ms
            1800s <= @close 0x59f6
            1800s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding RDG-LIMIT, server, certain, in active on back
            the gateway ends the tunnel: E_PROXY_SESSIONTIMEOUT (0x59f6)
        ",
    },
    Story {
        name: "gateway: an administrator ends it, and says so",
        fires: &["the gateway ends the tunnel"],
        almost: &["broken while active"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s <= @message
            610s <= @close 0
            610s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding RDG-LIMIT, server, likely, in active on back
            the gateway ends the tunnel, after a message to the user
        ",
    },
    Story {
        name: "gateway: a message to the user, and an orderly end much later",
        fires: &[],
        almost: &["the gateway ends the tunnel"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s <= @message
            700s << @mcs graphics
            900s >> @ultimatum 3
            900s >> close
            900s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: the target ends the session, and the gateway the tunnel",
        fires: &[],
        almost: &["the gateway ends the tunnel", "broken while active"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s << @errinfo 0xC
            600s << @ultimatum 3
            600s << close
            600s <= @close 0
            600.1s >= @shut
            600.1s > fin
        ",
        says: "
            connected
            end on back: by server, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: keep-alives change nothing",
        fires: &[],
        almost: &["the gateway ends the tunnel", "ended on the way through the gateway"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            60s <= @keep-alive
            120s >= @keep-alive
            121s >> @ultimatum 3
            121s >> close
            121s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: reset while the session is active",
        fires: &["the gateway ends the tunnel"],
        almost: &[
            "broken while active",
            "ended on the way through the gateway",
            "ended behind TLS with the gateway",
        ],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            60s << @mcs graphics
            60.1s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 100 ms
            finding RDG-TRANSPORT, server, possible, in active on back, or RDG-LIMIT RDG-503 PATH-RSTINJ
            the connection to the gateway breaks while the session runs: server resets (RST) 100 ms after the last byte
        ",
    },
    Story {
        name: "gateway: the target ends the session, and the gateway says that of the tunnel, too",
        fires: &[],
        almost: &["the gateway ends the tunnel", "broken while active"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s << @errinfo 0xC
            600s << @ultimatum 3
            600s << close
            600s <= @close 0x4d4
            600.1s > fin
        ",
        says: "
            connected
            end on back: by server, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "gateway: the target ends the session for its own limit",
        fires: &["Set Error Info"],
        almost: &["the gateway ends the tunnel", "broken while active"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s << @errinfo 0x3
            600s << @ultimatum 3
            600s << close
            600s <= @close 0x4d4
            600.1s > fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-IDLE, server, certain, in active on back
            the server ends the session and says why: 0x00000003 ERRINFO_IDLE_TIMEOUT
        ",
    },
    Story {
        name: "gateway: who authenticates again is not let in any more",
        fires: &["the gateway ends the tunnel"],
        almost: &["the tunnel refused", "broken while active"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms
            300ms tls 1.2 SSL+HYBRID 10ms
            400ms inside 10ms
            600s <= @close 0x59fb
            600s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding RDG-CAP, server, certain, in active on back
            the gateway ends the tunnel: E_PROXY_REAUTH_CAP_FAILED (0x59fb)
        ",
    },
    Story {
        name: "gateway: it closes the tunnel that it has made, and says why",
        fires: &["the tunnel refused"],
        almost: &["ended on the way through the gateway", "the gateway ends the tunnel"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=tunnel
            195ms <= @close 0x59e6
            195ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-authorization, after 0 µs
            finding RDG-LIMIT, server, certain, in gateway-authorization on back
            the gateway refuses to authorize the tunnel: E_PROXY_MAXCONNECTIONSREACHED (0x59e6)
        ",
    },
    Story {
        name: "gateway: it closes the tunnel that it has made, in order",
        fires: &["ended on the way through the gateway"],
        almost: &["the tunnel refused", "the gateway ends the tunnel"],
        script: "
            0ms gateway
            21ms outer 1.2 10ms
            100ms way 10ms until=authorized
            215ms <= @close 0x4ca
            215ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in gateway-channel, after 0 µs
            finding RDG-TRANSPORT, server, possible, in gateway-channel on back, or RDG-503 RDG-TARGET RDG-RAP
            in gateway-channel, behind the gateway's close: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "gateway: sealed, a session that is reset",
        fires: &["the gateway ends the tunnel"],
        almost: &["ended behind TLS with the gateway", "broken while active"],
        script: "
            0ms gateway
            21ms outer 1.3 10ms sealed
            100ms session 10ms nla
            1s session 10ms
            2s session 10ms
            60s < @record 23 4000
            60.1s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 100 ms
            finding RDG-TRANSPORT, server, possible, in active on back, or RDG-LIMIT RDG-503 PATH-RSTINJ
            the connection to the gateway breaks while the session runs: server resets (RST) 100 ms after the last byte
        ",
    },
    Story {
        name: "plain HTTP answers the ClientHello on the gateway's port",
        fires: &["TLS with the gateway"],
        almost: &["gateway not reached"],
        script: "
            0ms gateway
            21ms > @hello 1.2,1.3 sni=server.example
            41ms < @http
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on back: by server, fin, in gateway-tls, after 0 µs
            finding TLS-NOTTLS, server, certain, in gateway-tls on back
            the server answers ClientHello with HTTP, not with TLS
        ",
    },
    Story {
        name: "an RDP server answers on the gateway's port",
        fires: &["TLS with the gateway"],
        almost: &["gateway not reached"],
        script: "
            0ms gateway
            21ms > @hello 1.2,1.3 sni=server.example
            41ms < @mcs ultimatum
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            end on front: by client, fin, in gateway-tls, after 900 µs
            finding TLS-NOTTLS, server, certain, in gateway-tls on back
            the server answers ClientHello with RDP in clear (TPKT), not with TLS
        ",
    },
    Story {
        name: "a gateway that resets at a PROXY header",
        fires: &["a PROXY header that is not read"],
        almost: &["TLS with the gateway"],
        script: "
            0ms gateway
            21ms > @proxy v1
            21ms > @hello 1.2,1.3 sni=server.example
            41ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in gateway-tls, after 20 ms
            finding PRX-HEADER, server, likely, in gateway-tls on back, or TCP-RST-AFTER
            a PROXY header stands before the ClientHello, and the server resets the connection: it does not read one
        ",
    },
    Story {
        name: "a PROXY header before a gateway that is served",
        fires: &[],
        almost: &["a PROXY header that is not read"],
        script: "
            0ms gateway
            20ms > @proxy v2
            20ms outer 1.2 10ms
            60ms way 10ms
            300ms tls 1.2 HYBRID 10ms
            350ms inside 10ms
            2s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 1.5 s
            no findings
        ",
    },
];
