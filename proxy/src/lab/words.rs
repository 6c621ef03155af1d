//! What a server of the lab did, in words: for people who watch it.

use std::fmt;

use super::{Act, Did, Point, Word};

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Accept => f.write_str("accepts the connection"),
            Point::Request => f.write_str("has the Connection Request"),
            Point::Confirm => f.write_str("has sent its Connection Confirm"),
            Point::ClientHello => f.write_str("has the ClientHello"),
            Point::MidFlight(bytes) => write!(f, "has sent {bytes} bytes of its flight"),
            Point::Established => f.write_str("stands at the beginning of the session"),
            Point::ConnectInitial => f.write_str("has the MCS Connect Initial"),
            Point::Negotiate => f.write_str("has the client's first TSRequest"),
            Point::Authenticate => f.write_str("has the client's proof"),
            Point::Credentials => f.write_str("has the client's credentials"),
            Point::Join => f.write_str("has the first Channel Join Request"),
            Point::Licence => f.write_str("has sent the licence"),
            Point::DemandActive => f.write_str("has sent its Demand Active"),
            Point::ClientInfo => f.write_str("has the Client Info"),
            Point::ConfirmActive => f.write_str("has the Confirm Active"),
            Point::Active => f.write_str("has sent its last burst"),
            Point::Quiet => f.write_str("has heard and said nothing for a while"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Fin => f.write_str("sends FIN"),
            Act::Goodbye => f.write_str("takes its leave: close_notify and FIN"),
            Act::Reset => f.write_str("sends RST"),
            Act::Silence => f.write_str("says no more"),
            Act::Answer(bytes) => write!(f, "answers with {} bytes and FIN", bytes.len()),
            Act::AnswerAndWait(bytes) => write!(f, "says {} bytes and waits", bytes.len()),
            Act::NegotiationFailure(code) => write!(f, "answers with RDP_NEG_FAILURE {code} and waits"),
            Act::Alert(description) => write!(f, "sends alert {description} and FIN"),
            Act::Say(word) => write!(f, "says {word}"),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::ErrorCode(code) => write!(f, "errorCode {code:#010x}"),
            Word::Reject => f.write_str("negState reject"),
            Word::Authorization(result) => write!(f, "Early User Authorization Result {result}"),
            Word::ConnectRefused(result) => write!(f, "MCS Connect Response with result {result}"),
            Word::JoinRefused => f.write_str("Channel Join Confirm with result 3"),
            Word::LicenceError(code) => write!(f, "licensing error {code}"),
            Word::ErrorInfo(code) => write!(f, "Set Error Info {code:#x}"),
            Word::Redirect(address) => write!(f, "Server Redirection to {address}"),
        }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Did::Reached(point) => point.fmt(f),
            Did::Acted(point, act) => write!(f, "{point} and {act}"),
            Did::BrokenOff => f.write_str("cannot go on"),
            Did::Over => f.write_str("is done with it"),
        }
    }
}
