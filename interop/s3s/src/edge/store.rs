//! Buckets in memory behind the protocol that s3s speaks: it takes requests apart, checks their signatures, and writes replies.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::TryStreamExt;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, dto::*, s3_error};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};
use stocktake_core::md5_hex;

/// A version of an object, or a delete marker.
#[derive(Clone, Debug)]
pub struct Version {
    pub id: String,
    pub body: Option<Bytes>,
    pub e_tag: String,
    pub seconds: u64,
    pub metadata: Option<Metadata>,
}

/// What is wrong with pages of listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A page begins where the listing begins, wherever it was asked for.
    Repeat,
    /// Two entries have changed places.
    Reorder,
    /// It is cut off, and does not say so.
    Truncate,
}

#[derive(Debug, Default)]
pub struct Buckets {
    /// Versions of each key, newest first.
    pub objects: BTreeMap<String, BTreeMap<String, Vec<Version>>>,
    pub uploads: BTreeMap<String, (String, String, BTreeMap<i32, Bytes>, Option<Metadata>)>,
    pub versioned: bool,
    pub page_max: usize,
    pub lie: Option<Lie>,
    pub pages: usize,
    writes: u64,
}

impl Buckets {
    pub fn put(&mut self, bucket: &str, key: &str, body: Option<Bytes>, e_tag: String, metadata: Option<Metadata>) {
        self.writes += 1;
        let id = if self.versioned { md5_hex(&self.writes.to_le_bytes())[..16].to_owned() } else { "null".to_owned() };
        let seconds = 1_790_000_000 + self.writes;
        let versions = self.objects.entry(bucket.to_owned()).or_default().entry(key.to_owned()).or_default();
        if !self.versioned {
            versions.clear();
        }
        versions.insert(0, Version { id, body, e_tag, seconds, metadata });
    }

    fn current(&self, bucket: &str, key: &str) -> Option<&Version> {
        self.objects.get(bucket)?.get(key)?.first().filter(|version| version.body.is_some())
    }
}

/// The server.
#[derive(Clone, Debug, Default)]
pub struct Store(Arc<Mutex<Buckets>>);

