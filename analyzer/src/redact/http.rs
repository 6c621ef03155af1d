//! HTTP in clear for somebody else to see (RFC 9112): where a web proxy stands before a gateway, or TLS has ended elsewhere.
//! Methods, versions, status and the names of fields stay, and of values those that decide; the rest are names.

use super::names::Names;

/// Fields whose values say how to go on, and name nobody.
const NAMELESS: &[&str] =
    &["connection", "content-length", "proxy-connection", "transfer-encoding", "upgrade", "sec-websocket-version"];
/// Fields that begin with the name of a way to authenticate.
const SCHEMES: &[&str] = &["authorization", "proxy-authenticate", "proxy-authorization", "www-authenticate"];
const END: &[u8] = b"\r\n\r\n";

/// A CONNECT, or the answer to one, and where what is behind it begins. `None` where it is neither.
pub(super) fn connect(data: &mut [u8], names: &mut Names) -> Option<usize> {
    let is_one = data.starts_with(b"CONNECT ") || data.starts_with(b"HTTP/1.");
    let end = data.windows(END.len()).position(|window| window == END).filter(|_| is_one)? + END.len();
    let is_tls_behind = data.get(end).is_some_and(|first| *first == 22);
    if !is_tls_behind {
        return None;
    }
    lines(&mut data[..end], names);
    Some(end)
}

/// The first head; what is behind it is blanked. Gives how many bytes that are.
pub(super) fn head(data: &mut [u8], names: &mut Names) -> usize {
    let end = data.windows(END.len()).position(|window| window == END).map_or(0, |at| at + END.len());
    lines(&mut data[..end], names);
    data[end..].fill(0);
    data.len() - end
}

fn lines(head: &mut [u8], names: &mut Names) {
    for (number, line) in head.split_mut(|byte| *byte == b'\n').enumerate() {
        let kept = if number == 0 { first_line(line) } else { field(line) };
        let text = line.get_mut(kept..).unwrap_or_default();
        let other = names.rename(text);
        text.copy_from_slice(&other);
    }
}

/// The method; of an answer all but the words behind the code.
fn first_line(line: &[u8]) -> usize {
    let space = |from: usize| line.iter().skip(from).position(|byte| *byte == b' ').map(|at| from + at + 1);
    let first = space(0).unwrap_or_default();
    if line.starts_with(b"HTTP/") { space(first).unwrap_or(line.len()) } else { first }
}

fn field(line: &[u8]) -> usize {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return line.len() };
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    let scheme = || line.iter().skip(colon + 2).position(|byte| *byte == b' ').map_or(line.len(), |at| colon + 3 + at);
    match name.as_str() {
        name if NAMELESS.contains(&name) => line.len(),
        name if SCHEMES.contains(&name) => scheme(),
        _ => colon + 1,
    }
}
