//! Opens single records: the keys of one side and one epoch, a sequence number and a ciphertext in, the plaintext out.
//! The only module that names aes, aes-gcm, cbc, ccm and chacha20poly1305.

use aes::{Aes128, Aes256};
use aes_gcm::aead::generic_array::typenum::Unsigned;
use aes_gcm::aead::{AeadCore, AeadInPlace, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use cbc::cipher::consts::{U8, U12, U16};
use cbc::cipher::{BlockCipher, BlockDecryptMut, BlockSizeUser, InnerIvInit, KeyInit};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;

use super::digest::Hash;
use super::keys::Secret;
use super::suite::Bulk;

/// The nonce of every AEAD of TLS, bytes.
const NONCE: usize = 12;
/// The part of it that TLS 1.2 sends with each record (RFC 5288, 3; RFC 6655, 3).
const EXPLICIT: usize = 8;
const BLOCK: usize = 16;

type Block = [u8; BLOCK];

/// What one side's keys open.
pub(super) enum Cipher {
    Aead { key: Box<dyn Aead>, iv: [u8; NONCE], nonce: NonceKind, tag_len: usize },
    Cbc(Cbc),
}

/// How the nonce is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonceKind {
    /// A part of it stands in the record.
    Explicit,
    /// The sequence number, mixed into the initialisation vector.
    Sequence,
}

/// What is authenticated besides the content.
#[derive(Debug, Clone, Copy)]
pub(super) enum Associated {
    /// RFC 8446, 5.2: the header of the record.
    Header,
    /// Drafts of it, up to the 24th: nothing.
    Nothing,
    /// RFC 5246, 6.2.3.3: sequence number, type, this version, length of the content.
    Sequence(u16),
}

/// AES-CBC with an HMAC.
pub(super) struct Cbc {
    pub(super) key: Box<dyn Blocks>,
    pub(super) mac: Hash,
    pub(super) mac_key: Secret,
    /// RFC 7366: the MAC is of the ciphertext.
    pub(super) encrypt_then_mac: bool,
    pub(super) chain: Chain,
}

/// Where the initialisation vector is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chain {
    /// In front of each record (RFC 4346, 6.2.3.2).
    Explicit,
    /// The last block of the record before (RFC 2246, 6.2.3.2); `None` where that is not here.
    Implicit(Option<Block>),
}

/// A sealed record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed<'a> {
    pub(super) kind: u8,
    pub(super) body: &'a [u8],
    pub(super) associated: Associated,
}

impl Cipher {
    /// An AEAD. `None` where key or vector have not the length that it takes.
    pub(super) fn aead(bulk: Bulk, key: &[u8], iv: &[u8]) -> Option<Cipher> {
        let aead: Box<dyn Aead> = match bulk {
            Bulk::Aes128Gcm => Box::new(Aes128Gcm::new_from_slice(key).ok()?),
            Bulk::Aes256Gcm => Box::new(Aes256Gcm::new_from_slice(key).ok()?),
            Bulk::Aes128Ccm => Box::new(Ccm::<Aes128, U16, U12>::new_from_slice(key).ok()?),
            Bulk::Aes256Ccm => Box::new(Ccm::<Aes256, U16, U12>::new_from_slice(key).ok()?),
            Bulk::Aes128Ccm8 => Box::new(Ccm::<Aes128, U8, U12>::new_from_slice(key).ok()?),
            Bulk::Aes256Ccm8 => Box::new(Ccm::<Aes256, U8, U12>::new_from_slice(key).ok()?),
            Bulk::ChaCha20Poly1305 => Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?),
            Bulk::Aes128Cbc(_) | Bulk::Aes256Cbc(_) => return None,
        };
        let nonce = if iv.len() == NONCE { NonceKind::Sequence } else { NonceKind::Explicit };
        let mut whole = [0; NONCE];
        whole.get_mut(..iv.len())?.copy_from_slice(iv);
        Some(Cipher::Aead { key: aead, iv: whole, nonce, tag_len: bulk.tag_len() })
    }

    /// Opens a record that has this sequence number into `plain`. False where it does not authenticate.
    pub(super) fn open(&self, sequence: u64, sealed: Sealed<'_>, plain: &mut Secret) -> bool {
        self.try_open(sequence, sealed, plain).is_some()
    }

    fn try_open(&self, sequence: u64, sealed: Sealed<'_>, plain: &mut Secret) -> Option<()> {
        match self {
            Cipher::Aead { key, iv, nonce, tag_len } => {
                let (nonce, body) = split_nonce(*iv, *nonce, sequence, sealed.body)?;
                let (content, tag) = body.split_at_checked(body.len().checked_sub(*tag_len)?)?;
                let associated = sealed.associated(sequence, content.len());
                plain.fill(content.len(), content.iter().copied());
                key.open(&nonce, associated.bytes(), plain.bytes_mut(), tag).then_some(())
            }
            Cipher::Cbc(cbc) => cbc.open(sequence, sealed, plain),
        }
    }

    /// Tells it which record comes next: `body` was the one before, `None` where the end of that is not here.
    pub(super) fn passed(&mut self, body: Option<&[u8]>) {
        let tail = self.tail_len();
        if let Cipher::Cbc(Cbc { chain: Chain::Implicit(last), .. }) = self {
            *last = body.and_then(|body| body.get(body.len().checked_sub(tail)?..)?.first_chunk()).copied();
        }
    }

    /// How much of a record's end the next one may need: its last block, and what stands behind that.
    pub(super) fn tail_len(&self) -> usize {
        match self {
            Cipher::Cbc(cbc) if cbc.encrypt_then_mac => BLOCK + cbc.mac.len(),
            Cipher::Cbc(_) | Cipher::Aead { .. } => BLOCK,
        }
    }

    /// Whether it can open the next record at all.
    pub(super) fn is_ready(&self) -> bool {
        !matches!(self, Cipher::Cbc(Cbc { chain: Chain::Implicit(None), .. }))
    }
}

