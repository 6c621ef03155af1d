//! Stories of the path: what is lost on it, what it costs, and resets that are not the peer's own.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "the proxy is stopped while nothing is acknowledged",
        fires: &[],
        almost: &["never acknowledged", "no answer to the request"],
        script: "
            21ms > @request SSL
            300ms path back state=1 backoff=1 unacked=1 retransmits=1 bytes_acked=1 rto_us=400000
            6s path back state=1 backoff=4 unacked=1 retransmits=4 bytes_acked=1 rto_us=3200000
            6s stop
        ",
        says: "
            unfinished
            tcp on back: 20 ms, done
            negotiation on back: 6.0 s, open
            end on front: by proxy, reset, in negotiation, after 6.0 s
            warning PATH-ASYM, nobody, possible, in negotiation on back, or PATH-DEAD
            42 bytes of the client are never acknowledged, for 6.0 s, nor was anything before
        ",
    },
    Story {
        name: "the server's flight does not reach the client",
        fires: &["never acknowledged"],
        almost: &["client left after the certificate", "large segments vanish"],
        script: "
            1ms path front unacked=0 backoff=0 rtt_us=30000 bytes_acked=1
            21ms > @request SSL
            41ms < @confirm SSL
            72ms path front unacked=0 backoff=0 rtt_us=30000 bytes_acked=20
            73ms > @hello 1.2 sni=server.example
            94ms < @server-hello 1.2
            94ms < @certificate valid
            94ms < @hello-done
            1.1s path front unacked=2 backoff=2 rtt_us=30000 bytes_acked=20 snd_mss=1448 adv_mss=1460
            9.07s path front unacked=2 backoff=5 rtt_us=30000 bytes_acked=20 snd_mss=1448 adv_mss=1460
            9.08s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.0 s, failed
            end on front: by client, fin, in tls, after 9.0 s
            finding PATH-ASYM, nobody, likely, in tls on front, or PATH-DEAD
            472 bytes of the server are never acknowledged, for 9.0 s, though the client is still heard
        ",
    },
    Story {
        name: "the client vanishes with the server's flight",
        fires: &["never acknowledged"],
        almost: &["client left after the certificate"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            72ms path front unacked=0 backoff=0 rtt_us=30000 bytes_acked=20
            73ms > @hello 1.2 sni=server.example
            94ms < @server-hello 1.2
            94ms < @certificate valid
            94ms < @hello-done
            924s path front unacked=2 backoff=15 rtt_us=30000 bytes_acked=20 snd_mss=1448 adv_mss=1460
            924s front nobody timeout
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 924 s, failed
            end on front: by client, timeout, in tls, after 924 s
            finding PATH-DEAD, nobody, possible, in tls on front, or PATH-PMTU
            472 bytes of the server are never acknowledged, for 924 s: the path, or the far end, is dead
        ",
    },
    Story {
        name: "the client looks at the certificate for nine seconds and leaves",
        fires: &["client left after the certificate"],
        almost: &["never acknowledged", "the path is too slow", "large segments vanish"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            73ms > @hello 1.2 sni=server.example
            94ms < @server-hello 1.2
            94ms < @certificate expired
            94ms < @hello-done
            1.1s path front unacked=0 backoff=0 rtt_us=30000 bytes_acked=1500 out_of_order=0 bytes_received=120
            9.08s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.0 s, failed
            end on front: by client, fin, in tls, after 9.0 s
            finding TLS-EXPIRED, client, likely, in tls on front, or TLS-CRL PRX-PROBE
            the client leaves 9.0 s after the certificate: it is the client that ends this, not the server
        ",
    },
    Story {
        name: "a large flight of the client vanishes behind TLS",
        fires: &["never acknowledged"],
        almost: &["CredSSP ended", "ended behind TLS"],
        script: "
            21ms > @request SSL+HYBRID
            41ms < @confirm HYBRID
            43ms > @hello 1.2 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            90ms > @record 23 110
            111ms < @record 23 260
            112ms path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=700
            115ms > @record 23 1900
            1.2s path back unacked=2 backoff=2 sacked=1 rtt_us=20000 bytes_acked=700 snd_mss=1448
            9.1s path back unacked=2 backoff=5 sacked=1 rtt_us=20000 bytes_acked=700 snd_mss=1448
            9.11s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            credssp on front: 9.0 s, failed, inferred
            end on front: by client, fin, in credssp, after 9.0 s
            finding PATH-PMTU, middlebox, likely, in credssp on back, or PATH-DEAD
            1552 bytes of the client are never acknowledged, for 9.0 s; smaller ones before were
        ",
    },
    Story {
        name: "a client whose timer runs out on a satellite",
        fires: &["the path is too slow"],
        almost: &["CredSSP ended", "ended behind TLS", "client left after the certificate"],
        script: "
            0ms dial
            600ms opened
            601ms path back unacked=0 backoff=0 rtt_us=600000
            601ms > @request SSL+HYBRID
            1.21s < @confirm HYBRID
            1.22s > @hello 1.2 sni=server.example
            1.83s < @server-hello 1.2
            1.83s < @certificate valid
            1.83s < @hello-done
            1.84s > @key-exchange
            1.84s > @finished
            2.45s < @finished
            2.46s > @record 23 110
            3.07s < @record 23 260
            3.08s > @record 23 700
            3.69s < @record 23 130
            3.7s > @record 23 220
            3.7s > @record 23 460
            4.31s < @record 23 150
            4.32s > @record 23 48
            4.93s < @record 23 38
            4.94s > @record 23 38
            5.55s < @record 23 42
            5.56s > @record 23 38
            6.17s < @record 23 42
            6.18s > @record 23 38
            6.79s < @record 23 42
            6.8s > @record 23 38
            7.41s < @record 23 42
            7.42s > @record 23 380
            7.9s > fin
        ",
        says: "
            failed
            tcp on back: 600 ms, done
            negotiation on back: 610 ms, done
            tls on back: 1.2 s, done
            credssp on front: 1.2 s, done, inferred
            basic-settings on front: 620 ms, done, inferred
            end on front: by client, fin, in channel-connection, after 480 ms
            finding PATH-LAT, client, likely, in channel-connection on back, or PATH-LOSS
            the client's timer runs out after 7.9 s, and 7.7 s of that is the path's: 12 round trips at 600 ms RTT should take 7.2 s
        ",
    },
    Story {
        name: "a client whose timer runs out on a server, over a satellite",
        fires: &[],
        almost: &["the path is too slow"],
        script: "
            0ms dial
            600ms opened
            601ms path back unacked=0 backoff=0 rtt_us=600000
            601ms > @request SSL
            1.21s < @confirm SSL
            1.22s > @hello 1.2 sni=server.example
            1.83s < @server-hello 1.2
            1.83s < @certificate valid
            1.83s < @hello-done
            1.84s > @key-exchange
            1.84s > @finished
            2.45s < @finished
            2.46s > @record 23 460
            9.6s > fin
        ",
        says: "
            failed
            tcp on back: 600 ms, done
            negotiation on back: 610 ms, done
            tls on back: 1.2 s, done
            basic-settings on front: 7.2 s, failed, inferred
            end on front: by client, fin, in basic-settings, after 7.1 s
            finding PATH-WINZERO, server, possible, in basic-settings on back, or MCS-REJECT INFO-CRED LIC-NOSRV CAP-BAD
            after the TLS handshake, before the session is active, the client closes (FIN) 7.1 s after the last byte
        ",
    },
    Story {
        name: "a client whose timer runs out on loss",
        fires: &["the path loses too much"],
        almost: &["no answer to ClientHello", "never acknowledged"],
        script: "
            21ms path back unacked=0 backoff=0 rtt_us=20000 rto_us=220000 segments_sent=3
            21ms > @request SSL
            3.1s path back unacked=0 backoff=0 rtt_us=20000 rto_us=220000 retransmits=4 segments_sent=9
            3.12s < @confirm SSL
            3.13s > @hello 1.2 sni=server.example
            6.2s path back unacked=0 backoff=0 rtt_us=20000 rto_us=220000 retransmits=8 segments_sent=15
            6.21s < @server-hello 1.2
            6.21s < @certificate valid
            6.21s < @hello-done
            6.22s > @key-exchange
            6.22s > @finished
            6.4s path back unacked=2 backoff=0 rtt_us=20000 rto_us=220000 retransmits=8 segments_sent=17
            6.41s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 3.1 s, done
            tls on front: 3.3 s, failed
            end on front: by client, fin, in tls, after 190 ms
            finding PATH-LOSS, client, likely, in tls on back
            given up after 6.4 s: segments are lost all the time, sending them again took 6.1 s of it; 4 round trips at 20 ms RTT and 40 % loss should take 3.6 s
        ",
    },
    Story {
        name: "a session at 600 ms and with loss that works",
        fires: &[],
        almost: &["the path is too slow", "the path loses too much", "never acknowledged", "large segments vanish"],
        script: "
            0ms dial
            600ms opened
            601ms path back unacked=0 backoff=0 rtt_us=600000 rto_us=900000 segments_sent=3
            601ms > @request SSL
            2.8s path back unacked=0 backoff=0 rtt_us=600000 rto_us=900000 retransmits=1 segments_sent=6
            2.81s < @confirm SSL
            2.82s > @hello 1.2 sni=server.example
            3.43s < @server-hello 1.2
            3.43s < @certificate valid
            3.43s < @hello-done
            3.44s > @key-exchange
            3.44s > @finished
            6s path back unacked=0 backoff=0 rtt_us=600000 rto_us=900000 retransmits=2 segments_sent=12
            6.05s < @finished
            6.1s session 600ms
            20s > fin
            20.6s < fin
        ",
        says: "
            connected
            tcp on back: 600 ms, done
            negotiation on back: 2.2 s, done
            tls on back: 3.2 s, done
            basic-settings on back: 7.8 s, done, inferred
            active on front: 6.1 s, done, inferred
            end on front: by client, fin, in active, after 4.3 s
            no findings
        ",
    },
    Story {
        name: "a picture that stands still until the client leaves",
        fires: &["never acknowledged"],
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
            60s > @record 23 60
            61s path back unacked=1 backoff=2 rtt_us=20000 bytes_acked=2000
            75s path back unacked=1 backoff=6 rtt_us=20000 bytes_acked=2000
            75.5s > fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 75.2 s, failed, inferred
            end on front: by client, fin, in active, after 15.5 s
            finding PATH-DEAD, nobody, likely, in active on back, or PATH-PMTU PATH-ASYM
            34 bytes of the client are not acknowledged for 15.5 s, 6 timeouts in a row: the path, or the far end, is dead
        ",
    },
    Story {
        name: "a picture that stands still whatever is typed",
        fires: &["input that nothing answers"],
        almost: &["never acknowledged", "broken while active"],
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
            60s < @record 23 60
            60.5s typing 500ms times=60
            95s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 5.0 s
            note SES-FROZEN, server, possible, in active on front, or SES-BUSY
            the client says something 60 times for 29.5 s, which the server acknowledges, and nothing comes back
        ",
    },
    Story {
        name: "a picture that stands still for a while and goes on",
        fires: &[],
        almost: &["input that nothing answers"],
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
            60s < @record 23 60
            60.5s typing 500ms times=60
            94s < @record 23 600
            95s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 1.0 s
            no findings
        ",
    },
    Story {
        name: "keep-alives of an idle session that nobody answers any more",
        fires: &["keep-alives in vain"],
        almost: &["never acknowledged"],
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
            60.1s < @record 23 60
            300s path back client_keepalives=60 client_unanswered_keepalives=9
            300.1s > fin
        ",
        says: "
            broken
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 300 s, failed, inferred
            end on front: by client, fin, in active, after 240 s
            finding PATH-DEAD, nobody, likely, in active on back, or PATH-ASYM PATH-PROXYIDLE
            9 keep-alives of the client in a row are not answered: the path, or the far end, is dead
        ",
    },
    Story {
        name: "keep-alives that nobody answers, when the proxy is stopped",
        fires: &["keep-alives in vain"],
        almost: &["never acknowledged"],
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
            60.1s < @record 23 60
            300s path back client_keepalives=60 client_unanswered_keepalives=9
            300.1s stop
        ",
        says: "
            broken
            end on front: by proxy, reset, in active, after 240 s
            finding PATH-DEAD, nobody, likely, in active on back, or PATH-ASYM PATH-PROXYIDLE
            9 keep-alives of the client in a row are not answered: the path, or the far end, is dead
        ",
    },
    Story {
        name: "keep-alives of an idle session of which the last ones are still under way",
        fires: &[],
        almost: &["keep-alives in vain"],
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
            60.1s < @record 23 60
            300s path back client_keepalives=60 client_unanswered_keepalives=2
            300.1s > fin
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 240 s
            no findings
        ",
    },
    Story {
        name: "a picture that stands still because nothing happens",
        fires: &[],
        almost: &["broken while active", "never acknowledged"],
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
            61s path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=4060 retransmits=2
            75s path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=4060 retransmits=2
            75.5s > fin
            75.52s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 45 ms, done
            basic-settings on back: 262 ms, done, inferred
            active on front: 75.2 s, done, inferred
            end on front: by client, fin, in active, after 15.5 s
            no findings
        ",
    },
    Story {
        name: "a server whose window stays shut",
        fires: &["a window that stays shut"],
        almost: &["never acknowledged", "no answer to ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            1.1s path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=43 snd_wnd=0 notsent_bytes=98
            9.1s path back unacked=0 backoff=3 rtt_us=20000 bytes_acked=43 snd_wnd=0 notsent_bytes=98
            9.2s > fin
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on front: 9.2 s, failed
            end on front: by client, fin, in tls, after 9.2 s
            finding PATH-WINZERO, server, likely, in tls on back
            the server takes no more: its window is shut while bytes wait for it
        ",
    },
    Story {
        name: "an RST with another box's TTL",
        fires: &["RST of a box on the way"],
        almost: &["closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            50ms sign back kind=reset from=server ttl=61 usual_ttl=122 no_timestamp=yes sequence=exact
            50ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 9.0 ms, failed
            end on back: by server, reset, in tls, after 6.9 ms
            finding PATH-RSTINJ, middlebox, likely, in tls on back, or TLS-NOKEY
            the RST is not the server's own: TTL 61 where its packets have 122, no timestamp where its segments have one
        ",
    },
    Story {
        name: "an RST after which the server goes on",
        fires: &["RST of a box on the way"],
        almost: &["closed after ClientHello"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            50ms sign back kind=reset from=server ttl=61 usual_ttl=122 sequence=exact
            50ms < rst
            64ms sign back kind=after_reset from=server len=1400 after_ns=14000000
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 9.0 ms, failed
            end on back: by server, reset, in tls, after 6.9 ms
            finding PATH-RSTINJ, middlebox, certain, in tls on back, or TLS-NOKEY
            the RST is not the server's own: TTL 61 where its packets have 122, its sender goes on after it
        ",
    },
    Story {
        name: "an RST of the server's own kernel",
        fires: &["closed after ClientHello"],
        almost: &["RST of a box on the way"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            50ms sign back kind=reset from=server id=0 last_id=7777 no_window=yes no_timestamp=yes sequence=exact answers=yes
            50ms < rst
        ",
        says: "
            failed
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 9.0 ms, failed
            end on back: by server, reset, in tls, after 6.9 ms
            finding TLS-NOKEY, server, likely, in tls on back, or TLS-VER TLS-CIPHER PATH-RSTINJ
            the server resets the connection 6.9 ms after ClientHello, without a ServerHello
        ",
    },
    Story {
        name: "a server whose window was shut for a while",
        fires: &[],
        almost: &["a window that stays shut"],
        script: "
            21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            1.1s path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=43 snd_wnd=0 notsent_bytes=98
            3.1s path back unacked=0 backoff=0 rtt_us=20000 bytes_acked=141 snd_wnd=64000 notsent_bytes=0
            3.2s < @server-hello 1.2
            3.2s < @certificate valid
            3.2s < @hello-done
            3.21s > @key-exchange
            3.21s > @finished
            3.23s < @finished
            3.24s session 20ms
            6s > fin
            6.02s < fin
        ",
        says: "
            connected
            tcp on back: 20 ms, done
            negotiation on back: 21 ms, done
            tls on back: 3.2 s, done
            basic-settings on back: 270 ms, done, inferred
            active on front: 2.5 s, done, inferred
            end on front: by client, fin, in active, after 2.4 s
            no findings
        ",
    },
    Story {
        name: "pictures of a running session vanish, and the client leaves",
        fires: &["large segments vanish"],
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
            10s < @record 23 60
            10.1s path back unacked=0 backoff=0 rtt_us=20000 bytes_received=40000 out_of_order=3 held_bytes=2304
            15s > @record 23 60
            20s path back unacked=0 backoff=0 rtt_us=20000 bytes_received=40000 out_of_order=3 held_bytes=2304
            22s > fin
        ",
        says: "
            broken
            active on front: 21.7 s, failed, inferred
            end on front: by client, fin, in active, after 7.0 s
            finding PATH-PMTU, middlebox, likely, in active on back, or PATH-DEAD PATH-LOSS
            the server's flight stays incomplete for 12.0 s, segments wait behind a hole: small segments pass, large ones vanish
        ",
    },
    Story {
        name: "a hole that is filled",
        fires: &[],
        almost: &["large segments vanish"],
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
            10s < @record 23 60
            10.1s path back unacked=0 backoff=0 rtt_us=20000 bytes_received=40000 out_of_order=3 held_bytes=2304
            14.5s < @record 23 4200
            14.6s path back unacked=0 backoff=0 rtt_us=20000 bytes_received=44000 out_of_order=3 held_bytes=0
            22s > fin
        ",
        says: "
            connected
            active on front: 21.7 s, done, inferred
            end on front: by client, fin, in active, after 7.5 s
            no findings
        ",
    },
    Story {
        name: "a server that stops reading in a running session",
        fires: &["a window that stays shut"],
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
            10s > @record 23 60
            12s path back unacked=0 backoff=2 rtt_us=20000 bytes_acked=4000 snd_wnd=0 notsent_bytes=98
            25s path back unacked=0 backoff=5 rtt_us=20000 bytes_acked=4000 snd_wnd=0 notsent_bytes=98
            26s > fin
        ",
        says: "
            broken
            active on front: 25.7 s, failed, inferred
            end on front: by client, fin, in active, after 16.0 s
            finding PATH-WINZERO, server, likely, in active on back
            the server takes no more: its window is shut while bytes wait for it
        ",
    },
    Story {
        name: "pictures are sent again and again until the proxy is stopped",
        fires: &["never acknowledged"],
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
            10s < @record 23 9000
            14s path front unacked=7 sacked=1 backoff=4 rtt_us=20000 rto_us=3200000 last_ack_ms=3900 bytes_acked=12000 retransmits=5 snd_mss=1448
            20s path front unacked=7 sacked=1 backoff=5 rtt_us=20000 rto_us=6400000 last_ack_ms=9900 bytes_acked=12000 retransmits=6 snd_mss=1448
            21s stop
        ",
        says: "
            broken
            end on front: by proxy, reset, in active, after 11.0 s
            finding PATH-PMTU, middlebox, likely, in active on front, or PATH-DEAD
            11077 bytes of the server are not acknowledged for 11.0 s, 5 timeouts in a row; smaller ones before were
        ",
    },
    Story {
        name: "pictures that arrive after all until the proxy is stopped",
        fires: &[],
        almost: &["never acknowledged"],
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
            10s < @record 23 9000
            14s path front unacked=7 backoff=4 rtt_us=20000 rto_us=3200000 last_ack_ms=3900 bytes_acked=12000 retransmits=5 snd_mss=1448
            20s path front unacked=0 backoff=0 rtt_us=20000 rto_us=200000 last_ack_ms=1900 bytes_acked=21000 retransmits=12 snd_mss=1448
            21s stop
        ",
        says: "
            connected
            end on front: by proxy, reset, in active, after 11.0 s
            no findings
        ",
    },
    Story {
        name: "pictures that arrive after all, in the last second",
        fires: &[],
        almost: &["never acknowledged"],
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
            10s < @record 23 9000
            14s path front unacked=7 backoff=4 rtt_us=20000 rto_us=3200000 last_ack_ms=3900 bytes_acked=12000 retransmits=5 snd_mss=1448
            14.5s < @record 23 9000
            14.6s > fin
            14.61s path front state=8 unacked=3 backoff=0 rtt_us=20000 rto_us=200000 last_ack_ms=1 bytes_acked=21000 retransmits=12 snd_mss=1448
        ",
        says: "
            connected
            end on front: by client, fin, in active, after 100 ms
            no findings
        ",
    },
    Story {
        name: "a client that is not heard any more, and nobody has ended it",
        fires: &["never acknowledged"],
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
            10s < @record 23 200
            14s path front unacked=1 backoff=4 rtt_us=20000 rto_us=3200000 last_ack_ms=3900 bytes_acked=13000 retransmits=5 snd_mss=1448
            40s path front unacked=1 backoff=6 rtt_us=20000 rto_us=12800000 last_ack_ms=29900 bytes_acked=13000 retransmits=7 snd_mss=1448
        ",
        says: "
            broken
            end on back: by nobody, cut, in active, after 30.0 s
            finding PATH-DEAD, nobody, likely, in active on front, or PATH-PMTU PATH-ASYM
            1277 bytes of the server are not acknowledged for 30.0 s, 6 timeouts in a row: the path, or the far end, is dead
        ",
    },
    Story {
        name: "segments are lost, and nothing fails of that",
        fires: &["segments lost, nothing failed"],
        almost: &["the path loses too much"],
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
            10s < @record 23 9000
            20s path front unacked=0 backoff=0 rtt_us=20000 retransmits=30 segments_sent=600
            22s > fin
            22.1s < fin
        ",
        says: "
            connected
            active on front: 21.7 s, done, inferred
            end on front: by client, fin, in active, after 12.0 s
            note PATH-LOSS, nobody, possible, in active on front
            30 segments were lost and sent again, 5 %: nothing failed of it
        ",
    },
    Story {
        name: "few segments are lost",
        fires: &[],
        almost: &["segments lost, nothing failed"],
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
            10s < @record 23 9000
            20s path front unacked=0 backoff=0 rtt_us=20000 retransmits=4 segments_sent=600
            22s > fin
            22.1s < fin
        ",
        says: "
            connected
            active on front: 21.7 s, done, inferred
            end on front: by client, fin, in active, after 12.0 s
            no findings
        ",
    },
];
