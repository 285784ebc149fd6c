//! Ctrl-C, termination and hang-up: the first asks a run to stop cleanly, the second ends the process at once.

use crate::{
    exit::{Failure, INTERRUPTED, say},
    progress::Progress,
};
use std::sync::{Arc, OnceLock};
use stocktake::CancelToken;

/// Listens to interrupts.
pub(crate) struct Interrupts {
    cancel: CancelToken,
    /// There once a run has begun, which has to be stopped cleanly.
    begun: Arc<OnceLock<Arc<Progress>>>,
}

impl Interrupts {
    /// Begins to listen. As long as no run has begun, an interrupt ends the process at once.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let interrupts = Self { cancel: CancelToken::new(), begun: Arc::default() };
        let (cancel, begun) = (interrupts.cancel.clone(), Arc::clone(&interrupts.begun));
        let taken = ctrlc::try_set_handler(move || match begun.get() {
            Some(progress) if !cancel.is_cancelled() => {
                cancel.cancel();
                progress.say("stocktake: stopping; a second interrupt ends the program at once");
            }
            _ => {
                say("interrupted");
                std::process::exit(i32::from(INTERRUPTED));
            }
        });
        taken.map_err(|error| Failure::failed("cannot listen to interrupts", &error))?;
        Ok(interrupts)
    }

    /// Says that a run begins, which shows its progress there; the first interrupt cancels the token.
    pub(crate) fn begin(&self, progress: &Arc<Progress>) -> CancelToken {
        self.begun.get_or_init(|| Arc::clone(progress));
        self.cancel.clone()
    }
}
