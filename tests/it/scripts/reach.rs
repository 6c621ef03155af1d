//! Stories of the way to the server: name resolution and TCP.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "a name that does not resolve",
        fires: &["name does not resolve"],
        almost: &["no answer to SYN", "refused"],
        script: "
            0ms resolving
            1.2s resolved error no such host
            1.2s unresolved
        ",
        says: "
            failed
            name-resolution on back: 1.2 s, failed
            end on back: by nobody, unresolved, in name-resolution, after 1.2 s
            direct_equivalent 0x104
            finding DNS-NX, nobody, certain, in name-resolution on back
            server.example does not resolve: no such host, after 1.2 s
        ",
    },
    Story {
        name: "a resolver that never answers",
        fires: &["name does not resolve"],
        almost: &["no answer to SYN"],
        script: "
            0ms resolving
            10s resolved error failed to lookup address information: Temporary failure in name resolution
            10s unresolved
        ",
        says: "
            failed
            name-resolution on back: 10.0 s, failed
            end on back: by nobody, unresolved, in name-resolution, after 10.0 s
            direct_equivalent 0x104
            finding DNS-SLOW, nobody, likely, in name-resolution on back, or DNS-NX
            server.example does not resolve: failed to lookup address information: Temporary failure in name resolution, after 10.0 s
        ",
    },
    Story {
        name: "a resolver that takes half a second",
        fires: &[],
        almost: &["slow resolver", "name does not resolve"],
        script: "
            0ms resolving
            500ms resolved 192.0.2.10
            500ms dial
            520ms opened
            521ms > @request SSL
            541ms < @confirm SSL
            543ms > @hello 1.2,1.3 sni=server.example
            564ms < @server-hello 1.2
            564ms < @certificate valid
            564ms < @hello-done
            566ms > @key-exchange
            566ms > @finished
            586ms < @finished
            588ms session 20ms
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            name-resolution on back: 500 ms, done
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.2 s, done, inferred
            end on front: by client, fin, in active, after 1.1 s
            no findings
        ",
    },
    Story {
        name: "a resolver that takes four seconds",
        fires: &["slow resolver"],
        almost: &["name does not resolve"],
        script: "
            0ms resolving
            4s resolved 192.0.2.10
            4s dial
            4.02s opened
            4021ms > @request SSL
            4041ms < @confirm SSL
            4043ms > @hello 1.2,1.3 sni=server.example
            4064ms < @server-hello 1.2
            4064ms < @certificate valid
            4064ms < @hello-done
            4066ms > @key-exchange
            4066ms > @finished
            4086ms < @finished
            4088ms session 20ms
            6s > rst
        ",
        says: "
            connected
            name-resolution on back: 4.0 s, done
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, reset, in active, after 1.6 s
            warning DNS-SLOW, nobody, certain, in name-resolution on back
            the lookup took 4.0 s
        ",
    },
    Story {
        name: "a client that leaves while the resolver is silent",
        fires: &["the resolver does not answer"],
        almost: &["name does not resolve", "no answer to SYN"],
        script: "
            0ms resolving
            9s front > fin
        ",
        says: "
            failed
            name-resolution on front: 9.0 s, failed
            end on front: by client, fin, in name-resolution, after 9.0 s
            direct_equivalent 0x104
            finding DNS-SLOW, nobody, likely, in name-resolution on back, or DNS-NX
            the name's lookup is not answered: the client gives up after 9.0 s
        ",
    },
    Story {
        name: "a client that leaves while the resolver has hardly been asked",
        fires: &[],
        almost: &["the resolver does not answer", "name does not resolve"],
        script: "
            0ms resolving
            100ms front > rst
        ",
        says: "
            failed
            name-resolution on front: 100 ms, failed
            end on front: by client, reset, in name-resolution, after 100 ms
            direct_equivalent 0x104
            no findings
        ",
    },
    Story {
        name: "a port where nothing listens",
        fires: &["refused"],
        almost: &["unreachable", "no answer to SYN", "closed before the confirm"],
        script: "
            0ms dial
            20ms refused
        ",
        says: "
            failed
            tcp on back: 20 ms, failed
            end on back: by server, refused, in tcp, after 20 ms
            direct_equivalent 0x204
            finding TCP-REFUSED, server, certain, in tcp on back
            192.0.2.10:3389 refuses the connection: its SYN is answered with RST
        ",
    },
    Story {
        name: "a server that accepts and resets",
        fires: &["closed before the confirm"],
        almost: &["refused", "client left without a request"],
        script: "
            22ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 2.0 ms, failed
            end on back: by server, reset, in negotiation, after 2.0 ms
            finding TCP-RST-AFTER, server, likely, in negotiation on back, or PATH-RSTINJ
            the server resets the connection after the TCP handshake, before any request
        ",
    },
    Story {
        name: "no route to the server",
        fires: &["unreachable"],
        almost: &["refused", "no answer to SYN"],
        script: "
            0ms dial
            5ms unreachable
        ",
        says: "
            failed
            tcp on back: 5.0 ms, failed
            end on back: by middlebox, unreachable, in tcp, after 5.0 ms
            direct_equivalent 0x204
            finding TCP-ICMP, middlebox, likely, in tcp on back
            192.0.2.10:3389 cannot be reached: the network says so
        ",
    },
    Story {
        name: "a first address without a route, and a second that answers",
        fires: &[],
        almost: &["unreachable", "first address dead"],
        script: "
            0ms resolving
            30ms resolved 2001:db8::10,192.0.2.10
            30ms dial 2001:db8::10
            31ms unreachable
            31ms dial 192.0.2.10
            51ms opened
            61ms > @request SSL
            81ms < @confirm SSL
            83ms > @hello 1.2,1.3 sni=server.example
            104ms < @server-hello 1.2
            104ms < @certificate valid
            104ms < @hello-done
            106ms > @key-exchange
            106ms > @finished
            126ms < @finished
            128ms session 20ms
            900ms > fin
        ",
        says: "
            connected
            name-resolution on back: 30 ms, done
            tcp on back: 21 ms, done
            negotiation on back: 30 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 512 ms, done, inferred
            end on front: by client, fin, in active, after 452 ms
            no findings
        ",
    },
    Story {
        name: "a server that does not answer the SYN",
        fires: &["no answer to SYN"],
        almost: &["refused", "unreachable", "first address dead"],
        script: "
            0ms dial
            1s path back state=2 retransmits=0 rto_us=1000000 unacked=1 backoff=0
            3s path back state=2 retransmits=1 rto_us=2000000 unacked=1 backoff=1
            21s path back state=2 retransmits=4 rto_us=16000000 unacked=1 backoff=4
            21s timeout
        ",
        says: "
            failed
            tcp on back: 21.0 s, failed
            end on back: by server, timeout, in tcp, after 21.0 s
            direct_equivalent 0x204
            finding TCP-DROP, nobody, likely, in tcp on back
            192.0.2.10:3389 does not answer: the attempt is given up after 21.0 s
        ",
    },
    Story {
        name: "a client that gives up before the SYN is answered",
        fires: &["no answer to SYN"],
        almost: &["client did not wait", "client left without a request", "closed before the confirm"],
        script: "
            0ms dial
            9s front > fin
            9s back > fin
        ",
        says: "
            failed
            tcp on back: 9.0 s, failed
            end on front: by client, fin, in tcp, after 9.0 s
            direct_equivalent 0x204
            finding TCP-DROP, nobody, likely, in tcp on back
            192.0.2.10:3389 does not answer: the client gives up after 9.0 s
        ",
    },
    Story {
        name: "a client that leaves before any SYN could be answered",
        fires: &["client did not wait"],
        almost: &["no answer to SYN"],
        script: "
            0ms dial
            4ms front > rst
            4ms back > rst
        ",
        says: "
            unfinished
            tcp on back: 4.0 ms, failed
            end on front: by client, reset, in tcp, after 4.0 ms
            note PRX-PROBE, client, possible, in tcp on front
            the client leaves 4.0 ms after it asked for a connection, before an answer could be complete
        ",
    },
    Story {
        name: "two addresses, the first refuses",
        fires: &[],
        almost: &["refused", "first address dead"],
        script: "
            0ms resolving
            30ms resolved 192.0.2.9,192.0.2.10
            30ms dial 192.0.2.9
            35ms refused
            35ms dial 192.0.2.10
            55ms opened
            61ms > @request SSL
            81ms < @confirm SSL
            83ms > @hello 1.2,1.3 sni=server.example
            104ms < @server-hello 1.2
            104ms < @certificate valid
            104ms < @hello-done
            106ms > @key-exchange
            106ms > @finished
            126ms < @finished
            128ms session 20ms
            900ms > fin
        ",
        says: "
            connected
            name-resolution on back: 30 ms, done
            tcp on back: 25 ms, done
            negotiation on back: 26 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 512 ms, done, inferred
            end on front: by client, fin, in active, after 452 ms
            no findings
        ",
    },
    Story {
        name: "two addresses, the first is dead",
        fires: &["first address dead"],
        almost: &["no answer to SYN", "slow resolver"],
        script: "
            0ms resolving
            30ms resolved 2001:db8::10,192.0.2.10
            30ms dial 2001:db8::10
            21.03s timeout
            21.03s dial 192.0.2.10
            21.05s opened
            21051ms > @request SSL
            21071ms < @confirm SSL
            21073ms > @hello 1.2,1.3 sni=server.example
            21094ms < @server-hello 1.2
            21094ms < @certificate valid
            21094ms < @hello-done
            21096ms > @key-exchange
            21096ms > @finished
            21116ms < @finished
            21118ms session 20ms
            22.9s > rst
        ",
        says: "
            connected
            name-resolution on back: 30 ms, done
            tcp on back: 21.0 s, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.5 s, done, inferred
            end on front: by client, reset, in active, after 1.5 s
            warning DNS-AAAA, nobody, likely, in tcp on back
            2001:db8::10 does not answer, a later address does: 21.0 s lost
        ",
    },
    Story {
        name: "two addresses, and both are dead",
        fires: &["no answer to SYN"],
        almost: &["first address dead"],
        script: "
            0ms resolving
            30ms resolved 2001:db8::10,192.0.2.10
            30ms dial 2001:db8::10
            21.03s timeout
            21.03s dial 192.0.2.10
            42.03s timeout
        ",
        says: "
            failed
            name-resolution on back: 30 ms, done
            tcp on back: 42.0 s, failed
            end on back: by server, timeout, in tcp, after 42.0 s
            direct_equivalent 0x204
            finding TCP-DROP, nobody, likely, in tcp on back
            192.0.2.10:3389 does not answer: the attempt is given up after 21.0 s
        ",
    },
    Story {
        name: "a port check",
        fires: &["client left without a request"],
        almost: &["closed before the confirm", "no answer to the request"],
        script: "
            30ms > fin
            50ms < fin
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 10 ms, failed
            end on front: by client, fin, in negotiation, after 10 ms
            note PRX-PROBE, client, likely, in negotiation on front
            the client connects and leaves after 10 ms without a request
        ",
    },
    Story {
        name: "a client that resets before it has said anything",
        fires: &["client left without a request"],
        almost: &["closed before the confirm"],
        script: "
            30ms > rst
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on front: 10 ms, failed
            end on front: by client, reset, in negotiation, after 10 ms
            note PRX-PROBE, client, likely, in negotiation on front
            the client connects and leaves after 10 ms without a request
        ",
    },
    Story {
        name: "the proxy is stopped while it dials",
        fires: &[],
        almost: &["no answer to SYN"],
        script: "
            0ms dial
            2s stop
        ",
        says: "
            unfinished
            tcp on back: 2.0 s, open
            end on front: by proxy, reset, in tcp, after 2.0 s
            no findings
        ",
    },
    Story {
        name: "the recording ends before the SYN is answered",
        fires: &[],
        almost: &["no answer to SYN"],
        script: "
            0ms dial
            2s path back state=2 backoff=1 unacked=1
        ",
        says: "
            unfinished
            tcp on back: 2.0 s, open
            end on back: by nobody, cut, in tcp, after 2.0 s
            no findings
        ",
    },
    Story {
        name: "a relay that is to connect to itself",
        fires: &["the relay calls itself"],
        almost: &["closed before the confirm"],
        script: "
            0ms target 127.0.0.1
            1ms dial 127.0.0.1:3390
            1.1ms opened
            2ms > @request SSL
            9s > fin
        ",
        says: "
            failed
            tcp on back: 100 µs, done
            negotiation on front: 9.0 s, failed
            end on front: by client, fin, in negotiation, after 9.0 s
            finding PRX-LOOP, proxy, certain, in tcp on back
            the relay is to connect to 127.0.0.1:3390, where it listens itself
        ",
    },
    Story {
        name: "a relay to another program of the same machine",
        fires: &[],
        almost: &["the relay calls itself"],
        script: "
            0ms target 127.0.0.2
            1ms dial 127.0.0.2:3390
            1.1ms opened
            2ms > @request SSL
            22ms < @confirm SSL
            24ms > @hello 1.2,1.3 sni=server.example
            44ms < @server-hello 1.2
            44ms < @certificate valid
            44ms < @hello-done
            46ms > @key-exchange
            46ms > @finished
            66ms < @finished
            68ms session 20ms
            2s > fin
            2.02s < fin
        ",
        says: "
            connected
            tcp on back: 100 µs, done
            negotiation on back: 21 ms, done
            tls on back: 44 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 1.7 s, done, inferred
            end on front: by client, fin, in active, after 1.6 s
            no findings
        ",
    },
];
