//! ListObjectsV2 and ListObjectVersions: pages of a bucket's keys.

use super::{
    Fault, Request,
    http::Reply,
    store::{ServerOptions, Store, StoredVersion},
};
use std::{collections::BTreeMap, fmt::Write, ops::Bound};
use stocktake_core::Timestamp;

/// Keys that are computed: `COUNT` keys of the same length in one flat row, for measurements.
#[derive(Clone, Copy, Debug)]
pub struct FlatKeys {
    /// Number of keys.
    pub count: u64,
}

/// An object of [`FlatKeys`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
}

impl FlatKeys {
    /// The object of a number.
    pub fn object(number: u64) -> ListedObject {
        ListedObject { key: format!("logs/part-{number:012}.parquet"), size: number.wrapping_mul(7919) % 1_000_003 }
    }

    /// The number of the first key that is not before what is looked for.
    fn first(self, before: impl Fn(&str) -> bool) -> u64 {
        let mut range = 0..self.count;
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if before(&Self::object(middle).key) { range.start = middle + 1 } else { range.end = middle }
        }
        range.start
    }

    fn page(self, prefix: &str, after: &str, entries_max: usize) -> String {
        const TEMPLATE: &str = "<Contents><Key>logs/part-000000000000.parquet</Key>\
            <LastModified>2026-11-22T01:02:03.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag>\
            <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>";
        let first = self.first(|key| key <= after || key < prefix);
        let end = self.first(|key| key < prefix || key.starts_with(prefix)).max(first);
        let last = end.min(first + entries_max as u64);
        let mut xml = Vec::with_capacity(400 * entries_max);
        for number in first..last {
            let begin = xml.len();
            xml.extend_from_slice(TEMPLATE.as_bytes());
            let mut rest = number;
            for digit in xml[begin + 25..begin + 37].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            let size = number.wrapping_mul(7919) % 1_000_003;
            xml.extend_from_slice(size.to_string().as_bytes());
            xml.extend_from_slice(b"</Size><StorageClass>STANDARD</StorageClass></Contents>");
        }
        let xml = String::from_utf8_lossy(&xml);
        let more = last < end;
        let token = if more { token(&Self::object(last - 1).key) } else { String::new() };
        page(&format!("<KeyCount>{}</KeyCount>", last - first), more, &token, &xml)
    }
}

/// Answers ListObjectsV2.
pub(super) fn objects(store: &Store, bucket: &str, request: &Request, fault: Option<Fault>) -> Reply {
    let prefix = request.parameter("prefix").unwrap_or("");
    let delimiter = request.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let of_token = request.parameter("continuation-token").map(marker_of);
    let mut after = of_token.as_deref().or(request.parameter("start-after")).unwrap_or("");
    if fault == Some(Fault::RepeatPage) {
        after = "";
    }
    let entries_max = entries_max(&store.options, request);
    if let (Some(flat), None) = (store.flat.get(bucket), delimiter) {
        return Reply::xml(200, flat.page(prefix, after, entries_max));
    }
    let encode = encoder(request);
    let owner = (request.parameter("fetch-owner") == Some("true")).then_some(store.options.owner.as_str());
    let none = BTreeMap::new();
    let keys = store.objects.get(bucket).unwrap_or(&none);
    let (mut entries, mut common, mut last, mut more) = (Vec::new(), Vec::<String>::new(), String::new(), false);
    for (key, versions) in keys.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let Some(version) = versions.first().filter(|version| !version.marker) else { continue };
        let folder = delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len()));
        let name = folder.map_or(key.as_str(), |end| &key[..prefix.len() + end]);
        // A page that began within a folder does not name it again.
        if folder.is_some() && (common.last().is_some_and(|seen| seen == name) || after.starts_with(name)) {
            continue;
        }
        if entries.len() + common.len() >= entries_max {
            more = true;
            break;
        }
        match folder {
            Some(_) => common.push(name.to_owned()),
            None => entries.push(entry("Contents", &encode(key), version, owner, "")),
        }
        last = if folder.is_some() { format!("{name}\u{10ffff}") } else { key.clone() };
    }
    disturb(&mut entries, fault);
    let count = entries.len() + common.len();
    let common: String = common
        .iter()
        .map(|name| format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", encode(name)))
        .collect();
    let token = if more && fault != Some(Fault::NoToken) { token(&last) } else { String::new() };
    let body = page(&format!("<KeyCount>{count}</KeyCount>"), more, &token, &(entries.concat() + &common));
    Reply::xml(200, cut(body, fault))
}

