//! From a file to what is said of the sessions in it: a relay's recording, or anybody's packets.
//!
//! Memory does not grow with the file: a connection is dropped as soon as it cannot be RDP, and of one that is over
//! only what is said of it stays.

mod before;
mod controllers;
mod foreign;
mod gateways;
mod headers;
mod known;
mod silent;

use std::collections::VecDeque;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::{Analysis, Step};
use crate::attempt::Diagnosed;
use crate::capture::annotation::Section;
pub use crate::capture::clock::Clock;
pub use crate::capture::file::ReadError;
use crate::capture::file::{self, Item};
pub use crate::capture::order::Order;
use crate::capture::segment::Datagram;
use crate::capture::{packets, recording};
use crate::count::counted;
use crate::event::{Event, What};
use crate::observation::{Flow, Leg, Observation, Opening, Seen, Side};
use crate::rdp::kdc;
use crate::rdp::prelude::{self, Prelude, Verdict};
use crate::rdp::tpkt;
use crate::tcp::{Interest, Listener, Streams};
use crate::time::Timestamp;
use crate::timeline::Timeline;
pub use before::{clock, order, secrets};
use controllers::{client_of_kdc, refused};
use foreign::Others;
pub use gateways::LINGER;
use gateways::{Gateways, Member};
use headers::{Headers, Unread};
pub use known::{Known, Meant};
use silent::Silent;

/// Refusals of domain controllers that are remembered.
const MAX_REFUSALS: usize = 1000;
/// A client may have asked its domain controller so long before it dials: people read dialogs.
const BEFORE: Duration = Duration::from_secs(60);
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
    /// Whether there are packets, and none of them could be read: the notices say why.
    pub is_unread: bool,
}

/// Reads a recording or a capture and hands each session, as soon as it is over, to `each`. Secrets in it open the sessions
/// that begin behind them; [`secrets`] finds all of them before, for [`read_with`].
///
/// # Errors
/// Where nothing of it can be read.
pub fn read(input: impl Read, name: Option<&str>, each: &mut dyn FnMut(Diagnosed)) -> Result<Reading, ReadError> {
    read_with(input, name, Known::default(), each)
}

/// The same with what is known before: secrets, or, as a [`Known`], also which endpoints are meant for Remote Desktop.
///
/// # Errors
/// Where nothing of it can be read.
pub fn read_with(
    input: impl Read,
    name: Option<&str>,
    known: impl Into<Known>,
    each: &mut dyn FnMut(Diagnosed),
) -> Result<Reading, ReadError> {
    run(Source::new(name, known.into()), input, &mut |told| match told {
        Along::Step { .. } => {}
        Along::Over { session, .. } => each(*session),
    })
}

/// What is told along the way, by [`read_along`].
#[derive(Debug)]
pub enum Along {
    /// Something was seen.
    Step {
        /// Of which analysis: those of one recording are of one, each connection of a capture is of its own, and those of
        /// one client with a gateway are of one.
        of: u64,
        /// What it was.
        step: Step,
    },
    /// A session is over.
    Over {
        /// Of which analysis.
        of: u64,
        /// What is said of it.
        session: Box<Diagnosed>,
    },
}

/// The same, and tells of each observation and of what both sides said, in clear. Whoever takes that has passwords in hand.
///
/// # Errors
/// Where nothing of it can be read.
pub fn read_along(
    input: impl Read,
    name: Option<&str>,
    known: impl Into<Known>,
    each: &mut dyn FnMut(Along),
) -> Result<Reading, ReadError> {
    run(Source { is_witnessed: true, ..Source::new(name, known.into()) }, input, each)
}

fn run(mut source: Source<'_>, input: impl Read, each: &mut dyn FnMut(Along)) -> Result<Reading, ReadError> {
    let stopped = file::read(input, &mut |item| source.item(item, each))?;
    let late = source.late;
    let mut reading = source.finish(stopped, each);
    if late > 0 {
        let says = "secrets stand behind packets and may open what came before them: give the capture as a file";
        reading.notices.push(format!("{late} {says}"));
    }
    Ok(reading)
}

