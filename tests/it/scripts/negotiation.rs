//! Stories of the X.224 negotiation.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "a web server on the port",
        fires: &["not RDP"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms < @http
            42ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server does not speak RDP but HTTP
        ",
    },
    Story {
        name: "an SSH server on the port",
        fires: &["not RDP"],
        almost: &["no answer to the request"],
        script: "
            40ms < @ssh
            41ms > @request SSL
            900ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 20 ms, failed
            end on front: by client, fin, in negotiation, after 859 ms
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server does not speak RDP but SSH
        ",
    },
    Story {
        name: "a TLS client without X.224",
        fires: &["TLS first at a relay for RDP"],
        almost: &["not RDP", "closed after ClientHello"],
        script: "
            21ms > @hello 1.2,1.3
            41ms < rst
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 1.0 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            note PRX-PROBE, client, certain, in negotiation on front
            the client speaks TLS first: that is for an RD Gateway, or for HTTPS; for a gateway start with --gateway
        ",
    },
    Story {
        name: "a web client without X.224",
        fires: &["not RDP"],
        almost: &["TLS first at a relay for RDP", "HTTPS asked for RDP"],
        script: "
            21ms > @http
            41ms < rst
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 1.0 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            note PRX-PROBE, client, certain, in negotiation on front
            the client does not speak RDP but HTTP
        ",
    },
    Story {
        name: "a web server on the port of HTTPS is asked for RDP",
        fires: &["HTTPS asked for RDP"],
        almost: &["closed before the confirm"],
        script: "
            0ms dial 192.0.2.10:443
            20ms opened
            21ms > @request SSL
            41ms < @http
            42ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server answers the X.224 request with HTTP: it is there for HTTPS, or is an RD Gateway; for an RD Gateway there is --gateway, and for captures --gateway-port
        ",
    },
    Story {
        name: "TLS answers the request with an alert, on another port",
        fires: &["HTTPS asked for RDP"],
        almost: &["alert of the server"],
        script: "
            21ms > @request SSL
            41ms < 15030300020246
            42ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server answers the X.224 request with TLS: it is there for HTTPS, or is an RD Gateway; for an RD Gateway there is --gateway, and for captures --gateway-port
        ",
    },
    Story {
        name: "the port of HTTPS hangs up on the request",
        fires: &["HTTPS asked for RDP"],
        almost: &[],
        script: "
            0ms dial 192.0.2.10:443
            20ms opened
            21ms > @request SSL
            41ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            finding TCP-NOTRDP, server, likely, in negotiation on back, or TCP-RST-AFTER
            the server hangs up on the X.224 request: port 443 is that of HTTPS and of RD Gateways, which take no such request; for an RD Gateway there is --gateway, and for captures --gateway-port
        ",
    },
    Story {
        name: "the port of HTTPS does not answer the request",
        fires: &["HTTPS asked for RDP"],
        almost: &[],
        script: "
            0ms dial 192.0.2.10:443
            20ms opened
            21ms > @request SSL
            20s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 20.0 s, failed
            end on front: by client, fin, in negotiation, after 20.0 s
            finding TCP-NOTRDP, server, possible, in negotiation on back, or X224-NOCC
            the server does not answer the X.224 request: port 443 is that of HTTPS and of RD Gateways, which take no such request; for an RD Gateway there is --gateway, and for captures --gateway-port
        ",
    },
    Story {
        name: "a client that does not wait for the port of HTTPS",
        fires: &["client did not wait"],
        almost: &["HTTPS asked for RDP"],
        script: "
            0ms dial 192.0.2.10:443
            20ms opened
            21ms > @request SSL
            30ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 10 ms, failed
            end on front: by client, fin, in negotiation, after 8.9 ms
            note PRX-PROBE, client, possible, in negotiation on front
            the client leaves 9.0 ms after its request, before an answer could be complete
        ",
    },
    Story {
        name: "RDP on the port of HTTPS that refuses the negotiation",
        fires: &["negotiation failure"],
        almost: &["HTTPS asked for RDP"],
        script: "
            0ms dial 192.0.2.10:443
            20ms opened
            21ms > @request SSL
            41ms < @failure 5
            42ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
        ",
    },
    Story {
        name: "a user name that looks like HTTP",
        fires: &[],
        almost: &["not RDP"],
        script: "
            21ms > @request SSL cookie=HTTP/1.1
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            2s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 1",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request RDP
            41ms < @failure 1
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-SSLREQ, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_REQUIRED_BY_SERVER (1)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 2",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @failure 2
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-SSLNO, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_NOT_ALLOWED_BY_SERVER (2)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 3",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @failure 3
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 4",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @failure 4
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-INCONS, server, certain, in negotiation on back
            the server refuses the negotiation: INCONSISTENT_FLAGS (4)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 5",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @failure 5
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 6",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL+HYBRID_EX
            41ms < @failure 6
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-INCONS, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER (6)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 7",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm", "client wants more than was selected"],
        script: "
            21ms > @request SSL
            41ms < @failure 7
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-INCONS, server, possible, in negotiation on back
            the server refuses the negotiation: a code that is not known here (7)
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 5, and the client comes back with NLA",
        fires: &["negotiation failure"],
        almost: &[],
        script: "
            21ms > @request SSL
            41ms < @failure 5
            42ms > fin
            62ms < fin
            100ms again
            121ms > @request SSL+HYBRID
            141ms < @confirm HYBRID
            143ms > @hello 1.2,1.3 sni=server.example
            164ms < @server-hello 1.2
            164ms < @certificate valid
            164ms < @hello-done
            166ms > @key-exchange
            166ms > @finished
            186ms < @finished
            188ms session 20ms nla
            3s > fin
        ",
        says: "
            failed, withdrawn
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            note X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 82 ms, done, inferred
            active on front: 2.5 s, done, inferred
            end on front: by client, fin, in active, after 2.4 s
            no findings
            attempt connected
        ",
    },
    Story {
        name: "RDP_NEG_FAILURE 2, and the client comes back without TLS",
        fires: &["negotiation failure"],
        almost: &["ended in clear"],
        script: "
            21ms > @request SSL
            41ms < @failure 2
            42ms > fin
            62ms < fin
            100ms again
            121ms > @request RDP
            141ms < @confirm RDP
            143ms legacy 20ms
            3s > rst
        ",
        says: "
            failed, withdrawn
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            note X224-SSLNO, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_NOT_ALLOWED_BY_SERVER (2)
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            active on front: 2.7 s, done, inferred
            end on front: by client, reset, in active, after 2.6 s
            no findings
            attempt connected
        ",
    },
    Story {
        name: "the server selects what was not offered",
        fires: &["selected what was not offered"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm HYBRID
            42ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-DOWNGR, server, certain, in negotiation on back
            the client offers SSL, the server selects HYBRID
        ",
    },
    Story {
        name: "the server selects less than the client's best",
        fires: &[],
        almost: &["selected what was not offered", "client wants more than was selected"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
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
        name: "the server selects what was not offered, and the client goes on",
        fires: &[],
        almost: &["selected what was not offered"],
        script: "
            21ms > @request HYBRID
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
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
        name: "the server closes after the request",
        fires: &["closed before the confirm"],
        almost: &["no answer to the request", "closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 20 ms
            finding TCP-RST-AFTER, server, likely, in negotiation on back, or X224-TOKEN PRX-HEADER
            the server closes the connection after the connection request
        ",
    },
    Story {
        name: "the server resets after the request with a token",
        fires: &["closed before the confirm"],
        almost: &["negotiation failure"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            finding TCP-RST-AFTER, server, likely, in negotiation on back, or X224-TOKEN PRX-HEADER PATH-RSTINJ
            the server resets the connection after the connection request
        ",
    },
    Story {
        name: "the server closes after it has refused",
        fires: &["negotiation failure"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms < @failure 3
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
        ",
    },
    Story {
        name: "the request is acknowledged and not answered",
        fires: &["no answer to the request"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms path back rtt_us=20000 unacked=0 backoff=0 bytes_acked=30
            30s > fin
            30.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 30.0 s, failed
            end on front: by client, fin, in negotiation, after 30.0 s
            finding X224-NOCC, server, likely, in negotiation on back, or PATH-ASYM
            the server does not answer the request: the client gives up after 30.0 s
        ",
    },
    Story {
        name: "the request is never acknowledged",
        fires: &["never acknowledged"],
        almost: &["closed before the confirm", "no answer to the request"],
        script: "
            21ms > @request SSL
            1s path back rtt_us=20000 rto_us=220000 unacked=1 backoff=3 retransmits=3
            8s path back unacked=1 backoff=5 retransmits=5
            9s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 9.0 s, failed
            end on front: by client, fin, in negotiation, after 9.0 s
            finding PATH-ASYM, nobody, possible, in negotiation on back, or PATH-DEAD
            42 bytes of the client are never acknowledged, for 9.0 s, nor was anything before
        ",
    },
    Story {
        name: "this end's kernel gives up on the request",
        fires: &["never acknowledged"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            1s path back rtt_us=20000 unacked=1 backoff=2 retransmits=2
            924s back nobody timeout
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 924 s, failed
            end on back: by server, timeout, in negotiation, after 924 s
            finding PATH-ASYM, nobody, possible, in negotiation on back, or PATH-DEAD
            42 bytes of the client are never acknowledged, for 924 s, nor was anything before
        ",
    },
    Story {
        name: "a server that takes five seconds to answer the request",
        fires: &[],
        almost: &["no answer to the request", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            5041ms < @confirm SSL
            5043ms > @hello 1.2,1.3 sni=server.example
            5064ms < @server-hello 1.2
            5064ms < @certificate valid
            5064ms < @hello-done
            5066ms > @key-exchange
            5066ms > @finished
            5086ms < @finished
            5088ms session 20ms
            8s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 5.0 s, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.7 s, done, inferred
            end on front: by client, fin, in active, after 2.6 s
            no findings
        ",
    },
    Story {
        name: "a confirm without RDP_NEG_RSP to a client that wants TLS",
        fires: &["client wants more than was selected"],
        almost: &["legacy request to a TLS-only server"],
        script: "
            21ms > @request SSL
            41ms < @confirm none
            41.5ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 400 µs
            finding X224-SSLNO, client, likely, in negotiation on front, or TLS-NOKEY
            the server selects standard RDP security and the client, which offered more, leaves without going on
        ",
    },
    Story {
        name: "a client that insists on NLA",
        fires: &["client wants more than was selected"],
        almost: &["closed after ClientHello", "selected what was not offered"],
        script: "
            21ms > @request SSL+HYBRID+HYBRID_EX
            41ms < @confirm SSL
            41.5ms > fin
            62ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 400 µs
            finding X224-NLAONLY, client, possible, in negotiation on front, or PRX-PROBE
            the server selects less than NLA and the client leaves without going on
        ",
    },
    Story {
        name: "a client that leaves after the confirm",
        fires: &["client wants more than was selected"],
        almost: &["closed after ClientHello", "client left without a request"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            200ms > fin
            220ms < fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 159 ms
            note PRX-PROBE, client, possible, in negotiation on front
            the server confirms and the client leaves without going on
        ",
    },
    Story {
        name: "the server closes after its own confirm",
        fires: &["closed after ClientHello"],
        almost: &["client wants more than was selected", "closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            41ms < fin
            44ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on back: by server, fin, in negotiation, after 0 µs
            finding TLS-NOKEY, server, possible, in tls on back, or TLS-VER TLS-CIPHER
            the server closes the connection 0 µs after its own confirm, before any ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "a client without TLS at a server that wants it",
        fires: &["legacy request to a TLS-only server"],
        almost: &["the request refused", "TLS given up in clear"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms > @mcs connect-initial
            63ms < @mcs ultimatum
            63ms < fin
            64ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, failed
            end on back: by server, fin, in basic-settings, after 0 µs
            finding X224-SSLREQ, server, likely, in basic-settings on back, or MCS-REJECT
            the server refuses a client without TLS at its first MCS PDU
        ",
    },
    Story {
        name: "a Disconnect Provider Ultimatum after the Connect Response",
        fires: &["ended in clear"],
        almost: &["legacy request to a TLS-only server"],
        script: "
            21ms > @request none
            41ms < @confirm none
            43ms legacy 20ms turns=4
            123ms < @mcs ultimatum
            123ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            basic-settings on back: 22 ms, done
            end on back: by server, fin, in channel-connection, after 0 µs
            finding MCS-REJECT, server, possible, in channel-connection on back
            in channel-connection, with standard RDP security, the server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "a confirm in two halves, a second apart",
        fires: &[],
        almost: &["no answer to the request", "not RDP"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL first=4
            1.041s < 0ed000001234000207080001000000
            1143ms > @hello 1.2,1.3 sni=server.example
            1164ms < @server-hello 1.2
            1164ms < @certificate valid
            1164ms < @hello-done
            1166ms > @key-exchange
            1166ms > @finished
            1186ms < @finished
            1188ms session 20ms
            4s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 1.0 s, done
            tls on back: 145 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 2.6 s, done, inferred
            end on front: by client, fin, in active, after 2.5 s
            no findings
        ",
    },
    Story {
        name: "the server closes in the middle of its confirm",
        fires: &["no X.224 confirm"],
        almost: &["not RDP"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL first=9
            41ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding X224-HALF, server, likely, in negotiation on back, or TCP-NOTRDP
            the server's answer to the request breaks off after 9 of 19 bytes: server closes (FIN) 0 µs after the last byte
        ",
    },
    Story {
        name: "the proxy is stopped in the negotiation",
        fires: &[],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            3s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            end on front: by proxy, reset, in negotiation, after 3.0 s
            warning X224-NOCC, server, possible, in negotiation on back, or PATH-ASYM
            the server does not answer the request: the proxy is stopped after 3.0 s
        ",
    },
    Story {
        name: "the proxy is stopped while the request may still be answered",
        fires: &[],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            1900ms stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            end on front: by proxy, reset, in negotiation, after 1.9 s
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped while the client asks its user",
        fires: &[],
        almost: &["client wants more than was selected", "no answer to the request", "client left without a request"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm SSL
            30s stop
        ",
        says: "
            unfinished
            end on front: by proxy, reset, in negotiation, after 30.0 s
            no findings
        ",
    },
    Story {
        name: "the proxy is stopped while part of the answer is missing",
        fires: &[],
        almost: &["no answer to the request", "no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms missing < 19 dropped
            9s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 9.0 s, open
            end on front: by proxy, reset, in negotiation, after 9.0 s
            no findings
        ",
    },
    Story {
        name: "an answer that is no confirm",
        fires: &["no X.224 confirm"],
        almost: &["no answer to the request", "not RDP"],
        script: "
            21ms > @request SSL
            41ms < 03 00 00 0c 02 f0 80 68 00 01 03 eb
            3s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 3.0 s, failed
            end on front: by client, fin, in negotiation, after 3.0 s
            finding TCP-NOTRDP, server, likely, in negotiation on back, or X224-DOWNGR
            the server's answer to the request is no X.224 confirm: expected a Connection Confirm (d0), found Data (f0) (byte 5)
        ",
    },
    Story {
        name: "a confirm with a tail",
        fires: &[],
        almost: &["no X.224 confirm"],
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
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "an RDP server that does not know a protocol refuses the request",
        fires: &["the request refused"],
        almost: &["closed before the confirm", "no X.224 confirm"],
        script: "
            21ms > @request RDSAAD
            41ms < @mcs ultimatum
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding X224-REFUSED, server, certain, in negotiation on back, or X224-BADREQ
            the RDP server refuses the connection request itself, which offers a protocol that older servers do not know: MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "an RDP server refuses the request and the client closes first",
        fires: &["the request refused"],
        almost: &["no X.224 confirm", "no answer to the request", "client did not wait"],
        script: "
            21ms > @request SSL
            41ms < @mcs ultimatum
            43ms > fin
            63ms < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 1.9 ms
            finding X224-REFUSED, server, certain, in negotiation on back, or X224-BADREQ
            the RDP server refuses the connection request itself: MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "a client that hangs up on its own request, and a server that takes its leave of that",
        fires: &["client did not wait"],
        almost: &["the request refused", "closed before the confirm"],
        script: "
            21ms > @request SSL
            22ms > fin
            43ms < @mcs ultimatum
            43ms < fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 2.0 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, possible, in negotiation on front
            the client leaves 1.0 ms after its request, before an answer could be complete
        ",
    },
    Story {
        name: "a request that is shifted by four bytes, answered by RST",
        fires: &["a request that cannot be read"],
        almost: &["closed before the confirm"],
        script: "
            21ms > 03 00 00 13 0e e0 0e e0 00 00 00 00 00 00 00 00 00 00 00 01 00 08 00 03 00 00 00
            41ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            finding X224-BADREQ, client, likely, in negotiation on front
            the client's connection request cannot be read (expected CR LF at the end of cookie or routing token, found none (byte 11)): the server resets (RST) 20 ms after the last byte
        ",
    },
    Story {
        name: "a request that is framed too short, answered by FIN",
        fires: &["a request that cannot be read"],
        almost: &["closed before the confirm"],
        script: "
            21ms > 03 00 00 0b 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 20 ms
            finding X224-BADREQ, client, likely, in negotiation on front
            the client's connection request cannot be read (expected a length indicator of 6, found 14 (byte 4)): the server closes (FIN) 20 ms after the last byte
        ",
    },
    Story {
        name: "a request that announces more than comes, and silence",
        fires: &["a request that cannot be read"],
        almost: &["no answer to the request", "client left without a request"],
        script: "
            21ms > 03 00 00 2b 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00
            30s > fin
            30.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 30.0 s, failed
            end on front: by client, fin, in negotiation, after 30.0 s
            finding X224-BADREQ, client, likely, in negotiation on front
            the client's connection request cannot be read (19 of its 43 bytes): the server says nothing for 30.0 s
        ",
    },
    Story {
        name: "a request that cannot be read, answered by an ultimatum",
        fires: &["a request that cannot be read"],
        almost: &["closed before the confirm"],
        script: "
            21ms > 03 00 00 13 0e e0 0e e0 00 00 00 00 00 00 00 00 00 00 00 01 00 08 00 03 00 00 00
            41ms < @mcs ultimatum
            41ms < fin
            43ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding X224-BADREQ, client, likely, in negotiation on front, or X224-REFUSED
            the client's connection request cannot be read (expected CR LF at the end of cookie or routing token, found none (byte 11)): the server answers with a Disconnect Provider Ultimatum
        ",
    },
    Story {
        name: "half a request of a client that leaves at once",
        fires: &["client left without a request"],
        almost: &["a request that cannot be read"],
        script: "
            21ms > 03 00 00 13 0e e0 00
            30ms > fin
            50ms < fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 10 ms, failed
            end on front: by client, fin, in negotiation, after 8.9 ms
            note PRX-PROBE, client, likely, in negotiation on front
            the client connects and leaves after 8.9 ms without a request
        ",
    },
    Story {
        name: "a request with a wrong length indicator that is served",
        fires: &[],
        almost: &["a request that cannot be read"],
        script: "
            21ms > 03 00 00 13 06 e0 00 00 00 00 00 01 00 08 00 01 00 00 00
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
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
        name: "nine bytes that are no confirm, and silence",
        fires: &["no X.224 confirm"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            41ms < 03 00 00 2b 00 03 00 80 01
            30s > fin
            30.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 30.0 s, failed
            end on front: by client, fin, in negotiation, after 30.0 s
            finding TCP-NOTRDP, server, likely, in negotiation on back, or X224-DOWNGR
            the server's answer to the request (9 of 43 bytes) is no X.224 confirm: expected a Connection Confirm (d0), found code 00 (byte 5)
        ",
    },
    Story {
        name: "half a confirm, and silence",
        fires: &["no X.224 confirm"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL first=9
            30s > fin
            30.02s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on front: 30.0 s, failed
            end on front: by client, fin, in negotiation, after 30.0 s
            finding X224-HALF, server, likely, in negotiation on back, or TCP-NOTRDP
            the server's answer to the request breaks off after 9 of 19 bytes: client closes (FIN) 30.0 s after the last byte
        ",
    },
    Story {
        name: "half a confirm, and a reset",
        fires: &["no X.224 confirm"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL first=9
            42ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 22 ms, failed
            end on back: by server, reset, in negotiation, after 900 µs
            finding X224-HALF, server, likely, in negotiation on back, or TCP-NOTRDP PATH-RSTINJ
            the server's answer to the request breaks off after 9 of 19 bytes: server resets (RST) 900 µs after the last byte
        ",
    },
    Story {
        name: "a client of S7 at an RDP server",
        fires: &["not RDP"],
        almost: &["closed before the confirm"],
        script: "
            21ms > 03 00 00 16 11 e0 00 00 00 07 00 c0 01 0a c1 02 01 00 c2 02 01 02
            41ms < rst
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 1.0 ms, failed
            end on back: by server, reset, in negotiation, after 20 ms
            note PRX-PROBE, client, certain, in negotiation on front
            the client does not speak RDP but ISO on TCP (S7, MMS)
        ",
    },
    Story {
        name: "an S7 server on the port",
        fires: &["not RDP"],
        almost: &["no X.224 confirm"],
        script: "
            21ms > @request SSL
            41ms < 03 00 00 16 11 d0 00 00 00 07 00 c0 01 0a c1 02 01 00 c2 02 01 02
            60ms > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 19 ms
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server does not speak RDP but ISO on TCP (S7, MMS)
        ",
    },
    Story {
        name: "a client that leaves after the confirm, and an alert that answers its end",
        fires: &["client wants more than was selected"],
        almost: &["alert of the server", "TLS given up in clear"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            45ms > fin
            66ms < @alert 50
            66ms < @mcs ultimatum
            67ms < fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 3.9 ms
            note PRX-PROBE, client, possible, in negotiation on front
            the server confirms and the client leaves without going on
        ",
    },
    Story {
        name: "a PROXY header before a request that the server answers with a goodbye",
        fires: &["a PROXY header that is not read"],
        almost: &["no X.224 confirm", "not RDP"],
        script: "
            21ms > @proxy v1
            21ms > @request SSL
            41ms < 03 00 00 09 02 f0 80 21 80
            42ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in negotiation, after 900 µs
            finding PRX-HEADER, server, likely, in negotiation on back, or TCP-NOTRDP
            a PROXY header stands before the request, and the server answers with what is no X.224 confirm: it does not read one
        ",
    },
    Story {
        name: "a PROXY header and a goodbye, at which the client leaves",
        fires: &["a PROXY header that is not read"],
        almost: &["not RDP", "client did not wait"],
        script: "
            21ms > @proxy v2
            21ms > @request SSL
            41ms < 03 00 00 09 02 f0 80 21 80
            43ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 1.9 ms
            finding PRX-HEADER, server, likely, in negotiation on back, or TCP-NOTRDP
            a PROXY header stands before the request, and the server answers with what is no X.224 confirm: it does not read one
        ",
    },
    Story {
        name: "a PROXY header of version 2 that the server resets",
        fires: &["a PROXY header that is not read"],
        almost: &["client left without a request"],
        script: "
            21ms > @proxy v2
            21ms > @request SSL+HYBRID
            41ms < rst
        ",
        says: "
            failed
            end on back: by server, reset, in negotiation, after 20 ms
            finding PRX-HEADER, server, likely, in negotiation on back, or TCP-RST-AFTER
            a PROXY header stands before the request, and the server resets the connection: it does not read one
        ",
    },
    Story {
        name: "a server that closes at a PROXY header, before the request came",
        fires: &["a PROXY header that is not read"],
        almost: &["client left without a request"],
        script: "
            21ms > @proxy v1
            41ms < fin
            42ms > fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 20 ms
            finding PRX-HEADER, server, likely, in negotiation on back, or TCP-RST-AFTER
            a PROXY header stands before the request, and the server closes the connection: it does not read one
        ",
    },
    Story {
        name: "a PROXY header that says nothing, and an answer that is neither RDP nor known",
        fires: &["a PROXY header that is not read"],
        almost: &["no answer to the request"],
        script: "
            21ms > @proxy unknown
            21ms > @request SSL
            41ms < 45 52 52 0d 0a
            42ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding PRX-HEADER, server, likely, in negotiation on back, or TCP-NOTRDP
            a PROXY header stands before the request, and the server answers with what is no X.224 confirm: it does not read one
        ",
    },
    Story {
        name: "a PROXY header before a session that is served",
        fires: &[],
        almost: &["a PROXY header that is not read", "not RDP"],
        script: "
            21ms > @proxy v1
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
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "two PROXY headers before a session that is served",
        fires: &[],
        almost: &["a PROXY header that is not read", "not RDP"],
        script: "
            21ms > @proxy v2
            21ms > @proxy v1
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
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "a PROXY header, and a server that refuses for another reason",
        fires: &["negotiation failure"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @proxy v1
            21ms > @request SSL
            41ms < @failure 5
            41ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
        ",
    },
    Story {
        name: "a PROXY header before a server of another protocol",
        fires: &["not RDP"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @proxy v1
            21ms > @request SSL
            41ms < @http
            41ms < fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 0 µs
            finding TCP-NOTRDP, server, certain, in negotiation on back
            the server does not speak RDP but HTTP
        ",
    },
    Story {
        name: "a PROXY header and a server that does not answer",
        fires: &["no answer to the request"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @proxy v1
            21ms > @request SSL
            9s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 9.0 s
            finding X224-NOCC, server, likely, in negotiation on back, or PRX-HEADER PATH-ASYM
            the server does not answer the request: the client gives up after 9.0 s
        ",
    },
    Story {
        name: "a balancer's own check: a PROXY header and nothing else",
        fires: &["client left without a request"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @proxy local
            22ms > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, likely, in negotiation on front
            the client connects and leaves after 900 µs without a request
        ",
    },
    Story {
        name: "a request that is closed after a while",
        fires: &["closed before the confirm"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @request SSL
            4s < fin
            4.02s > fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 4.0 s
            finding TCP-RST-AFTER, server, likely, in negotiation on back, or X224-TOKEN
            the server closes the connection after the connection request
        ",
    },
    Story {
        name: "a balancer's own check that the server ends by its timer",
        fires: &["client left without a request"],
        almost: &["a PROXY header that is not read"],
        script: "
            21ms > @proxy local
            30s < fin
            30.1s > fin
        ",
        says: "
            unfinished
            end on back: by server, fin, in negotiation, after 30.0 s
            note PRX-PROBE, client, likely, in negotiation on back
            the client connects and asks for nothing: server closes (FIN) 30.0 s after the last byte
        ",
    },
    Story {
        name: "a server that takes the request and hangs up half a minute later",
        fires: &["closed before the confirm"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            30.2s < fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 30.2 s
            finding X224-NOCC, server, likely, in negotiation on back, or TCP-RST-AFTER
            the server takes the request, says nothing for 30.2 s and closes it
        ",
    },
    Story {
        name: "a handshake that the client leaves half open",
        fires: &["a handshake left half open"],
        almost: &["client left without a request"],
        script: "
            0ms dial
            20ms opened
            1s sign back kind=syn_ack_again place=1 after_ns=1000000000
            3s sign back kind=syn_ack_again place=2 after_ns=2000000000
        ",
        says: "
            unfinished
            end on back: by nobody, cut, in negotiation, after 3.0 s
            note PRX-PROBE, client, possible, in negotiation on back, or PATH-ASYM
            the client asks for a connection and leaves it half open: 2 more SYN-ACKs get no answer
        ",
    },
    Story {
        name: "a client that asks again, since the answer does not reach it",
        fires: &[],
        almost: &["a handshake left half open"],
        script: "
            0ms dial
            20ms opened
            1s sign back kind=syn_again place=1 after_ns=1000000000
            1s sign back kind=syn_ack_again place=1 after_ns=1000000000
            3s sign back kind=syn_ack_again place=2 after_ns=2000000000
        ",
        says: "
            unfinished
            end on back: by nobody, cut, in negotiation, after 3.0 s
            no findings
        ",
    },
    Story {
        name: "the request is given up, and the session goes on",
        fires: &[],
        almost: &["not RDP"],
        script: "
            21ms missing > 47 dropped
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
    Story {
        name: "a client that says nothing behind the confirm until the server gives up",
        fires: &["client wants more than was selected"],
        almost: &["closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            60s < fin
            60.1s > fin
        ",
        says: "
            unfinished
            end on back: by server, fin, in negotiation, after 60.0 s
            note PRX-PROBE, client, possible, in negotiation on back
            the server confirms and the client does not go on: server closes (FIN) 60.0 s after the last byte
        ",
    },
    Story {
        name: "a server that confirms standard RDP security and closes",
        fires: &["ended in clear"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request none
            41ms < @confirm none
            42ms < fin
            43ms > fin
        ",
        says: "
            failed
            end on back: by server, fin, in negotiation, after 900 µs
            finding X224-REFUSED, server, possible, in negotiation on back, or X224-SSLNO TLS-NOKEY
            in negotiation, with standard RDP security, the server closes (FIN) 900 µs after the last byte
        ",
    },
    Story {
        name: "a scanner that names itself leaves behind the confirm",
        fires: &["client wants more than was selected"],
        almost: &[],
        script: "
            21ms > @request SSL+HYBRID cookie=nmap
            41ms < @confirm SSL
            3s > fin
        ",
        says: "
            unfinished
            end on front: by client, fin, in negotiation, after 3.0 s
            note PRX-PROBE, client, possible, in negotiation on front
            the server confirms and the client leaves without going on
        ",
    },
    Story {
        name: "a user who leaves behind the confirm in as much time",
        fires: &["client wants more than was selected"],
        almost: &[],
        script: "
            21ms > @request SSL+HYBRID cookie=anna
            41ms < @confirm SSL
            3s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 3.0 s
            finding X224-NLAONLY, client, possible, in negotiation on front, or PRX-PROBE
            the server selects less than NLA and the client leaves without going on
        ",
    },
    Story {
        name: "a goodbye to the request, and the capture ends",
        fires: &["the request refused"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            41ms < @mcs ultimatum
        ",
        says: "
            failed
            end on back: by nobody, cut, in negotiation, after 0 µs
            finding X224-REFUSED, server, certain, in negotiation on back, or X224-BADREQ
            the RDP server refuses the connection request itself: MCS Disconnect Provider Ultimatum (rn-user-requested) in clear
        ",
    },
    Story {
        name: "half a confirm, and the proxy is stopped half a minute later",
        fires: &[],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL first=9
            30s stop
        ",
        says: "
            unfinished
            end on front: by proxy, reset, in negotiation, after 30.0 s
            warning X224-HALF, server, possible, in negotiation on back, or TCP-NOTRDP
            the server's answer to the request breaks off after 9 of 19 bytes: proxy is stopped 30.0 s after the last byte
        ",
    },
    Story {
        name: "NLA is asked of a client that offers it",
        fires: &["negotiation failure"],
        almost: &["selected what was not offered"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @failure 5
            42ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-INCONS, server, likely, in negotiation on back
            the server refuses the negotiation with HYBRID_REQUIRED_BY_SERVER, which the client offers
        ",
    },
    Story {
        name: "TLS is asked of a client that offers it",
        fires: &["negotiation failure"],
        almost: &["selected what was not offered"],
        script: "
            21ms > @request SSL
            41ms < @failure 1
            42ms > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-INCONS, server, likely, in negotiation on back
            the server refuses the negotiation with SSL_REQUIRED_BY_SERVER, which the client offers
        ",
    },
];
