//! Azure Blob Storage: blobs, blocks, listings.

use super::{CloudStore, damaged, escaped, kept, read};
use crate::s3::{Request, http::Reply};
use std::collections::BTreeMap;

pub(super) fn answer(store: &mut CloudStore, request: &Request, container: &str, key: &str) -> Reply {
    let signed = request.header("authorization").is_some_and(|value| value.starts_with("SharedKey testaccount:"));
    if !signed || request.header("x-ms-version").is_none() {
        return refused(403, "AuthenticationFailed");
    }
    if let Some(damaged) = damaged(request) {
        return damaged;
    }
    let place = (container.to_owned(), key.to_owned());
    match (request.method.as_str(), request.parameter("comp")) {
        ("GET", Some("list")) => list(store, request, container),
        ("GET" | "HEAD", None) => match store.objects.get(&place) {
            None => refused(404, "BlobNotFound"),
            blob => read(blob, request),
        },
        ("PUT", Some("block")) => {
            let id = request.parameter("blockid").unwrap_or("").to_owned();
            let blocks = store.blocks.entry(place).or_default();
            if blocks.keys().any(|other| other.len() != id.len()) {
                return refused(400, "InvalidBlobOrBlock");
            }
            blocks.insert(id, request.body.clone());
            Reply::new(201)
        }
        ("PUT", Some("blocklist")) => commit(store, request, place),
        ("PUT", None) if request.header("x-ms-blob-type") == Some("BlockBlob") => taken(store, &place, request)
            .unwrap_or_else(|| {
                store.put_with(place, request.body.clone(), kept(request, "x-ms-meta-"));
                Reply::new(201)
            }),
        ("DELETE", None) => match store.objects.remove(&place) {
            Some(_) => Reply::new(202),
            None => refused(404, "BlobNotFound"),
        },
        _ => refused(400, "UnsupportedHeader"),
    }
}

fn commit(store: &mut CloudStore, request: &Request, place: (String, String)) -> Reply {
    let text = String::from_utf8_lossy(&request.body);
    let ids = text.split("<Uncommitted>").skip(1).filter_map(|rest| rest.split_once("</Uncommitted>"));
    let blocks = store.blocks.get(&place);
    let found: Option<Vec<&Vec<u8>>> = ids.map(|(id, _)| blocks?.get(id)).collect();
    // The service looks at the list before it looks at the condition.
    let Some(found) = found.filter(|found| !found.is_empty()) else { return refused(400, "InvalidBlockList") };
    let body = found.into_iter().flatten().copied().collect();
    if let Some(refused) = taken(store, &place, request) {
        return refused;
    }
    let mut headers: BTreeMap<String, String> = kept(request, "x-ms-meta-");
    if let Some(content_type) = request.header("x-ms-blob-content-type") {
        headers.insert("content-type".to_owned(), content_type.to_owned());
    }
    store.put_with(place, body, headers);
    Reply::new(201)
}

fn taken(store: &CloudStore, place: &(String, String), request: &Request) -> Option<Reply> {
    let taken = request.header("if-none-match") == Some("*") && store.objects.contains_key(place);
    taken.then(|| refused(409, "BlobAlreadyExists"))
}

fn list(store: &CloudStore, request: &Request, container: &str) -> Reply {
    let prefix = request.parameter("prefix").unwrap_or("");
    let (page, more) = store.page(container, prefix, request.parameter("marker"));
    let mut text =
        format!("<EnumerationResults ContainerName=\"{container}\"><Prefix>{}</Prefix><Blobs>", escaped(prefix));
    for (key, blob) in &page {
        let size = blob.body.len();
        text += &format!(
            "<Blob><Name>{}</Name><Properties><Content-Length>{size}</Content-Length></Properties></Blob>",
            escaped(key)
        );
    }
    text += "</Blobs>";
    text += &match page.last() {
        Some((key, _)) if more => format!("<NextMarker>{}</NextMarker>", escaped(key)),
        _ => "<NextMarker />".to_owned(),
    };
    Reply::xml(200, text + "</EnumerationResults>")
}

fn refused(status: u16, code: &str) -> Reply {
    Reply::error(status, code, "The service refuses the request.").with_header("x-ms-error-code", code)
}
