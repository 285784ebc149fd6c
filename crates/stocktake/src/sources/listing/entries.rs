//! Entries of the listings of other programs, and which member becomes which field.
//!
//! Members that are not named here say nothing that a report holds; they are passed over, because these programs add
//! members as they please.

use super::row::Row;
use serde::Deserialize;
use stocktake_core::{Field, Timestamp};

/// An entry of `rclone lsjson`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rclone {
    path: String,
    #[serde(default)]
    is_dir: bool,
    size: Option<i64>,
    mod_time: Option<String>,
    #[serde(default)]
    hashes: Option<Hashes>,
    tier: Option<String>,
}

#[derive(Deserialize)]
struct Hashes {
    #[serde(alias = "MD5")]
    md5: Option<String>,
}

/// A line of `mc ls --json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mc {
    status: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    key: Option<String>,
    size: Option<i64>,
    last_modified: Option<String>,
    etag: Option<String>,
    storage_class: Option<String>,
    version_id: Option<String>,
    #[serde(default)]
    is_delete_marker: bool,
}

/// A line of `s5cmd --json ls`.
#[derive(Deserialize)]
pub(super) struct S5cmd {
    key: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    size: Option<i64>,
    last_modified: Option<String>,
    etag: Option<String>,
    storage_class: Option<String>,
    version_id: Option<String>,
}

/// An entry of `Contents`, `Versions` or `DeleteMarkers` of the AWS command line.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Aws {
    key: String,
    size: Option<i64>,
    last_modified: Option<String>,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
    storage_class: Option<String>,
    #[serde(default)]
    checksum_algorithm: Option<Vec<String>>,
    owner: Option<Owner>,
    version_id: Option<String>,
    is_latest: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Owner {
    #[serde(rename = "ID")]
    id: Option<String>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Object,
    /// A directory, which no report holds; what is below it has entries of its own if the listing is recursive.
    Directory,
}

type Result<T> = std::result::Result<T, String>;

impl Rclone {
    pub(super) fn into_row(self, row: &mut Row) -> Result<Entry> {
        row.key = self.path;
        if self.is_dir {
            return Ok(Entry::Directory);
        }
        // A size that the remote does not know is -1.
        row.int(Field::Size, self.size.filter(|size| *size != -1));
        time(row, self.mod_time)?;
        // The MD5 of the content: the ETag of an object that was not uploaded in parts.
        row.text(Field::ETag, self.hashes.and_then(|hashes| hashes.md5));
        row.text(Field::StorageClass, self.tier);
        Ok(Entry::Object)
    }
}

impl Mc {
    /// Versions come newest first, so that the first of a key is the latest; `key_before` is the key of the row before.
    pub(super) fn into_row(self, row: &mut Row, key_before: &str) -> Result<Entry> {
        if self.status != "success" {
            return Err(format!("mc says `{}`: the listing is not complete", self.status.escape_debug()));
        }
        row.key = self.key.ok_or("the entry has no key")?;
        let e_tag = self.etag.filter(|e_tag| !e_tag.is_empty());
        if self.kind.as_deref() == Some("folder") && e_tag.is_none() {
            return Err("a folder is not listed recursively; list with `mc ls --json --recursive`".to_owned());
        }
        if !self.is_delete_marker {
            row.int(Field::Size, self.size);
            row.e_tag(e_tag);
            row.text(Field::StorageClass, self.storage_class);
        }
        time(row, self.last_modified)?;
        if let Some(id) = self.version_id {
            row.boolean(Field::IsLatest, Some(row.key != key_before));
            row.boolean(Field::IsDeleteMarker, Some(self.is_delete_marker));
            row.version_id(Some(id));
        } else if self.is_delete_marker {
            return Err("a delete marker has no `versionId`".to_owned());
        }
        Ok(Entry::Object)
    }
}

impl S5cmd {
    pub(super) fn into_row(self, row: &mut Row) -> Result<Entry> {
        let address = self.key.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (bucket, key) = address.ok_or("a key of s5cmd begins with `s3://BUCKET/`")?;
        row.bucket = Some(bucket.to_owned());
        row.key.push_str(key);
        if self.kind.as_deref() == Some("directory") {
            return Err("a directory is not listed recursively; list with `s5cmd --json ls 's3://BUCKET/*'`".to_owned());
        }
        if self.version_id.is_some() {
            let problem = "s5cmd does not say which version is the latest; list with `aws s3api list-object-versions`";
            return Err(problem.to_owned());
        }
        row.int(Field::Size, self.size);
        time(row, self.last_modified)?;
        row.e_tag(self.etag);
        row.text(Field::StorageClass, self.storage_class);
        Ok(Entry::Object)
    }
}

impl Aws {
    /// `marker` says whether the entry stands in a list of versions, and in which: that of delete markers or the other.
    pub(super) fn into_row(self, row: &mut Row, marker: Option<bool>) -> Result<Entry> {
        row.key = self.key;
        row.int(Field::Size, self.size);
        time(row, self.last_modified)?;
        row.e_tag(self.e_tag);
        row.text(Field::StorageClass, self.storage_class);
        row.text(Field::ChecksumAlgorithm, self.checksum_algorithm.and_then(|all| all.into_iter().next()));
        row.text(Field::ObjectOwner, self.owner.and_then(|owner| owner.id));
        if let Some(marker) = marker {
            let latest = self.is_latest.ok_or("the version has no `IsLatest`")?;
            row.boolean(Field::IsLatest, Some(latest));
            row.boolean(Field::IsDeleteMarker, Some(marker));
            row.version_id(self.version_id);
        }
        Ok(Entry::Object)
    }
}

fn time(row: &mut Row, text: Option<String>) -> Result<()> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
    let time = Timestamp::parse(&text).map_err(|error| error.to_string())?;
    row.int(Field::LastModifiedDate, Some(time.ms()));
    Ok(())
}
