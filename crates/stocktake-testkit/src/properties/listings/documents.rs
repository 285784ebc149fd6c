//! What a listing in JSON holds, by `serde_json`, and the documentation of the programs.

use super::{
    ENTRIES_MAX, Outcome,
    entries::{Entry, Json, Made, Not},
    line_at,
};
use crate::rows::{Row, Value};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::cmp::Reverse;
use stocktake_core::Field;

/// The rows of a text, or why there are none.
pub(super) fn outcome(text: &[u8]) -> Outcome {
    let entries = if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        rclone(text)
    } else {
        match serde_json::Deserializer::from_slice(text).into_iter::<Names>().next() {
            Some(Ok(Names(names))) => {
                let has = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
                let aws = ["Contents", "Versions", "DeleteMarkers", "CommonPrefixes", "IsTruncated", "RequestCharged"];
                match () {
                    () if has(&["status"]) => lines(text, Listed::mc),
                    () if has(&["last_modified", "type"]) => lines(text, Listed::s5cmd),
                    () if has(&aws) => documents(text),
                    () => return Outcome::Unknown,
                }
            }
            _ => return Outcome::Refused(None),
        }
    };
    match entries {
        Ok(rows) if rows.len() > ENTRIES_MAX => Outcome::Unknown,
        Ok(rows) => Outcome::Rows(rows),
        Err(outcome) => outcome,
    }
}

type Rows = Result<Vec<Row>, Outcome>;

/// Names of an object's members.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Entries that were taken so far. The first look at a listing finds what is wrong by itself; what does not fit into the
/// report is found afterwards.
#[derive(Default)]
struct Listed {
    rows: Vec<Row>,
    key_before: String,
    unfit: Option<Outcome>,
    directories: bool,
    nested: bool,
}

impl Listed {
    /// Takes an entry of a line that is known, or of one that is not.
    fn take(&mut self, row: Result<Row, Not>, line: Option<usize>) -> Result<(), Outcome> {
        match row {
            Ok(row) => {
                row.key().clone_into(&mut self.key_before);
                self.rows.push(row);
            }
            Err(Not::Wrong) => return Err(Outcome::Refused(None)),
            Err(Not::Unknown) => return Err(Outcome::Unknown),
            Err(Not::Unfit) => {
                self.unfit.get_or_insert(Outcome::Refused(line));
            }
        }
        Ok(())
    }

    fn finish(self) -> Rows {
        self.unfit.map_or(Ok(self.rows), Err)
    }

    fn mc(&mut self, entry: &Entry<'_>) -> Result<Row, Not> {
        let status = entry.needed("status")?;
        let (kind, key) = (entry.text("type")?, entry.text("key")?);
        let (size, time) = (entry.number("size")?, entry.text("lastModified")?);
        let (tag, class) = (entry.text("etag")?.filter(|tag| !tag.is_empty()), entry.text("storageClass")?);
        let (version, marker) = (entry.text("versionId")?, entry.flag("isDeleteMarker")?);
        let key = key.filter(|_| status == "success").ok_or(Not::Wrong)?;
        if kind.as_deref() == Some("folder") && tag.is_none() || marker && version.is_none() {
            return Err(Not::Wrong);
        }
        let mut made = Made::new(&key).time(time)?;
        if !marker {
            made = made.number(Field::Size, size).tag(tag).text(Field::StorageClass, class);
        }
        if version.is_some() {
            // The first of a key is the latest.
            made = made.flag(Field::IsLatest, Some(key != self.key_before));
            made = made.flag(Field::IsDeleteMarker, Some(marker)).version(version);
        }
        // A key that does not fit is one before the next all the same.
        self.key_before = key;
        made.finish(None)
    }

    fn s5cmd(&mut self, entry: &Entry<'_>) -> Result<Row, Not> {
        let (key, kind) = (entry.needed("key")?, entry.text("type")?);
        let (size, time, tag) = (entry.number("size")?, entry.text("last_modified")?, entry.text("etag")?);
        let (class, version) = (entry.text("storage_class")?, entry.text("version_id")?);
        let address = key.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (bucket, key) = address.filter(|_| version.is_none()).ok_or(Not::Wrong)?;
        if kind.as_deref() == Some("directory") {
            return Err(Not::Wrong);
        }
        let made = Made::new(key).number(Field::Size, size).time(time)?.tag(tag);
        made.text(Field::StorageClass, class).finish(Some(bucket))
    }
}

