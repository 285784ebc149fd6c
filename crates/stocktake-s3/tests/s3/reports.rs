//! Whole reports from a bucket into a bucket, read back by readers that we did not write.

use super::*;
use std::{
    io::Read,
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use stocktake::{
    Clock, GenerateErrorKind, GenerateOptions, Recovery, ReportLayout, abandon, generate, sources::SyntheticSource,
};
use stocktake_core::{
    ConfigurationId, Destination, FieldSelection, Receipt, ReceiptsHeader, ReportSpec, Timestamp, parse_receipts,
};
use stocktake_s3::{S3Destination, S3Source};
use stocktake_testkit::s3::{Fault, FlatKeys};

fn spec(source: &S3Source) -> ReportSpec {
    ReportSpec::builder(bucket(), ConfigurationId::try_new("daily").unwrap(), bucket())
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSelection::Default.resolve(source.provides(), Versions::Current).unwrap())
        .build()
        .unwrap()
}

#[test]
fn a_report_survives_one_request_in_twenty_that_fails() {
    let listed = server(false, 500);
    listed.store().flat.insert("b".into(), FlatKeys { count: 60_000 });
    let stored = server(false, 1000);
    for server in [&listed, &stored] {
        // Scattered, and the same in every run.
        server.faults().choose(|_, number| {
            let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let fault = [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::TruncatedBody];
            (mixed % 20 == 0).then(|| fault[(mixed / 20 % 4) as usize])
        });
    }
    let source = S3Source::new(client(&listed), "", Versions::Current);
    let destination = S3Destination::new(client(&stored));
    let summary = generate(&source, &spec(&source), &destination, &GenerateOptions::default()).unwrap();
    assert_eq!(summary.rows, 60_000);
    assert!(listed.faults().shown() > 0);
    stored.faults().clear();

    let store = stored.store();
    assert!(store.uploads.is_empty());
    let data: Vec<_> = store.objects["b"].keys().filter(|key| key.contains("/data/")).cloned().collect();
    let mut number = 0;
    for key in &data {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&*store.current("b", key).unwrap().body).read_to_end(&mut text).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
        for record in reader.records() {
            let (record, object) = (record.unwrap(), FlatKeys::object(number));
            assert_eq!((&record[0], &record[1], &record[2]), ("b", &*object.key, &*object.size.to_string()));
            number += 1;
        }
    }
    assert_eq!(number, 60_000);
    let checksum = &store.current("b", "b/daily/2026-11-22T01-00Z/manifest.checksum").unwrap().body;
    let manifest = &store.current("b", "b/daily/2026-11-22T01-00Z/manifest.json").unwrap().body;
    assert_eq!(std::str::from_utf8(checksum).unwrap().trim_end(), stocktake_core::md5_hex(manifest));
}

#[test]
fn a_listing_that_lies_publishes_nothing_and_leaves_nothing() {
    let listed = server(false, 100);
    listed.store().flat.insert("b".into(), FlatKeys { count: 60_000 });
    listed.faults().choose(|_, number| (number == 300).then_some(Fault::RepeatPage));
    let stored = server(false, 1000);
    let source = S3Source::new(client(&listed), "", Versions::Current);
    let destination = S3Destination::new(client(&stored));
    let error = generate(&source, &spec(&source), &destination, &GenerateOptions::default()).unwrap_err();
    assert!(matches!(error.kind(), GenerateErrorKind::Source(_)), "{error}");
    assert!(destination.store().unwrap().list("").unwrap().is_empty());
    assert!(stored.store().uploads.is_empty());
}

/// The objects of the bucket, by key.
fn objects(server: &S3Server) -> std::collections::BTreeMap<String, Arc<[u8]>> {
    let store = server.store();
    let bodies = store.objects.get("b").into_iter().flatten();
    bodies.filter_map(|(key, _)| Some((key.clone(), Arc::clone(&store.current("b", key)?.body)))).collect()
}

