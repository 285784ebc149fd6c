//! The arrays behind columns of a batch, for formats that encode arrays.

use crate::batch::{BoolColumn, IntColumn, TextColumn, Texts};
use arrow_array::{BooleanArray, Int64Array, StringArray, StringViewArray};

/// The array of a column of text.
#[derive(Clone, Copy, Debug)]
pub enum TextArray<'a> {
    /// Offsets over one buffer.
    Utf8(&'a StringArray),
    /// Views over several.
    View(&'a StringViewArray),
}

/// The array of a column of text. A text is null exactly where it is empty.
pub fn text_array(column: &TextColumn) -> TextArray<'_> {
    match &column.0 {
        Texts::Utf8(array) => TextArray::Utf8(array),
        Texts::View(array) => TextArray::View(array),
    }
}

/// The array of a column of booleans.
pub fn bool_array(column: &BoolColumn) -> &BooleanArray {
    &column.0
}

/// The array of a column of counts or times in milliseconds. What stands in null rows has no meaning.
pub fn int_array(column: &IntColumn) -> &Int64Array {
    &column.0
}
