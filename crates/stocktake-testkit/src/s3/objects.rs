//! Objects, multipart uploads and bucket policies.

use super::{
    Request,
    http::Reply,
    store::{Store, StoredVersion, Upload},
};
use std::{collections::BTreeMap, sync::Arc};
use stocktake_core::{Md5Stream, md5_hex};

/// Smallest part but the last, as S3 has it.
const PART_BYTES_MIN: usize = 5 << 20;

/// Answers an operation on a key.
pub(super) fn operate(store: &mut Store, bucket: &str, key: &str, request: &Request) -> Reply {
    let has = |name: &str| request.query.contains_key(name);
    if let Some(fault) = body_fault(request) {
        return fault;
    }
    match request.method.as_str() {
        "POST" if has("uploads") => begin(store, bucket, key, request),
        "POST" if has("uploadId") => complete(store, bucket, key, request),
        "PUT" if has("uploadId") => part(store, request),
        "PUT" => put(store, bucket, key, request),
        "DELETE" if has("uploadId") => match store.uploads.remove(request.parameter("uploadId").unwrap_or("")) {
            Some(_) => Reply::new(204),
            None => no_upload(),
        },
        "DELETE" => {
            store.delete(bucket, key);
            Reply::new(204)
        }
        "GET" | "HEAD" => read(store, bucket, key, request),
        _ => Reply::error(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
    }
}

/// Answers GetBucketPolicy and PutBucketPolicy.
pub(super) fn policy(store: &mut Store, bucket: &str, request: &Request) -> Reply {
    match (request.method.as_str(), request.query.contains_key("policy")) {
        ("GET", true) => match store.policies.get(bucket) {
            Some(policy) => Reply::new(200).with_body(policy.clone().into_bytes()),
            None => Reply::error(404, "NoSuchBucketPolicy", "The bucket policy does not exist"),
        },
        ("PUT", true) => {
            store.policies.insert(bucket.to_owned(), String::from_utf8_lossy(&request.body).into_owned());
            Reply::new(204)
        }
        _ => Reply::error(501, "NotImplemented", "This server does not know the operation"),
    }
}

/// A body that is not what its digest says.
fn body_fault(request: &Request) -> Option<Reply> {
    let stated = request.header("content-md5")?;
    let sums = base64_of_hex(&md5_hex(&request.body));
    (stated != sums).then(|| Reply::error(400, "BadDigest", "The Content-MD5 you specified did not match."))
}

fn begin(store: &mut Store, bucket: &str, key: &str, request: &Request) -> Reply {
    let upload = Upload {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        parts: BTreeMap::new(),
        headers: kept_headers(request),
    };
    let id = store.begin_upload(upload);
    let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    encrypted(store, request, Reply::xml(200, body))
}

/// Answers ListMultipartUploads: all of them on one page.
pub(super) fn uploads(store: &Store, bucket: &str, request: &Request) -> Reply {
    let prefix = request.parameter("prefix").unwrap_or("");
    let found = store.uploads.iter().filter(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(prefix));
    // The keys of reports need no escaping in XML but for these.
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let found: String = found
        .map(|(id, upload)| format!("<Upload><Key>{}</Key><UploadId>{id}</UploadId></Upload>", escaped(&upload.key)))
        .collect();
    let body =
        format!("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{found}</ListMultipartUploadsResult>");
    Reply::xml(200, body)
}

fn part(store: &mut Store, request: &Request) -> Reply {
    let number = request.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
    let Some(upload) = store.uploads.get_mut(request.parameter("uploadId").unwrap_or("")) else { return no_upload() };
    if !(1..=10_000).contains(&number) {
        return Reply::error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000");
    }
    upload.parts.insert(number, Arc::from(request.body.as_slice()));
    Reply::new(200).with_header("etag", format!("\"{}\"", md5_hex(&request.body)))
}

fn complete(store: &mut Store, bucket: &str, key: &str, request: &Request) -> Reply {
    let id = request.parameter("uploadId").unwrap_or("");
    let Some(upload) = store.uploads.get(id) else { return no_upload() };
    if let Some(refused) = precondition(store, bucket, key, request) {
        return refused;
    }
    let body = String::from_utf8_lossy(&request.body);
    let named: Vec<(u32, String)> = body.split("<Part>").skip(1).map(named_part).collect();
    let mut bytes = Vec::new();
    let mut sums = Vec::new();
    for (index, (number, e_tag)) in named.iter().enumerate() {
        let Some(part) = upload.parts.get(number).filter(|part| md5_hex(part) == *e_tag) else {
            return Reply::error(400, "InvalidPart", "One or more of the specified parts could not be found.");
        };
        if index + 1 < named.len() && part.len() < PART_BYTES_MIN {
            return Reply::error(
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            );
        }
        bytes.extend_from_slice(part);
        sums.extend((0..32).step_by(2).map(|at| u8::from_str_radix(&e_tag[at..at + 2], 16).unwrap_or(0)));
    }
    if !named.is_sorted_by(|a, b| a.0 < b.0) || named.is_empty() {
        return Reply::error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    let mut sum = Md5Stream::new();
    sum.update(&sums);
    let e_tag = format!("{}-{}", sum.finish(), named.len());
    let headers = upload.headers.clone();
    store.uploads.remove(id);
    store.put_with(bucket, key, Arc::from(bytes), e_tag.clone(), headers);
    Reply::xml(
        200,
        format!("<CompleteMultipartUploadResult><ETag>&quot;{e_tag}&quot;</ETag></CompleteMultipartUploadResult>"),
    )
}

fn put(store: &mut Store, bucket: &str, key: &str, request: &Request) -> Reply {
    if let Some(refused) = precondition(store, bucket, key, request) {
        return refused;
    }
    let e_tag = md5_hex(&request.body);
    store.put_with(bucket, key, Arc::from(request.body.as_slice()), e_tag.clone(), kept_headers(request));
    encrypted(store, request, Reply::new(200).with_header("etag", format!("\"{e_tag}\"")))
}

/// Says which encryption the object has, unless the server has none.
fn encrypted(store: &Store, request: &Request, reply: Reply) -> Reply {
    match request.header("x-amz-server-side-encryption").filter(|_| store.options.encrypts) {
        Some(encryption) => reply.with_header("x-amz-server-side-encryption", encryption),
        None => reply,
    }
}

fn precondition(store: &Store, bucket: &str, key: &str, request: &Request) -> Option<Reply> {
    let refused = request.header("if-none-match") == Some("*") && store.current(bucket, key).is_some();
    refused.then(|| {
        Reply::error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    })
}

fn read(store: &Store, bucket: &str, key: &str, request: &Request) -> Reply {
    let Some(version) = store.version(bucket, key, request.parameter("versionId")) else {
        return Reply::error(404, "NoSuchKey", "The specified key does not exist.");
    };
    let mut reply = of_version(version);
    let length = version.body.len();
    if request.method == "HEAD" {
        reply.stated_length = Some(version.size);
        return reply;
    }
    if request.header("if-match").is_some_and(|wanted| wanted.trim_matches('"') != version.e_tag) {
        return Reply::error(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        );
    }
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return reply.with_body(version.body.to_vec()) };
    let (first, last) = (first.parse().unwrap_or(0), last.parse().unwrap_or(usize::MAX));
    if first >= length {
        return Reply::error(416, "InvalidRange", "The requested range is not satisfiable");
    }
    reply.status = 206;
    reply.with_body(version.body[first..length.min(last.saturating_add(1))].to_vec())
}

fn of_version(version: &StoredVersion) -> Reply {
    let mut reply = Reply::new(200).with_header("etag", format!("\"{}\"", version.e_tag));
    for (name, value) in &version.headers {
        reply = reply.with_header(name, value);
    }
    reply
}

fn kept_headers(request: &Request) -> BTreeMap<String, String> {
    let kept = |name: &str| {
        (name.starts_with("x-amz-") && !matches!(name, "x-amz-date" | "x-amz-content-sha256")) || name == "content-type"
    };
    request.headers.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn named_part(text: &str) -> (u32, String) {
    let between = |open: &str, close: &str| {
        text.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map_or("", |(value, _)| value)
    };
    let number = between("<PartNumber>", "</PartNumber>").parse().unwrap_or(0);
    (number, between("<ETag>", "</ETag>").replace("&quot;", "").replace('"', ""))
}

fn no_upload() -> Reply {
    Reply::error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
}

/// Base64 of bytes that are given in hex.
pub(crate) fn base64_of_hex(hex: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or(0)).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = three.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let used = digit <= three.len();
            text.push(if used { char::from(DIGITS[(group >> (18 - 6 * digit)) as usize & 63]) } else { '=' });
        }
    }
    text
}