/// The network is lost after some requests: nothing that the run sends reaches the server any more, as if it were killed.
/// Data files are uploaded in parts, so that it is lost within uploads, too.
#[test]
fn a_run_whose_network_is_lost_is_carried_on_or_abandoned() {
    let source: SyntheticSource = "rows=300000,seed=2".parse().unwrap();
    let spec = ReportSpec::builder(bucket(), ConfigurationId::try_new("daily").unwrap(), bucket())
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSelection::Default.resolve(source.provides(), Versions::Current).unwrap())
        .with_chunk_rows(20_000)
        .with_shard_target_bytes(5 << 20)
        .build()
        .unwrap();
    let options = |recovery| GenerateOptions::default().with_recovery(recovery);
    let destination = |server: &S3Server| S3Destination::new(client(server)).with_part_bytes(0);
    let whole = server(false, 1000);
    let summary = generate(&source, &spec, &destination(&whole), &options(Recovery::Begin)).unwrap();
    assert!(summary.files >= 3, "{summary:?}");
    let requests = whole.log().len() as u64;
    let root = ReportLayout::new(&spec).root().clone();
    for step in 1..6 {
        let stored = server(false, 1000);
        // In the fifth step within an upload: its parts are the first to find nobody.
        let alive = if step == 5 { u64::MAX } else { requests * step / 5 };
        let is_lost = AtomicBool::new(false);
        stored.faults().choose(move |request, number| {
            let is_part = alive == u64::MAX && request.query.contains_key("partNumber");
            if is_part || number >= alive {
                is_lost.store(true, Ordering::Relaxed);
            }
            is_lost.load(Ordering::Relaxed).then_some(Fault::AccessDenied)
        });
        let lost = generate(&source, &spec, &destination(&stored), &options(Recovery::Begin));
        stored.faults().clear();
        assert!(step != 5 || !stored.store().uploads.is_empty(), "an upload is under way");
        // Once the report is published, nothing but its journal can be left.
        if step % 2 == 0 || lost.is_ok() {
            let resumed = generate(&source, &spec, &destination(&stored), &options(Recovery::Resume)).unwrap();
            assert_eq!(resumed.rows, summary.rows);
            assert!(objects(&stored) == objects(&whole), "lost after {alive} of {requests} requests");
        } else {
            abandon(&destination(&stored), &root, None).unwrap();
            assert_eq!(objects(&stored).into_keys().collect::<Vec<_>>(), [""; 0]);
        }
        assert!(stored.store().uploads.is_empty(), "lost after {alive} of {requests} requests");
    }
}

fn receipts(server: &S3Server) -> (ReceiptsHeader, Vec<Receipt>) {
    let objects = objects(server);
    let (_, text) = objects.iter().find(|(key, _)| key.ends_with("/receipts.ndjson")).unwrap();
    parse_receipts(text).unwrap()
}

#[test]
fn receipts_tell_of_every_range_that_was_listed() {
    let listed = server(false, 100);
    listed.store().flat.insert("b".into(), FlatKeys { count: 6_000 });
    for lanes in [1, 3] {
        let stored = server(false, 1000);
        let source = S3Source::new(client(&listed), "", Versions::Current);
        let now = Timestamp::parse("2026-11-22T02:00:00Z").unwrap();
        let options = GenerateOptions::default().with_lanes(NonZeroU32::new(lanes).unwrap());
        let options = options.with_clock(Clock::new(move || now));
        let summary = generate(&source, &spec(&source), &S3Destination::new(client(&stored)), &options).unwrap();
        let (header, receipts) = receipts(&stored);
        let mut told = 0;
        for lane in header.plan.lanes() {
            let of_lane: Vec<&Receipt> = receipts.iter().filter(|receipt| receipt.lane == lane.index).collect();
            let (last, others) = of_lane.split_last().unwrap();
            assert!(others.iter().all(|receipt| receipt.partitions.is_empty()));
            let partitions = &last.partitions;
            assert!(partitions.len() > 1, "{partitions:?}");
            // Lanes begin behind a key, which their boundaries say by a U+0000 behind it.
            let key = |boundary: &Option<stocktake_core::ObjectKey>| {
                boundary.as_ref().map(|boundary| boundary.as_str().trim_end_matches('\0').to_owned())
            };
            assert_eq!(
                (&partitions[0].after, &partitions[partitions.len() - 1].until),
                (&key(&lane.start), &key(&lane.end))
            );
            assert!(partitions.windows(2).all(|pair| pair[0].until == pair[1].after));
            let rows: u64 = partitions.iter().map(|of| of.rows).sum();
            assert_eq!(rows, of_lane.iter().map(|receipt| receipt.rows).sum::<u64>());
            assert!(partitions.iter().all(|of| of.started_at.is_some() && of.started_at <= of.ended_at));
            told += rows;
        }
        assert_eq!(told, summary.rows);
    }
}

