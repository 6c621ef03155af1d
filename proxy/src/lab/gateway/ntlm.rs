//! NTLM version 2, \[MS-NLMP\], as far as HTTP needs it to let somebody in: no signing, no sealing, no MIC.
//!
//! The crate `sspi` does all of it, and would bring a hundred further crates, release candidates of RSA among them, for this one
//! comparison. It is the lab's, and nobody's secret depends on it.

use super::sums::{hmac_md5, md4};

/// How every message begins.
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// NEGOTIATE_56, KEY_EXCH, 128, VERSION, TARGET_INFO, EXTENDED_SESSIONSECURITY, TARGET_TYPE_SERVER, ALWAYS_SIGN, NTLM,
/// REQUEST_TARGET, UNICODE (2.2.2.5).
const FLAGS: u32 = 0xe28a_8205;

/// NTLMSSP_REVISION_W2K3 of Windows 10 and its server (2.2.2.10).
const VERSION: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

/// Somebody, and what they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub user: &'static str,
    /// Password.
    pub password: &'static str,
}

/// A message of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// NEGOTIATE_MESSAGE.
    Negotiate,
    /// AUTHENTICATE_MESSAGE.
    Authenticate,
}

/// Which message this is. `None` where it is none of the client's.
pub(super) fn kind(message: &[u8]) -> Option<Kind> {
    match message.strip_prefix(SIGNATURE)? {
        [1, 0, 0, 0, ..] => Some(Kind::Negotiate),
        [3, 0, 0, 0, ..] => Some(Kind::Authenticate),
        _ => None,
    }
}

/// 2.2.1.1 NEGOTIATE_MESSAGE.
pub(super) fn negotiate() -> Vec<u8> {
    [SIGNATURE, &1u32.to_le_bytes()[..], &FLAGS.to_le_bytes(), &[0; 16], &VERSION].concat()
}

/// 2.2.1.2 CHALLENGE_MESSAGE.
pub(super) fn challenge(nonce: [u8; 8]) -> Vec<u8> {
    let name = utf16("GATEWAY");
    let info = target_info();
    [
        &SIGNATURE[..],
        &2u32.to_le_bytes(),
        &field(name.len(), 56),
        &FLAGS.to_le_bytes(),
        &nonce,
        &[0; 8], // Reserved
        &field(info.len(), 56 + name.len()),
        &VERSION,
        &name,
        &info,
    ]
    .concat()
}

/// 2.2.2.1 AV_PAIRs. Without a time: a client that sees one owes a MIC.
fn target_info() -> Vec<u8> {
    let names = [(2, "GATEWAY"), (1, "GATEWAY"), (4, "lab.test"), (3, "rdp.lab.test")];
    let pair = |(id, text): (u16, &str)| {
        let value = utf16(text);
        [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), &value].concat()
    };
    let pairs = names.into_iter().flat_map(pair);
    pairs.chain([0; 4]).collect() // MsvAvEOL
}

/// 2.2.1.3 AUTHENTICATE_MESSAGE that answers this challenge.
pub(super) fn authenticate(account: Account, challenge: &[u8], nonce: [u8; 8]) -> Vec<u8> {
    let server = challenge.get(24..32).unwrap_or_default();
    let info = piece(challenge, 40).unwrap_or_default();
    let temp = [&[1, 1, 0, 0, 0, 0, 0, 0][..], &[0; 8], &nonce, &[0; 4], info, &[0; 4]].concat();
    let user = utf16(account.user);
    let key = owf(account, &user, &[]);
    let response = [&hmac_md5(&key, &[server, &temp])[..], &temp].concat();
    let lm = [0; 24];
    let at = |before: &[&[u8]]| 64 + 8 + before.iter().map(|part| part.len()).sum::<usize>();
    [
        &SIGNATURE[..],
        &3u32.to_le_bytes(),
        &field(lm.len(), at(&[&user])),
        &field(response.len(), at(&[&user, &lm])),
        &field(0, at(&[])), // DomainName
        &field(user.len(), at(&[])),
        &field(0, at(&[&user])),                 // Workstation
        &field(0, at(&[&user, &lm, &response])), // EncryptedRandomSessionKey
        &FLAGS.to_le_bytes(),
        &VERSION,
        &user,
        &lm,
        &response,
    ]
    .concat()
}

