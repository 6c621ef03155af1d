//! A pcapng file, made block by block from what an input decides: what no mutation of bytes would find its way to, since
//! every length must be right twice.
//!
//! Of a file that is not damaged on purpose more is known than that it does not break anything: it is read to its end,
//! and, cut at any byte, up to there.

use analyzer::capture::annotation::{self, Section};
use analyzer::capture::file::{self, Item};
use analyzer::capture::recording;
use analyzer::observation::Leg;
use analyzer::reading;

use super::decisions::Decisions;

/// Blocks that are made of one input at most.
const MAX_BLOCKS: usize = 512;
const LINKS: [u16; 16] = [101, 1, 113, 276, 0, 108, 147, 9, 105, 107, 127, 192, 239, 258, 189, 65_000];
/// Options: opt_comment, if_name, if_tsresol, if_tsoffset.
const COMMENT: u16 = 1;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;
const OFFSET: u16 = 14;

/// Whatever was done to the file, it can be read; one that was made in order is read whole, and up to any cut.
pub fn holds(data: &[u8]) {
    let made = Made::of(data);
    super::file(&made.file);
    if !made.is_damaged {
        is_read_to_its_end(&made);
        is_read_up_to_a_cut(&made, data);
    }
}

fn is_read_to_its_end(made: &Made) {
    let (items, stopped) = items(&made.file).expect("nothing in it is wrong");
    assert_eq!(stopped, None);
    assert_eq!(packets(&items), made.packets);
    let told = reading::read(&*made.file, None, &mut |_| {}).expect("nothing in it is wrong");
    assert_eq!(told.packets, if made.is_recording { 0 } else { made.packets as u64 });
}

/// Behind the first section header nothing that stands before a cut is lost: the same items are read, and of a recording
/// the same observations are told. Only a cut inside a block is told of.
fn is_read_up_to_a_cut(made: &Made, data: &[u8]) {
    let (whole, _) = items(&made.file).expect("it was read before");
    let observed = made.is_recording.then(|| observations(&made.file));
    let first = made.ends.first().copied().unwrap_or_default();
    for part in 1..=4_usize {
        let place =
            data.iter().skip(part).fold(part, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let len = first + place % (made.file.len() - first + 1);
        let cut = &made.file[..len];
        let (before, stopped) = items(cut).expect("what stands before the cut can be read");
        assert!(whole.starts_with(&before));
        assert_eq!(stopped.is_none(), made.ends.contains(&len), "{stopped:?} at {len}");
        let blocks = made.ends.iter().filter(|end| **end <= len).count();
        assert_eq!(before.len(), made.told[..blocks].iter().sum::<usize>(), "blocks before {len}");
        let is_told = made.is_recording && stopped.is_some();
        let told = reading::read(cut, None, &mut |session| assert!(session.incomplete.is_some() || !is_told));
        let told = told.expect("what stands before the cut can be read");
        match &observed {
            Some(observed) => assert!(observed.starts_with(&observations(cut))),
            None => assert_eq!((told.packets, told.stopped), (packets(&before) as u64, stopped)),
        }
    }
}

/// What stands in a file, as text, and why reading it stopped.
fn items(file: &[u8]) -> Result<(Vec<String>, Option<String>), file::ReadError> {
    let mut items = Vec::new();
    let stopped = file::read(file, &mut |item: Item<'_>| {
        items.push(format!("{item:?}"));
        Ok(())
    })?;
    Ok((items, stopped))
}

fn packets(items: &[String]) -> usize {
    items.iter().filter(|item| item.starts_with("Packet")).count()
}

fn observations(file: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    recording::read(file, 1, &mut |observation| told.push(format!("{observation:?}"))).expect("a recording");
    told
}

/// A file, and what is known of it.
#[derive(Default)]
struct Made {
    file: Vec<u8>,
    /// Where each block ends.
    ends: Vec<usize>,
    /// How many items each block is.
    told: Vec<usize>,
    packets: usize,
    is_recording: bool,
    is_damaged: bool,
    is_big_endian: bool,
    /// The section's interfaces: their link types.
    links: Vec<u16>,
    parts: u32,
    legs: u8,
    time: u64,
    /// Where each side of each connection is, in sequence numbers.
    next: [[u32; 2]; 4],
}

