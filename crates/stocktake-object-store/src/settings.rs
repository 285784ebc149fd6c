//! How patient a client is.

use std::{num::NonZeroU32, time::Duration};

/// Attempts and waits of requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CloudSettings {
    /// Attempts at a request before it fails. Default: 10.
    pub attempts_max: NonZeroU32,
    /// Longest time of one attempt. Default: a minute.
    pub attempt_timeout: Duration,
    /// Wait before the second attempt; it doubles with each one, up to 20 s, and varies at random. Default: 100 ms.
    pub backoff: Duration,
}

impl Default for CloudSettings {
    fn default() -> Self {
        const ATTEMPTS_MAX: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");
        Self {
            attempts_max: ATTEMPTS_MAX,
            attempt_timeout: Duration::from_secs(60),
            backoff: Duration::from_millis(100),
        }
    }
}
