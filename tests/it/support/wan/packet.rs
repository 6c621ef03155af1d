//! Packets as the box sees and makes them: IPv4 with TCP or ICMP (RFC 791, 792, 9293), and their checksums.

use std::net::Ipv4Addr;

/// TCP flags.
pub const FIN: u8 = 0x01;
/// See [`FIN`].
pub const SYN: u8 = 0x02;
/// See [`FIN`].
pub const RST: u8 = 0x04;
/// See [`FIN`].
pub const ACK: u8 = 0x10;

const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;

/// The fields of a TCP segment that the box looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub source: (Ipv4Addr, u16),
    pub destination: (Ipv4Addr, u16),
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    /// Where the payload begins in the packet, and how long it is.
    pub payload: (usize, usize),
}

impl Segment {
    /// The segment in a packet; none where there is something else.
    pub fn read(packet: &[u8]) -> Option<Segment> {
        let ip = usize::from(packet.first()? & 15) * 4;
        if packet[0] >> 4 != 4 || packet.len() < ip + TCP_HEADER || packet[9] != PROTOCOL_TCP {
            return None;
        }
        let header = usize::from(packet[ip + 12] >> 4) * 4;
        let len = usize::from(number16(packet, 2)).min(packet.len());
        Some(Segment {
            source: (address(packet, 12), number16(packet, ip)),
            destination: (address(packet, 16), number16(packet, ip + 2)),
            seq: number32(packet, ip + 4),
            ack: number32(packet, ip + 8),
            flags: packet[ip + 13],
            payload: (ip + header, len.saturating_sub(ip + header)),
        })
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sequence number behind it.
    pub fn next(&self) -> u32 {
        let flags = u32::from(self.has(SYN)) + u32::from(self.has(FIN));
        self.seq.wrapping_add(self.payload.1 as u32 + flags)
    }
}

/// Numbers of a segment that the box makes in somebody's name.
#[derive(Debug, Clone, Copy)]
pub struct Forged {
    pub source: (Ipv4Addr, u16),
    pub destination: (Ipv4Addr, u16),
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub ttl: u8,
}

impl Forged {
    /// The packet: no options, IP identification 0.
    pub fn packet(&self) -> Vec<u8> {
        let mut packet = ip(PROTOCOL_TCP, self.ttl, self.source.0, self.destination.0, TCP_HEADER);
        packet.extend(self.source.1.to_be_bytes());
        packet.extend(self.destination.1.to_be_bytes());
        packet.extend(self.seq.to_be_bytes());
        packet.extend(self.ack.to_be_bytes());
        packet.extend([0x50, self.flags]);
        packet.extend(self.window.to_be_bytes());
        packet.extend([0; 4]); // checksum, urgent pointer
        sum_tcp(&mut packet);
        packet
    }
}

/// ICMP destination unreachable (type 3) to the sender of a packet: `code` 4 with the MTU that would fit.
pub fn unreachable(packet: &[u8], code: u8, mtu: u16, router: Ipv4Addr) -> Vec<u8> {
    let quoted = &packet[..packet.len().min(IP_HEADER + 8)];
    let mut answer = ip(PROTOCOL_ICMP, 64, router, address(packet, 12), 8 + quoted.len());
    answer.extend([3, code, 0, 0, 0, 0]);
    answer.extend(mtu.to_be_bytes());
    answer.extend(quoted);
    let sum = checksum(0, &answer[IP_HEADER..]);
    answer[IP_HEADER + 2..IP_HEADER + 4].copy_from_slice(&sum.to_be_bytes());
    answer
}

/// Lets the packet pass so many routers. False where its time to live is over.
pub fn hop(packet: &mut [u8], hops: u8) -> bool {
    let left = packet[8].saturating_sub(hops);
    packet[8] = left;
    sum_ip(packet);
    left > 0
}

/// Lowers the maximum segment size in a SYN or SYN-ACK (RFC 9293 3.7.1). True where it was larger.
pub fn clamp(packet: &mut [u8], mss: u16) -> bool {
    let Some(segment) = Segment::read(packet).filter(|segment| segment.has(SYN)) else { return false };
    let mut at = usize::from(packet[0] & 15) * 4 + TCP_HEADER;
    while at + 1 < segment.payload.0 {
        match packet[at] {
            0 => return false,
            1 => at += 1,
            2 if number16(packet, at + 2) > mss => {
                packet[at + 2..at + 4].copy_from_slice(&mss.to_be_bytes());
                sum_tcp(packet);
                return true;
            }
            _ => at += usize::from(packet[at + 1]).max(2),
        }
    }
    false
}

fn ip(protocol: u8, ttl: u8, source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((IP_HEADER + len) as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, ttl, protocol, 0, 0]); // identification 0, don't fragment
    packet.extend(source.octets());
    packet.extend(destination.octets());
    sum_ip(&mut packet);
    packet
}

fn sum_ip(packet: &mut [u8]) {
    let header = usize::from(packet[0] & 15) * 4;
    packet[10..12].fill(0);
    let sum = checksum(0, &packet[..header]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// With the pseudo header (RFC 9293 3.1).
fn sum_tcp(packet: &mut [u8]) {
    let header = usize::from(packet[0] & 15) * 4;
    let len = packet.len() - header;
    packet[header + 16..header + 18].fill(0);
    let addresses: u32 = (12..20).step_by(2).map(|at| u32::from(number16(packet, at))).sum();
    let sum = checksum(addresses + u32::from(PROTOCOL_TCP) + len as u32, &packet[header..]);
    packet[header + 16..header + 18].copy_from_slice(&sum.to_be_bytes());
}

/// The internet checksum (RFC 1071).
fn checksum(start: u32, bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum = start + words.sum::<u32>();
    while sum >> 16 > 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn number16(packet: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([packet[at], packet[at + 1]])
}

fn number32(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

fn address(packet: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3])
}
