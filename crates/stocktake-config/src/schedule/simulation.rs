//! Years of a scheduler's life: downtime, kills, failures, a clock that jumps. No run is lost, none is doubled.
//!
//! The world has a true time and a clock; the scheduler sees the clock alone. States survive as JSON does.

use super::*;
use crate::document::Frequency;
use proptest::{prelude::*, test_runner::Config};
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;

/// What happens in the world, in order.
#[derive(Clone, Debug)]
enum Event {
    /// The scheduler looks every so many minutes, so many times.
    Live { minutes: i64, times: u32 },
    /// Nothing runs for so many hours.
    Down { hours: i64 },
    /// The next so many runs fail.
    Failures(u32),
    /// The process is killed in the middle of its next run, or after the report was published.
    Kill { published: bool },
    /// The clock goes wrong by so many hours against true time (0: it is put right).
    Clock { hours: i64 },
    /// Somebody asks for a report.
    Request,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (1..240i64, 1..60u32).prop_map(|(minutes, times)| Event::Live { minutes, times }),
        2 => (1..2000i64).prop_map(|hours| Event::Down { hours }),
        2 => (1..12u32).prop_map(Event::Failures),
        1 => any::<bool>().prop_map(|published| Event::Kill { published }),
        1 => prop_oneof![Just(0), -50..50i64, -30_000..130_000i64].prop_map(|hours| Event::Clock { hours }),
        1 => Just(Event::Request),
    ];
    prop::collection::vec(event, 1..120)
}

struct World {
    schedule: Schedule,
    state: RunState,
    true_ms: i64,
    offset_ms: i64,
    failures: u32,
    kill: Option<bool>,
    /// Due time to the number of reports with its stamp.
    reports: BTreeMap<Timestamp, u32>,
    skipped: Vec<SkippedRuns>,
    failed: BTreeMap<Timestamp, u32>,
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::try_from_ms(self.true_ms + self.offset_ms).unwrap()
    }

    /// What the store keeps.
    fn save(&mut self, state: &RunState) {
        self.state = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
    }

    fn publish(&mut self, due: Timestamp) {
        // A destination refuses a second report with the same stamp; the runner takes the first for its own.
        self.reports.entry(due).or_insert(1);
    }

    /// One look, with all that follows at once.
    fn tick(&mut self) {
        for _ in 0..8 {
            let now = self.now();
            let history = |due: Timestamp| self.reports.contains_key(&due);
            match self.schedule.decide(&self.state, Backoff::default(), &history, now) {
                Decision::Idle(until) => {
                    assert!(until.is_none_or(|until| until > now), "idle until {until:?}, now {now}");
                    return;
                }
                Decision::Settle(state, skipped) => {
                    self.skipped.extend(skipped);
                    self.save(&state);
                }
                Decision::Run(run) => {
                    assert!(run.cause == RunCause::OnDemand || run.due <= now, "{run:?} is not due at {now}");
                    assert!(!self.reports.contains_key(&run.due), "{run:?} is doubled");
                    self.skipped.extend(run.skipped);
                    let begun = self.state.begin(&run, now);
                    self.save(&begun);
                    self.true_ms += MINUTE_MS / 2;
                    if let Some(published) = self.kill.take() {
                        if published {
                            self.publish(run.due);
                        }
                        // The process comes up again, and writes down that the run was interrupted.
                        *self.failed.entry(run.due).or_default() += 1;
                        let recovered = self.state.interrupted(Backoff::default());
                        self.save(&recovered);
                    } else if self.failures > 0 {
                        self.failures -= 1;
                        *self.failed.entry(run.due).or_default() += 1;
                        let failed = self.state.fail(Backoff::default(), self.now()).0;
                        self.save(&failed);
                    } else {
                        self.publish(run.due);
                        let done = self.state.succeed();
                        self.save(&done);
                    }
                }
            }
        }
        panic!("the scheduler does not come to rest: {:?}", self.state);
    }

    fn step(&mut self, event: &Event) {
        match event {
            Event::Live { minutes, times } => {
                for _ in 0..*times {
                    self.tick();
                    self.true_ms += minutes * MINUTE_MS;
                }
            }
            Event::Down { hours } => self.true_ms += hours * 60 * MINUTE_MS,
            Event::Failures(count) => self.failures = *count,
            Event::Kill { published } => self.kill = Some(*published),
            Event::Clock { hours } => self.offset_ms = hours * 60 * MINUTE_MS,
            Event::Request => {
                let history = |due: Timestamp| self.reports.contains_key(&due);
                if let Ok(state) = self.state.request(&self.schedule, &history, self.now()) {
                    self.save(&state);
                }
            }
        }
    }

    fn accounted(&self, due: Timestamp) -> bool {
        self.reports.contains_key(&due)
            || self.failed.contains_key(&due)
            || self.skipped.iter().any(|skipped| skipped.first <= due && due <= skipped.last)
    }
}

fn world(frequency: Frequency, start_ms: i64) -> World {
    let start = Timestamp::try_from_ms(start_ms).unwrap();
    World {
        schedule: Schedule::new(frequency),
        state: RunState::new(start),
        true_ms: start_ms,
        offset_ms: 0,
        failures: 0,
        kill: None,
        reports: BTreeMap::new(),
        skipped: Vec::new(),
        failed: BTreeMap::new(),
    }
}

fn check(frequency: Frequency, start_ms: i64, events: &[Event]) {
    let mut world = world(frequency, start_ms);
    let clock_is_right = events.iter().all(|event| !matches!(event, Event::Clock { hours } if *hours != 0));
    for event in events {
        world.step(event);
    }
    // In the end the clock is right, nothing fails, and the scheduler looks for a day: then it serves again what is due.
    (world.offset_ms, world.failures, world.kill) = (0, 0, None);
    let right_since = world.now();
    for _ in 0..200 {
        world.tick();
        world.true_ms += 15 * MINUTE_MS;
    }
    world.tick();
    let (begin, end) = (Timestamp::try_from_ms(start_ms).unwrap(), world.now());
    // No run lost: by a clock that was never wrong, every due time has its report, or is said to be skipped or failed.
    let from = if clock_is_right { begin } else { right_since };
    let mut due = world.schedule.next(from);
    while let Some(time) = due.filter(|due| *due <= end) {
        assert!(world.accounted(time), "{time} was lost");
        if time > right_since {
            assert!(world.reports.contains_key(&time), "{time} has no report");
        }
        due = world.schedule.next(time);
    }
    assert!(world.state.pending().is_none() && world.state.requested().is_none(), "{:?}", world.state);
    assert!(!world.reports.is_empty());
}

#[test]
fn years_with_downtime_failures_kills_and_a_clock_that_jumps() {
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let frequency = prop::sample::select(Frequency::ALL.to_vec());
    // From 2000 to 2100.
    let start = 946_684_800_000..4_102_444_800_000i64;
    runner
        .run(&(frequency, start, events()), |(frequency, start_ms, events)| {
            check(frequency, start_ms, &events);
            Ok(())
        })
        .unwrap();
}

#[test]
fn ten_quiet_years_have_a_report_for_every_due_time() {
    let mut world = world(Frequency::Daily, 1_790_000_000_000);
    for _ in 0..3653 * 24 {
        world.tick();
        world.true_ms += 60 * MINUTE_MS;
    }
    // The first at once, then one a day; the half minutes that runs take add up to about a day.
    assert!((3650..=3656).contains(&world.reports.len()), "{}", world.reports.len());
    assert!(world.skipped.is_empty());
}
