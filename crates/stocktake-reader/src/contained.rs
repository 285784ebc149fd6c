//! Foreign decoders may panic on damage; here that is an error like others.

use crate::error::ReadError;
use stocktake_core::contain;

/// Runs a step of a foreign decoder, which is not used again after a panic.
pub(crate) fn contained<T>(step: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    contain(step).unwrap_or_else(|panic| Err(ReadError::malformed(format!("is damaged: {panic}"))))
}
