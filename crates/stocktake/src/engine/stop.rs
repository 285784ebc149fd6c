//! A run that stops when one of its threads unwinds.

use stocktake_core::CancelToken;

/// Stops the run when the thread that holds it unwinds.
pub(super) struct StopOnPanic<'a>(pub(super) &'a CancelToken);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}
