//! How the bytes of an RDP session arrive and leave: relay, recorder, scripted peers.
//!
//! Nothing in here decodes a byte of a protocol: that is asked of `analyzer`. (The lab's peers *play* the protocol;
//! that is their purpose.) A module may use only modules declared above it.

pub mod named;

pub mod tcp_info;

pub mod clock;

mod pulse;

mod cycle;

mod files;

mod own;

pub mod gate;

pub mod entrance;
pub mod impair;

pub mod tap;

pub mod tls;

mod roots;

pub mod record;

pub mod whole;

pub mod redact;

pub mod authority;

pub mod intercept;

mod arrival;

mod leg;

pub mod header;

mod relay;

mod dial;

pub mod listen;

pub mod finalize;

pub mod keylog;

pub mod watch;

pub mod wire;

pub mod probe;

pub mod lab;

pub mod replay;
