//! The values of one few-valued field over a chunk, sorted, with a table that turns each segment's codes into their ranks.
//!
//! Codes are given out by streams as values appear, so they differ with the way in which a source cuts its batches. Ranks
//! of sorted values do not: an encoder that writes ranks writes the same bytes for the same rows.

use crate::{
    batch::{CodeColumn, CodeValues, Column},
    chunk::RowChunk,
    field::Field,
};
use std::sync::Arc;

/// The values that one field has in the rows of a chunk, in ascending order of their bytes.
#[derive(Debug)]
pub struct ChunkDictionary<'a> {
    values: Vec<&'a str>,
    /// Ranks by code, for each different table of values in the chunk.
    tables: Vec<Table<'a>>,
    /// Which table each segment's codes are of; `None` if the field is absent in all of the segment.
    segments: Vec<Option<(usize, &'a CodeColumn)>>,
    absent: usize,
}

#[derive(Debug)]
struct Table<'a> {
    values: &'a Arc<CodeValues>,
    /// [`UNUSED`], then [`USED`] where a row has the code, then the rank.
    ranks: Vec<u32>,
}

const UNUSED: u32 = u32::MAX;
const USED: u32 = 0;

impl<'a> ChunkDictionary<'a> {
    /// The dictionary of a few-valued field.
    ///
    /// Takes about an instruction a row, and sorts as many texts as there are different values.
    pub fn new(rows: &'a RowChunk, field: Field) -> Self {
        let mut dictionary = Self { values: Vec::new(), tables: Vec::new(), segments: Vec::new(), absent: 0 };
        for segment in rows.segments() {
            let Some(Column::Code(column)) = segment.column(field) else {
                dictionary.absent += segment.len();
                dictionary.segments.push(None);
                continue;
            };
            let table = dictionary.table_of(column.values());
            dictionary.absent += mark(&mut dictionary.tables[table].ranks, column.codes());
            dictionary.segments.push(Some((table, column)));
        }
        dictionary.rank();
        dictionary
    }

    /// The values, ascending, each once. "Absent" is not among them.
    pub fn values(&self) -> &[&'a str] {
        &self.values
    }

    /// Rows in which the field is absent.
    pub fn absent(&self) -> usize {
        self.absent
    }

    /// By segment of the chunk: its codes and the rank of each code's value; `None` if the field is absent in all of it.
    ///
    /// Code 0 is "absent" and has no rank, nor has a code that no row has: both read as [`u32::MAX`].
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Option<(&'a [u16], &[u32])>> {
        self.segments.iter().map(|segment| {
            let (table, column) = (*segment)?;
            Some((column.codes(), &*self.tables[table].ranks))
        })
    }

    fn table_of(&mut self, values: &'a Arc<CodeValues>) -> usize {
        // Most chunks have one table: a stream shares it between batches until a value is added.
        if let Some(table) = self.tables.iter().rposition(|table| Arc::ptr_eq(table.values, values)) {
            return table;
        }
        self.tables.push(Table { values, ranks: vec![UNUSED; values.texts().len()] });
        self.tables.len() - 1
    }

    fn rank(&mut self) {
        let mut found: Vec<(&'a str, usize, usize)> = Vec::new();
        for (number, table) in self.tables.iter_mut().enumerate() {
            if let Some(absent) = table.ranks.first_mut() {
                *absent = UNUSED;
            }
            let used = table.ranks.iter().enumerate().filter(|(_, rank)| **rank == USED);
            let values: &'a Arc<CodeValues> = table.values;
            found.extend(used.zip(std::iter::repeat(values)).map(|((code, _), values)| {
                // A table has at most 65,536 codes.
                (values.value(u16::try_from(code).unwrap_or(u16::MAX)), number, code)
            }));
        }
        found.sort_unstable();
        for (text, table, code) in found {
            if self.values.last() != Some(&text) {
                self.values.push(text);
            }
            // A chunk has at most 16,777,216 rows, and no more values.
            self.tables[table].ranks[code] = u32::try_from(self.values.len() - 1).unwrap_or(UNUSED);
        }
    }
}

/// Codes that are looked at together: many are the same.
const BLOCK: usize = 32;

/// Marks the codes that rows have; returns how many rows have code 0.
fn mark(ranks: &mut [u32], codes: &[u16]) -> usize {
    let mut use_code = |code: u16| {
        if let Some(rank) = ranks.get_mut(usize::from(code)) {
            *rank = USED;
        }
    };
    let (blocks, rest) = codes.as_chunks::<BLOCK>();
    for block in blocks {
        if block.iter().fold(0, |differ, code| differ | (code ^ block[0])) == 0 {
            use_code(block[0]);
        } else {
            block.iter().for_each(|code| use_code(*code));
        }
    }
    rest.iter().for_each(|code| use_code(*code));
    let absent = |codes: &[u16]| usize::from(codes.iter().map(|code| u16::from(*code == 0)).sum::<u16>());
    // Short parts, whose sums have 16 bits, so that eight are counted at once.
    codes.chunks(1 << 15).map(absent).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::ObjectBatchBuilder, field_set::FieldSet};

    fn batch(classes: &[&str]) -> crate::ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(FieldSet::REQUIRED.with(Field::StorageClass));
        for class in classes {
            let mut row = builder.row("k");
            if !class.is_empty() {
                row = row.storage_class(class);
            }
            row.finish().unwrap();
        }
        builder.finish()
    }

    fn texts(rows: &RowChunk) -> (Vec<String>, Vec<Option<u32>>) {
        let dictionary = ChunkDictionary::new(rows, Field::StorageClass);
        let mut ranks = Vec::new();
        for (segment, batch) in dictionary.segments().zip(rows.segments()) {
            match segment {
                None => ranks.extend(std::iter::repeat_n(None, batch.len())),
                Some((codes, table)) => {
                    ranks.extend(
                        codes.iter().map(|code| Some(table[usize::from(*code)]).filter(|rank| *rank != u32::MAX)),
                    );
                }
            }
        }
        assert_eq!(dictionary.absent(), ranks.iter().filter(|rank| rank.is_none()).count());
        (dictionary.values().iter().map(|text| (*text).to_owned()).collect(), ranks)
    }

    #[test]
    fn ranks_do_not_depend_on_how_rows_are_cut() {
        let all = ["STANDARD", "GLACIER", "", "STANDARD", "OWN", "GLACIER"];
        let whole = texts(&RowChunk::from(batch(&all)));
        assert_eq!(whole.0, ["GLACIER", "OWN", "STANDARD"]);
        assert_eq!(whole.1, [Some(2), Some(0), None, Some(2), Some(1), Some(0)]);
        for cut in 1..all.len() {
            assert_eq!(texts(&RowChunk::new([batch(&all[..cut]), batch(&all[cut..])])), whole, "cut at {cut}");
        }
    }

    #[test]
    fn values_of_other_rows_are_left_out() {
        let sliced = batch(&["STANDARD", "GLACIER", "OWN"]).slice(1..2);
        assert_eq!(texts(&RowChunk::from(sliced)), (vec!["GLACIER".to_owned()], vec![Some(0)]));
    }

    #[test]
    fn a_field_that_no_batch_has_is_absent_in_every_row() {
        let mut builder = ObjectBatchBuilder::new(FieldSet::REQUIRED);
        builder.row("k").finish().unwrap();
        assert_eq!(texts(&RowChunk::from(builder.finish())), (vec![], vec![None]));
    }
}
