//! Stories of what happens behind TLS, of sessions in clear, and of running sessions.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "CredSSP: the server closes after the second token",
        fires: &["CredSSP ended"],
        almost: &["alert of the server"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=3
            150ms < @record 21 26
            150ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on back: 64 ms, failed, inferred
            end on back: by server, fin, in credssp, after 0 µs
            finding NLA-CRED, server, possible, in credssp on back, or NLA-ORACLE MCS-REJECT
            after the TLS handshake, most likely in CredSSP, the server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "CredSSP: the client leaves after the server's answer",
        fires: &["CredSSP ended"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=4
            155ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 69 ms, failed, inferred
            end on front: by client, fin, in credssp, after 6.9 ms
            note PRX-PROBE, client, possible, in credssp on front, or NLA-ORACLE NLA-BIND NLA-DELEG
            in or right after CredSSP the client leaves by itself: the client closes (FIN) 6.9 ms after the last byte
        ",
    },
    Story {
        name: "CredSSP: the client leaves before the server's second answer",
        fires: &["CredSSP ended"],
        almost: &["client left after the certificate", "client did not wait"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=3
            155ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 69 ms, failed, inferred
            end on front: by client, fin, in credssp, after 27 ms
            note PRX-PROBE, client, possible, in credssp on front, or NLA-ORACLE NLA-BIND NLA-DELEG
            in or right after CredSSP the client leaves by itself: the client closes (FIN) 27 ms after the last byte
        ",
    },
    Story {
        name: "CredSSP: the server says nothing to the first token",
        fires: &["CredSSP ended"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=1
            31s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 30.9 s, failed, inferred
            end on front: by client, fin, in credssp, after 30.9 s
            finding NLA-KDC, server, possible, in credssp on back, or PATH-WINZERO MCS-REJECT
            after the TLS handshake the server says nothing for 30.9 s
        ",
    },
    Story {
        name: "CredSSP: credentials taken, and the server closes",
        fires: &["CredSSP ended"],
        almost: &["ended in clear"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=6
            190ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 82 ms, done, inferred
            basic-settings on back: 22 ms, failed, inferred
            end on back: by server, fin, in basic-settings, after 22 ms
            finding NLA-CRED, server, possible, in basic-settings on back, or NLA-ORACLE MCS-REJECT
            after the TLS handshake, most likely in CredSSP, the server closes (FIN) 22 ms after the last byte
        ",
    },
    Story {
        name: "plain TLS: the server closes after Connect Initial",
        fires: &["ended behind TLS"],
        almost: &["closed with nothing said behind TLS", "CredSSP ended", "ended in clear"],
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
            88ms session 20ms turns=1
            110ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 24 ms, failed, inferred
            end on back: by server, fin, in basic-settings, after 22 ms
            finding MCS-REJECT, server, possible, in basic-settings on back, or INFO-CRED LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the server closes (FIN) 22 ms after the last byte
        ",
    },
    Story {
        name: "plain TLS: the server says nothing to Connect Initial",
        fires: &["ended behind TLS"],
        almost: &["closed with nothing said behind TLS", "no answer to ClientHello"],
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
            88ms session 20ms turns=1
            31s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on front: 30.9 s, failed, inferred
            end on front: by client, fin, in basic-settings, after 30.9 s
            finding PATH-WINZERO, server, possible, in basic-settings on back, or MCS-REJECT INFO-CRED LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the client closes (FIN) 30.9 s after the last byte
        ",
    },
    Story {
        name: "plain TLS: the server closes after Client Info",
        fires: &["ended behind TLS"],
        almost: &["CredSSP ended"],
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
            88ms session 20ms turns=11
            310ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 224 ms, failed, inferred
            end on back: by server, fin, in basic-settings, after 22 ms
            finding INFO-CRED, server, possible, in basic-settings on back, or MCS-REJECT LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the server closes (FIN) 22 ms after the last byte
        ",
    },
    Story {
        name: "plain TLS: the server resets after Confirm Active",
        fires: &["ended behind TLS"],
        almost: &["broken while active"],
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
            88ms session 20ms turns=13
            350ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 264 ms, failed, inferred
            end on back: by server, reset, in basic-settings, after 22 ms
            finding CAP-BAD, server, possible, in basic-settings on back, or MCS-REJECT INFO-CRED LIC-NOSRV
            after the TLS handshake, before the session is active, the server resets (RST) 22 ms after the last byte
        ",
    },
    Story {
        name: "plain TLS: the server closes before anything else",
        fires: &["closed with nothing said behind TLS"],
        almost: &["ended behind TLS", "client left after the certificate", "server's flight cut"],
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
            120ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            end on back: by server, fin, in tls, after 34 ms
            finding TLS-CIPHER, server, possible, in tls on back, or TLS-NOKEY
            after the TLS handshake, with nothing said, the server closes (FIN) 34 ms after the last byte
        ",
    },
    Story {
        name: "plain TLS: the client closes before anything else",
        fires: &["client left after the certificate"],
        almost: &["ended behind TLS"],
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
            120ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            end on front: by client, fin, in tls, after 34 ms
            finding TLS-UNTRUST, client, possible, in tls on front, or PRX-PROBE
            the client leaves 34 ms after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "NLA: the server closes after Client Info",
        fires: &["ended behind TLS"],
        almost: &["CredSSP ended"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla turns=16
            400ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 82 ms, done, inferred
            end on back: by server, fin, in basic-settings, after 32 ms
            finding INFO-CRED, server, possible, in basic-settings on back, or MCS-REJECT LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the server closes (FIN) 32 ms after the last byte
        ",
    },
    Story {
        name: "a healthy session, closed in order",
        fires: &[],
        almost: &["ended behind TLS", "broken while active", "CredSSP ended"],
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
            5s > @record 23 40
            5s > @record 21 26
            5s > fin
            5.02s < @record 21 26
            5.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 4.7 s, done, inferred
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a healthy session with NLA, closed by the server after a logoff",
        fires: &[],
        almost: &["CredSSP ended", "broken while active"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms nla
            60s < @record 23 60
            60s < @record 21 26
            60s < fin
            60.02s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 82 ms, done, inferred
            active on back: 59.6 s, done, inferred
            end on back: by server, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a healthy session that a Windows client ends with a bare RST",
        fires: &[],
        almost: &["broken while active", "ended behind TLS"],
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
            900s > rst
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 900 s, done, inferred
            end on front: by client, reset, in active, after 900 s
            no findings
        ",
    },
    Story {
        name: "a healthy session over a path of 600 ms",
        fires: &[],
        almost: &["no answer to the request", "no answer to ClientHello", "slow resolver", "broken while active"],
        script: "
            0ms dial
            600ms opened
            600ms path back rtt_us=600000 min_rtt_us=600000 rto_us=1200000
            610ms > @request SSL
            1.21s < @confirm SSL
            1.22s > @hello 1.2,1.3 sni=server.example
            1.82s < @server-hello 1.2
            1.82s < @certificate valid
            1.82s < @hello-done
            1.83s > @key-exchange
            1.83s > @finished
            2.43s < @finished
            2.44s session 600ms
            30s path back rtt_us=610000
            60s > fin
        ",
        says: "
            connected
            tcp on back: 600 ms, done
            negotiation on back: 610 ms, done
            tls on back: 1.2 s, done
            basic-settings on back: 7.8 s, done, inferred
            active on front: 49.8 s, done, inferred
            end on front: by client, fin, in active, after 48.0 s
            no findings
        ",
    },
    Story {
        name: "a healthy session over a path that loses segments",
        fires: &[],
        almost: &["broken while active"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            65ms path back rtt_us=20000 rto_us=220000 retransmits=2 lost=1
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            1s path back rtt_us=22000 rto_us=220000 retransmits=7 lost=0
            9s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 8.7 s, done, inferred
            end on front: by client, fin, in active, after 8.6 s
            no findings
        ",
    },
    Story {
        name: "a server that resets a running session",
        fires: &["broken while active"],
        almost: &["ended behind TLS"],
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
            60s < @record 23 900
            60.5s < rst
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 60.2 s, failed, inferred
            end on back: by server, reset, in active, after 500 ms
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED PATH-RSTINJ
            the running session breaks after 60.2 s: server resets (RST) 500 ms after the last byte
        ",
    },
    Story {
        name: "a server that resets a session just begun",
        fires: &["broken while active"],
        almost: &["ended behind TLS"],
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
            600ms < rst
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 252 ms, failed, inferred
            end on back: by server, reset, in active, after 192 ms
            finding SES-KILLED, server, possible, in active on back, or SES-SHUTDOWN PATH-RSTINJ
            the running session breaks after 252 ms: server resets (RST) 192 ms after the last byte
        ",
    },
    Story {
        name: "a reset after five idle minutes",
        fires: &["broken while active"],
        almost: &[],
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
            60s > @record 23 60
            60.02s < @record 23 900
            360s < rst
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 360 s, failed, inferred
            end on back: by server, reset, in active, after 300 s
            finding PATH-IDLE, server, likely, in active on back, or PATH-RSTINJ
            the running session breaks after 360 s: server resets (RST) 300 s after the last byte
        ",
    },
    Story {
        name: "a running session whose server's kernel falls silent",
        fires: &["broken while active"],
        almost: &[],
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
            60s > @record 23 60
            61s path back unacked=1 backoff=2 retransmits=2
            924s back nobody timeout
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 924 s, failed, inferred
            end on back: by server, timeout, in active, after 864 s
            finding PATH-DEAD, nobody, likely, in active on back
            the running session breaks after 924 s: no answer for 864 s
        ",
    },
    Story {
        name: "the proxy is stopped in the connection sequence, in clear",
        fires: &[],
        almost: &["ended in clear"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=7
            300ms stop
        ",
        says: "
            unfinished
            end on front: by proxy, reset, in secure-settings, after 137 ms
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped in the connection sequence, behind TLS",
        fires: &[],
        almost: &["ended behind TLS"],
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
            88ms > @record 23 500
            108ms < @record 23 200
            300ms stop
        ",
        says: "
            unfinished
            end on front: by proxy, reset, in basic-settings, after 192 ms
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped while the server owes its answer behind TLS",
        fires: &[],
        almost: &["ended behind TLS", "CredSSP ended"],
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
            88ms > @record 23 500
            4s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 3.9 s, open, inferred
            end on front: by proxy, reset, in basic-settings, after 3.9 s
            warning PATH-WINZERO, server, possible, in basic-settings on back, or MCS-REJECT INFO-CRED LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the proxy is stopped 3.9 s after the last byte
        ",
    },
    Story {
        name: "the proxy is stopped while the client looks at the certificate",
        fires: &[],
        almost: &["client left after the certificate", "ended behind TLS", "closed with nothing said behind TLS"],
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
            20s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            end on front: by proxy, reset, in tls, after 19.9 s
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped in a running session",
        fires: &[],
        almost: &["broken while active"],
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
            60s stop
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            end on front: by proxy, reset, in active, after 59.6 s
            no findings
        ",
    },
    Story {
        name: "the recording ends in a running session",
        fires: &[],
        almost: &["broken while active"],
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
            60s < @record 23 900
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 59.7 s, open, inferred
            end on back: by nobody, cut, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "the recording ends behind TLS",
        fires: &[],
        almost: &["ended behind TLS"],
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
            88ms session 20ms turns=5
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 82 ms, open, inferred
            end on back: by nobody, cut, in basic-settings, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a healthy session in clear",
        fires: &[],
        almost: &["ended in clear", "legacy request to a TLS-only server", "client wants more than was selected"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms
            9s > @mcs ultimatum
            9s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            active on front: 8.8 s, done, inferred
            end on front: by client, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "in clear: the server closes after Client Info",
        fires: &["ended in clear"],
        almost: &["legacy request to a TLS-only server", "ended behind TLS"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=7
            200ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            end on back: by server, fin, in secure-settings, after 37 ms
            finding INFO-CRED, server, possible, in secure-settings on back
            in secure-settings, with standard RDP security, the server closes (FIN) 37 ms after the last byte
        ",
    },
    Story {
        name: "in clear: the server closes behind the first encrypted message",
        fires: &["ended in clear"],
        almost: &["legacy request to a TLS-only server"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=6
            180ms > 0300001a02f080640005 03eb700c 01000000 04000000 aabbccdd
            181ms > 0300002202f080640005 03eb7014 48000000 0102030405060708 1112131415161718
            200ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            end on back: by server, fin, in secure-settings, after 19 ms
            finding SEC-MAC, server, possible, in secure-settings on back, or INFO-CRED
            in secure-settings, with standard RDP security, the server closes (FIN) 19 ms after the last byte
        ",
    },
    Story {
        name: "in clear: the server closes after its licence",
        fires: &["ended in clear"],
        almost: &["legacy request to a TLS-only server"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=8
            200ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            end on back: by server, fin, in licensing, after 17 ms
            finding LIC-NOSRV, server, possible, in licensing on back
            in licensing, with standard RDP security, the server closes (FIN) 17 ms after the last byte
        ",
    },
    Story {
        name: "in clear: the server resets after Confirm Active",
        fires: &["ended in clear"],
        almost: &["broken while active"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=10
            260ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            end on back: by server, reset, in finalization, after 37 ms
            finding CAP-BAD, server, possible, in finalization on back
            in finalization, with standard RDP security, the server resets (RST) 37 ms after the last byte
        ",
    },
    Story {
        name: "in clear: the server closes after Connect Initial",
        fires: &["ended in clear"],
        almost: &["client wants more than was selected", "legacy request to a TLS-only server"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms > @mcs connect-initial
            63ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, failed
            end on back: by server, fin, in basic-settings, after 20 ms
            finding MCS-REJECT, server, possible, in basic-settings on back
            in basic-settings, with standard RDP security, the server closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "a server that closes a session after a minute of silence, without a word",
        fires: &["broken while active"],
        almost: &["ended behind TLS"],
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
            20s < @record 23 60
            80s < fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 79.7 s, failed, inferred
            end on back: by server, fin, in active, after 60.0 s
            finding PATH-PROXYIDLE, server, possible, in active on back, or SES-IDLE SES-SHUTDOWN
            the running session breaks after 79.7 s: server closes (FIN) 60.0 s after the last byte
        ",
    },
    Story {
        name: "a server that says something and closes",
        fires: &[],
        almost: &["broken while active"],
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
            20s < @record 23 60
            80s < @record 23 33    # the length of an ultimatum
            80s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 79.7 s, done, inferred
            end on back: by server, fin, in active, after 0 µs
            no findings
        ",
    },
    Story {
        name: "a server that closes with no goodbye of either side",
        fires: &["broken while active"],
        almost: &[],
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
            20s < @record 23 60
            80s < @record 23 45
            80s < fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 79.7 s, failed, inferred
            end on back: by server, fin, in active, after 0 µs
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED
            the running session breaks after 79.7 s: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "a client that answers a server that is gone",
        fires: &["broken while active"],
        almost: &[],
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
            20s < @record 23 60
            80s < @record 23 45
            80s < fin
            80001ms > @record 21 26    # its goodbye comes behind the end
            80002ms > fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 79.7 s, failed, inferred
            end on back: by server, fin, in active, after 0 µs
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED
            the running session breaks after 79.7 s: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "a client that takes its leave before the server closes",
        fires: &[],
        almost: &["broken while active"],
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
            20s < @record 23 60
            80s < @record 23 45
            80001ms > @record 21 26
            80003ms < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 79.7 s, done, inferred
            end on back: by server, fin, in active, after 1.9 ms
            no findings
        ",
    },
    Story {
        name: "an authorization that is denied",
        fires: &["CredSSP ended"],
        almost: &["ended behind TLS"],
        script: "
            21ms > @request SSL+HYBRID_EX
            41ms < @confirm HYBRID_EX
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            90ms > @record 23 110
            110ms < @record 23 260
            115ms > @record 23 700
            140ms < @record 23 130
            142ms > @record 23 220
            163ms < @record 23 28
            164ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on back: 78 ms, failed, inferred
            end on back: by server, fin, in credssp, after 900 µs
            finding NLA-RIGHT, server, possible, in credssp on back, or NLA-CRED MCS-REJECT
            after the TLS handshake, most likely in CredSSP, the server closes (FIN) 900 µs after the last byte
        ",
    },
    Story {
        name: "the client leaves behind a long message where a redirection comes: a healthy session may go on elsewhere",
        fires: &["perhaps sent elsewhere"],
        almost: &["ended behind TLS"],
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
            90ms > @record 23 474
            110ms < @record 23 154
            111ms > @record 23 36
            111ms > @record 23 32
            131ms < @record 23 35
            132ms > @record 23 36
            152ms < @record 23 39
            153ms > @record 23 324
            190ms < @record 23 174
            200ms > @record 21 26
            200ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on front: 25 ms, done, inferred
            end on front: by client, fin, in licensing, after 0 µs
            note RED-UNREACH, nobody, possible, in licensing on front, or LIC-NOSRV CAP-BAD
            the client leaves in order behind a long message of the server, as behind a redirection
        ",
    },
    Story {
        name: "the client leaves behind a licensing error, which is too short for a redirection",
        fires: &["ended behind TLS"],
        almost: &["perhaps sent elsewhere"],
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
            90ms > @record 23 474
            110ms < @record 23 154
            111ms > @record 23 36
            111ms > @record 23 32
            131ms < @record 23 35
            132ms > @record 23 36
            152ms < @record 23 39
            153ms > @record 23 324
            190ms < @record 23 58
            200ms > @record 21 26
            200ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on front: 25 ms, done, inferred
            end on front: by client, fin, in licensing, after 0 µs
            finding LIC-NOSRV, client, possible, in licensing on front, or MCS-REJECT INFO-CRED CAP-BAD
            after the TLS handshake, before the session is active, most likely in licensing, the client closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the server says that it ends the session, and what the client said meanwhile is answered with RST",
        fires: &[],
        almost: &["broken while active"],
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
            60s < @record 23 33
            60.01s > @record 21 26
            60.02s < rst
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 59.7 s, done, inferred
            end on back: by server, reset, in active, after 9.9 ms
            no findings
        ",
    },
    Story {
        name: "a server that answers the client's close_notify with RST",
        fires: &[],
        almost: &["broken while active"],
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
            20s < @record 23 900
            20001ms > @record 21 26
            20003ms < rst
        ",
        says: "
            connected
            end on back: by server, reset, in active, after 1.9 ms
            no findings
        ",
    },
    Story {
        name: "a record of the length of a goodbye with a picture behind it, and the server closes",
        fires: &["broken while active"],
        almost: &[],
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
            20s < @record 23 33    # the length of an ultimatum
            20s < @record 23 1400
            20s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 0 µs
            finding SES-SHUTDOWN, server, possible, in active on back, or SES-KILLED
            the running session breaks after 19.7 s: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "a record of the length of a goodbye a minute before the server closes",
        fires: &["broken while active"],
        almost: &[],
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
            20s < @record 23 33    # the length of an ultimatum
            80s < fin
        ",
        says: "
            broken
            end on back: by server, fin, in active, after 60.0 s
            finding PATH-PROXYIDLE, server, possible, in active on back, or SES-IDLE SES-SHUTDOWN
            the running session breaks after 79.7 s: server closes (FIN) 60.0 s after the last byte
        ",
    },
    Story {
        name: "a client that leaves while the settings are agreed on",
        fires: &["ended behind TLS"],
        almost: &[],
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
            88ms session 20ms turns=4
            400ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in basic-settings, after 252 ms
            note PRX-PROBE, client, possible, in basic-settings on front, or CAP-BAD
            in basic-settings, before the session is active, the client leaves by itself: the client closes (FIN) 252 ms after the last byte
        ",
    },
];
