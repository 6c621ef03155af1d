//! What a connection to an RD Gateway carries: HTTP, and in it the tunnel of \[MS-TSGU\].
//!
//! Plaintext of one HTTP connection goes in, however it is cut; events come out, and the bytes of the RDP connection that it
//! carries, with the name of the tunnel that they belong to. That the two halves of a tunnel meet is for `session` to see.

mod auth;
mod h2;
mod head;
mod http;
mod kdcproxy;
mod rpc;
#[cfg(test)]
mod tests;
mod tsgu;
mod websocket;

use std::collections::VecDeque;

use crate::count::counted;
use crate::event::{GatewayEvent, HttpRequest, Transport, What};
use crate::observation::Side;
use h2::Http2;
use rpc::Rpc;
use tsgu::Packets;

/// What ties the halves of a tunnel together: RDG-Connection-Id, or RPC's virtual connection cookie.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TunnelId(pub String);

/// Something of the RDP connection in a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Bytes of one side, in order.
    Bytes {
        /// Who sent them.
        from: Side,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Bytes of one side that are not here.
    Missing {
        /// Who sent them.
        from: Side,
        /// How many, about.
        len: u64,
    },
}

/// Requests that wait for their answers.
const MAX_ASKED: usize = 32;
/// A body of so many bytes is an echo request of RPC over HTTP, or one that only authenticates, \[MS-RPCH\] 2.1.2.1.5.
const ECHO: u64 = 16;

/// One HTTP connection to a gateway, in plaintext.
#[derive(Debug, Default)]
pub struct Channel {
    /// Client, server.
    sides: [Talk; 2],
    /// What the requests were for that have no answer, the oldest first.
    asked: VecDeque<Asked>,
    h2: Http2,
    rpc: Rpc,
    tunnel: Option<TunnelId>,
    is_connected: bool,
    carried: Vec<Carried>,
}

/// One side of the connection.
#[derive(Debug, Default)]
struct Talk {
    framing: Framing,
    body: Body,
}

/// What the bytes of a side are.
#[derive(Debug)]
enum Framing {
    /// HTTP/1.1.
    Http(http::Half),
    /// HTTP/2.
    Http2,
    /// WebSocket.
    WebSocket(websocket::Frames),
    /// Another connection, which a web proxy passes on.
    Connected,
}

impl Default for Framing {
    fn default() -> Framing {
        Framing::Http(http::Half::default())
    }
}

/// Who reads a body.
#[derive(Debug, Default)]
enum Body {
    #[default]
    Nobody,
    Tunnel(Packets),
    Rpc,
    Kdc(kdcproxy::Message),
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy)]
struct Asked {
    transport: Transport,
    is_head: bool,
    upgrade: bool,
}

/// What bytes that are not here were, of one framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    /// So many of what is framed.
    inside: u64,
    /// So many behind it, of which nobody knows what they were.
    beyond: u64,
    /// Where the place was lost, if it was.
    lost: Option<u64>,
}

impl Channel {
    /// Nothing said yet.
    pub fn new() -> Channel {
        Channel::default()
    }

