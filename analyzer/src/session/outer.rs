//! The connection to an RD Gateway: TLS, HTTP in it, and what the tunnel carries taken out.
//!
//! A web proxy may stand before the gateway: then the connection begins with a CONNECT in clear, and TLS stands behind the
//! answer to it. What ends TLS in front of a gateway leaves HTTP alone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Foreign, What};
use crate::gateway::{Carried, Channel, TunnelId};
use crate::observation::Side;
use crate::secret::Random;
use crate::tls::keys::Keyring;
use crate::tls::{Behind, Tls};

/// ContentType handshake, with which TLS begins (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;
/// The top bit of a length in SSL 2.0, with which an old client's TLS begins (RFC 5246, E.2): no text has it.
const SSL2: u8 = 0x80;

/// What is kept of a server that speaks first, bytes.
const MOST: usize = 64 << 10;

/// One connection to a gateway.
pub(super) struct Outer {
    state: State,
    keys: Arc<Keyring>,
    http: Http,
}

enum State {
    /// Not a byte of the client yet: what the server says before it is kept.
    Fresh(Vec<u8>),
    /// HTTP in clear.
    Clear,
    Tls(Box<Tls>),
}

/// The reader of the plaintext has two hands on it: TLS that feeds it, and the session that takes what it carries.
#[derive(Clone, Default)]
struct Http(Arc<Mutex<Channel>>);

impl Http {
    fn with<T>(&self, what: impl FnOnce(&mut Channel) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Behind for Http {
    fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        self.with(|channel| channel.push(from, data, out));
    }

    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.with(|channel| channel.missing(from, len, out));
    }
}

impl Outer {
    pub(super) fn new(keys: &Arc<Keyring>) -> Outer {
        Outer { state: State::Fresh(Vec::new()), keys: Arc::clone(keys), http: Http::default() }
    }

    /// The Random of its ClientHello, once there is one.
    pub(super) fn random(&self) -> Option<Random> {
        match &self.state {
            State::Tls(tls) => tls.random(),
            State::Fresh(_) | State::Clear => None,
        }
    }

    pub(super) fn learn(&mut self, keys: &Arc<Keyring>) {
        self.keys = Arc::clone(keys);
        if let State::Tls(tls) = &mut self.state {
            let http = self.http.clone();
            tls.learn(keys, || Box::new(http));
        }
    }

    pub(super) fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        match (&mut self.state, from) {
            // Whoever says so much before it is asked is no gateway.
            (State::Fresh(early), Side::Server) if early.len() + data.len() > MOST => self.begin(false),
            (State::Fresh(early), Side::Server) => early.extend_from_slice(data),
            (State::Fresh(early), Side::Client) => {
                let early = std::mem::take(early);
                self.begin(data.first().is_some_and(|first| *first == HANDSHAKE || first & SSL2 != 0));
                self.push(Side::Server, &early, out);
                self.push(from, data, out);
            }
            (State::Clear, _) => {
                self.http.with(|channel| channel.push(from, data, out));
                self.advance(out);
            }
            (State::Tls(tls), _) => wrapped(out, |out| tls.push(from, data, out)),
        }
    }

    fn begin(&mut self, is_tls: bool) {
        self.state = if is_tls {
            State::Tls(Box::new(Tls::with_keys(&self.keys, Box::new(self.http.clone()))))
        } else {
            State::Clear
        };
    }

    /// A web proxy has made the connection: what follows is a connection of its own.
    fn advance(&mut self, out: &mut Vec<What>) {
        if !self.http.with(|channel| channel.connected()) {
            return;
        }
        let behind = self.take_carried();
        (self.state, self.http) = (State::Fresh(Vec::new()), Http::default());
        for piece in behind {
            match piece {
                Carried::Bytes { from, data } => self.push(from, &data, out),
                Carried::Missing { from, len } => self.missing(from, len, out),
            }
        }
    }

    pub(super) fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        match &mut self.state {
            State::Fresh(_) => self.begin(true),
            State::Clear => return self.http.with(|channel| channel.missing(from, len, out)),
            State::Tls(_) => {}
        }
        if let State::Tls(tls) = &mut self.state {
            wrapped(out, |out| tls.missing(from, len, out));
        }
    }

    /// What the end cuts short.
    pub(super) fn close(&mut self, out: &mut Vec<What>) {
        if let State::Tls(tls) = &mut self.state {
            wrapped(out, |out| tls.close(out));
        }
    }

    /// The tunnel that it is of, once that is known.
    pub(super) fn tunnel(&self) -> Option<TunnelId> {
        self.http.with(|channel| channel.tunnel().cloned())
    }

    /// What of the RDP connection came since the last call.
    pub(super) fn take_carried(&mut self) -> Vec<Carried> {
        self.http.with(Channel::take_carried)
    }
}

/// Marks what TLS says as the outer connection's. What HTTP says in it says so by itself.
fn wrapped(out: &mut Vec<What>, push: impl FnOnce(&mut Vec<What>)) {
    let mut inside = Vec::new();
    push(&mut inside);
    out.extend(inside.into_iter().map(|what| match what {
        What::Gateway(event) => What::Gateway(event),
        // Whoever takes leave in clear is an RDP server, and no gateway.
        What::Mcs { from, .. } => What::Outer(Box::new(What::NotTls { from, looks: Foreign::Tpkt })),
        what => What::Outer(Box::new(what)),
    }));
}