/// A file that is being read.
struct Source<'a> {
    kind: Kind,
    name: Option<&'a str>,
    known: Known,
    /// Secrets that came behind packets and were not known before.
    late: usize,
    /// Whether each step is to be told.
    is_witnessed: bool,
}

/// What a file turned out to be.
enum Kind {
    Nothing,
    Recording(Box<(recording::Decoder, Analysis)>),
    Packets(Box<(packets::Decoder, Streams<Sifter>)>),
}

/// Makes the analyses of a file, each with its number.
#[derive(Default)]
struct Maker {
    known: Known,
    is_witnessed: bool,
    made: u64,
}

impl Maker {
    fn make(&mut self) -> (u64, Analysis) {
        self.made += 1;
        let analysis = Analysis::with_keys(&self.known.keys);
        (self.made, if self.is_witnessed { analysis.witnessed() } else { analysis })
    }
}

impl<'a> Source<'a> {
    fn new(name: Option<&'a str>, known: Known) -> Source<'a> {
        Source { kind: Kind::Nothing, name, known, late: 0, is_witnessed: false }
    }

    fn item(&mut self, item: Item<'_>, each: &mut dyn FnMut(Along)) -> Result<(), ReadError> {
        if let (Kind::Nothing, Item::Section { comments }) = (&self.kind, &item) {
            self.kind = self.begin(comments);
        }
        if let Item::Secrets(log) = item {
            self.learn(log);
        }
        match &mut self.kind {
            Kind::Nothing => Ok(()),
            Kind::Recording(recording) => {
                let (decoder, analysis) = &mut **recording;
                decoder.item(item, &mut |observation| {
                    analysis.push(&observation);
                    analysis.take_steps().into_iter().for_each(|step| each(Along::Step { of: 0, step }));
                })
            }
            Kind::Packets(packets) => {
                let (decoder, streams) = &mut **packets;
                decoder.item(&item, &mut |heard| take(streams, &heard));
                if decoder.is_disordered() {
                    return Err(ReadError::Disordered);
                }
                streams.listener.told.drain(..).for_each(each);
                Ok(())
            }
        }
    }

    fn begin(&self, comments: &[String]) -> Kind {
        let mut maker = Maker { known: self.known.clone(), is_witnessed: self.is_witnessed, made: 0 };
        if comments.iter().any(|text| Section::decode(text).is_some()) {
            return Kind::Recording(Box::new((recording::Decoder::default(), maker.make().1)));
        }
        let sifter = Sifter { name: self.name.map(str::to_owned), maker, ..Sifter::default() };
        Kind::Packets(Box::new((
            packets::Decoder::in_order(self.known.order, self.known.clock.clone()),
            Streams::new(sifter),
        )))
    }

    /// What begins from here on is opened with these secrets, too.
    fn learn(&mut self, log: &[u8]) {
        let new = Arc::make_mut(&mut self.known.keys).read(log);
        let has_begun = match &mut self.kind {
            Kind::Nothing => false,
            Kind::Recording(recording) => {
                let (_, analysis) = &mut **recording;
                let has_begun = analysis.timeline().began.is_some();
                if !has_begun {
                    let known = self.known.clone();
                    *analysis = Maker { known, is_witnessed: self.is_witnessed, made: 0 }.make().1;
                }
                has_begun
            }
            Kind::Packets(packets) => {
                let (decoder, streams) = &mut **packets;
                streams.listener.maker.known = self.known.clone();
                decoder.frames() > 0
            }
        };
        self.late += if has_begun { new } else { 0 };
    }

    fn finish(self, stopped: Option<String>, each: &mut dyn FnMut(Along)) -> Reading {
        match self.kind {
            Kind::Nothing => Reading { stopped, ..Reading::default() },
            Kind::Recording(recording) => {
                let (decoder, analysis) = *recording;
                let (stopped, notices) = (decoder.stopped(stopped), decoder.notices());
                for session in analysis.finish_all(self.name) {
                    let session = Box::new(Diagnosed { incomplete: stopped.clone(), ..session });
                    each(Along::Over { of: 0, session });
                }
                Reading { stopped, notices, ..Reading::default() }
            }
            Kind::Packets(packets) => {
                let (mut decoder, mut streams) = *packets;
                decoder.finish(&mut |heard| take(&mut streams, &heard));
                let given_up = streams.given_up;
                let mut sifter = streams.finish();
                sifter.finish_gateways(None);
                sifter.finish_silent();
                let mut notices = decoder.notices();
                notices.extend(before::notices(&self.known.clock));
                notices.extend(sifter.notices(given_up));
                // What was over before the file broke off was handed on before.
                for mut told in sifter.told {
                    if let Along::Over { session, .. } = &mut told {
                        session.incomplete.clone_from(&stopped);
                    }
                    each(told);
                }
                Reading { stopped, notices, packets: decoder.frames(), is_unread: decoder.is_unread() }
            }
        }
    }
}

/// Whether the server confirms a request of which nothing is here.
fn is_answered_unseen(pending: &[Observation], heads: &[Vec<u8>; 2]) -> bool {
    let is_missing = |seen: &Observation| matches!(seen.seen, Seen::Missing { from: Side::Client, .. });
    heads[0].is_empty() && prelude::begins_confirm(&heads[1]) && pending.iter().any(is_missing)
}

fn take(streams: &mut Streams<Sifter>, heard: &packets::Heard<'_>) {
    match &heard.what {
        packets::What::Datagram(datagram) => streams.listener.answered(heard, datagram),
        packets::What::Segment(_) | packets::What::Icmp(_) => streams.push(heard),
    }
}

/// Finds RDP among the connections of a capture, by content.
#[derive(Default)]
struct Sifter {
    name: Option<String>,
    maker: Maker,
    /// What is to be handed on.
    told: Vec<Along>,
    /// Sessions that were found.
    found: u64,
    /// Connections that had begun before the capture, at the port of Remote Desktop.
    joined: u64,
    /// Connections whose packets are stored in an order in which they cannot be judged.
    disordered: u64,
    unread: Unread,
    others: Others,
    silent: Silent,
    gateways: Gateways,
    /// What domain controllers refused, and to whom, the latest last.
    refusals: VecDeque<(IpAddr, Event)>,
}

/// What is known of one connection.
enum Candidate {
    /// Of a client with its domain controller.
    Kerberos {
        client: IpAddr,
        answers: kdc::Answers,
    },
    /// With a gateway, perhaps.
    Gateway(Member),
    /// Meant for RDP, and its first bytes are not in the capture.
    Unread(Headers),
    Unsure {
        pending: Vec<Observation>,
        heads: [Vec<u8>; 2],
    },
    Rdp {
        of: u64,
        analysis: Box<Analysis>,
        /// Whom the connection is with, whatever a prelude says.
        server: Option<SocketAddr>,
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
            Candidate::Rdp { of, analysis, skip, .. } => {
                feed(analysis, skip, observation);
                tell(&mut self.told, *of, analysis);
                Interest::Keep
            }
            Candidate::Gateway(member) => match self.gateways.push(member, &observation, &mut self.told) {
                true => Interest::Keep,
                false => Interest::Drop,
            },
            Candidate::Unread(headers) => {
                headers.push(&observation);
                Interest::Keep
            }
            Candidate::Kerberos { client, answers } => {
                let refusal = refused(answers, &observation);
                let client = *client;
                self.refused(client, refusal);
                Interest::Keep
            }
            Candidate::Unsure { pending, heads } => {
                if let Some(client) = client_of_kdc(&observation.seen) {
                    *candidate = Candidate::Kerberos { client, answers: kdc::Answers::default() };
                    return Interest::Keep;
                }
                let verdict = judge(heads, &observation.seen);
                pending.push(observation);
                let known = &self.maker.known;
                let verdict = match (verdict, gateways::can_open(&heads[0], &known.keys)) {
                    (Verdict::Foreign, None) if !heads[0].is_empty() => Verdict::Unsure,
                    (Verdict::Foreign, can_open) => {
                        let can_open = can_open == Some(true);
                        let is_meant = gateways::begins(&heads[0])
                            && server_of(pending).is_some_and(|server| known.meant.is_gateway(server));
                        if can_open || is_meant {
                            let pending = std::mem::take(pending);
                            return self.gateway(candidate, &pending, can_open);
                        }
                        Verdict::Foreign
                    }
                    (verdict, _) => verdict,
                };
                let verdict =
                    if is_answered_unseen(pending, heads) { Verdict::Rdp(Prelude::default()) } else { verdict };
                // What the server makes of the client's first words tells whether it is one of RDP: that is waited for.
                let is_meant = server_of(pending).is_some_and(|server| known.meant.is_rdp(server.port()));
                let verdict = match verdict {
                    Verdict::Foreign if is_meant && !prelude::begins_request(&heads[0]) => match heads[1][..] {
                        [] => Verdict::Unsure,
                        [tpkt::VERSION, 0, ..] => Verdict::Rdp(Prelude::default()),
                        _ => Verdict::Foreign,
                    },
                    verdict => verdict,
                };
                match verdict {
                    Verdict::Unsure if pending.len() <= MAX_PENDING => Interest::Keep,
                    Verdict::Unsure | Verdict::Foreign => {
                        let (pending, [client, _]) = (std::mem::take(pending), std::mem::take(heads));
                        self.dropped(candidate, &pending, &client)
                    }
                    Verdict::Rdp(prelude) => {
                        *candidate = self.begin(std::mem::take(pending), prelude);
                        Interest::Keep
                    }
                }
            }
        }
    }

