//! Signals in the middle of a run, and readers that go away.

#![cfg(unix)]

use crate::support::{Place, Ran, files_below};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// A run that does not end by itself, stopped after so many looks.
const LOOKS_MAX: u32 = 6000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

pub(crate) fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Looks until something is there, within a bound.
#[track_caller]
pub(crate) fn until<T>(child: &mut Child, what: &str, mut look: impl FnMut(&mut Child) -> Option<T>) -> T {
    for _ in 0..LOOKS_MAX {
        if let Some(found) = look(child) {
            return found;
        }
        sleep(BETWEEN_LOOKS);
    }
    child.kill().unwrap();
    panic!("{what} never came");
}

pub(crate) fn end(mut child: Child) -> Ran {
    until(&mut child, "the end", |child| child.try_wait().unwrap());
    child.wait_with_output().unwrap().into()
}

#[test]
fn the_first_signal_ends_a_run_without_a_trace() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        // Far more rows than can be written meanwhile.
        let mut child = spawn(&mut place.command("synthetic:rows=10000000000", &["--shard-target", "1TiB"]));
        until(&mut child, "a staged data file", |child| {
            assert_eq!(child.try_wait().unwrap(), None);
            let staged = |file: &String| file.contains("/data/") && file.ends_with(".partial");
            files_below(&place.destination()).iter().any(staged).then_some(())
        });
        send(signal, &child);
        let ran = end(child);
        assert_eq!((ran.code, ran.out.as_str()), (Some(130), ""), "{signal}: {ran:?}");
        assert!(ran.err.ends_with("stocktake: interrupted; nothing is published\n"), "{ran:?}");
        place.is_untouched();
    }
}

#[test]
fn a_signal_that_is_ignored_on_purpose_is_no_obstacle() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        let program = place.command("synthetic:rows=1000", &[]);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' {signal}; exec \"$@\""), "sh"])
            .arg(program.get_program())
            .args(program.get_args());
        let ran = end(spawn(&mut command));
        assert_eq!(ran.code, Some(0), "{signal}: {ran:?}");
    }
}

#[test]
fn the_second_signal_ends_the_program_at_once() {
    let place = Place::new();
    let mut child = spawn(&mut place.command("ndjson:-", &["--bucket", "b"]));
    // More than a pipe and the look at the listing's front hold, 1 MiB: it is taken only by a run that has begun. Then the
    // run waits for more.
    let mut input = child.stdin.take().unwrap();
    let rows: String = (0..100_000).map(|row| format!("{{\"Key\":\"k{row:09}\"}}\n")).collect();
    input.write_all(rows.as_bytes()).unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    send("-INT", &child);
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    assert_eq!(line, "stocktake: stopping; a second interrupt ends the program at once\n");
    send("-INT", &child);
    assert_eq!(end(child).code, Some(130));
    errors.read_to_string(&mut line).unwrap();
    drop(input);
    assert!(!files_below(&place.destination()).iter().any(|file| file.contains("manifest")));
}

#[test]
fn a_closed_standard_output_is_no_failure() {
    let place = Place::new();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let ran: Ran = place.command("synthetic:rows=10", &[]).stdout(closed()).output().unwrap().into();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let manifest = place.destination().join("synthetic/inventory/2026-11-22T01-00Z/manifest.json");
    for args in [
        vec!["inspect", manifest.to_str().unwrap()],
        vec!["verify", manifest.to_str().unwrap()],
        vec!["completions", "bash"],
        vec!["generate", "--help"],
    ] {
        let ran: Ran = crate::support::program().args(&args).stdout(closed()).output().unwrap().into();
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}: {ran:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_told() {
    let place = Place::new();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran: Ran = place.command("synthetic:rows=10", &[]).stdout(full()).output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.starts_with("stocktake: cannot write to standard output: No space left"), "{ran:?}");
    let ran: Ran = crate::support::program().args(["completions", "bash"]).stdout(full()).output().unwrap().into();
    assert_eq!(ran.code, Some(1), "{ran:?}");
}
