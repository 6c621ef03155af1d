//! CredSSP's messages (\[MS-CSSP\] 2.2.1): what a TSRequest says of itself. What is sealed in it is noticed, not read.

use super::der::{self, OCTETS, SEQUENCE};
use super::spnego;
use crate::event::{Account, TsRequest};

/// Tokens that are read of one request: there is one.
const MAX_TOKENS: usize = 4;

/// Whom a token of a TSRequest names.
pub(super) fn account(bytes: &[u8]) -> Option<Account> {
    let parts = der::all(der::inside(bytes, SEQUENCE)?);
    parts.filter(|part| part.tag == 0xa1).flat_map(|part| tokens(part.content)).find_map(spnego::account)
}

/// `negoTokens`: NegoData, a sequence of sequences with one token each.
fn tokens(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let all = der::all(der::inside(content, SEQUENCE).unwrap_or_default()).take(MAX_TOKENS);
    all.filter_map(|token| der::inside(der::inside(token.tagged(SEQUENCE)?, 0xa0)?, OCTETS))
}

/// Reads a whole TSRequest; `None` where it has no version.
pub(super) fn read(bytes: &[u8]) -> Option<TsRequest> {
    let mut request = TsRequest::default();
    let mut is_versioned = false;
    for part in der::all(der::inside(bytes, SEQUENCE)?) {
        match part.tag {
            0xa0 => {
                request.version = der::number(part.content)?;
                is_versioned = true;
            }
            0xa1 => {
                request.tokens = tokens(part.content).map(|token| spnego::read(token).unwrap_or_default()).collect();
            }
            0xa2 => request.has_auth_info = true,
            0xa3 => request.has_pub_key_auth = true,
            0xa4 => request.error_code = der::number(part.content),
            0xa5 => request.has_client_nonce = true,
            _ => {}
        }
    }
    is_versioned.then_some(request)
}
