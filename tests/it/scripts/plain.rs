//! Stories of what stands behind TLS, where secrets open it: what the two sides say there, and silence, RST and FIN in each
//! phase.

use super::Story;

pub const STORIES: &[Story] = &[
    Story {
        name: "a session that secrets open, in TLS 1.2",
        fires: &[],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.2 SSL+HYBRID 10ms
            100ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s > fin
        ",
        says: "",
    },
    Story {
        name: "a session that secrets open, in TLS 1.3",
        fires: &[],
        almost: &["errorCode of CredSSP"],
        script: "
            21ms tls 1.3 SSL+HYBRID+HYBRID_EX 10ms
            100ms inside 10ms
            1s >> @ultimatum 3
            1.1s >> close
            1.1s > fin
        ",
        says: "",
    },
];
