//! What a gateway of the lab did, in words: for people who watch it.

use std::fmt;

use super::log::Did;
use super::script::{Answer, GatewayAct, Step};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Accept => f.write_str("accepts the connection"),
            Step::Connect => f.write_str("has the CONNECT, as a web proxy"),
            Step::ClientHello => f.write_str("has the ClientHello"),
            Step::Established => f.write_str("has TLS"),
            Step::Request => f.write_str("has the RDG_OUT_DATA"),
            Step::InRequest => f.write_str("has the RDG_IN_DATA"),
            Step::RpcRequest => f.write_str("has the request for RPC"),
            Step::Challenge => f.write_str("has sent its challenge"),
            Step::LetIn => f.write_str("lets the client in"),
            Step::Accepted => f.write_str("has accepted the channel"),
            Step::Handshake => f.write_str("has the handshake request"),
            Step::TunnelCreate => f.write_str("has the tunnel's creation"),
            Step::TunnelAuthorize => f.write_str("has the tunnel's authorization"),
            Step::ChannelCreate => f.write_str("has the channel's creation"),
            Step::Opened => f.write_str("has opened the channel"),
            Step::Carried(bytes) => write!(f, "has carried {bytes} bytes of the target"),
            Step::Quiet(ms) => write!(f, "has carried nothing for {ms} ms"),
        }
    }
}

impl fmt::Display for GatewayAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GatewayAct::Fin => f.write_str("sends FIN"),
            GatewayAct::Goodbye => f.write_str("takes its leave: close_notify and FIN"),
            GatewayAct::Reset => f.write_str("sends RST"),
            GatewayAct::Silence => f.write_str("says no more"),
            GatewayAct::Answer(answer) => write!(f, "answers {answer}"),
            GatewayAct::AnswerAndLeave(answer) => write!(f, "answers {answer} and takes its leave"),
            GatewayAct::Refuse(code, 0) => write!(f, "refuses with {code:#010x}"),
            GatewayAct::Refuse(code, after) => write!(f, "refuses with {code:#010x} after {after} ms"),
            GatewayAct::Close(status) => write!(f, "closes the channel with {status:#010x}"),
            GatewayAct::Kick(status) => write!(f, "sends a service message and closes the channel with {status:#010x}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status)
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Did::Reached(step) => step.fmt(f),
            Did::Acted(step, act) => write!(f, "{step} and {act}"),
            Did::TurnedAway => f.write_str("turns the client away with 401"),
            Did::MissesTarget => f.write_str("cannot reach the target: 0x800759dd"),
            Did::TargetGone => f.write_str("is left by the target, and closes the channel"),
            Did::BrokenOff => f.write_str("cannot go on"),
            Did::Over => f.write_str("is done with it"),
        }
    }
}
