//! As much of DER and BER (X.690) as CredSSP, SPNEGO, Kerberos and MCS need: tags of one byte, definite lengths.

/// OBJECT IDENTIFIER.
pub(crate) const OID: u8 = 0x06;
/// OCTET STRING.
pub(crate) const OCTETS: u8 = 0x04;
/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// How long the element is that begins here, with its tag and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Too few bytes to tell.
    Short,
    /// Bytes of header, and of all.
    Known(usize, usize),
    /// An indefinite length, or one of more than four bytes.
    Bad,
}

/// Reads tag and length.
pub(crate) fn extent(bytes: &[u8]) -> Extent {
    match *bytes {
        [] | [_] => Extent::Short,
        [_, len, ..] if len < 0x80 => Extent::Known(2, 2 + usize::from(len)),
        [_, len, ref rest @ ..] => {
            let more = usize::from(len & 0x7f);
            match rest.get(..more) {
                _ if more == 0 || more > 4 => Extent::Bad,
                None => Extent::Short,
                Some(digits) => {
                    let content = digits.iter().fold(0u64, |n, digit| n << 8 | u64::from(*digit));
                    // At most 32 bits: no overflow.
                    usize::try_from(content + 2 + more as u64).map_or(Extent::Bad, |all| Extent::Known(2 + more, all))
                }
            }
        }
    }
}

/// An element: its tag and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
}

/// The element that `bytes` begin with, and what stands behind it. One that is cut short is told as far as it goes.
pub(crate) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let Extent::Known(head, all) = extent(bytes) else { return None };
    let (element, rest) = bytes.split_at(all.min(bytes.len()));
    Some((Element { tag: *bytes.first()?, content: element.get(head..)? }, rest))
}

/// The elements that stand here one behind the other.
pub(crate) fn all(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (element, behind) = first(rest)?;
        rest = behind;
        Some(element)
    })
}

impl<'a> Element<'a> {
    /// What stands inside, if the tag is this one.
    pub(crate) fn tagged(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// What stands in the first element, if its tag is this one.
pub(crate) fn inside(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    first(bytes)?.0.tagged(tag)
}

/// An INTEGER or ENUMERATED, with its tag and length, modulo 2³²: an NTSTATUS is written as a negative number by some.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    let (Element { tag: 0x02 | 0x0a, content: content @ [first, ..] }, _) = first(bytes)? else { return None };
    let sign = if first & 0x80 == 0 { 0 } else { u32::MAX };
    Some(content.iter().fold(sign, |n, byte| n << 8 | u32::from(*byte)))
}

/// An object identifier's content in dots.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut arcs: Vec<String> = Vec::new();
    let mut arc = 0u64;
    for byte in content.iter().take(64) {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 != 0 {
            continue;
        }
        if arcs.is_empty() {
            let top = (arc / 40).min(2);
            arcs.push(top.to_string());
            arc -= top * 40;
        }
        arcs.push(arc.to_string());
        arc = 0;
    }
    arcs.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_form() {
        assert_eq!(extent(&[0x30]), Extent::Short);
        assert_eq!(extent(&[0x30, 0x82, 1]), Extent::Short);
        assert_eq!(extent(&[0x30, 0x05]), Extent::Known(2, 7));
        assert_eq!(extent(&[0x30, 0x82, 1, 0]), Extent::Known(4, 260));
        assert_eq!(extent(&[0x30, 0x80]), Extent::Bad);
        assert_eq!(extent(&[0x30, 0x85, 0, 0, 0, 0, 0]), Extent::Bad);
    }

    #[test]
    fn numbers_and_names() {
        assert_eq!(number(&[0x02, 0x01, 0x06]), Some(6));
        assert_eq!(number(&[0x02, 0x05, 0x00, 0xc0, 0x00, 0x00, 0x6d]), Some(0xc000_006d));
        assert_eq!(number(&[0x02, 0x04, 0xc0, 0x00, 0x00, 0x6d]), Some(0xc000_006d));
        assert_eq!(number(&[0x02, 0x00]), None);
        assert_eq!(dotted(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10]), "1.3.6.1.4.1.311.2.2.10");
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2]), "1.2.840.113554.1.2.2");
    }

    #[test]
    fn what_is_cut_short_is_told_as_far_as_it_goes() {
        assert_eq!(first(&[0x04, 0x05, 1, 2]), Some((Element { tag: 4, content: &[1, 2] }, &[][..])));
    }
}
