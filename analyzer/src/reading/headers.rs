//! Connections of which only headers can be read: what those show, in a line each.

use std::net::SocketAddr;

use crate::count::{counted, either};
use crate::diagnose::stage::length;
use crate::observation::{Ending, Observation, Opening, Seen, Side};
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// Connections that are named; of further ones the number is told.
const NAMED: usize = 8;

/// What the headers of one connection show.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    ends: Option<(SocketAddr, SocketAddr)>,
    began: Timestamp,
    is_open: bool,
    /// Payload of client and server.
    bytes: [u64; 2],
    /// The first end: who, how, when.
    end: Option<(Option<Side>, Ending, Timestamp)>,
}

impl Headers {
    pub(super) fn of(pending: &[Observation]) -> Headers {
        let mut headers = Headers::default();
        pending.iter().for_each(|observation| headers.push(observation));
        headers
    }

    /// Those of a connection that was taken for RDP, and then could not be read, since something of it is missing.
    pub(super) fn of_timeline(timeline: &Timeline) -> Option<Headers> {
        let leg = timeline.server_leg().filter(|leg| leg.missing != [0; 2] || leg.snapped != [0; 2])?;
        let end = leg.closes.first().map(|close| (close.what.0, close.what.1, close.mark.at));
        Some(Headers {
            ends: leg.client.zip(leg.server),
            began: timeline.began.unwrap_or_default(),
            is_open: leg.opened.is_some(),
            bytes: leg.bytes,
            end,
        })
    }

    pub(super) fn push(&mut self, observation: &Observation) {
        match &observation.seen {
            Seen::Opening(Opening::Dialing { client, server } | Opening::Joined { client, server }) => {
                self.ends.get_or_insert((*client, *server));
                self.began = observation.at;
            }
            Seen::Opened => self.is_open = true,
            Seen::Bytes { from, data } => self.bytes[*from as usize] += data.len() as u64,
            Seen::Missing { from, len, .. } => self.bytes[*from as usize] += len,
            Seen::Closed { from, how } => {
                self.end.get_or_insert((*from, *how, observation.at));
            }
            Seen::Opening(_)
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Secret(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_) => {}
        }
    }

    /// "10.0.0.1:50000 to 10.0.0.2:3389: opened, 57 bytes asked, 19 answered, reset by the server after 5.0 ms"
    fn says(&self) -> String {
        let ends = match self.ends {
            Some((client, server)) => format!("{client} to {server}"),
            None => "ends unknown".into(),
        };
        let opened = if self.is_open { "opened" } else { "its beginning is not seen" };
        let [asked, answered] = self.bytes;
        format!("{ends}: {opened}, {} asked, {answered} answered, {}", counted(asked, "byte"), self.end())
    }

    fn end(&self) -> String {
        let Some((from, how, at)) = self.end else { return "not ended".into() };
        let after = length(at.since(self.began));
        let who = from.map_or(String::new(), |from| format!(" by the {from}"));
        match how {
            Ending::Fin => format!("closed{who} after {after}"),
            Ending::Reset => format!("reset{who} after {after}"),
            Ending::Refused => "refused".into(),
            Ending::Unreachable => "reported unreachable".into(),
            Ending::TimedOut | Ending::Unresolved => format!("not answered for {after}"),
            Ending::Cut => "not ended".into(),
        }
    }
}

/// Connections that cannot be read: the first few, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Unread {
    named: Vec<Headers>,
    count: u64,
}

impl Unread {
    pub(super) fn push(&mut self, headers: Headers) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(headers);
        }
    }

    pub(super) fn notice(&self) -> Option<String> {
        let named: Vec<String> = self.named.iter().map(Headers::says).collect();
        let more = self.count - named.len() as u64;
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (self.count > 0).then(|| {
            format!(
                "{} {} with bytes that the capture does not hold, and cannot be read: {}{more}",
                counted(self.count, "connection"),
                either(self.count, "begins", "begin"),
                named.join("; ")
            )
        })
    }
}
