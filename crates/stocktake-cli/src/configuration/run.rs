//! `stocktake run`: due reports of a store, once or from now on.

use super::{args::RunDueArgs, sources::Sources, store};
use crate::{
    choices::ProgressChoice,
    exit::{Failure, Outcome, json_line, put_out, say},
    interrupt::Interrupts,
    machine,
    progress::Progress,
};
use serde_json::json;
use std::sync::Arc;
use stocktake::{BucketName, CancelToken, Execution};
use stocktake_service::{
    ConfigurationStore, DurableStore, Round, RunEvent, RunLog, RunOutcome, Runner, RunnerOptions, StoreError,
};

/// Wait until a store that another process has open is tried again.
const IN_USE_MS: u64 = 1000;

/// Longest wait between two looks at the store, into which configurations are put meanwhile.
const WAIT_MS_MAX: u64 = 60_000;

/// Serves a store.
///
/// # Errors
/// If the store or the file of sources cannot be read; with `--once`, if a report failed.
pub(crate) fn run_due(args: &RunDueArgs) -> Result<Outcome, Failure> {
    let interrupts = Interrupts::listen()?;
    let sources = Sources::read(&args.sources)?;
    let progress = Arc::new(Progress::start(ProgressChoice::Never));
    let cancel = interrupts.begin(&progress);
    let mut asked = args.request.as_deref();
    let mut total = Round::default();
    loop {
        let store = match DurableStore::open(store::existing(&args.store)?) {
            Ok(store) => Some(store),
            // Somebody puts a configuration; there is another look soon.
            Err(StoreError::InUse { .. }) if args.watch => None,
            Err(error) => return Err(store::failed(error)),
        };
        let Some(store) = store else {
            machine::wait(IN_USE_MS, &cancel);
            if cancel.is_cancelled() {
                break;
            }
            continue;
        };
        let round = round(args, &store, &sources, &cancel, asked.take())?;
        // Others may use the store while this process waits.
        drop(store);
        total.succeeded += round.succeeded;
        total.failed += round.failed;
        total.skipped += round.skipped;
        total.next = round.next;
        if args.once || cancel.is_cancelled() {
            break;
        }
        let now = machine::now()?;
        let until = round.next.map_or(WAIT_MS_MAX, |next| u64::try_from(next.ms() - now.ms()).unwrap_or(0));
        machine::wait(until.clamp(1, WAIT_MS_MAX), &cancel);
        if cancel.is_cancelled() {
            break;
        }
    }
    put_out(&json_line(&json!({
        "status": if total.failed == 0 { "complete" } else { "failed" },
        "succeeded": total.succeeded,
        "failed": total.failed,
        "skipped": total.skipped,
        "next": total.next.map(|next| next.to_string()),
    })))?;
    if args.watch {
        // There is no other way for it to end, and failures were said as they came.
        return Ok(Outcome::Complete);
    }
    if cancel.is_cancelled() {
        return Err(Failure::InterruptedReports);
    }
    match total.failed {
        0 => Ok(Outcome::Complete),
        1 => Err(Failure::message("a report failed; it is tried again")),
        failed => Err(Failure::message(format!("{failed} reports failed; they are tried again"))),
    }
}

/// One round.
fn round(
    args: &RunDueArgs,
    store: &DurableStore,
    sources: &Sources,
    cancel: &CancelToken,
    request: Option<&str>,
) -> Result<Round, Failure> {
    let threads = args.threads.unwrap_or_else(machine::threads);
    let mut options = RunnerOptions::default();
    options.hour = args.hour;
    options.execution = Execution::default().with_threads(threads).with_cancel(cancel.clone());
    let runner = Runner::start(store, sources, machine::clock(), options, &Log).map_err(store::failed)?;
    if let Some(name) = request {
        let wrong = || Failure::message(format!("--request {name}: name a configuration as BUCKET/ID"));
        let (bucket, id) = name.split_once('/').ok_or_else(wrong)?;
        let bucket = BucketName::try_new(bucket).map_err(|_| wrong())?;
        // The configuration's first report, if that is still to come, is the one that is asked for.
        let first = store.status(&bucket, id).map_err(store::failed)?.stored.state.settled().is_none();
        if !first {
            runner.request(&bucket, id).map_err(store::failed)?;
        }
    }
    runner.round().map_err(store::failed)
}

/// Says what happens on standard error, a line each.
struct Log;

impl RunLog for Log {
    fn event(&self, bucket: &str, id: &str, event: &RunEvent<'_>) {
        let told = match event {
            RunEvent::Began(run) if run.attempt > 1 => format!("{} begins, attempt {}", run.due, run.attempt),
            RunEvent::Began(run) => format!("{} begins", run.due),
            RunEvent::Ended(record) => match &record.outcome {
                RunOutcome::Succeeded { manifest, rows: Some(rows), .. } => {
                    format!("{}: {rows} rows, {manifest}", record.due)
                }
                RunOutcome::Succeeded { manifest, .. } => format!("{}: was there already, {manifest}", record.due),
                RunOutcome::Failed { reason } => format!("{} failed: {reason}", record.due),
                other => format!("{}: {other:?}", record.due),
            },
            RunEvent::Skipped(skipped) => {
                format!("{} reports were missed, from {} to {}", skipped.count, skipped.first, skipped.last)
            }
            RunEvent::Interrupted(run) => format!("{} was interrupted", run.due),
            RunEvent::Gone => "the configuration was deleted during its run".to_owned(),
            other => format!("{other:?}"),
        };
        say(&format!("{bucket}/{id}: {told}"));
    }
}
