//! HTTP/1.1 over plain connections or TLS, in the shape in which `object_store` fetches its tokens through it. Replies are read whole.

use crate::error::with_causes;
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as TcpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use std::{fmt, io, time::Duration};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest reply: a page of 5,000 entries of Azure is below it.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Transport {
    pool: Client<HttpsConnector<TcpConnector>, HttpRequestBody>,
    timeout: Duration,
}

impl Transport {
    /// A pool whose requests take no longer than `timeout`.
    ///
    /// # Errors
    /// If there are no certificates to check servers by.
    pub(super) fn try_new(timeout: Duration) -> Result<Self, String> {
        let mut connector = TcpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| format!("no certificates to check servers by: {error}"))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let mut pool = Client::builder(TokioExecutor::new());
        pool.pool_idle_timeout(Duration::from_secs(20)).pool_timer(TokioTimer::new());
        Ok(Self { pool: pool.build(connector), timeout })
    }

    async fn whole(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let reply = self.pool.request(request).await.map_err(|error| {
            // What did not reach the server may be sent again, whatever it is.
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
            fault(kind, with_causes(&error))
        })?;
        let (head, mut body) = reply.into_parts();
        let stated = head.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let mut bytes = Vec::with_capacity(stated.unwrap_or(0).min(REPLY_BYTES_MAX));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| fault(HttpErrorKind::Interrupted, with_causes(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > REPLY_BYTES_MAX {
                return Err(fault(HttpErrorKind::Decode, format!("a reply of more than {REPLY_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(data);
        }
        let never = |never: std::convert::Infallible| match never {};
        let body = HttpResponseBody::new(Full::new(Bytes::from(bytes)).map_err(never));
        Ok(HttpResponse::from_parts(head, body))
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match tokio::time::timeout(self.timeout, self.whole(request)).await {
            Ok(reply) => reply,
            Err(_) => Err(fault(HttpErrorKind::Timeout, format!("no answer in {:?}", self.timeout))),
        }
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn fault(kind: HttpErrorKind, text: String) -> HttpError {
    HttpError::new(kind, io::Error::other(text))
}
