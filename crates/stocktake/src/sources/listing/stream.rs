//! The rows of a listing in batches, in the order in which the listing has them.

use super::{json::JsonRows, row::Row, table::TableRows, text::Place};
use stocktake_core::{FieldSet, ObjectBatchBuilder, ObjectKey, ObjectStream, ReadContext, RowOrigin, SourceError};

/// Rows in one of the forms.
pub(super) enum Rows {
    Json(Box<JsonRows>),
    Table(Box<TableRows>),
}

/// The rows of a listing.
pub(super) struct ListingStream {
    name: String,
    rows: Rows,
    /// Fields whose values end the run, because the report would lose them in silence.
    unexpected: FieldSet,
    /// Rows up to this key, at the front, are passed over.
    after: Option<ObjectKey>,
    context: ReadContext,
    row: Row,
}

impl ListingStream {
    pub(super) fn new(
        name: &str,
        rows: Rows,
        unexpected: FieldSet,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Self {
        let (after, context) = (after.cloned(), context.clone());
        Self { name: name.to_owned(), rows, unexpected, after, context, row: Row::default() }
    }

    fn next(&mut self) -> Result<Option<Place>, SourceError> {
        match &mut self.rows {
            Rows::Json(rows) => rows.next(&mut self.row),
            Rows::Table(rows) => {
                let line = rows.next(&mut self.row)?;
                Ok(line.map(|line| Place { line: line.saturating_sub(1), column: 0 }))
            }
        }
    }

    fn check(&self, place: Place) -> Result<(), SourceError> {
        if let Some(bucket) = &self.row.bucket
            && bucket != self.context.bucket.as_str()
        {
            let shown: String = bucket.chars().take(200).flat_map(char::escape_debug).collect();
            let problem = format!("the bucket is `{shown}`, not `{}` as the report's", self.context.bucket);
            return Err(place.error(&self.name, problem));
        }
        let unexpected = self.row.fields().intersection(self.unexpected);
        if let Some(field) = unexpected.iter().next() {
            let problem =
                format!("`{field}` has a value here and in none of the first entries; name the fields of the report");
            return Err(place.error(&self.name, problem));
        }
        Ok(())
    }
}

impl ObjectStream for ListingStream {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        let mut first = None;
        let mut skipped = Vec::new();
        while !batch.is_full() {
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let Some(place) = self.next()? else { break };
            self.check(place)?;
            if let Some(after) = &self.after {
                if self.row.key.as_str() <= after.as_str() {
                    continue;
                }
                // From here on every row is wanted. One that comes too late is out of order, which is not hidden.
                self.after = None;
            }
            let (first, rows) = (*first.get_or_insert(place.line), batch.len());
            // Several entries may share a line: then lines tell less than rows do, and none is named.
            let passed_over = (place.line - first).checked_sub(rows as u64);
            if let Some(passed_over) = passed_over
                && skipped.last().map_or(0, |(_, lines)| *lines) != passed_over
            {
                skipped.push((rows, passed_over));
            }
            self.row.append(batch).map_err(|error| place.error(&self.name, error.to_string()))?;
        }
        if let Some(first) = first {
            batch.set_origin(RowOrigin { unit: "line", first: first + 1, skipped });
        }
        Ok(!batch.is_empty())
    }
}
