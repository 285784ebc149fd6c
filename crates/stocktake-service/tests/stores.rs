//! Both stores do the same, and the durable one keeps what it has acknowledged, whenever its process is killed.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};
use stocktake::{BucketName, FileFormat, Timestamp};
use stocktake_config::{
    Backoff, Decision, Frequency, InventoryConfiguration, InventoryDestination, Rules, RunState, ValidConfiguration,
};
use stocktake_service::{
    ConfigurationStore, DurableStore, MemoryStore, RECORDS_MAX, RunOutcome, RunRecord, StoreError,
};

const DAY_MS: i64 = 86_400_000;

fn bucket(name: &str) -> BucketName {
    BucketName::try_new(name).unwrap()
}

fn configuration(id: &str, prefix: &str, enabled: bool) -> ValidConfiguration {
    let mut destination = InventoryDestination::new("arn:aws:s3:::dst", FileFormat::Csv);
    destination.prefix = Some(prefix.to_owned());
    let mut document = InventoryConfiguration::new(id, destination, Frequency::Daily);
    document.is_enabled = enabled;
    Rules::new().check(document).unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::try_from_ms(1_790_000_000_000 + ms).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Put(String, String, String, bool),
    Get(String, String),
    List(String),
    Delete(String, String),
    /// The day's run, and whether it succeeds.
    Run(String, String, bool),
    Stale(String, String),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (prop::sample::select(vec!["a", "ab", "b"]), prop::sample::select(vec!["1", "10", "2", "x.y", "Z"]));
    let name = move || name().prop_map(|(bucket, id)| (bucket.to_owned(), id.to_owned()));
    prop_oneof![
        4 => (name(), "[a-z]{0,3}", any::<bool>()).prop_map(|((b, i), p, e)| Step::Put(b, i, p, e)),
        1 => name().prop_map(|(b, i)| Step::Get(b, i)),
        1 => name().prop_map(|(b, _)| Step::List(b)),
        1 => name().prop_map(|(b, i)| Step::Delete(b, i)),
        4 => (name(), any::<bool>()).prop_map(|((b, i), ok)| Step::Run(b, i, ok)),
        1 => name().prop_map(|(b, i)| Step::Stale(b, i)),
    ]
}

/// Everything that a step returns, as text: errors by their words.
fn apply(store: &dyn ConfigurationStore, step: &Step, now: Timestamp) -> String {
    let said = |error: StoreError| error.to_string();
    match step {
        Step::Put(b, i, prefix, enabled) => {
            format!("{:?}", store.put(&bucket(b), &configuration(i, prefix, *enabled), now).map_err(said))
        }
        Step::Get(b, i) => format!("{:?}", store.get(&bucket(b), i).map_err(said)),
        Step::List(b) => format!("{:?}", store.list(&bucket(b), None).map_err(said)),
        Step::Delete(b, i) => format!("{:?}", store.delete(&bucket(b), i).map_err(said)),
        Step::Run(b, i, succeeds) => format!("{:?}", run(store, b, i, *succeeds, now).map_err(said)),
        Step::Stale(b, i) => {
            let other = RunState::new(Timestamp::MIN);
            format!("{:?}", store.advance(&bucket(b), i, &other, &other, &[]).map_err(said))
        }
    }
}

/// Carries a due run out, in the two steps that a runner takes.
fn run(store: &dyn ConfigurationStore, b: &str, id: &str, succeeds: bool, now: Timestamp) -> Result<bool, StoreError> {
    let stored = store.status(&bucket(b), id)?.stored;
    let Decision::Run(due) = stored.schedule().decide(&stored.state, Backoff::default(), &|_| false, now) else {
        return Ok(false);
    };
    let begun = stored.state.begin(&due, now);
    let record = |outcome| RunRecord::new(due.due, due.cause, due.attempt, now, Some(now), outcome);
    assert!(store.advance(&bucket(b), id, &stored.state, &begun, &[record(RunOutcome::Running)])?);
    let (ended, outcome) = if succeeds {
        (begun.succeed(), RunOutcome::Succeeded { manifest: "m".into(), rows: Some(1), skipped_entries: None })
    } else {
        (begun.fail(Backoff::default(), now).0, RunOutcome::Failed { reason: "x".into() })
    };
    store.advance(&bucket(b), id, &begun, &ended, &[record(outcome)])
}

