//! What is asked of the machine, once and only here: its threads, and its clock.

use crate::exit::Failure;
use std::{
    io::IsTerminal,
    num::NonZeroUsize,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use stocktake::{CancelToken, Clock, Timestamp};

/// As many threads as the machine offers this process; one if it does not say.
#[expect(clippy::disallowed_methods, reason = "the command line is where the host is asked")]
pub(crate) fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Columns of the terminal that standard output is, or of none.
pub(crate) fn columns() -> usize {
    // What pipes and files are read in.
    const COLUMNS: usize = 100;
    terminal_size::terminal_size_of(std::io::stdout()).map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Whether what is printed may be coloured without being asked: on a terminal, unless the user never wants it.
pub(crate) fn shows_color() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !refused
}

/// The time now.
///
/// # Errors
/// If the clock stands outside the years 1970 to 9999.
#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read")]
pub(crate) fn now() -> Result<Timestamp, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(|error| Failure::failed("the clock stands before 1970", &error))?;
    let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp::try_from_ms(ms).map_err(|error| Failure::failed("the clock cannot be right", &error))
}

/// The time now, as the runner is told it.
///
/// A clock that cannot be right stands at its nearest end: the schedule is made for clocks that jump.
pub(crate) fn clock() -> Clock {
    Clock::new(|| now().unwrap_or(Timestamp::MIN))
}

/// Waits; a cancelled token ends the wait early.
pub(crate) fn wait(mut for_ms: u64, cancel: &CancelToken) {
    // Interrupts are heard within this time.
    const STEP_MS: u64 = 200;
    while for_ms > 0 && !cancel.is_cancelled() {
        let step = for_ms.min(STEP_MS);
        std::thread::sleep(Duration::from_millis(step));
        for_ms -= step;
    }
}

/// Measures how long a run takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the command line tells how long a run took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start, to the millisecond.
    pub(crate) fn seconds(&self) -> f64 {
        (self.0.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }
}
