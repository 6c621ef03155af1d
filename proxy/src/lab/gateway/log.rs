//! What a gateway did, connection by connection: the truth to hold a verdict against.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::script::{GatewayAct, Step};
use crate::lab::socket::{Ended, Tally};

/// One thing that a gateway did, or that happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Instant,
    /// What.
    pub did: Did,
}

/// What a deed was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It came to this step and went on.
    Reached(Step),
    /// It came to this step and began to do this.
    Acted(Step, GatewayAct),
    /// It refused the credentials, or asked for some, with 401.
    TurnedAway,
    /// The target cannot be reached from here.
    MissesTarget,
    /// The target ended the connection in the tunnel.
    TargetGone,
    /// The client broke off, or said what could not be understood.
    BrokenOff,
    /// The connection is over on both sides.
    Over,
}

/// A deed as it happens, for somebody who watches.
#[derive(Debug)]
pub struct Told {
    /// Which connection, counted from 1.
    pub connection: usize,
    /// Who came.
    pub client: SocketAddr,
    /// What happened.
    pub deed: Deed,
    /// What the gateway's own libraries said of it, where something broke off.
    pub error: Option<String>,
}

/// Who is told. Called between two steps of a conversation: it must not wait for anything.
#[derive(Clone)]
pub struct Tell(pub Arc<dyn Fn(Told) + Send + Sync>);

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}

/// All that happened on one connection.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// In order.
    pub deeds: Vec<Deed>,
    /// What was sent on the socket.
    pub sent: Tally,
    /// What was read from the socket.
    pub received: Tally,
    /// How the client ended it. `None` if the gateway reset it.
    pub ended: Option<Ended>,
    /// What the gateway's own libraries said of it, where something broke off.
    pub error: Option<String>,
}

impl Conversation {
    /// Whether the gateway came to this step, and acted there or went on.
    pub fn came_to(&self, step: Step) -> bool {
        self.deeds.iter().any(|deed| match deed.did {
            Did::Reached(at) | Did::Acted(at, _) => at == step,
            Did::TurnedAway | Did::MissesTarget | Did::TargetGone | Did::BrokenOff | Did::Over => false,
        })
    }
}

/// Why a gateway does not go on with its healthy part.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its script has it act here.
    Acts(GatewayAct),
    /// The connection failed under it.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Failed(error)
    }
}

/// The deeds of a connection so far, and the one act to come.
#[derive(Debug)]
pub(super) struct Log {
    pub deeds: Vec<Deed>,
    pub fault: Option<(Step, GatewayAct)>,
    pub connection: usize,
    pub client: SocketAddr,
    pub tell: Option<Tell>,
}

impl Log {
    /// Notes that a step was reached, and stops there if the script has it so.
    pub fn reach(&mut self, step: Step) -> Result<(), Stop> {
        match self.fault {
            Some((at, act)) if at == step => {
                self.note(Did::Acted(step, act), None);
                Err(Stop::Acts(act))
            }
            _ => {
                self.note(Did::Reached(step), None);
                Ok(())
            }
        }
    }

    /// Notes what happened.
    pub fn note(&mut self, did: Did, error: Option<&io::Error>) {
        let deed = Deed { at: Instant::now(), did };
        self.deeds.push(deed);
        if let Some(Tell(tell)) = &self.tell {
            let error = error.map(io::Error::to_string);
            tell(Told { connection: self.connection, client: self.client, deed, error });
        }
    }
}