    fn over(&mut self, candidate: Candidate) {
        match candidate {
            Candidate::Rdp { of, analysis, server, .. } => self.finish(of, *analysis, server),
            Candidate::Kerberos { .. } => {}
            Candidate::Gateway(member) => self.gateways.over(&member),
            Candidate::Unread(headers) => self.unread.push(headers),
            Candidate::Unsure { pending, heads } => self.undecided(pending, &heads),
        }
    }

    fn disordered(&mut self, candidate: Candidate) {
        let is_meant = match candidate {
            Candidate::Rdp { .. } | Candidate::Unread(_) => true,
            Candidate::Unsure { pending, .. } => {
                server_of(&pending).is_some_and(|server| self.maker.known.meant.is_rdp(server.port()))
            }
            Candidate::Gateway(member) => {
                self.gateways.over(&member);
                true
            }
            Candidate::Kerberos { .. } => false,
        };
        self.disordered += u64::from(is_meant);
    }

    fn is_client(&self, payload: &[u8]) -> bool {
        prelude::is_request(payload) == Some(true)
    }

    fn is_server(&self, port: u16) -> bool {
        self.maker.known.meant.is_rdp(port)
    }
}

impl Sifter {
    /// The analysis of a connection that is RDP, from its beginning.
    fn begin(&mut self, pending: Vec<Observation>, prelude: Prelude) -> Candidate {
        let (of, analysis) = self.maker.make();
        let mut analysis = Box::new(analysis);
        let mut skip = prelude.len;
        let server = server_of(&pending);
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
        tell(&mut self.told, of, &mut analysis);
        Candidate::Rdp { of, analysis, server, skip }
    }

