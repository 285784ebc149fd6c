//! The values of columns that have few: objects and bytes of each.

use super::{amount::Amount, report::FieldShares, tallies::Tallies};
use std::sync::Arc;
use stocktake_core::{BoolColumn, CodeColumn, CodeValues, Field};

/// Columns whose values are counted. Storage classes are counted with ages and sizes.
pub(super) const VALUE_FIELDS: [Field; 10] = [
    Field::IsMultipartUploaded,
    Field::ReplicationStatus,
    Field::EncryptionStatus,
    Field::ObjectLockMode,
    Field::ObjectLockLegalHoldStatus,
    Field::IntelligentTieringAccessTier,
    Field::BucketKeyStatus,
    Field::ChecksumAlgorithm,
    Field::ObjectOwner,
    Field::ObjectLockEventHoldStatus,
];

/// The values of one column.
#[derive(Clone, Debug)]
pub(super) struct Values {
    field: Field,
    by_name: Tallies,
    /// Tallies by the codes that were met last.
    codes: Option<Arc<CodeValues>>,
    by_code: Vec<Amount>,
}

impl Values {
    pub(super) fn new(field: Field) -> Self {
        Self { field, by_name: Tallies::default(), codes: None, by_code: Vec::new() }
    }

    pub(super) fn field(&self) -> Field {
        self.field
    }

    pub(super) fn add_codes(&mut self, column: &CodeColumn, tallies: &[Amount]) {
        if self.codes.as_ref().is_none_or(|known| !Arc::ptr_eq(known, column.values())) {
            self.settle();
            self.by_code.resize(column.values().texts().len(), Amount::default());
            self.codes = Some(Arc::clone(column.values()));
        }
        for (code, tally) in column.codes().iter().zip(tallies) {
            self.by_code[usize::from(*code)].add(*tally);
        }
    }

    pub(super) fn add_booleans(&mut self, column: &BoolColumn, tallies: &[Amount]) {
        let mut sums = [Amount::default(); 3];
        for (row, tally) in tallies.iter().enumerate() {
            sums[column.value(row).map_or(2, usize::from)].add(*tally);
        }
        self.add_sums(["false", "true", ""], sums);
    }

    /// Objects of which the value is absent.
    pub(super) fn add_absent(&mut self, tallies: &[Amount]) {
        let mut sum = Amount::default();
        tallies.iter().for_each(|tally| sum.add(*tally));
        self.add_sums([""], [sum]);
    }

    fn add_sums<const N: usize>(&mut self, names: [&str; N], sums: [Amount; N]) {
        for (name, sum) in names.into_iter().zip(sums).filter(|(_, sum)| !sum.is_empty()) {
            self.by_name.add(name, sum);
        }
    }

    /// Brings what was counted by code under names.
    pub(super) fn settle(&mut self) {
        let Some(codes) = self.codes.take() else { return };
        for (name, tally) in codes.texts().zip(self.by_code.drain(..)).filter(|(_, tally)| !tally.is_empty()) {
            self.by_name.add(name, tally);
        }
    }

    /// Takes over what another one counted; both are settled.
    pub(super) fn merge(&mut self, other: Self) {
        self.by_name.merge(other.by_name);
    }

    pub(super) fn shares(&self, limit: usize) -> FieldShares {
        let mut values = self.by_name.shares();
        let others = values.len().saturating_sub(limit) as u64;
        values.truncate(limit);
        FieldShares { field: self.field, values, others }
    }
}
