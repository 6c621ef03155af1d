//! RDSAAD (\[MS-RDPBCGR\] 2.2.18): three texts in JSON, each up to a zero: the server's nonce, the client's assertion, the
//! server's result. The assertion lets whoever has it log on: it is passed over, and so is the nonce.

use super::rdstls::Length;

/// A text is no longer, bytes: an assertion has some kilobytes.
const MAX: usize = 32 << 10;
/// The key of an Authentication Result, 2.2.18.3.
const RESULT: &[u8] = b"\"authentication_result\"";

/// How long a text is, with the zero that ends it.
pub(super) fn length(bytes: &[u8]) -> Length {
    match bytes.iter().take(MAX).position(|byte| *byte == 0) {
        Some(end) if bytes.first() == Some(&b'{') => Length::Known(end + 1),
        None if bytes.first() == Some(&b'{') && bytes.len() < MAX => Length::Short,
        Some(_) | None => Length::Bad,
    }
}

/// The number of a result, an HRESULT or NTSTATUS: some write it with its sign, some without.
pub(super) fn result(text: &[u8]) -> Option<u32> {
    let place = text.windows(RESULT.len()).position(|bytes| bytes == RESULT)?;
    let value = text[place + RESULT.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let len = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    let number: i64 = std::str::from_utf8(&value[..len]).ok()?.parse().ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_however_it_is_written() {
        let check = |text: &str, code| assert_eq!(result(text.as_bytes()), code, "{text}");
        check(r#"{"authentication_result":0}"#, Some(0));
        check(r#"{ "authentication_result" : -2146893048 }"#, Some(0x8009_0308));
        check(r#"{"authentication_result":2148074248}"#, Some(0x8009_0308));
        check(r#"{"authentication_result":99999999999999}"#, None);
        check(r#"{"authentication_result":"0"}"#, None);
        check(r#"{"ts_nonce":"authentication_result"}"#, None);
    }

    #[test]
    fn a_text_ends_with_a_zero() {
        assert_eq!(length(b"{}\0more"), Length::Known(3));
        assert_eq!(length(b"{\"ts_nonce\":"), Length::Short);
        assert_eq!(length(b"HTTP\0"), Length::Bad);
        assert_eq!(length(&[b'{'; MAX]), Length::Bad);
    }
}
