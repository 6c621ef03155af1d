//! What a gateway does, what its client does, and a scenario of both.

use super::ntlm::Account;
use crate::lab::certificate::Certificate;
use crate::lab::{ClientScript, Expect, ServerScript};
use crate::tls::{Trust, Versions};

/// The account that gateways of the lab know.
pub const ACCOUNT: Account = Account { user: "lab", password: "Passw0rd!" };

/// Where on the way a gateway acts: as soon as this has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A connection was accepted, nothing read.
    Accept,
    /// A CONNECT was read, by the web proxy that stands in the gateway's place.
    Connect,
    /// The ClientHello was read.
    ClientHello,
    /// TLS is established.
    Established,
    /// The head of the first RDG_OUT_DATA was read.
    Request,
    /// The head of the first RDG_IN_DATA was read.
    InRequest,
    /// The head of an RPC_IN_DATA or RPC_OUT_DATA was read.
    RpcRequest,
    /// The challenge of NTLM was sent, nothing read since.
    Challenge,
    /// The client of an RDG_OUT_DATA is let in, nothing said of it.
    LetIn,
    /// The channel was accepted, with 101 or 200; nothing read since.
    Accepted,
    /// The handshake request was read.
    Handshake,
    /// The tunnel's creation was asked for.
    TunnelCreate,
    /// The tunnel's authorization was asked for.
    TunnelAuthorize,
    /// The channel's creation was asked for.
    ChannelCreate,
    /// The channel was created, nothing carried.
    Opened,
    /// So many bytes of the target were carried.
    Carried(u64),
    /// Nothing was carried for so many milliseconds.
    Quiet(u64),
}

/// What a gateway does when it does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayAct {
    /// Sends FIN, and reads what still comes.
    Fin,
    /// Sends TLS close_notify and FIN, and reads what still comes.
    Goodbye,
    /// Sends RST.
    Reset,
    /// Says nothing until the client goes.
    Silence,
    /// Gives this answer in HTTP to this and all further requests of the connection.
    Answer(Answer),
    /// The same, and takes leave at once, as http.sys does where it is the kernel that answers.
    AnswerAndLeave(Answer),
    /// Answers what was asked with this HRESULT, so many milliseconds later, and waits until the client goes.
    Refuse(u32, u64),
    /// Closes the channel with this status, waits for the client's word, and takes leave.
    Close(u32),
    /// Sends a service message, and then the same.
    Kick(u32),
}

/// A response of HTTP without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Status code and reason phrase.
    pub status: &'static str,
    /// Fields.
    pub fields: &'static [&'static str],
}

/// A scheme of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `NTLM`.
    Ntlm,
    /// `Negotiate`: NTLM in it, bare, is let in as well.
    Negotiate,
    /// `Basic`.
    Basic,
}

impl Scheme {
    /// As it stands in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Ntlm => "NTLM",
            Scheme::Negotiate => "Negotiate",
            Scheme::Basic => "Basic",
        }
    }
}

/// What a gateway does, from accept to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayScript {
    /// Whether anything listens at all.
    pub listens: bool,
    /// Whether its clients come by a web proxy, which answers their CONNECT with 200 unless its script has it otherwise.
    pub by_proxy: bool,
    /// Its certificate.
    pub certificate: Certificate,
    /// Its versions of TLS.
    pub versions: Versions,
    /// The schemes that it offers and takes. Without any everybody is let in.
    pub offers: &'static [Scheme],
    /// Whether it lets in who has proven who they are.
    pub lets_in: bool,
    /// Whether it goes on as a WebSocket where it is asked to. If not, it answers as if it was not asked.
    pub websocket: bool,
    /// Whether the two halves of a tunnel meet. If not, every second connection meets another gateway, which has a certificate of
    /// its own and ends a second half when it is accepted.
    pub affinity: bool,
    /// Bytes behind the head that accepts a channel: 10 in practice, 100 in \[MS-TSGU\] 3.3.5.1.
    pub seed: usize,
    /// The idle timeout that it tells its clients, in minutes; 0 for none.
    pub idle_minutes: u32,
    /// After how many milliseconds it sends keep-alives, over and over; 0 for never.
    pub keep_alive_ms: u64,
    /// How many milliseconds it thinks before each answer.
    pub thinks_ms: u64,
    /// The one thing that it does otherwise.
    pub fault: Option<(Step, GatewayAct)>,
}

/// The way of a client to its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A WebSocket, and two channels where the gateway answers with 200.
    WebSocket,
    /// Two channels of HTTP.
    Http,
    /// RPC over HTTP: it asks, and has nothing to say to one who accepts.
    Rpc,
}

/// What a client does on its way through a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayClient {
    /// Over which transport it comes.
    pub way: Way,
    /// Whether it asks for a ticket first, over a connection of its own: \[MS-KKDCP\]. Without one it goes on with NTLM.
    pub asks_kdc: bool,
    /// Whether it asks a web proxy to CONNECT it first.
    pub by_proxy: bool,
    /// Its versions of TLS.
    pub versions: Versions,
    /// What it does with the gateway's certificate.
    pub trust: Trust,
    /// Whether it goes as soon as TLS is established: it does not like the certificate, and sends no alert.
    pub denies: bool,
    /// How it authenticates. `None` says nothing of itself.
    pub scheme: Option<Scheme>,
    /// Whether it sends `Authorization` at once, as FreeRDP does, or when it is asked to, as mstsc.
    pub at_once: bool,
    /// Who it is.
    pub account: Account,
    /// Its access token, where it has one. No secret: it is the lab's.
    pub cookie: Option<&'static str>,
    /// How many times it begins its authentication anew, on the same connection.
    pub tries: u32,
    /// The name of its target.
    pub target: &'static str,
    /// Bytes that it skips behind the head that accepts the first of two channels.
    pub seed: usize,
    /// After how many milliseconds without the next answer it gives up, with a FIN.
    pub patience_ms: u64,
    /// The client whose connection goes through the tunnel.
    pub inner: ClientScript,
}

/// One way in which an attempt through a gateway can go.
#[derive(Debug, Clone, Copy)]
pub struct GatewayScenario {
    /// In kebab case.
    pub name: &'static str,
    /// One line for people.
    pub says: &'static str,
    /// What the gateway does.
    pub gateway: GatewayScript,
    /// What the server behind it does.
    pub server: ServerScript,
    /// What the client does.
    pub client: GatewayClient,
    /// What is to be said of it, by who can read what is inside of the outer TLS.
    pub expect: Expect,
    /// Whether nobody can say so without the keys of the outer TLS.
    pub inside: bool,
}
