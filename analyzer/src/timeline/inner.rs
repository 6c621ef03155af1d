//! What was learned behind TLS, or in clear where there is none: the facts that need plaintext. Each is taken where it
//! is seen first-hand.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{Mark, Sighting};
use super::first_hand;
use super::frames::Frames;
use super::said::Said;
use crate::event::{
    Account, AuthMessage, AutoDetect, Capabilities, ClientSettings, Finalization, Kerberos, McsPdu, Mechanism, Ntlm,
    NtlmKind, RdpPdu, Redirection, ServerSettings, Traffic, TsRequest,
};
use crate::observation::Side;

/// Messages of one kind that are kept.
const KEPT: usize = 32;
/// Kinds of traffic that are counted apart.
const KINDS: usize = 128;

/// What was learned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inner {
    /// Where plaintext of TLS was first read.
    pub unsealed: Option<Mark>,
    /// The last message of the connection sequence.
    pub said: Option<Sighting<Said>>,
    /// Authentication.
    pub credssp: Credssp,
    /// Settings and channels.
    pub settings: Settings,
    /// Security Exchange of the client.
    pub security_exchange: Option<Mark>,
    /// What the client said of its user: flags, bytes of domain, user and password, and whether it brought a cookie.
    pub client_info: Option<Sighting<(u32, [u16; 3], bool)>>,
    /// Whom the client names as its user, once for each place; empty where nobody asked for names.
    pub accounts: Vec<Sighting<Account>>,
    /// Auto-detection.
    pub auto_detect: AutoDetection,
    /// Licensing messages: who, which, and code and transition of an error alert.
    pub licensing: Vec<Sighting<Licence>>,
    /// Multitransport requests: the protocol asked for.
    pub multitransport: Vec<Sighting<u16>>,
    /// The answers to them, HRESULTs.
    pub multitransport_answers: Vec<Sighting<u32>>,
    /// The server's capability sets.
    pub demand_active: Option<Sighting<Capabilities>>,
    /// The client's.
    pub confirm_active: Option<Sighting<Capabilities>>,
    /// The steps of the finalization, in order.
    pub finalization: Vec<Sighting<(Side, Finalization)>>,
    /// Deactivate All: when first, and how often.
    pub deactivated: Option<(Mark, u64)>,
    /// Save Session Info: its types.
    pub logons: Vec<Sighting<u32>>,
    /// Logon errors: type and data, \[MS-RDPBCGR\] 2.2.10.1.1.4.1.1.
    pub logon_errors: Vec<Sighting<(u32, u32)>>,
    /// Where the server gave an auto-reconnect cookie.
    pub reconnect_cookie: Option<Mark>,
    /// Where it refused one.
    pub reconnect_refused: Option<Mark>,
    /// Set Error Info: ERRINFO codes, 0 included.
    pub errinfo: Vec<Sighting<u32>>,
    /// Server Status Info: codes.
    pub status: Vec<Sighting<u32>>,
    /// Where the client asked to leave.
    pub shutdown_requested: Option<Mark>,
    /// Where the server said no.
    pub shutdown_denied: Option<Mark>,
    /// MCS Disconnect Provider Ultimatum: whose, and its reason.
    pub ultimatum: Option<Sighting<(Side, u8)>>,
    /// Where the server sent the client elsewhere.
    pub redirection: Option<Sighting<Redirection>>,
    /// Heartbeats.
    pub heartbeat: Option<Sighting<Heartbeat>>,
    /// Frames of graphics that the client acknowledged.
    pub frames: Frames,
    /// Messages and bytes of client and server, by kind.
    pub traffic: BTreeMap<Traffic, [Count; 2]>,
}

/// One licensing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Licence {
    /// Who sent it.
    pub from: Side,
    /// `bMsgType`.
    pub message: u8,
    /// `dwErrorCode` and `dwStateTransition` of an error alert.
    pub error: Option<(u32, u32)>,
}

impl Licence {
    /// STATUS_VALID_CLIENT: licensing is over and went well, \[MS-RDPBCGR\] 2.2.1.12.1.3.
    pub const VALID_CLIENT: u32 = 7;
    const NEW: u8 = 0x03;
    const UPGRADE: u8 = 0x04;

