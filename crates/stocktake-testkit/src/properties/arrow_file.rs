//! Arrow files, sound and damaged: rows or an error, never a panic, never more rows than a file can hold.

use super::fault;
use crate::rows::{Row, Slicing, arbitrary_rows, arrow_file, every_field, rows_of};
use arbitrary::{Arbitrary, Unstructured};
use std::{
    any::Any,
    io::Write,
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
};
use stocktake::sources::ArrowFileSource;
use stocktake_core::{BucketName, ObjectBatchBuilder, ObjectSource, ReadContext, SourceError};

/// A file of any bytes, or a sound one with some bytes changed, is read or refused; a sound one is read as it was written.
///
/// The first byte says which: below 64 the rest is the file, from there on it makes rows, from 192 on without damage.
///
/// # Errors
/// If reading panics, a sound file is refused or has other rows, or a file has more rows than bytes allow.
pub fn arrow_file_does_not_panic(bytes: &[u8]) -> Result<(), String> {
    let Some((kind, rest)) = bytes.split_first() else { return Ok(()) };
    if *kind < 64 {
        return attempt(rest).map(drop);
    }
    let mut u = Unstructured::new(rest);
    let Ok((slicing, damage)) = damage(&mut u) else { return Ok(()) };
    let Ok(rows) = arbitrary_rows(&mut u) else { return Ok(()) };
    let mut file = arrow_file(&rows, &slicing).map_err(|error| fault("Arrow's writer")(&error))?;
    if *kind >= 192 {
        return match attempt(&file)? {
            Ok(read) if read == rows => Ok(()),
            Ok(read) => Err(format!("{} rows of {} are read as they were written", same(&read, &rows), rows.len())),
            Err(error) => Err(format!("a sound file is refused: {error}")),
        };
    }
    for (at, byte) in damage {
        let length = file.len();
        // Counted from the end, where the footer stands: most of what can be told wrongly is told there.
        if let Some(byte_there) = file.get_mut(length.saturating_sub(1 + usize::from(at))) {
            *byte_there = byte;
        }
    }
    attempt(&file).map(drop)
}

fn same(read: &[Row], rows: &[Row]) -> usize {
    read.iter().zip(rows).take_while(|(read, row)| read == row).count()
}

/// How a sound file is cut into record batches, and bytes of it that are changed.
fn damage(u: &mut Unstructured<'_>) -> arbitrary::Result<(Slicing, Vec<(u16, u8)>)> {
    let slicing = Slicing::arbitrary(u)?;
    let count = u.int_in_range(1..=8)?;
    let damage: arbitrary::Result<_> = (0..count).map(|_| u.arbitrary()).collect();
    Ok((slicing, damage?))
}

/// Reads a file to its end. The outer error is a panic, or rows without end.
fn attempt(file: &[u8]) -> Result<Result<Vec<Row>, SourceError>, String> {
    let mut stored = tempfile::NamedTempFile::new().map_err(|error| fault("a temporary file")(&error))?;
    stored.write_all(file).map_err(|error| fault("a temporary file")(&error))?;
    // A record batch can stand in the footer several times: 24 bytes for each, and at least a byte for each row.
    let rows_max = file.len() * (1 + file.len() / 24);
    let read = catch_unwind(AssertUnwindSafe(|| read(stored.path(), rows_max)));
    read.map_err(|panic| format!("reading panics: {}", message(&*panic)))?
}

fn read(path: &std::path::Path, rows_max: usize) -> Result<Result<Vec<Row>, SourceError>, String> {
    let bucket = BucketName::try_new("b").map_err(|error| fault("a bucket")(&error))?;
    let context = ReadContext::new(bucket, every_field());
    let all = || {
        let source = ArrowFileSource::try_open(path)?;
        let mut rows = Vec::new();
        // Several lanes, for a plan looks into record batches too.
        for lane in source.plan(NonZeroU32::MIN.saturating_add(2))?.lanes() {
            let mut stream = source.open(lane, None, &context)?;
            let mut builder = ObjectBatchBuilder::new(context.fields);
            while stream.next_batch(&mut builder)? {
                rows.extend(rows_of(&builder.finish()));
                if rows.len() > rows_max {
                    return Ok(Err(format!("{} rows and more in a file that has room for {rows_max}", rows.len())));
                }
            }
        }
        Ok(Ok(rows))
    };
    match all() {
        Ok(rows) => rows.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
