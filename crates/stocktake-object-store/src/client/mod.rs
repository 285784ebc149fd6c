//! A client of one bucket or container: sends requests, and tries again.
//!
//! It knows requests and replies, nothing of uploads or reports. Methods that block are for threads outside of its own.

mod service;
mod transport;

pub(crate) use service::Service;

use crate::{
    error::{Cause, CloudError, with_causes},
    settings::CloudSettings,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::{Method, header::HeaderMap};
use md5::{Digest, Md5};
use object_store::client::{HttpRequest, HttpRequestBody, HttpService};
use std::{fmt, future::Future, time::Duration};
use stocktake_core::BucketName;
use tokio::runtime::{Builder, Handle, Runtime};
use transport::Transport;

/// Longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// One request, without what every request has.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    method: Method,
    to: To,
    query: Vec<(&'static str, String)>,
    /// Headers with names in lower case.
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

/// What a request is sent to.
#[derive(Clone, Debug)]
pub(crate) enum To {
    Bucket,
    Object(String),
    /// A URL that the server gave for this one use: it says by itself who sends to it.
    Session(String),
}

impl Call {
    pub(crate) fn new(operation: &'static str, method: Method, to: To) -> Self {
        Self { operation, method, to, query: Vec::new(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn with_query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// The request with a body, and with its MD5, so that a body that was damaged on its way is refused.
    pub(crate) fn with_checked_body(self, body: Bytes) -> Self {
        let sum = BASE64_STANDARD.encode(Md5::digest(&body));
        self.with_body(body).with_header("content-md5", sum)
    }
}

/// A reply that is no error.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A client of one bucket of Google's or one container of Azure's.
pub struct CloudClient {
    settings: CloudSettings,
    bucket: BucketName,
    service: Service,
    transport: Transport,
    runtime: Option<Runtime>,
}

impl CloudClient {
    /// A client of a bucket of Google Cloud Storage, with threads of its own, as many as `threads`.
    ///
    /// `variables` are those of the environment: names that begin with `GOOGLE_` say where credentials are, as
    /// `object_store` reads them; `STORAGE_EMULATOR_HOST` names an emulator, which needs none.
    ///
    /// # Errors
    /// Credentials that cannot be read, no certificates to check servers by, no threads.
    pub fn google(
        variables: &[(String, String)],
        bucket: BucketName,
        settings: CloudSettings,
        threads: usize,
    ) -> Result<Self, String> {
        Self::try_new(bucket, settings, threads, |bucket, transport| Service::google(variables, bucket, transport))
    }

    /// A client of a container of Azure Blob Storage, with threads of its own, as many as `threads`.
    ///
    /// `variables` are those of the environment: names that begin with `AZURE_` say which account it is and where credentials are,
    /// as `object_store` reads them; with `AZURE_STORAGE_USE_EMULATOR` it is Azurite at `AZURITE_BLOB_STORAGE_URL`.
    ///
    /// # Errors
    /// As [`CloudClient::google`]; an account that is not named.
    pub fn azure(
        variables: &[(String, String)],
        container: BucketName,
        settings: CloudSettings,
        threads: usize,
    ) -> Result<Self, String> {
        Self::try_new(container, settings, threads, |bucket, transport| Service::azure(variables, bucket, transport))
    }

    fn try_new(
        bucket: BucketName,
        settings: CloudSettings,
        threads: usize,
        service: impl FnOnce(&BucketName, &Transport) -> Result<Service, String>,
    ) -> Result<Self, String> {
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(threads.max(1)).thread_name("stocktake-cloud").enable_all();
        let runtime = runtime.build().map_err(|error| format!("no threads for the network: {error}"))?;
        let transport = Transport::try_new(settings.attempt_timeout)?;
        let service = service(&bucket, &transport)?;
        Ok(Self { settings, bucket, service, transport, runtime: Some(runtime) })
    }

    /// The bucket or container.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// What stands before a slash and a key where the object's address is written for people: `gs://bucket`, `az://container`.
    pub fn address(&self) -> String {
        match &self.service {
            Service::Google { .. } => format!("gs://{}", self.bucket),
            Service::Azure { .. } => format!("az://{}", self.bucket),
        }
    }

    /// The same where engines of the Hadoop family read it: `gs://bucket`, `abfss://container@account.dfs.core.windows.net`.
    ///
    /// Source: "Use the Azure Data Lake Storage URI", Microsoft; the driver serves accounts without folders of their own too.
    pub fn hadoop_address(&self) -> String {
        match &self.service {
            Service::Google { .. } => self.address(),
            Service::Azure { account, base, .. } => {
                // Other clouds of Azure's have other names behind the account's: `account.blob.core.chinacloudapi.cn`.
                let host = base.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
                let suffix = host.strip_prefix(account.as_str()).and_then(|rest| rest.strip_prefix(".blob."));
                format!("abfss://{}@{account}.dfs.{}", self.bucket, suffix.unwrap_or("core.windows.net"))
            }
        }
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    pub(crate) fn attempts_max(&self) -> u32 {
        self.settings.attempts_max.get()
    }

    /// Waits for a future; not to be called from one of the client's own threads.
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
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, CloudError> {
        self.send_parsed(call, Ok).await
    }

    /// As [`CloudClient::send`]; a reply that `parse` does not understand counts as a passing fault.
    pub(crate) async fn send_parsed<T>(
        &self,
        call: &Call,
        parse: impl Fn(Answer) -> Result<T, String>,
    ) -> Result<T, CloudError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer = self.attempt(call).await;
            let cause = match answer.and_then(|answer| parse(answer).map_err(Cause::Malformed)) {
                Ok(parsed) => return Ok(parsed),
                Err(cause) => cause,
            };
            if attempts >= self.attempts_max() || !cause.may_pass() {
                return Err(CloudError { operation: call.operation, cause, attempts });
            }
            self.wait(attempts).await;
        }
    }

    /// Waits before the next attempt: twice as long with each one, at random between half of that and all of it.
    pub(crate) async fn wait(&self, attempts: u32) {
        let whole = self.settings.backoff.saturating_mul(1 << (attempts - 1).min(16)).min(BACKOFF_MAX);
        // Without random numbers the wait is the longest.
        let share = getrandom::u32().unwrap_or(u32::MAX);
        tokio::time::sleep(whole / 2 + (whole / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))).await;
    }

    pub(crate) async fn attempt(&self, call: &Call) -> Result<Answer, Cause> {
        let mut request = self.request(call).map_err(|error| Cause::Transport(error.to_string()))?;
        if !matches!(call.to, To::Session(_)) {
            self.service.authorize(&mut request).await?;
        }
        let reply = self.transport.call(request).await.map_err(|error| Cause::Transport(with_causes(&error)))?;
        let (head, body) = reply.into_parts();
        let body = body.bytes().await.map_err(|error| Cause::Transport(with_causes(&error)))?;
        let status = head.status.as_u16();
        // Elsewhere the status is a redirect, which nothing here follows.
        let incomplete = status == INCOMPLETE && matches!(call.to, To::Session(_));
        if !head.status.is_success() && !incomplete {
            let code = head.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok());
            return Err(Cause::refused(status, code.unwrap_or_default(), &body));
        }
        Ok(Answer { status, headers: head.headers, body })
    }

    fn request(&self, call: &Call) -> Result<HttpRequest, hyper::http::Error> {
        let base = self.service.base();
        let mut url = match &call.to {
            To::Bucket => base.to_owned(),
            To::Object(key) => format!("{base}/{}", encoded(key, true)),
            To::Session(url) => url.clone(),
        };
        for (name, value) in &call.query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url += &format!("{name}={}", encoded(value, false));
        }
        let mut request = hyper::Request::builder().method(call.method.clone()).uri(url);
        // A body may be none of the protocol's and still wants its length said.
        if matches!(call.method, Method::PUT | Method::POST) {
            request = request.header("content-length", call.body.len());
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        request.body(HttpRequestBody::from(call.body.clone()))
    }
}

/// Status of a resumable upload that wants more bytes.
pub(crate) const INCOMPLETE: u16 = 308;

/// Percent-encodes all but what is never reserved; in a path slashes stay.
fn encoded(text: &str, path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b'/' if path => encoded.push('/'),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

impl Drop for CloudClient {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Requests that nobody waits for are not waited for.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for CloudClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudClient").field("address", &self.address()).finish_non_exhaustive()
    }
}
