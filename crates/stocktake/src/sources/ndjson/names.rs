//! Member names of rows: the next row has most likely the members of the last, in the same order.

use stocktake_core::Field;

/// Names that rows have had, in the order in which they stood.
///
/// Holds at most the two spellings of each field.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<(&'static str, Field)>,
    next: usize,
}

impl Names {
    /// Begins a row.
    pub(super) fn begin_row(&mut self) {
        self.next = 0;
    }

    /// The field whose name and closing quote stand at the front of `rest`, and the length of both; `None` if no name
    /// seen before stands there.
    #[inline]
    pub(super) fn predicted(&mut self, rest: &[u8]) -> Option<(Field, usize)> {
        match self.known.get(self.next) {
            Some((name, field)) if stands_at(name, rest) => {
                self.next += 1;
                Some((*field, name.len() + 1))
            }
            _ => self.found_elsewhere(rest),
        }
    }

    /// Members that are left out where they have no value make rows skip names: those that follow come first.
    fn found_elsewhere(&mut self, rest: &[u8]) -> Option<(Field, usize)> {
        let (before, after) = self.known.split_at_checked(self.next)?;
        let candidates = (self.next..).zip(after).chain((0..).zip(before));
        let (index, (name, field)) = candidates.into_iter().find(|(_, (name, _))| stands_at(name, rest))?;
        self.next = index + 1;
        Some((*field, name.len() + 1))
    }

    /// The field of a name that was not predicted.
    pub(super) fn look_up(&mut self, name: &str) -> Option<Field> {
        let field = Field::from_name(name)?;
        let info = field.info();
        let name = if info.csv_name == name { info.csv_name } else { info.column_name };
        // A name that was written with escapes is known, but was not recognised.
        if !self.known.iter().any(|(known, _)| *known == name) {
            self.known.insert(self.next, (name, field));
            self.next += 1;
        }
        Some(field)
    }
}

#[inline]
fn stands_at(name: &str, rest: &[u8]) -> bool {
    rest.get(name.len()) == Some(&b'"') && rest.starts_with(name.as_bytes())
}
