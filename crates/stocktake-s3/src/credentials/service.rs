//! One exchange with a service that gives keys: seldom, small, and on the thread that asks.

use crate::client::Transport;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request};
use std::{path::PathBuf, time::Duration};
use tokio::runtime::Builder;

/// Largest reply: keys with their tokens have some kilobytes.
const REPLY_BYTES_MAX: usize = 1 << 20;

/// How services are reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    pub(super) ca_bundle: Option<PathBuf>,
}

/// A request to a service.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) timeout: Duration,
}

impl Ask {
    pub(super) fn get(url: impl Into<String>, timeout: Duration) -> Self {
        Self { method: Method::GET, url: url.into(), headers: Vec::new(), body: String::new(), timeout }
    }

    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Reach {
    /// Asks, and waits for the body of a reply that is no error.
    ///
    /// # Errors
    /// Says what was wrong, without a word of the request or the reply beyond an error's code and message: both hold secrets.
    pub(super) fn ask(&self, ask: Ask) -> Result<Bytes, String> {
        let (status, body) = self.answer(ask)?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let text = |name| crate::xml::text_of(&body, name).or_else(|| json_text(&body, name)).unwrap_or_default();
        let (code, message) = (text("Code"), text("Message"));
        let words = [status.to_string(), code, message];
        Err(words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
    }

    fn answer(&self, ask: Ask) -> Result<(u16, Bytes), String> {
        let tls = ask.url.starts_with("https://");
        let mut request = Request::builder().method(ask.method).uri(&ask.url);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(ask.body)));
        let request = request.map_err(|_| "the service's address or a header is none".to_owned())?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no network: {error}"))?;
        let (ca_bundle, timeout) = (self.ca_bundle.as_deref(), ask.timeout);
        runtime.block_on(async {
            let exchange = async {
                let transport = Transport::try_new(tls, ca_bundle, timeout)?;
                let reply = transport.request(request).await?;
                let status = reply.status().as_u16();
                let body = Limited::new(reply.into_body(), REPLY_BYTES_MAX).collect().await;
                Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
            };
            tokio::time::timeout(timeout, exchange).await.map_err(|_| format!("no answer in {timeout:?}"))?
        })
    }
}

fn json_text(body: &[u8], name: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let member = value.get(name).or_else(|| value.get(name.to_ascii_lowercase()))?;
    member.as_str().map(ToOwned::to_owned)
}
