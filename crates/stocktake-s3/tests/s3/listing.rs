//! Listings: every legal key, versions, ranges without seams, faults.

use super::*;
use std::collections::BTreeSet;
use stocktake_core::{Field, SourceErrorKind};
use stocktake_s3::S3Source;
use stocktake_testkit::{
    s3::{Fault, FlatKeys},
    source::check_source,
};

fn keys(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.key().to_owned()).collect()
}

fn current(server: &S3Server, prefix: &str) -> S3Source {
    S3Source::new(client(server), prefix, Versions::Current)
}

/// Keys of every kind that S3 takes.
fn odd_keys() -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = [
        "a//b", "/", "//", "/lead", "trail/", "..", "a/../b", ".", " ", "a b", "a+b", "a%20b", "a&<>\"'b", "~*()", "é",
    ]
    .map(String::from)
    .into();
    keys.extend((1..0x20_u8).chain([0x7f]).map(|byte| format!("c{}x", char::from(byte))));
    keys.extend(["\u{ffff}", "\u{10000}", "\u{10ffff}", "日本/語"].map(String::from));
    keys.insert("k".repeat(1024));
    keys.extend((0..300).map(|n| format!("logs/2026/{:02}/file {n:03}+.gz", n % 28)));
    keys
}

#[test]
fn every_legal_key_survives_in_order() {
    let server = server(false, 7);
    let keys_put = odd_keys();
    keys_put.iter().for_each(|key| drop(server.store().put("b", key, key.as_bytes()).clone()));
    let source = current(&server, "");
    let fields = source.provides();
    let found = rows(&source, Versions::Current, fields).unwrap();
    assert!(keys(&found).into_iter().eq(keys_put.iter().cloned()));
    assert_eq!(source.counts().rows, keys_put.len() as u64);
    assert!(source.counts().ranges > 1, "{:?}", source.counts());
    for prefix in ["logs/2026/0", "a", "/", "é", "nothing", "k"] {
        let found = rows(&current(&server, prefix), Versions::Current, fields).unwrap();
        let wanted = keys_put.iter().filter(|key| key.starts_with(prefix)).cloned();
        assert!(keys(&found).into_iter().eq(wanted), "{prefix}");
    }
}

#[test]
fn rows_say_what_the_listing_says() {
    let server = server(false, 1000);
    {
        let mut store = server.store();
        let version = store.put("b", "one", b"12345");
        (version.class, version.checksum) = ("GLACIER".into(), "SHA256".into());
        version.modified_ms = 1_790_000_000_123;
        store.put("b", "two", b"").e_tag = "0123-12".into();
    }
    let source = current(&server, "");
    let found = rows(&source, Versions::Current, source.provides()).unwrap();
    let values = |row: &Row| source.provides().iter().skip(2).map(|field| row.text(field)).collect::<Vec<_>>();
    let owner = "7f00".repeat(16);
    let wanted =
        ["5", "2026-09-21T14:13:20.123Z", "827ccb0eea8a706c4c34a16891f84e7b", "GLACIER", "false", "SHA256", &owner];
    assert_eq!(values(&found[0]), wanted);
    assert_eq!(values(&found[1])[2..5], ["0123-12", "STANDARD", "true"]);
    // The owner costs the server something; it is asked for where it is wanted.
    assert!(server.log().iter().any(|line| line.contains("fetch-owner=true")));
    let before = server.log().len();
    rows(&source, Versions::Current, FieldSet::REQUIRED).unwrap();
    assert!(server.log()[before..].iter().all(|line| !line.contains("fetch-owner")));
}

#[test]
fn the_contract_of_sources_is_kept() {
    for (versioned, versions) in [(false, Versions::Current), (true, Versions::All)] {
        let server = server(versioned, 13);
        for key in odd_keys().iter().take(90) {
            server.store().put("b", key, b"1");
            if key.len() % 3 == 0 {
                server.store().put("b", key, b"22");
                server.store().delete("b", key);
            }
        }
        let source = S3Source::new(client(&server), "", versions);
        let mut context = ReadContext::new(bucket(), source.provides());
        context.versions = versions;
        check_source(&source, &context).unwrap();
    }
}

