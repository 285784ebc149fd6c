//! Google Cloud Storage and Azure Blob Storage within the test's process: as much of their protocols as reports need, and faults on
//! demand.
//!
//! One server has both: a path of two segments or more whose first one is [`ACCOUNT`] is Azure's, another one Google's. It keeps objects
//! in memory and answers as the two's documentation says. It checks no signatures, but that Azure's requests have one.

mod azure;
mod google;

use crate::s3::{
    Fault, Faults, Request,
    http::{Answers, Listening, Reply},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use stocktake_core::md5_hex;

/// The account of Azure's.
pub const ACCOUNT: &str = "testaccount";

/// A running server; dropped, it takes no more connections.
#[derive(Debug)]
pub struct CloudServer {
    listening: Listening,
    service: Arc<Service>,
}

impl CloudServer {
    /// Starts a server; every name of a bucket or container is one, and is empty.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start() -> io::Result<Self> {
        let service = Arc::new(Service { faults: Faults::new(), store: Mutex::default(), log: Mutex::default() });
        Ok(Self { listening: Listening::start(Arc::clone(&service))?, service })
    }

    /// Variables of the environment by which Google's bucket is reached.
    pub fn google(&self) -> Vec<(String, String)> {
        vec![("STORAGE_EMULATOR_HOST".to_owned(), self.url())]
    }

    /// Variables of the environment by which Azure's container is reached.
    pub fn azure(&self) -> Vec<(String, String)> {
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0".to_owned()),
            ("AZURE_STORAGE_ENDPOINT", format!("{}/{ACCOUNT}", self.url())),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The server's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address)
    }

    /// What the server holds; a test may change it between requests.
    pub fn store(&self) -> MutexGuard<'_, CloudStore> {
        self.service.store()
    }

    /// The faults that the server shows.
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// Requests so far, as `METHOD path?query`.
    pub fn log(&self) -> Vec<String> {
        self.service.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a server holds.
#[derive(Debug)]
pub struct CloudStore {
    /// Objects by bucket or container and key.
    pub objects: BTreeMap<(String, String), CloudObject>,
    /// Resumable uploads under way, by id: the key, and bytes so far.
    pub sessions: BTreeMap<String, Session>,
    /// Blocks that no list names, by container and key, and by id.
    pub blocks: BTreeMap<(String, String), BTreeMap<String, Vec<u8>>>,
    /// Most entries of a page of a listing.
    pub page_max: usize,
    /// Most bytes of a part that a resumable upload takes at once; the rest is to be sent again.
    pub taken_max: usize,
    /// Whether objects are somewhere else: puts are answered by a redirect.
    pub moved: bool,
    /// Whether Google says of a finished object another checksum than it has.
    pub lies: bool,
    writes: u64,
}

impl Default for CloudStore {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            sessions: BTreeMap::new(),
            blocks: BTreeMap::new(),
            page_max: 1000,
            taken_max: usize::MAX,
            moved: false,
            lies: false,
            writes: 0,
        }
    }
}

/// An object.
#[derive(Clone, Debug, Default)]
pub struct CloudObject {
    /// Bytes.
    pub body: Vec<u8>,
    /// ETag with its quotes; another one for each time that the key is written.
    pub e_tag: String,
    /// Headers that were given with it, and that a look at it shows.
    pub headers: BTreeMap<String, String>,
}

/// A resumable upload.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Bucket and key.
    pub place: (String, String),
    /// Bytes so far.
    pub body: Vec<u8>,
    /// Whether the object must be absent.
    pub only_if_absent: bool,
    /// Whether it has become an object.
    pub done: bool,
    headers: BTreeMap<String, String>,
}

impl CloudStore {
    /// Puts an object, as a client would.
    pub fn put(&mut self, bucket: &str, key: &str, body: &[u8]) {
        self.put_with((bucket.to_owned(), key.to_owned()), body.to_vec(), BTreeMap::new());
    }