    /// Whether it ends licensing, and well.
    pub fn is_granted(self) -> bool {
        matches!(self.message, Licence::NEW | Licence::UPGRADE)
            || self.error.is_some_and(|(code, _)| code == Licence::VALID_CLIENT)
    }

    /// The error that it tells, if it tells one.
    pub fn refusal(self) -> Option<u32> {
        self.error.map(|(code, _)| code).filter(|code| *code != Licence::VALID_CLIENT)
    }
}

/// Heartbeats, as the first one announces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Seconds between two.
    pub period: u8,
    /// Missed ones before the client warns.
    pub warn: u8,
    /// Missed ones before it reconnects.
    pub reconnect: u8,
    /// How many came.
    pub times: u64,
}

/// What a server made of its measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The least RTT, ms.
    pub base_rtt_ms: Option<u32>,
    /// kbit/s.
    pub bandwidth_kbps: Option<u32>,
    /// The average RTT, ms.
    pub average_rtt_ms: u32,
}

/// Messages and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
}

/// CredSSP, or what stands in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credssp {
    /// The messages, in order.
    pub messages: Vec<Sighting<(Side, TsRequest)>>,
    /// `errorCode`, who sent it: an NTSTATUS or SSPI result.
    pub error: Option<Sighting<(Side, u32)>>,
    /// Early User Authorization Result: 0 granted, 5 denied.
    pub authorization: Option<Sighting<u32>>,
    /// RDSTLS: the server's result.
    pub rdstls: Option<Sighting<u32>>,
    /// RDSAAD: the server's result.
    pub rdsaad: Option<Sighting<u32>>,
}

impl Credssp {
    /// The version that a side says it speaks, in its first message.
    pub fn version(&self, side: Side) -> Option<u32> {
        self.messages.iter().find(|seen| seen.what.0 == side).map(|seen| seen.what.1.version)
    }

    /// The mechanism in use: by the last message of one, or else the last that was chosen.
    pub fn mechanism(&self) -> Option<Mechanism> {
        let tokens = || self.messages.iter().rev().flat_map(|seen| &seen.what.1.tokens);
        let spoken = tokens().find_map(|token| match token.message.as_ref()? {
            AuthMessage::Ntlm(_) => Some(Mechanism::Ntlm),
            AuthMessage::Kerberos(_) => Some(Mechanism::Kerberos),
            AuthMessage::NegoEx => Some(Mechanism::NegoEx),
        });
        spoken.or_else(|| tokens().find_map(|token| token.chosen.clone()))
    }

    /// The first NTLM message of a kind.
    pub fn ntlm(&self, kind: NtlmKind) -> Option<Sighting<&Ntlm>> {
        self.auth_messages().find_map(|(mark, message)| match message {
            AuthMessage::Ntlm(ntlm) if ntlm.kind == kind => Some(Sighting { what: &**ntlm, mark }),
            AuthMessage::Ntlm(_) | AuthMessage::Kerberos(_) | AuthMessage::NegoEx => None,
        })
    }

    /// The Kerberos messages, in order.
    pub fn kerberos(&self) -> impl Iterator<Item = Sighting<Kerberos>> {
        self.auth_messages().filter_map(|(mark, message)| match message {
            AuthMessage::Kerberos(kerberos) => Some(Sighting { what: *kerberos, mark }),
            AuthMessage::Ntlm(_) | AuthMessage::NegoEx => None,
        })
    }

    /// Where a side first sent `pubKeyAuth`.
    pub fn pub_key_auth(&self, side: Side) -> Option<Mark> {
        self.first_with(side, |request| request.has_pub_key_auth)
    }

    /// Where the client sent its credentials.
    pub fn auth_info(&self) -> Option<Mark> {
        self.first_with(Side::Client, |request| request.has_auth_info)
    }

    fn first_with(&self, side: Side, has: fn(&TsRequest) -> bool) -> Option<Mark> {
        self.messages.iter().find(|seen| seen.what.0 == side && has(&seen.what.1)).map(|seen| seen.mark)
    }

