//! What an RD Gateway answers to requests without credentials, and which of its transports follow from that.

use std::time::Duration;

use crate::event::{GatewayEvent, HttpResponse, What};
use crate::gateway::Channel;
use crate::observation::Side;

/// What is asked over HTTP, each on a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// RDG_OUT_DATA that asks to go on as a WebSocket, \[MS-TSGU\] 3.3.5.1.
    WebSocket,
    /// RDG_OUT_DATA, the server's half of HTTP's two channels.
    HttpOut,
    /// RPC_OUT_DATA, \[MS-RPCH\] 2.1.2.1.
    RpcOut,
    /// RPC_IN_DATA.
    RpcIn,
    /// GET of the KDC proxy, \[MS-KKDCP\]: it takes POST alone.
    KdcGet,
    /// An empty POST to it.
    KdcPost,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub asked: Question,
    /// What was said to it.
    pub heard: Heard,
    /// From the request to its answer, or to the end.
    pub took: Duration,
}

/// What can be said to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The head of a response.
    Response(Box<HttpResponse>),
    /// What is no HTTP.
    Unreadable,
    /// Nothing, for as long as was waited.
    Silence,
    /// The end of the connection.
    End,
    /// Nobody could ask: this program's own TLS did not come about.
    NoTls(String),
}

/// Whether something is offered, as far as shows without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It goes on at once.
    Open,
    /// Whoever authenticates may go on.
    Authenticated,
    /// It is refused.
    Refused,
    /// The answer does not tell.
    Unclear,
}

impl Question {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Question; 6] = [
        Question::WebSocket,
        Question::HttpOut,
        Question::RpcOut,
        Question::RpcIn,
        Question::KdcGet,
        Question::KdcPost,
    ];

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Question::WebSocket => "RDG_OUT_DATA, WebSocket",
            Question::HttpOut => "RDG_OUT_DATA",
            Question::RpcOut => "RPC_OUT_DATA",
            Question::RpcIn => "RPC_IN_DATA",
            Question::KdcGet => "GET /KdcProxy",
            Question::KdcPost => "POST /KdcProxy",
        }
    }
}

impl Answer {
    /// The response, where there is one.
    pub fn response(&self) -> Option<&HttpResponse> {
        match &self.heard {
            Heard::Response(response) => Some(response),
            Heard::Unreadable | Heard::Silence | Heard::End | Heard::NoTls(_) => None,
        }
    }

    /// The authentication schemes that are asked for, each once.
    pub fn schemes(&self) -> Vec<&str> {
        let mut schemes: Vec<&str> = Vec::new();
        for offer in self.response().into_iter().flat_map(|response| &response.offers) {
            if !schemes.iter().any(|known| known.eq_ignore_ascii_case(&offer.scheme)) {
                schemes.push(&offer.scheme);
            }
        }
        schemes
    }

    /// What follows for whoever would go on.
    pub fn offer(&self) -> Offer {
        let Some(response) = self.response() else {
            return if let Heard::NoTls(_) = self.heard { Offer::Unclear } else { Offer::Refused };
        };
        let is_kdc = matches!(self.asked, Question::KdcGet | Question::KdcPost);
        match response.status {
            101 => Offer::Open,
            // A WebSocket that is not one: the request was taken for another.
            200..=299 if self.asked == Question::WebSocket => Offer::Refused,
            200..=299 => Offer::Open,
            401 if self.schemes().is_empty() => Offer::Refused,
            401 => Offer::Authenticated,
            // It is there, and does not like an empty message.
            400 | 405 | 411 | 500 if is_kdc => Offer::Open,
            300..=400 | 402..=499 | 501..=504 => Offer::Refused,
            _ => Offer::Unclear,
        }
    }
}

/// Reads one question and its answer.
#[derive(Debug, Default)]
pub struct Reader {
    channel: Channel,
    events: Vec<What>,
}

impl Reader {
    /// More of what one side says.
    pub fn push(&mut self, from: Side, data: &[u8]) {
        self.channel.push(from, data, &mut self.events);
    }

    /// The final answer, once its head has come; or that there will be none.
    pub fn heard(&self) -> Option<Heard> {
        self.events.iter().find_map(|what| match what {
            What::Gateway(GatewayEvent::Response(response)) if is_final(response.status) => {
                Some(Heard::Response(response.clone()))
            }
            What::Malformed { from: Side::Server, .. } => Some(Heard::Unreadable),
            _ => None,
        })
    }
}

/// 1xx other than 101 are followed by another (RFC 9110 15.2).
fn is_final(status: u16) -> bool {
    status == 101 || !(100..200).contains(&status)
}
