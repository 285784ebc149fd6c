//! Access keys that run out: renewed in time, while requests wait.

use crate::{
    credentials::{Credentials, KeySource, TemporaryKeys},
    error::Cause,
    settings::S3Settings,
};
use std::sync::Arc;
use stocktake_core::Timestamp;
use tokio::sync::Mutex;

/// How long before their end keys are renewed: longer than an attempt may take, with clocks that differ by minutes.
const MARGIN_MS: i64 = 5 * 60 * 1000;

/// Keys of a client.
#[derive(Debug)]
pub(super) struct Keys {
    fixed: Option<Credentials>,
    source: Option<Arc<dyn KeySource>>,
    current: Mutex<Option<TemporaryKeys>>,
}

impl Keys {
    pub(super) fn new(settings: &S3Settings) -> Self {
        let (fixed, source) = (settings.credentials.clone(), settings.key_source.clone());
        Self { fixed, source, current: Mutex::new(None) }
    }

    /// The keys to sign by at this time; none: requests are not signed.
    pub(super) async fn at(&self, now: Timestamp) -> Result<Option<Credentials>, Cause> {
        let Some(source) = &self.source else { return Ok(self.fixed.clone()) };
        let left_ms = |keys: &TemporaryKeys| keys.expires_at.map_or(i64::MAX, |end| end.ms().saturating_sub(now.ms()));
        let mut current = self.current.lock().await;
        if current.as_ref().is_none_or(|keys| left_ms(keys) < MARGIN_MS) {
            let source = Arc::clone(source);
            // A process or a service is waited for on a thread that may block.
            let fetched = tokio::task::spawn_blocking(move || source.fetch()).await;
            match fetched.unwrap_or_else(|lost| Err(format!("a task was lost: {lost}"))) {
                Ok(keys) => *current = Some(keys),
                // They still hold, and the next request asks again.
                Err(_) if current.as_ref().is_some_and(|keys| left_ms(keys) > 0) => {}
                Err(text) => return Err(Cause::Transport(format!("access keys cannot be had: {text}"))),
            }
        }
        Ok(current.as_ref().map(|keys| keys.credentials.clone()))
    }
}
