//! Requests to an RD Gateway (RFC 9112), as clients make them before they are asked to authenticate.

use analyzer::probe::gateway::Question;

/// An RFC 6455 4.1 key, the one of its example: nothing is protected by it.
const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What asks a gateway of this name. `id` tells the connections of a probe apart in the gateway's log.
pub fn request(asked: Question, host: &str, id: u32) -> Vec<u8> {
    let (line, fields) = match asked {
        Question::WebSocket => ("RDG_OUT_DATA /remoteDesktopGateway/", websocket() + &tunnel(id)),
        Question::HttpOut => ("RDG_OUT_DATA /remoteDesktopGateway/", tunnel(id) + "Connection: Keep-Alive\r\n"),
        Question::RpcOut => ("RPC_OUT_DATA /rpc/rpcproxy.dll?localhost:3388", rpc()),
        Question::RpcIn => ("RPC_IN_DATA /rpc/rpcproxy.dll?localhost:3388", rpc()),
        Question::KdcGet => ("GET /KdcProxy", String::new()),
        Question::KdcPost => {
            ("POST /KdcProxy", "Content-Length: 0\r\nContent-Type: application/kerberos\r\n".to_owned())
        }
    };
    let common = "Cache-Control: no-cache\r\nPragma: no-cache\r\n";
    format!("{line} HTTP/1.1\r\nHost: {host}\r\n{common}{fields}\r\n").into_bytes()
}

/// \[MS-TSGU\] 2.2.3.1: the headers of a tunnel's requests.
fn tunnel(id: u32) -> String {
    let guid = format!("{{7264702d-7363-4f70-8e00-0000{id:08x}}}");
    format!(
        "Accept: */*\r\nUser-Agent: MS-RDGateway/1.0\r\nRDG-Connection-Id: {guid}\r\nRDG-Correlation-Id: {guid}\r\n"
    )
}

/// RFC 6455 4.1.
fn websocket() -> String {
    let key = format!("Sec-WebSocket-Key: {WEBSOCKET_KEY}\r\n");
    format!("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{key}")
}

/// \[MS-RPCH\] 2.1.2.1: the request that is answered with 401 carries nothing.
fn rpc() -> String {
    "Accept: application/rpc\r\nUser-Agent: MSRPC\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n".to_owned()
}