/// Entries one behind another, most of the time one on each line.
fn lines(text: &[u8], row: fn(&mut Listed, &Entry<'_>) -> Result<Row, Not>) -> Rows {
    let mut listed = Listed::default();
    let mut entries = serde_json::Deserializer::from_slice(text).into_iter::<Json>();
    loop {
        let rest = &text[entries.byte_offset()..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = line_at(text, text.len() - rest.len() + space);
        let Some(json) = entries.next() else { break };
        let json = json.map_err(|_| Outcome::Refused(None))?;
        let row = row(&mut listed, &Entry(&json));
        listed.take(row, Some(line))?;
    }
    listed.finish()
}

fn rclone(text: &[u8]) -> Rows {
    let mut listed = Listed::default();
    for list in serde_json::Deserializer::from_slice(text).into_iter::<Json>() {
        let Json::List(list) = list.map_err(|_| Outcome::Refused(None))? else { return Err(Outcome::Refused(None)) };
        for entry in list {
            let taken = rclone_row(&Entry(&entry), &mut listed);
            match taken {
                Ok(None) => {}
                Ok(Some(row)) => listed.take(Ok(row), None)?,
                Err(not) => listed.take(Err(not), None)?,
            }
        }
    }
    if listed.directories && !listed.nested {
        return Err(Outcome::Refused(None));
    }
    listed.finish()
}

fn rclone_row(entry: &Entry<'_>, listed: &mut Listed) -> Result<Option<Row>, Not> {
    let (key, directory) = (entry.needed("Path")?, entry.flag("IsDir")?);
    let (size, time) = (entry.number("Size")?, entry.text("ModTime")?);
    let (tag, tier) = (entry.inner("Hashes", &["md5", "MD5"])?, entry.text("Tier")?);
    listed.nested |= key.contains('/');
    if directory {
        listed.directories = true;
        return Ok(None);
    }
    let made = Made::new(&key).number(Field::Size, size.filter(|size| *size != -1)).time(time)?;
    made.text(Field::ETag, tag).text(Field::StorageClass, tier).finish(None).map(Some)
}

/// A member of a document of the AWS command line.
enum Member {
    List(&'static str, Vec<Json>),
    Value(String, serde_json::Value),
    /// A list that is none.
    Wrong,
}

struct Document(Vec<Member>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Document;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let list = ["Contents", "Versions", "DeleteMarkers"].into_iter().find(|list| *list == name);
                    members.push(match list {
                        None => Member::Value(name, map.next_value()?),
                        Some(list) => match map.next_value()? {
                            Json::List(entries) => Member::List(list, entries),
                            Json::Null => continue,
                            _ => Member::Wrong,
                        },
                    });
                }
                Ok(Document(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn documents(text: &[u8]) -> Rows {
    let mut listed = Listed::default();
    let (mut bucket, mut truncated, mut sorted) = (None::<String>, false, false);
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Document>() {
        truncated = false;
        for member in document.map_err(|_| Outcome::Refused(None))?.0 {
            match member {
                Member::Wrong => return Err(Outcome::Refused(None)),
                Member::Value(name, value) => match name.as_str() {
                    "CommonPrefixes" if value.as_array().is_some_and(|prefixes| !prefixes.is_empty()) => {
                        return Err(Outcome::Refused(None));
                    }
                    "IsTruncated" => truncated |= value == true,
                    "NextToken" => truncated |= !value.is_null(),
                    "Name" => bucket = value.as_str().map(str::to_owned),
                    _ => {}
                },
                Member::List(list, entries) => {
                    sorted |= list != "Contents";
                    for entry in entries {
                        listed.take(aws_row(&Entry(&entry), list, bucket.as_deref()), None)?;
                    }
                }
            }
        }
    }
    if truncated {
        return Err(Outcome::Refused(None));
    }
    let mut rows = listed.finish()?;
    if sorted {
        // Latest first, then newest, then by id.
        let latest = |row: &Row| row.value(Field::IsLatest) == Some(&Value::Bool(true));
        let time = |row: &Row| match row.value(Field::LastModifiedDate) {
            Some(Value::Int(ms)) => *ms,
            _ => i64::MIN,
        };
        rows.sort_by_key(|row| (row.key().to_owned(), !latest(row), Reverse(time(row)), row.version_id().to_owned()));
    }
    Ok(rows)
}

fn aws_row(entry: &Entry<'_>, list: &str, bucket: Option<&str>) -> Result<Row, Not> {
    let (key, size, time) = (entry.needed("Key")?, entry.number("Size")?, entry.text("LastModified")?);
    let (tag, class) = (entry.text("ETag")?, entry.text("StorageClass")?);
    let (algorithm, owner) = (entry.first("ChecksumAlgorithm")?, entry.inner("Owner", &["ID"])?);
    let (version, latest) = (entry.text("VersionId")?, entry.optional_flag("IsLatest")?);
    let mut made = Made::new(&key).number(Field::Size, size).time(time)?.tag(tag);
    made = made.text(Field::StorageClass, class).text(Field::ChecksumAlgorithm, algorithm);
    made = made.text(Field::ObjectOwner, owner);
    if list != "Contents" {
        made = made.flag(Field::IsLatest, Some(latest.ok_or(Not::Wrong)?));
        made = made.flag(Field::IsDeleteMarker, Some(list == "DeleteMarkers")).version(version);
    }
    made.finish(bucket)
}
