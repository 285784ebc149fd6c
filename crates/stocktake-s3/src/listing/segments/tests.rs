//! Listings of every shape, by servers that are sound, careless or changing.

use super::*;

/// A listing of these keys, as a server would give it.
fn page(keys: &[String], from: &Marker, entries: usize) -> Page {
    page_of(keys, from, entries, false)
}

/// The same; a careless server begins with a marker that is a key, and leaves the first row out behind one that is none.
fn page_of(keys: &[String], from: &Marker, entries: usize, careless: bool) -> Page {
    let (Marker::Behind(after) | Marker::Token(after) | Marker::Version(after, _)) = from;
    let first = keys.partition_point(|key| key <= after);
    let first = match from {
        Marker::Behind(after) if careless && !after.is_empty() => match keys.binary_search(after) {
            Ok(marker) => marker,
            Err(_) => keys.len().min(first + 1),
        },
        _ => first,
    };
    let last = keys.len().min(first + entries);
    let rows: String = keys[first..last]
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-22T01:00:00Z</LastModified><Size>5</Size></Contents>"
            )
        })
        .collect();
    let next = if last < keys.len() {
        format!("<NextContinuationToken>{}</NextContinuationToken>", keys[last - 1])
    } else {
        String::new()
    };
    let more = last < keys.len();
    Page::parse(
        format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{rows}{next}</ListBucketResult>").as_bytes(),
    )
    .unwrap()
}

struct Run {
    found: Vec<String>,
    requests: usize,
    at_once: Vec<usize>,
    held_max: usize,
    counts: ListingCounts,
    partitions: Vec<Partition>,
}

/// Lists keys with answers that come in an order of their own.
fn run(keys: &[String], entries: usize, limits: Limits, folders: &[&str], seed: u64) -> Run {
    run_by(keys, entries, limits, folders, seed, false)
}

fn run_by(keys: &[String], entries: usize, limits: Limits, folders: &[&str], mut seed: u64, careless: bool) -> Run {
    let mut segments = Segments::new("", "", false, limits);
    segments.add_folders(folders.iter().map(|folder| (*folder).to_owned()).collect());
    let mut waiting: Vec<Order> = Vec::new();
    let counts = ListingCounts::default();
    let (found, partitions) = (Vec::new(), Vec::new());
    let mut run = Run { found, requests: 0, at_once: Vec::new(), held_max: 0, counts, partitions };
    loop {
        waiting.extend(segments.orders());
        run.at_once.extend((!waiting.is_empty()).then_some(waiting.len()));
        let held: usize = segments.ranges.iter().map(|range| range.bytes).sum();
        run.held_max = run.held_max.max(held);
        if !waiting.is_empty() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let order = waiting.swap_remove((seed >> 33) as usize % waiting.len());
            run.requests += 1;
            segments.accept(order.range, page_of(keys, &order.from, entries, careless)).unwrap();
        }
        if seed >> 60 < 11 {
            match segments.take() {
                Delivery::Page(page) => run.found.extend((0..page.len()).map(|row| page.key(row).to_owned())),
                Delivery::Wait => {
                    waiting.extend(segments.orders());
                    assert!(!waiting.is_empty(), "it waits for nothing");
                }
                Delivery::End => {
                    run.counts = segments.counts();
                    run.partitions = segments.partitions().to_vec();
                    return run;
                }
            }
        } else if waiting.is_empty() {
            seed = seed.wrapping_add(1 << 60);
        }
    }
}

const LIMITS: Limits = Limits { requests: 8, ahead_bytes: 8 << 20 };

