//! The messages of a session in their order, each where it was seen, as far as the connection sequence goes: what a
//! person follows with a finger. Of the session behind it only what ends it is kept.
//!
//! Sealed records that follow each other on a leg are one rung. The number of rungs is bounded; what came too late is
//! counted, and ends, alerts and errors still find room.

use super::facts::Mark;
use super::said::Said;
use crate::event::{Event, GatewayEvent, McsPdu, RdpPdu, Transport, What};
use crate::observation::{Ending, Leg, Opening, Side};
use crate::time::Timestamp;

/// Rungs that are kept.
const KEPT: usize = 240;
/// Further ones for what ends a session.
const ENDS_KEPT: usize = 32;
/// ContentType, RFC 8446 5.1.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    /// In the order in which they were seen, on all legs.
    pub rungs: Vec<Rung>,
    /// How many more there were.
    pub more: u64,
}

/// One message, or several of a kind that follow each other on a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Where the first was complete.
    pub mark: Mark,
    /// Who sent it; `None` where nobody did.
    pub from: Option<Side>,
    /// Which.
    pub message: Message,
    /// Whether it belongs to the connection to a gateway, around the RDP connection.
    pub is_outer: bool,
    /// How many.
    pub times: u64,
    /// Bytes of sealed records.
    pub bytes: u64,
    /// Bytes of the last of them.
    last: u64,
    /// When the last was complete.
    pub until: Timestamp,
}

