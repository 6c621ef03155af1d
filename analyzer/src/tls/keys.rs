//! Secrets of TLS connections, as a key log holds them (NSS Key Log Format, RFC 9850).
//!
//! A keyring is complete before the first byte is read: what is said of a connection then cannot depend on where in a file
//! its secrets stand. Nothing in here can be printed, and all of it is wiped when it is dropped.

use std::collections::HashMap;
use std::fmt;

use crate::observation::Side;
pub(super) use crate::secret::{Random, Secret};
use crate::secret::{hex as bytes, lines, words};

/// Connections whose secrets are kept. A key log of a browser that ran for a year has fewer.
const MAX_CONNECTIONS: usize = 1 << 18;
/// No secret of TLS is longer: the output of SHA-512, bytes.
const MAX_SECRET: usize = 64;

/// From when on a traffic secret of TLS 1.3 is used (RFC 8446, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// 0-RTT data of the client.
    Early,
    /// From EncryptedExtensions to Finished.
    Handshake,
    /// Everything behind it.
    Application,
}

/// Which secret of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Up to TLS 1.2: the master secret, however it was made.
    Master,
    /// TLS 1.3.
    Traffic(Side, Stage),
}

/// All secrets that are known, of any number of connections.
#[derive(Clone, Default)]
pub struct Keyring {
    by_random: HashMap<Random, Vec<(Kind, Secret)>>,
    /// Master secrets, by the session id of the ServerHello: what openssl shows of a session.
    by_session: HashMap<Vec<u8>, Secret>,
    names: bool,
}

impl Keyring {
    /// Takes the lines of a key log. Those of a kind that is not known, or that cannot be read, are stepped over, as by all
    /// readers. Says how many were new.
    pub fn read(&mut self, log: &[u8]) -> usize {
        lines(log).filter(|line| self.line(line) == Some(true)).count()
    }

    /// The same, and wipes them.
    pub fn read_and_wipe(&mut self, log: Vec<u8>) -> usize {
        self.read(&Secret::new(log))
    }

    /// Takes all that another one has. Says how many secrets were new.
    pub fn extend(&mut self, other: &Keyring) -> usize {
        let by_random = other.by_random.iter().flat_map(|(random, all)| all.iter().map(move |one| (random, one)));
        let mut new = by_random.filter(|(random, (kind, secret))| self.put(**random, *kind, secret.clone())).count();
        for (session, secret) in &other.by_session {
            new += usize::from(self.put_session(session.clone(), secret.clone()));
        }
        new
    }

    /// The same secrets, with which user names are shown or not: whoever opens a session says whether they are wanted.
    #[must_use]
    pub fn naming(self, names: bool) -> Keyring {
        Keyring { names, ..self }
    }

    /// Whether user names are to be shown.
    pub fn shows_names(&self) -> bool {
        self.names
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_random.is_empty() && self.by_session.is_empty()
    }

    /// Whether all is there that a connection can be opened with: its master secret, or the four traffic secrets of TLS 1.3.
    /// Early data may have one more, which is written before them.
    pub(crate) fn is_complete(&self, random: &Random) -> bool {
        let stages = [Stage::Handshake, Stage::Application];
        let has = |side| stages.into_iter().all(|stage| self.traffic(random, side, stage).is_some());
        self.find(random, Kind::Master).is_some() || has(Side::Client) && has(Side::Server)
    }

    /// The master secret of a connection, or that of the session with this id.
    pub(super) fn master(&self, random: &Random, session: &[u8]) -> Option<&Secret> {
        self.find(random, Kind::Master).or_else(|| self.by_session.get(session))
    }

    /// A traffic secret of TLS 1.3.
    pub(super) fn traffic(&self, random: &Random, from: Side, stage: Stage) -> Option<&Secret> {
        self.find(random, Kind::Traffic(from, stage))
    }

    fn find(&self, random: &Random, kind: Kind) -> Option<&Secret> {
        self.by_random.get(random)?.iter().find(|(known, _)| *known == kind).map(|(_, secret)| secret)
    }