/// Whether an AUTHENTICATE_MESSAGE proves that its sender knows the password, for this challenge (3.3.2).
pub(super) fn proves(message: &[u8], nonce: [u8; 8], account: Account) -> bool {
    let (Some(response), Some(domain), Some(user)) = (piece(message, 20), piece(message, 28), piece(message, 36))
    else {
        return false;
    };
    let Some((proof, temp)) = response.split_at_checked(16) else { return false };
    let key = owf(account, user, domain);
    same(user, &utf16(account.user)) && hmac_md5(&key, &[&nonce, temp]) == proof
}

/// NTOWFv2 (3.3.2), with user and domain as the client has written them.
fn owf(account: Account, user: &[u8], domain: &[u8]) -> [u8; 16] {
    hmac_md5(&md4(&utf16(account.password)), &[&upper(user), domain])
}

fn same(one: &[u8], other: &[u8]) -> bool {
    upper(one) == upper(other)
}

/// UTF-16 without an end.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16 in capitals, as far as ASCII goes: the lab's account needs no more.
fn upper(text: &[u8]) -> Vec<u8> {
    text.iter().map(u8::to_ascii_uppercase).collect()
}

/// Length, length again, offset.
fn field(len: usize, at: usize) -> [u8; 8] {
    let len = (len as u16).to_le_bytes();
    let at = (at as u32).to_le_bytes();
    [len[0], len[1], len[0], len[1], at[0], at[1], at[2], at[3]]
}

/// What the field at `place` points to. `None` where it points outside.
fn piece(message: &[u8], place: usize) -> Option<&[u8]> {
    let field = message.get(place..place + 8)?;
    let len = usize::from(u16::from_le_bytes([field[0], field[1]]));
    let at = u32::from_le_bytes([field[4], field[5], field[6], field[7]]) as usize;
    message.get(at..at.checked_add(len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Account = Account { user: "Alice", password: "right" };

    #[test]
    fn who_knows_the_password_is_let_in_and_nobody_else() {
        let nonce = *b"12345678";
        let answer = authenticate(ALICE, &challenge(nonce), *b"abcdefgh");
        assert!(proves(&answer, nonce, ALICE));
        assert!(proves(&answer, nonce, Account { user: "ALICE", ..ALICE }));
        assert!(!proves(&answer, *b"12345679", ALICE));
        assert!(!proves(&answer, nonce, Account { password: "wrong", ..ALICE }));
        assert!(!proves(&answer, nonce, Account { user: "bob", ..ALICE }));
    }

    /// \[MS-NLMP\] 4.2.4.1.1: NTOWFv2 of User, Domain, Password.
    #[test]
    fn the_key_is_that_of_the_specification() {
        let account = Account { user: "User", password: "Password" };
        let key = owf(account, &utf16("User"), &utf16("Domain"));
        let expected = [0x0c, 0x86, 0x8a, 0x40, 0x3b, 0xfd, 0x7a, 0x93, 0xa3, 0x00, 0x1e, 0xf2, 0x2e, 0xf0, 0x2e, 0x3f];
        assert_eq!(key, expected);
    }

    #[test]
    fn what_is_cut_short_proves_nothing() {
        let nonce = *b"12345678";
        let answer = authenticate(ALICE, &challenge(nonce), *b"abcdefgh");
        assert!((0..answer.len()).all(|len| !proves(&answer[..len], nonce, ALICE)));
        assert_eq!(kind(&answer), Some(Kind::Authenticate));
        assert_eq!(kind(&answer[..9]), None);
    }
}
