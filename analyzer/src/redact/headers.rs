//! Headers of the PROXY protocol for somebody else to see: of the same length, with other addresses, and without additions.

use super::names::Names;
use crate::proxy_protocol::{self, Header, Read, Says};
use crate::rdp::prelude::MAX_HEADERS;

/// Changes the headers that these bytes begin with, and gives their length.
pub(super) fn first(data: &mut [u8], names: &mut Names) -> usize {
    let mut behind = 0;
    for _ in 0..MAX_HEADERS {
        let rest = data.get_mut(behind..).unwrap_or_default();
        let Read::Header(header, len) = proxy_protocol::read(rest) else { break };
        let other = Header { says: replaced(header.says, names), ..header };
        if let Some(bytes) = rest.get_mut(..len) {
            match header.version {
                1 => line(bytes, &other),
                _ => binary(bytes, &other),
            }
        }
        behind += len;
    }
    behind
}

fn replaced(says: Says, names: &mut Names) -> Says {
    match says {
        Says::Ends { client, server } => {
            Says::Ends { client: names.addresses.end(client), server: names.addresses.end(server) }
        }
        Says::Local | Says::Unknown | Says::Invalid => says,
    }
}

/// A line is as long as its addresses: a shorter one gets zeros before its last port, and instead of a longer one stands that the
/// addresses are not known. A line that is none stays none.
fn line(bytes: &mut [u8], header: &Header) {
    let written = match header.says {
        Says::Invalid => b"PROXY \r\n".to_vec(),
        Says::Ends { .. } | Says::Local | Says::Unknown => proxy_protocol::write(header),
    };
    let (written, filling) = match bytes.len().checked_sub(written.len()) {
        Some(_) if header.ends().is_some() => (written, b'0'),
        Some(_) => (written, b' '),
        None => (b"PROXY UNKNOWN\r\n".to_vec(), b' '),
    };
    let at = if filling == b'0' { written.iter().rposition(|byte| *byte == b' ').map(|at| at + 1) } else { None };
    let at = at.unwrap_or(written.len().saturating_sub(2));
    let (before, after) = written.split_at(at);
    let padding = bytes.len().saturating_sub(written.len());
    let whole = before.iter().copied().chain(std::iter::repeat_n(filling, padding)).chain(after.iter().copied());
    bytes.iter_mut().zip(whole).for_each(|(byte, other)| *byte = other);
}

/// Signature, command, family and length stay; addresses are replaced, and what stands behind them is blanked.
fn binary(bytes: &mut [u8], header: &Header) {
    const FIXED: usize = 16;
    let written = if header.ends().is_some() { proxy_protocol::write(header) } else { Vec::new() };
    for (at, byte) in bytes.iter_mut().enumerate().skip(FIXED) {
        *byte = written.get(at).copied().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(client: &str, server: &str) -> Says {
        Says::Ends { client: client.parse().expect("an address"), server: server.parse().expect("an address") }
    }

    /// These bytes as others may see them, and what is read of that.
    fn change(bytes: &[u8]) -> (Vec<u8>, Says) {
        let mut changed = [bytes, b"\x03\0"].concat();
        assert_eq!(first(&mut changed, &mut Names::default()), bytes.len());
        let again = changed.clone();
        let Read::Header(header, len) = proxy_protocol::read(&changed) else { panic!("{changed:?}") };
        assert_eq!((len, &changed[len..]), (bytes.len(), &b"\x03\0"[..]), "{changed:?}");
        (again[..len].to_vec(), header.says)
    }

    #[test]
    fn addresses_are_replaced_and_lengths_stay() {
        for (client, server, shown) in [
            ("10.9.8.7:40000", "10.9.8.6:3389", ends("10.0.0.1:50000", "10.0.0.2:3389")),
            // A port that is longer.
            ("10.9.8.7:4000", "10.9.8.6:3389", Says::Unknown),
            // A port that is shorter.
            ("10.9.8.7:40000", "10.9.8.6:30000", ends("10.0.0.1:50000", "10.0.0.2:50001")),
        ] {
            let header = Header { version: 1, says: ends(client, server) };
            let (changed, says) = change(&proxy_protocol::write(&header));
            let text = String::from_utf8_lossy(&changed).into_owned();
            assert!(!text.contains("10.9.8"), "{text}");
            assert_eq!(says, shown, "{text}");
        }
        let mut v2 = proxy_protocol::write(&Header { version: 2, says: ends("10.9.8.7:4000", "10.9.8.6:3389") });
        v2.extend_from_slice(&[2, 0, 3, b'x', b'.', b'y']);
        v2[15] += 6;
        let (changed, says) = change(&v2);
        assert_eq!(says, ends("10.0.0.1:50000", "10.0.0.2:3389"));
        assert!(changed.ends_with(&[0; 6]), "additions may be names");
    }

    #[test]
    fn what_names_nobody_stays_what_it_is() {
        assert_eq!(change(b"PROXY UNKNOWN 10.9.8.7 x\r\n"), (b"PROXY UNKNOWN           \r\n".to_vec(), Says::Unknown));
        assert_eq!(change(b"PROXY TCP4 10.9.8.7\r\n").1, Says::Invalid);
        assert_eq!(change(&proxy_protocol::write(&Header { version: 2, says: Says::Local })).1, Says::Local);
    }
}
