//! What an entry of a listing in JSON is worth: its members, by the documentation of each program.

use super::super::ndjson::{BUCKET, longest};
use crate::rows::{Row, Value};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use stocktake_core::{Field, Timestamp};

/// Members that mean something to a program. Others are passed over whatever they hold.
const NAMES: &[&str] = &[
    "Path",
    "IsDir",
    "Size",
    "ModTime",
    "Hashes",
    "md5",
    "MD5",
    "Tier",
    "status",
    "type",
    "key",
    "size",
    "lastModified",
    "etag",
    "storageClass",
    "versionId",
    "isDeleteMarker",
    "last_modified",
    "storage_class",
    "version_id",
    "Key",
    "LastModified",
    "ETag",
    "StorageClass",
    "ChecksumAlgorithm",
    "Owner",
    "ID",
    "VersionId",
    "IsLatest",
];

/// A JSON value that keeps members in order, those that stand twice too, and forgets those of no name above.
#[derive(Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A number that is whole and within 64 bits.
    Int(i64),
    Other,
    Text(String),
    List(Vec<Json>),
    Members(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(i64::try_from(value).map_or(Json::Other, Json::Int))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
                Ok(Json::Other)
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut all = Vec::new();
                while let Some(value) = list.next_element()? {
                    all.push(value);
                }
                Ok(Json::List(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if NAMES.contains(&name.as_str()) {
                        members.push((name, map.next_value()?));
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Json::Members(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Why an entry gives no row.
#[derive(Debug)]
pub(super) enum Not {
    /// It is wrong by itself.
    Wrong,
    /// It is right, and the report cannot hold it or is of another bucket.
    Unfit,
    /// It has a form that the documentation says nothing of.
    Unknown,
}

/// Members of an entry, each once.
pub(super) struct Entry<'a>(pub(super) &'a Json);

impl<'a> Entry<'a> {
    fn get(&self, names: &[&str]) -> Result<Option<&'a Json>, Not> {
        let Json::Members(members) = self.0 else { return Err(Not::Wrong) };
        let mut found = members.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let first = found.next();
        if found.next().is_some() {
            return Err(Not::Wrong);
        }
        Ok(first.map(|(_, value)| value))
    }

    /// A text; none if it is absent or null.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Not> {
        match self.get(&[name])? {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Not::Wrong),
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<String, Not> {
        self.text(name)?.ok_or(Not::Wrong)
    }

    /// A yes or no that is no if it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Not> {
        match self.get(&[name])? {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(Not::Wrong),
        }
    }

    pub(super) fn optional_flag(&self, name: &str) -> Result<Option<bool>, Not> {
        match self.get(&[name])? {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(Not::Wrong),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Not> {
        match self.get(&[name])? {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Int(value)) => Ok(Some(*value)),
            Some(_) => Err(Not::Wrong),
        }
    }

    /// A text within an inner object, under one of these names.
    pub(super) fn inner(&self, name: &str, names: &[&str]) -> Result<Option<String>, Not> {
        match self.get(&[name])? {
            None | Some(Json::Null) => Ok(None),
            Some(inner @ Json::Members(_)) => match Entry(inner).get(names)? {
                None | Some(Json::Null) => Ok(None),
                Some(Json::Text(text)) => Ok(Some(text.clone())),
                Some(_) => Err(Not::Wrong),
            },
            Some(Json::List(_)) => Err(Not::Unknown),
            Some(_) => Err(Not::Wrong),
        }
    }

    /// The first of a list of texts.
    pub(super) fn first(&self, name: &str) -> Result<Option<String>, Not> {
        match self.get(&[name])? {
            None | Some(Json::Null) => Ok(None),
            Some(Json::List(all)) => {
                let texts: Option<Vec<&String>> =
                    all.iter().map(|value| if let Json::Text(text) = value { Some(text) } else { None }).collect();
                Ok(texts.ok_or(Not::Wrong)?.first().map(|text| (*text).clone()))
            }
            Some(_) => Err(Not::Wrong),
        }
    }
}

/// A row in the making.
pub(super) struct Made {
    pub(super) row: Row,
    fits: bool,
}

impl Made {
    pub(super) fn new(key: &str) -> Self {
        Self { row: Row::new(key), fits: !key.is_empty() && key.len() <= longest(Field::Key) }
    }

    /// Adds a text, if there is one.
    pub(super) fn text(mut self, field: Field, text: Option<String>) -> Self {
        if let Some(text) = text {
            self.fits &= text.len() <= longest(field);
            self.row.set(field, Value::Text(text));
        }
        self
    }

    pub(super) fn number(mut self, field: Field, number: Option<i64>) -> Self {
        if let Some(number) = number {
            self.fits &= number >= 0;
            self.row.set(field, Value::Int(number));
        }
        self
    }

    pub(super) fn flag(mut self, field: Field, flag: Option<bool>) -> Self {
        if let Some(flag) = flag {
            self.row.set(field, Value::Bool(flag));
        }
        self
    }

    pub(super) fn time(mut self, text: Option<String>) -> Result<Self, Not> {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let time = Timestamp::parse(&text).map_err(|_| Not::Wrong)?;
            self.row.set(Field::LastModifiedDate, Value::Int(time.ms()));
        }
        Ok(self)
    }

    /// An ETag without quotes around it; `-N` at its end tells a multipart upload.
    pub(super) fn tag(self, text: Option<String>) -> Self {
        let Some(text) = text.map(|text| text.trim_matches('"').to_owned()).filter(|text| !text.is_empty()) else {
            return self;
        };
        let parts = text.rsplit('-').next().filter(|parts| parts.len() < text.len());
        let multipart = parts.is_some_and(|parts| !parts.is_empty() && parts.chars().all(|c| c.is_ascii_digit()));
        self.text(Field::ETag, Some(text)).flag(Field::IsMultipartUploaded, Some(multipart))
    }

    pub(super) fn version(self, id: Option<String>) -> Self {
        self.text(Field::VersionId, id.filter(|id| id != "null"))
    }

    /// The row, of a bucket if the listing names one.
    pub(super) fn finish(self, bucket: Option<&str>) -> Result<Row, Not> {
        let fits = self.fits && bucket.is_none_or(|bucket| bucket == BUCKET);
        if fits { Ok(self.row) } else { Err(Not::Unfit) }
    }
}
