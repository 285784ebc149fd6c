//! Ctrl-C and termination: the first asks the run to stop cleanly, the second ends the process at once.

use crate::exit::{Failure, INTERRUPTED, say};
use stocktake::CancelToken;

/// A token that the first interrupt, termination or hang-up cancels.
///
/// # Errors
/// If the system takes no handler.
pub(crate) fn cancel_on_interrupt() -> Result<CancelToken, Failure> {
    let token = CancelToken::new();
    let cancel = token.clone();
    let taken = ctrlc::try_set_handler(move || {
        if cancel.is_cancelled() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        cancel.cancel();
        say("stopping; a second interrupt ends the program at once");
    });
    taken.map_err(|error| Failure::failed("cannot listen to interrupts", &error))?;
    Ok(token)
}