/// A message, as far as a ladder tells it apart. What stands in it is in the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// The name is looked up.
    Lookup,
    /// The resolver answered: so many addresses.
    Addresses(usize),
    /// A connection is asked for.
    Connect,
    /// The TCP handshake is done.
    Connected,
    /// One with a name.
    Named(&'static str),
    /// One with a name and a number of a table in [`crate::codes`].
    Coded(&'static str, &'static str, u32),
    /// An alert of TLS that could be read: its description.
    Alert(u8),
    /// One that is sealed.
    SealedAlert,
    /// Records that are sealed.
    Sealed,
    /// Sealed records of the handshake: Finished, in TLS 1.2 and before.
    SealedHandshake,
    /// A message that the end cuts short: its name, bytes that came, bytes that it should have.
    Partial(&'static str, u32, u32),
    /// One that cannot be what it should be, by its layer.
    Malformed(&'static str),
    /// An end.
    Closed(Ending),
}

impl Message {
    /// Whether it tells of an end: it finds room where others do not.
    fn is_end(self) -> bool {
        match self {
            Message::Closed(_)
            | Message::Alert(_)
            | Message::SealedAlert
            | Message::Coded(..)
            | Message::Partial(..)
            | Message::Malformed(_) => true,
            Message::Lookup
            | Message::Addresses(_)
            | Message::Connect
            | Message::Connected
            | Message::Named(_)
            | Message::Sealed
            | Message::SealedHandshake => false,
        }
    }
}

type Step = (Option<Side>, Message);

fn client(name: &'static str) -> Step {
    (Some(Side::Client), Message::Named(name))
}

fn server(name: &'static str) -> Step {
    (Some(Side::Server), Message::Named(name))
}

impl Ladder {
    /// Takes one event. Of a session that is active only what ends it; `is_open` says that plaintext is read.
    pub(super) fn push(&mut self, event: &Event, is_active: bool, is_open: bool) {
        let mark = Mark::of(event);
        let (what, is_outer) = match &event.what {
            What::Outer(what) => (&**what, true),
            what => (what, false),
        };
        if let What::Record { from, kind, len } = what {
            if *kind != ALERT && !is_active && (is_outer || !is_open) {
                self.sealed(mark, *from, *kind, *len, is_outer);
            }
            return;
        }
        if let (true, What::Decrypted { from, .. }) = (is_outer, what) {
            // What stands in it is told now.
            return self.unsay(mark, Some(*from));
        }
        if *what == What::Unsealed {
            // The record that just passed is the first that is read.
            let from = self.last_on(mark.leg).and_then(|last| last.from);
            self.unsay(mark, from);
        }
        let Some((from, message)) = step(what) else { return };
        if is_active && !message.is_end() {
            return;
        }
        if message == Message::SealedAlert {
            self.unsay(mark, from);
        } else if matches!(message, Message::Alert(_)) {
            // What it says stands behind it.
            self.replace(mark, from, Message::SealedAlert);
        } else if matches!(message, Message::Named("EncryptedExtensions" | "Certificate" | "CertificateRequest")) {
            // A secret has opened the record: in it stands what is told now.
            self.unsay(mark, from);
        } else if message == Message::Connected {
            // A relay sees its front leg only when it stands.
            self.replace(mark, Some(Side::Client), Message::Connect);
        }
        self.add(Rung { mark, from, message, is_outer, times: 1, bytes: 0, last: 0, until: mark.at });
    }

    /// The session is active: little more comes.
    pub(super) fn settle(&mut self) {
        self.rungs.shrink_to_fit();
    }

    fn sealed(&mut self, mark: Mark, from: Side, kind: u8, len: u32, is_outer: bool) {
        let message = if kind == HANDSHAKE { Message::SealedHandshake } else { Message::Sealed };
        let rung = Rung {
            mark,
            from: Some(from),
            message,
            is_outer,
            times: 1,
            bytes: len.into(),
            last: len.into(),
            until: mark.at,
        };
        self.add(rung);
    }

    /// Adds one, or counts it where the same came before it on its leg.
    fn add(&mut self, rung: Rung) {
        let same = |last: &&mut Rung| {
            (last.from, last.message, last.is_outer) == (rung.from, rung.message, rung.is_outer)
                && !is_single(rung.message)
        };
        // Behind what found no room nothing follows directly.
        let follows = self.more == 0 || rung.message.is_end();
        if let Some(last) = self.last_on(rung.mark.leg).filter(|_| follows).filter(same) {
            (last.times, last.bytes, last.last) = (last.times + 1, last.bytes + rung.bytes, rung.last);
            last.until = rung.until;
            return;
        }
        let room = if rung.message.is_end() { KEPT + ENDS_KEPT } else { KEPT };
        if self.rungs.len() < room {
            self.rungs.push(rung);
        } else {
            self.more += 1;
        }
    }

    /// The record that just passed turns out to be an alert.
    fn unsay(&mut self, mark: Mark, from: Option<Side>) {
        let Some(place) = self.rungs.iter().rposition(|rung| rung.mark.leg == mark.leg) else { return };
        let last = &mut self.rungs[place];
        if last.message != Message::Sealed || last.from != from || last.until != mark.at {
            return;
        }
        (last.times, last.bytes) = (last.times - 1, last.bytes.saturating_sub(last.last));
        if last.times == 0 {
            self.rungs.remove(place);
        }
    }

    /// The rung before it on its leg says less, of the same moment.
    fn replace(&mut self, mark: Mark, from: Option<Side>, lesser: Message) {
        let Some(place) = self.rungs.iter().rposition(|rung| rung.mark.leg == mark.leg) else { return };
        let last = &self.rungs[place];
        if (last.message, last.from, last.mark.at) == (lesser, from, mark.at) {
            self.rungs.remove(place);
        }
    }

    fn last_on(&mut self, leg: Leg) -> Option<&mut Rung> {
        self.rungs.iter_mut().rev().find(|rung| rung.mark.leg == leg)
    }
}

/// Whether two of them are two rungs.
fn is_single(message: Message) -> bool {
    matches!(message, Message::Connect | Message::Connected | Message::Closed(_) | Message::Lookup)
}

/// `None` for what is no message, or says nothing beside another event.
fn step(what: &What) -> Option<Step> {
    Some(match what {
        What::Opening(Opening::Resolving) => (None, Message::Lookup),
        What::Opening(Opening::Resolved { addresses, .. }) => (None, Message::Addresses(addresses.len())),
        What::Opening(Opening::Dialing { .. }) => (Some(Side::Client), Message::Connect),
        What::Opened => (Some(Side::Server), Message::Connected),
        What::Closed { from, how } => (*from, Message::Closed(*how)),
        What::ProxyHeader(_) => client("PROXY header"),
        What::ConnectionRequest(_) => client("X.224 Connection Request"),
        What::ConnectionConfirm(_) => server("X.224 Connection Confirm"),
        What::NegotiationFailure { code } => {
            (Some(Side::Server), Message::Coded("RDP Negotiation Failure", "neg", *code))
        }
        What::X224Refused { code: 0x80, .. } => server("X.224 Disconnect Request"),
        What::X224Refused { .. } => server("X.224 Error"),
        What::NotRdp { from, .. } => (Some(*from), Message::Named("not RDP")),
        What::NotTls { from, .. } => (Some(*from), Message::Named("not TLS")),
        What::Mcs { from, pdu } => mcs(*from, *pdu)?,
        What::Credssp { from, request } => credssp(*from, request.error_code, Said::of_credssp(*from, request)),
        What::EarlyAuthorization { result } => {
            (Some(Side::Server), Message::Coded("Early User Authorization Result", "authz", *result))
        }
        What::RdstlsResult { code } => {
            (Some(Side::Server), Message::Coded("RDSTLS authentication response", "rdstls", *code))
        }
        What::RdsaadResult { code } => {
            (Some(Side::Server), Message::Coded("RDSAAD authentication result", "ntstatus", *code))
        }
        What::Rdp { from, pdu } => rdp(*from, pdu)?,
        What::ClientHello(_) => client("ClientHello"),
        What::HelloRetryRequest => server("HelloRetryRequest"),
        What::ServerHello(_) => server("ServerHello"),
        What::EncryptedExtensions { .. } => server("EncryptedExtensions"),
        What::Certificates { from, .. } => (Some(*from), Message::Named("Certificate")),
        What::CertificateRequest => server("CertificateRequest"),
        What::ServerHelloDone => server("ServerHelloDone"),
        What::ClientKeyExchange => client("ClientKeyExchange"),
        What::ChangeCipherSpec { from } => (Some(*from), Message::Named("ChangeCipherSpec")),
        What::Alert { from, description, .. } => (Some(*from), Message::Alert(*description)),
        What::SealedAlert { from, .. } => (Some(*from), Message::SealedAlert),
        What::Partial { from, message, have, need } => (Some(*from), Message::Partial(message, *have, *need)),
        What::Malformed { from, layer, .. } => (Some(*from), Message::Malformed(layer)),
        What::Gateway(event) => gateway(event)?,
        What::Opening(
            Opening::Target { .. }
            | Opening::Gateway
            | Opening::Named { .. }
            | Opening::Naming
            | Opening::Joined { .. },
        )
        | What::Path(_)
        | What::Sign(_)
        | What::Interception(_)
        | What::Impairment(_)
        | What::Lapse(_)
        | What::Passed { .. }
        | What::Missing { .. }
        | What::Unsealed
        | What::Kdc(_)
        | What::Account(_)
        | What::ClientSettings(_)
        | What::ServerSettings(_)
        | What::TlsEstablished { .. }
        | What::Record { .. }
        | What::Decrypted { .. }
        | What::Undecrypted { .. }
        | What::Outer(_) => return None,
    })
}

fn credssp(from: Side, error: Option<u32>, said: Said) -> Step {
    let message = match error.filter(|code| *code != 0) {
        Some(code) => Message::Coded("CredSSP errorCode", if code >> 16 == 0x8009 { "sspi" } else { "ntstatus" }, code),
        None => Message::Named(said.name),
    };
    (Some(from), message)
}

fn mcs(from: Side, pdu: McsPdu) -> Option<Step> {
    Some(match pdu {
        McsPdu::ConnectResponse { result: result @ 1.. } => {
            (Some(from), Message::Coded("MCS Connect Response", "mcs-result", result.into()))
        }
        McsPdu::ChannelJoinConfirm { result: result @ 1.. } => {
            (Some(from), Message::Coded("Channel Join Confirm", "mcs-result", result.into()))
        }
        McsPdu::DisconnectProviderUltimatum { reason } => {
            (Some(from), Message::Coded("Disconnect Provider Ultimatum", "mcs-reason", reason.into()))
        }
        McsPdu::ConnectInitial
        | McsPdu::ConnectResponse { .. }
        | McsPdu::ErectDomainRequest
        | McsPdu::AttachUserRequest
        | McsPdu::AttachUserConfirm
        | McsPdu::ChannelJoinRequest
        | McsPdu::ChannelJoinConfirm { .. }
        | McsPdu::SendData { .. }
        | McsPdu::FastPath => (Some(from), Message::Named(Said::of_mcs(pdu)?.name)),
    })
}

fn rdp(from: Side, pdu: &RdpPdu) -> Option<Step> {
    let message = match *pdu {
        RdpPdu::SetErrorInfo { code } => Message::Coded("Set Error Info", "errinfo", code),
        RdpPdu::License { error: Some((code, _)), .. } => Message::Coded("licensing message", "license", code),
        RdpPdu::Redirection(_) => Message::Named("Server Redirection"),
        RdpPdu::ShutdownRequest => Message::Named("Shutdown Request"),
        RdpPdu::ShutdownDenied => Message::Named("Shutdown Request Denied"),
        RdpPdu::AutoReconnectStatus => Message::Named("Auto-Reconnect Status"),
        RdpPdu::SaveSessionInfo { logon_error: Some(_), .. } => Message::Named("Save Session Info: logon error"),
        RdpPdu::SaveSessionInfo { .. } => Message::Named("Save Session Info"),
        RdpPdu::SecurityExchange
        | RdpPdu::ClientInfo { .. }
        | RdpPdu::AutoDetect(_)
        | RdpPdu::License { .. }
        | RdpPdu::MultitransportRequest { .. }
        | RdpPdu::MultitransportResponse { .. }
        | RdpPdu::DemandActive(_)
        | RdpPdu::ConfirmActive(_)
        | RdpPdu::Finalization(_)
        | RdpPdu::DeactivateAll
        | RdpPdu::StatusInfo { .. }
        | RdpPdu::Heartbeat { .. }
        | RdpPdu::Frame { .. }
        | RdpPdu::Traffic { .. } => Message::Named(Said::of_rdp(from, pdu)?.name),
    };
    Some((Some(from), message))
}

fn gateway(event: &GatewayEvent) -> Option<Step> {
    Some(match event {
        GatewayEvent::Request(_) => client("HTTP request"),
        GatewayEvent::Response(response) => {
            (Some(Side::Server), Message::Coded("HTTP response", "http", response.status.into()))
        }
        GatewayEvent::WebSocketClose { from, .. } => (Some(*from), Message::Named("WebSocket close")),
        GatewayEvent::Tunnel { from, message, .. } => (Some(*from), Message::Named(message.name())),
        GatewayEvent::Rpc { from, .. } => (Some(*from), Message::Named("RPC")),
        GatewayEvent::Kdc { .. } => (None, Message::Named(Transport::KdcProxy.name())),
        GatewayEvent::Carried { .. } | GatewayEvent::Half { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Flow;

    fn ladder(story: impl IntoIterator<Item = What>) -> Ladder {
        let mut ladder = Ladder::default();
        for (at, what) in story.into_iter().enumerate() {
            let (flow, frame) = (Flow { session: 0, leg: Leg::Only }, at as u64 + 1);
            ladder.push(&Event { at: Timestamp::at(frame), flow, frame, what }, false, false);
        }
        ladder
    }

    fn record(from: Side, kind: u8) -> What {
        What::Record { from, kind, len: 100 }
    }

    #[test]
    fn whoever_goes_on_and_on_fills_no_memory_and_the_end_is_still_told() {
        let joins = |_| {
            let confirm = McsPdu::ChannelJoinConfirm { result: 0 };
            [(Side::Client, McsPdu::ChannelJoinRequest), (Side::Server, confirm)]
                .map(|(from, pdu)| What::Mcs { from, pdu })
        };
        let end = What::Closed { from: Some(Side::Server), how: Ending::Reset };
        let ladder = ladder((0..100_000).flat_map(joins).chain([end]));
        assert_eq!((ladder.rungs.len(), ladder.more), (KEPT + 1, 200_000 - KEPT as u64));
        assert_eq!(ladder.rungs.last().map(|rung| rung.message), Some(Message::Closed(Ending::Reset)));
        let malformed = What::Malformed { from: Side::Client, layer: "mcs", offset: 0, says: String::new() };
        let alternately = (0..1000).flat_map(|_| {
            [malformed.clone(), What::Alert { from: Side::Server, level: 2, description: 40, version: 0x0303 }]
        });
        assert_eq!(self::ladder(alternately).rungs.len(), KEPT + ENDS_KEPT);
    }

    #[test]
    fn sealed_records_of_a_side_are_one_rung_and_an_alert_is_none_of_them() {
        let (client, server) = (Side::Client, Side::Server);
        let sealed_alert = What::SealedAlert { from: server, basis: crate::event::Basis::Inferred };
        let mut events: Vec<What> =
            vec![record(client, 23), record(client, 23), record(server, 22), record(server, 23)];
        events.push(record(server, 23));
        let mut ladder = ladder(events);
        // Told of the record that just passed: at its time.
        let flow = Flow { session: 0, leg: Leg::Only };
        ladder.push(&Event { at: Timestamp::at(5), flow, frame: 5, what: sealed_alert }, false, false);
        let rungs: Vec<_> = ladder.rungs.iter().map(|rung| (rung.message, rung.times, rung.bytes)).collect();
        let sealed = [(Message::Sealed, 2, 200), (Message::SealedHandshake, 1, 100), (Message::Sealed, 1, 100)];
        assert_eq!(rungs[..3], sealed);
        assert_eq!(rungs[3], (Message::SealedAlert, 1, 0));
    }
}
