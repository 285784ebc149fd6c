//! Keys as CSV reports encode them: `%` and two digits for a byte, `+` or `%20` for a space.

use std::str;

/// Decodes keys; keeps its buffer.
#[derive(Debug, Default)]
pub(super) struct KeyDecoder(Vec<u8>);

impl KeyDecoder {
    /// The key that an encoded text stands for.
    ///
    /// # Errors
    /// If a `%` is not followed by two hexadecimal digits, or the key is not UTF-8.
    pub(super) fn decode<'a>(&'a mut self, text: &'a [u8]) -> Result<&'a str, String> {
        let key = match memchr::memchr2(b'%', b'+', text) {
            None => text,
            Some(first) => {
                self.0.clear();
                self.0.extend_from_slice(&text[..first]);
                decode_into(&text[first..], &mut self.0)?;
                &self.0
            }
        };
        super::row::utf8(key)
    }
}

fn decode_into(text: &[u8], key: &mut Vec<u8>) -> Result<(), String> {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        key.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let byte = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                byte.ok_or_else(|| "has a % without two hexadecimal digits".to_owned())?
            }
            byte => *byte,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8]) -> Result<String, String> {
        KeyDecoder::default().decode(text).map(str::to_owned)
    }

    #[test]
    fn both_spellings_of_a_space_are_one() {
        assert_eq!(decoded(b"a+b%20c%2Bd").unwrap(), "a b c+d");
        assert_eq!(decoded(b"dt%3d1/%C3%A9~\xc3\xa9").unwrap(), "dt=1/\u{e9}~\u{e9}");
        assert_eq!(decoded(b"").unwrap(), "");
    }

    #[test]
    fn what_is_no_encoding_of_a_key_is_refused() {
        for text in [&b"%"[..], b"a%2", b"%zz", b"%2+0", b"%FF", b"\xff", b"%C3+"] {
            assert!(decoded(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
