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

/// How long keys that hold are used before they are asked for again, where that failed or gave none that hold longer.
const AGAIN_MS: i64 = 30 * 1000;

/// Keys of a client.
#[derive(Debug)]
pub(super) struct Keys {
    fixed: Option<Credentials>,
    source: Option<Arc<dyn KeySource>>,
    current: Mutex<Option<Current>>,
}

/// The keys at hand.
#[derive(Debug)]
struct Current {
    keys: TemporaryKeys,
    asked_at: Timestamp,
}

impl Keys {
    pub(super) fn new(settings: &S3Settings) -> Self {
        let (fixed, source) = (settings.credentials.clone(), settings.key_source.clone());
        Self { fixed, source, current: Mutex::new(None) }
    }

    /// The keys to sign by at this time; none: requests are not signed.
    pub(super) async fn at(&self, now: Timestamp) -> Result<Option<Credentials>, Cause> {
        let Some(source) = &self.source else { return Ok(self.fixed.clone()) };
        let left_ms = |of: &Current| of.keys.expires_at.map_or(i64::MAX, |end| end.ms().saturating_sub(now.ms()));
        let is_due = |of: &Current| {
            left_ms(of) < MARGIN_MS && (left_ms(of) <= 0 || now.ms().saturating_sub(of.asked_at.ms()) >= AGAIN_MS)
        };
        let mut current = self.current.lock().await;
        if current.as_ref().is_none_or(is_due) {
            let source = Arc::clone(source);
            // A process or a service is waited for on a thread that may block.
            let fetched = tokio::task::spawn_blocking(move || source.fetch()).await;
            match (fetched.unwrap_or_else(|lost| Err(format!("a task was lost: {lost}"))), &mut *current) {
                (Ok(keys), _) => *current = Some(Current { keys, asked_at: now }),
                // They still hold, and are asked for again soon.
                (Err(_), Some(held)) if left_ms(held) > 0 => held.asked_at = now,
                (Err(text), _) => return Err(Cause::Transport(format!("access keys cannot be had: {text}"))),
            }
        }
        Ok(current.as_ref().map(|current| current.keys.credentials.clone()))
    }
}
