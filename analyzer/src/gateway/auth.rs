//! Authentication in HTTP's headers (RFC 9110 11.6, RFC 4559): the scheme, and what an NTLM, Kerberos or SPNEGO token says of
//! itself. What else stands there, a password among it, is passed over.

use crate::event::HttpAuth;
use crate::rdp::spnego;
use crate::rdp::wire::latin;

/// Schemes whose token is read.
const TOKENS: [&str; 3] = ["NTLM", "Negotiate", "Kerberos"];

/// Names of registered schemes are shorter, bytes.
const LONGEST: usize = 20;
/// What stands for a scheme that cannot be one.
const UNKNOWN: &str = "unknown";

/// What stands in one `Authorization` or `Proxy-Authorization`.
pub(super) fn credentials(value: &[u8]) -> Option<HttpAuth> {
    scheme(value.trim_ascii())
}

/// The schemes of one `WWW-Authenticate` or `Proxy-Authenticate`: parameters that follow a comma belong to the one before.
pub(super) fn challenges(value: &[u8]) -> impl Iterator<Item = HttpAuth> {
    let mut is_quoted = false;
    let parts = value.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    });
    parts.filter_map(|part| scheme(part.trim_ascii()))
}

fn scheme(text: &[u8]) -> Option<HttpAuth> {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (name, behind) = text.split_at(end);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let scheme = latin(name).filter(|_| name.iter().all(is_name))?;
    // A longer word is no scheme: it may be the secret itself.
    let scheme = if name.len() > LONGEST { UNKNOWN.to_owned() } else { scheme };
    let behind = behind.trim_ascii();
    let is_read = TOKENS.iter().any(|known| known.eq_ignore_ascii_case(&scheme));
    let token = is_read.then(|| base64(behind)).flatten().and_then(|token| spnego::read(&token));
    Some(HttpAuth { scheme, has_token: !behind.is_empty(), token })
}

/// RFC 4648 4, up to the first `=`; `None` where something else stands in it.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut have) = (0_u32, 0);
    for letter in text.iter().take_while(|letter| **letter != b'=') {
        bits = bits << 6 | u32::from(digit(*letter)?);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have) as u8);
        }
    }
    Some(bytes)
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{AuthMessage, NtlmKind};

    fn names(header: &str) -> String {
        let all = challenges(header.as_bytes()).map(|auth| auth.scheme + if auth.has_token { "+" } else { "" });
        all.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn schemes_of_a_header() {
        for (header, expected) in [
            ("NTLM", "NTLM"),
            ("Negotiate, NTLM", "Negotiate NTLM"),
            ("Basic realm=\"a, b\", Negotiate", "Basic+ Negotiate"),
            ("Digest qop=\"auth\",algorithm=MD5, NTLM", "Digest+ NTLM"),
            ("", ""),
        ] {
            assert_eq!(names(header), expected, "{header}");
        }
    }

    #[test]
    fn a_token_is_read_and_a_password_is_not() {
        let ntlm = credentials(b"NTLM TlRMTVNTUAABAAAAt4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==").expect("a scheme");
        let message = ntlm.token.and_then(|token| token.message);
        assert!(matches!(message, Some(AuthMessage::Ntlm(ntlm)) if ntlm.kind == NtlmKind::Negotiate));
        let basic = credentials(b"Basic dXNlcjpwYXNz").expect("a scheme");
        assert_eq!(basic, HttpAuth { scheme: "Basic".into(), has_token: true, token: None });
        let bare = credentials(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl").expect("something");
        assert_eq!(bare, HttpAuth { scheme: "unknown".into(), has_token: false, token: None });
    }
}
