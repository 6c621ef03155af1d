//! Stories of a relay that was stopped itself, or whose clock was set: that time is nobody's.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "stopped while the server was waited for",
        fires: &[],
        almost: &["no answer to the request", "ended right after the proxy was stopped"],
        script: "
            21ms > @request SSL
            6.3s paused 6.2s
            6.301s < @confirm SSL
            6.303s > @hello 1.2,1.3 sni=server.example
            6.324s < @server-hello 1.2
            6.324s < @certificate valid
            6.324s < @hello-done
            6.326s > @key-exchange
            6.326s > @finished
            6.346s < @finished
            6.348s session 20ms
            16s  > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 9.3 s
            no findings
        ",
    },
    Story {
        name: "stopped while the server was waited for, and the kernel tells when its answer came",
        fires: &[],
        almost: &["ended right after the proxy was stopped"],
        script: "
            21ms > @request SSL
            2.021s < @confirm SSL
            6.3s paused 6.2s
            6.303s > @hello 1.2,1.3 sni=server.example
            6.324s < @server-hello 1.2
            6.324s < @certificate valid
            6.324s < @hello-done
            6.326s > @key-exchange
            6.326s > @finished
            6.346s < @finished
            6.348s session 20ms
            16s  > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 9.3 s
            no findings
        ",
    },
    Story {
        name: "asleep for an hour, and nothing happened",
        fires: &[],
        almost: &[
            "broken while active",
            "ended by the server, no reason given",
            "ended right after the proxy was stopped",
        ],
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
            3610s paused 3600s asleep 3599s
            3611s stepped forward 3600s
            3611s > @record 23 60
            3612s < @record 23 600
            3700s > fin
            3700s < fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 88.0 s
            no findings
        ",
    },
    Story {
        name: "asleep, and reset as it wakes",
        fires: &["ended right after the proxy was stopped"],
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
            610s paused 600s asleep 600s
            610.1s > @record 23 60
            610.2s < rst
        ",
        says: "
            broken
            end on back: by server, reset, in active, after 100 ms
            finding PRX-STOPPED, proxy, likely, in active on back
            ended 200 ms after the proxy itself had been stopped for 600 s
        ",
    },
    Story {
        name: "stopped for so long that the client gave up",
        fires: &["ended right after the proxy was stopped"],
        almost: &["no answer to the request"],
        script: "
            21ms > @request SSL
            40s paused 39.9s
            40.001s > fin
            40.002s < fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 80 ms
            finding PRX-STOPPED, proxy, likely, in negotiation on front
            ended 1.0 ms after the proxy itself had been stopped for 39.9 s
        ",
    },
    Story {
        name: "stopped, and refused much later for another reason",
        fires: &["closed after ClientHello"],
        almost: &["ended right after the proxy was stopped"],
        script: "
            21ms > @request SSL
            6.3s paused 6.2s
            6.301s < @confirm SSL
            6.303s > @hello 1.2,1.3 sni=server.example
            9s < rst
        ",
        says: "
            failed
            end on back: by server, reset, in tls, after 2.7 s
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER PATH-RSTINJ
            the server resets the connection 2.7 s after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "stopped, and refused right then in so many words",
        fires: &["negotiation failure"],
        almost: &[],
        script: "
            21ms > @request SSL
            6.3s paused 6.2s
            6.301s < @failure 5
            6.302s > fin
        ",
        says: "
            failed
            end on front: by client, fin, in negotiation, after 900 µs
            finding X224-HYBRID, server, certain, in negotiation on back
            the server refuses the negotiation: HYBRID_REQUIRED_BY_SERVER (5)
        ",
    },
];
