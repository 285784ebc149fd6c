//! Whole reports from a bucket into a bucket, read back by readers that we did not write.

use super::*;
use std::{
    io::Read,
    sync::atomic::{AtomicBool, Ordering},
};
use stocktake::{
    GenerateErrorKind, GenerateOptions, Recovery, ReportLayout, abandon, generate, sources::SyntheticSource,
};
use stocktake_core::{ConfigurationId, Destination, FieldSelection, ReportSpec, Timestamp};
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
