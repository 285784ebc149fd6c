//! Rows as the listings of other programs: JSON of `rclone`, `mc`, `s5cmd` and the AWS command line, and tables in CSV.
//!
//! A listing says of a row what its program says; what that is worth is for a property to tell.

use super::{
    Row, Value,
    ndjson::{json_text, space},
    one_in,
};
use arbitrary::{Result, Unstructured};
use stocktake_core::{Field, FieldSet};

/// A program whose listing is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingKind {
    /// `rclone lsjson -R`.
    Rclone,
    /// `mc ls --json --recursive`, with `--versions` where rows have version ids.
    Mc,
    /// `s5cmd --json ls`.
    S5cmd,
    /// `aws s3api list-objects-v2`.
    Aws,
    /// `aws s3api list-object-versions`.
    AwsVersions,
    /// A table whose first line names the columns.
    Csv,
}

impl ListingKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Rclone, Self::Mc, Self::S5cmd, Self::Aws, Self::AwsVersions, Self::Csv];
}

/// Columns of a table, in spellings that people use.
pub(crate) const COLUMNS: [(&str, Field); 16] = [
    ("Key", Field::Key),
    ("path", Field::Key),
    ("Object Name", Field::Key),
    ("bucket", Field::Bucket),
    ("size", Field::Size),
    ("Content-Length", Field::Size),
    ("last_modified_date", Field::LastModifiedDate),
    ("Last Modified", Field::LastModifiedDate),
    ("ETag", Field::ETag),
    ("e_tag", Field::ETag),
    ("StorageClass", Field::StorageClass),
    ("version_id", Field::VersionId),
    ("IsLatest", Field::IsLatest),
    ("delete-marker", Field::IsDeleteMarker),
    ("is_multipart_uploaded", Field::IsMultipartUploaded),
    ("EncryptionStatus", Field::EncryptionStatus),
];

/// The listing of these rows, of the bucket `bucket`, in a spelling that the data choose.
///
/// # Errors
/// None that input brings about; the type is that of the generator language.
pub fn arbitrary_listing(kind: ListingKind, bucket: &str, rows: &[Row], u: &mut Unstructured<'_>) -> Result<String> {
    let entries =
        |u: &mut Unstructured<'_>| rows.iter().map(|row| entry(kind, bucket, row, u)).collect::<Result<Vec<_>>>();
    Ok(match kind {
        ListingKind::Csv => table(bucket, rows, u)?,
        ListingKind::Rclone => format!("[\n{}\n]\n", entries(u)?.join(",\n")),
        ListingKind::Mc | ListingKind::S5cmd => entries(u)?.into_iter().map(|entry| entry + "\n").collect(),
        ListingKind::Aws => {
            let pages = if one_in(4, u)? { 2 } else { 1 };
            let entries = entries(u)?;
            let share = entries.len().div_ceil(pages).max(1);
            let page = |entries: &[String]| {
                format!(
                    "{{\n  \"IsTruncated\": false,\n  \"Contents\": [{}],\n  \"Name\": \"{bucket}\"\n}}\n",
                    entries.join(", ")
                )
            };
            if entries.is_empty() { page(&[]) } else { entries.chunks(share).map(page).collect() }
        }
        ListingKind::AwsVersions => {
            let (mut versions, mut markers) = (Vec::new(), Vec::new());
            for (row, entry) in rows.iter().zip(entries(u)?) {
                let list = if is_marker(row) { &mut markers } else { &mut versions };
                list.push(entry);
            }
            let (versions, markers) = (versions.join(",\n"), markers.join(",\n"));
            format!("{{\"Versions\": [\n{versions}\n], \"DeleteMarkers\": [\n{markers}\n], \"NextToken\": null}}\n")
        }
    })
}

fn is_marker(row: &Row) -> bool {
    row.value(Field::IsDeleteMarker) == Some(&Value::Bool(true))
}