impl Cbc {
    pub(super) fn new(bulk: Bulk, key: &[u8], mac_key: &[u8], iv: &[u8], encrypt_then_mac: bool) -> Option<Cbc> {
        let key: Box<dyn Blocks> = match bulk.key_len() {
            16 => Box::new(Aes128::new_from_slice(key).ok()?),
            _ => Box::new(Aes256::new_from_slice(key).ok()?),
        };
        let chain = if iv.is_empty() { Chain::Explicit } else { Chain::Implicit(iv.try_into().ok()) };
        Some(Cbc { key, mac: bulk.mac()?, mac_key: Secret::new(mac_key.to_vec()), encrypt_then_mac, chain })
    }

    fn open(&self, sequence: u64, sealed: Sealed<'_>, plain: &mut Secret) -> Option<()> {
        let mut body = sealed.body;
        if self.encrypt_then_mac {
            let (content, tag) = body.split_at_checked(body.len().checked_sub(self.mac.len())?)?;
            self.authenticate(sequence, sealed, content, tag)?;
            body = content;
        }
        let iv = match self.chain {
            Chain::Explicit => {
                let (iv, rest) = body.split_first_chunk::<BLOCK>()?;
                body = rest;
                iv
            }
            Chain::Implicit(ref iv) => iv.as_ref()?,
        };
        if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
            return None;
        }
        plain.fill(body.len(), body.iter().copied());
        self.key.decrypt(iv, plain.bytes_mut());
        let content = unpadded(plain)?;
        let content = if self.encrypt_then_mac { content } else { content.checked_sub(self.mac.len())? };
        if !self.encrypt_then_mac {
            let (content, rest) = plain.split_at_checked(content)?;
            self.authenticate(sequence, sealed, content, rest.get(..self.mac.len())?)?;
        }
        plain.truncate(content);
        Some(())
    }

    /// RFC 5246, 6.2.3.1; RFC 7366, 3.
    fn authenticate(&self, sequence: u64, sealed: Sealed<'_>, content: &[u8], tag: &[u8]) -> Option<()> {
        let mac = self.mac.hmac(&self.mac_key, &[sealed.associated(sequence, content.len()).bytes(), content]);
        (mac[..] == *tag).then_some(())
    }
}

/// The length without the padding (RFC 5246, 6.2.3.2). `None` where it is none.
fn unpadded(plain: &[u8]) -> Option<usize> {
    let pad = usize::from(*plain.last()?);
    let content = plain.len().checked_sub(pad + 1)?;
    plain[content..].iter().all(|byte| usize::from(*byte) == pad).then_some(content)
}

fn split_nonce(iv: [u8; NONCE], kind: NonceKind, sequence: u64, body: &[u8]) -> Option<([u8; NONCE], &[u8])> {
    let mut nonce = iv;
    let (last, body) = match kind {
        NonceKind::Explicit => {
            let (explicit, rest) = body.split_first_chunk::<EXPLICIT>()?;
            (*explicit, rest)
        }
        NonceKind::Sequence => (sequence.to_be_bytes(), body),
    };
    nonce[NONCE - EXPLICIT..].iter_mut().zip(last).for_each(|(byte, mixed)| *byte ^= mixed);
    Some((nonce, body))
}

/// Some few bytes.
struct Short([u8; 13], usize);

impl Short {
    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

impl Sealed<'_> {
    fn associated(&self, sequence: u64, content: usize) -> Short {
        let mut bytes = [0; 13];
        match self.associated {
            Associated::Nothing => Short(bytes, 0),
            Associated::Header => {
                bytes[..3].copy_from_slice(&[self.kind, 3, 3]);
                bytes[3..5].copy_from_slice(&(self.body.len() as u16).to_be_bytes());
                Short(bytes, 5)
            }
            Associated::Sequence(version) => {
                bytes[..8].copy_from_slice(&sequence.to_be_bytes());
                bytes[8] = self.kind;
                bytes[9..11].copy_from_slice(&version.to_be_bytes());
                bytes[11..].copy_from_slice(&(content as u16).to_be_bytes());
                Short(bytes, 13)
            }
        }
    }
}

/// An AEAD with its key, whatever its type.
pub(super) trait Aead: Send {
    /// Opens in place. False where it does not authenticate; then nothing is known of `body`.
    fn open(&self, nonce: &[u8; NONCE], associated: &[u8], body: &mut [u8], tag: &[u8]) -> bool;
}

impl<A: AeadInPlace + AeadCore<NonceSize = U12> + Send> Aead for A {
    fn open(&self, nonce: &[u8; NONCE], associated: &[u8], body: &mut [u8], tag: &[u8]) -> bool {
        tag.len() == A::TagSize::USIZE
            && self
                .decrypt_in_place_detached(Nonce::<A>::from_slice(nonce), associated, body, Tag::<A>::from_slice(tag))
                .is_ok()
    }
}

/// A block cipher with its key, whatever its type.
pub(super) trait Blocks: Send {
    /// CBC, in place; whole blocks only.
    fn decrypt(&self, iv: &Block, body: &mut [u8]);
}

impl<C: BlockCipher + BlockDecryptMut + BlockSizeUser<BlockSize = U16> + Clone + Send> Blocks for C {
    fn decrypt(&self, iv: &Block, body: &mut [u8]) {
        let mut cbc = cbc::Decryptor::<C>::inner_iv_init(self.clone(), iv.into());
        let (blocks, _) = cbc::cipher::inout::InOutBuf::from(body).into_chunks::<U16>();
        cbc.decrypt_blocks_inout_mut(blocks);
    }
}
