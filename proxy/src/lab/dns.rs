//! A resolver that answers late: every name is at 127.0.0.1, after so long.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The address that every name has.
const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A resolver at its address.
#[derive(Debug)]
pub struct Resolver {
    /// Where it listens.
    pub addr: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl Resolver {
    /// Begins to listen.
    pub async fn bind(addr: SocketAddr) -> io::Result<Resolver> {
        let socket = Arc::new(UdpSocket::bind(addr).await?);
        Ok(Resolver { addr: socket.local_addr()?, socket })
    }

    /// Answers every question after `delay`, and tells the name that was asked for. Never ends.
    pub async fn run(self, delay: Duration, mut tell: impl FnMut(&str)) {
        let mut tasks = JoinSet::new();
        let mut datagram = [0; 1500];
        loop {
            // An error belongs to an answer that nobody waited for: the next question may still come.
            let Ok((len, client)) = self.socket.recv_from(&mut datagram).await else { continue };
            let Some((name, answer)) = answer(&datagram[..len]) else { continue };
            tell(&name);
            let socket = self.socket.clone();
            tasks.spawn(async move {
                sleep(delay).await;
                let _nobody_waits = socket.send_to(&answer, client).await;
            });
            while tasks.try_join_next().is_some() {}
        }
    }
}

/// The name asked for, and the answer (RFC 1035 4.1). `None` where it is no plain question.
fn answer(query: &[u8]) -> Option<(String, Vec<u8>)> {
    let (header, rest) = query.split_first_chunk::<12>()?;
    let is_question = header[2] & 0x80 == 0 && header[4..6] == [0, 1];
    let (name, len) = read_name(rest)?;
    let question = rest.get(..len + 4).filter(|_| is_question)?;
    let has_address = question[len..] == [0, 1, 0, 1]; // type A, class IN; to all else there is no record
    let mut answer = header[..2].to_vec();
    answer.extend([0x80 | header[2] & 0x01, 0x80]); // a response, recursion available
    answer.extend([0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question);
    if has_address {
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]); // the name above, A, IN, 1 s, 4 bytes
        answer.extend(ADDRESS.octets());
    }
    Some((name, answer))
}

/// A name in labels, and how many bytes it takes.
fn read_name(bytes: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 0);
    loop {
        let len = usize::from(*bytes.get(at)?);
        let label = bytes.get(at + 1..at + 1 + len).filter(|_| len < 64)?;
        at += 1 + len;
        if label.is_empty() {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKS: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03rdp\x03lab\0\0\x01\0\x01";

    #[test]
    fn a_question_for_an_address_gets_one() {
        let (name, answer) = answer(ASKS).unwrap();
        assert_eq!(name, "rdp.lab");
        assert_eq!(answer[..8], [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1]);
        assert!(answer.ends_with(&[0, 4, 127, 0, 0, 1]));
    }

    #[test]
    fn other_questions_get_no_record_and_rubbish_no_answer() {
        let other = [&ASKS[..ASKS.len() - 4], &[0, 28, 0, 1]].concat(); // AAAA
        assert_eq!(answer(&other).unwrap().1[6..8], [0, 0]);
        for len in 0..ASKS.len() {
            assert!(answer(&ASKS[..len]).is_none(), "{len}");
        }
    }
}
