//! The fields that a source of rows with named members provides, by what its front has or by what is said of it.

use stocktake_core::{Field, FieldSet};

/// Fields that a source provides, and those that end the run if a row has a value of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provided {
    pub(super) fields: FieldSet,
    /// Fields whose values the report would lose in silence.
    pub(super) unexpected: FieldSet,
}

impl Provided {
    /// Fields that the front has. A value of any other is unexpected.
    pub(super) fn seen(fields: FieldSet) -> Self {
        let fields = fields.union(FieldSet::REQUIRED);
        Self { fields, unexpected: Field::all().collect::<FieldSet>().difference(fields) }
    }

    /// Fields that are stated. Of the others, those are unexpected that change what a row means.
    pub(super) fn stated(fields: FieldSet) -> Self {
        Self { fields: fields.union(FieldSet::REQUIRED), unexpected: FieldSet::VERSION_FIELDS.difference(fields) }
    }

    /// These fields as well; what is said of the others stays.
    pub(super) fn with_more(self, fields: FieldSet) -> Self {
        Self { fields: self.fields.union(fields), unexpected: self.unexpected.difference(fields) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_in_silence_is_unexpected() {
        let seen = Provided::seen(FieldSet::EMPTY.with(Field::Size));
        assert!(seen.fields.contains(Field::Key) && seen.fields.contains(Field::Size));
        assert!(seen.unexpected.contains(Field::ETag) && !seen.unexpected.contains(Field::Bucket));
        let more = seen.with_more(FieldSet::EMPTY.with(Field::ETag));
        assert!(more.fields.contains(Field::ETag) && more.fields.contains(Field::Size));
        assert!(!more.unexpected.contains(Field::ETag) && more.unexpected.contains(Field::StorageClass));
        let stated = Provided::stated(FieldSet::EMPTY.with(Field::ETag).with(Field::IsLatest));
        assert!(!stated.fields.contains(Field::Size) && stated.fields.contains(Field::Key));
        assert_eq!(stated.unexpected, FieldSet::EMPTY.with(Field::VersionId).with(Field::IsDeleteMarker));
    }
}