    /// More plaintext of one side, in order, however it is cut.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let mut data = data;
        loop {
            if !data.is_empty() {
                self.recognize(from, data);
            }
            let is_more = match &mut self.sides[from as usize].framing {
                Framing::Http(half) => match half.next(&mut data) {
                    Some(piece) => self.http(from, piece, out),
                    None => false,
                },
                Framing::WebSocket(frames) => match frames.next(&mut data) {
                    Some(piece) => self.websocket(from, piece, out),
                    None => false,
                },
                Framing::Http2 => {
                    self.h2.push(from, data, out);
                    false
                }
                Framing::Connected => {
                    carry(&mut self.carried, from, data);
                    false
                }
            };
            if !is_more {
                return;
            }
        }
    }

    /// `len` bytes of one side's plaintext that are not here.
    pub fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        let (hole, layer) = match &mut self.sides[from as usize].framing {
            _ if len == 0 => return,
            Framing::Http(half) => (half.missing(len), "http"),
            Framing::WebSocket(frames) => (frames.missing(len), "websocket"),
            Framing::Http2 => return self.h2.missing(from, len, out),
            Framing::Connected => return lack(&mut self.carried, from, len),
        };
        self.body_missing(from, hole.inside, out);
        self.dropped(from, hole.beyond);
        if let Some(offset) = hole.lost {
            let says = format!(
                "expected more of it, found a hole of {} that hides where the next part begins",
                counted(len, "byte")
            );
            out.push(What::Malformed { from, layer, offset, says });
        }
    }

    /// The tunnel that this is a half of, or the whole, once that is known.
    pub fn tunnel(&self) -> Option<&TunnelId> {
        self.tunnel.as_ref()
    }

    /// Whether a web proxy has agreed to pass everything on (CONNECT): what is carried since is the connection to the gateway
    /// itself, from its first byte on, and no RDP.
    pub fn connected(&self) -> bool {
        self.is_connected
    }

    /// What of the RDP connection came since the last call.
    pub fn take_carried(&mut self) -> Vec<Carried> {
        std::mem::take(&mut self.carried)
    }

    /// Looks at the first byte of a message: HTTP/2 has no head of HTTP/1.1, and a client that was heard to ask for a
    /// WebSocket may have been answered unheard.
    fn recognize(&mut self, from: Side, data: &[u8]) {
        let talk = &mut self.sides[from as usize];
        let Framing::Http(half) = &talk.framing else { return };
        let Some(first) = data.first().filter(|_| half.is_between()) else { return };
        if from == Side::Server && *first == 0 && half.is_new() {
            talk.framing = Framing::Http2;
        }
        if from == Side::Client && first & 0x80 != 0 && self.asked.back().is_some_and(|asked| asked.upgrade) {
            *talk = Talk { framing: Framing::WebSocket(Default::default()), body: Body::Tunnel(Packets::default()) };
        }
    }

    /// A step of HTTP/1.1; whether there may be more.
    fn http(&mut self, from: Side, piece: http::Piece<'_>, out: &mut Vec<What>) -> bool {
        match piece {
            http::Piece::Head(_, head) if from == Side::Client && head.starts_with(h2::PREFACE_HEAD) => {
                self.sides[from as usize].framing = Framing::Http2;
                self.h2.push(from, &head, out);
            }
            http::Piece::Head(offset, head) => {
                let read = match from {
                    Side::Client => self.ask(&head, out),
                    Side::Server => self.answer(&head, out),
                };
                if let Err(says) = read {
                    self.lose(from);
                    out.push(What::Malformed { from, layer: "http", offset, says });
                }
            }
            http::Piece::Body(data) => self.body(from, data, out),
            http::Piece::End => self.end(from, out),
            http::Piece::Dropped(len) => self.dropped(from, len),
            http::Piece::Trouble(offset, says) => out.push(What::Malformed { from, layer: "http", offset, says }),
        }
        true
    }

    /// A step of a WebSocket; whether there may be more.
    fn websocket(&mut self, from: Side, piece: websocket::Piece, out: &mut Vec<What>) -> bool {
        match piece {
            websocket::Piece::Begin => {
                if let Body::Tunnel(packets) = &mut self.sides[from as usize].body {
                    packets.message();
                }
            }
            websocket::Piece::Data(data) => self.body(from, &data, out),
            websocket::Piece::Close(code) => out.push(What::Gateway(GatewayEvent::WebSocketClose { from, code })),
            websocket::Piece::Dropped(len) => self.dropped(from, len),
            websocket::Piece::Trouble(offset, says) => {
                out.push(What::Malformed { from, layer: "websocket", offset, says });
            }
        }
        true
    }

    /// A request's head.
    fn ask(&mut self, head: &[u8], out: &mut Vec<What>) -> Result<(), String> {
        let (request, body) = http::request(head)?;
        // Who asks again has the whole answer to what came before: the next one begins here.
        if let Framing::Http(half) = &mut self.sides[Side::Server as usize].framing
            && (half.find() || self.asked.len() == MAX_ASKED)
        {
            self.asked.clear();
        }
        let (transport, upgrade) = (request.transport, request.upgrade);
        self.asked.push_back(Asked { transport, is_head: request.method == "HEAD", upgrade });
        let reader = self.reader(&request);
        let talk = &mut self.sides[Side::Client as usize];
        talk.body = reader;
        if let Framing::Http(half) = &mut talk.framing {
            half.body(body);
        }
        out.push(What::Gateway(GatewayEvent::Request(Box::new(request))));
        Ok(())
    }

    /// Who reads the body of a request.
    fn reader(&mut self, request: &HttpRequest) -> Body {
        match request.transport {
            Transport::WebSocket | Transport::HttpOut | Transport::HttpIn => {
                if let Some(id) = &request.connection_id {
                    self.tunnel = Some(TunnelId(id.clone()));
                }
                if request.transport == Transport::HttpIn { Body::Tunnel(Packets::default()) } else { Body::Nobody }
            }
            Transport::RpcOut | Transport::RpcIn if request.length.is_none_or(|len| len > ECHO) => {
                self.rpc.begin(Side::Client);
                Body::Rpc
            }
            Transport::KdcProxy => Body::Kdc(Default::default()),
            Transport::RpcOut | Transport::RpcIn | Transport::Connect | Transport::Other => Body::Nobody,
        }
    }

    /// A response's head.
    fn answer(&mut self, head: &[u8], out: &mut Vec<What>) -> Result<(), String> {
        let asked = self.asked.front().copied();
        let transport = asked.map_or(Transport::Other, |asked| asked.transport);
        let answer = http::response(head, transport, asked.is_some_and(|asked| asked.is_head))?;
        let status = answer.response.status;
        let is_final = status >= 200 || status == 101;
        if is_final {
            self.asked.pop_front();
        }
        let talk = &mut self.sides[Side::Server as usize];
        talk.body = match (transport, status) {
            (Transport::HttpOut | Transport::WebSocket, 200) => Body::Tunnel(Packets::behind_seed()),
            (Transport::RpcOut, 200) => {
                self.rpc.begin(Side::Server);
                Body::Rpc
            }
            (Transport::KdcProxy, 200) => Body::Kdc(Default::default()),
            _ => Body::Nobody,
        };
        if let Framing::Http(half) = &mut talk.framing {
            half.body(answer.body);
        }
        let (upgrade, connects) =
            (answer.response.upgrade, transport == Transport::Connect && (200..300).contains(&status));
        out.push(What::Gateway(GatewayEvent::Response(Box::new(answer.response))));
        if upgrade {
            self.go_on(out, || Talk {
                framing: Framing::WebSocket(Default::default()),
                body: Body::Tunnel(Packets::default()),
            });
        } else if connects {
            self.is_connected = true;
            self.go_on(out, || Talk { framing: Framing::Connected, body: Body::Nobody });
        }
        Ok(())
    }

    /// Both sides go on in another protocol. A client waits for this answer, so that what comes of it from here on, and what
    /// came of a head that is none, is of that protocol.
    fn go_on(&mut self, out: &mut Vec<What>, talk: impl Fn() -> Talk) {
        self.sides[Side::Server as usize] = talk();
        let client = &mut self.sides[Side::Client as usize];
        if matches!(client.framing, Framing::Http(_)) {
            let before = std::mem::replace(client, talk());
            if let Framing::Http(half) = before.framing {
                self.push(Side::Client, &half.into_rest(), out);
            }
        }
    }

    /// A body is complete.
    fn end(&mut self, from: Side, out: &mut Vec<What>) {
        if let Body::Kdc(message) = std::mem::take(&mut self.sides[from as usize].body) {
            kdc(from, message, out);
        }
        // Who has the whole answer to all that was asked is asked next.
        if from == Side::Server
            && self.asked.is_empty()
            && let Framing::Http(half) = &mut self.sides[Side::Client as usize].framing
        {
            half.find();
        }
    }

    /// Part of a body, or of a WebSocket's messages.
    fn body(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        match &mut self.sides[from as usize].body {
            Body::Nobody => {}
            Body::Tunnel(packets) => tunnel(packets, from, data, &mut self.carried, out),
            Body::Rpc => {
                self.rpc.push(from, data, &mut self.carried, out);
                if let Some(cookie) = self.rpc.cookie() {
                    self.tunnel = Some(cookie);
                }
            }
            Body::Kdc(message) => message.push(data),
        }
    }

    /// `len` bytes of a body are not here.
    fn body_missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        match &mut self.sides[from as usize].body {
            _ if len == 0 => {}
            Body::Nobody => {}
            Body::Tunnel(packets) => {
                let loss = packets.missing(len);
                lack(&mut self.carried, from, loss.carried);
                if let Some(offset) = loss.lost {
                    let says = format!(
                        "expected packets, found a hole of {} that hides where the next begins",
                        counted(len, "byte")
                    );
                    out.push(What::Malformed { from, layer: "tsgu", offset, says });
                }
            }
            Body::Rpc => self.rpc.missing(from, len, &mut self.carried, out),
            Body::Kdc(message) => message.lose(),
        }
    }

    /// `len` bytes came, or did not, of which nobody knows what they are.
    fn dropped(&mut self, from: Side, len: u64) {
        match &mut self.sides[from as usize].body {
            _ if len == 0 => {}
            Body::Nobody => {}
            Body::Tunnel(packets) => {
                packets.lose();
                lack(&mut self.carried, from, len);
            }
            Body::Rpc => self.rpc.lose(from),
            Body::Kdc(message) => message.lose(),
        }
    }

    fn lose(&mut self, from: Side) {
        if let Framing::Http(half) = &mut self.sides[from as usize].framing {
            half.lose();
        }
    }
}

