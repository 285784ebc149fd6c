//! Foreign decoders may panic on damage; here that is an error like others.

use crate::error::ReadError;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a step of a foreign decoder, which is not used again after a panic.
pub(crate) fn contained<T>(step: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ReadError::malformed(format!("is damaged: {}", text.unwrap_or("the decoder gave up"))))
    })
}
