//! RSASSA-PKCS1-v1_5 (RFC 8017 8.2) with a key of 1024 bits: what no library of today signs with, so that a server can show
//! such a key. Slow, and not constant in time: its one key stands in `specimens`.

use super::specimens::{WEAK_EXPONENT, WEAK_MODULUS};

/// Bytes of a number as large as the modulus.
const LEN: usize = 128;

/// A number, its lowest 64 bits first.
type Number = [u64; LEN / 8];

/// DigestInfo of SHA-256 up to the digest (RFC 8017 9.2, note 1).
const SHA256: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// The signature of a SHA-256 digest.
pub(super) fn sign(digest: &[u8]) -> Vec<u8> {
    let mut padded = vec![0xff; LEN];
    let info = [&[0], &SHA256[..], digest].concat();
    padded[..2].copy_from_slice(&[0x00, 0x01]);
    padded[LEN - info.len()..].copy_from_slice(&info);
    let modulus = number(&unhex(WEAK_MODULUS));
    let signature = power(number(&padded), &unhex(WEAK_EXPONENT), &modulus);
    signature.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

/// Bytes of a text of hexadecimal digits; what is none is left out.
pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

fn number(bytes: &[u8]) -> Number {
    let mut limbs = [0; LEN / 8];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
    limbs
}

fn power(base: Number, exponent: &[u8], modulus: &Number) -> Number {
    let mut result = number(&[1]);
    for bit in bits(exponent) {
        result = product(&result, &result, modulus);
        if bit {
            result = product(&result, &base, modulus);
        }
    }
    result
}

/// Doubles and adds, bit by bit.
fn product(one: &Number, other: &Number, modulus: &Number) -> Number {
    let mut result = number(&[]);
    for limb in one.iter().rev() {
        for bit in (0..64).rev() {
            result = sum(&result, &result, modulus);
            if limb >> bit & 1 == 1 {
                result = sum(&result, other, modulus);
            }
        }
    }
    result
}

/// Of two numbers below the modulus.
fn sum(one: &Number, other: &Number, modulus: &Number) -> Number {
    let (total, carry) = chain(one, other, u64::overflowing_add);
    let (reduced, borrow) = chain(&total, modulus, u64::overflowing_sub);
    if carry || !borrow { reduced } else { total }
}

/// Adds or subtracts limb by limb, and tells what is left over at the top.
fn chain(one: &Number, other: &Number, step: fn(u64, u64) -> (u64, bool)) -> (Number, bool) {
    let (mut result, mut over) = (*one, false);
    for (limb, other) in result.iter_mut().zip(other) {
        let (first, over_first) = step(*limb, *other);
        let (second, over_second) = step(first, u64::from(over));
        (*limb, over) = (second, over_first || over_second);
    }
    (result, over)
}

/// The highest first.
fn bits(bytes: &[u8]) -> impl Iterator<Item = bool> {
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_private_exponent_does_the_public_one_undoes() {
        let signature = sign(&[7; 32]);
        let undone = power(number(&signature), &[1, 0, 1], &number(&unhex(WEAK_MODULUS)));
        let bytes: Vec<u8> = undone.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        assert!(bytes.starts_with(&[0x00, 0x01, 0xff]) && bytes.ends_with(&[7; 32]), "{bytes:02x?}");
    }
}
