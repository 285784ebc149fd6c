//! Percent-encoding as requests need it and as listings answer it.

/// Appends `text` as SigV4 wants it in paths and queries: all but `A-Z a-z 0-9 - . _ ~` is encoded, in a path `/` is kept.
pub(crate) fn push_encoded(out: &mut String, text: &str, keep_slash: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

/// Appends the text that `encoded` stands for in a listing with `encoding-type=url`, where a plus is a space.
///
/// # Errors
/// A percent sign without two hex digits behind it, and bytes that are no UTF-8.
pub(crate) fn push_decoded(out: &mut String, encoded: &[u8]) -> Result<(), &'static str> {
    const NOT_UTF8: &str = "a key is not UTF-8";
    if !encoded.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        out.push_str(std::str::from_utf8(encoded).map_err(|_| NOT_UTF8)?);
        return Ok(());
    }
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                // Two hex digits are at most 255.
                (Some(high), Some(low)) => u8::try_from(high << 4 | low).unwrap_or(u8::MAX),
                _ => return Err("a percent sign has no two hexadecimal digits behind it"),
            },
            b'+' => b' ',
            byte => *byte,
        });
    }
    out.push_str(std::str::from_utf8(&bytes).map_err(|_| NOT_UTF8)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let text: String = (0..=0x7f_u8).map(char::from).chain("é\u{10ffff}//..+%2F".chars()).collect();
        let mut encoded = String::new();
        push_encoded(&mut encoded, &text, false);
        let mut decoded = String::new();
        push_decoded(&mut decoded, encoded.as_bytes()).unwrap();
        assert_eq!(decoded, text);
        assert!(encoded.starts_with("%00%01") && encoded.contains("%2F%2F..%2B%252F"), "{encoded}");
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        for text in ["%", "%4", "%zz", "a%ff"] {
            assert!(push_decoded(&mut String::new(), text.as_bytes()).is_err(), "{text}");
        }
        let mut plus = String::new();
        push_decoded(&mut plus, b"a+b%2B").unwrap();
        assert_eq!(plus, "a b+");
    }
}