    /// A connection is over, and what was said in it does not tell what it is: where it is meant for Remote Desktop that is not
    /// passed over.
    fn undecided(&mut self, pending: Vec<Observation>, heads: &[Vec<u8>; 2]) {
        let is_meant = server_of(&pending).is_some_and(|server| self.maker.known.meant.is_rdp(server.port()));
        let is_answered = prelude::begins_confirm(&heads[1]);
        if prelude::begins_request(&heads[0]) {
            // Elsewhere it is another protocol's that uses X.224.
            if is_meant {
                self.knock(pending);
            }
        } else if heads[0].is_empty() && (is_begun(&pending) || is_answered) {
            self.unasked(pending, &heads[1]);
        } else if self.had_begun(&pending) || !is_meant {
            // Of other people, or counted.
        } else if pending.iter().any(|seen| matches!(seen.seen, Seen::Missing { .. })) {
            self.unread.push(Headers::of(&pending));
        } else if heads.iter().any(|head| head.first() == Some(&tpkt::VERSION)) {
            self.knock(pending);
        } else {
            self.others.push(server_of(&pending), &heads[0]);
        }
    }

    /// The client said nothing: only the endpoint tells what was wanted.
    fn unasked(&mut self, pending: Vec<Observation>, server_said: &[u8]) {
        let Some(server) = server_of(&pending) else { return };
        let meant = &self.maker.known.meant;
        if meant.is_rdp(server.port()) || prelude::begins_confirm(server_said) {
            self.knock(pending);
        } else if !server_said.is_empty() {
            // A protocol in which the server speaks first.
        } else if meant.is_gateway_asked(server) {
            let mut candidate = Candidate::default();
            self.gateway(&mut candidate, &pending, false);
            self.over(candidate);
        } else {
            self.silent.push(pending).into_iter().for_each(|meant| self.knock(meant));
        }
    }

