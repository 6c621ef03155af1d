//! What only packets show of a path: losses and repetitions, windows that shut, resets and whose they are.
//!
//! A sign holds numbers and no payload. Its fields have names of their own, so that a recording and a document tell
//! the same. A socket shows none of this.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Side;

/// Something that happened on the path, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// An ICMP error that quotes a packet of this connection (RFC 792, RFC 4443).
    Icmp {
        /// Who sent it.
        by: IpAddr,
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
        /// The MTU it tells, bytes: fragmentation needed (RFC 1191), packet too big (RFC 8201).
        mtu: Option<u32>,
        /// Whose packet it quotes.
        about: Side,
    },
    /// Payload or a FIN was sent again.
    Retransmitted {
        /// Who sent it.
        from: Side,
        /// Bytes of payload; 0 of a FIN.
        len: u32,
        /// What made the sender do so.
        why: Again,
        /// Since this side last sent payload: of a timer, what it waited.
        after: Duration,
    },
    /// The peer says that it got these bytes twice (D-SACK, RFC 2883): what was sent again was not lost.
    SentForNothing {
        /// Who sent them.
        from: Side,
        /// Bytes.
        len: u32,
    },
    /// The client asked again.
    SynAgain {
        /// Which repetition, from 1.
        place: u32,
        /// Since the SYN before.
        after: Duration,
    },
    /// The server agreed again.
    SynAckAgain {
        /// Which repetition, from 1.
        place: u32,
        /// Since the SYN-ACK before.
        after: Duration,
        /// Whether the client's ACK had passed the capture: then that is what the server does not get.
        acknowledged: bool,
    },
    /// A segment came behind one that was sent later: the network changed the order, nothing is lost.
    Overtaken {
        /// Who sent it.
        from: Side,
        /// How late it was.
        late: Duration,
    },
    /// The network delivered one packet twice: the same IP identification, but later than a capture's own copies, or
    /// the peer says so (D-SACK). Where neither shows, a mirror port's copies cannot be told from the network's.
    Duplicated {
        /// Who sent it.
        from: Side,
        /// Bytes of payload.
        len: u32,
        /// Between the two.
        after: Duration,
    },
    /// The peer acknowledged what the capture does not have: lost by the capture, not on the way.
    CaptureLoss {
        /// Who sent it.
        from: Side,
        /// Bytes.
        len: u64,
    },
    /// A gap before this segment that nobody acknowledged and that was filled later or never: lost on the way to the
    /// capture.
    NetworkLoss {
        /// Who sent it.
        from: Side,
        /// Bytes.
        len: u64,
    },
    /// A side could take no more for some time: its receive window was 0.
    ZeroWindow {
        /// Whose window.
        from: Side,
        /// Until it opened, or until the connection or the capture ended.
        lasted: Duration,
        /// The peer's probes meanwhile (RFC 9293, 3.8.6.1).
        probes: u32,
        /// Whether it never opened.
        still_shut: bool,
    },
    /// What a side sent was sent again, and its peer acknowledged nothing of it for a second or longer.
    Unacknowledged {
        /// Who sent it.
        from: Side,
        /// From its first transmission, or from the acknowledgement before it, until something new was acknowledged, or
        /// until the capture ended.
        lasted: Duration,
        /// How often anything was sent again meanwhile.
        again: u32,
        /// Whether it was never acknowledged.
        still_waits: bool,
    },
    /// A probe whether the peer is still there (RFC 9293, 3.8.4).
    KeepAlive {
        /// Who asks.
        from: Side,
    },
    /// A FIN that is not in the capture: the other side, or an RST, counts the one number that it takes (RFC 9293, 3.4). The
    /// end of this side stands where that is seen.
    FinUnseen {
        /// Who sent it.
        from: Side,
    },
    /// An RST, each, with what tells it from the packets that its alleged sender sent before.
    Reset {
        /// Who sent it, if its address is to be believed.
        from: Side,
        /// What differs.
        marks: ResetMarks,
    },
    /// A side goes on after "its" RST: the RST was another's.
    AfterReset {
        /// Who goes on.
        from: Side,
        /// Bytes of payload; 0 of a bare ACK.
        len: u32,
        /// Since the RST.
        after: Duration,
    },
    /// The SYN-ACK differs from what the server sent later: somebody on the way answered for it (RFC 4987, 3.6, 3.7).
    SynProxy {
        /// What differs.
        marks: SynProxyMarks,
    },
    /// A window scale that no system may use (RFC 7323, 2.3).
    WindowScale {
        /// Who told it.
        from: Side,
        /// More than 14.
        shift: u8,
    },
    /// Both sides agreed on explicit congestion notification (RFC 3168, 6.1.1).
    EcnAgreed,
    /// A packet came with the mark of a congested router (RFC 3168, 5): the first of this side.
    EcnMarked {
        /// Who had sent it.
        from: Side,
    },
}

