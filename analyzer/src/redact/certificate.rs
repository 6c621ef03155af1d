//! A certificate (RFC 5280) with other names in it, of the same length, so that all of it stays where it was: DER in, DER out.
//!
//! What names somebody is replaced: names, addresses, and what points to the one certificate or key: serial number, public
//! key, key identifiers, signature. Dates, usages, algorithms and the size of the key stay. Two certificates that were
//! different stay so. What it then says is signed by nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::Names;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// UTF8String, NumericString, PrintableString, T61String, IA5String, VisibleString.
const STRINGS: [u8; 6] = [0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a];
/// BMPString: UTF-16.
const BMP_STRING: u8 = 0x1e;
/// countryName, the one attribute that is left.
const COUNTRY: [u8; 3] = [0x55, 0x04, 0x06];
/// Extensions that say what a certificate may be used for: basicConstraints, keyUsage, extKeyUsage.
const USES: [[u8; 3]; 3] = [[0x55, 0x1d, 0x13], [0x55, 0x1d, 0x0f], [0x55, 0x1d, 0x25]];
/// subjectAltName, issuerAltName, and those with addresses of the web in them: cRLDistributionPoints.
const NAMES: [[u8; 3]; 3] = [[0x55, 0x1d, 0x11], [0x55, 0x1d, 0x12], [0x55, 0x1d, 0x1f]];
/// Deeper than real ones nest.
const MAX_DEPTH: usize = 16;

/// One element: its tag, and where its content stands.
#[derive(Debug, Clone, Copy)]
struct Element {
    tag: u8,
    from: usize,
    to: usize,
}

/// Replaces the names in the certificate that these bytes are, the `number`th that was seen. Bytes that are none are blanked.
pub(super) fn redact(der: &mut [u8], number: u32, names: &mut Names) {
    let mut editor = Editor { der: &mut *der, number, names };
    if editor.certificate().is_none() {
        der.fill(0);
    }
}

struct Editor<'a> {
    der: &'a mut [u8],
    number: u32,
    names: &'a mut Names,
}

