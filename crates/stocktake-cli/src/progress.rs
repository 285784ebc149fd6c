//! Progress of a run on standard error: one line that is drawn again and again on a terminal, nothing in a pipe.
//!
//! The run's threads only add to counters; the line is drawn by a thread of its own, ten times a second.

use crate::{choices::ProgressChoice, exit::say_plainly};
use indicatif::{
    BinaryBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};
use std::{
    fmt::Write,
    io::{IsTerminal, stderr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use stocktake::{Observer, Receipt, SkippedEntry};

/// Time between two drawings: smooth for the eye, nothing for the processor.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{spinner} {prefix}{rows} rows, {rate}/s, {files} files, {size}, {time}";

/// The line, and what it shows.
pub(crate) struct Progress {
    bar: ProgressBar,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Progress {
    /// A line that is shown if the choice and standard error allow it.
    pub(crate) fn start(choice: ProgressChoice) -> Self {
        let counts = Arc::new(Counts::default());
        let shown = choice == ProgressChoice::Auto && stderr().is_terminal();
        let bar = if shown { drawn(&counts) } else { ProgressBar::hidden() };
        Self { bar, counts }
    }

    /// Says what is being done before rows are written.
    pub(crate) fn prepare(&self, what: &'static str) {
        self.bar.set_prefix(what);
    }

    /// Says that rows are written from now on.
    pub(crate) fn begin(&self) {
        self.bar.set_prefix("");
        self.bar.reset_elapsed();
    }

    /// Writes a line to standard error without garbling the line that is drawn there.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| say_plainly(line));
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn chunk_appended(&self, rows: u64, bytes: u64) {
        self.counts.rows.fetch_add(rows, Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn shard_published(&self, _receipt: &Receipt) {
        self.counts.files.fetch_add(1, Ordering::Relaxed);
    }

    fn run_continued(&self, stamp: &str, files: u64, rows: u64) {
        self.say(&format!(
            "stocktake: continues the run of {stamp} behind {files} finished data files with {rows} rows"
        ));
    }

    fn unfinished_run(&self, stamp: &str) {
        let ways = "--at with its time and --resume continue it, --abandon removes what it left";
        self.say(&format!("stocktake: note: the run of {stamp} was not finished, unless it goes on; {ways}"));
    }

    fn entry_skipped(&self, entry: &SkippedEntry) {
        self.say(&format!("skipped {}: {}", entry.name, entry.reason));
    }
}

fn drawn(counts: &Arc<Counts>) -> ProgressBar {
    // The template is a constant; a spinner without numbers is better than no run if a library reads it otherwise.
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let key = |write: fn(&Counts, &ProgressState, &mut dyn Write) -> std::fmt::Result| {
        let counts = Arc::clone(counts);
        // What cannot be formatted now is drawn again a moment later.
        move |state: &ProgressState, out: &mut dyn Write| _ = write(&counts, state, out)
    };
    let style = style
        .with_key("rows", key(|counts, _, out| write!(out, "{}", HumanCount(counts.rows.load(Ordering::Relaxed)))))
        .with_key("rate", key(|counts, state, out| write!(out, "{}", HumanCount(rate(counts, state)))))
        .with_key("files", key(|counts, _, out| write!(out, "{}", HumanCount(counts.files.load(Ordering::Relaxed)))))
        .with_key("size", key(|counts, _, out| write!(out, "{}", BinaryBytes(counts.bytes.load(Ordering::Relaxed)))))
        .with_key("time", key(|_, state, out| write!(out, "{:#}", HumanDuration(state.elapsed()))));
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

/// Rows a second since the start.
fn rate(counts: &Counts, state: &ProgressState) -> u64 {
    let elapsed_ms = state.elapsed().as_millis().max(1);
    u64::try_from(u128::from(counts.rows.load(Ordering::Relaxed)) * 1000 / elapsed_ms).unwrap_or(u64::MAX)
}
