//! The last message that was read of the connection sequence behind TLS, and whose turn it is then.

use super::inner::Licence;
use crate::event::{AuthMessage, AutoDetect, Finalization, McsPdu, NtlmKind, RdpPdu, Token, TsRequest};
use crate::observation::Side;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub from: Side,
    /// As reports call it.
    pub name: &'static str,
    /// Who speaks next.
    pub next: Side,
}

impl Said {
    /// A message of the client that the server answers.
    fn client(name: &'static str) -> Said {
        Said { from: Side::Client, name, next: Side::Server }
    }

    /// A message of the server that the client answers.
    pub(super) fn server(name: &'static str) -> Said {
        Said { from: Side::Server, name, next: Side::Client }
    }

    /// One that the same side goes on behind.
    fn and_goes_on(self) -> Said {
        Said { next: self.from, ..self }
    }

    pub(super) fn of_credssp(from: Side, request: &TsRequest) -> Said {
        let name = if request.error_code.is_some_and(|code| code != 0) {
            "errorCode"
        } else if request.has_auth_info {
            "credentials (authInfo)"
        } else if let Some(name) = request.tokens.iter().find_map(token) {
            name
        } else if request.has_pub_key_auth {
            "pubKeyAuth"
        } else {
            "token of the authentication"
        };
        Said { from, name, next: from.other() }
    }

    /// `None` for what says nothing of the sequence.
    pub(super) fn of_mcs(pdu: McsPdu) -> Option<Said> {
        Some(match pdu {
            McsPdu::ConnectInitial => Said::client("MCS Connect Initial"),
            McsPdu::ConnectResponse { .. } => Said::server("MCS Connect Response"),
            McsPdu::ErectDomainRequest => Said::client("Erect Domain Request").and_goes_on(),
            McsPdu::AttachUserRequest => Said::client("Attach User Request"),
            McsPdu::AttachUserConfirm => Said::server("Attach User Confirm"),
            McsPdu::ChannelJoinRequest => Said::client("Channel Join Request"),
            McsPdu::ChannelJoinConfirm { .. } => Said::server("Channel Join Confirm"),
            McsPdu::SendData { .. } | McsPdu::FastPath | McsPdu::DisconnectProviderUltimatum { .. } => return None,
        })
    }

    /// `None` for what says nothing of the sequence.
    pub(super) fn of_rdp(from: Side, pdu: &RdpPdu) -> Option<Said> {
        Some(match *pdu {
            RdpPdu::SecurityExchange => Said::client("Security Exchange").and_goes_on(),
            RdpPdu::ClientInfo { .. } => Said::client("Client Info"),
            RdpPdu::AutoDetect(pdu) => auto_detect(pdu),
            RdpPdu::License { message, error } => licence(Licence { from, message, error }),
            RdpPdu::MultitransportRequest { .. } => Said::server("Initiate Multitransport Request").and_goes_on(),
            RdpPdu::MultitransportResponse { .. } => Said::client("Initiate Multitransport Response"),
            RdpPdu::DemandActive(_) => Said::server("Demand Active"),
            RdpPdu::ConfirmActive(_) => Said::client("Confirm Active"),
            RdpPdu::Finalization(step) => finalization(from, step),
            RdpPdu::DeactivateAll => Said::server("Deactivate All").and_goes_on(),
            RdpPdu::Redirection(_)
            | RdpPdu::SaveSessionInfo { .. }
            | RdpPdu::SetErrorInfo { .. }
            | RdpPdu::StatusInfo { .. }
            | RdpPdu::ShutdownRequest
            | RdpPdu::ShutdownDenied
            | RdpPdu::AutoReconnectStatus
            | RdpPdu::Heartbeat { .. }
            | RdpPdu::Frame { .. }
            | RdpPdu::Traffic { .. } => return None,
        })
    }
}

fn token(token: &Token) -> Option<&'static str> {
    Some(match token.message.as_ref()? {
        AuthMessage::Ntlm(ntlm) => match ntlm.kind {
            NtlmKind::Negotiate => "NTLM NEGOTIATE",
            NtlmKind::Challenge => "NTLM CHALLENGE",
            NtlmKind::Authenticate => "NTLM AUTHENTICATE",
        },
        AuthMessage::Kerberos(kerberos) => kerberos.name(),
        AuthMessage::NegoEx => "NegoEx token",
    })
}

/// \[MS-RDPBCGR\] 2.2.14.
fn auto_detect(pdu: AutoDetect) -> Said {
    match pdu {
        AutoDetect::RttRequest { .. } => Said::server("RTT Measure Request"),
        AutoDetect::BandwidthStart | AutoDetect::BandwidthPayload { .. } => {
            Said::server("bandwidth measurement").and_goes_on()
        }
        AutoDetect::BandwidthStop => Said::server("Bandwidth Measure Stop"),
        AutoDetect::Result { .. } => Said::server("Network Characteristics Result").and_goes_on(),
        AutoDetect::RttResponse { .. } => Said::client("RTT Measure Response"),
        AutoDetect::BandwidthResults { .. } => Said::client("Bandwidth Measure Results"),
        AutoDetect::Sync { .. } => Said::client("Network Characteristics Sync"),
    }
}

/// \[MS-RDPELE\] 1.3.3: once the licence is there, the server goes on with its capabilities.
fn licence(licence: Licence) -> Said {
    match licence.from {
        Side::Client => Said::client("licensing message"),
        Side::Server if licence.is_granted() => Said::server("licence").and_goes_on(),
        Side::Server => Said::server("licensing message"),
    }
}

/// \[MS-RDPBCGR\] 1.3.1.1: the client's Font List is answered by the Font Map, and neither waits before.
fn finalization(from: Side, step: Finalization) -> Said {
    let said = Said { from, name: step.name(), next: Side::Server };
    match step {
        Finalization::FontMap => Said { next: Side::Client, ..said },
        Finalization::Synchronize
        | Finalization::Control(_)
        | Finalization::PersistentKeyList
        | Finalization::FontList => said,
    }
}
