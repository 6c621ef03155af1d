//! Stories of the TLS handshake and of the certificate in it.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "the proxy is stopped while ClientHello is not answered",
        fires: &[],
        almost: &["no answer to ClientHello", "client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            4s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 4.0 s, open
            end on front: by proxy, reset, in tls, after 4.0 s
            warning TLS-NOKEY, server, possible, in tls on back, or PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the proxy is stopped after 4.0 s
        ",
    },
    Story {
        name: "the proxy is stopped right behind ClientHello",
        fires: &[],
        almost: &["no answer to ClientHello", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            3s > @hello 1.2,1.3 sni=server.example
            4s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 4.0 s, open
            end on front: by proxy, reset, in tls, after 1.0 s
            no findings
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 40",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 40
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-CIPHER, server, likely, in tls on back, or TLS-VER TLS-NOKEY
            the server ends the TLS handshake: alert handshake_failure (40)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 47",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 47
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-CIPHER, server, likely, in tls on back
            the server ends the TLS handshake: alert illegal_parameter (47)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 70",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 70
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-VER, server, certain, in tls on back
            the server ends the TLS handshake: alert protocol_version (70)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 71",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 71
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-CIPHER, server, likely, in tls on back
            the server ends the TLS handshake: alert insufficient_security (71)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 80",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 80
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-NOKEY, server, likely, in tls on back
            the server ends the TLS handshake: alert internal_error (80)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 86",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 86
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-VER, server, certain, in tls on back
            the server ends the TLS handshake: alert inappropriate_fallback (86)
        ",
    },
    Story {
        name: "the server answers ClientHello with alert 112",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @alert 112
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-NAME, server, likely, in tls on back
            the server ends the TLS handshake: alert unrecognized_name (112)
        ",
    },
    Story {
        name: "the server warns of an unknown name and goes on",
        fires: &[],
        almost: &["alert of the server", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @alert 112 warning
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            3s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.7 s, done, inferred
            end on front: by client, fin, in active, after 2.6 s
            no findings
        ",
    },
    Story {
        name: "the client answers a certificate (self-signed) with alert 42",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            70ms > @alert 42
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, likely, in tls on front
            the client ends the TLS handshake: alert bad_certificate (42)
        ",
    },
    Story {
        name: "the client answers a certificate (expired) with alert 42",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired
            64ms < @hello-done
            70ms > @alert 42
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-EXPIRED, client, likely, in tls on front
            the client ends the TLS handshake: alert bad_certificate (42)
        ",
    },
    Story {
        name: "the client answers a certificate (valid) with alert 43",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms > @alert 43
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-WEAK, client, likely, in tls on front
            the client ends the TLS handshake: alert unsupported_certificate (43)
        ",
    },
    Story {
        name: "the client answers a certificate (valid) with alert 44",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms > @alert 44
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, possible, in tls on front
            the client ends the TLS handshake: alert certificate_revoked (44)
        ",
    },
    Story {
        name: "the client answers a certificate (expired) with alert 45",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired
            64ms < @hello-done
            70ms > @alert 45
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-EXPIRED, client, certain, in tls on front
            the client ends the TLS handshake: alert certificate_expired (45)
        ",
    },
    Story {
        name: "the client answers a certificate (not-yet) with alert 45",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate not-yet
            64ms < @hello-done
            70ms > @alert 45
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-NOTYET, client, certain, in tls on front
            the client ends the TLS handshake: alert certificate_expired (45)
        ",
    },
    Story {
        name: "the client answers a certificate (wrong-name) with alert 46",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate wrong-name
            64ms < @hello-done
            70ms > @alert 46
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-NAME, client, likely, in tls on front
            the client ends the TLS handshake: alert certificate_unknown (46)
        ",
    },
    Story {
        name: "the client answers a certificate (self-signed) with alert 48",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            70ms > @alert 48
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
        ",
    },
    Story {
        name: "the client answers a certificate (valid) with alert 48",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms > @alert 48
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
        ",
    },
    Story {
        name: "the client answers a certificate (valid) with alert 40",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms > @alert 40
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-CIPHER, client, likely, in tls on front
            the client ends the TLS handshake: alert handshake_failure (40)
        ",
    },
    Story {
        name: "the client answers a certificate (valid) with alert 70",
        fires: &["alert of the client"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms > @alert 70
            70ms > fin
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-VER, client, certain, in tls on front
            the client ends the TLS handshake: alert protocol_version (70)
        ",
    },
    Story {
        name: "the client takes its leave after the certificate",
        fires: &["client left after the certificate"],
        almost: &["alert of the client", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired-self
            64ms < @hello-done
            2.5s > @alert 0 warning
            2.5s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 2.5 s, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-EXPIRED, client, likely, in tls on front, or TLS-UNTRUST PRX-PROBE
            the client leaves 2.4 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the client leaves a certificate of ML-DSA, which it did not offer",
        fires: &["client left after the certificate"],
        almost: &["alert of the client", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example sigs=08040403
            64ms < @server-hello 1.2
            64ms < @certificate ml-dsa
            64ms < @hello-done
            70ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 5.9 ms
            finding TLS-MLDSA, client, likely, in tls on front, or PRX-PROBE
            the client leaves 6.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the client leaves a certificate of ML-DSA that it offered",
        fires: &["client left after the certificate"],
        almost: &["alert of the client", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example sigs=090408040403
            64ms < @server-hello 1.2
            64ms < @certificate ml-dsa
            64ms < @hello-done
            70ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 5.9 ms
            finding TLS-UNTRUST, client, possible, in tls on front, or PRX-PROBE
            the client leaves 6.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "a ClientHello with ML-KEM is never answered",
        fires: &["a ClientHello of two segments"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example groups=11ec size=1750
            25s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 25.0 s
            finding PATH-HELLO, nobody, possible, in tls on back, or TLS-NOKEY PATH-PMTU PATH-WINZERO
            a ClientHello of 1754 bytes, which needs two segments, is not answered: the client gives up after 25.0 s
        ",
    },
    Story {
        name: "a long ClientHello without ML-KEM is never answered",
        fires: &["no answer to ClientHello"],
        almost: &["a ClientHello of two segments"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example size=1750
            25s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 25.0 s
            finding TLS-NOKEY, server, possible, in tls on back, or PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the client gives up after 25.0 s
        ",
    },
    Story {
        name: "the client resets right after the certificate",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms > rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 24 ms, failed
            end on front: by client, reset, in tls, after 900 µs
            finding TLS-UNTRUST, client, possible, in tls on front, or PRX-PROBE
            the client leaves 1.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user denies a certificate (self-signed)",
        fires: &["client left after the certificate"],
        almost: &["key exchange without an end", "closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-UNTRUST, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (self-signed)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the user denies a certificate (expired)",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-EXPIRED, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (expired)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the user denies a certificate (expired-self)",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired-self
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-EXPIRED, client, likely, in tls on front, or TLS-UNTRUST TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (expired-self)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate expired-self
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the user denies a certificate (not-yet)",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate not-yet
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-NOTYET, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (not-yet)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate not-yet
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the user denies a certificate (weak)",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate weak
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-WEAK, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (weak)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate weak
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the user denies a certificate (wrong-name)",
        fires: &["client left after the certificate"],
        almost: &["closed after ClientHello", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate wrong-name
            64ms < @hello-done
            6s > fin
            6.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-NAME, client, likely, in tls on front, or DNS-WRONG TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the user accepts a certificate (wrong-name)",
        fires: &[],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate wrong-name
            64ms < @hello-done
            6066ms > @key-exchange
            6066ms > @finished
            6086ms < @finished
            6088ms session 20ms
            8s > fin
            8.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 6.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "the server closes right after ClientHello",
        fires: &["closed after ClientHello"],
        almost: &["client left after the certificate", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            66ms < fin
            67ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 25 ms, failed
            end on back: by server, fin, in tls, after 23 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            the server closes the connection 23 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "the server resets right after ClientHello",
        fires: &["closed after ClientHello"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            66ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 25 ms, failed
            end on back: by server, reset, in tls, after 23 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER PATH-RSTINJ
            the server resets the connection 23 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "the client leaves right after ClientHello",
        fires: &["client did not wait"],
        almost: &["closed after ClientHello", "no answer to ClientHello", "client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            50ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.0 ms, failed
            end on front: by client, fin, in tls, after 6.9 ms
            note PRX-PROBE, client, possible, in tls on front
            the client leaves 7.0 ms after its ClientHello, before an answer could be complete
        ",
    },
    Story {
        name: "the server does not answer ClientHello",
        fires: &["no answer to ClientHello"],
        almost: &["closed after ClientHello", "large segments vanish"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            70ms path back rtt_us=20000 unacked=0 backoff=0 out_of_order=0
            25s > fin
            25.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 25.0 s, failed
            end on front: by client, fin, in tls, after 25.0 s
            finding TLS-NOKEY, server, possible, in tls on back, or PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the client gives up after 25.0 s
        ",
    },
    Story {
        name: "a large ClientHello is never acknowledged",
        fires: &["never acknowledged"],
        almost: &["large segments vanish", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example size=1700
            1s path back rtt_us=20000 unacked=2 backoff=3 retransmits=3
            25s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 25.0 s, failed
            end on front: by client, fin, in tls, after 25.0 s
            finding PATH-PMTU, middlebox, possible, in tls on back, or PATH-DEAD
            1709 bytes of the client are never acknowledged, for 25.0 s; smaller ones before were
        ",
    },
    Story {
        name: "a small ClientHello is never acknowledged",
        fires: &["never acknowledged"],
        almost: &["large segments vanish", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            1s path back rtt_us=20000 unacked=1 backoff=3 retransmits=3
            924s back nobody timeout
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 924 s, failed
            end on back: by server, timeout, in tls, after 924 s
            finding PATH-DEAD, nobody, possible, in tls on back, or PATH-PMTU
            98 bytes of the client are never acknowledged, for 924 s: the path, or the far end, is dead
        ",
    },
    Story {
        name: "a server that takes four seconds to answer ClientHello",
        fires: &[],
        almost: &["no answer to ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            4064ms < @server-hello 1.2
            4064ms < @certificate valid
            4064ms < @hello-done
            4066ms > @key-exchange
            4066ms > @finished
            4086ms < @finished
            4088ms session 20ms
            9s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 4.0 s, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 4.7 s, done, inferred
            end on front: by client, fin, in active, after 4.6 s
            no findings
        ",
    },
    Story {
        name: "the server's flight vanishes but for its tail",
        fires: &["large segments vanish"],
        almost: &["closed after ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            1s path back rtt_us=20000 unacked=0 backoff=0 out_of_order=1 bytes_received=19 rcv_mss=600
            15s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 15.0 s, failed
            end on front: by client, fin, in tls, after 15.0 s
            finding PATH-PMTU, middlebox, likely, in tls on back, or TLS-HALF PATH-LOSS
            the server's flight stays incomplete for 15.0 s, 1 segment behind a hole: small segments pass, large ones vanish
        ",
    },
    Story {
        name: "the server's flight comes out of order and is complete",
        fires: &[],
        almost: &["large segments vanish"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms path back rtt_us=20000 out_of_order=3
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            3s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.7 s, done, inferred
            end on front: by client, fin, in active, after 2.6 s
            no findings
        ",
    },
    Story {
        name: "the server's flight came out of order and the user denies the certificate",
        fires: &["client left after the certificate"],
        almost: &["large segments vanish"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            65ms path back rtt_us=20000 out_of_order=3
            6s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 6.0 s, failed
            end on front: by client, fin, in tls, after 5.9 s
            finding TLS-UNTRUST, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 5.9 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the server closes in the middle of its certificate",
        fires: &["server's flight cut"],
        almost: &["client left after the certificate", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid+self-signed first=500
            70ms < fin
            71ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 29 ms, failed
            end on back: by server, fin, in tls, after 5.9 ms
            finding TLS-HALF, server, likely, in tls on back, or PATH-PMTU
            the server's flight breaks off in Certificate, 495 of 770 bytes: server closes (FIN) 5.9 ms after the last byte
        ",
    },
    Story {
        name: "the server resets in the middle of its ServerHello",
        fires: &["server's flight cut"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2 first=30
            70ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 29 ms, failed
            end on back: by server, reset, in tls, after 5.9 ms
            finding TLS-HALF, server, likely, in tls on back, or PATH-PMTU PATH-RSTINJ
            the server's flight breaks off in ServerHello, 25 of 42 bytes: server resets (RST) 5.9 ms after the last byte
        ",
    },
    Story {
        name: "the server falls silent in the middle of its certificate",
        fires: &["server's flight cut"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid+self-signed first=500
            12s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 12.0 s, failed
            end on front: by client, fin, in tls, after 11.9 s
            finding TLS-HALF, server, likely, in tls on back, or PATH-PMTU
            the server's flight breaks off in Certificate, 495 of 770 bytes, and nothing follows for 11.9 s
        ",
    },
    Story {
        name: "the client leaves in the middle of the server's flight",
        fires: &["client left after the certificate"],
        almost: &["server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            100ms > rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 59 ms, failed
            end on front: by client, reset, in tls, after 36 ms
            finding TLS-UNTRUST, client, likely, in tls on front, or PRX-PROBE
            the client leaves 36 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "the server closes after its whole flight",
        fires: &["key exchange without an end"],
        almost: &["client left after the certificate", "server's flight cut", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            70ms < fin
            71ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 29 ms, failed
            end on back: by server, fin, in tls, after 5.9 ms
            finding TLS-HALF, server, possible, in tls on back
            after its own flight, instead of the server's Finished: server closes (FIN) 5.9 ms after the last byte
        ",
    },
    Story {
        name: "the server resets when it has the client's key exchange",
        fires: &["key exchange without an end"],
        almost: &["client left after the certificate", "CredSSP ended"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, failed
            end on back: by server, reset, in tls, after 20 ms
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-HALF PATH-RSTINJ
            after the client's key exchange, instead of the server's Finished: server resets (RST) 20 ms after the last byte
        ",
    },
    Story {
        name: "the client gives up on the server's Finished",
        fires: &["key exchange without an end"],
        almost: &["client left after the certificate", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            20s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 20.0 s, failed
            end on front: by client, fin, in tls, after 19.9 s
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-HALF PATH-DEAD
            after the client's key exchange, instead of the server's Finished: nothing for 19.9 s
        ",
    },
    Story {
        name: "TLS 1.3: the client leaves after a sealed alert",
        fires: &["client left after the certificate"],
        almost: &["server's flight cut", "alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.3
            64ms < @record 23 1200
            70ms > @record 23 19
            70ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed, inferred
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, possible, in tls on front, or TLS-EXPIRED TLS-NAME PRX-PROBE
            the client leaves 5.9 ms after the server's flight: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "TLS 1.3: the user denies a certificate that cannot be seen",
        fires: &["client left after the certificate"],
        almost: &["server's flight cut", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.3
            64ms < @record 23 1200
            5s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 5.0 s, failed
            end on front: by client, fin, in tls, after 4.9 s
            finding TLS-UNTRUST, client, possible, in tls on front, or TLS-EXPIRED TLS-NAME PRX-PROBE
            the client leaves 4.9 s after the server's flight: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "TLS 1.3: the server resets after its ServerHello",
        fires: &["server's flight cut"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.3
            65ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 24 ms, failed
            end on back: by server, reset, in tls, after 900 µs
            finding TLS-HALF, server, likely, in tls on back, or PATH-PMTU PATH-RSTINJ
            the server's flight breaks off after ServerHello: server resets (RST) 900 µs after the last byte
        ",
    },
    Story {
        name: "TLS 1.3 with a HelloRetryRequest",
        fires: &[],
        almost: &["no answer to ClientHello", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @hello-retry
            66ms > @hello 1.3 sni=server.example
            86ms < @server-hello 1.3
            86ms < @record 23 1200
            90ms > @record 23 53
            90ms session 20ms
            3s > @record 23 19
            3s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 49 ms, done, inferred
            basic-settings on back: 260 ms, done, inferred
            active on front: 2.6 s, done, inferred
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "the server closes after its HelloRetryRequest",
        fires: &["closed after ClientHello"],
        almost: &["server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @hello-retry
            66ms > @hello 1.3 sni=server.example
            87ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 46 ms, failed
            end on back: by server, fin, in tls, after 21 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            the server closes the connection 21 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "bulk payload that could not be kept",
        fires: &[],
        almost: &["no answer to the request", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            2s missing < 90000 dropped
            3s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.7 s, done, inferred
            end on front: by client, fin, in active, after 1.0 s
            no findings
        ",
    },
    Story {
        name: "an alert that says that bytes were altered",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @alert 20
            86ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding SES-CRYPT, server, likely, in tls on back
            the server ends the TLS handshake: alert bad_record_mac (20)
        ",
    },
    Story {
        name: "a client that pauses after a certificate without a fault and leaves",
        fires: &["client left after the certificate"],
        almost: &["key exchange without an end"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            15.1s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 15.1 s, failed
            end on front: by client, fin, in tls, after 15.0 s
            finding TLS-CRL, client, possible, in tls on front, or PRX-PROBE
            the client leaves 15.0 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "a client that leaves a firewall's certificate",
        fires: &["client left after the certificate"],
        almost: &["key exchange without an end"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate inspected
            64ms < @hello-done
            2.1s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 2.1 s, failed
            end on front: by client, fin, in tls, after 2.0 s
            finding TLS-INSPECT, client, likely, in tls on front, or PRX-PROBE
            the client leaves 2.0 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "xrdp gives TLS up in clear and closes",
        fires: &["TLS given up in clear"],
        almost: &["no X.224 confirm", "not TLS"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @mcs ultimatum
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            after ClientHello the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "xrdp gives TLS up in clear and the client closes",
        fires: &["TLS given up in clear"],
        almost: &["no X.224 confirm", "client did not wait", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @mcs ultimatum
            64ms > rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on front: by client, reset, in tls, after 900 µs
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            after ClientHello the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "xrdp gives TLS up in clear before any ClientHello",
        fires: &["TLS given up in clear"],
        almost: &["client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            44ms < @mcs ultimatum
            44ms < fin
            66ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on back: by server, fin, in negotiation, after 0 µs
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            after its own confirm the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "xrdp gives TLS up in clear before a client of TLS 1.0 alone",
        fires: &["TLS given up in clear"],
        almost: &["no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.0
            63ms < @mcs ultimatum
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY TLS-CIPHER
            after ClientHello the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "xrdp gives TLS up in clear behind the client's key exchange",
        fires: &["TLS given up in clear"],
        almost: &["key exchange without an end"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @mcs ultimatum
            87ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, failed
            end on front: by client, fin, in tls, after 900 µs
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-VER TLS-CIPHER
            after the client's key exchange the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "xrdp says protocol_version, then takes its leave in clear",
        fires: &["alert of the server"],
        almost: &["no X.224 confirm", "client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.0
            63ms < @alert 70
            63ms < @mcs ultimatum
            65ms > fin
            85ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on front: by client, fin, in tls, after 1.9 ms
            finding TLS-VER, server, certain, in tls on back
            the server ends the TLS handshake: alert protocol_version (70)
        ",
    },
    Story {
        name: "an internal error in a record of TLS 1.1, and the leave behind the client's end",
        fires: &["alert of the server"],
        almost: &["no X.224 confirm", "client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < 15 03 02 00 02 02 50
            65ms > fin
            75ms < @mcs ultimatum
            76ms > rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on front: by client, fin, in tls, after 1.9 ms
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY
            the server ends the TLS handshake: alert internal_error (80)
        ",
    },
    Story {
        name: "the client refuses the certificate, and xrdp takes its leave in clear",
        fires: &["alert of the client"],
        almost: &["TLS given up in clear", "client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            70ms > @alert 48
            90ms < @mcs ultimatum
            91ms > fin
            92ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 900 µs
            finding TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
        ",
    },
    Story {
        name: "the client leaves at the certificate, and xrdp takes its leave in clear",
        fires: &["client left after the certificate"],
        almost: &["TLS given up in clear"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate self-signed
            64ms < @hello-done
            70ms > fin
            90ms < @mcs ultimatum
            90ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 29 ms, failed
            end on front: by client, fin, in tls, after 5.9 ms
            finding TLS-UNTRUST, client, likely, in tls on front, or PRX-PROBE
            the client leaves 6.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "ClientHello is answered with HTTP",
        fires: &["not TLS"],
        almost: &["closed after ClientHello", "no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @http
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-NOTTLS, server, certain, in tls on back
            the server answers ClientHello with HTTP, not with TLS
        ",
    },
    Story {
        name: "ClientHello is answered with a line of text, and the client leaves",
        fires: &["not TLS"],
        almost: &["client did not wait", "no answer to ClientHello", "no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < 2d 45 52 52 0d 0a
            65ms > fin
            85ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on front: by client, fin, in tls, after 1.9 ms
            finding TLS-NOTTLS, server, certain, in tls on back
            the server answers ClientHello with lines of text, not with TLS
        ",
    },
    Story {
        name: "ClientHello is answered with two letters and silence",
        fires: &["not TLS"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < 6e 6f
            9s > fin
            9.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.0 s, failed
            end on front: by client, fin, in tls, after 8.9 s
            finding TLS-NOTTLS, server, certain, in tls on back
            the server answers ClientHello with lines of text, not with TLS
        ",
    },
    Story {
        name: "ClientHello is answered with another confirm",
        fires: &["not TLS"],
        almost: &["closed after ClientHello", "no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            63ms < @confirm SSL
            64ms > rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on front: by client, reset, in tls, after 900 µs
            finding TLS-NOTTLS, server, certain, in tls on back
            the server answers ClientHello with RDP in clear (TPKT), not with TLS
        ",
    },
    Story {
        name: "the client speaks MCS in clear where TLS was selected",
        fires: &["not TLS"],
        almost: &["closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @mcs connect-initial
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on back: by server, fin, in tls, after 20 ms
            finding TLS-NOTTLS, client, certain, in tls on front
            the client speaks RDP in clear (TPKT) where TLS has to stand
        ",
    },
    Story {
        name: "a client of TLS 1.0 alone is reset",
        fires: &["closed after ClientHello"],
        almost: &["alert of the server"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.0
            63ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, reset, in tls, after 20 ms
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY TLS-CIPHER PATH-RSTINJ
            the server resets the connection 20 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "a client of TLS 1.0 alone, and FIN",
        fires: &["closed after ClientHello"],
        almost: &["alert of the server"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.0
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 20 ms
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY TLS-CIPHER
            the server closes the connection 20 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "a client of TLS 1.1 alone, and silence",
        fires: &["no answer to ClientHello"],
        almost: &["alert of the server"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.1
            9s > fin
            9.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.0 s, failed
            end on front: by client, fin, in tls, after 9.0 s
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the client gives up after 9.0 s
        ",
    },
    Story {
        name: "a ClientHello in the format of SSL 2.0 is refused",
        fires: &["alert of the server"],
        almost: &["closed after ClientHello", "not TLS"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @ssl2-hello 1.0
            63ms < 15 03 01 00 02 02 46
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-VER, server, certain, in tls on back
            the server ends the TLS handshake: alert protocol_version (70)
        ",
    },
    Story {
        name: "a ClientHello in the format of SSL 2.0 that old servers take",
        fires: &[],
        almost: &["not TLS", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @ssl2-hello 1.0
            64ms < @server-hello 1.0
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            3s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.7 s, done, inferred
            end on front: by client, fin, in active, after 2.6 s
            no findings
        ",
    },
    Story {
        name: "a client that resets before the server's Finished could come",
        fires: &["client did not wait"],
        almost: &["key exchange without an end"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms path back unacked=0 backoff=0 rtt_us=60000 min_rtt_us=60000
            66ms > @key-exchange
            66ms > @finished
            67ms > rst
        ",
        says: "
            unfinished
            end on front: by client, reset, in tls, after 900 µs
            note PRX-PROBE, client, possible, in tls on front
            the client leaves 1.0 ms after its last message, before an answer could be complete
        ",
    },
    Story {
        name: "a client that waits for the server's Finished for longer than it takes",
        fires: &["key exchange without an end"],
        almost: &["client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms path back unacked=0 backoff=0 rtt_us=60000 min_rtt_us=60000
            66ms > @key-exchange
            66ms > @finished
            266ms > rst
        ",
        says: "
            failed
            end on front: by client, reset, in tls, after 200 ms
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-HALF PATH-DEAD
            after the client's key exchange, instead of the server's Finished: nothing for 200 ms
        ",
    },
    Story {
        name: "a client that leaves at once on the server's Finished",
        fires: &["client left after the certificate"],
        almost: &["client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms path back unacked=0 backoff=0 rtt_us=60000 min_rtt_us=60000
            66ms > @key-exchange
            66ms > @finished
            126ms < @finished
            127ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 900 µs
            finding TLS-UNTRUST, client, possible, in tls on front, or PRX-PROBE
            the client leaves 1.0 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "a client with TLS 1.0 alone, and an internal error of the server",
        fires: &["alert of the server"],
        almost: &[],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.0
            64ms < 15 03 01 00 02 02 50
            64ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-VER, server, likely, in tls on back, or TLS-NOKEY
            the server ends the TLS handshake: alert internal_error (80)
        ",
    },
    Story {
        name: "a client that cannot verify the server's signature",
        fires: &["alert of the client"],
        almost: &[],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @alert 51
            66ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-NOKEY, client, likely, in tls on front, or SES-CRYPT
            the client ends the TLS handshake: alert decrypt_error (51)
        ",
    },
    Story {
        name: "a ClientHello that is answered with a ChangeCipherSpec",
        fires: &["closed after ClientHello"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < 14 03 03 00 01 01
            64ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-NOTTLS, server, possible, in tls on back, or TLS-NOKEY
            the server answers ClientHello with what is no ServerHello, and closes the connection
        ",
    },
    Story {
        name: "a client's alert at the server's leave in clear",
        fires: &["TLS given up in clear"],
        almost: &["alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < 03 00 00 09 02 f0 80 21 80
            66ms > @alert 70
            66ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER
            after ClientHello the server gives TLS up, with an MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "a client's alert at an answer of HTTP",
        fires: &["not TLS"],
        almost: &["alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @http
            66ms > @alert 70
            66ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-NOTTLS, server, certain, in tls on back
            the server answers ClientHello with HTTP, not with TLS
        ",
    },
    Story {
        name: "a client's alert, and the server's leave in clear behind it",
        fires: &["alert of the client"],
        almost: &["TLS given up in clear"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @alert 48
            67ms < 03 00 00 09 02 f0 80 21 80
            67ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
        ",
    },
    Story {
        name: "a client whose turn it is says nothing behind the server's flight",
        fires: &["key exchange without an end"],
        almost: &["server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            30s < fin
        ",
        says: "
            unfinished
            end on back: by server, fin, in tls, after 29.9 s
            note PRX-PROBE, client, possible, in tls on front, or TLS-UNTRUST PATH-PMTU
            the client does not go on for 29.9 s after the server's flight, and the server closes (FIN) 29.9 s after the last byte
        ",
    },
    Story {
        name: "a server that leaves at once behind its flight",
        fires: &["key exchange without an end"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in tls, after 900 µs
            finding TLS-HALF, server, possible, in tls on back
            after its own flight, instead of the server's Finished: server closes (FIN) 900 µs after the last byte
        ",
    },
    Story {
        name: "a server that closes before ClientHello comes",
        fires: &["closed after ClientHello"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            41ms back < fin
            43ms front > @hello 1.2,1.3 sni=server.example
            44ms front > fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-VER TLS-CIPHER
            the server closes the connection 0 µs after its own confirm, before any ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "the server's certificate is no DER, and the client says bad_certificate",
        fires: &["a TLS message that cannot be read"],
        almost: &["no X.224 confirm", "not RDP", "alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030010 0b00000c 000009 000006 300430020500
            63ms < @hello-done
            84ms > @alert 42
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-BADCERT, server, likely, in tls on back, or TLS-UNTRUST TLS-INSPECT
            the server's certificate cannot be read (expected an X.509 certificate, found Parsing Error: InvalidSerial (byte 52))
        ",
    },
    Story {
        name: "the server's certificate is no DER, and the client leaves without a word",
        fires: &["a TLS message that cannot be read"],
        almost: &["no X.224 confirm", "client left after the certificate", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030010 0b00000c 000009 000006 300430020500
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 21 ms
            finding TLS-BADCERT, server, likely, in tls on back, or TLS-UNTRUST TLS-INSPECT
            the server's certificate cannot be read (expected an X.509 certificate, found Parsing Error: InvalidSerial (byte 52))
        ",
    },
    Story {
        name: "the server has no certificate in its list",
        fires: &["a TLS message that cannot be read"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030007 0b000003 000000
            63ms < @hello-done
            84ms > @alert 50
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-BADCERT, server, likely, in tls on back, or TLS-UNTRUST TLS-INSPECT
            the server's certificate cannot be read (expected a certificate, found an empty list (byte 46))
        ",
    },
    Story {
        name: "the lengths in the server's Certificate do not fit",
        fires: &["a TLS message that cannot be read"],
        almost: &["alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030010 0b00000c 000009 000060 300430020500
            84ms > @alert 50
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-BADCERT, server, likely, in tls on back, or TLS-UNTRUST TLS-INSPECT
            the server's certificate cannot be read (expected a whole certificate, found 9 bytes (byte 49))
        ",
    },
    Story {
        name: "the server's Certificate is said to have 2 MiB",
        fires: &["a TLS message that cannot be read"],
        almost: &["no X.224 confirm", "server's flight cut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030404 0b200000 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 21 ms
            finding TLS-BADMSG, server, likely, in tls on back, or SES-CRYPT TLS-INSPECT
            the server's TLS handshake message cannot be read (expected a handshake message of at most 1048576 bytes, found type 11 of 2097156 bytes (byte 42))
        ",
    },
    Story {
        name: "the lengths in the ServerHello do not fit, and the client says decode_error",
        fires: &["a TLS message that cannot be read"],
        almost: &["no answer to ClientHello", "alert of the client"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < 160303002a 02000026 0303 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a ffc02f00
            84ms > @alert 50
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-BADMSG, server, likely, in tls on back, or SES-CRYPT TLS-INSPECT
            the server's TLS handshake message cannot be read (expected the fields of a ServerHello, found 4 bytes (byte 38))
        ",
    },
    Story {
        name: "the lengths in the ClientHello do not fit, and the server says decode_error",
        fires: &["a TLS message that cannot be read"],
        almost: &["alert of the server", "closed after ClientHello", "client left without a request"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > 160301002b 01000027 0303 c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 4000020100
            63ms < @alert 50
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on back: by server, fin, in tls, after 0 µs
            finding TLS-BADMSG, client, likely, in tls on front, or SES-CRYPT TLS-INSPECT
            the client's TLS handshake message cannot be read (expected the fields of a ClientHello, found 5 bytes (byte 38))
        ",
    },
    Story {
        name: "the ClientHello is said to have 8 MiB, and the server closes",
        fires: &["a TLS message that cannot be read"],
        almost: &["closed after ClientHello", "selected what was not offered", "client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > 1603010204 01800000 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 22 ms, failed
            end on back: by server, fin, in tls, after 20 ms
            finding TLS-BADMSG, client, likely, in tls on front, or SES-CRYPT TLS-INSPECT
            the client's TLS handshake message cannot be read (expected a handshake message of at most 1048576 bytes, found type 1 of 8388612 bytes (byte 0))
        ",
    },
    Story {
        name: "a certificate behind the leaf is no DER, and the client does not know the issuer",
        fires: &["alert of the client"],
        almost: &["a TLS message that cannot be read"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < @certificate valid
            63ms < @hello-done
            84ms > @alert 48
            84ms > fin
            104ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 43 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            finding TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
        ",
    },
    Story {
        name: "the server's certificate is no DER, and the client goes on",
        fires: &[],
        almost: &["a TLS message that cannot be read", "no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            63ms < @server-hello 1.2
            63ms < 1603030010 0b00000c 000009 000006 300430020500
            63ms < @hello-done
            65ms > @key-exchange
            65ms > @finished
            85ms < @finished
            87ms session 20ms
            9s > fin
            9.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 44 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 8.7 s, done, inferred
            end on front: by client, fin, in active, after 8.6 s
            no findings
        ",
    },
    Story {
        name: "the server hangs up when it has half of the ClientHello",
        fires: &["a TLS message that cannot be read"],
        almost: &["closed after ClientHello", "client left without a request"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example first=60
            3s < fin
            3.01s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on back: by server, fin, in negotiation, after 3.0 s
            finding TLS-BADMSG, client, possible, in tls on front, or PATH-PMTU TLS-INSPECT
            the client's ClientHello cannot be read (55 of its 91 bytes)
        ",
    },
];
