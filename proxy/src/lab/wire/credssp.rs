//! CredSSP (\[MS-CSSP\]) with NTLM (\[MS-NLMP\]): messages of the right shape, whose proofs and seals are noise. Nobody here
//! checks them: the lab's peers know beforehand how it ends.

use super::{ber, utf16};

/// NEGOTIATE_UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SESSIONSECURITY | TARGET_INFO | 128 | KEY_EXCH | 56.
const FLAGS: u32 = 0xe088_8215;
/// The Version field is filled in, \[MS-NLMP\] 2.2.2.5.
const NEGOTIATE_VERSION: u32 = 0x0200_0000;
/// How long the parts are that Windows sends in a domain, SPNEGO included: what follows a token's end is noise.
const NEGOTIATE: usize = 57;
const CHALLENGE: usize = 218;
const AUTHENTICATE: usize = 600;
const PUBLIC_KEY: usize = 96;
const CREDENTIALS: usize = 180;

/// A part of a TSRequest, \[MS-CSSP\] 2.2.1.
enum Part {
    /// `negoTokens`, one of them.
    Token(Vec<u8>),
    /// `authInfo`
    AuthInfo,
    /// `pubKeyAuth`
    PubKeyAuth,
    /// `errorCode`
    ErrorCode(u32),
    /// `clientNonce`
    ClientNonce,
}

fn ts_request(version: u32, parts: &[Part]) -> Vec<u8> {
    let mut body = ber(&[0xa0], &ber(&[0x02], &[version as u8]));
    for part in parts {
        body.extend(match part {
            Part::Token(token) => ber(&[0xa1], &ber(&[0x30], &ber(&[0x30], &ber(&[0xa0], &ber(&[0x04], token))))),
            Part::AuthInfo => ber(&[0xa2], &ber(&[0x04], &[0x5a; CREDENTIALS])),
            Part::PubKeyAuth => ber(&[0xa3], &ber(&[0x04], &[0x5a; PUBLIC_KEY])),
            Part::ErrorCode(code) => ber(&[0xa4], &ber(&[0x02], &code.to_be_bytes())),
            Part::ClientNonce => ber(&[0xa5], &ber(&[0x04], &[0x5a; 32])),
        });
    }
    ber(&[0x30], &body)
}

/// The client's first: NEGOTIATE_MESSAGE.
pub fn negotiate(version: u32) -> Vec<u8> {
    negotiate_by(FLAGS, VERSION, version)
}

/// The same by a client of Windows 10.0 with this build, which says so.
pub fn negotiate_of_build(version: u32, build: u16) -> Vec<u8> {
    negotiate_by(FLAGS | NEGOTIATE_VERSION, &windows(build), version)
}

fn negotiate_by(flags: u32, system: &[u8], version: u32) -> Vec<u8> {
    let token = [&b"NTLMSSP\0\x01\0\0\0"[..], &flags.to_le_bytes(), &[0; 16], system].concat();
    ts_request(version, &[Part::Token(filled(token, NEGOTIATE))])
}

/// VERSION of Windows 10.0 with this build, 2.2.2.10.
fn windows(build: u16) -> [u8; 8] {
    let [low, high] = build.to_le_bytes();
    [10, 0, low, high, 0, 0, 0, 15]
}

/// Windows 10, NTLMSSP_REVISION_W2K3.
const VERSION: &[u8] = &[10, 0, 0x61, 0x4a, 0, 0, 0, 15];

/// The server's answer: CHALLENGE_MESSAGE. `clock` is its MsvAvTimestamp, 100 ns since 1601.
pub fn challenge(version: u32, clock: Option<u64>) -> Vec<u8> {
    challenge_by(FLAGS, VERSION, version, clock)
}

/// The same by a server of Windows 10.0 with this build, which says so.
pub fn challenge_of_build(version: u32, build: u16) -> Vec<u8> {
    challenge_by(FLAGS | NEGOTIATE_VERSION, &windows(build), version, None)
}

fn challenge_by(flags: u32, system: &[u8], version: u32, clock: Option<u64>) -> Vec<u8> {
    let name = utf16("LAB");
    let name = &name[..name.len() - 2];
    let info = target_info(name, clock);
    let (header, fields) = (56u32, name.len() as u16);
    let token = [
        &b"NTLMSSP\0\x02\0\0\0"[..],
        &field(fields, header),
        &flags.to_le_bytes(),
        &[0xc7; 8], // ServerChallenge
        &[0; 8],
        &field(info.len() as u16, header + u32::from(fields)),
        system,
        name,
        &info,
    ];
    ts_request(version, &[Part::Token(filled(token.concat(), CHALLENGE))])
}

