//! What one part of a data file is found to hold, and how findings of neighbouring parts become those of a file.

use crate::{
    error::ReadError,
    part::{OpenFile, Wanted, Work},
};
use std::{cmp::Ordering, collections::HashSet, hash::RandomState, sync::LazyLock};
use stocktake_core::{Column, Field, ObjectBatch, RowDigest, RowHasher, TextColumn};

/// Stand for version ids in sets: two keyed hashes of 64 bits, so that a key may have millions of versions.
static HASHERS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

/// A row, from 1 in its file, and what is wrong there.
type AtRow = (u64, String);

/// What rows in a row are found to be.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) rows: u64,
    pub(super) digest: RowDigest,
    pub(super) first_key: Option<String>,
    pub(super) last_key: Option<String>,
    /// The first row whose key comes before that of the row above it.
    pub(super) disorder: Option<AtRow>,
    /// The first row whose key, or key and version, stood directly before.
    pub(super) duplicate: Option<AtRow>,
    first_row: u64,
    versioned: bool,
    /// Versions of the first key, while no other key has come.
    first_versions: HashSet<u128>,
    /// Versions of the last key.
    last_versions: HashSet<u128>,
    /// Whether there is one key only.
    one_key: bool,
}

impl Findings {
    /// Reads a part to its end.
    pub(super) fn of(file: &OpenFile, work: &Work, wanted: &Wanted, versioned: bool) -> Result<Self, ReadError> {
        let mut found = Self { versioned, one_key: true, ..Self::default() };
        let Some(mut part) = file.begin(work, wanted)? else { return Ok(found) };
        let mut hasher = RowHasher::new(wanted.fields);
        while let Some(batch) = part.next()? {
            if wanted.cancel.is_cancelled() {
                return Err(ReadError::cancelled());
            }
            hasher.update(&batch.rows);
            found.look_at(&batch.rows, batch.first_row);
        }
        found.digest = hasher.digest();
        if found.one_key {
            found.first_versions.clone_from(&found.last_versions);
        }
        Ok(found)
    }

    fn look_at(&mut self, batch: &ObjectBatch, first_row: u64) {
        if self.rows == 0 {
            self.first_row = first_row;
        }
        let ids = match batch.column(Field::VersionId) {
            Some(Column::Text(ids)) if self.versioned => Some(ids),
            _ => None,
        };
        // `null` is how some reports spell the null version, which has no id.
        let id = |row: usize| ids.map(|ids| ids.value(row)).filter(|id| *id != "null").unwrap_or_default();
        let keys = batch.keys();
        // How the key of the row above compares with this one: of two neighbours once.
        let mut order = match self.last_key.as_deref() {
            Some(above) if !batch.is_empty() => Some(above.cmp(keys.value(0))),
            _ => None,
        };
        let mut rows_done = 0;
        while rows_done < batch.len() {
            let mut row = rows_done;
            if order == Some(Ordering::Less) && !self.one_key {
                // A row between a lower and a higher key has nothing to be compared with, and almost every row is one.
                row += ascending(keys, row);
                self.last_versions.clear();
            }
            rows_done = row + 1;
            let key = keys.value(row);
            let next = (row + 1 < keys.len()).then(|| key.cmp(keys.value(row + 1)));
            let above = std::mem::replace(&mut order, next);
            if above == Some(Ordering::Equal) {
                if !self.last_versions.insert(hashed(id(row))) {
                    self.duplicate
                        .get_or_insert_with(|| (first_row + row as u64 + 1, twice(key, id(row), self.versioned)));
                }
                continue;
            }
            if above == Some(Ordering::Greater) {
                let before = if row > 0 { Some(keys.value(row - 1)) } else { self.last_key.as_deref() };
                let text = || out_of_order(key, before.unwrap_or_default());
                self.disorder.get_or_insert_with(|| (first_row + row as u64 + 1, text()));
            }
            if above.is_some() && self.one_key {
                self.one_key = false;
                std::mem::swap(&mut self.first_versions, &mut self.last_versions);
            }
            // The set is made when a second version comes, which few keys have, and may come in the next batch.
            self.last_versions.clear();
            if above.is_none() || next.is_none_or(Ordering::is_eq) {
                self.last_versions.insert(hashed(id(row)));
            }
        }
        if let Some(last) = batch.len().checked_sub(1) {
            self.first_key.get_or_insert_with(|| keys.value(0).to_owned());
            let key = self.last_key.get_or_insert_default();
            key.clear();
            key.push_str(keys.value(last));
        }
        self.rows += batch.len() as u64;
    }

    /// Adds what was found in the part behind.
    pub(super) fn join(&mut self, next: Self) {
        if next.rows == 0 {
            return;
        }
        if self.rows == 0 {
            *self = next;
            return;
        }
        let row = next.first_row + 1;
        match self.last_key.cmp(&next.first_key) {
            Ordering::Less => {}
            Ordering::Greater => {
                let (key, above) = (next.first_key.as_deref(), self.last_key.as_deref());
                let text = out_of_order(key.unwrap_or_default(), above.unwrap_or_default());
                self.disorder.get_or_insert((row, text));
            }
            Ordering::Equal => {
                if !self.last_versions.is_disjoint(&next.first_versions) {
                    let key = next.first_key.as_deref().unwrap_or_default();
                    let text = format!("key {key:?}, or a version of it, stands twice");
                    self.duplicate.get_or_insert((row, text));
                }
            }
        }
        let same_key = self.last_key == next.first_key && next.one_key;
        self.one_key = self.one_key && same_key;
        if same_key {
            self.last_versions.extend(next.last_versions);
        } else {
            self.last_versions = next.last_versions;
        }
        self.rows += next.rows;
        self.digest = self.digest + next.digest;
        self.last_key = next.last_key;
        self.disorder = self.disorder.take().or(next.disorder);
        self.duplicate = self.duplicate.take().or(next.duplicate);
    }
}

/// How many rows behind a row each have a higher key than the one above.
fn ascending(keys: &TextColumn, row: usize) -> usize {
    let rows = keys.len() - row - 1;
    let Some((offsets, bytes)) = keys.as_offsets() else {
        return (row..row + rows).take_while(|row| keys.value(*row) < keys.value(*row + 1)).count();
    };
    // Offsets ascend from 0.
    let text = |from: i32, to: i32| &bytes[from.unsigned_abs() as usize..to.unsigned_abs() as usize];
    let mut triples = offsets[row..].windows(3);
    triples.position(|ends| text(ends[0], ends[1]) >= text(ends[1], ends[2])).unwrap_or(rows)
}

fn hashed(id: &str) -> u128 {
    use std::hash::BuildHasher;
    let [high, low] = &*HASHERS;
    u128::from(high.hash_one(id)) << 64 | u128::from(low.hash_one(id))
}

fn out_of_order(key: &str, above: &str) -> String {
    format!("keys are not in ascending order of their bytes: {key:?} comes after {above:?}")
}

fn twice(key: &str, id: &str, versioned: bool) -> String {
    match id {
        "" if versioned => format!("key {key:?} with the null version stands twice"),
        "" => format!("key {key:?} stands twice"),
        id => format!("key {key:?} with version {id:?} stands twice"),
    }
}
