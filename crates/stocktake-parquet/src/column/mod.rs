//! Columns of a chunk, by kind of field: each becomes pages of one column chunk.

mod boolean;
mod code;
mod number;
mod text;

pub(crate) use boolean::put_booleans;
pub(crate) use code::{put_codes, put_constant};
pub(crate) use number::put_numbers;
pub(crate) use text::{TextField, TextKind, TextScratch, put_texts};

/// Where pages end: with the value that brings a page to so many bytes, or at so many rows. Small enough that a reader
/// that uses the page index reads little for one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLimits {
    /// Bytes of a page of texts that repeat those before them: keys.
    pub(crate) alike_bytes: usize,
    /// Bytes of a page of texts that repeat nothing.
    pub(crate) random_bytes: usize,
    /// Rows of a page of numbers.
    pub(crate) number_rows: usize,
    /// Rows of a page of booleans or few-valued fields; at most [`PAGE_ROWS_MAX`].
    pub(crate) few_rows: usize,
}

/// Most rows of any page. Bounds the levels of a page, which [`crate::page`] keeps room for.
pub(crate) const PAGE_ROWS_MAX: usize = 32_768;

/// Most rows of a page of texts.
pub(crate) const TEXT_ROWS: usize = 8192;
