//! A key as bytes that are written in place and read as text.

use super::random::decimal;

/// Room for the longest key.
const BYTES: usize = 144;

/// Bytes are checked for UTF-8 in pieces of this size, whole ones at less cost than parts.
const PIECE: usize = 16;

/// A text of at most [`BYTES`] bytes; zeros fill its last piece.
#[derive(Debug)]
#[repr(align(16))]
pub(super) struct KeyText {
    bytes: [u8; BYTES],
    length: usize,
}

impl KeyText {
    pub(super) fn new() -> Self {
        Self { bytes: [0; BYTES], length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        match str::from_utf8(&self.bytes[..self.length.next_multiple_of(PIECE)]) {
            Ok(text) => &text[..self.length],
            Err(error) => unreachable!("a key is put together from whole texts: {error}"),
        }
    }

    /// Bytes of the text, to write ASCII characters over.
    #[inline]
    pub(super) fn at<const N: usize>(&mut self, at: usize) -> &mut [u8; N] {
        match self.bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
            Some(bytes) => bytes,
            None => unreachable!("the longest key leaves room"),
        }
    }

    /// Cuts the text; [`KeyText::close`] must follow.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = length;
    }

    pub(super) fn push(&mut self, text: &str) {
        self.bytes[self.length..][..text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
    }

    /// Appends the last `N` decimal digits of a number below 100,000,000.
    pub(super) fn push_decimal<const N: usize>(&mut self, number: u64) {
        *self.at(self.length) = decimal::<N>(number);
        self.length += N;
    }

    /// Appends a day of the year 2025, counted from 0.
    pub(super) fn push_date(&mut self, separator: &str, day: u64) {
        let (mut month, mut day) = (1, day);
        for days in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if day < days {
                break;
            }
            day -= days;
            month += 1;
        }
        self.push("2025");
        self.push(separator);
        self.push_decimal::<2>(month);
        self.push(separator);
        self.push_decimal::<2>(day + 1);
    }

    /// Fills the last piece with zeros after the text was made longer or shorter.
    pub(super) fn close(&mut self) {
        self.bytes[self.length..self.length.next_multiple_of(PIECE)].fill(0);
    }
}

/// Writes 32 digits in the form of a UUID.
#[inline]
pub(super) fn uuid(text: &mut [u8; 36], high: [u8; 16], low: [u8; 16]) {
    text[..8].copy_from_slice(&high[..8]);
    text[8] = b'-';
    text[9..13].copy_from_slice(&high[8..12]);
    text[13] = b'-';
    text[14..18].copy_from_slice(&high[12..]);
    text[18] = b'-';
    text[19..23].copy_from_slice(&low[..4]);
    text[23] = b'-';
    text[24..].copy_from_slice(&low[4..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_shrink_and_grow() {
        let mut text = KeyText::new();
        text.push("契約書契約書契約書");
        text.close();
        assert_eq!(text.as_str(), "契約書契約書契約書");
        text.truncate(3);
        text.push_date("-", 364);
        text.close();
        assert_eq!(text.as_str(), "契2025-12-31");
        uuid(text.at(0), *b"0123456789abcdef", *b"0000000000000001");
        text.truncate(36);
        text.close();
        assert_eq!(text.as_str(), "01234567-89ab-cdef-0000-000000000001");
    }
}
