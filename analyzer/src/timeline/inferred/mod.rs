//! Which phase a session is in behind TLS, told from its sealed records alone: who speaks, in which order, how long.
//!
//! A record tells the length of its plaintext, and the connection sequence is one of few lengths: joins are twelve bytes,
//! a valid licence thirty-four, a Font Map forty. One step after the other is followed, with nothing kept but the step. A
//! record that fits nowhere loosens the track, one that contradicts it loses it; from there on nothing is told, and
//! [`Turns`] alone say when the sequence must be over. What is told here is never certain, and never *seen*.

mod plain;
mod shape;
#[cfg(test)]
mod tests;
mod turns;

use super::Mark;
use super::phase::PhaseName;
use crate::event::Protocols;
use crate::observation::Side;

pub(super) use plain::{Overhead, Plain};
pub use turns::Progress;
pub(super) use turns::Turns;

/// ContentType of the record layer, RFC 8446 5.1: application data. TLS 1.3 seals all others as this, too.
const APPLICATION_DATA: u8 = 23;
/// Alert.
const ALERT: u8 = 21;
/// Answers of the server after which CredSSP's client may send its credentials: challenge, or Kerberos, and public key.
const ANSWERS: u32 = 2;

/// How sure an inferred phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sureness {
    /// Something did not fit, or lengths are known within a block only.
    Possible,
    /// Every record fitted, to the byte.
    Likely,
}

impl Sureness {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Sureness::Possible => "possible",
            Sureness::Likely => "likely",
        }
    }
}

/// How well the records fit the connection sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Track {
    /// All of them.
    #[default]
    Kept,
    /// Some record has no meaning here.
    Loose,
    /// One contradicts it: nothing more is told.
    Lost,
}

/// The last thing that was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    /// TLS stands.
    #[default]
    Silence,
    /// Messages of CredSSP, RDSTLS or RDSAAD.
    Authenticating,
    /// The server has said whether it accepts the user.
    Authenticated,
    /// Connect Initial.
    Connecting,
    /// Erect Domain.
    Erected,
    /// Attach User.
    Attached,
    /// A Channel Join.
    Joining,
    /// Client Info.
    Informed,
    /// Auto-detection.
    Detecting,
    /// A licence is being asked for.
    Licensing,
    /// An alert of licensing, which is mostly "valid client".
    Licensed,
    /// Initiate Multitransport Request.
    Bootstrapping,
    /// Demand Active.
    Demanded,
    /// Confirm Active.
    Confirmed,
    /// Font Map.
    Active,
}

/// What a record tells.
enum Next {
    /// It fits, and nothing begins.
    Stay,
    /// It has no meaning here.
    Odd,
    /// It cannot be.
    Never,
    /// A step within a phase.
    To(Step),
    /// A phase begins.
    Phase(Step, PhaseName),
    /// Authentication was over with the record before; this one is Connect Initial.
    AuthenticatedBefore,
}

/// What is told to the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// This phase begins.
    Begins(PhaseName),
    /// Authentication is over, since then.
    Authenticated(Mark),
}

/// What whoever ends a session last said of it, by the lengths of the last records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastWords {
    /// Set Error Info.
    pub error_info: bool,
    /// Disconnect Provider Ultimatum.
    pub ultimatum: bool,
    /// A TLS alert: mostly close_notify.
    pub alert: bool,
    /// An alert, or what has or may have the length of an ultimatum among the last two records: CBC hides the last bytes.
    pub may_leave: bool,
    /// Something longer than a licensing error, Set Error Info or an ultimatum, as a redirection is, and the last word of all.
    pub long: bool,
}

/// Follows the records of one session. Its size does not depend on theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inference {
    turns: Turns,
    step: Step,
    track: Track,
    /// Whether a record's length was not known to the byte.
    blurred: bool,
    /// The record before: whose, and where.
    before: Option<(Side, Mark)>,
    /// Answers of the server in authentication.
    answers: u32,
    /// Server messages of the finalization.
    finalized: u32,
    /// What was counted.
    told: Inferred,
    /// Client, server: whether it sends one byte before each record, as CBC in TLS 1.0 should; told by its first.
    splits: [Option<bool>; 2],
    /// Client, server: whether the record before was that byte.
    split: [bool; 2],
    words: [Words; 2],
}

/// What can be said beside the phases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inferred {
    /// Messages of the authentication before RDP, of client and server.
    pub tokens: [u32; 2],
    /// Whether one of the server has the length of an errorCode.
    pub refused: bool,
    /// Channel Join Requests and Confirms.
    pub joins: [u32; 2],
}

/// One side's last records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Words {
    last: [Option<Plain>; 2],
    alert: bool,
}