impl Store {
    pub fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A key as a listing has it.
fn encoded(key: &str, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none() {
        return key.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'/');
    key.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

async fn body_of(blob: Option<StreamingBlob>, md5: Option<&str>) -> S3Result<Bytes> {
    let mut body = Vec::new();
    if let Some(mut blob) = blob {
        while let Some(piece) = blob.try_next().await.map_err(|_| S3Error::from(s3s::S3ErrorCode::IncompleteBody))? {
            body.extend_from_slice(&piece);
        }
    }
    let sum = md5_hex(&body);
    let bytes: Vec<u8> = (0..16).filter_map(|at| u8::from_str_radix(&sum[2 * at..2 * at + 2], 16).ok()).collect();
    if md5.is_some_and(|md5| md5 != BASE64_STANDARD.encode(bytes)) {
        return Err(s3_error!(BadDigest));
    }
    Ok(body.into())
}

fn tag(text: &str) -> Option<ETag> {
    Some(ETag::Strong(text.to_owned()))
}

fn check_free(buckets: &Buckets, bucket: &str, key: &str, condition: Option<&IfNoneMatch>) -> S3Result<()> {
    match (condition, buckets.current(bucket, key)) {
        (Some(ETagCondition::Any), Some(_)) => Err(s3_error!(PreconditionFailed)),
        _ => Ok(()),
    }
}

/// Keys of a page, folders, and whether there is more.
struct Found {
    keys: Vec<String>,
    folders: BTreeSet<String>,
    more: bool,
}

fn find(
    buckets: &mut Buckets,
    bucket: &str,
    prefix: &str,
    after: &str,
    delimiter: Option<&str>,
    max: Option<i32>,
) -> Found {
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(1000).min(buckets.page_max);
    buckets.pages += 1;
    let lie = buckets.lie.filter(|_| buckets.pages > 6);
    let after = if lie == Some(Lie::Repeat) { "" } else { after };
    let empty = BTreeMap::new();
    let versioned = buckets.versioned;
    let objects = buckets.objects.get(bucket).unwrap_or(&empty);
    let from = if after.is_empty() { Bound::Included(prefix) } else { Bound::Excluded(after) };
    let keys = objects.range::<str, _>((from, Bound::Unbounded));
    let keys = keys.filter(|(key, versions)| key.starts_with(prefix) && (versioned || versions[0].body.is_some()));
    let mut found = Found { keys: Vec::new(), folders: BTreeSet::new(), more: false };
    for (key, _) in keys {
        let folder = delimiter.and_then(|delimiter| {
            key[prefix.len()..].find(delimiter).map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
        });
        if found.keys.len() + found.folders.len() >= max && folder.as_ref().is_none_or(|of| !found.folders.contains(of))
        {
            found.more = true;
            break;
        }
        match folder {
            Some(folder) => drop(found.folders.insert(folder)),
            None => found.keys.push(key.clone()),
        }
    }
    match lie {
        Some(Lie::Reorder) if found.keys.len() > 1 => found.keys.swap(0, 1),
        Some(Lie::Truncate) => found.keys.truncate(found.keys.len() / 2),
        _ => {}
    }
    found
}

fn prefixes(found: &Found, encoding: Option<&EncodingType>) -> Option<CommonPrefixList> {
    Some(found.folders.iter().map(|of| CommonPrefix { prefix: Some(encoded(of, encoding)) }).collect())
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = input.encoding_type.as_ref();
        let token =
            input.continuation_token.as_ref().and_then(|token| token.strip_prefix("behind:").map(ToOwned::to_owned));
        let after = token.or(input.start_after).unwrap_or_default();
        let mut buckets = self.lock();
        let prefix = input.prefix.unwrap_or_default();
        let found = find(&mut buckets, &input.bucket, &prefix, &after, input.delimiter.as_deref(), input.max_keys);
        let wants_owner = input.fetch_owner == Some(true);
        let contents: Vec<Object> = found
            .keys
            .iter()
            .map(|key| {
                let version = &buckets.objects[&input.bucket][key][0];
                Object {
                    key: Some(encoded(key, encoding)),
                    size: version.body.as_ref().and_then(|body| i64::try_from(body.len()).ok()),
                    e_tag: tag(&version.e_tag),
                    last_modified: Some(time(version.seconds)),
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    owner: wants_owner.then(|| Owner { id: Some("owner".into()), display_name: None }),
                    ..Object::default()
                }
            })
            .collect();
        // A folder's page is never cut off here: there are few.
        let next = found.keys.last().filter(|_| found.more && buckets.lie != Some(Lie::Truncate));
        let lies = found.more && buckets.lie == Some(Lie::Truncate);
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket.clone()),
            prefix: Some(encoded(&prefix, encoding)),
            key_count: if lies { Some(1000) } else { i32::try_from(contents.len() + found.folders.len()).ok() },
            is_truncated: Some(found.more),
            next_continuation_token: next.map(|key| format!("behind:{key}")),
            common_prefixes: prefixes(&found, encoding),
            contents: Some(contents),
            encoding_type: input.encoding_type.clone(),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = request.input;
        let encoding = input.encoding_type.as_ref();
        let mut buckets = self.lock();
        let prefix = input.prefix.unwrap_or_default();
        let after = input.key_marker.unwrap_or_default();
        let found = find(&mut buckets, &input.bucket, &prefix, &after, input.delimiter.as_deref(), input.max_keys);
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for key in &found.keys {
            for (number, version) in buckets.objects[&input.bucket][key].iter().enumerate() {
                let (key, last_modified) = (Some(encoded(key, encoding)), Some(time(version.seconds)));
                let (version_id, is_latest) = (Some(version.id.clone()), Some(number == 0));
                match &version.body {
                    Some(body) => versions.push(ObjectVersion {
                        key,
                        last_modified,
                        version_id,
                        is_latest,
                        size: i64::try_from(body.len()).ok(),
                        e_tag: tag(&version.e_tag),
                        ..ObjectVersion::default()
                    }),
                    None => markers.push(DeleteMarkerEntry { key, last_modified, version_id, is_latest, owner: None }),
                }
            }
        }
        let next = found.keys.last().filter(|_| found.more && buckets.lie != Some(Lie::Truncate));
        Ok(S3Response::new(ListObjectVersionsOutput {
            name: Some(input.bucket.clone()),
            is_truncated: Some(found.more),
            next_key_marker: next.map(|key| encoded(key, encoding)),
            common_prefixes: prefixes(&found, encoding),
            versions: Some(versions),
            delete_markers: Some(markers),
            encoding_type: input.encoding_type.clone(),
            ..ListObjectVersionsOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let body = body_of(input.body, input.content_md5.as_deref()).await?;
        let mut buckets = self.lock();
        check_free(&buckets, &input.bucket, &input.key, input.if_none_match.as_ref())?;
        let e_tag = md5_hex(&body);
        buckets.put(&input.bucket, &input.key, Some(body), e_tag.clone(), input.metadata);
        Ok(S3Response::new(PutObjectOutput { e_tag: tag(&e_tag), ..PutObjectOutput::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let buckets = self.lock();
        let version = buckets.current(&input.bucket, &input.key).ok_or_else(|| s3_error!(NoSuchKey))?;
        let whole = version.body.clone().unwrap_or_default();
        let range = input.range.map(|range| range.check(whole.len() as u64)).transpose()?;
        let body = match &range {
            Some(range) => whole.slice(range.start as usize..range.end as usize),
            None => whole.clone(),
        };
        let content_range = range.map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, whole.len()));
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(body.len()).ok(),
            content_range,
            e_tag: tag(&version.e_tag),
            metadata: version.metadata.clone(),
            body: Some(StreamingBlob::wrap(futures::stream::once(async move { Ok::<_, std::io::Error>(body) }))),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let buckets = self.lock();
        let version = buckets.current(&input.bucket, &input.key).ok_or_else(|| s3_error!(NoSuchKey))?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: version.body.as_ref().and_then(|body| i64::try_from(body.len()).ok()),
            e_tag: tag(&version.e_tag),
            metadata: version.metadata.clone(),
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        if let Some(objects) = self.lock().objects.get_mut(&input.bucket) {
            objects.remove(&input.key);
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let mut buckets = self.lock();
        buckets.writes += 1;
        let id = format!("upload-{}", buckets.writes);
        let upload = (input.bucket.clone(), input.key.clone(), BTreeMap::new(), input.metadata);
        buckets.uploads.insert(id.clone(), upload);
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let body = body_of(input.body, input.content_md5.as_deref()).await?;
        let e_tag = md5_hex(&body);
        let mut buckets = self.lock();
        let upload = buckets.uploads.get_mut(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        upload.2.insert(input.part_number, body);
        Ok(S3Response::new(UploadPartOutput { e_tag: tag(&e_tag), ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let mut buckets = self.lock();
        check_free(&buckets, &input.bucket, &input.key, input.if_none_match.as_ref())?;
        let (_, _, parts, metadata) =
            buckets.uploads.get(&input.upload_id).cloned().ok_or_else(|| s3_error!(NoSuchUpload))?;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let mut body = Vec::new();
        for (number, part) in named.iter().enumerate() {
            let of = part.part_number.and_then(|number| parts.get(&number)).ok_or_else(|| s3_error!(InvalidPart))?;
            let e_tag = part.e_tag.as_ref().map(|tag| tag.value().to_owned());
            if e_tag.as_deref() != Some(&md5_hex(of)) || (number + 1 < named.len() && of.len() < 5 << 20) {
                return Err(s3_error!(InvalidPart));
            }
            body.extend_from_slice(of);
        }
        let e_tag = format!("{}-{}", md5_hex(&body), named.len());
        buckets.uploads.remove(&input.upload_id);
        buckets.put(&input.bucket, &input.key, Some(body.into()), e_tag.clone(), metadata);
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            e_tag: tag(&e_tag),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let removed = self.lock().uploads.remove(&request.input.upload_id);
        removed.map(|_| S3Response::new(AbortMultipartUploadOutput::default())).ok_or_else(|| s3_error!(NoSuchUpload))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        let prefix = input.prefix.unwrap_or_default();
        let buckets = self.lock();
        let uploads = buckets.uploads.iter().filter(|(_, of)| of.0 == input.bucket && of.1.starts_with(&prefix));
        let uploads = uploads.map(|(id, of)| MultipartUpload {
            key: Some(encoded(&of.1, input.encoding_type.as_ref())),
            upload_id: Some(id.clone()),
            ..MultipartUpload::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            is_truncated: Some(false),
            encoding_type: input.encoding_type.clone(),
            ..ListMultipartUploadsOutput::default()
        }))
    }
}
