//! From a file to what is said of the sessions in it: a relay's recording, or anybody's packets.
//!
//! Memory does not grow with the file: a connection is dropped as soon as it cannot be RDP, and of one that is over
//! only what is said of it stays.

use std::io::Read;

use crate::analysis::Analysis;
use crate::attempt::Diagnosed;
use crate::capture::annotation::Section;
pub use crate::capture::file::ReadError;
use crate::capture::file::{self, Item};
use crate::capture::{packets, recording};
use crate::observation::{Observation, Opening, Seen};
use crate::rdp::prelude::{self, Prelude, Verdict};
use crate::tcp::{Interest, Listener, Streams};
use crate::timeline::RDP_PORT;

/// Observations of a connection that are kept until it is known what it is.
const MAX_PENDING: usize = 256;
/// First bytes of a side that are kept until then.
const MAX_HEAD: usize = 4096;

/// What can be said of a file besides its sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Why reading stopped before the end, if it did. What stands before that place was read.
    pub stopped: Option<String>,
    /// What whoever made the capture should know.
    pub notices: Vec<String>,
    /// Packets in it; 0 of a recording.
    pub packets: u64,
}

/// Reads a recording or a capture and hands each session, as soon as it is over, to `each`.
///
/// # Errors
/// Where nothing of it can be read.
pub fn read(input: impl Read, name: Option<&str>, each: &mut dyn FnMut(Diagnosed)) -> Result<Reading, ReadError> {
    let mut source = Source::Nothing;
    let stopped = file::read(input, &mut |item| source.item(item, name, each))?;
    Ok(match source {
        Source::Nothing => Reading { stopped, ..Reading::default() },
        Source::Recording(recording) => {
            let (decoder, analysis) = *recording;
            let stopped = decoder.stopped(stopped);
            let session = analysis.finish(name.map(str::to_owned));
            each(Diagnosed { incomplete: stopped.clone(), ..session });
            Reading { stopped, ..Reading::default() }
        }
        Source::Packets(packets) => {
            let (decoder, streams) = *packets;
            let given_up = streams.given_up;
            let sifter = streams.finish();
            sifter.done.into_iter().for_each(each);
            let mut notices = decoder.notices();
            notices.extend(sifter.counts.notices(given_up));
            Reading { stopped, notices, packets: decoder.frames() }
        }
    })
}

/// What a file turned out to be.
enum Source {
    Nothing,
    Recording(Box<(recording::Decoder, Analysis)>),
    Packets(Box<(packets::Decoder, Streams<Sifter>)>),
}

impl Source {
    fn item(&mut self, item: Item<'_>, name: Option<&str>, each: &mut dyn FnMut(Diagnosed)) -> Result<(), ReadError> {
        if let (Source::Nothing, Item::Section { comments }) = (&*self, &item) {
            let is_ours = comments.iter().any(|text| Section::decode(text).is_some());
            *self = if is_ours {
                Source::Recording(Box::default())
            } else {
                let sifter = Sifter { name: name.map(str::to_owned), ..Sifter::default() };
                Source::Packets(Box::new((packets::Decoder::default(), Streams::new(sifter))))
            };
        }
        match self {
            Source::Nothing => Ok(()),
            Source::Recording(recording) => {
                let (decoder, analysis) = &mut **recording;
                decoder.item(item, &mut |observation| analysis.push(&observation))
            }
            Source::Packets(packets) => {
                let (decoder, streams) = &mut **packets;
                decoder.item(&item, &mut |heard| streams.push(&heard));
                streams.listener.done.drain(..).for_each(each);
                Ok(())
            }
        }
    }
}

/// Finds RDP among the connections of a capture, by content.
#[derive(Default)]
struct Sifter {
    name: Option<String>,
    done: Vec<Diagnosed>,
    counts: Counts,
}

/// Connections that may have been RDP, and nobody can tell.
#[derive(Debug, Default)]
struct Counts {
    joined: u64,
    unreadable: u64,
}

/// What is known of one connection.
enum Candidate {
    Unsure {
        pending: Vec<Observation>,
        heads: [Vec<u8>; 2],
    },
    Rdp {
        analysis: Box<Analysis>,
        /// Bytes of client and server that are still the prelude's.
        skip: [usize; 2],
    },
}

impl Default for Candidate {
    fn default() -> Candidate {
        Candidate::Unsure { pending: Vec::new(), heads: [Vec::new(), Vec::new()] }
    }
}

impl Listener for Sifter {
    type State = Candidate;

