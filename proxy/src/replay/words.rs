//! What a message is called, so that one that is recorded and one that comes now can be told to be the same. Their bytes need
//! not be: random numbers, cookies and tokens never are.

use analyzer::event::{AutoDetect, McsPdu, RdpPdu, What};
use analyzer::observation::Side;

/// Bytes in TLS that no secret of the recording opens.
pub(super) const SEALED: &str = "something inside TLS";
/// The first of TLS.
pub(super) const CLIENT_HELLO: &str = "ClientHello";

const SERVER_HELLO: &str = "ServerHello";
const CLIENT_KEY_EXCHANGE: &str = "ClientKeyExchange";
/// Of TLS, in clear or not.
pub(super) const ALERT: &str = "TLS alert";

/// Whether this is a message of TLS itself.
pub(super) fn is_of_handshake(name: &str) -> bool {
    [CLIENT_HELLO, SERVER_HELLO, CLIENT_KEY_EXCHANGE, ALERT].contains(&name)
}

/// The first of RDP behind what authenticates.
pub(super) const CONNECT_INITIAL: &str = "MCS Connect Initial";

/// Who says this message, and its name. `None` where it is no message of its own, or none that anybody waits for: what
/// channels carry comes when it comes.
pub(super) fn message(what: &What) -> Option<(Side, &'static str)> {
    Some(match what {
        What::ConnectionRequest(_) => (Side::Client, "X.224 Connection Request"),
        What::ConnectionConfirm(_) => (Side::Server, "X.224 Connection Confirm"),
        What::NegotiationFailure { .. } => (Side::Server, "RDP Negotiation Failure"),
        What::X224Refused { code: 0x80, .. } => (Side::Server, "X.224 Disconnect Request"),
        What::X224Refused { .. } => (Side::Server, "X.224 Error"),
        What::NotRdp { from, .. } => (*from, "something that is not RDP"),
        What::ClientHello(_) => (Side::Client, CLIENT_HELLO),
        What::ServerHello(_) => (Side::Server, SERVER_HELLO),
        What::ClientKeyExchange => (Side::Client, CLIENT_KEY_EXCHANGE),
        What::SealedAlert { from, .. } => (*from, ALERT),
        What::Alert { from, .. } => (*from, ALERT),
        What::Credssp { from, .. } => (*from, "TSRequest"),
        What::EarlyAuthorization { .. } => (Side::Server, "Early User Authorization Result"),
        What::RdstlsResult { .. } => (Side::Server, "RDSTLS Authentication Response"),
        What::RdsaadResult { .. } => (Side::Server, "RDSAAD Authentication Result"),
        What::Mcs { from, pdu } => (*from, mcs(*pdu)?),
        What::Rdp { from, pdu } => (*from, rdp(pdu)?),
        _ => return None,
    })
}

fn mcs(pdu: McsPdu) -> Option<&'static str> {
    Some(match pdu {
        McsPdu::ConnectInitial => CONNECT_INITIAL,
        McsPdu::ConnectResponse { .. } => "MCS Connect Response",
        McsPdu::ErectDomainRequest => "MCS Erect Domain Request",
        McsPdu::AttachUserRequest => "MCS Attach User Request",
        McsPdu::AttachUserConfirm => "MCS Attach User Confirm",
        McsPdu::ChannelJoinRequest => "MCS Channel Join Request",
        McsPdu::ChannelJoinConfirm { .. } => "MCS Channel Join Confirm",
        McsPdu::DisconnectProviderUltimatum { .. } => "MCS Disconnect Provider Ultimatum",
        // What it carries is told by itself, where it can be read.
        McsPdu::SendData { .. } | McsPdu::FastPath => return None,
    })
}

fn rdp(pdu: &RdpPdu) -> Option<&'static str> {
    Some(match pdu {
        RdpPdu::SecurityExchange => "Security Exchange",
        RdpPdu::ClientInfo { .. } => "Client Info",
        RdpPdu::AutoDetect(AutoDetect::BandwidthPayload { .. }) => return None,
        RdpPdu::AutoDetect(_) => "auto-detection",
        RdpPdu::License { .. } => "licensing PDU",
        RdpPdu::MultitransportRequest { .. } => "Initiate Multitransport Request",
        RdpPdu::MultitransportResponse { .. } => "Initiate Multitransport Response",
        RdpPdu::DemandActive(_) => "Demand Active",
        RdpPdu::ConfirmActive(_) => "Confirm Active",
        RdpPdu::DeactivateAll => "Deactivate All",
        RdpPdu::Redirection(_) => "Server Redirection",
        RdpPdu::Finalization(step) => step.name(),
        RdpPdu::SaveSessionInfo { .. } => "Save Session Info",
        RdpPdu::SetErrorInfo { .. } => "Set Error Info",
        RdpPdu::StatusInfo { .. } => "Server Status Info",
        RdpPdu::ShutdownRequest => "Shutdown Request",
        RdpPdu::ShutdownDenied => "Shutdown Request Denied",
        RdpPdu::AutoReconnectStatus => "Auto-Reconnect Status",
        RdpPdu::Heartbeat { .. } | RdpPdu::Frame { .. } | RdpPdu::Traffic { .. } => return None,
    })
}