/// Everything that a store holds, as text.
fn everything(store: &dyn ConfigurationStore) -> String {
    let mut text = String::new();
    let mut names = Vec::new();
    store.visit(&mut |bucket, id, stored| names.push((bucket.to_owned(), id.to_owned(), stored.clone()))).unwrap();
    for (b, id, stored) in names {
        let (b, id) = (bucket(&b), id.as_str());
        let records = store.records(&b, id, usize::MAX).unwrap();
        assert_eq!(store.status(&b, id).unwrap().last.as_ref(), records.first());
        assert!(records.iter().all(|record| store.record(&b, id, record.due).unwrap().as_ref() == Some(record)));
        text += &format!("{b} {id} {stored:?} {:?} {records:?}\n", store.get(&b, id).unwrap());
    }
    text
}

#[test]
fn both_stores_do_the_same() {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let (memory, mut durable) = (MemoryStore::new(), DurableStore::open(&path).unwrap());
        for (day, step) in (0..).zip(&steps) {
            let now = at(day * DAY_MS);
            assert_eq!(apply(&memory, step, now), apply(&durable, step, now), "{step:?}");
            if day % 16 == 7 {
                drop(durable);
                durable = DurableStore::open(&path).unwrap();
            }
        }
        assert_eq!(everything(&memory), everything(&durable));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn a_bucket_has_at_most_1000_configurations_and_pages_of_100() {
    let folder = tempfile::tempdir().unwrap();
    let durable = DurableStore::open(folder.path().join("store")).unwrap();
    let memory = MemoryStore::new();
    for number in 0..1000 {
        memory.put(&bucket("b"), &configuration(&number.to_string(), "", true), at(0)).unwrap();
    }
    for number in 0..205 {
        durable.put(&bucket("b"), &configuration(&number.to_string(), "", true), at(0)).unwrap();
    }
    durable.put(&bucket("b0"), &configuration("other", "", true), at(0)).unwrap();
    let full = memory.put(&bucket("b"), &configuration("1000", "", true), at(0)).unwrap_err();
    assert!(full.to_string().starts_with("TooManyConfigurations: "), "{full}");
    memory.put(&bucket("b"), &configuration("7", "p", true), at(0)).unwrap();
    for (store, count) in [(&memory as &dyn ConfigurationStore, 1000), (&durable, 205)] {
        let (mut token, mut ids) = (None::<String>, Vec::new());
        loop {
            let page = store.list(&bucket("b"), token.as_deref()).unwrap();
            assert!(page.configurations.len() <= 100);
            ids.extend(page.configurations.into_iter().map(|configuration| configuration.id));
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(ids.len(), count);
        assert!(ids.is_sorted());
        assert!(store.list(&bucket("b"), Some("zz")).is_err());
    }
}

#[test]
fn a_store_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let open = DurableStore::open(&path).unwrap();
    assert!(matches!(DurableStore::open(&path), Err(StoreError::InUse { .. })));
    drop(open);
    assert!(DurableStore::open(&path).is_ok());
    std::fs::write(folder.path().join("other"), [7; 10_000]).unwrap();
    assert!(matches!(DurableStore::open(folder.path().join("other")), Err(StoreError::Failed { .. })));
}

#[test]
fn records_are_kept_up_to_their_number_and_a_report_s_record_stays() {
    let folder = tempfile::tempdir().unwrap();
    let durable = DurableStore::open(folder.path().join("store")).unwrap();
    let memory = MemoryStore::new();
    for store in [&memory as &dyn ConfigurationStore, &durable] {
        store.put(&bucket("b"), &configuration("1", "", true), at(0)).unwrap();
        let state = store.status(&bucket("b"), "1").unwrap().stored.state;
        let record = |day: i64, outcome| {
            RunRecord::new(at(day * DAY_MS), stocktake_config::RunCause::Scheduled, 1, at(0), None, outcome)
        };
        let many: Vec<_> = (0..450).map(|day| record(day, RunOutcome::Running)).collect();
        assert!(store.advance(&bucket("b"), "1", &state, &state, &many).unwrap());
        let kept = store.records(&bucket("b"), "1", usize::MAX).unwrap();
        assert_eq!(
            (kept.len(), kept[0].due, kept[RECORDS_MAX - 1].due),
            (RECORDS_MAX, at(449 * DAY_MS), at(50 * DAY_MS))
        );
        let done = RunOutcome::Succeeded { manifest: "m".into(), rows: None, skipped_entries: None };
        for outcome in [done.clone(), RunOutcome::Failed { reason: "late".into() }] {
            assert!(store.advance(&bucket("b"), "1", &state, &state, &[record(449, outcome)]).unwrap());
        }
        assert_eq!(store.status(&bucket("b"), "1").unwrap().last.unwrap().outcome, done);
    }
}

/// Set for the process that is killed: where its store is.
const VICTIM: &str = "STOCKTAKE_TEST_VICTIM";

/// Not a test of its own: what the killed process does. It says each step after it was acknowledged.
#[test]
fn victim() {
    let Ok(path) = std::env::var(VICTIM) else { return };
    let store = DurableStore::open(path).unwrap();
    let mut done = 0u32;
    store.visit(&mut |_, _, _| done += 1).unwrap();
    loop {
        let id = format!("{done:06}");
        store.put(&bucket(&format!("b{}", done / 500)), &configuration(&id, "", true), at(0)).unwrap();
        println!("put {id}");
        assert!(run(&store, &format!("b{}", done / 500), &id, true, at(0)).unwrap());
        println!("run {id}");
        done += 1;
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (mut put, mut ran) = (0, 0);
    for lines in [1, 2, 3, 10, 25, 4, 7] {
        let (added, finished) = kill_after(&path, lines);
        (put, ran) = (put + added, ran + finished);
        let store = DurableStore::open(&path).unwrap();
        let (mut found, mut states) = (0, Vec::new());
        store
            .visit(&mut |bucket, id, stored| {
                found += 1;
                states.push((bucket.to_owned(), id.to_owned(), stored.state.clone()));
            })
            .unwrap();
        assert!(found >= put, "{found} of {put} are there");
        let mut succeeded = 0;
        for (b, id, state) in states {
            // Document, state and record are of one piece.
            assert_eq!(store.get(&bucket(&b), &id).unwrap().id, id);
            let last = store.status(&bucket(&b), &id).unwrap().last;
            assert_eq!(state.settled().is_some(), last.is_some());
            assert_eq!(state.is_running(), last.as_ref().is_some_and(|last| last.outcome == RunOutcome::Running));
            succeeded += u32::from(last.is_some_and(|last| last.is_success()));
        }
        assert!(succeeded >= ran, "{succeeded} of {ran} succeeded");
        // What was done and not said before the kill counts from now on.
        (put, ran) = (found, succeeded);
    }
}

/// Lets the victim say so many lines, and kills it.
fn kill_after(path: &Path, lines: usize) -> (u32, u32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["victim", "--exact", "--nocapture", "--test-threads=1"])
        .env(VICTIM, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let steps: Vec<_> = said.filter(|line| line.contains("put ") || line.starts_with("run ")).take(lines).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(steps.len(), lines, "{steps:?}");
    let count = |verb: &str| u32::try_from(steps.iter().filter(|line| line.contains(verb)).count()).unwrap();
    (count("put "), count("run "))
}
