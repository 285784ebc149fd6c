//! The table of inventory fields, from which column order, schema texts and parsing are derived.
//!
//! A field is a column of a report. The table knows names, types and value sets; it knows nothing of how a format
//! encodes them. Order and names follow real deliveries of S3 Inventory, not the order of the API's enumeration.

use serde::{Deserialize, Serialize};

/// A column of an inventory report, in file order.
///
/// Serialises as its CSV name, for example `"LastModifiedDate"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[repr(u8)]
pub enum Field {
    /// Name of the source bucket; a constant of the report.
    Bucket,
    /// Object key, valid UTF-8 of 1 to 1,024 bytes.
    Key,
    /// Version id; absent for the null version.
    VersionId,
    /// Whether the version is the current one of its key.
    IsLatest,
    /// Whether the version is a delete marker.
    IsDeleteMarker,
    /// Size in bytes; absent for delete markers.
    Size,
    /// Later of creation and modification time, milliseconds since 1970-01-01 UTC.
    LastModifiedDate,
    /// Entity tag without quotes; `-N` suffix for multipart uploads.
    ETag,
    /// Storage class.
    StorageClass,
    /// Whether the object was written by a multipart upload.
    IsMultipartUploaded,
    /// Replication status.
    ReplicationStatus,
    /// Server-side encryption, in the inventory's own spelling (`SSE-S3`, not `AES256`).
    EncryptionStatus,
    /// Object Lock: date until which the object is retained, milliseconds since 1970-01-01 UTC.
    ObjectLockRetainUntilDate,
    /// Object Lock: mode.
    ObjectLockMode,
    /// Object Lock: legal hold.
    ObjectLockLegalHoldStatus,
    /// Access tier of an `INTELLIGENT_TIERING` object.
    IntelligentTieringAccessTier,
    /// Whether an S3 Bucket Key is used.
    BucketKeyStatus,
    /// Algorithm of the object's additional checksum.
    ChecksumAlgorithm,
    /// Access control list: base64 of a JSON document.
    ObjectAccessControlList,
    /// Canonical user id of the owner.
    ObjectOwner,
    /// Date on which a lifecycle rule expires the object, milliseconds since 1970-01-01 UTC.
    LifecycleExpirationDate,
    /// Object Lock: event hold. Position and name are not settled.
    ObjectLockEventHoldStatus,
    /// Object Lock: length of the event hold. Position and name are not settled.
    ObjectLockEventHoldDuration,
    /// Object Lock: unit of the event hold's length. Position and name are not settled.
    ObjectLockEventHoldDurationUnit,
    /// Date from which Intelligent-Tiering counts, milliseconds since 1970-01-01 UTC. Position and name are not settled.
    IntelligentTieringReferenceDate,
}

/// What a column holds, and with it its type in each format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldType {
    /// UTF-8 text with as many values as rows (key, version id, ETag).
    Text,
    /// UTF-8 text with few values; travels as codes.
    Code,
    /// True or false.
    Boolean,
    /// A signed 64-bit count.
    Int64,
    /// A signed 32-bit count.
    Int32,
    /// Milliseconds since 1970-01-01 UTC in 64 bits.
    Timestamp,
}

/// How a field comes into a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldChoice {
    /// In every report.
    Always,
    /// In every all-versions report, and in no other.
    AllVersions,
    /// Named in `OptionalFields`, with a column that real deliveries show.
    Optional,
    /// Named in `OptionalFields`, with a column whose name or position no public delivery confirms: only by name.
    Unsettled,
}

/// One line of the table of fields.
#[derive(Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Name in a CSV `fileSchema`.
    pub csv_name: &'static str,
    /// Name of the ORC and Parquet column.
    pub column_name: &'static str,
    /// Name in the configuration's `OptionalFields`; several columns may share one.
    pub option_name: Option<&'static str>,
    /// Type of the column.
    pub field_type: FieldType,
    /// How the field comes into a report.
    pub choice: FieldChoice,
    /// Whether the Parquet column is `required`; every other column is `optional`.
    pub required: bool,
    /// Values that S3 writes; empty where the set is open. Other values are kept or refused as the report asks.
    pub values: &'static [&'static str],
    /// Whether an unversioned source has the field in a plain report, if it provides it.
    pub in_default: bool,
}

const ON_OFF: &[&str] = &["ON", "OFF"];

macro_rules! table {
    ($($field:ident $column:literal $option:expr, $ty:ident $choice:ident $required:literal $default:literal $values:expr;)*) => {
        /// Every field, in file order.
        pub static FIELDS: &[FieldInfo] = &[$(FieldInfo {
            field: Field::$field,
            csv_name: stringify!($field),
            column_name: $column,
            option_name: $option,
            field_type: FieldType::$ty,
            choice: FieldChoice::$choice,
            required: $required,
            values: $values,
            in_default: $default,
        }),*];
        const ALL_FIELDS: &[Field] = &[$(Field::$field),*];
    };
}