impl Inference {
    /// Takes a record; `plain` is `None` where nothing can be said of its length, `selected` what was agreed on.
    pub fn push(
        &mut self,
        mark: Mark,
        from: Side,
        (kind, len): (u8, u64),
        plain: Option<Plain>,
        selected: Protocols,
    ) -> Option<Told> {
        // TLS 1.3 hides what an alert is, and not its length; nothing of RDP is so short.
        let is_short = plain.is_some_and(|plain| plain.is_exact() && plain.is(shape::ALERT));
        let is_alert = kind == ALERT || kind == APPLICATION_DATA && is_short;
        self.words[from as usize].push(plain, is_alert);
        if self.step == Step::Active {
            return None;
        }
        self.turns.push(from, len);
        let Some(plain) = plain else {
            self.track = Track::Lost;
            return None;
        };
        // Handshake messages of TLS 1.2, too, say nothing of RDP.
        if is_alert || kind != APPLICATION_DATA || self.is_split(from, plain) || self.track == Track::Lost {
            return None;
        }
        self.blurred |= !plain.is_exact();
        let next = self.next(from, plain, selected);
        let before = self.before.replace((from, mark));
        self.follow(next, mark, before)
    }

    /// Counts one of a session in clear.
    pub fn turn(&mut self, from: Side) {
        self.turns.push(from, 0);
    }

    /// Bytes are missing: what they were nobody knows.
    pub fn lose(&mut self) {
        self.track = Track::Lost;
        self.words = [Words::default(); 2];
    }

    /// Whether there was a record behind TLS.
    pub fn has_begun(&self) -> bool {
        self.before.is_some()
    }

    /// Whether nothing more can be told of the connection sequence.
    pub fn is_lost(&self) -> bool {
        self.track == Track::Lost && self.step != Step::Active
    }

    /// Whether the server has said how licensing went.
    pub fn is_licensed(&self) -> bool {
        matches!(self.step, Step::Licensed | Step::Bootstrapping)
    }

    /// Whether all records fitted.
    pub fn is_kept(&self) -> bool {
        self.track == Track::Kept
    }

    /// How sure a phase is that is told now.
    pub fn sureness(&self) -> Sureness {
        if self.is_kept() && !self.blurred { Sureness::Likely } else { Sureness::Possible }
    }

    /// What can be said beside the phases.
    pub fn told(&self) -> Inferred {
        self.told
    }

    /// The turns.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What this side last said, if it is what ends a session. Before MCS nobody says such things.
    pub fn last_words(&self, side: Side) -> LastWords {
        let Words { last: [before, last], alert } = self.words[side as usize];
        let is = |plain: Option<Plain>, shape| plain.is_some_and(|plain| plain.is_exact() && plain.is(shape));
        let speaks_mcs = self.is_lost() || !matches!(self.step, Step::Silence | Step::Authenticating);
        let ultimatum = speaks_mcs && is(last, shape::ULTIMATUM);
        let error_info = ultimatum && is(before, shape::SYNCHRONIZE);
        let is_last = self.before.is_some_and(|(from, _)| from == side);
        let long = speaks_mcs && is_last && last.is_some_and(|last| last.reaches(shape::REDIRECTION));
        let may_be = |plain: Option<Plain>| plain.is_none_or(|plain| plain.is(shape::ULTIMATUM));
        // A mouse that moves has the length of an ultimatum, too: one of its client stands alone.
        let may_leave = match side {
            _ if alert || last.is_none() => true,
            Side::Client => may_be(last) && !may_be(before),
            Side::Server => may_be(last),
        };
        LastWords { error_info, ultimatum, alert, may_leave, long }
    }

    fn follow(&mut self, next: Next, mark: Mark, before: Option<(Side, Mark)>) -> Option<Told> {
        match next {
            Next::Stay => None,
            Next::Odd => {
                self.track = Track::Loose;
                None
            }
            Next::Never => {
                self.track = Track::Lost;
                None
            }
            Next::To(step) => {
                self.step = step;
                None
            }
            Next::Phase(step, phase) => {
                self.step = step;
                Some(Told::Begins(phase))
            }
            Next::AuthenticatedBefore => {
                self.step = Step::Connecting;
                Some(Told::Authenticated(before.map_or(mark, |(_, mark)| mark)))
            }
        }
    }

    /// TLS 1.0 sends the first byte of what it seals with CBC alone.
    fn is_split(&mut self, from: Side, plain: Plain) -> bool {
        let side = from as usize;
        let may_be = plain.fits(0, 1);
        // No side begins with so short a message.
        let splits = *self.splits[side].get_or_insert(may_be);
        self.split[side] = splits && may_be && !self.split[side];
        self.split[side]
    }

