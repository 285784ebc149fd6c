//! Due times by example.

use super::*;
use crate::document::Frequency;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn never(_: Timestamp) -> bool {
    false
}

fn decide(frequency: Frequency, state: &RunState, now: &str) -> Decision {
    Schedule::new(frequency).decide(state, Backoff::default(), &never, at(now))
}

fn run(decision: Decision) -> DueRun {
    match decision {
        Decision::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

fn idle_until(decision: Decision) -> String {
    match decision {
        Decision::Idle(Some(until)) => until.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A state whose first report was made.
fn after_first(frequency: Frequency, since: &str) -> RunState {
    let state = RunState::new(at(since));
    let first = run(decide(frequency, &state, since));
    state.begin(&first, at(since)).succeed()
}

#[test]
fn the_first_report_comes_at_once_with_the_stamp_of_its_hour() {
    for frequency in Frequency::ALL {
        let state = RunState::new(at("2026-11-25T13:37:12.345Z"));
        let first = run(decide(frequency, &state, "2026-11-25T13:37:12.345Z"));
        assert_eq!((first.due, first.attempt, first.skipped), (at("2026-11-25T13:00:00Z"), 1, None));
    }
}

#[test]
fn the_next_reports_stand_on_the_grid() {
    for (frequency, next) in [
        (Frequency::Hourly, "2026-11-25T14:00:00.000Z"),
        (Frequency::Daily, "2026-11-26T01:00:00.000Z"),
        // A Sunday.
        (Frequency::Weekly, "2026-11-29T01:00:00.000Z"),
        (Frequency::Monthly, "2026-12-01T01:00:00.000Z"),
    ] {
        let state = after_first(frequency, "2026-11-25T13:37:00Z");
        assert_eq!(idle_until(decide(frequency, &state, "2026-11-25T13:40:00Z")), next);
        assert_eq!(run(decide(frequency, &state, next)).due, at(next));
        assert_eq!(Schedule::new(frequency).next_due(&state, at("2026-11-25T13:40:00Z")), Some(at(next)));
    }
}

#[test]
fn the_hour_of_the_day_may_be_another() {
    let state = after_first(Frequency::Weekly, "2026-11-25T13:37:00Z");
    let schedule = Schedule::new(Frequency::Weekly).with_hour(23);
    let decision = schedule.decide(&state, Backoff::default(), &never, at("2026-11-25T14:00:00Z"));
    assert_eq!(idle_until(decision), "2026-11-29T23:00:00.000Z");
}

#[test]
fn missed_due_times_are_coalesced_into_the_newest() {
    let state = after_first(Frequency::Daily, "2026-11-25T13:37:00Z");
    let caught_up = run(decide(Frequency::Daily, &state, "2026-12-01T09:00:00Z"));
    assert_eq!(caught_up.due, at("2026-12-01T01:00:00Z"));
    let skipped = caught_up.skipped.unwrap();
    assert_eq!((skipped.first, skipped.last), (at("2026-11-26T01:00:00Z"), at("2026-11-30T01:00:00Z")));
    assert_eq!(skipped.count, 5);
    let state = state.begin(&caught_up, at("2026-12-01T09:00:00Z")).succeed();
    assert_eq!(idle_until(decide(Frequency::Daily, &state, "2026-12-01T09:10:00Z")), "2026-12-02T01:00:00.000Z");
}

#[test]
fn a_first_report_that_was_missed_is_counted_with_the_skipped() {
    let state = RunState::new(at("2026-11-25T13:37:00Z"));
    let run = run(decide(Frequency::Monthly, &state, "2027-02-10T00:00:00Z"));
    assert_eq!(run.due, at("2027-02-01T01:00:00Z"));
    let skipped = run.skipped.unwrap();
    assert_eq!((skipped.first, skipped.last), (at("2026-11-25T13:00:00Z"), at("2027-01-01T01:00:00Z")));
    assert_eq!(skipped.count, 3);
}

#[test]
fn a_failed_run_is_tried_again_later_and_later_until_the_next_is_due() {
    let mut state = RunState::new(at("2026-11-25T13:37:00Z"));
    let mut now = at("2026-11-25T13:37:00Z");
    let mut waits = Vec::new();
    for attempt in 1..=9 {
        let due = run(Schedule::new(Frequency::Daily).decide(&state, Backoff::default(), &never, now));
        assert_eq!((due.attempt, due.due), (attempt, at("2026-11-25T13:00:00Z")));
        let (failed, again) = state.begin(&due, now).fail(Backoff::default(), now);
        assert!(again);
        let until = idle_until(Schedule::new(Frequency::Daily).decide(&failed, Backoff::default(), &never, now));
        waits.push((at(&until).ms() - now.ms()) / 60_000);
        (state, now) = (failed, at(&until));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    let next = run(decide(Frequency::Daily, &state, "2026-11-26T01:00:00Z"));
    assert_eq!((next.due, next.attempt, next.skipped), (at("2026-11-26T01:00:00Z"), 1, None));
}

#[test]
fn a_run_never_overlaps_itself_and_an_interrupted_one_is_tried_again() {
    let state = RunState::new(at("2026-11-25T13:37:00Z"));
    let first = run(decide(Frequency::Hourly, &state, "2026-11-25T13:37:00Z"));
    let running = state.begin(&first, at("2026-11-25T13:37:00Z"));
    assert_eq!(decide(Frequency::Hourly, &running, "2026-11-25T18:00:00Z"), Decision::Idle(None));
    assert_eq!(running.running().unwrap().0.due, first.due);
    let again = running.interrupted(Backoff::default());
    assert_eq!(idle_until(decide(Frequency::Hourly, &again, "2026-11-25T13:37:30Z")), "2026-11-25T13:38:00.000Z");
    let second = run(decide(Frequency::Hourly, &again, "2026-11-25T13:50:00Z"));
    assert_eq!((second.due, second.attempt), (first.due, 2));
}

#[test]
fn nothing_is_made_of_a_configuration_that_is_not_enabled() {
    let state = RunState::new(at("2026-11-25T13:37:00Z"));
    let schedule = Schedule::new(Frequency::Daily).with_enabled(false);
    let decision = schedule.decide(&state, Backoff::default(), &never, at("2027-01-01T00:00:00Z"));
    assert_eq!(decision, Decision::Idle(None));
    assert!(state.request(&schedule, &never, at("2027-01-01T00:00:00Z")).is_err());
    assert_eq!(schedule.next_due(&state, at("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_report_on_demand_has_the_hour_or_the_minute_for_a_stamp() {
    let schedule = Schedule::new(Frequency::Daily);
    let state = after_first(Frequency::Daily, "2026-11-25T13:37:00Z");
    let ran = |due: Timestamp| due == at("2026-11-25T13:00:00Z");
    let now = at("2026-11-25T13:40:59Z");
    let asked = state.request(&schedule, &ran, now).unwrap();
    assert_eq!(asked.request(&schedule, &ran, now).unwrap(), asked);
    let minute = run(schedule.decide(&asked, Backoff::default(), &ran, now));
    assert_eq!((minute.due, minute.cause), (at("2026-11-25T13:40:00Z"), RunCause::OnDemand));
    let later = state.request(&schedule, &ran, at("2026-11-25T15:01:00Z")).unwrap();
    assert_eq!(later.requested().unwrap().due, at("2026-11-25T15:00:00Z"));
    // In the minute in which a report is due, that report is the one.
    assert!(state.request(&schedule, &ran, at("2026-11-26T01:00:30Z")).is_err());
    // An attempt that fails often enough is given up.
    let (mut state, mut now) = (asked, now);
    for attempt in 1..=REQUEST_ATTEMPTS_MAX {
        let due = run(schedule.decide(&state, Backoff::default(), &ran, now));
        assert_eq!(due.attempt, attempt);
        let (failed, again) = state.begin(&due, now).fail(Backoff::default(), now);
        assert_eq!(again, attempt < REQUEST_ATTEMPTS_MAX);
        (state, now) = (failed, Timestamp::try_from_ms(now.ms() + 3_600_000).unwrap());
    }
    assert_eq!(state.requested(), None);
}

#[test]
fn a_clock_that_goes_back_a_little_doubles_nothing() {
    let state = after_first(Frequency::Daily, "2026-11-25T13:37:00Z");
    let due = run(decide(Frequency::Daily, &state, "2026-11-26T01:00:00Z"));
    let state = state.begin(&due, at("2026-11-26T01:00:00Z")).succeed();
    let ran = |due: Timestamp| due == at("2026-11-26T01:00:00Z");
    let schedule = Schedule::new(Frequency::Daily);
    let decide = |state: &RunState, now: &str| schedule.decide(state, Backoff::default(), &ran, at(now));
    let Decision::Settle(rewound, None) = decide(&state, "2026-11-26T00:59:58Z") else { panic!() };
    assert!(matches!(decide(&rewound, "2026-11-26T00:59:59Z"), Decision::Idle(_)));
    let Decision::Settle(settled, None) = decide(&rewound, "2026-11-26T01:00:00Z") else { panic!() };
    assert!(matches!(decide(&settled, "2026-11-26T01:00:00Z"), Decision::Idle(_)));
}

#[test]
fn a_clock_that_was_years_ahead_and_comes_back_loses_nothing() {
    let state = after_first(Frequency::Daily, "2026-11-25T13:37:00Z");
    let far = run(decide(Frequency::Daily, &state, "2040-06-01T12:00:00Z"));
    assert!(far.skipped.unwrap().count > 4000);
    let state = state.begin(&far, at("2040-06-01T12:00:00Z")).succeed();
    let Decision::Settle(back, None) = decide(Frequency::Daily, &state, "2026-11-25T15:00:00Z") else { panic!() };
    assert_eq!(idle_until(decide(Frequency::Daily, &back, "2026-11-25T15:00:00Z")), "2026-11-26T01:00:00.000Z");
    assert_eq!(run(decide(Frequency::Daily, &back, "2026-11-26T01:00:00Z")).due, at("2026-11-26T01:00:00Z"));
    // A configuration that was made by the wrong clock begins by the right one.
    let made = RunState::new(at("2040-06-01T12:00:00Z"));
    let Decision::Settle(back, None) = decide(Frequency::Daily, &made, "2026-11-25T15:20:00Z") else { panic!() };
    assert_eq!(run(decide(Frequency::Daily, &back, "2026-11-25T15:20:00Z")).due, at("2026-11-25T15:00:00Z"));
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    for frequency in Frequency::ALL {
        for end in [Timestamp::MIN, Timestamp::MAX] {
            let state = RunState::new(end);
            let schedule = Schedule::new(frequency);
            let due = run(schedule.decide(&state, Backoff::default(), &never, end));
            let (failed, _) = state.begin(&due, end).fail(Backoff::default(), end);
            schedule.decide(&failed, Backoff::default(), &never, Timestamp::MAX);
            schedule.decide(&failed, Backoff::default(), &never, Timestamp::MIN);
        }
    }
}

#[test]
fn a_state_survives_json() {
    let state = after_first(Frequency::Daily, "2026-11-25T13:37:00Z");
    let due = run(decide(Frequency::Daily, &state, "2026-11-26T01:00:00Z"));
    let state = state.begin(&due, at("2026-11-26T01:00:00Z"));
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<RunState>(&json).unwrap(), state);
    assert!(json.len() < 400, "{json}");
}
