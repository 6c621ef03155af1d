//! Bytes that nobody may see: wiped when they are dropped, and never printed. And as much of a key log (NSS Key Log Format,
//! RFC 9850) as it takes to know whose a line is. The only module that names zeroize.

use std::fmt;
use std::ops::Deref;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The Random of a ClientHello: by it a key log names the connection.
pub type Random = [u8; 32];

/// Bytes that nobody may see.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes them over: they are wiped with it.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(bytes)
    }

    /// A buffer that grows: what it leaves behind when it moves is wiped, too.
    pub(crate) fn fill(&mut self, len: usize, bytes: impl IntoIterator<Item = u8>) {
        if len > self.0.capacity() {
            self.0.zeroize();
            self.0.reserve(len);
        }
        self.0.clear();
        self.0.extend(bytes);
    }

    /// Adds bytes behind those that are there. Where it must move, it wipes what it leaves behind.
    pub fn extend(&mut self, bytes: &[u8]) {
        let len = self.0.len() + bytes.len();
        if len > self.0.capacity() {
            let mut larger = Vec::with_capacity(len.next_power_of_two());
            larger.extend_from_slice(&self.0);
            std::mem::swap(&mut self.0, &mut larger);
            larger.zeroize();
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The lines of a key log.
pub fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.split(|byte| matches!(byte, b'\n' | b'\r'))
}

/// The words of a line: `<label> <random> <secret>`, the latter two in hex.
pub fn words(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    Some((words.next()?, words.next()?, words.next()?))
}

/// Which connection a line of a key log belongs to. `None` where it names none.
pub fn whose(line: &[u8]) -> Option<Random> {
    let (_, random, _) = words(line)?;
    hex(random)?.try_into().ok()
}

/// The bytes that stand there in hex.
pub(crate) fn hex(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    hex.chunks_exact(2).map(|two| Some(digit(two[0])? << 4 | digit(two[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_what_it_is() {
        let mut secret = Secret::new(vec![1, 2]);
        assert_eq!(format!("{secret:?} {secret:#?}"), "<redacted> <redacted>");
        secret.extend(&[3; 100]);
        assert_eq!((secret.len(), secret[1], secret[2]), (102, 2, 3));
    }

    #[test]
    fn a_line_names_its_connection() {
        let random = "01".repeat(32);
        assert_eq!(whose(format!("CLIENT_RANDOM {random} abcd").as_bytes()), Some([1; 32]));
        assert_eq!(whose(format!("ANY  {random}\t0").as_bytes()), Some([1; 32]));
        for line in
            [format!("CLIENT_RANDOM {random}"), "# a comment of words".into(), String::new(), "A 0101 01".into()]
        {
            assert_eq!(whose(line.as_bytes()), None, "{line}");
        }
    }
}
