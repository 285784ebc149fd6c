//! The text of some rows under construction, in a slice of fixed length.
//!
//! Writing past the end is no error of the text: [`Full`] says that the row is to be begun again with more room.

/// The page has no room for what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A slice that fills from the front.
///
/// Short texts are copied as blocks of a fixed length, of which only the front counts: a block costs two or three
/// instructions, a copy of unknown length a call.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Page<'a> {
    /// A page whose first `at` bytes are filled.
    pub(crate) fn new(out: &'a mut [u8], at: usize) -> Self {
        Self { out, at }
    }

    /// Number of bytes filled.
    #[inline(always)]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Takes back what was filled after the first `at` bytes.
    pub(crate) fn truncate(&mut self, at: usize) {
        self.at = self.at.min(at);
    }

    /// What was filled from a place on.
    pub(crate) fn filled_from(&self, from: usize) -> &[u8] {
        self.out.get(from..self.at).unwrap_or_default()
    }

    /// The next `N` bytes; they count once [`Page::advance`] says so.
    #[inline(always)]
    pub(crate) fn block<const N: usize>(&mut self) -> Result<&mut [u8; N], Full> {
        self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut()).ok_or(Full)
    }

    /// At least the next `bytes` bytes; they count once [`Page::advance`] says so.
    #[inline(always)]
    pub(crate) fn room(&mut self, bytes: usize) -> Result<&mut [u8], Full> {
        self.out.get_mut(self.at..).filter(|rest| rest.len() >= bytes).ok_or(Full)
    }

    /// Counts bytes that were written to a block.
    #[inline(always)]
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Writes the first bytes of a block.
    #[inline(always)]
    pub(crate) fn put_front<const N: usize>(&mut self, front: &[u8; N], bytes: usize) -> Result<(), Full> {
        *self.block()? = *front;
        self.at += bytes;
        Ok(())
    }

    /// Writes some bytes.
    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.room(bytes.len())?[..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// Puts another byte in the place of the last one.
    #[inline(always)]
    pub(crate) fn replace_last(&mut self, byte: u8) {
        if let Some(last) = self.at.checked_sub(1).and_then(|at| self.out.get_mut(at)) {
            *last = byte;
        }
    }

    /// Writes a text as a field with its comma, quotes doubled.
    #[inline(always)]
    pub(crate) fn put_field(&mut self, text: &str) -> Result<(), Full> {
        let bytes = text.as_bytes();
        // ETags have 32 characters, version ids too.
        if let Ok(text) = <&[u8; 32]>::try_from(bytes) {
            let block = self.block::<35>()?;
            block[0] = b'"';
            block[1..33].copy_from_slice(text);
            block[33..].copy_from_slice(b"\",");
            if !text.iter().fold(false, |found, byte| found | (*byte == b'"')) {
                self.advance(35);
                return Ok(());
            }
        } else if !bytes.contains(&b'"') {
            return self.put_plain_field(bytes);
        }
        self.apart(|page| page.put_field_with_quotes(bytes))
    }

    /// Fills the page by a function that is called: the page itself stays in variables of the function that fills it.
    #[inline(always)]
    pub(crate) fn apart<T>(&mut self, fill: impl FnOnce(&mut Page<'_>) -> T) -> T {
        let mut page = Page { out: &mut *self.out, at: self.at };
        let filled = fill(&mut page);
        self.at = page.at;
        filled
    }

    /// Writes a text without quotes in it as a field with its comma.
    #[inline(always)]
    pub(crate) fn put_plain_field(&mut self, text: &[u8]) -> Result<(), Full> {
        let room = self.room(text.len() + 3)?;
        room[0] = b'"';
        room[1..=text.len()].copy_from_slice(text);
        room[text.len() + 1] = b'"';
        room[text.len() + 2] = b',';
        self.advance(text.len() + 3);
        Ok(())
    }

    #[cold]
    fn put_field_with_quotes(&mut self, text: &[u8]) -> Result<(), Full> {
        self.put(b"\"")?;
        for part in text.split_inclusive(|byte| *byte == b'"') {
            self.put(part)?;
            if part.last() == Some(&b'"') {
                self.put(b"\"")?;
            }
        }
        self.put(b"\",")
    }
}

/// Appends a text as a field without its comma, quotes doubled.
pub(crate) fn put_quoted(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            into.push(b'"');
        }
        into.push(byte);
    }
    into.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_double_their_quotes_at_every_length() {
        for length in 0..70 {
            for quote in 0..=length {
                let mut text = "x".repeat(length);
                if quote < length {
                    text.replace_range(quote..=quote, "\"");
                }
                let mut expected = Vec::new();
                put_quoted(&text, &mut expected);
                expected.push(b',');
                let mut out = [0; 80];
                let mut page = Page::new(&mut out, 0);
                page.put_field(&text).unwrap();
                let at = page.at();
                assert_eq!(out[..at], expected);
            }
        }
    }

    #[test]
    fn a_full_page_says_so_and_never_panics() {
        let text = "\"".repeat(40);
        for length in 0..83 {
            let mut out = vec![0; length];
            assert_eq!(Page::new(&mut out, 0).put_field(&text), Err(Full), "{length}");
        }
        let mut out = vec![0; 83];
        assert_eq!(Page::new(&mut out, 0).put_field(&text), Ok(()));
        assert_eq!(Page::new(&mut [0; 2], 2).put(b"x"), Err(Full));
    }
}