    /// Somebody came to an endpoint that is meant for RDP, and did not say anything.
    fn knock(&mut self, pending: Vec<Observation>) {
        if let Candidate::Rdp { of, analysis, .. } = self.begin(pending, Prelude::default()) {
            self.finish(of, *analysis, None);
        }
    }

    /// A connection is over that was taken for RDP with this server, or meant for it.
    fn finish(&mut self, of: u64, mut analysis: Analysis, server: Option<SocketAddr>) {
        self.refusals_of(analysis.timeline()).iter().for_each(|refusal| analysis.learn(refusal));
        let mut session = Box::new(analysis.finish(self.name.clone()));
        session.timeline.is_meant = server.is_none();
        let facts = &session.timeline.facts;
        let is_foreign = facts.not_rdp.as_ref().is_some_and(|seen| seen.what.0 == Side::Server);
        if facts.request.is_some() && !is_foreign {
            server.into_iter().for_each(|server| self.silent.used(server));
        }
        if session.is_rdp() {
            self.found += 1;
        } else if let Some(headers) = Headers::of_timeline(&session.timeline) {
            self.unread.push(headers);
        }
        self.told.push(Along::Over { of, session });
    }

    /// What went to endpoints of which it is known by now that they are used for RDP.
    fn finish_silent(&mut self) {
        self.silent.take_meant().into_iter().for_each(|meant| self.knock(meant));
    }

    /// Nothing can be made of a connection. Where it is meant for Remote Desktop it is told what its headers show.
    fn dropped(&mut self, candidate: &mut Candidate, pending: &[Observation], client: &[u8]) -> Interest {
        let Some(server) = server_of(pending) else { return Interest::Drop };
        let has_joined = self.had_begun(pending);
        let meant = &self.maker.known.meant;
        let (is_rdp, is_gateway) = (meant.is_rdp(server.port()), meant.is_gateway(server));
        let is_unread = pending.last().is_some_and(|last| matches!(last.seen, Seen::Missing { .. }));
        if is_rdp && !has_joined && !is_unread {
            self.others.push(Some(server), client);
        }
        if has_joined || !is_unread || !is_rdp && !is_gateway {
            return Interest::Drop;
        }
        *candidate = Candidate::Unread(Headers::of(pending));
        Interest::Keep
    }

    /// Counts a connection that had begun before the capture, where it is meant for RDP. Whether it had begun.
    fn had_begun(&mut self, pending: &[Observation]) -> bool {
        let first = pending.first().map(|first| &first.seen);
        let Some(Seen::Opening(Opening::Joined { server, .. })) = first else { return false };
        let meant = &self.maker.known.meant;
        self.joined += u64::from(meant.is_rdp(server.port()) || meant.is_gateway(*server));
        true
    }