    fn auth_messages(&self) -> impl Iterator<Item = (Mark, &AuthMessage)> {
        let tokens = self.messages.iter().flat_map(|seen| seen.what.1.tokens.iter().map(|token| (seen.mark, token)));
        tokens.filter_map(|(mark, token)| Some((mark, token.message.as_ref()?)))
    }
}

/// What the two sides told each other in the connect PDUs of MCS, and how the channels were joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The client's.
    pub client: Option<Sighting<ClientSettings>>,
    /// The server's.
    pub server: Option<Sighting<ServerSettings>>,
    /// `result` of the Connect-Response.
    pub result: Option<Sighting<u8>>,
    /// Channel joins asked for.
    pub joins: u32,
    /// Channel joins confirmed.
    pub joined: u32,
    /// `result` of the first Channel Join Confirm that is a refusal.
    pub join_refused: Option<Sighting<u8>>,
}

impl Settings {
    const SKIP_JOIN: u32 = 0x8;

    /// Whether the server lets the client do without channel joins, 2.2.1.4.2.
    pub fn may_skip_joins(&self) -> bool {
        let flags = self.server.as_ref().and_then(|server| server.what.early_flags);
        flags.is_some_and(|flags| flags & Settings::SKIP_JOIN != 0)
    }

    /// The client's name of a channel.
    pub fn channel_name(&self, id: u16) -> Option<&str> {
        let server = &self.server.as_ref()?.what;
        let place = server.channels.iter().position(|channel| *channel == id)?;
        self.client.as_ref()?.what.channels.get(place).map(String::as_str)
    }
}

/// Auto-detection, as it was measured and told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AutoDetection {
    asked: Option<(u16, Mark)>,
    /// Answered RTT requests.
    pub rtts: u64,
    /// The least time from RTT request to response, where they passed here.
    pub min_rtt: Option<Duration>,
    /// The longest.
    pub max_rtt: Option<Duration>,
    /// The client's last bandwidth measurement: ms, bytes.
    pub bandwidth: Option<Sighting<(u32, u32)>>,
    /// What the server made of it all.
    pub result: Option<Sighting<Measured>>,
    /// What a reconnecting client brought along: kbit/s, RTT (ms).
    pub sync: Option<Sighting<(u32, u32)>>,
}

impl AutoDetection {
    /// Where an RTT was asked for that is not answered yet.
    pub(super) fn asked(&self) -> Option<Mark> {
        self.asked.map(|(_, mark)| mark)
    }

    fn push(&mut self, mark: Mark, pdu: AutoDetect) {
        match pdu {
            AutoDetect::RttRequest { sequence } => self.asked = Some((sequence, mark)),
            AutoDetect::RttResponse { sequence } => {
                let Some((_, asked)) = self.asked.take_if(|(asked, _)| *asked == sequence) else { return };
                if !mark.at.unwatched_since(asked.at).is_zero() {
                    return;
                }
                let took = mark.at.since(asked.at);
                self.rtts += 1;
                self.min_rtt = Some(self.min_rtt.map_or(took, |least| least.min(took)));
                self.max_rtt = Some(self.max_rtt.map_or(took, |most| most.max(took)));
            }
            AutoDetect::BandwidthResults { ms, bytes } => {
                self.bandwidth = Some(Sighting { what: (ms, bytes), mark });
            }
            AutoDetect::Result { base_rtt_ms, bandwidth_kbps, average_rtt_ms } => {
                let what = Measured { base_rtt_ms, bandwidth_kbps, average_rtt_ms };
                self.result = Some(Sighting { what, mark });
            }
            AutoDetect::Sync { bandwidth_kbps, rtt_ms } => {
                self.sync = Some(Sighting { what: (bandwidth_kbps, rtt_ms), mark });
            }
            AutoDetect::BandwidthStart | AutoDetect::BandwidthPayload { .. } | AutoDetect::BandwidthStop => {}
        }
    }
}

impl Inner {
    /// Whether whoever ended the session said so first.
    pub fn is_announced(&self) -> bool {
        self.ultimatum.is_some() || self.error().is_some()
    }

