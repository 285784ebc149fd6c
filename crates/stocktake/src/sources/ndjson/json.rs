//! Tokens of JSON (RFC 8259) in one line: white space, strings, whole numbers, words.
//!
//! Strict, and narrow: numbers with a fraction or an exponent are refused. It knows nothing of rows.

use super::fault::Fault;
use std::ops::Range;

/// A place in a line, which moves over tokens.
///
/// Offsets are in bytes. Tokens begin and end at ASCII bytes, so that cutting the line there never splits a character.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    line: &'t str,
    at: usize,
}

/// Where a string's text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// In the line, as it is.
    Plain(Range<usize>),
    /// In the buffer of texts that had escapes.
    Unescaped(Range<usize>),
}

impl Text {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(range) | Self::Unescaped(range) => range.is_empty(),
        }
    }
}

type Result<T> = std::result::Result<T, Box<Fault>>;

impl<'t> Cursor<'t> {
    pub(super) fn new(line: &'t str) -> Self {
        Self { line, at: 0 }
    }

    /// The whole line.
    pub(super) fn line(&self) -> &'t str {
        self.line
    }

    /// Bytes passed over.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Passes over bytes that the caller has looked at.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The bytes ahead.
    pub(super) fn rest(&self) -> &'t [u8] {
        self.line.as_bytes().get(self.at..).unwrap_or(&[])
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    /// A mistake at the next byte.
    pub(super) fn fault(&self, problem: &str) -> Box<Fault> {
        match self.line.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => Fault::new(self.at, format!("{problem}, found {found:?}")),
            None => Fault::new(self.at, format!("{problem}, found the end of the line")),
        }
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over one byte, which must be `byte`.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, problem: &str) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.fault(problem));
        }
        self.at += 1;
        Ok(())
    }

    /// Passes over `null`, `true` or `false`.
    #[inline]
    pub(super) fn word(&mut self, word: &str) -> Result<()> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.fault("this is no JSON value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a number, which must be a whole one of 64 bits.
    pub(super) fn integer(&mut self) -> Result<i64> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.at;
        let mut value = 0i64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            // Numbers that wrap have more digits than are taken from here.
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        if digits == 0 {
            return Err(self.fault("a digit is expected"));
        }
        if digits > 1 && self.line.as_bytes()[first] == b'0' {
            return Err(Fault::new(start, "a JSON number has no leading zeros"));
        }
        if let Some(b'.' | b'e' | b'E') = self.peek() {
            return Err(Fault::new(start, "a whole number is expected, without fraction and exponent"));
        }
        let negative = first > start;
        match digits {
            1 if negative && value == 0 => Err(Fault::new(start, "a whole number is expected, not -0")),
            1..=18 => Ok(if negative { -value } else { value }),
            _ => self.line[start..self.at].parse().map_err(|_| Fault::new(start, "the number needs more than 64 bits")),
        }
    }

    /// Reads a string; the cursor stands at its opening quote. Text that had escapes is appended to `unescaped`.
    #[inline]
    pub(super) fn string(&mut self, unescaped: &mut String) -> Result<Text> {
        let open = self.at;
        self.at += 1;
        let start = self.at;
        self.at += plain_bytes(self.rest());
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Text::Plain(start..self.at - 1));
        }
        self.string_with_escapes(open, unescaped)
    }

    #[cold]
    fn string_with_escapes(&mut self, open: usize, unescaped: &mut String) -> Result<Text> {
        let begin = unescaped.len();
        let mut copied = open + 1;
        loop {
            unescaped.push_str(&self.line[copied..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::Unescaped(begin..unescaped.len()));
                }
                Some(b'\\') => unescaped.push(self.escape()?),
                Some(_) => return Err(self.fault("a control character in a string must be escaped")),
                None => return Err(Fault::new(open, "the line ends within the string that begins here")),
            }
            copied = self.at;
            self.at += plain_bytes(self.rest());
        }
    }

    /// Reads an escape; the cursor stands at its backslash.
    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        let bad = || Fault::new(start, "this is no escape of JSON");
        let plain = match *self.rest().get(1).ok_or_else(bad)? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(bad()),
        };
        self.at += 2;
        Ok(plain)
    }

    /// Reads `\uXXXX`, or two of them that are one character outside the basic plane.
    fn unicode_escape(&mut self) -> Result<char> {
        let start = self.at;
        let first = self.hex_escape().ok_or_else(|| Fault::new(start, "this is no escape of JSON"))?;
        let code = match first {
            0xD800..0xDC00 => match self.hex_escape() {
                Some(second @ 0xDC00..0xE000) => Some(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)),
                _ => None,
            },
            _ => Some(first),
        };
        code.and_then(char::from_u32).ok_or_else(|| Fault::new(start, "half of a surrogate pair is no character"))
    }

    fn hex_escape(&mut self) -> Option<u32> {
        let digits = self.rest().strip_prefix(br"\u")?.get(..4)?;
        let code = digits.iter().try_fold(0, |code, byte| Some(code << 4 | char::from(*byte).to_digit(16)?))?;
        self.at += 6;
        Some(code)
    }
}

/// Number of bytes at the front that a string holds as they are: neither quote nor backslash nor control character.
///
/// Eight at a time. The tests mark the top bit of each byte that is zero, or below 0x20. A borrow can mark a byte wrongly
/// only above one that is marked rightly, so that the lowest mark is always right.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quotes, backslashes) = (word ^ QUOTES, word ^ BACKSLASHES);
        let marks = (quotes.wrapping_sub(ONES) & !quotes)
            | (backslashes.wrapping_sub(ONES) & !backslashes)
            | (word.wrapping_sub(SPACES) & !word);
        if marks & TOPS != 0 {
            return index * 8 + (marks & TOPS).trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + tail.iter().position(|byte| !is_plain(byte)).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_bytes_end_at_the_first_special_byte(bytes in proptest::collection::vec(
            prop_oneof![4 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\'), 1 => 0x1eu8..0x24], 0..40)) {
            let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(plain_bytes(&bytes), expected.unwrap_or(bytes.len()));
        }
    }
}
