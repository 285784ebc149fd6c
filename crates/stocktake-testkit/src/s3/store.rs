//! Buckets, versions and uploads in memory.

use super::listing::FlatKeys;
use std::{collections::BTreeMap, sync::Arc};
use stocktake_core::md5_hex;

/// Time of the first object; each later one is a second younger.
const FIRST_MODIFIED_MS: i64 = 1_790_000_000_000;

/// How a server behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Whether a put keeps older versions, and a delete leaves a marker.
    pub versioned: bool,
    /// Most entries of a page. S3's own limit is 1,000.
    pub page_max: usize,
    /// Whether versions of a page stand before its delete markers, as some stores write them.
    pub markers_last: bool,
    /// Whether the server encrypts when it is asked to, and says so.
    pub encrypts: bool,
    /// Owner that every object has.
    pub owner: String,
    /// The only region that requests may be signed for; none: any.
    pub region: Option<String>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            versioned: false,
            page_max: 1000,
            markers_last: false,
            encrypts: true,
            owner: "7f00".repeat(16),
            region: None,
        }
    }
}

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, Default)]
pub struct StoredVersion {
    /// Version id; `null` for the null version.
    pub id: String,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Bytes.
    pub body: Arc<[u8]>,
    /// Size that listings state.
    pub size: u64,
    /// Time of modification, in milliseconds since 1970-01-01 UTC.
    pub modified_ms: i64,
    /// ETag without quotes.
    pub e_tag: String,
    /// Storage class.
    pub class: String,
    /// Checksum algorithm, as listings state it; empty for none.
    pub checksum: String,
    /// Headers of the request that wrote it, which HEAD shows: those that begin with `x-amz-`, and the content type.
    pub headers: BTreeMap<String, String>,
}

/// A multipart upload under way.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Parts by number.
    pub parts: BTreeMap<u32, Arc<[u8]>>,
    /// Headers of the request that began it.
    pub headers: BTreeMap<String, String>,
}

/// What a server holds.
#[derive(Debug)]
pub struct Store {
    /// Versions of each key, newest first, by bucket and key.
    pub objects: BTreeMap<String, BTreeMap<String, Vec<StoredVersion>>>,
    /// Buckets whose keys are computed rather than kept.
    pub flat: BTreeMap<String, FlatKeys>,
    /// Uploads under way, by id.
    pub uploads: BTreeMap<String, Upload>,
    /// Policies of buckets.
    pub policies: BTreeMap<String, String>,
    pub(super) options: ServerOptions,
    writes: u64,
}

impl Store {
    pub(super) fn new(options: ServerOptions) -> Self {
        let maps = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { objects: maps.0, flat: maps.1, uploads: maps.2, policies: BTreeMap::new(), options, writes: 0 }
    }

    /// Puts an object, as a client would, and returns its version.
    pub fn put(&mut self, bucket: &str, key: &str, body: &[u8]) -> &mut StoredVersion {
        let e_tag = md5_hex(body);
        self.put_with(bucket, key, Arc::from(body), e_tag, BTreeMap::new())
    }

    pub(super) fn put_with(
        &mut self,
        bucket: &str,
        key: &str,
        body: Arc<[u8]>,
        e_tag: String,
        headers: BTreeMap<String, String>,
    ) -> &mut StoredVersion {
        let class = headers.get("x-amz-storage-class").cloned().unwrap_or_else(|| "STANDARD".to_owned());
        let size = body.len() as u64;
        let version = StoredVersion { body, size, e_tag, class, headers, ..StoredVersion::default() };
        self.add(bucket, key, version)
    }

    /// Deletes a key: with versions a delete marker is put before them.
    pub fn delete(&mut self, bucket: &str, key: &str) {
        if self.options.versioned {
            self.add(bucket, key, StoredVersion { marker: true, ..StoredVersion::default() });
        } else {
            self.objects.entry(bucket.to_owned()).or_default().remove(key);
        }
    }

    /// The version that a plain GET sees.
    pub fn current(&self, bucket: &str, key: &str) -> Option<&StoredVersion> {
        self.objects.get(bucket)?.get(key)?.first().filter(|version| !version.marker)
    }

    pub(super) fn version(&self, bucket: &str, key: &str, id: Option<&str>) -> Option<&StoredVersion> {
        match id {
            None => self.current(bucket, key),
            Some(id) => self.objects.get(bucket)?.get(key)?.iter().find(|version| version.id == id),
        }
    }

    pub(super) fn begin_upload(&mut self, upload: Upload) -> String {
        self.writes += 1;
        let id = format!("upload-{}", self.writes);
        self.uploads.insert(id.clone(), upload);
        id
    }

    fn add(&mut self, bucket: &str, key: &str, mut version: StoredVersion) -> &mut StoredVersion {
        self.writes += 1;
        version.modified_ms = FIRST_MODIFIED_MS + i64::try_from(self.writes).unwrap_or(0) * 1000;
        // Ids without an order of their own, as S3's have none.
        version.id = if self.options.versioned {
            md5_hex(&self.writes.to_le_bytes())[..20].to_owned()
        } else {
            "null".to_owned()
        };
        let versions = self.objects.entry(bucket.to_owned()).or_default().entry(key.to_owned()).or_default();
        if !self.options.versioned {
            versions.clear();
        }
        versions.insert(0, version);
        &mut versions[0]
    }
}