#[test]
fn versions_are_latest_first_then_newest_wherever_markers_stand() {
    for (page_max, markers_last) in [(1, false), (4, false), (4, true), (1000, true)] {
        let mut options = ServerOptions::default();
        (options.versioned, options.page_max, options.markers_last) = (true, page_max, markers_last);
        let server = S3Server::start(options).unwrap();
        for round in 0..6_u8 {
            for key in ["a", "a/b", "b", "c"] {
                if (usize::from(round) + key.len()) % 3 == 0 {
                    server.store().delete("b", key);
                } else {
                    server.store().put("b", key, &[round]);
                }
            }
        }
        let source = S3Source::new(client(&server), "", Versions::All);
        let found = rows(&source, Versions::All, source.provides()).unwrap();
        let mut wanted = Vec::new();
        for (key, versions) in &server.store().objects["b"] {
            for (index, version) in versions.iter().enumerate() {
                wanted.push(format!("{key} {} {} {}", version.id, index == 0, version.marker));
            }
        }
        let text = |row: &Row| {
            let of = |field| row.text(field);
            format!("{} {} {} {}", row.key(), of(Field::VersionId), of(Field::IsLatest), of(Field::IsDeleteMarker))
        };
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), wanted, "{page_max} {markers_last}");
    }
}

#[test]
fn a_flat_bucket_is_listed_by_several_requests_at_once() {
    let server = server(false, 100);
    server.store().flat.insert("b".into(), FlatKeys { count: 40_000 });
    let source = current(&server, "");
    let found = rows(&source, Versions::Current, FieldSet::REQUIRED).unwrap();
    assert_eq!(found.len(), 40_000);
    assert!(found.iter().zip(0..).all(|(row, number)| row.key() == FlatKeys::object(number).key));
    assert!(source.counts().ranges >= 4, "{:?}", source.counts());
    assert!(server.log().len() < 400 * 2, "{} requests for 400 pages", server.log().len());
}

/// Reads the lanes of a plan, one after another.
fn lanes(source: &S3Source, versions: Versions, lanes: u32) -> Vec<Vec<Row>> {
    let mut context = ReadContext::new(bucket(), source.provides());
    context.versions = versions;
    let plan = source.plan(NonZeroU32::new(lanes).unwrap()).unwrap();
    let read = |lane| {
        let mut stream = source.open(lane, None, &context).unwrap();
        let mut builder = stocktake_core::ObjectBatchBuilder::new(context.fields);
        let mut rows = Vec::new();
        while stream.next_batch(&mut builder).unwrap() {
            rows.extend(rows_of(&builder.finish()));
        }
        rows
    };
    plan.lanes().iter().map(read).collect()
}

#[test]
fn lanes_join_without_gaps_wherever_keys_fork() {
    for (versioned, versions) in [(false, Versions::Current), (true, Versions::All)] {
        let server = server(versioned, 7);
        for key in &odd_keys() {
            (0..=key.len() % 3).for_each(|_| drop(server.store().put("b", key, b"1").clone()));
        }
        for prefix in ["", "logs/", "logs/2026/1", "nothing", "/"] {
            let source = S3Source::new(client(&server), prefix, versions);
            let whole = rows(&source, versions, source.provides()).unwrap();
            for count in [2, 3, 40] {
                let read = lanes(&source, versions, count);
                assert!(read.len() <= count as usize);
                assert!(whole.len() < 200 || read.len() > 1, "{prefix:?} {count}");
                assert!(read.iter().flatten().eq(&whole), "{prefix:?} {count}");
                assert_eq!(source.counts().rows, whole.len() as u64, "{prefix:?} {count}");
            }
        }
    }
}

#[test]
fn lanes_of_a_flat_bucket_are_about_even() {
    let server = server(false, 100);
    server.store().flat.insert("b".into(), FlatKeys { count: 20_000 });
    let read = lanes(&current(&server, ""), Versions::Current, 4);
    assert_eq!(read.len(), 4);
    assert!(read.iter().flatten().zip(0..).all(|(row, number)| row.key() == FlatKeys::object(number).key));
    let sizes: Vec<usize> = read.iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|size| (2_500..10_000).contains(size)), "{sizes:?}");
}

#[test]
fn passing_faults_are_sat_out() {
    let server = server(false, 50);
    server.store().flat.insert("b".into(), FlatKeys { count: 20_000 });
    server.faults().choose(|_, number| match number % 20 {
        3 => Some([Fault::SlowDown, Fault::InternalError][usize::from(number % 40 > 20)]),
        9 => Some(Fault::TruncatedBody),
        13 => Some(Fault::Reset),
        17 => Some(Fault::Slow(5)),
        _ => None,
    });
    let found = rows(&current(&server, ""), Versions::Current, FieldSet::REQUIRED).unwrap();
    assert!(found.iter().zip(0..).all(|(row, number)| row.key() == FlatKeys::object(number).key));
    assert_eq!(found.len(), 20_000);
    assert!(server.faults().shown() > 50);
}

