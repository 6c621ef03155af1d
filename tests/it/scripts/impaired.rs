//! Stories of sessions that were impaired on purpose: what the program did itself is nobody's fault.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "a reset that was asked for",
        fires: &["ended by an impairment"],
        almost: &["closed after ClientHello", "impaired", "given up while an impairment let nothing pass"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            42ms > @hello 1.2,1.3 sni=server.example
            42ms impair back step=begins what=reset by=server asked=tls:%20reset%20by%20server
            42.3ms back > rst
            42.4ms front < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 1.4 ms, open
            end on back: by proxy, reset, in tls, after 200 µs
            finding PRX-IMPAIR, proxy, certain, in tls on back
            ended by --impair 'tls: reset by server': RST to both sides, as if the server had reset
        ",
    },
    Story {
        name: "a close that was asked for, of a running session",
        fires: &["ended by an impairment"],
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
            8s impair back step=begins what=close by=server asked=at%208s:%20close%20by%20server
            8.001s front < fin
            8.002s > fin
            8.003s back < fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 7.7 s, open, inferred
            end on front: by proxy, fin, in active, after 7.6 s
            finding PRX-IMPAIR, proxy, certain, in active on front
            ended by --impair 'at 8s: close by server': FIN to the client, as if the server had closed
        ",
    },
    Story {
        name: "a server that refuses before it is to be closed",
        fires: &["negotiation failure"],
        almost: &["ended by an impairment"],
        script: "
            21ms > @request RDP
            41ms < @failure 1
            5s impair front step=begins what=close by=client asked=at%205s:%20close%20by%20client
            5.001s back > fin
            5.002s back < fin
            5.003s front < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on back: by proxy, fin, in negotiation, after 5.0 s
            finding X224-SSLREQ, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_REQUIRED_BY_SERVER (1)
        ",
    },
    Story {
        name: "a client gives up on a stall that was asked for",
        fires: &["given up while an impairment let nothing pass"],
        almost: &["no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            42ms impair back step=begins what=stall asked=back%20tls:%20stall
            42ms > @hello 1.2,1.3 sni=server.example
            12s front > fin
            12.1s stop
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 12.0 s, failed
            end on front: by client, fin, in tls, after 12.0 s
            finding PRX-IMPAIR, proxy, likely, in tls on front
            ended 12.0 s after --impair 'back tls: stall' began to let nothing pass
        ",
    },
    Story {
        name: "a stall that is over when the server resets",
        fires: &["closed after ClientHello"],
        almost: &["given up while an impairment let nothing pass"],
        script: "
            21ms > @request SSL
            22ms impair back step=begins what=stall asked=back%20for%201s:%20stall
            1.03s impair back step=over what=stall asked=back%20for%201s:%20stall
            1.04s < @confirm SSL
            1.05s > @hello 1.2,1.3 sni=server.example
            1.07s < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 1.0 s, done
            tls on back: 30 ms, failed
            end on back: by server, reset, in tls, after 20 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER PATH-RSTINJ PRX-IMPAIR
            the server resets the connection 20 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "a session that takes its delay well",
        fires: &["impaired"],
        almost: &["the path is too slow", "ended by an impairment", "slow resolver"],
        script: "
            20ms impair back step=begins what=latency delay_ns=150000000 jitter_ns=20000000 seed=7 asked=back:%20latency%20150ms%20jitter%2020ms
            21ms > @request SSL
            341ms < @confirm SSL
            643ms > @hello 1.2,1.3 sni=server.example
            964ms < @server-hello 1.2
            964ms < @certificate valid
            964ms < @hello-done
            1266ms > @key-exchange
            1266ms > @finished
            1586ms < @finished
            1888ms session 300ms
            12s > fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 321 ms, done
            tls on back: 1.2 s, done
            basic-settings on back: 4.2 s, done, inferred
            active on front: 6.2 s, done, inferred
            end on front: by client, fin, in active, after 5.3 s
            note PRX-IMPAIR, proxy, certain, in active on front
            impaired on purpose, by --impair 'back: latency 150ms jitter 20ms'
        ",
    },
    Story {
        name: "a server that is silent behind a delay",
        fires: &["no answer to ClientHello"],
        almost: &["given up while an impairment let nothing pass"],
        script: "
            20ms impair back step=begins what=latency delay_ns=150000000 jitter_ns=0 asked=back:%20latency%20150ms
            21ms > @request SSL
            341ms < @confirm SSL
            643ms > @hello 1.2,1.3 sni=server.example
            20s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 321 ms, done
            tls on front: 19.7 s, failed
            end on front: by client, fin, in tls, after 19.4 s
            finding TLS-NOKEY, server, possible, in tls on back, or PATH-WINZERO PATH-PMTU PRX-IMPAIR
            the server does not answer ClientHello: the client gives up after 19.4 s
        ",
    },
    Story {
        name: "a client that gives up before its ClientHello is let through",
        fires: &["no answer to ClientHello"],
        almost: &["ended by an impairment", "given up while an impairment let nothing pass"],
        script: "
            20ms impair back step=begins what=latency delay_ns=9000000000 jitter_ns=0 from=client asked=back%20from%20client:%20latency%209s
            21ms > @request SSL
            41ms < @confirm SSL
            42ms front > @hello 1.2,1.3 sni=server.example
            8s front > fin
            8.1s stop
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 8.0 s, failed
            end on front: by client, fin, in tls, after 8.0 s
            finding PRX-IMPAIR, proxy, likely, in tls on back, or TLS-NOKEY PATH-WINZERO PATH-PMTU
            the server does not answer ClientHello: the client gives up after 8.0 s
        ",
    },
    Story {
        name: "a path that loses, besides a delay that was asked for",
        fires: &["never acknowledged"],
        almost: &["ended by an impairment"],
        script: "
            20ms impair back step=begins what=latency delay_ns=150000000 jitter_ns=0 asked=back:%20latency%20150ms
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
            finding PATH-ASYM, nobody, possible, in negotiation on back, or PATH-DEAD PRX-IMPAIR
            42 bytes of the client are never acknowledged, for 9.0 s, nor was anything before
        ",
    },
];
