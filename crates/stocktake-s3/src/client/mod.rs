//! A client of one bucket: signs requests, sends them, tries again, and slows down when it is asked to.
//!
//! It knows requests and replies, nothing of listings or reports. Methods that block are for threads outside of its own.

mod bodies;
mod keys;
mod sign;
mod throttle;
mod transport;

pub(crate) use sign::{Scope, Signed, amz_date, authorization, hex, payload_hash};
pub(crate) use transport::Transport;

use crate::{
    credentials::Credentials,
    encoding::push_encoded,
    error::{Cause, S3Error},
    settings::{Endpoint, S3Settings, is_region},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bodies::Bodies;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, header::HeaderMap};
use keys::Keys;
use md5::{Digest, Md5};
use std::{
    fmt,
    future::Future,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use stocktake_core::{BucketName, Timestamp};
use throttle::Throttle;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::Instant,
};

/// Longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest reply that is read whole: a page of 1,000 keys of 1,024 bytes, all of them encoded, is below it.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// One request, without what every request has.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// Key of the object; none for the bucket itself.
    pub(crate) key: Option<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    /// Headers with names in lower case.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(operation: &'static str, method: Method, key: Option<&str>) -> Self {
        let key = key.map(ToOwned::to_owned);
        Self { operation, method, key, query: Vec::new(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn with_query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request with a body, and with its MD5, so that a body that was damaged on its way is refused.
    pub(crate) fn with_body(self, body: Bytes) -> Self {
        let sum = BASE64_STANDARD.encode(Md5::digest(&body));
        Self { body, ..self }.with_header("content-md5", sum)
    }
}

/// A reply that is no error.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Where requests go and what they are signed for. A server may say that its bucket is in another region.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    region: String,
}

/// A client of one bucket.
pub struct S3Client {
    settings: S3Settings,
    bucket: BucketName,
    place: RwLock<Arc<Place>>,
    transport: Transport,
    keys: Keys,
    throttle: Throttle,
    bodies: Bodies,
    /// Nanoseconds in which requests were signed.
    signing_ns: AtomicU64,
    runtime: Option<Runtime>,
}

impl S3Client {
    /// A client with threads of its own, as many as `threads`.
    ///
    /// # Errors
    /// An endpoint that is none, no certificates to check a server's by, no threads.
    pub fn try_new(settings: S3Settings, bucket: BucketName, threads: usize) -> Result<Self, String> {
        let endpoint = Endpoint::of(&settings, &bucket)?;
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(threads.max(1)).thread_name("stocktake-s3").enable_all();
        let runtime = runtime.build().map_err(|error| format!("no threads for the network: {error}"))?;
        let transport = Transport::try_new(endpoint.tls, settings.ca_bundle.as_deref(), CONNECT_TIMEOUT)?;
        let place = RwLock::new(Arc::new(Place { endpoint, region: settings.region.clone() }));
        let throttle = Throttle::new(settings.requests_per_second_max);
        let keys = Keys::new(&settings);
        let bodies = Bodies::new(settings.requests_max.get() as usize);
        let (signing_ns, runtime) = (AtomicU64::new(0), Some(runtime));
        Ok(Self { settings, bucket, place, transport, keys, throttle, bodies, signing_ns, runtime })
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// How the server is reached.
    pub fn settings(&self) -> &S3Settings {
        &self.settings
    }

    /// The bucket's policy, if it has one.
    ///
    /// # Errors
    /// If the server does not say.
    pub fn bucket_policy(&self) -> Result<Option<String>, S3Error> {
        let call = Call::new("GetBucketPolicy", Method::GET, None).with_query("policy", "");
        let parse = |answer: Answer| {
            let text = std::str::from_utf8(&answer.body).map_err(|_| "the policy is not UTF-8".to_owned())?;
            Ok(Some(text.to_owned()).filter(|text| !text.trim().is_empty()))
        };
        match self.block_on(self.send_parsed(&call, parse)) {
            Err(error) if error.code() == "NoSuchBucketPolicy" => Ok(None),
            answer => answer,
        }
    }

    /// Puts the bucket's policy in the place of the one that it has.
    ///
    /// # Errors
    /// If the server refuses it.
    pub fn put_bucket_policy(&self, policy: &str) -> Result<(), S3Error> {
        let call = Call::new("PutBucketPolicy", Method::PUT, None).with_query("policy", "");
        let call = call.with_header("content-type", "application/json").with_body(Bytes::from(policy.to_owned()));
        self.block_on(self.send(&call)).map(drop)
    }

    /// Runs to its end what is async. Must not be called from one of the client's own threads.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle().block_on(future)
    }

