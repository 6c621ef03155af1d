//! What CredSSP says (\[MS-CSSP\]), without any of its secrets: no hash, no response, no ticket, no credential.

/// One TSRequest, \[MS-CSSP\] 2.2.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TsRequest {
    /// `version`: 2 to 6.
    pub version: u32,
    /// What each of `negoTokens` says.
    pub tokens: Vec<Token>,
    /// `authInfo` is there: the credentials, sealed.
    pub has_auth_info: bool,
    /// `pubKeyAuth` is there: what binds the authentication to the certificate.
    pub has_pub_key_auth: bool,
    /// `errorCode`: an NTSTATUS or SSPI result.
    pub error_code: Option<u32>,
    /// `clientNonce` is there (version 5 and above).
    pub has_client_nonce: bool,
}

/// A token of SPNEGO (RFC 4178, \[MS-SPNG\]), or one that stands without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// `mechTypes` of a NegTokenInit, the preferred one first.
    pub offered: Vec<Mechanism>,
    /// `supportedMech` of a NegTokenResp.
    pub chosen: Option<Mechanism>,
    /// `negState`: 0 accept-completed, 1 accept-incomplete, 2 reject, 3 request-mic.
    pub state: Option<u8>,
    /// What the mechanism's own token is.
    pub message: Option<AuthMessage>,
}

/// A mechanism of authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// NTLM, 1.3.6.1.4.1.311.2.2.10.
    Ntlm,
    /// Kerberos, 1.2.840.113554.1.2.2, or with the identifier that Windows 2000 cut short.
    Kerberos,
    /// Kerberos user-to-user, 1.2.840.113554.1.2.2.3.
    KerberosU2u,
    /// NegoEx, 1.3.6.1.4.1.311.2.2.30.
    NegoEx,
    /// IAKerb, 1.3.6.1.5.2.5: Kerberos through the server, for a client that reaches no domain controller.
    IaKerb,
    /// Another object identifier, in dots.
    Other(String),
}

impl Mechanism {
    /// As it stands in reports.
    pub fn name(&self) -> &str {
        match self {
            Mechanism::Ntlm => "NTLM",
            Mechanism::Kerberos => "Kerberos",
            Mechanism::KerberosU2u => "Kerberos U2U",
            Mechanism::NegoEx => "NegoEx",
            Mechanism::IaKerb => "IAKerb",
            Mechanism::Other(oid) => oid,
        }
    }
}

/// A mechanism's own token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthMessage {
    /// NTLM.
    Ntlm(Box<Ntlm>),
    /// Kerberos.
    Kerberos(Kerberos),
    /// NegoEx: not read further.
    NegoEx,
}

/// An NTLM message, \[MS-NLMP\] 2.2.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntlm {
    /// Which.
    pub kind: NtlmKind,
    /// `NegotiateFlags`.
    pub flags: u32,
    /// `Version`, where it is filled in: major, minor, build.
    pub version: Option<(u8, u8, u16)>,
    /// AvId of each pair of the target information, in order, \[MS-NLMP\] 2.2.2.1. In an AUTHENTICATE they stand in the
    /// NTLMv2 response.
    pub pairs: Vec<u16>,
    /// The names among them.
    pub names: NtlmNames,
    /// `MsvAvTimestamp`: 100 ns since 1601.
    pub timestamp: Option<u64>,
    /// `MsvAvChannelBindings`: whether there is a binding; `None` without the pair. All zeros are no binding.
    pub channel_binding: Option<bool>,
    /// Whether an AUTHENTICATE names a user.
    pub has_user: bool,
    /// Whether the response is NTLMv1's (24 bytes).
    pub is_v1: bool,
}

/// Whom a client names as its user. Read only where somebody asked for names; never with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where it stands.
    pub by: Naming,
    /// The domain, or the empty text.
    pub domain: String,
    /// The user, or the empty text.
    pub user: String,
}

/// Where a client names its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// NTLM's AUTHENTICATE, \[MS-NLMP\] 2.2.1.3.
    Ntlm,
    /// Client Info, \[MS-RDPBCGR\] 2.2.1.11.1.1.
    ClientInfo,
}

impl Naming {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Naming::Ntlm => "NTLM",
            Naming::ClientInfo => "Client Info",
        }
    }
}

/// Names in an NTLM target information.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NtlmNames {
    /// `MsvAvNbComputerName`
    pub netbios_computer: Option<String>,
    /// `MsvAvNbDomainName`
    pub netbios_domain: Option<String>,
    /// `MsvAvDnsComputerName`
    pub dns_computer: Option<String>,
    /// `MsvAvDnsDomainName`
    pub dns_domain: Option<String>,
    /// `MsvAvTargetName`: the service that the client means to reach.
    pub target: Option<String>,
}

/// Which NTLM message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NtlmKind {
    /// NEGOTIATE_MESSAGE, 2.2.1.1
    Negotiate,
    /// CHALLENGE_MESSAGE, 2.2.1.2
    Challenge,
    /// AUTHENTICATE_MESSAGE, 2.2.1.3
    Authenticate,
}

impl NtlmKind {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            NtlmKind::Negotiate => "NEGOTIATE",
            NtlmKind::Challenge => "CHALLENGE",
            NtlmKind::Authenticate => "AUTHENTICATE",
        }
    }
}

/// A Kerberos message (RFC 4120) or one of user-to-user (draft-swift-win2k-krb-user2user).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kerberos {
    /// KRB_AP_REQ
    ApReq {
        /// `ap-options` use-session-key: user-to-user.
        uses_session_key: bool,
    },
    /// KRB_AP_REP
    ApRep,
    /// KERB-TGT-REQUEST
    TgtReq,
    /// KERB-TGT-REPLY
    TgtRep,
    /// KRB_ERROR
    Error {
        /// `error-code`, RFC 4120 7.5.9.
        code: u32,
    },
}

impl Kerberos {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kerberos::ApReq { uses_session_key: false } => "AP-REQ",
            Kerberos::ApReq { uses_session_key: true } => "AP-REQ (user-to-user)",
            Kerberos::ApRep => "AP-REP",
            Kerberos::TgtReq => "TGT-REQ",
            Kerberos::TgtRep => "TGT-REP",
            Kerberos::Error { .. } => "KRB-ERROR",
        }
    }

    /// `error-code` of a KRB-ERROR.
    pub fn error(self) -> Option<u32> {
        match self {
            Kerberos::Error { code } => Some(code),
            Kerberos::ApReq { .. } | Kerberos::ApRep | Kerberos::TgtReq | Kerberos::TgtRep => None,
        }
    }
}

/// KRB-ERROR of a domain controller (RFC 4120, 5.9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KdcError {
    /// `error-code`, RFC 4120 7.5.9.
    pub code: u32,
    /// `sname`: the service that was asked for.
    pub service: Option<String>,
}

impl KdcError {
    /// Whether it only says how to ask again: KDC_ERR_PREAUTH_REQUIRED and KRB_ERR_RESPONSE_TOO_BIG.
    pub fn is_usual(&self) -> bool {
        matches!(self.code, 25 | 52)
    }
}