/// What makes a sender send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    /// The retransmission timer (RFC 6298, 5.4), for the `place`th time in a row: each waits twice as long.
    Timeout {
        /// From 1.
        place: u8,
    },
    /// Duplicate acknowledgements, or selective ones, told of the loss (RFC 5681, 3.2; RFC 6675).
    Fast,
    /// The last segment again, about two round trips later, to bring out an acknowledgement (RFC 8985, 7).
    TailProbe,
    /// The peer had acknowledged it before.
    Spurious,
    /// Something else: a further segment of a flight that is being sent again, or one that an ICMP error brought back
    /// (RFC 1191).
    Rest,
}

/// What tells an RST from its alleged sender's other packets. Some of it is usual: Windows and Linux put a window of 0
/// into RSTs of their own; a system that knows nothing of a connection (any more) answers with an RST without an ACK flag
/// (`answers`) and makes it without a socket, Linux without identification and timestamp; a closed port's RST comes
/// before any SYN-ACK.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResetMarks {
    /// Its TTL and the one usual for the sender, where they differ.
    pub ttl: Option<(u8, u8)>,
    /// Its IP identification and the sender's last one: 0 where the sender's are not, or out of their series.
    pub id: Option<(u16, u16)>,
    /// Its window is 0 and the sender's was not.
    pub no_window: bool,
    /// It has no timestamp where the sender's segments have (RFC 7323, 3.2).
    pub no_timestamp: bool,
    /// It acknowledges what was sent so short before, and no round trip to its alleged sender is that short: so long
    /// after, and the least round trip.
    pub too_soon: Option<(Duration, Duration)>,
    /// Where its sequence number stands.
    pub sequence: Sequence,
    /// An RST of the other side, with the same numbers the other way round, came with it.
    pub mirrored: bool,
    /// Bytes of payload it carries.
    pub payload: u32,
    /// It has no ACK flag: it answers a segment (RFC 9293, 3.10.7.1).
    pub answers: bool,
    /// It came before the server's SYN-ACK.
    pub before_syn_ack: bool,
    /// It answers the server's SYN-ACK, and the client had said nothing but its SYN: what a kernel does that knows of no such
    /// SYN, since a scanner made it.
    pub answers_syn_ack: bool,
}

/// Where the sequence number of an RST stands (RFC 5961, 3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sequence {
    /// Exactly where the receiver expects the next byte.
    #[default]
    Exact,
    /// Somewhere else in its window.
    InWindow,
    /// Where a receiver does not believe it.
    Outside,
}

/// What tells a SYN-ACK from the server's later segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SynProxyMarks {
    /// TTL of the SYN-ACK and of what came later, where they differ.
    pub ttl: Option<(u8, u8)>,
    /// Timestamps in one and not in the other, though the client offers them.
    pub timestamps: bool,
    /// The SYN-ACK's window is 0: the client shall wait.
    pub no_window: bool,
    /// The handshake's round trip to the server and the least of the data's, where the first is much faster.
    pub rtt: Option<(Duration, Duration)>,
}