    fn next(&mut self, from: Side, plain: Plain, selected: Protocols) -> Next {
        match (self.step, from) {
            // NewSessionTicket, RFC 8446 4.6.1: nobody else speaks before the client.
            (Step::Silence, Side::Server) => Next::Stay,
            (Step::Silence, Side::Client) if selected.0 > Protocols::SSL.0 => {
                self.told.tokens[0] += 1;
                Next::To(Step::Authenticating)
            }
            (Step::Silence, Side::Client) => connect_initial(plain),
            // Whether the user was accepted is told by what the client does next.
            (Step::Authenticated, Side::Client) => {
                Next::AuthenticatedBefore.unless(!plain.reaches(shape::CONNECT_INITIAL))
            }
            (Step::Authenticating, _) => self.authenticating(from, plain, selected),
            (Step::Authenticated | Step::Connecting | Step::Erected, Side::Server) => Next::Stay,
            (Step::Connecting | Step::Erected | Step::Attached | Step::Joining, _) => self.channels(from, plain),
            (Step::Informed | Step::Detecting, _) => self.informed(from, plain),
            (Step::Licensing, _) => self.licensing(from, plain),
            (Step::Licensed | Step::Bootstrapping, _) => self.licensed(from, plain),
            (Step::Demanded, Side::Client) if plain.reaches(shape::CAPABILITIES) => {
                Next::Phase(Step::Confirmed, PhaseName::Finalization)
            }
            (Step::Demanded, _) => Next::Odd,
            (Step::Confirmed, _) => self.finalizing(from, plain),
            (Step::Active, _) => Next::Stay,
        }
    }

    /// In CredSSP each message is answered but the last: HYBRID's client goes on at once, HYBRID_EX's is told the result
    /// (\[MS-RDPBCGR\] 5.4.2.2). RDSTLS and RDSAAD are one turn, 5.4.5.
    fn authenticating(&mut self, from: Side, plain: Plain, selected: Protocols) -> Next {
        let before = self.before.map(|(side, _)| side);
        let turned = before != Some(from);
        let is_told = selected.contains(Protocols::HYBRID_EX);
        let has_credssp = selected.intersects(Protocols::CREDSSP);
        match from {
            Side::Client if has_credssp && !turned && !is_told && self.answers >= ANSWERS => {
                Next::AuthenticatedBefore.unless(!plain.reaches(shape::CONNECT_INITIAL))
            }
            Side::Client if !has_credssp && self.answers > 0 => connect_initial(plain),
            Side::Server if is_told && plain.is(shape::AUTHORIZATION) && !plain.is(shape::ERROR_CODE) => {
                Next::To(Step::Authenticated)
            }
            Side::Client => {
                self.told.tokens[0] += 1;
                Next::Stay
            }
            Side::Server => {
                self.answers += u32::from(turned);
                self.told.tokens[1] += u32::from(turned);
                self.told.refused |= has_credssp && plain.is(shape::ERROR_CODE);
                Next::Stay
            }
        }
    }

    /// Erect Domain, Attach User and joins, each alone or several in one record.
    fn channels(&mut self, from: Side, plain: Plain) -> Next {
        use Step::{Attached, Connecting, Erected, Informed, Joining};
        let both = (shape::ERECT_DOMAIN.0 + shape::ATTACH_USER.0, shape::ERECT_DOMAIN.1 + shape::ATTACH_USER.1);
        match (self.step, from) {
            (Connecting, Side::Client) if plain.is(shape::ERECT_DOMAIN) => {
                Next::Phase(Erected, PhaseName::ChannelConnection)
            }
            (Connecting, Side::Client) if plain.is(both) => Next::Phase(Attached, PhaseName::ChannelConnection),
            (Erected, Side::Client) if plain.is(shape::ATTACH_USER) => Next::To(Attached),
            (Attached | Joining, Side::Client) => match plain.count(shape::JOIN, shape::JOINS) {
                Some(joins) => {
                    self.told.joins[0] += joins;
                    Next::To(Joining)
                }
                None if plain.reaches(shape::CLIENT_INFO) => Next::Phase(Informed, PhaseName::SecureSettings),
                None => Next::Never,
            },
            (Attached, Side::Server) if plain.is(shape::ATTACH_CONFIRM) => Next::Stay,
            (Joining, Side::Server) => match plain.count(shape::JOIN_CONFIRM, shape::JOINS) {
                Some(joins) => {
                    self.told.joins[1] += joins;
                    Next::Stay
                }
                None => Next::Odd,
            },
            (_, Side::Server) => Next::Odd,
            (_, Side::Client) => Next::Never,
        }
    }

