//! Puts IP fragments together (RFC 791 3.2, RFC 8200 4.5), bounded in number and size.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::ip::Ip;
use crate::time::Timestamp;

/// Datagrams that are put together at once; the oldest makes room.
const MAX_DATAGRAMS: usize = 64;
/// Largest datagram, bytes.
const MAX_BYTES: usize = 65_535;
/// Parts of a datagram: the smallest MTU allows no more.
const MAX_PARTS: usize = 128;
/// Fragments that come later than this belong to another datagram (RFC 8200: 60 s; identifications come again sooner).
const PATIENCE: Duration = Duration::from_secs(30);

/// The datagrams that are not complete.
#[derive(Debug, Default)]
pub struct Fragments {
    datagrams: VecDeque<Datagram>,
    /// Datagrams that made room, or waited too long.
    given_up: u64,
}

#[derive(Debug)]
struct Datagram {
    key: (IpAddr, IpAddr, u8, u32),
    began: Timestamp,
    /// Where each part begins, and its bytes; in order, without overlap.
    parts: Vec<(usize, Vec<u8>)>,
    /// Known once the last part is here.
    len: Option<usize>,
}

impl Fragments {
    /// Takes a fragment and gives the whole payload with its last one.
    pub fn push(&mut self, at: Timestamp, ip: &Ip<'_>) -> Option<Vec<u8>> {
        let fragment = ip.fragment?;
        let key = (ip.source, ip.destination, ip.protocol, fragment.id);
        let end = fragment.offset as usize + ip.payload.len();
        if end > MAX_BYTES || ip.payload.len() < ip.payload_len as usize {
            // A part that the capture cut leaves a hole that nothing fills.
            return None;
        }
        let place = self.place(at, key);
        let datagram = &mut self.datagrams[place];
        if !fragment.more {
            datagram.len = datagram.len.or(Some(end));
        }
        datagram.keep(fragment.offset as usize, ip.payload);
        let whole = datagram.whole()?;
        self.datagrams.remove(place);
        Some(whole)
    }

    /// Datagrams that have not become complete by now.
    pub fn incomplete(&self) -> u64 {
        self.given_up + self.datagrams.len() as u64
    }

    /// Bytes that wait for others.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.datagrams.iter().flat_map(|datagram| &datagram.parts).map(|(_, part)| part.len()).sum()
    }

    fn place(&mut self, at: Timestamp, key: (IpAddr, IpAddr, u8, u32)) -> usize {
        let before = self.datagrams.len();
        self.datagrams.retain(|datagram| at.since(datagram.began) <= PATIENCE);
        if let Some(place) = self.datagrams.iter().position(|datagram| datagram.key == key) {
            return place;
        }
        if self.datagrams.len() == MAX_DATAGRAMS {
            self.datagrams.pop_front();
        }
        self.given_up += (before - self.datagrams.len()) as u64;
        self.datagrams.push_back(Datagram { key, began: at, parts: Vec::new(), len: None });
        self.datagrams.len() - 1
    }
}

impl Datagram {
    /// Keeps a part; what overlaps another one is dropped, as current stacks do (RFC 5722, RFC 8200 4.5).
    fn keep(&mut self, start: usize, bytes: &[u8]) {
        let place = self.parts.partition_point(|(other, _)| *other < start);
        let before = place.checked_sub(1).and_then(|place| self.parts.get(place));
        let overlaps_before = before.is_some_and(|(other, part)| other + part.len() > start);
        let overlaps_after = self.parts.get(place).is_some_and(|(other, _)| start + bytes.len() > *other);
        if !overlaps_before && !overlaps_after && self.parts.len() < MAX_PARTS {
            self.parts.insert(place, (start, bytes.to_vec()));
        }
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let have: usize = self.parts.iter().map(|(_, part)| part.len()).sum();
        let len = self.len.filter(|len| *len == have)?;
        let mut whole = Vec::with_capacity(len);
        for (start, part) in &self.parts {
            if *start != whole.len() {
                return None;
            }
            whole.extend_from_slice(part);
        }
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ip::Fragment;
    use super::*;

    fn part(id: u32, offset: u32, more: bool, payload: &[u8]) -> Ip<'_> {
        let end = IpAddr::from([10, 0, 0, 1]);
        Ip {
            source: end,
            destination: end,
            protocol: 6,
            id: 0,
            ttl: 64,
            ecn_marked: false,
            fragment: Some(Fragment { id, offset, more }),
            payload,
            payload_len: payload.len() as u32,
        }
    }

    #[test]
    fn fragments_in_any_order_give_the_datagram() {
        let parts = [part(7, 0, true, b"01234567"), part(7, 8, true, b"89abcdef"), part(7, 16, false, b"xyz")];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
            let mut fragments = Fragments::default();
            let at = Timestamp::at(0);
            assert_eq!(fragments.push(at, &parts[order[0]]), None);
            assert_eq!(fragments.push(at, &parts[order[0]]), None, "a part that comes twice");
            assert_eq!(fragments.push(at, &parts[order[1]]), None);
            assert_eq!(fragments.push(at, &parts[order[2]]).as_deref(), Some(b"0123456789abcdefxyz".as_slice()));
            assert!(fragments.datagrams.is_empty());
        }
    }

    #[test]
    fn what_is_never_complete_makes_room() {
        let mut fragments = Fragments::default();
        for id in 0..1000 {
            assert_eq!(fragments.push(Timestamp::at(0), &part(id, 0, true, b"01234567")), None);
        }
        assert_eq!((fragments.datagrams.len(), fragments.incomplete()), (MAX_DATAGRAMS, 1000));
        fragments.push(Timestamp::at(40_000_000_000), &part(5000, 0, true, b"01234567"));
        assert_eq!(fragments.datagrams.len(), 1);
    }
}
