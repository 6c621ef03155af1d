//! What the bytes of an RDP session mean.
//!
//! Observations go in, Events are made from them by the layers, a Timeline is folded from the Events, Findings are
//! made from the Timeline by rules. A module may use only modules declared above it. No room in here has a socket, a
//! file, a clock, an environment or a printer: time arrives with the bytes.

pub mod time;

pub mod count;

pub mod shown;

pub mod secret;

pub mod observation;

pub mod transcript;

pub mod proxy_protocol;

pub mod codes;

pub mod causes;

pub mod event;

pub mod capture;

pub mod tcp;

pub mod tls;

pub mod rdp;

pub mod picture;

pub mod gateway;

pub mod session;

pub mod hold;

pub mod timeline;

pub mod sessions;

pub mod prediction;

pub mod attribution;

pub mod diagnose;

pub mod attempt;

pub mod compare;

pub mod survey;

pub mod explain;

pub mod latency;

pub mod analysis;

pub mod reading;

pub mod redact;

pub mod probe;

pub mod report;