    fn hear(&mut self, candidate: &mut Candidate, observation: Observation) -> Interest {
        match candidate {
            Candidate::Rdp { analysis, skip } => {
                feed(analysis, skip, observation);
                Interest::Keep
            }
            Candidate::Unsure { pending, heads } => {
                let verdict = judge(heads, &observation.seen);
                pending.push(observation);
                match verdict {
                    Verdict::Unsure if pending.len() <= MAX_PENDING => Interest::Keep,
                    Verdict::Unsure | Verdict::Foreign => {
                        self.counts.dropped(pending);
                        Interest::Drop
                    }
                    Verdict::Rdp(prelude) => {
                        *candidate = begin(std::mem::take(pending), prelude);
                        Interest::Keep
                    }
                }
            }
        }
    }

    fn over(&mut self, candidate: Candidate) {
        let analysis = match candidate {
            Candidate::Rdp { analysis, .. } => analysis,
            // Nobody said a word: only the port tells what was wanted.
            Candidate::Unsure { pending, heads } if is_knock(&pending, &heads) => {
                let Candidate::Rdp { analysis, .. } = begin(pending, Prelude::default()) else { return };
                analysis
            }
            Candidate::Unsure { .. } => return,
        };
        self.done.push(analysis.finish(self.name.clone()));
    }

    fn is_client(&self, payload: &[u8]) -> bool {
        prelude::is_request(payload) == Some(true)
    }

    fn is_server(&self, port: u16) -> bool {
        port == RDP_PORT
    }
}

impl Counts {
    fn dropped(&mut self, pending: &[Observation]) {
        let joined = pending.first().is_some_and(
            |first| matches!(first.seen, Seen::Opening(Opening::Joined { server, .. }) if server.port() == RDP_PORT),
        );
        let unread = pending.last().is_some_and(|last| matches!(last.seen, Seen::Missing { .. }));
        self.joined += u64::from(joined);
        self.unreadable += u64::from(unread && !joined && server_port(pending) == Some(RDP_PORT));
    }

    fn notices(&self, given_up: u64) -> Vec<String> {
        let told = [
            (self.joined, "connections on port 3389 had begun before the capture: how they began is not in it"),
            (self.unreadable, "connections on port 3389 begin with bytes that the capture does not hold"),
            (given_up, "connections were given up because there were too many at once"),
        ];
        told.iter().filter(|(count, _)| *count > 0).map(|(count, says)| format!("{count} {says}")).collect()
    }
}

fn judge(heads: &mut [Vec<u8>; 2], seen: &Seen) -> Verdict {
    match seen {
        Seen::Bytes { from, data } => {
            let head = &mut heads[*from as usize];
            let room = MAX_HEAD.saturating_sub(head.len());
            head.extend_from_slice(data.get(..room).unwrap_or(data));
            if room == 0 { Verdict::Foreign } else { prelude::judge(&heads[0], &heads[1]) }
        }
        Seen::Missing { .. } => Verdict::Foreign,
        Seen::Opening(_) | Seen::Opened | Seen::Path(_) | Seen::Sign(_) | Seen::Closed { .. } => Verdict::Unsure,
    }
}

/// The analysis of a connection that is RDP, from its beginning.
fn begin(pending: Vec<Observation>, prelude: Prelude) -> Candidate {
    let mut analysis = Box::new(Analysis::default());
    let mut skip = prelude.len;
    for mut observation in pending {
        if let Seen::Opening(Opening::Dialing { client, server } | Opening::Joined { client, server }) =
            &mut observation.seen
        {
            *client = prelude.client.unwrap_or(*client);
            *server = prelude.server.unwrap_or(*server);
            if let Some((name, port)) = &prelude.name {
                let target = Opening::Target { name: name.clone(), port: *port };
                analysis.push(&Observation { seen: Seen::Opening(target), ..observation.clone() });
            }
        }
        feed(&mut analysis, &mut skip, observation);
    }
    Candidate::Rdp { analysis, skip }
}

/// Hands an observation on, without what is the prelude's.
fn feed(analysis: &mut Analysis, skip: &mut [usize; 2], mut observation: Observation) {
    if let Seen::Bytes { from, data } = &mut observation.seen {
        let skip = &mut skip[*from as usize];
        if *skip > 0 {
            let skipped = data.split_to((*skip).min(data.len()));
            *skip -= skipped.len();
            if data.is_empty() {
                return;
            }
        }
    }
    analysis.push(&observation);
}

/// Whether somebody came to the port of Remote Desktop, was seen to come, and did not say anything.
fn is_knock(pending: &[Observation], heads: &[Vec<u8>; 2]) -> bool {
    heads[0].is_empty() && server_port(pending) == Some(RDP_PORT)
}

fn server_port(pending: &[Observation]) -> Option<u16> {
    pending.iter().find_map(|observation| match observation.seen {
        Seen::Opening(Opening::Dialing { server, .. } | Opening::Joined { server, .. }) => Some(server.port()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
