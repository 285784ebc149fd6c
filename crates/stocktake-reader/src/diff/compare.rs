//! Rows of two batches compared column by column: what is equal is passed over in blocks, what differs is marked.

use super::row::DiffRow;
use std::{collections::HashMap, sync::Arc};
use stocktake_core::{BoolColumn, CodeColumn, CodeValues, Column, Field, FieldSet, IntColumn, ObjectBatch, TextColumn};

/// Rows whose texts are compared at once: as few as make one comparison of some hundred bytes.
const BLOCK_ROWS: usize = 32;

/// A code of the old report whose text the new one does not have.
const NO_CODE: u16 = u16::MAX;

/// Compares the fields of rows that stand for the same object.
#[derive(Debug)]
pub(super) struct Comparison {
    fields: FieldSet,
    /// For each field, codes of the old report's values in the new one's.
    codes: Vec<(Field, CodeMap)>,
    /// Fields that differ, by row; empty while none does.
    marks: Vec<FieldSet>,
}

/// Which code of one set of values stands for the same text in another.
#[derive(Debug)]
struct CodeMap {
    old: Arc<CodeValues>,
    new: Arc<CodeValues>,
    map: Vec<u16>,
}

impl Comparison {
    /// A comparison of these fields.
    pub(super) fn new(fields: FieldSet) -> Self {
        Self { fields, codes: Vec::new(), marks: Vec::new() }
    }

    /// Compares `rows` rows of two batches from a row of each on; by row the fields that differ, or nothing if none does.
    pub(super) fn rows(
        &mut self,
        (old, from): (&ObjectBatch, usize),
        (new, to): (&ObjectBatch, usize),
        rows: usize,
    ) -> &[FieldSet] {
        self.marks.clear();
        for field in self.fields.iter() {
            match (old.column(field), new.column(field)) {
                (None, None) => {}
                (Some(Column::Text(one)), Some(Column::Text(two))) => self.texts(field, (one, from), (two, to), rows),
                (Some(Column::Code(one)), Some(Column::Code(two))) => self.codes(field, (one, from), (two, to), rows),
                (Some(Column::Bool(one)), Some(Column::Bool(two))) => self.bools(field, (one, from), (two, to), rows),
                (Some(Column::Int(one)), Some(Column::Int(two))) => self.ints(field, (one, from), (two, to), rows),
                // A column that one batch lacks is absent in every row of it.
                _ => {
                    for row in 0..rows {
                        let one = DiffRow::in_batch(old, from + row).value(field);
                        if one != DiffRow::in_batch(new, to + row).value(field) {
                            self.mark(row, rows, field);
                        }
                    }
                }
            }
        }
        &self.marks
    }

    /// Fields in which two single rows differ.
    pub(super) fn pair(&self, old: DiffRow<'_>, new: DiffRow<'_>) -> FieldSet {
        self.fields.iter().filter(|field| old.value(*field) != new.value(*field)).collect()
    }

    fn mark(&mut self, row: usize, rows: usize, field: Field) {
        if self.marks.is_empty() {
            self.marks.resize(rows, FieldSet::EMPTY);
        }
        self.marks[row] = self.marks[row].with(field);
    }

    fn texts(&mut self, field: Field, (old, from): (&TextColumn, usize), (new, to): (&TextColumn, usize), rows: usize) {
        let mut row = 0;
        loop {
            row += equal_texts((old, from + row), (new, to + row), rows - row);
            if row == rows {
                return;
            }
            self.mark(row, rows, field);
            row += 1;
        }
    }

    fn codes(&mut self, field: Field, (old, from): (&CodeColumn, usize), (new, to): (&CodeColumn, usize), rows: usize) {
        let (one, two) = (&old.codes()[from..from + rows], &new.codes()[to..to + rows]);
        if Arc::ptr_eq(old.values(), new.values()) {
            for row in (0..rows).filter(|row| one[*row] != two[*row]) {
                self.mark(row, rows, field);
            }
            return;
        }
        let place = self.code_map(field, old.values(), new.values());
        let map = std::mem::take(&mut self.codes[place].1.map);
        for row in (0..rows).filter(|row| map[usize::from(one[*row])] != two[*row]) {
            self.mark(row, rows, field);
        }
        self.codes[place].1.map = map;
    }

    /// Place of a field's map between two sets of values, which is made anew when the sets change.
    fn code_map(&mut self, field: Field, old: &Arc<CodeValues>, new: &Arc<CodeValues>) -> usize {
        let found = self.codes.iter().position(|(of, _)| *of == field);
        if let Some(place) = found {
            let known = &self.codes[place].1;
            if Arc::ptr_eq(&known.old, old) && Arc::ptr_eq(&known.new, new) {
                return place;
            }
        }
        // Code 0, the absent value, is the empty text on both sides.
        let by_text: HashMap<&str, u16> = new.texts().zip(0..).collect();
        let map = old.texts().map(|text| by_text.get(text).copied().unwrap_or(NO_CODE)).collect();
        let made = CodeMap { map, old: Arc::clone(old), new: Arc::clone(new) };
        match found {
            Some(place) => {
                self.codes[place].1 = made;
                place
            }
            None => {
                self.codes.push((field, made));
                self.codes.len() - 1
            }
        }
    }

    fn bools(&mut self, field: Field, (old, from): (&BoolColumn, usize), (new, to): (&BoolColumn, usize), rows: usize) {
        for row in (0..rows).filter(|row| old.value(from + row) != new.value(to + row)) {
            self.mark(row, rows, field);
        }
    }

    fn ints(&mut self, field: Field, (old, from): (&IntColumn, usize), (new, to): (&IntColumn, usize), rows: usize) {
        let (one, two) = (&old.values()[from..from + rows], &new.values()[to..to + rows]);
        if old.absent() == 0 && new.absent() == 0 && one == two {
            return;
        }
        for row in (0..rows).filter(|row| old.value(from + row) != new.value(to + row)) {
            self.mark(row, rows, field);
        }
    }
}

/// How many texts are the same in both columns from a row of each on, at most `rows`.
pub(super) fn equal_texts((old, from): (&TextColumn, usize), (new, to): (&TextColumn, usize), rows: usize) -> usize {
    let mut row = 0;
    if let (Some((one, one_bytes)), Some((two, two_bytes))) = (old.as_offsets(), new.as_offsets()) {
        while rows - row >= BLOCK_ROWS {
            let one = &one[from + row..=from + row + BLOCK_ROWS];
            let two = &two[to + row..=to + row + BLOCK_ROWS];
            // Texts of the same lengths whose bytes are the same one after another are the same.
            let lengths =
                one.iter().zip(two).all(|(end, other)| end.wrapping_sub(one[0]) == other.wrapping_sub(two[0]));
            let bytes =
                |offsets: &[i32]| offsets[0].unsigned_abs() as usize..offsets[BLOCK_ROWS].unsigned_abs() as usize;
            if !lengths || one_bytes[bytes(one)] != two_bytes[bytes(two)] {
                break;
            }
            row += BLOCK_ROWS;
        }
    }
    while row < rows && old.value(from + row) == new.value(to + row) {
        row += 1;
    }
    row
}
