//! Connections to RD Gateways in a capture: found by content, where secrets open their TLS, and put together by client and
//! gateway, as a relay puts them into one recording.

use std::net::IpAddr;
use std::time::Duration;

use super::{Along, Maker, tell};
use crate::analysis::Analysis;
use crate::observation::{Observation, Opening, Seen, Side};
use crate::time::Timestamp;
use crate::tls::keys::Keyring;

/// So long after its last connection has ended a client may come with a further one that belongs to it.
pub const LINGER: Duration = Duration::from_secs(2);

/// Where the Random of a ClientHello stands: behind the headers of the record and of the message, and the version.
const RANDOM_AT: usize = 5 + 4 + 2;
/// ContentType handshake, RFC 8446 5.1.
const HANDSHAKE: u8 = 22;
/// HandshakeType client_hello, RFC 8446 4.
const CLIENT_HELLO: u8 = 1;

/// Whether TLS that begins with these bytes of the client can be opened: `None` while they are too few to tell.
pub(super) fn can_open(client: &[u8], keys: &Keyring) -> Option<bool> {
    match client {
        _ if is_in_clear(client) => Some(true),
        _ if keys.is_empty() => Some(false),
        [] => None,
        [HANDSHAKE, _, _, _, _, kind, ..] if *kind != CLIENT_HELLO => Some(false),
        [HANDSHAKE, rest @ ..] => {
            rest.get(RANDOM_AT - 1..).and_then(|rest| rest.first_chunk()).map(|random| keys.is_complete(random))
        }
        _ => Some(false),
    }
}

/// Whether these are first words to an RD Gateway in clear: somebody else has taken TLS. RPC over HTTP is of others, too, which
/// have other ports (\[MS-TSGU\] 2.1, 3.3.5.1).
fn is_in_clear(client: &[u8]) -> bool {
    const RPC_PORT: &[u8] = b":3388";
    let line = client.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let is_rpc = || line.starts_with(b"RPC_") && line.windows(RPC_PORT.len()).any(|part| part == RPC_PORT);
    line.starts_with(b"RDG_OUT_DATA ") || line.starts_with(b"RDG_IN_DATA ") || is_rpc()
}

/// Whether these are first words to a gateway: TLS, or HTTP of which somebody else has taken TLS.
pub(super) fn begins(client: &[u8]) -> bool {
    const METHODS: [&[u8]; 3] = [b"RDG_", b"RPC_", b"CONNECT "];
    // In the format of SSL 2.0 (RFC 5246, E.2): a length with its highest bit set, and the type of a ClientHello.
    let is_old = matches!(client, [0x80..=0xff, _, 1, ..]);
    is_old || client.first() == Some(&HANDSHAKE) || METHODS.iter().any(|method| client.starts_with(method))
}

/// Client, server (where a gateway has one address) and port.
type Ends = Option<(IpAddr, Option<IpAddr>, u16)>;

/// The clients of gateways.
#[derive(Default)]
pub(super) struct Gateways {
    groups: Vec<Group>,
}

/// The connections of one client to one gateway that go on together. A gateway may have several addresses.
struct Group {
    number: u64,
    ends: Ends,
    /// Whether it is a gateway because somebody says so.
    is_meant: bool,
    analysis: Analysis,
    /// Connections that go on.
    open: u32,
    last: Timestamp,
}

/// One connection of a group.
pub(super) struct Member {
    group: u64,
    session: u32,
    /// Whether it is known to have to do with Remote Desktop.
    is_settled: bool,
}

impl Gateways {
    /// Takes a connection from its beginning. Where it cannot be opened, somebody says that a gateway is there.
    pub(super) fn begin(
        &mut self,
        pending: &[Observation],
        can_open: bool,
        maker: &mut Maker,
        told: &mut Vec<Along>,
    ) -> Option<Member> {
        let first = pending.first()?;
        // Who names a port alone may have named that of many servers, which are no one gateway.
        let is_apart = !can_open && !maker.known.meant.has_addresses();
        let ends = pending.iter().find_map(|observation| match observation.seen {
            Seen::Opening(Opening::Dialing { client, server } | Opening::Joined { client, server }) => {
                Some((client.ip(), is_apart.then_some(server.ip()), server.port()))
            }
            _ => None,
        });
        let goes_on = |group: &&mut Group| group.ends == ends && !group.is_over(first.at);
        let group = match self.groups.iter_mut().find(goes_on) {
            Some(group) => group,
            None => {
                let (number, analysis) = maker.make();
                self.groups.push(Group { number, ends, is_meant: false, analysis, open: 0, last: first.at });
                self.groups.last_mut()?
            }
        };
        group.is_meant |= !can_open;
        group.open += 1;
        let mut member = Member { group: group.number, session: first.flow.session, is_settled: false };
        group.analysis.push(&Observation { seen: Seen::Opening(Opening::Gateway), ..first.clone() });
        for observation in pending {
            self.push(&mut member, observation, told);
        }
        Some(member)
    }

    /// Takes an observation of a connection. False where it turns out to be of something else than Remote Desktop.
    pub(super) fn push(&mut self, member: &mut Member, observation: &Observation, told: &mut Vec<Along>) -> bool {
        let Some(group) = self.groups.iter_mut().find(|group| group.number == member.group) else { return false };
        group.analysis.push(observation);
        tell(told, group.number, &mut group.analysis);
        group.last = group.last.max(observation.at);
        if member.is_settled || !matches!(observation.seen, Seen::Bytes { from: Side::Client, .. }) {
            return true;
        }
        let timeline = group.analysis.sessions().of(member.session);
        let read = timeline.and_then(|timeline| timeline.facts.gateway.as_ref()).filter(|gateway| gateway.is_read());
        member.is_settled = read.is_some_and(|gateway| gateway.is_rdp());
        let is_foreign = read.is_some() && !member.is_settled;
        if is_foreign {
            group.analysis.forget(member.session);
            group.open -= 1;
        }
        !is_foreign
    }

    /// A connection has ended.
    pub(super) fn over(&mut self, member: &Member) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.number == member.group) {
            group.open = group.open.saturating_sub(1);
        }
    }

    /// The groups that nothing will be added to, by now or, at the end of the capture, at all: number, whether somebody says
    /// that it is a gateway, and what is known.
    pub(super) fn finished(&mut self, now: Option<Timestamp>) -> Vec<(u64, bool, Analysis)> {
        let all = std::mem::take(&mut self.groups).into_iter();
        let (over, going): (Vec<_>, Vec<_>) = all.partition(|group| now.is_none_or(|now| group.is_over(now)));
        self.groups = going;
        over.into_iter().map(|group| (group.number, group.is_meant, group.analysis)).collect()
    }
}

impl Group {
    fn is_over(&self, now: Timestamp) -> bool {
        self.open == 0 && now.since(self.last) > LINGER
    }
}
