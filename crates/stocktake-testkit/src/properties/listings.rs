//! Listings of other programs against parsers that are not ours: the same entries are taken, with the same values.
//!
//! `documents` says with `serde_json` what a listing in JSON holds, `entries` what an entry is worth, `table` with `csv`
//! what a table holds.

mod documents;
mod entries;
mod table;

use super::{
    fault,
    ndjson::BUCKET,
    spoiling::{SNIPPETS, edits, is_compressed, spoil},
};
use crate::rows::{ListingKind, Row, arbitrary_listing, arbitrary_rows, every_field, rows_of};
use arbitrary::Unstructured;
use std::{io::Cursor, num::NonZeroU32};
use stocktake::sources::{CsvForm, JsonListing, ListingSource};
use stocktake_core::{BucketName, ObjectBatchBuilder, ObjectSource, ReadContext, SourceError, SourceErrorKind};

/// Texts that are larger, or hold more entries, may have values beyond the look at their fields.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// See [`TEXT_BYTES_MAX`].
const ENTRIES_MAX: usize = 900;

/// What a listing should turn out to hold.
#[derive(Debug)]
enum Outcome {
    Rows(Vec<Row>),
    /// It is refused, in this line if that is known.
    Refused(Option<usize>),
    /// Nothing that a reference could say.
    Unknown,
}

/// A listing is taken as `serde_json` or `csv` and the documentation say, with the same rows, or refused by an error that
/// names a line of it.
///
/// The first byte says how: from 128 on, rows and a listing of them are made and some places spoiled; below, the rest is
/// the listing, in CSV if the byte is odd.
///
/// # Errors
/// Names what is read differently.
pub fn listings_match_serde(bytes: &[u8]) -> Result<(), String> {
    let Some((kind, rest)) = bytes.split_first() else { return Ok(()) };
    let (table, text) = if *kind < 128 {
        (kind & 1 == 1, rest.to_vec())
    } else {
        let kind = ListingKind::ALL[usize::from(*kind) % ListingKind::ALL.len()];
        let Ok(text) = spoiled(kind, &mut Unstructured::new(rest)) else { return Ok(()) };
        (kind == ListingKind::Csv, text)
    };
    if is_compressed(&text) || text.len() > TEXT_BYTES_MAX {
        return Ok(());
    }
    let input = Cursor::new(text.clone());
    let plain = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    let (source, wanted) = if table {
        let source = ListingSource::try_csv_from_reader("listing", input, CsvForm::default());
        (source, table::outcome(plain))
    } else {
        match JsonListing::try_from_reader("listing", input) {
            // Rows of a report are the business of another property.
            Ok(JsonListing::Ndjson(_)) => return Ok(()),
            Ok(JsonListing::Foreign(source)) => (Ok(source), documents::outcome(plain)),
            Err(error) => (Err(error), documents::outcome(plain)),
        }
    };
    let bucket = BucketName::try_new(BUCKET).map_err(|error| fault("a bucket")(&error))?;
    let read = source.and_then(|source| read(&source, bucket));
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    match (read, wanted) {
        (Err(error), wanted) => {
            let line = line_of(&error).ok_or_else(|| format!("no line is named: {error}"))?;
            if error.kind() != SourceErrorKind::Malformed || !(1..=lines).contains(&line) {
                return Err(format!("{lines} lines are refused as {:?}: {error}", error.kind()));
            }
            match wanted {
                Outcome::Rows(rows) => Err(format!("a sound listing of {} rows is refused: {error}", rows.len())),
                Outcome::Refused(Some(wanted)) if wanted != line => {
                    Err(format!("line {wanted} is wrong, and line {line} is named: {error}"))
                }
                Outcome::Refused(_) | Outcome::Unknown => Ok(()),
            }
        }
        (Ok(read), Outcome::Rows(wanted)) => {
            let at = read.iter().zip(&wanted).take_while(|(read, wanted)| read == wanted).count();
            let (read, wanted) = (read.get(at), wanted.get(at));
            if read == wanted { Ok(()) } else { Err(format!("row {} is {read:?} instead of {wanted:?}", at + 1)) }
        }
        (Ok(read), Outcome::Refused(line)) => Err(format!("{} rows are read, but line {line:?} is wrong", read.len())),
        (Ok(_), Outcome::Unknown) => Ok(()),
    }
}

/// A listing of rows, some places of which are spoiled.
fn spoiled(kind: ListingKind, u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let edits = edits(u)?;
    let spelling = u.bytes(u.len() / 3)?.to_vec();
    let rows = arbitrary_rows(u)?;
    let mut text = arbitrary_listing(kind, BUCKET, &rows, &mut Unstructured::new(&spelling))?.into_bytes();
    spoil(&mut text, &edits, SNIPPETS);
    Ok(text)
}

fn read(source: &ListingSource, bucket: BucketName) -> Result<Vec<Row>, SourceError> {
    let context = ReadContext::new(bucket, every_field());
    let plan = source.plan(NonZeroU32::MIN)?;
    let mut rows = Vec::new();
    for lane in plan.lanes() {
        let mut stream = source.open(lane, None, &context)?;
        let mut builder = ObjectBatchBuilder::new(context.fields);
        while stream.next_batch(&mut builder)? {
            rows.extend(rows_of(&builder.finish()));
        }
    }
    Ok(rows)
}

/// The line that an error's position names.
fn line_of(error: &SourceError) -> Option<usize> {
    let (_, rest) = error.position()?.split_once(", line ")?;
    rest.split(',').next()?.parse().ok()
}

/// The line of a byte, from 1.
fn line_at(text: &[u8], at: usize) -> usize {
    text[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}