    /// The object of a key.
    pub fn object(&self, bucket: &str, key: &str) -> Option<&CloudObject> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))
    }

    fn put_with(&mut self, place: (String, String), body: Vec<u8>, headers: BTreeMap<String, String>) {
        self.writes += 1;
        let e_tag = format!("\"0x{:08X}\"", self.writes);
        // Blocks that are not of this object are gone with the one that takes their place.
        self.blocks.remove(&place);
        self.objects.insert(place, CloudObject { body, e_tag, headers });
    }

    /// Keys of a bucket behind a marker, a page of them, and whether there are more.
    fn page(&self, bucket: &str, prefix: &str, behind: Option<&str>) -> (Vec<(&str, &CloudObject)>, bool) {
        let of_bucket = self.objects.iter().filter(|((name, key), _)| name == bucket && key.starts_with(prefix));
        let mut left = of_bucket.map(|((_, key), object)| (key.as_str(), object));
        let mut left = left.by_ref().filter(|(key, _)| behind.is_none_or(|behind| *key > behind));
        let page: Vec<_> = left.by_ref().take(self.page_max).collect();
        let more = left.next().is_some();
        (page, more)
    }
}

#[derive(Debug)]
struct Service {
    faults: Faults,
    store: Mutex<CloudStore>,
    log: Mutex<Vec<String>>,
}

impl Service {
    fn store(&self) -> MutexGuard<'_, CloudStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for Service {
    fn answer(&self, request: &Request) -> (Reply, Option<Fault>) {
        let line = format!("{} {}", request.method, request.target);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let fault = self.faults.of(request);
        let reply = match fault {
            Some(Fault::SlowDown) => Reply::error(503, "ServerBusy", "Please reduce your request rate."),
            Some(Fault::InternalError) => Reply::error(500, "InternalError", "We encountered an internal error."),
            Some(Fault::AccessDenied) => Reply::error(403, "AccessDenied", "Access denied."),
            _ => {
                let (first, rest) = request.bucket_and_key();
                let mut store = self.store();
                if store.moved && request.method == "PUT" {
                    let reply = Reply::error(308, "PermanentRedirect", "The bucket is somewhere else.");
                    return (reply.with_header("location", "http://localhost/"), fault);
                }
                match rest.split_once('/') {
                    Some((container, key)) if first == ACCOUNT => azure::answer(&mut store, request, container, key),
                    None if first == ACCOUNT => azure::answer(&mut store, request, &rest, ""),
                    _ => google::answer(&mut store, request, &first, &rest),
                }
            }
        };
        (reply, fault)
    }
}

/// Answers a look at an object or a read of it.
fn read(object: Option<&CloudObject>, request: &Request) -> Reply {
    let Some(object) = object else {
        return Reply::error(404, "NoSuchKey", "The specified key does not exist.");
    };
    if request.header("if-match").is_some_and(|wanted| wanted != object.e_tag) {
        return Reply::error(412, "ConditionNotMet", "The condition is not met.");
    }
    let mut reply = Reply::new(200).with_header("etag", &object.e_tag);
    reply = reply.with_header("last-modified", "Sun, 22 Nov 2026 01:00:00 GMT");
    for (name, value) in &object.headers {
        reply = reply.with_header(name, value);
    }
    let length = object.body.len();
    if request.method == "HEAD" {
        reply.stated_length = Some(length as u64);
        return reply;
    }
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return reply.with_body(object.body.clone()) };
    let (first, last) = (first.parse().unwrap_or(0), last.parse().unwrap_or(usize::MAX));
    if first >= length {
        return Reply::error(416, "InvalidRange", "The range is not within the object.");
    }
    let end = length.min(last.saturating_add(1));
    reply.status = 206;
    reply = reply.with_header("content-range", format!("bytes {first}-{}/{length}", end - 1));
    reply.with_body(object.body[first..end].to_vec())
}

/// Refuses a body whose MD5 is another one than its request says.
fn damaged(request: &Request) -> Option<Reply> {
    let stated = request.header("content-md5")?;
    let differs = stated != crate::s3::objects::base64_of_hex(&md5_hex(&request.body));
    differs.then(|| Reply::error(400, "Md5Mismatch", "The MD5 of the body differs."))
}

/// Headers that are kept with an object.
fn kept(request: &Request, prefix: &str) -> BTreeMap<String, String> {
    let wanted = |name: &str| name.starts_with(prefix) || name == "content-type";
    request.headers.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Text between the marks of elements.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