impl Made {
    /// The first byte: whether it is a recording, whether it may be damaged. Then block after block.
    fn of(data: &[u8]) -> Made {
        let mut decisions = Decisions(data);
        let head = decisions.byte();
        let mut made = Made { is_recording: head & 1 != 0, next: [[1000, 5_000_000]; 4], ..Made::default() };
        let may_damage = head & 2 != 0;
        made.section(head >> 2, &mut decisions);
        while !decisions.0.is_empty() && made.ends.len() < MAX_BLOCKS {
            let kind = decisions.byte();
            let begins = made.file.len();
            made.next_block(kind & 0xf, &mut decisions);
            if may_damage && kind >> 6 == 3 {
                made.damage(begins, &mut decisions);
            }
        }
        made
    }

    fn next_block(&mut self, kind: u8, decisions: &mut Decisions<'_>) {
        match kind {
            0 => {
                let flags = decisions.byte();
                self.section(flags, decisions);
            }
            1 => self.interface(decisions),
            2..=7 => self.enhanced(decisions),
            8 => self.simple(decisions),
            9 | 10 => self.statistics(decisions),
            11 => self.secrets(decisions),
            12 => self.names(decisions),
            13 => self.custom(decisions),
            14 => {
                let kind = 0x100 + u32::from(decisions.byte());
                self.block(kind, decisions.some(), 0);
            }
            _ => self.block(0, decisions.some(), 0),
        }
    }

