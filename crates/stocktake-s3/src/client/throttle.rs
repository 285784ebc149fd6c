//! When a request may begin: not above a rate, and not soon after the server asked for fewer.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Gives requests their turns.
#[derive(Debug)]
pub(super) struct Throttle {
    interval: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(super) fn new(per_second_max: Option<NonZeroU32>) -> Self {
        Self { interval: per_second_max.map(|rate| Duration::from_secs(1) / rate.get()), next: Mutex::new(None) }
    }

    /// Waits until a request may begin.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            if next.is_none() && self.interval.is_none() {
                return;
            }
            let now = Instant::now();
            let at = next.unwrap_or(now).max(now);
            *next = match self.interval {
                Some(interval) => Some(at + interval),
                None => next.filter(|next| *next > now),
            };
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// No request begins for a while.
    pub(super) fn slow_down(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}
