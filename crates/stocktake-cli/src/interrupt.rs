//! Ctrl-C, termination and hang-up: the first asks a run to stop cleanly, the second ends the process at once.

use crate::exit::{Failure, INTERRUPTED, say};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use stocktake::CancelToken;

/// Listens to interrupts.
#[derive(Debug)]
pub(crate) struct Interrupts {
    cancel: CancelToken,
    clean: Arc<AtomicBool>,
}

impl Interrupts {
    /// Begins to listen. As long as there is nothing to clean up, an interrupt ends the process at once.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let interrupts = Self { cancel: CancelToken::new(), clean: Arc::new(AtomicBool::new(true)) };
        let (cancel, clean) = (interrupts.cancel.clone(), Arc::clone(&interrupts.clean));
        let taken = ctrlc::try_set_handler(move || {
            if clean.load(Ordering::SeqCst) || cancel.is_cancelled() {
                say("interrupted");
                std::process::exit(i32::from(INTERRUPTED));
            }
            cancel.cancel();
            say("stopping; a second interrupt ends the program at once");
        });
        taken.map_err(|error| Failure::failed("cannot listen to interrupts", &error))?;
        Ok(interrupts)
    }

    /// Says that from now on there may be something to clean up; the token is cancelled by the first interrupt.
    pub(crate) fn token(&self) -> CancelToken {
        self.clean.store(false, Ordering::SeqCst);
        self.cancel.clone()
    }
}