    fn half(&self, number: u16) -> [u8; 2] {
        if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn word(&self, number: u32) -> [u8; 4] {
        if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// Type, length, body, padding, length; `items` tells how many a reader makes of it.
    fn block(&mut self, kind: u32, body: &[u8], items: usize) {
        let padded = body.len().next_multiple_of(4);
        let len = self.word(padded as u32 + 12);
        let kind = self.word(kind);
        self.file.extend([kind, len].concat());
        self.file.extend(body);
        self.file.resize(self.file.len() + padded - body.len(), 0);
        self.file.extend(len);
        self.ends.push(self.file.len());
        self.told.push(items);
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [self.half(code), self.half(value.len() as u16)].concat();
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// Options with their end, or nothing where there are none.
    fn options(&self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut all: Vec<u8> = options.iter().flat_map(|(code, value)| self.option(*code, value)).collect();
        if !all.is_empty() {
            all.extend([0; 4]);
        }
        all
    }

    fn section(&mut self, flags: u8, decisions: &mut Decisions<'_>) {
        self.is_big_endian = flags & 1 != 0;
        self.links.clear();
        self.legs = 0;
        self.parts += 1;
        let mut options = Vec::new();
        if self.is_recording {
            let section = Section { part: self.parts, redacted: flags & 2 != 0, ..Section::default() };
            options.push((COMMENT, section.encode().into_bytes()));
        } else if flags & 4 != 0 {
            // What says of itself that it is a recording, by chance, would be one.
            let comment: Vec<u8> = decisions.some().iter().map(u8::to_ascii_uppercase).collect();
            options.push((COMMENT, comment));
        }
        let mut body = self.word(0x1a2b_3c4d).to_vec();
        body.extend([self.half(1), self.half(0)].concat());
        body.extend([0xff; 8]);
        body.extend(self.options(&options));
        self.block(0x0a0d_0d0a, &body, 1);
    }

    fn interface(&mut self, decisions: &mut Decisions<'_>) {
        let (link, flags) = (LINKS[usize::from(decisions.byte()) % LINKS.len()], decisions.byte());
        let mut options = Vec::new();
        if self.is_recording {
            let leg = if self.legs & 1 == 0 { Leg::Front } else { Leg::Back };
            options.push((NAME, annotation::interface(leg, u32::from(self.legs / 2)).into_bytes()));
            self.legs = self.legs.saturating_add(1);
        } else if flags & 1 != 0 {
            options.push((NAME, decisions.some().to_vec()));
        }
        if flags & 2 != 0 {
            // Powers of ten and of two.
            options.push((RESOLUTION, vec![decisions.byte()]));
        }
        if flags & 4 != 0 {
            let offset = i64::from(decisions.word() as i32);
            let offset = if self.is_big_endian { offset.to_be_bytes() } else { offset.to_le_bytes() };
            options.push((OFFSET, offset.to_vec()));
        }
        let snaplen = if flags & 8 != 0 { u32::from(decisions.byte()) * 4 } else { 0 };
        let mut body = [self.half(link), self.half(0)].concat();
        body.extend(self.word(snaplen));
        body.extend(self.options(&options));
        self.links.push(link);
        self.block(1, &body, 1);
    }

    /// An interface of the section, now and then one that there is not.
    fn one(&self, choice: u8) -> (u32, u16) {
        let interface = usize::from(choice) % (self.links.len() + usize::from(choice == 255)).max(1);
        (interface as u32, self.links.get(interface).copied().unwrap_or(101))
    }

    fn enhanced(&mut self, decisions: &mut Decisions<'_>) {
        let (interface, link) = self.one(decisions.byte());
        let frame = [header(link), self.packet(decisions)].concat();
        let flags = decisions.byte();
        self.time += 1 << (flags & 31);
        let kept = if flags & 32 != 0 { frame.len().min(usize::from(decisions.byte()) * 2) } else { frame.len() };
        let options = if flags & 64 != 0 { vec![(COMMENT, decisions.some().to_vec())] } else { Vec::new() };
        let (high, low) = ((self.time >> 32) as u32, self.time as u32);
        let mut body = [interface, high, low, kept as u32, frame.len() as u32].map(|word| self.word(word)).concat();
        body.extend(&frame[..kept]);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.options(&options));
        self.packets += 1;
        self.block(6, &body, 1);
    }

    fn simple(&mut self, decisions: &mut Decisions<'_>) {
        let link = self.links.first().copied().unwrap_or(101);
        let frame = [header(link), self.packet(decisions)].concat();
        let mut body = self.word(frame.len() as u32).to_vec();
        body.extend(frame);
        self.packets += 1;
        self.block(3, &body, 1);
    }

    fn statistics(&mut self, decisions: &mut Decisions<'_>) {
        let (interface, _) = self.one(decisions.byte());
        let kind = decisions.byte();
        let texts = [
            "target name=a port=3389",
            "resolving",
            "resolved address=192.0.2.2",
            "path rtt_us=180 state=1",
            "missing from=server len=9 why=lost",
            "closed how=timed-out",
            "gateway",
            "end",
        ];
        let comment = match kind >> 4 {
            0..=7 => format!("{} {}", annotation::PREFIX, texts[usize::from(kind >> 4)]).into_bytes(),
            // A right one with something behind it, and anything at all.
            8..=11 => {
                [format!("{} {} ", annotation::PREFIX, texts[usize::from(kind & 7)]).as_bytes(), decisions.some()]
                    .concat()
            }
            _ => decisions.some().to_vec(),
        };
        let (high, low) = ((self.time >> 32) as u32, self.time as u32);
        let mut body = [interface, high, low].map(|word| self.word(word)).concat();
        body.extend(self.options(&[(COMMENT, comment)]));
        self.block(5, &body, 1);
    }

    fn secrets(&mut self, decisions: &mut Decisions<'_>) {
        let is_log = decisions.byte() & 7 != 7;
        let log = decisions.many();
        let mut body = self.word(if is_log { 0x544c_534b } else { 0x5747_4b4c }).to_vec();
        body.extend(self.word(log.len() as u32));
        body.extend(log);
        self.block(10, &body, usize::from(is_log));
    }

    fn names(&mut self, decisions: &mut Decisions<'_>) {
        let name = decisions.some();
        let mut body = [self.half(1), self.half(name.len() as u16 + 5)].concat();
        body.extend([192, 0, 2, 1]);
        body.extend(name);
        body.push(0);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([0; 4]);
        self.block(4, &body, 0);
    }

    /// Custom blocks, to be copied and not to be copied: a number of an enterprise stands in front.
    fn custom(&mut self, decisions: &mut Decisions<'_>) {
        let kind = if decisions.byte() & 1 == 0 { 0x0bad } else { 0x4000_0bad };
        let mut body = self.word(32_473).to_vec();
        body.extend(decisions.some());
        self.block(kind, &body, 0);
    }

    /// An IP packet with a TCP segment of one of four connections.
    fn packet(&mut self, decisions: &mut Decisions<'_>) -> Vec<u8> {
        let (who, flags, behind) = (decisions.byte(), decisions.byte(), decisions.byte());
        let payload = said(decisions);
        let (from, connection) = (usize::from(who & 1), usize::from(who >> 1 & 3));
        let next = &mut self.next[connection];
        let seq = next[from].wrapping_add(i32::from(behind as i8) as u32);
        let end = seq.wrapping_add(payload.len() as u32 + u32::from(flags & 3 != 0));
        if end.wrapping_sub(next[from]) < 1 << 31 {
            next[from] = end;
        }
        let ports = [50_000 + connection as u16, if who & 8 == 0 { 3389 } else { 443 }];
        let mut segment = [ports[from].to_be_bytes(), ports[1 - from].to_be_bytes()].concat();
        segment.extend([seq, next[1 - from]].map(u32::to_be_bytes).concat());
        segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        if who & 16 == 0 { ipv4(from, &segment) } else { ipv6(from, &segment) }
    }

    /// What goes wrong with files: a length, the one behind, an option that runs over the end, a cut, a byte.
    fn damage(&mut self, begins: usize, decisions: &mut Decisions<'_>) {
        self.is_damaged = true;
        let (how, more) = (decisions.byte(), decisions.word());
        let end = self.file.len();
        let body = begins + 8..end - 4;
        let mut put = |place: usize, bytes: &[u8]| {
            if let Some(old) = self.file.get_mut(place..place + bytes.len()) {
                old.copy_from_slice(bytes);
            }
        };
        match how & 7 {
            0 => put(begins + 4, &more.to_le_bytes()),
            1 => put(end - 4, &more.to_le_bytes()),
            2 => put(begins + 4, &((end - begins) as u32 + (more & 12)).to_le_bytes()),
            // The options' end becomes an option that is longer than what is left.
            3 => put(end.saturating_sub(8), &[1, 0, 0xff, more as u8]),
            4 => self.file.truncate(end - more as usize % (end - begins)),
            5 => put(body.start + more as usize % body.len().max(1), &[how]),
            6 => put(begins, &more.to_le_bytes()),
            _ => self.file.extend(decisions.some()),
        }
    }
}

/// What a segment says: what RDP begins with, TLS records, or what the input says.
fn said(decisions: &mut Decisions<'_>) -> Vec<u8> {
    let request = [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0];
    let confirm = [3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, 2, 0, 0, 0];
    let record = |kind: u8, said: &[u8]| [&[kind, 3, 3], &(said.len() as u16).to_be_bytes()[..], said].concat();
    match decisions.byte() & 15 {
        0..=3 => Vec::new(),
        4 => request.to_vec(),
        5 => confirm.to_vec(),
        6 => [&request[..15], &[decisions.byte(), 0, 0, 0]].concat(),
        7 => [&confirm[..11], &[decisions.byte() & 3, 0, 8, 0, decisions.byte(), 0, 0, 0]].concat(),
        8 => record(22, decisions.some()),
        9 => record(21, &[2, decisions.byte()]),
        10 => record(23, decisions.some()),
        11 => record(20, &[1]),
        12 => decisions.some().to_vec(),
        _ => decisions.many().to_vec(),
    }
}

/// What stands before the IP packet.
fn header(link: u16) -> Vec<u8> {
    match link {
        1 => [&[2; 12], &[8, 0][..]].concat(),
        113 => [&[0; 14], &[8, 0][..]].concat(),
        276 => [&[8, 0], &[0; 18][..]].concat(),
        0 | 108 => vec![2, 0, 0, 0],
        9 => vec![0xff, 3, 0, 0x21],
        105 => wifi(),
        107 => vec![0x18, 0x41, 3, 0xcc],
        127 => [&[0, 0, 8, 0, 0, 0, 0, 0][..], &wifi()].concat(),
        192 => vec![0, 0, 8, 0, 101, 0, 0, 0],
        239 => vec![2, 0, 0, 0, 0, 0, 9, 0],
        258 => [&[108, 0, 0, 0, 1, 0, 0, 0, 101, 0, 0, 0][..], &[0; 96]].concat(),
        _ => Vec::new(),
    }
}

fn wifi() -> Vec<u8> {
    [&[0x08, 0x02][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()
}

fn ipv4(from: usize, segment: &[u8]) -> Vec<u8> {
    let addresses = [[192, 0, 2, 1], [192, 0, 2, 2]];
    let mut packet = vec![0x45, 0];
    packet.extend((20 + segment.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(addresses[from]);
    packet.extend(addresses[1 - from]);
    packet.extend(segment);
    packet
}

fn ipv6(from: usize, segment: &[u8]) -> Vec<u8> {
    let address = |last: usize| [&[0x20, 1, 0x0d, 0xb8], &[0; 11][..], &[last as u8]].concat();
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((segment.len() as u16).to_be_bytes());
    packet.extend([6, 64]);
    packet.extend(address(from));
    packet.extend(address(1 - from));
    packet.extend(segment);
    packet
}
