//! Text of a listing as it streams in: a window that holds one value at a time, and the place where it stands.
//!
//! It knows where a JSON value ends, and nothing of what it says.

use super::ENTRY_BYTES_MAX;
use crate::sources::ndjson::input::Input;
use memchr::{memchr_iter, memrchr};
use stocktake_core::{ReadContext, SourceError};

/// Bytes read at once; a window of so many holds most values.
const STEP_BYTES: usize = 128 << 10;

/// A place in a text: lines and bytes of the line before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Place {
    /// An error at this place of the text `name`.
    pub(super) fn error(self, name: &str, problem: impl Into<String>) -> SourceError {
        SourceError::malformed(problem).at(format!("{name}, line {}, column {}", self.line + 1, self.column + 1))
    }
}

/// A window on a text.
pub(super) struct Text {
    name: String,
    input: Option<Box<Input>>,
    /// With it, decoding takes a compute slot.
    context: Option<ReadContext>,
    window: Vec<u8>,
    at: usize,
    filled: usize,
    place: Place,
}

impl Text {
    /// The text of an input.
    pub(super) fn new(name: &str, input: Box<Input>, context: Option<ReadContext>) -> Self {
        let (window, place) = (vec![0; STEP_BYTES], Place::default());
        Self { name: name.to_owned(), input: Some(input), context, window, at: 0, filled: 0, place }
    }

    /// A text that ends with these bytes.
    pub(super) fn of_front(name: &str, front: Vec<u8>) -> Self {
        let (filled, place) = (front.len(), Place::default());
        Self { name: name.to_owned(), input: None, context: None, window: front, at: 0, filled, place }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// An error at the place where the text stands.
    pub(super) fn error(&self, problem: impl Into<String>) -> SourceError {
        self.place.error(&self.name, problem)
    }

    /// Passes over space; the byte behind it, none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, SourceError> {
        loop {
            let rest = &self.window[self.at..self.filled];
            let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
            let found = rest.get(space).copied();
            self.advance(space);
            if found.is_some() || !self.fill()? {
                return Ok(found);
            }
        }
    }

    /// Passes over bytes of the window.
    pub(super) fn advance(&mut self, bytes: usize) {
        let passed = &self.window[self.at..self.at + bytes];
        match memrchr(b'\n', passed) {
            Some(last) => {
                self.place.line += memchr_iter(b'\n', passed).count() as u64;
                self.place.column = (bytes - last - 1) as u64;
            }
            None => self.place.column += bytes as u64,
        }
        self.at += bytes;
    }

    /// The length of the JSON value that begins here; the window holds it then.
    ///
    /// Brackets and quotes alone are looked at: what the value says is for a parser to check.
    ///
    /// # Errors
    /// A text that ends within the value, a value of more than [`ENTRY_BYTES_MAX`].
    pub(super) fn value_bytes(&mut self) -> Result<usize, SourceError> {
        let (mut depth, mut quoted, mut escaped, mut length) = (0_usize, false, false, 0);
        loop {
            while let Some(byte) = self.window[self.at..self.filled].get(length).copied() {
                let after = length + 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => {
                        quoted = !quoted;
                        if !quoted && depth == 0 {
                            return Ok(after);
                        }
                    }
                    _ if quoted => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth > 1 => depth -= 1,
                    b'}' | b']' if depth == 1 => return Ok(after),
                    b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Ok(length),
                    _ => {}
                }
                length = after;
            }
            if length > ENTRY_BYTES_MAX {
                return Err(self.error(format!("the value is longer than {ENTRY_BYTES_MAX} bytes")));
            }
            if !self.fill()? {
                return Err(self.error("the text ends within the value that begins here"));
            }
        }
    }

    /// So many bytes from here on, which the window holds.
    pub(super) fn slice(&self, bytes: usize) -> &[u8] {
        &self.window[self.at..self.at + bytes]
    }

    /// Takes in more; `false` at the end.
    fn fill(&mut self) -> Result<bool, SourceError> {
        let Some(input) = &mut self.input else { return Ok(false) };
        if self.at > 0 {
            self.window.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
        }
        if self.filled == self.window.len() {
            self.window.resize(2 * self.filled, 0);
        }
        let taken = input.read(&mut self.window[self.filled..], self.context.as_ref());
        let taken = taken.map_err(|(what, error)| {
            SourceError::unreadable(what, error).at(format!("{}, after line {}", self.name, self.place.line))
        })?;
        self.filled += taken;
        Ok(taken > 0)
    }
}