    /// `None` where it is not a line of a kind that is known.
    fn line(&mut self, line: &[u8]) -> Option<bool> {
        let (label, whose, secret) = words(line)?;
        if let Some(session) = whose.strip_prefix(b"Session-ID:").filter(|_| label == b"RSA") {
            let secret = secret_of(secret.strip_prefix(b"Master-Key:")?)?;
            return Some(self.put_session(bytes(session)?, secret));
        }
        Some(self.put(bytes(whose)?.try_into().ok()?, kind(label)?, secret_of(secret)?))
    }

    /// The first secret of a kind stays: whoever logs twice says the same.
    fn put(&mut self, random: Random, kind: Kind, secret: Secret) -> bool {
        if self.find(&random, kind).is_some() || self.by_random.len() >= MAX_CONNECTIONS {
            return false;
        }
        self.by_random.entry(random).or_default().push((kind, secret));
        true
    }

    fn put_session(&mut self, session: Vec<u8>, secret: Secret) -> bool {
        let is_id = (1..=32).contains(&session.len()) && self.by_session.len() < MAX_CONNECTIONS;
        is_id && self.by_session.insert(session, secret).is_none()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

fn kind(label: &[u8]) -> Option<Kind> {
    Some(match label {
        b"CLIENT_RANDOM" => Kind::Master,
        b"CLIENT_EARLY_TRAFFIC_SECRET" => Kind::Traffic(Side::Client, Stage::Early),
        b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Kind::Traffic(Side::Client, Stage::Handshake),
        b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Kind::Traffic(Side::Server, Stage::Handshake),
        b"CLIENT_TRAFFIC_SECRET_0" => Kind::Traffic(Side::Client, Stage::Application),
        b"SERVER_TRAFFIC_SECRET_0" => Kind::Traffic(Side::Server, Stage::Application),
        // Premaster secrets (RSA, PMS_CLIENT_RANDOM) are not used: no program of today writes them. EXPORTER_SECRET and EARLY_EXPORTER_SECRET seal no record; ECH_SECRET opens what RDP does not have.
        _ => return None,
    })
}

fn secret_of(hex: &[u8]) -> Option<Secret> {
    Some(Secret::new(bytes(hex).filter(|secret| (1..=MAX_SECRET).contains(&secret.len()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    #[test]
    fn lines_of_every_kind_are_found_again_and_others_stepped_over() {
        let mut keys = Keyring::default();
        let log = format!(
            "# a comment\r\nCLIENT_RANDOM {RANDOM} abcd\r\n\r\nSERVER_TRAFFIC_SECRET_0 {RANDOM}  01\n\
             EXPORTER_SECRET {RANDOM} 02\nCLIENT_RANDOM {RANDOM} ffff\nCLIENT_RANDOM 0011 ab\nCLIENT_RANDOM {RANDOM} 1\n\
             RSA Session-ID:0102 Master-Key:0a0b\nCLIENT_EARLY_TRAFFIC_SECRET {RANDOM}"
        );
        assert_eq!((keys.read(log.as_bytes()), keys.read(log.as_bytes())), (3, 0));
        let random: Random = bytes(RANDOM.as_bytes()).unwrap().try_into().unwrap();
        assert_eq!(keys.master(&random, &[]).unwrap()[..], [0xab, 0xcd]);
        assert_eq!(keys.traffic(&random, Side::Server, Stage::Application).unwrap()[..], [1]);
        assert_eq!(keys.master(&[0; 32], &[1, 2]).unwrap()[..], [10, 11]);
        assert!(keys.traffic(&random, Side::Client, Stage::Early).is_none());
        let mut other = Keyring::default();
        assert_eq!((other.extend(&keys), other.extend(&keys)), (3, 0));
    }

    #[test]
    fn nothing_shows_what_it_is() {
        let mut keys = Keyring::default();
        keys.read(format!("CLIENT_RANDOM {RANDOM} abcd").as_bytes());
        assert_eq!(format!("{keys:?}"), "<redacted>");
    }
}