    /// The last ERRINFO that is one.
    pub fn error(&self) -> Option<&Sighting<u32>> {
        self.errinfo.iter().rev().find(|seen| seen.what != 0)
    }

    /// Whether an ERRINFO says that the user wanted it so: ERRINFO_RPC_INITIATED_DISCONNECT_BY_USER and
    /// ERRINFO_LOGOFF_BY_USER.
    pub fn is_by_user(errinfo: u32) -> bool {
        matches!(errinfo, 0xb | 0xc)
    }

    /// Whether the server said that it ends the session for a reason of its own.
    pub fn is_expelled(&self) -> bool {
        self.error().is_some_and(|seen| !Inner::is_by_user(seen.what))
    }

    /// Whether the server sent the client elsewhere: the session goes on in another connection. With LB_NOREDIRECT it
    /// only informs, \[MS-RDPBCGR\] 2.2.13.1.
    pub fn is_redirected(&self) -> bool {
        const LB_NOREDIRECT: u32 = 0x80;
        self.redirection.as_ref().is_some_and(|seen| seen.what.flags & LB_NOREDIRECT == 0)
    }

    pub(super) fn unsealed(&mut self, mark: Mark) {
        self.unsealed = self.unsealed.or(Some(mark));
    }

    pub(super) fn credssp(&mut self, mark: Mark, from: Side, request: &TsRequest) {
        if first_hand(mark.leg, from) {
            self.say(mark, Said::of_credssp(from, request));
            self.credssp.push(mark, from, request);
        }
    }

    pub(super) fn authorization(&mut self, mark: Mark, result: u32) {
        if first_hand(mark.leg, Side::Server) {
            self.say(mark, Said::server("Early User Authorization Result"));
            once(&mut self.credssp.authorization, mark, result);
        }
    }

    pub(super) fn rdstls(&mut self, mark: Mark, code: u32) {
        if first_hand(mark.leg, Side::Server) {
            self.say(mark, Said::server("RDSTLS authentication response"));
            once(&mut self.credssp.rdstls, mark, code);
        }
    }

    pub(super) fn rdsaad(&mut self, mark: Mark, code: u32) {
        if first_hand(mark.leg, Side::Server) {
            self.say(mark, Said::server("RDSAAD authentication result"));
            once(&mut self.credssp.rdsaad, mark, code);
        }
    }

    /// Whom the client names, once for each place.
    pub(super) fn account(&mut self, mark: Mark, account: &Account) {
        let is_new = self.accounts.iter().all(|known| known.what.by != account.by);
        if is_new && first_hand(mark.leg, Side::Client) {
            self.accounts.push(Sighting { what: account.clone(), mark });
        }
    }

    pub(super) fn client_settings(&mut self, mark: Mark, settings: &ClientSettings) {
        if first_hand(mark.leg, Side::Client) {
            once(&mut self.settings.client, mark, settings.clone());
        }
    }

    pub(super) fn server_settings(&mut self, mark: Mark, settings: &ServerSettings) {
        if first_hand(mark.leg, Side::Server) {
            once(&mut self.settings.server, mark, settings.clone());
        }
    }

    pub(super) fn mcs(&mut self, mark: Mark, from: Side, pdu: McsPdu) {
        if !first_hand(mark.leg, from) {
            return;
        }
        if let Some(said) = Said::of_mcs(pdu) {
            self.say(mark, said);
        }
        match pdu {
            McsPdu::ConnectResponse { result } => once(&mut self.settings.result, mark, result),
            McsPdu::ChannelJoinRequest => self.settings.joins += 1,
            McsPdu::ChannelJoinConfirm { result: 0 } => self.settings.joined += 1,
            McsPdu::ChannelJoinConfirm { result } => once(&mut self.settings.join_refused, mark, result),
            McsPdu::DisconnectProviderUltimatum { reason } => once(&mut self.ultimatum, mark, (from, reason)),
            McsPdu::ConnectInitial
            | McsPdu::ErectDomainRequest
            | McsPdu::AttachUserRequest
            | McsPdu::AttachUserConfirm
            | McsPdu::SendData { .. }
            | McsPdu::FastPath => {}
        }
    }