    fn notices(&self, given_up: u64) -> Vec<String> {
        let told = [
            (self.joined, "meant for Remote Desktop had begun before the capture: how that was is not in it"),
            (
                self.disordered,
                "cannot be judged: packets are stored in another order than that of their times, too far apart to be put \
                 right while reading; give the capture as a file, or sort it first: reordercap CAPTURE SORTED",
            ),
            (given_up, "had to be given up: there were too many at once"),
        ];
        let told = told.iter().filter(|(count, _)| *count > 0);
        let mut notices: Vec<String> =
            told.map(|(count, says)| format!("{} {says}", counted(*count, "connection"))).collect();
        notices.extend(self.unread.notice());
        notices.extend(self.others.notice());
        // Where RDP was found, everything else is other people's.
        notices.extend(self.silent.notice().filter(|_| self.found == 0));
        notices
    }

    /// A connection's TLS can be opened, and what stands in it says what it is; or it is with an endpoint that is meant to be a
    /// gateway.
    fn gateway(&mut self, candidate: &mut Candidate, pending: &[Observation], can_open: bool) -> Interest {
        self.finish_gateways(pending.last().map(|last| last.at));
        match self.gateways.begin(pending, can_open, &mut self.maker, &mut self.told) {
            Some(member) => {
                *candidate = Candidate::Gateway(member);
                Interest::Keep
            }
            None => Interest::Drop,
        }
    }

    /// Tells of the clients of gateways that are done by now, or, at the end, of all.
    fn finish_gateways(&mut self, now: Option<Timestamp>) {
        for (of, is_meant, mut analysis) in self.gateways.finished(now) {
            self.refusals_of(analysis.timeline()).iter().for_each(|refusal| analysis.learn(refusal));
            for mut session in analysis.finish_all(self.name.as_deref()) {
                session.timeline.is_meant = is_meant && session.timeline.is_unread();
                if session.is_rdp() {
                    self.found += 1;
                    self.told.push(Along::Over { of, session: Box::new(session) });
                }
            }
        }
    }

    /// What a domain controller answers in one datagram.
    fn answered(&mut self, heard: &packets::Heard<'_>, datagram: &Datagram<'_>) {
        let error = kdc::datagram(datagram.payload).filter(|error| !error.is_usual());
        let flow = Flow { session: 0, leg: Leg::Only };
        let refusal = error.map(|error| Event { at: heard.at, flow, frame: heard.frame, what: What::Kdc(error) });
        self.refused(datagram.destination.ip(), refusal);
    }

    fn refused(&mut self, client: IpAddr, refusal: Option<Event>) {
        self.refusals.extend(refusal.map(|refusal| (client, refusal)));
        self.refusals.drain(..self.refusals.len().saturating_sub(MAX_REFUSALS));
    }

    /// What this session's client was refused by a domain controller before it ended, and not long before it began.
    fn refusals_of(&self, timeline: &Timeline) -> Vec<Event> {
        let client = timeline.client_leg().and_then(|leg| leg.client).map(|client| client.ip());
        let (Some(client), Some(began)) = (client, timeline.began) else { return Vec::new() };
        let meanwhile = |at: Timestamp| at <= timeline.last && began.since(at) <= BEFORE;
        let of_it = self.refusals.iter().filter(|(whose, refusal)| *whose == client && meanwhile(refusal.at));
        of_it.map(|(_, refusal)| refusal.clone()).collect()
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
        Seen::Opening(_)
        | Seen::Opened
        | Seen::Path(_)
        | Seen::Sign(_)
        | Seen::Secret(_)
        | Seen::Interception(_)
        | Seen::Impairment(_)
        | Seen::Lapse(_)
        | Seen::Closed { .. } => Verdict::Unsure,
    }
}

/// Hands on what an analysis remembers of each step.
fn tell(told: &mut Vec<Along>, of: u64, analysis: &mut Analysis) {
    told.extend(analysis.take_steps().into_iter().map(|step| Along::Step { of, step }));
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

/// Whether it was seen how a connection began.
fn is_begun(pending: &[Observation]) -> bool {
    pending.iter().any(|observation| matches!(observation.seen, Seen::Opening(Opening::Dialing { .. })))
}

/// Whom a connection is with.
fn server_of(pending: &[Observation]) -> Option<SocketAddr> {
    pending.iter().find_map(|observation| match observation.seen {
        Seen::Opening(Opening::Dialing { server, .. } | Opening::Joined { server, .. }) => Some(server),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
