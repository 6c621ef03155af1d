//! HTTP/1.1 as a gateway, a web proxy and their client say it (RFC 9112): heads, in order, no more.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer head is no head.
const HEAD: usize = 16 * 1024;

/// A longer body nobody here has a use for.
pub(super) const BODY: usize = 64 * 1024;

/// The path of \[MS-TSGU\] over HTTP.
pub(super) const GATEWAY: &str = "/remoteDesktopGateway/";

/// The path of \[MS-TSGU\] over RPC.
pub(super) const RPC: &str = "/rpc/rpcproxy.dll?localhost:3388";

/// The path of a KDC proxy, \[MS-KKDCP\] 2.1.
pub(super) const KDC: &str = "/KdcProxy";

/// \[MS-KKDCP\] 2.2.2 KDC_PROXY_MESSAGE: an AS-REQ with nothing in it, for the realm LAB.TEST.
pub(super) const KDC_REQUEST: &[u8] = &[
    0x30, 0x16, // SEQUENCE
    0xa0, 0x08, 0x04, 0x06, 0x00, 0x00, 0x00, 0x02, 0x6a, 0x00, // kerb-message: length, AS-REQ
    0xa1, 0x0a, 0x1b, 0x08, b'L', b'A', b'B', b'.', b'T', b'E', b'S', b'T', // target-domain
];

/// The head of a request or of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The first line.
    pub fn line(&self) -> &str {
        &self.first
    }

    /// Of a request; of a response its version.
    pub fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// Of a request; of a response its status code.
    pub fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// Of a response; 0 where it is none.
    pub fn status(&self) -> u16 {
        self.target().parse().unwrap_or(0)
    }

    /// `Content-Length`; 0 where there is none.
    pub fn length(&self) -> usize {
        self.field("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    /// The first field of that name.
    pub fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All fields of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.fields.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Whether a field has this word in it.
    pub fn says(&self, name: &str, word: &str) -> bool {
        self.all(name).any(|value| value.to_ascii_lowercase().contains(word))
    }

    /// What stands behind this scheme in a field; empty where there is nothing. `None` without the scheme.
    pub fn scheme<'a>(&'a self, field: &'a str, scheme: &str) -> Option<&'a str> {
        self.all(field).find_map(|value| {
            let (own, token) = value.split_once(' ').unwrap_or((value, ""));
            own.eq_ignore_ascii_case(scheme).then_some(token.trim())
        })
    }

    fn read(text: &str) -> Head {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| line.split_once(':'));
        Head { first, fields: fields.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect() }
    }
}

/// Reads one head, and nothing behind it.
pub(super) async fn head<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<Head> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        if text.len() >= HEAD {
            return Err(ErrorKind::InvalidData.into());
        }
        text.push(io.read_u8().await?);
    }
    Ok(Head::read(&String::from_utf8_lossy(&text)))
}

/// Reads and forgets the body that a head announces with its length.
pub(super) async fn skip_body<S: AsyncRead + Unpin>(io: &mut S, head: &Head) -> io::Result<()> {
    if head.length() > BODY {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; head.length()];
    io.read_exact(&mut body).await.map(drop)
}

/// A response without a body.
pub(super) fn response(status: &str, fields: &[String]) -> Vec<u8> {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{fields}\r\n").into_bytes()
}

/// A request, with the fields that every client of a gateway has.
pub(super) fn request(method: &str, path: &str, fields: &[String]) -> Vec<u8> {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!(
        "{method} {path} HTTP/1.1\r\nCache-Control: no-cache\r\nPragma: no-cache\r\nAccept: */*\r\n\
         User-Agent: MS-RDGateway/1.0\r\nHost: rdp.lab.test\r\n{fields}\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_no_case_and_schemes_have_tokens() {
        let head =
            Head::read("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: NTLM abc=\r\nWWW-Authenticate:Negotiate\r\n");
        assert_eq!((head.status(), head.method()), (401, "HTTP/1.1"));
        assert_eq!(head.scheme("WWW-Authenticate", "ntlm"), Some("abc="));
        assert_eq!(head.scheme("WWW-Authenticate", "Negotiate"), Some(""));
        assert_eq!(head.scheme("WWW-Authenticate", "Basic"), None);
    }

    #[test]
    fn what_is_no_head_is_no_reason_to_panic() {
        for text in ["", " ", "\r\n", ":", "GET", "HTTP/1.1 x y\r\n:\r\nz"] {
            assert_eq!(Head::read(text).status(), 0, "{text:?}");
        }
    }
}