impl Editor<'_> {
    /// 4.1: Certificate, and TBSCertificate in it.
    fn certificate(&mut self) -> Option<()> {
        let whole = self.one(0, self.der.len())?;
        let [tbs, _, signature] = *self.all(whole)? else { return None };
        let mut fields = self.all(tbs)?.into_iter().peekable();
        fields.next_if(|field| field.tag == 0xa0); // version
        let (serial, _algorithm, issuer) = (fields.next()?, fields.next()?, fields.next()?);
        let (_validity, subject, key) = (fields.next()?, fields.next()?, fields.next()?);
        self.number(serial);
        self.tree(issuer, 0)?;
        self.tree(subject, 0)?;
        self.key(key)?;
        for field in fields {
            match field.tag {
                0xa3 => self.extensions(field)?,
                _ => self.fill(field.from, field.to),
            }
        }
        self.fill(signature.from + 1, signature.to);
        Some(())
    }

    /// 4.1.2.2: positive, and no zero in front.
    fn number(&mut self, at: Element) {
        self.fill(at.from, at.to);
        let number = self.number;
        if let Some([first, rest @ ..]) = self.der.get_mut(at.from..at.to) {
            *first = if rest.is_empty() { (number % 127) as u8 + 1 } else { 0x52 };
        }
    }

    /// 4.1.2.7. The sizes of the numbers in it stay.
    fn key(&mut self, info: Element) -> Option<()> {
        let [_, key] = *self.all(info)? else { return None };
        let inside = (key.tag == BIT_STRING).then(|| self.one(key.from + 1, key.to)).flatten();
        match inside {
            Some(numbers) if numbers.tag == SEQUENCE => {
                for number in self.all(numbers)? {
                    self.size(number);
                }
            }
            Some(number) if number.tag == INTEGER => self.size(number),
            // A point: what kind of one stays.
            Some(_) | None => self.fill(key.from + 2, key.to),
        }
        Some(())
    }

    /// An INTEGER of the same size. An exponent stays.
    fn size(&mut self, number: Element) {
        if number.to - number.from > 8 {
            self.fill(number.from + 2, number.to);
        }
    }

    /// 4.2.
    fn extensions(&mut self, at: Element) -> Option<()> {
        let list = self.one(at.from, at.to)?;
        for extension in self.all(list)? {
            let parts = self.all(extension)?;
            let (id, value) = (*parts.first()?, *parts.last()?);
            let id = self.der.get(id.from..id.to)?.to_vec();
            if USES.iter().any(|uses| *uses == *id) {
                continue;
            }
            let known = NAMES.iter().any(|names| *names == *id);
            let inside = known.then(|| self.one(value.from, value.to)).flatten();
            match inside {
                Some(inside) => self.tree(inside, 0)?,
                None => self.leaves(value.from, value.to, 0),
            }
        }
        Some(())
    }

    /// Distinguished names (4.1.2.4) and general names (4.2.1.6), wherever they stand in this element.
    fn tree(&mut self, at: Element, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut is_country = false;
        match at.tag {
            tag if STRINGS.contains(&tag) => self.rename(at),
            BMP_STRING => self.rename_wide(at),
            // rfc822Name, dNSName, uniformResourceIdentifier; iPAddress.
            0x81 | 0x82 | 0x86 => self.rename(at),
            0x87 => self.address(at),
            tag if tag & 0x20 != 0 => {
                for inside in self.all(at)? {
                    if !is_country {
                        self.tree(inside, depth + 1)?;
                    }
                    is_country = inside.tag == OID && self.der.get(inside.from..inside.to) == Some(&COUNTRY);
                }
            }
            OID | INTEGER | 0x01 | 0x88 => {}
            _ => self.fill(at.from, at.to),
        }
        Some(())
    }

    /// An extension that nobody reads here: its frame stays, what it says does not.
    fn leaves(&mut self, from: usize, to: usize, depth: usize) {
        let Some(list) = self.list(from, to).filter(|list| !list.is_empty() && depth < MAX_DEPTH) else {
            return self.fill(from, to);
        };
        for at in list {
            match at.tag {
                OID | 0x01 => {}
                OCTET_STRING => self.leaves(at.from, at.to, depth + 1),
                tag if tag & 0x20 != 0 => self.leaves(at.from, at.to, depth + 1),
                0x86 => self.rename(at),
                tag if STRINGS.contains(&tag) => self.rename(at),
                INTEGER if at.to - at.from < 3 => {}
                _ => self.fill(at.from, at.to),
            }
        }
    }

    fn rename(&mut self, at: Element) {
        if let Some(text) = self.der.get_mut(at.from..at.to) {
            let other = self.names.rename(text);
            text.copy_from_slice(&other);
        }
    }

    fn rename_wide(&mut self, at: Element) {
        let Some(text) = self.der.get_mut(at.from..at.to) else { return };
        let narrow: Vec<u8> =
            text.chunks(2).map(|unit| if unit[0] == 0 { unit[unit.len() - 1] } else { b'x' }).collect();
        let other = self.names.rename(&narrow);
        for (unit, byte) in text.chunks_exact_mut(2).zip(other) {
            unit.copy_from_slice(&[0, byte]);
        }
    }

    fn address(&mut self, at: Element) {
        let Some(bytes) = self.der.get_mut(at.from..at.to) else { return };
        let v4 = <[u8; 4]>::try_from(&*bytes).map(|four| IpAddr::from(Ipv4Addr::from(four)));
        let address = v4.or_else(|_| <[u8; 16]>::try_from(&*bytes).map(|all| IpAddr::from(Ipv6Addr::from(all))));
        match address.map(|address| self.names.addresses.of(address)) {
            Ok(IpAddr::V4(other)) => bytes.copy_from_slice(&other.octets()),
            Ok(IpAddr::V6(other)) => bytes.copy_from_slice(&other.octets()),
            Err(_) => bytes.fill(0),
        }
    }

    fn fill(&mut self, from: usize, to: usize) {
        let number = self.number.to_be_bytes();
        for (at, byte) in self.der.get_mut(from..to).unwrap_or_default().iter_mut().enumerate() {
            *byte = 0x52 ^ number[at % 4];
        }
    }

    fn all(&self, at: Element) -> Option<Vec<Element>> {
        self.list(at.from, at.to)
    }

    /// The one element that stands there.
    fn one(&self, from: usize, to: usize) -> Option<Element> {
        match *self.list(from, to)? {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The elements that fill these bytes (X.690, 8.1).
    fn list(&self, from: usize, to: usize) -> Option<Vec<Element>> {
        let (mut at, mut list) = (from, Vec::new());
        while at < to {
            let [tag, first, rest @ ..] = self.der.get(at..to)? else { return None };
            let more = if first & 0x80 == 0 { 0 } else { usize::from(first & 0x7f) };
            let digits = rest.get(..more).filter(|digits| digits.len() <= 4)?;
            let len = digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit));
            let from = at + 2 + more;
            let end = from.checked_add(if more == 0 { usize::from(*first) } else { len }).filter(|end| *end <= to)?;
            list.push(Element { tag: *tag, from, to: end });
            at = end;
        }
        Some(list)
    }
}
