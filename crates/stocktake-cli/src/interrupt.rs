//! Ctrl-C, termination and hang-up: the first asks a run to stop cleanly, the second ends the process at once.

use crate::{
    exit::{Failure, INTERRUPTED, say},
    progress::Progress,
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag,
    iterator::Signals,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use stocktake::CancelToken;

/// Listens to interrupts.
pub(crate) struct Interrupts {
    cancel: CancelToken,
    /// There once a run has begun, which has to be stopped cleanly.
    begun: Arc<OnceLock<Arc<Progress>>>,
    /// Folders that are removed when an interrupt ends the process.
    folders: Arc<Mutex<Vec<PathBuf>>>,
}

impl Interrupts {
    /// Begins to listen. As long as no run has begun, an interrupt ends the process at once.
    ///
    /// A signal that the process was started to ignore (`nohup`, a job in the background of a script) stays ignored.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let interrupts = Self { cancel: CancelToken::new(), begun: Arc::default(), folders: Arc::default() };
        let (cancel, begun) = (interrupts.cancel.clone(), Arc::clone(&interrupts.begun));
        let folders = Arc::clone(&interrupts.folders);
        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let fault = |error| Failure::failed("cannot listen to interrupts", &error);
        // A file beyond the limit of file sizes is an error of the write, and the run ends as on a full disk.
        flag::register(SIGXFSZ, Arc::default()).map_err(fault)?;
        let mut signals = Signals::new(heard).map_err(fault)?;
        let listen = move || {
            for _ in signals.forever() {
                match begun.get() {
                    Some(progress) if !cancel.is_cancelled() => {
                        cancel.cancel();
                        progress.say("stocktake: stopping; a second interrupt ends the program at once");
                    }
                    _ => {
                        say("interrupted");
                        for folder in &*folders.lock().unwrap_or_else(PoisonError::into_inner) {
                            // What cannot be removed is in the folder of temporary files.
                            let _ = std::fs::remove_dir_all(folder);
                        }
                        std::process::exit(i32::from(INTERRUPTED));
                    }
                }
            }
        };
        // It listens as long as the process lives.
        drop(std::thread::Builder::new().name("stocktake-interrupts".to_owned()).spawn(listen).map_err(fault)?);
        Ok(interrupts)
    }

    /// Removes a folder if an interrupt ends the process; who lives to the end removes it by itself.
    pub(crate) fn remove_at_exit(&self, folder: &Path) {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
    }

    /// Says that a run begins, which shows its progress there; the first interrupt cancels the token.
    pub(crate) fn begin(&self, progress: &Arc<Progress>) -> CancelToken {
        self.begun.get_or_init(|| Arc::clone(progress));
        self.cancel.clone()
    }
}

/// Whether the process was started to ignore a signal, as far as the system tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
