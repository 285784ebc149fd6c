//! Sets of fields, and the choice of fields that a report's owner makes.
//!
//! A set has no order of its own: whatever order a configuration names fields in, a report has them in file order.

use crate::field::{FIELDS, Field, FieldChoice};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A set of fields; iterates in file order.
///
/// Serialises as a list of CSV names.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Field>", into = "Vec<Field>")]
pub struct FieldSet(u32);

impl FieldSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);
    /// Bucket and key, which every report has.
    pub const REQUIRED: Self = Self::EMPTY.with(Field::Bucket).with(Field::Key);
    /// The three fields that an all-versions report has more than a current one.
    pub const VERSION_FIELDS: Self =
        Self::EMPTY.with(Field::VersionId).with(Field::IsLatest).with(Field::IsDeleteMarker);

    /// The set with one more field.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field.index())
    }

    /// The set without one field.
    #[must_use]
    pub const fn without(self, field: Field) -> Self {
        Self(self.0 & !(1 << field.index()))
    }

    /// Fields in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Fields in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Fields in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the field is in the set.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & 1 << field.index() != 0
    }

    /// Whether the set has no field.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Number of fields.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The fields in file order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Field> {
        Field::all().filter(move |field| self.contains(*field))
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        fields.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl From<Vec<Field>> for FieldSet {
    fn from(fields: Vec<Field>) -> Self {
        fields.into_iter().collect()
    }
}

impl From<FieldSet> for Vec<Field> {
    fn from(set: FieldSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Which object versions a report holds (`IncludedObjectVersions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Versions {
    /// The current version of each key; keys whose current version is a delete marker are left out.
    #[default]
    Current,
    /// Every version and delete marker, with the columns VersionId, IsLatest and IsDeleteMarker.
    All,
}

/// The choice of optional fields before the source is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FieldSelection {
    /// The columns of a plain report that the source provides.
    #[default]
    Default,
    /// Every settled field, provided or not; a field that the source does not provide is empty in every row.
    All,
    /// These fields; each must be provided by the source.
    Named(FieldSet),
}

impl FieldSelection {
    /// Parses `default`, `all`, or a comma-separated list of `OptionalFields` names; spaces around names are ignored.
    ///
    /// # Errors
    /// Names the first unknown name and lists the known ones.
    pub fn parse(text: &str) -> Result<Self, UnknownField> {
        match text.trim() {
            "default" => Ok(Self::Default),
            "all" => Ok(Self::All),
            list => {
                let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
                names
                    .map(|name| option_fields(name).ok_or_else(|| UnknownField(name.to_owned())))
                    .try_fold(FieldSet::EMPTY, |set, fields| Ok(set.union(fields?)))
                    .map(Self::Named)
            }
        }
    }

    /// The columns of a report of a source that provides `provided`: bucket and key, the version fields if all
    /// versions are asked for, and the chosen optional fields.
    ///
    /// # Errors
    /// Names the fields that were asked for by name and that the source does not provide.
    pub fn resolve(self, provided: FieldSet, versions: Versions) -> Result<FieldSet, MissingFields> {
        let chosen = match self {
            Self::Default => by_rule(|info| info.in_default).intersection(provided),
            Self::All => by_rule(|info| info.choice == FieldChoice::Optional),
            Self::Named(fields) => {
                let optional = by_rule(|info| info.option_name.is_some());
                let missing = fields.intersection(optional).difference(provided);
                if !missing.is_empty() {
                    return Err(MissingFields(missing));
                }
                fields.intersection(optional)
            }
        };
        Ok(match versions {
            Versions::Current => chosen.difference(FieldSet::VERSION_FIELDS),
            Versions::All => chosen.union(FieldSet::VERSION_FIELDS),
        }
        .union(FieldSet::REQUIRED))
    }
}

fn by_rule(rule: impl Fn(&crate::field::FieldInfo) -> bool) -> FieldSet {
    FIELDS.iter().filter(|info| rule(info)).map(|info| info.field).collect()
}

/// Fields that one name of `OptionalFields` stands for; names of columns that are always there are accepted too.
fn option_fields(name: &str) -> Option<FieldSet> {
    let fields = by_rule(|info| {
        info.option_name.unwrap_or(info.csv_name) == name || info.csv_name == name || info.column_name == name
    });
    (!fields.is_empty()).then_some(fields)
}

/// A name that is no field's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField(pub String);

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown field `{}`; known: default, all", self.0)?;
        FIELDS.iter().filter_map(|info| info.option_name).try_for_each(|name| write!(f, ", {name}"))
    }
}

impl std::error::Error for UnknownField {}

/// Fields asked for by name that the source does not provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingFields(pub FieldSet);

impl fmt::Display for MissingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source does not provide ")?;
        for (index, field) in self.0.iter().enumerate() {
            write!(f, "{}{field}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for MissingFields {}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> FieldSet {
        Field::all().collect()
    }

    #[test]
    fn default_is_the_nine_columns_of_a_plain_report() {
        let fields = FieldSelection::Default.resolve(everything(), Versions::Current).unwrap();
        let names: Vec<_> = fields.iter().map(Field::csv_name).collect();
        assert_eq!(
            names.join(", "),
            "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus, EncryptionStatus"
        );
    }

    #[test]
    fn default_leaves_out_what_the_source_lacks() {
        let provided = FieldSet::REQUIRED.with(Field::Size).with(Field::ObjectOwner);
        let fields = FieldSelection::Default.resolve(provided, Versions::Current).unwrap();
        assert_eq!(fields, FieldSet::REQUIRED.with(Field::Size));
    }

    #[test]
    fn all_is_every_settled_field() {
        let current = FieldSelection::All.resolve(FieldSet::REQUIRED, Versions::Current).unwrap();
        assert_eq!(current.len(), 18);
        let all = FieldSelection::All.resolve(FieldSet::REQUIRED, Versions::All).unwrap();
        assert_eq!(all.len(), 21);
        assert!(!all.contains(Field::ObjectLockEventHoldStatus));
    }

    #[test]
    fn names_are_parsed_in_any_order_and_land_in_file_order() {
        let FieldSelection::Named(set) = FieldSelection::parse("StorageClass, ETag,Size").unwrap() else { panic!() };
        assert_eq!(set.iter().collect::<Vec<_>>(), [Field::Size, Field::ETag, Field::StorageClass]);
    }

    #[test]
    fn one_option_may_stand_for_two_columns() {
        let FieldSelection::Named(set) = FieldSelection::parse("ObjectLockEventHoldDuration").unwrap() else {
            panic!()
        };
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn unknown_and_missing_names_are_refused() {
        assert_eq!(FieldSelection::parse("Size,Sise").unwrap_err(), UnknownField("Sise".into()));
        let named = FieldSelection::parse("Size,ETag").unwrap();
        let missing = named.resolve(FieldSet::REQUIRED.with(Field::Size), Versions::Current).unwrap_err();
        assert_eq!(missing.to_string(), "the source does not provide ETag");
    }
}
