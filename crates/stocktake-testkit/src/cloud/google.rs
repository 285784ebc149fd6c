//! The XML interface of Google Cloud Storage: objects, listings, resumable uploads.

use super::{CloudStore, Session, damaged, escaped, kept, read};
use crate::s3::{Request, http::Reply};

/// Bytes of which the length of a part that is not the last must be a multiple.
const PART_BYTES_UNIT: usize = 256 << 10;

pub(super) fn answer(store: &mut CloudStore, request: &Request, bucket: &str, key: &str) -> Reply {
    let place = (bucket.to_owned(), key.to_owned());
    match (request.method.as_str(), request.parameter("upload_id")) {
        ("GET", _) if key.is_empty() => list(store, request, bucket),
        ("GET" | "HEAD", _) => read(store.objects.get(&place), request),
        ("POST", None) if request.header("x-goog-resumable") == Some("start") => begin(store, request, place),
        ("PUT", Some(id)) => part(store, request, id),
        ("DELETE", Some(id)) => {
            // As the service answers: the client closed its request.
            let status = if store.sessions.remove(id).is_some() { 499 } else { 404 };
            Reply::error(status, "UploadCancelled", "The upload was cancelled.")
        }
        ("PUT", None) => {
            damaged(request).or_else(|| taken(store, &place, only_if_absent(request))).unwrap_or_else(|| {
                store.put_with(place, request.body.clone(), kept(request, "x-goog-meta-"));
                Reply::new(200)
            })
        }
        ("DELETE", None) => match store.objects.remove(&place) {
            Some(_) => Reply::new(204),
            None => Reply::error(404, "NoSuchKey", "The specified key does not exist."),
        },
        _ => Reply::error(400, "InvalidArgument", "This server does not know the request."),
    }
}

fn only_if_absent(request: &Request) -> bool {
    request.header("x-goog-if-generation-match") == Some("0")
}

fn taken(store: &CloudStore, place: &(String, String), only_if_absent: bool) -> Option<Reply> {
    let refused = only_if_absent && store.objects.contains_key(place);
    refused.then(|| Reply::error(412, "PreconditionFailed", "At least one of the pre-conditions does not hold."))
}

fn begin(store: &mut CloudStore, request: &Request, place: (String, String)) -> Reply {
    store.writes += 1;
    let id = format!("session{}", store.writes);
    let host = request.header("host").unwrap_or_default();
    let url = format!("http://{host}{}?upload_id={id}", request.path);
    let (only_if_absent, headers) = (only_if_absent(request), kept(request, "x-goog-meta-"));
    store.sessions.insert(id, Session { place, only_if_absent, headers, ..Session::default() });
    Reply::new(201).with_header("location", url)
}

fn part(store: &mut CloudStore, request: &Request, id: &str) -> Reply {
    let (lies, taken_max) = (store.lies, store.taken_max);
    let Some(session) = store.sessions.get_mut(id) else {
        return Reply::error(404, "NoSuchUpload", "The upload is not there.");
    };
    let range = request.header("content-range").and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
    let Some((range, total)) = range else {
        return Reply::error(400, "InvalidArgument", "A content-range is missing.");
    };
    let total: Option<usize> = total.parse().ok();
    if !session.done {
        if let Some((first, last)) = range.split_once('-') {
            let (first, last): (usize, usize) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            let whole = last + 1 - first == request.body.len();
            let odd = total.is_none() && !request.body.len().is_multiple_of(PART_BYTES_UNIT);
            if !whole || odd || first > session.body.len() {
                return Reply::error(400, "InvalidArgument", "The content-range does not fit.");
            }
            let passed = (session.body.len() - first).min(request.body.len());
            let rest = &request.body[passed..];
            session.body.extend_from_slice(&rest[..rest.len().min(taken_max)]);
        }
        if total != Some(session.body.len()) {
            let reply = Reply::new(308);
            return match session.body.len() {
                0 => reply,
                length => reply.with_header("range", format!("bytes=0-{}", length - 1)),
            };
        }
        let session = session.clone();
        if let Some(refused) = taken(store, &session.place, session.only_if_absent) {
            return refused;
        }
        store.put_with(session.place, session.body, session.headers);
        if let Some(session) = store.sessions.get_mut(id) {
            session.done = true;
        }
    }
    let crc = store.sessions.get(id).map_or(0, |session| crc32c::crc32c(&session.body));
    let crc = if lies { !crc } else { crc };
    let hex = crc.to_be_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Reply::new(200).with_header("x-goog-hash", format!("crc32c={}", crate::s3::objects::base64_of_hex(&hex)))
}

fn list(store: &CloudStore, request: &Request, bucket: &str) -> Reply {
    let prefix = request.parameter("prefix").unwrap_or("");
    let (page, more) = store.page(bucket, prefix, request.parameter("continuation-token"));
    let mut text = "<ListBucketResult xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\">".to_owned();
    text += &format!("<Name>{bucket}</Name><Prefix>{}</Prefix>", escaped(prefix));
    for (key, object) in &page {
        let size = object.body.len();
        text += &format!("<Contents><Key>{}</Key><Size>{size}</Size><ETag>e</ETag></Contents>", escaped(key));
    }
    if let (true, Some((key, _))) = (more, page.last()) {
        text += &format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(key));
    }
    Reply::xml(200, text + "</ListBucketResult>")
}
