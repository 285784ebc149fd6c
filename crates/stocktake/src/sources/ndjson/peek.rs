//! A dump has no schema: its first lines tell which fields it has.

use super::{LINE_BYTES_MAX, fault::Place, input::Input, piece::each_line, row::RowReader};
use memchr::memchr_iter;
use stocktake_core::{FieldSet, SourceError};

/// Lines that are looked at.
const PEEK_LINES: usize = 1000;

/// Lines that end within so many bytes are looked at; the first is, wherever it ends.
const PEEK_BYTES: usize = 1 << 20;

/// Bytes read at once, to begin with.
const STEP_BYTES: usize = 64 << 10;

/// Reads the front of an input; returns it, and bucket, key and the fields that its lines have as members.
///
/// Which lines are looked at does not depend on how much a read gives.
///
/// # Errors
/// If the input cannot be read, or a line is malformed.
pub(super) fn fields_used(input: &mut Input, name: &str) -> Result<(Vec<u8>, FieldSet), SourceError> {
    let mut front = vec![0; STEP_BYTES];
    let (mut length, mut lines) = (0, 0);
    while lines < PEEK_LINES && length < if lines == 0 { LINE_BYTES_MAX + 1 } else { PEEK_BYTES } {
        if length == front.len() {
            front.resize(2 * length, 0);
        }
        let taken = input
            .read(&mut front[length..], None)
            .map_err(|(what, error)| SourceError::unreadable(what, error).at(format!("{name}, after line {lines}")))?;
        if taken == 0 {
            break;
        }
        lines += memchr_iter(b'\n', &front[length..length + taken]).count();
        length += taken;
    }
    front.truncate(length);
    let ends = memchr_iter(b'\n', &front).take(PEEK_LINES).enumerate();
    let last_end = ends.take_while(|(line, at)| *line == 0 || *at < PEEK_BYTES).last().map(|(_, at)| at + 1);
    let looked_at = match last_end {
        // The last line of a short input may lack its end.
        _ if lines < PEEK_LINES && length < PEEK_BYTES => length,
        Some(end) => end,
        None => length,
    };
    let mut row = RowReader::new();
    let mut fields = FieldSet::REQUIRED;
    let (_, fault) = each_line(&front[..looked_at], |line| {
        row.read(line.text)?;
        fields = fields.union(row.members());
        Ok(())
    });
    match fault {
        Some(fault) => Err(fault.into_error(name, Place::Lines(0))),
        None => Ok((front, fields)),
    }
}