/// The client's second: AUTHENTICATE_MESSAGE with an NTLMv2 response, and `pubKeyAuth`.
pub fn authenticate(version: u32) -> Vec<u8> {
    let user = utf16("lab");
    let user = &user[..user.len() - 2];
    // NTProofStr, then the client challenge with its own copy of the target information, 2.2.2.8.
    let response = [&[0x5a; 16][..], &[1, 1, 0, 0, 0, 0, 0, 0], &[0x5a; 20], &target_info(&[], None), &[0; 4]].concat();
    let (header, after) = (72u32, 72 + user.len() as u32);
    let nothing = field(0, header);
    let token = [
        &b"NTLMSSP\0\x03\0\0\0"[..],
        &nothing, // LmChallengeResponse
        &field(response.len() as u16, after),
        &nothing, // DomainName
        &field(user.len() as u16, header),
        &nothing, // Workstation
        &nothing, // EncryptedRandomSessionKey
        &FLAGS.to_le_bytes(),
        VERSION,
        user,
        &response,
    ];
    let mut parts = vec![Part::Token(filled(token.concat(), AUTHENTICATE)), Part::PubKeyAuth];
    // Version 5 brought the nonce, \[MS-CSSP\] 2.2.1.
    parts.extend((version >= 5).then_some(Part::ClientNonce));
    ts_request(version, &parts)
}

/// The server's `pubKeyAuth`.
pub fn public_key(version: u32) -> Vec<u8> {
    ts_request(version, &[Part::PubKeyAuth])
}

/// The client's credentials.
pub fn credentials(version: u32) -> Vec<u8> {
    ts_request(version, &[Part::AuthInfo])
}

/// `errorCode` of the server: an NTSTATUS or SSPI result.
pub fn error_code(version: u32, code: u32) -> Vec<u8> {
    ts_request(version, &[Part::ErrorCode(code)])
}

/// The client's first where NTLM is turned off: NegTokenInit (RFC 4178, 4.2.1) that offers IAKerb and Kerberos.
pub fn offers_iakerb(version: u32) -> Vec<u8> {
    const SPNEGO: &[u8] = &[0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
    const IAKERB: &[u8] = &[0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x02, 0x05];
    const KERBEROS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    let mechanisms = ber(&[0xa0], &ber(&[0x30], &[IAKERB, KERBEROS].concat()));
    let init = ber(&[0xa0], &ber(&[0x30], &mechanisms));
    ts_request(version, &[Part::Token(ber(&[0x60], &[SPNEGO, &init].concat()))])
}

/// NegTokenResp with negState reject, RFC 4178, 4.2.2.
pub fn reject(version: u32) -> Vec<u8> {
    let state = ber(&[0xa0], &[0x0a, 0x01, 0x02]);
    ts_request(version, &[Part::Token(ber(&[0xa1], &ber(&[0x30], &state)))])
}

/// A KRB-ERROR (RFC 4120, 5.9.1) as GSS-API wraps it: type, times and names of no meaning, and its code.
pub fn kerberos_error(version: u32, code: u8) -> Vec<u8> {
    const KERBEROS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    let integer = |tag: u8, number: u8| ber(&[tag], &[0x02, 0x01, number]);
    let error = ber(&[0x7e], &ber(&[0x30], &[integer(0xa0, 5), integer(0xa1, 30), integer(0xa6, code)].concat()));
    ts_request(version, &[Part::Token(ber(&[0x60], &[KERBEROS, &[3, 0], &error].concat()))])
}

/// Early User Authorization Result PDU, \[MS-RDPBCGR\] 2.2.10.2: 0 granted, 5 denied.
pub fn early_authorization(result: u32) -> Vec<u8> {
    result.to_le_bytes().to_vec()
}

/// AV_PAIRs, \[MS-NLMP\] 2.2.2.1: computer and domain, the clock, MsvAvEOL.
fn target_info(name: &[u8], clock: Option<u64>) -> Vec<u8> {
    let pair = |id: u16, value: &[u8]| [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat();
    let clock = clock.map(|clock| pair(7, &clock.to_le_bytes())).unwrap_or_default();
    [pair(2, name), pair(1, name), clock, pair(0, &[])].concat()
}

/// Length, maximal length, offset.
fn field(len: u16, offset: u32) -> Vec<u8> {
    [&len.to_le_bytes()[..], &len.to_le_bytes(), &offset.to_le_bytes()].concat()
}

fn filled(mut token: Vec<u8>, len: usize) -> Vec<u8> {
    token.resize(len.max(token.len()), 0);
    token
}
