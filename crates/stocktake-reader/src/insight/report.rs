//! What an insight says. The members of its JSON are these, and stay.

use super::{amount::Amount, top::Top};
use serde::Serialize;
use stocktake_core::{Field, FileFormat};

/// What the rows of a report say of its bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Insight {
    /// Key of the manifest.
    pub manifest: String,
    /// Name of the source bucket.
    pub source_bucket: String,
    /// When the scan started, `yyyy-MM-ddTHH:mm:ss.SSSZ`; ages are those at this time. None if the manifest does not tell.
    pub created_at: Option<String>,
    /// Format of the data files.
    pub format: FileFormat,
    /// Rows that were read: objects and delete markers.
    pub rows: u64,
    /// All objects; every version is one.
    pub total: Amount,
    /// Objects that are not the latest version of their key; none in a report of current versions.
    pub noncurrent_objects: Option<u64>,
    /// Delete markers; none in a report of current versions.
    pub delete_markers: Option<u64>,
    /// Delete markers that are the latest version of their key: a listing passes over it.
    pub latest_delete_markers: Option<u64>,
    /// Columns that this would be made of and that the report does not have: what rests on them is not known.
    pub columns_absent: Vec<Field>,
    /// What stands out, largest first.
    pub findings: Vec<Finding>,
    /// Storage classes, those with the most bytes first.
    pub storage_classes: Vec<ClassShare>,
    /// By days since the last modification, youngest first; the last is `unknown`.
    pub ages: Vec<Share>,
    /// By size, smallest first; the last is `unknown`.
    pub sizes: Vec<Share>,
    /// Values of the columns that have few, in S3's order of columns; an absent value is `""`.
    pub values: Vec<FieldShares>,
    /// Prefixes of each depth, from 1.
    pub prefixes: Vec<PrefixRanking>,
    /// Prefixes of all these depths. One that has the same objects as a longer one is left out.
    pub prefixes_overall: Ranking,
    /// By file extension, in small letters; `""` for none.
    pub extensions: Ranking,
    /// The largest objects.
    pub largest: Vec<ObjectFacts>,
    /// The objects that were not modified for longest.
    pub oldest: Vec<ObjectFacts>,
    /// The objects that were modified last.
    pub newest: Vec<ObjectFacts>,
    /// Objects of the same ETag and size, if the report has both columns.
    pub duplicates: Option<Duplication>,
    /// What is unusual.
    pub notes: Vec<String>,
}

/// A part of all objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Share {
    /// What they have in common.
    pub name: String,
    /// How many they are.
    #[serde(flatten)]
    pub tally: Amount,
}

impl Share {
    pub(super) fn new(name: &str, tally: Amount) -> Self {
        Self { name: name.to_owned(), tally }
    }

    pub(super) fn all(top: Top<Amount>) -> Vec<Self> {
        top.into_sorted().into_iter().map(|(name, tally)| Self { name: name.into(), tally }).collect()
    }
}

/// A storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClassShare {
    /// Its name and all of its objects.
    #[serde(flatten)]
    pub share: Share,
    /// Its objects in each class of [`Insight::ages`].
    pub ages: Vec<Amount>,
    /// Its objects in each class of [`Insight::sizes`].
    pub sizes: Vec<Amount>,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldShares {
    /// The column.
    pub field: Field,
    /// Its values, those with the most bytes first.
    pub values: Vec<Share>,
    /// How many more values there are.
    pub others: u64,
}

/// The names that lead among many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ranking {
    /// How many names there are; at least, if not exact.
    pub distinct: u64,
    /// Whether all figures are exact.
    pub exact: bool,
    /// The most that any name may have more than is said of it; zero if exact.
    pub missed_at_most: Amount,
    /// Those with the most bytes.
    pub by_bytes: Vec<Share>,
    /// Those with the most objects.
    pub by_objects: Vec<Share>,
}

/// Prefixes that end in the same delimiter of the key, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrefixRanking {
    /// Delimiters in the prefix.
    pub depth: usize,
    /// The leading ones.
    #[serde(flatten)]
    pub ranking: Ranking,
}

/// An object of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct ObjectFacts {
    /// Its key.
    pub key: String,
    /// Its version, if the report tells.
    pub version_id: Option<String>,
    /// Size in bytes, if the report tells.
    pub bytes: Option<u64>,
    /// Time of the last modification, if the report tells.
    pub last_modified: Option<String>,
    /// Storage class, if the report tells.
    pub storage_class: Option<String>,
}

/// Objects of the same ETag and size.
///
/// An ETag is a digest of the content for objects that were uploaded whole and are not encrypted by a key of KMS or the
/// customer's: for others equal contents have different ETags, so that this is the least there is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Duplication {
    /// Contents that more than one object has.
    pub contents: u64,
    /// Bytes of all copies but one of each.
    pub bytes: u64,
    /// Whether both figures are exact; else they are estimated from a sample.
    pub exact: bool,
    /// Standard error of the bytes in bytes; zero if exact.
    pub standard_error_bytes: u64,
    /// Smallest size in bytes of which every object was looked at; smaller ones in proportion to their size.
    pub sampled_below_bytes: u64,
    /// The contents whose copies take the most bytes, of those in the sample.
    pub leading: Vec<Copies>,
}

/// Objects of one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Copies {
    /// Their ETag.
    pub e_tag: String,
    /// The first of their keys, or its first 256 bytes.
    pub key: String,
    /// How many they are.
    pub objects: u64,
    /// Size of each in bytes.
    pub object_bytes: u64,
    /// Bytes of all but one.
    pub bytes: u64,
}

/// Something that costs or endangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Objects that it concerns.
    pub objects: u64,
    /// Bytes that it concerns.
    pub bytes: u64,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Versions that are not the latest of their key.
    NoncurrentVersions,
    /// Objects in STANDARD that were not modified for 90 days.
    OldInStandard,
    /// Copies of contents that are there already.
    Duplicates,
    /// Bytes that classes of infrequent access bill beyond the size of objects smaller than 128 KiB.
    SmallInInfrequentAccess,
    /// Objects without server-side encryption.
    Unencrypted,
    /// Objects whose replication failed.
    ReplicationFailed,
    /// Keys whose latest version is a delete marker.
    LatestDeleteMarkers,
}

impl FindingKind {
    /// The finding in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoncurrentVersions => "Non-current versions",
            Self::OldInStandard => "In STANDARD, not modified for 90 days",
            Self::Duplicates => "Copies of the same content",
            Self::SmallInInfrequentAccess => "Small in infrequent access, billed beyond",
            Self::Unencrypted => "Not encrypted",
            Self::ReplicationFailed => "Replication failed",
            Self::LatestDeleteMarkers => "Keys that end in a delete marker",
        }
    }
}
