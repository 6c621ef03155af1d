//! Stories of a client that comes again: what is one attempt, and what a later failure does not vanish behind.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "again: good, the certificate refused, good, the server down",
        fires: &["alert of the client"],
        almost: &["no answer to SYN"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            2s > fin
            5s again
            5.021s > @request SSL
            5.041s < @confirm SSL
            5.043s > @hello 1.2 sni=server.example
            5.064s < @server-hello 1.2
            5.064s < @certificate valid
            5.064s < @hello-done
            5.09s > @alert 48
            5.09s > fin
            8s again
            8.021s > @request SSL
            8.041s < @confirm SSL
            8.043s > @hello 1.2 sni=server.example
            8.064s < @server-hello 1.2
            8.064s < @certificate valid
            8.064s < @hello-done
            8.066s > @key-exchange
            8.066s > @finished
            8.086s < @finished
            8.088s session 20ms
            10s > fin
            13s again
            13s dial
            13.02s refused
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
            failed, withdrawn
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 49 ms, failed
            end on front: by client, fin, in tls, after 0 µs
            note TLS-UNTRUST, client, certain, in tls on front
            the client ends the TLS handshake: alert unknown_ca (48)
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
            attempt connected
            failed
            tcp on back: 20 ms, failed
            end on back: by server, refused, in tcp, after 20 ms
            direct_equivalent 0x204
            finding TCP-REFUSED, server, certain, in tcp on back
            192.0.2.10:3389 refuses the connection: its SYN is answered with RST
        ",
    },
    Story {
        name: "again: the session breaks, the client comes back at once and the server is down",
        fires: &["broken while active"],
        almost: &["closed before the confirm"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            1.5s > @record 23 60
            2s < rst
            2.3s again
            2.3s dial
            2.32s refused
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on back: 1.7 s, failed, inferred
            end on back: by server, reset, in active, after 500 ms
            finding SES-KILLED, server, possible, in active on back, or SES-SHUTDOWN PATH-RSTINJ
            the running session breaks after 1.7 s: server resets (RST) 500 ms after the last byte
            failed
            tcp on back: 20 ms, failed
            end on back: by server, refused, in tcp, after 20 ms
            direct_equivalent 0x204
            finding TCP-REFUSED, server, certain, in tcp on back
            192.0.2.10:3389 refuses the connection: its SYN is answered with RST
            attempt failed
        ",
    },
    Story {
        name: "again: what came before a request is no other offer",
        fires: &["refused"],
        almost: &["selected what was not offered"],
        script: "
            0ms dial
            20ms refused
            1s again
            1.021s > @request SSL
            1.041s < @confirm SSL
            1.043s > @hello 1.2 sni=server.example
            1.05s < rst
        ",
        says: "
            failed, withdrawn
            tcp on back: 20 ms, failed
            end on back: by server, refused, in tcp, after 20 ms
            direct_equivalent 0x204
            note TCP-REFUSED, server, certain, in tcp on back
            192.0.2.10:3389 refuses the connection: its SYN is answered with RST
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 9.0 ms, failed
            end on back: by server, reset, in tls, after 6.9 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER PATH-RSTINJ
            the server resets the connection 6.9 ms after ClientHello, without a ServerHello
            attempt failed
        ",
    },
    Story {
        name: "again: a scanner asks for one protocol after the other",
        fires: &[],
        almost: &["alert of the client", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            42ms > fin
            300ms again
            321ms > @request SSL+HYBRID
            341ms < @confirm SSL
            342ms > fin
            600ms again
            621ms > @request SSL+HYBRID_EX
            641ms < @confirm SSL
            642ms > fin
            900ms again
            921ms > @request SSL+RDSTLS
            941ms < @confirm SSL
            942ms > fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, likely, in negotiation on front
            one connection of a scan
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, likely, in negotiation on front
            one connection of a scan
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, likely, in negotiation on front
            one connection of a scan
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            end on front: by client, fin, in negotiation, after 900 µs
            note PRX-PROBE, client, likely, in negotiation on front
            one connection of a scan
            attempt unfinished
        ",
    },
    Story {
        name: "again: a client falls back, each time after a refusal",
        fires: &["negotiation failure"],
        almost: &["client wants more than was selected"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @failure 3
            42ms > fin
            43ms < fin
            100ms again
            121ms > @request SSL
            141ms < @failure 3
            142ms > fin
            143ms < fin
            200ms again
            221ms > @request RDP
            241ms < @failure 3
            242ms > fin
            243ms < fin
            3s again
            3.021s > @request SSL+HYBRID
            3.041s < @failure 3
            3.042s > fin
            3.043s < fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-NOCERT, server, certain, in negotiation on back
            the server refuses the negotiation: SSL_CERT_NOT_ON_SERVER (3)
            attempt failed
        ",
    },
];
