//! The text of `fileSchema` in a manifest, in the spelling that real deliveries have, and back.
//!
//! The texts are derived from the table of fields. For Parquet the real spelling differs from the documented one: two
//! spaces before each field, none before the closing brace, logical type names (`STRING`, not `UTF8`).

mod column;

pub use column::SchemaColumn;

use crate::{field::FieldType, field_set::FieldSet};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Format of the data files, spelled as `fileFormat` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FileFormat {
    /// Gzip-compressed CSV without a header.
    #[serde(rename = "CSV")]
    Csv,
    /// Apache ORC.
    #[serde(rename = "ORC")]
    Orc,
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// The manifest's `fileFormat`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Orc => "ORC",
            Self::Parquet => "Parquet",
        }
    }

    /// Ending of data file names, without the leading dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv.gz",
            Self::Orc => "orc",
            Self::Parquet => "parquet",
        }
    }

    /// The manifest's `fileSchema` for a report with these columns.
    pub fn schema_text(self, fields: FieldSet) -> String {
        match self {
            Self::Csv => fields.iter().map(|field| field.csv_name()).collect::<Vec<_>>().join(", "),
            Self::Orc => {
                let columns =
                    fields.iter().map(|field| format!("{}:{}", field.column_name(), orc_type(field.field_type())));
                format!("struct<{}>", columns.collect::<Vec<_>>().join(","))
            }
            Self::Parquet => {
                let mut text = String::from("message s3.inventory {");
                for field in fields.iter() {
                    let repetition = if field.info().required { "required" } else { "optional" };
                    let (physical, logical) = parquet_type(field.field_type());
                    // Writing into a String cannot fail.
                    let _ = write!(text, "  {repetition} {physical} {}{logical};", field.column_name());
                }
                text.push('}');
                text
            }
        }
    }

    /// The columns of a `fileSchema` of this format, in file order and in any spelling; none if the text is not of this
    /// format.
    pub fn parse_schema(self, text: &str) -> Option<Vec<SchemaColumn>> {
        column::parse(self, text)
    }
}

fn orc_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Text | FieldType::Code => "string",
        FieldType::Boolean => "boolean",
        FieldType::Int64 => "bigint",
        FieldType::Int32 => "int",
        FieldType::Timestamp => "timestamp",
    }
}

fn parquet_type(field_type: FieldType) -> (&'static str, &'static str) {
    match field_type {
        FieldType::Text | FieldType::Code => ("binary", " (STRING)"),
        FieldType::Boolean => ("boolean", ""),
        FieldType::Int64 => ("int64", ""),
        FieldType::Int32 => ("int32", ""),
        FieldType::Timestamp => ("int64", " (TIMESTAMP(MILLIS,true))"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    /// The first eighteen columns: an all-versions report of May 2024.
    fn report_of_2024() -> FieldSet {
        Field::all().take(18).collect()
    }

    #[test]
    fn csv_schema_is_joined_by_comma_and_space() {
        assert_eq!(
            FileFormat::Csv.schema_text(report_of_2024()),
            "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, \
             IsMultipartUploaded, ReplicationStatus, EncryptionStatus, ObjectLockRetainUntilDate, ObjectLockMode, \
             ObjectLockLegalHoldStatus, IntelligentTieringAccessTier, BucketKeyStatus, ChecksumAlgorithm"
        );
    }

    #[test]
    fn orc_schema_is_a_hive_struct() {
        assert_eq!(
            FileFormat::Orc.schema_text(report_of_2024()),
            "struct<bucket:string,key:string,version_id:string,is_latest:boolean,is_delete_marker:boolean,size:bigint,\
             last_modified_date:timestamp,e_tag:string,storage_class:string,is_multipart_uploaded:boolean,\
             replication_status:string,encryption_status:string,object_lock_retain_until_date:timestamp,\
             object_lock_mode:string,object_lock_legal_hold_status:string,intelligent_tiering_access_tier:string,\
             bucket_key_status:string,checksum_algorithm:string>"
        );
    }

    #[test]
    fn parquet_schema_has_two_spaces_before_each_field() {
        let fields = FieldSet::REQUIRED.with(Field::IsLatest).with(Field::Size).with(Field::LastModifiedDate);
        assert_eq!(
            FileFormat::Parquet.schema_text(fields),
            "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  \
             optional boolean is_latest;  optional int64 size;  \
             optional int64 last_modified_date (TIMESTAMP(MILLIS,true));}"
        );
    }

    /// Compares with the manifests of real deliveries where the shared fixtures are beside the checkout.
    #[test]
    fn schema_texts_equal_those_of_real_deliveries() {
        let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let folders = above.map(|folder| folder.join("shared/fixtures/aws")).filter(|folder| folder.is_dir());
        let Some(folder) = folders.into_iter().next() else { return };
        for (format, name) in [
            (FileFormat::Csv, "csv_inventory_manifest.json"),
            (FileFormat::Orc, "orc_inventory_manifest.json"),
            (FileFormat::Parquet, "parquet_inventory_manifest.json"),
        ] {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(manifest["fileSchema"], format.schema_text(report_of_2024()), "{name}");
            assert_eq!(manifest["fileFormat"], format.name(), "{name}");
        }
    }
}