/// The value of a sign's field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A number; of a length of time, nanoseconds.
    Number(u64),
    /// A word.
    Word(String),
    /// Yes. A no is left out.
    Yes,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Number(number) => write!(f, "{number}"),
            Field::Word(word) => f.write_str(word),
            Field::Yes => f.write_str("yes"),
        }
    }
}

impl Sign {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Sign::Icmp { .. } => "icmp",
            Sign::Retransmitted { .. } => "retransmitted",
            Sign::SentForNothing { .. } => "sent_for_nothing",
            Sign::SynAgain { .. } => "syn_again",
            Sign::SynAckAgain { .. } => "syn_ack_again",
            Sign::Overtaken { .. } => "overtaken",
            Sign::Duplicated { .. } => "duplicated",
            Sign::CaptureLoss { .. } => "capture_loss",
            Sign::NetworkLoss { .. } => "network_loss",
            Sign::ZeroWindow { .. } => "zero_window",
            Sign::Unacknowledged { .. } => "unacknowledged",
            Sign::KeepAlive { .. } => "keep_alive",
            Sign::FinUnseen { .. } => "fin_unseen",
            Sign::Reset { .. } => "reset",
            Sign::AfterReset { .. } => "after_reset",
            Sign::SynProxy { .. } => "syn_proxy",
            Sign::WindowScale { .. } => "window_scale",
            Sign::EcnAgreed => "ecn_agreed",
            Sign::EcnMarked { .. } => "ecn_marked",
        }
    }

    /// Its fields by name; what is not there is left out.
    pub fn fields(&self) -> Vec<(&'static str, Field)> {
        let mut fields = Fields::default();
        match self {
            Sign::Icmp { by, kind, code, mtu, about } => {
                fields.word("by", by).number("type", *kind).number("code", *code).some("mtu", *mtu);
                fields.word("about", about);
            }
            Sign::Retransmitted { from, len, why, after } => {
                fields.word("from", from).number("len", *len).again(*why).time("after_ns", *after);
            }
            Sign::SynAgain { place, after } => {
                fields.number("place", *place).time("after_ns", *after);
            }
            Sign::SynAckAgain { place, after, acknowledged } => {
                fields.number("place", *place).time("after_ns", *after).yes("acknowledged", *acknowledged);
            }
            Sign::Overtaken { from, late } => {
                fields.word("from", from).time("late_ns", *late);
            }
            Sign::Duplicated { from, len, after } | Sign::AfterReset { from, len, after } => {
                fields.word("from", from).number("len", *len).time("after_ns", *after);
            }
            Sign::SentForNothing { from, len } => {
                fields.word("from", from).number("len", *len);
            }
            Sign::CaptureLoss { from, len } | Sign::NetworkLoss { from, len } => {
                fields.word("from", from).number("len", *len);
            }
            Sign::ZeroWindow { from, lasted, probes, still_shut } => {
                fields.word("from", from).time("lasted_ns", *lasted).number("probes", *probes);
                fields.yes("still_shut", *still_shut);
            }
            Sign::Unacknowledged { from, lasted, again, still_waits } => {
                fields.word("from", from).time("lasted_ns", *lasted).number("again", *again);
                fields.yes("still_waits", *still_waits);
            }
            Sign::KeepAlive { from } | Sign::FinUnseen { from } | Sign::EcnMarked { from } => {
                fields.word("from", from);
            }
            Sign::Reset { from, marks } => {
                fields.word("from", from).reset(marks);
            }
            Sign::SynProxy { marks } => {
                fields.syn_proxy(marks);
            }
            Sign::WindowScale { from, shift } => {
                fields.word("from", from).number("shift", *shift);
            }
            Sign::EcnAgreed => {}
        }
        fields.0
    }

    /// The sign of this name whose fields have these values. The inverse of [`Sign::name`] and [`Sign::fields`].
    pub fn read(name: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<Sign> {
        let values = Values(value);
        let from = || values.side("from");
        Some(match name {
            "icmp" => Sign::Icmp {
                by: values.read("by")?,
                kind: values.read("type")?,
                code: values.read("code")?,
                mtu: values.read("mtu"),
                about: values.side("about")?,
            },
            "retransmitted" => Sign::Retransmitted {
                from: from()?,
                len: values.read("len")?,
                why: values.again()?,
                after: values.time("after_ns")?,
            },
            "syn_again" => Sign::SynAgain { place: values.read("place")?, after: values.time("after_ns")? },
            "syn_ack_again" => Sign::SynAckAgain {
                place: values.read("place")?,
                after: values.time("after_ns")?,
                acknowledged: values.yes("acknowledged"),
            },
            "overtaken" => Sign::Overtaken { from: from()?, late: values.time("late_ns")? },
            "duplicated" => {
                Sign::Duplicated { from: from()?, len: values.read("len")?, after: values.time("after_ns")? }
            }
            "after_reset" => {
                Sign::AfterReset { from: from()?, len: values.read("len")?, after: values.time("after_ns")? }
            }
            "sent_for_nothing" => Sign::SentForNothing { from: from()?, len: values.read("len")? },
            "capture_loss" => Sign::CaptureLoss { from: from()?, len: values.read("len")? },
            "network_loss" => Sign::NetworkLoss { from: from()?, len: values.read("len")? },
            "zero_window" => Sign::ZeroWindow {
                from: from()?,
                lasted: values.time("lasted_ns")?,
                probes: values.read("probes")?,
                still_shut: values.yes("still_shut"),
            },
            "unacknowledged" => Sign::Unacknowledged {
                from: from()?,
                lasted: values.time("lasted_ns")?,
                again: values.read("again")?,
                still_waits: values.yes("still_waits"),
            },
            "keep_alive" => Sign::KeepAlive { from: from()? },
            "fin_unseen" => Sign::FinUnseen { from: from()? },
            "reset" => Sign::Reset { from: from()?, marks: values.reset()? },
            "syn_proxy" => Sign::SynProxy { marks: values.syn_proxy() },
            "window_scale" => Sign::WindowScale { from: from()?, shift: values.read("shift")? },
            "ecn_agreed" => Sign::EcnAgreed,
            "ecn_marked" => Sign::EcnMarked { from: from()? },
            _ => return None,
        })
    }
}