fn shapes() -> Vec<(&'static str, Vec<String>)> {
    let mut shapes: Vec<(&'static str, Vec<String>)> = vec![
        ("flat", (0..6000).map(|n| format!("k{n:012}")).collect()),
        ("one folder", (0..6000).map(|n| format!("data/2026/part-{n:06}")).collect()),
        ("folders", (0..6000).map(|n| format!("user-{:05}/photo-{}", n / 11, n % 11)).collect()),
        ("uneven", (0..6000).map(|n| format!("{}/{n}", ["a", "logs", "logs/x", "z"][n * n % 4])).collect()),
        ("hash", (0..6000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()),
        ("odd", (0..1000).map(|n| format!("é{}{n}\u{10ffff}", "/".repeat(n % 5))).collect()),
        ("one", vec!["a".to_owned()]),
        ("none", Vec::new()),
    ];
    shapes.iter_mut().for_each(|(_, keys)| keys.sort_unstable());
    shapes
}

#[test]
fn nothing_is_missing_or_doubled_and_order_holds() {
    for (name, keys) in shapes() {
        for (seed, folders) in [(1, &[][..]), (2, &["a/", "logs/", "user-00100/", "z/"][..])] {
            for limits in [LIMITS, Limits { requests: 1, ..LIMITS }, Limits { requests: 5, ahead_bytes: 1 }] {
                let run = run(&keys, 30, limits, folders, seed);
                assert!(run.found == keys, "{name} {seed} {limits:?}");
                assert!(run.at_once.iter().all(|at_once| *at_once <= limits.requests), "{name}");
                check_partitions(&run, &keys, name);
            }
        }
    }
}

/// Ranges join from the first key to the last, and tell of every row and request.
fn check_partitions(run: &Run, keys: &[String], name: &str) {
    let told = &run.partitions;
    assert!(told.windows(2).all(|pair| pair[0].until.is_some() && pair[0].until == pair[1].after), "{name}: {told:?}");
    let (first, last) = (told.first().unwrap(), told.last().unwrap());
    assert_eq!((&first.after, &last.until), (&None, &None), "{name}");
    assert_eq!(told.iter().map(|of| of.rows).sum::<u64>(), keys.len() as u64, "{name}");
    assert_eq!(told.iter().map(|of| of.requests).sum::<u64>(), run.requests as u64, "{name}");
    assert_eq!(told.iter().find_map(|of| of.first_key.as_ref()), keys.first(), "{name}");
    assert_eq!(told.iter().rev().find_map(|of| of.last_key.as_ref()), keys.last(), "{name}");
}

#[test]
fn rows_that_a_server_leaves_out_at_seams_are_found() {
    let mut mended = 0;
    for (name, keys) in shapes() {
        for seed in 0..4 {
            for folders in [&[][..], &["a/", "logs/", "user-00100/", "z/"][..]] {
                let run = run_by(&keys, 7, LIMITS, folders, seed, true);
                assert!(run.found == keys, "{name} {seed}: {} of {} keys", run.found.len(), keys.len());
                assert_eq!(run.counts.rows, keys.len() as u64, "{name}");
                let told: u64 = run.partitions.iter().map(|of| of.rows).sum();
                assert_eq!(told, keys.len() as u64, "{name}");
                let requests: u64 = run.partitions.iter().map(|of| of.requests).sum();
                assert_eq!(requests, run.requests as u64, "{name}");
                mended += run.counts.mended;
                let sound = run_by(&keys, 7, LIMITS, folders, seed, false);
                assert_eq!(sound.counts.mended, 0, "{name}: nothing is listed twice from a sound server");
            }
        }
    }
    assert!(mended > 20, "{mended}");
}

/// Keys come and go while they are listed: what was there all the time is delivered, once and in order.
#[test]
fn a_bucket_that_changes_is_listed_without_loss() {
    let keys: Vec<String> = (0..3000).map(|n| format!("k{n:06}")).collect();
    for seed in 1..30_u64 {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut segments = Segments::new("", "", false, LIMITS);
        let (mut waiting, mut found): (Vec<Order>, Vec<String>) = (Vec::new(), Vec::new());
        loop {
            waiting.extend(segments.orders());
            if !waiting.is_empty() {
                let order = waiting.swap_remove(random() % waiting.len());
                // Every third key is there or not, as it happens.
                let now: Vec<String> = keys
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| n % 3 > 0 || random() % 2 > 0)
                    .map(|(_, key)| key.clone())
                    .collect();
                segments.accept(order.range, page(&now, &order.from, 10)).unwrap();
            }
            match segments.take() {
                Delivery::Page(page) => found.extend((0..page.len()).map(|row| page.key(row).to_owned())),
                Delivery::Wait => {}
                Delivery::End => break,
            }
        }
        assert!(found.is_sorted_by(|a, b| a < b), "{seed}");
        let steady = keys.iter().enumerate().filter(|(n, _)| n % 3 > 0).map(|(_, key)| key);
        assert!(steady.clone().all(|key| found.binary_search(key).is_ok()), "{seed}");
    }
}

#[test]
fn many_requests_are_under_way_and_few_are_in_vain() {
    for (name, keys) in shapes().into_iter().filter(|(_, keys)| keys.len() == 6000) {
        let run = run(&keys, 30, LIMITS, &[], 7);
        let busy = run.at_once.iter().filter(|at_once| **at_once >= 4).count();
        assert!(busy * 10 >= run.at_once.len() * 8, "{name}: {busy} of {}", run.at_once.len());
        assert!(run.requests <= 200 * 2, "{name}: {} requests for 200 pages", run.requests);
    }
}

#[test]
fn what_is_held_is_bounded() {
    let (_, keys) = shapes().swap_remove(0);
    let limits = Limits { requests: 8, ahead_bytes: 32 << 10 };
    let run = run(&keys, 30, limits, &[], 3);
    assert!(run.held_max <= limits.ahead_bytes + 5 * (5 << 10), "{}", run.held_max);
}

#[test]
fn pages_that_do_not_follow_are_refused() {
    let keys: Vec<String> = (0..30).map(|n| format!("k{n:02}")).collect();
    let fault = |second: Page| {
        let mut segments = Segments::new("k", "", false, Limits { requests: 1, ..LIMITS });
        let first = segments.orders().remove(0);
        segments.accept(first.range, page(&keys, &first.from, 10)).unwrap();
        let second_order = segments.orders().remove(0);
        segments.accept(second_order.range, second).unwrap_err()
    };
    let start = Marker::Behind(String::new());
    assert!(fault(page(&keys, &start, 10)).contains("\"k00\", which does not follow \"k09\""));
    assert!(fault(page(&["x".to_owned()], &start, 1)).contains("does not begin with \"k\""));
    let mut empty = page(&keys, &Marker::Token("k29".into()), 1);
    empty.next = Some(Marker::Token("k09".into()));
    assert!(fault(empty).contains("begins where the one before began"));
}
