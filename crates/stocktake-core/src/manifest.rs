//! manifest.json, manifest.checksum and symlink.txt: their exact text, and reading the manifest back.
//!
//! The text has the white space of real deliveries: two spaces of indent, a space on both sides of each colon, array
//! brackets inline. Nothing stands after the closing brace.

use crate::{digest::md5_hex, name::ReportKey, receipt::CompleteReport, schema::FileFormat, spec::ReportSpec};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The manifest's `version`, the same since the service began.
pub const MANIFEST_VERSION: &str = "2016-11-30";

/// A report's manifest. Members that are not known are passed over when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Manifest {
    /// Name of the source bucket.
    pub source_bucket: String,
    /// ARN of the destination bucket.
    pub destination_bucket: String,
    /// Version of the layout.
    pub version: String,
    /// When the scan started, milliseconds since 1970-01-01 UTC, as a string.
    pub creation_timestamp: String,
    /// Format of the data files.
    pub file_format: FileFormat,
    /// Schema of the data files, in the spelling of their format.
    pub file_schema: String,
    /// The data files in report order.
    pub files: Vec<ManifestFile>,
}

/// A data file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestFile {
    /// Key in the destination bucket, not encoded.
    pub key: String,
    /// Size of the stored object in bytes.
    pub size: u64,
    /// MD5 of the stored object in lower-case hex.
    #[serde(rename = "MD5checksum")]
    pub md5_checksum: String,
}

impl Manifest {
    /// The manifest of a complete report.
    pub fn new(spec: &ReportSpec, report: &CompleteReport) -> Self {
        let file = |file: &crate::receipt::ShardFile| ManifestFile {
            key: file.key.as_str().to_owned(),
            size: file.size_bytes,
            md5_checksum: file.md5.clone(),
        };
        Self {
            source_bucket: spec.source_bucket().to_string(),
            destination_bucket: format!("arn:aws:s3:::{}", spec.destination_bucket()),
            version: MANIFEST_VERSION.to_owned(),
            creation_timestamp: spec.created_at().ms().to_string(),
            file_format: spec.format().file_format(),
            file_schema: spec.schema_text(),
            files: report.files().map(file).collect(),
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// With line and column, if it is not JSON or a member is missing or of another type.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The text of manifest.json.
    pub fn to_text(&self) -> String {
        let mut text = String::from("{\n");
        let members = [
            ("sourceBucket", &*self.source_bucket),
            ("destinationBucket", &self.destination_bucket),
            ("version", &self.version),
            ("creationTimestamp", &self.creation_timestamp),
            ("fileFormat", self.file_format.name()),
            ("fileSchema", &self.file_schema),
        ];
        // Writing into a String cannot fail, here and below.
        for (name, value) in members {
            let _ = writeln!(text, "  \"{name}\" : {},", json_text(value));
        }
        text.push_str("  \"files\" : [ ");
        for (index, file) in self.files.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let _ = write!(
                text,
                "{separator}{{\n    \"key\" : {},\n    \"size\" : {},\n    \"MD5checksum\" : {}\n  }}",
                json_text(&file.key),
                file.size,
                json_text(&file.md5_checksum)
            );
        }
        text.push_str(if self.files.is_empty() { "]\n}" } else { " ]\n}" });
        text
    }
}

fn json_text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// The 33 bytes of manifest.checksum: MD5 of the manifest's text in hex, and a newline.
pub fn checksum_text(manifest: &[u8]) -> String {
    md5_hex(manifest) + "\n"
}

/// The text of symlink.txt: a line for each data file, without a newline at the end. The bucket's address stands before each key.
pub fn symlink_text<'a>(address: &str, keys: impl IntoIterator<Item = &'a ReportKey>) -> String {
    keys.into_iter().map(|key| format!("{address}/{key}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(files: &[(&str, u64, &str)]) -> Manifest {
        let file =
            |file: &(&str, u64, &str)| ManifestFile { key: file.0.into(), size: file.1, md5_checksum: file.2.into() };
        Manifest {
            source_bucket: "SRC".into(),
            destination_bucket: "arn:aws:s3:::DST".into(),
            version: MANIFEST_VERSION.into(),
            creation_timestamp: "1748826000000".into(),
            file_format: FileFormat::Parquet,
            file_schema: "Bucket, Key".into(),
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn the_text_has_the_white_space_of_real_deliveries() {
        let text = manifest(&[("SRC/CONFIG/data/a.parquet", 176_058_964, "55bf7c53"), ("k\"", 2, "00")]).to_text();
        let expected = r#"{
  "sourceBucket" : "SRC",
  "destinationBucket" : "arn:aws:s3:::DST",
  "version" : "2016-11-30",
  "creationTimestamp" : "1748826000000",
  "fileFormat" : "Parquet",
  "fileSchema" : "Bucket, Key",
  "files" : [ {
    "key" : "SRC/CONFIG/data/a.parquet",
    "size" : 176058964,
    "MD5checksum" : "55bf7c53"
  }, {
    "key" : "k\"",
    "size" : 2,
    "MD5checksum" : "00"
  } ]
}"#;
        assert_eq!(text, expected);
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().to_text(), expected);
    }

    #[test]
    fn an_empty_report_has_an_empty_list() {
        let text = manifest(&[]).to_text();
        assert!(text.ends_with("  \"files\" : [ ]\n}"), "{text}");
        assert!(Manifest::parse(text.as_bytes()).unwrap().files.is_empty());
    }

    #[test]
    fn checksum_and_symlink() {
        assert_eq!(checksum_text(b"abc"), "900150983cd24fb0d6963f7d28e17f72\n");
        let keys = ["a", "b"].map(|key| ReportKey::try_new(key).unwrap());
        assert_eq!(symlink_text("s3://dst", &keys), "s3://dst/a\ns3://dst/b");
        assert_eq!(symlink_text("s3://dst", []), "");
    }
}
