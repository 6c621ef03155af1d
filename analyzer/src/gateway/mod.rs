//! What a connection to an RD Gateway carries: HTTP, and in it the tunnel of \[MS-TSGU\].
//!
//! Plaintext of one HTTP connection goes in, however it is cut; events come out, and the bytes of the RDP connection that it
//! carries, with the name of the tunnel that they belong to. That the two halves of a tunnel meet is for `session` to see.

use crate::event::What;
use crate::observation::Side;

/// What ties the halves of a tunnel together: RDG-Connection-Id, or RPC's virtual connection cookie.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TunnelId(pub String);

/// Something of the RDP connection in a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Bytes of one side, in order.
    Bytes {
        /// Who sent them.
        from: Side,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Bytes of one side that are not here.
    Missing {
        /// Who sent them.
        from: Side,
        /// How many, about.
        len: u64,
    },
}

/// One HTTP connection to a gateway, in plaintext.
#[derive(Debug, Default)]
pub struct Channel {
    carried: Vec<Carried>,
}

impl Channel {
    /// Nothing said yet.
    pub fn new() -> Channel {
        Channel::default()
    }

    /// More plaintext of one side, in order, however it is cut.
    pub fn push(&mut self, _from: Side, _data: &[u8], _out: &mut Vec<What>) {}

    /// `len` bytes of one side's plaintext that are not here.
    pub fn missing(&mut self, _from: Side, _len: u64, _out: &mut Vec<What>) {}

    /// The tunnel that this is a half of, or the whole, once that is known.
    pub fn tunnel(&self) -> Option<&TunnelId> {
        None
    }

    /// What stands behind the answer of a web proxy that has connected (CONNECT, RFC 9110 9.3.6), of client and server: a
    /// connection of its own. `None` until then; given once.
    pub fn take_connected(&mut self) -> Option<[Vec<u8>; 2]> {
        None
    }

    /// What of the RDP connection came since the last call.
    pub fn take_carried(&mut self) -> Vec<Carried> {
        std::mem::take(&mut self.carried)
    }
}
