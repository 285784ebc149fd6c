//! Finds a key and version that stand twice among the versions of one key.
//!
//! Versions of a key keep the source's order, so a repetition may stand anywhere among them. Groups of up to sixteen
//! versions within a batch, which is nearly all of them, are compared pairwise without copying anything.

use std::collections::HashSet;
use stocktake_core::{Column, Field, ObjectBatch, TextColumn};

/// Up to so many versions are compared pairwise.
const PAIRWISE_MAX: usize = 16;

/// Version ids of one key that are remembered. A key with more versions is checked against this many of them, so that
/// one giant key cannot break the bound of memory (65,536 ids of 32 bytes: about 5 MiB).
const REMEMBERED_MAX: usize = 65_536;

/// Remembers the version ids of the key at the end of the batch before.
#[derive(Debug, Default)]
pub(super) struct VersionCheck {
    ids: HashSet<Box<str>>,
}

impl VersionCheck {
    /// Takes note of a batch in which no key stands twice.
    pub(super) fn remember(&mut self, batch: &ObjectBatch) {
        self.ids.clear();
        if let (Some(Column::Text(ids)), Some(last)) = (batch.column(Field::VersionId), batch.len().checked_sub(1)) {
            self.ids.insert(version(ids.value(last)).into());
        } else if !batch.is_empty() {
            self.ids.insert("".into());
        }
    }

    /// The first row whose key and version id stood in a row before.
    ///
    /// `continues` says that the first row has the key of the last row of the batch before, `repeats` which rows have the key of the
    /// row above them, in order.
    pub(super) fn repeated(&mut self, batch: &ObjectBatch, continues: bool, repeats: &[u32]) -> Option<usize> {
        let ids = match batch.column(Field::VersionId) {
            Some(Column::Text(ids)) => Some(ids),
            _ => None,
        };
        let id = |row: usize| ids.map_or("", |ids: &TextColumn| version(ids.value(row)));
        let last = batch.len() - 1;
        let mut rest = repeats;
        if continues {
            // The rows of the key at the seam: the first, and those that repeat it.
            let more = (1_u32..).zip(rest).take_while(|(row, repeat)| row == *repeat).count();
            rest = &rest[more..];
            if let Some(row) = (0..=more).find(|row| !self.is_new(id(*row))) {
                return Some(row);
            }
            if more == last {
                return None;
            }
        }
        self.ids.clear();
        while let Some(first) = rest.first() {
            let more = (*first..).zip(rest).take_while(|(row, repeat)| row == *repeat).count();
            rest = &rest[more..];
            let start = *first as usize - 1;
            let end = start + more;
            if end == last || more >= PAIRWISE_MAX {
                self.ids.clear();
                if let Some(row) = (start..=end).find(|row| !self.is_new(id(*row))) {
                    return Some(row);
                }
            } else if let Some(row) = (start + 1..=end).find(|row| (start..*row).any(|before| id(before) == id(*row))) {
                return Some(row);
            }
        }
        if repeats.last().is_none_or(|row| *row as usize != last) {
            self.ids.clear();
            self.ids.insert(id(last).into());
        }
        None
    }

    /// Whether an id was not met among those remembered, which it now is if they are not too many.
    fn is_new(&mut self, id: &str) -> bool {
        if self.ids.len() < REMEMBERED_MAX { self.ids.insert(id.into()) } else { !self.ids.contains(id) }
    }
}

/// The id of a version, of which the null version has none: some sources spell it, and a key has one of it.
fn version(id: &str) -> &str {
    if id == "null" { "" } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake_core::{FieldSet, ObjectBatchBuilder};

    fn batch(rows: &[(&str, &str)]) -> ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(FieldSet::VERSION_FIELDS);
        for (key, id) in rows {
            builder.row(key).version(id, false, false).finish().unwrap();
        }
        builder.finish()
    }

    /// What a check says of rows, told which of them repeat the key above.
    fn repeated(check: &mut VersionCheck, rows: &[(&str, &str)], continues: bool) -> Option<usize> {
        let repeats: Vec<u32> =
            (1_u32..).zip(rows.windows(2)).filter(|(_, pair)| pair[0].0 == pair[1].0).map(|(row, _)| row).collect();
        check.repeated(&batch(rows), continues, &repeats)
    }

    #[test]
    fn repetitions_are_found_near_far_and_across_batches() {
        let mut check = VersionCheck::default();
        assert_eq!(repeated(&mut check, &[("a", ""), ("a", "1"), ("b", ""), ("b", "1")], false), None);
        assert_eq!(repeated(&mut check, &[("b", "2"), ("b", "3"), ("c", "")], true), None);
        assert_eq!(repeated(&mut check, &[("c", "1"), ("c", "")], true), Some(1));
        assert_eq!(
            repeated(&mut VersionCheck::default(), &[("a", "x"), ("a", "y"), ("a", "x"), ("b", "")], false),
            Some(2)
        );
        let many: Vec<_> = (0..40).map(|id| format!("{}", id % 39)).collect();
        let rows: Vec<_> = many.iter().map(|id| ("k", id.as_str())).chain([("l", "")]).collect();
        assert_eq!(repeated(&mut VersionCheck::default(), &rows, false), Some(39));
    }

    #[test]
    fn a_key_has_one_null_version_however_it_is_spelled() {
        let mut check = VersionCheck::default();
        assert_eq!(repeated(&mut check, &[("a", "null"), ("a", "1"), ("a", ""), ("b", "null")], false), Some(2));
        check.remember(&batch(&[("c", "null")]));
        assert_eq!(repeated(&mut check, &[("c", "")], true), Some(0));
    }

    #[test]
    fn however_batches_are_cut_the_first_repetition_is_found() {
        // Groups of 1 to 40 versions; the id of one row is that of an earlier row of its key.
        let mut rows: Vec<(String, String)> = Vec::new();
        for (key, versions) in [1, 2, 1, 5, 16, 17, 1, 40, 3, 1, 2].into_iter().enumerate() {
            rows.extend((0..versions).map(|version| (format!("key {key:02}"), format!("id {version}"))));
        }
        for spoilt in 0..=rows.len() {
            let mut spoilt_rows = rows.clone();
            let mut expected = None;
            if spoilt > 0 && spoilt < rows.len() && rows[spoilt].0 == rows[spoilt - 1].0 {
                // The first version of the key again.
                spoilt_rows[spoilt].1 = "id 0".to_owned();
                expected = Some(spoilt);
            }
            let spoilt_rows: Vec<(&str, &str)> = spoilt_rows.iter().map(|(key, id)| (&**key, &**id)).collect();
            for size in [1, 2, 3, 7, 30, 1000] {
                let (mut check, mut found) = (VersionCheck::default(), None);
                let mut start = 0;
                for part in spoilt_rows.chunks(size) {
                    let continues = start > 0 && spoilt_rows[start - 1].0 == part[0].0;
                    found = found.or(repeated(&mut check, part, continues).map(|row| start + row));
                    start += part.len();
                }
                assert_eq!(found, expected, "row {spoilt}, batches of {size}");
            }
        }
    }
}