#[test]
fn faults_that_stay_and_pages_that_lie_fail_the_run() {
    for (fault, kind, words) in [
        (Fault::SlowDown, SourceErrorKind::Unreadable, "503 SlowDown"),
        (Fault::TruncatedBody, SourceErrorKind::Unreadable, "after 3 attempts"),
        (Fault::AccessDenied, SourceErrorKind::Unreadable, "403 AccessDenied Access Denied"),
        (Fault::CutXml, SourceErrorKind::Malformed, "the reply "),
        (Fault::NoToken, SourceErrorKind::Malformed, "does not say where the next one begins"),
        (Fault::RepeatPage, SourceErrorKind::Order, "does not follow"),
        (Fault::ReorderPage, SourceErrorKind::Order, "in one page"),
    ] {
        for versioned in [false, true] {
            let server = server(versioned, 10);
            (0..100).for_each(|n| drop(server.store().put("b", &format!("k{n:03}"), b"x").clone()));
            // From the sixth request on: the bucket was found, its folders were looked for, pages were had.
            server.faults().choose(move |_, number| (number > 5).then_some(fault));
            let mut settings = settings(&server);
            settings.attempts_max = one().saturating_add(2);
            let versions = if versioned { Versions::All } else { Versions::Current };
            let source = S3Source::new(client_with(settings), "", versions);
            let error = rows(&source, versions, source.provides()).map(|rows| rows.len()).unwrap_err();
            // Two lists are made one by putting keys in order, so each must be in order by itself.
            let kind = if versioned && fault == Fault::ReorderPage { SourceErrorKind::Malformed } else { kind };
            assert_eq!(error.kind(), kind, "{fault:?}: {error}");
            assert!(error.to_string().contains(words), "{fault:?}: {error}");
        }
    }
}

#[test]
fn a_bucket_that_cannot_be_listed_is_known_before_anything_is_written() {
    let server = server(false, 10);
    server.faults().choose(|_, _| Some(Fault::AccessDenied));
    let error = current(&server, "p").plan(one()).unwrap_err();
    assert_eq!(error.to_string(), "s3://b/p cannot be listed: ListObjectsV2: 403 AccessDenied Access Denied");
    let mut unreachable = S3Settings::default();
    unreachable.endpoint_url = Some("http://127.0.0.1:1".into());
    (unreachable.attempts_max, unreachable.backoff) = (one(), Duration::from_millis(1));
    let error = S3Source::new(client_with(unreachable), "", Versions::Current).plan(one()).unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unreadable, "{error}");
}

#[test]
fn heads_give_what_the_listing_lacks() {
    let server = server(true, 1000);
    {
        let mut store = server.store();
        let headers = &mut store.put("b", "locked", b"1").headers;
        for (name, value) in [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
            ("x-amz-replication-status", "COMPLETED"),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00.000Z"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-archive-status", "DEEP_ARCHIVE_ACCESS"),
            ("x-amz-expiration", "expiry-date=\"Fri, 23 Dec 2012 00:00:00 GMT\", rule-id=\"r\""),
        ] {
            headers.insert(name.into(), value.into());
        }
        (0..40).for_each(|n| drop(store.put("b", &format!("plain{n}"), b"1").clone()));
        store.delete("b", "plain7");
    }
    let source = S3Source::new(client(&server), "", Versions::All).with_enrichment();
    let fields = S3Source::enriched_fields().union(FieldSet::VERSION_FIELDS).union(FieldSet::REQUIRED);
    let found = rows(&source, Versions::All, fields).unwrap();
    let of = |row: &Row, field| row.text(field);
    let locked = &found[0];
    let values: Vec<String> = S3Source::enriched_fields().iter().map(|field| of(locked, field)).collect();
    let wanted = [
        "COMPLETED",
        "SSE-KMS",
        "2030-01-01T00:00:00.000Z",
        "COMPLIANCE",
        "ON",
        "DEEP_ARCHIVE",
        "ENABLED",
        "2012-12-23T00:00:00.000Z",
    ];
    assert_eq!(values, wanted);
    assert_eq!(found.len(), 42);
    for row in &found[1..] {
        let wanted = if of(row, Field::IsDeleteMarker) == "true" { "" } else { "NOT-SSE" };
        assert_eq!(of(row, Field::EncryptionStatus), wanted, "{row:?}");
    }
    assert_eq!(server.log().iter().filter(|line| line.starts_with("HEAD")).count(), 41);
    assert!(!S3Source::new(client(&server), "", Versions::All).provides().contains(Field::EncryptionStatus));
}
