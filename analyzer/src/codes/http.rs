//! HTTP statuses of an RD Gateway and of what stands in front of it.

use super::{Code, Notation, Table, code};

/// HTTP status of an RD Gateway.
pub static STATUSES: Table = Table {
    key: "http",
    title: "HTTP status of an RD Gateway",
    words: &["http"],
    notation: Notation::Decimal,
    note: "a 503 for /KdcProxy alone is no failure: the client falls back to NTLM",
    source: "RFC 9110, 15; [MS-TSGU] 3.3.5",
    codes: STATUSES_CODES,
};

#[rustfmt::skip]
const STATUSES_CODES: &[Code] = &[
    code(101, "Switching Protocols", "WebSocket upgrade accepted", &[]),
    code(200, "OK", "channel accepted", &[]),
    code(401, "Unauthorized", "auth required (NTLM/Negotiate legs are normal: 1-2 of them)", &["RDG-401"]),
    code(403, "Forbidden", "forbidden: CAP/IIS", &["RDG-CAP"]),
    code(404, "Not Found", "no such endpoint: not an RD Gateway path / old gateway (use RPC)", &["RDG-TRANSPORT"]),
    code(405, "Method Not Allowed", "method RDG_OUT_DATA blocked by a reverse proxy/WAF", &["RDG-TRANSPORT"]),
    code(407, "Proxy Authentication Required", "web proxy wants auth", &["RDG-PROXYAUTH"]),
    code(410, "Gone", "gone; FreeRDP treats 403/404/410 on the WebSocket/HTTP start as 'try another transport'", &["RDG-TRANSPORT"]),
    code(503, "Service Unavailable", "gateway/back end not available ('RPC Error: 5' = access denied in RPC layer)", &["RDG-503"]),
];