/// The destination is lost when a data file is to be published, each in turn: the run is carried on by the plan in its journal,
/// for looked for again the cuts of a bucket that has grown stand elsewhere.
#[test]
fn a_listing_whose_destination_is_lost_is_carried_on_by_the_plan_of_its_journal() {
    let listed = server(false, 100);
    let grow = |count| {
        listed.store().flat.insert("b".into(), FlatKeys { count });
    };
    grow(6_000);
    let source = || S3Source::new(client(&listed), "", Versions::Current);
    let spec = ReportSpec::builder(bucket(), ConfigurationId::try_new("daily").unwrap(), bucket())
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSelection::Default.resolve(source().provides(), Versions::Current).unwrap())
        .with_chunk_rows(600)
        .with_shard_target_bytes(1)
        .build()
        .unwrap();
    for lanes in [1, 3] {
        let options = |recovery, lanes| {
            let options = GenerateOptions::default().with_recovery(recovery);
            options.with_lanes(NonZeroU32::new(lanes).unwrap())
        };
        let run = |server: &S3Server, recovery, lanes| {
            generate(&source(), &spec, &S3Destination::new(client(server)), &options(recovery, lanes))
        };
        let whole = server(false, 1000);
        let summary = run(&whole, Recovery::Begin, lanes).unwrap();
        assert!(summary.files >= 10, "{summary:?}");
        let published = |server: &S3Server| {
            let mut objects = objects(server);
            // Of ranges, receipts tell those that the last run listed.
            objects.retain(|key, _| !key.ends_with("/receipts.ndjson"));
            objects
        };
        let lost_at = |file: u64| {
            let stored = server(false, 1000);
            let (files, is_lost) = (AtomicU64::new(0), AtomicBool::new(false));
            stored.faults().choose(move |request, _| {
                let is_file = request.method == "PUT" && request.path.contains("/data/");
                if is_file && files.fetch_add(1, Ordering::Relaxed) >= file {
                    is_lost.store(true, Ordering::Relaxed);
                }
                is_lost.load(Ordering::Relaxed).then_some(Fault::AccessDenied)
            });
            run(&stored, Recovery::Begin, lanes).unwrap_err();
            stored.faults().clear();
            stored
        };
        for file in 0..summary.files {
            let stored = lost_at(file);
            let resumed = run(&stored, Recovery::Resume, lanes).unwrap();
            assert_eq!((resumed.rows, resumed.files), (summary.rows, summary.files));
            // Of a data file whose journal entry was lost with it nothing is known.
            assert!(resumed.kept_files <= file && resumed.kept_files + u64::from(lanes) > file, "{file}: {resumed:?}");
            assert!(published(&stored) == published(&whole), "lost at data file {file} of {lanes} lanes");
            let (_, receipts) = receipts(&stored);
            let told: u64 = receipts.iter().flat_map(|receipt| &receipt.partitions).map(|of| of.rows).sum();
            assert!(told >= summary.rows - resumed.kept_rows && told <= summary.rows, "{told} {resumed:?}");
        }
        if lanes > 1 {
            let stored = lost_at(4);
            let error = run(&stored, Recovery::Resume, lanes - 1).unwrap_err();
            assert!(error.to_string().contains("plan.lanes: 3 of them then, 2 now"), "{error}");
            grow(20_000);
            let planned = source().plan(NonZeroU32::new(lanes).unwrap()).unwrap();
            let (header, _) = receipts(&whole);
            assert_ne!(planned, header.plan, "the cuts have moved");
            let resumed = run(&stored, Recovery::Resume, lanes).unwrap();
            assert!(resumed.rows > summary.rows && resumed.kept_files > 0, "{resumed:?}");
            assert_eq!(receipts(&stored).0.plan, header.plan);
        }
    }
}