    pub(crate) fn handle(&self) -> &Handle {
        match &self.runtime {
            Some(runtime) => runtime.handle(),
            None => unreachable!("the runtime is taken when the client is dropped"),
        }
    }

    /// Sends a request until it is answered by something else than a passing fault, or too often.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, S3Error> {
        self.send_parsed(call, Ok).await
    }

    /// As [`S3Client::send`]; a reply that `parse` does not understand counts as a passing fault.
    pub(crate) async fn send_parsed<T>(
        &self,
        call: &Call,
        parse: impl Fn(Answer) -> Result<T, String>,
    ) -> Result<T, S3Error> {
        self.send_through(call, |answer| std::future::ready(parse(answer))).await
    }

    /// As [`S3Client::send_parsed`], where others take the reply apart.
    pub(crate) async fn send_through<T, F: Future<Output = Result<T, String>>>(
        &self,
        call: &Call,
        parse: impl Fn(Answer) -> F,
    ) -> Result<T, S3Error> {
        let mut attempts = 0;
        let mut moved = false;
        loop {
            self.throttle.turn().await;
            let place = self.place();
            let attempt = self.attempt(call, &place);
            let answer = match tokio::time::timeout(self.settings.attempt_timeout, attempt).await {
                Ok(answer) => answer,
                Err(_) => Err(Cause::Transport(format!("no answer in {:?}", self.settings.attempt_timeout))),
            };
            attempts += 1;
            let parsed = match answer {
                Ok(answer) => parse(answer).await.map_err(Cause::Malformed),
                Err(cause) => Err(cause),
            };
            let cause = match parsed {
                Ok(parsed) => return Ok(parsed),
                Err(cause) => cause,
            };
            if !moved && cause.region().is_some_and(|region| self.is_elsewhere(region, &place)) {
                // Asked there, whatever the server says then is its answer.
                moved = true;
                continue;
            }
            if attempts >= self.settings.attempts_max.get() || !cause.may_pass() {
                return Err(S3Error { operation: call.operation, cause, attempts });
            }
            let wait = self.backoff(attempts);
            if cause.is_slow_down() {
                self.throttle.slow_down(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes back the body of a reply that nobody looks at any more, for the next one.
    pub(crate) fn give_back(&self, answer: Answer) {
        self.bodies.give_back(answer.body);
    }

    /// Time in which requests were signed.
    pub(crate) fn signing_time(&self) -> Duration {
        Duration::from_nanos(self.signing_ns.load(Ordering::Relaxed))
    }

    fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the bucket is in another region than it was asked for in; from now on it is asked for there.
    fn is_elsewhere(&self, region: &str, asked: &Place) -> bool {
        if region == asked.region || !is_region(region) {
            return false;
        }
        let settings = S3Settings { region: region.to_owned(), ..self.settings.clone() };
        let Ok(endpoint) = Endpoint::of(&settings, &self.bucket) else { return false };
        let place = Arc::new(Place { endpoint, region: settings.region });
        *self.place.write().unwrap_or_else(PoisonError::into_inner) = place;
        true
    }

    /// Doubles with each attempt, and is at random between half of that and all of it.
    fn backoff(&self, attempts: u32) -> Duration {
        let whole = self.settings.backoff.saturating_mul(1 << (attempts - 1).min(16)).min(BACKOFF_MAX);
        // Without random numbers the wait is the longest.
        let share = getrandom::u32().unwrap_or(u32::MAX);
        whole / 2 + (whole / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
    }

    async fn attempt(&self, call: &Call, place: &Place) -> Result<Answer, Cause> {
        let time = now();
        let credentials = self.keys.at(time).await?;
        let request = self
            .request(call, place, credentials.as_ref(), time)
            .map_err(|error| Cause::Transport(error.to_string()))?;
        let reply = self.transport.request(request).await.map_err(Cause::Transport)?;
        let (head, mut body) = reply.into_parts();
        let stated = head.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let mut bytes = self.bodies.take(stated.unwrap_or(0).min(REPLY_BYTES_MAX));
        if call.method != Method::HEAD {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| Cause::Transport(with_causes(&error)))?;
                let Some(data) = frame.data_ref() else { continue };
                if bytes.len() + data.len() > REPLY_BYTES_MAX {
                    return Err(Cause::Malformed(format!("a reply of more than {REPLY_BYTES_MAX} bytes")));
                }
                bytes.extend_from_slice(data);
            }
        }
        let body = Bytes::from(bytes);
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let status = head.status.as_u16();
        // An upload may be answered by 200 before it failed; the error is in the body then.
        let late_error = head.status.is_success()
            && call.method == Method::POST
            && crate::xml::root_of(&body).as_deref() == Some("Error");
        if !head.status.is_success() || late_error {
            let status = if late_error { 500 } else { status };
            return Err(Cause::refused(status, text("x-amz-request-id"), text("x-amz-bucket-region"), &body));
        }
        Ok(Answer { headers: head.headers, body })
    }

    fn request(
        &self,
        call: &Call,
        place: &Place,
        credentials: Option<&Credentials>,
        time: Timestamp,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut path = place.endpoint.base.clone();
        path.push('/');
        if let Some(key) = &call.key {
            push_encoded(&mut path, key, true);
        }
        let mut parameters: Vec<(&str, &str)> =
            call.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        parameters.sort_unstable();
        let mut query = String::new();
        for (name, value) in parameters {
            query.push_str(if query.is_empty() { "" } else { "&" });
            push_encoded(&mut query, name, false);
            query.push('=');
            push_encoded(&mut query, value, false);
        }
        let mut headers: Vec<(String, String)> =
            call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        headers.push(("host".to_owned(), place.endpoint.host.clone()));
        if let Some(owner) = &self.settings.expected_bucket_owner {
            headers.push(("x-amz-expected-bucket-owner".to_owned(), owner.clone()));
        }
        if let Some(credentials) = credentials {
            let started = Instant::now();
            let date = sign::amz_date(time);
            let hash =
                if place.endpoint.tls { sign::UNSIGNED_PAYLOAD.to_owned() } else { sign::payload_hash(&call.body) };
            headers.push(("x-amz-date".to_owned(), date.clone()));
            headers.push(("x-amz-content-sha256".to_owned(), hash.clone()));
            if let Some(token) = &credentials.session_token {
                headers.push(("x-amz-security-token".to_owned(), token.clone()));
            }
            headers.sort_unstable();
            let signed = sign::Signed {
                method: call.method.as_str(),
                path: &path,
                query: &query,
                headers: &headers,
                payload_hash: &hash,
            };
            let scope = Scope { region: &place.region, service: "s3" };
            let value = sign::authorization(&signed, credentials, &scope, &date);
            headers.push(("authorization".to_owned(), value));
            let took_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.signing_ns.fetch_add(took_ns, Ordering::Relaxed);
        }
        let scheme = if place.endpoint.tls { "https" } else { "http" };
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("{scheme}://{}{path}{mark}{query}", place.endpoint.host);
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Full::new(call.body.clone()))
    }
}

impl Drop for S3Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Requests that nobody waits for are not waited for.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for S3Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Client").field("bucket", &self.bucket).field("place", &self.place()).finish_non_exhaustive()
    }
}

/// The time now.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature says when it was made, a receipt when a range was listed; no byte of a data file depends on it"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since.as_millis()).unwrap_or(0);
    Timestamp::try_from_ms(ms).unwrap_or(Timestamp::MIN)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