impl Again {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Again::Timeout { .. } => "timeout",
            Again::Fast => "fast",
            Again::TailProbe => "tail_probe",
            Again::Spurious => "spurious",
            Again::Rest => "rest",
        }
    }
}

impl ResetMarks {
    /// Whether it looks like its alleged sender's own: it has no marks but the usual ones.
    pub fn is_empty(&self) -> bool {
        if self.answers_syn_ack && self.sequence == Sequence::Exact && !self.mirrored && self.payload == 0 {
            return true;
        }
        let is_of_a_socket = self.id.is_none() && !self.no_timestamp;
        let is_believed = self.sequence == Sequence::Exact && !self.mirrored && self.payload == 0;
        self.ttl.is_none() && self.too_soon.is_none() && is_believed && (is_of_a_socket || self.answers)
    }
}

impl SynProxyMarks {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == SynProxyMarks::default()
    }
}

impl Sequence {
    /// All of them.
    const ALL: [Sequence; 3] = [Sequence::Exact, Sequence::InWindow, Sequence::Outside];

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Sequence::Exact => "exact",
            Sequence::InWindow => "in_window",
            Sequence::Outside => "outside",
        }
    }
}

/// Fields while they are put together.
#[derive(Default)]
struct Fields(Vec<(&'static str, Field)>);

impl Fields {
    fn word(&mut self, name: &'static str, word: impl ToString) -> &mut Fields {
        self.0.push((name, Field::Word(word.to_string())));
        self
    }

    fn number(&mut self, name: &'static str, number: impl Into<u64>) -> &mut Fields {
        self.0.push((name, Field::Number(number.into())));
        self
    }

    fn some(&mut self, name: &'static str, number: Option<impl Into<u64>>) -> &mut Fields {
        if let Some(number) = number {
            self.number(name, number);
        }
        self
    }

    fn time(&mut self, name: &'static str, time: Duration) -> &mut Fields {
        self.number(name, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    fn yes(&mut self, name: &'static str, is: bool) -> &mut Fields {
        if is {
            self.0.push((name, Field::Yes));
        }
        self
    }

    fn again(&mut self, why: Again) -> &mut Fields {
        self.word("why", why.name());
        match why {
            Again::Timeout { place } => self.number("place", place),
            Again::Fast | Again::TailProbe | Again::Spurious | Again::Rest => self,
        }
    }

    fn reset(&mut self, marks: &ResetMarks) {
        let ResetMarks { ttl, id, no_window, no_timestamp, too_soon, sequence, .. } = *marks;
        let ResetMarks { mirrored, payload, answers, before_syn_ack, answers_syn_ack, .. } = *marks;
        self.some("ttl", ttl.map(|ttl| ttl.0)).some("usual_ttl", ttl.map(|ttl| ttl.1));
        self.some("id", id.map(|id| id.0)).some("last_id", id.map(|id| id.1));
        self.yes("no_window", no_window).yes("no_timestamp", no_timestamp);
        if let Some((took, least)) = too_soon {
            self.time("took_ns", took).time("least_ns", least);
        }
        self.word("sequence", sequence.name());
        self.yes("mirrored", mirrored).some("payload", Some(payload).filter(|len| *len > 0));
        self.yes("answers", answers).yes("before_syn_ack", before_syn_ack);
        self.yes("answers_syn_ack", answers_syn_ack);
    }

    fn syn_proxy(&mut self, marks: &SynProxyMarks) {
        let SynProxyMarks { ttl, timestamps, no_window, rtt } = *marks;
        self.some("ttl", ttl.map(|ttl| ttl.0)).some("usual_ttl", ttl.map(|ttl| ttl.1));
        self.yes("timestamps", timestamps).yes("no_window", no_window);
        if let Some((handshake, data)) = rtt {
            self.time("handshake_ns", handshake).time("data_ns", data);
        }
    }
}

/// Fields while they are read.
struct Values<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Values<'_> {
    fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        (self.0)(name)?.parse().ok()
    }

    fn side(&self, name: &str) -> Option<Side> {
        let word = (self.0)(name)?;
        [Side::Client, Side::Server].into_iter().find(|side| side.name() == word)
    }

    fn time(&self, name: &str) -> Option<Duration> {
        self.read(name).map(Duration::from_nanos)
    }

    fn yes(&self, name: &str) -> bool {
        (self.0)(name).is_some()
    }

    fn again(&self) -> Option<Again> {
        let kinds = [
            Again::Timeout { place: self.read("place").unwrap_or(1) },
            Again::Fast,
            Again::TailProbe,
            Again::Spurious,
            Again::Rest,
        ];
        let word = (self.0)("why")?;
        kinds.into_iter().find(|kind| kind.name() == word)
    }

    fn reset(&self) -> Option<ResetMarks> {
        let word = (self.0)("sequence")?;
        Some(ResetMarks {
            ttl: self.read("ttl").zip(self.read("usual_ttl")),
            id: self.read("id").zip(self.read("last_id")),
            no_window: self.yes("no_window"),
            no_timestamp: self.yes("no_timestamp"),
            too_soon: self.time("took_ns").zip(self.time("least_ns")),
            sequence: Sequence::ALL.into_iter().find(|sequence| sequence.name() == word)?,
            mirrored: self.yes("mirrored"),
            payload: self.read("payload").unwrap_or(0),
            answers: self.yes("answers"),
            before_syn_ack: self.yes("before_syn_ack"),
            answers_syn_ack: self.yes("answers_syn_ack"),
        })
    }

    fn syn_proxy(&self) -> SynProxyMarks {
        SynProxyMarks {
            ttl: self.read("ttl").zip(self.read("usual_ttl")),
            timestamps: self.yes("timestamps"),
            no_window: self.yes("no_window"),
            rtt: self.time("handshake_ns").zip(self.time("data_ns")),
        }
    }
}