table! {
    Bucket "bucket" None, Text Always true true &[];
    Key "key" None, Text Always true true &[];
    VersionId "version_id" None, Text AllVersions false false &[];
    IsLatest "is_latest" None, Boolean AllVersions false false &[];
    IsDeleteMarker "is_delete_marker" None, Boolean AllVersions false false &[];
    Size "size" Some("Size"), Int64 Optional false true &[];
    LastModifiedDate "last_modified_date" Some("LastModifiedDate"), Timestamp Optional false true &[];
    ETag "e_tag" Some("ETag"), Text Optional false true &[];
    StorageClass "storage_class" Some("StorageClass"), Code Optional false true
        &["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
          "DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP",
          "AWS_BACKUP_WARM", "AWS_BACKUP_LOW_COST_WARM"];
    IsMultipartUploaded "is_multipart_uploaded" Some("IsMultipartUploaded"), Boolean Optional false true &[];
    ReplicationStatus "replication_status" Some("ReplicationStatus"), Code Optional false true
        &["PENDING", "COMPLETED", "FAILED", "REPLICA"];
    EncryptionStatus "encryption_status" Some("EncryptionStatus"), Code Optional false true
        &["SSE-S3", "SSE-KMS", "DSSE-KMS", "SSE-C", "NOT-SSE"];
    ObjectLockRetainUntilDate "object_lock_retain_until_date" Some("ObjectLockRetainUntilDate"), Timestamp Optional false false &[];
    ObjectLockMode "object_lock_mode" Some("ObjectLockMode"), Code Optional false false &["COMPLIANCE", "GOVERNANCE"];
    ObjectLockLegalHoldStatus "object_lock_legal_hold_status" Some("ObjectLockLegalHoldStatus"), Code Optional false false ON_OFF;
    IntelligentTieringAccessTier "intelligent_tiering_access_tier" Some("IntelligentTieringAccessTier"), Code Optional false false
        &["FREQUENT", "INFREQUENT", "ARCHIVE_INSTANT_ACCESS", "ARCHIVE", "DEEP_ARCHIVE"];
    BucketKeyStatus "bucket_key_status" Some("BucketKeyStatus"), Code Optional false false &["ENABLED", "DISABLED"];
    ChecksumAlgorithm "checksum_algorithm" Some("ChecksumAlgorithm"), Code Optional false false
        &["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"];
    ObjectAccessControlList "object_access_control_list" Some("ObjectAccessControlList"), Code Optional false false &[];
    ObjectOwner "object_owner" Some("ObjectOwner"), Code Optional false false &[];
    LifecycleExpirationDate "lifecycle_expiration_date" Some("LifecycleExpirationDate"), Timestamp Optional false false &[];
    ObjectLockEventHoldStatus "object_lock_event_hold_status" Some("ObjectLockEventHoldStatus"), Code Unsettled false false ON_OFF;
    ObjectLockEventHoldDuration "object_lock_event_hold_duration" Some("ObjectLockEventHoldDuration"), Int32 Unsettled false false &[];
    ObjectLockEventHoldDurationUnit "object_lock_event_hold_duration_unit" Some("ObjectLockEventHoldDuration"), Code Unsettled false false
        &["DAYS", "YEARS"];
    IntelligentTieringReferenceDate "intelligent_tiering_reference_date" Some("IntelligentTieringReferenceDate"), Timestamp Unsettled false false &[];
}

impl Field {
    /// Number of fields, settled or not.
    pub const COUNT: usize = ALL_FIELDS.len();

    /// Every field in file order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        ALL_FIELDS.iter().copied()
    }

    /// Position in file order, below [`Field::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The field's line in the table.
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self.index()]
    }

    /// Name in a CSV `fileSchema`.
    pub fn csv_name(self) -> &'static str {
        self.info().csv_name
    }

    /// Name of the ORC and Parquet column.
    pub fn column_name(self) -> &'static str {
        self.info().column_name
    }

    /// Type of the column.
    pub fn field_type(self) -> FieldType {
        self.info().field_type
    }

    /// The field with this CSV or column name, as rows of a listing spell it.
    pub fn from_name(name: &str) -> Option<Self> {
        // Compared by length first, a table of 25 names is searched in the time that a hash would take.
        FIELDS.iter().find(|info| info.csv_name == name || info.column_name == name).map(|info| info.field)
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.csv_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enumeration() {
        for (index, info) in FIELDS.iter().enumerate() {
            assert_eq!(info.field.index(), index, "{}", info.csv_name);
            assert_eq!(info.field.info().csv_name, info.csv_name);
        }
    }

    #[test]
    fn serde_uses_the_csv_name() {
        for field in Field::all() {
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(json, format!("\"{}\"", field.csv_name()));
            assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), field);
        }
    }

    #[test]
    fn both_spellings_name_a_field() {
        for field in Field::all() {
            assert_eq!(Field::from_name(field.csv_name()), Some(field));
            assert_eq!(Field::from_name(field.column_name()), Some(field));
        }
        assert_eq!(Field::from_name("etag"), None);
    }
}
