//! Keys as CSV spells them: every byte of UTF-8 outside `A-Z a-z 0-9 - _ . * /` as `%XX`, spaces as the report asks.

use crate::page::{Full, Page};
use stocktake_core::KeyEncoding;
use wide::u8x16;

/// What each byte becomes: up to three characters, then their number.
pub(crate) type Escapes = [[u8; 4]; 256];

static PERCENT: Escapes = escapes(*b"%20\x03");
static FORM: Escapes = escapes(*b"+\0\0\x01");

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// What has to follow a key where it lies, so that blocks need not end with it; without meaning.
pub(crate) const BEHIND_BYTES: usize = BLOCK;

/// The table of an encoding.
pub(crate) fn escapes_of(encoding: KeyEncoding) -> &'static Escapes {
    match encoding {
        KeyEncoding::Percent => &PERCENT,
        KeyEncoding::Form => &FORM,
    }
}

/// Writes a key of so many bytes, which stands at the beginning of `text` and is followed by [`BEHIND_BYTES`] others.
#[inline(always)]
pub(crate) fn put_key(text: &[u8], bytes: usize, escapes: &Escapes, page: &mut Page<'_>) -> Result<(), Full> {
    // Three characters for each byte, and what blocks write ahead.
    let out = page.room(3 * bytes + BLOCK)?;
    let (mut at, mut from) = (0, 0);
    while from < bytes {
        let Some(block) = copied(&text[from..], &mut out[at..]) else { return Err(Full) };
        let counted = (bytes - from).min(BLOCK);
        let mut escaped = escaped_marks(block) & u32::MAX >> (BLOCK - counted);
        let mut done = 0;
        while escaped != 0 {
            let place = escaped.trailing_zeros() as usize % BLOCK;
            escaped &= escaped - 1;
            let escape = &escapes[usize::from(block[place])];
            at += place - done;
            out[at..at + 4].copy_from_slice(escape);
            at += usize::from(escape[3]);
            done = place + 1;
            if copied(&text[from + done..], &mut out[at..]).is_none() {
                return Err(Full);
            }
        }
        at += counted - done;
        from += counted;
    }
    page.advance(at);
    Ok(())
}

/// Copies a block, of which only the front may count; there is none where either side is too short.
#[inline(always)]
fn copied<'t>(text: &'t [u8], out: &mut [u8]) -> Option<&'t [u8; BLOCK]> {
    let block = text.first_chunk::<BLOCK>()?;
    *out.first_chunk_mut()? = *block;
    Some(block)
}

/// A bit for each byte of the block that is escaped, the first lowest: as [`is_plain`], of all bytes at once.
#[inline(always)]
fn escaped_marks(block: &[u8; BLOCK]) -> u32 {
    let (halves, _) = block.as_chunks();
    halves.iter().rev().fold(0, |marks, half| marks << 16 | escaped_marks_of(half))
}

/// As [`escaped_marks`], of half a block: the width of a vector register that every processor of an architecture has.
#[inline(always)]
fn escaped_marks_of(half: &[u8; 16]) -> u32 {
    let all = u8x16::new(*half);
    let each = u8x16::splat;
    let from = |bytes: u8x16, first: u8, count: u8| (bytes - each(first)).simd_le(each(count - 1));
    let plain =
        from(all | each(0x20), b'a', 26) | from(all, b'-', 13) | all.simd_eq(each(b'_')) | all.simd_eq(each(b'*'));
    plain.to_bitmask() ^ 0xffff
}

/// Whether a byte stands in a key as it is.
#[inline(always)]
const fn is_plain(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-`, `.`, `/` and the digits follow one another.
    let low = byte.wrapping_sub(b'-') < 13;
    letter | low | (byte == b'_') | (byte == b'*')
}

const fn escapes(space: [u8; 4]) -> Escapes {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = [[0; 4]; 256];
    let mut byte: u8 = 0;
    loop {
        table[byte as usize] = if is_plain(byte) {
            [byte, 0, 0, 1]
        } else if byte == b' ' {
            space
        } else {
            [b'%', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize], 3]
        };
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(key: &str, encoding: KeyEncoding) -> String {
        let mut out = vec![0; 3 * key.len() + BLOCK];
        let mut page = Page::new(&mut out, 0);
        // What follows is escaped, and does not count.
        let text = [key.as_bytes(), &[b'"'; BEHIND_BYTES]].concat();
        put_key(&text, key.len(), escapes_of(encoding), &mut page).unwrap();
        let at = page.at();
        String::from_utf8(out[..at].to_vec()).unwrap()
    }

    /// Written from RFC 3986 and the form rule, without a look at the encoder's tables.
    fn decoded(text: &str, plus_is_space: bool) -> String {
        let bytes = text.as_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'%' => {
                    out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
                    at += 3;
                }
                b'+' if plus_is_space => {
                    out.push(b' ');
                    at += 1;
                }
                byte => {
                    out.push(byte);
                    at += 1;
                }
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_the_plain_set_stands_as_it_is() {
        for byte in 0..128u8 {
            let character = char::from(byte);
            let plain = character.is_ascii_alphanumeric() || "-_.*/".contains(character);
            let expected = if plain { character.to_string() } else { format!("%{byte:02X}") };
            assert_eq!(encoded(&character.to_string(), KeyEncoding::Percent), expected);
            let form = if byte == b' ' { "+".to_owned() } else { expected };
            assert_eq!(encoded(&character.to_string(), KeyEncoding::Form), form);
        }
        assert_eq!(encoded("é~ +", KeyEncoding::Percent), "%C3%A9%7E%20%2B");
        assert_eq!(encoded("é~ +", KeyEncoding::Form), "%C3%A9%7E+%2B");
    }

    #[test]
    fn an_escape_at_every_place_of_every_length() {
        for length in 1..70 {
            for place in 0..length {
                let mut key = "abcdefghij".repeat(7)[..length].to_owned();
                key.replace_range(place..=place, "=");
                assert_eq!(encoded(&key, KeyEncoding::Percent), key.replace('=', "%3D"));
            }
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_from_decoders_of_either_kind(key in "\\PC{0,200}|[ -~]{0,200}|[a-z /+%]{0,200}|(\u{0}|a|ü|\n|\"){0,60}") {
            let percent = encoded(&key, KeyEncoding::Percent);
            prop_assert_eq!(&decoded(&percent, false), &key);
            prop_assert_eq!(&decoded(&percent, true), &key);
            prop_assert_eq!(&decoded(&encoded(&key, KeyEncoding::Form), true), &key);
        }
    }
}