    pub(super) fn rdp(&mut self, mark: Mark, from: Side, pdu: &RdpPdu) {
        if !first_hand(mark.leg, from) {
            return;
        }
        if let Some(said) = Said::of_rdp(from, pdu) {
            self.say(mark, said);
        }
        match *pdu {
            RdpPdu::ClientInfo { flags, lengths, has_cookie } => {
                once(&mut self.client_info, mark, (flags, lengths, has_cookie));
            }
            RdpPdu::SecurityExchange => self.security_exchange = self.security_exchange.or(Some(mark)),
            RdpPdu::AutoDetect(pdu) => self.auto_detect.push(mark, pdu),
            RdpPdu::License { message, error } => keep(&mut self.licensing, mark, Licence { from, message, error }),
            RdpPdu::MultitransportRequest { protocol } => keep(&mut self.multitransport, mark, protocol),
            RdpPdu::MultitransportResponse { result } => keep(&mut self.multitransport_answers, mark, result),
            RdpPdu::DemandActive(sets) => once(&mut self.demand_active, mark, sets),
            RdpPdu::ConfirmActive(sets) => once(&mut self.confirm_active, mark, sets),
            RdpPdu::DeactivateAll => {
                let (since, times) = self.deactivated.unwrap_or((mark, 0));
                self.deactivated = Some((since, times + 1));
            }
            RdpPdu::Redirection(ref redirection) => once(&mut self.redirection, mark, (**redirection).clone()),
            RdpPdu::Finalization(step) => keep(&mut self.finalization, mark, (from, step)),
            RdpPdu::SaveSessionInfo { kind, has_cookie, logon_error } => {
                keep(&mut self.logons, mark, kind);
                self.reconnect_cookie = self.reconnect_cookie.or(has_cookie.then_some(mark));
                if let Some(error) = logon_error {
                    keep(&mut self.logon_errors, mark, error);
                }
            }
            RdpPdu::SetErrorInfo { code } => keep(&mut self.errinfo, mark, code),
            RdpPdu::StatusInfo { code } => keep(&mut self.status, mark, code),
            RdpPdu::ShutdownRequest => self.shutdown_requested = self.shutdown_requested.or(Some(mark)),
            RdpPdu::ShutdownDenied => self.shutdown_denied = self.shutdown_denied.or(Some(mark)),
            RdpPdu::AutoReconnectStatus => self.reconnect_refused = self.reconnect_refused.or(Some(mark)),
            RdpPdu::Heartbeat { period, warn, reconnect } => {
                let first = Heartbeat { period, warn, reconnect, times: 0 };
                self.heartbeat.get_or_insert(Sighting { what: first, mark }).what.times += 1;
            }
            RdpPdu::Frame { step, id } => self.frames.push(mark.at, step, id),
            RdpPdu::Traffic { kind, len } => self.count(kind, from, len),
        }
    }

    fn say(&mut self, mark: Mark, said: Said) {
        self.said = Some(Sighting { what: said, mark });
    }

    fn count(&mut self, kind: Traffic, from: Side, len: u32) {
        let is_full = self.traffic.len() >= KINDS && !self.traffic.contains_key(&kind);
        let kind = if is_full { Traffic::Closed } else { kind };
        let count = &mut self.traffic.entry(kind).or_default()[from as usize];
        count.messages += 1;
        count.bytes += u64::from(len);
    }
}

impl Credssp {
    fn push(&mut self, mark: Mark, from: Side, request: &TsRequest) {
        if let Some(code) = request.error_code.filter(|code| *code != 0) {
            once(&mut self.error, mark, (from, code));
        }
        keep(&mut self.messages, mark, (from, request.clone()));
    }
}

fn once<T>(place: &mut Option<Sighting<T>>, mark: Mark, what: T) {
    if place.is_none() {
        *place = Some(Sighting { what, mark });
    }
}

/// Keeps the first ones, and the last.
fn keep<T>(kept: &mut Vec<Sighting<T>>, mark: Mark, what: T) {
    if kept.len() >= KEPT {
        kept.pop();
    }
    kept.push(Sighting { what, mark });
}