/// Reads the packets of a tunnel.
fn tunnel(packets: &mut Packets, from: Side, data: &[u8], carried: &mut Vec<Carried>, out: &mut Vec<What>) {
    let mut data = data;
    while let Some(piece) = packets.next(&mut data) {
        match piece {
            tsgu::Piece::Message(message) => out.push(What::Gateway(GatewayEvent::Tunnel { from, message })),
            tsgu::Piece::Carry(len) => out.push(What::Gateway(GatewayEvent::Carried { from, len })),
            tsgu::Piece::Data(data) => carry(carried, from, data),
            tsgu::Piece::Dropped(len) => lack(carried, from, len),
            tsgu::Piece::Trouble(offset, says) => out.push(What::Malformed { from, layer: "tsgu", offset, says }),
        }
    }
}

/// A KDC proxy message is complete.
fn kdc(from: Side, message: kdcproxy::Message, out: &mut Vec<What>) {
    match message.read(from) {
        Some(Ok(message)) => out.push(What::Gateway(GatewayEvent::Kdc { from, message })),
        Some(Err(says)) => out.push(What::Malformed { from, layer: "kdcproxy", offset: 0, says }),
        None => {}
    }
}

/// Bytes that are handed on, put to those before them.
fn carry(carried: &mut Vec<Carried>, from: Side, data: &[u8]) {
    match carried.last_mut() {
        _ if data.is_empty() => {}
        Some(Carried::Bytes { from: before, data: all }) if *before == from => all.extend_from_slice(data),
        _ => carried.push(Carried::Bytes { from, data: data.to_vec() }),
    }
}

/// Bytes that cannot be handed on.
fn lack(carried: &mut Vec<Carried>, from: Side, len: u64) {
    match carried.last_mut() {
        _ if len == 0 => {}
        Some(Carried::Missing { from: before, len: all }) if *before == from => *all += len,
        _ => carried.push(Carried::Missing { from, len }),
    }
}
