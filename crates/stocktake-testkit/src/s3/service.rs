//! From a request to its reply: which operation it is, and what a fault makes of it.

use super::{
    Fault, Faults, Request,
    http::{Answers, Reply},
    listing, objects,
    store::{ServerOptions, Store},
};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

#[derive(Debug)]
pub(super) struct Service {
    store: Mutex<Store>,
    pub(super) faults: Faults,
    log: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    at_once_max: AtomicUsize,
    turned_away: AtomicUsize,
}

impl Answers for Service {
    fn answer(&self, request: &Request) -> (Reply, Option<Fault>) {
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.at_once_max.fetch_max(at_once, Ordering::Relaxed);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {}", request.method, request.target));
        let fault = self.faults.of(request);
        let reply = match fault {
            Some(Fault::SlowDown) => Reply::error(503, "SlowDown", "Please reduce your request rate."),
            Some(Fault::InternalError) => Reply::error(500, "InternalError", "We encountered an internal error."),
            Some(Fault::AccessDenied) => Reply::error(403, "AccessDenied", "Access Denied"),
            Some(Fault::NotImplemented) => Reply::error(501, "NotImplemented", "Not implemented"),
            _ => self.elsewhere(request).unwrap_or_else(|| self.operate(request, fault)),
        };
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        (reply, fault)
    }
}

impl Service {
    pub(super) fn new(options: ServerOptions) -> Self {
        Self {
            store: Mutex::new(Store::new(options)),
            faults: Faults::new(),
            log: Mutex::default(),
            at_once: AtomicUsize::new(0),
            at_once_max: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn at_once_max(&self) -> usize {
        self.at_once_max.load(Ordering::Relaxed)
    }

    pub(super) fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Sends a request that is signed for another region where the bucket is.
    fn elsewhere(&self, request: &Request) -> Option<Reply> {
        let region = self.store().options.region.clone()?;
        let is_signed_for =
            request.header("authorization").is_some_and(|value| value.contains(&format!("/{region}/s3/")));
        if is_signed_for {
            return None;
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        let reply =
            Reply::error(301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint.");
        Some(reply.with_header("x-amz-bucket-region", region))
    }

    fn operate(&self, request: &Request, fault: Option<Fault>) -> Reply {
        let (bucket, key) = request.bucket_and_key();
        let has = |name: &str| request.query.contains_key(name);
        if key.is_empty() {
            return match request.method.as_str() {
                "GET" if has("uploads") => objects::uploads(&self.store(), &bucket, request),
                "GET" if has("versions") => listing::versions(&self.store(), &bucket, request, fault),
                "GET" if request.parameter("list-type") == Some("2") => self.list(&bucket, request, fault),
                _ => objects::policy(&mut self.store(), &bucket, request),
            };
        }
        objects::operate(&mut self.store(), &bucket, &key, request)
    }

    /// Computed keys are rendered without the lock, so that several pages are made at once.
    fn list(&self, bucket: &str, request: &Request, fault: Option<Fault>) -> Reply {
        let (flat, options) = {
            let store = self.store();
            (store.flat.get(bucket).copied(), store.options.clone())
        };
        if let Some(flat) = flat {
            let mut alone = Store::new(options);
            alone.flat.insert(bucket.to_owned(), flat);
            return listing::objects(&alone, bucket, request, fault);
        }
        listing::objects(&self.store(), bucket, request, fault)
    }
}