/// Answers ListObjectVersions.
pub(super) fn versions(store: &Store, bucket: &str, request: &Request, fault: Option<Fault>) -> Reply {
    let prefix = request.parameter("prefix").unwrap_or("");
    let mut key_marker = request.parameter("key-marker").unwrap_or("");
    let mut version_marker = request.parameter("version-id-marker");
    if fault == Some(Fault::RepeatPage) {
        (key_marker, version_marker) = ("", None);
    }
    let entries_max = entries_max(&store.options, request);
    let encode = encoder(request);
    let none = BTreeMap::new();
    let keys = store.objects.get(bucket).unwrap_or(&none);
    let (mut entries, mut markers, mut last, mut more) = (Vec::new(), Vec::new(), None, false);
    'keys: for (key, versions) in keys.range::<str, _>((Bound::Included(key_marker), Bound::Unbounded)) {
        if !key.starts_with(prefix) {
            continue;
        }
        let mut from = 0;
        if key == key_marker {
            let Some(marker) = version_marker else { continue };
            from = versions.iter().position(|version| version.id == marker).map_or(0, |at| at + 1);
        }
        for (index, version) in versions.iter().enumerate().skip(from) {
            if entries.len() + markers.len() >= entries_max {
                more = true;
                break 'keys;
            }
            let more_of_it = format!("<VersionId>{}</VersionId><IsLatest>{}</IsLatest>", version.id, index == 0);
            let element = if version.marker { "DeleteMarker" } else { "Version" };
            let text = entry(element, &encode(key), version, Some(&store.options.owner), &more_of_it);
            if version.marker && store.options.markers_last {
                markers.push(text)
            } else {
                entries.push(text)
            }
            last = Some((key.clone(), version.id.clone()));
        }
    }
    entries.append(&mut markers);
    disturb(&mut entries, fault);
    let next = match last.filter(|_| more && fault != Some(Fault::NoToken)) {
        Some((key, id)) => {
            format!("<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{id}</NextVersionIdMarker>", encode(&key))
        }
        None => String::new(),
    };
    let body = format!(
        "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>{more}</IsTruncated>{next}{}{}</ListVersionsResult>",
        entries.concat(),
        // Behind the keys, as some stores have it.
        if request.parameter("encoding-type") == Some("url") { "<EncodingType>url</EncodingType>" } else { "" }
    );
    Reply::xml(200, cut(body, fault))
}

fn page(count: &str, more: bool, token: &str, entries: &str) -> String {
    let next = if token.is_empty() {
        String::new()
    } else {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    };
    format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{count}<EncodingType>url</EncodingType>\
         <IsTruncated>{more}</IsTruncated>{entries}{next}</ListBucketResult>"
    )
}

fn entries_max(options: &ServerOptions, request: &Request) -> usize {
    let asked = request.parameter("max-keys").and_then(|keys| keys.parse().ok()).unwrap_or(1000);
    options.page_max.min(asked)
}

fn disturb(entries: &mut Vec<String>, fault: Option<Fault>) {
    if fault == Some(Fault::ReorderPage) && entries.len() > 1 {
        entries.swap(0, 1);
    }
    if fault == Some(Fault::LeaveOut) && !entries.is_empty() {
        entries.remove(0);
    }
}

fn cut(body: String, fault: Option<Fault>) -> String {
    if fault == Some(Fault::CutXml) { body[..body.len() * 2 / 3].to_owned() } else { body }
}

/// A continuation token: the last key's bytes in hex, so that nobody takes it for a key.
fn token(key: &str) -> String {
    key.bytes().fold("t-".to_owned(), |mut token, byte| {
        // Writing to a string does not fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

fn marker_of(token: &str) -> String {
    let digits = token.trim_start_matches("t-").as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or(b'?');
    String::from_utf8_lossy(&digits.chunks(2).map(byte).collect::<Vec<_>>()).into_owned()
}

fn entry(element: &str, key: &str, version: &StoredVersion, owner: Option<&str>, more: &str) -> String {
    let modified = Timestamp::try_from_ms(version.modified_ms).unwrap_or(Timestamp::MIN);
    let mut text = format!("<{element}><Key>{key}</Key><LastModified>{modified}</LastModified>{more}");
    if !version.marker {
        text += &format!("<ETag>&quot;{}&quot;</ETag><Size>{}</Size>", version.e_tag, version.size);
        text += &format!("<StorageClass>{}</StorageClass>", version.class);
        if !version.checksum.is_empty() {
            text += &format!("<ChecksumAlgorithm>{}</ChecksumAlgorithm>", version.checksum);
        }
    }
    if let Some(owner) = owner {
        text += &format!("<Owner><ID>{owner}</ID><DisplayName>somebody</DisplayName></Owner>");
    }
    text + &format!("</{element}>")
}

/// Keys as the request wants them: percent-encoded with a plus for a space, or escaped for XML.
fn encoder(request: &Request) -> impl Fn(&str) -> String {
    let url = request.parameter("encoding-type") == Some("url");
    move |key: &str| {
        let mut text = String::with_capacity(key.len());
        for byte in key.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => text.push(byte.into()),
                b' ' if url => text.push('+'),
                // Writing to a string does not fail.
                _ if url => {
                    let _ = write!(text, "%{byte:02X}");
                }
                _ => {}
            }
        }
        if url { text } else { key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") }
    }
}