fn entry(kind: ListingKind, bucket: &str, row: &Row, u: &mut Unstructured<'_>) -> Result<String> {
    let mut members = Vec::new();
    let quoted = |text: &str, u: &mut Unstructured<'_>| json_text(text, u);
    let mut put = |name: &str, value: Option<String>| members.extend(value.map(|value| format!("\"{name}\":{value}")));
    let text = |field: Field, u: &mut Unstructured<'_>| -> Result<Option<String>> {
        let text = row.text(field);
        if text.is_empty() { Ok(None) } else { quoted(&text, u).map(Some) }
    };
    let size = row.value(Field::Size).map(|_| row.text(Field::Size));
    let time = text(Field::LastModifiedDate, u)?;
    let flag = |field: Field| row.value(field).map(|_| row.text(field));
    match kind {
        ListingKind::Rclone => {
            put("Path", Some(quoted(row.key(), u)?));
            put("Size", size);
            put("ModTime", time);
            put("IsDir", one_in(8, u)?.then(|| one_in(2, u).map(|dir| dir.to_string())).transpose()?);
            put("Hashes", text(Field::ETag, u)?.map(|tag| format!("{{\"md5\":{tag},\"sha1\":\"x\"}}")));
            put("Tier", text(Field::StorageClass, u)?);
        }
        ListingKind::Mc => {
            put("status", Some("\"success\"".to_owned()));
            put("type", Some(if one_in(30, u)? { "\"folder\"" } else { "\"file\"" }.to_owned()));
            put("lastModified", time);
            put("size", size);
            put("key", Some(quoted(row.key(), u)?));
            put("etag", text(Field::ETag, u)?);
            put("storageClass", text(Field::StorageClass, u)?);
            put("versionId", text(Field::VersionId, u)?);
            put("isDeleteMarker", flag(Field::IsDeleteMarker));
        }
        ListingKind::S5cmd => {
            put("key", Some(quoted(&format!("s3://{bucket}/{}", row.key()), u)?));
            put("etag", text(Field::ETag, u)?);
            put("last_modified", time.or_else(|| Some("null".to_owned())));
            put("type", Some("\"file\"".to_owned()));
            put("size", size);
            put("storage_class", text(Field::StorageClass, u)?);
        }
        ListingKind::Aws | ListingKind::AwsVersions => {
            put("Key", Some(quoted(row.key(), u)?));
            put("LastModified", time);
            let tag = row.text(Field::ETag);
            put("ETag", if tag.is_empty() { None } else { Some(quoted(&format!("\"{tag}\""), u)?) });
            put("ChecksumAlgorithm", text(Field::ChecksumAlgorithm, u)?.map(|text| format!("[{text}, \"x\"]")));
            put("Size", size);
            put("StorageClass", text(Field::StorageClass, u)?);
            put("Owner", text(Field::ObjectOwner, u)?.map(|id| format!("{{\"DisplayName\":null,\"ID\":{id}}}")));
            if kind == ListingKind::AwsVersions {
                put("VersionId", text(Field::VersionId, u)?.or_else(|| Some("\"null\"".to_owned())));
                put("IsLatest", flag(Field::IsLatest).or_else(|| Some("true".to_owned())));
            }
        }
        ListingKind::Csv => {}
    }
    if one_in(10, u)? {
        put("Unknown", Some((*u.choose(&["{\"Key\":[[],{}]}", "1e400", "\"x,}\\\"\"", "null"])?).to_owned()));
    }
    if one_in(6, u)? {
        let last = members.len() - 1;
        members.swap(u.int_in_range(0..=last)?, last);
    }
    Ok(format!("{}{{{}{}}}", space(u)?, members.join(","), space(u)?))
}

fn table(bucket: &str, rows: &[Row], u: &mut Unstructured<'_>) -> Result<String> {
    let chosen: u16 = u.arbitrary()?;
    let mut seen = FieldSet::EMPTY;
    let mut columns = Vec::new();
    for (index, (name, field)) in COLUMNS.iter().enumerate() {
        // The last spelling of the key is taken if no other was.
        let wanted = chosen >> index & 1 == 1 || index == 2;
        if wanted && !seen.contains(*field) {
            seen = seen.with(*field);
            columns.push((*name, *field));
        }
    }
    let ending = *u.choose(&["\n", "\n", "\r\n", "\n\n"])?;
    let mut text: String = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    text.push_str(ending);
    for row in rows {
        for (index, (_, field)) in columns.iter().enumerate() {
            let value = if *field == Field::Bucket { bucket.to_owned() } else { row.text(*field) };
            let must = value.contains(['"', ',', '\n', '\r']);
            text.push_str(if index > 0 { "," } else { "" });
            if must || one_in(4, u)? {
                text.extend(["\"", &value.replace('"', "\"\""), "\""]);
            } else {
                text.push_str(&value);
            }
        }
        text.push_str(ending);
    }
    Ok(text)
}
