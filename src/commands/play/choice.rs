//! Which session of a file is to be played, and whether there is anything to see in it.

use std::collections::HashMap;

use analyzer::attempt::Diagnosed;
use analyzer::event::{Event, RdpPdu, What};
use analyzer::observation::{Flow, Side};
use analyzer::reading::{Along, Known};
use analyzer::report::verdict;
use analyzer::transcript::{Line, Place, Said};
use anyhow::bail;

use super::super::talk;
use super::note;
use crate::cli::Play;
use crate::input;
use proxy::named::Named;

/// The session.
pub struct Chosen {
    /// As it is listed.
    pub number: usize,
    /// What is said of it.
    pub session: Diagnosed,
    /// Whether its server told of a desktop.
    pub has_screen: bool,
    /// Why it has none, where that is known.
    sealed: Option<Sealed>,
    of: u64,
    /// Which connection it is, where its recording has others.
    connection: Option<u32>,
}

/// What keeps a session closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealed {
    Tls,
    Standard,
}

impl Chosen {
    /// Whether something was seen of it.
    pub fn has(&self, of: u64, flow: Flow) -> bool {
        of == self.of && self.connection.is_none_or(|connection| connection == flow.session)
    }
}

/// What was seen of one connection.
#[derive(Default)]
struct Seen {
    is_tls: bool,
    is_opened: bool,
    is_standard: bool,
    has_screen: bool,
}

impl Seen {
    fn push(&mut self, events: &[Event], lines: &[Line]) {
        for event in events {
            match &event.what {
                What::TlsEstablished { .. } => self.is_tls = true,
                What::ServerSettings(settings) => {
                    self.is_standard = settings.encryption_method.is_some_and(|method| method != 0)
                }
                What::Rdp { pdu: RdpPdu::DemandActive(_), .. } => self.has_screen = true,
                _ => {}
            }
        }
        let is_opened =
            |line: &Line| (line.from, line.place) == (Side::Server, Place::Tls) && matches!(line.said, Said::Bytes(_));
        self.is_opened |= lines.iter().any(is_opened);
    }

    fn sealed(&self) -> Option<Sealed> {
        match self {
            Seen { has_screen: true, .. } => None,
            Seen { is_tls: true, is_opened: false, .. } => Some(Sealed::Tls),
            Seen { is_tls: false, is_standard: true, .. } => Some(Sealed::Standard),
            Seen { .. } => None,
        }
    }
}

/// Reads the file and chooses. `None` where it has to be said which: the sessions are listed.
pub fn choose(args: &Play, known: &Known) -> anyhow::Result<Option<Chosen>> {
    let mut seen: HashMap<(u64, u32), Seen> = HashMap::new();
    let mut sessions = Vec::new();
    let reading = input::read_along(&args.input, known, &mut |along| match along {
        Along::Step { of, step } => {
            seen.entry((of, step.observation.flow.session)).or_default().push(&step.events, &step.lines);
        }
        Along::Over { of, session } => sessions.extend(session.is_rdp().then_some((of, *session))),
    })?;
    reading.stopped.iter().for_each(|why| note(&format!("{why}; what stands before is shown")));
    reading.notices.iter().for_each(|notice| note(notice));
    if reading.is_unread && sessions.is_empty() {
        bail!("nothing in {} could be read", args.input.named());
    }
    let mut all: Vec<Chosen> =
        sessions.into_iter().zip(1..).map(|(session, number)| chosen(session, number, &seen)).collect();
    share(&mut all);
    let place = match (args.session, &all[..]) {
        (_, []) => bail!("no RDP found in {}", args.input.named()),
        (Some(number), all) => match usize::try_from(number)?.checked_sub(1).filter(|place| *place < all.len()) {
            Some(place) => place,
            None => bail!("expected a session between 1 and {}, found {number}", all.len()),
        },
        (None, [_]) => 0,
        (None, all) => {
            let mut shown = all.iter().enumerate().filter(|(_, one)| one.has_screen).map(|(place, _)| place);
            match (shown.next(), shown.next()) {
                (Some(place), None) => place,
                _ => {
                    list(all);
                    return Ok(None);
                }
            }
        }
    };
    Ok(Some(all.swap_remove(place)))
}

fn chosen((of, session): (u64, Diagnosed), number: usize, seen: &HashMap<(u64, u32), Seen>) -> Chosen {
    let connection = session.timeline.connection();
    let nothing = Seen::default();
    let own = connection.and_then(|connection| seen.get(&(of, connection))).unwrap_or(&nothing);
    // A tunnel has its connection to the server in another of its own.
    let has_screen =
        own.has_screen || session.timeline.is_active() && seen.iter().any(|(key, seen)| key.0 == of && seen.has_screen);
    Chosen { number, has_screen, sealed: own.sealed().filter(|_| !has_screen), session, of, connection }
}

/// Who shares a recording with nobody has all its connections: a tunnel may have two.
fn share(all: &mut [Chosen]) {
    let mut count: HashMap<u64, usize> = HashMap::new();
    all.iter().for_each(|one| *count.entry(one.of).or_default() += 1);
    let alone = all.iter_mut().filter(|one| count.get(&one.of) == Some(&1));
    alone.for_each(|one| one.connection = None);
}

fn list(all: &[Chosen]) {
    talk("error: there are several sessions: --session N says which");
    for one in all {
        let picture = if one.has_screen { "" } else { ", no picture" };
        talk(&format!("  {:>3}  {}  {}{picture}", one.number, one.session.began(), verdict::of_session(&one.session)));
    }
}

/// Why a session cannot be shown, and what would help.
pub fn why_none(chosen: &Chosen) -> String {
    match chosen.sealed {
        Some(Sealed::Tls) => {
            "TLS stands, and no secret here opens it. --keylog FILE takes the NSS key log that the client or the \
                              server wrote (SSLKEYLOGFILE) while it was recorded; a recording of `proxy --keylog` or \
                              `proxy --intercept` has them in it"
                .into()
        }
        Some(Sealed::Standard) => {
            "Standard RDP Security encrypts it, and nobody logs its keys; `proxy --intercept` cannot open it \
                                   either. Have client and server use TLS"
                .into()
        }
        None => format!("its server told of no desktop; {}", verdict::of_session(&chosen.session)),
    }
}

/// Whether keys would show more than is shown.
pub fn is_sealed(chosen: &Chosen) -> bool {
    chosen.sealed.is_some()
}