    fn informed(&mut self, from: Side, plain: Plain) -> Next {
        match from {
            Side::Server if plain.is(shape::LICENSE_ALERT) => Next::Phase(Step::Licensed, PhaseName::Licensing),
            Side::Server if plain.is(shape::AUTO_DETECT) && self.step == Step::Informed => {
                Next::Phase(Step::Detecting, PhaseName::AutoDetection)
            }
            // A measurement of the bandwidth is as long as it likes.
            Side::Client if self.step == Step::Detecting && plain.reaches(shape::CAPABILITIES) => {
                Next::Phase(Step::Licensing, PhaseName::Licensing)
            }
            Side::Client | Side::Server if self.step == Step::Detecting => Next::Stay,
            Side::Server if plain.is(shape::ULTIMATUM) => Next::Stay,
            Side::Server if plain.reaches(shape::LICENSE) => Next::Phase(Step::Licensing, PhaseName::Licensing),
            Side::Client | Side::Server => Next::Odd,
        }
    }

    /// The server asks and the client answers, until an alert says how it went, or a New License comes.
    fn licensing(&mut self, from: Side, plain: Plain) -> Next {
        let goes_on = self.before.is_some_and(|(side, _)| side == from);
        match from {
            Side::Server if plain.is(shape::LICENSE_ALERT) => Next::To(Step::Licensed),
            // What comes behind a New License without a word of the client.
            Side::Server if goes_on && plain.reaches(shape::CAPABILITIES) => {
                Next::Phase(Step::Demanded, PhaseName::Capabilities)
            }
            Side::Server if plain.reaches(shape::LICENSE) || plain.is(shape::ULTIMATUM) => Next::Stay,
            Side::Server => Next::Odd,
            // It was no licence that the server asked for, but licence and Demand Active in one: this is no answer to a
            // licensing message, or what follows an answer at once.
            Side::Client
                if goes_on && plain.is(shape::SYNCHRONIZE)
                    || !goes_on && plain.fits(shape::LICENSE_REQUEST + 1, shape::LICENSE_INFO - 1) =>
            {
                self.track = Track::Loose;
                Next::Phase(Step::Confirmed, PhaseName::Finalization)
            }
            Side::Client => Next::Stay,
        }
    }

    fn licensed(&mut self, from: Side, plain: Plain) -> Next {
        match from {
            Side::Server if plain.reaches(shape::CAPABILITIES) => Next::Phase(Step::Demanded, PhaseName::Capabilities),
            Side::Server if plain.is(shape::MULTITRANSPORT) && self.step == Step::Licensed => {
                Next::Phase(Step::Bootstrapping, PhaseName::Multitransport)
            }
            Side::Client | Side::Server if self.step == Step::Bootstrapping => Next::Stay,
            Side::Server if plain.is(shape::AUTO_DETECT) || plain.is(shape::ULTIMATUM) => Next::Stay,
            Side::Client | Side::Server => Next::Odd,
        }
    }

    /// The server's four messages, each alone or several in one record; the client's do not count.
    fn finalizing(&mut self, from: Side, plain: Plain) -> Next {
        if from == Side::Client {
            return Next::Stay;
        }
        let several = |n: &u32| plain.fits(n * shape::CONTROL.0 - 4, n * shape::CONTROL.1);
        match (2..=shape::FINALIZATION).find(several) {
            _ if plain.is(shape::CONTROL) || plain.is(shape::SYNCHRONIZE) && self.finalized == 0 => self.finalized += 1,
            Some(messages) => self.finalized += messages,
            // All of them in one record, and more; or a picture, which comes behind the Font Map only.
            None if plain.reaches(shape::FINALIZATION * shape::CONTROL.0) => {
                self.track = Track::Loose;
                self.finalized = shape::FINALIZATION;
            }
            None if plain.is(shape::ULTIMATUM) || plain.is(shape::SYNCHRONIZE) => return Next::Stay,
            None => return Next::Odd,
        }
        if self.finalized >= shape::FINALIZATION { Next::Phase(Step::Active, PhaseName::Active) } else { Next::Stay }
    }
}

impl Next {
    /// This, or a contradiction.
    fn unless(self, contradicts: bool) -> Next {
        if contradicts { Next::Never } else { self }
    }
}

impl Words {
    fn push(&mut self, plain: Option<Plain>, is_alert: bool) {
        if !is_alert {
            self.last = [self.last[1], plain];
        }
        self.alert = is_alert;
    }
}

fn connect_initial(plain: Plain) -> Next {
    Next::To(Step::Connecting).unless(!plain.reaches(shape::CONNECT_INITIAL))
}
